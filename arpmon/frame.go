// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"encoding/binary"
	"net/netip"
)

// Sizes of frames.
const (
	// ProbeLen is the length of a probe: the shortest Ethernet frame, without
	// its checksum. The 42 bytes of ARP are padded with zeros, because some
	// virtual devices do not pad.
	ProbeLen = 60

	arpLen = 42
)

// A MAC is an Ethernet address. It is comparable; the zero value means none.
type MAC [6]byte

// String returns the address as six hexadecimal bytes with colons.
func (m MAC) String() string {
	const hex = "0123456789abcdef"
	var b [17]byte
	for i, v := range m {
		if i > 0 {
			b[i*3-1] = ':'
		}
		b[i*3], b[i*3+1] = hex[v>>4], hex[v&15]
	}
	return string(b[:])
}

// MarshalText implements [encoding.TextMarshaler].
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// An Identity is who a slave's probes say they are from.
//
// Probes must not carry the bond's MAC address from a backup slave, nor any
// address of the host with a MAC address that is not the host's: either one
// diverts the host's traffic. The engine cannot know this; [Monitor] checks
// it. The safe choice is a MAC address that no other interface has, and the
// sender address 0.0.0.0 of RFC 5227 section 2.1.1.
type Identity struct {
	// MAC is the Ethernet source and the sender hardware address. It must be
	// a unicast address, and no other slave may probe with the same one.
	MAC MAC
	// Addr is the sender protocol address. The zero Addr means 0.0.0.0.
	Addr netip.Addr
}

// Meta is what the kernel says of a received frame beside its bytes. The zero
// Meta is right for an untagged frame from the wire.
type Meta struct {
	// VLAN is the tag that was removed from the frame (tp_vlan_tci and
	// tp_vlan_tpid of PACKET_AUXDATA); the zero VLAN means none. The identifier
	// 0, a priority tag, counts as untagged.
	VLAN VLAN
	// Outgoing marks a frame that this host sent (PACKET_OUTGOING).
	Outgoing bool
}

var broadcast = MAC{255, 255, 255, 255, 255, 255}

// putProbe writes an ARP request (RFC 826) for dst into b. The target hardware
// address is zero, as RFC 5227 section 2.1.1 asks.
func putProbe(b *[ProbeLen]byte, to, from MAC, spa, tpa uint32) {
	*b = [ProbeLen]byte{12: 0x08, 13: 0x06, 15: 1, 16: 0x08, 18: 6, 19: 4, 21: 1}
	copy(b[0:6], to[:])
	copy(b[6:12], from[:])
	copy(b[22:28], from[:])
	binary.BigEndian.PutUint32(b[28:], spa)
	binary.BigEndian.PutUint32(b[38:], tpa)
}

// key returns the address as a number, to compare and hash it at once.
func (m MAC) key() uint64 {
	return uint64(m[0])<<40 | uint64(m[1])<<32 | uint64(m[2])<<24 | uint64(m[3])<<16 | uint64(m[4])<<8 | uint64(m[5])
}

// macAt reads the MAC address at b[0:6] as MAC.key does.
func macAt(b []byte) uint64 {
	_ = b[5]
	return uint64(binary.BigEndian.Uint32(b))<<16 | uint64(binary.BigEndian.Uint16(b[4:]))
}

const (
	macBroadcast = 1<<48 - 1
	macMulticast = 1 << 40 // the group bit: the lowest bit of the first byte
	// arpHead is EtherType, hardware type, protocol type and the lengths of an
	// Ethernet/IPv4 ARP frame: bytes 12 to 19.
	arpHead = 0x0806_0001_0800_0604
)

// headVerdict says which field of bytes 12 to 19 is wrong.
func headVerdict(head uint64) Verdict {
	switch et := uint16(head >> 48); {
	case et == 0x8100, et == 0x88a8:
		return RejectVLAN
	case et != 0x0806:
		return RejectEtherType
	case uint16(head>>32) != 1:
		return RejectHardwareType
	case uint16(head>>16) != 0x0800:
		return RejectProtocolType
	}
	return RejectLengths
}

// ipv4 returns the address as a number; 0 for the zero Addr.
func ipv4(a netip.Addr) uint32 {
	if !a.IsValid() {
		return 0
	}
	b := a.Unmap().As4()
	return binary.BigEndian.Uint32(b[:])
}
