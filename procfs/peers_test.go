// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/procfs"
)

// The tests of this file are mistakes that parsers of this text have made, each
// named after what went wrong.

// head begins a text, up to the line of its mode.
const head = "Ethernet Channel Bonding Driver: v3.7.1 (April 27, 2011)\n\nBonding Mode: "

// monitor is what follows in a mode without an active slave.
const monitor = "MII Status: up\nMII Polling Interval (ms): 100\nUp Delay (ms): 0\nDown Delay (ms): 0\n"

// slaveText is a slave as kernel 2.6.32 prints it.
func slaveText(name string, failures int) string {
	return fmt.Sprintf("\nSlave Interface: %s\nMII Status: up\nLink Failure Count: %d\nPermanent HW addr: 02:00:00:00:00:%02x\n", name, failures, failures%256)
}

func names(b *procfs.Bond) []string {
	var all []string
	for _, s := range b.Slaves {
		all = append(all, s.Name)
	}
	return all
}

// TestPeerValueCutAtItsFirstColon: a value may have colons, and so may a key.
func TestPeerValueCutAtItsFirstColon(t *testing.T) {
	b := parse(t, text(t, "128-vm-7.3-ab-arp-ns-mixed"))
	if want := netip.MustParseAddr("::ffff:192.0.2.33"); len(b.NSTargets) != 2 || b.NSTargets[0] != want {
		t.Errorf("NS targets %v", b.NSTargets)
	}
	b = parse(t, text(t, "156-vm-7.3-8023ad-negotiated-2"))
	if got := b.Slaves[1].PermMAC.String(); got != "5a:fa:58:2e:1e:57" {
		t.Errorf("permanent address %s", got)
	}
	if got := b.Text(procfs.FieldPartnerMAC); got != "5e:c6:e3:2f:75:85" {
		t.Errorf("partner %s", got)
	}
	// A driver's version as a vendor may write it.
	b = parse(t, []byte("Ethernet Channel Bonding Driver: v1: a:b\n\nBonding Mode: load balancing (xor)\n"+monitor+"Vendor: x: y\n"))
	if b.Driver != "v1: a:b" || len(b.Lines) != 1 || b.Lines[0].Value != "x: y" {
		t.Errorf("driver %q, lines %+v", b.Driver, b.Lines)
	}
}

// TestPeerSlaveLostWithoutChurn: kernels before 4.1 print no churn, and no kernel
// prints it for a slave that is in no aggregator.
func TestPeerSlaveLostWithoutChurn(t *testing.T) {
	p := head + "IEEE 802.3ad Dynamic link aggregation\nTransmit Hash Policy: layer2 (0)\n" + monitor +
		"\n802.3ad info\nLACP rate: slow\nAggregator selection policy (ad_select): stable\nActive Aggregator Info:\n" +
		"\tAggregator ID: 1\n\tNumber of ports: 1\n\tActor Key: 17\n\tPartner Key: 1\n\tPartner Mac Address: 02:00:00:00:00:99\n" +
		slaveText("eth0", 1) + "Aggregator ID: 1\nSlave queue ID: 0\n" + slaveText("eth1", 2) + "Aggregator ID: N/A\nSlave queue ID: 5\n"
	b := parse(t, []byte(p))
	if diff := cmp.Diff([]string{"eth0", "eth1"}, names(b)); diff != "" {
		t.Error(diff)
	}
	if s := b.Slaves[1]; s.QueueID != 5 || s.LinkFailures != 2 || !s.Has(procfs.FieldSlaveAggregatorID) || s.Has(procfs.FieldActorChurn) {
		t.Errorf("eth1: %+v", s)
	}
	if len(b.Problems)+len(b.Lines) != 0 || string(printed(t, b)) != p {
		t.Errorf("problems %v, lines %v, printed %q", b.Problems, b.Lines, printed(t, b))
	}
	if err := (&procfs.Parser{Strict: true}).Parse([]byte(p), new(procfs.Bond)); err != nil {
		t.Errorf("strict: %v", err)
	}
}

