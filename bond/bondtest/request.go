// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/bondkit/bondkit/bond"
)

const (
	errInvalid  = syscall.EINVAL
	errNoDevice = syscall.ENODEV
	errNotSupp  = syscall.EOPNOTSUPP
	errRange    = syscall.ERANGE
)

const policyMessage = "Attribute failed policy validation"

// linkHeader is struct ifinfomsg of a request, and whether it has a name.
type linkHeader struct {
	index         int
	flags, change uint32
	named         bool
	name          string
}

// linkSizes are the least sizes of the attributes of a request, those of
// ifla_policy.
var linkSizes = map[uint16]int{iflaMTU: 4, iflaMaster: 4, iflaNumTxQ: 4, iflaExtMask: 4, iflaCarrier: 1}

// parseLink reads struct ifinfomsg and the attributes after it.
func parseLink(body []byte) (h linkHeader, tb map[uint16]tlv, err *bond.KernelError) {
	if len(body) < ifinfomsgLen {
		return h, nil, refuse(errInvalid)
	}
	h.index = int(int32(ne.Uint32(body[4:])))
	h.flags, h.change = ne.Uint32(body[8:]), ne.Uint32(body[12:])
	for a := range attrs(body[ifinfomsgLen:], headerLen+ifinfomsgLen) {
		switch {
		case len(a.data) < linkSizes[a.typ],
			a.typ == iflaIfname && len(a.text()) > 15,
			a.typ == iflaAddress && len(a.data) > 32:
			return h, nil, explain(errRange, policyMessage, a.off)
		}
	}
	tb = collect(body[ifinfomsgLen:], headerLen+ifinfomsgLen)
	for _, typ := range []uint16{iflaAltIfname, iflaIfname} {
		if a, ok := tb[typ]; ok {
			h.named, h.name = true, a.text()
		}
	}
	return h, tb, nil
}

// find returns the interface that a request is about, nil if there is none.
func (k *Kernel) find(h linkHeader) (*link, *bond.KernelError) {
	switch {
	case h.index > 0:
		return k.byIndex(h.index), nil
	case h.index < 0:
		return nil, explain(errInvalid, "ifindex can't be negative", 0)
	case h.named:
		return k.byName(h.name), nil
	}
	return nil, nil
}

// newLink carries out RTM_NEWLINK (rtnl_newlink of rtnetlink.c).
func (k *Kernel) newLink(req bond.Message) ([]bond.Message, *bond.KernelError) {
	h, tb, err := parseLink(req.Data)
	if err != nil {
		return nil, err
	}
	l, err := k.find(h)
	if err != nil {
		return nil, err
	}
	info := map[uint16]tlv{}
	if a, ok := tb[iflaLinkInfo]; ok {
		info = a.nest()
	}
	kind := info[infoKind].text()
	known := kind == "bond" && !k.noModule
	data, hasData := info[infoData]
	if known {
		if hasData {
			if err := k.checkPolicy(data, false); err != nil {
				return nil, err
			}
		}
		if a, ok := tb[iflaAddress]; ok {
			if len(a.data) != 6 {
				return nil, refuse(errInvalid)
			}
			if !validMAC(a.data) {
				return nil, refuse(syscall.EADDRNOTAVAIL)
			}
		}
	}
	slaveData, hasSlaveData := info[infoSlaveData]
	isSlave := l != nil && l.slave != nil
	if hasSlaveData && isSlave {
		if err := k.checkPolicy(slaveData, true); err != nil {
			return nil, err
		}
	}
	if l == nil {
		return k.create(req, h, tb, kind, data)
	}
	switch {
	case req.Flags&nlmExcl != 0:
		return nil, refuse(syscall.EEXIST)
	case req.Flags&nlmReplace != 0:
		return nil, refuse(errNotSupp)
	}
	changed := false
	if hasData {
		if !known || l.bond == nil {
			return nil, refuse(errNotSupp)
		}
		if err := k.changeBond(l, data); err != nil {
			return nil, err
		}
		changed = true
	}
	if hasSlaveData {
		if !isSlave {
			return nil, refuse(errNotSupp)
		}
		if err := k.changeSlave(l, slaveData); err != nil {
			return nil, err
		}
		changed = true
	}
	if err := k.configure(l, h, tb); err != nil {
		return nil, err
	}
	// netdev_state_change says nothing about an interface that is down.
	if changed && l.up {
		k.notify(l, eventNone)
	}
	return nil, nil
}

