// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// EtherTypes the lab knows.
const (
	etherTypeARP  = 0x0806
	etherTypeVLAN = 0x8100
	etherTypeLLDP = 0x88cc
)

// ARP opcodes.
const (
	OpRequest = 1
	OpReply   = 2
)

// minFrame is the length of the shortest Ethernet frame without its checksum.
const minFrame = 60

// MAC is a MAC address as a comparable value.
type MAC [6]byte

// String returns the usual form, 02:bd:00:00:00:01.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// Broadcast is the MAC address of everybody.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// toMAC converts an address of any length: what is missing is zero.
func toMAC(a net.HardwareAddr) (m MAC) {
	copy(m[:], a)
	return m
}

// ARP is one ARP frame with all its fields. The fields are not checked, so that
// wrong frames can be built too; [NewARP] fills in the usual ones.
type ARP struct {
	Dst, Src              MAC    // Ethernet addresses
	VLAN                  uint16 // VLAN ID of an 802.1Q tag, 0 for no tag
	HardwareType, Proto   uint16
	HardwareLen, ProtoLen uint8
	Op                    uint16
	SHA                   MAC        // sender hardware address
	SPA                   netip.Addr // sender protocol address, IPv4; the zero Addr is 0.0.0.0
	THA                   MAC
	TPA                   netip.Addr
}

// NewARP returns a frame for IPv4 over Ethernet from src to dst, whose sender
// hardware address is src as well.
func NewARP(op uint16, dst, src MAC) ARP {
	return ARP{
		Dst: dst, Src: src,
		HardwareType: 1, Proto: 0x0800, HardwareLen: 6, ProtoLen: 4,
		Op: op, SHA: src,
	}
}

// AppendFrame appends the frame to b, padded to the least length of a frame (60
// bytes, 64 with a tag), and returns the extended slice.
func (a *ARP) AppendFrame(b []byte) []byte {
	start := len(b)
	b = append(b, a.Dst[:]...)
	b = append(b, a.Src[:]...)
	pad := minFrame
	if a.VLAN != 0 {
		b = binary.BigEndian.AppendUint16(b, etherTypeVLAN)
		b = binary.BigEndian.AppendUint16(b, a.VLAN)
		pad += 4
	}
	b = binary.BigEndian.AppendUint16(b, etherTypeARP)
	b = binary.BigEndian.AppendUint16(b, a.HardwareType)
	b = binary.BigEndian.AppendUint16(b, a.Proto)
	b = append(b, a.HardwareLen, a.ProtoLen)
	b = binary.BigEndian.AppendUint16(b, a.Op)
	b = append(b, a.SHA[:]...)
	b = appendIPv4(b, a.SPA)
	b = append(b, a.THA[:]...)
	b = appendIPv4(b, a.TPA)
	for len(b)-start < pad {
		b = append(b, 0)
	}
	return b
}

func appendIPv4(b []byte, a netip.Addr) []byte {
	if !a.Is4() {
		return append(b, 0, 0, 0, 0)
	}
	v := a.As4()
	return append(b, v[:]...)
}

// ParseARP reads an ARP frame, with or without an 802.1Q tag. It reports false
// for a frame that is shorter than an ARP frame or of another EtherType, and
// checks nothing else. A frame that arrived over a packet socket has lost its
// tag; see [Frame].
func ParseARP(frame []byte) (ARP, bool) {
	var a ARP
	if len(frame) < 14 {
		return a, false
	}
	copy(a.Dst[:], frame)
	copy(a.Src[:], frame[6:])
	etherType, body := binary.BigEndian.Uint16(frame[12:]), frame[14:]
	if etherType == etherTypeVLAN && len(body) >= 4 {
		a.VLAN = binary.BigEndian.Uint16(body) & 0x0fff
		etherType, body = binary.BigEndian.Uint16(body[2:]), body[4:]
	}
	if etherType != etherTypeARP || len(body) < 28 {
		return ARP{}, false
	}
	a.HardwareType = binary.BigEndian.Uint16(body)
	a.Proto = binary.BigEndian.Uint16(body[2:])
	a.HardwareLen, a.ProtoLen = body[4], body[5]
	a.Op = binary.BigEndian.Uint16(body[6:])
	copy(a.SHA[:], body[8:])
	a.SPA = netip.AddrFrom4([4]byte(body[14:18]))
	copy(a.THA[:], body[18:])
	a.TPA = netip.AddrFrom4([4]byte(body[24:28]))
	return a, true
}

// lldpFrame returns a small valid LLDP frame of a switch.
func lldpFrame(src MAC) []byte {
	b := append([]byte{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}, src[:]...)
	b = binary.BigEndian.AppendUint16(b, etherTypeLLDP)
	b = append(b, 0x02, 7, 4) // chassis ID, a MAC address
	b = append(b, src[:]...)
	b = append(b, 0x04, 7, 3) // port ID, a MAC address
	b = append(b, src[:]...)
	b = append(b, 0x06, 2, 0, 120) // time to live
	b = append(b, 0, 0)            // end
	return append(b, make([]byte, minFrame-len(b))...)
}

// bpduFrame returns a configuration BPDU of the spanning tree protocol, from a
// bridge that takes itself for the root.
func bpduFrame(src MAC) []byte {
	id := append([]byte{0x80, 0x00}, src[:]...)
	b := append([]byte{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00}, src[:]...)
	b = append(b, 0, 38, 0x42, 0x42, 0x03) // length, LLC header
	b = append(b, 0, 0, 0, 0, 0)           // protocol, version, type, flags
	b = append(b, id...)                   // root
	b = append(b, 0, 0, 0, 0)              // cost
	b = append(b, id...)                   // bridge
	b = append(b, 0x80, 0x01)              // port
	b = append(b, 0, 0, 20, 0, 2, 0, 15, 0)
	return append(b, make([]byte, minFrame-len(b))...)
}
