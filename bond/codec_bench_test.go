// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

const codecNewest = "testdata/codec/6.12.117/"

func BenchmarkDecode(b *testing.B) {
	decoders := map[string]func([]byte) error{
		"bond":  new(bond.Bond).Decode,
		"slave": new(bond.Slave).Decode,
		"link":  new(bond.LinkInfo).Decode,
	}
	for _, bb := range []struct{ name, file, into string }{
		{"lacp bond", "lacp-bond.hex", "bond"},
		{"lacp slave", "lacp-slave.hex", "slave"},
		{"active-backup bond", "ab-bond.hex", "bond"},
		{"active-backup slave", "ab-slave.hex", "slave"},
		{"link", "ab-slave.hex", "link"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			body, decode := codecFile(b, codecNewest+bb.file), decoders[bb.into]
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if err := decode(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// codecEight are eight options, one of them a list.
func codecEight() *bond.Options {
	return &bond.Options{
		Mode:            new(bond.ModeActiveBackup),
		MIIMon:          new(time.Duration(0)),
		ARPInterval:     new(time.Second),
		ARPTargets:      []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")},
		ARPValidate:     new(bond.ARPValidateAll),
		PrimaryReselect: new(bond.PrimaryReselectFailure),
		FailOverMAC:     new(bond.FailOverMACActive),
		NumPeerNotif:    new(uint8(3)),
	}
}

func BenchmarkAppendAttrs(b *testing.B) {
	o, buf := codecEight(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.AppendAttrs(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendLinkRequest(b *testing.B) {
	r, buf := bond.CodecRequest{Index: 7, Kind: true, ExtMask: true, Options: codecEight()}, make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Append(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeStats(b *testing.B) {
	body := codecFile(b, codecNewest+"lacp-stats.hex")
	var s bond.Stats
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := s.Decode(body); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
