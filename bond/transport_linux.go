// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// transportAttempts is how often a dump that changes disturb is read again. A
	// busy container host makes some links a second; a dump takes milliseconds.
	transportAttempts = 10

	// transportBuffer is what datagrams are read into. The kernel puts at most 32
	// KiB of a dump into one, and uses the buffer only if it is offered.
	transportBuffer = 32 << 10

	// transportReadBuffer holds a burst of some hundred changes. The kernel's
	// default holds about fifty.
	transportReadBuffer = 1 << 20

	// transportDrainLimit bounds the reading after a loss on a host that changes
	// links faster than they can be read.
	transportDrainLimit = 4096

	nlmsgMulti    = 1 << 1
	nlmsgDumpIntr = 1 << 4
	nlmsgCapped   = 1 << 8 // of an error: the request is not repeated in full
	nlmsgAckTLVs  = 1 << 9 // of an error: attributes follow

	extAckMessage = 1
	extAckOffset  = 2
)

// transport is the rtnetlink of the kernel we run on. Requests share one
// socket, and are sent one after the other.
type transport struct {
	ns     *netns
	size   int // of the receive buffer of a Subscription
	s      *rtSocket
	turn   chan struct{} // holds a token while a request is under way
	closed atomic.Bool
}

func newTransport(cfg *Config) (Transport, error) {
	ns, err := openNetNS(cfg)
	if err != nil {
		return nil, err
	}
	t := &transport{ns: ns, size: cmp.Or(cfg.ReadBuffer, transportReadBuffer), turn: make(chan struct{}, 1)}
	if t.s, err = openRTSocket(ns); err != nil {
		ns.close()
		return nil, err
	}
	return t, nil
}

// Close implements [Transport].
func (t *transport) Close() error {
	if t.closed.Swap(true) {
		return os.ErrClosed
	}
	t.ns.close()
	return t.s.close()
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
		msgs, err := t.s.request(req)
		if !errors.Is(err, ErrInterrupted) {
			return msgs, t.failed(err)
		}
	}
	return nil, ErrInterrupted
}

// failed makes of an error what the caller is told. A request that waits while
// the socket is closed is told so in many ways.
func (t *transport) failed(err error) error {
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
	s, err := openRTSocket(t.ns)
	if err != nil {
		return nil, t.failed(err)
	}
	// The size comes first, so that nothing is lost for want of it.
	if err := errors.Join(s.c.SetReadBuffer(t.size), s.c.JoinGroup(unix.RTNLGRP_LINK)); err != nil {
		_ = s.close()
		return nil, rtErrno(err)
	}
	return &subscription{s: s}, nil
}

// subscription is a socket in the group of link changes.
type subscription struct {
	s      *rtSocket
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
		_ = s.s.c.SetReadDeadline(time.Unix(1, 0)) // long past
	})
	defer func() {
		if !stop() {
			<-set
			_ = s.s.c.SetReadDeadline(time.Time{})
		}
	}()
	for {
		b, err := s.s.receive()
		switch {
		case err == nil:
		case s.closed.Load():
			return nil, os.ErrClosed
		case errors.Is(err, unix.ENOBUFS):
			return nil, cmp.Or(s.s.drain(), ErrOverrun)
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
			return nil, ctx.Err()
		default:
			return nil, err
		}
		msgs, err := rtMessages(b)
		if err != nil || len(msgs) > 0 {
			return msgs, err
		}
	}
}

// rtMessages returns the messages of a datagram, which they share.
func rtMessages(b []byte) ([]Message, error) {
	b = slices.Clone(b)
	var msgs []Message
	for len(b) > 0 {
		h, body, rest, err := rtMessage(b)
		if err != nil {
			return nil, err
		}
		if h.typ > netlinkMinType {
			msgs = append(msgs, Message{Type: h.typ, Flags: h.flags, Data: body})
		}
		b = rest
	}
	return msgs, nil
}

// Close implements [Subscription].
func (s *subscription) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.s.close()
}

// rtSocket is one rtnetlink socket. The library opens it and knows how to wait for
// it; messages are read here, because it hides the flags of the last message of a
// dump, which alone may say that the dump was disturbed, and returns before the
// acknowledgement of a request that is echoed.
type rtSocket struct {
	c   *netlink.Conn
	rc  syscall.RawConn
	buf []byte
}

func openRTSocket(ns *netns) (*rtSocket, error) {
	s := &rtSocket{buf: make([]byte, transportBuffer)}
	err := ns.do(func() (err error) {
		s.c, err = netlink.Dial(unix.NETLINK_ROUTE, nil)
		return err
	})
	if err != nil {
		return nil, rtErrno(err)
	}
	if s.rc, err = s.c.SyscallConn(); err != nil {
		_ = s.c.Close()
		return nil, err
	}
	// Without it errors come as bare numbers, which is all that is lost on a
	// kernel older than 4.12.
	_ = s.c.SetOption(netlink.ExtendedAcknowledge, true)
	return s, nil
}

func (s *rtSocket) close() error { return s.c.Close() }

