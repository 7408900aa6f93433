// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/arpmon"
)

const ms = int64(time.Millisecond)

var (
	addrA = netip.MustParseAddr("192.0.2.1")
	addrB = netip.MustParseAddr("192.0.2.2")
	macA  = arpmon.MAC{0x02, 0xa, 0, 0, 0, 1}
	macB  = arpmon.MAC{0x02, 0xb, 0, 0, 0, 2}
	mac1  = arpmon.MAC{0x02, 0x5e, 0, 0, 0, 1}
	mac2  = arpmon.MAC{0x02, 0x5e, 0, 0, 0, 2}
)

func targets(addrs ...netip.Addr) []arpmon.Target {
	var ts []arpmon.Target
	for _, a := range addrs {
		ts = append(ts, arpmon.IPv4(a))
	}
	return ts
}

// replyTo makes the reply that a target with the given address would send.
func replyTo(probe []byte, sha arpmon.MAC) []byte {
	f := make([]byte, 60)
	copy(f[0:6], probe[22:28])
	copy(f[6:12], sha[:])
	copy(f[12:20], probe[12:20])
	binary.BigEndian.PutUint16(f[20:], 2)
	copy(f[22:28], sha[:])
	copy(f[28:32], probe[38:42])
	copy(f[32:38], probe[22:28])
	copy(f[38:42], probe[28:32])
	return f
}

// rig drives an Engine with perfect targets, and with faults set by fail.
type rig struct {
	t    *testing.T
	e    *arpmon.Engine
	now  int64
	next int64
	out  []arpmon.Probe
	// fail says whether the answer of a target is lost.
	fail func(arpmon.SlaveID, netip.Addr) bool
	// noSend says why a slave cannot send.
	noSend func(arpmon.SlaveID) error
	// sent is called for every probe that leaves.
	sent func(p *arpmon.Probe)
	rtt  int64
}

func newRig(t *testing.T, cfg arpmon.Config) *rig {
	t.Helper()
	e, err := arpmon.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{
		t: t, e: e, out: make([]arpmon.Probe, 3), rtt: ms,
		fail:   func(arpmon.SlaveID, netip.Addr) bool { return false },
		noSend: func(arpmon.SlaveID) error { return nil },
		sent:   func(*arpmon.Probe) {},
	}
}

