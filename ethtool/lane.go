// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"os"
	"sync"
)

// lane lets one call through at a time, and lets go who no longer wants to wait.
// It is made by newLane.
type lane struct {
	turn   chan struct{}   // holds a token while a call is under way
	closed <-chan struct{} // of everything

	mu   sync.Mutex
	call uint64 // the number of the call under way, odd, or of none
	// wake makes the call under way end soon, where that is possible. It must not block.
	wake func()
}

func newLane(closed <-chan struct{}, wake func()) *lane {
	return &lane{turn: make(chan struct{}, 1), closed: closed, wake: wake}
}

// laneDo calls f when it is its turn. The kernel works on a request inside the system call
// that sends it, and that cannot be broken off while a driver resets a device or
// another process holds the lock of all interfaces. So f has a goroutine of its own, which
// lives on when ctx ends, or the lane is closed, first. The next call waits for
// it: an older change never takes effect after a newer one. A context that
// cannot end keeps f on the thread of the caller.
func laneDo[T any](ctx context.Context, l *lane, f func() (T, error)) (T, error) {
	var zero T
	if err := l.enter(ctx); err != nil {
		return zero, err
	}
	number := l.next()
	if ctx.Done() == nil {
		defer l.leave()
		return f()
	}
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer l.leave()
		v, err := f()
		done <- result{v, err}
	}()
	var gaveUp error
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		gaveUp = ctx.Err()
	case <-l.closed:
		gaveUp = os.ErrClosed
	}
	select {
	case r := <-done: // both were ready: the answer is worth more
		return r.v, r.err
	default:
		l.abandon(number)
		return zero, gaveUp
	}
}

// enter waits for the turn.
func (l *lane) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-l.closed: // first, for a free turn may be there too
		return os.ErrClosed
	default:
	}
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-l.closed:
		return os.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lane) next() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.call++
	return l.call
}

// leave ends the call and gives the turn back.
func (l *lane) leave() {
	l.next()
	<-l.turn
}

// abandon wakes the call of that number if it is still under way, and never the next.
func (l *lane) abandon(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.call == number {
		l.wake()
	}
}

// finish calls f when no call is under way any more, and no further one is let
// through: at once where that is so now. The lane must have been closed.
func (l *lane) finish(f func()) {
	select {
	case l.turn <- struct{}{}:
		f()
		return
	default:
	}
	l.mu.Lock()
	l.wake()
	l.mu.Unlock()
	go func() {
		l.turn <- struct{}{}
		f()
	}()
}
