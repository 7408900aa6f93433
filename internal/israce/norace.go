// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !race

package israce

// Enabled is false because this build does not carry the race detector.
const Enabled = false
