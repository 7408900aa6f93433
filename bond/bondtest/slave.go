// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"bytes"
	"slices"
	"syscall"

	"github.com/bondkit/bondkit/bond"
)

// setMaster makes l a port of the interface with the index, or of none where that is
// 0 (do_set_master of rtnetlink.c). It leaves its old master first, whatever
// becomes of the rest.
func (k *Kernel) setMaster(l *link, index int) *bond.KernelError {
	if l.master != nil {
		if l.master.index == index {
			return nil
		}
		k.leave(l)
	}
	if index == 0 {
		return nil
	}
	m := k.byIndex(index)
	switch {
	case m == nil:
		return refuse(errInvalid)
	case m.bond != nil:
		return k.enslave(m, l)
	case m.kind == "bridge":
		l.master = m
		k.notify(l, eventNone)
		return nil
	}
	return refuse(errNotSupp)
}

// leave takes l from its master.
func (k *Kernel) leave(l *link) {
	if l.slave != nil {
		k.expel(l, false)
		return
	}
	bridge := l.master
	l.master = nil
	if bridge.kind == "bridge" {
		k.send(bond.Message{Type: rtmDelLink, Data: bridgePort(l, bridge)})
	}
	k.notify(l, eventNone)
}

// enslave makes s a slave of the bond l (bond_enslave of bond_main.c).
func (k *Kernel) enslave(l, s *link) *bond.KernelError {
	st := l.bond
	first := len(st.slaves) == 0
	switch {
	case s.busy:
		return explain(syscall.EBUSY, "Device is in use and cannot be enslaved", 0)
	case s == l:
		return explain(syscall.EPERM, "Cannot enslave bond to itself.", 0)
	case s.up:
		return explain(syscall.EPERM, "Device can not be enslaved while up", 0)
	case above(l, s):
		return refuse(syscall.EBUSY)
	case st.mode() == bond.Mode8023AD && s.typ != arphrdEther:
		return explain(errInvalid, "8023AD mode requires Ethernet devices", 0)
	case !first && s.typ != l.typ:
		return explain(errInvalid, "Device type is different from other slaves", 0)
	case s.typ == arphrdInfiniband && st.mode() != bond.ModeActiveBackup:
		return explain(errNotSupp, "Only the active-backup mode is supported for infiniband slaves", 0)
	}
	if (s.noSetMAC || s.typ == arphrdInfiniband) && st.mode() == bond.ModeActiveBackup &&
		bond.FailOverMAC(st.num[bond.OptionFailOverMAC]) != bond.FailOverMACActive {
		if !first {
			return explain(errNotSupp, "Slave device does not support setting the MAC address, but fail_over_mac is not set to active", 0)
		}
		st.num[bond.OptionFailOverMAC] = int64(bond.FailOverMACActive)
	}
	if first {
		l.typ = s.typ
		if l.random {
			l.mac = slices.Clone(s.mac)
			k.notify(l, eventNone)
		}
	}
	s.slave = &slaveState{perm: slices.Clone(s.mac), mtu: s.mtu, portPrio: 255, backup: true}
	s.mtu = l.mtu
	if st.sharesMAC() && !s.noSetMAC {
		s.mac = slices.Clone(l.mac)
	}
	k.notify(s, eventNone)
	s.flags |= iffSlave
	s.up = true
	k.notify(s, eventNone)

	if st.num[bond.OptionMIIMon] != 0 || st.num[bond.OptionARPInterval] != 0 {
		if !s.carrier {
			s.slave.mii = bond.MIIDown
		}
	}
	if st.mode().HasActive() && st.primaryName == s.name {
		st.primary, st.forcePrimary = s, true
	}
	s.slave.backup = st.mode() == bond.ModeActiveBackup || st.mode() == bond.Mode8023AD
	s.master = l
	st.slaves = append(st.slaves, s)
	k.notify(s, eventNone)
	k.notify(l, eventFeatures)
	k.setCarrier(l)
	k.selectActive(l)
	k.converge(l)
	return nil
}

// above reports whether l is s or hangs on it, so that s over l would be a loop.
func above(l, s *link) bool {
	for l != nil && l != s {
		l = l.master
	}
	return l != nil
}

// sharesMAC reports whether slaves get the address of the bond. In balance-tlb and
// balance-alb only the active one does.
func (st *bondState) sharesMAC() bool {
	if st.mode() == bond.ModeBalanceTLB || st.mode() == bond.ModeBalanceALB {
		return false
	}
	return st.mode() != bond.ModeActiveBackup || st.num[bond.OptionFailOverMAC] == int64(bond.FailOverMACNone)
}

