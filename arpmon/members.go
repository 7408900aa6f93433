// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"fmt"
	"math"
	"strconv"
)

// AddSlave adds a slave and returns its name in this engine. Its first probe is
// due at once, or when the careful start lets it; other slaves are not
// disturbed.
//
// Errors are an [*Error] that matches ErrTooMany where MaxSlaves are there
// already, and ErrUnsafeIdentity where the identity's MAC address is not a
// unicast address, is another slave's too, or its address is not IPv4.
func (e *Engine) AddSlave(c SlaveConfig, at int64) (SlaveID, error) {
	at = e.advance(at)
	si := int32(-1)
	for i := range e.slaves {
		if !e.slaves[i].used {
			si = int32(i)
			break
		}
	}
	if si < 0 {
		return 0, &Error{Op: "add slave", Field: "slaves", Value: strconv.Itoa(len(e.slaves) + 1), Err: ErrTooMany, Hint: "raise MaxSlaves"}
	}
	if err := e.checkIdentity("add slave", c.Identity, -1); err != nil {
		return 0, err
	}
	s := &e.slaves[si]
	*s = slave{gen: s.gen + 1, used: true, isActive: c.Active, isDirty: s.isDirty, since: at}
	if s.gen == 0 {
		s.gen = 1
	}
	s.salt = mix(e.cfg.Seed ^ mix(uint64(e.id(si))))
	e.states[SlaveUnknown]++
	e.setAddresses(s, c.Identity, c.Device)
	for slot := range e.targets {
		*e.pair(si, int32(slot)) = pair{since: at, reason: ReasonNoLink}
	}
	e.event(at, EventAdded).Slave = e.id(si)
	e.setSlave(si, SlaveNoLink, ReasonNoLink, at)
	e.setLink(si, c.Link, at)
	return e.id(si), nil
}

// RemoveSlave forgets a slave. It reports whether the slave was known.
func (e *Engine) RemoveSlave(id SlaveID, at int64) bool {
	si := e.find(id)
	if si < 0 {
		return false
	}
	at = e.advance(at)
	s := &e.slaves[si]
	e.setLink(si, LinkDown, at)
	e.own.remove(s.mac)
	e.own.remove(s.device)
	e.states[s.state]--
	s.used = false
	e.event(at, EventRemoved).Slave = id
	e.evalGroup(at)
	return true
}

// SetLink tells the state of a slave's link. When the link comes up, what was
// known of its pairs is forgotten, and one answer makes it Up. It reports
// whether the slave was known.
func (e *Engine) SetLink(id SlaveID, l Link, at int64) bool {
	si := e.find(id)
	if si < 0 {
		return false
	}
	e.setLink(si, l, e.advance(at))
	return true
}

// SetActive tells whether a slave carries the bond's traffic. It reports whether
// the slave was known.
func (e *Engine) SetActive(id SlaveID, active bool) bool {
	si := e.find(id)
	if si < 0 {
		return false
	}
	e.slaves[si].isActive = active
	return true
}

// SetIdentity changes who a slave's probes are from, and the hardware address
// of its interface. Probes under way are forgotten, which is no miss; verdicts
// stay. The errors are those of [Engine.AddSlave], and ErrNoSlave.
func (e *Engine) SetIdentity(id SlaveID, i Identity, device MAC, at int64) error {
	si := e.find(id)
	if si < 0 {
		return &Error{Op: "set identity", Err: ErrNoSlave}
	}
	e.advance(at)
	if err := e.checkIdentity("set identity", i, si); err != nil {
		return err
	}
	s := &e.slaves[si]
	if s.mac == i.MAC.key() && s.spa == ipv4(i.Addr) && s.device == device.key() {
		return nil
	}
	if s.mac != i.MAC.key() {
		s.firstSent = 0
	}
	e.own.remove(s.mac)
	e.own.remove(s.device)
	e.setAddresses(s, i, device)
	for _, slot := range e.active {
		e.pair(si, slot).flags &^= isIssued | isOutstanding | isAnswered
	}
	return nil
}

