// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
)

// journalSigned gives a body the first line of a journal.
func journalSigned(body []byte) []byte {
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	return append(fmt.Appendf(nil, "bondkit ethtool journal 1 %08x\n", sum), body...)
}

var journalSeeds = []string{
	``, `null`, `[]`, `[{}]`, `[{"id":1}]`,
	`[{"id":1,"boot":"b","device":{"link":{"index":2,"name":"eth0"},"permanent_mac":"3c:fd:fe:3b:00:00","parent":"pci/0000:3b:00.0","driver":"i40e","bus":"0000:3b:00.0"},` +
		`"control":"private-flag","name":"disable-source-pruning","before":"off","value":"on"}]`,
	`[{"id":3,"boot":"b","device":{"link":{"index":2,"name":"e\\x"},"kind":"macvlan","below":1},"control":"macvlan-mode","before":"vepa","value":"private"}]`,
	`[{"id":1,"boot":"b","device":{"link":{"index":2,"name":"a"}},"control":"control(9)","before":"x","value":"y"},` +
		`{"id":1,"boot":"b","device":{"link":{"index":2,"name":"a"}},"control":"host","before":"x","value":"y"}]`,
}

// FuzzJournal states what holds for any file, with a checksum that is right and with one
// that probably is not: an error is ErrJournal and nothing comes with it, and what can be read comes back when it
// is written and read again.
func FuzzJournal(f *testing.F) {
	for _, s := range journalSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, file := range [][]byte{b, journalSigned(b)} {
			entries, err := ethtool.ParseJournal(file)
			if err != nil {
				if !errors.Is(err, ethtool.ErrJournal) || entries != nil {
					t.Fatalf("%v, %v", entries, err)
				}
				continue
			}
			seen := make(map[int64]bool)
			for _, e := range entries {
				if e.ID <= 0 || seen[e.ID] || e.Boot == "" || e.Device.Link.Index <= 0 || e.Control == 0 || e.Before == e.Value {
					t.Fatalf("entry %+v", e)
				}
				seen[e.ID] = true
			}
			again, err := ethtool.FormatJournal(entries)
			if err != nil {
				t.Fatal(err)
			}
			back, err := ethtool.ParseJournal(again)
			if err != nil {
				t.Fatalf("what was written cannot be read: %v\n%s", err, again)
			}
			if d := cmp.Diff(entries, back); d != "" {
				t.Fatalf("-read +read again:\n%s", d)
			}
		}
	})
}

// TestJournalParse says what is refused.
func TestJournalParse(t *testing.T) {
	entry := func(old, with string) []byte {
		good := []byte(journalSeeds[5])
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("no %s in the example", old)
		}
		return journalSigned(bytes.Replace(good, []byte(old), []byte(with), 1))
	}
	if entries, err := ethtool.ParseJournal(entry("off", "off")); err != nil || len(entries) != 1 {
		t.Fatalf("a good one: %v, %v", entries, err)
	}
	tests := map[string][]byte{
		"no number":         entry(`"id":1`, `"id":0`),
		"no boot":           entry(`"boot":"b"`, `"boot":""`),
		"no index":          entry(`"index":2`, `"index":-2`),
		"no name":           entry(`"eth0"`, `""`),
		"no setting":        entry(`private-flag`, `none`),
		"unknown word":      entry(`private-flag`, `nosuch`),
		"nothing to do":     entry(`"off"`, `"on"`),
		"nothing before":    entry(`"off"`, `""`),
		"unknown key":       entry(`"boot"`, `"more":1,"boot"`),
		"two of one number": journalSigned([]byte(journalSeeds[7])),
		"two values":        journalSigned([]byte(`[][]`)),
		"no checksum":       []byte(journalSeeds[5]),
		"another format":    bytes.Replace(entry("off", "off"), []byte("journal 1"), []byte("journal 2"), 1),
		"too long":          journalSigned(bytes.Repeat([]byte(" "), 1<<20)),
	}
	for name, b := range tests {
		if entries, err := ethtool.ParseJournal(b); !errors.Is(err, ethtool.ErrJournal) || entries != nil {
			t.Errorf("%s: %v, %v", name, entries, err)
		}
	}
}
