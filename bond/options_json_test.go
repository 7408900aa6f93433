// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

const fullOptionsJSON = `{"mode":"802.3ad","active_slave":"eth1","miimon":100,"updelay":200,"downdelay":300,"peer_notif_delay":400,` +
	`"use_carrier":false,"arp_interval":500,"arp_ip_target":["192.0.2.1","192.0.2.2"],"ns_ip6_target":["2001:db8::1","fe80::2"],` +
	`"arp_validate":"filter_backup","arp_all_targets":"all","primary":"eth0","primary_reselect":"failure","fail_over_mac":"follow",` +
	`"xmit_hash_policy":"vlan+srcmac","resend_igmp":7,"num_grat_arp":8,"all_slaves_active":true,"min_links":2,"lp_interval":9,` +
	`"packets_per_slave":10,"lacp_active":false,"lacp_rate":"fast","ad_select":"actor_port_prio","ad_actor_sys_prio":11,` +
	`"ad_user_port_key":12,"ad_actor_system":"02:00:00:00:00:0d","tlb_dynamic_lb":false,"arp_missed_max":14,"coupled_control":false,` +
	`"broadcast_neighbor":true,"lacp_strict":true}`

func TestOptionsJSON(t *testing.T) {
	full := fullOptions()
	full.Active.Index = 0 // JSON has the name only
	for _, c := range []struct {
		o    bond.Options
		text string
	}{
		{bond.Options{}, `{}`},
		{full, fullOptionsJSON},
		{bond.Options{ARPTargets: []netip.Addr{}, NSTargets: []netip.Addr{}}, `{"arp_ip_target":[],"ns_ip6_target":[]}`},
		{bond.Options{Primary: &bond.Link{}, Active: &bond.Link{Index: 5}}, `{"active_slave":"#5","primary":""}`},
		{bond.Options{Mode: new(bond.Mode(9)), ADSelect: new(bond.ADSelect(200))}, `{"mode":"mode(9)","ad_select":"ad_select(200)"}`},
		{bond.Options{MIIMon: new(time.Duration(0)), LACPActive: new(false)}, `{"miimon":0,"lacp_active":false}`},
	} {
		text, err := json.Marshal(c.o)
		if err != nil || string(text) != c.text {
			t.Errorf("%v\n got %s\nwant %s", err, text, c.text)
		}
		if text, err = json.Marshal(&c.o); err != nil || string(text) != c.text {
			t.Errorf("by pointer: %v, %s", err, text)
		}
		back := fullOptions() // all of it is replaced
		if err := json.Unmarshal(text, &back); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(c.o, back, valuesCompare); diff != "" {
			t.Errorf("%s (-written +read):\n%s", text, diff)
		}
	}
	text, err := json.Marshal(bond.Options{MIIMon: new(1500 * time.Microsecond)})
	if err != nil || string(text) != `{"miimon":"1.5ms"}` {
		t.Errorf("a time that the kernel does not take: %s, %v", text, err)
	}
}

func TestOptionsJSONAccepts(t *testing.T) {
	for text, want := range map[string]bond.Options{
		` { "miimon" : "100ms" } `:                    {MIIMon: new(100 * time.Millisecond)},
		`{"lp_interval":"1m"}`:                        {LPInterval: new(time.Minute)},
		`{"mode":4}`:                                  {Mode: new(bond.Mode8023AD)},
		`{"mode":"4"}`:                                {Mode: new(bond.Mode8023AD)},
		`{"mode":"802.3\u0061d"}`:                     {Mode: new(bond.Mode8023AD)},
		`{"use_carrier":1,"lacp_active":0}`:           {UseCarrier: new(true), LACPActive: new(false)},
		`{"use_carrier":"on"}`:                        {UseCarrier: new(true)},
		`{"resend_igmp":"3"}`:                         {ResendIGMP: new(uint32(3))},
		`{"arp_ip_target":"192.0.2.1,192.0.2.2"}`:     {ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}},
		`{"arp_ip_target":[]}`:                        {ARPTargets: []netip.Addr{}},
		`{"mode":null,"arp_ip_target":null}`:          {},
		`{"peer_notify_delay":100,"num_unsol_na":2}`:  {PeerNotifDelay: new(100 * time.Millisecond), NumPeerNotif: new(uint8(2))},
		`{"primary":"eth0","active_slave":""}`:        {Primary: &bond.Link{Name: "eth0"}, Active: &bond.Link{}},
		`{"primary":"#7"}`:                            {Primary: &bond.Link{Index: 7}},
		`{"ad_actor_system":"00:00:00:00:00:00"}`:     {ADActorSystem: &[6]byte{}},
		`{"arp_missed_max":5,"broadcast_neighbor":0}`: {MissedMax: new(uint8(5)), BroadcastNeighbor: new(false)},
	} {
		var o bond.Options
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, o, valuesCompare); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	// As for everything else, null changes nothing.
	o := fullOptions()
	if err := json.Unmarshal([]byte(`null`), &o); err != nil || o.IsZero() {
		t.Errorf("null: %v", err)
	}
}

func TestOptionsJSONRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		opt  bond.Option
		says string
	}{
		{`{"mode":"lacp"}`, bond.OptionMode, "balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb"},
		{`{"mode":9}`, bond.OptionMode, "802.3ad"},
		{`{"mode":true}`, bond.OptionMode, "wrong type"},
		{`{"mode":["802.3ad"]}`, bond.OptionMode, "wrong type"},
		{`{"mode":{}}`, bond.OptionMode, "wrong type"},
		{`{"xmit_hash_policy":"layer4"}`, bond.OptionXmitHashPolicy, "layer3+4"},
		{`{"miimon":1.5}`, bond.OptionMIIMon, "milliseconds"},
		{`{"miimon":1e2}`, bond.OptionMIIMon, "milliseconds"},
		{`{"miimon":-1}`, bond.OptionMIIMon, "milliseconds"},
		{`{"miimon":"1.5ms"}`, bond.OptionMIIMon, "units of 1ms"},
		{`{"miimon":99999999999999999999}`, bond.OptionMIIMon, "milliseconds"},
		{`{"miimon":false}`, bond.OptionMIIMon, "wrong type"},
		{`{"num_grat_arp":256}`, bond.OptionNumPeerNotif, "0 to 255"},
		{`{"use_carrier":2}`, bond.OptionUseCarrier, "on or off"},
		{`{"arp_ip_target":"gateway"}`, bond.OptionARPTargets, "not an IP address"},
		{`{"arp_ip_target":[1]}`, bond.OptionARPTargets, "array of addresses"},
		{`{"arp_ip_target":[null]}`, bond.OptionARPTargets, "array of addresses"},
		{`{"arp_ip_target":[["192.0.2.1"]]}`, bond.OptionARPTargets, "array of addresses"},
		{`{"arp_ip_target":["2001:db8::1"]}`, bond.OptionARPTargets, "ns_ip6_target"},
		{`{"arp_ip_target":[" 192.0.2.1"]}`, bond.OptionARPTargets, "not an IP address"},
		{`{"arp_ip_target":192}`, bond.OptionARPTargets, "wrong type"},
		{`{"primary":5}`, bond.OptionPrimary, "wrong type"},
		{`{"primary":"a/b"}`, bond.OptionPrimary, "interface"},
		{`{"ad_actor_system":"02:00"}`, bond.OptionADActorSystem, "hardware address"},
		{`{"miimon":100,"miimon":100}`, 0, "twice"},
		{`{"num_grat_arp":1,"num_unsol_na":2}`, bond.OptionNumPeerNotif, "twice"},
		{`{"prio":1}`, bond.OptionPrio, "option of a slave"},
		{`{"ad_info":{}}`, bond.OptionADInfo, "cannot be set"},
		{`{"ad_info":null}`, bond.OptionADInfo, "cannot be set"},
		{`{"MIIMON":100}`, 0, "no such option"},
		{`{"mimon":null}`, 0, "no such option"},
		{`{"":1}`, 0, "no such option"},
		{`[]`, 0, "not an object"},
		{`"mode"`, 0, "not an object"},
		{`5`, 0, "not an object"},
	} {
		o := fullOptions()
		err := json.Unmarshal([]byte(c.text), &o)
		e, ok := errors.AsType[*bond.Error](err)
		if !ok || !errors.Is(err, bond.ErrBadValue) || e.Option != c.opt || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", c.text, err, c.says)
		}
		if diff := cmp.Diff(fullOptions(), o, valuesCompare); diff != "" {
			t.Errorf("%s changed:\n%s", c.text, diff)
		}
	}
	// Called without encoding/json before it.
	for _, text := range []string{"", "{", `{"mode"`, `{"mode":`, `{"mode":"802.3ad"`, `{} {}`, `null null`, `{"mode":"802.3ad"}x`, `{"mode":nul}`, `{1:2}`, "\xff", strings.Repeat("[", 20000)} {
		o := fullOptions()
		if err := o.UnmarshalJSON([]byte(text)); !errors.Is(err, bond.ErrBadValue) || !o.Has(bond.OptionLACPStrict) {
			t.Errorf("%.20q: %v", text, err)
		}
		var s bond.SlaveOptions
		if err := s.UnmarshalJSON([]byte(text)); !errors.Is(err, bond.ErrBadValue) {
			t.Errorf("slave %.20q: %v", text, err)
		}
		var spec bond.Spec
		if err := spec.UnmarshalJSON([]byte(text)); !errors.Is(err, bond.ErrBadValue) {
			t.Errorf("spec %.20q: %v", text, err)
		}
	}
}

