// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import (
	"net/netip"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// A Host answers ARP as Linux does (arp_process in net/ipv4/arp.c): requests
// for its address are answered to the asker alone, those with the sender
// 0.0.0.0 of RFC 5227 too; it learns a neighbour from a request to itself, and
// from any other ARP frame only what it has an entry for already. The exported
// fields may be changed at any time.
type Host struct {
	// MAC and Addr are its addresses. Two hosts may have the same.
	MAC  arpmon.MAC
	Addr netip.Addr
	// VLAN tags its frames, and keeps others away from it; 0 means untagged.
	VLAN uint16
	// Mute answers nothing.
	Mute bool
	// Delay is how late it answers, and DelayJitter the longest additional
	// time.
	Delay, DelayJitter time.Duration
	// BroadcastReplies sends answers to everybody, as some stacks do (RFC
	// 5227 section 2.6).
	BroadcastReplies bool
	// Proxy answers a request for another address if it returns true. Nil
	// answers none.
	Proxy func(request ARP) bool
	// Tap is called with every frame that arrives at the host, also those for
	// others. It must not change or keep the frame.
	Tap func(frame []byte)

	// Requests counts ARP requests for its address, Answers what it answered,
	// and Data the frames to its MAC address that are not ARP.
	Requests, Answers, Data uint64

	net        *Network
	name       string
	wires      []*Wire
	neighbours map[netip.Addr]arpmon.MAC
}

// AddHost adds a host with a MAC address that no other node has.
// [Network.Connect] connects it. A host on several links answers through the
// one it was asked through.
func (n *Network) AddHost(name string, addr netip.Addr) *Host {
	h := &Host{MAC: n.MAC(), Addr: addr, net: n, name: name, neighbours: map[netip.Addr]arpmon.MAC{}}
	n.add(h)
	return h
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Neighbour returns the MAC address that the host has for an address, or the
// zero MAC.
func (h *Host) Neighbour(addr netip.Addr) arpmon.MAC { return h.neighbours[addr] }

// SetNeighbour enters an address into the host's neighbour table.
func (h *Host) SetNeighbour(addr netip.Addr, mac arpmon.MAC) { h.neighbours[addr] = mac }

// Send sends any frame through the host's first link, with the host's VLAN tag.
// The frame belongs to the network from then on.
func (h *Host) Send(frame []byte) {
	if len(h.wires) > 0 {
		h.send(h.wires[0], frame)
	}
}

// Ask broadcasts a request for an address. The host then waits for the answer to
// enter it into its neighbour table.
func (h *Host) Ask(addr netip.Addr) {
	if _, ok := h.neighbours[addr]; !ok && addr != h.Addr {
		h.neighbours[addr] = arpmon.MAC{}
	}
	h.Send(ARP{Dst: Broadcast, Src: h.MAC, Op: Request, SHA: h.MAC, SPA: h.Addr, TPA: addr}.Frame())
}

// Announce broadcasts a gratuitous request: the host's address as sender and
// target.
func (h *Host) Announce() { h.Ask(h.Addr) }

// SendData sends a frame that is not ARP to the neighbour with an address. It
// reports whether there is an entry for it; without one it asks.
func (h *Host) SendData(addr netip.Addr) bool {
	mac := h.neighbours[addr]
	if mac == (arpmon.MAC{}) {
		h.Ask(addr)
		return false
	}
	h.Send(Frame(mac, h.MAC, 0x0800, nil))
	return true
}

func (h *Host) send(w *Wire, b []byte) {
	if h.VLAN != 0 {
		b = addTag(b, arpmon.VLAN{ID: h.VLAN})
	}
	w.send(frame{b: b})
}

func (h *Host) attach(l *Link) { h.wires = append(h.wires, l.From(h)) }

func (h *Host) carrier(*Link) {}

func (h *Host) receive(l *Link, f frame) { h.take(l.From(h), f) }

// take takes a frame and answers it through the given wire.
func (h *Host) take(out *Wire, f frame) {
	if h.Tap != nil {
		h.Tap(f.b)
	}
	if len(f.b) < 14 {
		return
	}
	b := f.b
	id, tagged := vlanOf(b)
	if tagged {
		b = untag(b)
	}
	if dst := arpmon.MAC(b[:6]); id != h.VLAN || dst != h.MAC && dst[0]&1 == 0 {
		return
	}
	a, ok := ParseARP(b)
	if !ok {
		if arpmon.MAC(b[:6]) == h.MAC {
			h.Data++
		}
		return
	}
	if _, known := h.neighbours[a.SPA]; known {
		h.neighbours[a.SPA] = a.SHA
	}
	if a.Op != Request {
		return
	}
	own := a.TPA == h.Addr && h.Addr.IsValid()
	if own {
		h.Requests++
		if !a.SPA.IsUnspecified() && a.SPA != h.Addr {
			h.neighbours[a.SPA] = a.SHA
		}
	}
	if h.Mute || a.SHA == h.MAC || !own && (h.Proxy == nil || !h.Proxy(a)) {
		return
	}
	answer := ARP{Dst: a.SHA, Src: h.MAC, Op: Reply, SHA: h.MAC, SPA: a.TPA, THA: a.SHA, TPA: a.SPA}
	if h.BroadcastReplies {
		answer.Dst = Broadcast
	}
	delay := h.Delay
	if h.DelayJitter > 0 {
		delay += time.Duration(h.net.rng.Int64N(int64(h.DelayJitter)))
	}
	h.Answers++
	if delay <= 0 {
		h.send(out, answer.Frame())
		return
	}
	h.net.After(delay, func() { h.send(out, answer.Frame()) })
}
