// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"bytes"
	"encoding/binary"
	"iter"
	"syscall"

	"github.com/bondkit/bondkit/ethtool"
)

// Numbers of <linux/rtnetlink.h>, <linux/if_link.h> and <linux/if.h>.
const (
	rtmNewLink = 16
	rtmDelLink = 17
	rtmGetLink = 18
	rtmSetLink = 19

	nlmDump = 0x300

	ifinfomsgLen = 16
	afBridge     = 7

	iflaAddress        = 1
	iflaBroadcast      = 2
	iflaIfname         = 3
	iflaMTU            = 4
	iflaLink           = 5
	iflaMaster         = 10
	iflaTxQLen         = 13
	iflaOperState      = 16
	iflaLinkInfo       = 18
	iflaStats64        = 23
	iflaAFSpec         = 26
	iflaExtMask        = 29
	iflaCarrier        = 33
	iflaCarrierChanges = 35
	iflaPermAddress    = 54
	iflaParentName     = 56
	iflaParentBus      = 57
	iflaDevlinkPort    = 62

	infoKind      = 1
	infoData      = 2
	infoSlaveKind = 4
	infoSlaveData = 5

	macvlanMode = 1

	bridgeFlags     = 0
	bridgeMode      = 1
	bridgeSelf      = 2
	maskSkipStats   = 1 << 3
	iffUp           = 1 << 0
	iffBroadcast    = 1 << 1
	iffLoopback     = 1 << 3
	iffRunning      = 1 << 6
	iffNoARP        = 1 << 7
	iffMaster       = 1 << 10
	iffSlave        = 1 << 11
	iffMulticast    = 1 << 12
	iffLowerUp      = 1 << 16
	typeEther       = 1
	typeCAN         = 280
	typeLoopback    = 772
	operUnknown     = 0
	operDown        = 2
	operUp          = 6
	nameMax         = 15
	nestedFlag      = 1 << 15
	attrTypeMask    = 1<<14 - 1
	attrHeaderLen   = 4
	notFoundByIndex = "no device matches ifindex"
)

var ne = binary.NativeEndian

// tlv is one attribute of a request.
type tlv struct {
	typ  uint16
	data []byte
}

// attrs walks over attributes. What does not fit ends it.
func attrs(b []byte) iter.Seq[tlv] {
	return func(yield func(tlv) bool) {
		for len(b) >= attrHeaderLen {
			n := int(ne.Uint16(b))
			if n < attrHeaderLen || n > len(b) {
				return
			}
			if !yield(tlv{typ: ne.Uint16(b[2:]) & attrTypeMask, data: b[attrHeaderLen:n:n]}) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

// collect returns the attributes by type. Of several of one type the last counts.
func collect(b []byte) map[uint16]tlv {
	m := map[uint16]tlv{}
	for a := range attrs(b) {
		m[a.typ] = a
	}
	return m
}

// text is a string that may end in a zero byte.
func (a tlv) text() string {
	s, _, _ := bytes.Cut(a.data, []byte{0})
	return string(s)
}

// number is an unsigned number of 2 or 4 bytes, 0 where the attribute has
// another size.
func (a tlv) number() uint32 {
	switch len(a.data) {
	case 1:
		return uint32(a.data[0])
	case 2:
		return uint32(ne.Uint16(a.data))
	case 4:
		return ne.Uint32(a.data)
	}
	return 0
}

func appendAttr(b []byte, typ uint16, data []byte) []byte {
	b = ne.AppendUint16(b, uint16(attrHeaderLen+len(data)))
	b = ne.AppendUint16(b, typ)
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

func appendNest(b []byte, typ uint16, inner []byte) []byte {
	return appendAttr(b, typ|nestedFlag, inner)
}

func appendU8(b []byte, typ uint16, v uint8) []byte { return appendAttr(b, typ, []byte{v}) }

func appendU16(b []byte, typ uint16, v uint16) []byte {
	return appendAttr(b, typ, ne.AppendUint16(nil, v))
}

func appendU32(b []byte, typ uint16, v uint32) []byte {
	return appendAttr(b, typ, ne.AppendUint32(nil, v))
}

func appendU64(b []byte, typ uint16, v uint64) []byte {
	return appendAttr(b, typ, ne.AppendUint64(nil, v))
}

func appendText(b []byte, typ uint16, s string) []byte {
	return appendAttr(b, typ, append([]byte(s), 0))
}

// bit is 1 or 0.
func bit(on bool) uint8 {
	if on {
		return 1
	}
	return 0
}

// refuse is an answer without words.
func refuse(errno syscall.Errno) *ethtool.KernelError { return &ethtool.KernelError{Errno: errno} }

// explain is an answer with words.
func explain(errno syscall.Errno, message string) *ethtool.KernelError {
	return &ethtool.KernelError{Errno: errno, Message: message}
}
