// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
)

// factsDecoder is a decoder and what holds for it with any input: nothing comes with an
// error, which is ErrMalformed.
func factsDecoder[T any](t *testing.T, name string, decode func([]byte) (T, error), b []byte) (v T, ok bool) {
	t.Helper()
	before := string(b)
	v, err := decode(b)
	if string(b) != before {
		t.Fatalf("%s changed its input", name)
	}
	if err != nil {
		var zero T
		if !errors.Is(err, ethtool.ErrMalformed) || !reflect.DeepEqual(v, zero) {
			t.Fatalf("%s gives %+v, %v", name, v, err)
		}
		return v, false
	}
	return v, true
}

// What a later kernel may send besides changes nothing.
var factsLater = factsAttr(0x3ff0, 1, 2, 3)

func factsSeeds(f *testing.F) {
	handle := factsJoin(factsAttr(1, []byte("pci\x00")...), factsAttr(2, []byte("0000:3b:00.0\x00")...))
	version := factsJoin(factsAttr(103, []byte("fw.mgmt\x00")...), factsAttr(104, []byte("8.30\x00")...))
	reporter := factsJoin(
		factsAttr(115, []byte("fw\x00")...), factsAttr(116, 1), factsAttr(117, 3, 0, 0, 0, 0, 0, 0, 0), factsAttr(118, 2, 0, 0, 0, 0, 0, 0, 0),
		factsAttr(121, 1), factsAttr(137, 1, 2, 3, 4, 5, 6, 7, 8))
	for _, b := range [][]byte{
		nil,
		{1},
		handle,
		factsJoin(handle, factsAttr(98, []byte("ice\x00")...), factsAttr(99, []byte("3c-fd\x00")...), factsAttr(146, []byte("X\x00")...),
			factsAttr(100, version...), factsAttr(101, version...), factsAttr(102, version...)),
		factsJoin(handle, factsAttr(3, 1, 0, 0, 0), factsAttr(114, reporter...)),
		factsJoin(handle, factsAttr(3, 1, 0, 0, 0), factsAttr(6, 9, 0, 0, 0)),
		factsJoin(factsAttr(2, 1), factsAttr(3, 3, 0, 0, 0), factsAttr(4, 7, 0, 0, 0), factsAttr(5, 5), factsAttr(6, 1), factsAttr(7, 9, 0, 0, 0)),
		make([]byte, 196),
		append(make([]byte, 195), 0xff),
		{0x20, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0},
	} {
		f.Add(b)
	}
}

func FuzzFactsDevlink(f *testing.F) {
	factsSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, ok := factsDecoder(t, "firmware", ethtool.DecodeFirmware, b); ok {
			for _, p := range v.Pending() {
				if p.Name == "" && p.Value == "" && len(v.Running) == 0 {
					t.Fatalf("pending of %+v is %v", v, p)
				}
			}
			if len(b)%4 == 0 {
				more, err := ethtool.DecodeFirmware(factsJoin(b, factsLater))
				if err != nil || !reflect.DeepEqual(v, more) {
					t.Fatalf("with another attribute: %+v, %v, want %+v", more, err, v)
				}
			}
			factsRoundTrip(t, v)
		}
		if v, ok := factsDecoder(t, "reporter", ethtool.DecodeReporter, b); ok {
			if v.Name == "" || v.Handle == "" {
				t.Fatalf("reporter is %+v", v)
			}
			factsRoundTrip(t, v)
		}
		if _, _, _, err := ethtool.DecodePort(b); err != nil && !errors.Is(err, ethtool.ErrMalformed) {
			t.Fatal(err)
		}
	})
}

func FuzzFactsLinkState(f *testing.F) {
	factsSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, ok := factsDecoder(t, "link state", ethtool.DecodeLinkState, b)
		if !ok {
			return
		}
		if !v.HasState && (v.State != 0 || v.Substate != 0) || !v.HasSQI && (v.SQI != 0 || v.SQIMax != 0) || !v.HasDetected && v.Detected {
			t.Fatalf("link state is %+v", v)
		}
		if len(b)%4 == 0 {
			if more, err := ethtool.DecodeLinkState(factsJoin(b, factsLater)); err != nil || more != v {
				t.Fatalf("with another attribute: %+v, %v, want %+v", more, err, v)
			}
		}
		factsRoundTrip(t, v)
	})
}

