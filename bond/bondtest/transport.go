// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/bondkit/bondkit/bond"
)

// Transport returns a new connection of somebody who may do everything.
func (k *Kernel) Transport() bond.Transport { return &transport{k: k, as: root} }

// Unprivileged returns a new connection of somebody without CAP_NET_ADMIN: changes are
// refused, and ad_actor_sys_prio, ad_user_port_key and ad_actor_system are not told.
func (k *Kernel) Unprivileged() bond.Transport { return &transport{k: k} }

// UserNamespace returns a new connection of the root of a user namespace, to
// which the network namespace belongs. It may do everything, and is not told what
// Unprivileged is not.
func (k *Kernel) UserNamespace() bond.Transport { return &transport{k: k, as: actor{admin: true}} }

// Fail has before called with each request, before it is carried out. Where it
// returns an error, that is the answer, and nothing is done: a [*bond.KernelError], or
// another that [bond.Transport] allows. Before may call methods of the Kernel. Nil
// ends it.
func (k *Kernel) Fail(before func(req bond.Message) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.before = before
}

// FailAfter has after called with each request that was carried out. Where it
// returns an error, that takes the place of the answer. Nil ends it.
func (k *Kernel) FailAfter(after func(req bond.Message) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.after = after
}

// Hang has match called with each request. Where it returns true, the request is
// not carried out, and waits for the end of its context. Nil ends it, for later
// requests.
func (k *Kernel) Hang(match func(req bond.Message) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hang = match
}

// Requests returns all requests since the beginning or the last ResetRequests,
// those that failed included, in the order in which they came.
func (k *Kernel) Requests() []bond.Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	return cloneMessages(k.log)
}

// Changes returns those of the requests that ask for a change.
func (k *Kernel) Changes() []bond.Message {
	return slices.DeleteFunc(k.Requests(), func(m bond.Message) bool { return m.Type == rtmGetLink || m.Type == rtmGetStats })
}

// ResetRequests forgets the requests there were.
func (k *Kernel) ResetRequests() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.log = nil
}

func cloneMessages(ms []bond.Message) []bond.Message {
	ms = slices.Clone(ms)
	for i := range ms {
		ms[i].Data = slices.Clone(ms[i].Data)
	}
	return ms
}

// transport is one connection.
type transport struct {
	k  *Kernel
	as actor

	mu     sync.Mutex
	closed bool
}

var errClosed = &bond.Error{Err: os.ErrClosed}

func (t *transport) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// Close implements [bond.Transport].
func (t *transport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errClosed
	}
	t.closed = true
	return nil
}

// Do implements [bond.Transport].
func (t *transport) Do(ctx context.Context, req bond.Message) ([]bond.Message, error) {
	if t.isClosed() {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// What is kept of the request is not the caller's memory.
	req.Data = slices.Clone(req.Data)
	k := t.k
	k.mu.Lock()
	k.log = append(k.log, req)
	before, after, hang := k.before, k.after, k.hang
	k.mu.Unlock()

	if hang != nil && hang(req) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if before != nil {
		if err := before(req); err != nil {
			return nil, err
		}
	}
	replies, err := k.do(t.as, req)
	if err != nil {
		return nil, err
	}
	if after != nil {
		if err := after(req); err != nil {
			return nil, err
		}
	}
	return replies, nil
}

// do carries out one request.
func (k *Kernel) do(as actor, req bond.Message) ([]bond.Message, error) {
	k.mu.Lock()
	k.as = as
	defer k.finish()
	isGet := req.Type == rtmGetLink || req.Type == rtmGetStats
	if !isGet && !as.admin {
		return nil, refuse(syscall.EPERM)
	}
	var replies []bond.Message
	var err *bond.KernelError
	switch req.Type {
	case rtmNewLink:
		replies, err = k.newLink(req)
	case rtmDelLink:
		err = k.delLink(req)
	case rtmGetLink:
		replies, err = k.getLink(req)
	case rtmGetStats:
		replies, err = k.getStats(req)
	case rtmSetLink:
		err = k.setLink(req)
	default:
		err = refuse(syscall.EOPNOTSUPP)
	}
	if err != nil {
		return nil, err
	}
	return replies, nil
}

// refuse is an answer without words.
func refuse(errno syscall.Errno) *bond.KernelError { return &bond.KernelError{Errno: errno} }

// explain is an answer with words.
func explain(errno syscall.Errno, message string, offset int) *bond.KernelError {
	return &bond.KernelError{Errno: errno, Message: message, Offset: offset}
}

// Subscribe implements [bond.Transport].
func (t *transport) Subscribe(ctx context.Context) (bond.Subscription, error) {
	if t.isClosed() {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &subscription{k: t.k, wake: make(chan struct{}, 1), done: make(chan struct{})}
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	t.k.subs = append(t.k.subs, s)
	return s, nil
}

// subscription is one bounded queue of messages. It is guarded by k.mu.
type subscription struct {
	k       *Kernel
	queued  []bond.Message
	overrun bool
	closed  bool
	wake    chan struct{} // has room for one
	done    chan struct{}
}

// Receive implements [bond.Subscription].
func (s *subscription) Receive(ctx context.Context) ([]bond.Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.k.mu.Lock()
		queued, overrun, closed := s.queued, s.overrun, s.closed
		if s.k.holds > 0 {
			queued, overrun = nil, false
		} else {
			s.queued, s.overrun = nil, false
		}
		s.k.mu.Unlock()
		switch {
		case closed:
			return nil, errClosed
		case overrun:
			// What came after the loss is told by the next call.
			if len(queued) > 0 {
				s.k.mu.Lock()
				s.queued = append(queued, s.queued...)
				s.k.mu.Unlock()
			}
			return nil, &bond.Error{Op: "receive", Err: errors.Join(bond.ErrOverrun, syscall.ENOBUFS)}
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

// Close implements [bond.Subscription].
func (s *subscription) Close() error {
	s.k.mu.Lock()
	defer s.k.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.closed = true
	close(s.done)
	s.k.subs = slices.DeleteFunc(s.k.subs, func(o *subscription) bool { return o == s })
	return nil
}

func (s *subscription) push(m bond.Message) {
	if len(s.queued) >= s.k.queue {
		s.queued, s.overrun = nil, true
	} else {
		m.Data = slices.Clone(m.Data)
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

// Hold has no Subscription deliver anything until the function that it returns
// is called, so that what happens in between is received at once.
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

// Send sends a message to every Subscription as it is, for what the kernel does
// not send by itself here, or should not.
func (k *Kernel) Send(m bond.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.send(m)
}

func (k *Kernel) send(m bond.Message) {
	for _, s := range k.subs {
		s.push(m)
	}
}
