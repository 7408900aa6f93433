// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bondkit/bondkit/internal/vmtest/internal/cpio"
	"github.com/bondkit/bondkit/internal/vmtest/internal/elfdeps"
	"github.com/bondkit/bondkit/internal/vmtest/internal/guest"
	"github.com/bondkit/bondkit/internal/vmtest/internal/kmod"
)

// baseFormat changes when the content of a base changes for a reason that is
// not in its key.
const baseFormat = "vmtest base 3"

// baseAge is how long an unused base stays in the cache.
const baseAge = 14 * 24 * time.Hour

// defaultModules returns the modules every guest loads, as far as its kernel
// has them: bonding with all it can stand on or beside, and what nft needs for
// rules in the bridge and netdev families.
func defaultModules() []string {
	return []string{
		"af_packet", "ipv6", "tls", "bonding",
		"veth", "dummy", "nlmon", "macvlan", "tun",
		"bridge", "8021q",
		"team", "team_mode_activebackup", "team_mode_roundrobin",
		"crc32c_generic", // asked for as crc32c, an alias, by what nf_tables needs
		"nf_tables", "nfnetlink", "nft_meta_bridge", "nft_numgen", "nft_counter", "nft_limit", "nft_hash",
		"nft_quota", "nft_log", "nft_reject_bridge", "nft_objref",
		"nft_fwd_netdev", "nft_dup_netdev", "nf_dup_netdev",
		"can", "can_dev", "slcan", "e1000e", "igb",
		"sch_ingress", "sch_prio", "sch_tbf", "sch_netem", "sch_multiq", "cls_u32", "cls_flower", "cls_matchall",
		"act_gact", "act_mirred",
	}
}

// moduleParams are the parameters of modules.
func moduleParams(name string) string {
	switch name {
	case "bonding":
		// Otherwise a bond0 exists from the start.
		return "max_bonds=0"
	case "dummy":
		// The same for dummy0.
		return "numdummies=0"
	default:
		return ""
	}
}

// requiredTools must be on the host for the guest to be of use.
func requiredTools() []string { return []string{"sh", "ip", "bridge", "tc", "nft", "ethtool"} }

// optionalTools are packed if the host has them.
func optionalTools() []string {
	return []string{
		"cat", "chmod", "cp", "cut", "date", "dd", "dmesg", "echo", "env", "false", "find", "grep", "head",
		"hostname", "id", "kill", "ln", "ls", "lsmod", "mkdir", "mount", "mv", "nproc", "nsenter", "ping", "ps",
		"readlink", "rm", "rmdir", "sed", "seq", "setpriv", "sleep", "sort", "stat", "stty", "sysctl", "tail",
		"tcpdump", "timeout", "touch", "tr", "true", "tty", "umount", "uname", "unshare", "wc",
	}
}

// base is the part of the initial file system that runs have in common.
type base struct {
	file    string // the archive
	image   string // the kernel to boot with it
	Modules []guest.Module
	Missing []string // requested modules the kernel does not have
	Builtin []string // requested modules that are part of the image
}

// loaded returns the names of the modules that the guest has, built in or not.
func (b *base) loaded() []string {
	names := slices.Clone(b.Builtin)
	for _, m := range b.Modules {
		names = append(names, m.Name)
	}
	return names
}

// makeBase returns the base for a kernel from the cache below dir, or makes it.
func makeBase(dir string, k *kernel, extra []string) (*base, error) {
	want := slices.Concat(defaultModules(), extra)
	a := &cpio.Archive{}
	skeleton(a)
	libs := &elfdeps.Resolver{}
	for _, t := range requiredTools() {
		if err := addTool(a, libs, t); err != nil {
			return nil, fmt.Errorf("the guest needs %s: %w", t, err)
		}
	}
	for _, t := range optionalTools() {
		err := addTool(a, libs, t)
		// A tool that is broken on the host is as good as none.
		if _, broken := errors.AsType[*elfdeps.MissingError](err); err != nil && !broken && !errors.Is(err, exec.ErrNotFound) {
			return nil, err
		}
	}
	addTables(a)
	key, err := baseKey(a, k, want)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "initramfs", k.Name+"-"+key)
	b := &base{file: name + ".cpio"}
	if text, err := os.ReadFile(name + ".json"); err == nil && json.Unmarshal(text, b) == nil {
		now := time.Now()
		if os.Chtimes(b.file, now, now) == nil {
			return b, nil
		}
	}
	if err := b.addModules(a, k, want); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	err = writeAtomic(b.file, 0o644, func(f *os.File) error {
		_, err := a.WriteTo(f)
		return err
	})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	err = writeAtomic(name+".json", 0o644, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
	prune(filepath.Dir(name))
	return b, err
}

// bootImage returns the kernel to give to the emulator: the unpacked one from
// the cache below dir, where it is put if need be, or else the image.
func bootImage(dir string, k *kernel, log func(string, ...any)) (string, error) {
	fi, err := os.Stat(k.vmlinuz)
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Append(nil, k.Release, k.Version, k.vmlinuz, fi.Size(), fi.ModTime().UnixNano()))
	name := filepath.Join(dir, "initramfs", k.Name+"-"+hex.EncodeToString(key[:8])+".vmlinux")
	now := time.Now()
	if os.Chtimes(name, now, now) == nil {
		return name, nil
	}
	f, err := os.Open(k.vmlinuz)
	if err != nil {
		return "", err
	}
	defer f.Close()
	unpacked, err := unpackImage(f)
	if err != nil {
		log("booting the packed image: %v", err)
		return k.vmlinuz, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return "", err
	}
	return name, writeAtomic(name, 0o644, func(f *os.File) error {
		_, err := f.Write(unpacked)
		return err
	})
}

