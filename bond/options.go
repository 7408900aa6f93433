// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"iter"
	"net/netip"
	"slices"
	"time"
)

// Options are what to set on a bond. A nil pointer or slice leaves the option
// alone, and a slice that is empty and not nil clears the list, so the zero
// Options change nothing. Write values with new:
//
//	bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)}
//
// The fields stand in the order in which the kernel applies them. The ranges and
// rules are in the table of options; see [Option.Info]. Times must be whole
// milliseconds, that of LPInterval whole seconds.
type Options struct {
	// Mode is the bonding policy.
	Mode *Mode
	// Active is the active slave (active_slave). Setting it makes that slave active at
	// once.
	Active *Link
	// MIIMon is how often the carrier of the slaves is looked at (miimon), 0 for never.
	// Setting it to more than 0 switches the ARP monitor off.
	MIIMon *time.Duration
	// UpDelay is how long a link must be up before it is used (updelay). The kernel rounds
	// it down to a multiple of MIIMon.
	UpDelay *time.Duration
	// DownDelay is how long a link must be down before that counts (downdelay), rounded as
	// UpDelay.
	DownDelay *time.Duration
	// PeerNotifDelay is the time between peer notifications after a failover
	// (peer_notif_delay), rounded as UpDelay.
	PeerNotifDelay *time.Duration
	// UseCarrier says that the driver is asked for the carrier and not the PHY
	// (use_carrier). Since 6.18 it cannot be false.
	UseCarrier *bool
	// ARPInterval is the period of the ARP monitor (arp_interval), 0 for off. Setting it
	// to more than 0 switches MII monitoring off.
	ARPInterval *time.Duration
	// ARPTargets are the IPv4 addresses that the ARP monitor asks for (arp_ip_target), at
	// most 16.
	ARPTargets []netip.Addr
	// NSTargets are the IPv6 addresses that the ARP monitor asks for (ns_ip6_target), at
	// most 16.
	NSTargets []netip.Addr
	// ARPValidate says which slaves' ARP is checked (arp_validate).
	ARPValidate *ARPValidate
	// ARPAllTargets says how many targets must answer (arp_all_targets).
	ARPAllTargets *ARPAllTargets
	// Primary is the slave that is preferred (primary).
	Primary *Link
	// PrimaryReselect says when the primary becomes active again (primary_reselect).
	PrimaryReselect *PrimaryReselect
	// FailOverMAC says which MAC addresses the slaves have (fail_over_mac).
	FailOverMAC *FailOverMAC
	// XmitHashPolicy says what of a packet chooses the slave (xmit_hash_policy).
	XmitHashPolicy *XmitHashPolicy
	// ResendIGMP is how many IGMP reports are sent after a failover (resend_igmp), 0 to
	// 255.
	ResendIGMP *uint32
	// NumPeerNotif is how many gratuitous ARPs and unsolicited NAs are sent after a
	// failover (num_grat_arp, num_unsol_na).
	NumPeerNotif *uint8
	// AllSlavesActive says that backups deliver what they receive (all_slaves_active).
	AllSlavesActive *bool
	// MinLinks is how many slaves must work for the bond to have a carrier (min_links), in
	// 802.3ad.
	MinLinks *uint32
	// LPInterval is the time between learning packets (lp_interval), in whole seconds.
	LPInterval *time.Duration
	// PacketsPerSlave is how many packets a slave sends before the next one's turn
	// (packets_per_slave), 0 for a random choice, to 65535.
	PacketsPerSlave *uint32
	// LACPActive says that LACPDUs are sent without being asked (lacp_active). The default
	// is true.
	LACPActive *bool
	// LACPRate is how often the partner is asked to send LACPDUs (lacp_rate).
	LACPRate *LACPRate
	// ADSelect says which aggregator is used (ad_select).
	ADSelect *ADSelect
	// ADActorSysPrio is the LACP system priority (ad_actor_sys_prio), 1 to 65535.
	ADActorSysPrio *uint16
	// ADUserPortKey is the upper 10 bits of the LACP port key (ad_user_port_key), 0 to
	// 1023.
	ADUserPortKey *uint16
	// ADActorSystem is the LACP system MAC address (ad_actor_system). Zero means the
	// address of the bond.
	ADActorSystem *[6]byte
	// TLBDynamicLB says that flows move with the load (tlb_dynamic_lb). The default is
	// true.
	TLBDynamicLB *bool
	// MissedMax is how many answers may be missing before a slave is down
	// (arp_missed_max), 1 to 255.
	MissedMax *uint8
	// CoupledControl says that collecting and distributing change together
	// (coupled_control). The default is true.
	CoupledControl *bool
	// BroadcastNeighbor says that ARP and ND are sent over all slaves
	// (broadcast_neighbor).
	BroadcastNeighbor *bool
	// LACPStrict says that only slaves that collect and distribute count for MinLinks
	// (lacp_strict).
	LACPStrict *bool
}

