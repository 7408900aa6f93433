// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

// macSet is a counting set of hardware addresses in a fixed table with linear
// probing. The address zero is never in it.
type macSet struct {
	keys []uint64
	refs []uint16
}

// newMACSet returns a set for n addresses.
func newMACSet(n int) macSet {
	size := 4
	for size < 2*n {
		size *= 2
	}
	return macSet{make([]uint64, size), make([]uint16, size)}
}

func (m *macSet) home(k uint64) int { return int(mix(k) & uint64(len(m.keys)-1)) }

// find returns where k is, or the free place where it would be.
func (m *macSet) find(k uint64) int {
	i := m.home(k)
	for m.keys[i] != 0 && m.keys[i] != k {
		i = (i + 1) & (len(m.keys) - 1)
	}
	return i
}

func (m *macSet) has(k uint64) bool { return k != 0 && m.keys[m.find(k)] == k }

func (m *macSet) add(k uint64) {
	if k == 0 {
		return
	}
	i := m.find(k)
	m.keys[i] = k
	m.refs[i]++
}

func (m *macSet) remove(k uint64) {
	if k == 0 {
		return
	}
	i := m.find(k)
	if m.keys[i] == 0 {
		return
	}
	if m.refs[i]--; m.refs[i] > 0 {
		return
	}
	// Move back what stood behind it, so that no search ends too early.
	mask := len(m.keys) - 1
	for j := (i + 1) & mask; m.keys[j] != 0; j = (j + 1) & mask {
		if h := m.home(m.keys[j]); (j-h)&mask >= (j-i)&mask {
			m.keys[i], m.refs[i] = m.keys[j], m.refs[j]
			i = j
		}
	}
	m.keys[i], m.refs[i] = 0, 0
}
