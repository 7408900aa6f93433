// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import (
	"encoding/binary"
	"net/netip"

	"github.com/bondkit/bondkit/arpmon"
)

// Broadcast is the Ethernet address of everybody.
var Broadcast = arpmon.MAC{255, 255, 255, 255, 255, 255}

// The operations of an [ARP].
const (
	Request = 1
	Reply   = 2
)

// An ARP is an ARP frame for IPv4 over Ethernet (RFC 826) with every field free,
// to make right and wrong ones.
type ARP struct {
	// Dst and Src are the addresses in the Ethernet header.
	Dst, Src arpmon.MAC
	// VLAN is the tag; the zero VLAN means none.
	VLAN arpmon.VLAN
	// Op is the operation.
	Op uint16
	// SHA, SPA, THA and TPA are the sender's and the target's hardware and
	// protocol addresses. A zero netip.Addr means 0.0.0.0.
	SHA arpmon.MAC
	SPA netip.Addr
	THA arpmon.MAC
	TPA netip.Addr
}

// Frame returns the bytes, padded to 60, or 64 with a tag.
func (a ARP) Frame() []byte {
	b := make([]byte, 60)
	copy(b[0:], a.Dst[:])
	copy(b[6:], a.Src[:])
	copy(b[12:], []byte{0x08, 0x06, 0, 1, 0x08, 0, 6, 4})
	binary.BigEndian.PutUint16(b[20:], a.Op)
	copy(b[22:], a.SHA[:])
	putAddr(b[28:], a.SPA)
	copy(b[32:], a.THA[:])
	putAddr(b[38:], a.TPA)
	if a.VLAN != (arpmon.VLAN{}) {
		b = addTag(b, a.VLAN)
	}
	return b
}

// ParseARP reads an ARP frame with at most one VLAN tag, and reports whether it
// is one for IPv4 over Ethernet.
func ParseARP(b []byte) (a ARP, ok bool) {
	if id, tagged := vlanOf(b); tagged {
		a.VLAN = arpmon.VLAN{TPID: 0x8100, ID: id}
		b = untag(b)
	}
	if len(b) < 42 || binary.BigEndian.Uint64(b[12:]) != 0x0806_0001_0800_0604 {
		return ARP{}, false
	}
	a.Dst, a.Src = arpmon.MAC(b[0:6]), arpmon.MAC(b[6:12])
	a.Op = binary.BigEndian.Uint16(b[20:])
	a.SHA, a.THA = arpmon.MAC(b[22:28]), arpmon.MAC(b[32:38])
	a.SPA, a.TPA = netip.AddrFrom4([4]byte(b[28:32])), netip.AddrFrom4([4]byte(b[38:42]))
	return a, true
}

// Frame returns a frame that is not ARP, such as those of LLDP (EtherType
// 0x88cc, to 01:80:c2:00:00:0e).
func Frame(dst, src arpmon.MAC, etherType uint16, payload []byte) []byte {
	b := make([]byte, 14, 60)
	copy(b[0:], dst[:])
	copy(b[6:], src[:])
	binary.BigEndian.PutUint16(b[12:], etherType)
	b = append(b, payload...)
	for len(b) < 60 {
		b = append(b, 0)
	}
	return b
}

func putAddr(b []byte, a netip.Addr) {
	if a.IsValid() {
		v := a.Unmap().As4()
		copy(b, v[:])
	}
}

// addTag returns a copy of a frame with a VLAN tag in front of what it has.
func addTag(b []byte, v arpmon.VLAN) []byte {
	t := make([]byte, 0, len(b)+4)
	t = append(t, b[:12]...)
	if v.TPID == 0 {
		v.TPID = 0x8100
	}
	t = binary.BigEndian.AppendUint16(t, v.TPID)
	t = binary.BigEndian.AppendUint16(t, v.ID)
	return append(t, b[12:]...)
}

// untag returns a copy of a frame without its outer tag.
func untag(b []byte) []byte {
	u := make([]byte, 0, len(b)-4)
	u = append(u, b[:12]...)
	return append(u, b[16:]...)
}
