// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// escape makes a string that JSON can hold of any bytes: those that are not UTF-8
// become \xNN, and a backslash becomes two.
func escape(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, "\\") {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString("\\x")
			b.WriteByte(hexDigits[s[0]>>4])
			b.WriteByte(hexDigits[s[0]&15])
		case r == '\\':
			b.WriteString("\\\\")
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// unescape is the inverse. ok is false for a backslash that escape does not
// write.
func unescape(s string) (out string, ok bool) {
	if !strings.Contains(s, "\\") {
		return s, true
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "\\")
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), true
		case strings.HasPrefix(rest, "\\"):
			b.WriteByte('\\')
			s = rest[1:]
		case len(rest) >= 3 && rest[0] == 'x':
			n, err := strconv.ParseUint(rest[1:3], 16, 8)
			if err != nil {
				return "", false
			}
			b.WriteByte(byte(n))
			s = rest[3:]
		default:
			return "", false
		}
	}
}
