// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

func TestSetText(t *testing.T) {
	for _, c := range []struct {
		opt  bond.Option
		text string
		want bond.Options
		back string // what Text returns, where it is not text
	}{
		{bond.OptionMode, "802.3ad", bond.Options{Mode: new(bond.Mode8023AD)}, ""},
		{bond.OptionMode, "4", bond.Options{Mode: new(bond.Mode8023AD)}, "802.3ad"},
		{bond.OptionMode, "mode(9)", bond.Options{Mode: new(bond.Mode(9))}, ""},
		{bond.OptionMIIMon, "100", bond.Options{MIIMon: new(100 * time.Millisecond)}, ""},
		{bond.OptionMIIMon, "100ms", bond.Options{MIIMon: new(100 * time.Millisecond)}, "100"},
		{bond.OptionMIIMon, "1.5s", bond.Options{MIIMon: new(1500 * time.Millisecond)}, "1500"},
		{bond.OptionMIIMon, "0", bond.Options{MIIMon: new(time.Duration(0))}, ""},
		{bond.OptionMIIMon, "4294967295", bond.Options{MIIMon: new(4294967295 * time.Millisecond)}, ""},
		{bond.OptionLPInterval, "2", bond.Options{LPInterval: new(2 * time.Second)}, ""},
		{bond.OptionLPInterval, "1m", bond.Options{LPInterval: new(time.Minute)}, "60"},
		{bond.OptionUseCarrier, "1", bond.Options{UseCarrier: new(true)}, "on"},
		{bond.OptionUseCarrier, "true", bond.Options{UseCarrier: new(true)}, "on"},
		{bond.OptionUseCarrier, "off", bond.Options{UseCarrier: new(false)}, ""},
		{bond.OptionLACPActive, "0", bond.Options{LACPActive: new(false)}, "off"},
		{bond.OptionLACPActive, "false", bond.Options{LACPActive: new(false)}, "off"},
		{bond.OptionARPTargets, "192.0.2.1", bond.Options{ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}, ""},
		{bond.OptionARPTargets, "192.0.2.1, 192.0.2.2", bond.Options{ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}}, "192.0.2.1,192.0.2.2"},
		{bond.OptionARPTargets, "", bond.Options{ARPTargets: []netip.Addr{}}, ""},
		{bond.OptionNSTargets, "fe80::1,2001:DB8::1", bond.Options{NSTargets: []netip.Addr{netip.MustParseAddr("fe80::1"), netip.MustParseAddr("2001:db8::1")}}, "fe80::1,2001:db8::1"},
		{bond.OptionNSTargets, "::ffff:192.0.2.1", bond.Options{NSTargets: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1")}}, "::ffff:192.0.2.1"},
		{bond.OptionNSTargets, "", bond.Options{NSTargets: []netip.Addr{}}, ""},
		{bond.OptionPrimary, "eth0", bond.Options{Primary: &bond.Link{Name: "eth0"}}, ""},
		{bond.OptionPrimary, "#5", bond.Options{Primary: &bond.Link{Index: 5}}, ""},
		{bond.OptionPrimary, "#0", bond.Options{Primary: &bond.Link{Name: "#0"}}, ""},
		{bond.OptionPrimary, "#x", bond.Options{Primary: &bond.Link{Name: "#x"}}, ""},
		{bond.OptionPrimary, "\xff\"'", bond.Options{Primary: &bond.Link{Name: "\xff\"'"}}, ""},
		{bond.OptionPrimary, "", bond.Options{Primary: &bond.Link{}}, ""},
		{bond.OptionActiveSlave, "", bond.Options{Active: &bond.Link{}}, ""},
		{bond.OptionADActorSystem, "02:00:00:00:00:01", bond.Options{ADActorSystem: &[6]byte{2, 0, 0, 0, 0, 1}}, ""},
		{bond.OptionADActorSystem, "02-00-00-00-00-AB", bond.Options{ADActorSystem: &[6]byte{2, 0, 0, 0, 0, 0xab}}, "02:00:00:00:00:ab"},
		{bond.OptionADUserPortKey, "65535", bond.Options{ADUserPortKey: new(uint16(65535))}, ""},
		{bond.OptionMissedMax, "255", bond.Options{MissedMax: new(uint8(255))}, ""},
		{bond.OptionXmitHashPolicy, "layer3+4", bond.Options{XmitHashPolicy: new(bond.XmitHashLayer34)}, ""},
		{bond.OptionARPValidate, "3", bond.Options{ARPValidate: new(bond.ARPValidateAll)}, "all"},
	} {
		var o bond.Options
		if err := o.SetText(c.opt, c.text); err != nil {
			t.Errorf("%v %q: %v", c.opt, c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, o, valuesCompare); diff != "" {
			t.Errorf("%v %q (-want +got):\n%s", c.opt, c.text, diff)
		}
		want := c.text
		if c.back != "" {
			want = c.back
		}
		if got := o.Text(c.opt); got != want {
			t.Errorf("%v %q: text %q", c.opt, c.text, got)
		}
	}
}

func TestSetTextRefuses(t *testing.T) {
	for _, c := range []struct {
		opt        bond.Option
		text, hint string
	}{
		{bond.OptionMode, "lacp", "802.3ad"},
		{bond.OptionMode, "7", "802.3ad"},
		{bond.OptionMode, "mode(256)", "802.3ad"},
		{bond.OptionMode, "", "802.3ad"},
		{bond.OptionARPValidate, "filter-active", "filter_active"},
		{bond.OptionMIIMon, "", "0 to 2147483647 milliseconds"},
		{bond.OptionMIIMon, "-1", "0 to 2147483647 milliseconds"},
		{bond.OptionMIIMon, "-1s", "0 to 2147483647 milliseconds"},
		{bond.OptionMIIMon, "100us", "units of 1ms"},
		{bond.OptionMIIMon, "4294967296", "milliseconds"},
		{bond.OptionMIIMon, "9223372036854775808", "milliseconds"},
		{bond.OptionMIIMon, "100 ms", "milliseconds"},
		{bond.OptionMIIMon, "10e3", "milliseconds"},
		{bond.OptionLPInterval, "1500ms", "units of 1s"},
		{bond.OptionLPInterval, "one", "1 to 2147483647 seconds"},
		{bond.OptionUseCarrier, "2", "on or off"},
		{bond.OptionUseCarrier, "", "on or off"},
		{bond.OptionUseCarrier, "yes", "on or off"},
		{bond.OptionNumPeerNotif, "256", "0 to 255"},
		{bond.OptionADUserPortKey, "65536", "0 to 1023"},
		{bond.OptionMinLinks, "1.5", "0 to 2147483647"},
		{bond.OptionARPTargets, "2001:db8::1", "ns_ip6_target"},
		{bond.OptionARPTargets, "::ffff:192.0.2.1", "ns_ip6_target"},
		{bond.OptionARPTargets, "192.0.2.1,", "not an IP address"},
		{bond.OptionARPTargets, "192.0.2.256", "not an IP address"},
		{bond.OptionARPTargets, "gateway", "not an IP address"},
		{bond.OptionNSTargets, "192.0.2.1", "arp_ip_target"},
		{bond.OptionNSTargets, "fe80::1%eth0", "zone"},
		{bond.OptionPrimary, "a/b", "interface"},
		{bond.OptionPrimary, "..", "interface"},
		{bond.OptionPrimary, "a b", "interface"},
		{bond.OptionPrimary, "a\x00", "interface"},
		{bond.OptionPrimary, strings.Repeat("x", 128), "interface"},
		{bond.OptionADActorSystem, "", "02:00:00:00:00:01"},
		{bond.OptionADActorSystem, "02:00:00:00:00", "02:00:00:00:00:01"},
		{bond.OptionADActorSystem, "02:00:00:00:00:00:00:01", "02:00:00:00:00:01"},
		{bond.OptionADInfo, "1", "cannot be set"},
		{bond.OptionPrio, "1", "option of a slave"},
		{0, "1", "not an option"},
		{35, "1", "not an option"},
		{255, "1", "not an option"},
	} {
		o := fullOptions()
		err := o.SetText(c.opt, c.text)
		e, ok := errors.AsType[*bond.Error](err)
		if !ok || !errors.Is(err, bond.ErrBadValue) || e.Option != c.opt || !strings.Contains(e.Hint, c.hint) || e.Value != strconv.Quote(c.text) {
			t.Errorf("%v %q: %v, want a hint with %q", c.opt, c.text, err, c.hint)
		}
		if diff := cmp.Diff(fullOptions(), o, valuesCompare); diff != "" {
			t.Errorf("%v %q changed:\n%s", c.opt, c.text, diff)
		}
	}
	s := fullSlaveOptions()
	for opt, text := range map[bond.Option]string{
		bond.OptionQueueID: "65536", bond.OptionPrio: "2147483648", bond.OptionActorPortPrio: "-1", bond.OptionMode: "802.3ad",
		bond.OptionSlaveState: "active", bond.OptionPermMAC: "02:00:00:00:00:01", 127: "1",
	} {
		if err := s.SetText(opt, text); !errors.Is(err, bond.ErrBadValue) || s.Text(bond.OptionPrio) != "-5" {
			t.Errorf("slave %v %q: %v", opt, text, err)
		}
	}
	if err := s.SetText(bond.OptionPrio, "-2147483648"); err != nil || s.Text(bond.OptionPrio) != "-2147483648" {
		t.Errorf("prio %q, %v", s.Text(bond.OptionPrio), err)
	}
}

// Every option that Text gives a text for is set to the same by SetText.
func TestTextRoundTrip(t *testing.T) {
	for _, o := range []bond.Options{fullOptions(), emptyOptions()} {
		var back bond.Options
		for opt := range o.All() {
			if err := back.SetText(opt, o.Text(opt)); err != nil {
				t.Errorf("%v %q: %v", opt, o.Text(opt), err)
			}
		}
		// Text has the name of a link only.
		o.Active.Index, o.Primary.Index = 0, 0
		if diff := cmp.Diff(o, back, valuesCompare); diff != "" {
			t.Errorf("(-set +read):\n%s", diff)
		}
	}
	s := fullSlaveOptions()
	var back bond.SlaveOptions
	for _, opt := range slaveOptionsFields {
		if err := back.SetText(opt, s.Text(opt)); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(s, back); diff != "" {
		t.Errorf("(-set +read):\n%s", diff)
	}
	var zero bond.Options
	var zeroSlave bond.SlaveOptions
	for opt := range bond.AllOptions() {
		if zero.Text(opt) != "" || zeroSlave.Text(opt) != "" {
			t.Errorf("%v has a text in the zero value", opt)
		}
	}
	if got := (&bond.Options{UpDelay: new(1500 * time.Microsecond)}).Text(bond.OptionUpDelay); got != "1.5ms" {
		t.Errorf("a time that the kernel does not take is %q", got)
	}
}

func TestSlaveText(t *testing.T) {
	s := bond.Slave{
		State: bond.SlaveBackup, MIIStatus: bond.MIIGoingBack, LinkFailures: 4294967295, PermMAC: []byte{2, 0, 0, 0, 0, 1}, QueueID: 3, Prio: -7,
		AggregatorID: 1, ActorPortState: 0x3d, PartnerPortState: 0x3f, ActorPortPrio: 255, ActorChurn: bond.ChurnMonitor, PartnerChurn: bond.ChurnState(7),
	}
	want := map[bond.Option]string{
		bond.OptionSlaveState: "backup", bond.OptionMIIStatus: "going-back", bond.OptionLinkFailures: "4294967295",
		bond.OptionPermMAC: "02:00:00:00:00:01", bond.OptionQueueID: "3", bond.OptionPrio: "-7", bond.OptionAggregatorID: "1",
		bond.OptionActorPortState:   "activity,aggregation,sync,collecting,distributing",
		bond.OptionPartnerPortState: "activity,timeout,aggregation,sync,collecting,distributing", bond.OptionActorPortPrio: "255",
		bond.OptionActorChurn: "monitoring", bond.OptionPartnerChurn: "churn(7)",
	}
	for opt := range bond.AllOptions() {
		if got := s.Text(opt); got != "" {
			t.Errorf("%v is %q, and the kernel did not say it", opt, got)
		}
		if opt.Info().Slave {
			bond.ValuesSetSlaveHas(&s, opt)
		}
		if got := s.Text(opt); got != want[opt] {
			t.Errorf("%v is %q, want %q", opt, got, want[opt])
		}
	}
	b := bond.Bond{AD: bond.ADInfo{AggregatorID: 1, Ports: 2, ActorKey: 9, PartnerKey: 10, PartnerMAC: [6]byte{2, 0, 0, 0, 0, 9}}}
	bond.ValuesSetHas(&b, true, bond.OptionADInfo)
	if got := b.Text(bond.OptionADInfo); got != "aggregator 1 ports 2 actor_key 9 partner_key 10 partner_mac 02:00:00:00:00:09" {
		t.Errorf("ad_info is %q", got)
	}
}
