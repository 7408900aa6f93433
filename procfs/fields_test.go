// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/procfs"
)

var opts = cmp.Options{
	cmpopts.IgnoreUnexported(procfs.Bond{}, procfs.Slave{}, procfs.SyntaxError{}),
	cmpopts.EquateComparable(netip.Addr{}),
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(x, y error) bool { return errors.Is(x, y) || x != nil && y != nil && x.Error() == y.Error() }),
}

func TestFields(t *testing.T) {
	const pdu = bond.PortActivity | bond.PortShortTimeout | bond.PortAggregation | bond.PortSync | bond.PortCollecting | bond.PortDistributing
	system := [6]byte{0x7a, 0xa5, 0x54, 0xf0, 0x08, 0xa9}
	partner := [6]byte{0x5e, 0xc6, 0xe3, 0x2f, 0x75, 0x85}
	slave := func(name string, mac net.HardwareAddr, port int32) procfs.Slave {
		return procfs.Slave{
			Name: name, Speed: 10000, Duplex: procfs.DuplexFull, PermMAC: mac, AggregatorID: 1,
			Actor:   procfs.LACPPort{SystemPriority: 65535, SystemMAC: system, Key: 15, PortPriority: 255, PortNumber: port, PortState: pdu},
			Partner: procfs.LACPPort{SystemPriority: 65535, SystemMAC: partner, Key: 15, PortPriority: 255, PortNumber: port, PortState: pdu},
		}
	}
	tests := []struct {
		name string
		want procfs.Bond
		has  []procfs.Field
		not  []procfs.Field
	}{
		{
			name: "156-vm-7.3-8023ad-negotiated-2",
			want: procfs.Bond{
				Driver: "v7.3-amd64", Mode: bond.Mode8023AD, XmitHashPolicy: bond.XmitHashLayer34,
				MIIMon: 100 * time.Millisecond, LACPActive: true, LACPRate: bond.LACPRateFast,
				SystemPriority: 65535, SystemMAC: system,
				Aggregator: procfs.Aggregator{ID: 1, Ports: 2, ActorKey: 15, PartnerKey: 15, PartnerMAC: partner},
				Slaves: []procfs.Slave{
					slave("a0", net.HardwareAddr{0x7a, 0xa5, 0x54, 0xf0, 0x08, 0xa9}, 1),
					slave("a1", net.HardwareAddr{0x5a, 0xfa, 0x58, 0x2e, 0x1e, 0x57}, 2),
				},
			},
			has: []procfs.Field{procfs.FieldLACPActive, procfs.FieldMinLinks, procfs.FieldUpDelay, procfs.FieldAggregator},
			not: []procfs.Field{procfs.FieldPrimary, procfs.FieldActive, procfs.FieldARPInterval, procfs.FieldNoAggregator, procfs.FieldFailOverMAC},
		},
		{
			name: "128-vm-7.3-ab-arp-ns-mixed",
			want: procfs.Bond{
				Driver: "v7.3-amd64", Mode: bond.ModeActiveBackup, MIIStatus: bond.MIIDown, ARPInterval: time.Second, MissedMax: 2,
				ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
				NSTargets:  []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.33"), netip.MustParseAddr("::1.2.3.4")},
			},
			has: []procfs.Field{procfs.FieldPrimary, procfs.FieldActive, procfs.FieldMissedMax, procfs.FieldMIIMon},
			not: []procfs.Field{procfs.FieldPrimaryReselect, procfs.FieldXmitHashPolicy, procfs.FieldLACP},
		},
		{
			name: "118-vm-7.3-ab-fom-follow",
			want: procfs.Bond{Mode: bond.ModeActiveBackup, FailOverMAC: bond.FailOverMACFollow},
			has:  []procfs.Field{procfs.FieldFailOverMAC},
		},
		{
			name: "114-vm-7.3-ab-primary-failure",
			want: procfs.Bond{Mode: bond.ModeActiveBackup, PrimaryReselect: bond.PrimaryReselectFailure},
			has:  []procfs.Field{procfs.FieldPrimaryReselect},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := parse(t, text(t, tt.name))
			if tt.want.Driver != "" {
				if diff := cmp.Diff(&tt.want, got, opts); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			} else if got.Mode != tt.want.Mode || got.FailOverMAC != tt.want.FailOverMAC || got.PrimaryReselect != tt.want.PrimaryReselect {
				t.Errorf("got %+v", got)
			}
			for _, f := range tt.has {
				if !got.Has(f) {
					t.Errorf("Has(%v) is false", f)
				}
			}
			for _, f := range tt.not {
				if got.Has(f) {
					t.Errorf("Has(%v) is true", f)
				}
			}
		})
	}
}

