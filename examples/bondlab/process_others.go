// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

var errNotLinux = fmt.Errorf("only on Linux: %w", errors.ErrUnsupported)

func monitorCommand(context.Context) (*exec.Cmd, func(func() error) error) {
	return new(exec.Cmd), func(func() error) error { return errNotLinux }
}

func stopFor(context.Context, *os.Process, time.Duration) (time.Duration, error) {
	return 0, errNotLinux
}
