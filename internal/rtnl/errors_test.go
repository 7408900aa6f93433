// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/bondkit/bondkit/internal/rtnl"
)

func TestErrorIs(t *testing.T) {
	targets := []error{os.ErrNotExist, os.ErrPermission, os.ErrClosed, errors.ErrUnsupported}
	tests := []struct {
		err  error
		want []error // the targets that match
	}{
		{syscall.ENODEV, []error{os.ErrNotExist}},
		{syscall.ENXIO, []error{os.ErrNotExist}},
		{syscall.EPERM, []error{os.ErrPermission}},
		{syscall.EACCES, []error{os.ErrPermission}},
		{syscall.EBADF, []error{os.ErrClosed}},
		{syscall.EOPNOTSUPP, []error{errors.ErrUnsupported}},
		{syscall.EINVAL, nil},
		{rtnl.ErrInterrupted, nil},
	}
	for _, tt := range tests {
		err := error(&rtnl.Error{Op: "read link", Link: "e1", Err: tt.err})
		if !errors.Is(err, tt.err) {
			t.Errorf("%v does not match its cause", err)
		}
		for _, target := range targets {
			if got, want := errors.Is(err, target), slices.Contains(tt.want, target); got != want {
				t.Errorf("errors.Is(%v, %v) is %v, want %v", err, target, got, want)
			}
		}
	}
}

func TestErrorText(t *testing.T) {
	tests := []struct {
		err  rtnl.Error
		want string
	}{
		{rtnl.Error{Op: "list links", Err: fs.ErrPermission}, "rtnl: list links: permission denied"},
		{rtnl.Error{Op: "read link", Link: "e1", Err: rtnl.ErrMalformed}, "rtnl: read link e1: malformed rtnetlink message"},
		{
			rtnl.Error{Op: "read link", Link: "e1", Message: "no such name", Err: fs.ErrNotExist},
			"rtnl: read link e1: file does not exist: no such name",
		},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("text is %q, want %q", got, tt.want)
		}
	}
}
