// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"iter"
	"math"
	"strconv"
)

// Option names one thing that the kernel says about a bond or a slave, or lets
// be set. The zero Option is none of them.
//
// The options of a bond have the number of their netlink attribute (IFLA_BOND_
// in <linux/if_link.h>), those of a slave that of theirs (IFLA_BOND_SLAVE_) and
// 64. A number without a name survives a round trip.
type Option uint8

// The options of a bond.
const (
	OptionMode              Option = 1
	OptionActiveSlave       Option = 2
	OptionMIIMon            Option = 3
	OptionUpDelay           Option = 4
	OptionDownDelay         Option = 5
	OptionUseCarrier        Option = 6
	OptionARPInterval       Option = 7
	OptionARPTargets        Option = 8
	OptionARPValidate       Option = 9
	OptionARPAllTargets     Option = 10
	OptionPrimary           Option = 11
	OptionPrimaryReselect   Option = 12
	OptionFailOverMAC       Option = 13
	OptionXmitHashPolicy    Option = 14
	OptionResendIGMP        Option = 15
	OptionNumPeerNotif      Option = 16
	OptionAllSlavesActive   Option = 17
	OptionMinLinks          Option = 18
	OptionLPInterval        Option = 19
	OptionPacketsPerSlave   Option = 20
	OptionLACPRate          Option = 21
	OptionADSelect          Option = 22
	OptionADInfo            Option = 23 // read only
	OptionADActorSysPrio    Option = 24
	OptionADUserPortKey     Option = 25
	OptionADActorSystem     Option = 26
	OptionTLBDynamicLB      Option = 27
	OptionPeerNotifDelay    Option = 28
	OptionLACPActive        Option = 29
	OptionMissedMax         Option = 30
	OptionNSTargets         Option = 31
	OptionCoupledControl    Option = 32
	OptionBroadcastNeighbor Option = 33
	OptionLACPStrict        Option = 34
)

// slaveOption is what the number of a slave's attribute is raised by.
const slaveOption Option = 64

// The options of a slave.
const (
	OptionSlaveState       = slaveOption + 1 // read only
	OptionMIIStatus        = slaveOption + 2 // read only
	OptionLinkFailures     = slaveOption + 3 // read only
	OptionPermMAC          = slaveOption + 4 // read only
	OptionQueueID          = slaveOption + 5
	OptionAggregatorID     = slaveOption + 6 // read only
	OptionActorPortState   = slaveOption + 7 // read only
	OptionPartnerPortState = slaveOption + 8 // read only
	OptionPrio             = slaveOption + 9
	OptionActorPortPrio    = slaveOption + 10
	OptionActorChurn       = slaveOption + 11 // read only
	OptionPartnerChurn     = slaveOption + 12 // read only
)

// Kind says what the value of an [Option] is.
type Kind uint8

// The kinds of values.
const (
	KindEnum     Kind = iota + 1 // a word; see [OptionInfo.Words]
	KindBool                     // 0 or 1
	KindUint                     // a number
	KindInt                      // a number that may be negative
	KindDuration                 // a time in [OptionInfo.Unit]
	KindLink                     // an interface: its index on the wire, its name in text
	KindIPv4List                 // IPv4 addresses
	KindIPv6List                 // IPv6 addresses
	KindMAC                      // a hardware address
	KindNested                   // a structure: [ADInfo]
)

