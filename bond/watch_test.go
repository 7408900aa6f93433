// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// watchDial returns a client of a kernel made of memory that polls nothing, unless
// the Config says so.
func watchDial(t *testing.T, transport bond.Transport, poll time.Duration) *bond.Client {
	t.Helper()
	c, err := bond.Dial(&bond.Config{Transport: transport, PollInterval: poll})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// watchPair returns a kernel with bond0 and its slaves eth1 and eth2, and with eth3.
func watchPair(t *testing.T, cfg *bondtest.Config, o bond.Options) *bondtest.Kernel {
	t.Helper()
	k := bondtest.NewKernel(cfg)
	c := watchDial(t, k.Transport(), -1)
	if _, err := c.Create(t.Context(), "bond0", o, &bond.CreateOptions{MAC: watchMAC(100)}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		k.AddLink(fmt.Sprintf("eth%d", i+1), &bondtest.LinkConfig{MAC: watchMAC(byte(i + 1))})
	}
	for _, name := range []string{"eth1", "eth2"} {
		if err := k.Enslave("bond0", name); err != nil {
			t.Fatal(err)
		}
	}
	k.SetUp("bond0", true)
	return k
}

// watchBackup is a usual active-backup bond.
func watchBackup() bond.Options {
	return bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)}
}

// rest reads events until there are no more for a while, and returns their
// lines.
func (l *watchLog) rest() string {
	l.t.Helper()
	from := len(l.seen)
	for {
		if _, ok := l.next(time.Minute); !ok {
			break
		}
	}
	missing, err := l.replay.diff(l.t.Context(), l.client)
	if err != nil || missing != "" {
		l.t.Errorf("never told: %s%v", missing, err)
	}
	return strings.Join(append(slices.Clone(l.seen[from:]), ""), "\n")
}

// TestWatchPresent watches a host that has bonds.
func TestWatchPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := watchBackup()
		k := watchPair(t, nil, o)
		if err := k.Set("bond0", bond.Options{Primary: &bond.Link{Name: "eth2"}}); err != nil {
			t.Fatal(err)
		}
		c := watchDial(t, k.Transport(), -1)
		if _, err := c.Create(t.Context(), "bond1", bond.Options{}, nil); err != nil {
			t.Fatal(err)
		}
		w := startWatch(t, c)
		want := "bond-added bond0\nslave-added bond0 eth1\nslave-added bond0 eth2\nbond-added bond1\nsynced"
		if diff := cmp.Diff(want, strings.Join(w.seen, "\n")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		b := w.replay.bonds[k.Index("bond0")]
		if b.Active.Name != "eth2" || b.Primary.Name != "eth2" {
			t.Errorf("active %v, primary %v", b.Active, b.Primary)
		}
		if rest := w.rest(); rest != "" {
			t.Errorf("then came:\n%s", rest)
		}
	})
}

