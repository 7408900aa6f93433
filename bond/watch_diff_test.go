// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// watchMAC returns an address that ends in n.
func watchMAC(n byte) net.HardwareAddr { return net.HardwareAddr{2, 0xbd, 0, 0, 0, n} }

// watchTestBond returns a bond with everything said.
func watchTestBond(index int) bond.Bond {
	b := bond.Bond{
		LinkInfo: bond.LinkInfo{
			Link: bond.Link{Index: index, Name: fmt.Sprintf("bond%d", index)}, Type: 1, Kind: "bond",
			Flags: bond.FlagUp | bond.FlagRunning | bond.FlagLowerUp, MTU: 1500, MAC: watchMAC(byte(index)),
			OperState: bond.OperUp, Carrier: true, TxQueues: 16,
		},
		ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
		NSTargets:  []netip.Addr{netip.MustParseAddr("2001:db8::1")},
		AD:         bond.ADInfo{AggregatorID: 1, Ports: 2},
		Unknown:    []bond.Attr{{Type: 40, Data: []byte{1}}},
	}
	for opt := range bond.AllOptions() {
		if !opt.Info().Slave {
			b.WatchHas(opt, true)
		}
	}
	return b
}

// watchTestSlave returns a slave with everything said.
func watchTestSlave(index, master int) bond.Slave {
	s := bond.Slave{
		LinkInfo: bond.LinkInfo{
			Link: bond.Link{Index: index, Name: fmt.Sprintf("eth%d", index)}, Type: 1, Master: master, MasterKind: "bond",
			Flags: bond.FlagUp | bond.FlagRunning | bond.FlagLowerUp, MTU: 1500, MAC: watchMAC(byte(master)),
			OperState: bond.OperUp, Carrier: true, TxQueues: 1,
		},
		PermMAC: watchMAC(byte(index)),
		Unknown: []bond.Attr{{Type: 40, Data: []byte{1}}},
	}
	for opt := range bond.AllOptions() {
		if opt.Info().Slave {
			s.WatchHas(opt, true)
		}
	}
	return s
}

// watchLines returns events as text, one a line.
func watchLines(events []bond.Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(watchLine(e) + "\n")
	}
	return b.String()
}

// watchLine returns one event as text: its kind, bond, slave and what it says of
// the change.
func watchLine(e bond.Event) string {
	words := []string{e.Kind.String()}
	if !e.Bond.IsZero() {
		words = append(words, e.Bond.String())
	}
	if !e.Slave.IsZero() {
		words = append(words, e.Slave.String())
	}
	if e.OldName != "" {
		words = append(words, "was "+e.OldName)
	}
	if e.Kind == bond.EventActiveChanged {
		words = append(words, e.Old.String()+" > "+e.New.String())
	}
	for _, opt := range e.Changed {
		words = append(words, opt.String())
	}
	return strings.Join(words, " ")
}

