// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// journalCopy is the journal as a crash of all its processes leaves it: with the entries, and
// without their locks.
func journalCopy(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// journalEdit changes the entries of a journal.
func journalEdit(t *testing.T, path string, edit func([]ethtool.JournalEntry) []ethtool.JournalEntry) {
	t.Helper()
	entries := journalRead(t, path)
	b, err := ethtool.FormatJournal(edit(entries))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func journalRead(t *testing.T, path string) []ethtool.JournalEntry {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := ethtool.ParseJournal(b)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// journalGone sees that nothing is left of a journal.
func journalGone(t *testing.T, path string) {
	t.Helper()
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 0 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
}

func journalConfig(t *testing.T) *ethtool.HoldConfig {
	return &ethtool.HoldConfig{Journal: filepath.Join(t.TempDir(), "journal")}
}

func TestJournalBeforeChange(t *testing.T) {
	k, c := holdHost(t)
	cfg := journalConfig(t)
	looked := false
	k.Fail(func(call ethtooltest.Call) error {
		if !call.Write || looked {
			return nil
		}
		looked = true
		entries := journalRead(t, cfg.Journal)
		if len(entries) != 1 {
			t.Fatalf("entries %+v", entries)
		}
		e := entries[0]
		if e.Before != "off" || e.Value != "on" || e.Name != holdFlag || e.Control != ethtool.ControlPrivateFlag || e.Device.Link != k.Link("eth0") {
			t.Errorf("entry %+v", e)
		}
		if e.Device.MAC != "3c:fd:fe:3b:00:00" || e.Device.Parent != "pci/0000:3b:00.0" || e.Device.Driver != "i40e" || e.Device.Bus != "0000:3b:00.0" || e.Boot == "" {
			t.Errorf("identity %+v", e)
		}
		info, err := os.Stat(cfg.Journal)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		return nil
	})
	h := mustHold(t, c, "eth0", holdFlag, true, cfg)
	if !looked {
		t.Error("nothing was changed")
	}
	if _, err := h.Release(t.Context()); err != nil {
		t.Error(err)
	}
	journalGone(t, cfg.Journal)
}

func TestJournalNotNeeded(t *testing.T) {
	_, c := holdHost(t)
	cfg := journalConfig(t)
	h := mustHold(t, c, "eth0", "flow-director-atr", true, cfg)
	journalGone(t, cfg.Journal)
	if _, err := h.Release(t.Context()); err != nil {
		t.Error(err)
	}
	journalGone(t, cfg.Journal)
	if _, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, "MFP", true, cfg); !errors.Is(err, ethtool.ErrReadOnly) {
		t.Errorf("%v", err)
	}
	journalGone(t, cfg.Journal)
}

// TestJournalStrangeName has names that are no UTF-8.
func TestJournalStrangeName(t *testing.T) {
	const strange = "a\xffb\\"
	k := ethtooltest.NewKernel(nil)
	k.Add("e\xe9", &ethtooltest.NIC{PermMAC: []byte{2, 0, 0, 0, 0, 1}, PrivateFlags: []ethtooltest.Flag{{Name: strange}}})
	c := holdClient(t, k.Transport())
	cfg := journalConfig(t)
	mustHold(t, c, "e\xe9", strange, true, cfg)
	if _, err := holdClient(t, k.Transport()).Hold(t.Context(), ethtool.Link{Index: 1}, strange, true, cfg); !errors.Is(err, ethtool.ErrHeld) {
		t.Errorf("again: %v", err)
	}
	changes, err := c.Repair(t.Context(), journalCopy(t, cfg.Journal))
	if err != nil || len(changes) != 1 || !changes[0].Changed || changes[0].Name != strange || k.Flag("e\xe9", strange) {
		t.Errorf("%+v, %v", changes, err)
	}
}

func TestJournalSeveral(t *testing.T) {
	k, c := holdHost(t)
	cfg := journalConfig(t)
	a := mustHold(t, c, "eth0", holdFlag, true, cfg)
	b := mustHold(t, c, "eth1", "fw-lldp-agent", true, cfg)
	other := holdClient(t, k.Transport())
	if _, err := other.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, true, cfg); !errors.Is(err, ethtool.ErrHeld) {
		t.Errorf("by another Client: %v", err)
	}
	d := mustHold(t, other, "eth0", "veb-stats", true, cfg)
	if got := journalRead(t, cfg.Journal); len(got) != 3 {
		t.Fatalf("entries %+v", got)
	}
	// Repair leaves Holds that live alone.
	if changes, err := other.Repair(t.Context(), cfg.Journal); err != nil || len(changes) != 0 || !k.Flag("eth0", holdFlag) {
		t.Errorf("%v, %v", changes, err)
	}
	crashed := journalCopy(t, cfg.Journal)
	for i, h := range []*ethtool.Hold{b, a, d} {
		if _, err := h.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if i < 2 {
			if got := journalRead(t, cfg.Journal); len(got) != 2-i {
				t.Errorf("entries %+v", got)
			}
		}
	}
	journalGone(t, cfg.Journal)
	// The journal of the crash has entries of which nothing is left to do.
	k.ResetRequests()
	changes, err := c.Repair(t.Context(), crashed)
	if err != nil || len(changes) != 3 || len(k.Changes()) != 0 {
		t.Errorf("%+v, %v", changes, err)
	}
	journalGone(t, crashed)
}

func TestRepair(t *testing.T) {
	k, c := holdHost(t)
	cfg := journalConfig(t)
	mustHold(t, c, "eth0", holdFlag, true, cfg)
	mustHold(t, c, "eth1", "fw-lldp-agent", true, cfg)
	crashed := journalCopy(t, cfg.Journal)
	k.Rename("eth0", "ens1")

	next := holdClient(t, k.Transport()) // of the next process
	// Until it is repaired, the settings count as held.
	if _, err := next.Hold(t.Context(), ethtool.Link{Name: "ens1"}, holdFlag, true, &ethtool.HoldConfig{Journal: crashed}); !errors.Is(err, ethtool.ErrHeld) || !strings.Contains(err.Error(), "Repair") {
		t.Errorf("held: %v", err)
	}
	changes, err := next.Repair(t.Context(), crashed)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Link, Name, Before, After string
		Changed                   bool
	}
	var got []line
	for _, ch := range changes {
		got = append(got, line{ch.Link.Name, ch.Name, ch.Before, ch.After, ch.Changed})
	}
	want := []line{{"ens1", holdFlag, "on", "off", true}, {"eth1", "fw-lldp-agent", "on", "off", true}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	if k.Flag("ens1", holdFlag) || k.Flag("eth1", "fw-lldp-agent") {
		t.Error("not put back")
	}
	journalGone(t, crashed)
	if changes, err := next.Repair(t.Context(), crashed); err != nil || changes != nil {
		t.Errorf("nothing to repair: %v, %v", changes, err)
	}
	journalGone(t, crashed)
	if _, err := next.Repair(t.Context(), ""); !errors.Is(err, ethtool.ErrBadValue) {
		t.Errorf("no journal: %v", err)
	}
}

// TestRepairNotOurs has what must not be touched: nothing is changed, and the entry goes.
func TestRepairNotOurs(t *testing.T) {
	tests := []struct {
		name  string
		after func(k *ethtooltest.Kernel, e *ethtool.JournalEntry)
	}{
		{"another boot", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Boot = "6e0b1bd5-0000-0000-0000-000000000000" }},
		{"another address", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Device.MAC = "3c:fd:fe:00:00:01" }},
		{"another device", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Device.Parent = "pci/0000:af:00.0" }},
		{"another driver", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Device.Driver = "ice" }},
		{"another bus address", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Device.Bus = "0000:af:00.0" }},
		{"another kind", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Device.Kind = "macvlan" }},
		{"another index", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Device.Link.Index = 2 }},
		{"gone", func(k *ethtooltest.Kernel, _ *ethtool.JournalEntry) {
			k.Remove("eth0")
			k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
		}},
		{"no such flag now", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Name = "nosuch" }},
		{"a third value", func(_ *ethtooltest.Kernel, e *ethtool.JournalEntry) { e.Before, e.Value = "x", "y" }},
		{"put back already", func(k *ethtooltest.Kernel, _ *ethtool.JournalEntry) {
			k.Update("eth0", func(n *ethtooltest.NIC) { n.PrivateFlags[8].On = false })
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, c := holdHost(t)
			cfg := journalConfig(t)
			mustHold(t, c, "eth0", holdFlag, true, cfg)
			crashed := journalCopy(t, cfg.Journal)
			journalEdit(t, crashed, func(entries []ethtool.JournalEntry) []ethtool.JournalEntry {
				tt.after(k, &entries[0])
				return entries
			})
			k.ResetRequests()
			changes, err := c.Repair(t.Context(), crashed)
			if err != nil || len(changes) != 1 || changes[0].Changed || len(k.Changes()) != 0 {
				t.Errorf("%+v, %v, %v", changes, err, k.Changes())
			}
			journalGone(t, crashed)
		})
	}
}

