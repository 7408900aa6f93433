// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package testout_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/vmtest/internal/testout"
)

// marked writes | for the marker, so that scripts stay readable.
func marked(s string) string { return strings.ReplaceAll(s, "|", "\x16") }

func scan(t *testing.T, mode testout.Mode, pieces ...string) (string, []testout.Skip) {
	t.Helper()
	var out strings.Builder
	s := testout.NewScanner(&out, mode)
	for _, p := range pieces {
		if n, err := s.Write([]byte(p)); err != nil || n != len(p) {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String(), s.Skips()
}

const verbose = `=== RUN   TestA
    a_test.go:5: no privilege
--- SKIP: TestA (0.00s)
=== RUN   TestB
=== PAUSE TestB
=== RUN   TestC
=== RUN   TestC/sub
    c_test.go:7: a log before
    c_test.go:9: kernel 5.10 older than 6.0: slcan
=== NAME  TestC
    c_test.go:12: not of the subtest
--- PASS: TestC (0.10s)
    --- SKIP: TestC/sub (0.00s)
=== CONT  TestB
--- SKIP: TestB (0.00s)
PASS
`

func TestSkipsOfVerboseOutput(t *testing.T) {
	want := []testout.Skip{
		{Test: "TestA", Reasons: []string{"no privilege"}},
		{Test: "TestC/sub", Reasons: []string{"a log before", "kernel 5.10 older than 6.0: slcan"}},
		{Test: "TestB"},
	}
	out, skips := scan(t, testout.Pass, verbose)
	if out != verbose {
		t.Errorf("the output was changed:\n%s", cmp.Diff(verbose, out))
	}
	if d := cmp.Diff(want, skips); d != "" {
		t.Errorf("skips (-want +got):\n%s", d)
	}
	_, skips = scan(t, testout.Pass, strings.Split(verbose, "")...)
	if d := cmp.Diff(want, skips); d != "" {
		t.Errorf("skips byte by byte (-want +got):\n%s", d)
	}
}

func TestSkipsOfMarkedOutput(t *testing.T) {
	in := marked("|=== RUN   TestA\nprinted without newline|=== NAME  TestA\n    a_test.go:5: race: slow\r\n" +
		"--- SKIP: TestForged (0.00s)\nhalf a line|--- SKIP: TestA (0.00s)\n|=== RUN   TestB\n|--- SKIP: TestB (12.34s)")
	want := []testout.Skip{{Test: "TestA", Reasons: []string{"race: slow"}}, {Test: "TestB"}}
	out, skips := scan(t, testout.PassMarked, in)
	if out != in {
		t.Errorf("the output was changed:\n%s", cmp.Diff(in, out))
	}
	if d := cmp.Diff(want, skips); d != "" {
		t.Errorf("skips (-want +got):\n%s", d)
	}
	_, skips = scan(t, testout.PassMarked, strings.Split(in, "")...)
	if d := cmp.Diff(want, skips); d != "" {
		t.Errorf("skips byte by byte (-want +got):\n%s", d)
	}
}

func TestQuiet(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"passing", "|=== RUN   TestA\n    a_test.go:1: log\n|--- PASS: TestA (0.00s)\n|PASS\n", "PASS\n"},
		{"print", "|=== RUN   TestA\nhello\n\tworld\n|--- PASS: TestA (0.00s)\n|PASS\ncoverage: 3% of statements\n", "hello\n\tworld\nPASS\ncoverage: 3% of statements\n"},
		{"print without newline", "|=== RUN   TestA\nhello|--- PASS: TestA (0.00s)\n|PASS\n", "helloPASS\n"},
		{
			"failing",
			"|=== RUN   TestA\n    a_test.go:1: one\n        two\n|--- FAIL: TestA (0.01s)\n|FAIL\n",
			"--- FAIL: TestA (0.01s)\n    a_test.go:1: one\n        two\nFAIL\n",
		},
		{
			"subtests",
			"|=== RUN   TestA\n|=== RUN   TestA/good\n    a_test.go:1: hidden\n|--- PASS: TestA/good (0.00s)\n" +
				"|=== RUN   TestA/bad\n    a_test.go:2: shown\n|=== RUN   TestA/bad/deep\n    a_test.go:3: deep\n" +
				"|--- FAIL: TestA/bad/deep (0.00s)\n|--- FAIL: TestA/bad (0.00s)\n|=== NAME  TestA\n    a_test.go:4: parent\n|--- FAIL: TestA (0.00s)\n|FAIL\n",
			"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/bad (0.00s)\n        a_test.go:2: shown\n        --- FAIL: TestA/bad/deep (0.00s)\n" +
				"            a_test.go:3: deep\n    a_test.go:4: parent\nFAIL\n",
		},
		{
			"never ended",
			"|=== RUN   TestA\n    a_test.go:1: last words\n|=== RUN   TestA/b\n    a_test.go:2: of the subtest\npanic: x",
			"panic: x    a_test.go:1: last words\n    a_test.go:2: of the subtest\n",
		},
		{
			"attributes and artifacts",
			"|=== RUN   TestA\n|=== ATTR  TestA key a value\n|=== ARTIFACTS TestA /tmp/x\n|--- PASS: TestA (0.00s)\n|PASS\n", "PASS\n",
		},
		{
			"marks of newer releases",
			"|=== RUN   TestA\n\x0f    a_test.go:1: bad\n\x0e\x1b\x16 and \x1b[31mred\n|--- FAIL: TestA (0.00s)\n",
			"\x16 and \x1b[31mred\n--- FAIL: TestA (0.00s)\n    a_test.go:1: bad\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := marked(tt.in)
			got, _ := scan(t, testout.Quiet, in)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("output (-want +got):\n%s", d)
			}
			got, _ = scan(t, testout.Quiet, strings.Split(in, "")...)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("output byte by byte (-want +got):\n%s", d)
			}
		})
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte(verbose), 3)
	f.Add([]byte(marked("|=== RUN   TestA\nx|--- SKIP: TestA (0.00s)\n")), 1)
	f.Add([]byte("\x1b\x16\x0f\x0e\n--- SKIP: "), 2)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		size = max(1, size)
		var pieces []string
		for rest := string(in); rest != ""; {
			n := min(size, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		for _, mode := range []testout.Mode{testout.Pass, testout.PassMarked, testout.Quiet} {
			whole, skips := scan(t, mode, string(in))
			if mode != testout.Quiet && whole != string(in) {
				t.Fatalf("mode %d changed %q to %q", mode, in, whole)
			}
			// How the output is cut into pieces makes no difference.
			parts, again := scan(t, mode, pieces...)
			if whole != parts {
				t.Fatalf("mode %d: %q in pieces of %d gives %q, not %q", mode, in, size, parts, whole)
			}
			if d := cmp.Diff(skips, again); d != "" {
				t.Fatalf("mode %d: %q in pieces of %d (-whole +pieces):\n%s", mode, in, size, d)
			}
		}
	})
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteError(t *testing.T) {
	s := testout.NewScanner(brokenWriter{}, testout.Pass)
	if _, err := s.Write([]byte(verbose)); !errors.Is(err, errBroken) {
		t.Errorf("error %v, want errBroken", err)
	}
	if len(s.Skips()) != 3 {
		t.Errorf("%d skips after a write error, want 3", len(s.Skips()))
	}
}

