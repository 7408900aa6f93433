// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/ethtool"
)

var errSlow = errors.New("the slow decoder refuses it")

// coreZeroLength reports whether some attribute may claim the length zero, which the other
// library takes for an empty one.
func coreZeroLength(b []byte) bool {
	for i := 0; i+4 <= len(b); i += 4 {
		if b[i] == 0 && b[i+1] == 0 {
			return true
		}
	}
	return false
}

// slowPrivFlags reads an answer with the parts of another library.
func slowPrivFlags(b []byte) (l ethtool.Link, s ethtool.BitsetInfo, err error) {
	ad, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return l, s, err
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.ETHTOOL_A_PRIVFLAGS_HEADER:
			l = ethtool.Link{}
			ad.Nested(func(nad *netlink.AttributeDecoder) error {
				for nad.Next() {
					switch nad.Type() {
					case unix.ETHTOOL_A_HEADER_DEV_INDEX:
						l.Index = int(nad.Int32())
					case unix.ETHTOOL_A_HEADER_DEV_NAME:
						l.Name = slowText(nad.Bytes())
					}
				}
				return nad.Err()
			})
		case unix.ETHTOOL_A_PRIVFLAGS_FLAGS:
			s = ethtool.BitsetInfo{}
			ad.Nested(func(nad *netlink.AttributeDecoder) error { return slowBitset(nad, &s) })
		}
	}
	return l, s, ad.Err()
}

func slowText(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

func slowBitset(ad *netlink.AttributeDecoder, s *ethtool.BitsetInfo) error {
	var list, value, mask []byte
	size := uint32(0)
	for ad.Next() {
		switch ad.Type() {
		case unix.ETHTOOL_A_BITSET_NOMASK:
			s.NoMask = true
		case unix.ETHTOOL_A_BITSET_SIZE:
			size = ad.Uint32()
		case unix.ETHTOOL_A_BITSET_BITS:
			list = ad.Bytes()
		case unix.ETHTOOL_A_BITSET_VALUE:
			value = append([]byte{}, ad.Bytes()...)
		case unix.ETHTOOL_A_BITSET_MASK:
			mask = ad.Bytes()
		}
	}
	if err := ad.Err(); err != nil {
		return err
	}
	s.Size = int(min(size, 1<<31-1))
	if value != nil {
		// Bit by bit, in bytes of the little-endian machines that run this test.
		words := (uint64(s.Size) + 31) / 32 * 4
		if uint64(len(value)) != words || !s.NoMask && uint64(len(mask)) != words {
			return errSlow
		}
		for i := range s.Size {
			on := value[i/8]&(1<<(i%8)) != 0
			if s.NoMask && !on || !s.NoMask && mask[i/8]&(1<<(i%8)) == 0 {
				continue
			}
			s.Bits = append(s.Bits, ethtool.BitInfo{Index: i, On: on})
		}
		return nil
	}
	nad, err := netlink.NewAttributeDecoder(list)
	if err != nil {
		return err
	}
	for nad.Next() {
		if nad.Type() != unix.ETHTOOL_A_BITSET_BITS_BIT {
			continue
		}
		bit := ethtool.BitInfo{On: s.NoMask}
		has := false
		nad.Nested(func(bad *netlink.AttributeDecoder) error {
			for bad.Next() {
				switch bad.Type() {
				case unix.ETHTOOL_A_BITSET_BIT_INDEX:
					bit.Index, has = int(min(bad.Uint32(), 1<<31-1)), true
				case unix.ETHTOOL_A_BITSET_BIT_NAME:
					bit.Name = slowText(bad.Bytes())
				case unix.ETHTOOL_A_BITSET_BIT_VALUE:
					bit.On = true
				}
			}
			return bad.Err()
		})
		if !has || bit.Index >= s.Size {
			return errors.Join(errSlow, nad.Err())
		}
		s.Bits = append(s.Bits, bit)
	}
	slices.SortStableFunc(s.Bits, func(a, b ethtool.BitInfo) int { return a.Index - b.Index })
	return nad.Err()
}

// coreSeeds are answers of every form.
func coreSeeds() [][]byte {
	size := coreAttr(2, coreUint32(2))
	return [][]byte{
		nil,
		corePrivFlags(size, coreAttr(3, coreBit(0, "legacy-rx", true), coreBit(1, "vf-ipsec", false))),
		corePrivFlags(coreAttr(1), size, coreAttr(3, coreBit(1, "vf-ipsec", false))),
		corePrivFlags(size, coreAttr(4, coreUint32(2)), coreAttr(5, coreUint32(3))),
		corePrivFlags(coreAttr(1), size, coreAttr(4, coreUint32(2))),
		ethtool.FlagSetRequest(ethtool.Link{Index: 7}, "legacy-rx", true),
	}
}

// FuzzPrivFlags compares the decoder with one built of another library's parts, and
// encodes again what it read.
func FuzzPrivFlags(f *testing.F) {
	for _, b := range coreSeeds() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, got, err := ethtool.ParsePrivFlags(b)
		slowLink, want, slowErr := slowPrivFlags(b)
		switch {
		case err != nil && !errors.Is(err, ethtool.ErrMalformed):
			t.Fatalf("error %v", err)
		case err != nil && slowErr == nil && !coreZeroLength(b):
			t.Fatalf("error %v, the slow decoder reads %+v", err, want)
		case err == nil && slowErr != nil:
			t.Fatalf("no error, the slow decoder says %v", slowErr)
		case err != nil:
			return
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || l != slowLink {
			t.Fatalf("link %v, slow %v; bit set (-slow +got):\n%s", l, slowLink, diff)
		}
		if len(got.Bits) > len(b)*8 {
			t.Fatalf("%d bits in %d bytes", len(got.Bits), len(b))
		}
		var list []byte
		for _, bit := range got.Bits {
			list = append(list, coreBit(uint32(bit.Index), bit.Name, bit.On)...)
		}
		if len(list) > 1<<15 || len(l.Name) > 100 {
			return // does not fit into one attribute
		}
		set := [][]byte{coreAttr(2, coreUint32(uint32(got.Size))), coreAttr(3, list)}
		if got.NoMask {
			set = append(set, coreAttr(1))
		}
		_, again, err := ethtool.ParsePrivFlags(corePrivFlags(set...))
		if diff := cmp.Diff(got, again, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Fatalf("encoded again: %v, bit set (-first +again):\n%s", err, diff)
		}
		if len(b)%4 == 0 {
			_, more, err := ethtool.ParsePrivFlags(slices.Concat(b, coreAttr(0x3ffe, []byte{1})))
			if err != nil || !cmp.Equal(more, got, cmpopts.EquateEmpty()) {
				t.Fatalf("with an unknown attribute: %+v, %v", more, err)
			}
		}
	})
}

