// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/lab"
)

// senders and receivers are everybody a fault could concern. "e1=HOST" sends from
// e1 with the MAC address of the host, "e1" with that of a probe.
var (
	senders   = []string{"e1", "e2", "A", "B", "c11", "c21", "e1=HOST", "e2=HOST"}
	receivers = []string{"e1", "e2", "A", "B"}
)

// matrix measures all flows of a network at once.
type matrix struct {
	l    *lab.Lab
	s    serial
	taps map[string]*lab.Tap
}

func newMatrix(t *testing.T, l *lab.Lab) *matrix {
	m := &matrix{l: l, taps: make(map[string]*lab.Tap)}
	for _, r := range receivers {
		m.taps[r] = tap(t, at(l, r).ns, at(l, r).dev)
	}
	return m
}

// blocked has every sender broadcast and returns, as "from>to", the flows on which
// nothing arrives. It waits for everything that does not match the expected
// patterns, and then for as long as a frame may need.
func (m *matrix) blocked(t *testing.T, expected []string) []string {
	t.Helper()
	const n = 3
	isExpected := func(flow string) bool {
		return slices.ContainsFunc(expected, func(p string) bool {
			ok, err := path.Match(p, flow)
			return ok && err == nil
		})
	}
	var wg sync.WaitGroup
	who := make(map[lab.MAC]string)
	for _, name := range senders {
		dev, as, _ := strings.Cut(name, "=")
		mark := m.s.next()
		who[mark] = name
		from := at(m.l, dev)
		frames := marked(t, m.l, from, as, mark, n)
		// A stuck queue and a dead port refuse: nothing arrives then.
		wg.Go(func() { from.ns.Send(from.dev, frames...) })
	}
	wg.Wait()
	arrived := make(map[string]int)
	missing := make(map[string]int)
	var flows []string
	for _, to := range receivers {
		for _, from := range senders {
			if !strings.HasPrefix(from, to) {
				flows = append(flows, from+">"+to)
				if !isExpected(from + ">" + to) {
					missing[to] += n
				}
			}
		}
	}
	read := func(to string, deadline time.Time, enough func() bool) {
		for !enough() {
			f, err := m.taps[to].Read(deadline)
			if os.IsTimeout(err) {
				return
			}
			// A device that goes down says so once.
			if err != nil && !errors.Is(err, syscall.ENETDOWN) {
				t.Fatal(err)
			}
			a, ok := f.ARP()
			if from := who[a.SHA]; ok && !f.Outgoing && from != "" {
				arrived[from+">"+to]++
				if !isExpected(from + ">" + to) {
					missing[to]--
				}
			}
		}
	}
	for _, to := range receivers {
		read(to, time.Now().Add(patience), func() bool { return missing[to] <= 0 })
	}
	last := time.Now().Add(100 * time.Millisecond)
	for _, to := range receivers {
		read(to, last, func() bool { return false })
	}
	var names []string
	for _, flow := range flows {
		switch got := arrived[flow]; got {
		case n:
		case 0:
			names = append(names, flow)
		default:
			t.Errorf("%s: %d of %d frames", flow, got, n)
		}
	}
	return names
}

// matching returns the flows that match the patterns.
func (m *matrix) matching(patterns []string) []string {
	var names []string
	for _, to := range receivers {
		for _, from := range senders {
			flow := from + ">" + to
			if !strings.HasPrefix(from, to) && slices.ContainsFunc(patterns, func(p string) bool {
				ok, err := path.Match(p, flow)
				return ok && err == nil
			}) {
				names = append(names, flow)
			}
		}
	}
	return names
}

