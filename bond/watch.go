// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"
)

const (
	// watchSettle is how long nothing must arrive until what has arrived is taken
	// for all of a change, and watchSettleMax the most that is waited for that.
	watchSettle    = 2 * time.Millisecond
	watchSettleMax = 20 * time.Millisecond
	// watchQuiet is how long nothing must arrive until what arrives next is taken
	// for newer than what has been read.
	watchQuiet = 50 * time.Millisecond
	// watchMany is how many links are read one by one, and more in a dump.
	watchMany = 64
	// watchTries is how often a dump is tried that changes disturb, with
	// watchPause between.
	watchTries = 20
	watchPause = 100 * time.Millisecond
)

// Watch yields what happens to the bonds of the namespace and to their slaves.
//
// Ranging over it subscribes to the kernel's messages and reads the present
// state, which is told as EventBondAdded and EventSlaveAdded, each bond before its
// slaves. EventSynced follows, and then whatever changes, until the loop is left or an
// error ends it, which is yielded last, with a zero Event. When ctx ends, that is an error
// which matches the one of ctx. Leaving the loop releases the socket and the
// goroutine behind it. Every range over it is a watch of its own, and the Client can be used
// meanwhile, also in the loop. After Close the watch ends with an error that
// matches os.ErrClosed as soon as it has something to read.
//
// Events are differences between states: a message that says nothing new is no
// event. What belongs together, such as the six messages of the kernel about a new slave, is
// told as one, but a value that changes and changes back is told twice where the
// kernel's messages show it. Events that are told together come in this order:
// what was removed, what was added, new names, other changes, and within each by the index of
// the bond. Removals and changes of slaves come before those of their bond,
// so that the reason stands before the effect. A slave that moves from one bond to another is
// removed and added. An interface with another name and also another hardware
// address than before is taken for another interface that has got its index.
//
// The kernel does not announce everything: not what LACP does to a bond, not the options of
// a bond or slave that is down, and not what a request changed before it failed. A bond is read again
// when one of its slaves changes, and all bonds and slaves are every
// [Config.PollInterval]. Counters are not watched, except link_failure_count.
//
// While the loop body runs, messages wait in the socket, whose size is
// [Config.ReadBuffer]. If they become too many, the kernel drops them: then
// everything is read, the differences to what was told before are told, and EventResynced
// after them. What happened in between is lost, and the state is right.
func (c *Client) Watch(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w := &watcher{
			c: c, told: newWatchModel(), now: newWatchModel(),
			touched: make(map[int]bool), dirty: make(map[int]bool), fresh: make(map[int]bool),
			yield: yield,
		}
		err := w.run(ctx)
		if err == nil || w.left {
			return
		}
		yield(Event{}, clientError("watch", "", err))
	}
}

// errWatchLeft is what the watcher returns through its own functions when the loop
// has been left.
var errWatchLeft = errors.New("loop left")

// watchBatch is what one Receive returned.
type watchBatch struct {
	messages []Message
	err      error
}

// watcher is one range over [Client.Watch].
//
// Messages are applied to the model "now" in the order in which they come, and what
// they lead to is told when they pause. A message may be older than what has
// been read since by a request, and would lead back to a state that is over.
// Therefore a link of which reading has shown something new is fresh until the messages
// pause: until then its messages are not believed, but make it be read again.
type watcher struct {
	c     *Client
	yield func(Event, error) bool
	left  bool

	// told is what the receiver knows, and now what is known here. touched are
	// the links in which they may differ.
	told, now *watchModel
	touched   map[int]bool

	// dirty are the links to read, and fresh those of which reading has shown
	// something new since the messages paused.
	dirty, fresh map[int]bool
	// lost says that everything has to be read.
	lost bool

	info LinkInfo // reused
}

// run is the whole watch. It returns errWatchLeft when the loop has been left.
func (w *watcher) run(ctx context.Context) error {
	sub, err := w.c.t.Subscribe(ctx)
	if err != nil {
		return err
	}
	receiving, cancel := context.WithCancel(ctx)
	batches, stopped := make(chan watchBatch), make(chan struct{})
	defer func() {
		cancel()
		_ = sub.Close() // Nothing was sent that could be lost.
		<-stopped
	}()
	go func() {
		defer close(stopped)
		watchReceive(receiving, sub, batches)
	}()

	if err := w.readAll(ctx); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.tell(Event{Kind: EventSynced}); err != nil {
		return err
	}
	return w.follow(ctx, batches)
}

// watchReceive hands over what arrives, one batch at a time, so that the rest waits in the
// kernel, where its size is bounded.
func watchReceive(ctx context.Context, sub Subscription, batches chan<- watchBatch) {
	for {
		messages, err := sub.Receive(ctx)
		select {
		case batches <- watchBatch{messages, err}:
		case <-ctx.Done():
			return
		}
		if err != nil && !watchLoss(err) {
			return
		}
	}
}

