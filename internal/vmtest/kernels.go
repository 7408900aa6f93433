// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bondkit/bondkit/internal/vmtest/internal/debian"
)

// kernelSpec is a kernel the runner knows by name.
type kernelSpec struct {
	name string
	req  debian.Request
}

const (
	cloudMeta   = "linux-image-cloud-amd64"
	genericMeta = "linux-image-amd64"
)

// kernelSpecs returns the kernels in the order in which they are listed.
func kernelSpecs() []kernelSpec {
	bookworm := []string{"bookworm", "bookworm-updates"}
	return []kernelSpec{
		{"5.10", debian.Request{
			Meta: cloudMeta, Prefix: "5.10.",
			Main: []string{"bullseye", "bullseye-updates"}, Security: []string{"bullseye-security"},
		}},
		{"6.1", debian.Request{
			Meta: cloudMeta, Prefix: "6.1.",
			Main: bookworm, Security: []string{"bookworm-security"},
		}},
		{"6.12", debian.Request{
			Meta: cloudMeta, Prefix: "6.12.",
			Main: []string{"trixie", "trixie-updates", "bookworm-backports"}, Security: []string{"trixie-security"},
		}},
		{"newest", debian.Request{Meta: cloudMeta, Main: []string{"sid"}}},
		{"6.1-generic", debian.Request{
			Meta: genericMeta, Prefix: "6.1.",
			Main: bookworm, Security: []string{"bookworm-security"},
		}},
	}
}

func kernelNames() []string {
	var names []string
	for _, k := range kernelSpecs() {
		names = append(names, k.name)
	}
	return names
}

func findKernel(name string) (kernelSpec, error) {
	for _, k := range kernelSpecs() {
		if k.name == name {
			return k, nil
		}
	}
	return kernelSpec{}, fmt.Errorf("unknown kernel %q (one of %s)", name, strings.Join(kernelNames(), ", "))
}

// kernel is a kernel on disk.
type kernel struct {
	Name     string   `json:"name"`
	Release  string   `json:"release"`
	Version  string   `json:"version"` // of the packages; "" for a local kernel
	Packages []string `json:"packages"`

	vmlinuz string // the image
	modules string // the directory that has kernel/ in it
}

// place sets where a cached kernel is.
func (k *kernel) place(dir string) *kernel {
	k.vmlinuz, k.modules = filepath.Join(dir, "vmlinuz"), filepath.Join(dir, "modules")
	return k
}

// String describes the kernel for the first line of a run.
func (k *kernel) String() string {
	if k.Version == "" {
		return fmt.Sprintf("%s (linux %s, a local file)", k.Name, k.Release)
	}
	return fmt.Sprintf("%s (linux %s, package version %s)", k.Name, k.Release, k.Version)
}

// cacheDir is where kernels and initial file systems are kept.
func cacheDir() (string, error) {
	dir := os.Getenv("BONDKIT_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("set BONDKIT_CACHE: %w", err)
		}
		dir = filepath.Join(user, "bondkit")
	}
	return filepath.Abs(filepath.Join(dir, "vmtest"))
}

const kernelFile = "kernel.json"

// cached returns the newest kernel below dir, the cache directory of one name,
// or nil. A directory becomes visible by a rename when it is complete.
func cached(dir string) (*kernel, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var best *kernel
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name(), kernelFile))
		if err != nil {
			continue
		}
		k := (&kernel{}).place(filepath.Join(dir, e.Name()))
		if json.Unmarshal(b, k) != nil {
			continue
		}
		if best == nil || debian.CompareVersions(k.Version, best.Version) > 0 {
			best = k
		}
	}
	return best, nil
}