// FuzzBitsetNames states what holds for Flags made of any bit set: they are not many,
// and those of a list with names have them.
func FuzzBitsetNames(f *testing.F) {
	f.Add(slices.Concat(coreAttr(1), coreAttr(2, coreUint32(3)), coreAttr(4, coreUint32(6))))
	f.Add(slices.Concat(coreAttr(2, coreUint32(3)), coreAttr(4, coreUint32(2)), coreAttr(5, coreUint32(7))))
	names := map[int]string{0: "a", 1: "b", 31: "z"}
	f.Fuzz(func(t *testing.T, b []byte) {
		flags, err := ethtool.BitsetFlags(b, names)
		if err != nil {
			if !errors.Is(err, ethtool.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if len(flags) > max(len(b)*8, 32) {
			t.Fatalf("%d flags in %d bytes", len(flags), len(b))
		}
	})
}

// FuzzFamily compares the decoder of families and of sets of strings with slow ones.
func FuzzFamily(f *testing.F) {
	f.Add(slices.Concat([]byte{1, 2, 0, 0}, coreAttr(1, []byte{21, 0}), coreAttr(3, coreUint32(1)),
		coreAttr(6, coreAttr(1, coreAttr(1, coreUint32(13)), coreAttr(2, coreUint32(0x0e)))),
		coreAttr(7, coreAttr(1, coreAttr(2, coreUint32(5)), coreAttr(1, coreText("monitor"))))))
	f.Add(slices.Concat([]byte{0, 0, 0, 0}, coreAttr(2, coreAttr(1, coreAttr(1, coreUint32(2)), coreAttr(3, coreAttr(1, coreAttr(1, coreUint32(0)), coreAttr(2, coreText("a"))))))))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ethtool.ParseFamily(b)
		if err != nil && !errors.Is(err, ethtool.ErrMalformed) {
			t.Fatal(err)
		}
		if err == nil {
			want, err := slowFamily(b[4:])
			if err != nil {
				t.Fatalf("no error, the slow decoder says %v", err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("family (-slow +got):\n%s", diff)
			}
		}
		strings, err := ethtool.ParseStrings(b, 2)
		if err != nil && (!errors.Is(err, ethtool.ErrMalformed) || strings != nil) {
			t.Fatalf("strings %v, %v", strings, err)
		}
		if len(strings) > len(b) {
			t.Fatalf("%d strings in %d bytes", len(strings), len(b))
		}
	})
}

func slowFamily(b []byte) (*ethtool.FamilyInfo, error) {
	f := &ethtool.FamilyInfo{Ops: make(map[uint8]uint32), Groups: make(map[string]uint32)}
	ad, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return nil, err
	}
	number := func(ad *netlink.AttributeDecoder) uint64 {
		switch len(ad.Bytes()) {
		case 1:
			return uint64(ad.Uint8())
		case 2:
			return uint64(ad.Uint16())
		case 8:
			return ad.Uint64()
		}
		return uint64(ad.Uint32())
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.CTRL_ATTR_FAMILY_ID:
			f.ID = ad.Uint16()
		case unix.CTRL_ATTR_VERSION:
			f.Version = uint8(number(ad))
		case unix.CTRL_ATTR_OPS:
			slowPairs(ad, func(nad *netlink.AttributeDecoder) {
				var id, flags uint64
				for nad.Next() {
					switch nad.Type() {
					case unix.CTRL_ATTR_OP_ID:
						id = number(nad)
					case unix.CTRL_ATTR_OP_FLAGS:
						flags = number(nad)
					}
				}
				if nad.Err() == nil && id <= 255 {
					f.Ops[uint8(id)] = uint32(flags)
				}
			})
		case unix.CTRL_ATTR_MCAST_GROUPS:
			slowPairs(ad, func(nad *netlink.AttributeDecoder) {
				var id uint64
				var names []string
				for nad.Next() {
					switch nad.Type() {
					case unix.CTRL_ATTR_MCAST_GRP_ID:
						id = number(nad)
					case unix.CTRL_ATTR_MCAST_GRP_NAME:
						names = append(names, slowText(nad.Bytes()))
					}
				}
				for _, name := range names {
					f.Groups[name] = uint32(id)
				}
			})
		}
	}
	return f, ad.Err()
}

func slowPairs(ad *netlink.AttributeDecoder, f func(*netlink.AttributeDecoder)) {
	ad.Nested(func(nad *netlink.AttributeDecoder) error {
		for nad.Next() {
			nad.Nested(func(pair *netlink.AttributeDecoder) error {
				f(pair)
				return pair.Err()
			})
		}
		return nad.Err()
	})
}