// TestWatchDiffOptions changes every option, and takes every option away: each
// is told once, and under its name.
func TestWatchDiffOptions(t *testing.T) {
	for opt := range bond.AllOptions() {
		info := opt.Info()
		t.Run(opt.String(), func(t *testing.T) {
			for _, presence := range []bool{false, true} {
				oldBond, oldSlave := watchTestBond(1), watchTestSlave(2, 1)
				b, s := watchTestBond(1), watchTestSlave(2, 1)
				switch {
				case presence && info.Slave:
					s.WatchHas(opt, false)
				case presence:
					b.WatchHas(opt, false)
				case opt == bond.OptionActiveSlave:
					b.Active = bond.Link{Index: 2}
				case opt == bond.OptionPrimary:
					b.Primary = bond.Link{Index: 2}
				case opt == bond.OptionARPTargets:
					b.ARPTargets = nil
				case opt == bond.OptionNSTargets:
					b.NSTargets[0] = netip.MustParseAddr("fe80::1")
				case opt == bond.OptionADActorSystem:
					b.ADActorSystem[5]++
				case opt == bond.OptionADInfo:
					b.AD.PartnerKey++
				case opt == bond.OptionPermMAC:
					s.PermMAC[5]++
				case info.Slave:
					s.WatchSetRaw(opt, 1)
				default:
					b.WatchSetRaw(opt, 1)
				}
				want := "options-changed bond1 " + opt.String()
				switch opt {
				case bond.OptionActiveSlave:
					want = "active-changed bond1 none > eth2"
					if presence {
						want = "active-changed bond1 none > none"
					}
				case bond.OptionADInfo:
					want = "aggregator-changed bond1"
				case bond.OptionQueueID, bond.OptionPrio, bond.OptionActorPortPrio:
					want = "options-changed bond1 eth2 " + opt.String()
				case bond.OptionSlaveState, bond.OptionMIIStatus, bond.OptionLinkFailures, bond.OptionPermMAC:
					want = "slave-changed bond1 eth2 " + opt.String()
				default:
					if info.Slave {
						want = "aggregator-changed bond1 eth2 " + opt.String()
					}
				}
				events := bond.WatchDiff([]bond.Bond{oldBond}, []bond.Slave{oldSlave}, []bond.Bond{b}, []bond.Slave{s})
				if diff := cmp.Diff(want+"\n", watchLines(events)); diff != "" {
					t.Errorf("presence %v (-want +got):\n%s", presence, diff)
				}
			}
		})
	}
}

// TestWatchDiffComplete changes every field of a bond and of a slave: none can change
// unseen.
func TestWatchDiffComplete(t *testing.T) {
	var leaves func(v reflect.Value, path string, visit func(reflect.Value, string))
	leaves = func(v reflect.Value, path string, visit func(reflect.Value, string)) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch p := path + "." + f.Name; {
			case !f.IsExported():
			case f.Name == "Index", p == ".Active.Name", p == ".Primary.Name":
				// The index is the identity, and the names of others are not the
				// kernel's.
			case f.Type.Kind() == reflect.Struct:
				leaves(v.Field(i), p, visit)
			default:
				visit(v.Field(i), p)
			}
		}
	}
	mutate := func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Slice:
			v.Set(v.Slice(0, v.Len()-1))
		case reflect.Array:
			v.Index(0).SetUint(1)
		default:
			if v.CanInt() {
				v.SetInt(v.Int() + int64(time.Second))
			} else {
				v.SetUint(v.Uint() ^ 1<<7)
			}
		}
	}
	count := 0
	var zero bond.Bond
	leaves(reflect.ValueOf(&zero).Elem(), "", func(_ reflect.Value, path string) {
		count++
		old, b := watchTestBond(1), watchTestBond(1)
		leaves(reflect.ValueOf(&b).Elem(), "", func(v reflect.Value, p string) {
			if p == path {
				mutate(v)
			}
		})
		if events := bond.WatchDiff([]bond.Bond{old}, nil, []bond.Bond{b}, nil); len(events) == 0 {
			t.Errorf("Bond%s changes unseen", path)
		}
	})
	var zeroSlave bond.Slave
	bonds := []bond.Bond{watchTestBond(1), watchTestBond(129)}
	leaves(reflect.ValueOf(&zeroSlave).Elem(), "", func(_ reflect.Value, path string) {
		count++
		old, s := watchTestSlave(2, 1), watchTestSlave(2, 1)
		leaves(reflect.ValueOf(&s).Elem(), "", func(v reflect.Value, p string) {
			if p == path {
				mutate(v)
			}
		})
		if events := bond.WatchDiff(bonds, []bond.Slave{old}, bonds, []bond.Slave{s}); len(events) == 0 {
			t.Errorf("Slave%s changes unseen", path)
		}
	})
	if count < 60 {
		t.Errorf("only %d fields were tried", count)
	}
}

