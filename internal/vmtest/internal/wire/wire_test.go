// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package wire_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/vmtest/internal/wire"
)

type frame struct {
	Kind    wire.Kind
	Payload string
}

func readAll(r io.Reader) ([]frame, error) {
	in := wire.NewReader(r)
	var out []frame
	for {
		k, p, err := in.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return out, err
		}
		out = append(out, frame{k, string(p)})
	}
}

func TestRoundTrip(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcdef"), wire.MaxPayload/16+3)
	var buf bytes.Buffer
	w := wire.NewWriter(&buf)
	for _, f := range []frame{
		{wire.KindReady, `{"release":"6.1"}`},
		{wire.KindStdout, "a\r\nb\x00\xb7V"},
		{wire.KindStderr, ""},
		{wire.KindData, string(long)},
	} {
		if err := w.Send(f.Kind, []byte(f.Payload)); err != nil {
			t.Fatal(err)
		}
	}
	want := []frame{
		{wire.KindReady, `{"release":"6.1"}`},
		{wire.KindStdout, "a\r\nb\x00\xb7V"},
		{wire.KindStderr, ""},
		{wire.KindData, string(long[:wire.MaxPayload])},
		{wire.KindData, string(long[wire.MaxPayload:])},
	}
	got, err := readAll(iotest.OneByteReader(&buf))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("frames (-want +got):\n%s", d)
	}
}

// TestDamage changes and removes every byte of a stream in turn. What is read
// must be an error or a prefix of the truth, never something else.
func TestDamage(t *testing.T) {
	var buf bytes.Buffer
	w := wire.NewWriter(&buf)
	want := []frame{{wire.KindStdout, "hello"}, {wire.KindExit, `{"code":0}`}}
	for _, f := range want {
		if err := w.Send(f.Kind, []byte(f.Payload)); err != nil {
			t.Fatal(err)
		}
	}
	good := buf.Bytes()
	check := func(what string, i int, stream []byte) {
		t.Helper()
		got, err := readAll(bytes.NewReader(stream))
		if !errors.Is(err, wire.ErrDamaged) {
			t.Errorf("%s byte %d: error %v, want ErrDamaged", what, i, err)
		}
		if len(got) >= len(want) || key(got) != key(want[:len(got)]) {
			t.Errorf("%s byte %d: read %v", what, i, got)
		}
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x20
		check("changed", i, bad)
		check("lost", i, append(bytes.Clone(good[:i]), good[i+1:]...))
	}
}

func key(frames []frame) string {
	var b bytes.Buffer
	for _, f := range frames {
		b.WriteByte(byte(f.Kind))
		b.WriteString(f.Payload)
		b.WriteByte(0)
	}
	return b.String()
}

func TestSendError(t *testing.T) {
	want := errors.New("line is dead")
	r, w := io.Pipe()
	r.CloseWithError(want)
	if err := wire.NewWriter(w).Send(wire.KindLog, []byte("x")); !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
