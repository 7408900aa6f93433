// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

const netnsOwn = "/proc/thread-self/ns/net"

// NetNS is a network namespace in which sockets can be opened. Its file keeps
// it alive. It is safe for concurrent use.
type NetNS struct {
	file *os.File // nil for the namespace of whichever thread calls
	name string   // as the caller gave it
}

// NetNSError says why a namespace could not be entered.
type NetNSError struct {
	Name string // the path, or the number of the descriptor
	Hint string // what to do about it, or empty
	Err  error
}

// Error implements error.
func (e *NetNSError) Error() string {
	s := fmt.Sprintf("network namespace %s: %v", e.Name, e.Err)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *NetNSError) Unwrap() error { return e.Err }

// OpenNetNS opens the namespace at path, or that of the descriptor fd, which stays the
// caller's, or with neither ("" and 0) that of the calling thread.
func OpenNetNS(fd int, path string) (*NetNS, error) {
	switch {
	case path != "":
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return &NetNS{f, path}, nil
	case fd != 0:
		name := strconv.Itoa(fd)
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, &NetNSError{Name: name, Err: err, Hint: "this is not an open file descriptor"}
		}
		return &NetNS{os.NewFile(uintptr(own), "netns"), name}, nil
	}
	f, err := os.Open(netnsOwn)
	if err != nil {
		return &NetNS{}, nil // no /proc: what opens sockets is there all the same
	}
	return &NetNS{file: f, name: netnsOwn}, nil
}

// Close releases the namespace. Sockets that were opened in it stay.
func (n *NetNS) Close() error {
	if n.file == nil {
		return nil
	}
	return n.file.Close()
}

// Do calls f on a thread that is in the namespace. Sockets that f opens stay in
// it. No thread that goroutines share is left in another namespace than it was.
// The error is that of f, a [*NetNSError], or os.ErrClosed.
func (n *NetNS) Do(f func() error) error {
	if n.file == nil {
		return f()
	}
	rc, err := n.file.SyscallConn()
	if err != nil {
		return os.ErrClosed
	}
	var result error
	if err := rc.Control(func(fd uintptr) { result = n.do(int(fd), f) }); err != nil {
		return os.ErrClosed
	}
	return result
}

func (n *NetNS) do(fd int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// To enter any needs privilege, even the one that we are in.
	if isThreadNetNS(fd) {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- n.visit(fd, f) }()
	return <-done
}

// visit is to be called on a goroutine of its own. Where its thread cannot go
// back, it ends with the goroutine.
func (n *NetNS) visit(fd int, f func() error) error {
	runtime.LockOSThread()
	own, err := unix.Open(netnsOwn, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(own)
	} else {
		own = -1
	}
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		e := &NetNSError{Name: n.name, Err: err}
		switch {
		case errors.Is(err, unix.EPERM):
			e.Hint = "to enter a network namespace CAP_SYS_ADMIN is needed; start the program inside it instead"
		case errors.Is(err, unix.EINVAL):
			e.Hint = "this is not a network namespace"
		}
		return e
	}
	err = f()
	if own >= 0 && unix.Setns(own, unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return err
}
