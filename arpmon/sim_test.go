// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"errors"
	"fmt"
	"math"
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

// simCount is n, or less where the race detector makes everything slow.
func simCount(n int) int {
	if israce.Enabled || testing.Short() {
		return max(n/10, 1)
	}
	return n
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
	s := ""
	for _, ev := range r.Mon.Events() {
		if ev.At >= since {
			s += fmt.Sprintf("%12.6f %s\n", float64(ev.At)/1e9, r.Mon.Describe(ev))
		}
	}
	return s
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
	const phases = 24
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
			r.Run(interval * time.Duration(phase) / phases)
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
		switch ev.Kind {
		case arpmon.EventSlave:
			from, to := ev.SlaveStates()
			if from.Reachable() != to.Reachable() {
				changes[ev.Slave]++
			}
			if to == arpmon.SlaveDown {
				downAt[ev.Slave] = ev.At
			}
		case arpmon.EventTargetDown:
			return fmt.Errorf("%s although no target alone was at fault", ev.String())
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
	const phases = 24
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
						r.Run(r.Mon.Engine().Config().Interval * time.Duration(phase) / phases)
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

// TestGaps looks at the times between the probes of a pair: uniform in 0.75 to
// 1.0 intervals, whatever happens to the answers, and never two outstanding.
func TestGaps(t *testing.T) {
	const buckets = 20
	for name, cfg := range simConfigs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Seed = 7
			r, err := arpmontest.NewRig(7, 2, cfg)
			if err != nil {
				t.Fatal(err)
			}
			interval := int64(r.Mon.Engine().Config().Interval)
			for _, l := range r.Uplinks {
				l.Each(func(w *arpmontest.Wire) { w.Loss, w.Jitter = 0.2, cfg.Timeout })
			}
			type pair struct {
				s *arpmontest.Slave
				a arpmon.MAC
			}
			last := map[pair]int64{}
			var n [buckets]int
			total := 0
			r.Mon.OnProbe = func(s *arpmontest.Slave, p *arpmon.Probe) {
				k := pair{s, arpmon.MAC(p.Frame()[36:42])} // ends with the address
				if at, ok := last[k]; ok {
					gap := r.Now() - at
					if gap < interval*3/4 || gap > interval {
						t.Errorf("gap of %v outside of 0.75 to 1.0 intervals of %v", time.Duration(gap), time.Duration(interval))
					}
					// The gaps of all pairs of a slave are the same by design.
					if p.Frame()[41] == 1 && !t.Failed() {
						n[min((gap-interval*3/4)*buckets*4/interval, buckets-1)]++
						total++
					}
				}
				last[k] = r.Now()
			}
			r.Run(time.Duration(interval * int64(simCount(1500))))
			want, chi := float64(total)/buckets, 0.0
			for _, have := range n {
				chi += (float64(have) - want) * (float64(have) - want) / want
			}
			// 43.8 is the 0.1 % quantile of chi-square with 19 degrees.
			if chi > 43.8 {
				t.Errorf("the gaps are not uniform: chi-square %.1f, counts %v", chi, n)
			}
		})
	}
}

// TestPacketBudget counts the probes of a slave in every window of a second.
func TestPacketBudget(t *testing.T) {
	for _, targets := range []int{1, 2, 3, 4, 5, 8, 12, 16} {
		t.Run(fmt.Sprint(targets), func(t *testing.T) {
			t.Parallel()
			worst, mean := 0, 0.0
			seeds := simCount(10)
			for seed := range uint64(seeds) {
				cfg := arpmon.Config{Targets: arpmontest.Addresses(targets), Seed: seed}
				r, err := arpmontest.NewRig(seed, 2, cfg)
				if err != nil {
					t.Fatal(err)
				}
				r.Uplinks[0].Each(func(w *arpmontest.Wire) { w.Loss = 0.1 })
				most, pps := simRate(r, 200*time.Second)
				worst, mean = max(worst, most), mean+pps/float64(seeds)
			}
			t.Logf("at most %d in a second, %.3f a second on average", worst, mean)
			// Dynamic ARP inspection acts at 15.
			if worst >= 15 {
				t.Errorf("%d probes left one slave within a second", worst)
			}
			// 2 or 20 times 2 slaves with some 100 gaps each: 0.0825 is the
			// relative deviation of one.
			if mean > arpmon.DefaultMaxPPS*(1+0.0825*4/math.Sqrt(float64(seeds*200))) {
				t.Errorf("%.2f probes a second on average, MaxPPS is %d", mean, arpmon.DefaultMaxPPS)
			}
		})
	}
}

