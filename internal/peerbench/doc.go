// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package peerbench holds benchmarks that run bondkit and other libraries side
// by side on the same input, in one run. It is a module of its own so that they
// are not among bondkit's requirements. It has no code, only tests:
//
//	go test -run '^$' -bench . -count 6
package peerbench
