// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/vmtest/internal/cpio"
	"github.com/bondkit/bondkit/internal/vmtest/internal/elfdeps"
	"github.com/bondkit/bondkit/internal/vmtest/internal/guest"
)

// payload is what is different in every run: the runner itself as /init, the
// command, its files, and what PID 1 has to do.
type payload struct {
	archive cpio.Archive
	libs    elfdeps.Resolver
	config  guest.Config
	returns []filePair // guest to host; the index is that of config.Returns
	test    testRun
	isTest  bool
}

// newPayload packs the command of o, to be run in dir.
func newPayload(o *options, b *base, dir string) (*payload, error) {
	p := &payload{}
	p.config = guest.Config{
		Dir: dir, Env: guestEnv(os.Environ(), o, dir), Verbose: o.verbose,
		Merge: sameFile(os.Stdout, os.Stderr), Modules: b.Modules, Mkdir: []string{dir},
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := addProgram(&p.archive, &p.libs, guest.Init, self); err != nil {
		return nil, err
	}
	if err := p.addCommand(o, dir); err != nil {
		return nil, err
	}
	testdata := filepath.Join(dir, "testdata")
	if err := p.addTree(testdata, testdata); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, f := range o.files {
		host, err := filepath.Abs(f.from)
		if err != nil {
			return nil, err
		}
		if err := p.addTree(host, guestPath(dir, f.to)); err != nil {
			return nil, fmt.Errorf("-file %s: %w", f.from, err)
		}
	}
	for _, f := range o.outs {
		p.addReturn(filePair{guestPath(dir, f.from), guestPath(dir, f.to)})
	}
	text, err := json.Marshal(p.config)
	if err != nil {
		return nil, err
	}
	p.archive.File(guest.ConfigPath, 0o600, text)
	return p, nil
}

// addCommand packs the program and works out its arguments.
func (p *payload) addCommand(o *options, dir string) error {
	host, err := findProgram(o.command[0])
	if err != nil {
		return fmt.Errorf("command: %w", err)
	}
	if host, err = filepath.Abs(host); err != nil {
		return err
	}
	if err := addProgram(&p.archive, &p.libs, host, host); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	args := o.command[1:]
	if p.isTest = isTest(o.command); p.isTest {
		p.test = readTestFlags(args, dir, !o.allowSkip)
		args = p.test.args
		for _, r := range p.test.returns {
			p.addReturn(r)
		}
	}
	if cover := os.Getenv("GOCOVERDIR"); cover != "" {
		p.addReturn(same(guestPath(dir, cover)))
	}
	p.config.Path = cpio.Clean(host)
	p.config.Argv = append([]string{o.command[0]}, args...)
	return nil
}

// addReturn asks for a file or directory back. Where it goes is made in the
// guest if the host has it: a directory for a directory, the parent of a file.
func (p *payload) addReturn(r filePair) {
	p.returns = append(p.returns, r)
	p.config.Returns = append(p.config.Returns, guest.Return{Path: r.from})
	if fi, err := os.Stat(r.to); err == nil && fi.IsDir() {
		p.config.Mkdir = append(p.config.Mkdir, r.from)
	} else {
		p.config.Mkdir = append(p.config.Mkdir, filepath.Dir(r.from))
	}
}

// addTree packs a host file, or a directory with all below it.
func (p *payload) addTree(host, to string) error {
	// The named file itself may be a symbolic link, those below stay links.
	real, err := filepath.EvalSymlinks(host)
	if err != nil {
		return err
	}
	return filepath.WalkDir(real, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(name, real))
		fi, err := d.Info()
		if err != nil {
			return err
		}
		perm := uint32(fi.Mode().Perm())
		switch {
		case d.IsDir():
			p.archive.Dir(target, perm)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(name)
			if err != nil {
				return err
			}
			p.archive.Symlink(target, link)
		case !d.Type().IsRegular():
		case perm&0o111 != 0:
			if err := addProgram(&p.archive, &p.libs, target, name); err != nil {
				return err
			}
		default:
			p.archive.HostFile(target, perm, name)
		}
		return nil
	})
}

// sameFile reports whether two open files are one, as with 2>&1.
func sameFile(a, b *os.File) bool {
	x, err1 := a.Stat()
	y, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// image writes the base and the payload behind each other into a file that
// has no name, so that nothing is left of it however the run ends.
func (p *payload) image(b *base) (*os.File, error) {
	fd, err := unix.MemfdCreate("initramfs", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	out := os.NewFile(uintptr(fd), "initramfs")
	in, err := os.Open(b.file)
	if err != nil {
		out.Close()
		return nil, err
	}
	defer in.Close()
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return nil, err
	}
	if _, err := p.archive.WriteTo(out); err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}
