// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import (
	"fmt"
	"net/netip"

	"github.com/bondkit/bondkit/arpmon"
)

// A Rig is the network most tests want: a host under test whose slaves e1, e2
// and so on are each connected to a switch of their own, sw1, sw2 and so on;
// these to a switch core; and there one host for each target, A, B and so on.
type Rig struct {
	*Network
	Core     *Switch
	Switches []*Switch
	// Uplinks are the links from the Switches to Core.
	Uplinks []*Link
	// Targets are the hosts that are asked, and TargetLinks their links to
	// Core.
	Targets     []*Host
	TargetLinks []*Link
	Mon         *Monitor
	// Slaves are the slaves of Mon. The first is active.
	Slaves []*Slave
}

// NewRig builds a Rig with a number of slaves. Without Targets in the
// configuration, two are used: 192.0.2.1 and 192.0.2.2.
func NewRig(seed uint64, slaves int, cfg arpmon.Config) (*Rig, error) {
	if len(cfg.Targets) == 0 {
		cfg.Targets = Addresses(2)
	}
	cfg.MaxSlaves = max(cfg.MaxSlaves, slaves, arpmon.DefaultMaxSlaves)
	r := &Rig{Network: New(seed)}
	var err error
	if r.Mon, err = r.NewMonitor(cfg); err != nil {
		return nil, err
	}
	r.Core = r.AddSwitch("core")
	for _, t := range cfg.Targets {
		r.AddTarget(t)
	}
	for range slaves {
		if _, err := r.Grow(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// AddTarget adds the host for one more target to Core. It does not tell Mon.
func (r *Rig) AddTarget(t arpmon.Target) *Host {
	n := len(r.Targets)
	name := string(rune('A' + n%26))
	if n >= 26 {
		name += fmt.Sprint(n / 26)
	}
	h := r.AddHost(name, t.Addr)
	r.Targets = append(r.Targets, h)
	r.TargetLinks = append(r.TargetLinks, r.Connect(h, r.Core))
	return h
}

// Grow adds a switch and a slave that is connected to it.
func (r *Rig) Grow() (*Slave, error) {
	n := len(r.Switches)
	sw := r.AddSwitch(fmt.Sprint("sw", n+1))
	s, err := r.Mon.AddSlave(fmt.Sprint("e", n+1), sw, arpmon.SlaveConfig{Active: n == 0})
	if err != nil {
		return nil, err
	}
	r.Switches = append(r.Switches, sw)
	r.Uplinks = append(r.Uplinks, r.Connect(sw, r.Core))
	r.Slaves = append(r.Slaves, s)
	return s, nil
}

// Addresses returns n targets, 192.0.2.1 and so on. It panics where n is more
// than 254.
func Addresses(n int) []arpmon.Target {
	if n > 254 {
		panic("arpmontest: Addresses: more than 254")
	}
	targets := make([]arpmon.Target, n)
	for i := range targets {
		targets[i] = arpmon.IPv4(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}))
	}
	return targets
}
