// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// codecBonds are the captured bonds by file. What was captured on a kernel is
// what that kernel says.
func codecBonds() map[string]bond.Bond {
	lacp := bond.Bond{
		LinkInfo: bond.LinkInfo{
			Link: bond.Link{Name: "la"}, Type: 1, Kind: "bond", Flags: 0x11443,
			MTU: 1500, OperState: bond.OperUp, Carrier: true, TxQueues: 16,
		},
		Mode: bond.Mode8023AD, MIIMon: 100 * time.Millisecond, UseCarrier: true,
		ResendIGMP: 1, NumPeerNotif: 1, LPInterval: time.Second, PacketsPerSlave: 1,
		LACPActive: true, LACPRate: bond.LACPRateFast, TLBDynamicLB: true, MissedMax: 2, CoupledControl: true,
		ADActorSysPrio: 2000, ADUserPortKey: 7,
		AD: bond.ADInfo{AggregatorID: 1, Ports: 2, ActorKey: 463, PartnerKey: 15},
	}
	ab := bond.Bond{
		LinkInfo: bond.LinkInfo{
			Link: bond.Link{Name: "b"}, Type: 1, Kind: "bond", Flags: 0x11443,
			MTU: 1500, OperState: bond.OperUp, Carrier: true, TxQueues: 16,
		},
		Mode: bond.ModeActiveBackup, MIIMon: 200 * time.Millisecond, UseCarrier: true,
		XmitHashPolicy: bond.XmitHashLayer34, ResendIGMP: 1, MinLinks: 2, LPInterval: time.Second, PacketsPerSlave: 1,
		LACPActive: true, TLBDynamicLB: true, MissedMax: 2, CoupledControl: true,
	}
	oldLACP, newLACP, oldAB, newAB := lacp, lacp, ab, ab
	oldLACP.Index, oldLACP.MAC = 28, net.HardwareAddr{0x1a, 0x62, 0x41, 0x92, 0xb0, 0xf0}
	oldLACP.AD.PartnerMAC = [6]byte{0x52, 0xea, 0xfc, 0x1d, 0xcc, 0x0e}
	newLACP.Index, newLACP.MAC = 40, net.HardwareAddr{0xfe, 0x1d, 0x92, 0x36, 0x2e, 0xef}
	newLACP.AD.PartnerMAC = [6]byte{0xf2, 0xcc, 0x0f, 0x0f, 0x3a, 0x6e}
	oldAB.Index, oldAB.MAC, oldAB.Active.Index = 23, net.HardwareAddr{0xde, 0xc9, 0x5a, 0x11, 0xb5, 0xf4}, 19
	newAB.Index, newAB.MAC, newAB.Active.Index = 35, net.HardwareAddr{0xc2, 0x29, 0xa5, 0xad, 0x18, 0x7d}, 31
	return map[string]bond.Bond{
		"6.1.192/lacp-bond.hex": oldLACP, "6.12.117/lacp-bond.hex": newLACP,
		"6.1.192/ab-bond.hex": oldAB, "6.12.117/ab-bond.hex": newAB,
	}
}

