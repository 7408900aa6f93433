// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// newLab builds a network that is gone after the test.
func newLab(t testing.TB, cfg *lab.Config) *lab.Lab {
	t.Helper()
	if cfg == nil {
		cfg = &lab.Config{Slaves: 2}
	}
	cfg.Chatty = 1 // one host more on each switch, which is silent; each takes an emulator a tenth of a second
	if cfg.Bond != nil {
		lab.Require(t, lab.NeedBonding)
	} else {
		lab.Require(t)
	}
	l, err := lab.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// monitorConfig returns a fast configuration for both slaves and targets of a lab.
func monitorConfig(l *lab.Lab) arpmon.MonitorConfig {
	cfg := arpmon.MonitorConfig{
		Config: arpmon.Config{
			Targets:  []arpmon.Target{arpmon.IPv4(l.Addr("A")), arpmon.IPv4(l.Addr("B"))},
			Interval: 100 * time.Millisecond,
			MaxPPS:   100,
			NoCanary: true,
		},
		Slaves: l.Slaves(),
		NetNS:  l.Host().FD(),
	}
	if l.Device() != "bond0" {
		cfg.Active = "e1"
	}
	return cfg
}

// A runner is a Monitor that runs until the test ends.
type runner struct {
	*arpmon.Monitor
	t    testing.TB
	stop func()
}

// start makes a Monitor and runs it.
func start(t testing.TB, cfg arpmon.MonitorConfig) *runner {
	t.Helper()
	m, err := arpmon.NewMonitor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, m)
}

// run runs a Monitor.
func run(t testing.TB, m *arpmon.Monitor) *runner {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	r := &runner{Monitor: m, t: t}
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// eventually waits until a condition holds, and looks whenever the Monitor says
// that something has changed, and now and then.
func (r *runner) eventually(within time.Duration, what string, holds func() bool) time.Duration {
	r.t.Helper()
	began := time.Now()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-r.Changed():
		case <-tick.C:
		case <-deadline.C:
			if !holds() {
				r.t.Fatalf("after %v: not %s\n%s", within, what, r.describe())
			}
		}
	}
	return time.Since(began)
}

// describe returns the events so far, and the state of the slaves.
func (r *runner) describe() string {
	var s strings.Builder
	events := make([]arpmon.Event, 64)
	for seq := uint64(0); ; {
		n, next, _ := r.EventsSince(seq, events)
		for i := range events[:n] {
			e := &events[i]
			s.WriteString(time.Duration(e.At).String() + " " + r.Name(e.Slave) + " " + e.String() + "\n")
		}
		if n < len(events) {
			break
		}
		seq = next
	}
	var snap arpmon.Snapshot
	r.Snapshot(&snap)
	for i := range snap.Slaves {
		sl := &snap.Slaves[i]
		s.WriteString(r.Name(sl.ID) + " " + sl.State.String() + " " + sl.Reason.String() + " link " + sl.Link.String() + " mac " + sl.Identity.MAC.String())
		for j := range sl.Pairs {
			p := &sl.Pairs[j]
			s.WriteString(" [" + p.Target.String() + " " + p.State.String() + " mac " + p.MAC.String() + "]")
		}
		for v, n := range sl.Frames {
			if n > 0 {
				s.WriteString(" " + arpmon.Verdict(v).String() + "=" + strconv.FormatUint(n, 10))
			}
		}
		if sl.LastErr != nil {
			s.WriteString(" last error: " + sl.LastErr.Error())
		}
		s.WriteString("\n")
	}
	return s.String() + fmt.Sprintf("%+v\n", r.Stats())
}

// is returns whether a slave is in a state.
func (r *runner) is(slave string, want arpmon.SlaveState) func() bool {
	return func() bool {
		st, _ := r.State(slave)
		return st == want
	}
}

// allUp waits until every slave is up and reaches every target.
func (r *runner) allUp(slaves ...string) {
	r.t.Helper()
	r.eventually(10*time.Second, "all up", func() bool {
		for _, name := range slaves {
			if !r.is(name, arpmon.SlaveUp)() {
				return false
			}
			for _, p := range r.slave(name).Pairs {
				if p.State != arpmon.PairReachable {
					return false
				}
			}
		}
		return true
	})
}

// within fails the test if a verdict took longer than its bound, grown by the time
// that the loop was held up since before, on a machine that does other things too.
func (r *runner) within(what string, took, bound time.Duration, before arpmon.MonitorStats) {
	r.t.Helper()
	// What held the loop up is counted in its next turn.
	turns := r.Stats().Engine.Polls
	r.eventually(10*time.Second, "another turn", func() bool { return r.Stats().Engine.Polls > turns })
	stalled := r.Stats().Engine.Stalled - before.Engine.Stalled
	if limit := bound + 50*time.Millisecond + stalled + r.Config().Interval/2; took > limit {
		r.t.Errorf("%s took %v, the bound is %v and the loop was held up for %v\n%s", what, took, bound, stalled, r.describe())
	}
}

// transitions returns how often each slave changed between good and bad.
func (r *runner) transitions() map[string]uint32 {
	var snap arpmon.Snapshot
	r.Snapshot(&snap)
	n := map[string]uint32{}
	for i := range snap.Slaves {
		n[r.Name(snap.Slaves[i].ID)] = snap.Slaves[i].Transitions
	}
	return n
}

// slave returns the status of a slave.
func (r *runner) slave(name string) arpmon.SlaveStatus {
	r.t.Helper()
	var snap arpmon.Snapshot
	r.Snapshot(&snap)
	s := snap.Slave(r.ID(name))
	if s == nil {
		r.t.Fatalf("no slave %s in %+v", name, snap)
	}
	return *s
}

// probed waits until a number of probes more were answered on a slave.
func (r *runner) probed(name string, n uint64) {
	r.t.Helper()
	count := func() (sum uint64) {
		for _, p := range r.slave(name).Pairs {
			sum += p.Replied
		}
		return sum
	}
	before := count()
	r.eventually(20*time.Second, "answered", func() bool { return count() >= before+n })
}

// fault fails the test where a fault could not be set.
func fault(t testing.TB, f *lab.Fault, err error) *lab.Fault {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// cut cuts the uplink of a switch.
func cut(t testing.TB, l *lab.Lab, i int) *lab.Fault {
	t.Helper()
	f, err := l.CutUplink(t.Context(), i)
	return fault(t, f, err)
}

// undo ends a fault.
func undo(t testing.TB, f *lab.Fault) {
	t.Helper()
	if err := f.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// ip runs ip in a namespace.
func ip(t testing.TB, ns *lab.Namespace, args ...string) string {
	t.Helper()
	out, err := ns.Run(t.Context(), append([]string{"ip"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// openFiles returns how many files this process has open.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A logBook keeps what is logged.
type logBook struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.String()
}

func newLogBook() (*logBook, *slog.Logger) {
	b := &logBook{}
	return b, slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
