// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package alloctest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/internal/alloctest"
	"github.com/bondkit/bondkit/internal/israce"
)

// sink keeps what the tests allocate on the heap.
var sink *[64]byte

func TestZeroAllocations(t *testing.T) {
	var calls int
	everyThird := func() {
		if calls++; calls%3 == 0 {
			sink = new([64]byte)
		}
	}
	onlyOnce := func() {
		if sink == nil {
			sink = new([64]byte)
		}
	}
	tests := []struct {
		name  string
		steps int
		step  func()
		fails string // part of the failure, empty where the guard must pass
	}{
		{name: "clean", steps: 10_000, step: func() { calls++ }},
		{name: "allocates only while warming up", steps: 10_000, step: onlyOnce},
		{name: "every call", steps: 100, step: func() { sink = new([64]byte) }, fails: "at least 100 allocations in 100 steps"},
		{name: "every third call", steps: 9_999, step: everyThird, fails: "at least 3333 allocations in 9999 steps"},
		{name: "one scenario", steps: 1, step: func() {
			for range 300 {
				everyThird()
			}
		}, fails: "at least 100 allocations in 1 steps"},
		{name: "no step", steps: 0, step: func() {}, fails: "steps is 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sink, calls = nil, 0
			r := &recorder{TB: t}
			procs := runtime.GOMAXPROCS(0)
			r.run(func() { alloctest.Zero(r, tt.steps, tt.step) })

			if israce.Enabled {
				if !strings.HasPrefix(r.skipped, "race:") {
					t.Fatalf("skipped with %q under the race detector, want a reason beginning race:", r.skipped)
				}
				return
			}
			if r.skipped != "" {
				t.Fatalf("skipped: %s", r.skipped)
			}
			if tt.fails == "" && r.failed != "" {
				t.Errorf("failed: %s", r.failed)
			}
			if tt.fails != "" && !strings.Contains(r.failed, tt.fails) {
				t.Errorf("failure is %q, want one with %q", r.failed, tt.fails)
			}
			if now := runtime.GOMAXPROCS(0); now != procs {
				t.Errorf("GOMAXPROCS is %d afterwards, was %d", now, procs)
			}
		})
	}
}

// recorder is a testing.TB that keeps the verdict instead of passing it on.
type recorder struct {
	testing.TB
	failed, skipped string
}

// run calls f in a goroutine of its own, as the testing package does, so that
// Fatalf and Skip can end it.
func (r *recorder) run(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { r.failed = fmt.Sprintf(format, args...) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skip(args ...any) {
	r.skipped = fmt.Sprint(args...)
	runtime.Goexit()
}
