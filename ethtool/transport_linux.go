// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/rtnl"
)

const (
	// wireAttempts is how often a dump that changes disturb is read again. A
	// busy container host makes some links a second; a dump takes milliseconds.
	wireAttempts = 10

	// subscriptionBuffer holds a burst of some thousand notifications.
	subscriptionBuffer = 1 << 20
)

// kernelTransport is the kernel we run on. Each family of generic netlink has a
// socket of its own, opened when it is first needed, so that a driver that keeps
// devlink waiting does not keep ethtool.
type kernelTransport struct {
	ns      *rtnl.NetNS
	release string
	closed  chan struct{}
	route   *wire
	ioctls  *ioctlSocket
	infos   *linkInfos

	mu       sync.Mutex
	closing  bool
	generics map[string]*wire
}

func newTransport(cfg *Config) (_ Transport, err error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, err
	}
	ns, err := rtnl.OpenNetNS(cfg.NetNS, cfg.NetNSPath)
	if err != nil {
		return nil, transportError(err)
	}
	t := &kernelTransport{
		ns: ns, release: unix.ByteSliceToString(u.Release[:]), closed: make(chan struct{}), generics: make(map[string]*wire),
	}
	t.route = newWire(t, unix.NETLINK_ROUTE)
	t.ioctls = newIoctlSocket(t)
	t.infos = newLinkInfos(t)
	// Nothing works without this one, so that it tells whether the namespace can be
	// entered.
	if err := t.route.open(); err != nil {
		_ = ns.Close()
		return nil, transportError(err)
	}
	return t, nil
}

// Close implements [Transport].
func (t *kernelTransport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return os.ErrClosed
	}
	t.closing = true
	close(t.closed)
	_ = t.ns.Close()
	t.route.lane.finish(t.route.drop)
	for _, w := range t.generics {
		w.lane.finish(w.drop)
	}
	t.ioctls.lane.finish(t.ioctls.drop)
	t.infos.lane.finish(func() {})
	return nil
}

// KernelRelease implements [Transport].
func (t *kernelTransport) KernelRelease() string { return t.release }

// Sysfs implements [Transport].
func (t *kernelTransport) Sysfs() fs.FS { return os.DirFS("/sys") }

// Route implements [Transport].
func (t *kernelTransport) Route(ctx context.Context, req RouteRequest) ([][]byte, error) {
	data := slices.Clone(req.Data)
	replies, err := laneDo(ctx, t.route.lane, func() ([][]byte, error) {
		msgs, err := t.route.request(ctx, req.Type, req.Flags, data)
		var replies [][]byte
		for _, m := range msgs {
			replies = append(replies, m.Data)
		}
		return replies, err
	})
	return replies, t.failed(err)
}

// Generic implements [Transport].
func (t *kernelTransport) Generic(ctx context.Context, req Request) ([]Message, error) {
	w, err := t.generic(req.Family)
	if err != nil {
		return nil, err
	}
	req.Attrs = slices.Clone(req.Attrs)
	msgs, err := laneDo(ctx, w.lane, func() ([]Message, error) { return w.generic(ctx, &req) })
	return msgs, t.failed(err)
}

// generic returns the wire for a family.
func (t *kernelTransport) generic(family string) (*wire, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return nil, os.ErrClosed
	}
	w := t.generics[family]
	if w == nil {
		w = newWire(t, unix.NETLINK_GENERIC)
		t.generics[family] = w
	}
	return w, nil
}

// failed makes of an error what the caller is told. A call that waits while the
// sockets are closed is told so in many ways.
func (t *kernelTransport) failed(err error) error {
	select {
	case <-t.closed:
		if _, ok := errors.AsType[*KernelError](err); err != nil && !ok {
			return os.ErrClosed
		}
	default:
	}
	return err
}

// transportError makes an error of this package of one of internal/rtnl.
func transportError(err error) error {
	if r, ok := errors.AsType[*rtnl.Refusal](err); ok {
		return &KernelError{Errno: r.Errno, Message: r.Message}
	}
	if e, ok := errors.AsType[*rtnl.NetNSError](err); ok {
		return &Error{Err: fmt.Errorf("network namespace %s: %w", e.Name, e.Err), Hint: e.Hint}
	}
	switch {
	case errors.Is(err, rtnl.ErrMalformed):
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	case errors.Is(err, rtnl.ErrInterrupted):
		return ErrInterrupted
	}
	return err
}

// wire is one socket and who uses it. Everything but the lane is for the call whose turn it
// is.
type wire struct {
	t        *kernelTransport
	lane     *lane
	protocol int
	family   *family // of generic netlink, nil as long as it is not known

	socket atomic.Pointer[rtnl.Socket]
	// broken says that the socket may hold what was meant for a call that nobody
	// waits for any more.
	broken atomic.Bool
}

func newWire(t *kernelTransport, protocol int) *wire {
	w := &wire{t: t, protocol: protocol}
	w.lane = newLane(t.closed, w.wake)
	return w
}

// wake ends the wait for a message.
func (w *wire) wake() {
	w.broken.Store(true)
	if s := w.socket.Load(); s != nil {
		s.Abort()
	}
}

// drop closes the socket.
func (w *wire) drop() {
	if s := w.socket.Swap(nil); s != nil {
		_ = s.Close()
	}
}

func (w *wire) open() error {
	s, err := rtnl.OpenSocket(w.t.ns, w.protocol)
	if err == nil {
		s.Strict()
		w.socket.Store(s)
	}
	return err
}