// OptionInfo is one row of the table of options: what the kernel takes, when,
// and how it is spelled. It holds for the newest kernel known here. The rules
// are those of bond_opts in the kernel's drivers/net/bonding/bond_options.c, the
// sizes those of bond_policy in bond_netlink.c.
type OptionInfo struct {
	Option Option
	// Name is the kernel's name, which is also that of the module parameter.
	Name string
	// Sysfs is the file below /sys/class/net/BOND/bonding, or of a slave below
	// bonding_slave, and empty where there is none.
	Sysfs string
	// IPRoute2 is the keyword of the ip command, and empty where there is none.
	IPRoute2 string
	// Slave says that it is an option of a slave and not of a bond.
	Slave bool
	// ReadOnly says that it cannot be set. The kernel ignores the attribute.
	ReadOnly bool

	// Attr is the number of the netlink attribute and Size the size of its
	// value in bytes. Size is 0 where it varies.
	Attr uint16
	Size int
	Kind Kind
	// Unit is what 1 means on the wire, in nanoseconds, for KindDuration.
	Unit int64
	// Words are the kernel's words of a KindEnum, by number. The caller must
	// not change them.
	Words []string

	// Min and Max are the range, both inclusive, on the wire. For lists Max is
	// the greatest number of elements.
	Min, Max int64
	// Default is the value of a new bond, unless a parameter of the module says
	// otherwise. For lists, links and addresses it is 0, for none.
	Default int64

	// Modes are the modes in which the kernel lets it be set. In other modes
	// that is an error matching ErrWrongMode, whatever the value.
	Modes ModeSet
	// Acts are the modes in which it has an effect, where Modes is more.
	Acts ModeSet
	// NeedsDown, NeedsEmpty and NeedsMIIMon say that the bond must be down,
	// have no slaves, and have a miimon that is not 0.
	NeedsDown, NeedsEmpty, NeedsMIIMon bool
	// Cleared are modes on whose choice, or on any choice if it is AllModes,
	// the kernel sets the option back to its default.
	Cleared ModeSet

	// Since is the kernel version that brought the attribute, such as "5.15".
	// Stable kernels backport some; ask [Client.Supports] for a running one.
	Since string
	// Order is the place in which the kernel applies it, from 1. The order
	// inside a message does not matter. It is 0 where ReadOnly.
	Order int
}

const (
	maxInt  = math.MaxInt32
	msUnit  = int64(1e6)
	secUnit = int64(1e9)
)

