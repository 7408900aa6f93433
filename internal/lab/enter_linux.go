// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// relayed are the signals that Enter forwards. Job control is left to the
// terminal, which addresses both processes.
var relayed = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2,
}

// reexec runs this program again in new namespaces and returns its status.
func reexec() (int, error) {
	// The child is killed when the thread that started it ends, so that thread
	// stays ours until the child has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), enteredEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	signals, stop := catch()
	if err := cmd.Start(); err != nil {
		stop()
		return 0, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		relay(cmd.Process, signals, inForeground)
	}()
	err := cmd.Wait()
	stop()
	<-done
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0, nil
	case !ok:
		return 0, err
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// inForeground reports whether this process belongs to the foreground group of
// its terminal, all of which gets the signals of the keyboard.
func inForeground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// relay forwards the signals of c to p until c is closed. Those of the keyboard
// are left out while the terminal sends them to both processes.
func relay(p *os.Process, c <-chan os.Signal, keyboard func() bool) {
	for s := range c {
		if (s == os.Interrupt || s == unix.SIGQUIT) && keyboard() {
			continue
		}
		p.Signal(s)
	}
}

// catch has the signals that make sense for a child sent to a channel. The
// returned function ends that and closes the channel.
func catch() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 16)
	signal.Notify(c, relayed...)
	return c, func() {
		signal.Stop(c)
		close(c)
	}
}
