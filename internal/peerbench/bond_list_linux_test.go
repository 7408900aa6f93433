// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package peerbench_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	jsimonetti "github.com/jsimonetti/rtnetlink/v2"
	"github.com/jsimonetti/rtnetlink/v2/driver"
	vishvananda "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/bond"
)

// The network that is listed.
const (
	listBonds  = 64
	listSlaves = 2
)

// inBonds runs f on a thread of its own in a network namespace with 64 bonds of
// two slaves each.
func inBonds(b *testing.B, f func() error) {
	b.Helper()
	done := make(chan error)
	skip := ""
	go func() {
		// The thread stays locked, so that it ends with the goroutine.
		runtime.LockOSThread()
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				skip = "no network namespace: " + err.Error()
				return nil
			}
			if out, err := exec.Command("ip", "link", "add", "probe", "type", "bond").CombinedOutput(); err != nil {
				skip = fmt.Sprintf("no bonding driver: %v: %s", err, out)
				return nil
			}
			var script strings.Builder
			script.WriteString("link del probe\n")
			for i := range listBonds {
				fmt.Fprintf(&script, "link add bond%d type bond mode active-backup miimon 100\n", i)
				for j := range listSlaves {
					fmt.Fprintf(&script, "link add s%dx%d type dummy\nlink set s%dx%d master bond%d\n", i, j, i, j, i)
				}
			}
			cmd := exec.Command("ip", "-batch", "-")
			cmd.Stdin = strings.NewReader(script.String())
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("ip -batch: %w: %s", err, out)
			}
			return f()
		}()
	}()
	err := <-done
	switch {
	case skip != "" && os.Getenv("BONDKIT_KERNEL") == "require":
		b.Fatal(skip)
	case skip != "":
		b.Skip(skip)
	case err != nil:
		b.Fatal(err)
	}
}

// counted is an error if there are not all bonds and slaves.
func counted(bonds, slaves int) error {
	if bonds != listBonds || slaves != listBonds*listSlaves {
		return fmt.Errorf("%d bonds and %d slaves, want %d and %d", bonds, slaves, listBonds, listBonds*listSlaves)
	}
	return nil
}

// BenchmarkListBonds lists all bonds and slaves. bondkit asks the kernel for bonds,
// and for links without counters; the others ask for everything.
func BenchmarkListBonds(b *testing.B) {
	b.Run("bondkit", func(b *testing.B) {
		inBonds(b, func() error {
			c, err := bond.Dial(&bond.Config{})
			if err != nil {
				return err
			}
			defer c.Close()
			b.ReportAllocs()
			for b.Loop() {
				bonds, err := c.List(b.Context())
				if err != nil {
					return err
				}
				slaves, err := c.AllSlaves(b.Context())
				if err != nil {
					return err
				}
				if err := counted(len(bonds), len(slaves)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("vishvananda", func(b *testing.B) {
		inBonds(b, func() error {
			h, err := vishvananda.NewHandle(unix.NETLINK_ROUTE)
			if err != nil {
				return err
			}
			defer h.Close()
			b.ReportAllocs()
			for b.Loop() {
				links, err := h.LinkList()
				if err != nil {
					return err
				}
				bonds, slaves := 0, 0
				for _, l := range links {
					if _, ok := l.(*vishvananda.Bond); ok {
						bonds++
					}
					if _, ok := l.Attrs().Slave.(*vishvananda.BondSlave); ok {
						slaves++
					}
				}
				if err := counted(bonds, slaves); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("jsimonetti", func(b *testing.B) {
		inBonds(b, func() error {
			c, err := jsimonetti.Dial(nil)
			if err != nil {
				return err
			}
			defer c.Close()
			b.ReportAllocs()
			for b.Loop() {
				links, err := c.Link.List()
				if err != nil {
					return err
				}
				bonds, slaves := 0, 0
				for _, l := range links {
					if l.Attributes == nil || l.Attributes.Info == nil {
						continue
					}
					if _, ok := l.Attributes.Info.Data.(*driver.Bond); ok {
						bonds++
					}
					if _, ok := l.Attributes.Info.SlaveData.(*driver.BondSlave); ok {
						slaves++
					}
				}
				if err := counted(bonds, slaves); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
