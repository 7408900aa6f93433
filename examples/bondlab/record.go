// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// sample is what a Monitor knew at one time, and what happened since the sample
// before. It is plain data, so that it can come from another process.
type sample struct {
	// Mono and Wall are the same instant, on the clock of the Monitor and as a
	// time.Time, so that other times can be put on the clock of the Monitor.
	Mono int64
	Wall time.Time

	Group    arpmon.GroupState
	Stopped  bool
	Stalls   uint64
	Stalled  time.Duration
	Drops    uint64 // frames that the kernel dropped at a full socket
	KernelOn bool   // the bond's own ARP monitor is on
	Slaves   []slaveSample
	Targets  []arpmon.TargetStatus

	Events []arpmon.Event
	Lost   uint64 // events that came and went between two samples
}

// slaveSample is what a Monitor knew of a slave.
type slaveSample struct {
	Name        string
	ID          arpmon.SlaveID
	State       arpmon.SlaveState
	Reason      arpmon.Reason
	Active      bool
	Transitions uint32
	MAC         arpmon.MAC
	Sent        uint64
	NotSent     uint64
	Frames      [arpmon.Verdicts]uint64
	Pairs       []arpmon.PairStatus
}

// at returns an instant on the clock of the Monitor.
func (s *sample) at(t time.Time) int64 { return s.Mono + int64(t.Sub(s.Wall)) }

// slave returns a slave by its name, or an empty one.
func (s *sample) slave(name string) slaveSample {
	for _, v := range s.Slaves {
		if v.Name == name {
			return v
		}
	}
	return slaveSample{}
}

// name returns the name of a slave.
func (s *sample) name(id arpmon.SlaveID) string {
	for _, v := range s.Slaves {
		if v.ID == id {
			return v.Name
		}
	}
	return ""
}

// describe says in a few words what the Monitor knows.
func (s *sample) describe() string {
	var parts []string
	for _, v := range s.Slaves {
		parts = append(parts, fmt.Sprintf("%s %s (%s)", v.Name, v.State, v.Reason))
	}
	return strings.Join(append(parts, "group "+s.Group.String()), ", ")
}

// healthy reports whether every slave reaches every target.
func (s *sample) healthy() bool {
	if len(s.Slaves) == 0 || s.Group != arpmon.GroupOK {
		return false
	}
	for _, v := range s.Slaves {
		if v.State != arpmon.SlaveUp {
			return false
		}
		for _, p := range v.Pairs {
			if p.State != arpmon.PairReachable {
				return false
			}
		}
	}
	for _, t := range s.Targets {
		if t.Down {
			return false
		}
	}
	return true
}

// record is one pass of a scenario, for the judge.
type record struct {
	// healthy is the sample after which the pass began, with all slaves up.
	healthy sample
	// begun and fault are when the first command of the fault was started, and
	// when the last one had returned.
	begun, fault int64
	// events are all events after healthy.
	events     []arpmon.Event
	eventsLost uint64
	// last is the last sample before the fault was repaired, and end its time.
	last sample
	end  int64
	// names are the names of the targets.
	names map[netip.Addr]string
}

// target returns the name of a target.
func (r *record) target(t arpmon.Target) string {
	if name, ok := r.names[t.Addr]; ok {
		return name
	}
	return t.String()
}

// recorder collects the samples of a running Monitor.
type recorder struct {
	mu     sync.Mutex
	wake   chan struct{} // closed at every sample
	latest sample
	events []arpmon.Event
	lost   uint64
	err    error
}

func newRecorder() *recorder { return &recorder{wake: make(chan struct{})} }

// add takes a sample.
func (r *recorder) add(s sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latest = s
	r.events = append(r.events, s.Events...)
	r.lost += s.Lost
	close(r.wake)
	r.wake = make(chan struct{})
}

// fail says that no more samples will come.
func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
		close(r.wake)
		r.wake = make(chan struct{})
	}
}

// state returns the latest sample, how many events there were up to it, and how
// many were lost.
func (r *recorder) state() (s sample, events int, lost uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latest, len(r.events), r.lost, r.err
}

// failed returns why no more samples will come, or nil.
func (r *recorder) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// since returns the events from number n on.
func (r *recorder) since(n int) []arpmon.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arpmon.Event(nil), r.events[n:]...)
}

// changed returns a channel that is closed at the next sample.
func (r *recorder) changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wake
}
