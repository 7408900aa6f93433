// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
	"github.com/bondkit/bondkit/internal/rtnl"
)

// path returns a path by which a command can name a namespace.
func path(ns *lab.Namespace) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.FD()) }

// recreate makes a slave anew after it was deleted, with an address of its own.
func recreate(t *testing.T, l *lab.Lab, slave, port, sw string) {
	t.Helper()
	ip(t, l.Host(), "link", "add", slave, "type", "veth", "peer", "name", port, "netns", path(l.Fabric()))
	ip(t, l.Fabric(), "link", "set", port, "master", sw, "up")
	ip(t, l.Host(), "link", "set", slave, "arp", "off", "up")
}

// TestMonitorLinkStates takes the link of a slave down in two ways, which is no
// fault of the path and no transition of the other slave.
func TestMonitorLinkStates(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	before := r.transitions()
	for _, tt := range []struct {
		ns   *lab.Namespace
		dev  string
		want arpmon.Link
	}{
		{l.Host(), "e2", arpmon.LinkDown},
		{l.Fabric(), "p2", arpmon.LinkNoCarrier},
	} {
		stats := r.Stats()
		ip(t, tt.ns, "link", "set", tt.dev, "down")
		took := r.eventually(5*time.Second, "without a link", r.is("e2", arpmon.SlaveNoLink))
		r.within(tt.dev+" down", took, time.Second, stats)
		r.eventually(5*time.Second, tt.want.String(), func() bool { return r.slave("e2").Link == tt.want })
		if _, reason := r.State("e2"); reason != arpmon.ReasonNoLink || r.Reachable("e2") {
			t.Errorf("%s down: reason %v", tt.dev, reason)
		}
		sent := r.slave("e2").Sent
		r.probed("e1", 4)
		if n := r.slave("e2").Sent; n != sent {
			t.Errorf("%d probes without a link", n-sent)
		}
		ip(t, tt.ns, "link", "set", tt.dev, "up")
		r.allUp("e1", "e2")
	}
	if after := r.transitions(); after["e1"] != before["e1"] {
		t.Errorf("transitions %v, before %v", after, before)
	}
	if st := r.Stats(); st.Reopened != 0 || st.Resyncs != 0 {
		t.Errorf("%+v", st)
	}
}

// TestMonitorShortLoss takes the link away and gives it back faster than anybody
// can look.
func TestMonitorShortLoss(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	before := r.transitions()
	batch := strings.Repeat("link set e2 down\nlink set e2 up\n", 3)
	file := filepath.Join(t.TempDir(), "batch")
	if err := os.WriteFile(file, []byte(batch), 0o600); err != nil {
		t.Fatal(err)
	}
	ip(t, l.Host(), "-batch", file)
	r.eventually(5*time.Second, "lost", func() bool { return r.transitions()["e2"] > before["e2"] })
	r.allUp("e1", "e2")
}

func TestMonitorRename(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	book, log := newLogBook()
	cfg.Logger = log
	r := start(t, cfg)
	r.allUp("e1", "e2")
	id, mac := r.ID("e2"), r.slave("e2").Identity.MAC
	ip(t, l.Host(), "link", "set", "e2", "down")
	ip(t, l.Host(), "link", "set", "e2", "name", "port7")
	ip(t, l.Host(), "link", "set", "port7", "up")
	r.eventually(5*time.Second, "renamed", func() bool { return r.Name(id) == "port7" })
	r.allUp("e1", "e2")
	if r.ID("e2") != id || r.ID("port7") != 0 || r.slave("e2").Identity.MAC != mac {
		t.Errorf("id %v, mac %v, before %v, %v", r.ID("e2"), r.slave("e2").Identity.MAC, id, mac)
	}

	// It is gone under its new name, and comes back under it.
	ip(t, l.Host(), "link", "del", "port7")
	r.eventually(5*time.Second, "gone", r.is("e2", arpmon.SlaveNoLink))
	recreate(t, l, "e2", "p2", "sw2")
	r.probed("e1", 4)
	if s := r.slave("e2"); s.State != arpmon.SlaveNoLink {
		t.Errorf("another interface was taken for port7: %v", s.State)
	}
	ip(t, l.Host(), "link", "set", "e2", "down")
	ip(t, l.Host(), "link", "set", "e2", "name", "port7")
	ip(t, l.Host(), "link", "set", "port7", "up")
	r.allUp("e1", "e2")
	r.stop()
	if n := strings.Count(book.String(), "msg=renamed slave=port7 before=e2"); n != 1 {
		t.Errorf("renamed %d times in the log:\n%s", n, book)
	}
}

