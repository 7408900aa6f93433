// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"bytes"
	"maps"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

// checker knows what must always be true of a Monitor. It looks at what goes
// into the engine and comes out, and keeps a slow model of its own.
type checker struct {
	fail func(format string, args ...any)
	rig  *arpmontest.Rig
	cfg  arpmon.Config
	snap arpmon.Snapshot
	last arpmon.Stats

	slaves  map[arpmon.SlaveID]*slaveModel
	pairs   map[pairKey]*pairModel
	targets map[arpmon.Target]*targetModel
	group   arpmon.GroupState
	stopped bool
	seq     uint64
	at      int64
	jitter  time.Duration // the largest lateness of a wake-up so far
	actedAt int64         // when the last fault came or went
	// actedStalled is Stats.Stalled then.
	actedStalled time.Duration
	noisy        bool // something loses or delays frames at random
}

type pairKey struct {
	slave  arpmon.SlaveID
	target arpmon.Target
}

// slaveModel is what events and counters said of a slave so far.
type slaveModel struct {
	state       arpmon.SlaveState
	reason      arpmon.Reason
	transitions uint32
	link        arpmon.Link
	cutAt       int64 // since when no answer can arrive; 0 for not cut
	cutStalled  time.Duration
	disturbed   int64 // when its probes last started anew
	wedgedAt    int64 // when it last could not send
	before      arpmon.SlaveStatus
}

// pairModel is what probes, frames and events said of a pair so far.
type pairModel struct {
	state       arpmon.PairState
	reason      arpmon.Reason
	said        bool // there was an event
	made        int64
	sentAt      int64 // of the last probe; 0 for none
	triedAt     int64 // of the last that was sent or not
	outstanding bool
	forgotten   uint64 // probes whose fate nobody asks any more
	loudAt      int64  // when the last probe went to everybody
	mac         arpmon.MAC
	rtt, least  time.Duration
	misses      int
	replies     int // in a row
	before      arpmon.PairStatus
}

type targetModel struct {
	down    bool
	upAt    int64 // when it was last said to be up again
	stalled time.Duration
}

func newChecker(r *arpmontest.Rig, cfg arpmon.Config, fail func(string, ...any)) *checker {
	c := &checker{
		fail: fail, rig: r, cfg: cfg,
		slaves: map[arpmon.SlaveID]*slaveModel{}, pairs: map[pairKey]*pairModel{}, targets: map[arpmon.Target]*targetModel{},
	}
	c.retarget(cfg.Targets)
	for _, ev := range r.Mon.Events() {
		c.event(ev)
	}
	r.Mon.OnEvent = c.event
	r.Mon.OnProbe = c.probe
	r.Mon.OnFrame = c.frame
	r.Mon.Before = c.before
	r.Mon.After = c.after
	return c
}

// retarget tells the checker of new targets before the engine is told. The
// function it returns undoes that.
func (c *checker) retarget(ts []arpmon.Target) (undo func()) {
	targets, pairs := maps.Clone(c.targets), maps.Clone(c.pairs)
	stay := map[arpmon.Target]bool{}
	for _, t := range ts {
		stay[t] = true
		if c.targets[t] == nil {
			c.targets[t] = &targetModel{}
		}
	}
	for t := range c.targets {
		if !stay[t] {
			delete(c.targets, t)
		}
	}
	for k := range c.pairs {
		if !stay[k.target] {
			delete(c.pairs, k)
		}
	}
	return func() { c.targets, c.pairs = targets, pairs }
}

// cut tells the checker that nothing reaches a slave any more, or that
// something does again.
func (c *checker) cut(s *arpmontest.Slave, on bool) {
	m := c.slaves[s.ID()]
	if !on {
		m.cutAt = 0
	} else if m.cutAt == 0 {
		m.cutAt, m.cutStalled = c.rig.Now(), c.rig.Mon.Engine().Stats().Stalled
	}
}

