// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// reference is a validator of one slave that is slow and obviously right. It
// follows the text of Engine.Handle and RFC 826, field by field.
type reference struct {
	probeMAC, device []byte
	others           [][]byte // probe and device addresses of other slaves
	sender           netip.Addr
	targets          []netip.Addr
}

func (r *reference) verdict(frame []byte, m arpmon.Meta) arpmon.Verdict {
	if m.Outgoing {
		return arpmon.RejectOutgoing
	}
	if len(frame) < 14+28 {
		return arpmon.RejectShort
	}
	if m.VLAN.ID%4096 != 0 {
		return arpmon.RejectVLAN
	}
	var (
		destination = frame[0:6]
		etherType   = frame[12:14]
		arp         = frame[14:]
		hrd, pro    = arp[0:2], arp[2:4]
		hln, pln    = arp[4], arp[5]
		op          = arp[6:8]
		sha, spa    = arp[8:14], arp[14:18]
		tha, tpa    = arp[18:24], arp[24:28]
	)
	if bytes.Equal(etherType, []byte{0x81, 0x00}) || bytes.Equal(etherType, []byte{0x88, 0xa8}) {
		return arpmon.RejectVLAN
	}
	if !bytes.Equal(etherType, []byte{0x08, 0x06}) {
		return arpmon.RejectEtherType
	}
	if !bytes.Equal(hrd, []byte{0, 1}) {
		return arpmon.RejectHardwareType
	}
	if !bytes.Equal(pro, []byte{0x08, 0x00}) {
		return arpmon.RejectProtocolType
	}
	if hln != 6 || pln != 4 {
		return arpmon.RejectLengths
	}
	if !bytes.Equal(op, []byte{0, 2}) {
		return arpmon.RejectOpcode
	}
	toUs := bytes.Equal(destination, r.probeMAC)
	toAll := bytes.Equal(destination, []byte{255, 255, 255, 255, 255, 255})
	forUs := bytes.Equal(tha, r.probeMAC)
	if !toUs && (!toAll || !forUs) {
		return arpmon.RejectDestination
	}
	known := false
	for _, t := range r.targets {
		b := t.As4()
		known = known || bytes.Equal(spa, b[:])
	}
	if !known {
		return arpmon.RejectSender
	}
	if !forUs {
		return arpmon.RejectTargetMAC
	}
	if s := r.sender.As4(); !bytes.Equal(tpa, s[:]) {
		return arpmon.RejectTargetAddr
	}
	bad := bytes.Equal(sha, make([]byte, 6)) || sha[0]%2 == 1
	for _, own := range append(r.others, r.probeMAC, r.device) {
		bad = bad || bytes.Equal(sha, own)
	}
	if bad {
		return arpmon.RejectSenderMAC
	}
	return arpmon.Accepted
}

// judged is an Engine with a probe outstanding for every target of its first
// slave, the reference for that slave, and those probes in the targets' order.
func judged(tb testing.TB) (e *arpmon.Engine, id arpmon.SlaveID, ref *reference, probes []arpmon.Probe) {
	tb.Helper()
	e, err := arpmon.New(arpmon.Config{Targets: targets(addrA, addrB), NoCanary: true})
	if err != nil {
		tb.Fatal(err)
	}
	sender := netip.MustParseAddr("192.0.2.77")
	add := func(mac, device arpmon.MAC) arpmon.SlaveID {
		id, err := e.AddSlave(arpmon.SlaveConfig{
			Identity: arpmon.Identity{MAC: mac, Addr: sender}, Device: device, Link: arpmon.LinkUp,
		}, 0)
		if err != nil {
			tb.Fatal(err)
		}
		return id
	}
	device := arpmon.MAC{2, 0xd, 0, 0, 0, 1}
	id = add(mac1, device)
	add(mac2, device)
	probes = make([]arpmon.Probe, 2)
	out := make([]arpmon.Probe, 4)
	for now, total := int64(0), 0; total < 4; now += ms {
		n, _ := e.Poll(now, out)
		for _, p := range out[:n] {
			e.Sent(&p, now)
			if p.Slave == id {
				probes[p.Frame()[41]-1] = p
			}
		}
		total += n
	}
	ref = &reference{
		probeMAC: mac1[:], device: device[:], others: [][]byte{mac2[:], device[:]},
		sender: sender, targets: []netip.Addr{addrA, addrB},
	}
	return e, id, ref, probes
}

