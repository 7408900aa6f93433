// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"fmt"
	"slices"

	"github.com/bondkit/bondkit/bond"
)

// The methods below are what happens to a host besides requests: by cables, by
// devices and by other programs. They panic where an interface that they name does not
// exist, or is not what it must be.

// SetCarrier plugs the cable of an interface in or out.
func (k *Kernel) SetCarrier(name string, on bool) {
	k.mu.Lock()
	defer k.finish()
	l := k.mustFind(name)
	if l.bond != nil {
		panic(fmt.Sprintf("bondtest: the carrier of bond %q is that of its slaves", name))
	}
	k.setCable(l, on)
}

func (k *Kernel) setCable(l *link, on bool) {
	if l.carrier == on {
		return
	}
	l.carrier = on
	if l.up {
		k.notify(l, eventNone)
	}
	k.linkWatch(l)
}

// SetUp switches an interface on or off.
func (k *Kernel) SetUp(name string, up bool) {
	k.mu.Lock()
	defer k.finish()
	k.setUp(k.mustFind(name), up)
}

// Rename gives an interface another name, up or not. It panics where that is
// taken.
func (k *Kernel) Rename(name, to string) {
	k.mu.Lock()
	defer k.finish()
	l := k.mustFind(name)
	up := l.up
	l.up = up && !k.release.older(Release612)
	err := k.rename(l, to)
	l.up = up
	if err != nil {
		panic(fmt.Sprintf("bondtest: rename %q to %q: %v", name, to, err))
	}
}

// Remove deletes an interface, be it a bond or a device that is pulled out.
func (k *Kernel) Remove(name string) {
	k.mu.Lock()
	defer k.finish()
	k.remove(k.mustFind(name))
}

// MoveAway moves an interface to another network namespace. To this one that is
// as if it were deleted. It panics for a bond, which cannot be moved.
func (k *Kernel) MoveAway(name string) {
	k.mu.Lock()
	defer k.finish()
	l := k.mustFind(name)
	if l.bond != nil {
		panic(fmt.Sprintf("bondtest: bond %q cannot be moved", name))
	}
	k.remove(l)
}

// Enslave makes an interface a slave of a bond or a port of a bridge, and for an
// empty master releases it. The error is a [*bond.KernelError].
func (k *Kernel) Enslave(master, name string) error {
	k.mu.Lock()
	defer k.finish()
	index := 0
	if master != "" {
		index = k.mustFind(master).index
	}
	return asError(k.setMaster(k.mustFind(name), index))
}

// asError keeps a nil pointer from becoming an error.
func asError(err *bond.KernelError) error {
	if err == nil {
		return nil
	}
	return err
}

// Set sets options as files in sysfs do: one after the other, in the order of the
// table, each announced by itself. Interfaces may be named, and the primary need not exist. The error
// is a [*bond.KernelError], or that of [bond.Options.AppendAttrs].
func (k *Kernel) Set(bondName string, o bond.Options) error {
	k.mu.Lock()
	defer k.finish()
	l := k.mustFindBond(bondName)
	o = o.Clone()
	if o.Primary != nil && o.Primary.Index == 0 {
		info := bond.OptionPrimary.Info()
		if err := k.checkState(l, &info, 0); err != nil {
			return err
		}
		k.setPrimary(l, o.Primary.Name)
		o.Primary = nil
		k.notify(l, eventBondingOptions)
	}
	if o.Active != nil && o.Active.Index == 0 && o.Active.Name != "" {
		o.Active.Index = k.mustFind(o.Active.Name).index
	}
	data, err := o.AppendAttrs(nil)
	if err != nil {
		return err
	}
	tb := collect(data, 0)
	for opt := range bond.AllOptions() {
		info := opt.Info()
		a, ok := tb[info.Attr]
		if info.Slave || info.ReadOnly || !ok || !k.Supports(opt) {
			continue
		}
		if err := k.setOption(l, &info, a); err != nil {
			return err
		}
		k.notify(l, eventBondingOptions)
	}
	return nil
}

