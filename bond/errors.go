// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"errors"
	"strings"
	"syscall"
)

// What an [Error] of this package may match with errors.Is, besides
// os.ErrNotExist (no such interface), os.ErrExist (there is one of that name),
// os.ErrPermission (CAP_NET_ADMIN is missing), os.ErrClosed, errors.ErrUnsupported
// (this kernel does not know it), and context.Canceled and
// context.DeadlineExceeded.
var (
	// ErrBadValue: the value is not one that the option takes.
	ErrBadValue = errors.New("value not allowed")
	// ErrWrongMode: the option cannot be set in this mode.
	ErrWrongMode = errors.New("option not supported in this mode")
	// ErrBondUp: the option can be set only while the bond is down.
	ErrBondUp = errors.New("bond is up")
	// ErrHasSlaves: the option can be set only while the bond has no slaves.
	ErrHasSlaves = errors.New("bond has slaves")
	// ErrNeedsMIIMon: the option can be set only while miimon is not 0.
	ErrNeedsMIIMon = errors.New("miimon is 0")
	// ErrConflict: two options exclude each other.
	ErrConflict = errors.New("options exclude each other")
	// ErrNotBond: the interface is not a bond.
	ErrNotBond = errors.New("not a bond")
	// ErrNotSlave: the interface is not a slave, or not of this bond.
	ErrNotSlave = errors.New("not a slave of the bond")
	// ErrSlaveUp: the interface must be down to become a slave.
	ErrSlaveUp = errors.New("interface is up")
	// ErrSlaveDown: the slave is down, or has no link, and so cannot be active.
	ErrSlaveDown = errors.New("slave is down")
	// ErrSlaveBusy: the interface is in use: a port of a bridge or of something
	// else, or a slave of another bond.
	ErrSlaveBusy = errors.New("interface is in use")
	// ErrCannotEnslave: the interface is of a type that cannot be a slave, or not of this bond.
	ErrCannotEnslave = errors.New("interface cannot be a slave of this bond")
	// ErrNoModule: the kernel has no bonding driver, or may not load it.
	ErrNoModule = errors.New("no bonding driver in this kernel")
	// ErrNotApplied: the kernel reported success, and the value is not there.
	ErrNotApplied = errors.New("value did not take effect")
	// ErrDisruptive: the change disrupts more than was allowed.
	ErrDisruptive = errors.New("change is more disruptive than allowed")
	// ErrRejected: the caller's Confirm said no, or failed.
	ErrRejected = errors.New("change was not confirmed")
	// ErrInterrupted: changes disturbed a dump for as often as it was tried.
	ErrInterrupted = errors.New("dump was interrupted by changes")
	// ErrOverrun: the kernel had more to tell than the buffer held.
	ErrOverrun = errors.New("messages were lost")
	// ErrMalformed: a netlink message could not be read.
	ErrMalformed = errors.New("malformed netlink message")
)

// Error is the error of everything in this package that can go wrong with a
// bond. Fields that say nothing are zero.
type Error struct {
	// Op is what was tried, such as "set" or "enslave".
	Op string
	// Link is the bond or slave it was tried on, by name where that is known.
	Link string
	// Bond is the bond that Link was to become a slave of, for "enslave".
	Bond string
	// Option is the option at fault, and Value the value asked for, in the
	// kernel's words.
	Option Option
	Value  string
	// Message is the kernel's own explanation (extended acknowledgement).
	// Kernels before 6.0 or so have none for bonds.
	Message string
	// Hint says what to do about it.
	Hint string
	// Applied are the options of the request that took effect all the same,
	// although not all could.
	Applied []Option
	// Err is the cause, and never nil: one of the errors of this package, a
	// [syscall.Errno], a [*KernelError], the error of a context, or several
	// joined.
	Err error
}

// Error returns "bond: OP LINK to BOND: OPTION VALUE: CAUSE: MESSAGE (HINT)"
// without the parts that are empty.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("bond")
	if e.Op != "" {
		b.WriteString(": " + e.Op)
		if e.Link != "" {
			b.WriteString(" " + e.Link)
		}
	} else if e.Link != "" {
		b.WriteString(": " + e.Link)
	}
	if e.Bond != "" {
		b.WriteString(" to " + e.Bond)
	}
	switch {
	case e.Option != 0 && e.Value != "":
		b.WriteString(": " + e.Option.String() + " " + e.Value)
	case e.Option != 0:
		b.WriteString(": " + e.Option.String())
	case e.Value != "":
		b.WriteString(": " + e.Value)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KernelError is the kernel's answer to a request that it refused.
//
// With errors.Is it matches its Errno and, because the numbers are used for
// many things, none of the errors of package os on its own: EACCES from
// bonding is a wrong mode and no lack of permission. [Error] adds what is meant.
type KernelError struct {
	Errno syscall.Errno
	// Message is the text of the extended acknowledgement, empty without one.
	Message string
	// Offset is where in the request, counted from the netlink header, the
	// attribute at fault begins, 0 where the kernel did not say.
	Offset int
	// Meaning is what the error is taken for: an error of this package, one of
	// package os, errors.ErrUnsupported, or nil.
	Meaning error
}

// Error returns the text of the meaning and of the number.
func (e *KernelError) Error() string {
	if e.Meaning != nil {
		return e.Meaning.Error() + ": " + e.Errno.Error()
	}
	return e.Errno.Error()
}

// Is reports whether target is the number or the meaning.
func (e *KernelError) Is(target error) bool {
	errno, ok := target.(syscall.Errno)
	return ok && errno == e.Errno || e.Meaning != nil && errors.Is(e.Meaning, target)
}

// As finds the number for errors.As.
func (e *KernelError) As(target any) bool {
	if p, ok := target.(*syscall.Errno); ok {
		*p = e.Errno
		return true
	}
	return false
}
