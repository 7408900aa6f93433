// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

// PruningState says whether an interface drops what it receives from its own MAC
// address.
type PruningState uint8

// The states.
const (
	// PruningUnknown: nothing is known about the driver, or the setting that
	// decides cannot be read.
	PruningUnknown PruningState = iota
	// Prunes: broadcasts from the interface's own MAC address are dropped.
	Prunes
	// Delivers: they are received like others.
	Delivers
)

var pruningStateWords = words[PruningState]{"state", map[PruningState]string{
	PruningUnknown: "unknown", Prunes: "prunes", Delivers: "delivers",
}}

// String returns "unknown", "prunes" or "delivers".
func (s PruningState) String() string { return pruningStateWords.text(s) }

// MarshalText returns the word of String.
func (s PruningState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes. Other text is an error that matches
// ErrBadValue.
func (s *PruningState) UnmarshalText(text []byte) error {
	return pruningStateWords.read(s, text)
}

// Evidence is what a verdict about source pruning rests on.
type Evidence uint8

// The kinds of evidence, the weakest first.
const (
	// EvidenceNone: there is none.
	EvidenceNone Evidence = iota
	// EvidenceDriver is what the driver's source says of all its devices.
	EvidenceDriver
	// EvidenceSetting is a setting that was read: a flag, a mode. It says what was
	// asked for. After a reset some drivers do not do it again (ice out-of-tree).
	EvidenceSetting
)

var evidenceWords = words[Evidence]{"evidence", map[Evidence]string{
	EvidenceNone: "none", EvidenceDriver: "driver", EvidenceSetting: "setting",
}}

// String returns "none", "driver" or "setting".
func (e Evidence) String() string { return evidenceWords.text(e) }

// MarshalText returns the word of String.
func (e Evidence) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText writes. Other text is an error that matches
// ErrBadValue.
func (e *Evidence) UnmarshalText(text []byte) error {
	return evidenceWords.read(e, text)
}

// Workaround is something else to do about source pruning.
type Workaround uint8

// The workarounds. None of them makes the NIC deliver, except UpdateDriver,
// OutOfTreeDriver, HostTrust and MacvlanPrivate.
const (
	// FailOverMACActive: set fail_over_mac=active on the bond, while it has no slaves. They keep
	// their own MAC addresses then, so that what the active slave broadcasts does not come
	// from the address of the backup, and nothing is pruned. It is what the kernel
	// recommends for such devices (Documentation/networking/bonding.rst, fail_over_mac).
	// At a failover the MAC address of the bond changes, and the kernel announces it with gratuitous
	// ARP. For mode active-backup only; fail_over_mac=follow helps too.
	FailOverMACActive Workaround = iota + 1
	// ARPValidateActive: set arp_validate=active, so that the kernel asks the active
	// slave only for proof. It then takes any ARP on a backup for a sign of life, so
	// that backups need another watch (package arpmon).
	ARPValidateActive
	// AllSlavesActive: set all_slaves_active=1 on the bond. It does nothing about source pruning,
	// but mlx5 with VF LAG drops everything that a backup receives while the bond has an
	// inactive slave, which looks the same, and with it the bond has none
	// (drivers/net/ethernet/mellanox/mlx5/core/lag/lag.c). Duplicates may be delivered.
	AllSlavesActive
	// MIIMonitor: use miimon instead of arp_interval, so that the kernel watches the carrier only,
	// and package arpmon beside it for whether packets pass. Its probes have another source
	// than the bond and come back by unicast, so that pruning does not touch them.
	MIIMonitor
	// HostTrust: ask the administrator of the physical function for vf-source-pruning off (a
	// private flag of the vendor's i40e and ice), trust on and spoofchk off
	// for the virtual function (ip link set dev PF vf N trust on spoofchk off).
	HostTrust
	// OutOfTreeDriver: use the vendor's driver, which has a flag for it: ice 2.3.10 and newer.
	OutOfTreeDriver
	// UpdateDriver: use a newer kernel or driver, which has the flag.
	UpdateDriver
	// MacvlanPrivate: make the macvlan interface one of mode private
	// (ip link set dev NAME type macvlan mode private), with the interface up and a slave as it is.
	// Interfaces of that mode on one device do not reach one another.
	MacvlanPrivate
)

var workaroundWords = words[Workaround]{"workaround", map[Workaround]string{
	FailOverMACActive: "fail_over_mac=active", ARPValidateActive: "arp_validate=active", AllSlavesActive: "all_slaves_active=1",
	MIIMonitor: "miimon", HostTrust: "host-trust", OutOfTreeDriver: "out-of-tree-driver", UpdateDriver: "update-driver",
	MacvlanPrivate: "macvlan-private",
}}

var workaroundAdvice = map[Workaround]string{
	FailOverMACActive: "set fail_over_mac=active on the bond while it has no slaves: they keep their own MAC addresses",
	ARPValidateActive: "set arp_validate=active on the bond, and watch its backups with arpmon",
	AllSlavesActive:   "set all_slaves_active=1 on the bond",
	MIIMonitor:        "use miimon instead of arp_interval, and arpmon beside it",
	HostTrust:         "ask the administrator of the host for vf-source-pruning off, trust on and spoofchk off",
	OutOfTreeDriver:   "use the vendor's driver, which has a flag for it",
	UpdateDriver:      "use a newer driver, which has a flag for it",
	MacvlanPrivate:    "make it a macvlan of mode private",
}

// String returns a word or two, such as "fail_over_mac=active" or "host-trust".
func (w Workaround) String() string { return workaroundWords.text(w) }

// Advice returns what to do as a sentence without its stop, empty for a Workaround that there
// is not.
func (w Workaround) Advice() string {
	return workaroundAdvice[w]
}

// MarshalText returns the words of String.
func (w Workaround) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what MarshalText writes. Other text is an error that matches
// ErrBadValue.
func (w *Workaround) UnmarshalText(text []byte) error {
	return workaroundWords.read(w, text)
}
