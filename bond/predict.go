// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"slices"
	"time"
)

// prediction is a bond to which options are applied one after the other, in the
// order of the kernel (bond_changelink), side effects included. For a nil State, and one
// without a Bond, that is a new bond of a module without parameters.
//
// Has is false for what is not shown or cannot be known: an active slave that the
// kernel chooses itself, a primary that is not a slave yet, and delays that come
// back from before miimon was 0.
type prediction struct {
	state *State
	bond  Bond
	// delays are updelay, downdelay and peer_notif_delay as the kernel keeps
	// them, in multiples of miimon; -1 is unknown.
	delays [len(delayOptions)]int64
}

// newPrediction returns a prediction to which nothing has been applied.
func newPrediction(s *State) *prediction {
	p := &prediction{state: s}
	if s == nil || s.Bond == nil {
		p.bond.predictDefaults()
		return p
	}
	p.bond = *s.Bond.Clone()
	for i, opt := range delayOptions {
		switch {
		case p.bond.MIIMon > 0 && p.bond.Has(opt):
			p.delays[i] = p.bond.raw(opt) / p.bond.raw(OptionMIIMon)
		default:
			p.delays[i] = -1
		}
	}
	return p
}

// predictDefaults makes b a new bond of which nothing is asked.
func (b *Bond) predictDefaults() {
	for i := range optionTable {
		switch row := &optionTable[i]; {
		case row.Slave || row.ReadOnly:
		case row.Kind == KindLink || row.Kind == KindIPv4List || row.Kind == KindIPv6List:
		case predictHidden(row.Option):
			b.setRaw(row.Option, row.Default)
		default:
			b.setRaw(row.Option, row.Default)
			b.predictHas(row.Option, true)
		}
	}
}

// predictHidden reports whether the kernel shows the option in 802.3ad only, and
// not to everybody.
func predictHidden(opt Option) bool {
	return opt == OptionADActorSysPrio || opt == OptionADUserPortKey || opt == OptionADActorSystem
}

func (b *Bond) predictHas(opt Option, has bool) {
	if has {
		b.has |= 1 << opt
	} else {
		b.has &^= 1 << opt
	}
}

// apply does what the kernel does on one attribute that it accepts.
func (p *prediction) apply(opt Option, o *Options) {
	b := &p.bond
	switch opt {
	case OptionMode:
		p.applyMode(*o.Mode)
		return
	case OptionActiveSlave:
		// Without a name the kernel chooses, and not always at once.
		b.Active = *o.Active
		if i := p.state.slaveIndex(b.Active); i >= 0 {
			b.Active = p.state.Slaves[i].Link
		}
		b.predictHas(opt, !o.Active.IsZero())
		return
	case OptionPrimary:
		// The kernel keeps the name, and shows it while it is that of a slave.
		b.Primary = Link{}
		i := p.state.slaveIndex(*o.Primary)
		if i >= 0 {
			b.Primary = p.state.Slaves[i].Link
		}
		b.predictHas(opt, i >= 0)
		switch {
		case i < 0:
			// The kernel looks for another active slave, before 6.1 it does not.
			b.predictHas(OptionActiveSlave, false)
		case p.state.Slaves[i].usable():
			// At once, whatever primary_reselect says.
			b.Active = b.Primary
			b.predictHas(OptionActiveSlave, true)
		}
		return
	case OptionARPTargets:
		b.ARPTargets = slices.Clone(o.ARPTargets)
		b.predictHas(opt, len(b.ARPTargets) > 0)
		return
	case OptionNSTargets:
		b.NSTargets = slices.Clone(o.NSTargets)
		b.predictHas(opt, len(b.NSTargets) > 0)
		return
	case OptionADActorSystem:
		b.ADActorSystem = *o.ADActorSystem
		b.predictHas(opt, true)
		return
	}
	v, _ := o.raw(opt)
	if i := slices.Index(delayOptions[:], opt); i >= 0 {
		// Without miimon the kernel refuses any delay.
		if miimon := b.raw(OptionMIIMon); miimon > 0 {
			p.delays[i] = v / miimon
		}
		b.predictHas(opt, true)
		return
	}
	b.setRaw(opt, v)
	b.predictHas(opt, true)
	switch {
	case opt == OptionMIIMon && v != 0 && b.ARPInterval != 0:
		p.reset(OptionARPInterval)
		p.reset(OptionARPValidate)
	case opt == OptionARPInterval && v != 0 && b.MIIMon != 0:
		b.MIIMon = 0
	case opt == OptionPrimaryReselect && b.Has(OptionPrimary) && !predictSame(b.Active, b.Primary):
		// The primary may become the active slave.
		b.predictHas(OptionActiveSlave, false)
	}
}

// applyMode does what bond_option_mode_set does.
func (p *prediction) applyMode(m Mode) {
	b := &p.bond
	b.Mode = m
	b.predictHas(OptionMode, true)
	for i := range optionTable {
		if row := &optionTable[i]; row.Cleared.Has(m) {
			p.reset(row.Option)
		}
	}
	if lbModes.Has(m) && b.MIIMon == 0 {
		b.MIIMon = lbMIIMon * time.Millisecond
	}
	// There are no slaves, or the kernel would have refused.
	b.Active, b.AD = Link{}, ADInfo{}
	b.predictHas(OptionActiveSlave, false)
	b.predictHas(OptionADInfo, false)
	if m != Mode8023AD {
		b.predictHas(OptionADActorSysPrio, false)
		b.predictHas(OptionADUserPortKey, false)
		b.predictHas(OptionADActorSystem, false)
	}
}

// reset gives an option its default, where this kernel has it.
func (p *prediction) reset(opt Option) { p.bond.setRaw(opt, opt.row().Default) }

// finish computes the delays from the miimon that it has come to.
func (p *prediction) finish() {
	b := &p.bond
	miimon := b.raw(OptionMIIMon)
	for i, opt := range delayOptions {
		switch {
		case miimon == 0:
			b.setRaw(opt, 0)
		case p.delays[i] < 0:
			b.setRaw(opt, 0)
			b.predictHas(opt, false)
		default:
			// The kernel multiplies 32 bits wide.
			b.setRaw(opt, int64(uint32(p.delays[i]*miimon)))
		}
	}
}

// slaveIndex returns where in Slaves the slave is that l names, and -1 if it
// is none.
func (s *State) slaveIndex(l Link) int {
	if s == nil || l.IsZero() {
		return -1
	}
	return slices.IndexFunc(s.Slaves, func(s Slave) bool { return predictSame(l, s.Link) })
}

// usable reports whether the kernel would make the slave active.
func (s *Slave) usable() bool { return s.Up() && s.Carrier && s.MIIStatus == MIIUp }

// linkIndex is slaveIndex for Links.
func (s *State) linkIndex(l Link) int {
	if s == nil || l.IsZero() {
		return -1
	}
	return slices.IndexFunc(s.Links, func(i LinkInfo) bool { return predictSame(l, i.Link) })
}

// predictSame reports whether l, which names by index where it has one, names
// the link found.
func predictSame(l, found Link) bool {
	if l.Index != 0 {
		return l.Index == found.Index
	}
	return l.Name == found.Name
}
