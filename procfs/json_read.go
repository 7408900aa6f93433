// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/internal/escape"
)

// fromJSON makes a Bond of its JSON: each value is written as the kernel writes it, and
// read by what reads the kernel's lines.
type fromJSON struct {
	bad    string // the first value that makes no sense
	failed bool   // there is one
}

// UnmarshalJSON reads a number or null.
func (id *jsonID) UnmarshalJSON(data []byte) error {
	id.text = string(data)
	if id.text == "null" {
		id.text = notInAny
	} else if _, ok := parseInt(data); !ok {
		return ErrValue
	}
	return nil
}

func (r *fromJSON) fail(value string) {
	if !r.failed {
		r.bad, r.failed = value, true
	}
}

// text undoes escape.
func (r *fromJSON) text(s string) string {
	out, ok := escape.Undo(s)
	if !ok {
		r.fail(s)
	}
	return out
}

// value undoes escape, and takes only what stands in one line.
func (r *fromJSON) value(s string) string {
	out := r.text(s)
	if strings.Contains(out, "\n") {
		r.fail(s)
	}
	return out
}

// word32 returns the kernel's word for one of package bond.
func word32[T ~uint8 | ~uint32](r *fromJSON, s *string, words []string, parse func(string) (T, error)) string {
	if text, ok := strings.CutPrefix(*s, "?"); ok && text != "" {
		return r.value(text)
	}
	n, err := parse(*s)
	if err != nil || int(n) >= len(words) {
		r.fail(*s)
		return ""
	}
	return words[n]
}

func parseOnOff(s string) (uint8, error) {
	if n := wordNumber(activeWords, []byte(s)); n != unknownWord {
		return n, nil
	}
	return 0, ErrValue
}

// bondField sets a field of the bond to what the kernel writes.
func (r *fromJSON) bondField(b *Bond, f Field, text string) {
	p := parser{in: []byte(text), end: len(text), b: b, slave: -1}
	if b.Has(f) || strings.Trim(text, blanks) != text || !p.setValue(f, p.in, 0) {
		r.fail(text)
	}
	b.has |= 1 << f
}

// slaveField is the same for the last slave.
func (r *fromJSON) slaveField(b *Bond, f Field, text string) {
	i := len(b.Slaves) - 1
	p := parser{in: []byte(text), end: len(text), b: b, slave: i, s: &b.Slaves[i]}
	if strings.Trim(text, blanks) != text || !p.setValue(f, p.in, 0) {
		r.fail(text)
	}
	b.Slaves[i].has |= 1 << f
}

// number returns the text of a number, and whether there is one.
func number[T int32 | uint32 | bond.PortState](n *T) string { return strconv.FormatInt(int64(*n), 10) }

func (r *fromJSON) bond(j *jsonBond) *Bond {
	b := &Bond{Name: r.text(j.Name), Torn: j.Torn, MoreProblems: j.MoreProblems}
	r.names(b, j)
	if j.Mode != nil {
		text := word32(r, j.Mode, modeWords, bond.ParseMode)
		if j.FailOverMAC != nil {
			text += " (fail_over_mac " + word32(r, j.FailOverMAC, fomWords, bond.ParseFailOverMAC) + ")"
		}
		r.bondField(b, FieldMode, text)
	}
	if j.Mode == nil && j.FailOverMAC != nil {
		r.fail(*j.FailOverMAC)
	}
	if j.XmitHashPolicy != nil {
		text := word32(r, j.XmitHashPolicy, hashWords, bond.ParseXmitHashPolicy)
		if !strings.HasPrefix(*j.XmitHashPolicy, "?") {
			n, _ := bond.ParseXmitHashPolicy(*j.XmitHashPolicy)
			text += " (" + strconv.Itoa(int(n)) + ")"
		}
		r.bondField(b, FieldXmitHashPolicy, text)
	}
	if j.MIIStatus != nil {
		r.bondField(b, FieldMIIStatus, word32(r, j.MIIStatus, miiWords, bond.ParseMIIStatus))
	}
	for _, n := range []struct {
		f Field
		n *int32
	}{
		{FieldMIIMon, j.MIIMon},
		{FieldUpDelay, j.UpDelay},
		{FieldDownDelay, j.DownDelay},
		{FieldPeerNotifDelay, j.PeerNotifDelay},
		{FieldARPInterval, j.ARPInterval},
	} {
		if n.n != nil {
			r.bondField(b, n.f, number(n.n))
		}
	}
	if j.MissedMax != nil {
		r.bondField(b, FieldMissedMax, number(j.MissedMax))
	}
	r.targets(b, FieldARPTargets, j.ARPTargets)
	r.targets(b, FieldNSTargets, j.NSTargets)
	if j.LACP != nil {
		r.lacp(b, j.LACP)
	}
	for i := range j.Slaves {
		r.slave(b, &j.Slaves[i])
	}
	r.rest(b, j)
	return b
}

