// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote returns a name as it is, or quoted as in Go if it has anything in it that
// a terminal might take for a command, a space, or a quote.
//
// The kernel allows every byte in the name of an interface except slashes, colons
// and white space.
func Quote(name string) string {
	odd := func(r rune) bool {
		return r == utf8.RuneError || r == '"' || r == '\\' || r == ' ' || !unicode.IsPrint(r)
	}
	switch {
	case strings.ContainsFunc(name, looksBlank):
		return strconv.QuoteToASCII(name)
	case name == "", strings.ContainsFunc(name, odd):
		return strconv.Quote(name)
	}
	return name
}

// looksBlank reports whether a character that counts as printable leaves nothing to see, so
// that a name with it might look like several columns.
func looksBlank(r rune) bool {
	return r == 0x2800 || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// OneLine makes a text of any origin one that can be printed as part of a line.
func OneLine(text string) string {
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

// Field is one more field of a JSON object.
type Field struct {
	Name  string
	Value any
}

// ExtendJSON returns the JSON object of v with more fields at its end.
func ExtendJSON(v any, fields ...Field) (json.RawMessage, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	body, ok := bytes.CutSuffix(doc, []byte("}"))
	if !ok {
		return nil, fmt.Errorf("no JSON object: %s", doc)
	}
	body = slices.Clone(body)
	for _, f := range fields {
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, "%q:%s", f.Name, value)
	}
	return append(body, '}'), nil
}

// WriteJSON writes an indented document that a terminal may show.
func WriteJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(PlainJSON(text), '\n'))
	return err
}

// PlainJSON escapes what a terminal might take for a command. Encoding/json leaves DEL
// and the control characters beyond ASCII as they are. They can stand in strings only. The
// result may be text itself.
func PlainJSON(text []byte) []byte {
	odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) && r != utf8.RuneError }
	if !bytes.ContainsFunc(text, odd) {
		return text
	}
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case !odd(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String())
}

// Plural returns "1 failure" or "3 failures".
func Plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// Enumerate returns the words as in a sentence: "a, b and c".
func Enumerate(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