// SetSlave sets options of a slave, as another program. The error is a
// [*bond.KernelError], or that of [bond.SlaveOptions.AppendAttrs].
func (k *Kernel) SetSlave(slave string, o bond.SlaveOptions) error {
	k.mu.Lock()
	defer k.finish()
	s := k.mustFindSlave(slave)
	data, err := o.AppendAttrs(nil)
	if err != nil {
		return err
	}
	if err := k.changeSlave(s, tlv{data: data}); err != nil {
		return err
	}
	if s.up {
		k.notify(s, eventNone)
	}
	return nil
}

// LACP is what 802.3ad says about a slave.
type LACP struct {
	// AggregatorID is the aggregator, 0 for none, in which case the kernel tells
	// nothing of the rest.
	AggregatorID             uint16
	Actor, Partner           bond.PortState
	ActorChurn, PartnerChurn bond.ChurnState
}

// SetLACP plays the partner of a slave. The kernel announces it with a message
// about the slave, unless only the churn states differ.
func (k *Kernel) SetLACP(slave string, lacp LACP) {
	k.mu.Lock()
	defer k.finish()
	s := k.mustFindSlave(slave)
	s.master.bond.lacpPlayed = true
	old := s.slave.lacp
	s.slave.lacp = lacp
	s.slave.backup = lacp.Actor&bond.PortDistributing == 0
	old.ActorChurn, old.PartnerChurn = lacp.ActorChurn, lacp.PartnerChurn
	if old != lacp {
		k.notify(s, eventNone)
	}
	k.setCarrier(s.master)
}

// SetADInfo sets what 802.3ad says about the active aggregator of a bond, nil for
// none. The kernel does not announce it, unless the carrier of the bond
// changes.
func (k *Kernel) SetADInfo(bondName string, ad *bond.ADInfo) {
	k.mu.Lock()
	defer k.finish()
	l := k.mustFindBond(bondName)
	l.bond.lacpPlayed, l.bond.ad = true, nil
	if ad != nil {
		l.bond.ad = new(*ad)
	}
	k.setCarrier(l)
}

// SetStats sets the counters of a slave.
func (k *Kernel) SetStats(slave string, s bond.Stats) {
	k.mu.Lock()
	defer k.finish()
	k.mustFindSlave(slave).slave.stats = s
}

// SetUnknown has the kernel tell attributes of a bond or of a slave that are newer
// than package bond.
func (k *Kernel) SetUnknown(name string, attrs []bond.Attr) {
	k.mu.Lock()
	defer k.finish()
	l := k.mustFind(name)
	l.unknown = slices.Clone(attrs)
	for i := range l.unknown {
		l.unknown[i].Data = slices.Clone(l.unknown[i].Data)
	}
}

// converge is where 802.3ad gets without a partner: each slave has an aggregator
// of its own, and the first that has a link is active. Once somebody plays the partner, that is
// not touched any more.
func (k *Kernel) converge(l *link) {
	st := l.bond
	if st.mode() != bond.Mode8023AD || st.lacpPlayed {
		return
	}
	if !l.up {
		return
	}
	st.ad = nil
	for i, s := range st.slaves {
		if s.slave.lacp.AggregatorID == 0 {
			s.slave.lacp = LACP{
				AggregatorID: uint16(i + 1),
				Actor:        bond.PortActivity | bond.PortAggregation | bond.PortSync | bond.PortDefaulted,
			}
			if st.num[bond.OptionLACPRate] != 0 {
				s.slave.lacp.Actor |= bond.PortShortTimeout
			}
			if k.release == Release510 {
				s.slave.lacp.Partner = bond.PortActivity
			}
			s.slave.backup = s.slave.mii != bond.MIIUp
			k.notify(s, eventNone)
		}
		if st.ad == nil && s.slave.mii == bond.MIIUp {
			st.ad = &bond.ADInfo{AggregatorID: s.slave.lacp.AggregatorID, Ports: 1, ActorKey: 15, PartnerKey: 1}
		}
	}
	k.setCarrier(l)
}
