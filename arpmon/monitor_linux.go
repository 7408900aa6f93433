// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The phases in the life of a monitor.
const (
	phaseNew = iota
	phaseRunning
	phaseDone
)

// monitor is the Linux side of a Monitor. Run's goroutine is the probe loop. A
// second one, in follower.run, reads link events; a third writes to the Logger,
// which may be slow.
type monitor struct {
	cfg     MonitorConfig
	spa     uint32
	names   map[string]int // slaves by configured name
	changed chan struct{}
	clock   clock
	follow  *follower
	waker   waker
	journal *journal // nil without a Logger
	stopped atomic.Bool

	// What readers need most often, copied from the engine after every turn.
	verdicts []atomic.Uint32 // state and reason<<8
	verdict  atomic.Uint32   // of the group

	mu       sync.Mutex // guards all that follows
	phase    int
	failure  error // why the monitor stopped by itself
	engine   *Engine
	seq      uint64 // of the engine, when the copies were made
	slaves   []member
	want     []slot // what the follower says the slaves are
	retry    int64  // when to try again what did not work, 0 for nothing
	reopened uint64
	kernel   bool // KernelMonitor was logged
	addrs    []uint32
	probes   []Probe
	rx       *receiver
	fds      []unix.PollFd
	timeout  unix.Timespec
}

// member is what the loop keeps of a slave.
type member struct {
	id      SlaveID
	have    slot // what was made of the slot in want
	tap     tap
	mac     MAC    // who the engine's probes are from
	bound   uint32 // slot.gen for which the sockets were bound
	err     error  // why no probe may leave; nil for none
	refused bool   // err was logged
}

func newMonitor(cfg MonitorConfig) (*monitor, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	machine := cfg.MachineID
	if machine == "" {
		machine = machineIdentity()
	}
	if cfg.Seed == 0 {
		cfg.Seed = derivedSeed(machine)
	}
	m := &monitor{
		cfg:      cfg,
		spa:      ipv4(cfg.Sender),
		names:    make(map[string]int, len(cfg.Slaves)),
		changed:  make(chan struct{}, 1),
		clock:    newClock(),
		waker:    waker{fd: -1},
		verdicts: make([]atomic.Uint32, len(cfg.Slaves)),
		slaves:   make([]member, len(cfg.Slaves)),
		want:     make([]slot, len(cfg.Slaves)),
		probes:   make([]Probe, min(len(cfg.Slaves)*cfg.MaxTargets, 256)),
		rx:       newReceiver(),
	}
	for i, name := range cfg.Slaves {
		m.names[name] = i
		m.slaves[i].tap = tap{verdict: -1, evidence: -1}
	}
	if m.engine, err = New(cfg.Config); err != nil {
		return nil, err
	}
	if cfg.Logger != nil {
		m.journal = newJournal(cfg.Logger)
	}
	m.setAddrs(cfg.Targets)
	if err := inNamespace(cfg.NetNS, cfg.NetNSPath, func() error { return m.open(machine) }); err != nil {
		m.free()
		return nil, err
	}
	return m, nil
}

// open opens everything, in the namespace of the calling thread.
func (m *monitor) open(machine string) (err error) {
	if m.follow, err = openFollower(&m.cfg, machine); err != nil {
		return err
	}
	m.follow.box.take(m.want)
	if err := m.waker.open(); err != nil {
		return &Error{Op: "open", Err: err}
	}
	m.fds = append(m.fds, unix.PollFd{Fd: int32(m.waker.fd), Events: unix.POLLIN})
	now := m.clock.now()
	for i := range m.slaves {
		s, w := &m.slaves[i], &m.want[i]
		if s.tap, err = openTap(m.cfg.MaxTargets); err != nil {
			return openError(m.cfg.Slaves[i], err)
		}
		if err := m.bind(i); err != nil {
			return openError(m.cfg.Slaves[i], err)
		}
		s.id, err = m.engine.AddSlave(SlaveConfig{
			Identity: Identity{MAC: w.mac, Addr: m.cfg.Sender},
			Device:   w.device,
			Link:     w.link,
			Active:   w.active,
		}, now)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				e.Slave = m.cfg.Slaves[i]
			}
			return err
		}
		s.have, s.mac, s.bound = *w, w.mac, w.gen
		m.fds = append(m.fds, unix.PollFd{Fd: int32(s.tap.verdict), Events: unix.POLLIN})
		m.note(slog.LevelInfo, "probing through", i, slog.String("mac", w.mac.String()), slog.String("link", w.link.String()))
	}
	if m.journal != nil {
		m.journal.seq = m.engine.Seq() // the notes have said all that so far
	}
	m.publish()
	return nil
}