func (r *rig) add(mac arpmon.MAC, link arpmon.Link) arpmon.SlaveID {
	r.t.Helper()
	id, err := r.e.AddSlave(arpmon.SlaveConfig{Identity: arpmon.Identity{MAC: mac}, Link: link}, r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// step polls once, and answers every probe.
func (r *rig) step() {
	n, next := r.e.Poll(r.now, r.out)
	for i := range r.out[:n] {
		p := &r.out[i]
		if err := r.noSend(p.Slave); err != nil {
			r.e.NotSent(p, r.now, err)
			continue
		}
		r.e.Sent(p, r.now)
		r.sent(p)
		spa := netip.AddrFrom4([4]byte(p.Frame()[38:42]))
		if r.fail(p.Slave, spa) {
			continue
		}
		sha := macA
		if spa == addrB {
			sha = macB
		}
		if v := r.e.Handle(p.Slave, replyTo(p.Frame(), sha), arpmon.Meta{}, r.now+r.rtt); v != arpmon.Accepted {
			r.t.Fatalf("reply was not accepted: %v", v)
		}
		next = r.now + r.rtt
	}
	r.next = next
}

// run polls until the time is over.
func (r *rig) run(d time.Duration) {
	for end := r.now + int64(d); ; {
		r.step()
		if r.next > end {
			r.now = end
			return
		}
		r.now = max(r.now, r.next)
	}
}

func (r *rig) want(id arpmon.SlaveID, st arpmon.SlaveState, reason arpmon.Reason) {
	r.t.Helper()
	if s, why := r.e.State(id); s != st || why != reason {
		r.t.Fatalf("at %v: slave is %v (%v), want %v (%v)", time.Duration(r.now), s, why, st, reason)
	}
}

func TestConfigDefaults(t *testing.T) {
	var c arpmon.Config
	if got, want := c.Bound(), 1875*time.Millisecond; got != want {
		t.Errorf("Bound() = %v, want %v", got, want)
	}
	if got, want := c.Recovery(), 2875*time.Millisecond; got != want {
		t.Errorf("Recovery() = %v, want %v", got, want)
	}
	got, err := c.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	want := arpmon.Config{
		Interval: 500 * time.Millisecond, Timeout: 375 * time.Millisecond, DownAfter: 3, UpAfter: 5,
		MaxPPS: 10, MaxSlaves: 8, MaxTargets: 16, Events: 256,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resolved defaults (-want +got):\n%s", diff)
	}
}

func TestConfigIntervalFollowsTargets(t *testing.T) {
	for _, tt := range []struct {
		targets int
		want    time.Duration
	}{{1, 500 * time.Millisecond}, {4, 500 * time.Millisecond}, {5, 572 * time.Millisecond}, {16, 1829 * time.Millisecond}} {
		c := arpmon.Config{Targets: manyTargets(tt.targets)}
		got, err := c.Resolved()
		if err != nil || got.Interval != tt.want {
			t.Errorf("%d targets: interval %v (%v), want %v", tt.targets, got.Interval, err, tt.want)
		}
		c.Interval = tt.want
		if err := c.Validate(); err != nil {
			t.Errorf("%d targets: the picked interval is refused: %v", tt.targets, err)
		}
	}
}

func manyTargets(n int) []arpmon.Target {
	var ts []arpmon.Target
	for i := range n {
		ts = append(ts, arpmon.IPv4(netip.AddrFrom4([4]byte{198, 51, 100, byte(i + 1)})))
	}
	return ts
}

func TestConfigErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  arpmon.Config
		want error
		text string
	}{
		"interval under the floor": {arpmon.Config{Interval: 9 * time.Millisecond}, arpmon.ErrInterval, "arpmon: config: Interval 9ms: out of range (10ms to 1m0s)"},
		"negative interval":        {arpmon.Config{Interval: -1}, arpmon.ErrInterval, ""},
		"interval over the top":    {arpmon.Config{Interval: time.Hour}, arpmon.ErrInterval, ""},
		"over the packet budget": {
			arpmon.Config{Interval: 100 * time.Millisecond, Targets: targets(addrA, addrB)},
			arpmon.ErrPacketBudget,
			"arpmon: config: Interval 100ms: more probes a second than MaxPPS (the smallest that fits 2 targets is 229ms, or raise MaxPPS)",
		},
		"budget impossible":        {arpmon.Config{MaxPPS: 0.018, Targets: targets(addrA)}, arpmon.ErrPacketBudget, ""},
		"budget tiny":              {arpmon.Config{MaxPPS: 1e-12, Targets: targets(addrA)}, arpmon.ErrInterval, ""},
		"budget not a number":      {arpmon.Config{MaxPPS: math.NaN()}, arpmon.ErrInterval, ""},
		"negative budget":          {arpmon.Config{MaxPPS: -1}, arpmon.ErrInterval, ""},
		"timeout too long":         {arpmon.Config{Timeout: 376 * time.Millisecond}, arpmon.ErrInterval, ""},
		"timeout too short":        {arpmon.Config{Timeout: 1}, arpmon.ErrInterval, ""},
		"down after less than one": {arpmon.Config{DownAfter: -1}, arpmon.ErrInterval, ""},
		"up after less than one":   {arpmon.Config{UpAfter: -1}, arpmon.ErrInterval, ""},
		"too many slaves":          {arpmon.Config{MaxSlaves: 1 << 20}, arpmon.ErrInterval, ""},
		"more targets than MaxTargets": {
			arpmon.Config{Targets: targets(addrA, addrB), MaxTargets: 1}, arpmon.ErrTooMany, "",
		},
		"no address":       {arpmon.Config{Targets: []arpmon.Target{{}}}, arpmon.ErrBadTarget, ""},
		"unspecified":      {arpmon.Config{Targets: targets(netip.IPv4Unspecified())}, arpmon.ErrBadTarget, ""},
		"multicast":        {arpmon.Config{Targets: targets(netip.MustParseAddr("224.0.0.1"))}, arpmon.ErrBadTarget, ""},
		"broadcast":        {arpmon.Config{Targets: targets(netip.MustParseAddr("255.255.255.255"))}, arpmon.ErrBadTarget, ""},
		"loopback":         {arpmon.Config{Targets: targets(netip.MustParseAddr("127.0.0.1"))}, arpmon.ErrBadTarget, ""},
		"IPv6":             {arpmon.Config{Targets: targets(netip.MustParseAddr("2001:db8::1"))}, arpmon.ErrUnsupportedTarget, ""},
		"IPv6 is std's":    {arpmon.Config{Targets: targets(netip.MustParseAddr("2001:db8::1"))}, errors.ErrUnsupported, ""},
		"VLAN":             {arpmon.Config{Targets: []arpmon.Target{{Addr: addrA, VLANs: [2]arpmon.VLAN{{ID: 5}}}}}, errors.ErrUnsupported, ""},
		"named twice":      {arpmon.Config{Targets: targets(addrA, addrA)}, arpmon.ErrDuplicate, ""},
		"mapped twice":     {arpmon.Config{Targets: targets(addrA, netip.MustParseAddr("::ffff:192.0.2.1"))}, arpmon.ErrDuplicate, ""},
		"policy too large": {arpmon.Config{Targets: targets(addrA), Policy: arpmon.PolicyAtLeast(2)}, arpmon.ErrPolicy, ""},
		"policy nonsense":  {arpmon.Config{Policy: arpmon.PolicyAtLeast(-3)}, arpmon.ErrPolicy, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := arpmon.New(tt.cfg)
			if !errors.Is(err, tt.want) {
				t.Fatalf("New: %v, want %v", err, tt.want)
			}
			if _, ok := errors.AsType[*arpmon.Error](err); !ok {
				t.Errorf("%T is not an *arpmon.Error", err)
			}
			if tt.text != "" && err.Error() != tt.text {
				t.Errorf("text is\n%s\nwant\n%s", err, tt.text)
			}
			if tt.cfg.Bound() != 0 || tt.cfg.Recovery() != 0 {
				t.Error("a refused configuration has a bound")
			}
		})
	}
}

