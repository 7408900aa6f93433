// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/bondkit/bondkit/bond"
)

// finish looks at what is there as a whole.
func (p *parser) finish() {
	b := p.b
	for i := range b.Slaves {
		if fields := b.Slaves[i].missing(); fields != 0 {
			p.missing(fields, i)
		}
	}
	if fields := b.missing(); fields != 0 {
		p.missing(fields, -1)
	}
	if n := len(p.in); n > 0 && p.in[n-1] != '\n' {
		p.truncated()
	}
	if !b.Has(FieldActive) || b.Active == none && b.Slave(none) == nil {
		b.Active = ""
	}
	if !b.Has(FieldPrimary) || b.Primary == none && !b.Has(FieldPrimaryReselect) {
		b.Primary = ""
	}
	if !b.Has(FieldDriver) {
		b.Driver = ""
	}
	if !b.Has(FieldNoAggregator) {
		b.noAggr = ""
	} else if b.Name == "" {
		b.Name, b.nameInText = b.noAggr, true
	}
	if len(b.Problems) > 1 {
		slices.SortStableFunc(b.Problems, func(x, y *SyntaxError) int { return x.Offset - y.Offset })
	}
}

// truncated notes that the text ends in the middle of a line, of which what is
// there may be too short.
func (p *parser) truncated() {
	end := len(p.in)
	p.start = bytes.LastIndexByte(p.in, '\n') + 1
	p.line = 1 + bytes.Count(p.in, []byte{'\n'})
	p.end = end
	f := Field(0)
	if n := len(p.b.Lines); p.last != 0 && (n == 0 || p.b.Lines[n-1].Number < p.line) {
		f = p.last
	}
	p.problem(f, ErrTruncated, end)
}

// missing notes the lines that every kernel prints and that are not there, of
// the bond or of a slave.
func (p *parser) missing(fields fieldSet, slave int) {
	for _, e := range p.b.Problems {
		// What is there and cannot be read has been noted already.
		if e.slave == slave && errors.Is(e.Err, ErrValue) {
			fields &^= 1 << e.Field
		}
	}
	for f := FieldDriver; f < fieldEnd && fields != 0; f++ {
		if !fields.has(f) {
			continue
		}
		if len(p.b.Problems) >= p.maxProblems {
			p.b.MoreProblems++
			continue
		}
		// Its place is before what should follow it.
		from, to := p.b.part(slave, len(p.in))
		at := to
		last := fieldEnd
		if slave < 0 {
			last = FieldSlave // the lines of slaves are alike
		}
		for next := f + 1; next < last && at == to; next++ {
			if next > FieldPartner {
				from = findLine(p.in, from, to, FieldPartner) // the actor's lines are the same
			}
			at = findLine(p.in, from, to, next)
		}
		p.b.Problems = append(p.b.Problems, &SyntaxError{
			slave: slave, Line: 1 + bytes.Count(p.in[:at], []byte{'\n'}), Column: at - lineStart(p.in, at) + 1, Offset: at,
			Section: f.section(), Field: f, Key: strings.TrimSuffix(keys[f], ":"), Err: ErrMissing,
		})
	}
}

// part returns where the text of the slave, or that of the bond itself, begins
// and ends. The blank line between belongs to none.
func (b *Bond) part(slave, textLen int) (from, to int) {
	to = textLen
	if slave+1 < len(b.Slaves) {
		to = b.Slaves[slave+1].at
	}
	if slave >= 0 {
		from = b.Slaves[slave].at
	}
	return from, to
}

// findLine returns where the first line of the field begins, from one place to
// another, and to if there is none.
func findLine(text []byte, from, to int, f Field) int {
	key := keys[f]
	if key == "" {
		return to
	}
	for at := from; ; at++ {
		i := bytes.Index(text[at:to], []byte(key)) // far faster than to look at each line
		if i < 0 {
			return to
		}
		at += i
		start := at
		for start > from && isBlank(text[start-1]) {
			start--
		}
		if start > from && text[start-1] != '\n' {
			continue
		}
		line, _, _ := bytes.Cut(text[at:to], []byte{'\n'})
		if f != FieldNoAggregator || bytes.HasSuffix(bytes.TrimRight(line, blanks), []byte(noAggregator)) {
			return start
		}
	}
}

// lineStart returns where the line of the offset begins.
func lineStart(text []byte, offset int) int { return bytes.LastIndexByte(text[:offset], '\n') + 1 }

// lacpMode reports whether the text is that of an 802.3ad bond.
func (b *Bond) lacpMode() bool {
	return b.Mode == bond.Mode8023AD && b.Has(FieldMode)
}

// missing returns the fields that every kernel since 2.6.33 prints beside those
// that are there.
func (b *Bond) missing() fieldSet {
	want := fieldSet(1<<FieldDriver | 1<<FieldMode | 1<<FieldMIIStatus | 1<<FieldMIIMon | 1<<FieldUpDelay | 1<<FieldDownDelay)
	if b.Has(FieldMode) && b.Mode.HasActive() {
		want |= 1<<FieldPrimary | 1<<FieldActive
	}
	if b.Has(FieldARPInterval) {
		want |= 1 << FieldARPTargets
	}
	if b.lacpMode() || b.Has(FieldLACP) {
		want |= 1<<FieldLACP | 1<<FieldLACPRate
	}
	if b.Has(FieldSystemPriority) {
		want |= 1 << FieldSystemMAC
	}
	if b.Has(FieldAggregator) {
		want |= 1<<FieldAggregatorID | 1<<FieldPorts | 1<<FieldActorKey | 1<<FieldPartnerKey | 1<<FieldPartnerMAC
	}
	return want &^ b.has
}

// missing is the same for a slave.
func (s *Slave) missing() fieldSet {
	want := fieldSet(1<<FieldSlaveMIIStatus | 1<<FieldLinkFailures)
	if s.Has(FieldSpeed) {
		want |= 1 << FieldDuplex
	}
	const churn = 1<<FieldActorChurn | 1<<FieldPartnerChurn | 1<<FieldActorChurned | 1<<FieldPartnerChurned
	if s.has&churn != 0 {
		want |= churn
	}
	const actor = 1<<FieldActor | 1<<FieldActorSystemPriority | 1<<FieldActorSystemMAC | 1<<FieldActorPortKey |
		1<<FieldActorPortPriority | 1<<FieldActorPortNumber | 1<<FieldActorPortState
	const partner = 1<<FieldPartner | 1<<FieldPartnerSystemPriority | 1<<FieldPartnerSystemMAC | 1<<FieldPartnerOperKey |
		1<<FieldPartnerPortPriority | 1<<FieldPartnerPortNumber | 1<<FieldPartnerPortState
	if s.has&actor != 0 {
		want |= actor | 1<<FieldPartner
	}
	if s.has&partner != 0 {
		want |= partner | 1<<FieldActor
	}
	return want &^ s.has
}
