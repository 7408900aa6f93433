// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/alloctest"
	"github.com/bondkit/bondkit/internal/lab"
)

// labTargets gives target A more addresses and returns n targets.
func labTargets(t testing.TB, l *lab.Lab, n int) []arpmon.Target {
	t.Helper()
	targets := []arpmon.Target{arpmon.IPv4(l.Addr("A")), arpmon.IPv4(l.Addr("B"))}
	a := l.Addr("A").As4()
	for i := len(targets); i < n; i++ {
		a[3] = byte(200 + i)
		addr := netip.AddrFrom4(a)
		ip(t, l.Target("A"), "addr", "add", addr.String()+"/24", "dev", lab.HostDevice)
		targets = append(targets, arpmon.IPv4(addr))
	}
	return targets[:n]
}

// TestMonitorAllocations counts the allocations of the whole process while 10000
// probes leave and are answered: there are none.
func TestMonitorAllocations(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	cfg.Targets = labTargets(t, l, 16)
	cfg.Interval = 10 * time.Millisecond
	cfg.MaxPPS = 4000
	r := start(t, cfg)
	r.allUp("e1", "e2")
	var snap arpmon.Snapshot
	r.Snapshot(&snap)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	sent := func() (n uint64) {
		r.Snapshot(&snap)
		for i := range snap.Slaves {
			n += snap.Slaves[i].Sent
		}
		return n
	}
	alloctest.Zero(t, 1, func() {
		for until := sent() + 10_000; sent() < until; {
			<-tick.C
		}
	})
	// At this interval a pause of the machine is a miss of every target.
	for _, name := range l.Slaves() {
		r.eventually(10*time.Second, name+" up", r.is(name, arpmon.SlaveUp))
	}
	t.Logf("%d probes, %+v", sent(), r.Stats())
}

// TestMonitorReadersAllocations counts the allocations of what readers call.
func TestMonitorReadersAllocations(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	r := start(t, cfg)
	r.allUp("e1", "e2")
	var snap arpmon.Snapshot
	r.Snapshot(&snap)
	events := make([]arpmon.Event, 256)
	id := r.ID("e1")
	alloctest.Zero(t, 10_000, func() {
		if !r.Reachable("e1") || r.Group() != arpmon.GroupOK || r.Now() == 0 || r.Name(id) == "" {
			t.Error("something is wrong")
		}
		r.Snapshot(&snap)
		r.EventsSince(0, events)
	})
}

// BenchmarkSendReceive sends a frame through the Monitor's socket on one end of a
// cable, and receives one through the filter of that on the other: the two
// system calls of a probe and its reply, with the kernel's way between them.
func BenchmarkSendReceive(b *testing.B) {
	c := newCable(b, newLab(b, nil))
	mac, target := arpmon.MAC{2, 0, 0, 0, 0, 9}, uint32(0xc0000201)
	near, far := c.tap(b, c.a, mac, target), c.tap(b, c.b, arpmon.MAC{2, 0, 0, 0, 0, 8}, target)
	frame := reply(mac, 0, target)
	b.ReportAllocs()
	for b.Loop() {
		if err := far.Send(frame); err != nil {
			b.Fatal(err)
		}
		if _, _, err := near.Verdict(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReceiveNothing asks an empty socket.
func BenchmarkReceiveNothing(b *testing.B) {
	c := newCable(b, newLab(b, nil))
	near := c.tap(b, c.a, arpmon.MAC{2, 0, 0, 0, 0, 9}, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := near.Verdict(); err == nil {
			b.Fatal("there is a frame")
		}
	}
}

// BenchmarkTurn is a turn of the loop in which there is nothing to do, by the
// number of slaves.
func BenchmarkTurn(b *testing.B) {
	for _, slaves := range []int{1, 2} {
		b.Run(strconv.Itoa(slaves), func(b *testing.B) {
			l := newLab(b, nil)
			cfg := monitorConfig(l)
			cfg.Slaves = cfg.Slaves[:slaves]
			cfg.Interval = time.Minute
			m, err := arpmon.NewMonitor(cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			for range 100 {
				m.Turn()
			}
			b.ReportAllocs()
			for b.Loop() {
				m.Turn()
			}
		})
	}
}

// BenchmarkReachable is what a reader pays to ask for one slave.
func BenchmarkReachable(b *testing.B) {
	l := newLab(b, nil)
	r := start(b, monitorConfig(l))
	r.allUp("e1", "e2")
	b.ReportAllocs()
	for b.Loop() {
		if !r.Reachable("e2") {
			b.Fatal("e2 is not reachable")
		}
	}
}
