// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// attribute returns a netlink attribute.
func attribute(kind uint16, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

// attributes returns the attributes of the numbers given, with data.
func attributes(kinds []uint16, data ...byte) []byte {
	var b []byte
	for _, kind := range kinds {
		b = append(b, attribute(kind, data...)...)
	}
	return b
}

// linkMessage returns the body of an RTM_NEWLINK of an interface that is up.
func linkMessage(index uint32, attrs []byte) []byte {
	b := []byte{0, 0, 1, 0}
	b = binary.NativeEndian.AppendUint32(b, index)
	b = binary.NativeEndian.AppendUint32(b, bond.FlagUp|bond.FlagRunning|bond.FlagLowerUp)
	b = append(b, 0, 0, 0, 0)
	return append(b, attrs...)
}

func joinBytes(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// wholeBond returns a bond about which the kernel told everything that a test
// changes, all in order.
func wholeBond(t *testing.T, mode bond.Mode) *bond.Bond {
	t.Helper()
	data := joinBytes(
		attribute(1, byte(mode)),
		attributes([]uint16{2, 3, 7, 18}, 0, 0, 0, 0),
		attributes([]uint16{34}, 0),
	)
	if mode == bond.Mode8023AD {
		data = append(data, attribute(23, joinBytes(
			attributes([]uint16{1, 2, 3, 4}, 1, 0),
			attribute(5, 2, 0, 0x5e, 0, 0x53, 9),
		)...)...)
	}
	var b bond.Bond
	err := b.Decode(linkMessage(1, joinBytes(
		attribute(3, []byte("bond0\x00")...), attribute(33, 1),
		attribute(18, joinBytes(attribute(1, []byte("bond\x00")...), attribute(2, data...))...))))
	if err != nil {
		t.Fatal(err)
	}
	b.MIIMon = 100 * time.Millisecond
	b.Active = bond.Link{Index: 2, Name: "eth0"}
	b.AD.AggregatorID, b.AD.Ports = 1, 2
	if !b.Up() || !b.Carrier || b.Mode != mode || !b.Has(bond.OptionMIIMon) || !b.Has(bond.OptionARPInterval) || b.Has(bond.OptionADInfo) != (mode == bond.Mode8023AD) {
		t.Fatalf("the bond is %+v", b)
	}
	return &b
}

// wholeSlave returns a slave of it, all in order.
func wholeSlave(t *testing.T, name string) bond.Slave {
	t.Helper()
	data := joinBytes(attributes([]uint16{1, 2, 7, 11, 12}, 0), attributes([]uint16{6, 8}, 1, 0))
	var s bond.Slave
	err := s.Decode(linkMessage(2, joinBytes(
		attribute(3, []byte(name+"\x00")...), attribute(33, 1), attribute(10, 1, 0, 0, 0),
		attribute(18, joinBytes(attribute(4, []byte("bond\x00")...), attribute(5, data...))...))))
	if err != nil {
		t.Fatal(err)
	}
	s.AggregatorID = 1
	s.ActorPortState = bond.PortActivity | bond.PortAggregation | bond.PortSync | bond.PortCollecting | bond.PortDistributing
	s.PartnerPortState = s.ActorPortState
	s.ActorChurn, s.PartnerChurn = bond.ChurnNone, bond.ChurnNone
	if !s.Up() || !s.Carrier || !s.Has(bond.OptionAggregatorID) || !s.Has(bond.OptionActorPortState) || !s.Has(bond.OptionPartnerChurn) {
		t.Fatalf("the slave is %+v", s)
	}
	return s
}

func TestJudge(t *testing.T) {
	type change func(b *bond.Bond, s []bond.Slave)
	const (
		ab = bond.ModeActiveBackup
		ad = bond.Mode8023AD
	)
	tests := []struct {
		name   string
		mode   bond.Mode
		slaves int
		change change
		want   string
	}{
		{"all well", ab, 2, nil, "OK"},
		{"LACP", ad, 2, nil, "OK"},
		{"balance-rr", bond.ModeBalanceRR, 2, nil, "OK"},
		{"one slave", ab, 1, nil, "OK: only one slave"},
		{"no slaves", ab, 0, nil, "DOWN: no slaves"},
		{"switched off", ab, 2, func(b *bond.Bond, _ []bond.Slave) { b.Flags = 0 }, "DOWN: switched off"},
		{"backup down", ab, 2, func(_ *bond.Bond, s []bond.Slave) { s[1].MIIStatus, s[1].Carrier = bond.MIIDown, false }, "DEGRADED: eth1 down"},
		{"backup down, carrier there", ab, 2, func(_ *bond.Bond, s []bond.Slave) { s[1].MIIStatus = bond.MIIDown }, "DEGRADED: eth1 down"},
		{"backup switched off", ab, 2, func(_ *bond.Bond, s []bond.Slave) { s[1].Flags, s[1].Carrier = 0, false }, "DEGRADED: eth1 switched off"},
		{"failing", ab, 2, func(_ *bond.Bond, s []bond.Slave) { s[0].MIIStatus = bond.MIIGoingDown }, "DEGRADED: eth0 going down"},
		{"coming back", ab, 2, func(_ *bond.Bond, s []bond.Slave) { s[0].MIIStatus = bond.MIIGoingBack }, "DEGRADED: eth0 coming back"},
		{"carrier lost, not noticed yet", ab, 2, func(_ *bond.Bond, s []bond.Slave) { s[0].Carrier = false }, "DEGRADED: eth0 without carrier"},
		{"all down", ab, 2, func(b *bond.Bond, s []bond.Slave) {
			b.Carrier = false
			s[0].MIIStatus, s[1].MIIStatus = bond.MIIDown, bond.MIIDown
		}, "DOWN: no slave has a link"},
		{"several faults", ab, 5, func(_ *bond.Bond, s []bond.Slave) {
			s[1].MIIStatus, s[2].Flags, s[3].MIIStatus = bond.MIIDown, 0, bond.MIIDown
		}, "DEGRADED: eth1 and eth3 down; eth2 switched off"},
		{"many faults", ab, 200, func(_ *bond.Bond, s []bond.Slave) {
			for i := range s[1:] {
				s[i+1].MIIStatus = bond.MIIDown
			}
		}, "DEGRADED: eth1, eth2, eth3 and 196 more down"},
		{"odd name", ab, 2, func(_ *bond.Bond, s []bond.Slave) { s[1].MIIStatus, s[1].Name = bond.MIIDown, "\x1b[2J" }, `DEGRADED: "\x1b[2J" down`},
		{"no monitor", ab, 2, func(b *bond.Bond, _ []bond.Slave) { b.MIIMon = 0 }, "NO MONITOR: miimon and arp_interval are 0"},
		{"no monitor and no carrier", ab, 2, func(b *bond.Bond, s []bond.Slave) { b.MIIMon, s[0].Carrier = 0, false }, "NO MONITOR: miimon and arp_interval are 0; eth0 without carrier"},
		{"no monitor and no link", ab, 2, func(b *bond.Bond, s []bond.Slave) {
			b.MIIMon, s[0].Carrier, s[1].Carrier = 0, false, false
		}, "DOWN: no slave has a link; miimon and arp_interval are 0"},
		{"ARP monitor", ab, 2, func(b *bond.Bond, _ []bond.Slave) {
			b.MIIMon, b.ARPInterval, b.ARPTargets = 0, time.Second, []netip.Addr{netip.MustParseAddr("192.0.2.1")}
		}, "OK"},
		{"ARP monitor without targets", ab, 2, func(b *bond.Bond, _ []bond.Slave) { b.MIIMon, b.ARPInterval = 0, time.Second }, "DEGRADED: the ARP monitor has no targets"},
		{"no carrier", bond.ModeBalanceXOR, 2, func(b *bond.Bond, _ []bond.Slave) { b.Carrier = false }, "DOWN: no carrier"},
		{"no partner", ad, 2, func(b *bond.Bond, s []bond.Slave) {
			b.AD.PartnerMAC = [6]byte{}
			s[1].AggregatorID, s[0].ActorPortState = 2, bond.PortActivity|bond.PortDefaulted
		}, "DEGRADED: no LACP partner"},
		{"outside the aggregator", ad, 3, func(_ *bond.Bond, s []bond.Slave) { s[1].AggregatorID, s[2].AggregatorID = 2, 3 }, "DEGRADED: eth1 and eth2 outside the active aggregator"},
		{"no LACPDUs", ad, 2, func(_ *bond.Bond, s []bond.Slave) { s[1].ActorPortState |= bond.PortExpired }, "DEGRADED: eth1 without LACPDUs from the partner"},
		{"not distributing", ad, 2, func(_ *bond.Bond, s []bond.Slave) { s[1].ActorPortState &^= bond.PortDistributing }, "DEGRADED: eth1 not collecting and distributing"},
		{"churned", ad, 2, func(_ *bond.Bond, s []bond.Slave) { s[1].PartnerChurn = bond.ChurnChurned }, "DEGRADED: eth1 churned"},
		{"min_links", ad, 2, func(b *bond.Bond, s []bond.Slave) {
			b.Carrier, b.MinLinks, b.AD.Ports, s[1].MIIStatus = false, 2, 1, bond.MIIDown
		}, "DOWN: 1 of the 2 slaves that min_links wants; eth1 down"},
		{"lacp_strict", ad, 2, func(b *bond.Bond, s []bond.Slave) {
			b.Carrier, b.LACPStrict = false, true
			b.AD.PartnerMAC = [6]byte{}
		}, "DOWN: no carrier, because too few slaves collect and distribute (lacp_strict); no LACP partner"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := wholeBond(t, tt.mode)
			var slaves []bond.Slave
			for i := range tt.slaves {
				slaves = append(slaves, wholeSlave(t, fmt.Sprintf("eth%d", i)))
			}
			if tt.change != nil {
				tt.change(b, slaves)
			}
			if got := judge(b, slaves).text(); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestJudgeNothingTold says nothing about what the kernel did not tell.
func TestJudgeNothingTold(t *testing.T) {
	b := wholeBond(t, bond.ModeActiveBackup)
	bare := bond.Bond{LinkInfo: b.LinkInfo}
	slaves := []bond.Slave{{LinkInfo: wholeSlave(t, "eth0").LinkInfo}, {LinkInfo: wholeSlave(t, "eth1").LinkInfo}}
	if got, want := judge(&bare, slaves).text(), "OK"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	bare.Mode = bond.Mode8023AD
	if got, want := judge(&bare, slaves).text(), "OK"; got != want {
		t.Errorf("LACP: %s, want %s", got, want)
	}
	bare.Carrier = false
	if got, want := judge(&bare, slaves).text(), "DOWN: no active aggregator"; got != want {
		t.Errorf("LACP without an aggregator: %s, want %s", got, want)
	}
	bare.Mode, bare.Carrier = bond.ModeActiveBackup, true
	if got, want := judge(&bare, slaves).text(), "DOWN: no active slave"; got != want {
		t.Errorf("no active slave: %s, want %s", got, want)
	}
}
