// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/bondkit/bondkit/procfs"
)

// all returns what FS.All yields, in a line each.
func all(f *procfs.FS) []string {
	var lines []string
	for b, err := range f.All() {
		switch {
		case err != nil && b == nil:
			lines = append(lines, "list: "+err.Error())
		case err != nil:
			lines = append(lines, b.Name+": error")
		default:
			lines = append(lines, fmt.Sprintf("%s: %v, %d slaves, torn %t", b.Name, b.Mode, len(b.Slaves), b.Torn))
		}
	}
	return lines
}

// TestFSZip: an archive gives its files in pieces, which agree.
func TestFSZip(t *testing.T) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for name, capture := range map[string]string{"bond0": "112-vm-7.3-ab-primary-always", "bond1": "159-vm-7.3-8023ad-20slaves"} {
		f, err := w.Create("net/bonding/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(text(t, capture)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"bond0: active-backup, 2 slaves, torn false", "bond1: 802.3ad, 20 slaves, torn false"}
	if got := all(procfs.NewFS(r)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestDirOdd: links are followed, what is no bond's file does not hide the others.
func TestDirOdd(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links and these names need another file system")
	}
	proc := t.TempDir()
	dir := filepath.Join(proc, "self", "net", "bonding")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "directory"), 0o755),
		os.Symlink("self/net", filepath.Join(proc, "net")),
		os.WriteFile(filepath.Join(dir, "bond.0"), text(t, "112-vm-7.3-ab-primary-always"), 0o600),
		os.WriteFile(filepath.Join(dir, `a\b`), text(t, "112-vm-7.3-ab-primary-always"), 0o600),
		os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "two words"), text(t, "112-vm-7.3-ab-primary-always"), 0o600),
		os.Symlink("bond.0", filepath.Join(dir, "link")),
		os.Symlink("directory", filepath.Join(dir, "link to a directory")),
		os.Symlink("nowhere", filepath.Join(dir, "nothing")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const backup = ": active-backup, 2 slaves, torn false"
	want := []string{`a\b` + backup, "bond.0" + backup, "empty: error", "link" + backup, "link to a directory: error", "two words: error"}
	for name, f := range map[string]*procfs.FS{"paths": procfs.NewDir(proc), "io/fs": procfs.NewFS(os.DirFS(proc))} {
		if got := all(f); !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
		var b procfs.Bond
		for file, want := range map[string]error{
			"directory": syscall.EISDIR, "nothing": fs.ErrNotExist, "two words": fs.ErrInvalid, "empty": procfs.ErrNotBonding,
			".": fs.ErrInvalid, "../bonding/bond.0": fs.ErrInvalid, "bond.0\x00": nil,
		} {
			if err := f.Read(file, &b); err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: %q: %v", name, file, err)
			}
		}
	}
}

// TestFSEachGoroutine: an FS each, and no race.
func TestFSEachGoroutine(t *testing.T) {
	files := tree(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := all(procfs.NewFS(files)); len(got) != 2 {
				t.Errorf("%q", got)
			}
		})
	}
	wg.Wait()
}

// failingFiles fails while the file is read, and later no longer has it.
type failingFiles struct {
	gone   bool
	err    error
	opened int
	closed int
}

func (f *failingFiles) Open(name string) (fs.File, error) {
	if f.opened++; f.gone && f.opened > 1 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &failingFile{files: f}, nil
}

type failingFile struct {
	fs.File
	files *failingFiles
	reads int
}

func (f *failingFile) Read(b []byte) (int, error) {
	if f.reads++; f.reads > 1 {
		return 0, f.files.err
	}
	return copy(b, "Ethernet Channel Bonding Driver: v1\n"), nil
}

func (f *failingFile) Close() error {
	f.files.closed++
	return nil
}

// TestDeletedWhileRead: that is the same as being deleted before. Another fault stays what
// it is.
func TestDeletedWhileRead(t *testing.T) {
	for _, tt := range []struct {
		gone bool
		err  error
		want error
	}{{true, syscall.EIO, fs.ErrNotExist}, {false, syscall.EIO, syscall.EIO}, {false, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF}} {
		files := &failingFiles{gone: tt.gone, err: tt.err}
		b := procfs.Bond{Name: "old"}
		if err := procfs.NewFS(files).Read("bond0", &b); !errors.Is(err, tt.want) || b.Name != "" || b.Has(procfs.FieldDriver) {
			t.Errorf("gone %t, %v: %v, %+v", tt.gone, tt.err, err, b)
		}
		if left := files.opened - files.closed; left != 0 && !tt.gone || left != 1 && tt.gone {
			t.Errorf("gone %t: opened %d times and closed %d times", tt.gone, files.opened, files.closed)
		}
	}
}

// endless is a file without an end.
type endless struct{ fs.File }

func (endless) Open(string) (fs.File, error) { return endless{}, nil }
func (endless) Close() error                 { return nil }
func (endless) Read(b []byte) (int, error)   { return len(b), nil }

func TestEndlessFile(t *testing.T) {
	var b procfs.Bond
	f := procfs.NewFS(endless{})
	if err := f.Read("bond0", &b); !errors.Is(err, procfs.ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if kept := keeps(&f); kept > 4<<20 {
		t.Errorf("%d bytes are kept", kept)
	}
	if _, err := procfs.Parse(endless{}); !errors.Is(err, procfs.ErrTooLarge) {
		t.Errorf("Parse: %v", err)
	}
}
