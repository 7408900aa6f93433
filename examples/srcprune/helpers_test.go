// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import "net/netip"

func targets() []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.0.2.1")} }
