// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/bond"
)

// enumCase is one type with words.
type enumCase struct {
	kind  string
	words []string
	// parse and make return a value of the type as a Stringer.
	parse func(string) (fmt.Stringer, error)
	make  func(n uint64) fmt.Stringer
	// max is the greatest number of the type.
	max uint64
	// fresh returns a pointer to a value with the number n.
	fresh func(n uint64) enumText
}

type enumText interface {
	fmt.Stringer
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}

// enumCaseOf makes the case of a type T with the pointer type P.
func enumCaseOf[T interface {
	~uint8 | ~uint16 | ~uint32
	comparable
	fmt.Stringer
}, P interface {
	*T
	enumText
}](kind string, parse func(string) (T, error), words ...string) enumCase {
	return enumCase{
		kind: kind, words: words,
		parse: func(s string) (fmt.Stringer, error) { return parse(s) },
		make:  func(n uint64) fmt.Stringer { return T(n) },
		max:   uint64(^T(0)),
		fresh: func(n uint64) enumText { return P(new(T(n))) },
	}
}

func enumCases() []enumCase {
	return []enumCase{
		enumCaseOf("mode", bond.ParseMode, "balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"),
		enumCaseOf("xmit_hash_policy", bond.ParseXmitHashPolicy, "layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"),
		enumCaseOf("primary_reselect", bond.ParsePrimaryReselect, "always", "better", "failure"),
		enumCaseOf("fail_over_mac", bond.ParseFailOverMAC, "none", "active", "follow"),
		enumCaseOf("arp_validate", bond.ParseARPValidate, "none", "active", "backup", "all", "filter", "filter_active", "filter_backup"),
		enumCaseOf("arp_all_targets", bond.ParseARPAllTargets, "any", "all"),
		enumCaseOf("lacp_rate", bond.ParseLACPRate, "slow", "fast"),
		enumCaseOf("ad_select", bond.ParseADSelect, "stable", "bandwidth", "count", "actor_port_prio"),
		enumCaseOf("churn", bond.ParseChurnState, "monitoring", "churned", "none"),
		enumCaseOf("state", bond.ParseSlaveState, "active", "backup"),
		enumCaseOf("mii_status", bond.ParseMIIStatus, "up", "going-down", "down", "going-back"),
		enumCaseOf("operstate", bond.ParseOperState, "unknown", "not-present", "down", "lower-layer-down", "testing", "dormant", "up"),
		enumCaseOf("disruption", bond.ParseDisruption, "none", "down", "release", "recreate"),
	}
}

func TestEnumWordsAndNumbers(t *testing.T) {
	for _, c := range enumCases() {
		t.Run(c.kind, func(t *testing.T) {
			for n, word := range c.words {
				want := c.make(uint64(n))
				if got := want.String(); got != word {
					t.Errorf("%d is %q, want %q", n, got, word)
				}
				for _, text := range []string{word, fmt.Sprint(n), fmt.Sprintf("%s(%d)", c.kind, n)} {
					if got, err := c.parse(text); err != nil || got != want {
						t.Errorf("parse %q: %v, %v, want %v", text, got, err, want)
					}
				}
			}
			// Numbers of newer kernels survive, in their own spelling only.
			for _, n := range []uint64{uint64(len(c.words)), 200, c.max} {
				want := c.make(n)
				text := fmt.Sprintf("%s(%d)", c.kind, n)
				if want.String() != text {
					t.Errorf("%d is %q, want %q", n, want, text)
				}
				if got, err := c.parse(text); err != nil || got != want {
					t.Errorf("parse %q: %v, %v", text, got, err)
				}
				if _, err := c.parse(fmt.Sprint(n)); !errors.Is(err, bond.ErrBadValue) {
					t.Errorf("parse %d: %v, want ErrBadValue", n, err)
				}
			}
			for _, text := range []string{
				"", " ", "-1", "+1", "01x", "0x1", strings.ToUpper(c.words[0]), c.words[0] + " ", c.words[0] + "\n", "none of these",
				c.kind, c.kind + "(", c.kind + "()", c.kind + "(-1)", c.kind + "(x)", c.kind + "(1", c.kind + "(1))", "x(1)",
				fmt.Sprintf("%s(%d)", c.kind, c.max+1), c.kind + "(18446744073709551616)", "18446744073709551616",
			} {
				_, err := c.parse(text)
				if !errors.Is(err, bond.ErrBadValue) {
					t.Errorf("parse %q: %v, want ErrBadValue", text, err)
					continue
				}
				if e, ok := errors.AsType[*bond.Error](err); !ok || e.Value != text || !strings.Contains(e.Hint, c.words[len(c.words)-1]) {
					t.Errorf("parse %q: %#v does not name the value and the words", text, err)
				}
			}
		})
	}
}

