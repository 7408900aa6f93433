// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"sync"
)

// applyLocks has one Apply of a bond wait for another. The zero applyLocks is
// ready to use, and must not be copied after that.
type applyLocks struct {
	mu   sync.Mutex
	held map[string]*applyLock
}

// applyLock is held by who has put something into held.
type applyLock struct {
	held  chan struct{}
	users int
}

// lock waits until nobody else holds the name, and returns what releases it. The
// error is that of ctx.
func (l *applyLocks) lock(ctx context.Context, name string) (unlock func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = make(map[string]*applyLock)
	}
	k := l.held[name]
	if k == nil {
		k = &applyLock{held: make(chan struct{}, 1)}
		l.held[name] = k
	}
	k.users++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.users--; k.users == 0 {
			delete(l.held, name)
		}
	}
	select {
	case k.held <- struct{}{}:
		return func() { <-k.held; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
