// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

//go:embed main.go
var mainSource string

// jsonKeys returns the keys that are printed, below the paths that are not skipped.
func jsonKeys(t *testing.T, text string, skip ...string) map[string]bool {
	t.Helper()
	var doc any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, v := range v {
				keys[key] = true
				if !slices.Contains(skip, key) {
					look(v)
				}
			}
		case []any:
			for _, v := range v {
				look(v)
			}
		}
	}
	look(doc)
	return keys
}

// TestDocumentedKeys compares the keys of the JSON with the documentation of the command.
func TestDocumentedKeys(t *testing.T) {
	_, doc, _ := strings.Cut(mainSource, "// # JSON\n")
	doc, _, _ = strings.Cut(doc, "// # Exit status\n")
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(doc, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		words[w] = true
	}
	b := zoo(t)
	b.add("eth0.5", &ethtooltest.NIC{Kind: "vlan", Lower: "eth0"})
	b.bond("bond0", arpAll(), "eth1", "ice2")
	b.nics.Update("eth1", func(n *ethtooltest.NIC) { n.Firmware = "6.01 0x80003554 1.1747.0" })
	shown := jsonKeys(t, b.must("show bond0 eth0.5 ice0 ice1 vf0 mv0 -json"))
	printed := maps.Clone(shown)
	maps.Copy(printed, jsonKeys(t, b.must("drivers -json")))
	report := jsonKeys(t, b.must("audit -json"), "facts")
	if !report["severity"] {
		t.Error("the report has no findings")
	}
	maps.Copy(printed, report)
	for key := range printed {
		if !words[key] {
			t.Errorf("the documentation has no %s", key)
		}
	}
	// The table of show is all of it, and everything in it is printed.
	table, _, _ := strings.Cut(doc, "// Audit prints")
	documented := map[string]bool{}
	for line := range strings.Lines(table) {
		entry, ok := strings.CutPrefix(line, "//\t")
		if !ok || strings.HasPrefix(entry, " ") {
			continue
		}
		names, _, _ := strings.Cut(strings.TrimSpace(entry), "  ")
		for name := range strings.SplitSeq(names, ", ") {
			documented[name] = true
		}
	}
	for _, key := range []string{"index", "bond", "mode", "arp_validate", "fail_over_mac", "mii_status", "impact"} {
		documented[key] = true // They stand in sentences.
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(shown))); diff != "" {
		t.Errorf("keys of show (-documented +printed):\n%s", diff)
	}
	if got := newBench(t, nil).must("show -json"); got != "[]\n" {
		t.Errorf("nothing: %q", got)
	}
}
