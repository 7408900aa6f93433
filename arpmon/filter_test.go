// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/bondkit/bondkit/arpmon"
)

// tapped is a frame as a packet socket's filter sees it.
type tapped struct {
	data     []byte
	outgoing bool
	tagged   bool
	tag      uint16
}

// runFilter interprets a program of classic BPF as the kernel does, as far as the
// filters need it.
func runFilter(t testing.TB, program []arpmon.Instruction, f tapped) uint32 {
	t.Helper()
	var a uint32
	for pc := 0; pc < len(program); pc++ {
		c := program[pc]
		branch := func(yes bool) {
			if yes {
				pc += int(c.JT)
			} else {
				pc += int(c.JF)
			}
		}
		switch c.Op {
		case 0x20, 0x28: // ld [k], ldh [k]
			switch {
			case c.K == 0xfffff000+4:
				a = 0
				if f.outgoing {
					a = 4
				}
			case c.K == 0xfffff000+44:
				a = uint32(f.tag)
			case c.K == 0xfffff000+48:
				a = 0
				if f.tagged {
					a = 1
				}
			case c.Op == 0x20 && int(c.K)+4 <= len(f.data):
				a = binary.BigEndian.Uint32(f.data[c.K:])
			case c.Op == 0x28 && int(c.K)+2 <= len(f.data):
				a = uint32(binary.BigEndian.Uint16(f.data[c.K:]))
			default:
				return 0
			}
		case 0x15: // jeq #k
			branch(a == c.K)
		case 0x80: // ld #len
			a = uint32(len(f.data))
		case 0x35: // jge #k
			branch(a >= c.K)
		case 0x45: // jset #k
			branch(a&c.K != 0)
		case 0x05: // ja k
			pc += int(c.K)
		case 0x06: // ret #k
			return c.K
		default:
			t.Fatalf("instruction %d: unknown operation %#x", pc, c.Op)
		}
	}
	t.Fatal("program has no end")
	return 0
}

// wanted says in plain words which socket is to get a frame.
func wanted(f tapped, mac arpmon.MAC, spa uint32, targets []uint32) (verdict, evidence bool) {
	d := f.data
	if f.outgoing || len(d) < 14 || d[12] != 8 || d[13] != 6 {
		return false, false
	}
	dst, all := arpmon.MAC(d[0:6]), arpmon.MAC{255, 255, 255, 255, 255, 255}
	if len(d) < 42 {
		return false, dst == mac || dst == all
	}
	var (
		head   = [8]byte(d[14:22])
		sender = binary.BigEndian.Uint32(d[28:])
		tha    = arpmon.MAC(d[32:38])
		target = binary.BigEndian.Uint32(d[38:])
		ours   = slices.Contains(targets, sender)
	)
	verdict = head == [8]byte{0, 1, 8, 0, 6, 4, 0, 2} && ours && tha == mac && target == spa &&
		(dst == mac || dst == all) && (!f.tagged || f.tag&0xfff == 0)
	return verdict, !verdict && (ours || tha == mac || dst == mac)
}

// reply returns an answer to a probe.
func reply(mac arpmon.MAC, spa, target uint32) []byte {
	d := make([]byte, 60)
	copy(d, mac[:])
	copy(d[6:], []byte{2, 0, 0, 0, 0, 0xa, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 0xa})
	binary.BigEndian.PutUint32(d[28:], target)
	copy(d[32:], mac[:])
	binary.BigEndian.PutUint32(d[38:], spa)
	return d
}

// spoil changes some fields of a frame, most of the time so that another check
// of the filter is the one that matters.
func spoil(r *rand.Rand, d []byte, mac arpmon.MAC, targets []uint32) tapped {
	f := tapped{data: bytes.Clone(d)}
	for range r.IntN(4) {
		switch r.IntN(12) {
		case 0:
			copy(f.data, []byte{255, 255, 255, 255, 255, 255})
		case 1:
			f.data[r.IntN(6)] ^= byte(1 + r.IntN(255))
		case 2:
			f.data[12+r.IntN(10)] ^= byte(1 << r.IntN(8))
		case 3:
			binary.BigEndian.PutUint32(f.data[28:], r.Uint32())
		case 4:
			f.data[32+r.IntN(6)] ^= byte(1 + r.IntN(255))
		case 5:
			f.data[38+r.IntN(4)] ^= byte(1 + r.IntN(255))
		case 6:
			f.tagged, f.tag = true, uint16(r.IntN(3))<<13
		case 7:
			f.tagged, f.tag = true, uint16(r.IntN(1<<16))
		case 8:
			f.outgoing = true
		case 9:
			f.data = f.data[:r.IntN(len(f.data)+1)]
			if len(f.data) < 42 {
				return f
			}
		case 10:
			copy(f.data[32:38], mac[:])
		case 11:
			if len(targets) > 0 {
				binary.BigEndian.PutUint32(f.data[28:], targets[r.IntN(len(targets))])
			}
		}
	}
	return f
}

