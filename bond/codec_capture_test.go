// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// codecCapture is a file of testdata/netlink: one netlink message.
type codecCapture struct {
	kernel, name string
	typ          uint16
	body         []byte
	// command is that of ip which sent it, empty for what the kernel sent.
	command string
}

// codecKernels are the directories of testdata/netlink.
var codecKernels = []string{"5.10", "6.1", "6.12", "7.2"}

// codecCaptures returns the messages whose names begin with prefix, at least
// one of every kernel given.
func codecCaptures(tb testing.TB, prefix string, want ...string) []codecCapture {
	tb.Helper()
	files, err := filepath.Glob(filepath.FromSlash("testdata/netlink/*/" + prefix + "*.hex"))
	if err != nil {
		tb.Fatal(err)
	}
	var all []codecCapture
	kernels := map[string]bool{}
	for _, file := range files {
		msg := codecFile(tb, file)
		if len(msg) < 16 || int(binary.NativeEndian.Uint32(msg)) != len(msg) {
			tb.Fatalf("%s: not one netlink message of %d bytes", file, len(msg))
		}
		dir, name := path.Split(filepath.ToSlash(file))
		c := codecCapture{kernel: path.Base(dir), name: strings.TrimSuffix(name, ".hex"), typ: binary.NativeEndian.Uint16(msg[4:]), body: msg[16:]}
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if command, ok := strings.CutPrefix(line, "# command: "); ok {
				c.command = strings.TrimSpace(command)
			}
		}
		kernels[c.kernel] = true
		all = append(all, c)
	}
	for _, kernel := range want {
		if !kernels[kernel] {
			tb.Errorf("no %s*.hex of kernel %s", prefix, kernel)
		}
	}
	return all
}

// codecSplit returns the attributes as "type=value" with the flags taken off,
// sorted. Those of nests are joined by dots.
func codecSplit(data []byte, prefix string, nests ...string) []string {
	var all []string
	for len(data) >= 4 {
		n := int(binary.NativeEndian.Uint16(data))
		name := prefix + strconv.Itoa(int(binary.NativeEndian.Uint16(data[2:])&0x3fff))
		val := data[4:n]
		if slices.Contains(nests, name) {
			all = append(all, codecSplit(val, name+".", nests...)...)
		} else {
			all = append(all, name+"="+hex.EncodeToString(val))
		}
		data = data[min((n+3)&^3, len(data)):]
	}
	slices.Sort(all)
	return all
}

