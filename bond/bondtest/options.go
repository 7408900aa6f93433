// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"net/netip"
	"slices"
	"syscall"

	"github.com/bondkit/bondkit/bond"
)

// The texts of the kernel's bond_options.c and bond_netlink.c.
const (
	textMode       = "option not supported in mode"
	textSlaves     = "unable to set option because the bond device has slaves"
	textUp         = "unable to set option because the bond is up"
	textValue      = "invalid option value"
	textARPAndMII  = "ARP monitoring cannot be used with MII monitoring"
	textValAndMII  = "ARP validating cannot be used with MII monitoring"
	textUseCarrier = "option obsolete, use_carrier cannot be disabled"
	textIPv6       = "Invalid IPv6 address"
)

// maxTargets is BOND_MAX_ARP_TARGETS.
const maxTargets = 16

// say is an answer about an option, without words where the release has none.
func (k *Kernel) say(errno syscall.Errno, message string, offset int) *bond.KernelError {
	if !k.release.HasMessages() {
		return refuse(errno)
	}
	return explain(errno, message, offset)
}

// changeBond applies IFLA_INFO_DATA (bond_changelink of bond_netlink.c): in the
// order of the table, and up to the first option that is refused. What was
// applied stays.
func (k *Kernel) changeBond(l *link, data tlv) *bond.KernelError {
	tb := data.nest()
	for opt := range bond.AllOptions() {
		info := opt.Info()
		a, ok := tb[info.Attr]
		if info.Slave || info.ReadOnly || !ok || !k.Supports(opt) {
			continue
		}
		if err := k.checkTogether(&info, tb); err != nil {
			return err
		}
		if err := k.setOption(l, &info, a); err != nil {
			return err
		}
	}
	return nil
}

// checkTogether refuses options that exclude each other in one message.
func (k *Kernel) checkTogether(info *bond.OptionInfo, tb map[uint16]tlv) *bond.KernelError {
	mii, ok := tb[uint16(bond.OptionMIIMon)]
	if !ok || mii.u32() == 0 {
		return nil
	}
	switch info.Option {
	case bond.OptionARPInterval:
		if a := tb[info.Attr]; a.u32() != 0 {
			return k.say(errInvalid, textARPAndMII, a.off)
		}
	case bond.OptionARPValidate:
		// The kernel blames arp_interval, which need not be there.
		if tb[info.Attr].u32() != 0 {
			return k.say(errInvalid, textValAndMII, tb[uint16(bond.OptionARPInterval)].off)
		}
	}
	return nil
}

// setOption applies one option.
func (k *Kernel) setOption(l *link, info *bond.OptionInfo, a tlv) *bond.KernelError {
	st := l.bond
	switch info.Option {
	case bond.OptionActiveSlave:
		var slave *link
		if index := int(a.u32()); index != 0 {
			if slave = k.byIndex(index); slave == nil {
				return refuse(errNoDevice)
			}
		}
		if err := k.checkState(l, info, a.off); err != nil {
			return err
		}
		return k.setActive(l, slave, a.off)
	case bond.OptionPrimary:
		name := ""
		if p := k.byIndex(int(a.u32())); p != nil {
			name = p.name
		}
		if err := k.checkState(l, info, a.off); err != nil {
			return err
		}
		k.setPrimary(l, name)
		return nil
	case bond.OptionARPTargets:
		st.targets = nil
		return k.addTargets(l, info, a)
	case bond.OptionNSTargets:
		st.targets6 = nil
		return k.addTargets(l, info, a)
	case bond.OptionUseCarrier:
		if k.release == Release72 {
			if a.data[0] != 1 {
				return k.say(errInvalid, textUseCarrier, a.off)
			}
			return nil
		}
	case bond.OptionADActorSystem:
		if len(a.data) != len(st.system) {
			return refuse(errInvalid)
		}
		if err := k.checkState(l, info, a.off); err != nil {
			return err
		}
		if a.data[0]&1 != 0 {
			return k.say(errInvalid, textValue, a.off)
		}
		st.system = [6]byte(a.data)
		return nil
	}
	return k.setNumber(l, info, number(info, a.data), a.off)
}

// checkState is bond_opt_check_deps of bond_options.c.
func (k *Kernel) checkState(l *link, info *bond.OptionInfo, offset int) *bond.KernelError {
	switch {
	case !info.Modes.Has(l.bond.mode()):
		return k.say(syscall.EACCES, textMode, offset)
	case info.NeedsEmpty && len(l.bond.slaves) > 0:
		return k.say(syscall.ENOTEMPTY, textSlaves, offset)
	case info.NeedsDown && l.up:
		return k.say(syscall.EBUSY, textUp, offset)
	}
	return nil
}

