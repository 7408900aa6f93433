// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package cpio writes archives in the newc format, the one the Linux kernel
// unpacks as its initial file system.
package cpio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// File types of the mode field, as in stat(2).
const (
	typeDir     = 0o040000
	typeRegular = 0o100000
	typeSymlink = 0o120000
	typeMask    = 0o170000
)

type entry struct {
	mode    uint32
	data    []byte // content of a file, target of a symbolic link
	host    string // or: a file of the host to read when the archive is written
	implied bool   // a parent directory nobody asked for by name
}

// Archive collects the entries of one archive. The zero value is an empty
// archive. Paths are absolute guest paths; /bin, /sbin, /lib and /lib64 are
// the same as below /usr, because the guest's root has them as symbolic
// links. Parent directories are added with mode 0755. Adding a path again
// replaces the entry.
type Archive struct {
	entries map[string]entry
}

// Clean returns the guest path an archive uses for p: absolute, without . and
// .. elements, and below /usr for the four merged directories.
func Clean(p string) string {
	p = path.Clean("/" + p)
	for _, d := range [...]string{"/bin", "/sbin", "/lib", "/lib64"} {
		if strings.HasPrefix(p, d+"/") {
			return "/usr" + p
		}
	}
	return p
}

// Has reports whether the archive has an entry for p.
func (a *Archive) Has(p string) bool {
	_, ok := a.entries[Clean(p)]
	return ok
}

// Dir adds a directory with permission bits perm.
func (a *Archive) Dir(p string, perm uint32) { a.add(Clean(p), entry{mode: typeDir | perm&0o7777}) }

// File adds a regular file with the given content, which the archive keeps.
func (a *Archive) File(p string, perm uint32, data []byte) {
	a.add(Clean(p), entry{mode: typeRegular | perm&0o7777, data: data})
}

// HostFile adds a regular file whose content is read from the host file named
// host when the archive is written.
func (a *Archive) HostFile(p string, perm uint32, host string) {
	a.add(Clean(p), entry{mode: typeRegular | perm&0o7777, host: host})
}

// Symlink adds a symbolic link. The path itself is not moved below /usr, so
// that /bin can be made a link.
func (a *Archive) Symlink(p, target string) {
	a.add(path.Clean("/"+p), entry{mode: typeSymlink | 0o777, data: []byte(target)})
}

func (a *Archive) add(p string, e entry) {
	if p == "/" {
		return
	}
	if a.entries == nil {
		a.entries = make(map[string]entry)
	}
	for d := path.Dir(p); d != "/"; d = path.Dir(d) {
		if have, ok := a.entries[d]; ok && (have.mode&typeMask == typeDir || have.mode&typeMask == typeSymlink) {
			break
		}
		a.entries[d] = entry{mode: typeDir | 0o755, implied: true}
	}
	if have, ok := a.entries[p]; ok && e.implied && have.mode&typeMask == typeDir {
		return
	}
	a.entries[p] = e
}

// Paths returns the paths of all entries in archive order.
func (a *Archive) Paths() []string { return slices.Sorted(maps.Keys(a.entries)) }

// Source returns what the entry p is made of: the host file it is read from,
// or its content, and its mode with the file type.
func (a *Archive) Source(p string) (host string, mode uint32, data []byte) {
	e := a.entries[p]
	return e.host, e.mode, e.data
}

// WriteTo writes the archive with its trailer, padded to 512 bytes, so that
// archives can be put one behind the other. Parents come before their
// children. It returns the number of bytes written.
func (a *Archive) WriteTo(w io.Writer) (int64, error) {
	cw := &countWriter{w: bufio.NewWriterSize(w, 1<<16)}
	for i, p := range a.Paths() {
		e := a.entries[p]
		if err := cw.entry(uint32(i+1), p[1:], e); err != nil {
			return cw.n, fmt.Errorf("cpio: %s: %w", p, err)
		}
	}
	if err := cw.entry(0, trailer, entry{}); err != nil {
		return cw.n, fmt.Errorf("cpio: %w", err)
	}
	cw.pad(512)
	if cw.err == nil {
		cw.err = cw.w.Flush()
	}
	return cw.n, cw.err
}

const trailer = "TRAILER!!!"

// maxSize is the largest file the eight hex digits of the format can say.
const maxSize = 1<<32 - 1

var errTooLarge = errors.New("larger than 4 GiB")

type countWriter struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (c *countWriter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.err = err
	return n, err
}

func (c *countWriter) pad(to int64) {
	if r := c.n % to; r != 0 {
		c.Write(make([]byte, to-r)) // The error stays in c.err.
	}
}

func (c *countWriter) entry(ino uint32, name string, e entry) error {
	var body io.Reader = bytes.NewReader(e.data)
	size := int64(len(e.data))
	if e.host != "" {
		f, err := os.Open(e.host)
		if err != nil {
			return err
		}
		defer f.Close()
		fi, err := f.Stat()
		if err != nil {
			return err
		}
		if !fi.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", e.host)
		}
		size, body = fi.Size(), f
	}
	if size > maxSize {
		return errTooLarge
	}
	nlink := 1
	if e.mode&typeMask == typeDir {
		nlink = 2
	}
	// magic, ino, mode, uid, gid, nlink, mtime, size, dev and rdev as major
	// and minor, name size with its NUL, checksum (unused).
	fmt.Fprintf(c, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		ino, e.mode, 0, 0, nlink, 0, size, 0, 0, 0, 0, len(name)+1, 0)
	io.WriteString(c, name+"\x00")
	c.pad(4)
	n, err := io.CopyN(c, body, size)
	if c.err == nil && errors.Is(err, io.EOF) {
		return fmt.Errorf("%s shrank to %d bytes while it was read", e.host, n)
	}
	if c.err == nil && err != nil {
		return err
	}
	c.pad(4)
	return c.err
}
