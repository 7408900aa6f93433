// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Forgery is a set of kinds of forged ARP replies. Every kind is a reply of the
// target to a probe that is right in all its fields but one, the one that gives
// the kind its name. The values can be combined.
type Forgery uint

// The kinds of forged replies, named after what is wrong in them.
const (
	ForgeOpcode       Forgery = 1 << iota // a request, or another opcode that is no reply
	ForgeSPA                              // the sender address is no target
	ForgeVLAN                             // the frame has an 802.1Q tag
	ForgeTHA                              // the target hardware address is somebody else's
	ForgeGratuitous                       // sender and target address are both the target's
	ForgeTPA                              // the target address is not what the probe had as sender
	ForgeHardwareType                     // the hardware type is not Ethernet
	ForgeProtocol                         // the protocol type is not IPv4
	ForgeSizes                            // the address lengths are not 6 and 4
	ForgeShort                            // the frame ends within the ARP part
	ForgeSHAZero                          // the sender hardware address is zero
	ForgeSHAMulticast                     // the sender hardware address is a group
	ForgeSHAOwn                           // the sender hardware address is that of the probe
	ForgeDst                              // the Ethernet destination is somebody else's

	// ForgeAll is all kinds.
	ForgeAll = 1<<iota - 1
)

var forgeNames = []string{
	"opcode", "spa", "vlan", "tha", "gratuitous", "tpa", "hardware-type", "protocol",
	"sizes", "short", "sha-zero", "sha-multicast", "sha-own", "dst",
}

// String returns the names of the kinds with commas.
func (f Forgery) String() string { return joinNames(uint(f), forgeNames) }

// ForgeVLANID is the VLAN ID of the frames of ForgeVLAN.
const ForgeVLANID = 7

// ForgeConfig says what [Lab.Forge] sends, where, and to whom.
type ForgeConfig struct {
	// Kinds are the kinds to send, one after the other. Zero means ForgeAll.
	Kinds Forgery
	// Switch is the number of the switch the forger is on. Zero means 1.
	Switch int
	// Target is the target to forge replies of. Empty means A.
	Target string
	// Probes returns the MAC addresses of the probes to answer. It is called
	// for every frame by one goroutine, so it may follow a change; an empty
	// result sends nothing.
	Probes func() []net.HardwareAddr
	// Sender is the sender address of the probes. The zero Addr means 0.0.0.0.
	Sender netip.Addr
	// Broadcast sends the frames to everybody. By default they go to the MAC
	// of the probe, as a reply does. ForgeDst goes elsewhere in either case.
	Broadcast bool
	// Rate is the number of frames a second. Zero means 200.
	Rate int
}

// Forge has the last chatty host of a switch send forged replies. The Ethernet
// source is its own, so the switches learn nothing wrong; the sender hardware
// address is the true one of the target, except in the kinds that are about it.
func (l *Lab) Forge(ctx context.Context, cfg *ForgeConfig) (*Fault, error) {
	c := *cfg
	if c.Kinds == 0 {
		c.Kinds = ForgeAll
	}
	if c.Switch == 0 {
		c.Switch = 1
	}
	if c.Target == "" {
		c.Target = targetNames[0]
	}
	if c.Rate == 0 {
		c.Rate = forgeRate
	}
	text := fmt.Sprintf("forge %v %d %s", c.Kinds, c.Switch, c.Target)
	target, err := l.target(c.Target)
	if err == nil {
		err = l.number(c.Switch)
	}
	switch {
	case err != nil:
	case c.Kinds&^ForgeAll != 0, c.Rate < 1, c.Rate > maxRate, c.Probes == nil:
		err = ErrConfig
	default:
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", text, err)
	}
	s, err := l.rogue(c.Switch).sender(HostDevice)
	if err != nil {
		return nil, err
	}
	var kinds []Forgery
	for i := range forgeNames {
		if k := Forgery(1 << i); c.Kinds&k != 0 {
			kinds = append(kinds, k)
		}
	}
	forger := forger{
		mac: s.mac, owner: toMAC(target.mac), spa: l.Addr(c.Target), tpa: c.Sender,
		host: l.Addr(HostName), broadcast: c.Broadcast,
	}
	return l.generate(text, []source{{s, func(b []byte, i int) []byte {
		probes := c.Probes()
		if len(probes) == 0 {
			return b
		}
		// All probes get a kind before the next kind has its turn, and each
		// turn of a kind is another variant of it.
		probe := toMAC(probes[i%len(probes)])
		i /= len(probes)
		return forger.append(b, kinds[i%len(kinds)], probe, i/len(kinds))
	}}}, c.Rate)
}

// forger builds forged replies.
type forger struct {
	mac, owner     MAC // its own, and that of the target
	spa, tpa, host netip.Addr
	broadcast      bool
}

// wrongOpcodes are the opcodes of ForgeOpcode in turn: request, the reverse and
// inverse pairs, the first unassigned ones, and reply in the wrong byte order.
var wrongOpcodes = []uint16{OpRequest, 3, 4, 8, 9, 0, 26, 0x0200}

// append appends one forged reply of a kind to the probe of a MAC.
func (f *forger) append(b []byte, kind Forgery, probe MAC, variant int) []byte {
	a := NewARP(OpReply, probe, f.mac)
	a.SHA, a.SPA, a.THA, a.TPA = f.owner, f.spa, probe, f.tpa
	if f.broadcast {
		a.Dst = Broadcast
	}
	stranger := MAC{0x02, 0xbd, 0x00, 0x00, 0xee, 0xee}
	switch kind {
	case ForgeOpcode:
		a.Op = wrongOpcodes[variant%len(wrongOpcodes)]
	case ForgeSPA:
		a.SPA = netip.AddrFrom4([4]byte{192, 0, 2, 251})
	case ForgeVLAN:
		a.VLAN = ForgeVLANID
	case ForgeTHA:
		a.THA = stranger
	case ForgeGratuitous:
		a.TPA = a.SPA
	case ForgeTPA:
		a.TPA = f.host
		if f.tpa == f.host {
			a.TPA = netip.AddrFrom4([4]byte{192, 0, 2, 252})
		}
	case ForgeHardwareType:
		a.HardwareType = 6
	case ForgeProtocol:
		a.Proto = 0x86dd
	case ForgeSizes:
		if variant%2 == 0 {
			a.HardwareLen = 8
		} else {
			a.ProtoLen = 16
		}
	case ForgeShort:
		return a.AppendFrame(b)[:len(b)+14+27]
	case ForgeSHAZero:
		a.SHA = MAC{}
	case ForgeSHAMulticast:
		a.SHA = MAC{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}
		if variant%2 == 1 {
			a.SHA = Broadcast
		}
	case ForgeSHAOwn:
		a.SHA = probe
	case ForgeDst:
		a.Dst = stranger
	}
	return a.AppendFrame(b)
}

// parseForgery reads the names of kinds with commas, or "all".
func parseForgery(text string) (Forgery, error) {
	if strings.EqualFold(text, "all") {
		return ForgeAll, nil
	}
	set, err := parseNames(text, forgeNames)
	return Forgery(set), err
}
