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
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// undoIsCreate reports whether a request makes an interface.
func undoIsCreate(req bond.Message) bool { return req.Type == 16 && req.Flags&(1<<10) != 0 }

// TestCreateUndoSparesOthers has another interface take the name of the new bond before that
// is read back. Kernels that do not echo the bond know it by its name only.
func TestCreateUndoSparesOthers(t *testing.T) {
	for _, release := range bondtest.Releases() {
		t.Run(string(release), func(t *testing.T) {
			k := bondtest.NewKernel(&bondtest.Config{Release: release, Ignore: []bond.Option{bond.OptionLPInterval}})
			c := clientOf(t, k.Transport())
			k.FailAfter(func(req bond.Message) error {
				if undoIsCreate(req) {
					k.FailAfter(nil)
					k.Rename("bond0", "bond9")
					k.AddLink("bond0", &bondtest.LinkConfig{Kind: "veth"})
				}
				return nil
			})
			// The kernel does not know the option, so the bond is not to be.
			o := bond.Options{LPInterval: new(2 * time.Second)}
			if index, err := c.Create(t.Context(), "bond0", o, nil); err == nil {
				t.Errorf("made interface %d", index)
			}
			if k.Index("bond0") == 0 {
				t.Error("an interface that is no bond was deleted")
			}
		})
	}
}

// TestEnslaveRefusedAtOnce has one error, and no attempt to undo, where nothing was done.
func TestEnslaveRefusedAtOnce(t *testing.T) {
	k := bondtest.NewKernel(nil)
	root := clientOf(t, k.Transport())
	if _, err := root.Create(t.Context(), "bond0", bond.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	k.AddLink("e1", &bondtest.LinkConfig{Up: true})
	k.ResetRequests()
	err := clientOf(t, k.Unprivileged()).Enslave(t.Context(), bond.Link{Name: "bond0"}, bond.Link{Name: "e1"}, bond.SlaveOptions{})
	if !errors.Is(err, os.ErrPermission) || !errors.Is(err, syscall.EPERM) || strings.Contains(err.Error(), "undo") {
		t.Errorf("error %v", err)
	}
	if n := len(k.Changes()); n != 1 {
		t.Errorf("%d requests for a change, want 1", n)
	}
}

// TestEnslaveUndoSparesOthers has something else take the interface before it is read back that it is a slave.
func TestEnslaveUndoSparesOthers(t *testing.T) {
	for _, master := range []string{"bond1", "br0"} {
		k := bondtest.NewKernel(nil)
		c := clientOf(t, k.Transport())
		for _, name := range []string{"bond0", "bond1"} {
			if _, err := c.Create(t.Context(), name, bond.Options{}, nil); err != nil {
				t.Fatal(err)
			}
		}
		k.AddLink("br0", &bondtest.LinkConfig{Kind: "bridge"})
		k.AddLink("e1", nil)
		k.FailAfter(func(req bond.Message) error {
			if req.Type == 16 {
				k.FailAfter(nil)
				k.Enslave("", "e1")
				return k.Enslave(master, "e1")
			}
			return nil
		})
		err := c.Enslave(t.Context(), bond.Link{Name: "bond0"}, bond.Link{Name: "e1"}, bond.SlaveOptions{})
		if !errors.Is(err, bond.ErrSlaveBusy) || !strings.Contains(err.Error(), master) {
			t.Errorf("error %v", err)
		}
		if l, err := c.Link(t.Context(), bond.Link{Name: "e1"}); err != nil || l.Master != k.Index(master) {
			t.Errorf("it was taken away from %s: %+v, %v", master, l, err)
		}
	}
}

// TestListAllOrNothing has the names of slaves not be read.
func TestListAllOrNothing(t *testing.T) {
	k, c := planKernel(t, nil)
	planApply(t, c, planPair())
	requests := 0
	k.Fail(func(bond.Message) error {
		if requests++; requests > 1 {
			return &bond.KernelError{Errno: syscall.ENOMEM}
		}
		return nil
	})
	if bonds, err := c.List(t.Context()); !errors.Is(err, syscall.ENOMEM) || bonds != nil {
		t.Errorf("%v, %v", bonds, err)
	}
}

// TestProbeFeaturesLeavesNothing loses the answer to each request of a probe in turn.
func TestProbeFeaturesLeavesNothing(t *testing.T) {
	for n := 0; ; n++ {
		k := bondtest.NewKernel(nil)
		c := clientOf(t, k.Transport())
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		k.FailAfter(func(bond.Message) error {
			if seen++; seen == n+1 {
				cancel()
				return context.Canceled
			}
			return nil
		})
		_, err := c.ProbeFeatures(ctx)
		cancel()
		if left := k.Names(); len(left) > 0 {
			t.Errorf("request %d: %v is left behind", n, left)
		}
		if seen <= n {
			if n < 4 || err != nil {
				t.Errorf("%d requests: %v", n, err)
			}
			return
		}
		// Of the last, only that the bond is gone matters.
		if err == nil && n < 3 {
			t.Errorf("request %d: no error", n)
		}
	}
}
