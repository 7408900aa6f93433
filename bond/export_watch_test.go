// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// WatchDiff returns the events between two states of everything.
func WatchDiff(oldBonds []Bond, oldSlaves []Slave, bonds []Bond, slaves []Slave) []Event {
	return watchDiff(watchModelOf(oldBonds, oldSlaves), watchModelOf(bonds, slaves))
}

func watchModelOf(bonds []Bond, slaves []Slave) *watchModel {
	m := newWatchModel()
	for i := range bonds {
		m.bonds[bonds[i].Index] = &bonds[i]
	}
	for i := range slaves {
		m.slaves[slaves[i].Index] = &slaves[i]
	}
	return m
}

// WatchBondConflict reports whether the change from b to c hides some of that from a to
// b.
func WatchBondConflict(a, b, c *Bond) bool {
	return watchConflict(watchBondChanges(a, b), watchBondChanges(b, c))
}

// WatchSlaveConflict is WatchBondConflict for slaves.
func WatchSlaveConflict(a, b, c *Slave) bool {
	return watchConflict(watchSlaveChanges(a, b), watchSlaveChanges(b, c))
}

// WatchMend makes b, from a message, what a request would have read.
func WatchMend(old, b *Bond) bool { return watchMend(old, b) }

// WatchHas says of a state whether the kernel has told an option.
func (b *Bond) WatchHas(opt Option, has bool) {
	b.has &^= 1 << opt
	if has {
		b.has |= 1 << opt
	}
}

// WatchHas says of a state whether the kernel has told an option.
func (s *Slave) WatchHas(opt Option, has bool) {
	s.has &^= 1 << (opt - slaveOption)
	if has {
		s.has |= 1 << (opt - slaveOption)
	}
}

// WatchSetRaw sets a number of a state.
func (b *Bond) WatchSetRaw(opt Option, v int64) { b.setRaw(opt, v) }

// WatchSetRaw sets a number of a state.
func (s *Slave) WatchSetRaw(opt Option, v int64) { s.setRaw(opt, v) }