// TestReuseForgets: nothing of a text is left after another was parsed into the
// same Bond.
func TestReuseForgets(t *testing.T) {
	all := captures(t)
	lacp := string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	for _, word := range []string{"Aggregator ID: N/A\nActor Churn", "Aggregator ID: 1\nActor Churn"} {
		all = append(all, capture{name: word, text: []byte(strings.Replace(lacp, "Aggregator ID: 1\nActor Churn", word, 1))})
	}
	var b procfs.Bond
	for i := range all {
		if testing.Short() && i%4 > 0 {
			continue
		}
		for _, j := range []int{i, (i * 7) % len(all), (i * 31) % len(all)} {
			fresh, err := procfs.ParseBytes(all[j].text)
			if errReused := b.UnmarshalText(all[j].text); (err == nil) != (errReused == nil) {
				t.Fatalf("%s: %v, reused %v", all[j].name, err, errReused)
			}
			if err != nil {
				continue
			}
			b.Name = fresh.Name // stays, by contract
			if diff := cmp.Diff(fresh, &b, opts); diff != "" {
				t.Fatalf("%s after others (-fresh +reused):\n%s", all[j].name, diff)
			}
			if diff := cmp.Diff(string(printed(t, fresh)), string(printed(t, &b))); diff != "" {
				t.Fatalf("%s after others is printed as (-fresh +reused):\n%s", all[j].name, diff)
			}
		}
	}
}

func TestClone(t *testing.T) {
	all := captures(t)
	for i, c := range all {
		var b procfs.Bond
		if err := b.UnmarshalText(c.text); err != nil {
			continue
		}
		clone := b.Clone()
		if diff := cmp.Diff(&b, clone, opts); diff != "" {
			t.Errorf("%s: (-bond +clone)\n%s", c.name, diff)
		}
		want := string(printed(t, &b))
		wantJSON, err := json.Marshal(clone)
		if err != nil {
			t.Fatal(err)
		}
		for j := range b.Slaves {
			clear(b.Slaves[j].PermMAC)
		}
		for _, p := range b.Problems {
			p.Line = -1
		}
		// The same memory is used for others.
		for _, j := range []int{i + 1, 2 * i, 3 * i} {
			if err := b.UnmarshalText(all[j%len(all)].text); err != nil && !errors.Is(err, procfs.ErrNotBonding) {
				t.Fatal(err)
			}
		}
		gotJSON, err := json.Marshal(clone)
		if got := string(printed(t, clone)); got != want || err != nil || string(gotJSON) != string(wantJSON) {
			t.Errorf("%s: the clone is now %q, %s, %v", c.name, got, gotJSON, err)
		}
	}
}

func TestKeepsNoPartOfTheText(t *testing.T) {
	p := text(t, "156-vm-7.3-8023ad-negotiated-2")
	mine := strings.Clone(string(p))
	b := parse(t, p)
	for i := range p {
		p[i] = 'x'
	}
	if got := string(printed(t, b)); got != mine {
		t.Errorf("the Bond changed with the text: %s", got)
	}
}

