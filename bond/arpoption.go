// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// ARPValidate says which slaves' ARP and ND the kernel's ARP monitor checks, the
// option "arp_validate". The zero value believes any packet, and is the kernel's default.
type ARPValidate uint32

// The values, numbered as BOND_ARP_VALIDATE_ in <net/bonding.h>.
const (
	// ARPValidateNone believes any packet on any slave.
	ARPValidateNone ARPValidate = iota
	// ARPValidateActive checks on the active slave.
	ARPValidateActive
	// ARPValidateBackup checks on the backup slaves.
	ARPValidateBackup
	// ARPValidateAll checks on every slave.
	ARPValidateAll
	// ARPValidateFilter ignores what is not ARP, on every slave, and believes any ARP.
	ARPValidateFilter
	// ARPValidateFilterActive filters, and checks on the active slave.
	ARPValidateFilterActive
	// ARPValidateFilterBackup filters, and checks on the backup slaves.
	ARPValidateFilterBackup
)

var arpValidateWords = []string{"none", "active", "backup", "all", "filter", "filter_active", "filter_backup"}

// String returns the kernel's word, such as "active", or arp_validate(N).
func (v ARPValidate) String() string { return enumString("arp_validate", arpValidateWords, v) }

// ParseARPValidate reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseARPValidate(s string) (ARPValidate, error) {
	return enumParse[ARPValidate]("arp_validate", arpValidateWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (v ARPValidate) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseARPValidate].
func (v *ARPValidate) UnmarshalText(text []byte) error {
	return enumUnmarshal(v, text, ParseARPValidate)
}

// ARPAllTargets says how many targets must answer for a slave to be up, the
// option "arp_all_targets". The zero value is the kernel's default.
type ARPAllTargets uint32

// The values, numbered as BOND_ARP_TARGETS_ in <net/bonding.h>.
const (
	// ARPAllTargetsAny: one is enough.
	ARPAllTargetsAny ARPAllTargets = iota
	// ARPAllTargetsAll: every one must.
	ARPAllTargetsAll
)

var arpAllTargetsWords = []string{"any", "all"}

// String returns the kernel's word, such as "all", or arp_all_targets(N).
func (t ARPAllTargets) String() string { return enumString("arp_all_targets", arpAllTargetsWords, t) }

// ParseARPAllTargets reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseARPAllTargets(s string) (ARPAllTargets, error) {
	return enumParse[ARPAllTargets]("arp_all_targets", arpAllTargetsWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (t ARPAllTargets) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseARPAllTargets].
func (t *ARPAllTargets) UnmarshalText(text []byte) error {
	return enumUnmarshal(t, text, ParseARPAllTargets)
}
