// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

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