// acted tells the checker that a fault may have come or gone.
func (c *checker) acted() {
	c.actedAt, c.actedStalled = c.rig.Now(), c.rig.Mon.Engine().Stats().Stalled
}

// disturb tells the checker that the probes under way on a slave are forgotten.
func (c *checker) disturb(s *arpmontest.Slave) {
	for k, p := range c.pairs {
		if k.slave == s.ID() {
			p.drop()
		}
	}
	c.later(s)
}

// later tells the checker that something happened from which the bound of a
// cut counts anew.
func (c *checker) later(s *arpmontest.Slave) {
	if m := c.slaves[s.ID()]; m.cutAt != 0 {
		m.cutAt, m.cutStalled = c.rig.Now(), c.rig.Mon.Engine().Stats().Stalled
	}
}

// drop forgets the probe under way.
func (p *pairModel) drop() {
	if p.outstanding {
		p.outstanding = false
		p.forgotten++
	}
}

// judge counts the probe under way as missed if its time is over.
func (c *checker) judge(p *pairModel) {
	if p.outstanding && c.rig.Now() >= p.sentAt+int64(c.cfg.Timeout) {
		p.outstanding = false
		p.misses++
		p.replies = 0
	}
}

// forget tells the checker that a slave will be removed.
func (c *checker) forget(s *arpmontest.Slave) {
	m := c.slaves[s.ID()]
	m.cutAt = 0
}

func (c *checker) setJitter(d time.Duration) {
	c.rig.Mon.Jitter = d
	c.late(d)
}

// late tells the checker how late a wake-up may be.
func (c *checker) late(d time.Duration) { c.jitter = max(c.jitter, d) }

// pair returns the model of a pair, a new one if the engine has just made it.
func (c *checker) pair(k pairKey) *pairModel {
	p := c.pairs[k]
	if p == nil {
		p = &pairModel{made: c.rig.Now()}
		c.pairs[k] = p
	}
	return p
}

// event checks that an event follows from those before, and replays it.
func (c *checker) event(ev arpmon.Event) {
	if c.seq++; ev.Seq != c.seq {
		c.fail("event %d follows %d", ev.Seq, c.seq-1)
	}
	if ev.At < c.at || ev.At > c.rig.Now() {
		c.fail("event %d happened at %d, after one at %d, and now is %d", ev.Seq, ev.At, c.at, c.rig.Now())
	}
	c.at = ev.At
	switch ev.Kind {
	case arpmon.EventAdded:
		if c.slaves[ev.Slave] != nil {
			c.fail("slave %d was added twice", ev.Slave)
		}
		c.slaves[ev.Slave] = &slaveModel{}
	case arpmon.EventRemoved:
		delete(c.slaves, ev.Slave)
		for k := range c.pairs {
			if k.slave == ev.Slave {
				delete(c.pairs, k)
			}
		}
	case arpmon.EventSlave:
		m := c.slaves[ev.Slave]
		from, to := ev.SlaveStates()
		if m == nil || from != m.state || from == to && ev.Reason == m.reason {
			c.fail("event %v of slave %d does not follow %+v", ev.String(), ev.Slave, m)
			return
		}
		if from.Reachable() != to.Reachable() {
			m.transitions++
		}
		m.state, m.reason = to, ev.Reason
	case arpmon.EventPair:
		p := c.pair(pairKey{ev.Slave, ev.Target})
		from, to := ev.PairStates()
		if c.slaves[ev.Slave] == nil || from != p.state || p.said && from == to && ev.Reason == p.reason {
			c.fail("event %v of slave %d does not follow %+v", ev.String(), ev.Slave, p)
		}
		if to == arpmon.PairReachable {
			need := 1
			if from == arpmon.PairUnreachable {
				need = c.cfg.UpAfter
			}
			if p.replies < need {
				c.fail("slave %d: %v after %d answers", ev.Slave, ev.String(), p.replies)
			}
		}
		if p.reason == arpmon.ReasonNeverAnswered && ev.Reason == arpmon.ReasonStarting {
			p.misses = 0 // somebody has reached the target for the first time
		}
		p.state, p.reason, p.said = to, ev.Reason, true
	case arpmon.EventGroup:
		from, to := ev.GroupStates()
		if from != c.group || from == to {
			c.fail("event %v of the group does not follow %v", ev.String(), c.group)
		}
		c.group = to
	case arpmon.EventTargetDown:
		t := c.targets[ev.Target]
		if t == nil || t.down {
			c.fail("%v of a target that is %+v", ev.String(), t)
			return
		}
		t.down = true
		c.targetDown(ev.Target)
	case arpmon.EventTargetUp:
		t := c.targets[ev.Target]
		if t == nil || !t.down {
			c.fail("%v of a target that is %+v", ev.String(), t)
			return
		}
		t.down, t.upAt, t.stalled = false, ev.At, c.rig.Mon.Engine().Stats().Stalled
	case arpmon.EventStopped, arpmon.EventResumed:
		stopped := ev.Kind == arpmon.EventStopped
		if c.stopped == stopped || c.cfg.NoCanary {
			c.fail("%v, and stopped is %v", ev.String(), c.stopped)
		}
		c.stopped = stopped
		for _, m := range c.slaves {
			m.disturbed = c.rig.Now()
		}
		for _, p := range c.pairs {
			p.drop()
			p.misses, p.replies = 0, 0
		}
	case arpmon.EventConflict, arpmon.EventMACChanged, arpmon.EventStall:
	}
}

