// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// codecEvery has every option, each with a value of its own.
func codecEvery() *bond.Options {
	return &bond.Options{
		Mode:              new(bond.Mode8023AD),
		Active:            new(bond.Link{Index: 11}),
		MIIMon:            new(100 * time.Millisecond),
		UpDelay:           new(200 * time.Millisecond),
		DownDelay:         new(300 * time.Millisecond),
		PeerNotifDelay:    new(5 * time.Minute),
		UseCarrier:        new(true),
		ARPInterval:       new(math.MaxInt32 * time.Millisecond),
		ARPTargets:        []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.1.2.3")},
		NSTargets:         []netip.Addr{netip.MustParseAddr("fe80::1"), netip.MustParseAddr("2001:db8::2")},
		ARPValidate:       new(bond.ARPValidateFilterBackup),
		ARPAllTargets:     new(bond.ARPAllTargetsAll),
		Primary:           new(bond.Link{Index: 12, Name: "eth1"}),
		PrimaryReselect:   new(bond.PrimaryReselectFailure),
		FailOverMAC:       new(bond.FailOverMACFollow),
		XmitHashPolicy:    new(bond.XmitHashVLANSrcMAC),
		ResendIGMP:        new(uint32(255)),
		NumPeerNotif:      new(uint8(254)),
		AllSlavesActive:   new(true),
		MinLinks:          new(uint32(3)),
		LPInterval:        new(4 * time.Second),
		PacketsPerSlave:   new(uint32(65535)),
		LACPActive:        new(false),
		LACPRate:          new(bond.LACPRateFast),
		ADSelect:          new(bond.ADSelectActorPortPrio),
		ADActorSysPrio:    new(uint16(0x1234)),
		ADUserPortKey:     new(uint16(1023)),
		ADActorSystem:     new([6]byte{2, 1, 2, 3, 4, 5}),
		TLBDynamicLB:      new(false),
		MissedMax:         new(uint8(7)),
		CoupledControl:    new(false),
		BroadcastNeighbor: new(true),
		LACPStrict:        new(true),
	}
}

func TestAppendAttrsBytes(t *testing.T) {
	a6, b6 := netip.MustParseAddr("fe80::1").As16(), netip.MustParseAddr("2001:db8::2").As16()
	// In the order in which the kernel applies them, whatever their numbers are.
	want := slices.Concat(
		codecAttr(nil, 1, []byte{4}), codecAttr(nil, 2, codecU32(11)), codecAttr(nil, 3, codecU32(100)),
		codecAttr(nil, 4, codecU32(200)), codecAttr(nil, 5, codecU32(300)), codecAttr(nil, 28, codecU32(300000)),
		codecAttr(nil, 6, []byte{1}), codecAttr(nil, 7, codecU32(math.MaxInt32)),
		codecNest(8, codecAttr(nil, 0, []byte{192, 0, 2, 1}), codecAttr(nil, 1, []byte{10, 1, 2, 3})),
		codecNest(31, codecAttr(nil, 0, a6[:]), codecAttr(nil, 1, b6[:])),
		codecAttr(nil, 9, codecU32(6)), codecAttr(nil, 10, codecU32(1)), codecAttr(nil, 11, codecU32(12)),
		codecAttr(nil, 12, []byte{2}), codecAttr(nil, 13, []byte{2}), codecAttr(nil, 14, []byte{5}),
		codecAttr(nil, 15, codecU32(255)), codecAttr(nil, 16, []byte{254}), codecAttr(nil, 17, []byte{1}),
		codecAttr(nil, 18, codecU32(3)), codecAttr(nil, 19, codecU32(4)), codecAttr(nil, 20, codecU32(65535)),
		codecAttr(nil, 29, []byte{0}), codecAttr(nil, 21, []byte{1}), codecAttr(nil, 22, []byte{3}),
		codecAttr(nil, 24, codecU16(0x1234)), codecAttr(nil, 25, codecU16(1023)),
		codecAttr(nil, 26, []byte{2, 1, 2, 3, 4, 5}), codecAttr(nil, 27, []byte{0}), codecAttr(nil, 30, []byte{7}),
		codecAttr(nil, 32, []byte{0}), codecAttr(nil, 33, []byte{1}), codecAttr(nil, 34, []byte{1}),
	)
	got, err := codecEvery().AppendAttrs([]byte("before"))
	if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
		t.Errorf("got  %x, %v\nwant %x", got, err, want)
	}
	so := bond.SlaveOptions{QueueID: new(uint16(3)), Prio: new(int32(-2)), ActorPortPrio: new(uint16(9))}
	want = slices.Concat(codecAttr(nil, 5, codecU16(3)), codecAttr(nil, 9, codecI32(-2)), codecAttr(nil, 10, codecU16(9)))
	if got, err := so.AppendAttrs(nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("slave: got  %x, %v\nwant %x", got, err, want)
	}
}

