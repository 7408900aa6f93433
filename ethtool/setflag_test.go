// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// coreDial opens a Client of a kernel made of memory.
func coreDial(t testing.TB, tr ethtool.Transport) *ethtool.Client {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{Transport: tr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// coreWant checks an error: what it is and is not, and that it is an *Error with the
// operation.
func coreWant(t testing.TB, err error, op string, is ...error) *ethtool.Error {
	t.Helper()
	e, ok := err.(*ethtool.Error) //nolint:errorlint // nothing may wrap it
	if !ok {
		t.Errorf("the error %v is no *ethtool.Error", err)
		return &ethtool.Error{Err: errors.New("none")}
	}
	if e.Op != op {
		t.Errorf("the error %q is of %q, want %q", err, e.Op, op)
	}
	for _, target := range is {
		if !errors.Is(err, target) {
			t.Errorf("the error %q does not match %q", err, target)
		}
	}
	for _, other := range []error{
		ethtool.ErrNoDevice, ethtool.ErrDeviceAway, ethtool.ErrNoPrivateFlags, ethtool.ErrUnknownFlag, ethtool.ErrRefused, ethtool.ErrReadOnly,
		ethtool.ErrBusy, ethtool.ErrNotVerified, ethtool.ErrKernelTooOld, ethtool.ErrMalformed, ethtool.ErrBadValue, os.ErrPermission,
	} {
		wanted := slices.ContainsFunc(is, func(target error) bool { return errors.Is(target, other) })
		if errors.Is(err, other) && !wanted {
			t.Errorf("the error %q matches %q too", err, other)
		}
	}
	return e
}

// coreRefusal has the kernel answer one request of a name with an errno.
func coreRefusal(name string, errno syscall.Errno, message string) func(ethtooltest.Call) error {
	return func(call ethtooltest.Call) error {
		if call.Name != name {
			return nil
		}
		return &ethtool.KernelError{Errno: errno, Message: message}
	}
}

const (
	callGet = "ETHTOOL_MSG_PRIVFLAGS_GET"
	callSet = "ETHTOOL_MSG_PRIVFLAGS_SET"
)

// coreReleases are kernels with private flags over netlink and two by ioctl only.
var coreReleases = map[string]ethtool.Via{"6.12.95": ethtool.ViaNetlink, "5.10.262": ethtool.ViaNetlink, "5.6.19": ethtool.ViaIoctl, "5.4.0": ethtool.ViaIoctl}

func TestSetFlag(t *testing.T) {
	for release, via := range coreReleases {
		t.Run(release, func(t *testing.T) {
			k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
			k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
			c := coreDial(t, k.Transport())
			link := k.Link("eth0")
			before, err := c.Flags(t.Context(), link)
			if err != nil {
				t.Fatal(err)
			}
			const name = "disable-source-pruning"
			for _, on := range []bool{true, true, false, false} {
				was := k.Flag("eth0", name)
				k.ResetRequests()
				change, err := c.SetFlag(t.Context(), ethtool.Link{Name: "eth0"}, name, on)
				if err != nil {
					t.Fatal(err)
				}
				text := map[bool]string{true: "on", false: "off"}
				want := ethtool.Change{
					Link: link, Control: ethtool.ControlPrivateFlag, Name: name, Before: text[was], After: text[on],
					Changed: was != on, Verified: true,
				}
				if was != on {
					want.Via, want.CarrierChanges = via, 2
				}
				if diff := cmp.Diff(want, change, cmpopts.IgnoreFields(ethtool.Change{}, "Took")); diff != "" {
					t.Errorf("change (-want +got):\n%s", diff)
				}
				writes := len(k.Changes())
				if was == on && writes != 0 || was != on && writes != 1 {
					t.Errorf("%d writes from %v to %v", writes, was, on)
				}
				if k.Flag("eth0", name) != on {
					t.Error("the flag is not set")
				}
			}
			after, err := c.Flags(t.Context(), link)
			if diff := cmp.Diff(before, after); diff != "" || err != nil {
				t.Errorf("%v, other flags have changed (-before +after):\n%s", err, diff)
			}
		})
	}
}

// TestSetFlagErrors is the error map of changes that the driver, or the kernel, refuses.
func TestSetFlagErrors(t *testing.T) {
	for _, tt := range []struct {
		name, flag string
		on         bool
		nic        *ethtooltest.NIC
		errno      syscall.Errno
		message    string
		is         []error
		hint       string
	}{
		{name: "not supported", flag: "legacy-rx", on: true, errno: syscall.EOPNOTSUPP, is: []error{ethtool.ErrRefused, syscall.EOPNOTSUPP}, hint: "kernel log"},
		{name: "invalid", flag: "legacy-rx", on: true, errno: syscall.EINVAL, is: []error{ethtool.ErrRefused, syscall.EINVAL}, hint: "kernel log"},
		{name: "invalid with a text", flag: "legacy-rx", on: true, errno: syscall.EINVAL, message: "malformed bit", is: []error{syscall.EINVAL}},
		{name: "busy", flag: "legacy-rx", on: true, errno: syscall.EBUSY, is: []error{ethtool.ErrBusy, syscall.EBUSY}, hint: "down"},
		{name: "again", flag: "legacy-rx", on: true, errno: syscall.EAGAIN, is: []error{ethtool.ErrBusy, syscall.EAGAIN}, hint: "down"},
		{name: "no privilege", flag: "legacy-rx", on: true, errno: syscall.EPERM, is: []error{os.ErrPermission, syscall.EPERM}, hint: "CAP_NET_ADMIN"},
		{name: "input and output", flag: "legacy-rx", on: true, errno: syscall.EIO, is: []error{syscall.EIO}},
		{name: "gone meanwhile", flag: "legacy-rx", on: true, errno: syscall.EOPNOTSUPP, message: "bit name not found", is: []error{ethtool.ErrUnknownFlag, os.ErrNotExist, syscall.EOPNOTSUPP}},
		{name: "MFP", flag: "MFP", on: true, errno: syscall.EOPNOTSUPP, is: []error{ethtool.ErrReadOnly, ethtool.ErrRefused, syscall.EOPNOTSUPP}, hint: "BIOS"},
		{name: "total-port-shutdown", flag: "total-port-shutdown", on: true, errno: syscall.EOPNOTSUPP, is: []error{ethtool.ErrReadOnly}, hint: "BIOS"},
		{name: "link-down-on-close", flag: "link-down-on-close", on: true, errno: syscall.EOPNOTSUPP, is: []error{ethtool.ErrRefused}, hint: "kernel log"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := ethtooltest.NewKernel(nil)
			k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
			c := coreDial(t, k.Transport())
			k.Fail(coreRefusal(callSet, tt.errno, tt.message))
			change, err := c.SetFlag(t.Context(), k.Link("eth0"), tt.flag, tt.on)
			e := coreWant(t, err, "set flag", tt.is...)
			if e.Flag != tt.flag || e.Link != "eth0" || e.Message != tt.message || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("the error is %+v", e)
			}
			if !change.Changed || change.Verified || change.Before != change.After {
				t.Errorf("the change is %+v", change)
			}
			if tt.message != "" && strings.Count(err.Error(), tt.message) != 1 {
				t.Errorf("the text has the kernel's message more or less than once: %s", err)
			}
		})
	}
}

