// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/vmtest/internal/wire"
)

// Inside reports whether this process is PID 1 of a guest.
func Inside() bool {
	if os.Getpid() != 1 || len(os.Args) == 0 || os.Args[0] != Init {
		return false
	}
	_, err := os.Stat(ConfigPath)
	return err == nil
}

// Main is PID 1. It does not return: the machine restarts, which ends the
// emulator.
func Main() {
	if err := run(); err != nil {
		// The kernel console is the only place left.
		fmt.Fprintf(os.Stderr, "vmtest: init: %v\n", err)
	}
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {}
}

type machine struct {
	cfg    Config
	out    *wire.Writer
	before map[string]time.Time // modification times of what is in returned directories at the start
}

func run() error {
	if err := mountAll(); err != nil {
		return err
	}
	b, err := os.ReadFile(ConfigPath)
	if err != nil {
		return err
	}
	m := &machine{}
	if err := json.Unmarshal(b, &m.cfg); err != nil {
		return err
	}
	port, err := openPort(Port)
	if err != nil {
		return err
	}
	m.out = wire.NewWriter(port)
	exit := m.runCommand(port)
	m.sendReturns()
	if err := m.sendJSON(wire.KindExit, exit); err != nil {
		return err
	}
	// Wait until the last byte has left the port.
	return unix.IoctlSetInt(int(port.Fd()), unix.TCSBRK, 1)
}

func (m *machine) logf(format string, args ...any) {
	if m.cfg.Verbose {
		m.out.Send(wire.KindLog, fmt.Appendf(nil, format, args...))
	}
}

func (m *machine) sendJSON(k wire.Kind, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return m.out.Send(k, b)
}

