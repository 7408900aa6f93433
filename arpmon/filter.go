// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import "fmt"

// An instruction of classic BPF: struct sock_filter of <linux/filter.h>.
type instruction struct {
	op     uint16
	jt, jf uint8
	k      uint32
}

// Operations of classic BPF, from <linux/bpf_common.h>.
const (
	bpfLoad32  = 0x20 // BPF_LD | BPF_W | BPF_ABS
	bpfLoad16  = 0x28 // BPF_LD | BPF_H | BPF_ABS
	bpfLoadLen = 0x80 // BPF_LD | BPF_W | BPF_LEN
	bpfEqual   = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	bpfAtLeast = 0x35 // BPF_JMP | BPF_JGE | BPF_K
	bpfAnySet  = 0x45 // BPF_JMP | BPF_JSET | BPF_K
	bpfJump    = 0x05 // BPF_JMP | BPF_JA
	bpfReturn  = 0x06 // BPF_RET | BPF_K
	bpfMaxCode = 4096 // BPF_MAXINSNS
)

// Offsets at which the kernel gives facts that are not in the frame: SKF_AD_OFF
// and what follows it in <linux/filter.h>.
const (
	bpfPacketType  = 0xfffff000 + 4
	bpfVLANTag     = 0xfffff000 + 44
	bpfVLANPresent = 0xfffff000 + 48
)

const (
	packetOutgoing = 4 // PACKET_OUTGOING of <linux/if_packet.h>

	// filterKeep is how many bytes of a frame a filter lets through: all of a
	// probe's answer, and not a jumbo frame.
	filterKeep = 64

	// filterChunk is how many addresses stand between two ends of a list, so
	// that no jump is longer than the 255 instructions it can be.
	filterChunk = 128
)

// verdictFilter returns a program that lets through what an engine might accept
// as an answer to a probe from mac and spa to one of the targets, and nothing
// else. What it holds back and has to do with the probes, [evidenceFilter] lets
// through, so every frame reaches one of two sockets at most.
//
// The sender hardware address is not looked at. A load beyond the end of a frame
// ends a program with 0, so frames that are too short are dropped.
func verdictFilter(mac MAC, spa uint32, targets []uint32) ([]instruction, error) {
	var a assembler
	accept, drop, list := a.label(), a.label(), a.label()
	a.load32(bpfPacketType)
	a.equal(packetOutgoing, drop, 0)
	a.answer(mac, spa, list, drop)
	a.at(drop)
	a.ret(0)
	a.at(list)
	a.senders(targets, accept)
	a.ret(0)
	a.at(accept)
	a.ret(filterKeep)
	return a.assemble()
}

// evidenceFilter returns a program that lets through the other ARP frames that
// say something about the targets or to the probes: from the address of a target,
// or to mac by either of its two fields; and frames to mac or to everybody that
// end within the ARP part.
func evidenceFilter(mac MAC, spa uint32, targets []uint32) ([]instruction, error) {
	var a assembler
	accept, drop, list, target := a.label(), a.label(), a.label(), a.label()
	a.load32(bpfPacketType)
	a.equal(packetOutgoing, drop, 0)
	a.load16(12)
	a.equal(0x0806, 0, drop)
	a.add(bpfLoadLen, 0, 0, 0)
	a.add(bpfAtLeast, arpLen, list, 0)
	short := a.label()
	a.destination(mac, true, short, drop)
	a.at(short)
	a.ret(filterKeep)
	a.at(drop)
	a.ret(0)
	a.at(list)
	a.senders(targets, target)

	drop, tha, dst := a.label(), a.label(), a.label()
	hi, lo := mac.halves()
	a.load32(32)
	a.equal(hi, tha, dst)
	a.at(tha)
	a.load16(36)
	a.equal(lo, accept, dst)
	a.at(dst)
	a.destination(mac, false, accept, drop)

	a.at(target)
	a.answer(mac, spa, drop, accept)
	a.at(accept)
	a.ret(filterKeep)
	a.at(drop)
	a.ret(0)
	return a.assemble()
}

// halves returns the first four and the last two bytes.
func (m MAC) halves() (hi, lo uint32) {
	k := m.key()
	return uint32(k >> 16), uint32(k & 0xffff)
}

// A label is a place in a program, 0 the next instruction.
type label int

