// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func TestNearest(t *testing.T) {
	words := []string{"mode", "miimon", "updelay", "downdelay", "lacp_rate"}
	for _, tt := range []struct{ word, want string }{
		{"mode", "mode"},
		{"mod", "mode"},
		{"moed", "mode"},
		{"mimon", "miimon"},
		{"lacprate", "lacp_rate"},
		{"donwdelay", "downdelay"},
		{"", ""},
		{"x", ""},
		{"frobnicate", ""},
	} {
		if got := cli.Nearest(tt.word, words); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"eth0", "eth0"},
		{"größe", "größe"},
		{"", `""`},
		{"a b", `"a b"`},
		{`a"b`, `"a\"b"`},
		{"\x1b[31m", `"\x1b[31m"`},
		{"\xff\xfe", `"\xff\xfe"`},
		{"a\u202eb", `"a\u202eb"`},
		{"a\u009bb", `"a\u009bb"`},
		{`a\b`, `"a\\b"`},
		{"b\u2800\u2800OK", `"b\u2800\u2800OK"`},
		{"b\u3164\u115f", `"b\u3164\u115f"`},
		{"b\ufe0f", `"b\ufe0f"`},
	} {
		if got := cli.Quote(tt.name); got != tt.want {
			t.Errorf("quote(%q) = %s, want %s", tt.name, got, tt.want)
		}
	}
	if got, want := cli.OneLine("a \x1b[2J\nb \"c\"\u009b"), `a \x1b[2J; b "c"\u009b`; got != want {
		t.Errorf("oneLine: %q, want %q", got, want)
	}
	if got, want := string(cli.PlainJSON([]byte("{\"a\":\"\u009b\U000e0001\u00e4\x7f\"}\n"))), `{"a":"\u009b\udb40\udc01`+"\u00e4"+`\u007f"}`+"\n"; got != want {
		t.Errorf("plainJSON: %q, want %q", got, want)
	}
}

// TestEnumerate joins words, and counts them.
func TestEnumerate(t *testing.T) {
	for want, words := range map[string]string{"": "", "a": "a", "a and b": "a b", "a, b and c": "a b c"} {
		if got := cli.Enumerate(strings.Fields(words)); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	if got := cli.Plural(1, "port") + ", " + cli.Plural(0, "port") + ", " + cli.Plural(12, "port"); got != "1 port, 0 ports, 12 ports" {
		t.Error(got)
	}
	if got := "x" + cli.DidYouMean("mdoe", []string{"miimon", "mode"}) + cli.DidYouMean("zzz", []string{"mode"}); got != "x; did you mean mode?" {
		t.Error(got)
	}
}

// TestTable aligns by characters, leaves out what is empty, and colours without moving anything.
func TestTable(t *testing.T) {
	rows := [][]cli.Cell{
		{{Text: "NAME"}, {Text: "EMPTY"}, {Text: "STATE"}, {Text: "LAST", Color: cli.Bold}},
		{{Text: "größe"}, {}, {Text: "up", Color: cli.Green}, {}},
		{{Text: "e1"}, {}, {}, {Text: "x"}},
	}
	want := "-NAME   STATE  LAST\n-größe  up\n-e1            x\n"
	if got := cli.Table(rows, "-", false); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	want = "\x1b[2mNAME\x1b[0m   \x1b[2mSTATE\x1b[0m  \x1b[1mLAST\x1b[0m\ngröße  \x1b[32mup\x1b[0m\ne1            x\n"
	if got := cli.Table(rows, "", true); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, tt := range []struct {
		terminal bool
		env      map[string]string
		want     cli.Paint
	}{
		{true, nil, true},
		{false, nil, false},
		{true, map[string]string{"NO_COLOR": "1"}, false},
		{true, map[string]string{"TERM": "dumb"}, false},
	} {
		if got := cli.NewPaint(tt.terminal, func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	if cli.IsTerminal(&bytes.Buffer{}) {
		t.Error("a buffer is no terminal")
	}
}

// TestWriteJSON has nothing for a terminal to obey.
func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	if err := cli.WriteJSON(&b, []string{"a\u009b\x7f"}); err != nil || b.String() != "[\n  \"a\\u009b\\u007f\"\n]\n" {
		t.Errorf("%v, %q", err, b.String())
	}
	if err := cli.WriteJSON(&b, func() {}); err == nil {
		t.Error("a function is no JSON")
	}
}

// TestExtendJSON puts fields at the end of objects of any kind.
func TestExtendJSON(t *testing.T) {
	for _, tt := range []struct {
		v    any
		want string
	}{
		{struct{}{}, `{"a":1,"b":null}`},
		{map[string]int{"x": 2}, `{"x":2,"a":1,"b":null}`},
		{[]int{1}, ""},
		{func() {}, ""},
	} {
		got, err := cli.ExtendJSON(tt.v, cli.Field{Name: "a", Value: 1}, cli.Field{Name: "b"})
		if string(got) != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%T: %s, %v", tt.v, got, err)
		}
	}
	if _, err := cli.ExtendJSON(struct{}{}, cli.Field{Name: "a", Value: func() {}}); err == nil {
		t.Error("a function is no JSON")
	}
}
