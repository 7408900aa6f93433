// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/procfs"
)

// TestStrictNotBeforeTheDeviation: a line that is too much is never blamed on a
// line before it, of which strict parsing has no complaint.
func TestStrictNotBeforeTheDeviation(t *testing.T) {
	pool := []string{
		"x: y\n", "x\n", "bond bond0 has no active aggregator\n", "Speed: 10 Mbps\n", "Aggregator ID: 1\n", "\tActor Key: 1\n",
		"System priority: 1\n", "Active Aggregator Info:\n", "ARP Polling Interval (ms): 9\n", "Transmit Hash Policy: layer2 (0)\n",
		"802.3ad info\n", "Min links: 1\n", "Primary Slave: None\n", "details partner lacp pdu:\n", "    port state: 1\n", "Slave Interface: q\n", "\n",
	}
	for _, name := range samples {
		lines := strings.SplitAfter(string(text(t, name)), "\n")
		lines = lines[:len(lines)-1]
		for i := range lines {
			for _, l := range pool {
				p := strings.Join(slices.Insert(slices.Clone(lines), i, l), "")
				err := (&procfs.Parser{Strict: true}).Parse([]byte(p), new(procfs.Bond))
				e, ok := errors.AsType[*procfs.SyntaxError](err)
				// A blank line announces a slave, or LACP.
				first := i + 1
				if i > 0 && lines[i-1] == "\n" {
					first--
				}
				if ok && e.Line < first {
					t.Errorf("%s, %q before line %d: %v", name, l, i+1, e)
				}
			}
		}
	}
}

// TestMissingLinesPlace: the place of a missing line is before the line that should follow it.
func TestMissingLinesPlace(t *testing.T) {
	p := strings.Replace(string(text(t, "112-vm-7.3-ab-primary-always")), "Peer Notification Delay (ms): 0\n", "ARP Polling Interval (ms): 5\n", 1)
	b := parse(t, []byte(p))
	if len(b.Problems) != 1 || b.Problems[0].Field != procfs.FieldARPTargets || b.Problems[0].Line != 12 || !errors.Is(b.Problems[0], procfs.ErrMissing) {
		t.Errorf("problems %v", b.Problems)
	}
	p = strings.Replace(string(text(t, "136-vm-7.3-8023ad-empty-down")), "Active Aggregator Info:\n", "", 1)
	at := strings.Index(p, "bond le has no active aggregator")
	p = strings.Replace(p, "System MAC address: 00:00:00:00:00:00\n", "", 1)
	p = strings.Replace(p, "LACP rate", "bond of friends\nLACP rate", 1)
	b = parse(t, []byte(p))
	if at < 0 || len(b.Problems) != 1 || b.Problems[0].Field != procfs.FieldSystemMAC || !strings.HasPrefix(p[b.Problems[0].Offset:], "bond le has") {
		t.Errorf("problems %v", b.Problems)
	}
}

// TestReuseLetsGo: a Bond that has held garbage does not hold it for ever, and one that holds
// names of many texts not all of them.
func TestReuseLetsGo(t *testing.T) {
	small := text(t, "112-vm-7.3-ab-primary-always")
	const size = 4 << 20
	for name, garbage := range map[string]string{
		"driver": "Ethernet Channel Bonding Driver: " + strings.Repeat("x", size),
		"name":   string(small) + "\nSlave Interface: " + strings.Repeat("x", size),
		"line":   string(small) + strings.Repeat("x", size),
		"lines":  string(small) + strings.Repeat("x: y\n", size/5),
	} {
		b := new(procfs.Bond)
		if err := b.UnmarshalText([]byte(garbage)); err != nil {
			t.Fatal(err)
		}
		if err := b.UnmarshalText(small); err != nil {
			t.Fatal(err)
		}
		if kept := keeps(&b); kept > size/4 {
			t.Errorf("%s: keeps %d bytes", name, kept)
		}
	}
	b := new(procfs.Bond)
	// Each time there is another slave, and the others keep their names.
	p := append(slices.Clone(small), strings.Repeat("x: "+strings.Repeat("y", 20)+"\n", 4000)...)
	for i := range 100 {
		p = append(p, slaveText(fmt.Sprint("s", i), 0)...)
		if err := b.UnmarshalText(p); err != nil {
			t.Fatal(err)
		}
	}
	if kept := keeps(&b); kept > 4<<20 {
		t.Errorf("after 100 texts: keeps %d bytes", kept)
	}
}

