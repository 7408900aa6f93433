// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondkit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/bondkit/bondkit"

// arrows says which packages of the module a package may import. A package that
// is not here, and has no parent here, may not exist. The entry of a parent
// holds for what is below it, and importing inside one entry is always allowed.
var arrows = map[string][]string{
	"":                    {},
	"bond":                {"internal/rtnl", "internal/escape", "internal/israce"},
	"bond/bondtest":       {"bond", "internal/israce"},
	"bond/config":         {"bond", "internal/rtnl", "internal/escape", "internal/israce"},
	"bond/doctor":         {"bond", "procfs", "ethtool", "internal/rtnl", "internal/escape", "internal/israce"},
	"bond/failover":       {"bond", "arpmon", "internal/rtnl", "internal/escape", "internal/israce"},
	"arpmon":              {"internal/rtnl", "internal/israce"},
	"arpmon/arpmontest":   {"arpmon", "internal/israce"},
	"ethtool":             {"internal/rtnl", "internal/escape", "internal/israce"},
	"ethtool/ethtooltest": {"ethtool", "internal/israce"},
	"procfs":              {"bond", "internal/rtnl", "internal/escape", "internal/israce"},
	"internal/rtnl":       {},
	"internal/escape":     {},
	"internal/israce":     {},
	"internal/alloctest":  {"internal/israce"},
	"internal/lab":        {"internal/rtnl", "internal/israce"},
	"internal/vmtest":     {},
	"examples":            {"*"},
}

// testArrows is what test files may import besides.
var testArrows = []string{"internal/alloctest", "internal/lab", "internal/israce", "arpmon/arpmontest", "bond/bondtest", "ethtool/ethtooltest"}

type outsideRule struct {
	prefix string
	linux  bool
	tests  bool
}

// outside says who may import which module other than our own, by import path
// prefix. Where linux is set, only files named for Linux may; where tests is
// set, only test files.
var outside = []outsideRule{
	{prefix: "github.com/mdlayher/netlink", linux: true},
	{prefix: "github.com/mdlayher/genetlink", linux: true},
	{prefix: "github.com/mdlayher/ethtool"},
	{prefix: "golang.org/x/sys"},
	{prefix: "github.com/google/go-cmp", tests: true},
}

// sourceFile is what the rules look at in one Go file.
type sourceFile struct {
	pkg     string // directory below the module, "" for its root
	name    string
	imports []string
}

func TestImportArrows(t *testing.T) {
	files := sourceFiles(t)
	if len(files) < 10 {
		t.Fatalf("found %d Go files, so this test looks in the wrong place", len(files))
	}
	for _, v := range checkFiles(files) {
		t.Error(v)
	}
}

// TestImportDeps follows imports to the end, for three systems: what a
// package drags in, and not only what it names.
func TestImportDeps(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			for _, v := range checkDeps(goos, listPackages(t, goos)) {
				t.Error(v)
			}
		})
	}
}

// TestImportRules shows that the rules can be broken.
func TestImportRules(t *testing.T) {
	tests := []struct {
		file sourceFile
		want string // part of the only violation, empty for none
	}{
		{sourceFile{"procfs", "parse.go", []string{"strings", module + "/bond"}}, ""},
		{sourceFile{"bond/failover", "run.go", []string{module + "/bond", module + "/arpmon"}}, ""},
		{sourceFile{"arpmon", "monitor_linux.go", []string{module + "/internal/rtnl", "golang.org/x/sys/unix"}}, ""},
		{sourceFile{"arpmon", "engine_test.go", []string{module + "/arpmon", module + "/arpmon/arpmontest", module + "/internal/lab", "github.com/google/go-cmp/cmp"}}, ""},
		{sourceFile{"internal/rtnl", "rtnl_linux.go", []string{"github.com/mdlayher/netlink", "github.com/mdlayher/netlink/nlenc"}}, ""},
		{sourceFile{"internal/rtnl", "slow_linux_test.go", []string{"github.com/mdlayher/netlink"}}, ""},
		{sourceFile{"examples/bondlab", "main.go", []string{module + "/arpmon", module + "/internal/lab"}}, ""},
		{sourceFile{"internal/vmtest/cpio", "w.go", []string{module + "/internal/vmtest"}}, ""},
		{sourceFile{"", "example_test.go", []string{module + "/arpmon"}}, ""},

		{sourceFile{"bond", "bond.go", []string{module + "/arpmon"}}, "bond imports arpmon"},
		{sourceFile{"arpmon", "engine.go", []string{module + "/arpmon/arpmontest"}}, "arpmon imports arpmon/arpmontest"},
		{sourceFile{"arpmon", "monitor.go", []string{module + "/internal/lab"}}, "arpmon imports internal/lab"},
		{sourceFile{"arpmon", "x_test.go", []string{module + "/bond"}}, "arpmon imports bond"},
		{sourceFile{"bond", "bond.go", []string{module + "/bond/doctor"}}, "bond imports bond/doctor"},
		{sourceFile{"ethtool", "x.go", []string{module + "/internal/alloctest"}}, "ethtool imports internal/alloctest"},
		{sourceFile{"internal/rtnl", "x.go", []string{module + "/internal/israce"}}, "internal/rtnl imports internal/israce"},
		{sourceFile{"internal/vmtest", "x.go", []string{module + "/internal/lab"}}, "internal/vmtest imports internal/lab"},
		{sourceFile{"", "doc.go", []string{module + "/bond"}}, "the root package imports bond"},
		{sourceFile{"bondutil", "x.go", nil}, "no place in the design"},
		{sourceFile{"bond", "x.go", []string{module + "/bondutil"}}, "bond imports bondutil"},
		{sourceFile{"bond", "client.go", []string{"github.com/mdlayher/netlink"}}, "only files named for Linux"},
		{sourceFile{"ethtool", "client.go", []string{"github.com/mdlayher/genetlink"}}, "only files named for Linux"},
		{sourceFile{"bond", "linux.go", []string{"github.com/mdlayher/netlink"}}, "only files named for Linux"},
		{sourceFile{"bond", "diff.go", []string{"github.com/google/go-cmp/cmp"}}, "only test files"},
		{sourceFile{"bond", "x_test.go", []string{"github.com/stretchr/testify/assert"}}, "not one of the modules"},
		{sourceFile{"bond", "x_linux.go", []string{"github.com/mdlayher/netlinkish"}}, "not one of the modules"},
		{sourceFile{"internal/vmtest", "x_linux.go", []string{"github.com/mdlayher/netlink"}}, "internal/vmtest imports github.com/mdlayher/netlink"},
	}
	for _, tt := range tests {
		got := checkFiles([]sourceFile{tt.file})
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%+v: %q, want no violation", tt.file, got)
		case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
			t.Errorf("%+v: %q, want one violation with %q", tt.file, got, tt.want)
		}
	}
}

