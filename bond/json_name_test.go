// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// jsonNames are names that the kernel takes, or would if they were shorter.
var jsonNames = map[string]string{
	"eth0": "eth0", "": "", `a\b`: `a\\b`, `\xff`: `\\xff`, "\xff\xfe": `\xff\xfe`, "a\xe9": `a\xe9`,
	"\ufffd": "\ufffd", "h\u00e9": "h\u00e9", "\x01\x7f\"<": "\x01\x7f\"<", "#5": "#5", `#\`: `#\\`,
}

func TestEscapeName(t *testing.T) {
	for name, want := range jsonNames {
		if got := bond.EscapeName(name); got != want || !utf8.ValidString(got) {
			t.Errorf("EscapeName(%q) = %q, want %q", name, got, want)
		}
		if back, err := bond.UnescapeName(want); err != nil || back != name {
			t.Errorf("UnescapeName(%q) = %q, %v, want %q", want, back, err, name)
		}
	}
	for b := range 256 {
		name := "a" + string([]byte{byte(b)}) + "b"
		if back, err := bond.UnescapeName(bond.EscapeName(name)); err != nil || back != name {
			t.Errorf("%q comes back as %q, %v", name, back, err)
		}
	}
	for _, text := range []string{`\`, `a\`, `\x`, `\x1`, `\xg0`, `\x+1`, `\n`, `\\\`} {
		if name, err := bond.UnescapeName(text); !errors.Is(err, bond.ErrBadValue) || name != "" {
			t.Errorf("UnescapeName(%q) = %q, %v", text, name, err)
		}
	}
}

// TestNamesSurviveJSON has names come back from JSON as they were, wherever one stands.
func TestNamesSurviveJSON(t *testing.T) {
	for name := range jsonNames {
		if name == "" {
			continue
		}
		spec := bond.Spec{
			Name:    name,
			Options: bond.Options{Primary: &bond.Link{Name: name}, Active: &bond.Link{Name: name}},
			Slaves:  []bond.SlaveSpec{{Name: name}},
		}
		text, err := json.Marshal(spec)
		if err != nil || !utf8.Valid(text) {
			t.Fatalf("%q: %s, %v", name, text, err)
		}
		var back bond.Spec
		if err := json.Unmarshal(text, &back); err != nil {
			t.Errorf("%q: %s: %v", name, text, err)
		}
		if diff := cmp.Diff(spec, back, valuesCompare); diff != "" {
			t.Errorf("%s (-written +read):\n%s", text, diff)
		}
		b := valuesBond(spec.Options)
		b.Name = name
		s := bond.Slave{}
		s.Name = name
		for _, v := range []any{b, s} {
			var read struct {
				Name    string
				Options struct{ Primary string }
			}
			if text, err = json.Marshal(v); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &read); err != nil {
				t.Fatal(err)
			}
			if got, err := bond.UnescapeName(read.Name); err != nil || got != name {
				t.Errorf("%T %s: name %q, %v, want %q", v, text, got, err, name)
			}
			if got, err := bond.UnescapeName(read.Options.Primary); v == any(b) && (err != nil || got != name) {
				t.Errorf("%s: primary %q, %v, want %q", text, got, err, name)
			}
		}
	}
	// An index, and the name that looks like one.
	for text, want := range map[string]bond.Link{
		`{"primary":"#5"}`: {Index: 5}, `{"primary":"\\x235"}`: {Name: "#5"}, `{"primary":"#x"}`: {Name: "#x"}, `{"primary":""}`: {},
	} {
		var o bond.Options
		if err := json.Unmarshal([]byte(text), &o); err != nil || *o.Primary != want {
			t.Errorf("%s: %+v, %v, want %+v", text, o.Primary, err, want)
		}
	}
}

// TestNamesRefusedInJSON has no name be another one than was written.
func TestNamesRefusedInJSON(t *testing.T) {
	for _, text := range []string{
		"{\"name\":\"a\xff\"}", "{\"name\":\"a\",\"slaves\":[\"\xff\"]}", "{\"name\":\"a\",\"options\":{\"primary\":\"\xff\"}}",
		`{"name":"a\\b"}`, `{"name":"a","slaves":["\\"]}`, `{"name":"a","slaves":[{"name":"\\x"}]}`, `{"name":"a","options":{"primary":"\\y"}}`,
		`{"name":"a","options":{"primary":"\\x23/"}}`,
	} {
		spec := bond.Spec{Name: "before"}
		if err := json.Unmarshal([]byte(text), &spec); !errors.Is(err, bond.ErrBadValue) || spec.Name != "before" {
			t.Errorf("%q: %+v, %v", text, spec, err)
		}
	}
	var s bond.SlaveSpec
	if err := json.Unmarshal([]byte("\"\xff\""), &s); !errors.Is(err, bond.ErrBadValue) {
		t.Errorf("slave: %+v, %v", s, err)
	}
}
