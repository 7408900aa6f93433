// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/bondkit/bondkit/ethtool"
)

// routeCall describes a request of rtnetlink.
func routeCall(req ethtool.RouteRequest) Call {
	c := Call{Name: fmt.Sprint("rtnetlink ", req.Type), Dump: req.Flags&nlmDump == nlmDump, Data: req.Data}
	switch req.Type {
	case rtmNewLink:
		c.Name, c.Write = "RTM_NEWLINK", true
	case rtmSetLink:
		c.Name, c.Write = "RTM_SETLINK", true
	case rtmGetLink:
		c.Name = "RTM_GETLINK"
	}
	if len(req.Data) >= ifinfomsgLen {
		c.Link.Index = int(int32(ne.Uint32(req.Data[4:])))
		c.Link.Name = collect(req.Data[ifinfomsgLen:])[iflaIfname].text()
	}
	return c
}

// route answers a request of rtnetlink.
func (k *Kernel) route(admin bool, req ethtool.RouteRequest) ([][]byte, error) {
	if len(req.Data) < ifinfomsgLen {
		return nil, refuse(syscall.EINVAL)
	}
	family := req.Data[0]
	tb := collect(req.Data[ifinfomsgLen:])
	if req.Type != rtmGetLink && !admin {
		return nil, refuse(syscall.EPERM)
	}
	if req.Type == rtmGetLink && req.Flags&nlmDump == nlmDump {
		var all [][]byte
		for _, n := range k.nics {
			switch {
			case family != afBridge:
				all = append(all, k.appendLink(nil, n))
			case n.BridgeMode != "":
				all = append(all, k.appendBridge(nil, n))
			}
		}
		return all, nil
	}
	n, err := k.routeLink(req.Data, tb)
	if err != nil {
		return nil, err
	}
	switch req.Type {
	case rtmGetLink:
		return [][]byte{k.appendLink(nil, n)}, nil
	case rtmSetLink:
		if family == afBridge {
			return nil, k.setBridgeMode(n, tb)
		}
		// What is in IFLA_LINKINFO is not looked at (do_setlink).
		return nil, nil
	case rtmNewLink:
		return nil, k.changeKind(n, tb)
	}
	return nil, refuse(syscall.EOPNOTSUPP)
}

// routeLink finds the interface that a request is about. The index wins over the name.
func (k *Kernel) routeLink(data []byte, tb map[uint16]tlv) (*nic, error) {
	var n *nic
	index := int(int32(ne.Uint32(data[4:])))
	name, named := tb[iflaIfname]
	switch {
	case index > 0:
		n = k.byIndex(index)
	case named:
		n = k.byName(name.text())
	default:
		return nil, refuse(syscall.EINVAL)
	}
	if n == nil {
		return nil, refuse(syscall.ENODEV)
	}
	return n, nil
}

// changeKind is rtnl_changelink of the kernel's net/core/rtnetlink.c, for macvlan.
func (k *Kernel) changeKind(n *nic, tb map[uint16]tlv) error {
	info, ok := tb[iflaLinkInfo]
	if !ok {
		return nil
	}
	inner := collect(info.data)
	if kind := inner[infoKind].text(); kind != n.Kind || kind != "macvlan" && kind != "macvtap" {
		return refuse(syscall.EOPNOTSUPP)
	}
	a, ok := collect(inner[infoData].data)[macvlanMode]
	if !ok {
		return nil
	}
	mode, ok := wordOf(macvlanModes, a.number())
	if !ok || (mode == "passthru") != (n.MacvlanMode == "passthru") {
		return refuse(syscall.EINVAL)
	}
	n.MacvlanMode = mode
	k.notifyLink(n, rtmNewLink)
	return nil
}

// setBridgeMode is ndo_bridge_setlink of drivers that have a bridge.
func (k *Kernel) setBridgeMode(n *nic, tb map[uint16]tlv) error {
	spec := collect(tb[iflaAFSpec].data)
	if n.BridgeMode == "" || spec[bridgeFlags].number()&bridgeSelf == 0 {
		return refuse(syscall.EOPNOTSUPP)
	}
	a, ok := spec[bridgeMode]
	if !ok {
		return nil
	}
	mode, ok := wordOf(bridgeModes, a.number())
	if !ok {
		return refuse(syscall.EINVAL)
	}
	n.BridgeMode = mode
	return nil
}

// appendHeader appends struct ifinfomsg.
func (n *nic) appendHeader(b []byte, family uint8) []byte {
	flags := uint32(iffBroadcast | iffMulticast)
	switch n.Type {
	case typeLoopback:
		flags = iffLoopback
	case typeCAN:
		flags = iffNoARP
	}
	if n.Kind == "dummy" {
		flags = iffBroadcast | iffNoARP
	}
	if n.Bond != nil {
		flags |= iffMaster
	}
	if n.Slave != nil {
		flags |= iffSlave
	}
	if !n.Down {
		flags |= iffUp
	}
	if n.running() {
		flags |= iffRunning | iffLowerUp
	}
	b = append(b, family, 0)
	b = ne.AppendUint16(b, n.Type)
	b = ne.AppendUint32(b, uint32(n.Index))
	b = ne.AppendUint32(b, flags)
	return ne.AppendUint32(b, 0)
}

