// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net"
	"slices"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// derivedMAC computes a locally administered unicast address for the probes of
// a slave. The machine's identity is the key, so that the address does not
// give it away, as machine-id(5) asks.
func derivedMAC(machine, slave string, counter uint32) MAC {
	h := hmac.New(sha256.New, []byte(machine))
	h.Write([]byte("arpmon probe address\x00" + slave + "\x00"))
	h.Write(binary.BigEndian.AppendUint32(nil, counter))
	m := MAC(h.Sum(nil)[:6])
	m[0] = m[0]&^1 | 2
	return m
}

// toMAC returns an Ethernet address as a value, and zero for anything else.
func toMAC(a net.HardwareAddr) MAC {
	if len(a) != len(MAC{}) {
		return MAC{}
	}
	return MAC(a)
}

// unicast reports whether an address can be that of one interface.
func (m MAC) unicast() bool { return m != MAC{} && m.key()&macMulticast == 0 }

// macUses counts how often an address is in use in a namespace.
type macUses struct {
	current int // as the present address of a link
	perm    int // as a permanent address of a link, the one it may go back to
}

// macTable counts the addresses of all links.
type macTable map[MAC]macUses

func (t macTable) count(m MAC, current, perm int) {
	if m == (MAC{}) {
		return
	}
	u := t[m]
	u.current += current
	u.perm += perm
	if u == (macUses{}) {
		delete(t, m)
		return
	}
	t[m] = u
}

// choose returns who the probes of a slave are to be from, by the policy, or why
// they must not leave.
func (p *planner) choose(i int) (MAC, error) {
	s := &p.slaves[i]
	l, there := p.links[s.index]
	if !there {
		return s.mac, nil // nothing leaves, and the address stays reserved
	}
	var m MAC
	switch p.policy {
	case IdentityDevice:
		m = toMAC(l.MAC)
	case IdentityExplicit:
		m = p.macs[i]
	case IdentityAuto:
		return p.automatic(i, &l), p.senderSafe(i, MAC{})
	}
	if err := p.addressSafe(i, m, &l); err != nil {
		return m, err
	}
	return m, p.senderSafe(i, m)
}

// automatic returns an address that nobody else in the namespace has: the one in
// use as long as that is so, else a permanent one of the slave, else a computed
// one. An address that the slave itself has now is not good enough: it
// becomes the bond's when the slave becomes active.
func (p *planner) automatic(i int, l *rtnl.Link) MAC {
	s := &p.slaves[i]
	if s.mac.unicast() && p.free(i, s.mac, l) {
		return s.mac
	}
	for _, m := range permMACs(l) {
		if m.unicast() && p.free(i, m, l) {
			return m
		}
	}
	for counter := uint32(0); ; counter++ {
		if m := derivedMAC(p.machine, s.config, counter); p.free(i, m, l) {
			return m
		}
	}
}

// free reports whether nobody but slave i uses an address: not as its present
// one, not as a permanent one, not for its probes.
func (p *planner) free(i int, m MAC, l *rtnl.Link) bool {
	u := p.table[m]
	for _, own := range permMACs(l) {
		if own == m {
			u.perm--
		}
	}
	return u.current == 0 && u.perm <= 0 && !p.probed(i, m)
}

// probed reports whether another slave than i probes from an address.
func (p *planner) probed(i int, m MAC) bool {
	for j := range p.slaves {
		if j != i && p.slaves[j].mac == m && p.policy == IdentityAuto {
			return true
		}
	}
	return false
}

// addressSafe says whether probes of a slave may be from a given address. That of
// its own interface is safe where the interface carries the traffic of all who
// have it, and any other where nobody has it.
func (p *planner) addressSafe(i int, m MAC, l *rtnl.Link) error {
	s := &p.slaves[i]
	unsafe := func(hint string) error {
		return &Error{Op: "open", Slave: s.name, Field: "Identity", Value: m.String(), Err: ErrUnsafeIdentity, Hint: hint}
	}
	if !m.unicast() {
		return unsafe("the interface has no unicast address")
	}
	if m == toMAC(l.MAC) && p.isActive(i, l) {
		return nil
	}
	if m != toMAC(l.MAC) && p.free(i, m, l) {
		return nil
	}
	for _, index := range slices.Sorted(maps.Keys(p.links)) {
		o := p.links[index]
		if index == l.Index || p.above(&o, l.Index) {
			continue
		}
		if toMAC(o.MAC) == m {
			return unsafe("it is the address of " + o.Name + ", and " + s.name + " is not the active slave; use the identity auto")
		}
		if perm := permMACs(&o); m != toMAC(l.MAC) && (perm[0] == m || perm[1] == m) {
			return unsafe("it is the permanent address of " + o.Name + "; use the identity auto")
		}
	}
	return nil
}

// above reports whether a link stands on another one of this namespace, as a VLAN does, so
// that its frames leave there.
func (p *planner) above(l *rtnl.Link, index int) bool {
	for range 8 { // links can be stacked eight deep (MAX_NEST_DEV)
		if l.Parent == 0 || l.HasParentNetNS {
			return false
		}
		if l.Parent == index {
			return true
		}
		next, ok := p.links[l.Parent]
		if !ok {
			return false
		}
		l = &next
	}
	return false
}

// senderSafe says whether probes of a slave may be from the sender address: not
// where it is one of this host's, unless the probes come from the MAC address
// that it is reached at. The zero MAC is that of nobody.
func (p *planner) senderSafe(i int, m MAC) error {
	if !p.sender.IsValid() || p.sender.IsUnspecified() {
		return nil
	}
	for _, a := range p.addrs {
		if a.Addr != p.sender {
			continue
		}
		if l, ok := p.links[a.Link]; ok && m != (MAC{}) && toMAC(l.MAC) == m {
			continue
		}
		return &Error{
			Op: "open", Slave: p.slaves[i].name, Field: "Sender", Value: p.sender.String(), Err: ErrUnsafeIdentity,
			Hint: "it is an address of " + p.links[a.Link].Name + ", which has another MAC address",
		}
	}
	return nil
}
