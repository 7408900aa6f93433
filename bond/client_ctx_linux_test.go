// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/bond"
)

// The tests here need no bonding: they are about the socket.

func TestClientContextEnded(t *testing.T) {
	n := newClientPlainNet(t)
	n.veth("e1")
	c := n.dial()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	for _, tt := range []struct {
		ctx  context.Context
		want error
	}{{cancelled, context.Canceled}, {expired, context.DeadlineExceeded}} {
		_, err := c.Link(tt.ctx, clientName("e1"))
		clientWant(t, err, "get link", tt.want)
		_, err = c.AllSlaves(tt.ctx)
		clientWant(t, err, "list slaves", tt.want)
		clientWant(t, c.SetUp(tt.ctx, clientName("e1")), "set up", tt.want)
		if l := clientGet[*bond.LinkInfo](t)(c.Link(t.Context(), clientName("e1"))); l.Up() {
			t.Error("the interface is up")
		}
	}
}

// TestClientContextEndsMeanwhile ends contexts at random. What is left of a request must
// not confuse the next.
func TestClientContextEndsMeanwhile(t *testing.T) {
	n := newClientPlainNet(t)
	var names []string
	for i := range 40 {
		names = append(names, "e"+strconv.Itoa(i))
	}
	n.veth(names...)
	c := n.dial()
	rng := rand.New(rand.NewPCG(1, 2))
	ended := 0
	for range 300 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(300))*time.Microsecond)
		if _, err := c.AllSlaves(ctx); err != nil {
			clientWant(t, err, "list slaves", context.DeadlineExceeded)
			ended++
		}
		cancel()
		name := names[rng.IntN(len(names))]
		if l := clientGet[*bond.LinkInfo](t)(c.Link(t.Context(), clientName(name))); l.Name != name {
			t.Fatalf("asked for %s and got %s", name, l.Name)
		}
	}
	t.Logf("%d of 300 ended early", ended)
}

