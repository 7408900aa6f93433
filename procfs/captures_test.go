// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/procfs"
)

var update = flag.Bool("update", false, "write testdata/golden.jsonl anew")

const capturesDir = "testdata/captures"

// capture is a text and what the index says of it.
type capture struct {
	name string
	text []byte
	// printed says that a kernel printed it, and that nothing has happened to it since.
	printed      bool
	mode, driver string
	slaves       string
}

func captures(tb testing.TB) []capture {
	tb.Helper()
	f, err := os.Open(filepath.Join(capturesDir, "INDEX.tsv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var all []capture
	for s := bufio.NewScanner(f); s.Scan(); {
		cell := strings.Split(s.Text(), "\t")
		if len(cell) < 6 || !strings.HasSuffix(cell[0], ".txt") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(capturesDir, cell[0]))
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, capture{
			name: strings.TrimSuffix(cell[0], ".txt"), text: text, printed: strings.Contains(cell[0], "-vm-"),
			mode: cell[3], driver: cell[4], slaves: cell[5],
		})
	}
	if len(all) < 190 {
		tb.Fatalf("found %d captures, so this test looks in the wrong place", len(all))
	}
	return all
}

// text returns the text of one capture.
func text(tb testing.TB, name string) []byte {
	tb.Helper()
	p, err := os.ReadFile(filepath.Join(capturesDir, name+".txt"))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func parse(tb testing.TB, p []byte) *procfs.Bond {
	tb.Helper()
	b, err := procfs.ParseBytes(p)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func printed(tb testing.TB, b *procfs.Bond) []byte {
	tb.Helper()
	p, err := b.AppendText(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// TestCapturesPrintedBack: what nine kernels print comes back byte for byte, and
// is strictly right.
func TestCapturesPrintedBack(t *testing.T) {
	var reused procfs.Bond
	for _, c := range captures(t) {
		if !c.printed {
			continue
		}
		b := parse(t, c.text)
		if diff := cmp.Diff(string(c.text), string(printed(t, b))); diff != "" {
			t.Errorf("%s: printed back differs (-kernel +ours):\n%s", c.name, diff)
		}
		if len(b.Problems)+len(b.Lines) > 0 {
			t.Errorf("%s: problems %v, lines %+v", c.name, b.Problems, b.Lines)
		}
		if err := (&procfs.Parser{Strict: true}).Parse(c.text, new(procfs.Bond)); err != nil {
			t.Errorf("%s: strict: %v", c.name, err)
		}
		if err := reused.UnmarshalText(c.text); err != nil {
			t.Errorf("%s: reused: %v", c.name, err)
		}
		if diff := cmp.Diff(string(c.text), string(printed(t, &reused))); diff != "" {
			t.Errorf("%s: a reused Bond differs:\n%s", c.name, diff)
		}
	}
}

// TestCapturesIndex compares with what was written down when they were made.
func TestCapturesIndex(t *testing.T) {
	for _, c := range captures(t) {
		if !c.printed {
			continue
		}
		b := parse(t, c.text)
		if got := b.Mode.String(); got != c.mode {
			t.Errorf("%s: mode %s, want %s", c.name, got, c.mode)
		}
		if b.Driver != c.driver {
			t.Errorf("%s: driver %q, want %q", c.name, b.Driver, c.driver)
		}
		if got := json.Number(c.slaves); got.String() != jsonInt(len(b.Slaves)) {
			t.Errorf("%s: %d slaves, want %s", c.name, len(b.Slaves), c.slaves)
		}
	}
}

func jsonInt(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// TestCapturesGolden compares every capture, damaged ones too, with its JSON in
// testdata/golden.jsonl, and reads the JSON back.
func TestCapturesGolden(t *testing.T) {
	type row struct {
		Capture string
		Error   string          `json:",omitempty"`
		Bond    json.RawMessage `json:",omitempty"`
	}
	var got bytes.Buffer
	for _, c := range captures(t) {
		r := row{Capture: c.name}
		b, err := procfs.ParseBytes(c.text)
		if err != nil {
			r.Error = err.Error()
		} else {
			if r.Bond, err = json.Marshal(b); err != nil {
				t.Fatal(err)
			}
			var again procfs.Bond
			if err := json.Unmarshal(r.Bond, &again); err != nil {
				t.Errorf("%s: reading the JSON back: %v", c.name, err)
			}
			if diff := cmp.Diff(string(printed(t, b)), string(printed(t, &again))); diff != "" {
				t.Errorf("%s: the text of the JSON differs (-text +JSON):\n%s", c.name, diff)
			}
			twice, err := json.Marshal(&again)
			if err != nil || !bytes.Equal(twice, r.Bond) {
				t.Errorf("%s: the JSON changes:\n%s\n%s\n%v", c.name, r.Bond, twice, err)
			}
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(append(line, '\n'))
	}
	const golden = "testdata/golden.jsonl"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("JSON differs from %s (-want +got):\n%s", golden, diff)
	}
}