// targetDown checks that a target may be called down now.
func (c *checker) targetDown(t arpmon.Target) {
	c.rig.Mon.Engine().Snapshot(&c.snap)
	linked, elsewhere := 0, false
	for i := range c.snap.Slaves {
		s := &c.snap.Slaves[i]
		if s.Link != arpmon.LinkUp {
			continue
		}
		linked++
		for _, p := range s.Pairs {
			switch {
			case p.Target != t:
				elsewhere = elsewhere || p.State == arpmon.PairReachable
			case p.State == arpmon.PairReachable:
				c.fail("%v is called down and is reachable", t)
			}
		}
	}
	if linked < 2 || !elsewhere {
		c.fail("%v is called down with %d linked slaves and other targets reachable: %v", t, linked, elsewhere)
	}
}

func (c *checker) target(frame []byte, offset int) arpmon.Target {
	for t := range c.targets {
		if a := t.Addr.As4(); a == [4]byte(frame[offset:offset+4]) {
			return t
		}
	}
	c.fail("a probe for % x, which is no target", frame[offset:offset+4])
	return arpmon.Target{}
}

// probe checks that a probe may be sent now.
func (c *checker) probe(s *arpmontest.Slave, pr *arpmon.Probe) {
	now := c.rig.Now()
	m := c.slaves[s.ID()]
	p := c.pair(pairKey{s.ID(), c.target(pr.Frame(), 38)})
	if c.stopped || m.state == arpmon.SlaveNoLink {
		c.fail("%s sends a probe, stopped %v, %v", s.Name(), c.stopped, m.state)
	}
	c.judge(p)
	if p.outstanding {
		c.fail("%s has two probes outstanding", s.Name())
	}
	if gap := now - p.sentAt; p.sentAt != 0 && p.sentAt >= m.disturbed && gap < int64(c.cfg.Timeout) {
		c.fail("%s sends after %v, before the timeout of %v", s.Name(), time.Duration(gap), c.cfg.Timeout)
	}
	c.probeFrame(s, pr, p)
	p.triedAt = now
	if s.TXError == nil && s.Link().Carrier() {
		p.sentAt, p.outstanding = now, true
		if pr.Broadcast {
			p.loudAt = max(now, 1)
		}
	}
}

