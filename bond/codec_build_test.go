// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/binary"
	"os"
	"slices"
)

// codecStep returns by how much the tests go on that try every place of a
// message. They do not ask the kernel anything, and an emulated processor takes
// minutes for all places.
func codecStep() int {
	if os.Getenv("BONDKIT_VM") != "" {
		return 17
	}
	return 1
}

// codecNested is NLA_F_NESTED.
const codecNested = 1 << 15

// codecAttr appends an attribute with its padding.
func codecAttr(dst []byte, typ uint16, val []byte) []byte {
	dst = binary.NativeEndian.AppendUint16(dst, uint16(4+len(val)))
	dst = binary.NativeEndian.AppendUint16(dst, typ)
	dst = append(dst, val...)
	return append(dst, make([]byte, -len(val)&3)...)
}

// codecNest returns an attribute with others in it.
func codecNest(typ uint16, inner ...[]byte) []byte {
	return codecAttr(nil, typ, slices.Concat(inner...))
}

// codecBody returns a message about the interface with index 7.
func codecBody(attrs ...[]byte) []byte {
	head := make([]byte, 16)
	binary.NativeEndian.PutUint16(head[2:], 1)
	binary.NativeEndian.PutUint32(head[4:], 7)
	return append(head, slices.Concat(attrs...)...)
}

// codecBondBody returns a message about a bond with these attributes.
func codecBondBody(attrs ...[]byte) []byte {
	return codecBody(codecNest(18, codecAttr(nil, 1, []byte("bond\x00")), codecNest(2, attrs...)))
}

// codecSlaveBody returns a message about a slave with these attributes.
func codecSlaveBody(attrs ...[]byte) []byte {
	return codecBody(codecNest(18, codecAttr(nil, 4, []byte("bond\x00")), codecNest(5, attrs...)))
}

func codecU32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
func codecI32(v int32) []byte  { return codecU32(uint32(v)) }
func codecU64(v uint64) []byte { return binary.NativeEndian.AppendUint64(nil, v) }
func codecU16(v uint16) []byte { return binary.NativeEndian.AppendUint16(nil, v) }
