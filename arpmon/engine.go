// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"math"
	"math/bits"
	"time"
)

// A SlaveID names a slave of one engine. It is never used again after the slave
// was removed, until 65535 others had its place. The zero SlaveID names none.
type SlaveID uint32

// SlaveConfig describes a slave to [Engine.AddSlave].
type SlaveConfig struct {
	// Identity is who its probes are from.
	Identity Identity
	// Device is the interface's own hardware address, if it has one that may
	// come back in frames; answers from it are echoes and prove nothing.
	Device MAC
	// Link is the state of its link.
	Link Link
	// Active says that the slave carries the bond's traffic now. It matters
	// for where the first probes leave only.
	Active bool
}

// Link is the state of a slave's link as the engine needs it.
type Link uint8

// The states of a link. The zero value is LinkDown.
const (
	// LinkDown: not administratively up, or not there.
	LinkDown Link = iota
	// LinkNoCarrier: up, without carrier. Going here from LinkUp within
	// PortLossWindow of the first probe stops all probing.
	LinkNoCarrier
	// LinkUp: up and with carrier.
	LinkUp
)

var links = []string{"down", "no-carrier", "up"}

// String returns "down", "no-carrier" or "up".
func (l Link) String() string { return word(links, uint8(l), "link") }

// MarshalText implements [encoding.TextMarshaler].
func (l Link) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (l *Link) UnmarshalText(b []byte) error { return number(links, b, (*uint8)(l), "link") }

// A Probe is one frame to be sent, made by [Engine.Poll] in memory of the
// caller. Its memory may be used again after [Engine.Sent] or [Engine.NotSent].
type Probe struct {
	// Slave is the slave to send it through.
	Slave SlaveID
	// Broadcast says that the frame goes to everybody.
	Broadcast bool

	pair  int32
	round uint32
	frame [ProbeLen]byte
}

// Frame returns the bytes of the frame, from the Ethernet header on. They
// belong to the Probe.
func (p *Probe) Frame() []byte { return p.frame[:] }

// Stats counts what concerns the engine as a whole.
type Stats struct {
	// Polls counts the calls of Poll.
	Polls uint64 `json:"polls"`
	// Stalls counts how often the engine was not called until later than half
	// an Interval after the time that Poll had asked for.
	Stalls uint64 `json:"stalls"`
	// Stalled is by how much they were late in all. Every bound grows by the
	// stalls within it.
	Stalled time.Duration `json:"stalled_ns"`
	// Unreported counts probes that were neither reported with Sent nor with
	// NotSent when their next turn came; they are taken as not sent.
	Unreported uint64 `json:"unreported"`
	// NoSlave counts frames for slaves that are not known.
	NoSlave uint64 `json:"no_slave"`
}

// An Engine is the state machine of the monitor: frames, link states and the
// time go in; probes, verdicts and events come out. It has no goroutine, clock
// or socket.
//
// Calls must not overlap. Times are nanoseconds of one monotonic clock of the
// caller, whose zero does not matter; a time before the latest one is taken as
// the latest one, and one more than a hundred years after the first as that.
// After New, no method allocates, except [Engine.Config], [Engine.Snapshot] for
// a destination that is too small, and methods that return an error.
//
// A method that can make something due or change a pair (AddSlave, RemoveSlave,
// SetLink, SetIdentity, SetTargets, Resume, Handle) must be followed by
// [Engine.Poll], which makes the verdicts and returns the next time.
type Engine struct {
	cfg     Config
	bound   int64
	recover int64
	space   int64 // between probes of a slave at the highest rate
	origin  int64 // the caller's time that is 0 in here
	now     int64 // all times in here are from 1 on, so that 0 means none
	wake    int64 // what Poll returned last
	stallAt int64 // when the last stall ended; 0 for none
	stalled int64 // how long it was

	slaves  []slave
	pairs   []pair // of slave i: [i<<stride : (i+1)<<stride]
	stride  uint8
	targets []target
	active  []int32  // slots of targets in use
	spas    []uint32 // their addresses, in the order of active
	own     macSet
	queue   wheel
	ring    ring
	stats   Stats

	group   GroupState
	states  [5]int32 // slaves by SlaveState
	linked  int32    // slaves with LinkUp
	started bool     // the first answer came, or its time has passed
	stopped bool     // a probe is suspected of having shut a port
	dirty   []int32  // slaves whose pairs changed since the last evaluation
	recheck bool     // the targets must be looked at
	doubt   bool     // some target is in doubt, so answers of others matter
	canary  int32    // slave on which the first probes leave, -1 for none
	canEnd  int64    // when the others follow in any case
	holdEnd int64    // when the next held pair must be decided
}

// slave is what the engine keeps of a slave. What every probe needs comes first,
// so that it is in one line of the cache.
type slave struct {
	mac       uint64 // Identity.MAC
	salt      uint64
	lastSent  int64 // 0 for none
	failing   int64 // since when nothing could be sent; 0 for never mind
	credit    int64 // when the next probe would be due at the highest rate
	firstSent int64 // of its identity; 0 for none
	sent      uint64
	spa       uint32
	gen       uint16 // 0: never used
	used      bool
	probing   bool
	isActive  bool
	noTX      bool
	isDirty   bool // in Engine.dirty
	link      Link
	state     SlaveState
	reason    Reason

	changes   uint32 // of Reachable
	device    uint64
	since     int64
	notSent   uint64
	badSource uint64
	lastErr   error
	counts    [verdicts]uint64
}

