// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// target is one interface, with what its bond thinks of it.
type target struct {
	pruning ethtool.Pruning
	slave   *bond.Slave // nil for what is no slave of a bond

	// port is the slave whose port a change resets: slave itself, or what is below; nil
	// where that is none. portBond is its bond.
	port     *bond.Slave
	portBond *bond.Bond
}

func (t *target) link() ethtool.Link { return t.pruning.Link }

// group is interfaces that belong together: slaves of one bond, or those of none.
type group struct {
	bond    *bond.Bond // nil for those of none
	targets []target
}

// host is what there is of interfaces and bonds.
type host struct {
	interfaces []ethtool.Interface
	bonds      []bond.Bond
	slaves     []bond.Slave
}

func (c *call) readHost(ctx context.Context) (*host, error) {
	if err := c.dial(); err != nil {
		return nil, err
	}
	var h host
	var err error
	if h.interfaces, err = c.nics.Interfaces(ctx); err != nil {
		return nil, err
	}
	if h.bonds, err = c.bonds.List(ctx); err == nil && len(h.bonds) > 0 {
		h.slaves, err = c.bonds.AllSlaves(ctx)
	}
	if errors.Is(err, bond.ErrNoModule) {
		err = nil
	}
	return &h, err
}

func (h *host) bond(index int) *bond.Bond {
	if i := slices.IndexFunc(h.bonds, func(b bond.Bond) bool { return b.Index == index }); i >= 0 {
		return &h.bonds[i]
	}
	return nil
}

func (h *host) slave(index int) *bond.Slave {
	if i := slices.IndexFunc(h.slaves, func(s bond.Slave) bool { return s.Index == index }); i >= 0 {
		return &h.slaves[i]
	}
	return nil
}

// name returns the name of an interface, empty for one that is not there.
func (h *host) name(index int) string {
	for i := range h.interfaces {
		if h.interfaces[i].Link.Index == index {
			return h.interfaces[i].Link.Name
		}
	}
	return ""
}

func (h *host) slavesOf(index int) []int {
	var all []int
	for i := range h.slaves {
		if h.slaves[i].Master == index {
			all = append(all, h.slaves[i].Index)
		}
	}
	return all
}

// find returns the index of an interface.
func (h *host) find(link ethtool.Link) (int, error) {
	var names []string
	for i := range h.interfaces {
		have := h.interfaces[i].Link
		if have.Index == link.Index || link.Name != "" && have.Name == link.Name {
			return have.Index, nil
		}
		names = append(names, have.Name)
	}
	hint := ""
	if w := cli.Nearest(link.Name, names); w != "" && link.Name != "" {
		hint = "; did you mean " + cli.Quote(w) + "?"
	}
	return 0, fmt.Errorf("no interface %s%s", quoteLink(link), hint)
}

// choose returns the indexes of the interfaces that operands mean, group by group.
// Without operands it is all slaves, and where there are none, all hardware.
func (h *host) choose(words []string) ([]group, [][]int, error) {
	if len(words) == 0 {
		return h.chooseAll()
	}
	var groups []group
	var chosen [][]int
	add := func(b *bond.Bond, indexes ...int) {
		i := slices.IndexFunc(groups, func(g group) bool { return g.bond == b })
		if i < 0 {
			i = len(groups)
			groups, chosen = append(groups, group{bond: b}), append(chosen, nil)
		}
		for _, index := range indexes {
			if !slices.Contains(chosen[i], index) {
				chosen[i] = append(chosen[i], index)
			}
		}
	}
	for _, word := range words {
		link, err := parseLink(word)
		if err != nil {
			return nil, nil, err
		}
		index, err := h.find(link)
		if err != nil {
			return nil, nil, err
		}
		if b := h.bond(index); b != nil {
			slaves := h.slavesOf(index)
			if len(slaves) == 0 {
				return nil, nil, fmt.Errorf("the bond %s has no slaves", cli.Quote(b.Name))
			}
			add(b, slaves...)
			continue
		}
		var master *bond.Bond
		if s := h.slave(index); s != nil {
			master = h.bond(s.Master)
		}
		add(master, index)
	}
	return groups, chosen, nil
}

func (h *host) chooseAll() ([]group, [][]int, error) {
	var groups []group
	var chosen [][]int
	for i := range h.bonds {
		groups = append(groups, group{bond: &h.bonds[i]})
		chosen = append(chosen, h.slavesOf(h.bonds[i].Index))
	}
	if len(h.slaves) > 0 {
		return groups, chosen, nil
	}
	var hardware []int
	for i := range h.interfaces {
		if h.interfaces[i].Hardware() {
			hardware = append(hardware, h.interfaces[i].Link.Index)
		}
	}
	return append(groups, group{}), append(chosen, hardware), nil
}

// readGroups reads the interfaces that operands mean. Slaves and hardware that vanish meanwhile
// are left out, unless they were named.
func (c *call) readGroups(ctx context.Context, words []string) ([]group, error) {
	h, err := c.readHost(ctx)
	if err != nil {
		return nil, err
	}
	groups, chosen, err := h.choose(words)
	if err != nil {
		return nil, err
	}
	for i := range groups {
		for _, index := range chosen[i] {
			p, err := c.nics.SourcePruning(ctx, ethtool.Link{Index: index})
			switch {
			case errors.Is(err, ethtool.ErrNoDevice) && !slices.Contains(words, h.name(index)):
				continue
			case errors.Is(err, ethtool.ErrNoDevice):
				return nil, fmt.Errorf("%s is no longer there", cli.Quote(h.name(index)))
			case err != nil:
				return nil, err
			}
			t := target{pruning: p, slave: h.slave(index), port: h.slave(index)}
			if t.port == nil {
				t.port = h.slave(p.Below.Index)
			}
			if t.port != nil {
				t.portBond = h.bond(t.port.Master)
			}
			groups[i].targets = append(groups[i].targets, t)
		}
	}
	return groups, nil
}

// impact is what source pruning means for the bond of an interface.
type impact string

const (
	impactNone      impact = "none"
	impactMayBreak  impact = "may-break"
	impactBreaks    impact = "breaks"
	impactNoMeaning impact = ""
)

// impactOf says whether the kernel's monitor is fooled by the pruning of a slave of b.
func impactOf(b *bond.Bond, p *ethtool.Pruning) impact {
	switch {
	case b == nil:
		return impactNoMeaning
	case p.State == ethtool.Delivers || !needsOwnBroadcasts(b):
		return impactNone
	case p.State == ethtool.Prunes:
		return impactBreaks
	}
	return impactMayBreak
}

// needsOwnBroadcasts reports whether a backup of b has to hear what the active slave
// sends.
func needsOwnBroadcasts(b *bond.Bond) bool {
	validates := b.ARPValidate&bond.ARPValidateBackup != 0
	return b.Mode == bond.ModeActiveBackup && b.ARPInterval > 0 && validates && b.FailOverMAC == bond.FailOverMACNone
}
