// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"math"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// optionsFields names the field of each option. A field that is not in it fails
// TestOptionsFields.
var optionsFields = map[string]bond.Option{
	"Mode": bond.OptionMode, "Active": bond.OptionActiveSlave, "MIIMon": bond.OptionMIIMon, "UpDelay": bond.OptionUpDelay,
	"DownDelay": bond.OptionDownDelay, "PeerNotifDelay": bond.OptionPeerNotifDelay, "UseCarrier": bond.OptionUseCarrier,
	"ARPInterval": bond.OptionARPInterval, "ARPTargets": bond.OptionARPTargets, "NSTargets": bond.OptionNSTargets,
	"ARPValidate": bond.OptionARPValidate, "ARPAllTargets": bond.OptionARPAllTargets, "Primary": bond.OptionPrimary,
	"PrimaryReselect": bond.OptionPrimaryReselect, "FailOverMAC": bond.OptionFailOverMAC, "XmitHashPolicy": bond.OptionXmitHashPolicy,
	"ResendIGMP": bond.OptionResendIGMP, "NumPeerNotif": bond.OptionNumPeerNotif, "AllSlavesActive": bond.OptionAllSlavesActive,
	"MinLinks": bond.OptionMinLinks, "LPInterval": bond.OptionLPInterval, "PacketsPerSlave": bond.OptionPacketsPerSlave,
	"LACPActive": bond.OptionLACPActive, "LACPRate": bond.OptionLACPRate, "ADSelect": bond.OptionADSelect,
	"ADActorSysPrio": bond.OptionADActorSysPrio, "ADUserPortKey": bond.OptionADUserPortKey, "ADActorSystem": bond.OptionADActorSystem,
	"TLBDynamicLB": bond.OptionTLBDynamicLB, "MissedMax": bond.OptionMissedMax, "CoupledControl": bond.OptionCoupledControl,
	"BroadcastNeighbor": bond.OptionBroadcastNeighbor, "LACPStrict": bond.OptionLACPStrict,
}

var slaveOptionsFields = map[string]bond.Option{
	"QueueID": bond.OptionQueueID, "Prio": bond.OptionPrio, "ActorPortPrio": bond.OptionActorPortPrio,
}

// fullOptions has every option set to something that is not its default.
func fullOptions() bond.Options {
	return bond.Options{
		Mode: new(bond.Mode8023AD), Active: &bond.Link{Index: 3, Name: "eth1"}, MIIMon: new(100 * time.Millisecond),
		UpDelay: new(200 * time.Millisecond), DownDelay: new(300 * time.Millisecond), PeerNotifDelay: new(400 * time.Millisecond),
		UseCarrier: new(false), ARPInterval: new(500 * time.Millisecond),
		ARPTargets:  []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")},
		NSTargets:   []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fe80::2")},
		ARPValidate: new(bond.ARPValidateFilterBackup), ARPAllTargets: new(bond.ARPAllTargetsAll),
		Primary: &bond.Link{Name: "eth0"}, PrimaryReselect: new(bond.PrimaryReselectFailure), FailOverMAC: new(bond.FailOverMACFollow),
		XmitHashPolicy: new(bond.XmitHashVLANSrcMAC), ResendIGMP: new(uint32(7)), NumPeerNotif: new(uint8(8)), AllSlavesActive: new(true),
		MinLinks: new(uint32(2)), LPInterval: new(9 * time.Second), PacketsPerSlave: new(uint32(10)), LACPActive: new(false),
		LACPRate: new(bond.LACPRateFast), ADSelect: new(bond.ADSelectActorPortPrio), ADActorSysPrio: new(uint16(11)),
		ADUserPortKey: new(uint16(12)), ADActorSystem: &[6]byte{2, 0, 0, 0, 0, 13}, TLBDynamicLB: new(false), MissedMax: new(uint8(14)),
		CoupledControl: new(false), BroadcastNeighbor: new(true), LACPStrict: new(true),
	}
}

