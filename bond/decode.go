// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
)

// Decode reads the body of an RTM_NEWLINK or RTM_DELLINK message: struct
// ifinfomsg and attributes, without the netlink header. It replaces everything
// in l, keeps no reference to body, and does not allocate where l has been decoded into
// before and the strings are the same. Whether the message is about a link or
// about a port of a bridge (AF_BRIDGE, the first byte), it does not look at.
//
// The name is kept as it is, whatever its bytes are. An error matches
// [ErrMalformed] and leaves l zero.
func (l *LinkInfo) Decode(body []byte) error {
	var p decParts
	if err := l.decode(body, &p); err != nil {
		l.reset()
		return err
	}
	return nil
}

// Decode reads the body of an RTM_NEWLINK or RTM_DELLINK message about a bond:
// struct ifinfomsg and attributes, without the netlink header. It replaces
// everything in b and keeps no reference to body. Decoding into the same Bond
// again does not allocate, unless there is more than before.
//
// Active and Primary have an index and no name. Attributes that are longer than
// known here are accepted. The error matches [ErrNotBond] where the interface
// is none, and [ErrMalformed] where the message cannot be read; then b is zero.
func (b *Bond) Decode(body []byte) error {
	*b = Bond{
		LinkInfo: b.LinkInfo, ARPTargets: b.ARPTargets[:0], NSTargets: b.NSTargets[:0],
		Unknown: b.Unknown[:0], arena: b.arena[:0],
	}
	var p decParts
	err := b.LinkInfo.decode(body, &p)
	switch {
	case err != nil:
	case string(p.kind) != kindBond:
		err = &Error{Op: "decode", Link: b.Link.String(), Err: ErrNotBond}
	default:
		err = b.decodeData(p.data)
	}
	if err != nil {
		b.LinkInfo.reset()
		*b = Bond{
			LinkInfo: b.LinkInfo, ARPTargets: b.ARPTargets[:0], NSTargets: b.NSTargets[:0],
			Unknown: b.Unknown[:0], arena: b.arena[:0],
		}
	}
	return err
}

// Decode reads the body of an RTM_NEWLINK or RTM_DELLINK message about a slave of
// a bond; see [Bond.Decode]. The error matches [ErrNotSlave] where the interface
// is none, and [ErrMalformed] where the message cannot be read; then s is zero.
func (s *Slave) Decode(body []byte) error {
	*s = Slave{LinkInfo: s.LinkInfo, PermMAC: s.PermMAC[:0], Unknown: s.Unknown[:0], arena: s.arena[:0]}
	var p decParts
	err := s.LinkInfo.decode(body, &p)
	switch {
	case err != nil:
	case string(p.slaveKind) != kindBond || p.slaveData == nil:
		err = &Error{Op: "decode", Link: s.Link.String(), Err: ErrNotSlave}
	default:
		err = s.decodeData(p.slaveData)
	}
	if err != nil {
		s.LinkInfo.reset()
		*s = Slave{LinkInfo: s.LinkInfo, PermMAC: s.PermMAC[:0], Unknown: s.Unknown[:0], arena: s.arena[:0]}
	}
	return err
}

// decParts are the parts of IFLA_LINKINFO, nil where they are absent. They are
// parts of the message.
type decParts struct {
	kind, data           []byte
	slaveKind, slaveData []byte
}

// decMalformed returns the error of an attribute that cannot be read, with opt 0
// where that is none of an option.
func decMalformed(opt Option) error {
	return &Error{Op: "decode", Option: opt, Err: ErrMalformed}
}

// reset makes l zero and keeps its memory.
func (l *LinkInfo) reset() { *l = LinkInfo{MAC: l.MAC[:0]} }

