// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"cmp"
	"encoding/binary"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/netlink"

	"github.com/bondkit/bondkit/bond"
)

// slowAttr is an attribute as netlink.AttributeDecoder gives it.
type slowAttr struct {
	typ, flags uint16
	val        []byte
}

// slowAttrs reads all attributes of a nest. Up to three bytes behind the last
// one are padding, for the kernel too (nla_ok). The AttributeDecoder passes over
// attributes of length 0, which the kernel does not.
func slowAttrs(data []byte) ([]slowAttr, error) {
	for i := 0; ; {
		if rest := len(data) - i; rest < 4 {
			data = data[:len(data)-max(rest, 0)]
			break
		}
		n := int(binary.NativeEndian.Uint16(data[i : i+2]))
		if n == 0 {
			return nil, bond.ErrMalformed
		}
		if n < 4 || n > len(data)-i {
			break // the AttributeDecoder says what is wrong
		}
		i += (n + 3) &^ 3
	}
	if len(data) == 0 {
		return nil, nil
	}
	ad, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		return nil, bond.ErrMalformed
	}
	var all []slowAttr
	for ad.Next() {
		all = append(all, slowAttr{typ: ad.Type(), flags: ad.TypeFlags(), val: ad.Bytes()})
	}
	if ad.Err() != nil {
		return nil, bond.ErrMalformed
	}
	return all, nil
}

// slowNumbers reads numbers and remembers that one was too short.
type slowNumbers struct{ short bool }

func (n *slowNumbers) bytes(val []byte, size int) []byte {
	if len(val) < size {
		n.short = true
		return make([]byte, size)
	}
	return val[:size]
}
func (n *slowNumbers) u8(val []byte) uint8   { return n.bytes(val, 1)[0] }
func (n *slowNumbers) u16(val []byte) uint16 { return binary.NativeEndian.Uint16(n.bytes(val, 2)) }
func (n *slowNumbers) u32(val []byte) uint32 { return binary.NativeEndian.Uint32(n.bytes(val, 4)) }
func (n *slowNumbers) flag(val []byte) bool  { return n.u8(val) != 0 }
func (n *slowNumbers) index(val []byte) int  { return int(int32(n.u32(val))) }
func (n *slowNumbers) ms(val []byte) time.Duration {
	return time.Duration(n.u32(val)) * time.Millisecond
}

func slowString(val []byte) string {
	s, _, _ := strings.Cut(string(val), "\x00")
	return s
}

// slowLink decodes a link, and returns what is in IFLA_LINKINFO.
func slowLink(body []byte) (l bond.LinkInfo, info map[uint16][]byte, err error) {
	var n slowNumbers
	if len(body) < 16 {
		return l, nil, bond.ErrMalformed
	}
	l.Type, l.Index, l.Flags = binary.NativeEndian.Uint16(body[2:4]), int(int32(binary.NativeEndian.Uint32(body[4:]))), binary.NativeEndian.Uint32(body[8:12])
	attrs, err := slowAttrs(body[16:])
	if err != nil {
		return l, nil, err
	}
	for _, a := range attrs {
		switch a.typ {
		case 1:
			l.MAC = a.val
		case 3:
			l.Name = slowString(a.val)
		case 4:
			l.MTU = int(n.u32(a.val))
		case 10:
			l.Master = n.index(a.val)
		case 16:
			l.OperState = bond.OperState(n.u8(a.val))
		case 18:
			info = map[uint16][]byte{}
			parts, err := slowAttrs(a.val)
			if err != nil {
				return l, nil, err
			}
			for _, p := range parts {
				info[p.typ] = p.val
			}
		case 31:
			l.TxQueues = int(n.u32(a.val))
		case 33:
			l.Carrier = n.flag(a.val)
		}
	}
	if n.short {
		return l, nil, bond.ErrMalformed
	}
	l.Carrier = l.Carrier && l.Flags&1 != 0
	l.Kind, l.MasterKind = slowString(info[1]), slowString(info[4])
	return l, info, nil
}

