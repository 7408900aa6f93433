// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Namespace is one network namespace of a lab. It has no name in the file
// system: it lives as long as the lab and this process, and not longer. Its
// methods may be called from several goroutines.
type Namespace struct {
	lab  *Lab
	name string
	mac  net.HardwareAddr // of HostDevice, on targets and chatty hosts
	file *os.File
}

// Name returns the name of the namespace within the lab: "host", "fabric", "A",
// "B", "c11" and so on.
func (n *Namespace) Name() string { return n.name }

// FD returns the file descriptor of the namespace, for setns and for every
// function that takes a namespace. It belongs to the lab and is valid until
// [Lab.Close].
func (n *Namespace) FD() int { return int(n.file.Fd()) }

// File returns the open file behind [Namespace.FD], which a child process can be
// given in the ExtraFiles of its command. The caller must not close it.
func (n *Namespace) File() *os.File { return n.file }

// Do runs f on the calling goroutine, whose thread is moved into the namespace
// for as long as f runs. Goroutines that f starts are not in the namespace, but
// sockets that f opens stay in it for good. Do returns the error of f, and
// ErrClosed after [Lab.Close].
//
// Should the thread not come back into its own namespace, it is kept from all
// other goroutines and ends with the calling one; Do then returns an error, and
// the calling goroutine should end.
func (n *Namespace) Do(f func() error) (err error) {
	runtime.LockOSThread()
	own, err := currentNetNS()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("lab: own namespace: %w", err)
	}
	defer own.Close()
	if err := enterNetNS(n.file); err != nil {
		runtime.UnlockOSThread()
		if errors.Is(err, os.ErrClosed) {
			err = ErrClosed
		}
		return fmt.Errorf("lab: enter namespace %s: %w", n.name, err)
	}
	// Deferred, so that a panic or a runtime.Goexit in f (t.Fatal) also leads
	// the thread back.
	defer func() {
		if back := enterNetNS(own); back != nil {
			err = errors.Join(err, fmt.Errorf("lab: leave namespace %s: %w", n.name, back))
			return
		}
		runtime.UnlockOSThread()
	}()
	return f()
}

// Run runs a command in the namespace and returns its standard output. The
// command ends when ctx does, and dies with this process. A command that cannot
// be started or that fails gives a [*CommandError].
func (n *Namespace) Run(ctx context.Context, args ...string) ([]byte, error) {
	return n.run(ctx, "", nil, args...)
}

// run is Run with standard input and with extra files, which the command has
// from file descriptor 3 upwards.
func (n *Namespace) run(ctx context.Context, input string, extra []*os.File, args ...string) ([]byte, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("lab: %w: no command", ErrConfig)
	}
	fail := func(stderr string, err error) error {
		return &CommandError{Namespace: n.name, Args: args, Input: input, Stderr: strings.TrimSpace(stderr), Err: err}
	}
	path, err := findTool(args[0])
	if err != nil {
		return nil, fail("", err)
	}
	var stdout, stderr bytes.Buffer
	err = n.Do(func() error {
		cmd := exec.CommandContext(ctx, path, args[1:]...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		cmd.Stdin = strings.NewReader(input)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		cmd.ExtraFiles = extra
		cmd.WaitDelay = waitDelay
		dieWithParent(cmd)
		return cmd.Run()
	})
	n.lab.trace.command(n.name, args, input, err)
	if err != nil {
		return stdout.Bytes(), fail(stderr.String(), err)
	}
	return stdout.Bytes(), nil
}

// waitDelay bounds the wait for the output of a command that has ended. It matters
// only for one that leaves somebody behind who holds the pipe.
const waitDelay = 30 * time.Second

// ip runs the lines of an ip batch.
func (n *Namespace) ip(ctx context.Context, lines ...string) error {
	_, err := n.run(ctx, strings.Join(lines, "\n")+"\n", nil, "ip", "-batch", "-")
	return err
}

func (n *Namespace) close() error {
	if err := n.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// CommandError reports a command that could not be run or that failed.
type CommandError struct {
	Namespace string   // the namespace it ran in, by its name in the lab
	Args      []string // the command and its arguments
	Input     string   // its standard input
	Stderr    string   // what it printed to standard error, trimmed
	Err       error    // an *exec.ExitError, or why it did not start
}

// Error returns the command, what it printed, and how it ended.
func (e *CommandError) Error() string {
	s := "lab: " + e.Namespace + ": " + strings.Join(e.Args, " ")
	if e.Stderr != "" {
		s += ": " + strings.ReplaceAll(e.Stderr, "\n", "; ")
	}
	s += ": " + e.Err.Error()
	if e.Input != "" {
		s += "; input: " + strings.ReplaceAll(strings.TrimSpace(e.Input), "\n", "; ")
	}
	return s
}

// Unwrap returns Err.
func (e *CommandError) Unwrap() error { return e.Err }

// findTool returns the path of a command. It also looks where system commands
// are, which the PATH of an ordinary user often leaves out.
func findTool(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// tracer writes the commands that are run.
type tracer struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *tracer) command(ns string, args []string, input string, err error) {
	if t.w == nil {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[%s] %s\n", ns, strings.Join(args, " "))
	for line := range strings.Lines(input) {
		fmt.Fprintf(&b, "[%s]   %s\n", ns, strings.TrimSpace(line))
	}
	if err != nil {
		fmt.Fprintf(&b, "[%s]   %v\n", ns, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	io.WriteString(t.w, b.String())
}
