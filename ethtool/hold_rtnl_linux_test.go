// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"errors"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// coreHoldRTNL has the kernel hold the lock of all interfaces until the function that it
// returns is called, or the test ends: a system call that lists addresses waits, with the
// lock, for a page of this process that nobody provides (userfaultfd(2)).
func coreHoldRTNL(t testing.TB, n *coreNet) (release func()) {
	t.Helper()
	n.run("ip link set lo up")
	n.run("ip addr replace 127.0.0.1/8 dev lo")
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK, 0, 0)
	if errno != 0 {
		if errors.Is(errno, syscall.EPERM) {
			coreSkip(t, "no privilege for userfaultfd")
		}
		coreSkip(t, "no userfaultfd in this kernel: "+errno.Error())
	}
	page := unix.Getpagesize()
	memory, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	start := uintptr(unsafe.Pointer(unsafe.SliceData(memory)))
	api := struct{ api, features, ioctls uint64 }{api: 0xaa}
	register := struct{ start, length, mode, ioctls uint64 }{start: uint64(start), length: uint64(page), mode: 1} // missing pages
	const uffdioAPI, uffdioRegister = 0xc018aa3f, 0xc020aa00
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uffdioAPI, uintptr(unsafe.Pointer(&api))); errno != 0 {
		t.Fatal(errno)
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uffdioRegister, uintptr(unsafe.Pointer(&register))); errno != 0 {
		t.Fatal(errno)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- n.do(func() error {
			s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(s)
			// struct ifconf.
			conf := struct {
				length int32
				buffer unsafe.Pointer
			}{int32(page), unsafe.Pointer(unsafe.SliceData(memory))}
			if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCGIFCONF, uintptr(unsafe.Pointer(&conf))); errno != 0 {
				return errno
			}
			return nil
		})
	}()
	release = sync.OnceFunc(func() {
		_ = unix.Close(int(fd)) // and the page is like any other
		if err := <-ended; err != nil {
			t.Errorf("the system call that held the lock: %v", err)
		}
		_ = unix.Munmap(memory)
	})
	t.Cleanup(release)
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		k, err := unix.Poll(polled, int(corePatience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if k != 1 || err != nil {
			t.Fatalf("nothing holds the lock: %d, %v", k, err)
		}
		return release
	}
}
