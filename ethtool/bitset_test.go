// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
)

// coreAttr is one attribute with its padding.
func coreAttr(typ uint16, values ...[]byte) []byte {
	v := slices.Concat(values...)
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(v)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, v...)
	return append(b, make([]byte, -len(v)&3)...)
}

// coreUint32 are numbers one behind the other.
func coreUint32(vs ...uint32) []byte {
	var b []byte
	for _, v := range vs {
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	return b
}

func coreText(s string) []byte { return append([]byte(s), 0) }

// coreBit is one bit of a list.
func coreBit(index uint32, name string, on bool) []byte {
	b := coreAttr(1, coreUint32(index))
	if name != "" {
		b = append(b, coreAttr(2, coreText(name))...)
	}
	if on {
		b = append(b, coreAttr(3)...)
	}
	return coreAttr(1|0x8000, b)
}

// corePrivFlags is an answer about interface 7, eth0, with a bit set.
func corePrivFlags(set ...[]byte) []byte {
	return slices.Concat(coreAttr(1|0x8000, coreAttr(1, coreUint32(7)), coreAttr(2, coreText("eth0"))), coreAttr(2|0x8000, set...))
}

func TestParsePrivFlags(t *testing.T) {
	size := func(n uint32) []byte { return coreAttr(2, coreUint32(n)) }
	noMask := coreAttr(1)
	for _, tt := range []struct {
		name string
		set  [][]byte
		want ethtool.BitsetInfo
		bad  bool
	}{
		{name: "list", set: [][]byte{size(3), coreAttr(3, coreBit(0, "a", false), coreBit(1, "b", true), coreBit(2, "c", false))}, want: ethtool.BitsetInfo{
			Size: 3, Bits: []ethtool.BitInfo{{0, "a", false}, {1, "b", true}, {2, "c", false}},
		}},
		{name: "size behind the list", set: [][]byte{coreAttr(3, coreBit(0, "a", true)), size(1)}, want: ethtool.BitsetInfo{
			Size: 1, Bits: []ethtool.BitInfo{{0, "a", true}},
		}},
		{name: "the driver's order", set: [][]byte{size(3), coreAttr(3, coreBit(2, "c", true), coreBit(0, "a", true))}, want: ethtool.BitsetInfo{
			Size: 3, Bits: []ethtool.BitInfo{{0, "a", true}, {2, "c", true}},
		}},
		{name: "list of those that are on", set: [][]byte{noMask, size(3), coreAttr(3, coreBit(1, "b", false))}, want: ethtool.BitsetInfo{
			Size: 3, NoMask: true, Bits: []ethtool.BitInfo{{1, "b", true}},
		}},
		{name: "numbers", set: [][]byte{size(33), coreAttr(4, coreUint32(1<<31, 1)), coreAttr(5, coreUint32(3<<30, 1))}, want: ethtool.BitsetInfo{
			Size: 33, Bits: []ethtool.BitInfo{{30, "", false}, {31, "", true}, {32, "", true}},
		}},
		{name: "bits beyond the size", set: [][]byte{size(2), coreAttr(4, coreUint32(0xffffffff)), coreAttr(5, coreUint32(0xffffffff))}, want: ethtool.BitsetInfo{
			Size: 2, Bits: []ethtool.BitInfo{{0, "", true}, {1, "", true}},
		}},
		{name: "numbers of those that are on", set: [][]byte{noMask, size(3), coreAttr(4, coreUint32(5))}, want: ethtool.BitsetInfo{
			Size: 3, NoMask: true, Bits: []ethtool.BitInfo{{0, "", true}, {2, "", true}},
		}},
		{name: "empty", set: [][]byte{size(0), coreAttr(3)}, want: ethtool.BitsetInfo{}},
		{name: "nothing at all", want: ethtool.BitsetInfo{}},
		{name: "unknown attributes", set: [][]byte{size(1), coreAttr(99, []byte{1}), coreAttr(3, coreAttr(7, []byte{1, 2, 3}), coreBit(0, "a", true))}, want: ethtool.BitsetInfo{
			Size: 1, Bits: []ethtool.BitInfo{{0, "a", true}},
		}},
		{name: "bit beyond the list", set: [][]byte{size(1), coreAttr(3, coreBit(1, "b", true))}, bad: true},
		{name: "bit without a number", set: [][]byte{size(1), coreAttr(3, coreAttr(1, coreAttr(2, coreText("a"))))}, bad: true},
		{name: "number of 2 bytes", set: [][]byte{size(1), coreAttr(3, coreAttr(1, coreAttr(1, []byte{0, 0})))}, bad: true},
		{name: "size of 8 bytes", set: [][]byte{coreAttr(2, coreUint32(1, 0))}, bad: true},
		{name: "values too short", set: [][]byte{size(33), coreAttr(4, coreUint32(1)), coreAttr(5, coreUint32(1, 0))}, bad: true},
		{name: "mask missing", set: [][]byte{size(1), coreAttr(4, coreUint32(1))}, bad: true},
		{name: "huge size", set: [][]byte{size(0xffffffff), coreAttr(4, coreUint32(1)), coreAttr(5, coreUint32(1))}, bad: true},
		{name: "cut off", set: [][]byte{size(1), {8, 0}}, bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, got, err := ethtool.ParsePrivFlags(corePrivFlags(tt.set...))
			if tt.bad {
				if !errors.Is(err, ethtool.ErrMalformed) {
					t.Errorf("%+v, %v; want ErrMalformed", got, err)
				}
				return
			}
			if err != nil || l != (ethtool.Link{Index: 7, Name: "eth0"}) {
				t.Fatalf("%+v, %v", l, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("bit set (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBitsetNames(t *testing.T) {
	size := coreAttr(2, coreUint32(3))
	names := map[int]string{0: "a", 1: "b", 2: "c"}
	for _, tt := range []struct {
		name  string
		set   []byte
		names map[int]string
		want  ethtool.Flags
	}{
		{"numbers", slices.Concat(size, coreAttr(4, coreUint32(2)), coreAttr(5, coreUint32(7))), names, ethtool.Flags{{Name: "a"}, {Name: "b", On: true}, {Name: "c"}}},
		{"numbers of those that are on", slices.Concat(coreAttr(1), size, coreAttr(4, coreUint32(6))), names, ethtool.Flags{{Name: "a"}, {Name: "b", On: true}, {Name: "c", On: true}}},
		{"list of those that are on", slices.Concat(coreAttr(1), size, coreAttr(3, coreBit(2, "c", false))), names, ethtool.Flags{{Name: "a"}, {Name: "b"}, {Name: "c", On: true}}},
		{"fewer names than bits", slices.Concat(size, coreAttr(4, coreUint32(2)), coreAttr(5, coreUint32(7))), map[int]string{0: "a"}, ethtool.Flags{{Name: "a"}, {On: true}, {}}},
		{"on without a name", slices.Concat(coreAttr(1), size, coreAttr(4, coreUint32(6))), map[int]string{0: "a"}, ethtool.Flags{{Name: "a"}, {On: true}, {On: true}}},
	} {
		got, err := ethtool.BitsetFlags(tt.set, tt.names)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, flags (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

func TestParseStrings(t *testing.T) {
	one := func(index uint32, s string) []byte {
		return coreAttr(1, coreAttr(1, coreUint32(index)), coreAttr(2, coreText(s)))
	}
	set := func(id uint32, strings ...[]byte) []byte {
		return coreAttr(1, coreAttr(1, coreUint32(id)), coreAttr(2, coreUint32(uint32(len(strings)))), coreAttr(3, strings...))
	}
	b := slices.Concat(coreAttr(1, coreAttr(1, coreUint32(7))), coreAttr(2, set(4, one(0, "other")), set(2, one(1, "b"), one(0, "a"))))
	got, err := ethtool.ParseStrings(b, 2)
	if diff := cmp.Diff(map[int]string{0: "a", 1: "b"}, got); diff != "" || err != nil {
		t.Errorf("%v, strings (-want +got):\n%s", err, diff)
	}
	for _, bad := range [][]byte{
		coreAttr(2, coreAttr(1, coreAttr(1, []byte{2}))),
		coreAttr(2, set(2, coreAttr(1, coreAttr(2, coreText("without a number"))))),
		coreAttr(2, coreAttr(1, coreAttr(1, coreUint32(2)), coreAttr(3, []byte{1}))),
		{1, 2, 3},
	} {
		if got, err := ethtool.ParseStrings(bad, 2); !errors.Is(err, ethtool.ErrMalformed) {
			t.Errorf("%v, %v; want ErrMalformed", got, err)
		}
	}
}

// TestFlagSetRequest compares with the bytes that ethtool(8) sends.
func TestFlagSetRequest(t *testing.T) {
	for on, want := range map[bool][]byte{
		true:  slices.Concat(coreAttr(0x8001, coreAttr(1, coreUint32(7))), coreAttr(0x8002, coreAttr(0x8003, coreAttr(0x8001, coreAttr(2, coreText("legacy-rx")), coreAttr(3))))),
		false: slices.Concat(coreAttr(0x8001, coreAttr(1, coreUint32(7))), coreAttr(0x8002, coreAttr(0x8003, coreAttr(0x8001, coreAttr(2, coreText("legacy-rx")))))),
	} {
		if diff := cmp.Diff(want, ethtool.FlagSetRequest(ethtool.Link{Index: 7, Name: "eth0"}, "legacy-rx", on)); diff != "" {
			t.Errorf("request for %v (-want +got):\n%s", on, diff)
		}
	}
	byName := ethtool.FlagSetRequest(ethtool.Link{Name: "eth0"}, "x", true)
	if diff := cmp.Diff(coreAttr(0x8001, coreAttr(2, coreText("eth0"))), byName[:16]); diff != "" {
		t.Errorf("header by name (-want +got):\n%s", diff)
	}
}

func TestParseFamily(t *testing.T) {
	op := func(n uint16, id, flags uint32) []byte {
		return coreAttr(n, coreAttr(1, coreUint32(id)), coreAttr(2, coreUint32(flags)))
	}
	group := func(n uint16, name string, id uint32) []byte {
		return coreAttr(n, coreAttr(2, coreUint32(id)), coreAttr(1, coreText(name)))
	}
	whole := slices.Concat([]byte{1, 2, 0, 0}, coreAttr(2, coreText("ethtool")), coreAttr(1, []byte{21, 0}), coreAttr(3, coreUint32(1)),
		coreAttr(4, coreUint32(0)), coreAttr(5, coreUint32(0)),
		coreAttr(6, op(1, 13, 0x0e), op(2, 14, 0x1a), op(3, 300, 2)), coreAttr(7, group(1, "monitor", 5)))
	got, err := ethtool.ParseFamily(whole)
	want := &ethtool.FamilyInfo{ID: binary.NativeEndian.Uint16([]byte{21, 0}), Version: 1, Ops: map[uint8]uint32{13: 0x0e, 14: 0x1a}, Groups: map[string]uint32{"monitor": 5}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, family (-want +got):\n%s", err, diff)
	}
	header := whole[:4]
	for name, bad := range map[string][]byte{
		"empty":               nil,
		"no number":           slices.Concat(header, coreAttr(2, coreText("ethtool"))),
		"number of 4 bytes":   slices.Concat(header, coreAttr(1, coreUint32(21))),
		"version of 3 bytes":  slices.Concat(header, coreAttr(1, []byte{21, 0}), coreAttr(3, []byte{1, 2, 3})),
		"command of 3 bytes":  slices.Concat(header, coreAttr(1, []byte{21, 0}), coreAttr(6, coreAttr(1, coreAttr(1, []byte{1, 2, 3})))),
		"group of 3 bytes":    slices.Concat(header, coreAttr(1, []byte{21, 0}), coreAttr(7, coreAttr(1, coreAttr(2, []byte{1, 2, 3})))),
		"cut off":             whole[:len(whole)-5],
		"cut off in the list": slices.Concat(header, coreAttr(1, []byte{21, 0}), coreAttr(6, []byte{9, 0, 1, 0})),
	} {
		if got, err := ethtool.ParseFamily(bad); !errors.Is(err, ethtool.ErrMalformed) {
			t.Errorf("%s: %+v, %v; want ErrMalformed", name, got, err)
		}
	}
}
