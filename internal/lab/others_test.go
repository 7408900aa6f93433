// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package lab_test

import (
	"errors"
	"testing"

	"github.com/bondkit/bondkit/internal/lab"
)

func play(string) error { return errors.ErrUnsupported }

func TestUnsupported(t *testing.T) {
	if _, err := lab.New(t.Context(), nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("New: %v, want ErrUnsupported", err)
	}
	if err := lab.Enter(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Enter: %v, want ErrUnsupported", err)
	}
	if err := lab.Check(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Check: %v, want ErrUnsupported", err)
	}
}
