// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/procfs"
)

func tree(tb testing.TB) fstest.MapFS {
	return fstest.MapFS{
		"net/bonding/bond1":           {Data: text(tb, "156-vm-7.3-8023ad-negotiated-2")},
		"net/bonding/bond0":           {Data: text(tb, "112-vm-7.3-ab-primary-always")},
		"net/bonding/bonding_masters": {Data: []byte("bond0 bond1\n")},
		"net/bonding/empty":           {Mode: fs.ModeDir},
	}
}

func TestFS(t *testing.T) {
	f := procfs.NewFS(tree(t))
	names, err := f.List()
	if err != nil || !slices.Equal(names, []string{"bond0", "bond1"}) {
		t.Errorf("List: %q, %v", names, err)
	}
	var got []string
	for b, err := range f.All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.Name+" "+b.Mode.String())
		if b.Torn {
			t.Errorf("%s is torn", b.Name)
		}
	}
	if diff := cmp.Diff([]string{"bond0 active-backup", "bond1 802.3ad"}, got); diff != "" {
		t.Error(diff)
	}
	for range f.All() {
		break
	}
}

func TestFSNothing(t *testing.T) {
	if _, err := procfs.NewFS(fstest.MapFS{}).List(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the module: %v", err)
	}
	for b, err := range procfs.NewFS(fstest.MapFS{}).All() {
		if b != nil || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("All without the module: %v, %v", b, err)
		}
	}
	f := procfs.NewFS(fstest.MapFS{"net/bonding": {Mode: fs.ModeDir | 0o555}})
	if names, err := f.List(); err != nil || len(names) != 0 {
		t.Errorf("without a bond: %q, %v", names, err)
	}
	b := procfs.Bond{Name: "old"}
	for name, want := range map[string]error{
		"bond7": fs.ErrNotExist, "": fs.ErrInvalid, "..": fs.ErrInvalid, "a/b": fs.ErrInvalid, "a b": fs.ErrInvalid,
	} {
		if err := f.Read(name, &b); !errors.Is(err, want) || b.Name != "" {
			t.Errorf("Read(%q): %v, name %q", name, err, b.Name)
		}
	}
}

func TestFSNoPermission(t *testing.T) {
	f := procfs.NewFS(refusing{tree(t)})
	var seen []string
	for b, err := range f.All() {
		if !errors.Is(err, fs.ErrPermission) || b == nil || len(b.Slaves) != 0 {
			t.Errorf("%v, %v", b, err)
		}
		seen = append(seen, b.Name)
	}
	if !slices.Equal(seen, []string{"bond0", "bond1"}) {
		t.Errorf("yielded %q", seen)
	}
}

// refusing opens no file.
type refusing struct{ fstest.MapFS }

func (r refusing) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "net/bonding/") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return r.MapFS.Open(name)
}

func (r refusing) ReadDir(name string) ([]fs.DirEntry, error) { return r.MapFS.ReadDir(name) }

// TestDeletedBetweenListAndRead: the others are there all the same.
func TestDeletedBetweenListAndRead(t *testing.T) {
	m := tree(t)
	var got []string
	for b, err := range procfs.NewFS(m).All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.Name)
		delete(m, "net/bonding/bond1")
	}
	if !slices.Equal(got, []string{"bond0"}) {
		t.Errorf("yielded %q", got)
	}
}

// pages gives a file in pieces, another version at each opening.
type pages struct {
	versions [][]byte
	opened   int
	page     int
}

func (p *pages) Open(string) (fs.File, error) {
	v := p.versions[min(p.opened, len(p.versions)-1)]
	p.opened++
	return &pagedFile{r: bytes.NewReader(v), page: p.page}, nil
}

type pagedFile struct {
	fs.File
	r    *bytes.Reader
	page int
}

func (f *pagedFile) Read(b []byte) (int, error) { return f.r.Read(b[:min(len(b), f.page)]) }
func (f *pagedFile) Close() error               { return nil }

func TestTorn(t *testing.T) {
	p := text(t, "156-vm-7.3-8023ad-negotiated-2")
	change := func(n byte) []byte {
		return bytes.Replace(p, []byte("Link Failure Count: 0"), []byte{'L', 'i', 'n', 'k', ' ', 'F', 'a', 'i', 'l', 'u', 'r', 'e', ' ', 'C', 'o', 'u', 'n', 't', ':', ' ', '0' + n}, 1)
	}
	tests := []struct {
		name     string
		page     int
		versions [][]byte
		opened   int
		torn     bool
		failures uint32
	}{
		{"one piece", 1 << 16, [][]byte{change(1), change(2)}, 1, false, 1},
		{"two pieces that agree", 1000, [][]byte{change(1)}, 2, false, 1},
		{"changed once", 1000, [][]byte{change(1), change(2), change(2)}, 3, false, 2},
		{"changes always", 1000, [][]byte{change(1), change(2), change(3), change(4)}, 3, true, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := &pages{versions: tt.versions, page: tt.page}
			var b procfs.Bond
			if err := procfs.NewFS(files).Read("bond0", &b); err != nil {
				t.Fatal(err)
			}
			if b.Torn != tt.torn || files.opened != tt.opened || b.Slaves[0].LinkFailures != tt.failures {
				t.Errorf("torn %t, opened %d times, %d failures", b.Torn, files.opened, b.Slaves[0].LinkFailures)
			}
		})
	}
}

// TestDirNotUTF8: io/fs refuses such a name; the reader of paths does not.
func TestDirNotUTF8(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net", "bonding")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	name := "b\xff\xeex"
	if err := os.WriteFile(filepath.Join(dir, name), text(t, "148-vm-7.3-8023ad-bond-name-nonutf8"), 0o644); err != nil {
		if runtime.GOOS != "linux" {
			t.Skip("this file system takes no such name")
		}
		t.Fatal(err)
	}
	var b procfs.Bond
	proc := filepath.Dir(filepath.Dir(dir))
	if err := procfs.NewDir(proc).Read(name, &b); err != nil || b.Name != name {
		t.Errorf("name %q, %v", b.Name, err)
	}
	if err := procfs.NewFS(os.DirFS(proc)).Read(name, &b); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("through io/fs: %v", err)
	}
}

func TestParseReader(t *testing.T) {
	p := text(t, "156-vm-7.3-8023ad-negotiated-2")
	b, err := procfs.Parse(io.MultiReader(bytes.NewReader(p[:100]), bytes.NewReader(p[100:])))
	if err != nil || len(b.Slaves) != 2 {
		t.Errorf("%v, %v", b, err)
	}
}
