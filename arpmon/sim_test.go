// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
	"github.com/bondkit/bondkit/internal/israce"
)

// simFault is a fault that takes a slave, or all of them, down.
type simFault struct {
	name   string
	common bool // hits all slaves
	set    func(r *arpmontest.Rig, on bool)
	reason arpmon.Reason
}

var errWedged = errors.New("no buffer space available")

var simFaults = []simFault{
	{"uplink", false, func(r *arpmontest.Rig, on bool) { r.Uplinks[0].Cut(on) }, arpmon.ReasonMissed},
	{"transmit", false, func(r *arpmontest.Rig, on bool) { r.Slaves[0].Link().From(r.Slaves[0]).Cut = on }, arpmon.ReasonMissed},
	{"receive", false, func(r *arpmontest.Rig, on bool) { r.Slaves[0].Link().To(r.Slaves[0]).Cut = on }, arpmon.ReasonMissed},
	{"queue", false, func(r *arpmontest.Rig, on bool) {
		r.Slaves[0].TXError = nil
		if on {
			r.Slaves[0].TXError = errWedged
		}
	}, arpmon.ReasonNoTransmit},
	{"targets", true, func(r *arpmontest.Rig, on bool) {
		for _, l := range r.TargetLinks {
			l.Cut(on)
		}
	}, arpmon.ReasonMissed},
	{"uplinks", true, func(r *arpmontest.Rig, on bool) {
		for _, l := range r.Uplinks {
			l.Cut(on)
		}
	}, arpmon.ReasonMissed},
}

// simConfigs are configurations in which the bound must hold.
func simConfigs() map[string]arpmon.Config {
	fast := func(targets, down, up int, p arpmon.Policy) arpmon.Config {
		return arpmon.Config{
			Interval: 100 * time.Millisecond, MaxPPS: 1000, Targets: arpmontest.Addresses(targets),
			DownAfter: down, UpAfter: up, Policy: p,
		}
	}
	short := fast(2, 3, 5, arpmon.PolicyAny)
	short.Timeout = 5 * time.Millisecond
	return map[string]arpmon.Config{
		"default 1":        {Targets: arpmontest.Addresses(1)},
		"default 2":        {Targets: arpmontest.Addresses(2)},
		"default 4":        {Targets: arpmontest.Addresses(4)},
		"default 16":       {Targets: arpmontest.Addresses(16)},
		"down after 1":     fast(1, 1, 1, arpmon.PolicyAny),
		"down after 2":     fast(2, 2, 2, arpmon.PolicyAny),
		"down after 3":     fast(2, 3, 1, arpmon.PolicyAny),
		"down after 5":     fast(4, 5, 10, arpmon.PolicyAny),
		"all of 2":         fast(2, 3, 5, arpmon.PolicyAll),
		"all of 4":         fast(4, 3, 5, arpmon.PolicyAll),
		"all of 16":        fast(16, 3, 5, arpmon.PolicyAll),
		"all, after 1":     fast(4, 1, 1, arpmon.PolicyAll),
		"at least 2 of 4":  fast(4, 3, 5, arpmon.PolicyAtLeast(2)),
		"at least 9 of 16": fast(16, 2, 3, arpmon.PolicyAtLeast(9)),
		"short timeout":    short,
	}
}

// simCount is n, or less where the race detector or an emulator makes everything slow.
func simCount(n int) int {
	switch {
	case testing.Short():
		return max(n/40, 1)
	case israce.Enabled:
		return max(n/10, 1)
	}
	return n
}

// simPhases is in how many phases of the schedule a fault is set.
func simPhases() int {
	if testing.Short() {
		return 4
	}
	return 24
}

// simNew builds a rig that has been healthy for long enough.
func simNew(t testing.TB, seed uint64, slaves int, cfg arpmon.Config) *arpmontest.Rig {
	t.Helper()
	cfg.Seed = seed
	cfg.Events = max(cfg.Events, 4096)
	r, err := arpmontest.NewRig(seed, slaves, cfg)
	if err != nil {
		t.Fatal(err)
	}
	simSettle(t, r)
	return r
}

