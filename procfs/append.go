// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// AppendText appends the text to dst, as the kernel prints it: byte for byte what
// was parsed, if a kernel printed that. Lines are put back in their places. The
// error is always nil.
func (b *Bond) AppendText(dst []byte) ([]byte, error) {
	lines := b.Lines
	// The lines of a slave follow each other.
	next := func(slave int) []Line {
		n := 0
		for n < len(lines) && lines[n].Slave <= slave {
			n++
		}
		own := lines[:n]
		lines = lines[n:]
		return own
	}
	own := next(-1)
	dst = appendLines(dst, own, 0)
	blank := false // one is due after the banner
	for f := FieldDriver; f < FieldSlave; f++ {
		if !b.Has(f) || keys[f] == "" {
			continue
		}
		if blank {
			dst = append(dst, '\n')
		}
		dst = appendField(dst, f, b.appendValue)
		dst = appendLines(dst, own, f)
		blank = f == FieldDriver && !slices.ContainsFunc(own, func(l Line) bool { return l.After == f && l.Blank > 0 })
	}
	for i := range b.Slaves {
		s := &b.Slaves[i]
		own := next(i)
		dst = appendLines(dst, own, 0)
		for f := FieldSlave; f < fieldEnd; f++ {
			g := f
			// Old kernels print the two the other way round.
			if s.queueLast && f == FieldQueueID {
				g = FieldSlaveAggregatorID
			} else if s.queueLast && f == FieldSlaveAggregatorID {
				g = FieldQueueID
			}
			if s.Has(g) {
				dst = appendField(dst, g, s.appendValue)
				dst = appendLines(dst, own, g)
			}
		}
	}
	return dst, nil
}

// MarshalText returns what [Bond.AppendText] appends.
func (b Bond) MarshalText() ([]byte, error) { return b.AppendText(nil) }

// Text returns the value of a field as the kernel prints it, and the empty
// string if the text does not have the field.
func (b *Bond) Text(f Field) string {
	if !b.Has(f) {
		return ""
	}
	return string(b.appendValue(nil, f))
}

// Text returns the value of a field as the kernel prints it, and the empty
// string if the text does not have the field.
func (s *Slave) Text(f Field) string {
	if !s.Has(f) {
		return ""
	}
	return string(s.appendValue(nil, f))
}

// appendLines appends the lines that follow the field.
func appendLines(dst []byte, lines []Line, after Field) []byte {
	for i := range lines {
		if lines[i].After == after {
			for range lines[i].Blank {
				dst = append(dst, '\n')
			}
			dst = append(append(dst, lines[i].Raw...), '\n')
		}
	}
	return dst
}

// appendField appends the line of a field.
func appendField(dst []byte, f Field, value func([]byte, Field) []byte) []byte {
	if f == FieldLACP || f == FieldSlave {
		dst = append(dst, '\n')
	}
	dst = append(dst, f.indent()...)
	dst = append(dst, keys[f]...)
	switch f {
	case FieldLACP, FieldAggregator, FieldActor, FieldPartner:
	case FieldNoAggregator:
		dst = append(value(dst, f), noAggregator...)
	case FieldARPTargets, FieldNSTargets:
		// The kernel prints the blank with the first address.
		n := len(dst)
		dst = value(append(dst, ' '), f)
		if len(dst) == n+1 {
			dst = dst[:n]
		}
	default:
		dst = value(append(dst, ' '), f)
	}
	return append(dst, '\n')
}

func appendInt(dst []byte, n int32) []byte { return strconv.AppendInt(dst, int64(n), 10) }

func appendMs(dst []byte, d time.Duration) []byte {
	return strconv.AppendInt(dst, int64(d/time.Millisecond), 10)
}

func appendAddrs(dst []byte, addrs []netip.Addr) []byte {
	for i, a := range addrs {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendAddr(dst, a)
	}
	return dst
}

// appendName appends the name of a slave, or what the kernel prints for none.
func appendName(dst []byte, name string) []byte {
	if name == "" {
		name = none
	}
	return append(dst, name...)
}

