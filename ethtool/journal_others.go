//go:build !linux

// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
)

// journal needs locks that other systems do not have.
type journal struct{}

func openJournal(context.Context, string) (*journal, error) {
	return nil, fmt.Errorf("%w: journals need Linux, not %s: %w", ErrJournal, runtime.GOOS, errors.ErrUnsupported)
}

func (*journal) unlock() {}

func (*journal) alive(int64) (bool, error) { return false, errors.ErrUnsupported }

func (*journal) claim(int64) (io.Closer, error) { return nil, errors.ErrUnsupported }

func (*journal) read() ([]journalEntry, error) { return nil, errors.ErrUnsupported }

func (*journal) write([]journalEntry) error { return errors.ErrUnsupported }

func bootID() (string, error) { return "", errors.ErrUnsupported }
