// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// ClientTransport opens the Transport that Dial would use, to put another one in
// front of it.
func ClientTransport(cfg *Config) (Transport, error) { return newTransport(cfg) }
