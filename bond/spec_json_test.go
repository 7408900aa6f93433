// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

func TestSpecJSON(t *testing.T) {
	for _, c := range []struct {
		spec bond.Spec
		text string
	}{
		{bond.Spec{Name: "bond0"}, `{"name":"bond0"}`},
		{bond.Spec{Name: "bond0", Slaves: []bond.SlaveSpec{}}, `{"name":"bond0","slaves":[]}`},
		{
			bond.Spec{
				Name: "bond0", Options: bond.Options{Mode: new(bond.ModeActiveBackup)},
				Slaves: []bond.SlaveSpec{{Name: "eth0", Options: bond.SlaveOptions{Prio: new(int32(5))}}, {Name: "eth1"}},
				Up:     new(true), MAC: []byte{2, 0, 0, 0, 0, 1}, MTU: new(9000), TxQueues: new(4),
			},
			`{"name":"bond0","options":{"mode":"active-backup"},"slaves":[{"name":"eth0","options":{"prio":5}},{"name":"eth1"}],` +
				`"up":true,"mac":"02:00:00:00:00:01","mtu":9000,"tx_queues":4}`,
		},
		{bond.Spec{Up: new(false)}, `{"name":"","up":false}`},
	} {
		text, err := json.Marshal(c.spec)
		if err != nil || string(text) != c.text {
			t.Errorf("%v\n got %s\nwant %s", err, text, c.text)
		}
		if text, err = json.Marshal(&c.spec); err != nil || string(text) != c.text {
			t.Errorf("by pointer: %v, %s", err, text)
		}
		back := bond.Spec{Name: "old", MTU: new(1), Slaves: []bond.SlaveSpec{{Name: "old"}}}
		if err := json.Unmarshal(text, &back); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(c.spec, back, valuesCompare); diff != "" {
			t.Errorf("%s (-written +read):\n%s", text, diff)
		}
	}
	var spec bond.Spec
	text := `{"slaves":["eth0",{"name":"eth1"}],"name":"b","options":null,"up":null,"mac":null,"mtu":null,"tx_queues":null}`
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	want := bond.Spec{Name: "b", Slaves: []bond.SlaveSpec{{Name: "eth0"}, {Name: "eth1"}}}
	if diff := cmp.Diff(want, spec, valuesCompare); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	spec = bond.Spec{}
	if err := json.Unmarshal([]byte(`{"slaves":null}`), &spec); err != nil || spec.Slaves != nil {
		t.Errorf("slaves null: %v, %v", spec.Slaves, err)
	}
}

func TestSpecJSONRefuses(t *testing.T) {
	for text, says := range map[string]string{
		`{"Name":"b"}`:                    "one of name, options, slaves, up, mac, mtu, tx_queues",
		`{"nam":"b"}`:                     "one of name",
		`{"name":5}`:                      "name 5",
		`{"name":"b","name":"b"}`:         "twice",
		`{"options":[]}`:                  "not an object",
		`{"options":{"mode":"lacp"}}`:     "802.3ad",
		`{"options":{"x":1}}`:             "no such option",
		`{"slaves":"eth0"}`:               "slaves",
		`{"slaves":[5]}`:                  "not an object",
		`{"slaves":[null]}`:               "a slave needs a name",
		`{"slaves":[{}]}`:                 "a slave needs a name",
		`{"slaves":[{"name":""}]}`:        "a slave needs a name",
		`{"slaves":[{"name":"e","x":1}]}`: "one of name, options",
		`{"up":1}`:                        "up 1",
		`{"mac":"x"}`:                     "hardware address",
		`{"mac":""}`:                      "hardware address",
		`{"mtu":"9000"}`:                  "mtu",
		`{"mtu":1.5}`:                     "mtu",
		`{"tx_queues":[]}`:                "tx_queues",
		`["bond0"]`:                       "not an object",

		`{"slaves":[{"name":"e","options":{"mode":1}}]}`:   "option of a bond",
		`{"slaves":[{"name":"e","options":{"prio":"x"}}]}`: "prio",
	} {
		spec := bond.Spec{Name: "old"}
		err := json.Unmarshal([]byte(text), &spec)
		if _, ok := errors.AsType[*bond.Error](err); !ok || !errors.Is(err, bond.ErrBadValue) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", text, err, says)
		}
		if spec.Name != "old" || spec.Slaves != nil {
			t.Errorf("%s changed the spec", text)
		}
	}
}