// TestFaults measures every flow before, during and after every fault that stops
// frames, and shows that the fault stops those it should and no others, and that
// Undo leaves the network as it was.
func TestFaults(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	m := newMatrix(t, l)
	if got := m.blocked(t, nil); len(got) != 0 {
		t.Fatalf("blocked in a healthy network: %v", got)
	}
	healthy := setup(t, l)
	tests := []struct {
		fault   string
		blocked []string // patterns of the flows it stops
		counts  bool     // it counts what it stops
		carrier string   // what loses carrier
	}{
		{fault: "cut-uplink 1", counts: true, blocked: []string{
			"e1*>e2", "e1*>[AB]", "c11>e2", "c11>[AB]", "e2*>e1", "[AB]>e1", "c21>e1",
		}},
		{fault: "cut-uplink 2", counts: true, blocked: []string{
			"e2*>e1", "e2*>[AB]", "c21>e1", "c21>[AB]", "e1*>e2", "[AB]>e2", "c11>e2",
		}},
		{fault: "cut-port 1", carrier: "e1", blocked: []string{"e1*>*", "*>e1"}},
		{fault: "drop-tx e1", counts: true, blocked: []string{"e1*>*"}},
		{fault: "drop-rx e2", counts: true, blocked: []string{"*>e2"}},
		{fault: "drop-towards e2", counts: true, blocked: []string{"[AB]>e2"}},
		{fault: "drop-towards e2 B", counts: true, blocked: []string{"B>e2"}},
		{fault: "prune e2", counts: true, blocked: []string{"*=HOST>e2"}},
		{fault: "stuck-transmit e1", blocked: []string{"e1*>*"}},
		{fault: "target-down A", carrier: "A", blocked: []string{"A>*", "*>A"}},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.fault, " ", "_"), func(t *testing.T) {
			start := time.Now()
			f := inject(t, l, tt.fault)
			if at := f.At(); at.Before(start) || at.After(time.Now()) {
				t.Errorf("at %v", at)
			}
			if f.String() != tt.fault {
				t.Errorf("called %q", f)
			}
			if tt.carrier != "" {
				eventually(t, tt.carrier+" loses carrier", func() bool { return !running(t, at(l, tt.carrier)) })
			}
			want := m.matching(tt.blocked)
			if diff := cmp.Diff(want, m.blocked(t, tt.blocked)); diff != "" || len(want) == 0 {
				t.Errorf("blocked flows (-want +got):\n%s", diff)
			}
			for _, name := range append(l.Slaves(), l.Targets()...) {
				if up := running(t, at(l, name)); up != (name != tt.carrier) {
					t.Errorf("carrier of %s: %v", name, up)
				}
			}
			n := packets(t, f)
			if (n > 0) != tt.counts {
				t.Errorf("%d frames dropped", n)
			}
			if setup(t, l) == healthy {
				t.Error("the fault cannot be seen in the set-up, so neither could its remains")
			}
			undo(t, f)
			undo(t, f)
			if after := packets(t, f); after != n {
				t.Errorf("%d frames dropped, after Undo %d", n, after)
			}
			eventually(t, "carrier is back", func() bool {
				return running(t, at(l, "e1")) && running(t, at(l, "A"))
			})
			eventually(t, "the set-up is as before", func() bool { return setup(t, l) == healthy })
			if got := m.blocked(t, nil); len(got) != 0 {
				t.Errorf("blocked after Undo: %v", got)
			}
		})
	}
}

func TestStuckTransmitRefuses(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	a := lab.NewARP(lab.OpRequest, lab.Broadcast, lab.MAC{0x06})
	f := inject(t, l, "stuck-transmit e1")
	if err := l.Host().Send("e1", a.AppendFrame(nil)); !errors.Is(err, syscall.ENOBUFS) {
		t.Errorf("send on a stuck slave: %v, want ENOBUFS", err)
	}
	undo(t, f)
	if err := l.Host().Send("e1", a.AppendFrame(nil)); err != nil {
		t.Error(err)
	}
}

// flow sends n frames from one place to another and returns how many arrive.
func flow(t *testing.T, l *lab.Lab, s *serial, name string, n int, wait time.Duration) int {
	t.Helper()
	from, to, _ := strings.Cut(name, ">")
	return passing(t, l, s, at(l, from), at(l, to), n, wait)
}

// TestLoss sends enough frames that a wrong share is not a matter of luck: with
// 400 frames 60 is six standard deviations.
func TestLoss(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	s := new(serial)
	const n, margin = 400, 60
	for _, tt := range []struct {
		fault  string
		tx, rx int // frames of n that are lost in the mean
	}{
		{"loss e1 3 tx", 120, 0},
		{"loss e1 5 rx", 0, 200},
		{"loss e1 7", 280, 280},
	} {
		t.Run(strings.ReplaceAll(tt.fault, " ", "_"), func(t *testing.T) {
			f := inject(t, l, tt.fault)
			for way, want := range map[string]int{"e1>A": tt.tx, "A>e1": tt.rx} {
				wait := 700 * time.Millisecond
				if want == 0 {
					wait = patience
				}
				lost := n - flow(t, l, s, way, n, wait)
				if want == 0 && lost != 0 || lost < want-margin || lost > want+margin {
					t.Errorf("%s: %d of %d lost, want %d", way, lost, n, want)
				}
			}
			undo(t, f)
		})
	}
	if lost := n - flow(t, l, s, "e1>A", n, patience); lost != 0 {
		t.Errorf("after Undo: %d of %d lost", lost, n)
	}
}

