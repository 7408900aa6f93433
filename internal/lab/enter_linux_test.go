// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/lab"
)

// actor returns this program in a role. It dies with the test.
func actor(role string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	// The race detector makes every process wait for a second at its end.
	cmd.Env = append(os.Environ(), roleEnv+"="+role, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}

// stage is an actor that has been started.
type stage struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

// start starts an actor and kills it at the end of the test.
func start(t *testing.T, cmd *exec.Cmd) *stage {
	t.Helper()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &stage{cmd, bufio.NewReader(pipe)}
}

// ready waits until the actor says that it is ready, and returns the number it
// says with it.
func (s *stage) ready(t *testing.T) int {
	t.Helper()
	line, err := s.out.ReadString('\n')
	n, nerr := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "ready ")))
	if err != nil || nerr != nil {
		t.Fatalf("not ready: %q, %v", line, err)
	}
	return n
}

// status returns the exit status of a command that has ended, or its signal with
// a minus.
func status(err error) int {
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 1000
	}
	if ws := exit.Sys().(syscall.WaitStatus); ws.Signaled() {
		return -int(ws.Signal())
	}
	return exit.ExitCode()
}

// fullRoot reports whether this process is root of the machine and not of a user
// namespace with one user only.
func fullRoot(t *testing.T) bool {
	t.Helper()
	m, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(m))
	return os.Getuid() == 0 && len(f) == 3 && f[2] == "4294967295"
}

