// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

const i40eFlag = "disable-source-pruning"

// pair is a bond over two i40e, eth0 active.
func pair(t *testing.T, o bond.Options) *bench {
	b := newBench(t, nil)
	b.add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	b.add("eth1", ethtooltest.I40E("0000:3b:00.1"))
	b.bond("bond0", o, "eth0", "eth1")
	b.nics.ResetRequests()
	return b
}

// name returns the name of what a request is about.
func (b *bench) name(c ethtooltest.Call) string {
	for _, name := range b.nics.Names() {
		if b.nics.Index(name) == c.Link.Index {
			return name
		}
	}
	return c.Link.Name
}

// flagChanges returns the interfaces whose flags the command has changed, in order.
func (b *bench) flagChanges() []string {
	var names []string
	for _, c := range b.nics.Changes() {
		names = append(names, b.name(c))
	}
	return names
}

// TestSetAsks wants a yes before a port is reset, and does nothing without.
func TestSetAsks(t *testing.T) {
	for _, tt := range []struct {
		line, answer string
		done         bool
	}{
		{"set eth1 off", "yes\n", true},
		{"set eth1 off", "yes", true},
		{"set eth1 off", "y\n", false},
		{"set eth1 off", "no\n", false},
		{"set eth1 off", "", false},
		{"set eth1 off -yes", "", true},
	} {
		b := pair(t, mii())
		b.stdin = strings.NewReader(tt.answer)
		stdout, stderr, status := b.run(tt.line)
		if on := b.nics.Flag("eth1", i40eFlag); on != tt.done || (status == cli.ExitDone) != tt.done {
			t.Errorf("%s, answer %q: flag %v, status %d, %q", tt.line, tt.answer, on, status, stderr)
		}
		if !strings.Contains(stderr, "eth1: it resets the port") {
			t.Errorf("%s: no warning: %q", tt.line, stderr)
		}
		if asked := strings.Contains(stderr, "Go on? Type yes: "); asked == strings.Contains(tt.line, "-yes") {
			t.Errorf("%s: asked %v: %q", tt.line, asked, stderr)
		}
		if want := "eth1: disable-source-pruning is on, it was off\n"; tt.done && stdout != want {
			t.Errorf("%s: %q", tt.line, stdout)
		}
		if !tt.done && len(b.nics.Changes()) > 0 {
			t.Errorf("%s, answer %q: %v", tt.line, tt.answer, b.nics.Changes())
		}
	}
}

// TestSetBond does backups first, each of them only when the one before has come back.
func TestSetBond(t *testing.T) {
	b := pair(t, mii())
	b.nics.FailAfter(func(c ethtooltest.Call) error {
		if c.Write {
			b.bonds.SetCarrier(b.name(c), false)
		}
		return nil
	})
	var waited []string
	b.tick = func(time.Duration) {
		changed := b.flagChanges()
		last := changed[len(changed)-1]
		waited = append(waited, last)
		if len(waited)%3 == 0 {
			b.bonds.SetCarrier(last, true)
		}
	}
	stdout, stderr, status := b.run("set bond0 off -yes")
	if status != cli.ExitDone {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if diff := cmp.Diff([]string{"eth1", "eth0"}, b.flagChanges()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"eth1", "eth1", "eth1", "eth0", "eth0", "eth0"}, waited); diff != "" {
		t.Errorf("waited for (-want +got):\n%s", diff)
	}
	if want := "eth1: disable-source-pruning is on, it was off\neth0: disable-source-pruning is on, it was off\n"; stdout != want {
		t.Errorf("%q", stdout)
	}
	if got := b.must("set bond0 off"); got != "eth0 delivers already\neth1 delivers already\n" {
		t.Errorf("again: %q", got)
	}
}

