// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"errors"
	"math"
)

var errUnreported = errors.New("probe was not reported as sent or not sent")

// The classes in which the pairs of a target are counted.
const (
	classUnknown = iota
	classNever   // unknown, after enough misses to expect nothing
	classReachable
	classSuspect
	classHeld // suspect, after enough misses to be unreachable
	classUnreachable
	classes
)

func (p *pair) class() int {
	switch p.state {
	case PairReachable:
		return classReachable
	case PairSuspect:
		if p.flags&isHeld != 0 {
			return classHeld
		}
		return classSuspect
	case PairUnreachable:
		return classUnreachable
	case PairUnknown:
	}
	if p.reason == ReasonNeverAnswered {
		return classNever
	}
	return classUnknown
}

// decided reports whether there was time enough to tell anything of a pair.
func (p *pair) decided() bool { return p.class() != classUnknown }

// setPair gives a pair a state and a reason, and says so.
func (e *Engine) setPair(si, slot int32, st PairState, r Reason, at int64) {
	e.changePair(si, slot, st, r, 0, at)
}

// changePair is setPair with the flag isHeld or none.
func (e *Engine) changePair(si, slot int32, st PairState, r Reason, held uint8, at int64) {
	s, p, t := &e.slaves[si], e.pair(si, slot), &e.targets[slot]
	old := p.class()
	from := p.state
	same := from == st && p.reason == r
	p.state, p.reason = st, r
	p.flags = p.flags&^isHeld | held
	if s.link == LinkUp {
		if t.n[classReachable] == 0 {
			t.since = at
		}
		t.n[old]--
		t.n[p.class()]++
	}
	if same {
		return
	}
	if from != st {
		p.since = at
		p.replies = 0
	}
	ev := e.event(at, EventPair)
	ev.Slave, ev.Target, ev.From, ev.To, ev.Reason = e.id(si), t.t, uint8(from), uint8(st), r
}

// accept takes a valid answer to the outstanding probe of a pair.
func (e *Engine) accept(si, slot int32, sha MAC, at int64) {
	s, p, t := &e.slaves[si], e.pair(si, slot), &e.targets[slot]
	p.flags = p.flags&^isOutstanding | isAnswered
	p.replied++
	p.misses = 0
	e.queue.answered(e.index(si, slot))
	// Later than Timeout, the answer waited for the caller: it counts, but how
	// long it took is not known.
	if rtt := at - p.sentAt; rtt <= int64(e.cfg.Timeout) {
		p.measure(rtt)
	}
	if p.mac != sha {
		if p.mac != (MAC{}) {
			ev := e.event(at, EventMACChanged)
			ev.Slave, ev.Target, ev.Old, ev.MAC = e.id(si), t.t, p.mac, sha
		}
		p.mac = sha
	}
	p.goodSent = e.sentAt(p)
	t.goodSent = max(t.goodSent, p.goodSent)
	if e.canary == si && !e.started {
		e.release(at)
	}
	if p.state == PairReachable {
		if e.doubt {
			e.recheck = true
		}
		return
	}
	p.replies++
	if p.state == PairUnreachable || p.state == PairUnknown && s.state == SlaveDown {
		if int(p.replies) < e.cfg.UpAfter {
			return
		}
	}
	p.flags &^= isExcused
	e.setPair(si, slot, PairReachable, ReasonReplies, at)
	t.ever = true
	e.mark(si)
}

// measure takes a round trip time into the averages, with the weights of RFC
// 6298 section 2: 1/8 for the mean and 1/4 for the deviation.
func (p *pair) measure(rtt int64) {
	p.rttLast = rtt
	if p.rttAvg == 0 {
		p.rttMin, p.rttAvg, p.rttVar = rtt, rtt, rtt/2
		return
	}
	p.rttMin = min(p.rttMin, rtt)
	d := rtt - p.rttAvg
	p.rttAvg += d / 8
	p.rttVar += (max(d, -d) - p.rttVar) / 4
}