func TestSlaveOptionsJSON(t *testing.T) {
	for text, want := range map[string]bond.SlaveOptions{
		`{}`: {},
		`{"queue_id":3,"prio":-5,"actor_port_prio":100}`: fullSlaveOptions(),
		`{"prio":0}`: {Prio: new(int32(0))},
	} {
		var o bond.SlaveOptions
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, o); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if back, err := json.Marshal(o); err != nil || string(back) != text {
			t.Errorf("%s, %v, want %s", back, err, text)
		}
	}
	for _, text := range []string{`{"mode":1}`, `{"state":"active"}`, `{"prio":2147483648}`, `{"queue_id":-1}`, `{"prio":1,"prio":1}`, `{"prio":[1]}`, `{"x":1}`, `{"prio":true}`} {
		o := fullSlaveOptions()
		if err := json.Unmarshal([]byte(text), &o); !errors.Is(err, bond.ErrBadValue) || *o.Prio != -5 {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzOptionsJSON: what is read, written and read again is the same.
func FuzzOptionsJSON(f *testing.F) {
	f.Add([]byte(fullOptionsJSON))
	f.Add([]byte(`{"mode":"mode(9)","miimon":"100ms","use_carrier":1,"arp_ip_target":[],"primary":"#5","num_unsol_na":3}`))
	f.Add([]byte(`{"active_slave":"\ud800","primary":"<&>","ad_actor_system":"00:00:00:00:00:00","ns_ip6_target":"::2"}`))
	f.Add([]byte(`{"mode":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var o bond.Options
		if err := json.Unmarshal(data, &o); err != nil {
			if !o.IsZero() {
				t.Errorf("%v, and something was set", err)
			}
			return
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var back bond.Options
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(o, back, valuesCompare); diff != "" {
			t.Errorf("%s (-read +again):\n%s", text, diff)
		}
		bond.Validate(o, nil)
	})
}

// FuzzSetText: the text of what was read is read as the same.
func FuzzSetText(f *testing.F) {
	full, slave := fullOptions(), fullSlaveOptions()
	for opt := range full.All() {
		f.Add(uint8(opt), full.Text(opt))
	}
	for _, opt := range slaveOptionsFields {
		f.Add(uint8(opt), slave.Text(opt))
	}
	f.Add(uint8(bond.OptionMIIMon), "1h2m3.004s")
	f.Add(uint8(bond.OptionPrimary), "#5")
	f.Fuzz(func(t *testing.T, n uint8, text string) {
		opt := bond.Option(n)
		type texter interface {
			SetText(bond.Option, string) error
			Text(bond.Option) string
		}
		for _, pair := range [][2]texter{{&bond.Options{}, &bond.Options{}}, {&bond.SlaveOptions{}, &bond.SlaveOptions{}}} {
			if err := pair[0].SetText(opt, text); err != nil {
				if _, ok := errors.AsType[*bond.Error](err); !ok || !errors.Is(err, bond.ErrBadValue) {
					t.Errorf("error %#v", err)
				}
				continue
			}
			first := pair[0].Text(opt)
			if err := pair[1].SetText(opt, first); err != nil {
				t.Fatalf("%v %q became %q: %v", opt, text, first, err)
			}
			if second := pair[1].Text(opt); second != first {
				t.Errorf("%v %q became %q and then %q", opt, text, first, second)
			}
			if diff := cmp.Diff(pair[0], pair[1], valuesCompare); diff != "" {
				t.Errorf("%v %q (-first +second):\n%s", opt, text, diff)
			}
		}
	})
}
