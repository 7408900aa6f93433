// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"slices"
	"strconv"
)

// diffSlave is a slave that the bond is to have.
type diffSlave struct {
	name    string
	options SlaveOptions
	slave   *Slave    // where it is one already
	link    *LinkInfo // where it is not
}

// find returns the slave or other interface that a link names.
func (d *differ) find(l Link) (slave *Slave, link *LinkInfo) {
	same := func(k Link) bool { return l.Index != 0 && k.Index == l.Index || l.Index == 0 && k.Name == l.Name }
	for i := range d.now.Slaves {
		if s := &d.now.Slaves[i]; same(s.Link) {
			return s, &s.LinkInfo
		}
	}
	for i := range d.now.Links {
		if k := &d.now.Links[i]; same(k.Link) {
			return nil, k
		}
	}
	return nil, nil
}

// final reports whether the bond is to have the slave.
func (d *differ) final(name string) bool {
	return slices.ContainsFunc(d.slaves, func(s diffSlave) bool { return s.name == name })
}

// chooseSlaves finds the slaves that it is to have.
func (d *differ) chooseSlaves() {
	if d.spec.Slaves == nil {
		for i := range d.now.Slaves {
			s := &d.now.Slaves[i]
			d.slaves = append(d.slaves, diffSlave{name: s.Name, slave: s})
		}
		return
	}
	for _, want := range d.spec.Slaves {
		slave, link := d.find(Link{Name: want.Name})
		switch {
		case link == nil:
			d.plan.Missing = append(d.plan.Missing, want.Name)
			continue
		case slave == nil && link.Master != 0:
			kind := link.MasterKind
			if kind == "" {
				kind = "interface"
			}
			d.fail(0, want.Name, ErrSlaveBusy, "it is a port of another "+kind, "release it there first")
		case slave == nil && link.Type == arphrdLoopback:
			d.fail(0, want.Name, ErrCannotEnslave, "it is a loopback interface", "")
		}
		d.slaves = append(d.slaves, diffSlave{name: want.Name, options: want.Options.Clone(), slave: slave, link: link})
	}
	for i := range d.now.Slaves {
		if s := &d.now.Slaves[i]; !d.final(s.Name) {
			d.extra = append(d.extra, s)
		}
	}
}

// choosePrimary finds when the primary is set, if it is.
func (d *differ) choosePrimary() {
	want := d.spec.Options.Primary
	if want != nil && !d.mode.HasActive() {
		d.wrongMode(OptionPrimary, want.String())
		return
	}
	has := d.bond != nil && d.bond.Has(OptionPrimary)
	switch {
	case want == nil:
		if has && d.bond != nil && d.empties() && d.mode.HasActive() && d.final(d.bond.Primary.Name) {
			d.set.Primary = new(Link{Name: d.bond.Primary.Name})
		}
	case want.IsZero():
		if has && !d.recreate {
			d.set.Primary = new(Link{})
		}
	default:
		d.setPrimary(*want, has)
	}
}

func (d *differ) setPrimary(want Link, has bool) {
	slave, link := d.find(want)
	name := want.String()
	if link != nil {
		name = link.Name
	}
	if link != nil && d.final(name) {
		switch {
		case d.empties():
			d.set.Primary = new(Link{Name: name})
		case slave == nil:
			d.late = new(Link{Name: name})
		case !has || d.bond.Primary.Name != name:
			d.set.Primary = new(Link{Name: name})
		}
		return
	}
	if link == nil {
		d.warn(OptionPrimary, name, "it does not exist, so the kernel cannot be told", "apply again when it does")
	} else {
		d.warn(OptionPrimary, name, "it is not a slave, and the kernel does not say whether it will prefer it", "")
	}
	switch other := has && d.bond.Primary.Name != name; {
	case link != nil && (d.fresh() || other):
		d.set.Primary = new(Link{Name: name})
	case other && !d.fresh():
		d.set.Primary = new(Link{})
	}
}

func (d *differ) wrongMode(opt Option, value string) {
	row := opt.row()
	d.fail(opt, value, ErrWrongMode, "mode "+d.mode.String()+" does not take it", "leave it out; it is for "+row.Modes.String())
}

// chooseActive finds out whether an active slave is to be chosen.
func (d *differ) chooseActive() {
	want := d.spec.Options.Active
	if want == nil {
		// Where there is a primary the kernel knows better.
		if d.bond != nil && d.empties() && d.mode.HasActive() && d.bond.Has(OptionActiveSlave) &&
			d.set.Primary == nil && d.final(d.bond.Active.Name) && len(d.slaves) > 1 {
			d.active, d.activity = new(Link{Name: d.bond.Active.Name}), "it was the active slave"
		}
		return
	}
	if !d.mode.HasActive() {
		d.wrongMode(OptionActiveSlave, want.String())
		return
	}
	if want.IsZero() {
		return
	}
	slave, link := d.find(*want)
	name := want.String()
	if link != nil {
		name = link.Name
	}
	switch {
	case link == nil && (d.spec.Slaves == nil || slices.Contains(d.plan.Missing, name)):
		d.warn(OptionActiveSlave, name, "it does not exist", "apply again when it does")
	case link == nil || !d.final(name):
		d.fail(OptionActiveSlave, name, ErrNotSlave, "it is not to be a slave of the bond", "add it to the slaves")
	case len(d.slaves) == 1: // the kernel has no choice
	case slave == nil || d.empties():
		if !d.yields(name) {
			d.active, d.activity = new(Link{Name: name}), "it shall be the active slave"
		}
	case d.bond.Has(OptionActiveSlave) && d.bond.Active.Name == name:
	case d.yields(name):
	case slave.Up() && slave.Carrier && slave.MIIStatus == MIIUp:
		d.active, d.activity = new(Link{Name: name}), "it shall be the active slave, and "+d.bond.Active.String()+" is"
	default:
		d.warn(OptionActiveSlave, name, "it cannot be the active slave while its link is down", "")
	}
}

