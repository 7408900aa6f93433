// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl_test

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/rtnl"
)

func TestLinks(t *testing.T) {
	n := newNetNS(t)
	n.ip("link add e1 address 02:00:00:00:00:01 mtu 1400 type veth peer name p1")
	n.ip("link add br0 type bridge")
	n.ip("link set p1 master br0")
	c := n.dial()

	links, err := c.Links()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(links, func(a, b rtnl.Link) int { return a.Index - b.Index }) {
		t.Error("links are not in the order of their indices")
	}
	byName := make(map[string]rtnl.Link)
	for _, l := range links {
		byName[l.Name] = l
	}
	lo, e1, p1, br0 := byName["lo"], byName["e1"], byName["p1"], byName["br0"]
	if len(links) < 4 || e1.Index == 0 || p1.Index == 0 || br0.Index == 0 {
		t.Fatalf("links are %+v, want lo, e1, p1 and br0 among them", links)
	}
	if lo.Flags&rtnl.FlagLoopback == 0 || lo.Up() || lo.Carrier() {
		t.Errorf("lo is %+v, want a loopback that is down", lo)
	}
	if e1.MAC.String() != "02:00:00:00:00:01" || e1.MTU != 1400 || e1.Kind != "veth" || e1.Parent != p1.Index || e1.Master != 0 || e1.Type != 1 {
		t.Errorf("e1 is %+v", e1)
	}
	if p1.Master != br0.Index || p1.SlaveKind != "bridge" {
		t.Errorf("p1 is %+v, want a port of br0", p1)
	}
	if br0.Kind != "bridge" || br0.Bond != nil {
		t.Errorf("br0 is %+v", br0)
	}

	for _, l := range []rtnl.Link{lo, e1, p1} {
		if got := n.link(c, l.Name); !sameLink(got, l) {
			t.Errorf("LinkByName(%s) differs:\n%s", l.Name, cmp.Diff(l, got))
		}
		got, err := c.LinkByIndex(l.Index)
		if err != nil || !sameLink(got, l) {
			t.Errorf("LinkByIndex(%d): %v\n%s", l.Index, err, cmp.Diff(l, got))
		}
	}
}

func TestLinkNotFound(t *testing.T) {
	c := newNetNS(t).dial()
	for _, name := range []string{"", "nosuch", strings.Repeat("n", 15), strings.Repeat("n", 16), strings.Repeat("n", 200)} {
		_, err := c.LinkByName(name)
		// A kernel without alternative names refuses the long ones as invalid.
		if !errors.Is(err, os.ErrNotExist) && (len(name) < 128 || err == nil) {
			t.Errorf("LinkByName(%q): %v, want os.ErrNotExist", name, err)
		}
	}
	for _, index := range []int{0, -1, 4711, math.MaxInt32, math.MaxInt} {
		if _, err := c.LinkByIndex(index); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("LinkByIndex(%d): %v, want os.ErrNotExist", index, err)
		}
	}
}

func TestLinkByAlternativeName(t *testing.T) {
	n := newNetNS(t)
	n.ip("link add e1 type veth peer name p1")
	for _, alt := range []string{"short-alt", "an-alternative-name-of-some-length"} {
		n.ip("link property add dev e1 altname " + alt)
		if l := n.link(n.dial(), alt); l.Name != "e1" {
			t.Errorf("LinkByName(%s) is %q, want e1", alt, l.Name)
		}
	}
}

func TestCarrier(t *testing.T) {
	n := newNetNS(t)
	n.ip("link add e1 type veth peer name p1")
	c := n.dial()
	for _, step := range []struct {
		ip          string
		up, carrier bool
	}{
		{"link set e1 up", true, false},
		{"link set p1 up", true, true},
		{"link set p1 down", true, false},
		{"link set p1 up", true, true},
		{"link set e1 down", false, false},
	} {
		n.ip(step.ip)
		if l := n.link(c, "e1"); l.Up() != step.up || l.Carrier() != step.carrier {
			t.Errorf("after ip %s: up %v, carrier %v; want %v, %v", step.ip, l.Up(), l.Carrier(), step.up, step.carrier)
		}
	}
}

