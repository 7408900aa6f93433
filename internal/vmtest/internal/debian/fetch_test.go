// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package debian_test

import (
	"errors"
	"testing"

	"github.com/bondkit/bondkit/internal/vmtest/internal/debian"
)

func TestMemberName(t *testing.T) {
	for in, want := range map[string]string{
		"./boot/vmlinuz-5.10.0-46-cloud-amd64":                            "vmlinuz",
		"./usr/lib/modules/7.2.13+deb14-cloud-amd64/vmlinuz":              "vmlinuz",
		"./boot/config-5.10.0-46-cloud-amd64":                             "",
		"./boot/vmlinuz-x/y":                                              "",
		"./lib/modules/5.10.0-46-cloud-amd64/kernel/net/tls/tls.ko":       "modules/kernel/net/tls/tls.ko",
		"./usr/lib/modules/7.2.13+deb14-cloud-amd64/kernel/tls.ko.xz":     "modules/kernel/tls.ko.xz",
		"./usr/lib/modules/7.2.13+deb14-cloud-amd64/modules.builtin":      "modules/modules.builtin",
		"./usr/lib/modules/7.2.13+deb14-cloud-amd64/modules.order":        "",
		"./usr/lib/modules/7.2.13+deb14-cloud-amd64/kernel/../../../x":    "",
		"./usr/share/doc/linux-image/copyright":                           "",
		"./lib/modules/6.1.0-56-amd64/kernel/drivers/net/e1000e/e1000.ko": "modules/kernel/drivers/net/e1000e/e1000.ko",
	} {
		if got := debian.MemberName(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// TestNewWithoutTools takes the PATH away, as on a machine that is not Debian.
func TestNewWithoutTools(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := debian.New("", t.TempDir(), func(string) {})
	if !errors.Is(err, debian.ErrUnsupported) || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v, want ErrUnsupported", err)
	}
}
