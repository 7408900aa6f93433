// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"errors"
	"log/slog"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// slack is how long a reading of all sockets may take before they are read
	// once more. More means that the loop was held up meanwhile, and that
	// an answer may have come to a socket that was read before.
	slack = int64(time.Millisecond)
	// readings is how often the sockets are read in one turn at most, so that a flood
	// cannot keep probes from leaving.
	readings = 4
	// retryAfter is the pause before a socket is bound again that could not be.
	retryAfter = int64(time.Second)
)

// loop probes until the monitor is stopped.
func (m *monitor) loop() {
	for !m.stopped.Load() {
		if err := m.wait(m.turn()); err != nil {
			m.fail(&Error{Op: "run", Err: err})
		}
	}
}

// turn does all there is to do now, and returns when to do the next. All answers
// that came before the engine judges are given to it before. It allocates
// nothing unless a link, a socket or a verdict changes.
func (m *monitor) turn() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.now()
	m.apply(now)
	for range readings {
		began := now
		m.readVerdicts()
		if now = m.clock.now(); now-began < slack {
			break
		}
	}
	n, next := m.engine.Poll(now, m.probes)
	m.send(m.probes[:n])
	m.readEvidence()
	m.publish()
	if m.retry != 0 {
		next = min(next, m.retry)
	}
	return next
}

// send sends probes and reports each. A probe left when it was given to the
// kernel, unless that took so long that it must be later.
func (m *monitor) send(probes []Probe) {
	if len(probes) == 0 {
		return
	}
	at := m.clock.now()
	for i := range probes {
		p := &probes[i]
		err := error(unix.ENODEV)
		if s := m.find(p.Slave); s >= 0 && m.slaves[s].tap.bound {
			err = m.slaves[s].tap.send(p.Frame())
		}
		done := m.clock.now()
		if done-at >= slack {
			at = done
		}
		if err != nil {
			m.engine.NotSent(p, at, err)
		} else {
			m.engine.Sent(p, at)
		}
		at = done
	}
}

// readVerdicts gives the engine all that the verdict sockets hold: as many
// frames as fit in there, so that none that has come before stays unread, and no
// more, so that it ends.
func (m *monitor) readVerdicts() {
	for i := range m.slaves {
		s := &m.slaves[i]
		for range s.tap.limit {
			frame, meta, errno := m.rx.receive(s.tap.verdict)
			if errno == unix.EAGAIN {
				break
			}
			if errno == 0 {
				m.engine.Handle(s.id, frame, meta, m.clock.now())
			}
		}
	}
}

// readEvidence gives the engine a limited number of other frames to count.
func (m *monitor) readEvidence() {
	for i := range m.slaves {
		s := &m.slaves[i]
		for range evidencePerTurn {
			frame, meta, errno := m.rx.receive(s.tap.evidence)
			if errno == unix.EAGAIN {
				break
			}
			if errno == 0 {
				m.engine.Observe(s.id, frame, meta)
			}
		}
	}
}

// wait sleeps until the given time, or a possible answer or a call of wake. What
// is only evidence wakes nobody. It sleeps in ppoll rather than epoll_pwait2,
// which kernels before 5.11 do not have, because both take nanoseconds and the
// sockets are few.
func (m *monitor) wait(until int64) error {
	var timeout *unix.Timespec
	if until != math.MaxInt64 {
		m.timeout = unix.NsecToTimespec(max(until-m.clock.now(), 0))
		timeout = &m.timeout
	}
	n, err := unix.Ppoll(m.fds, timeout, nil)
	if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
		return err
	}
	if n > 0 && m.fds[0].Revents != 0 {
		m.waker.clear()
	}
	return nil
}