// TestSetStops changes no other port when one does not come back.
func TestSetStops(t *testing.T) {
	b := pair(t, mii())
	b.nics.FailAfter(func(c ethtooltest.Call) error {
		if c.Write {
			b.bonds.SetCarrier(b.name(c), false)
		}
		return nil
	})
	sys := b.system(&strings.Builder{}, &strings.Builder{})
	var stderr strings.Builder
	sys.stderr = &stderr
	polls := 0
	sys.after = func(d time.Duration) <-chan time.Time {
		c := make(chan time.Time, 1)
		if d == pollEvery {
			polls++
		}
		// The time is up at the fifth poll.
		if d == pollEvery && polls < 5 {
			c <- time.Time{}
		} else if d != pollEvery {
			go func() { c <- time.Time{} }()
		}
		return c
	}
	if status := run(t.Context(), []string{"set", "bond0", "off", "-yes"}, sys); status != cli.ExitFailed {
		t.Errorf("status %d", status)
	}
	if diff := cmp.Diff([]string{"eth1"}, b.flagChanges()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if got := stderr.String(); !strings.Contains(got, "eth1 is changed, and still has no carrier after 30s; not begun: eth0\n") {
		t.Errorf("%q", got)
	}
}

// TestSetOnlySlave refuses to reset the only slave that works.
func TestSetOnlySlave(t *testing.T) {
	b := pair(t, mii())
	b.bonds.SetCarrier("eth1", false)
	_, stderr, status := b.run("set eth0 off -yes")
	if status != cli.ExitFailed || !strings.Contains(stderr, "eth0 is the only slave of bond0 that works, and it would be reset; -force does it all the same") {
		t.Errorf("status %d, %q", status, stderr)
	}
	if len(b.nics.Changes()) != 0 {
		t.Errorf("changes: %v", b.nics.Changes())
	}
	// What has no link loses none.
	if _, stderr, status := b.run("set eth1 off -yes"); status != cli.ExitDone {
		t.Errorf("eth1: %d, %q", status, stderr)
	}
	if _, stderr, status := b.run("set eth0 off -yes -force"); status != cli.ExitDone || !b.nics.Flag("eth0", i40eFlag) {
		t.Errorf("forced: %d, %q", status, stderr)
	}

	// Without a reset there is nothing to lose.
	b = newBench(t, nil)
	b.add("ice0", ethtooltest.ICEOutOfTree("0000:5e:00.0"))
	b.bond("bond0", mii(), "ice0")
	if stdout, stderr, status := b.run("set bond0 off"); status != cli.ExitDone || stdout != "ice0: mac-source-pruning is off, it was on\n" {
		t.Errorf("ice: %d, %q, %q", status, stdout, stderr)
	}
}

// TestSetMany does what can be done, and says what cannot, one line each.
func TestSetMany(t *testing.T) {
	b := zoo(t)
	stdout, stderr, status := b.run("set ice0 ice1 ice2 vf0 mv0 odd\x1b[31m off")
	if status != cli.ExitFailed {
		t.Errorf("status %d", status)
	}
	golden(t, "set.txt", stdout+"---\n"+stderr)
	if p := b.nics.NIC("mv0").MacvlanMode; p != "private" || b.nics.Flag("ice1", "mac-source-pruning") {
		t.Errorf("mv0 is %s", p)
	}
	if got := b.must("set mv0 on"); got != "mv0: mode is vepa, it was private\n" {
		t.Errorf("%q", got)
	}
	_, stderr, status = b.run("set veth9 on")
	if status != cli.ExitFailed || stderr != "srcprune: no interface veth9; did you mean eth0?\n" {
		t.Errorf("%d, %q", status, stderr)
	}
}

// TestSetBelow changes the setting of what is below, and says so.
func TestSetBelow(t *testing.T) {
	b := newBench(t, nil)
	b.add("eth0", ethtooltest.ICEOutOfTree("0000:5e:00.0"))
	b.add("eth0.5", &ethtooltest.NIC{Kind: "vlan", Lower: "eth0"})
	stdout, stderr, status := b.run("set eth0.5 off")
	if status != cli.ExitDone || stdout != "eth0.5: mac-source-pruning of eth0 is off, it was on\n" || !strings.Contains(stderr, "a setting of eth0, and of all that is on it") {
		t.Errorf("%d, %q, %q", status, stdout, stderr)
	}
}

// TestUnprivileged reads everything, and cannot change anything.
func TestUnprivileged(t *testing.T) {
	b := zoo(t)
	want := b.must("show")
	b.transport = b.nics.Unprivileged
	if diff := cmp.Diff(want, b.must("show")); diff != "" {
		t.Errorf("(-root +nobody):\n%s", diff)
	}
	_, stderr, status := b.run("set ice1 off")
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; status != cli.ExitFailed || !strings.Contains(last, "CAP_NET_ADMIN") {
		t.Errorf("%d, %q", status, stderr)
	}
}

// TestUsage gives the command line every kind of mistake. Each costs one line.
func TestUsage(t *testing.T) {
	b := zoo(t)
	b.bond("bond3", mii())
	b.nics.ResetRequests()
	for _, tt := range []struct {
		line   string
		status int
		want   string
	}{
		{"", cli.ExitUsage, "no command; srcprune -h shows them"},
		{"shwo", cli.ExitUsage, "no command shwo; did you mean show?"},
		{"frobnicate", cli.ExitUsage, "the commands are show, set, audit, drivers"},
		{"show -jsn", cli.ExitUsage, "no flag -jsn; did you mean -json?"},
		{"show -yes", cli.ExitUsage, "show takes no flag -yes; usage: srcprune show [IFACE|BOND]... [-json]"},
		{"set eth0", cli.ExitUsage, "too few words; usage: srcprune set IFACE|BOND... on|off"},
		{"set eth0 maybe", cli.ExitUsage, "want on or off as the last word, and not maybe"},
		{"set eth0 off -wait soon", cli.ExitUsage, "want a duration, such as 30s"},
		{"set eth0 off -wait -1s", cli.ExitUsage, "want a duration"},
		{"show -netns=", cli.ExitUsage, "want a path or a name"},
		{"show #0", cli.ExitUsage, `#0 is no number of an interface`},
		{"show eth9", cli.ExitFailed, "no interface eth9; did you mean eth0?"},
		{"show #999", cli.ExitFailed, "no interface #999"},
		{"show bond3", cli.ExitFailed, "the bond bond3 has no slaves"},
		{"set bond3 off", cli.ExitFailed, "the bond bond3 has no slaves"},
		{"audit bond3", cli.ExitFailed, "the bond bond3 has no slaves"},
		{"audit eth0", cli.ExitFailed, "eth0 is no bond"},
		{"audit bond9", cli.ExitFailed, "no interface bond9; did you mean bond3?"},
		{"drivers i40", cli.ExitFailed, "nothing is known about the driver i40; did you mean i40e?"},
	} {
		stdout, stderr, status := b.run(tt.line)
		if status != tt.status || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.want) {
			t.Errorf("srcprune %s: status %d, %q, standard error %q", tt.line, status, stdout, stderr)
		}
	}
	if changes := b.nics.Changes(); len(changes) != 0 {
		t.Errorf("changed: %v", changes)
	}
	golden(t, "help.txt", b.must("-h"))
	golden(t, "help-set.txt", b.must("help set"))
}

