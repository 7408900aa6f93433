// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"errors"
	"math/bits"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// verdictBuffer is the receive buffer of a verdict socket. The kernel limits
	// it to net.core.rmem_max and doubles it. Nothing but possible answers
	// gets there, so it holds far more than a stall lets gather.
	verdictBuffer = 256 << 10
	// evidenceBuffer is that of an evidence socket: some hundred frames.
	evidenceBuffer = 48 << 10
	// evidencePerTurn is how many frames of an evidence socket are looked at in
	// one turn of the loop, so that a flood costs no more.
	evidencePerTurn = 64
	// sendBuffer is the send buffer for each target, doubled by the kernel, which
	// charges less than 1 KiB for a probe. A device that sends nothing any more
	// is noticed when it is full, and does not send old probes for long when it
	// starts again.
	sendBuffer = 1 << 10
	// leastCharge is less than the kernel charges a receive buffer for a frame
	// on any architecture.
	leastCharge = 256
)

// A tap is how a slave is listened to and sent through: two packet sockets. They
// are opened once, and bound anew when the interface comes back, so that a
// Monitor need not enter its namespace again.
type tap struct {
	verdict, evidence int // file descriptors, -1 for closed
	limit             int // frames that the verdict socket can hold at most
	bound             bool
	member            unix.PacketMreq // the membership in force, Alen 0 for none
	to                unix.RawSockaddrLinklayer
	verdictDrops      uint64
	evidenceDrops     uint64
}

// openTap opens both sockets, which receive nothing until they are bound.
func openTap(targets int) (t tap, err error) {
	t = tap{verdict: -1, evidence: -1}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if t.verdict, err = openPacket(verdictBuffer); err != nil {
		return t, err
	}
	if t.evidence, err = openPacket(evidenceBuffer); err != nil {
		return t, err
	}
	if err := unix.SetsockoptInt(t.verdict, unix.SOL_SOCKET, unix.SO_SNDBUF, max(16, 2*targets)*sendBuffer); err != nil {
		return t, err
	}
	size, err := unix.GetsockoptInt(t.verdict, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		return t, err
	}
	t.limit = size/leastCharge + 1
	return t, nil
}

// openPacket opens a packet socket that is not bound, and taps nothing: its
// protocol is 0.
func openPacket(buffer int) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer),
	)
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	// Without it (before Linux 4.20) the filter drops outgoing frames, at the
	// price of a copy of each.
	_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	return fd, nil
}

// bind makes the sockets those of an interface, for probes from mac. With
// membership the interface is told to receive frames to mac. What stood in the
// queues of another interface is thrown away.
func (t *tap) bind(index int, mac MAC, spa uint32, targets []uint32, membership bool) error {
	fresh := !t.bound || int(t.to.Ifindex) != index
	t.bound = false
	if err := t.filter(mac, spa, targets); err != nil {
		return err
	}
	for _, fd := range [...]int{t.verdict, t.evidence} {
		if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian16(unix.ETH_P_ALL), Ifindex: index}); err != nil {
			return err
		}
	}
	if err := t.join(index, mac, membership); err != nil {
		return err
	}
	t.to = unix.RawSockaddrLinklayer{
		Family:   unix.AF_PACKET,
		Protocol: bigEndian16(unix.ETH_P_ARP),
		Ifindex:  int32(index),
		Halen:    6,
	}
	if fresh {
		t.drain()
	}
	t.bound = true
	return nil
}

// filter puts the filters for an identity and the targets in place. Each socket
// changes from the old to the new one at once.
func (t *tap) filter(mac MAC, spa uint32, targets []uint32) error {
	verdict, err := verdictFilter(mac, spa, targets)
	if err != nil {
		return err
	}
	evidence, err := evidenceFilter(mac, spa, targets)
	if err != nil {
		return err
	}
	return errors.Join(attach(t.verdict, verdict), attach(t.evidence, evidence))
}

