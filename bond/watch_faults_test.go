// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// watchTransport counts the Subscriptions that are open and can have them fail.
type watchTransport struct {
	bond.Transport
	open      atomic.Int32
	receiving atomic.Int32
	subscribe error
	receive   chan error // an error for one Receive
}

func newWatchTransport(k *bondtest.Kernel) *watchTransport {
	return &watchTransport{Transport: k.Transport(), receive: make(chan error, 1)}
}

func (t *watchTransport) Subscribe(ctx context.Context) (bond.Subscription, error) {
	if t.subscribe != nil {
		return nil, t.subscribe
	}
	s, err := t.Transport.Subscribe(ctx)
	if err == nil {
		t.open.Add(1)
	}
	return &watchSubscription{s, t}, err
}

type watchSubscription struct {
	bond.Subscription
	t *watchTransport
}

func (s *watchSubscription) Receive(ctx context.Context) ([]bond.Message, error) {
	s.t.receiving.Add(1)
	defer s.t.receiving.Add(-1)
	messages, err := s.Subscription.Receive(ctx)
	select {
	case err := <-s.t.receive:
		return nil, err
	default:
		return messages, err
	}
}

func (s *watchSubscription) Close() error {
	s.t.open.Add(-1)
	return s.Subscription.Close()
}

// TestWatchBreak leaves the loop at each of the events, and then nothing is left
// behind: synctest fails where a goroutine is.
func TestWatchBreak(t *testing.T) {
	for n := range 5 {
		synctest.Test(t, func(t *testing.T) {
			k := watchPair(t, nil, watchBackup())
			transport := newWatchTransport(k)
			c := watchDial(t, transport, 0)
			seen := 0
			for e, err := range c.Watch(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind == bond.EventSynced {
					// More messages than the fifth event waits for.
					for i := range uint32(100) {
						if err := k.Set("bond0", bond.Options{MinLinks: new(i + 1)}); err != nil {
							t.Fatal(err)
						}
					}
				}
				if seen++; seen > n {
					break
				}
			}
			if seen != n+1 {
				t.Errorf("%d events", seen)
			}
			if open, receiving := transport.open.Load(), transport.receiving.Load(); open+receiving != 0 {
				t.Errorf("%d subscriptions are open, %d are received from", open, receiving)
			}
		})
	}
}

// TestWatchPanic has the loop body panic.
func TestWatchPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newWatchTransport(watchPair(t, nil, watchBackup()))
		c := watchDial(t, transport, 0)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			for range c.Watch(t.Context()) {
				panic("reader")
			}
		}()
		if n := transport.open.Load(); n != 0 {
			t.Errorf("%d subscriptions are open", n)
		}
	})
}

