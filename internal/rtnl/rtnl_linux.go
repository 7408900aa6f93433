// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl

import (
	"cmp"
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// dumpAttempts is how often a dump that changes disturb is read again. A
	// busy container host makes some links a second; a dump takes milliseconds.
	dumpAttempts = 10

	// defaultReadBuffer holds a burst of some hundred link messages. The
	// kernel's default holds about fifty.
	defaultReadBuffer = 1 << 20

	// drainLimit bounds the reading after an overflow on a host that changes
	// links faster than they can be read.
	drainLimit = 4096

	// extFilterSkipStats is RTEXT_FILTER_SKIP_STATS of <linux/rtnetlink.h>.
	extFilterSkipStats = 1 << 3
)

type conn struct{ c *netlink.Conn }

func dial(cfg *Config) (*conn, error) {
	c, err := open("dial", cfg)
	if err != nil {
		return nil, err
	}
	return &conn{c: c}, nil
}

func open(op string, cfg *Config) (*netlink.Conn, error) {
	if cfg == nil {
		cfg = &Config{}
	}
	// The thread decides the namespace, both in the comparison and in the
	// socket call.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ns := cfg.NetNS
	if ns != 0 && isThreadNetNS(ns) {
		ns = 0
	}
	c, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: ns})
	if err != nil {
		return nil, opError(op, "", err)
	}
	// Without it errors come as bare numbers, which is all that is lost on a
	// kernel older than 4.12.
	_ = c.SetOption(netlink.ExtendedAcknowledge, true)
	return c, nil
}

// isThreadNetNS reports whether fd is the namespace the calling thread is in.
// Entering a namespace needs privilege even for the one we are in.
func isThreadNetNS(fd int) bool {
	var own, other unix.Stat_t
	if unix.Stat("/proc/thread-self/ns/net", &own) != nil || unix.Fstat(fd, &other) != nil {
		return false
	}
	return own.Dev == other.Dev && own.Ino == other.Ino
}

func (c *conn) close() error { return opError("close", "", c.c.Close()) }

func (c *conn) links() ([]Link, error) {
	const op = "list links"
	body := make([]byte, linkHeaderLen)
	links, err := dump(c, op, unix.RTM_GETLINK, append(body, extMask()...), ParseLink)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(links, func(a, b Link) int { return cmp.Compare(a.Index, b.Index) })
	return links, nil
}

func (c *conn) ipv4Addrs() ([]Addr, error) {
	body := make([]byte, addrHeaderLen)
	body[0] = familyIPv4
	return dump(c, "list addresses", unix.RTM_GETADDR, body, ParseAddr)
}

// dump asks for all objects of a type, again while changes disturb the answer.
func dump[T any](c *conn, op string, typ netlink.HeaderType, body []byte, parse func([]byte) (T, bool, error)) ([]T, error) {
	for range dumpAttempts {
		msgs, err := c.c.Execute(netlink.Message{
			Header: netlink.Header{Type: typ, Flags: netlink.Request | netlink.Dump},
			Data:   body,
		})
		if err != nil {
			return nil, opError(op, "", err)
		}
		if slices.ContainsFunc(msgs, func(m netlink.Message) bool { return m.Header.Flags&netlink.DumpInterrupted != 0 }) {
			continue
		}
		all := make([]T, 0, len(msgs))
		for _, m := range msgs {
			v, ok, err := parse(m.Data)
			if err != nil {
				return nil, opError(op, "", err)
			}
			if ok {
				all = append(all, v)
			}
		}
		return all, nil
	}
	return nil, opError(op, "", ErrInterrupted)
}

func (c *conn) linkByIndex(index int) (Link, error) {
	name := strconv.Itoa(index)
	if index <= 0 || int(int32(index)) != index {
		return Link{}, opError("read link", name, unix.ENODEV)
	}
	return c.link(name, index, nil)
}

func (c *conn) linkByName(name string) (Link, error) {
	if name == "" {
		return Link{}, opError("read link", strconv.Quote(name), unix.ENODEV)
	}
	typ := uint16(iflaIfname)
	if len(name) >= unix.IFNAMSIZ {
		typ = iflaAltIfname
	}
	attr, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: typ, Data: append([]byte(name), 0)}})
	if err != nil {
		return Link{}, opError("read link", name, err)
	}
	return c.link(name, 0, attr)
}

// link asks for one link, by index or, where that is 0, by the attribute.
func (c *conn) link(name string, index int, attr []byte) (Link, error) {
	const op = "read link"
	body := make([]byte, linkHeaderLen)
	binary.NativeEndian.PutUint32(body[4:], uint32(index))
	body = append(body, attr...)

	msgs, err := c.c.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETLINK, Flags: netlink.Request},
		Data:   append(body, extMask()...),
	})
	if err != nil {
		return Link{}, opError(op, name, err)
	}
	for _, m := range msgs {
		l, ok, err := ParseLink(m.Data)
		if err != nil {
			return Link{}, opError(op, name, err)
		}
		if ok {
			return l, nil
		}
	}
	return Link{}, opError(op, name, unix.ENODEV)
}

