// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package elfdeps_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/vmtest/internal/elfdeps"
)

// TestClosureIsThatOfTheLoader compares with what the dynamic loader itself
// says about a program with many libraries.
func TestClosureIsThatOfTheLoader(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux programs")
	}
	if _, err := exec.LookPath("ldd"); err != nil {
		t.Skip("no ldd on this machine")
	}
	program := ""
	for _, name := range []string{"nft", "/usr/sbin/nft", "curl", "ls"} {
		if p, err := exec.LookPath(name); err == nil {
			program = p
			break
		}
	}
	if program == "" {
		t.Skip("no program to look at on this machine")
	}
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		t.Skipf("ldd %s: %v", program, err)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)(/\S+) \(0x`).FindAllStringSubmatch(string(out), -1) {
		want = append(want, filepath.Base(m[1]))
	}
	r := &elfdeps.Resolver{}
	paths, err := r.Closure(program)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			t.Error(err)
		}
		got = append(got, filepath.Base(p))
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(slices.Compact(want), slices.Compact(got)); d != "" {
		t.Errorf("libraries of %s (-ldd +got):\n%s", program, d)
	}
}

func TestClosureMissing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux programs")
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh on this machine")
	}
	if paths, err := (&elfdeps.Resolver{}).Closure(sh); err != nil || len(paths) == 0 {
		t.Skipf("sh is static here: %v", err)
	}
	r := &elfdeps.Resolver{Dirs: []string{t.TempDir()}}
	_, err = r.Closure(sh)
	missing, ok := errors.AsType[*elfdeps.MissingError](err)
	if !ok || missing.Of != sh || missing.Library == "" {
		t.Errorf("error %v, want a MissingError of %s", err, sh)
	}
}

func TestClosureOfOtherFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "script": "#!/bin/sh\n", "short": "\x7fE"} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := (&elfdeps.Resolver{}).Closure(p); err != nil || len(got) != 0 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("\x7fELF"+strings.Repeat("x", 100)), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := (&elfdeps.Resolver{}).Closure(broken); err == nil {
		t.Error("a broken ELF file gave no error")
	}
}

func TestInterpreter(t *testing.T) {
	for text, want := range map[string][2]string{
		"#!/bin/sh\necho":               {"/bin/sh", ""},
		"#! /usr/bin/env python3\n":     {"/usr/bin/env", "python3"},
		"#!/bin/sh -e":                  {"/bin/sh", "-e"},
		"echo":                          {"", ""},
		"":                              {"", ""},
		"#!" + strings.Repeat("x", 300): {strings.Repeat("x", 254), ""},
	} {
		p := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(p, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		program, arg, err := elfdeps.Interpreter(p)
		if err != nil || program != want[0] || arg != want[1] {
			t.Errorf("%.20q: %q %q %v, want %q", text, program, arg, err, want)
		}
	}
}