func TestPrivileged(t *testing.T) {
	for name, want := range map[string][2]bool{
		"156-vm-7.3-8023ad-negotiated-2":         {true, true},
		"157-vm-7.3-8023ad-negotiated-2-nonroot": {false, true},
		"138-vm-7.3-8023ad-empty-nonroot":        {false, true},
		"112-vm-7.3-ab-primary-always":           {false, false},
	} {
		b := parse(t, text(t, name))
		if p, ok := b.Privileged(); p != want[0] || ok != want[1] {
			t.Errorf("%s: Privileged is %t, %t", name, p, ok)
		}
		if !want[0] && b.Has(procfs.FieldSystemPriority) {
			t.Errorf("%s: has a system priority", name)
		}
	}
}

func TestInActiveAggregator(t *testing.T) {
	b := parse(t, text(t, "211-vm-6.1-8023ad-two-aggregators"))
	var in, out int
	for i := range b.Slaves {
		switch is, ok := b.InActiveAggregator(&b.Slaves[i]); {
		case !ok:
			t.Errorf("%s: the text does not say", b.Slaves[i].Name)
		case is:
			in++
		default:
			out++
		}
	}
	if in == 0 || out == 0 {
		t.Errorf("%d slaves in the active aggregator and %d outside", in, out)
	}
	b = parse(t, text(t, "157-vm-7.3-8023ad-negotiated-2-nonroot"))
	if _, ok := b.InActiveAggregator(&b.Slaves[0]); ok {
		t.Error("without privilege the text does not say which aggregator is active")
	}
}

// TestSlaveCalledNone: the name is legal, and what is printed for no slave.
func TestSlaveCalledNone(t *testing.T) {
	b := parse(t, text(t, "147-vm-7.3-ab-primary-slave-named-None"))
	if b.Slave("None") == nil || b.Primary != "None" || !b.Has(procfs.FieldPrimaryReselect) || b.Ambiguous(procfs.FieldPrimary) {
		t.Errorf("primary %q, ambiguous %t", b.Primary, b.Ambiguous(procfs.FieldPrimary))
	}
	const head = "Ethernet Channel Bonding Driver: v6.1\n\nBonding Mode: fault-tolerance (active-backup)\nPrimary Slave: None\nCurrently Active Slave: None\n" +
		"MII Status: up\nMII Polling Interval (ms): 100\nUp Delay (ms): 0\nDown Delay (ms): 0\n"
	for _, tt := range []struct {
		slave, active string
		ambiguous     bool
	}{{"None", "None", true}, {"eth0", "", false}, {"up", "", false}} {
		p := head + "\nSlave Interface: " + tt.slave + "\nMII Status: up\nLink Failure Count: 0\n"
		b := parse(t, []byte(p))
		if b.Active != tt.active || b.Ambiguous(procfs.FieldActive) != tt.ambiguous || b.Ambiguous(procfs.FieldPrimary) != tt.ambiguous || b.Primary != "" {
			t.Errorf("slave %s: active %q, primary %q, ambiguous %t", tt.slave, b.Active, b.Primary, b.Ambiguous(procfs.FieldActive))
		}
		if got := string(printed(t, b)); got != p {
			t.Errorf("slave %s: printed as %q", tt.slave, got)
		}
	}
}

// TestOddNames: names are bytes, and JSON loses none of them.
func TestOddNames(t *testing.T) {
	for _, name := range []string{"up", "802.3ad", "\"q\"", "#hash", "a,b", "\xff\xfe\x80", "\x01", "(primary_rese)", "\\x41", "\\", "<a&b>", "None"} {
		p := strings.ReplaceAll(string(text(t, "112-vm-7.3-ab-primary-always")), "always0", name)
		b := parse(t, []byte(p))
		if b.Slaves[0].Name != name || b.Primary != name || b.Active != name {
			t.Errorf("%q: slave %q, primary %q, active %q", name, b.Slaves[0].Name, b.Primary, b.Active)
		}
		if got := string(printed(t, b)); got != p {
			t.Errorf("%q: printed as %q", name, got)
		}
		j, err := b.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var again procfs.Bond
		if err := again.UnmarshalJSON(j); err != nil || again.Slaves[0].Name != name {
			t.Errorf("%q: JSON %s gives %+v, %v", name, j, again.Slaves, err)
		}
	}
}

