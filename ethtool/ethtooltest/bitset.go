// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"slices"
	"syscall"
)

// Numbers of <linux/ethtool_netlink.h>.
const (
	bitsetNoMask = 1
	bitsetSize   = 2
	bitsetBits   = 3
	bitsetValue  = 4
	bitsetMask   = 5

	bitsBit = 1

	bitIndex = 1
	bitName  = 2
	bitValue = 3
)

// bitset is a set of named bits. Without a mask, it is a list of those that are on.
type bitset struct {
	names       []string
	value, mask []bool
}

// appendBitset is ethnl_put_bitset32 of the kernel's net/ethtool/bitset.c.
func appendBitset(b []byte, typ uint16, s bitset, compact bool) []byte {
	var inner []byte
	if s.mask == nil {
		inner = appendAttr(inner, bitsetNoMask, nil)
	}
	inner = appendU32(inner, bitsetSize, uint32(len(s.value)))
	if compact {
		inner = appendAttr(inner, bitsetValue, words32(s.value))
		if s.mask != nil {
			inner = appendAttr(inner, bitsetMask, words32(s.mask))
		}
		return appendNest(b, typ, inner)
	}
	var bits []byte
	for i, on := range s.value {
		if s.mask != nil && !s.mask[i] || s.mask == nil && !on {
			continue
		}
		bit := appendText(appendU32(nil, bitIndex, uint32(i)), bitName, s.names[i])
		if s.mask != nil && on {
			bit = appendAttr(bit, bitValue, nil)
		}
		bits = appendNest(bits, bitsBit, bit)
	}
	return appendNest(b, typ, appendNest(inner, bitsetBits, bits))
}

// words32 packs bits into words of 32.
func words32(bits []bool) []byte {
	words := make([]uint32, (len(bits)+31)/32)
	for i, on := range bits {
		if on {
			words[i/32] |= 1 << (i % 32)
		}
	}
	var b []byte
	for _, w := range words {
		b = ne.AppendUint32(b, w)
	}
	return b
}

// updateBitset changes bits as a request says, and reports whether that
// made a difference (ethnl_update_bitset32).
func updateBitset(bits []bool, names []string, nest tlv) (changed bool, err error) {
	before := slices.Clone(bits)
	tb := collect(nest.data)
	list, verbose := tb[bitsetBits]
	value, compact := tb[bitsetValue]
	switch {
	case compact && verbose:
		return false, explain(syscall.EINVAL, "bits not allowed in compact bitset")
	case compact:
		err = updateCompact(bits, tb, value)
	case verbose:
		_, noMask := tb[bitsetNoMask]
		if noMask {
			clear(bits)
		}
		err = updateVerbose(bits, names, list, noMask)
	default:
		return false, explain(syscall.EINVAL, "missing mandatory attribute in bitset")
	}
	if err != nil {
		copy(bits, before)
		return false, err
	}
	return !slices.Equal(bits, before), nil
}

func updateCompact(bits []bool, tb map[uint16]tlv, value tlv) error {
	size, ok := tb[bitsetSize]
	if !ok {
		return explain(syscall.EINVAL, "missing size in compact bitset")
	}
	count := int(size.number())
	mask, hasMask := tb[bitsetMask]
	need := (count + 31) / 32 * 4
	if len(value.data) < need || hasMask && len(mask.data) < need {
		return explain(syscall.EINVAL, "bitset does not have the size that it claims")
	}
	for i := range count {
		inMask := !hasMask || mask.data[i/8]&(1<<(i%8)) != 0
		on := value.data[i/8]&(1<<(i%8)) != 0
		switch {
		case i < len(bits) && inMask:
			bits[i] = on
		case i >= len(bits) && inMask && on:
			return explain(syscall.EINVAL, "cannot modify bits past kernel bitset size")
		}
	}
	return nil
}

func updateVerbose(bits []bool, names []string, list tlv, noMask bool) error {
	for a := range attrs(list.data) {
		if a.typ != bitsBit {
			return explain(syscall.EINVAL, "only ETHTOOL_A_BITSET_BITS_BIT allowed in ETHTOOL_A_BITSET_BITS")
		}
		tb := collect(a.data)
		index, hasIndex := tb[bitIndex]
		name, hasName := tb[bitName]
		i := int(index.number())
		switch {
		case hasIndex && i >= len(bits):
			return explain(syscall.EOPNOTSUPP, "bit index too high")
		case hasIndex && hasName && names[i] != name.text():
			return explain(syscall.EINVAL, "bit index and name mismatch")
		case hasIndex:
		case hasName:
			if i = slices.Index(names, name.text()); i < 0 {
				return explain(syscall.EOPNOTSUPP, "bit name not found")
			}
		default:
			return explain(syscall.EINVAL, "neither bit index nor name specified")
		}
		_, on := tb[bitValue]
		bits[i] = noMask || on
	}
	return nil
}