// optionTable is the one place that knows the options. It is in the order of
// application, that of bond_changelink and of bond_slave_changelink in the
// kernel's bond_netlink.c; what cannot be set comes last.
var optionTable = [...]OptionInfo{
	{Option: OptionMode, Name: "mode", Size: 1, Kind: KindEnum, Words: modeWords, Max: 6, Modes: AllModes, NeedsDown: true, NeedsEmpty: true, Since: "3.13"},
	{Option: OptionActiveSlave, Name: "active_slave", Size: 4, Kind: KindLink, Max: maxInt, Modes: activeModes, Since: "3.13"},
	{Option: OptionMIIMon, Name: "miimon", Size: 4, Kind: KindDuration, Unit: msUnit, Max: maxInt, Modes: AllModes, Since: "3.14"},
	{Option: OptionUpDelay, Name: "updelay", Size: 4, Kind: KindDuration, Unit: msUnit, Max: maxInt, Modes: AllModes, NeedsMIIMon: true, Since: "3.14"},
	{Option: OptionDownDelay, Name: "downdelay", Size: 4, Kind: KindDuration, Unit: msUnit, Max: maxInt, Modes: AllModes, NeedsMIIMon: true, Since: "3.14"},
	{Option: OptionPeerNotifDelay, Name: "peer_notif_delay", IPRoute2: "peer_notify_delay", Size: 4, Kind: KindDuration, Unit: msUnit, Max: 300000, Modes: AllModes, NeedsMIIMon: true, Since: "5.3"},
	{Option: OptionUseCarrier, Name: "use_carrier", Size: 1, Kind: KindBool, Max: 1, Default: 1, Modes: AllModes, Since: "3.14"},
	{Option: OptionARPInterval, Name: "arp_interval", Size: 4, Kind: KindDuration, Unit: msUnit, Max: maxInt, Modes: arpModes, Cleared: lbModes, Since: "3.14"},
	{Option: OptionARPTargets, Name: "arp_ip_target", Kind: KindIPv4List, Max: maxTargets, Modes: AllModes, Acts: arpModes, Since: "3.14"},
	{Option: OptionNSTargets, Name: "ns_ip6_target", Sysfs: "-", Kind: KindIPv6List, Max: maxTargets, Modes: AllModes, Acts: arpModes, Since: "5.18"},
	{Option: OptionARPValidate, Name: "arp_validate", Size: 4, Kind: KindEnum, Words: arpValidateWords, Max: 6, Modes: arpModes, Cleared: AllModes, Since: "3.14"},
	{Option: OptionARPAllTargets, Name: "arp_all_targets", Size: 4, Kind: KindEnum, Words: arpAllTargetsWords, Max: 1, Modes: AllModes, Acts: Modes(ModeActiveBackup), Since: "3.14"},
	{Option: OptionPrimary, Name: "primary", Size: 4, Kind: KindLink, Max: maxInt, Modes: activeModes, Since: "3.14"},
	{Option: OptionPrimaryReselect, Name: "primary_reselect", Size: 1, Kind: KindEnum, Words: primaryReselectWords, Max: 2, Modes: AllModes, Acts: activeModes, Since: "3.14"},
	{Option: OptionFailOverMAC, Name: "fail_over_mac", Size: 1, Kind: KindEnum, Words: failOverMACWords, Max: 2, Modes: AllModes, Acts: Modes(ModeActiveBackup), NeedsEmpty: true, Since: "3.14"},
	{Option: OptionXmitHashPolicy, Name: "xmit_hash_policy", Size: 1, Kind: KindEnum, Words: xmitHashPolicyWords, Max: 5, Modes: AllModes, Acts: Modes(ModeBalanceXOR, Mode8023AD, ModeBalanceTLB), Since: "3.14"},
	{Option: OptionResendIGMP, Name: "resend_igmp", Size: 4, Kind: KindUint, Max: 255, Default: 1, Modes: AllModes, Since: "3.14"},
	{Option: OptionNumPeerNotif, Name: "num_grat_arp", Size: 1, Kind: KindUint, Max: 255, Default: 1, Modes: AllModes, Since: "3.14"},
	{Option: OptionAllSlavesActive, Name: "all_slaves_active", Size: 1, Kind: KindBool, Max: 1, Modes: AllModes, Since: "3.14"},
	{Option: OptionMinLinks, Name: "min_links", Size: 4, Kind: KindUint, Max: maxInt, Modes: AllModes, Acts: Modes(Mode8023AD), Since: "3.14"},
	{Option: OptionLPInterval, Name: "lp_interval", Size: 4, Kind: KindDuration, Unit: secUnit, Min: 1, Max: maxInt, Default: 1, Modes: AllModes, Acts: Modes(ModeBalanceTLB, ModeBalanceALB), Since: "3.14"},
	{Option: OptionPacketsPerSlave, Name: "packets_per_slave", Size: 4, Kind: KindUint, Max: 65535, Default: 1, Modes: Modes(ModeBalanceRR), Since: "3.14"},
	{Option: OptionLACPActive, Name: "lacp_active", Size: 1, Kind: KindBool, Max: 1, Default: 1, Modes: Modes(Mode8023AD), NeedsDown: true, Since: "5.15"},
	{Option: OptionLACPRate, Name: "lacp_rate", Size: 1, Kind: KindEnum, Words: lacpRateWords, Max: 1, Modes: Modes(Mode8023AD), NeedsDown: true, Since: "3.14"},
	{Option: OptionADSelect, Name: "ad_select", Size: 1, Kind: KindEnum, Words: adSelectWords, Max: 3, Modes: AllModes, Acts: Modes(Mode8023AD), NeedsDown: true, Since: "3.14"},
	{Option: OptionADActorSysPrio, Name: "ad_actor_sys_prio", Size: 2, Kind: KindUint, Min: 1, Max: 65535, Default: 65535, Modes: Modes(Mode8023AD), Since: "4.2"},
	{Option: OptionADUserPortKey, Name: "ad_user_port_key", Size: 2, Kind: KindUint, Max: 1023, Modes: Modes(Mode8023AD), NeedsDown: true, Since: "4.2"},
	{Option: OptionADActorSystem, Name: "ad_actor_system", Size: 6, Kind: KindMAC, Modes: Modes(Mode8023AD), Since: "4.2"},
	{Option: OptionTLBDynamicLB, Name: "tlb_dynamic_lb", Size: 1, Kind: KindBool, Max: 1, Default: 1, Modes: Modes(ModeBalanceTLB, ModeBalanceALB), NeedsDown: true, Cleared: Modes(ModeBalanceALB), Since: "4.3"},
	{Option: OptionMissedMax, Name: "arp_missed_max", Size: 1, Kind: KindUint, Min: 1, Max: 255, Default: 2, Modes: arpModes, Since: "5.17"},
	{Option: OptionCoupledControl, Name: "coupled_control", Sysfs: "-", Size: 1, Kind: KindBool, Max: 1, Default: 1, Modes: Modes(Mode8023AD), NeedsDown: true, Since: "6.9"},
	{Option: OptionBroadcastNeighbor, Name: "broadcast_neighbor", Sysfs: "-", Size: 1, Kind: KindBool, Max: 1, Modes: Modes(Mode8023AD), Cleared: AllModes, Since: "6.17"},
	{Option: OptionLACPStrict, Name: "lacp_strict", Sysfs: "-", IPRoute2: "-", Size: 1, Kind: KindBool, Max: 1, Modes: Modes(Mode8023AD), Since: "7.2"},
	{Option: OptionADInfo, Name: "ad_info", Sysfs: "-", Kind: KindNested, ReadOnly: true, Acts: Modes(Mode8023AD), Since: "3.14"},

	{Option: OptionQueueID, Name: "queue_id", Size: 2, Kind: KindUint, Max: 65535, Modes: AllModes, Since: "3.14"},
	{Option: OptionPrio, Name: "prio", Sysfs: "-", Size: 4, Kind: KindInt, Min: math.MinInt32, Max: maxInt, Modes: activeModes, Since: "6.0"},
	{Option: OptionActorPortPrio, Name: "actor_port_prio", Sysfs: "-", Size: 2, Kind: KindUint, Max: 65535, Default: 255, Modes: Modes(Mode8023AD), Since: "6.18"},
	{Option: OptionSlaveState, Name: "state", Size: 1, Kind: KindEnum, Words: slaveStateWords, ReadOnly: true, Max: 1, Since: "3.14"},
	{Option: OptionMIIStatus, Name: "mii_status", Size: 1, Kind: KindEnum, Words: miiStatusWords, ReadOnly: true, Max: 3, Since: "3.14"},
	{Option: OptionLinkFailures, Name: "link_failure_count", Size: 4, Kind: KindUint, ReadOnly: true, Max: math.MaxUint32, Since: "3.14"},
	{Option: OptionPermMAC, Name: "perm_hwaddr", Kind: KindMAC, ReadOnly: true, Since: "3.14"},
	{Option: OptionAggregatorID, Name: "ad_aggregator_id", Size: 2, Kind: KindUint, ReadOnly: true, Max: 65535, Acts: Modes(Mode8023AD), Since: "3.14"},
	{Option: OptionActorPortState, Name: "ad_actor_oper_port_state", Size: 1, Kind: KindUint, ReadOnly: true, Max: 255, Acts: Modes(Mode8023AD), Since: "4.2"},
	{Option: OptionPartnerPortState, Name: "ad_partner_oper_port_state", Size: 2, Kind: KindUint, ReadOnly: true, Max: 65535, Acts: Modes(Mode8023AD), Since: "4.2"},
	{Option: OptionActorChurn, Name: "ad_churn_actor_state", Sysfs: "-", Size: 1, Kind: KindEnum, Words: churnStateWords, ReadOnly: true, Max: 2, Acts: Modes(Mode8023AD), Since: "7.1"},
	{Option: OptionPartnerChurn, Name: "ad_churn_partner_state", Sysfs: "-", Size: 1, Kind: KindEnum, Words: churnStateWords, ReadOnly: true, Max: 2, Acts: Modes(Mode8023AD), Since: "7.1"},
}