// SetTargets replaces the targets. Pairs of targets that stay are left
// untouched. The errors are those of [Config.Validate] and leave everything as
// it was; the Interval does not change, so more targets may not fit it.
func (e *Engine) SetTargets(targets []Target, at int64) error {
	at = e.advance(at)
	if err := checkTargets(targets); err != nil {
		return err
	}
	if len(targets) > len(e.targets) {
		return &Error{Op: "set targets", Field: "Targets", Value: strconv.Itoa(len(targets)), Err: ErrTooMany, Hint: "raise MaxTargets"}
	}
	if err := e.cfg.checkBudget("set targets", len(targets)); err != nil {
		return err
	}
	if err := e.cfg.checkPolicy("set targets", len(targets)); err != nil {
		return err
	}
	for slot := range e.targets {
		if e.targets[slot].used && !named(targets, e.targets[slot].t) {
			e.dropTarget(int32(slot))
		}
	}
	for _, t := range targets {
		if slot, known := e.slotFor(t); !known {
			e.useTarget(slot, t)
			for si := range e.slaves {
				if e.slaves[si].used {
					e.joinTarget(int32(si), slot, at)
				}
			}
		}
	}
	e.recheck = true
	e.markAll()
	return nil
}

// Resume starts probing again after it was stopped, carefully as at the
// beginning. It reports whether it was stopped.
func (e *Engine) Resume(at int64) bool {
	if !e.stopped {
		return false
	}
	at = e.advance(at)
	e.stopped = false
	e.started = e.cfg.NoCanary
	e.event(at, EventResumed)
	for si := range e.slaves {
		e.slaves[si].firstSent = 0
		e.startSlave(int32(si), at, true)
	}
	e.evalSlaves(at)
	return true
}

func (e *Engine) checkIdentity(op string, i Identity, self int32) error {
	k := i.MAC.key()
	bad := func(hint string) error {
		return &Error{Op: op, Field: "Identity", Value: i.MAC.String(), Err: ErrUnsafeIdentity, Hint: hint}
	}
	switch {
	case k == 0, k&macMulticast != 0:
		return bad("not a unicast address")
	case i.Addr.IsValid() && (!i.Addr.Unmap().Is4() || i.Addr.IsMulticast()):
		return &Error{Op: op, Field: "Identity", Value: i.Addr.String(), Err: ErrUnsafeIdentity, Hint: "not an IPv4 address"}
	case !e.own.has(k):
		return nil
	}
	for si := range e.slaves {
		if s := &e.slaves[si]; s.used && int32(si) != self && s.mac == k {
			return bad(fmt.Sprintf("slave %d probes with it already", uint32(e.id(int32(si)))))
		}
	}
	return nil
}

func (e *Engine) setAddresses(s *slave, i Identity, device MAC) {
	s.mac, s.spa, s.device = i.MAC.key(), ipv4(i.Addr), device.key()
	e.own.add(s.mac)
	e.own.add(s.device)
}

// setLink moves a slave between link states and starts or ends its probing.
func (e *Engine) setLink(si int32, l Link, at int64) {
	s := &e.slaves[si]
	old := s.link
	if old == l {
		return
	}
	s.link = l
	switch {
	case l == LinkUp:
		e.linked++
		for _, slot := range e.active {
			e.targets[slot].n[e.pair(si, slot).class()]++
		}
		e.startSlave(si, at, true)
		e.evalSlave(si, at)
	case old == LinkUp:
		for _, slot := range e.active {
			p := e.pair(si, slot)
			e.targets[slot].n[p.class()]--
			e.setPair(si, slot, PairUnknown, ReasonNoLink, at)
			e.forgetProbe(si, slot)
			p.mac = MAC{}
		}
		e.linked--
		s.probing, s.noTX, s.failing, s.lastSent = false, false, 0, 0
		if e.canary == si {
			e.canary = -1
		}
		e.evalSlave(si, at)
		if l == LinkNoCarrier && !e.cfg.NoCanary && s.firstSent != 0 && at-s.firstSent < int64(PortLossWindow) {
			e.stop(si, at)
		}
	}
	e.recheck = true
}

