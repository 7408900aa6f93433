// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"io/fs"

	"github.com/bondkit/bondkit/internal/escape"
)

// Decoders for the tests of package ethtool_test.
var (
	DecodeDriver       = decodeDriver
	DecodeLinkState    = decodeLinkState
	DecodeFirmware     = decodeFirmware
	DecodeReporter     = decodeReporter
	DecodePermanentMAC = decodePermanentMAC
	ParsePCISpeed      = parsePCISpeed
	ParsePCIWidth      = parsePCIWidth
	ParsePCIID         = parsePCIID
	IsPCIAddress       = isPCIAddress
	EscapeText         = escape.Text
	UnescapeText       = unescapeText
)

// DecodePort reads a port of devlink: handle, index and interface.
func DecodePort(b []byte) (handle string, index uint32, ifindex int, err error) {
	p, err := decodeDevlinkPort(b)
	return p.handle.String(), p.index, p.ifindex, err
}

// ReadPCIe reads the files of a PCI device.
func ReadPCIe(sys fs.FS, address string) (PCIe, error) { return readPCIe(sys, address) }