func TestEnter(t *testing.T) {
	lab.Require(t)
	roles := []string{"powerless:enter"}
	if fullRoot(t) {
		roles = append(roles, "nobody:enter")
	}
	for _, role := range roles {
		t.Run(role, func(t *testing.T) {
			out, err := actor(role, "one", "two words", "").Output()
			if got := status(err); got != 7 {
				t.Errorf("status %d, want 7", got)
			}
			if want := "uid 0, args [\"one\" \"two words\" \"\"]\n"; string(out) != want {
				t.Errorf("got %q, want %q", out, want)
			}
		})
	}
	t.Run("with privilege", func(t *testing.T) {
		s := start(t, actor("signal"))
		if pid := s.ready(t); pid != s.cmd.Process.Pid {
			t.Errorf("process %d ran on as process %d", s.cmd.Process.Pid, pid)
		}
	})
	t.Run("tests of nobody", func(t *testing.T) {
		if !fullRoot(t) {
			t.Skip("this process is such a test already")
		}
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestRun$", "-test.v", "-test.paniconexit0")
		cmd.Env = append(os.Environ(), roleEnv+"=nobody:", "BONDKIT_KERNEL=require")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestRun") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestEnterRefused(t *testing.T) {
	lab.Require(t)
	cmd := actor("refused:enter")
	id := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, UidMappings: id, GidMappings: id}
	out, err := cmd.Output()
	if got := status(err); got != 50 {
		t.Errorf("status %d, want 50", got)
	}
	if want := "setting: user.max_user_namespaces = 0\n"; !strings.HasSuffix(string(out), want) {
		t.Errorf("got %q, want it to end with %q", out, want)
	}
}

// TestEnterSignals sends signals to the outer of the two processes.
func TestEnterSignals(t *testing.T) {
	lab.Require(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd := actor("powerless:signal")
			// Without a terminal, whatever the test runs in.
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			s := start(t, cmd)
			if inner := s.ready(t); inner == cmd.Process.Pid {
				t.Fatal("there is no second process")
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			out, err := io.ReadAll(s.out)
			if want := fmt.Sprintf("got %v 1\n", sig); string(out) != want || err != nil {
				t.Errorf("got %q, %v, want %q", out, err, want)
			}
			if got := status(cmd.Wait()); got != 3 {
				t.Errorf("status %d, want 3", got)
			}
		})
	}
	t.Run("kill the outer", func(t *testing.T) {
		s := start(t, actor("powerless:signal"))
		s.ready(t)
		s.cmd.Process.Kill()
		// The pipe ends when the inner process has ended too.
		if out, err := io.ReadAll(s.out); len(out) != 0 || err != nil {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("kill the inner", func(t *testing.T) {
		s := start(t, actor("powerless:signal"))
		if err := syscall.Kill(s.ready(t), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if got := status(s.cmd.Wait()); got != 128+9 {
			t.Errorf("status %d, want 137", got)
		}
	})
}

// TestEnterTerminal types an interrupt on a terminal. The inner process must get
// it once, though both processes belong to the terminal.
func TestEnterTerminal(t *testing.T) {
	lab.Require(t)
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals: %v", err)
	}
	defer master.Close()
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals: %v", err)
	}
	defer slave.Close()
	cmd := actor("powerless:signal")
	cmd.Stdin = slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s := start(t, cmd)
	s.ready(t)
	if _, err := master.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(s.out)
	if want := "got interrupt 1\n"; string(out) != want || err != nil {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
	if got := status(cmd.Wait()); got != 3 {
		t.Errorf("status %d, want 3", got)
	}
}

func TestCheck(t *testing.T) {
	lab.Require(t)
	if err := lab.Check(); err != nil {
		t.Error(err)
	}
	names := func(out []byte) []string { return strings.Split(strings.TrimSpace(string(out)), "\n") }

	t.Run("no privilege", func(t *testing.T) {
		out, err := actor("powerless:check").Output()
		if err != nil {
			t.Fatal(err)
		}
		text := lab.ErrNoPrivilege.Error()
		reason := "lab: cannot run here: " + text + ": unshare: operation not permitted"
		want := []string{
			"check: " + reason, "is: " + text, "count: 1",
			"skip: " + reason, "skip: lab: build: " + reason,
			"fatal: " + reason, "fatal: lab: build: " + reason,
		}
		if diff := cmp.Diff(want, names(out)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("no tools", func(t *testing.T) {
		cmd := actor("toolless:check")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := names(out)
		want := "check: lab: cannot run here: ip: command not found; bridge: command not found; tc: command not found; nft: command not found"
		if lines[0] != want || !slices.Contains(lines, "is: command not found") || !slices.Contains(lines, "count: 4") {
			t.Errorf("got %q, want %q", lines, want)
		}
	})
}

// devices returns the names of the devices in a namespace, of this thread's if it
// is nil.
func devices(t *testing.T, n *lab.Namespace) []string {
	t.Helper()
	var names []string
	list := func() error {
		devs, err := net.Interfaces()
		for _, d := range devs {
			names = append(names, d.Name)
		}
		return err
	}
	err := error(nil)
	if n == nil {
		err = list()
	} else {
		err = n.Do(list)
	}
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// mounts returns the mounts of namespaces.
func mounts(t *testing.T) []string {
	t.Helper()
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(info)) {
		if strings.Contains(line, " nsfs ") {
			list = append(list, line)
		}
	}
	return list
}

// TestKill kills a process that has a lab, and shows that every namespace of it
// ends. Each has a veth whose other end the test watches; it goes when, and only
// when, the namespace is gone. To show that a namespace that stays would be seen,
// the test keeps one open for a while.
func TestKill(t *testing.T) {
	ownDevices, ownMounts := devices(t, nil), mounts(t)
	watch := lab.Start(t, &lab.Config{Chatty: 1}).Target("B")
	cmd := actor("kill")
	cmd.ExtraFiles = []*os.File{watch.File()}
	s := start(t, cmd)
	fd := s.ready(t)

	witnesses := func() []string {
		var names []string
		for _, name := range devices(t, watch) {
			if w, ok := strings.CutPrefix(name, "w-"); ok {
				names = append(names, w)
			}
		}
		slices.Sort(names)
		return names
	}
	if diff := cmp.Diff([]string{"A", "B", "c11", "c21", "fabric", "host"}, witnesses()); diff != "" {
		t.Fatalf("before (-want +got):\n%s", diff)
	}
	keep, err := os.Open(fmt.Sprintf("/proc/%d/fd/%d", cmd.Process.Pid, fd))
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()

	cmd.Process.Kill()
	cmd.Wait()
	eventually(t, "all namespaces but the one held have ended", func() bool {
		return cmp.Equal([]string{"fabric"}, witnesses())
	})
	keep.Close()
	eventually(t, "all namespaces have ended", func() bool { return len(witnesses()) == 0 })
	if diff := cmp.Diff(ownDevices, devices(t, nil)); diff != "" {
		t.Errorf("own devices (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(ownMounts, mounts(t)); diff != "" {
		t.Errorf("mounts of namespaces (-before +after):\n%s", diff)
	}
}
