// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/internal/lab"
)

// commandEnv has the test binary be the command.
const commandEnv = "BONDLAB_TEST_COMMAND"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(monitorEnv) != "":
		os.Exit(monitorProcess(os.Stdin, os.Stdout, os.Stderr))
	case os.Getenv(commandEnv) != "":
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	lab.Main(m)
}

// command returns the command bondlab with arguments.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), commandEnv+"=1")
	return cmd
}

// bondlab runs the command and returns what it printed and its exit status.
func bondlab(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case ok:
		status = exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}
	return out.String(), errs.String(), status
}

func TestUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string // in the only line of standard error
	}{
		{"unknown flag", []string{"-frobnicate"}, "-frobnicate"},
		{"argument", []string{"healthy"}, `unexpected argument "healthy"`},
		{"unknown scenario", []string{"-scenario", "healthy,nonsense"}, `no scenario "nonsense" (bondlab -list shows them)`},
		{"empty scenario", []string{"-scenario", ""}, `no scenario ""`},
		{"no duration", []string{"-interval", "100"}, "-interval"},
		{"interval too short", []string{"-interval", "9ms"}, "-interval 9ms: out of range, want 10ms to 1m0s"},
		{"negative interval", []string{"-interval", "-1s"}, "-interval -1s: out of range"},
		{"interval too long", []string{"-interval", "2m"}, "-interval 2m0s: out of range"},
		{"no interval", []string{"-interval", "0"}, "-interval 0s: out of range"},
		{"kernel bond", []string{"-kernel-bond", "yes"}, "want auto, off or require"},
		{"arp_validate", []string{"-arp-validate", "none,some"}, `no value of arp_validate "some"`},
		{"no value", []string{"-scenario"}, "needs an argument"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, status := bondlab(t, tt.args...)
			if status != exitUsage {
				t.Errorf("status %d, want %d", status, exitUsage)
			}
			if stdout != "" {
				t.Errorf("standard output is %q, want nothing", stdout)
			}
			if !strings.HasPrefix(stderr, "bondlab: ") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.want) {
				t.Errorf("standard error is %q, want one line with %q", stderr, tt.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	stdout, stderr, status := bondlab(t, "-h")
	if status != exitRight || stderr != "" {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	for _, flag := range []string{"-list", "-scenario", "-interval", "-json", "-no-color", "-kernel-bond", "-arp-validate"} {
		if !strings.Contains(stdout, "  "+flag+" ") && !strings.Contains(stdout, "  "+flag+"\n") {
			t.Errorf("the usage does not show %s:\n%s", flag, stdout)
		}
	}
}

func TestOptions(t *testing.T) {
	o, err := parseOptions(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.interval != 100*time.Millisecond || len(o.scenarios) != 17 || o.kernelBond != kernelAuto ||
		strings.Join(o.validate, ",") != "none,active,backup,all" || o.json || o.list || o.noColor {
		t.Errorf("defaults are %+v", o)
	}
	o, err = parseOptions([]string{
		"-scenario", "transmit-stuck, healthy,healthy", "-interval=10ms", "-json", "-no-color",
		"-kernel-bond=off", "-arp-validate=filter,all",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, sc := range o.scenarios {
		names = append(names, sc.name)
	}
	if got := strings.Join(names, ","); got != "healthy,transmit-stuck" {
		t.Errorf("scenarios are %s", got)
	}
	if o.interval != 10*time.Millisecond || o.kernelBond != kernelOff || strings.Join(o.validate, ",") != "filter,all" || !o.json || !o.noColor {
		t.Errorf("options are %+v", o)
	}
}

// TestBudget checks that every interval that may be given is one that the
// engine takes with the raised budget.
func TestBudget(t *testing.T) {
	for _, interval := range []time.Duration{
		10 * time.Millisecond, 13 * time.Millisecond, 100 * time.Millisecond, 333 * time.Millisecond,
		time.Second, time.Minute,
	} {
		s := &setup{Interval: interval, Targets: labTargets("A", "B")}
		c, err := s.resolved()
		if err != nil {
			t.Errorf("%v: %v", interval, err)
			continue
		}
		if want := interval/4*3 + 3*interval; c.Interval != interval || c.Bound() != want {
			t.Errorf("%v: interval %v, bound %v, want bound %v", interval, c.Interval, c.Bound(), want)
		}
	}
}

func TestList(t *testing.T) {
	stdout, stderr, status := bondlab(t, "-list", "-scenario", "healthy,backup-deaf")
	want := `scenario     e1  e2    group  what happens
healthy      up  up    ok     nothing is wrong
backup-deaf  up  down  ok     e2 hears everybody but the targets
`
	if status != exitRight || stderr != "" || stdout != want {
		t.Errorf("status %d, standard error %q, list:\n%s\nwant:\n%s", status, stderr, stdout, want)
	}
}

// TestMissing checks that there is one line for each thing that is missing.
func TestMissing(t *testing.T) {
	missing := &lab.MissingError{Missing: []error{
		fmt.Errorf("nft: %w", lab.ErrNoTool), fmt.Errorf("ip: %w", lab.ErrNoTool), &lab.EnterError{Setting: "kernel.unprivileged_userns_clone = 0", Err: os.ErrPermission},
		errors.New("lab: two\nlines"),
	}}
	var b bytes.Buffer
	complain(&b, missingList(missing)...)
	want := "bondlab: nft: command not found (install nftables)\n" +
		"bondlab: ip: command not found (install iproute2)\n" +
		"bondlab: user namespaces are refused: permission denied (kernel.unprivileged_userns_clone = 0); run it as root\n" +
		"bondlab: two; lines\n"
	if b.String() != want {
		t.Errorf("complaint:\n%swant:\n%s", b.String(), want)
	}
	if missingList(nil) != nil {
		t.Error("nothing missing gives a list")
	}
	if !hopeless(missing) || !hopeless(os.ErrPermission) || hopeless(errors.New("other")) || hopeless(nil) {
		t.Error("hopeless is wrong about an error")
	}
}
