// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bondkit/bondkit/internal/rtnl"
)

const (
	// resyncRetry is the pause before all links are asked for again after that
	// did not work.
	resyncRetry = time.Second
	// resyncAttempts is how often that is tried in a row. A kernel that
	// does not answer for so long will not do so later.
	resyncAttempts = 60
	// addressCheck is how often the host's addresses are compared with the
	// sender address where one is set, should an event have been missed.
	addressCheck = 10 * time.Second
	// catchUp is how many batches of events are read at most before the first
	// probe: more than can have been queued before, and few enough to come to an
	// end where links change all the time.
	catchUp = 8192
)

// A follower is what reads link events: sockets, and the planner that makes sense
// of them. The mutex guards the planner; the probe loop never takes it.
type follower struct {
	conn     *rtnl.Conn
	watch    *rtnl.Watcher
	box      slotBox
	resyncs  atomic.Uint64
	limited  bool // a deadline is set
	stopping atomic.Bool

	// kernelMonitor says that a bond of the slaves has arp_interval set.
	kernelMonitor atomic.Bool

	mu      sync.Mutex
	plan    *planner
	scratch []slot
}

// openFollower opens the sockets in the namespace of the calling thread and
// reads all links there. The watch is opened first, so that no change falls
// between.
func openFollower(cfg *MonitorConfig, machine string) (*follower, error) {
	f := &follower{
		box:     slotBox{slots: make([]slot, len(cfg.Slaves))},
		scratch: make([]slot, len(cfg.Slaves)),
	}
	err := f.open(cfg, machine)
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *follower) open(cfg *MonitorConfig, machine string) (err error) {
	if f.watch, err = rtnl.Watch(&rtnl.Config{Addrs: cfg.Sender.IsValid()}); err != nil {
		return &Error{Op: "open", Err: err}
	}
	if f.conn, err = rtnl.Dial(nil); err != nil {
		return &Error{Op: "open", Err: err}
	}
	links, err := f.conn.Links()
	if err != nil {
		return &Error{Op: "open", Err: err}
	}
	var addrs []rtnl.Addr
	if cfg.Sender.IsValid() {
		if addrs, err = f.conn.IPv4Addrs(); err != nil {
			return &Error{Op: "open", Err: err}
		}
	}
	alias := func(name string) int {
		l, err := f.conn.LinkByName(name)
		if err != nil {
			return 0
		}
		return l.Index
	}
	if f.plan, err = newPlanner(cfg, machine, links, addrs, alias); err != nil {
		return err
	}
	f.hand()
	return nil
}

// run reads link events until stop is called, and calls news after each batch.
// It returns nil then, and otherwise what keeps it from following the links. It
// calls ready, perhaps more than once, when all that happened before run is known.
func (f *follower) run(news, ready func()) error {
	stale := 0 // how often in a row all links could not be read; 0: they are read
	left := catchUp
	for {
		var events []rtnl.Event
		var err error
		f.setDeadline(stale > 0)
		if left > 0 && stale == 0 {
			events, err = f.watch.Pending()
			left--
			if err == nil && len(events) == 0 {
				left = 0
			}
		} else {
			events, err = f.watch.Receive()
		}
		switch {
		case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
		case f.stopping.Load():
			return nil
		default:
			return &Error{Op: "follow links", Err: err}
		}
		for i := range events {
			if events[i].Kind == rtnl.EventResync {
				stale = max(stale, 1)
			}
		}
		if stale > 0 {
			events = nil
			err = f.resync()
			if err == nil {
				stale = 0
			} else if stale++; stale > resyncAttempts {
				return err
			}
		}
		if f.take(events) {
			news()
		}
		if left == 0 && stale == 0 {
			ready()
		}
	}
}

// setDeadline limits the next wait for events.
func (f *follower) setDeadline(stale bool) {
	var at time.Time
	switch {
	case stale:
		at = time.Now().Add(resyncRetry)
	case f.hasSender():
		at = time.Now().Add(addressCheck)
	}
	if !at.IsZero() || f.limited {
		_ = f.watch.SetDeadline(at)
		f.limited = !at.IsZero()
	}
}

func (f *follower) hasSender() bool { return f.plan.sender.IsValid() }

// resync reads everything anew.
func (f *follower) resync() error {
	f.resyncs.Add(1)
	links, err := f.conn.Links()
	if err != nil {
		return &Error{Op: "follow links", Err: err}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan.resync(links)
	return nil
}

// take gives events to the planner and hands on what follows from them. It
// reports whether that is anything new.
func (f *follower) take(events []rtnl.Event) bool {
	var addrs []rtnl.Addr
	var err error
	if f.hasSender() {
		addrs, err = f.conn.IPv4Addrs()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hasSender() && err == nil {
		f.plan.addrs = addrs
	}
	for i := range events {
		switch e := &events[i]; e.Kind {
		case rtnl.EventChanged:
			f.plan.changed(e.Link)
		case rtnl.EventDeleted:
			f.plan.deleted(e.Link.Index)
		case rtnl.EventResync, rtnl.EventAddrs:
		}
	}
	return f.hand()
}

// hand works out what follows from what is known. The caller holds the mutex.
func (f *follower) hand() bool {
	f.plan.update()
	monitor := f.kernelMonitor.Swap(f.plan.kernelMonitor)
	return f.plan.hand(&f.box, f.scratch) || monitor != f.plan.kernelMonitor
}

// setActive names the active slave where no bond does.
func (f *follower) setActive(i int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.plan.setActive(i); err != nil {
		return err
	}
	f.hand()
	return nil
}

// stop makes run return.
func (f *follower) stop() {
	f.stopping.Store(true)
	_ = f.watch.Close()
}

// close frees the sockets.
func (f *follower) close() {
	if f.watch != nil {
		_ = f.watch.Close()
	}
	if f.conn != nil {
		_ = f.conn.Close()
	}
}
