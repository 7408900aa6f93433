// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// dial opens a Client of a kernel.
func dial(t *testing.T, transport ethtool.Transport) *ethtool.Client {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// hardwarePresets are the presets that are cards.
var hardwarePresets = map[string]func(string) *ethtooltest.NIC{
	"i40e": ethtooltest.I40E, "i40e out of tree": ethtooltest.I40EOutOfTree, "i40e recovery": ethtooltest.I40ERecovery,
	"ice": ethtooltest.ICE, "ice out of tree": ethtooltest.ICEOutOfTree, "ice safe mode": ethtooltest.ICESafeMode,
	"ixgbe": ethtooltest.IXGBE, "e1000e": ethtooltest.E1000E, "igb": ethtooltest.IGB,
	"mlx4": ethtooltest.MLX4, "mlx4 multi-function": ethtooltest.MLX4MultiFunction, "mlx5": ethtooltest.MLX5, "bnxt": ethtooltest.BNXT,
	"iavf":    func(pci string) *ethtooltest.NIC { return ethtooltest.IAVF(pci, "0000:3b:00.0") },
	"ixgbevf": func(pci string) *ethtooltest.NIC { return ethtooltest.IXGBEVF(pci, "") },
}

// TestPresetsRead has the real package read every preset on every release, by netlink or by
// ioctl, and compares that with what the preset says.
func TestPresetsRead(t *testing.T) {
	for _, release := range []string{"5.4.0", "5.6.19", ethtooltest.Release510, ethtooltest.Release61, ethtooltest.Release612, ""} {
		for name, preset := range hardwarePresets {
			t.Run(release+" "+name, func(t *testing.T) {
				k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
				k.Add("eth0", preset("0000:3b:00.1"))
				nic := k.NIC("eth0")
				var want ethtool.Flags
				for _, f := range nic.PrivateFlags {
					want = append(want, ethtool.Flag{Name: f.Name, On: f.On})
				}
				c := dial(t, k.Transport())
				got, err := c.Flags(t.Context(), ethtool.Link{Name: "eth0"})
				if want == nil {
					if !errors.Is(err, ethtool.ErrNoPrivateFlags) {
						t.Fatalf("flags %v, %v, want none", got, err)
					}
				} else if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("flags (-preset +read):\n%s", d)
				}
				d, err := c.Driver(t.Context(), ethtool.Link{Name: "eth0"})
				if err != nil {
					t.Fatal(err)
				}
				if d.Name != nic.Driver || d.Bus != "0000:3b:00.1" || d.Firmware != nic.Firmware || (d.Origin == ethtool.OriginOutOfTree) != nic.OutOfTree {
					t.Errorf("driver %+v of %+v", d, nic)
				}
				if len(nic.Firmware) > 31 {
					t.Errorf("firmware %q does not fit", nic.Firmware)
				}
			})
		}
	}
}

func TestPresetFlagsByRelease(t *testing.T) {
	has := func(release, flag string, preset *ethtooltest.NIC) bool {
		k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
		k.Add("eth0", preset)
		return slices.ContainsFunc(k.NIC("eth0").PrivateFlags, func(f ethtooltest.Flag) bool { return f.Name == flag })
	}
	tests := []struct {
		flag         string
		preset       func() *ethtooltest.NIC
		with, before string
	}{
		{"vf-vlan-pruning", func() *ethtooltest.NIC { return ethtooltest.I40E("0000:3b:00.0") }, ethtooltest.Release61, ethtooltest.Release510},
		{"mdd-auto-reset-vf", func() *ethtooltest.NIC { return ethtooltest.I40E("0000:3b:00.0") }, ethtooltest.Release72, ethtooltest.Release612},
		{"tx_port_ts", func() *ethtooltest.NIC { return ethtooltest.MLX5("0000:3b:00.0") }, ethtooltest.Release61, ethtooltest.Release510},
		{"legacy-rx", func() *ethtooltest.NIC { return ethtooltest.ICE("0000:3b:00.0") }, ethtooltest.Release612, ethtooltest.Release72},
		{"legacy-rx", func() *ethtooltest.NIC { return ethtooltest.IAVF("0000:3b:02.0", "") }, ethtooltest.Release61, ethtooltest.Release612},
		{"err-rst-on-open", ethtooltest.SLCAN, ethtooltest.Release61, ethtooltest.Release510},
	}
	for _, tt := range tests {
		if !has(tt.with, tt.flag, tt.preset()) || has(tt.before, tt.flag, tt.preset()) {
			t.Errorf("%s is to be there with %s and not with %s", tt.flag, tt.with, tt.before)
		}
	}
}