// simRate runs and returns the largest number of probes of a slave in a second,
// and the mean.
func simRate(r *arpmontest.Rig, d time.Duration) (most int, mean float64) {
	recent := map[*arpmontest.Slave][]int64{}
	count := map[*arpmontest.Slave]int{}
	r.Mon.OnProbe = func(s *arpmontest.Slave, _ *arpmon.Probe) {
		q := append(recent[s], r.Now())
		for q[0] <= r.Now()-int64(time.Second) {
			q = q[1:]
		}
		recent[s] = q
		most = max(most, len(q))
		count[s]++
	}
	r.Run(d)
	for _, n := range count {
		mean += float64(n) / d.Seconds() / float64(len(count))
	}
	return most, mean
}

// TestLarge takes 4096 slaves through mass failures: half of them lose their
// path, then one target of four dies, then everything, then all is well again.
func TestLarge(t *testing.T) {
	slaves, targets := 4096, 4
	if simCount(10) < 10 {
		slaves = 256
	}
	cfg := arpmon.Config{
		Interval: time.Second, MaxPPS: 1e5, MaxSlaves: slaves, MaxTargets: targets, Events: 1 << 18, DownAfter: 2, UpAfter: 2,
		Policy: arpmon.PolicyAll, NoCanary: true, Targets: arpmontest.Addresses(targets),
	}
	net := arpmontest.New(1)
	core := net.AddSwitch("core")
	var cables []*arpmontest.Link
	for i, target := range cfg.Targets {
		cables = append(cables, net.Connect(net.AddHost(fmt.Sprint("target", i), target.Addr), core))
	}
	mon, err := net.NewMonitor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	halves := [2]*arpmontest.Switch{net.AddSwitch("sw1"), net.AddSwitch("sw2")}
	var uplinks [2]*arpmontest.Link
	for i, sw := range halves {
		uplinks[i] = net.Connect(sw, core)
		// Slaves need not hear each other's broadcasts.
		core.Port(uplinks[i]).Isolated = true
	}
	for i := range slaves {
		s, err := mon.AddSlave(fmt.Sprint("e", i), halves[i%2], arpmon.SlaveConfig{})
		if err != nil {
			t.Fatal(err)
		}
		halves[i%2].Port(s.Link()).Isolated = true
	}
	want := func(what string, even, odd arpmon.SlaveState, group arpmon.GroupState) {
		t.Helper()
		n := [2]int{}
		for i, s := range mon.Slaves() {
			if st, _ := s.State(); st == [2]arpmon.SlaveState{even, odd}[i%2] {
				n[i%2]++
			}
		}
		if n[0]+n[1] != slaves || mon.Engine().Group() != group {
			t.Fatalf("%s: of %d slaves %d are %v and %d are %v, group %v", what, slaves, n[0], even, n[1], odd, mon.Engine().Group())
		}
	}
	start := time.Now()
	step := func(what string) {
		t.Logf("%-22s %v, %d frames, %d events", what, time.Since(start).Round(time.Millisecond), net.Frames(), len(mon.Events()))
		start = time.Now()
	}
	net.Run(cfg.Recovery())
	want("start", arpmon.SlaveUp, arpmon.SlaveUp, arpmon.GroupOK)
	step("start")
	uplinks[0].Cut(true)
	net.Run(cfg.Bound())
	want("half cut", arpmon.SlaveDown, arpmon.SlaveUp, arpmon.GroupOK)
	step("half cut")
	uplinks[0].Cut(false)
	net.Run(cfg.Recovery())
	want("half mended", arpmon.SlaveUp, arpmon.SlaveUp, arpmon.GroupOK)
	step("half mended")
	cables[0].Cut(true)
	net.Run(cfg.Bound())
	want("target dead", arpmon.SlaveUp, arpmon.SlaveUp, arpmon.GroupOK)
	step("target dead")
	cables[0].Cut(false)
	net.Run(cfg.Recovery())
	step("target back")
	for _, l := range uplinks {
		l.Cut(true)
	}
	net.Run(cfg.Bound())
	want("all cut", arpmon.SlaveDown, arpmon.SlaveDown, arpmon.GroupFailure)
	step("all cut")
	for _, l := range uplinks {
		l.Cut(false)
	}
	net.Run(cfg.Recovery())
	want("all mended", arpmon.SlaveUp, arpmon.SlaveUp, arpmon.GroupOK)
	step("all mended")
	if mon.LostEvents() != 0 || mon.Spins != 0 {
		t.Errorf("%d events lost, %d spins", mon.LostEvents(), mon.Spins)
	}
}
