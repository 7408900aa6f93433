// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// newBond builds a network with a kernel bond in active-backup mode.
func newBond(t testing.TB, options ...string) *lab.Lab {
	t.Helper()
	return newLab(t, &lab.Config{Slaves: 2, Bond: append([]string{"mode", "active-backup", "miimon", "100"}, options...)})
}

// bondFailover makes the kernel use another slave.
func bondFailover(t *testing.T, l *lab.Lab, i int) {
	t.Helper()
	if err := l.Failover(t.Context(), i); err != nil {
		t.Fatal(err)
	}
}

// TestBondMonitor judges the slaves of a kernel bond, through failovers.
func TestBondMonitor(t *testing.T) {
	l := newBond(t)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	macs := map[string]arpmon.MAC{}
	bond := arpmon.MAC(l.BondMAC())
	for _, s := range l.Slaves() {
		macs[s] = r.slave(s).Identity.MAC
		if macs[s] == bond {
			t.Errorf("%s probes from the bond's address", s)
		}
	}
	if want := (arpmon.MAC{0x02, 0xbd, 0, 0, 0, 2}); macs["e2"] != want {
		t.Errorf("e2 probes from %v, its permanent address is %v", macs["e2"], want)
	}
	if macs["e1"][0]&3 != 2 || macs["e1"] == macs["e2"] {
		t.Errorf("e1 probes from %v", macs["e1"])
	}
	for _, active := range []int{2, 1} {
		bondFailover(t, l, active)
		name, other := l.Slaves()[active-1], l.Slaves()[2-active]
		r.eventually(5*time.Second, name+" active", func() bool { return r.slave(name).Active && !r.slave(other).Active })
		r.probed(name, 4)
		r.probed(other, 4)
		for _, cutOff := range l.Slaves() {
			before, stats := r.transitions(), r.Stats()
			broken := cut(t, l, int(cutOff[1]-'0'))
			took := r.eventually(5*time.Second, cutOff+" down", r.is(cutOff, arpmon.SlaveDown))
			r.within(cutOff+" down", took, r.Config().Bound(), stats)
			undo(t, broken)
			r.allUp("e1", "e2")
			after := r.transitions()
			before[cutOff] += 2
			if d := cmp.Diff(before, after); d != "" {
				t.Errorf("transitions: %s", d)
			}
		}
	}
	for s, m := range macs {
		if got := r.slave(s).Identity.MAC; got != m {
			t.Errorf("%s probes from %v, before %v", s, got, m)
		}
	}
	if err := r.SetActive("e1"); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("SetActive: %v", err)
	}
	if r.Stats().KernelMonitor {
		t.Error("there is a kernel monitor")
	}
	cfg := monitorConfig(l)
	cfg.Active = "e1"
	if _, err := arpmon.NewMonitor(cfg); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("Active: %v", err)
	}
}

// TestBondRelease releases a slave from its bond and takes it back, which gives
// it other addresses.
func TestBondRelease(t *testing.T) {
	l := newBond(t)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	perm := arpmon.MAC{0x02, 0xbd, 0, 0, 0, 2}
	if got := r.slave("e2").Identity.MAC; got != perm {
		t.Fatalf("e2 probes from %v", got)
	}
	ip(t, l.Host(), "link", "set", "e2", "nomaster")
	ip(t, l.Host(), "link", "set", "e2", "arp", "off", "up")
	// Now the permanent address is that of the interface itself.
	r.eventually(5*time.Second, "another address", func() bool { return r.slave("e2").Identity.MAC != perm })
	r.allUp("e1", "e2")
	ip(t, l.Host(), "link", "set", "e2", "down")
	ip(t, l.Host(), "link", "set", "e2", "master", "bond0")
	r.allUp("e1", "e2")
}

// TestBondDevice probes from the slaves' own addresses, which differ with
// fail_over_mac=active.
func TestBondDevice(t *testing.T) {
	l := newBond(t, "fail_over_mac", "active")
	cfg := monitorConfig(l)
	cfg.Identity = arpmon.IdentityDevice
	r := start(t, cfg)
	r.allUp("e1", "e2")
	for i, s := range l.Slaves() {
		if got, want := r.slave(s).Identity.MAC, (arpmon.MAC{0x02, 0xbd, 0, 0, 0, byte(i + 1)}); got != want {
			t.Errorf("%s probes from %v, want %v", s, got, want)
		}
	}
	before := r.transitions()
	for _, active := range []int{2, 1} {
		bondFailover(t, l, active)
		r.eventually(5*time.Second, "active", func() bool { return r.slave(l.Slaves()[active-1]).Active })
		r.probed("e1", 4)
		r.probed("e2", 4)
	}
	if err := errors.Join(r.Err("e1"), r.Err("e2")); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(before, r.transitions()); d != "" {
		t.Errorf("transitions: %s", d)
	}
}