func fullSlaveOptions() bond.SlaveOptions {
	return bond.SlaveOptions{QueueID: new(uint16(3)), Prio: new(int32(-5)), ActorPortPrio: new(uint16(100))}
}

// emptyOptions sets every option to the zero of its type, and clears the lists.
func emptyOptions() bond.Options {
	var o bond.Options
	for _, f := range reflect.ValueOf(&o).Elem().Fields() {
		if f.Kind() == reflect.Slice {
			f.Set(reflect.MakeSlice(f.Type(), 0, 0))
		} else {
			f.Set(reflect.New(f.Type().Elem()))
		}
	}
	return o
}

// Whoever adds a field without adding it to the functions that know all fields
// finds out here.
func TestOptionsFields(t *testing.T) {
	full := fullOptions()
	typ := reflect.TypeFor[bond.Options]()
	if typ.NumField() != len(optionsFields) {
		t.Errorf("%d fields, %d options", typ.NumField(), len(optionsFields))
	}
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		opt, ok := optionsFields[name]
		if !ok || !reflect.ValueOf(full).Field(i).IsValid() || reflect.ValueOf(full).Field(i).IsNil() {
			t.Errorf("%s is not known here, or not set by fullOptions", name)
			continue
		}
		var o bond.Options
		reflect.ValueOf(&o).Elem().Field(i).Set(reflect.ValueOf(full).Field(i))
		if !o.Has(opt) || o.IsZero() || !slices.Equal(slices.Collect(o.All()), []bond.Option{opt}) {
			t.Errorf("%s: Has %v, IsZero %v, All %v", name, o.Has(opt), o.IsZero(), slices.Collect(o.All()))
		}
		for other := range bond.AllOptions() {
			if other != opt && o.Has(other) {
				t.Errorf("%s: has %v", name, other)
			}
		}
		c := o.Clone()
		if diff := cmp.Diff(o, c, valuesCompare); diff != "" {
			t.Errorf("%s: clone differs:\n%s", name, diff)
		}
		if o.Text(opt) == "" {
			t.Errorf("%s has no text", name)
		}
		o.Clear(opt)
		if o.Has(opt) || !o.IsZero() {
			t.Errorf("%s is still there after Clear", name)
		}
		if !c.Has(opt) {
			t.Errorf("%s: Clear changed a clone", name)
		}
	}
	var all []bond.Option
	for opt := range full.All() {
		all = append(all, opt)
	}
	var want []bond.Option
	for opt := range bond.AllOptions() {
		if i := opt.Info(); !i.Slave && !i.ReadOnly {
			want = append(want, opt)
		}
	}
	if !slices.Equal(all, want) {
		t.Errorf("All yields %v, want %v", all, want)
	}
	for range full.All() {
		break
	}
}

func TestSlaveOptionsFields(t *testing.T) {
	full := fullSlaveOptions()
	typ := reflect.TypeFor[bond.SlaveOptions]()
	if typ.NumField() != len(slaveOptionsFields) {
		t.Errorf("%d fields, %d options", typ.NumField(), len(slaveOptionsFields))
	}
	for i := range typ.NumField() {
		opt := slaveOptionsFields[typ.Field(i).Name]
		var o bond.SlaveOptions
		if !o.IsZero() || o.Has(opt) {
			t.Error("zero SlaveOptions are not zero")
		}
		reflect.ValueOf(&o).Elem().Field(i).Set(reflect.ValueOf(full).Field(i))
		n := 0
		for other := range bond.AllOptions() {
			if o.Has(other) {
				n++
			}
		}
		if !o.Has(opt) || o.IsZero() || n != 1 || o.Text(opt) == "" {
			t.Errorf("%v: Has %v, IsZero %v, %d options, text %q", opt, o.Has(opt), o.IsZero(), n, o.Text(opt))
		}
		if c := o.Clone(); !reflect.DeepEqual(o, c) {
			t.Errorf("%v: clone differs", opt)
		}
	}
}

