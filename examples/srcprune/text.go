// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bondkit/bondkit/ethtool"
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

// isTerminal reports whether w is a terminal, as far as that matters for colours.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// quote returns a name as it is, or quoted as in Go if it has anything in it that
// a terminal might take for a command, a space, or a quote.
//
// The kernel allows every byte in the name of an interface except slashes, colons
// and white space.
func quote(name string) string {
	odd := func(r rune) bool {
		return r == utf8.RuneError || r == '"' || r == '\\' || r == ' ' || !unicode.IsPrint(r)
	}
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}

// quoteLink is quote for the name of a link, or its number where it has no name.
func quoteLink(l ethtool.Link) string {
	if l.Name == "" {
		return "#" + strconv.Itoa(l.Index)
	}
	return quote(l.Name)
}

// oneLine makes a text of any origin one that can be printed as part of a line.
func oneLine(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
	if !strings.ContainsFunc(text, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			q := strconv.Quote(text[:n])
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

// cell is one field of a table. Its text has no colour, so that it can be
// measured.
type cell struct {
	text, color string
}

// renderTable returns rows as lines, the first of them as a head. A column in
// which nothing but the head stands is left out.
func renderTable(rows [][]cell, indent string, p paint) string {
	widths := make([]int, len(rows[0]))
	last := 0
	for k := range rows[0] {
		for _, row := range rows[1:] {
			if row[k].text != "" {
				widths[k] = max(widths[k], utf8.RuneCountInString(row[k].text))
			}
		}
		if widths[k] > 0 {
			widths[k] = max(widths[k], utf8.RuneCountInString(rows[0][k].text))
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
			if i == 0 {
				c.color = faint
			}
			// Blanks are written only before something.
			if c.text != "" {
				b.WriteString(strings.Repeat(" ", pad) + p.in(c.color, c.text))
				pad = 0
			}
			pad += widths[k] - utf8.RuneCountInString(c.text) + 2
		}
		b.WriteString("\n")
	}
	return b.String()
}

// nearest returns the word that was probably meant, empty if none comes near.
func nearest(word string, words []string) string {
	best, bestAt := "", max(2, len(word)/3)+1
	for _, w := range words {
		if d := editDistance(word, w); d < bestAt && d < len(w) {
			best, bestAt = w, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
func editDistance(a, b string) int {
	var before, prev []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, prev = prev, row
		row = make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(prev[j+1]+1, row[j]+1, prev[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// didYouMean returns the end of a sentence about a word that is none.
func didYouMean(word string, words []string) string {
	if w := nearest(word, words); w != "" {
		return "; did you mean " + w + "?"
	}
	return ""
}

// plural returns "1 failure" or "3 failures".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// enumerate returns the words as in a sentence.
func enumerate(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