// TestErrors is the error map of the kernel, from the Transport on: number and text.
func TestErrors(t *testing.T) {
	type answer struct {
		Errno   syscall.Errno
		Message string
	}
	attr := func(typ uint16, data string) string {
		n := 4 + len(data)
		return string([]byte{byte(n), byte(n >> 8), byte(typ), byte(typ >> 8)}) + data + strings.Repeat("\x00", -n&3)
	}
	byName := func(name string) string { return attr(1|0x8000, attr(2, name+"\x00")) }
	flag := func(name string, on bool) string {
		bit := attr(2, name+"\x00")
		if on {
			bit += attr(3, "")
		}
		return attr(2|0x8000, attr(3|0x8000, attr(1|0x8000, bit)))
	}
	const get, set = 13, 14
	tests := []struct {
		name    string
		release string
		user    bool
		command uint8
		attrs   string
		want    answer
		tooOld  bool
	}{
		{name: "no header", command: get, want: answer{syscall.EINVAL, "request header missing"}},
		{name: "empty header", command: get, attrs: attr(1, ""), want: answer{syscall.EINVAL, "neither ifindex nor name specified"}},
		{name: "no such name", command: get, attrs: byName("nosuch"), want: answer{syscall.ENODEV, "no device matches name"}},
		{name: "no such index", command: get, attrs: attr(1, attr(1, "\x63\x00\x00\x00")), want: answer{syscall.ENODEV, "no device matches ifindex"}},
		{
			name: "name and index", command: get, attrs: attr(1, attr(1, "\x01\x00\x00\x00")+attr(2, "eth1\x00")),
			want: answer{syscall.ENODEV, "ifindex and name do not match"},
		},
		{name: "away", command: get, attrs: byName("away0"), want: answer{syscall.ENODEV, ""}},
		{name: "away on 5.10", release: ethtooltest.Release510, command: get, attrs: byName("away0"), want: answer{syscall.ENODEV, "device not present"}},
		{name: "no flags", command: get, attrs: byName("veth0"), want: answer{syscall.EOPNOTSUPP, ""}},
		{name: "no flags to set", command: set, attrs: byName("veth0") + flag("x", true), want: answer{syscall.EOPNOTSUPP, ""}},
		{name: "unknown flag", command: set, attrs: byName("eth0") + flag("x", true), want: answer{syscall.EOPNOTSUPP, "bit name not found"}},
		{name: "no flag", command: set, attrs: byName("eth0"), want: answer{syscall.EINVAL, ""}},
		{name: "refused", command: set, attrs: byName("eth0") + flag("MFP", true), want: answer{syscall.EOPNOTSUPP, ""}},
		{name: "refused by e1000e", command: set, attrs: byName("eth1") + flag("s0ix-enabled", true), want: answer{syscall.EINVAL, ""}},
		{name: "busy", command: set, attrs: byName("can0") + flag("err-rst-on-open", true), want: answer{syscall.EBUSY, ""}},
		{name: "no privilege", user: true, command: set, attrs: byName("nosuch") + flag("x", true), want: answer{syscall.EPERM, ""}},
		{name: "equal", command: set, attrs: byName("eth0") + flag("MFP", false)},
		{name: "no family", release: "5.5.0", command: get, attrs: byName("eth0"), tooOld: true},
		{name: "no command", release: "5.6.0", command: get, attrs: byName("eth0"), tooOld: true},
		{name: "no such command", command: 200, attrs: byName("eth0"), tooOld: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := ethtooltest.NewKernel(&ethtooltest.Config{Release: tt.release})
			k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
			k.Add("eth1", ethtooltest.E1000E("0000:04:00.0"))
			k.Add("veth0", ethtooltest.Veth())
			k.Add("away0", ethtooltest.ICE("0000:5e:00.0"))
			k.SetAway("away0", true)
			k.Add("can0", ethtooltest.SLCAN())
			k.SetUp("can0", true)
			transport := k.Transport()
			if tt.user {
				transport = k.Unprivileged()
			}
			_, err := transport.Generic(t.Context(), ethtool.Request{Family: ethtool.FamilyEthtool, Command: tt.command, Attrs: []byte(tt.attrs)})
			if errors.Is(err, ethtool.ErrKernelTooOld) != tt.tooOld {
				t.Fatalf("got %v, too old %v", err, tt.tooOld)
			}
			var got answer
			if ke, ok := errors.AsType[*ethtool.KernelError](err); ok {
				got = answer{ke.Errno, ke.Message}
			} else if err != nil && !tt.tooOld {
				t.Fatalf("got %v, want a KernelError", err)
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestNotifications says which changes the kernel announces: by netlink, if something changed; by ioctl,
// when something is read.
func TestNotifications(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	c := dial(t, k.Transport())
	sub, err := k.Transport().Subscribe(t.Context(), ethtool.FamilyEthtool, ethtool.GroupMonitor)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	link := ethtool.Link{Name: "eth0"}
	announced := func() int {
		// What is there is there at once, so a context that has ended takes nothing from it.
		k.Send(ethtool.FamilyEthtool, ethtool.Message{Command: 99})
		messages, err := sub.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, m := range messages {
			if m.Command == 15 {
				n++
			}
		}
		return n
	}
	ioctl := func(command byte, value byte) error {
		return k.Transport().Ioctl(t.Context(), "eth0", []byte{command, 0, 0, 0, value, 0, 0, 0})
	}
	tests := []struct {
		name string
		do   func() error
		want int
	}{
		{"read by netlink", func() error { _, err := c.Flags(t.Context(), link); return err }, 0},
		{"change by netlink", func() error { _, err := c.SetFlag(t.Context(), link, "link-down-on-close", true); return err }, 1},
		{"the same again", func() error { _, err := c.SetFlag(t.Context(), link, "link-down-on-close", true); return err }, 0},
		{"read by ioctl", func() error { return ioctl(0x27, 0) }, 1},
		{"change by ioctl", func() error { return ioctl(0x28, 0x88) }, 0},
		{"another program by netlink", func() error { return k.SetFlag("eth0", "LinkPolling", true) }, 1},
		{"another program by ioctl", func() error { return k.SetFlagByIoctl("eth0", "LinkPolling", false) }, 0},
	}
	for _, tt := range tests {
		if err := tt.do(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := announced(); got != tt.want {
			t.Errorf("%s: %d notifications, want %d", tt.name, got, tt.want)
		}
	}
	if !k.Flag("eth0", "link-down-on-close") && !k.Flag("eth0", "legacy-rx") {
		t.Error("the change by ioctl did nothing")
	}
}

func TestDriverBehaviour(t *testing.T) {
	set := func(t *testing.T, c *ethtool.Client, link, flag string, on bool) (ethtool.Change, error) {
		t.Helper()
		return c.SetFlag(t.Context(), ethtool.Link{Name: link}, flag, on)
	}
	t.Run("reset takes the carrier", func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
		change, err := set(t, dial(t, k.Transport()), "eth0", "disable-source-pruning", true)
		if err != nil || change.CarrierChanges != 2 || !change.Verified || k.NIC("eth0").CarrierChanges != 2 {
			t.Errorf("%+v, %v", change, err)
		}
		if !k.InEffect("eth0", "disable-source-pruning") {
			t.Error("not in effect")
		}
	})
	t.Run("no reset in Linux 6.7 to 6.12.1", func(t *testing.T) {
		for release, works := range map[string]bool{"6.6.9": true, "6.7.0": false, "6.12.1": false, "6.12.2": true} {
			k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
			k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
			change, err := set(t, dial(t, k.Transport()), "eth0", "disable-source-pruning", true)
			if err != nil || (change.CarrierChanges == 2) != works || k.InEffect("eth0", "disable-source-pruning") != works {
				t.Errorf("%s: %+v, %v", release, change, err)
			}
		}
	})
	t.Run("no carrier, no changes of it", func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
		k.SetCarrier("eth0", false)
		change, err := set(t, dial(t, k.Transport()), "eth0", "disable-source-pruning", true)
		if err != nil || change.CarrierChanges != 0 || k.NIC("eth0").CarrierChanges != 1 {
			t.Errorf("%+v, %v", change, err)
		}
	})
	t.Run("lies", func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("eth0", &ethtooltest.NIC{PrivateFlags: []ethtooltest.Flag{{Name: "a", Lies: true}}})
		_, err := set(t, dial(t, k.Transport()), "eth0", "a", true)
		if !errors.Is(err, ethtool.ErrNotVerified) || k.Flag("eth0", "a") {
			t.Errorf("%v", err)
		}
	})
	t.Run("forgotten after a reset", func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("eth0", ethtooltest.ICEOutOfTree("0000:3b:00.0"))
		if _, err := set(t, dial(t, k.Transport()), "eth0", "mac-source-pruning", false); err != nil {
			t.Fatal(err)
		}
		if k.InEffect("eth0", "mac-source-pruning") {
			t.Error("not in effect")
		}
		k.ResetDevice("eth0")
		if k.Flag("eth0", "mac-source-pruning") || !k.InEffect("eth0", "mac-source-pruning") {
			t.Error("want a flag that is off, and hardware that prunes")
		}
	})
	t.Run("busy while up", func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("can0", ethtooltest.SLCAN())
		c := dial(t, k.Transport())
		if _, err := set(t, c, "can0", "err-rst-on-open", true); err != nil {
			t.Error(err)
		}
		k.SetUp("can0", true)
		if _, err := set(t, c, "can0", "err-rst-on-open", false); !errors.Is(err, ethtool.ErrBusy) {
			t.Errorf("%v", err)
		}
	})
	t.Run("no privilege by ioctl", func(t *testing.T) {
		k := ethtooltest.NewKernel(&ethtooltest.Config{Release: "5.4.0"})
		k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
		_, err := set(t, dial(t, k.Unprivileged()), "eth0", "veb-stats", true)
		if !errors.Is(err, os.ErrPermission) || len(k.Changes()) != 1 || k.Changes()[0].Name != "ETHTOOL_SPFLAGS" {
			t.Errorf("%v, %v", err, k.Changes())
		}
	})
}

