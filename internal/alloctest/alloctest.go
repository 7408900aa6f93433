// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package alloctest is a guard for code that must not allocate. It compares
// raw counts of heap objects and not averages: testing.AllocsPerRun divides
// as integers, so an allocation on every third call comes out as zero there.
package alloctest

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/bondkit/bondkit/internal/israce"
)

// Attempts is how often [Zero] measures before it gives up. The runtime and
// other goroutines allocate now and then; code that allocates by itself does so
// in every attempt.
const Attempts = 5

// Zero fails tb unless steps calls of step, taken together, allocate exactly
// nothing. It runs all steps once to warm up, then measures whole runs of steps
// calls and passes at the first run that left [runtime.MemStats.Mallocs]
// unchanged, within at most [Attempts] runs. It reports the smallest count and
// the number of attempts.
//
// A step that allocates once in n calls is caught when steps is at least n, so
// take thousands of steps of a cheap function, or one step that is a whole
// scenario. Memory that doubles ever more rarely can slip through: bound it by
// other means. Step is called at most (Attempts+1) x steps times.
//
// Zero sets GOMAXPROCS to 1 and switches the garbage collector off while it
// measures, and restores both. It must not be used beside parallel tests. Under
// the race detector it skips, because the detector's own allocations are
// counted too.
func Zero(tb testing.TB, steps int, step func()) {
	tb.Helper()
	if israce.Enabled {
		tb.Skip("race: allocation counts are not those of the code under the race detector")
	}
	if steps < 1 {
		tb.Fatalf("alloctest: steps is %d, want at least 1", steps)
	}

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))

	run := func() {
		for range steps {
			step()
		}
	}
	run()

	// Two cycles finish the sweep of what the warm-up left, and empty the pools.
	runtime.GC()
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	var before, after runtime.MemStats
	var least uint64
	for attempt := range Attempts {
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)

		n := after.Mallocs - before.Mallocs
		if n == 0 {
			tb.Logf("alloctest: 0 allocations in %d steps, attempt %d of %d", steps, attempt+1, Attempts)
			return
		}
		if attempt == 0 || n < least {
			least = n
		}
	}
	tb.Errorf("alloctest: at least %d allocations in %d steps, in each of %d attempts; want 0", least, steps, Attempts)
}
