// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// Attributes of bit sets and of sets of strings, from <linux/ethtool_netlink.h>.
const (
	bitsetNoMask = 1
	bitsetSize   = 2
	bitsetBits   = 3
	bitsetValue  = 4
	bitsetMask   = 5

	bitsetBitsBit = 1

	bitIndex = 1
	bitName  = 2
	bitValue = 3

	strsetStringSets    = 2
	stringSetsStringSet = 1

	stringSetID      = 1
	stringSetStrings = 3

	stringIndex = 1
	stringValue = 2

	// stringSetPrivFlags is ETH_SS_PRIV_FLAGS of <linux/ethtool.h>.
	stringSetPrivFlags = 2
)

// bitset is a bit set of the family ethtool, in either of its forms.
type bitset struct {
	// size is how many bits there can be.
	size int
	// noMask says that the set is a plain list of the bits that are on. Otherwise
	// bits are those that there are.
	noMask bool
	// bits are in ascending order of their index.
	bits []bit
}

// bit is one bit. Its name is empty in the compact form.
type bit struct {
	index int
	name  string
	on    bool
}

// parseBitset reads a bit set. The error matches ErrMalformed.
func parseBitset(b []byte) (*bitset, error) {
	s := &bitset{}
	var list, value, mask []byte
	for a, err := range attrs(b) {
		if err != nil {
			return nil, err
		}
		switch a.typ {
		case bitsetNoMask:
			s.noMask = true
		case bitsetSize:
			n, err := a.uint32()
			if err != nil {
				return nil, err
			}
			s.size = int(min(n, 1<<31-1))
		case bitsetBits:
			list = a.data
		case bitsetValue:
			value = a.data
		case bitsetMask:
			mask = a.data
		}
	}
	if value == nil {
		return s, s.parseList(list)
	}
	return s, s.parseWords(value, mask)
}

// parseList reads the form in which each bit has its name.
func (s *bitset) parseList(b []byte) error {
	for e, err := range attrs(b) {
		if err != nil {
			return err
		}
		if e.typ != bitsetBitsBit {
			continue
		}
		n := bit{index: -1, on: s.noMask}
		for a, err := range attrs(e.data) {
			if err != nil {
				return err
			}
			switch a.typ {
			case bitIndex:
				v, err := a.uint32()
				if err != nil {
					return err
				}
				n.index = int(min(v, 1<<31-1))
			case bitName:
				n.name = a.text()
			case bitValue:
				n.on = true
			}
		}
		if n.index < 0 || n.index >= s.size {
			return fmt.Errorf("%w: bit %d of %d", ErrMalformed, n.index, s.size)
		}
		s.bits = append(s.bits, n)
	}
	slices.SortStableFunc(s.bits, func(a, b bit) int { return cmp.Compare(a.index, b.index) })
	return nil
}

// parseWords reads the compact form, which has numbers of 32 bits.
func (s *bitset) parseWords(value, mask []byte) error {
	n := (s.size + 31) / 32 * 4
	if len(value) != n || !s.noMask && len(mask) != n {
		return fmt.Errorf("%w: %d bits in %d and %d bytes", ErrMalformed, s.size, len(value), len(mask))
	}
	has := func(b []byte, i int) bool { return binary.NativeEndian.Uint32(b[i/32*4:])>>(i%32)&1 != 0 }
	for i := range s.size {
		on := has(value, i)
		if s.noMask && on || !s.noMask && has(mask, i) {
			s.bits = append(s.bits, bit{index: i, on: on})
		}
	}
	return nil
}

// parseStrings reads one set of strings of an answer to ETHTOOL_MSG_STRSET_GET, by index.
func parseStrings(b []byte, id uint32) (map[int]string, error) {
	all := make(map[int]string)
	err := eachNested(b, strsetStringSets, stringSetsStringSet, func(set []byte) error {
		var strings []byte
		mine := false
		for a, err := range attrs(set) {
			if err != nil {
				return err
			}
			switch a.typ {
			case stringSetID:
				v, err := a.uint32()
				if err != nil {
					return err
				}
				mine = v == id
			case stringSetStrings:
				strings = a.data
			}
		}
		if !mine {
			return nil
		}
		for e, err := range attrs(strings) {
			if err != nil {
				return err
			}
			index, text := -1, ""
			for a, err := range attrs(e.data) {
				if err != nil {
					return err
				}
				switch a.typ {
				case stringIndex:
					v, err := a.uint32()
					if err != nil {
						return err
					}
					index = int(min(v, 1<<31-1))
				case stringValue:
					text = a.text()
				}
			}
			if index < 0 {
				return fmt.Errorf("%w: a string without a number", ErrMalformed)
			}
			all[index] = text
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachNested calls f with the data of each attribute inner inside those that are outer.
func eachNested(b []byte, outer, inner uint16, f func([]byte) error) error {
	for o, err := range attrs(b) {
		if err != nil {
			return err
		}
		if o.typ != outer {
			continue
		}
		for i, err := range attrs(o.data) {
			if err != nil {
				return err
			}
			if i.typ == inner {
				if err := f(i.data); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
