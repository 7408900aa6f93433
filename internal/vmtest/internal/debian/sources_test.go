// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package debian_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/vmtest/internal/debian"
)

func TestParseList(t *testing.T) {
	main := []string{"main"}
	for _, tt := range []struct {
		name, text string
		want       []debian.Source
	}{
		{"empty", "", nil},
		{"comment", "# deb http://m.example/debian bookworm main\n\n", nil},
		{
			"plain", "deb http://m.example/debian bookworm main contrib # why\n",
			[]debian.Source{{URI: "http://m.example/debian", Suite: "bookworm", Components: []string{"main", "contrib"}}},
		},
		{"source packages", "deb-src http://m.example/debian bookworm main\n", nil},
		{
			"options", "deb [ arch=amd64,arm64 signed-by=/k/debian-archive-keyring.gpg check-valid-until=no ] http://m.example/debian/ sid main",
			[]debian.Source{{URI: "http://m.example/debian/", Suite: "sid", Components: main, SignedBy: "/k/debian-archive-keyring.gpg"}},
		},
		{
			"options without spaces", "deb [Signed-By=/k.gpg arch=amd64] http://m.example/debian sid main",
			[]debian.Source{{URI: "http://m.example/debian", Suite: "sid", Components: main, SignedBy: "/k.gpg"}},
		},
		{"options without end", "deb [arch=amd64 http://m.example/debian sid main", nil},
		{"flat repository", "deb http://m.example/flat ./\n", nil},
		{"no component", "deb http://m.example/debian bookworm\ndeb\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, debian.ParseList(tt.text)); d != "" {
				t.Errorf("ParseList (-want +got):\n%s", d)
			}
		})
	}
}

func TestParseSources(t *testing.T) {
	main := []string{"main"}
	for _, tt := range []struct {
		name, text string
		want       []debian.Source
	}{
		{"empty", "", nil},
		{
			"one stanza",
			"Types: deb\n# http://old.example/20250520T000000Z\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\n" +
				"Components: main\nSigned-By: /k/debian-archive-keyring.gpg\n",
			[]debian.Source{
				{URI: "http://m.example/debian", Suite: "bookworm", Components: main, SignedBy: "/k/debian-archive-keyring.gpg"},
				{URI: "http://m.example/debian", Suite: "bookworm-updates", Components: main, SignedBy: "/k/debian-archive-keyring.gpg"},
			},
		},
		{
			"several stanzas, folded and lower case",
			"types: deb deb-src\nuris:\n http://a.example/debian\n http://b.example/debian\nsuites: sid\ncomponents: main\n   \n\n" +
				"Types: deb-src\nURIs: http://c.example/debian\nSuites: sid\nComponents: main\n\n" +
				"Types: deb\nURIs: http://d.example/debian\nSuites: sid\nComponents: main\nEnabled: no\n\n" +
				"Types: deb\r\nURIs: http://e.example/debian\r\nSuites: sid\r\nComponents: main\r\nEnabled: yes\r\n",
			[]debian.Source{
				{URI: "http://a.example/debian", Suite: "sid", Components: main},
				{URI: "http://b.example/debian", Suite: "sid", Components: main},
				{URI: "http://e.example/debian", Suite: "sid", Components: main},
			},
		},
		{
			"key in the file",
			"Types: deb\nURIs: http://m.example/debian\nSuites: sid\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n",
			[]debian.Source{{
				URI: "http://m.example/debian", Suite: "sid", Components: main,
				SignedBy: "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n.\nabc",
			}},
		},
		{"no components", "Types: deb\nURIs: http://m.example/x\nSuites: ./\n", nil},
		{"rubbish", "no field\n folded\nTypes: deb\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, debian.ParseSources(tt.text)); d != "" {
				t.Errorf("ParseSources (-want +got):\n%s", d)
			}
		})
	}
}

// FuzzSources feeds both parsers. Whatever comes out must be whole, and must
// read the same when it is written down in either format.
func FuzzSources(f *testing.F) {
	f.Add("deb [signed-by=/k.gpg arch=amd64] http://m.example/debian bookworm main contrib # x\n")
	f.Add("Types: deb\nURIs: http://m.example/debian\nSuites: bookworm sid\nComponents: main\nSigned-By: /k.gpg\n")
	f.Add("deb [ a b ] c d e\n\nTypes: deb\n x\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range slices.Concat(debian.ParseList(text), debian.ParseSources(text)) {
			words := append([]string{s.URI, s.Suite}, s.Components...)
			for _, w := range words {
				if w == "" || len(strings.Fields(w)) != 1 {
					t.Fatalf("%q from %q", words, text)
				}
			}
			if len(s.Components) == 0 {
				t.Fatalf("no component: %+v from %q", s, text)
			}
			if s.Security() && !strings.Contains(s.Suite, "-security") && !strings.Contains(s.Suite, "/updates") {
				t.Fatalf("%q is no security suite", s.Suite)
			}
			s.SignedBy = ""
			deb822 := "Types: deb\nURIs: " + s.URI + "\nSuites: " + s.Suite + "\nComponents: " + strings.Join(s.Components, " ") + "\n"
			if d := cmp.Diff([]debian.Source{s}, debian.ParseSources(deb822)); d != "" {
				t.Fatalf("second reading of %q (-first +second):\n%s", text, d)
			}
			if strings.ContainsAny(strings.Join(words, ""), "#") || strings.HasPrefix(s.URI, "[") {
				continue // cannot be said in a .list file
			}
			line := "deb " + strings.Join(words, " ")
			if d := cmp.Diff([]debian.Source{s}, debian.ParseList(line)); d != "" {
				t.Fatalf("second reading of %q as a line (-first +second):\n%s", text, d)
			}
		}
	})
}