// TestDump says that a dump leaves out who has nothing to tell, and that one device that is
// away spoils it.
func TestDump(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("lo", ethtooltest.Loopback())
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	k.Add("eth1", ethtooltest.ICE("0000:5e:00.0"))
	dump := ethtool.Request{Family: ethtool.FamilyEthtool, Command: 13, Dump: true}
	messages, err := k.Transport().Generic(t.Context(), dump)
	if err != nil || len(messages) != 2 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	k.SetAway("eth0", true)
	if _, err := k.Transport().Generic(t.Context(), dump); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("got %v", err)
	}
}

func TestSysfs(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.I40EOutOfTree("0000:3b:00.0"))
	k.Add("eth1", ethtooltest.IAVF("0000:3b:02.0", "0000:3b:00.0"))
	sys := k.Transport().Sysfs()
	if err := fstest.TestFS(sys, "bus/pci/devices/0000:3b:00.0/vendor", "module/i40e/version"); err != nil {
		t.Error(err)
	}
	want := map[string]string{
		"bus/pci/devices/0000:3b:00.0/vendor":             "0x8086\n",
		"bus/pci/devices/0000:3b:00.0/device":             "0x158b\n",
		"bus/pci/devices/0000:3b:00.0/current_link_speed": "8.0 GT/s PCIe\n",
		"bus/pci/devices/0000:3b:00.0/max_link_width":     "8\n",
		"bus/pci/devices/0000:3b:02.0/physfn/vendor":      "0x8086\n",
		"module/i40e/version":                             "2.28.9\n",
		"module/i40e/taint":                               "OE\n",
		"module/iavf/taint":                               "\n",
	}
	for name, content := range want {
		if b, err := fs.ReadFile(sys, name); err != nil || string(b) != content {
			t.Errorf("%s is %q, %v, want %q", name, b, err, content)
		}
	}
	k.Update("eth0", func(n *ethtooltest.NIC) { n.PCI.Width = 4 })
	if b, err := fs.ReadFile(sys, "bus/pci/devices/0000:3b:00.0/current_link_width"); err != nil || string(b) != "4\n" {
		t.Errorf("width is %q, %v, want that of now", b, err)
	}
	k.Remove("eth0")
	if _, err := fs.Stat(sys, "bus/pci/devices/0000:3b:00.0"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed device: %v", err)
	}
}

