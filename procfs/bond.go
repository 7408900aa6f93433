// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// Bond is what a file of /proc/net/bonding says. The zero Bond is ready to parse
// into. Parsing into one again reuses its memory, slices included.
//
// A field that the text does not have is zero, which means nothing: ask Has. A
// word that is not known here gives the field a number without a word, and Text the word.
type Bond struct {
	// Name is the name of the bond, which is not in the text: the readers of
	// this package set it from the name of the file, and parsing from the line
	// "has no active aggregator" where there is one.
	Name string

	// Driver is what follows "Ethernet Channel Bonding Driver: ": a version and
	// a date up to kernel 5.6, then the letter v and the kernel's release. Vendors print other things.
	Driver string
	// Mode is the mode.
	Mode bond.Mode
	// FailOverMAC is printed in active-backup only, and only if it is not none.
	FailOverMAC bond.FailOverMAC
	// XmitHashPolicy is printed in balance-xor and 802.3ad, and in balance-tlb
	// without dynamic balancing.
	XmitHashPolicy bond.XmitHashPolicy
	// Primary is the name of the primary slave, empty for none. A primary that
	// is not a slave of the bond now is printed as none.
	Primary string
	// PrimaryReselect is printed where there is a primary, since about 2.6.33.
	PrimaryReselect bond.PrimaryReselect
	// Active is the name of the active slave, empty for none; see [Bond.Ambiguous].
	Active string
	// MIIStatus says whether the bond has a carrier: up or down.
	MIIStatus bond.MIIStatus
	// MIIMon, UpDelay and DownDelay are the times of the MII monitor.
	MIIMon, UpDelay, DownDelay time.Duration
	// PeerNotifDelay is printed since 5.3.
	PeerNotifDelay time.Duration
	// ARPInterval and the three that follow are printed while it is not 0.
	ARPInterval time.Duration
	// MissedMax is printed since 5.17.
	MissedMax uint32
	// ARPTargets are IPv4 addresses. An empty list is printed too.
	ARPTargets []netip.Addr
	// NSTargets are IPv6 addresses, printed since 5.19 or so.
	NSTargets []netip.Addr

	// LACPActive and what follows are printed in 802.3ad. It is printed since 5.15.
	LACPActive bool
	LACPRate   bond.LACPRate
	// MinLinks is printed since 3.10 at the latest.
	MinLinks int32
	ADSelect bond.ADSelect
	// SystemPriority, SystemMAC and Aggregator are, since 4.2, printed only for
	// readers with CAP_NET_ADMIN; see [Bond.Privileged].
	SystemPriority int32
	SystemMAC      [6]byte
	// Aggregator is the active aggregator. FieldNoAggregator is set instead of
	// FieldAggregator where there is none.
	Aggregator Aggregator

	// Slaves are the slaves in the order of the text.
	Slaves []Slave

	// Lines are the lines that are no field, in the order of the text: those
	// that are not known here, and those that are damaged. What follows the 4096th of them, the
	// 4096th slave or the banner of another bond is one Line.
	Lines []Line
	// Problems are the places where the text is not as a kernel prints it. Lines that are not known here are no
	// problem by themselves.
	Problems []*SyntaxError
	// MoreProblems is the number of further problems that are not listed.
	MoreProblems int
	// Torn says that the file changed while it was read, so that slaves may be
	// missing or twice. Readers set it.
	Torn bool

	has    fieldSet
	words  []word
	noAggr string // the name in the line "has no active aggregator"
	// nameInText: Name is from there.
	nameInText bool
	arena      []byte // of the hardware addresses of the slaves
	held       int    // bytes of the copies of texts that its strings may be parts of
}

// Aggregator is the active aggregator of an 802.3ad bond.
type Aggregator struct {
	ID, Ports, ActorKey, PartnerKey int32
	// PartnerMAC is the LACP system MAC address of the partner, zero for none.
	PartnerMAC [6]byte
}

// Slave is what the text says about a slave.
type Slave struct {
	// Name is the name of the interface, any bytes except slash and white space, and since kernel
	// 4.4 no colon. It is empty, and Has(FieldSlave) false, if the line cannot be read.
	Name      string
	MIIStatus bond.MIIStatus
	// Speed is in Mbit/s, [SpeedUnknown] if the text says so.
	Speed  int32
	Duplex Duplex
	// LinkFailures counts the times that the link went down.
	LinkFailures uint32
	// PermMAC is the hardware address that the interface had before it became a
	// slave, of 0 to 32 bytes. Kernels up to 4.9 or so always print 6. It
	// belongs to the Bond.
	PermMAC net.HardwareAddr
	// QueueID is printed since 2.6.36.
	QueueID int32
	// AggregatorID is the aggregator it is in. It is 0 where the text has N/A,
	// for none.
	AggregatorID int32
	// ActorChurn and what follows are printed since 4.1, for slaves that have an
	// aggregator.
	ActorChurn, PartnerChurn     bond.ChurnState
	ActorChurned, PartnerChurned int32
	// Actor and Partner are what both ends say in LACP. They are printed for
	// readers with CAP_NET_ADMIN only.
	Actor, Partner LACPPort

	has   fieldSet
	words []word
	at    int // where it begins in the text
	// queueLast: the queue ID stands after the aggregator ID, as up to 4.0.
	queueLast bool
}

