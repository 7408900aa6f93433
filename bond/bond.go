// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Link names an interface: by Index where that is not 0, else by Name. What this
// package returns has both where both are known. The zero Link is no interface,
// and clears an option that names one.
type Link struct {
	Index int
	Name  string
}

// IsZero reports whether l is no interface.
func (l Link) IsZero() bool { return l == Link{} }

// String returns the name, "#" and the index where there is no name, and "none" for
// no interface.
func (l Link) String() string {
	switch {
	case l.Name != "":
		return l.Name
	case l.Index != 0:
		return "#" + strconv.Itoa(l.Index)
	}
	return "none"
}

// Attr is a netlink attribute that this package does not know.
type Attr struct {
	// Type is as the kernel sent it, flags included.
	Type uint16
	// Data belongs to the struct that the Attr is in, and holds until that is decoded into again.
	Data []byte
}

// Flags of an interface, from <linux/if.h>.
const (
	FlagUp      = 1 << 0  // IFF_UP: the administrator has switched it on
	FlagRunning = 1 << 6  // IFF_RUNNING: RFC 2863 operational state up or unknown
	FlagLowerUp = 1 << 16 // IFF_LOWER_UP: running, and the driver reports carrier
)

// LinkInfo is what this package reads about an interface, be it a bond, a slave or
// neither.
type LinkInfo struct {
	Link
	// Type is the hardware type, ARPHRD_ETHER (1) for Ethernet.
	Type uint16
	// Kind is what kind of virtual interface it is, such as "bond", empty for
	// others.
	Kind string
	// Master is the index of the bond or bridge it is a port of, 0 for none, and
	// MasterKind what kind of interface that is.
	Master     int
	MasterKind string
	Flags      uint32
	MTU        int
	// MAC is its hardware address, of any length.
	MAC       net.HardwareAddr
	OperState OperState
	// Carrier says that there is a link, as far as the driver knows. It is false
	// while the interface is down.
	Carrier bool
	// TxQueues is the number of its transmit queues, which bounds a slave's
	// queue_id.
	TxQueues int
}

// Up reports whether the administrator has switched the interface on.
func (l *LinkInfo) Up() bool { return l.Flags&FlagUp != 0 }

