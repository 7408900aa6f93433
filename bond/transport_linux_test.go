// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/binary"
	"errors"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// Flags and types of netlink messages, from <linux/netlink.h>.
const (
	nlError, nlDone, nlNewLink = 2, 3, 16
	nlCapped, nlTLVs           = 0x100, 0x200
)

// clientDatagram builds one message of a datagram.
func clientDatagram(typ, flags uint16, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	b := binary.NativeEndian.AppendUint32(nil, uint32(16+len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = append(b, make([]byte, 8)...)
	b = append(b, body...)
	return append(b, make([]byte, -len(b)&3)...)
}

func clientUint32(v int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(v)) }

func TestTransportReadsErrors(t *testing.T) {
	request := clientDatagram(nlNewLink, 0, make([]byte, 21))
	text := clientAttr(nil, 1, []byte("bond is up\x00"))
	offset := clientAttr(nil, 2, clientUint32(52))
	busy := clientUint32(-int32(syscall.EBUSY))
	bare := &bond.KernelError{Errno: syscall.EBUSY}
	whole := &bond.KernelError{Errno: syscall.EBUSY, Message: "bond is up", Offset: 52}
	for _, tt := range []struct {
		name string
		b    []byte
		want *bond.KernelError
	}{
		{"acknowledgement", clientDatagram(nlError, nlCapped, clientUint32(0), request[:16]), nil},
		{"end of a dump", clientDatagram(nlDone, 0, clientUint32(0)), nil},
		{"end of a dump, empty", clientDatagram(nlDone, 0), nil},
		{"end of a dump, count", clientDatagram(nlDone, 0, clientUint32(5)), nil},
		{"number", clientDatagram(nlError, 0, busy, request), bare},
		{"number, capped", clientDatagram(nlError, nlCapped, busy, request[:16]), bare},
		{"text and offset", clientDatagram(nlError, nlTLVs, busy, request, text, offset), whole},
		{"text and offset, capped", clientDatagram(nlError, nlTLVs|nlCapped, busy, request[:16], offset, text), whole},
		{"unknown attribute", clientDatagram(nlError, nlTLVs|nlCapped, busy, request[:16], clientAttr(nil, 3, []byte{1}), text, offset), whole},
		{"failed dump", clientDatagram(nlDone, nlTLVs, busy, text, offset), whole},
		{"attributes without the flag", clientDatagram(nlError, 0, busy, request, text), bare},
		{"no request", clientDatagram(nlError, nlTLVs, busy), bare},
		{"request cut off", clientDatagram(nlError, nlTLVs, busy, request[:20]), bare},
		{"attribute cut off", clientDatagram(nlError, nlTLVs|nlCapped, busy, request[:16], offset, text[:9]), &bond.KernelError{Errno: syscall.EBUSY, Offset: 52}},
		{"attribute of length 0", clientDatagram(nlError, nlTLVs|nlCapped, busy, request[:16], make([]byte, 8), text), bare},
		{"short offset", clientDatagram(nlError, nlTLVs|nlCapped, busy, request[:16], clientAttr(nil, 2, []byte{1, 2})), bare},
		{"text without end", clientDatagram(nlError, nlTLVs|nlCapped, busy, request[:16], clientAttr(nil, 1, []byte("bond"))), &bond.KernelError{Errno: syscall.EBUSY, Message: "bond"}},
		{"least number", clientDatagram(nlError, 0, clientUint32(-1<<31), request), &bond.KernelError{Errno: 1 << 31}},
	} {
		_, ends, err := bond.ClientReadDatagram(tt.b)
		if err != nil || len(ends) != 1 {
			t.Errorf("%s: %v, %v", tt.name, ends, err)
			continue
		}
		got, _ := errors.AsType[*bond.KernelError](ends[0])
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: the error differs (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestTransportReadsMessages(t *testing.T) {
	one := clientDatagram(nlNewLink, 7, []byte("abcde"))
	two := clientDatagram(nlNewLink+1, 0, []byte("fghi"))
	b := append(append(append([]byte(nil), one...), clientDatagram(nlDone, 0)...), two...)
	msgs, _, err := bond.ClientReadDatagram(b)
	want := []bond.Message{{Type: nlNewLink, Flags: 7, Data: []byte("abcde")}, {Type: nlNewLink + 1, Data: []byte("fghi")}}
	if diff := cmp.Diff(want, msgs); diff != "" || err != nil {
		t.Errorf("messages differ (-want +got), %v:\n%s", err, diff)
	}
	for n := range b {
		// What is cut off is an error, unless it is cut between two messages or is padding.
		if _, _, err := bond.ClientReadDatagram(b[:n]); err != nil && !errors.Is(err, bond.ErrMalformed) {
			t.Errorf("%d bytes: %v, want ErrMalformed", n, err)
		} else if err == nil && (n < 16 && n > 0 || n > 24 && n < 40) {
			t.Errorf("%d bytes: no error", n)
		}
	}
	for _, length := range []uint32{0, 15, 1 << 31, 1<<32 - 1} {
		bad := append([]byte(nil), one...)
		binary.NativeEndian.PutUint32(bad, length)
		if _, _, err := bond.ClientReadDatagram(bad); !errors.Is(err, bond.ErrMalformed) {
			t.Errorf("length %d: %v, want ErrMalformed", length, err)
		}
	}
	if _, ends, err := bond.ClientReadDatagram(clientDatagram(nlError, 0, []byte{1})); err != nil || len(ends) != 1 || !errors.Is(ends[0], bond.ErrMalformed) {
		t.Errorf("a short error: %v, %v", ends, err)
	}
}

func FuzzTransportRead(f *testing.F) {
	f.Add(clientDatagram(nlError, nlTLVs|nlCapped, clientUint32(-1), make([]byte, 16), clientAttr(nil, 1, []byte("x"))))
	f.Add(append(clientDatagram(nlNewLink, 0, []byte("abc")), clientDatagram(nlDone, nlTLVs, clientUint32(-5))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		msgs, ends, err := bond.ClientReadDatagram(b)
		if err != nil {
			if !errors.Is(err, bond.ErrMalformed) || msgs != nil {
				t.Errorf("error %v, messages %v", err, msgs)
			}
			return
		}
		n := 0
		for _, m := range msgs {
			n += 16 + len(m.Data)
		}
		if n+16*len(ends) > len(b) {
			t.Errorf("%d bytes of messages and %d ends in %d bytes", n, len(ends), len(b))
		}
	})
}
