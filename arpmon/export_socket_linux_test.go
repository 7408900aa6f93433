// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// A Tap is how a Monitor listens to a slave and sends through it.
type Tap struct {
	t  tap
	rx *receiver
}

// OpenTap opens the sockets in the namespace of the calling thread.
func OpenTap() (*Tap, error) {
	t, err := openTap(16)
	return &Tap{t, newReceiver()}, err
}

// Bind makes it that of an interface.
func (t *Tap) Bind(index int, mac MAC, spa uint32, targets []uint32) error {
	return t.t.bind(index, mac, spa, targets, true)
}

// Send sends a frame.
func (t *Tap) Send(frame []byte) error { return t.t.send(frame) }

// Verdict and Evidence read one frame, or the error.
func (t *Tap) Verdict() ([]byte, Meta, error)  { return t.read(t.t.verdict) }
func (t *Tap) Evidence() ([]byte, Meta, error) { return t.read(t.t.evidence) }

func (t *Tap) read(fd int) ([]byte, Meta, error) {
	frame, m, errno := t.rx.receive(fd)
	if errno != 0 {
		return nil, m, errno
	}
	return frame, m, nil
}

// Close closes the sockets.
func (t *Tap) Close() error { return t.t.close() }

// Attach attaches a program to any socket.
func Attach(fd int, program []Instruction) error {
	code := make([]instruction, len(program))
	for i, c := range program {
		code[i] = instruction{c.Op, c.JT, c.JF, c.K}
	}
	return attach(fd, code)
}

// Turn runs one turn of a Monitor that is not running, without waiting for anything.
func (m *Monitor) Turn() { m.m.turn() }

// Wait waits for what a running Monitor would wait for.
func (m *Monitor) Wait() error { return m.m.wait(m.m.turn()) }

// Pretend tells a Monitor of a link event that did not happen.
func (m *Monitor) Pretend(e rtnl.Event) {
	if m.m.follow.take([]rtnl.Event{e}) {
		m.m.waker.wake()
	}
}

// BreakWatch closes the socket of link events under a Monitor.
func (m *Monitor) BreakWatch() error { return m.m.follow.watch.Close() }

// LockFilter has the kernel refuse other filters for one socket of a slave.
func (m *Monitor) LockFilter(slave string) error {
	return unix.SetsockoptInt(m.m.slaves[m.m.names[slave]].tap.evidence, unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1)
}
