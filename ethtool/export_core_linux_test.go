// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

// NewKernelTransport opens the Transport that Dial uses.
func NewKernelTransport(cfg *Config) (Transport, error) { return newTransport(cfg) }

// ContainPanic calls f and makes an error of its panic.
func ContainPanic(f func()) (err error) {
	defer containPanic(&err)
	f()
	return nil
}