// setLink carries out RTM_SETLINK, which does not look at IFLA_LINKINFO.
func (k *Kernel) setLink(req bond.Message) *bond.KernelError {
	h, tb, err := parseLink(req.Data)
	if err != nil {
		return err
	}
	l, err := k.find(h)
	if err != nil {
		return err
	}
	if l == nil {
		return refuse(errNoDevice)
	}
	return k.configure(l, h, tb)
}

// create makes a bond or, for tests of both kernels, a dummy.
func (k *Kernel) create(req bond.Message, h linkHeader, tb map[uint16]tlv, kind string, data tlv) ([]bond.Message, *bond.KernelError) {
	if req.Flags&nlmCreate == 0 {
		return nil, refuse(errNoDevice)
	}
	if kind != "dummy" && (kind != "bond" || k.noModule) {
		return nil, explain(errNotSupp, "Unknown device type", 0)
	}
	name := h.name
	// A name may be a template.
	switch prefix, found := strings.CutSuffix(name, "%d"); {
	case name == "":
		name = k.freeName(kind)
	case found && !strings.Contains(prefix, "%"):
		name = k.freeName(prefix)
	case strings.Contains(name, "%"):
		return nil, refuse(errInvalid)
	}
	if !validName(name) {
		return nil, refuse(errInvalid)
	}
	l := &link{
		index: h.index, name: name, kind: kind, typ: arphrdEther, mtu: 1500, txQueues: 1, random: true,
		flags: iffBroadcast | iffNoARP, carrier: true, speed: 10000,
	}
	if kind == "bond" {
		l.txQueues, l.carrier = 16, false
		l.flags = iffBroadcast | iffMulticast | iffMaster
		l.bond = &bondState{num: k.defaults}
		l.bond.fixMode()
	}
	if a, ok := tb[iflaNumTxQ]; ok {
		l.txQueues = int(a.u32())
		if l.txQueues < 1 || l.txQueues > 4096 {
			return nil, explain(errInvalid, "Invalid number of transmit queues", 0)
		}
	}
	if a, ok := tb[iflaMTU]; ok {
		l.mtu = int(a.u32())
		if err := checkMTU(l.mtu); err != nil {
			return nil, err
		}
	}
	if a, ok := tb[iflaAddress]; ok {
		l.mac, l.random = net.HardwareAddr(slices.Clone(a.data)), false
	}
	if l.bond != nil {
		if err := k.changeBond(l, data); err != nil {
			return nil, err
		}
	}
	if k.byName(name) != nil {
		return nil, refuse(syscall.EEXIST)
	}
	if l.mac == nil {
		l.mac = k.randomMAC()
	}
	k.insert(l)
	if h.flags != 0 || h.change != 0 {
		l.up = h.wantUp(l)
		k.linkWatch(l)
	}
	k.notify(l, eventNone)
	var replies []bond.Message
	if req.Flags&nlmEcho != 0 && !k.release.older(Release612) {
		replies = []bond.Message{{Type: rtmNewLink, Data: k.appendLink(nil, l, eventNone, 0)}}
	}
	if a, ok := tb[iflaMaster]; ok {
		if err := k.setMaster(l, int(a.u32())); err != nil {
			k.remove(l)
			return nil, err
		}
	}
	return replies, nil
}

func (k *Kernel) freeName(prefix string) string {
	for i := range len(k.links) + 1 {
		if name := prefix + strconv.Itoa(i); k.byName(name) == nil {
			return name
		}
	}
	return ""
}