// Raw and setRaw are the two directions of one thing, for all four types.
func TestOptionsNumbers(t *testing.T) {
	for opt := range bond.AllOptions() {
		i := opt.Info()
		switch i.Kind {
		case bond.KindLink, bond.KindIPv4List, bond.KindIPv6List, bond.KindMAC, bond.KindNested:
			var o bond.Options
			bond.ValuesSetRaw(&o, opt, 1)
			if !o.IsZero() {
				t.Errorf("setRaw set %v, which is no number", opt)
			}
			full := fullOptions()
			if n, ok := bond.ValuesRaw(&full, opt); ok {
				t.Errorf("%v, which is no number, is %d", opt, n)
			}
			continue
		}
		for _, n := range []int64{i.Min, i.Max, i.Default, 1} {
			switch {
			case i.Slave && i.ReadOnly:
			case i.Slave:
				var o bond.SlaveOptions
				if _, ok := bond.ValuesSlaveRaw(&o, opt); ok {
					t.Errorf("%v is set in the zero SlaveOptions", opt)
				}
				bond.ValuesSetSlaveRaw(&o, opt, n)
				if got, ok := bond.ValuesSlaveRaw(&o, opt); !ok || got != n || !o.Has(opt) {
					t.Errorf("%v: set %d, is %d, %v", opt, n, got, ok)
				}
			default:
				var o bond.Options
				if _, ok := bond.ValuesRaw(&o, opt); ok {
					t.Errorf("%v is set in the zero Options", opt)
				}
				bond.ValuesSetRaw(&o, opt, n)
				if got, ok := bond.ValuesRaw(&o, opt); !ok || got != n || !o.Has(opt) {
					t.Errorf("%v: set %d, is %d, %v", opt, n, got, ok)
				}
				c := o.Clone()
				bond.ValuesSetRaw(&o, opt, i.Min)
				if got, _ := bond.ValuesRaw(&c, opt); got != n {
					t.Errorf("%v: the clone became %d", opt, got)
				}
			}
			if i.Slave {
				var s bond.Slave
				bond.ValuesSetReadSlaveRaw(&s, opt, n)
				if got := bond.ValuesReadSlaveRaw(&s, opt); got != n {
					t.Errorf("slave %v: set %d, is %d", opt, n, got)
				}
			} else {
				var b bond.Bond
				bond.ValuesSetBondRaw(&b, opt, n)
				if got := bond.ValuesBondRaw(&b, opt); got != n {
					t.Errorf("bond %v: set %d, is %d", opt, n, got)
				}
			}
		}
	}
}

// A Bond says what Options set, field by field.
func TestOptionsToBondAndBack(t *testing.T) {
	full := fullOptions()
	b := valuesBond(full)
	got := b.Options()
	if diff := cmp.Diff(full, got, valuesCompare); diff != "" {
		t.Errorf("options of a bond (-set +said):\n%s", diff)
	}
	for opt := range bond.AllOptions() {
		if opt.Info().Slave || opt.Info().ReadOnly {
			continue
		}
		if b.Text(opt) != full.Text(opt) {
			t.Errorf("%v: %q and %q", opt, b.Text(opt), full.Text(opt))
		}
		bond.ValuesSetHas(b, false, opt)
		if o := b.Options(); b.Has(opt) || o.Has(opt) || b.Text(opt) != "" {
			t.Errorf("%v is there, and the kernel did not say it", opt)
		}
	}
	if o := b.Options(); !o.IsZero() {
		t.Errorf("options %v", slices.Collect(o.All()))
	}
}

// valuesBond returns a bond that reads as the options say.
func valuesBond(o bond.Options) *bond.Bond {
	b := &bond.Bond{}
	b.Link = bond.Link{Index: 2, Name: "bond0"}
	for opt := range o.All() {
		if n, ok := bond.ValuesRaw(&o, opt); ok {
			bond.ValuesSetBondRaw(b, opt, n)
		}
		bond.ValuesSetHas(b, true, opt)
	}
	if o.Active != nil {
		b.Active = *o.Active
	}
	if o.Primary != nil {
		b.Primary = *o.Primary
	}
	b.ARPTargets, b.NSTargets = slices.Clone(o.ARPTargets), slices.Clone(o.NSTargets)
	if o.ADActorSystem != nil {
		b.ADActorSystem = *o.ADActorSystem
	}
	return b
}