// writeAtomic writes a file beside name and renames it when it is whole.
func writeAtomic(name string, perm fs.FileMode, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Chmod(perm); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// prune removes what no run has used for a long time. It is housekeeping: an
// error is no reason to fail.
func prune(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil || time.Since(fi.ModTime()) < baseAge || strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		p := filepath.Join(dir, e.Name())
		os.Remove(p)
		os.Remove(strings.TrimSuffix(p, ".cpio") + ".json")
	}
}

// baseKey is a hash over all that makes the base: the kernel, the modules
// asked for, and name, size and time of every host file in the archive.
func baseKey(a *cpio.Archive, k *kernel, modules []string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, baseFormat, k.Release, k.Version, k.modules, modules)
	if k.Version == "" {
		fi, err := os.Stat(k.vmlinuz)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, k.vmlinuz, fi.Size(), fi.ModTime().UnixNano())
	}
	for _, p := range a.Paths() {
		host, mode, data := a.Source(p)
		fmt.Fprintln(h, p, mode, host, len(data))
		h.Write(data)
		if host == "" {
			continue
		}
		fi, err := os.Stat(host)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, fi.Size(), fi.ModTime().UnixNano())
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// skeleton adds what every root has.
func skeleton(a *cpio.Archive) {
	for link, target := range map[string]string{
		"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib64",
		"/var/run": "/run", "/etc/mtab": "/proc/self/mounts",
	} {
		a.Symlink(link, target)
	}
	for _, d := range [...]string{"/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/dev", "/proc", "/sys", "/run", "/var/lib", "/mnt", "/etc"} {
		a.Dir(d, 0o755)
	}
	a.Dir("/root", 0o700)
	// The root is a tmpfs, so these are on one. A mount of their own would
	// hide the files of the run below them.
	a.Dir("/tmp", 0o1777)
	a.Dir("/var/tmp", 0o1777)
	for name, text := range map[string]string{
		"passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
		"group":  "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nnetworks: files\n" +
			"protocols: files\nservices: files\nethers: files\n",
		"hosts":      "127.0.0.1 localhost vmtest\n::1 localhost\n",
		"hostname":   "vmtest\n",
		"machine-id": "7d1f0c5a9b3e4d6f8a2c4e6b0d1f3a5c\n",
		"os-release": "ID=vmtest\nNAME=vmtest\nPRETTY_NAME=vmtest\n",
	} {
		a.File("/etc/"+name, 0o644, []byte(text))
	}
}

// addTables adds the tables of names the tools read, if the host has them.
func addTables(a *cpio.Archive) {
	for _, p := range [...]string{"/etc/protocols", "/etc/services", "/etc/ethertypes", "/etc/ld.so.cache"} {
		if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() {
			a.HostFile(p, 0o644, p)
		}
	}
	for _, dir := range [...]string{"/etc/iproute2", "/usr/share/iproute2"} {
		// The patterns are well formed.
		names, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, p := range names {
			if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() {
				a.HostFile(p, 0o644, p)
			}
		}
	}
}

// addTool adds a program found in the PATH, or where administration tools are,
// under its own name, with its libraries.
func addTool(a *cpio.Archive, libs *elfdeps.Resolver, name string) error {
	p, err := findProgram(name)
	if err != nil {
		return err
	}
	return addProgram(a, libs, "/usr/bin/"+name, p)
}

// findProgram is exec.LookPath that also looks into the directories for
// administration, which are not in the PATH of ordinary users.
func findProgram(name string) (string, error) {
	p, err := exec.LookPath(name)
	if err == nil || !errors.Is(err, exec.ErrNotFound) || strings.Contains(name, "/") {
		return p, err
	}
	for _, dir := range [...]string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p, nil
		}
	}
	return "", err
}

// addProgram adds the host file as the guest file, executable, with the
// libraries or the interpreter it needs.
func addProgram(a *cpio.Archive, libs *elfdeps.Resolver, guestName, host string) error {
	needed, err := libs.Closure(host)
	if err != nil {
		return err
	}
	a.HostFile(guestName, 0o755, host)
	for _, lib := range needed {
		if !a.Has(lib) {
			a.HostFile(lib, 0o755, lib)
		}
	}
	program, arg, err := elfdeps.Interpreter(host)
	if err != nil || program == "" || a.Has(program) {
		return err
	}
	if err := addProgram(a, libs, program, program); err != nil {
		return fmt.Errorf("interpreter of %s: %w", host, err)
	}
	if filepath.Base(program) == "env" && arg != "" && !strings.HasPrefix(arg, "-") {
		if err := addTool(a, libs, arg); err != nil {
			return fmt.Errorf("interpreter of %s: %w", host, err)
		}
	}
	return nil
}

// addModules adds the wanted modules and all they need, uncompressed, and
// notes the loading order.
func (b *base) addModules(a *cpio.Archive, k *kernel, want []string) error {
	tree, err := kmod.Open(k.modules)
	if err != nil {
		return err
	}
	order, missing, err := kmod.Resolve(want, tree.Info)
	if err != nil {
		return err
	}
	b.Modules, b.Missing, b.Builtin = nil, nil, nil
	for _, name := range missing {
		if tree.Builtin(name) {
			b.Builtin = append(b.Builtin, name)
		} else {
			b.Missing = append(b.Missing, name)
		}
	}
	for _, name := range order {
		content, err := tree.Content(name)
		if err != nil {
			return err
		}
		p := tree.Path("/lib/modules/"+k.Release, name)
		a.File(p, 0o644, content)
		b.Modules = append(b.Modules, guest.Module{Name: name, Path: p, Params: moduleParams(name)})
	}
	return nil
}
