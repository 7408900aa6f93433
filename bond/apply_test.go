// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// planModeChange returns the spec of an active-backup bond with a bit of everything, and another
// that takes releasing the slaves.
func planModeChange() (start, target *bond.Spec) {
	start = &bond.Spec{
		Name: "bond0", Up: new(true), MTU: new(1400),
		Options: bond.Options{
			Mode: new(bond.ModeActiveBackup), ARPInterval: new(time.Second),
			ARPTargets:  []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")},
			ARPValidate: new(bond.ARPValidateAll), Primary: &bond.Link{Name: "eth1"},
			NumPeerNotif: new(uint8(3)),
		},
		Slaves: []bond.SlaveSpec{
			{Name: "eth0", Options: bond.SlaveOptions{QueueID: new(uint16(1))}},
			{Name: "eth1", Options: bond.SlaveOptions{QueueID: new(uint16(2))}},
		},
	}
	target = &bond.Spec{
		Name: "bond0", Up: new(true), MTU: new(1500),
		Options: bond.Options{
			Mode: new(bond.Mode8023AD), MIIMon: new(50 * time.Millisecond), UpDelay: new(100 * time.Millisecond),
			LACPRate: new(bond.LACPRateFast),
		},
		Slaves: []bond.SlaveSpec{
			{Name: "eth2"},
			{Name: "eth1", Options: bond.SlaveOptions{QueueID: new(uint16(1))}},
		},
	}
	return start, target
}

// planPair returns the spec of an active-backup bond of eth0 and eth1.
func planPair() *bond.Spec {
	return &bond.Spec{
		Name: "bond0", Up: new(true),
		Options: bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)},
		Slaves:  []bond.SlaveSpec{{Name: "eth0"}, {Name: "eth1"}},
	}
}

// planCases are changes of every kind.
func planCases() map[string][2]*bond.Spec {
	start, mode := planModeChange()
	pair := planPair()
	change := func(f func(s *bond.Spec)) *bond.Spec {
		s := *pair
		s.Options = pair.Options.Clone()
		f(&s)
		return &s
	}
	return map[string][2]*bond.Spec{
		"create": {nil, start},
		"mode":   {start, mode},
		"back":   {mode, start},
		"live": {pair, change(func(s *bond.Spec) {
			s.Options = bond.Options{MIIMon: new(50 * time.Millisecond), ResendIGMP: new(uint32(7)), Active: &bond.Link{Name: "eth1"}}
		})},
		"down": {pair, change(func(s *bond.Spec) {
			s.Options = bond.Options{ADSelect: new(bond.ADSelectCount)}
			s.Up, s.MAC, s.MTU = new(true), net.HardwareAddr{2, 1, 1, 1, 1, 1}, new(1300)
		})},
		"slaves": {pair, change(func(s *bond.Spec) {
			s.Slaves = []bond.SlaveSpec{{Name: "eth3"}, {Name: "eth2", Options: bond.SlaveOptions{Prio: new(int32(5))}}}
		})},
		"empty":    {pair, change(func(s *bond.Spec) { s.Slaves = []bond.SlaveSpec{} })},
		"recreate": {start, change(func(s *bond.Spec) { s.Options = bond.Options{}; s.TxQueues = new(4) })},
		"follow mac": {
			change(func(s *bond.Spec) { s.Options.FailOverMAC = new(bond.FailOverMACFollow) }),
			change(func(s *bond.Spec) { s.Options = bond.Options{}; s.MAC = net.HardwareAddr{2, 1, 1, 1, 1, 1} }),
		},
		"follow": {pair, change(func(s *bond.Spec) { s.Options.FailOverMAC = new(bond.FailOverMACFollow) })},
	}
}

// TestApplyEveryFailure has every request of an apply fail in turn, before and after it is
// carried out. Everything must be as it was, and the error must say so.
func TestApplyEveryFailure(t *testing.T) {
	for name, specs := range planCases() {
		for _, after := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				k, c := planKernel(t, nil)
				f := &planFake{k: k, after: after}
				f.arm(-1)
				if specs[0] != nil {
					planApply(t, c, specs[0])
				}
				before := planView(planState(t, c))
				for n := 0; ; n++ {
					f.arm(n)
					res, err := c.Apply(t.Context(), specs[1], planAll)
					reached := f.count() > n
					f.arm(-1)
					if !reached {
						if err != nil {
							t.Fatal(err)
						}
						if n < 5 {
							t.Fatalf("only %d requests", n)
						}
						return
					}
					if err == nil {
						t.Fatalf("request %d: no error", n)
					}
					if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
						t.Fatalf("request %d: not as it was after %v (-before +after):\n%s", n, err, diff)
					}
					e, ok := errors.AsType[*bond.Error](err)
					if !ok || e.Op != "apply" || e.Link != "bond0" {
						t.Fatalf("request %d: %#v", n, err)
					}
					if after != errors.Is(err, errPlanFault) || after == errors.Is(err, syscall.ENOMEM) {
						t.Fatalf("request %d: the cause is lost: %v", n, err)
					}
					if res != nil && len(res.Done) > 0 && (!res.RolledBack || !strings.Contains(err.Error(), "as it was")) {
						t.Fatalf("request %d: nothing is said about the rollback: %v", n, err)
					}
				}
			})
		}
	}
}