func TestAppendAttrsEmptyList(t *testing.T) {
	o := bond.Options{ARPTargets: []netip.Addr{}, NSTargets: []netip.Addr{}, Active: new(bond.Link{}), Primary: new(bond.Link{})}
	want := slices.Concat(codecAttr(nil, 2, codecU32(0)), codecNest(8), codecNest(31), codecAttr(nil, 11, codecU32(0)))
	got, err := o.AppendAttrs(nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	var back bond.Options
	if _, err := back.DecodeAttrs(got); err != nil || back.ARPTargets == nil || back.NSTargets == nil {
		t.Errorf("an empty list came back as none: %+v, %v", back, err)
	}
	if diff := cmp.Diff(o, back, codecCmp); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAppendAttrsRefuses(t *testing.T) {
	ip := netip.MustParseAddr
	many4, many6 := make([]netip.Addr, 17), make([]netip.Addr, 17)
	for i := range many4 {
		many4[i] = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		many6[i] = netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i + 1)})
	}
	tests := []struct {
		name  string
		o     bond.Options
		opt   bond.Option
		value string
	}{
		{"part of a millisecond", bond.Options{MIIMon: new(1500 * time.Microsecond)}, bond.OptionMIIMon, "1.5ms"},
		{"part of a millisecond", bond.Options{ARPInterval: new(time.Nanosecond)}, bond.OptionARPInterval, "1ns"},
		{"part of a second", bond.Options{LPInterval: new(1500 * time.Millisecond)}, bond.OptionLPInterval, "1.5s"},
		{"no second", bond.Options{LPInterval: new(time.Duration(0))}, bond.OptionLPInterval, "0s"},
		{"negative", bond.Options{UpDelay: new(-time.Millisecond)}, bond.OptionUpDelay, "-1ms"},
		{"negative, part of a millisecond", bond.Options{DownDelay: new(-time.Nanosecond)}, bond.OptionDownDelay, "-1ns"},
		{"too long", bond.Options{MIIMon: new((math.MaxInt32 + 1) * time.Millisecond)}, bond.OptionMIIMon, "596h31m23.648s"},
		{"cut to 32 bits it would fit", bond.Options{MIIMon: new((1<<32 + 100) * time.Millisecond)}, bond.OptionMIIMon, "1193h2m47.396s"},
		{"too long", bond.Options{PeerNotifDelay: new(300001 * time.Millisecond)}, bond.OptionPeerNotifDelay, "5m0.001s"},
		{"too many", bond.Options{ResendIGMP: new(uint32(256))}, bond.OptionResendIGMP, "256"},
		{"too many", bond.Options{PacketsPerSlave: new(uint32(65536))}, bond.OptionPacketsPerSlave, "65536"},
		{"too many", bond.Options{MinLinks: new(uint32(1 << 31))}, bond.OptionMinLinks, "2147483648"},
		{"too few", bond.Options{MissedMax: new(uint8(0))}, bond.OptionMissedMax, "0"},
		{"too few", bond.Options{ADActorSysPrio: new(uint16(0))}, bond.OptionADActorSysPrio, "0"},
		{"too great", bond.Options{ADUserPortKey: new(uint16(1024))}, bond.OptionADUserPortKey, "1024"},
		{"no such word", bond.Options{Mode: new(bond.Mode(7))}, bond.OptionMode, "7"},
		{"no such word", bond.Options{ARPValidate: new(bond.ARPValidate(7))}, bond.OptionARPValidate, "7"},
		{"no such word", bond.Options{ARPAllTargets: new(bond.ARPAllTargets(1 << 31))}, bond.OptionARPAllTargets, "2147483648"},
		{"IPv6", bond.Options{ARPTargets: []netip.Addr{ip("192.0.2.1"), ip("2001:db8::1")}}, bond.OptionARPTargets, "2001:db8::1"},
		{"IPv4 mapped to IPv6", bond.Options{ARPTargets: []netip.Addr{ip("::ffff:192.0.2.1")}}, bond.OptionARPTargets, "::ffff:192.0.2.1"},
		{"no address", bond.Options{ARPTargets: []netip.Addr{{}}}, bond.OptionARPTargets, "invalid IP"},
		{"no address", bond.Options{NSTargets: []netip.Addr{{}}}, bond.OptionNSTargets, "invalid IP"},
		{"17", bond.Options{ARPTargets: many4}, bond.OptionARPTargets, "17 targets"},
		{"17", bond.Options{NSTargets: many6}, bond.OptionNSTargets, "17 targets"},
		{"twice", bond.Options{ARPTargets: []netip.Addr{ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.1")}}, bond.OptionARPTargets, "192.0.2.1"},
		{"twice", bond.Options{NSTargets: []netip.Addr{ip("fe80::1"), ip("fe80::1")}}, bond.OptionNSTargets, "fe80::1"},
		{"IPv4", bond.Options{NSTargets: []netip.Addr{ip("192.0.2.1")}}, bond.OptionNSTargets, "192.0.2.1"},
		{"zone", bond.Options{NSTargets: []netip.Addr{ip("fe80::1%eth0")}}, bond.OptionNSTargets, "fe80::1%eth0"},
		{"name only", bond.Options{Primary: new(bond.Link{Name: "eth0"})}, bond.OptionPrimary, "eth0"},
		{"name only", bond.Options{Active: new(bond.Link{Name: "eth0"})}, bond.OptionActiveSlave, "eth0"},
		{"negative index", bond.Options{Active: new(bond.Link{Index: -1})}, bond.OptionActiveSlave, "#-1"},
	}
	for _, tt := range tests {
		t.Run(tt.opt.String()+" "+tt.name, func(t *testing.T) {
			tt.o.TLBDynamicLB = new(true) // something that comes before or after and fits
			if tt.o.Mode == nil {
				tt.o.Mode = new(bond.ModeActiveBackup)
			}
			memory := bytes.Repeat([]byte{0xa5}, 1024)
			got, err := tt.o.AppendAttrs(memory[:8])
			e, ok := errors.AsType[*bond.Error](err)
			if !ok || !errors.Is(err, bond.ErrBadValue) || e.Option != tt.opt || e.Value != tt.value || e.Hint == "" {
				t.Errorf("error %v, want ErrBadValue about %v %s", err, tt.opt, tt.value)
			}
			if len(got) != 8 || &got[0] != &memory[0] || bytes.Count(memory, []byte{0xa5}) != 1024 {
				t.Error("something has been appended")
			}
			got, err = (&bond.CodecRequest{Index: 3, Options: &tt.o}).Append(memory[:8])
			if !errors.Is(err, bond.ErrBadValue) || len(got) != 8 || bytes.Count(memory, []byte{0xa5}) != 1024 {
				t.Errorf("whole request: %v, %d bytes", err, len(got))
			}
		})
	}
}

func TestAppendLinkRequestRefuses(t *testing.T) {
	for name, r := range map[string]bond.CodecRequest{
		"name of 16 bytes": {Name: "1234567890123456"},
		"name with NUL":    {Name: "eth\x000"},
		"alternative name": {AltName: strings.Repeat("a", 128)},
		"MAC of 33 bytes":  {MAC: make(net.HardwareAddr, 33)},
		"index":            {Index: -1},
		"MTU":              {MTU: -1},
		"queues":           {TxQueues: -1},
		"master":           {Master: new(-1)},
	} {
		dst := []byte("as it was")
		got, err := r.Append(dst)
		if !errors.Is(err, bond.ErrBadValue) || string(got) != "as it was" {
			t.Errorf("%s: %q, %v, want ErrBadValue", name, got, err)
		}
	}
}

func TestAppendLinkRequestBytes(t *testing.T) {
	head := func(index, flags, change uint32) []byte {
		return slices.Concat(make([]byte, 4), codecU32(index), codecU32(flags), codecU32(change))
	}
	bondKind := codecAttr(nil, 1, []byte("bond"))
	tests := []struct {
		name string
		r    bond.CodecRequest
		want [][]byte
	}{
		{"get by index", bond.CodecRequest{Index: 7, Name: "ignored", ExtMask: true}, [][]byte{head(7, 0, 0), codecAttr(nil, 29, codecU32(8))}},
		{"get by name", bond.CodecRequest{Name: "bond0"}, [][]byte{head(0, 0, 0), codecAttr(nil, 3, []byte("bond0\x00"))}},
		{"get by alternative name", bond.CodecRequest{AltName: "a name that is longer"}, [][]byte{head(0, 0, 0), codecAttr(nil, 53, []byte("a name that is longer\x00"))}},
		{"dump bonds", bond.CodecRequest{DumpKind: true, ExtMask: true}, [][]byte{head(0, 0, 0), codecAttr(nil, 29, codecU32(8)), codecNest(18, bondKind)}},
		{"dump slaves", bond.CodecRequest{DumpMaster: 7}, [][]byte{head(0, 0, 0), codecAttr(nil, 10, codecU32(7))}},
		{"up", bond.CodecRequest{Index: 7, Flags: 1, Change: 1}, [][]byte{head(7, 1, 1)}},
		{"enslave", bond.CodecRequest{Index: 7, Master: new(9)}, [][]byte{head(7, 0, 0), codecAttr(nil, 10, codecU32(9))}},
		{"release", bond.CodecRequest{Index: 7, Master: new(0)}, [][]byte{head(7, 0, 0), codecAttr(nil, 10, codecU32(0))}},
		{
			"create",
			bond.CodecRequest{
				Name: "bond0", Flags: 1, Change: 1, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, MTU: 9000, TxQueues: 4,
				Kind: true, Options: &bond.Options{Mode: new(bond.ModeBalanceALB)},
			},
			[][]byte{
				head(0, 1, 1), codecAttr(nil, 3, []byte("bond0\x00")), codecAttr(nil, 1, []byte{2, 0, 0, 0, 0, 1}), codecAttr(nil, 4, codecU32(9000)),
				codecAttr(nil, 31, codecU32(4)), codecNest(18, bondKind, codecNest(2, codecAttr(nil, 1, []byte{6}))),
			},
		},
		{
			"set",
			bond.CodecRequest{Index: 7, Options: &bond.Options{MIIMon: new(time.Second)}},
			[][]byte{head(7, 0, 0), codecNest(18, bondKind, codecNest(2, codecAttr(nil, 3, codecU32(1000))))},
		},
		{
			"set slave",
			bond.CodecRequest{Index: 7, SlaveOptions: &bond.SlaveOptions{Prio: new(int32(-1))}},
			[][]byte{head(7, 0, 0), codecNest(18, codecNest(5, codecAttr(nil, 9, codecI32(-1))))},
		},
	}
	for _, tt := range tests {
		got, err := tt.r.Append(nil)
		if want := slices.Concat(tt.want...); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, %v, want %x", tt.name, got, err, want)
		}
	}
}

// TestOptionAtOffset asks for the option at every byte of a request, counted as
// the kernel does, from the netlink header.
func TestOptionAtOffset(t *testing.T) {
	o, so := codecEvery(), &bond.SlaveOptions{QueueID: new(uint16(3)), Prio: new(int32(-2)), ActorPortPrio: new(uint16(9))}
	r := bond.CodecRequest{Name: "bond0", Options: o, SlaveOptions: so, MTU: 1400}
	body, err := r.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := o.AppendAttrs(nil)
	slaveData, _ := so.AppendAttrs(nil)
	dataAt, slaveAt := bytes.Index(body, data), bytes.Index(body, slaveData)
	for at := -5; at < len(body)+5; at++ {
		var want bond.Option
		switch {
		case at >= dataAt && at < dataAt+len(data):
			want = codecOptionAt(data, at-dataAt)
		case at >= slaveAt && at < slaveAt+len(slaveData):
			want = codecOptionAt(slaveData, at-slaveAt) + 64
		}
		if got, ok := bond.OptionAtOffset(body, 16+at); got != want && ok || ok != (want != 0) {
			t.Fatalf("at %d: %v, %t, want %v", at, got, ok, want)
		}
	}
	for i := range body {
		bond.OptionAtOffset(body[:i], 16+i-1)
		bond.OptionAtOffset(body[i:], 60)
	}
	if opt, ok := bond.OptionAtOffset(codecBondBody(codecAttr(nil, 60, nil)), 16+16+4+12+4); ok {
		t.Errorf("an attribute without a name is %v", opt)
	}
}

// codecOptionAt returns the type of the attribute with the offset.
func codecOptionAt(data []byte, at int) bond.Option {
	for i := 0; ; {
		n := (int(binary.NativeEndian.Uint16(data[i:])) + 3) &^ 3
		if at < i+n {
			return bond.Option(binary.NativeEndian.Uint16(data[i+2:]))
		}
		i += n
	}
}

// TestOptionsRoundTrip sends random options through the encoder and back.
func TestOptionsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	seen := map[bond.Option]int{}
	for range 1000 / codecStep() {
		o := codecRandomOptions(rng)
		data, err := o.AppendAttrs(nil)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		var back bond.Options
		unknown, err := back.DecodeAttrs(data)
		if err != nil || len(unknown) > 0 {
			t.Fatal(unknown, err)
		}
		if diff := cmp.Diff(o, &back, codecCmp); diff != "" {
			t.Fatalf("-sent +got:\n%s", diff)
		}
		for opt := range o.All() {
			if !back.Has(opt) {
				t.Fatalf("%v is lost", opt)
			}
			seen[opt]++
		}
		// A bond of which the kernel says just that has the same options.
		var b bond.Bond
		if err := b.Decode(codecBondBody(data)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*o, b.Options(), codecCmp); diff != "" {
			t.Fatalf("bond, -sent +got:\n%s", diff)
		}

		so := bond.SlaveOptions{QueueID: new(uint16(rng.Uint32())), Prio: new(int32(rng.Uint32())), ActorPortPrio: new(uint16(rng.Uint32()))}
		if rng.IntN(4) == 0 {
			so.Prio = nil
		}
		data, _ = so.AppendAttrs(nil)
		var soBack bond.SlaveOptions
		if unknown, err := soBack.DecodeAttrs(data); err != nil || len(unknown) > 0 {
			t.Fatal(unknown, err)
		}
		if diff := cmp.Diff(so, soBack); diff != "" {
			t.Fatalf("-sent +got:\n%s", diff)
		}
	}
	for opt := range codecEvery().All() {
		if seen[opt] == 0 {
			t.Errorf("%v was in no round", opt)
		}
	}
}