// codecIPRequests are the requests that we send for what a command of ip does.
func codecIPRequests() map[string]bond.CodecRequest {
	set := func(o bond.Options) bond.CodecRequest { return bond.CodecRequest{Options: &o} }
	add := func(name string, o bond.Options) bond.CodecRequest {
		return bond.CodecRequest{Name: name, Kind: true, Options: &o}
	}
	addrs := func(s ...string) (list []netip.Addr) {
		for _, s := range s {
			list = append(list, netip.MustParseAddr(s))
		}
		return list
	}
	ms := func(n int) *time.Duration { return new(time.Duration(n) * time.Millisecond) }
	return map[string]bond.CodecRequest{
		"ip link add bond0 type bond":                    {Name: "bond0", Kind: true},
		"ip link add bond0 type bond mode active-backup": add("bond0", bond.Options{Mode: new(bond.ModeActiveBackup)}),
		"ip link add bond0 type bond mode 802.3ad miimon 100 lacp_rate fast xmit_hash_policy layer3+4": add("bond0", bond.Options{
			Mode: new(bond.Mode8023AD), MIIMon: ms(100), LACPRate: new(bond.LACPRateFast), XmitHashPolicy: new(bond.XmitHashLayer34),
		}),
		"ip link add bond9 type bond mode balance-xor arp_interval 500 arp_ip_target 192.0.2.1": add("bond9", bond.Options{
			Mode: new(bond.ModeBalanceXOR), ARPInterval: ms(500), ARPTargets: addrs("192.0.2.1"),
		}),
		"ip link add bond0 type bond mode balance-rr packets_per_slave 10 fail_over_mac follow": add("bond0", bond.Options{
			Mode: new(bond.ModeBalanceRR), PacketsPerSlave: new(uint32(10)), FailOverMAC: new(bond.FailOverMACFollow),
		}),
		"ip link add bond0 type bond mode balance-tlb tlb_dynamic_lb 0": add("bond0", bond.Options{Mode: new(bond.ModeBalanceTLB), TLBDynamicLB: new(false)}),

		"ip link set bond0 type bond clear_active_slave": set(bond.Options{Active: new(bond.Link{})}),
		"ip link set bond0 type bond active_slave veth0": set(bond.Options{Active: new(bond.Link{Index: 4, Name: "veth0"})}),
		"ip link set bond0 type bond primary veth1 primary_reselect failure": set(bond.Options{
			Primary: new(bond.Link{Index: 6}), PrimaryReselect: new(bond.PrimaryReselectFailure),
		}),
		"ip link set bond9 type bond arp_interval 0": set(bond.Options{ARPInterval: ms(0)}),
		"ip link set bond0 type bond ad_actor_sys_prio 1000 ad_user_port_key 77 ad_actor_system 02:00:00:00:00:aa": set(bond.Options{
			ADActorSysPrio: new(uint16(1000)), ADUserPortKey: new(uint16(77)), ADActorSystem: new([6]byte{2, 5: 0xaa}),
		}),
		"ip link set bond0 type bond ad_select bandwidth min_links 2": set(bond.Options{ADSelect: new(bond.ADSelectBandwidth), MinLinks: new(uint32(2))}),
		"ip link set bond0 type bond arp_interval 200 arp_ip_target 10.0.0.1,10.0.0.2 arp_validate all": set(bond.Options{
			ARPInterval: ms(200), ARPTargets: addrs("10.0.0.1", "10.0.0.2"), ARPValidate: new(bond.ARPValidateAll),
		}),
		"ip link set bond0 type bond arp_all_targets all arp_missed_max 3": set(bond.Options{ARPAllTargets: new(bond.ARPAllTargetsAll), MissedMax: new(uint8(3))}),
		"ip link set bond0 type bond miimon 100 updelay 200 downdelay 300 peer_notify_delay 400": set(bond.Options{
			MIIMon: ms(100), UpDelay: ms(200), DownDelay: ms(300), PeerNotifDelay: ms(400),
		}),
		"ip link set bond0 type bond fail_over_mac active": set(bond.Options{FailOverMAC: new(bond.FailOverMACActive)}),
		"ip link set bond0 type bond lacp_active off":      set(bond.Options{LACPActive: new(false)}),
		"ip link set bond0 type bond use_carrier 1 resend_igmp 2 num_grat_arp 3 all_slaves_active 1 lp_interval 5 primary_reselect better": set(bond.Options{
			UseCarrier: new(true), ResendIGMP: new(uint32(2)), NumPeerNotif: new(uint8(3)), AllSlavesActive: new(true),
			LPInterval: ms(5000), PrimaryReselect: new(bond.PrimaryReselectBetter),
		}),
		"ip link set bond0 type bond ns_ip6_target 2001:db8::1,fe80::1": set(bond.Options{NSTargets: addrs("2001:db8::1", "fe80::1")}),

		"ip link set veth0 type bond_slave queue_id 2": {SlaveOptions: &bond.SlaveOptions{QueueID: new(uint16(2))}},
		"ip link set veth0 type bond_slave prio -5":    {SlaveOptions: &bond.SlaveOptions{Prio: new(int32(-5))}},
		"ip link set veth0 nomaster":                   {Master: new(0)},
		"ip link set bond0 up":                         {Flags: 1, Change: 1},
		"ip link set bond0 down":                       {Change: 1},
		"ip link del bond0":                            {},
	}
}

