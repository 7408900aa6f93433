// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCached(t *testing.T) {
	dir := t.TempDir()
	if k, err := cached(filepath.Join(dir, "nowhere")); k != nil || err != nil {
		t.Errorf("empty cache: %v, %v", k, err)
	}
	for name, text := range map[string]string{
		"6.12.95-1~bpo12+1": `{"name":"6.12","release":"old","version":"6.12.95-1~bpo12+1"}`,
		"6.12.117-1":        `{"name":"6.12","release":"new","version":"6.12.117-1"}`,
		".fetch123":         `{"name":"6.12","release":"half","version":"9"}`,
		"broken":            `{`,
	} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, kernelFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	k, err := cached(dir)
	if err != nil || k == nil || k.Release != "new" {
		t.Fatalf("cached: %+v, %v, want the newest", k, err)
	}
	if want := filepath.Join(dir, "6.12.117-1", "vmlinuz"); k.vmlinuz != want {
		t.Errorf("image %s, want %s", k.vmlinuz, want)
	}
}

func TestCacheDir(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("BONDKIT_CACHE", dir)
	if got, err := cacheDir(); err != nil || got != filepath.Join(dir, "vmtest") {
		t.Errorf("cacheDir() = %s, %v", got, err)
	}
}

// image builds a bzImage around a payload.
func image(release string, payload []byte) []byte {
	const setupSects = 4
	b := make([]byte, (setupSects+1)*sector)
	b[offSetupSects] = setupSects
	copy(b[offMagic:], "HdrS")
	binary.LittleEndian.PutUint16(b[offVersion:], 0x20f)
	binary.LittleEndian.PutUint16(b[offKernelVersion:], 0x300)
	copy(b[0x300+sector:], release+" (builder) #1 SMP\x00")
	binary.LittleEndian.PutUint32(b[offPayload:], 16)
	binary.LittleEndian.PutUint32(b[offPayloadLength:], uint32(len(payload)))
	return append(append(b, make([]byte, 16)...), payload...)
}

func TestImageRelease(t *testing.T) {
	got, err := imageRelease(bytes.NewReader(image("6.1.0-56-cloud-amd64", nil)))
	if err != nil || got != "6.1.0-56-cloud-amd64" {
		t.Errorf("release %q, %v", got, err)
	}
	for name, b := range map[string][]byte{"empty": nil, "text": []byte(strings.Repeat("text ", 1000)), "no version": image("", nil)} {
		if got, err := imageRelease(bytes.NewReader(b)); !errors.Is(err, errNotKernel) {
			t.Errorf("%s: %q, %v, want errNotKernel", name, got, err)
		}
	}
}

// elfKernel builds an ELF file with nothing but one note.
func elfKernel(note []byte) []byte {
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	w := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	w(uint16(2))  // executable
	w(uint16(62)) // x86-64
	w(uint32(1))
	w([3]uint64{0, 64, 0}) // entry, program headers, sections
	w(uint32(0))
	w([6]uint16{64, 56, 1, 64, 0, 0})
	w([2]uint32{4, 4}) // PT_NOTE, readable
	w([6]uint64{120, 0, 0, uint64(len(note)), uint64(len(note)), 4})
	b.Write(note)
	return b.Bytes()
}

func pvhNote(kind uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 4)
	b = binary.LittleEndian.AppendUint32(b, 5)
	b = binary.LittleEndian.AppendUint32(b, kind)
	return append(b, "Xen\x00entry\x00\x00\x00"...)
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestUnpackImage(t *testing.T) {
	kernel := elfKernel(append(pvhNote(5), pvhNote(18)...))
	got, err := unpackImage(bytes.NewReader(image("6.1", gzipped(t, kernel))))
	if err != nil || !bytes.Equal(got, kernel) {
		t.Fatalf("unpacked %d bytes, %v, want the kernel of %d", len(got), err, len(kernel))
	}
	old := image("2.6", gzipped(t, kernel))
	binary.LittleEndian.PutUint16(old[offVersion:], 0x207)
	short := image("6.1", gzipped(t, kernel))
	for name, b := range map[string][]byte{
		"no entry":            image("6.1", gzipped(t, elfKernel(pvhNote(5)))),
		"cut note":            image("6.1", gzipped(t, elfKernel(pvhNote(18)[:13]))),
		"no ELF":              image("6.1", gzipped(t, []byte("something else"))),
		"unknown compression": image("6.1", []byte("unknown compression")),
		"broken compression":  image("6.1", []byte("\x1f\x8b\x08 and no more")),
		"old protocol":        old,
		"cut":                 short[:len(short)-1],
		"no payload":          image("6.1", nil),
		"no image":            []byte("x"),
	} {
		if _, err := unpackImage(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestKernelNamesCanBeDirectories(t *testing.T) {
	seen := make(map[string]bool)
	for _, name := range kernelNames() {
		if seen[name] || strings.ContainsAny(name, "/ ,") || strings.HasPrefix(name, ".") {
			t.Errorf("bad kernel name %q", name)
		}
		seen[name] = true
		if _, err := findKernel(name); err != nil {
			t.Error(err)
		}
	}
}
