// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"errors"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

const netnsOwn = "/proc/thread-self/ns/net"

// netns is a network namespace to come back to. Its file keeps it alive.
type netns struct {
	file *os.File
	name string // as the caller gave it
}

// openNetNS opens the namespace that a Config names, or that of the calling
// thread, of which the file is nil where /proc does not show it.
func openNetNS(cfg *Config) (*netns, error) {
	switch {
	case cfg.NetNSPath != "":
		f, err := os.Open(cfg.NetNSPath)
		if err != nil {
			return nil, err
		}
		return &netns{f, cfg.NetNSPath}, nil
	case cfg.NetNS != 0:
		name := strconv.Itoa(cfg.NetNS)
		fd, err := unix.FcntlInt(uintptr(cfg.NetNS), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, &Error{Value: name, Err: err, Hint: "NetNS is not an open file descriptor"}
		}
		return &netns{os.NewFile(uintptr(fd), "netns"), name}, nil
	}
	f, err := os.Open(netnsOwn)
	if err != nil {
		return &netns{}, nil
	}
	return &netns{file: f}, nil
}

func (n *netns) close() {
	if n.file != nil {
		_ = n.file.Close()
	}
}

// do calls f on a thread that is in the namespace. Sockets that f opens stay in
// it. No thread that goroutines share is left in another namespace than it was.
func (n *netns) do(f func() error) error {
	if n.file == nil {
		return f()
	}
	rc, err := n.file.SyscallConn()
	if err != nil {
		return os.ErrClosed
	}
	var result error
	if err := rc.Control(func(fd uintptr) { result = netnsDo(int(fd), f) }); err != nil {
		return os.ErrClosed
	}
	if e, ok := errors.AsType[*Error](result); ok {
		e.Value = n.name
	}
	return result
}

func netnsDo(fd int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	same, err := netnsIsOwn(fd)
	if err != nil {
		return err
	}
	if same {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- netnsVisit(fd, f) }()
	return <-done
}

// netnsIsOwn reports whether fd is the calling thread's own namespace. To enter
// any needs privilege, even the one that we are in.
func netnsIsOwn(fd int) (bool, error) {
	var own, other unix.Stat_t
	if err := unix.Fstat(fd, &other); err != nil {
		return false, err
	}
	if err := unix.Stat(netnsOwn, &own); err != nil {
		return false, nil
	}
	return own.Dev == other.Dev && own.Ino == other.Ino, nil
}

// netnsVisit is to be called on a goroutine of its own. Where its thread cannot go
// back, it ends with the goroutine.
func netnsVisit(fd int, f func() error) error {
	runtime.LockOSThread()
	own, err := unix.Open(netnsOwn, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(own)
	} else {
		own = -1
	}
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		e := &Error{Op: "enter network namespace", Err: err}
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
