// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// FuzzOptions: what can be read and written again, reads the same.
func FuzzOptions(f *testing.F) {
	all, _ := codecEvery().AppendAttrs(nil)
	slave, _ := (&bond.SlaveOptions{QueueID: new(uint16(3)), Prio: new(int32(-2)), ActorPortPrio: new(uint16(9))}).AppendAttrs(nil)
	for _, seed := range [][]byte{
		all, slave, codecNest(8), codecNest(codecNested | 31),
		codecNest(8, codecAttr(nil, 3, []byte{192, 0, 2, 1}), codecAttr(nil, 3, []byte{192, 0, 2, 1})),
		codecAttr(nil, 17, []byte{2}), codecAttr(nil, 1, []byte{9}), codecAttr(nil, 99, []byte("unknown")),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var o, back bond.Options
		if _, err := o.DecodeAttrs(data); err != nil {
			if !o.IsZero() || !errors.Is(err, bond.ErrMalformed) && !errors.Is(err, bond.ErrBadValue) {
				t.Fatalf("%+v, %v", o, err)
			}
		}
		written, err := o.AppendAttrs(nil)
		if err != nil {
			if len(written) != 0 || !errors.Is(err, bond.ErrBadValue) {
				t.Fatalf("%x, %v", written, err)
			}
			return
		}
		if unknown, err := back.DecodeAttrs(written); err != nil || len(unknown) > 0 {
			t.Fatal(unknown, err)
		}
		if diff := cmp.Diff(o, back, codecCmp); diff != "" {
			t.Fatalf("-first +second:\n%s", diff)
		}
		for opt := range bond.AllOptions() {
			if o.Has(opt) != back.Has(opt) {
				t.Fatalf("%v: %t and %t", opt, o.Has(opt), back.Has(opt))
			}
		}
		// The bond with these options says the same, targets in order of the message.
		var b bond.Bond
		if err := b.Decode(codecBondBody(written)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, b.Options(), codecCmp); diff != "" {
			t.Fatalf("-request +bond:\n%s", diff)
		}

		var so, soBack bond.SlaveOptions
		if _, err := so.DecodeAttrs(data); err != nil && (!so.IsZero() || !errors.Is(err, bond.ErrMalformed)) {
			t.Fatalf("%+v, %v", so, err)
		}
		written, err = so.AppendAttrs(nil)
		if err != nil {
			t.Fatal(err)
		}
		if unknown, err := soBack.DecodeAttrs(written); err != nil || len(unknown) > 0 {
			t.Fatal(unknown, err)
		}
		if diff := cmp.Diff(so, soBack); diff != "" {
			t.Fatalf("slave, -first +second:\n%s", diff)
		}
	})
}

// FuzzStats: no message panics, and a struct that was used before says the same
// as a fresh one.
func FuzzStats(f *testing.F) {
	for _, file := range codecFiles(f) {
		f.Add(codecFile(f, file))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		used := bond.Stats{LACPDURx: 1, MarkerUnknownRx: 2}
		var fresh bond.Stats
		ok, err := used.Decode(body)
		freshOK, freshErr := fresh.Decode(body)
		if used != fresh || ok != freshOK || (err == nil) != (freshErr == nil) {
			t.Fatalf("%+v, %t, %v and %+v, %t, %v", used, ok, err, fresh, freshOK, freshErr)
		}
		if err != nil && (ok || used != bond.Stats{} || !errors.Is(err, bond.ErrMalformed)) {
			t.Fatalf("%+v, %t, %v", used, ok, err)
		}
		if !ok && used != (bond.Stats{}) {
			t.Fatalf("not ok and %+v", used)
		}
	})
}

// FuzzOptionAtOffset: no offset into any request panics, and what is found is
// in the table.
func FuzzOptionAtOffset(f *testing.F) {
	body, _ := (&bond.CodecRequest{Name: "bond0", Options: codecEvery()}).Append(nil)
	f.Add(body, 60)
	f.Add(body, -1)
	f.Add(codecSlaveBody(codecAttr(nil, 5, []byte{1, 0})), 70)
	f.Fuzz(func(t *testing.T, body []byte, offset int) {
		if opt, ok := bond.OptionAtOffset(body, offset); ok && (opt.Info().Name == "" || offset >= 16+len(body)) {
			t.Fatalf("%v at %d of %d", opt, offset, len(body))
		}
	})
}