// request sends one request and reads what comes back for it.
func (s *rtSocket) request(req Message) ([]Message, error) {
	sent, err := s.c.Send(netlink.Message{
		Header: netlink.Header{
			Type:  netlink.HeaderType(req.Type),
			Flags: netlink.HeaderFlags(req.Flags | nlmFlagRequest | nlmFlagAck),
		},
		Data: req.Data,
	})
	if err != nil {
		return nil, rtErrno(err)
	}
	var msgs []Message
	var disturbed bool
	for {
		b, err := s.receive()
		if err != nil {
			return nil, err
		}
		b = slices.Clone(b)
		for len(b) > 0 {
			h, body, rest, err := rtMessage(b)
			if err != nil {
				return nil, err
			}
			b = rest
			if h.seq != sent.Header.Sequence {
				continue // left over from a request that was given up
			}
			disturbed = disturbed || h.flags&nlmsgDumpIntr != 0
			switch {
			case h.typ == netlinkError || h.typ == netlinkDone:
				if ke := rtKernelError(h, body); ke != nil {
					return nil, ke
				}
				if disturbed {
					return nil, ErrInterrupted
				}
				return msgs, nil
			case h.typ > netlinkMinType:
				msgs = append(msgs, Message{Type: h.typ, Flags: h.flags, Data: body})
			}
		}
	}
}

// receive waits for a datagram. What it returns holds until it is called again.
func (s *rtSocket) receive() ([]byte, error) {
	var n int
	var result error
	err := s.rc.Read(func(fd uintptr) bool {
		// A message may be larger than the buffer: an interface with many virtual
		// functions has some hundred KiB to say.
		n, result = rtRecv(int(fd), nil, unix.MSG_PEEK|unix.MSG_TRUNC)
		if errors.Is(result, unix.EAGAIN) {
			return false
		}
		if result != nil {
			return true
		}
		if n > len(s.buf) {
			s.buf = make([]byte, n)
		}
		n, result = rtRecv(int(fd), s.buf, unix.MSG_TRUNC)
		return !errors.Is(result, unix.EAGAIN)
	})
	switch err = cmp.Or(err, result); {
	case err != nil:
		return nil, err
	case n > len(s.buf):
		return nil, ErrMalformed
	}
	return s.buf[:n], nil
}

// rtRecv reads one datagram without waiting for it.
func rtRecv(fd int, b []byte, flags int) (int, error) {
	for {
		n, _, err := unix.Recvfrom(fd, b, flags|unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// drain throws away what is queued. The kernel drops all further messages
// until the queue has been emptied once, and what stands in it is older than the
// loss: applied after a fresh dump it would undo it.
func (s *rtSocket) drain() error {
	var result error
	err := s.rc.Control(func(fd uintptr) {
		var b [1]byte
		for range transportDrainLimit {
			_, err := rtRecv(int(fd), b[:], unix.MSG_TRUNC)
			switch {
			case err == nil, errors.Is(err, unix.ENOBUFS):
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

// rtErrno takes the number out of the library's errors, which repeat the
// operation.
func rtErrno(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}

// Types of control messages, from <linux/netlink.h>.
const (
	netlinkError   = 2
	netlinkDone    = 3
	netlinkMinType = 15
)

// rtHeader is what matters of struct nlmsghdr.
type rtHeader struct {
	typ, flags uint16
	seq        uint32
}

// rtMessage cuts the first message off a datagram.
func rtMessage(b []byte) (h rtHeader, body, rest []byte, err error) {
	if len(b) < nlmHeaderLen {
		return h, nil, nil, ErrMalformed
	}
	n := int64(binary.NativeEndian.Uint32(b))
	if n < nlmHeaderLen || n > int64(len(b)) {
		return h, nil, nil, ErrMalformed
	}
	h = rtHeader{
		typ:   binary.NativeEndian.Uint16(b[4:]),
		flags: binary.NativeEndian.Uint16(b[6:]),
		seq:   binary.NativeEndian.Uint32(b[8:]),
	}
	next := min((n+3)&^3, int64(len(b)))
	return h, b[nlmHeaderLen:n:n], b[next:], nil
}

// rtKernelError reads an acknowledgement, or the end of a dump: nil where there was
// no error. Both begin with the number, and attributes may follow.
func rtKernelError(h rtHeader, body []byte) error {
	if len(body) < 4 {
		if h.typ == netlinkDone {
			return nil
		}
		return ErrMalformed
	}
	errno := int32(binary.NativeEndian.Uint32(body))
	if errno >= 0 {
		return nil
	}
	ke := &KernelError{Errno: syscall.Errno(-int64(errno))}
	body = body[4:]
	if h.flags&nlmsgAckTLVs == 0 {
		return ke
	}
	if h.typ == netlinkError {
		if len(body) < nlmHeaderLen {
			return ke
		}
		skip := int64(nlmHeaderLen)
		if h.flags&nlmsgCapped == 0 { // the request is repeated
			skip = max(skip, (int64(binary.NativeEndian.Uint32(body))+3)&^3)
		}
		body = body[min(skip, int64(len(body))):]
	}
	for len(body) >= 4 {
		n := int(binary.NativeEndian.Uint16(body))
		if n < 4 || n > len(body) {
			break
		}
		switch payload := body[4:n]; binary.NativeEndian.Uint16(body[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER) {
		case extAckMessage:
			ke.Message = unix.ByteSliceToString(payload)
		case extAckOffset:
			if len(payload) >= 4 {
				ke.Offset = int(binary.NativeEndian.Uint32(payload))
			}
		}
		body = body[min((n+3)&^3, len(body)):]
	}
	return ke
}
