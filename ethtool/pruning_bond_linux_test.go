// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"testing"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/internal/lab"
)

// TestPruningBond is the story of a backup that the kernel's monitor never believes: the slaves
// are macvlan interfaces of mode vepa, which prune as some NICs do.
func TestPruningBond(t *testing.T) {
	lab.Require(t, lab.NeedBonding)
	l := lab.Start(t, &lab.Config{Chatty: 1, Rig: lab.RigVEPA, Bond: []string{
		"mode", "active-backup", "arp_interval", "200", "arp_validate", "all", "arp_ip_target", "192.0.2.1",
	}})
	c := rigDial(t, l)
	expect := func(want ethtool.PruningState, mode string) {
		t.Helper()
		for _, name := range l.Slaves() {
			p, err := c.SourcePruning(t.Context(), ethtool.Link{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			if p.State != want || p.Control != ethtool.ControlMacvlanMode || p.Value != mode || p.Driver != "macvlan" {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
	// Which slave is active is left open: a busy machine can make the monitor fail over.
	kernelSays := func(active, backup string) {
		t.Helper()
		var last lab.BondState
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the kernel's last word: %+v", last)
			}
		})
		rigUntil(t, "the active slave "+active+" and the backup "+backup, func() bool {
			var err error
			if last, err = l.BondState(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, s := range last.Slaves {
				if want := map[bool]string{true: active, false: backup}[s.Name == last.Active]; s.MIIStatus != want {
					return false
				}
			}
			return last.Active != ""
		})
	}
	expect(ethtool.Prunes, "vepa")
	if major, _ := rigRelease(t); major < 6 {
		t.Log("before 6.0 the kernel's monitor goes by when these devices last sent, which they do not note")
		return
	}
	kernelSays("UP", "DOWN")

	var holds []*ethtool.Hold
	for _, name := range []string{"e2", "e1"} {
		h, err := c.HoldSourcePruning(t.Context(), ethtool.Link{Name: name}, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if ch := h.Change(); !ch.Changed || !ch.Verified || ch.Before != "vepa" || ch.After != "private" || ch.Link.Name != name {
			t.Errorf("%s: %+v", name, ch)
		}
		holds = append(holds, h)
	}
	expect(ethtool.Delivers, "private")
	kernelSays("UP", "UP")

	for _, h := range holds {
		change, err := h.Release(t.Context())
		if err != nil || change.After != "vepa" {
			t.Errorf("released: %+v, %v", change, err)
		}
	}
	expect(ethtool.Prunes, "vepa")
	kernelSays("UP", "DOWN")
}
