// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/bondkit/bondkit/internal/rtnl"
)

const (
	// watchSettle is how long is waited for more of what belongs together.
	watchSettle = 2 * time.Millisecond
	// watchAway is how often a device is asked again that does not answer.
	watchAway = time.Second

	msgPrivFlagsNtf = 15
	rtmDelLink      = 17
)

// Watch yields what happens to the private flags of interfaces, or with no links given, to those of
// all interfaces in the namespace.
//
// Ranging over it subscribes to the kernel's notifications and reads the present state, which is
// told as FlagsAdded, by index. FlagsSynced follows, and then whatever changes, until the loop is left or
// an error ends it, which is yielded last, with a zero FlagEvent. When ctx ends, that is an error which
// matches the one of ctx. Leaving the loop releases the sockets and the goroutines behind it.
// Every range over it is a watch of its own, and the Client can be used meanwhile, also in the
// loop. After Close of the Client, the watch ends with an error that matches os.ErrClosed as soon as it has
// something to read.
//
// Events are differences between what was read: a notification only makes the flags be read again, and
// one that says nothing new is no event. The kernel announces changes that are made over
// netlink. Of those made by ioctl, as by older tools, it announces none, and in their place every
// reading by ioctl (net/ethtool/ioctl.c of all kernels so far). So the flags are also read again every
// [Config.PollInterval], and a change that was undone in between is never seen. On kernels older
// than 5.7 there is nothing but that.
//
// Without links given, only interfaces that have private flags are told of. Links that are given
// are told of also when they have none, and need not be there yet: they are told of as soon
// as they are. They are followed by index through a rename, and after FlagsRemoved by
// their last name. A device that does not answer, because it is suspended or its driver resets it, is
// asked again every second, and until it answers nothing is told of it. Without links given, so is one
// whose driver answers with an error.
//
// While the loop body runs, notifications wait. If they become too many, the kernel drops them:
// then everything is read, the differences to what was told before are told, and FlagsResynced after
// them.
func (c *Client) Watch(ctx context.Context, links ...Link) iter.Seq2[FlagEvent, error] {
	return func(yield func(FlagEvent, error) bool) {
		w := &flagWatcher{c: c, yield: yield, known: make(map[int]*watchedLink), away: make(map[int]bool), all: len(links) == 0}
		for _, l := range links {
			w.wants = append(w.wants, &watchWant{link: l})
		}
		err := w.run(ctx)
		if err != nil && !w.left {
			yield(FlagEvent{}, opError("watch", Link{}, err))
		}
	}
}

// errWatchLeft is what the watcher returns through its own functions when the loop has been left.
var errWatchLeft = errors.New("loop left")

// watchWant is one link that was given.
type watchWant struct {
	link Link
	// index is that of the interface it has turned out to be, 0 for none now.
	index int
}

// could reports whether an interface can be the one that is wanted, of which there is none
// now.
func (w *watchWant) could(l *rtnl.Link) bool {
	return w.index == 0 && (w.link.Index == 0 || w.link.Index == l.Index) && (w.link.Name == "" || w.link.Name == l.Name)
}

// watchedLink is what is known of one interface.
type watchedLink struct {
	link  Link
	flags Flags
	// told says that the receiver knows of it.
	told bool
}

// watchBatch is what one Receive returned.
type watchBatch struct {
	family   string
	messages []Message
	err      error
}

// flagWatcher is one range over [Client.Watch].
type flagWatcher struct {
	c     *Client
	yield func(FlagEvent, error) bool
	left  bool

	all   bool
	wants []*watchWant
	known map[int]*watchedLink
	// away are the interfaces whose device did not answer.
	away map[int]bool
}

// run is the whole watch. It returns errWatchLeft when the loop has been left.
func (w *flagWatcher) run(ctx context.Context) error {
	for _, want := range w.wants {
		if (want.link == Link{}) || want.link.Index < 0 {
			return &Error{Err: ErrBadValue, Hint: "a link to watch has neither index nor name"}
		}
	}
	receiving, cancel := context.WithCancel(ctx)
	batches := make(chan watchBatch)
	var subs []Subscription
	var running sync.WaitGroup
	defer func() {
		cancel()
		for _, sub := range subs {
			_ = sub.Close() // Nothing was sent that could be lost.
		}
		running.Wait()
	}()
	for _, group := range []struct{ family, name string }{{FamilyEthtool, GroupMonitor}, {FamilyRoute, GroupLink}} {
		sub, err := w.c.subscribe(ctx, group.family, group.name)
		if errors.Is(err, ErrKernelTooOld) {
			if group.family == FamilyEthtool && w.c.poll < 0 {
				return &Error{Err: err, Hint: "without notifications, changes are seen by polling only, and Config.PollInterval forbids that"}
			}
			continue
		}
		if err != nil {
			return err
		}
		subs = append(subs, sub)
		running.Go(func() { watchReceive(receiving, group.family, sub, batches) })
	}

	if err := w.readAll(ctx); err != nil {
		return err
	}
	if err := w.tell(FlagEvent{Kind: FlagsSynced}); err != nil {
		return err
	}
	return w.follow(ctx, batches)
}

