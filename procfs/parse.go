// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"io"
	"strings"
)

// Limits that no kernel comes near to, so that garbage takes memory in
// proportion to its size.
const (
	maxText     = 64 << 20 // bytes that Parse reads
	maxLines    = 4096     // Lines; what follows is kept as one
	maxSlaves   = 4096
	maxShown    = 200     // bytes of SyntaxError.Text
	maxHeld     = 1 << 20 // bytes of earlier texts that a Bond or an FS may hold on to
	maxProblems = 100
)

// Parser has the options of parsing. The zero Parser is lenient.
type Parser struct {
	// Strict makes the first deviation from what kernels print an error.
	// Accepted is then exactly what [Bond.AppendText] gives back, and what every
	// kernel since 2.6.33 or so prints.
	Strict bool
	// MaxProblems bounds Bond.Problems, 0 for 100.
	MaxProblems int
}

// Parse reads a text to its end, at most 64 MiB, and parses it leniently: lines
// that are unknown or damaged are in Lines, what is wrong in Problems. The error
// is that of r, or matches ErrTooLarge or ErrNotBonding.
func Parse(r io.Reader) (*Bond, error) {
	p, err := readAll(r)
	if err != nil {
		return nil, &Error{Op: "parse", Err: err}
	}
	return ParseBytes(p)
}

// readAll reads all of r into one buffer, which begins larger than most files.
func readAll(r io.Reader) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 0, 8<<10))
	n, err := buf.ReadFrom(io.LimitReader(r, maxText+1))
	if err == nil && n > maxText {
		err = ErrTooLarge
	}
	return buf.Bytes(), err
}

// ParseBytes parses a text leniently. It keeps no part of p; the strings of the Bond share
// one copy of it. The error matches ErrNotBonding: nothing in the text is from /proc/net/bonding.
func ParseBytes(p []byte) (*Bond, error) {
	b := new(Bond)
	if err := b.UnmarshalText(p); err != nil {
		return nil, err
	}
	return b, nil
}

// UnmarshalText parses a text as [ParseBytes] does, into b, whose memory it
// uses again, except what garbage has made too large. It allocates nothing if b has held a text of
// the same bond, size and names, without Lines and Problems. A Name that the caller has set stays; one
// that an earlier text had goes, and that in the text takes its place, if there is one. On an error b
// is empty but for its Name.
func (b *Bond) UnmarshalText(p []byte) error {
	var parser Parser
	return parser.Parse(p, b)
}

// Parse parses a text into b, as [Bond.UnmarshalText] does. With Strict, the
// error holds a [*SyntaxError] if the text deviates from the kernel's grammar, and b is as
// lenient parsing would leave it.
func (o *Parser) Parse(text []byte, b *Bond) error {
	b.reset()
	p := parser{in: text, b: b, slave: -1, maxProblems: o.MaxProblems}
	if p.maxProblems <= 0 {
		p.maxProblems = maxProblems
	}
	if cap(b.Slaves) == 0 {
		p.reserve()
	}
	p.parse()
	b.held += len(p.copy)
	if b.has == 0 && len(b.Slaves) == 0 {
		b.reset()
		return &Error{Op: "parse", Bond: b.Name, Err: ErrNotBonding}
	}
	p.finish()
	if o.Strict {
		if err := strict(text, b); err != nil {
			return &Error{Op: "parse", Bond: b.Name, Err: err}
		}
	}
	return nil
}

// reset empties b and keeps its memory, and its strings to compare with.
func (b *Bond) reset() {
	if b.nameInText && b.Name == b.noAggr {
		b.Name = ""
	}
	if b.held > maxHeld {
		*b = Bond{Name: strings.Clone(b.Name)}
		return
	}
	clear(b.Lines)
	clear(b.Problems)
	*b = Bond{
		Name: b.Name, Driver: b.Driver, Primary: b.Primary, Active: b.Active, noAggr: b.noAggr,
		ARPTargets: b.ARPTargets[:0], NSTargets: b.NSTargets[:0],
		Slaves: b.Slaves[:0], Lines: b.Lines[:0], Problems: b.Problems[:0],
		words: b.words[:0], arena: b.arena[:0], held: b.held,
	}
}

// parser is one pass over one text.
type parser struct {
	in   []byte
	copy string // of in, made when a string is needed that b does not have
	b    *Bond

	start, end int // of the line, without its newline
	line       int
	section    Section
	slave      int    // index of the slave in whose section we are, or -1
	s          *Slave // that slave
	last       Field  // the last field of the section
	blank      int    // empty lines since the last line
	seen       uint64 // a bit for each name of a slave, which others may share

	maxProblems int
}