// TestWatchScenarios has what happens to a host, and what is told of it.
func TestWatchScenarios(t *testing.T) {
	for _, tt := range []struct {
		name   string
		o      bond.Options // watchBackup without a mode
		before func(k *bondtest.Kernel)
		change func(k *bondtest.Kernel) error
		want   string
	}{
		{
			name:   "nothing changes",
			change: func(k *bondtest.Kernel) error { return k.Set("bond0", bond.Options{MinLinks: new(uint32(0))}) },
		},
		{
			name: "two options, one after the other",
			change: func(k *bondtest.Kernel) error {
				return k.Set("bond0", bond.Options{MinLinks: new(uint32(1)), ResendIGMP: new(uint32(5))})
			},
			want: "options-changed bond0 resend_igmp min_links\n",
		},
		{
			name: "there and back",
			change: func(k *bondtest.Kernel) error {
				if err := k.Set("bond0", bond.Options{MinLinks: new(uint32(1))}); err != nil {
					return err
				}
				return k.Set("bond0", bond.Options{MinLinks: new(uint32(0))})
			},
			want: "options-changed bond0 min_links\noptions-changed bond0 min_links\n",
		},
		{
			name:   "enslaved",
			change: func(k *bondtest.Kernel) error { return k.Enslave("bond0", "eth3") },
			want:   "slave-added bond0 eth3\n",
		},
		{
			name:   "released",
			change: func(k *bondtest.Kernel) error { return k.Enslave("", "eth2") },
			want:   "slave-removed bond0 eth2\n",
		},
		{
			name: "active slave unplugged",
			change: func(k *bondtest.Kernel) error {
				k.SetCarrier("eth1", false)
				return nil
			},
			want: "slave-changed bond0 eth1 state mii_status link_failure_count\n" +
				"slave-changed bond0 eth2 state\nactive-changed bond0 eth1 > eth2\n",
		},
		{
			name: "both unplugged",
			change: func(k *bondtest.Kernel) error {
				k.SetCarrier("eth2", false)
				k.SetCarrier("eth1", false)
				return nil
			},
			want: "slave-changed bond0 eth1 state mii_status link_failure_count\n" +
				"slave-changed bond0 eth2 mii_status link_failure_count\n" +
				"active-changed bond0 eth1 > none\ncarrier-changed bond0\n",
		},
		{
			name: "switched off",
			change: func(k *bondtest.Kernel) error {
				k.SetUp("bond0", false)
				return nil
			},
			want: "carrier-changed bond0\n",
		},
		{
			name: "renamed",
			change: func(k *bondtest.Kernel) error {
				k.Rename("eth1", "lan1")
				k.Rename("bond0", "uplink")
				return nil
			},
			want: "bond-renamed uplink was bond0\nslave-renamed uplink lan1 was eth1\n",
		},
		{
			name: "slave pulled out",
			change: func(k *bondtest.Kernel) error {
				k.MoveAway("eth1")
				return nil
			},
			want: "slave-removed bond0 eth1\nslave-changed bond0 eth2 state\nactive-changed bond0 eth1 > eth2\n",
		},
		{
			name: "bond deleted",
			change: func(k *bondtest.Kernel) error {
				k.Remove("bond0")
				return nil
			},
			want: "slave-removed bond0 eth1\nslave-removed bond0 eth2\nbond-removed bond0\n",
		},
		{
			name: "options of a slave",
			change: func(k *bondtest.Kernel) error {
				return k.SetSlave("eth2", bond.SlaveOptions{QueueID: new(uint16(3)), Prio: new(int32(-1))})
			},
			want: "options-changed bond0 eth2 queue_id prio\n",
		},
		{
			name: "option of a slave, there and back",
			change: func(k *bondtest.Kernel) error {
				if err := k.SetSlave("eth2", bond.SlaveOptions{QueueID: new(uint16(3))}); err != nil {
					return err
				}
				return k.SetSlave("eth2", bond.SlaveOptions{QueueID: new(uint16(0))})
			},
			want: "options-changed bond0 eth2 queue_id\noptions-changed bond0 eth2 queue_id\n",
		},
		{
			name: "bridge noise",
			change: func(k *bondtest.Kernel) error {
				k.AddLink("br0", &bondtest.LinkConfig{Kind: "bridge"})
				if err := k.Enslave("br0", "bond0"); err != nil {
					return err
				}
				// What a bridge says about its ports, of which the removal of a
				// port is not that of the link.
				for _, typ := range []uint16{16, 17} {
					body := make([]byte, 16)
					body[0], body[4] = 7, byte(k.Index("bond0"))
					k.Send(bond.Message{Type: typ, Data: body})
				}
				return nil
			},
			want: "link-changed bond0\n",
		},
		{
			name: "another kind of message",
			change: func(k *bondtest.Kernel) error {
				k.Send(bond.Message{Type: 20, Data: []byte{1}})
				return nil
			},
		},
		{
			name: "message too short",
			change: func(k *bondtest.Kernel) error {
				k.Send(bond.Message{Type: 16, Data: []byte{0, 0, 0}})
				return nil
			},
			want: "resynced\n",
		},
		{
			name: "message cut off",
			change: func(k *bondtest.Kernel) error {
				body := make([]byte, 21)
				body[4], body[16] = byte(k.Index("eth2")), 200
				k.Send(bond.Message{Type: 16, Data: body})
				return nil
			},
		},
		{
			name: "deletion that is not true",
			change: func(k *bondtest.Kernel) error {
				body := make([]byte, 16)
				body[4] = byte(k.Index("lo0"))
				k.Send(bond.Message{Type: 17, Data: body})
				return nil
			},
		},
		{
			name: "loss of nothing",
			change: func(k *bondtest.Kernel) error {
				k.Overrun()
				return nil
			},
			want: "resynced\n",
		},
		{
			name: "loss of everything",
			change: func(k *bondtest.Kernel) error {
				k.Rename("eth2", "lan2")
				if err := k.Enslave("", "eth1"); err != nil {
					return err
				}
				k.AddLink("eth4", nil)
				err := k.Enslave("bond0", "eth4")
				k.Overrun()
				return err
			},
			want: "slave-removed bond0 eth1\nslave-added bond0 eth4\nslave-renamed bond0 lan2 was eth2\n" +
				"slave-changed bond0 lan2 state\nactive-changed bond0 eth1 > lan2\nresynced\n",
		},
		{
			name: "index used again",
			change: func(k *bondtest.Kernel) error {
				index := k.Index("eth2")
				k.Remove("eth2")
				k.AddLink("new", &bondtest.LinkConfig{Index: index, MAC: watchMAC(77)})
				return k.Enslave("bond0", "new")
			},
			want: "slave-removed bond0 eth2\nslave-added bond0 new\n",
		},
		{
			name: "index used again unseen",
			change: func(k *bondtest.Kernel) error {
				index := k.Index("eth2")
				k.Remove("eth2")
				k.AddLink("new", &bondtest.LinkConfig{Index: index, MAC: watchMAC(77)})
				err := k.Enslave("bond0", "new")
				k.Overrun()
				return err
			},
			want: "slave-removed bond0 eth2\nslave-added bond0 new\nresynced\n",
		},
		{
			name: "port of LACP",
			o:    bond.Options{Mode: new(bond.Mode8023AD)},
			before: func(k *bondtest.Kernel) {
				k.SetLACP("eth1", bondtest.LACP{AggregatorID: 1, Actor: bond.PortDistributing, Partner: bond.PortActivity})
			},
			change: func(k *bondtest.Kernel) error {
				// The bond is not announced, and read because of the slave.
				k.SetADInfo("bond0", &bond.ADInfo{AggregatorID: 2, Ports: 2, PartnerKey: 9})
				k.SetLACP("eth1", bondtest.LACP{AggregatorID: 2, Actor: bond.PortSync | bond.PortDistributing, Partner: bond.PortSync})
				return nil
			},
			want: "aggregator-changed bond0 eth1 ad_aggregator_id ad_actor_oper_port_state ad_partner_oper_port_state\n" +
				"aggregator-changed bond0\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := tt.o
				if o.Mode == nil {
					o = watchBackup()
				}
				k := watchPair(t, nil, o)
				if tt.before != nil {
					tt.before(k)
				}
				w := startWatch(t, watchDial(t, k.Transport(), -1))
				if rest := w.rest(); rest != "" {
					t.Fatalf("before:\n%s", rest)
				}
				release := k.Hold() // the reader must not see half of the change
				if err := tt.change(k); err != nil {
					t.Fatal(err)
				}
				release()
				if diff := cmp.Diff(tt.want, w.rest()); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestWatchMove has a slave go from one bond to another in one request.
func TestWatchMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchPair(t, nil, watchBackup())
		c := watchDial(t, k.Transport(), -1)
		if _, err := c.Create(t.Context(), "bond1", watchBackup(), nil); err != nil {
			t.Fatal(err)
		}
		w := startWatch(t, c)
		w.rest()
		if err := c.SetDown(t.Context(), bond.Link{Name: "eth2"}); err != nil {
			t.Fatal(err)
		}
		w.rest()
		from := len(w.seen)
		if err := k.Enslave("bond1", "eth2"); err != nil {
			t.Fatal(err)
		}
		w.rest()
		got := slices.DeleteFunc(slices.Clone(w.seen[from:]), func(line string) bool {
			return !strings.Contains(line, "slave-added") && !strings.Contains(line, "slave-removed")
		})
		if diff := cmp.Diff([]string{"slave-removed bond0 eth2", "slave-added bond1 eth2"}, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestWatchPoll changes what the kernel does not announce.
func TestWatchPoll(t *testing.T) {
	silent := func(k *bondtest.Kernel) {
		k.SetADInfo("bond0", &bond.ADInfo{AggregatorID: 3, Ports: 1, PartnerMAC: [6]byte{2}})
		lacp := bondtest.LACP{AggregatorID: 2, Actor: bond.PortSync}
		k.SetLACP("eth1", lacp)
		k.SetUnknown("bond0", []bond.Attr{{Type: 50, Data: []byte{1, 2}}})
	}
	t.Run("polled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchPair(t, nil, bond.Options{Mode: new(bond.Mode8023AD)})
			w := startWatch(t, watchDial(t, k.Transport(), time.Second))
			w.rest()
			start := time.Now()
			k.SetUnknown("bond0", []bond.Attr{{Type: 50, Data: []byte{1}}})
			w.until("options-changed bond0 option(50)")
			if d := time.Since(start); d > time.Second {
				t.Errorf("told after %v", d)
			}
			silent(k)
			w.until("aggregator-changed bond0")
			if rest := w.rest(); rest != "" {
				t.Errorf("then came:\n%s", rest)
			}
		})
	})
	t.Run("never", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchPair(t, nil, bond.Options{Mode: new(bond.Mode8023AD)})
			w := startWatch(t, watchDial(t, k.Transport(), -1))
			w.rest()
			k.ResetRequests()
			k.SetUnknown("bond0", []bond.Attr{{Type: 50, Data: []byte{1}}})
			if e, ok := w.next(time.Hour); ok {
				t.Errorf("came %q", watchLine(e))
			}
			if n := len(k.Requests()); n != 0 {
				t.Errorf("%d requests", n)
			}
		})
	})
	t.Run("nothing new", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchPair(t, nil, watchBackup())
			w := startWatch(t, watchDial(t, k.Transport(), time.Second))
			// Just after everything has been read, messages are believed.
			w.next(5*time.Second + 10*time.Millisecond)
			for n := range uint32(4) {
				if err := k.Set("bond0", bond.Options{MinLinks: new((n + 1) % 2)}); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(strings.Repeat("options-changed bond0 min_links\n", 4), w.rest()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("no bond", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := bondtest.NewKernel(nil)
			k.AddLink("eth0", nil)
			w := startWatch(t, watchDial(t, k.Transport(), 0))
			k.ResetRequests()
			k.SetUp("eth0", true)
			w.next(time.Hour)
			if n := len(k.Requests()); n != 0 {
				t.Errorf("%d requests", n)
			}
		})
	})
}

