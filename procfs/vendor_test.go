// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/procfs"
)

// insert returns the text of a capture with lines after the first line that is old.
func insert(tb testing.TB, p, old, lines string) string {
	tb.Helper()
	i := strings.Index(p, old)
	if i < 0 {
		tb.Fatalf("%q is not in the text", old)
	}
	return p[:i+len(old)] + lines + p[i+len(old):]
}

// TestVendorLines: the lines that vendors' kernels add are no problem, stay in
// their places, and take nothing away from the others.
func TestVendorLines(t *testing.T) {
	lacp := string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	lacp44 := string(text(t, "289-vm-4.4-8023ad-negotiated-2"))
	tests := []struct {
		name, plain, text string
		want              []procfs.Line // without Raw, Number and Blank
	}{
		{
			"OpenCloudOS 6.6", lacp,
			insert(t, insert(t, insert(t, lacp, "a0\nMII Status: up\n", "Slave active: 1\n"), "Slave queue ID: 0\n", "Slave sm_vars: 0x3f\n"),
				"Aggregator ID: 1\nActor Churn State: monitoring\n", "Aggregator active: 1\n"),
			[]procfs.Line{
				{Section: procfs.SectionSlave, After: procfs.FieldSlaveMIIStatus, Key: "Slave active", Value: "1"},
				{Section: procfs.SectionSlave, After: procfs.FieldQueueID, Key: "Slave sm_vars", Value: "0x3f"},
				{Section: procfs.SectionSlave, After: procfs.FieldActorChurn, Key: "Aggregator active", Value: "1"},
			},
		},
		{
			"XenServer", string(text(t, "122-vm-7.3-ab-arp-2targets")),
			insert(t, string(text(t, "122-vm-7.3-ab-arp-2targets")), "NS IPv6 target/s (xx::xx form):\n", "ARP all slaves: 1\n"),
			[]procfs.Line{{Slave: -1, After: procfs.FieldNSTargets, Key: "ARP all slaves", Value: "1"}},
		},
		{
			"hash mask", lacp, insert(t, lacp, "Transmit Hash Policy: layer3+4 (1)\n", "Transmit Hash Mask: 0x0000000f\n"),
			[]procfs.Line{{Slave: -1, After: procfs.FieldXmitHashPolicy, Key: "Transmit Hash Mask", Value: "0x0000000f"}},
		},
		{
			"Synology 3.10", string(text(t, "143-vm-7.3-alb-2up")),
			insert(t, string(text(t, "143-vm-7.3-alb-2up")), "Peer Notification Delay (ms): 0\n",
				"\nALB info\n\n Receive Load Balancing table:\n Index: Slave    Assigned Client MAC          Server -> Client\n"+
					"     7: eth0        yes   02:00:00:00:00:01  192.0.2.1 -> 192.0.2.2\n"),
			[]procfs.Line{
				{Slave: -1, After: procfs.FieldPeerNotifDelay, Key: "ALB info"},
				{Slave: -1, After: procfs.FieldPeerNotifDelay, Key: "Receive Load Balancing table"},
				{Slave: -1, After: procfs.FieldPeerNotifDelay, Key: "Index", Value: "Slave    Assigned Client MAC          Server -> Client"},
				{Slave: -1, After: procfs.FieldPeerNotifDelay, Key: "7", Value: "eth0        yes   02:00:00:00:00:01  192.0.2.1 -> 192.0.2.2"},
			},
		},
		{
			"Cumulus 2.5", lacp44,
			insert(t, insert(t, insert(t, lacp44, "(ad_select): stable\n", "System Identification: 65535 02:00:00:00:00:01\n"),
				"\tPartner Mac Address: "+parse(t, []byte(lacp44)).Text(procfs.FieldPartnerMAC)+"\n",
				"\nFall back Info:\n\tAllowed: 1\n\tTimeout: 100\nLACP Bypass Info:\n\tAllowed: 0\n\tTimeout: 0\n\tAll-active: 0\n"),
				"Slave queue ID: 0\n", "LACP bypass priority: 0\nLACP bypass: on\nBypass priority: 9\n"),
			[]procfs.Line{
				{Section: procfs.SectionLACP, Slave: -1, After: procfs.FieldADSelect, Key: "System Identification", Value: "65535 02:00:00:00:00:01"},
				{Section: procfs.SectionAggregator, Slave: -1, After: procfs.FieldPartnerMAC, Key: "Fall back Info"},
				{Section: procfs.SectionAggregator, Slave: -1, After: procfs.FieldPartnerMAC, Key: "Allowed", Value: "1"},
				{Section: procfs.SectionAggregator, Slave: -1, After: procfs.FieldPartnerMAC, Key: "Timeout", Value: "100"},
				{Section: procfs.SectionAggregator, Slave: -1, After: procfs.FieldPartnerMAC, Key: "LACP Bypass Info"},
				{Section: procfs.SectionAggregator, Slave: -1, After: procfs.FieldPartnerMAC, Key: "Allowed", Value: "0"},
				{Section: procfs.SectionAggregator, Slave: -1, After: procfs.FieldPartnerMAC, Key: "Timeout", Value: "0"},
				{Section: procfs.SectionAggregator, Slave: -1, After: procfs.FieldPartnerMAC, Key: "All-active", Value: "0"},
				{Section: procfs.SectionSlave, After: procfs.FieldQueueID, Key: "LACP bypass priority", Value: "0"},
				{Section: procfs.SectionSlave, After: procfs.FieldQueueID, Key: "LACP bypass", Value: "on"},
				{Section: procfs.SectionSlave, After: procfs.FieldQueueID, Key: "Bypass priority", Value: "9"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := parse(t, []byte(tt.text))
			var got []procfs.Line
			for _, l := range b.Lines {
				l.Raw, l.Number, l.Blank = "", 0, 0
				got = append(got, l)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.text, string(printed(t, b))); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
			b.Lines = nil
			if diff := cmp.Diff(parse(t, []byte(tt.plain)), b, opts); diff != "" {
				t.Errorf("the rest (-without the lines +with):\n%s", diff)
			}
			err := (&procfs.Parser{Strict: true}).Parse([]byte(tt.text), b)
			e, ok := errors.AsType[*procfs.SyntaxError](err)
			if first := b.Lines[0]; !ok || !errors.Is(e.Err, procfs.ErrUnknown) || e.Line != first.Number || e.Key != first.Key || e.Section != first.Section || e.Text != first.Raw {
				t.Errorf("strict: %#v, want line %d", e, first.Number)
			}
		})
	}
}

// TestOldLayouts: what kernels of 2004 to 2011 print.
func TestOldLayouts(t *testing.T) {
	slave := "\nSlave Interface: eth1\nMII Status: up\nLink Failure Count: 1\n"
	tests := []struct {
		name, text string
		same       bool // it is printed as it is
	}{
		{
			"2.6.1, the kernel's own documentation",
			"Ethernet Channel Bonding Driver: 2.6.1 (October 29, 2004)\nBonding Mode: load balancing (round-robin)\nCurrently Active Slave: eth0\n" + monitor + slave,
			false,
		},
		{
			"2.6.32", "Ethernet Channel Bonding Driver: v3.5.0 (November 4, 2008)\n\nBonding Mode: fault-tolerance (active-backup) (fail_over_mac active)\n" +
				"Primary Slave: None\nCurrently Active Slave: eth1\n" + monitor + "ARP Polling Interval (ms): 60\n" +
				"ARP IP target/s (n.n.n.n form): 192.0.2.1, 192.0.2.2\n" + slave + "Permanent HW addr: 02:00:00:00:00:01\n",
			true,
		},
		{
			"2.6.36, queue behind the aggregator",
			head + "IEEE 802.3ad Dynamic link aggregation\nTransmit Hash Policy: layer2 (0)\n" + monitor +
				"\n802.3ad info\nLACP rate: slow\nAggregator selection policy (ad_select): stable\nbond bond0 has no active aggregator\n" +
				"\nSlave Interface: eth1\nMII Status: up\nSpeed: 1000 Mbps\nDuplex: full\nLink Failure Count: 1\nPermanent HW addr: 02:00:00:00:00:01\n" +
				"Aggregator ID: 2\nSlave queue ID: 0\n",
			true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := parse(t, []byte(tt.text))
			if len(b.Slaves) != 1 || b.Slaves[0].LinkFailures != 1 || b.MIIMon == 0 || len(b.Problems)+len(b.Lines) != 0 {
				t.Errorf("%+v", b)
			}
			if got := string(printed(t, b)); (got == tt.text) != tt.same {
				t.Errorf("printed %q", got)
			}
			stable(t, []byte(tt.text))
			if err := (&procfs.Parser{Strict: true}).Parse([]byte(tt.text), b); (err == nil) != tt.same {
				t.Errorf("strict: %v", err)
			}
		})
	}
}

