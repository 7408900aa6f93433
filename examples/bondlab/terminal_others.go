// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package main

import "os"

func terminalSize(*os.File) (width, height int, ok bool) { return 0, 0, false }
