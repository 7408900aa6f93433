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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/israce"
	"github.com/bondkit/bondkit/procfs"
)

// stable fails unless what a text was parsed as can be printed and parsed again
// without a change.
func stable(tb testing.TB, p []byte) {
	tb.Helper()
	b, err := procfs.ParseBytes(p)
	if err != nil {
		if !errors.Is(err, procfs.ErrNotBonding) {
			tb.Fatalf("parse %q: %v", p, err)
		}
		return
	}
	once := printed(tb, b)
	again, err := procfs.ParseBytes(once)
	if err != nil {
		tb.Fatalf("parse what was printed, %q: %v", once, err)
	}
	if twice := printed(tb, again); !bytes.Equal(once, twice) {
		tb.Fatalf("%q\nis printed as %q\nand that as %q", p, once, twice)
	}
}

// eachLine fails unless every line of the text is in what is printed for it, as
// often as it is there.
func eachLine(tb testing.TB, p []byte) {
	tb.Helper()
	b, err := procfs.ParseBytes(p)
	if err != nil {
		return
	}
	count := map[string]int{}
	for line := range strings.Lines(string(p)) {
		count[strings.TrimSpace(line)]++
	}
	for line := range strings.Lines(string(printed(tb, b))) {
		count[strings.TrimSpace(line)]--
	}
	delete(count, "")
	for line, n := range count {
		if n > 0 {
			tb.Fatalf("line %q of %q is lost", line, p)
		}
	}
}

// samples are captures that have every kind of line between them.
var samples = []string{
	"112-vm-7.3-ab-primary-always", "128-vm-7.3-ab-arp-ns-mixed", "156-vm-7.3-8023ad-negotiated-2", "136-vm-7.3-8023ad-empty-down",
	"153-vm-7.3-ab-gre-hwaddr4",
}

func TestCutAtEveryByte(t *testing.T) {
	for _, c := range captures(t) {
		step := 1
		switch {
		case testing.Short() && !slices.Contains(samples, c.name):
			continue
		case len(c.text) > 4000 && israce.Enabled:
			step = 7 // the long ones repeat themselves
		}
		for n := 0; n < len(c.text); n += step {
			b, err := procfs.ParseBytes(c.text[:n])
			if err != nil {
				if n > 40 && c.printed {
					t.Fatalf("%s cut at %d: %v", c.name, n, err)
				}
				continue
			}
			if c.printed && len(b.Problems) == 0 && n > 0 && c.text[n-1] != '\n' {
				t.Fatalf("%s cut at %d, in the middle of a line: no problem", c.name, n)
			}
			stable(t, c.text[:n])
		}
	}
}

// TestStrictFindsTheCut: strict parsing refuses every text that was cut, except
// where a whole number of slaves is left.
func TestStrictFindsTheCut(t *testing.T) {
	for _, name := range samples {
		p := text(t, name)
		for n := range len(p) {
			err := (&procfs.Parser{Strict: true}).Parse(p[:n], new(procfs.Bond))
			whole := bytes.HasPrefix(p[n:], []byte("\nSlave Interface"))
			if err == nil && !whole && !tailOptional(p[n:]) {
				t.Errorf("%s cut at %d, before %.30q: no error", name, n, p[n:])
			}
			if e, ok := errors.AsType[*procfs.SyntaxError](err); err != nil && (!ok && !errors.Is(err, procfs.ErrNotBonding) || ok && (e.Line < 1 || e.Column < 1 || e.Offset > n)) {
				t.Errorf("%s cut at %d: %#v", name, n, err)
			}
		}
	}
}

// tailOptional reports whether the text that was cut off begins with a line that
// some kernel does not print.
func tailOptional(rest []byte) bool {
	for _, line := range []string{
		"Peer Notification", "ARP Polling", "NS IPv6", "Permanent", "Speed", "Slave queue", "Aggregator ID", "Actor Churn State", "details actor",
		"Min links", "Aggregator selection", "System priority", "Active Aggregator", "bond ",
	} {
		if bytes.HasPrefix(rest, []byte(line)) {
			return true
		}
	}
	return false
}