// probeFrame checks a probe's bytes, and to whom it goes.
func (c *checker) probeFrame(s *arpmontest.Slave, pr *arpmon.Probe, p *pairModel) {
	id := s.Identity()
	want := arpmontest.ARP{
		Dst: p.mac, Src: id.MAC, Op: arpmontest.Request,
		SHA: id.MAC, SPA: id.Addr, TPA: c.target(pr.Frame(), 38).Addr,
	}
	loud := p.mac == arpmon.MAC{} || p.misses > 0 || p.loudAt == 0 || c.rig.Now()-p.loudAt >= int64(arpmon.BroadcastEvery)
	if loud {
		want.Dst = arpmontest.Broadcast
	}
	if pr.Broadcast != loud || !bytes.Equal(pr.Frame(), want.Frame()) {
		c.fail("%s sends % x (broadcast %v), want % x (%v)", s.Name(), pr.Frame(), pr.Broadcast, want.Frame(), loud)
	}
}

// frame takes what the engine said of a frame into the model.
func (c *checker) frame(s *arpmontest.Slave, b []byte, _ arpmon.Meta, evidence bool, v arpmon.Verdict) {
	if v != arpmon.Accepted {
		return
	}
	p := c.pair(pairKey{s.ID(), c.target(b, 28)})
	if evidence || !p.outstanding {
		c.fail("%s accepted an answer, outstanding %v, evidence %v", s.Name(), p.outstanding, evidence)
	}
	p.outstanding = false
	p.misses = 0
	p.replies++
	p.mac = arpmon.MAC(b[22:28])
	if rtt := time.Duration(c.rig.Now() - p.sentAt); rtt <= c.cfg.Timeout {
		p.rtt = rtt
		if p.least == 0 || rtt < p.least {
			p.least = rtt
		}
	}
}

// before takes the links and the timeouts into the model as the engine will see
// them in this turn. Answers come first: see frame.
func (c *checker) before() {
	for _, s := range c.rig.Mon.Slaves() {
		m := c.slaves[s.ID()]
		if l := s.LinkState(); l != m.link {
			m.link = l
			m.disturbed = c.rig.Now()
			for k, p := range c.pairs {
				if k.slave == s.ID() {
					p.drop()
					p.misses, p.replies, p.mac = 0, 0, arpmon.MAC{}
				}
			}
		}
	}
}

// after is called at the end of every turn.
func (c *checker) after(next int64) {
	now := c.rig.Now()
	if c.rig.Mon.Spins != 0 || next <= now {
		c.fail("the engine wants to be called at %d, now is %d", next, now)
	}
	for k, p := range c.pairs {
		c.judge(p)
		m := c.slaves[k.slave]
		switch {
		case m == nil || c.stopped:
			continue
		case p.outstanding && next > p.sentAt+int64(c.cfg.Timeout):
			c.fail("slave %d %v: a probe times out at %d, and the engine sleeps until %d", k.slave, k.target, p.sentAt+int64(c.cfg.Timeout), next)
		case p.triedAt > m.disturbed && next > p.triedAt+int64(c.cfg.Interval+2*c.jitter)+int64(c.rig.Mon.Engine().Stats().Stalled) && m.state != arpmon.SlaveNoLink:
			c.fail("slave %d %v: the last probe was at %d, and the engine sleeps until %d", k.slave, k.target, p.triedAt, next)
		}
	}
	c.check()
	for i := range c.snap.Slaves {
		c.verdict(&c.snap.Slaves[i])
	}
	group := arpmon.GroupUnknown
	for _, s := range c.snap.Slaves {
		switch {
		case s.State.Reachable():
			group = arpmon.GroupOK
		case s.State == arpmon.SlaveDown && group == arpmon.GroupUnknown:
			group = arpmon.GroupFailure
		}
	}
	if c.snap.Group != group {
		c.fail("the group is %v, and its slaves make it %v", c.snap.Group, group)
	}
}