// watchLoss reports whether an error of Receive says that messages were lost, after which more
// can be received.
func watchLoss(err error) bool {
	return errors.Is(err, ErrOverrun) || errors.Is(err, ErrMalformed)
}

// follow tells what changes.
func (w *watcher) follow(ctx context.Context, batches <-chan watchBatch) error {
	poll := time.NewTimer(0)
	poll.Stop()
	defer poll.Stop()
	quiet := time.NewTimer(watchQuiet)
	defer quiet.Stop()
	since := time.Now() // when quiet was set
	polling := false
	for {
		if want := w.c.poll > 0 && len(w.now.bonds) > 0; want != polling {
			polling = want
			poll.Stop()
			if want {
				poll.Reset(w.c.poll)
			}
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case batch := <-batches:
			err = w.settle(ctx, batch, batches)
		case <-poll.C:
			w.pollAll()
			poll.Reset(w.c.poll)
		case <-quiet.C:
			// If that took too long, this process has not been running, and
			// messages may wait all the same.
			if time.Since(since) < 2*watchQuiet {
				clear(w.fresh)
				continue
			}
		}
		if err == nil {
			err = w.readDirty(ctx)
		}
		if err == nil {
			err = w.flush()
		}
		if err != nil {
			return err
		}
		// The loop body may have taken its time.
		quiet.Reset(watchQuiet)
		since = time.Now()
	}
}

// settle applies a batch and what follows it at once.
func (w *watcher) settle(ctx context.Context, batch watchBatch, batches <-chan watchBatch) error {
	end := time.NewTimer(watchSettleMax)
	defer end.Stop()
	pause := time.NewTimer(watchSettle)
	defer pause.Stop()
	for {
		if err := w.batch(ctx, batch); err != nil {
			return err
		}
		pause.Reset(watchSettle)
		select {
		case batch = <-batches:
		case <-pause.C:
			return nil
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// batch applies what one Receive returned.
func (w *watcher) batch(ctx context.Context, batch watchBatch) error {
	for _, m := range batch.messages {
		if err := w.message(m); err != nil {
			return err
		}
	}
	switch {
	case watchLoss(batch.err):
		w.lost = true
	case batch.err != nil:
		if err := ctx.Err(); err != nil {
			return err
		}
		return batch.err
	}
	if w.lost {
		return w.resync(ctx)
	}
	return nil
}

// resync reads everything and tells what is different.
func (w *watcher) resync(ctx context.Context) error {
	// What the messages before the loss have said is told first.
	if err := w.flush(); err != nil {
		return err
	}
	w.lost = false
	if err := w.readAll(ctx); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	return w.tell(Event{Kind: EventResynced})
}

// tell yields one event.
func (w *watcher) tell(e Event) error {
	if !w.yield(e, nil) {
		w.left = true
		return errWatchLeft
	}
	return nil
}

// flush tells in what the models differ, after which they do not.
func (w *watcher) flush() error {
	if len(w.touched) == 0 {
		return nil
	}
	events := watchDiff(w.told, w.now)
	for index := range w.touched {
		watchPut(w.told.bonds, index, w.now.bonds[index])
		watchPut(w.told.slaves, index, w.now.slaves[index])
	}
	clear(w.touched)
	for _, e := range events {
		if err := w.tell(e); err != nil {
			return err
		}
	}
	return nil
}

// untold returns the changes of a bond that have not been told. That a slave was
// active which has left since is not worth telling.
func (w *watcher) untold(index int) []watchChange {
	now := w.now.bonds[index]
	return slices.DeleteFunc(watchBondChanges(w.told.bonds[index], now), func(c watchChange) bool {
		return c.kind == EventActiveChanged && now.Active.Index != 0 && w.now.slave(now.Active.Index) == nil
	})
}

// watchPut sets an entry of a model, and deletes it where v is nil.
func watchPut[T any](m map[int]*T, index int, v *T) {
	if v == nil {
		delete(m, index)
		return
	}
	m[index] = v
}

// apply makes the state of one link that which is given, nil for none. What would
// be forgotten by that is told before.
func (w *watcher) apply(index int, b *Bond, s *Slave) error {
	bond := watchBondChanges(w.now.bonds[index], b)
	slave := watchSlaveChanges(w.now.slaves[index], s)
	if len(bond) == 0 && len(slave) == 0 {
		return nil
	}
	if w.touched[index] {
		if watchConflict(w.untold(index), bond) ||
			watchConflict(watchSlaveChanges(w.told.slaves[index], w.now.slaves[index]), slave) {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	watchPut(w.now.bonds, index, b)
	watchPut(w.now.slaves, index, s)
	w.touched[index] = true
	return nil
}
