// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package debian

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Request says which kernel to fetch.
type Request struct {
	Meta     string   // metapackage, for example linux-image-cloud-amd64
	Prefix   string   // what the version must begin with, "" for any
	Main     []string // suites of the main archive to look into
	Security []string // suites of the security archive to look into
}

// Fetcher fetches kernels.
type Fetcher struct {
	Archive Archive
	Keyring string           // file with the archive's keys
	Dir     string           // existing private directory for apt's state
	Log     func(msg string) // progress, one line a call
}

// Fetched describes an unpacked kernel.
type Fetched struct {
	Release  string   // uname -r
	Version  string   // version of the packages
	Packages []string // names of the packages the files are from
}

var tools = []string{"apt-get", "apt-cache", "apt-config", "dpkg-deb"}

// ErrUnsupported is wrapped by the error of [New] on a machine that cannot
// fetch kernels. It matches errors.ErrUnsupported.
var ErrUnsupported = fmt.Errorf("kernels cannot be fetched here: %w", errors.ErrUnsupported)

// New returns a Fetcher for the machine: its apt tools, archive and keyring.
// mirror, when not empty, is the address of a main archive that is tried
// before those of the machine's sources. An error wraps [ErrUnsupported] and
// says what is missing.
func New(mirror, dir string, log func(string)) (*Fetcher, error) {
	for _, t := range tools {
		if _, err := exec.LookPath(t); err != nil {
			return nil, fmt.Errorf("%w: need apt and dpkg (no %s), or -vmlinuz FILE -modules DIR", ErrUnsupported, t)
		}
	}
	f := &Fetcher{Dir: dir, Log: log}
	for _, k := range [...]string{"debian-archive-keyring.gpg", "debian-archive-keyring.pgp"} {
		k = filepath.Join("/usr/share/keyrings", k)
		if _, err := os.Stat(k); err == nil {
			f.Keyring = k
			break
		}
	}
	if f.Keyring == "" {
		return nil, fmt.Errorf("%w: need the package debian-archive-keyring, or -vmlinuz FILE -modules DIR", ErrUnsupported)
	}
	sources := ReadSources("/")
	if mirror != "" {
		sources = slices.Insert(sources, 0, Source{URI: mirror, Suite: "stable", Components: []string{"main"}})
	}
	f.Archive = ArchiveOf(sources)
	if len(f.Archive.Main) == 0 {
		return nil, fmt.Errorf("%w: no Debian entry in the apt sources; name one with -mirror URI, or use -vmlinuz FILE -modules DIR", ErrUnsupported)
	}
	return f, nil
}

// Fetch unpacks the kernel into the existing, empty directory dst: vmlinuz and
// modules/. An error wraps [ErrNoKernel] when no archive has it.
func (f *Fetcher) Fetch(ctx context.Context, req Request, dst string) (Fetched, error) {
	var errs []error
	for round := range max(len(f.Archive.Main), len(f.Archive.Security)) {
		got, err := f.fetchFrom(ctx, req, round, dst)
		if err == nil || ctx.Err() != nil {
			return got, err
		}
		errs = append(errs, err)
		for _, part := range [...]string{"vmlinuz", "modules"} {
			if err := os.RemoveAll(filepath.Join(dst, part)); err != nil {
				return Fetched{}, err
			}
		}
	}
	return Fetched{}, errors.Join(errs...)
}

func (f *Fetcher) fetchFrom(ctx context.Context, req Request, round int, dst string) (Fetched, error) {
	a := &apt{dir: filepath.Join(f.Dir, "apt"), shown: make(map[string][]Package)}
	defer os.RemoveAll(a.dir)
	if err := a.setUp(ctx, f.sources(req, round)); err != nil {
		return Fetched{}, err
	}
	f.Log("reading the package lists of " + strings.Join(slices.Concat(req.Main, req.Security), ", "))
	// apt fails as a whole when one of the suites is not there, but keeps the
	// lists of the others. Whether those have the kernel is what counts.
	updateErr := a.run(ctx, io.Discard, "apt-get", "-q", "update")
	packages, err := Resolve(req.Meta, req.Prefix, func(name string) ([]Package, error) { return a.show(ctx, name) })
	if err != nil {
		return Fetched{}, errors.Join(err, updateErr)
	}
	got := Fetched{Release: strings.TrimPrefix(packages[0].Name, "linux-image-"), Version: packages[0].Version}
	args := []string{"-q", "download"}
	for _, p := range packages {
		got.Packages = append(got.Packages, p.Name)
		args = append(args, p.Name+"="+p.Version)
	}
	f.Log("downloading " + strings.Join(args[2:], " "))
	if err := a.run(ctx, io.Discard, "apt-get", args...); err != nil {
		return Fetched{}, err
	}
	debs, err := filepath.Glob(filepath.Join(a.dir, "*.deb"))
	if err != nil {
		return Fetched{}, err
	}
	for _, deb := range debs {
		if err := unpack(ctx, deb, dst); err != nil {
			return Fetched{}, err
		}
	}
	for _, want := range [...]string{"vmlinuz", "modules/kernel"} {
		if _, err := os.Stat(filepath.Join(dst, want)); err != nil {
			return Fetched{}, fmt.Errorf("%s have no %s", strings.Join(got.Packages, ", "), want)
		}
	}
	return got, nil
}

