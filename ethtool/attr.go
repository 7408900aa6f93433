// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
)

const (
	attrHeaderLen = 4
	// attrTypeMask removes NLA_F_NESTED and NLA_F_NET_BYTEORDER.
	attrTypeMask = 0x3fff
	attrNested   = 1 << 15
)

// attr is one netlink attribute. data points into the message.
type attr struct {
	typ  uint16
	data []byte
}

// attrs ranges over the attributes of b. An error, which matches ErrMalformed, ends
// it.
func attrs(b []byte) iter.Seq2[attr, error] {
	return func(yield func(attr, error) bool) {
		for len(b) > 0 {
			if len(b) < attrHeaderLen {
				yield(attr{}, fmt.Errorf("%w: %d bytes where an attribute begins", ErrMalformed, len(b)))
				return
			}
			n := int(binary.NativeEndian.Uint16(b))
			a := attr{typ: binary.NativeEndian.Uint16(b[2:]) & attrTypeMask}
			if n < attrHeaderLen || n > len(b) {
				yield(attr{}, fmt.Errorf("%w: attribute %d claims %d of %d bytes", ErrMalformed, a.typ, n, len(b)))
				return
			}
			a.data = b[attrHeaderLen:n:n]
			if !yield(a, nil) {
				return
			}
			// The last attribute may come without its padding.
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

// text returns the attribute's text up to its first NUL byte.
func (a attr) text() string {
	s, _, _ := bytes.Cut(a.data, []byte{0})
	return string(s)
}

// uint returns an unsigned number of 1, 2, 4 or 8 bytes.
func (a attr) uint() (uint64, error) {
	switch len(a.data) {
	case 1:
		return uint64(a.data[0]), nil
	case 2:
		return uint64(binary.NativeEndian.Uint16(a.data)), nil
	case 4:
		return uint64(binary.NativeEndian.Uint32(a.data)), nil
	case 8:
		return binary.NativeEndian.Uint64(a.data), nil
	}
	return 0, fmt.Errorf("%w: attribute %d has %d bytes, want a number", ErrMalformed, a.typ, len(a.data))
}

// uint32 returns an unsigned number of 4 bytes.
func (a attr) uint32() (uint32, error) {
	if len(a.data) != 4 {
		return 0, fmt.Errorf("%w: attribute %d has %d bytes, want 4", ErrMalformed, a.typ, len(a.data))
	}
	return binary.NativeEndian.Uint32(a.data), nil
}

// appendAttr appends an attribute with its padding.
func appendAttr(b []byte, typ uint16, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(attrHeaderLen+len(data)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

// appendText appends an attribute with a text that ends with a NUL byte.
func appendText(b []byte, typ uint16, s string) []byte {
	return appendAttr(b, typ, append([]byte(s), 0))
}

// appendUint32 appends an attribute with a number.
func appendUint32(b []byte, typ uint16, v uint32) []byte {
	return appendAttr(b, typ, binary.NativeEndian.AppendUint32(nil, v))
}

// appendNested appends an attribute that holds others.
func appendNested(b []byte, typ uint16, inner []byte) []byte {
	return appendAttr(b, typ|attrNested, inner)
}
