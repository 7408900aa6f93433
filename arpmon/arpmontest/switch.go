// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// DefaultAgeing is how long a new switch remembers where an address is.
const DefaultAgeing = 300 * time.Second

// A Switch forwards frames to the port where it last saw their destination,
// and to all other ports where it does not know it or it is a group address.
type Switch struct {
	// Ageing is how long an address is remembered after its last frame.
	Ageing time.Duration
	// VLANAware makes the switch look at VLAN tags, as the [Port] says. A
	// switch that is not passes tags on as it got them, with one table for
	// all.
	VLANAware bool

	net   *Network
	name  string
	ports []*Port
	at    map[*Link]*Port
	fdb   map[fdbKey]fdbEntry
	rules []*Rule
}

// A Port is where a link ends at a switch. Its fields may be changed at any
// time.
type Port struct {
	// PVID is the VLAN of untagged frames, in both directions. It is 1 at
	// first, and 0 lets no untagged frame pass.
	PVID uint16
	// Tagged are the VLANs whose frames have tags on this port, besides PVID.
	Tagged []uint16
	// Isolated keeps frames from other isolated ports of the switch away.
	Isolated bool

	link *Link
	out  *Wire
}

// A Rule drops frames inside a switch, see [Switch.Drop].
type Rule struct {
	// Count is how many frames it dropped.
	Count uint64

	in, out *Link
	match   func([]byte) bool
	sw      *Switch
}

type fdbKey struct {
	mac  arpmon.MAC
	vlan uint16
}

type fdbEntry struct {
	port *Port
	seen int64
}

// AddSwitch adds a switch without ports; [Network.Connect] adds them.
func (n *Network) AddSwitch(name string) *Switch {
	s := &Switch{Ageing: DefaultAgeing, net: n, name: name, at: map[*Link]*Port{}, fdb: map[fdbKey]fdbEntry{}}
	n.add(s)
	return s
}

// Name returns the switch's name.
func (s *Switch) Name() string { return s.name }

// Port returns the port at which a link ends, or nil.
func (s *Switch) Port(l *Link) *Port { return s.at[l] }

// Drop makes the switch drop frames that come in from one link and go out on
// another, where a nil link means any, if match says so, where nil means all.
// Addresses are learned from frames that are dropped. It works until
// [Rule.Remove].
func (s *Switch) Drop(in, out *Link, match func(frame []byte) bool) *Rule {
	r := &Rule{in: in, out: out, match: match, sw: s}
	s.rules = append(s.rules, r)
	return r
}

// Remove ends the rule.
func (r *Rule) Remove() {
	r.sw.rules = slices.DeleteFunc(r.sw.rules, func(o *Rule) bool { return o == r })
}

// Lookup returns the link behind which the switch believes an address to be, or
// nil. The VLAN is that of a VLANAware switch, else 0.
func (s *Switch) Lookup(mac arpmon.MAC, vlan uint16) *Link {
	if e, ok := s.fdb[fdbKey{mac, vlan}]; ok && s.net.now-e.seen <= int64(s.Ageing) {
		return e.port.link
	}
	return nil
}

// Flush makes the switch forget all addresses.
func (s *Switch) Flush() { clear(s.fdb) }

func (s *Switch) attach(l *Link) {
	p := &Port{PVID: 1, link: l, out: l.From(s)}
	s.ports = append(s.ports, p)
	s.at[l] = p
}

func (s *Switch) carrier(l *Link) {
	if l.up {
		return
	}
	for k, e := range s.fdb {
		if e.port.link == l {
			delete(s.fdb, k)
		}
	}
}

func (s *Switch) receive(l *Link, f frame) {
	if f.hops++; f.hops > maxHops {
		s.net.Looped++
		return
	}
	if len(f.b) < 14 {
		return
	}
	in := s.at[l]
	var vlan uint16
	if s.VLANAware {
		id, tagged := vlanOf(f.b)
		if tagged && id != 0 {
			vlan = id
			if !slices.Contains(in.Tagged, id) && id != in.PVID {
				return
			}
		} else if vlan = in.PVID; vlan == 0 {
			return
		}
	}
	if src := arpmon.MAC(f.b[6:12]); src[0]&1 == 0 {
		s.fdb[fdbKey{src, vlan}] = fdbEntry{in, s.net.now}
	}
	if dst := arpmon.MAC(f.b[:6]); dst[0]&1 == 0 {
		if e, ok := s.fdb[fdbKey{dst, vlan}]; ok && s.net.now-e.seen <= int64(s.Ageing) {
			s.forward(in, e.port, vlan, f)
			return
		}
	}
	for _, out := range s.ports {
		s.forward(in, out, vlan, f)
	}
}

// forward sends a frame out of a port, if it may go there.
func (s *Switch) forward(in, out *Port, vlan uint16, f frame) {
	if in == out || in.Isolated && out.Isolated {
		return
	}
	for _, r := range s.rules {
		if (r.in == nil || r.in == in.link) && (r.out == nil || r.out == out.link) && (r.match == nil || r.match(f.b)) {
			r.Count++
			return
		}
	}
	if s.VLANAware {
		_, tagged := vlanOf(f.b)
		switch {
		case vlan == out.PVID:
			if tagged {
				f.b = untag(f.b)
			}
		case !slices.Contains(out.Tagged, vlan):
			return
		case !tagged:
			f.b = addTag(f.b, arpmon.VLAN{TPID: 0x8100, ID: vlan})
		}
	}
	out.out.send(f)
}

// vlanOf returns the identifier in the outer tag of a frame.
func vlanOf(b []byte) (id uint16, tagged bool) {
	if len(b) < 18 || binary.BigEndian.Uint16(b[12:]) != 0x8100 {
		return 0, false
	}
	return binary.BigEndian.Uint16(b[14:]) & 0xfff, true
}
