// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strings"
)

// usual takes lines for as long as each is one of the few that kernels print next, and written
// as they do. It returns where the first that is not begins: parseLine is for that one, and
// nothing of it has been kept. Most texts have none, and are spared the search for each line's key.
func (p *parser) usual(at int) int {
	in, b := p.in, p.b
	for at < len(in) {
		if in[at] == '\n' {
			p.blank++
			p.line++
			at++
			continue
		}
		f := p.guess(in, at)
		has := &b.has
		if f > FieldSlave {
			has = &p.s.has
		}
		if f == 0 || has.has(f) {
			return at
		}
		from, end := at+starts[f].len, 0
		if limit := numberLimit[f]; limit > 0 {
			var n int64
			if n, end = lineNumber(in, from); n < 0 || n > limit {
				return at
			}
			p.setNumber(f, n)
		} else {
			if end = lineEnd(in, from); end < 0 {
				return at
			}
			v := in[from:end]
			switch {
			case len(v) > 0 && (v[0] <= ' ' || v[len(v)-1] <= ' '): // blanks to trim
				return at
			case f == FieldSlave:
				if !isName(v) || len(b.Slaves) == maxSlaves {
					return at
				}
				p.start, p.end = at, end
				p.line++
				p.addSlave(v, from)
				at = end + 1
				continue
			case f > FieldSlave:
				if !p.setSlave(p.s, f, v, from) {
					return at
				}
			default:
				if !p.setBond(f, v, from) {
					return at
				}
			}
		}
		*has |= 1 << f
		p.last, p.section, p.blank = f, sections[f], 0
		p.line++
		at = end + 1
	}
	return at
}

// lineNumber returns the number that is the rest of a line from at on, and where the line ends.
// The number is -1 if the rest is not a number, has a sign, or is too long.
func lineNumber(in []byte, at int) (n int64, end int) {
	const tooLong = 11
	for end = at; end < len(in) && end < at+tooLong; end++ {
		c := in[end] - '0'
		if c > 9 {
			if in[end] != '\n' || end == at || in[at] == '0' && end > at+1 {
				break
			}
			return n, end
		}
		n = 10*n + int64(c)
	}
	return -1, end
}

// lineEnd returns where the first newline from at on is, -1 if there is none. Values are short,
// for which bytes.IndexByte takes longer.
func lineEnd(in []byte, at int) int {
	const ones = 0x0101010101010101
	for ; at+8 <= len(in); at += 8 {
		x := binary.LittleEndian.Uint64(in[at:]) ^ '\n'*ones
		if x = (x - ones) &^ x & (0x80 * ones); x != 0 { // the lowest bit is that of the first zero
			return at + bits.TrailingZeros64(x)/8
		}
	}
	n := bytes.IndexByte(in[at:], '\n')
	if n < 0 {
		return n
	}
	return at + n
}

// guess returns the field of the line that begins at at, if it is one of the few that kernels
// print next, and written as they do up to the value. Others are 0.
func (p *parser) guess(in []byte, at int) Field {
	first, end := p.last+1, lastOf[p.section]+1
	if p.blank > 0 && in[at] == 'S' {
		first, end = FieldSlave, FieldSlave+1
	}
	for f := first; f < min(end, first+3); f++ {
		if k := &starts[f]; k.len > 0 && k.begins(in, at) {
			return f
		}
	}
	return 0
}

// lastOf are the last fields that can stand in a section or end it, but for FieldSlave.
var lastOf = [...]Field{
	SectionBond: FieldPartnerMAC, SectionLACP: FieldPartnerMAC, SectionAggregator: FieldPartnerMAC,
	SectionSlave: FieldActor, SectionActor: FieldPartner, SectionPartner: FieldPartnerPortState,
}

// lineKey is a line up to its value, as the kernel prints it, in words that are compared without
// a call: the first eight bytes, the second, and the last before the value.
type lineKey struct {
	len                    int // 0 if no line starts so
	room                   int // that, and at least what head takes
	head, mask, next, tail uint64
	middle                 string
}

func newLineKey(s string) lineKey {
	n := len(s)
	var head [8]byte
	copy(head[:], s)
	l := lineKey{len: n, room: max(n, 8), head: binary.LittleEndian.Uint64(head[:]), mask: math.MaxUint64}
	if n < 8 {
		l.mask = 1<<(8*n) - 1
		return l
	}
	l.tail = binary.LittleEndian.Uint64([]byte(s[n-8:]))
	if n > 16 {
		l.next = binary.LittleEndian.Uint64([]byte(s[8:]))
	}
	if n > 24 {
		l.middle = s[16 : n-8]
	}
	return l
}

// begins reports whether the line at at begins so. It may say no at the end of the text.
func (l *lineKey) begins(in []byte, at int) bool {
	if at+l.room > len(in) || binary.LittleEndian.Uint64(in[at:])&l.mask != l.head {
		return false
	}
	in = in[at : at+l.room]
	switch n := len(in); {
	case n <= 8:
		return true
	case n > 16 && binary.LittleEndian.Uint64(in[8:]) != l.next:
		return false
	case n > 24 && string(in[16:n-8]) != l.middle:
		return false
	default:
		return binary.LittleEndian.Uint64(in[n-8:]) == l.tail
	}
}

// starts are the starts of the lines that have a colon of their own.
var starts = func() (starts [fieldEnd]lineKey) {
	for f, key := range keys {
		switch Field(f) {
		case FieldAggregator, FieldActor, FieldPartner:
			starts[f] = newLineKey(key)
		default:
			if strings.HasSuffix(key, ":") {
				starts[f] = newLineKey(Field(f).indent() + key + " ")
			}
		}
	}
	return starts
}()
