// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"fmt"
	"time"
)

// EventKind says what an [Event] is about.
type EventKind uint8

// The kinds of events.
const (
	// EventPair: a pair changed its state or reason.
	EventPair EventKind = iota + 1
	// EventSlave: a slave changed its state or reason.
	EventSlave
	// EventGroup: the group changed its state.
	EventGroup
	// EventTargetDown: a target is unreachable on every slave with a link, two
	// or more, while other targets are reachable. It left the verdicts.
	EventTargetDown
	// EventTargetUp: such a target was reached again, or counts again because
	// no other is left.
	EventTargetUp
	// EventConflict: one probe was answered from two hardware addresses, Old
	// and MAC. At most one a probe.
	EventConflict
	// EventMACChanged: the target answers from MAC, before it was Old.
	EventMACChanged
	// EventStall: the caller came Late after the time that Poll had asked for.
	EventStall
	// EventStopped: probing stopped, see ReasonProbeSuspectedOfPortLoss. Slave
	// is the one that lost carrier.
	EventStopped
	// EventResumed: probing was resumed.
	EventResumed
	// EventAdded: a slave was added.
	EventAdded
	// EventRemoved: a slave was removed.
	EventRemoved
)

var eventKinds = []string{
	"event(0)", "pair", "slave", "group", "target-down", "target-up", "conflict", "mac-changed", "stall", "stopped",
	"resumed", "added", "removed",
}

// String returns the kind in lower case with dashes, such as "target-down".
func (k EventKind) String() string { return word(eventKinds, uint8(k), "event") }

// MarshalText implements [encoding.TextMarshaler].
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *EventKind) UnmarshalText(b []byte) error {
	return number(eventKinds, b, (*uint8)(k), "event")
}

// An Event is one change. Which fields are set depends on Kind.
type Event struct {
	// Seq numbers the events from 1, without gaps.
	Seq uint64
	// At is when the change was found, in the caller's nanoseconds.
	At   int64
	Kind EventKind
	// From and To are a PairState, SlaveState or GroupState, as Kind says; see
	// the methods PairStates, SlaveStates and GroupStates.
	From, To uint8
	Reason   Reason
	// Slave is zero where the event is not about one slave.
	Slave SlaveID
	// Target is the zero Target where the event is not about one target.
	Target Target
	// Old and MAC are the hardware addresses of EventConflict and
	// EventMACChanged.
	Old, MAC MAC
	// Late is the length of an EventStall.
	Late time.Duration
}

// PairStates returns the old and new state of an EventPair.
func (e *Event) PairStates() (from, to PairState) { return PairState(e.From), PairState(e.To) }

// SlaveStates returns the old and new state of an EventSlave.
func (e *Event) SlaveStates() (from, to SlaveState) { return SlaveState(e.From), SlaveState(e.To) }

// GroupStates returns the old and new state of an EventGroup.
func (e *Event) GroupStates() (from, to GroupState) { return GroupState(e.From), GroupState(e.To) }

// String describes the event in one line, without the time and the slave.
func (e *Event) String() string {
	change := func(from, to fmt.Stringer) string {
		s := from.String() + " -> " + to.String()
		if from.String() == to.String() {
			s = to.String()
		}
		if e.Reason != ReasonNone {
			s += " (" + e.Reason.String() + ")"
		}
		return s
	}
	switch e.Kind {
	case EventPair:
		return e.Target.String() + " " + change(PairState(e.From), PairState(e.To))
	case EventSlave:
		return change(SlaveState(e.From), SlaveState(e.To))
	case EventGroup:
		return "group " + change(GroupState(e.From), GroupState(e.To))
	case EventConflict, EventMACChanged:
		return fmt.Sprintf("%s %s: %s, before %s", e.Target, e.Kind, e.MAC, e.Old)
	case EventStall:
		return "stall of " + e.Late.String()
	case EventTargetDown, EventTargetUp:
		return e.Kind.String() + " " + e.Target.String()
	case EventStopped:
		return "probing stopped (" + e.Reason.String() + ")"
	case EventResumed:
		return "probing resumed"
	case EventAdded, EventRemoved:
	}
	return e.Kind.String()
}

// ring keeps the last events. Its length is a power of two.
type ring struct {
	buf  []Event
	next uint64 // sequence number of the next event
}

func newRing(n int) ring {
	size := 1
	for size < n {
		size *= 2
	}
	return ring{buf: make([]Event, size), next: 1}
}

// add returns the place for the next event.
func (r *ring) add(at int64, kind EventKind) *Event {
	e := &r.buf[r.next&uint64(len(r.buf)-1)]
	*e = Event{Seq: r.next, At: at, Kind: kind}
	r.next++
	return e
}

// since copies the events from seq on.
func (r *ring) since(seq uint64, dst []Event) (n int, next, lost uint64) {
	seq = min(max(seq, 1), r.next)
	if kept := uint64(len(r.buf)); r.next-seq > kept {
		lost = r.next - seq - kept
		seq += lost
	}
	for n < len(dst) && seq < r.next {
		dst[n] = r.buf[seq&uint64(len(r.buf)-1)]
		n++
		seq++
	}
	return n, seq, lost
}