func TestDebian(t *testing.T) {
	const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
	for _, tt := range []struct {
		name string
		s    debian.Source
		want bool
	}{
		{"main archive", debian.Source{URI: "http://m.example/debian", Suite: "bookworm", SignedBy: keyring}, true},
		{"no key named", debian.Source{URI: "http://m.example/debian", Suite: "trixie-updates"}, true},
		{"new key name", debian.Source{URI: "http://m.example/debian", Suite: "sid", SignedBy: "/k/debian-archive-keyring.pgp"}, true},
		{"security", debian.Source{URI: "http://m.example/debian-security", Suite: "bullseye-security"}, true},
		{"mirror list", debian.Source{URI: "mirror+file:/etc/apt/mirrors/debian.list", Suite: "bookworm"}, true},
		{"vendor key", debian.Source{URI: "http://v.example/debian", Suite: "bookworm", SignedBy: "/k/vendor.gpg"}, false},
		{"vendor key beside ours", debian.Source{URI: "http://v.example/debian", Suite: "bookworm", SignedBy: keyring + ",/k/vendor.gpg"}, false},
		{"key in the file", debian.Source{URI: "http://v.example/debian", Suite: "bookworm", SignedBy: "\n-----BEGIN"}, false},
		{"vendor suite", debian.Source{URI: "http://v.example/apt", Suite: "bookworm-pgdg"}, false},
		{"other distribution", debian.Source{URI: "http://u.example/ubuntu", Suite: "noble"}, false},
		{"nodistro", debian.Source{URI: "http://v.example/x", Suite: "nodistro"}, false},
		{"cdrom", debian.Source{URI: "cdrom:[Debian]/", Suite: "bookworm"}, false},
	} {
		tt.s.Components = []string{"main"}
		if got := tt.s.Debian(); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
	if (debian.Source{URI: "http://v.example/debian", Suite: "bookworm", Components: []string{"stable"}}).Debian() {
		t.Error("a repository without main passed")
	}
}

func TestArchiveOf(t *testing.T) {
	src := func(uri, suite string) debian.Source {
		return debian.Source{URI: uri, Suite: suite, Components: []string{"main"}}
	}
	for _, tt := range []struct {
		name string
		in   []debian.Source
		want debian.Archive
	}{
		{"nothing", nil, debian.Archive{}},
		{"only others", []debian.Source{src("http://v.example/apt", "stable-x")}, debian.Archive{}},
		{
			"usual",
			[]debian.Source{
				src("http://v.example/other", "noble"),
				src("http://m.example/debian/", "bookworm"), src("http://m.example/debian", "bookworm-updates"),
				src("http://s.example/debian-security", "bookworm-security"),
			},
			debian.Archive{
				Main: []string{"http://m.example/debian", "http://m.example/debian-archive/debian", "http://s.example/debian"},
				Security: []string{
					"http://s.example/debian-security", "http://m.example/debian-security", "http://m.example/debian-archive/debian-security",
				},
			},
		},
		{
			"snapshot without security",
			[]debian.Source{src("http://m.example/archive/debian/20250520T000000Z", "bookworm")},
			debian.Archive{
				Main: []string{
					"http://m.example/archive/debian/20250520T000000Z",
					"http://m.example/archive/debian-archive/debian/20250520T000000Z", "http://m.example/archive/debian-archive/debian",
				},
				Security: []string{
					"http://m.example/archive/debian-security/20250520T000000Z", "http://m.example/archive/debian-security",
					"http://m.example/archive/debian-archive/debian-security/20250520T000000Z", "http://m.example/archive/debian-archive/debian-security",
				},
			},
		},
		{
			"mirror list",
			[]debian.Source{src("mirror+file:/etc/apt/mirrors/debian.list", "bookworm")},
			debian.Archive{Main: []string{"mirror+file:/etc/apt/mirrors/debian.list"}},
		},
		{
			"address without a known directory",
			[]debian.Source{src("http://m.example/", "sid")},
			debian.Archive{Main: []string{"http://m.example"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, debian.ArchiveOf(tt.in)); d != "" {
				t.Errorf("ArchiveOf (-want +got):\n%s", d)
			}
		})
	}
}

func TestReadSources(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"sources.list":                       "deb http://a.example/debian bookworm main\n",
		"sources.list.d/b.list":              "deb http://b.example/debian bookworm main\n",
		"sources.list.d/c.sources":           "Types: deb\nURIs: http://c.example/debian\nSuites: bookworm\nComponents: main\n",
		"sources.list.d/d.list.disabled":     "deb http://d.example/debian bookworm main\n",
		"sources.list.d/e.sources.dpkg-dist": "Types: deb\nURIs: http://e.example/debian\nSuites: bookworm\nComponents: main\n",
	} {
		p := filepath.Join(root, "etc/apt", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, s := range debian.ReadSources(root) {
		got = append(got, s.URI)
	}
	want := []string{"http://a.example/debian", "http://b.example/debian", "http://c.example/debian"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("ReadSources (-want +got):\n%s", d)
	}
	if got := debian.ReadSources(filepath.Join(root, "nowhere")); len(got) != 0 {
		t.Errorf("a machine without apt has sources: %v", got)
	}
}
