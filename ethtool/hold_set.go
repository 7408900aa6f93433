// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import "sync"

// holdKey is a setting of one interface.
type holdKey struct {
	index   int
	control Control
	name    string
}

// holdSet has the settings that a Client holds. The zero holdSet is empty.
type holdSet struct {
	mu   sync.Mutex
	keys map[holdKey]bool
}

// add reports whether the setting was not held, and is now.
func (s *holdSet) add(key holdKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys[key] {
		return false
	}
	if s.keys == nil {
		s.keys = make(map[holdKey]bool)
	}
	s.keys[key] = true
	return true
}

func (s *holdSet) remove(key holdKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, key)
}
