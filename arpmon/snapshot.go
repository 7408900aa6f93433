// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// A Snapshot is all that an engine knows at one time. Times are in the
// caller's nanoseconds.
type Snapshot struct {
	// At is the latest time that the engine was told.
	At    int64
	Group GroupState
	// Stopped says that probing stopped, see ReasonProbeSuspectedOfPortLoss.
	Stopped bool
	// Seq is the number that the next event will have.
	Seq     uint64
	Stats   Stats
	Slaves  []SlaveStatus
	Targets []TargetStatus

	pairs []PairStatus
}

// SlaveStatus is what is known of a slave.
type SlaveStatus struct {
	ID     SlaveID
	State  SlaveState
	Reason Reason
	// Since is when the state was entered.
	Since  int64
	Link   Link
	Active bool
	// Probing says that probes leave on this slave.
	Probing  bool
	Identity Identity
	// Transitions counts how often State.Reachable changed.
	Transitions uint32
	// Sent and NotSent count probes.
	Sent, NotSent uint64
	// LastErr is why a probe was not sent the last time that happened.
	LastErr error
	// Frames counts received frames by what became of them.
	Frames [Verdicts]uint64
	// SourceMismatch counts accepted replies whose Ethernet source was not
	// their sender hardware address, as of some redundant routers.
	SourceMismatch uint64
	// Pairs has one element a target, in the order of Snapshot.Targets. It
	// belongs to the Snapshot.
	Pairs []PairStatus
}

// TargetStatus is what is known of a target.
type TargetStatus struct {
	Target Target
	// Down says that it is unreachable on every slave while other targets are
	// reachable, and does not count.
	Down bool
}

// PairStatus is what is known of a target through a slave.
type PairStatus struct {
	Target Target
	State  PairState
	Reason Reason
	// Since is when the state was entered.
	Since int64
	// MAC is the hardware address that the target answered from; zero while it
	// is not known.
	MAC MAC
	// RTT are the round trip times; all zero before the first answer.
	RTT RTT
	// Sent, Replied and Missed count probes; Late, Duplicate and Conflict
	// count answers that were not accepted.
	Sent, Replied, Missed     uint64
	Late, Duplicate, Conflict uint32
	// Misses is how many probes in a row were missed up to now. It begins anew
	// when a target that never answered is reached for the first time.
	Misses int
}

// RTT are the round trip times of a pair.
type RTT struct {
	Last, Min time.Duration
	// Mean and Deviation are the exponentially weighted averages of RFC 6298
	// section 2.
	Mean, Deviation time.Duration
}

// Slave returns the status of a slave, or nil.
func (s *Snapshot) Slave(id SlaveID) *SlaveStatus {
	for i := range s.Slaves {
		if s.Slaves[i].ID == id {
			return &s.Slaves[i]
		}
	}
	return nil
}

// Pair returns the pair with a target, or nil.
func (s *SlaveStatus) Pair(t Target) *PairStatus {
	t.Addr = t.Addr.Unmap()
	for i := range s.Pairs {
		if s.Pairs[i].Target == t {
			return &s.Pairs[i]
		}
	}
	return nil
}

// State returns the verdict on a slave, and SlaveUnknown for a slave that is
// not known.
func (e *Engine) State(id SlaveID) (SlaveState, Reason) {
	si := e.find(id)
	if si < 0 {
		return SlaveUnknown, ReasonNone
	}
	return e.slaves[si].state, e.slaves[si].reason
}

// Group returns the verdict on the group.
func (e *Engine) Group() GroupState { return e.group }

// Seq returns the number that the next event will have. As long as it does not
// change, no state did.
func (e *Engine) Seq() uint64 { return e.ring.next }

// Snapshot writes all that is known into dst. It allocates only where the
// slices of dst are too short, so a Snapshot should be used again.
func (e *Engine) Snapshot(dst *Snapshot) {
	dst.At = e.external(e.now)
	dst.Group, dst.Stopped, dst.Seq, dst.Stats = e.group, e.stopped, e.ring.next, e.stats
	dst.Slaves, dst.Targets = dst.Slaves[:0], dst.Targets[:0]
	used := 0
	for i := range e.slaves {
		if e.slaves[i].used {
			used++
		}
	}
	dst.pairs = slices.Grow(dst.pairs[:0], used*len(e.active))
	for _, slot := range e.active {
		t := &e.targets[slot]
		dst.Targets = append(dst.Targets, TargetStatus{Target: t.t, Down: t.down})
	}
	for i := range e.slaves {
		s := &e.slaves[i]
		if !s.used {
			continue
		}
		first := len(dst.pairs)
		for _, slot := range e.active {
			p := e.pair(int32(i), slot)
			dst.pairs = append(dst.pairs, PairStatus{
				Target: e.targets[slot].t, State: p.state, Reason: p.reason, Since: e.external(p.since), MAC: p.mac,
				RTT: RTT{
					Last: time.Duration(p.rttLast), Min: time.Duration(p.rttMin),
					Mean: time.Duration(p.rttAvg), Deviation: time.Duration(p.rttVar),
				},
				Sent: p.sent, Replied: p.replied, Missed: p.missed,
				Late: p.late, Duplicate: p.duplicate, Conflict: p.conflict,
				Misses: int(p.misses),
			})
		}
		var id Identity
		binary.BigEndian.PutUint16(id.MAC[0:], uint16(s.mac>>32))
		binary.BigEndian.PutUint32(id.MAC[2:], uint32(s.mac))
		var spa [4]byte
		binary.BigEndian.PutUint32(spa[:], s.spa)
		id.Addr = netip.AddrFrom4(spa)
		dst.Slaves = append(dst.Slaves, SlaveStatus{
			ID: e.id(int32(i)), State: s.state, Reason: s.reason, Since: e.external(s.since),
			Link: s.link, Active: s.isActive, Probing: s.probing, Identity: id, Transitions: s.changes,
			Sent: s.sent, NotSent: s.notSent, LastErr: s.lastErr,
			Frames: s.counts, SourceMismatch: s.badSource,
			Pairs: dst.pairs[first:len(dst.pairs):len(dst.pairs)],
		})
	}
}