// TestRepairVirtual has an interface that only its name, its address and what is below tell apart.
func TestRepairVirtual(t *testing.T) {
	for name, after := range map[string]func(*ethtooltest.Kernel){
		"same":    func(*ethtooltest.Kernel) {},
		"renamed": func(k *ethtooltest.Kernel) { k.Rename("mv0", "mv1") },
		"new address": func(k *ethtooltest.Kernel) {
			k.Update("mv0", func(n *ethtooltest.NIC) { n.MAC = net.HardwareAddr{2, 0, 0, 0, 0, 9} })
		},
		"both": func(k *ethtooltest.Kernel) {
			k.Rename("mv0", "mv1")
			k.Update("mv1", func(n *ethtooltest.NIC) { n.MAC = net.HardwareAddr{2, 0, 0, 0, 0, 9} })
		},
		"moved": func(k *ethtooltest.Kernel) { k.Update("mv0", func(n *ethtooltest.NIC) { n.Lower = "eth1" }) },
	} {
		t.Run(name, func(t *testing.T) {
			k, c := holdHost(t)
			k.Add("mv0", ethtooltest.Macvlan("eth0", "vepa"))
			cfg := journalConfig(t)
			if _, err := c.HoldSetting(t.Context(), ethtool.Link{Name: "mv0"}, ethtool.ControlMacvlanMode, "", "private", cfg); err != nil {
				t.Fatal(err)
			}
			crashed := journalCopy(t, cfg.Journal)
			after(k)
			changes, err := c.Repair(t.Context(), crashed)
			if err != nil || len(changes) != 1 || changes[0].Changed != (name != "both" && name != "moved") {
				t.Errorf("%+v, %v", changes, err)
			}
		})
	}
}

