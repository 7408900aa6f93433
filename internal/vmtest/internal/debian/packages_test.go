// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package debian_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/vmtest/internal/debian"
)

const archive = `Package: linux-image-cloud-amd64
Source: linux-signed-amd64 (7.2.13+1)
Version: 7.2.13-1
Depends: linux-base-cloud-amd64 (= 7.2.13-1), linux-image-7.2.13+deb14-cloud-amd64 (= 7.2.13-1)

Package: linux-image-7.2.13+deb14-cloud-amd64
Version: 7.2.13-1
Depends: dracut | initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool, linux-base-7.2.13+deb14-cloud-amd64 (= 7.2.13-1), linux-binary-7.2.13+deb14-cloud-amd64 (= 7.2.13-1), linux-modules-7.2.13+deb14-cloud-amd64 (= 7.2.13-1)
Description: text
 that goes on: (= 1)

Package: linux-binary-7.2.13+deb14-cloud-amd64
Version: 7.2.13-1

Package: linux-modules-7.2.13+deb14-cloud-amd64
Version: 7.2.13-1

Package: linux-base-7.2.13+deb14-cloud-amd64
Version: 7.2.13-1

Package: linux-image-cloud-amd64
Version: 6.12.95-1~bpo12+1
Depends: linux-image-6.12.95+deb12-cloud-amd64 (= 6.12.95-1~bpo12+1)

Package: linux-image-6.12.95+deb12-cloud-amd64
Version: 6.12.95-1~bpo12+1
Depends: kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool

Package: linux-image-cloud-amd64
Version: 6.12.117-1
Depends: linux-image-6.12.117+deb13-cloud-amd64 (= 6.12.117-1)

Package: linux-image-cloud-amd64
Version: 5.10.223-1
Depends: linux-image-5.10.0-32-cloud-amd64 (= 5.10.223-1)

Package: linux-image-5.10.0-32-cloud-amd64
Version: 5.10.223-1

Package: linux-image-cloud-amd64
Version: 6.1.192-2
Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)

Package: linux-image-6.1.0-56-cloud-amd64
Version: 6.1.192-1

Package: linux-image-6.1.0-56-cloud-amd64
Version: 6.1.192-2
`

func show(name string) ([]debian.Package, error) {
	return slices.DeleteFunc(debian.ParsePackages(archive), func(p debian.Package) bool { return p.Name != name }), nil
}

func TestResolve(t *testing.T) {
	for _, tt := range []struct {
		prefix string
		want   []string
	}{
		{"", []string{
			"linux-image-7.2.13+deb14-cloud-amd64=7.2.13-1", "linux-base-7.2.13+deb14-cloud-amd64=7.2.13-1",
			"linux-binary-7.2.13+deb14-cloud-amd64=7.2.13-1", "linux-modules-7.2.13+deb14-cloud-amd64=7.2.13-1",
		}},
		// The image of the newest 6.12 is not in the archive yet.
		{"6.12.", []string{"linux-image-6.12.95+deb12-cloud-amd64=6.12.95-1~bpo12+1"}},
		{"6.1.", []string{"linux-image-6.1.0-56-cloud-amd64=6.1.192-2"}},
		{"5.10.", []string{"linux-image-5.10.0-32-cloud-amd64=5.10.223-1"}},
	} {
		got, err := debian.Resolve("linux-image-cloud-amd64", tt.prefix, show)
		if err != nil {
			t.Errorf("%q: %v", tt.prefix, err)
			continue
		}
		var names []string
		for _, p := range got {
			names = append(names, p.Name+"="+p.Version)
		}
		if d := cmp.Diff(tt.want, names); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.prefix, d)
		}
	}
}

func TestResolveErrors(t *testing.T) {
	if _, err := debian.Resolve("linux-image-cloud-amd64", "4.19.", show); !errors.Is(err, debian.ErrNoKernel) {
		t.Errorf("error %v, want ErrNoKernel", err)
	}
	if _, err := debian.Resolve("linux-image-amd64", "", show); !errors.Is(err, debian.ErrNoKernel) {
		t.Errorf("error %v, want ErrNoKernel", err)
	}
	want := errors.New("no apt")
	_, err := debian.Resolve("x", "", func(string) ([]debian.Package, error) { return nil, want })
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func TestParsePackages(t *testing.T) {
	got := debian.ParsePackages("Package: a\nVersion: 1\nPre-Depends: p:any\nDepends: b (>= 2) | c, d (= 3), , e\n\nPackage: broken\n\nVersion: 1\n")
	want := []debian.Package{{Name: "a", Version: "1", Depends: []debian.Dependency{{Name: "p"}, {Name: "b"}, {Name: "d", Version: "3"}, {Name: "e"}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("ParsePackages (-want +got):\n%s", d)
	}
}

// TestCompareVersions goes through a list in ascending order; each pair was
// checked with dpkg --compare-versions.
func TestCompareVersions(t *testing.T) {
	ascending := []string{
		"1.0~~", "1.0~", "1.0~rc1", "1.0", "1.0-0+b1", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-2", "1.0-10",
		"1.0a", "1.0+x", "1.0.1", "1.2", "1.10", "5.10.223-1", "5.10.262-1", "6.1.192-1", "6.1.192-2", "6.12.95-1~bpo12+1", "6.12.95-1",
		"6.12.117-1", "7.2.13-1", "1:0.1",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			got := debian.CompareVersions(a, b)
			if want := min(1, max(-1, i-j)); got < 0 != (want < 0) || got > 0 != (want > 0) {
				t.Errorf("CompareVersions(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{{"1.0", "0:1.0"}, {"1.0-0", "1.0"}, {"1.01", "1.1"}} {
		if got := debian.CompareVersions(same[0], same[1]); got != 0 {
			t.Errorf("CompareVersions(%q, %q) = %d, want 0", same[0], same[1], got)
		}
	}
}
