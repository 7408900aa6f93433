// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

func TestMonitorCut(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	if r.Group() != arpmon.GroupOK || !r.Reachable("e1") || r.Reachable("e9") {
		t.Errorf("group %v, e1 %v, e9 %v", r.Group(), r.Reachable("e1"), r.Reachable("e9"))
	}
	for i, slave := range l.Slaves() {
		other := l.Slaves()[1-i]
		before, stats := r.transitions(), r.Stats()
		broken := cut(t, l, i+1)
		took := r.eventually(10*time.Second, slave+" down", r.is(slave, arpmon.SlaveDown))
		r.within(slave+" down", took, r.Config().Bound(), stats)
		if _, reason := r.State(slave); reason != arpmon.ReasonMissed {
			t.Errorf("%s is down, reason %v", slave, reason)
		}
		if r.Reachable(slave) || !r.Reachable(other) || r.Group() != arpmon.GroupOK {
			t.Errorf("%s reachable %v, %s %v, group %v", slave, r.Reachable(slave), other, r.Reachable(other), r.Group())
		}
		stats = r.Stats()
		undo(t, broken)
		took = r.eventually(10*time.Second, slave+" up", r.is(slave, arpmon.SlaveUp))
		r.within(slave+" up", took, r.Config().Recovery(), stats)
		after := r.transitions()
		if after[other] != before[other] || after[slave] != before[slave]+2 {
			t.Errorf("transitions %v, before %v", after, before)
		}
	}
}

func TestMonitorGroupFailure(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	for i := range l.Slaves() {
		cut(t, l, i+1)
	}
	r.eventually(10*time.Second, "a group failure", func() bool { return r.Group() == arpmon.GroupFailure })
	events := make([]arpmon.Event, 256)
	n, _, _ := r.EventsSince(0, events)
	for _, e := range events[:n] {
		if e.Kind == arpmon.EventTargetDown {
			t.Errorf("event %s", e.String())
		}
	}
}

// TestMonitorCanary begins carefully: the first probes leave on the backup.
func TestMonitorCanary(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	cfg.NoCanary = false
	broken := cut(t, l, 2)
	r := start(t, cfg)
	r.eventually(5*time.Second, "probed e2", func() bool { return r.slave("e2").Sent > 0 })
	if s := r.slave("e1"); s.Sent > 0 {
		t.Errorf("%d probes on e1 already", s.Sent)
	}
	undo(t, broken)
	r.allUp("e1", "e2")
}

// TestMonitorPortLoss takes the carrier from a slave right after its first probe,
// as a switch with port security does, and expects silence until Resume.
func TestMonitorPortLoss(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	cfg.NoCanary = false
	r := start(t, cfg)
	r.allUp("e1", "e2")
	ip(t, l.Fabric(), "link", "set", "p2", "down")
	r.eventually(5*time.Second, "stopped", func() bool {
		_, reason := r.State("e1")
		return reason == arpmon.ReasonProbeSuspectedOfPortLoss
	})
	var snap arpmon.Snapshot
	r.Snapshot(&snap)
	if !snap.Stopped || r.slave("e2").Link != arpmon.LinkNoCarrier {
		t.Errorf("stopped %v, link of e2 %v", snap.Stopped, r.slave("e2").Link)
	}
	ip(t, l.Fabric(), "link", "set", "p2", "up")
	if !r.Resume() {
		t.Error("there was nothing to resume")
	}
	r.allUp("e1", "e2")
	if r.Resume() {
		t.Error("resumed twice")
	}
}

