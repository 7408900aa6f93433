// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

var (
	ip1 = netip.MustParseAddr("192.0.2.1")
	ip2 = netip.MustParseAddr("192.0.2.2")
	ip3 = netip.MustParseAddr("192.0.2.3")
)

// lan is three hosts on one switch.
type lan struct {
	*arpmontest.Network
	sw    *arpmontest.Switch
	hosts [3]*arpmontest.Host
	links [3]*arpmontest.Link
	seen  [3]int // frames that arrived at the hosts
}

func newLAN() *lan {
	l := &lan{Network: arpmontest.New(1)}
	l.sw = l.AddSwitch("sw")
	for i, name := range []string{"h1", "h2", "h3"} {
		l.hosts[i] = l.AddHost(name, []netip.Addr{ip1, ip2, ip3}[i])
		l.hosts[i].Tap = func([]byte) { l.seen[i]++ }
		l.links[i] = l.Connect(l.hosts[i], l.sw)
	}
	return l
}

// data is a frame from one host to another.
func (l *lan) data(from, to int) []byte {
	return arpmontest.Frame(l.hosts[to].MAC, l.hosts[from].MAC, 0x0800, nil)
}

// want compares how many frames arrived since the last call.
func (l *lan) want(t *testing.T, what string, want [3]int) {
	t.Helper()
	l.Run(time.Millisecond)
	if l.seen != want {
		t.Errorf("%s: %v frames arrived at the hosts, want %v", what, l.seen, want)
	}
	l.seen = [3]int{}
}

func TestSwitchLearns(t *testing.T) {
	l := newLAN()
	l.hosts[0].Send(l.data(0, 1))
	l.want(t, "to an unknown address", [3]int{0, 1, 1})
	l.hosts[1].Send(l.data(1, 0))
	l.want(t, "to a known address", [3]int{1, 0, 0})
	if got := l.sw.Lookup(l.hosts[0].MAC, 0); got != l.links[0] {
		t.Errorf("h1 is behind %v", got)
	}

	// The address moves with the last frame that has it as source.
	l.hosts[2].Send(l.data(0, 1))
	l.want(t, "from another port", [3]int{0, 1, 0})
	l.hosts[1].Send(l.data(1, 0))
	l.want(t, "to an address that moved", [3]int{0, 0, 1})

	l.sw.Ageing = 10 * time.Second
	l.Run(11 * time.Second)
	if got := l.sw.Lookup(l.hosts[0].MAC, 0); got != nil {
		t.Errorf("an old address is still behind %v", got)
	}
	l.hosts[1].Send(l.data(1, 0))
	l.want(t, "to an address that is too old", [3]int{1, 0, 1})

	l.hosts[0].Send(l.data(0, 1))
	l.Run(time.Millisecond)
	l.links[0].SetCarrier(false)
	if got := l.sw.Lookup(l.hosts[0].MAC, 0); got != nil {
		t.Error("the address survived the carrier of its port")
	}
	l.links[0].SetCarrier(true)
	l.hosts[0].Send(l.data(0, 1))
	l.Run(time.Millisecond)
	l.sw.Flush()
	if got := l.sw.Lookup(l.hosts[0].MAC, 0); got != nil {
		t.Error("the address survived Flush")
	}
}