// TestPeerStatusInheritedByTheNextSlave: what a slave does not say is not what
// the one before said, even if its name cannot be read.
func TestPeerStatusInheritedByTheNextSlave(t *testing.T) {
	p := head + "load balancing (round-robin)\n" + monitor + slaveText("eth0", 7) + "Slave queue ID: 3\n" +
		"\nSlave Interface: eth1\n\nSlave Interface: e/2\nMII Status: down\nSpeed: 100 Mbps\nDuplex: half\nLink Failure Count: 9\n"
	b := parse(t, []byte(p))
	if diff := cmp.Diff([]string{"eth0", "eth1", ""}, names(b)); diff != "" {
		t.Fatal(diff)
	}
	if s := b.Slaves[1]; s.Has(procfs.FieldSlaveMIIStatus) || s.LinkFailures != 0 || s.QueueID != 0 || s.PermMAC != nil {
		t.Errorf("eth1: %+v", s)
	}
	if s := b.Slaves[0]; s.Has(procfs.FieldSpeed) || s.MIIStatus != bond.MIIUp {
		t.Errorf("eth0: %+v", s)
	}
	if s := b.Slaves[2]; s.Has(procfs.FieldSlave) || s.MIIStatus != bond.MIIDown || s.LinkFailures != 9 || b.Slave("") != nil {
		t.Errorf("the slave without a name: %+v", s)
	}
	if got := string(printed(t, b)); got != p {
		t.Errorf("printed %q", got)
	}
	j, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var again procfs.Bond
	if err := json.Unmarshal(j, &again); err != nil || string(printed(t, &again)) != p {
		t.Errorf("JSON %s: %v, printed %q", j, err, printed(t, &again))
	}
	// Nor what another bond said, parsed into the same value before.
	var reused procfs.Bond
	for _, p := range [][]byte{text(t, "156-vm-7.3-8023ad-negotiated-2"), []byte(p)} {
		if err := reused.UnmarshalText(p); err != nil {
			t.Fatal(err)
		}
	}
	if reused.Mode != bond.ModeBalanceRR || reused.Has(procfs.FieldLACP) || reused.LACPActive || reused.Slaves[1].Actor != (procfs.LACPPort{}) {
		t.Errorf("after another bond: %+v", reused)
	}
}

// TestPeerFileLostForItsMode: a suffix or a mode that is not known is no reason to
// lose the rest.
func TestPeerFileLostForItsMode(t *testing.T) {
	for mode, want := range map[string]string{
		"fault-tolerance (active-backup) (fail_over_mac active)": "active-backup active",
		"fault-tolerance (active-backup) (fail_over_mac follow)": "active-backup follow",
		"fault-tolerance (active-backup)":                        "active-backup none",
		"load balancing (round-robin)":                           "balance-rr none",
		"active-active (turbo)":                                  "mode(255) none",
	} {
		b := parse(t, []byte(head+mode+"\nPrimary Slave: None\nCurrently Active Slave: eth0\n"+monitor+slaveText("eth0", 0)))
		if got := fmt.Sprint(b.Mode, " ", b.FailOverMAC); got != want || len(b.Slaves) != 1 || b.Text(procfs.FieldMode) != mode || b.MIIMon == 0 {
			t.Errorf("%s: %s, want %s; %d slaves, %q", mode, got, want, len(b.Slaves), b.Text(procfs.FieldMode))
		}
	}
}