// TestRepairKeeps has entries that cannot be put back yet.
func TestRepairKeeps(t *testing.T) {
	k, c := holdHost(t)
	cfg := journalConfig(t)
	mustHold(t, c, "eth0", holdFlag, true, cfg)
	mustHold(t, c, "eth1", "fw-lldp-agent", true, cfg)
	crashed := journalCopy(t, cfg.Journal)
	if _, err := holdClient(t, k.Unprivileged()).Repair(t.Context(), crashed); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v", err)
	}
	k.SetAway("eth0", true)
	changes, err := c.Repair(t.Context(), crashed)
	if !errors.Is(err, ethtool.ErrDeviceAway) || len(changes) != 2 || changes[0].Changed || !changes[1].Changed {
		t.Errorf("%+v, %v", changes, err)
	}
	if got := journalRead(t, crashed); len(got) != 1 || got[0].Name != holdFlag {
		t.Errorf("entries %+v", got)
	}
	k.SetAway("eth0", false)
	if changes, err := c.Repair(t.Context(), crashed); err != nil || len(changes) != 1 || !changes[0].Changed {
		t.Errorf("%+v, %v", changes, err)
	}
	journalGone(t, crashed)
}

func TestJournalDamaged(t *testing.T) {
	k, c := holdHost(t)
	good := journalConfig(t)
	mustHold(t, c, "eth0", holdFlag, true, good)
	b, err := os.ReadFile(good.Journal)
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string][]byte{
		"empty": {}, "truncated": b[:len(b)-5], "one byte": []byte(strings.Replace(string(b), `"before": "off"`, `"before": "onn"`, 1)),
		"something behind": append(append([]byte{}, b...), '\n'), "no journal": []byte("[]\n"), "only the first line": b[:strings.IndexByte(string(b), '\n')+1],
	}
	for name, content := range damage {
		t.Run(name, func(t *testing.T) {
			cfg := journalConfig(t)
			if err := os.WriteFile(cfg.Journal, content, 0o600); err != nil {
				t.Fatal(err)
			}
			k.ResetRequests()
			if changes, err := c.Repair(t.Context(), cfg.Journal); !errors.Is(err, ethtool.ErrJournal) || changes != nil {
				t.Errorf("repair: %v, %v", changes, err)
			}
			if _, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, "veb-stats", true, cfg); !errors.Is(err, ethtool.ErrJournal) {
				t.Errorf("hold: %v", err)
			}
			if len(k.Changes()) != 0 {
				t.Errorf("changes %v", k.Changes())
			}
			if now, err := os.ReadFile(cfg.Journal); err != nil || string(now) != string(content) {
				t.Errorf("the journal is %q, %v", now, err)
			}
		})
	}
}