func TestSwitchVLANs(t *testing.T) {
	l := newLAN()
	tagged := func(id uint16) []byte {
		return arpmontest.ARP{
			Dst: arpmontest.Broadcast, Src: l.hosts[0].MAC, Op: arpmontest.Request, SHA: l.hosts[0].MAC,
			TPA: ip3, VLAN: arpmon.VLAN{ID: id},
		}.Frame()
	}
	var got []arpmontest.ARP
	l.hosts[1].Tap = func(b []byte) {
		if a, ok := arpmontest.ParseARP(b); ok {
			got = append(got, a)
		}
		l.seen[1]++
	}
	l.hosts[0].Send(tagged(7))
	l.want(t, "through a switch that does not look", [3]int{0, 1, 1})
	if len(got) != 1 || got[0].VLAN.ID != 7 {
		t.Errorf("it became %+v", got)
	}

	l.sw.VLANAware = true
	l.hosts[0].Send(tagged(7))
	l.want(t, "on a VLAN that is not allowed", [3]int{})
	for _, i := range []int{0, 1} {
		l.sw.Port(l.links[i]).Tagged = []uint16{7}
	}
	l.hosts[0].Send(tagged(7))
	l.want(t, "between two trunks", [3]int{0, 1, 0})
	l.sw.Port(l.links[1]).PVID = 7
	l.hosts[0].Send(tagged(7))
	l.want(t, "from a trunk to an access port", [3]int{0, 1, 0})
	l.hosts[1].Send(l.data(1, 0))
	l.want(t, "from an access port to a trunk", [3]int{1, 0, 0})
	want := []uint16{7, 7, 0}
	var ids []uint16
	for _, a := range got {
		ids = append(ids, a.VLAN.ID)
	}
	if !slices.Equal(ids, want) {
		t.Errorf("the tags are %v, want %v", ids, want)
	}
	l.hosts[2].Send(l.data(2, 0))
	l.want(t, "on the default VLAN", [3]int{1, 0, 0})
	if l.sw.Lookup(l.hosts[1].MAC, 7) == nil || l.sw.Lookup(l.hosts[1].MAC, 1) != nil {
		t.Error("the switch mixes the VLANs of an address")
	}
	l.sw.Port(l.links[2]).PVID = 0
	l.hosts[2].Send(l.data(2, 0))
	l.want(t, "untagged on a port that takes none", [3]int{})
}

func TestSwitchFaults(t *testing.T) {
	l := newLAN()
	fromOne := func(b []byte) bool { return arpmon.MAC(b[6:12]) == l.hosts[0].MAC }
	rule := l.sw.Drop(nil, l.links[1], fromOne)
	l.hosts[0].Send(l.data(0, 1))
	l.want(t, "with a rule for one port", [3]int{0, 0, 1})
	l.hosts[1].Send(l.data(1, 0))
	l.want(t, "the other way", [3]int{1, 0, 0})
	if rule.Count != 1 {
		t.Errorf("the rule counted %d", rule.Count)
	}
	rule.Remove()
	l.hosts[0].Send(l.data(0, 1))
	l.want(t, "without the rule", [3]int{0, 1, 0})

	l.sw.Drop(l.links[0], l.links[2], nil)
	l.hosts[0].Ask(ip3)
	l.want(t, "between two ports", [3]int{0, 1, 0})
	l.sw.Port(l.links[0]).Isolated = true
	l.sw.Port(l.links[1]).Isolated = true
	l.hosts[0].Ask(ip2)
	l.want(t, "between isolated ports", [3]int{})
	l.hosts[2].Ask(ip1)
	l.want(t, "from a port that is not", [3]int{1, 1, 0})
}

func TestLoopEnds(t *testing.T) {
	n := arpmontest.New(1)
	a, b := n.AddSwitch("a"), n.AddSwitch("b")
	n.Connect(a, b)
	n.Connect(a, b)
	h := n.AddHost("h", ip1)
	n.Connect(h, a)
	h.Ask(ip2)
	n.Run(time.Second)
	if n.Looped == 0 || n.Frames() > 1000 {
		t.Errorf("%d frames, %d given up", n.Frames(), n.Looped)
	}
}

func TestLink(t *testing.T) {
	l := newLAN()
	w := l.links[0].From(l.hosts[0])
	if w != l.links[0].To(l.sw) || l.links[0].From(l.hosts[1]) != nil || l.links[0].To(l.hosts[1]) != nil {
		t.Fatal("the ends of the link are mixed up")
	}
	if l.Between(l.sw, l.hosts[0]) != l.links[0] || l.Between(l.hosts[0], l.hosts[1]) != nil {
		t.Error("Between is wrong")
	}
	hundred := func() int {
		l.seen = [3]int{}
		for range 100 {
			l.hosts[0].Send(l.data(0, 1))
		}
		l.Run(time.Second)
		return l.seen[1]
	}
	if n := hundred(); n != 100 {
		t.Errorf("%d of 100 arrived", n)
	}
	w.Loss = 0.3
	if n := hundred(); n < 50 || n > 90 {
		t.Errorf("with a loss of 0.3 %d of 100 arrived", n)
	}
	w.Loss, w.Duplicate = 0, 0.3
	if n := hundred(); n < 110 || n > 150 {
		t.Errorf("with 0.3 duplicates %d of 100 arrived", n)
	}
	w.Duplicate, w.Drop = 0, func(b []byte) bool { return true }
	if n := hundred(); n != 0 {
		t.Errorf("%d were not dropped", n)
	}
	w.Drop = nil
	l.links[0].Cut(true)
	if n := hundred(); n != 0 || !l.links[0].Carrier() {
		t.Errorf("%d went through a cut, carrier %v", n, l.links[0].Carrier())
	}
	l.links[0].Cut(false)
	l.links[0].SetCarrier(false)
	if n := hundred(); n != 0 || l.links[0].Carrier() {
		t.Errorf("%d went without carrier %v", n, l.links[0].Carrier())
	}
	l.links[0].SetCarrier(true)

	// What is under way is lost too.
	l.seen = [3]int{}
	w.Latency = time.Second
	l.hosts[0].Send(l.data(0, 1))
	l.Run(time.Second / 2)
	w.Cut = true
	l.Run(time.Second)
	if l.seen[1] != 0 || w.Sent-w.Lost < 100 {
		t.Errorf("%d arrived, sent %d and lost %d", l.seen[1], w.Sent, w.Lost)
	}
}