// Bond is what the kernel says about a bond. Its memory is its own. Decoding into
// the same Bond again reuses it, so copies need Clone. The zero Bond is ready to
// decode into.
type Bond struct {
	LinkInfo

	// Mode is the bonding policy.
	Mode Mode
	// Active is the active slave (active_slave). Setting it makes that slave active at
	// once.
	Active Link
	// MIIMon is how often the carrier of the slaves is looked at (miimon), 0 for never.
	//
	MIIMon time.Duration
	// UpDelay is how long a link must be up before it is used (updelay). The kernel rounds
	// it down to a multiple of MIIMon.
	UpDelay time.Duration
	// DownDelay is how long a link must be down before that counts (downdelay), rounded as
	// UpDelay.
	DownDelay time.Duration
	// PeerNotifDelay is the time between peer notifications after a failover
	// (peer_notif_delay), rounded as UpDelay.
	PeerNotifDelay time.Duration
	// UseCarrier says that the driver is asked for the carrier and not the PHY
	// (use_carrier). Since 6.18 it cannot be false.
	UseCarrier bool
	// ARPInterval is the period of the ARP monitor (arp_interval), 0 for off. Setting it
	// to more than 0 switches MII monitoring off.
	ARPInterval time.Duration
	// ARPTargets are the IPv4 addresses that the ARP monitor asks for (arp_ip_target), at
	// most 16.
	ARPTargets []netip.Addr
	// NSTargets are the IPv6 addresses that the ARP monitor asks for (ns_ip6_target), at
	// most 16.
	NSTargets []netip.Addr
	// ARPValidate says which slaves' ARP is checked (arp_validate).
	ARPValidate ARPValidate
	// ARPAllTargets says how many targets must answer (arp_all_targets).
	ARPAllTargets ARPAllTargets
	// Primary is the slave that is preferred (primary).
	Primary Link
	// PrimaryReselect says when the primary becomes active again (primary_reselect).
	PrimaryReselect PrimaryReselect
	// FailOverMAC says which MAC addresses the slaves have (fail_over_mac).
	FailOverMAC FailOverMAC
	// XmitHashPolicy says what of a packet chooses the slave (xmit_hash_policy).
	XmitHashPolicy XmitHashPolicy
	// ResendIGMP is how many IGMP reports are sent after a failover (resend_igmp), 0 to
	// 255.
	ResendIGMP uint32
	// NumPeerNotif is how many gratuitous ARPs and unsolicited NAs are sent after a
	// failover (num_grat_arp, num_unsol_na).
	NumPeerNotif uint8
	// AllSlavesActive says that backups deliver what they receive (all_slaves_active).
	AllSlavesActive bool
	// MinLinks is how many slaves must work for the bond to have a carrier (min_links), in
	// 802.3ad.
	MinLinks uint32
	// LPInterval is the time between learning packets (lp_interval), in whole seconds.
	LPInterval time.Duration
	// PacketsPerSlave is how many packets a slave sends before the next one's turn
	// (packets_per_slave), 0 for a random choice, to 65535.
	PacketsPerSlave uint32
	// LACPActive says that LACPDUs are sent without being asked (lacp_active). The default
	// is true.
	LACPActive bool
	// LACPRate is how often the partner is asked to send LACPDUs (lacp_rate).
	LACPRate LACPRate
	// ADSelect says which aggregator is used (ad_select).
	ADSelect ADSelect
	// ADActorSysPrio is the LACP system priority (ad_actor_sys_prio), 1 to 65535.
	ADActorSysPrio uint16
	// ADUserPortKey is the upper 10 bits of the LACP port key (ad_user_port_key), 0 to
	// 1023.
	ADUserPortKey uint16
	// ADActorSystem is the LACP system MAC address (ad_actor_system). Zero means the
	// address of the bond.
	ADActorSystem [6]byte
	// TLBDynamicLB says that flows move with the load (tlb_dynamic_lb). The default is
	// true.
	TLBDynamicLB bool
	// MissedMax is how many answers may be missing before a slave is down
	// (arp_missed_max), 1 to 255.
	MissedMax uint8
	// CoupledControl says that collecting and distributing change together
	// (coupled_control). The default is true.
	CoupledControl bool
	// BroadcastNeighbor says that ARP and ND are sent over all slaves
	// (broadcast_neighbor).
	BroadcastNeighbor bool
	// LACPStrict says that only slaves that collect and distribute count for MinLinks
	// (lacp_strict).
	LACPStrict bool

	// AD is what 802.3ad says about the active aggregator (ad_info), absent
	// without one.
	AD ADInfo

	// Unknown are the attributes of the bond that this package does not know, in
	// the order in which the kernel sent them.
	Unknown []Attr

	has   uint64
	arena []byte
}

// ADInfo describes the active aggregator of an 802.3ad bond.
type ADInfo struct {
	AggregatorID uint16
	// Ports is the number of slaves in it.
	Ports uint16
	// ActorKey and PartnerKey are the LACP keys of both ends.
	ActorKey, PartnerKey uint16
	// PartnerMAC is the LACP system MAC address of the partner, zero for none.
	PartnerMAC [6]byte
}

// Has reports whether the kernel said anything about the option. What it did not
// say has its zero value, which then means nothing: a kernel may be too old
// for the option, an active slave may not exist, and ad_actor_sys_prio,
// ad_user_port_key and ad_actor_system are shown in 802.3ad only, and only to
// who has CAP_NET_ADMIN in the initial user namespace (bond_fill_info in the
// kernel's bond_netlink.c). Empty lists of targets are absent too.
func (b *Bond) Has(opt Option) bool {
	return opt > 0 && opt < slaveOption && b.has&(1<<opt) != 0
}

