// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// Releases that find the device of an interface in different ways: by the ports of devlink, and
// by the parent in rtnetlink.
var factsReleases = []string{ethtooltest.Release510, ethtooltest.Release61, ethtooltest.Release612, ethtooltest.Release72}

func TestFirmware(t *testing.T) {
	for _, release := range factsReleases {
		t.Run(release, func(t *testing.T) {
			k, c := factsKernel(t, release)
			n := ethtooltest.ICE("0000:3b:00.1")
			k.Add("eth0", ethtooltest.MLX5("0000:5e:00.0"))
			k.Add("eth1", n)
			got, err := c.Firmware(t.Context(), ethtool.Link{Name: "eth1"})
			if err != nil {
				t.Fatal(err)
			}
			want := ethtool.Firmware{
				Handle: "pci/0000:3b:00.1", Driver: "ice", Serial: n.Devlink.Serial,
				Fixed: n.Devlink.Fixed, Running: n.Devlink.Running, Stored: n.Devlink.Stored,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("firmware (-want +got):\n%s", diff)
			}
			if p := got.Pending(); p != nil {
				t.Errorf("pending is %v, though what is stored runs", p)
			}
		})
	}
}

func TestFirmwarePending(t *testing.T) {
	v := func(name, value string) ethtool.Version { return ethtool.Version{Name: name, Value: value} }
	tests := []struct {
		name            string
		running, stored []ethtool.Version
		want            []ethtool.Version
	}{
		{"nothing is told", nil, nil, nil},
		{"the same", []ethtool.Version{v("fw", "1")}, []ethtool.Version{v("fw", "1")}, nil},
		{"another one", []ethtool.Version{v("fw", "1"), v("fw.undi", "3")}, []ethtool.Version{v("fw.undi", "3"), v("fw", "2")}, []ethtool.Version{v("fw", "2")}},
		{"running only", []ethtool.Version{v("fw.mgmt", "1")}, []ethtool.Version{v("fw", "1")}, nil},
		{"stored only", nil, []ethtool.Version{v("fw", "1")}, nil},
		{
			"in the order of the stored",
			[]ethtool.Version{v("a", "1"), v("b", "1")},
			[]ethtool.Version{v("b", "2"), v("a", "2")},
			[]ethtool.Version{v("b", "2"), v("a", "2")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ethtool.Firmware{Running: tt.running, Stored: tt.stored}.Pending()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("pending (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoDevlink(t *testing.T) {
	tests := []struct {
		name string
		nic  *ethtooltest.NIC
	}{
		{"virtual interface", ethtooltest.Veth()},
		{"interface whose driver tells nothing", ethtooltest.Loopback()},
		{"device without an instance", ethtooltest.E1000E("0000:3b:00.0")},
		{"interface of another bus", &ethtooltest.NIC{Driver: "virtio_net", Parent: "virtio/virtio0", Bus: "0000:00:03.0"}},
	}
	for _, release := range append([]string{"5.4.0"}, factsReleases...) {
		for _, noFamily := range []bool{false, true} {
			for _, tt := range tests {
				t.Run(release+" "+tt.name, func(t *testing.T) {
					k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release, NoDevlink: noFamily})
					k.Add("eth0", tt.nic)
					k.Add("eth1", ethtooltest.ICE("0000:5e:00.0")) // another device has one
					c := factsDial(t, k.Transport())
					_, err := c.Firmware(t.Context(), ethtool.Link{Name: "eth0"})
					if !errors.Is(err, ethtool.ErrNoDevlink) || !errors.Is(err, errors.ErrUnsupported) {
						t.Errorf("firmware: error is %v", err)
					}
					_, err = c.Health(t.Context(), ethtool.Link{Name: "eth0"})
					if !errors.Is(err, ethtool.ErrNoDevlink) {
						t.Errorf("health: error is %v", err)
					}
				})
			}
		}
	}
}

// A driver without info_get refused to say anything before Linux 6.2.
func TestFirmwareOfDriverThatDoesNotTell(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release61)
	k.Add("eth0", ethtooltest.MLX4("0000:3b:00.0"))
	_, err := c.Firmware(t.Context(), ethtool.Link{Name: "eth0"})
	if !errors.Is(err, ethtool.ErrNoDevlink) {
		t.Errorf("6.1: error is %v", err)
	}
	k, c = factsKernel(t, ethtooltest.Release612)
	k.Add("eth0", ethtooltest.MLX4("0000:3b:00.0"))
	got, err := c.Firmware(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ethtool.Firmware{Handle: "pci/0000:3b:00.0", Driver: "mlx4_core"}, got); diff != "" {
		t.Errorf("6.12 (-want +got):\n%s", diff)
	}
}

// The ports of devlink tell the device where neither rtnetlink nor the driver does.
func TestFirmwareByPort(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release510)
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
	n := ethtooltest.ICE("0000:3b:00.1")
	n.Bus = "elsewhere"
	k.Add("eth1", n)
	got, err := c.Firmware(t.Context(), ethtool.Link{Name: "eth1"})
	if err != nil || got.Handle != "pci/0000:3b:00.1" {
		t.Errorf("handle is %q, %v", got.Handle, err)
	}
}