// variants are frames that are wrong in one place each, and good ones.
func variants(good []byte) [][]byte {
	var fs [][]byte
	add := func(edit func(f []byte)) {
		f := bytes.Clone(good)
		edit(f)
		fs = append(fs, f)
	}
	add(func([]byte) {})
	for i := range 42 {
		add(func(f []byte) { f[i] ^= 1 })
		add(func(f []byte) { f[i] ^= 0x80 })
		add(func(f []byte) { f[i] = 0 })
		add(func(f []byte) { f[i] = 0xff })
	}
	all := []byte{255, 255, 255, 255, 255, 255}
	add(func(f []byte) { copy(f, all) })
	add(func(f []byte) { copy(f, all); copy(f[32:], mac2[:]) })
	add(func(f []byte) { copy(f[12:], []byte{0x81, 0, 0, 5, 8, 6}) })
	add(func(f []byte) { copy(f[12:], []byte{0x88, 0xa8, 0, 5, 8, 6}) })
	add(func(f []byte) { copy(f[12:], []byte{0x08, 0x00}) })
	for _, sha := range [][]byte{make([]byte, 6), all, mac1[:], mac2[:], {1, 0, 0x5e, 0, 0, 1}, {2, 0xd, 0, 0, 0, 1}} {
		add(func(f []byte) { copy(f[22:], sha) })
	}
	for n := range len(good) {
		fs = append(fs, good[:n])
	}
	return fs
}

func TestHandleEqualsReference(t *testing.T) {
	metas := []arpmon.Meta{
		{},
		{Outgoing: true},
		{VLAN: arpmon.VLAN{ID: 5}},
		{VLAN: arpmon.VLAN{TPID: 0x8100}},
		{VLAN: arpmon.VLAN{ID: 0x2000}},
		{VLAN: arpmon.VLAN{ID: 0x2005}},
	}
	seen := map[arpmon.Verdict]bool{}
	_, _, _, probes := judged(t)
	for _, f := range variants(replyTo(probes[0].Frame(), macA)) {
		for _, m := range metas {
			e, id, ref, _ := judged(t)
			want := ref.verdict(f, m)
			if got := e.Handle(id, f, m, 200*ms); got != want {
				t.Fatalf("Handle(% x, %+v) = %v, want %v", f, m, got, want)
			}
			seen[want] = true
		}
	}
	for v := arpmon.Accepted; v <= arpmon.RejectSenderMAC; v++ {
		if v != arpmon.RejectNoSlave && v != arpmon.RejectNoLink && !seen[v] {
			t.Errorf("no frame was judged %v", v)
		}
	}
}

// A rejected frame changes its counter and nothing else.
func TestRejectedFrameChangesNothing(t *testing.T) {
	e, id, ref, probes := judged(t)
	var before, after arpmon.Snapshot
	for i, f := range variants(replyTo(probes[0].Frame(), macA)) {
		if testing.Short() && i%5 > 0 {
			continue
		}
		want := ref.verdict(f, arpmon.Meta{})
		if want == arpmon.Accepted {
			continue
		}
		e.Snapshot(&before)
		if got := e.Handle(id, f, arpmon.Meta{}, 200*ms); got != want {
			t.Fatalf("Handle = %v, want %v", got, want)
		}
		e.Snapshot(&after)
		before.Slaves[0].Frames[want]++
		before.At = after.At
		requireSame(t, &before, &after)
	}
}

func TestWindow(t *testing.T) {
	e, id, _, probes := judged(t)
	replyA, replyB := replyTo(probes[0].Frame(), macA), replyTo(probes[1].Frame(), macB)
	handle := func(f []byte, at int64, want arpmon.Verdict) {
		t.Helper()
		if got := e.Handle(id, f, arpmon.Meta{}, at); got != want {
			t.Fatalf("Handle = %v, want %v", got, want)
		}
	}
	rogue := bytes.Clone(replyA)
	copy(rogue[22:28], []byte{2, 0x66, 0, 0, 0, 1})
	now := 320 * ms
	handle(replyA, now, arpmon.Accepted)
	handle(replyA, now, arpmon.RejectDuplicate)
	handle(rogue, now, arpmon.RejectConflict)
	handle(rogue, now, arpmon.RejectConflict)
	handle(replyA, now+int64(time.Second), arpmon.RejectUnsolicited)
	if v := e.Observe(id, replyB, arpmon.Meta{}); v != arpmon.RejectUnsolicited {
		t.Errorf("Observe of a good reply = %v, want unsolicited", v)
	}
	// Not judged yet, so it counts; after the judgement it is late.
	now += int64(time.Second)
	e.Poll(now, make([]arpmon.Probe, 4))
	handle(replyB, now, arpmon.RejectLate)
	events := make([]arpmon.Event, 100)
	n, _, _ := e.EventsSince(0, events)
	conflicts := 0
	for _, ev := range events[:n] {
		if ev.Kind == arpmon.EventConflict {
			conflicts++
			if ev.Old != macA || ev.MAC != (arpmon.MAC{2, 0x66, 0, 0, 0, 1}) || ev.Target != arpmon.IPv4(addrA) {
				t.Errorf("conflict event %+v", ev)
			}
		}
	}
	if conflicts != 1 {
		t.Errorf("%d conflict events, want 1", conflicts)
	}
}
