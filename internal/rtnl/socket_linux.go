// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	// socketBuffer is what datagrams are read into. The kernel puts at most 32
	// KiB of a dump into one, and uses the buffer only if it is offered.
	socketBuffer = 32 << 10

	// socketDrainLimit bounds the reading after a loss on a host that changes
	// faster than it can be read.
	socketDrainLimit = 4096

	nlmsgHeaderLen = 16
	nlmsgError     = 2
	nlmsgDone      = 3
	nlmsgMinType   = 15

	nlmsgDumpIntr = 1 << 4
	nlmsgCapped   = 1 << 8 // of an error: the request is not repeated in full
	nlmsgAckTLVs  = 1 << 9 // of an error: attributes follow

	extAckMessage = 1
	extAckOffset  = 2
)

// Message is one netlink message without the fields of its header that matter to
// sockets only.
type Message struct {
	Type, Flags uint16
	// Data is what follows struct nlmsghdr.
	Data []byte
}

// Refusal is the kernel's answer to a request that it refused. It unwraps to its
// Errno.
type Refusal struct {
	Errno syscall.Errno
	// Message is the text of the extended acknowledgement, empty without one, and
	// Offset the place of the attribute at fault in the request with its
	// header, 0 for none.
	Message string
	Offset  int
}

// Error returns the text of the errno, and the message.
func (r *Refusal) Error() string {
	if r.Message == "" {
		return r.Errno.Error()
	}
	return r.Errno.Error() + ": " + r.Message
}

// Unwrap returns the Errno.
func (r *Refusal) Unwrap() error { return r.Errno }

// Socket is one netlink socket, of any protocol. Except for Abort and Close it is for one
// goroutine at a time.
//
// The library opens it and knows how to wait for it; messages are read here,
// because it hides the flags of the last message of a dump, which alone may say
// that the dump was disturbed, and does not wait for the acknowledgement.
type Socket struct {
	c   *netlink.Conn
	rc  syscall.RawConn
	buf []byte
}

