// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// watching is a bondctl watch that runs beside the test.
type watching struct {
	t      *testing.T
	lines  chan string
	errs   bytes.Buffer
	cancel context.CancelFunc
	status chan int
}

// watch starts bondctl watch with more words.
func (b *bench) watch(words ...string) *watching {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	w := &watching{t: b.t, lines: make(chan string), cancel: cancel, status: make(chan int, 1)}
	r, out := io.Pipe()
	sys := b.system(out, &w.errs)
	go func() {
		w.status <- run(ctx, append([]string{"watch"}, words...), sys)
		out.Close()
	}()
	go func() {
		defer close(w.lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			w.lines <- s.Text()
		}
	}()
	b.t.Cleanup(func() {
		cancel()
		for range w.lines {
			// The rest is of no interest.
		}
	})
	return w
}

// until returns the lines up to the one with a text.
func (w *watching) until(text string) []string {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	var lines []string
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatalf("the end, and no %q in %q", text, lines)
			}
			lines = append(lines, line)
			if strings.Contains(line, text) {
				return lines
			}
		case <-deadline:
			w.t.Fatalf("no %q in %q", text, lines)
		}
	}
}

func TestWatch(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.must("create bond0 mode=active-backup miimon=100 slaves=eth0,eth1 up")
	w := b.watch()
	var got []string
	step := func(until string, f func()) {
		f()
		got = append(got, w.until(until)...)
	}
	step("bond0 is OK", func() {})
	step("DEGRADED", func() { b.kernel.SetCarrier("eth0", false) })
	step("is OK", func() { b.kernel.SetCarrier("eth0", true) })
	step("options", func() { b.must("set bond0 updelay=200 num_grat_arp=5") })
	step("got slave", func() {
		b.kernel.AddLink("\x1b[2J", &bondtest.LinkConfig{Index: 9, MAC: mac(9)})
		b.must("enslave bond0 #9")
	})
	step("new name", func() { b.kernel.Rename("eth1", "wan") })
	step("lost slave", func() { b.must("release #9") })
	step("DOWN", func() { b.must("set bond0 down") })
	step("removed", func() { b.must("delete bond0") })
	for i, line := range got {
		if !strings.HasPrefix(line, "2026-03-01 12:00:00.000 ") {
			t.Fatalf("line %q", line)
		}
		got[i] = strings.TrimPrefix(line, "2026-03-01 12:00:00.000 ")
	}
	golden(t, "watch.txt", strings.Join(got, "\n")+"\n")
	w.cancel()
	if status := <-w.status; status != cli.ExitDone || w.errs.Len() > 0 {
		t.Errorf("status %d, standard error %q", status, w.errs.String())
	}
}

// TestWatchJSON holds the lines to the documentation of the command.
func TestWatchJSON(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.must("create bond0 mode=active-backup miimon=100 slaves=eth0,eth1 up")
	w := b.watch("-json")
	lines := w.until(`"synced"`)
	b.kernel.SetCarrier("eth0", false)
	lines = append(lines, w.until(`"active-changed"`)...)
	b.must("set bond0 updelay=200")
	lines = append(lines, w.until(`"options-changed"`)...)
	b.kernel.Overrun()
	lines = append(lines, w.until(`"resynced"`)...)
	type short struct {
		Event, Bond, Slave, State, Reason string
		Old, New                          *string
		Changed                           []string
		BondIndex                         int                   `json:"bond_index"`
		SlaveIndex                        int                   `json:"slave_index"`
		OldName                           string                `json:"old_name"`
		Time                              time.Time             `json:"time"`
		BondState                         struct{ Name string } `json:"bond_state"`
		SlaveState                        struct{ Name string } `json:"slave_state"`
	}
	byEvent := map[string]short{}
	for _, line := range lines {
		var s short
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&s); err != nil && !strings.Contains(err.Error(), "unknown field") {
			t.Fatalf("%v in %s", err, line)
		}
		if s.Event == "" || s.Time.IsZero() {
			t.Errorf("no event or time in %s", line)
		}
		if s.Bond != "" && s.BondState.Name != s.Bond || s.Slave != "" && s.SlaveState.Name != s.Slave {
			t.Errorf("the names differ in %s", line)
		}
		byEvent[s.Event] = s
	}
	e := byEvent["active-changed"]
	if e.Bond != "bond0" || e.BondIndex == 0 || e.Old == nil || *e.Old != "eth0" || e.New == nil || *e.New != "eth1" || e.State != "degraded" || e.Reason != "eth0 down" {
		t.Errorf("active-changed %+v", e)
	}
	if diff := cmp.Diff([]string{"updelay"}, byEvent["options-changed"].Changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if e := byEvent["slave-added"]; e.Slave != "eth1" || e.SlaveIndex != 3 || e.State != "" {
		t.Errorf("slave-added %+v", e)
	}
	if e := byEvent["synced"]; e.Bond != "" {
		t.Errorf("synced %+v", e)
	}
}

