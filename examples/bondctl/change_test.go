// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func TestCreate(t *testing.T) {
	b := newBench(t, nil)
	b.must("create bond0 mode=active-backup miimon=100ms updelay=0.2s num_unsol_na=3 mac=02:00:5e:00:53:77 mtu=9000 tx_queues=4 up")
	got := b.get("bond0")
	type facts struct {
		Mode            bond.Mode
		MIIMon, UpDelay time.Duration
		Notif           uint8
		MAC             string
		MTU, TxQueues   int
		Up              bool
	}
	want := facts{bond.ModeActiveBackup, 100 * time.Millisecond, 200 * time.Millisecond, 3, "02:00:5e:00:53:77", 9000, 4, true}
	have := facts{got.Mode, got.MIIMon, got.UpDelay, got.NumPeerNotif, got.MAC.String(), got.MTU, got.TxQueues, got.Up()}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("bond0 (-want +got):\n%s", diff)
	}

	_, stderr, status := b.run("create bond0 mode=802.3ad")
	if status != cli.ExitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "exist") {
		t.Errorf("a second bond0: status %d, standard error %q", status, stderr)
	}
	if got := b.get("bond0"); got.Mode != bond.ModeActiveBackup {
		t.Errorf("it has become %v", got.Mode)
	}
}

// TestCreateWarns prints what is hardly meant as a warning, and goes on.
func TestCreateWarns(t *testing.T) {
	b := newBench(t, nil)
	stdout, stderr, status := b.run("create bond0 mode=active-backup")
	if status != cli.ExitDone || stdout != "" || !strings.HasPrefix(stderr, "warning: ") || strings.Contains(stderr, "bondctl:") {
		t.Errorf("status %d, standard output %q, standard error %q", status, stdout, stderr)
	}
	if !b.exists("bond0") {
		t.Error("no bond0")
	}
}

func TestCreateRefused(t *testing.T) {
	b := newBench(t, nil)
	_, stderr, status := b.run("create bond0 mode=802.3ad arp_interval=100 arp_ip_target=192.0.2.1")
	if status != cli.ExitFailed || !strings.Contains(stderr, "bondctl: create bond0: ") || !strings.Contains(stderr, "arp_interval") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	if b.exists("bond0") {
		t.Error("bond0 is there")
	}
	// One line for each of several mistakes.
	_, stderr, status = b.run("create bond0 mode=802.3ad arp_interval=100 packets_per_slave=7")
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "warning: ") && (!strings.HasPrefix(line, "bondctl: create bond0: ") || strings.Contains(line, "bond: ")) {
			t.Errorf("line %q", line)
		}
	}
	if status != cli.ExitFailed || strings.Count(stderr, "bondctl: ") != 2 {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// rtmNewLink is RTM_NEWLINK, which makes and changes interfaces.
const rtmNewLink = 16

// TestCreateWithSlaves makes the slaves too, or nothing.
func TestCreateWithSlaves(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.kernel.SetUp("eth1", true)
	b.must("create bond0 mode=active-backup miimon=100 primary=eth1 mtu=1400 up slaves=eth1,eth0")
	got := b.get("bond0")
	if !got.Up() || got.Primary.Name != "eth1" || got.Active.Name != "eth1" || got.MTU != 1400 {
		t.Errorf("bond0 is %+v", got)
	}
	if diff := cmp.Diff([]string{"eth0", "eth1"}, b.slaves("bond0")); diff != "" {
		t.Errorf("slaves (-want +got):\n%s", diff)
	}
	// It is there.
	if _, stderr, status := b.run("create bond0 slaves=eth0"); status != cli.ExitFailed || !strings.Contains(stderr, "exist") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}

	b = newBench(t, nil)
	b.twoSlaves()
	b.kernel.AddLink("busy", &bondtest.LinkConfig{Busy: true})
	for _, third := range []string{"busy", "nowhere"} {
		_, stderr, status := b.run("create bond0 mode=active-backup miimon=100 up slaves=eth0,eth1," + third)
		if status != cli.ExitFailed || !strings.Contains(stderr, third) {
			t.Errorf("%s: status %d, standard error %q", third, status, stderr)
		}
		if strings.Contains(stderr, " bond: ") {
			t.Errorf("%s: the name of the package in %q", third, stderr)
		}
		if b.exists("bond0") {
			t.Errorf("%s: bond0 is there", third)
		}
	}
}

