// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"

	"github.com/bondkit/bondkit/internal/vmtest/internal/guest"
)

// Exit statuses of the runner itself. Any other status is that of the command.
const (
	exitUsage   = 2   // wrong flags, unknown kernel name
	exitTimeout = 124 // the guest was ended at the timeout
	exitRunner  = 125 // the runner, the emulator or the guest kernel failed
)

func main() {
	if guest.Inside() {
		guest.Main()
		return
	}
	// The emulator is killed by the kernel when the thread that started it
	// ends, so this thread must last as long as the process.
	runtime.LockOSThread()
	o, err := parseOptions(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "vmtest: %v\n", err)
		os.Exit(exitUsage)
	}
	os.Exit(run(o))
}