// apply makes of the slaves what the follower says they are now, and tries again
// what did not work. The caller holds the lock.
func (m *monitor) apply(now int64) {
	if k := m.follow.kernelMonitor.Load(); k != m.kernel {
		m.kernel = k
		if k {
			m.note(slog.LevelWarn, "the bond has arp_interval set: its kernel monitor takes our probes for traffic", -1)
		}
	}
	news := m.follow.box.take(m.want)
	if m.phase == phaseDone || !news && (m.retry == 0 || now < m.retry) {
		return
	}
	m.retry = 0
	for i := range m.slaves {
		s, w := &m.slaves[i], &m.want[i]
		if w.dipped {
			m.engine.SetLink(s.id, w.dip, now)
			w.dipped = false
		}
		s.err = w.err
	}
	m.identify(now)
	for i := range m.slaves {
		s, w := &m.slaves[i], &m.want[i]
		m.rebind(i, now)
		link := w.link
		if s.err != nil || !s.tap.bound {
			link = LinkDown
		}
		m.engine.SetActive(s.id, w.active)
		m.engine.SetLink(s.id, link, now)
		m.report(i)
		s.have = *w
	}
}

// identify gives the engine the identities that changed. Addresses may have moved
// from one slave to another; who has one that another is to get gives it up
// first, also who may not probe from it now.
func (m *monitor) identify(now int64) {
	for i := range m.slaves {
		for j := range m.slaves {
			mac := m.want[i].mac
			keeps := m.want[j].mac == mac && m.want[j].err == nil
			if i == j || m.slaves[j].mac != mac || keeps || m.want[i].err != nil {
				continue
			}
			for n := uint32(0); m.setIdentity(j, derivedMAC("", "between two addresses", n), now) != nil; n++ {
			}
		}
	}
	for i := range m.slaves {
		s, w := &m.slaves[i], &m.want[i]
		if w.err != nil {
			continue
		}
		if err := m.setIdentity(i, w.mac, now); err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				e.Slave = w.name
			}
			s.err = err
		}
	}
}

func (m *monitor) setIdentity(i int, mac MAC, now int64) error {
	s := &m.slaves[i]
	err := m.engine.SetIdentity(s.id, Identity{MAC: mac, Addr: m.cfg.Sender}, m.want[i].device, now)
	if err == nil {
		s.mac = mac
	}
	return err
}

// rebind binds the sockets of a slave where its interface or its identity is
// another one, or may be.
func (m *monitor) rebind(i int, now int64) {
	s, w := &m.slaves[i], &m.want[i]
	if w.index == 0 {
		s.tap.bound = false
		return
	}
	if s.tap.bound && s.have.gen == w.gen && s.have.sync == w.sync && s.have.mac == w.mac && s.have.device == w.device {
		return
	}
	if err := m.bind(i); err != nil {
		// Where the interface is gone, the follower will say so.
		m.retry = now + retryAfter
		if s.err == nil && !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.ENXIO) {
			s.err = openError(w.name, err)
		}
		return
	}
	if s.bound != w.gen {
		s.bound = w.gen
		m.reopened++
	}
}

// bind binds the sockets of a slave as m.want says.
func (m *monitor) bind(i int) error {
	w := &m.want[i]
	return m.slaves[i].tap.bind(w.index, w.mac, m.spa, m.addrs, w.mac != w.device)
}

// report says in the log what is other than before with a slave.
func (m *monitor) report(i int) {
	s, w := &m.slaves[i], &m.want[i]
	if w.name != s.have.name {
		m.note(slog.LevelInfo, "renamed", i, slog.String("before", s.have.name))
	}
	switch {
	case w.index == 0 && s.have.index != 0:
		m.note(slog.LevelWarn, "interface is gone", i)
	case w.index != 0 && s.have.gen != w.gen:
		m.note(slog.LevelInfo, "interface is back", i, slog.String("mac", w.mac.String()))
	case w.mac != s.have.mac:
		m.note(slog.LevelInfo, "probing from another address", i, slog.String("mac", w.mac.String()), slog.String("before", s.have.mac.String()))
	}
	if (s.err != nil) != s.refused {
		s.refused = s.err != nil
		if s.refused {
			m.note(slog.LevelError, "not probing", i, slog.Any("error", s.err))
		} else {
			m.note(slog.LevelInfo, "probing again", i)
		}
	}
}

// note writes a line to the log, about slave i unless that is negative.
func (m *monitor) note(level slog.Level, message string, i int, attrs ...slog.Attr) {
	if m.journal == nil {
		return
	}
	if i >= 0 {
		attrs = append([]slog.Attr{slog.String("slave", m.want[i].name)}, attrs...)
	}
	m.journal.note(level, message, attrs)
}
