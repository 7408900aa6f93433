// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// TestFiltersInKernel lets the kernel run the programs, on a pair of local sockets,
// which filter as packet sockets do and need no privilege. They have no packet type
// and no tag.
func TestFiltersInKernel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	mac := arpmon.MAC{2, 0x11, 0x22, 0x33, 0x44, 0x55}
	for _, n := range []int{0, 1, 2, 16, 127, 128, 129, 255, 256} {
		targets := make([]uint32, n)
		for i := range targets {
			targets[i] = r.Uint32()
		}
		v, err := arpmon.VerdictFilter(mac, 0, targets)
		if err != nil {
			t.Fatal(err)
		}
		e, err := arpmon.EvidenceFilter(mac, 0, targets)
		if err != nil {
			t.Fatal(err)
		}
		passed := 0
		pass := [2]func([]byte) bool{filterSocket(t, v), filterSocket(t, e)}
		for i := range 200 {
			target := r.Uint32()
			if n > 0 {
				target = targets[r.IntN(n)]
			}
			f := tapped{data: reply(mac, 0, target)}
			if i%4 != 0 {
				f = spoil(r, f.data, mac, targets)
			}
			if f.outgoing || f.tagged || len(f.data) == 0 {
				continue
			}
			wantV, wantE := wanted(f, mac, 0, targets)
			if gotV, gotE := pass[0](f.data), pass[1](f.data); gotV != wantV || gotE != wantE {
				t.Fatalf("%d targets, % x: verdict %v, evidence %v, want %v, %v", n, f.data, gotV, gotE, wantV, wantE)
			}
			if wantV || wantE {
				passed++
			}
		}
		if passed < 20 {
			t.Errorf("%d targets: %d frames passed", n, passed)
		}
	}
}

// filterSocket returns a function that tells whether a program lets a frame
// through.
func filterSocket(t *testing.T, program []arpmon.Instruction) func([]byte) bool {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	if err := arpmon.Attach(fds[1], program); err != nil {
		t.Fatal(err)
	}
	return func(frame []byte) bool {
		if _, err := unix.Write(fds[0], frame); err != nil && !errors.Is(err, unix.EPERM) {
			t.Fatal(err)
		}
		var b [256]byte
		n, err := unix.Read(fds[1], b[:])
		if err == nil && !bytes.Equal(b[:n], frame[:min(len(frame), arpmon.FilterKeep)]) {
			t.Fatalf("% x arrived as % x", frame, b[:n])
		}
		return err == nil
	}
}

// A cable is a pair of veth devices a and b in the fabric of a lab.
type cable struct {
	ns   *lab.Namespace
	a, b int // indexes
}

func newCable(t testing.TB, l *lab.Lab) cable {
	t.Helper()
	c := cable{ns: l.Fabric()}
	c.make(t)
	return c
}

// make makes the devices.
func (c *cable) make(t testing.TB) {
	t.Helper()
	ip(t, c.ns, "link", "add", "va", "up", "type", "veth", "peer", "name", "vb")
	ip(t, c.ns, "link", "set", "vb", "up")
	c.a, c.b = c.index(t, "va"), c.index(t, "vb")
}