// TestMonitorUnregister deletes an interface and makes another one of the same
// name, twice. Its address is new, so the probes must not be from an address
// that somebody has now.
func TestMonitorUnregister(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	book, log := newLogBook()
	cfg.Logger = log
	r := start(t, cfg)
	r.allUp("e1", "e2")
	for i := range 2 {
		before := r.transitions()
		ip(t, l.Host(), "link", "del", "e2")
		r.eventually(5*time.Second, "gone", r.is("e2", arpmon.SlaveNoLink))
		if name := r.Name(r.ID("e2")); name != "e2" {
			t.Errorf("its name is %q", name)
		}
		r.probed("e1", 4)
		recreate(t, l, "e2", "p2", "sw2")
		r.allUp("e1", "e2")
		if n := r.Stats().Reopened; n != uint64(i+1) {
			t.Errorf("reopened %d times", n)
		}
		after := r.transitions()
		if after["e1"] != before["e1"] || after["e2"] != before["e2"]+2 {
			t.Errorf("transitions %v, before %v", after, before)
		}
		// It is judged as before.
		broken := cut(t, l, 2)
		r.eventually(5*time.Second, "e2 down", r.is("e2", arpmon.SlaveDown))
		undo(t, broken)
		r.allUp("e1", "e2")
	}
	r.stop()
	for _, want := range []string{`level=WARN msg="interface is gone" slave=e2`, `level=INFO msg="interface is back" slave=e2`} {
		if n := strings.Count(book.String(), want); n != 2 {
			t.Errorf("%d times in the log: %s\n%s", n, want, book)
		}
	}
}

// TestMonitorMove takes an interface to another namespace and back, where it
// keeps its index.
func TestMonitorMove(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	for range 2 {
		ip(t, l.Host(), "link", "set", "e2", "netns", path(l.Target("B")))
		r.eventually(5*time.Second, "gone", r.is("e2", arpmon.SlaveNoLink))
		r.probed("e1", 2)
		ip(t, l.Target("B"), "link", "set", "e2", "netns", path(l.Host()))
		ip(t, l.Host(), "link", "set", "e2", "up")
		r.allUp("e1", "e2")
	}
	// Away and back before anybody can look.
	ip(t, l.Host(), "link", "set", "e2", "netns", path(l.Target("B")))
	ip(t, l.Target("B"), "link", "set", "e2", "netns", path(l.Host()))
	ip(t, l.Host(), "link", "set", "e2", "up")
	r.eventually(5*time.Second, "back", func() bool { return r.Stats().Reopened >= 3 })
	r.allUp("e1", "e2")
}