// decode sets everything in l, and p to where the rest is. On an error l is
// in between.
func (l *LinkInfo) decode(body []byte, p *decParts) error {
	if len(body) < ifInfoLen {
		return decMalformed(0)
	}
	l.Type = binary.NativeEndian.Uint16(body[2:])
	l.Index = attrIndex(body[4:])
	l.Flags = binary.NativeEndian.Uint32(body[8:])
	l.Master, l.MTU, l.OperState, l.Carrier, l.TxQueues = 0, 0, 0, false, 0
	l.MAC = l.MAC[:0]

	var name []byte
	for rest := body[ifInfoLen:]; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			return decMalformed(0)
		}
		switch typ & attrTypeMask {
		case iflaAddress:
			l.MAC = append(l.MAC[:0], val...)
		case iflaIfName:
			name = decString(val)
		case iflaMTU:
			if len(val) < 4 {
				return decMalformed(0)
			}
			l.MTU = int(binary.NativeEndian.Uint32(val))
		case iflaMaster:
			if len(val) < 4 {
				return decMalformed(0)
			}
			l.Master = attrIndex(val)
		case iflaOperState:
			if len(val) < 1 {
				return decMalformed(0)
			}
			l.OperState = OperState(val[0])
		case iflaCarrier:
			if len(val) < 1 {
				return decMalformed(0)
			}
			l.Carrier = val[0] != 0
		case iflaNumTxQueues:
			if len(val) < 4 {
				return decMalformed(0)
			}
			l.TxQueues = int(binary.NativeEndian.Uint32(val))
		case iflaLinkInfo:
			if err := p.decode(val); err != nil {
				return err
			}
		}
	}
	// Drivers that do not touch the carrier leave it on while they are down.
	l.Carrier = l.Carrier && l.Up()

	// Comparing a string with bytes does not allocate, and names seldom change.
	if l.Name != string(name) {
		l.Name = string(name)
	}
	if l.Kind != string(p.kind) {
		l.Kind = decKind(p.kind)
	}
	if l.MasterKind != string(p.slaveKind) {
		l.MasterKind = decKind(p.slaveKind)
	}
	return nil
}

// decode finds the parts of IFLA_LINKINFO. They may come in any order.
func (p *decParts) decode(info []byte) error {
	*p = decParts{}
	for rest := info; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			return decMalformed(0)
		}
		switch typ & attrTypeMask {
		case iflaInfoKind:
			p.kind = decString(val)
		case iflaInfoData:
			p.data = val
		case iflaInfoSlaveKind:
			p.slaveKind = decString(val)
		case iflaInfoSlaveData:
			p.slaveData = val
		}
	}
	return nil
}

// decString returns what is before the first NUL.
func decString(val []byte) []byte {
	s, _, _ := bytes.Cut(val, []byte{0})
	return s
}

// decKind returns the string without allocating for the kinds met most.
func decKind(kind []byte) string {
	switch string(kind) {
	case kindBond:
		return kindBond
	case "bridge":
		return "bridge"
	case "veth":
		return "veth"
	}
	return string(kind)
}

// decodeData reads IFLA_INFO_DATA of a bond.
func (b *Bond) decodeData(data []byte) error {
	for rest := data; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			return decMalformed(0)
		}
		t := typ & attrTypeMask
		var row *OptionInfo
		if t < uint16(slaveOption) {
			row = optionRow[t]
		}
		if row == nil {
			b.Unknown, b.arena = decUnknown(b.Unknown, b.arena, typ, val)
			continue
		}
		if len(val) < row.Size {
			return decMalformed(row.Option)
		}
		switch row.Option {
		case OptionActiveSlave:
			b.Active = Link{Index: attrIndex(val)}
		case OptionPrimary:
			b.Primary = Link{Index: attrIndex(val)}
		case OptionARPTargets:
			b.ARPTargets, ok = decTargets(b.ARPTargets[:0], val, 4, true)
		case OptionNSTargets:
			b.NSTargets, ok = decTargets(b.NSTargets[:0], val, 16, true)
		case OptionADActorSystem:
			copy(b.ADActorSystem[:], val)
		case OptionADInfo:
			ok = b.AD.decode(val)
		default:
			b.setRaw(row.Option, attrNumber(row, val))
		}
		if !ok {
			return decMalformed(row.Option)
		}
		b.has |= 1 << row.Option
	}
	return nil
}

