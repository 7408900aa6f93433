// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"fmt"
	"net/netip"
	"slices"
)

// warn looks for what the kernel takes and is probably not meant.
func (v *validator) warn() {
	v.warnUseCarrier()
	v.warnMonitor()
	v.warnTargets()
	v.warnAllTargets()
	v.warnNoEffect()
	v.warnDelays()
	v.warnCleared()
	v.warnPrio()
}

// touches reports whether the bond is being made, or o sets one of the options.
func (v *validator) touches(opts ...Option) bool {
	return v.creating || slices.ContainsFunc(opts, v.o.Has)
}

// failed reports whether o has an error about the option.
func (v *validator) failed(opt Option) bool {
	return slices.ContainsFunc(v.errors, func(i Issue) bool { return i.Option == opt })
}

func (v *validator) warnUseCarrier() {
	if o := v.o.UseCarrier; o != nil && !*o {
		v.warning(OptionUseCarrier, v.o.Text(OptionUseCarrier), "kernels since 6.18 refuse it", "leave it out, or set it on")
	}
}

// warnMonitor looks at which monitor runs, and whether it can see anything.
func (v *validator) warnMonitor() {
	b := &v.after.bond
	if b.MIIMon == 0 && b.ARPInterval == 0 && v.touches(OptionMode, OptionMIIMon, OptionARPInterval) &&
		!v.failed(OptionMIIMon) && !v.failed(OptionARPInterval) {
		v.warning(0, "", "no link monitoring: miimon and arp_interval are 0, so a failure will not be noticed",
			"set miimon, 100 is usual")
	}
	if v.before.bond.ARPInterval != 0 && v.o.MIIMon != nil && b.ARPInterval == 0 && b.MIIMon != 0 && v.o.ARPInterval == nil {
		v.warning(OptionMIIMon, v.o.Text(OptionMIIMon), "switches the ARP monitor off",
			"set either miimon or arp_interval")
	}
	if v.before.bond.MIIMon != 0 && v.o.ARPInterval != nil && b.MIIMon == 0 && b.ARPInterval != 0 && v.o.MIIMon == nil &&
		!v.creating {
		v.warning(OptionARPInterval, v.o.Text(OptionARPInterval), "switches MII monitoring off",
			"set either miimon or arp_interval")
	}
	if b.ARPInterval != 0 && b.ARPValidate == ARPValidateNone && !v.failed(OptionARPValidate) &&
		v.touches(OptionMode, OptionARPInterval, OptionARPValidate) {
		v.warning(OptionARPValidate, ARPValidateNone.String(),
			"the ARP monitor takes any packet for an answer, so a dead path stays up while others are talking",
			"set arp_validate, all is the strictest")
	}
}

// warnTargets looks at the targets of the ARP monitor.
func (v *validator) warnTargets() {
	b := &v.after.bond
	if v.failed(OptionARPTargets) || v.failed(OptionNSTargets) {
		return
	}
	n := len(b.ARPTargets) + len(b.NSTargets)
	if b.ARPInterval != 0 && v.touches(OptionARPInterval, OptionARPTargets, OptionNSTargets) {
		switch n {
		case 0:
			v.warning(OptionARPInterval, v.after.bond.Text(OptionARPInterval), "the ARP monitor has no target",
				"set arp_ip_target or ns_ip6_target")
		case 1:
			opt := OptionARPTargets
			if len(b.ARPTargets) == 0 {
				opt = OptionNSTargets
			}
			v.warning(opt, b.Text(opt), "with a single target, all slaves go down when it fails", "set two or more")
		}
	}
	for _, a := range v.o.ARPTargets {
		if why := valPointless(a); why != "" {
			v.warning(OptionARPTargets, a.String(), why+" does not answer", "leave it out")
		}
	}
	for _, a := range v.o.NSTargets {
		if a.Is4In6() {
			v.warning(OptionNSTargets, a.String(), "an IPv4 address mapped to IPv6 does not answer",
				"put "+a.Unmap().String()+" into "+OptionARPTargets.String())
		}
	}
}

// valPointless says what is wrong with a target that the kernel takes and that
// cannot answer.
func valPointless(a netip.Addr) string {
	switch {
	case !a.Is4() || valUnusable(a) != "":
	case a.As4()[0] == 0:
		return "an address in 0.0.0.0/8"
	case a.IsLoopback():
		return "a loopback address"
	case a.IsMulticast():
		return "a multicast address"
	}
	return ""
}