// TestMonitorLostEvents lets more link events gather than the socket holds while
// nobody reads them; then only reading everything anew tells the truth.
func TestMonitorLostEvents(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	book, log := newLogBook()
	cfg.Logger = log
	m, err := arpmon.NewMonitor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var batch bytes.Buffer
	for i := range 3000 {
		fmt.Fprintf(&batch, "link set e1 alias a%d\n", i)
	}
	batch.WriteString("link set e2 down\nlink set e2 name port7\nlink set port7 up\n")
	file := filepath.Join(t.TempDir(), "batch")
	if err := os.WriteFile(file, batch.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ip(t, l.Host(), "-batch", file)
	r := run(t, m)
	r.eventually(5*time.Second, "read anew", func() bool { return r.Stats().Resyncs > 0 })
	r.eventually(5*time.Second, "renamed", func() bool { return r.Name(r.ID("e2")) == "port7" })
	r.allUp("e1", "e2")
	if n := r.Stats().Reopened; n != 0 {
		t.Errorf("reopened %d times", n)
	}
	r.stop()
	if strings.Contains(book.String(), "level=ERROR") {
		t.Error(book)
	}
}

// TestMonitorAddressTaken gives the address of the probes to another interface,
// and takes a slave's own address away.
func TestMonitorAddressTaken(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	before := r.transitions()
	mac := func(slave string) arpmon.MAC { return r.slave(slave).Identity.MAC }
	e1, e2 := mac("e1"), mac("e2")
	ip(t, l.Host(), "link", "add", "x", "address", e2.String(), "type", "veth", "peer", "name", "y")
	r.eventually(5*time.Second, "another address", func() bool { return mac("e2") != e2 })
	r.probed("e2", 4)
	if mac("e1") != e1 {
		t.Errorf("e1 probes from %v, before %v", mac("e1"), e1)
	}
	taken := mac("e2")
	ip(t, l.Host(), "link", "set", "e2", "address", taken.String())
	r.eventually(5*time.Second, "another address", func() bool { return mac("e2") != taken })
	r.probed("e2", 4)
	if after := r.transitions(); after["e1"] != before["e1"] || after["e2"] != before["e2"] {
		t.Errorf("transitions %v, before %v\n%s", after, before, r.describe())
	}
}

// TestMonitorStable starts again and expects the same addresses, whatever the
// order of the slaves.
func TestMonitorStable(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	first := start(t, cfg)
	e1, e2 := first.slave("e1").Identity.MAC, first.slave("e2").Identity.MAC
	first.stop()
	cfg.Slaves = []string{"e2", "e1"}
	again := start(t, cfg)
	if again.slave("e1").Identity.MAC != e1 || again.slave("e2").Identity.MAC != e2 {
		t.Errorf("%v and %v, before %v and %v", again.slave("e1").Identity.MAC, again.slave("e2").Identity.MAC, e1, e2)
	}
	for _, m := range []arpmon.MAC{e1, e2} {
		if m[0]&3 != 2 {
			t.Errorf("%v is not locally administered, or not unicast", m)
		}
		if m == arpmon.MAC(l.BondMAC()) {
			t.Errorf("%v is the host's", m)
		}
	}
	if e1 == e2 {
		t.Errorf("both slaves probe from %v", e1)
	}
	cfg.MachineID = "another machine"
	other := start(t, cfg)
	if other.slave("e1").Identity.MAC == e1 {
		t.Errorf("another machine probes from %v too", e1)
	}
}

// TestMonitorRefused refuses what would harm the network, and what is not there.
func TestMonitorRefused(t *testing.T) {
	l := newLab(t, nil)
	for _, tt := range []struct {
		name  string
		spoil func(*arpmon.MonitorConfig)
		want  error
		text  string
	}{
		{"unknown interface", func(c *arpmon.MonitorConfig) { c.Slaves = []string{"e1", "e9"} }, os.ErrNotExist, "e9"},
		{"the bond's MAC from the backup", func(c *arpmon.MonitorConfig) { c.Identity = arpmon.IdentityDevice }, arpmon.ErrUnsafeIdentity, "e2"},
		{
			"the bond's MAC from the backup, explicit", func(c *arpmon.MonitorConfig) {
				c.Identity = arpmon.IdentityExplicit
				c.MACs = map[string]net.HardwareAddr{"e1": {2, 7, 7, 7, 7, 7}, "e2": l.BondMAC()}
			}, arpmon.ErrUnsafeIdentity, l.BondMAC().String(),
		},
		{"the bond's IP from another MAC", func(c *arpmon.MonitorConfig) { c.Sender = l.Addr("host") }, arpmon.ErrUnsafeIdentity, l.Addr("host").String()},
		{"no such namespace", func(c *arpmon.MonitorConfig) { c.NetNS, c.NetNSPath = 0, "/nonexistent" }, os.ErrNotExist, "/nonexistent"},
		{"not a namespace", func(c *arpmon.MonitorConfig) { c.NetNS, c.NetNSPath = 0, "/dev/null" }, nil, "/dev/null"},
		{"loopback", func(c *arpmon.MonitorConfig) { c.Slaves, c.Active = []string{"lo"}, "" }, errors.ErrUnsupported, "lo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := openFiles(t)
			cfg := monitorConfig(l)
			tt.spoil(&cfg)
			m, err := arpmon.NewMonitor(cfg)
			if err == nil {
				m.Close()
				t.Fatal("no error")
			}
			if _, ok := errors.AsType[*arpmon.Error](err); !ok || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q does not say %q", err, tt.text)
			}
			if n := openFiles(t); n > files {
				t.Errorf("%d files are left open", n-files)
			}
		})
	}
}