// reserve makes room for what the text has, so that a new Bond takes few
// allocations.
func (p *parser) reserve() {
	if n := min(bytes.Count(p.in, []byte("Slave Interface:")), maxSlaves); n > 0 {
		p.b.Slaves = make([]Slave, 0, n)
		p.b.arena = make([]byte, 0, 6*n)
	}
}

func (p *parser) parse() {
	for start := 0; ; {
		start = p.usual(start)
		if start >= len(p.in) {
			return
		}
		line := p.in[start:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n]
		}
		p.start, p.end = start, start+len(line)
		p.line++
		if !p.parseLine(line) {
			p.keepRest()
			return
		}
		start += len(line) + 1
	}
}

// parseLine takes one line. It returns false if it will not.
func (p *parser) parseLine(line []byte) bool {
	from, to := 0, len(line)
	for from < to && isBlank(line[from]) {
		from++
	}
	for to > from && isBlank(line[to-1]) {
		to--
	}
	if from == to {
		p.blank++
		return true
	}
	n := keyLen(line[from:to])
	if n == to-from {
		return p.plain(line[from:to], p.start+from)
	}
	f := p.field(line[from : from+n])
	if f == 0 {
		return p.keep(0, nil, p.start)
	}
	v := from + n + 1
	for v < to && isBlank(line[v]) {
		v++
	}
	return p.set(f, line[v:to], p.start+v)
}

// keyLen returns the length of a line's key, all of it if it has none.
func keyLen(line []byte) int {
	n := bytes.IndexByte(line, ':')
	switch {
	case n < 0:
		return len(line)
	case n == len(nsKey) && string(line[:n]) == nsKey && bytes.HasPrefix(line[n:], []byte(nsRest)):
		return n + len(nsRest) - 1 // the one key with colons in it
	}
	return n
}

// nsKey and nsRest are the key of FieldNSTargets up to its first colon, and from there.
const nsKey, nsRest = "NS IPv6 target/s (xx", "::xx form):"

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// noAggregator is how the line of FieldNoAggregator ends.
const noAggregator = " has no active aggregator"

// plain takes a line without a colon.
func (p *parser) plain(line []byte, offset int) bool {
	const before, after = "bond ", noAggregator
	switch {
	case string(line) == keys[FieldLACP]:
		return p.set(FieldLACP, nil, offset)
	case len(line) > len(before)+len(after) && string(line[:len(before)]) == before && string(line[len(line)-len(after):]) == after:
		return p.set(FieldNoAggregator, line[len(before):len(line)-len(after)], offset+len(before))
	}
	return p.keep(0, nil, p.start)
}

// set takes a line of the field with the value v, which begins at offset.
func (p *parser) set(f Field, v []byte, offset int) bool {
	if f == FieldSlave {
		return p.newSlave(v, offset)
	}
	has := &p.b.has
	if f > FieldSlave {
		has = &p.s.has
	}
	switch {
	case f == FieldDriver && (has.has(f) || p.slave >= 0):
		p.problem(f, ErrSeveral, p.start)
		return false
	case has.has(f):
		p.last = max(p.last, f) // it is printed behind the first
		if f == FieldActor || f == FieldPartner {
			// What follows is somebody else's, and printed behind all that is not.
			p.last, p.section = p.s.has.last(), SectionSlave
		}
		return p.keep(f, ErrDuplicate, p.start)
	}
	if !p.setValue(f, v, offset) {
		return p.keep(f, ErrValue, offset)
	}
	*has |= 1 << f
	if f < p.last {
		if !p.outOfPlace(f) {
			p.blank = 0
			return true
		}
	}
	p.last, p.section, p.blank = f, f.section(), 0
	return true
}

// newSlave begins a slave, also where its name cannot be read: what follows is
// not that of the slave before.
func (p *parser) newSlave(v []byte, offset int) bool {
	if isName(v) {
		return p.addSlave(v, offset)
	}
	s := p.nextSlave()
	if s == nil {
		return false
	}
	*s = Slave{words: s.words[:0], at: p.start}
	p.last = 0
	ok := p.keep(FieldSlave, ErrValue, offset)
	p.last = FieldSlave
	return ok
}

// addSlave begins the slave with the name v.
func (p *parser) addSlave(v []byte, offset int) bool {
	s := p.nextSlave()
	if s == nil {
		return false
	}
	// Only a name that may be there already is searched for.
	bit := uint64(1) << ((v[0] + 5*v[len(v)-1] + byte(len(v))) & 63)
	if p.seen&bit != 0 && p.hasSlave(v) {
		p.problem(FieldSlave, ErrDuplicate, p.start)
	}
	p.seen |= bit
	*s = Slave{Name: p.text(s.Name, v, offset), has: 1 << FieldSlave, words: s.words[:0], at: p.start}
	p.last, p.blank = FieldSlave, 0
	return true
}