// TestApplyConfirm checks that the caller has the last word.
func TestApplyConfirm(t *testing.T) {
	start, target := planModeChange()
	_, c := planKernel(t, nil)
	planApply(t, c, start)
	before := planView(planState(t, c))

	unreachable := errors.New("the gateway does not answer")
	var seen *bond.State
	res, err := c.Apply(t.Context(), target, &bond.ApplyOptions{
		Allow: bond.DisruptionRecreate,
		Confirm: func(_ context.Context, after *bond.State) error {
			seen = after
			return unreachable
		},
	})
	if !errors.Is(err, bond.ErrRejected) || !errors.Is(err, unreachable) {
		t.Errorf("error is %v", err)
	}
	if seen == nil || seen.Bond.Mode != bond.Mode8023AD || len(seen.Slaves) != 2 {
		t.Errorf("Confirm was called with %+v", seen)
	}
	if !res.RolledBack || res.RollbackErr != nil || len(res.Done) != len(res.Plan.Steps) {
		t.Errorf("result %+v", res)
	}
	if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
		t.Errorf("not as it was (-before +after):\n%s", diff)
	}
	if b := res.After.Bond; b.Mode != bond.ModeActiveBackup || len(res.After.Slaves) != 2 {
		t.Errorf("After is not what there is: %v of %v", b.Mode, res.After.Slaves)
	}

	// A panic is no yes.
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		c.Apply(t.Context(), target, &bond.ApplyOptions{
			Allow:   bond.DisruptionRecreate,
			Confirm: func(context.Context, *bond.State) error { panic("oops") },
		})
	}()
	if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
		t.Errorf("not as it was (-before +after):\n%s", diff)
	}

	// Yes, and nothing to be confirmed any more.
	asked := 0
	ao := &bond.ApplyOptions{
		Allow:   bond.DisruptionRecreate,
		Confirm: func(context.Context, *bond.State) error { asked++; return nil },
	}
	for range 2 {
		if _, err := c.Apply(t.Context(), target, ao); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// TestApplyContext ends the context at several places.
func TestApplyContext(t *testing.T) {
	start, target := planModeChange()
	for _, at := range []int{1, 4, 9} {
		k, c := planKernel(t, nil)
		planApply(t, c, start)
		before := planView(planState(t, c))
		ctx, cancel := context.WithCancelCause(t.Context())
		n := 0
		k.FailAfter(func(req bond.Message) error {
			if req.Type == 16 { // RTM_NEWLINK
				if n++; n == at {
					cancel(nil)
					return context.Canceled
				}
			}
			return nil
		})
		res, err := c.Apply(ctx, target, planAll)
		if !errors.Is(err, context.Canceled) || !res.RolledBack {
			t.Errorf("at change %d: %v", at, err)
		}
		if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
			t.Errorf("at change %d: not as it was (-before +after):\n%s", at, diff)
		}
	}

	t.Run("while confirming", func(t *testing.T) {
		_, c := planKernel(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := c.Apply(ctx, target, &bond.ApplyOptions{
			Confirm: func(context.Context, *bond.State) error { cancel(); return nil },
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if planState(t, c).Bond != nil {
			t.Error("the bond is there")
		}
	})

	t.Run("while the kernel hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k, c := planKernel(t, nil)
			planApply(t, c, start)
			before := planView(planState(t, c))
			changes := 0
			k.Hang(func(req bond.Message) bool {
				if req.Type == 16 { // RTM_NEWLINK
					changes++
					return changes == 5
				}
				return false
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := c.Apply(ctx, target, planAll)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
				t.Errorf("not as it was (-before +after):\n%s", diff)
			}
		})
	})
}

// TestApplySlaveVanishes removes a slave in the middle.
func TestApplySlaveVanishes(t *testing.T) {
	setup := func(t *testing.T) *bond.Client {
		k, c := planKernel(t, nil)
		planApply(t, c, &bond.Spec{Name: "bond0", Slaves: []bond.SlaveSpec{{Name: "eth0"}}})
		k.Fail(func(req bond.Message) error {
			// It is gone when eth1 has been enslaved.
			if k.Index("eth2") != 0 && req.Type == 16 && len(planState(t, planDial(t, k.Transport())).Slaves) == 2 {
				k.Remove("eth2")
			}
			return nil
		})
		return c
	}
	spec := &bond.Spec{Name: "bond0", Slaves: []bond.SlaveSpec{{Name: "eth0"}, {Name: "eth1"}, {Name: "eth2"}, {Name: "eth3"}}}

	c := setup(t)
	res, err := c.Apply(t.Context(), spec, nil)
	if !errors.Is(err, os.ErrNotExist) || !res.RolledBack {
		t.Errorf("error is %v", err)
	}
	now := planState(t, c)
	if len(now.Slaves) != 1 || now.Slaves[0].Name != "eth0" {
		t.Errorf("slaves are %v", now.Slaves)
	}

	// ifupdown2#338: one missing slave must not stop the others.
	c = setup(t)
	res, err = c.Apply(t.Context(), spec, &bond.ApplyOptions{AllowMissing: true})
	if err != nil {
		t.Fatal(err)
	}
	if now := planState(t, c); len(now.Slaves) != 3 || len(res.Skipped) == 0 {
		t.Errorf("slaves are %v, skipped %v", now.Slaves, res.Skipped)
	}
}

// TestApplyCannotGoBack loses a slave that the rollback needs, and a kernel that
// answers nothing any more.
func TestApplyCannotGoBack(t *testing.T) {
	start, target := planModeChange()
	k, c := planKernel(t, nil)
	planApply(t, c, start)
	res, err := c.Apply(t.Context(), target, &bond.ApplyOptions{
		Allow: bond.DisruptionRecreate,
		Confirm: func(context.Context, *bond.State) error {
			k.Remove("eth0")
			return errors.New("no")
		},
	})
	if !errors.Is(err, bond.ErrRejected) || res.RolledBack || !errors.Is(res.RollbackErr, os.ErrNotExist) {
		t.Errorf("%v, rollback: %v", err, res.RollbackErr)
	}
	if !strings.Contains(err.Error(), "not everything is as it was") || !strings.Contains(err.Error(), "eth0") {
		t.Errorf("error is %v", err)
	}
	now := planState(t, c)
	if now.Bond.Mode != bond.ModeActiveBackup || len(now.Slaves) != 1 {
		t.Errorf("the rest was not put back: %v with %v", now.Bond.Mode, now.Slaves)
	}

	gone := errors.New("gone")
	res, err = c.Apply(t.Context(), target, &bond.ApplyOptions{
		Allow: bond.DisruptionRecreate, AllowMissing: true,
		Confirm: func(context.Context, *bond.State) error {
			k.Fail(func(bond.Message) error { return gone })
			return errors.New("no")
		},
	})
	k.Fail(nil)
	if !errors.Is(err, bond.ErrRejected) || res.RolledBack || !errors.Is(res.RollbackErr, gone) {
		t.Errorf("%v, rollback: %v", err, res.RollbackErr)
	}
}

// TestApplyIgnoredOption has a kernel that knows less than was asked for, and takes it all the same.
func TestApplyIgnoredOption(t *testing.T) {
	_, c := planKernel(t, &bondtest.Config{Ignore: []bond.Option{bond.OptionCoupledControl, bond.OptionPrio}})
	lacp := &bond.Spec{Name: "bond0", Options: bond.Options{Mode: new(bond.Mode8023AD), CoupledControl: new(false)}}
	pair := planPair()
	pair.Slaves[1].Options.Prio = new(int32(3))
	for _, spec := range []*bond.Spec{lacp, pair} {
		res, err := c.Apply(t.Context(), spec, planAll)
		if !errors.Is(err, errors.ErrUnsupported) || !res.RolledBack {
			t.Errorf("error is %v", err)
		}
		if planState(t, c).Bond != nil {
			t.Error("the bond is there")
		}
	}
	// On a bond that exists, and with the rest of the message in effect.
	planApply(t, c, &bond.Spec{Name: "bond0", Options: bond.Options{Mode: new(bond.Mode8023AD)}})
	before := planView(planState(t, c))
	lacp.Options.MinLinks = new(uint32(2))
	_, err := c.Apply(t.Context(), lacp, planAll)
	e, ok := errors.AsType[*bond.Error](err)
	if !errors.Is(err, errors.ErrUnsupported) || !ok || !strings.Contains(err.Error(), "coupled_control") {
		t.Errorf("error is %v", e)
	}
	if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
		t.Errorf("not as it was (-before +after):\n%s", diff)
	}
}