func TestSet(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.must("create bond0 mode=802.3ad slaves=eth0,eth1 up")
	b.kernel.ResetRequests()
	b.must("set bond0 miimon=200 min_links=1 xmit_hash_policy=layer3+4")
	if got := b.get("bond0"); got.MIIMon != 200*time.Millisecond || got.MinLinks != 1 || got.XmitHashPolicy != bond.XmitHashLayer34 {
		t.Errorf("bond0 is %+v", got)
	}
	if n := len(b.kernel.Changes()); n != 1 {
		t.Errorf("%d changes, want 1", n)
	}

	// What needs the bond down is refused, with what helps.
	_, stderr, status := b.run("set bond0 lacp_rate=fast")
	if status != cli.ExitFailed || !strings.Contains(stderr, "lacp_rate") || !strings.Contains(stderr, "down") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	b.must("set bond0 up lacp_rate=fast mtu=1400 mac=02:00:5e:00:53:88 down")
	if got := b.get("bond0"); got.LACPRate != bond.LACPRateFast || !got.Up() || got.MTU != 1400 || got.MAC.String() != "02:00:5e:00:53:88" {
		t.Errorf("bond0 is %+v", got)
	}
	// A failure leaves the bond on.
	if _, stderr, status := b.run("set bond0 down mode=balance-rr up"); status != cli.ExitFailed || !strings.Contains(stderr, "slaves") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	if !b.get("bond0").Up() {
		t.Error("bond0 was left down")
	}
	b.must("set bond0 down")
	if b.get("bond0").Up() {
		t.Error("bond0 is up")
	}
	// Up alone is not done where the rest failed.
	if _, _, status := b.run("set bond0 mode=balance-rr up"); status != cli.ExitFailed || b.get("bond0").Up() {
		t.Errorf("status %d, up %v", status, b.get("bond0").Up())
	}

	b.must("set eth1 actor_port_prio=7")
	if _, stderr, status := b.run("set eth0 miimon=100"); status != cli.ExitFailed || !strings.Contains(stderr, "not a bond") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// TestSetRefusedBeforeDown does not switch a bond off for what cannot be set.
func TestSetRefusedBeforeDown(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.must("create bond0 mode=802.3ad miimon=100 slaves=eth0,eth1 up")
	b.kernel.ResetRequests()
	for _, tt := range []struct{ words, want string }{
		{"mode=balance-rr", "bondctl: set bond0: mode balance-rr: bond has slaves"},
		{"arp_interval=100 lacp_rate=fast", "bondctl: set bond0: arp_interval 100: "},
	} {
		_, stderr, status := b.run("set bond0 down up mtu=1400 " + tt.words)
		if status != cli.ExitFailed || strings.Count(stderr, "bondctl: ") != 1 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: status %d, standard error %q", tt.words, status, stderr)
		}
	}
	_, stderr, status := b.run("set bond0 down mode=balance-rr arp_interval=100 packets_per_slave=7 primary=eth0")
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "warning: ") && (!strings.HasPrefix(line, "bondctl: set bond0: ") || strings.Contains(line, " bond: ")) {
			t.Errorf("line %q", line)
		}
	}
	if status != cli.ExitFailed || strings.Count(stderr, "bondctl: ") < 2 {
		t.Errorf("several mistakes: status %d, standard error %q", status, stderr)
	}
	if n := len(b.kernel.Changes()); n != 0 {
		t.Errorf("%d changes", n)
	}
}

// TestUnseen warns where nobody can read whether an option took effect.
func TestUnseen(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.transport = b.kernel.UserNamespace
	spec := b.file(`{"name": "bond2", "options": {"mode": "802.3ad", "miimon": 100, "ad_actor_sys_prio": 6}}`)
	for _, line := range []string{
		"create bond0 mode=802.3ad miimon=100 ad_actor_sys_prio=5",
		"create bond1 mode=802.3ad miimon=100 ad_actor_sys_prio=5 slaves=eth0",
		"set bond0 ad_actor_sys_prio=6",
		"apply -f " + spec,
	} {
		_, stderr, status := b.run(line)
		if status != cli.ExitDone || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "the kernel does not show ad_actor_sys_prio") {
			t.Errorf("%s: status %d, standard error %q", line, status, stderr)
		}
	}
	b.must("set bond0 miimon=200")
	b.transport = b.kernel.Transport
	b.must("set bond0 ad_actor_sys_prio=7")
}

