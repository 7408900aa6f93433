// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl

import (
	"errors"
	"os"
	"strings"
	"syscall"
)

// ErrInterrupted is matched by the error of a dump that changes kept
// disturbing for as often as it was tried.
var ErrInterrupted = errors.New("dump was interrupted by changes")

// Error is the error of every operation of this package on a socket. It matches
// os.ErrNotExist where there is no such link, os.ErrPermission, os.ErrClosed,
// os.ErrDeadlineExceeded, errors.ErrUnsupported, [ErrMalformed] and
// [ErrInterrupted], and the kernel's error number where it gave one.
type Error struct {
	// Op is what was tried: "dial", "list links", "read link", "list addresses", "watch".
	Op string

	// Link is the name or the index of the link asked for, empty otherwise.
	Link string

	// Message is the kernel's own explanation, empty where it gave none.
	Message string

	// Err is the cause and is never nil.
	Err error
}

// Error returns "rtnl: OP LINK: CAUSE: MESSAGE" without the parts that are empty.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("rtnl: " + e.Op)
	if e.Link != "" {
		b.WriteString(" " + e.Link)
	}
	b.WriteString(": " + e.Err.Error())
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the error means the same as target. It adds to the
// chain that ENODEV and ENXIO are os.ErrNotExist and that EBADF is os.ErrClosed.
func (e *Error) Is(target error) bool {
	switch target {
	case os.ErrNotExist:
		return errors.Is(e.Err, syscall.ENODEV) || errors.Is(e.Err, syscall.ENXIO)
	case os.ErrClosed:
		return errors.Is(e.Err, syscall.EBADF)
	}
	return false
}
