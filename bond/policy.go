// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// XmitHashPolicy says what of a packet chooses the slave that sends it, the
// option "xmit_hash_policy". It acts in balance-xor, 802.3ad and balance-tlb.
// The zero value is the kernel's default.
type XmitHashPolicy uint8

// The policies, numbered as BOND_XMIT_POLICY_ in <linux/if_bonding.h>.
const (
	// XmitHashLayer2 hashes MAC addresses and packet type.
	XmitHashLayer2 XmitHashPolicy = iota
	// XmitHashLayer34 hashes IP addresses and ports, which is not conformant to
	// 802.3ad.
	XmitHashLayer34
	// XmitHashLayer23 hashes MAC and IP addresses.
	XmitHashLayer23
	// XmitHashEncap23 is XmitHashLayer23 of what is inside a tunnel.
	XmitHashEncap23
	// XmitHashEncap34 is XmitHashLayer34 of what is inside a tunnel.
	XmitHashEncap34
	// XmitHashVLANSrcMAC hashes the VLAN and the source MAC address (since 5.12).
	XmitHashVLANSrcMAC
)

var xmitHashPolicyWords = []string{"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"}

// String returns the kernel's word, such as "layer3+4", or xmit_hash_policy(N).
func (p XmitHashPolicy) String() string {
	return enumString("xmit_hash_policy", xmitHashPolicyWords, p)
}

// ParseXmitHashPolicy reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseXmitHashPolicy(s string) (XmitHashPolicy, error) {
	return enumParse[XmitHashPolicy]("xmit_hash_policy", xmitHashPolicyWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (p XmitHashPolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseXmitHashPolicy].
func (p *XmitHashPolicy) UnmarshalText(text []byte) error {
	return enumUnmarshal(p, text, ParseXmitHashPolicy)
}

// PrimaryReselect says when the primary slave becomes active again after a
// failure, the option "primary_reselect". The zero value is the kernel's default.
type PrimaryReselect uint8

// The policies, numbered as BOND_PRI_RESELECT_ in <net/bonding.h>.
const (
	// PrimaryReselectAlways: as soon as it is back.
	PrimaryReselectAlways PrimaryReselect = iota
	// PrimaryReselectBetter: when it is back and faster than the active slave.
	PrimaryReselectBetter
	// PrimaryReselectFailure: when the active slave fails.
	PrimaryReselectFailure
)

var primaryReselectWords = []string{"always", "better", "failure"}

// String returns the kernel's word, such as "better", or primary_reselect(N).
func (p PrimaryReselect) String() string {
	return enumString("primary_reselect", primaryReselectWords, p)
}

// ParsePrimaryReselect reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParsePrimaryReselect(s string) (PrimaryReselect, error) {
	return enumParse[PrimaryReselect]("primary_reselect", primaryReselectWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (p PrimaryReselect) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParsePrimaryReselect].
func (p *PrimaryReselect) UnmarshalText(text []byte) error {
	return enumUnmarshal(p, text, ParsePrimaryReselect)
}

// FailOverMAC says which MAC addresses the slaves of an active-backup bond
// have, the option "fail_over_mac". The zero value is the kernel's default.
type FailOverMAC uint8

// The policies, numbered as BOND_FOM_ in <net/bonding.h>.
const (
	// FailOverMACNone gives all slaves the MAC address of the bond.
	FailOverMACNone FailOverMAC = iota
	// FailOverMACActive gives the bond the MAC address of its active slave.
	FailOverMACActive
	// FailOverMACFollow gives the active slave the MAC address of the bond.
	FailOverMACFollow
)

var failOverMACWords = []string{"none", "active", "follow"}

// String returns the kernel's word, such as "active", or fail_over_mac(N).
func (f FailOverMAC) String() string { return enumString("fail_over_mac", failOverMACWords, f) }

// ParseFailOverMAC reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseFailOverMAC(s string) (FailOverMAC, error) {
	return enumParse[FailOverMAC]("fail_over_mac", failOverMACWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (f FailOverMAC) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseFailOverMAC].
func (f *FailOverMAC) UnmarshalText(text []byte) error {
	return enumUnmarshal(f, text, ParseFailOverMAC)
}
