// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Diff returns what is to be done to make a bond as the Spec says. It asks nobody, and
// changes neither argument; see [Client.State] for where now comes from. A nil State is one
// in which nothing exists.
//
// Only what differs is in the Plan, and with it what would be lost by the way:
//
//   - What the Spec does not mention stays as it is. When the mode changes, or fail_over_mac,
//     all slaves must be released; they are enslaved again in the order of the Spec, or of
//     their index, with their own options, and MAC address, primary and active slave are
//     put back. When miimon changes, the delays are written again, since the
//     kernel keeps them as multiples of it. Values that the new mode does not take are
//     dropped.
//   - A monitor replaces the other: an ARPInterval that is not 0 switches miimon off, and
//     a MIIMon that is not 0 arp_interval and arp_validate. Targets stay, unless the Spec
//     says otherwise.
//   - A delay is compared with what the kernel makes of it, a multiple of miimon. Lists of targets are
//     compared in order, for the order is the kernel's too.
//   - A primary is compared while that interface is a slave, because the kernel does not tell it
//     otherwise. An active slave is, while that slave could be active, and there is no primary, and no slave with
//     more prio, that the kernel would go back to. Neither is an error where it cannot be had yet; Issues has a warning.
//   - What the kernel does not tell is written each time that the Spec mentions it. In
//     802.3ad those are ad_actor_sys_prio, ad_user_port_key and ad_actor_system where
//     CAP_NET_ADMIN is missing in the initial user namespace.
//
// The Plan is never nil. Where Plan.Issues has errors, Diff returns them too, and no Steps: besides those of [Validate],
// an error matches ErrWrongMode for an option, also of a slave, that the mode does not take, whatever
// its value; ErrNotBond where the name belongs to another interface; ErrSlaveBusy
// where a slave to be is a port of something else; ErrNotSlave where Active is not to be a slave;
// ErrConflict where two slaves have one queue_id; and ErrBadValue for names and numbers that
// cannot be. Slaves that do not exist are no error here but in Plan.Missing.
func Diff(now *State, spec *Spec) (*Plan, error) {
	d, err := diffStart(now, spec, nil)
	if err != nil {
		return d.plan, err
	}
	d.steps()
	return d.plan, nil
}

// differ is a Diff under way.
type differ struct {
	now  *State
	spec *Spec
	plan *Plan

	bond *Bond // nil where there is none
	mode Mode  // afterwards

	slaves []diffSlave // that it is to have, and that exist
	extra  []*Slave    // to be released

	options  diffOptions
	set      Options   // the message that sets them
	hidden   *Bond     // of which the options are kept that the mode does not take
	detours  []Options // the messages before it that set those
	late     *Link     // the primary, where it is set after enslaving
	active   *Link     // the active slave to be chosen, nil for none
	activity string    // why

	recreate, rebuild, down bool
	setsMAC                 bool
	restores                bool // what has been so before
}

// diffStart finds what differs. Hidden is what the options are to be like that the mode
// does not take, nil for those of the bond.
func diffStart(now *State, spec *Spec, hidden *Bond) (*differ, error) {
	d := &differ{now: now, spec: spec, hidden: hidden, restores: hidden != nil, plan: &Plan{}}
	if now == nil {
		d.now = &State{}
	}
	if spec == nil {
		d.spec = &Spec{}
	}
	d.plan.Name = d.spec.Name
	d.bond = d.now.Bond
	d.checkSpec()
	d.chooseMode()
	d.chooseSlaves()
	d.chooseOptions()
	d.choosePrimary()
	d.chooseActive()
	d.checkSlaveOptions()
	slices.SortStableFunc(d.plan.Issues, func(a, b Issue) int { return int(b.Severity) - int(a.Severity) })
	return d, d.plan.err()
}

func (d *differ) fail(opt Option, value string, err error, message, hint string) {
	if opt == 0 {
		value, message = "", value+": "+message
	}
	d.plan.Issues = append(d.plan.Issues, Issue{
		Severity: SeverityError, Option: opt, Value: value, Message: message, Hint: hint, Err: err,
	})
}

func (d *differ) warn(opt Option, value, message, hint string) {
	if opt == 0 {
		value, message = "", value+": "+message
	}
	d.plan.Issues = append(d.plan.Issues, Issue{
		Severity: SeverityWarning, Option: opt, Value: value, Message: message, Hint: hint,
	})
}

