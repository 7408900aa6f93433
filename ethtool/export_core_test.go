// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import "context"

// Lane is a lane with what closes it.
type Lane struct {
	l      *lane
	closed chan struct{}
}

// NewLane makes a lane whose calls wake ends.
func NewLane(wake func()) *Lane {
	closed := make(chan struct{})
	return &Lane{newLane(closed, wake), closed}
}

// Do calls f when it is its turn.
func (l *Lane) Do(ctx context.Context, f func() (int, error)) (int, error) {
	return laneDo(ctx, l.l, f)
}

// Close lets no further call through, and calls f after the last.
func (l *Lane) Close(f func()) {
	close(l.closed)
	l.l.finish(f)
}

// Abandon is what somebody does who no longer waits for the call of that number, which
// are odd.
func (l *Lane) Abandon(number uint64) { l.l.abandon(number) }

// FamilyInfo is what is known of a family.
type FamilyInfo struct {
	ID      uint16
	Version uint8
	Ops     map[uint8]uint32
	Groups  map[string]uint32
}

// ParseFamily reads the answer to a request for a family.
func ParseFamily(b []byte) (*FamilyInfo, error) {
	f, err := parseFamily(b)
	if err != nil {
		return nil, err
	}
	return &FamilyInfo{f.id, f.version, f.ops, f.groups}, nil
}

// BitsetInfo is a bit set.
type BitsetInfo struct {
	Size   int
	NoMask bool
	Bits   []BitInfo
}

// BitInfo is one bit of it.
type BitInfo struct {
	Index int
	Name  string
	On    bool
}

// ParsePrivFlags reads an answer with private flags.
func ParsePrivFlags(b []byte) (Link, BitsetInfo, error) {
	l, s, err := parsePrivFlags(b)
	if err != nil {
		return l, BitsetInfo{}, err
	}
	info := BitsetInfo{Size: s.size, NoMask: s.noMask}
	for _, b := range s.bits {
		info.Bits = append(info.Bits, BitInfo{b.index, b.name, b.on})
	}
	return l, info, nil
}

// BitsetFlags makes Flags of a bit set and names.
func BitsetFlags(b []byte, names map[int]string) (Flags, error) {
	s, err := parseBitset(b)
	if err != nil {
		return nil, err
	}
	return s.withNames(names), nil
}

// ParseStrings reads one set of strings.
func ParseStrings(b []byte, id uint32) (map[int]string, error) { return parseStrings(b, id) }

// FlagSetRequest is the request that sets a flag, without its header.
func FlagSetRequest(link Link, name string, on bool) []byte {
	return appendNested(ethtoolHeader(privFlagsHeader, link), privFlagsFlags, oneBit(name, on))
}

// DidYouMean is the hint about an unknown flag.
func DidYouMean(name string, flags Flags) string { return didYouMean(name, flags) }

// LinkFlags are the flags of an interface in AllFlags.
type LinkFlags struct {
	Link  Link
	Flags Flags
}

// AllFlags reads the flags of all interfaces by one dump.
func (c *Client) AllFlags(ctx context.Context) ([]LinkFlags, error) {
	all, err := c.allFlags(ctx)
	var out []LinkFlags
	for _, f := range all {
		out = append(out, LinkFlags{f.link, f.flags})
	}
	return out, err
}