func TestProbeBytes(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: targets(addrA), NoCanary: true})
	r.add(mac1, arpmon.LinkUp)
	r.fail = func(arpmon.SlaveID, netip.Addr) bool { return true }
	var frame []byte
	r.sent = func(p *arpmon.Probe) {
		if frame == nil {
			frame = append(frame, p.Frame()...)
		}
	}
	r.run(200 * time.Millisecond)
	want := []byte{
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x5e, 0, 0, 0, 1, 0x08, 0x06, // Ethernet
		0, 1, 8, 0, 6, 4, 0, 1, // ARP for Ethernet and IPv4, request
		0x02, 0x5e, 0, 0, 0, 1, 0, 0, 0, 0, // sender: the probe's MAC, 0.0.0.0
		0, 0, 0, 0, 0, 0, 192, 0, 2, 1, // target: zero, the address
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // padding
	}
	if diff := cmp.Diff(want, frame); diff != "" {
		t.Errorf("first probe (-want +got):\n%s", diff)
	}
}

func TestUnicastAfterLearning(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: targets(addrA), NoCanary: true})
	r.add(mac1, arpmon.LinkUp)
	type probe struct {
		broadcast bool
		to        arpmon.MAC
	}
	var last probe
	broadcasts := 0
	r.sent = func(p *arpmon.Probe) {
		last = probe{p.Broadcast, arpmon.MAC(p.Frame()[:6])}
		if p.Broadcast {
			broadcasts++
		}
	}
	r.run(130 * time.Millisecond)
	if want := (probe{true, arpmon.MAC{255, 255, 255, 255, 255, 255}}); last != want {
		t.Fatalf("first probe %+v, want %+v", last, want)
	}
	r.run(50 * time.Second)
	if want := (probe{false, macA}); last != want || broadcasts != 1 {
		t.Fatalf("later probe %+v after %d broadcasts, want %+v after 1", last, broadcasts, want)
	}
	r.run(20 * time.Second)
	if broadcasts != 2 {
		t.Errorf("%d broadcasts in 70 s, want 2: one more after a minute", broadcasts)
	}
	r.fail = func(arpmon.SlaveID, netip.Addr) bool { return true }
	r.run(600 * time.Millisecond)
	broadcasts = 0
	r.run(600 * time.Millisecond)
	if broadcasts == 0 {
		t.Error("no broadcast after a miss")
	}
}

