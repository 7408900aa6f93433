// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/internal/lab"
)

// addrs has cmp compare addresses by value.
var addrs = cmpopts.EquateComparable(netip.Addr{})

func TestARPBytes(t *testing.T) {
	a := lab.NewARP(lab.OpReply, lab.MAC{2, 0, 0, 0, 0, 1}, lab.MAC{2, 0, 0, 0, 0, 2})
	a.SPA, a.THA = netip.MustParseAddr("192.0.2.1"), lab.MAC{2, 0, 0, 0, 0, 1}
	arp := "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02" +
		"\x02\x00\x00\x00\x00\x02\xc0\x00\x02\x01" +
		"\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00"
	head := "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
	pad := string(make([]byte, 18))
	tests := []struct {
		name string
		vlan uint16
		want string
	}{
		{"untagged", 0, head + arp + pad},
		{"tagged", 7, head + "\x81\x00\x00\x07" + arp + pad},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := a
			a.VLAN = tt.vlan
			got := a.AppendFrame([]byte("kept"))
			if diff := cmp.Diff("kept"+tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
			a.TPA = netip.MustParseAddr("0.0.0.0")
			back, ok := lab.ParseARP(got[4:])
			if diff := cmp.Diff(a, back, addrs); !ok || diff != "" {
				t.Error(ok, diff)
			}
		})
	}
}

func TestParseARPRejects(t *testing.T) {
	a := lab.NewARP(lab.OpRequest, lab.Broadcast, lab.MAC{2, 0, 0, 0, 0, 2})
	good := a.AppendFrame(nil)
	for n := range 14 + 28 {
		if a, ok := lab.ParseARP(good[:n]); ok {
			t.Errorf("%d bytes: %+v", n, a)
		}
	}
	if _, ok := lab.ParseARP(good[:14+28]); !ok {
		t.Error("the shortest ARP frame is rejected")
	}
	other := append([]byte(nil), good...)
	other[13] = 0x00
	if a, ok := lab.ParseARP(other); ok {
		t.Errorf("EtherType IPv4: %+v", a)
	}
}

func FuzzParseARP(f *testing.F) {
	a := lab.NewARP(lab.OpReply, lab.Broadcast, lab.MAC{2, 0, 0, 0, 0, 2})
	f.Add(a.AppendFrame(nil))
	a.VLAN = 9
	f.Add(a.AppendFrame(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := lab.ParseARP(b)
		if !ok {
			return
		}
		back, ok := lab.ParseARP(a.AppendFrame(nil))
		if diff := cmp.Diff(a, back, addrs); !ok || diff != "" {
			t.Error(ok, diff)
		}
	})
}

func TestNames(t *testing.T) {
	tests := []struct {
		got, want string
	}{
		{lab.ChatARP.String(), "others,targets,probes"},
		{(lab.ChatLLDP | 1<<9).String(), "lldp,0x200"},
		{lab.Chat(0).String(), "0x0"},
		{(lab.ForgeOpcode | lab.ForgeDst).String(), "opcode,dst"},
		{lab.RigVEPA.String(), "vepa"},
		{lab.Rig(7).String(), "rig(7)"},
		{lab.RX.String(), "rx"},
		{lab.Direction(7).String(), "direction(7)"},
		{lab.FaultUsage("loss"), "SLAVE TENTHS [both|tx|rx]"},
		{lab.FaultUsage("no such fault"), ""},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