// TestNetNS hands the path on, and says in one line what is wrong with it.
func TestNetNS(t *testing.T) {
	b := newBench(t, nil)
	var stderr strings.Builder
	sys := b.system(&strings.Builder{}, &stderr)
	var path, bondPath string
	dial, dialBond := sys.dial, sys.dialBond
	sys.dial = func(cfg *ethtool.Config) (*ethtool.Client, error) {
		path = cfg.NetNSPath
		return dial(cfg)
	}
	sys.dialBond = func(cfg *bond.Config) (*bond.Client, error) {
		bondPath = cfg.NetNSPath
		return dialBond(cfg)
	}
	if status := run(t.Context(), []string{"show", "-netns", "blue"}, sys); status != cli.ExitDone || path != "/run/netns/blue" || bondPath != path {
		t.Errorf("status %d, %q, %q", status, path, bondPath)
	}
	sys.dial = func(*ethtool.Config) (*ethtool.Client, error) {
		return nil, &ethtool.Error{Op: "dial", Err: &os.PathError{Op: "open", Path: "/run/netns/blue", Err: os.ErrNotExist}}
	}
	status := run(t.Context(), []string{"show", "-netns", "blue"}, sys)
	if want := "srcprune: network namespace /run/netns/blue: file does not exist\n"; status != cli.ExitFailed || stderr.String() != want {
		t.Errorf("status %d, %q", status, stderr.String())
	}
	sys.dial = func(*ethtool.Config) (*ethtool.Client, error) {
		return nil, &ethtool.Error{Op: "dial", Err: errors.ErrUnsupported}
	}
	if status := run(t.Context(), []string{"show"}, sys); status != cli.ExitCannotRun {
		t.Errorf("another system: %d", status)
	}
}

// TestAudit prints the findings of hosts with and without trouble.
func TestAudit(t *testing.T) {
	if got := newBench(t, nil).must("audit"); got != "no bonds\n" {
		t.Errorf("%q", got)
	}
	b := newBench(t, nil)
	b.add("veth0", ethtooltest.Veth())
	b.bond("bond0", mii(), "veth0")
	if got := b.must("audit"); got != "nothing found about 1 slave\n" {
		t.Errorf("%q", got)
	}
	b = pair(t, mii())
	if err := b.nics.SetFlag("eth0", i40eFlag, true); err != nil {
		t.Fatal(err)
	}
	b.nics.Update("eth1", func(n *ethtooltest.NIC) { n.Firmware = "6.01 0x80003554 1.1747.0" })
	golden(t, "audit.txt", b.must("audit bond0"))
	if got := b.must("audit -json"); !strings.Contains(got, `"code": "flag-skew"`) || !strings.HasPrefix(got, "{\n  \"kernel\": ") {
		t.Errorf("%s", got)
	}
}

// TestDrivers prints the table.
func TestDrivers(t *testing.T) {
	b := newBench(t, nil)
	golden(t, "drivers.txt", b.must("drivers i40e ice macvlan"))
	all := b.must("drivers")
	for r := range ethtool.PruningTable() {
		if !strings.Contains(all, r.Source) {
			t.Errorf("%s: %q is not there", r.Driver, r.Source)
		}
	}
	lines := strings.Split(b.must("drivers -json"), "\n")
	if !slices.Contains(lines, `    "driver": "ixgbevf",`) {
		t.Error("no ixgbevf in the JSON")
	}
}