// TestRequestsAreThoseOfIP compares our requests with those that ip sent, seen
// on an nlmon device, attribute for attribute. The order does not matter
// to the kernel. For slaves ip adds the kind "bond_slave", which there is not.
func TestRequestsAreThoseOfIP(t *testing.T) {
	requests, seen := codecIPRequests(), map[string]bool{}
	for _, c := range codecCaptures(t, "ip-", "6.12") {
		if len(c.body) == 16 && slices.Max(c.body) == 0 {
			continue // ip asks first whether the kernel has strict checking
		}
		r, ok := requests[c.command]
		master, enslave := uint32(0), strings.Contains(c.command, " master ")
		if enslave {
			master = binary.NativeEndian.Uint32(c.body[20:])
			r.Master, ok = new(int(master)), master != 0
		}
		if strings.HasPrefix(c.command, "ip link del ") {
			r, ok = bond.CodecRequest{}, true
		}
		if !ok {
			t.Errorf("%s/%s: no request of ours for %q", c.kernel, c.name, c.command)
			continue
		}
		seen[c.command] = true
		r.Index = int(binary.NativeEndian.Uint32(c.body[4:]))
		got, err := r.Append(nil)
		if err != nil {
			t.Errorf("%s: %v", c.command, err)
			continue
		}
		nests := []string{"18", "18.2", "18.2.8", "18.2.31", "18.5"}
		want := codecSplit(c.body[16:], "", nests...)
		want = slices.DeleteFunc(want, func(s string) bool { return s == "18.1="+hex.EncodeToString([]byte("bond_slave")) })
		if diff := cmp.Diff(want, codecSplit(got[16:], "", nests...)); diff != "" {
			t.Errorf("%s/%s: %s: -ip +ours:\n%s", c.kernel, c.name, c.command, diff)
		}
		if diff := cmp.Diff(c.body[:16], got[:16]); diff != "" {
			t.Errorf("%s/%s: %s: header, -ip +ours:\n%s", c.kernel, c.name, c.command, diff)
		}
	}
	for command, r := range requests {
		if !seen[command] && r.Change == 0 { // what has no attributes may be missing
			t.Errorf("%q is in no capture", command)
		}
	}
}

// TestDecodeEveryKernelsBonds decodes what the kernels say about bonds of every
// mode, and compares the fields.
func TestDecodeEveryKernelsBonds(t *testing.T) {
	addr := netip.MustParseAddr
	for _, c := range codecCaptures(t, "bond-", codecKernels...) {
		t.Run(c.kernel+"/"+c.name, func(t *testing.T) {
			var b bond.Bond
			if err := b.Decode(c.body); err != nil {
				t.Fatal(err)
			}
			if b.Index == 0 || !strings.HasSuffix(b.Name, "bond0") && b.Name != "lbond" || b.Type != 1 || len(b.MAC) != 6 || b.TxQueues != 16 {
				t.Errorf("link: %+v", b.LinkInfo)
			}
			works := !strings.Contains(c.name, "no-active") && !strings.Contains(c.name, "empty")
			if b.Carrier != works { // what operstate says comes later
				t.Errorf("carrier %t", b.Carrier)
			}

			want := bond.Bond{
				LinkInfo: b.LinkInfo, UseCarrier: true, ResendIGMP: 1, NumPeerNotif: 1, LPInterval: time.Second,
				PacketsPerSlave: 1, TLBDynamicLB: true,
				// Whether this kernel knows them is compared below.
				LACPActive: b.Has(bond.OptionLACPActive), CoupledControl: b.Has(bond.OptionCoupledControl),
			}
			if b.Has(bond.OptionMissedMax) {
				want.MissedMax = 2
			}
			for mode := range bond.Mode(7) {
				if strings.HasPrefix(c.name, "bond-"+mode.String()) {
					want.Mode = mode
				}
			}
			if c.name == "bond-empty" {
				want.Mode = bond.ModeActiveBackup
			}
			if want.Mode >= bond.Mode8023AD || strings.Contains(c.name, "no-active") {
				want.MIIMon = 100 * time.Millisecond
			}
			if want.Mode.HasActive() && works {
				want.Active.Index = 3
			}
			if strings.Contains(c.name, "primary") || strings.Contains(c.name, "no-active") {
				want.Primary, want.PrimaryReselect = bond.Link{Index: 5}, bond.PrimaryReselectFailure
			}
			if strings.Contains(c.name, "primary") {
				want.Active.Index = 5
			}
			if strings.Contains(c.name, "backup-arp") || strings.Contains(c.name, "backup-ns") {
				want.ARPInterval = 200 * time.Millisecond
				want.ARPTargets = []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2"), addr("192.0.2.254")}
				want.ARPValidate, want.ARPAllTargets = bond.ARPValidateAll, bond.ARPAllTargetsAll
			}
			if strings.Contains(c.name, "backup-ns") {
				want.NSTargets = []netip.Addr{addr("2001:db8::1"), addr("fe80::1")}
			}
			if want.Mode == bond.Mode8023AD {
				want.AD = bond.ADInfo{AggregatorID: 1, Ports: 1, ActorKey: 15, PartnerKey: 1}
				want.ADActorSysPrio = 65535
			}
			if strings.Contains(c.name, "partner") {
				want.LACPRate = bond.LACPRateFast
				want.AD.Ports, want.AD.PartnerKey, want.AD.PartnerMAC = 2, 15, b.AD.PartnerMAC
				want.ADActorSysPrio, want.ADUserPortKey, want.ADActorSystem = 1000, 77, [6]byte{2, 5: 0xaa}
				if b.AD.PartnerMAC == ([6]byte{}) {
					t.Error("no partner")
				}
			}
			if strings.Contains(c.name, "nocap") {
				want.ADActorSysPrio, want.ADUserPortKey, want.ADActorSystem = 0, 0, [6]byte{}
			}
			if diff := codecDiff(want, b); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			codecSame(t, c.body, "18.2.", func(opt bond.Option) bool { return b.Has(opt) }, b.Options())
		})
	}
}