// SlaveOptions are what to set on a slave. A nil pointer leaves the option alone.
type SlaveOptions struct {
	// QueueID is the transmit queue for which the slave is chosen (queue_id), 0
	// for none. No two slaves may have the same, except 0.
	QueueID *uint16
	// Prio is the priority with which the slave becomes the active one (prio),
	// higher first. The kernel ignores it while there is a primary.
	Prio *int32
	// ActorPortPrio is the LACP port priority (actor_port_prio), lower first.
	ActorPortPrio *uint16
}

// IsZero reports whether o changes nothing.
func (o *Options) IsZero() bool {
	for range o.All() {
		return false
	}
	return true
}

// All yields the options that are set, in the order in which the kernel applies them.
func (o *Options) All() iter.Seq[Option] {
	return func(yield func(Option) bool) {
		for i := range optionTable {
			if opt := optionTable[i].Option; opt < slaveOption && o.Has(opt) && !yield(opt) {
				return
			}
		}
	}
}

// Has reports whether the option is set.
func (o *Options) Has(opt Option) bool {
	switch opt {
	case OptionMode:
		return o.Mode != nil
	case OptionActiveSlave:
		return o.Active != nil
	case OptionMIIMon:
		return o.MIIMon != nil
	case OptionUpDelay:
		return o.UpDelay != nil
	case OptionDownDelay:
		return o.DownDelay != nil
	case OptionPeerNotifDelay:
		return o.PeerNotifDelay != nil
	case OptionUseCarrier:
		return o.UseCarrier != nil
	case OptionARPInterval:
		return o.ARPInterval != nil
	case OptionARPTargets:
		return o.ARPTargets != nil
	case OptionNSTargets:
		return o.NSTargets != nil
	case OptionARPValidate:
		return o.ARPValidate != nil
	case OptionARPAllTargets:
		return o.ARPAllTargets != nil
	case OptionPrimary:
		return o.Primary != nil
	case OptionPrimaryReselect:
		return o.PrimaryReselect != nil
	case OptionFailOverMAC:
		return o.FailOverMAC != nil
	case OptionXmitHashPolicy:
		return o.XmitHashPolicy != nil
	case OptionResendIGMP:
		return o.ResendIGMP != nil
	case OptionNumPeerNotif:
		return o.NumPeerNotif != nil
	case OptionAllSlavesActive:
		return o.AllSlavesActive != nil
	case OptionMinLinks:
		return o.MinLinks != nil
	case OptionLPInterval:
		return o.LPInterval != nil
	case OptionPacketsPerSlave:
		return o.PacketsPerSlave != nil
	case OptionLACPActive:
		return o.LACPActive != nil
	case OptionLACPRate:
		return o.LACPRate != nil
	case OptionADSelect:
		return o.ADSelect != nil
	case OptionADActorSysPrio:
		return o.ADActorSysPrio != nil
	case OptionADUserPortKey:
		return o.ADUserPortKey != nil
	case OptionADActorSystem:
		return o.ADActorSystem != nil
	case OptionTLBDynamicLB:
		return o.TLBDynamicLB != nil
	case OptionMissedMax:
		return o.MissedMax != nil
	case OptionCoupledControl:
		return o.CoupledControl != nil
	case OptionBroadcastNeighbor:
		return o.BroadcastNeighbor != nil
	case OptionLACPStrict:
		return o.LACPStrict != nil
	}
	return false
}