// Options returns everything that the kernel said and that can be set, with the names of
// links where they are known. They are a record, and not always a valid request: the
// kernel tells the values of all options, also those it does not take in this mode.
func (b *Bond) Options() Options {
	var o Options
	for i := range optionTable {
		switch row := &optionTable[i]; {
		case row.Slave || row.ReadOnly || !b.Has(row.Option):
		case row.Option == OptionActiveSlave:
			o.Active = new(b.Active)
		case row.Option == OptionPrimary:
			o.Primary = new(b.Primary)
		case row.Option == OptionARPTargets:
			o.ARPTargets = slices.Clone(b.ARPTargets)
		case row.Option == OptionNSTargets:
			o.NSTargets = slices.Clone(b.NSTargets)
		case row.Option == OptionADActorSystem:
			o.ADActorSystem = new(b.ADActorSystem)
		default:
			o.setRaw(row.Option, b.raw(row.Option))
		}
	}
	return o
}

// Clone returns a copy that shares no memory with b.
func (b *Bond) Clone() *Bond {
	c := *b
	c.MAC = slices.Clone(b.MAC)
	c.ARPTargets = slices.Clone(b.ARPTargets)
	c.NSTargets = slices.Clone(b.NSTargets)
	c.Unknown = cloneAttrs(b.Unknown)
	c.arena = nil
	return &c
}

func cloneAttrs(attrs []Attr) []Attr {
	attrs = slices.Clone(attrs)
	for i := range attrs {
		attrs[i].Data = slices.Clone(attrs[i].Data)
	}
	return attrs
}

// Slave is what the kernel says about a slave of a bond. As for its memory, see
// [Bond]. The zero Slave is ready to decode into.
type Slave struct {
	LinkInfo

	// State says whether the slave carries traffic.
	State SlaveState
	// MIIStatus is the verdict of the kernel's monitor.
	MIIStatus MIIStatus
	// LinkFailures counts the times that the link went down.
	LinkFailures uint32
	// PermMAC is the hardware address that the interface had before it became a
	// slave (perm_hwaddr): 6 bytes for Ethernet, 20 for InfiniBand.
	PermMAC net.HardwareAddr
	// QueueID is the transmit queue the slave is chosen for, 0 for none.
	QueueID uint16
	// Prio is the priority with which the slave becomes active, higher first.
	Prio int32
	// AggregatorID is the 802.3ad aggregator it is in.
	AggregatorID uint16
	// ActorPortState and PartnerPortState are its LACP port states.
	ActorPortState, PartnerPortState PortState
	// ActorPortPrio is its LACP port priority, lower first.
	ActorPortPrio uint16
	// ActorChurn and PartnerChurn are the states of its churn machines.
	ActorChurn, PartnerChurn ChurnState

	// Unknown are the attributes of the slave that this package does not know.
	Unknown []Attr

	has   uint64
	arena []byte
}

// Has reports whether the kernel said anything about the option; see [Bond.Has].
func (s *Slave) Has(opt Option) bool {
	return opt > slaveOption && opt < 2*slaveOption && s.has&(1<<(opt-slaveOption)) != 0
}

// Options returns everything that the kernel said and that can be set.
func (s *Slave) Options() SlaveOptions {
	var o SlaveOptions
	for _, opt := range slaveSettable {
		if s.Has(opt) {
			o.setRaw(opt, s.raw(opt))
		}
	}
	return o
}

// Clone returns a copy that shares no memory with s.
func (s *Slave) Clone() *Slave {
	c := *s
	c.MAC = slices.Clone(s.MAC)
	c.PermMAC = slices.Clone(s.PermMAC)
	c.Unknown = cloneAttrs(s.Unknown)
	c.arena = nil
	return &c
}
