// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/internal/lab"
)

// watchHost is a network namespace of a test's own, with a thread in it.
type watchHost struct {
	t    *testing.T
	file *os.File
	work chan func()
}

func newWatchHost(t *testing.T) *watchHost {
	t.Helper()
	lab.Require(t, lab.NeedBonding)
	h := &watchHost{t: t, work: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			h.file, err = os.Open("/proc/thread-self/ns/net")
		}
		made <- err
		for f := range h.work {
			f()
		}
	}()
	t.Cleanup(func() { close(h.work) })
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.file.Close() })
	h.ip("link set lo up")
	return h
}

// do runs f in the namespace.
func (h *watchHost) do(f func() error) error {
	done := make(chan error)
	h.work <- func() { done <- f() }
	return <-done
}

// ip runs lines of arguments of the ip command in the namespace.
func (h *watchHost) ip(lines ...string) {
	h.t.Helper()
	err := h.do(func() error {
		cmd := exec.CommandContext(h.t.Context(), "ip", "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// dial opens a client for the namespace.
func (h *watchHost) dial(cfg bond.Config) *bond.Client {
	h.t.Helper()
	cfg.NetNS = int(h.file.Fd())
	c, err := bond.Dial(&cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}

// pair makes bond0 with the slaves e1 and e2, whose veth peers are p1 and p2.
func (h *watchHost) pair(options string) {
	h.t.Helper()
	h.ip(
		"link add e1 type veth peer name p1", "link add e2 type veth peer name p2",
		"link set p1 up", "link set p2 up",
		"link add bond0 type bond "+options,
		"link set e1 master bond0", "link set e2 master bond0", "link set bond0 up",
	)
}

// TestWatchKernel watches what other programs do with an active-backup bond.
func TestWatchKernel(t *testing.T) {
	h := newWatchHost(t)
	h.ip("link add before type bond mode balance-rr")
	w := startWatch(t, h.dial(bond.Config{}))
	if w.count("bond-added before") != 1 {
		t.Errorf("the bond that was there was not told:\n%s", strings.Join(w.seen, "\n"))
	}
	h.ip("link del before")
	w.until("bond-removed before")

	h.pair("mode active-backup miimon 10")
	w.until("slave-added bond0 e2")
	w.when("a carrier", "bond0", func(b *bond.Bond) bool { return b.Carrier && b.Active.Index != 0 })
	w.settle()
	for _, line := range []string{"bond-added bond0", "slave-added bond0 e1", "slave-added bond0 e2"} {
		if n := w.count(line); n != 1 {
			t.Errorf("%q was told %d times:\n%s", line, n, strings.Join(w.seen, "\n"))
		}
	}
	if n := w.count("slave-removed *"); n != 0 {
		t.Errorf("slaves were removed:\n%s", strings.Join(w.seen, "\n"))
	}

	other := h.dial(bond.Config{})
	ctx := t.Context()
	name := bond.Link{Name: "bond0"}
	if _, err := other.Set(ctx, name, bond.Options{ResendIGMP: new(uint32(7)), MinLinks: new(uint32(1))}); err != nil {
		t.Fatal(err)
	}
	e := w.until("options-changed bond0 resend_igmp min_links")
	if e.BondState.ResendIGMP != 7 || e.BondState.Active.Name == "" {
		t.Errorf("state is %+v", e.BondState)
	}
	from := len(w.seen)
	if _, err := other.Set(ctx, name, bond.Options{ResendIGMP: new(uint32(7))}); err != nil {
		t.Fatal(err)
	}

	active := e.BondState.Active.Name
	backup := map[string]string{"e1": "e2", "e2": "e1"}[active]
	if err := other.SetActive(ctx, name, bond.Link{Name: backup}); err != nil {
		t.Fatal(err)
	}
	e = w.until(fmt.Sprintf("active-changed bond0 %s > %s", active, backup))
	if e.BondState.Active.Name != backup {
		t.Errorf("active slave is %v", e.BondState.Active)
	}
	w.settle()
	for _, line := range w.seen[from:] {
		if watchMatch("options-changed*", line) {
			t.Errorf("a value that was the same is told as %q", line)
		}
	}

	// The cable of the active slave.
	h.ip("link set " + strings.Replace(backup, "e", "p", 1) + " down")
	w.until(fmt.Sprintf("active-changed bond0 %s > %s", backup, active))
	w.settle()
	h.ip("link set " + strings.Replace(active, "e", "p", 1) + " down")
	w.when("no carrier", "bond0", func(b *bond.Bond) bool { return !b.Carrier && b.Active.IsZero() })
	h.ip("link set p1 up", "link set p2 up")
	w.when("a carrier", "bond0", func(b *bond.Bond) bool { return b.Carrier && b.Active.Index != 0 })
	if w.count("carrier-changed bond0") == 0 {
		t.Errorf("the carrier was not told:\n%s", strings.Join(w.seen, "\n"))
	}
	w.settle()

	// Names. Kernels before 6.x rename only what is down.
	h.ip("link set bond0 down", "link set bond0 name uplink")
	w.until("bond-renamed uplink was bond0")
	h.ip("link set e1 nomaster", "link set e1 down", "link set e1 name port1")
	w.until("slave-removed uplink e1")
	h.ip("link set port1 master uplink")
	w.until("slave-added uplink port1")
	w.settle()

	// From bond to bond, and away.
	h.ip("link add second type bond mode active-backup miimon 10", "link set port1 down", "link set port1 master second")
	w.until("slave-removed uplink port1")
	w.until("slave-added second port1")
	h.ip("link del uplink")
	w.until("slave-removed uplink e2")
	w.until("bond-removed uplink")
	h.ip("link del port1")
	w.until("slave-removed second port1")
	w.settle()
	if err := w.stop(); !errors.Is(err, t.Context().Err()) && err == nil {
		t.Errorf("the watch ended with %v", err)
	}
}

// TestWatchKernelTransitions makes changes that are undone at once: both are told,
// because the messages of the kernel show both.
func TestWatchKernelTransitions(t *testing.T) {
	h := newWatchHost(t)
	h.pair("mode active-backup miimon 100")
	// What is read because of a slave, or by a poll, comes between the messages and
	// hides some. Here no slave has anything to say any more.
	w := startWatch(t, h.dial(bond.Config{PollInterval: -1}))
	w.when("up", "bond0", func(b *bond.Bond) bool { return b.Carrier && b.OperState == bond.OperUp })
	for quiet := false; !quiet; {
		_, told := w.next(3 * time.Second)
		quiet = !told
	}
	from := len(w.seen)
	const rounds = 20
	var lines []string
	for range rounds {
		lines = append(lines, "link set bond0 type bond resend_igmp 9", "link set bond0 type bond resend_igmp 1")
	}
	h.ip(lines...)
	told := 0
	for told < 2*rounds {
		w.until("options-changed bond0 resend_igmp")
		told++
	}
	w.settle()
	if n := w.count("options-changed*"); n != told {
		t.Errorf("%d events for %d changes:\n%s", n, told, strings.Join(w.seen[from:], "\n"))
	}
}

// TestWatchKernelLACP has two bonds that face each other.
func TestWatchKernelLACP(t *testing.T) {
	h := newWatchHost(t)
	w := startWatch(t, h.dial(bond.Config{PollInterval: 200 * time.Millisecond}))
	h.ip(
		"link add e1 type veth peer name p1", "link add e2 type veth peer name p2",
		"link add here type bond mode 802.3ad miimon 50 lacp_rate fast",
		"link add there type bond mode 802.3ad miimon 50 lacp_rate fast",
		"link set e1 master here", "link set e2 master here", "link set p1 master there", "link set p2 master there",
		"link set here up", "link set there up",
	)
	partner := func(e bond.Event) bool {
		return e.Kind == bond.EventAggregatorChanged && e.Slave.IsZero() && e.Bond.Name == "here" &&
			e.BondState.AD.Ports == 2 && e.BondState.AD.PartnerMAC != [6]byte{}
	}
	deadline := time.Now().Add(watchPatience)
	for !partner(w.until("aggregator-changed here*")) && time.Now().Before(deadline) {
	}
	const done = bond.PortSync | bond.PortCollecting | bond.PortDistributing
	inSync := func(name string) bool {
		for _, s := range w.replay.slaves {
			if s.Name == name {
				return s.ActorPortState&done == done && s.PartnerPortState&done == done
			}
		}
		return false
	}
	for !inSync("e1") || !inSync("e2") {
		if time.Now().After(deadline) {
			t.Fatalf("LACP does not converge:\n%s", strings.Join(w.seen, "\n"))
		}
		w.next(time.Second)
	}
	w.settle()
	for _, name := range []string{"here", "there"} {
		if n := w.count("bond-added " + name); n != 1 {
			t.Errorf("%s was added %d times", name, n)
		}
	}
	if n := w.count("options-changed * ad_*"); n != 0 {
		t.Errorf("ad_ options changed:\n%s", strings.Join(w.seen, "\n"))
	}

	// The other end goes: the slaves' partner is lost, which the kernel announces for no
	// bond.
	h.ip("link del there")
	w.until("bond-removed there")
	w.until("aggregator-changed here*")
	h.ip("link set e1 nomaster")
	w.until("slave-removed here e1")
	w.settle()
}

// TestWatchKernelStorm has the reader sleep while the kernel has more to tell than
// the buffer holds.
func TestWatchKernelStorm(t *testing.T) {
	h := newWatchHost(t)
	h.pair("mode active-backup miimon 100")
	c := h.dial(bond.Config{ReadBuffer: 16 << 10})
	w := startWatch(t, c)
	var lines []string
	for i := range 1000 {
		lines = append(lines, fmt.Sprintf("link set bond0 type bond resend_igmp %d", 2+i%200))
	}
	// Nobody reads the events before the last change has been made.
	h.ip(lines...)
	h.ip("link set e1 nomaster", "link set bond0 type bond min_links 3", "link del e2", "link add last type bond")
	w.until("resynced")
	w.settle()
	if len(w.replay.bonds) != 2 || len(w.replay.slaves) != 0 {
		t.Errorf("%d bonds and %d slaves are left", len(w.replay.bonds), len(w.replay.slaves))
	}
	// It goes on.
	h.ip("link set last up", "link set last type bond resend_igmp 3")
	w.until("options-changed last resend_igmp")
}

// TestWatchKernelSilent makes changes of which the kernel says nothing.
func TestWatchKernelSilent(t *testing.T) {
	h := newWatchHost(t)
	h.ip("link add dn0 type bond mode active-backup miimon 100", "link add up0 type bond mode active-backup miimon 100", "link set up0 up")
	c := h.dial(bond.Config{PollInterval: 50 * time.Millisecond})
	w := startWatch(t, c)
	h.ip("link set dn0 type bond resend_igmp 3")
	w.until("options-changed dn0 resend_igmp")

	// The kernel takes the first option and refuses the second.
	if err := h.do(func() error {
		return exec.CommandContext(t.Context(), "ip", "link", "set", "up0", "type", "bond", "min_links", "1", "packets_per_slave", "5").Run()
	}); err == nil {
		t.Error("the kernel took packets_per_slave in active-backup")
	}
	w.until("options-changed up0 min_links")
	w.settle()
}

// TestWatchKernelBridge makes the noise of a bridge, whose messages have another
// family.
func TestWatchKernelBridge(t *testing.T) {
	h := newWatchHost(t)
	h.pair("mode active-backup miimon 10")
	w := startWatch(t, h.dial(bond.Config{}))
	h.ip("link add br0 type bridge", "link set br0 up", "link set bond0 master br0")
	w.when("a bridge", "bond0", func(b *bond.Bond) bool { return b.MasterKind == "bridge" })
	h.ip("link set bond0 nomaster")
	w.when("no bridge", "bond0", func(b *bond.Bond) bool { return b.MasterKind == "" })
	h.ip("link del br0")
	w.settle()
	if w.count("bond-removed*")+w.count("slave-removed*") > 0 {
		t.Errorf("something was removed:\n%s", strings.Join(w.seen, "\n"))
	}
}

// TestWatchKernelHidden has the root of a user namespace change a bond that root watches: the
// kernel leaves ad_actor_sys_prio and its like out of such messages.
func TestWatchKernelHidden(t *testing.T) {
	lab.Require(t, lab.NeedBonding)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "sh") // ends with its input
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil || out.Len() > 0 {
			t.Errorf("shell: %v\n%s", err, out.String())
		}
	})
	run := func(line string) {
		t.Helper()
		if _, err := fmt.Fprintln(in, line); err != nil {
			t.Fatal(err)
		}
	}
	c, err := bond.Dial(&bond.Config{NetNSPath: fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid), PollInterval: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	w := startWatch(t, c)
	run("ip link add bond0 up type bond mode 802.3ad")
	w.until("bond-added bond0")
	w.settle()
	var shown bool
	w.when("up", "bond0", func(b *bond.Bond) bool {
		shown = b.Has(bond.OptionADActorSysPrio)
		return b.Up()
	})
	from := len(w.seen)
	run("ip link set bond0 type bond min_links 3")
	w.until("options-changed bond0 min_links")
	run("ip link set bond0 type bond ad_actor_sys_prio 7")
	if shown {
		w.until("options-changed bond0 ad_actor_sys_prio")
	}
	run("ip link set bond0 type bond min_links 4")
	w.until("options-changed bond0 min_links")
	w.settle()
	for _, line := range w.seen[from:] {
		if strings.Contains(line, "ad_user_port_key") || strings.Contains(line, "ad_actor_system") || !shown && strings.Contains(line, "ad_actor") {
			t.Errorf("presence is told as %q", line)
		}
	}
	if n := w.count("options-changed bond0 ad_actor_sys_prio"); n > 1 {
		t.Errorf("one change is told %d times", n)
	}
	t.Logf("shown: %v", shown)
}

// when reads events until they have told something of a bond.
func (l *watchLog) when(what, name string, is func(b *bond.Bond) bool) {
	l.t.Helper()
	deadline := time.Now().Add(watchPatience)
	for time.Now().Before(deadline) {
		for _, b := range l.replay.bonds {
			if b.Name == name && is(b) {
				return
			}
		}
		l.next(time.Until(deadline))
	}
	l.t.Fatalf("%s never got %s; all events:\n%s", name, what, strings.Join(l.seen, "\n"))
}
