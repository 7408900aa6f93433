// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import "fmt"

// Numbers of the family that knows all families, from <linux/genetlink.h>.
const (
	ctrlID        = 0x10
	ctrlGetFamily = 3

	genlCapDo   = 1 << 1
	genlCapDump = 1 << 2
)

// supports returns nil, or an error that matches ErrKernelTooOld.
func (f *family) supports(req *Request) error {
	want := uint32(genlCapDo)
	if req.Dump {
		want = genlCapDump
	}
	if f.ops[req.Command]&want == 0 {
		return fmt.Errorf("%w: family %s has no command %d", ErrKernelTooOld, req.Family, req.Command)
	}
	return nil
}

// familyRequest is the body of a request for a family.
func familyRequest(name string) []byte {
	return appendText(genlHeader(ctrlGetFamily, 1), ctrlAttrFamilyName, name)
}

// genlHeader is a struct genlmsghdr.
func genlHeader(command, version uint8) []byte { return []byte{command, version, 0, 0} }
