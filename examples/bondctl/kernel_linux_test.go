// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/lab"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// realHost drives the compiled command in the namespace of a lab's host.
type realHost struct {
	t  *testing.T
	ns *lab.Namespace
}

// command returns the command, which start starts in the namespace.
func (h *realHost) command(line string) *exec.Cmd {
	h.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.CommandContext(h.t.Context(), exe, strings.Fields(line)...)
	cmd.Env = append(os.Environ(), commandEnv+"=1")
	return cmd
}

func (h *realHost) start(cmd *exec.Cmd) {
	h.t.Helper()
	if err := h.ns.Do(cmd.Start); err != nil {
		h.t.Fatal(err)
	}
}

// run runs a command line.
func (h *realHost) run(stdin, line string) (stdout, stderr string, status int) {
	h.t.Helper()
	cmd := h.command(line)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	h.start(cmd)
	err := cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case ok:
		status = exit.ExitCode()
	case err != nil:
		h.t.Fatal(err)
	}
	return out.String(), errs.String(), status
}

// must runs a command line that has to work.
func (h *realHost) must(line string) string {
	h.t.Helper()
	stdout, stderr, status := h.run("", line)
	if status != cli.ExitDone {
		h.t.Fatalf("bondctl %s: status %d, standard error %q", line, status, stderr)
	}
	return stdout
}

// shownBond is what the test reads of show -json.
type shownBond struct {
	Name, State, Reason string
	MTU                 int
	Up                  bool
	Options             struct {
		Mode    string
		Active  string `json:"active_slave"`
		MIIMon  int    `json:"miimon"`
		UpDelay int    `json:"updelay"`
		Primary string
	}
	Slaves []struct {
		Name, State string
		MII         string `json:"mii_status"`
		Speed       *int   `json:"speed_mbps"`
		Duplex      *string
	}
}

func (h *realHost) show() shownBond {
	h.t.Helper()
	var bonds []shownBond
	if err := json.Unmarshal([]byte(h.must("show bond0 -json")), &bonds); err != nil || len(bonds) != 1 {
		h.t.Fatalf("%v: %+v", err, bonds)
	}
	return bonds[0]
}

// await shows the bond until it is as wanted.
func (h *realHost) await(what string, is func(b *shownBond) bool) shownBond {
	h.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		b := h.show()
		if is(&b) {
			return b
		}
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("never %s: %+v", what, b)
		}
	}
}

func slaveNames(b *shownBond) []string {
	var names []string
	for _, s := range b.Slaves {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return names
}

// TestRealKernel does with a real kernel what the command is for.
func TestRealKernel(t *testing.T) {
	lab.Require(t, lab.NeedBonding)
	l := lab.Start(t, nil)
	h := &realHost{t: t, ns: l.Host()}
	watch, lines := h.watch()

	if got := h.must("show"); got != "no bonds\n" {
		t.Fatalf("at the beginning: %q", got)
	}
	h.must("create bond0 mode=active-backup miimon=100 mtu=1400 up")
	lines.until("bond-added")
	if _, stderr, status := h.run("", "create bond0 miimon=100"); status != cli.ExitFailed || !strings.Contains(stderr, "exist") {
		t.Errorf("a second bond0: status %d, standard error %q", status, stderr)
	}
	h.must("enslave bond0 e1 e2")
	lines.until("slave-added")
	b := h.await("in order", func(b *shownBond) bool { return b.State == "ok" })
	if b.MTU != 1400 || b.Options.Mode != "active-backup" || !slices.Equal(slaveNames(&b), []string{"e1", "e2"}) {
		t.Errorf("bond0 is %+v", b)
	}
	for _, s := range b.Slaves {
		// What the driver of veth says.
		if s.Speed == nil || *s.Speed != 10000 || s.Duplex == nil || *s.Duplex != "full" {
			t.Errorf("speed of %s: %v, duplex %v", s.Name, s.Speed, s.Duplex)
		}
	}
	h.sameThroughPath()

	h.must("set bond0 updelay=200 primary=e1")
	lines.until("options-changed")
	h.must("set bond0 primary=")
	h.must("active bond0 e2")
	h.await("on e2", func(b *shownBond) bool { return b.Options.Active == "e2" && b.Options.UpDelay == 200 })
	_, stderr, status := h.run("", "set bond0 mode=802.3ad")
	if status != cli.ExitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "slaves") {
		t.Errorf("mode with slaves: status %d, standard error %q", status, stderr)
	}
	h.failure(l, lines)
	h.apply()

	h.must("release e1")
	b = h.await("without e1", func(b *shownBond) bool { return len(b.Slaves) == 1 })
	if b.Slaves[0].Name != "e2" {
		t.Errorf("slaves %v", slaveNames(&b))
	}
	h.must("delete bond0")
	lines.until("bond-removed")
	if got := h.must("show -json"); got != "[]\n" {
		t.Errorf("at the end: %q", got)
	}
	if err := watch.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := watch.Wait(); err != nil {
		t.Errorf("watch: %v", err)
	}
}

