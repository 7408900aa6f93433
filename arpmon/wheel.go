// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import "math/bits"

// wheel keeps the pairs by the time at which they must be looked at, which may
// be too early and never too late: an answer does not move its pair. Every
// operation is a few memory accesses, whatever the number of pairs.
//
// A pair is looked at when its probe times out, and when its next probe is due.
// Most probes are answered by then; so the wheel knows by itself when the next
// look is due, and moves such pairs on without a look at them.
//
// It is a ring of buckets as wide as a power of two of nanoseconds, each with a
// list of pairs, and two levels of bits that say which have any.
type wheel struct {
	links []link  // by pair
	heads []int32 // by bucket: the first pair, or -1
	used  []uint64
	words []uint64 // which elements of used are not zero
	shift uint8
	floor int64 // no bucket before this time is in use
}

// link is a pair's place in the list of its bucket. prev is the pair before;
// or notQueued; or for the first of a list firstOf minus the bucket.
type link struct {
	at         int64
	due        int64 // when the next probe is; negative while waiting
	next, prev int32
}

const (
	notQueued = -1
	moving    = -2 // only within rebase
	firstOf   = -3
)

// newWheel returns a wheel for pairs that wait for at most longest.
func newWheel(pairs int, longest int64) wheel {
	n := 64
	for n < pairs {
		n *= 2
	}
	w := wheel{
		links: make([]link, pairs),
		heads: make([]int32, n),
		used:  make([]uint64, n/64),
		words: make([]uint64, (n/64+63)/64),
		shift: uint8(bits.Len64(uint64(longest) / uint64(n-1))),
	}
	for i := range w.links {
		w.links[i].prev = notQueued
	}
	for i := range w.heads {
		w.heads[i] = -1
	}
	return w
}

func (w *wheel) has(pair int32) bool { return w.links[pair].prev != notQueued }

// put adds a pair that waits for nothing but its time, or moves it.
func (w *wheel) put(pair int32, at int64) {
	w.links[pair].due = at
	w.place(pair, at)
}

// wait adds or moves a pair that waits for an answer until at, and whose next
// probe is due later.
func (w *wheel) wait(pair int32, at, due int64) {
	w.links[pair].due = -due
	w.place(pair, at)
}

// answered ends the waiting of a pair without moving it.
func (w *wheel) answered(pair int32) { w.links[pair].due = w.due(pair) }

// due is when the next probe of a pair is due, also while it waits.
func (w *wheel) due(pair int32) int64 {
	d := w.links[pair].due
	return max(d, -d)
}

// place puts a pair into the bucket of its time.
func (w *wheel) place(pair int32, at int64) {
	w.remove(pair)
	// A time before the floor, or more than one turn after it, goes to the
	// nearest bucket there is; first moves it on when its bucket comes.
	turn := int64(len(w.heads)-1) << w.shift
	b := int(min(max(at, w.floor), w.floor+turn)>>w.shift) & (len(w.heads) - 1)
	head := w.heads[b]
	l := &w.links[pair]
	l.at, l.next, l.prev = at, head, firstOf-int32(b)
	if head >= 0 {
		w.links[head].prev = pair
	} else {
		w.used[b/64] |= 1 << (b % 64)
		w.words[b/4096] |= 1 << (b / 64 % 64)
	}
	w.heads[b] = pair
}

// remove takes a pair out, if it is there.
func (w *wheel) remove(pair int32) {
	l := w.links[pair]
	if l.prev == notQueued {
		return
	}
	w.links[pair].prev = notQueued
	if l.next >= 0 {
		w.links[l.next].prev = l.prev
	}
	if l.prev >= 0 {
		w.links[l.prev].next = l.next
		return
	}
	b := int(firstOf - l.prev)
	w.heads[b] = l.next
	if l.next < 0 {
		w.used[b/64] &^= 1 << (b % 64)
		if w.used[b/64] == 0 {
			w.words[b/4096] &^= 1 << (b / 64 % 64)
		}
	}
}

// first returns a pair whose time has come, and that time. Where there is none it
// returns the one with the earliest time, and where the wheel is empty -1.
func (w *wheel) first(now int64) (pair int32, at int64) {
	mask := len(w.heads) - 1
	if now-w.floor > int64(mask)<<w.shift {
		w.rebase(now)
	}
	for {
		here := int(w.floor>>w.shift) & mask
		b := w.next(here)
		if b < 0 {
			w.floor = max(w.floor, now)
			return -1, 0
		}
		start := (w.floor>>w.shift + int64((b-here)&mask)) << w.shift
		end := start + 1<<w.shift
		w.floor = max(w.floor, min(now, start))
		pair = -1
		for i := w.heads[b]; i >= 0; {
			l := &w.links[i]
			next := l.next
			l.at = max(l.at, l.due)
			switch {
			case l.at >= end: // answered, or placed before its bucket was free
				w.floor = max(w.floor, start)
				w.place(i, l.at)
			case l.at <= now:
				return i, l.at
			case pair < 0 || l.at < at:
				pair, at = i, l.at
			}
			i = next
		}
		if pair >= 0 {
			return pair, at
		}
	}
}

// rebase makes now the floor when that is more than one turn behind, as after a
// long stall. Otherwise each pair would have to be moved on turn by turn.
func (w *wheel) rebase(now int64) {
	for i := range w.links {
		if w.links[i].prev != notQueued {
			w.links[i].prev = moving
		}
	}
	for i := range w.heads {
		w.heads[i] = -1
	}
	clear(w.used)
	clear(w.words)
	w.floor = now
	for i := range w.links {
		if w.links[i].prev == moving {
			w.links[i].prev = notQueued
			w.place(int32(i), w.links[i].at)
		}
	}
}

// next returns the first bucket in use from b on, around the ring, or -1.
func (w *wheel) next(b int) int {
	i := b / 64
	if m := w.used[i] >> (b % 64); m != 0 {
		return b + bits.TrailingZeros64(m)
	}
	j := i / 64
	if m := w.words[j] &^ (1<<(i%64+1) - 1); m != 0 {
		i = j*64 + bits.TrailingZeros64(m)
		return i*64 + bits.TrailingZeros64(w.used[i])
	}
	for n := range len(w.words) {
		k := (j + 1 + n) % len(w.words)
		if m := w.words[k]; m != 0 {
			i = k*64 + bits.TrailingZeros64(m)
			return i*64 + bits.TrailingZeros64(w.used[i])
		}
	}
	return -1
}
