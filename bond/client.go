// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// Config says where [Dial] finds the kernel. The zero Config, and a nil one, mean
// the network namespace of the calling thread.
type Config struct {
	// NetNS is a file descriptor of a network namespace, and NetNSPath its path. At
	// most one may be set. The descriptor stays the caller's, and is not used
	// after Dial returned. To enter another namespace than the thread's, Dial needs
	// CAP_SYS_ADMIN over both.
	NetNS     int
	NetNSPath string

	// Transport is used instead of rtnetlink, on any system, and closed by
	// [Client.Close]. Nil means the kernel of this machine.
	Transport Transport

	// ReadBuffer is the size in bytes of the receive buffer of [Client.Watch], 0 for
	// 1 MiB. Without CAP_NET_ADMIN the kernel limits it to net.core.rmem_max.
	ReadBuffer int

	// PollInterval is how often [Client.Watch] reads all bonds and slaves again, for
	// what the kernel does not announce: LACP state, options of a bond that is
	// down, requests that failed half way. 0 means one second, and less than 0
	// never.
	PollInterval time.Duration
}

// Client reads and changes the bonds of one network namespace. It is safe for
// concurrent use. Close releases its socket.
//
// Its methods take an interface by index or by name; see [Link]. They return an
// *[Error]. Where the interface is not there, it matches os.ErrNotExist; where
// it is no bond, ErrNotBond. Changing needs CAP_NET_ADMIN in the user namespace
// that owns the network namespace; without it the error matches
// os.ErrPermission. Reading needs nothing, but see [Bond.Has]. When the context of
// a change ends, the kernel may have made it all the same.
type Client struct {
	t     Transport
	poll  time.Duration
	close func() error

	applying applyLocks // of the names of bonds; see Apply
}

// clientPoll is what a PollInterval of 0 means.
const clientPoll = time.Second

// Dial opens a Client. A nil cfg is the zero Config. It needs no privilege,
// except to enter another network namespace. Requests are sent from any thread
// of the process. The error is an *[Error]; it matches os.ErrPermission where
// that was refused, ErrBadValue where cfg makes no sense, and
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
	case cfg.NetNS < 0 || cfg.ReadBuffer < 0:
		return nil, &Error{Op: op, Err: ErrBadValue, Hint: "NetNS and ReadBuffer cannot be negative"}
	}
	t := cfg.Transport
	if t == nil {
		var err error
		if t, err = newTransport(cfg); err != nil {
			return nil, clientError(op, "", err)
		}
	}
	return &Client{t: t, poll: cmp.Or(cfg.PollInterval, clientPoll), close: sync.OnceValue(t.Close)}, nil
}

// Close releases the Transport. What is under way, and every later call, fails
// with an error matching os.ErrClosed; a Watch that is under way does so the
// next time it reads. Closing again does nothing and returns the same.
func (c *Client) Close() error { return clientError("close", "", c.close()) }

// link sends a request about links and returns its body and the answer.
func (c *Client) link(ctx context.Context, typ, flags uint16, r *linkRequest) (body []byte, msgs []Message, err error) {
	body, err = appendLinkRequest(nil, r)
	if err != nil {
		return nil, nil, err
	}
	msgs, err = c.t.Do(ctx, Message{Type: typ, Flags: flags, Data: body})
	return body, msgs, err
}

// clientError makes an *Error of what went wrong, and nil of nil.
func clientError(op, link string, err error) error {
	if err == nil {
		return nil
	}
	e, ok := err.(*Error) //nolint:errorlint // what wraps or joins one must not be lost
	if !ok {
		if errors.Is(err, os.ErrClosed) {
			err = errClosed
		}
		e = &Error{Err: err}
		if ke, ok := errors.AsType[*KernelError](err); ok {
			e.Message = ke.Message
		}
	}
	c := *e
	c.Op = op
	if link != "" {
		c.Link = link
	}
	return &c
}

// clientNameChars are the bytes that the kernel refuses in the name of a new
// interface (dev_valid_name in net/core/dev.c). 0xa0 is a space to it. A percent
// sign would make a pattern of the name.
const clientNameChars = "/:\x00 \t\n\v\f\r\xa0%"

// checkNewName reports whether an interface may have the name.
func checkNewName(name string) error {
	hint := ""
	switch {
	case name == "":
		hint = "a name is needed"
	case len(name) > ifNameMax:
		hint = "a name has at most 15 bytes"
	case name == "." || name == "..":
		hint = "the name is reserved"
	case clientBadByte(name):
		hint = "a name has no slash, colon, percent sign, space or NUL in it"
	default:
		return nil
	}
	return &Error{Value: name, Err: ErrBadValue, Hint: hint}
}

func clientBadByte(name string) bool {
	for i := range len(name) {
		if strings.IndexByte(clientNameChars, name[i]) >= 0 {
			return true
		}
	}
	return false
}

// CreateOptions are what [Client.Create] can do besides setting options. The zero
// value leaves everything to the kernel.
type CreateOptions struct {
	// MAC is the hardware address. Nil means a random one, for which the first
	// slave's is taken later.
	MAC net.HardwareAddr
	// MTU is the MTU, 0 for 1500.
	MTU int
	// TxQueues is the number of transmit queues, which bounds queue_id. It
	// cannot be changed later. 0 means the default of the module, 16.
	TxQueues int
	// Up switches the bond on.
	Up bool
}

// Stats are the counters of LACPDUs and marker PDUs of one 802.3ad slave, or the
// sums over all slaves of a bond, since the slave was enslaved (BOND_3AD_STAT_ in
// <linux/if_bonding.h>, since 5.1).
type Stats struct {
	LACPDURx, LACPDUTx         uint64
	UnknownRx, IllegalRx       uint64
	MarkerRx, MarkerTx         uint64
	MarkerRespRx, MarkerRespTx uint64
	MarkerUnknownRx            uint64
}