// extMask asks the kernel to leave out the statistics, half of a message.
func extMask() []byte {
	const attrLen = attrHeaderLen + 4
	b := make([]byte, 0, attrLen)
	b = binary.NativeEndian.AppendUint16(b, attrLen)
	b = binary.NativeEndian.AppendUint16(b, iflaExtMask)
	return binary.NativeEndian.AppendUint32(b, extFilterSkipStats)
}

type watcher struct {
	c      *netlink.Conn
	closed atomic.Bool
}

func watch(cfg *Config) (*watcher, error) {
	const op = "watch"
	c, err := open(op, cfg)
	if err != nil {
		return nil, err
	}
	size := defaultReadBuffer
	if cfg != nil && cfg.ReadBuffer != 0 {
		size = cfg.ReadBuffer
	}
	err = errors.Join(c.SetReadBuffer(size), c.JoinGroup(unix.RTNLGRP_LINK))
	if cfg != nil && cfg.Addrs {
		err = errors.Join(err, c.JoinGroup(unix.RTNLGRP_IPV4_IFADDR))
	}
	if err != nil {
		_ = c.Close()
		return nil, opError(op, "", err)
	}
	return &watcher{c: c}, nil
}

func (w *watcher) receive() ([]Event, error) {
	for {
		msgs, err := w.c.Receive()
		if err != nil {
			return w.failed(err)
		}
		if events, err := decode(msgs); err != nil || len(events) > 0 {
			return events, opError("watch", "", err)
		}
	}
}

func (w *watcher) pending() ([]Event, error) {
	for {
		queued, err := w.queued()
		if err != nil {
			return w.failed(err)
		}
		if !queued {
			return nil, nil
		}
		msgs, err := w.c.Receive()
		if err != nil {
			return w.failed(err)
		}
		if events, err := decode(msgs); err != nil || len(events) > 0 {
			return events, opError("watch", "", err)
		}
	}
}

// queued reports whether a message can be read without waiting.
func (w *watcher) queued() (bool, error) {
	rc, err := w.c.SyscallConn()
	if err != nil {
		return false, err
	}
	var result error
	err = rc.Control(func(fd uintptr) {
		var b [1]byte
		for {
			_, _, result = unix.Recvfrom(int(fd), b[:], unix.MSG_DONTWAIT|unix.MSG_PEEK|unix.MSG_TRUNC)
			if !errors.Is(result, unix.EINTR) {
				return
			}
		}
	})
	if err == nil && errors.Is(result, unix.EAGAIN) {
		return false, nil
	}
	err = cmp.Or(err, result)
	return err == nil, err
}

// failed makes of what was read instead of messages what the caller is told.
func (w *watcher) failed(err error) ([]Event, error) {
	const op = "watch"
	if errors.Is(err, unix.ENOBUFS) {
		if err := w.drain(); err != nil {
			return nil, opError(op, "", err)
		}
		return []Event{{Kind: EventResync}}, nil
	}
	if w.closed.Load() {
		err = os.ErrClosed // a Receive that waits meanwhile is told so in many ways
	}
	return nil, opError(op, "", err)
}

// decode returns the events that messages tell of.
func decode(msgs []netlink.Message) ([]Event, error) {
	var events []Event
	for _, m := range msgs {
		kind := EventChanged
		switch m.Header.Type {
		case unix.RTM_NEWLINK:
		case unix.RTM_DELLINK:
			kind = EventDeleted
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			events = append(events, Event{Kind: EventAddrs})
			continue
		default:
			continue
		}
		l, ok, err := ParseLink(m.Data)
		if err != nil {
			return nil, err
		}
		if ok {
			events = append(events, Event{Kind: kind, Link: l})
		}
	}
	return events, nil
}

// drain throws away what is queued. The kernel drops all further messages
// until the queue has been emptied once, and what stands in it is older than the
// loss: applied after a fresh dump it would undo it.
func (w *watcher) drain() error {
	rc, err := w.c.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = rc.Control(func(fd uintptr) {
		var b [1]byte
		for range drainLimit {
			_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_DONTWAIT|unix.MSG_TRUNC)
			switch {
			case err == nil, errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EINTR):
			case errors.Is(err, unix.EAGAIN):
				return
			default:
				result = err
				return
			}
		}
	})
	return cmp.Or(err, result)
}

func (w *watcher) setDeadline(t time.Time) error { return opError("watch", "", w.c.SetDeadline(t)) }

func (w *watcher) close() error {
	w.closed.Store(true)
	return opError("watch", "", w.c.Close())
}

// opError makes an Error of err, nil of nil. It takes the kernel's
// explanation out of the netlink error, which repeats the operation.
func opError(op, link string, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: op, Link: link, Err: err}
	if oe, ok := errors.AsType[*netlink.OpError](err); ok {
		e.Message = oe.Message
		e.Err = oe.Err
	}
	if se, ok := errors.AsType[*os.SyscallError](e.Err); ok {
		e.Err = se.Err
	}
	return e
}
