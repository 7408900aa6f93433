// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import "net"

// CodecRequest is a linkRequest.
type CodecRequest struct {
	Index          int
	Name, AltName  string
	Flags, Change  uint32
	MAC            net.HardwareAddr
	MTU, TxQueues  int
	Master         *int
	Kind, DumpKind bool
	DumpMaster     int
	ExtMask        bool
	Options        *Options
	SlaveOptions   *SlaveOptions
}

// Append is appendLinkRequest.
func (r *CodecRequest) Append(dst []byte) ([]byte, error) {
	return appendLinkRequest(dst, &linkRequest{
		index: r.Index, name: r.Name, altName: r.AltName,
		flags: r.Flags, change: r.Change, mac: r.MAC, mtu: r.MTU, txQueues: r.TxQueues, master: r.Master,
		kind: r.Kind, dumpKind: r.DumpKind, dumpMaster: r.DumpMaster, extMask: r.ExtMask,
		options: r.Options, slaveOptions: r.SlaveOptions,
	})
}

// OptionAtOffset is optionAtOffset.
func OptionAtOffset(body []byte, offset int) (Option, bool) { return optionAtOffset(body, offset) }
