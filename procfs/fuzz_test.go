// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/procfs"
)

func seeds(f *testing.F) {
	for _, c := range captures(f) {
		if len(c.text) < 4000 {
			f.Add(c.text)
		}
	}
	f.Add([]byte("Ethernet Channel Bonding Driver: v\n\nx: y\n\n\nz\nSlave Interface: a\n\nq: \nSlave Interface: b\nAggregator ID: N/A\nSlave queue ID: 1\n"))
}

// FuzzParse: any text, parsed into a used Bond, is what it is in a new one, and
// loses no line.
func FuzzParse(f *testing.F) {
	seeds(f)
	var reused procfs.Bond
	f.Fuzz(func(t *testing.T, p []byte) {
		fresh, err := procfs.ParseBytes(p)
		reused.Name = ""
		if errReused := reused.UnmarshalText(p); (err == nil) != (errReused == nil) {
			t.Fatalf("%v, reused %v", err, errReused)
		}
		if err != nil {
			if !errors.Is(err, procfs.ErrNotBonding) {
				t.Fatal(err)
			}
			return
		}
		if diff := cmp.Diff(fresh, &reused, opts); diff != "" {
			t.Fatalf("(-fresh +reused):\n%s", diff)
		}
		if want, got := printed(t, fresh), printed(t, &reused); !bytes.Equal(want, got) {
			t.Fatalf("%q is printed as %q, reused as %q", p, want, got)
		}
		for _, e := range fresh.Problems {
			if e.Line < 1 || e.Column < 1 || e.Offset < 0 || e.Offset > len(p) || len(e.Text) > 200 || e.Err == nil {
				t.Fatalf("problem %#v", e)
			}
		}
		for _, l := range fresh.Lines {
			if !bytes.Contains(p, []byte(l.Raw)) {
				t.Fatalf("line %q is not in the text", l.Raw)
			}
		}
	})
}

// FuzzParseAppendParse: what is printed is read as the same, and so is its
// JSON.
func FuzzParseAppendParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		stable(t, p)
		b, err := procfs.ParseBytes(p)
		if err != nil {
			return
		}
		j, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		var again procfs.Bond
		if err := json.Unmarshal(j, &again); err != nil {
			t.Fatalf("%s: %v", j, err)
		}
		if want, got := printed(t, b), printed(t, &again); !bytes.Equal(want, got) {
			t.Fatalf("%q\nJSON %s\ngives %q", want, j, got)
		}
		if diff := cmp.Diff(b, &again, opts); diff != "" {
			t.Fatalf("%q\nJSON %s: (-text +JSON)\n%s", p, j, diff)
		}
	})
}

// FuzzStrict: strict parsing accepts only what AppendText gives, and what it
// gives without Lines and Problems.
func FuzzStrict(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		var b procfs.Bond
		err := (&procfs.Parser{Strict: true}).Parse(p, &b)
		if err != nil {
			if e, ok := errors.AsType[*procfs.SyntaxError](err); ok && (e.Offset > len(p) || e.Err == nil) {
				t.Fatalf("%#v", e)
			}
			return
		}
		if got := printed(t, &b); !bytes.Equal(got, p) {
			t.Fatalf("accepted %q and printed %q", p, got)
		}
		if len(b.Lines)+len(b.Problems) != 0 {
			t.Fatalf("accepted with lines %v, problems %v", b.Lines, b.Problems)
		}
	})
}

// FuzzJSON: no JSON breaks it, and what is accepted is stable.
func FuzzJSON(f *testing.F) {
	for _, c := range captures(f) {
		if b, err := procfs.ParseBytes(c.text); err == nil && len(c.text) < 2000 {
			j, err := json.Marshal(b)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(j)
		}
	}
	f.Fuzz(func(t *testing.T, j []byte) {
		var b procfs.Bond
		if err := json.Unmarshal(j, &b); err != nil {
			return
		}
		first, err := json.Marshal(&b)
		if err != nil {
			t.Fatal(err)
		}
		var again procfs.Bond
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if got := printed(t, &again); !bytes.Equal(got, printed(t, &b)) {
			t.Fatalf("%s gives %q and then %q", j, printed(t, &b), got)
		}
	})
}

// FuzzSanitize: neither Sanitize nor Split changes or invents anything.
func FuzzSanitize(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		before := bytes.Clone(p)
		procfs.Sanitize(p)
		if !bytes.Equal(before, p) {
			t.Fatal("the text was changed")
		}
		n := 0
		for _, part := range procfs.Split(p) {
			n += len(part)
		}
		if n > len(p) {
			t.Fatalf("%d bytes were split into %d", len(p), n)
		}
	})
}
