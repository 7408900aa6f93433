// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package cpio_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/vmtest/internal/cpio"
)

// parse reads a newc archive the way the kernel's init/initramfs.c does.
func parse(t *testing.T, b []byte) []string {
	t.Helper()
	var out []string
	pos := 0
	align := func() {
		for pos%4 != 0 {
			if b[pos] != 0 {
				t.Fatalf("padding at %d is %#x", pos, b[pos])
			}
			pos++
		}
	}
	for {
		if pos+110 > len(b) || string(b[pos:pos+6]) != "070701" {
			t.Fatalf("no header at %d of %d", pos, len(b))
		}
		field := func(i int) int {
			v, err := strconv.ParseUint(string(b[pos+6+8*i:pos+14+8*i]), 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			return int(v)
		}
		mode, nlink, mtime, size, nameSize := field(1), field(4), field(5), field(6), field(11)
		if mtime != 0 || field(2) != 0 || field(3) != 0 {
			t.Errorf("mtime %d, uid %d, gid %d, want zeros", mtime, field(2), field(3))
		}
		pos += 110
		name := string(b[pos : pos+nameSize-1])
		if b[pos+nameSize-1] != 0 {
			t.Fatalf("name %q has no NUL", name)
		}
		pos += nameSize
		align()
		body := b[pos : pos+size]
		pos += size
		align()
		if name == "TRAILER!!!" {
			if rest := bytes.Trim(b[pos:], "\x00"); len(rest) != 0 {
				t.Errorf("%d bytes behind the trailer", len(rest))
			}
			return out
		}
		out = append(out, fmt.Sprintf("%s %o %d %q", name, mode, nlink, body))
	}
}

func TestWriteTo(t *testing.T) {
	host := filepath.Join(t.TempDir(), "host")
	if err := os.WriteFile(host, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &cpio.Archive{}
	a.Symlink("/bin", "usr/bin")
	a.HostFile("/bin/tool", 0o755, host)
	a.File("/etc/conf", 0o644, []byte("x"))
	a.File("/etc/conf", 0o640, []byte("later wins"))
	a.Dir("/tmp", 0o1777)
	a.File("/tmp/a/b/c", 0o600, nil)
	a.Dir("/tmp/a", 0o700)
	a.File("/../escape/./x", 0o600, nil)
	a.Dir("/", 0o700)
	var buf bytes.Buffer
	n, err := a.WriteTo(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(buf.Len()) || n%512 != 0 {
		t.Errorf("WriteTo said %d, wrote %d", n, buf.Len())
	}
	want := []string{
		`bin 120777 1 "usr/bin"`,
		`escape 40755 2 ""`,
		`escape/x 100600 1 ""`,
		`etc 40755 2 ""`,
		`etc/conf 100640 1 "later wins"`,
		`tmp 41777 2 ""`,
		`tmp/a 40700 2 ""`,
		`tmp/a/b 40755 2 ""`,
		`tmp/a/b/c 100600 1 ""`,
		`usr 40755 2 ""`,
		`usr/bin 40755 2 ""`,
		`usr/bin/tool 100755 1 "12345"`,
	}
	if d := cmp.Diff(want, parse(t, buf.Bytes())); d != "" {
		t.Errorf("archive (-want +got):\n%s", d)
	}
}

func TestWriteToIsDeterministic(t *testing.T) {
	write := func() []byte {
		a := &cpio.Archive{}
		for i := range 50 {
			a.File(fmt.Sprintf("/d%d/f", i), 0o644, []byte{byte(i)})
		}
		var buf bytes.Buffer
		if _, err := a.WriteTo(&buf); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	if !bytes.Equal(write(), write()) {
		t.Error("the same entries gave two different archives")
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"/bin/sh":           "/usr/bin/sh",
		"/sbin/ip":          "/usr/sbin/ip",
		"/lib/x/libc.so.6":  "/usr/lib/x/libc.so.6",
		"/lib64/ld.so":      "/usr/lib64/ld.so",
		"/libexec/x":        "/libexec/x",
		"/usr/bin/../bin/a": "/usr/bin/a",
		"relative":          "/relative",
		"/bin":              "/bin",
	} {
		if got := cpio.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWriteToErrors(t *testing.T) {
	for name, host := range map[string]string{"missing": filepath.Join(t.TempDir(), "no"), "directory": t.TempDir()} {
		a := &cpio.Archive{}
		a.HostFile("/x", 0o644, host)
		if _, err := a.WriteTo(&bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