// Without a parent from rtnetlink and without ports, the driver's bus address is left.
func TestFirmwareByBusAddress(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release510)
	n := ethtooltest.ICE("0000:3b:00.0")
	n.HasDevlinkPort = false
	k.Add("eth0", n)
	got, err := c.Firmware(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || got.Handle != "pci/0000:3b:00.0" {
		t.Errorf("handle is %q, %v", got.Handle, err)
	}
}

func TestFirmwareErrors(t *testing.T) {
	tests := []struct {
		name    string
		answer  error
		want    error
		message string
	}{
		{"device is being reset", &ethtool.KernelError{Errno: syscall.EBUSY, Message: "Device is busy resetting"}, ethtool.ErrBusy, "Device is busy resetting"},
		{"no right", &ethtool.KernelError{Errno: syscall.EPERM}, os.ErrPermission, ""},
		{"out of memory", &ethtool.KernelError{Errno: syscall.ENOMEM}, syscall.ENOMEM, ""},
		{"took too long", context.DeadlineExceeded, context.DeadlineExceeded, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, c := factsKernel(t, ethtooltest.Release612)
			k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
			k.Fail(func(call ethtooltest.Call) error {
				if call.Name == "DEVLINK_CMD_INFO_GET" {
					return tt.answer
				}
				return nil
			})
			_, err := c.Firmware(t.Context(), ethtool.Link{Name: "eth0"})
			e, ok := errors.AsType[*ethtool.Error](err)
			if !ok || !errors.Is(err, tt.want) || errors.Is(err, ethtool.ErrNoDevlink) {
				t.Fatalf("error is %v, want %v", err, tt.want)
			}
			if e.Message != tt.message || e.Link != "eth0" {
				t.Errorf("error is %#v", e)
			}
		})
	}
}

