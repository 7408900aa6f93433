// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
	"github.com/bondkit/bondkit/examples/internal/cli"
)

// runCtx runs a command line until the context ends.
func (b *bench) runCtx(ctx context.Context, line string) (stdout, stderr string, status int) {
	b.t.Helper()
	var out, errs bytes.Buffer
	status = run(ctx, strings.Fields(line), b.system(&out, &errs))
	return out.String(), errs.String(), status
}

// lastLine returns the last line of a text.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}

// TestSetInterrupted says what was done, what it last saw, and what it has not begun.
func TestSetInterrupted(t *testing.T) {
	const done = "eth1: disable-source-pruning is on, it was off\n"
	for _, tt := range []struct {
		name    string
		carrier bool // goes at the change
		when    string
		want    []string // changed
		stdout  string
		last    string // of standard error
	}{
		{
			"while it waits", true, "poll",
			[]string{"eth1"},
			done,
			"srcprune: interrupted while eth1 was waited for: it is changed, and has no carrier; not begun: eth0",
		},
		{
			"during the change", true, "write",
			[]string{"eth1"},
			done,
			"srcprune: interrupted while eth1 was waited for: it is changed, and was not looked at since; not begun: eth0",
		},
		{
			"during the question", false, "question", nil, "",
			"srcprune: interrupted; nothing is changed",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := pair(t, mii())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b.nics.FailAfter(func(c ethtooltest.Call) error {
				if c.Write {
					if tt.carrier {
						b.bonds.SetCarrier(b.name(c), false)
					}
					if tt.when == "write" {
						cancel()
					}
				}
				return nil
			})
			b.tick = func(time.Duration) {
				if tt.when == "poll" {
					cancel()
				}
			}
			line := "set bond0 off -yes"
			if tt.when == "question" {
				line = "set bond0 off"
				b.stdin = readerFunc(func([]byte) (int, error) {
					cancel()
					<-t.Context().Done()
					return 0, t.Context().Err()
				})
			}
			stdout, stderr, status := b.runCtx(ctx, line)
			if status != cli.ExitInterrupt || stdout != tt.stdout || lastLine(stderr) != tt.last {
				t.Errorf("status %d, %q, %q", status, stdout, stderr)
			}
			if diff := cmp.Diff(tt.want, b.flagChanges()); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
	// Before the first change nothing is changed.
	b := pair(t, mii())
	ctx, cancel := context.WithCancel(t.Context())
	b.nics.Fail(func(c ethtooltest.Call) error {
		// The last that is read before the plan is made.
		if b.name(c) == "eth1" {
			cancel()
		}
		return nil
	})
	if stdout, stderr, status := b.runCtx(ctx, "set bond0 off -yes"); status != cli.ExitInterrupt || stdout != "" || len(b.flagChanges()) > 0 {
		t.Errorf("early: %d, %q, %q, %v", status, stdout, stderr, b.flagChanges())
	}

	// Between two of which nothing has to be waited for.
	b = zoo(t)
	ctx, cancel = context.WithCancel(t.Context())
	b.nics.FailAfter(func(c ethtooltest.Call) error {
		if c.Write {
			cancel()
		}
		return nil
	})
	stdout, stderr, status := b.runCtx(ctx, "set ice1 mv0 off")
	if status != cli.ExitInterrupt || stdout != "ice1: mac-source-pruning is off, it was on\n" || lastLine(stderr) != "srcprune: interrupted; not begun: mv0" {
		t.Errorf("between: %d, %q, %q", status, stdout, stderr)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestSetRefusedUnasked refuses before it asks.
func TestSetRefusedUnasked(t *testing.T) {
	b := pair(t, mii())
	b.bonds.SetCarrier("eth1", false)
	b.stdin = strings.NewReader("yes\n")
	_, stderr, status := b.run("set eth0 off")
	if want := "srcprune: eth0 is the only slave of bond0 that works, and it would be reset; -force does it all the same\n"; status != cli.ExitFailed || stderr != want {
		t.Errorf("status %d, %q", status, stderr)
	}
}

// TestSetBelowSlave knows that the port of what is on a slave is the slave.
func TestSetBelowSlave(t *testing.T) {
	b := pair(t, mii())
	b.add("eth0.5", &ethtooltest.NIC{Kind: "vlan", Lower: "eth0"})
	b.bonds.SetCarrier("eth1", false)
	if _, stderr, status := b.run("set eth0.5 off -yes"); status != cli.ExitFailed || !strings.Contains(stderr, "eth0 is the only slave of bond0 that works") || len(b.nics.Changes()) > 0 {
		t.Errorf("status %d, %q", status, stderr)
	}
	b.bonds.SetCarrier("eth1", true)
	b.nics.FailAfter(func(c ethtooltest.Call) error {
		if c.Write {
			b.bonds.SetCarrier("eth0", false)
		}
		return nil
	})
	waited := 0
	b.tick = func(time.Duration) {
		if waited++; waited == 4 {
			b.bonds.SetCarrier("eth0", true)
		}
	}
	// The second of both on the same port finds it done.
	stdout, stderr, status := b.run("set eth0.5 eth0 off -yes")
	want := "eth0.5: disable-source-pruning of eth0 is on, it was off\neth0 delivers already\n"
	if status != cli.ExitDone || stdout != want || waited != 4 || !strings.Contains(stderr, "eth0 has no carrier; waiting 30s at most\n") {
		t.Errorf("status %d, waited %d, %q, %q", status, waited, stdout, stderr)
	}
}

// TestSetLate meets a driver that resets the port only after it has answered.
func TestSetLate(t *testing.T) {
	b := pair(t, mii())
	for _, name := range []string{"eth0", "eth1"} {
		b.nics.Update(name, func(n *ethtooltest.NIC) {
			for i := range n.PrivateFlags {
				n.PrivateFlags[i].Resets = false
			}
		})
	}
	var down []string
	polls := 0
	b.tick = func(time.Duration) {
		changed := b.flagChanges()
		last := changed[len(changed)-1]
		switch polls++; polls {
		case 3:
			b.bonds.SetCarrier(last, false)
			down = append(down, last)
			if len(changed) > 1 {
				t.Errorf("eth0 is changed before eth1 has gone")
			}
		case 6:
			b.bonds.SetCarrier(last, true)
		}
	}
	stdout, stderr, status := b.run("set bond0 off -yes")
	if status != cli.ExitDone || strings.Count(stdout, "is on, it was off") != 2 {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
	// Eth0 never goes, and is waited for no longer than that may take.
	if diff := cmp.Diff([]string{"eth1"}, down); diff != "" || polls != 6+settlePolls {
		t.Errorf("%d polls (-want +got):\n%s", polls, diff)
	}
}

// TestSetBreaks asks before pruning is switched on where that breaks a bond.
func TestSetBreaks(t *testing.T) {
	b := newBench(t, nil)
	b.add("ice0", ethtooltest.ICEOutOfTree("0000:5e:00.0"))
	b.bond("bond0", arpAll(), "ice0")
	if _, stderr, status := b.run("set bond0 off"); status != cli.ExitDone || strings.Contains(stderr, "Go on?") {
		t.Fatalf("off: %d, %q", status, stderr)
	}
	for _, tt := range []struct {
		line   string
		status int
	}{{"set bond0 on", cli.ExitFailed}, {"set bond0 on -yes", cli.ExitDone}} {
		_, stderr, status := b.run(tt.line)
		if status != tt.status || !strings.Contains(stderr, "ice0: bond0 takes a backup that prunes for down, for arp_validate is all\n") {
			t.Errorf("%s: %d, %q", tt.line, status, stderr)
		}
	}
}

// TestSetTwoSay changes a macvlan that prunes on a NIC that prunes.
func TestSetTwoSay(t *testing.T) {
	b := newBench(t, nil)
	b.add("eth0", ethtooltest.ICEOutOfTree("0000:5e:00.0"))
	b.add("mv0", ethtooltest.Macvlan("eth0", "vepa"))
	stdout, stderr, status := b.run("set mv0 off")
	if status != cli.ExitFailed || stdout != "mv0: mode is private, it was vepa\n" || !strings.Contains(stderr, "; the same command again changes mac-source-pruning on of eth0\n") {
		t.Errorf("once: %d, %q, %q", status, stdout, stderr)
	}
	if stdout, stderr, status = b.run("set mv0 off"); status != cli.ExitDone || stdout != "mv0: mac-source-pruning of eth0 is off, it was on\n" {
		t.Errorf("again: %d, %q, %q", status, stdout, stderr)
	}
}

// TestVanish loses an interface between the list and the look at it.
func TestVanish(t *testing.T) {
	for _, tt := range []struct {
		line   string
		status int
		want   string // in either output
	}{
		{"show", cli.ExitDone, "eth0   active"},
		{"show bond0", cli.ExitDone, "eth0   active"},
		{"show eth0 eth1", cli.ExitFailed, "srcprune: eth1 is no longer there\n"},
		{"set eth1 off -yes", cli.ExitFailed, "srcprune: eth1 is no longer there\n"},
	} {
		b := pair(t, mii())
		gone := false
		b.nics.Fail(func(c ethtooltest.Call) error {
			if !gone && b.name(c) == "eth1" {
				gone = true
				b.nics.Remove("eth1")
			}
			return nil
		})
		stdout, stderr, status := b.run(tt.line)
		if !gone || status != tt.status || !strings.Contains(stdout+stderr, tt.want) || tt.status == cli.ExitDone && (strings.Contains(stdout, "eth1") || stderr != "") {
			t.Errorf("%s: %d, %q, %q", tt.line, status, stdout, stderr)
		}
	}
	// A slave leaves its bond while it is waited for.
	b := pair(t, mii())
	b.nics.FailAfter(func(c ethtooltest.Call) error {
		if c.Write {
			b.bonds.Remove("eth1")
		}
		return nil
	})
	_, stderr, status := b.run("set bond0 off -yes")
	if status != cli.ExitFailed || lastLine(stderr) != "srcprune: eth1 is changed; eth1 is no slave of bond0 any more; not begun: eth0" {
		t.Errorf("%d, %q", status, stderr)
	}
}

// TestVerdict puts what matters into the first line of a bond.
func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    bond.Options
		nics map[string]*ethtooltest.NIC
		want string
	}{
		{"breaks", arpAll(), map[string]*ethtooltest.NIC{"a": ethtooltest.I40E("0000:3b:00.0")}, "bond0  BROKEN BY PRUNING  active-backup"},
		{"unknown", arpAll(), map[string]*ethtooltest.NIC{"a": ethtooltest.MLX5("0000:3b:00.0")}, "bond0  PERHAPS BROKEN BY PRUNING  active-backup"},
		{"both", arpAll(), map[string]*ethtooltest.NIC{
			"a": ethtooltest.MLX5("0000:3b:00.0"), "b": ethtooltest.I40E("0000:5e:00.0"), "c": ethtooltest.MLX5("0000:af:00.0"),
		}, "bond0  BROKEN BY PRUNING  active-backup"},
		{"delivers", arpAll(), map[string]*ethtooltest.NIC{"a": ethtooltest.Veth()}, "bond0  UNHARMED BY PRUNING  active-backup"},
		{"miimon", mii(), map[string]*ethtooltest.NIC{"a": ethtooltest.I40E("0000:3b:00.0")}, "bond0  UNHARMED BY PRUNING  active-backup"},
	} {
		b := newBench(t, nil)
		var names []string
		for _, name := range []string{"a", "b", "c"} {
			if tt.nics[name] != nil {
				b.add(name, tt.nics[name])
				names = append(names, name)
			}
		}
		b.bond("bond0", tt.o, names...)
		if got := b.must("show"); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	// Of what has no slaves there is nothing to say.
	b := newBench(t, nil)
	b.bond("bond0", arpAll())
	if got, want := b.must("show"), "bond0  active-backup, arp_interval 1000, arp_validate all, fail_over_mac none\n  no slaves\n"; got != want {
		t.Errorf("%q", got)
	}
}
