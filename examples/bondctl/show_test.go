// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

const inSync = bond.PortActivity | bond.PortAggregation | bond.PortSync | bond.PortCollecting | bond.PortDistributing

// host makes a machine with bonds in every state.
func host(t *testing.T) *bench {
	b := newBench(t, nil)
	for i, name := range []string{"eth0", "eth1", "eth2", "eth3", "eth4", "eth5", "\x1b[2Jo\xffdd"} {
		b.kernel.AddLink(name, &bondtest.LinkConfig{Index: 2 + i, MAC: mac(byte(1 + i))})
	}
	b.must("create bond0 mode=active-backup miimon=100 updelay=200 slaves=eth0,eth1 primary=eth0 up")
	b.must("create lacp mode=802.3ad lacp_rate=fast xmit_hash_policy=layer3+4 min_links=1 slaves=eth2,eth3 up")
	b.run("create bare mode=balance-rr slaves=eth4,eth5 up")
	b.run("create empty mode=balance-xor arp_interval=500 arp_ip_target=192.0.2.1,192.0.2.2 arp_validate=all mac=02:00:5e:00:53:ee")
	b.run("create odd mode=active-backup arp_interval=500 arp_ip_target=192.0.2.1 arp_validate=all up")
	b.must("enslave odd #8 queue_id=3")
	b.kernel.SetCarrier("eth1", false)
	b.kernel.SetADInfo("lacp", &bond.ADInfo{AggregatorID: 1, Ports: 1, ActorKey: 15, PartnerKey: 13, PartnerMAC: [6]byte{2, 0, 0x5e, 0, 0x53, 0xaa}})
	b.kernel.SetLACP("eth2", bondtest.LACP{AggregatorID: 1, Actor: inSync | bond.PortShortTimeout, Partner: inSync, ActorChurn: bond.ChurnNone, PartnerChurn: bond.ChurnNone})
	b.kernel.SetLACP("eth3", bondtest.LACP{AggregatorID: 2, Actor: bond.PortActivity | bond.PortAggregation | bond.PortDefaulted, Partner: bond.PortShortTimeout})
	b.speeds = map[int]speed{2: {10000, "full"}, 3: {100, "half"}, 4: {25000, "full"}, 6: {mbps: 2500}}
	return b
}

func TestShow(t *testing.T) {
	b := host(t)
	golden(t, "show.txt", b.must("show"))
	golden(t, "show-lacp.txt", b.must("show lacp"))
	golden(t, "show.json", b.must("show -json"))
	b.transport = b.kernel.Unprivileged
	golden(t, "show-hidden.txt", b.must("show lacp"))
	b.terminal = true
	golden(t, "show-color.txt", b.must("show bond0"))
	plain := b.must("show bond0 -no-color")
	if strings.Contains(plain, "\x1b") {
		t.Errorf("colours with -no-color: %q", plain)
	}
	for _, env := range []map[string]string{{"NO_COLOR": "1"}, {"TERM": "dumb"}} {
		b.env = env
		if got := b.must("show bond0"); got != plain {
			t.Errorf("colours with %v: %q", env, got)
		}
	}
}