// TestWatchDiffScenarios has what happens to whole sets of bonds and slaves, and the order in
// which it is told.
func TestWatchDiffScenarios(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(bonds []bond.Bond, slaves []bond.Slave) ([]bond.Bond, []bond.Slave)
		want   string
	}{
		{
			name:   "nothing",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) { return b, s },
		},
		{
			name: "all gone",
			change: func([]bond.Bond, []bond.Slave) ([]bond.Bond, []bond.Slave) {
				return nil, nil
			},
			want: "slave-removed bond1 eth11\nslave-removed bond1 eth12\nbond-removed bond1\n" +
				"slave-removed bond2 eth21\nbond-removed bond2\n",
		},
		{
			name: "bond gone, its slaves are free",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				return b[1:], s[2:]
			},
			want: "slave-removed bond1 eth11\nslave-removed bond1 eth12\nbond-removed bond1\n",
		},
		{
			name: "slave moves",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				s[1].Master = 2
				return b, s
			},
			want: "slave-removed bond1 eth12\nslave-added bond2 eth12\n",
		},
		{
			name: "slave of a bond that is not known",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				s[1].Master = 3
				return b, append(s, watchTestSlave(31, 3))
			},
			want: "slave-removed bond1 eth12\n",
		},
		{
			name: "bond comes with slaves, another one renamed, a third changed",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				b[0].Name = "uplink"
				b[0].MIIMon = 100 * time.Millisecond
				s[0].Name = "port"
				s[2].MIIStatus = bond.MIIDown
				s[2].LinkFailures = 1
				b[1].Carrier = false
				b[1].OperState = bond.OperDown
				b[1].Flags &^= bond.FlagRunning
				return append(b, watchTestBond(3)), append(s, watchTestSlave(31, 3), watchTestSlave(13, 1))
			},
			want: "slave-added uplink eth13\nbond-added bond3\nslave-added bond3 eth31\n" +
				"bond-renamed uplink was bond1\nslave-renamed uplink port was eth11\n" +
				"options-changed uplink miimon\n" +
				"slave-changed bond2 eth21 mii_status link_failure_count\ncarrier-changed bond2\n",
		},
		{
			name: "active slave removed",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				b[0].Active = bond.Link{Index: 12}
				return b, s[1:]
			},
			want: "slave-removed bond1 eth11\nactive-changed bond1 eth11 > eth12\n",
		},
		{
			name: "active slave renamed",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				s[0].Name = "port"
				b[0].Active = bond.Link{}
				b[0].WatchHas(bond.OptionActiveSlave, false)
				return b, s
			},
			want: "slave-renamed bond1 port was eth11\nactive-changed bond1 port > none\n",
		},
		{
			name: "index given to another bond",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				b[0].Name, b[0].MAC = "other", watchMAC(99)
				return b, s
			},
			want: "slave-removed bond1 eth11\nslave-removed bond1 eth12\nbond-removed bond1\n" +
				"bond-added other\nslave-added other eth11\nslave-added other eth12\n",
		},
		{
			name: "index given to another slave",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				s[0].Name, s[0].PermMAC = "other", watchMAC(99)
				return b, s
			},
			want: "slave-removed bond1 eth11\nslave-added bond1 other\n",
		},
		{
			name: "index of a bond given to a slave",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				return b[1:], append(s[2:], watchTestSlave(1, 2))
			},
			want: "slave-removed bond1 eth11\nslave-removed bond1 eth12\nbond-removed bond1\nslave-added bond2 eth1\n",
		},
		{
			name: "address and flags of a bond",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				b[0].MAC = watchMAC(99)
				b[1].Flags |= 1 << 8 // IFF_PROMISC
				return b, s
			},
			want: "link-changed bond1\nlink-changed bond2\n",
		},
		{
			name: "attributes of a newer kernel",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				b[0].Unknown = []bond.Attr{{Type: 40, Data: []byte{2}}, {Type: 41}, {Type: 1<<15 | 900}}
				s[0].Unknown = nil
				return b, s
			},
			want: "options-changed bond1 eth11 option(104)\noptions-changed bond1 option(40) option(41) option(63)\n",
		},
		{
			name: "another order of unknown attributes",
			change: func(b []bond.Bond, s []bond.Slave) ([]bond.Bond, []bond.Slave) {
				b[0].Unknown = []bond.Attr{{Type: 40, Data: []byte{1}}, {Type: 40, Data: []byte{1}}}
				return b, s
			},
			want: "options-changed bond1 option(40)\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			make2 := func() ([]bond.Bond, []bond.Slave) {
				bonds := []bond.Bond{watchTestBond(1), watchTestBond(2)}
				bonds[0].Active = bond.Link{Index: 11}
				return bonds, []bond.Slave{watchTestSlave(11, 1), watchTestSlave(12, 1), watchTestSlave(21, 2)}
			}
			oldBonds, oldSlaves := make2()
			bonds, slaves := tt.change(make2())
			events := bond.WatchDiff(oldBonds, oldSlaves, bonds, slaves)
			if diff := cmp.Diff(tt.want, watchLines(events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			for _, e := range events {
				if e.BondState == nil || e.BondState.Link != e.Bond {
					t.Errorf("%s: bond state is of %v", watchLine(e), e.BondState)
				}
				if e.Slave.IsZero() != (e.SlaveState == nil) || e.SlaveState != nil && e.SlaveState.Link != e.Slave {
					t.Errorf("%s: slave state is of %v", watchLine(e), e.SlaveState)
				}
			}
		})
	}
}