func slowTargets(list []byte, size int) ([]netip.Addr, error) {
	attrs, err := slowAttrs(list)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(attrs, func(a, b slowAttr) int { return cmp.Compare(a.typ, b.typ) })
	var targets []netip.Addr
	for _, a := range attrs {
		addr, ok := netip.AddrFromSlice(a.val)
		if !ok || len(a.val) != size {
			return nil, bond.ErrMalformed
		}
		targets = append(targets, addr)
	}
	return targets, nil
}

// slowBond is a decoder of bonds made of netlink.AttributeDecoder, and knows
// nothing of the table of options. It also returns what was said.
func slowBond(body []byte) (b bond.Bond, has map[bond.Option]bool, err error) {
	l, info, err := slowLink(body)
	if err != nil {
		return bond.Bond{}, nil, err
	}
	if l.Kind != "bond" {
		return bond.Bond{}, nil, bond.ErrNotBond
	}
	b.LinkInfo = l
	has = map[bond.Option]bool{}
	attrs, err := slowAttrs(info[2])
	if err != nil {
		return bond.Bond{}, nil, err
	}
	var n slowNumbers
	for _, a := range attrs {
		var err error
		v, known := a.val, true
		switch a.typ {
		case 1:
			b.Mode = bond.Mode(n.u8(v))
		case 2:
			b.Active = bond.Link{Index: n.index(v)}
		case 3:
			b.MIIMon = n.ms(v)
		case 4:
			b.UpDelay = n.ms(v)
		case 5:
			b.DownDelay = n.ms(v)
		case 6:
			b.UseCarrier = n.flag(v)
		case 7:
			b.ARPInterval = n.ms(v)
		case 8:
			b.ARPTargets, err = slowTargets(v, 4)
		case 9:
			b.ARPValidate = bond.ARPValidate(n.u32(v))
		case 10:
			b.ARPAllTargets = bond.ARPAllTargets(n.u32(v))
		case 11:
			b.Primary = bond.Link{Index: n.index(v)}
		case 12:
			b.PrimaryReselect = bond.PrimaryReselect(n.u8(v))
		case 13:
			b.FailOverMAC = bond.FailOverMAC(n.u8(v))
		case 14:
			b.XmitHashPolicy = bond.XmitHashPolicy(n.u8(v))
		case 15:
			b.ResendIGMP = n.u32(v)
		case 16:
			b.NumPeerNotif = n.u8(v)
		case 17:
			b.AllSlavesActive = n.flag(v)
		case 18:
			b.MinLinks = n.u32(v)
		case 19:
			b.LPInterval = time.Duration(n.u32(v)) * time.Second
		case 20:
			b.PacketsPerSlave = n.u32(v)
		case 21:
			b.LACPRate = bond.LACPRate(n.u8(v))
		case 22:
			b.ADSelect = bond.ADSelect(n.u8(v))
		case 23:
			b.AD, err = slowADInfo(v)
		case 24:
			b.ADActorSysPrio = n.u16(v)
		case 25:
			b.ADUserPortKey = n.u16(v)
		case 26:
			b.ADActorSystem = [6]byte(n.bytes(v, 6))
		case 27:
			b.TLBDynamicLB = n.flag(v)
		case 28:
			b.PeerNotifDelay = n.ms(v)
		case 29:
			b.LACPActive = n.flag(v)
		case 30:
			b.MissedMax = n.u8(v)
		case 31:
			b.NSTargets, err = slowTargets(v, 16)
		case 32:
			b.CoupledControl = n.flag(v)
		case 33:
			b.BroadcastNeighbor = n.flag(v)
		case 34:
			b.LACPStrict = n.flag(v)
		default:
			known = false
			b.Unknown = append(b.Unknown, bond.Attr{Type: a.typ | a.flags, Data: v})
		}
		if err != nil {
			return bond.Bond{}, nil, err
		}
		if known {
			has[bond.Option(a.typ)] = true
		}
	}
	if n.short {
		return bond.Bond{}, nil, bond.ErrMalformed
	}
	return b, has, nil
}

