// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package main

import (
	"fmt"
	"os"
	"runtime"
)

// run says what the runner needs.
func run(*options) int {
	fmt.Fprintf(os.Stderr, "vmtest: needs linux/amd64, this is %s/%s\n", runtime.GOOS, runtime.GOARCH)
	return exitRunner
}
