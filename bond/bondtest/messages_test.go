// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// subscribe returns a function that returns what has been told since its last
// call, a line a message.
func subscribe(t *testing.T, k *bondtest.Kernel) func() []string {
	t.Helper()
	sub, err := k.Transport().Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	return func() []string {
		t.Helper()
		k.Send(bond.Message{Type: 99})
		ms, err := sub.Receive(t.Context())
		if err != nil {
			return []string{err.Error()}
		}
		var lines []string
		for _, m := range ms[:len(ms)-1] {
			lines = append(lines, describe(t, m))
		}
		return lines
	}
}

// describe says what a message is.
func describe(t *testing.T, m bond.Message) string {
	t.Helper()
	s := map[uint16]string{newLink: "", delLink: "gone "}[m.Type]
	if m.Data[0] != 0 {
		s += "port "
	}
	var l bond.LinkInfo
	if err := l.Decode(m.Data); err != nil {
		t.Fatal(err)
	}
	s += l.Name
	if l.Up() {
		s += " up"
	}
	var sl bond.Slave
	if sl.Decode(m.Data) == nil {
		s += " " + sl.State.String()
	}
	return s
}

func TestMessages(t *testing.T) {
	h := newHost(t, nil)
	o := activeBackup()
	o.ResendIGMP, o.NumPeerNotif = new(uint32(0)), new(uint8(0))
	h.bond0(o, "eth0", "eth1")
	told := subscribe(t, h.Kernel)
	steps := []struct {
		name string
		do   func()
		want []string
	}{
		{"option", func() { h.set(bond.Options{MIIMon: new(50 * time.Millisecond)}) }, []string{"bond0 up"}},
		{"the same", func() { h.set(bond.Options{MIIMon: new(50 * time.Millisecond)}) }, []string{"bond0 up"}},
		{"active slave", func() { h.set(bond.Options{Active: &bond.Link{Name: "eth1"}}) }, []string{
			"eth0 up backup", "eth1 up active", "bond0 up", "bond0 up",
		}},
		{"refused", func() {
			if err := h.Kernel.Set("bond0", bond.Options{Mode: new(bond.ModeBalanceRR)}); !errors.Is(err, syscall.ENOTEMPTY) {
				t.Errorf("got %v, want ENOTEMPTY", err)
			}
		}, nil},
		{"LACP needs no message of the bond", func() { h.SetADInfo("bond0", &bond.ADInfo{Ports: 1}) }, nil},
		{"cable", func() { h.SetCarrier("eth1", false) }, []string{
			"eth1 up active", "eth1 up active", "eth1 up backup", "eth0 up active", "bond0 up",
		}},
		{"rename", func() { h.Rename("eth2", "eth9") }, []string{"eth9"}},
		{"down", func() { h.Kernel.SetUp("bond0", false) }, []string{"bond0"}},
		{"nothing is said while down", func() { h.set(bond.Options{MIIMon: new(70 * time.Millisecond)}) }, nil},
		{"move away", func() { h.MoveAway("eth9") }, []string{"gone eth9"}},
	}
	for _, s := range steps {
		s.do()
		if diff := cmp.Diff(s.want, told()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

func (h *host) set(o bond.Options) {
	h.t.Helper()
	if _, err := h.Client.Set(h.t.Context(), named("bond0"), o); err != nil {
		h.t.Error(err)
	}
}

// TestBridgePort has a bond that is a port of a bridge. What the bridge says of it is not
// about the bond, not even that it is gone.
func TestBridgePort(t *testing.T) {
	h := newHost(t, nil)
	h.AddLink("br0", &bondtest.LinkConfig{Kind: "bridge"})
	h.bond0(activeBackup())
	told := subscribe(t, h.Kernel)
	if err := h.Kernel.Enslave("br0", "bond0"); err != nil {
		t.Fatal(err)
	}
	h.Kernel.SetUp("bond0", false)
	if err := h.Kernel.Enslave("", "bond0"); err != nil {
		t.Fatal(err)
	}
	want := []string{"bond0 up", "port bond0 up", "bond0", "port bond0", "gone port bond0", "bond0"}
	if diff := cmp.Diff(want, told()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if h.Index("bond0") == 0 {
		t.Error("the bond is gone")
	}
}

func TestOverrun(t *testing.T) {
	const queue = 8
	k := bondtest.NewKernel(&bondtest.Config{Queue: queue})
	k.AddLink("eth0", nil)
	sub, err := k.Transport().Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for i := range queue + 3 {
		k.SetUp("eth0", i%2 == 0)
	}
	if _, err := sub.Receive(t.Context()); !errors.Is(err, bond.ErrOverrun) {
		t.Fatalf("got %v, want ErrOverrun", err)
	}
	// What came after the loss is not lost.
	if ms, err := sub.Receive(t.Context()); err != nil || len(ms) != 2 {
		t.Errorf("got %d messages and %v, want 2", len(ms), err)
	}
	k.SetUp("eth0", false)
	k.Overrun()
	if _, err := sub.Receive(t.Context()); !errors.Is(err, bond.ErrOverrun) {
		t.Errorf("got %v, want ErrOverrun", err)
	}
	k.SetUp("eth0", true)
	if ms, err := sub.Receive(t.Context()); err != nil || len(ms) != 1 {
		t.Errorf("got %d messages and %v, want 1", len(ms), err)
	}
}

func TestReceiveWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := bondtest.NewKernel(nil)
		sub, err := k.Transport().Subscribe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan error, 1)
		receive := func(ctx context.Context) {
			_, err := sub.Receive(ctx)
			got <- err
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go receive(ctx)
		if err := <-got; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		go receive(t.Context())
		synctest.Wait()
		k.AddLink("eth0", nil)
		if err := <-got; err != nil {
			t.Error(err)
		}
		go receive(t.Context())
		synctest.Wait()
		if err := sub.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-got; !errors.Is(err, os.ErrClosed) {
			t.Errorf("got %v, want os.ErrClosed", err)
		}
		if err := sub.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Close again: got %v, want os.ErrClosed", err)
		}
	})
}