func TestNoTransmit(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: targets(addrA, addrB), NoCanary: true})
	id, other := r.add(mac1, arpmon.LinkUp), r.add(mac2, arpmon.LinkUp)
	r.run(3 * time.Second)
	r.want(id, arpmon.SlaveUp, arpmon.ReasonReplies)
	fault := r.now
	wedged := errors.New("no buffer space available")
	r.noSend = func(s arpmon.SlaveID) error {
		if s == id {
			return wedged
		}
		return nil
	}
	for r.now < fault+int64(r.e.Config().Bound()) {
		r.run(time.Millisecond)
		if st, _ := r.e.State(id); st == arpmon.SlaveDown {
			break
		}
	}
	r.want(id, arpmon.SlaveDown, arpmon.ReasonNoTransmit)
	if d := time.Duration(r.now - fault); d < time.Second {
		t.Errorf("down after %v: less than a bound without a probe", d)
	}
	var s arpmon.Snapshot
	r.e.Snapshot(&s)
	if st := s.Slave(id); !errors.Is(st.LastErr, wedged) || st.NotSent == 0 || st.Pairs[0].Missed != 0 {
		t.Errorf("LastErr %v, NotSent %d, missed %d: want %v, more than 0, and 0", st.LastErr, st.NotSent, st.Pairs[0].Missed, wedged)
	}
	r.want(other, arpmon.SlaveUp, arpmon.ReasonReplies)
	r.noSend = func(arpmon.SlaveID) error { return nil }
	r.run(r.e.Config().Recovery())
	r.want(id, arpmon.SlaveUp, arpmon.ReasonReplies)
}

func TestNotSentIsNoMiss(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: targets(addrA), NoCanary: true})
	id := r.add(mac1, arpmon.LinkUp)
	r.run(2 * time.Second)
	n := 0
	r.noSend = func(arpmon.SlaveID) error {
		if n++; n%2 == 0 {
			return errors.New("busy")
		}
		return nil
	}
	r.run(30 * time.Second)
	r.want(id, arpmon.SlaveUp, arpmon.ReasonReplies)
	var s arpmon.Snapshot
	r.e.Snapshot(&s)
	if p := s.Slave(id).Pairs[0]; p.Missed != 0 || s.Slave(id).NotSent < 20 {
		t.Errorf("missed %d and not sent %d, want none and many", p.Missed, s.Slave(id).NotSent)
	}
}

