// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"errors"
	"math"
	"math/bits"
	"slices"

	"github.com/bondkit/bondkit/bond"
)

// strict returns the first place where the text deviates from the grammar, of
// which b is the parse.
func strict(text []byte, b *Bond) error {
	for _, e := range b.Problems {
		if errors.Is(e.Err, ErrOrder) {
			return strictBefore(text[:e.Offset], e)
		}
	}
	first := &SyntaxError{Offset: math.MaxInt}
	at := func(offset int, f Field, err error) {
		if offset < first.Offset {
			start := lineStart(text, offset)
			line, _, _ := bytes.Cut(text[start:], []byte{'\n'})
			first = lineError(line)
			first.Line, first.Column, first.Offset = 1+bytes.Count(text[:offset], []byte{'\n'}), offset-start+1, offset
			first.Section, first.Field, first.Err = f.section(), f, err
		}
	}
	if n := b.rewritten(text); n >= 0 {
		at(n, 0, ErrFormat)
	}
	if len(b.Lines) > 0 {
		// Of a damaged line the problem says more.
		l := &b.Lines[0]
		if !slices.ContainsFunc(b.Problems, func(e *SyntaxError) bool { return e.Line == l.Number }) {
			at(lineOffset(text, l.Number), 0, ErrUnknown)
		}
		if first.Line == l.Number {
			first.Section = l.Section
		}
	}
	b.eachUnexpected(text, func(offset int, f Field) { at(offset, f, ErrUnknown) })
	// What is there already says more.
	for _, e := range b.Problems {
		if e.Offset <= first.Offset {
			first = e
		}
	}
	if first.Err == nil {
		return nil
	}
	return first
}

// strictBefore returns the first deviation before a line that is out of place, and otherwise
// that. Beside the others the line would make lines before it missing or unexpected.
func strictBefore(text []byte, e *SyntaxError) error {
	before, err := ParseBytes(text)
	if err != nil {
		return e
	}
	// Where the text ends now, something may be missing.
	if first, ok := errors.AsType[*SyntaxError](strict(text, before)); ok && first.Offset < e.Offset {
		return first
	}
	return e
}

// rewritten returns where the text and what is printed for it part, -1 if they do not.
func (b *Bond) rewritten(text []byte) int {
	again, _ := b.AppendText(make([]byte, 0, len(text)))
	if bytes.Equal(text, again) {
		return -1
	}
	n := 0
	for n < len(text) && n < len(again) && text[n] == again[n] {
		n++
	}
	return n
}

// lineOffset returns where the line begins.
func lineOffset(text []byte, number int) int {
	offset := 0
	for range number - 1 {
		offset += bytes.IndexByte(text[offset:], '\n') + 1
	}
	return offset
}

// eachUnexpected calls f for the fields that no kernel prints beside the others, and for those whose
// word no kernel has, and says where they are.
func (b *Bond) eachUnexpected(text []byte, f func(offset int, field Field)) {
	words := func(words []word) {
		for _, w := range words {
			// Kernels print unknown for a number that they have no word for.
			if w.text != "unknown" && (w.text != notInAny || w.field != FieldSlaveAggregatorID) {
				f(w.at, lineOf(w.field))
				return
			}
		}
	}
	words(b.words)
	from, to := b.part(-1, len(text))
	if field := b.unexpected(); field != 0 {
		f(findLine(text, from, to, field), field)
	}
	for i := range b.Slaves {
		s := &b.Slaves[i]
		words(s.words)
		from, to := b.part(i, len(text))
		if field := s.unexpected(b.lacpMode()); field != 0 {
			f(findLine(text, from, to, field), field)
		}
	}
}

// unexpected returns the first field that no kernel prints beside the others, 0 if there is
// none.
func (b *Bond) unexpected() Field {
	const (
		hash = 1<<bond.ModeBalanceXOR | 1<<bond.Mode8023AD | 1<<bond.ModeBalanceTLB | 1<<bond.ModeBalanceALB
		arp  = fieldSet(1<<FieldMissedMax | 1<<FieldARPTargets | 1<<FieldNSTargets)
		aggr = fieldSet(1<<FieldAggregatorID | 1<<FieldPorts | 1<<FieldActorKey | 1<<FieldPartnerKey | 1<<FieldPartnerMAC)
	)
	want := ^fieldSet(0)
	if b.Mode != bond.ModeActiveBackup || b.Has(FieldFailOverMAC) && b.FailOverMAC == bond.FailOverMACNone {
		want &^= 1 << FieldFailOverMAC
	}
	if hash>>b.Mode&1 == 0 {
		want &^= 1 << FieldXmitHashPolicy
	}
	if !b.Mode.HasActive() {
		want &^= 1<<FieldPrimary | 1<<FieldPrimaryReselect | 1<<FieldActive
	}
	if b.ARPInterval <= 0 {
		want &^= 1<<FieldARPInterval | arp
	}
	if !b.lacpMode() {
		want &^= 1<<FieldLACP | 1<<FieldLACPActive | 1<<FieldLACPRate | 1<<FieldMinLinks | 1<<FieldADSelect | 1<<FieldSystemPriority |
			1<<FieldSystemMAC | 1<<FieldNoAggregator | 1<<FieldAggregator
	}
	if b.Has(FieldNoAggregator) {
		want &^= 1 << FieldAggregator
	}
	if !b.Has(FieldSystemPriority) {
		want &^= 1 << FieldSystemMAC
	}
	if !b.Has(FieldAggregator) {
		want &^= aggr
	}
	return (b.has &^ want).first()
}

// unexpected is the same for a slave.
func (s *Slave) unexpected(lacp bool) Field {
	want := ^fieldSet(0)
	if !s.Has(FieldSpeed) {
		want &^= 1 << FieldDuplex
	}
	if !lacp {
		want &= 1<<FieldSlaveAggregatorID - 1
	}
	if !s.Has(FieldSlaveAggregatorID) || s.word(FieldSlaveAggregatorID) != "" {
		want &= 1<<FieldActorChurn - 1
	}
	return (s.has &^ want).first()
}

// first returns the first field of the set, 0 of an empty one.
func (s fieldSet) first() Field {
	if s == 0 {
		return 0
	}
	return lineOf(Field(bits.TrailingZeros64(uint64(s))))
}

// last returns the last field of the set, 0 of an empty one.
func (s fieldSet) last() Field { return Field(max(bits.Len64(uint64(s)), 1) - 1) }

// lineOf returns the field that has the line on which f stands.
func lineOf(f Field) Field {
	switch f {
	case FieldFailOverMAC:
		return FieldMode
	case FieldPrimaryReselect:
		return FieldPrimary
	}
	return f
}
