// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// TestRun runs the command in a real network: a scenario in which all stays well,
// one in which both the network and the slaves fail, and the one with a Monitor in
// another process.
func TestRun(t *testing.T) {
	lab.Require(t)
	stdout, stderr, status := bondlab(t, "-json", "-kernel-bond=off", "-scenario", "active-cut-chatter,transmit-stuck,monitor-stalled")
	if status != exitRight || stderr != "" {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	var got []string
	for text := range strings.Lines(stdout) {
		var keys map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &keys); err != nil {
			t.Fatalf("%v in %q", err, text)
		}
		for _, key := range []string{"scenario", "title", "slaves", "group", "right", "notes"} {
			if keys[key] == nil {
				t.Errorf("no %s in %s", key, text)
			}
			delete(keys, key)
		}
		if len(keys) > 0 {
			t.Errorf("keys that nobody asked for in %s", text)
		}
		var r result
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		words := []string{r.Scenario, r.Group}
		for _, s := range r.Slaves {
			words = append(words, s.Name, s.Truth, s.Arpmon)
			if (s.DetectMS != nil) != (s.Truth == down) || len(s.Kernel) > 0 {
				t.Errorf("%s: %+v", r.Scenario, s)
			}
		}
		if !r.Right {
			t.Errorf("%s is wrong: %q", r.Scenario, r.Notes)
		}
		got = append(got, strings.Join(words, " "))
	}
	want := []string{
		"active-cut-chatter ok e1 down down e2 up up",
		"transmit-stuck ok e1 down down e2 up up",
		"monitor-stalled ok e1 up up e2 up up",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// TestRunBrokenTruth runs a scenario whose truth is not true: that has to give
// the status of a wrong verdict.
func TestRunBrokenTruth(t *testing.T) {
	lab.Require(t)
	sc := *named(t, "backup-cut-silent")
	sc.truth = [2]string{up, up}
	o, err := parseOptions([]string{"-kernel-bond=off"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.scenarios = []scenario{sc}
	var b bytes.Buffer
	r := &runner{opts: o, slack: hostSlack, out: &lineReporter{w: &b}}
	results, err := r.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 || results[0].Right || status(results) != exitWrong {
		t.Fatalf("results %+v, status %d", results, status(results))
	}
	if want := "e2 became down (missed)"; !strings.Contains(results[0].Notes[0], want) || !strings.Contains(b.String(), want) {
		t.Errorf("notes %q and output\n%swant both with %q", results[0].Notes, b.String(), want)
	}
}

// TestRunKernelBond runs over a bond of the kernel, or is refused where there is
// none.
func TestRunKernelBond(t *testing.T) {
	lab.Require(t)
	stdout, stderr, status := bondlab(t, "-json", "-kernel-bond=require", "-arp-validate=all,none", "-scenario", "active-cut-chatter")
	if err := lab.HasBonding(); err != nil {
		if os.Getenv("BONDKIT_KERNEL") == "require" {
			t.Fatal(err)
		}
		if status != exitCannotRun || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "bonding") {
			t.Errorf("without bonding: status %d, standard output %q, standard error %q", status, stdout, stderr)
		}
		return
	}
	var r result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || status != exitRight || stderr != "" {
		t.Fatalf("%v: status %d, standard output %q, standard error %q", err, status, stdout, stderr)
	}
	if kernelTooOld() != "" {
		if len(r.Slaves[0].Kernel) > 0 || !slices.ContainsFunc(r.Notes, func(s string) bool { return strings.HasPrefix(s, "kernel: n/a: ") }) {
			t.Errorf("a kernel whose verdict means nothing was asked: %s", stdout)
		}
		return
	}
	want := map[string][2]string{"all": {down, up}, "none": {up, down}}
	for value, words := range want {
		for i, w := range words {
			if got := r.Slaves[i].Kernel[value]; got != w {
				t.Errorf("arp_validate %s: the kernel says %s is %q, want %q", value, slaveNames[i], got, w)
			}
		}
	}
}

// TestInterrupt checks that an interrupt ends everything in good order.
func TestInterrupt(t *testing.T) {
	lab.Require(t)
	for _, scenario := range []string{"no-side-effects", "monitor-stalled"} {
		t.Run(scenario, func(t *testing.T) {
			cmd := command(t, "-kernel-bond=off", "-scenario", scenario)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			for lines.Scan() {
				if strings.Contains(lines.Text(), "e1 unknown -> up") {
					cmd.Process.Signal(os.Interrupt)
				}
				if strings.HasPrefix(lines.Text(), "[1/1]") && strings.Contains(lines.Text(), "right") {
					t.Error("the scenario came to its end")
				}
			}
			err = cmd.Wait()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.ExitCode() != exitInterrupt {
				t.Errorf("%v, want status %d", err, exitInterrupt)
			}
			if errs.String() != "bondlab: interrupted\n" {
				t.Errorf("standard error %q", errs.String())
			}
			if left := children(t, cmd.Process.Pid); len(left) > 0 {
				t.Errorf("processes left behind: %v", left)
			}
		})
	}
}

// children returns the processes whose environment says that they are a monitor
// process of a test, and whose parent is gone or is the one given.
func children(t *testing.T, parent int) []string {
	t.Helper()
	var found []string
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		env, err := os.ReadFile(dir + "/environ")
		if err != nil || !bytes.Contains(env, []byte(monitorEnv+"=1")) {
			continue
		}
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			continue
		}
		for _, gone := range []int{1, parent} {
			if bytes.Contains(status, fmt.Appendf(nil, "\nPPid:\t%d\n", gone)) {
				found = append(found, dir)
			}
		}
	}
	return found
}

// TestWatchTables checks that frames which move the tables of the switches do not
// pass unnoticed.
func TestWatchTables(t *testing.T) {
	lab.Require(t)
	l, err := lab.New(t.Context(), &lab.Config{Chatty: 1})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{lab: l, sc: named(t, "no-side-effects")}
	defer b.close()
	if err := startTraffic(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	want := tables{"sw1": "p1", "sw2": "u2", "core": "d1", "A": l.BondMAC().String(), "B": l.BondMAC().String()}
	if diff := cmp.Diff(want, b.before); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	w, err := b.watchTables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Without traffic in between nothing moves the tables back.
	for _, traffic := range b.traffic {
		traffic.Stop()
	}
	arp := lab.NewARP(lab.OpRequest, lab.Broadcast, lab.MAC(l.BondMAC()))
	if err := l.Host().Send("e2", arp.AppendFrame(nil)); err != nil {
		t.Fatal(err)
	}
	moved := func() []string {
		w.mu.Lock()
		defer w.mu.Unlock()
		return slices.Sorted(slices.Values(b.ev.moved))
	}
	tick, deadline := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for len(moved()) < 4 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("only this was noticed: %q", moved())
		}
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"a frame from " + l.BondMAC().String() + " left on the backup e2",
		`core had the host at d1 and then at "d2"`,
		`sw1 had the host at p1 and then at "u1"`,
		`sw2 had the host at u2 and then at "p2"`,
	}, moved()); diff != "" {
		t.Errorf("what moved (-want +got):\n%s", diff)
	}
}