// codecSame checks that what a bond has are the attributes of the message, and
// that its options encode to the same values.
func codecSame(t *testing.T, body []byte, prefix string, has func(bond.Option) bool, o bond.Options) {
	t.Helper()
	var sent []string
	for _, attr := range codecSplit(body[16:], "", "18", "18.2") {
		if attr, ok := strings.CutPrefix(attr, prefix); ok {
			sent = append(sent, attr)
		}
	}
	var numbers []string
	for opt := range bond.AllOptions() {
		if !opt.Info().Slave && has(opt) {
			numbers = append(numbers, strconv.Itoa(int(opt)))
		}
	}
	var sentNumbers []string
	for _, attr := range sent {
		number, _, _ := strings.Cut(attr, "=")
		sentNumbers = append(sentNumbers, number)
	}
	slices.Sort(numbers)
	slices.Sort(sentNumbers)
	if diff := cmp.Diff(sentNumbers, numbers); diff != "" {
		t.Errorf("Has, -sent +got:\n%s", diff)
	}
	data, err := o.AppendAttrs(nil)
	if err != nil {
		t.Fatal(err)
	}
	sent = slices.DeleteFunc(sent, func(s string) bool { return strings.HasPrefix(s, "23=") })
	if diff := cmp.Diff(sent, codecSplit(data, "")); diff != "" {
		t.Errorf("encoded again, -sent +got:\n%s", diff)
	}
}

