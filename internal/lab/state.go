// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
)

// HardwareAddr returns the MAC address of a device as it is now.
func (l *Lab) HardwareAddr(n *Namespace, dev string) (net.HardwareAddr, error) {
	var mac net.HardwareAddr
	err := n.Do(func() error {
		d, err := net.InterfaceByName(dev)
		if err == nil {
			mac = d.HardwareAddr
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: MAC of %s in %s: %w", dev, n.name, err)
	}
	return mac, nil
}

// FDB returns what a switch (sw1, sw2, sw3 or core) has learned: the port of
// every MAC address. The addresses of its own ports are left out.
func (l *Lab) FDB(ctx context.Context, sw string) (map[MAC]string, error) {
	out, err := l.fabric.Run(ctx, "bridge", "-j", "fdb", "show", "br", sw)
	if err != nil {
		return nil, err
	}
	var entries []struct {
		MAC    string `json:"mac"`
		Port   string `json:"ifname"`
		State  string `json:"state"`
		Master string `json:"master"`
	}
	if err := unmarshal(out, &entries); err != nil {
		return nil, fmt.Errorf("lab: fdb of %s: %w", sw, err)
	}
	fdb := make(map[MAC]string)
	for _, e := range entries {
		mac, err := net.ParseMAC(e.MAC)
		if err != nil || e.State == "permanent" || e.Master != sw {
			continue
		}
		fdb[toMAC(mac)] = e.Port
	}
	return fdb, nil
}

// Neighbour is an entry of the neighbour table of a host.
type Neighbour struct {
	MAC   MAC    // zero while unresolved
	State string // the kernel's word: REACHABLE, STALE, FAILED and so on
}

// Neighbours returns the neighbour table of a target.
func (l *Lab) Neighbours(ctx context.Context, target string) (map[netip.Addr]Neighbour, error) {
	n, err := l.target(target)
	if err != nil {
		return nil, fmt.Errorf("lab: neighbours: %w", err)
	}
	return n.neighbours(ctx)
}

func (n *Namespace) neighbours(ctx context.Context) (map[netip.Addr]Neighbour, error) {
	out, err := n.Run(ctx, "ip", "-j", "neigh", "show")
	if err != nil {
		return nil, err
	}
	var entries []struct {
		Addr  netip.Addr `json:"dst"`
		MAC   string     `json:"lladdr"`
		State []string   `json:"state"`
	}
	if err := unmarshal(out, &entries); err != nil {
		return nil, fmt.Errorf("lab: neighbours of %s: %w", n.name, err)
	}
	table := make(map[netip.Addr]Neighbour)
	for _, e := range entries {
		var v Neighbour
		if mac, err := net.ParseMAC(e.MAC); err == nil {
			v.MAC = toMAC(mac)
		}
		if len(e.State) > 0 {
			v.State = e.State[0]
		}
		table[e.Addr] = v
	}
	return table, nil
}

// BondState is what the kernel says about the bond.
type BondState struct {
	Active string // name of the active slave, empty for none
	Slaves []BondSlave
}

// BondSlave is what the kernel says about one slave of the bond.
type BondSlave struct {
	Name string
	// State is ACTIVE or BACKUP.
	State string
	// MIIStatus is the verdict of the kernel's monitor: UP, GOING_DOWN, DOWN or
	// GOING_BACK.
	MIIStatus string
	// LinkFailures counts the verdicts from UP to DOWN.
	LinkFailures int
	Carrier      bool
}

// Slave returns one slave by its name, or the zero BondSlave.
func (b BondState) Slave(name string) BondSlave {
	for _, s := range b.Slaves {
		if s.Name == name {
			return s
		}
	}
	return BondSlave{}
}

// BondState reads the state of the bond. It fails with ErrConfig when the lab
// has none.
func (l *Lab) BondState(ctx context.Context) (BondState, error) {
	var b BondState
	if l.cfg.Bond == nil {
		return b, fmt.Errorf("lab: bond state: %w: the lab has no bond", ErrConfig)
	}
	out, err := l.host.Run(ctx, "ip", "-j", "-d", "link", "show")
	if err != nil {
		return b, err
	}
	var links []struct {
		Name     string   `json:"ifname"`
		Flags    []string `json:"flags"`
		LinkInfo struct {
			Data struct {
				ActiveSlave string `json:"active_slave"`
			} `json:"info_data"`
			SlaveKind string `json:"info_slave_kind"`
			SlaveData struct {
				State        string `json:"state"`
				MIIStatus    string `json:"mii_status"`
				LinkFailures int    `json:"link_failure_count"`
			} `json:"info_slave_data"`
		} `json:"linkinfo"`
	}
	if err := unmarshal(out, &links); err != nil {
		return b, fmt.Errorf("lab: bond state: %w", err)
	}
	for _, link := range links {
		if link.Name == BondName {
			b.Active = link.LinkInfo.Data.ActiveSlave
		}
		if link.LinkInfo.SlaveKind != "bond" {
			continue
		}
		s := BondSlave{
			Name:         link.Name,
			State:        link.LinkInfo.SlaveData.State,
			MIIStatus:    link.LinkInfo.SlaveData.MIIStatus,
			LinkFailures: link.LinkInfo.SlaveData.LinkFailures,
			Carrier:      true,
		}
		for _, flag := range link.Flags {
			if flag == "NO-CARRIER" {
				s.Carrier = false
			}
		}
		b.Slaves = append(b.Slaves, s)
	}
	return b, nil
}

// unmarshal reads JSON of iproute2, which prints nothing at all for an empty
// list in some versions and empty objects for filtered entries in others.
func unmarshal(out []byte, v any) error {
	if len(out) == 0 {
		return nil
	}
	return json.Unmarshal(out, v)
}
