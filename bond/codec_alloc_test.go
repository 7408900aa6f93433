// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"slices"
	"testing"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/internal/alloctest"
)

func TestDecodeAllocs(t *testing.T) {
	bonds := [][]byte{
		codecFile(t, codecNewest+"lacp-bond.hex"), codecFile(t, codecNewest+"ab-bond.hex"),
		codecBondBody(codecAttr(nil, 3, codecU32(1)), codecAttr(nil, 200, []byte("unknown")), codecAttr(nil, 201, make([]byte, 100)),
			codecAttr(nil, 8, slices.Concat(codecAttr(nil, 0, []byte{192, 0, 2, 1}), codecAttr(nil, 1, []byte{192, 0, 2, 2}))),
			codecAttr(nil, codecNested|31, codecAttr(nil, 0, make([]byte, 16)))),
	}
	slaves := [][]byte{
		codecFile(t, codecNewest+"lacp-slave.hex"), codecFile(t, codecNewest+"ab-slave.hex"),
		codecSlaveBody(codecAttr(nil, 4, make([]byte, 20)), codecAttr(nil, 200, []byte("unknown"))),
	}
	// One struct a message, because another name is another string.
	var b [3]bond.Bond
	var s [3]bond.Slave
	var l [3]bond.LinkInfo
	stats := codecFile(t, codecNewest+"lacp-stats.hex")
	var st bond.Stats
	alloctest.Zero(t, 3000, func() {
		for i := range b {
			if err := b[i].Decode(bonds[i]); err != nil {
				t.Fatal(err)
			}
			if err := s[i].Decode(slaves[i]); err != nil {
				t.Fatal(err)
			}
			if err := l[i].Decode(slaves[i]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := st.Decode(stats); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAppendAllocs(t *testing.T) {
	o, so, buf := codecEvery(), &bond.SlaveOptions{QueueID: new(uint16(1)), Prio: new(int32(2))}, make([]byte, 0, 4096)
	request := bond.CodecRequest{Name: "bond0", Master: new(3), Options: o, SlaveOptions: so}
	alloctest.Zero(t, 3000, func() {
		if _, err := o.AppendAttrs(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := so.AppendAttrs(buf); err != nil {
			t.Fatal(err)
		}
		body, err := request.Append(buf)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := bond.OptionAtOffset(body, len(body)); !ok {
			t.Fatal("no option at the end of the request")
		}
	})
}
