// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// tapBuffer is the receive buffer of a tap in bytes, enough for some thousand
// small frames.
const tapBuffer = 1 << 20

// tapConn is the socket of a Tap. The runtime's poller wakes it.
type tapConn struct{ file *os.File }

func openTap(index int) (tapConn, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return tapConn{}, os.NewSyscallError("socket", err)
	}
	fail := func(call string, err error) (tapConn, error) {
		unix.Close(fd)
		return tapConn{}, os.NewSyscallError(call, err)
	}
	// Without privilege over the machine the limit of the system stays.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, tapBuffer) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, tapBuffer); err != nil {
			return fail("setsockopt", err)
		}
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return fail("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: index}); err != nil {
		return fail("bind", err)
	}
	return tapConn{os.NewFile(uintptr(fd), "tap")}, nil
}

// Read returns the next frame. It waits for it until the deadline and then
// returns an error matching os.ErrDeadlineExceeded; the zero time waits for
// ever. After Close the error matches os.ErrClosed.
func (t tapConn) Read(deadline time.Time) (Frame, error) {
	if err := t.file.SetReadDeadline(deadline); err != nil {
		return Frame{}, err
	}
	conn, err := t.file.SyscallConn()
	if err != nil {
		return Frame{}, err
	}
	var frame Frame
	var failed error
	buf, oob := make([]byte, 2048), make([]byte, 128)
	err = conn.Read(func(fd uintptr) bool {
		n, noob, _, from, err := unix.Recvmsg(int(fd), buf, oob, 0)
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			return false
		case err != nil:
			failed = os.NewSyscallError("recvmsg", err)
			return true
		}
		frame.Data = buf[:n]
		frame.VLAN = auxVLAN(oob[:noob])
		if ll, ok := from.(*unix.SockaddrLinklayer); ok {
			frame.Device = ll.Ifindex
			frame.Outgoing = ll.Pkttype == unix.PACKET_OUTGOING
		}
		return true
	})
	if err != nil {
		return Frame{}, err
	}
	return frame, failed
}

// Close closes the socket.
func (t tapConn) Close() error { return t.file.Close() }

// auxVLAN returns the VLAN ID in the control messages of a frame, or 0.
func auxVLAN(oob []byte) uint16 {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		// struct tpacket_auxdata: status and four more fields before vlan_tci.
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA || len(m.Data) < 20 {
			continue
		}
		if binary.NativeEndian.Uint32(m.Data)&unix.TP_STATUS_VLAN_VALID != 0 {
			return binary.NativeEndian.Uint16(m.Data[16:]) & 0x0fff
		}
	}
	return 0
}

// senderConn is the socket of a sender. It receives nothing.
type senderConn struct{ fd int }

func openSender(index int) (senderConn, error) {
	// Protocol 0: the socket never gets a frame.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return senderConn{}, os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: index}); err != nil {
		unix.Close(fd)
		return senderConn{}, os.NewSyscallError("bind", err)
	}
	return senderConn{fd}, nil
}

// Send sends one frame.
func (s senderConn) Send(frame []byte) error {
	_, err := unix.Write(s.fd, frame)
	return err
}

// Close closes the socket. No Send may run or follow.
func (s senderConn) Close() error { return unix.Close(s.fd) }

func htons(v uint16) uint16 { return binary.NativeEndian.Uint16([]byte{byte(v >> 8), byte(v)}) }
