// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/mdlayher/ethtool"
	"github.com/mdlayher/netlink"
)

// linkInfos asks with another library, which has one socket a client and knows
// no context.
type linkInfos struct {
	t      *kernelTransport
	lane   *lane
	client atomic.Pointer[ethtool.Client] // of the call under way
}

func newLinkInfos(t *kernelTransport) *linkInfos {
	l := &linkInfos{t: t}
	l.lane = newLane(t.closed, func() {
		if c := l.client.Load(); c != nil {
			go c.Close() // waits for the kernel
		}
	})
	return l
}

// LinkInfo implements [Transport].
func (t *kernelTransport) LinkInfo(ctx context.Context, link Link) (LinkInfo, error) {
	info, err := laneDo(ctx, t.infos.lane, func() (LinkInfo, error) { return t.infos.ask(link) })
	return info, t.failed(err)
}

// ask opens a client in the namespace, asks it and closes it.
func (l *linkInfos) ask(link Link) (info LinkInfo, err error) {
	// The library panics where the kernel's answer has another form than it
	// expects.
	defer containPanic(&err)
	var c *ethtool.Client
	err = l.t.ns.Do(func() (err error) {
		defer containPanic(&err)
		c, err = ethtool.New()
		return err
	})
	switch {
	case errors.Is(err, os.ErrNotExist):
		return LinkInfo{}, fmt.Errorf("%w: it has no family %s", ErrKernelTooOld, FamilyEthtool)
	case err != nil:
		return LinkInfo{}, libraryError(err)
	}
	defer c.Close()
	l.client.Store(c)
	defer l.client.Store(nil)
	li, err := c.LinkInfo(ethtool.Interface{Index: link.Index, Name: link.Name})
	if err != nil {
		return LinkInfo{}, libraryError(err)
	}
	return LinkInfo{Port: Port(li.Port)}, nil
}

// containPanic makes an error that matches ErrMalformed of a panic.
func containPanic(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrMalformed, p)
	}
}

// libraryError takes the kernel's answer out of an error of the other library.
func libraryError(err error) error {
	oe, ok := errors.AsType[*netlink.OpError](err)
	if !ok {
		return transportError(err)
	}
	if errno, ok := oe.Err.(syscall.Errno); ok { //nolint:errorlint // an errno that is wrapped comes from the system
		return &KernelError{Errno: errno, Message: oe.Message}
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}
