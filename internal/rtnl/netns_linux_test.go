// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// inUserNS is set in the process that TestMain starts where this one may not
// make network namespaces.
const inUserNS = "BONDKIT_RTNL_IN_USERNS"

// TestMain runs the tests in a user namespace of their own where the caller
// may not make network namespaces otherwise.
func TestMain(m *testing.M) {
	if os.Getenv(inUserNS) != "" || fuzzing() || canUnshare(unix.CLONE_NEWNET) {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inUserNS+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	err := cmd.Start()
	if err != nil {
		// No user namespace either: the tests say so where it matters.
		os.Exit(m.Run())
	}
	if err := cmd.Wait(); err != nil {
		if ee, ok := errors.AsType[*exec.ExitError](err); ok {
			os.Exit(max(ee.ExitCode(), 1))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// fuzzing reports whether this process coordinates or does fuzzing: its files
// and pipes do not pass through another process.
func fuzzing() bool {
	for _, a := range os.Args[1:] {
		if strings.HasPrefix(a, "-test.fuzz=") || strings.HasPrefix(a, "-test.fuzzworker") {
			return true
		}
	}
	return false
}

// canUnshare reports whether a thread of this process may enter new namespaces.
func canUnshare(flags int) bool {
	err := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err <- unix.Unshare(flags)
	}()
	return <-err == nil
}

// netns is a network namespace of a test's own.
type netns struct {
	t    *testing.T
	file *os.File
}

// newNetNS makes a network namespace that lives until the test ends.
func newNetNS(t *testing.T) *netns {
	t.Helper()
	type result struct {
		file *os.File
		err  error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{err: err}
			return
		}
		f, err := os.Open("/proc/thread-self/ns/net")
		made <- result{f, err}
	}()
	r := <-made
	if errors.Is(r.err, os.ErrPermission) {
		skipUnlessRequired(t, "no privilege to make a network namespace")
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { r.file.Close() })
	return &netns{t: t, file: r.file}
}

// skipUnlessRequired skips the test, or fails it where a skip is not allowed.
func skipUnlessRequired(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("BONDKIT_KERNEL") == "require" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// fd is the descriptor for a Config.
func (n *netns) fd() int { return int(n.file.Fd()) }

// do runs f on a thread in the namespace.
func (n *netns) do(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(n.fd(), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// ip runs one line of the ip command in the namespace.
func (n *netns) ip(line string) {
	n.t.Helper()
	if out, err := n.tryIP(line); err != nil {
		n.t.Fatalf("ip %s: %v: %s", line, err, out)
	}
}

func (n *netns) tryIP(line string) (out string, err error) {
	n.t.Helper()
	path, err := exec.LookPath("ip")
	if err != nil {
		skipUnlessRequired(n.t, "the ip command is not installed")
	}
	err = n.do(func() error {
		b, err := exec.Command(path, strings.Fields(line)...).CombinedOutput()
		out = string(b)
		return err
	})
	return out, err
}

// dial opens a Conn in the namespace.
func (n *netns) dial() *rtnl.Conn {
	n.t.Helper()
	c, err := rtnl.Dial(&rtnl.Config{NetNS: n.fd()})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	return c
}

// link reads a link by name.
func (n *netns) link(c *rtnl.Conn, name string) rtnl.Link {
	n.t.Helper()
	l, err := c.LinkByName(name)
	if err != nil {
		n.t.Fatal(err)
	}
	return l
}

// patience is how long anything in these tests may take, also on an emulated machine.
const patience = 20 * time.Second

// receiver collects the events of a Watcher, with a deadline.
type receiver struct {
	t *testing.T
	w *rtnl.Watcher
}

// watch subscribes in the namespace.
func (n *netns) watch(cfg rtnl.Config) receiver {
	n.t.Helper()
	cfg.NetNS = n.fd()
	w, err := rtnl.Watch(&cfg)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { w.Close() })
	return receiver{n.t, w}
}

// until returns all events up to the first one that is wanted.
func (r receiver) until(what string, wanted func(rtnl.Event) bool) []rtnl.Event {
	r.t.Helper()
	if err := r.w.SetDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	var all []rtnl.Event
	for {
		events, err := r.w.Receive()
		if err != nil {
			r.t.Fatalf("waiting for %s: %v; events so far: %+v", what, err, all)
		}
		if len(events) == 0 {
			r.t.Fatal("no error and no event")
		}
		for _, e := range events {
			all = append(all, e)
			if wanted(e) {
				return all
			}
		}
	}
}
