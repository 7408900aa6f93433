// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest_test

import (
	"encoding/binary"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// TestFactsRead has the real package read what presets say besides flags.
func TestFactsRead(t *testing.T) {
	dump := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	k := ethtooltest.NewKernel(nil)
	nic := ethtooltest.MLX5("0000:3b:00.0")
	nic.Link = ethtooltest.Link{HasState: true, State: 3, HasDownCount: true, DownCount: 7}
	nic.NoCarrier = true
	nic.Devlink.Reporters[1].Failed, nic.Devlink.Reporters[1].Errors, nic.Devlink.Reporters[1].LastDump = true, 2, dump
	k.Add("eth0", nic)
	other := ethtooltest.BNXT("0000:5e:00.0")
	other.Link = ethtooltest.Link{HasSQI: true, SQI: 4, SQIMax: 7}
	k.Add("eth1", other)
	c := dial(t, k.Transport())

	fw, err := c.Firmware(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil {
		t.Fatal(err)
	}
	if fw.Handle != "pci/0000:3b:00.0" || fw.Driver != "mlx5_core" || cmp.Diff(nic.Devlink.Running, fw.Running) != "" ||
		cmp.Diff(nic.Devlink.Stored, fw.Stored) != "" || cmp.Diff(nic.Devlink.Fixed, fw.Fixed) != "" {
		t.Errorf("firmware %+v", fw)
	}
	fw, err = c.Firmware(t.Context(), ethtool.Link{Name: "eth1"})
	if err != nil || fw.Serial != other.Devlink.Serial || fw.BoardSerial != other.Devlink.BoardSerial {
		t.Errorf("serials %+v, %v", fw, err)
	}

	reporters, err := c.Health(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range reporters {
		names = append(names, r.Name)
		if (r.Name == "fw_fatal") == r.Healthy {
			t.Errorf("reporter %+v", r)
		}
		if r.Name == "fw_fatal" && (r.Errors != 2 || !r.LastDump.Equal(dump)) {
			t.Errorf("reporter %+v", r)
		}
	}
	if d := cmp.Diff([]string{"fw", "fw_fatal", "vnic", "tx", "rx"}, names); d != "" {
		t.Errorf("reporters (-want +got):\n%s", d)
	}

	state, err := c.LinkState(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || state.Detected || !state.HasState || state.State != 3 || !state.HasDownCount || state.DownCount != 7 || state.HasSQI {
		t.Errorf("link state %+v, %v", state, err)
	}
	state, err = c.LinkState(t.Context(), ethtool.Link{Name: "eth1"})
	if err != nil || !state.Detected || state.HasState || !state.HasSQI || state.SQI != 4 || state.SQIMax != 7 {
		t.Errorf("link state %+v, %v", state, err)
	}
	info, err := c.LinkInfo(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || info.Port != ethtool.PortDA {
		t.Errorf("link info %+v, %v", info, err)
	}
	pcie, err := c.PCIe(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || pcie.Vendor != 0x15b3 || pcie.Speed != 8000 || pcie.Width != 16 {
		t.Errorf("PCIe %+v, %v", pcie, err)
	}
	mac, err := c.PermanentMAC(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || mac.String() != "b8:59:9f:3b:00:00" {
		t.Errorf("permanent address %v, %v", mac, err)
	}
}

func TestDevlinkByRelease(t *testing.T) {
	firmware := func(config *ethtooltest.Config, nic *ethtooltest.NIC) (ethtool.Firmware, error) {
		k := ethtooltest.NewKernel(config)
		k.Add("eth0", nic)
		return dial(t, k.Transport()).Firmware(t.Context(), ethtool.Link{Name: "eth0"})
	}
	if _, err := firmware(&ethtooltest.Config{Release: ethtooltest.Release61}, ethtooltest.I40E("0000:3b:00.0")); !errors.Is(err, ethtool.ErrNoDevlink) {
		t.Errorf("i40e on 6.1: %v", err)
	}
	if fw, err := firmware(&ethtooltest.Config{Release: ethtooltest.Release612}, ethtooltest.I40E("0000:3b:00.0")); err != nil || len(fw.Running) != 6 {
		t.Errorf("i40e on 6.12: %+v, %v", fw, err)
	}
	if _, err := firmware(&ethtooltest.Config{NoDevlink: true}, ethtooltest.ICE("0000:3b:00.0")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("no devlink: %v", err)
	}
	if _, err := firmware(&ethtooltest.Config{Release: ethtooltest.Release61}, ethtooltest.MLX4("0000:3b:00.0")); !errors.Is(err, ethtool.ErrNoDevlink) {
		t.Errorf("mlx4 on 6.1: %v", err)
	}
}

// TestDevlinkDump says that dumps of one device are those of all on old kernels.
func TestDevlinkDump(t *testing.T) {
	handle := string([]byte{8, 0, 1, 0, 'p', 'c', 'i', 0}) + string([]byte{17, 0, 2, 0}) + "0000:3b:00.0\x00\x00\x00\x00"
	for release, want := range map[string]int{ethtooltest.Release61: 9, ethtooltest.Release612: 5} {
		k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
		k.Add("eth0", ethtooltest.MLX5("0000:3b:00.0"))
		k.Add("eth1", ethtooltest.MLX5("0000:3b:00.1"))
		k.AddDevlink("pci/0000:af:00.0", &ethtooltest.Devlink{Driver: "ice", Reporters: []ethtooltest.Reporter{{Name: "fw"}}})
		messages, err := k.Transport().Generic(t.Context(), ethtool.Request{Family: ethtool.FamilyDevlink, Command: 52, Dump: true, Attrs: []byte(handle)})
		if err != nil || len(messages) != want {
			t.Errorf("%s: %d reporters, %v, want %d", release, len(messages), err, want)
		}
	}
}

// routeLink is a request about an interface, with attributes.
func routeLink(family uint8, index int, attrs string) []byte {
	b := make([]byte, 16)
	b[0] = family
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	return append(b, attrs...)
}

// macvlanTo is IFLA_LINKINFO with a mode.
func macvlanTo(kind string, mode byte) string {
	return "\x1c\x00\x12\x00" + "\x0c\x00\x01\x00" + kind + "\x00" + "\x0c\x00\x02\x00" + "\x08\x00\x01\x00" + string([]byte{mode, 0, 0, 0})
}

func TestMacvlanMode(t *testing.T) {
	tests := []struct {
		name  string
		from  string
		typ   uint16
		attrs string
		user  bool
		want  syscall.Errno
		mode  string
	}{
		{name: "by RTM_NEWLINK", from: "vepa", typ: 16, attrs: macvlanTo("macvlan", 1), mode: "private"},
		{name: "RTM_SETLINK does not look", from: "vepa", typ: 19, attrs: macvlanTo("macvlan", 1), mode: "vepa"},
		{name: "another kind", from: "vepa", typ: 16, attrs: macvlanTo("macvtap", 1), want: syscall.EOPNOTSUPP, mode: "vepa"},
		{name: "no such mode", from: "vepa", typ: 16, attrs: macvlanTo("macvlan", 3), want: syscall.EINVAL, mode: "vepa"},
		{name: "into passthru", from: "vepa", typ: 16, attrs: macvlanTo("macvlan", 8), want: syscall.EINVAL, mode: "vepa"},
		{name: "out of passthru", from: "passthru", typ: 16, attrs: macvlanTo("macvlan", 1), want: syscall.EINVAL, mode: "passthru"},
		{name: "no privilege", from: "vepa", typ: 16, attrs: macvlanTo("macvlan", 1), user: true, want: syscall.EPERM, mode: "vepa"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := ethtooltest.NewKernel(nil)
			k.Add("eth0", nil)
			index := k.Add("mv0", ethtooltest.Macvlan("eth0", tt.from))
			transport := k.Transport()
			if tt.user {
				transport = k.Unprivileged()
			}
			_, err := transport.Route(t.Context(), ethtool.RouteRequest{Type: tt.typ, Data: routeLink(0, index, tt.attrs)})
			if ke, _ := errors.AsType[*ethtool.KernelError](err); (err != nil || tt.want != 0) && (ke == nil || ke.Errno != tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if mode := k.NIC("mv0").MacvlanMode; mode != tt.mode {
				t.Errorf("mode is %s, want %s", mode, tt.mode)
			}
		})
	}
}

func TestBridgeMode(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	nic := ethtooltest.IXGBE("0000:3b:00.0")
	nic.BridgeMode = "vepa"
	index := k.Add("eth0", nic)
	k.Add("eth1", ethtooltest.IXGBE("0000:3b:00.1"))
	set := func(index int, mode byte) error {
		spec := "\x14\x00\x1a\x00" + "\x06\x00\x00\x00\x02\x00\x00\x00" + "\x06\x00\x01\x00" + string([]byte{mode, 0, 0, 0})
		_, err := k.Transport().Route(t.Context(), ethtool.RouteRequest{Type: 19, Data: routeLink(7, index, spec)})
		return err
	}
	if err := set(index, 0); err != nil || k.NIC("eth0").BridgeMode != "veb" {
		t.Errorf("mode %s, %v", k.NIC("eth0").BridgeMode, err)
	}
	if err := set(index, 9); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("no such mode: %v", err)
	}
	if err := set(index+1, 0); !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Errorf("no bridge: %v", err)
	}
	replies, err := k.Transport().Route(t.Context(), ethtool.RouteRequest{Type: 18, Flags: 0x300, Data: routeLink(7, 0, "")})
	if err != nil || len(replies) != 1 || replies[0][0] != 7 {
		t.Errorf("dump %v, %v", replies, err)
	}
}

// TestBondFacts has a bond and its slaves read.
func TestBondFacts(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("bond0", ethtooltest.BondMaster(&ethtooltest.Bond{
		Mode: "active-backup", ARPInterval: time.Second, ARPValidate: "all", FailOverMAC: "active", ActiveSlave: "eth0",
	}))
	for i, pci := range []string{"0000:3b:00.0", "0000:3b:00.1"} {
		nic := ethtooltest.ICE(pci)
		nic.Master, nic.Slave = "bond0", &ethtooltest.Slave{Backup: i > 0}
		if i > 0 {
			nic.Slave.MIIStatus = "down"
		}
		k.Add([]string{"eth0", "eth1"}[i], nic)
	}
	c := dial(t, k.Transport())
	f, err := c.Facts(t.Context(), ethtool.Link{Name: "eth1"})
	if err != nil {
		t.Fatal(err)
	}
	if b := f.Bond; b == nil || b.Link.Name != "bond0" || b.Mode != "active-backup" || b.Active || b.MIIStatus != "down" || b.ARPInterval != time.Second ||
		b.ARPValidate != "all" || b.FailOverMAC != "active" {
		t.Errorf("bond %+v", f.Bond)
	}
	if f, err = c.Facts(t.Context(), ethtool.Link{Name: "eth0"}); err != nil || f.Bond == nil || !f.Bond.Active || f.Bond.MIIStatus != "up" {
		t.Errorf("%+v, %v", f.Bond, err)
	}
}

// TestIoctl has the ioctls without the real package, where it does not use them so.
func TestIoctl(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.IGB("0000:04:00.0"))
	k.Add("lo", ethtooltest.Loopback())
	k.Add("away0", ethtooltest.IGB("0000:04:00.1"))
	k.SetAway("away0", true)
	transport := k.Transport()
	tests := []struct {
		name string
		link string
		data string
		want error
	}{
		{"no such interface", "nosuch", "\x27\x00\x00\x00\x00\x00\x00\x00", syscall.ENODEV},
		{"away", "away0", "\x27\x00\x00\x00\x00\x00\x00\x00", syscall.ENODEV},
		{"no flags", "lo", "\x27\x00\x00\x00\x00\x00\x00\x00", syscall.EOPNOTSUPP},
		{"no driver", "lo", "\x03" + string(make([]byte, 195)), syscall.EOPNOTSUPP},
		{"no room", "eth0", "\x03\x00\x00\x00", syscall.EFAULT},
		{"no command", "eth0", "\x03", syscall.EFAULT},
		{"unknown command", "eth0", "\xff\x00\x00\x00", syscall.EOPNOTSUPP},
		{"no such strings", "eth0", "\x1b\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00", syscall.EOPNOTSUPP},
		{"no room for strings", "eth0", "\x1b\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00", syscall.EFAULT},
	}
	for _, tt := range tests {
		if err := transport.Ioctl(t.Context(), tt.link, []byte(tt.data)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	addr := append([]byte{0x20, 0, 0, 0, 32, 0, 0, 0}, make([]byte, 32)...)
	if err := transport.Ioctl(t.Context(), "eth0", addr); err != nil || addr[4] != 6 || string(addr[8:14]) != string(k.NIC("eth0").PermMAC) {
		t.Errorf("permanent address % x, %v", addr, err)
	}
	link := []byte{0x0a, 0, 0, 0, 0, 0, 0, 0}
	if err := transport.Ioctl(t.Context(), "eth0", link); err != nil || link[4] != 1 {
		t.Errorf("link % x, %v", link, err)
	}
}

// TestFirmwareFromDevlink has a driver that tells no firmware: the kernel takes the running versions.
func TestFirmwareFromDevlink(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	nic := ethtooltest.ICE("0000:3b:00.0")
	nic.Firmware = ""
	k.Add("eth0", nic)
	d, err := dial(t, k.Transport()).Driver(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || d.Firmware != "7.4.13 1.7.11 0xded4446f 1.3534" || !d.FirmwareTruncated {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestMistakes(t *testing.T) {
	mistakes := map[string]func(*ethtooltest.Kernel){
		"a name twice":    func(k *ethtooltest.Kernel) { k.Add("eth0", nil) },
		"an index twice":  func(k *ethtooltest.Kernel) { k.Add("eth1", &ethtooltest.NIC{Index: 1}) },
		"no name":         func(k *ethtooltest.Kernel) { k.Add("", nil) },
		"a long name":     func(k *ethtooltest.Kernel) { k.Add("a234567890123456", nil) },
		"no master":       func(k *ethtooltest.Kernel) { k.Add("eth1", &ethtooltest.NIC{Master: "nosuch"}) },
		"a mode":          func(k *ethtooltest.Kernel) { k.Add("eth1", ethtooltest.Macvlan("eth0", "nosuch")) },
		"an address":      func(*ethtooltest.Kernel) { ethtooltest.I40E("nosuch") },
		"no such link":    func(k *ethtooltest.Kernel) { k.Remove("nosuch") },
		"no such flag":    func(k *ethtooltest.Kernel) { k.Flag("eth0", "nosuch") },
		"devlink nowhere": func(k *ethtooltest.Kernel) { k.Add("eth1", &ethtooltest.NIC{Devlink: &ethtooltest.Devlink{}}) },
		"a release":       func(*ethtooltest.Kernel) { ethtooltest.NewKernel(&ethtooltest.Config{Release: "6"}) },
		"another release": func(*ethtooltest.Kernel) { ethtooltest.NewKernel(&ethtooltest.Config{Release: "6.x"}) },
		"a changed index": func(k *ethtooltest.Kernel) { k.Update("eth0", func(n *ethtooltest.NIC) { n.Index = 5 }) },
		"devlink twice": func(k *ethtooltest.Kernel) {
			k.AddDevlink("pci/0", &ethtooltest.Devlink{})
			k.AddDevlink("pci/0", &ethtooltest.Devlink{})
		},
	}
	for name, mistake := range mistakes {
		t.Run(name, func(t *testing.T) {
			k := ethtooltest.NewKernel(nil)
			k.Add("eth0", nil)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			mistake(k)
		})
	}
}

// TestNamesOfTheKernel says which names the kernel would take.
func TestNamesOfTheKernel(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("e\xe9\\", nil)
	c := dial(t, k.Transport())
	if _, err := c.LinkState(t.Context(), ethtool.Link{Name: "e\xe9\\"}); err != nil {
		t.Error(err)
	}
}