// TestFaultsAreIndependent undoes faults in another order than they were made.
func TestFaultsAreIndependent(t *testing.T) {
	l := lab.Start(t, &lab.Config{Slaves: 3, Chatty: 1})
	s := new(serial)
	healthy := setup(t, l)
	one := inject(t, l, "drop-tx e1")
	two := inject(t, l, "drop-tx e1")
	three := inject(t, l, "cut-uplink 3")
	want := func(ways map[string]bool) {
		t.Helper()
		for way, passes := range ways {
			wait := patience
			if !passes {
				wait = 100 * time.Millisecond
			}
			if got := flow(t, l, s, way, 1, wait) == 1; got != passes {
				t.Errorf("%s passes: %v", way, got)
			}
		}
	}
	want(map[string]bool{"e1>A": false, "e3>A": false, "A>e3": false, "A>e1": true, "e2>A": true})
	undo(t, one)
	want(map[string]bool{"e1>A": false, "e3>A": false})
	undo(t, three)
	want(map[string]bool{"e1>A": false, "e3>A": true, "A>e3": true})
	undo(t, two)
	want(map[string]bool{"e1>A": true})
	if diff := cmp.Diff(healthy, setup(t, l)); diff != "" {
		t.Errorf("remains (-before +after):\n%s", diff)
	}
}

func TestInjectRejects(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	healthy := setup(t, l)
	for _, text := range []string{
		"", "no-such-fault", "cut-uplink", "cut-uplink 0", "cut-uplink 3", "cut-uplink one", "cut-uplink 1 2",
		"cut-port 3", "drop-tx", "drop-tx e3", "drop-tx A", "drop-rx x", "drop-towards e1 C", "prune e9",
		"loss e1", "loss e1 0", "loss e1 10", "loss e1 3 up", "loss e1 x", "loss e7 3",
		"stuck-transmit bond0", "target-down C", "target-asks host", "chatter", "chatter music", "chatter others 3",
		"chatter others x", "second-owner A 3", "second-owner C 1", "second-owner A x",
		"forge all 1 A", "forge lies 1 A 02:00:00:00:00:01", "forge all 3 A 02:00:00:00:00:01",
		"forge all 1 C 02:00:00:00:00:01", "forge all 1 A 02:00", "forge all x A 02:00:00:00:00:01",
	} {
		if f, err := l.Inject(t.Context(), text); !errors.Is(err, lab.ErrConfig) {
			t.Errorf("%q: %v, %v, want ErrConfig", text, f, err)
		}
	}
	if diff := cmp.Diff(healthy, setup(t, l)); diff != "" {
		t.Errorf("remains (-before +after):\n%s", diff)
	}
	if _, err := l.Chatter(t.Context(), 0); !errors.Is(err, lab.ErrConfig) {
		t.Errorf("chatter about nothing: %v", err)
	}
	if _, err := l.Forge(t.Context(), &lab.ForgeConfig{}); !errors.Is(err, lab.ErrConfig) {
		t.Errorf("forger without probes: %v", err)
	}
}

// TestFaultNames makes every fault there is by its name, so that none of the
// table can be forgotten.
func TestFaultNames(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	healthy := setup(t, l)
	args := map[string]string{
		"cut-uplink": "1", "cut-port": "2", "drop-tx": "e1", "drop-rx": "e2", "drop-towards": "e2 A B",
		"loss": "e1 3 tx", "prune": "e2", "stuck-transmit": "e1", "target-down": "B",
		"chatter": "others,targets,probes,lldp 1 2", "target-asks": "B", "second-owner": "A 2",
		"forge": "all 2 B 02:00:00:00:00:01 02:00:00:00:00:02",
	}
	for _, name := range lab.FaultNames() {
		f, err := l.Inject(t.Context(), name+" "+args[name])
		if err != nil {
			t.Error(err)
			continue
		}
		if want := name + " " + args[name]; f.String() != want && name != "forge" {
			t.Errorf("got %q, want %q", f, want)
		}
		undo(t, f)
	}
	eventually(t, "the set-up is as before", func() bool { return setup(t, l) == healthy })
}