func TestClientConcurrently(t *testing.T) {
	n := newClientPlainNet(t)
	c := n.dial()
	var wg sync.WaitGroup
	for i := range 8 {
		name := "e" + strconv.Itoa(i)
		n.veth(name)
		wg.Go(func() {
			for k := range 30 {
				mtu := 1400 + k
				if err := c.SetMTU(t.Context(), clientName(name), mtu); err != nil {
					t.Error(err)
				}
				l, err := c.Link(t.Context(), clientName(name))
				if err != nil || l.Name != name || l.MTU != mtu {
					t.Errorf("%s is %+v, %v", name, l, err)
				}
				if _, err := c.Link(t.Context(), clientName("nosuch")); !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
				if _, err := c.AllSlaves(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestClientDumpWhileLinksChange has every dump either whole or an error.
func TestClientDumpWhileLinksChange(t *testing.T) {
	n := newClientPlainNet(t)
	var names []string
	for i := range 60 {
		names = append(names, "e"+strconv.Itoa(i))
	}
	n.veth(names...)
	tr, err := bond.ClientTransport(&bond.Config{NetNS: n.fd()})
	clientMust(t, err)
	defer tr.Close()

	rounds := 25
	if testing.Short() {
		rounds = 10
	}
	done := make(chan error, 1)
	go func() {
		done <- n.do(func() error {
			for range rounds {
				for _, args := range []string{"link add x0 type veth peer name x1", "link del x0"} {
					if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
						return fmt.Errorf("ip %s: %w: %s", args, err, out)
					}
				}
			}
			return nil
		})
	}()
	whole, broken := 0, 0
	for {
		const getLink, dump = 18, 0x300
		msgs, err := tr.Do(t.Context(), bond.Message{Type: getLink, Flags: dump, Data: make([]byte, 16)})
		switch {
		case errors.Is(err, bond.ErrInterrupted):
			broken++
		case err != nil:
			t.Fatal(err)
		default:
			whole++
			seen := make(map[string]int)
			for _, m := range msgs {
				var l bond.LinkInfo
				clientMust(t, l.Decode(m.Data))
				seen[l.Name]++
			}
			for _, name := range names {
				if seen[name] != 1 || seen["p"+name] != 1 {
					t.Fatalf("%s is there %d times, and its peer %d times", name, seen[name], seen["p"+name])
				}
			}
		}
		select {
		case err := <-done:
			clientMust(t, err)
			t.Logf("%d dumps were whole and %d interrupted", whole, broken)
			return
		default:
		}
	}
}

func TestClientClosed(t *testing.T) {
	n := newClientPlainNet(t)
	n.veth("e1")
	c := n.dial()
	clientMust(t, c.Close())
	clientMust(t, c.Close())
	_, err := c.Link(t.Context(), clientName("e1"))
	clientWant(t, err, "get link", os.ErrClosed)
	_, err = c.List(t.Context())
	clientWant(t, err, "list bonds", os.ErrClosed)
	clientWant(t, c.SetUp(t.Context(), clientName("e1")), "set up", os.ErrClosed)
	_, err = c.Create(t.Context(), "bond0", bond.Options{}, nil)
	clientWant(t, err, "create", os.ErrClosed)
}

func TestClientClosedMeanwhile(t *testing.T) {
	n := newClientPlainNet(t)
	n.veth("e1")
	for range 20 {
		c := n.dial()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					if _, err := c.Link(t.Context(), clientName("e1")); err != nil {
						if !errors.Is(err, os.ErrClosed) {
							t.Errorf("closed meanwhile: %v, want os.ErrClosed", err)
						}
						return
					}
				}
			})
		}
		clientMust(t, c.Close())
		wg.Wait()
	}
}

func TestDialNamespaces(t *testing.T) {
	n := newClientPlainNet(t)
	n.veth("here")
	path := fmt.Sprintf("/proc/self/fd/%d", n.fd())
	for name, cfg := range map[string]*bond.Config{"descriptor": {NetNS: n.fd()}, "path": {NetNSPath: path}} {
		c, err := bond.Dial(cfg)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := c.Link(t.Context(), clientName("here")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		clientMust(t, c.Close())
	}
	clientMust(t, n.do(func() error {
		c, err := bond.Dial(nil)
		if err != nil {
			return err
		}
		_, err = c.Link(t.Context(), clientName("here"))
		return errors.Join(err, c.Close())
	}))
	if c, err := bond.Dial(nil); err != nil {
		t.Error(err)
	} else {
		if _, err := c.Link(t.Context(), clientName("here")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a thread has been left in the namespace: %v", err)
		}
		clientMust(t, c.Close())
	}

	null, err := os.Open(os.DevNull)
	clientMust(t, err)
	defer null.Close()
	for _, tt := range []struct {
		cfg  bond.Config
		want error
	}{
		{bond.Config{NetNS: 1, NetNSPath: path}, bond.ErrBadValue},
		{bond.Config{NetNS: -1}, bond.ErrBadValue},
		{bond.Config{ReadBuffer: -1}, bond.ErrBadValue},
		{bond.Config{NetNS: 1 << 20}, unix.EBADF},
		{bond.Config{NetNS: int(null.Fd())}, unix.EINVAL},
		{bond.Config{NetNSPath: "/nosuch"}, os.ErrNotExist},
	} {
		c, err := bond.Dial(&tt.cfg)
		if err == nil {
			c.Close()
		}
		clientWant(t, err, "dial", tt.want)
	}
}

// TestDialKeepsNamespace subscribes after the caller's descriptor is closed, and
// on another thread.
func TestDialKeepsNamespace(t *testing.T) {
	n := newClientPlainNet(t)
	fd, err := unix.FcntlInt(uintptr(n.fd()), unix.F_DUPFD_CLOEXEC, 0)
	clientMust(t, err)
	tr, err := bond.ClientTransport(&bond.Config{NetNS: fd})
	clientMust(t, err)
	defer tr.Close()
	clientMust(t, unix.Close(fd))
	s, err := tr.Subscribe(t.Context())
	clientMust(t, err)
	defer s.Close()
	n.ip("link add e1 type veth peer name pe1")
	clientLinkNews(t, s, "e1")
}

// clientLinkNews waits for news about an interface.
func clientLinkNews(t *testing.T, s bond.Subscription, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientPatience)
	defer cancel()
	for {
		msgs, err := s.Receive(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", name, err)
		}
		if len(msgs) == 0 {
			t.Fatal("no message and no error")
		}
		for _, m := range msgs {
			var l bond.LinkInfo
			if m.Type == clientNewLink && l.Decode(m.Data) == nil && l.Name == name {
				return
			}
		}
	}
}

func TestSubscription(t *testing.T) {
	n := newClientPlainNet(t)
	tr, err := bond.ClientTransport(&bond.Config{NetNS: n.fd(), ReadBuffer: 16 << 10})
	clientMust(t, err)
	defer tr.Close()
	s, err := tr.Subscribe(t.Context())
	clientMust(t, err)

	// The context ends a Receive, and only that one.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Receive: %v, want context.DeadlineExceeded", err)
	}
	n.ip("link add e1 type veth peer name pe1")
	clientLinkNews(t, s, "e1")

	// The buffer is small.
	var lines []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("link set e1 mtu %d", 1200+i))
	}
	n.ip(lines...)
	ctx, cancel = context.WithTimeout(t.Context(), clientPatience)
	defer cancel()
	for err = error(nil); err == nil; {
		_, err = s.Receive(ctx)
	}
	if !errors.Is(err, bond.ErrOverrun) {
		t.Errorf("Receive: %v, want ErrOverrun", err)
	}
	n.ip("link add e2 type veth peer name pe2")
	clientLinkNews(t, s, "e2")

	done := make(chan error)
	go func() {
		for {
			if _, err := s.Receive(context.Background()); err != nil {
				done <- err
				return
			}
		}
	}()
	clientMust(t, s.Close())
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Receive: %v, want os.ErrClosed", err)
	}
	clientMust(t, s.Close())
	if _, err := s.Receive(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Receive: %v, want os.ErrClosed", err)
	}
	clientMust(t, tr.Close())
	if _, err := tr.Subscribe(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Subscribe: %v, want os.ErrClosed", err)
	}
}

