// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

// EngineForTest lets a benchmark send the same probe again and again.
type EngineForTest struct{ *Engine }

// Reissue makes a probe that was given out once be given out again.
func (e *EngineForTest) Reissue(pr *Probe) {
	p := &e.pairs[pr.pair]
	p.flags = p.flags&^(isAnswered|isOutstanding) | isIssued
}

// Wheel is the queue of an Engine.
type Wheel struct{ w wheel }

func NewWheel(pairs int, longest int64) *Wheel          { return &Wheel{newWheel(pairs, longest)} }
func (w *Wheel) Put(pair int32, at int64)               { w.w.put(pair, at) }
func (w *Wheel) Wait(pair int32, at, due int64)         { w.w.wait(pair, at, due) }
func (w *Wheel) Answered(pair int32)                    { w.w.answered(pair) }
func (w *Wheel) Remove(pair int32)                      { w.w.remove(pair) }
func (w *Wheel) Has(pair int32) bool                    { return w.w.has(pair) }
func (w *Wheel) First(now int64) (pair int32, at int64) { return w.w.first(now) }

// MACSet is the set of an Engine's own addresses.
type MACSet struct{ m macSet }

func NewMACSet(n int) *MACSet       { return &MACSet{newMACSet(n)} }
func (m *MACSet) Add(k uint64)      { m.m.add(k) }
func (m *MACSet) Remove(k uint64)   { m.m.remove(k) }
func (m *MACSet) Has(k uint64) bool { return m.m.has(k) }
