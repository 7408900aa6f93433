// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// fuzzSeeds holds messages with every attribute that the decoders read.
var fuzzSeeds = [][]byte{
	nil,
	linkHeader,
	slices.Concat(linkHeader, attr(3, []byte("e1\x00")), attr(1, []byte{2, 0, 0, 0, 0, 1}), attr(54, []byte{2, 0, 0, 0, 0, 2}),
		attr(4, u32(1500)), attr(5, u32(3)), attr(10, u32(4)), attr(16, []byte{6}), attr(37, u32(1)),
		attr(18, attr(1, []byte("veth\x00")), attr(4, []byte("bond\x00")), attr(5, attr(1, []byte{1}), attr(2, []byte{0}), attr(4, []byte{2, 0, 0, 0, 0, 2})))),
	slices.Concat(linkHeader, attr(18, attr(1, []byte("bond\x00")), attr(2, attr(1, []byte{1}), attr(2, u32(8)), attr(3, u32(100)),
		attr(7, u32(250)), attr(9, u32(3)), attr(13, []byte{2}), attr(17, []byte{1}), attr(30, []byte{4})))),
	slices.Concat(linkHeader, attr(35, u32(7)), attr(56, []byte("0000:3b:00.0\x00")), attr(57, []byte("pci\x00")),
		attr(18, attr(1, []byte("macvlan\x00")), attr(2, attr(1, u32(2)), attr(2, []byte{0, 0})))),
	slices.Concat(linkHeader, attr(11, []byte{1})),
	slices.Concat([]byte{2, 24, 0, 0}, u32(3), attr(1, []byte{10, 0, 0, 1}), attr(2, []byte{10, 0, 0, 2})),
	slices.Concat([]byte{10, 64, 0, 253}, u32(3), attr(1, make([]byte, 16))),
}

// FuzzParse states what holds for any input: an error is ErrMalformed, nothing
// comes with it, and unknown attributes behind a good message change nothing.
func FuzzParse(f *testing.F) {
	for _, b := range fuzzSeeds {
		f.Add(b)
	}
	unknown := attr(0x3ffe, []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		l, ok, err := rtnl.ParseLink(b)
		if err != nil {
			if !errors.Is(err, rtnl.ErrMalformed) || ok || !sameLink(l, rtnl.Link{}) {
				t.Fatalf("ParseLink: %+v, ok %v, %v", l, ok, err)
			}
		} else if len(b)%4 == 0 {
			l2, ok2, err2 := rtnl.ParseLink(slices.Concat(b, unknown))
			if err2 != nil || ok2 != ok || !sameLink(l, l2) {
				t.Fatalf("ParseLink with an unknown attribute: %+v, ok %v, %v; want %+v, ok %v", l2, ok2, err2, l, ok)
			}
		}

		a, ok, err := rtnl.ParseAddr(b)
		if err != nil && (!errors.Is(err, rtnl.ErrMalformed) || ok || a != (rtnl.Addr{})) {
			t.Fatalf("ParseAddr: %+v, ok %v, %v", a, ok, err)
		}
		if ok && (!a.Addr.IsValid() || a.Bits > a.Addr.BitLen()) {
			t.Fatalf("ParseAddr gave %+v", a)
		}
	})
}
