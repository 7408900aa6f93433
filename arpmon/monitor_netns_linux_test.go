// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// TestMonitorNamespaces opens Monitors in a namespace that is named in different
// ways, and looks whether all threads are where they were.
func TestMonitorNamespaces(t *testing.T) {
	l := newLab(t, nil)
	own, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		open func(cfg arpmon.MonitorConfig) (*arpmon.Monitor, error)
	}{
		{"descriptor", arpmon.NewMonitor},
		{"path", func(cfg arpmon.MonitorConfig) (*arpmon.Monitor, error) {
			cfg.NetNS, cfg.NetNSPath = 0, path(l.Host())
			return arpmon.NewMonitor(cfg)
		}},
		{"calling thread", func(cfg arpmon.MonitorConfig) (m *arpmon.Monitor, err error) {
			cfg.NetNS = 0
			err = l.Host().Do(func() (err error) {
				m, err = arpmon.NewMonitor(cfg)
				return err
			})
			return m, err
		}},
		{"descriptor of the calling thread's", func(cfg arpmon.MonitorConfig) (m *arpmon.Monitor, err error) {
			err = l.Host().Do(func() (err error) {
				m, err = arpmon.NewMonitor(cfg)
				return err
			})
			return m, err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := tt.open(monitorConfig(l))
			if err != nil {
				t.Fatal(err)
			}
			r := run(t, m)
			r.allUp("e1", "e2")
			// What is opened later is in the namespace too.
			ip(t, l.Host(), "link", "del", "e2")
			r.eventually(5*time.Second, "gone", r.is("e2", arpmon.SlaveNoLink))
			recreate(t, l, "e2", "p2", "sw2")
			r.allUp("e1", "e2")
			waitFor(t, "all threads back", func() bool {
				links, err := filepath.Glob("/proc/self/task/*/ns/net")
				if err != nil {
					t.Fatal(err)
				}
				for _, link := range links {
					if ns, err := os.Readlink(link); err == nil && ns != own {
						return false
					}
				}
				return len(links) > 0
			})
		})
	}
}