func TestIPv4Addrs(t *testing.T) {
	n := newNetNS(t)
	n.ip("link add e1 type veth peer name p1")
	n.ip("addr add 192.0.2.1/24 dev e1")
	n.ip("addr add 192.0.2.2/24 dev e1")
	n.ip("addr add 198.51.100.1 peer 203.0.113.9/32 dev p1")
	c := n.dial()
	e1, p1 := n.link(c, "e1").Index, n.link(c, "p1").Index

	got, err := c.IPv4Addrs()
	if err != nil {
		t.Fatal(err)
	}
	want := []rtnl.Addr{
		{Link: e1, Addr: netip.MustParseAddr("192.0.2.1"), Bits: 24},
		{Link: e1, Addr: netip.MustParseAddr("192.0.2.2"), Bits: 24},
		{Link: p1, Addr: netip.MustParseAddr("198.51.100.1"), Bits: 32},
	}
	slices.SortFunc(got, func(a, b rtnl.Addr) int { return a.Addr.Compare(b.Addr) })
	if !slices.Equal(got, want) {
		t.Errorf("addresses are %+v, want %+v", got, want)
	}
}

func TestWatch(t *testing.T) {
	n, elsewhere := newNetNS(t), newNetNS(t)
	n.ip("link add e1 type veth peer name p1")
	n.ip("link add br0 type bridge")
	c := n.dial()
	e1, br0 := n.link(c, "e1").Index, n.link(c, "br0").Index
	r := n.watch(rtnl.Config{})

	is := func(ok func(rtnl.Link) bool) func(rtnl.Event) bool {
		return func(e rtnl.Event) bool { return e.Kind == rtnl.EventChanged && e.Link.Index == e1 && ok(e.Link) }
	}
	const mac = "02:00:00:00:00:99"
	for _, step := range []struct {
		ip   string
		want func(rtnl.Event) bool
	}{
		{"link set e1 up", is(func(l rtnl.Link) bool { return l.Up() && !l.Carrier() })},
		{"link set p1 up", is(rtnlCarrier)},
		{"link set p1 down", is(func(l rtnl.Link) bool { return l.Up() && !l.Carrier() })},
		{"link set e1 address " + mac, is(func(l rtnl.Link) bool { return l.MAC.String() == mac })},
		{"link set e1 master br0", is(func(l rtnl.Link) bool { return l.Master == br0 && l.SlaveKind == "bridge" })},
		// A bridge tells about a port that leaves with an RTM_DELLINK of its own family.
		{"link set e1 nomaster", is(func(l rtnl.Link) bool { return l.Master == 0 })},
		{"link set e1 mtu 1300", is(func(l rtnl.Link) bool { return l.MTU == 1300 })},
		{"link set e1 down", is(func(l rtnl.Link) bool { return !l.Up() })},
		{"link set e1 name e9", is(func(l rtnl.Link) bool { return l.Name == "e9" })},
	} {
		n.ip(step.ip)
		for _, e := range r.until(step.ip, step.want) {
			if e.Kind != rtnl.EventChanged {
				t.Errorf("ip %s: event %+v", step.ip, e)
			}
		}
	}

	gone := func(name string) func(rtnl.Event) bool {
		return func(e rtnl.Event) bool { return e.Kind == rtnl.EventDeleted && e.Link.Name == name }
	}
	// A namespace is named by a process in it, or by a file.
	n.ip("link set e9 netns " + procPath(elsewhere))
	r.until("the move to another namespace", gone("e9"))
	if _, err := c.LinkByIndex(e1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the moved link: %v, want os.ErrNotExist", err)
	}
	if l := elsewhere.link(elsewhere.dial(), "e9"); !l.HasParentNetNS {
		t.Errorf("the moved link is %+v, want its peer in another namespace", l)
	}
	n.ip("link del p1")
	r.until("the deletion", gone("p1"))
	n.ip("link add e1 type veth peer name p1")
	r.until("the new link", func(e rtnl.Event) bool { return e.Kind == rtnl.EventChanged && e.Link.Name == "e1" })
}

