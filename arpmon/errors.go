// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"errors"
	"os"
	"syscall"
)

// Errors that callers branch on. They are found inside an [*Error] with
// [errors.Is].
var (
	// ErrNoTargets says that a Monitor was given no target.
	ErrNoTargets = errors.New("no target to probe")
	// ErrBadTarget says that an address cannot be a target: invalid,
	// unspecified, loopback, multicast or broadcast.
	ErrBadTarget = errors.New("address cannot be a target")
	// ErrUnsupportedTarget says that a target is of a kind this package does
	// not probe: IPv6, or on a VLAN. It matches errors.ErrUnsupported.
	ErrUnsupportedTarget = unsupported("only untagged IPv4 targets can be probed")
	// ErrDuplicate says that a target or a slave was named twice.
	ErrDuplicate = errors.New("named twice")
	// ErrTooMany says that an engine's MaxSlaves or MaxTargets would be
	// exceeded.
	ErrTooMany = errors.New("more than the configured maximum")
	// ErrInterval says that an interval, a timeout, or another number of the
	// configuration is out of range.
	ErrInterval = errors.New("out of range")
	// ErrPacketBudget says that the targets do not fit the interval within
	// MaxPPS. The Hint names the smallest interval that does.
	ErrPacketBudget = errors.New("more probes a second than MaxPPS")
	// ErrPolicy says that a policy asks for more targets than there are.
	ErrPolicy = errors.New("policy cannot be met")
	// ErrUnsafeIdentity says that probing with this sender would harm the
	// network: the bond's MAC from a backup slave moves the switches' tables, a
	// foreign MAC with one of the host's addresses poisons neighbour caches.
	ErrUnsafeIdentity = errors.New("probing with this sender would misdirect traffic")
	// ErrNoSlave says that a slave is not, or no longer, known.
	ErrNoSlave = errors.New("no such slave")
)

// Error is the error type of this package.
type Error struct {
	// Op is what was being done: "config", "add slave", "set targets", "open".
	Op string
	// Slave is the name of the slave concerned, if it has one.
	Slave string
	// Field is the configuration field or the object concerned, such as
	// "Interval", if there is one.
	Field string
	// Value is the offending value as text, if there is one.
	Value string
	// Hint says what to do about it, if anything is known.
	Hint string
	// Err is the cause: one of the errors of this package, or what the
	// operating system said.
	Err error
}

// Error returns one line: what was done, to what, why it did not work and what
// to do.
func (e *Error) Error() string {
	s := "arpmon: " + e.Op
	if e.Slave != "" {
		s += " " + e.Slave
	}
	if e.Field != "" {
		s += ": " + e.Field
		if e.Value != "" {
			s += " " + e.Value
		}
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is maps the kernel's answers for a missing interface to os.ErrNotExist. The
// errors of package syscall already match os.ErrPermission, os.ErrExist and
// errors.ErrUnsupported by themselves.
func (e *Error) Is(target error) bool {
	if target != os.ErrNotExist {
		return false
	}
	return errors.Is(e.Err, syscall.ENODEV) || errors.Is(e.Err, syscall.ENXIO)
}

// unsupported is an error text that matches errors.ErrUnsupported.
type unsupported string

func (u unsupported) Error() string { return string(u) }

func (unsupported) Is(target error) bool { return target == errors.ErrUnsupported }
