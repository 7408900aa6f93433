// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// What can be wrong. All errors of this package are [*Error] and match one of these, an
// error of package os or of the context, or an errno.
var (
	// ErrNoDevice: there is no such interface. Matches os.ErrNotExist.
	ErrNoDevice error = &meaning{"no such interface", os.ErrNotExist}
	// ErrDeviceAway: the interface is there, and its device is not: it is suspended, or its
	// driver resets it. Try again. (ENODEV without an extended acknowledgement,
	// ethnl_ops_begin in net/ethtool/netlink.c.)
	ErrDeviceAway error = &meaning{"the device is suspended or being reset", nil}
	// ErrNoPrivateFlags: the driver has no private flags. Matches errors.ErrUnsupported.
	ErrNoPrivateFlags error = &meaning{"the driver has no private flags", errors.ErrUnsupported}
	// ErrUnknownFlag: the driver has private flags, but none of that name; Error.Known has
	// those that there are. Matches os.ErrNotExist.
	ErrUnknownFlag error = &meaning{"no such private flag", os.ErrNotExist}
	// ErrRefused: the driver has the flag, and refuses the change. It cannot
	// tell why over this interface: its reason, if it gives one, is in the kernel log only.
	ErrRefused error = &meaning{"the driver refuses the change", nil}
	// ErrReadOnly: the flag is one that the driver only shows. Matches ErrRefused too.
	ErrReadOnly error = &meaning{"the flag can only be read", ErrRefused}
	// ErrBusy: not now. The interface must be down, or something else must end
	// first (EBUSY, EAGAIN).
	ErrBusy error = &meaning{"the device is busy", nil}
	// ErrHardWired: the device prunes and cannot be told not to;
	// Error.Workarounds has what else helps. Matches errors.ErrUnsupported.
	ErrHardWired error = &meaning{"hard-wired", errors.ErrUnsupported}
	// ErrNotVerified: the kernel accepted the change, and then shows another value.
	ErrNotVerified error = &meaning{"the change did not take effect", nil}
	// ErrNotOurs: what was to be restored is not what was set; somebody else has changed
	// it since.
	ErrNotOurs error = &meaning{"changed by somebody else since", nil}
	// ErrKernelTooOld: the kernel lacks the command. Matches errors.ErrUnsupported.
	ErrKernelTooOld error = &meaning{"the kernel is too old", errors.ErrUnsupported}
	// ErrNoDevlink: the device has no devlink instance, or its driver does not answer
	// this request. Matches errors.ErrUnsupported.
	ErrNoDevlink error = &meaning{"the driver does not tell by devlink", errors.ErrUnsupported}
	// ErrBadValue: an argument makes no sense.
	ErrBadValue error = &meaning{"bad value", nil}
	// ErrMalformed: a message from the kernel cannot be read.
	ErrMalformed error = &meaning{"malformed message", nil}
	// ErrInterrupted: changes disturbed a list again and again. Try again.
	ErrInterrupted error = &meaning{"the list was interrupted by changes", nil}
	// ErrOverrun: notifications came faster than they were read, and were lost.
	ErrOverrun error = &meaning{"notifications were lost", nil}
)

// meaning is an error in words of this package.
type meaning struct {
	text string
	err  error
}

func (m *meaning) Error() string { return m.text }
func (m *meaning) Unwrap() error { return m.err }

// Error is the error of everything in this package that can go wrong with an
// interface. Fields that say nothing are zero.
type Error struct {
	// Op is what was tried, such as "set flag".
	Op string
	// Link is the interface it was tried on, by name where that is known.
	Link string
	// Flag is the private flag, and Known are the flags that the driver has, for
	// ErrUnknownFlag.
	Flag  string
	Known []string
	// Message is the kernel's own explanation (extended acknowledgement).
	Message string
	// Hint says what to do about it.
	Hint string
	// Workarounds are what helps instead, for ErrHardWired.
	Workarounds []Workaround
	// Err is the cause, and never nil.
	Err error
}

// Error returns "ethtool: OP LINK FLAG: CAUSE: MESSAGE (HINT)" without the parts that are
// empty.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("ethtool:")
	link := e.Link
	if !isIndexText(link) {
		link = printable(link)
	}
	for _, s := range []string{e.Op, link, printable(e.Flag)} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	if b.Len() > len("ethtool:") {
		b.WriteString(":")
	}
	b.WriteString(" " + e.Err.Error())
	if e.Message != "" && !strings.Contains(e.Err.Error(), e.Message) {
		b.WriteString(": " + e.Message)
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// printable quotes a name that would not print as it is.
func printable(s string) string {
	if q := strconv.Quote(s); len(q) != len(s)+2 || slices.Contains([]byte(s), ' ') {
		return q
	}
	return s
}

// KernelError is the kernel's answer to a request that it refused.
//
// With errors.Is it matches its Errno and its Meaning and, because the numbers are
// used for many things, none of the errors of package os or errors on its own:
// EOPNOTSUPP stands for an unknown flag too. Error adds what is meant.
type KernelError struct {
	Errno syscall.Errno
	// Message is the text of the extended acknowledgement, empty without one.
	Message string
	// Meaning is what the error is taken for, or nil.
	Meaning error
}

// Error returns the meaning, or else the text of the errno, and the message.
func (e *KernelError) Error() string {
	text := e.Errno.Error()
	if e.Meaning != nil {
		text = e.Meaning.Error()
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Is reports whether the error is target, or means it.
func (e *KernelError) Is(target error) bool {
	if errno, ok := target.(syscall.Errno); ok {
		return e.Errno == errno
	}
	return e.Meaning != nil && errors.Is(e.Meaning, target)
}

// As finds the Errno.
func (e *KernelError) As(target any) bool {
	if errno, ok := target.(*syscall.Errno); ok {
		*errno = e.Errno
		return true
	}
	return false
}
