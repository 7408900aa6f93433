// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// TestMonitorOneWay breaks one direction of a slave's path at a time.
func TestMonitorOneWay(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	for _, tt := range []struct {
		name, slave string
		set         func() (*lab.Fault, error)
	}{
		{"transmit", "e1", func() (*lab.Fault, error) { return l.DropTX(t.Context(), "e1") }},
		{"receive", "e2", func() (*lab.Fault, error) { return l.DropRX(t.Context(), "e2") }},
		{"deaf to the targets", "e2", func() (*lab.Fault, error) { return l.DropTowards(t.Context(), "e2", "A", "B") }},
	} {
		before, stats := r.transitions(), r.Stats()
		f, err := tt.set()
		fault(t, f, err)
		took := r.eventually(5*time.Second, tt.slave+" down", r.is(tt.slave, arpmon.SlaveDown))
		r.within(tt.name, took, r.Config().Bound(), stats)
		undo(t, f)
		r.allUp("e1", "e2")
		after := r.transitions()
		before[tt.slave] += 2
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("%s: transitions: %s", tt.name, d)
		}
	}
}

// TestMonitorNoTransmit fills a queue for good, as a NIC does that sends nothing any
// more and keeps its carrier.
func TestMonitorNoTransmit(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	stats := r.Stats()
	f, err := l.StuckTransmit(t.Context(), "e1")
	fault(t, f, err)
	took := r.eventually(5*time.Second, "e1 down", r.is("e1", arpmon.SlaveDown))
	r.within("stuck transmit", took, r.Config().Bound(), stats)
	if _, reason := r.State("e1"); reason != arpmon.ReasonNoTransmit {
		t.Errorf("reason %v", reason)
	}
	if s := r.slave("e1"); !errors.Is(s.LastErr, unix.ENOBUFS) || s.NotSent == 0 {
		t.Errorf("last error %v, %d not sent", s.LastErr, s.NotSent)
	}
	undo(t, f)
	r.allUp("e1", "e2")
}

// TestMonitorForged sends every kind of forged reply there is while a slave is cut
// off: none keeps it up, and each is counted under its own reason.
func TestMonitorForged(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	mac := r.slave("e1").Identity.MAC
	stats := r.Stats()
	cut(t, l, 1)
	f, err := l.Forge(t.Context(), &lab.ForgeConfig{Probes: probesOf(mac)})
	fault(t, f, err)
	took := r.eventually(5*time.Second, "e1 down", r.is("e1", arpmon.SlaveDown))
	r.within("e1 down", took, r.Config().Bound(), stats)
	wanted := []arpmon.Verdict{
		arpmon.RejectShort, arpmon.RejectVLAN, arpmon.RejectHardwareType, arpmon.RejectProtocolType, arpmon.RejectLengths, arpmon.RejectOpcode,
		arpmon.RejectDestination, arpmon.RejectSender, arpmon.RejectTargetMAC, arpmon.RejectTargetAddr, arpmon.RejectSenderMAC,
	}
	r.eventually(5*time.Second, "counted", func() bool {
		frames := r.slave("e1").Frames
		for _, v := range wanted {
			if frames[v] == 0 {
				return false
			}
		}
		return true
	})
	if st := r.slave("e1").State; st != arpmon.SlaveDown {
		t.Errorf("e1 is %v", st)
	}
}

// probesOf says from which address probes are to be answered.
func probesOf(mac arpmon.MAC) func() []net.HardwareAddr {
	return func() []net.HardwareAddr { return []net.HardwareAddr{net.HardwareAddr(mac[:])} }
}

// flood sends frames to a port of the fabric as fast as it can until the test or the
// returned function ends it.
func flood(t *testing.T, l *lab.Lab, port string, frames [][]byte) (stop func() (sent int)) {
	t.Helper()
	fd := -1
	err := l.Fabric().Do(func() error {
		dev, err := net.InterfaceByName(port)
		if err != nil {
			return err
		}
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: dev.Index})
	})
	if err != nil {
		t.Fatal(err)
	}
	end, sent := make(chan struct{}), make(chan int)
	go func() {
		defer unix.Close(fd)
		n := 0
		for {
			select {
			case <-end:
				sent <- n
				return
			default:
			}
			for _, f := range frames {
				if _, err := unix.Write(fd, f); err == nil {
					n++
				}
			}
		}
	}()
	total := -1
	stop = func() int {
		if total < 0 {
			close(end)
			total = <-sent
		}
		return total
	}
	t.Cleanup(func() { stop() })
	return stop
}

