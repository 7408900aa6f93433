// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest_test

import (
	"errors"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

func newRig(t *testing.T, cfg arpmon.Config) *arpmontest.Rig {
	t.Helper()
	r, err := arpmontest.NewRig(1, 2, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func status(r *arpmontest.Rig, s *arpmontest.Slave) *arpmon.SlaveStatus {
	var snap arpmon.Snapshot
	r.Mon.Engine().Snapshot(&snap)
	return snap.Slave(s.ID())
}

func TestMonitorSameSeedSameEvents(t *testing.T) {
	play := func(seed uint64) ([]arpmon.Event, uint64) {
		r, err := arpmontest.NewRig(seed, 3, arpmon.Config{Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		r.Mon.Jitter = 20 * time.Millisecond
		r.Uplinks[0].Each(func(w *arpmontest.Wire) { w.Loss, w.Jitter = 0.4, time.Second })
		r.Run(time.Minute)
		return r.Mon.Events(), r.Frames()
	}
	a, n := play(1)
	b, m := play(1)
	if diff := cmp.Diff(a, b, cmpopts.EquateComparable(netip.Addr{})); diff != "" || n != m {
		t.Errorf("two runs with one seed differ, %d and %d frames:\n%s", n, m, diff)
	}
	if c, _ := play(2); cmp.Equal(a, c, cmpopts.EquateComparable(netip.Addr{})) {
		t.Error("two seeds gave the same events")
	}
	for i, ev := range a {
		if ev.Seq != uint64(i+1) {
			t.Fatalf("event %d has the number %d", i, ev.Seq)
		}
	}
}

func TestMonitorWakes(t *testing.T) {
	r := newRig(t, arpmon.Config{})
	asked := int64(0)
	early := 0
	r.Mon.After = func(next int64) { asked = next }
	late := time.Duration(0)
	r.Mon.Before = func() {
		if r.Now() < asked {
			early++
		}
		late = max(late, time.Duration(r.Now()-asked))
	}
	r.Run(10 * time.Second)
	if late != 0 || early == 0 {
		t.Errorf("late by %v, woken by frames %d times; want never and some", late, early)
	}
	r.Mon.Jitter = 50 * time.Millisecond
	r.Run(10 * time.Second)
	if late < 25*time.Millisecond || late > 50*time.Millisecond || r.Mon.Engine().Stats().Stalls != 0 {
		t.Errorf("late by %v, %d stalls", late, r.Mon.Engine().Stats().Stalls)
	}
	r.Mon.Jitter = 0
	r.Mon.Stall(3 * time.Second)
	before := r.Mon.Engine().Stats().Polls
	r.Run(2999 * time.Millisecond)
	if polls := r.Mon.Engine().Stats().Polls; polls != before {
		t.Errorf("polled %d times while stopped", polls-before)
	}
	r.Run(2 * time.Millisecond)
	if st := r.Mon.Engine().Stats(); st.Stalls != 1 || st.Polls == before {
		t.Errorf("after the stop: %+v", st)
	}
	if r.Mon.Spins != 0 {
		t.Errorf("%d spins", r.Mon.Spins)
	}
}

// The engine is told of a stop's frames before it is asked to judge.
func TestMonitorDrainsFirst(t *testing.T) {
	r := newRig(t, arpmon.Config{DownAfter: 1})
	r.Run(3 * time.Second)
	sent := false
	r.Mon.OnProbe = func(s *arpmontest.Slave, p *arpmon.Probe) {
		if !sent {
			sent = true
			r.Mon.Stall(2 * time.Second)
		}
	}
	r.Run(5 * time.Second)
	for _, s := range r.Slaves {
		if n := status(r, s).Transitions; n != 1 {
			t.Errorf("%s changed %d times", s.Name(), n)
		}
	}
}

func TestMonitorSockets(t *testing.T) {
	r := newRig(t, arpmon.Config{})
	e1 := r.Slaves[0]
	forger := r.AddHost("forger", netip.MustParseAddr("192.0.2.77"))
	r.Connect(forger, r.Switches[0])
	r.Run(3 * time.Second)
	reply := arpmontest.ARP{
		Dst: e1.Identity().MAC, Src: forger.MAC, Op: arpmontest.Reply, SHA: forger.MAC,
		SPA: r.Targets[0].Addr, THA: e1.Identity().MAC, TPA: netip.IPv4Unspecified(),
	}
	type seen struct {
		Evidence bool
		Verdict  arpmon.Verdict
	}
	var got []seen
	r.Mon.OnFrame = func(_ *arpmontest.Slave, _ []byte, _ arpmon.Meta, evidence bool, v arpmon.Verdict) {
		got = append(got, seen{evidence, v})
	}
	for name, tt := range map[string]struct {
		change func(a *arpmontest.ARP)
		want   []seen
	}{
		"second answer":         {func(*arpmontest.ARP) {}, []seen{{false, arpmon.RejectConflict}}},
		"broadcast":             {func(a *arpmontest.ARP) { a.Dst = arpmontest.Broadcast }, []seen{{false, arpmon.RejectConflict}}},
		"for somebody":          {func(a *arpmontest.ARP) { a.Dst, a.THA = arpmontest.Broadcast, forger.MAC }, []seen{{true, arpmon.RejectDestination}}},
		"from somebody":         {func(a *arpmontest.ARP) { a.Dst, a.THA, a.SPA = arpmontest.Broadcast, forger.MAC, forger.Addr }, nil},
		"to somebody":           {func(a *arpmontest.ARP) { a.Dst = arpmon.MAC{2, 2, 2} }, nil},
		"with a tag":            {func(a *arpmontest.ARP) { a.VLAN.ID = 7 }, []seen{{false, arpmon.RejectVLAN}}},
		"request of the target": {func(a *arpmontest.ARP) { a.Dst, a.THA, a.Op = arpmontest.Broadcast, arpmon.MAC{}, 1 }, []seen{{true, arpmon.RejectOpcode}}},
	} {
		t.Run(name, func(t *testing.T) {
			// Right after an answer.
			answered := status(r, e1).Pairs[0].Replied
			r.RunWhile(time.Second, func() bool { return status(r, e1).Pairs[0].Replied == answered })
			got = nil
			a := reply
			tt.change(&a)
			frame := a.Frame()
			forger.Send(frame)
			r.Run(100 * time.Microsecond)
			// e2 may hear it too, and says the same.
			if len(got) > len(tt.want) {
				got = got[:len(tt.want)]
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}

	// A flood of evidence hides no answer.
	e1.Buffer = 16
	for range 2000 {
		forger.Send(arpmontest.ARP{Dst: arpmontest.Broadcast, Src: forger.MAC, Op: arpmontest.Request, SHA: forger.MAC, SPA: r.Targets[0].Addr, TPA: forger.Addr}.Frame())
	}
	r.Mon.Stall(50 * time.Millisecond)
	r.Run(time.Second)
	if e1.Drops == 0 || status(r, e1).Transitions != 1 || status(r, e1).Frames[arpmon.RejectOpcode] < 16 {
		t.Errorf("%d drops, %+v", e1.Drops, status(r, e1))
	}
}

func TestMonitorSendErrors(t *testing.T) {
	r := newRig(t, arpmon.Config{})
	r.Run(2 * time.Second)
	full := errors.New("full")
	e1 := r.Slaves[0]
	n := 0
	e1.TXFail = func() error {
		if n++; n%3 == 0 {
			return full
		}
		return nil
	}
	r.Run(10 * time.Second)
	st := status(r, e1)
	if !errors.Is(st.LastErr, full) || st.NotSent == 0 || st.State != arpmon.SlaveUp {
		t.Errorf("%+v", st)
	}
	e1.TXFail = nil
	e1.TXError = full
	r.Run(arpmon.Config{}.Bound())
	if st, why := e1.State(); st != arpmon.SlaveDown || why != arpmon.ReasonNoTransmit {
		t.Errorf("%v (%v)", st, why)
	}
}

func TestMonitorLinks(t *testing.T) {
	r := newRig(t, arpmon.Config{NoCanary: true})
	r.Run(2 * time.Second)
	e1 := r.Slaves[0]
	want := func(what string, l arpmon.Link, st arpmon.SlaveState) {
		t.Helper()
		r.Run(time.Second)
		got, _ := e1.State()
		if e1.LinkState() != l || status(r, e1).Link != l || got != st {
			t.Errorf("%s: link %v, the engine says %v, %v; want %v, %v", what, e1.LinkState(), status(r, e1).Link, got, l, st)
		}
	}
	e1.Link().SetCarrier(false)
	want("cable pulled", arpmon.LinkNoCarrier, arpmon.SlaveNoLink)
	e1.SetUp(false)
	want("set down", arpmon.LinkDown, arpmon.SlaveNoLink)
	e1.Link().SetCarrier(true)
	want("cable plugged", arpmon.LinkDown, arpmon.SlaveNoLink)
	e1.SetUp(true)
	want("set up", arpmon.LinkUp, arpmon.SlaveUp)
	e1.Remove()
	e1.Remove()
	r.Run(time.Second)
	if status(r, e1) != nil || len(r.Mon.Slaves()) != 1 || r.Mon.Slave("e1") != nil || r.Node("e1") != nil {
		t.Error("the slave is still there")
	}
	if r.Mon.SlaveName(e1.ID()) != "e1" {
		t.Error("its name is needed for old events")
	}
	if _, err := r.Mon.AddSlave("e1", r.Switches[0], arpmon.SlaveConfig{}); err != nil {
		t.Fatal(err)
	}
	r.Run(time.Second)
	if st, _ := r.Mon.Slave("e1").State(); st != arpmon.SlaveUp {
		t.Errorf("the new one is %v", st)
	}
}

func TestMonitorBond(t *testing.T) {
	r := newRig(t, arpmon.Config{})
	bond := r.Mon.SetBond("bond", netip.MustParseAddr("192.0.2.100"))
	r.Mon.SetActive(r.Slaves[0])
	a := r.Targets[0]
	r.Every(10*time.Millisecond, func() { a.SendData(bond.Addr) })
	r.Run(5 * time.Second)
	if bond.Data < 450 || r.Core.Lookup(bond.MAC, 0) != r.Uplinks[0] {
		t.Errorf("%d frames arrived; the core sees it at %v", bond.Data, r.Core.Lookup(bond.MAC, 0))
	}
	r.Mon.SetActive(r.Slaves[1])
	if r.Mon.Active() != r.Slaves[1] || !status(r, r.Slaves[1]).Active {
		t.Error("the active slave is another")
	}
	before := bond.Data
	r.Run(5 * time.Second)
	if bond.Data-before < 450 || r.Core.Lookup(bond.MAC, 0) != r.Uplinks[1] {
		t.Errorf("%d frames arrived; the core sees it at %v", bond.Data-before, r.Core.Lookup(bond.MAC, 0))
	}
	if a.Neighbour(bond.Addr) != bond.MAC {
		t.Error("the neighbour entry is wrong")
	}
	r.Mon.SetActive(nil)
	before = bond.Data
	r.Run(time.Second)
	if r.Mon.Active() != nil || bond.Data != before {
		t.Error("a bond without an active slave receives")
	}
}

func TestMonitorChanges(t *testing.T) {
	r := newRig(t, arpmon.Config{})
	r.Run(3 * time.Second)
	e1 := r.Slaves[0]
	id := arpmon.Identity{MAC: r.MAC(), Addr: netip.MustParseAddr("192.0.2.50")}
	if err := e1.SetIdentity(id, arpmon.MAC{}); err != nil {
		t.Fatal(err)
	}
	if err := e1.SetIdentity(r.Slaves[1].Identity(), arpmon.MAC{}); !errors.Is(err, arpmon.ErrUnsafeIdentity) {
		t.Errorf("the other's identity: %v", err)
	}
	if err := r.Mon.SetTargets(arpmon.Target{}); !errors.Is(err, arpmon.ErrBadTarget) {
		t.Errorf("a bad target: %v", err)
	}
	if err := r.Mon.SetTargets(arpmon.IPv4(r.Targets[1].Addr)); err != nil {
		t.Fatal(err)
	}
	r.Run(3 * time.Second)
	st := status(r, e1)
	if st.State != arpmon.SlaveUp || st.Identity != id || e1.Identity() != id || len(st.Pairs) != 1 {
		t.Errorf("%+v", st)
	}
	if r.Mon.Resume() {
		t.Error("resumed what was not stopped")
	}
	if _, err := r.NewMonitor(arpmon.Config{Interval: 1}); err == nil {
		t.Error("a bad configuration was taken")
	}
	if _, err := arpmontest.NewRig(1, 2, arpmon.Config{Interval: 1}); err == nil {
		t.Error("a bad configuration was taken")
	}
	for r.Mon.Engine().Config().MaxSlaves > len(r.Mon.Slaves()) {
		if _, err := r.Grow(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Grow(); !errors.Is(err, arpmon.ErrTooMany) {
		t.Errorf("one slave too many: %v", err)
	}
}

// A Monitor with nothing to do sleeps.
func TestMonitorIdle(t *testing.T) {
	n := arpmontest.New(1)
	m, err := n.NewMonitor(arpmon.Config{})
	if err != nil {
		t.Fatal(err)
	}
	sw := n.AddSwitch("sw")
	if _, err := m.AddSlave("e1", sw, arpmon.SlaveConfig{}); err != nil {
		t.Fatal(err)
	}
	var next int64
	m.After = func(at int64) { next = at }
	n.Run(time.Hour)
	if polls := m.Engine().Stats().Polls; polls > 3 || next != math.MaxInt64 {
		t.Errorf("%d polls in an hour, next at %d", polls, next)
	}
	if m.Describe(m.Events()[0]) != "e1 added" {
		t.Errorf("described as %q", m.Describe(m.Events()[0]))
	}
}
