// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"context"
	"log/slog"
	"sync"
)

// journalNotes is how many notes wait for a slow Logger before further ones are
// counted only.
const journalNotes = 256

// neverAnsweredHint says what to look at where no answer ever came.
const neverAnsweredHint = "the address may be wrong; the target may not answer probes from 0.0.0.0; or the port may drop a second " +
	"MAC address (SR-IOV without trust, virtual switches, macvlan, port security)"

// A journal writes events and notes to a Logger, on a goroutine of its own, so
// that a Logger that blocks holds up nobody.
type journal struct {
	log  *slog.Logger
	seq  uint64 // of the next event to write
	news chan struct{}

	mu    sync.Mutex
	notes []note
	lost  int
	done  bool
}

type note struct {
	level   slog.Level
	message string
	attrs   []slog.Attr
}

// source is where a journal reads events.
type source interface {
	eventsSince(seq uint64, dst []Event) (n int, next, lost uint64)
	name(id SlaveID) string
}

func newJournal(log *slog.Logger) *journal {
	return &journal{log: log, news: make(chan struct{}, 1)}
}

// note takes a note, and never waits.
func (j *journal) note(level slog.Level, message string, attrs []slog.Attr) {
	j.mu.Lock()
	if len(j.notes) < journalNotes {
		j.notes = append(j.notes, note{level, message, attrs})
	} else {
		j.lost++
	}
	j.mu.Unlock()
	j.wake()
}

// wake says that there may be something to write.
func (j *journal) wake() {
	select {
	case j.news <- struct{}{}:
	default:
	}
}

// stop makes run write the rest and return.
func (j *journal) stop() {
	j.mu.Lock()
	j.done = true
	j.mu.Unlock()
	j.wake()
}

// run writes until stop is called.
func (j *journal) run(from source) {
	events := make([]Event, 64)
	for range j.news {
		j.mu.Lock()
		notes, lost, done := j.notes, j.lost, j.done
		j.notes, j.lost = nil, 0
		j.mu.Unlock()
		for _, n := range notes {
			j.log.LogAttrs(context.Background(), n.level, n.message, n.attrs...)
		}
		if lost > 0 {
			j.log.Warn("notes were lost, because the log is slow", "count", lost)
		}
		for {
			n, next, missing := from.eventsSince(j.seq, events)
			j.seq = next
			if missing > 0 {
				j.log.Warn("events were lost, because the log is slow", "count", missing)
			}
			for i := range events[:n] {
				j.event(&events[i], from)
			}
			if n < len(events) {
				break
			}
		}
		if done {
			return
		}
	}
}

// event writes one event.
func (j *journal) event(e *Event, from source) {
	attrs := make([]slog.Attr, 0, 8)
	if e.Slave != 0 {
		attrs = append(attrs, slog.String("slave", from.name(e.Slave)))
	}
	if e.Target != (Target{}) {
		attrs = append(attrs, slog.String("target", e.Target.String()))
	}
	switch e.Kind {
	case EventPair:
		f, t := e.PairStates()
		attrs = append(attrs, slog.String("from", f.String()), slog.String("to", t.String()))
	case EventSlave:
		f, t := e.SlaveStates()
		attrs = append(attrs, slog.String("from", f.String()), slog.String("to", t.String()))
	case EventGroup:
		f, t := e.GroupStates()
		attrs = append(attrs, slog.String("from", f.String()), slog.String("to", t.String()))
	case EventConflict, EventMACChanged:
		attrs = append(attrs, slog.String("before", e.Old.String()), slog.String("mac", e.MAC.String()))
	case EventStall:
		attrs = append(attrs, slog.Duration("late", e.Late))
	case EventTargetDown, EventTargetUp, EventStopped, EventResumed, EventAdded, EventRemoved:
	}
	if e.Reason != ReasonNone {
		attrs = append(attrs, slog.String("reason", e.Reason.String()))
	}
	if e.Kind == EventSlave && e.Reason == ReasonNeverAnswered {
		attrs = append(attrs, slog.String("hint", neverAnsweredHint))
	}
	if e.Kind == EventStopped {
		attrs = append(attrs, slog.String("hint", "a switch may have shut the port for its second MAC address; see Config.NoCanary and Monitor.Resume"))
	}
	j.log.LogAttrs(context.Background(), eventLevel(e), e.Kind.String(), attrs...)
}

// eventLevel returns how much an operator should care.
func eventLevel(e *Event) slog.Level {
	switch e.Kind {
	case EventPair, EventAdded, EventRemoved:
		return slog.LevelDebug
	case EventSlave:
		switch _, to := e.SlaveStates(); to {
		case SlaveDown, SlaveNoLink:
			return slog.LevelWarn
		case SlaveUnknown, SlaveUp, SlaveSuspect:
		}
		if e.Reason == ReasonNeverAnswered {
			return slog.LevelWarn
		}
	case EventGroup:
		if _, to := e.GroupStates(); to == GroupFailure {
			return slog.LevelError
		}
	case EventStopped:
		return slog.LevelError
	case EventTargetDown, EventConflict, EventStall:
		return slog.LevelWarn
	case EventTargetUp, EventMACChanged, EventResumed:
	}
	return slog.LevelInfo
}