// TestMonitorProcess checks what becomes of a monitor process that cannot run, and
// of one that is ended while it is stopped.
func TestMonitorProcess(t *testing.T) {
	lab.Require(t)
	l, err := lab.New(t.Context(), &lab.Config{Chatty: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &setup{Slaves: []string{"e1", "e9"}, Active: "e1", Targets: labTargets("A"), Interval: 100 * time.Millisecond}
	nothing := func(*os.Process) {}
	err = watchElsewhere(t.Context(), s, l.Host().File(), nothing, func(sample) {})
	if err == nil || !strings.Contains(err.Error(), "ended by itself") {
		t.Errorf("a slave that does not exist: %v", err)
	}

	s.Slaves[1] = "e2"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan *os.Process, 1)
	samples := make(chan sample, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- watchElsewhere(ctx, s, l.Host().File(), func(p *os.Process) { started <- p }, func(s sample) {
			select {
			case samples <- s:
			default:
			}
		})
	}()
	p := <-started
	deadline := time.After(time.Minute)
	for {
		var s sample
		select {
		case s = <-samples:
		case <-deadline:
			t.Fatal("both slaves never came up")
		}
		if s.healthy() && s.slave("e2").MAC != (arpmon.MAC{}) {
			break
		}
	}
	short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	if _, err := stopFor(short, p, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopped until the context ended: %v", err)
	}
	if d, err := stopFor(ctx, p, 50*time.Millisecond); err != nil || d < 50*time.Millisecond {
		t.Errorf("stopped for %v: %v", d, err)
	}
	stopped := make(chan error, 1)
	go func() {
		_, err := stopFor(ctx, p, time.Hour)
		stopped <- err
	}()
	cancel()
	for _, c := range []chan error{ended, stopped} {
		select {
		case err := <-c:
			if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		case <-deadline:
			t.Fatal("no end")
		}
	}
}
