// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/procfs"
)

func TestSplit(t *testing.T) {
	a, b := string(text(t, "112-vm-7.3-ab-primary-always")), string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	tests := []struct {
		name, in string
		want     [][2]string
	}{
		{"one", a, [][2]string{{"", a}}},
		{"nothing", "", nil},
		{"head", "==> /proc/net/bonding/bond0 <==\n" + a + "\n==> bond1 <==\n" + b, [][2]string{{"bond0", a}, {"bond1", b}}},
		{"head of an empty file", "==> bond0 <==\n\n==> bond1 <==\n" + b, [][2]string{{"bond0", ""}, {"bond1", b}}},
		{"cat", a + b + a, [][2]string{{"", a}, {"", b}, {"", a}}},
		{"prompt", "# cat /proc/net/bonding/*\n" + a + b, [][2]string{{"", "# cat /proc/net/bonding/*\n" + a}, {"", b}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got [][2]string
			for name, p := range procfs.Split([]byte(tt.in)) {
				got = append(got, [2]string{name, string(p)})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for range procfs.Split([]byte(tt.in)) {
				break
			}
		})
	}
}

// TestNotSplit: a second bond in one text is a problem, and not mixed with the
// first.
func TestNotSplit(t *testing.T) {
	a, b := string(text(t, "112-vm-7.3-ab-primary-always")), string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	got := parse(t, []byte(a+b))
	if len(got.Slaves) != 2 || len(got.Lines) != 1 || len(got.Problems) != 1 {
		t.Errorf("%d slaves, %d lines, problems %v", len(got.Slaves), len(got.Lines), got.Problems)
	}
	if string(printed(t, got)) != a+b {
		t.Error("the second bond is lost")
	}
}

func TestSanitize(t *testing.T) {
	whole := string(text(t, "156-vm-7.3-8023ad-negotiated-2"))
	each := func(mark string) string {
		return mark + strings.TrimSuffix(strings.ReplaceAll(whole, "\n", "\n"+mark), mark)
	}
	var utf16 []byte
	for _, c := range []byte("\xff\xfe" + whole) {
		utf16 = append(utf16, c)
		if len(utf16) > 2 {
			utf16 = append(utf16, 0)
		}
	}
	for name, in := range map[string]string{
		"as printed":        whole,
		"byte order mark":   "\xef\xbb\xbf" + whole,
		"UTF-16":            string(utf16),
		"line ends":         strings.ReplaceAll(whole, "\n", "\r\n"),
		"quoted in a mail":  each("> "),
		"quoted twice":      each("> > "),
		"quoted, no blanks": each(">"),
		"indented":          each("    "),
		"indented by tab":   each("\t"),
		"block of code":     "```text\n" + whole + "```\n",
		"quoted and all":    strings.ReplaceAll(each("> "), "\n", "\r\n"),
	} {
		if got := string(procfs.Sanitize([]byte(in))); got != whole {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(whole, got))
		}
	}
	qp := text(t, "301-derived-quoted-printable")
	if b := parse(t, procfs.Sanitize(qp)); len(b.Problems)+len(b.Lines) != 0 || bytes.Equal(procfs.Sanitize(qp), qp) {
		t.Errorf("quoted-printable: problems %v, lines %v", b.Problems, b.Lines)
	}
	wrapped := "ARP IP target/s (n.n.n.n form): 192.0.2.1,\n192.0.2.2, 192.0.2.3,\n  192.0.2.4\nMII Status: up\n"
	if got, want := string(procfs.Sanitize([]byte(wrapped))), "ARP IP target/s (n.n.n.n form): 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4\nMII Status: up\n"; got != want {
		t.Errorf("wrapped: %q", got)
	}
	// What a kernel prints stays as it is.
	for _, c := range captures(t) {
		if c.printed && !bytes.Equal(procfs.Sanitize(c.text), c.text) {
			t.Errorf("%s: changed", c.name)
		}
	}
}