// setNumber applies an option that is a number.
func (k *Kernel) setNumber(l *link, info *bond.OptionInfo, v int64, offset int) *bond.KernelError {
	if err := k.checkState(l, info, offset); err != nil {
		return err
	}
	if lo, hi := k.release.bounds(info); v < lo || v > hi {
		return k.say(errInvalid, textValue, offset)
	}
	st := l.bond
	mii := st.num[bond.OptionMIIMon]
	if info.NeedsMIIMon {
		if mii == 0 {
			return refuse(syscall.EPERM)
		}
		st.num[info.Option] = v / mii
		return nil
	}
	st.num[info.Option] = v
	switch info.Option {
	case bond.OptionMode:
		st.cleared()
		st.fixMode()
	case bond.OptionMIIMon:
		if v != 0 && st.num[bond.OptionARPInterval] != 0 {
			st.num[bond.OptionARPInterval], st.num[bond.OptionARPValidate] = 0, 0
		}
		k.monitor(l)
	case bond.OptionARPInterval:
		if v != 0 {
			st.num[bond.OptionMIIMon] = 0
		}
		k.monitor(l)
	case bond.OptionPrimaryReselect:
		k.selectActive(l)
	case bond.OptionMinLinks, bond.OptionLACPStrict:
		k.setCarrier(l)
	}
	return nil
}

// cleared sets back what a choice of mode sets back, by the table.
func (st *bondState) cleared() {
	st.ad, st.lacpPlayed = nil, false
	for opt := range bond.AllOptions() {
		if info := opt.Info(); !info.Slave && info.Cleared.Has(st.mode()) {
			st.num[opt] = info.Default
		}
	}
}

// fixMode has the MII monitor run where no other may.
func (st *bondState) fixMode() {
	const defaultMIIMon = 100
	if !bond.OptionARPInterval.Info().Modes.Has(st.mode()) && st.num[bond.OptionMIIMon] == 0 {
		st.num[bond.OptionMIIMon] = defaultMIIMon
	}
}

// addTargets adds to a list that has been cleared, one by one, up to the first that
// is refused.
func (k *Kernel) addTargets(l *link, info *bond.OptionInfo, a tlv) *bond.KernelError {
	st := l.bond
	for t := range attrs(a.data, a.off+4) {
		list, size := &st.targets, 4
		if info.Option == bond.OptionNSTargets {
			list, size = &st.targets6, 16
		}
		if len(t.data) < size {
			if size == 16 {
				return k.say(errInvalid, textIPv6, 0)
			}
			return refuse(errInvalid)
		}
		addr, _ := netip.AddrFromSlice(t.data[:size])
		if !targetOK(addr) || slices.Contains(*list, addr) || len(*list) == maxTargets {
			return k.say(errInvalid, textValue, a.off)
		}
		*list = append(*list, addr)
	}
	return nil
}

// targetOK is bond_is_ip_target_ok and bond_is_ip6_target_ok of <net/bonding.h>.
func targetOK(addr netip.Addr) bool {
	if addr.Is4() {
		b := addr.As4()
		return b != [4]byte{} && b != [4]byte{255, 255, 255, 255}
	}
	if addr.Is4In6() {
		return true // net/netip looks at the IPv4 address in it, the kernel does not
	}
	return !addr.IsUnspecified() && !addr.IsLoopback() && !addr.IsMulticast()
}

// changeSlave applies IFLA_INFO_SLAVE_DATA (bond_slave_changelink of
// bond_netlink.c).
func (k *Kernel) changeSlave(s *link, data tlv) *bond.KernelError {
	tb := data.nest()
	for opt := range bond.AllOptions() {
		info := opt.Info()
		a, ok := tb[info.Attr]
		if !info.Slave || info.ReadOnly || !ok || !k.Supports(opt) {
			continue
		}
		if err := k.setSlaveOption(s, &info, number(&info, a.data), a.off); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kernel) setSlaveOption(s *link, info *bond.OptionInfo, v int64, offset int) *bond.KernelError {
	l := s.master
	if err := k.checkState(l, info, offset); err != nil {
		return err
	}
	if v < info.Min || v > info.Max {
		return k.say(errInvalid, textValue, offset)
	}
	switch info.Option {
	case bond.OptionQueueID:
		taken := slices.ContainsFunc(l.bond.slaves, func(o *link) bool {
			return o != s && v != 0 && int64(o.slave.queueID) == v
		})
		if taken || v > int64(l.txQueues) {
			return refuse(syscall.EPERM)
		}
		s.slave.queueID = uint16(v)
	case bond.OptionPrio:
		s.slave.prio = int32(v)
		if l.bond.primary == nil {
			k.selectActive(l)
		}
	case bond.OptionActorPortPrio:
		s.slave.portPrio = uint16(v)
	}
	return nil
}
