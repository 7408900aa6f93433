// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/internal/lab"
)

// clientPatience is how long anything in the tests of the client may take, also
// on an emulated machine.
const clientPatience = 20 * time.Second

// clientBonding says once why there are no bonds to test with.
var clientBonding = sync.OnceValue(lab.HasBonding)

// clientNet is a network namespace of a test's own.
type clientNet struct {
	t    *testing.T
	file *os.File
}

// newClientNet makes a network namespace that lives until the test ends, in a kernel
// that has bonding.
func newClientNet(t *testing.T) *clientNet {
	t.Helper()
	if err := clientBonding(); err != nil {
		clientSkip(t, err)
	}
	return newClientPlainNet(t)
}

// newClientPlainNet makes a network namespace in any kernel.
func newClientPlainNet(t *testing.T) *clientNet {
	t.Helper()
	type result struct {
		file *os.File
		err  error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{err: err}
			return
		}
		f, err := os.Open("/proc/thread-self/ns/net")
		made <- result{f, err}
	}()
	r := <-made
	if errors.Is(r.err, os.ErrPermission) {
		clientSkip(t, fmt.Errorf("no privilege to make a network namespace: %w", r.err))
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { r.file.Close() })
	return &clientNet{t, r.file}
}

// clientSkip skips a test, or fails it where a skip is not allowed.
func clientSkip(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("BONDKIT_KERNEL") == "require" {
		t.Fatal(err)
	}
	t.Skip(err)
}

func (n *clientNet) fd() int { return int(n.file.Fd()) }

// do runs f on a thread of its own in the namespace, which ends with it.
func (n *clientNet) do(f func() error) error {
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

// ip runs lines of the ip command in the namespace.
func (n *clientNet) ip(lines ...string) {
	n.t.Helper()
	path, err := exec.LookPath("ip")
	if err != nil {
		clientSkip(n.t, err)
	}
	err = n.do(func() error {
		cmd := exec.Command(path, "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		n.t.Fatalf("ip: %v", err)
	}
}

// veth makes pairs of veths. The first ends have the names, the others those with p
// in front.
func (n *clientNet) veth(names ...string) {
	n.t.Helper()
	var lines []string
	for _, name := range names {
		lines = append(lines, "link add "+name+" type veth peer name p"+name, "link set p"+name+" up")
	}
	n.ip(lines...)
}

func (n *clientNet) dial() *bond.Client {
	n.t.Helper()
	return n.dialThrough(nil)
}

// dialThrough opens a Client with a Transport in front of the real one.
func (n *clientNet) dialThrough(wrap func(bond.Transport) bond.Transport) *bond.Client {
	n.t.Helper()
	tr, err := bond.ClientTransport(&bond.Config{NetNS: n.fd()})
	if err != nil {
		n.t.Fatal(err)
	}
	if wrap != nil {
		tr = wrap(tr)
	}
	c, err := bond.Dial(&bond.Config{Transport: tr})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	return c
}

// clientName is a Link by name.
func clientName(name string) bond.Link { return bond.Link{Name: name} }

// clientIndex is a Link by index.
func clientIndex(index int) bond.Link { return bond.Link{Index: index} }

// clientMust fails the test on an error.
func clientMust(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clientGet reads something that has to be there.
func clientGet[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// clientWant checks what an error matches, and that it is an *Error with this operation.
func clientWant(t *testing.T, err error, op string, targets ...error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want %v", op, targets)
		return
	}
	e, ok := errors.AsType[*bond.Error](err)
	if !ok || e.Op != op {
		t.Errorf("error is %T %v, want one of operation %q", err, err, op)
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("error %q does not match %q", err, target)
		}
	}
}

// clientEventually waits until something is so.
func clientEventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(clientPatience); !so(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("timeout waiting for: %s", what)
		}
	}
}