// Clear makes the option one that is left alone.
func (o *Options) Clear(opt Option) {
	switch opt {
	case OptionMode:
		o.Mode = nil
	case OptionActiveSlave:
		o.Active = nil
	case OptionMIIMon:
		o.MIIMon = nil
	case OptionUpDelay:
		o.UpDelay = nil
	case OptionDownDelay:
		o.DownDelay = nil
	case OptionPeerNotifDelay:
		o.PeerNotifDelay = nil
	case OptionUseCarrier:
		o.UseCarrier = nil
	case OptionARPInterval:
		o.ARPInterval = nil
	case OptionARPTargets:
		o.ARPTargets = nil
	case OptionNSTargets:
		o.NSTargets = nil
	case OptionARPValidate:
		o.ARPValidate = nil
	case OptionARPAllTargets:
		o.ARPAllTargets = nil
	case OptionPrimary:
		o.Primary = nil
	case OptionPrimaryReselect:
		o.PrimaryReselect = nil
	case OptionFailOverMAC:
		o.FailOverMAC = nil
	case OptionXmitHashPolicy:
		o.XmitHashPolicy = nil
	case OptionResendIGMP:
		o.ResendIGMP = nil
	case OptionNumPeerNotif:
		o.NumPeerNotif = nil
	case OptionAllSlavesActive:
		o.AllSlavesActive = nil
	case OptionMinLinks:
		o.MinLinks = nil
	case OptionLPInterval:
		o.LPInterval = nil
	case OptionPacketsPerSlave:
		o.PacketsPerSlave = nil
	case OptionLACPActive:
		o.LACPActive = nil
	case OptionLACPRate:
		o.LACPRate = nil
	case OptionADSelect:
		o.ADSelect = nil
	case OptionADActorSysPrio:
		o.ADActorSysPrio = nil
	case OptionADUserPortKey:
		o.ADUserPortKey = nil
	case OptionADActorSystem:
		o.ADActorSystem = nil
	case OptionTLBDynamicLB:
		o.TLBDynamicLB = nil
	case OptionMissedMax:
		o.MissedMax = nil
	case OptionCoupledControl:
		o.CoupledControl = nil
	case OptionBroadcastNeighbor:
		o.BroadcastNeighbor = nil
	case OptionLACPStrict:
		o.LACPStrict = nil
	}
}

// Clone returns a copy that shares no memory with o.
func (o *Options) Clone() Options {
	return Options{
		Mode:              clonePtr(o.Mode),
		Active:            clonePtr(o.Active),
		MIIMon:            clonePtr(o.MIIMon),
		UpDelay:           clonePtr(o.UpDelay),
		DownDelay:         clonePtr(o.DownDelay),
		PeerNotifDelay:    clonePtr(o.PeerNotifDelay),
		UseCarrier:        clonePtr(o.UseCarrier),
		ARPInterval:       clonePtr(o.ARPInterval),
		ARPTargets:        slices.Clone(o.ARPTargets),
		NSTargets:         slices.Clone(o.NSTargets),
		ARPValidate:       clonePtr(o.ARPValidate),
		ARPAllTargets:     clonePtr(o.ARPAllTargets),
		Primary:           clonePtr(o.Primary),
		PrimaryReselect:   clonePtr(o.PrimaryReselect),
		FailOverMAC:       clonePtr(o.FailOverMAC),
		XmitHashPolicy:    clonePtr(o.XmitHashPolicy),
		ResendIGMP:        clonePtr(o.ResendIGMP),
		NumPeerNotif:      clonePtr(o.NumPeerNotif),
		AllSlavesActive:   clonePtr(o.AllSlavesActive),
		MinLinks:          clonePtr(o.MinLinks),
		LPInterval:        clonePtr(o.LPInterval),
		PacketsPerSlave:   clonePtr(o.PacketsPerSlave),
		LACPActive:        clonePtr(o.LACPActive),
		LACPRate:          clonePtr(o.LACPRate),
		ADSelect:          clonePtr(o.ADSelect),
		ADActorSysPrio:    clonePtr(o.ADActorSysPrio),
		ADUserPortKey:     clonePtr(o.ADUserPortKey),
		ADActorSystem:     clonePtr(o.ADActorSystem),
		TLBDynamicLB:      clonePtr(o.TLBDynamicLB),
		MissedMax:         clonePtr(o.MissedMax),
		CoupledControl:    clonePtr(o.CoupledControl),
		BroadcastNeighbor: clonePtr(o.BroadcastNeighbor),
		LACPStrict:        clonePtr(o.LACPStrict),
	}
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

// Has reports whether the option is set.
func (o *SlaveOptions) Has(opt Option) bool {
	switch opt {
	case OptionQueueID:
		return o.QueueID != nil
	case OptionPrio:
		return o.Prio != nil
	case OptionActorPortPrio:
		return o.ActorPortPrio != nil
	}
	return false
}

// IsZero reports whether o changes nothing.
func (o *SlaveOptions) IsZero() bool { return *o == SlaveOptions{} }

// Clone returns a copy that shares no memory with o.
func (o *SlaveOptions) Clone() SlaveOptions {
	return SlaveOptions{
		QueueID:       clonePtr(o.QueueID),
		Prio:          clonePtr(o.Prio),
		ActorPortPrio: clonePtr(o.ActorPortPrio),
	}
}
