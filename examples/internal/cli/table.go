// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package cli

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// Paint adds colours to text, or nothing, as the zero value does.
type Paint bool

// Colours that [Paint.In] takes. The empty one is none.
const (
	Red    = "31"
	Green  = "32"
	Yellow = "33"
	Bold   = "1"
	Faint  = "2"
)

// In returns s in a colour.
func (p Paint) In(color, s string) string {
	if !p || s == "" || color == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// NewPaint returns the Paint for a terminal, which adds nothing where the environment asks
// for that, by NO_COLOR or TERM=dumb.
func NewPaint(terminal bool, getenv func(string) string) Paint {
	return Paint(terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb")
}

// IsTerminal reports whether w is a terminal, as far as that matters for colours.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Cell is one field of a table. Its text has no colour, so that it can be
// measured.
type Cell struct {
	Text, Color string
}

// Table returns rows of the same length as lines, with indent before each. The first row is the
// head, faint where it has no colour. A column in which nothing but the head stands is left
// out, and no line ends in blanks.
func Table(rows [][]Cell, indent string, p Paint) string {
	widths := make([]int, len(rows[0]))
	last := 0
	for k := range rows[0] {
		for _, row := range rows[1:] {
			widths[k] = max(widths[k], utf8.RuneCountInString(row[k].Text))
		}
		if widths[k] > 0 {
			widths[k] = max(widths[k], utf8.RuneCountInString(rows[0][k].Text))
			last = k
		}
	}
	var b strings.Builder
	for i, row := range rows {
		b.WriteString(indent)
		pad := 0
		for k, c := range row[:last+1] {
			if widths[k] == 0 {
				continue
			}
			if i == 0 && c.Color == "" {
				c.Color = Faint
			}
			// Blanks are written only before something.
			if c.Text != "" {
				b.WriteString(strings.Repeat(" ", pad) + p.In(c.Color, c.Text))
				pad = 0
			}
			pad += widths[k] - utf8.RuneCountInString(c.Text) + 2
		}
		b.WriteString("\n")
	}
	return b.String()
}
