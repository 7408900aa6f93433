// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"
)

// fit finds what cannot be sent, or what the kernel refuses before it
// applies anything (bond_policy).
func (v *validator) fit() {
	for opt := range v.o.All() {
		row := opt.row()
		before := len(v.errors)
		switch row.Kind {
		case KindDuration:
			d, _ := v.o.duration(opt)
			unit := time.Duration(row.Unit)
			switch n := int64(d / unit); {
			case d%unit != 0:
				v.fail(opt, ErrBadValue, "not a whole number of units", "the kernel counts it in units of "+unit.String())
			case n < 0 || n > 1<<32-1:
				v.fail(opt, ErrBadValue, "out of range", textRange(row))
			case opt == OptionPeerNotifDelay && n > row.Max:
				v.fail(opt, ErrBadValue, "out of range", textRange(row))
			}
		case KindIPv4List:
			v.fitTargets(opt, row.Kind, v.o.ARPTargets)
		case KindIPv6List:
			v.fitTargets(opt, row.Kind, v.o.NSTargets)
		}
		v.unfit[opt] = len(v.errors) > before
	}
}

// fitTargets finds targets that are not of the family.
func (v *validator) fitTargets(opt Option, kind Kind, list []netip.Addr) {
	for _, a := range list {
		if !a.IsValid() {
			v.fail(opt, ErrBadValue, "a target is not an address", "leave out the zero netip.Addr")
		} else if _, err := textParseAddr(kind, a.String()); err != nil {
			v.fail(opt, ErrBadValue, err.Error(), "")
		}
	}
}

// check does what the kernel does on one option: bond_changelink, then
// bond_opt_check_deps, then bond_opt_parse and the function of the option. The
// options before have been applied. It reports whether the kernel takes it.
func (v *validator) check(opt Option) bool {
	b := &v.after.bond
	row := opt.row()
	if !v.checkExclusion(opt) || !v.checkActiveExists(opt) {
		return false
	}
	mode := b.Mode
	if row.Modes != AllModes && AllModes.Has(mode) && !row.Modes.Has(mode) {
		return v.fail(opt, ErrWrongMode, "not supported in mode "+mode.String(),
			fmt.Sprintf("%s does not take %s, leave it out; it is for %s", mode, opt, row.Modes))
	}
	if row.NeedsEmpty && len(v.slaves) > 0 {
		hint := "release the slaves first"
		if row.NeedsDown && v.up {
			hint = "bring the bond down and release the slaves first"
		}
		return v.fail(opt, ErrHasSlaves, "cannot be set while the bond has slaves", hint)
	}
	if row.NeedsDown && v.up {
		return v.fail(opt, ErrBondUp, "cannot be set while the bond is up", "bring the bond down first")
	}
	switch row.Kind {
	case KindIPv4List:
		return v.checkTargets(opt, v.o.ARPTargets)
	case KindIPv6List:
		return v.checkTargets(opt, v.o.NSTargets)
	case KindMAC:
		if v.o.ADActorSystem[0]&1 != 0 {
			return v.fail(opt, ErrBadValue, "a multicast address", "a unicast address, or 00:00:00:00:00:00 for that of the bond")
		}
		return true
	case KindLink:
		if opt == OptionActiveSlave {
			return v.checkActive()
		}
		return v.checkPrimary()
	}
	if n, ok := v.o.raw(opt); ok && (n < row.Min || n > row.Max) {
		return v.fail(opt, ErrBadValue, "out of range", textRange(row))
	}
	if row.NeedsMIIMon && b.MIIMon == 0 {
		hint := "set miimon before " + opt.String()
		if b.ARPInterval != 0 || v.o.ARPInterval != nil && *v.o.ARPInterval != 0 {
			hint = "the ARP monitor has no " + opt.String() + ", leave it out, or set miimon instead of arp_interval"
		}
		return v.fail(opt, ErrNeedsMIIMon, "cannot be set while miimon is 0", hint)
	}
	return true
}

// checkExclusion finds MII monitoring and ARP monitoring in the same message, which
// the kernel does before anything else on an option.
func (v *validator) checkExclusion(opt Option) bool {
	if v.o.MIIMon == nil || *v.o.MIIMon == 0 {
		return true
	}
	switch {
	case opt == OptionARPInterval && *v.o.ARPInterval != 0:
		return v.fail(opt, ErrConflict, "ARP monitoring cannot be used with MII monitoring",
			"set either miimon or arp_interval")
	case opt == OptionARPValidate && *v.o.ARPValidate != ARPValidateNone:
		return v.fail(opt, ErrConflict, "ARP validating cannot be used with MII monitoring",
			"set either miimon, or arp_interval and arp_validate")
	}
	return true
}

