// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseOptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		args string
		want options
	}{
		{
			"go test", "-kernel 6.12 /tmp/x.test -test.v -kernel=x",
			options{kernel: "6.12", command: []string{"/tmp/x.test", "-test.v", "-kernel=x"}},
		},
		{"command", "-kernel 5.10 -- sh -c true", options{kernel: "5.10", command: []string{"sh", "-c", "true"}}},
		{"list", "-list", options{list: true}},
		{"fetch", "-fetch 5.10,newest -fetch 6.1-generic", options{fetch: []string{"5.10", "newest", "6.1-generic"}}},
		{
			"local kernel", "-vmlinuz /boot/vmlinuz -modules /lib/modules/x true",
			options{kernel: "local", vmlinuz: "/boot/vmlinuz", modules: "/lib/modules/x", command: []string{"true"}},
		},
		{
			"everything repeatable",
			"-kernel 6.1 -file a -file b:/c -out /d:e -env A=b=c -env D= -module x -module y -qemu-arg -device -qemu-arg igb " +
				"-append quiet -append x -smp 1 -mem 256 -timeout 3s -kvm -machine pc -allow-skip -verbose x",
			options{
				kernel: "6.1", files: []filePair{{"a", "a"}, {"b", "/c"}}, outs: []filePair{{"/d", "e"}},
				env: []string{"A=b=c", "D="}, loads: []string{"x", "y"}, qemuArgs: []string{"-device", "igb"},
				cmdline: []string{"quiet", "x"}, smp: 1, mem: 256, timeout: 3 * time.Second, kvm: true, machine: "pc",
				allowSkip: true, verbose: true, command: []string{"x"},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseOptions(strings.Fields(tt.args), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			want.qemu = "qemu-system-x86_64"
			if want.command == nil {
				want.command = []string{}
			}
			if want.machine == "" {
				want.machine = defaultMachine
			}
			if want.mem == 0 {
				want.mem = defaultMem
			}
			if want.smp == 0 {
				want.smp = defaultSMP
			}
			if d := cmp.Diff(want, *got, cmp.AllowUnexported(options{}, filePair{})); d != "" {
				t.Errorf("options (-want +got):\n%s", d)
			}
		})
	}
}

func TestParseOptionsErrors(t *testing.T) {
	for args, want := range map[string]string{
		"":                               "no -kernel",
		"-kernel 6.12":                   "no command",
		"-kernel 4.19 x":                 `unknown kernel "4.19" (one of 5.10, 6.1, 6.12, newest, 6.1-generic)`,
		"-fetch 6.12,4.19":               "unknown kernel",
		"-list x":                        "take no command",
		"-vmlinuz x y":                   "go together",
		"-kernel 6.1 -env novalue x":     "KEY=VALUE",
		"-kernel 6.1 -out onlyone x":     "colon",
		"-kernel 6.1 -file : x":          "two file names",
		"-kernel 6.1 -smp 0 x":           "-smp",
		"-kernel 6.1 -mem 1 x":           "-mem",
		"-kernel 6.1 -timeout -1s x":     "-timeout",
		"-kernel 6.1 -no-such-flag x":    "not defined",
		"-kernel 6.1 -timeout forever x": "invalid value",
	} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", args, err, want)
		}
	}
	var help bytes.Buffer
	if _, err := parseOptions([]string{"-h"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
	if !strings.Contains(help.String(), "go test -exec") || !strings.Contains(help.String(), "-qemu-arg") {
		t.Errorf("help text:\n%s", &help)
	}
}

func TestGuestEnv(t *testing.T) {
	host := []string{
		"PATH=/host", "HOME=/host", "SECRET=x", "GOFLAGS=-v", "GOCOVERDIR=/c", "BONDKIT_SEED=7", "BONDKIT_KERNEL=off",
		"TERM=dumb", "TZ=UTC", "PWD=/elsewhere",
	}
	o := &options{kernel: "6.1", env: []string{"A=1", "TERM=vt100", "A=2"}}
	got := strings.Join(guestEnv(host, o, "/work"), "\n") + "\n"
	for _, want := range []string{
		"GOFLAGS=-v", "GOCOVERDIR=/c", "BONDKIT_SEED=7", "BONDKIT_KERNEL=require", "BONDKIT_VM=6.1", "TERM=vt100",
		"TZ=UTC", "PWD=/work", "HOME=/root", "A=2",
	} {
		key, _, _ := strings.Cut(want, "=")
		if !strings.Contains("\n"+got, "\n"+want+"\n") || strings.Count("\n"+got, "\n"+key+"=") != 1 {
			t.Errorf("want %s, and once, in\n%s", want, got)
		}
	}
	if strings.Contains(got, "SECRET") || strings.Contains(got, "/host") {
		t.Errorf("the host leaks:\n%s", got)
	}
	o.env = []string{"BONDKIT_KERNEL="}
	if got := strings.Join(guestEnv(host, o, "/work"), "\n") + "\n"; !strings.Contains(got, "\nBONDKIT_KERNEL=\n") {
		t.Errorf("-env does not win:\n%s", got)
	}
}

func TestGuestPath(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("guest paths are those of Unix hosts")
	}
	for in, want := range map[string]string{"": "/w", "a/../b": "/w/b", "/x/./y": "/x/y"} {
		if got := guestPath("/w", in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
