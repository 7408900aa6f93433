// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// currentNetNS opens the network namespace of the calling thread.
func currentNetNS() (*os.File, error) { return os.Open("/proc/thread-self/ns/net") }

// enterNetNS moves the calling thread into a network namespace.
func enterNetNS(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno error
	if err := conn.Control(func(fd uintptr) {
		errno = os.NewSyscallError("setns", unix.Setns(int(fd), unix.CLONE_NEWNET))
	}); err != nil {
		return os.ErrClosed
	}
	return errno
}

// newNetNS makes a network namespace, runs setup on a thread inside it, and
// returns its file.
func newNetNS(setup func() error) (*os.File, error) {
	runtime.LockOSThread()
	own, err := currentNetNS()
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	defer own.Close()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, os.NewSyscallError("unshare", err)
	}
	f, err := currentNetNS()
	if err == nil {
		err = setup()
	}
	if back := enterNetNS(own); back != nil {
		// The thread stays locked, so that no other goroutine ever gets it.
		err = errors.Join(err, back)
	} else {
		runtime.UnlockOSThread()
	}
	if err != nil && f != nil {
		f.Close()
		f = nil
	}
	return f, err
}

// setSysctl writes a setting of the network namespace of the calling thread. A
// setting that the kernel does not have is no error.
func setSysctl(name, value string) error {
	f, err := os.OpenFile("/proc/sys/net/"+name, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// dieWithParent has the kernel kill the command when the thread that starts it
// ends. The caller is locked to its thread until the command has ended.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