func TestLinesRemovedDoubledSwapped(t *testing.T) {
	for _, c := range captures(t) {
		name := c.name
		if (testing.Short() || israce.Enabled) && !slices.Contains(samples, name) {
			continue
		}
		lines := strings.SplitAfter(string(c.text), "\n")
		if lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
		for i := range lines {
			removed := slices.Delete(slices.Clone(lines), i, i+1)
			doubled := slices.Insert(slices.Clone(lines), i, lines[i])
			swapped := slices.Clone(lines)
			j := (i + 1) % len(lines)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			for what, l := range map[string][]string{"removed": removed, "doubled": doubled, "swapped": swapped} {
				p := []byte(strings.Join(l, ""))
				stable(t, p)
				eachLine(t, p)
				blank := strings.TrimSpace(lines[i]) == "" || what == "swapped" && strings.TrimSpace(lines[j]) == ""
				if err := (&procfs.Parser{Strict: true}).Parse(p, new(procfs.Bond)); err == nil && what == "doubled" {
					t.Errorf("%s, line %d %s: strict parsing says nothing", name, i+1, what)
				}
				if b, err := procfs.ParseBytes(p); what == "doubled" && c.printed && !blank && (err != nil || len(b.Problems) == 0) {
					t.Errorf("%s, line %d %s: %v, no problem", name, i+1, what, err)
				}
			}
		}
	}
}