func TestOrder(t *testing.T) {
	for _, reorder := range []bool{false, true} {
		l := newLAN()
		w := l.links[0].From(l.hosts[0])
		w.Jitter, w.Reorder = time.Millisecond, reorder
		var got []byte
		l.hosts[1].Tap = func(b []byte) { got = append(got, b[14]) }
		for i := range 100 {
			l.hosts[0].Send(arpmontest.Frame(l.hosts[1].MAC, l.hosts[0].MAC, 0x0800, []byte{byte(i)}))
		}
		l.Run(time.Second)
		if len(got) != 100 || slices.IsSorted(got) == reorder {
			t.Errorf("reorder %v: %d frames in the order %v", reorder, len(got), got)
		}
	}
}

func TestHostAnswers(t *testing.T) {
	l := newLAN()
	var got []arpmontest.ARP
	l.hosts[0].Tap = func(b []byte) {
		if a, ok := arpmontest.ParseARP(b); ok {
			got = append(got, a)
		}
	}
	h := l.hosts[1]
	probe := func(spa, tpa netip.Addr) {
		got = nil
		l.hosts[0].Send(arpmontest.ARP{
			Dst: arpmontest.Broadcast, Src: l.hosts[0].MAC, Op: arpmontest.Request, SHA: l.hosts[0].MAC, SPA: spa, TPA: tpa,
		}.Frame())
		l.Run(100 * time.Millisecond)
	}
	answer := func(spa netip.Addr) arpmontest.ARP {
		return arpmontest.ARP{
			Dst: l.hosts[0].MAC, Src: h.MAC, Op: arpmontest.Reply, SHA: h.MAC, SPA: ip2,
			THA: l.hosts[0].MAC, TPA: spa,
		}
	}
	check := func(what string, want ...arpmontest.ARP) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	none := netip.IPv4Unspecified()
	probe(none, ip2)
	check("RFC 5227 probe", answer(none))
	if h.Neighbour(none) != (arpmon.MAC{}) || h.Neighbour(ip1) != (arpmon.MAC{}) {
		t.Error("the host learned from a probe")
	}
	probe(ip1, ip2)
	check("request", answer(ip1))
	if h.Neighbour(ip1) != l.hosts[0].MAC || l.hosts[2].Neighbour(ip1) != (arpmon.MAC{}) {
		t.Error("the host asked must learn, and nobody else")
	}
	probe(ip1, netip.MustParseAddr("192.0.2.9"))
	check("request for nobody")
	h.BroadcastReplies = true
	probe(none, ip2)
	loud := answer(none)
	loud.Dst = arpmontest.Broadcast
	check("loud host", loud)
	h.BroadcastReplies = false
	h.Mute = true
	probe(none, ip2)
	check("mute host")
	h.Mute = false
	h.Delay = 200 * time.Millisecond
	probe(none, ip2)
	check("slow host, early")
	l.Run(150 * time.Millisecond)
	check("slow host", answer(none))
	h.Delay = 0
	h.MAC = l.MAC()
	probe(none, ip2)
	check("new address", answer(none))
	h.VLAN = 5
	probe(none, ip2)
	check("on another VLAN")
	h.VLAN = 0
	h.Proxy = func(a arpmontest.ARP) bool { return !a.SPA.IsUnspecified() }
	probe(none, netip.MustParseAddr("192.0.2.9"))
	check("proxy, probe")
	probe(ip1, netip.MustParseAddr("192.0.2.9"))
	proxied := answer(ip1)
	proxied.SPA = netip.MustParseAddr("192.0.2.9")
	check("proxy", proxied)

	// A second owner answers too.
	h.Proxy = nil
	l.hosts[2].Addr = ip2
	probe(none, ip2)
	if len(got) != 2 || got[0].SHA == got[1].SHA {
		t.Errorf("two owners answer %+v", got)
	}
}