func (r *fromJSON) targets(b *Bond, f Field, list []netip.Addr) {
	if slices.Contains(list, netip.Addr{}) {
		r.fail("")
	}
	if list != nil {
		r.bondField(b, f, string(appendAddrs(nil, list)))
	}
}

// names sets what is a string in both.
func (r *fromJSON) names(b *Bond, j *jsonBond) {
	if j.Driver != nil {
		r.bondField(b, FieldDriver, r.value(*j.Driver))
	}
	if j.Active != nil {
		if b.Active = r.value(*j.Active); b.Active != "" && !isName([]byte(b.Active)) {
			r.fail(*j.Active)
		}
		b.has |= 1 << FieldActive
	}
	if j.Primary != nil {
		text := string(appendName(nil, r.text(*j.Primary)))
		if j.PrimaryReselect != nil {
			text += " (primary_reselect " + word32(r, j.PrimaryReselect, reselectWords, bond.ParsePrimaryReselect) + ")"
		}
		r.bondField(b, FieldPrimary, text)
		b.Primary = r.text(*j.Primary)
	} else if j.PrimaryReselect != nil {
		r.fail(*j.PrimaryReselect)
	}
}

func (r *fromJSON) lacp(b *Bond, j *jsonLACP) {
	if j.Header {
		r.bondField(b, FieldLACP, "")
	}
	if j.Active != nil {
		r.bondField(b, FieldLACPActive, word32(r, j.Active, activeWords, parseOnOff))
	}
	if j.Rate != nil {
		r.bondField(b, FieldLACPRate, word32(r, j.Rate, rateWords, bond.ParseLACPRate))
	}
	if j.MinLinks != nil {
		r.bondField(b, FieldMinLinks, number(j.MinLinks))
	}
	if j.ADSelect != nil {
		r.bondField(b, FieldADSelect, word32(r, j.ADSelect, selectWords, bond.ParseADSelect))
	}
	if j.SystemPriority != nil {
		r.bondField(b, FieldSystemPriority, number(j.SystemPriority))
	}
	if j.SystemMAC != nil {
		r.bondField(b, FieldSystemMAC, string(appendMACText(nil, *j.SystemMAC)))
	}
	if j.NoAggregator != nil {
		r.bondField(b, FieldNoAggregator, r.value(*j.NoAggregator))
	}
	a := j.Aggregator
	if a == nil {
		return
	}
	if a.Header {
		r.bondField(b, FieldAggregator, "")
	}
	for _, n := range []struct {
		f Field
		n *int32
	}{{FieldAggregatorID, a.ID}, {FieldPorts, a.Ports}, {FieldActorKey, a.ActorKey}, {FieldPartnerKey, a.PartnerKey}} {
		if n.n != nil {
			r.bondField(b, n.f, number(n.n))
		}
	}
	if a.PartnerMAC != nil {
		r.bondField(b, FieldPartnerMAC, string(appendMACText(nil, *a.PartnerMAC)))
	}
}

func (r *fromJSON) slave(b *Bond, j *jsonSlave) {
	s := Slave{Name: r.text(j.Name), queueLast: j.QueueLast}
	switch {
	case isName([]byte(s.Name)):
		s.has = 1 << FieldSlave
	case s.Name != "":
		r.fail(j.Name)
	}
	b.Slaves = append(b.Slaves, s)
	if j.MIIStatus != nil {
		r.slaveField(b, FieldSlaveMIIStatus, word32(r, j.MIIStatus, miiWords, bond.ParseMIIStatus))
	}
	switch {
	case j.Speed == nil:
	case *j.Speed == SpeedUnknown:
		r.slaveField(b, FieldSpeed, "Unknown")
	default:
		r.slaveField(b, FieldSpeed, number(j.Speed)+" Mbps")
	}
	if j.Duplex != nil {
		r.slaveField(b, FieldDuplex, strings.Replace(*j.Duplex, "unknown", "Unknown", 1))
	}
	if j.LinkFailures != nil {
		r.slaveField(b, FieldLinkFailures, number(j.LinkFailures))
	}
	if j.PermMAC != nil {
		r.slaveField(b, FieldPermMAC, string(appendMACText(nil, *j.PermMAC)))
	}
	if j.QueueID != nil {
		r.slaveField(b, FieldQueueID, number(j.QueueID))
	}
	if j.AggregatorID.text != "" {
		r.slaveField(b, FieldSlaveAggregatorID, j.AggregatorID.text)
	}
	if j.ActorChurn != nil {
		r.slaveField(b, FieldActorChurn, word32(r, j.ActorChurn, churnWords, bond.ParseChurnState))
	}
	if j.PartnerChurn != nil {
		r.slaveField(b, FieldPartnerChurn, word32(r, j.PartnerChurn, churnWords, bond.ParseChurnState))
	}
	if j.ActorChurned != nil {
		r.slaveField(b, FieldActorChurned, number(j.ActorChurned))
	}
	if j.PartnerChurned != nil {
		r.slaveField(b, FieldPartnerChurned, number(j.PartnerChurned))
	}
	r.port(b, FieldActor, j.Actor)
	r.port(b, FieldPartner, j.Partner)
}