// TestMonitorDevice probes from the active slave's own address, with the
// host's own address as sender, and stops when another slave becomes active.
func TestMonitorDevice(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	cfg.Slaves = []string{"e1"}
	cfg.Identity = arpmon.IdentityDevice
	cfg.Sender = l.Addr("host")
	r := start(t, cfg)
	r.allUp("e1")
	if got := r.slave("e1").Identity; got.MAC != arpmon.MAC(l.BondMAC()) || got.Addr != cfg.Sender {
		t.Errorf("probes are from %+v", got)
	}
	if err := r.SetActive(""); !errors.Is(err, arpmon.ErrUnsafeIdentity) {
		t.Errorf("SetActive: %v", err)
	}
	if err := r.SetActive("e9"); !errors.Is(err, arpmon.ErrNoSlave) {
		t.Errorf("SetActive: %v", err)
	}
	r.probed("e1", 2)
	if err := errors.Join(r.Err("e1"), r.SetActive("e1")); err != nil {
		t.Error(err)
	}
	if err := r.Err("e9"); !errors.Is(err, arpmon.ErrNoSlave) {
		t.Errorf("Err: %v", err)
	}
}

// TestMonitorSenderTaken gives the sender address to the host while probes are
// from it: they stop, and the reason can be read.
func TestMonitorSenderTaken(t *testing.T) {
	l := newLab(t, nil)
	cfg := monitorConfig(l)
	cfg.Sender = l.Addr("host").Next()
	book, log := newLogBook()
	cfg.Logger = log
	r := start(t, cfg)
	r.allUp("e1", "e2")
	ip(t, l.Host(), "addr", "add", cfg.Sender.String()+"/32", "dev", "lo")
	r.eventually(10*time.Second, "refused", func() bool { return r.Err("e1") != nil && r.Err("e2") != nil })
	if err := r.Err("e2"); !errors.Is(err, arpmon.ErrUnsafeIdentity) {
		t.Errorf("Err: %v", err)
	}
	r.eventually(5*time.Second, "without a link", r.is("e2", arpmon.SlaveNoLink))
	ip(t, l.Host(), "addr", "del", cfg.Sender.String()+"/32", "dev", "lo")
	r.eventually(10*time.Second, "allowed", func() bool { return r.Err("e1") == nil && r.Err("e2") == nil })
	r.allUp("e1", "e2")
	if err := errors.Join(r.Err("e1"), r.Err("e2")); err != nil {
		t.Error(err)
	}
	r.stop()
	for _, want := range []string{`level=ERROR msg="not probing" slave=e2`, `level=INFO msg="probing again" slave=e2`} {
		if n := strings.Count(book.String(), want); n != 1 {
			t.Errorf("%d times in the log: %s", n, want)
		}
	}
}

