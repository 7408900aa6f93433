// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// qemuVersion is what the emulator says about itself.
type qemuVersion struct {
	text  string
	major int
}

var versionForm = regexp.MustCompile(`version ((\d+)\.\S+)`)

func readQEMUVersion(ctx context.Context, program string) (qemuVersion, error) {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return qemuVersion{}, fmt.Errorf("emulator: %w", err)
	}
	m := versionForm.FindSubmatch(out)
	if m == nil {
		return qemuVersion{}, fmt.Errorf("emulator: %s does not say its version", program)
	}
	major, err := strconv.Atoi(string(m[2]))
	if err != nil {
		return qemuVersion{}, fmt.Errorf("emulator: %w", err)
	}
	return qemuVersion{text: string(m[1]), major: major}, nil
}

// cpu returns the processor model. Before QEMU 10 the emulated CMPXCHG16B
// crashes newer kernels at random, so they are told there is none. Nor are they
// told what costs an emulator more: a fifth level of page tables, and string
// instructions that are fast byte by byte. Without these a guest needs 23
// percent less processor time (QEMU 7.2, Linux 7.2, tests of package bond).
func (o *options) cpu(v qemuVersion) string {
	switch {
	case o.kvm:
		return "host"
	case v.major < 10:
		return "max,-la57,-erms,-fsrm,-cx16"
	default:
		return "max,-la57,-erms,-fsrm"
	}
}

func (o *options) accel() string {
	if o.kvm {
		return "kvm"
	}
	return "tcg,thread=multi"
}

// The files the emulator inherits. The port is its standard input and output.
// All are pipes: a socket takes only some hundred single bytes, and an
// emulated UART whose reader lags behind loses some.
const (
	fdImage   = 3
	fdConsole = 4
)

// pipeSize is the room in a pipe from the emulator, in bytes: the most an
// ordinary user may ask for.
const pipeSize = 1 << 20

// emulatorArgs returns the arguments of the emulator for a kernel and devices.
func (o *options) emulatorArgs(v qemuVersion, kernel string, devices []string) []string {
	cmdline := []string{
		"console=ttyS0", "panic=-1", "oops=panic", "8250.nr_uarts=4",
		// The kernel would wait for ten ticks of the timer by counting cycles, and panic
		// where a busy host runs the guest too seldom for that.
		"no_timer_check",
		// Less work in a guest that lives for seconds and runs what we wrote.
		"mitigations=off", "random.trust_cpu=on", "audit=0", "apparmor=0", "selinux=0",
		// Together one second of a boot: a random number generator that measures
		// its own jitter, the keys for signed modules, self-tests of ciphers.
		"initcall_blacklist=jent_mod_init,load_system_certificate_list", "cryptomgr.notests=1",
	}
	if o.verbose {
		cmdline = append(cmdline, "loglevel=7")
	} else {
		cmdline = append(cmdline, "quiet")
	}
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
		"-machine", o.machine, "-accel", o.accel(), "-cpu", o.cpu(v),
		"-smp", strconv.Itoa(o.smp), "-m", strconv.Itoa(o.mem),
		"-kernel", kernel, "-initrd", fmt.Sprintf("/proc/self/fd/%d", fdImage),
		"-append", strings.Join(append(cmdline, o.cmdline...), " "),
		"-chardev", fmt.Sprintf("file,id=console,path=/proc/self/fd/%d", fdConsole), "-serial", "chardev:console",
		"-chardev", "stdio,id=port,signal=off", "-serial", "chardev:port",
	}
	return slices.Concat(args, devices, o.qemuArgs)
}

// emulator is a running guest.
type emulator struct {
	cmd     *exec.Cmd
	in      *os.File // the serial line to PID 1
	out     *os.File // the serial line from PID 1
	console *tail    // what the guest kernel said
	stderr  *tail    // what the emulator said
	done    chan struct{}
	err     error // of the emulator; valid when done is closed
}

// startEmulator boots kernel with image as its initial file system. The emulator dies with the calling thread, so the
// caller must be locked to a thread that lasts.
func startEmulator(o *options, v qemuVersion, kernel string, devices []string, image *os.File, show io.Writer) (*emulator, error) {
	var ours, theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	for range 4 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(ours)
			return nil, err
		}
		// A smaller pipe works too, only with less room.
		unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, pipeSize)
		ours, theirs = append(ours, r), append(theirs, w)
	}
	// The first pipe goes to the emulator, the others come from it.
	ours[0], theirs[0] = theirs[0], ours[0]
	e := &emulator{
		in: ours[0], out: ours[1],
		console: &tail{also: show}, stderr: &tail{also: show}, done: make(chan struct{}),
	}
	e.cmd = exec.Command(o.qemu, o.emulatorArgs(v, kernel, devices)...)
	e.cmd.Stdin, e.cmd.Stdout, e.cmd.Stderr = theirs[0], theirs[1], theirs[2]
	e.cmd.ExtraFiles = []*os.File{image, theirs[3]}
	// A group of its own, so that a Ctrl-C is for the runner alone.
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := e.cmd.Start(); err != nil {
		closeAll(ours)
		return nil, fmt.Errorf("emulator: %w", err)
	}
	go func() {
		defer close(e.done)
		var copies sync.WaitGroup
		copies.Go(func() { drain(e.stderr, ours[2]) })
		copies.Go(func() { drain(e.console, ours[3]) })
		// Both end when the emulator does.
		copies.Wait()
		e.err = e.cmd.Wait()
	}()
	return e, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// drain reads r to its end and closes it.
func drain(t *tail, r *os.File) {
	defer r.Close()
	io.Copy(t, r)
}

// kill ends the guest and waits until the emulator is gone.
func (e *emulator) kill() {
	e.cmd.Process.Kill()
	<-e.done
	e.in.Close()
	e.out.Close()
}

// tailSize is how much of the console is kept.
const tailSize = 16 << 10

// tail keeps the end of what is written to it. Its methods may be called from
// several goroutines.
type tail struct {
	also io.Writer // gets everything too, if not nil

	mu  sync.Mutex
	buf []byte
}

// Write keeps p. It never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	if t.also != nil {
		t.also.Write(p)
	}
	return len(p), nil
}

// lines returns the last n lines, without carriage returns and blank lines.
func (t *tail) lines(n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for l := range bytes.Lines(t.buf) {
		if l = bytes.TrimRight(l, "\r\n"); len(l) > 0 {
			out = append(out, string(l))
		}
	}
	return out[max(0, len(out)-n):]
}