// simSettle waits until everything is reachable.
func simSettle(t testing.TB, r *arpmontest.Rig) {
	t.Helper()
	var snap arpmon.Snapshot
	cfg := r.Mon.Engine().Config()
	for end := r.Now() + int64(cfg.Bound()+2*cfg.Recovery()); ; r.Run(cfg.Interval / 4) {
		r.Mon.Engine().Snapshot(&snap)
		well := true
		for _, s := range snap.Slaves {
			well = well && s.State == arpmon.SlaveUp
			for _, p := range s.Pairs {
				well = well && p.State == arpmon.PairReachable
			}
		}
		if well {
			return
		}
		if r.Now() > end {
			t.Fatalf("not everything is reachable long after the last fault\n%s", simLog(r, 0))
		}
	}
}

// simLog prints the events since a time.
func simLog(r *arpmontest.Rig, since int64) string {
	var s strings.Builder
	for _, ev := range r.Mon.Events() {
		if ev.At >= since {
			fmt.Fprintf(&s, "%12.6f %s\n", float64(ev.At)/1e9, r.Mon.Describe(ev))
		}
	}
	return s.String()
}

// TestBound proves Config.Bound and Config.Recovery over all phases of the
// interval, and that they are not much longer than they must be.
func TestBound(t *testing.T) {
	var mu sync.Mutex
	down, up := map[string]float64{}, map[string]float64{}
	t.Run("config", func(t *testing.T) {
		for name, cfg := range simConfigs() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, fault := range simFaults {
					d, u, ok := simSweep(t, cfg, fault)
					if !ok {
						continue
					}
					t.Logf("%-9s down within %v of %v, up within %v of %v", fault.name, d, cfg.Bound(), u, cfg.Recovery())
					mu.Lock()
					down[fault.name] = max(down[fault.name], float64(d)/float64(cfg.Bound()))
					up[fault.name] = max(up[fault.name], float64(u)/float64(cfg.Recovery()))
					mu.Unlock()
				}
			})
		}
	})
	if t.Failed() || simCount(10) < 10 {
		return
	}
	for name, part := range down {
		if part < 0.95 || up[name] < 0.8 {
			t.Errorf("%s: the longest times to the verdicts are %.2f and %.2f of the bounds, so these are too generous or the phases are too few", name, part, up[name])
		}
	}
}

// simSweep sets a fault in many phases and returns the longest times to the
// verdicts, and whether all were right. Half of the runs have targets that
// answer at the last moment.
func simSweep(t *testing.T, cfg arpmon.Config, fault simFault) (down, up time.Duration, ok bool) {
	t.Helper()
	phases := simPhases()
	bound, recovery := cfg.Bound(), cfg.Recovery()
	for seed := range uint64(simCount(6)) {
		r := simNew(t, seed, 2, cfg)
		full := r.Mon.Engine().Config()
		interval := full.Interval
		if seed%2 == 1 {
			for _, h := range r.Targets {
				h.Delay = full.Timeout * 95 / 100
			}
		}
		for phase := range phases {
			simSettle(t, r)
			r.Run(interval * time.Duration(phase) / time.Duration(phases))
			start := r.Now()
			fault.set(r, true)
			hit := r.Slaves[:1]
			if fault.common {
				hit = r.Slaves
			}
			took := simWait(r, bound, hit, arpmon.SlaveDown)
			for _, s := range hit {
				if st, why := s.State(); st != arpmon.SlaveDown || why != fault.reason {
					t.Errorf("seed %d phase %d, %s: %s is %v (%v) after %v, want down (%v) within %v\n%s",
						seed, phase, fault.name, s.Name(), st, why, took, fault.reason, bound, simLog(r, start))
					return 0, 0, false
				}
			}
			down = max(down, took)
			if want := arpmon.GroupFailure; fault.common && r.Mon.Engine().Group() != want {
				t.Errorf("seed %d phase %d: the group is %v", seed, phase, r.Mon.Engine().Group())
			}
			r.RunUntil(start + int64(bound) + r.Rand().Int64N(int64(interval)))
			end := r.Now()
			fault.set(r, false)
			took = simWait(r, recovery, hit, arpmon.SlaveUp)
			for _, s := range hit {
				if st, why := s.State(); st != arpmon.SlaveUp {
					t.Errorf("seed %d phase %d, %s: %s is %v (%v) %v after the fault's end, want up within %v\n%s",
						seed, phase, fault.name, s.Name(), st, why, took, recovery, simLog(r, end))
					return 0, 0, false
				}
			}
			up = max(up, took)
			if err := simBlame(r, fault, start, interval); err != nil {
				t.Errorf("seed %d phase %d, %s: %v\n%s", seed, phase, fault.name, err, simLog(r, start))
				return 0, 0, false
			}
		}
		if st := r.Mon.Engine().Stats(); st.Stalls != 0 || r.Mon.Spins != 0 || st.Unreported != 0 {
			t.Errorf("%d stalls, %d unreported and %d spins of a caller that is never late", st.Stalls, st.Unreported, r.Mon.Spins)
		}
	}
	return down, up, true
}

