// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

func TestBondJSON(t *testing.T) {
	b := valuesBond(bond.Options{
		Mode: new(bond.Mode8023AD), MIIMon: new(100 * time.Millisecond), UseCarrier: new(true), Primary: &bond.Link{Index: 9},
	})
	b.MAC, b.MTU, b.TxQueues, b.Flags, b.Carrier, b.OperState = []byte{2, 0, 0, 0, 0, 1}, 1500, 16, bond.FlagUp, true, bond.OperUp
	b.AD = bond.ADInfo{AggregatorID: 1, Ports: 2, ActorKey: 9, PartnerKey: 10, PartnerMAC: [6]byte{2, 0, 0, 0, 0, 9}}
	b.Unknown = []bond.Attr{{Type: 35, Data: []byte{1, 0xff}}, {Type: 36}}
	const head = `{"name":"bond0","index":2,"mac":"02:00:00:00:00:01","mtu":1500,"tx_queues":16,"up":true,"carrier":true,"operstate":"up",` +
		`"options":{"mode":"802.3ad","miimon":100,"use_carrier":true,"primary":"#9"}`
	const tail = `,"unknown":[{"type":35,"data":"01ff"},{"type":36,"data":""}]}`
	check := func(want string) {
		t.Helper()
		for _, v := range []any{b, *b} {
			if text, err := json.Marshal(v); err != nil || string(text) != want {
				t.Errorf("%v\n got %s\nwant %s", err, text, want)
			}
		}
	}
	// ad_info only where the kernel said something.
	check(head + tail)
	bond.ValuesSetHas(b, true, bond.OptionADInfo)
	check(head + `,"ad_info":{"aggregator":1,"num_ports":2,"actor_key":9,"partner_key":10,"partner_mac":"02:00:00:00:00:09"}` + tail)

	zero, err := json.Marshal(bond.Bond{})
	if want := `{"name":"","index":0,"mac":"","mtu":0,"up":false,"carrier":false,"operstate":"unknown","options":{}}`; err != nil || string(zero) != want {
		t.Errorf("zero Bond: %s, %v", zero, err)
	}
	// A hostile name stays inside its string.
	b.Name = "\"},\xff<"
	var back struct{ Name string }
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &back); err != nil || back.Name != `"},\xff<` {
		t.Errorf("name %q, %v", back.Name, err)
	}
}

func TestSlaveJSON(t *testing.T) {
	s := bond.Slave{
		State: bond.SlaveBackup, MIIStatus: bond.MIIDown, LinkFailures: 3, PermMAC: []byte{2, 0, 0, 0, 0, 7}, QueueID: 2, Prio: -5,
		AggregatorID: 1, ActorPortState: 0x05, PartnerPortState: 0x3f, ActorChurn: bond.ChurnChurned, PartnerChurn: bond.ChurnNone,
	}
	s.Link, s.Master, s.MTU, s.OperState = bond.Link{Index: 3, Name: "eth0"}, 2, 1500, bond.OperDown
	const head = `{"name":"eth0","index":3,"mac":"","mtu":1500,"master":2,"up":false,"carrier":false,"operstate":"down","options":`
	check := func(want string) {
		t.Helper()
		for _, v := range []any{&s, s} {
			if text, err := json.Marshal(v); err != nil || string(text) != want {
				t.Errorf("%v\n got %s\nwant %s", err, text, want)
			}
		}
	}
	check(head + `{}}`)
	bond.ValuesSetSlaveHas(&s, bond.OptionQueueID, bond.OptionPrio, bond.OptionSlaveState, bond.OptionMIIStatus, bond.OptionLinkFailures, bond.OptionPermMAC)
	const basic = `{"queue_id":2,"prio":-5},"state":"backup","mii_status":"down","link_failure_count":3,"perm_hwaddr":"02:00:00:00:00:07"`
	check(head + basic + `}`)
	bond.ValuesSetSlaveHas(&s, bond.OptionAggregatorID, bond.OptionActorPortState, bond.OptionPartnerPortState, bond.OptionActorChurn, bond.OptionPartnerChurn)
	s.Unknown = []bond.Attr{{Type: 13, Data: []byte{1}}}
	check(head + basic + `,"ad_aggregator_id":1,"ad_actor_oper_port_state":"activity,aggregation",` +
		`"ad_partner_oper_port_state":"activity,timeout,aggregation,sync,collecting,distributing",` +
		`"ad_churn_actor_state":"churned","ad_churn_partner_state":"none","unknown":[{"type":13,"data":"01"}]}`)
}