// checkTargets finds the targets that the kernel refuses.
func (v *validator) checkTargets(opt Option, list []netip.Addr) bool {
	ok := true
	for i, a := range list {
		switch {
		case i == maxTargets:
			return v.fail(opt, ErrBadValue, fmt.Sprintf("%d targets", len(list)),
				fmt.Sprintf("the kernel takes no more than %d", maxTargets))
		case valUnusable(a) != "":
			ok = v.fail(opt, ErrBadValue, a.String()+" is "+valUnusable(a), "leave it out")
		case slices.Contains(list[:i], a):
			ok = v.fail(opt, ErrBadValue, a.String()+" is there more than once", "leave out the duplicates")
		}
	}
	return ok
}

// valUnusable says what is wrong with a target that the kernel refuses
// (bond_is_ip_target_ok, bond_is_ip6_target_ok).
func valUnusable(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "the unspecified address"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "the broadcast address"
	case a.Is4(), a.Is4In6(): // mapped, the kernel takes all of them
		return ""
	case a.IsLoopback():
		return "the loopback address"
	case a.IsMulticast():
		return "a multicast address"
	}
	return ""
}

// checkActiveExists looks the active slave up by its index, which the kernel does
// before anything else.
func (v *validator) checkActiveExists(opt Option) bool {
	if opt != OptionActiveSlave || v.creating {
		return true
	}
	l := *v.o.Active
	if l.IsZero() || v.now.slaveIndex(l) >= 0 || v.now.linkIndex(l) >= 0 || predictSame(l, v.now.Bond.Link) {
		return true
	}
	return v.fail(opt, os.ErrNotExist, "no such interface", "")
}

// checkActive does what bond_option_active_slave_set does.
func (v *validator) checkActive() bool {
	const opt = OptionActiveSlave
	l := *v.o.Active
	if l.IsZero() {
		return true
	}
	i := v.now.slaveIndex(l)
	if i < 0 || v.creating {
		return v.fail(opt, ErrNotSlave, "not a slave of the bond", "make it a slave first")
	}
	slave := &v.slaves[i]
	b := &v.after.bond
	switch {
	case b.Has(opt) && predictSame(b.Active, slave.Link):
		return true
	case !slave.Up() || !slave.Carrier:
		return v.fail(opt, ErrSlaveDown, "the slave is down or has no link", "switch it on, or choose another one")
	case slave.MIIStatus != MIIUp:
		return v.fail(opt, ErrSlaveDown, "the monitor of the kernel says that the slave is "+slave.MIIStatus.String(), "wait until it is up, or choose another one")
	}
	return true
}

// checkPrimary finds what the kernel would not refuse but take for "none".
func (v *validator) checkPrimary() bool {
	l := *v.o.Primary
	switch {
	case l.IsZero() || v.now.slaveIndex(l) >= 0 || v.now.linkIndex(l) >= 0:
		return true
	case v.creating && v.now.Links == nil:
		// Nobody has looked which interfaces there are.
		return true
	}
	if !v.creating && predictSame(l, v.now.Bond.Link) {
		return true
	}
	return v.fail(OptionPrimary, os.ErrNotExist, "no such interface, and the kernel would clear the option", "")
}

// validateSlave says what the kernel would refuse of o on a slave of the bond in
// now, and what it would take although it is probably not meant, as Validate does.
// The slave need not be one yet.
func validateSlave(o SlaveOptions, slave Link, now *State) Issues {
	var errs, warnings Issues
	fail := func(opt Option, err error, message, hint string) {
		errs = append(errs, Issue{
			Severity: SeverityError, Option: opt, Value: o.Text(opt), Message: message, Hint: hint, Err: err,
		})
	}
	b := newPrediction(now).bond
	if o.QueueID != nil && *o.QueueID != 0 {
		if b.TxQueues > 0 && int(*o.QueueID) > b.TxQueues {
			fail(OptionQueueID, ErrBadValue, "the bond does not have so many transmit queues",
				fmt.Sprintf("0 to %d", b.TxQueues))
		} else if now != nil {
			for i := range now.Slaves {
				s := &now.Slaves[i]
				if s.QueueID == *o.QueueID && !predictSame(slave, s.Link) {
					fail(OptionQueueID, ErrBadValue, "slave "+s.Link.String()+" has it", "no two slaves may have the same, except 0")
				}
			}
		}
	}
	for _, opt := range []Option{OptionPrio, OptionActorPortPrio} {
		row := opt.row()
		if o.Has(opt) && AllModes.Has(b.Mode) && !row.Modes.Has(b.Mode) {
			fail(opt, ErrWrongMode, "not supported in mode "+b.Mode.String(),
				fmt.Sprintf("%s does not take %s, leave it out; it is for %s", b.Mode, opt, row.Modes))
		}
	}
	if o.Prio != nil && *o.Prio != 0 && b.Has(OptionPrimary) && b.Mode.HasActive() {
		warnings = append(warnings, Issue{
			Severity: SeverityWarning, Option: OptionPrio, Value: o.Text(OptionPrio),
			Message: "the kernel ignores it while there is a primary", Hint: "clear primary, or leave prio out",
		})
	}
	return append(errs, warnings...)
}
