// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"math"
	"net/netip"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// setValue sets a field. It returns false if the value cannot be read.
func (p *parser) setValue(f Field, v []byte, offset int) bool {
	if limit := numberLimit[f]; limit > 0 {
		if n, ok := parseNumber(v, limit); ok {
			p.setNumber(f, n)
			return true
		}
	}
	if f > FieldSlave {
		return p.setSlave(p.s, f, v, offset)
	}
	return p.setBond(f, v, offset)
}

// numberLimit are the largest values of the fields that are numbers, and 0 for the others: of
// what the kernel prints with %d, with %u, and with %d for 16 bits.
var numberLimit = [fieldEnd]int64{
	FieldMIIMon: math.MaxInt32, FieldUpDelay: math.MaxInt32, FieldDownDelay: math.MaxInt32,
	FieldPeerNotifDelay: math.MaxInt32, FieldARPInterval: math.MaxInt32, FieldMissedMax: math.MaxUint32,
	FieldMinLinks: math.MaxInt32, FieldSystemPriority: math.MaxInt32,
	FieldAggregatorID: math.MaxInt32, FieldPorts: math.MaxInt32,
	FieldActorKey: math.MaxInt32, FieldPartnerKey: math.MaxInt32,

	FieldLinkFailures: math.MaxUint32, FieldQueueID: math.MaxInt32, FieldSlaveAggregatorID: math.MaxInt32,
	FieldActorChurned: math.MaxInt32, FieldPartnerChurned: math.MaxInt32,
	FieldActorSystemPriority: math.MaxInt32, FieldActorPortKey: math.MaxInt32,
	FieldActorPortPriority: math.MaxInt32, FieldActorPortNumber: math.MaxInt32, FieldActorPortState: math.MaxUint16,
	FieldPartnerSystemPriority: math.MaxInt32, FieldPartnerOperKey: math.MaxInt32,
	FieldPartnerPortPriority: math.MaxInt32, FieldPartnerPortNumber: math.MaxInt32, FieldPartnerPortState: math.MaxUint16,
}

// setNumber sets a field that is a number within its limit.
func (p *parser) setNumber(f Field, n int64) {
	b, s := p.b, p.s
	switch f {
	case FieldMIIMon:
		b.MIIMon = time.Duration(n) * time.Millisecond
	case FieldUpDelay:
		b.UpDelay = time.Duration(n) * time.Millisecond
	case FieldDownDelay:
		b.DownDelay = time.Duration(n) * time.Millisecond
	case FieldPeerNotifDelay:
		b.PeerNotifDelay = time.Duration(n) * time.Millisecond
	case FieldARPInterval:
		b.ARPInterval = time.Duration(n) * time.Millisecond
	case FieldMissedMax:
		b.MissedMax = uint32(n)
	case FieldMinLinks:
		b.MinLinks = int32(n)
	case FieldSystemPriority:
		b.SystemPriority = int32(n)
	case FieldAggregatorID:
		b.Aggregator.ID = int32(n)
	case FieldPorts:
		b.Aggregator.Ports = int32(n)
	case FieldActorKey:
		b.Aggregator.ActorKey = int32(n)
	case FieldPartnerKey:
		b.Aggregator.PartnerKey = int32(n)
	case FieldLinkFailures:
		s.LinkFailures = uint32(n)
	case FieldQueueID:
		s.QueueID = int32(n)
	case FieldSlaveAggregatorID:
		s.AggregatorID = int32(n)
	case FieldActorChurned:
		s.ActorChurned = int32(n)
	case FieldPartnerChurned:
		s.PartnerChurned = int32(n)
	case FieldActorSystemPriority:
		s.Actor.SystemPriority = int32(n)
	case FieldActorPortKey:
		s.Actor.Key = int32(n)
	case FieldActorPortPriority:
		s.Actor.PortPriority = int32(n)
	case FieldActorPortNumber:
		s.Actor.PortNumber = int32(n)
	case FieldActorPortState:
		s.Actor.PortState = bond.PortState(n)
	case FieldPartnerSystemPriority:
		s.Partner.SystemPriority = int32(n)
	case FieldPartnerOperKey:
		s.Partner.Key = int32(n)
	case FieldPartnerPortPriority:
		s.Partner.PortPriority = int32(n)
	case FieldPartnerPortNumber:
		s.Partner.PortNumber = int32(n)
	case FieldPartnerPortState:
		s.Partner.PortState = bond.PortState(n)
	}
}

