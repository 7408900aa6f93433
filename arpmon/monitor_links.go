// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"cmp"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Modes of a bond in which one slave carries the traffic (arpmon asks the bond
// which) instead of all that it calls active.
const (
	modeActiveBackup = 1 // BOND_MODE_ACTIVEBACKUP of <linux/if_bonding.h>
	modeTLB          = 5
	modeALB          = 6
)

const (
	hardwareEthernet = 1 // ARPHRD_ETHER of <linux/if_arp.h>
	kindBond         = "bond"
)

// A slot says what the probe loop has to know of a slave. It is handed over as a
// value in a fixed place.
type slot struct {
	index  int    // of the interface, 0 while there is none
	name   string // its name now, or the last one
	gen    uint32 // raised when the interface goes and when it comes
	sync   uint32 // raised when it may have gone and come unseen
	link   Link
	dipped bool // the link was lost since the last hand-over, and may be back
	dip    Link // what it was then
	active bool
	mac    MAC   // who the probes are from
	device MAC   // the interface's own address
	err    error // why no probe may leave; nil for none
}

// A slotBox hands slots from those who follow the links to the probe loop, which
// never waits longer than it takes to copy them.
type slotBox struct {
	full  atomic.Bool
	mu    sync.Mutex
	slots []slot
}

// put replaces what is in the box, and keeps the word of lost links that was not
// read yet. A lost carrier says more than a link that somebody took down.
func (b *slotBox) put(slots []slot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range slots {
		unread := b.slots[i]
		b.slots[i] = slots[i]
		if unread.dipped && (!slots[i].dipped || unread.dip == LinkNoCarrier) {
			b.slots[i].dipped, b.slots[i].dip = true, unread.dip
		}
	}
	b.full.Store(true)
}

// take copies the slots into dst, and reports whether they are news.
func (b *slotBox) take(dst []slot) bool {
	if !b.full.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full.Store(false)
	copy(dst, b.slots)
	for i := range b.slots {
		b.slots[i].dipped, b.slots[i].dip = false, LinkDown
	}
	return true
}

// planned is what a planner keeps of a slave.
type planned struct {
	slot
	config string // its name in the configuration
}

// A planner knows all links of a namespace, and works out of them what concerns
// the slaves: which interface each is, its link, and who its probes may be from.
// It has no socket. Its methods must not overlap.
type planner struct {
	policy  IdentityPolicy
	machine string
	macs    []MAC // of IdentityExplicit, in the order of slaves
	sender  netip.Addr
	chosen  int // the slave named active, -1 for none

	links  map[int]rtnl.Link
	table  macTable
	addrs  []rtnl.Addr // IPv4 addresses of the namespace, if there is a sender
	slaves []planned
	order  []int // of slaves by configured name, so that the order of the configuration does not matter

	// kernelMonitor says that a bond of the slaves has arp_interval set.
	kernelMonitor bool
}

// newPlanner returns a planner for a checked configuration, or says which slave
// is not there or cannot be probed through.
func newPlanner(cfg *MonitorConfig, machine string, links []rtnl.Link, addrs []rtnl.Addr, alias func(name string) int) (*planner, error) {
	p := &planner{
		policy:  cfg.Identity,
		machine: machine,
		sender:  cfg.Sender.Unmap(),
		chosen:  slices.Index(cfg.Slaves, cfg.Active),
		links:   make(map[int]rtnl.Link, len(links)),
		table:   make(macTable, len(links)),
		addrs:   addrs,
		slaves:  make([]planned, len(cfg.Slaves)),
		order:   make([]int, len(cfg.Slaves)),
	}
	byName := make(map[string]int, len(links))
	for i := range links {
		p.store(links[i])
		byName[links[i].Name] = links[i].Index
	}
	for i, name := range cfg.Slaves {
		p.slaves[i].config = name
	}
	for i, name := range cfg.Slaves {
		index, ok := byName[name]
		if !ok {
			index = alias(name)
		}
		l, ok := p.links[index]
		if !ok {
			return nil, &Error{Op: "open", Slave: name, Err: os.ErrNotExist}
		}
		if err := p.usable(i, name, &l); err != nil {
			return nil, err
		}
		p.slaves[i] = planned{config: name, slot: slot{index: index, name: l.Name, gen: 1}}
		p.order[i] = i
		if p.policy == IdentityExplicit {
			p.macs = append(p.macs, toMAC(cfg.MACs[name]))
		}
	}
	slices.SortFunc(p.order, func(a, b int) int { return cmp.Compare(p.slaves[a].config, p.slaves[b].config) })
	p.update()
	for i := range p.slaves {
		if err := p.slaves[i].err; err != nil {
			return nil, err
		}
	}
	return p, nil
}

