// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// captureText returns what a kernel printed.
func captureText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "captures", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Captures of a mode each.
const (
	backupCapture = "112-vm-7.3-ab-primary-always"
	lacpCapture   = "211-vm-6.1-8023ad-two-aggregators"
	hiddenCapture = "157-vm-7.3-8023ad-negotiated-2-nonroot"
	arpCapture    = "128-vm-7.3-ab-arp-ns-mixed"
	oddCapture    = "146-vm-7.3-ab-oddnames"
	emptyCapture  = "109-vm-7.3-rr-empty-miimon0"
)

// writeTree writes files below a new directory, and returns its name.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// noKernel is a command line that must not ask the kernel.
func noKernel(t *testing.T) *bench {
	b := newBench(t, nil)
	b.transport = func() bond.Transport {
		t.Error("the kernel was asked")
		return b.kernel.Transport()
	}
	return b
}

// report is the tree of a report, with a bond of every kind.
func report(t *testing.T) string {
	return writeTree(t, map[string]string{
		"proc/net/bonding/bond0":           captureText(t, backupCapture),
		"proc/net/bonding/bond1":           captureText(t, lacpCapture),
		"proc/net/bonding/bond2":           captureText(t, hiddenCapture),
		"proc/net/bonding/bond3":           captureText(t, arpCapture),
		"proc/net/bonding/bond4":           captureText(t, oddCapture),
		"proc/net/bonding/bond5":           captureText(t, emptyCapture),
		"proc/net/bonding/bonding_masters": "bond0 bond1\n",
		"etc/hosts":                        "127.0.0.1 localhost\n",
	})
}

func TestProc(t *testing.T) {
	b := noKernel(t)
	root := report(t)
	want := b.must("proc " + root)
	golden(t, "proc.txt", want)
	golden(t, "proc.jsonl", b.must("proc -json "+root))
	// The report, its proc directory, the directory of the files: all are the same.
	for _, dir := range []string{"proc", "proc/net", "proc/net/bonding"} {
		if got := b.must("proc " + filepath.Join(root, dir)); got != want {
			t.Errorf("%s: %s", dir, got)
		}
	}
	b.terminal = true
	golden(t, "proc-color.txt", b.must("proc "+filepath.Join(root, "proc", "net", "bonding", "bond1")))
	if got := b.must("proc -no-color " + root); got != want {
		t.Errorf("without colours: %s", got)
	}
}

// TestProcPrint prints byte for byte what kernels print.
func TestProcPrint(t *testing.T) {
	b := noKernel(t)
	for _, name := range []string{backupCapture, lacpCapture, hiddenCapture, arpCapture, oddCapture, emptyCapture} {
		text := captureText(t, name)
		b.stdin = strings.NewReader(text)
		if got := b.must("proc -print -"); got != text {
			t.Errorf("%s is printed as %s", name, got)
		}
	}
	b.stdin = strings.NewReader("> " + strings.ReplaceAll(captureText(t, backupCapture), "\n", "\r\n> "))
	if got := b.must("proc - -print"); got != captureText(t, backupCapture) {
		t.Errorf("quoted in a mail: %s", got)
	}
}

// TestProcSeveral splits what cat, head and tail put together.
func TestProcSeveral(t *testing.T) {
	b := noKernel(t)
	first, second := captureText(t, backupCapture), captureText(t, lacpCapture)
	names := func(text, line string) []string {
		t.Helper()
		b.stdin = strings.NewReader(text)
		var got []string
		dec := json.NewDecoder(strings.NewReader(b.must(line)))
		for {
			var doc struct {
				Name     string
				Mode     string
				Slaves   []any
				Problems []any
				Unknown  []any
			}
			if err := dec.Decode(&doc); err == io.EOF {
				return got
			} else if err != nil {
				t.Fatal(err)
			}
			if doc.Slaves == nil || doc.Problems == nil || doc.Unknown == nil {
				t.Errorf("slaves, problems or unknown is absent: %+v", doc)
			}
			got = append(got, doc.Name+" "+doc.Mode)
		}
	}
	headed := "==> /proc/net/bonding/bond0 <==\n" + first + "\n==> /proc/net/bonding/bond1 <==\n" + second
	if got := names(headed, "proc -json -"); !slices.Equal(got, []string{"bond0 active-backup", "bond1 802.3ad"}) {
		t.Errorf("head: %q", got)
	}
	if got := names(first+second, "proc -json -"); !slices.Equal(got, []string{" active-backup", " 802.3ad"}) {
		t.Errorf("cat: %q", got)
	}
	file := filepath.Join(writeTree(t, map[string]string{"bond7.txt": first}), "bond7.txt")
	if got := names(headed, "proc -json - "+file); !slices.Equal(got, []string{"bond0 active-backup", "bond1 802.3ad", "bond7 active-backup"}) {
		t.Errorf("two operands: %q", got)
	}
}

