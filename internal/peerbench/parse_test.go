// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package peerbench_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/bondkit/bondkit/arpmon"
)

var (
	target   = netip.MustParseAddr("192.0.2.1")
	probeMAC = arpmon.MAC{2, 0x5e, 0, 0, 0, 1}
)

// reply is the answer of the target to a probe of probeMAC with sender 0.0.0.0.
var reply = [60]byte{
	2, 0x5e, 0, 0, 0, 1, 2, 0xa, 0, 0, 0, 1, 8, 6,
	0, 1, 8, 0, 6, 4, 0, 2,
	2, 0xa, 0, 0, 0, 1, 192, 0, 2, 1,
	2, 0x5e, 0, 0, 0, 1, 0, 0, 0, 0,
}

// waiting returns an engine for which a probe to the target is outstanding.
func waiting(b *testing.B) (*arpmon.Engine, arpmon.SlaveID) {
	e, err := arpmon.New(arpmon.Config{Targets: []arpmon.Target{arpmon.IPv4(target)}, NoCanary: true})
	if err != nil {
		b.Fatal(err)
	}
	id, err := e.AddSlave(arpmon.SlaveConfig{Identity: arpmon.Identity{MAC: probeMAC}, Link: arpmon.LinkUp}, 0)
	if err != nil {
		b.Fatal(err)
	}
	out := make([]arpmon.Probe, 1)
	for now, n := int64(0), 0; n == 0; now += int64(time.Millisecond) {
		if n, _ = e.Poll(now, out); n == 1 {
			e.Sent(&out[0], now)
		}
	}
	return e, id
}

// BenchmarkReceive takes one ARP reply apart. bondkit also validates every
// field, finds the target, and counts; the others only parse.
func BenchmarkReceive(b *testing.B) {
	b.Run("bondkit", func(b *testing.B) {
		e, id := waiting(b)
		now := int64(time.Second / 4)
		if v := e.Handle(id, reply[:], arpmon.Meta{}, now); v != arpmon.Accepted {
			b.Fatal(v)
		}
		b.ReportAllocs()
		for b.Loop() {
			if v := e.Handle(id, reply[:], arpmon.Meta{}, now); v != arpmon.RejectDuplicate {
				b.Fatal(v)
			}
		}
	})
	b.Run("gopacket-DecodingLayerParser", func(b *testing.B) {
		var eth layers.Ethernet
		var arp layers.ARP
		p := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &eth, &arp)
		p.IgnoreUnsupported = true
		decoded := make([]gopacket.LayerType, 0, 4)
		b.ReportAllocs()
		for b.Loop() {
			if err := p.DecodeLayers(reply[:], &decoded); err != nil || len(decoded) < 2 {
				b.Fatal(decoded, err)
			}
		}
	})
	b.Run("gopacket-NewPacket", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p := gopacket.NewPacket(reply[:], layers.LayerTypeEthernet, gopacket.NoCopy)
			if p.Layer(layers.LayerTypeARP) == nil {
				b.Fatal("no ARP")
			}
		}
	})
}
