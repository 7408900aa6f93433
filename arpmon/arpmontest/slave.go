// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import (
	"fmt"
	"net/netip"

	"github.com/bondkit/bondkit/arpmon"
)

// DefaultBuffer is how many frames each socket of a new [Slave] holds.
const DefaultBuffer = 256

// evidenceTurn is how many frames of evidence are looked at in one turn.
const evidenceTurn = 64

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