// TestProcFaults says what is wrong, one line each, and shows the rest all the same.
func TestProcFaults(t *testing.T) {
	text := captureText(t, backupCapture)
	dir := writeTree(t, map[string]string{
		"cut":                 strings.TrimSuffix(text, "\n"),
		"vendor":              strings.Replace(text, "Up Delay", "Vendor: \x1b[2J\nUp Delay", 1),
		"two":                 text + strings.Replace(text, "Link Failure Count: 0", "Link Failure Count: ?", 1),
		"other":               "hello\n",
		"empty":               "",
		"bare/net/tcp":        "",
		"none/net/bonding/x":  "",
		"report/proc/net/tcp": "",
		"others/a":            "hello\n",
		"others/b":            "",
		"mixed/a":             "hello\n",
		"mixed/b":             text,
		"nothing/x/y":         "",
		"links/broken/x":      "",
	})
	for name, to := range map[string]string{"bond0": "../vendor", "lost": "../nowhere"} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(dir, "links", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "none", "net", "bonding", "x")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		file   string
		stdout string // is somewhere in it
		stderr []string
		status int
	}{
		{"cut", "always1", []string{": line 26, column 18: text is cut off: \"Slave queue ID: 0\""}, cli.ExitFailed},
		{"vendor", `line 8, kept as it is: Vendor: \x1b[2J`, nil, cli.ExitDone},
		{"two", "always1", []string{": bond 2: line 16, column 21: value cannot be read: \"Link Failure Count: ?\""}, cli.ExitFailed},
		{"other", "", []string{": not a text of /proc/net/bonding"}, cli.ExitFailed},
		{"empty", "", []string{": not a text of /proc/net/bonding"}, cli.ExitFailed},
		{"absent", "", []string{": "}, cli.ExitFailed},
		{"bare", "", []string{": no net/bonding, so the bonding module was not loaded"}, cli.ExitCannotRun},
		{"bare/net", "", []string{": no net/bonding, so the bonding module was not loaded"}, cli.ExitCannotRun},
		{"report", "", []string{": no net/bonding, so the bonding module was not loaded"}, cli.ExitCannotRun},
		{"none", "no bonds\n", nil, cli.ExitDone},
		{"none/net", "no bonds\n", nil, cli.ExitDone},
		{"none/net/bonding", "no bonds\n", nil, cli.ExitDone},
		{"others", "", []string{": no file in it is a text of /proc/net/bonding"}, cli.ExitFailed},
		{"nothing", "", []string{": no file in it is a text of /proc/net/bonding"}, cli.ExitFailed},
		{"mixed", "always1", []string{"/a: not a text of /proc/net/bonding"}, cli.ExitFailed},
		{"links", "Vendor", []string{"/lost: no such file or directory"}, cli.ExitFailed},
	}
	for _, tt := range tests {
		path := filepath.Join(dir, tt.file)
		stdout, stderr, status := noKernel(t).run("proc " + path)
		if status != tt.status || !strings.Contains(stdout, tt.stdout) || tt.stdout == "" && stdout != "" || strings.Contains(stdout, "\x1b") {
			t.Errorf("%s: status %d, standard output %q", tt.file, status, stdout)
		}
		lines := strings.SplitAfter(stderr, "\n")
		if lines = lines[:len(lines)-1]; len(lines) != len(tt.stderr) {
			t.Errorf("%s: standard error %q", tt.file, stderr)
			continue
		}
		for i, want := range tt.stderr {
			if !strings.HasPrefix(lines[i], "bondctl: "+cli.Quote(path)+want) {
				t.Errorf("%s: standard error %q, want %q", tt.file, lines[i], want)
			}
		}
	}
	// One that is bad does not hide the others.
	stdout, _, status := noKernel(t).run("proc " + filepath.Join(dir, "other") + " " + filepath.Join(dir, "vendor"))
	if status != cli.ExitFailed || !strings.Contains(stdout, "always1") {
		t.Errorf("status %d, %s", status, stdout)
	}
}

// TestProcCutLACP does not say that something is hidden where the text ends before it.
func TestProcCutLACP(t *testing.T) {
	whole, hidden := captureText(t, lacpCapture), captureText(t, hiddenCapture)
	head, _, _ := strings.Cut(whole, "System priority")
	for _, tt := range []struct {
		text string
		want bool
	}{{whole, false}, {hidden, true}, {strings.TrimSuffix(head, "\n"), false}} {
		b := noKernel(t)
		b.stdin = strings.NewReader(tt.text)
		stdout, _, _ := b.run("proc -")
		if got := strings.Contains(stdout, "hidden without CAP_NET_ADMIN"); got != tt.want || !strings.Contains(stdout, "LACP rate") {
			t.Errorf("%q is shown as\n%s", tt.text, stdout)
		}
	}
}

func TestProcUsage(t *testing.T) {
	for _, line := range []string{"proc -json -print", "proc -netns blue", "proc -f x", "proc -jsn"} {
		stdout, stderr, status := noKernel(t).run(line)
		if status != cli.ExitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q, %q", line, status, stdout, stderr)
		}
	}
}
