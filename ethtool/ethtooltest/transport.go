// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/bondkit/bondkit/ethtool"
)

// Call is one request that a Transport got.
type Call struct {
	// Name is what the kernel calls the request: "ETHTOOL_MSG_PRIVFLAGS_SET", "DEVLINK_CMD_INFO_GET",
	// "RTM_GETLINK", "ETHTOOL_GDRVINFO" and so on, and "SUBSCRIBE" for Subscribe. What this
	// kernel does not know has a number, such as "ethtool 99".
	Name string
	// Link is the interface that it is about, as far as the request names one.
	Link ethtool.Link
	// Dump says that it asks for all objects, and Write that it asks for a change.
	Dump, Write bool
	// Data is what follows the header of the message, or what is given to the ioctl.
	Data []byte
}

// Transport returns a new connection of somebody who may do everything.
func (k *Kernel) Transport() ethtool.Transport { return &transport{k: k, admin: true} }

// Unprivileged returns a new connection of somebody without CAP_NET_ADMIN, who may read, and
// change nothing.
func (k *Kernel) Unprivileged() ethtool.Transport { return &transport{k: k} }

// Fail has before called with each request, before it is carried out. Where it returns an error,
// that is the answer, and nothing is done: an [*ethtool.KernelError], or another that
// [ethtool.Transport] allows. Before may call methods of the Kernel, so that something happens between
// two requests. Nil ends it.
func (k *Kernel) Fail(before func(Call) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.before = before
}

// FailAfter has after called with each request that was carried out. Where it returns
// an error, that takes the place of the answer. After may call methods of the Kernel. Nil
// ends it.
func (k *Kernel) FailAfter(after func(Call) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.after = after
}

// Hang has match called with each request. Where it returns true, the request is not carried
// out, and waits for the end of its context. Nil ends it, for later requests.
func (k *Kernel) Hang(match func(Call) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hang = match
}

// Mangle has change called with each part of an answer: the attributes of a message of generic netlink, the
// body of one of rtnetlink, what an ioctl writes. What it returns takes the place of that;
// of an ioctl, as much as fits. Nil ends it.
func (k *Kernel) Mangle(change func(Call, []byte) []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mangle = change
}

// Requests returns all requests since the beginning or the last ResetRequests, those that
// failed included, in the order in which they came.
func (k *Kernel) Requests() []Call {
	k.mu.Lock()
	defer k.mu.Unlock()
	log := slices.Clone(k.log)
	for i := range log {
		log[i].Data = slices.Clone(log[i].Data)
	}
	return log
}

// Changes returns those of the requests that ask for a change.
func (k *Kernel) Changes() []Call {
	return slices.DeleteFunc(k.Requests(), func(c Call) bool { return !c.Write })
}

// ResetRequests forgets the requests there were.
func (k *Kernel) ResetRequests() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.log = nil
}

// transport is one connection.
type transport struct {
	k     *Kernel
	admin bool

	mu     sync.Mutex
	closed bool
}

func (t *transport) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// Close implements [ethtool.Transport].
func (t *transport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return os.ErrClosed
	}
	t.closed = true
	return nil
}

// do is what all requests have in common: serve carries one out, with k.mu held.
func (t *transport) do(ctx context.Context, c Call, serve func() error) error {
	if t.isClosed() {
		return os.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// What is kept of the request is not the caller's memory.
	c.Data = slices.Clone(c.Data)
	k := t.k
	k.mu.Lock()
	k.log = append(k.log, c)
	before, after, hang := k.before, k.after, k.hang
	k.mu.Unlock()

	if hang != nil && hang(c) {
		<-ctx.Done()
		return ctx.Err()
	}
	if before != nil {
		if err := before(c); err != nil {
			return err
		}
	}
	k.mu.Lock()
	err := serve()
	k.mu.Unlock()
	if err != nil {
		return err
	}
	if after != nil {
		return after(c)
	}
	return nil
}

// mangled returns the function given to Mangle, or one that does nothing. It must be called
// without k.mu.
func (k *Kernel) mangled(c Call) func([]byte) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	change := k.mangle
	if change == nil {
		return func(b []byte) []byte { return b }
	}
	return func(b []byte) []byte { return change(c, b) }
}

// Generic implements [ethtool.Transport].
func (t *transport) Generic(ctx context.Context, req ethtool.Request) ([]ethtool.Message, error) {
	var replies []ethtool.Message
	k := t.k
	c := k.genericCall(req)
	req.Attrs = slices.Clone(req.Attrs)
	err := t.do(ctx, c, func() (err error) {
		switch {
		case req.Family == ethtool.FamilyEthtool && k.version.has(versionEthtool):
			replies, err = k.ethtoolFamily(t.admin, req)
		case req.Family == ethtool.FamilyDevlink && !k.noDevlink:
			replies, err = k.devlinkFamily(req)
		default:
			err = fmt.Errorf("%w: no generic netlink family %q", ethtool.ErrKernelTooOld, req.Family)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	change := k.mangled(c)
	for i := range replies {
		replies[i].Attrs = change(replies[i].Attrs)
	}
	return replies, nil
}

// Route implements [ethtool.Transport].
func (t *transport) Route(ctx context.Context, req ethtool.RouteRequest) ([][]byte, error) {
	var replies [][]byte
	c := routeCall(req)
	req.Data = slices.Clone(req.Data)
	err := t.do(ctx, c, func() (err error) {
		replies, err = t.k.route(t.admin, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	change := t.k.mangled(c)
	for i := range replies {
		replies[i] = change(replies[i])
	}
	return replies, nil
}

// Ioctl implements [ethtool.Transport].
func (t *transport) Ioctl(ctx context.Context, name string, data []byte) error {
	c := ioctlCall(name, data)
	buf := slices.Clone(data)
	err := t.do(ctx, c, func() error { return t.k.ioctl(t.admin, name, buf) })
	if err != nil {
		return err
	}
	copy(data, t.k.mangled(c)(buf))
	return nil
}

// LinkInfo implements [ethtool.Transport].
func (t *transport) LinkInfo(ctx context.Context, link ethtool.Link) (ethtool.LinkInfo, error) {
	messages, err := t.Generic(ctx, ethtool.Request{
		Family: ethtool.FamilyEthtool, Command: cmdLinkInfoGet, Attrs: appendNest(nil, attrHeader, linkHeader(link)),
	})
	if err != nil {
		return ethtool.LinkInfo{}, err
	}
	for _, m := range messages {
		if a, ok := collect(m.Attrs)[linkInfoPort]; ok && len(a.data) == 1 {
			return ethtool.LinkInfo{Port: ethtool.Port(a.data[0])}, nil
		}
	}
	return ethtool.LinkInfo{}, fmt.Errorf("%w: no port", ethtool.ErrMalformed)
}

// Sysfs implements [ethtool.Transport].
func (t *transport) Sysfs() fs.FS { return sysfs{t.k} }

// KernelRelease implements [ethtool.Transport].
func (t *transport) KernelRelease() string { return t.k.release }