// OpenSocket opens a socket of a protocol (NETLINK_ROUTE, NETLINK_GENERIC) in a
// namespace, with extended acknowledgements where the kernel has them.
func OpenSocket(ns *NetNS, protocol int) (*Socket, error) {
	s := &Socket{buf: make([]byte, socketBuffer)}
	err := ns.Do(func() (err error) {
		s.c, err = netlink.Dial(protocol, nil)
		return err
	})
	if err != nil {
		return nil, socketErrno(err)
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

// Strict has the kernel refuse what it would pass over in requests that read, and
// filter dumps that it would not (Linux 4.20).
func (s *Socket) Strict() { _ = s.c.SetOption(netlink.GetStrictCheck, true) }

// Close closes the socket. It waits for a system call that is under way, as Request
// and Receive make them.
func (s *Socket) Close() error { return s.c.Close() }

// Abort has what waits for a message now, and everything that would wait later, end with an
// error matching os.ErrDeadlineExceeded. It does not wait itself.
func (s *Socket) Abort() { _ = s.c.SetReadDeadline(time.Unix(1, 0)) } // long past

// Resume takes Abort back.
func (s *Socket) Resume() { _ = s.c.SetReadDeadline(time.Time{}) }

// Join has the socket receive what is sent to a group from now on. size is that of
// its buffer in bytes, of which the kernel without CAP_NET_ADMIN gives at most
// net.core.rmem_max.
func (s *Socket) Join(group uint32, size int) error {
	// The size comes first, so that nothing is lost for want of it.
	return socketErrno(errors.Join(s.c.SetReadBuffer(size), s.c.JoinGroup(group)))
}

// Request sends one request, with NLM_F_REQUEST and NLM_F_ACK besides flags, and
// returns what comes back for it up to the acknowledgement, which it leaves out.
// The messages belong to the caller.
//
// The error is a *[Refusal] where the kernel refused, and matches [ErrInterrupted]
// where changes disturbed a dump; after these two the socket can be used on. Others match
// [ErrMalformed] or come from the system.
func (s *Socket) Request(typ, flags uint16, data []byte) ([]Message, error) {
	sent, err := s.c.Send(netlink.Message{
		Header: netlink.Header{
			Type:  netlink.HeaderType(typ),
			Flags: netlink.HeaderFlags(flags) | netlink.Request | netlink.Acknowledge,
		},
		Data: data,
	})
	if err != nil {
		return nil, socketErrno(err)
	}
	var msgs []Message
	disturbed := false
	for {
		b, err := s.read()
		if err != nil {
			return nil, err
		}
		b = slices.Clone(b)
		for len(b) > 0 {
			seq, m, rest, err := cutMessage(b)
			if err != nil {
				return nil, err
			}
			b = rest
			if seq != sent.Header.Sequence {
				continue // left over from a request that was given up
			}
			disturbed = disturbed || m.Flags&nlmsgDumpIntr != 0
			switch {
			case m.Type == nlmsgError || m.Type == nlmsgDone:
				if err := m.refusal(); err != nil {
					return nil, err
				}
				if disturbed {
					return nil, ErrInterrupted
				}
				return msgs, nil
			case m.Type > nlmsgMinType:
				msgs = append(msgs, m)
			}
		}
	}
}

// Receive waits for a datagram and returns the messages in it, which belong to the
// caller. The error matches ENOBUFS where messages were lost; then call Drain.
func (s *Socket) Receive() ([]Message, error) {
	b, err := s.read()
	if err != nil {
		return nil, err
	}
	return ParseMessages(slices.Clone(b))
}

// ParseMessages returns the messages of a datagram, which they share, without control
// messages. The error matches ErrMalformed.
func ParseMessages(b []byte) ([]Message, error) {
	var msgs []Message
	for len(b) > 0 {
		_, m, rest, err := cutMessage(b)
		if err != nil {
			return nil, err
		}
		if m.Type > nlmsgMinType {
			msgs = append(msgs, m)
		}
		b = rest
	}
	return msgs, nil
}

// read waits for a datagram. What it returns holds until it is called again.
func (s *Socket) read() ([]byte, error) {
	var n int
	var result error
	err := s.rc.Read(func(fd uintptr) bool {
		// A message may be larger than the buffer: an interface with many virtual
		// functions has some hundred KiB to say.
		n, result = receiveFrom(int(fd), nil, unix.MSG_PEEK|unix.MSG_TRUNC)
		if errors.Is(result, unix.EAGAIN) {
			return false
		}
		if result != nil {
			return true
		}
		if n > len(s.buf) {
			s.buf = make([]byte, n)
		}
		n, result = receiveFrom(int(fd), s.buf, unix.MSG_TRUNC)
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

// Drain throws away what is queued. The kernel drops all further messages
// until the queue has been emptied once, and what stands in it is older than the
// loss.
func (s *Socket) Drain() error {
	var result error
	err := s.rc.Control(func(fd uintptr) {
		var b [1]byte
		for range socketDrainLimit {
			_, err := receiveFrom(int(fd), b[:], unix.MSG_TRUNC)
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

// receiveFrom reads one datagram without waiting for it.
func receiveFrom(fd int, b []byte, flags int) (int, error) {
	for {
		n, _, err := unix.Recvfrom(fd, b, flags|unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// socketErrno takes the number out of the library's errors, which repeat the
// operation.
func socketErrno(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		if e, ok := errors.AsType[*NetNSError](err); ok {
			return e
		}
		return errno
	}
	return err
}

// cutMessage cuts the first message off a datagram.
func cutMessage(b []byte) (seq uint32, m Message, rest []byte, err error) {
	if len(b) < nlmsgHeaderLen {
		return 0, m, nil, ErrMalformed
	}
	n := int64(binary.NativeEndian.Uint32(b))
	if n < nlmsgHeaderLen || n > int64(len(b)) {
		return 0, m, nil, ErrMalformed
	}
	m = Message{
		Type:  binary.NativeEndian.Uint16(b[4:]),
		Flags: binary.NativeEndian.Uint16(b[6:]),
		Data:  b[nlmsgHeaderLen:n:n],
	}
	return binary.NativeEndian.Uint32(b[8:]), m, b[min((n+3)&^3, int64(len(b))):], nil
}

// refusal reads an acknowledgement, or the end of a dump: nil where there was no error. Both
// begin with the number, and attributes may follow.
func (m *Message) refusal() error {
	body := m.Data
	if len(body) < 4 {
		if m.Type == nlmsgDone {
			return nil
		}
		return ErrMalformed
	}
	errno := int32(binary.NativeEndian.Uint32(body))
	if errno >= 0 {
		return nil
	}
	r := &Refusal{Errno: syscall.Errno(-int64(errno))}
	body = body[4:]
	if m.Flags&nlmsgAckTLVs == 0 {
		return r
	}
	if m.Type == nlmsgError {
		if len(body) < nlmsgHeaderLen {
			return r
		}
		skip := int64(nlmsgHeaderLen)
		if m.Flags&nlmsgCapped == 0 { // the request is repeated
			skip = max(skip, (int64(binary.NativeEndian.Uint32(body))+3)&^3)
		}
		body = body[min(skip, int64(len(body))):]
	}
	// What cannot be read of the explanation is no reason to lose the number.
	_ = eachAttribute(body, func(a attribute) error {
		switch a.typ {
		case extAckMessage:
			r.Message = a.string()
		case extAckOffset:
			_ = a.int32(&r.Offset)
		}
		return nil
	})
	return r
}
