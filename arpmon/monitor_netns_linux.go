// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"errors"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

const ownNetNS = "/proc/thread-self/ns/net"

// inNamespace calls f on a thread that is in a network namespace, given by file
// descriptor or path, or in that of the calling thread where both are zero.
// Sockets that f opens stay in the namespace. No thread that goroutines
// share is left in another namespace than it was.
func inNamespace(fd int, path string, f func() error) error {
	field, value := "NetNS", strconv.Itoa(fd)
	if path != "" {
		field, value = "NetNSPath", path
		var err error
		if fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return &Error{Op: "open", Field: field, Value: value, Err: err}
		}
		defer unix.Close(fd)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	same, err := isOwnNetNS(fd)
	if err != nil {
		return &Error{Op: "open", Field: field, Value: value, Err: err}
	}
	if same {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- visitNamespace(fd, field, value, f) }()
	return <-done
}

// isOwnNetNS reports whether fd is 0 or the calling thread's own namespace, for
// which no privilege is needed.
func isOwnNetNS(fd int) (bool, error) {
	if fd == 0 {
		return true, nil
	}
	var own, other unix.Stat_t
	if err := unix.Fstat(fd, &other); err != nil {
		return false, err
	}
	if err := unix.Stat(ownNetNS, &own); err != nil {
		return false, nil
	}
	return own.Dev == other.Dev && own.Ino == other.Ino, nil
}

// visitNamespace is to be called on a goroutine of its own. Where its thread
// cannot go back, it ends with the goroutine.
func visitNamespace(fd int, field, value string, f func() error) error {
	runtime.LockOSThread()
	own, err := unix.Open(ownNetNS, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(own)
	} else {
		own = -1
	}
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		e := &Error{Op: "open", Field: field, Value: value, Err: err}
		if errors.Is(err, unix.EPERM) {
			e.Hint = "to enter another network namespace CAP_SYS_ADMIN is needed; start the program inside it instead"
		}
		return e
	}
	err = f()
	if own >= 0 && unix.Setns(own, unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return err
}
