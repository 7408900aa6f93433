// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/bond"
)

// codecCmp compares what is exported. Memory kept for the next message makes a
// list empty where it would be nil, which means the same.
var codecCmp = cmp.Options{
	cmpopts.IgnoreUnexported(bond.Bond{}, bond.Slave{}),
	cmpopts.EquateEmpty(),
	cmpopts.EquateComparable(netip.Addr{}),
}

// codecSameErr reports whether both are the same kind of error.
func codecSameErr(a, b error) bool {
	if (a == nil) != (b == nil) {
		return false
	}
	for _, target := range []error{bond.ErrMalformed, bond.ErrNotBond, bond.ErrNotSlave} {
		if errors.Is(a, target) != errors.Is(b, target) {
			return false
		}
	}
	return true
}

func codecSameBond(tb testing.TB, gotErr, wantErr error, got, want *bond.Bond) {
	tb.Helper()
	if !codecSameErr(gotErr, wantErr) {
		tb.Fatalf("error %v, want %v", gotErr, wantErr)
	}
	if diff := cmp.Diff(want, got, codecCmp); diff != "" {
		tb.Fatalf("-want +got:\n%s", diff)
	}
	for opt := range bond.AllOptions() {
		if got.Has(opt) != want.Has(opt) {
			tb.Fatalf("Has(%v) is %t, want %t", opt, got.Has(opt), want.Has(opt))
		}
	}
}

func codecSameSlave(tb testing.TB, gotErr, wantErr error, got, want *bond.Slave) {
	tb.Helper()
	if !codecSameErr(gotErr, wantErr) {
		tb.Fatalf("error %v, want %v", gotErr, wantErr)
	}
	if diff := cmp.Diff(want, got, codecCmp); diff != "" {
		tb.Fatalf("-want +got:\n%s", diff)
	}
	for opt := range bond.AllOptions() {
		if got.Has(opt) != want.Has(opt) {
			tb.Fatalf("Has(%v) is %t, want %t", opt, got.Has(opt), want.Has(opt))
		}
	}
}

// codecFile reads a file of hexadecimal lines with comments.
func codecFile(tb testing.TB, file string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		tb.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		tb.Fatalf("%s: %v", file, err)
	}
	return b
}

// codecFiles returns the captured messages without netlink headers.
func codecFiles(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.FromSlash("testdata/codec/*/*.hex"))
	if err != nil || len(files) < 18 {
		tb.Fatalf("%d captured messages, %v", len(files), err)
	}
	return files
}

// codecDiff is cmp.Diff with codecCmp.
func codecDiff(want, got any) string { return cmp.Diff(want, got, codecCmp) }
