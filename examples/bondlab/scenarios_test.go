// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// TestTruth has the names and the truth a second time: they are a promise.
func TestTruth(t *testing.T) {
	want := []string{
		"healthy up up ok",
		"both-cut down down group-failure",
		"active-cut-chatter down up ok",
		"active-cut-lldp down up ok",
		"backup-cut-chatter up down ok",
		"backup-cut-silent up down ok",
		"backup-tx-dead up down ok",
		"active-tx-dead-target-asks down up ok",
		"active-tx-dead-silent down up ok",
		"transmit-stuck down up ok",
		"source-pruning up up ok",
		"backup-deaf up down ok",
		"target-dead-chatter down down group-failure",
		"one-target-of-two-dead up up ok",
		"forged-replies down up ok",
		"no-side-effects up up ok",
		"monitor-stalled up up ok",
	}
	var got []string
	for _, sc := range scenarios() {
		got = append(got, strings.Join([]string{sc.name, sc.truth[0], sc.truth[1], sc.group}, " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("truth (-want +got):\n%s", diff)
	}
}

// TestScenarioTable checks that every row makes sense.
func TestScenarioTable(t *testing.T) {
	for _, sc := range scenarios() {
		if sc.title == "" || len(sc.title) > 68 {
			t.Errorf("%s: the title %q does not fit a line of the view", sc.name, sc.title)
		}
		for _, text := range append(slices.Clone(sc.noise), sc.faults...) {
			name, _, _ := strings.Cut(text, " ")
			if !slices.Contains(lab.FaultNames(), name) {
				t.Errorf("%s: %q is no fault of the lab", sc.name, text)
			}
		}
		for _, name := range sc.targetNames() {
			if !new(lab.Lab).Addr(name).IsValid() {
				t.Errorf("%s: no target %q", sc.name, name)
			}
		}
		if sc.truth[0] == down && sc.truth[1] == down != (sc.group == groupFailure) {
			t.Errorf("%s: the group is %s and the slaves are %v", sc.name, sc.group, sc.truth)
		}
		if len(sc.policyList()) == 0 || sc.policyList()[0] != arpmon.PolicyAny {
			t.Errorf("%s: policies are %v, want any first", sc.name, sc.policyList())
		}
	}
}

// TestForgedAs checks that every kind that the lab forges is accounted for, and
// that the shares of the kinds make up the whole.
func TestForgedAs(t *testing.T) {
	kinds := 0
	for f := lab.Forgery(1); f&lab.ForgeAll != 0; f <<= 1 {
		kinds++
	}
	if kinds != len(forgedAs) {
		t.Fatalf("the lab forges %d kinds, and %d have a reason", kinds, len(forgedAs))
	}
	for n := range uint64(3 * kinds) {
		for everybody := range 2 {
			var sum uint64
			for _, c := range addForged(nil, n, everybody) {
				sum += c
			}
			if sum != n {
				t.Errorf("%d forged frames are counted as %d", n, sum)
			}
		}
	}
	first := addForged(nil, 1, 0)
	if diff := cmp.Diff(map[arpmon.Verdict]uint64{arpmon.RejectOpcode: 1}, first, cmp.Transformer("used", used)); diff != "" {
		t.Errorf("the first frame (-want +got):\n%s", diff)
	}
}

// used leaves out counters that are zero.
func used(m map[arpmon.Verdict]uint64) map[string]uint64 {
	n := make(map[string]uint64)
	for v, c := range m {
		if c > 0 {
			n[v.String()] = c
		}
	}
	return n
}

func TestKernelWords(t *testing.T) {
	healthy := lab.BondState{Active: "e1", Slaves: []lab.BondSlave{
		{Name: "e1", MIIStatus: "UP", LinkFailures: 1}, {Name: "e2", MIIStatus: "UP"},
	}}
	if err := unhealthy(&healthy); err != nil {
		t.Errorf("a healthy bond: %v", err)
	}
	for _, spoil := range []func(*lab.BondState){
		func(b *lab.BondState) { b.Active = "e2" },
		func(b *lab.BondState) { b.Active = "" },
		func(b *lab.BondState) { b.Slaves[1].MIIStatus = "GOING_BACK" },
		func(b *lab.BondState) { b.Slaves = b.Slaves[:1] },
	} {
		bad := healthy
		bad.Slaves = slices.Clone(healthy.Slaves)
		spoil(&bad)
		if unhealthy(&bad) == nil {
			t.Errorf("healthy: %+v", bad)
		}
	}
	for _, tt := range []struct {
		status   string
		failures int
		word     string
		failed   int
	}{
		{"UP", 1, up, 0},
		{"DOWN", 2, down, 1},
		{"GOING_BACK", 2, down, 1},
		{"GOING_DOWN", 1, down, 0},
		{"UP", 3, up, 2},
		{"DOWN", 9, down, 8},
	} {
		word, failed := kernelWord(healthy.Slaves[0], lab.BondSlave{MIIStatus: tt.status, LinkFailures: tt.failures})
		if word != tt.word || failed != tt.failed {
			t.Errorf("%s with %d failures is %s after %d, want %s after %d", tt.status, tt.failures, word, failed, tt.word, tt.failed)
		}
	}
	want := "mode active-backup arp_interval 250 arp_ip_target 192.0.2.1,192.0.2.2 arp_validate filter"
	if got := strings.Join(bondOptions(250e6, []string{"A", "B"}, "filter"), " "); got != want {
		t.Errorf("bond options %q, want %q", got, want)
	}
}

func TestLateness(t *testing.T) {
	var l lateness
	now := time.Unix(1, 0)
	for _, step := range []time.Duration{0, lateEvery, lateEvery + 3*time.Millisecond, lateEvery / 2, 15 * lateEvery, lateEvery} {
		now = now.Add(step)
		l.wake(now)
	}
	if want := 14 * lateEvery; l.worst != want {
		t.Errorf("late by %v, want %v", l.worst, want)
	}
}

func TestTooOld(t *testing.T) {
	for release, old := range map[string]bool{
		"5.10.0-46-cloud-amd64": true, "4.19.1": true, "6.0.0": false, "6.12.117+deb13-cloud-amd64": false, "7.2.13": false, "": false,
	} {
		if got := tooOld(release) != ""; got != old {
			t.Errorf("%q is too old: %v, want %v", release, got, old)
		}
	}
}
