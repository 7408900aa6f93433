// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// burst is how many probes of a slave may leave at once, beside the first. With
// 1.1 times the mean rate it leaves room for a late caller to catch up, and keeps
// every second below 1.1 MaxPPS + 3: under the 15 at which switches act.
const burst = 2

// Poll judges every probe whose time is over, writes the probes that are due
// into out, makes the verdicts, and returns how many probes there are and when
// it wants to be called next. Where out is full, next is now, and the rest,
// verdicts included, comes in the next call. With nothing to wait for, next is
// math.MaxInt64.
//
// The caller gives every frame received so far to [Engine.Handle] before, sends
// the probes after, and reports each with [Engine.Sent] or [Engine.NotSent]
// before it calls Poll again. Where no call comes until half an Interval after
// the time asked for, that is a stall: the schedule is moved by it, every bound
// grows by it, and it adds at most one miss to a pair.
func (e *Engine) Poll(now int64, out []Probe) (n int, next int64) {
	now = e.advance(now)
	e.stats.Polls++
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
		if ready := s.credit - burst*e.space; ready > now {
			// Only a late caller gets here; a burst could shut the port.
			e.queue.put(pi, ready)
			continue
		}
		if n == len(out) {
			e.wake = now
			return n, e.external(now)
		}
		e.probe(&out[n], si, slot, now)
		n++
	}
	e.evaluate(now)
	next = e.holdEnd
	if pi >= 0 {
		next = min(next, first)
	}
	if !e.started && e.canary >= 0 && len(e.active) > 0 {
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
	if end := s.failing + e.bound; !s.noTX && end < due {
		e.queue.wait(pi, max(end, at), due)
	} else {
		e.queue.put(pi, due)
	}
}

// probe gives out a probe of the pair at the head of the queue.
func (e *Engine) probe(pr *Probe, si, slot int32, now int64) {
	s, p, t := &e.slaves[si], e.pair(si, slot), &e.targets[slot]
	s.credit = max(s.credit, now) + e.space
	p.round++
	p.flags = p.flags&^(isAnswered|isDisputed) | isIssued
	// Lateness does not add up, but probes of a pair never overlap.
	pi := e.index(si, slot)
	end := now + int64(e.cfg.Timeout)
	due := max(e.queue.due(pi)+e.gap(s, p), end)
	if s.failing != 0 && !s.noTX {
		end = min(end, s.failing+e.bound) // it may not leave either
	}
	e.queue.wait(pi, end, due)

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
	if e.started || e.stopped {
		return
	}
	if len(e.active) == 0 {
		e.canEnd = now + e.bound
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

// step is the distance of the turns of a slave's targets.
func (e *Engine) step() int64 {
	return max(int64(e.cfg.Interval)/4*3/int64(max(len(e.active), 1)), 1)
}

// schedule gives the pair of a new target its first turn: of the places in which
// the targets of a slave share an interval, the one farthest from the turns of
// its other pairs.
func (e *Engine) schedule(si, slot int32, from int64) {
	p, step := e.pair(si, slot), e.step()
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

// stall moves all that the engine waits for by the time that the caller came
// late, so that every bound grows by just that, and the turns keep their
// distances.
func (e *Engine) stall(now, late int64) {
	e.stats.Stalls++
	e.stats.Stalled += time.Duration(late)
	e.stallAt, e.stalled = now, late
	e.event(now, EventStall).Late = time.Duration(late)
	e.canEnd += late
	e.queue.first(now) // makes now the floor, so that pairs find their buckets
	for _, slot := range e.active {
		t := &e.targets[slot]
		t.goodSent += late
		t.lossSent += late
		t.missSent += late
		t.since += late
		if t.n[classHeld] > 0 {
			t.holdEnd += late
			t.heldSent += late
		}
	}
	for si := range e.slaves {
		s := &e.slaves[si]
		if !s.used || !s.probing {
			continue
		}
		if s.failing != 0 {
			s.failing += late
		}
		for _, slot := range e.active {
			pi := e.index(int32(si), slot)
			p := &e.pairs[pi]
			p.goodSent += late
			p.lossSent += late
			due := e.queue.due(pi) + late
			if p.flags&(isOutstanding|isIssued) != 0 {
				e.queue.wait(pi, min(now, p.sentAt+int64(e.cfg.Timeout)), due)
			} else {
				e.queue.put(pi, due)
			}
		}
	}
}

// sentAt is when the last probe of a pair was sent, moved by a stall since, as
// goodSent and lossSent are.
func (e *Engine) sentAt(p *pair) int64 {
	if p.sentAt < e.stallAt {
		return p.sentAt + e.stalled
	}
	return p.sentAt
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
