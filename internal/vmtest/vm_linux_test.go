// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// vmTimeout bounds every command of these tests. A guest takes seconds, on a
// busy machine tens of them.
const vmTimeout = 3 * time.Minute

// rig is what the tests share: the runner and the fixture, built once, and the
// name of a cached kernel.
type rig struct{ runner, fixture, kernel, fixtureDir string }

var (
	rigOnce sync.Once
	theRig  rig
	rigErr  error // nothing to test with: a reason to skip
	rigBad  error // the rig could not be built: a failure
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vmtest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	rigDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var rigDir string

// requireVM returns the rig. Without an emulator or a kernel on this machine
// the test is skipped, or fails if BONDKIT_KERNEL is require.
func requireVM(t *testing.T) rig {
	t.Helper()
	rigOnce.Do(func() { theRig, rigErr, rigBad = newRig(rigDir) })
	switch {
	case rigBad != nil:
		t.Fatal(rigBad)
	case rigErr != nil && os.Getenv("BONDKIT_KERNEL") == "require":
		t.Fatal(rigErr)
	case rigErr != nil:
		t.Skip(rigErr)
	}
	return theRig
}

func newRig(dir string) (r rig, none, bad error) {
	switch {
	case os.Getenv("BONDKIT_VM") != "":
		return r, errors.New("this is a guest already"), nil
	case runtime.GOARCH != "amd64":
		return r, errors.New("guests are amd64, this machine is " + runtime.GOARCH), nil
	}
	for _, tool := range []string{"qemu-system-x86_64", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			return r, err, nil
		}
	}
	for _, tool := range requiredTools() {
		if _, err := findProgram(tool); err != nil {
			return r, err, nil
		}
	}
	cache, err := cacheDir()
	if err != nil {
		return r, err, nil
	}
	s := &store{dir: cache}
	for _, name := range []string{"6.12", "newest", "6.1", "5.10", "6.1-generic"} {
		if k, err := cached(s.kernelDir(name)); err == nil && k != nil {
			r.kernel = name
			break
		}
	}
	if r.kernel == "" {
		return r, errors.New("no kernel in the cache (vmtest -fetch 6.12)"), nil
	}
	r.runner, r.fixture = filepath.Join(dir, "vmtest"), filepath.Join(dir, "fixture.test")
	for _, args := range [][]string{
		{"build", "-o", r.runner, "."}, {"test", "-c", "-o", r.fixture, "./testdata/fixture"},
	} {
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return r, nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	r.fixtureDir, err = filepath.Abs("testdata/fixture")
	return r, nil, err
}

// result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
}

// command prepares a command in dir with the environment the fixture expects.
func command(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), vmTimeout)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "GOFLAGS=") || strings.HasPrefix(kv, "GOCOVERDIR=") || strings.HasPrefix(kv, "BONDKIT_KERNEL=")
	})
	cmd.Env = append(env, "BONDKIT_FROM_HOST=yes", "NOT_ALLOWED=1")
	return cmd
}

func execute(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	t.Logf("%v, in %v\n--- stdout\n%s--- stderr\n%s", cmd.ProcessState, cmd.ProcessState.UserTime(), tailOf(r.stdout), tailOf(r.stderr))
	return r
}

func tailOf(s string) string {
	const most = 4000
	return s[max(0, len(s)-most):]
}

func (r result) want(t *testing.T, code int, stdout, stderr []string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit status %d, want %d", r.code, code)
	}
	for _, s := range stdout {
		if !strings.Contains(r.stdout, s) {
			t.Errorf("no %q in the standard output", s)
		}
	}
	for _, s := range stderr {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("no %q in the standard error", s)
		}
	}
}