// TestMonitorFlood floods a slave with frames to the address of its probes that are
// all wrong in one field: no answer is lost among them.
func TestMonitorFlood(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	mac := r.slave("e1").Identity.MAC
	a := l.Addr("A").As4()
	good := reply(mac, 0, binary.BigEndian.Uint32(a[:]))
	var frames [][]byte
	for _, offset := range []int{5, 15, 17, 18, 21, 31, 37, 41} {
		f := append([]byte(nil), good...)
		f[offset] ^= 0x10
		frames = append(frames, f)
	}
	tagged := append(append([]byte(nil), good[:12]...), 0x81, 0, 0, 7)
	frames = append(frames, append(tagged, good[12:]...))

	before, stats, quiet := r.transitions(), r.Stats(), r.slave("e1").Pairs
	stop := flood(t, l, "p1", frames)
	r.probed("e2", 20)
	r.eventually(20*time.Second, "answered", func() bool { return r.slave("e1").Pairs[0].Replied >= quiet[0].Replied+10 })
	n := stop()
	after := r.Stats()
	t.Logf("%d frames, %+v", n, after)
	if d := cmp.Diff(before, r.transitions()); d != "" {
		t.Errorf("transitions: %s\n%s", d, r.describe())
	}
	if after.VerdictDrops != stats.VerdictDrops {
		t.Errorf("%d possible answers were dropped", after.VerdictDrops-stats.VerdictDrops)
	}
	if n > 10000 && after.EvidenceDrops == 0 {
		t.Errorf("all of %d forged frames were looked at", n)
	}
	// An answer may come late where the guest is slow, but not many do.
	for i, p := range r.slave("e1").Pairs {
		missed, sent := p.Missed-quiet[i].Missed, p.Sent-quiet[i].Sent
		if 4*missed > sent && after.Engine.Stalls == stats.Engine.Stalls {
			t.Errorf("%s: %d probes missed of %d", p.Target, missed, sent)
		}
	}
	frozen := r.slave("e1").Frames
	for _, v := range []arpmon.Verdict{arpmon.RejectVLAN, arpmon.RejectOpcode, arpmon.RejectSender, arpmon.RejectTargetMAC} {
		if frozen[v] == 0 {
			t.Errorf("no frame counted as %v", v)
		}
	}
}

// TestMonitorPerfectForgery floods a slave with replies in which nothing is wrong
// but that nobody asked. They fill the socket of the answers itself.
func TestMonitorPerfectForgery(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	mac := r.slave("e1").Identity.MAC
	a := l.Addr("A").As4()
	stop := flood(t, l, "p1", [][]byte{reply(mac, 0, binary.BigEndian.Uint32(a[:]))})
	before := r.transitions()
	// The loop still sends, and judges the other slave.
	broken := cut(t, l, 2)
	stats := r.Stats()
	took := r.eventually(10*time.Second, "e2 down", r.is("e2", arpmon.SlaveDown))
	r.within("e2 down", took, r.Config().Bound()+r.Config().Interval, stats)
	undo(t, broken)
	r.eventually(10*time.Second, "e2 up", r.is("e2", arpmon.SlaveUp))
	t.Logf("%d frames, %+v", stop(), r.Stats())
	if after := r.transitions(); after["e1"] != before["e1"] {
		t.Errorf("transitions %v, before %v", after, before)
	}
}

