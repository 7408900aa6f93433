// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// paint adds colours to text, or nothing.
type paint bool

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
	faint  = "2"
)

func (p paint) in(code, s string) string {
	if !p || s == "" || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// cell is one field of the table. Its text has no colour, so that it can be
// measured.
type cell struct {
	text, color string
}

const notAsked = "n/a"

// table returns the final table. It is at most width columns wide where that is
// possible: words become letters if they do not fit. A width of 0 is no limit.
func table(results []result, validate []string, bonded bool, width int, p paint) string {
	if !bonded {
		validate = nil
	}
	rows := tableRows(results, validate, false)
	short := width > 0 && tableWidth(rows) > width
	if short {
		rows = tableRows(results, validate, true)
	}
	var b strings.Builder
	b.WriteString(renderRows(rows, p))
	legend := "verdicts are e1/e2"
	if short {
		legend += ", U up, D down"
	}
	if len(validate) > 0 {
		legend += "; the kernel's by arp_validate, ! marks a wrong one"
	}
	b.WriteString(p.in(faint, legend) + "\n")
	for _, r := range results {
		for _, note := range r.Notes {
			// The others explain what is as it should be.
			switch kind, rest, _ := strings.Cut(note, ": "); kind {
			case "wrong":
				b.WriteString(p.in(red, kind) + ": " + r.Scenario + ": " + rest + "\n")
			case "kernel":
				b.WriteString(p.in(faint, kind+": "+r.Scenario+": "+rest) + "\n")
			}
		}
	}
	return b.String()
}

// renderRows returns rows as lines, the first of them as a head.
func renderRows(rows [][]cell, p paint) string {
	var b strings.Builder
	widths := columnWidths(rows)
	for i, row := range rows {
		gap := ""
		for k, c := range row {
			if i == 0 {
				c.color = bold
			}
			b.WriteString(gap + p.in(c.color, c.text))
			gap = strings.Repeat(" ", widths[k]-utf8.RuneCountInString(c.text)+2)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// summary returns the last line: how many are right, and how often the kernel was.
func summary(results []result, validate []string) string {
	right := 0
	for _, r := range results {
		if r.Right {
			right++
		}
	}
	parts := []string{fmt.Sprintf("arpmon: %d of %d right", right, len(results))}
	for _, v := range validate {
		asked, good := 0, 0
		for _, r := range results {
			if !r.asked(v) {
				continue
			}
			asked++
			if !r.kernelWrong(v) {
				good++
			}
		}
		if asked > 0 {
			parts = append(parts, fmt.Sprintf("kernel %s: %d of %d", v, good, asked))
		}
	}
	return strings.Join(parts, "; ")
}

// asked reports whether the kernel was asked with a value of arp_validate.
func (r *result) asked(value string) bool {
	for _, s := range r.Slaves {
		if s.Kernel[value] == "" {
			return false
		}
	}
	return len(r.Slaves) > 0
}

// kernelWrong reports whether the kernel was wrong about a slave.
func (r *result) kernelWrong(value string) bool {
	for _, s := range r.Slaves {
		if s.Kernel[value] != s.Truth {
			return true
		}
	}
	return false
}

func tableRows(results []result, validate []string, short bool) [][]cell {
	word := func(s string) string {
		if short {
			return strings.ToUpper(s[:min(1, len(s))])
		}
		return s
	}
	head := []cell{{text: "scenario"}, {text: "truth"}, {text: "arpmon"}}
	if len(validate) == 0 {
		head = append(head, cell{text: "kernel"})
	}
	for _, v := range validate {
		head = append(head, cell{text: v})
	}
	rows := [][]cell{append(head, cell{text: "time"})}
	for _, r := range results {
		var truth, ours, times []string
		for _, s := range r.Slaves {
			truth = append(truth, word(s.Truth))
			ours = append(ours, word(s.Arpmon))
			if s.DetectMS != nil {
				times = append(times, fmt.Sprintf("%.0f", *s.DetectMS))
			}
		}
		good := cell{strings.Join(ours, "/"), green}
		if !r.Right {
			good = cell{good.text + "!", red}
		}
		row := []cell{{text: r.Scenario}, {text: strings.Join(truth, "/")}, good}
		if len(validate) == 0 {
			row = append(row, cell{notAsked, faint})
		}
		for _, v := range validate {
			c := cell{notAsked, faint}
			if r.asked(v) {
				c = cell{"", ""}
				for i, s := range r.Slaves {
					if i > 0 {
						c.text += "/"
					}
					c.text += word(s.Kernel[v])
					if s.Kernel[v] != s.Truth {
						c.text += "!"
						c.color = red
					}
				}
			}
			row = append(row, c)
		}
		last := cell{"-", faint}
		if len(times) > 0 {
			last = cell{strings.Join(times, "/") + " ms", ""}
		}
		rows = append(rows, append(row, last))
	}
	return rows
}

func columnWidths(rows [][]cell) []int {
	var widths []int
	for _, row := range rows {
		for k, c := range row {
			if k == len(widths) {
				widths = append(widths, 0)
			}
			widths[k] = max(widths[k], utf8.RuneCountInString(c.text))
		}
	}
	return widths
}

func tableWidth(rows [][]cell) int {
	sum := -2
	for _, w := range columnWidths(rows) {
		sum += w + 2
	}
	return sum
}
