// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import "encoding/binary"

// Handle takes one frame that a slave received, from the Ethernet header on,
// and says what became of it. Only a frame that is Accepted can change a
// verdict; any other changes a counter, and an event where it is in conflict.
// The frame belongs to the caller and is not kept.
//
// A reply is accepted if all of this holds: it has at least 42 bytes, is
// untagged, ARP for Ethernet and IPv4 (RFC 826), opcode 2; sent to the probe's
// MAC address, or broadcast; its sender address is a target; its target
// hardware and protocol addresses are the ones the probe had as sender; its
// sender hardware address is a unicast address and none of ours; and a probe
// of this slave to this target is outstanding. A probe is outstanding from Sent
// until an answer, or the first Poll at or after its Timeout, so that an answer
// that waited for a late caller counts.
//
// ARP has no identifier: an answer that comes later than Timeout, after the next
// probe was sent, is taken for an answer to that.
func (e *Engine) Handle(id SlaveID, frame []byte, m Meta, at int64) Verdict {
	si := e.find(id)
	if si < 0 {
		e.stats.NoSlave++
		return RejectNoSlave
	}
	s := &e.slaves[si]
	v, slot := e.judge(s, frame, m)
	if v == Accepted {
		at = e.advance(at)
		v = e.answer(si, slot, frame, at)
	}
	s.counts[v]++
	return v
}

// Observe takes one frame that is evidence only: it is judged and counted as by
// [Engine.Handle], and can change no verdict. A frame that would have to be
// accepted counts as RejectUnsolicited.
func (e *Engine) Observe(id SlaveID, frame []byte, m Meta) Verdict {
	si := e.find(id)
	if si < 0 {
		e.stats.NoSlave++
		return RejectNoSlave
	}
	s := &e.slaves[si]
	v, _ := e.judge(s, frame, m)
	if v == Accepted {
		v = RejectUnsolicited
	}
	s.counts[v]++
	return v
}

// judge checks everything in a frame that does not depend on the time.
func (e *Engine) judge(s *slave, frame []byte, m Meta) (Verdict, int32) {
	switch {
	case s.link != LinkUp:
		return RejectNoLink, 0
	case m.Outgoing:
		return RejectOutgoing, 0
	case len(frame) < arpLen:
		return RejectShort, 0
	case m.VLAN.ID&0xfff != 0:
		return RejectVLAN, 0
	}
	f := frame[:arpLen:arpLen]
	if head := binary.BigEndian.Uint64(f[12:]); head != arpHead {
		return headVerdict(head), 0
	}
	if binary.BigEndian.Uint16(f[20:]) != 2 {
		return RejectOpcode, 0
	}
	tha := macAt(f[32:])
	if dst := macAt(f); dst != s.mac && (dst != macBroadcast || tha != s.mac) {
		return RejectDestination, 0
	}
	spa := binary.BigEndian.Uint32(f[28:])
	slot := int32(-1)
	for i, a := range e.spas {
		if a == spa {
			slot = e.active[i]
			break
		}
	}
	if slot < 0 {
		return RejectSender, 0
	}
	if tha != s.mac {
		return RejectTargetMAC, 0
	}
	if binary.BigEndian.Uint32(f[38:]) != s.spa {
		return RejectTargetAddr, 0
	}
	if sha := macAt(f[22:]); sha == 0 || sha&macMulticast != 0 || e.own.has(sha) {
		return RejectSenderMAC, 0
	}
	return Accepted, slot
}

// answer fits a good reply to the probe it may answer.
func (e *Engine) answer(si, slot int32, frame []byte, at int64) Verdict {
	s, p := &e.slaves[si], e.pair(si, slot)
	sha := MAC(frame[22:28])
	switch {
	case p.flags&isOutstanding != 0:
		if sha != MAC(frame[6:12]) {
			s.badSource++
		}
		e.accept(si, slot, sha, at)
		return Accepted
	case p.flags&isAnswered != 0 && at-p.sentAt <= int64(e.cfg.Timeout):
		if sha == p.mac {
			p.duplicate++
			return RejectDuplicate
		}
		p.conflict++
		if p.flags&isDisputed == 0 {
			p.flags |= isDisputed
			ev := e.event(at, EventConflict)
			ev.Slave, ev.Target, ev.Old, ev.MAC = e.id(si), e.targets[slot].t, p.mac, sha
		}
		return RejectConflict
	case p.misses > 0 && p.flags&isAnswered == 0:
		p.late++
		return RejectLate
	}
	return RejectUnsolicited
}
