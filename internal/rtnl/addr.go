// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Addr is an IP address of a link. It is comparable.
type Addr struct {
	// Link is the index of the link that has the address.
	Link int

	// Addr is the host's own address.
	Addr netip.Addr

	// Bits is the length of the prefix.
	Bits int

	// Scope is the kernel's number: 0 global, 253 link, 254 host.
	Scope uint8
}

const (
	ifaAddress = 1
	ifaLocal   = 2

	addrHeaderLen = 8
	familyIPv4    = 2
	familyIPv6    = 10
)

// ParseAddr decodes the body (what follows the netlink header) of an
// RTM_NEWADDR message. It returns ok false and no error for an address family
// other than IPv4 and IPv6. An error matches [ErrMalformed].
func ParseAddr(body []byte) (a Addr, ok bool, err error) {
	if len(body) < addrHeaderLen {
		return Addr{}, false, fmt.Errorf("%w: %d bytes, want at least %d", ErrMalformed, len(body), addrHeaderLen)
	}
	family := body[0]
	a.Bits = int(body[1])
	a.Scope = body[3]
	a.Link = int(int32(binary.NativeEndian.Uint32(body[4:])))

	var size int
	switch family {
	case familyIPv4:
		size = 4
	case familyIPv6:
		size = 16
	default:
		return Addr{}, false, nil
	}
	// On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is
	// ours wherever it is sent.
	var address, local netip.Addr
	err = eachAttribute(body[addrHeaderLen:], func(at attribute) error {
		to := &address
		switch at.typ {
		case ifaAddress:
		case ifaLocal:
			to = &local
		default:
			return nil
		}
		if err := at.size(size); err != nil {
			return err
		}
		*to, _ = netip.AddrFromSlice(at.data)
		return nil
	})
	if err != nil {
		return Addr{}, false, err
	}
	a.Addr = address
	if local.IsValid() {
		a.Addr = local
	}
	if !a.Addr.IsValid() || a.Bits > a.Addr.BitLen() {
		return Addr{}, false, fmt.Errorf("%w: address %v with a prefix of %d bits", ErrMalformed, a.Addr, a.Bits)
	}
	return a, true, nil
}
