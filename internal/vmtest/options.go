// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are the flags of the runner and the command behind them.
type options struct {
	kernel    string
	list      bool
	fetch     []string
	update    bool
	mirror    string
	vmlinuz   string
	modules   string
	files     []filePair
	outs      []filePair
	env       []string
	loads     []string
	qemu      string
	qemuArgs  []string
	machine   string
	kvm       bool
	mem       int
	smp       int
	cmdline   []string
	timeout   time.Duration // 0 when not given
	allowSkip bool
	verbose   bool
	command   []string
}

// filePair is a file on one side and its name on the other.
type filePair struct{ from, to string }

const (
	defaultTimeout = 10 * time.Minute
	defaultMem     = 1024
	defaultSMP     = 1
	defaultMachine = "q35"
)

const usageLine = `usage: vmtest -kernel NAME [flags] [--] COMMAND [ARGS...]
       go test -exec 'vmtest -kernel NAME [flags]' PACKAGES
       vmtest -list
       vmtest -fetch NAME[,NAME...]
`

// parseOptions reads the arguments. What is wrong with them is in the error;
// usage goes to w only when it was asked for, with flag.ErrHelp as the error.
func parseOptions(args []string, w io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("vmtest", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.kernel, "kernel", "", "boot the kernel `NAME` ("+strings.Join(kernelNames(), ", ")+")")
	fs.BoolVar(&o.list, "list", false, "list the kernels, their versions and whether they are cached")
	fs.Func("fetch", "fetch the kernels `NAME[,NAME...]` into the cache and print their versions", func(s string) error {
		for name := range strings.SplitSeq(s, ",") {
			o.fetch = append(o.fetch, strings.TrimSpace(name))
		}
		return nil
	})
	fs.BoolVar(&o.update, "update", false, "with -fetch: look for newer versions of cached kernels")
	fs.StringVar(&o.mirror, "mirror", os.Getenv("BONDKIT_MIRROR"), "`URI` of a Debian archive to try before those of the machine (default $BONDKIT_MIRROR)")
	fs.StringVar(&o.vmlinuz, "vmlinuz", "", "boot the kernel image `FILE` (with -modules)")
	fs.StringVar(&o.modules, "modules", "", "take modules from `DIR`, for example /lib/modules/VERSION (with -vmlinuz)")
	fs.Func("file", "put the host file or directory `HOST[:GUEST]` into the guest", func(s string) error {
		p, err := parsePair(s, false)
		o.files = append(o.files, p)
		return err
	})
	fs.Func("out", "copy the guest file or directory `GUEST:HOST` to the host in the end", func(s string) error {
		p, err := parsePair(s, true)
		o.outs = append(o.outs, p)
		return err
	})
	fs.Func("env", "set `KEY=VALUE` in the guest", func(s string) error {
		if i := strings.IndexByte(s, '='); i <= 0 {
			return errors.New("want KEY=VALUE")
		}
		o.env = append(o.env, s)
		return nil
	})
	fs.Func("module", "load the kernel module `NAME` too", func(s string) error {
		o.loads = append(o.loads, s)
		return nil
	})
	fs.StringVar(&o.qemu, "qemu", "qemu-system-x86_64", "the emulator `PROGRAM`")
	fs.Func("qemu-arg", "give the space-separated `ARGS` to the emulator", func(s string) error {
		o.qemuArgs = append(o.qemuArgs, strings.Fields(s)...)
		return nil
	})
	fs.StringVar(&o.machine, "machine", defaultMachine, "the emulated machine `TYPE`")
	fs.BoolVar(&o.kvm, "kvm", false, "use KVM; it is never used unasked")
	fs.IntVar(&o.mem, "mem", defaultMem, "memory of the guest in `MiB`")
	fs.IntVar(&o.smp, "smp", defaultSMP, "number of processors `N` of the guest")
	fs.Func("append", "add `PARAMETERS` to the kernel command line", func(s string) error {
		o.cmdline = append(o.cmdline, strings.Fields(s)...)
		return nil
	})
	fs.DurationVar(&o.timeout, "timeout", 0, "end the guest after `DURATION` (default 10m, or -test.timeout and 45s)")
	fs.BoolVar(&o.allowSkip, "allow-skip", false, "do not fail for skipped tests")
	fs.BoolVar(&o.verbose, "verbose", false, "show the kernel console and what the runner does")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(w, usageLine)
			fs.SetOutput(w)
			fs.PrintDefaults()
		}
		return nil, err
	}
	o.command = fs.Args()
	return o, o.check()
}

func (o *options) check() error {
	for _, name := range o.fetch {
		if _, err := findKernel(name); err != nil {
			return err
		}
	}
	switch {
	case o.list || len(o.fetch) > 0:
		if len(o.command) > 0 {
			return errors.New("-list and -fetch take no command")
		}
		return nil
	case (o.vmlinuz == "") != (o.modules == ""):
		return errors.New("-vmlinuz and -modules go together")
	case o.kernel == "" && o.vmlinuz == "":
		return fmt.Errorf("no -kernel (one of %s)", strings.Join(kernelNames(), ", "))
	case len(o.command) == 0:
		return errors.New("no command")
	case o.mem < 128:
		return errors.New("-mem is less than 128 MiB")
	case o.smp < 1:
		return errors.New("-smp is less than 1")
	case o.timeout < 0:
		return errors.New("-timeout is negative")
	}
	if o.vmlinuz == "" {
		_, err := findKernel(o.kernel)
		return err
	}
	if o.kernel == "" {
		o.kernel = "local"
	}
	return nil
}

// parsePair splits A:B. Without a colon, and if that may be, both are A.
func parsePair(s string, needBoth bool) (filePair, error) {
	from, to, ok := strings.Cut(s, ":")
	if !ok && !needBoth {
		to = from
	}
	if from == "" || to == "" {
		return filePair{}, errors.New("want two file names with a colon between them")
	}
	return filePair{from, to}, nil
}

// guestPath makes a path absolute below dir, the working directory, which is
// the same in the guest.
func guestPath(dir, p string) string {
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(dir, p)
}

// guestEnv returns the environment of the command: a fixed base, the variables
// of the host that the allow list lets through, what marks the guest, and the
// -env settings. Later ones win.
func guestEnv(host []string, o *options, dir string) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh",
	}
	for _, kv := range host {
		key, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(key, "BONDKIT_") || strings.HasPrefix(key, "GO") || key == "TERM" || key == "NO_COLOR" || key == "TZ" {
			env = append(env, kv)
		}
	}
	env = append(env, "PWD="+dir, "BONDKIT_KERNEL=require", "BONDKIT_VM="+o.kernel)
	env = append(env, o.env...)
	// One value a variable: programs do not agree which of two counts.
	seen := make(map[string]bool)
	var out []string
	for _, kv := range slices.Backward(env) {
		key, _, _ := strings.Cut(kv, "=")
		if !seen[key] {
			seen[key] = true
			out = append(out, kv)
		}
	}
	slices.Reverse(out)
	return out
}
