// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// TestApplyUnverified sets what the kernel does not show in a user namespace.
func TestApplyUnverified(t *testing.T) {
	k, root := planKernel(t, nil)
	c := planDial(t, k.UserNamespace())
	spec := &bond.Spec{Name: "bond0", Options: bond.Options{Mode: new(bond.Mode8023AD), ADActorSysPrio: new(uint16(77))}}
	for range 2 {
		res, err := c.Apply(t.Context(), spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(res.Unverified, []bond.Option{bond.OptionADActorSysPrio}) {
			t.Errorf("unverified are %v", res.Unverified)
		}
		if b := planState(t, root).Bond; b.ADActorSysPrio != 77 {
			t.Errorf("ad_actor_sys_prio is %d", b.ADActorSysPrio)
		}
	}
}

// TestApplyUnprivileged shows what an apply without CAP_NET_ADMIN does: nothing.
func TestApplyUnprivileged(t *testing.T) {
	k, c := planKernel(t, nil)
	planApply(t, c, planPair())
	before := planView(planState(t, c))
	user := planDial(t, k.Unprivileged())
	if p, err := user.Plan(t.Context(), planPair()); err != nil || !p.IsEmpty() {
		t.Errorf("plan: %v, %v", p, err)
	}
	spec := planPair()
	spec.Options.MIIMon = new(time.Second)
	res, err := user.Apply(t.Context(), spec, planAll)
	if !errors.Is(err, os.ErrPermission) || len(res.Done) != 0 || res.RollbackErr != nil {
		t.Errorf("%v, rollback: %v", err, res.RollbackErr)
	}
	if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
		t.Error(diff)
	}
}

// TestApplyLinksAsBefore checks what becomes of interfaces that were up or down before they became slaves.
func TestApplyLinksAsBefore(t *testing.T) {
	_, c := planKernel(t, nil)
	before := planView(planState(t, c))
	spec := planPair()
	spec.MTU = new(1234)
	_, err := c.Apply(t.Context(), spec, &bond.ApplyOptions{
		Confirm: func(context.Context, *bond.State) error { return errors.New("no") },
	})
	if !errors.Is(err, bond.ErrRejected) {
		t.Error(err)
	}
	if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
		t.Errorf("not as it was (-before +after):\n%s", diff)
	}
}

// TestApplySlaveWasDown checks that a slave that was switched off is again after a rollback, and has the MTU
// that it had.
func TestApplySlaveWasDown(t *testing.T) {
	k, c := planKernel(t, nil)
	planApply(t, c, planPair())
	k.SetUp("eth1", false)
	if err := c.SetMTU(t.Context(), bond.Link{Name: "eth0"}, 1300); err != nil {
		t.Fatal(err)
	}
	before := planView(planState(t, c))
	_, target := planModeChange()
	_, err := c.Apply(t.Context(), target, &bond.ApplyOptions{
		Allow:   bond.DisruptionRecreate,
		Confirm: func(context.Context, *bond.State) error { return errors.New("no") },
	})
	if !errors.Is(err, bond.ErrRejected) {
		t.Error(err)
	}
	if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
		t.Errorf("not as it was (-before +after):\n%s", diff)
	}
}

// TestApplySomebodyElseChanges has another program undo the change before it is read back.
func TestApplySomebodyElseChanges(t *testing.T) {
	tests := []struct {
		name string
		undo func(k *bondtest.Kernel)
		want error
		text string
	}{
		{"option", func(k *bondtest.Kernel) { k.Set("bond0", bond.Options{ResendIGMP: new(uint32(200))}) }, bond.ErrNotApplied, "resend_igmp 9"},
		{"slave option", func(k *bondtest.Kernel) { k.SetSlave("eth0", bond.SlaveOptions{QueueID: new(uint16(7))}) }, bond.ErrNotApplied, "queue_id 4"},
		{"switched off", func(k *bondtest.Kernel) { k.SetUp("bond0", false) }, bond.ErrNotApplied, "up bond0"},
		{"slave removed", func(k *bondtest.Kernel) { k.Remove("eth1") }, os.ErrNotExist, "eth1"},
		{"slave taken", func(k *bondtest.Kernel) { k.Enslave("", "eth1"); k.Enslave("bond1", "eth1") }, bond.ErrSlaveBusy, "eth1"},
		{"bond removed", func(k *bondtest.Kernel) { k.Remove("bond0") }, bond.ErrNotApplied, "create bond0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, c := planKernel(t, nil)
			spec := planPair()
			planApply(t, c, spec)
			planApply(t, c, &bond.Spec{Name: "bond1"})
			spec.Options.ResendIGMP = new(uint32(9))
			spec.Slaves[0].Options.QueueID = new(uint16(4))
			other := planDial(t, k.Transport())
			busy, seen := false, 0
			k.Fail(func(bond.Message) error {
				if busy {
					return nil
				}
				busy = true
				defer func() { busy = false }()
				// The last change has been made, and is read back once.
				if s, err := other.Slave(t.Context(), bond.Link{Name: "eth0"}); err == nil && s.QueueID == 4 {
					if seen++; seen == 2 {
						tt.undo(k)
					}
				}
				return nil
			})
			res, err := c.Apply(t.Context(), spec, nil)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error is %v", err)
			}
			// What they did is undone too, as far as that is possible.
			now := planState(t, c)
			if res.RolledBack != (res.RollbackErr == nil) || now.Bond == nil || now.Bond.ResendIGMP != 1 || !now.Bond.Up() {
				t.Errorf("%+v, rollback: %v", now.Bond, res.RollbackErr)
			}
		})
	}
}