// TestWatchOverflow makes the kernel lose events. What comes after
// EventResync must be newer than what was queued before it.
func TestWatchOverflow(t *testing.T) {
	n := newNetNS(t)
	n.ip("link add e1 type veth peer name p1")
	r := n.watch(rtnl.Config{ReadBuffer: 4096})

	var batch strings.Builder
	for mtu := 1000; mtu < 1200; mtu++ {
		fmt.Fprintf(&batch, "link set e1 mtu %d\n", mtu)
	}
	file := filepath.Join(t.TempDir(), "batch")
	if err := os.WriteFile(file, []byte(batch.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n.ip("-batch " + file)
		r.until("the loss", func(e rtnl.Event) bool { return e.Kind == rtnl.EventResync })
		if l := n.link(n.dial(), "e1"); l.MTU != 1199 {
			t.Fatalf("the dump says MTU %d, want 1199", l.MTU)
		}
		n.ip("link set e1 mtu 1499")
		events := r.until("the change after the loss", func(rtnl.Event) bool { return true })
		if l := events[0].Link; l.MTU != 1499 {
			t.Errorf("the first event after the loss says MTU %d, want 1499", l.MTU)
		}
	}
}

// TestWatchPending reads what is queued without waiting, and addresses with it.
func TestWatchPending(t *testing.T) {
	n := newNetNS(t)
	n.ip("link add e1 type veth peer name p1")
	quiet, r := n.watch(rtnl.Config{}), n.watch(rtnl.Config{Addrs: true})
	pending := func(r receiver) (kinds map[rtnl.EventKind]int) {
		t.Helper()
		kinds = map[rtnl.EventKind]int{}
		for {
			events, err := r.w.Pending()
			if err != nil {
				t.Fatal(err)
			}
			if len(events) == 0 {
				return kinds
			}
			for _, e := range events {
				kinds[e.Kind]++
			}
		}
	}
	if got := pending(r); len(got) != 0 {
		t.Errorf("at first: %v", got)
	}
	n.ip("addr add 192.0.2.1/24 dev e1")
	n.ip("addr del 192.0.2.1/24 dev e1")
	if got := pending(r); got[rtnl.EventAddrs] != 2 || len(got) != 1 {
		t.Errorf("an address that came and went: %v", got)
	}
	if got := pending(quiet); len(got) != 0 {
		t.Errorf("nobody asked for addresses: %v", got)
	}
	n.ip("link set e1 mtu 1300")
	n.ip("link del e1")
	if got := pending(r); got[rtnl.EventChanged] == 0 || got[rtnl.EventDeleted] != 2 {
		t.Errorf("a pair of links changed and deleted: %v", got)
	}

	small := n.watch(rtnl.Config{ReadBuffer: 4096})
	for range 50 {
		n.ip("link set lo up")
		n.ip("link set lo down")
	}
	if got := pending(small); got[rtnl.EventResync] != 1 {
		t.Errorf("after a loss: %v", got)
	}
	if err := small.w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := small.w.Pending(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Pending after Close: %v, want os.ErrClosed", err)
	}
}

func TestWatchDeadline(t *testing.T) {
	r := newNetNS(t).watch(rtnl.Config{})
	if err := r.w.SetDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.w.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Receive after the deadline: %v, want os.ErrDeadlineExceeded", err)
	}
	// The watcher is still good.
	n := newNetNS(t)
	r = n.watch(rtnl.Config{})
	_ = r.w.SetDeadline(time.Now())
	if _, err := r.w.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Receive at the deadline: %v, want os.ErrDeadlineExceeded", err)
	}
	n.ip("link set lo up")
	r.until("lo", func(e rtnl.Event) bool { return e.Link.Name == "lo" && e.Link.Up() })
}

func TestWatchClose(t *testing.T) {
	r := newNetNS(t).watch(rtnl.Config{})
	done := make(chan error)
	go func() {
		_, err := r.w.Receive()
		done <- err
	}()
	// Whether Receive waits already or begins later, Close must end it.
	if err := r.w.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("Receive: %v, want os.ErrClosed", err)
		}
	case <-time.After(patience):
		t.Fatal("Receive still waits after Close")
	}
	if err := r.w.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := r.w.Receive(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Receive after Close: %v, want os.ErrClosed", err)
	}
}

func TestBadNamespace(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, fd := range []int{int(f.Fd()), 1 << 20} {
		if c, err := rtnl.Dial(&rtnl.Config{NetNS: fd}); err == nil {
			c.Close()
			t.Errorf("Dial with descriptor %d: no error", fd)
		}
		if w, err := rtnl.Watch(&rtnl.Config{NetNS: fd}); err == nil {
			w.Close()
			t.Errorf("Watch with descriptor %d: no error", fd)
		}
	}
}

// unprivilegedEnv is set in the process of TestUnprivileged that has no privilege.
const unprivilegedEnv = "BONDKIT_RTNL_UNPRIVILEGED"

