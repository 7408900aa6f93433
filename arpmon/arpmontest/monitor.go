// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import (
	"errors"
	"math"
	"net/netip"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// maxBatch is the largest Monitor.Batch.
const maxBatch = 32

// A Monitor is a host whose slaves are watched by an [arpmon.Engine]. It calls
// the engine as [arpmon.Monitor] does on Linux: it wakes when a frame or a
// change of a link comes or the engine asked to be called; then it tells the
// engine of the links, gives it all frames received, asks for probes, sends
// them, and reports back. Each slave has two sockets: frames for the probe's
// MAC address go to Engine.Handle, other ARP frames from a target's address to
// Engine.Observe.
type Monitor struct {
	// Jitter is the longest time by which a wake-up is late, uniform from 0.
	Jitter time.Duration
	// Batch is how many probes it takes from the engine at a time, at least 1
	// and at most 32, which it is at first.
	Batch int
	// Before is called when the Monitor wakes, and After when it is done, with
	// the time at which it will wake again if nothing happens. They must not
	// change anything that the Monitor or the engine owns.
	Before func()
	After  func(next int64)
	// OnProbe is called with every probe that the engine gave out, before it
	// is sent. The probe belongs to the Monitor.
	OnProbe func(s *Slave, p *arpmon.Probe)
	// OnEvent is called with every event.
	OnEvent func(ev arpmon.Event)
	// OnFrame is called with every frame that the engine was given, and what
	// it said.
	OnFrame func(s *Slave, frame []byte, m arpmon.Meta, evidence bool, v arpmon.Verdict)
	// Spins counts how often the engine had no probe to send and still asked to
	// be called at once, which would keep a real Monitor busy for nothing. It
	// should stay 0; the Monitor then waits for a millisecond.
	Spins uint64
	// Bond is the host itself, as a bond over the slaves: it sends and receives
	// through the active slave. It is nil at first, see [Monitor.SetBond].
	Bond *Host

	net     *Network
	engine  *arpmon.Engine
	slaves  []*Slave
	byID    map[arpmon.SlaveID]*Slave
	names   map[arpmon.SlaveID]string
	targets []arpmon.Target
	probes  []arpmon.Probe
	events  []arpmon.Event
	buf     []arpmon.Event
	seq     uint64
	lost    uint64
	wakeAt  int64 // when it will wake for certain, MaxInt64 for never
	next    int64 // what the engine asked for
	paused  int64 // it does not run before
	turn    bool
	ready   []*Slave // with frames, or a link that may have changed
	spare   []*Slave
}

// NewMonitor makes a host with an engine. It runs from then on.
func (n *Network) NewMonitor(cfg arpmon.Config) (*Monitor, error) {
	e, err := arpmon.New(cfg)
	if err != nil {
		return nil, err
	}
	return &Monitor{
		Batch: maxBatch, net: n, engine: e, targets: e.Config().Targets,
		byID: map[arpmon.SlaveID]*Slave{}, names: map[arpmon.SlaveID]string{},
		probes: make([]arpmon.Probe, maxBatch), buf: make([]arpmon.Event, 256),
		wakeAt: math.MaxInt64, next: math.MaxInt64,
	}, nil
}

// Engine returns the engine, to be read.
func (m *Monitor) Engine() *arpmon.Engine { return m.engine }

// Events returns all events so far. The slice belongs to the Monitor.
func (m *Monitor) Events() []arpmon.Event { return m.events }

// LostEvents counts events that the engine did not keep long enough, because
// more than Config.Events came in one turn.
func (m *Monitor) LostEvents() uint64 { return m.lost }

// Slaves returns the slaves in the order in which they were added.
func (m *Monitor) Slaves() []*Slave { return m.slaves }

// SlaveName returns the name of a slave that is or was there.
func (m *Monitor) SlaveName(id arpmon.SlaveID) string { return m.names[id] }

// Describe returns an event in one line: the slave's name, if it is about one,
// and what happened.
func (m *Monitor) Describe(ev arpmon.Event) string {
	if name := m.names[ev.Slave]; name != "" {
		return name + " " + ev.String()
	}
	return ev.String()
}

// AddSlave adds a slave that is connected to a node, and administratively up.
// A zero Identity.MAC in c is replaced by an address of its own; c.Link does not
// matter.
func (m *Monitor) AddSlave(name string, to Node, c arpmon.SlaveConfig) (*Slave, error) {
	if c.Identity.MAC == (arpmon.MAC{}) {
		c.Identity.MAC = m.net.MAC()
	}
	c.Link = arpmon.LinkUp
	id, err := m.engine.AddSlave(c, m.net.now)
	if err != nil {
		m.changed() // the engine may have noticed how late it is
		return nil, err
	}
	s := &Slave{
		Buffer: DefaultBuffer, mon: m, name: name, id: id, admin: true, active: c.Active,
		told: arpmon.LinkUp, identity: c.Identity, device: c.Device,
	}
	m.net.add(s)
	m.slaves = append(m.slaves, s)
	m.byID[id] = s
	m.names[id] = name
	m.net.Connect(s, to)
	m.changed()
	return s, nil
}

