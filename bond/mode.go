// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import "slices"

// Mode is the bonding policy, the option "mode". The zero Mode is
// [ModeBalanceRR], the kernel's default.
type Mode uint8

// The modes, numbered as BOND_MODE_ in <linux/if_bonding.h>.
const (
	// ModeBalanceRR sends over the slaves in turn.
	ModeBalanceRR Mode = iota
	// ModeActiveBackup uses one slave, and another one when it fails.
	ModeActiveBackup
	// ModeBalanceXOR chooses the slave by a hash of the packet; see
	// [XmitHashPolicy].
	ModeBalanceXOR
	// ModeBroadcast sends everything over every slave.
	ModeBroadcast
	// Mode8023AD is LACP, IEEE 802.3ad and 802.1AX.
	Mode8023AD
	// ModeBalanceTLB balances what is sent, by the load of the slaves.
	ModeBalanceTLB
	// ModeBalanceALB balances what is received too, by ARP.
	ModeBalanceALB
)

var modeWords = []string{"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"}

// String returns the kernel's word, such as "active-backup", or mode(N).
func (m Mode) String() string { return enumString("mode", modeWords, m) }

// ParseMode reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseMode(s string) (Mode, error) {
	return enumParse[Mode]("mode", modeWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseMode].
func (m *Mode) UnmarshalText(text []byte) error { return enumUnmarshal(m, text, ParseMode) }

// HasActive reports whether bonds of the mode have one active slave, and so
// take the options active_slave and primary: active-backup, balance-tlb and
// balance-alb (bond_uses_primary of <net/bonding.h>).
func (m Mode) HasActive() bool {
	return m == ModeActiveBackup || m == ModeBalanceTLB || m == ModeBalanceALB
}

// ModeSet is a set of modes: mode m is in it if bit 1<<m is set. The zero
// ModeSet is empty.
type ModeSet uint16

// AllModes are the modes known here.
const AllModes ModeSet = 1<<7 - 1

// Modes returns the set of the modes given.
func Modes(modes ...Mode) ModeSet {
	var s ModeSet
	for _, m := range modes {
		if m < 16 {
			s |= 1 << m
		}
	}
	return s
}

// Has reports whether m is in the set.
func (s ModeSet) Has(m Mode) bool { return m < 16 && s&(1<<m) != 0 }

// All returns the modes of the set in ascending order.
func (s ModeSet) All() []Mode {
	var modes []Mode
	for m := range Mode(16) {
		if s.Has(m) {
			modes = append(modes, m)
		}
	}
	return slices.Clip(modes)
}

// String returns the modes with commas between them, "all" for AllModes and
// "none" for the empty set.
func (s ModeSet) String() string {
	if s == AllModes {
		return "all"
	}
	if s == 0 {
		return "none"
	}
	var b []byte
	for i, m := range s.All() {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, m.String()...)
	}
	return string(b)
}