// TestWatchDiffNames looks for the names of the active and primary slave in what is
// told.
func TestWatchDiffNames(t *testing.T) {
	b := watchTestBond(1)
	b.Active, b.Primary = bond.Link{Index: 11}, bond.Link{Index: 12, Name: "stale"}
	events := bond.WatchDiff(nil, nil, []bond.Bond{b}, []bond.Slave{watchTestSlave(11, 1), watchTestSlave(12, 1)})
	if len(events) != 3 {
		t.Fatalf("%d events:\n%s", len(events), watchLines(events))
	}
	for _, e := range events {
		if e.BondState.Active.Name != "eth11" || e.BondState.Primary.Name != "eth12" {
			t.Errorf("%s: active %v, primary %v", watchLine(e), e.BondState.Active, e.BondState.Primary)
		}
	}
}

// TestWatchDiffOwnership writes to all the memory of events, which changes neither
// other events nor what they were made of.
func TestWatchDiffOwnership(t *testing.T) {
	b, s := watchTestBond(1), watchTestSlave(11, 1)
	same, sameSlave := watchTestBond(1), watchTestSlave(11, 1)
	events := bond.WatchDiff(nil, nil, []bond.Bond{b}, []bond.Slave{s})
	for _, e := range events {
		if e.BondState.MAC[0] != 2 || e.BondState.Unknown[0].Data[0] != 1 || !e.BondState.ARPTargets[0].Is4() {
			t.Errorf("%s: memory is shared with another event", watchLine(e))
		}
		e.BondState.MAC[0], e.BondState.Unknown[0].Data[0] = 0, 9
		e.BondState.ARPTargets[0], e.BondState.NSTargets[0] = netip.Addr{}, netip.Addr{}
		if e.SlaveState != nil {
			e.SlaveState.MAC[0], e.SlaveState.PermMAC[0], e.SlaveState.Unknown[0].Data[0] = 0, 0, 9
		}
	}
	if events := bond.WatchDiff([]bond.Bond{b}, []bond.Slave{s}, []bond.Bond{same}, []bond.Slave{sameSlave}); len(events) > 0 {
		t.Errorf("memory is shared with the state:\n%s", watchLines(events))
	}
}

