// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"strings"
)

// derivedSeed computes the seed for the gaps between probes.
func derivedSeed(machine string) uint64 {
	h := hmac.New(sha256.New, []byte(machine))
	h.Write([]byte("arpmon seed"))
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// machineIdentity returns what tells this machine from others: the content of
// /etc/machine-id, or the host name.
func machineIdentity() string {
	b, err := os.ReadFile("/etc/machine-id")
	if id := strings.TrimSpace(string(b)); err == nil && id != "" && id != "uninitialized" {
		return id
	}
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