func mountAll() error {
	for _, f := range [...]struct {
		dir, typ string
		flags    uintptr
		data     string
	}{
		{"/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"/dev", "devtmpfs", unix.MS_NOSUID, ""},
		{"/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "gid=5,mode=620,ptmxmode=666"},
		{"/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	} {
		if err := os.MkdirAll(f.dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(f.typ, f.dir, f.typ, f.flags, f.data); err != nil {
			return fmt.Errorf("mount %s: %w", f.dir, err)
		}
	}
	for _, l := range [...][2]string{
		{"/proc/self/fd", "/dev/fd"},
		{"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"},
		{"/proc/self/fd/2", "/dev/stderr"},
	} {
		if err := os.Symlink(l[0], l[1]); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// openPort opens the serial line for raw bytes in both directions.
func openPort(name string) (*os.File, error) {
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// setUp does what must be ready before the command starts. Its problems are
// no reason to stop: the command finds out, and -verbose shows them.
func (m *machine) setUp() {
	start := time.Now()
	for _, mod := range m.cfg.Modules {
		if err := load(mod); err != nil {
			m.logf("module %s: %v", mod.Name, err)
		}
	}
	m.logf("loaded %d modules in %v", len(m.cfg.Modules), time.Since(start).Round(time.Millisecond))
	if err := loopbackUp(); err != nil {
		m.logf("lo: %v", err)
	}
	if err := unix.Sethostname([]byte("vmtest")); err != nil {
		m.logf("hostname: %v", err)
	}
	lim := unix.Rlimit{Cur: 1024, Max: 524288}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		m.logf("open files: %v", err)
	}
	for _, d := range m.cfg.Mkdir {
		if err := os.MkdirAll(d, 0o755); err != nil {
			m.logf("%v", err)
		}
	}
	m.remember()
}

func load(mod Module) error {
	f, err := os.Open(mod.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), mod.Params, 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
		return err
	}
	ifr.SetUint16(ifr.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// runCommand runs the command to its end. Whatever it left running is killed,
// so that the output has an end.
func (m *machine) runCommand(port *os.File) wire.Exit {
	m.setUp()
	ready := wire.Ready{Release: release(), BootMS: sinceBoot().Milliseconds()}
	if err := m.sendJSON(wire.KindReady, ready); err != nil {
		return wire.Exit{Code: 125, Error: err.Error()}
	}
	var copies sync.WaitGroup
	pipe := func(k wire.Kind) (*os.File, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		copies.Go(func() {
			defer r.Close()
			buf := make([]byte, 32<<10)
			for {
				n, err := r.Read(buf)
				if n > 0 && m.out.Send(k, buf[:n]) != nil || err != nil {
					return
				}
			}
		})
		return w, nil
	}
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		return wire.Exit{Code: 125, Error: err.Error()}
	}
	stdout, err := pipe(wire.KindStdout)
	if err != nil {
		return wire.Exit{Code: 125, Error: err.Error()}
	}
	stderr := stdout
	if !m.cfg.Merge {
		if stderr, err = pipe(wire.KindStderr); err != nil {
			return wire.Exit{Code: 125, Error: err.Error()}
		}
	}
	p, err := os.StartProcess(m.cfg.Path, m.cfg.Argv, &os.ProcAttr{
		Dir:   m.cfg.Dir,
		Env:   m.cfg.Env,
		Files: []*os.File{stdin, stdout, stderr},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	stdout.Close()
	if !m.cfg.Merge {
		stderr.Close()
	}
	if err != nil {
		copies.Wait()
		return wire.Exit{Code: startFailure(err), Error: err.Error()}
	}
	go m.signals(port, p.Pid)
	status := reap(p.Pid)
	// Every process but this one.
	unix.Kill(-1, unix.SIGKILL)
	copies.Wait()
	if status.Signaled() {
		return wire.Exit{Code: 128 + int(status.Signal()), Signal: int(status.Signal())}
	}
	return wire.Exit{Code: status.ExitStatus()}
}

// startFailure follows the shell: 127 for a command that is not there, 126 for
// one that cannot be executed.
func startFailure(err error) int {
	if errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 126
}

// reap waits for pid, and on the way for every orphan that ends.
func reap(pid int) unix.WaitStatus {
	for {
		var ws unix.WaitStatus
		got, err := unix.Wait4(-1, &ws, 0, nil)
		if err == nil && got == pid || err != nil && !errors.Is(err, unix.EINTR) {
			return ws
		}
	}
}

// signals hands the signals the host asks for to the command.
func (m *machine) signals(port *os.File, pid int) {
	r := wire.NewReader(port)
	for {
		k, p, err := r.Next()
		if err != nil {
			return
		}
		if k == wire.KindSignal && len(p) == 1 {
			unix.Kill(pid, unix.Signal(p[0]))
		}
	}
}

// eachReturn calls f for every regular file the host wants.
func (m *machine) eachReturn(f func(index int, rel, name string, d fs.DirEntry) error) {
	for i, ret := range m.cfg.Returns {
		err := filepath.WalkDir(ret.Path, func(p string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			return f(i, strings.TrimPrefix(strings.TrimPrefix(p, ret.Path), "/"), p, d)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			m.logf("return %s: %v", ret.Path, err)
		}
	}
}

// remember notes what the returned files look like before the command runs,
// so that only what it makes or changes goes back.
func (m *machine) remember() {
	m.before = make(map[string]time.Time)
	m.eachReturn(func(_ int, _, name string, d fs.DirEntry) error {
		fi, err := d.Info()
		if err == nil {
			m.before[name] = fi.ModTime()
		}
		return err
	})
}

func (m *machine) sendReturns() {
	m.eachReturn(func(index int, rel, name string, d fs.DirEntry) error {
		fi, err := d.Info()
		if err != nil {
			return err
		}
		if t, ok := m.before[name]; ok && t.Equal(fi.ModTime()) {
			return nil
		}
		return m.sendFile(index, rel, name)
	})
}

func (m *machine) sendFile(index int, rel, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	head := wire.File{Index: index, Rel: rel, Mode: uint32(fi.Mode().Perm()), Size: fi.Size()}
	if err := m.sendJSON(wire.KindFile, head); err != nil {
		return err
	}
	buf := make([]byte, wire.MaxPayload)
	for left := head.Size; left > 0; {
		n, err := io.ReadFull(f, buf[:min(left, int64(len(buf)))])
		if err != nil {
			// Everything is dead by now, so the file cannot have shrunk.
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := m.out.Send(wire.KindData, buf[:n]); err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}
