// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build race

package israce

// Enabled is true because this build carries the race detector.
const Enabled = true
