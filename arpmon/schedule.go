// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// Poll judges every probe whose time is over, writes the probes that are due
// into out, and returns how many they are and when it wants to be called next.
// Where out is full, next is now, and the rest, judgements included, comes in
// the next call.
// With nothing to wait for, next is math.MaxInt64.
//
// The caller gives every frame received so far to [Engine.Handle] before, sends
// the probes after, and reports each with [Engine.Sent] or [Engine.NotSent]
// before it calls Poll again. A call that comes later than half an Interval
// after the time asked for is a stall: the schedule begins again from now, and
// the stall adds at most one miss to a pair.
func (e *Engine) Poll(now int64, out []Probe) (n int, next int64) {
	now = e.advance(now)
	e.stats.Polls++
	if late := now - e.wake; e.wake != math.MaxInt64 && late > int64(e.cfg.Interval)/2 {
		e.stall(now, late)
	}
	e.begin(now)
	pi, first := e.queue.first(now)
	for ; pi >= 0 && first <= now; pi, first = e.queue.first(now) {
		si := pi >> e.stride
		slot := pi - si<<e.stride
		s, p := &e.slaves[si], &e.pairs[pi]
		switch {
		case p.flags&isOutstanding != 0:
			if end := p.sentAt + int64(e.cfg.Timeout); end > now {
				e.queue.wait(pi, end, e.queue.due(pi))
				continue
			}
			p.flags &^= isOutstanding
			e.miss(si, slot, now)
		case p.flags&isIssued != 0:
			e.stats.Unreported++
			p.flags &^= isIssued
			s.lastErr = errUnreported
			e.unsent(s, p, pi, now)
		}
		if s.failing != 0 && !s.noTX && now-s.failing >= e.bound {
			e.noTransmit(si, now)
		}
		if due := e.queue.due(pi); due > now {
			e.queue.put(pi, due)
			continue
		}
		if n == len(out) {
			e.wake = now
			return n, e.external(now)
		}
		e.probe(&out[n], si, slot, now)
		n++
	}
	if e.recheck || now >= e.holdEnd {
		e.evalTargets(now)
	}
	next = e.holdEnd
	if pi >= 0 {
		next = min(next, first)
	}
	if !e.started && e.canary >= 0 {
		next = min(next, e.canEnd)
	}
	e.wake = next
	return n, e.external(next)
}

// Sent reports that a probe left at the given time.
func (e *Engine) Sent(pr *Probe, at int64) {
	s, p := e.reported(pr)
	if p == nil {
		return
	}
	at = e.advance(at)
	p.flags = p.flags&^isIssued | isOutstanding
	p.sentAt = at
	p.sent++
	if pr.Broadcast {
		p.broadcast = at
	}
	s.sent++
	s.lastSent = at
	s.failing = 0
	s.noTX = false
	if s.firstSent == 0 {
		s.firstSent = at
	}
}

// NotSent reports that a probe could not be sent, and why. That is no miss; its
// next turn comes after one gap. A slave with a link on which nothing can be
// sent for a whole bound is Down, reason NoTransmit.
func (e *Engine) NotSent(pr *Probe, at int64, err error) {
	s, p := e.reported(pr)
	if p == nil {
		return
	}
	at = e.advance(at)
	p.flags &^= isIssued
	s.lastErr = err
	e.unsent(s, p, pr.pair, at)
}

// reported finds what a probe belongs to, unless that is gone.
func (e *Engine) reported(pr *Probe) (*slave, *pair) {
	si := e.find(pr.Slave)
	if si < 0 || pr.pair < 0 || int(pr.pair) >= len(e.pairs) {
		return nil, nil
	}
	p := &e.pairs[pr.pair]
	if pr.pair>>e.stride != si || p.flags&isIssued == 0 || p.round != pr.round {
		return nil, nil
	}
	return &e.slaves[si], p
}

// unsent counts a probe that did not leave.
func (e *Engine) unsent(s *slave, p *pair, pi int32, at int64) {
	s.notSent++
	if s.failing == 0 {
		// The fault is at most as old as the last probe that left, and as
		// one interval.
		s.failing = at
		if s.lastSent != 0 {
			s.failing = max(s.lastSent, at-int64(e.cfg.Interval))
		}
	}
	due := at + e.gap(s, p)
	if !s.noTX {
		// The last try is when the bound is over.
		due = min(due, max(s.failing+e.bound, at+int64(MinInterval)))
	}
	e.queue.setDue(pi, due)
}