// TestWatchErrors has everything fail that can.
func TestWatchErrors(t *testing.T) {
	refused := &bond.KernelError{Errno: syscall.EPERM}
	for _, tt := range []struct {
		name string
		// fail makes it fail, before the watch begins and with the first event after
		// EventSynced being due.
		before, after func(k *bondtest.Kernel, t *watchTransport, c *bond.Client, cancel context.CancelFunc)
		want          error
	}{
		{
			name: "subscribe",
			before: func(_ *bondtest.Kernel, t *watchTransport, _ *bond.Client, _ context.CancelFunc) {
				t.subscribe = refused
			},
			want: syscall.EPERM,
		},
		{
			name: "first dump",
			before: func(k *bondtest.Kernel, _ *watchTransport, _ *bond.Client, _ context.CancelFunc) {
				k.Fail(func(bond.Message) error { return refused })
			},
			want: syscall.EPERM,
		},
		{
			name: "dump that is always disturbed",
			before: func(k *bondtest.Kernel, _ *watchTransport, _ *bond.Client, _ context.CancelFunc) {
				k.Fail(func(bond.Message) error { return bond.ErrInterrupted })
			},
			want: bond.ErrInterrupted,
		},
		{
			name: "garbage in the dump",
			before: func(k *bondtest.Kernel, _ *watchTransport, _ *bond.Client, _ context.CancelFunc) {
				k.SetUnknown("bond0", []bond.Attr{{Type: uint16(bond.OptionMIIMon), Data: []byte{1}}})
			},
			want: bond.ErrMalformed,
		},
		{
			name: "context that has ended",
			before: func(_ *bondtest.Kernel, _ *watchTransport, _ *bond.Client, cancel context.CancelFunc) {
				cancel()
			},
			want: context.Canceled,
		},
		{
			name: "hanging dump",
			before: func(k *bondtest.Kernel, _ *watchTransport, _ *bond.Client, cancel context.CancelFunc) {
				k.Hang(func(bond.Message) bool { return true })
				time.AfterFunc(time.Second, cancel)
			},
			want: context.Canceled,
		},
		{
			name: "context ends",
			after: func(_ *bondtest.Kernel, _ *watchTransport, _ *bond.Client, cancel context.CancelFunc) {
				time.AfterFunc(time.Hour, cancel)
			},
			want: context.Canceled,
		},
		{
			name: "receive",
			after: func(k *bondtest.Kernel, t *watchTransport, _ *bond.Client, _ context.CancelFunc) {
				t.receive <- os.ErrClosed
				k.AddLink("eth9", nil)
			},
			want: os.ErrClosed,
		},
		{
			name: "closed client",
			after: func(k *bondtest.Kernel, _ *watchTransport, c *bond.Client, _ context.CancelFunc) {
				if err := errors.Join(c.Close(), k.SetSlave("eth1", bond.SlaveOptions{QueueID: new(uint16(4))})); err != nil {
					panic(err)
				}
			},
			want: os.ErrClosed,
		},
		{
			name: "read",
			after: func(k *bondtest.Kernel, _ *watchTransport, _ *bond.Client, _ context.CancelFunc) {
				k.Fail(func(bond.Message) error { return refused })
				k.SetCarrier("eth1", false)
			},
			want: syscall.EPERM,
		},
		{
			name: "dump after a loss",
			after: func(k *bondtest.Kernel, _ *watchTransport, _ *bond.Client, _ context.CancelFunc) {
				k.Fail(func(bond.Message) error { return refused })
				k.Overrun()
			},
			want: syscall.EPERM,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := watchPair(t, nil, watchBackup())
				transport := newWatchTransport(k)
				c, err := bond.Dial(&bond.Config{Transport: transport, PollInterval: -1})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.before != nil {
					tt.before(k, transport, c, cancel)
				}
				var errs []error
				for e, err := range c.Watch(ctx) {
					switch {
					case err != nil:
						errs = append(errs, err)
						if e.Kind != 0 || e.BondState != nil {
							t.Errorf("with the error came %q", watchLine(e))
						}
					case len(errs) > 0:
						t.Errorf("after the error came %q", watchLine(e))
					case e.Kind == bond.EventSynced:
						tt.after(k, transport, c, cancel)
					}
				}
				if len(errs) != 1 || !errors.Is(errs[0], tt.want) {
					t.Fatalf("errors %v, want one that matches %v", errs, tt.want)
				}
				if e, ok := errors.AsType[*bond.Error](errs[0]); !ok || e.Op != "watch" {
					t.Errorf("error is a %T: %v", errs[0], errs[0])
				}
				if n := transport.open.Load(); n != 0 {
					t.Errorf("%d subscriptions are open", n)
				}
			})
		})
	}
}

// TestWatchDisturbed has changes disturb dumps for a while, and a datagram that cannot be
// read.
func TestWatchDisturbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchPair(t, nil, watchBackup())
		transport := newWatchTransport(k)
		disturbed := 5
		k.Fail(func(bond.Message) error {
			if disturbed--; disturbed >= 0 {
				return fmt.Errorf("dump: %w", bond.ErrInterrupted)
			}
			return nil
		})
		w := startWatch(t, watchDial(t, transport, -1))
		transport.receive <- &bond.Error{Err: bond.ErrMalformed}
		if err := k.Enslave("", "eth2"); err != nil {
			t.Fatal(err)
		}
		w.until("slave-removed bond0 eth2")
		w.until("resynced")
		w.rest()
	})
}

// TestWatchStorm makes 1000 changes while the reader does something else. The queue is
// shorter than that.
func TestWatchStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchPair(t, &bondtest.Config{Queue: 16}, watchBackup())
		w := startWatch(t, watchDial(t, k.Transport(), -1))
		rng := rand.New(rand.NewPCG(1, 2))
		for range 1000 {
			watchChangeHost(t, k, rng)
			synctest.Wait()
		}
		w.rest()
		if w.count("resynced") == 0 {
			t.Error("nothing was lost")
		}
	})
}

// TestWatchMany has more slaves change at once than are read one by one.
func TestWatchMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchPair(t, &bondtest.Config{Queue: 1 << 16}, watchBackup())
		for i := range 200 {
			name := fmt.Sprintf("many%d", i)
			k.AddLink(name, nil)
			if err := k.Enslave("bond0", name); err != nil {
				t.Fatal(err)
			}
		}
		w := startWatch(t, watchDial(t, k.Transport(), time.Second))
		if n := w.count("slave-added bond0 *"); n != 202 {
			t.Errorf("%d slaves", n)
		}
		from := len(w.seen)
		for i := range 200 {
			k.SetCarrier(fmt.Sprintf("many%d", i), false)
		}
		w.rest()
		if n := len(w.seen) - from; n != 200 {
			t.Errorf("%d events:\n%s", n, strings.Join(w.seen[from:], "\n"))
		}
	})
}

