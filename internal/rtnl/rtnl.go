// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package rtnl reads the few facts about links that several packages of this
// module need from rtnetlink: names, addresses, masters, flags, carrier and the
// heads of a bond's options. That only reads, needs no privilege, and imports
// none of the module's packages.
//
// Below it, and for packages that send requests of their own, are Socket, a netlink
// socket that tells a disturbed dump and a refusal apart, and NetNS, which opens sockets
// in another network namespace. Both are on Linux only.
//
// The decoders [ParseLink] and [ParseAddr] build everywhere; [Dial] and [Watch]
// need Linux and return an error matching [errors.ErrUnsupported] elsewhere.
//
// A program that follows links calls [Watch] first, then [Conn.Links], and
// then [Watcher.Receive] in a loop, so that no change falls between. What was
// queued during the dump can be older than the dump; the change that the dump
// already showed follows it.
package rtnl

import "time"

// Config says where to look. The zero Config, and a nil one, mean the network
// namespace of the calling thread.
type Config struct {
	// NetNS is a file descriptor of a network namespace, 0 for that of the
	// calling thread. It is used by Dial and Watch only and remains the
	// caller's. A namespace other than the thread's own needs CAP_SYS_ADMIN.
	NetNS int

	// ReadBuffer is the size in bytes of a [Watcher]'s receive buffer, 0 for 1
	// MiB. Without CAP_NET_ADMIN the kernel limits it to net.core.rmem_max.
	ReadBuffer int

	// Addrs has a [Watcher] also tell when an IPv4 address of a link comes or
	// goes.
	Addrs bool
}

// Conn answers questions about links. It is safe for concurrent use. Close
// releases its socket.
type Conn struct{ c *conn }

// Dial opens a socket to rtnetlink. A nil cfg means the zero [Config].
func Dial(cfg *Config) (*Conn, error) {
	c, err := dial(cfg)
	if err != nil {
		return nil, err
	}
	return &Conn{c: c}, nil
}

// Close closes the socket.
func (c *Conn) Close() error { return c.c.close() }

// Links returns all links of the namespace in ascending order of index.
func (c *Conn) Links() ([]Link, error) { return c.c.links() }

// LinkByIndex returns the link with the interface index, or an error matching
// os.ErrNotExist if there is none.
func (c *Conn) LinkByIndex(index int) (Link, error) { return c.c.linkByIndex(index) }

// LinkByName returns the link with the name, which may be one of its
// alternative names, or an error matching os.ErrNotExist if there is none.
func (c *Conn) LinkByName(name string) (Link, error) { return c.c.linkByName(name) }

// IPv4Addrs returns the IPv4 addresses of all links of the namespace.
func (c *Conn) IPv4Addrs() ([]Addr, error) { return c.c.ipv4Addrs() }

// EventKind says what an [Event] is about.
type EventKind uint8

const (
	// EventChanged says that the link is new, or something about it has changed.
	EventChanged EventKind = iota + 1

	// EventDeleted says that the link is gone from the namespace, deleted or
	// moved to another one. The facts are its last ones.
	EventDeleted

	// EventResync says that the kernel had more to tell than the socket's
	// buffer held, and events are lost. The caller must read all links again;
	// what was queued up to the loss is thrown away, so events that follow are
	// newer.
	EventResync

	// EventAddrs says that an IPv4 address has come or gone, for
	// [Config.Addrs] only. What [Conn.IPv4Addrs] returns afterwards is at least as
	// new.
	EventAddrs
)

// Event is one change of one link.
type Event struct {
	Kind EventKind

	// Link is the link as the message describes it, zero for EventResync
	// and EventAddrs.
	Link Link
}

// Watcher receives the changes of all links of a namespace.
type Watcher struct{ w *watcher }

// Watch subscribes to changes of links. A nil cfg means the zero [Config].
// The events begin here; present links are not reported.
func Watch(cfg *Config) (*Watcher, error) {
	w, err := watch(cfg)
	if err != nil {
		return nil, err
	}
	return &Watcher{w: w}, nil
}

// Receive waits for changes and returns at least one event, or an error
// matching os.ErrDeadlineExceeded after the deadline of [Watcher.SetDeadline],
// and os.ErrClosed after [Watcher.Close]. After any error but the first of
// these the Watcher is of no more use. Calls must not overlap. The events are
// the caller's.
func (w *Watcher) Receive() ([]Event, error) { return w.w.receive() }

// Pending is like [Watcher.Receive], but returns no event and no error where
// nothing is queued, instead of waiting. It takes no notice of a deadline that
// has not passed yet, and must not overlap with Receive.
func (w *Watcher) Pending() ([]Event, error) { return w.w.pending() }

// SetDeadline sets when Receive gives up, also one that is waiting now. The
// zero time means never.
func (w *Watcher) SetDeadline(t time.Time) error { return w.w.setDeadline(t) }

// Close ends the subscription and a Receive that is waiting. It may be called
// more than once and from any goroutine.
func (w *Watcher) Close() error { return w.w.close() }
