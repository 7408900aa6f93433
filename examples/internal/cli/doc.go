// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package cli has what the example commands share: names and texts of any origin that a
// terminal may show, colours, tables, JSON, and command lines that consist of a command,
// its operands, and flags anywhere among them.
//
// It knows nothing of bonds. Nothing in it keeps state, and everything may be used by several
// goroutines.
package cli
