// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// errUnsupported says that labs exist on Linux only.
var errUnsupported = fmt.Errorf("lab: network namespaces on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func currentNetNS() (*os.File, error)         { return nil, errUnsupported }
func enterNetNS(*os.File) error               { return errUnsupported }
func newNetNS(func() error) (*os.File, error) { return nil, errUnsupported }
func setSysctl(string, string) error          { return errUnsupported }
func dieWithParent(*exec.Cmd)                 {}