func (n *nic) operState() uint8 {
	switch {
	case n.Kind == "dummy" || n.Type == typeLoopback:
		return operUnknown
	case n.running():
		return operUp
	}
	return operDown
}

// appendLink appends the body of the RTM_NEWLINK about n (rtnl_fill_ifinfo of the kernel's
// net/core/rtnetlink.c).
func (k *Kernel) appendLink(b []byte, n *nic) []byte {
	b = n.appendHeader(b, 0)
	b = appendText(b, iflaIfname, n.name)
	b = appendU32(b, iflaTxQLen, 1000)
	b = appendU8(b, iflaOperState, n.operState())
	b = appendU32(b, iflaMTU, uint32(n.MTU))
	if i := k.indexOf(n.Lower); i != 0 {
		b = appendU32(b, iflaLink, uint32(i))
	}
	if i := k.indexOf(n.Master); i != 0 {
		b = appendU32(b, iflaMaster, uint32(i))
	}
	b = appendU8(b, iflaCarrier, bit(n.running()))
	b = appendU32(b, iflaCarrierChanges, n.CarrierChanges)
	if n.MAC != nil {
		b = appendAttr(b, iflaAddress, n.MAC)
		b = appendAttr(b, iflaBroadcast, slices.Repeat([]byte{0xff}, len(n.MAC)))
	}
	if info := k.appendLinkInfo(nil, n); len(info) > 0 {
		b = appendNest(b, iflaLinkInfo, info)
	}
	if n.PermMAC != nil && k.version.has(versionPermAddress) {
		b = appendAttr(b, iflaPermAddress, n.PermMAC)
	}
	if n.Parent != "" && k.version.has(versionParentDev) {
		bus, dev, _ := strings.Cut(n.Parent, "/")
		b = appendText(b, iflaParentName, dev)
		b = appendText(b, iflaParentBus, bus)
	}
	if d := k.findDevlink(n.Parent); d != nil && n.HasDevlinkPort && k.version.has(versionDevlinkPort) && !k.noDevlink {
		b = appendNest(b, iflaDevlinkPort, appendU32(d.appendHandle(nil), devlinkPortIndex, n.DevlinkPort))
	}
	return b
}

// appendLinkInfo appends what is inside IFLA_LINKINFO.
func (k *Kernel) appendLinkInfo(b []byte, n *nic) []byte {
	if n.Kind != "" {
		b = appendText(b, infoKind, n.Kind)
	}
	switch {
	case n.Kind == "macvlan" || n.Kind == "macvtap":
		b = appendNest(b, infoData, appendU32(nil, macvlanMode, mustWord("macvlan mode", macvlanModes, n.MacvlanMode)))
	case n.Bond != nil:
		b = appendNest(b, infoData, k.appendBond(nil, n.Bond))
	}
	if m := k.byName(n.Master); m != nil {
		b = appendText(b, infoSlaveKind, m.Kind)
		if n.Slave != nil {
			b = appendNest(b, infoSlaveData, n.appendSlave(nil))
		}
	}
	return b
}

// appendBond appends options of a bond, in the order of bond_fill_info of the kernel's
// bond_netlink.c.
func (k *Kernel) appendBond(b []byte, o *Bond) []byte {
	b = appendU8(b, 1, uint8(mustWord("bond mode", bondModes, o.Mode)))
	if i := k.indexOf(o.ActiveSlave); i != 0 {
		b = appendU32(b, 2, uint32(i))
	}
	b = appendU32(b, 3, uint32(o.MIIMon.Milliseconds()))
	b = appendU32(b, 7, uint32(o.ARPInterval.Milliseconds()))
	b = appendU32(b, 9, mustWord("arp_validate", arpValidates, o.ARPValidate))
	b = appendU8(b, 13, uint8(mustWord("fail_over_mac", failOverMACs, o.FailOverMAC)))
	b = appendU8(b, 17, bit(o.AllSlavesActive))
	if o.MissedMax != 0 {
		b = appendU8(b, 30, o.MissedMax)
	}
	return b
}

// appendSlave appends what a bond tells of a slave (bond_fill_slave_info).
func (n *nic) appendSlave(b []byte) []byte {
	s := n.Slave
	b = appendU8(b, 1, bit(s.Backup))
	b = appendU8(b, 2, uint8(mustWord("MII status", miiStatuses, s.MIIStatus)))
	b = appendU32(b, 3, s.Failures)
	if n.PermMAC != nil {
		return appendAttr(b, 4, n.PermMAC)
	}
	return appendAttr(b, 4, n.MAC)
}

// appendBridge appends what a dump of AF_BRIDGE tells of a NIC with a bridge in it
// (ndo_dflt_bridge_getlink).
func (k *Kernel) appendBridge(b []byte, n *nic) []byte {
	b = n.appendHeader(b, afBridge)
	b = appendText(b, iflaIfname, n.name)
	b = appendU32(b, iflaMTU, uint32(n.MTU))
	b = appendU8(b, iflaOperState, n.operState())
	if i := k.indexOf(n.Master); i != 0 {
		b = appendU32(b, iflaMaster, uint32(i))
	}
	b = appendAttr(b, iflaAddress, n.MAC)
	spec := appendU16(nil, bridgeFlags, bridgeSelf)
	spec = appendU16(spec, bridgeMode, uint16(mustWord("bridge mode", bridgeModes, n.BridgeMode)))
	return appendAttr(b, iflaAFSpec, spec)
}