// TestDoubledLineKeepsTheFirst: neither of them is lost, and the first counts.
func TestDoubledLineKeepsTheFirst(t *testing.T) {
	p := strings.Replace(string(text(t, samples[0])), "Up Delay (ms): 0\n", "Up Delay (ms): 0\nUp Delay (ms): 700\n", 1)
	b := parse(t, []byte(p))
	if b.UpDelay != 0 || len(b.Problems) != 1 || !errors.Is(b.Problems[0], procfs.ErrDuplicate) {
		t.Errorf("updelay %v, problems %v", b.UpDelay, b.Problems)
	}
	want := []procfs.Line{{
		Slave: -1, After: procfs.FieldUpDelay, Number: 9, Key: "Up Delay (ms)", Value: "700", Raw: "Up Delay (ms): 700",
	}}
	if diff := cmp.Diff(want, b.Lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if got := string(printed(t, b)); got != p {
		t.Errorf("printed as %q", got)
	}
}

// TestBlockTwice: where the line of a slave is lost, what LACP says of it is not given to the
// slave before, and what is printed is read as the same.
func TestBlockTwice(t *testing.T) {
	slave := "Slave Interface: a0\ndetails partner lacp pdu:\n    port number: 7\n"
	for _, p := range []string{
		slave + "Partner Churned Count: 0\ndetails partner lacp pdu:\n    system priority: 9\n    port number: 8\n",
		slave + "details actor lacp pdu:\ndetails partner lacp pdu:\n    oper key: 9\n",
		"Slave Interface: a0\ndetails actor lacp pdu:\n" + strings.TrimPrefix(slave, "Slave Interface: a0\n") + "details actor lacp pdu:\n    system priority: 9\ndetails partner lacp pdu:\n    system mac address: 00:00:00:00:00:09\n",
	} {
		stable(t, []byte(p))
		eachLine(t, []byte(p))
		sameJSON(t, []byte(p))
		b := parse(t, []byte(p))
		if s := b.Slaves[0]; s.Partner.PortNumber != 7 || s.Actor != (procfs.LACPPort{}) || s.Partner != (procfs.LACPPort{PortNumber: 7}) {
			t.Errorf("%q: actor %+v, partner %+v", p, s.Actor, s.Partner)
		}
	}
}

// TestFirstOfTwoIsPrintedFirst: also where it stands before its place.
func TestFirstOfTwoIsPrintedFirst(t *testing.T) {
	const pdu = "details partner lacp pdu:\n"
	p := strings.Replace(string(text(t, "156-vm-7.3-8023ad-negotiated-2")), pdu, pdu+"    port state: 5\n", 1)
	for range 3 {
		b := parse(t, []byte(p))
		if b.Slaves[0].Partner.PortState != 5 || len(b.Lines) != 1 || b.Lines[0].Value != "63" {
			t.Errorf("port state %d, lines %+v", b.Slaves[0].Partner.PortState, b.Lines)
		}
		p = string(printed(t, b))
	}
}

func TestBadValues(t *testing.T) {
	tests := []struct {
		old, new string
		field    procfs.Field
	}{
		{"Link Failure Count: 0", "Link Failure Count: 4294967296", procfs.FieldLinkFailures},
		{"Link Failure Count: 0", "Link Failure Count: -1", procfs.FieldLinkFailures},
		{"Link Failure Count: 0", "Link Failure Count: 0x1", procfs.FieldLinkFailures},
		{"Link Failure Count: 0", "Link Failure Count:", procfs.FieldLinkFailures},
		{"MII Polling Interval (ms): 100", "MII Polling Interval (ms): 99999999999999999999", procfs.FieldMIIMon},
		{"MII Polling Interval (ms): 100", "MII Polling Interval (ms): 0100", procfs.FieldMIIMon},
		{"Actor Key: 15", "Actor Key: 2147483648", procfs.FieldActorKey},
		{"Actor Key: 15", "Actor Key: -2147483649", procfs.FieldActorKey},
		{"Actor Key: 15", "Actor Key: -0", procfs.FieldActorKey},
		{"    port number: 1", "    port number: 12345678901", procfs.FieldActorPortNumber},
		{"Slave queue ID: 0", "Slave queue ID: 0 0", procfs.FieldQueueID},
		{"LACP active: on\n", "LACP active: on\nbond a b has no active aggregator\n", procfs.FieldNoAggregator},
		{"    port state: 63", "    port state: 65536", procfs.FieldActorPortState},
		{"Speed: 10000 Mbps", "Speed: 10000", procfs.FieldSpeed},
		{"Duplex: full", "Duplex: Full", procfs.FieldDuplex},
		{"Permanent HW addr: 7a:a5", "Permanent HW addr: 7aa5", procfs.FieldPermMAC},
		{"Permanent HW addr: 7a", "Permanent HW addr: zz", procfs.FieldPermMAC},
		{"System MAC address: 7a:a5:54:f0:08:a9", "System MAC address: 7a:a5:54:f0:08", procfs.FieldSystemMAC},
		{"Transmit Hash Policy: layer3+4 (1)", "Transmit Hash Policy: layer3+4", procfs.FieldXmitHashPolicy},
		{"MII Status: up\n", "MII Status: up\nARP IP target/s (n.n.n.n form): 192.0.2.1, 192.0.2.2,\n", procfs.FieldARPTargets},
		{"MII Status: up\n", "MII Status: up\nNS IPv6 target/s (xx::xx form): 2001:db8::1,\n", procfs.FieldNSTargets},
		{"Aggregator ID: 1\nActor Churn", "Aggregator ID: n/a\nActor Churn", procfs.FieldSlaveAggregatorID},
	}
	whole := string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	for _, tt := range tests {
		p := strings.Replace(whole, tt.old, tt.new, 1)
		if p == whole {
			t.Fatalf("%q is not in the text", tt.old)
		}
		b := parse(t, []byte(p))
		has := b.Has(tt.field)
		if tt.field > procfs.FieldSlave {
			has = b.Slaves[0].Has(tt.field)
		}
		if has || len(b.Problems) != 1 || !errors.Is(b.Problems[0], procfs.ErrValue) || b.Problems[0].Field != tt.field {
			t.Errorf("%q: has %t, problems %v", tt.new, has, b.Problems)
			continue
		}
		if line := strings.Split(p, "\n")[b.Problems[0].Line-1]; line != b.Problems[0].Text || b.Problems[0].Key == "" {
			t.Errorf("%q: the problem is at %q and not at %q", tt.new, line, b.Problems[0].Text)
		}
		if got := string(printed(t, b)); got != p {
			t.Errorf("%q: printed as %q", tt.new, got)
		}
	}
}

func TestAnyByte(t *testing.T) {
	for _, name := range samples {
		p := text(t, name)
		for i := range p {
			if testing.Short() && i%7 > 0 {
				continue
			}
			for _, c := range []byte{0, '\n', ' ', ':', '\r', 0xff, '(', '9'} {
				q := slices.Clone(p)
				q[i] = c
				stable(t, q)
			}
		}
	}
}

// TestGarbage: memory and problems stay bounded.
func TestGarbage(t *testing.T) {
	size := 10 << 20
	if testing.Short() {
		size = 2 << 20
	}
	start := string(text(t, samples[0]))
	for name, unit := range map[string]string{
		"newlines":     "\n",
		"short lines":  "a\n",
		"zeros":        "\x00",
		"keys":         "MII Status: up\n",
		"slaves":       "Slave Interface: e\n",
		"other bonds":  "Ethernet Channel Bonding Driver: x\n",
		"bad values":   "Min links: x\n",
		"no newline":   "abcdefgh",
		"driver again": "Ethernet Channel Bonding Driver:\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := []byte(start + strings.Repeat(unit, size/len(unit)))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			b := parse(t, p)
			runtime.GC()
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > int64(4*size) {
				t.Errorf("%d bytes of garbage take %d bytes of memory", size, grown)
			}
			if len(b.Problems) > 100 {
				t.Errorf("%d problems", len(b.Problems))
			}
			if b.MIIMon == 0 || len(b.Slaves) < 2 {
				t.Errorf("what was before the garbage is lost: %+v", b.Slaves)
			}
			runtime.KeepAlive(p)
		})
	}
}

