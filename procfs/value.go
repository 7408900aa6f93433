// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"math"
	"net/netip"
)

// unknownWord is the number of a word that has none.
const unknownWord = math.MaxUint8

// modeWords are the kernel's words for modes, bond_mode_name in
// drivers/net/bonding/bond_main.c, by number.
var modeWords = []string{
	"load balancing (round-robin)", "fault-tolerance (active-backup)", "load balancing (xor)",
	"fault-tolerance (broadcast)", "IEEE 802.3ad Dynamic link aggregation", "transmit load balancing",
	"adaptive load balancing",
}

// miiWords are those of bond_slave_link_status in <net/bonding.h>.
var miiWords = []string{"up", "going down", "down", "going back"}

var (
	hashWords     = []string{"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"}
	fomWords      = []string{"none", "active", "follow"}
	reselectWords = []string{"always", "better", "failure"}
	rateWords     = []string{"slow", "fast"}
	activeWords   = []string{"off", "on"}
	selectWords   = []string{"stable", "bandwidth", "count", "actor_port_prio"}
	churnWords    = []string{"monitoring", "churned", "none"}
)

// wordNumber returns the place of the word, unknownWord if it has none.
func wordNumber(words []string, v []byte) uint8 {
	for i, w := range words {
		if w == string(v) {
			return uint8(i)
		}
	}
	return unknownWord
}

// wordText is the inverse; text is for what has no number.
func wordText(words []string, n uint8, text string) string {
	if text == "" && int(n) < len(words) {
		return words[n]
	}
	return text
}

// parseUint reads a number as %u prints it.
func parseUint(v []byte) (uint32, bool) {
	if len(v) == 0 || len(v) > 10 || v[0] == '0' && len(v) > 1 {
		return 0, false
	}
	var n uint64
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	if n > math.MaxUint32 {
		return 0, false
	}
	return uint32(n), true
}

// parseInt reads a number as %d prints it.
func parseInt(v []byte) (int32, bool) {
	neg := len(v) > 1 && v[0] == '-'
	if neg {
		v = v[1:]
	}
	n, ok := parseUint(v)
	switch {
	case !ok || neg && (n == 0 || n > -math.MinInt32) || !neg && n > math.MaxInt32:
		return 0, false
	case neg:
		return int32(-int64(n)), true
	}
	return int32(n), true
}

// parseNumber reads a number up to a limit, which can be negative if the limit is that of %d.
func parseNumber(v []byte, limit int64) (int64, bool) {
	if limit == math.MaxInt32 {
		n, ok := parseInt(v)
		return int64(n), ok
	}
	n, ok := parseUint(v)
	return int64(n), ok && int64(n) <= limit
}

// hexValue has 16 and the value for each hexadecimal digit, and 0 for what is none.
var hexValue = [256]byte{
	'0': 16, '1': 17, '2': 18, '3': 19, '4': 20, '5': 21, '6': 22, '7': 23, '8': 24, '9': 25,
	'a': 26, 'b': 27, 'c': 28, 'd': 29, 'e': 30, 'f': 31,
	'A': 26, 'B': 27, 'C': 28, 'D': 29, 'E': 30, 'F': 31,
}

// maxMACLen is MAX_ADDR_LEN.
const maxMACLen = 32

// appendMAC reads a hardware address of any length, which may be 0, and appends
// its bytes to dst.
func appendMAC(dst, v []byte) ([]byte, bool) {
	if len(v) == 0 {
		return dst, true
	}
	if len(v)%3 != 2 || len(v) > 3*maxMACLen {
		return dst, false
	}
	for i := 0; i < len(v); i += 3 {
		hi, lo := hexValue[v[i]], hexValue[v[i+1]]
		if hi == 0 || lo == 0 || i+2 < len(v) && v[i+2] != ':' {
			return dst, false
		}
		dst = append(dst, hi<<4|lo&15)
	}
	return dst, true
}

// parseMAC6 reads a hardware address of 6 bytes.
func parseMAC6(v []byte) (mac [6]byte, ok bool) {
	if len(v) != 17 {
		return mac, false
	}
	if _, ok = appendMAC(mac[:0], v); !ok {
		return [6]byte{}, false
	}
	return mac, true
}

const hexDigits = "0123456789abcdef"

func appendMACText(dst, mac []byte) []byte {
	for i, c := range mac {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// appendAddr appends an address as the kernel's %pI4 and %pI6c print it (ip6_compressed_string in
// lib/vsprintf.c): as net/netip does, but that the end of an ISATAP address (RFC 5214, section
// 6.1) is in the form of IPv4.
func appendAddr(dst []byte, a netip.Addr) []byte {
	b := a.As16()
	if !a.Is6() || b[8]&^2 != 0 || b[9] != 0 || b[10] != 0x5e || b[11] != 0xfe {
		return a.AppendTo(dst)
	}
	const end = "101:101" // in its place, without a zero that could be left out
	v4 := netip.AddrFrom4([4]byte(b[12:]))
	b[12], b[13], b[14], b[15] = 1, 1, 1, 1
	dst = netip.AddrFrom16(b).AppendTo(dst)
	return v4.AppendTo(dst[:len(dst)-len(end)])
}

// parseIPv4 reads an address as %pI4 prints it.
func parseIPv4(v []byte) (netip.Addr, bool) {
	var a [4]byte
	for i := range a {
		end := 0
		for end < len(v) && v[end] != '.' {
			end++
		}
		n, ok := parseUint(v[:end])
		if !ok || n > 255 || (end < len(v)) != (i < 3) {
			return netip.Addr{}, false
		}
		a[i] = byte(n)
		v = v[min(end+1, len(v)):]
	}
	return netip.AddrFrom4(a), true
}