// request sends a request, again where it is a dump that changes disturbed.
func (w *wire) request(ctx context.Context, typ, flags uint16, data []byte) ([]rtnl.Message, error) {
	if w.broken.Swap(false) {
		w.drop()
	}
	if w.socket.Load() == nil {
		if err := w.open(); err != nil {
			return nil, transportError(err)
		}
	}
	var err error
	for range wireAttempts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var msgs []rtnl.Message
		if msgs, err = w.socket.Load().Request(typ, flags, data); !errors.Is(err, rtnl.ErrInterrupted) {
			if _, refused := errors.AsType[*rtnl.Refusal](err); err != nil && !refused {
				w.drop() // the rest of an answer may still come
			}
			return msgs, transportError(err)
		}
	}
	return nil, transportError(err)
}

// generic sends a request of generic netlink.
func (w *wire) generic(ctx context.Context, req *Request) ([]Message, error) {
	f, err := w.lookup(ctx, req.Family)
	if err != nil {
		return nil, err
	}
	if err := f.supports(req); err != nil {
		return nil, err
	}
	var flags uint16
	if req.Dump {
		flags = unix.NLM_F_DUMP
	}
	msgs, err := w.request(ctx, f.id, flags, append(genlHeader(req.Command, f.version), req.Attrs...))
	if err != nil {
		return nil, err
	}
	return genlMessages(f.id, msgs)
}

// lookup returns what the kernel says of a family.
func (w *wire) lookup(ctx context.Context, name string) (*family, error) {
	if w.family != nil {
		return w.family, nil
	}
	msgs, err := w.request(ctx, ctrlID, 0, familyRequest(name))
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, fmt.Errorf("%w: it has no family %s", ErrKernelTooOld, name)
	case err != nil:
		return nil, err
	case len(msgs) != 1:
		return nil, fmt.Errorf("%w: %d answers about family %s", ErrMalformed, len(msgs), name)
	}
	f, err := parseFamily(msgs[0].Data)
	if err == nil {
		w.family = f
	}
	return f, err
}

// genlMessages returns those messages that are a family's.
func genlMessages(id uint16, msgs []rtnl.Message) ([]Message, error) {
	var all []Message
	for _, m := range msgs {
		if m.Type != id {
			continue
		}
		g, err := cutGenl(m.Data)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

// Subscribe implements [Transport].
func (t *kernelTransport) Subscribe(ctx context.Context, family, group string) (Subscription, error) {
	if family == FamilyRoute {
		return t.subscribeRoute(ctx, group)
	}
	w, err := t.generic(family)
	if err != nil {
		return nil, err
	}
	sub, err := laneDo(ctx, w.lane, func() (*subscription, error) {
		f, err := w.lookup(ctx, family)
		if err != nil {
			return nil, err
		}
		number, ok := f.groups[group]
		if !ok {
			return nil, fmt.Errorf("%w: family %s has no group %s", ErrKernelTooOld, family, group)
		}
		return t.join(unix.NETLINK_GENERIC, number, func(m rtnl.Message) (Message, bool, error) {
			if m.Type != f.id {
				return Message{}, false, nil
			}
			g, err := cutGenl(m.Data)
			return g, true, err
		})
	})
	if err != nil {
		return nil, t.failed(err)
	}
	return sub, nil
}

// subscribeRoute is Subscribe for rtnetlink, whose groups have fixed numbers.
func (t *kernelTransport) subscribeRoute(ctx context.Context, group string) (Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if group != GroupLink {
		return nil, fmt.Errorf("%w: %s has no group %s", ErrKernelTooOld, FamilyRoute, group)
	}
	sub, err := t.join(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, func(m rtnl.Message) (Message, bool, error) {
		return Message{Command: uint8(m.Type), Attrs: m.Data}, m.Type <= 0xff, nil
	})
	if err != nil {
		return nil, t.failed(err)
	}
	return sub, nil
}

// join opens a socket in a group. pick says which messages are wanted, and makes them what
// is returned.
func (t *kernelTransport) join(protocol int, group uint32, pick func(rtnl.Message) (Message, bool, error)) (*subscription, error) {
	s, err := rtnl.OpenSocket(t.ns, protocol)
	if err != nil {
		return nil, transportError(err)
	}
	if err := s.Join(group, subscriptionBuffer); err != nil {
		_ = s.Close()
		return nil, transportError(err)
	}
	return &subscription{s: s, pick: pick}, nil
}

// subscription is a socket in a multicast group.
type subscription struct {
	s      *rtnl.Socket
	pick   func(rtnl.Message) (Message, bool, error)
	mu     sync.Mutex // serialises Receive, so that misuse does no harm
	closed atomic.Bool
}

// Receive implements [Subscription].
func (s *subscription) Receive(ctx context.Context) ([]Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil, os.ErrClosed
	}
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
		case err == nil:
		case s.closed.Load():
			return nil, os.ErrClosed
		case errors.Is(err, unix.ENOBUFS):
			return nil, cmp.Or(transportError(s.s.Drain()), ErrOverrun)
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
			return nil, ctx.Err()
		default:
			return nil, transportError(err)
		}
		var all []Message
		for _, m := range msgs {
			p, ok, err := s.pick(m)
			if err != nil {
				return nil, err
			}
			if ok {
				all = append(all, p)
			}
		}
		if len(all) > 0 {
			return all, nil
		}
	}
}

// Close implements [Subscription].
func (s *subscription) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.s.Close()
}
