// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// check compares what the engine says with the model.
func (c *checker) check() {
	e := c.rig.Mon.Engine()
	e.Snapshot(&c.snap)
	s := &c.snap
	if s.Seq != c.seq+1 || s.Group != c.group || s.Stopped != c.stopped || s.At > c.rig.Now() || c.rig.Mon.LostEvents() != 0 {
		c.fail("snapshot says seq %d, group %v, stopped %v at %d; the events say %d, %v, %v at %d, %d lost",
			s.Seq, s.Group, s.Stopped, s.At, c.seq+1, c.group, c.stopped, c.rig.Now(), c.rig.Mon.LostEvents())
	}
	if s.Stats.Unreported != 0 || s.Stats.Polls < c.last.Polls || s.Stats.Stalls < c.last.Stalls || s.Stats.Stalled < c.last.Stalled || s.Stats.NoSlave < c.last.NoSlave {
		c.fail("counters %+v after %+v", s.Stats, c.last)
	}
	c.last = s.Stats
	if len(s.Slaves) != len(c.slaves) || len(s.Targets) != len(c.targets) {
		c.fail("%d slaves and %d targets, want %d and %d", len(s.Slaves), len(s.Targets), len(c.slaves), len(c.targets))
		return
	}
	for _, t := range s.Targets {
		if m := c.targets[t.Target]; m == nil || m.down != t.Down {
			c.fail("%v is down: %v; the events say %+v", t.Target, t.Down, m)
		}
	}
	for i := range s.Slaves {
		c.checkSlave(&s.Slaves[i])
	}
}

func (c *checker) checkSlave(s *arpmon.SlaveStatus) {
	m := c.slaves[s.ID]
	if m == nil || m.state != s.State || m.reason != s.Reason || m.transitions != s.Transitions {
		c.fail("slave %d is %v (%v) with %d transitions; the events say %+v", s.ID, s.State, s.Reason, s.Transitions, m)
		return
	}
	b := &m.before
	if s.Sent < b.Sent || s.NotSent < b.NotSent || s.SourceMismatch < b.SourceMismatch {
		c.fail("a counter of slave %d went back: %+v after %+v", s.ID, s, b)
	}
	for v := range s.Frames {
		if s.Frames[v] < b.Frames[v] {
			c.fail("the counter %v of slave %d went back", arpmon.Verdict(v), s.ID)
		}
	}
	var sent, replied uint64
	for i := range s.Pairs {
		c.checkPair(s, &s.Pairs[i])
		sent += s.Pairs[i].Sent
		replied += s.Pairs[i].Replied
	}
	if sent > s.Sent || replied > s.Frames[arpmon.Accepted] {
		c.fail("slave %d sent %d and accepted %d, its pairs %d and %d", s.ID, s.Sent, s.Frames[arpmon.Accepted], sent, replied)
	}
	*b = *s
	b.Pairs = nil
}

func (c *checker) checkPair(s *arpmon.SlaveStatus, p *arpmon.PairStatus) {
	m := c.pair(pairKey{s.ID, p.Target})
	if p.State != m.state || m.said && p.Reason != m.reason {
		c.fail("slave %d %v is %v (%v); the events say %v (%v)", s.ID, p.Target, p.State, p.Reason, m.state, m.reason)
	}
	b := &m.before
	if p.Sent < b.Sent || p.Replied < b.Replied || p.Missed < b.Missed || p.Late < b.Late || p.Duplicate < b.Duplicate || p.Conflict < b.Conflict {
		c.fail("a counter of slave %d %v went back: %+v after %+v", s.ID, p.Target, p, b)
	}
	*b = *p
	if p.MAC != m.mac || p.RTT.Last != m.rtt || p.RTT.Min != m.least || p.RTT.Mean < p.RTT.Min || p.RTT.Deviation < 0 {
		c.fail("slave %d %v: MAC %v, RTT %+v; the model has %v, last %v, least %v", s.ID, p.Target, p.MAC, p.RTT, m.mac, m.rtt, m.least)
	}
	open := uint64(0)
	if m.outstanding {
		open = 1
	}
	// Between turns the model may know of a miss that the engine was not asked about.
	if got, want := p.Sent, p.Replied+p.Missed+open+m.forgotten; got != want {
		c.fail("slave %d %v: %d sent, and %d replied, %d missed, %d under way, %d forgotten", s.ID, p.Target, got, p.Replied, p.Missed, open, m.forgotten)
	}
	if p.Misses != m.misses {
		c.fail("slave %d %v: %d misses in a row, the model has %d", s.ID, p.Target, p.Misses, m.misses)
	}
	ok := true
	switch p.State {
	case arpmon.PairReachable:
		ok = p.Misses == 0
	case arpmon.PairSuspect:
		ok = p.Misses > 0 && (p.Misses >= c.cfg.DownAfter) == (p.Reason == arpmon.ReasonCommonLoss)
	case arpmon.PairUnknown:
		ok = p.Misses < c.cfg.DownAfter || p.Reason == arpmon.ReasonNeverAnswered
	case arpmon.PairUnreachable: // it may have been for long
	}
	if !ok {
		c.fail("slave %d %v is %v (%v) after %d misses", s.ID, p.Target, p.State, p.Reason, p.Misses)
	}
}

