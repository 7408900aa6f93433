// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// settingKernel has one interface for each kind of setting.
func settingKernel() *ethtooltest.Kernel {
	k := ethtooltest.NewKernel(nil)
	k.Add("i40e", ethtooltest.I40E("0000:3b:00.0"))
	k.Add("mv", ethtooltest.Macvlan("i40e", "bridge"))
	k.Add("tap", &ethtooltest.NIC{Kind: "macvtap", Lower: "i40e", MacvlanMode: "passthru"})
	k.Add("ixgbe", pruneIXGBE("veb"))
	k.Add("mlx4", ethtooltest.MLX4MultiFunction("0000:5e:00.0"))
	fixed := ethtooltest.MLX4("0000:5f:00.0")
	fixed.Features = []ethtooltest.Feature{{Name: "loopback", Fixed: true}}
	k.Add("fixed", fixed)
	k.Add("veth", ethtooltest.Veth())
	return k
}

// TestWriteSetting changes each kind of setting, there and back, and reads it.
func TestWriteSetting(t *testing.T) {
	k := settingKernel()
	c := pruneClient(t, k.Transport())
	for _, tt := range []struct {
		link    string
		control ethtool.Control
		name    string
		values  []string // the first is there
	}{
		{"i40e", ethtool.ControlPrivateFlag, "disable-source-pruning", []string{"off", "on", "off"}},
		{"mv", ethtool.ControlMacvlanMode, "", []string{"bridge", "vepa", "private", "source", "bridge"}},
		{"ixgbe", ethtool.ControlBridgeMode, "", []string{"veb", "vepa", "veb"}},
		{"mlx4", ethtool.ControlFeature, "loopback", []string{"off", "on", "off"}},
	} {
		link := ethtool.Link{Name: tt.link}
		for i, value := range tt.values {
			k.ResetRequests()
			change, err := c.WriteSetting(t.Context(), link, tt.control, tt.name, value)
			if err != nil {
				t.Fatal(err)
			}
			want := ethtool.Change{
				Link: k.Link(tt.link), Control: tt.control, Name: tt.name, Before: tt.values[max(i-1, 0)], After: value,
				Changed: i > 0, Verified: true, Via: change.Via, Took: change.Took, CarrierChanges: change.CarrierChanges,
			}
			if change != want || (change.Via == ethtool.ViaNetlink) != change.Changed || len(k.Changes()) != min(i, 1) {
				t.Errorf("%s: %+v, want %+v", tt.link, change, want)
			}
			if got, err := c.ReadSetting(t.Context(), link, tt.control, tt.name); got != value || err != nil {
				t.Errorf("%s: %q, %v", tt.link, got, err)
			}
		}
	}
}

// TestWriteSettingRefused gives each kind of refusal its meaning, and changes nothing.
func TestWriteSettingRefused(t *testing.T) {
	for _, tt := range []struct {
		link    string
		control ethtool.Control
		name    string
		value   string
		nobody  bool
		want    error
	}{
		{"i40e", ethtool.ControlPrivateFlag, "disable-source-pruning", "maybe", false, ethtool.ErrBadValue},
		{"i40e", ethtool.ControlPrivateFlag, "no-such-flag", "on", false, ethtool.ErrUnknownFlag},
		{"mv", ethtool.ControlMacvlanMode, "", "hub", false, ethtool.ErrBadValue},
		{"mv", ethtool.ControlMacvlanMode, "", "private", true, os.ErrPermission},
		{"mv", ethtool.ControlMacvlanMode, "", "passthru", false, ethtool.ErrRefused},
		{"tap", ethtool.ControlMacvlanMode, "", "private", false, ethtool.ErrRefused},
		{"i40e", ethtool.ControlMacvlanMode, "", "private", false, errors.ErrUnsupported},
		{"ixgbe", ethtool.ControlBridgeMode, "", "bridge", false, ethtool.ErrBadValue},
		{"ixgbe", ethtool.ControlBridgeMode, "", "vepa", true, os.ErrPermission},
		{"i40e", ethtool.ControlBridgeMode, "", "vepa", false, errors.ErrUnsupported},
		{"mlx4", ethtool.ControlFeature, "loopback", "2", false, ethtool.ErrBadValue},
		{"mlx4", ethtool.ControlFeature, "loopback", "on", true, os.ErrPermission},
		{"fixed", ethtool.ControlFeature, "loopback", "on", false, ethtool.ErrNotVerified},
		{"i40e", ethtool.ControlHost, "", "on", false, errors.ErrUnsupported},
		{"gone", ethtool.ControlFeature, "loopback", "on", false, ethtool.ErrNoDevice},
	} {
		k := settingKernel()
		tr := k.Transport()
		if tt.nobody {
			tr = k.Unprivileged()
		}
		change, err := pruneClient(t, tr).WriteSetting(t.Context(), ethtool.Link{Name: tt.link}, tt.control, tt.name, tt.value)
		e, ok := errors.AsType[*ethtool.Error](err)
		if !ok || !errors.Is(err, tt.want) || e.Link != tt.link || change.Verified {
			t.Errorf("%+v: %v, %+v", tt, err, change)
		}
		if change.Before != change.After {
			t.Errorf("%+v changed it: %+v", tt, change)
		}
	}
}