// TestShowOddNames lets no control character through, in no way of showing.
func TestShowOddNames(t *testing.T) {
	b := host(t)
	for _, line := range []string{"show", "show -json", "show odd"} {
		for _, r := range b.must(line) {
			if r < ' ' && r != '\n' || r == 0x7f {
				t.Errorf("%s prints %q", line, r)
				break
			}
		}
	}
	_, stderr, status := b.run("show \x1b[2J")
	if status != cli.ExitFailed || strings.Contains(stderr, "\x1b") || !strings.Contains(stderr, `\x1b[2J`) {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// TestShowNothing has no bond to show.
func TestShowNothing(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	if got, want := b.must("show"), "no bonds\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := b.must("show -json"), "[]\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, tt := range []struct{ line, want string }{{"show bond7", "bond7"}, {"show eth0", "not a bond"}, {"show #77", "#77"}} {
		stdout, stderr, status := b.run(tt.line)
		if status != cli.ExitFailed || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: status %d, standard output %q, standard error %q", tt.line, status, stdout, stderr)
		}
	}
}

// TestShowNoDriver says that the driver is not there.
func TestShowNoDriver(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.noDriver = true
	if got, want := b.must("show"), "no bonds; the bonding driver is not loaded\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := b.must("show -json"), "[]\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if _, stderr, status := b.run("show bond0"); status != cli.ExitFailed || !strings.HasSuffix(stderr, " (the bonding driver is not loaded)\n") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// TestShowSlave names the bond of an interface that is none.
func TestShowSlave(t *testing.T) {
	b := host(t)
	_, stderr, status := b.run("show eth1")
	if want := "bondctl: get eth1: not a bond (it is a slave of bond0)\n"; status != cli.ExitFailed || stderr != want {
		t.Errorf("status %d, standard error %q, want %q", status, stderr, want)
	}
}

// TestShowUnusualLACP shows what is not as in a new bond.
func TestShowUnusualLACP(t *testing.T) {
	b := newBench(t, nil)
	b.must("create bond0 mode=802.3ad ad_actor_sys_prio=5 ad_user_port_key=7 ad_actor_system=02:00:5e:00:53:44")
	want := "ad_actor_sys_prio 5, ad_user_port_key 7, ad_actor_system 02:00:5e:00:53:44\n"
	if got := b.must("show"); !strings.Contains(got, want) {
		t.Errorf("%s has no %s", got, want)
	}
}

//go:embed main.go
var mainSource string

// TestDocumentedKeys looks for every key of the JSON in the documentation of the command.
func TestDocumentedKeys(t *testing.T) {
	doc, _, _ := strings.Cut(mainSource, "\npackage main")
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(doc, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		words[w] = true
	}
	// Options have the names that bondctl options shows.
	for opt := range bond.AllOptions() {
		words[opt.String()] = true
	}
	var look func(where string, v any)
	look = func(where string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, v := range v {
				if !words[key] {
					t.Errorf("%s: the documentation has no %s", where, key)
				}
				look(where, v)
			}
		case []any:
			for _, v := range v {
				look(where, v)
			}
		}
	}
	b := host(t)
	b.kernel.SetUnknown("bond0", []bond.Attr{{Type: 99, Data: []byte{1}}})
	for _, line := range []string{"show -json", "options -json"} {
		var v any
		if err := json.Unmarshal([]byte(b.must(line)), &v); err != nil {
			t.Fatal(err)
		}
		look(line, v)
	}
	w := b.watch("-json")
	for _, line := range w.until(`"synced"`) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		look("watch -json", v)
	}
}

// TestShowJSONKeys holds the keys to the documentation of the command.
func TestShowJSONKeys(t *testing.T) {
	b := host(t)
	var bonds []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(b.must("show -json")), &bonds); err != nil {
		t.Fatal(err)
	}
	if len(bonds) != 5 {
		t.Fatalf("%d bonds", len(bonds))
	}
	states := map[string]string{}
	for _, doc := range bonds {
		var name, state, reason string
		for key, p := range map[string]*string{"name": &name, "state": &state, "reason": &reason} {
			if err := json.Unmarshal(doc[key], p); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
		}
		states[name] = state + " " + reason
		for _, key := range []string{"name", "index", "mac", "mtu", "up", "carrier", "operstate", "options", "state", "reason", "slaves"} {
			if doc[key] == nil {
				t.Errorf("%s has no %s", name, key)
			}
		}
		var slaves []map[string]json.RawMessage
		if err := json.Unmarshal(doc["slaves"], &slaves); err != nil {
			t.Fatal(err)
		}
		for _, s := range slaves {
			for _, key := range []string{"name", "index", "up", "carrier", "speed_mbps", "duplex"} {
				if s[key] == nil {
					t.Errorf("slave %s of %s has no %s", s["name"], name, key)
				}
			}
		}
	}
	want := map[string]string{
		"bond0": "degraded eth1 down",
		"lacp":  "degraded eth3 outside the active aggregator",
		"bare":  "no-monitor miimon and arp_interval are 0",
		"empty": "down switched off",
		"odd":   "ok only one slave",
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

// TestShowManySlaves shows 200 slaves, in one line each.
func TestShowManySlaves(t *testing.T) {
	b := newBench(t, nil)
	b.must("create bond0 mode=balance-rr miimon=100 up")
	words := []string{"enslave", "bond0"}
	for i := range 200 {
		name := "p" + strings.Repeat("x", i%9) + string(rune('a'+i/26)) + string(rune('a'+i%26))
		b.kernel.AddLink(name, nil)
		words = append(words, name)
	}
	b.must(strings.Join(words, " "))
	lines := strings.Split(strings.TrimSpace(b.must("show bond0")), "\n")
	if len(lines) != 203 || lines[0] != "bond0  OK" {
		t.Fatalf("%d lines, the first of them %q", len(lines), lines[0])
	}
	column := strings.Index(lines[2], "STATE")
	if i := slices.IndexFunc(lines[3:], func(l string) bool { return !strings.HasPrefix(l[column:], "active") }); i >= 0 {
		t.Errorf("line %q is not aligned with %q", lines[3+i], lines[2])
	}
}