// TestSetFlagForcedOn refuses what a setting of the BIOS forces.
func TestSetFlagForcedOn(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	nic := ethtooltest.I40E("0000:3b:00.0")
	for i := range nic.PrivateFlags {
		switch f := &nic.PrivateFlags[i]; f.Name {
		case "total-port-shutdown", "link-down-on-close":
			f.On = true
		}
	}
	k.Add("eth0", nic)
	k.Fail(coreRefusal(callSet, syscall.EOPNOTSUPP, ""))
	c := coreDial(t, k.Transport())
	_, err := c.SetFlag(t.Context(), k.Link("eth0"), "link-down-on-close", false)
	coreWant(t, err, "set flag", ethtool.ErrReadOnly)
	// The same of another driver is no more than refused.
	k.Update("eth0", func(n *ethtooltest.NIC) { n.Driver = "ice" })
	_, err = c.SetFlag(t.Context(), k.Link("eth0"), "MFP", true)
	coreWant(t, err, "set flag", ethtool.ErrRefused)
}

func TestSetFlagUnknown(t *testing.T) {
	for release := range coreReleases {
		k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
		k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
		c := coreDial(t, k.Transport())
		_, err := c.SetFlag(t.Context(), k.Link("eth0"), "legacy-rxx", true)
		e := coreWant(t, err, "set flag", ethtool.ErrUnknownFlag, os.ErrNotExist)
		if e.Flag != "legacy-rxx" || !slices.Contains(e.Known, "legacy-rx") || e.Known[0] != "MFP" || !strings.Contains(e.Hint, "did you mean legacy-rx?") {
			t.Errorf("the error is %+v", e)
		}
		if errors.Is(err, errors.ErrUnsupported) {
			t.Error("an unknown flag is not an unsupported request")
		}
		if n := len(k.Changes()); n != 0 {
			t.Errorf("%d writes", n)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	flags := ethtool.Flags{{Name: "MFP"}, {Name: "LinkPolling"}, {Name: "link-down-on-close"}, {Name: "legacy-rx"}}
	for name, want := range map[string]string{
		"legacy_rx": "did you mean legacy-rx?", "LEGACY-RX": "did you mean legacy-rx?", "legcay-rx": "did you mean legacy-rx?",
		"linkpolling": "did you mean LinkPolling?", "mpf": "did you mean MFP?", "link-down": "the driver has MFP, LinkPolling, link-down-on-close, legacy-rx",
		"": "the driver has MFP, LinkPolling, link-down-on-close, legacy-rx", "x": "the driver has MFP, LinkPolling, link-down-on-close, legacy-rx",
	} {
		if got := ethtool.DidYouMean(name, flags); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	got := ethtool.DidYouMean("disable-source-pruning", ethtool.Flags{{Name: "disable-fw-lldp"}, {Name: "mac-source-pruning", On: true}})
	if !strings.Contains(got, "mac-source-pruning") || !strings.Contains(got, "opposite") || strings.Contains(got, "mean mac") {
		t.Errorf("a flag of the opposite meaning is offered: %q", got)
	}
}

// TestSetFlagNotVerified does not believe a driver that says yes.
func TestSetFlagNotVerified(t *testing.T) {
	for release := range coreReleases {
		k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
		nic := ethtooltest.IGB("0000:3b:00.0")
		nic.PrivateFlags[0].Lies = true
		k.Add("eth0", nic)
		c := coreDial(t, k.Transport())
		change, err := c.SetFlag(t.Context(), k.Link("eth0"), "legacy-rx", true)
		coreWant(t, err, "set flag", ethtool.ErrNotVerified)
		if !change.Changed || change.Verified || change.After != "off" {
			t.Errorf("the change is %+v", change)
		}
	}
}

// TestSetFlagHalfDone tells what a driver did before it refused.
func TestSetFlagHalfDone(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	c := coreDial(t, k.Transport())
	k.FailAfter(coreRefusal(callSet, syscall.EINVAL, ""))
	change, err := c.SetFlag(t.Context(), k.Link("eth0"), "legacy-rx", true)
	coreWant(t, err, "set flag", ethtool.ErrRefused)
	if change.Before != "off" || change.After != "on" || change.Verified {
		t.Errorf("the change is %+v", change)
	}
}

// TestSetFlagWaitsForTheDevice reads back from a device that resets itself.
func TestSetFlagWaitsForTheDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
		c := coreDial(t, k.Transport())
		asked, back := 0, 5
		k.FailAfter(func(call ethtooltest.Call) error {
			if call.Name == callSet {
				k.SetAway("eth0", true)
			}
			return nil
		})
		k.Fail(func(call ethtooltest.Call) error {
			if call.Name == callGet {
				if asked++; asked == back {
					k.SetAway("eth0", false)
				}
			}
			return nil
		})
		if change, err := c.SetFlag(t.Context(), k.Link("eth0"), "legacy-rx", true); err != nil || !change.Verified {
			t.Errorf("%+v, %v", change, err)
		}
		if asked != back {
			t.Errorf("asked %d times, want %d", asked, back)
		}
		// One that never comes back is not waited for without end.
		back = -1
		change, err := c.SetFlag(t.Context(), k.Link("eth0"), "legacy-rx", false)
		coreWant(t, err, "set flag", ethtool.ErrNotVerified, ethtool.ErrDeviceAway)
		if change.Verified || change.Before != "on" || change.After != "on" {
			t.Errorf("the change is %+v", change)
		}
	})
}

