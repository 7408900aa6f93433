// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"encoding/binary"
	"fmt"
)

// Attributes of the family that knows all families, from <linux/genetlink.h>.
const (
	ctrlAttrFamilyID    = 1
	ctrlAttrFamilyName  = 2
	ctrlAttrVersion     = 3
	ctrlAttrOps         = 6
	ctrlAttrMcastGroups = 7

	ctrlAttrOpID       = 1
	ctrlAttrOpFlags    = 2
	ctrlAttrMcastName  = 1
	ctrlAttrMcastGrpID = 2

	genlHeaderLen = 4
)

// family is what the kernel says of a family of generic netlink.
type family struct {
	id      uint16
	version uint8
	ops     map[uint8]uint32 // by command, with what can be done with it
	groups  map[string]uint32
}

// cutGenl reads the body of a message of generic netlink.
func cutGenl(b []byte) (Message, error) {
	if len(b) < genlHeaderLen {
		return Message{}, fmt.Errorf("%w: %d bytes of generic netlink", ErrMalformed, len(b))
	}
	return Message{Command: b[0], Attrs: b[genlHeaderLen:]}, nil
}

// parseFamily reads an answer to familyRequest.
func parseFamily(b []byte) (*family, error) {
	m, err := cutGenl(b)
	if err != nil {
		return nil, err
	}
	f := &family{ops: make(map[uint8]uint32), groups: make(map[string]uint32)}
	for a, err := range attrs(m.Attrs) {
		if err != nil {
			return nil, err
		}
		switch a.typ {
		case ctrlAttrFamilyID:
			if len(a.data) != 2 {
				return nil, fmt.Errorf("%w: the number of a family has %d bytes", ErrMalformed, len(a.data))
			}
			f.id = binary.NativeEndian.Uint16(a.data)
		case ctrlAttrVersion:
			v, err := a.uint()
			if err != nil {
				return nil, err
			}
			f.version = uint8(v)
		case ctrlAttrOps:
			err = eachPair(a.data, func(pair []attr) error {
				id, flags, err := pairNumbers(pair, ctrlAttrOpID, ctrlAttrOpFlags)
				if err == nil && id <= 0xff {
					f.ops[uint8(id)] = uint32(flags)
				}
				return err
			})
		case ctrlAttrMcastGroups:
			err = eachPair(a.data, func(pair []attr) error {
				id, _, err := pairNumbers(pair, ctrlAttrMcastGrpID, 0)
				for _, p := range pair {
					if p.typ == ctrlAttrMcastName {
						f.groups[p.text()] = uint32(id)
					}
				}
				return err
			})
		}
		if err != nil {
			return nil, err
		}
	}
	if f.id == 0 {
		return nil, fmt.Errorf("%w: a family without a number", ErrMalformed)
	}
	return f, nil
}

// eachPair calls do with the attributes of each element of a list.
func eachPair(b []byte, do func([]attr) error) error {
	for e, err := range attrs(b) {
		if err != nil {
			return err
		}
		var pair []attr
		for a, err := range attrs(e.data) {
			if err != nil {
				return err
			}
			pair = append(pair, a)
		}
		if err := do(pair); err != nil {
			return err
		}
	}
	return nil
}

// pairNumbers returns the numbers of two attributes, 0 for one that is not there.
func pairNumbers(pair []attr, one, two uint16) (first, second uint64, err error) {
	for _, a := range pair {
		switch {
		case a.typ == one:
			first, err = a.uint()
		case a.typ == two && two != 0:
			second, err = a.uint()
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return first, second, nil
}