func TestVMCommand(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"input": "from the host\n", "testdata/f": "x"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	script := `
		cat input /opt/second testdata/f
		printf 'cr\r\nand no newline'
		echo "on the other $A" >&2
		ip link add bond0 type bond mode active-backup && ip link add br0 type bridge && ip link add v0 type veth
		nft 'add table bridge t; add chain bridge t c { type filter hook forward priority 0; }
			add rule bridge t c iifname "p0" ether saddr 02:00:00:00:00:01 counter drop
			add rule bridge t c numgen random mod 10 < 3 counter drop'
		mkdir out && cat /proc/net/bonding/bond0 > out/bond0 && echo two > out/two
		exit 7`
	got := execute(t, command(t, dir, r.runner, "-kernel", r.kernel, "-file", "input", "-file", "input:/opt/second",
		"-env", "A=side", "-out", "out:back", "--", "sh", "-c", script))
	got.want(t, 7, nil, []string{"on the other side\n", "vmtest: kernel " + r.kernel + " (linux "})
	if want := "from the host\nfrom the host\nxcr\r\nand no newline"; got.stdout != want {
		t.Errorf("standard output %q, want %q", got.stdout, want)
	}
	for name, want := range map[string]string{"back/bond0": "Bonding Mode: fault-tolerance (active-backup)", "back/two": "two"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// TestVMGoTest goes through the go command: -json, -run, -count, coverage,
// testdata, environment, and skips that are allowed.
func TestVMGoTest(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	profile := filepath.Join(t.TempDir(), "cover.out")
	got := execute(t, command(t, "", "go", "test", "-json", "-run", "Good", "-count=2", "-coverprofile="+profile,
		"-exec", r.runner+" -kernel "+r.kernel+" -env 'FROM_FLAG=a=b c'", "./testdata/fixture"))
	got.want(t, 0, nil, nil)
	results := make(map[string]int)
	dec := json.NewDecoder(strings.NewReader(got.stdout))
	for dec.More() {
		var e struct{ Action, Test string }
		if err := dec.Decode(&e); err != nil {
			t.Fatal(err)
		}
		switch e.Action {
		case "pass", "fail", "skip":
			results[e.Test+" "+e.Action]++
		}
	}
	for key, want := range map[string]int{
		"TestGoodEnvironment pass": 2, "TestGoodFiles pass": 2, "TestGoodCovered pass": 2,
		"TestGoodSkipKernel skip": 2, "TestGoodSkipRace skip": 2, " pass": 1,
	} {
		if results[key] != want {
			t.Errorf("%d times %q, want %d", results[key], key, want)
		}
		delete(results, key)
	}
	if len(results) != 0 {
		t.Errorf("more results: %v", results)
	}
	b, err := os.ReadFile(profile)
	if err != nil || !strings.HasPrefix(string(b), "mode: ") || !regexp.MustCompile(`fixture\.go:\S+ 1 1\n`).Match(b) {
		t.Errorf("coverage profile: %q, %v", b, err)
	}
}

// durations are what differs between two runs of the same test.
var durations = regexp.MustCompile(`\(\d+\.\d\ds\)`)

// TestVMFailuresAndSkips runs tests that fail, print and skip, and compares
// the output with that of the same binary outside.
func TestVMFailuresAndSkips(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	got := execute(t, command(t, r.fixtureDir, r.runner, "-kernel", r.kernel, r.fixture, "-test.run=Mixed"))
	got.want(t, 1, nil, []string{
		"3 skipped, but may only skip for an older kernel",
		"TestMixed/skipped: no privilege\n", "TestMixedSkipped: no bonding\n", "TestMixedSkippedSilently: no reason given\n",
	})
	outside := execute(t, command(t, r.fixtureDir, r.fixture, "-test.run=Mixed"))
	if a, b := durations.ReplaceAllString(outside.stdout, ""), durations.ReplaceAllString(got.stdout, ""); a != b {
		t.Errorf("outside the binary prints\n%s\nand in the guest\n%s", a, b)
	}
}

// TestVMSkipFails proves that a skip alone makes a run fail that would pass,
// and that -v comes out as it is.
func TestVMSkipFails(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	got := execute(t, command(t, "", "go", "test", "-v", "-run", "MixedSkipped$",
		"-exec", r.runner+" -kernel "+r.kernel, "./testdata/fixture"))
	got.want(t, 1, []string{
		"=== RUN   TestMixedSkipped\n    fixture_test.go:", "--- SKIP: TestMixedSkipped (", "\nPASS\n",
		"1 skipped, but", "TestMixedSkipped: no bonding\n", "FAIL\tgithub.com/bondkit/bondkit/internal/vmtest/testdata/fixture",
	}, nil)
}

func TestVMPanic(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	got := execute(t, command(t, r.fixtureDir, r.runner, "-kernel", r.kernel, r.fixture, "-test.run=Panics", "-test.v"))
	got.want(t, 2, []string{"=== RUN   TestPanics\n", "--- FAIL: TestPanics ("}, []string{"panic: on purpose", "fixture_test.go:"})
}

func TestVMHang(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	// The time has to be enough for the boot, and all of it is spent. A boot
	// takes some 4 s on an idle machine.
	var got result
	for limit := 20 * time.Second; limit < vmTimeout && !strings.Contains(got.stdout, "hanging now\n"); limit *= 2 {
		got = execute(t, command(t, r.fixtureDir, r.runner, "-kernel", r.kernel, "-timeout", limit.String(),
			r.fixture, "-test.run=Hangs", "-test.timeout=10m"))
	}
	got.want(t, exitTimeout, []string{"hanging now\n"}, []string{"timed out after ", "fixture_test.TestHangs(", "kernel console"})
}

// TestVMTimeoutInBoot ends a guest before there is anything to ask.
func TestVMTimeoutInBoot(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	got := execute(t, command(t, "", r.runner, "-kernel", r.kernel, "-timeout", "1s", "-append", "loglevel=7", "true"))
	got.want(t, exitTimeout, nil, []string{"timed out after 1s", "kernel console"})
}

func TestVMKernelPanic(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	// What a guest that panics still holds is lost. More than a pipe takes comes after the
	// line, so that it has left when everything is written.
	got := execute(t, command(t, "", r.runner, "-kernel", r.kernel, "sh", "-c",
		"echo before; printf %0200000d 0; echo c > /proc/sysrq-trigger; cat /dev/zero > /dev/null"))
	got.want(t, exitRunner, []string{"before\n"}, []string{"ended without an exit status", "vmtest: | ", "Kernel panic"})
}

func TestVMBadCalls(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown kernel", []string{"-kernel", "4.19", "true"}, exitUsage, `unknown kernel "4.19"`},
		{"no command there", []string{"-kernel", r.kernel, "no-such-command"}, exitRunner, "no-such-command"},
		{"no file there", []string{"-kernel", r.kernel, "-file", "/no/such/file", "true"}, exitRunner, "/no/such/file"},
		{"no emulator there", []string{"-kernel", r.kernel, "-qemu", "no-such-qemu", "true"}, exitRunner, "no-such-qemu"},
		{"bad emulator flag", []string{"-kernel", r.kernel, "-qemu-arg", "-device no-such-device", "true"}, exitRunner, "no-such-device"},
		{"not a kernel", []string{"-vmlinuz", r.fixture, "-modules", t.TempDir(), "true"}, exitRunner, "not a bzImage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			execute(t, command(t, "", r.runner, tt.args...)).want(t, tt.code, nil, []string{tt.want})
		})
	}
}