// TestFallbackOnlyForWantOfTheCommand never goes around a refusal by ioctl.
func TestFallbackOnlyForWantOfTheCommand(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EINVAL, syscall.EOPNOTSUPP, syscall.EBUSY, syscall.ENODEV} {
		for _, name := range []string{callGet, callSet} {
			k := ethtooltest.NewKernel(nil)
			k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
			c := coreDial(t, k.Transport())
			k.Fail(coreRefusal(name, errno, ""))
			if _, err := c.SetFlag(t.Context(), k.Link("eth0"), "legacy-rx", true); err == nil {
				t.Errorf("%v of %s: no error", errno, name)
			}
			for _, call := range k.Requests() {
				if call.Name == "ETHTOOL_GPFLAGS" || call.Name == "ETHTOOL_SPFLAGS" {
					t.Errorf("%v of %s is gone around by %s", errno, name, call.Name)
				}
			}
		}
	}
}

func TestSetFlagUnprivileged(t *testing.T) {
	for release := range coreReleases {
		k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
		k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
		c := coreDial(t, k.Unprivileged())
		_, err := c.SetFlag(t.Context(), k.Link("eth0"), "legacy-rx", true)
		if e := coreWant(t, err, "set flag", os.ErrPermission); !strings.Contains(e.Hint, "CAP_NET_ADMIN") {
			t.Errorf("the hint is %q", e.Hint)
		}
		if change, err := c.SetFlag(t.Context(), k.Link("eth0"), "legacy-rx", false); err != nil || change.Changed || !change.Verified {
			t.Errorf("nothing to do needs no privilege: %+v, %v", change, err)
		}
	}
}
