// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// watchText is an event in a line.
func watchText(e ethtool.FlagEvent) string {
	var s strings.Builder
	s.WriteString(e.Kind.String())
	if e.Link.Name != "" {
		fmt.Fprintf(&s, " %s/%d", e.Link.Name, e.Link.Index)
	}
	if e.OldName != "" {
		s.WriteString(" was " + e.OldName)
	}
	for _, c := range e.Changed {
		fmt.Fprintf(&s, " %s:%v>%v", c.Name, c.Old, c.New)
		if c.Appeared {
			s.WriteString("+")
		}
		if c.Vanished {
			s.WriteString("-")
		}
	}
	return s.String()
}

// watchPass lets time pass in a bubble of synctest.
func watchPass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// watchRig is a watch that runs, in a bubble of synctest.
type watchRig struct {
	t      *testing.T
	k      *ethtooltest.Kernel
	c      *ethtool.Client
	done   chan struct{}
	cancel context.CancelFunc

	mu     sync.Mutex
	events []string
	last   ethtool.FlagEvent
	err    error
	// scribble has the receiver write to what it gets.
	scribble bool
}

// watch starts a watch of links and waits until it has nothing to do.
func watch(t *testing.T, k *ethtooltest.Kernel, poll time.Duration, links ...ethtool.Link) *watchRig {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport(), PollInterval: poll})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &watchRig{t: t, k: k, c: c, done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(r.done)
		for e, err := range c.Watch(ctx, links...) {
			r.mu.Lock()
			if err != nil {
				r.err = err
			} else {
				r.events, r.last = append(r.events, watchText(e)), e
			}
			for i := range e.Flags {
				if r.scribble {
					e.Flags[i] = ethtool.Flag{Name: "mine"}
				}
			}
			r.mu.Unlock()
		}
	}()
	synctest.Wait()
	return r
}

// want compares what was told since the last want.
func (r *watchRig) want(lines ...string) {
	r.t.Helper()
	watchPass(5 * time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := cmp.Diff(lines, r.events); d != "" {
		r.t.Errorf("events (-want +got):\n%s", d)
	}
	r.events = nil
}

// end ends the watch, and sees that nothing is left of it.
func (r *watchRig) end() {
	r.t.Helper()
	r.cancel()
	<-r.done
	if !errors.Is(r.err, context.Canceled) {
		r.t.Errorf("ended with %v", r.err)
	}
	r.released()
}

func (r *watchRig) released() {
	r.t.Helper()
	if n := r.k.Subscriptions(); n != 0 {
		r.t.Errorf("%d subscriptions are left", n)
	}
	if err := r.c.Close(); err != nil {
		r.t.Error(err)
	}
}

// do makes another program do something.
func (r *watchRig) do(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// watchHost has two NICs with private flags and two interfaces without.
func watchHost(release string) *ethtooltest.Kernel {
	k := ethtooltest.NewKernel(&ethtooltest.Config{Release: release})
	k.Add("lo", ethtooltest.Loopback())
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	k.Add("eth1", ethtooltest.ICE("0000:5e:00.0"))
	k.Add("veth0", ethtooltest.Veth())
	return k
}

func TestWatchAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchHost("")
		r := watch(t, k, -1)
		r.want("added eth0/2", "added eth1/3", "synced")

		r.do(k.SetFlag("eth0", "disable-source-pruning", true))
		r.want("changed eth0/2 disable-source-pruning:false>true")
		if on, ok := r.last.Flags.Get("disable-source-pruning"); !on || !ok {
			t.Errorf("flags of the event: %v", r.last.Flags)
		}
		// To set a flag to what it is is no change.
		r.do(k.SetFlag("eth0", "disable-source-pruning", true))
		r.want()
		// One that reads by ioctl has the kernel announce a change.
		read := []byte{0x27, 0, 0, 0, 0, 0, 0, 0}
		r.do(k.Transport().Ioctl(t.Context(), "eth0", read))
		r.want()
		// Carrier is not watched.
		k.SetCarrier("eth0", false)
		r.want()
		k.Rename("eth1", "ens2")
		r.want("renamed ens2/3 was eth1")
		k.Remove("ens2")
		r.want("removed ens2/3")
		k.Add("eth9", ethtooltest.IGB("0000:04:00.0"))
		k.Add("dummy0", ethtooltest.Dummy())
		r.want("added eth9/5")
		r.end()
	})
}

