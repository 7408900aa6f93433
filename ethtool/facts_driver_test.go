// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// factsKernel makes a kernel of a release, and a Client for it.
func factsKernel(t testing.TB, release string) (*ethtooltest.Kernel, *ethtool.Client) {
	t.Helper()
	k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
	return k, factsDial(t, k.Transport())
}

func factsDial(t testing.TB, tr ethtool.Transport) *ethtool.Client {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{Transport: tr})
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

// factsSysfs is a Transport with files of its own.
type factsSysfs struct {
	ethtool.Transport
	files fs.FS
}

func (s factsSysfs) Sysfs() fs.FS { return s.files }

func TestDriver(t *testing.T) {
	tests := []struct {
		name string
		nic  *ethtooltest.NIC
		want ethtool.Driver
	}{
		{
			"of the kernel tree", ethtooltest.ICE("0000:3b:00.0"),
			ethtool.Driver{
				Name: "ice", Version: ethtooltest.Release612, Origin: ethtool.OriginInTree, Bus: "0000:3b:00.0",
				Firmware: "4.40 0x8001c7d4 1.3534.0", PrivateFlags: 6,
			},
		},
		{
			"of the vendor", ethtooltest.ICEOutOfTree("0000:3b:00.0"),
			ethtool.Driver{
				Name: "ice", Version: "2.4.5", Origin: ethtool.OriginOutOfTree, Bus: "0000:3b:00.0",
				Firmware: "4.40 0x8001c7d4 1.3534.0", PrivateFlags: 14,
			},
		},
		{
			"flags only by name", ethtooltest.ICESafeMode("0000:3b:00.0"),
			ethtool.Driver{
				Name: "ice", Version: ethtooltest.Release612, Origin: ethtool.OriginInTree, Bus: "0000:3b:00.0",
				Firmware: "4.40 0x8001c7d4 1.3534.0", PrivateFlags: 5,
			},
		},
		{
			"firmware that fills its room", &ethtooltest.NIC{Driver: "bnxt_en", Firmware: "229.0.146.0/pkg 229.1.123.0.77.5"},
			ethtool.Driver{Name: "bnxt_en", Version: ethtooltest.Release612, Firmware: "229.0.146.0/pkg 229.1.123.0.77.", FirmwareTruncated: true},
		},
		{
			"firmware that just fits may have been cut", &ethtooltest.NIC{Driver: "x", Firmware: strings.Repeat("7", 31)},
			ethtool.Driver{Name: "x", Version: ethtooltest.Release612, Firmware: strings.Repeat("7", 31), FirmwareTruncated: true},
		},
		{
			"firmware with room to spare", &ethtooltest.NIC{Driver: "x", Firmware: strings.Repeat("7", 30)},
			ethtool.Driver{Name: "x", Version: ethtooltest.Release612, Firmware: strings.Repeat("7", 30)},
		},
		{
			"a version of its own tells nothing", ethtooltest.Veth(),
			ethtool.Driver{Name: "veth", Version: "1.0"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, c := factsKernel(t, ethtooltest.Release612)
			k.Add("eth0", tt.nic)
			for _, link := range []ethtool.Link{{Name: "eth0"}, {Index: k.Index("eth0")}} {
				got, err := c.Driver(t.Context(), link)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("driver of %v (-want +got):\n%s", link, diff)
				}
			}
		})
	}
}

func TestDriverErrors(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	k.Add("lo", ethtooltest.Loopback())
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	tests := []struct {
		name string
		link ethtool.Link
		want error
	}{
		{"no such name", ethtool.Link{Name: "eth9"}, ethtool.ErrNoDevice},
		{"no such index", ethtool.Link{Index: 99}, os.ErrNotExist},
		{"name of another", ethtool.Link{Index: k.Index("eth0"), Name: "lo"}, ethtool.ErrNoDevice},
		{"no interface", ethtool.Link{}, ethtool.ErrBadValue},
		{"tells nothing", ethtool.Link{Name: "lo"}, errors.ErrUnsupported},
		{"tells nothing, as a number", ethtool.Link{Name: "lo"}, syscall.EOPNOTSUPP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Driver(t.Context(), tt.link)
			if !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
			if _, ok := errors.AsType[*ethtool.Error](err); !ok {
				t.Errorf("error is a %T", err)
			}
		})
	}
}

// Another interface gets the name between the look-up and the ioctl, which knows names only.
func TestDriverFollowsRename(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	k.Add("eth1", ethtooltest.MLX5("0000:5e:00.0"))
	renamed := false
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name == "ETHTOOL_GDRVINFO" && !renamed {
			renamed = true
			k.Rename("eth0", "old")
			k.Rename("eth1", "eth0")
		}
		return nil
	})
	got, err := c.Driver(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "i40e" {
		t.Errorf("driver is %q, want that of the interface which had the name at first", got.Name)
	}
}

func TestDriverOfWhatNeverKeepsItsName(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	k.Add("a", ethtooltest.I40E("0000:3b:00.0"))
	names := map[string]string{"a": "b", "b": "a"}
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name == "ETHTOOL_GDRVINFO" {
			for _, name := range k.Names() {
				k.Rename(name, names[name])
			}
		}
		return nil
	})
	_, err := c.Driver(t.Context(), ethtool.Link{Index: k.Index("a")})
	if !errors.Is(err, ethtool.ErrBusy) {
		t.Errorf("error is %v, want %v", err, ethtool.ErrBusy)
	}
}