func slowADInfo(data []byte) (ad bond.ADInfo, err error) {
	attrs, err := slowAttrs(data)
	if err != nil {
		return ad, err
	}
	var n slowNumbers
	for _, a := range attrs {
		switch a.typ {
		case 1:
			ad.AggregatorID = n.u16(a.val)
		case 2:
			ad.Ports = n.u16(a.val)
		case 3:
			ad.ActorKey = n.u16(a.val)
		case 4:
			ad.PartnerKey = n.u16(a.val)
		case 5:
			ad.PartnerMAC = [6]byte(n.bytes(a.val, 6))
		}
	}
	if n.short {
		return ad, bond.ErrMalformed
	}
	return ad, nil
}

// slowSlave is slowBond for slaves.
func slowSlave(body []byte) (s bond.Slave, has map[bond.Option]bool, err error) {
	l, info, err := slowLink(body)
	if err != nil {
		return bond.Slave{}, nil, err
	}
	data, ok := info[5]
	if l.MasterKind != "bond" || !ok {
		return bond.Slave{}, nil, bond.ErrNotSlave
	}
	s.LinkInfo = l
	has = map[bond.Option]bool{}
	attrs, err := slowAttrs(data)
	if err != nil {
		return bond.Slave{}, nil, err
	}
	var n slowNumbers
	for _, a := range attrs {
		v, known := a.val, true
		switch a.typ {
		case 1:
			s.State = bond.SlaveState(n.u8(v))
		case 2:
			s.MIIStatus = bond.MIIStatus(n.u8(v))
		case 3:
			s.LinkFailures = n.u32(v)
		case 4:
			s.PermMAC = v
		case 5:
			s.QueueID = n.u16(v)
		case 6:
			s.AggregatorID = n.u16(v)
		case 7:
			s.ActorPortState = bond.PortState(n.u8(v))
		case 8:
			s.PartnerPortState = bond.PortState(n.u16(v))
		case 9:
			s.Prio = int32(n.u32(v))
		case 10:
			s.ActorPortPrio = n.u16(v)
		case 11:
			s.ActorChurn = bond.ChurnState(n.u8(v))
		case 12:
			s.PartnerChurn = bond.ChurnState(n.u8(v))
		default:
			known = false
			s.Unknown = append(s.Unknown, bond.Attr{Type: a.typ | a.flags, Data: v})
		}
		if known {
			has[bond.Option(a.typ)+64] = true
		}
	}
	if n.short {
		return bond.Slave{}, nil, bond.ErrMalformed
	}
	return s, has, nil
}

// slowCheck compares both decoders on a message, into a fresh struct and into
// the ones given.
func slowCheck(tb testing.TB, body []byte, usedBond *bond.Bond, usedSlave *bond.Slave) {
	tb.Helper()
	wantBond, has, wantErr := slowBond(body)
	for _, b := range []*bond.Bond{usedBond, new(bond.Bond)} {
		err := b.Decode(body)
		slowSameErr(tb, err, wantErr)
		if diff := codecDiff(&wantBond, b); diff != "" {
			tb.Fatalf("bond, -slow +fast:\n%s", diff)
		}
		for opt := range bond.AllOptions() {
			if b.Has(opt) != has[opt] {
				tb.Fatalf("bond: Has(%v) is %t", opt, b.Has(opt))
			}
		}
	}
	wantSlave, has, wantErr := slowSlave(body)
	for _, s := range []*bond.Slave{usedSlave, new(bond.Slave)} {
		err := s.Decode(body)
		slowSameErr(tb, err, wantErr)
		if diff := codecDiff(&wantSlave, s); diff != "" {
			tb.Fatalf("slave, -slow +fast:\n%s", diff)
		}
		for opt := range bond.AllOptions() {
			if s.Has(opt) != has[opt] {
				tb.Fatalf("slave: Has(%v) is %t", opt, s.Has(opt))
			}
		}
	}
	wantLink, _, wantErr := slowLink(body)
	var l bond.LinkInfo
	err := l.Decode(body)
	slowSameErr(tb, err, wantErr)
	if wantErr == nil {
		if diff := codecDiff(&wantLink, &l); diff != "" {
			tb.Fatalf("link, -slow +fast:\n%s", diff)
		}
	}
}

