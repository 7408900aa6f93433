// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package escape_test

import (
	"testing"
	"unicode/utf8"

	"github.com/bondkit/bondkit/internal/escape"
)

func TestText(t *testing.T) {
	for s, want := range map[string]string{
		"":              "",
		"eth0":          "eth0",
		"é":             "é",
		"\xe9t\xe9":     `\xe9t\xe9`,
		`a\b`:           `a\\b`,
		"\ufffd\x00":    "\ufffd\x00",
		`\x41` + "\xff": `\\x41\xff`,
	} {
		if got := escape.Text(s); got != want {
			t.Errorf("Text(%q) = %q, want %q", s, got, want)
		}
		if got, ok := escape.Undo(want); got != s || !ok {
			t.Errorf("Undo(%q) = %q, %v, want %q", want, got, ok, s)
		}
	}
	if got, ok := escape.Undo(`\x41`); got != "A" || !ok {
		t.Errorf("any byte: %q, %v", got, ok)
	}
	for _, s := range []string{`\`, `a\`, `\n`, `\x`, `\x4`, `\xg0`, `\x+1`, `\\\`, `\X41`} {
		if got, ok := escape.Undo(s); ok || got != "" {
			t.Errorf("Undo(%q) = %q, %v", s, got, ok)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("\xff\\x41")
	f.Fuzz(func(t *testing.T, s string) {
		text := escape.Text(s)
		if !utf8.ValidString(text) {
			t.Errorf("Text(%q) = %q is no UTF-8", s, text)
		}
		if back, ok := escape.Undo(text); back != s || !ok {
			t.Errorf("%q came back as %q, %v", s, back, ok)
		}
		if got, ok := escape.Undo(s); ok && escape.Text(got) == "" && s != "" {
			t.Errorf("Undo(%q) lost everything", s)
		}
	})
}