// codecSlaves are the captured slaves by file.
func codecSlaves() map[string]bond.Slave {
	lacp := bond.Slave{
		LinkInfo: bond.LinkInfo{
			Link: bond.Link{Name: "v0"}, Type: 1, Kind: "veth", MasterKind: "bond", Flags: 0x11843,
			MTU: 1500, OperState: bond.OperUp, Carrier: true, TxQueues: 2,
		},
		AggregatorID: 1, ActorPortState: 0x3f, PartnerPortState: 0x3f, ActorPortPrio: 10,
	}
	ab := bond.Slave{
		LinkInfo: bond.LinkInfo{
			Link: bond.Link{Name: "e1"}, Type: 1, Kind: "dummy", MasterKind: "bond", Flags: 0x108c3,
			MTU: 1500, Carrier: true, TxQueues: 1,
		},
		State: bond.SlaveBackup,
	}
	oldLACP, newLACP, oldAB, newAB := lacp, lacp, ab, ab
	oldLACP.Index, oldLACP.Master, oldLACP.MAC = 25, 28, net.HardwareAddr{0x1a, 0x62, 0x41, 0x92, 0xb0, 0xf0}
	oldLACP.PermMAC = oldLACP.MAC
	newLACP.Index, newLACP.Master, newLACP.MAC = 37, 40, net.HardwareAddr{0xfe, 0x1d, 0x92, 0x36, 0x2e, 0xef}
	newLACP.PermMAC = newLACP.MAC
	oldAB.Index, oldAB.Master, oldAB.MAC = 20, 23, net.HardwareAddr{0xde, 0xc9, 0x5a, 0x11, 0xb5, 0xf4}
	oldAB.PermMAC = net.HardwareAddr{0xfe, 0xd2, 0x8e, 0x47, 0x15, 0x09}
	newAB.Index, newAB.Master, newAB.MAC = 32, 35, net.HardwareAddr{0xc2, 0x29, 0xa5, 0xad, 0x18, 0x7d}
	newAB.PermMAC = net.HardwareAddr{0xca, 0xc8, 0xda, 0x48, 0xc9, 0x3c}
	return map[string]bond.Slave{
		"6.1.192/lacp-slave.hex": oldLACP, "6.12.117/lacp-slave.hex": newLACP,
		"6.1.192/ab-slave.hex": oldAB, "6.12.117/ab-slave.hex": newAB,
	}
}

// codecAlways are the options that the kernels of the captures say about
// any bond.
var codecAlways = []bond.Option{
	bond.OptionMode, bond.OptionMIIMon, bond.OptionUpDelay, bond.OptionDownDelay, bond.OptionPeerNotifDelay,
	bond.OptionUseCarrier, bond.OptionARPInterval, bond.OptionARPValidate, bond.OptionARPAllTargets,
	bond.OptionPrimaryReselect, bond.OptionFailOverMAC, bond.OptionXmitHashPolicy, bond.OptionResendIGMP,
	bond.OptionNumPeerNotif, bond.OptionAllSlavesActive, bond.OptionMinLinks, bond.OptionLPInterval,
	bond.OptionPacketsPerSlave, bond.OptionLACPActive, bond.OptionLACPRate, bond.OptionADSelect,
	bond.OptionTLBDynamicLB, bond.OptionMissedMax, bond.OptionCoupledControl,
}

func TestDecodeCapturedBond(t *testing.T) {
	for file, want := range codecBonds() {
		t.Run(file, func(t *testing.T) {
			var got bond.Bond
			if err := got.Decode(codecFile(t, "testdata/codec/"+file)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, codecCmp); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			has := slices.Clone(codecAlways)
			if want.Mode == bond.Mode8023AD {
				has = append(has, bond.OptionADInfo, bond.OptionADActorSysPrio, bond.OptionADUserPortKey, bond.OptionADActorSystem)
			} else {
				has = append(has, bond.OptionActiveSlave)
			}
			for opt := range bond.AllOptions() {
				if want := slices.Contains(has, opt); got.Has(opt) != want {
					t.Errorf("Has(%v) is %t, want %t", opt, !want, want)
				}
			}
		})
	}
}