// openError explains what the system said to a socket.
func openError(slave string, err error) error {
	e := &Error{Op: "open", Slave: slave, Err: err}
	if errors.Is(err, os.ErrPermission) {
		e.Hint = "packet sockets need CAP_NET_RAW in the user namespace that owns the network namespace"
	}
	return e
}

// free closes everything.
func (m *monitor) free() error {
	var err error
	for i := range m.slaves {
		t := &m.slaves[i].tap
		t.count()
		err = errors.Join(err, t.close())
	}
	if m.follow != nil {
		m.follow.close()
	}
	return errors.Join(err, m.waker.close())
}

func (m *monitor) run(ctx context.Context) error {
	m.mu.Lock()
	phase := m.phase
	if phase == phaseNew {
		m.phase = phaseRunning
	}
	m.mu.Unlock()
	switch phase {
	case phaseRunning:
		return &Error{Op: "run", Err: os.ErrInvalid, Hint: "it is running; a Monitor runs once"}
	case phaseDone:
		return &Error{Op: "run", Err: os.ErrClosed, Hint: "a Monitor runs once"}
	}
	cancel := context.AfterFunc(ctx, m.stop)
	defer cancel()
	var wg sync.WaitGroup
	known := make(chan struct{})
	ready := sync.OnceFunc(func() { close(known) })
	wg.Go(func() {
		defer ready()
		if err := m.follow.run(m.waker.wake, ready); err != nil {
			m.fail(err)
		}
	})
	if m.journal != nil {
		wg.Go(func() { m.journal.run(m) })
	}
	// What happened since NewMonitor may have made an identity unsafe. The
	// follower also ends when ctx is done.
	<-known
	m.loop()
	m.stop()
	if m.journal != nil {
		m.journal.stop()
	}
	wg.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase = phaseDone
	_ = m.free() // nothing is written to these sockets that could be lost
	return m.failure
}

// stop ends the loop and the follower.
func (m *monitor) stop() {
	m.stopped.Store(true)
	m.follow.stop()
	m.waker.wake()
}

// fail ends the monitor for a reason.
func (m *monitor) fail(err error) {
	m.mu.Lock()
	if m.failure == nil {
		m.failure = err
	}
	m.mu.Unlock()
	m.stop()
}

func (m *monitor) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.phase {
	case phaseRunning:
		return &Error{Op: "close", Err: os.ErrInvalid, Hint: "it is running; cancel the context of Run"}
	case phaseDone:
		return nil
	}
	m.phase = phaseDone
	return m.free()
}

func (m *monitor) config() Config {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.engine.Config()
}

func (m *monitor) reachable(slave string) bool {
	state, _ := m.state(slave)
	return state.Reachable()
}

func (m *monitor) state(slave string) (SlaveState, Reason) {
	i, ok := m.names[slave]
	if !ok {
		return SlaveUnknown, ReasonNone
	}
	v := m.verdicts[i].Load()
	return SlaveState(v), Reason(v >> 8)
}

func (m *monitor) group() GroupState { return GroupState(m.verdict.Load()) }

func (m *monitor) id(slave string) SlaveID {
	i, ok := m.names[slave]
	if !ok {
		return 0
	}
	return m.slaves[i].id // set before anybody has the Monitor
}

func (m *monitor) name(id SlaveID) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.find(id); i >= 0 {
		return m.slaves[i].have.name
	}
	return ""
}

// find returns the index of a slave, or -1.
func (m *monitor) find(id SlaveID) int {
	for i := range m.slaves {
		if m.slaves[i].id == id {
			return i
		}
	}
	return -1
}