// TestWatchTogether has several notifications about one interface read once.
func TestWatchTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchHost("")
		r := watch(t, k, -1)
		r.want("added eth0/2", "added eth1/3", "synced")
		k.ResetRequests()
		release := k.Hold()
		for _, flag := range []string{"link-down-on-close", "LinkPolling", "vf-vlan-pruning"} {
			r.do(k.SetFlag("eth0", flag, true))
		}
		r.do(k.SetFlag("eth0", "LinkPolling", false))
		release()
		r.want("changed eth0/2 link-down-on-close:false>true vf-vlan-pruning:false>true")
		reads := 0
		for _, call := range k.Requests() {
			if call.Name == "ETHTOOL_MSG_PRIVFLAGS_GET" {
				reads++
			}
		}
		if reads != 1 {
			t.Errorf("read %d times", reads)
		}
		r.end()
	})
}

func TestWatchPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchHost("")
		r := watch(t, k, 10*time.Second)
		r.want("added eth0/2", "added eth1/3", "synced")
		r.do(k.SetFlagByIoctl("eth1", "fw-lldp-agent", true))
		watchPass(9 * time.Second)
		r.want()
		watchPass(2 * time.Second)
		r.want("changed eth1/3 fw-lldp-agent:false>true")
		r.end()
	})
}

// TestWatchOldKernel has no notifications at all.
func TestWatchOldKernel(t *testing.T) {
	for _, release := range []string{"5.4.0", "5.6.19"} {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost(release)
			r := watch(t, k, time.Second)
			r.want("added eth0/2", "added eth1/3", "synced")
			r.do(k.SetFlag("eth0", "veb-stats", true))
			watchPass(time.Second + time.Millisecond)
			r.want("changed eth0/2 veb-stats:false>true")
			r.end()
		})
	}
	t.Run("without polling", func(t *testing.T) {
		c, err := ethtool.Dial(&ethtool.Config{Transport: watchHost("5.4.0").Transport(), PollInterval: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for e, err := range c.Watch(t.Context()) {
			if !errors.Is(err, ethtool.ErrKernelTooOld) || !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%v, %v", watchText(e), err)
			}
		}
	})
}

func TestWatchOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchHost("")
		r := watch(t, k, -1)
		r.want("added eth0/2", "added eth1/3", "synced")
		release := k.Hold()
		r.do(k.SetFlag("eth0", "veb-stats", true))
		k.Remove("eth1")
		k.Overrun()
		release()
		r.want("removed eth1/3", "changed eth0/2 veb-stats:false>true", "resynced")
		// And it goes on.
		r.do(k.SetFlag("eth0", "veb-stats", false))
		r.want("changed eth0/2 veb-stats:true>false")
		r.end()
	})
}

func TestWatchLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchHost("")
		r := watch(t, k, -1, ethtool.Link{Name: "veth0"}, ethtool.Link{Index: 3}, ethtool.Link{Name: "later"}, ethtool.Link{Name: "eth1"})
		r.want("added eth1/3", "added veth0/4", "synced")
		r.do(k.SetFlag("eth0", "veb-stats", true)) // is not watched
		r.want()
		// Somebody else is given a name that is wanted.
		k.Rename("eth0", "later")
		r.want("added later/2")
		// The one that is followed is renamed, and another takes its name.
		k.Rename("eth1", "old1")
		k.Add("eth1", ethtooltest.IGB("0000:04:00.0"))
		r.want("renamed old1/3 was eth1")
		r.do(k.SetFlag("old1", "fw-lldp-agent", true))
		r.do(k.SetFlag("eth1", "legacy-rx", true))
		r.want("changed old1/3 fw-lldp-agent:false>true")
		// After it is gone, one of its last name is it.
		k.Remove("old1")
		r.want("removed old1/3")
		k.Add("old1", ethtooltest.ICE("0000:5e:00.0"))
		r.want("added old1/6")
		k.Remove("veth0")
		k.Add("veth0", ethtooltest.Veth())
		r.want("removed veth0/4", "added veth0/7")
		if r.last.Flags == nil || len(r.last.Flags) != 0 {
			t.Errorf("flags %#v of an interface without", r.last.Flags)
		}
		r.end()
	})
}

