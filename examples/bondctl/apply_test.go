// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// applyBench has a bond0 that is up and has two slaves, and a third interface.
func applyBench(t *testing.T) *bench {
	b := newBench(t, nil)
	b.twoSlaves()
	b.kernel.AddLink("eth2", &bondtest.LinkConfig{Index: 4})
	b.must("create bond0 mode=active-backup miimon=100 slaves=eth0,eth1 up")
	return b
}

// snapshot returns everything that is shown of bond0.
func (b *bench) snapshot() string { return b.must("show bond0 -json") }

const liveSpec = `{"name": "bond0", "options": {"miimon": 200, "primary": "eth1"}, "slaves": ["eth0", "eth1", "eth2"]}`

func TestPlan(t *testing.T) {
	b := applyBench(t)
	before := b.snapshot()
	b.kernel.ResetRequests()
	spec := b.file(liveSpec)
	plan := b.must("plan -f " + spec)
	for _, want := range []string{"bond0", "eth2", "miimon", "primary"} {
		if !strings.Contains(plan, want) {
			t.Errorf("no %s in the plan\n%s", want, plan)
		}
	}
	b.stdin = strings.NewReader(liveSpec)
	if got := b.must("plan -f -"); got != plan {
		t.Errorf("from standard input:\n%s\nfrom the file:\n%s", got, plan)
	}
	if got := b.must("apply -dry-run -f " + spec); got != plan {
		t.Errorf("dry run:\n%s\nplan:\n%s", got, plan)
	}
	if n := len(b.kernel.Changes()); n != 0 {
		t.Errorf("%d changes", n)
	}
	if diff := cmp.Diff(before, b.snapshot()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}

func TestApply(t *testing.T) {
	b := applyBench(t)
	spec := b.file(liveSpec)
	stdout, stderr, status := b.run("apply -f " + spec)
	if status != cli.ExitDone || !strings.HasSuffix(stdout, "done\n") {
		t.Fatalf("status %d, standard output %q, standard error %q", status, stdout, stderr)
	}
	if got := b.get("bond0"); got.MIIMon != 200*time.Millisecond || got.Primary.Name != "eth1" {
		t.Errorf("bond0 is %+v", got)
	}
	if diff := cmp.Diff([]string{"eth0", "eth1", "eth2"}, b.slaves("bond0")); diff != "" {
		t.Errorf("slaves (-want +got):\n%s", diff)
	}
	// Nothing is left to do.
	b.kernel.ResetRequests()
	stdout, _, status = b.run("apply -f " + spec)
	if status != cli.ExitDone || strings.Contains(stdout, "done") || len(b.kernel.Changes()) != 0 {
		t.Errorf("again: status %d, standard output %q, %d changes", status, stdout, len(b.kernel.Changes()))
	}
}

// TestApplyRefused does nothing that was not allowed, and a dry run says so.
func TestApplyRefused(t *testing.T) {
	b := applyBench(t)
	spec := b.file(`{"name": "bond0", "options": {"mode": "802.3ad", "lacp_rate": "fast"}}`)
	before := b.snapshot()
	for _, line := range []string{"apply -f " + spec, "apply -dry-run -f " + spec, "apply -allow down -f " + spec, "apply -dry-run -allow down -f " + spec} {
		b.kernel.ResetRequests()
		_, stderr, status := b.run(line)
		if status != cli.ExitFailed || !strings.Contains(stderr, bond.ErrDisruptive.Error()) || !strings.Contains(stderr, "release") || strings.Count(stderr, "bondctl: ") != 1 {
			t.Errorf("%s: status %d, standard error %q", line, status, stderr)
		}
		if n := len(b.kernel.Changes()); n != 0 {
			t.Errorf("%s: %d changes", line, n)
		}
	}
	if diff := cmp.Diff(before, b.snapshot()); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
	_, stderr, status := b.run("apply -allow release -f " + spec)
	if got := b.get("bond0"); status != cli.ExitDone || got.Mode != bond.Mode8023AD || got.LACPRate != bond.LACPRateFast || !got.Up() {
		t.Errorf("status %d, standard error %q, bond0 %+v", status, stderr, got)
	}
}

// TestApplyMissing meets a slave that does not exist.
func TestApplyMissing(t *testing.T) {
	b := applyBench(t)
	spec := b.file(`{"name": "bond0", "slaves": ["eth0", "eth1", "eth2", "eth9"]}`)
	for _, line := range []string{"apply -f " + spec, "apply -dry-run -f " + spec} {
		_, stderr, status := b.run(line)
		if status != cli.ExitFailed || !strings.Contains(stderr, "eth9") {
			t.Errorf("%s: status %d, standard error %q", line, status, stderr)
		}
	}
	if diff := cmp.Diff([]string{"eth0", "eth1"}, b.slaves("bond0")); diff != "" {
		t.Errorf("slaves (-want +got):\n%s", diff)
	}
	if _, stderr, status := b.run("apply -allow-missing -dry-run -f " + spec); status != cli.ExitDone {
		t.Errorf("dry run: status %d, standard error %q", status, stderr)
	}
	if _, stderr, status := b.run("apply -allow-missing -f " + spec); status != cli.ExitDone {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	if diff := cmp.Diff([]string{"eth0", "eth1", "eth2"}, b.slaves("bond0")); diff != "" {
		t.Errorf("slaves (-want +got):\n%s", diff)
	}
}

// TestApplyRollback fails each of the changes in turn; then all is as it was.
func TestApplyRollback(t *testing.T) {
	for n := 1; ; n++ {
		b := applyBench(t)
		before := b.snapshot()
		changes := 0
		b.kernel.Fail(func(req bond.Message) error {
			if req.Type == rtmNewLink {
				if changes++; changes == n {
					return &bond.KernelError{Errno: syscall.EINVAL}
				}
			}
			return nil
		})
		_, stderr, status := b.run("apply -f " + b.file(liveSpec))
		b.kernel.Fail(nil)
		if status == cli.ExitDone {
			if n < 3 {
				t.Errorf("only %d changes", n-1)
			}
			break
		}
		if status != cli.ExitFailed {
			t.Fatalf("failure %d: status %d, standard error %q", n, status, stderr)
		}
		if n > 1 && !strings.Contains(stderr, "everything is as it was") {
			t.Errorf("failure %d: standard error %q", n, stderr)
		}
		if diff := cmp.Diff(before, b.snapshot()); diff != "" {
			t.Errorf("failure %d (-before +after):\n%s", n, diff)
		}
	}
}

// silence is the standard input of somebody who does not type.
type silence struct{ end chan struct{} }

func (s silence) Read([]byte) (int, error) {
	<-s.end
	return 0, io.EOF
}

func newSilence(t *testing.T) silence {
	s := silence{make(chan struct{})}
	t.Cleanup(func() { close(s.end) })
	return s
}

// TestApplyConfirm keeps a change only for a yes.
func TestApplyConfirm(t *testing.T) {
	tests := []struct {
		name  string
		stdin func(t *testing.T) io.Reader
		want  string // in standard error; empty if the change stays
		limit string // 1h if empty
	}{
		{"yes", func(*testing.T) io.Reader { return strings.NewReader("yes\n") }, "", ""},
		{"YES with blanks", func(*testing.T) io.Reader { return strings.NewReader("  YES \r\nno\n") }, "", ""},
		{"no", func(*testing.T) io.Reader { return strings.NewReader("no\n") }, "the answer was no", ""},
		{"empty line", func(*testing.T) io.Reader { return strings.NewReader("\n") }, `the answer was ""`, ""},
		{"typing error", func(*testing.T) io.Reader { return strings.NewReader("yse\x1b\n") }, `the answer was "yse\x1b"`, ""},
		{"end of input", func(*testing.T) io.Reader { return strings.NewReader("") }, "no answer", ""},
		{"broken line", func(*testing.T) io.Reader { return errReader{} }, "no answer", ""},
		{"nothing typed", func(t *testing.T) io.Reader { return newSilence(t) }, "no answer in 1s", "1s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := applyBench(t)
			b.speeds = map[int]speed{2: {25000, "full"}}
			before := b.snapshot()
			b.stdin = tt.stdin(t)
			limit := tt.limit
			if limit == "" {
				limit = "1h0m0s"
			}
			stdout, stderr, status := b.run("apply -confirm " + limit + " -f " + b.file(liveSpec))
			if !strings.Contains(stderr, "Keep this change? Type yes within "+limit+", or it is undone: \n") ||
				!strings.Contains(stderr, "miimon 200 ms") || !strings.Contains(stderr, "25 Gbit/s full") {
				t.Errorf("standard error %q has no question with what it is about", stderr)
			}
			got := b.get("bond0")
			if tt.want == "" {
				if status != cli.ExitDone || !strings.HasSuffix(stdout, "done\n") || got.MIIMon != 200*time.Millisecond {
					t.Errorf("status %d, standard output %q, standard error %q, miimon %v", status, stdout, stderr, got.MIIMon)
				}
				return
			}
			if status != cli.ExitFailed || !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, "everything is as it was") || strings.Contains(stdout, "done") {
				t.Errorf("status %d, standard output %q, standard error %q", status, stdout, stderr)
			}
			if diff := cmp.Diff(before, b.snapshot()); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

// TestApplyConfirmSettles asks when the kernel has found the link of a new slave.
func TestApplyConfirmSettles(t *testing.T) {
	b := applyBench(t)
	b.kernel.SetCarrier("eth2", false)
	b.stdin = strings.NewReader("yes\n")
	client, err := bond.Dial(&bond.Config{Transport: b.kernel.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	found := make(chan struct{})
	go func() {
		defer close(found)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			slaves, err := client.Slaves(t.Context(), bond.Link{Name: "bond0"})
			if err != nil || len(slaves) == 3 {
				b.kernel.SetCarrier("eth2", true)
				return
			}
		}
	}()
	_, stderr, status := b.run("apply -confirm 1h -f " + b.file(liveSpec))
	<-found
	if status != cli.ExitDone || !strings.Contains(stderr, "bond0  OK\n") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	// It does not wait for what does not come.
	b = applyBench(t)
	b.kernel.SetCarrier("eth2", false)
	b.stdin = strings.NewReader("yes\n")
	_, stderr, status = b.run("apply -confirm 20s -f " + b.file(liveSpec))
	if status != cli.ExitDone || !strings.Contains(stderr, "bond0  DEGRADED  eth2 down\n") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// endless is an input without an end, and without a line.
type endless struct{ n atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'y'
	}
	e.n.Add(int64(len(p)))
	return len(p), nil
}

// TestApplyConfirmEndless does not wait for the end of an answer that has none.
func TestApplyConfirmEndless(t *testing.T) {
	b := applyBench(t)
	before := b.snapshot()
	in := &endless{}
	b.stdin = in
	_, stderr, status := b.run("apply -confirm 1m -f " + b.file(liveSpec))
	if n := in.n.Load(); n > 1<<16 {
		t.Errorf("%d bytes were read", n)
	}
	if status != cli.ExitFailed || !strings.Contains(stderr, "the answer was yyyyyy") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	if diff := cmp.Diff(before, b.snapshot()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// TestApplyConfirmInterruptedEarly is interrupted before it asks, with a yes waiting.
func TestApplyConfirmInterruptedEarly(t *testing.T) {
	b := applyBench(t)
	b.kernel.SetCarrier("eth2", false)
	before := b.snapshot()
	b.stdin = strings.NewReader("yes\n")
	client, err := bond.Dial(&bond.Config{Transport: b.kernel.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	found := make(chan struct{})
	go func() {
		defer close(found)
		defer interrupt()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		var settling time.Time
		for range tick.C {
			slaves, err := client.Slaves(t.Context(), bond.Link{Name: "bond0"})
			if len(slaves) == 3 && settling.IsZero() {
				settling = time.Now()
			}
			if err != nil || !settling.IsZero() && time.Since(settling) > 100*time.Millisecond {
				return
			}
		}
	}()
	var out, errs bytes.Buffer
	sys := b.system(&out, &errs)
	painted := false // the question is what has colours
	sys.terminal = func(io.Writer) bool {
		painted = true
		return false
	}
	status := run(ctx, []string{"apply", "-confirm", "1h", "-f", b.file(liveSpec)}, sys)
	<-found
	if status != cli.ExitInterrupt || painted {
		t.Errorf("status %d, asked %v, standard error %q", status, painted, errs.String())
	}
	if diff := cmp.Diff(before, b.snapshot()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TestApplyConfirmInterrupted goes back on an interrupt, even if the terminal hangs.
func TestApplyConfirmInterrupted(t *testing.T) {
	b := applyBench(t)
	before := b.snapshot()
	ctx, interrupt := context.WithCancel(t.Context())
	b.stdin = newSilence(t)
	var out bytes.Buffer
	// The question is written after the change.
	errs := &trigger{text: "Keep this change?", then: interrupt}
	status := run(ctx, []string{"apply", "-confirm", "1h", "-f", b.file(liveSpec)}, b.system(&out, errs))
	if status != cli.ExitInterrupt || !strings.Contains(errs.String(), "not confirmed; interrupted (everything is as it was)") {
		t.Errorf("status %d, standard error %q", status, errs.String())
	}
	if diff := cmp.Diff(before, b.snapshot()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// trigger is a writer that does something when a text is written.
type trigger struct {
	bytes.Buffer
	text string
	then func()
}

func (w *trigger) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.text)) {
		w.then()
	}
	return w.Buffer.Write(p)
}

// TestApplyConfirmDeadLine has a terminal that takes nothing any more, as behind a connection that
// the change has cut. The change is undone all the same.
func TestApplyConfirmDeadLine(t *testing.T) {
	b := applyBench(t)
	before := b.snapshot()
	stuck := silence{make(chan struct{})}
	b.stdin = stuck
	done := make(chan int, 1)
	var out bytes.Buffer
	asked := make(chan struct{})
	errs := &trigger{text: "Keep this change?", then: func() {
		close(asked)
		<-stuck.end
	}}
	line := []string{"apply", "-confirm", "5s", "-f", b.file(liveSpec)}
	sys := b.system(&out, errs)
	go func() { done <- run(t.Context(), line, sys) }()
	<-asked
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for b.get("bond0").MIIMon != 100*time.Millisecond || len(b.slaves("bond0")) != 2 {
		select {
		case <-deadline:
			t.Fatal("the change is still there")
		case <-tick.C:
		}
	}
	if diff := cmp.Diff(before, b.snapshot()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	close(stuck.end)
	if status := <-done; status != cli.ExitFailed || !strings.Contains(errs.String(), "no answer in 5s") {
		t.Errorf("status %d, standard error %q", status, errs.String())
	}
}

// TestApplyNothingToConfirm does not ask about nothing.
func TestApplyNothingToConfirm(t *testing.T) {
	b := applyBench(t)
	b.stdin = newSilence(t)
	stdout, stderr, status := b.run("apply -confirm 1h -f " + b.file(`{"name": "bond0", "options": {"miimon": 100}}`))
	if status != cli.ExitDone || strings.Contains(stderr, "Keep") || strings.Contains(stdout, "done") {
		t.Errorf("status %d, standard output %q, standard error %q", status, stdout, stderr)
	}
}

// TestApplyBadValue has a specification with values that do not exist.
func TestApplyBadValue(t *testing.T) {
	b := applyBench(t)
	b.kernel.ResetRequests()
	for _, tt := range []struct{ spec, want string }{
		{`{"name": "bond0", "mtu": 1}`, "mtu 1"},
		{`{"name": "bond0", "mac": "01:00:5e:00:53:01"}`, "mac 01:00:5e:00:53:01"},
		{`{"name": "bond0", "slaves": ["eth0", "eth0"]}`, "eth0"},
		{`{"name": "a/b"}`, "a/b"},
	} {
		for _, line := range []string{"plan -f ", "apply -f "} {
			stdout, stderr, status := b.run(line + b.file(tt.spec))
			if status != cli.ExitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "bondctl: plan ") || !strings.Contains(stderr, tt.want) {
				t.Errorf("%s%s: status %d, standard output %q, standard error %q", line, tt.spec, status, stdout, stderr)
			}
		}
	}
	if n := len(b.kernel.Changes()); n != 0 {
		t.Errorf("%d changes", n)
	}
}

func TestApplyNoFile(t *testing.T) {
	b := applyBench(t)
	_, stderr, status := b.run("apply -f " + t.TempDir() + "/nothing.json")
	if status != cli.ExitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "nothing.json") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}