// TestApplySerialised runs two applies to one bond at once. Each finds the
// other's work done or not begun.
func TestApplySerialised(t *testing.T) {
	_, c := planKernel(t, nil)
	a, b := planModeChange()
	var confirming atomic.Int32
	ao := &bond.ApplyOptions{
		Allow: bond.DisruptionRecreate,
		Confirm: func(context.Context, *bond.State) error {
			if confirming.Add(1) != 1 {
				t.Error("another is confirming")
			}
			runtime.Gosched()
			confirming.Add(-1)
			return nil
		},
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			spec := a
			if i%2 == 1 {
				spec = b
			}
			if _, err := c.Apply(t.Context(), spec, ao); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	// Who waits stops when its context ends.
	inside := make(chan struct{})
	leave := make(chan struct{})
	spec := planPair()
	spec.Name = "bond7"
	spec.Slaves = nil
	wg.Go(func() {
		c.Apply(t.Context(), spec, &bond.ApplyOptions{Confirm: func(context.Context, *bond.State) error {
			close(inside)
			<-leave
			return nil
		}})
	})
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Apply(ctx, spec, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	// Another bond does not wait.
	if _, err := c.Apply(t.Context(), &bond.Spec{Name: "bond8"}, nil); err != nil {
		t.Error(err)
	}
	close(leave)
	wg.Wait()
}
