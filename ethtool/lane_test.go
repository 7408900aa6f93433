// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bondkit/bondkit/ethtool"
)

// laneCall is a call that lasts until it is released.
func laneCall(release <-chan int) func() (int, error) {
	return func() (int, error) { return <-release, nil }
}

// TestLaneLetsGo ends the wait for a call that hangs, and lets no other call overtake it.
func TestLaneLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		woken := 0
		l := ethtool.NewLane(func() { woken++ })
		release := make(chan int)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if v, err := l.Do(ctx, laneCall(release)); !errors.Is(err, context.DeadlineExceeded) || v != 0 {
			t.Errorf("the call that hangs returned %d, %v", v, err)
		}
		if took := time.Since(began); took != time.Second || woken != 1 {
			t.Errorf("it took %v, and the call was woken %d times", took, woken)
		}

		// The next one waits for the first, and no longer than its own context.
		next, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ran := false
		if _, err := l.Do(next, func() (int, error) { ran = true; return 0, nil }); !errors.Is(err, context.DeadlineExceeded) || ran {
			t.Errorf("the next call returned %v, and ran: %v", err, ran)
		}
		if woken != 1 {
			t.Error("who only waited for the turn has woken the call under way")
		}

		type result struct {
			v   int
			err error
		}
		third := make(chan result)
		go func() {
			v, err := l.Do(t.Context(), func() (int, error) { return 3, nil })
			third <- result{v, err}
		}()
		synctest.Wait()
		select {
		case r := <-third:
			t.Errorf("the third call has overtaken: %+v", r)
		default:
		}
		release <- 1
		if r := <-third; r != (result{3, nil}) {
			t.Errorf("the third call returned %+v, not its own answer", r)
		}
		closed := false
		l.Close(func() { closed = true })
		if !closed {
			t.Error("an idle lane was not finished at once")
		}
	}) // and no goroutine is left, or synctest says so
}

// TestLaneWakesOnlyItsOwn ends a context after its call is through and while the next is
// under way.
func TestLaneWakesOnlyItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		woken := 0
		l := ethtool.NewLane(func() { woken++ })
		ctx, cancel := context.WithCancel(t.Context())
		if v, err := l.Do(ctx, func() (int, error) { return 1, nil }); v != 1 || err != nil {
			t.Fatal(v, err)
		}
		release := make(chan int)
		done := make(chan error)
		go func() {
			_, err := l.Do(t.Context(), laneCall(release))
			done <- err
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		l.Abandon(1)
		if woken != 0 {
			t.Error("the end of one context has woken the call of another")
		}
		l.Abandon(3)
		if woken != 1 {
			t.Errorf("the call under way was woken %d times", woken)
		}
		release <- 2
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestLaneClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		woken := 0
		l := ethtool.NewLane(func() { woken++ })
		release := make(chan int)
		under, waiting := make(chan error), make(chan error)
		for _, c := range []chan error{under, waiting} {
			go func() {
				_, err := l.Do(t.Context(), laneCall(release))
				c <- err
			}()
			synctest.Wait()
		}
		finished := false
		l.Close(func() { finished = true })
		for _, c := range []chan error{under, waiting} {
			if err := <-c; !errors.Is(err, os.ErrClosed) {
				t.Errorf("a call returned %v, want os.ErrClosed", err)
			}
		}
		if woken == 0 || finished {
			t.Errorf("woken %d times, finished %v", woken, finished)
		}
		release <- 0
		synctest.Wait()
		if !finished {
			t.Error("not finished after the last call")
		}
		if _, err := l.Do(t.Context(), func() (int, error) { return 1, nil }); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a later call returned %v", err)
		}
		if _, err := l.Do(context.Background(), func() (int, error) { return 1, nil }); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a later call without end returned %v", err)
		}
	})
}

// TestLaneContextEnded carries nothing out for a context that has ended.
func TestLaneContextEnded(t *testing.T) {
	l := ethtool.NewLane(func() { t.Error("woken") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if _, err := l.Do(ctx, func() (int, error) { t.Error("called"); return 0, nil }); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

// TestLaneOneAtATime gives each of many callers its own answer.
func TestLaneOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ethtool.NewLane(func() {})
		running, most := 0, 0
		done := make(chan int)
		for i := range 20 {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = context.Background() // on the caller's own goroutine
			}
			go func() {
				v, err := l.Do(ctx, func() (int, error) {
					running++
					most = max(most, running)
					<-time.After(time.Millisecond)
					running--
					return i, nil
				})
				if v != i || err != nil {
					t.Errorf("call %d returned %d, %v", i, v, err)
				}
				done <- v
			}()
		}
		for range 20 {
			<-done
		}
		if most != 1 {
			t.Errorf("%d calls at once", most)
		}
	})
}