// setBond sets a field of the bond that is not a number. It returns false if the
// value cannot be read.
func (p *parser) setBond(f Field, v []byte, offset int) (ok bool) {
	b := p.b
	switch f {
	case FieldDriver:
		b.Driver = p.text(b.Driver, v, offset)
		return len(v) > 0
	case FieldMode:
		return p.setMode(v, offset)
	case FieldXmitHashPolicy:
		return p.setHash(v, offset)
	case FieldPrimary:
		return p.setPrimary(v, offset)
	case FieldActive:
		b.Active = p.text(b.Active, v, offset)
		return isName(v)
	case FieldMIIStatus:
		b.MIIStatus = bond.MIIStatus(p.word(&b.words, f, miiWords, v, offset))
		return len(v) > 0
	case FieldARPTargets:
		return p.setARPTargets(v)
	case FieldNSTargets:
		return p.setNSTargets(v, offset)
	case FieldLACP, FieldAggregator:
		return len(v) == 0
	case FieldLACPActive:
		b.LACPActive = p.word(&b.words, f, activeWords, v, offset) == 1
		return len(v) > 0
	case FieldLACPRate:
		b.LACPRate = bond.LACPRate(p.word(&b.words, f, rateWords, v, offset))
		return len(v) > 0
	case FieldADSelect:
		b.ADSelect = bond.ADSelect(p.word(&b.words, f, selectWords, v, offset))
		return len(v) > 0
	case FieldSystemMAC:
		b.SystemMAC, ok = parseMAC6(v)
	case FieldNoAggregator:
		b.noAggr = p.text(b.noAggr, v, offset)
		return isName(v)
	case FieldPartnerMAC:
		b.Aggregator.PartnerMAC, ok = parseMAC6(v)
	}
	return ok
}

// setSlave sets a field of the slave that is not a number, or not one now. It
// returns false if the value cannot be read.
func (p *parser) setSlave(s *Slave, f Field, v []byte, offset int) (ok bool) {
	switch f {
	case FieldSlaveMIIStatus:
		s.MIIStatus = bond.MIIStatus(p.word(&s.words, f, miiWords, v, offset))
		return len(v) > 0
	case FieldSpeed:
		const unit = " Mbps"
		if string(v) == "Unknown" {
			s.Speed = SpeedUnknown
			return true
		}
		if !bytes.HasSuffix(v, []byte(unit)) {
			return false
		}
		n, ok := parseInt(v[:len(v)-len(unit)])
		if !ok || n == SpeedUnknown {
			return false
		}
		s.Speed = n
		return true
	case FieldDuplex:
		switch string(v) {
		case "full":
			s.Duplex = DuplexFull
		case "half":
			s.Duplex = DuplexHalf
		case "Unknown":
			s.Duplex = DuplexUnknown
		default:
			return false
		}
		return true
	case FieldPermMAC:
		n := len(p.b.arena)
		if p.b.arena, ok = appendMAC(p.b.arena, v); ok {
			s.PermMAC = p.b.arena[n:len(p.b.arena):len(p.b.arena)]
		} else {
			p.b.arena = p.b.arena[:n]
		}
	case FieldSlaveAggregatorID:
		if ok = string(v) == notInAny; ok {
			s.words = append(s.words, word{f, notInAny, offset})
		}
	case FieldActorChurn:
		s.ActorChurn = bond.ChurnState(p.word(&s.words, f, churnWords, v, offset))
		return len(v) > 0
	case FieldPartnerChurn:
		s.PartnerChurn = bond.ChurnState(p.word(&s.words, f, churnWords, v, offset))
		return len(v) > 0
	case FieldActor, FieldPartner:
		return len(v) == 0
	case FieldActorSystemMAC:
		s.Actor.SystemMAC, ok = parseMAC6(v)
	case FieldPartnerSystemMAC:
		s.Partner.SystemMAC, ok = parseMAC6(v)
	}
	return ok
}

// notInAny is what the kernel prints for no aggregator.
const notInAny = "N/A"

// word returns the number of the word v, and keeps the word if it has none.
func (p *parser) word(kept *[]word, f Field, words []string, v []byte, offset int) uint8 {
	n := wordNumber(words, v)
	switch {
	case len(v) == 0:
		return 0
	case n == unknownWord:
		*kept = append(*kept, word{f, p.text("", v, offset), offset})
	}
	return n
}