func (b *Bond) appendValue(dst []byte, f Field) []byte {
	text := findWord(b.words, f)
	switch f {
	case FieldDriver:
		return append(dst, b.Driver...)
	case FieldMode:
		dst = append(dst, wordText(modeWords, uint8(b.Mode), text)...)
		if b.Has(FieldFailOverMAC) {
			dst = append(dst, " (fail_over_mac "...)
			dst = append(b.appendValue(dst, FieldFailOverMAC), ')')
		}
	case FieldFailOverMAC:
		return append(dst, wordText(fomWords, uint8(b.FailOverMAC), text)...)
	case FieldXmitHashPolicy:
		if text != "" {
			return append(dst, text...)
		}
		dst = append(dst, wordText(hashWords, uint8(b.XmitHashPolicy), "")...)
		dst = append(dst, " ("...)
		return append(appendInt(dst, int32(b.XmitHashPolicy)), ')')
	case FieldPrimary:
		dst = appendName(dst, b.Primary)
		if b.Has(FieldPrimaryReselect) {
			dst = append(dst, " (primary_reselect "...)
			dst = append(b.appendValue(dst, FieldPrimaryReselect), ')')
		}
	case FieldPrimaryReselect:
		return append(dst, wordText(reselectWords, uint8(b.PrimaryReselect), text)...)
	case FieldActive:
		return appendName(dst, b.Active)
	case FieldMIIStatus:
		return append(dst, wordText(miiWords, uint8(b.MIIStatus), text)...)
	case FieldMIIMon:
		return appendMs(dst, b.MIIMon)
	case FieldUpDelay:
		return appendMs(dst, b.UpDelay)
	case FieldDownDelay:
		return appendMs(dst, b.DownDelay)
	case FieldPeerNotifDelay:
		return appendMs(dst, b.PeerNotifDelay)
	case FieldARPInterval:
		return appendMs(dst, b.ARPInterval)
	case FieldMissedMax:
		return strconv.AppendUint(dst, uint64(b.MissedMax), 10)
	case FieldARPTargets:
		return appendAddrs(dst, b.ARPTargets)
	case FieldNSTargets:
		return appendAddrs(dst, b.NSTargets)
	case FieldLACPActive:
		n := uint8(0)
		if b.LACPActive {
			n = 1
		}
		return append(dst, wordText(activeWords, n, text)...)
	case FieldLACPRate:
		return append(dst, wordText(rateWords, uint8(b.LACPRate), text)...)
	case FieldMinLinks:
		return appendInt(dst, b.MinLinks)
	case FieldADSelect:
		return append(dst, wordText(selectWords, uint8(b.ADSelect), text)...)
	case FieldSystemPriority:
		return appendInt(dst, b.SystemPriority)
	case FieldSystemMAC:
		return appendMACText(dst, b.SystemMAC[:])
	case FieldNoAggregator:
		return append(dst, b.noAggr...)
	case FieldAggregatorID:
		return appendInt(dst, b.Aggregator.ID)
	case FieldPorts:
		return appendInt(dst, b.Aggregator.Ports)
	case FieldActorKey:
		return appendInt(dst, b.Aggregator.ActorKey)
	case FieldPartnerKey:
		return appendInt(dst, b.Aggregator.PartnerKey)
	case FieldPartnerMAC:
		return appendMACText(dst, b.Aggregator.PartnerMAC[:])
	}
	return dst
}

func (s *Slave) appendValue(dst []byte, f Field) []byte {
	text := findWord(s.words, f)
	switch f {
	case FieldSlave:
		return append(dst, s.Name...)
	case FieldSlaveMIIStatus:
		return append(dst, wordText(miiWords, uint8(s.MIIStatus), text)...)
	case FieldSpeed:
		if s.Speed == SpeedUnknown {
			return append(dst, "Unknown"...)
		}
		return append(appendInt(dst, s.Speed), " Mbps"...)
	case FieldDuplex:
		if s.Duplex == DuplexUnknown {
			return append(dst, "Unknown"...)
		}
		return append(dst, s.Duplex.String()...)
	case FieldLinkFailures:
		return strconv.AppendUint(dst, uint64(s.LinkFailures), 10)
	case FieldPermMAC:
		return appendMACText(dst, s.PermMAC)
	case FieldQueueID:
		return appendInt(dst, s.QueueID)
	case FieldSlaveAggregatorID:
		if text != "" {
			return append(dst, text...)
		}
		return appendInt(dst, s.AggregatorID)
	case FieldActorChurn:
		return append(dst, wordText(churnWords, uint8(s.ActorChurn), text)...)
	case FieldPartnerChurn:
		return append(dst, wordText(churnWords, uint8(s.PartnerChurn), text)...)
	case FieldActorChurned:
		return appendInt(dst, s.ActorChurned)
	case FieldPartnerChurned:
		return appendInt(dst, s.PartnerChurned)
	}
	if f >= FieldPartner {
		return s.Partner.appendValue(dst, f-FieldPartner+FieldActor)
	}
	return s.Actor.appendValue(dst, f)
}

// appendValue appends a field, named as that of the actor.
func (l *LACPPort) appendValue(dst []byte, f Field) []byte {
	switch f {
	case FieldActorSystemPriority:
		return appendInt(dst, l.SystemPriority)
	case FieldActorSystemMAC:
		return appendMACText(dst, l.SystemMAC[:])
	case FieldActorPortKey:
		return appendInt(dst, l.Key)
	case FieldActorPortPriority:
		return appendInt(dst, l.PortPriority)
	case FieldActorPortNumber:
		return appendInt(dst, l.PortNumber)
	case FieldActorPortState:
		return strconv.AppendUint(dst, uint64(l.PortState), 10)
	}
	return dst
}