// usable says whether a link can be slave i at the start.
func (p *planner) usable(i int, name string, l *rtnl.Link) error {
	for j := range i {
		if p.slaves[j].index == l.Index {
			return &Error{Op: "open", Slave: name, Err: ErrDuplicate, Hint: "the same interface as " + p.slaves[j].config}
		}
	}
	if l.Type != hardwareEthernet || len(l.MAC) != len(MAC{}) {
		return &Error{Op: "open", Slave: name, Err: unsupported("not an Ethernet interface")}
	}
	if b := p.bondOf(l); b != nil && p.chosen >= 0 {
		return &Error{
			Op: "config", Field: "Active", Value: p.config(p.chosen), Err: os.ErrInvalid,
			Hint: name + " is a slave of " + p.links[l.Master].Name + ", which says itself which one is active",
		}
	}
	return nil
}

// config returns the configured name of a slave.
func (p *planner) config(i int) string { return p.slaves[i].config }

// store takes the facts of one link.
func (p *planner) store(l rtnl.Link) {
	if old, ok := p.links[l.Index]; ok {
		// Some messages leave out the details of the driver.
		if l.Bond == nil && l.Kind == old.Kind {
			l.Bond = old.Bond
		}
		if l.BondSlave == nil && l.Master == old.Master {
			l.BondSlave = old.BondSlave
		}
		if l.PermMAC == nil {
			l.PermMAC = old.PermMAC
		}
		p.tally(&old, -1)
	}
	p.links[l.Index] = l
	p.tally(&l, 1)
}

// drop forgets a link.
func (p *planner) drop(index int) {
	if old, ok := p.links[index]; ok {
		p.tally(&old, -1)
		delete(p.links, index)
	}
}

func (p *planner) tally(l *rtnl.Link, n int) {
	p.table.count(toMAC(l.MAC), n, 0)
	for _, m := range permMACs(l) {
		p.table.count(m, 0, n)
	}
}

// permMACs returns the permanent addresses of a link: what its driver says, and
// what it had before its bond.
func permMACs(l *rtnl.Link) [2]MAC {
	m := [2]MAC{toMAC(l.PermMAC)}
	if l.BondSlave != nil {
		m[1] = toMAC(l.BondSlave.PermMAC)
	}
	if m[1] == m[0] {
		m[1] = MAC{}
	}
	return m
}

// changed takes an event that says that a link is new or other than before.
func (p *planner) changed(l rtnl.Link) {
	p.store(l)
	for i := range p.slaves {
		if p.slaves[i].index == l.Index {
			p.follow(i, l)
			return
		}
	}
	for i := range p.slaves {
		s := &p.slaves[i]
		if s.index == 0 && s.name == l.Name && l.Type == hardwareEthernet && len(l.MAC) == len(MAC{}) {
			s.index = l.Index
			s.gen++
			s.mac = MAC{}
			p.follow(i, l)
			return
		}
	}
}

// follow takes the new facts of a slave's link.
func (p *planner) follow(i int, l rtnl.Link) {
	s := &p.slaves[i]
	s.name = l.Name
	p.setLink(s, linkState(&l))
}

// deleted takes an event that says that a link is gone.
func (p *planner) deleted(index int) {
	p.drop(index)
	for i := range p.slaves {
		if s := &p.slaves[i]; s.index == index {
			s.index = 0
			s.gen++
			p.setLink(s, LinkDown)
		}
	}
}