// TestApplySomebodyElseCreates checks that a bond which somebody else made at the same time is not deleted
// by the rollback.
func TestApplySomebodyElseCreates(t *testing.T) {
	k, c := planKernel(t, nil)
	other := planDial(t, k.Transport())
	raced := false
	k.Fail(func(req bond.Message) error {
		if req.Type == 16 && !raced {
			raced = true
			if _, err := other.Create(t.Context(), "bond0", bond.Options{Mode: new(bond.ModeBroadcast)}, nil); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	_, err := c.Apply(t.Context(), planPair(), planAll)
	if !errors.Is(err, os.ErrExist) {
		t.Errorf("error is %v", err)
	}
	if b := planState(t, c).Bond; b == nil || b.Mode != bond.ModeBroadcast {
		t.Errorf("the other's bond is %v", b)
	}
}

// TestApplyPrimaryVanishes removes a slave that is to be the primary, before each request in turn.
func TestApplyPrimaryVanishes(t *testing.T) {
	spec := planPair()
	spec.Options.Primary = &bond.Link{Name: "eth1"}
	spec.Options.ResendIGMP = new(uint32(9))
	for _, start := range []*bond.Spec{nil, {Name: "bond0", Options: bond.Options{Mode: new(bond.ModeActiveBackup)}}, {Name: "bond0", Slaves: []bond.SlaveSpec{{Name: "eth2"}}}} {
		for n := 0; ; n++ {
			k, c := planKernel(t, nil)
			if start != nil {
				planApply(t, c, start)
			}
			requests := 0
			k.Fail(func(bond.Message) error {
				if requests++; requests == n+1 {
					k.Remove("eth1")
				}
				return nil
			})
			_, err := c.Apply(t.Context(), spec, &bond.ApplyOptions{Allow: bond.DisruptionRecreate, AllowMissing: true})
			if err != nil {
				t.Errorf("from %s, request %d: %v", planJSON(start), n, err)
			}
			if requests <= n {
				if n < 15 {
					t.Errorf("%d requests", n)
				}
				break
			}
			if now := planState(t, c); now.Bond == nil || now.Bond.ResendIGMP != 9 || !now.Bond.Up() || len(now.Slaves) != 1 {
				t.Errorf("from %s, request %d: %+v", planJSON(start), n, now)
			}
		}
	}
}

// TestApplyActiveAgainstPrio declares an active slave, and another one with more prio, which the kernel
// goes back to. Nobody fights it.
func TestApplyActiveAgainstPrio(t *testing.T) {
	for _, reselect := range []bond.PrimaryReselect{bond.PrimaryReselectAlways, bond.PrimaryReselectFailure} {
		k, c := planKernel(t, nil)
		spec := planPair()
		spec.Options.Active = &bond.Link{Name: "eth0"}
		spec.Options.PrimaryReselect = &reselect
		spec.Slaves[1].Options.Prio = new(int32(5))
		planApply(t, c, spec)
		k.SetCarrier("eth1", false)
		k.SetCarrier("eth1", true)
		p, err := c.Plan(t.Context(), spec)
		if err != nil || !p.IsEmpty() {
			t.Errorf("%v: there is something to do: %v\n%v", reselect, err, p)
		}
		active, warned := "eth0", false
		if reselect == bond.PrimaryReselectAlways {
			active, warned = "eth1", true
		}
		if b := planState(t, c).Bond; b.Active.Name != active {
			t.Errorf("%v: active is %v", reselect, b.Active)
		}
		if has := strings.Contains(p.String(), "the prio of eth1"); has != warned {
			t.Errorf("%v: warnings are %v", reselect, p.Issues)
		}
		// The same prio, or less, is none to go back to.
		spec.Slaves[0].Options.Prio = new(int32(5))
		planApply(t, c, spec)
		if b := planState(t, c).Bond; b.Active.Name != "eth0" {
			t.Errorf("%v: active is %v", reselect, b.Active)
		}
	}
}

// TestApplyActiveWithoutLink declares an active slave that has no link.
func TestApplyActiveWithoutLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := planKernel(t, nil)
		k.SetCarrier("eth1", false)
		spec := planPair()
		spec.Options.Active = &bond.Link{Name: "eth1"}
		res, err := c.Apply(t.Context(), spec, planAll)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(res.Skipped); n != 1 || res.After.Bond.Active.Name != "eth0" {
			t.Errorf("skipped %v, active is %v", res.Skipped, res.After.Bond.Active)
		}
		p, err := c.Plan(t.Context(), spec)
		if err != nil || !p.IsEmpty() || len(p.Issues.Warnings()) == 0 {
			t.Errorf("%v, %v", p, err)
		}
		// Once it has, it is a difference again.
		k.SetCarrier("eth1", true)
		p, err = c.Plan(t.Context(), spec)
		if err != nil || len(p.Steps) != 1 {
			t.Errorf("%v, %v", p, err)
		}
	})
}