// nextSlave returns the slave whose section begins, with what it held before, or nil if
// there are too many.
func (p *parser) nextSlave() *Slave {
	b := p.b
	if len(b.Slaves) == maxSlaves {
		p.problem(FieldSlave, ErrTooLarge, p.start)
		return nil
	}
	if n := len(b.Slaves); n < cap(b.Slaves) {
		b.Slaves = b.Slaves[:n+1]
	} else {
		b.Slaves = append(b.Slaves, Slave{})
	}
	p.slave = len(b.Slaves) - 1
	p.s, p.section = &b.Slaves[p.slave], SectionSlave
	return p.s
}

// hasSlave reports whether a slave before this one has the name.
func (p *parser) hasSlave(name []byte) bool {
	for i := range p.slave {
		if p.b.Slaves[i].Name == string(name) {
			return true
		}
	}
	return false
}

// outOfPlace notes a field that does not stand where kernels print it. It returns
// whether the place is now behind it.
func (p *parser) outOfPlace(f Field) bool {
	if f == FieldQueueID && p.last == FieldSlaveAggregatorID {
		p.s.queueLast = true
		return true
	}
	p.problem(f, ErrOrder, p.start)
	return f > FieldSlave || p.slave < 0 // else the bond's line stands among a slave's
}

// sections are where the kernel prints the fields.
var sections = func() (sections [fieldEnd]Section) {
	for f := range fieldEnd {
		switch {
		case f >= FieldPartner:
			sections[f] = SectionPartner
		case f >= FieldActor:
			sections[f] = SectionActor
		case f >= FieldSlave:
			sections[f] = SectionSlave
		case f >= FieldAggregator:
			sections[f] = SectionAggregator
		case f >= FieldLACP:
			sections[f] = SectionLACP
		}
	}
	return sections
}()

func (f Field) section() Section { return sections[f] }

// text returns v as a string: old, if it is the same, else a part of the one
// copy of the text. What comes and goes without a name is a constant.
func (p *parser) text(old string, v []byte, offset int) string {
	switch {
	case old == string(v):
		return old
	case string(v) == none:
		return none
	}
	if p.copy == "" {
		p.copy = string(p.in)
	}
	return p.copy[offset : offset+len(v)]
}

// keep puts the line among Lines, and notes err, at offset, if it is not nil.
func (p *parser) keep(f Field, err error, offset int) bool {
	if err != nil {
		p.problem(f, err, offset)
	}
	return len(p.b.Lines) < maxLines && p.keepUpTo(p.end)
}

// keepRest puts all from this line on among Lines, as one.
func (p *parser) keepRest() {
	if len(p.b.Lines) >= maxLines {
		p.problem(0, ErrTooLarge, p.start)
	}
	end := len(p.in)
	if p.in[end-1] == '\n' {
		end--
	}
	p.keepUpTo(max(end, p.start))
}

func (p *parser) keepUpTo(end int) bool {
	raw := p.text("", p.in[p.start:end], p.start)
	line := strings.Trim(raw[:p.end-p.start], blanks)
	key, value := cutKey(line)
	p.b.Lines = append(p.b.Lines, Line{
		Section: p.section, Slave: p.slave, After: p.last, Number: p.line, Blank: p.blank,
		Key: key, Value: value, Raw: raw,
	})
	p.blank = 0
	return true
}

// blanks are what isBlank says.
const blanks = " \t\r"

// cutKey returns what is before and after the colon of a line that has been
// trimmed.
func cutKey(line string) (key, value string) {
	n := keyLen([]byte(line))
	if n == len(line) {
		return line, ""
	}
	return strings.TrimRight(line[:n], blanks), strings.TrimLeft(line[n+1:], blanks)
}

// problem notes what is wrong with the line, at offset.
func (p *parser) problem(f Field, err error, offset int) {
	b := p.b
	if len(b.Problems) >= p.maxProblems {
		b.MoreProblems++
		return
	}
	e := lineError(p.in[p.start:p.end])
	e.slave, e.Line, e.Column, e.Offset = p.slave, p.line, offset-p.start+1, offset
	e.Section, e.Field, e.Err = p.section, f, err
	b.Problems = append(b.Problems, e)
}

// lineError returns a SyntaxError with the Key and Text of a line.
func lineError(line []byte) *SyntaxError {
	e := &SyntaxError{Text: string(line[:min(len(line), maxShown)])}
	e.Key, _ = cutKey(strings.Trim(e.Text, blanks))
	return e
}