func TestWatchBadLink(t *testing.T) {
	c, err := ethtool.Dial(&ethtool.Config{Transport: watchHost("").Transport()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := 0
	for _, err := range c.Watch(t.Context(), ethtool.Link{Name: "eth0"}, ethtool.Link{}) {
		if n++; !errors.Is(err, ethtool.ErrBadValue) {
			t.Errorf("got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d events", n)
	}
}

// TestWatchAway has a device that does not answer for a while: what is known of it
// stays, and others are not kept from being told.
func TestWatchAway(t *testing.T) {
	for _, release := range []string{ethtooltest.Release510, ethtooltest.Release72} {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost(release)
			k.SetAway("eth1", true)
			r := watch(t, k, -1)
			r.want("added eth0/2", "synced")
			k.SetAway("eth1", false)
			watchPass(1100 * time.Millisecond)
			r.want("added eth1/3")
			k.SetAway("eth0", true)
			k.Overrun()
			r.want("resynced")
			r.do(k.SetFlag("eth1", "fw-lldp-agent", true))
			r.want("changed eth1/3 fw-lldp-agent:false>true")
			r.do(k.SetFlagByIoctl("eth0", "veb-stats", true))
			k.SetAway("eth0", false)
			watchPass(1100 * time.Millisecond)
			r.want("changed eth0/2 veb-stats:false>true")
			// News of the interface have it asked at once.
			k.SetAway("eth0", true)
			r.do(k.SetFlagByIoctl("eth0", "veb-stats", false))
			k.Overrun()
			r.want("resynced")
			k.SetAway("eth0", false)
			k.SetCarrier("eth0", false)
			r.want("changed eth0/2 veb-stats:true>false")
			// It is not asked any more than it must be.
			k.ResetRequests()
			watchPass(time.Minute)
			if n := len(k.Requests()); n != 0 {
				t.Errorf("%d requests", n)
			}
			r.end()
		})
	}
}

// TestWatchMany has so many interfaces that they are read in a dump, and one device that spoils
// it.
func TestWatchMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		want := []string{}
		for i := range 12 {
			name := fmt.Sprint("eth", i)
			k.Add(name, ethtooltest.I40E(fmt.Sprintf("0000:%02x:00.0", i+1)))
			if i != 5 {
				want = append(want, fmt.Sprintf("added %s/%d", name, i+1))
			}
		}
		k.SetAway("eth5", true)
		r := watch(t, k, 10*time.Second)
		r.want(append(want, "synced")...)
		k.SetAway("eth5", false)
		watchPass(1100 * time.Millisecond)
		r.want("added eth5/6")
		k.ResetRequests()
		r.do(k.SetFlagByIoctl("eth7", "veb-stats", true))
		watchPass(10 * time.Second)
		r.want("changed eth7/8 veb-stats:false>true")
		if n := len(k.Requests()); n != 2 {
			t.Errorf("a poll takes %d requests, want a dump of interfaces and one of flags: %v", n, k.Requests())
		}
		r.end()
	})
}

