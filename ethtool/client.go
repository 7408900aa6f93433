// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Config says where Dial finds the kernel. The zero Config, and a nil one,
// mean the network namespace of the calling thread.
type Config struct {
	// NetNS is a file descriptor of a network namespace, and NetNSPath its path. At
	// most one may be set. The descriptor stays the caller's, and is not used
	// after Dial returned. To enter another namespace than the thread's, Dial needs
	// CAP_SYS_ADMIN over both.
	NetNS     int
	NetNSPath string

	// Transport is used instead of this machine's kernel, on any system, and closed by
	// [Client.Close]. Nil means the kernel of this machine.
	Transport Transport

	// Timeout bounds every single request to the kernel, besides the caller's context. 0 means
	// 15 seconds, and less than 0 no bound. Some drivers hold a request for ten
	// seconds while the device is being reset (ice_devlink_info_get).
	Timeout time.Duration

	// PollInterval is how often [Client.Watch] reads all flags again, for what the
	// kernel does not announce: changes made by ioctl (net/ethtool/ioctl.c). 0 means 10
	// seconds, and less than 0 never.
	PollInterval time.Duration
}

const (
	defaultTimeout = 15 * time.Second
	defaultPoll    = 10 * time.Second
)

// Client asks a kernel about NICs. It is safe for concurrent use.
type Client struct {
	t       Transport
	timeout time.Duration
	poll    time.Duration
	close   func() error
	holds   holdSet
}

// Dial opens a Client. A nil cfg is the zero Config. It needs no privilege,
// except to enter another network namespace. The error is an *[Error]; it matches
// os.ErrPermission where that was refused, ErrBadValue where cfg makes no sense, and
// errors.ErrUnsupported on systems other than Linux without a Transport of the
// caller's.
func Dial(cfg *Config) (*Client, error) {
	const op = "dial"
	if cfg == nil {
		cfg = &Config{}
	}
	switch {
	case cfg.NetNS != 0 && cfg.NetNSPath != "":
		return nil, &Error{Op: op, Err: ErrBadValue, Hint: "NetNS and NetNSPath exclude each other"}
	case cfg.NetNS < 0:
		return nil, &Error{Op: op, Err: ErrBadValue, Hint: "NetNS cannot be negative"}
	}
	t := cfg.Transport
	if t == nil {
		var err error
		if t, err = newTransport(cfg); err != nil {
			return nil, opError(op, Link{}, err)
		}
	}
	return &Client{
		t:       t,
		timeout: cmp.Or(cfg.Timeout, defaultTimeout),
		poll:    cmp.Or(cfg.PollInterval, defaultPoll),
		close:   sync.OnceValue(t.Close),
	}, nil
}

// Close releases the Transport. What is under way, and every later call, fails
// with an error matching os.ErrClosed. Closing again does nothing and
// returns the same.
func (c *Client) Close() error { return opError("close", Link{}, c.close()) }

// bound returns ctx with the bound of one request.
func (c *Client) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.timeout)
}

// generic sends one request of generic netlink.
func (c *Client) generic(ctx context.Context, req Request) ([]Message, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	return c.t.Generic(ctx, req)
}

// route sends one request of rtnetlink.
func (c *Client) route(ctx context.Context, req RouteRequest) ([][]byte, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	return c.t.Route(ctx, req)
}

// ioctl performs SIOCETHTOOL.
func (c *Client) ioctl(ctx context.Context, name string, data []byte) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	return c.t.Ioctl(ctx, name, data)
}

// Numbers of rtnetlink.
const (
	rtmNewLink = 16
	rtmGetLink = 18
	rtmSetLink = 19
	nlmDump    = 0x300

	ifInfoLen         = 16
	iflaIfname        = 3
	iflaExtMask       = 29
	extFilterSkipStat = 1 << 3
	ifNameMax         = 15
)

// resolve reads what rtnetlink knows of an interface. The error is that of a
// Transport, ErrBadValue or ErrNoDevice.
func (c *Client) resolve(ctx context.Context, link Link) (rtnl.Link, error) {
	switch {
	case link == Link{}:
		return rtnl.Link{}, fmt.Errorf("%w: no interface is named", ErrBadValue)
	case link.Index < 0 || int(int32(link.Index)) != link.Index || len(link.Name) > ifNameMax:
		return rtnl.Link{}, ErrNoDevice
	}
	body := make([]byte, ifInfoLen)
	binary.NativeEndian.PutUint32(body[4:], uint32(link.Index))
	if link.Index == 0 {
		body = appendText(body, iflaIfname, link.Name)
	}
	replies, err := c.route(ctx, RouteRequest{Type: rtmGetLink, Data: appendUint32(body, iflaExtMask, extFilterSkipStat)})
	if err != nil {
		if errors.Is(err, syscall.ENODEV) {
			return rtnl.Link{}, ErrNoDevice
		}
		return rtnl.Link{}, err
	}
	for _, b := range replies {
		l, ok, err := rtnl.ParseLink(b)
		switch {
		case err != nil:
			return rtnl.Link{}, fmt.Errorf("%w: %w", ErrMalformed, err)
		case !ok:
		case link.Name != "" && l.Name != link.Name:
			return rtnl.Link{}, fmt.Errorf("%w: interface %d is %s", ErrNoDevice, l.Index, printable(l.Name))
		default:
			return l, nil
		}
	}
	return rtnl.Link{}, ErrNoDevice
}

// links reads all interfaces.
func (c *Client) links(ctx context.Context) ([]rtnl.Link, error) {
	body := appendUint32(make([]byte, ifInfoLen), iflaExtMask, extFilterSkipStat)
	replies, err := c.route(ctx, RouteRequest{Type: rtmGetLink, Flags: nlmDump, Data: body})
	if err != nil {
		return nil, err
	}
	var all []rtnl.Link
	for _, b := range replies {
		l, ok, err := rtnl.ParseLink(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		if ok {
			all = append(all, l)
		}
	}
	return all, nil
}

// linkOf returns the index and the name of an interface.
func linkOf(l *rtnl.Link) Link { return Link{Index: l.Index, Name: l.Name} }

const indexPrefix = "index "

// linkText names an interface in an error.
func linkText(l Link) string {
	if l.Name == "" && l.Index != 0 {
		return indexPrefix + strconv.Itoa(l.Index)
	}
	return l.Name
}

// isIndexText reports whether a linkText is that of an interface without a name.
func isIndexText(s string) bool {
	digits, ok := strings.CutPrefix(s, indexPrefix)
	_, err := strconv.Atoi(digits)
	return ok && err == nil
}

var errClosed error = &meaning{"client is closed", os.ErrClosed}

// causeOf leaves out the context of an error, for one that has its own.
func causeOf(err error) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // only the outermost is left out
		return e.Err
	}
	return err
}

// opError makes an *Error of what went wrong, and nil of nil. An interface that was asked for
// by its index inside this package is named as the caller did.
func opError(op string, link Link, err error) error {
	if err == nil {
		return nil
	}
	e, ok := err.(*Error) //nolint:errorlint // what wraps or joins one must not be lost
	if !ok {
		if err == os.ErrClosed { //nolint:errorlint // what wraps it says more
			err = errClosed
		}
		e = &Error{Err: err}
		if ke, ok := errors.AsType[*KernelError](err); ok {
			e.Message = ke.Message
		}
	}
	c := *e
	c.Op = op
	if c.Link == "" || link.Name != "" && isIndexText(c.Link) {
		c.Link = linkText(link)
	}
	return &c
}
