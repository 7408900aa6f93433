// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package kmod_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/vmtest/internal/kmod"
)

func TestParseModinfo(t *testing.T) {
	for _, tt := range []struct {
		name, section string
		want          kmod.Info
	}{
		{"empty", "", kmod.Info{}},
		{
			"bonding", "version=6.1\x00license=GPL\x00depends=tls\x00name=bonding\x00vermagic=6.1 SMP\x00",
			kmod.Info{Name: "bonding", Depends: []string{"tls"}},
		},
		{"no dependency", "depends=\x00name=veth\x00", kmod.Info{Name: "veth"}},
		{
			"dashes and duplicates", "depends=can-dev,nf_tables,can_dev\x00name=nft-x\x00",
			kmod.Info{Name: "nft_x", Depends: []string{"can_dev", "nf_tables"}},
		},
		{
			"soft dependencies", "softdep=pre: crc32c aes post: late\x00softdep=post: x pre: y\x00",
			kmod.Info{Pre: []string{"crc32c", "aes", "y"}},
		},
		{"padding and rubbish", "\x00\x00junk\x00=x\x00depends=a", kmod.Info{Depends: []string{"a"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, kmod.ParseModinfo([]byte(tt.section))); d != "" {
				t.Errorf("ParseModinfo (-want +got):\n%s", d)
			}
		})
	}
}

func FuzzParseModinfo(f *testing.F) {
	f.Add([]byte("depends=tls,can-dev\x00name=bonding\x00softdep=pre: a post: b\x00"))
	f.Add([]byte("depends=,,\x00depends"))
	f.Fuzz(func(t *testing.T, section []byte) {
		info := kmod.ParseModinfo(section)
		for _, list := range [][]string{info.Depends, info.Pre} {
			for i, n := range list {
				if n == "" || n != kmod.Canonical(n) || slices.Contains(list[:i], n) {
					t.Fatalf("bad name %q in %q", n, list)
				}
			}
		}
		// Written down again, the result reads as itself.
		again := "name=" + info.Name + "\x00depends=" + strings.Join(info.Depends, ",") +
			"\x00softdep=pre: " + strings.Join(info.Pre, " ") + "\x00"
		if d := cmp.Diff(info, kmod.ParseModinfo([]byte(again))); d != "" {
			t.Fatalf("second reading of %q (-first +second):\n%s", section, d)
		}
	})
}

func TestResolve(t *testing.T) {
	modules := map[string]kmod.Info{
		"bonding":         {Depends: []string{"tls", "ipv6"}}, // ipv6 is built in
		"tls":             {},
		"bridge":          {Depends: []string{"stp", "llc"}},
		"stp":             {Depends: []string{"llc"}},
		"llc":             {},
		"nf_tables":       {Depends: []string{"nfnetlink", "libcrc32c"}},
		"libcrc32c":       {Pre: []string{"crc32c"}},
		"nfnetlink":       {},
		"nft_meta_bridge": {Depends: []string{"nf_tables", "bridge"}},
		"a":               {Depends: []string{"b"}},
		"b":               {Depends: []string{"a"}},
	}
	load := func(name string) (kmod.Info, error) {
		if i, ok := modules[name]; ok {
			return i, nil
		}
		return kmod.Info{}, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	for _, tt := range []struct {
		name           string
		in             []string
		order, missing []string
	}{
		{"none", nil, nil, nil},
		{"dependency built in", []string{"bonding"}, []string{"tls", "bonding"}, nil},
		{"diamond", []string{"bridge"}, []string{"llc", "stp", "bridge"}, nil},
		{
			"shared and repeated",
			[]string{"nft-meta-bridge", "bridge", "nft_meta_bridge"},
			[]string{"nfnetlink", "libcrc32c", "nf_tables", "llc", "stp", "bridge", "nft_meta_bridge"},
			nil,
		},
		{"missing once", []string{"slcan", "tls", "slcan"}, []string{"tls"}, []string{"slcan"}},
		{"cycle", []string{"a"}, []string{"b", "a"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			order, missing, err := kmod.Resolve(tt.in, load)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.order, order); d != "" {
				t.Errorf("order (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.missing, missing); d != "" {
				t.Errorf("missing (-want +got):\n%s", d)
			}
		})
	}
}

func TestResolveError(t *testing.T) {
	want := errors.New("disk on fire")
	_, _, err := kmod.Resolve([]string{"x"}, func(n string) (kmod.Info, error) {
		if n == "x" {
			return kmod.Info{Depends: []string{"y"}}, nil
		}
		return kmod.Info{}, want
	})
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

// signed appends a signature to a module the way scripts/sign-file does.
func signed(module, signature []byte) []byte {
	b := slices.Concat(module, signature, make([]byte, 8))
	b = binary.BigEndian.AppendUint32(b, uint32(len(signature)))
	return append(b, "~Module signature appended~\n"...)
}

func TestStripSignature(t *testing.T) {
	module := []byte("\x7fELF and more")
	tooLong := signed(module, []byte("sig"))
	binary.BigEndian.PutUint32(tooLong[len(tooLong)-28-4:], 1<<31)
	for name, tt := range map[string]struct{ in, want []byte }{
		"unsigned":  {module, module},
		"signed":    {signed(module, []byte("signature")), module},
		"empty":     {nil, nil},
		"only text": {[]byte("~Module signature appended~\n"), []byte("~Module signature appended~\n")},
		"too long":  {tooLong, tooLong},
	} {
		if got := kmod.StripSignature(tt.in); !bytes.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestTree(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kernel/net/8021q/8021q.ko":       "vlan",
		"kernel/drivers/net/can-dev.ko":   "can",
		"kernel/drivers/net/readme.txt":   "no module",
		"modules.builtin":                 "kernel/net/ipv6/ipv6.ko\nkernel/net/packet/af-packet.ko\n",
		"kernel/drivers/net/packed.ko.gz": "not gzip",
	} {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := kmod.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if tree.Len() != 3 {
		t.Errorf("%d modules, want 3", tree.Len())
	}
	if b, err := tree.Content("can_dev"); err != nil || string(b) != "can" {
		t.Errorf("can_dev: %q, %v", b, err)
	}
	if _, err := tree.Content("bonding"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("bonding: %v, want ErrNotExist", err)
	}
	if _, err := tree.Content("packed"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("packed: %v, want an error about its format", err)
	}
	if _, err := tree.Info("8021q"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("8021q, which is no ELF file: %v", err)
	}
	if got := tree.Path("/lib/modules/6.1", "packed"); got != "/lib/modules/6.1/kernel/drivers/net/packed.ko" {
		t.Errorf("path of packed: %s", got)
	}
	for name, want := range map[string]bool{"ipv6": true, "af_packet": true, "8021q": false} {
		if tree.Builtin(name) != want {
			t.Errorf("Builtin(%s) = %t", name, !want)
		}
	}
	if _, err := kmod.Open(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}