// need is how many of n targets the policy asks for.
func (c *checker) need(n int) int {
	switch p := c.cfg.Policy; p {
	case arpmon.PolicyAny:
		return min(1, n)
	case arpmon.PolicyAll:
		return n
	default:
		return min(int(p), n)
	}
}

// verdict compares a slave's state with what its pairs make it, where there is
// but one answer.
func (c *checker) verdict(s *arpmon.SlaveStatus) {
	m := c.slaves[s.ID]
	stalled := c.snap.Stats.Stalled
	want := func(st arpmon.SlaveState, r arpmon.Reason) {
		if s.State != st || s.Reason != r {
			c.fail("slave %d is %v (%v), want %v (%v): %+v", s.ID, s.State, s.Reason, st, r, s.Pairs)
		}
	}
	slack := 2*int64(c.cfg.Interval) + 4*int64(c.jitter)
	since, before := m.cutAt, m.cutStalled
	if s.Reason == arpmon.ReasonCommonLoss && c.actedAt > since {
		since, before = c.actedAt, c.actedStalled // of two faults the later counts
	}
	if s.Reason == arpmon.ReasonCommonLoss && c.noisy {
		since += int64(c.cfg.Bound() + c.cfg.Interval) // new faults all the time
	}
	if late := c.rig.Now() - since - int64(c.cfg.Bound()) - int64(stalled-before); m.cutAt != 0 && s.State.Reachable() && late > 4*int64(c.jitter) {
		c.fail("slave %d is %v (%v) %v after its bound", s.ID, s.State, s.Reason, time.Duration(late))
	}
	switch {
	case s.Link != m.link:
		c.fail("slave %d has link %v, was told %v", s.ID, s.Link, m.link)
	case s.Link != arpmon.LinkUp:
		want(arpmon.SlaveNoLink, arpmon.ReasonNoLink)
		return
	case c.stopped:
		want(arpmon.SlaveUnknown, arpmon.ReasonProbeSuspectedOfPortLoss)
		return
	case len(s.Pairs) == 0:
		if s.Reason != arpmon.ReasonNoTransmit {
			want(arpmon.SlaveUnknown, arpmon.ReasonNoTargets)
		}
		return
	case !s.Probing:
		want(arpmon.SlaveUnknown, arpmon.ReasonWaiting)
		return
	case s.Reason == arpmon.ReasonNoTransmit:
		m.wedgedAt = c.rig.Now()
		return
	}
	var count, up, suspect, unknown, fresh int
	for _, p := range s.Pairs {
		t := c.targets[p.Target]
		if t.down {
			continue
		}
		if since := max(t.upAt, m.wedgedAt); t.upAt != 0 && c.rig.Now()-since < 2*int64(c.cfg.Recovery())+slack+int64(stalled-t.stalled) {
			return // the pair may not count yet
		}
		count++
		switch p.State {
		case arpmon.PairReachable:
			up++
		case arpmon.PairSuspect:
			suspect++
		case arpmon.PairUnknown:
			unknown++
			if p.Reason != arpmon.ReasonNeverAnswered {
				fresh++
			}
		case arpmon.PairUnreachable: // does not help
		}
	}
	least, most := c.need(count-fresh), c.need(count)
	var ok bool
	switch s.State {
	case arpmon.SlaveUp:
		ok = up >= least
	case arpmon.SlaveSuspect:
		ok = up < most && up+suspect >= least
	case arpmon.SlaveDown:
		ok = up+suspect < most
	case arpmon.SlaveUnknown:
		ok = up < most && up+suspect+unknown >= least
	default:
		ok = false
	}
	if count > 0 && !ok {
		c.fail("slave %d is %v (%v), and of %d pairs %d are reachable, %d suspect, %d unknown: %+v", s.ID, s.State, s.Reason, count, up, suspect, unknown, s.Pairs)
	}
}
