// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
	"github.com/bondkit/bondkit/internal/rtnl"
)

// count counts the ARP frames on the port of a switch that a function wants.
func count(t *testing.T, l *lab.Lab, port string, wanted func(lab.ARP) bool) *atomic.Int64 {
	t.Helper()
	tap, err := l.Fabric().Tap(port)
	if err != nil {
		t.Fatal(err)
	}
	n := new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			f, err := tap.Read(time.Time{})
			if err != nil {
				return
			}
			if a, ok := f.ARP(); ok && wanted(a) {
				n.Add(1)
			}
		}
	}()
	t.Cleanup(func() {
		_ = tap.Close()
		<-done
	})
	return n
}

// TestMonitorTakenBeforeRun gives the address of the probes to another interface
// between NewMonitor and Run: not one probe may be from it.
func TestMonitorTakenBeforeRun(t *testing.T) {
	l := newLab(t, nil)
	for range 3 {
		m, err := arpmon.NewMonitor(monitorConfig(l))
		if err != nil {
			t.Fatal(err)
		}
		r := &runner{Monitor: m, t: t}
		old := r.slave("e2").Identity.MAC
		stale := count(t, l, "p2", func(a lab.ARP) bool { return a.Src == lab.MAC(old) || a.SHA == lab.MAC(old) })
		fresh := count(t, l, "p2", func(a lab.ARP) bool { return a.Src != lab.MAC(old) })
		ip(t, l.Host(), "link", "add", "x", "address", old.String(), "type", "veth", "peer", "name", "y")
		r = run(t, m)
		r.allUp("e1", "e2")
		r.stop()
		waitFor(t, "probes seen", func() bool { return fresh.Load() >= 2 })
		if n := stale.Load(); n != 0 {
			t.Errorf("%d probes from %v, which is that of another interface", n, old)
		}
		ip(t, l.Host(), "link", "del", "x")
	}
}

// TestMonitorSenderTakenBeforeRun gives the sender address to the host between
// NewMonitor and Run: nothing may leave.
func TestMonitorSenderTakenBeforeRun(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	cfg.Sender = l.Addr("host").Next()
	m, err := arpmon.NewMonitor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sent := count(t, l, "p2", func(a lab.ARP) bool { return a.SPA == cfg.Sender })
	ip(t, l.Host(), "addr", "add", cfg.Sender.String()+"/32", "dev", "lo")
	r := run(t, m)
	r.eventually(5*time.Second, "refused", func() bool { return r.Err("e1") != nil && r.Err("e2") != nil })
	if n := sent.Load(); n != 0 {
		t.Errorf("%d probes from %v, which is the host's own address", n, cfg.Sender)
	}
	if n := r.slave("e1").Sent + r.slave("e2").Sent; n != 0 {
		t.Errorf("%d probes", n)
	}
	ip(t, l.Host(), "addr", "del", cfg.Sender.String()+"/32", "dev", "lo")
	r.allUp("e1", "e2")
}

// TestMonitorSwap swaps the addresses of two slaves, as a bond with
// fail_over_mac=follow does, in either order of the events: whoever carries the
// traffic probes from its own address meanwhile.
func TestMonitorSwap(t *testing.T) {
	l := newLab(t, nil)
	a, b := arpmon.MAC(l.BondMAC()), arpmon.MAC{2, 0xbd, 9, 9, 9, 9}
	ip(t, l.Host(), "link", "set", "e2", "address", b.String())
	index := map[string]int{}
	err := l.Host().Do(func() error {
		for _, name := range l.Slaves() {
			d, err := net.InterfaceByName(name)
			if err != nil {
				return err
			}
			index[name] = d.Index
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]string{{"e1", "e2"}, {"e2", "e1"}} {
		cfg := monitorConfig(l)
		cfg.Identity = arpmon.IdentityDevice
		m, err := arpmon.NewMonitor(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := &runner{Monitor: m, t: t}
		want := map[string]arpmon.MAC{"e1": b, "e2": a}
		is := map[string]arpmon.MAC{"e1": a, "e2": b}
		for _, name := range order {
			m.Pretend(rtnl.Event{Kind: rtnl.EventChanged, Link: link(index[name], name, want[name])})
			m.Turn()
			is[name] = want[name]
			if err, got := m.Err("e1"), r.slave("e1").Identity.MAC; err != nil || got != is["e1"] {
				t.Errorf("order %v, after %s: e1 probes from %v, want %v; Err: %v", order, name, got, is["e1"], err)
			}
			if err := m.Err("e2"); name == order[0] && !errors.Is(err, arpmon.ErrUnsafeIdentity) {
				t.Errorf("order %v, after %s: Err of e2: %v", order, name, err)
			}
		}
		if err, got := m.Err("e2"), r.slave("e2").Identity.MAC; err != nil || got != a {
			t.Errorf("order %v: e2 probes from %v, want %v; Err: %v", order, got, a, err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestMonitorSetTargetsRefused has the kernel refuse a filter: the targets stay as
// they were, and so do the filters of the other sockets.
func TestMonitorSetTargetsRefused(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	old, other := cfg.Targets[0], cfg.Targets[1]
	cfg.Targets = []arpmon.Target{old}
	m, err := arpmon.NewMonitor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.LockFilter("e2"); err != nil {
		t.Fatal(err)
	}
	r := run(t, m)
	r.allUp("e1", "e2")
	if err := r.SetTargets([]arpmon.Target{other}); err == nil {
		t.Error("no error")
	}
	if got := r.Config().Targets; len(got) != 1 || got[0] != old {
		t.Errorf("targets %v, want %v", got, old)
	}
	r.probed("e1", 2)
	r.probed("e2", 2)
}
