// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// ErrJournal says that a journal cannot be used: it is damaged, others may write to it, or
// it cannot be read or written.
var ErrJournal error = &meaning{"the journal cannot be used", nil}

// journalMagic begins the first line of a journal, which has a checksum of the rest.
const journalMagic = "bondkit ethtool journal 1 "

// journalMax is the most that a journal may be long.
const journalMax = 1 << 20

// journalEntry is what one Hold has to restore.
type journalEntry struct {
	// ID is its place among the locks of the journal, from 1 on.
	ID int64 `json:"id"`
	// Boot is the boot_id of the kernel.
	Boot string `json:"boot"`
	// Device is the interface.
	Device holdDevice `json:"device"`
	// Control and Name (by escape.Text) are the setting, Before what is to be restored, and
	// Value what it was set to.
	Control Control `json:"control"`
	Name    string  `json:"name,omitzero"`
	Before  string  `json:"before"`
	Value   string  `json:"value"`
}

// setting is what the entry was set to.
func (e *journalEntry) setting() (setting, error) {
	name, err := unescapeText(e.Name)
	return setting{control: e.Control, name: name, value: e.Value}, err
}

func (e *journalEntry) check() error {
	switch {
	case e.ID <= 0:
		return fmt.Errorf("entry %d: no such number", e.ID)
	case e.Boot == "":
		return fmt.Errorf("entry %d has no boot id", e.ID)
	case e.Device.Link.Index <= 0 || e.Device.Link.Name == "":
		return fmt.Errorf("entry %d names no interface", e.ID)
	case e.Control == 0:
		return fmt.Errorf("entry %d names no setting", e.ID)
	case e.Before == "" || e.Value == "" || e.Before == e.Value:
		return fmt.Errorf("entry %d has nothing to restore", e.ID)
	}
	_, err := e.setting()
	return err
}

// parseJournal reads a journal. The error matches ErrJournal.
func parseJournal(b []byte) ([]journalEntry, error) {
	entries, err := journalEntries(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	return entries, nil
}

func journalEntries(b []byte) ([]journalEntry, error) {
	if len(b) > journalMax {
		return nil, errors.New("it is too long")
	}
	rest, ok := bytes.CutPrefix(b, []byte(journalMagic))
	if !ok {
		return nil, errors.New("it does not begin like one")
	}
	sum, body, ok := bytes.Cut(rest, []byte("\n"))
	if !ok || string(sum) != journalSum(body) {
		return nil, errors.New("its checksum is wrong")
	}
	var entries []journalEntry
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&entries); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows it")
	}
	seen := make(map[int64]bool)
	for i := range entries {
		e := &entries[i]
		if err := e.check(); err != nil {
			return nil, err
		}
		if seen[e.ID] {
			return nil, fmt.Errorf("two entries are number %d", e.ID)
		}
		seen[e.ID] = true
	}
	return entries, nil
}

// formatJournal is the reverse of parseJournal.
func formatJournal(entries []journalEntry) ([]byte, error) {
	body, err := json.MarshalIndent(entries, "", "\t")
	if err != nil {
		return nil, err
	}
	body = append(body, '\n')
	return append([]byte(journalMagic+journalSum(body)+"\n"), body...), nil
}

func journalSum(body []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// freeJournalID returns the smallest number that no entry has.
func freeJournalID(entries []journalEntry) int64 {
	used := make(map[int64]bool)
	for _, e := range entries {
		used[e.ID] = true
	}
	id := int64(1)
	for used[id] {
		id++
	}
	return id
}