func TestJournalFile(t *testing.T) {
	k, c := holdHost(t)
	write := func(path string, mode os.FileMode) error {
		empty, err := ethtool.FormatJournal(nil)
		return errors.Join(err, os.WriteFile(path, empty, 0o600), os.Chmod(path, mode))
	}
	tests := map[string]func(path string) error{
		"others may write":    func(path string) error { return write(path, 0o606) },
		"the group may write": func(path string) error { return write(path, 0o660) },
		"the lock, others":    func(path string) error { return write(path+".lock", 0o666) },
		"a directory":         func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe":              func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a symbolic link": func(path string) error {
			return errors.Join(write(path+".real", 0o600), os.Symlink(path+".real", path))
		},
		"its lock a symlink": func(path string) error { return os.Symlink("/nonexistent/x", path+".lock") },
		"no directory":       func(path string) error { return os.Remove(filepath.Dir(path)) },
		"a file, no directory ": func(path string) error {
			return errors.Join(os.Remove(filepath.Dir(path)), os.WriteFile(filepath.Dir(path), nil, 0o600))
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := &ethtool.HoldConfig{Journal: filepath.Join(t.TempDir(), "d", "journal")}
			if err := errors.Join(os.Mkdir(filepath.Dir(cfg.Journal), 0o700), prepare(cfg.Journal)); err != nil {
				t.Fatal(err)
			}
			_, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, true, cfg)
			if _, ok := errors.AsType[*ethtool.Error](err); !ok || !errors.Is(err, ethtool.ErrJournal) {
				t.Errorf("%v", err)
			}
			if len(k.Changes()) != 0 {
				t.Fatalf("changes %v", k.Changes())
			}
		})
	}
	t.Run("of another user", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("no privilege to make a file of another user")
		}
		cfg := journalConfig(t)
		if err := errors.Join(write(cfg.Journal, 0o600), os.Chown(cfg.Journal, 12345, 12345)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, true, cfg); !errors.Is(err, ethtool.ErrJournal) || !strings.Contains(err.Error(), "12345") {
			t.Errorf("%v", err)
		}
	})
	t.Run("empty", func(t *testing.T) {
		cfg := journalConfig(t)
		if err := write(cfg.Journal, 0o644); err != nil {
			t.Fatal(err)
		}
		if changes, err := c.Repair(t.Context(), cfg.Journal); err != nil || len(changes) != 0 {
			t.Errorf("%v, %v", changes, err)
		}
		journalGone(t, cfg.Journal)
	})
	t.Run("left over from a crash", func(t *testing.T) {
		cfg := journalConfig(t)
		if err := errors.Join(write(cfg.Journal+".tmp", 0o666), write(cfg.Journal+".lock", 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := mustHold(t, c, "eth0", holdFlag, true, cfg).Release(t.Context()); err != nil {
			t.Error(err)
		}
		journalGone(t, cfg.Journal)
	})
}

// TestJournalUndo has a change that cannot be undone now: the journal has it.
func TestJournalUndo(t *testing.T) {
	cfg := journalConfig(t)
	synctest.Test(t, func(t *testing.T) {
		k, c := holdHost(t)
		k.FailAfter(func(call ethtooltest.Call) error {
			if !call.Write {
				return nil
			}
			k.FailAfter(nil)
			k.SetAway("eth0", true)
			return &ethtool.KernelError{Errno: syscall.EIO}
		})
		_, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, holdFlag, true, cfg)
		if !errors.Is(err, syscall.EIO) || !errors.Is(err, ethtool.ErrDeviceAway) || !strings.HasPrefix(err.Error(), "ethtool: hold eth0") {
			t.Errorf("%v", err)
		}
		k.SetAway("eth0", false)
		if changes, err := c.Repair(t.Context(), cfg.Journal); err != nil || len(changes) != 1 || !changes[0].Changed || k.Flag("eth0", holdFlag) {
			t.Errorf("%+v, %v", changes, err)
		}
	})
	journalGone(t, cfg.Journal)
}

