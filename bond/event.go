// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// EventKind says what an [Event] is about.
type EventKind uint8

// The kinds of events.
const (
	// EventBondAdded: Bond is new, or was there when watching began.
	EventBondAdded EventKind = iota + 1
	// EventBondRemoved: Bond is gone, deleted or moved away.
	EventBondRemoved
	// EventBondRenamed: Bond has a new name; OldName is the one before.
	EventBondRenamed
	// EventSlaveAdded: Slave is a new slave of Bond, or was one when watching began.
	EventSlaveAdded
	// EventSlaveRemoved: Slave is no longer a slave of Bond.
	EventSlaveRemoved
	// EventSlaveRenamed: Slave has a new name; OldName is the one before.
	EventSlaveRenamed
	// EventOptionsChanged: the options Changed of Bond, or of Slave where that is not
	// zero, have other values. The active slave and the aggregator have
	// events of their own.
	EventOptionsChanged
	// EventActiveChanged: the active slave of Bond was Old and is New; either may
	// be zero.
	EventActiveChanged
	// EventSlaveChanged: the state, MII status, failure count, carrier, flags, MTU or
	// hardware address of Slave have changed; Changed has the options among them.
	EventSlaveChanged
	// EventAggregatorChanged: the active aggregator of Bond, or its partner, has
	// changed, or with a Slave its aggregator, port states or churn, which
	// Changed lists.
	EventAggregatorChanged
	// EventCarrierChanged: Bond gained or lost its carrier, or was switched on or
	// off.
	EventCarrierChanged
	// EventSynced: all that was there when watching began has been told.
	EventSynced
	// EventResynced: the kernel's messages were lost. Everything was read anew, and the
	// differences have been told as the events before this one.
	EventResynced
	// EventLinkChanged: something else about the interface Bond has changed: its hardware
	// address, MTU, master, operational state or flags.
	EventLinkChanged
)

var eventWords = []string{
	"event(0)", "bond-added", "bond-removed", "bond-renamed", "slave-added", "slave-removed", "slave-renamed",
	"options-changed", "active-changed", "slave-changed", "aggregator-changed", "carrier-changed", "synced", "resynced",
	"link-changed",
}

// String returns the kind in lower case with dashes, such as "bond-added".
func (k EventKind) String() string { return enumString("event", eventWords, k) }

// MarshalText implements [encoding.TextMarshaler].
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It reads what String returns, or the
// number; another error than nil matches [ErrBadValue].
func (k *EventKind) UnmarshalText(text []byte) error {
	return enumUnmarshal(k, text, func(s string) (EventKind, error) {
		return enumParse[EventKind]("event", eventWords, nil, s)
	})
}

// Event is one change. Its memory belongs to the receiver.
type Event struct {
	Kind EventKind
	// Bond is the bond it is about, zero for EventSynced and EventResynced.
	Bond Link
	// Slave is the slave it is about, zero where it is about the bond.
	Slave Link
	// OldName is the name before a rename.
	OldName string
	// Old and New are the active slaves of EventActiveChanged.
	Old, New Link
	// Changed are the options that have another value, were absent, or are now.
	// An option that this package does not know has its number and no name.
	Changed []Option
	// BondState is Bond, and SlaveState is Slave, after the change; where one is
	// gone, its last state. They are nil where Bond or Slave is zero. In events that are told
	// together it is the state after all of them.
	BondState  *Bond
	SlaveState *Slave
}