// failure cuts the cable of a slave.
func (h *realHost) failure(l *lab.Lab, lines *realLines) {
	h.t.Helper()
	cut, err := l.CutPort(h.t.Context(), 2)
	if err != nil {
		h.t.Fatal(err)
	}
	lines.until(`"state":"degraded"`)
	b := h.await("degraded", func(b *shownBond) bool { return b.State == "degraded" && b.Options.Active != "e2" })
	if b.Reason != "e2 down" || b.Options.Active != "e1" {
		h.t.Errorf("with e2 cut: %+v", b)
	}
	if text := h.must("show bond0"); !strings.Contains(text, "DEGRADED  e2 down") || strings.Contains(text, "\x1b") {
		h.t.Errorf("with e2 cut:\n%s", text)
	}
	if err := cut.Undo(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.await("in order", func(b *shownBond) bool { return b.State == "ok" })
}

// sameThroughPath shows the bond from outside the namespace.
func (h *realHost) sameThroughPath() {
	h.t.Helper()
	want := h.must("show bond0")
	cmd := h.command("show bond0 -netns /proc/self/fd/3")
	file := h.ns.File()
	cmd.ExtraFiles = []*os.File{file}
	got, err := cmd.Output()
	if err != nil || string(got) != want {
		h.t.Errorf("%v: from outside\n%s\nfrom inside\n%s", err, got, want)
	}
}

// apply plans, refuses, confirms and goes back.
func (h *realHost) apply() {
	h.t.Helper()
	file := (&bench{t: h.t}).file(`{"name": "bond0", "options": {"mode": "balance-xor", "miimon": 50, "xmit_hash_policy": "layer3+4"}, "slaves": ["e1", "e2"], "up": true}`)
	before := h.show()
	if plan := h.must("plan -f " + file); !strings.Contains(plan, "disruption release") {
		h.t.Errorf("plan:\n%s", plan)
	}
	for _, line := range []string{"apply -f " + file, "apply -dry-run -allow down -f " + file} {
		if _, stderr, status := h.run("", line); status != cli.ExitFailed || !strings.Contains(stderr, "release") {
			h.t.Errorf("%s: status %d, standard error %q", line, status, stderr)
		}
	}
	if b := h.show(); b.Options.Mode != "active-backup" || len(b.Slaves) != 2 {
		h.t.Errorf("after a refusal: %+v", b)
	}
	_, stderr, status := h.run("no\n", "apply -confirm 1m -allow release -f "+file)
	if status != cli.ExitFailed || !strings.Contains(stderr, "balance-xor, hash layer3+4, miimon 50 ms") || !strings.Contains(stderr, "everything is as it was") {
		h.t.Errorf("no: status %d, standard error %q", status, stderr)
	}
	b := h.await("as before", func(b *shownBond) bool { return b.State == "ok" })
	if b.Options.Mode != "active-backup" || b.Options.MIIMon != 100 || b.Options.UpDelay != 200 || b.MTU != before.MTU || !b.Up || len(b.Slaves) != 2 {
		h.t.Errorf("after no: %+v, before %+v", b, before)
	}
	if stdout, stderr, status := h.run("yes\n", "apply -confirm 1m -allow release -f "+file); status != cli.ExitDone || !strings.HasSuffix(stdout, "done\n") {
		h.t.Fatalf("yes: status %d, standard output %q, standard error %q", status, stdout, stderr)
	}
	b = h.await("in order", func(b *shownBond) bool { return b.State == "ok" })
	if b.Options.Mode != "balance-xor" || b.Options.MIIMon != 50 || len(b.Slaves) != 2 {
		h.t.Errorf("after yes: %+v", b)
	}
	if plan := h.must("plan -f " + file); !strings.Contains(plan, "nothing to do") {
		h.t.Errorf("plan after apply:\n%s", plan)
	}
}

// realLines are the lines of a process.
type realLines struct {
	t     *testing.T
	lines chan string
}

// watch starts bondctl watch -json and waits until it watches.
func (h *realHost) watch() (*exec.Cmd, *realLines) {
	h.t.Helper()
	cmd := h.command("watch -json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	h.start(cmd)
	r := &realLines{h.t, make(chan string, 10000)}
	go func() {
		defer close(r.lines)
		scan := bufio.NewScanner(out)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			r.lines <- scan.Text()
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	r.until("synced")
	return cmd, r
}

// until reads on to a line with a text.
func (r *realLines) until(text string) {
	r.t.Helper()
	deadline := time.After(30 * time.Second)
	var seen []string
	for {
		select {
		case line, ok := <-r.lines:
			if !ok {
				r.t.Fatalf("watch ended, and no %q in %q", text, seen)
			}
			if !json.Valid([]byte(line)) {
				r.t.Fatalf("no JSON: %q", line)
			}
			if seen = append(seen, line); strings.Contains(line, text) {
				return
			}
		case <-deadline:
			r.t.Fatalf("no %q in %q", text, seen)
		}
	}
}

// TestHangup goes back when the terminal of the one who is asked is closed, and when nobody reads
// the output.
func TestHangup(t *testing.T) {
	lab.Require(t, lab.NeedBonding)
	l := lab.Start(t, nil)
	h := &realHost{t: t, ns: l.Host()}
	h.must("create bond0 mode=active-backup miimon=100 up slaves=e1,e2")
	file := (&bench{t: t}).file(`{"name": "bond0", "options": {"miimon": 50}}`)
	for _, tt := range []struct {
		name   string
		signal os.Signal
		status int
	}{{"hangup", unix.SIGHUP, cli.ExitInterrupt}, {"interrupt", os.Interrupt, cli.ExitInterrupt}, {"end", unix.SIGTERM, cli.ExitInterrupt}, {"quit", unix.SIGQUIT, cli.ExitInterrupt}, {"broken pipe", nil, cli.ExitFailed}} {
		cmd := h.command("apply -confirm 1h -f " + file)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		h.start(cmd)
		read := bufio.NewReader(stderr)
		for text := ""; !strings.Contains(text, "Keep this change?"); {
			c, err := read.ReadByte()
			if err != nil {
				t.Fatalf("%s: no question in %q: %v", tt.name, text, err)
			}
			text += string(c)
		}
		if b := h.show(); b.Options.MIIMon != 50 {
			t.Errorf("%s: nothing has changed: %+v", tt.name, b)
		}
		if tt.signal != nil {
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, read)
		} else {
			stderr.Close()
			stdin.Close()
		}
		err = cmd.Wait()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != tt.status {
			t.Errorf("%s: %v, want status %d", tt.name, err, tt.status)
		}
		if b := h.show(); b.Options.MIIMon != 100 || len(b.Slaves) != 2 {
			t.Errorf("%s: it has not gone back: %+v", tt.name, b)
		}
	}
}
