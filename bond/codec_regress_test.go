// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// The tests in this file are named after what other libraries got wrong.

func TestARPValidateAllIsNotPrintedAsNone(t *testing.T) {
	var b bond.Bond
	if err := b.Decode(codecBondBody(codecAttr(nil, 9, codecU32(3)))); err != nil || b.ARPValidate.String() != "all" {
		t.Errorf("arp_validate 3 is %v, %v", b.ARPValidate, err)
	}
}

// A zero struct sent ACTIVE_SLAVE and ARP_INTERVAL as zeros, which the kernel
// refuses in most modes.
func TestZeroOptionsSendNothing(t *testing.T) {
	for name, o := range map[string]*bond.Options{"zero": {}, "of no bond": new(new(bond.Bond).Options())} {
		if got, err := o.AppendAttrs(nil); err != nil || len(got) != 0 {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	var b bond.Bond
	if err := b.Decode(codecFile(t, codecNewest+"lacp-bond.hex")); err != nil {
		t.Fatal(err)
	}
	o := b.Options()
	if o.Active != nil || o.Primary != nil || o.ARPTargets != nil || o.NSTargets != nil || o.LACPStrict != nil {
		t.Errorf("what the kernel did not say is in the options: %+v", o)
	}
}

func TestIPv6AddressIsNotSentAsIPv4Target(t *testing.T) {
	for _, s := range []string{"2001:db8::1", "::ffff:192.0.2.1"} {
		o := bond.Options{ARPTargets: []netip.Addr{netip.MustParseAddr(s)}}
		if got, err := o.AppendAttrs(nil); !errors.Is(err, bond.ErrBadValue) || len(got) != 0 {
			t.Errorf("%s: %x, %v, want ErrBadValue", s, got, err)
		}
	}
	// Sixteen bytes of which the kernel takes four are no IPv4 target either.
	var o bond.Options
	if _, err := o.DecodeAttrs(codecNest(8, codecAttr(nil, 0, make([]byte, 16)))); !errors.Is(err, bond.ErrMalformed) {
		t.Errorf("16 bytes as IPv4 target: %v, want ErrMalformed", err)
	}
}

func TestEmptyAttributesDoNotPanic(t *testing.T) {
	for typ := range uint16(70) {
		attr := codecAttr(nil, typ, nil)
		var b bond.Bond
		var s bond.Slave
		var l bond.LinkInfo
		for _, err := range []error{b.Decode(codecBondBody(attr)), s.Decode(codecSlaveBody(attr)), l.Decode(codecBody(attr))} {
			if err != nil && !errors.Is(err, bond.ErrMalformed) {
				t.Errorf("type %d: %v", typ, err)
			}
		}
	}
}

func TestPermanentAddressOfInfiniBandIsNotCutToSixBytes(t *testing.T) {
	want := []byte("12345678901234567890")
	var s bond.Slave
	for n := range len(want) + 1 {
		if err := s.Decode(codecSlaveBody(codecAttr(nil, 4, want[:n]))); err != nil || !bytes.Equal(s.PermMAC, want[:n]) {
			t.Errorf("%d bytes: %x, %v", n, []byte(s.PermMAC), err)
		}
	}
}

func TestNestedFlagDoesNotHideAttributes(t *testing.T) {
	a := netip.MustParseAddr("fe80::1").As16()
	body := codecBody(codecNest(codecNested|18, codecAttr(nil, 1, []byte("bond\x00")), codecNest(codecNested|2,
		codecNest(codecNested|31, codecAttr(nil, 0, a[:])), codecNest(codecNested|8, codecAttr(nil, 0, []byte{192, 0, 2, 1})),
		codecNest(codecNested|23, codecAttr(nil, 1, []byte{5, 0}), codecAttr(nil, 1|1<<14, []byte{5, 0})))))
	var b bond.Bond
	if err := b.Decode(body); err != nil {
		t.Fatal(err)
	}
	if len(b.NSTargets) != 1 || len(b.ARPTargets) != 1 || !b.Has(bond.OptionADInfo) || len(b.Unknown) != 0 {
		t.Errorf("%+v", b)
	}
}

// The mode was sent with every change, as balance-rr where it was not set, and
// the kernel refuses a mode while there are slaves.
func TestModeIsNotSentUnlessSet(t *testing.T) {
	o := bond.Options{MIIMon: new(50 * time.Millisecond)}
	if got, err := o.AppendAttrs(nil); err != nil || !bytes.Equal(got, codecAttr(nil, 3, codecU32(50))) {
		t.Errorf("%x, %v", got, err)
	}
	o = bond.Options{Mode: new(bond.ModeBalanceRR)}
	if got, err := o.AppendAttrs(nil); err != nil || !bytes.Equal(got, codecAttr(nil, 1, []byte{0})) {
		t.Errorf("balance-rr that is set: %x, %v", got, err)
	}
}

// The number of NS targets was checked by looking at that of the ARP targets.
func TestEachListOfTargetsIsCountedForItself(t *testing.T) {
	var v4, v6 []netip.Addr
	for i := range byte(16) {
		v4 = append(v4, netip.AddrFrom4([4]byte{192, 0, 2, i}))
		v6 = append(v6, netip.AddrFrom16([16]byte{0x20, 1, 15: i}))
	}
	o := bond.Options{ARPTargets: v4, NSTargets: v6}
	if _, err := o.AppendAttrs(nil); err != nil {
		t.Errorf("16 and 16: %v", err)
	}
	o.NSTargets = append(slices.Clone(v6), netip.MustParseAddr("2001::ff"))
	o.ARPTargets = v4[:1]
	_, err := o.AppendAttrs(nil)
	if e, ok := errors.AsType[*bond.Error](err); !ok || e.Option != bond.OptionNSTargets {
		t.Errorf("1 and 17: %v, want an error about ns_ip6_target", err)
	}
	o.NSTargets, o.ARPTargets = v6, append(slices.Clone(v4), netip.MustParseAddr("10.0.0.1"))
	_, err = o.AppendAttrs(nil)
	if e, ok := errors.AsType[*bond.Error](err); !ok || e.Option != bond.OptionARPTargets {
		t.Errorf("17 and 16: %v, want an error about arp_ip_target", err)
	}
}

// The error about a bad target had a nil address in it, and balance-tlb was spelled
// balance-tld.
func TestErrorsNameTheValue(t *testing.T) {
	o := bond.Options{ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::7")}}
	if _, err := o.AppendAttrs(nil); err == nil || !strings.Contains(err.Error(), "2001:db8::7") || !strings.Contains(err.Error(), "arp_ip_target") {
		t.Errorf("error is %v, want one that names the option and the address", err)
	}
	var b bond.Bond
	if err := b.Decode(codecBondBody(codecAttr(nil, 1, []byte{5}))); err != nil || b.Mode.String() != "balance-tlb" {
		t.Errorf("mode 5 is %v, %v", b.Mode, err)
	}
}

// Targets of the bond decoded before were left in the struct.
func TestTargetsOfAnotherBondDoNotStay(t *testing.T) {
	var b bond.Bond
	with := codecBondBody(codecNest(8, codecAttr(nil, 0, []byte{192, 0, 2, 1}), codecAttr(nil, 1, []byte{192, 0, 2, 2})),
		codecNest(31, codecAttr(nil, 0, make([]byte, 16))), codecAttr(nil, 99, []byte("unknown")))
	for _, next := range [][]byte{codecBondBody(codecAttr(nil, 1, []byte{1})), codecBondBody(codecNest(8), codecNest(31))} {
		if err := b.Decode(with); err != nil || len(b.ARPTargets) != 2 || len(b.NSTargets) != 1 || len(b.Unknown) != 1 {
			t.Fatalf("%+v, %v", b, err)
		}
		if err := b.Decode(next); err != nil || len(b.ARPTargets) != 0 || len(b.NSTargets) != 0 || len(b.Unknown) != 0 {
			t.Errorf("%+v, %v", b, err)
		}
	}
	if err := b.Decode(with); err != nil {
		t.Fatal(err)
	}
	if err := b.Decode(with[:20]); !errors.Is(err, bond.ErrMalformed) || len(b.ARPTargets) != 0 || b.Has(bond.OptionARPTargets) {
		t.Errorf("after an error: %+v, %v", b, err)
	}
}

// lacp_active has the default on, so a zero that nobody asked for switched LACP
// off.
func TestLACPActiveIsNotSentUnlessSet(t *testing.T) {
	o := bond.Options{Mode: new(bond.Mode8023AD)}
	var back bond.Options
	got, err := o.AppendAttrs(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := back.DecodeAttrs(got); err != nil || back.LACPActive != nil {
		t.Errorf("%+v, %v", back, err)
	}
}