// TestWriteSettingTorn loses the answer, or the reading back.
func TestWriteSettingTorn(t *testing.T) {
	broken := &ethtool.KernelError{Errno: syscall.EIO}
	k := settingKernel()
	c := pruneClient(t, k.Transport())
	link := ethtool.Link{Name: "mv"}
	k.FailAfter(func(call ethtooltest.Call) error {
		if call.Write {
			return broken
		}
		return nil
	})
	change, err := c.WriteSetting(t.Context(), link, ethtool.ControlMacvlanMode, "", "private")
	if !errors.Is(err, syscall.EIO) || !change.Changed || change.After != "private" {
		t.Errorf("the answer is lost: %+v, %v", change, err)
	}

	wrote := false
	k.FailAfter(func(call ethtooltest.Call) error {
		wrote = wrote || call.Write
		if wrote && !call.Write {
			return broken
		}
		return nil
	})
	change, err = c.WriteSetting(t.Context(), link, ethtool.ControlMacvlanMode, "", "vepa")
	if !errors.Is(err, ethtool.ErrNotVerified) || !errors.Is(err, syscall.EIO) || !change.Changed || change.Verified {
		t.Errorf("it cannot be read back: %+v, %v", change, err)
	}

	k.FailAfter(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.WriteSetting(ctx, link, ethtool.ControlMacvlanMode, "", "private"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestReadSettingMangled reads settings out of damaged messages.
func TestReadSettingMangled(t *testing.T) {
	for _, tt := range []struct {
		link    string
		control ethtool.Control
		name    string
	}{
		{"ixgbe", ethtool.ControlBridgeMode, ""}, {"mlx4", ethtool.ControlFeature, "loopback"}, {"mv", ethtool.ControlMacvlanMode, ""},
	} {
		for cut := range 200 {
			k := settingKernel()
			k.Mangle(func(_ ethtooltest.Call, b []byte) []byte { return b[:max(0, len(b)-cut)] })
			value, err := pruneClient(t, k.Transport()).ReadSetting(t.Context(), ethtool.Link{Name: tt.link}, tt.control, tt.name)
			if value != "" && err != nil {
				t.Fatalf("%q and %v", value, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "ethtool: read setting "+tt.link) {
				t.Fatalf("error %q", err)
			}
		}
	}
}

func FuzzParseBridgeMode(f *testing.F) {
	f.Add([]byte{12, 0, 26, 0, 6, 0, 1, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		mode, ok, err := ethtool.ParseBridgeMode(b)
		if ok != (mode != "") || ok && err != nil || err != nil && !errors.Is(err, ethtool.ErrMalformed) {
			t.Errorf("%q, %v, %v", mode, ok, err)
		}
	})
}

func FuzzParseFeature(f *testing.F) {
	f.Add([]byte{8, 0, 4, 0, 4, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		on, ok, err := ethtool.ParseFeature(b, "loopback")
		if on && !ok || ok && err != nil || err != nil && !errors.Is(err, ethtool.ErrMalformed) {
			t.Errorf("%v, %v, %v", on, ok, err)
		}
	})
}
