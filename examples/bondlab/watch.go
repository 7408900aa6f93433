// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// setup says what Monitor to run. It is plain data, so that it can be sent to
// another process.
type setup struct {
	Slaves   []string
	Active   string // empty over a bond of the kernel
	Targets  []netip.Addr
	Policy   arpmon.Policy
	Interval time.Duration
}

// config returns the configuration of the Monitor in a network namespace.
func (s *setup) config(netns int) arpmon.MonitorConfig {
	c := arpmon.MonitorConfig{
		Config: engineConfig(s.Interval, len(s.Targets), s.Policy),
		Slaves: s.Slaves,
		Active: s.Active,
		NetNS:  netns,
	}
	for _, a := range s.Targets {
		c.Targets = append(c.Targets, arpmon.IPv4(a))
	}
	return c
}

// sampleEvery is the longest time between two samples.
const sampleEvery = 50 * time.Millisecond

// watch runs a Monitor until ctx is done and hands out what it knows, again and
// again, one call at a time. It returns nil when ctx ended it.
func watch(ctx context.Context, m *arpmon.Monitor, slaves []string, each func(sample)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()

	w := watcher{m: m, slaves: slaves, buf: make([]arpmon.Event, 64), seq: 1}
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		each(w.sample())
		select {
		case err := <-done:
			each(w.sample())
			if err == nil && ctx.Err() == nil {
				err = errors.New("the monitor ended by itself")
			}
			return err
		case <-m.Changed():
		case <-tick.C:
		}
	}
}

// watcher makes samples of a Monitor.
type watcher struct {
	m      *arpmon.Monitor
	slaves []string
	buf    []arpmon.Event
	seq    uint64
	snap   arpmon.Snapshot
}

func (w *watcher) sample() sample {
	var s sample
	for {
		n, next, lost := w.m.EventsSince(w.seq, w.buf)
		s.Events = append(s.Events, w.buf[:n]...)
		s.Lost += lost
		w.seq = next
		if n < len(w.buf) {
			break
		}
	}
	w.m.Snapshot(&w.snap)
	stats := w.m.Stats()
	s.Mono, s.Wall = w.m.Now(), time.Now()
	s.Group, s.Stopped = w.snap.Group, w.snap.Stopped
	s.Stalls, s.Stalled = stats.Engine.Stalls, stats.Engine.Stalled
	s.Drops = stats.VerdictDrops + stats.EvidenceDrops
	s.KernelOn = stats.KernelMonitor
	s.Targets = append(s.Targets, w.snap.Targets...)
	for _, name := range w.slaves {
		v := w.snap.Slave(w.m.ID(name))
		if v == nil {
			s.Slaves = append(s.Slaves, slaveSample{Name: name, ID: w.m.ID(name)})
			continue
		}
		s.Slaves = append(s.Slaves, slaveSample{
			Name: name, ID: v.ID, State: v.State, Reason: v.Reason, Active: v.Active,
			Transitions: v.Transitions, MAC: v.Identity.MAC, Sent: v.Sent, NotSent: v.NotSent,
			Frames: v.Frames, Pairs: append([]arpmon.PairStatus(nil), v.Pairs...),
		})
	}
	return s
}
