// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is matched by the error of every decoder here that met a
// message it could not read: cut off, or with an attribute of a wrong size.
var ErrMalformed = errors.New("malformed rtnetlink message")

const (
	attrHeaderLen = 4
	attrAlign     = 4
	// attrTypeMask removes NLA_F_NESTED and NLA_F_NET_BYTEORDER.
	attrTypeMask = 0x3fff
)

// attribute is one netlink attribute; data points into the message.
type attribute struct {
	typ  uint16
	data []byte
}

// nextAttribute splits the first attribute off b, which must not be empty.
func nextAttribute(b []byte) (a attribute, rest []byte, err error) {
	if len(b) < attrHeaderLen {
		return attribute{}, nil, fmt.Errorf("%w: %d bytes where an attribute begins", ErrMalformed, len(b))
	}
	n := int(binary.NativeEndian.Uint16(b))
	a.typ = binary.NativeEndian.Uint16(b[2:]) & attrTypeMask
	if n < attrHeaderLen || n > len(b) {
		return attribute{}, nil, fmt.Errorf("%w: attribute %d claims %d of %d bytes", ErrMalformed, a.typ, n, len(b))
	}
	a.data = b[attrHeaderLen:n]
	// The last attribute may come without its padding.
	return a, b[min((n+attrAlign-1)&^(attrAlign-1), len(b)):], nil
}

// eachAttribute calls f for every attribute of b, in order, until an error.
func eachAttribute(b []byte, f func(attribute) error) error {
	for len(b) > 0 {
		a, rest, err := nextAttribute(b)
		if err != nil {
			return err
		}
		if err := f(a); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// size returns an error unless the attribute has exactly n bytes.
func (a attribute) size(n int) error {
	if len(a.data) != n {
		return fmt.Errorf("%w: attribute %d has %d bytes, want %d", ErrMalformed, a.typ, len(a.data), n)
	}
	return nil
}

// uint8 stores the attribute's value in v.
func (a attribute) uint8(v *uint8) error {
	if err := a.size(1); err != nil {
		return err
	}
	*v = a.data[0]
	return nil
}

// uint32 stores the attribute's value in v.
func (a attribute) uint32(v *uint32) error {
	if err := a.size(4); err != nil {
		return err
	}
	*v = binary.NativeEndian.Uint32(a.data)
	return nil
}

// int32 stores the attribute's value, which the kernel means as signed, in v.
func (a attribute) int32(v *int) error {
	var u uint32
	if err := a.uint32(&u); err != nil {
		return err
	}
	*v = int(int32(u))
	return nil
}

// string returns the attribute's text up to its first NUL byte.
func (a attribute) string() string {
	s, _, _ := bytes.Cut(a.data, []byte{0})
	return string(s)
}

// hardwareAddr returns a copy of the attribute's bytes, nil if there are none.
func (a attribute) hardwareAddr() []byte {
	if len(a.data) == 0 {
		return nil
	}
	return bytes.Clone(a.data)
}
