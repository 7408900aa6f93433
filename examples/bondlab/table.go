// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

const notAsked = "n/a"

// table returns the final table. It is at most width columns wide where that is
// possible: words become letters if they do not fit. A width of 0 is no limit.
func table(results []result, validate []string, bonded bool, width int, p cli.Paint) string {
	if !bonded {
		validate = nil
	}
	rows := tableRows(results, validate, false)
	short := width > 0 && tableWidth(rows) > width
	if short {
		rows = tableRows(results, validate, true)
	}
	var b strings.Builder
	b.WriteString(cli.Table(boldHead(rows), "", p))
	legend := "verdicts are e1/e2"
	if short {
		legend += ", U up, D down"
	}
	if len(validate) > 0 {
		legend += "; the kernel's by arp_validate, ! marks a wrong one"
	}
	b.WriteString(p.In(cli.Faint, legend) + "\n")
	for _, r := range results {
		for _, note := range r.Notes {
			// The others explain what is as it should be.
			switch kind, rest, _ := strings.Cut(note, ": "); kind {
			case "wrong":
				b.WriteString(p.In(cli.Red, kind) + ": " + r.Scenario + ": " + rest + "\n")
			case "kernel":
				b.WriteString(p.In(cli.Faint, kind+": "+r.Scenario+": "+rest) + "\n")
			}
		}
	}
	return b.String()
}

// boldHead gives the first row a colour of its own.
func boldHead(rows [][]cli.Cell) [][]cli.Cell {
	for k := range rows[0] {
		rows[0][k].Color = cli.Bold
	}
	return rows
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

func tableRows(results []result, validate []string, short bool) [][]cli.Cell {
	word := func(s string) string {
		if short {
			return strings.ToUpper(s[:min(1, len(s))])
		}
		return s
	}
	head := []cli.Cell{{Text: "scenario"}, {Text: "truth"}, {Text: "arpmon"}}
	if len(validate) == 0 {
		head = append(head, cli.Cell{Text: "kernel"})
	}
	for _, v := range validate {
		head = append(head, cli.Cell{Text: v})
	}
	rows := [][]cli.Cell{append(head, cli.Cell{Text: "time"})}
	for _, r := range results {
		var truth, ours, times []string
		for _, s := range r.Slaves {
			truth = append(truth, word(s.Truth))
			ours = append(ours, word(s.Arpmon))
			if s.DetectMS != nil {
				times = append(times, fmt.Sprintf("%.0f", *s.DetectMS))
			}
		}
		good := cli.Cell{Text: strings.Join(ours, "/"), Color: cli.Green}
		if !r.Right {
			good = cli.Cell{Text: good.Text + "!", Color: cli.Red}
		}
		row := []cli.Cell{{Text: r.Scenario}, {Text: strings.Join(truth, "/")}, good}
		if len(validate) == 0 {
			row = append(row, cli.Cell{Text: notAsked, Color: cli.Faint})
		}
		for _, v := range validate {
			c := cli.Cell{Text: notAsked, Color: cli.Faint}
			if r.asked(v) {
				c = cli.Cell{}
				for i, s := range r.Slaves {
					if i > 0 {
						c.Text += "/"
					}
					c.Text += word(s.Kernel[v])
					if s.Kernel[v] != s.Truth {
						c.Text += "!"
						c.Color = cli.Red
					}
				}
			}
			row = append(row, c)
		}
		last := cli.Cell{Text: "-", Color: cli.Faint}
		if len(times) > 0 {
			last = cli.Cell{Text: strings.Join(times, "/") + " ms"}
		}
		rows = append(rows, append(row, last))
	}
	return rows
}

func columnWidths(rows [][]cli.Cell) []int {
	var widths []int
	for _, row := range rows {
		for k, c := range row {
			if k == len(widths) {
				widths = append(widths, 0)
			}
			widths[k] = max(widths[k], utf8.RuneCountInString(c.Text))
		}
	}
	return widths
}

func tableWidth(rows [][]cli.Cell) int {
	sum := -2
	for _, w := range columnWidths(rows) {
		sum += w + 2
	}
	return sum
}
