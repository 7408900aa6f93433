// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// unusable are configurations that are refused before the system is asked
// anything, which is why the interfaces need not exist.
var unusable = []struct {
	name  string
	spoil func(*arpmon.MonitorConfig)
	want  error
	text  string // part of the message
}{
	{"no slave", func(c *arpmon.MonitorConfig) { c.Slaves = nil }, arpmon.ErrNoSlave, "Slaves"},
	{"empty slave", func(c *arpmon.MonitorConfig) { c.Slaves = []string{""} }, os.ErrInvalid, `""`},
	{"slave with a slash", func(c *arpmon.MonitorConfig) { c.Slaves = []string{"a/b"} }, os.ErrInvalid, `"a/b"`},
	{"slave with a zero byte", func(c *arpmon.MonitorConfig) { c.Slaves = []string{"e1\x00"} }, os.ErrInvalid, `e1\x00`},
	{"long slave", func(c *arpmon.MonitorConfig) { c.Slaves = []string{strings.Repeat("x", 128)} }, os.ErrInvalid, "xxx"},
	{"slave twice", func(c *arpmon.MonitorConfig) { c.Slaves = []string{"e1", "e2", "e1"} }, arpmon.ErrDuplicate, "e1"},
	{"no target", func(c *arpmon.MonitorConfig) { c.Targets = nil }, arpmon.ErrNoTargets, "Targets"},
	{"target twice", func(c *arpmon.MonitorConfig) { c.Targets = append(c.Targets, c.Targets[0]) }, arpmon.ErrDuplicate, "192.0.2.1"},
	{
		"IPv6 target", func(c *arpmon.MonitorConfig) { c.Targets[0].Addr = netip.MustParseAddr("2001:db8::1") },
		arpmon.ErrUnsupportedTarget, "2001:db8::1",
	},
	{
		"VLAN target", func(c *arpmon.MonitorConfig) { c.Targets[0].VLANs[0] = arpmon.VLAN{ID: 100} },
		errors.ErrUnsupported, "vlan 100",
	},
	{
		"multicast target", func(c *arpmon.MonitorConfig) { c.Targets[0].Addr = netip.MustParseAddr("224.0.0.1") },
		arpmon.ErrBadTarget, "224.0.0.1",
	},
	{"zero target", func(c *arpmon.MonitorConfig) { c.Targets[0] = arpmon.Target{} }, arpmon.ErrBadTarget, ""},
	{"interval under the floor", func(c *arpmon.MonitorConfig) { c.Interval = time.Millisecond; c.MaxPPS = 1e6 }, arpmon.ErrInterval, "10ms"},
	{
		"interval over the budget", func(c *arpmon.MonitorConfig) { c.Interval = 100 * time.Millisecond },
		arpmon.ErrPacketBudget, "115ms",
	},
	{"timeout too long", func(c *arpmon.MonitorConfig) { c.Timeout = time.Second }, arpmon.ErrInterval, "375ms"},
	{"policy of more targets", func(c *arpmon.MonitorConfig) { c.Policy = arpmon.PolicyAtLeast(2) }, arpmon.ErrPolicy, "at-least-2"},
	{"unknown active", func(c *arpmon.MonitorConfig) { c.Active = "e9" }, arpmon.ErrNoSlave, "e9"},
	{"two namespaces", func(c *arpmon.MonitorConfig) { c.NetNS, c.NetNSPath = 7, "/run/netns/x" }, os.ErrInvalid, "/run/netns/x"},
	{"negative namespace", func(c *arpmon.MonitorConfig) { c.NetNS = -1 }, os.ErrInvalid, "NetNS"},
	{"unknown identity", func(c *arpmon.MonitorConfig) { c.Identity = 9 }, os.ErrInvalid, "identity(9)"},
	{
		"addresses without explicit", func(c *arpmon.MonitorConfig) { c.MACs = map[string]net.HardwareAddr{"e1": {2, 0, 0, 0, 0, 1}} },
		os.ErrInvalid, "MACs",
	},
	{
		"explicit without an address", func(c *arpmon.MonitorConfig) {
			c.Identity = arpmon.IdentityExplicit
			c.MACs = map[string]net.HardwareAddr{"e1": {2, 0, 0, 0, 0, 1}}
		}, os.ErrInvalid, "e2",
	},
	{
		"explicit with one too many", func(c *arpmon.MonitorConfig) {
			c.Identity = arpmon.IdentityExplicit
			c.MACs = map[string]net.HardwareAddr{"e1": {2, 0, 0, 0, 0, 1}, "e2": {2, 0, 0, 0, 0, 2}, "e3": {2, 0, 0, 0, 0, 3}}
		}, arpmon.ErrNoSlave, "e3",
	},
	{
		"explicit with the same twice", func(c *arpmon.MonitorConfig) {
			c.Identity = arpmon.IdentityExplicit
			c.MACs = map[string]net.HardwareAddr{"e1": {2, 0, 0, 0, 0, 1}, "e2": {2, 0, 0, 0, 0, 1}}
		}, arpmon.ErrDuplicate, "02:00:00:00:00:01",
	},
	{
		"explicit multicast", func(c *arpmon.MonitorConfig) {
			c.Identity = arpmon.IdentityExplicit
			c.MACs = map[string]net.HardwareAddr{"e1": {3, 0, 0, 0, 0, 1}, "e2": {2, 0, 0, 0, 0, 1}}
		}, arpmon.ErrUnsafeIdentity, "03:00:00:00:00:01",
	},
	{
		"explicit of a wrong length", func(c *arpmon.MonitorConfig) {
			c.Identity = arpmon.IdentityExplicit
			c.MACs = map[string]net.HardwareAddr{"e1": {2, 0, 0, 0, 0, 1, 0, 0}, "e2": {2, 0, 0, 0, 0, 1}}
		}, arpmon.ErrUnsafeIdentity, "02:00:00:00:00:01:00:00",
	},
	{"IPv6 sender", func(c *arpmon.MonitorConfig) { c.Sender = netip.MustParseAddr("2001:db8::1") }, os.ErrInvalid, "Sender"},
	{"multicast sender", func(c *arpmon.MonitorConfig) { c.Sender = netip.MustParseAddr("224.0.0.1") }, os.ErrInvalid, "Sender"},
	{"broadcast sender", func(c *arpmon.MonitorConfig) { c.Sender = netip.MustParseAddr("255.255.255.255") }, os.ErrInvalid, "Sender"},
	{
		"sender is a target", func(c *arpmon.MonitorConfig) { c.Sender = netip.MustParseAddr("::ffff:192.0.2.1") },
		arpmon.ErrUnsafeIdentity, "target",
	},
}

