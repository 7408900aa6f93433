// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/arpmon"
)

func requireSame(t *testing.T, want, got *arpmon.Snapshot) {
	t.Helper()
	opts := cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreUnexported(arpmon.Snapshot{}), cmpopts.EquateErrors()}
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Fatalf("snapshot (-want +got):\n%s", diff)
	}
}

// FuzzHandle compares Handle with the reference validator, frame by frame, and
// checks that a rejected frame changed its counter and nothing else.
func FuzzHandle(f *testing.F) {
	e, id, ref, probes := judged(f)
	for _, p := range probes {
		for _, frame := range variants(replyTo(p.Frame(), macA)) {
			f.Add(frame, uint16(0), false)
		}
		f.Add(p.Frame(), uint16(7), true)
	}
	var before, after arpmon.Snapshot
	f.Fuzz(func(t *testing.T, frame []byte, vlan uint16, outgoing bool) {
		m := arpmon.Meta{VLAN: arpmon.VLAN{ID: vlan}, Outgoing: outgoing}
		want := ref.verdict(frame, m)
		if want == arpmon.Accepted {
			e, id, _, _ = judged(t)
		}
		e.Snapshot(&before)
		if got := e.Handle(id, frame, m, 200*ms); got != want {
			t.Fatalf("Handle = %v, want %v", got, want)
		}
		if want == arpmon.Accepted {
			return
		}
		e.Snapshot(&after)
		before.Slave(id).Frames[want]++
		before.At = after.At
		if !same(&before, &after) {
			requireSame(t, &before, &after)
			t.Fatal("snapshots differ")
		}
	})
}

// same is a fast comparison of what frames could change.
func same(a, b *arpmon.Snapshot) bool {
	if a.At != b.At || a.Group != b.Group || a.Seq != b.Seq || a.Stats != b.Stats || a.Stopped != b.Stopped || len(a.Slaves) != len(b.Slaves) {
		return false
	}
	for i := range a.Slaves {
		x, y := a.Slaves[i], b.Slaves[i]
		for j := range x.Pairs {
			if x.Pairs[j] != y.Pairs[j] {
				return false
			}
		}
		if x.ID != y.ID || x.State != y.State || x.Reason != y.Reason || x.Frames != y.Frames ||
			x.Sent != y.Sent || x.NotSent != y.NotSent || x.Transitions != y.Transitions ||
			x.SourceMismatch != y.SourceMismatch || x.Identity != y.Identity || x.Link != y.Link {
			return false
		}
	}
	return true
}
