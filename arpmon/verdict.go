// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

// Verdict is what became of one received frame. Every value but [Accepted] is a
// reason why the frame proved nothing, and has a counter a slave.
type Verdict uint8

// The verdicts, in the order in which a frame is judged: the first that applies
// counts. The zero value is Accepted.
const (
	// Accepted: a valid answer to an outstanding probe.
	Accepted Verdict = iota
	// RejectNoSlave: the slave is not known. Counted for the engine only.
	RejectNoSlave
	// RejectNoLink: the slave has no carrier; a frame that was under way.
	RejectNoLink
	// RejectOutgoing: a frame that this host sent.
	RejectOutgoing
	// RejectShort: fewer than the 42 bytes of an Ethernet ARP frame.
	RejectShort
	// RejectVLAN: on another VLAN than the target. A tag inside the frame
	// counts as another VLAN: it belongs in [Meta].
	RejectVLAN
	// RejectEtherType: not ARP (0x0806).
	RejectEtherType
	// RejectHardwareType: not ARP for Ethernet (1).
	RejectHardwareType
	// RejectProtocolType: not ARP for IPv4 (0x0800).
	RejectProtocolType
	// RejectLengths: address lengths other than 6 and 4.
	RejectLengths
	// RejectOpcode: not a reply. Requests of the target, gratuitous requests
	// and RFC 5227 probes end here.
	RejectOpcode
	// RejectDestination: neither sent to the probe's MAC address, nor broadcast
	// with the probe's MAC address as target hardware address.
	RejectDestination
	// RejectSender: the sender protocol address is no target of ours.
	RejectSender
	// RejectTargetMAC: the target hardware address is not the probe's.
	RejectTargetMAC
	// RejectTargetAddr: the target protocol address is not the sender address
	// that the probe had.
	RejectTargetAddr
	// RejectSenderMAC: the sender hardware address is zero, a multicast
	// address, or one of our own.
	RejectSenderMAC
	// RejectUnsolicited: a good answer, and no probe that it could answer.
	RejectUnsolicited
	// RejectLate: an answer to a probe that was already counted as missed.
	RejectLate
	// RejectDuplicate: a second answer to one probe, from the same address.
	RejectDuplicate
	// RejectConflict: a second answer to one probe, from another hardware
	// address: somebody else claims the target's address.
	RejectConflict

	verdicts = iota
)

// Verdicts is the number of values of [Verdict], for arrays indexed by it.
const Verdicts = verdicts

var verdictNames = []string{
	"accepted", "no-slave", "no-link", "outgoing", "short", "wrong-vlan", "wrong-ethertype", "wrong-hardware-type",
	"wrong-protocol-type", "wrong-lengths", "wrong-opcode", "wrong-destination", "wrong-sender", "wrong-target-mac",
	"wrong-target-address", "wrong-sender-mac", "unsolicited", "late", "duplicate", "conflict",
}

// String returns the verdict in lower case with dashes, such as "wrong-opcode".
func (v Verdict) String() string { return word(verdictNames, uint8(v), "verdict") }

// MarshalText implements [encoding.TextMarshaler].
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (v *Verdict) UnmarshalText(b []byte) error {
	return number(verdictNames, b, (*uint8)(v), "verdict")
}
