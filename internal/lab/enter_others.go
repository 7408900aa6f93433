// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package lab

func reexec() (int, error) { return 0, errUnsupported }
