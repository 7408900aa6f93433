// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"math/rand/v2"
	"testing"

	"github.com/bondkit/bondkit/arpmon"
)

// slowWheel is the model of the engine's queue: a map that is searched.
type slowWheel map[int32]*struct {
	at, due int64
	waiting bool
}

func (w slowWheel) first() (at int64, ok bool) {
	for _, p := range w {
		look := p.at
		if !p.waiting {
			look = p.due
		}
		if !ok || look < at {
			at, ok = look, true
		}
	}
	return at, ok
}

func TestWheelEqualsModel(t *testing.T) {
	for seed := range uint64(simCount(40)) {
		rng := rand.New(rand.NewPCG(seed, 1))
		pairs := 1 + rng.IntN(300)
		longest := int64(1) << (10 + rng.IntN(30))
		w, model := arpmon.NewWheel(pairs, longest), slowWheel{}
		now := int64(1)
		for range 5000 {
			p := int32(rng.IntN(pairs))
			switch op := rng.IntN(10); {
			case op < 3:
				at := now + rng.Int64N(longest)
				if rng.IntN(20) == 0 {
					at = now + rng.Int64N(50*longest) // out of its turn
				}
				if rng.IntN(20) == 0 {
					at = max(now-rng.Int64N(longest), 1)
				}
				w.Put(p, at)
				model[p] = &struct {
					at, due int64
					waiting bool
				}{at, at, false}
			case op < 6:
				at := now + rng.Int64N(longest)
				due := at + rng.Int64N(longest)
				w.Wait(p, at, due)
				model[p] = &struct {
					at, due int64
					waiting bool
				}{at, due, true}
			case op < 7:
				if m := model[p]; m != nil {
					w.Answered(p)
					m.waiting = false
				}
			case op < 8:
				w.Remove(p)
				delete(model, p)
			default:
				now += rng.Int64N(longest / 8)
			}
			if (model[p] != nil) != w.Has(p) {
				t.Fatalf("seed %d: pair %d in the wheel: %v", seed, p, w.Has(p))
			}
			got, at := w.First(now)
			want, ok := model.first()
			// What is due may come in any order.
			if m := model[got]; m != nil && want <= now && at <= now && (at == m.at || at == m.due) {
				want = at
			}
			if ok != (got >= 0) || ok && at != want {
				t.Fatalf("seed %d at %d: first is pair %d at %d, want at %d", seed, now, got, at, want)
			}
		}
	}
}

func TestMACSetEqualsModel(t *testing.T) {
	for seed := range uint64(simCount(20)) {
		rng := rand.New(rand.NewPCG(seed, 2))
		n := 1 + rng.IntN(50)
		set, model := arpmon.NewMACSet(n), map[uint64]int{}
		for range 5000 {
			k := rng.Uint64N(200)
			switch known := model[k]; {
			case rng.IntN(2) == 0 && (known > 0 || len(model) < n) && k != 0:
				set.Add(k)
				model[k]++
			case known > 0:
				set.Remove(k)
				if model[k]--; model[k] == 0 {
					delete(model, k)
				}
			default:
				set.Remove(k) // not there: nothing happens
			}
			for k := range uint64(200) {
				if set.Has(k) != (model[k] > 0) {
					t.Fatalf("seed %d: Has(%d) = %v", seed, k, set.Has(k))
				}
			}
		}
	}
}
