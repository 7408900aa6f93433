// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/bondkit/bondkit/ethtool"
)

// groupConfig is the group of devlink.
const groupConfig = "config"

// Subscribe implements [ethtool.Transport].
func (t *transport) Subscribe(ctx context.Context, family, group string) (ethtool.Subscription, error) {
	var s *subscription
	err := t.do(ctx, Call{Name: "SUBSCRIBE", Data: []byte(family + " " + group)}, func() error {
		switch {
		case family == ethtool.FamilyEthtool && group == ethtool.GroupMonitor && t.k.version.has(versionEthtool):
		case family == ethtool.FamilyDevlink && group == groupConfig && !t.k.noDevlink:
		case family == ethtool.FamilyRoute && group == ethtool.GroupLink:
		default:
			return fmt.Errorf("%w: no group %q of family %q", ethtool.ErrKernelTooOld, group, family)
		}
		s = &subscription{k: t.k, family: family, wake: make(chan struct{}, 1), done: make(chan struct{})}
		t.k.subs = append(t.k.subs, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// subscription is one bounded queue of messages. It is guarded by k.mu.
type subscription struct {
	k       *Kernel
	family  string
	queued  []ethtool.Message
	overrun bool
	closed  bool
	wake    chan struct{} // has room for one
	done    chan struct{}
}

// Receive implements [ethtool.Subscription].
func (s *subscription) Receive(ctx context.Context) ([]ethtool.Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		queued, overrun, closed := s.take()
		switch {
		case closed:
			return nil, os.ErrClosed
		case overrun:
			return nil, &ethtool.Error{Op: "receive", Err: errors.Join(ethtool.ErrOverrun, syscall.ENOBUFS)}
		case len(queued) > 0:
			return queued, nil
		}
		select {
		case <-s.wake:
		case <-s.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take takes what is queued, or else the news that something was lost, which is told
// before what came after the loss.
func (s *subscription) take() (queued []ethtool.Message, overrun, closed bool) {
	s.k.mu.Lock()
	defer s.k.mu.Unlock()
	switch {
	case s.closed || s.k.holds > 0:
	case s.overrun:
		s.overrun, overrun = false, true
	default:
		queued, s.queued = s.queued, nil
	}
	return queued, overrun, s.closed
}

// Close implements [ethtool.Subscription].
func (s *subscription) Close() error {
	s.k.mu.Lock()
	defer s.k.mu.Unlock()
	if s.closed {
		return os.ErrClosed
	}
	s.closed = true
	close(s.done)
	s.k.subs = slices.DeleteFunc(s.k.subs, func(o *subscription) bool { return o == s })
	return nil
}

func (s *subscription) push(m ethtool.Message) {
	if len(s.queued) >= s.k.queue {
		s.queued, s.overrun = nil, true
	} else {
		m.Attrs = slices.Clone(m.Attrs)
		s.queued = append(s.queued, m)
	}
	s.notify()
}

func (s *subscription) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Subscriptions returns how many Subscriptions there are that have not been closed.
func (k *Kernel) Subscriptions() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.subs)
}

// Hold has no Subscription deliver anything until the function that it returns is called, so that
// what happens in between is received at once.
func (k *Kernel) Hold() (release func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.holds++
	return sync.OnceFunc(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.holds--
		for _, s := range k.subs {
			s.notify()
		}
	})
}

// Overrun has every Subscription lose what it has queued, and say so.
func (k *Kernel) Overrun() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.subs {
		s.queued, s.overrun = nil, true
		s.notify()
	}
}

// Send sends a message to every Subscription of a family as it is, for what the kernel does not
// send by itself here, or should not. That of FamilyRoute has interfaces.
func (k *Kernel) Send(family string, m ethtool.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.send(family, m)
}

func (k *Kernel) send(family string, m ethtool.Message) {
	for _, s := range k.subs {
		if s.family == family {
			s.push(m)
		}
	}
}

// notifyFlags announces the private flags of an interface, in the short form that
// ethnl_default_notify of the kernel's net/ethtool/netlink.c asks for.
func (k *Kernel) notifyFlags(n *nic) {
	if k.version.has(versionPrivFlags) {
		k.send(ethtool.FamilyEthtool, ethtool.Message{Command: cmdPrivFlagsNtf, Attrs: n.appendFlags(nil, true)})
	}
}

// notifyLink announces an interface.
func (k *Kernel) notifyLink(n *nic, typ uint8) {
	k.send(ethtool.FamilyRoute, ethtool.Message{Command: typ, Attrs: k.appendLink(nil, n)})
}