func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := bondtest.NewKernel(nil)
		k.Hang(func(req bond.Message) bool { return req.Type == newLink })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		tr := k.Transport()
		if _, err := tr.Do(ctx, createRequest("bond0")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		if k.Index("bond0") != 0 {
			t.Error("the request was carried out")
		}
		if _, err := tr.Do(ctx, createRequest("bond0")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after its end: got %v, want context.DeadlineExceeded", err)
		}
		k.Hang(nil)
		if _, err := tr.Do(t.Context(), createRequest("bond0")); err != nil {
			t.Error(err)
		}
	})
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(activeBackup(), "eth0", "eth1")
	sub, err := h.Transport().Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 50 {
				h.SetCarrier("eth0", i%2 == 0)
				h.Requests()
				if _, err := h.List(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sub.Close()
}

// TestDeterministic makes the same calls twice, and wants the same addresses and
// messages.
func TestDeterministic(t *testing.T) {
	run := func(seed uint64) []string {
		k := bondtest.NewKernel(&bondtest.Config{Seed: seed})
		told := subscribe(t, k)
		k.AddLink("eth0", nil)
		if _, err := k.Transport().Do(t.Context(), createRequest("bond0")); err != nil {
			t.Fatal(err)
		}
		if err := k.Enslave("bond0", "eth0"); err != nil {
			t.Fatal(err)
		}
		k.Remove("eth0")
		c := dial(t, k.Transport())
		b, err := c.Get(t.Context(), named("bond0"))
		if err != nil {
			t.Fatal(err)
		}
		return append(told(), b.MAC.String())
	}
	first := run(1)
	if diff := cmp.Diff(first, run(1)); diff != "" {
		t.Errorf("the same seed (-first +second):\n%s", diff)
	}
	if first[len(first)-1] == run(2)[len(first)-1] {
		t.Error("another seed gives the same address")
	}
}