func FuzzFactsDriver(f *testing.F) {
	factsSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, ok := factsDecoder(t, "driver", ethtool.DecodeDriver, b); ok {
			if len(v.Name) > 32 || v.PrivateFlags < 0 || len(v.Firmware) > 32 {
				t.Fatalf("driver is %+v", v)
			}
			factsRoundTrip(t, v)
		}
		if v, ok := factsDecoder(t, "permanent address", ethtool.DecodePermanentMAC, b); ok && len(v) > 0 {
			factsRoundTrip(t, ethtool.Facts{PermanentMAC: v})
		}
	})
}

func FuzzFactsPCIe(f *testing.F) {
	for _, s := range []string{"8.0 GT/s PCIe\n", "Unknown", "0x8086\n", "16\n", "255", "0000:3b:00.0", "2.5 GT/s"} {
		f.Add(s, s, s, s)
	}
	f.Fuzz(func(t *testing.T, address, id, speed, width string) {
		if n := ethtool.ParsePCISpeed(speed); n%100 != 0 {
			t.Fatalf("speed %q is %d", speed, n)
		}
		if !ethtool.IsPCIAddress(address) {
			return
		}
		files := fstest.MapFS{}
		for name, text := range map[string]string{
			"vendor": id, "device": id, "subsystem_vendor": id, "subsystem_device": id,
			"current_link_speed": speed, "max_link_speed": speed, "current_link_width": width, "max_link_width": width,
		} {
			files["bus/pci/devices/"+address+"/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
		p, err := ethtool.ReadPCIe(files, address)
		if err != nil {
			if !errors.Is(err, ethtool.ErrMalformed) || p != (ethtool.PCIe{}) {
				t.Fatalf("PCIe is %+v, %v", p, err)
			}
			return
		}
		if p.Vendor != p.SubDevice || p.Speed != p.MaxSpeed || p.Width != p.MaxWidth || p.Width == 0xff {
			t.Fatalf("PCIe is %+v", p)
		}
		factsRoundTrip(t, p)
	})
}

// factsRoundTrip writes v as JSON and reads it again.
func factsRoundTrip[T any](t *testing.T, v T) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if diff := cmp.Diff(v, back, cmp.Comparer(factsErrorText)); diff != "" {
		t.Fatalf("after %s (-want +got):\n%s", b, diff)
	}
}

// FuzzFactsReport states that a report which can be read can be written and compared, in any order, and
// then is the same.
func FuzzFactsReport(f *testing.F) {
	for _, r := range []ethtool.Report{
		{},
		{Kernel: "6.12.0", Facts: []ethtool.Facts{factsOf("eth0", 10), factsOf("e\xff\\", 11)}},
		{Facts: []ethtool.Facts{factsOf("eth0", 10, func(f *ethtool.Facts) { f.Unseen = []ethtool.Unseen{{What: "bond", Err: errors.New("x")}} })}},
	} {
		r.Findings = ethtool.Compare(r.Facts)
		b, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r ethtool.Report
		if json.Unmarshal(b, &r) != nil {
			return
		}
		factsWritten, err := json.Marshal(r)
		if err != nil {
			return // a time that JSON cannot have
		}
		var again ethtool.Report
		if err := json.Unmarshal(factsWritten, &again); err != nil {
			t.Fatalf("%s: %v", factsWritten, err)
		}
		if text, err := json.Marshal(again); err != nil || string(text) != string(factsWritten) {
			t.Fatalf("%s\nbecomes\n%s, %v", factsWritten, text, err)
		}
		findings := ethtool.Compare(r.Facts)
		for i := range r.Facts {
			j := len(r.Facts) - 1 - i
			if i < j {
				r.Facts[i], r.Facts[j] = r.Facts[j], r.Facts[i]
			}
		}
		seen := map[ethtool.Link]bool{}
		for _, fact := range r.Facts {
			if seen[fact.Link] {
				return // which of them counts depends on the order
			}
			seen[fact.Link] = true
		}
		if diff := cmp.Diff(findings, ethtool.Compare(r.Facts)); diff != "" {
			t.Fatalf("in another order (-want +got):\n%s", diff)
		}
	})
}