// TestWatchBetween has things happen between two requests.
func TestWatchBetween(t *testing.T) {
	once := func(k *ethtooltest.Kernel, name string, f func()) {
		k.Fail(func(call ethtooltest.Call) error {
			if call.Name == name {
				k.Fail(nil)
				f()
			}
			return nil
		})
	}
	t.Run("vanishes while it is read first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			once(k, "ETHTOOL_MSG_PRIVFLAGS_GET", func() { k.Remove("eth0") })
			r := watch(t, k, -1)
			r.want("added eth1/3", "synced")
			r.end()
		})
	})
	t.Run("vanishes while it is read again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			r := watch(t, k, -1)
			r.want("added eth0/2", "added eth1/3", "synced")
			once(k, "ETHTOOL_MSG_PRIVFLAGS_GET", func() { k.Remove("eth0") })
			r.do(k.SetFlag("eth0", "veb-stats", true))
			r.want("removed eth0/2")
			r.end()
		})
	})
	t.Run("changes after it was read first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			k.FailAfter(func(call ethtooltest.Call) error {
				if call.Name == "ETHTOOL_MSG_PRIVFLAGS_GET" && call.Link.Index == 2 {
					k.FailAfter(nil)
					return errors.Join(k.SetFlag("eth0", "veb-stats", true))
				}
				return nil
			})
			r := watch(t, k, -1)
			r.want("added eth0/2", "added eth1/3", "synced", "changed eth0/2 veb-stats:false>true")
			r.end()
		})
	})
	t.Run("renamed while it is read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			once(k, "ETHTOOL_MSG_PRIVFLAGS_GET", func() { k.Rename("eth0", "ens1") })
			r := watch(t, k, -1)
			r.want("added eth0/2", "added eth1/3", "synced", "renamed ens1/2 was eth0")
			r.end()
		})
	})
}

// TestWatchLeave leaves the loop at each event in turn.
func TestWatchLeave(t *testing.T) {
	for i := range 4 {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			n := 0
			for e, err := range c.Watch(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind == ethtool.FlagsSynced {
					// The Client can be used in the loop.
					if _, err := c.SetFlag(t.Context(), ethtool.Link{Name: "eth0"}, "veb-stats", true); err != nil {
						t.Fatal(err)
					}
				}
				if n++; n > i {
					break
				}
			}
			if n != i+1 || k.Subscriptions() != 0 {
				t.Errorf("%d events, %d subscriptions", n, k.Subscriptions())
			}
		})
	}
}

// TestWatchOwnMemory has the receiver write to what it got.
func TestWatchOwnMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchHost("")
		r := watch(t, k, -1)
		r.want("added eth0/2", "added eth1/3", "synced")
		r.mu.Lock()
		r.scribble = true
		r.mu.Unlock()
		r.do(k.SetFlag("eth0", "veb-stats", true))
		r.want("changed eth0/2 veb-stats:false>true")
		r.do(k.SetFlag("eth0", "veb-stats", false))
		r.want("changed eth0/2 veb-stats:true>false")
		k.Remove("eth0")
		r.want("removed eth0/2")
		r.end()
	})
}

// TestWatchFlagsChange has a driver that has other flags than before.
func TestWatchFlagsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ethtooltest.NewKernel(nil)
		k.Add("eth0", &ethtooltest.NIC{PrivateFlags: []ethtooltest.Flag{{Name: "a", On: true}, {Name: "b"}}})
		r := watch(t, k, time.Second)
		r.want("added eth0/1", "synced")
		k.Update("eth0", func(n *ethtooltest.NIC) {
			n.PrivateFlags[0].Name = "c"
		})
		watchPass(1100 * time.Millisecond)
		r.want("changed eth0/1 c:false>true+ a:true>false-")
		r.end()
	})
}

func TestFlagEventKind(t *testing.T) {
	words := []string{"added", "removed", "renamed", "changed", "synced", "resynced"}
	for i, word := range words {
		k := ethtool.FlagEventKind(i + 1)
		text, err := k.MarshalText()
		if err != nil || string(text) != word || k.String() != word {
			t.Errorf("%d is %q, %v", i+1, text, err)
		}
		var back ethtool.FlagEventKind
		if err := back.UnmarshalText(text); err != nil || back != k {
			t.Errorf("%q is %d, %v", text, back, err)
		}
	}
	var k ethtool.FlagEventKind
	if err := k.UnmarshalText([]byte("event(77)")); err != nil || k != 77 || k.String() != "event(77)" {
		t.Errorf("%v, %v", k, err)
	}
	if err := k.UnmarshalText([]byte("nosuch")); !errors.Is(err, ethtool.ErrBadValue) || k != 77 {
		t.Errorf("%v, %v", k, err)
	}
}