// A late caller adds at most one miss, and a reply that waited for it counts.
func TestStall(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: targets(addrA), NoCanary: true, DownAfter: 1})
	id := r.add(mac1, arpmon.LinkUp)
	r.run(2 * time.Second)
	// Send a probe, let its reply wait for five seconds.
	var frame []byte
	r.fail = func(arpmon.SlaveID, netip.Addr) bool { return true }
	r.sent = func(p *arpmon.Probe) { frame = append([]byte(nil), p.Frame()...) }
	for frame == nil {
		r.now = r.next
		r.step()
	}
	r.now += int64(5 * time.Second)
	if v := r.e.Handle(id, replyTo(frame, macA), arpmon.Meta{}, r.now); v != arpmon.Accepted {
		t.Fatalf("the reply that waited is %v", v)
	}
	r.sent = func(*arpmon.Probe) {}
	r.fail = func(arpmon.SlaveID, netip.Addr) bool { return false }
	r.step()
	r.want(id, arpmon.SlaveUp, arpmon.ReasonReplies)
	if st := r.e.Stats(); st.Stalls != 1 || st.Stalled < 4*time.Second {
		t.Errorf("stats %+v, want one stall of more than 4 s", st)
	}
	var s arpmon.Snapshot
	r.e.Snapshot(&s)
	if rtt := s.Slave(id).Pairs[0].RTT; rtt.Last != time.Millisecond {
		t.Errorf("RTT %v was taken from the reply that waited", rtt.Last)
	}
}

// However long nobody called, the next call costs no more than any other, and
// the greatest time there is does no harm.
func TestLongSilence(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: manyTargets(16), Interval: 100 * time.Millisecond, MaxPPS: 1000, NoCanary: true})
	id := r.add(mac1, arpmon.LinkUp)
	r.run(time.Second)
	for _, silence := range []time.Duration{time.Hour, 30 * 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
		r.now += int64(silence)
		before := r.e.Stats().Polls
		r.run(time.Second)
		r.want(id, arpmon.SlaveUp, arpmon.ReasonReplies)
		if polls := r.e.Stats().Polls - before; polls > 1000 {
			t.Errorf("%d calls of Poll in the second after %v", polls, silence)
		}
		r.e.SetLink(id, arpmon.LinkDown, r.now)
		r.run(silence)
		r.e.SetLink(id, arpmon.LinkUp, r.now)
		r.run(time.Second)
		r.want(id, arpmon.SlaveUp, arpmon.ReasonReplies)
	}
	if _, next := r.e.Poll(math.MaxInt64, r.out); next == 0 {
		t.Error("no next time")
	}
}

func TestCanary(t *testing.T) {
	cfg := arpmon.Config{Targets: targets(addrA)}
	r := newRig(t, cfg)
	active, err := r.e.AddSlave(arpmon.SlaveConfig{Identity: arpmon.Identity{MAC: mac1}, Link: arpmon.LinkUp, Active: true}, 0)
	if err != nil {
		t.Fatal(err)
	}
	backup := r.add(mac2, arpmon.LinkUp)
	r.fail = func(arpmon.SlaveID, netip.Addr) bool { return true }
	first := map[arpmon.SlaveID]int64{}
	r.sent = func(p *arpmon.Probe) {
		if _, ok := first[p.Slave]; !ok {
			first[p.Slave] = r.now
		}
	}
	r.run(cfg.Bound() - time.Millisecond)
	if _, early := first[active]; early || first[backup] != 0 {
		t.Fatalf("first probes at %v: want the backup's at 0 and none on the active slave", first)
	}
	r.want(active, arpmon.SlaveUnknown, arpmon.ReasonWaiting)
	r.run(time.Second)
	if first[active] < int64(cfg.Bound()) {
		t.Fatalf("first probe of the active slave at %v, want one bound", time.Duration(first[active]))
	}

	// Carrier loss shortly after the first probe stops everything.
	r.e.SetLink(active, arpmon.LinkNoCarrier, r.now)
	r.want(active, arpmon.SlaveNoLink, arpmon.ReasonNoLink)
	r.want(backup, arpmon.SlaveUnknown, arpmon.ReasonProbeSuspectedOfPortLoss)
	sent := 0
	r.sent = func(*arpmon.Probe) { sent++ }
	r.e.SetLink(active, arpmon.LinkUp, r.now)
	r.run(time.Minute)
	if sent != 0 || r.next != math.MaxInt64 {
		t.Fatalf("%d probes while stopped, next %d", sent, r.next)
	}
	if r.e.Resume(r.now); r.e.Resume(r.now) {
		t.Error("resumed twice")
	}
	r.fail = func(arpmon.SlaveID, netip.Addr) bool { return false }
	r.run(3 * time.Second)
	r.want(active, arpmon.SlaveUp, arpmon.ReasonReplies)
	r.want(backup, arpmon.SlaveUp, arpmon.ReasonReplies)
	// Much later the loss is no fault of the probes.
	r.run(time.Minute)
	r.e.SetLink(active, arpmon.LinkNoCarrier, r.now)
	r.want(backup, arpmon.SlaveUp, arpmon.ReasonReplies)
}

