// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

// TestStallInFault shows that a bound grows by exactly the stalls within it,
// wherever in the fault they are.
func TestStallInFault(t *testing.T) {
	for name, cfg := range simConfigs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(simCount(60)) {
				r := simNew(t, seed, 2, cfg)
				interval := r.Mon.Engine().Config().Interval
				fault := simFaults[seed%uint64(len(simFaults))]
				r.Run(time.Duration(r.Rand().Int64N(int64(interval))))
				start := r.Now()
				stalled := r.Mon.Engine().Stats().Stalled
				fault.set(r, true)
				hit := r.Slaves[:1]
				if fault.common {
					hit = r.Slaves
				}
				r.Run(time.Duration(r.Rand().Int64N(int64(cfg.Bound()))))
				r.Mon.Stall(interval/2 + time.Duration(r.Rand().Int64N(int64(4*cfg.Bound()))))
				simWait(r, 20*cfg.Bound(), hit, arpmon.SlaveDown)
				took := time.Duration(r.Now() - start)
				stalled = r.Mon.Engine().Stats().Stalled - stalled
				// A wake-up less than half an interval late is no stall.
				if late := took - cfg.Bound() - stalled; late > interval/2 || stalled == 0 && late > 0 {
					t.Fatalf("seed %d, %s: down after %v, %v more than the bound of %v and the stall of %v\n%s",
						seed, fault.name, took, late, cfg.Bound(), stalled, simLog(r, start))
				}
				r.Run(6 * cfg.Bound()) // the stall may not be over
				fault.set(r, false)
				simSettle(t, r)
				if err := simBlame(r, fault, start, interval+stalled); err != nil {
					t.Fatalf("seed %d, %s: %v\n%s", seed, fault.name, err, simLog(r, start))
				}
			}
		})
	}
}

// TestStallsOfTheHealthy shows that no stall, however long, ends a slave whose
// path is well.
func TestStallsOfTheHealthy(t *testing.T) {
	for name, cfg := range simConfigs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := simNew(t, 1, 2, cfg)
			start := r.Now()
			interval := r.Mon.Engine().Config().Interval
			for range simCount(200) {
				r.Mon.Stall(time.Duration(r.Rand().Int64N(int64(6 * interval))))
				r.Run(time.Duration(r.Rand().Int64N(int64(6 * interval))))
			}
			for _, ev := range r.Mon.Events() {
				if ev.At >= start && ev.Kind != arpmon.EventStall {
					t.Fatalf("something happened to a healthy network:\n%s", simLog(r, start))
				}
			}
		})
	}
}

// TestLateCaller has every wake-up late by less than what counts as a stall.
// The bound grows by little, and no slave is blamed for a dead target.
func TestLateCaller(t *testing.T) {
	for name, cfg := range simConfigs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(simCount(40)) {
				r := simNew(t, seed, 2, cfg)
				interval := r.Mon.Engine().Config().Interval
				late := min(interval*45/100, 250*time.Millisecond)
				// Every probe, and the judgement of the last, may be late.
				most := late * time.Duration(r.Mon.Engine().Config().DownAfter+1)
				r.Mon.Jitter = late
				r.Run(4 * interval)
				start := r.Now()
				fault, blame := r.Uplinks[0], r.Slaves[0].ID()
				if seed%2 == 1 && len(cfg.Targets) > 1 && cfg.DownAfter > 1 {
					fault, blame = r.TargetLinks[0], 0
				}
				fault.Cut(true)
				if blame != 0 {
					if took := simWait(r, 20*cfg.Bound(), r.Slaves[:1], arpmon.SlaveDown); took > cfg.Bound()+most {
						t.Fatalf("seed %d: down after %v, with a bound of %v and a lateness of %v\n%s", seed, took, cfg.Bound(), late, simLog(r, start))
					}
				}
				r.RunUntil(start + int64(cfg.Bound()+most))
				fault.Cut(false)
				r.Run(cfg.Recovery() + 2*late)
				for _, ev := range r.Mon.Events() {
					from, to := ev.SlaveStates()
					if ev.Kind == arpmon.EventSlave && ev.At >= start && from.Reachable() != to.Reachable() && ev.Slave != blame {
						t.Fatalf("seed %d: %s was blamed\n%s", seed, r.Mon.Describe(ev), simLog(r, start))
					}
				}
				if n := r.Mon.Engine().Stats().Stalls; n != 0 {
					t.Fatalf("seed %d: %d stalls", seed, n)
				}
			}
		})
	}
}

// TestPacketBudgetOfALateCaller shows that catching up makes no bursts beyond
// what switches tolerate.
func TestPacketBudgetOfALateCaller(t *testing.T) {
	for _, targets := range []int{4, 8, 16} {
		for _, stalls := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d targets, stalls %v", targets, stalls), func(t *testing.T) {
				t.Parallel()
				worst := 0
				for seed := range uint64(simCount(20)) {
					cfg := arpmon.Config{Targets: arpmontest.Addresses(targets), Seed: seed}
					r, err := arpmontest.NewRig(seed, 2, cfg)
					if err != nil {
						t.Fatal(err)
					}
					interval := r.Mon.Engine().Config().Interval
					if stalls {
						r.Every(5*time.Second, func() { r.Mon.Stall(time.Duration(r.Rand().Int64N(int64(2 * interval)))) })
					} else {
						r.Mon.Jitter = interval * 45 / 100
					}
					most, _ := simRate(r, 100*time.Second)
					worst = max(worst, most)
				}
				t.Logf("at most %d in a second", worst)
				if worst >= 15 {
					t.Errorf("%d probes left one slave within a second", worst)
				}
			})
		}
	}
}