// Bounds of what the kernel takes for any interface, and for a bond.
const (
	diffMaxName     = 15
	diffMinMTU      = 68
	diffMaxMTU      = 65535
	diffMaxTxQueues = 4096
)

// diffNameOK is dev_valid_name of the kernel.
func diffNameOK(name string) bool {
	for i := range len(name) {
		if strings.IndexByte("/:\x00 \t\n\v\f\r\xa0", name[i]) >= 0 {
			return false
		}
	}
	return name != "" && len(name) <= diffMaxName && name != "." && name != ".."
}

// checkSpec checks what is no option.
func (d *differ) checkSpec() {
	s := d.spec
	// A percent sign makes a pattern of the name of a new interface.
	if !diffNameOK(s.Name) || d.bond == nil && strings.Contains(s.Name, "%") {
		d.fail(0, strconv.Quote(s.Name), ErrBadValue, "not a name for a bond", "1 to 15 bytes without spaces, slashes, colons and percent signs")
	}
	if d.bond == nil && slices.ContainsFunc(d.now.Links, func(l LinkInfo) bool { return l.Name == s.Name }) {
		d.fail(0, s.Name, ErrNotBond, "there is an interface of that name that is no bond", "choose another name, or remove it")
	}
	if s.MTU != nil && (*s.MTU < diffMinMTU || *s.MTU > diffMaxMTU) {
		d.fail(0, "mtu "+strconv.Itoa(*s.MTU), ErrBadValue, "not an MTU", "68 to 65535")
	}
	if s.TxQueues != nil && (*s.TxQueues < 1 || *s.TxQueues > diffMaxTxQueues) {
		d.fail(0, "tx_queues "+strconv.Itoa(*s.TxQueues), ErrBadValue, "not a number of queues", "1 to 4096")
	}
	if m := s.MAC; m != nil && !d.macOK(m) {
		d.fail(0, "mac "+m.String(), ErrBadValue, "not a hardware address for the bond", "a unicast address of 6 bytes that is not zero")
	}
	d.checkLink(OptionActiveSlave, s.Options.Active)
	d.checkLink(OptionPrimary, s.Options.Primary)
	seen := map[string]bool{}
	for _, slave := range s.Slaves {
		switch {
		case !diffNameOK(slave.Name):
			d.fail(0, strconv.Quote(slave.Name), ErrBadValue, "not a name of an interface", "")
		case slave.Name == s.Name:
			d.fail(0, slave.Name, ErrCannotEnslave, "a bond cannot be its own slave", "")
		case seen[slave.Name]:
			d.fail(0, slave.Name, ErrBadValue, "the slave is mentioned twice", "")
		}
		seen[slave.Name] = true
	}
}

// checkLink checks that there can be such an interface.
func (d *differ) checkLink(opt Option, l *Link) {
	switch {
	case l == nil || l.IsZero():
	case l.Index < 0 || l.Index > maxInt || l.Index == 0 && !textIsName(l.Name):
		d.fail(opt, l.String(), ErrBadValue, "not an interface", "a name, or an index of 1 to 2147483647")
	}
}

func (d *differ) macOK(m net.HardwareAddr) bool {
	if d.bond != nil && len(m) == len(d.bond.MAC) && len(m) != 6 {
		return true
	}
	return len(m) == 6 && m[0]&1 == 0 && !slices.Equal(m, make(net.HardwareAddr, 6))
}

// chooseMode finds the mode afterwards, and whether the bond must be made anew.
func (d *differ) chooseMode() {
	switch {
	case d.spec.Options.Mode != nil:
		d.mode = *d.spec.Options.Mode
	case d.bond != nil:
		d.mode = d.bond.Mode
	}
	d.recreate = d.bond != nil && d.spec.TxQueues != nil && *d.spec.TxQueues != d.bond.TxQueues
}

// fresh reports whether the bond is made, or made anew.
func (d *differ) fresh() bool { return d.bond == nil || d.recreate }

// empties reports whether all slaves are enslaved anew.
func (d *differ) empties() bool { return d.fresh() || d.rebuild }