// warnAllTargets looks for two faults of the kernel that come with
// arp_all_targets all. It has no effect but in active-backup.
func (v *validator) warnAllTargets() {
	b := &v.after.bond
	if b.Mode != ModeActiveBackup || b.ARPInterval == 0 || b.ARPAllTargets != ARPAllTargetsAll ||
		!v.touches(OptionMode, OptionARPInterval, OptionARPAllTargets, OptionARPValidate, OptionNSTargets) {
		return
	}
	value := ARPAllTargetsAll.String()
	// The times that it looks at are only kept for slaves that are validated
	// (slave_last_rx in the kernel's include/net/bonding.h).
	switch b.ARPValidate {
	case ARPValidateNone, ARPValidateBackup, ARPValidateFilter, ARPValidateFilterBackup:
		v.warning(OptionARPAllTargets, value,
			fmt.Sprintf("with arp_validate %s the kernel takes all slaves down, whatever answers", b.ARPValidate),
			"set arp_validate all, or arp_all_targets any")
	case ARPValidateActive, ARPValidateFilterActive:
		v.warning(OptionARPAllTargets, value,
			fmt.Sprintf("with arp_validate %s the kernel holds the backup slaves down, whatever answers", b.ARPValidate),
			"set arp_validate all, or arp_all_targets any")
	case ARPValidateAll:
	}
	if len(b.NSTargets) > 0 {
		v.warning(OptionARPAllTargets, value, "of the targets in ns_ip6_target the kernel looks at the first only",
			"do not rely on arp_all_targets with IPv6")
	}
}

// warnNoEffect looks for options that are not at their default and do nothing in
// the mode, or without an ARP monitor.
func (v *validator) warnNoEffect() {
	b := &v.after.bond
	for opt := range v.o.All() {
		row := opt.row()
		if v.failed(opt) || valIsDefault(v.o, row) {
			continue
		}
		switch {
		case AllModes.Has(b.Mode) && !row.Acts.Has(b.Mode):
			v.warning(opt, v.o.Text(opt), "has no effect in mode "+b.Mode.String(), "it acts in "+row.Acts.String())
		case b.ARPInterval == 0 && valNeedsARP(opt):
			v.warning(opt, v.o.Text(opt), "has no effect while arp_interval is 0", "set arp_interval")
		}
	}
}

// valNeedsARP reports whether the option is one of the ARP monitor's.
func valNeedsARP(opt Option) bool {
	switch opt {
	case OptionARPTargets, OptionNSTargets, OptionARPValidate, OptionARPAllTargets, OptionMissedMax:
		return true
	}
	return false
}

// valIsDefault reports whether the option is set to what a new bond has.
func valIsDefault(o *Options, row *OptionInfo) bool {
	switch row.Option {
	case OptionARPTargets:
		return len(o.ARPTargets) == 0
	case OptionNSTargets:
		return len(o.NSTargets) == 0
	case OptionActiveSlave:
		return o.Active.IsZero()
	case OptionPrimary:
		return o.Primary.IsZero()
	case OptionADActorSystem:
		return *o.ADActorSystem == [6]byte{}
	}
	n, ok := o.raw(row.Option)
	return ok && n == row.Default
}

// warnDelays looks for delays that the kernel rounds, or that change because
// they are multiples of miimon.
func (v *validator) warnDelays() {
	before, after := &v.before.bond, &v.after.bond
	for _, opt := range delayOptions {
		switch is := after.raw(opt); {
		case v.failed(opt):
		case v.o.Has(opt):
			asked, _ := v.o.raw(opt)
			if is == asked || !after.Has(opt) {
				continue
			}
			if after.MIIMon == 0 {
				v.warning(opt, v.o.Text(opt), "has no effect while miimon is 0", "")
				continue
			}
			v.warning(opt, v.o.Text(opt), fmt.Sprintf("the kernel rounds it down to %d, a multiple of miimon %d", is, after.raw(OptionMIIMon)),
				fmt.Sprintf("set it to %d, or miimon to a divisor of it", is))
		case before.Has(opt) && after.Has(opt) && before.MIIMon != 0 && after.MIIMon != 0 && before.raw(opt) != is:
			v.warning(opt, before.Text(opt), fmt.Sprintf("it becomes %d with the new miimon, because it is kept in multiples of it", is),
				"set "+opt.String()+" together with miimon")
		}
	}
}

// warnCleared looks for options that the kernel sets back when it is told a mode.
func (v *validator) warnCleared() {
	if v.creating || v.o.Mode == nil || v.failed(OptionMode) {
		return
	}
	mode := *v.o.Mode
	for i := range optionTable {
		row := &optionTable[i]
		b := &v.before.bond
		if row.Cleared.Has(mode) && b.Has(row.Option) && b.raw(row.Option) != row.Default && !v.o.Has(row.Option) {
			v.warning(row.Option, b.Text(row.Option),
				fmt.Sprintf("the kernel sets it back to %s when it is told the mode", textNumber(row, row.Default)),
				"set "+row.Option.String()+" together with mode, where "+mode.String()+" takes it")
		}
	}
}

// warnPrio looks for a primary that can never be one, and for priorities of slaves that it
// overrules.
func (v *validator) warnPrio() {
	if v.o.Primary == nil || v.o.Primary.IsZero() || v.failed(OptionPrimary) {
		return
	}
	if !v.creating && predictSame(*v.o.Primary, v.now.Bond.Link) {
		v.warning(OptionPrimary, v.o.Text(OptionPrimary), "a bond cannot be its own slave", "name one of its slaves")
		return
	}
	for i := range v.slaves {
		if s := &v.slaves[i]; s.Prio != 0 {
			v.warning(OptionPrimary, v.o.Text(OptionPrimary),
				fmt.Sprintf("the kernel ignores the prio of its slaves, such as %d of %s, while there is a primary", s.Prio, s.Link),
				"leave primary out, or the prio")
			return
		}
	}
}