// TestMonitorLife runs, closes and runs again what must run once, and looks for
// what is left behind.
func TestMonitorLife(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	warm, err := arpmon.NewMonitor(cfg) // opens what the runtime keeps open
	if err != nil {
		t.Fatal(err)
	}
	if err := warm.Close(); err != nil {
		t.Fatal(err)
	}
	files, goroutines := openFiles(t), runtime.NumGoroutine()

	t.Run("close before run", func(t *testing.T) {
		m, err := arpmon.NewMonitor(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if n := openFiles(t); n <= files {
			t.Errorf("%d files open, before %d", n, files)
		}
		if err := errors.Join(m.Close(), m.Close()); err != nil {
			t.Error(err)
		}
		if err := m.Run(t.Context()); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Run after Close: %v", err)
		}
	})
	t.Run("run once", func(t *testing.T) {
		r := start(t, cfg)
		r.allUp("e1", "e2")
		if err := r.Run(t.Context()); !errors.Is(err, os.ErrInvalid) {
			t.Errorf("Run while it runs: %v", err)
		}
		if err := r.Close(); !errors.Is(err, os.ErrInvalid) {
			t.Errorf("Close while it runs: %v", err)
		}
		r.stop()
		if err := r.Run(t.Context()); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Run again: %v", err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		// What was known stays readable, and nothing else does harm.
		if !r.Reachable("e1") || r.Group() != arpmon.GroupOK || r.slave("e1").Sent == 0 || r.Stats().Engine.Polls == 0 {
			t.Errorf("after Run: %s", r.describe())
		}
		if err := errors.Join(r.SetTargets(cfg.Targets[:1]), r.SetActive("e2")); err != nil {
			t.Error(err)
		}
		r.Resume()
	})
	t.Run("done before it begins", func(t *testing.T) {
		m, err := arpmon.NewMonitor(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := m.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	deadline := time.NewTimer(5 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for openFiles(t) > files || runtime.NumGoroutine() > goroutines {
		select {
		case <-tick.C:
		case <-deadline.C:
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d files and %d goroutines, before %d and %d\n%s", openFiles(t), runtime.NumGoroutine(), files, goroutines,
				stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestMonitorSetTargets changes the targets, and with them the filters, while it
// runs.
func TestMonitorSetTargets(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	a, b := cfg.Targets[0], cfg.Targets[1]
	cfg.Targets = []arpmon.Target{a}
	r := start(t, cfg)
	r.allUp("e1", "e2")
	if err := r.SetTargets([]arpmon.Target{b}); err != nil {
		t.Fatal(err)
	}
	r.probed("e1", 2)
	if s := r.slave("e1"); len(s.Pairs) != 1 || s.Pairs[0].Target != b || s.Pairs[0].State != arpmon.PairReachable {
		t.Errorf("pairs %+v", s.Pairs)
	}
	if got := r.Config().Targets; len(got) != 1 || got[0] != b {
		t.Errorf("targets %v", got)
	}
	if err := r.SetTargets([]arpmon.Target{a, a}); !errors.Is(err, arpmon.ErrDuplicate) {
		t.Errorf("error %v", err)
	}
	r.probed("e2", 2)
}

// TestMonitorLog reads what an operator would read, each event once.
func TestMonitorLog(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	book, log := newLogBook()
	cfg.Logger = log
	r := start(t, cfg)
	r.allUp("e1", "e2")
	cut(t, l, 2)
	r.eventually(10*time.Second, "e2 down", r.is("e2", arpmon.SlaveDown))
	cut(t, l, 1)
	r.eventually(10*time.Second, "a group failure", func() bool { return r.Group() == arpmon.GroupFailure })
	r.stop()
	for _, want := range []string{
		`level=INFO msg="probing through" slave=e1`,
		`level=INFO msg=slave slave=e1 from=unknown to=up reason=replies`,
		`level=WARN msg=slave slave=e2 from=suspect to=down reason=missed`,
		`level=ERROR msg=group from=ok to=group-failure`,
		`level=DEBUG msg=pair slave=e1 target=` + l.Addr("A").String() + ` from=unknown to=reachable reason=replies`,
	} {
		if n := strings.Count(book.String(), want); n != 1 {
			t.Errorf("%d times in the log: %s", n, want)
		}
	}
	if t.Failed() {
		t.Log(book)
	}
}

// TestMonitorNeverAnswered asks for an address that nobody has. That says nothing of
// the slaves, and the log says what to look at.
func TestMonitorNeverAnswered(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	nobody := l.Addr("host").As4()
	nobody[3] = 250
	cfg.Targets = []arpmon.Target{arpmon.IPv4(netip.AddrFrom4(nobody))}
	book, log := newLogBook()
	cfg.Logger = log
	r := start(t, cfg)
	for _, slave := range l.Slaves() {
		r.eventually(5*time.Second, "never answered", func() bool {
			state, reason := r.State(slave)
			return state == arpmon.SlaveUnknown && reason == arpmon.ReasonNeverAnswered
		})
	}
	if r.Group() != arpmon.GroupUnknown {
		t.Errorf("group %v", r.Group())
	}
	r.stop()
	for _, slave := range l.Slaves() {
		want := "level=WARN msg=slave slave=" + slave + ` from=unknown to=unknown reason=never-answered hint="the address may be wrong`
		if n := strings.Count(book.String(), want); n != 1 {
			t.Errorf("%d times in the log: %s\n%s", n, want, book)
		}
	}
}

// TestMonitorSlowLog blocks the log, and expects the loop not to care.
func TestMonitorSlowLog(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	reader, writer := io.Pipe()
	cfg.Logger = slog.New(slog.NewTextHandler(writer, nil))
	r := start(t, cfg)
	r.allUp("e1", "e2")
	r.probed("e1", 10)
	go func() { _, _ = io.Copy(io.Discard, reader) }()
}
