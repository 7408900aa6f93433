// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// DefaultBuffer is how many frames each socket of a new [Slave] holds.
const DefaultBuffer = 256

// evidenceTurn is how many frames of evidence are looked at in one turn.
const evidenceTurn = 64

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

// A Slave is an interface of a [Monitor].
type Slave struct {
	// TXError is why its queue accepts nothing; nil accepts everything.
	TXError error
	// TXFail, if set, is asked before each probe, and overrules TXError.
	TXFail func() error
	// Promiscuous lets frames for unknown addresses reach the sockets.
	Promiscuous bool
	// Buffer is how many frames each of its two sockets holds.
	Buffer int
	// Drops counts the frames for which a socket had no room.
	Drops uint64

	mon      *Monitor
	name     string
	id       arpmon.SlaveID
	link     *Link
	out      *Wire
	admin    bool
	active   bool
	removed  bool
	ready    bool // is in Monitor.ready
	told     arpmon.Link
	identity arpmon.Identity
	device   arpmon.MAC
	verdict  []received
	evidence []received
}

// received is a frame in a socket.
type received struct {
	b []byte
	m arpmon.Meta
}

// NewMonitor makes a host with an engine. It runs from then on.
func (n *Network) NewMonitor(cfg arpmon.Config) (*Monitor, error) {
	e, err := arpmon.New(cfg)
	if err != nil {
		return nil, err
	}
	return &Monitor{
		net: n, engine: e, targets: e.Config().Targets,
		byID: map[arpmon.SlaveID]*Slave{}, names: map[arpmon.SlaveID]string{},
		probes: make([]arpmon.Probe, 32), buf: make([]arpmon.Event, 256),
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

// Remove removes the slave from the Monitor and pulls its cable.
func (s *Slave) Remove() {
	if s.removed {
		return
	}
	m := s.mon
	s.removed = true
	s.link.SetCarrier(false)
	m.engine.RemoveSlave(s.id, m.net.now)
	for i, o := range m.slaves {
		if o == s {
			m.slaves = append(m.slaves[:i:i], m.slaves[i+1:]...)
		}
	}
	delete(m.byID, s.id)
	delete(m.net.nodes, s.name)
	m.changed()
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

// Name returns the slave's name.
func (s *Slave) Name() string { return s.name }

// ID returns the engine's name for the slave.
func (s *Slave) ID() arpmon.SlaveID { return s.id }

// Link returns the slave's cable.
func (s *Slave) Link() *Link { return s.link }

// Identity returns who the slave's probes are from.
func (s *Slave) Identity() arpmon.Identity { return s.identity }

// State returns the engine's verdict on the slave.
func (s *Slave) State() (arpmon.SlaveState, arpmon.Reason) { return s.mon.engine.State(s.id) }

// SetUp sets the slave administratively up or down.
func (s *Slave) SetUp(up bool) {
	s.admin = up
	s.wake()
}

// SetIdentity is Engine.SetIdentity.
func (s *Slave) SetIdentity(i arpmon.Identity, device arpmon.MAC) error {
	err := s.mon.engine.SetIdentity(s.id, i, device, s.mon.net.now)
	if err == nil {
		s.identity, s.device = i, device
	}
	s.mon.changed()
	return err
}

// LinkState returns what the host's kernel says of the link now.
func (s *Slave) LinkState() arpmon.Link {
	switch {
	case s.removed || !s.admin:
		return arpmon.LinkDown
	case !s.link.up:
		return arpmon.LinkNoCarrier
	}
	return arpmon.LinkUp
}

func (s *Slave) attach(l *Link) {
	if s.link != nil {
		panic(fmt.Sprintf("arpmontest: slave %q has two links", s.name))
	}
	s.link, s.out = l, l.From(s)
}

func (s *Slave) carrier(*Link) { s.wake() }

// wake lets the Monitor look at the slave.
func (s *Slave) wake() {
	if !s.ready {
		s.ready = true
		s.mon.ready = append(s.mon.ready, s)
	}
	s.mon.wake(s.mon.net.now)
}

// receive puts a frame into the socket whose filter lets it pass.
func (s *Slave) receive(_ *Link, f frame) {
	m := s.mon
	if s.removed || !s.admin || len(f.b) < 14 {
		return
	}
	dst := arpmon.MAC(f.b[:6])
	bond := m.Bond != nil && s.active
	if bond {
		m.Bond.take(s.out, f)
	}
	if dst[0]&1 == 0 && dst != s.identity.MAC && dst != s.device && !s.Promiscuous && (!bond || dst != m.Bond.MAC) {
		return
	}
	r := received{b: f.b}
	if id, tagged := vlanOf(f.b); tagged {
		r = received{untag(f.b), arpmon.Meta{VLAN: arpmon.VLAN{TPID: 0x8100, ID: id}}}
	}
	if len(r.b) < 14 || r.b[12] != 0x08 || r.b[13] != 0x06 {
		return
	}
	switch {
	case dst == s.identity.MAC || len(r.b) >= 38 && arpmon.MAC(r.b[32:38]) == s.identity.MAC:
		s.store(&s.verdict, r)
	case len(r.b) >= 32 && m.isTarget(netip.AddrFrom4([4]byte(r.b[28:32]))):
		s.store(&s.evidence, r)
	}
}

func (s *Slave) store(socket *[]received, r received) {
	if len(*socket) >= s.Buffer {
		s.Drops++
		return
	}
	*socket = append(*socket, r)
	s.wake()
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
		n, next := m.engine.Poll(now, m.probes)
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

// drain gives the engine what the sockets hold.
func (s *Slave) drain(now int64) {
	m := s.mon
	for _, r := range s.verdict {
		v := m.engine.Handle(s.id, r.b, r.m, now)
		m.handled(s, r, false, v)
	}
	s.verdict = s.verdict[:0]
	n := min(len(s.evidence), evidenceTurn)
	for _, r := range s.evidence[:n] {
		v := m.engine.Observe(s.id, r.b, r.m)
		m.handled(s, r, true, v)
	}
	if s.evidence = append(s.evidence[:0], s.evidence[n:]...); len(s.evidence) > 0 {
		s.wake()
	}
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