func TestImportDepsRules(t *testing.T) {
	netlink := "github.com/mdlayher/netlink"
	tests := []struct {
		goos string
		pkg  listedPackage
		want string
	}{
		{"linux", listedPackage{ImportPath: module + "/arpmon", Deps: []string{"errors", netlink, module + "/internal/rtnl"}}, ""},
		{"darwin", listedPackage{ImportPath: module + "/arpmon", Deps: []string{"errors", module + "/internal/rtnl"}}, ""},
		{"darwin", listedPackage{ImportPath: module + "/arpmon", Deps: []string{netlink}}, "drags in " + netlink},
		{"linux", listedPackage{ImportPath: module + "/bond", Deps: []string{module + "/internal/rtnl", module + "/procfs"}}, "drags in procfs"},
		{"linux", listedPackage{ImportPath: module + "/procfs", Deps: []string{module + "/bond", module + "/internal/rtnl"}}, ""},
		{"linux", listedPackage{ImportPath: module + "/examples/bondlab", Deps: []string{module + "/arpmon"}}, ""},
		{"linux", listedPackage{ImportPath: module + "/internal/vmtest", Deps: []string{"golang.org/x/net/bpf"}}, "drags in golang.org/x/net/bpf"},
	}
	for _, tt := range tests {
		got := checkDeps(tt.goos, []listedPackage{tt.pkg})
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s %+v: %q, want no violation", tt.goos, tt.pkg, got)
		case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
			t.Errorf("%s %+v: %q, want one violation with %q", tt.goos, tt.pkg, got, tt.want)
		}
	}
}