// keeps returns how much memory is free once *p is forgotten.
func keeps[T any](p **T) int64 {
	var with, without runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&with)
	runtime.KeepAlive(*p)
	*p = nil
	runtime.GC()
	runtime.ReadMemStats(&without)
	return int64(with.HeapAlloc) - int64(without.HeapAlloc)
}

// TestManySlaves: there is a bound, what is beyond is kept and said.
func TestManySlaves(t *testing.T) {
	p := []byte(head + "load balancing (round-robin)\n" + monitor)
	for i := range 5000 {
		p = append(p, slaveText(fmt.Sprint("eth", i), 0)...)
	}
	b := parse(t, p)
	if len(b.Slaves) != 4096 || len(b.Lines) != 1 || len(b.Problems) != 1 || !errors.Is(b.Problems[0], procfs.ErrTooLarge) {
		t.Errorf("%d slaves, %d lines, problems %v", len(b.Slaves), len(b.Lines), b.Problems)
	}
	if !bytes.Equal(printed(t, b), p) {
		t.Error("the slaves beyond are lost")
	}
}

// TestNamesOfOldKernels: before 4.4 a name could have a colon, and blanks never.
func TestNamesOfOldKernels(t *testing.T) {
	p := head + "fault-tolerance (active-backup)\nPrimary Slave: eth0:1 (primary_reselect always)\nCurrently Active Slave: eth0:1\n" + monitor + slaveText("eth0:1", 2)
	b := parse(t, []byte(p))
	if b.Primary != "eth0:1" || b.Active != "eth0:1" || b.Slave("eth0:1") == nil || len(b.Problems)+len(b.Lines) != 0 || string(printed(t, b)) != p {
		t.Errorf("primary %q, active %q, slaves %q, problems %v", b.Primary, b.Active, names(b), b.Problems)
	}
	const name = "(primary_reselect always)"
	p = strings.Replace(strings.ReplaceAll(p, "eth0:1", name), "always)\nCurrently", "better)\nCurrently", 1)
	b = parse(t, []byte(p))
	if b.Has(procfs.FieldPrimary) || b.Has(procfs.FieldPrimaryReselect) || b.PrimaryReselect != bond.PrimaryReselectAlways || len(b.Slaves) != 1 || b.Slaves[0].Has(procfs.FieldSlave) || b.Slaves[0].LinkFailures != 2 ||
		len(b.Problems) != 3 || string(printed(t, b)) != p {
		t.Errorf("primary %q, slaves %q, problems %v, printed %q", b.Primary, names(b), b.Problems, printed(t, b))
	}
}

// TestNameOfTheCaller: the name of an earlier text does not take its place.
func TestNameOfTheCaller(t *testing.T) {
	named := strings.Replace(string(text(t, "136-vm-7.3-8023ad-empty-down")), "bond le has", "bond bond0 has", 1)
	var b procfs.Bond
	for _, want := range []string{"mine", "bond1"} {
		b.Name = ""
		if err := b.UnmarshalText([]byte(named)); err != nil || b.Name != "bond0" {
			t.Fatalf("name %q, %v", b.Name, err)
		}
		b.Name = want
		if err := b.UnmarshalText(text(t, "112-vm-7.3-ab-primary-always")); err != nil || b.Name != want {
			t.Errorf("name %q, want %q; %v", b.Name, want, err)
		}
	}
	for _, name := range []string{"bond0", "bond1"} {
		b.Name = ""
		if err := b.UnmarshalText([]byte(named)); err != nil {
			t.Fatal(err)
		}
		if err := procfs.NewFS(tree(t)).Read(name, &b); err != nil || b.Name != name {
			t.Errorf("read as %q: name %q, %v", name, b.Name, err)
		}
	}
}