func TestDecodeDriver(t *testing.T) {
	whole := make([]byte, 196)
	text := func(i int, s string) { copy(whole[4+32*i:4+32*i+32], s) }
	text(0, strings.Repeat("d", 32)) // no NUL
	text(1, "1.2\x00garbage")
	text(2, "fw a fw b ")
	binary.NativeEndian.PutUint32(whole[4+5*32+12:], 7)
	got, err := ethtool.DecodeDriver(whole)
	if err != nil {
		t.Fatal(err)
	}
	want := ethtool.Driver{Name: strings.Repeat("d", 32), Version: "1.2", Firmware: "fw a fw b", PrivateFlags: 7}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("driver (-want +got):\n%s", diff)
	}
	for _, n := range []int{0, 195, 197} {
		if _, err := ethtool.DecodeDriver(make([]byte, n)); !errors.Is(err, ethtool.ErrMalformed) {
			t.Errorf("%d bytes: error is %v", n, err)
		}
	}
	binary.NativeEndian.PutUint32(whole[4+5*32+12:], 1<<31)
	if _, err := ethtool.DecodeDriver(whole); !errors.Is(err, ethtool.ErrMalformed) {
		t.Errorf("a negative number of flags: error is %v", err)
	}
}

func TestOrigin(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	link := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), Mode: fs.ModeSymlink} }
	tests := []struct {
		name   string
		driver string
		files  fs.FS
		want   ethtool.Origin
	}{
		{"module of the kernel", "ice", fstest.MapFS{"module/ice/taint": file("\n")}, ethtool.OriginInTree},
		{"unsigned module of the kernel", "ice", fstest.MapFS{"module/ice/taint": file("E\n")}, ethtool.OriginInTree},
		{"module from elsewhere", "ice", fstest.MapFS{"module/ice/taint": file("OE\n")}, ethtool.OriginOutOfTree},
		{"built in", "ice", fstest.MapFS{"module/ice/parameters/debug": file("0\n")}, ethtool.OriginInTree},
		{"no such module", "ice", fstest.MapFS{"module/i40e/taint": file("O\n")}, ethtool.OriginUnknown},
		{"no sysfs", "ice", fstest.MapFS{}, ethtool.OriginUnknown},
		{"name with a dash", "thunder-nicvf", fstest.MapFS{"module/thunder_nicvf/taint": file("O\n")}, ethtool.OriginOutOfTree},
		{
			"driver that is not called like its module", "thunder-nicvf",
			fstest.MapFS{
				"bus/pci/devices/0000:3b:00.0/driver/module": link("../../../../../module/nicvf"),
				"module/nicvf/taint":                         file("O\n"),
			},
			ethtool.OriginOutOfTree,
		},
		{
			"virtio, whose PCI device has another driver", "virtio_net",
			fstest.MapFS{
				"module/virtio_net/taint": file("\n"), "bus/pci/devices/0000:3b:00.0/driver/module/taint": file("O\n"),
			},
			ethtool.OriginInTree,
		},
		{"driver that is no name of a file", "../../etc", fstest.MapFS{"etc/taint": file("O\n")}, ethtool.OriginUnknown},
		{"driver without a name", "", fstest.MapFS{"module/taint": file("O\n")}, ethtool.OriginUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := ethtooltest.NewKernel(nil)
			n := ethtooltest.ICE("0000:3b:00.0")
			n.Driver = "other"
			k.Add("eth0", n)
			// The fake driver of no name tells nothing at all: the name is put in on the way.
			k.Mangle(func(call ethtooltest.Call, b []byte) []byte {
				if call.Name == "ETHTOOL_GDRVINFO" && len(b) == 196 {
					clear(b[4:36])
					copy(b[4:36], tt.driver)
				}
				return b
			})
			c := factsDial(t, factsSysfs{k.Transport(), tt.files})
			d, err := c.Driver(t.Context(), ethtool.Link{Name: "eth0"})
			if err != nil {
				t.Fatal(err)
			}
			if d.Name != tt.driver || d.Origin != tt.want {
				t.Errorf("driver %q is %v, want %v", d.Name, d.Origin, tt.want)
			}
		})
	}
}

func TestOriginText(t *testing.T) {
	for _, o := range []ethtool.Origin{ethtool.OriginUnknown, ethtool.OriginInTree, ethtool.OriginOutOfTree, 9} {
		text, err := o.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back ethtool.Origin
		if err := back.UnmarshalText(text); err != nil || back != o {
			t.Errorf("%v is %q and again %v, %v", o, text, back, err)
		}
	}
	var o ethtool.Origin
	if err := o.UnmarshalText([]byte("elsewhere")); !errors.Is(err, ethtool.ErrBadValue) {
		t.Errorf("error is %v", err)
	}
}

// What a context that ended leaves is its error and nothing else.
func TestFactsEndWithContext(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
	link := ethtool.Link{Name: "eth0"}
	calls := map[string]func(context.Context) error{
		"Driver":       func(ctx context.Context) error { _, err := c.Driver(ctx, link); return err },
		"Firmware":     func(ctx context.Context) error { _, err := c.Firmware(ctx, link); return err },
		"Health":       func(ctx context.Context) error { _, err := c.Health(ctx, link); return err },
		"LinkState":    func(ctx context.Context) error { _, err := c.LinkState(ctx, link); return err },
		"PermanentMAC": func(ctx context.Context) error { _, err := c.PermanentMAC(ctx, link); return err },
		"PCIe":         func(ctx context.Context) error { _, err := c.PCIe(ctx, link); return err },
		"Facts":        func(ctx context.Context) error { _, err := c.Facts(ctx, link); return err },
		"Audit":        func(ctx context.Context) error { _, err := c.Audit(ctx, link); return err },
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		if err := call(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}
