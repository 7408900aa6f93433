// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package debian

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Package is one version of a package, as far as it matters here.
type Package struct {
	Name    string
	Version string
	Depends []Dependency
}

// Dependency is the first alternative of one dependency.
type Dependency struct {
	Name    string
	Version string // set for "= version" only
}

// ParsePackages reads the stanzas apt-cache show prints. Stanzas without a
// name or version are left out.
func ParsePackages(text string) []Package {
	var out []Package
	for _, st := range stanzas(text) {
		p := Package{Name: st["package"], Version: st["version"]}
		if p.Name == "" || p.Version == "" {
			continue
		}
		for d := range strings.SplitSeq(st["pre-depends"]+","+st["depends"], ",") {
			if dep, ok := parseDependency(d); ok {
				p.Depends = append(p.Depends, dep)
			}
		}
		out = append(out, p)
	}
	return out
}

func parseDependency(s string) (Dependency, bool) {
	s, _, _ = strings.Cut(s, "|")
	name, rest, _ := strings.Cut(strings.TrimSpace(s), "(")
	name, _, _ = strings.Cut(strings.TrimSpace(name), ":")
	if name == "" {
		return Dependency{}, false
	}
	d := Dependency{Name: name}
	if v, ok := strings.CutPrefix(strings.TrimSpace(rest), "="); ok {
		d.Version = strings.TrimSpace(strings.TrimRight(v, " )"))
	}
	return d, true
}

// ErrNoKernel is wrapped by the error of [Resolve] when the archive has no
// such kernel.
var ErrNoKernel = errors.New("no such kernel package")

// Resolve finds the packages that hold the newest kernel behind the
// metapackage meta whose version begins with prefix ("" for any). show returns
// all versions of a package the archive has. The first package of the result
// is the linux-image package that names the kernel's release; the others are
// those that hold its parts, which since 7.x are linux-binary (vmlinuz),
// linux-modules and linux-base (the list of what is built in).
func Resolve(meta, prefix string, show func(name string) ([]Package, error)) ([]Package, error) {
	all, err := show(meta)
	if err != nil {
		return nil, err
	}
	var candidates []Package
	for _, p := range all {
		if p.Name == meta && strings.HasPrefix(p.Version, prefix) {
			candidates = append(candidates, p)
		}
	}
	// Newest first. A metapackage may be newer than the image it asks for is
	// in the archive, while an update is on its way, so all are tried.
	slices.SortStableFunc(candidates, func(a, b Package) int { return CompareVersions(b.Version, a.Version) })
	for _, c := range candidates {
		for _, d := range c.Depends {
			if !strings.HasPrefix(d.Name, "linux-image-") {
				continue
			}
			image, err := find(d, show)
			if errors.Is(err, ErrNoKernel) {
				continue
			}
			if err != nil {
				return nil, err
			}
			parts, err := withParts(image, show)
			if errors.Is(err, ErrNoKernel) {
				continue
			}
			return parts, err
		}
	}
	return nil, fmt.Errorf("%w: %s %s*", ErrNoKernel, meta, prefix)
}

// withParts returns image and the packages with the rest of its kernel.
func withParts(image Package, show func(string) ([]Package, error)) ([]Package, error) {
	release := strings.TrimPrefix(image.Name, "linux-image-")
	out := []Package{image}
	for _, d := range image.Depends {
		switch d.Name {
		case "linux-binary-" + release, "linux-modules-" + release, "linux-base-" + release:
		default:
			continue
		}
		p, err := find(d, show)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// find returns the version a dependency asks for, or the newest.
func find(d Dependency, show func(string) ([]Package, error)) (Package, error) {
	all, err := show(d.Name)
	if err != nil {
		return Package{}, err
	}
	var best *Package
	for i, p := range all {
		if p.Name != d.Name || d.Version != "" && p.Version != d.Version {
			continue
		}
		if best == nil || CompareVersions(p.Version, best.Version) > 0 {
			best = &all[i]
		}
	}
	if best == nil {
		return Package{}, fmt.Errorf("%w: %s %s", ErrNoKernel, d.Name, d.Version)
	}
	return *best, nil
}

// CompareVersions compares two package versions the way dpkg does: epoch,
// upstream version, revision; ~ sorts before everything, even the end.
func CompareVersions(a, b string) int {
	ea, ua, ra := splitVersion(a)
	eb, ub, rb := splitVersion(b)
	return cmp.Or(comparePart(ea, eb), comparePart(ua, ub), comparePart(ra, rb))
}

func splitVersion(v string) (epoch, upstream, revision string) {
	epoch, rest, ok := strings.Cut(v, ":")
	if !ok {
		epoch, rest = "0", v
	}
	if i := strings.LastIndexByte(rest, '-'); i >= 0 {
		return epoch, rest[:i], rest[i+1:]
	}
	return epoch, rest, ""
}

func comparePart(a, b string) int {
	for a != "" || b != "" {
		// A stretch of other characters, one at a time.
		for a != "" && !digit(a[0]) || b != "" && !digit(b[0]) {
			if c := cmp.Compare(weight(a), weight(b)); c != 0 {
				return c
			}
			a, b = a[1:], b[1:]
		}
		// A number. Leading zeros do not count.
		na, nb := digits(a), digits(b)
		ta, tb := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
		if c := cmp.Or(cmp.Compare(len(ta), len(tb)), strings.Compare(ta, tb)); c != 0 {
			return c
		}
		a, b = a[na:], b[nb:]
	}
	return 0
}

// weight orders the first character of a part: ~, then the end or a digit,
// then letters, then the rest.
func weight(s string) int {
	switch {
	case s == "" || digit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case s[0] >= 'A' && s[0] <= 'Z' || s[0] >= 'a' && s[0] <= 'z':
		return int(s[0])
	default:
		return int(s[0]) + 256
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func digits(s string) int {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return n
}
