// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// childEnv holds what a child process is to do. A child runs a Monitor in its own
// network namespace, which is the one it was started in.
const childEnv = "ARPMON_TEST_CHILD"

// childSpec is the value of childEnv, in JSON.
type childSpec struct {
	Slaves  []string
	Targets []arpmon.Target
	// Drop says that all capabilities are to be dropped but those in Keep.
	Drop bool
	Keep []int
}

// childReport is what a child prints, in JSON, one object a line: one when all
// slaves are up, or an error occurs; one when its standard input ends.
type childReport struct {
	Up           bool
	Error        string
	Permission   bool
	Capabilities string
	Transitions  uint32
	Stats        arpmon.MonitorStats
	Events       []string
}

// childMain is the main function of a child.
func childMain(text string) int {
	var spec childSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if spec.Drop {
		if err := dropCapabilities(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	out := json.NewEncoder(os.Stdout)
	report := childReport{Capabilities: effectiveCapabilities()}
	m, err := arpmon.NewMonitor(arpmon.MonitorConfig{
		Config: arpmon.Config{Targets: spec.Targets, Interval: 100 * time.Millisecond, MaxPPS: 100, NoCanary: true},
		Slaves: spec.Slaves,
	})
	if err != nil {
		report.Error, report.Permission = err.Error(), errors.Is(err, os.ErrPermission)
		out.Encode(report)
		return 0
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for !report.Up {
		<-m.Changed()
		report.Up = true
		for _, name := range spec.Slaves {
			report.Up = report.Up && m.Reachable(name)
		}
	}
	out.Encode(report)
	io.Copy(io.Discard, os.Stdin)
	cancel()
	if err := <-done; err != nil {
		report.Error = err.Error()
	}
	var snap arpmon.Snapshot
	m.Snapshot(&snap)
	for _, s := range snap.Slaves {
		report.Transitions += s.Transitions
	}
	report.Stats = m.Stats()
	events := make([]arpmon.Event, 256)
	n, _, _ := m.EventsSince(0, events)
	for _, e := range events[:n] {
		report.Events = append(report.Events, m.Name(e.Slave)+" "+e.String())
	}
	out.Encode(report)
	return 0
}

// dropCapabilities starts the program again without the capabilities that are not
// to be kept. They are dropped on this thread, and a program that may gain no
// privileges has all its threads with no more than that.
func dropCapabilities(spec childSpec) error {
	var caps [2]unix.CapUserData
	for _, c := range spec.Keep {
		caps[c/32].Permitted |= 1 << (c % 32)
		caps[c/32].Effective |= 1 << (c % 32)
	}
	spec.Drop = false
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	if err := os.Setenv(childEnv, string(text)); err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &caps[0]); err != nil {
		return err
	}
	return unix.Exec("/proc/self/exe", os.Args, os.Environ())
}

func effectiveCapabilities() string {
	b, _ := os.ReadFile("/proc/thread-self/status")
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "CapEff:"); ok {
			return strings.TrimLeft(strings.TrimSpace(v), "0")
		}
	}
	return "?"
}

// A child is a process that runs a Monitor.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

// startChild starts a child in the host of a lab.
func startChild(t *testing.T, l *lab.Lab, spec childSpec) *child {
	t.Helper()
	spec.Slaves = l.Slaves()
	spec.Targets = []arpmon.Target{arpmon.IPv4(l.Addr("A")), arpmon.IPv4(l.Addr("B"))}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Host().Do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cancel()
		cmd.Wait()
	})
	return &child{t, cmd, stdin, bufio.NewScanner(stdout)}
}

// report waits for the next report of a child.
func (c *child) report() childReport {
	c.t.Helper()
	var r childReport
	if !c.lines.Scan() {
		c.t.Fatalf("the child says no more: %v", c.lines.Err())
	}
	if err := json.Unmarshal(c.lines.Bytes(), &r); err != nil {
		c.t.Fatalf("%v: %q", err, c.lines.Text())
	}
	return r
}

// TestMonitorCapabilities runs in a process that has CAP_NET_RAW only, and in one
// that has no capability at all.
func TestMonitorCapabilities(t *testing.T) {
	l := newLab(t, nil)
	t.Run("CAP_NET_RAW only", func(t *testing.T) {
		c := startChild(t, l, childSpec{Drop: true, Keep: []int{unix.CAP_NET_RAW}})
		r := c.report()
		if r.Capabilities != "2000" {
			t.Fatalf("the child has capabilities %s", r.Capabilities)
		}
		if !r.Up || r.Error != "" {
			t.Fatalf("%+v", r)
		}
		// It follows links without any privilege, and opens nothing anew.
		ip(t, l.Host(), "link", "del", "e2")
		recreate(t, l, "e2", "p2", "sw2")
		broken := cut(t, l, 1)
		waitFor(t, "the probes of the new e2", func() bool { return seenProbe(t, l, "p2", netip.IPv4Unspecified()) })
		undo(t, broken)
		c.stdin.Close()
		if r = c.report(); r.Stats.Reopened != 1 || r.Error != "" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("none", func(t *testing.T) {
		r := startChild(t, l, childSpec{Drop: true}).report()
		if r.Capabilities != "" {
			t.Fatalf("the child has capabilities %s", r.Capabilities)
		}
		if !r.Permission || !strings.Contains(r.Error, "CAP_NET_RAW") {
			t.Errorf("error %q", r.Error)
		}
	})
}

// seenProbe reports whether a probe from an address comes to a port of a switch within a second.
func seenProbe(t *testing.T, l *lab.Lab, port string, sender netip.Addr) bool {
	t.Helper()
	tap, err := l.Fabric().Tap(port)
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	deadline := time.Now().Add(time.Second)
	for {
		f, err := tap.Read(deadline)
		if err != nil {
			return false
		}
		if a, ok := f.ARP(); ok && !f.Outgoing && a.Op == 1 && a.SPA == sender {
			return true
		}
	}
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not %s", what)
		}
	}
}

// TestMonitorStopped stops the process for two seconds, five times the bound. That is
// no fault of the network.
func TestMonitorStopped(t *testing.T) {
	l := newLab(t, nil)
	c := startChild(t, l, childSpec{})
	if r := c.report(); !r.Up {
		t.Fatalf("%+v", r)
	}
	for range 2 {
		if err := c.cmd.Process.Signal(unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		over := time.NewTimer(2 * time.Second)
		<-over.C
		if err := c.cmd.Process.Signal(unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		probes := func(port string) bool { return seenProbe(t, l, port, netip.IPv4Unspecified()) }
		waitFor(t, "probing after it went on", func() bool { return probes("p1") && probes("p2") })
	}
	c.stdin.Close()
	r := c.report()
	// Each slave came up once and stayed so.
	if r.Transitions != 2 || r.Stats.Engine.Stalls < 2 || r.Stats.Engine.Stalled < 3*time.Second || r.Error != "" {
		t.Errorf("%d transitions, %+v, error %q\n%s", r.Transitions, r.Stats, r.Error, strings.Join(r.Events, "\n"))
	}
}