// probe gives out a probe of the pair at the head of the queue.
func (e *Engine) probe(pr *Probe, si, slot int32, now int64) {
	s, p, t := &e.slaves[si], e.pair(si, slot), &e.targets[slot]
	p.round++
	p.flags = p.flags&^(isAnswered|isDisputed) | isIssued
	// Lateness does not add up, but probes of a pair never overlap.
	pi := e.index(si, slot)
	end := now + int64(e.cfg.Timeout)
	e.queue.wait(pi, end, max(e.queue.due(pi)+e.gap(s, p), end))

	pr.Slave, pr.pair, pr.round = e.id(si), pi, p.round
	to := p.mac
	pr.Broadcast = p.mac == MAC{} || p.misses > 0 || p.broadcast == 0 || now-p.broadcast >= int64(BroadcastEvery)
	if pr.Broadcast {
		to = broadcast
	}
	var from MAC
	binary.BigEndian.PutUint16(from[0:], uint16(s.mac>>32))
	binary.BigEndian.PutUint32(from[2:], uint32(s.mac))
	putProbe(&pr.frame, to, from, s.spa, t.spa)
}

// begin lets the first slave probe, and the others when its time is over.
func (e *Engine) begin(now int64) {
	if e.started || e.stopped || len(e.active) == 0 {
		return
	}
	if e.canary < 0 {
		for si := range e.slaves {
			s := &e.slaves[si]
			if !s.used || s.link != LinkUp {
				continue
			}
			if e.canary < 0 || e.slaves[e.canary].isActive && !s.isActive {
				e.canary = int32(si)
			}
		}
		if e.canary < 0 {
			return
		}
		e.canEnd = now + e.bound
		e.startSlave(e.canary, now, true)
	}
	if now >= e.canEnd {
		e.release(now)
	}
}

// release lets all slaves probe.
func (e *Engine) release(at int64) {
	e.started = true
	e.canary = -1
	for si := range e.slaves {
		e.startSlave(int32(si), at, !e.slaves[si].probing)
	}
}

// schedule gives a pair its first turn: of the places in which the targets of a
// slave share an interval, the one farthest from the turns of its other pairs.
func (e *Engine) schedule(si, slot int32, from int64) {
	p := e.pair(si, slot)
	step := max(int64(e.cfg.Interval)/4*3/int64(len(e.active)), 1)
	best, room := from, int64(-1)
	for k := range e.active {
		at := from + int64(k)*step
		near := int64(math.MaxInt64)
		for _, o := range e.active {
			if pi := e.index(si, o); o != slot && e.queue.has(pi) {
				if due := e.queue.due(pi); due >= from {
					near = min(near, max(at-due, due-at))
				}
			}
		}
		if near > room {
			best, room = at, near
		}
	}
	// Pairs of one slave have their gaps in step, so that the distances last.
	for _, o := range e.active {
		if q := e.pair(si, o); o != slot && e.queue.has(e.index(si, o)) {
			p.round = max(p.round, q.round)
		}
	}
	e.queue.put(e.index(si, slot), best)
}

// stall begins the schedule again after the caller came late.
func (e *Engine) stall(now, late int64) {
	e.stats.Stalls++
	e.stats.Stalled += time.Duration(late)
	e.resumed = now
	e.event(now, EventStall).Late = time.Duration(late)
	if !e.started {
		e.canEnd = max(e.canEnd, now+int64(e.cfg.Timeout))
	}
	step := int64(e.cfg.Interval) / 4 * 3 / int64(max(len(e.active), 1))
	for si := range e.slaves {
		s := &e.slaves[si]
		if !s.used || !s.probing {
			continue
		}
		if s.failing != 0 {
			s.failing += late
		}
		for k, slot := range e.active {
			pi := e.index(int32(si), slot)
			switch p := &e.pairs[pi]; {
			case e.queue.due(pi) >= now:
			case p.flags&(isOutstanding|isIssued) != 0:
				e.queue.wait(pi, now, now+int64(k)*step)
			default:
				e.queue.put(pi, now+int64(k)*step)
			}
		}
	}
}

// gap returns the time to a pair's next probe, uniform in 0.75 to 1.0 intervals.
func (e *Engine) gap(s *slave, p *pair) int64 {
	quarter := uint64(e.cfg.Interval) / 4
	return int64(e.cfg.Interval) - int64(spread(mix(s.salt+uint64(p.round)), quarter+1))
}

// spread maps a random number to 0..n-1.
func spread(x, n uint64) uint64 {
	hi, _ := bits.Mul64(x, n)
	return hi
}

// mix is the finaliser of splitmix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