// wantUp reports whether an interface shall be up by the flags of a request.
func (h linkHeader) wantUp(l *link) bool {
	if h.change != 0 && h.change&bond.FlagUp == 0 {
		return l.up
	}
	return h.flags&bond.FlagUp != 0
}

// configure carries out what is no option of a bond (do_setlink of
// rtnetlink.c), in the kernel's order.
func (k *Kernel) configure(l *link, h linkHeader, tb map[uint16]tlv) *bond.KernelError {
	if a, ok := tb[iflaAddress]; ok {
		if err := k.setMAC(l, a.data); err != nil {
			return err
		}
	}
	if a, ok := tb[iflaMTU]; ok {
		if err := k.setMTU(l, int(int32(a.u32()))); err != nil {
			return err
		}
	}
	if a, ok := tb[iflaIfname]; ok && h.index > 0 && a.text() != "" {
		if err := k.rename(l, a.text()); err != nil {
			return err
		}
	}
	if h.flags != 0 || h.change != 0 {
		k.setUp(l, h.wantUp(l))
	}
	if a, ok := tb[iflaMaster]; ok {
		if err := k.setMaster(l, int(a.u32())); err != nil {
			return err
		}
	}
	if a, ok := tb[iflaCarrier]; ok {
		if l.kind != "dummy" {
			return refuse(errNotSupp)
		}
		k.setCable(l, a.data[0] != 0)
	}
	return nil
}

// delLink carries out RTM_DELLINK.
func (k *Kernel) delLink(req bond.Message) *bond.KernelError {
	h, _, err := parseLink(req.Data)
	if err != nil {
		return err
	}
	l, err := k.find(h)
	switch {
	case err != nil:
		return err
	case l == nil && h.index == 0 && !h.named:
		return refuse(errInvalid)
	case l == nil:
		return refuse(errNoDevice)
	case l.kind == "":
		return refuse(errNotSupp)
	}
	k.remove(l)
	return nil
}

// checkPolicy is what nla_validate does with bond_policy or bond_slave_policy of
// bond_netlink.c, before anything is changed.
func (k *Kernel) checkPolicy(data tlv, slave bool) *bond.KernelError {
	for a := range attrs(data.data, data.off+4) {
		info := optionOf(a.typ, slave).Info()
		// What a slave only tells is in no policy.
		if info.Name == "" || !k.Supports(info.Option) || slave && info.ReadOnly {
			continue
		}
		nested := info.Kind == bond.KindIPv4List || info.Kind == bond.KindIPv6List || info.Kind == bond.KindNested
		short := info.Kind != bond.KindMAC && len(a.data) < info.Size
		switch {
		case info.Kind == bond.KindMAC && !slave && len(a.data) > info.Size,
			short, nested && len(a.data) > 0 && len(a.data) < 4:
			return explain(errRange, policyMessage, a.off)
		}
		if info.Option == bond.OptionPeerNotifDelay && k.release.policyBoundsDelay() && number(&info, a.data) > info.Max {
			return explain(errRange, "integer out of range", a.off)
		}
	}
	return nil
}

// optionOf returns the option that an attribute is.
func optionOf(typ uint16, slave bool) bond.Option {
	const slaveOption = bond.OptionSlaveState - 1
	switch {
	case typ >= uint16(slaveOption):
		return 0
	case slave:
		return slaveOption + bond.Option(typ)
	}
	return bond.Option(typ)
}

func validMAC(mac []byte) bool {
	return len(mac) > 0 && mac[0]&1 == 0 && slices.ContainsFunc(mac, func(b byte) bool { return b != 0 })
}

func checkMTU(mtu int) *bond.KernelError {
	switch {
	case mtu < 68:
		return explain(errInvalid, "mtu less than device minimum", 0)
	case mtu > 65535:
		return explain(errInvalid, "mtu greater than device maximum", 0)
	}
	return nil
}
