// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
)

// TestWatchReal watches a real flag of a real kernel while it is held with a journal, and interfaces
// that are renamed, come and go.
func TestWatchReal(t *testing.T) {
	name := coreSLCAN(t)
	c := coreOwn(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	link := ethtool.Link{Name: name}
	cfg := &ethtool.HoldConfig{Journal: filepath.Join(t.TempDir(), "journal")}
	const flag = "err-rst-on-open"

	var hold *ethtool.Hold
	steps := []func() error{
		func() (err error) {
			hold, err = c.Hold(ctx, link, flag, true, cfg)
			return err
		},
		func() error {
			_, err := hold.Release(ctx)
			return err
		},
		func() error {
			coreRun(t, "ip", "link", "set", name, "name", "renamed0")
			return nil
		},
		func() error {
			coreRun(t, "ip", "link", "add", "watched0", "type", "veth", "peer", "name", "watched1")
			return nil
		},
		func() error {
			coreRun(t, "ip", "link", "del", "watched0")
			return nil
		},
	}
	var got []string
	for e, err := range c.Watch(ctx, link, ethtool.Link{Name: "watched0"}) {
		if err != nil {
			t.Fatalf("%v, after %v", err, got)
		}
		e.Link.Index = 0
		got = append(got, watchText(e))
		if e.Kind == ethtool.FlagsRemoved {
			break
		}
		if e.Kind == ethtool.FlagsAdded && e.Link.Name == name {
			continue
		}
		if len(steps) == 0 {
			t.Fatalf("after the last step: %v", got)
		}
		if err := steps[0](); err != nil {
			t.Fatal(err)
		}
		steps = steps[1:]
	}
	want := []string{
		"added " + name + "/0", "synced", "changed " + name + "/0 " + flag + ":false>true", "changed " + name + "/0 " + flag + ":true>false",
		"renamed renamed0/0 was " + name, "added watched0/0", "removed watched0/0",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	journalGone(t, cfg.Journal)
}
