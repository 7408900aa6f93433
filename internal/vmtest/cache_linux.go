// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/vmtest/internal/debian"
)

// lockPoll is how often a lock somebody else holds is tried again.
const lockPoll = 100 * time.Millisecond

// lock takes the lock file name, shared or alone, and waits for it while it
// is held elsewhere. Closing the file releases the lock, and so does the end
// of the process.
func lock(ctx context.Context, name string, how int) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// store is the cache of kernels.
type store struct {
	dir    string // the cache directory
	mirror string
	log    func(string)
}

func (s *store) kernelDir(name string) string { return filepath.Join(s.dir, "kernels", name) }
func (s *store) lockFile(name string) string  { return s.kernelDir(name) + ".lock" }

// open returns the named kernel, from the cache if it is there, and a lock
// that keeps it there until closed. With update a newer version is looked for.
func (s *store) open(ctx context.Context, spec kernelSpec, update bool) (*kernel, *os.File, error) {
	for {
		l, err := lock(ctx, s.lockFile(spec.name), unix.LOCK_SH)
		if err != nil {
			return nil, nil, err
		}
		if !update {
			k, err := cached(s.kernelDir(spec.name))
			if k != nil {
				return k, l, nil
			}
			if err != nil {
				l.Close()
				return nil, nil, err
			}
		}
		l.Close()
		if err := s.fetch(ctx, spec, update); err != nil {
			return nil, nil, fmt.Errorf("kernel %s: %w", spec.name, err)
		}
		update = false
	}
}

// fetch puts the kernel into the cache, unless it got there while this process
// waited for its turn.
func (s *store) fetch(ctx context.Context, spec kernelSpec, update bool) error {
	l, err := lock(ctx, s.lockFile(spec.name), unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer l.Close()
	dir := s.kernelDir(spec.name)
	old, err := cached(dir)
	if err != nil || old != nil && !update {
		return err
	}
	// What an interrupted fetch left has a name with a dot.
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err == nil {
		for _, p := range left {
			os.RemoveAll(p)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, ".fetch")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	unpacked := filepath.Join(tmp, "kernel")
	if err := os.Mkdir(unpacked, 0o755); err != nil {
		return err
	}
	f, err := debian.New(s.mirror, tmp, func(msg string) { s.log("kernel " + spec.name + ": " + msg) })
	if err != nil {
		return err
	}
	got, err := f.Fetch(ctx, spec.req, unpacked)
	if err != nil {
		return err
	}
	k := &kernel{Name: spec.name, Release: got.Release, Version: got.Version, Packages: got.Packages}
	b, err := json.MarshalIndent(k, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(unpacked, kernelFile), append(b, '\n'), 0o644); err != nil {
		return err
	}
	// A package version has no slash in it.
	final := filepath.Join(dir, got.Version)
	if old != nil && old.Version == got.Version {
		return nil
	}
	if err := os.RemoveAll(final); err != nil {
		return err
	}
	if err := os.Rename(unpacked, final); err != nil {
		return err
	}
	if old != nil {
		return os.RemoveAll(filepath.Join(dir, old.Version))
	}
	return nil
}

// local returns a kernel that is on the machine already.
func local(o *options) (*kernel, error) {
	f, err := os.Open(o.vmlinuz)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	release, err := imageRelease(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.vmlinuz, err)
	}
	modules, err := filepath.Abs(o.modules)
	if err != nil {
		return nil, err
	}
	return &kernel{Name: o.kernel, Release: release, vmlinuz: o.vmlinuz, modules: modules}, nil
}

// list prints the kernels and what the cache has of them.
func (s *store) list() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCACHED\tVERSION\tRELEASE\tPACKAGES")
	for _, spec := range kernelSpecs() {
		k, err := cached(s.kernelDir(spec.name))
		if err != nil {
			return err
		}
		if k == nil {
			fmt.Fprintf(w, "%s\tno\t-\t-\t%s %s\n", spec.name, spec.req.Meta, strings.Join(spec.req.Main, ", "))
			continue
		}
		fmt.Fprintf(w, "%s\tyes\t%s\t%s\t%s\n", spec.name, k.Version, k.Release, strings.Join(k.Packages, " "))
	}
	return w.Flush()
}

// fetchAll fetches the named kernels and prints their versions.
func (s *store) fetchAll(ctx context.Context, names []string, update bool) error {
	for _, name := range names {
		spec, err := findKernel(name)
		if err != nil {
			return err
		}
		k, l, err := s.open(ctx, spec, update)
		if err != nil {
			return err
		}
		l.Close()
		fmt.Printf("%s\t%s\t%s\n", k.Name, k.Version, k.Release)
	}
	return nil
}
