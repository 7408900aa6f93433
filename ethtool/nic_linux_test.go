// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	peer "github.com/mdlayher/ethtool"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/ethtool"
)

// The tests of this file need the interfaces of a virtual machine: e1000e and igb are devices of the
// emulator, and slcan makes its interface in the first network namespace, whichever the
// caller is in.

// coreInVM skips a test outside a virtual machine, or with one whose kernel has no such
// module.
func coreInVM(t testing.TB, module string) {
	t.Helper()
	if os.Getenv("BONDKIT_VM") == "" {
		t.Skip("no virtual machine here, and this is not for the interfaces of a real one")
	}
	if _, err := os.Stat(filepath.Join("/sys/module", module)); err != nil {
		t.Skipf("kernel %s has no module %s", coreRelease(t), module)
	}
}

func coreRelease(t testing.TB) string {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	return unix.ByteSliceToString(u.Release[:])
}

// coreDevice returns the interface of an emulated device with this driver.
func coreDevice(t testing.TB, driver string) string {
	t.Helper()
	coreInVM(t, driver)
	all, err := filepath.Glob("/sys/class/net/*/device/driver")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if target, err := os.Readlink(p); err == nil && filepath.Base(target) == driver {
			return filepath.Base(filepath.Dir(filepath.Dir(p)))
		}
	}
	t.Skipf("emulator has no device %s", driver)
	return ""
}

// coreOwn opens a Client of the namespace of the calling thread, which is that of the process.
func coreOwn(t testing.TB) *ethtool.Client {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// coreRun runs a command.
func coreRun(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
	return string(out)
}

// coreSLCAN makes an slcan interface, which has the private flag err-rst-on-open (Linux 6.0), on
// a pseudo terminal, and returns its name.
func coreSLCAN(t testing.TB) string {
	t.Helper()
	coreInVM(t, "slcan")
	before := coreInterfaces(t)
	ptmx := coreTTY(t, "/dev/ptmx")
	number := 0
	coreControl(t, ptmx, func(fd int) (err error) {
		if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		}
		return err
	})
	tty := coreTTY(t, fmt.Sprintf("/dev/pts/%d", number))
	const slcan = 17 // N_SLCAN
	coreControl(t, tty, func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCSETD, slcan) })
	// The driver waits until what it writes is read.
	go func() { _, _ = io.Copy(io.Discard, ptmx) }()
	for _, name := range coreInterfaces(t) {
		if !slices.Contains(before, name) {
			return name
		}
	}
	t.Fatal("the terminal has become no interface")
	return ""
}

// coreTTY opens a terminal.
func coreTTY(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// coreControl calls f with the descriptor of a file, and leaves the file one that Close wakes.
func coreControl(t testing.TB, file *os.File, f func(fd int) error) {
	t.Helper()
	rc, err := file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var result error
	if err := rc.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		t.Fatal(err)
	}
	if err := result; err != nil {
		t.Fatal(err)
	}
}