// expel makes s no slave (__bond_release_one of bond_main.c). Where the bond itself
// goes, nothing is said of that any more, and it keeps what it has.
func (k *Kernel) expel(s *link, all bool) {
	l := s.master
	st, old := l.bond, s.slave
	if st.mode() != bond.ModeBalanceTLB && st.mode() != bond.ModeBalanceALB && !old.backup {
		old.backup = true
		k.notify(s, eventNone)
	}
	st.slaves = slices.DeleteFunc(st.slaves, func(o *link) bool { return o == s })
	addStats(&st.gone, &old.stats)
	s.master, s.slave = nil, nil
	k.notify(s, eventNone)
	if !all {
		k.closeRanks(l, s)
	}
	s.flags &^= iffSlave
	s.up = false
	k.notify(s, eventNone)
	failOver := bond.FailOverMAC(st.num[bond.OptionFailOverMAC])
	if (st.mode() != bond.ModeActiveBackup || failOver != bond.FailOverMACActive) && !s.noSetMAC && !bytes.Equal(s.mac, old.perm) {
		s.mac = old.perm
		k.notify(s, eventNone)
	}
	if s.mtu != old.mtu {
		s.mtu = old.mtu
		if !all {
			k.notify(s, eventNone)
		}
	}
}

// closeRanks is what a bond does without s.
func (k *Kernel) closeRanks(l, s *link) {
	st := l.bond
	if st.primary == s {
		st.primary = nil
	}
	if st.active == s {
		k.changeActive(l, nil)
		k.selectActive(l)
	}
	k.setCarrier(l)
	k.converge(l)
	if len(st.slaves) == 0 {
		l.mac, l.random = k.randomMAC(), true
		k.notify(l, eventNone)
	}
	k.notify(l, eventFeatures)
}

// setActive makes a slave the active one, or has the kernel choose where slave is
// nil (bond_option_active_slave_set of bond_options.c).
func (k *Kernel) setActive(l, slave *link, offset int) *bond.KernelError {
	st := l.bond
	switch {
	case slave == nil:
		old := st.active
		st.active = nil
		k.selectActive(l)
		if old != nil && old != st.active {
			k.setBackup(l, old, true)
		}
	case slave.master != l:
		return k.say(errInvalid, textValue, offset)
	case slave == st.active:
	case st.active == nil || slave.slave.mii != bond.MIIUp || !slave.running():
		return k.say(errInvalid, textValue, offset)
	default:
		k.changeActive(l, slave)
	}
	return nil
}

// setPrimary asks for a primary by name, which need not be a slave yet
// (bond_option_primary_set).
func (k *Kernel) setPrimary(l *link, name string) {
	st := l.bond
	st.primaryName, st.primary = name, nil
	if s := k.byName(name); s != nil && s.master == l {
		st.primary, st.forcePrimary = s, true
	}
	k.selectActive(l)
}

// selectActive has the active slave be the one that should be
// (bond_select_active_slave of bond_main.c).
func (k *Kernel) selectActive(l *link) {
	st := l.bond
	if !st.mode().HasActive() {
		return
	}
	if best := k.best(st); best != st.active {
		k.changeActive(l, best)
		k.setCarrier(l)
	}
}

// best is bond_find_best_slave.
func (k *Kernel) best(st *bondState) *link {
	up := func(s *link) bool { return s != nil && s.slave.mii == bond.MIIUp }
	want := st.primary
	if !up(want) {
		want = nil
		if k.Supports(bond.OptionPrio) {
			for _, s := range st.slaves {
				if up(s) && (want == nil || s.slave.prio > want.slave.prio) {
					want = s
				}
			}
		}
		if want == nil || want == st.active {
			if up(st.active) {
				return st.active
			}
			i := slices.IndexFunc(st.slaves, up)
			if i < 0 {
				return nil
			}
			return st.slaves[i]
		}
	} else if st.forcePrimary {
		st.forcePrimary = false
		return want
	}
	if !up(st.active) {
		return want
	}
	switch bond.PrimaryReselect(st.num[bond.OptionPrimaryReselect]) {
	case bond.PrimaryReselectBetter:
		if want.speed <= st.active.speed {
			return st.active
		}
	case bond.PrimaryReselectFailure:
		return st.active
	case bond.PrimaryReselectAlways:
	}
	return want
}

