// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FS reads the bonds below a proc directory. It keeps the memory it reads into, up to a bound,
// and is for one goroutine at a time.
//
// The files are those of the network namespace of the process whose directory it is:
// /proc/net is a link to /proc/self/net, so a container that sees the host's /proc as
// /host/proc finds the host's bonds below /host/proc/1 and not below /host/proc.
type FS struct {
	list func() ([]fs.DirEntry, error)
	open func(name string) (io.ReadCloser, error)

	buf, again []byte
}

// bondingDir is where the files are, below the proc directory.
const bondingDir = "net/bonding"

// NewFS returns an FS for a file system that is rooted at a proc directory, such as
// os.DirFS("/proc/1"), or the proc directory of a report. Interface names that
// are not UTF-8 can be listed through an fs.FS, but not opened; [NewDir] can.
func NewFS(fsys fs.FS) *FS {
	return &FS{
		list: func() ([]fs.DirEntry, error) { return fs.ReadDir(fsys, bondingDir) },
		open: func(name string) (io.ReadCloser, error) {
			return fsys.Open(bondingDir + "/" + name)
		},
	}
}

// NewDir returns an FS for a proc directory of this system, such as "/proc".
func NewDir(path string) *FS {
	dir := filepath.Join(path, filepath.FromSlash(bondingDir))
	return &FS{
		list: func() ([]fs.DirEntry, error) { return os.ReadDir(dir) },
		open: func(name string) (io.ReadCloser, error) {
			if strings.ContainsRune(name, filepath.Separator) {
				return nil, fs.ErrInvalid // a name on Linux may have what separates elsewhere
			}
			return os.Open(dir + string(filepath.Separator) + name)
		},
	}
}

// List returns the names of the bonds in ascending order. Without the bonding module there is no
// directory, and the error matches fs.ErrNotExist. With the module and
// without a bond the list is empty.
func (f *FS) List() ([]string, error) {
	entries, err := f.list()
	if err != nil {
		return nil, &Error{Op: "list", Err: err}
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		// Reports have the file of sysfs beside the bonds.
		if !e.IsDir() && e.Name() != "bonding_masters" {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Read reads the file of one bond into b, as [Bond.UnmarshalText] parses it, and sets b.Name. The
// error matches fs.ErrNotExist if there is no such bond (any more),
// fs.ErrPermission, fs.ErrInvalid for a name that cannot be one, or ErrNotBonding. On an error b is empty.
func (f *FS) Read(name string, b *Bond) error {
	defer f.letGo()
	torn, err := f.read(name)
	if err == nil {
		b.Name, b.nameInText = name, false
		if err = b.UnmarshalText(f.buf); err == nil {
			b.Torn = torn
			return nil
		}
		if inner, ok := errors.AsType[*Error](err); ok {
			err = inner.Err
		}
	}
	b.reset()
	b.Name = ""
	return &Error{Op: "read", Bond: name, Err: err}
}

// letGo forgets memory that no file of the kernel's takes.
func (f *FS) letGo() {
	if max(cap(f.buf), cap(f.again)) > maxHeld {
		f.buf, f.again = nil, nil
	}
}

// All yields every bond in the order of List. A file that cannot be read gives a
// Bond with nothing but its Name, and the error; a bond that was deleted meanwhile gives
// nothing. Where List fails there is its error and a nil Bond. Each Bond is
// the receiver's.
func (f *FS) All() iter.Seq2[*Bond, error] {
	return func(yield func(*Bond, error) bool) {
		names, err := f.List()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, name := range names {
			b := new(Bond)
			err := f.Read(name, b)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			b.Name = name
			if !yield(b, err) {
				return
			}
		}
	}
}

const (
	// firstRead is what one read asks for. The kernel gives a page or, where one
	// record is longer, more.
	firstRead = 64 << 10
	// maxAttempts is how often a file is read that takes more than one read.
	maxAttempts = 3
)

// read reads the file into f.buf. A text that comes in one piece is consistent;
// one in several is taken when two attempts agree.
func (f *FS) read(name string) (torn bool, err error) {
	if !isName([]byte(name)) || name == "." || name == ".." {
		return false, fs.ErrInvalid
	}
	for attempt := 1; ; attempt++ {
		pieces, err := f.readOnce(name)
		switch {
		case err != nil:
			return false, err
		case pieces <= 1, attempt > 1 && bytes.Equal(f.buf, f.again):
			return false, nil
		case attempt == maxAttempts:
			return true, nil
		}
		f.buf, f.again = f.again, f.buf
	}
}

// readOnce reads the file into f.buf, and returns in how many pieces it came.
func (f *FS) readOnce(name string) (pieces int, err error) {
	file, err := f.open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	f.buf = slices.Grow(f.buf[:0], firstRead)
	for {
		n, err := file.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf = f.buf[:len(f.buf)+n]
		if n > 0 {
			pieces++
		}
		switch {
		case errors.Is(err, io.EOF):
			return pieces, nil
		case err != nil:
			// A bond that is deleted now gives EIO.
			if again, gone := f.open(name); errors.Is(gone, fs.ErrNotExist) {
				err = gone
			} else if gone == nil {
				again.Close()
			}
			return pieces, err
		case len(f.buf) > maxText:
			return pieces, ErrTooLarge
		}
		f.buf = slices.Grow(f.buf, firstRead/2)
	}
}
