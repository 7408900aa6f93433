// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/ethtool"
)

// corePatience is how long anything in these tests may take, also on an emulated machine.
const corePatience = 30 * time.Second

// coreNet is a network namespace of a test's own.
type coreNet struct {
	t    testing.TB
	file *os.File
}

// newCoreNet makes a namespace that lives until the test ends.
func newCoreNet(t testing.TB) *coreNet {
	t.Helper()
	var file *os.File
	err := coreThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		var err error
		file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if errors.Is(err, os.ErrPermission) {
		coreSkip(t, "no privilege to make a network namespace")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return &coreNet{t, file}
}

// coreSkip skips the test, or fails it where a skip is not allowed.
func coreSkip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("BONDKIT_KERNEL") == "require" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// coreThread runs f on a thread that ends with it.
func coreThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		done <- f()
	}()
	return <-done
}

// do runs f on a thread in the namespace.
func (n *coreNet) do(f func() error) error {
	return coreThread(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// run runs a command in the namespace.
func (n *coreNet) run(line string) string {
	n.t.Helper()
	var out []byte
	err := n.do(func() (err error) {
		args := strings.Fields(line)
		out, err = exec.Command(args[0], args[1:]...).CombinedOutput()
		return err
	})
	if errors.Is(err, exec.ErrNotFound) {
		coreSkip(n.t, err.Error())
	}
	if err != nil {
		n.t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// dial opens a Client of the namespace.
func (n *coreNet) dial() *ethtool.Client {
	n.t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{NetNS: int(n.file.Fd())})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	return c
}

// transport opens the Transport of the namespace.
func (n *coreNet) transport() ethtool.Transport {
	n.t.Helper()
	tr, err := ethtool.NewKernelTransport(&ethtool.Config{NetNS: int(n.file.Fd())})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { tr.Close() })
	return tr
}

// TestTransportFamilies compares what the kernel says of families with what another
// library reads of it.
func TestTransportFamilies(t *testing.T) {
	n := newCoreNet(t)
	var families []genetlink.Family
	var ops map[string][]byte
	err := n.do(func() error {
		c, err := genetlink.Dial(nil)
		if err != nil {
			return err
		}
		defer c.Close()
		if families, err = c.ListFamilies(); err != nil {
			return err
		}
		ops = make(map[string][]byte)
		for _, f := range families {
			name, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: unix.CTRL_ATTR_FAMILY_NAME, Data: coreText(f.Name)}})
			if err != nil {
				return err
			}
			msgs, err := c.Execute(genetlink.Message{Header: genetlink.Header{Command: unix.CTRL_CMD_GETFAMILY, Version: 1}, Data: name}, unix.GENL_ID_CTRL, netlink.Request)
			if err != nil {
				return err
			}
			ops[f.Name] = slices.Concat([]byte{1, 1, 0, 0}, msgs[0].Data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(families) < 2 {
		t.Fatalf("the kernel has %d families", len(families))
	}
	for _, f := range families {
		got, err := ethtool.ParseFamily(ops[f.Name])
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		groups := make(map[string]uint32)
		for _, g := range f.Groups {
			groups[g.Name] = g.ID
		}
		if got.ID != f.ID || got.Version != f.Version || !maps.Equal(groups, got.Groups) {
			t.Errorf("%+v, want %+v", got, f)
		}
		if f.Name == ethtool.FamilyEthtool && (got.Ops[13] == 0 || got.Ops[14] == 0 || got.Groups[ethtool.GroupMonitor] == 0) {
			t.Errorf("the family ethtool is %+v", got)
		}
	}
}

// TestTransportNoSuchCommand says so before anything is sent that the kernel would call
// unsupported.
func TestTransportNoSuchCommand(t *testing.T) {
	tr := newCoreNet(t).transport()
	for _, req := range []ethtool.Request{
		{Family: "no-such-family", Command: 1},
		{Family: ethtool.FamilyEthtool, Command: 250},
		{Family: ethtool.FamilyEthtool, Command: 14, Dump: true}, // PRIVFLAGS_SET has no dump
	} {
		msgs, err := tr.Generic(t.Context(), req)
		if !errors.Is(err, ethtool.ErrKernelTooOld) || !errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EOPNOTSUPP) {
			t.Errorf("%+v: %v, %v; want ErrKernelTooOld", req, msgs, err)
		}
	}
	for _, family := range []string{"no-such-family", ethtool.FamilyEthtool, ethtool.FamilyRoute} {
		if _, err := tr.Subscribe(t.Context(), family, "no-such-group"); !errors.Is(err, ethtool.ErrKernelTooOld) {
			t.Errorf("%s: %v, want ErrKernelTooOld", family, err)
		}
	}
}

// TestTransportRefusals brings the kernel's number and text, and no meaning yet.
func TestTransportRefusals(t *testing.T) {
	tr := newCoreNet(t).transport()
	header := ethtool.FlagSetRequest(ethtool.Link{Index: 4242}, "x", true)[:12]
	_, err := tr.Generic(t.Context(), ethtool.Request{Family: ethtool.FamilyEthtool, Command: 13, Attrs: header})
	ke, ok := errors.AsType[*ethtool.KernelError](err)
	if !ok || ke.Errno != syscall.ENODEV || ke.Message != "no device matches ifindex" || ke.Meaning != nil {
		t.Errorf("%#v, want ENODEV with a text", err)
	}
	body := make([]byte, 16)
	binary.NativeEndian.PutUint32(body[4:], 4242)
	_, err = tr.Route(t.Context(), ethtool.RouteRequest{Type: unix.RTM_GETLINK, Data: body})
	if ke, ok := errors.AsType[*ethtool.KernelError](err); !ok || ke.Errno != syscall.ENODEV {
		t.Errorf("%#v, want ENODEV", err)
	}
	err = tr.Ioctl(t.Context(), "nope", coreUint32(3, 0))
	if ke, ok := errors.AsType[*ethtool.KernelError](err); !ok || ke.Errno != syscall.ENODEV {
		t.Errorf("%#v, want ENODEV", err)
	}
	if err := tr.Ioctl(t.Context(), strings.Repeat("x", 20), coreUint32(3, 0)); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("a name that is too long: %v", err)
	}
	if _, err := tr.LinkInfo(t.Context(), ethtool.Link{Index: 4242}); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("%v, want ENODEV", err)
	}
}