func TestVMList(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	got := execute(t, command(t, "", r.runner, "-list"))
	got.want(t, 0, nil, nil)
	for _, name := range kernelNames() {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` +(yes +\d\S+ +\d\S+|no) `).MatchString(got.stdout) {
			t.Errorf("no good line for %s", name)
		}
	}
}

// TestVMTwoAtOnce starts two guests together with an empty cache for what is
// made from the kernel, so that they also make that at the same time.
func TestVMTwoAtOnce(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	cache, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(t.TempDir(), "vmtest")
	if err := os.MkdirAll(filepath.Join(mine, "kernels"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(cache, "kernels", r.kernel), filepath.Join(mine, "kernels", r.kernel)); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	codes := make([]int, 2)
	outs := make([]bytes.Buffer, 2)
	for i := range codes {
		cmd := command(t, "", r.runner, "-kernel", r.kernel, "-smp", "1", "sh", "-c", fmt.Sprintf("echo guest %d; exit %d", i, 40+i))
		cmd.Env = append(cmd.Env, "BONDKIT_CACHE="+filepath.Dir(mine))
		cmd.Stdout, cmd.Stderr = &outs[i], os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			// The status is what is looked at below.
			_ = cmd.Wait()
			codes[i] = cmd.ProcessState.ExitCode()
		})
	}
	running.Wait()
	for i, code := range codes {
		if want := fmt.Sprintf("guest %d\n", i); code != 40+i || outs[i].String() != want {
			t.Errorf("guest %d: status %d, output %q", i, code, &outs[i])
		}
	}
}

// TestVMDiesWithTheRunner ends the runner in two ways and looks for its
// emulator.
func TestVMDiesWithTheRunner(t *testing.T) {
	t.Parallel()
	r := requireVM(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "", r.runner, "-kernel", r.kernel, "sleep", "600")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var emulator int
			poll(t, "the runner starts an emulator", func() bool {
				emulator = childNamed(cmd.Process.Pid, "qemu-system")
				return emulator != 0
			})
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			if sig == syscall.SIGTERM && cmd.ProcessState.ExitCode() != 128+int(sig) {
				t.Errorf("the runner ended with %v", err)
			}
			poll(t, "the emulator ends", func() bool { return !alive(emulator) })
		})
	}
}

func poll(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.NewTimer(vmTimeout / 3)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("waited too long until %s", what)
		}
	}
}

// childNamed returns a child process of pid whose name begins with prefix, or 0.
func childNamed(pid int, prefix string) int {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0
	}
	for _, l := range lists {
		b, err := os.ReadFile(l)
		if err != nil {
			continue
		}
		for f := range strings.FieldsSeq(string(b)) {
			name, err := os.ReadFile("/proc/" + f + "/comm")
			if child, err2 := strconv.Atoi(f); err == nil && err2 == nil && strings.HasPrefix(string(name), prefix) {
				return child
			}
		}
	}
	return 0
}

// alive reports whether a process runs; a zombie whose parent is gone or slow
// does not.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}
