// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// sweepHost has eth0, a NIC with a setting for source pruning, and mv, a macvlan on another.
func sweepHost(release string, nic *ethtooltest.NIC) *ethtooltest.Kernel {
	k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
	k.Add("eth0", nic)
	k.Add("eth1", ethtooltest.E1000E("0000:5e:00.0"))
	k.Add("mv", ethtooltest.Macvlan("eth1", "vepa"))
	return k
}

type sweepOp func(context.Context, *ethtool.Client, ethtool.Link) error

func sweepRead[T any](f func(*ethtool.Client, context.Context, ethtool.Link) (T, error)) sweepOp {
	return func(ctx context.Context, c *ethtool.Client, l ethtool.Link) error {
		_, err := f(c, ctx, l)
		return err
	}
}

// sweepOps are all operations on one interface.
func sweepOps() map[string]sweepOp {
	return map[string]sweepOp{
		"Flags":         sweepRead((*ethtool.Client).Flags),
		"Driver":        sweepRead((*ethtool.Client).Driver),
		"Firmware":      sweepRead((*ethtool.Client).Firmware),
		"Health":        sweepRead((*ethtool.Client).Health),
		"LinkInfo":      sweepRead((*ethtool.Client).LinkInfo),
		"LinkState":     sweepRead((*ethtool.Client).LinkState),
		"PCIe":          sweepRead((*ethtool.Client).PCIe),
		"PermanentMAC":  sweepRead((*ethtool.Client).PermanentMAC),
		"Facts":         sweepRead((*ethtool.Client).Facts),
		"SourcePruning": sweepRead((*ethtool.Client).SourcePruning),
		"Audit": func(ctx context.Context, c *ethtool.Client, l ethtool.Link) error {
			_, err := c.Audit(ctx, l)
			return err
		},
		"SetSourcePruning": func(ctx context.Context, c *ethtool.Client, l ethtool.Link) error {
			_, err := c.SetSourcePruning(ctx, l, false)
			return err
		},
		"HoldSourcePruning": func(ctx context.Context, c *ethtool.Client, l ethtool.Link) error {
			h, err := c.HoldSourcePruning(ctx, l, false, nil)
			if err == nil {
				_, err = h.Release(ctx)
			}
			return err
		},
	}
}

// sweepEvent is what happens before a request, and what may come of it.
type sweepEvent struct {
	name    string
	happens func(k *ethtooltest.Kernel, c *ethtool.Client, cancel func(), link string)
	is      error
}

func sweepEvents() []sweepEvent {
	return []sweepEvent{
		{"renamed", func(k *ethtooltest.Kernel, _ *ethtool.Client, _ func(), link string) { k.Rename(link, "new0") }, nil},
		{"removed", func(k *ethtooltest.Kernel, _ *ethtool.Client, _ func(), link string) { k.Remove(link) }, ethtool.ErrNoDevice},
		{"canceled", func(_ *ethtooltest.Kernel, _ *ethtool.Client, cancel func(), _ string) { cancel() }, context.Canceled},
		{"closed", func(_ *ethtooltest.Kernel, c *ethtool.Client, _ func(), _ string) { c.Close() }, os.ErrClosed},
		{"replaced", func(k *ethtooltest.Kernel, _ *ethtool.Client, _ func(), link string) {
			k.Remove(link)
			k.Add(link, ethtooltest.I40E("0000:99:00.0"))
		}, ethtool.ErrNoDevice},
	}
}

