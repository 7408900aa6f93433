// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

func TestFlagsInTheDriversOrder(t *testing.T) {
	for release := range coreReleases {
		t.Run(release, func(t *testing.T) {
			k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
			nic := ethtooltest.I40E("0000:3b:00.0")
			index := k.Add("eth0", nic)
			c := coreDial(t, k.Unprivileged())
			var want ethtool.Flags
			for _, f := range nic.PrivateFlags {
				if f.Since == "" && f.Until == "" {
					want = append(want, ethtool.Flag{Name: f.Name, On: f.On})
				}
			}
			for _, link := range []ethtool.Link{{Index: index}, {Name: "eth0"}, {Index: index, Name: "eth0"}} {
				got, err := c.Flags(t.Context(), link)
				if err != nil {
					t.Fatal(err)
				}
				got = slices.DeleteFunc(got, func(f ethtool.Flag) bool {
					return !slices.ContainsFunc(want, func(w ethtool.Flag) bool { return w.Name == f.Name })
				})
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%v: flags (-want +got):\n%s", link, diff)
				}
			}
			if changes := k.Changes(); len(changes) != 0 {
				t.Errorf("to read has changed something: %v", changes)
			}
		})
	}
}

// TestFlagsErrors is the error map of reading.
func TestFlagsErrors(t *testing.T) {
	for release := range coreReleases {
		t.Run(release, func(t *testing.T) {
			k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
			index := k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
			k.Add("eth1", ethtooltest.I40E("0000:3b:00.1"))
			k.Add("lo", ethtooltest.Loopback())
			k.Add("veth0", ethtooltest.Veth())
			k.Add("recovery", ethtooltest.I40ERecovery("0000:5e:00.0"))
			k.SetAway("eth1", true)
			c := coreDial(t, k.Unprivileged())
			for _, tt := range []struct {
				link ethtool.Link
				is   []error
			}{
				{ethtool.Link{Name: "nope"}, []error{ethtool.ErrNoDevice, os.ErrNotExist}},
				{ethtool.Link{Index: 999}, []error{ethtool.ErrNoDevice, os.ErrNotExist}},
				{ethtool.Link{Index: -1}, []error{ethtool.ErrNoDevice}},
				{ethtool.Link{Name: strings.Repeat("x", 16)}, []error{ethtool.ErrNoDevice}},
				{ethtool.Link{Index: index, Name: "lo"}, []error{ethtool.ErrNoDevice}},
				{ethtool.Link{}, []error{ethtool.ErrBadValue}},
				{ethtool.Link{Name: "lo"}, []error{ethtool.ErrNoPrivateFlags, errors.ErrUnsupported}},
				{ethtool.Link{Name: "veth0"}, []error{ethtool.ErrNoPrivateFlags, errors.ErrUnsupported}},
				{ethtool.Link{Name: "recovery"}, []error{ethtool.ErrNoPrivateFlags, errors.ErrUnsupported}},
				{ethtool.Link{Name: "eth1"}, []error{ethtool.ErrDeviceAway, syscall.ENODEV}},
			} {
				flags, err := c.Flags(t.Context(), tt.link)
				coreWant(t, err, "read flags of", tt.is...)
				if len(flags) != 0 {
					t.Errorf("%v: flags %v with an error", tt.link, flags)
				}
				change, err := c.SetFlag(t.Context(), tt.link, "legacy-rx", true)
				if e := coreWant(t, err, "set flag", tt.is...); e.Flag != "legacy-rx" {
					t.Errorf("%v: the error is of the flag %q", tt.link, e.Flag)
				}
				if change.Changed || change.Verified {
					t.Errorf("%v: %+v with an error", tt.link, change)
				}
			}
		})
	}
}

// TestFlagsRenamedMeanwhile asks the right interface by a name that another one has got.
func TestFlagsRenamedMeanwhile(t *testing.T) {
	k := ethtooltest.NewKernel(&ethtooltest.Config{Release: "5.4.0"})
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	k.Add("eth1", ethtooltest.I40E("0000:5e:00.0"))
	link := k.Link("eth0")
	c := coreDial(t, k.Transport())
	done := false
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name == "ETHTOOL_GSTRINGS" && !done {
			done = true
			k.Rename("eth0", "eth2")
			k.Rename("eth1", "eth0")
		}
		return nil
	})
	got, err := c.Flags(t.Context(), ethtool.Link{Index: link.Index})
	if diff := cmp.Diff(ethtool.Flags{{Name: "legacy-rx"}}, got); diff != "" || err != nil {
		t.Errorf("%v, flags (-want +got):\n%s", err, diff)
	}
	// One that never keeps its name is given up.
	n := 0
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name == "ETHTOOL_GSSET_INFO" {
			name := k.Names()[slices.IndexFunc(k.Names(), func(s string) bool { return k.Index(s) == link.Index })]
			n++
			k.Rename(name, "x"+string(rune('a'+n)))
		}
		return nil
	})
	_, err = c.Flags(t.Context(), ethtool.Link{Index: link.Index})
	coreWant(t, err, "read flags of", ethtool.ErrBusy)
}

// TestFlagsRemovedMeanwhile says that the interface is gone, not that its device is away.
func TestFlagsRemovedMeanwhile(t *testing.T) {
	for release := range coreReleases {
		k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
		k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
		link := k.Link("eth0")
		c := coreDial(t, k.Transport())
		k.Fail(func(call ethtooltest.Call) error {
			if !strings.HasPrefix(call.Name, "RTM_") && k.Index("eth0") != 0 {
				k.Remove("eth0")
			}
			return nil
		})
		_, err := c.Flags(t.Context(), link)
		coreWant(t, err, "read flags of", ethtool.ErrNoDevice)
	}
}