func TestHooks(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	c := dial(t, k.Transport())
	link := ethtool.Link{Name: "eth0"}

	t.Run("between two requests", func(t *testing.T) {
		k.Fail(func(call ethtooltest.Call) error {
			if call.Name == "ETHTOOL_MSG_PRIVFLAGS_GET" {
				k.Fail(nil)
				k.Rename("eth0", "ens1")
			}
			return nil
		})
		if _, err := c.Flags(t.Context(), link); err != nil {
			t.Errorf("after a rename: %v", err)
		}
		k.Rename("ens1", "eth0")
	})
	t.Run("fail", func(t *testing.T) {
		k.Fail(func(call ethtooltest.Call) error {
			if call.Write {
				return &ethtool.KernelError{Errno: syscall.EIO}
			}
			return nil
		})
		defer k.Fail(nil)
		if _, err := c.SetFlag(t.Context(), link, "veb-stats", true); !errors.Is(err, syscall.EIO) || k.Flag("eth0", "veb-stats") {
			t.Errorf("%v", err)
		}
	})
	t.Run("fail after", func(t *testing.T) {
		k.FailAfter(func(call ethtooltest.Call) error {
			if call.Write {
				return &ethtool.KernelError{Errno: syscall.EIO}
			}
			return nil
		})
		defer k.FailAfter(nil)
		if _, err := c.SetFlag(t.Context(), link, "veb-stats", true); !errors.Is(err, syscall.EIO) || !k.Flag("eth0", "veb-stats") {
			t.Errorf("%v", err)
		}
	})
	t.Run("hang", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		k.Hang(func(ethtooltest.Call) bool { cancel(); return true })
		defer k.Hang(nil)
		if _, err := c.Flags(ctx, link); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
	t.Run("mangle", func(t *testing.T) {
		k.Mangle(func(_ ethtooltest.Call, b []byte) []byte { return b[:len(b)-1] })
		defer k.Mangle(nil)
		if _, err := c.Flags(t.Context(), link); !errors.Is(err, ethtool.ErrMalformed) {
			t.Errorf("%v", err)
		}
	})
	t.Run("log", func(t *testing.T) {
		k.ResetRequests()
		if _, err := c.SetFlag(t.Context(), link, "LinkPolling", true); err != nil {
			t.Fatal(err)
		}
		changes := k.Changes()
		if len(changes) != 1 || changes[0].Name != "ETHTOOL_MSG_PRIVFLAGS_SET" || changes[0].Link.Index != k.Index("eth0") {
			t.Errorf("changes %+v", changes)
		}
		if len(k.Requests()) < 3 {
			t.Errorf("requests %+v", k.Requests())
		}
	})
	t.Run("closed", func(t *testing.T) {
		transport := k.Transport()
		if err := transport.Close(); err != nil {
			t.Error(err)
		}
		if err := transport.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("again: %v", err)
		}
		if _, err := transport.Route(t.Context(), ethtool.RouteRequest{}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("use: %v", err)
		}
	})
}