// TestFilters compares the filters with their description, for every length of
// the list of targets that an engine can have.
func TestFilters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	mac := arpmon.MAC{2, 0x11, 0x22, 0x33, 0x44, 0x55}
	var counts [3]int
	for n := range 257 {
		targets := make([]uint32, n)
		for i := range targets {
			targets[i] = r.Uint32()
		}
		spa := uint32(0)
		if n%2 == 1 {
			spa = r.Uint32()
		}
		v, err := arpmon.VerdictFilter(mac, spa, targets)
		if err != nil {
			t.Fatalf("%d targets: %v", n, err)
		}
		e, err := arpmon.EvidenceFilter(mac, spa, targets)
		if err != nil {
			t.Fatalf("%d targets: %v", n, err)
		}
		check := func(f tapped) {
			t.Helper()
			wantV, wantE := wanted(f, mac, spa, targets)
			gotV, gotE := runFilter(t, v, f), runFilter(t, e, f)
			if (gotV != 0) != wantV || (gotE != 0) != wantE {
				t.Fatalf("%d targets, %+v: verdict %v, evidence %v, want %v, %v", n, f, gotV, gotE, wantV, wantE)
			}
			for _, got := range []uint32{gotV, gotE} {
				if got != 0 && got != arpmon.FilterKeep {
					t.Fatalf("%d bytes kept", got)
				}
			}
			switch {
			case wantV:
				counts[0]++
			case wantE:
				counts[1]++
			default:
				counts[2]++
			}
		}
		for i := range targets {
			check(tapped{data: reply(mac, spa, targets[i])})
		}
		for range 300 {
			target := r.Uint32()
			if n > 0 {
				target = targets[r.IntN(n)]
			}
			check(spoil(r, reply(mac, spa, target), mac, targets))
		}
	}
	for i, n := range counts {
		if n < 1000 {
			t.Errorf("class %d was met %d times only", i, n)
		}
	}
}

// TestFilterAgreesWithEngine makes sure that no frame that an engine accepts is
// kept from it.
func TestFilterAgreesWithEngine(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	mac := arpmon.MAC{2, 0x11, 0x22, 0x33, 0x44, 0x55}
	targets := []uint32{0xc0000201, 0xc0000202, 0xc0000203}
	cfg := arpmon.Config{NoCanary: true, MaxPPS: 1000}
	for _, a := range targets {
		cfg.Targets = append(cfg.Targets, arpmon.IPv4(addr4(a)))
	}
	v, err := arpmon.VerdictFilter(mac, 0, targets)
	if err != nil {
		t.Fatal(err)
	}
	accepted, held := 0, 0
	for i := range 2000 {
		e, err := arpmon.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		id, err := e.AddSlave(arpmon.SlaveConfig{Identity: arpmon.Identity{MAC: mac}, Link: arpmon.LinkUp}, 0)
		if err != nil {
			t.Fatal(err)
		}
		probes := make([]arpmon.Probe, 4)
		for at := int64(0); at < int64(cfg.Bound()); {
			n, next := e.Poll(at, probes)
			for j := range probes[:n] {
				e.Sent(&probes[j], at)
			}
			at = next
			if n > 0 && i%3 == 0 {
				break
			}
		}
		f := spoil(r, reply(mac, 0, targets[i%3]), mac, targets)
		m := arpmon.Meta{Outgoing: f.outgoing}
		if f.tagged {
			m.VLAN = arpmon.VLAN{TPID: 0x8100, ID: f.tag & 0xfff}
		}
		got := e.Handle(id, f.data, m, 1)
		pass := runFilter(t, v, f) != 0
		if got == arpmon.Accepted {
			accepted++
			if !pass {
				t.Fatalf("%+v is accepted, and the filter holds it back", f)
			}
		}
		if !pass {
			held++
		}
	}
	if accepted < 50 || held < 50 {
		t.Errorf("%d accepted, %d held back: too few to tell", accepted, held)
	}
}

func addr4(a uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], a)
	return netip.AddrFrom4(b)
}