func attach(fd int, program []instruction) error {
	filter := make([]unix.SockFilter, len(program))
	for i, c := range program {
		filter[i] = unix.SockFilter{Code: c.op, Jt: c.jt, Jf: c.jf, K: c.k}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// join replaces the membership. It ends by itself with the interface it was for
// and with the socket.
func (t *tap) join(index int, mac MAC, membership bool) error {
	m := unix.PacketMreq{}
	if membership {
		m = unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_UNICAST, Alen: uint16(len(mac))}
		copy(m.Address[:], mac[:])
	}
	leave := func() {
		if t.member.Alen != 0 {
			_ = unix.SetsockoptPacketMreq(t.verdict, unix.SOL_PACKET, unix.PACKET_DROP_MEMBERSHIP, &t.member)
			t.member = unix.PacketMreq{}
		}
	}
	// The kernel counts memberships that are the same, and it is not known
	// whether this one has ended.
	if t.member == m {
		leave()
	}
	if membership {
		if err := unix.SetsockoptPacketMreq(t.verdict, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
			return err
		}
	}
	leave()
	t.member = m
	return nil
}

// drain throws away what is queued.
func (t *tap) drain() {
	for _, fd := range [...]int{t.verdict, t.evidence} {
		var b [1]byte
		for range t.limit {
			if _, _, err := unix.Recvfrom(fd, b[:], unix.MSG_TRUNC); errors.Is(err, unix.EAGAIN) {
				break
			}
		}
	}
}

// count adds the frames that the kernel dropped since the last call.
func (t *tap) count() {
	t.verdictDrops += dropped(t.verdict)
	t.evidenceDrops += dropped(t.evidence)
}

func dropped(fd int) uint64 {
	if fd < 0 {
		return 0
	}
	s, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return uint64(s.Drops)
}

func (t *tap) close() error {
	var err error
	for _, fd := range [...]*int{&t.verdict, &t.evidence} {
		if *fd >= 0 {
			err = errors.Join(err, unix.Close(*fd))
			*fd = -1
		}
	}
	t.bound = false
	return err
}

// send sends one frame. It allocates nothing, and does not wait. RawSyscall keeps
// the thread to itself for the microsecond it takes, which is cheaper than
// to give it up.
func (t *tap) send(frame []byte) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(t.verdict),
		uintptr(unsafe.Pointer(unsafe.SliceData(frame))), uintptr(len(frame)), unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(&t.to)), unsafe.Sizeof(t.to))
	if errno != 0 {
		return errno
	}
	return nil
}

// A receiver holds the memory into which the kernel writes a frame and what it
// knows of it. It must not be copied once it is used.
type receiver struct {
	msg     unix.Msghdr
	iov     unix.Iovec
	from    unix.RawSockaddrLinklayer
	frame   [2 * filterKeep]byte
	control [8]uint64 // one PACKET_AUXDATA, aligned
}

func newReceiver() *receiver {
	r := &receiver{}
	r.iov.Base = &r.frame[0]
	r.iov.SetLen(len(r.frame))
	r.msg.Name = (*byte)(unsafe.Pointer(&r.from))
	r.msg.Iov = &r.iov
	r.msg.SetIovlen(1)
	r.msg.Control = (*byte)(unsafe.Pointer(&r.control))
	return r
}

// receive reads one frame, which stays valid until the next call. It returns
// EAGAIN where there is none, and ENETDOWN once after the interface went down.
func (r *receiver) receive(fd int) (frame []byte, m Meta, errno syscall.Errno) {
	r.msg.Namelen = uint32(unsafe.Sizeof(r.from))
	r.msg.SetControllen(int(unsafe.Sizeof(r.control)))
	n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msg)), unix.MSG_DONTWAIT)
	if errno != 0 {
		return nil, Meta{}, errno
	}
	m.Outgoing = r.from.Pkttype == packetOutgoing
	m.VLAN = r.vlan()
	return r.frame[:min(int(n), len(r.frame))], m, 0
}

// vlan returns the tag that the kernel has taken out of the frame.
func (r *receiver) vlan() VLAN {
	head := (*unix.Cmsghdr)(unsafe.Pointer(&r.control))
	if int(r.msg.Controllen) < unix.CmsgLen(int(unsafe.Sizeof(unix.TpacketAuxdata{}))) ||
		head.Level != unix.SOL_PACKET || head.Type != unix.PACKET_AUXDATA {
		return VLAN{}
	}
	aux := (*unix.TpacketAuxdata)(unsafe.Add(unsafe.Pointer(&r.control), unix.CmsgLen(0)))
	switch {
	case aux.Status&unix.TP_STATUS_VLAN_VALID == 0:
		return VLAN{}
	case aux.Status&unix.TP_STATUS_VLAN_TPID_VALID == 0:
		return VLAN{TPID: unix.ETH_P_8021Q, ID: aux.Vlan_tci & 0xfff}
	}
	return VLAN{TPID: aux.Vlan_tpid, ID: aux.Vlan_tci & 0xfff}
}

// bigEndian16 returns a number whose bytes in memory are those of v in network
// order.
func bigEndian16(v uint16) uint16 {
	if little := [2]byte{1}; *(*uint16)(unsafe.Pointer(&little)) == 1 {
		return bits.ReverseBytes16(v)
	}
	return v
}
