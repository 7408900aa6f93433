// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package debian

// MemberName is the map from members of a package to files of the cache.
func MemberName(name string) string { return memberName(name) }