func TestNeverAnswered(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: targets(addrA), NoCanary: true})
	a, b := r.add(mac1, arpmon.LinkUp), r.add(mac2, arpmon.LinkUp)
	r.fail = func(arpmon.SlaveID, netip.Addr) bool { return true }
	r.run(5 * time.Second)
	r.want(a, arpmon.SlaveUnknown, arpmon.ReasonNeverAnswered)
	r.want(b, arpmon.SlaveUnknown, arpmon.ReasonNeverAnswered)
	if g := r.e.Group(); g != arpmon.GroupUnknown {
		t.Errorf("group %v, want unknown", g)
	}
	r.fail = func(s arpmon.SlaveID, _ netip.Addr) bool { return s == a }
	r.run(time.Second)
	r.want(a, arpmon.SlaveUnknown, arpmon.ReasonStarting)
	r.run(arpmon.Config{}.Bound())
	r.want(a, arpmon.SlaveDown, arpmon.ReasonNeverAnswered)
	r.want(b, arpmon.SlaveUp, arpmon.ReasonReplies)
}

func TestIdentityRefused(t *testing.T) {
	r := newRig(t, arpmon.Config{})
	id := r.add(mac1, arpmon.LinkUp)
	for name, i := range map[string]arpmon.Identity{
		"none": {}, "multicast": {MAC: arpmon.MAC{1}}, "taken": {MAC: mac1},
		"IPv6 sender": {MAC: mac2, Addr: netip.MustParseAddr("2001:db8::1")},
	} {
		if _, err := r.e.AddSlave(arpmon.SlaveConfig{Identity: i}, 0); !errors.Is(err, arpmon.ErrUnsafeIdentity) {
			t.Errorf("%s: AddSlave: %v, want ErrUnsafeIdentity", name, err)
		}
	}
	if err := r.e.SetIdentity(id, arpmon.Identity{MAC: mac1}, macA, 0); err != nil {
		t.Errorf("own address refused: %v", err)
	}
	if err := r.e.SetIdentity(0, arpmon.Identity{MAC: mac2}, macA, 0); !errors.Is(err, arpmon.ErrNoSlave) {
		t.Errorf("SetIdentity of no slave: %v", err)
	}
}

func TestSlaveIDsAreNotReused(t *testing.T) {
	r := newRig(t, arpmon.Config{MaxSlaves: 1})
	old := r.add(mac1, arpmon.LinkUp)
	if _, err := r.e.AddSlave(arpmon.SlaveConfig{Identity: arpmon.Identity{MAC: mac2}}, 0); !errors.Is(err, arpmon.ErrTooMany) {
		t.Fatalf("second of one: %v", err)
	}
	if !r.e.RemoveSlave(old, 0) || r.e.RemoveSlave(old, 0) {
		t.Fatal("RemoveSlave must work once")
	}
	id := r.add(mac1, arpmon.LinkUp)
	if id == old || r.e.SetLink(old, arpmon.LinkDown, 0) || r.e.Handle(old, nil, arpmon.Meta{}, 0) != arpmon.RejectNoSlave {
		t.Errorf("the old name %v works for the new slave %v", old, id)
	}
}

