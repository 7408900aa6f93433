// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import "github.com/bondkit/bondkit/internal/rtnl"

// FilterKeep is how much of a frame a filter lets through.
const FilterKeep = filterKeep

// Instruction is an instruction of classic BPF.
type Instruction struct {
	Op     uint16
	JT, JF uint8
	K      uint32
}

// VerdictFilter and EvidenceFilter are the programs of the two sockets.
func VerdictFilter(mac MAC, spa uint32, targets []uint32) ([]Instruction, error) {
	return exportProgram(verdictFilter(mac, spa, targets))
}

func EvidenceFilter(mac MAC, spa uint32, targets []uint32) ([]Instruction, error) {
	return exportProgram(evidenceFilter(mac, spa, targets))
}

func exportProgram(code []instruction, err error) ([]Instruction, error) {
	out := make([]Instruction, len(code))
	for i, c := range code {
		out[i] = Instruction{c.op, c.jt, c.jf, c.k}
	}
	return out, err
}

// DerivedMAC is a computed address.
func DerivedMAC(machine, slave string, counter uint32) MAC {
	return derivedMAC(machine, slave, counter)
}

// CheckMonitorConfig checks without the system.
func CheckMonitorConfig(cfg MonitorConfig) error {
	_, err := cfg.check()
	return err
}

// A Planner works out identities and states from links.
type Planner struct {
	p       *planner
	scratch []slot
	got     []slot
	box     slotBox
}

// PlannedSlave is what a Planner hands over about a slave.
type PlannedSlave struct {
	Name   string
	Index  int
	Link   Link
	Dipped bool
	Dip    Link
	Active bool
	MAC    MAC
	Device MAC
	Gen    uint32
	Sync   uint32
	Err    error
}

// NewPlanner plans for a configuration.
func NewPlanner(cfg MonitorConfig, links []rtnl.Link, addrs []rtnl.Addr) (*Planner, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	p, err := newPlanner(&cfg, cfg.MachineID, links, addrs, func(string) int { return 0 })
	if err != nil {
		return nil, err
	}
	n := len(cfg.Slaves)
	return &Planner{p: p, scratch: make([]slot, n), got: make([]slot, n), box: slotBox{slots: make([]slot, n)}}, nil
}

// Changed, Deleted, Resync and SetActive give it news.
func (p *Planner) Changed(l rtnl.Link)        { p.p.changed(l) }
func (p *Planner) Deleted(index int)          { p.p.deleted(index) }
func (p *Planner) Resync(links []rtnl.Link)   { p.p.resync(links) }
func (p *Planner) SetActive(i int) error      { return p.p.setActive(i) }
func (p *Planner) SetAddrs(addrs []rtnl.Addr) { p.p.addrs = addrs }
func (p *Planner) KernelMonitor() bool        { return p.p.kernelMonitor }
func (p *Planner) Update() bool               { p.p.update(); return p.p.hand(&p.box, p.scratch) }
func (p *Planner) Slaves() []PlannedSlave {
	for i := range p.got {
		p.got[i].dipped, p.got[i].dip = false, LinkDown
	}
	p.box.take(p.got)
	out := make([]PlannedSlave, len(p.got))
	for i, s := range p.got {
		out[i] = PlannedSlave{
			Name: s.name, Index: s.index, Link: s.link, Dipped: s.dipped, Dip: s.dip, Active: s.active,
			MAC: s.mac, Device: s.device, Gen: s.gen, Sync: s.sync, Err: s.err,
		}
	}
	return out
}
