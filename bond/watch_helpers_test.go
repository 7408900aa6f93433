// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// watchReplay is a model of a host that knows nothing but events, and complains about
// those that make no sense.
type watchReplay struct {
	bonds  map[int]*bond.Bond
	slaves map[int]*bond.Slave
	synced bool
}

func newWatchReplay() *watchReplay {
	return &watchReplay{bonds: make(map[int]*bond.Bond), slaves: make(map[int]*bond.Slave)}
}

// apply takes from an event what it is about, and nothing more.
func (r *watchReplay) apply(e bond.Event) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("event %q: %s", watchLine(e), fmt.Sprintf(format, args...))
	}
	b, s := r.bonds[e.Bond.Index], r.slaves[e.Slave.Index]
	switch e.Kind {
	case bond.EventSynced:
		if r.synced {
			return fail("a second time")
		}
		r.synced = true
		return nil
	case bond.EventResynced:
		return nil
	case bond.EventBondAdded:
		if b != nil {
			return fail("known as %v", b.Link)
		}
		r.bonds[e.Bond.Index] = e.BondState
		return nil
	default: // It is about something known.
	}
	if b == nil {
		return fail("bond is not known")
	}
	if e.Kind == bond.EventSlaveAdded {
		if s != nil {
			return fail("slave is known, of bond %d", s.Master)
		}
		r.slaves[e.Slave.Index] = e.SlaveState
		return nil
	}
	if !e.Slave.IsZero() {
		if s == nil || s.Master != b.Index {
			return fail("slave is not known")
		}
		switch {
		case e.Kind == bond.EventSlaveRemoved:
			delete(r.slaves, s.Index)
			return nil
		case e.Kind == bond.EventSlaveRenamed && (e.OldName != s.Name || e.Slave.Name == s.Name):
			return fail("the old name is %s", s.Name)
		}
		r.slaves[s.Index] = e.SlaveState
		return nil
	}
	switch {
	case e.Kind == bond.EventBondRemoved:
		for _, s := range r.slaves {
			if s.Master == b.Index {
				return fail("still has slave %v", s.Link)
			}
		}
		delete(r.bonds, b.Index)
		return nil
	case e.Kind == bond.EventBondRenamed && (e.OldName != b.Name || e.Bond.Name == b.Name):
		return fail("the old name is %s", b.Name)
	case e.Kind == bond.EventOptionsChanged && len(e.Changed) == 0:
		return fail("nothing changed")
	}
	r.bonds[b.Index] = e.BondState
	return nil
}

// diff returns what the events have not told of the present state, nothing if they have
// told all.
func (r *watchReplay) diff(ctx context.Context, c *bond.Client) (string, error) {
	bonds, err := c.List(ctx)
	if err != nil {
		return "", err
	}
	slaves, err := c.AllSlaves(ctx)
	if err != nil {
		return "", err
	}
	var told []bond.Bond
	for _, b := range r.bonds {
		told = append(told, *b)
	}
	var toldSlaves []bond.Slave
	for _, s := range r.slaves {
		toldSlaves = append(toldSlaves, *s)
	}
	return watchLines(bond.WatchDiff(told, toldSlaves, bonds, slaves)), nil
}

// watchLog is a Watch that runs beside a test. Its events are replayed.
type watchLog struct {
	t      *testing.T
	client *bond.Client
	cancel context.CancelFunc
	events chan bond.Event
	ended  chan error // receives the error of the watch, nil if it had none

	replay *watchReplay
	seen   []string // all lines so far
}

// watchPatience is how long a test waits for what should come at once. Emulated
// processors are slow.
const watchPatience = 30 * time.Second

// startWatch starts a watch and returns when it is synced.
func startWatch(t *testing.T, c *bond.Client) *watchLog {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &watchLog{
		t: t, client: c, cancel: cancel, replay: newWatchReplay(),
		events: make(chan bond.Event), ended: make(chan error, 1),
	}
	go func() {
		var last error
		for e, err := range c.Watch(ctx) {
			if err != nil {
				last = err
				continue
			}
			select {
			case l.events <- e:
			case <-ctx.Done():
			}
		}
		l.ended <- last
	}()
	t.Cleanup(func() { l.stop() })
	l.until("synced")
	return l
}

// stop ends the watch and returns its error.
func (l *watchLog) stop() error {
	l.cancel()
	select {
	case err := <-l.ended:
		l.ended <- err
		return err
	case <-time.After(watchPatience):
		l.t.Error("the watch does not end")
		return nil
	}
}

// next returns the next event, which must come in time.
func (l *watchLog) next(timeout time.Duration) (bond.Event, bool) {
	l.t.Helper()
	select {
	case e := <-l.events:
		l.seen = append(l.seen, watchLine(e))
		if err := l.replay.apply(e); err != nil {
			l.t.Errorf("%v; all events:\n%s", err, strings.Join(l.seen, "\n"))
		}
		return e, true
	case err := <-l.ended:
		l.ended <- err
		l.t.Fatalf("the watch ended: %v; all events:\n%s", err, strings.Join(l.seen, "\n"))
	case <-time.After(timeout):
	}
	return bond.Event{}, false
}

// until reads events up to the first whose line is the one given, and returns that. A
// line that ends in an asterisk stands for all that begin with what is before.
func (l *watchLog) until(line string) bond.Event {
	l.t.Helper()
	deadline := time.Now().Add(watchPatience)
	from := len(l.seen)
	for time.Now().Before(deadline) {
		e, ok := l.next(time.Until(deadline))
		if ok && watchMatch(line, watchLine(e)) {
			return e
		}
	}
	l.t.Fatalf("no event %q among:\n%s", line, strings.Join(l.seen[from:], "\n"))
	return bond.Event{}
}

func watchMatch(pattern, line string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(line, prefix)
	}
	return pattern == line
}

// settle reads events until they have told everything there is.
func (l *watchLog) settle() {
	l.t.Helper()
	deadline := time.Now().Add(watchPatience)
	var missing string
	for time.Now().Before(deadline) {
		if _, ok := l.next(100 * time.Millisecond); ok {
			continue
		}
		var err error
		if missing, err = l.replay.diff(l.t.Context(), l.client); err != nil {
			l.t.Fatal(err)
		}
		if missing == "" {
			return
		}
	}
	l.t.Fatalf("never told:\n%sall events:\n%s", missing, strings.Join(l.seen, "\n"))
}

// count returns how many events so far match the line.
func (l *watchLog) count(line string) int {
	n := 0
	for _, s := range l.seen {
		if watchMatch(line, s) {
			n++
		}
	}
	return n
}
