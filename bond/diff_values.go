// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"net/netip"
	"slices"
	"time"
)

// diffCopy copies one option from src to dst, set or not. It does not know links.
func diffCopy(dst, src *Options, opt Option) {
	switch v, ok := src.raw(opt); {
	case ok:
		dst.setRaw(opt, v)
	case opt == OptionARPTargets:
		dst.ARPTargets = slices.Clone(src.ARPTargets)
	case opt == OptionNSTargets:
		dst.NSTargets = slices.Clone(src.NSTargets)
	case opt == OptionADActorSystem:
		dst.ADActorSystem = clonePtr(src.ADActorSystem)
	default:
		dst.Clear(opt)
	}
}

// diffEqual reports whether an option is set to the same in both. It does not know
// links.
func diffEqual(a, b *Options, opt Option) bool {
	if a.Has(opt) != b.Has(opt) {
		return false
	}
	switch opt {
	case OptionARPTargets:
		return slices.Equal(a.ARPTargets, b.ARPTargets)
	case OptionNSTargets:
		return slices.Equal(a.NSTargets, b.NSTargets)
	case OptionADActorSystem:
		return a.ADActorSystem == nil || *a.ADActorSystem == *b.ADActorSystem
	default:
		x, _ := a.raw(opt)
		y, _ := b.raw(opt)
		return x == y
	}
}

// diffNow returns what the kernel says that the options are. Lists that it does
// not mention are empty.
func diffNow(b *Bond) Options {
	o := b.Options()
	o.Active, o.Primary = nil, nil
	if o.ARPTargets == nil {
		o.ARPTargets = []netip.Addr{}
	}
	if o.NSTargets == nil {
		o.NSTargets = []netip.Addr{}
	}
	return o
}

// diffMillis returns a time in milliseconds, 0 where it is not set.
func diffMillis(o *Options, opt Option) int64 {
	v, _ := o.raw(opt)
	return v
}

// diffFloor rounds a delay as the kernel does.
func diffFloor(delay, miimon int64) int64 {
	if miimon <= 0 {
		return 0
	}
	return delay / miimon * miimon
}

// diffMode returns the mode, that of a new bond where it is not set.
func diffMode(o *Options) Mode {
	if o.Mode == nil {
		return ModeBalanceRR
	}
	return *o.Mode
}

// diffAfter returns what the options are once the kernel has carried out the
// message: bond_changelink in the kernel's bond_netlink.c and what it calls in
// bond_options.c. What cannot be foretold is not set in the result.
func diffAfter(now, message *Options) Options {
	o := now.Clone()
	if message.Mode != nil {
		diffAfterMode(&o, *message.Mode)
	}
	if message.MIIMon != nil {
		diffAfterMIIMon(&o, int64(*message.MIIMon/time.Millisecond))
	}
	for opt := range message.All() {
		switch opt {
		case OptionMode, OptionMIIMon, OptionActiveSlave, OptionPrimary:
		case OptionUpDelay, OptionDownDelay, OptionPeerNotifDelay:
			o.setRaw(opt, diffFloor(diffMillis(message, opt), diffMillis(&o, OptionMIIMon)))
		case OptionARPInterval:
			diffCopy(&o, message, opt)
			if *o.ARPInterval != 0 {
				diffAfterMIIMon(&o, 0)
			}
		default:
			diffCopy(&o, message, opt)
		}
	}
	return o
}

// diffAfterMode is bond_option_mode_set.
func diffAfterMode(o *Options, mode Mode) {
	for i := range optionTable {
		if row := &optionTable[i]; row.Cleared.Has(mode) && o.Has(row.Option) {
			o.setRaw(row.Option, row.Default)
		}
	}
	o.Mode = new(mode)
	if lbModes.Has(mode) && o.MIIMon != nil && *o.MIIMon == 0 {
		diffAfterMIIMon(o, lbMIIMon)
	}
}