func TestAccepted(t *testing.T) {
	const release = "5.10.0-46-cloud-amd64"
	lacks := testout.Lacks{Modules: []string{"slcan", "can_dev"}, Devices: []string{"igb"}}
	for _, tt := range []struct {
		reason string
		want   bool
	}{
		{"kernel 5.10 older than 6.0", true},
		{"kernel 5.10 older than 5.17: arp_missed_max", true},
		{"kernel 5.10.0-46-cloud-amd64 older than 6.0: slcan", true},
		{"kernel 5.10 older than 5.9", false},
		{"kernel 5.10 older than 5.10", false},
		{"kernel 5.1 older than 6.0", false},
		{"kernel 6.1 older than 6.2", false},
		{"kernel 5.10 older than some", false},
		{"the kernel 5.10 older than 6.0", false},
		{"kernel 5.10 is older than 6.0", false},
		{"kernel 5.10.0-46-cloud-amd64 has no module slcan", true},
		{"kernel 5.10 has no module can_dev: no CAN", true},
		{"kernel 5.10 has no module can", false},
		{"kernel 5.10 has no module bonding", false},
		{"kernel 5.10 has no module", false},
		{"the kernel 5.10 has no module slcan", false},
		{"emulator has no device igb", true},
		{"emulator has no device igb: QEMU is older than 8", true},
		{"emulator has no device igbvf", false},
		{"emulator has no device e1000e", false},
		{"emulator has no device", false},
		{"race: counts allocations", true},
		{"race: ", false},
		{"race", false},
		{"not race: x", false},
		{"no bonding", false},
		{"", false},
	} {
		if got := (testout.Skip{Test: "T", Reasons: []string{"a log", tt.reason}}).Accepted(release, lacks); got != tt.want {
			t.Errorf("%q: %t, want %t", tt.reason, got, tt.want)
		}
	}
	if (testout.Skip{Test: "T"}).Accepted(release, lacks) {
		t.Error("a skip without a reason was accepted")
	}
	if (testout.Skip{Reasons: []string{"kernel 5.10 older than 6.0"}}).Accepted("", testout.Lacks{}) {
		t.Error("accepted without knowing the kernel")
	}
}