// miss takes a probe that was sent and not answered in time.
func (e *Engine) miss(si, slot int32, at int64) {
	p, t := e.pair(si, slot), &e.targets[slot]
	p.missed++
	p.replies = 0
	p.misses = min(p.misses, math.MaxUint16-1) + 1
	t.missSent = max(t.missSent, e.sentAt(p))
	if p.misses == 1 && p.state != PairUnreachable {
		p.lossSent = e.sentAt(p)
		t.lossSent = max(t.lossSent, p.lossSent)
	}
	enough := int(p.misses) >= e.cfg.DownAfter
	switch {
	case p.state == PairUnreachable:
		if p.flags&isExcused != 0 && at-p.lossSent >= e.recover {
			p.flags &^= isExcused
		}
		if p.reason == ReasonNoTransmit {
			e.setPair(si, slot, PairUnreachable, ReasonMissed, at)
		}
	case !enough && p.state == PairReachable:
		e.setPair(si, slot, PairSuspect, ReasonMissed, at)
	case !enough, p.flags&isHeld != 0:
		return
	case p.state == PairUnknown && p.replied > 0:
		e.setPair(si, slot, PairUnreachable, ReasonMissed, at)
	case p.state == PairUnknown && t.ever:
		e.setPair(si, slot, PairUnreachable, ReasonNeverAnswered, at)
	case p.state == PairUnknown:
		e.setPair(si, slot, PairUnknown, ReasonNeverAnswered, at)
	default:
		if end := e.holdUntil(si, slot); end > at {
			e.held(t, p, end)
			e.changePair(si, slot, PairSuspect, ReasonCommonLoss, isHeld, at)
		} else {
			e.setPair(si, slot, PairUnreachable, ReasonMissed, at)
		}
	}
	e.mark(si)
}

// holdUntil says until when a pair with enough misses stays Suspect because the
// target may be at fault and not the slave, or 0.
//
// Another slave clears the target with an answer to a probe sent after this
// pair's last one. As long as none has, and one of them may still tell, the pair
// waits, but no longer than its own bound. Only where no other slave had an
// answer since this pair's loss began, and one of them is losing the target too,
// it waits until that one has enough misses. That takes one bound from this
// pair's loss, and longer where probes are late or cannot be sent, but no more
// than two.
func (e *Engine) holdUntil(si, slot int32) int64 {
	p, t := e.pair(si, slot), &e.targets[slot]
	n := t.n
	n[p.class()]--
	switch others := n[classReachable] + n[classSuspect]; {
	case e.linked < 2:
		return 0
	case n[classSuspect] > 0 && t.goodSent <= p.lossSent:
		return p.lossSent + 2*e.bound
	case others > 0 && t.goodSent <= e.sentAt(p), others+n[classUnknown] == 0 && e.elsewhere(slot, false):
		return p.goodSent + e.bound
	}
	return 0
}

// holdKey is what holdUntil depends on beside the times of the pair itself.
func (e *Engine) holdKey(slot int32) uint8 {
	t := &e.targets[slot]
	key := uint8(1)
	for i, b := range [...]bool{
		e.linked < 2, t.n[classSuspect] > 0, t.n[classReachable] > 0, t.n[classUnknown] > 0, e.elsewhere(slot, false), t.goodSent > t.heldSent,
	} {
		if b {
			key |= 2 << i
		}
	}
	return key
}

// elsewhere reports whether some slave reaches another target now. With proof it
// must have had an answer to a probe sent after the loss of this target began,
// and have been reaching the other one when the last of the misses was sent:
// after a fault of everything, the target that returns first proves nothing
// about the next.
func (e *Engine) elsewhere(slot int32, proof bool) bool {
	t := &e.targets[slot]
	for _, o := range e.active {
		u := &e.targets[o]
		if o == slot || u.down || u.n[classReachable] == 0 {
			continue
		}
		if !proof || u.goodSent > t.lossSent && u.since <= t.missSent {
			return true
		}
	}
	return false
}

// lost reports whether no linked slave has any hope left of reaching a target.
func (e *Engine) lost(t *target) bool {
	return t.n[classHeld]+t.n[classUnreachable]+t.n[classNever] == e.linked
}

// mark has a slave looked at by the next evaluation, and the targets.
func (e *Engine) mark(si int32) {
	e.recheck = true
	if s := &e.slaves[si]; !s.isDirty {
		s.isDirty = true
		e.dirty = append(e.dirty, si)
	}
}

// markAll marks all slaves.
func (e *Engine) markAll() {
	for si := range e.slaves {
		if e.slaves[si].used {
			e.mark(int32(si))
		}
	}
}

