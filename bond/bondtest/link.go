// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"net"
	"slices"
	"syscall"

	"github.com/bondkit/bondkit/bond"
)

// setUp switches l on or off.
func (k *Kernel) setUp(l *link, up bool) {
	if l.up == up {
		return
	}
	l.up = up
	if l.bond != nil && up {
		for _, s := range l.bond.slaves {
			if l.bond.mode() != bond.Mode8023AD {
				k.setBackup(l, s, s != l.bond.active)
			}
		}
	}
	k.notify(l, eventNone)
	if l.bond != nil {
		k.monitor(l)
		k.converge(l)
	}
	k.linkWatch(l)
}

// setMAC is dev_set_mac_address, and for a bond bond_set_mac_address.
func (k *Kernel) setMAC(l *link, mac []byte) *bond.KernelError {
	switch {
	case len(mac) < len(l.mac):
		return refuse(errInvalid)
	case l.noSetMAC:
		return refuse(errNotSupp)
	}
	mac = slices.Clone(mac[:len(l.mac)])
	if l.typ == arphrdEther && !validMAC(mac) {
		return refuse(syscall.EADDRNOTAVAIL)
	}
	if l.bond != nil {
		l.random = false
		if l.bond.mode() == bond.ModeActiveBackup && l.bond.num[bond.OptionFailOverMAC] != 0 {
			return nil
		}
		for _, s := range l.bond.slaves {
			s.mac = slices.Clone(mac)
			k.notify(s, eventNone)
		}
	}
	l.mac = net.HardwareAddr(mac)
	k.notify(l, eventNone)
	return nil
}

func (k *Kernel) setMTU(l *link, mtu int) *bond.KernelError {
	if mtu == l.mtu {
		return nil
	}
	if err := checkMTU(mtu); err != nil {
		return err
	}
	if l.bond != nil {
		for _, s := range l.bond.slaves {
			s.mtu = mtu
			k.notify(s, eventNone)
		}
	}
	l.mtu = mtu
	k.notify(l, eventNone)
	return nil
}

func (k *Kernel) rename(l *link, name string) *bond.KernelError {
	switch {
	case name == l.name:
		return nil
	case l.up && k.release.older(Release612):
		return refuse(syscall.EBUSY)
	case !validName(name):
		return refuse(errInvalid)
	case k.byName(name) != nil:
		return refuse(syscall.EEXIST)
	}
	l.name = name
	k.notify(l, eventNone)
	if l.slave == nil {
		return nil
	}
	// The primary is a name: who loses it is no longer primary, who gains it is.
	switch st := l.master.bond; {
	case !st.mode().HasActive() || st.primaryName == "":
	case st.primary == l:
		st.primary = nil
		k.selectActive(l.master)
	case st.primaryName == name:
		st.primary = l
		k.selectActive(l.master)
	}
	return nil
}

// remove takes an interface away, with all that hangs on it.
func (k *Kernel) remove(l *link) {
	if l.bond != nil {
		k.setUp(l, false)
		for _, s := range slices.Clone(l.bond.slaves) {
			k.expel(s, true)
		}
	}
	if l.kind == "bridge" {
		for _, p := range k.links {
			if p.master == l {
				k.leave(p)
			}
		}
	}
	if l.master != nil {
		k.leave(l)
	}
	k.links = slices.DeleteFunc(k.links, func(o *link) bool { return o == l })
	l.up = false
	k.notifyGone(l)
}
