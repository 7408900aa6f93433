// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/lab"
)

// play plays a part in a test: it runs in a process that a test has started. A
// role with a prefix first gives up privilege, and goes on as the rest of it.
func play(role string) error {
	if rest, ok := strings.CutPrefix(role, "nobody:"); ok {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			return err
		}
		return again(rest)
	}
	if rest, ok := strings.CutPrefix(role, "powerless:"); ok {
		// CAP_SETFCAP stays: without it a process with user ID 0 may not map
		// itself into a new user namespace. It is no help in making others.
		return drop(rest, unix.CAP_SETFCAP)
	}
	if rest, ok := strings.CutPrefix(role, "refused:"); ok {
		// The setting counts for the user namespace of this process only.
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			return err
		}
		return drop(rest, unix.CAP_SETFCAP)
	}
	if rest, ok := strings.CutPrefix(role, "toolless:"); ok {
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
			err := unix.Mount("none", dir, "tmpfs", 0, "")
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("mount on %s: %w", dir, err)
			}
		}
		os.Setenv("PATH", "/nonexistent")
		return again(rest)
	}
	switch role {
	case "kill":
		return playKill()
	case "enter":
		return playEnter()
	case "signal":
		return playSignal()
	case "check":
		return playCheck()
	}
	return errors.New("no such role")
}

// again runs this program again, in the same process.
func again(role string) error {
	os.Setenv(roleEnv, role)
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}

// drop runs this program again without any capability but one, for good.
func drop(role string, but uintptr) error {
	runtime.LockOSThread()
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if c == but {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return err
		}
	}
	return again(role)
}

// enter calls lab.Enter, and ends the process when that is refused.
func enter() {
	err := lab.Enter()
	if err == nil {
		return
	}
	fmt.Println("refused:", err)
	if e, ok := errors.AsType[*lab.EnterError](err); ok && errors.Is(err, lab.ErrRefused) {
		fmt.Println("setting:", e.Setting)
	}
	os.Exit(50)
}

// playEnter builds a lab and exits with status 7.
func playEnter() error {
	enter()
	l, err := lab.New(context.Background(), &lab.Config{Chatty: 1})
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Printf("uid %d, args %q\n", os.Getuid(), os.Args[1:])
	os.Exit(7)
	return nil
}

// playSignal says when it is ready and then how many signals it got within a
// short time of the first, and exits with status 3.
func playSignal() error {
	enter()
	c := make(chan os.Signal, 16)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1)
	fmt.Println("ready", os.Getpid())
	n := 1
	first := <-c
	timer := time.NewTimer(300 * time.Millisecond)
	for {
		select {
		case <-c:
			n++
			continue
		case <-timer.C:
		}
		fmt.Println("got", first, n)
		os.Exit(3)
	}
}

// playKill builds a lab with a witness in each namespace: a veth whose other end
// is in the namespace of file descriptor 3, so that it disappears there when the
// namespace ends and not before. Then it waits to be killed.
func playKill() error {
	l, err := lab.New(context.Background(), &lab.Config{Chatty: 1})
	if err != nil {
		return err
	}
	if _, err := l.Chatter(context.Background(), lab.ChatARP); err != nil {
		return err
	}
	if _, err := l.CutUplink(context.Background(), 1); err != nil {
		return err
	}
	for _, n := range l.Namespaces() {
		_, err := n.Run(context.Background(), "ip", "link", "add", "name", "witness", "type", "veth",
			"peer", "name", "w-"+n.Name(), "netns", "/proc/"+strconv.Itoa(os.Getpid())+"/fd/3")
		if err != nil {
			return err
		}
	}
	fmt.Println("ready", l.Fabric().FD())
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR2)
	<-never
	return errors.New("still alive")
}

// recorder is a test that only records how it ends.
type recorder struct{}

func (recorder) Helper()                  {}
func (recorder) Context() context.Context { return context.Background() }
func (recorder) Cleanup(func())           {}
func (recorder) Logf(string, ...any)      {}

func (recorder) Skipf(format string, args ...any) {
	fmt.Printf("skip: "+format+"\n", args...)
}

func (recorder) Fatalf(format string, args ...any) {
	fmt.Printf("fatal: "+format+"\n", args...)
}

// playCheck prints what is missing here, and what Require makes of it.
func playCheck() error {
	err := lab.Check()
	fmt.Println("check:", err)
	for _, kind := range []error{lab.ErrNoTool, lab.ErrNoPrivilege, lab.ErrNoKernel} {
		if errors.Is(err, kind) {
			fmt.Println("is:", kind)
		}
	}
	if m, ok := errors.AsType[*lab.MissingError](err); ok {
		fmt.Println("count:", len(m.Missing))
	}
	for _, kernel := range []string{"", "require"} {
		os.Setenv("BONDKIT_KERNEL", kernel)
		lab.Require(recorder{})
		if l := lab.Start(recorder{}, nil); l != nil {
			return l.Close()
		}
	}
	return nil
}
