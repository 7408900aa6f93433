// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
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
