// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package guest

// Inside reports false: a guest runs Linux.
func Inside() bool { return false }

// Main does nothing.
func Main() {}