// LACPPort is one end of a link as LACP describes it.
type LACPPort struct {
	SystemPriority int32
	SystemMAC      [6]byte
	// Key is the "port key" of the actor and the "oper key" of the partner.
	Key          int32
	PortPriority int32
	PortNumber   int32
	PortState    bond.PortState
}

// SpeedUnknown is the Speed of a slave whose driver does not know it.
const SpeedUnknown = -1

// Duplex is the duplex mode of a slave. The zero Duplex is unknown.
type Duplex uint8

// The duplex modes.
const (
	DuplexUnknown Duplex = iota
	DuplexHalf
	DuplexFull
)

// String returns unknown, half or full.
func (d Duplex) String() string {
	switch d {
	case DuplexHalf:
		return "half"
	case DuplexFull:
		return "full"
	case DuplexUnknown:
	}
	return "unknown"
}

// Line is a line that is no field: unknown, or damaged.
type Line struct {
	// Section is where it stands, and Slave the index of the slave whose section it is, or -1.
	Section Section
	Slave   int
	// After is the last field before it in its section, 0 for none.
	After Field
	// Number is the line's number, from 1, and Blank the number of empty lines before
	// it.
	Number, Blank int
	// Key and Value are what stands before and after the first colon, without
	// blanks around. Without a colon all is Key.
	Key, Value string
	// Raw is the line, or several, without the last newline.
	Raw string
}

// word is a text that has no number, or not the usual one.
type word struct {
	field Field
	text  string
	at    int // where it begins in the text that was parsed
}

// Has reports whether the text has the field.
func (b *Bond) Has(f Field) bool { return b.has.has(f) }

// Has reports whether the text has the field.
func (s *Slave) Has(f Field) bool { return s.has.has(f) }

// Privileged reports whether the reader of the file had CAP_NET_ADMIN in the
// initial user namespace, as far as one can see: an 802.3ad bond then shows
// more. ok is false where that makes no difference: in other modes, and in the text
// of kernels before 4.2.
func (b *Bond) Privileged() (privileged, ok bool) {
	switch {
	case b.Has(FieldSystemPriority):
		return true, true
	case !b.Has(FieldLACP), b.Has(FieldAggregator), b.Has(FieldNoAggregator):
		return false, false
	}
	return false, true
}

// Ambiguous reports whether the text cannot be understood for certain. That
// is so for FieldActive and FieldPrimary where the text says None and a slave
// is called None. Active is then "None", Primary empty.
func (b *Bond) Ambiguous(f Field) bool {
	switch f {
	case FieldActive:
		return b.Has(f) && b.Active == none
	case FieldPrimary:
		return b.Has(f) && b.Primary == "" && b.Slave(none) != nil
	default:
		return false
	}
}

// none is what the kernel prints for no slave.
const none = "None"

// Slave returns the first slave of the name, nil if there is none. It points
// into Slaves.
func (b *Bond) Slave(name string) *Slave {
	for i := range b.Slaves {
		if b.Slaves[i].Name == name && name != "" {
			return &b.Slaves[i]
		}
	}
	return nil
}

// InActiveAggregator reports whether the slave is in the active aggregator of
// the bond. ok is false where the text does not say.
func (b *Bond) InActiveAggregator(s *Slave) (in, ok bool) {
	if !b.Has(FieldAggregatorID) || !s.Has(FieldSlaveAggregatorID) {
		return false, b.Has(FieldNoAggregator)
	}
	return s.AggregatorID == b.Aggregator.ID && s.word(FieldSlaveAggregatorID) == "", true
}

// Clone returns a copy that shares no memory with b but that of strings, and stays as it is
// when b is parsed into again.
func (b *Bond) Clone() *Bond {
	c := *b
	c.ARPTargets, c.NSTargets = slices.Clone(b.ARPTargets), slices.Clone(b.NSTargets)
	c.Slaves, c.Lines, c.Problems = slices.Clone(b.Slaves), slices.Clone(b.Lines), slices.Clone(b.Problems)
	c.words, c.arena = slices.Clone(b.words), nil
	for i := range c.Slaves {
		s := &c.Slaves[i]
		s.PermMAC, s.words = slices.Clone(s.PermMAC), slices.Clone(s.words)
	}
	for i, e := range c.Problems {
		c.Problems[i] = new(*e)
	}
	return &c
}

func (s *Slave) word(f Field) string { return findWord(s.words, f) }

func findWord(words []word, f Field) string {
	for _, w := range words {
		if w.field == f {
			return w.text
		}
	}
	return ""
}
