// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/rtnl"
)

const (
	// transportAttempts is how often a dump that changes disturb is read again. A
	// busy container host makes some links a second; a dump takes milliseconds.
	transportAttempts = 10

	// transportReadBuffer holds a burst of some hundred changes. The kernel's
	// default holds about fifty.
	transportReadBuffer = 1 << 20
)

// transport is the rtnetlink of the kernel we run on. Requests share one
// socket, and are sent one after the other.
type transport struct {
	ns     *rtnl.NetNS
	size   int // of the receive buffer of a Subscription
	s      *rtnl.Socket
	turn   chan struct{} // holds a token while a request is under way
	closed atomic.Bool
}

func newTransport(cfg *Config) (Transport, error) {
	ns, err := rtnl.OpenNetNS(cfg.NetNS, cfg.NetNSPath)
	if err != nil {
		return nil, transportError(err)
	}
	t := &transport{ns: ns, size: cmp.Or(cfg.ReadBuffer, transportReadBuffer), turn: make(chan struct{}, 1)}
	if t.s, err = rtnl.OpenSocket(ns, unix.NETLINK_ROUTE); err != nil {
		_ = ns.Close()
		return nil, transportError(err)
	}
	return t, nil
}

// Close implements [Transport].
func (t *transport) Close() error {
	if t.closed.Swap(true) {
		return os.ErrClosed
	}
	_ = t.ns.Close()
	return t.s.Close()
}

// Do implements [Transport]. The kernel works on a request inside the call that
// sends it, and that call cannot be broken off while another process holds the
// lock of all interfaces. So the exchange has a goroutine of its own, which
// lives on when ctx ends first. The next request waits for it: an older one can
// never take effect after a newer one.
func (t *transport) Do(ctx context.Context, req Message) ([]Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if ctx.Done() == nil {
		defer func() { <-t.turn }()
		return t.exchange(ctx, req)
	}
	type result struct {
		msgs []Message
		err  error
	}
	done := make(chan result, 1)
	req.Data = slices.Clone(req.Data)
	go func() {
		defer func() { <-t.turn }()
		msgs, err := t.exchange(ctx, req)
		done <- result{msgs, err}
	}()
	select {
	case r := <-done:
		return r.msgs, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done: // both were ready: the answer is worth more
		return r.msgs, r.err
	default:
		return nil, ctx.Err()
	}
}

// exchange sends a request, again where it is a dump that changes disturbed.
func (t *transport) exchange(ctx context.Context, req Message) ([]Message, error) {
	for range transportAttempts {
		if t.closed.Load() {
			return nil, os.ErrClosed
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		msgs, err := t.s.Request(req.Type, req.Flags, req.Data)
		if !errors.Is(err, rtnl.ErrInterrupted) {
			return transportMessages(msgs), t.failed(err)
		}
	}
	return nil, ErrInterrupted
}

// failed makes of an error what the caller is told. A request that waits while
// the socket is closed is told so in many ways.
func (t *transport) failed(err error) error {
	err = transportError(err)
	if err != nil && t.closed.Load() {
		if _, ok := errors.AsType[*KernelError](err); !ok {
			return os.ErrClosed
		}
	}
	return err
}

// Subscribe implements [Transport].
func (t *transport) Subscribe(ctx context.Context) (Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.closed.Load() {
		return nil, os.ErrClosed
	}
	s, err := rtnl.OpenSocket(t.ns, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, t.failed(err)
	}
	if err := s.Join(unix.RTNLGRP_LINK, t.size); err != nil {
		_ = s.Close()
		return nil, transportError(err)
	}
	return &subscription{s: s}, nil
}

// subscription is a socket in the group of link changes.
type subscription struct {
	s      *rtnl.Socket
	mu     sync.Mutex // serialises Receive, so that misuse does no harm
	closed atomic.Bool
}

// Receive implements [Subscription].
func (s *subscription) Receive(ctx context.Context) ([]Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// The deadline that ends the wait is taken back only after the one that sets
	// it is through.
	set := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(set)
		s.s.Abort()
	})
	defer func() {
		if !stop() {
			<-set
			s.s.Resume()
		}
	}()
	for {
		msgs, err := s.s.Receive()
		switch {
		case err == nil && len(msgs) > 0:
			return transportMessages(msgs), nil
		case err == nil:
		case s.closed.Load():
			return nil, os.ErrClosed
		case errors.Is(err, unix.ENOBUFS):
			return nil, cmp.Or(s.s.Drain(), ErrOverrun)
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
			return nil, ctx.Err()
		default:
			return nil, transportError(err)
		}
	}
}

// transportMessages makes our messages of those of a socket.
func transportMessages(msgs []rtnl.Message) []Message {
	if len(msgs) == 0 {
		return nil
	}
	ours := make([]Message, len(msgs))
	for i, m := range msgs {
		ours[i] = Message(m)
	}
	return ours
}

// transportError makes an error of this package of one of a socket.
func transportError(err error) error {
	if r, ok := errors.AsType[*rtnl.Refusal](err); ok {
		return &KernelError{Errno: r.Errno, Message: r.Message, Offset: r.Offset}
	}
	if e, ok := errors.AsType[*rtnl.NetNSError](err); ok {
		return &Error{Op: "enter network namespace", Value: e.Name, Err: e.Err, Hint: e.Hint}
	}
	switch {
	case errors.Is(err, rtnl.ErrInterrupted):
		return ErrInterrupted
	case errors.Is(err, rtnl.ErrMalformed):
		return ErrMalformed
	}
	return err
}

// Close implements [Subscription].
func (s *subscription) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.s.Close()
}
