// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"errors"
	"strconv"
)

// What a [SyntaxError] or an [Error] may match with errors.Is.
var (
	// ErrValue: the value of the line cannot be read.
	ErrValue = errors.New("value cannot be read")
	// ErrUnknown: the line, or the word in it, is not one of the kernel's. Only strict
	// parsing says so.
	ErrUnknown = errors.New("not the kernel's")
	// ErrDuplicate: the line is there already.
	ErrDuplicate = errors.New("line is there twice")
	// ErrOrder: the line stands in another place than the kernel's.
	ErrOrder = errors.New("line is out of place")
	// ErrMissing: a line is missing that every kernel prints.
	ErrMissing = errors.New("line is missing")
	// ErrFormat: the line is written in another way than the kernel's. Only
	// strict parsing says so.
	ErrFormat = errors.New("line is written differently")
	// ErrTruncated: the text ends in the middle of a line.
	ErrTruncated = errors.New("text is cut off")
	// ErrSeveral: another bond's text begins; see [Split].
	ErrSeveral = errors.New("text of another bond")
	// ErrNotBonding: the text is not of /proc/net/bonding at all.
	ErrNotBonding = errors.New("not a text of /proc/net/bonding")
	// ErrTooLarge: there is more of it than is read.
	ErrTooLarge = errors.New("too large")
)

// SyntaxError is a place where the text is not as a kernel prints it.
type SyntaxError struct {
	// Line and Column count from 1, Column in bytes. Offset is the number of
	// bytes before the place: the value that cannot be read, the line that is not
	// expected, the line before which one is missing, the end of a text that is cut off.
	Line, Column, Offset int
	// Section is where the line stands, or should.
	Section Section
	// Field is what the line is, or should be, 0 if that is unknown.
	Field Field
	// Key is what the line begins with, up to its colon, or should.
	Key string
	// Text is the line, at most 200 bytes of it, and empty if it is missing.
	Text string
	// Err says what is wrong: one of the errors of this package.
	Err error

	slave int // the index of the slave in whose section it is, or -1
}

// Error returns "line L, column C: CAUSE: LINE".
func (e *SyntaxError) Error() string {
	s := "line " + strconv.Itoa(e.Line) + ", column " + strconv.Itoa(e.Column) + ": " + e.Err.Error()
	switch {
	case e.Text != "":
		s += ": " + strconv.Quote(e.Text)
	case e.Field != 0:
		s += ": " + strconv.Quote(e.Field.String())
	}
	return s
}

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Error is the error of reading a file, and of strict parsing.
type Error struct {
	// Op is what was tried: "parse", "list" or "read".
	Op string
	// Bond is the name of the bond, or of the file, empty where there is none.
	Bond string
	// Err is the cause, and never nil: a [*SyntaxError], an *fs.PathError, or
	// one of the errors of this package.
	Err error
}

// Error returns "procfs: OP BOND: CAUSE".
func (e *Error) Error() string {
	s := "procfs: " + e.Op
	if e.Bond != "" {
		s += " " + strconv.Quote(e.Bond)
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