// TestFlagsRemovedWithoutText does the same where the kernel says no more than ENODEV, as of an
// interface that is about to go.
func TestFlagsRemovedWithoutText(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	link := k.Link("eth0")
	c := coreDial(t, k.Transport())
	k.Fail(coreRefusal(callGet, syscall.ENODEV, ""))
	_, err := c.Flags(t.Context(), link)
	coreWant(t, err, "read flags of", ethtool.ErrDeviceAway)
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name != callGet {
			return nil
		}
		k.Remove("eth0")
		return &ethtool.KernelError{Errno: syscall.ENODEV}
	})
	_, err = c.Flags(t.Context(), link)
	coreWant(t, err, "read flags of", ethtool.ErrNoDevice)
}

// TestFlagsMangled takes no garbage for flags.
func TestFlagsMangled(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	c := coreDial(t, k.Transport())
	for cut := range 40 {
		k.Mangle(func(call ethtooltest.Call, b []byte) []byte {
			if call.Name != callGet || len(b) < cut {
				return b
			}
			return b[:len(b)-cut]
		})
		flags, err := c.Flags(t.Context(), k.Link("eth0"))
		switch {
		case err == nil && !cmp.Equal(flags, ethtool.Flags{{Name: "legacy-rx"}}):
			t.Errorf("%d bytes cut off: %v", cut, flags)
		case err != nil && !errors.Is(err, ethtool.ErrMalformed) && !errors.Is(err, ethtool.ErrNoPrivateFlags):
			t.Errorf("%d bytes cut off: %v", cut, err)
		}
	}
}

// TestFlagsContext returns when the context ends.
func TestFlagsContext(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	c := coreDial(t, k.Transport())
	for _, name := range []string{"RTM_GETLINK", callGet, callSet} {
		ctx, cancel := context.WithCancel(t.Context())
		k.Hang(func(call ethtooltest.Call) bool {
			if call.Name == name {
				cancel()
				return true
			}
			return false
		})
		_, err := c.SetFlag(ctx, k.Link("eth0"), "legacy-rx", true)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
		cancel()
	}
}

// TestTimeout bounds each request by itself.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
		k.Hang(func(call ethtooltest.Call) bool { return call.Name == callGet })
		c := coreDial(t, k.Transport())
		_, err := c.Flags(context.Background(), k.Link("eth0"))
		coreWant(t, err, "read flags of", context.DeadlineExceeded)
	})
}

func TestAllFlags(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("lo", ethtooltest.Loopback())
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	k.Add("eth1", ethtooltest.IGB("0000:3b:00.1"))
	if err := k.SetFlag("eth1", "legacy-rx", true); err != nil {
		t.Fatal(err)
	}
	c := coreDial(t, k.Unprivileged())
	want := []ethtool.LinkFlags{
		{Link: k.Link("eth0"), Flags: ethtool.Flags{{Name: "legacy-rx"}}},
		{Link: k.Link("eth1"), Flags: ethtool.Flags{{Name: "legacy-rx", On: true}}},
	}
	got, err := c.AllFlags(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, flags (-want +got):\n%s", err, diff)
	}
	k.SetAway("eth0", true)
	if _, err := c.AllFlags(t.Context()); !errors.Is(err, ethtool.ErrDeviceAway) {
		t.Errorf("with one device away: %v", err)
	}
	old := coreDial(t, ethtooltest.NewKernel(&ethtooltest.Config{Release: "5.4.0"}).Transport())
	if _, err := old.AllFlags(t.Context()); !errors.Is(err, ethtool.ErrKernelTooOld) {
		t.Errorf("on an old kernel: %v", err)
	}
}

func TestClientClosed(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	c := coreDial(t, k.Transport())
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	_, err := c.Flags(t.Context(), k.Link("eth0"))
	coreWant(t, err, "read flags of", os.ErrClosed)
	_, err = c.LinkInfo(t.Context(), k.Link("eth0"))
	coreWant(t, err, "read link info of", os.ErrClosed)
}

func TestEnumTexts(t *testing.T) {
	type text interface {
		MarshalText() ([]byte, error)
		String() string
	}
	for n := range 256 {
		via, control, port := ethtool.Via(n), ethtool.Control(n), ethtool.Port(n)
		var via2 ethtool.Via
		var control2 ethtool.Control
		var port2 ethtool.Port
		for _, v := range []text{via, control, port} {
			b, err := v.MarshalText()
			if err != nil || string(b) != v.String() || len(b) == 0 {
				t.Fatalf("%d: %q, %q, %v", n, b, v.String(), err)
			}
		}
		err := errors.Join(via2.UnmarshalText([]byte(via.String())), control2.UnmarshalText([]byte(control.String())), port2.UnmarshalText([]byte(port.String())))
		if err != nil || via2 != via || control2 != control || port2 != port {
			t.Errorf("%d: %v %v %v, %v", n, via2, control2, port2, err)
		}
	}
	v := ethtool.ViaIoctl
	for _, bad := range []string{"", "NETLINK", "via(256)", "via(-1)", "via(x)", "via(1", "port(1)"} {
		if err := v.UnmarshalText([]byte(bad)); !errors.Is(err, ethtool.ErrBadValue) || v != ethtool.ViaIoctl {
			t.Errorf("%q: %v, %v", bad, v, err)
		}
	}
}