// simWait runs until all slaves are in a state, at most d, and returns how long
// that took.
func simWait(r *arpmontest.Rig, d time.Duration, slaves []*arpmontest.Slave, want arpmon.SlaveState) time.Duration {
	start := r.Now()
	r.RunWhile(d, func() bool {
		for _, s := range slaves {
			if st, _ := s.State(); st != want {
				return true
			}
		}
		return false
	})
	return time.Duration(r.Now() - start)
}

// simBlame looks at the events of one fault: one of a slave must not touch the
// other, and one of all must take them down together.
func simBlame(r *arpmontest.Rig, fault simFault, since int64, interval time.Duration) error {
	changes := map[arpmon.SlaveID]int{}
	downAt := map[arpmon.SlaveID]int64{}
	for _, ev := range r.Mon.Events() {
		if ev.At < since {
			continue
		}
		if ev.Kind == arpmon.EventTargetDown {
			return fmt.Errorf("%s although no target alone was at fault", ev.String())
		}
		if ev.Kind != arpmon.EventSlave {
			continue
		}
		from, to := ev.SlaveStates()
		if from.Reachable() != to.Reachable() {
			changes[ev.Slave]++
		}
		if to == arpmon.SlaveDown {
			downAt[ev.Slave] = ev.At
		}
	}
	first, second := r.Slaves[0].ID(), r.Slaves[1].ID()
	want := 0
	if fault.common {
		want = 2
	}
	if changes[first] != 2 || changes[second] != want {
		return fmt.Errorf("e1 changed %d times and e2 %d, want 2 and %d", changes[first], changes[second], want)
	}
	if d := time.Duration(downAt[first] - downAt[second]); fault.common && max(d, -d) > interval {
		return fmt.Errorf("the slaves went down %v apart, more than an interval", max(d, -d))
	}
	return nil
}

// TestOneTargetDead shows that the loss of a target is no loss of a slave,
// whatever the policy, in all phases, also when the target comes back.
func TestOneTargetDead(t *testing.T) {
	phases := simPhases()
	for name, cfg := range simConfigs() {
		if len(cfg.Targets) < 2 || cfg.DownAfter == 1 && cfg.Policy == arpmon.PolicyAll {
			continue // see Config.DownAfter: nothing tells a lost target from a lost slave in time
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(simCount(4)) {
				for _, slaves := range []int{2, 3} {
					r := simNew(t, seed, slaves, cfg)
					for phase := range phases {
						simSettle(t, r)
						r.Run(r.Mon.Engine().Config().Interval * time.Duration(phase) / time.Duration(phases))
						start := r.Now()
						r.TargetLinks[phase%2].Cut(true)
						r.Run(cfg.Bound())
						var snap arpmon.Snapshot
						r.Mon.Engine().Snapshot(&snap)
						if !snap.Targets[phase%2].Down {
							t.Errorf("the target is not down")
						}
						for _, s := range snap.Slaves {
							if s.State != arpmon.SlaveUp {
								t.Errorf("%s is %v (%v)", r.Mon.SlaveName(s.ID), s.State, s.Reason)
							}
						}
						r.Run(time.Duration(r.Rand().Int64N(int64(2 * cfg.Bound()))))
						r.TargetLinks[phase%2].Cut(false)
						simSettle(t, r)
						for _, ev := range r.Mon.Events() {
							if from, to := ev.SlaveStates(); ev.At >= start && ev.Kind == arpmon.EventSlave && from.Reachable() != to.Reachable() {
								t.Errorf("a slave was blamed: %s", r.Mon.Describe(ev))
							}
						}
						if t.Failed() {
							t.Fatalf("seed %d, %d slaves, phase %d:\n%s", seed, slaves, phase, simLog(r, start))
						}
					}
				}
			}
		})
	}
}
