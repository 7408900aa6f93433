// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package elfdeps finds the shared libraries an ELF program needs, without
// running it: its interpreter and DT_NEEDED entries, followed recursively.
package elfdeps

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// MissingError says that a library of a program was not found.
type MissingError struct {
	Library string   // the DT_NEEDED name
	Of      string   // the file that needs it
	Dirs    []string // where it was looked for
}

// Error returns the message.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%s needs %s, which is in none of %s", e.Of, e.Library, strings.Join(e.Dirs, ", "))
}

// Resolver finds libraries the way the dynamic loader does. The zero value
// looks into the default directories and those of /etc/ld.so.conf.
type Resolver struct {
	// Dirs replaces the list of directories when it is not nil.
	Dirs []string

	dirs []string
}

// Closure returns the paths of the interpreter and of all libraries program
// needs, sorted, each where the loader would open it (symbolic links are not
// followed). A static program, or a file that is not ELF, has none. A library
// that is nowhere is a [*MissingError].
func (r *Resolver) Closure(program string) ([]string, error) {
	found := make(map[string]string) // library name or interpreter path -> path
	queue := []string{program}
	for len(queue) > 0 {
		file := queue[0]
		queue = queue[1:]
		h, err := readHeader(file)
		if err != nil {
			return nil, err
		}
		if h.interp != "" {
			found[h.interp] = h.interp
		}
		for _, lib := range h.needed {
			if _, ok := found[lib]; ok {
				continue
			}
			p, err := r.find(lib, file, h)
			if err != nil {
				return nil, err
			}
			found[lib] = p
			queue = append(queue, p)
		}
	}
	var out []string
	for _, p := range found {
		out = append(out, p)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

type header struct {
	class   elf.Class
	machine elf.Machine
	interp  string
	needed  []string
	runpath []string
}

func readHeader(file string) (header, error) {
	f, err := os.Open(file)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	magic := make([]byte, len(elf.ELFMAG))
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) != elf.ELFMAG {
		return header{}, nil
	}
	e, err := elf.NewFile(f)
	if err != nil {
		return header{}, fmt.Errorf("%s: %w", file, err)
	}
	h := header{class: e.Class, machine: e.Machine}
	for _, p := range e.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		b := make([]byte, min(p.Filesz, 4096))
		if _, err := io.ReadFull(p.Open(), b); err != nil {
			return header{}, fmt.Errorf("%s: interpreter: %w", file, err)
		}
		h.interp = strings.TrimRight(string(b), "\x00")
	}
	if h.needed, err = dynStrings(e, elf.DT_NEEDED); err != nil {
		return header{}, fmt.Errorf("%s: %w", file, err)
	}
	for _, tag := range [...]elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, err := dynStrings(e, tag)
		if err != nil {
			return header{}, fmt.Errorf("%s: %w", file, err)
		}
		for _, list := range paths {
			h.runpath = append(h.runpath, strings.Split(list, ":")...)
		}
	}
	return h, nil
}

// dynStrings is e.DynString without the error for a file that has no dynamic
// section at all.
func dynStrings(e *elf.File, tag elf.DynTag) ([]string, error) {
	if e.SectionByType(elf.SHT_DYNAMIC) == nil {
		return nil, nil
	}
	return e.DynString(tag)
}

func (r *Resolver) find(lib, file string, h header) (string, error) {
	if strings.Contains(lib, "/") {
		return lib, nil
	}
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	var dirs []string
	for _, d := range h.runpath {
		d = strings.NewReplacer("$ORIGIN", filepath.Dir(real), "${ORIGIN}", filepath.Dir(real)).Replace(d)
		if d != "" {
			dirs = append(dirs, d)
		}
	}
	dirs = append(dirs, r.searchDirs()...)
	for _, d := range dirs {
		p := filepath.Join(d, lib)
		if f, err := elf.Open(p); err == nil {
			ok := f.Class == h.class && f.Machine == h.machine
			f.Close()
			if ok {
				return p, nil
			}
		}
	}
	return "", &MissingError{Library: lib, Of: file, Dirs: dirs}
}

func (r *Resolver) searchDirs() []string {
	if r.Dirs != nil {
		return r.Dirs
	}
	if r.dirs == nil {
		r.dirs = confDirs("/etc/ld.so.conf", 0)
		r.dirs = append(r.dirs, "/lib64", "/usr/lib64", "/lib", "/usr/lib")
	}
	return r.dirs
}

// confDirs reads a loader configuration file. A file that cannot be read adds
// nothing: the loader ignores it too.
func confDirs(file string, depth int) []string {
	f, err := os.Open(file)
	if err != nil || depth > 8 {
		return nil
	}
	defer f.Close()
	var dirs []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		line, _, _ := strings.Cut(s.Text(), "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case fields[0] == "include":
			for _, pattern := range fields[1:] {
				if !filepath.IsAbs(pattern) {
					pattern = filepath.Join(filepath.Dir(file), pattern)
				}
				names, err := filepath.Glob(pattern)
				if err != nil {
					continue
				}
				for _, n := range names {
					dirs = append(dirs, confDirs(n, depth+1)...)
				}
			}
		default:
			dirs = append(dirs, fields[0])
		}
	}
	return dirs
}

// Interpreter returns the program named in the #! line of a script, with its
// argument, or "" when file does not begin with #!.
func Interpreter(file string) (program, arg string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	// The kernel reads at most 256 bytes of the line.
	b := make([]byte, 256)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", "", err
	}
	line, ok := strings.CutPrefix(string(b[:n]), "#!")
	if !ok {
		return "", "", nil
	}
	line, _, _ = strings.Cut(line, "\n")
	program, arg, _ = strings.Cut(strings.TrimSpace(line), " ")
	return program, strings.TrimSpace(arg), nil
}
