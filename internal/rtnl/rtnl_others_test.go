// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package rtnl_test

import (
	"errors"
	"testing"

	"github.com/bondkit/bondkit/internal/rtnl"
)

func TestUnsupported(t *testing.T) {
	if c, err := rtnl.Dial(nil); c != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Dial: %v, %v; want errors.ErrUnsupported", c, err)
	}
	if w, err := rtnl.Watch(nil); w != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Watch: %v, %v; want errors.ErrUnsupported", w, err)
	}
}