// TestGoMod holds go.mod to what the module promises those who depend on it.
func TestGoMod(t *testing.T) {
	out := goCommand(t, nil, "mod", "edit", "-json")
	var mod struct {
		Module    struct{ Path string }
		Go        string
		Toolchain string
		Tool      []struct{ Path string }
		Replace   []any
		Require   []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if mod.Module.Path != module || mod.Go != "1.26.0" || mod.Toolchain != "" || len(mod.Tool) > 0 || len(mod.Replace) > 0 {
		t.Errorf("go.mod is %+v, want module %s, go 1.26.0 and no toolchain, tool or replace line", mod, module)
	}
	for _, r := range mod.Require {
		known := slices.ContainsFunc(outside, func(o outsideRule) bool { return o.prefix == r.Path })
		if !r.Indirect && !known {
			t.Errorf("go.mod requires %s, which is not one of the modules it may require", r.Path)
		}
	}
}

// checkFiles returns the violations of the rules for single files.
func checkFiles(files []sourceFile) []string {
	var all []string
	for _, f := range files {
		entry, ok := entryOf(f.pkg)
		if !ok {
			all = append(all, fmt.Sprintf("%s has no place in the design", f.pkg))
			continue
		}
		for _, imp := range f.imports {
			if v := checkImport(f, entry, imp); v != "" {
				all = append(all, fmt.Sprintf("%s: %s", path.Join(f.pkg, f.name), v))
			}
		}
	}
	return all
}

// checkImport returns what is wrong with one import, or nothing.
func checkImport(f sourceFile, entry, imp string) string {
	isTest := strings.HasSuffix(f.name, "_test.go")
	if own, ok := ownPackage(imp); ok {
		// The example of the root package shows the others.
		if mayImport(entry, own) || isTest && (covers(testArrows, own) || f.pkg == "") {
			return ""
		}
		return fmt.Sprintf("%s imports %s, an arrow the design does not allow", nameOf(f.pkg), own)
	}
	if isStandard(imp) {
		return ""
	}
	i := slices.IndexFunc(outside, func(o outsideRule) bool { return covers([]string{o.prefix}, imp) })
	if i < 0 {
		return fmt.Sprintf("%s is not one of the modules that may be used", imp)
	}
	switch o := outside[i]; {
	case entry == "internal/vmtest" && o.prefix != "golang.org/x/sys" && (!o.tests || !isTest):
		return fmt.Sprintf("%s imports %s, but may use the standard library and x/sys only", f.pkg, imp)
	case o.linux && !strings.HasSuffix(strings.TrimSuffix(f.name, "_test.go"), "_linux") && !strings.HasSuffix(f.name, "_linux.go"):
		return fmt.Sprintf("only files named for Linux may import %s", imp)
	case o.tests && !isTest && entry != "examples":
		return fmt.Sprintf("only test files may import %s", imp)
	}
	return ""
}

// listedPackage is what this test reads of the output of go list.
type listedPackage struct {
	ImportPath string
	Deps       []string
}

// checkDeps returns the violations in what the packages depend on in the end.
func checkDeps(goos string, pkgs []listedPackage) []string {
	var all []string
	for _, p := range pkgs {
		own, _ := ownPackage(p.ImportPath)
		entry, ok := entryOf(own)
		if !ok {
			all = append(all, fmt.Sprintf("%s has no place in the design", own))
			continue
		}
		for _, dep := range p.Deps {
			drags := ""
			if d, ok := ownPackage(dep); ok {
				if !mayReach(entry, d) {
					drags = d
				}
			} else if goos != "linux" && covers([]string{"github.com/mdlayher/netlink", "github.com/mdlayher/genetlink"}, dep) ||
				entry == "internal/vmtest" && !isStandard(dep) && !covers([]string{"golang.org/x/sys"}, dep) {
				drags = dep
			}
			if drags != "" {
				all = append(all, fmt.Sprintf("on %s, %s drags in %s", goos, nameOf(own), drags))
			}
		}
	}
	return all
}

// entryOf returns the entry of arrows that holds for a package.
func entryOf(pkg string) (string, bool) {
	for p := pkg; ; p = path.Dir(p) {
		if p == "." || p == "" {
			return "", pkg == ""
		}
		if _, ok := arrows[p]; ok {
			return p, true
		}
	}
}

// mayImport reports whether the packages of an entry may import pkg.
func mayImport(entry, pkg string) bool {
	to, ok := entryOf(pkg)
	return ok && (to == entry || slices.Contains(arrows[entry], to) || slices.Contains(arrows[entry], "*"))
}

// mayReach is mayImport in any number of steps.
func mayReach(entry, pkg string) bool {
	if mayImport(entry, pkg) {
		return true
	}
	return slices.ContainsFunc(arrows[entry], func(next string) bool { return mayReach(next, pkg) })
}

// covers reports whether imp is one of the paths or below one.
func covers(paths []string, imp string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return imp == p || strings.HasPrefix(imp, p+"/") })
}

// ownPackage returns the path of a package below the module.
func ownPackage(imp string) (string, bool) {
	if imp == module {
		return "", true
	}
	return strings.CutPrefix(imp, module+"/")
}

// isStandard reports whether a path is of the standard library, or of what it vendors.
func isStandard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".")
}

func nameOf(pkg string) string {
	if pkg == "" {
		return "the root package"
	}
	return pkg
}

// sourceFiles reads the imports of every Go file of the module, whatever
// system or tag it is for.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || isModule(name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := sourceFile{name: d.Name()}
		if dir := filepath.ToSlash(filepath.Dir(name)); dir != "." {
			f.pkg = dir
		}
		for _, imp := range parsed.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, p)
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// isModule reports whether the directory is a module of its own.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// listPackages asks the go command what the packages of the module, without
// their tests, depend on.
func listPackages(t *testing.T, goos string) []listedPackage {
	t.Helper()
	out := goCommand(t, []string{"GOOS=" + goos, "GOARCH=amd64", "CGO_ENABLED=0"}, "list", "-e", "-json=ImportPath,Deps", "./...")
	var pkgs []listedPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list knows no package")
	}
	return pkgs
}

// goCommand runs the go command and returns its output.
func goCommand(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not installed")
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		if ee, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, ee.Stderr)
		}
		t.Fatal(err)
	}
	return out
}