// TestTransportNamespace looks into the namespace that was asked for, from any thread.
func TestTransportNamespace(t *testing.T) {
	n := newCoreNet(t)
	n.run("ip link add inside0 type veth peer name inside1")
	c := n.dial()
	for range 10 {
		if _, err := c.Flags(t.Context(), ethtool.Link{Name: "inside0"}); !errors.Is(err, ethtool.ErrNoPrivateFlags) {
			t.Errorf("netlink: %v", err)
		}
		if _, err := c.LinkInfo(t.Context(), ethtool.Link{Name: "inside0"}); errors.Is(err, ethtool.ErrNoDevice) {
			t.Errorf("the other library: %v", err)
		}
	}
	tr := n.transport()
	info := make([]byte, 196)
	binary.NativeEndian.PutUint32(info, 3)
	if err := tr.Ioctl(t.Context(), "inside1", info); err != nil || !bytes.HasPrefix(info[4:], coreText("veth")) {
		t.Errorf("ioctl: %q, %v", info[4:12], err)
	}
	other := newCoreNet(t).dial()
	if _, err := other.Flags(t.Context(), ethtool.Link{Name: "inside0"}); !errors.Is(err, ethtool.ErrNoDevice) {
		t.Errorf("another namespace: %v", err)
	}

	path, err := ethtool.Dial(&ethtool.Config{NetNSPath: "/proc/self/fd/" + strings.TrimPrefix(n.file.Name(), "/") + "x"})
	if err == nil {
		path.Close()
		t.Error("a path that is not there was opened")
	} else {
		coreWant(t, err, "dial", os.ErrNotExist)
	}
	_, err = ethtool.Dial(&ethtool.Config{NetNSPath: "/dev/null"})
	if e := coreWant(t, err, "dial", syscall.EINVAL); !strings.Contains(e.Hint, "not a network namespace") {
		t.Errorf("the hint is %q", e.Hint)
	}
	for _, cfg := range []*ethtool.Config{{NetNS: -1}, {NetNS: 3, NetNSPath: "/x"}} {
		_, err := ethtool.Dial(cfg)
		coreWant(t, err, "dial", ethtool.ErrBadValue)
	}
}