// evaluate makes the verdicts when all that is known is told: targets first, so
// that no slave is blamed for one.
func (e *Engine) evaluate(at int64) {
	if e.recheck || at >= e.holdEnd {
		e.recheck, e.doubt = false, false
		e.holdEnd = math.MaxInt64
		for _, slot := range e.active {
			e.evalTarget(slot, at)
			e.holdEnd = min(e.holdEnd, e.targets[slot].holdEnd)
		}
		e.recheck = false
	}
	for _, si := range e.dirty {
		e.slaves[si].isDirty = false
		if e.slaves[si].used {
			e.evalSlave(si, at)
		}
	}
	e.dirty = e.dirty[:0]
}

// evalTarget decides whether a target is down, and on the pairs that wait for
// that.
func (e *Engine) evalTarget(slot int32, at int64) {
	t := &e.targets[slot]
	if t.ever && t.n[classNever] > 0 {
		e.restartNever(slot, at)
	}
	switch {
	case t.down && (t.n[classReachable] > 0 || e.allDown()):
		t.down = false
		e.event(at, EventTargetUp).Target = t.t
		if t.n[classReachable] > 0 {
			e.excuse(slot)
		}
		e.markAll()
	case !t.down && e.linked >= 2 && e.lost(t) && e.elsewhere(slot, true):
		t.down = true
		e.event(at, EventTargetDown).Target = t.t
		e.settle(slot, at, true)
		e.markAll()
	case t.n[classHeld] == 0:
		t.holdEnd, t.heldSent = math.MaxInt64, math.MaxInt64
	case at >= t.holdEnd || t.holdKey != e.holdKey(slot):
		e.settle(slot, at, false)
	}
	if !t.down && (t.n[classHeld] > 0 || e.linked >= 2 && e.lost(t)) {
		e.doubt = true
	}
}

// allDown reports whether every target is down, which can only be after the
// others were removed.
func (e *Engine) allDown() bool {
	for _, slot := range e.active {
		if !e.targets[slot].down {
			return false
		}
	}
	return true
}

// held notes when a held pair of a target must be looked at again.
func (e *Engine) held(t *target, p *pair, end int64) {
	clears := p.lossSent
	if t.goodSent > clears {
		clears = e.sentAt(p)
	}
	t.holdEnd, t.heldSent = min(t.holdEnd, end), min(t.heldSent, clears)
}

// settle decides on the pairs that are held for a target: all of them, or those
// whose time is over or whose target was cleared.
func (e *Engine) settle(slot int32, at int64, all bool) {
	t := &e.targets[slot]
	t.holdEnd, t.heldSent = math.MaxInt64, math.MaxInt64
	for si := range e.slaves {
		s, p := &e.slaves[si], e.pair(int32(si), slot)
		if !s.used || p.flags&isHeld == 0 {
			continue
		}
		if end := e.holdUntil(int32(si), slot); !all && end > at {
			e.held(t, p, end)
			continue
		}
		r := ReasonMissed
		if all {
			r = ReasonTargetDown
		}
		e.setPair(int32(si), slot, PairUnreachable, r, at)
		e.mark(int32(si))
	}
	t.holdKey = e.holdKey(slot)
}

// excuse gives the slaves that do not reach a target yet time to follow the
// one that does.
func (e *Engine) excuse(slot int32) {
	for si := range e.slaves {
		if p := e.pair(int32(si), slot); e.slaves[si].link == LinkUp && p.state == PairUnreachable {
			p.flags |= isExcused
			p.lossSent = e.now
		}
	}
}

// restartNever begins again with the pairs that never had an answer from a target
// which somebody has now reached: until then it may not have been there.
func (e *Engine) restartNever(slot int32, at int64) {
	for si := range e.slaves {
		if p := e.pair(int32(si), slot); e.slaves[si].link == LinkUp && p.class() == classNever {
			e.setPair(int32(si), slot, PairUnknown, ReasonStarting, at)
			p.misses = 0
			e.mark(int32(si))
		}
	}
}

// noTransmit takes a slave down through which nothing could be sent.
func (e *Engine) noTransmit(si int32, at int64) {
	e.slaves[si].noTX = true
	for _, slot := range e.active {
		e.setPair(si, slot, PairUnreachable, ReasonNoTransmit, at)
	}
	e.mark(si)
}

