// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// identityReplace deletes bond0 and makes another, of mode broadcast.
func identityReplace(t *testing.T, k *bondtest.Kernel, other *bond.Client) int {
	t.Helper()
	k.Remove("bond0")
	index, err := other.Create(t.Context(), "bond0", bond.Options{Mode: new(bond.ModeBroadcast)}, nil)
	if err != nil {
		t.Error(err)
	}
	return index
}

// identityUntouched checks that the other's bond is as the other made it.
func identityUntouched(t *testing.T, c *bond.Client, index int) {
	t.Helper()
	now := planState(t, c)
	b := now.Bond
	switch {
	case b == nil:
		t.Error("the other's bond was deleted")
	case b.Index != index || b.Mode != bond.ModeBroadcast || b.MIIMon != 0 || b.Up() || len(now.Slaves) != 0:
		t.Errorf("the other's bond was changed: #%d %v miimon %v up %v, slaves %v", b.Index, b.Mode, b.MIIMon, b.Up(), now.Slaves)
	}
}

// TestApplyReplacedBond has another program delete the bond, and make one of the same name, before each
// change of an apply in turn. The other's bond is neither changed nor deleted.
func TestApplyReplacedBond(t *testing.T) {
	start, target := planModeChange()
	for name, before := range map[string]*bond.Spec{"new": nil, "changed": start} {
		t.Run(name, func(t *testing.T) {
			for n := 0; ; n++ {
				k, c := planKernel(t, nil)
				if before != nil {
					planApply(t, c, before)
				}
				other := planDial(t, k.Transport())
				changes, index := 0, 0
				k.Fail(func(req bond.Message) error {
					if req.Type != 16 || index != 0 { // RTM_NEWLINK
						return nil
					}
					if changes++; changes > n && k.Index("bond0") != 0 {
						index = -1 // The requests that follow are the other's.
						index = identityReplace(t, k, other)
					}
					return nil
				})
				res, err := c.Apply(t.Context(), target, planAll)
				k.Fail(nil)
				if index == 0 {
					if n < 4 || err != nil {
						t.Fatalf("after %d changes: %v", n, err)
					}
					return
				}
				if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, bond.ErrNotSlave) {
					t.Errorf("change %d: error is %v", n, err)
				}
				identityUntouched(t, c, index)
				// Where there was none, all is as it was.
				if lost := before != nil; lost != errors.Is(res.RollbackErr, os.ErrExist) || res.RolledBack == lost {
					t.Errorf("change %d: rollback: %v", n, res.RollbackErr)
				}
				for i := range res.After.Links {
					if l := &res.After.Links[i]; l.Name == "eth1" && before == nil && !l.Up() {
						t.Errorf("change %d: eth1 was up", n)
					}
				}
			}
		})
	}
}

// TestApplyReplacedWhileConfirming does the same when everything has been changed.
func TestApplyReplacedWhileConfirming(t *testing.T) {
	start, target := planModeChange()
	for _, before := range []*bond.Spec{nil, start} {
		for _, answer := range []error{nil, errors.New("no")} {
			k, c := planKernel(t, nil)
			if before != nil {
				planApply(t, c, before)
			}
			index := 0
			res, err := c.Apply(t.Context(), target, &bond.ApplyOptions{
				Allow: bond.DisruptionRecreate,
				Confirm: func(context.Context, *bond.State) error {
					index = identityReplace(t, k, c)
					return answer
				},
			})
			identityUntouched(t, c, index)
			switch {
			case answer == nil:
				// What happens after the change has been read back is no business of Apply.
				if err != nil {
					t.Error(err)
				}
			case !errors.Is(err, answer) || (res.RollbackErr != nil) != (before != nil):
				t.Errorf("%v, rollback: %v", err, res.RollbackErr)
			}
		}
	}
}

