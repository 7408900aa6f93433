// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

const holdFlag = "disable-source-pruning"

// holdHost has eth0, an i40e, and eth1, an ice.
func holdHost(t *testing.T) (*ethtooltest.Kernel, *ethtool.Client) {
	t.Helper()
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	k.Add("eth1", ethtooltest.ICE("0000:5e:00.0"))
	return k, holdClient(t, k.Transport())
}

func holdClient(t *testing.T, transport ethtool.Transport) *ethtool.Client {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func mustHold(t *testing.T, c *ethtool.Client, link, flag string, on bool, cfg *ethtool.HoldConfig) *ethtool.Hold {
	t.Helper()
	h, err := c.Hold(t.Context(), ethtool.Link{Name: link}, flag, on, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHoldRelease(t *testing.T) {
	k, c := holdHost(t)
	h := mustHold(t, c, "eth0", holdFlag, true, nil)
	got := h.Change()
	if !got.Changed || !got.Verified || got.Before != "off" || got.After != "on" || got.Name != holdFlag || got.Link.Name != "eth0" ||
		got.Control != ethtool.ControlPrivateFlag || got.CarrierChanges != 2 {
		t.Errorf("held: %+v", got)
	}
	if !k.Flag("eth0", holdFlag) {
		t.Error("not set")
	}
	back, err := h.Release(t.Context())
	if err != nil || !back.Changed || !back.Verified || back.Before != "on" || back.After != "off" || back.Link.Name != "eth0" {
		t.Errorf("released: %+v, %v", back, err)
	}
	if k.Flag("eth0", holdFlag) {
		t.Error("not put back")
	}
	k.ResetRequests()
	again, err := h.Release(t.Context())
	if err != nil || again != back || len(k.Requests()) != 0 {
		t.Errorf("released again: %+v, %v, %d requests", again, err, len(k.Requests()))
	}
}

func TestHoldNothingToDo(t *testing.T) {
	k, c := holdHost(t)
	h := mustHold(t, c, "eth0", "flow-director-atr", true, nil)
	if got := h.Change(); got.Changed || !got.Verified || got.Before != "on" || got.After != "on" {
		t.Errorf("held: %+v", got)
	}
	// Whatever happens to it now is not ours to undo.
	if err := k.SetFlag("eth0", "flow-director-atr", false); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Release(t.Context()); err != nil || got.Changed {
		t.Errorf("released: %+v, %v", got, err)
	}
	if len(k.Changes()) != 0 || k.Flag("eth0", "flow-director-atr") {
		t.Errorf("changes %v", k.Changes())
	}
}

func TestHoldNotOurs(t *testing.T) {
	t.Run("put back by somebody else", func(t *testing.T) {
		k, c := holdHost(t)
		h := mustHold(t, c, "eth0", holdFlag, true, nil)
		if err := k.SetFlag("eth0", holdFlag, false); err != nil {
			t.Fatal(err)
		}
		k.ResetRequests()
		got, err := h.Release(t.Context())
		if err != nil || got.Changed || len(k.Changes()) != 0 {
			t.Errorf("%+v, %v, changes %v", got, err, k.Changes())
		}
	})
	t.Run("a third value", func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("eth0", ethtooltest.Veth())
		k.Add("mv0", ethtooltest.Macvlan("eth0", "vepa"))
		c := holdClient(t, k.Transport())
		link := ethtool.Link{Name: "mv0"}
		h, err := c.HoldSetting(t.Context(), link, ethtool.ControlMacvlanMode, "", "private", nil)
		if err != nil {
			t.Fatal(err)
		}
		if mode := k.NIC("mv0").MacvlanMode; mode != "private" {
			t.Fatalf("mode %s", mode)
		}
		k.Update("mv0", func(n *ethtooltest.NIC) { n.MacvlanMode = "source" })
		k.ResetRequests()
		for range 2 {
			if got, err := h.Release(t.Context()); !errors.Is(err, ethtool.ErrNotOurs) || got.Changed || got.Before != "source" {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if mode := k.NIC("mv0").MacvlanMode; mode != "source" || len(k.Changes()) != 0 {
			t.Errorf("mode %s, changes %v", mode, k.Changes())
		}
		// The Hold is over.
		if h, err = c.HoldSetting(t.Context(), link, ethtool.ControlMacvlanMode, "", "private", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestHoldNothing(t *testing.T) {
	k, c := holdHost(t)
	for range 2 {
		h, err := c.HoldSetting(t.Context(), ethtool.Link{Name: "eth0"}, 0, "", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Release(t.Context()); err != nil || got.Changed || h.Change().Changed {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if len(k.Requests()) != 0 {
		t.Errorf("requests %v", k.Requests())
	}
}

func TestHoldTwice(t *testing.T) {
	k, c := holdHost(t)
	h := mustHold(t, c, "eth0", holdFlag, true, nil)
	for _, on := range []bool{true, false} {
		_, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, on, nil)
		if !errors.Is(err, ethtool.ErrHeld) || !errors.Is(err, os.ErrExist) {
			t.Errorf("again: %v", err)
		}
		// By another name it is the same setting.
		if _, err := c.Hold(t.Context(), ethtool.Link{Index: 1}, holdFlag, on, nil); !errors.Is(err, ethtool.ErrHeld) {
			t.Errorf("by index: %v", err)
		}
	}
	other := mustHold(t, c, "eth0", "veb-stats", true, nil)
	third := mustHold(t, c, "eth1", "fw-lldp-agent", true, nil)
	for _, h := range []*ethtool.Hold{third, h, other} {
		if _, err := h.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if k.Flag("eth0", holdFlag) || k.Flag("eth0", "veb-stats") || k.Flag("eth1", "fw-lldp-agent") {
		t.Error("not put back")
	}
	if _, err := mustHold(t, c, "eth0", holdFlag, true, nil).Release(t.Context()); err != nil {
		t.Errorf("after release: %v", err)
	}
}

func TestHoldConcurrent(t *testing.T) {
	k, c := holdHost(t)
	var held atomic.Int32
	var winner atomic.Pointer[ethtool.Hold]
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			h, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, true, nil)
			switch {
			case err == nil:
				held.Add(1)
				winner.Store(h)
			case !errors.Is(err, ethtool.ErrHeld):
				t.Errorf("hold: %v", err)
			}
		})
	}
	all.Wait()
	if held.Load() != 1 {
		t.Fatalf("%d Holds of one setting", held.Load())
	}
	k.ResetRequests()
	for range 8 {
		all.Go(func() {
			if got, err := winner.Load().Release(t.Context()); err != nil || !got.Changed {
				t.Errorf("release: %+v, %v", got, err)
			}
		})
	}
	all.Wait()
	if len(k.Changes()) != 1 || k.Flag("eth0", holdFlag) {
		t.Errorf("changes %v", k.Changes())
	}
}

func TestHoldRename(t *testing.T) {
	k, c := holdHost(t)
	h := mustHold(t, c, "eth0", holdFlag, true, nil)
	k.Rename("eth0", "ens1")
	k.Add("eth0", ethtooltest.I40E("0000:af:00.0"))
	if err := k.SetFlag("eth0", holdFlag, true); err != nil {
		t.Fatal(err)
	}
	got, err := h.Release(t.Context())
	if err != nil || got.Link.Name != "ens1" || k.Flag("ens1", holdFlag) || !k.Flag("eth0", holdFlag) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestHoldGone(t *testing.T) {
	t.Run("removed", func(t *testing.T) {
		k, c := holdHost(t)
		h := mustHold(t, c, "eth0", holdFlag, true, nil)
		k.Remove("eth0")
		for range 2 {
			if got, err := h.Release(t.Context()); !errors.Is(err, ethtool.ErrNoDevice) || got.Changed {
				t.Errorf("%+v, %v", got, err)
			}
		}
	})
	t.Run("another with its index and name", func(t *testing.T) {
		for name, other := range map[string]*ethtooltest.NIC{
			"other address": ethtooltest.I40E("0000:3b:00.1"), "other driver": ethtooltest.I40EOutOfTree("0000:3b:00.0"), "other kind": ethtooltest.Dummy(),
		} {
			k, c := holdHost(t)
			h := mustHold(t, c, "eth0", holdFlag, true, nil)
			k.Remove("eth0")
			other.Index = 1
			if name == "other driver" {
				other.Driver = "i40e_new"
			}
			if name == "other kind" {
				other.PrivateFlags = []ethtooltest.Flag{{Name: holdFlag}}
			}
			k.Add("eth0", other)
			if err := k.SetFlag("eth0", holdFlag, true); err != nil {
				t.Fatal(err)
			}
			if got, err := h.Release(t.Context()); !errors.Is(err, ethtool.ErrNoDevice) || got.Changed || !k.Flag("eth0", holdFlag) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}

// TestHoldRetry has a Release that fails at first.
func TestHoldRetry(t *testing.T) {
	k, c := holdHost(t)
	h := mustHold(t, c, "eth0", holdFlag, true, nil)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Release(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	k.Fail(func(call ethtooltest.Call) error {
		if call.Write {
			return &ethtool.KernelError{Errno: syscall.EBUSY}
		}
		return nil
	})
	if _, err := h.Release(t.Context()); !errors.Is(err, ethtool.ErrBusy) {
		t.Errorf("busy: %v", err)
	}
	k.Fail(nil)
	k.SetAway("eth0", true)
	if _, err := h.Release(t.Context()); !errors.Is(err, ethtool.ErrDeviceAway) {
		t.Errorf("away: %v", err)
	}
	k.SetAway("eth0", false)
	if _, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, true, nil); !errors.Is(err, ethtool.ErrHeld) {
		t.Errorf("a Hold that was not released: %v", err)
	}
	if got, err := h.Release(t.Context()); err != nil || !got.Changed || k.Flag("eth0", holdFlag) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestHoldErrors(t *testing.T) {
	tests := []struct {
		name string
		link ethtool.Link
		flag string
		on   bool
		want error
	}{
		{"no interface", ethtool.Link{Name: "nosuch"}, holdFlag, true, ethtool.ErrNoDevice},
		{"no link", ethtool.Link{}, holdFlag, true, ethtool.ErrBadValue},
		{"no such flag", ethtool.Link{Name: "eth0"}, "nosuch", true, ethtool.ErrUnknownFlag},
		{"read only", ethtool.Link{Name: "eth0"}, "MFP", true, ethtool.ErrReadOnly},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, c := holdHost(t)
			before := k.NIC("eth0")
			for range 2 {
				// The second time is as the first: nothing is held.
				h, err := c.Hold(t.Context(), tt.link, tt.flag, tt.on, nil)
				e, ok := errors.AsType[*ethtool.Error](err)
				if h != nil || !ok || !errors.Is(err, tt.want) || e.Op != "hold" {
					t.Errorf("%v, %v", h, err)
				}
			}
			if k.NIC("eth0").CarrierChanges != before.CarrierChanges {
				t.Error("the port was reset")
			}
		})
	}
	t.Run("no privilege", func(t *testing.T) {
		k, _ := holdHost(t)
		c := holdClient(t, k.Unprivileged())
		if _, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, true, nil); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%v", err)
		}
	})
}

// TestHoldUndo has a change that is made and then turns out to be an error: nothing is left
// behind.
func TestHoldUndo(t *testing.T) {
	k, c := holdHost(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	k.FailAfter(func(call ethtooltest.Call) error {
		if !call.Write {
			return nil
		}
		k.FailAfter(nil)
		cancel()
		return context.Canceled
	})
	h, err := c.Hold(ctx, ethtool.Link{Name: "eth0"}, holdFlag, true, nil)
	if h != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", h, err)
	}
	if k.Flag("eth0", holdFlag) || len(k.Changes()) != 2 {
		t.Errorf("left behind; changes %v", k.Changes())
	}
}

// TestHoldUndoFails has a change that cannot be undone, and one whose device is away for a
// while first.
func TestHoldUndoFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := holdHost(t)
		busy := func(call ethtooltest.Call) error {
			if call.Write {
				return &ethtool.KernelError{Errno: syscall.EBUSY}
			}
			return nil
		}
		then := func() { k.Fail(busy) }
		after := func(call ethtooltest.Call) error {
			if !call.Write {
				return nil
			}
			k.FailAfter(nil)
			then()
			return &ethtool.KernelError{Errno: syscall.EIO}
		}
		k.FailAfter(after)
		_, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, true, nil)
		if !errors.Is(err, syscall.EIO) || !errors.Is(err, ethtool.ErrBusy) || !k.Flag("eth0", holdFlag) {
			t.Errorf("%v", err)
		}
		k.Fail(nil)
		then = func() {
			k.SetAway("eth0", true)
			time.AfterFunc(15*time.Second, func() { k.SetAway("eth0", false) })
		}
		k.FailAfter(after)
		if _, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, "veb-stats", true, nil); !errors.Is(err, syscall.EIO) || k.Flag("eth0", "veb-stats") {
			t.Errorf("%v", err)
		}
	})
}

// TestHoldLostRace has another program make the same change between the look and the change.
func TestHoldLostRace(t *testing.T) {
	k, c := holdHost(t)
	reads := 0
	k.FailAfter(func(call ethtooltest.Call) error {
		if call.Name != "ETHTOOL_MSG_PRIVFLAGS_GET" {
			return nil
		}
		if reads++; reads == 1 {
			return errors.Join(k.SetFlag("eth0", holdFlag, true))
		}
		return nil
	})
	h := mustHold(t, c, "eth0", holdFlag, true, nil)
	k.FailAfter(nil)
	if h.Change().Changed {
		t.Errorf("%+v", h.Change())
	}
	if _, err := h.Release(t.Context()); err != nil || !k.Flag("eth0", holdFlag) {
		t.Errorf("what another program set was undone: %v", err)
	}
}