// An assembler collects a program whose jumps name labels.
type assembler struct {
	code   []instruction
	yes    []label // for every instruction of code
	no     []label
	places []int
}

// label makes a label that stands nowhere yet.
func (a *assembler) label() label {
	a.places = append(a.places, -1)
	return label(len(a.places))
}

// at makes a label stand at the next instruction.
func (a *assembler) at(l label) { a.places[l-1] = len(a.code) }

func (a *assembler) add(op uint16, k uint32, yes, no label) {
	a.code = append(a.code, instruction{op: op, k: k})
	a.yes = append(a.yes, yes)
	a.no = append(a.no, no)
}

func (a *assembler) load32(offset uint32)                 { a.add(bpfLoad32, offset, 0, 0) }
func (a *assembler) load16(offset uint32)                 { a.add(bpfLoad16, offset, 0, 0) }
func (a *assembler) equal(k uint32, yes, no label)        { a.add(bpfEqual, k, yes, no) }
func (a *assembler) anySet(k uint32, yes, no label)       { a.add(bpfAnySet, k, yes, no) }
func (a *assembler) jump(to label)                        { a.add(bpfJump, 0, to, 0) }
func (a *assembler) ret(n uint32)                         { a.add(bpfReturn, n, 0, 0) }
func (a *assembler) need(offset, want uint32, fail label) { a.load32(offset); a.equal(want, 0, fail) }

// answer checks all of a reply but whose it is.
func (a *assembler) answer(mac MAC, spa uint32, pass, fail label) {
	hi, lo := mac.halves()
	vlan := a.label()
	a.need(12, arpHead>>32, fail)
	a.need(16, arpHead&0xffff_ffff, fail)
	a.load16(20)
	a.equal(2, 0, fail)
	a.need(32, hi, fail)
	a.load16(36)
	a.equal(lo, 0, fail)
	a.need(38, spa, fail)
	a.destination(mac, true, vlan, fail)
	a.at(vlan)
	a.load32(bpfVLANPresent)
	a.equal(0, pass, 0)
	a.load32(bpfVLANTag)
	a.anySet(0xfff, fail, pass)
}

// destination checks who a frame is to: mac, or also everybody.
func (a *assembler) destination(mac MAC, everybody bool, pass, fail label) {
	hi, lo := mac.halves()
	macEnd := a.label()
	a.load32(0)
	if everybody {
		a.equal(hi, macEnd, 0)
		a.equal(macBroadcast>>16, 0, fail)
		a.load16(4)
		a.equal(macBroadcast&0xffff, pass, fail)
	} else {
		a.equal(hi, macEnd, fail)
	}
	a.at(macEnd)
	a.load16(4)
	a.equal(lo, pass, fail)
}

// senders jumps where the sender protocol address is one of those given, over
// any distance, and goes on where it is not.
func (a *assembler) senders(addrs []uint32, found label) {
	a.load32(28)
	for len(addrs) > 0 {
		n := min(len(addrs), filterChunk)
		hit, next := a.label(), a.label()
		for i, addr := range addrs[:n] {
			if i < n-1 {
				a.equal(addr, hit, 0)
			} else {
				a.equal(addr, hit, next)
			}
		}
		a.at(hit)
		a.jump(found)
		a.at(next)
		addrs = addrs[n:]
	}
}

// assemble turns labels into distances.
func (a *assembler) assemble() ([]instruction, error) {
	if len(a.code) > bpfMaxCode {
		return nil, fmt.Errorf("socket filter of %d instructions, at most %d are possible", len(a.code), bpfMaxCode)
	}
	distance := func(i int, l label) int {
		if l == 0 {
			return 0
		}
		return a.places[l-1] - i - 1
	}
	for i := range a.code {
		c := &a.code[i]
		yes, no := distance(i, a.yes[i]), distance(i, a.no[i])
		switch c.op {
		case bpfJump:
			c.k = uint32(yes)
		case bpfEqual, bpfAtLeast, bpfAnySet:
			if yes < 0 || yes > 255 || no < 0 || no > 255 {
				return nil, fmt.Errorf("socket filter with a jump over %d and %d instructions", yes, no)
			}
			c.jt, c.jf = uint8(yes), uint8(no)
		}
	}
	return a.code, nil
}