func TestNotBonding(t *testing.T) {
	for _, p := range []string{"", "\n", "hello\nworld: 1\n", "\x7fELF\x02\x01", strings.Repeat("\x00", 4096)} {
		b := procfs.Bond{Name: "bond0"}
		if err := b.UnmarshalText([]byte(p)); !errors.Is(err, procfs.ErrNotBonding) {
			t.Errorf("%.20q: %v", p, err)
		}
		if len(b.Slaves)+len(b.Lines)+len(b.Problems) != 0 {
			t.Errorf("%.20q: left %+v", p, b)
		}
	}
	if _, err := procfs.Parse(failing{}); !errors.Is(err, errBroken) {
		t.Errorf("a reader that fails: %v", err)
	}
}

var errBroken = fmt.Errorf("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// TestBlanksAtLineEnds: a text that editors and mailers have touched says what the
// kernel's own does, though the parser takes other ways through it.
func TestBlanksAtLineEnds(t *testing.T) {
	texts := 0
	for _, c := range captures(t) {
		want, err := procfs.ParseBytes(c.text)
		if err != nil || len(want.Problems)+len(want.Lines) > 0 {
			continue
		}
		texts++
		for _, end := range []string{" \n", "\r\n", "\t \n"} {
			got := parse(t, bytes.ReplaceAll(c.text, []byte("\n"), []byte(end)))
			if diff := cmp.Diff(jsonOf(t, want), jsonOf(t, got)); diff != "" {
				t.Errorf("%s with %q (-want +got):\n%s", c.name, end, diff)
			}
		}
	}
	if texts < 100 {
		t.Errorf("only %d texts have nothing wrong with them", texts)
	}
}

func jsonOf(tb testing.TB, b *procfs.Bond) string {
	tb.Helper()
	p, err := json.Marshal(b)
	if err != nil {
		tb.Fatal(err)
	}
	return string(p)
}

// TestMissingLinesInGarbage: to look for where missing lines should be takes a few walks through
// the text, and not one line by line for each two fields, which took a thousand times as long.
func TestMissingLinesInGarbage(t *testing.T) {
	const (
		head    = "Ethernet Channel Bonding Driver: v7.3\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\n"
		missing = head + "Active Aggregator Info:\n"
	)
	whole := string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	size := 16 << 20
	if testing.Short() {
		size = 1 << 18
	}
	for _, unit := range []string{"\n", " ", "x\n", "MII Status:", "x bond \n"} {
		garbage := strings.Repeat(unit, size/len(unit))
		measure := func(start string) (*procfs.Bond, time.Duration) {
			p := []byte(start + garbage)
			began := time.Now()
			b := parse(t, p)
			return b, time.Since(began)
		}
		_, usual := measure(whole)
		b, took := measure(missing)
		// An emulated processor is no measure: bytes.Index is slow there. Nor are lines of
		// which all but the first few thousand are kept as one.
		if unit == "\n" && !testing.Short() && took > 100*usual {
			t.Errorf("%q: parsed in %v, and in %v with nothing missing", unit, took, usual)
		}
		if len(b.Problems) < 8 {
			t.Errorf("%q: %d problems", unit, len(b.Problems))
		}
	}
}
