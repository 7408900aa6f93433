// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioctlSocket is what SIOCETHTOOL is called on. It is opened when it is first needed.
type ioctlSocket struct {
	t    *kernelTransport
	lane *lane
	fd   int // -1 as long as it is not open; for the call whose turn it is
}

func newIoctlSocket(t *kernelTransport) *ioctlSocket {
	// Nothing ends the system call early.
	return &ioctlSocket{t: t, lane: newLane(t.closed, func() {}), fd: -1}
}

func (s *ioctlSocket) drop() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
}

// Ioctl implements [Transport].
func (t *kernelTransport) Ioctl(ctx context.Context, name string, data []byte) error {
	if len(name) > ifNameMax {
		return &KernelError{Errno: unix.ENODEV}
	}
	// The kernel must not write into the caller's memory after this returned.
	in := slices.Clone(data)
	out, err := laneDo(ctx, t.ioctls.lane, func() ([]byte, error) { return t.ioctls.call(name, in) })
	if err != nil {
		return t.failed(err)
	}
	copy(data, out)
	return nil
}

func (s *ioctlSocket) call(name string, data []byte) ([]byte, error) {
	if s.fd < 0 {
		err := s.t.ns.Do(func() (err error) {
			s.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil { // a kernel, or a sandbox, without IPv4
				s.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC)
			}
			return err
		})
		if err != nil {
			s.fd = -1
			return nil, transportError(err)
		}
	}
	m, err := newGuardedMemory(data)
	if err != nil {
		return nil, err
	}
	defer m.free()
	switch err := siocEthtool(s.fd, name, m.data); {
	case errors.Is(err, unix.EFAULT):
		return nil, &KernelError{Errno: unix.EFAULT, Message: "the answer is larger than the memory for it"}
	case err != nil:
		return nil, &KernelError{Errno: err.(unix.Errno)} //nolint:errorlint // siocEthtool returns nothing else
	}
	return slices.Clone(m.data), nil
}

// guardedMemory is memory behind which nothing may be written. Some commands
// of SIOCETHTOOL write as many strings as the driver has when they are called, whatever the
// caller has room for: where the number has grown meanwhile, this makes them fail with
// EFAULT instead of overwriting what does not belong to them.
type guardedMemory struct {
	pages []byte
	data  []byte // ends where the page begins that cannot be written
}

func newGuardedMemory(data []byte) (*guardedMemory, error) {
	page := unix.Getpagesize()
	room := (len(data) + page - 1) / page * page
	pages, err := unix.Mmap(-1, 0, room+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	m := &guardedMemory{pages: pages, data: pages[room-len(data) : room : room]}
	if err := unix.Mprotect(pages[room:], unix.PROT_NONE); err != nil {
		m.free()
		return nil, err
	}
	copy(m.data, data)
	return m, nil
}

func (m *guardedMemory) free() { _ = unix.Munmap(m.pages) }

// siocEthtool performs the system call. data must not be memory of Go's. The error is a
// unix.Errno.
func siocEthtool(fd int, name string, data []byte) error {
	// struct ifreq of <linux/if.h>: a name, and a union with a pointer in it.
	var req struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [24 - unsafe.Sizeof(uintptr(0))]byte
	}
	copy(req.name[:unix.IFNAMSIZ-1], name)
	req.data = unsafe.Pointer(unsafe.SliceData(data))
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req)))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}