func TestSetTargetsLeavesPairsAlone(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: targets(addrA), NoCanary: true, MaxTargets: 2})
	id := r.add(mac1, arpmon.LinkUp)
	r.run(5 * time.Second)
	var before, after arpmon.Snapshot
	r.e.Snapshot(&before)
	if err := r.e.SetTargets(targets(addrB, addrA), r.now); err != nil {
		t.Fatal(err)
	}
	r.e.Snapshot(&after)
	if diff := cmp.Diff(before.Slave(id).Pair(arpmon.IPv4(addrA)), after.Slave(id).Pair(arpmon.IPv4(addrA)), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("the pair that stayed changed:\n%s", diff)
	}
	r.run(time.Second)
	r.e.Snapshot(&after)
	if p := after.Slave(id).Pair(arpmon.IPv4(addrB)); p.State != arpmon.PairReachable {
		t.Errorf("the new pair is %v", p.State)
	}
	for _, ts := range [][]arpmon.Target{targets(addrA, addrA), manyTargets(3), targets(netip.IPv4Unspecified())} {
		if err := r.e.SetTargets(ts, r.now); err == nil {
			t.Errorf("SetTargets(%v) was taken", ts)
		}
	}
	r.e.Snapshot(&before)
	if len(before.Targets) != 2 {
		t.Errorf("%d targets after refused changes, want 2", len(before.Targets))
	}
}

func TestEventsLost(t *testing.T) {
	r := newRig(t, arpmon.Config{Targets: targets(addrA), NoCanary: true, Events: 4})
	id := r.add(mac1, arpmon.LinkUp)
	for range 20 {
		r.run(time.Second)
		r.e.SetLink(id, arpmon.LinkDown, r.now)
		r.e.SetLink(id, arpmon.LinkUp, r.now)
	}
	buf := make([]arpmon.Event, 10)
	n, next, lost := r.e.EventsSince(0, buf)
	if n != 4 || next != r.e.Seq() || lost != next-5 {
		t.Errorf("n %d, next %d, lost %d; want 4, %d, %d", n, next, lost, r.e.Seq(), r.e.Seq()-5)
	}
	if n, next2, lost := r.e.EventsSince(next, buf); n != 0 || next2 != next || lost != 0 {
		t.Errorf("at the end: %d, %d, %d", n, next2, lost)
	}
	if n, next2, lost := r.e.EventsSince(next+100, buf); n != 0 || next2 != next || lost != 0 {
		t.Errorf("beyond the end: %d, %d, %d", n, next2, lost)
	}
}

func TestTextRoundTrip(t *testing.T) {
	for i := range 256 {
		check(t, arpmon.PairState(i), new(arpmon.PairState))
		check(t, arpmon.SlaveState(i), new(arpmon.SlaveState))
		check(t, arpmon.GroupState(i), new(arpmon.GroupState))
		check(t, arpmon.Reason(i), new(arpmon.Reason))
		check(t, arpmon.Verdict(i), new(arpmon.Verdict))
		check(t, arpmon.EventKind(i), new(arpmon.EventKind))
		check(t, arpmon.Link(i), new(arpmon.Link))
	}
	for _, p := range []arpmon.Policy{arpmon.PolicyAny, arpmon.PolicyAll, arpmon.PolicyAtLeast(2), arpmon.PolicyAtLeast(300)} {
		check(t, p, new(arpmon.Policy))
	}
	for _, s := range []string{"", "some", "at-least-", "at-least-0", "at-least-x", "at-least-32767"} {
		if p, err := arpmon.ParsePolicy(s); err == nil {
			t.Errorf("ParsePolicy(%q) = %v", s, p)
		}
	}
	if err := new(arpmon.Reason).UnmarshalText([]byte("reason(256)")); err == nil {
		t.Error("a number that does not fit was taken")
	}
}

// check takes a value through its text and back into back.
func check[T interface {
	comparable
	MarshalText() ([]byte, error)
}, P interface {
	*T
	UnmarshalText([]byte) error
}](t *testing.T, v T, back P,
) {
	t.Helper()
	b, err := v.MarshalText()
	if err == nil {
		err = back.UnmarshalText(b)
	}
	if err != nil || *back != v {
		t.Errorf("%v became %q and then %v (%v)", v, b, *back, err)
	}
}
