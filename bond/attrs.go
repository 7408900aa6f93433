// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import "encoding/binary"

// Attributes of rtnetlink messages about links, from <linux/if_link.h>.
const (
	iflaAddress     = 1
	iflaIfName      = 3
	iflaMTU         = 4
	iflaMaster      = 10
	iflaOperState   = 16
	iflaLinkInfo    = 18
	iflaExtMask     = 29
	iflaNumTxQueues = 31
	iflaCarrier     = 33
	iflaAltIfName   = 53

	iflaInfoKind      = 1
	iflaInfoData      = 2
	iflaInfoSlaveKind = 4
	iflaInfoSlaveData = 5

	iflaADAggregator = 1
	iflaADNumPorts   = 2
	iflaADActorKey   = 3
	iflaADPartnerKey = 4
	iflaADPartnerMAC = 5

	// rtextFilterSkipStats has the kernel leave out the counters, a quarter of
	// a message.
	rtextFilterSkipStats = 1 << 3
)

const (
	// ifInfoLen is the size of struct ifinfomsg: family, a byte of padding,
	// type, index, flags and change mask.
	ifInfoLen = 16

	attrHeaderLen = 4
	// attrTypeMask takes NLA_F_NESTED and NLA_F_NET_BYTEORDER off, which the
	// kernel sets on some attributes and not on others.
	attrTypeMask = 0x3fff

	kindBond = "bond"
	// ifNameMax and altNameMax are IFNAMSIZ and ALTIFNAMSIZ without the NUL.
	ifNameMax  = 15
	altNameMax = 127
	// hwAddrMax is MAX_ADDR_LEN of the kernel.
	hwAddrMax = 32
)

// attrNext takes the first attribute off b, which has at least attrHeaderLen
// bytes. The type is as it was sent. It is not ok where the length is less than
// that of the header or more than there is.
func attrNext(b []byte) (typ uint16, val, rest []byte, ok bool) {
	n := int(binary.NativeEndian.Uint16(b))
	if n < attrHeaderLen || n > len(b) {
		return 0, nil, nil, false
	}
	return binary.NativeEndian.Uint16(b[2:]), b[attrHeaderLen:n:n], b[min((n+3)&^3, len(b)):], true
}

// attrPad has what follows an attribute whose length is no multiple of 4.
var attrPad [3]byte

// attrAppend appends an attribute with its padding.
func attrAppend[T ~string | ~[]byte](dst []byte, typ uint16, val T) []byte {
	dst = attrHeader(dst, typ, len(val))
	dst = append(dst, val...)
	return append(dst, attrPad[:-len(val)&3]...)
}

// attrAppendString appends a string and the NUL that the kernel wants behind it.
func attrAppendString(dst []byte, typ uint16, s string) []byte {
	n := len(s) + 1
	dst = attrHeader(dst, typ, n)
	dst = append(dst, s...)
	dst = append(dst, 0)
	return append(dst, attrPad[:-n&3]...)
}

// attrAppendNumber appends a number of 1, 2 or 4 bytes.
func attrAppendNumber(dst []byte, typ uint16, size int, v int64) []byte {
	dst = attrHeader(dst, typ, size)
	switch size {
	case 1:
		return append(dst, byte(v), 0, 0, 0)
	case 2:
		return append(binary.NativeEndian.AppendUint16(dst, uint16(v)), 0, 0)
	}
	return binary.NativeEndian.AppendUint32(dst, uint32(v))
}

// attrHeader appends the header of an attribute whose value has n bytes.
func attrHeader(dst []byte, typ uint16, n int) []byte {
	dst = binary.NativeEndian.AppendUint16(dst, uint16(attrHeaderLen+n))
	return binary.NativeEndian.AppendUint16(dst, typ)
}

// attrNestEnd sets the length of the attribute that begins at start, and whose
// value is the rest of dst.
func attrNestEnd(dst []byte, start int) {
	binary.NativeEndian.PutUint16(dst[start:], uint16(len(dst)-start))
}

// attrNumber returns the number of a row's option. The value must have the
// row's size or more.
func attrNumber(row *OptionInfo, val []byte) int64 {
	switch row.Size {
	case 1:
		return int64(val[0])
	case 2:
		return int64(binary.NativeEndian.Uint16(val))
	}
	v := binary.NativeEndian.Uint32(val)
	if row.Kind == KindInt {
		return int64(int32(v))
	}
	return int64(v)
}

// attrIndex returns the index of an interface, which is an int in the kernel.
func attrIndex(val []byte) int { return int(int32(binary.NativeEndian.Uint32(val))) }