// TestApplyRecreateRace has another program take the name while the bond is made anew. That it is gone must be said.
func TestApplyRecreateRace(t *testing.T) {
	k, c := planKernel(t, nil)
	planApply(t, c, planPair())
	spec := planPair()
	spec.TxQueues = new(4)
	other := planDial(t, k.Transport())
	index := 0
	k.FailAfter(func(req bond.Message) error {
		if req.Type == 17 { // RTM_DELLINK
			var err error
			if index, err = other.Create(t.Context(), "bond0", bond.Options{Mode: new(bond.ModeBroadcast)}, nil); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	res, err := c.Apply(t.Context(), spec, planAll)
	k.FailAfter(nil)
	if !errors.Is(err, os.ErrExist) {
		t.Errorf("error is %v", err)
	}
	identityUntouched(t, c, index)
	if res.RolledBack || !errors.Is(res.RollbackErr, os.ErrExist) || !strings.Contains(err.Error(), "not everything is as it was") {
		t.Errorf("%v, rollback: %v", err, res.RollbackErr)
	}
}

// TestApplyRenamedBond has another program rename the bond. It is not made again under its old name.
func TestApplyRenamedBond(t *testing.T) {
	start, target := planModeChange()
	k, c := planKernel(t, nil)
	planApply(t, c, start)
	res, err := c.Apply(t.Context(), target, &bond.ApplyOptions{
		Allow: bond.DisruptionRecreate,
		Confirm: func(context.Context, *bond.State) error {
			k.Rename("bond0", "lan0")
			return errors.New("no")
		},
	})
	if !errors.Is(err, bond.ErrRejected) || res.RolledBack || !strings.Contains(err.Error(), "lan0") {
		t.Errorf("%v, rollback: %v", err, res.RollbackErr)
	}
	if k.Index("bond0") != 0 {
		t.Error("there is a second bond")
	}
}

// TestApplyAfterIsWhatThereIs checks that After is not from before a rollback that failed.
func TestApplyAfterIsWhatThereIs(t *testing.T) {
	start, target := planModeChange()
	k, c := planKernel(t, nil)
	planApply(t, c, start)
	refuse := func(req bond.Message) error {
		if req.Type == 16 { // RTM_NEWLINK
			return errors.New("no more")
		}
		return nil
	}
	res, err := c.Apply(t.Context(), target, &bond.ApplyOptions{
		Allow: bond.DisruptionRecreate,
		Confirm: func(context.Context, *bond.State) error {
			k.Remove("eth2")
			k.Fail(refuse)
			return errors.New("no")
		},
	})
	// What failed is said once, and so is what was lost.
	if err == nil || res.RolledBack || strings.Count(res.RollbackErr.Error(), "no more") > 8 {
		t.Fatalf("%v, rollback: %v", err, res.RollbackErr)
	}
	if res.After == nil || len(res.After.Slaves) != 1 {
		t.Errorf("After is %+v", res.After)
	}

	// Nobody could read it.
	k.Fail(nil)
	planApply(t, c, start)
	target.Slaves = target.Slaves[1:]
	res, err = c.Apply(t.Context(), target, &bond.ApplyOptions{
		Allow: bond.DisruptionRecreate,
		Confirm: func(context.Context, *bond.State) error {
			k.Fail(func(bond.Message) error { return errors.New("no more") })
			return errors.New("no")
		},
	})
	if err == nil || res.After != nil {
		t.Errorf("%v, After is %+v", err, res.After)
	}
}

// TestApplySlaveTaken has a slave be taken by another bond, or by a bridge, after each change of an apply in
// turn. It stays there, up.
func TestApplySlaveTaken(t *testing.T) {
	start, target := planModeChange()
	for _, master := range []string{"bond1", "br0"} {
		for _, name := range []string{"eth1", "eth2"} { // a slave before and after, and one to be
			t.Run(master+" "+name, func(t *testing.T) {
				for n := 1; ; n++ {
					k, c := planKernel(t, nil)
					planApply(t, c, start)
					planApply(t, c, &bond.Spec{Name: "bond1", Up: new(true)})
					k.AddLink("br0", &bondtest.LinkConfig{Kind: "bridge", Up: true})
					changes := 0
					k.FailAfter(func(req bond.Message) error {
						if req.Type != 16 { // RTM_NEWLINK
							return nil
						}
						if changes++; changes == n {
							k.Enslave("", name)
							k.SetUp(name, false)
							if err := k.Enslave(master, name); err != nil {
								t.Error(err)
							}
							k.SetUp(name, true)
						}
						return nil
					})
					res, err := c.Apply(t.Context(), target, planAll)
					k.FailAfter(nil)
					if changes < n {
						if n < 8 || err != nil {
							t.Fatalf("after %d changes: %v", n, err)
						}
						return
					}
					if !errors.Is(err, bond.ErrSlaveBusy) && !errors.Is(err, bond.ErrNotSlave) && !errors.Is(err, bond.ErrNotApplied) {
						t.Errorf("change %d: error is %v", n, err)
					}
					l, lerr := c.Link(t.Context(), bond.Link{Name: name})
					if lerr != nil {
						t.Fatal(lerr)
					}
					if l.Master != k.Index(master) || !l.Up() {
						t.Errorf("change %d: it was taken away from %s: master %d, up %v, after %v", n, master, l.Master, l.Up(), err)
					}
					if name == "eth1" && (res.RolledBack || !errors.Is(res.RollbackErr, bond.ErrSlaveBusy)) {
						t.Errorf("change %d: %v, rollback: %v", n, err, res.RollbackErr)
					}
				}
			})
		}
	}
}

// TestApplyRollbackSparesOthers has another program switch on interfaces that the apply has not touched, or
// not yet. The rollback leaves them so.
func TestApplyRollbackSparesOthers(t *testing.T) {
	up := func(c *bond.Client, name string) bool {
		l, err := c.Link(t.Context(), bond.Link{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return l.Up()
	}
	no := errors.New("no")
	spec := planPair()
	spec.Options.Primary = &bond.Link{Name: "eth3"} // which is to be no slave
	k, c := planKernel(t, nil)
	_, err := c.Apply(t.Context(), spec, &bond.ApplyOptions{
		Confirm: func(context.Context, *bond.State) error {
			k.SetUp("eth3", true)
			return no
		},
	})
	if !errors.Is(err, no) || !up(c, "eth3") || up(c, "eth0") || !up(c, "eth1") {
		t.Errorf("eth3 up %v, eth0 up %v, eth1 up %v: %v", up(c, "eth3"), up(c, "eth0"), up(c, "eth1"), err)
	}

	k, c = planKernel(t, nil)
	k.Fail(func(req bond.Message) error {
		if req.Type != 16 { // RTM_NEWLINK
			return nil
		}
		k.Fail(nil)
		k.SetUp("eth0", true)
		return &bond.KernelError{Errno: syscall.ENOMEM}
	})
	if _, err = c.Apply(t.Context(), spec, nil); !errors.Is(err, syscall.ENOMEM) || !up(c, "eth0") {
		t.Errorf("eth0 up %v: %v", up(c, "eth0"), err)
	}
}