// yields reports whether an active slave is not to be chosen because of another,
// and warns of it.
func (d *differ) yields(active string) bool {
	other, why := d.yieldsTo(active)
	if other != "" {
		d.warn(OptionActiveSlave, active, "it is left alone, because the kernel goes back to "+why+" "+other,
			"leave out one of them, or choose another primary_reselect")
	}
	return other != ""
}

// yieldsTo returns the slave to which the kernel would go back from that active
// slave as soon as it can, so that choosing it again and again would be a fight, and why. A rollback does
// not fight.
func (d *differ) yieldsTo(active string) (other, why string) {
	if d.restores {
		return "", ""
	}
	var primary string
	switch want := d.spec.Options.Primary; {
	case want != nil:
		if _, link := d.find(*want); link != nil {
			primary = link.Name
		}
	case d.bond != nil && d.bond.Has(OptionPrimary):
		primary = d.bond.Primary.Name
	}
	reselect := PrimaryReselectAlways
	switch o := &d.options; {
	case o.declared.PrimaryReselect != nil:
		reselect = *o.declared.PrimaryReselect
	case o.keep.PrimaryReselect != nil:
		reselect = *o.keep.PrimaryReselect
	}
	switch {
	case reselect != PrimaryReselectAlways || primary == active && primary != "":
		return "", ""
	case d.final(primary):
		return primary, "the primary"
	}
	best, most := "", int64(0)
	for i := range d.slaves {
		s := &d.slaves[i]
		prio, _ := s.wanted(OptionPrio, d.mode)
		if better := prio > most; best == "" || better || prio == most && s.name == active {
			best, most = s.name, prio
		}
	}
	if best == active {
		return "", ""
	}
	return best, "the prio of"
}

// txQueues returns the number of queues that the bond is to have, 0 where nobody knows.
func (d *differ) txQueues() int {
	switch {
	case d.spec.TxQueues != nil:
		return *d.spec.TxQueues
	case d.bond != nil:
		return d.bond.TxQueues
	}
	return 0
}

// checkSlaveOptions checks what Validate does not know.
func (d *differ) checkSlaveOptions() {
	queues := map[uint16]string{}
	for i := range d.slaves {
		s := &d.slaves[i]
		for _, opt := range slaveSettable {
			if s.options.Has(opt) && !opt.row().Modes.Has(d.mode) {
				d.wrongMode(opt, diffSlaveText(&s.options, opt)+" of "+s.name)
			}
		}
		if s.options.Prio != nil && *s.options.Prio != 0 && d.hasPrimary() {
			d.warn(OptionPrio, diffSlaveText(&s.options, OptionPrio)+" of "+s.name, "the kernel ignores it while there is a primary", "leave out one of them")
		}
		q, ok := s.wanted(OptionQueueID, d.mode)
		if !ok || q == 0 {
			continue
		}
		id := uint16(q)
		value := strconv.Itoa(int(id)) + " of " + s.name
		if other := queues[id]; other != "" {
			d.fail(OptionQueueID, value, ErrConflict, other+" has the same", "give every slave another, or 0")
		}
		if n := d.txQueues(); n != 0 && int(id) > n {
			d.fail(OptionQueueID, value, ErrBadValue, "the bond has "+strconv.Itoa(n)+" transmit queues", "0 to "+strconv.Itoa(n))
		}
		queues[id] = s.name
	}
}

// hasPrimary reports whether the bond will have a primary.
func (d *differ) hasPrimary() bool {
	if p := d.spec.Options.Primary; p != nil {
		return !p.IsZero()
	}
	return d.bond != nil && d.bond.Has(OptionPrimary) && d.mode.HasActive()
}

func diffSlaveText(o *SlaveOptions, opt Option) string {
	v, _ := o.raw(opt)
	return strconv.FormatInt(v, 10)
}

// wanted returns what an option of the slave shall be, and whether that is known.
func (s *diffSlave) wanted(opt Option, mode Mode) (int64, bool) {
	switch {
	case s.options.Has(opt):
		return s.options.raw(opt)
	case s.slave != nil && s.slave.Has(opt) && opt.row().Modes.Has(mode):
		return s.slave.raw(opt), true
	}
	return 0, false
}
