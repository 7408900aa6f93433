// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import "context"

// HoldSetting is Hold of any setting.
func (c *Client) HoldSetting(ctx context.Context, link Link, control Control, name, value string, cfg *HoldConfig) (*Hold, error) {
	return c.hold(ctx, link, setting{control, name, value}, cfg)
}

// JournalEntry is what a test may look at and change in a journal.
type JournalEntry = journalEntry

// ParseJournal and FormatJournal read and write a journal.
func ParseJournal(b []byte) ([]JournalEntry, error)        { return parseJournal(b) }
func FormatJournal(entries []JournalEntry) ([]byte, error) { return formatJournal(entries) }