// TestMonitorConfigRefused needs no privilege, interface or Linux: what is wrong
// is said before anything is opened.
func TestMonitorConfigRefused(t *testing.T) {
	for _, tt := range unusable {
		t.Run(tt.name, func(t *testing.T) {
			cfg := arpmon.MonitorConfig{
				Config: arpmon.Config{Targets: []arpmon.Target{arpmon.IPv4(netip.MustParseAddr("192.0.2.1"))}},
				Slaves: []string{"e1", "e2"},
			}
			tt.spoil(&cfg)
			m, err := arpmon.NewMonitor(cfg)
			if m != nil {
				t.Error("there is a Monitor")
			}
			if _, ok := errors.AsType[*arpmon.Error](err); !ok || !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "failed to") {
				t.Errorf("error %q does not say %q", err, tt.text)
			}
		})
	}
}

// TestMonitorConfigKept makes sure that a configuration stays the caller's.
func TestMonitorConfigKept(t *testing.T) {
	cfg := arpmon.MonitorConfig{
		Config: arpmon.Config{Targets: []arpmon.Target{arpmon.IPv4(netip.MustParseAddr("192.0.2.1"))}},
		Slaves: []string{"arpmon-no-such-interface"},
	}
	_, err := arpmon.NewMonitor(cfg)
	want := os.ErrNotExist
	if runtime.GOOS != "linux" {
		want = errors.ErrUnsupported
	}
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
	if cfg.Slaves[0] != "arpmon-no-such-interface" || cfg.Interval != 0 || cfg.MaxSlaves != 0 {
		t.Errorf("changed to %+v", cfg)
	}
}

func TestIdentityPolicyText(t *testing.T) {
	for p, want := range map[arpmon.IdentityPolicy]string{
		arpmon.IdentityAuto: "auto", arpmon.IdentityDevice: "device", arpmon.IdentityExplicit: "explicit", 9: "identity(9)",
	} {
		text, err := p.MarshalText()
		if err != nil || string(text) != want {
			t.Errorf("%d: %q, %v, want %q", p, text, err, want)
		}
		back := arpmon.IdentityPolicy(99)
		if err := back.UnmarshalText(text); err != nil || back != p {
			t.Errorf("%q: %v, %v", text, back, err)
		}
	}
	var p arpmon.IdentityPolicy
	if err := p.UnmarshalText([]byte("nobody")); err == nil {
		t.Error("an unknown word is taken")
	}
}