func TestCloneSharesNoMemory(t *testing.T) {
	full, empty, slave := fullOptions(), emptyOptions(), fullSlaveOptions()
	for _, o := range []bond.Options{full, empty, {}} {
		c := o.Clone()
		if diff := cmp.Diff(o, c, valuesCompare); diff != "" {
			t.Errorf("clone differs:\n%s", diff)
		}
		valuesShared(t, "Options", reflect.ValueOf(o), reflect.ValueOf(c))
	}
	valuesShared(t, "SlaveOptions", reflect.ValueOf(slave), reflect.ValueOf(slave.Clone()))

	b := valuesBond(full)
	b.MAC = []byte{2, 0, 0, 0, 0, 1}
	b.Unknown = []bond.Attr{{Type: 99, Data: []byte{1, 2}}}
	c := b.Clone()
	valuesShared(t, "Bond", reflect.ValueOf(*b), reflect.ValueOf(*c))
	b.Unknown[0].Data[0] = 77
	if c.Unknown[0].Data[0] != 1 || !c.Has(bond.OptionMode) || c.Text(bond.OptionARPTargets) != b.Text(bond.OptionARPTargets) {
		t.Error("the clone of a bond is not what the bond was")
	}
	s := &bond.Slave{PermMAC: []byte{2, 0, 0, 0, 0, 2}, Unknown: []bond.Attr{{Type: 98, Data: []byte{3}}}}
	s.MAC = []byte{2, 0, 0, 0, 0, 1}
	valuesShared(t, "Slave", reflect.ValueOf(*s), reflect.ValueOf(*s.Clone()))
}

// valuesShared walks two values and reports pointers and slices that are the same.
func valuesShared(t *testing.T, path string, a, b reflect.Value) {
	t.Helper()
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.Type == reflect.TypeFor[netip.Addr]() || f.Name == "arena" {
				continue
			}
			valuesShared(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Pointer:
		if !a.IsNil() && a.Pointer() == b.Pointer() {
			t.Errorf("%s is shared", path)
		}
	case reflect.Slice:
		if a.Len() > 0 && b.Len() > 0 && a.Pointer() == b.Pointer() {
			t.Errorf("%s is shared", path)
		}
		if a.Type().Elem().Kind() == reflect.Struct && a.Type().Elem() != reflect.TypeFor[netip.Addr]() {
			for i := range min(a.Len(), b.Len()) {
				valuesShared(t, path+"[]", a.Index(i), b.Index(i))
			}
		}
	default:
		// Numbers and strings are copies.
	}
}

// valuesCompare tells nil from empty, and compares addresses.
var valuesCompare = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestOptionsNilAndEmpty(t *testing.T) {
	var zero bond.Options
	empty := emptyOptions()
	if !zero.IsZero() || empty.IsZero() {
		t.Errorf("zero %v, empty %v", zero.IsZero(), empty.IsZero())
	}
	c := empty.Clone()
	if c.ARPTargets == nil || c.NSTargets == nil || !c.Has(bond.OptionARPTargets) || !c.Has(bond.OptionNSTargets) {
		t.Error("an empty list became nil in a clone")
	}
	if c := zero.Clone(); c.ARPTargets != nil || c.NSTargets != nil {
		t.Error("a nil list became empty in a clone")
	}
	if n := len(slices.Collect(empty.All())); n != len(optionsFields) {
		t.Errorf("%d options are set", n)
	}
	if zero.Has(0) || empty.Has(0) || empty.Has(35) || empty.Has(math.MaxUint8) || empty.Has(bond.OptionADInfo) || empty.Has(bond.OptionPrio) {
		t.Error("has an option that it does not have")
	}
	empty.Clear(0)
	empty.Clear(bond.OptionADInfo)
	empty.Clear(200)
	if n := len(slices.Collect(empty.All())); n != len(optionsFields) {
		t.Errorf("%d options are set after Clear of what is none", n)
	}
}
