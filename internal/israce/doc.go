// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package israce says whether the race detector is built in. Tests of raw
// allocation counts need to know: the detector allocates on its own account.
package israce