// TestBetweenRequests has something happen before each request of each operation in turn. The
// interface was found by its name before: what is done after that is done by its index.
func TestBetweenRequests(t *testing.T) {
	releases := []string{ethtooltest.Release612, "5.4.0"}
	nics := []*ethtooltest.NIC{ethtooltest.I40E("0000:3b:00.0"), ethtooltest.MLX4MultiFunction("0000:3b:00.0")}
	ops, links := sweepOps(), []string{"eth0", "mv"}
	if testing.Short() { // in an emulator, and nothing here depends on its kernel
		const most = "HoldSourcePruning" // does what most others do
		releases, nics, links, ops = releases[:1], nics[:1], links[:1], map[string]sweepOp{most: ops[most]}
	}
	for _, release := range releases {
		for _, nic := range nics {
			for _, link := range links {
				t.Run(fmt.Sprintf("%s on %s on %s", link, nic.Driver, release), func(t *testing.T) {
					for op, do := range ops {
						for _, event := range sweepEvents() {
							sweep(t, release, nic, link, op, do, event)
						}
					}
				})
			}
		}
	}
}

func sweep(t *testing.T, release string, nic *ethtooltest.NIC, link, op string, do sweepOp, event sweepEvent) {
	t.Helper()
	// The last request before which it has a name only.
	named := 0
	if op == "Audit" {
		named = 1 // after the list
	}
	usual := do(t.Context(), coreDial(t, sweepHost(release, nic).Transport()), ethtool.Link{Name: link})
	for at, reached := 0, true; reached; at++ {
		k := sweepHost(release, nic)
		c := coreDial(t, k.Transport())
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		reached = false
		byName := false // which a write by ioctl is
		k.Fail(func(call ethtooltest.Call) error {
			if n++; n == at+1 {
				reached, byName = true, call.Name == "ETHTOOL_SPFLAGS"
				event.happens(k, c, cancel, link)
			}
			return nil
		})
		err := do(ctx, c, ethtool.Link{Name: link})
		cancel()
		if at <= named && (event.name == "renamed" || event.name == "replaced") {
			continue
		}
		switch {
		case err == nil, usual != nil && err.Error() == usual.Error():
		case event.is == nil || !errors.Is(err, event.is):
			t.Errorf("%s, %s before request %d: %v, else %v", op, event.name, at, err, usual)
		}
		if e, ok := err.(*ethtool.Error); err != nil && (!ok || e.Link != link) { //nolint:errorlint // nothing may wrap it
			t.Errorf("%s, %s before request %d: the error %v does not name the interface", op, event.name, at, err)
		}
		if reached && event.name == "replaced" && !byName && k.Flag(link, holdFlag) {
			t.Errorf("%s, %s before request %d: it has changed another interface", op, event.name, at)
		}
	}
}

// TestHoldFailsAtEachRequest ends the context before each request in turn, and loses each
// answer: a Hold that is not returned leaves nothing behind.
func TestHoldFailsAtEachRequest(t *testing.T) {
	for _, release := range []string{"5.4.0", ethtooltest.Release612} {
		for _, lost := range []bool{false, true} {
			for at, reached := 0, true; reached; at++ {
				k := sweepHost(release, ethtooltest.I40E("0000:3b:00.0"))
				c := coreDial(t, k.Transport())
				ctx, cancel := context.WithCancel(t.Context())
				n := 0
				reached = false
				hook := func(ethtooltest.Call) error {
					if n++; n != at+1 {
						return nil
					}
					reached = true
					if lost {
						return &ethtool.KernelError{Errno: syscall.EIO}
					}
					cancel()
					return nil
				}
				if lost {
					k.FailAfter(hook)
				} else {
					k.Fail(hook)
				}
				h, err := c.Hold(ctx, ethtool.Link{Name: "eth0"}, holdFlag, true, nil)
				cancel()
				switch {
				case err != nil && k.Flag("eth0", holdFlag):
					t.Errorf("%s lost %v at %d: %v, and the flag is on", release, lost, at, err)
				case err == nil:
					// If an answer to that is lost, it can be released again.
					if _, err = h.Release(t.Context()); err != nil {
						_, err = h.Release(t.Context())
					}
					if err != nil || k.Flag("eth0", holdFlag) {
						t.Errorf("%s lost %v at %d: release: %v, flag is %v", release, lost, at, err, k.Flag("eth0", holdFlag))
					}
				}
			}
		}
	}
}