// TestWatchConflict has changes that may be told as one, and those that would
// hide each other.
func TestWatchConflict(t *testing.T) {
	base := watchTestBond(1)
	with := func(change func(b *bond.Bond)) *bond.Bond {
		b := base.Clone()
		change(b)
		return b
	}
	ms := time.Millisecond
	miimon := with(func(b *bond.Bond) { b.MIIMon = 100 * ms })
	for _, tt := range []struct {
		name string
		a, b *bond.Bond
		c    *bond.Bond
		want bool
	}{
		{"there and back", &base, miimon, &base, true},
		{"two values", &base, miimon, with(func(b *bond.Bond) { b.MIIMon = 50 * ms }), true},
		{"two options", &base, miimon, with(func(b *bond.Bond) { b.MIIMon, b.UpDelay = 100*ms, 200*ms }), false},
		{"added, then changed", nil, &base, miimon, false},
		{"added and removed", nil, &base, nil, true},
		{"removed and added", &base, nil, &base, true},
		{"changed, then removed", &base, miimon, nil, false},
		{"two names", &base, with(func(b *bond.Bond) { b.Name = "x" }), with(func(b *bond.Bond) { b.Name = "y" }), true},
		{"two active", &base, with(func(b *bond.Bond) { b.Active.Index = 7 }), with(func(b *bond.Bond) { b.Active.Index = 8 }), true},
		{"carrier flap", &base, with(func(b *bond.Bond) { b.Carrier = false }), &base, true},
		{"address, then MTU", &base, with(func(b *bond.Bond) { b.MAC[5]++ }), with(func(b *bond.Bond) { b.MAC[5]++; b.MTU = 9000 }), false},
	} {
		if got := bond.WatchBondConflict(tt.a, tt.b, tt.c); got != tt.want {
			t.Errorf("%s: conflict is %v", tt.name, got)
		}
	}

	slave := watchTestSlave(11, 1)
	down, failed := slave.Clone(), slave.Clone()
	down.Carrier = false
	failed.Carrier, failed.MIIStatus, failed.LinkFailures = false, bond.MIIDown, 1
	other := slave.Clone()
	other.Master = 2
	if bond.WatchSlaveConflict(&slave, down, failed) {
		t.Error("carrier and then MII status cannot be told as one")
	}
	if !bond.WatchSlaveConflict(&slave, other, &slave) {
		t.Error("to another bond and back is told as nothing")
	}
}

// TestWatchMend has messages in which the kernel shows more or less than in an
// answer.
func TestWatchMend(t *testing.T) {
	hidden := []bond.Option{bond.OptionADActorSysPrio, bond.OptionADUserPortKey, bond.OptionADActorSystem}
	lacp := func(shown bool, prio uint16) *bond.Bond {
		b := watchTestBond(1)
		b.Mode, b.ADActorSysPrio = bond.Mode8023AD, prio
		for _, opt := range hidden {
			b.WatchHas(opt, shown)
		}
		if !shown {
			b.ADActorSysPrio = 0
		}
		return &b
	}
	backup := watchTestBond(1)
	backup.Mode = bond.ModeActiveBackup
	for _, tt := range []struct {
		name     string
		old, msg *bond.Bond
		read     bool
		want     *bond.Bond
	}{
		{"shown in both", lacp(true, 1), lacp(true, 2), false, lacp(true, 2)},
		{"hidden in the message", lacp(true, 1), lacp(false, 2), true, lacp(true, 1)},
		{"hidden from us", lacp(false, 1), lacp(true, 2), false, lacp(false, 2)},
		{"hidden in both", lacp(false, 1), lacp(false, 2), false, lacp(false, 2)},
		{"new bond", nil, lacp(true, 2), true, lacp(false, 2)},
		{"new mode", &backup, lacp(true, 2), true, lacp(false, 2)},
		{"other mode", lacp(true, 1), backup.Clone(), false, &backup},
	} {
		if got := bond.WatchMend(tt.old, tt.msg); got != tt.read {
			t.Errorf("%s: read is %v", tt.name, got)
		}
		events := bond.WatchDiff([]bond.Bond{*tt.want}, nil, []bond.Bond{*tt.msg}, nil)
		if len(events) > 0 || slices.ContainsFunc(hidden, func(o bond.Option) bool { return tt.msg.Has(o) != tt.want.Has(o) }) {
			t.Errorf("%s:\n%s", tt.name, watchLines(events))
		}
	}
}