// TestClientLeaksNothing counts descriptors and goroutines.
func TestClientLeaksNothing(t *testing.T) {
	n := newClientPlainNet(t)
	n.veth("e1")
	round := func() {
		tr, err := bond.ClientTransport(&bond.Config{NetNS: n.fd()})
		clientMust(t, err)
		s, err := tr.Subscribe(t.Context())
		clientMust(t, err)
		c, err := bond.Dial(&bond.Config{Transport: tr})
		clientMust(t, err)
		for i := range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*20*time.Microsecond)
			_, _ = c.AllSlaves(ctx)
			_, _ = s.Receive(ctx)
			cancel()
		}
		clientMust(t, s.Close())
		for _, err := range c.Watch(t.Context()) {
			clientMust(t, err)
			break
		}
		expired, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		for _, err := range c.Watch(expired) {
			_ = err
		}
		cancel()
		clientMust(t, c.Close())
		_, _ = bond.Dial(&bond.Config{NetNSPath: "/dev/null"})
	}
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		clientMust(t, err)
		return len(files)
	}
	round()
	var files, routines []int
	clientEventually(t, "as many descriptors and goroutines as before", func() bool {
		files, routines = append(files, open()), append(routines, runtime.NumGoroutine())
		for range 5 {
			round()
		}
		grown := func(counts []int, now int) bool { return now > slices.Min(counts) }
		return !grown(files, open()) && !grown(routines, runtime.NumGoroutine())
	})
}