// codecRandomOptions returns some options with values in range: at random, and
// often at an end of the range.
func codecRandomOptions(rng *rand.Rand) *bond.Options {
	o := codecEvery()
	num := func(opt bond.Option) int64 {
		row := opt.Info()
		switch rng.IntN(4) {
		case 0:
			return row.Min
		case 1:
			return row.Max
		}
		return row.Min + rng.Int64N(row.Max-row.Min+1)
	}
	dur := func(opt bond.Option) *time.Duration { return new(time.Duration(num(opt) * opt.Info().Unit)) }
	flag := func() *bool { return new(rng.IntN(2) == 0) }
	link := func() *bond.Link { return new(bond.Link{Index: rng.IntN(math.MaxInt32)}) }
	addrs := func(size int) []netip.Addr {
		list := []netip.Addr{}
		for i := range rng.IntN(17) {
			a, _ := netip.AddrFromSlice(append(codecU32(rng.Uint32()), make([]byte, size-4)...))
			if i > 0 && slices.Contains(list, a) {
				continue
			}
			list = append(list, a)
		}
		return list
	}
	o.Mode, o.Active, o.Primary = new(bond.Mode(num(bond.OptionMode))), link(), link()
	o.MIIMon, o.UpDelay, o.DownDelay = dur(bond.OptionMIIMon), dur(bond.OptionUpDelay), dur(bond.OptionDownDelay)
	o.PeerNotifDelay, o.ARPInterval, o.LPInterval = dur(bond.OptionPeerNotifDelay), dur(bond.OptionARPInterval), dur(bond.OptionLPInterval)
	o.UseCarrier, o.AllSlavesActive, o.LACPActive, o.TLBDynamicLB = flag(), flag(), flag(), flag()
	o.CoupledControl, o.BroadcastNeighbor, o.LACPStrict = flag(), flag(), flag()
	o.ARPTargets, o.NSTargets = addrs(4), addrs(16)
	o.ARPValidate, o.ARPAllTargets = new(bond.ARPValidate(num(bond.OptionARPValidate))), new(bond.ARPAllTargets(num(bond.OptionARPAllTargets)))
	o.XmitHashPolicy, o.ADSelect = new(bond.XmitHashPolicy(num(bond.OptionXmitHashPolicy))), new(bond.ADSelect(num(bond.OptionADSelect)))
	o.ResendIGMP, o.MinLinks, o.PacketsPerSlave = new(uint32(num(bond.OptionResendIGMP))), new(uint32(num(bond.OptionMinLinks))), new(uint32(num(bond.OptionPacketsPerSlave)))
	o.NumPeerNotif, o.MissedMax = new(uint8(num(bond.OptionNumPeerNotif))), new(uint8(num(bond.OptionMissedMax)))
	o.ADActorSysPrio, o.ADUserPortKey = new(uint16(num(bond.OptionADActorSysPrio))), new(uint16(num(bond.OptionADUserPortKey)))
	o.ADActorSystem = new([6]byte(codecU64(rng.Uint64())[:6]))
	for opt := range bond.AllOptions() {
		if rng.IntN(3) == 0 {
			o.Clear(opt)
		}
	}
	return o
}

