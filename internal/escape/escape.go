// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package escape writes any bytes as UTF-8, for JSON: the name of an interface and
// the words of a driver may be bytes that are no UTF-8, which JSON cannot have.
package escape

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text returns s with every byte that is no UTF-8 as \xNN, with two hexadecimal
// digits, and every backslash as two. Other texts, which is nearly all, are
// returned as they are.
func Text(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, `\`) {
		return s
	}
	const digits = "0123456789abcdef"
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x`)
			b.WriteByte(digits[s[0]>>4])
			b.WriteByte(digits[s[0]&15])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// Undo is the inverse of Text. Any byte may be written as \xNN. ok is false where a
// backslash begins neither that nor two of them.
func Undo(text string) (s string, ok bool) {
	if !strings.Contains(text, `\`) {
		return text, true
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, `\`)
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), true
		case strings.HasPrefix(after, `\`):
			b.WriteByte('\\')
			text = after[1:]
		case len(after) >= 3 && after[0] == 'x':
			n, err := strconv.ParseUint(after[1:3], 16, 8)
			if err != nil {
				return "", false
			}
			b.WriteByte(byte(n))
			text = after[3:]
		default:
			return "", false
		}
	}
}
