// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bondkit/bondkit/internal/lab"
)

const (
	// trafficRate is the traffic to the host, in packets a second.
	trafficRate = 20
	// probesEach is how many probes leave on the backup before the failover,
	// and again after it.
	probesEach = 100
	// failoverTime is the time in which a failover may lose packets.
	failoverTime = time.Second
	// lookEvery is the time between two looks at the tables of the switches. A
	// tap watches what happens in between.
	lookEvery = 500 * time.Millisecond
)

// tables are what the switches and the targets know of the host: the port or the
// MAC address, by who knows it.
type tables map[string]string

// tables looks at all of them.
func (b *bench) tables(ctx context.Context) (tables, error) {
	t := make(tables)
	mac := lab.MAC(b.lab.BondMAC())
	for _, sw := range []string{b.lab.Switch(1), b.lab.Switch(2), b.lab.Core()} {
		fdb, err := b.lab.FDB(ctx, sw)
		if err != nil {
			return nil, err
		}
		t[sw] = fdb[mac]
	}
	for _, target := range b.lab.Targets() {
		known, err := b.lab.Neighbours(ctx, target)
		if err != nil {
			return nil, err
		}
		t[target] = known[b.lab.Addr(lab.HostName)].MAC.String()
	}
	return t, nil
}

// differ describes how tables changed.
func (t tables) differ(now tables) []string {
	var d []string
	for who, was := range t {
		if is := now[who]; is != was {
			d = append(d, fmt.Sprintf("%s had the host at %s and then at %q", who, was, is))
		}
	}
	slices.Sort(d)
	return d
}

// startTraffic has the targets talk to the host, and looks at the tables before
// there is any probe.
func startTraffic(ctx context.Context, b *bench) error {
	for _, target := range b.lab.Targets() {
		t, err := b.lab.StartTraffic(ctx, target, trafficRate)
		if err != nil {
			return err
		}
		b.traffic = append(b.traffic, t)
	}
	if err := wait(ctx, 5*time.Second/trafficRate); err != nil {
		return err
	}
	var err error
	b.before, err = b.tables(ctx)
	return err
}

// failOver is the failover of a kernel pass.
func failOver(ctx context.Context, b *bench) error { return b.lab.Failover(ctx, 2) }

// probeAndFailOver waits for enough probes on the backup, has the other slave take
// over, and waits for as many on the backup that then is.
func probeAndFailOver(ctx context.Context, b *bench) error {
	watch, err := b.watchTables(ctx)
	if err != nil {
		return err
	}
	limit := patience + probesEach*b.interval

	enough := func(name string, from uint64) func(*sample) bool {
		return func(s *sample) bool { return s.slave(name).Sent-from >= probesEach }
	}
	// From the first probe on.
	s, _, err := b.await(ctx, limit, "probes on the backup", enough("e2", 0))
	if err != nil {
		return err
	}
	b.ev.probes[0] = s.slave("e2").Sent
	watch.look(ctx)

	// The tables must change now, and are not looked at until they had time.
	watch.pause()
	begun := time.Now()
	if err := b.lab.Failover(ctx, 2); err != nil {
		return err
	}
	if !b.bonded {
		if err := b.setActive("e2"); err != nil {
			return err
		}
	}
	if err := wait(ctx, failoverTime); err != nil {
		return err
	}
	after, err := b.tables(ctx)
	if err != nil {
		return err
	}
	if len(b.before.differ(after)) == 0 {
		return errors.New("the failover changed no table")
	}
	watch.resume(after, "e1")

	s, _, _, err = b.rec.state()
	if err != nil {
		return err
	}
	from := s.slave("e1").Sent
	s, _, err = b.await(ctx, limit, "probes on the backup", enough("e1", from))
	if err != nil {
		return err
	}
	b.ev.probes[1] = s.slave("e1").Sent - from
	watch.look(ctx)
	if err := watch.end(); err != nil {
		return err
	}
	for _, t := range b.traffic {
		r := t.Stop()
		b.ev.sent += r.Sent
		b.ev.lost += r.Except(begun, begun.Add(failoverTime))
	}
	return nil
}

// tableWatch looks at the tables again and again, and taps the backup for frames
// that would change them.
type tableWatch struct {
	b      *bench
	taps   []*lab.Tap
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	want   tables // nil while paused
	backup string
	err    error
}

// watchTables begins to watch, with e2 as the backup.
func (b *bench) watchTables(ctx context.Context) (*tableWatch, error) {
	ctx, cancel := context.WithCancel(ctx)
	w := &tableWatch{b: b, cancel: cancel, want: b.before, backup: "e2"}
	b.ends = append(b.ends, func() { w.end() })
	for _, name := range slaveNames {
		tap, err := b.lab.Host().Tap(name)
		if err != nil {
			return nil, err
		}
		w.taps = append(w.taps, tap)
		w.done.Go(func() { w.tap(name, tap) })
	}
	w.done.Go(func() {
		for wait(ctx, lookEvery) == nil {
			w.look(ctx)
		}
	})
	return w, nil
}

// pause lets the tables change.
func (w *tableWatch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.want = nil
}

// resume says what the tables must be from now on, and who the backup is.
func (w *tableWatch) resume(want tables, backup string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.want, w.backup = want, backup
}

// end ends the watch and returns the first error.
func (w *tableWatch) end() error {
	w.cancel()
	for _, tap := range w.taps {
		tap.Close()
	}
	w.done.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// look compares the tables once.
func (w *tableWatch) look(ctx context.Context) {
	w.mu.Lock()
	want := w.want
	w.mu.Unlock()
	if want == nil {
		return
	}
	now, err := w.b.tables(ctx)
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		w.err = err
	case w.want == nil:
		// Paused meanwhile.
	default:
		w.b.ev.looks++
		w.add(want.differ(now)...)
	}
}

// tap watches what a slave sends while it is the backup.
func (w *tableWatch) tap(name string, tap *lab.Tap) {
	mac := w.b.lab.BondMAC()
	for {
		f, err := tap.Read(time.Time{})
		if err != nil {
			return
		}
		if !f.Outgoing || len(f.Data) < 12 || !bytes.Equal(f.Data[6:12], mac) {
			continue
		}
		w.mu.Lock()
		if w.want != nil && w.backup == name {
			w.add(fmt.Sprintf("a frame from %v left on the backup %s", mac, name))
		}
		w.mu.Unlock()
	}
}

// add writes down what changed, each thing once.
func (w *tableWatch) add(changes ...string) {
	for _, c := range changes {
		if !slices.Contains(w.b.ev.moved, c) {
			w.b.ev.moved = append(w.b.ev.moved, c)
		}
	}
}
