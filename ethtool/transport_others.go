//go:build !linux

// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"errors"
	"fmt"
	"runtime"
)

func newTransport(*Config) (Transport, error) {
	return nil, fmt.Errorf("ethtool needs Linux, not %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