// changeActive is bond_change_active_slave: the old one first becomes a backup,
// then the new one active, and then the bond says so.
func (k *Kernel) changeActive(l, to *link) {
	st := l.bond
	from := st.active
	if from == to {
		return
	}
	st.active = to
	if st.mode() != bond.ModeActiveBackup {
		k.swapMAC(l, from, to)
	}
	k.setBackup(l, from, true)
	k.setBackup(l, to, false)
	if st.mode() == bond.ModeActiveBackup && to != nil {
		k.failOverMAC(l, from, to)
		k.notify(l, eventFailover)
		if l.up && st.num[bond.OptionNumPeerNotif] != 0 {
			k.notify(l, eventNotifyPeers)
		}
	}
	if l.up && to != nil && st.num[bond.OptionResendIGMP] > 0 {
		k.notify(l, eventIGMPResend)
	}
}

// setBackup sets the state that s tells. In balance-tlb and balance-alb all slaves
// are active.
func (k *Kernel) setBackup(l, s *link, backup bool) {
	backup = backup && l.bond.mode() == bond.ModeActiveBackup
	if s != nil && s.slave != nil && s.slave.backup != backup {
		s.slave.backup = backup
		k.notify(s, eventNone)
	}
}

// swapMAC gives the active slave the address of the bond, and who has that the one it had
// (bond_alb_handle_active_change of bond_alb.c).
func (k *Kernel) swapMAC(l, from, to *link) {
	if to == nil || bytes.Equal(to.mac, l.mac) {
		return
	}
	if from == nil || from.slave == nil {
		from = nil
		for _, s := range l.bond.slaves {
			if bytes.Equal(s.mac, l.mac) {
				from = s
			}
		}
	}
	mac := slices.Clone(l.mac)
	if from != nil {
		mac, from.mac = from.mac, to.mac
		k.notify(from, eventNone)
	}
	to.mac = mac
	k.notify(to, eventNone)
}

// failOverMAC is bond_do_fail_over_mac.
func (k *Kernel) failOverMAC(l, from, to *link) {
	switch bond.FailOverMAC(l.bond.num[bond.OptionFailOverMAC]) {
	case bond.FailOverMACNone:
	case bond.FailOverMACActive:
		if !bytes.Equal(l.mac, to.mac) {
			l.mac = slices.Clone(to.mac)
			k.notify(l, eventNone)
		}
	case bond.FailOverMACFollow:
		mac := l.mac
		if from != nil {
			mac, from.mac = from.mac, to.mac
			k.notify(from, eventNone)
		}
		to.mac = slices.Clone(mac)
		k.notify(to, eventNone)
	}
}

// monitor is what the MII or ARP monitor of a bond finds, which is the carrier. It
// looks only while the bond is up.
func (k *Kernel) monitor(l *link) {
	st := l.bond
	if !l.up || !st.monitored() {
		return
	}
	changed := false
	for _, s := range st.slaves {
		switch now := s.running(); {
		case !now && s.slave.mii == bond.MIIUp:
			s.slave.mii = bond.MIIDown
			s.slave.failures++
		case now && s.slave.mii != bond.MIIUp:
			s.slave.mii = bond.MIIUp
		default:
			continue
		}
		changed = true
		k.notify(s, eventNone)
	}
	if changed {
		k.selectActive(l)
		k.setCarrier(l)
		k.converge(l)
	}
}

// setCarrier gives a bond the carrier it should have (bond_set_carrier).
func (k *Kernel) setCarrier(l *link) {
	st := l.bond
	on := slices.ContainsFunc(st.slaves, func(s *link) bool { return s.slave.mii == bond.MIIUp })
	if on && st.mode() == bond.Mode8023AD && st.ad != nil {
		on = st.ports() >= st.num[bond.OptionMinLinks]
	}
	if on != l.carrier {
		l.carrier = on
		k.linkWatch(l)
		// The kernel says so when the rest is done.
		if !slices.Contains(k.unsaid, l) {
			k.unsaid = append(k.unsaid, l)
		}
	}
}

// finish says what has not been said, and unlocks.
func (k *Kernel) finish() {
	for _, l := range k.unsaid {
		if l.up && slices.Contains(k.links, l) {
			k.notify(l, eventNone)
		}
	}
	k.unsaid, k.as = nil, root
	k.mu.Unlock()
}

// ports returns how many slaves count for min_links: all of the active aggregator or,
// with lacp_strict, those that collect and distribute.
func (st *bondState) ports() int64 {
	if st.num[bond.OptionLACPStrict] == 0 {
		return int64(st.ad.Ports)
	}
	const both = bond.PortCollecting | bond.PortDistributing
	n := int64(0)
	for _, s := range st.slaves {
		n += number01(s.slave.lacp.AggregatorID == st.ad.AggregatorID && s.slave.lacp.Actor&both == both)
	}
	return n
}

// linkWatch tells the master of l that its link may have changed.
func (k *Kernel) linkWatch(l *link) {
	if l.slave != nil {
		k.monitor(l.master)
	}
}