func TestDecodeCapturedSlave(t *testing.T) {
	for file, want := range codecSlaves() {
		t.Run(file, func(t *testing.T) {
			var got bond.Slave
			body := codecFile(t, "testdata/codec/"+file)
			if err := got.Decode(body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, codecCmp); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			lacp := []bond.Option{
				bond.OptionAggregatorID, bond.OptionActorPortState, bond.OptionPartnerPortState,
				bond.OptionActorPortPrio, bond.OptionActorChurn, bond.OptionPartnerChurn,
			}
			for opt := range bond.AllOptions() {
				want := opt.Info().Slave && (!slices.Contains(lacp, opt) || strings.Contains(file, "lacp"))
				if got.Has(opt) != want {
					t.Errorf("Has(%v) is %t, want %t", opt, !want, want)
				}
			}
			var link bond.LinkInfo
			if err := link.Decode(body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.LinkInfo, link, codecCmp); diff != "" {
				t.Errorf("LinkInfo, -want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeCapturedStats(t *testing.T) {
	tests := []struct {
		file string
		want bond.Stats
		ok   bool
	}{
		{"6.1.192/lacp-stats.hex", bond.Stats{LACPDURx: 16, LACPDUTx: 13}, true},
		{"6.1.192/lacp-slave-stats.hex", bond.Stats{LACPDURx: 8, LACPDUTx: 7}, true},
		{"6.1.192/slave-asked-as-bond-stats.hex", bond.Stats{}, false},
		{"6.1.192/ab-slave-stats.hex", bond.Stats{}, false},
		{"6.1.192/ab-bond-stats.hex", bond.Stats{}, false},
		{"6.12.117/lacp-stats.hex", bond.Stats{LACPDURx: 18, LACPDUTx: 16}, true},
		{"6.12.117/lacp-slave-stats.hex", bond.Stats{LACPDURx: 9, LACPDUTx: 8}, true},
		{"6.12.117/ab-bond-stats.hex", bond.Stats{}, false},
	}
	var s bond.Stats // used again, so that what is left of the one before would show
	for _, tt := range tests {
		ok, err := s.Decode(codecFile(t, "testdata/codec/"+tt.file))
		if s != tt.want || ok != tt.ok || err != nil {
			t.Errorf("%s: %+v, %t, %v; want %+v, %t", tt.file, s, ok, err, tt.want, tt.ok)
		}
	}
}

func TestDecodeStatsEveryCounter(t *testing.T) {
	var counters []byte
	for i := range uint16(9) {
		counters = codecAttr(counters, i, codecU64(1<<40+uint64(i)))
	}
	counters = codecAttr(counters, 9, nil)            // padding
	counters = codecAttr(counters, 10, codecU64(666)) // of a kernel to come
	body := append(make([]byte, 12), codecNest(3, codecNest(2, codecNest(1, counters)))...)
	var s bond.Stats
	want := bond.Stats{
		LACPDURx: 1 << 40, LACPDUTx: 1<<40 + 1, UnknownRx: 1<<40 + 2, IllegalRx: 1<<40 + 3,
		MarkerRx: 1<<40 + 4, MarkerTx: 1<<40 + 5, MarkerRespRx: 1<<40 + 6, MarkerRespTx: 1<<40 + 7, MarkerUnknownRx: 1<<40 + 8,
	}
	if ok, err := s.Decode(body); !ok || err != nil || s != want {
		t.Errorf("%+v, %t, %v", s, ok, err)
	}
	short := append(make([]byte, 12), codecNest(2, codecNest(2, codecNest(1, codecAttr(nil, 0, codecU32(1)))))...)
	for _, bad := range [][]byte{nil, make([]byte, 11), short, append(make([]byte, 12), 3, 0, 2, 0)} {
		if ok, err := s.Decode(bad); ok || !errors.Is(err, bond.ErrMalformed) || s != (bond.Stats{}) {
			t.Errorf("%x: %+v, %t, %v, want ErrMalformed", bad, s, ok, err)
		}
	}
}

func TestDecodeWhatIsNoBondOrSlave(t *testing.T) {
	bondMsg, slaveMsg := codecFile(t, codecNewest+"ab-bond.hex"), codecFile(t, codecNewest+"ab-slave.hex")
	plain := codecBody(codecAttr(nil, 3, []byte("eth0\x00")))
	bridgePort := codecBody(codecAttr(nil, 3, []byte("eth0\x00")), codecNest(18,
		codecAttr(nil, 4, []byte("bridge\x00")), codecNest(5, codecAttr(nil, 1, []byte{3}))))
	team := codecBody(codecNest(18, codecAttr(nil, 1, []byte("team\x00")), codecNest(2, codecAttr(nil, 1, []byte{3}))))
	for name, body := range map[string][]byte{"slave": slaveMsg, "plain": plain, "bridge port": bridgePort, "team": team} {
		var b bond.Bond
		if err := b.Decode(body); !errors.Is(err, bond.ErrNotBond) {
			t.Errorf("%s as bond: %v, want ErrNotBond", name, err)
		}
		if diff := cmp.Diff(bond.Bond{}, b, codecCmp); diff != "" {
			t.Errorf("%s as bond: not zero after the error: %s", name, diff)
		}
	}
	for name, body := range map[string][]byte{"bond": bondMsg, "plain": plain, "bridge port": bridgePort, "team": team} {
		var s bond.Slave
		if err := s.Decode(body); !errors.Is(err, bond.ErrNotSlave) {
			t.Errorf("%s as slave: %v, want ErrNotSlave", name, err)
		}
	}
	var l bond.LinkInfo
	if err := l.Decode(bridgePort); err != nil || l.MasterKind != "bridge" || l.Name != "eth0" {
		t.Errorf("bridge port as link: %+v, %v", l, err)
	}
}

// TestDecodeOddNames: the kernel takes any byte in a name except '/', ':', white
// space and NUL.
func TestDecodeOddNames(t *testing.T) {
	for _, name := range []string{"", "a", "123456789012345", "\xff\xfe\x80", "b\x1b[31mred", "héé", "%d", "\"\\'"} {
		for _, tail := range []string{"\x00", "\x00junk", ""} {
			var l bond.LinkInfo
			if err := l.Decode(codecBody(codecAttr(nil, 3, []byte(name+tail)))); err != nil || l.Name != name {
				t.Errorf("%q with %q: %q, %v", name, tail, l.Name, err)
			}
		}
	}
}

func TestDecodeDataBeforeKind(t *testing.T) {
	body := codecBody(codecNest(18, codecNest(2, codecAttr(nil, 3, codecU32(50))), codecAttr(nil, 1, []byte("bond"))))
	var b bond.Bond
	if err := b.Decode(body); err != nil || b.MIIMon != 50*time.Millisecond || b.Kind != "bond" {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestDecodeTargets(t *testing.T) {
	v4 := func(last byte) []byte { return []byte{192, 0, 2, last} }
	v6 := netip.MustParseAddr("fe80::1").As16()
	list := slices.Concat(codecAttr(nil, 2, v4(2)), codecAttr(nil, 0, v4(0)), codecAttr(nil, 1, v4(1)))
	want := []netip.Addr{netip.MustParseAddr("192.0.2.0"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}
	for _, flag := range []uint16{0, codecNested} {
		body := codecBondBody(codecAttr(nil, 8|flag, list), codecAttr(nil, 31|flag, codecAttr(nil, 0, v6[:])))
		var b bond.Bond
		if err := b.Decode(body); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.ARPTargets, want) {
			t.Errorf("flag %#x: targets %v, want them in order of their place, %v", flag, b.ARPTargets, want)
		}
		if !slices.Equal(b.NSTargets, []netip.Addr{netip.MustParseAddr("fe80::1")}) {
			t.Errorf("flag %#x: NS targets %v", flag, b.NSTargets)
		}
	}
	for _, bad := range [][]byte{
		codecBondBody(codecAttr(nil, 8, codecAttr(nil, 0, v4(1)[:3]))),
		codecBondBody(codecAttr(nil, 8, codecAttr(nil, 0, v6[:]))),
		codecBondBody(codecAttr(nil, 31, codecAttr(nil, 0, v4(1)))),
		codecBondBody(codecAttr(nil, 8, []byte{9, 0, 0, 0, 1, 2, 3, 4})),
	} {
		var b bond.Bond
		err := b.Decode(bad)
		if e, ok := errors.AsType[*bond.Error](err); !ok || !errors.Is(err, bond.ErrMalformed) ||
			e.Op != "decode" || e.Option != bond.OptionARPTargets && e.Option != bond.OptionNSTargets {
			t.Errorf("%x: %v, want ErrMalformed of the option", bad, err)
		}
	}
}

// TestDecodeUnknown: what a kernel to come says is kept, and is not the memory
// of the message.
func TestDecodeUnknown(t *testing.T) {
	body := codecBondBody(codecAttr(nil, 1, []byte{4}), codecAttr(nil, 60, []byte("abc")),
		codecAttr(nil, codecNested|200, []byte{1, 0, 0, 0, 2}), codecAttr(nil, 61, nil))
	var b bond.Bond
	if err := b.Decode(body); err != nil {
		t.Fatal(err)
	}
	clear(body)
	want := []bond.Attr{{Type: 60, Data: []byte("abc")}, {Type: codecNested | 200, Data: []byte{1, 0, 0, 0, 2}}, {Type: 61}}
	if diff := cmp.Diff(want, b.Unknown, codecCmp); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s := bond.Slave{}
	if err := s.Decode(codecSlaveBody(codecAttr(nil, 9, codecI32(-5)), codecAttr(nil, 63, []byte("z")), codecAttr(nil, 70, []byte("y")))); err != nil {
		t.Fatal(err)
	}
	want = []bond.Attr{{Type: 63, Data: []byte("z")}, {Type: 70, Data: []byte("y")}}
	if diff := cmp.Diff(want, s.Unknown, codecCmp); diff != "" || s.Prio != -5 {
		t.Errorf("prio %d, -want +got:\n%s", s.Prio, diff)
	}
}

// TestDecodeSizes tries each option of the table with a value that is longer
// than the kernel's, and with every one that is shorter.
func TestDecodeSizes(t *testing.T) {
	for opt := range bond.AllOptions() {
		row := opt.Info()
		if row.Size == 0 {
			continue
		}
		for n := range row.Size + 3 {
			attr := codecAttr(nil, row.Attr, bytes.Repeat([]byte{1}, n))
			var b bond.Bond
			var s bond.Slave
			var o bond.Options
			var so bond.SlaveOptions
			errs := []error{b.Decode(codecBondBody(attr))}
			if row.Slave {
				errs[0] = s.Decode(codecSlaveBody(attr))
			}
			if !row.ReadOnly && !row.Slave {
				_, err := o.DecodeAttrs(attr)
				errs = append(errs, err)
			} else if !row.ReadOnly {
				_, err := so.DecodeAttrs(attr)
				errs = append(errs, err)
			}
			for _, err := range errs {
				if n >= row.Size && err != nil {
					t.Errorf("%v of %d bytes: %v", opt, n, err)
				}
				if e, ok := errors.AsType[*bond.Error](err); n < row.Size && (!ok || !errors.Is(err, bond.ErrMalformed) || e.Option != opt || e.Op != "decode") {
					t.Errorf("%v of %d bytes: %v, want ErrMalformed", opt, n, err)
				}
			}
		}
	}
}

// TestDecodeDamaged cuts captured messages at every byte, and inverts each
// of their bytes, and of some each bit. Nothing may panic, change the message, or write outside.
func TestDecodeDamaged(t *testing.T) {
	var b, freshBond bond.Bond
	var s, freshSlave bond.Slave
	var l bond.LinkInfo
	var st bond.Stats
	decode := func(t *testing.T, body []byte) {
		t.Helper()
		guarded := bytes.Repeat([]byte{0xa5}, len(body)+128)
		copy(guarded[64:], body)
		in := guarded[64 : 64+len(body) : 64+len(body)]
		freshBond, freshSlave = bond.Bond{}, bond.Slave{}
		bondErr, slaveErr := b.Decode(in), s.Decode(in)
		if err := freshBond.Decode(in); !codecSameErr(err, bondErr) {
			t.Fatalf("used Bond: %v, fresh Bond: %v", bondErr, err)
		}
		if err := freshSlave.Decode(in); !codecSameErr(err, slaveErr) {
			t.Fatalf("used Slave: %v, fresh Slave: %v", slaveErr, err)
		}
		for _, err := range []error{bondErr, slaveErr, l.Decode(in)} {
			if err != nil && !errors.Is(err, bond.ErrMalformed) && !errors.Is(err, bond.ErrNotBond) && !errors.Is(err, bond.ErrNotSlave) {
				t.Fatal(err)
			}
		}
		if _, err := st.Decode(in); err != nil && !errors.Is(err, bond.ErrMalformed) {
			t.Fatal(err)
		}
		if !bytes.Equal(in, body) || bytes.Count(guarded[:64], []byte{0xa5}) != 64 || bytes.Count(guarded[64+len(body):], []byte{0xa5}) != 64 {
			t.Fatal("the message or what is around it has changed")
		}
	}
	for _, c := range codecCaptures(t, "") {
		t.Run(c.kernel+"/"+c.name, func(t *testing.T) {
			decode(t, c.body)
			if c.kernel != codecKernels[len(codecKernels)-1] {
				return // much the same messages
			}
			for i := 0; i < len(c.body); i += codecStep() {
				decode(t, c.body[:i])
				c.body[i] ^= 0xff
				decode(t, c.body)
				c.body[i] ^= 0xff
			}
		})
	}
	for _, file := range codecFiles(t) {
		t.Run(file, func(t *testing.T) {
			body := codecFile(t, file)
			for i := 0; i < len(body); i += codecStep() {
				decode(t, body[:i])
				if strings.Contains(file, "ab-") {
					continue
				}
				for _, flip := range []byte{1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80} {
					body[i] ^= flip
					decode(t, body)
					body[i] ^= flip
				}
			}
		})
	}
}

// TestDecodeReused decodes every capture after every other one into the same
// struct, with and without an error in between.
func TestDecodeReused(t *testing.T) {
	rich := codecBondBody(
		codecAttr(nil, 2, codecU32(9)), codecAttr(nil, 11, codecU32(9)), codecAttr(nil, 33, []byte{1}), codecAttr(nil, 34, []byte{1}),
		codecAttr(nil, 8, codecAttr(nil, 0, []byte{192, 0, 2, 1})), codecAttr(nil, 31, codecAttr(nil, 0, make([]byte, 16))),
		codecAttr(nil, 26, []byte{1, 2, 3, 4, 5, 6}), codecAttr(nil, 77, []byte("unknown")), codecAttr(nil, 24, []byte{1, 1}))
	richSlave := codecSlaveBody(codecAttr(nil, 4, make([]byte, 20)), codecAttr(nil, 9, codecI32(-1)), codecAttr(nil, 12, []byte{2}), codecAttr(nil, 77, []byte("unknown")))
	var bodies [][]byte
	for _, file := range codecFiles(t) {
		bodies = append(bodies, codecFile(t, file))
	}
	bodies = append(bodies, rich, richSlave, rich[:len(rich)-1], richSlave[:20], codecBondBody(), codecSlaveBody(), codecBody())
	for i, first := range bodies {
		for j, second := range bodies {
			if testing.Short() && (i+j)%5 > 0 {
				continue
			}
			var used, fresh bond.Bond
			_ = used.Decode(first)
			codecSameBond(t, used.Decode(second), fresh.Decode(second), &used, &fresh)
			var usedSlave, freshSlave bond.Slave
			_ = usedSlave.Decode(first)
			codecSameSlave(t, usedSlave.Decode(second), freshSlave.Decode(second), &usedSlave, &freshSlave)
		}
	}
}

// TestDecodeKeepsNothing: what has been decoded does not change with the message.
func TestDecodeKeepsNothing(t *testing.T) {
	for _, file := range codecFiles(t) {
		var b, wantBond bond.Bond
		var s, wantSlave bond.Slave
		body := codecFile(t, file)
		errB, errS := b.Decode(body), s.Decode(body)
		_, _ = wantBond.Decode(bytes.Clone(body)), wantSlave.Decode(bytes.Clone(body))
		for i := range body {
			body[i] = 0xee
		}
		codecSameBond(t, errB, errB, &b, &wantBond)
		codecSameSlave(t, errS, errS, &s, &wantSlave)
	}
}

func TestDecodeCarrierOfInterfaceThatIsDown(t *testing.T) {
	body := codecBody(codecAttr(nil, 33, []byte{1}))
	var l bond.LinkInfo
	if err := l.Decode(body); err != nil || l.Carrier {
		t.Errorf("carrier %t of an interface that is down, %v", l.Carrier, err)
	}
	body[8] = bond.FlagUp
	if err := l.Decode(body); err != nil || !l.Carrier || !l.Up() {
		t.Errorf("carrier %t of an interface that is up, %v", l.Carrier, err)
	}
}