// sources returns the content of a sources.list. In round n the n-th best
// address is used for every suite.
func (f *Fetcher) sources(req Request, round int) string {
	var b strings.Builder
	add := func(bases, suites []string) {
		if len(bases) == 0 {
			return
		}
		base := bases[min(round, len(bases)-1)]
		for _, s := range suites {
			fmt.Fprintf(&b, "deb [arch=amd64 signed-by=%s] %s %s main\n", f.Keyring, base, s)
		}
	}
	add(f.Archive.Main, req.Main)
	add(f.Archive.Security, req.Security)
	return b.String()
}

// apt runs apt's tools with a state of their own below dir.
type apt struct {
	dir   string
	shown map[string][]Package
}

func (a *apt) setUp(ctx context.Context, sources string) error {
	for _, d := range [...]string{"lists/partial", "cache/archives/partial", "parts"} {
		if err := os.MkdirAll(filepath.Join(a.dir, d), 0o755); err != nil {
			return err
		}
	}
	// How the machine reaches the archive (proxies, retries) is taken over.
	// The rest is not, hooks least of all: they would work on the system's
	// own state.
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return fmt.Errorf("apt-config dump: %w", err)
	}
	var conf strings.Builder
	for line := range strings.Lines(string(dump)) {
		if strings.HasPrefix(line, "Acquire::") && !strings.HasPrefix(line, "Acquire::IndexTargets") {
			conf.WriteString(line)
		}
	}
	fmt.Fprintf(&conf, "Dir::State %q;\n", a.dir)
	fmt.Fprintf(&conf, "Dir::State::lists %q;\n", filepath.Join(a.dir, "lists"))
	fmt.Fprintf(&conf, "Dir::State::status %q;\n", filepath.Join(a.dir, "status"))
	fmt.Fprintf(&conf, "Dir::Cache %q;\n", filepath.Join(a.dir, "cache"))
	fmt.Fprintf(&conf, "Dir::Etc::sourcelist %q;\n", filepath.Join(a.dir, "sources.list"))
	for _, k := range [...]string{"sourceparts", "parts", "preferencesparts", "trustedparts"} {
		fmt.Fprintf(&conf, "Dir::Etc::%s %q;\n", k, filepath.Join(a.dir, "parts"))
	}
	for _, k := range [...]string{"main", "preferences", "trusted"} {
		fmt.Fprintf(&conf, "Dir::Etc::%s \"/dev/null\";\n", k)
	}
	conf.WriteString("APT::Architecture \"amd64\";\nAPT::Architectures { \"amd64\"; };\n")
	conf.WriteString("Acquire::Languages \"none\";\n")
	// A release file that nobody signs any more because the suite is archived
	// or the mirror is a snapshot runs out. The signature is still checked; the
	// date protects from a mirror that hides updates, which does no harm here.
	conf.WriteString("Acquire::Check-Valid-Until \"false\";\n")
	if os.Geteuid() == 0 {
		// The unprivileged user apt would change to cannot enter the directory.
		conf.WriteString("APT::Sandbox::User \"root\";\n")
	}
	for name, text := range map[string]string{"apt.conf": conf.String(), "sources.list": sources, "status": ""} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// run runs one of apt's tools in the private directory.
func (a *apt) run(ctx context.Context, stdout io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.dir, "apt.conf"), "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}

// show returns all versions of a package, none for an unknown one.
func (a *apt) show(ctx context.Context, name string) ([]Package, error) {
	if p, ok := a.shown[name]; ok {
		return p, nil
	}
	var out bytes.Buffer
	err := a.run(ctx, &out, "apt-cache", "show", name)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	a.shown[name] = ParsePackages(out.String())
	return a.shown[name], nil
}

// unpack takes the kernel and the modules out of a package.
func unpack(ctx context.Context, deb, dst string) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	untarErr := untar(out, dst)
	// dpkg-deb must see the end of what it writes or be told to stop.
	io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("dpkg-deb %s: %w %s", filepath.Base(deb), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return untarErr
}

func untar(r io.Reader, dst string) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := memberName(h.Name)
		if name == "" || h.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return fmt.Errorf("package member %q leaves the directory", h.Name)
		}
		p := filepath.Join(dst, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := writeFile(p, t); err != nil {
			return err
		}
	}
}

func writeFile(name string, r io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// memberName maps a member of a kernel package to its place in the cache, or
// to "" for what is not kept.
func memberName(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if rest, ok := strings.CutPrefix(name, "boot/vmlinuz-"); ok && !strings.Contains(rest, "/") {
		return "vmlinuz"
	}
	name = strings.TrimPrefix(name, "usr/")
	rest, ok := strings.CutPrefix(name, "lib/modules/")
	if !ok {
		return ""
	}
	_, rest, ok = strings.Cut(rest, "/")
	if ok && rest == "vmlinuz" {
		return "vmlinuz"
	}
	if !ok || rest != "modules.builtin" && !strings.HasPrefix(rest, "kernel/") {
		return ""
	}
	return "modules/" + rest
}