// TestMonitorAlternativeName names a slave by an alternative name.
func TestMonitorAlternativeName(t *testing.T) {
	l := newLab(t, nil)
	ip(t, l.Host(), "link", "property", "add", "dev", "e2", "altname", "the-second-slave-of-this-host")
	cfg := monitorConfig(l)
	cfg.Slaves[1] = "the-second-slave-of-this-host"
	r := start(t, cfg)
	r.allUp("e1", "the-second-slave-of-this-host")
	if name := r.Name(r.ID("the-second-slave-of-this-host")); name != "e2" {
		t.Errorf("its name is %q", name)
	}
	cfg.Slaves = append(cfg.Slaves, "e2")
	if _, err := arpmon.NewMonitor(cfg); !errors.Is(err, arpmon.ErrDuplicate) {
		t.Errorf("error %v", err)
	}
}

// TestMonitorMembership reads from the kernel for which addresses an interface
// receives frames: that of the probes while they are sent, and no longer.
func TestMonitorMembership(t *testing.T) {
	l := newLab(t, nil)
	receives := func(mac arpmon.MAC) bool {
		t.Helper()
		out, err := l.Host().Run(t.Context(), "bridge", "fdb", "show", "dev", "e2")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(out), mac.String()+" ")
	}
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	first := r.slave("e2").Identity.MAC
	if !receives(first) {
		t.Errorf("not for %v, which the probes are from", first)
	}
	ip(t, l.Host(), "link", "set", "e2", "address", first.String())
	r.eventually(5*time.Second, "another address", func() bool { return r.slave("e2").Identity.MAC != first })
	second := r.slave("e2").Identity.MAC
	if !receives(second) || receives(first) {
		t.Errorf("for %v: %v, for %v: %v", second, receives(second), first, receives(first))
	}
	ip(t, l.Host(), "link", "set", "e2", "netns", path(l.Target("B")))
	ip(t, l.Target("B"), "link", "set", "e2", "netns", path(l.Host()))
	ip(t, l.Host(), "link", "set", "e2", "up")
	r.eventually(5*time.Second, "back", func() bool { return r.Stats().Reopened > 0 })
	r.allUp("e1", "e2")
	last := r.slave("e2").Identity.MAC
	if !receives(last) {
		t.Errorf("not for %v, which the probes are from", last)
	}
	r.stop()
	if receives(last) {
		t.Errorf("for %v after the end", last)
	}
}

// TestMonitorVanished tells of an interface that is gone again before the sockets
// could be bound to it, which is tried again and harms nobody.
func TestMonitorVanished(t *testing.T) {
	l := newLab(t, nil)
	r := start(t, monitorConfig(l))
	r.allUp("e1", "e2")
	var e2 *net.Interface
	err := l.Host().Do(func() (err error) {
		e2, err = net.InterfaceByName("e2")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	event := func(kind rtnl.EventKind, index int) {
		r.Pretend(rtnl.Event{Kind: kind, Link: rtnl.Link{Index: index, Name: "e2", Type: 1, Flags: up, MAC: e2.HardwareAddr}})
	}
	event(rtnl.EventDeleted, e2.Index)
	event(rtnl.EventChanged, 1_000_000)
	r.eventually(5*time.Second, "without a link", r.is("e2", arpmon.SlaveNoLink))
	r.probed("e1", 4)
	if err := r.Err("e2"); err != nil {
		t.Errorf("Err: %v", err)
	}
	event(rtnl.EventDeleted, 1_000_000)
	event(rtnl.EventChanged, e2.Index)
	r.allUp("e1", "e2")
}

// TestMonitorBrokenWatch ends a Monitor that can no longer follow the links.
func TestMonitorBrokenWatch(t *testing.T) {
	l := newLab(t, nil)
	m, err := arpmon.NewMonitor(monitorConfig(l))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- m.Run(t.Context()) }()
	<-m.Changed()
	if err := m.BreakWatch(); err != nil {
		t.Fatal(err)
	}
	err = <-done
	if _, ok := errors.AsType[*arpmon.Error](err); !ok || !strings.Contains(err.Error(), "follow links") {
		t.Errorf("Run: %v", err)
	}
}