// ice waits up to ten seconds for a reset to end before it answers.
func TestFirmwareDeadline(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
	k.Hang(func(call ethtooltest.Call) bool { return call.Name == "DEVLINK_CMD_INFO_GET" })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Firmware(ctx, ethtool.Link{Name: "eth0"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

func TestHealth(t *testing.T) {
	dump := time.Date(2026, 3, 4, 3, 22, 0, 123, time.UTC)
	for _, release := range factsReleases {
		t.Run(release, func(t *testing.T) {
			k, c := factsKernel(t, release)
			k.Add("eth0", ethtooltest.MLX5("0000:5e:00.0"))
			n := ethtooltest.MLX5("0000:5e:00.1")
			n.Devlink.Reporters = []ethtooltest.Reporter{
				{Name: "fw", AutoRecover: true},
				{Name: "fw_fatal", Failed: true, Errors: 3, Recoveries: 2, LastDump: dump},
				{Name: "tx", OnPort: true, Port: n.DevlinkPort, AutoRecover: true},
				{Name: "tx", OnPort: true, Port: n.DevlinkPort + 1, Failed: true}, // of another interface
			}
			k.Add("eth1", n)
			got, err := c.Health(t.Context(), ethtool.Link{Name: "eth1"})
			if err != nil {
				t.Fatal(err)
			}
			want := []ethtool.Reporter{
				{Handle: "pci/0000:5e:00.1", Name: "fw", Healthy: true, AutoRecover: true, HasAutoRecover: true},
				{Handle: "pci/0000:5e:00.1", Name: "fw_fatal", Errors: 3, Recoveries: 2, HasAutoRecover: got[1].HasAutoRecover, LastDump: dump},
				{
					Handle: "pci/0000:5e:00.1", Port: n.DevlinkPort, HasPort: true, Name: "tx", Healthy: true,
					AutoRecover: true, HasAutoRecover: true,
				},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("health (-want +got):\n%s", diff)
			}
		})
	}
}

// A device with devlink and without reporters is not one without devlink.
func TestHealthWithoutReporters(t *testing.T) {
	for _, release := range factsReleases {
		t.Run(release, func(t *testing.T) {
			k, c := factsKernel(t, release)
			n := ethtooltest.ICE("0000:3b:00.0")
			n.Devlink.Reporters = nil
			k.Add("eth0", n)
			k.Add("eth1", ethtooltest.MLX5("0000:5e:00.0"))
			got, err := c.Health(t.Context(), ethtool.Link{Name: "eth0"})
			if err != nil || got != nil {
				t.Errorf("health is %v, %v", got, err)
			}
		})
	}
}

// factsAttr is one netlink attribute.
func factsAttr(typ uint16, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

func factsJoin(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func TestDecodeDevlinkMalformed(t *testing.T) {
	handle := factsJoin(factsAttr(1, []byte("pci\x00")...), factsAttr(2, []byte("0000:3b:00.0\x00")...))
	firmware := func(b []byte) error { _, err := ethtool.DecodeFirmware(b); return err }
	reporter := func(b []byte) error { _, err := ethtool.DecodeReporter(b); return err }
	port := func(b []byte) error { _, _, _, err := ethtool.DecodePort(b); return err }
	name, healthy := factsAttr(115, []byte("fw\x00")...), factsAttr(116, 0)
	tests := []struct {
		name   string
		decode func([]byte) error
		data   []byte
		ok     bool
	}{
		{"firmware", firmware, handle, true},
		{"firmware of nothing", firmware, nil, false},
		{"firmware cut off", firmware, handle[:len(handle)-6], false},
		{"version cut off", firmware, factsJoin(handle, factsAttr(101, 9, 0, 103, 0)), false},
		{"version of nothing", firmware, factsJoin(handle, factsAttr(101)), true},
		{"reporter", reporter, factsJoin(handle, factsAttr(114, factsJoin(name, healthy)...)), true},
		{"reporter of nothing", reporter, factsAttr(114, factsJoin(name, healthy)...), false},
		{"no reporter", reporter, handle, false},
		{"reporter without a name", reporter, factsJoin(handle, factsAttr(114, healthy...)), false},
		{"reporter without a state", reporter, factsJoin(handle, factsAttr(114, name...)), false},
		{"state of two bytes", reporter, factsJoin(handle, factsAttr(114, factsJoin(name, factsAttr(116, 0, 0))...)), false},
		{"count of four bytes", reporter, factsJoin(handle, factsAttr(114, factsJoin(name, healthy, factsAttr(117, 1, 0, 0, 0))...)), false},
		{"port of two bytes", reporter, factsJoin(handle, factsAttr(3, 1, 0), factsAttr(114, factsJoin(name, healthy)...)), false},
		{"port", port, factsJoin(handle, factsAttr(3, 1, 0, 0, 0), factsAttr(6, 2, 0, 0, 0)), true},
		{"port cut off", port, []byte{1}, false},
		{"interface of one byte", port, factsJoin(handle, factsAttr(6, 2)), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.decode(tt.data)
			if tt.ok != (err == nil) || err != nil && !errors.Is(err, ethtool.ErrMalformed) {
				t.Errorf("error is %v", err)
			}
		})
	}
}