// TestBondDeviceUnsafe has the kernel make a slave the backup that probes from the
// bond's address: it stops at once, and goes on when it is active again.
func TestBondDeviceUnsafe(t *testing.T) {
	l := newBond(t)
	cfg := monitorConfig(l)
	cfg.Identity = arpmon.IdentityDevice
	if _, err := arpmon.NewMonitor(cfg); !errors.Is(err, arpmon.ErrUnsafeIdentity) {
		t.Fatalf("both slaves: %v", err)
	}
	cfg.Slaves = []string{"e1"}
	cfg.Sender = l.Addr("host")
	book, log := newLogBook()
	cfg.Logger = log
	r := start(t, cfg)
	r.allUp("e1")
	bondFailover(t, l, 2)
	r.eventually(5*time.Second, "stopped", func() bool { return errors.Is(r.Err("e1"), arpmon.ErrUnsafeIdentity) })
	r.eventually(5*time.Second, "without a link", r.is("e1", arpmon.SlaveNoLink))
	sent := r.slave("e1").Sent
	if seenProbe(t, l, "p1", cfg.Sender) || r.slave("e1").Sent != sent {
		t.Error("it still probes")
	}
	bondFailover(t, l, 1)
	r.allUp("e1")
	if err := r.Err("e1"); err != nil {
		t.Error(err)
	}
	r.stop()
	if n := strings.Count(book.String(), `level=ERROR msg="not probing" slave=e1`); n != 1 {
		t.Errorf("%d times in the log:\n%s", n, book)
	}
}

// TestBondSwap has the bond swap the addresses of its slaves at a failover
// (fail_over_mac=follow), and the probes with them.
func TestBondSwap(t *testing.T) {
	l := newBond(t, "fail_over_mac", "follow")
	cfg := monitorConfig(l)
	cfg.Identity = arpmon.IdentityDevice
	r := start(t, cfg)
	r.allUp("e1", "e2")
	e1, e2 := r.slave("e1").Identity.MAC, r.slave("e2").Identity.MAC
	bondFailover(t, l, 2)
	r.eventually(5*time.Second, "swapped", func() bool {
		return r.slave("e1").Identity.MAC == e2 && r.slave("e2").Identity.MAC == e1
	})
	r.probed("e1", 4)
	r.probed("e2", 4)
	r.allUp("e1", "e2")
}

// TestBondKernelMonitor warns where the bond has a monitor of its own.
func TestBondKernelMonitor(t *testing.T) {
	l := newBond(t)
	cfg := monitorConfig(l)
	book, log := newLogBook()
	cfg.Logger = log
	r := start(t, cfg)
	r.allUp("e1", "e2")
	ip(t, l.Host(), "link", "set", "bond0", "type", "bond", "miimon", "0", "arp_interval", "1000", "arp_ip_target", l.Addr("A").String())
	warned := func() bool {
		return strings.Contains(book.String(), `level=WARN msg="the bond has arp_interval set`)
	}
	r.eventually(5*time.Second, "noticed", func() bool { return r.Stats().KernelMonitor && warned() })
	ip(t, l.Host(), "link", "set", "bond0", "type", "bond", "arp_interval", "0", "miimon", "100")
	r.eventually(5*time.Second, "noticed", func() bool { return !r.Stats().KernelMonitor })
	r.stop()
	if n := strings.Count(book.String(), `level=WARN msg="the bond has arp_interval set`); n != 1 {
		t.Errorf("%d times in the log:\n%s", n, book)
	}
}

// TestBondBridgePort makes the bond a port of a bridge, which takes every frame
// before packet sockets for ARP get it.
func TestBondBridgePort(t *testing.T) {
	l := newBond(t)
	host := l.Host()
	ip(t, host, "link", "add", "br0", "up", "type", "bridge")
	ip(t, host, "link", "set", "bond0", "master", "br0")
	ip(t, host, "addr", "flush", "dev", "bond0")
	ip(t, host, "addr", "add", l.Addr("host").String()+"/24", "dev", "br0")
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	broken := cut(t, l, 1)
	r.eventually(5*time.Second, "e1 down", r.is("e1", arpmon.SlaveDown))
	undo(t, broken)
	r.allUp("e1", "e2")
}

// TestBondVLAN has a VLAN above the bond, in which the kernel takes the tag off a
// frame before packet sockets for ARP get it.
func TestBondVLAN(t *testing.T) {
	l := newBond(t)
	ip(t, l.Host(), "link", "add", "link", "bond0", "name", "bond0.7", "up", "type", "vlan", "id", "7")
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	stats := r.Stats()
	cut(t, l, 1)
	mac := r.slave("e1").Identity.MAC
	f, err := l.Forge(t.Context(), &lab.ForgeConfig{Kinds: lab.ForgeVLAN, Probes: probesOf(mac)})
	fault(t, f, err)
	took := r.eventually(5*time.Second, "e1 down", r.is("e1", arpmon.SlaveDown))
	r.within("e1 down", took, r.Config().Bound(), stats)
	r.eventually(5*time.Second, "counted", func() bool { return r.slave("e1").Frames[arpmon.RejectVLAN] > 5 })
}
