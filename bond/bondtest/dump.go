// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"net/netip"
	"slices"

	"github.com/bondkit/bondkit/bond"
)

// The orders in which the kernel tells the options of a bond and of a slave.
var (
	bondDumpOrder = []bond.Option{
		bond.OptionMode, bond.OptionActiveSlave, bond.OptionMIIMon, bond.OptionUpDelay, bond.OptionDownDelay,
		bond.OptionPeerNotifDelay, bond.OptionUseCarrier, bond.OptionARPInterval, bond.OptionARPTargets,
		bond.OptionARPValidate, bond.OptionARPAllTargets, bond.OptionNSTargets, bond.OptionPrimary,
		bond.OptionPrimaryReselect, bond.OptionFailOverMAC, bond.OptionXmitHashPolicy, bond.OptionResendIGMP,
		bond.OptionNumPeerNotif, bond.OptionAllSlavesActive, bond.OptionMinLinks, bond.OptionLPInterval,
		bond.OptionPacketsPerSlave, bond.OptionLACPActive, bond.OptionLACPRate, bond.OptionADSelect,
		bond.OptionTLBDynamicLB, bond.OptionMissedMax, bond.OptionCoupledControl, bond.OptionBroadcastNeighbor,
		bond.OptionLACPStrict, bond.OptionADActorSysPrio, bond.OptionADUserPortKey, bond.OptionADActorSystem,
		bond.OptionADInfo,
	}
	slaveDumpOrder = []bond.Option{
		bond.OptionSlaveState, bond.OptionMIIStatus, bond.OptionLinkFailures, bond.OptionPermMAC, bond.OptionQueueID,
		bond.OptionPrio, bond.OptionAggregatorID, bond.OptionActorPortState, bond.OptionPartnerPortState,
		bond.OptionActorChurn, bond.OptionPartnerChurn, bond.OptionActorPortPrio,
	}
)

// appendLink appends the body of the RTM_NEWLINK about l, as who asks or causes it
// may see it (rtnl_fill_ifinfo of the kernel's net/core/rtnetlink.c).
func (k *Kernel) appendLink(b []byte, l *link, event uint32, mask uint32) []byte {
	b = appendHeader(b, 0, l)
	b = appendText(b, iflaIfname, l.name)
	b = appendU32(b, iflaTxQLen, 1000)
	b = appendU8(b, iflaOperState, uint8(l.operState()))
	b = appendU32(b, iflaMTU, uint32(l.mtu))
	b = appendU32(b, iflaNumTxQ, uint32(l.txQueues))
	if l.master != nil {
		b = appendU32(b, iflaMaster, uint32(l.master.index))
	}
	b = appendU8(b, iflaCarrier, uint8(number01(l.running())))
	b = appendAttr(b, iflaAddress, l.mac)
	b = appendAttr(b, iflaBroadcast, slices.Repeat([]byte{0xff}, len(l.mac)))
	if mask&maskSkipStats == 0 {
		b = appendAttr(b, iflaStats64, make([]byte, 200))
	}
	if info := k.appendLinkInfo(nil, l); len(info) > 0 {
		b = appendAttr(b, iflaLinkInfo, info)
	}
	if event != eventNone {
		b = appendU32(b, iflaEvent, event)
	}
	return b
}

// appendHeader appends struct ifinfomsg.
func appendHeader(b []byte, family uint8, l *link) []byte {
	b = append(b, family, 0)
	b = ne.AppendUint16(b, l.typ)
	b = ne.AppendUint32(b, uint32(l.index))
	b = ne.AppendUint32(b, l.tellFlags())
	return ne.AppendUint32(b, 0)
}