// port sets the fields of one end, of which first is the first.
func (r *fromJSON) port(b *Bond, first Field, j *jsonPort) {
	if j == nil {
		return
	}
	field := func(f Field) Field { return f - FieldActor + first }
	if j.Header {
		r.slaveField(b, field(FieldActor), "")
	}
	for _, n := range []struct {
		f Field
		n *int32
	}{
		{FieldActorSystemPriority, j.SystemPriority},
		{FieldActorPortKey, j.Key},
		{FieldActorPortPriority, j.PortPriority},
		{FieldActorPortNumber, j.PortNumber},
	} {
		if n.n != nil {
			r.slaveField(b, field(n.f), number(n.n))
		}
	}
	if j.SystemMAC != nil {
		r.slaveField(b, field(FieldActorSystemMAC), string(appendMACText(nil, *j.SystemMAC)))
	}
	if j.PortState != nil {
		r.slaveField(b, field(FieldActorPortState), number(j.PortState))
	}
}

// rest sets the lines and problems.
func (r *fromJSON) rest(b *Bond, j *jsonBond) {
	if j.MoreProblems < 0 {
		r.fail(strconv.Itoa(j.MoreProblems))
	}
	last, blank := -1, 0
	for _, l := range j.Unknown {
		section := sectionByName(l.Section)
		line := Line{
			Number: l.Line, Blank: l.Blank, Slave: l.Slave, After: fieldByName(l.After, section),
			Section: section, Key: r.text(l.Key), Value: r.text(l.Value), Raw: r.text(l.Raw),
		}
		// AppendText counts on their order.
		if l.Slave < last || l.Slave >= len(b.Slaves) || l.Blank < 0 || l.Blank > maxText-blank || l.After != "" && line.After == 0 {
			r.fail(l.Raw)
			return
		}
		last = l.Slave
		blank += l.Blank
		b.Lines = append(b.Lines, line)
	}
	for _, e := range j.Problems {
		section := sectionByName(e.Section)
		b.Problems = append(b.Problems, &SyntaxError{
			Line: e.Line, Column: e.Column, Offset: e.Offset, Section: section,
			Field: fieldByName(e.Field, section), Key: r.text(e.Key), Text: r.text(e.Text), Err: causeByText(e.Error),
		})
	}
}

func sectionByName(name string) Section {
	for i, n := range sectionNames {
		if n == name {
			return Section(i)
		}
	}
	return SectionBond
}

// fieldByName undoes fieldName. Fields of the same line differ by the section.
func fieldByName(name string, in Section) Field {
	if before, after, ok := strings.Cut(name, ": "); ok {
		name, in = after, sectionByName(before)
	}
	found := Field(0)
	for f := FieldDriver; f < fieldEnd; f++ {
		if strings.TrimSuffix(f.String(), ":") != name {
			continue
		}
		if found == 0 || f.section() == in || found < FieldSlave && in >= SectionSlave {
			found = f
		}
	}
	return found
}

// causeByText returns the error of this package that has the text.
func causeByText(text string) error {
	for _, err := range []error{
		ErrValue, ErrUnknown, ErrDuplicate, ErrOrder, ErrMissing, ErrFormat, ErrTruncated, ErrSeveral, ErrNotBonding,
		ErrTooLarge,
	} {
		if err.Error() == text {
			return err
		}
	}
	return errors.New(text)
}

var _ json.Unmarshaler = (*jsonID)(nil)