// decodeData reads IFLA_INFO_SLAVE_DATA of a slave of a bond.
func (s *Slave) decodeData(data []byte) error {
	for rest := data; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			return decMalformed(0)
		}
		t := typ & attrTypeMask
		var row *OptionInfo
		if t < uint16(slaveOption) {
			row = optionRow[uint16(slaveOption)+t]
		}
		if row == nil {
			s.Unknown, s.arena = decUnknown(s.Unknown, s.arena, typ, val)
			continue
		}
		if len(val) < row.Size {
			return decMalformed(row.Option)
		}
		if row.Option == OptionPermMAC {
			s.PermMAC = append(s.PermMAC[:0], val...)
		} else {
			s.setRaw(row.Option, attrNumber(row, val))
		}
		s.has |= 1 << (row.Option - slaveOption)
	}
	return nil
}

// decUnknown keeps a copy of an attribute, its value in the arena. Values copied
// before stay where they are when the arena moves.
func decUnknown(unknown []Attr, arena []byte, typ uint16, val []byte) ([]Attr, []byte) {
	start := len(arena)
	arena = append(arena, val...)
	return append(unknown, Attr{Type: typ, Data: arena[start:len(arena):len(arena)]}), arena
}

// decode reads IFLA_BOND_AD_INFO. What it does not know in there it skips.
func (a *ADInfo) decode(data []byte) bool {
	*a = ADInfo{}
	for rest := data; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			return false
		}
		switch t := typ & attrTypeMask; t {
		case iflaADAggregator, iflaADNumPorts, iflaADActorKey, iflaADPartnerKey:
			if len(val) < 2 {
				return false
			}
			v := binary.NativeEndian.Uint16(val)
			switch t {
			case iflaADAggregator:
				a.AggregatorID = v
			case iflaADNumPorts:
				a.Ports = v
			case iflaADActorKey:
				a.ActorKey = v
			default:
				a.PartnerKey = v
			}
		case iflaADPartnerMAC:
			if copy(a.PartnerMAC[:], val) < len(a.PartnerMAC) {
				return false
			}
		}
	}
	return true
}

// decTargets appends the addresses of a list, each of exactly size bytes. The type
// of an entry is its place in the list of the kernel, which dumps them
// in order; in a request the kernel goes by the order of the entries and does not look
// at their types. So dumps are sorted where they have to be, and requests are not.
func decTargets(targets []netip.Addr, list []byte, size int, dump bool) (_ []netip.Addr, ok bool) {
	last, sorted := uint16(0), true
	for rest := list; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		if typ, val, rest, ok = attrNext(rest); !ok || len(val) != size {
			return targets[:0], false
		}
		t := typ & attrTypeMask
		sorted = sorted && t >= last
		last = t
		targets = append(targets, decAddr(val))
	}
	if dump && !sorted {
		decSortTargets(targets, list)
	}
	return targets, true
}

// decAddr returns an address of 4 or 16 bytes.
func decAddr(val []byte) netip.Addr {
	if len(val) == 4 {
		return netip.AddrFrom4([4]byte(val))
	}
	return netip.AddrFrom16([16]byte(val))
}

// decSortTargets sorts the addresses by the types of their entries. No kernel
// sends a list for which this is needed.
func decSortTargets(targets []netip.Addr, list []byte) {
	type entry struct {
		place uint16
		addr  netip.Addr
	}
	entries := make([]entry, len(targets))
	for i := range entries {
		var typ uint16
		typ, _, list, _ = attrNext(list)
		entries[i] = entry{typ & attrTypeMask, targets[i]}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return int(a.place) - int(b.place) })
	for i := range entries {
		targets[i] = entries[i].addr
	}
}