func number01(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (l *link) tellFlags() uint32 {
	flags := l.flags
	if l.up {
		flags |= bond.FlagUp
	}
	if l.running() {
		flags |= bond.FlagRunning | bond.FlagLowerUp
	}
	return flags
}

func (l *link) operState() bond.OperState {
	switch {
	case l.kind == "dummy":
		return bond.OperUnknown
	case l.running():
		return bond.OperUp
	}
	return bond.OperDown
}

// appendLinkInfo appends what is inside IFLA_LINKINFO.
func (k *Kernel) appendLinkInfo(b []byte, l *link) []byte {
	if l.kind != "" {
		b = appendText(b, infoKind, l.kind)
	}
	if l.bond != nil {
		b = appendAttr(b, infoData, k.appendBond(nil, l))
	}
	if l.master != nil {
		b = appendText(b, infoSlaveKind, l.master.kind)
		if l.slave != nil {
			b = appendAttr(b, infoSlaveData, k.appendSlave(nil, l))
		}
	}
	return b
}

// appendBond appends what is inside IFLA_INFO_DATA, in the kernel's order
// (bond_fill_info of bond_netlink.c).
func (k *Kernel) appendBond(b []byte, l *link) []byte {
	st := l.bond
	for _, opt := range bondDumpOrder {
		info := opt.Info()
		if info.Slave || !k.Supports(opt) {
			continue
		}
		switch opt {
		case bond.OptionActiveSlave:
			if st.mode().HasActive() && st.active != nil {
				b = appendU32(b, info.Attr, uint32(st.active.index))
			}
		case bond.OptionPrimary:
			if st.primary != nil {
				b = appendU32(b, info.Attr, uint32(st.primary.index))
			}
		case bond.OptionARPTargets:
			b = appendTargets(b, info.Attr, st.targets)
		case bond.OptionNSTargets:
			b = appendTargets(b, info.Attr|nestedFlag, st.targets6)
		case bond.OptionADInfo:
			if st.mode() == bond.Mode8023AD && st.ad != nil {
				b = appendAttr(b, info.Attr, appendADInfo(nil, st.ad))
			}
		case bond.OptionADActorSysPrio, bond.OptionADUserPortKey:
			if st.mode() == bond.Mode8023AD && k.as.initNS {
				b = appendNumber(b, &info, st.num[opt])
			}
		case bond.OptionADActorSystem:
			if st.mode() == bond.Mode8023AD && k.as.initNS {
				b = appendAttr(b, info.Attr, st.system[:])
			}
		default:
			b = appendNumber(b, &info, st.value(opt))
		}
	}
	return appendUnknown(b, l)
}

func appendUnknown(b []byte, l *link) []byte {
	for _, a := range l.unknown {
		b = appendAttr(b, a.Type, a.Data)
	}
	return b
}

// appendTargets appends a nest, and nothing for an empty list.
func appendTargets(b []byte, typ uint16, targets []netip.Addr) []byte {
	if len(targets) == 0 {
		return b
	}
	var nest []byte
	for i, t := range targets {
		nest = appendAttr(nest, uint16(i), t.AsSlice())
	}
	return appendAttr(b, typ, nest)
}

func appendADInfo(b []byte, ad *bond.ADInfo) []byte {
	b = appendU16(b, 1, ad.AggregatorID)
	b = appendU16(b, 2, ad.Ports)
	b = appendU16(b, 3, ad.ActorKey)
	b = appendU16(b, 4, ad.PartnerKey)
	return appendAttr(b, 5, ad.PartnerMAC[:])
}

// value is a number as the kernel tells it.
func (st *bondState) value(opt bond.Option) int64 {
	switch opt {
	case bond.OptionUpDelay, bond.OptionDownDelay, bond.OptionPeerNotifDelay:
		return st.num[opt] * st.num[bond.OptionMIIMon]
	}
	return st.num[opt]
}

// appendSlave appends what is inside IFLA_INFO_SLAVE_DATA (bond_fill_slave_info
// of bond_netlink.c).
func (k *Kernel) appendSlave(b []byte, l *link) []byte {
	s := l.slave
	lacp := l.master.bond.mode() == bond.Mode8023AD
	agg := lacp && s.lacp.AggregatorID != 0
	for _, opt := range slaveDumpOrder {
		info := opt.Info()
		if !info.Slave || !k.Supports(opt) {
			continue
		}
		var v int64
		tell := true
		switch opt {
		case bond.OptionSlaveState:
			v = number01(s.backup)
		case bond.OptionMIIStatus:
			v = int64(s.mii)
		case bond.OptionLinkFailures:
			v = int64(s.failures)
		case bond.OptionPermMAC:
			b, tell = appendAttr(b, info.Attr, s.perm), false
		case bond.OptionQueueID:
			v = int64(s.queueID)
		case bond.OptionPrio:
			v = int64(s.prio)
		case bond.OptionActorPortPrio:
			v, tell = int64(s.portPrio), lacp
		case bond.OptionAggregatorID:
			v, tell = int64(s.lacp.AggregatorID), agg
		case bond.OptionActorPortState:
			v, tell = int64(s.lacp.Actor), agg
		case bond.OptionPartnerPortState:
			v, tell = int64(s.lacp.Partner), agg
		case bond.OptionActorChurn:
			v, tell = int64(s.lacp.ActorChurn), agg
		case bond.OptionPartnerChurn:
			v, tell = int64(s.lacp.PartnerChurn), agg
		}
		if tell {
			b = appendNumber(b, &info, v)
		}
	}
	return appendUnknown(b, l)
}

// notify tells the subscribers about l.
func (k *Kernel) notify(l *link, event uint32) {
	if len(k.subs) == 0 {
		return
	}
	k.send(bond.Message{Type: rtmNewLink, Data: k.appendLink(nil, l, event, 0)})
	if l.master != nil && l.master.kind == "bridge" {
		k.send(bond.Message{Type: rtmNewLink, Data: bridgePort(l, l.master)})
	}
}

// notifyGone tells the subscribers that l is gone.
func (k *Kernel) notifyGone(l *link) {
	if len(k.subs) > 0 {
		k.send(bond.Message{Type: rtmDelLink, Data: k.appendLink(nil, l, eventNone, 0)})
	}
}

// bridgePort is the message of family AF_BRIDGE about a port (br_fill_ifinfo of
// br_netlink.c). With RTM_DELLINK it says that the port has left, and not that the interface
// is gone.
func bridgePort(l, bridge *link) []byte {
	b := appendHeader(nil, afBridge, l)
	b = appendText(b, iflaIfname, l.name)
	b = appendU32(b, iflaMaster, uint32(bridge.index))
	b = appendU32(b, iflaMTU, uint32(l.mtu))
	b = appendU8(b, iflaOperState, uint8(l.operState()))
	b = appendAttr(b, iflaAddress, l.mac)
	return appendAttr(b, iflaProtInfo|nestedFlag, appendU8(nil, 1, 3))
}

// getLink answers RTM_GETLINK.
func (k *Kernel) getLink(req bond.Message) ([]bond.Message, *bond.KernelError) {
	h, tb, err := parseLink(req.Data)
	if err != nil {
		return nil, err
	}
	var mask uint32
	if a, ok := tb[iflaExtMask]; ok {
		mask = a.u32()
	}
	if req.Flags&nlmDump != nlmDump {
		l, err := k.find(h)
		if err != nil {
			return nil, err
		}
		if l == nil {
			if h.index == 0 && !h.named {
				return nil, refuse(errInvalid)
			}
			return nil, refuse(errNoDevice)
		}
		return []bond.Message{{Type: rtmNewLink, Data: k.appendLink(nil, l, eventNone, mask)}}, nil
	}
	var kind string
	if a, ok := tb[iflaLinkInfo]; ok {
		kind = a.nest()[infoKind].text()
	}
	// A kind that the kernel does not know is no filter.
	if !slices.Contains(filterKinds, kind) || kind == "bond" && k.noModule {
		kind = ""
	}
	master := 0
	if a, ok := tb[iflaMaster]; ok {
		master = int(a.u32())
	}
	flags := uint16(nlmMulti)
	if kind != "" || master != 0 {
		flags |= nlmFiltered
	}
	var replies []bond.Message
	for _, l := range k.links {
		if kind != "" && l.kind != kind || master != 0 && (l.master == nil || l.master.index != master) {
			continue
		}
		replies = append(replies, bond.Message{Type: rtmNewLink, Flags: flags, Data: k.appendLink(nil, l, eventNone, mask)})
	}
	return replies, nil
}

// filterKinds are kinds of interfaces that the kernel knows, and so can filter
// by.
var filterKinds = []string{"bond", "bridge", "dummy", "macvlan", "team", "veth", "vlan"}

// getStats answers RTM_GETSTATS.
func (k *Kernel) getStats(req bond.Message) ([]bond.Message, *bond.KernelError) {
	if len(req.Data) < statsMsgLen {
		return nil, refuse(errInvalid)
	}
	index, mask := int(int32(ne.Uint32(req.Data[4:]))), ne.Uint32(req.Data[8:])
	if mask == 0 {
		return nil, explain(errInvalid, "Filter mask must be set for stats get", 0)
	}
	if req.Flags&nlmDump == nlmDump {
		var replies []bond.Message
		for _, l := range k.links {
			replies = append(replies, bond.Message{Type: rtmNewStats, Flags: nlmMulti, Data: appendStats(nil, l, mask)})
		}
		return replies, nil
	}
	l := k.byIndex(index)
	switch {
	case index <= 0:
		return nil, refuse(errInvalid)
	case l == nil:
		return nil, refuse(errNoDevice)
	}
	return []bond.Message{{Type: rtmNewStats, Data: appendStats(nil, l, mask)}}, nil
}

// appendStats appends the body of RTM_NEWSTATS (bond_fill_linkxstats of
// bond_main.c).
func appendStats(b []byte, l *link, mask uint32) []byte {
	b = append(b, 0, 0, 0, 0)
	b = ne.AppendUint32(b, uint32(l.index))
	b = ne.AppendUint32(b, mask)
	if l.bond != nil && mask&(1<<(statsXstats-1)) != 0 {
		sum := l.bond.gone
		for _, s := range l.bond.slaves {
			addStats(&sum, &s.slave.stats)
		}
		b = appendAttr(b, statsXstats, appendXstats(nil, l, &sum))
	}
	if l.slave != nil && mask&(1<<(statsXstatsSlv-1)) != 0 {
		b = appendAttr(b, statsXstatsSlv, appendXstats(nil, l.master, &l.slave.stats))
	}
	return b
}

func appendXstats(b []byte, l *link, s *bond.Stats) []byte {
	const typeBond, xstats3AD = 2, 1
	var nest []byte
	if l.bond.mode() == bond.Mode8023AD {
		var counters []byte
		for i, v := range statsFields(s) {
			counters = appendU64(counters, uint16(i), *v)
		}
		nest = appendAttr(nest, xstats3AD, counters)
	}
	return appendAttr(b, typeBond, nest)
}

// statsFields are the counters by their number, that of BOND_3AD_STAT_.
func statsFields(s *bond.Stats) []*uint64 {
	return []*uint64{
		&s.LACPDURx, &s.LACPDUTx, &s.UnknownRx, &s.IllegalRx, &s.MarkerRx, &s.MarkerTx,
		&s.MarkerRespRx, &s.MarkerRespTx, &s.MarkerUnknownRx,
	}
}

func addStats(sum, s *bond.Stats) {
	from := statsFields(s)
	for i, p := range statsFields(sum) {
		*p += *from[i]
	}
}