func TestHostData(t *testing.T) {
	l := newLAN()
	if l.hosts[0].SendData(ip2) {
		t.Error("sent without an entry")
	}
	l.Run(time.Millisecond)
	if !l.hosts[0].SendData(ip2) {
		t.Error("the answer made no entry")
	}
	l.Run(time.Millisecond)
	if l.hosts[1].Data != 1 || l.hosts[2].Data != 0 {
		t.Errorf("%d and %d frames arrived", l.hosts[1].Data, l.hosts[2].Data)
	}
	// A gratuitous request changes an entry, and makes none.
	l.hosts[1].MAC = l.MAC()
	l.hosts[1].Announce()
	l.Run(time.Millisecond)
	if l.hosts[0].Neighbour(ip2) != l.hosts[1].MAC || l.hosts[2].Neighbour(ip2) != (arpmon.MAC{}) {
		t.Error("the announcement was not taken as Linux does")
	}
	l.hosts[0].SetNeighbour(ip2, arpmon.MAC{2})
	if l.hosts[0].Neighbour(ip2) != (arpmon.MAC{2}) {
		t.Error("SetNeighbour did nothing")
	}
}

func TestClock(t *testing.T) {
	n := arpmontest.New(1)
	var at []time.Duration
	note := func() { at = append(at, n.Elapsed()) }
	n.After(3, note)
	n.After(1, note)
	n.After(2, func() { note(); n.After(0, note) })
	n.After(-1, note)
	n.RunUntil(2)
	if want := []time.Duration{0, 1, 2, 2}; !slices.Equal(at, want) || n.Now() != 2 {
		t.Errorf("at %v: %v, want %v", n.Now(), at, want)
	}
	n.Run(10)
	if want := []time.Duration{0, 1, 2, 2, 3}; !slices.Equal(at, want) || n.Now() != 12 {
		t.Errorf("at %v: %v, want %v", n.Now(), at, want)
	}
	at = nil
	tick := n.Every(time.Second, note)
	if n.RunWhile(time.Minute, func() bool { return len(at) < 3 }) {
		t.Error("the condition should have failed")
	}
	if at[0] > 12+time.Second || at[2]-at[0] != 2*time.Second || n.Elapsed() != at[2] {
		t.Errorf("ticks at %v, now is %v", at, n.Elapsed())
	}
	tick.Stop()
	if !n.RunWhile(time.Minute, func() bool { return len(at) < 4 }) || n.Elapsed() != at[2]+time.Minute {
		t.Errorf("the ticker goes on: %v, now is %v", at, n.Elapsed())
	}
}

func TestFrames(t *testing.T) {
	a := arpmontest.ARP{
		Dst: arpmontest.Broadcast, Src: arpmon.MAC{2, 1}, Op: arpmontest.Request,
		SHA: arpmon.MAC{2, 2}, SPA: ip1, THA: arpmon.MAC{2, 3}, TPA: ip2,
	}
	want := []byte{
		255, 255, 255, 255, 255, 255, 2, 1, 0, 0, 0, 0, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,
		2, 2, 0, 0, 0, 0, 192, 0, 2, 1, 2, 3, 0, 0, 0, 0, 192, 0, 2, 2,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	}
	if diff := cmp.Diff(want, a.Frame()); diff != "" {
		t.Errorf("frame (-want +got):\n%s", diff)
	}
	a.VLAN = arpmon.VLAN{ID: 7}
	if diff := cmp.Diff(slices.Insert(want, 12, 0x81, 0, 0, 7), a.Frame()); diff != "" {
		t.Errorf("tagged frame (-want +got):\n%s", diff)
	}
	a.VLAN.TPID = 0x8100
	if got, ok := arpmontest.ParseARP(a.Frame()); !ok || got != a {
		t.Errorf("parsed as %+v, %v", got, ok)
	}
	for _, b := range [][]byte{nil, a.Frame()[:45], arpmontest.Frame(a.Dst, a.Src, 0x88cc, []byte{1})} {
		if got, ok := arpmontest.ParseARP(b); ok {
			t.Errorf("% x was parsed as %+v", b, got)
		}
	}
}
