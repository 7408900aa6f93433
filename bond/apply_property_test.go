// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// planFaults is a kernel that can refuse one request.
type planFaults interface {
	// arm has the request with that number fail, counted from 0; less than 0
	// has none fail.
	arm(n int)
	// count returns how many requests there were since arm.
	count() int
	// monitors says that the kernel chooses active slaves in its own time.
	monitors() bool
}

// planFake lets a fake kernel fail, before or after it did what was asked.
type planFake struct {
	k     *bondtest.Kernel
	after bool
	n     atomic.Int64
	seen  atomic.Int64
}

var errPlanFault = errors.New("the connection to the kernel broke")

func (f *planFake) arm(n int) {
	f.n.Store(int64(n))
	f.seen.Store(0)
	hit := func() bool { return f.seen.Add(1)-1 == f.n.Load() }
	f.k.Fail(func(bond.Message) error {
		if !f.after && hit() {
			return &bond.KernelError{Errno: syscall.ENOMEM}
		}
		return nil
	})
	f.k.FailAfter(func(bond.Message) error {
		if f.after && hit() {
			return errPlanFault
		}
		return nil
	})
}

func (f *planFake) count() int { return int(f.seen.Load()) }

func (f *planFake) monitors() bool { return false }

func planJSON(spec *bond.Spec) string {
	b, err := json.Marshal(spec)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// planProperty goes from one random spec to another. Each is reached, after which nothing is left to do; and
// before that, a failure at a random place leaves everything as it was. It goes on until
// more says no.
func planProperty(t *testing.T, c *bond.Client, faults planFaults, r *planRandom, more func(round int) bool) {
	t.Helper()
	planReset(t, c, faults)
	requests := 40
	for round := 0; more(round); round++ {
		before := planState(t, c)
		spec := r.spec(before)

		faults.arm(r.IntN(requests))
		res, err := c.Apply(t.Context(), spec, planAll)
		failed := err != nil
		faults.arm(-1)
		if failed {
			if res != nil && res.RollbackErr != nil {
				t.Fatalf("round %d: %s: %v\n%v", round, planJSON(spec), res.RollbackErr, planOf(res))
			}
			if diff := planDiffers(t, c, before); diff != "" {
				t.Fatalf("round %d: %s: not as it was after %v (-before +after):\n%s\n%v", round, planJSON(spec), err, diff, planOf(res))
			}
		}

		faults.arm(-1)
		res, err = c.Apply(t.Context(), spec, planAll)
		requests = max(faults.count(), 1)
		if err != nil {
			t.Fatalf("round %d: %s:\n%v\n%v", round, planJSON(spec), err, planOf(res))
		}
		again, err := c.Plan(t.Context(), spec)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		warned := slices.ContainsFunc(res.Plan.Issues, func(i bond.Issue) bool { return i.Option == bond.OptionActiveSlave })
		if len(again.Steps) == 1 && again.Steps[0].Options.Active != nil && (warned || faults.monitors()) {
			// The slave had no link yet, and got one just now; or a primary did, which the
			// kernel prefers once.
			again = planApply(t, c, spec).Plan
			again.Steps = nil
		}
		if !again.IsEmpty() {
			t.Fatalf("round %d: %s: applied\n%vand there is still to do\n%v", round, planJSON(spec), res.Plan, again)
		}
		// What a state says of itself it fulfils, and it is what was kept of before.
		now := planState(t, c)
		own, err := bond.Diff(now, now.Spec())
		if err != nil || !own.IsEmpty() {
			t.Fatalf("round %d: a state does not fulfil its own spec: %v\n%v", round, err, own)
		}
	}
}

// planReset deletes the bond.
func planReset(t *testing.T, c *bond.Client, faults planFaults) {
	t.Helper()
	faults.arm(-1)
	if planState(t, c).Bond != nil {
		if err := c.Delete(t.Context(), bond.Link{Name: "bond0"}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestApplyRandomFake goes from random spec to random spec on every kernel that is played.
func TestApplyRandomFake(t *testing.T) {
	seeds, rounds := uint64(3), 40
	if testing.Short() {
		seeds, rounds = 1, 10
	}
	for _, release := range bondtest.Releases() {
		for _, after := range []bool{false, true} {
			name := string(release) + "/refused"
			if after {
				name = string(release) + "/answer lost"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for seed := range seeds {
					k, c := planKernel(t, &bondtest.Config{Release: release, Seed: seed})
					r := &planRandom{Rand: rand.New(rand.NewPCG(seed, 5)), can: release.Supports}
					planProperty(t, c, &planFake{k: k, after: after}, r, func(round int) bool { return round < rounds })
				}
			})
		}
	}
}