func TestDecodeAttrsOfRequest(t *testing.T) {
	// Read only, unknown and flagged attributes, and targets whose types the
	// kernel does not look at.
	data := slices.Concat(
		codecAttr(nil, 1, []byte{1}), codecNest(codecNested|23, codecAttr(nil, 1, []byte{1, 0})), codecAttr(nil, 99, []byte("x")),
		codecNest(codecNested|8, codecAttr(nil, 5, []byte{192, 0, 2, 5}), codecAttr(nil, 1, []byte{192, 0, 2, 1})))
	var o bond.Options
	unknown, err := o.DecodeAttrs(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	want := bond.Options{Mode: new(bond.ModeActiveBackup), ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.5"), netip.MustParseAddr("192.0.2.1")}}
	if diff := cmp.Diff(want, o, codecCmp); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(unknown) != 2 || unknown[0].Type != codecNested|23 || unknown[1].Type != 99 || string(unknown[1].Data) != "x" {
		t.Errorf("unknown: %v", unknown)
	}
	for name, bad := range map[string][]byte{
		"short":     codecAttr(nil, 3, []byte{1, 0}),
		"cut":       {8, 0, 1, 0},
		"length 3":  {3, 0, 1, 0},
		"IPv6":      codecNest(8, codecAttr(nil, 0, make([]byte, 16))),
		"short MAC": codecAttr(nil, 26, make([]byte, 5)),
	} {
		if unknown, err := o.DecodeAttrs(bad); !errors.Is(err, bond.ErrMalformed) || !o.IsZero() || unknown != nil {
			t.Errorf("%s: %+v, %v, want ErrMalformed", name, o, err)
		}
	}
	if _, err := o.DecodeAttrs(codecAttr(nil, 17, []byte{2})); !errors.Is(err, bond.ErrBadValue) || !o.IsZero() {
		t.Errorf("all_slaves_active 2: %v, want ErrBadValue", err)
	}
	var so bond.SlaveOptions
	if unknown, err := so.DecodeAttrs(slices.Concat(codecAttr(nil, 1, []byte{1}), codecAttr(nil, 5, codecU32(2)))); err != nil || len(unknown) != 1 || *so.QueueID != 2 {
		t.Errorf("slave: %+v, %v, %v", so, unknown, err)
	}
	if _, err := so.DecodeAttrs(codecAttr(nil, 9, []byte{1, 0})); !errors.Is(err, bond.ErrMalformed) || !so.IsZero() {
		t.Errorf("slave, short: %+v, %v", so, err)
	}
}