// SetTargets is Engine.SetTargets.
func (m *Monitor) SetTargets(targets ...arpmon.Target) error {
	err := m.engine.SetTargets(targets, m.net.now)
	if err == nil {
		m.targets = append([]arpmon.Target(nil), targets...)
	}
	m.changed()
	return err
}

// Resume is Engine.Resume.
func (m *Monitor) Resume() bool {
	ok := m.engine.Resume(m.net.now)
	m.changed()
	return ok
}

// Stall keeps the Monitor from running for d, as if its process was stopped.
// Frames and changes of links wait, frames in sockets of limited size.
func (m *Monitor) Stall(d time.Duration) {
	m.paused = max(m.paused, m.net.now+int64(d))
}

// SetBond makes the host a bond with the given addresses over its slaves, which
// answers ARP as a [Host] does, and connects it to the active slave.
func (m *Monitor) SetBond(name string, addr netip.Addr) *Host {
	m.Bond = m.net.AddHost(name, addr)
	for _, s := range m.slaves {
		if s.active {
			m.Bond.wires = []*Wire{s.out}
		}
	}
	return m.Bond
}

// SetActive moves the bond's traffic to a slave, or to none with nil. A bond
// announces itself there.
func (m *Monitor) SetActive(active *Slave) {
	for _, s := range m.slaves {
		if s.active != (s == active) {
			s.active = s == active
			m.engine.SetActive(s.id, s.active)
		}
	}
	if m.Bond != nil {
		m.Bond.wires = nil
		if active != nil {
			m.Bond.wires = []*Wire{active.out}
			m.Bond.Announce()
		}
	}
	m.changed()
}

// Active returns the active slave, or nil.
func (m *Monitor) Active() *Slave {
	for _, s := range m.slaves {
		if s.active {
			return s
		}
	}
	return nil
}

// Slave returns the slave with a name, or nil.
func (m *Monitor) Slave(name string) *Slave {
	for _, s := range m.slaves {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (m *Monitor) isTarget(a netip.Addr) bool {
	for _, t := range m.targets {
		if t.Addr == a {
			return true
		}
	}
	return false
}

// changed lets the Monitor run after a call that can make something due.
func (m *Monitor) changed() {
	m.collect()
	m.wake(m.net.now)
}

// wake makes the Monitor run at the given time, or a little later.
func (m *Monitor) wake(at int64) {
	if at == math.MaxInt64 {
		return
	}
	at = max(at, m.net.now)
	if m.Jitter > 0 {
		if at >= m.wakeAt {
			return
		}
		at += m.net.rng.Int64N(int64(m.Jitter) + 1)
	}
	if at = max(at, m.paused); at >= m.wakeAt {
		return
	}
	m.wakeAt = at
	m.net.push(event{at: at, fn: m.run})
}

// run is one turn, if it is time for one.
func (m *Monitor) run() {
	now := m.net.now
	if now < m.wakeAt || m.turn {
		return
	}
	m.wakeAt = math.MaxInt64
	if now < m.paused {
		m.wake(m.paused)
		return
	}
	m.turn = true
	if m.Before != nil {
		m.Before()
	}
	ready := m.ready
	m.ready = m.spare[:0]
	for _, s := range ready {
		s.ready = false
		if l := s.LinkState(); l != s.told && !s.removed {
			s.told = l
			m.engine.SetLink(s.id, l, now)
			m.collect()
		}
	}
	for _, s := range ready {
		s.drain(now)
	}
	m.spare = ready
	for {
		n, next := m.engine.Poll(now, m.probes[:min(max(m.Batch, 1), len(m.probes))])
		m.collect()
		for i := range m.probes[:n] {
			m.send(&m.probes[i], now)
		}
		if m.next = next; next > now {
			break
		}
		if n == 0 {
			m.Spins++
			m.next = now + int64(time.Millisecond)
			break
		}
	}
	m.collect()
	m.turn = false
	if m.After != nil {
		m.After(m.next)
	}
	m.wake(m.next)
}

func (m *Monitor) handled(s *Slave, r received, evidence bool, v arpmon.Verdict) {
	if m.OnFrame != nil {
		m.OnFrame(s, r.b, r.m, evidence, v)
	}
	m.collect()
}

var errDown = errors.New("network is down")

// send sends a probe and reports back.
func (m *Monitor) send(p *arpmon.Probe, now int64) {
	s := m.byID[p.Slave]
	if m.OnProbe != nil {
		m.OnProbe(s, p)
	}
	err := s.TXError
	if s.TXFail != nil {
		err = s.TXFail()
	}
	if err == nil && s.LinkState() != arpmon.LinkUp {
		err = errDown
	}
	if err != nil {
		m.engine.NotSent(p, now, err)
		return
	}
	s.out.send(frame{b: append([]byte(nil), p.Frame()...)})
	m.engine.Sent(p, now)
}

// collect reads the engine's new events.
func (m *Monitor) collect() {
	for m.seq < m.engine.Seq() {
		n, next, lost := m.engine.EventsSince(m.seq, m.buf)
		m.lost += lost
		m.seq = next
		for _, ev := range m.buf[:n] {
			m.events = append(m.events, ev)
			if m.OnEvent != nil {
				m.OnEvent(ev)
			}
		}
	}
}
