// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/internal/lab"
)

// patience bounds every wait for something that must happen.
const patience = time.Minute

// inject makes a fault and undoes it at the end of the test.
func inject(t *testing.T, l *lab.Lab, text string) *lab.Fault {
	t.Helper()
	f, err := l.Inject(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { undo(t, f) })
	return f
}

func undo(t *testing.T, f *lab.Fault) {
	t.Helper()
	if err := f.Undo(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

func packets(t *testing.T, f *lab.Fault) uint64 {
	t.Helper()
	n, err := f.Packets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// eventually waits until f returns true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		<-tick.C
	}
}

// place is a device of a host of the lab.
type place struct {
	ns  *lab.Namespace
	dev string
}

// at returns a place by the name of a slave, a target or a chatty host.
func at(l *lab.Lab, name string) place {
	switch name[0] {
	case 'e':
		return place{l.Host(), name}
	case 'c':
		return place{l.Chatty(int(name[1]-'0'), int(name[2]-'0')), lab.HostDevice}
	}
	return place{l.Target(name), lab.HostDevice}
}

func (p place) mac(t *testing.T) lab.MAC {
	t.Helper()
	mac, err := new(lab.Lab).HardwareAddr(p.ns, p.dev)
	if err != nil {
		t.Fatal(err)
	}
	return lab.MAC(mac)
}

// tap opens a tap that ends with the test.
func tap(t *testing.T, n *lab.Namespace, dev string) *lab.Tap {
	t.Helper()
	tap, err := n.Tap(dev)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tap.Close() })
	return tap
}

// collect reads frames that were received, until n of those that match are there
// or until none has come for so long.
func collect(t *testing.T, tap *lab.Tap, n int, wait time.Duration, match func(*lab.Frame) bool) []lab.Frame {
	t.Helper()
	deadline := time.Now().Add(wait)
	var frames []lab.Frame
	for len(frames) < n {
		f, err := tap.Read(deadline)
		if os.IsTimeout(err) {
			// What is queued came in time, if it is this process that did not.
			f, err = tap.Read(time.Now().Add(20 * time.Millisecond))
		}
		if os.IsTimeout(err) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !f.Outgoing && match(&f) {
			frames = append(frames, f)
			deadline = time.Now().Add(wait)
		}
	}
	return frames
}

// unused is an address nobody has, so that nobody answers.
var unused = netip.MustParseAddr("192.0.2.253")

// serial numbers the marked frames of all tests of one run.
type serial struct{ n uint32 }

func (s *serial) next() lab.MAC {
	s.n++
	m := lab.MAC{0x06, 0xbd}
	binary.BigEndian.PutUint32(m[2:], s.n)
	return m
}

// marked returns n broadcasts from a place that carry a mark, so that a tap can
// tell them from everything else. Their source MAC is that of the host where as
// is HOST, that of a probe where they come from a slave, and else the true one.
func marked(t *testing.T, l *lab.Lab, from place, as string, mark lab.MAC, n int) [][]byte {
	t.Helper()
	src := lab.MAC{0x06, 0xbd, 0xff, 0xff, 0xff, from.dev[len(from.dev)-1]}
	switch {
	case as == "HOST":
		src = lab.MAC(l.BondMAC())
	case from.dev == lab.HostDevice:
		src = from.mac(t)
	}
	a := lab.NewARP(lab.OpRequest, lab.Broadcast, src)
	a.SHA, a.TPA = mark, unused
	return slices.Repeat([][]byte{a.AppendFrame(nil)}, n)
}

// passing sends n broadcasts from one place and returns how many arrive at
// another, waiting for all of them for so long.
func passing(t *testing.T, l *lab.Lab, s *serial, from, to place, n int, wait time.Duration) int {
	t.Helper()
	tap, err := to.ns.Tap(to.dev)
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	mark := s.next()
	if err := from.ns.Send(from.dev, marked(t, l, from, "", mark, n)...); err != nil {
		t.Fatal(err)
	}
	return len(collect(t, tap, n, wait, func(f *lab.Frame) bool {
		a, ok := f.ARP()
		return ok && a.SHA == mark
	}))
}

// running reports whether a device has carrier.
func running(t *testing.T, p place) bool {
	t.Helper()
	up := false
	if err := p.ns.Do(func() error {
		d, err := net.InterfaceByName(p.dev)
		if err == nil {
			up = d.Flags&net.FlagRunning != 0
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return up
}

// setup returns everything a fault could leave behind, as text: addresses and flags
// of all devices, the rules in the fabric and the queues of the host.
func setup(t *testing.T, l *lab.Lab) string {
	t.Helper()
	var b strings.Builder
	for _, n := range l.Namespaces() {
		if err := n.Do(func() error {
			devs, err := net.Interfaces()
			for _, d := range devs {
				addrs, aerr := d.Addrs()
				err = errors.Join(err, aerr)
				fmt.Fprintln(&b, n.Name(), d.Index, d.Name, d.HardwareAddr, d.Flags, addrs)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		ns   *lab.Namespace
		args []string
	}{
		{l.Fabric(), []string{"nft", "list", "ruleset"}},
		{l.Host(), []string{"tc", "qdisc", "show"}},
	} {
		out, err := c.ns.Run(t.Context(), c.args...)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(out)
	}
	return b.String()
}
