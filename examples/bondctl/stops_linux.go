// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"os/signal"
	"syscall"
)

// ignoreStops keeps a terminal from stopping the process, which could not put anything back
// then: by a key, or because it reads or writes in the background. There, reading is an error.
func ignoreStops() {
	signal.Ignore(syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)
}
