// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// SlaveState says whether a slave carries traffic. The zero value is the first
// state.
type SlaveState uint8

// The states, numbered as BOND_STATE_ in <linux/if_bonding.h>.
const (
	// SlaveActive: it does.
	SlaveActive SlaveState = iota
	// SlaveBackup: it does not.
	SlaveBackup
)

var slaveStateWords = []string{"active", "backup"}

// String returns the kernel's word, such as "backup", or state(N).
func (s SlaveState) String() string { return enumString("state", slaveStateWords, s) }

// ParseSlaveState reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseSlaveState(s string) (SlaveState, error) {
	return enumParse[SlaveState]("state", slaveStateWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (s SlaveState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseSlaveState].
func (s *SlaveState) UnmarshalText(text []byte) error { return enumUnmarshal(s, text, ParseSlaveState) }

// MIIStatus is the verdict of the kernel's link monitor, MII or ARP, about one
// slave. The zero value is the first state.
type MIIStatus uint8

// The states, numbered as BOND_LINK_ in <linux/if_bonding.h>.
const (
	// MIIUp: the link is up.
	MIIUp MIIStatus = iota
	// MIIGoingDown: it has failed, and downdelay has not passed (BOND_LINK_FAIL).
	MIIGoingDown
	// MIIDown: the link is down.
	MIIDown
	// MIIGoingBack: it is back, and updelay has not passed (BOND_LINK_BACK).
	MIIGoingBack
)

var miiStatusWords = []string{"up", "going-down", "down", "going-back"}

// String returns the kernel's word, such as "going-down", or mii_status(N).
func (m MIIStatus) String() string { return enumString("mii_status", miiStatusWords, m) }

// ParseMIIStatus reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseMIIStatus(s string) (MIIStatus, error) {
	return enumParse[MIIStatus]("mii_status", miiStatusWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (m MIIStatus) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseMIIStatus].
func (m *MIIStatus) UnmarshalText(text []byte) error { return enumUnmarshal(m, text, ParseMIIStatus) }

// OperState is the operational state of an interface, RFC 2863. The zero value is
// unknown, which is what many virtual interfaces say while they work.
type OperState uint8

// The states, numbered as IF_OPER_ in <linux/if.h>.
const (
	// OperUnknown: the driver does not say.
	OperUnknown OperState = iota
	// OperNotPresent: some part is missing.
	OperNotPresent
	// OperDown: the interface cannot pass packets.
	OperDown
	// OperLowerLayerDown: because of an interface below it.
	OperLowerLayerDown
	// OperTesting: it is in a test mode.
	OperTesting
	// OperDormant: it waits for something outside, such as 802.1X.
	OperDormant
	// OperUp: it can pass packets.
	OperUp
)

var operStateWords = []string{"unknown", "not-present", "down", "lower-layer-down", "testing", "dormant", "up"}

// String returns the kernel's word, such as "not-present", or operstate(N).
func (o OperState) String() string { return enumString("operstate", operStateWords, o) }

// ParseOperState reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseOperState(s string) (OperState, error) {
	return enumParse[OperState]("operstate", operStateWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (o OperState) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseOperState].
func (o *OperState) UnmarshalText(text []byte) error { return enumUnmarshal(o, text, ParseOperState) }
