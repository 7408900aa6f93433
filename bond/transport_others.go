// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package bond

import (
	"errors"
	"fmt"
	"runtime"
)

func newTransport(*Config) (Transport, error) {
	return nil, fmt.Errorf("rtnetlink on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