func slowSameErr(tb testing.TB, err, want error) {
	tb.Helper()
	if !codecSameErr(err, want) {
		tb.Fatalf("error %v, want %v", err, want)
	}
	if _, ok := errors.AsType[*bond.Error](err); err != nil && !ok {
		tb.Fatalf("error is a %T, want *bond.Error", err)
	}
}

// TestDecodeEqualsSlowDecoder compares every capture, and those of an 802.3ad
// bond of one kernel cut and inverted at many places. The fuzz targets go on
// from there.
func TestDecodeEqualsSlowDecoder(t *testing.T) {
	var b bond.Bond
	var s bond.Slave
	for _, c := range codecCaptures(t, "") {
		t.Run(c.kernel+"/"+c.name, func(t *testing.T) { slowCheck(t, c.body, &b, &s) })
	}
	for _, file := range codecFiles(t) {
		t.Run(file, func(t *testing.T) {
			body := codecFile(t, file)
			slowCheck(t, body, &b, &s)
			if !strings.Contains(filepath.ToSlash(file), codecNewest) || !strings.Contains(file, "lacp") {
				return
			}
			for i := 0; i < len(body); i += codecStep() {
				if i > 300 && body[i] == 0 {
					continue
				}
				if i%4 == 0 {
					slowCheck(t, body[:i], &b, &s)
				}
				body[i] ^= 0xff
				slowCheck(t, body, &b, &s)
				body[i] ^= 0xff
			}
		})
	}
}

func FuzzDecodeBond(f *testing.F)  { slowFuzz(f, "bond") }
func FuzzDecodeSlave(f *testing.F) { slowFuzz(f, "slave") }

// slowFuzz decodes two messages one after the other, so that the second meets
// what the first left.
func slowFuzz(f *testing.F, kind string) {
	wrap := func(data []byte) []byte {
		if kind == "bond" {
			return codecBondBody(data)
		}
		return codecSlaveBody(data)
	}
	rich := codecBondBody(codecNest(8, codecAttr(nil, 0, []byte{192, 0, 2, 1})), codecAttr(nil, 99, []byte("unknown")), codecAttr(nil, 2, codecU32(3)))
	richSlave := codecSlaveBody(codecAttr(nil, 4, make([]byte, 20)), codecAttr(nil, 99, []byte("unknown")))
	for _, file := range codecFiles(f) {
		if strings.Contains(file, kind) {
			f.Add(rich, codecFile(f, file), false)
			f.Add(richSlave, codecFile(f, file), false)
		}
	}
	all, _ := codecEvery().AppendAttrs(nil)
	f.Add(rich, all, true)
	f.Add(rich, codecNest(codecNested|8, codecAttr(nil, 1, []byte{192, 0, 2, 1}), codecAttr(nil, 0, []byte{192, 0, 2, 2})), true)
	f.Fuzz(func(t *testing.T, first, second []byte, inner bool) {
		// Inner is for finding the way to the attributes of the bond.
		if inner && len(second) < 60000 {
			second = wrap(second)
		}
		var b bond.Bond
		var s bond.Slave
		_, _ = b.Decode(first), s.Decode(first)
		before := slices.Clone(second)
		slowCheck(t, second, &b, &s)
		if !slices.Equal(before, second) {
			t.Fatal("the message has changed")
		}
	})
}