func coreInterfaces(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// coreNoNetlink is a kernel whose netlink has no private flags, and everything
// else.
type coreNoNetlink struct{ ethtool.Transport }

func (t coreNoNetlink) Generic(ctx context.Context, req ethtool.Request) ([]ethtool.Message, error) {
	if req.Family == ethtool.FamilyEthtool && (req.Command == unix.ETHTOOL_MSG_PRIVFLAGS_GET || req.Command == unix.ETHTOOL_MSG_PRIVFLAGS_SET) {
		return nil, ethtool.ErrKernelTooOld
	}
	return t.Transport.Generic(ctx, req)
}

// coreBothWays returns a Client that uses netlink and one that uses ioctl.
func coreBothWays(t testing.TB) map[ethtool.Via]*ethtool.Client {
	t.Helper()
	tr, err := ethtool.NewKernelTransport(&ethtool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return map[ethtool.Via]*ethtool.Client{ethtool.ViaNetlink: coreOwn(t), ethtool.ViaIoctl: coreDial(t, coreNoNetlink{tr})}
}

// corePeerFlags reads flags with another library and with ethtool(8), which must agree.
func corePeerFlags(t testing.TB, name string) map[string]bool {
	t.Helper()
	c, err := peer.New()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := c.PrivateFlags(peer.Interface{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	for line := range strings.Lines(coreRun(t, "ethtool", "--show-priv-flags", name)) {
		if flag, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && value != "" {
			got[strings.TrimSpace(flag)] = strings.TrimSpace(value) == "on"
		}
	}
	if diff := cmp.Diff(p.Flags, got); diff != "" {
		t.Fatalf("the peers differ (-library +ethtool):\n%s", diff)
	}
	return got
}

// coreSameFlags compares our Flags with those of the peers.
func coreSameFlags(t testing.TB, c *ethtool.Client, name string) {
	t.Helper()
	flags, err := c.Flags(t.Context(), ethtool.Link{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	for _, f := range flags {
		got[f.Name] = f.On
	}
	if diff := cmp.Diff(corePeerFlags(t, name), got); diff != "" || len(got) != len(flags) {
		t.Errorf("flags of %s (-peers +got):\n%s", name, diff)
	}
}

// TestSLCAN sets a real flag both ways.
func TestSLCAN(t *testing.T) {
	name := coreSLCAN(t)
	const flag = "err-rst-on-open"
	for via, c := range coreBothWays(t) {
		t.Run(via.String(), func(t *testing.T) {
			link := ethtool.Link{Name: name}
			for _, on := range []bool{true, true, false, false, true, false} {
				flags, err := c.Flags(t.Context(), link)
				if err != nil {
					t.Fatal(err)
				}
				was, ok := flags.Get(flag)
				if !ok || len(flags) != 1 {
					t.Fatalf("the flags are %v", flags)
				}
				change, err := c.SetFlag(t.Context(), link, flag, on)
				if err != nil {
					t.Fatal(err)
				}
				if change.Changed != (was != on) || !change.Verified || change.Changed && change.Via != via || change.Link.Name != name || change.Link.Index == 0 {
					t.Errorf("from %v to %v: %+v", was, on, change)
				}
				coreSameFlags(t, c, name)
			}
			_, err := c.SetFlag(t.Context(), link, "err-rst-on-opem", true)
			if e := coreWant(t, err, "set flag", ethtool.ErrUnknownFlag, os.ErrNotExist); !slices.Equal(e.Known, []string{flag}) || !strings.Contains(e.Hint, flag) {
				t.Errorf("%+v", e)
			}

			coreRun(t, "ip", "link", "set", name, "type", "can", "bitrate", "500000")
			coreRun(t, "ip", "link", "set", name, "up")
			defer coreRun(t, "ip", "link", "set", name, "down")
			change, err := c.SetFlag(t.Context(), link, flag, true)
			coreWant(t, err, "set flag", ethtool.ErrBusy, syscall.EBUSY)
			if change.Verified || change.After != "off" {
				t.Errorf("%+v", change)
			}
			if change, err := c.SetFlag(t.Context(), link, flag, false); err != nil || change.Changed {
				t.Errorf("what is set already, while it is up: %+v, %v", change, err)
			}
		})
	}
}

// TestSLCANUnprivileged has no CAP_NET_ADMIN, both ways.
func TestSLCANUnprivileged(t *testing.T) {
	name := coreSLCAN(t)
	err := coreThread(func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			return err
		}
		tr, err := ethtool.NewKernelTransport(&ethtool.Config{})
		if err != nil {
			return err
		}
		for via, transport := range map[ethtool.Via]ethtool.Transport{ethtool.ViaNetlink: tr, ethtool.ViaIoctl: coreNoNetlink{tr}} {
			// Neither the context nor the Timeout can end, which keeps requests on this thread.
			c, err := ethtool.Dial(&ethtool.Config{Transport: transport, Timeout: -1})
			if err != nil {
				return err
			}
			flags, err := c.Flags(context.Background(), ethtool.Link{Name: name})
			if err != nil || len(flags) != 1 {
				t.Errorf("%v: reading: %v, %v", via, flags, err)
			}
			change, err := c.SetFlag(context.Background(), ethtool.Link{Name: name}, "err-rst-on-open", true)
			if e := coreWant(t, err, "set flag", os.ErrPermission, syscall.EPERM); !strings.Contains(e.Hint, "CAP_NET_ADMIN") {
				t.Errorf("%v: %+v", via, e)
			}
			if change.After != "off" || change.Via != via {
				t.Errorf("%+v", change)
			}
			if _, err := c.LinkInfo(context.Background(), ethtool.Link{Name: "lo"}); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("link info: %v", err)
			}
		}
		return tr.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// coreNotifications returns how many notifications about private flags f causes.
func coreNotifications(t testing.TB, link ethtool.Link, f func()) int {
	t.Helper()
	tr, err := ethtool.NewKernelTransport(&ethtool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	ctx, cancel := context.WithTimeout(t.Context(), corePatience)
	defer cancel()
	sub, err := tr.Subscribe(ctx, ethtool.FamilyEthtool, ethtool.GroupMonitor)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	f()
	// The kernel queues a notification before the change returns, so that those of
	// this interface, whose features change, are behind all others.
	coreRun(t, "ip", "link", "add", "e0", "type", "dummy")
	defer coreRun(t, "ip", "link", "del", "e0")
	coreRun(t, "ethtool", "-K", "e0", "tx", "off")
	n := 0
	for {
		msgs, err := sub.Receive(ctx)
		if err != nil {
			t.Fatalf("after %d notifications: %v", n, err)
		}
		for _, m := range msgs {
			switch m.Command {
			case unix.ETHTOOL_MSG_PRIVFLAGS_NTF:
				l, set, err := ethtool.ParsePrivFlags(m.Attrs)
				if err != nil || l.Index != link.Index || len(set.Bits) != 1 {
					t.Errorf("notification: %v %+v, %v", l, set, err)
				}
				n++
			case unix.ETHTOOL_MSG_FEATURES_NTF:
				return n
			}
		}
	}
}

// TestSLCANNotifications proves what Watch rests on, the kernel's bug included.
func TestSLCANNotifications(t *testing.T) {
	name := coreSLCAN(t)
	clients := coreBothWays(t)
	netlink, ioctl := clients[ethtool.ViaNetlink], clients[ethtool.ViaIoctl]
	link := ethtool.Link{Index: coreIndex(t, name), Name: name}
	const flag = "err-rst-on-open"
	set := func(c *ethtool.Client, on bool) func() {
		return func() {
			if _, err := c.SetFlag(t.Context(), link, flag, on); err != nil {
				t.Error(err)
			}
		}
	}
	for _, tt := range []struct {
		name string
		f    func()
		want int
	}{
		{"set over netlink", set(netlink, true), 1},
		{"set to what it is", set(netlink, true), 0},
		{"read over netlink", func() {
			if _, err := netlink.Flags(t.Context(), link); err != nil {
				t.Error(err)
			}
		}, 0},
		// ETHTOOL_GPFLAGS announces a change, and ETHTOOL_SPFLAGS does not.
		{"read by ioctl", func() {
			if _, err := ioctl.Flags(t.Context(), link); err != nil {
				t.Error(err)
			}
		}, 1},
		{"write by ioctl", func() {
			value := make([]byte, 8)
			binary.NativeEndian.PutUint32(value, 0x28)
			tr, err := ethtool.NewKernelTransport(&ethtool.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			if err := tr.Ioctl(t.Context(), name, value); err != nil {
				t.Error(err)
			}
		}, 0},
	} {
		if got := coreNotifications(t, link, tt.f); got != tt.want {
			t.Errorf("%s: %d notifications, want %d", tt.name, got, tt.want)
		}
	}
	if flags, err := netlink.Flags(t.Context(), link); err != nil || flags[0].On {
		t.Errorf("the ioctl has not written: %v, %v", flags, err)
	}
}

func coreIndex(t testing.TB, name string) int {
	t.Helper()
	b, err := os.ReadFile("/sys/class/net/" + name + "/ifindex")
	if err != nil {
		t.Fatal(err)
	}
	index := 0
	if _, err := fmt.Sscan(string(b), &index); err != nil {
		t.Fatal(err)
	}
	return index
}

// TestE1000E is refused by a driver.
func TestE1000E(t *testing.T) {
	name := coreDevice(t, "e1000e")
	for via, c := range coreBothWays(t) {
		link := ethtool.Link{Name: name}
		coreSameFlags(t, c, name)
		change, err := c.SetFlag(t.Context(), link, "s0ix-enabled", true)
		if e := coreWant(t, err, "set flag", ethtool.ErrRefused, syscall.EINVAL); !strings.Contains(e.Hint, "kernel log") {
			t.Errorf("%v: %+v", via, e)
		}
		if !change.Changed || change.Verified || change.After != "off" || change.Via != via {
			t.Errorf("%v: %+v", via, change)
		}
		if change, err := c.SetFlag(t.Context(), link, "s0ix-enabled", false); err != nil || change.Changed {
			t.Errorf("%v: %+v, %v", via, change, err)
		}
		info, err := c.LinkInfo(t.Context(), link)
		if err != nil || info.Port != ethtool.PortTP {
			t.Errorf("%v: %+v, %v", via, info, err)
		}
	}
}

// TestIGB changes a flag whose change resets the port.
func TestIGB(t *testing.T) {
	name := coreDevice(t, "igb")
	coreRun(t, "ip", "link", "set", name, "up")
	t.Cleanup(func() { coreRun(t, "ip", "link", "set", name, "down") })
	for via, c := range coreBothWays(t) {
		link := ethtool.Link{Name: name}
		for _, on := range []bool{true, false} {
			coreCarrier(t, name)
			before := coreCarrierChanges(t, name)
			change, err := c.SetFlag(t.Context(), link, "legacy-rx", on)
			if err != nil || !change.Changed || !change.Verified || change.Via != via {
				t.Fatalf("%v: %+v, %v", via, change, err)
			}
			if change.CarrierChanges < 1 {
				t.Errorf("%v: the port was reset, and %d changes of carrier were seen", via, change.CarrierChanges)
			}
			coreSameFlags(t, c, name)
			coreCarrier(t, name)
			if n := coreCarrierChanges(t, name) - before; n != 2 || change.CarrierChanges > n {
				t.Errorf("%v: %d changes of carrier in all, %d until it was read back", via, n, change.CarrierChanges)
			}
		}
	}
}

func coreCarrierChanges(t testing.TB, name string) int {
	t.Helper()
	b, err := os.ReadFile("/sys/class/net/" + name + "/carrier_changes")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if _, err := fmt.Sscan(string(b), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// coreCarrier waits until an interface has carrier.
func coreCarrier(t testing.TB, name string) {
	t.Helper()
	deadline := time.After(corePatience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile("/sys/class/net/" + name + "/carrier"); err == nil && b[0] == '1' {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s has no carrier", name)
		}
	}
}

// TestErrorMapWithoutFlags is the error map of interfaces that no driver gives private
// flags, on any kernel.
func TestErrorMapWithoutFlags(t *testing.T) {
	n := newCoreNet(t)
	n.run("ip link add v0 type veth peer name v1")
	kinds := []string{"lo", "v0"}
	for _, kind := range []string{"dummy", "bond", "bridge"} {
		if err := n.do(func() error { return exec.Command("ip", "link", "add", kind+"7", "type", kind).Run() }); err == nil {
			kinds = append(kinds, kind+"7")
		} else if os.Getenv("BONDKIT_VM") != "" {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	tr := n.transport()
	for via, c := range map[ethtool.Via]*ethtool.Client{ethtool.ViaNetlink: n.dial(), ethtool.ViaIoctl: coreDial(t, coreNoNetlink{tr})} {
		for _, name := range kinds {
			link := ethtool.Link{Name: name}
			_, err := c.Flags(t.Context(), link)
			coreWant(t, err, "read flags of", ethtool.ErrNoPrivateFlags, errors.ErrUnsupported)
			change, err := c.SetFlag(t.Context(), link, "x", true)
			coreWant(t, err, "set flag", ethtool.ErrNoPrivateFlags)
			if change.Changed {
				t.Errorf("%v, %s: %+v", via, name, change)
			}
		}
		index := n.index("v0")
		for _, link := range []ethtool.Link{{Name: "nope"}, {Index: 4242}, {Index: index, Name: "lo"}, {Index: index, Name: "nope"}} {
			_, err := c.Flags(t.Context(), link)
			coreWant(t, err, "read flags of", ethtool.ErrNoDevice, os.ErrNotExist)
			_, err = c.SetFlag(t.Context(), link, "x", true)
			coreWant(t, err, "set flag", ethtool.ErrNoDevice)
			_, err = c.LinkInfo(t.Context(), link)
			coreWant(t, err, "read link info of", ethtool.ErrNoDevice)
		}
	}
}

// TestLinkInfoAgainstEthtool compares the port with what ethtool(8) prints.
func TestLinkInfoAgainstEthtool(t *testing.T) {
	name := coreDevice(t, "e1000e")
	info, err := coreOwn(t).LinkInfo(t.Context(), ethtool.Link{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(strings.NewReader(coreRun(t, "ethtool", name)))
	for lines.Scan() {
		if port, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "Port: "); ok {
			if want := map[string]ethtool.Port{"Twisted Pair": ethtool.PortTP, "FIBRE": ethtool.PortFibre}[port]; want != info.Port {
				t.Errorf("port %v, ethtool prints %s", info.Port, port)
			}
			return
		}
	}
	t.Error("ethtool prints no port")
}
