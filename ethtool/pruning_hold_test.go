// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"errors"
	"testing"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// TestHoldSourcePruning holds settings of each kind, and those that are so already.
func TestHoldSourcePruning(t *testing.T) {
	for _, tt := range []struct {
		name          string
		nic           *ethtooltest.NIC
		prune         bool
		setting       ethtool.Control
		before, after string
	}{
		{"flag", pruneI40E(false), false, ethtool.ControlPrivateFlag, "off", "on"},
		{"flag, so already", pruneI40E(true), false, ethtool.ControlPrivateFlag, "on", "on"},
		{"macvlan", ethtooltest.Macvlan("lower", "vepa"), false, ethtool.ControlMacvlanMode, "vepa", "private"},
		{"bridge", pruneIXGBE("veb"), true, ethtool.ControlBridgeMode, "veb", "vepa"},
		{"feature", ethtooltest.MLX4MultiFunction("0000:3b:00.0"), false, ethtool.ControlFeature, "off", "on"},
		{"nothing to hold", ethtooltest.Veth(), false, 0, "", ""},
		{"prunes anyway", ethtooltest.ICE("0000:3b:00.0"), true, 0, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := ethtooltest.NewKernel(nil)
			k.Add("lower", ethtooltest.Veth())
			k.Add("nic", tt.nic)
			c := pruneClient(t, k.Transport())
			state := func() ethtool.PruningState {
				p, err := c.SourcePruning(t.Context(), ethtool.Link{Name: "nic"})
				if err != nil {
					t.Fatal(err)
				}
				return p.State
			}
			first := state()
			h, err := c.HoldSourcePruning(t.Context(), ethtool.Link{Name: "nic"}, tt.prune, nil)
			if err != nil {
				t.Fatal(err)
			}
			ch := h.Change()
			if ch.Control != tt.setting || ch.Before != tt.before || ch.After != tt.after || ch.Changed != (tt.before != tt.after) {
				t.Errorf("%+v", ch)
			}
			if got := state() == ethtool.Prunes; got != tt.prune {
				t.Errorf("held, and prunes: %v", got)
			}
			if _, err := h.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if got := state(); got != first {
				t.Errorf("released: %v, at first %v", got, first)
			}
		})
	}
}

// TestHoldSourcePruningFails leaves nothing behind.
func TestHoldSourcePruningFails(t *testing.T) {
	k := ethtooltest.NewKernel(&ethtooltest.Config{Release: "6.8.0"})
	k.Add("nic", pruneI40E(false))
	k.Add("ice", ethtooltest.ICE("0000:5e:00.0"))
	c := pruneClient(t, k.Transport())
	if _, err := c.HoldSourcePruning(t.Context(), ethtool.Link{Name: "nic"}, false, nil); !errors.Is(err, ethtool.ErrNotVerified) {
		t.Errorf("no reset: %v", err)
	}
	if k.Flag("nic", "disable-source-pruning") {
		t.Error("the flag is still on")
	}
	_, err := c.HoldSourcePruning(t.Context(), ethtool.Link{Name: "ice"}, false, nil)
	if e, ok := errors.AsType[*ethtool.Error](err); !ok || !errors.Is(err, ethtool.ErrHardWired) || len(e.Workarounds) == 0 {
		t.Errorf("hard-wired: %v", err)
	}
	// The setting is free again.
	if _, err := c.Hold(t.Context(), ethtool.Link{Name: "nic"}, "disable-source-pruning", true, nil); err != nil {
		t.Error(err)
	}
}
