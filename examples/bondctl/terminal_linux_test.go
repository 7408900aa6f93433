// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/lab"
)

// session is a shell with job control in a terminal of its own.
type session struct {
	t        *testing.T
	terminal *os.File // the end of who types
	output   chan string
}

// newSession starts a script, whose word "$0" is the command, with args behind it.
func (h *realHost) newSession(script, args string) *session {
	h.t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	// Not blocking, so that closing it ends a read.
	terminal := os.NewFile(uintptr(fd), "/dev/ptmx")
	s := &session{t: h.t, terminal: terminal, output: make(chan string, 1000)}
	h.t.Cleanup(func() { s.terminal.Close() })
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	var inner *os.File
	if err == nil {
		inner, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	defer inner.Close()
	exe := h.command(args)
	cmd := exec.CommandContext(h.t.Context(), "/bin/sh", append([]string{"-c", script}, exe.Args...)...)
	cmd.Env = exe.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = inner, inner, inner
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	h.start(cmd)
	go func() { _ = cmd.Wait() }()
	go func() {
		defer close(s.output)
		buf := make([]byte, 4096)
		for {
			n, err := terminal.Read(buf)
			if n > 0 {
				s.output <- string(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

// until reads up to a text, and returns what was read.
func (s *session) until(text string) string {
	s.t.Helper()
	deadline := time.After(30 * time.Second)
	seen := ""
	for !strings.Contains(seen, text) {
		select {
		case part, ok := <-s.output:
			if !ok {
				s.t.Fatalf("the end, and no %q in %q", text, seen)
			}
			seen += part
		case <-deadline:
			s.t.Fatalf("no %q in %q", text, seen)
		}
	}
	return seen
}

func (s *session) write(text string) {
	s.t.Helper()
	if _, err := s.terminal.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// TestTerminal goes back whatever a terminal does to the one that asks.
func TestTerminal(t *testing.T) {
	lab.Require(t, lab.NeedBonding)
	l := lab.Start(t, nil)
	h := &realHost{t: t, ns: l.Host()}
	h.must("create bond0 mode=active-backup miimon=100 up slaves=e1,e2")
	apply := "apply -confirm 1h -f " + (&bench{t: t}).file(`{"name": "bond0", "options": {"miimon": 50}}`)
	const (
		foreground = `set -m; "$0" "$@"; echo "status $?"`
		asked      = "or it is undone: "
	)
	back := func(name string) {
		t.Helper()
		b := h.await(name+": as before", func(b *shownBond) bool { return b.Options.MIIMon == 100 })
		if len(b.Slaves) != 2 {
			t.Errorf("%s: %+v", name, b)
		}
	}

	// Control-Z is not taken, so the answer is.
	s := h.newSession(foreground, apply)
	s.until(asked)
	s.write("\x1a")
	s.write("no\n")
	if got := s.until("status "); !strings.Contains(got, "the answer was no") {
		t.Errorf("control-Z: %q", got)
	}
	back("control-Z")

	for _, tt := range []struct{ name, key string }{{"control-C", "\x03"}, {"control-backslash", "\x1c"}} {
		s = h.newSession(foreground, apply)
		s.until(asked)
		s.write(tt.key)
		if got := s.until("status 130"); strings.Contains(got, "goroutine") {
			t.Errorf("%s: %q", tt.name, got)
		}
		back(tt.name)
	}

	// Nobody can answer a job in the background.
	s = h.newSession(`set -m; "$0" "$@" & wait $!; echo "status $?"`, apply)
	if got := s.until("status "); !strings.Contains(got, "no answer") {
		t.Errorf("background: %q", got)
	}
	back("background")

	// The terminal goes away, and with it perhaps the signal of that.
	for _, script := range []string{foreground, `trap "" HUP; "$0" "$@"`} {
		s = h.newSession(script, apply)
		s.until(asked)
		s.terminal.Close()
		back("closed terminal: " + script)
	}

	s = h.newSession(foreground, apply)
	s.until(asked)
	s.write("yes\n")
	s.until("status 0")
	if b := h.show(); b.Options.MIIMon != 50 {
		t.Errorf("after yes: %+v", b)
	}
}
