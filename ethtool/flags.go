// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import "time"

// Flag is one private flag of a driver.
type Flag struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
}

// Flags are the private flags of an interface, in the driver's order.
type Flags []Flag

// Get returns whether the flag of that name is on. ok is false where there is none.
func (f Flags) Get(name string) (on, ok bool) {
	for _, flag := range f {
		if flag.Name == name {
			return flag.On, true
		}
	}
	return false, false
}

// Via is the way on which a change was made.
type Via uint8

// The ways. The zero Via means that nothing had to be changed.
const (
	ViaNetlink Via = iota + 1
	ViaIoctl
)

var viaWords = words[Via]{"via", map[Via]string{0: "none", ViaNetlink: "netlink", ViaIoctl: "ioctl"}}

// String returns "netlink", "ioctl", or "none".
func (v Via) String() string { return viaWords.text(v) }

// MarshalText returns the String.
func (v Via) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText returns. The error matches ErrBadValue.
func (v *Via) UnmarshalText(text []byte) error { return viaWords.read(v, text) }

// Control is the kind of setting by which source pruning, or anything else here, is changed.
type Control uint8

// The kinds of setting. The zero Control is none: nothing on this machine changes it.
const (
	// ControlPrivateFlag is a private flag of the driver.
	ControlPrivateFlag Control = iota + 1
	// ControlBridgeMode is the mode of the bridge in the NIC (IFLA_BRIDGE_MODE): veb or vepa.
	ControlBridgeMode
	// ControlFeature is a feature of the interface (ethtool -K).
	ControlFeature
	// ControlMacvlanMode is the mode of a macvlan interface.
	ControlMacvlanMode
	// ControlHost is the other side of a virtual function: the administrator of the
	// physical function or of the hypervisor.
	ControlHost
)

var controlWords = words[Control]{"control", map[Control]string{
	0: "none", ControlPrivateFlag: "private-flag", ControlBridgeMode: "bridge-mode", ControlFeature: "feature",
	ControlMacvlanMode: "macvlan-mode", ControlHost: "host",
}}

// String returns "none", "private-flag", "bridge-mode", "feature", "macvlan-mode" or
// "host".
func (c Control) String() string { return controlWords.text(c) }

// MarshalText returns the String.
func (c Control) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText returns. The error matches ErrBadValue.
func (c *Control) UnmarshalText(text []byte) error { return controlWords.read(c, text) }

// Change is what was done to a setting.
type Change struct {
	Link Link `json:"link"`
	// Control is the kind of setting, and Name which one: the private flag or the feature.
	Control Control `json:"control"`
	Name    string  `json:"name,omitzero"`
	// Before and After are its values, "on" and "off" for flags and features, the
	// kernel's words for modes. They are equal where nothing had to be done.
	Before string `json:"before"`
	After  string `json:"after"`
	// Changed says that the kernel was asked to change it, and Verified that it was
	// read and was as wanted, which it is also where nothing had to be done.
	Changed  bool `json:"changed"`
	Verified bool `json:"verified"`
	Via      Via  `json:"via,omitzero"`
	// Took is how long the kernel took to change it.
	Took time.Duration `json:"took_ns,omitzero"`
	// CarrierChanges is how often the carrier went and came until the value was read
	// back: 2 for a driver that resets the port and waits until that is done, and 1
	// where the carrier comes back later.
	CarrierChanges int `json:"carrier_changes,omitzero"`
}