// subscribe bounds the request for a subscription.
func (c *Client) subscribe(ctx context.Context, family, group string) (Subscription, error) {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	return c.t.Subscribe(ctx, family, group)
}

// watchReceive hands over what arrives, one batch at a time, so that the rest waits in the kernel, where
// its size is bounded.
func watchReceive(ctx context.Context, family string, sub Subscription, batches chan<- watchBatch) {
	for {
		messages, err := sub.Receive(ctx)
		select {
		case batches <- watchBatch{family, messages, err}:
		case <-ctx.Done():
			return
		}
		if err != nil && !watchLoss(err) {
			return
		}
	}
}

// watchLoss reports whether an error of Receive says that notifications were lost, after which more
// can be received.
func watchLoss(err error) bool { return errors.Is(err, ErrOverrun) || errors.Is(err, ErrMalformed) }

// follow tells what changes.
func (w *flagWatcher) follow(ctx context.Context, batches <-chan watchBatch) error {
	var polls <-chan time.Time
	if w.c.poll > 0 {
		poll := time.NewTicker(w.c.poll)
		defer poll.Stop()
		polls = poll.C
	}
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	retrying := false
	for {
		if want := len(w.away) > 0; want != retrying {
			retrying = want
			retry.Stop()
			if want {
				retry.Reset(watchAway)
			}
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case batch := <-batches:
			err = w.batches(ctx, batch, batches)
		case <-polls:
			err = w.readAll(ctx)
		case <-retry.C:
			err = w.readAway(ctx)
			retry.Reset(watchAway)
		}
		if err != nil {
			return err
		}
	}
}

// batches reads again what a batch, and those that follow it at once, are about.
func (w *flagWatcher) batches(ctx context.Context, batch watchBatch, more <-chan watchBatch) error {
	dirty, lost := make(map[int]bool), false
	settled := time.NewTimer(watchSettle)
	defer settled.Stop()
	for done := false; !done; {
		if batch.err != nil && !watchLoss(batch.err) {
			if err := ctx.Err(); err != nil {
				return err
			}
			return batch.err
		}
		lost = lost || batch.err != nil
		for _, m := range batch.messages {
			index, ok := w.about(batch.family, m)
			if !ok {
				lost = true
			} else if index != 0 {
				dirty[index] = true
			}
		}
		batch = watchBatch{}
		select {
		case batch = <-more:
		case <-settled.C:
			done = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if lost {
		if err := w.readAll(ctx); err != nil {
			return err
		}
		return w.tell(FlagEvent{Kind: FlagsResynced})
	}
	return w.readSome(ctx, dirty)
}

// about returns the index of the interface that must be read because of a message, 0 for none. ok is
// false where the message cannot be read.
func (w *flagWatcher) about(family string, m Message) (index int, ok bool) {
	if family == FamilyEthtool {
		if m.Command != msgPrivFlagsNtf {
			return 0, true
		}
		for a, err := range attrs(m.Attrs) {
			if err != nil {
				return 0, false
			}
			if a.typ == privFlagsHeader {
				l, err := parseEthtoolHeader(a.data)
				return l.Index, err == nil && l.Index > 0
			}
		}
		return 0, false
	}
	l, mine, err := rtnl.ParseLink(m.Attrs)
	switch {
	case err != nil:
		return 0, false
	case !mine || m.Command != rtmNewLink && m.Command != rtmDelLink:
		return 0, true
	}
	k := w.known[l.Index]
	switch {
	case k == nil && !w.all && !w.maybe(&l):
		return 0, true
	case k != nil && k.link.Name == l.Name && m.Command == rtmNewLink && !w.away[l.Index]:
		return 0, true // Carrier and the like, which are not watched.
	}
	return l.Index, true
}

// tell yields one event.
func (w *flagWatcher) tell(e FlagEvent) error {
	if !w.yield(e, nil) {
		w.left = true
		return errWatchLeft
	}
	return nil
}
