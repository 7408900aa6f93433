// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"encoding/json"
	"io"
	"math"
	"time"
)

// result is what became of a scenario. Its JSON form is what -json prints.
type result struct {
	Scenario string        `json:"scenario"`
	Title    string        `json:"title"`
	Slaves   []slaveResult `json:"slaves"`
	// Group is what the Monitor said of both slaves.
	Group string   `json:"group"`
	Right bool     `json:"right"`
	Notes []string `json:"notes"`

	group string // the truth
}

// slaveResult is what became of one slave.
type slaveResult struct {
	Name  string `json:"name"`
	Truth string `json:"truth"`
	// Arpmon is what the Monitor said.
	Arpmon string `json:"arpmon"`
	// Kernel is what the kernel's monitor said by the value of arp_validate. It
	// is empty where the kernel was not asked.
	Kernel map[string]string `json:"kernel"`
	// DetectMS is nil where the truth is up, or was not found.
	DetectMS *float64 `json:"detect_ms"`
}

// newResult makes a result of what the judge said.
func newResult(sc *scenario, p *passed) *result {
	r := &result{
		Scenario: sc.name, Title: sc.title, Group: p.group, Right: len(p.problems) == 0,
		Notes: []string{}, group: sc.group,
	}
	for i, name := range slaveNames {
		s := slaveResult{Name: name, Truth: sc.truth[i], Arpmon: p.slaves[i], Kernel: map[string]string{}}
		if d := p.detect[i]; d != nil {
			s.DetectMS = new(milliseconds(*d))
		}
		r.Slaves = append(r.Slaves, s)
	}
	for _, s := range p.problems {
		r.Notes = append(r.Notes, "wrong: "+s)
	}
	r.Notes = append(r.Notes, p.notes...)
	return r
}

// milliseconds returns a time in milliseconds with one digit after the point.
func milliseconds(d time.Duration) float64 {
	return math.Round(d.Seconds()*1e4) / 10
}

// writeJSON writes a result as one line.
func writeJSON(w io.Writer, r *result) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