// TestDecodeEveryKernelsSlaves is the same for slaves.
func TestDecodeEveryKernelsSlaves(t *testing.T) {
	for _, c := range codecCaptures(t, "slave-", codecKernels...) {
		t.Run(c.kernel+"/"+c.name, func(t *testing.T) {
			var s bond.Slave
			if err := s.Decode(c.body); err != nil {
				t.Fatal(err)
			}
			if s.Index == 0 || s.Name == "" || s.Kind != "veth" || s.MasterKind != "bond" || s.Master == 0 || len(s.MAC) != 6 || len(s.PermMAC) != 6 || s.TxQueues == 0 {
				t.Errorf("link: %+v, permanent MAC %v", s.LinkInfo, s.PermMAC)
			}
			lacp, partner := strings.Contains(c.name, "802.3ad"), strings.Contains(c.name, "partner")
			want := bond.Slave{LinkInfo: s.LinkInfo, PermMAC: s.PermMAC}
			oneActive := strings.Contains(c.name, "active-backup")
			if oneActive && !strings.Contains(c.name, "-0") || c.name == "slave-802.3ad-1" {
				want.State = bond.SlaveBackup
			}
			if strings.Contains(c.name, "no-carrier") {
				want.MIIStatus, want.LinkFailures = bond.MIIDown, 1
			}
			if s.Carrier == strings.Contains(c.name, "no-carrier") {
				t.Errorf("carrier %t", s.Carrier)
			}
			if lacp {
				// Which aggregator, and the states, are those of the moment, except
				// in an aggregation that has converged.
				want.AggregatorID, want.ActorPortState, want.PartnerPortState = s.AggregatorID, s.ActorPortState, s.PartnerPortState
				want.ActorChurn, want.PartnerChurn = s.ActorChurn, s.PartnerChurn
				if s.Has(bond.OptionActorPortPrio) {
					want.ActorPortPrio = 255
				}
				if s.AggregatorID == 0 || s.ActorPortState&bond.PortAggregation == 0 {
					t.Errorf("LACP: %+v", s)
				}
			}
			if partner {
				want.AggregatorID, want.ActorPortState, want.PartnerPortState = 1, 0x3f, 0x3f
			}
			if diff := codecDiff(want, s); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			var sent, numbers []string
			for _, attr := range codecSplit(c.body[16:], "", "18", "18.5") {
				if attr, ok := strings.CutPrefix(attr, "18.5."); ok {
					number, _, _ := strings.Cut(attr, "=")
					sent = append(sent, number)
				}
			}
			for opt := range bond.AllOptions() {
				if s.Has(opt) {
					numbers = append(numbers, strconv.Itoa(int(opt.Info().Attr)))
				}
			}
			slices.Sort(sent)
			slices.Sort(numbers)
			if diff := cmp.Diff(sent, numbers); diff != "" {
				t.Errorf("Has, -sent +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeEveryKernelsStats(t *testing.T) {
	var s bond.Stats
	for _, c := range codecCaptures(t, "stats-", codecKernels...) {
		ok, err := s.Decode(c.body)
		if want := strings.Contains(c.name, "802.3ad"); err != nil || ok != want {
			t.Errorf("%s/%s: %t, %v, want %t", c.kernel, c.name, ok, err, want)
		}
		if rest := (bond.Stats{LACPDURx: s.LACPDURx, LACPDUTx: s.LACPDUTx}); s != rest || ok && s.LACPDUTx == 0 {
			t.Errorf("%s/%s: %+v", c.kernel, c.name, s)
		}
	}
}

// TestDecodeEveryKernelsFeatures decodes what every kernel dumps about a bond in
// each mode and state, from the list of its attributes, and encodes it again.
func TestDecodeEveryKernelsFeatures(t *testing.T) {
	for _, kernel := range codecKernels {
		text, err := os.ReadFile(filepath.FromSlash("testdata/netlink/" + kernel + "/features.txt"))
		if err != nil {
			t.Fatal(err)
		}
		var bonds, slaves int
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 4 || strings.HasPrefix(line, "#") {
				continue
			}
			var data []byte
			for _, f := range fields[4:] {
				var typ uint16
				var val string
				if _, err := fmt.Sscanf(f, "%d=%s", &typ, &val); err != nil {
					t.Fatalf("%s: %v", f, err)
				}
				b, err := hex.DecodeString(val)
				if err != nil {
					t.Fatal(err)
				}
				data = codecAttr(data, typ, b)
			}
			switch fields[0] {
			case "bond":
				bonds++
				body := codecBondBody(data)
				var b bond.Bond
				if err := b.Decode(body); err != nil || "mode="+strconv.Itoa(int(b.Mode)) != fields[1] || len(b.Unknown) != 0 {
					t.Errorf("kernel %s: %s%+v, %v", kernel, line, b, err)
				}
				codecSame(t, body, "18.2.", b.Has, b.Options())
			case "slave":
				slaves++
				var s bond.Slave
				if err := s.Decode(codecSlaveBody(data)); err != nil || len(s.Unknown) != 0 || len(s.PermMAC) != 6 {
					t.Errorf("kernel %s: %s%+v, %v", kernel, line, s, err)
				}
			}
		}
		if bonds < 14 || slaves < 14 {
			t.Errorf("kernel %s: %d lines about bonds and %d about slaves", kernel, bonds, slaves)
		}
	}
}