// TestUnknownWords: a word of another kernel is kept, and is no problem.
func TestUnknownWords(t *testing.T) {
	for old, word := range map[string]string{
		"Bonding Mode: IEEE 802.3ad Dynamic link aggregation": "Bonding Mode: quantum entanglement (fail_over_mac sometimes)",
		"Transmit Hash Policy: layer3+4 (1)":                  "Transmit Hash Policy: vlansrc (5)",
		"LACP rate: fast":                                     "LACP rate: glacial",
		"LACP active: on":                                     "LACP active: perhaps",
		"(ad_select): stable":                                 "(ad_select): prio",
		"Actor Churn State: monitoring":                       "Actor Churn State: unknown",
		"MII Status: up":                                      "MII Status: sideways",
	} {
		p := strings.Replace(string(text(t, "156-vm-7.3-8023ad-negotiated-2")), old, word, 1)
		b := parse(t, []byte(p))
		if got := string(printed(t, b)); got != p {
			t.Errorf("%q: printed as %q", word, got)
		}
		for _, e := range b.Problems {
			// Without the mode it cannot be known that 802.3ad is right.
			t.Errorf("%q: %v", word, e)
		}
		err := (&procfs.Parser{Strict: true}).Parse([]byte(p), new(procfs.Bond))
		if strict := !strings.Contains(word, "unknown"); (err != nil) != strict {
			t.Errorf("%q: strict: %v", word, err)
		}
		j, err := b.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var again procfs.Bond
		if err := again.UnmarshalJSON(j); err != nil || string(printed(t, &again)) != p {
			t.Errorf("%q: JSON %s loses it: %v", word, j, err)
		}
	}
}

// TestNSTargetsAsPrinted: the kernel writes the end of some IPv6 addresses as an IPv4 address, which
// net/netip does for others (ip6_compressed_string in lib/vsprintf.c).
func TestNSTargetsAsPrinted(t *testing.T) {
	const key = "NS IPv6 target/s (xx::xx form): "
	whole := string(text(t, "128-vm-7.3-ab-arp-ns-mixed"))
	from := strings.Index(whole, key) + len(key)
	before, after := whole[:from], whole[from:]
	after = after[strings.IndexByte(after, '\n'):]
	strict := procfs.Parser{Strict: true}
	var b procfs.Bond
	for _, tt := range []struct{ printed, want string }{
		{"fe80::5efe:192.0.2.1", "fe80::5efe:c000:201"},
		{"fe80::200:5efe:0.0.0.1", "fe80::200:5efe:0:1"},
		{"2001:db8:0:1:0:5efe:0.0.0.0", "2001:db8:0:1:0:5efe::"},
		{"2001:db8:0:1:0:5efe:10.0.0.255", "2001:db8:0:1:0:5efe:a00:ff"},
		{"::5efe:192.0.2.1", "::5efe:c000:201"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
		{"fe80::100:5efe:c000:201", "fe80::100:5efe:c000:201"},
		{"2001:db8:0:1:1:5efe:0:1", "2001:db8:0:1:1:5efe:0:1"},
	} {
		p := []byte(before + tt.printed + after)
		for range 2 { // the second time into the same Bond
			if err := strict.Parse(p, &b); err != nil {
				t.Errorf("%s: %v", tt.printed, err)
			}
			if got := printed(t, &b); !bytes.Equal(got, p) || len(b.NSTargets) != 1 || b.NSTargets[0] != netip.MustParseAddr(tt.want) {
				t.Errorf("%s: %v, printed as\n%s", tt.printed, b.NSTargets, got)
			}
		}
		other := []byte(before + tt.want + after)
		if err := strict.Parse(other, new(procfs.Bond)); (err == nil) != (tt.want == tt.printed) {
			t.Errorf("%s as no kernel prints it: %v", tt.want, err)
		}
	}
}