// evalSlaves looks at all slaves again.
func (e *Engine) evalSlaves(at int64) {
	for si := range e.slaves {
		if e.slaves[si].used {
			e.evalSlave(int32(si), at)
		}
	}
}

// evalSlave decides on a slave from its pairs.
func (e *Engine) evalSlave(si int32, at int64) {
	s := &e.slaves[si]
	switch {
	case s.link != LinkUp:
		e.setSlave(si, SlaveNoLink, ReasonNoLink, at)
	case e.stopped:
		e.setSlave(si, SlaveUnknown, ReasonProbeSuspectedOfPortLoss, at)
	case s.noTX:
		e.setSlave(si, SlaveDown, ReasonNoTransmit, at)
	case len(e.active) == 0:
		e.setSlave(si, SlaveUnknown, ReasonNoTargets, at)
	case !s.probing:
		e.setSlave(si, SlaveUnknown, ReasonWaiting, at)
	default:
		st, r := e.verdict(si)
		e.setSlave(si, st, r, at)
	}
}

// verdict counts the pairs of a slave under the policy. Targets that are down
// on every slave do not count, nor do pairs of which nothing is known yet, if
// the others already made a verdict. A target that never answered anybody
// leaves the verdict open only as long as no other one is lost.
func (e *Engine) verdict(si int32) (SlaveState, Reason) {
	s := &e.slaves[si]
	var n [classes]int
	var missed, held, noTX, decided bool
	count := 0
	for _, slot := range e.active {
		p := e.pair(si, slot)
		if e.targets[slot].down || p.flags&isExcused != 0 {
			continue
		}
		count++
		n[p.class()]++
		decided = decided || p.decided()
		missed = missed || p.reason == ReasonMissed || p.reason == ReasonTargetDown
		held = held || p.reason == ReasonCommonLoss
		noTX = noTX || p.reason == ReasonNoTransmit
	}
	if count == 0 {
		// Everything is excused: nothing speaks for a change.
		if s.state == SlaveNoLink {
			return SlaveUnknown, ReasonStarting
		}
		return s.state, s.reason
	}
	if decided && (s.state.Reachable() || s.state == SlaveDown) {
		count -= n[classUnknown]
		n[classUnknown] = 0
	}
	need := e.cfg.Policy.need(count)
	up := n[classReachable]
	doubtful := up + n[classSuspect] + n[classHeld]
	switch {
	case up >= need:
		return SlaveUp, ReasonReplies
	case doubtful >= need && held:
		return SlaveSuspect, ReasonCommonLoss
	case doubtful >= need:
		return SlaveSuspect, ReasonMissed
	case doubtful+n[classUnknown] >= need:
		return SlaveUnknown, ReasonStarting
	case doubtful+n[classUnknown]+n[classNever] >= need && n[classUnreachable] == 0:
		return SlaveUnknown, ReasonNeverAnswered
	case noTX && !missed:
		return SlaveDown, ReasonNoTransmit
	case missed:
		return SlaveDown, ReasonMissed
	}
	return SlaveDown, ReasonNeverAnswered
}

// setSlave gives a slave a state and a reason, and says so.
func (e *Engine) setSlave(si int32, st SlaveState, r Reason, at int64) {
	s := &e.slaves[si]
	if s.state == st && s.reason == r {
		return
	}
	ev := e.event(at, EventSlave)
	ev.Slave, ev.From, ev.To, ev.Reason = e.id(si), uint8(s.state), uint8(st), r
	if s.state != st {
		s.since = at
		if s.state.Reachable() != st.Reachable() {
			s.changes++
		}
	}
	e.states[s.state]--
	e.states[st]++
	s.state, s.reason = st, r
	e.evalGroup(at)
}

// evalGroup decides on the group from the counts of the slaves.
func (e *Engine) evalGroup(at int64) {
	g := GroupUnknown
	switch {
	case e.states[SlaveUp]+e.states[SlaveSuspect] > 0:
		g = GroupOK
	case e.states[SlaveDown] > 0:
		g = GroupFailure
	}
	if g == e.group {
		return
	}
	ev := e.event(at, EventGroup)
	ev.From, ev.To = uint8(e.group), uint8(g)
	e.group = g
}
