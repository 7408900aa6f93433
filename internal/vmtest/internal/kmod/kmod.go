// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package kmod finds kernel modules in a directory of an unpacked kernel
// package and puts them into the order in which they must be loaded. It reads
// what the modules say about themselves (their .modinfo section); no
// modules.dep is needed, which kernel packages do not have.
package kmod

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Info is what a module says about itself.
type Info struct {
	Name    string   // the module's own name, "" in modules of old kernels
	Depends []string // modules it takes symbols from
	Pre     []string // modules that should be loaded before it, if they exist (softdep pre)
}

// ParseModinfo reads the content of a .modinfo section: NUL-terminated
// key=value strings. Unknown keys and strings without = are ignored. Names
// come out as [Canonical] writes them, without duplicates, in file order.
func ParseModinfo(section []byte) Info {
	var info Info
	for s := range strings.SplitSeq(string(section), "\x00") {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			continue
		}
		switch key {
		case "name":
			info.Name = Canonical(value)
		case "depends":
			for d := range strings.SplitSeq(value, ",") {
				info.Depends = appendName(info.Depends, d)
			}
		case "softdep":
			pre := false
			for w := range strings.FieldsSeq(value) {
				switch {
				case w == "pre:":
					pre = true
				case strings.HasSuffix(w, ":"):
					pre = false
				case pre:
					info.Pre = appendName(info.Pre, w)
				}
			}
		}
	}
	return info
}

func appendName(list []string, name string) []string {
	if name = Canonical(name); name == "" || slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// Canonical returns a module name the way the kernel writes it: without
// surrounding space, and with _ for -.
func Canonical(name string) string {
	return strings.ReplaceAll(strings.TrimSpace(name), "-", "_")
}

// nameOfFile returns the module name of a path such as net/8021q/8021q.ko.xz,
// and "" for a file that is no module.
func nameOfFile(p string) string {
	base := path.Base(p)
	for _, suffix := range [...]string{".ko", ".ko.xz", ".ko.gz", ".ko.zst"} {
		if name, ok := strings.CutSuffix(base, suffix); ok {
			return Canonical(name)
		}
	}
	return ""
}

// Resolve returns names and everything they need in loading order:
// dependencies before the modules that need them, otherwise in the order of
// names. load returns a module's Info; an error that matches fs.ErrNotExist
// means there is no such module (built in, or not part of this kernel), which
// is not an error here: a missing name goes to missing, a missing dependency
// is taken as built in. Any other error ends the call. Cycles are harmless:
// each module comes once.
func Resolve(names []string, load func(name string) (Info, error)) (order, missing []string, err error) {
	seen := make(map[string]bool)
	var visit func(name string) (bool, error)
	visit = func(name string) (bool, error) {
		if seen[name] {
			return true, nil
		}
		info, err := load(name)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		seen[name] = true
		for _, d := range slices.Concat(info.Pre, info.Depends) {
			if _, err := visit(d); err != nil {
				return false, err
			}
		}
		order = append(order, name)
		return true, nil
	}
	for _, n := range names {
		n = Canonical(n)
		ok, err := visit(n)
		if err != nil {
			return nil, nil, err
		}
		if !ok && !slices.Contains(missing, n) {
			missing = append(missing, n)
		}
	}
	return order, missing, nil
}

// Tree is a directory of modules on disk.
type Tree struct {
	dir     string
	files   map[string]string // module name -> path below dir
	builtin map[string]bool
	content map[string][]byte // decompressed modules, by name
}

// Open indexes the modules below dir, the directory that has modules.builtin
// and kernel/ in it. An error matches fs.ErrNotExist when dir is missing.
func Open(dir string) (*Tree, error) {
	t := &Tree{dir: dir, files: make(map[string]string), builtin: make(map[string]bool), content: make(map[string][]byte)}
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := nameOfFile(p); name != "" && !d.IsDir() {
			t.files[name] = p
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("modules in %s: %w", dir, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		if name := nameOfFile(strings.TrimSpace(line)); name != "" {
			t.builtin[name] = true
		}
	}
	return t, nil
}

// Len returns the number of modules.
func (t *Tree) Len() int { return len(t.files) }

// Builtin reports whether the kernel has the module built in.
func (t *Tree) Builtin(name string) bool { return t.builtin[Canonical(name)] }

// Path returns the guest path of a module, uncompressed, below root.
func (t *Tree) Path(root, name string) string {
	p := t.files[Canonical(name)]
	if i := strings.LastIndex(p, ".ko"); i >= 0 {
		p = p[:i+len(".ko")]
	}
	return path.Join(root, p)
}

// Content returns the bytes of a module, decompressed and without its
// signature (see [StripSignature]). An unknown name gives an error that matches
// fs.ErrNotExist. The caller must not change the bytes.
func (t *Tree) Content(name string) ([]byte, error) {
	name = Canonical(name)
	if b, ok := t.content[name]; ok {
		return b, nil
	}
	p, ok := t.files[name]
	if !ok {
		return nil, fmt.Errorf("module %s: %w", name, fs.ErrNotExist)
	}
	b, err := readFile(filepath.Join(t.dir, filepath.FromSlash(p)))
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", name, err)
	}
	b = StripSignature(b)
	t.content[name] = b
	return b, nil
}

const signatureMagic = "~Module signature appended~\n"

// StripSignature returns a module without the signature appended to it, if
// there is one. An emulated processor needs about 30 ms to check one, and a
// kernel that does not insist on signatures loads a module without. The layout
// is that of struct module_signature in the kernel's module_signature.h: 12
// bytes, the last four of which are the length of the signature before it.
func StripSignature(module []byte) []byte {
	rest, ok := bytes.CutSuffix(module, []byte(signatureMagic))
	const header = 12
	if !ok || len(rest) < header {
		return module
	}
	n := binary.BigEndian.Uint32(rest[len(rest)-4:])
	rest = rest[:len(rest)-header]
	if uint64(n) > uint64(len(rest)) {
		return module
	}
	return rest[:len(rest)-int(n)]
}

// Info returns what a module says about itself. An unknown name gives an
// error that matches fs.ErrNotExist.
func (t *Tree) Info(name string) (Info, error) {
	b, err := t.Content(name)
	if err != nil {
		return Info{}, err
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return Info{}, fmt.Errorf("module %s: %w", name, err)
	}
	s := f.Section(".modinfo")
	if s == nil {
		return Info{}, fmt.Errorf("module %s: no .modinfo section", name)
	}
	data, err := s.Data()
	if err != nil {
		return Info{}, fmt.Errorf("module %s: %w", name, err)
	}
	return ParseModinfo(data), nil
}

// readFile reads a module file. Compressed ones go through the tool that made
// them, because the standard library reads neither xz nor zstd.
func readFile(name string) ([]byte, error) {
	var tool string
	switch path.Ext(name) {
	case ".xz":
		tool = "xz"
	case ".zst":
		tool = "zstd"
	case ".gz":
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	default:
		return os.ReadFile(name)
	}
	cmd := exec.Command(tool, "-dc", "--", name)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s -dc %s: %w %s", tool, name, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return b, nil
}