// stop ends all probing because a probe may have shut the port of slave si.
func (e *Engine) stop(si int32, at int64) {
	if e.stopped {
		return
	}
	e.stopped = true
	ev := e.event(at, EventStopped)
	ev.Slave, ev.Reason = e.id(si), ReasonProbeSuspectedOfPortLoss
	e.canary = -1
	for i := range e.slaves {
		if s := &e.slaves[i]; s.used {
			for _, slot := range e.active {
				if s.link == LinkUp {
					e.setPair(int32(i), slot, PairUnknown, ReasonProbeSuspectedOfPortLoss, at)
				}
				e.forgetProbe(int32(i), slot)
			}
			s.probing, s.noTX, s.failing = false, false, 0
		}
	}
	e.evalSlaves(at)
}

// startSlave begins probing on a slave with a link, unless it must wait. fresh
// says that nothing is known of its pairs.
func (e *Engine) startSlave(si int32, at int64, fresh bool) {
	s := &e.slaves[si]
	if !s.used || s.link != LinkUp {
		return
	}
	reason := ReasonStarting
	switch {
	case e.stopped:
		reason = ReasonProbeSuspectedOfPortLoss
	case !e.started && e.canary != si:
		reason = ReasonWaiting
	}
	if fresh {
		for _, slot := range e.active {
			e.setPair(si, slot, PairUnknown, reason, at)
		}
	}
	if reason != ReasonStarting || s.probing {
		return
	}
	s.probing = true
	start := at
	if e.canary != si {
		// Many slaves that start at once do not send at once.
		start += int64(spread(mix(s.salt), uint64(e.cfg.Interval/4)))
	}
	step := e.step()
	for k, slot := range e.active {
		e.queue.put(e.index(si, slot), start+int64(k)*step)
	}
	e.evalSlave(si, at)
}

// forgetProbe takes a pair out of the queue and forgets its probe and streaks.
func (e *Engine) forgetProbe(si, slot int32) {
	p := e.pair(si, slot)
	e.queue.remove(e.index(si, slot))
	p.flags = 0
	p.misses, p.replies = 0, 0
}

// useTarget puts a target into a free slot.
func (e *Engine) useTarget(slot int32, t Target) {
	t.Addr = t.Addr.Unmap()
	e.targets[slot] = target{t: t, spa: ipv4(t.Addr), used: true, holdEnd: math.MaxInt64, heldSent: math.MaxInt64}
	e.active = append(e.active, slot)
	e.spas = append(e.spas, ipv4(t.Addr))
}

// dropTarget frees a slot.
func (e *Engine) dropTarget(slot int32) {
	for si := range e.slaves {
		e.forgetProbe(int32(si), slot)
	}
	for i, a := range e.active {
		if a == slot {
			e.active = append(e.active[:i], e.active[i+1:]...)
			e.spas = append(e.spas[:i], e.spas[i+1:]...)
			break
		}
	}
	e.targets[slot] = target{}
}

// joinTarget makes the pair of a slave and a new target.
func (e *Engine) joinTarget(si, slot int32, at int64) {
	s, p := &e.slaves[si], e.pair(si, slot)
	*p = pair{since: at, reason: ReasonNoLink}
	if s.link != LinkUp {
		return
	}
	e.targets[slot].n[p.class()]++
	p.reason = ReasonWaiting
	switch {
	case s.probing:
		p.reason = ReasonStarting
		e.schedule(si, slot, at)
	case e.stopped:
		p.reason = ReasonProbeSuspectedOfPortLoss
	}
}

// slotFor returns the slot of a target, or a free one.
func (e *Engine) slotFor(t Target) (slot int32, known bool) {
	free := int32(-1)
	for i := range e.targets {
		switch u := &e.targets[i]; {
		case u.used && u.t.Addr == t.Addr.Unmap() && u.t.VLANs == t.VLANs:
			return int32(i), true
		case !u.used && free < 0:
			free = int32(i)
		}
	}
	return free, false
}

func named(targets []Target, t Target) bool {
	for _, u := range targets {
		if u.Addr.Unmap() == t.Addr && u.VLANs == t.VLANs {
			return true
		}
	}
	return false
}