func TestEnumText(t *testing.T) {
	for _, c := range enumCases() {
		t.Run(c.kind, func(t *testing.T) {
			for n := range uint64(len(c.words) + 2) {
				text, err := c.fresh(n).MarshalText()
				if err != nil {
					t.Fatal(err)
				}
				back := c.fresh(0)
				if err := back.UnmarshalText(text); err != nil || back.String() != c.make(n).String() {
					t.Errorf("%s: %v, %v", text, back, err)
				}
			}
			v := c.fresh(1)
			if err := v.UnmarshalText([]byte("nonsense")); !errors.Is(err, bond.ErrBadValue) {
				t.Errorf("nonsense: %v", err)
			}
			if v.String() != c.words[1] {
				t.Errorf("an error changed the value to %v", v)
			}
		})
	}
}

// TestEnumTextWithoutParse is about the types of which only the text can be read.
func TestEnumTextWithoutParse(t *testing.T) {
	for n := range uint8(20) {
		kind, severity := bond.EventKind(n), bond.Severity(n)
		var k bond.EventKind
		var s bond.Severity
		b, err := json.Marshal([]any{kind, severity})
		if err == nil {
			err = json.Unmarshal(b, &[]any{&k, &s})
		}
		if err != nil || k != kind || s != severity {
			t.Errorf("%s: %v, %v, %v", b, k, s, err)
		}
	}
	k, s := bond.EventSynced, bond.SeverityError
	if err := errors.Join(k.UnmarshalText([]byte("x")), s.UnmarshalText([]byte("x"))); !errors.Is(err, bond.ErrBadValue) || k != bond.EventSynced || s != bond.SeverityError {
		t.Errorf("%v, %v, %v", k, s, err)
	}
}

// Libraries in use have these wrong.
func TestEnumPeerTypos(t *testing.T) {
	if got := bond.ARPValidateAll.String(); got != "all" {
		t.Errorf("ARPValidateAll is %q", got)
	}
	if got := bond.ModeBalanceTLB.String(); got != "balance-tlb" {
		t.Errorf("ModeBalanceTLB is %q", got)
	}
	for _, typo := range []string{"balance-tld", "balance-arb", "802.3AD", "lacp", "active_backup"} {
		if m, err := bond.ParseMode(typo); !errors.Is(err, bond.ErrBadValue) {
			t.Errorf("%q is %v, %v", typo, m, err)
		}
	}
	seen := map[string]bool{}
	for n := range bond.ARPValidate(7) {
		if seen[n.String()] {
			t.Errorf("two values are %q", n)
		}
		seen[n.String()] = true
	}
}

func TestModeSet(t *testing.T) {
	s := bond.Modes(bond.Mode8023AD, bond.ModeBalanceRR, bond.Mode(200))
	if s.String() != "balance-rr, 802.3ad" || !s.Has(bond.Mode8023AD) || s.Has(bond.ModeBroadcast) || s.Has(200) || len(s.All()) != 2 {
		t.Errorf("%q %v", s, s.All())
	}
	if bond.AllModes.String() != "all" || bond.ModeSet(0).String() != "none" || len(bond.AllModes.All()) != 7 {
		t.Errorf("%q, %q", bond.AllModes, bond.ModeSet(0))
	}
	for m := range bond.Mode(10) {
		want := m == bond.ModeActiveBackup || m == bond.ModeBalanceTLB || m == bond.ModeBalanceALB
		if m.HasActive() != want {
			t.Errorf("%v has an active slave: %v", m, !want)
		}
	}
}

func TestPortStateText(t *testing.T) {
	for _, c := range []struct {
		state bond.PortState
		text  string
	}{
		{0, "none"},
		{bond.PortActivity, "activity"},
		{0x3d, "activity,aggregation,sync,collecting,distributing"},
		{0xff, "activity,timeout,aggregation,sync,collecting,distributing,defaulted,expired"},
		{0x8101, "activity,0x8100"},
	} {
		if got := c.state.String(); got != c.text {
			t.Errorf("%#x is %q, want %q", uint16(c.state), got, c.text)
		}
		var back bond.PortState
		if err := back.UnmarshalText([]byte(c.text)); err != nil || back != c.state {
			t.Errorf("%q is %#x, %v", c.text, uint16(back), err)
		}
	}
	s := bond.PortState(5)
	for _, text := range []string{"", "activity,", "sink", "none,activity", "65536", "-1"} {
		if err := s.UnmarshalText([]byte(text)); !errors.Is(err, bond.ErrBadValue) || s != 5 {
			t.Errorf("%q: %v, state %v", text, err, s)
		}
	}
	if err := s.UnmarshalText([]byte("61")); err != nil || s != 61 {
		t.Errorf("61: %v, %v", s, err)
	}
}
