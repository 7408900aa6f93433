// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package debian fetches kernels from the Debian archive the machine is set up
// for: it reads the machine's own apt sources, asks apt, with a configuration
// and state of its own, for the packages of a kernel, and unpacks them. The
// system's apt state is not touched and no privilege is needed.
package debian

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source is one line of a .list file, or one combination of the fields of a
// stanza of a .sources file: a base address and a suite.
type Source struct {
	URI        string
	Suite      string
	Components []string
	SignedBy   string // as written, "" when there is none
}

// ParseList reads the content of a .list file. Lines for source packages,
// comments, and lines without a suite or component are left out; options
// other than signed-by are dropped.
func ParseList(text string) []Source {
	var out []Source
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "deb" {
			continue
		}
		fields = fields[1:]
		var src Source
		if strings.HasPrefix(fields[0], "[") {
			end := slices.IndexFunc(fields, func(f string) bool { return strings.HasSuffix(f, "]") })
			if end < 0 {
				continue
			}
			for _, o := range fields[:end+1] {
				key, value, _ := strings.Cut(strings.Trim(o, "[]"), "=")
				if strings.EqualFold(strings.TrimRight(key, "+-"), "signed-by") {
					src.SignedBy = value
				}
			}
			fields = fields[end+1:]
		}
		if len(fields) < 3 {
			continue
		}
		src.URI, src.Suite, src.Components = fields[0], fields[1], fields[2:]
		out = append(out, src)
	}
	return out
}

// ParseSources reads the content of a .sources file (deb822). Stanzas that are
// disabled, for source packages only, or without the needed fields are left
// out; fields that do not apply are dropped.
func ParseSources(text string) []Source {
	var out []Source
	for _, st := range stanzas(text) {
		if !slices.Contains(strings.Fields(st["types"]), "deb") {
			continue
		}
		switch strings.ToLower(st["enabled"]) {
		case "no", "false", "without", "off", "disable", "0":
			continue
		}
		components := strings.Fields(st["components"])
		if len(components) == 0 {
			continue
		}
		for uri := range strings.FieldsSeq(st["uris"]) {
			for suite := range strings.FieldsSeq(st["suites"]) {
				out = append(out, Source{URI: uri, Suite: suite, Components: components, SignedBy: st["signed-by"]})
			}
		}
	}
	return out
}

// stanzas splits deb822 text. Field names come out in lower case; the lines of
// a folded field are joined by a newline; comment lines are left out.
func stanzas(text string) []map[string]string {
	var out []map[string]string
	var cur map[string]string
	var field string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			cur, field = nil, ""
		case line[0] == ' ' || line[0] == '\t':
			if field != "" {
				cur[field] += "\n" + strings.TrimSpace(line)
			}
		default:
			name, value, ok := strings.Cut(line, ":")
			if !ok {
				field = ""
				continue
			}
			if cur == nil {
				cur = make(map[string]string)
				out = append(out, cur)
			}
			field = strings.ToLower(strings.TrimSpace(name))
			cur[field] = strings.TrimSpace(value)
		}
	}
	return out
}

// codenames are the releases whose suites mark a Debian source.
var codenames = []string{
	"buster", "bullseye", "bookworm", "trixie", "forky", "duke",
	"oldoldstable", "oldstable", "stable", "testing", "unstable", "sid", "experimental",
}

// suffixes are what may follow a codename in a suite of the archive itself.
var suffixes = []string{"", "-updates", "-proposed-updates", "-backports", "-backports-sloppy", "-security", "/updates"}

// Debian reports whether the source is the Debian archive and not somebody
// else's repository for Debian: a suite of the archive, the component main,
// and, if a key is named, a key of the archive. Repositories that look the
// same are found out later, because the archive's signature is always checked.
func (s Source) Debian() bool {
	known := false
	for _, c := range codenames {
		rest, ok := strings.CutPrefix(s.Suite, c)
		known = known || ok && slices.Contains(suffixes, rest)
	}
	if !known || !slices.Contains(s.Components, "main") {
		return false
	}
	switch scheme, _, _ := strings.Cut(s.URI, ":"); scheme {
	case "cdrom", "copy":
		return false
	}
	// A key written out in the file has no name to look at and fails the test.
	for k := range strings.FieldsFuncSeq(s.SignedBy, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !strings.HasPrefix(filepath.Base(k), "debian-archive-") {
			return false
		}
	}
	return true
}

// Security reports whether the source is the archive of security updates.
func (s Source) Security() bool {
	return strings.HasSuffix(s.Suite, "-security") || strings.HasSuffix(s.Suite, "/updates")
}

// ReadSources reads the sources of the machine below root, usually "/":
// etc/apt/sources.list and sources.list.d/*.list and *.sources. Files that
// cannot be read are left out.
func ReadSources(root string) []Source {
	dir := filepath.Join(root, "etc/apt")
	names := []string{filepath.Join(dir, "sources.list")}
	for _, pattern := range [...]string{"*.list", "*.sources"} {
		// The pattern is well formed, which is all Glob can complain about.
		found, _ := filepath.Glob(filepath.Join(dir, "sources.list.d", pattern))
		names = append(names, found...)
	}
	var out []Source
	for _, n := range names {
		b, err := os.ReadFile(n)
		switch {
		case err != nil:
		case strings.HasSuffix(n, ".sources"):
			out = append(out, ParseSources(string(b))...)
		default:
			out = append(out, ParseList(string(b))...)
		}
	}
	return out
}

// Archive holds the base addresses under which the archive can be reached,
// best first.
type Archive struct {
	Main     []string
	Security []string
}

// ArchiveOf derives the addresses from the Debian entries among sources: the
// addresses as written, then what a mirror usually has beside them. That
// covers machines that name only the main archive, and suites that have moved
// to the archive of old releases. A dated directory at the end of an address,
// as a snapshot has it, is kept first and then also tried without.
func ArchiveOf(sources []Source) Archive {
	var a Archive
	for _, s := range sources {
		if !s.Debian() {
			continue
		}
		if s.Security() {
			a.Security = append(a.Security, trimSlash(s.URI))
		} else {
			a.Main = append(a.Main, trimSlash(s.URI))
		}
	}
	main, security := a.Main, a.Security
	for _, m := range main {
		a.Security = append(a.Security, siblings(m, "debian", "debian-security")...)
		a.Main = append(a.Main, siblings(m, "debian", "debian-archive/debian")...)
		a.Security = append(a.Security, siblings(m, "debian", "debian-archive/debian-security")...)
	}
	for _, s := range security {
		a.Main = append(a.Main, siblings(s, "debian-security", "debian")...)
	}
	a.Main, a.Security = unique(a.Main), unique(a.Security)
	return a
}

func trimSlash(s string) string { return strings.TrimRight(s, "/") }

// siblings returns uri with its last path element old replaced by repl, and
// when elements follow it, as with the date of a snapshot, once with and once
// without them. It returns nothing when old is no element of the path.
func siblings(uri, old, repl string) []string {
	u, err := url.Parse(uri)
	if err != nil || u.Opaque != "" {
		return nil
	}
	elems := strings.Split(u.Path, "/")
	for i, elem := range slices.Backward(elems) {
		if elem != old {
			continue
		}
		head, tail := elems[:i:i], elems[i+1:]
		with := *u
		with.Path = strings.Join(slices.Concat(head, []string{repl}, tail), "/")
		out := []string{with.String()}
		if len(tail) > 0 {
			without := *u
			without.Path = strings.Join(append(head, repl), "/")
			out = append(out, without.String())
		}
		return out
	}
	return nil
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