// isName reports whether the bytes can be the name of an interface
// (dev_valid_name in the kernel's net/core/dev.c, up to 4.3, which takes colons).
func isName(v []byte) bool {
	for _, c := range v {
		if c == '/' || c == ' ' || c >= '\t' && c <= '\r' {
			return false
		}
	}
	return len(v) > 0
}

func (p *parser) setMode(v []byte, offset int) bool {
	b := p.b
	const before = " (fail_over_mac "
	mode := v
	if n := wordNumber(modeWords, v); n == unknownWord {
		if i := bytes.LastIndex(v, []byte(before)); i > 0 && i+len(before) < len(v)-1 && v[len(v)-1] == ')' {
			mode = v[:i]
			at := i + len(before)
			b.FailOverMAC = bond.FailOverMAC(p.word(&b.words, FieldFailOverMAC, fomWords, v[at:len(v)-1], offset+at))
			b.has |= 1 << FieldFailOverMAC
		}
	}
	b.Mode = bond.Mode(p.word(&b.words, FieldMode, modeWords, mode, offset))
	return len(v) > 0
}

func (p *parser) setHash(v []byte, offset int) bool {
	b := p.b
	i := bytes.LastIndexByte(v, '(')
	if i < 2 || v[len(v)-1] != ')' || v[i-1] != ' ' {
		return false
	}
	n, ok := parseInt(v[i+1 : len(v)-1])
	if !ok {
		return false
	}
	if n < 0 || n > unknownWord {
		n = unknownWord
	}
	b.XmitHashPolicy = bond.XmitHashPolicy(n)
	if int(n) >= len(hashWords) || hashWords[n] != string(v[:i-1]) {
		b.words = append(b.words, word{FieldXmitHashPolicy, p.text("", v, offset), offset})
	}
	return true
}

func (p *parser) setPrimary(v []byte, offset int) bool {
	b := p.b
	const before = " (primary_reselect "
	name, at := v, 0
	i := max(bytes.IndexByte(v, ' '), 0) // no name has one
	if len(v)-i > len(before)+1 && string(v[i:i+len(before)]) == before && v[len(v)-1] == ')' {
		name, at = v[:i], i+len(before)
	}
	if !isName(name) {
		return false
	}
	b.Primary = p.text(b.Primary, name, offset)
	if at > 0 {
		b.PrimaryReselect = bond.PrimaryReselect(p.word(&b.words, FieldPrimaryReselect, reselectWords, v[at:len(v)-1], offset+at))
		b.has |= 1 << FieldPrimaryReselect
	}
	return true
}

// nextTarget cuts the first address off a list, and says whether another follows.
func nextTarget(v []byte) (addr, rest []byte, more bool) {
	addr, rest, more = bytes.Cut(v, []byte{','})
	return bytes.TrimRight(addr, " \t"), bytes.TrimLeft(rest, " \t"), more
}

// maxTargets is what the kernel takes in each list.
const maxTargets = 16

func (p *parser) setARPTargets(v []byte) bool {
	list := p.b.ARPTargets[:0]
	for more := len(v) > 0; more; {
		var text []byte
		text, v, more = nextTarget(v)
		a, ok := parseIPv4(text)
		if !ok || len(list) == maxTargets {
			return false
		}
		list = append(list, a)
	}
	p.b.ARPTargets = list
	return true
}

func (p *parser) setNSTargets(v []byte, offset int) bool {
	b := p.b
	old := b.NSTargets[:cap(b.NSTargets)]
	list := b.NSTargets[:0]
	end := offset + len(v)
	for more := len(v) > 0; more; {
		var text []byte
		at := end - len(v)
		text, v, more = nextTarget(v)
		if len(list) == maxTargets {
			return false
		}
		// Only an address that is new here is parsed, because that takes a string.
		if n := len(list); n < len(old) && old[n].IsValid() {
			var buf [64]byte
			if string(appendAddr(buf[:0], old[n])) == string(text) {
				list = append(list, old[n])
				continue
			}
		}
		a, err := netip.ParseAddr(p.text("", text, at))
		if err != nil || !a.Is6() || a.Zone() != "" {
			return false
		}
		list = append(list, a)
	}
	b.NSTargets = list
	return true
}
