// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"runtime"
	"testing"

	"github.com/bondkit/bondkit/internal/alloctest"
	"github.com/bondkit/bondkit/internal/israce"
	"github.com/bondkit/bondkit/procfs"
)

// benchmarks are the texts of the budgets: 2 slaves, LACP with 2 slaves, LACP
// with 20.
func benchmarks(tb testing.TB) map[string][]byte {
	return map[string][]byte{
		"2 slaves":       text(tb, "112-vm-7.3-ab-primary-always"),
		"LACP 2 slaves":  text(tb, "156-vm-7.3-8023ad-negotiated-2"),
		"LACP 20 slaves": text(tb, "159-vm-7.3-8023ad-20slaves"),
	}
}

func BenchmarkUnmarshalText(b *testing.B) {
	for name, p := range benchmarks(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(p)))
			var bond procfs.Bond
			for b.Loop() {
				if err := bond.UnmarshalText(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseBytes(b *testing.B) {
	for name, p := range benchmarks(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				if _, err := procfs.ParseBytes(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendText(b *testing.B) {
	for name, p := range benchmarks(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			bond := parse(b, p)
			buf := make([]byte, 0, 2*len(p))
			for b.Loop() {
				buf, _ = bond.AppendText(buf[:0])
			}
		})
	}
}

// TestUnmarshalTextAlloc: a Bond that is used again takes no memory, whatever
// the mode.
func TestUnmarshalTextAlloc(t *testing.T) {
	for _, c := range captures(t) {
		if !c.printed {
			continue
		}
		var b procfs.Bond
		alloctest.Zero(t, 20, func() {
			if err := b.UnmarshalText(c.text); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestAppendTextAlloc: printing into a buffer that is large enough takes none
// either.
func TestAppendTextAlloc(t *testing.T) {
	for _, p := range benchmarks(t) {
		b := parse(t, p)
		buf := make([]byte, 0, 2*len(p))
		alloctest.Zero(t, 100, func() { buf, _ = b.AppendText(buf[:0]) })
	}
}

// TestParseBytesAlloc: a new Bond takes four allocations.
func TestParseBytesAlloc(t *testing.T) {
	if israce.Enabled {
		t.Skip("race: allocation counts are not those of the code under the race detector")
	}
	for name, p := range benchmarks(t) {
		const runs = 1000
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			if _, err := procfs.ParseBytes(p); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		// The runtime itself allocates now and then.
		if got := after.Mallocs - before.Mallocs; got > 4*runs+runs/2 {
			t.Errorf("%s: %d allocations in %d runs", name, got, runs)
		}
	}
}