// diffAfterMIIMon is bond_option_miimon_set. The delays are multiples, so they change with
// miimon. While it is 0 they read 0, and afterwards they are what they were
// before, which nobody knows.
func diffAfterMIIMon(o *Options, miimon int64) {
	old := diffMillis(o, OptionMIIMon)
	for _, opt := range delayOptions {
		switch {
		case !o.Has(opt):
		case old != 0:
			o.setRaw(opt, diffMillis(o, opt)/old*miimon)
		case miimon != 0:
			o.Clear(opt)
		}
	}
	o.setRaw(OptionMIIMon, miimon)
	if miimon != 0 && o.ARPInterval != nil && *o.ARPInterval != 0 {
		o.ARPInterval = new(time.Duration(0))
		if o.ARPValidate != nil {
			o.ARPValidate = new(ARPValidateNone)
		}
	}
}

// diffOptions finds the smallest message that makes out of now what is declared, and
// of what is not declared leaves everything as it is.
type diffOptions struct {
	// now is what is set, and empty for a bond that is to be made.
	now Options
	// keep is what is to be kept: now, or what the bond had that is deleted and made anew.
	keep Options
	// declared is what is wanted.
	declared Options
	// mode is the mode afterwards.
	mode Mode
}

// miimon returns what miimon will be, in milliseconds.
func (d *diffOptions) miimon() int64 {
	switch {
	case d.declared.MIIMon != nil:
		return diffMillis(&d.declared, OptionMIIMon)
	case diffMillis(&d.declared, OptionARPInterval) != 0:
		return 0
	case lbModes.Has(d.mode) && diffMillis(&d.keep, OptionMIIMon) == 0 && d.changesMode():
		return lbMIIMon
	}
	return diffMillis(&d.keep, OptionMIIMon)
}

// changesMode reports whether the mode is set.
func (d *diffOptions) changesMode() bool {
	return d.now.Mode == nil || *d.now.Mode != d.mode
}

// wanted returns what each option shall be. What may be anything is not set in it.
func (d *diffOptions) wanted() Options {
	var want Options
	miimon := d.miimon()
	for i := range optionTable {
		row := &optionTable[i]
		opt := row.Option
		switch {
		case row.Slave || row.ReadOnly || opt == OptionActiveSlave || opt == OptionPrimary:
		case slices.Contains(delayOptions[:], opt):
			switch {
			case d.declared.Has(opt):
				want.setRaw(opt, diffFloor(diffMillis(&d.declared, opt), miimon))
			case miimon != 0 && d.keep.Has(opt):
				want.setRaw(opt, diffFloor(diffMillis(&d.keep, opt), miimon))
			}
		case d.declared.Has(opt):
			diffCopy(&want, &d.declared, opt)
		case !row.Modes.Has(d.mode):
		case opt == OptionMIIMon:
			// The kernel chooses another one for the ARP monitor, and where the mode needs one.
			if diffMillis(&d.declared, OptionARPInterval) == 0 && (!lbModes.Has(d.mode) || miimon == diffMillis(&d.keep, opt)) {
				diffCopy(&want, &d.keep, opt)
			}
		case opt == OptionARPInterval || opt == OptionARPValidate:
			// They belong to a monitor that is not used then.
			if miimon == 0 {
				diffCopy(&want, &d.keep, opt)
			}
		default:
			diffCopy(&want, &d.keep, opt)
		}
	}
	return want
}

// message returns what is to be set. It goes on until nothing is left to be set, because one
// option may change others before it in the order, such as arp_interval does with miimon.
func (d *diffOptions) message() Options {
	want := d.wanted()
	var m Options
	for range 3 {
		changed := false
		for opt := range want.All() {
			if after := diffAfter(&d.now, &m); !m.Has(opt) && !diffEqual(&after, &want, opt) {
				diffCopy(&m, &want, opt)
				changed = true
			}
		}
		if !changed {
			break
		}
	}
	// Without miimon the kernel refuses the delays, 0 too.
	if d.miimon() == 0 {
		for _, opt := range delayOptions {
			m.Clear(opt)
		}
	}
	return m
}
