// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package wire is the framing of the serial line between the runner on the
// host and PID 1 in the guest.
//
// One line carries everything: the standard output and error of the command,
// files that come back, log lines of PID 1 and the exit status. A frame is
//
//	magic[2] kind[1] length[4, big endian] crc32[4, big endian, IEEE of kind, length and payload] payload
//
// The checksum is there because an emulated UART may drop bytes; a damaged
// stream must be an error and never a quietly different test output.
package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// Kind says what the payload of a frame is.
type Kind byte

// The kinds of frame. All but KindSignal go from the guest to the host.
const (
	KindReady  Kind = 'r' // JSON of Ready; the first frame
	KindStdout Kind = 'o' // bytes of the command's standard output
	KindStderr Kind = 'e' // bytes of the command's standard error
	KindLog    Kind = 'l' // one line of PID 1 for -verbose
	KindFile   Kind = 'f' // JSON of File; its content follows in KindData frames
	KindData   Kind = 'd' // content of the last File
	KindExit   Kind = 'x' // JSON of Exit; the last frame
	KindSignal Kind = 's' // one byte, a signal number for the command; host to guest
)

// Ready is the payload of KindReady: the guest is set up and about to start
// the command.
type Ready struct {
	Release string `json:"release"` // uname -r
	BootMS  int64  `json:"boot_ms"` // milliseconds since the guest kernel started
}

// File is the payload of KindFile: Size bytes follow in KindData frames.
type File struct {
	Index int    `json:"index"`         // index into the list of returns the host asked for
	Rel   string `json:"rel,omitempty"` // path below a returned directory, slashes
	Mode  uint32 `json:"mode"`          // permission bits
	Size  int64  `json:"size"`
}

// Exit is the payload of KindExit.
type Exit struct {
	Code   int    `json:"code"`             // exit status, 128 plus the number for a signal
	Signal int    `json:"signal,omitempty"` // the signal that ended the command, or 0
	Error  string `json:"error,omitempty"`  // why the command could not be started, or empty
}

const (
	magic0, magic1 = 0xB7, 0x56
	headerLen      = 11
	// MaxPayload is the largest payload of one frame in bytes.
	MaxPayload = 1 << 16
)

// ErrDamaged is returned, wrapped, by [Reader.Next] for a stream that is not
// a sequence of whole frames.
var ErrDamaged = errors.New("serial stream is damaged")

// Writer writes frames. Its methods may be called from several goroutines;
// every frame is one Write on the underlying writer.
type Writer struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte
}

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Send writes payload as one frame of kind k, or as several when it is longer
// than [MaxPayload]. It does not keep payload.
func (w *Writer) Send(k Kind, payload []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		n := min(len(payload), MaxPayload)
		w.buf = appendFrame(w.buf[:0], k, payload[:n])
		if _, err := w.w.Write(w.buf); err != nil {
			return err
		}
		payload = payload[n:]
		if len(payload) == 0 {
			return nil
		}
	}
}

func appendFrame(dst []byte, k Kind, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, magic0, magic1, byte(k))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	crc := crc32.Update(crc32.ChecksumIEEE(dst[start+2:]), crc32.IEEETable, payload)
	dst = binary.BigEndian.AppendUint32(dst, crc)
	return append(dst, payload...)
}

// Reader reads frames.
type Reader struct {
	r   *bufio.Reader
	buf []byte
}

// NewReader returns a Reader on r.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, headerLen+MaxPayload)}
}

// Next returns the next frame. The payload is valid until the next call. The
// error is io.EOF at the end of a whole stream and wraps [ErrDamaged] for a
// bad header, a bad checksum or a stream that ends inside a frame.
func (r *Reader) Next() (Kind, []byte, error) {
	var h [headerLen]byte
	if _, err := io.ReadFull(r.r, h[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, nil, fmt.Errorf("%w: it ends inside a frame header", ErrDamaged)
		}
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(h[3:])
	if h[0] != magic0 || h[1] != magic1 || n > MaxPayload {
		return 0, nil, fmt.Errorf("%w: % x is no frame header", ErrDamaged, h)
	}
	if cap(r.buf) < int(n) {
		r.buf = make([]byte, MaxPayload)
	}
	p := r.buf[:n]
	if _, err := io.ReadFull(r.r, p); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return 0, nil, fmt.Errorf("%w: it ends inside a frame", ErrDamaged)
		}
		return 0, nil, err
	}
	if crc32.Update(crc32.ChecksumIEEE(h[2:7]), crc32.IEEETable, p) != binary.BigEndian.Uint32(h[7:]) {
		return 0, nil, fmt.Errorf("%w: wrong checksum in a %q frame of %d bytes", ErrDamaged, h[2], n)
	}
	return Kind(h[2]), p, nil
}