// chooseOptions finds what is to be set, and what that takes.
func (d *differ) chooseOptions() {
	declared := d.spec.Options.Clone()
	declared.Active, declared.Primary = nil, nil
	d.options = diffOptions{declared: declared, mode: d.mode}
	// Of a new bond nothing is known but that it has no targets.
	d.options.now.ARPTargets, d.options.now.NSTargets = []netip.Addr{}, []netip.Addr{}
	if d.bond != nil {
		d.options.keep = diffNow(d.bond)
		if !d.recreate {
			d.options.now = d.options.keep
		}
	}
	if d.hidden == nil && d.recreate {
		d.hidden = d.bond
	}
	if d.hidden != nil {
		d.detour(d.hidden)
	}
	d.set = d.options.message()
	d.validate()

	for _, o := range append(d.detours, d.set) {
		for opt := range o.All() {
			row := opt.row()
			d.rebuild = d.rebuild || row.NeedsEmpty && len(d.now.Slaves) > 0
			d.down = d.down || row.NeedsDown
		}
	}
	d.chooseMAC()
	if d.fresh() {
		d.rebuild = false
	}
	if d.rebuild {
		d.down = true
	}
	if d.recreate && d.mode == Mode8023AD && d.bond.Mode == Mode8023AD {
		for _, opt := range []Option{OptionADActorSysPrio, OptionADUserPortKey, OptionADActorSystem} {
			if !d.bond.Has(opt) && !declared.Has(opt) {
				d.warn(opt, "", "the kernel does not show it, so it is lost when the bond is made anew", "say what it shall be")
			}
		}
	}
}

// validate judges what is declared, with what has to be set besides, as if the
// bond were down and empty, as it will be when that is needed.
func (d *differ) validate() {
	o := d.options.declared.Clone()
	for opt := range d.set.All() {
		if !o.Has(opt) {
			diffCopy(&o, &d.set, opt)
		}
	}
	if d.options.miimon() == 0 {
		for _, opt := range delayOptions {
			if v, _ := o.duration(opt); v == 0 {
				o.Clear(opt)
			}
		}
	}
	var now *State
	if !d.fresh() {
		b := d.bond.Clone()
		b.Flags &^= FlagUp
		now = &State{Bond: b, Links: d.now.Links}
	}
	d.plan.Issues = append(d.plan.Issues, Validate(o, now)...)
}

// diffFixedMAC reports whether the kernel ignores a hardware address that is given to
// the bond (bond_set_mac_address).
func diffFixedMAC(mode Mode, f FailOverMAC) bool {
	return mode == ModeActiveBackup && f != FailOverMACNone
}

// failOverMAC returns fail_over_mac afterwards.
func (d *differ) failOverMAC() FailOverMAC {
	switch o := &d.options; {
	case o.declared.FailOverMAC != nil:
		return *o.declared.FailOverMAC
	case o.keep.FailOverMAC != nil:
		return *o.keep.FailOverMAC
	}
	return FailOverMACNone
}

// chooseMAC finds out whether the hardware address has to be set.
func (d *differ) chooseMAC() {
	follows := d.mode == ModeActiveBackup && d.failOverMAC() == FailOverMACActive && len(d.slaves) > 0
	if d.spec.MAC != nil && follows {
		d.warn(0, "mac "+d.spec.MAC.String(), "with fail_over_mac active the bond has the address of its active slave", "")
	}
	if d.fresh() {
		return
	}
	differs := d.spec.MAC != nil && !slices.Equal(d.spec.MAC, d.bond.MAC)
	empty := len(d.now.Slaves) == 0
	releasesAll := d.spec.MAC != nil && !empty && len(d.slaves) == 0
	switch {
	case follows:
		// Until it has an active slave it keeps that which it had.
		d.setsMAC = d.rebuild && !d.bond.Has(OptionActiveSlave) || d.spec.MAC != nil && (d.rebuild || empty)
	case d.rebuild:
		// The last release gives the bond a random address, and then the first slave
		// would give it its own.
		d.setsMAC = d.spec.MAC != nil || len(d.slaves) > 0
	case (differs && !empty || releasesAll) && diffFixedMAC(d.mode, d.failOverMAC()):
		d.rebuild, d.down, d.setsMAC = true, true, true
	case differs, releasesAll, d.spec.MAC != nil && empty && len(d.slaves) > 0:
		d.setsMAC = true
	}
	if d.spec.MAC == nil && len(d.bond.MAC) != 6 {
		d.setsMAC = false // InfiniBand addresses cannot be set
	}
}

// mac returns the address that the bond is to have.
func (d *differ) mac() net.HardwareAddr {
	if d.spec.MAC == nil && d.bond != nil {
		return slices.Clone(d.bond.MAC)
	}
	return slices.Clone(d.spec.MAC)
}