// resync replaces all that is known after events were lost. A link may have left
// and come back meanwhile, so the sockets are bound anew.
func (p *planner) resync(links []rtnl.Link) {
	there := make(map[int]bool, len(links))
	for i := range links {
		there[links[i].Index] = true
	}
	for index := range p.links {
		if !there[index] {
			p.deleted(index)
		}
	}
	for i := range p.slaves {
		p.slaves[i].sync++
	}
	for i := range links {
		p.changed(links[i])
	}
}

func (p *planner) setLink(s *planned, l Link) {
	if s.link == LinkUp && l != LinkUp && (!s.dipped || s.dip != LinkNoCarrier) {
		s.dipped, s.dip = true, l
	}
	s.link = l
}

// linkState returns what the engine calls the state of a link.
func linkState(l *rtnl.Link) Link {
	switch {
	case l.Carrier():
		return LinkUp
	case l.Up():
		return LinkNoCarrier
	}
	return LinkDown
}

// setActive names the slave that carries the traffic, -1 for none. The error
// says what would be unsafe then; nothing has changed in that case.
func (p *planner) setActive(i int) error {
	for j := range p.slaves {
		s := &p.slaves[j]
		if l, ok := p.links[s.index]; ok && p.bondOf(&l) != nil {
			return &Error{
				Op: "set active", Slave: s.name, Err: os.ErrInvalid,
				Hint: "it is a slave of " + p.links[l.Master].Name + ", which says itself which one is active",
			}
		}
	}
	old := p.chosen
	p.chosen = i
	for _, j := range p.order {
		if p.slaves[j].err != nil {
			continue
		}
		if _, err := p.choose(j); err != nil {
			p.chosen = old
			return err
		}
	}
	return nil
}

// update works out again who is active and who the probes are from.
func (p *planner) update() {
	p.kernelMonitor = false
	for i := range p.slaves {
		s := &p.slaves[i]
		l, ok := p.links[s.index]
		if !ok {
			s.active, s.device = false, MAC{}
			continue
		}
		s.link = linkState(&l)
		s.device = toMAC(l.MAC)
		s.active = p.isActive(i, &l)
		if b := p.bondOf(&l); b != nil && b.ARPInterval > 0 {
			p.kernelMonitor = true
		}
	}
	for _, i := range p.order {
		s := &p.slaves[i]
		m, err := p.choose(i)
		if err == nil {
			s.mac = m
		}
		s.err = err
	}
}

// bondOf returns the bond that a link is a slave of, or nil.
func (p *planner) bondOf(l *rtnl.Link) *rtnl.Bond {
	if l.Master == 0 {
		return nil
	}
	m, ok := p.links[l.Master]
	if !ok || m.Kind != kindBond {
		return nil
	}
	if m.Bond == nil {
		return &rtnl.Bond{Mode: modeActiveBackup} // nobody is known to be active
	}
	return m.Bond
}

// isActive reports whether a slave carries traffic of its bond.
func (p *planner) isActive(i int, l *rtnl.Link) bool {
	b := p.bondOf(l)
	switch {
	case b == nil:
		return p.chosen == i
	case b.Mode == modeActiveBackup, b.Mode == modeTLB, b.Mode == modeALB:
		return b.ActiveSlave == l.Index
	}
	return l.BondSlave != nil && l.BondSlave.State == 0
}

// hand puts what is planned into the box, unless that is what was put there last.
// The scratch memory holds that between calls.
func (p *planner) hand(box *slotBox, scratch []slot) bool {
	news := false
	for i := range p.slaves {
		s := &p.slaves[i]
		news = news || !s.same(&scratch[i])
		scratch[i] = s.slot
		s.dipped, s.dip = false, LinkDown
	}
	if news {
		box.put(scratch)
	}
	return news
}

// same reports whether two slots say the same.
func (s *slot) same(o *slot) bool {
	return s.index == o.index && s.name == o.name && s.gen == o.gen && s.sync == o.sync && s.link == o.link &&
		s.active == o.active && s.mac == o.mac && s.device == o.device &&
		!s.dipped && sameError(s.err, o.err)
}

// sameError reports whether two errors say the same.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}
