// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/internal/vmtest/internal/testout"
	"github.com/bondkit/bondkit/internal/vmtest/internal/wire"
)

const (
	// testMargin is what the guest may take on top of -test.timeout. It is
	// less than the minute after which the go command kills the runner.
	testMargin = 45 * time.Second
	// dumpTime is how long a command may write down where it hangs.
	dumpTime = 10 * time.Second
	// drainTime is how long handling what a dead guest has sent may take.
	drainTime = 5 * time.Second
	// consoleLines is how much of the console a failure shows.
	consoleLines = 60
)

// run does what the options say and returns the exit status.
func run(o *options) int {
	if runtime.GOARCH != "amd64" {
		complain(fmt.Errorf("needs linux/amd64, this is linux/%s", runtime.GOARCH))
		return exitRunner
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	r := &runner{o: o, started: time.Now(), signals: signals, running: make(chan struct{})}
	code, err := r.prepare(ctx, cancel)
	if err != nil {
		complain(err)
		return exitRunner
	}
	return code
}

func complain(err error) { fmt.Fprintf(os.Stderr, "vmtest: %v\n", err) }

// errSignal ends the work before the guest is started.
type errSignal struct{ sig syscall.Signal }

func (e errSignal) Error() string { return "ended by signal: " + e.sig.String() }

// runner is one run.
type runner struct {
	o       *options
	started time.Time
	signals chan os.Signal

	kernel   *kernel
	qemu     qemuVersion
	payload  *payload
	emulator *emulator
	devices  []string      // arguments for the devices of the guest
	lacks    testout.Lacks // for which tests may skip

	scanner *testout.Scanner
	stdout  io.Writer
	file    *returned // the file that is coming in
	ready   *wire.Ready
	running chan struct{} // closed when the command starts
	exit    *wire.Exit
}

func (r *runner) logf(format string, args ...any) {
	if r.o.verbose {
		fmt.Fprintf(os.Stderr, "vmtest: [%.2fs] %s\n", time.Since(r.started).Seconds(), fmt.Sprintf(format, args...))
	}
}

// prepare gets the kernel and packs the guest, then boots it.
func (r *runner) prepare(ctx context.Context, cancel context.CancelCauseFunc) (int, error) {
	// Until the guest runs, a signal means to stop at the next chance.
	type result struct {
		code int
		err  error
	}
	boot := make(chan func() (int, error), 1)
	failed := make(chan result, 1)
	go func() {
		start, err := r.pack(ctx)
		if err != nil || start == nil {
			failed <- result{0, err}
			return
		}
		boot <- start
	}()
	select {
	case res := <-failed:
		return res.code, res.err
	case start := <-boot:
		// On this thread: the emulator is tied to it.
		return start()
	case sig := <-r.signals:
		err := errSignal{sig.(syscall.Signal)}
		cancel(err)
		// What apt was doing is cleaned up by the functions that return now.
		select {
		case <-failed:
		case <-boot:
		}
		complain(err)
		return 128 + int(err.sig), nil
	}
}

// pack returns the function that boots the guest, or nil when there is none to
// boot.
func (r *runner) pack(ctx context.Context) (func() (int, error), error) {
	dir, err := cacheDir()
	if err != nil {
		return nil, err
	}
	s := &store{dir: dir, mirror: r.o.mirror, log: func(msg string) { fmt.Fprintln(os.Stderr, "vmtest:", msg) }}
	switch {
	case len(r.o.fetch) > 0:
		return nil, s.fetchAll(ctx, r.o.fetch, r.o.update)
	case r.o.list:
		return nil, s.list()
	}
	if r.qemu, err = readQEMUVersion(ctx, r.o.qemu); err != nil {
		return nil, err
	}
	var held *os.File
	if r.o.vmlinuz != "" {
		r.kernel, err = local(r.o)
	} else {
		var spec kernelSpec
		if spec, err = findKernel(r.o.kernel); err == nil {
			r.kernel, held, err = s.open(ctx, spec, false)
		}
	}
	if err != nil {
		return nil, err
	}
	base, err := makeBase(dir, r.kernel, r.o.loads)
	if err != nil {
		return nil, err
	}
	if base.image, err = bootImage(dir, r.kernel, r.logf); err != nil {
		return nil, err
	}
	if len(base.Missing) > 0 {
		r.logf("modules this kernel does not have: %s", strings.Join(base.Missing, " "))
	}
	if len(base.Builtin) > 0 {
		r.logf("modules this kernel has built in: %s", strings.Join(base.Builtin, " "))
	}
	r.lacks.Modules = base.Missing
	r.devices, r.lacks.Devices = r.o.devices(r.qemu, base.loaded())
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if r.payload, err = newPayload(r.o, base, cwd); err != nil {
		return nil, err
	}
	image, err := r.payload.image(base)
	if err != nil {
		return nil, err
	}
	return func() (int, error) {
		defer held.Close() // Close of a nil file is an error and harmless.
		defer image.Close()
		return r.boot(base.image, image)
	}, nil
}

// boot starts the guest and follows it to its end.
func (r *runner) boot(kernel string, image *os.File) (int, error) {
	fmt.Fprintf(os.Stderr, "vmtest: kernel %s, qemu %s %s\n", r.kernel, r.qemu.text, strings.SplitN(r.o.accel(), ",", 2)[0])
	r.stdout = os.Stdout
	if r.payload.isTest && r.payload.test.scan {
		r.scanner = testout.NewScanner(os.Stdout, r.payload.test.mode)
		r.stdout = r.scanner
	}
	var show io.Writer
	if r.o.verbose {
		show = os.Stderr
	}
	var err error
	if r.emulator, err = startEmulator(r.o, r.qemu, kernel, r.devices, image, show); err != nil {
		return 0, err
	}
	defer r.emulator.kill()
	r.logf("emulator started, %d MiB of files", fileSize(image)>>20)
	frames := make(chan error, 1)
	go func() { frames <- r.readFrames() }()
	ended, reason := r.wait(frames)
	r.emulator.kill()
	if !ended {
		// What the guest sent before is still handled.
		select {
		case <-frames:
		case <-time.After(drainTime):
			complain(errors.Join(errStuck, reason))
			return exitRunner, nil
		}
	}
	if r.scanner != nil {
		// The error of the writer behind has been seen by readFrames.
		r.scanner.Close()
	}
	return r.finish(reason), nil
}

func fileSize(f *os.File) int64 {
	fi, err := f.Stat()
	if err != nil {
		return 0
	}
	return fi.Size()
}

// timeout returns how long the guest may take.
func (r *runner) timeout() time.Duration {
	limit := r.o.timeout
	if t := r.payload.test.timeout; t > 0 && (limit == 0 || t+testMargin < limit) {
		limit = t + testMargin
	}
	if limit == 0 {
		limit = defaultTimeout
	}
	return limit
}

var (
	errTimeout = errors.New("timed out")
	errStuck   = errors.New("nobody reads the output")
)

// wait waits for the end of the guest. The error is nil when the guest said
// how the command ended, else errTimeout, an errSignal, or what went wrong.
// ended says that frames has delivered.
func (r *runner) wait(frames <-chan error) (ended bool, reason error) {
	limit := time.NewTimer(r.timeout())
	defer limit.Stop()
	toGuest := wire.NewWriter(r.emulator.in)
	for {
		select {
		case err := <-frames:
			if reason != nil {
				return true, reason
			}
			return true, err
		case sig := <-r.signals:
			if sig != syscall.SIGQUIT || reason != nil {
				return false, errSignal{sig.(syscall.Signal)}
			}
			// From the go command, or from a user who wants to see where a
			// test hangs. The test binary writes it down and ends.
			reason = errSignal{syscall.SIGQUIT}
		case <-limit.C:
			if reason != nil {
				return false, reason
			}
			reason = fmt.Errorf("%w after %v", errTimeout, r.timeout())
		}
		select {
		case <-r.running:
		default:
			// There is no command yet that could say anything.
			return false, reason
		}
		if err := toGuest.Send(wire.KindSignal, []byte{byte(syscall.SIGQUIT)}); err != nil {
			return false, reason
		}
		limit.Reset(dumpTime)
	}
}

// readFrames handles what the guest sends until its last frame.
func (r *runner) readFrames() error {
	in := wire.NewReader(r.emulator.out)
	for {
		kind, p, err := in.Next()
		if err != nil {
			return err
		}
		switch kind {
		case wire.KindStdout:
			_, err = r.stdout.Write(p)
		case wire.KindStderr:
			_, err = os.Stderr.Write(p)
		case wire.KindLog:
			r.logf("guest: %s", p)
		case wire.KindReady:
			ready := wire.Ready{}
			if r.ready != nil {
				return errFrame
			}
			if err = json.Unmarshal(p, &ready); err == nil {
				r.ready = &ready
				close(r.running)
				r.logf("guest: ready, %d ms after the kernel started", ready.BootMS)
			}
		case wire.KindFile:
			err = r.beginFile(p)
		case wire.KindData:
			err = r.fileData(p)
		case wire.KindExit:
			exit := wire.Exit{}
			if err = json.Unmarshal(p, &exit); err == nil {
				r.exit = &exit
				return nil
			}
		case wire.KindSignal: // never comes from a guest
			return errFrame
		}
		if err != nil {
			return err
		}
	}
}

// finish says what is to be said in the end and returns the exit status.
func (r *runner) finish(reason error) int {
	r.dropFile()
	switch sig, isSignal := errors.AsType[errSignal](reason); {
	case isSignal:
		complain(reason)
		if sig.sig == syscall.SIGQUIT {
			r.showConsole()
		}
		return 128 + int(sig.sig)
	case errors.Is(reason, errTimeout):
		complain(fmt.Errorf("kernel %s: %w", r.o.kernel, reason))
		r.showConsole()
		return exitTimeout
	case r.exit == nil:
		what := "the guest ended without an exit status"
		if reason != nil && !errors.Is(reason, io.EOF) {
			what += ": " + reason.Error()
		}
		complain(fmt.Errorf("kernel %s: %s", r.o.kernel, what))
		for _, l := range r.emulator.stderr.lines(consoleLines) {
			fmt.Fprintln(os.Stderr, "vmtest: qemu:", l)
		}
		r.showConsole()
		return exitRunner
	}
	r.logf("command ended with status %d", r.exit.Code)
	if r.exit.Error != "" {
		complain(fmt.Errorf("kernel %s: %s", r.o.kernel, r.exit.Error))
	}
	if r.exit.Signal != 0 {
		complain(fmt.Errorf("kernel %s: the command was ended by signal: %v", r.o.kernel, syscall.Signal(r.exit.Signal)))
	}
	return r.judgeSkips(r.exit.Code)
}

// judgeSkips makes a run fail that skipped what it may not skip.
func (r *runner) judgeSkips(code int) int {
	if r.scanner == nil || r.ready == nil {
		return code
	}
	var bad []string
	for _, s := range r.scanner.Skips() {
		if s.Accepted(r.ready.Release, r.lacks) {
			continue
		}
		why := "no reason given"
		if len(s.Reasons) > 0 {
			why = strings.Join(s.Reasons, "; ")
		}
		bad = append(bad, s.Test+": "+why)
	}
	if len(bad) == 0 {
		return code
	}
	complain(fmt.Errorf("kernel %s: %d skipped, but may only skip for an older kernel, what the guest lacks, or the race detector", r.o.kernel, len(bad)))
	for _, b := range bad {
		fmt.Fprintln(os.Stderr, "vmtest:     "+b)
	}
	if code == 0 {
		return 1
	}
	return code
}

func (r *runner) showConsole() {
	lines := r.emulator.console.lines(consoleLines)
	if len(lines) == 0 {
		fmt.Fprintln(os.Stderr, "vmtest: the kernel console is empty")
		return
	}
	fmt.Fprintln(os.Stderr, "vmtest: the end of the kernel console:")
	for _, l := range lines {
		fmt.Fprintln(os.Stderr, "vmtest: |", l)
	}
}
