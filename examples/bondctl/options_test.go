// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/bond"
)

func TestOptions(t *testing.T) {
	b := newBench(t, nil)
	golden(t, "options.txt", b.must("options"))
	golden(t, "options.json", b.must("options -json"))
	var all strings.Builder
	for opt := range bond.AllOptions() {
		all.WriteString(b.must("options "+opt.String()) + "\n")
	}
	golden(t, "options-each.txt", all.String())
	if got, want := b.must("options num_unsol_na"), b.must("options num_grat_arp"); got != want {
		t.Errorf("num_unsol_na gives\n%s\nnum_grat_arp gives\n%s", got, want)
	}
	if n := len(b.kernel.Requests()); n > 0 {
		t.Errorf("%d requests to the kernel", n)
	}
}

// TestOptionsJSONComplete has every option, once, with its words.
func TestOptionsJSONComplete(t *testing.T) {
	var rows []struct {
		Name, Kind string
		Values     []string
		Default    any
		ReadOnly   bool `json:"read_only"`
	}
	if err := json.Unmarshal([]byte(newBench(t, nil).must("options -json")), &rows); err != nil {
		t.Fatal(err)
	}
	i := 0
	for opt := range bond.AllOptions() {
		info := opt.Info()
		if i >= len(rows) || rows[i].Name != info.Name || rows[i].Kind == "" || len(rows[i].Values) != len(info.Words) || rows[i].ReadOnly != info.ReadOnly {
			t.Fatalf("row %d is not that of %v", i, opt)
		}
		i++
	}
	if i != len(rows) {
		t.Errorf("%d rows, want %d", len(rows), i)
	}
}

// TestWordsOfEveryOption sets every option that can be set to its default, in the words that bondctl
// options prints.
func TestWordsOfEveryOption(t *testing.T) {
	for opt := range bond.AllOptions() {
		info := opt.Info()
		if info.ReadOnly {
			continue
		}
		value := defaultText(info)
		switch info.Kind {
		case bond.KindLink, bond.KindIPv4List, bond.KindIPv6List:
			value = ""
		case bond.KindMAC:
			value = "00:00:00:00:00:00"
		default: // one that can be written
		}
		r, err := parseWords([]string{info.Name + "=" + value}, bondWords|slaveWords)
		if err != nil {
			t.Errorf("%v: %v", opt, err)
			continue
		}
		if r.options.Has(opt) == r.slave.Has(opt) {
			t.Errorf("%v was not set", opt)
		}
		if takes(info) == "nothing" {
			t.Errorf("%v: nobody knows what it takes", opt)
		}
	}
}