// TestWatchStale has messages arrive that are older than what has been read: nothing
// goes back.
func TestWatchStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchPair(t, nil, watchBackup())
		set := func(n uint32) {
			if err := k.Set("bond0", bond.Options{ResendIGMP: new(n)}); err != nil {
				t.Error(err)
			}
		}
		first := true
		k.Fail(func(bond.Message) error {
			if first { // after Subscribe, before the dump
				first = false
				set(10)
				set(20)
				k.Rename("eth1", "x")
				k.Rename("x", "eth1")
				k.SetCarrier("eth1", false)
				k.SetCarrier("eth1", true)
			}
			return nil
		})
		w := startWatch(t, watchDial(t, k.Transport(), -1))
		if rest := w.rest(); rest != "" {
			t.Errorf("what was over is told:\n%s", rest)
		}
		if b := w.replay.bonds[k.Index("bond0")]; b.ResendIGMP != 20 {
			t.Errorf("resend_igmp is %d", b.ResendIGMP)
		}

		// A bond that is read because of a slave has messages in the queue.
		armed := true
		k.Fail(func(bond.Message) error {
			if armed {
				armed = false
				set(30)
				set(40)
			}
			return nil
		})
		if err := k.SetSlave("eth2", bond.SlaveOptions{QueueID: new(uint16(7))}); err != nil {
			t.Fatal(err)
		}
		want := "options-changed bond0 eth2 queue_id\noptions-changed bond0 resend_igmp\n"
		if diff := cmp.Diff(want, w.rest()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		// When the messages have paused, they are believed again.
		set(50)
		set(60)
		want = "options-changed bond0 resend_igmp\noptions-changed bond0 resend_igmp\n"
		if diff := cmp.Diff(want, w.rest()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestWatchHidden watches without the privilege to see ad_actor_sys_prio, while the
// messages of those who have it show it.
func TestWatchHidden(t *testing.T) {
	for _, tt := range []struct {
		name string
		as   func(k *bondtest.Kernel) bond.Transport
		want string
	}{
		{"root", (*bondtest.Kernel).Transport, "options-changed bond0 ad_actor_sys_prio\n"},
		{"unprivileged", (*bondtest.Kernel).Unprivileged, ""},
		{"user namespace", (*bondtest.Kernel).UserNamespace, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := watchPair(t, nil, bond.Options{Mode: new(bond.Mode8023AD)})
				w := startWatch(t, watchDial(t, tt.as(k), -1))
				w.rest()
				// By root, who sees it, and by a user namespace, which does not.
				for prio, by := range []bond.Transport{k.Transport(), k.UserNamespace()} {
					c := watchDial(t, by, -1)
					want := tt.want
					if _, err := c.Set(t.Context(), bond.Link{Name: "bond0"}, bond.Options{ADActorSysPrio: new(uint16(prio + 7))}); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, w.rest()); diff != "" {
						t.Errorf("set by %d: events (-want +got):\n%s", prio, diff)
					}
				}
			})
		})
	}
}