// TestSetClears clears what names something by an empty value.
func TestSetClears(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.must("create bond0 mode=active-backup miimon=100 slaves=eth0,eth1 primary=eth0 up")
	b.must("set bond0 primary=")
	if got := b.get("bond0"); got.Has(bond.OptionPrimary) {
		t.Errorf("primary %v", got.Primary)
	}
	b.must("set bond0 arp_interval=500 miimon=0 arp_ip_target=192.0.2.1,192.0.2.2 arp_validate=all")
	if got := b.get("bond0"); len(got.ARPTargets) != 2 || got.ARPInterval != 500*time.Millisecond {
		t.Errorf("bond0 is %+v", got)
	}
	b.run("set bond0 arp_ip_target=")
	if got := b.get("bond0"); len(got.ARPTargets) != 0 {
		t.Errorf("targets %v", got.ARPTargets)
	}
}

func TestEnslaveAndRelease(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.kernel.AddLink("eth2", &bondtest.LinkConfig{Busy: true})
	b.must("create bond0 mode=active-backup miimon=100 up")
	b.must("enslave bond0 eth0 prio=10 queue_id=2")
	_, stderr, status := b.run("enslave bond0 nowhere eth2 eth1")
	if status != cli.ExitFailed || strings.Count(stderr, "\n") != 2 || !strings.Contains(stderr, "nowhere") || !strings.Contains(stderr, "eth2") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	// One that does not exist did not stop the others.
	if diff := cmp.Diff([]string{"eth0", "eth1"}, b.slaves("bond0")); diff != "" {
		t.Errorf("slaves (-want +got):\n%s", diff)
	}
	if got := b.must("show bond0"); !strings.Contains(got, "PRIO") || !strings.Contains(got, "10") || !strings.Contains(got, "QUEUE") {
		t.Errorf("no priority and queue in\n%s", got)
	}
	_, stderr, status = b.run("release eth2 eth0")
	if status != cli.ExitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "not a slave") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	if diff := cmp.Diff([]string{"eth1"}, b.slaves("bond0")); diff != "" {
		t.Errorf("slaves (-want +got):\n%s", diff)
	}
}

func TestActive(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.must("create bond0 mode=active-backup miimon=100 slaves=eth0,eth1 up")
	for _, name := range []string{"eth1", "eth0", "#3"} {
		b.must("active bond0 " + name)
		want := strings.Replace(name, "#3", "eth1", 1)
		if got := b.get("bond0").Active.Name; got != want {
			t.Errorf("active %s: %s", name, got)
		}
	}
	b.must("active bond0 none")
	b.kernel.SetCarrier("eth0", false)
	_, stderr, status := b.run("active bond0 eth0")
	if status != cli.ExitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "eth0") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

func TestDelete(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.must("create bond0 mode=active-backup miimon=100 slaves=eth0,eth1 up")
	if _, stderr, status := b.run("delete eth0"); status != cli.ExitFailed || !strings.Contains(stderr, "not a bond") || !b.exists("eth0") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	b.must("delete bond0")
	if b.exists("bond0") {
		t.Error("bond0 is there")
	}
	if _, stderr, status := b.run("delete bond0"); status != cli.ExitFailed || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// TestNoPrivilege says which capability is missing.
func TestNoPrivilege(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	b.must("create bond0 mode=active-backup miimon=100 slaves=eth0,eth1 up")
	b.transport = b.kernel.Unprivileged
	for _, line := range []string{
		"create bond1 mode=active-backup miimon=100", "set bond0 miimon=200", "set bond0 down", "release eth0",
		"active bond0 eth1", "delete bond0",
	} {
		_, stderr, status := b.run(line)
		if status != cli.ExitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "permission denied") && !strings.Contains(stderr, "CAP_NET_ADMIN") {
			t.Errorf("%s: status %d, standard error %q", line, status, stderr)
		}
	}
}

// TestPartialSet tells what took effect of a change that failed half way.
func TestPartialSet(t *testing.T) {
	b := newBench(t, nil)
	b.must("create bond0 mode=active-backup miimon=100")
	b.kernel.FailAfter(func(req bond.Message) error {
		if req.Type == rtmNewLink {
			return &bond.KernelError{Errno: syscall.EINVAL}
		}
		return nil
	})
	_, stderr, status := b.run("set bond0 miimon=200 resend_igmp=2")
	if status != cli.ExitFailed || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "bondctl: set bond0: ") ||
		!strings.HasSuffix(stderr, "; what took effect: miimon, resend_igmp\n") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}