// TestWatchBrokenPipe ends with an error when nobody reads any more.
func TestWatchBrokenPipe(t *testing.T) {
	b := newBench(t, nil)
	var errs bytes.Buffer
	status := run(t.Context(), []string{"watch"}, b.system(errWriter{}, &errs))
	if status != cli.ExitFailed || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), "no reader") {
		t.Errorf("status %d, standard error %q", status, errs.String())
	}
}

type errWriter struct{}

func (errWriter) Write([]byte) (int, error) { return 0, errors.New("no reader") }

// TestWatchEveryEvent prints every kind of event, as little as is known of it.
func TestWatchEveryEvent(t *testing.T) {
	ab, ad := wholeBond(t, bond.ModeActiveBackup), wholeBond(t, bond.Mode8023AD)
	s := wholeSlave(t, "eth0")
	link, slave := bond.Link{Index: 1, Name: "bond0"}, bond.Link{Index: 2, Name: "eth0"}
	tests := []struct {
		event bond.Event
		want  string
	}{
		{bond.Event{Kind: bond.EventBondRemoved, Bond: link, BondState: ab}, "bond0 removed"},
		{bond.Event{Kind: bond.EventBondRenamed, Bond: link, OldName: "a b", BondState: ab}, `bond0 is the new name of "a b"`},
		{bond.Event{Kind: bond.EventSlaveRemoved, Bond: link, Slave: slave, SlaveState: &s}, "bond0 lost slave eth0"},
		{bond.Event{Kind: bond.EventActiveChanged, Bond: link, New: slave, BondState: ab}, "bond0 active slave: none -> eth0"},
		{bond.Event{Kind: bond.EventActiveChanged, Bond: link, Old: slave, BondState: ab}, "bond0 active slave: eth0 -> none"},
		{bond.Event{Kind: bond.EventSlaveChanged, Bond: link, Slave: slave, BondState: ab, SlaveState: &s}, "bond0 slave eth0: active, MII up"},
		{bond.Event{Kind: bond.EventAggregatorChanged, Bond: link, BondState: ad}, "bond0: LACP rate slow, aggregator 1 with 2 slaves, partner 02:00:5e:00:53:09, keys 1/1"},
		{bond.Event{Kind: bond.EventAggregatorChanged, Bond: link, Slave: slave, BondState: ad, SlaveState: &s}, "bond0 slave eth0: LACP aggregator 1, actor AGSCD, partner AGSCD"},
		{bond.Event{Kind: bond.EventCarrierChanged, Bond: link, BondState: ab}, "bond0: carrier"},
		{bond.Event{Kind: bond.EventOptionsChanged, Bond: link, BondState: ab, Changed: []bond.Option{bond.OptionMIIMon, bond.OptionPrimary}}, "bond0 options: miimon 100, primary none"},
		{bond.Event{Kind: bond.EventLinkChanged, Bond: link, BondState: ab}, "bond0 interface: MAC none, MTU 0, operstate unknown"},
		{bond.Event{Kind: bond.EventResynced}, "messages of the kernel were lost; everything was read again"},
		{bond.Event{Kind: 99, Bond: link}, "bond0 event(99)"},
	}
	for _, tt := range tests {
		w := newWatcher()
		if got := w.eventText(&tt.event); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%v: %q, want %q", tt.event.Kind, got, tt.want)
		}
	}
	// A slave whose state is the same has something else that changed.
	moved := s
	moved.MTU, moved.MAC = 1400, []byte{2, 0, 0x5e, 0, 0x53, 7}
	dormant := moved
	dormant.OperState = 5
	failed := dormant
	failed.MIIStatus, failed.OperState = bond.MIIDown, 2
	w := newWatcher()
	for i, tt := range []struct {
		state *bond.Slave
		want  string
	}{
		{&s, "bond0 slave eth0: active, MII up"},
		{&moved, "bond0 slave eth0: active, MII up, MAC 02:00:5e:00:53:07, MTU 1400"},
		{&dormant, "bond0 slave eth0: active, MII up, operstate dormant"},
		{&failed, "bond0 slave eth0: active, MII down"},
	} {
		e := bond.Event{Kind: bond.EventSlaveChanged, Bond: link, Slave: slave, BondState: ab, SlaveState: tt.state}
		w.note(&e)
		if got := w.eventText(&e); got != tt.want {
			t.Errorf("event %d: %q, want %q", i, got, tt.want)
		}
	}
	// Every kind has words of its own.
	for k := bond.EventBondAdded; k <= bond.EventLinkChanged; k++ {
		e := bond.Event{Kind: k, Bond: link, Slave: slave, OldName: "x", Old: slave, New: slave, BondState: ad, SlaveState: &s}
		if got := newWatcher().eventText(&e); strings.Contains(got, k.String()) && k != bond.EventSynced {
			t.Errorf("%v has no words of its own: %q", k, got)
		}
	}
}
