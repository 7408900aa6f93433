// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"encoding/binary"
	"iter"

	"github.com/bondkit/bondkit/bond"
)

// Numbers from <linux/netlink.h>, <linux/rtnetlink.h>, <linux/if_link.h> and
// <linux/if.h>.
const (
	rtmNewLink  = 16
	rtmDelLink  = 17
	rtmGetLink  = 18
	rtmSetLink  = 19
	rtmNewStats = 92
	rtmGetStats = 94

	nlmMulti = 1 << 1
	nlmEcho  = 1 << 3
	// nlmFiltered says that a dump does not have everything.
	nlmFiltered = 1 << 5
	nlmReplace  = 1 << 8
	nlmExcl     = 1 << 9
	nlmCreate   = 1 << 10
	nlmDump     = 1<<8 | 1<<9

	headerLen    = 16 // struct nlmsghdr
	ifinfomsgLen = 16
	statsMsgLen  = 12

	afBridge = 7

	iflaAddress    = 1
	iflaBroadcast  = 2
	iflaIfname     = 3
	iflaMTU        = 4
	iflaMaster     = 10
	iflaTxQLen     = 13
	iflaOperState  = 16
	iflaLinkInfo   = 18
	iflaStats64    = 23
	iflaExtMask    = 29
	iflaNumTxQ     = 31
	iflaCarrier    = 33
	iflaEvent      = 44
	iflaAltIfname  = 53
	iflaProtInfo   = 12
	infoKind       = 1
	infoData       = 2
	infoSlaveKind  = 4
	infoSlaveData  = 5
	maskSkipStats  = 1 << 3
	nestedFlag     = 1 << 15
	attrTypeMask   = 1<<14 - 1
	statsXstats    = 2
	statsXstatsSlv = 3

	iffBroadcast = 1 << 1
	iffRunning   = bond.FlagRunning
	iffNoARP     = 1 << 7
	iffMaster    = 1 << 10
	iffSlave     = 1 << 11
	iffMulticast = 1 << 12

	arphrdEther      = 1
	arphrdInfiniband = 32

	eventNone           = 0
	eventFeatures       = 2
	eventFailover       = 3
	eventNotifyPeers    = 4
	eventIGMPResend     = 5
	eventBondingOptions = 6
)

var ne = binary.NativeEndian

// tlv is one attribute of a request, and where it begins, counted from the netlink
// header.
type tlv struct {
	typ  uint16
	data []byte
	off  int
}

// attrs walks over attributes that begin at base. What does not fit ends it, as
// in the kernel's older parsers.
func attrs(b []byte, base int) iter.Seq[tlv] {
	return func(yield func(tlv) bool) {
		for len(b) >= 4 {
			n := int(ne.Uint16(b))
			if n < 4 || n > len(b) {
				return
			}
			a := tlv{typ: ne.Uint16(b[2:]) & attrTypeMask, data: b[4:n:n], off: base}
			if !yield(a) {
				return
			}
			n = min((n+3)&^3, len(b))
			b, base = b[n:], base+n
		}
	}
}

// collect returns the attributes by type. Of several of one type the last counts.
func collect(b []byte, base int) map[uint16]tlv {
	m := map[uint16]tlv{}
	for a := range attrs(b, base) {
		m[a.typ] = a
	}
	return m
}

// nest returns the attributes inside one.
func (a tlv) nest() map[uint16]tlv { return collect(a.data, a.off+4) }

// text is a string that may end in a zero byte.
func (a tlv) text() string {
	for i, c := range a.data {
		if c == 0 {
			return string(a.data[:i])
		}
	}
	return string(a.data)
}

// u32 is the number in an attribute whose size has been checked.
func (a tlv) u32() uint32 { return ne.Uint32(a.data) }

func appendAttr(b []byte, typ uint16, data []byte) []byte {
	b = ne.AppendUint16(b, uint16(4+len(data)))
	b = ne.AppendUint16(b, typ)
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
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

// appendNumber appends a number as wide as the option's attribute.
func appendNumber(b []byte, info *bond.OptionInfo, v int64) []byte {
	switch info.Size {
	case 1:
		return appendU8(b, info.Attr, uint8(v))
	case 2:
		return appendU16(b, info.Attr, uint16(v))
	}
	return appendU32(b, info.Attr, uint32(v))
}

// number reads what appendNumber writes, and what is longer.
func number(info *bond.OptionInfo, data []byte) int64 {
	switch {
	case info.Size == 1:
		return int64(data[0])
	case info.Size == 2:
		return int64(ne.Uint16(data))
	case info.Kind == bond.KindInt:
		return int64(int32(ne.Uint32(data)))
	}
	return int64(ne.Uint32(data))
}