// TestWatchTwo has two watches at once, and uses the client inside the loop.
func TestWatchTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchPair(t, nil, watchBackup())
		c := watchDial(t, k.Transport(), -1)
		first, second := startWatch(t, c), startWatch(t, c)
		name := bond.Link{Name: "bond0"}
		for e, err := range c.Watch(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == bond.EventOptionsChanged {
				break
			}
			if e.Kind == bond.EventSynced {
				if _, err := c.Set(t.Context(), name, bond.Options{MinLinks: new(uint32(9))}); err != nil {
					t.Fatal(err)
				}
			}
		}
		first.until("options-changed bond0 min_links")
		if err := first.stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("the first watch ended with %v", err)
		}
		second.until("options-changed bond0 min_links")
		if err := c.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		second.until("bond-removed bond0")
		second.rest()
	})
}

// watchChangeHost changes something at random.
func watchChangeHost(t *testing.T, k *bondtest.Kernel, rng *rand.Rand) {
	t.Helper()
	pick := func(names ...string) string { return names[rng.IntN(len(names))] }
	links := []string{"eth1", "eth2", "eth3", "eth4"}
	bonds := []string{"bond0", "bond1", "bond2"}
	exists := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return k.Index(n) == 0 })
	}
	hereLinks, hereBonds := exists(links), exists(bonds)
	c, err := bond.Dial(&bond.Config{Transport: k.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	switch n := rng.IntN(14); {
	case n == 0 && len(hereBonds) < len(bonds):
		for _, name := range bonds {
			if k.Index(name) == 0 {
				mode := bond.Mode(rng.IntN(7))
				if _, err := c.Create(ctx, name, bond.Options{Mode: &mode}, nil); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
	case n == 1 && len(hereLinks) < len(links):
		for _, name := range links {
			if k.Index(name) == 0 {
				// Now and then with the index of one that was there.
				index := 50 + rng.IntN(2)
				if _, err := c.Link(ctx, bond.Link{Index: index}); err == nil {
					index = 0
				}
				k.AddLink(name, &bondtest.LinkConfig{Index: index})
				break
			}
		}
	case n == 2 && rng.IntN(3) == 0 && len(hereBonds) > 1:
		k.Remove(pick(hereBonds...))
	case n == 3 && rng.IntN(3) == 0 && len(hereLinks) > 1:
		k.MoveAway(pick(hereLinks...))
	case len(hereLinks) == 0 || len(hereBonds) == 0:
	case n <= 5:
		_ = k.Enslave(pick(hereBonds...), pick(hereLinks...)) // refused where it is up
	case n == 6:
		_ = k.Enslave("", pick(hereLinks...))
	case n == 7:
		k.SetCarrier(pick(hereLinks...), rng.IntN(3) > 0)
	case n == 8:
		k.SetUp(pick(slices.Concat(hereLinks, hereBonds)...), rng.IntN(3) > 0)
	case n == 9:
		from := pick(hereLinks...)
		k.Rename(from, "tmp")
		if rng.IntN(2) == 0 {
			k.Rename("tmp", from)
		} else {
			for _, name := range links {
				if k.Index(name) == 0 {
					k.Rename("tmp", name)
					break
				}
			}
		}
	case n == 10:
		_ = k.Set(pick(hereBonds...), bond.Options{MinLinks: new(uint32(rng.IntN(3))), MIIMon: new(time.Duration(rng.IntN(2)) * 100 * time.Millisecond)})
	case n == 11:
		_ = k.Set(pick(hereBonds...), bond.Options{Primary: &bond.Link{Name: pick(hereLinks...)}})
	case n == 12:
		slave, err := c.Slave(ctx, bond.Link{Name: pick(hereLinks...)})
		if err == nil {
			_ = k.SetSlave(slave.Name, bond.SlaveOptions{QueueID: new(uint16(rng.IntN(4)))})
			if b, err := c.Get(ctx, bond.Link{Index: slave.Master}); err == nil && b.Mode.HasActive() {
				_ = c.SetActive(ctx, b.Link, slave.Link)
			}
		}
	case n == 13:
		k.SetUnknown(pick(hereBonds...), []bond.Attr{{Type: 50, Data: []byte{byte(rng.IntN(3))}}})
	}
}

// TestWatchProperty changes a host at random, and replays the events: the replay never
// hears of anything impossible, and always gets where the host is.
func TestWatchProperty(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 12 // every release and every queue
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := bondtest.Releases()[seed%4]
				k := watchPair(t, &bondtest.Config{Release: release, Seed: seed, Queue: []int{0, 5, 20}[seed%3]}, watchBackup())
				w := startWatch(t, watchDial(t, k.Transport(), time.Second))
				rng := rand.New(rand.NewPCG(seed, 0))
				for range 60 {
					for range rng.IntN(8) {
						watchChangeHost(t, k, rng)
						if rng.IntN(3) == 0 {
							synctest.Wait()
						}
						if rng.IntN(40) == 0 {
							k.Overrun()
						}
					}
					switch rng.IntN(3) {
					case 0:
						w.next(time.Duration(rng.IntN(100)) * time.Millisecond)
					case 1:
						w.next(0)
					default:
						w.settle()
					}
				}
				w.settle()
			})
		})
	}
}