// TestMonitorTwice runs two Monitors over the same slaves, which probe from the same
// addresses.
func TestMonitorTwice(t *testing.T) {
	l := newLab(t, nil)
	one, two := start(t, monitorConfig(l)), start(t, monitorConfig(l))
	both := []*runner{one, two}
	for _, r := range both {
		r.allUp("e1", "e2")
	}
	for _, r := range both {
		r.probed("e1", 20)
	}
	broken := cut(t, l, 1)
	for _, r := range both {
		r.eventually(5*time.Second, "e1 down", r.is("e1", arpmon.SlaveDown))
	}
	undo(t, broken)
	for _, r := range both {
		r.allUp("e1", "e2")
		if d := cmp.Diff(map[string]uint32{"e1": 3, "e2": 1}, r.transitions()); d != "" {
			t.Errorf("transitions: %s", d)
		}
	}
}

// TestMonitorSideEffects looks at what the network has learned: nothing about the
// host that was not so before.
func TestMonitorSideEffects(t *testing.T) {
	l := newLab(t, nil)
	traffic, err := l.StartTraffic(t.Context(), "A", 20)
	if err != nil {
		t.Fatal(err)
	}
	type tables struct {
		Ports      map[string]string
		Neighbours map[string]lab.MAC
	}
	bond := lab.MAC(l.BondMAC())
	read := func() tables {
		t.Helper()
		got := tables{map[string]string{}, map[string]lab.MAC{}}
		for _, sw := range []string{l.Switch(1), l.Switch(2), l.Core()} {
			fdb, err := l.FDB(t.Context(), sw)
			if err != nil {
				t.Fatal(err)
			}
			got.Ports[sw] = fdb[bond]
		}
		for _, target := range l.Targets() {
			n, err := l.Neighbours(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			got.Neighbours[target] = n[l.Addr("host")].MAC
			if m, ok := n[netip.IPv4Unspecified()]; ok {
				t.Errorf("%s has a neighbour 0.0.0.0: %+v", target, m)
			}
		}
		return got
	}
	waitFor(t, "the host known to A", func() bool { return read().Neighbours["A"] == bond })
	before := read()
	if before.Ports[l.Core()] == "" || before.Ports[l.Switch(1)] == "" {
		t.Fatalf("the host is not known: %+v", before)
	}
	cfg := monitorConfig(l)
	cfg.Interval = 20 * time.Millisecond
	cfg.MaxPPS = 1000
	r := start(t, cfg)
	r.allUp("e1", "e2")
	r.probed("e2", 100)
	if d := cmp.Diff(before, read()); d != "" {
		t.Errorf("probing changed: %s", d)
	}
	if err := l.Failover(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := r.SetActive("e2"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the host known to A", func() bool { return read().Neighbours["A"] == bond })
	waitFor(t, "the host on sw2", func() bool { p := read().Ports; return p[l.Core()] != before.Ports[l.Core()] })
	if r.slave("e1").Active || !r.slave("e2").Active {
		t.Error("the active slave is still e1")
	}
	after := read()
	r.probed("e1", 100)
	if d := cmp.Diff(after, read()); d != "" {
		t.Errorf("probing changed: %s", d)
	}
	result := traffic.Stop()
	if len(result.Lost) > 3 || result.Sent == 0 {
		t.Errorf("%d requests, lost %v", result.Sent, result.Lost)
	}
}

// TestMonitorConflict gives a target's address to a second host, whose answers
// are counted and told.
func TestMonitorConflict(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	f, err := l.SecondOwner(t.Context(), "A", 1)
	fault(t, f, err)
	// Broadcasts are rare once the target's address is known; a miss brings one.
	tell := func() bool {
		events := make([]arpmon.Event, 256)
		n, _, _ := r.EventsSince(0, events)
		for _, e := range events[:n] {
			if e.Kind == arpmon.EventConflict || e.Kind == arpmon.EventMACChanged {
				return true
			}
		}
		return false
	}
	if err := r.SetTargets([]arpmon.Target{arpmon.IPv4(l.Addr("B"))}); err != nil {
		t.Fatal(err)
	}
	if err := r.SetTargets([]arpmon.Target{arpmon.IPv4(l.Addr("B")), arpmon.IPv4(l.Addr("A"))}); err != nil {
		t.Fatal(err)
	}
	r.eventually(5*time.Second, "told", tell)
}