// sameJSON reports a text whose Bond is another after it was written as JSON and
// read again.
func sameJSON(t *testing.T, p []byte) {
	t.Helper()
	b, err := procfs.ParseBytes(p)
	if err != nil {
		return
	}
	j, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var again procfs.Bond
	if err := json.Unmarshal(j, &again); err != nil {
		t.Fatalf("%s: %v", j, err)
	}
	if diff := cmp.Diff(b, &again, opts); diff != "" {
		t.Fatalf("%q: (-text +JSON)\n%s", p, diff)
	}
	for f := procfs.FieldDriver; f <= procfs.FieldPartnerPortState; f++ {
		if b.Has(f) != again.Has(f) || b.Text(f) != again.Text(f) || b.Ambiguous(f) != again.Ambiguous(f) {
			t.Fatalf("%q: %v is %t, %q and after JSON %t, %q", p, f, b.Has(f), b.Text(f), again.Has(f), again.Text(f))
		}
		for i := range b.Slaves {
			if x, y := &b.Slaves[i], &again.Slaves[i]; x.Has(f) != y.Has(f) || x.Text(f) != y.Text(f) {
				t.Fatalf("%q: %s, %v is %t, %q and after JSON %t, %q", p, x.Name, f, x.Has(f), x.Text(f), y.Has(f), y.Text(f))
			}
		}
	}
}

func TestJSONOfDamage(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 31
	}
	for _, c := range captures(t) {
		sameJSON(t, c.text)
	}
	for _, name := range samples {
		p := text(t, name)
		for _, odd := range []string{
			"Bonding Mode: turbo  (fail_over_mac \t x )\n", "Primary Slave: q (primary_reselect  x )\n", "Transmit Hash Policy: x  (9)\n",
			"bond  x has no active aggregator\n", "bond x y has no active aggregator\n", "MII Status: \\ x  y\n",
		} {
			sameJSON(t, []byte(odd+string(p)))
		}
		for n := 0; n < len(p); n += step {
			sameJSON(t, p[:n])
		}
		lines := strings.SplitAfter(string(p), "\n")
		for i := 0; i < len(lines)-1; i += step {
			sameJSON(t, []byte(strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "")))
			sameJSON(t, []byte(strings.Join(slices.Insert(slices.Clone(lines), i, lines[i]), "")))
			sameJSON(t, []byte(strings.Join(slices.Insert(slices.Clone(lines), i, "\xff\x00 \\x: \\\x80\t\n", "Min links: 5\n", "    port state: 9\n"), "")))
			swapped := slices.Clone(lines)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			sameJSON(t, []byte(strings.Join(swapped, "")))
		}
	}
}