func TestTransportSubscribe(t *testing.T) {
	n := newCoreNet(t)
	tr := n.transport()
	ctx, cancel := context.WithTimeout(t.Context(), corePatience)
	defer cancel()
	sub, err := tr.Subscribe(ctx, ethtool.FamilyRoute, ethtool.GroupLink)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if err := tr.Close(); err != nil { // leaves Subscriptions alone
		t.Fatal(err)
	}
	n.run("ip link add v0 type veth peer name v1")
	n.run("ip link del v0")
	var deleted bool
	for !deleted {
		msgs, err := sub.Receive(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(msgs) == 0 {
			t.Fatal("no message and no error")
		}
		for _, m := range msgs {
			deleted = deleted || m.Command == unix.RTM_DELLINK && bytes.Contains(m.Attrs, coreText("v0"))
		}
	}

	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for err = nil; err == nil; _, err = sub.Receive(short) {
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Receive: %v, want context.DeadlineExceeded", err)
	}
	if _, err := sub.Receive(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Receive with a context that has ended: %v", err)
	}

	got := make(chan error)
	go func() {
		for {
			if _, err := sub.Receive(ctx); err != nil {
				got <- err
				return
			}
		}
	}()
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Receive when closed: %v", err)
	}
	if err := sub.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

// TestTransportOverrun loses notifications, says so, and receives later ones.
func TestTransportOverrun(t *testing.T) {
	n := newCoreNet(t)
	n.run("ip link add v0 type veth peer name v1")
	n.run("ip link set v0 up")
	sub, err := n.transport().Subscribe(t.Context(), ethtool.FamilyRoute, ethtool.GroupLink)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	index := n.index("v0")
	// Each change of the alias of an interface that is up is announced.
	err = n.do(func() error {
		c, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
		if err != nil {
			return err
		}
		defer c.Close()
		for range 30 {
			var batch []netlink.Message
			for i := range 100 {
				body := make([]byte, 16)
				binary.NativeEndian.PutUint32(body[4:], uint32(index))
				body = append(body, coreAttr(unix.IFLA_IFALIAS, bytes.Repeat([]byte{byte('a' + i%26)}, 200))...)
				batch = append(batch, netlink.Message{Header: netlink.Header{Type: unix.RTM_SETLINK, Flags: netlink.Request}, Data: body})
			}
			if _, err := c.SendMessages(batch); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), corePatience)
	defer cancel()
	for err = nil; err == nil; _, err = sub.Receive(ctx) {
	}
	if !errors.Is(err, ethtool.ErrOverrun) {
		t.Fatalf("Receive: %v, want ErrOverrun", err)
	}
	n.run("ip link set v1 name later")
	for {
		msgs, err := sub.Receive(ctx)
		if err != nil {
			t.Fatalf("after the loss: %v", err)
		}
		if slices.ContainsFunc(msgs, func(m ethtool.Message) bool { return bytes.Contains(m.Attrs, coreText("later")) }) {
			return
		}
	}
}

// index returns the index of an interface.
func (n *coreNet) index(name string) int {
	n.t.Helper()
	index := 0
	err := n.do(func() error {
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(s)
		req, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		if err := unix.IoctlIfreq(s, unix.SIOCGIFINDEX, req); err != nil {
			return err
		}
		index = int(req.Uint32())
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return index
}

func TestTransportSysfs(t *testing.T) {
	tr := newCoreNet(t).transport()
	if _, err := fs.Stat(tr.Sysfs(), "class/net"); err != nil {
		t.Error(err)
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(unix.ByteSliceToString(u.Release[:]), tr.KernelRelease()); diff != "" {
		t.Error(diff)
	}
}
