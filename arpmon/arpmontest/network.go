// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// maxHops ends frames that go round in a loop of switches.
const maxHops = 32

// A Network is a simulated layer 2 network with a clock of its own. It has no
// goroutine and reads no other clock: the same seed and calls give the same
// frames, to the nanosecond. Its methods must not be called concurrently.
type Network struct {
	// Looped counts frames that were given up after 32 switches, because the
	// switches are connected in a loop.
	Looped uint64

	now    int64
	seq    uint64
	queue  []event
	rng    *rand.Rand
	macs   uint32
	nodes  map[string]Node
	links  []*Link
	frames uint64
}

// A Node is something with a name that frames come from and go to: a [Switch],
// a [Host] or a [Slave].
type Node interface {
	// Name returns the name, unique in the network.
	Name() string

	// receive takes a frame, whose bytes are shared and never change.
	receive(l *Link, f frame)
	// attach tells of a new link, and carrier of a change of its carrier.
	attach(l *Link)
	carrier(l *Link)
}

// frame is a frame on its way.
type frame struct {
	b    []byte
	hops uint8
}

// event is what happens at a time: a frame arrives or a function is called.
type event struct {
	at  int64
	seq uint64
	fn  func()
	end *Wire
	f   frame
}

// New returns an empty network at the time 0.
func New(seed uint64) *Network {
	return &Network{rng: rand.New(rand.NewPCG(seed, 0x6172_706d_6f6e)), nodes: map[string]Node{}}
}

// Now returns the network's time in nanoseconds.
func (n *Network) Now() int64 { return n.now }

// Elapsed returns the network's time as a duration.
func (n *Network) Elapsed() time.Duration { return time.Duration(n.now) }

// Frames returns how many frames arrived somewhere, as a measure of the work
// done.
func (n *Network) Frames() uint64 { return n.frames }

// Run lets d go by.
func (n *Network) Run(d time.Duration) { n.RunUntil(n.now + int64(d)) }

// RunUntil lets time go by until the given time, and all that is due then is
// done.
func (n *Network) RunUntil(at int64) {
	for len(n.queue) > 0 && n.queue[0].at <= at {
		n.step()
	}
	n.now = max(n.now, at)
}

// RunWhile lets time go by as long as the condition holds, at most d, and
// reports whether it still holds then. It looks at the condition after
// everything that happens.
func (n *Network) RunWhile(d time.Duration, condition func() bool) bool {
	end := n.now + int64(d)
	for condition() {
		if len(n.queue) == 0 || n.queue[0].at > end {
			n.now = max(n.now, end)
			return true
		}
		n.step()
	}
	return false
}

// After calls fn when d has gone by. Everything a function may do at all may be
// done in there, except to run the network.
func (n *Network) After(d time.Duration, fn func()) {
	n.push(event{at: n.now + max(int64(d), 0), fn: fn})
}

// A Ticker is a repeated action, see [Network.Every].
type Ticker struct{ stopped bool }

// Stop ends the repetition.
func (t *Ticker) Stop() { t.stopped = true }

// Every calls fn after each d, the first time after a random part of it. It
// panics where d is not positive.
func (n *Network) Every(d time.Duration, fn func()) *Ticker {
	if d <= 0 {
		panic("arpmontest: Every: period must be positive")
	}
	t := &Ticker{}
	var again func()
	again = func() {
		if !t.stopped {
			fn()
			n.After(d, again)
		}
	}
	n.After(time.Duration(n.rng.Int64N(int64(d))), again)
	return t
}

// Rand returns the network's source of randomness. What is drawn from it
// changes what follows, and stays the same for the same seed.
func (n *Network) Rand() *rand.Rand { return n.rng }

// MAC returns a locally administered address that the network gave to nobody
// yet.
func (n *Network) MAC() arpmon.MAC {
	n.macs++
	return arpmon.MAC{2, 0, 0, byte(n.macs >> 16), byte(n.macs >> 8), byte(n.macs)}
}

// Node returns the node with a name, or nil.
func (n *Network) Node(name string) Node { return n.nodes[name] }

// add names a node.
func (n *Network) add(node Node) {
	if n.nodes[node.Name()] != nil {
		panic(fmt.Sprintf("arpmontest: two nodes are named %q", node.Name()))
	}
	n.nodes[node.Name()] = node
}

// step does what is due next.
func (n *Network) step() {
	ev := n.pop()
	n.now = max(n.now, ev.at)
	if ev.fn != nil {
		ev.fn()
		return
	}
	ev.end.arrive(ev.f)
}

// push puts an event into the heap, ordered by time and then by when it was
// put there.
func (n *Network) push(ev event) {
	n.seq++
	ev.seq = n.seq
	n.queue = append(n.queue, ev)
	h := n.queue
	i := len(h) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !before(&ev, &h[p]) {
			break
		}
		h[i] = h[p]
		i = p
	}
	h[i] = ev
}

// pop takes the first event out of the heap.
func (n *Network) pop() event {
	h := n.queue
	first := h[0]
	last := len(h) - 1
	x := h[last]
	h[last] = event{}
	h = h[:last]
	n.queue = h
	if last == 0 {
		return first
	}
	i := 0
	for {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && before(&h[c+1], &h[c]) {
			c++
		}
		if !before(&h[c], &x) {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = x
	return first
}

func before(a, b *event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }
