// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// linkHeader is the ifinfomsg of an Ethernet link with index 7 that is up and
// has carrier (IFF_UP, IFF_RUNNING, IFF_LOWER_UP).
var linkHeader = slices.Concat([]byte{0, 0}, u16(1), u32(7), u32(0x10041), u32(0))

func TestParseLink(t *testing.T) {
	mac := net.HardwareAddr{0x02, 0, 0, 0, 0, 0x11}
	perm := net.HardwareAddr{0x02, 0, 0, 0, 0, 0x22}
	infiniband := make(net.HardwareAddr, 20)
	infiniband[19] = 1
	base := rtnl.Link{Index: 7, Type: 1, Flags: 0x10041}

	tests := []struct {
		name string
		body []byte
		want func(*rtnl.Link)
	}{
		{name: "header only", body: linkHeader, want: func(*rtnl.Link) {}},
		{
			name: "slave of a bond",
			body: slices.Concat(
				linkHeader,
				attr(3, []byte("e1\x00")),
				attr(1, mac), attr(54, perm), attr(2, []byte{255, 255, 255, 255, 255, 255}),
				attr(4, u32(9000)), attr(16, []byte{6}), attr(10, u32(5)),
				attr(18, attr(4, []byte("bond\x00")), attr(5,
					attr(1, []byte{1}), attr(2, []byte{2}), attr(3, u32(12)), attr(4, perm), attr(5, u16(0)))),
			),
			want: func(l *rtnl.Link) {
				l.Name, l.MAC, l.PermMAC, l.MTU, l.OperState, l.Master = "e1", mac, perm, 9000, rtnl.OperUp, 5
				l.SlaveKind = "bond"
				l.BondSlave = &rtnl.BondSlave{State: 1, MIIStatus: 2, PermMAC: perm}
			},
		},
		{
			name: "bond",
			body: slices.Concat(
				linkHeader, attr(3, []byte("bond0\x00")),
				attr(18, attr(1, []byte("bond\x00")), attr(2,
					attr(1, []byte{1}), attr(2, u32(8)), attr(3, u32(100)), attr(7, u32(250)), attr(9, u32(3)),
					attr(13, []byte{2}), attr(17, []byte{1}), attr(30, []byte{4}), attr(8, attr(0, []byte{10, 0, 0, 1})))),
			),
			want: func(l *rtnl.Link) {
				l.Name, l.Kind = "bond0", "bond"
				l.Bond = &rtnl.Bond{
					Mode: 1, ActiveSlave: 8, MIIMon: 100, ARPInterval: 250, ARPValidate: 3, FailOverMAC: 2,
					AllSlavesOn: true, ARPMissedMax: 4,
				}
			},
		},
		{
			name: "kind after its data",
			body: slices.Concat(linkHeader, attr(18, attr(2, attr(1, []byte{6})), attr(1, []byte("bond\x00")))),
			want: func(l *rtnl.Link) { l.Kind, l.Bond = "bond", &rtnl.Bond{Mode: 6} },
		},
		{
			name: "data of another kind stays unread",
			body: slices.Concat(linkHeader, attr(18, attr(1, []byte("vlan\x00")), attr(2, attr(1, u16(10))),
				attr(4, []byte("bridge\x00")), attr(5, attr(1, u32(3))))),
			want: func(l *rtnl.Link) { l.Kind, l.SlaveKind = "vlan", "bridge" },
		},
		{
			name: "hardware",
			body: slices.Concat(linkHeader, attr(35, u32(7)), attr(56, []byte("0000:3b:00.0\x00")), attr(57, []byte("pci\x00"))),
			want: func(l *rtnl.Link) { l.CarrierChanges, l.ParentDev, l.ParentBus = 7, "0000:3b:00.0", "pci" },
		},
		{
			name: "macvlan",
			body: slices.Concat(linkHeader, attr(18, attr(1, []byte("macvlan\x00")), attr(2, attr(1, u32(2)), attr(2, u16(0))))),
			want: func(l *rtnl.Link) { l.Kind, l.MacvlanMode = "macvlan", 2 },
		},
		{
			name: "macvtap, mode before the kind",
			body: slices.Concat(linkHeader, attr(18, attr(2, attr(1, u32(16))), attr(1, []byte("macvtap\x00")))),
			want: func(l *rtnl.Link) { l.Kind, l.MacvlanMode = "macvtap", 16 },
		},
		{
			name: "parent in another namespace",
			body: slices.Concat(linkHeader, attr(5, u32(3)), attr(37, u32(0))),
			want: func(l *rtnl.Link) { l.Parent, l.HasParentNetNS = 3, true },
		},
		{
			name: "namespace id that is not assigned",
			body: slices.Concat(linkHeader, attr(37, u32(0xffffffff))),
			want: func(l *rtnl.Link) { l.ParentNetNS, l.HasParentNetNS = -1, true },
		},
		{
			name: "20 byte address, name without NUL, flags on the type, last padding missing",
			body: slices.Concat(linkHeader, attr(1, infiniband), attr(0x8000|10, u32(4)), u16(7), u16(3), []byte("ib0")),
			want: func(l *rtnl.Link) { l.MAC, l.Master, l.Name = infiniband, 4, "ib0" },
		},
		{
			name: "unknown attributes, an empty address",
			body: slices.Concat(linkHeader, attr(999, []byte{1, 2, 3}), attr(1), attr(3, []byte("x\x00"))),
			want: func(l *rtnl.Link) { l.Name = "x" },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := base
			tt.want(&want)
			got, ok, err := rtnl.ParseLink(tt.body)
			if err != nil || !ok {
				t.Fatalf("ParseLink: ok %v, %v", ok, err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("link (-want +got):\n%s", diff)
			}
			if !got.Up() || !got.Carrier() {
				t.Errorf("Up %v, Carrier %v, want both", got.Up(), got.Carrier())
			}
		})
	}
}

func TestParseLinkOwnsItsMemory(t *testing.T) {
	body := slices.Concat(linkHeader, attr(1, []byte{2, 0, 0, 0, 0, 1}), attr(3, []byte("e1\x00")))
	l, _, err := rtnl.ParseLink(body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if l.MAC.String() != "02:00:00:00:00:01" || l.Name != "e1" {
		t.Errorf("link is %q %v after its message was overwritten", l.Name, l.MAC)
	}
}

func TestParseLinkOtherSubjects(t *testing.T) {
	bridge := slices.Clone(linkHeader)
	bridge[0] = 7 // AF_BRIDGE
	for name, body := range map[string][]byte{
		"bridge port":    slices.Concat(bridge, attr(3, []byte("e1\x00")), attr(10, u32(4))),
		"wireless event": slices.Concat(linkHeader, attr(3, []byte("wlan0\x00")), attr(11, []byte{1, 2, 3, 4})),
	} {
		t.Run(name, func(t *testing.T) {
			if l, ok, err := rtnl.ParseLink(body); ok || err != nil {
				t.Errorf("ParseLink: %+v, ok %v, %v; want neither", l, ok, err)
			}
		})
	}
}

func TestParseMalformed(t *testing.T) {
	addrHeader := slices.Concat([]byte{2, 24, 0, 0}, u32(3))
	link := func(b []byte) error { _, _, err := rtnl.ParseLink(b); return err }
	addr := func(b []byte) error { _, _, err := rtnl.ParseAddr(b); return err }
	tests := []struct {
		name  string
		parse func([]byte) error
		body  []byte
	}{
		{"empty", link, nil},
		{"short header", link, linkHeader[:15]},
		{"half an attribute header", link, slices.Concat(linkHeader, []byte{8, 0})},
		{"attribute of no length", link, slices.Concat(linkHeader, u16(0), u16(3))},
		{"attribute shorter than its header", link, slices.Concat(linkHeader, u16(3), u16(3))},
		{"attribute beyond the message", link, slices.Concat(linkHeader, u16(9), u16(3), []byte{1, 2, 3, 4})},
		{"master of 2 bytes", link, slices.Concat(linkHeader, attr(10, u16(3)))},
		{"operstate of 4 bytes", link, slices.Concat(linkHeader, attr(16, u32(6)))},
		{"broken linkinfo", link, slices.Concat(linkHeader, attr(18, []byte{9, 0, 1, 0}))},
		{"broken bond data", link, slices.Concat(linkHeader, attr(18, attr(1, []byte("bond\x00")), attr(2, []byte{1})))},
		{"bond mode of 4 bytes", link, slices.Concat(linkHeader, attr(18, attr(1, []byte("bond\x00")), attr(2, attr(1, u32(1)))))},
		{"all_slaves_active of 4 bytes", link, slices.Concat(linkHeader, attr(18, attr(1, []byte("bond\x00")), attr(2, attr(17, u32(1)))))},
		{"macvlan mode of 2 bytes", link, slices.Concat(linkHeader, attr(18, attr(1, []byte("macvlan\x00")), attr(2, attr(1, u16(1)))))},
		{"broken macvlan data", link, slices.Concat(linkHeader, attr(18, attr(1, []byte("macvtap\x00")), attr(2, []byte{1})))},
		{"carrier changes of 2 bytes", link, slices.Concat(linkHeader, attr(35, u16(1)))},
		{"slave state of 2 bytes", link, slices.Concat(linkHeader, attr(18, attr(4, []byte("bond\x00")), attr(5, attr(1, u16(1)))))},
		{"short address header", addr, addrHeader[:7]},
		{"no address", addr, addrHeader},
		{"address of 16 bytes in IPv4", addr, slices.Concat(addrHeader, attr(1, make([]byte, 16)))},
		{"prefix of 33 bits", addr, slices.Concat([]byte{2, 33, 0, 0}, u32(3), attr(1, []byte{10, 0, 0, 1}))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.parse(tt.body); !errors.Is(err, rtnl.ErrMalformed) {
				t.Errorf("error is %v, want ErrMalformed", err)
			}
		})
	}
}

func TestParseAddr(t *testing.T) {
	v4 := func(bits byte, attrs ...[]byte) []byte {
		return slices.Concat([]byte{2, bits, 0x80, 0}, u32(3), slices.Concat(attrs...))
	}
	v6 := netip.MustParseAddr("fe80::1")
	tests := []struct {
		name string
		body []byte
		want rtnl.Addr
	}{
		{
			"broadcast link", v4(24, attr(1, []byte{10, 0, 0, 1}), attr(2, []byte{10, 0, 0, 1}), attr(3, []byte("e1\x00"))),
			rtnl.Addr{Link: 3, Addr: netip.MustParseAddr("10.0.0.1"), Bits: 24},
		},
		{
			"point to point: the local end is ours, whatever the order", v4(32, attr(2, []byte{10, 0, 0, 1}), attr(1, []byte{10, 9, 9, 9})),
			rtnl.Addr{Link: 3, Addr: netip.MustParseAddr("10.0.0.1"), Bits: 32},
		},
		{
			"IPv6", slices.Concat([]byte{10, 64, 0, 253}, u32(4), attr(1, v6.AsSlice())),
			rtnl.Addr{Link: 4, Addr: v6, Bits: 64, Scope: 253},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := rtnl.ParseAddr(tt.body)
			if err != nil || !ok || got != tt.want {
				t.Errorf("ParseAddr: %+v, ok %v, %v; want %+v", got, ok, err, tt.want)
			}
		})
	}
	if _, ok, err := rtnl.ParseAddr(slices.Concat([]byte{28, 0, 0, 0}, u32(3))); ok || err != nil {
		t.Errorf("address of another family: ok %v, %v; want neither", ok, err)
	}
}

// attr returns one attribute with the concatenated values, and its padding.
func attr(typ uint16, values ...[]byte) []byte {
	v := slices.Concat(values...)
	b := slices.Concat(u16(uint16(4+len(v))), u16(typ), v)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func u16(v uint16) []byte { return binary.NativeEndian.AppendUint16(nil, v) }

func u32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func sameLink(a, b rtnl.Link) bool { return cmp.Equal(a, b, cmpopts.EquateEmpty()) }
