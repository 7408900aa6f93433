// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/internal/lab"
)

// planReal is a real kernel of which requests can fail, before or after they are
// carried out, in turns.
type planReal struct {
	bond.Transport
	n, seen atomic.Int64
}

func (r *planReal) arm(n int) {
	r.n.Store(int64(n))
	r.seen.Store(0)
}

func (r *planReal) count() int { return int(r.seen.Load()) }

func (r *planReal) monitors() bool { return true }

func (r *planReal) Do(ctx context.Context, req bond.Message) ([]bond.Message, error) {
	n := r.seen.Add(1) - 1
	hit := n == r.n.Load()
	if hit && n/2%2 == 0 {
		return nil, &bond.KernelError{Errno: syscall.ENOMEM}
	}
	msgs, err := r.Transport.Do(ctx, req)
	if hit && err == nil {
		return nil, errPlanFault
	}
	return msgs, err
}

// newPlanReal returns a network namespace of its own with planLinks in it, which are
// ends of veths whose other ends are up, and a client for it. Of planLinks, eth1 is up.
func newPlanReal(t *testing.T) (*planReal, *bond.Client) {
	t.Helper()
	lab.Require(t, lab.NeedBonding)
	file, err := planNamespace()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	transport, err := bond.ClientTransport(&bond.Config{NetNS: int(file.Fd())})
	if err != nil {
		t.Fatal(err)
	}
	real := &planReal{Transport: transport}
	real.arm(-1)
	return real, planDial(t, real)
}

// planNamespace makes the namespace. It lives as long as its file, or a socket in it.
func planNamespace() (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{err: err}
			return
		}
		file, err := os.Open("/proc/thread-self/ns/net")
		if err == nil {
			err = planVeths()
		}
		made <- result{file, err}
	}()
	r := <-made
	return r.file, r.err
}

// planVeths makes planLinks.
func planVeths() error {
	// IPv6 would send packets of its own, which the ARP monitor takes for answers.
	err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var lines []string
	for i, name := range planLinks {
		lines = append(lines,
			fmt.Sprintf("link add %s address 02:00:00:00:00:%02x type veth peer name p%s", name, i, name),
			"link set p"+name+" up")
	}
	lines = append(lines, "link set eth1 up")
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	return nil
}

// TestApplyRandomKernel goes from random spec to random spec on the kernel that the test runs on.
func TestApplyRandomKernel(t *testing.T) {
	real, c := newPlanReal(t)
	features, err := c.ProbeFeatures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	can := func(opt bond.Option) bool {
		// Nothing tells whether these are known without a slave.
		return features.Has(opt) && opt != bond.OptionPrio && opt != bond.OptionActorPortPrio
	}
	seed := uint64(1)
	if s := os.Getenv("BONDKIT_SEED"); s != "" {
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d; BONDKIT_SEED sets another", seed)
	r := &planRandom{Rand: rand.New(rand.NewPCG(seed, 5)), can: can}
	rounds := 60
	if testing.Short() {
		rounds = 20
	}
	planProperty(t, c, real, r, func(round int) bool { return round < rounds })
}

// TestApplyEveryFailureKernel has every request of a change of mode fail on the kernel that
// the test runs on, and in short mode every third.
func TestApplyEveryFailureKernel(t *testing.T) {
	real, c := newPlanReal(t)
	start, target := planModeChange()
	planApply(t, c, start)

	real.arm(-1)
	if _, err := c.Apply(t.Context(), target, planAll); err != nil {
		t.Fatal(err)
	}
	requests := real.count()
	planApply(t, c, start)
	before := planState(t, c)
	step := 1
	if testing.Short() {
		step = 3
	}
	for n := 0; n < requests; n += step {
		real.arm(n)
		res, err := c.Apply(t.Context(), target, planAll)
		made := real.count()
		real.arm(-1)
		if err == nil && made <= n && n > 0 {
			// One name less was looked up than when they were counted, for another slave was active.
			planApply(t, c, start)
			continue
		}
		if err == nil {
			t.Fatalf("request %d: no error", n)
		}
		if res != nil && res.RollbackErr != nil {
			t.Fatalf("request %d: %v", n, res.RollbackErr)
		}
		if diff := planDiffers(t, c, before); diff != "" {
			t.Fatalf("request %d: not as it was after %v (-before +after):\n%s", n, err, diff)
		}
	}
	t.Logf("%d requests", requests)
}