func (m *monitor) slaveError(slave string) error {
	i, ok := m.names[slave]
	if !ok {
		return &Error{Op: "state", Slave: slave, Err: ErrNoSlave}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slaves[i].err
}

func (m *monitor) eventsSince(seq uint64, dst []Event) (n int, next, lost uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.engine.EventsSince(seq, dst)
}

func (m *monitor) snapshot(dst *Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.engine.Snapshot(dst)
}

func (m *monitor) now() int64 { return m.clock.now() }

func (m *monitor) stats() MonitorStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := MonitorStats{
		Engine:        m.engine.Stats(),
		Reopened:      m.reopened,
		Resyncs:       m.follow.resyncs.Load(),
		KernelMonitor: m.follow.kernelMonitor.Load(),
	}
	for i := range m.slaves {
		t := &m.slaves[i].tap
		t.count()
		st.VerdictDrops += t.verdictDrops
		st.EvidenceDrops += t.evidenceDrops
	}
	return st
}

func (m *monitor) setTargets(targets []Target) error {
	if err := m.cfg.checkSender(targets); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.engine.Config().Targets
	if err := m.engine.SetTargets(targets, m.clock.now()); err != nil {
		return err
	}
	m.setAddrs(targets)
	err := m.setFilters()
	if err != nil {
		m.setAddrs(old)
		err = errors.Join(err, m.engine.SetTargets(old, m.clock.now()))
		// Filters that cannot be set were not changed before either.
		_ = m.setFilters()
	}
	m.publish()
	m.waker.wake()
	return err
}

// setFilters has the sockets take answers of the targets. All of them are tried.
func (m *monitor) setFilters() error {
	if m.phase == phaseDone {
		return nil
	}
	var errs error
	for i := range m.slaves {
		s := &m.slaves[i]
		if err := s.tap.filter(s.have.mac, m.spa, m.addrs); err != nil {
			errs = errors.Join(errs, openError(s.have.name, err))
		}
	}
	return errs
}

func (m *monitor) setAddrs(targets []Target) {
	m.addrs = m.addrs[:0]
	for _, t := range targets {
		m.addrs = append(m.addrs, ipv4(t.Addr))
	}
}

func (m *monitor) setActive(slave string) error {
	i := -1
	if slave != "" {
		var ok bool
		if i, ok = m.names[slave]; !ok {
			return &Error{Op: "set active", Slave: slave, Err: ErrNoSlave}
		}
	}
	if err := m.follow.setActive(i); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.apply(m.clock.now())
	m.publish()
	m.waker.wake()
	return nil
}

func (m *monitor) resume() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	resumed := m.engine.Resume(m.clock.now())
	m.publish()
	m.waker.wake()
	return resumed
}

// publish copies for readers what they need without the lock, and tells them.
// The caller holds the lock.
func (m *monitor) publish() {
	seq := m.engine.Seq()
	if seq == m.seq {
		return
	}
	m.seq = seq
	for i := range m.slaves {
		state, reason := m.engine.State(m.slaves[i].id)
		m.verdicts[i].Store(uint32(state) | uint32(reason)<<8)
	}
	m.verdict.Store(uint32(m.engine.Group()))
	select {
	case m.changed <- struct{}{}:
	default:
	}
	if m.journal != nil {
		m.journal.wake()
	}
}

// A clock tells CLOCK_MONOTONIC. The Go runtime reads it without a system call
// where the kernel allows that, but tells only differences.
type clock struct {
	base   time.Time
	offset int64
}

func newClock() clock {
	c := clock{base: time.Now()}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err == nil {
		c.offset = ts.Nano() - int64(time.Since(c.base))
	}
	return c
}

func (c *clock) now() int64 { return c.offset + int64(time.Since(c.base)) }

// A waker is an eventfd that wakes the loop.
type waker struct {
	mu sync.Mutex
	fd int
}

func (w *waker) open() (err error) {
	w.fd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	return err
}

func (w *waker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		var b [8]byte
		binary.NativeEndian.PutUint64(b[:], 1)
		_, _ = unix.Write(w.fd, b[:]) // full means awake
	}
}

// clear takes back all calls of wake. Only the loop, which ends before close,
// calls it.
func (w *waker) clear() {
	var b [8]byte
	_, _ = unix.Read(w.fd, b[:])
}

func (w *waker) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd < 0 {
		return nil
	}
	fd := w.fd
	w.fd = -1
	return unix.Close(fd)
}