// TestStrictPlace: the first deviation is reported, at its line and column.
func TestStrictPlace(t *testing.T) {
	lacp := string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	ab := string(text(t, "112-vm-7.3-ab-primary-always"))
	tests := []struct {
		in, old, new string
		at           string // what stands there, in the new text
		column       int
		key          string
		err          error
	}{
		{lacp, "\tActor Key: 15", "Actor Key: 15", "Actor Key: 15", 1, "Actor Key", procfs.ErrFormat},
		{lacp, "    port key: 15\n    port priority: 255\n    port number: 2", "    port key: 15\n   port priority: 254\n    port number: 2", "port priority: 254", 4, "port priority", procfs.ErrFormat},
		{lacp, "Slave Interface: a1", "Slave Interface:  a1", " a1", 18, "Slave Interface", procfs.ErrFormat},
		{lacp, "a1\nMII Status: up", "a1\nMII Status: sideways", "sideways", 13, "MII Status", procfs.ErrUnknown},
		{lacp, "Min links: 0\n", "", "Aggregator selection", 0, "", nil}, // kernels before 3.10
		{lacp, "LACP rate: fast\n", "", "Min links: 0", 1, "LACP rate", procfs.ErrMissing},
		{lacp, "a1\nMII Status: up\n", "a1\n", "Speed: 10000 Mbps\nDuplex: full\nLink Failure Count: 0\nPermanent HW addr: 5a", 1, "MII Status", procfs.ErrMissing},
		{lacp, "\n\nSlave Interface: a1", "\nSlave Interface: a1", "Slave Interface: a1", 1, "Slave Interface", procfs.ErrFormat},
		{lacp, "Link Failure Count: 0", "Link Failure Count: 012", "012\n", 21, "Link Failure Count", procfs.ErrValue},
		{lacp, "MII Polling Interval (ms): 100", "mii polling interval (ms): 100", "mii polling", 1, "mii polling interval (ms)", procfs.ErrUnknown},
		{lacp, "Up Delay (ms): 0\n", "Up Delay (ms): 0\nUp Delay (ms): 0\n", "Up Delay (ms): 0\nDown", 1, "Up Delay (ms)", procfs.ErrDuplicate},
		{lacp, "LACP active: on\n", "LACP active: on\nPrimary Slave: None\n", "Primary Slave: None", 1, "Primary Slave", procfs.ErrOrder},
		{ab, "Up Delay (ms)", "Transmit Hash Policy: layer2 (0)\nUp Delay (ms)", "Transmit Hash", 1, "Transmit Hash Policy", procfs.ErrOrder},
		{ab, "Primary Slave", "Transmit Hash Policy: layer2 (0)\nPrimary Slave", "Transmit Hash", 1, "Transmit Hash Policy", procfs.ErrUnknown},
		{ab, "Slave queue ID: 0\n", "Slave queue ID: 0\nAggregator ID: 1\n", "Aggregator ID: 1", 1, "Aggregator ID", procfs.ErrUnknown},
		{ab, "fault-tolerance (active-backup)", "fault-tolerance (active-backup) (fail_over_mac none)", "Bonding Mode", 1, "Bonding Mode", procfs.ErrUnknown},
		{ab, "Slave Interface: always1", "Slave Interface: always0", "Slave Interface: always0\nMII Status: up", 1, "Slave Interface", procfs.ErrDuplicate},
	}
	for _, tt := range tests {
		p := strings.Replace(tt.in, tt.old, tt.new, 1)
		if p == tt.in {
			t.Fatalf("%q is not in the text", tt.old)
		}
		var b procfs.Bond
		err := (&procfs.Parser{Strict: true}).Parse([]byte(p), &b)
		if tt.err == nil {
			if err != nil {
				t.Errorf("%q: %v", tt.new, err)
			}
			continue
		}
		e, ok := errors.AsType[*procfs.SyntaxError](err)
		if !ok {
			t.Errorf("%q: %v", tt.new, err)
			continue
		}
		want := strings.LastIndex(p, tt.at)
		line := 1 + strings.Count(p[:want], "\n")
		if !errors.Is(err, tt.err) || e.Offset != want || e.Line != line || e.Column != tt.column || e.Key != tt.key {
			t.Errorf("%q: %v (key %q, offset %d), want %v at line %d, column %d, key %q, offset %d", tt.new, err, e.Key, e.Offset, tt.err, line, tt.column, tt.key, want)
		}
	}
}