// TestJSONByValue: a Bond is the same object in a struct, a slice and a map.
func TestJSONByValue(t *testing.T) {
	b := parse(t, text(t, "156-vm-7.3-8023ad-negotiated-2"))
	want, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(map[string]procfs.Bond{"b": *b})
	if err != nil || string(got) != `{"b":`+string(want)+"}" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestJSONHostile(t *testing.T) {
	deep := strings.Repeat("[", 1<<20)
	for name, j := range map[string]string{
		"array":               `[]`,
		"string":              `"x"`,
		"deep":                `{"name":"x","slaves":` + deep,
		"wrong type":          `{"name":1}`,
		"slaves of a kind":    `{"name":"x","slaves":[1]}`,
		"unknown key":         `{"name":"x","surprise":1}`,
		"two values":          `{"name":"x"}{"name":"y"}`,
		"a newline":           `{"name":"x","mode":"?a\nb"}`,
		"an escaped newline":  `{"name":"x","driver":"a\\x0ab"}`,
		"blanks around":       `{"name":"x","driver":" v1 "}`,
		"blanks in a slave":   `{"name":"x","slaves":[{"name":"a","mii_status":"?up "}]}`,
		"name in the text":    `{"name":"x","lacp":{"info":true,"no_active_aggregator":"a b"}}`,
		"no such escape":      `{"name":"\\q"}`,
		"too large":           `{"name":"x","miimon":2147483648}`,
		"fraction":            `{"name":"x","miimon":0.5}`,
		"negative":            `{"name":"x","arp_missed_max":-1}`,
		"problems":            `{"name":"x","more_problems":-1}`,
		"family":              `{"name":"x","arp_ip_target":["::1"]}`,
		"other family":        `{"name":"x","ns_ip6_target":["192.0.2.1"]}`,
		"zone":                `{"name":"x","ns_ip6_target":["fe80::1%eth0"]}`,
		"no address":          `{"name":"x","arp_ip_target":[""]}`,
		"17 targets":          `{"name":"x","arp_ip_target":["192.0.2.1"` + strings.Repeat(`,"192.0.2.1"`, 16) + `]}`,
		"long address":        `{"name":"x","slaves":[{"name":"a","perm_hwaddr":"` + strings.Repeat("00:", 32) + `00"}]}`,
		"short address":       `{"name":"x","lacp":{"info":true,"system_mac":"00:00"}}`,
		"slave's name":        `{"name":"x","slaves":[{"name":"a b"}]}`,
		"no mode":             `{"name":"x","fail_over_mac":"active"}`,
		"no primary":          `{"name":"x","primary_reselect":"always"}`,
		"no such word":        `{"name":"x","mode":"turbo"}`,
		"speed":               `{"name":"x","slaves":[{"name":"a","speed":3000000000}]}`,
		"aggregator":          `{"name":"x","slaves":[{"name":"a","aggregator_id":"1"}]}`,
		"line of no slave":    `{"name":"x","unknown":[{"slave":0,"raw":"x"}]}`,
		"line before the top": `{"name":"x","unknown":[{"slave":-2,"raw":"x"}]}`,
		"lines out of order":  `{"name":"x","slaves":[{"name":"a"}],"unknown":[{"slave":0,"raw":"x"},{"slave":-1,"raw":"y"}]}`,
		"after what":          `{"name":"x","unknown":[{"slave":-1,"after":"nothing","raw":"x"}]}`,
		"blank lines":         `{"name":"x","unknown":[{"slave":-1,"blank":60000000,"raw":"x"},{"slave":-1,"blank":60000000,"raw":"x"}]}`,
	} {
		b := procfs.Bond{Name: "before"}
		err := b.UnmarshalJSON([]byte(j))
		if !errors.Is(err, procfs.ErrValue) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if b.Name != "before" {
			t.Errorf("%s: the Bond changed to %+v", name, b)
		}
	}
	b := procfs.Bond{Name: "before"}
	if err := json.Unmarshal([]byte("null"), &b); err != nil || b.Name != "before" {
		t.Errorf("null: %v, name %q", err, b.Name)
	}
	// What comes twice is what comes last.
	if err := json.Unmarshal([]byte(`{"name":"x","mode":"balance-rr","mode":"802.3ad","slaves":[{"name":"a"}],"slaves":[{"name":"b"}]}`), &b); err != nil || b.Mode.String() != "802.3ad" || len(b.Slaves) != 1 || b.Slaves[0].Name != "b" {
		t.Errorf("doubled keys: %v, %+v", err, b)
	}
	many := `{"name":"x","slaves":[` + strings.Repeat("{},", 100000) + "{}]}"
	if err := json.Unmarshal([]byte(many), &b); err != nil || len(b.Slaves) != 100001 || len(printed(t, &b)) != 0 {
		t.Errorf("many slaves: %v, %d", err, len(b.Slaves))
	}
}