// TestPeerKeyInTheWrongCase: the kernel prints "LACP rate", and for a slave both
// "Partner Mac Address" and "system mac address".
func TestPeerKeyInTheWrongCase(t *testing.T) {
	b := parse(t, text(t, "156-vm-7.3-8023ad-negotiated-2"))
	if !b.Has(procfs.FieldLACPRate) || b.LACPRate != bond.LACPRateFast || !b.Has(procfs.FieldPartnerMAC) || !b.Has(procfs.FieldSystemMAC) {
		t.Errorf("rate %v, partner %x, system %x", b.LACPRate, b.Aggregator.PartnerMAC, b.SystemMAC)
	}
	for i := range b.Slaves {
		if s := &b.Slaves[i]; s.Actor.SystemMAC == [6]byte{} || s.Partner.SystemMAC == [6]byte{} {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
}

// TestPeerNamesWithDots: names are not words.
func TestPeerNamesWithDots(t *testing.T) {
	all := []string{"eth0.100", "enp1s0f0-np0", "br_lan@x", "#x", "None", "lan", "wan1:"[:4], "p1p1_0"}
	var p strings.Builder
	p.WriteString(head + "load balancing (xor)\nTransmit Hash Policy: layer2 (0)\n" + monitor)
	for i, name := range all {
		p.WriteString(slaveText(name, i))
	}
	b := parse(t, []byte(p.String()))
	if diff := cmp.Diff(all, names(b)); diff != "" {
		t.Error(diff)
	}
	if len(b.Problems) != 0 || string(printed(t, b)) != p.String() {
		t.Errorf("problems %v, printed %q", b.Problems, printed(t, b))
	}
}

// TestPeerPanicWhereLinesAreSwapped: the count of the actor may stand behind that of the partner.
func TestPeerPanicWhereLinesAreSwapped(t *testing.T) {
	const actor, partner = "Actor Churned Count: 3\n", "Partner Churned Count: 4\n"
	p := string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	p = strings.Replace(p, "Actor Churned Count: 0\nPartner Churned Count: 0\n", partner+actor, 1)
	b := parse(t, []byte(p))
	if s := b.Slaves[0]; s.ActorChurned != 3 || s.PartnerChurned != 4 || len(b.Problems) != 1 || !errors.Is(b.Problems[0], procfs.ErrOrder) || b.Problems[0].Key != "Actor Churned Count" {
		t.Errorf("actor %d, partner %d, problems %v", s.ActorChurned, s.PartnerChurned, b.Problems)
	}
	if got := string(printed(t, b)); !strings.Contains(got, actor+partner) {
		t.Errorf("printed %q", got)
	}
}

// TestPeerSlaveLineBeforeASlave: what belongs to no slave is kept, and given to none.
func TestPeerSlaveLineBeforeASlave(t *testing.T) {
	p := head + "load balancing (round-robin)\n" + monitor + "Speed: 10 Mbps\nLink Failure Count: 9\n" + slaveText("eth0", 1)
	b := parse(t, []byte(p))
	if s := b.Slaves[0]; s.Has(procfs.FieldSpeed) || s.LinkFailures != 1 || len(b.Lines) != 2 || b.Lines[0].Key != "Speed" || b.Lines[1].Slave != -1 || string(printed(t, b)) != p {
		t.Errorf("%+v, lines %+v", s, b.Lines)
	}
}

// TestPeerNextSlavesPartnerTaken: a slave without the LACP details is not given
// those of the next.
func TestPeerNextSlavesPartnerTaken(t *testing.T) {
	whole := string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	before, _, ok := strings.Cut(whole, "details actor lacp pdu:\n")
	_, after, also := strings.Cut(whole, "\nSlave Interface: a1\n")
	if !ok || !also {
		t.Fatal("not the text expected")
	}
	b := parse(t, []byte(before+"\nSlave Interface: a1\n"+after))
	if s := b.Slave("a0"); s.Has(procfs.FieldActor) || s.Has(procfs.FieldPartnerSystemMAC) || s.Partner != (procfs.LACPPort{}) {
		t.Errorf("a0: %+v", s)
	}
	if s := b.Slave("a1"); s.Partner.PortNumber != 2 {
		t.Errorf("a1: %+v", s)
	}
	if len(b.Problems) != 0 {
		t.Errorf("problems %v", b.Problems)
	}
}

// TestPeerLastByteChopped: without a final newline nothing is cut off, but it is
// said that the value may be.
func TestPeerLastByteChopped(t *testing.T) {
	p := head + "load balancing (round-robin)\n" + monitor + slaveText("eth0", 0x5f)
	b := parse(t, []byte(strings.TrimSuffix(p, "\n")))
	if got := b.Slaves[0].PermMAC.String(); got != "02:00:00:00:00:5f" {
		t.Errorf("permanent address %s", got)
	}
	if len(b.Problems) != 1 || !errors.Is(b.Problems[0].Err, procfs.ErrTruncated) || b.Problems[0].Field != procfs.FieldPermMAC || string(printed(t, b)) != p {
		t.Errorf("problems %v, printed %q", b.Problems, printed(t, b))
	}
}

// TestPeerTwoSlavesAssumed: there are as many as there are.
func TestPeerTwoSlavesAssumed(t *testing.T) {
	for _, n := range []int{0, 1, 3, 100, 1000} {
		var p strings.Builder
		p.WriteString(head + "load balancing (round-robin)\n" + monitor)
		for i := range n {
			p.WriteString(slaveText(fmt.Sprint("eth", i), i))
		}
		b := parse(t, []byte(p.String()))
		if len(b.Slaves) != n || len(b.Problems) != 0 {
			t.Errorf("%d slaves of %d, problems %v", len(b.Slaves), n, b.Problems)
		}
		for i := range b.Slaves {
			if b.Slaves[i].LinkFailures != uint32(i) {
				t.Errorf("slave %d of %d: %d failures", i, n, b.Slaves[i].LinkFailures)
			}
		}
	}
}

// TestPeerNameIsAPrefix: eth1 is not eth10.
func TestPeerNameIsAPrefix(t *testing.T) {
	b := parse(t, []byte(head+"load balancing (round-robin)\n"+monitor+slaveText("eth10", 1)+slaveText("eth1", 2)))
	if s := b.Slave("eth1"); s == nil || s.LinkFailures != 2 {
		t.Errorf("eth1: %+v", s)
	}
	if s := b.Slave("eth"); s != nil {
		t.Errorf("eth: %+v", s)
	}
}

// TestPeerAddressesOfSixBytes: a hardware address has as many bytes as it has.
func TestPeerAddressesOfSixBytes(t *testing.T) {
	for _, mac := range []string{
		"", "0a:00:00:01", "02:00:00:00:00:01", "80:00:02:08:fe:80:00:00:00:00:00:00:e4:1d:2d:03:00:4d:6e:a1",
		strings.TrimSuffix(strings.Repeat("ab:", 32), ":"),
	} {
		p := head + "load balancing (round-robin)\n" + monitor + "\nSlave Interface: ib0\nMII Status: up\nLink Failure Count: 0\nPermanent HW addr: " + mac + "\n"
		b := parse(t, []byte(p))
		if s := b.Slaves[0]; !s.Has(procfs.FieldPermMAC) || s.PermMAC.String() != mac || len(b.Problems) != 0 || string(printed(t, b)) != p {
			t.Errorf("%q: %v, problems %v, printed %q", mac, s.PermMAC, b.Problems, printed(t, b))
		}
	}
}

// TestPeerHashIsAComment: a slave may be called #x.
func TestPeerHashIsAComment(t *testing.T) {
	b := parse(t, []byte(head+"fault-tolerance (active-backup)\nPrimary Slave: #x (primary_reselect always)\nCurrently Active Slave: #x\n"+monitor+slaveText("#x", 3)))
	if b.Primary != "#x" || b.Active != "#x" || b.Slave("#x") == nil || len(b.Problems)+len(b.Lines) != 0 {
		t.Errorf("primary %q, active %q, slaves %v, problems %v", b.Primary, b.Active, names(b), b.Problems)
	}
}

// TestPeerAbsentIsZero: N/A is not aggregator 0, and what is hidden is not zero.
func TestPeerAbsentIsZero(t *testing.T) {
	p := strings.Replace(string(text(t, "156-vm-7.3-8023ad-negotiated-2")), "Aggregator ID: 1\nActor Churn", "Aggregator ID: N/A\nActor Churn", 1)
	b := parse(t, []byte(p))
	if in, ok := b.InActiveAggregator(&b.Slaves[0]); in || !ok || b.Slaves[0].Text(procfs.FieldSlaveAggregatorID) != "N/A" {
		t.Errorf("a0 is in the active aggregator: %t, %t", in, ok)
	}
	zero := strings.Replace(p, "\tAggregator ID: 1\n", "\tAggregator ID: 0\n", 1)
	b = parse(t, []byte(zero))
	if in, ok := b.InActiveAggregator(&b.Slaves[0]); in || !ok || b.Aggregator.ID != 0 {
		t.Errorf("a0 is in aggregator 0: %t, %t", in, ok)
	}
	// Nor is it a member of a bond whose aggregator cannot be seen, and whose number is 0 then.
	nonroot := strings.Replace(string(text(t, "157-vm-7.3-8023ad-negotiated-2-nonroot")), "Aggregator ID: 1\n", "Aggregator ID: N/A\n", 1)
	b = parse(t, []byte(nonroot))
	if in, ok := b.InActiveAggregator(&b.Slaves[0]); in || ok || b.Has(procfs.FieldAggregatorID) || b.Has(procfs.FieldSystemPriority) {
		t.Errorf("without privilege: %t, %t", in, ok)
	}
	if j, _ := json.Marshal(b); bytes.Contains(j, []byte("system_priority")) || !bytes.Contains(j, []byte(`"aggregator_id":null`)) {
		t.Errorf("JSON %s", j)
	}
	for _, name := range []string{"282-vm-4.4-8023ad-empty-up", "112-vm-7.3-ab-primary-always"} {
		if b := parse(t, text(t, name)); b.Has(procfs.FieldLACPActive) {
			t.Errorf("%s: has LACP active", name)
		}
	}
}

// TestPeerMissingAggregatorCountedHealthy: with no active aggregator no slave is in it.
func TestPeerMissingAggregatorCountedHealthy(t *testing.T) {
	p := strings.Replace(string(text(t, "156-vm-7.3-8023ad-negotiated-2")), "Active Aggregator Info:\n", "bond bond0 has no active aggregator\n", 1)
	for _, line := range []string{"\tAggregator ID: 1\n", "\tNumber of ports: 2\n", "\tActor Key: 15\n", "\tPartner Key: 15\n", "\tPartner Mac Address: 5e:c6:e3:2f:75:85\n"} {
		p = strings.Replace(p, line, "", 1)
	}
	b := parse(t, []byte(p))
	if in, ok := b.InActiveAggregator(&b.Slaves[0]); in || !ok || b.Name != "bond0" || len(b.Problems) != 0 {
		t.Errorf("in %t, %t; name %q, problems %v", in, ok, b.Name, b.Problems)
	}
	// The name of one text is not that of the next.
	if err := b.UnmarshalText(text(t, "112-vm-7.3-ab-primary-always")); err != nil || b.Name != "" {
		t.Errorf("name %q, %v", b.Name, err)
	}
	b.Name = "mine"
	if err := b.UnmarshalText([]byte(p)); err != nil || b.Name != "mine" {
		t.Errorf("name %q, %v", b.Name, err)
	}
}

// TestPeerGoingDownCountedDown: a slave has four states.
func TestPeerGoingDownCountedDown(t *testing.T) {
	for name, want := range map[string]bond.MIIStatus{"120-vm-7.3-ab-going-down": bond.MIIGoingDown, "121-vm-7.3-ab-going-back": bond.MIIGoingBack} {
		var got []bond.MIIStatus
		b := parse(t, text(t, name))
		for _, s := range b.Slaves {
			got = append(got, s.MIIStatus)
		}
		if !slices.Contains(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestPeerBlankLinesCounted: slaves are not separated by blank lines, and lines
// not known by their indentation.
func TestPeerBlankLinesCounted(t *testing.T) {
	whole := text(t, "156-vm-7.3-8023ad-negotiated-2")
	var bare, doubled bytes.Buffer
	for line := range bytes.Lines(whole) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			fmt.Fprintf(&bare, "%s\n", line)
			fmt.Fprintf(&doubled, "  \t%s  \n \n\n", line)
		}
	}
	want := parse(t, whole)
	for name, p := range map[string][]byte{"bare": bare.Bytes(), "doubled": doubled.Bytes()} {
		b := parse(t, p)
		if diff := cmp.Diff(want, b, opts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !bytes.Equal(printed(t, b), whole) {
			t.Errorf("%s: printed %s", name, printed(t, b))
		}
	}
}

// TestPeerSlaveTwice: both are kept, and it is said.
func TestPeerSlaveTwice(t *testing.T) {
	p := head + "load balancing (round-robin)\n" + monitor + slaveText("eth0", 1) + slaveText("eth1", 2) + slaveText("eth0", 3)
	b := parse(t, []byte(p))
	if len(b.Slaves) != 3 || b.Slave("eth0").LinkFailures != 1 || string(printed(t, b)) != p {
		t.Errorf("slaves %+v", b.Slaves)
	}
	if len(b.Problems) != 1 || !errors.Is(b.Problems[0].Err, procfs.ErrDuplicate) || b.Problems[0].Line != 19 || b.Problems[0].Text != "Slave Interface: eth0" {
		t.Errorf("problems %v", b.Problems)
	}
}