// TestUnprivileged reads links without any privilege: in the process's own
// namespace, also by descriptor, and not in another one.
func TestUnprivileged(t *testing.T) {
	if os.Getenv(unprivilegedEnv) == "" {
		if os.Getuid() != 0 || os.Getenv(inUserNS) != "" {
			skipUnlessRequired(t, "no privilege to become another user")
		}
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestUnprivileged$", "-test.v")
		cmd.Dir = "/"
		cmd.Env = append(os.Environ(), unprivilegedEnv+"=1", inUserNS+"=1")
		cmd.ExtraFiles = []*os.File{newNetNS(t).file}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestUnprivileged") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}

	own, err := os.Open("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for _, cfg := range []*rtnl.Config{nil, {NetNS: int(own.Fd())}} {
		c, err := rtnl.Dial(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if links, err := c.Links(); err != nil || len(links) == 0 {
			t.Errorf("%d links, %v", len(links), err)
		}
		if _, err := c.IPv4Addrs(); err != nil {
			t.Error(err)
		}
		w, err := rtnl.Watch(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Close(), w.Close()); err != nil {
			t.Error(err)
		}
	}
	if _, err := rtnl.Dial(&rtnl.Config{NetNS: 3}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("Dial in another namespace: %v, want os.ErrPermission", err)
	}
}

func TestBond(t *testing.T) {
	n := newNetNS(t)
	if out, err := n.tryIP("link add bond0 type bond mode active-backup miimon 100 fail_over_mac none"); err != nil {
		if strings.Contains(out, "Unknown device type") || strings.Contains(out, "not supported") {
			skipUnlessRequired(t, "the kernel has no bonding")
		}
		t.Fatalf("ip: %v: %s", err, out)
	}
	n.ip("link add e1 address 02:00:00:00:00:01 type veth peer name p1")
	n.ip("link add e2 address 02:00:00:00:00:02 type veth peer name p2")
	for _, s := range []string{"1", "2"} {
		n.ip("link set p" + s + " up")
		n.ip("link set e" + s + " master bond0")
	}
	r := n.watch(rtnl.Config{})
	n.ip("link set bond0 up")
	c := n.dial()
	bond0, e1, e2 := n.link(c, "bond0").Index, n.link(c, "e1").Index, n.link(c, "e2").Index

	active := func(slave int) func(rtnl.Event) bool {
		return func(e rtnl.Event) bool {
			return e.Link.Index == bond0 && e.Link.Bond != nil && e.Link.Bond.ActiveSlave == slave
		}
	}
	n.ip("link set bond0 type bond active_slave e2")
	r.until("active slave e2", active(e2))
	n.ip("link set bond0 type bond active_slave e1")
	r.until("active slave e1", active(e1))

	l := n.link(c, "bond0")
	want := &rtnl.Bond{Mode: 1, ActiveSlave: e1, MIIMon: 100}
	if l.Bond == nil {
		t.Fatalf("bond0 is %+v, want its options", l)
	}
	want.ARPMissedMax = l.Bond.ARPMissedMax // 2 by default where the kernel has it
	if diff := cmp.Diff(want, l.Bond); diff != "" {
		t.Errorf("bond0 (-want +got):\n%s", diff)
	}
	if m := l.Bond.ARPMissedMax; m != 0 && m != 2 {
		t.Errorf("missed max is %d", m)
	}

	for _, tt := range []struct {
		name, perm string
		state      uint8
	}{{"e1", "02:00:00:00:00:01", 0}, {"e2", "02:00:00:00:00:02", 1}} {
		perm, _ := net.ParseMAC(tt.perm)
		s := n.link(c, tt.name)
		want := &rtnl.BondSlave{State: tt.state, PermMAC: perm}
		if diff := cmp.Diff(want, s.BondSlave); diff != "" {
			t.Errorf("slave data of %s (-want +got):\n%s", tt.name, diff)
		}
		if s.Master != bond0 || s.SlaveKind != "bond" || s.MAC.String() != "02:00:00:00:00:01" || !s.Carrier() {
			t.Errorf("%s is %+v, want a slave of bond0 with its MAC and carrier", tt.name, s)
		}
	}

	n.ip("link set bond0 type bond miimon 0")
	n.ip("link set bond0 type bond arp_interval 250 arp_validate all all_slaves_active 1")
	l = n.link(c, "bond0")
	if b := l.Bond; b.MIIMon != 0 || b.ARPInterval != 250 || b.ARPValidate != 3 || !b.AllSlavesOn {
		t.Errorf("bond0 with the ARP monitor has %+v", *b)
	}
	n.ip("link set p1 down")
	r.until("e1 without carrier", func(e rtnl.Event) bool { return e.Link.Index == e1 && e.Link.Up() && !e.Link.Carrier() })
	n.ip("link set e1 nomaster")
	r.until("e1 released", func(e rtnl.Event) bool {
		return e.Kind == rtnl.EventChanged && e.Link.Index == e1 && e.Link.Master == 0 && e.Link.BondSlave == nil
	})
}

func rtnlCarrier(l rtnl.Link) bool { return l.Carrier() }

// procPath names the namespace by the file this process holds open.
func procPath(n *netns) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.fd()) }