// slaveSettable are the options of a slave that can be set, in the order in which the
// kernel applies them. All values of their types are in range.
var slaveSettable = [...]Option{OptionQueueID, OptionPrio, OptionActorPortPrio}

// delayOptions are the delays that the kernel keeps in multiples of miimon.
var delayOptions = [...]Option{OptionUpDelay, OptionDownDelay, OptionPeerNotifDelay}

// lbMIIMon is the miimon, in milliseconds, that the kernel chooses when it is 0 and the mode
// becomes one of lbModes (BOND_DEFAULT_MIIMON).
const lbMIIMon = 100

// maxTargets is BOND_MAX_ARP_TARGETS and BOND_MAX_NS_TARGETS.
const maxTargets = 16

// Sets of modes that several options share.
const (
	activeModes ModeSet = 1<<ModeActiveBackup | 1<<ModeBalanceTLB | 1<<ModeBalanceALB
	arpModes    ModeSet = 1<<ModeBalanceRR | 1<<ModeActiveBackup | 1<<ModeBalanceXOR | 1<<ModeBroadcast
	lbModes     ModeSet = 1<<Mode8023AD | 1<<ModeBalanceTLB | 1<<ModeBalanceALB
)

// optionRow is the table by number, with the columns filled in
// that follow from others.
var optionRow = func() (rows [128]*OptionInfo) {
	for i := range optionTable {
		row := &optionTable[i]
		row.Slave = row.Option > slaveOption
		row.Attr = uint16(row.Option &^ slaveOption)
		if !row.ReadOnly {
			row.Order = i + 1
		}
		row.IPRoute2 = spelling(row.IPRoute2, row.Name, row.ReadOnly)
		row.Sysfs = spelling(row.Sysfs, row.Name, false)
		if row.Modes != 0 && row.Acts == 0 {
			row.Acts = row.Modes
		}
		rows[row.Option] = row
	}
	return rows
}()