func (c *cable) index(t testing.TB, name string) (index int) {
	t.Helper()
	err := c.ns.Do(func() error {
		dev, err := net.InterfaceByName(name)
		if err == nil {
			index = dev.Index
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// tap opens a tap on one end.
func (c *cable) tap(t testing.TB, index int, mac arpmon.MAC, targets ...uint32) *arpmon.Tap {
	t.Helper()
	var tap *arpmon.Tap
	err := c.ns.Do(func() (err error) {
		tap, err = arpmon.OpenTap()
		return err
	})
	if err == nil {
		err = tap.Bind(index, mac, 0, targets)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tap.Close() })
	return tap
}

// TestTap sends frames over a cable and reads what each socket gets, tags included.
func TestTap(t *testing.T) {
	c := newCable(t, newLab(t, nil))
	mac, target := arpmon.MAC{2, 0, 0, 0, 0, 9}, uint32(0xc0000201)
	near, far := c.tap(t, c.a, mac, target), c.tap(t, c.b, arpmon.MAC{2, 0, 0, 0, 0, 8}, target)
	good := reply(mac, 0, target)
	request := bytes.Clone(good)
	request[21] = 1
	tag := func(frame []byte, tci ...byte) []byte {
		return append(append(append(bytes.Clone(frame[:12]), 0x81, 0), tci...), frame[12:]...)
	}
	for _, tt := range []struct {
		name              string
		frame             []byte
		verdict, evidence bool
		vlan              arpmon.VLAN
	}{
		{"a reply", good, true, false, arpmon.VLAN{}},
		{"a request", request, false, true, arpmon.VLAN{}},
		{"a reply with a priority", tag(good, 0xe0, 0), true, false, arpmon.VLAN{TPID: 0x8100}},
		{"a reply on a VLAN", tag(good, 0xe0, 7), false, true, arpmon.VLAN{TPID: 0x8100, ID: 7}},
		{"a reply on a VLAN of a provider", append(append(bytes.Clone(good[:12]), 0x88, 0xa8, 0, 9), good[12:]...), false, true, arpmon.VLAN{TPID: 0x88a8, ID: 9}},
		{"a short frame", good[:41], false, true, arpmon.VLAN{}},
		{"a long frame", append(bytes.Clone(good), make([]byte, 1000)...), true, false, arpmon.VLAN{}},
		{"not for us", reply(arpmon.MAC{2, 3}, 0, 5), false, false, arpmon.VLAN{}},
	} {
		if err := far.Send(tt.frame); err != nil {
			t.Fatal(err)
		}
		for _, s := range []struct {
			name string
			read func() ([]byte, arpmon.Meta, error)
			want bool
		}{{"verdict", near.Verdict, tt.verdict}, {"evidence", near.Evidence, tt.evidence}} {
			frame, m, err := s.read()
			// A kernel that is busy delivers it a little later.
			for end := time.Now().Add(10 * time.Second); s.want && errors.Is(err, unix.EAGAIN) && time.Now().Before(end); runtime.Gosched() {
				frame, m, err = s.read()
			}
			if (err == nil) != s.want || err != nil && !errors.Is(err, unix.EAGAIN) {
				t.Errorf("%s: %s: %v", tt.name, s.name, err)
				continue
			}
			if err == nil && (m.VLAN != tt.vlan || m.Outgoing || len(frame) > arpmon.FilterKeep) {
				t.Errorf("%s: %s: %+v, %d bytes", tt.name, s.name, m, len(frame))
			}
		}
		// What is sent comes back on no socket of the sender.
		for _, read := range []func() ([]byte, arpmon.Meta, error){far.Verdict, far.Evidence} {
			if frame, _, err := read(); !errors.Is(err, unix.EAGAIN) {
				t.Errorf("%s: the sender got % x, %v", tt.name, frame, err)
			}
		}
	}
}

// TestTapErrors takes the interface away in three ways and gives it back.
func TestTapErrors(t *testing.T) {
	c := newCable(t, newLab(t, nil))
	mac, target := arpmon.MAC{2, 0, 0, 0, 0, 9}, uint32(0xc0000201)
	near := c.tap(t, c.a, mac, target)
	far := c.tap(t, c.b, arpmon.MAC{2, 0, 0, 0, 0, 8}, target)
	good := reply(mac, 0, target)

	ip(t, c.ns, "link", "set", "va", "down")
	if _, _, err := near.Verdict(); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("down: %v", err)
	}
	if _, _, err := near.Verdict(); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("down, read again: %v", err)
	}
	if err := near.Send(good); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("down, sent: %v", err)
	}
	ip(t, c.ns, "link", "set", "va", "up")
	tapUntilHeard(t, "up again", far, near, good)

	if _, err := c.ns.Run(t.Context(), "tc", "qdisc", "replace", "dev", "va", "root", "pfifo", "limit", "0"); err != nil {
		t.Fatal(err)
	}
	if err := near.Send(good); !errors.Is(err, unix.ENOBUFS) {
		t.Errorf("stuck, sent: %v", err)
	}

	ip(t, c.ns, "link", "del", "va")
	if err := near.Send(good); !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ENODEV) {
		t.Errorf("gone, sent: %v", err)
	}
	if err := near.Bind(c.a, mac, 0, []uint32{target}); !errors.Is(err, unix.ENODEV) {
		t.Errorf("gone, bound: %v", err)
	}
	c.make(t)
	if err := errors.Join(near.Bind(c.a, mac, 0, []uint32{target}), far.Bind(c.b, mac, 0, nil)); err != nil {
		t.Fatal(err)
	}
	tapUntilHeard(t, "back again", far, near, good)
}

// tapUntilHeard sends a frame until it is received: the kernel begins to send on an
// interface only some time after the carrier has come.
func tapUntilHeard(t *testing.T, what string, from, to *arpmon.Tap, frame []byte) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(5 * time.Second); ; <-again.C {
		if err := from.Send(frame); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		_, _, err := to.Verdict()
		if err == nil {
			return
		}
		if !errors.Is(err, unix.EAGAIN) || time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
