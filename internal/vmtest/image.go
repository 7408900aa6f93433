// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// errNotKernel says that a file is no Linux kernel image for x86.
var errNotKernel = errors.New("not a bzImage")

// The fields of the header of a bzImage that are read here. All are described
// in Documentation/arch/x86/boot.rst of the kernel.
const (
	offSetupSects    = 0x1f1
	offMagic         = 0x202
	offVersion       = 0x206
	offKernelVersion = 0x20e
	offPayload       = 0x248
	offPayloadLength = 0x24c
	imageHeader      = 0x250

	sector          = 512
	payloadProtocol = 0x0208 // the version that brought the payload fields
)

func readImageHeader(r io.ReaderAt) ([]byte, error) {
	h := make([]byte, imageHeader)
	if _, err := r.ReadAt(h, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotKernel, err)
	}
	if string(h[offMagic:offMagic+4]) != "HdrS" {
		return nil, errNotKernel
	}
	return h, nil
}

// imageRelease reads the release, as in uname -r, of a kernel image.
func imageRelease(r io.ReaderAt) (string, error) {
	h, err := readImageHeader(r)
	if err != nil {
		return "", err
	}
	at := binary.LittleEndian.Uint16(h[offKernelVersion:])
	if at == 0 {
		return "", errNotKernel
	}
	b := make([]byte, 256)
	n, err := r.ReadAt(b, int64(at)+sector)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("%w: %w", errNotKernel, err)
	}
	version, _, _ := strings.Cut(string(b[:n]), "\x00")
	release, _, _ := strings.Cut(version, " ")
	if release == "" {
		return "", errNotKernel
	}
	return release, nil
}

// maxPayload bounds what is read of an image.
const maxPayload = 256 << 20

// compressors maps the first bytes of a payload to the program that unpacks
// it. All but gzip are followed by four bytes with the unpacked size.
var compressors = []struct{ magic, program string }{
	{"\xfd7zXZ\x00", "xz"},
	{"\x28\xb5\x2f\xfd", "zstd"},
	{"\x02\x21\x4c\x18", "lz4"},
	{"\x1f\x8b\x08", ""},
}

// unpackImage returns the kernel inside an image as an ELF file that an
// emulator can start at once (it has a PVH entry point). Left to the guest, the
// emulated processor unpacks it, which takes seconds. An error means that the
// image itself has to be booted.
func unpackImage(r io.ReaderAt) ([]byte, error) {
	h, err := readImageHeader(r)
	if err != nil {
		return nil, err
	}
	if v := binary.LittleEndian.Uint16(h[offVersion:]); v < payloadProtocol {
		return nil, fmt.Errorf("boot protocol %#x has no payload", v)
	}
	size := binary.LittleEndian.Uint32(h[offPayloadLength:])
	start := (int64(h[offSetupSects])+1)*sector + int64(binary.LittleEndian.Uint32(h[offPayload:]))
	if size < 8 || size > maxPayload {
		return nil, fmt.Errorf("%w: payload of %d bytes", errNotKernel, size)
	}
	packed := make([]byte, size)
	if _, err := r.ReadAt(packed, start); err != nil {
		return nil, fmt.Errorf("%w: payload: %w", errNotKernel, err)
	}
	kernel, err := decompress(packed)
	if err != nil {
		return nil, err
	}
	if !hasPVHEntry(kernel) {
		return nil, errors.New("the kernel has no PVH entry point")
	}
	return kernel, nil
}

func decompress(packed []byte) ([]byte, error) {
	for _, c := range compressors {
		if !bytes.HasPrefix(packed, []byte(c.magic)) {
			continue
		}
		if c.program == "" {
			z, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(z)
		}
		cmd := exec.Command(c.program, "-dcq")
		cmd.Stdin = bytes.NewReader(packed[:len(packed)-4])
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("unpack the kernel: %s: %w", c.program, err)
		}
		return out, nil
	}
	return nil, fmt.Errorf("unpack the kernel: unknown compression % x", packed[:8])
}

// hasPVHEntry looks for the note in which a kernel names its entry point for
// hypervisors (XEN_ELFNOTE_PHYS32_ENTRY of the owner Xen).
func hasPVHEntry(kernel []byte) bool {
	f, err := elf.NewFile(bytes.NewReader(kernel))
	if err != nil || f.Machine != elf.EM_X86_64 {
		return false
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE || p.Filesz > 1<<20 {
			continue
		}
		b, err := io.ReadAll(p.Open())
		if err != nil {
			return false
		}
		const entry = 18
		for len(b) >= 12 {
			name, desc, kind := noteSize(b), noteSize(b[4:]), binary.LittleEndian.Uint32(b[8:])
			b = b[12:]
			if name+desc > len(b) {
				break
			}
			if kind == entry && bytes.HasPrefix(b, []byte("Xen\x00")) {
				return true
			}
			b = b[name+desc:]
		}
	}
	return false
}

// noteSize reads a size of a note and rounds it up to the alignment.
func noteSize(b []byte) int {
	const limit = 1 << 20
	return int(min(binary.LittleEndian.Uint32(b), limit)+3) &^ 3
}