// TestJournalLostRace has another program make the change between the entry and the change.
func TestJournalLostRace(t *testing.T) {
	k, c := holdHost(t)
	cfg := journalConfig(t)
	reads := 0
	k.FailAfter(func(call ethtooltest.Call) error {
		if call.Name != "ETHTOOL_MSG_PRIVFLAGS_GET" {
			return nil
		}
		if reads++; reads == 1 {
			return errors.Join(k.SetFlag("eth0", holdFlag, true))
		}
		return nil
	})
	mustHold(t, c, "eth0", holdFlag, true, cfg)
	journalGone(t, cfg.Journal)
}

// TestJournalConcurrent has several Clients share a journal.
func TestJournalConcurrent(t *testing.T) {
	k, _ := holdHost(t)
	cfg := journalConfig(t)
	flags := []string{"LinkPolling", "veb-stats", "hw-atr-eviction", "link-down-on-close"}
	var all sync.WaitGroup
	for _, flag := range flags {
		c := holdClient(t, k.Transport())
		all.Go(func() {
			for range 3 {
				h, err := c.Hold(t.Context(), ethtool.Link{Name: "eth0"}, flag, true, cfg)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := h.Release(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, flag := range flags {
		if k.Flag("eth0", flag) {
			t.Errorf("%s was left on", flag)
		}
	}
	journalGone(t, cfg.Journal)
}

const journalEnv = "BONDKIT_TEST_JOURNAL"

// TestJournalProcess is, with a journal in the environment, the process that holds and is
// killed; without, it starts that.
func TestJournalProcess(t *testing.T) {
	if path := os.Getenv(journalEnv); path != "" {
		_, c := holdHost(t)
		mustHold(t, c, "eth0", holdFlag, true, &ethtool.HoldConfig{Journal: path})
		fmt.Println("HOLDING")
		<-t.Context().Done()
		return
	}
	path := journalConfig(t).Journal
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestJournalProcess$")
	cmd.Env = append(os.Environ(), journalEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	holding := false
	for lines := bufio.NewScanner(out); !holding && lines.Scan(); {
		holding = lines.Text() == "HOLDING"
	}
	// The kernel of this process is another one in which the same has happened.
	k, c := holdHost(t)
	if err := k.SetFlag("eth0", holdFlag, true); err != nil {
		t.Fatal(err)
	}
	if changes, err := c.Repair(ctx, path); err != nil || len(changes) != 0 {
		t.Errorf("while it lives: %+v, %v", changes, err)
	}
	if _, err := c.Hold(ctx, ethtool.Link{Name: "eth0"}, holdFlag, false, &ethtool.HoldConfig{Journal: path}); !errors.Is(err, ethtool.ErrHeld) {
		t.Errorf("while it lives: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); !holding || err == nil {
		t.Fatalf("holding %v, %v", holding, err)
	}
	if changes, err := c.Repair(ctx, path); err != nil || len(changes) != 1 || !changes[0].Changed || k.Flag("eth0", holdFlag) {
		t.Errorf("after it was killed: %+v, %v", changes, err)
	}
	journalGone(t, path)
}
