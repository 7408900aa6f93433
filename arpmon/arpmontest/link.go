// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import "time"

// DefaultLatency is the latency of a new link, in each direction.
const DefaultLatency = 20 * time.Microsecond

// A Link is a cable between two nodes. Each direction is a [Wire] with faults
// of its own; a fault of a wire is silent, both ends keep their carrier.
type Link struct {
	net  *Network
	a, b *Wire
	up   bool
}

// A Wire is one direction of a [Link]. Its fields may be changed at any time
// and hold for frames that are sent from then on, except Cut, which also holds
// for frames under way.
type Wire struct {
	// Latency is how long a frame takes.
	Latency time.Duration
	// Jitter is the longest additional time, uniform from 0.
	Jitter time.Duration
	// Reorder lets frames overtake each other because of Jitter. Without it
	// they stay in order.
	Reorder bool
	// Loss is the probability that a frame is lost, 0 to 1.
	Loss float64
	// Duplicate is the probability that a frame arrives twice, 0 to 1.
	Duplicate float64
	// Cut loses every frame.
	Cut bool
	// Drop loses the frames for which it returns true. It must not change or
	// keep the frame. Nil loses none.
	Drop func(frame []byte) bool

	// Sent and Lost count frames.
	Sent, Lost uint64

	link     *Link
	from, to Node
	last     int64 // when the last frame arrives
}

// Connect puts a cable with carrier between two nodes.
func (n *Network) Connect(a, b Node) *Link {
	l := &Link{net: n, up: true}
	l.a = &Wire{Latency: DefaultLatency, link: l, from: a, to: b}
	l.b = &Wire{Latency: DefaultLatency, link: l, from: b, to: a}
	a.attach(l)
	b.attach(l)
	n.links = append(n.links, l)
	return l
}

// Between returns the first link between two nodes, or nil.
func (n *Network) Between(a, b Node) *Link {
	for _, l := range n.links {
		if l.a.from == a && l.b.from == b || l.a.from == b && l.b.from == a {
			return l
		}
	}
	return nil
}

// From returns the direction in which n sends, or nil where n is at neither
// end.
func (l *Link) From(n Node) *Wire {
	switch n {
	case l.a.from:
		return l.a
	case l.b.from:
		return l.b
	}
	return nil
}

// To returns the direction in which n receives, or nil where n is at neither
// end.
func (l *Link) To(n Node) *Wire {
	switch n {
	case l.a.to:
		return l.a
	case l.b.to:
		return l.b
	}
	return nil
}

// Ends returns the two nodes in the order in which they were connected.
func (l *Link) Ends() (a, b Node) { return l.a.from, l.b.from }

// Cut sets Cut for both directions: nothing gets through, the carrier stays.
func (l *Link) Cut(cut bool) { l.a.Cut, l.b.Cut = cut, cut }

// Each calls fn with both directions, to set something in both.
func (l *Link) Each(fn func(w *Wire)) {
	fn(l.a)
	fn(l.b)
}

// Carrier reports whether the link has carrier.
func (l *Link) Carrier() bool { return l.up }

// SetCarrier pulls or plugs the cable. Both ends notice at once, and frames
// under way are lost.
func (l *Link) SetCarrier(up bool) {
	if l.up == up {
		return
	}
	l.up = up
	l.a.from.carrier(l)
	l.b.from.carrier(l)
}

// send takes a frame from the node at the wire's beginning.
func (w *Wire) send(f frame) {
	w.Sent++
	n := w.link.net
	if !w.link.up || w.Cut || w.Drop != nil && w.Drop(f.b) || w.Loss > 0 && n.rng.Float64() < w.Loss {
		w.Lost++
		return
	}
	w.carry(f)
	if w.Duplicate > 0 && n.rng.Float64() < w.Duplicate {
		w.carry(f)
	}
}

func (w *Wire) carry(f frame) {
	n := w.link.net
	at := n.now + int64(w.Latency)
	if w.Jitter > 0 {
		at += n.rng.Int64N(int64(w.Jitter))
	}
	if !w.Reorder {
		at = max(at, w.last)
	}
	w.last = max(w.last, at)
	n.push(event{at: at, end: w, f: f})
}

// arrive gives a frame to the node at the wire's end.
func (w *Wire) arrive(f frame) {
	if !w.link.up || w.Cut {
		w.Lost++
		return
	}
	w.link.net.frames++
	w.to.receive(w.link, f)
}