// pair is what the engine keeps of a slave and a target, in the same order.
type pair struct {
	sentAt    int64 // of the last probe
	goodSent  int64 // when the last probe that was answered was sent; 0: none
	broadcast int64 // when the last broadcast was sent; 0: none
	sent      uint64
	round     uint32
	misses    uint16
	replies   uint16
	mac       MAC
	state     PairState
	reason    Reason
	flags     uint8

	replied   uint64
	rttLast   int64
	rttMin    int64
	rttAvg    int64
	rttVar    int64
	lossSent  int64 // when the first of the misses in a row was sent
	since     int64
	missed    uint64
	late      uint32
	duplicate uint32
	conflict  uint32
}

const (
	isIssued      = 1 << iota // given out by Poll, not reported back yet
	isOutstanding             // sent, not answered and not judged
	isAnswered                // the last probe was answered
	isHeld                    // enough misses, but whose fault is not known
	isExcused                 // its target came back, it has time to follow
	isDisputed                // the last probe had a conflict
)

// target is what the engine keeps of a target.
type target struct {
	t        Target
	spa      uint32
	used     bool
	down     bool
	ever     bool  // some slave reached it
	holdKey  uint8 // holdKey when the held pairs were looked at
	n        [classes]int32
	goodSent int64 // latest goodSent of its pairs
	lossSent int64 // latest lossSent of its pairs
	missSent int64 // when the latest probe that was missed was sent
	since    int64 // where a pair is Reachable: since when one is
	holdEnd  int64 // when a held pair must be decided at the latest
	heldSent int64 // the goodSent after which a held pair may be cleared
}

// limitTime is the latest time. Sums of times and waiting times do not overflow.
const limitTime = int64(100 * 365 * 24 * time.Hour)

// New returns an engine that has allocated all the memory it will use. The
// error is that of [Config.Validate].
func New(cfg Config) (*Engine, error) {
	cfg, err := cfg.Resolved()
	if err != nil {
		return nil, err
	}
	stride := bits.Len(uint(cfg.MaxTargets - 1))
	e := &Engine{
		cfg:     cfg,
		stride:  uint8(stride),
		bound:   int64(cfg.DownAfter)*int64(cfg.Interval) + int64(cfg.Timeout),
		space:   int64(1e9 / (1.1 * cfg.MaxPPS)),
		recover: int64(cfg.UpAfter)*int64(cfg.Interval) + int64(cfg.Timeout),
		wake:    math.MaxInt64,
		slaves:  make([]slave, cfg.MaxSlaves),
		pairs:   make([]pair, cfg.MaxSlaves<<stride),
		targets: make([]target, cfg.MaxTargets),
		active:  make([]int32, 0, cfg.MaxTargets),
		spas:    make([]uint32, 0, cfg.MaxTargets),
		dirty:   make([]int32, 0, cfg.MaxSlaves),
		own:     newMACSet(cfg.MaxSlaves * 2),
		queue:   newWheel(cfg.MaxSlaves<<stride, 2*int64(cfg.Interval)),
		ring:    newRing(cfg.Events),
		started: cfg.NoCanary,
		canary:  -1,
		holdEnd: math.MaxInt64,
	}
	e.cfg.Targets = nil
	for i, t := range cfg.Targets {
		e.useTarget(int32(i), t)
	}
	return e, nil
}

// Config returns the configuration in use, with all defaults filled in and the
// present targets.
func (e *Engine) Config() Config {
	c := e.cfg
	c.Targets = make([]Target, 0, len(e.active))
	for _, slot := range e.active {
		c.Targets = append(c.Targets, e.targets[slot].t)
	}
	return c
}

// Stats returns the counters of the engine.
func (e *Engine) Stats() Stats { return e.stats }

// EventsSince copies the events numbered seq and later into dst, and returns how
// many they were, the number to ask for next time, and how many were lost
// because they are no longer kept. Every reader has a cursor of its own, which
// begins at 0. What lost events said can be seen in [Engine.Snapshot].
func (e *Engine) EventsSince(seq uint64, dst []Event) (n int, next, lost uint64) {
	return e.ring.since(seq, dst)
}

// advance takes the caller's time, which never goes back, and returns ours. The
// first call after a stall finds it, before anything else is scheduled.
func (e *Engine) advance(at int64) int64 {
	if e.now == 0 {
		e.origin = at - 1
	}
	e.now = max(e.now, min(at-e.origin, limitTime))
	if late := e.now - e.wake; late > int64(e.cfg.Interval)/2 && e.wake != math.MaxInt64 {
		e.wake = e.now
		e.stall(e.now, late)
	}
	return e.now
}

// external is the reverse of advance.
func (e *Engine) external(at int64) int64 {
	if at == 0 || at == math.MaxInt64 {
		return at
	}
	return at + e.origin
}

// event returns the place for the next event.
func (e *Engine) event(at int64, kind EventKind) *Event { return e.ring.add(e.external(at), kind) }

// find returns the index of a slave, or -1.
func (e *Engine) find(id SlaveID) int32 {
	i := uint32(id) & 0xffff
	if int(i) < len(e.slaves) && e.slaves[i].used && uint32(e.slaves[i].gen) == uint32(id)>>16 {
		return int32(i)
	}
	return -1
}

// id is the reverse of find.
func (e *Engine) id(si int32) SlaveID {
	return SlaveID(uint32(e.slaves[si].gen)<<16 | uint32(si))
}

func (e *Engine) pair(si, slot int32) *pair { return &e.pairs[e.index(si, slot)] }

func (e *Engine) index(si, slot int32) int32 { return si<<e.stride + slot }