func TestSubscription(t *testing.T) {
	k := ethtooltest.NewKernel(&ethtooltest.Config{Queue: 2})
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
	sub, err := k.Transport().Subscribe(t.Context(), ethtool.FamilyRoute, ethtool.GroupLink)
	if err != nil {
		t.Fatal(err)
	}
	k.SetCarrier("eth0", false)
	if messages, err := sub.Receive(t.Context()); err != nil || len(messages) != 1 || messages[0].Command != 16 {
		t.Errorf("%v, %v", messages, err)
	}
	release := k.Hold()
	k.SetCarrier("eth0", true)
	k.Remove("eth0")
	release()
	if messages, err := sub.Receive(t.Context()); err != nil || len(messages) != 2 || messages[1].Command != 17 {
		t.Errorf("%v, %v", messages, err)
	}
	for range 3 {
		k.Send(ethtool.FamilyRoute, ethtool.Message{Command: 16})
	}
	k.Send(ethtool.FamilyEthtool, ethtool.Message{Command: 15}) // is for others
	if _, err := sub.Receive(t.Context()); !errors.Is(err, ethtool.ErrOverrun) || !errors.Is(err, syscall.ENOBUFS) {
		t.Errorf("overrun: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sub.Receive(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if k.Subscriptions() != 1 {
		t.Errorf("%d subscriptions", k.Subscriptions())
	}
	if err := sub.Close(); err != nil {
		t.Error(err)
	}
	if _, err := sub.Receive(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if k.Subscriptions() != 0 {
		t.Errorf("%d subscriptions after Close", k.Subscriptions())
	}
	if _, err := ethtooltest.NewKernel(&ethtooltest.Config{Release: "5.5.0"}).Transport().Subscribe(t.Context(), ethtool.FamilyEthtool, ethtool.GroupMonitor); !errors.Is(err, ethtool.ErrKernelTooOld) {
		t.Errorf("no family: %v", err)
	}
}
