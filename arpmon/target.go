// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"net/netip"
	"strconv"
)

// A Target is an address that is asked whether it is there, and the VLAN it is
// asked on. It is comparable and may be a map key. The zero Target is not
// valid.
//
// Addresses of IPv4 without a VLAN tag work today. An IPv6 address or a VLAN tag
// is refused with an error matching [errors.ErrUnsupported].
type Target struct {
	// Addr is the address to ask for. It must be a unicast address, and not
	// 0.0.0.0, loopback, or the limited broadcast address. An IPv4 address
	// mapped into IPv6 is taken as the IPv4 address it means.
	Addr netip.Addr
	// VLANs are the tags of the frames, the outermost first. A zero VLAN ends
	// the list, so the zero value means untagged.
	VLANs [2]VLAN
}

// A VLAN is one VLAN tag. The zero VLAN means no tag.
type VLAN struct {
	// TPID is the EtherType of the tag: 0x8100 (IEEE 802.1Q) or 0x88a8 (IEEE
	// 802.1ad). Zero means 0x8100 where ID is set.
	TPID uint16
	// ID is the VLAN identifier, 1 to 4094.
	ID uint16
}

// IPv4 returns the untagged target with the given address. It is a shorthand
// for Target{Addr: addr}.
func IPv4(addr netip.Addr) Target { return Target{Addr: addr.Unmap()} }

// String returns the address, followed by the VLAN identifiers where there are
// any: "192.0.2.1" or "192.0.2.1 vlan 100.7".
func (t Target) String() string {
	s := t.Addr.String()
	if t.VLANs[0] != (VLAN{}) {
		s += " vlan " + strconv.Itoa(int(t.VLANs[0].ID))
		if t.VLANs[1] != (VLAN{}) {
			s += "." + strconv.Itoa(int(t.VLANs[1].ID))
		}
	}
	return s
}

// check says why the target cannot be used, or nil.
func (t Target) check() error {
	switch a := t.Addr.Unmap(); {
	case !a.IsValid():
		return ErrBadTarget
	case t.VLANs != [2]VLAN{}, a.Is6():
		return ErrUnsupportedTarget
	case a.IsUnspecified(), a.IsLoopback(), a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return ErrBadTarget
	}
	return nil
}
