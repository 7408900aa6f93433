// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// monitorCommand returns the command of a monitor process, and a function that
// starts it, calls f and waits for the end of both.
//
// The process is in a process group of its own: the keys of the terminal are
// for this process, and a shell never sees that a part of its job was stopped.
// It is killed when the context ends, also while it is stopped, and when this
// process ends in whatever way.
func monitorCommand(ctx context.Context) (*exec.Cmd, func(f func() error) error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return cmd, func(f func() error) error {
		defer cancel()
		// The kernel sends that signal when the thread ends that started the
		// process, so the thread must stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			return err
		}
		err := f()
		cancel()
		if end := cmd.Wait(); err == nil && !errors.Is(end, context.Canceled) && !killed(end) {
			err = end
		}
		return err
	}
}

// killed reports whether a command ended by SIGKILL.
func killed(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	ws, ok := exit.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

// stopFor stops a process for a time and has it continue. It returns for how long
// the process was seen stopped.
func stopFor(ctx context.Context, p *os.Process, d time.Duration) (time.Duration, error) {
	if err := p.Signal(unix.SIGSTOP); err != nil {
		return 0, err
	}
	begun := time.Now()
	err := wait(ctx, d)
	state, readErr := processState(p.Pid)
	stopped := time.Since(begun)
	if contErr := p.Signal(unix.SIGCONT); contErr != nil {
		return 0, contErr
	}
	if err != nil {
		return 0, err
	}
	if readErr != nil {
		return 0, readErr
	}
	if state != "T" {
		return 0, fmt.Errorf("process %d is in state %s after SIGSTOP, want T", p.Pid, state)
	}
	return stopped, nil
}

// processState returns the letter of the state of a process, T for stopped.
func processState(pid int) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The name before it is in parentheses and may hold anything.
	after := string(text[strings.LastIndexByte(string(text), ')')+1:])
	state, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	return state, nil
}