// spelling returns what stands in the table, the name where nothing stands, and
// nothing for a dash.
func spelling(cell, name string, none bool) string {
	switch {
	case cell == "-" || none:
		return ""
	case cell == "":
		return name
	}
	return cell
}

// row returns the row of the table, nil for an Option without one.
func (o Option) row() *OptionInfo {
	if int(o) < len(optionRow) {
		return optionRow[o]
	}
	return nil
}

// Info returns the row of the table. For an Option that is not in it, the row
// has no more than Option, Attr and Slave, and no Name.
func (o Option) Info() OptionInfo {
	if row := o.row(); row != nil {
		return *row
	}
	return OptionInfo{Option: o, Attr: uint16(o &^ slaveOption), Slave: o >= slaveOption}
}

// String returns the kernel's name, such as "arp_ip_target", or option(N).
func (o Option) String() string {
	if row := o.row(); row != nil {
		return row.Name
	}
	return "option(" + strconv.Itoa(int(o)) + ")"
}

// MarshalText implements [encoding.TextMarshaler].
func (o Option) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseOption].
func (o *Option) UnmarshalText(text []byte) error { return enumUnmarshal(o, text, ParseOption) }

// AllOptions yields every option of the table, those of bonds first, in the
// order in which the kernel applies them; those that cannot be set come last.
func AllOptions() iter.Seq[Option] {
	return func(yield func(Option) bool) {
		for i := range optionTable {
			if !yield(optionTable[i].Option) {
				return
			}
		}
	}
}

// optionSynonyms are names that the kernel, its documentation or the ip command
// use besides.
var optionSynonyms = map[string]Option{
	"num_unsol_na":    OptionNumPeerNotif,
	"num_peer_notif":  OptionNumPeerNotif,
	"missed_max":      OptionMissedMax,
	"broadcast_neigh": OptionBroadcastNeighbor,
	"arp_ip_targets":  OptionARPTargets,
	"ns_ip6_targets":  OptionNSTargets,
}

// ParseOption reads the name of an option: the kernel's, that of its file in
// sysfs, the keyword of the ip command, or what String returns. The error
// matches [ErrBadValue].
func ParseOption(s string) (Option, error) {
	for i := range optionTable {
		row := &optionTable[i]
		if s != "" && (s == row.Name || s == row.Sysfs || s == row.IPRoute2) {
			return row.Option, nil
		}
	}
	if o, ok := optionSynonyms[s]; ok {
		return o, nil
	}
	// Only the numbers are left.
	if o, err := enumParse[Option]("option", nil, nil, s); err == nil {
		return o, nil
	}
	return 0, &Error{Op: "parse option", Value: s, Err: ErrBadValue, Hint: "not an option of a bond or of a slave"}
}
