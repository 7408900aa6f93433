// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// watchMany is how many interfaces are asked one by one, and more in a dump.
const watchMany = 8

// wanted reports whether an interface is watched, and remembers by which of the links
// given. Those that have it already come first, so that another interface is not taken for
// theirs which has got its old name.
func (w *flagWatcher) wanted(l *rtnl.Link) bool {
	if w.all {
		return true
	}
	for _, want := range w.wants {
		if want.index == l.Index {
			return true
		}
	}
	found := false
	for _, want := range w.wants {
		if want.could(l) {
			want.index, found = l.Index, true
		}
	}
	return found
}

// maybe reports whether an interface, of which a message tells, may be one that is wanted when
// the messages before it have been looked at.
func (w *flagWatcher) maybe(l *rtnl.Link) bool {
	for _, want := range w.wants {
		k := w.known[want.index]
		if want.could(l) || k != nil && k.link.Name == l.Name {
			return true
		}
	}
	return false
}

// readAll reads everything, and tells what is different.
func (w *flagWatcher) readAll(ctx context.Context) error {
	links, err := w.c.links(ctx)
	if err != nil {
		return err
	}
	there := make(map[int]*rtnl.Link)
	for i := range links {
		there[links[i].Index] = &links[i]
	}
	if err := w.gone(there); err != nil {
		return err
	}
	maps.DeleteFunc(there, func(_ int, l *rtnl.Link) bool { return !w.wanted(l) })
	return w.read(ctx, there)
}

// readAway asks the devices again that did not answer.
func (w *flagWatcher) readAway(ctx context.Context) error {
	return w.readSome(ctx, maps.Clone(w.away))
}

// readSome reads some interfaces, and tells what is different.
func (w *flagWatcher) readSome(ctx context.Context, dirty map[int]bool) error {
	there := make(map[int]*rtnl.Link)
	for _, index := range slices.Sorted(maps.Keys(dirty)) {
		l, err := w.c.resolve(ctx, Link{Index: index})
		switch {
		case err == nil:
			there[index] = &l
		case errors.Is(err, ErrNoDevice):
			if err := w.remove(index); err != nil {
				return err
			}
		default:
			return err
		}
	}
	maps.DeleteFunc(there, func(_ int, l *rtnl.Link) bool { return !w.wanted(l) })
	return w.read(ctx, there)
}

// gone tells of the interfaces that are not there any more.
func (w *flagWatcher) gone(there map[int]*rtnl.Link) error {
	for _, index := range slices.Sorted(maps.Keys(w.known)) {
		if there[index] == nil {
			if err := w.remove(index); err != nil {
				return err
			}
		}
	}
	maps.DeleteFunc(w.away, func(index int, _ bool) bool { return there[index] == nil })
	return nil
}

// remove forgets an interface.
func (w *flagWatcher) remove(index int) error {
	k := w.known[index]
	delete(w.known, index)
	delete(w.away, index)
	for _, want := range w.wants {
		if want.index == index {
			want.index = 0
			if k != nil {
				want.link = Link{Name: k.link.Name}
			}
		}
	}
	if k == nil || !k.told {
		return nil
	}
	return w.tell(FlagEvent{Kind: FlagsRemoved, Link: k.link, Flags: k.flags})
}

// read reads the flags of interfaces, and tells what is different, in the order of their
// index.
func (w *flagWatcher) read(ctx context.Context, there map[int]*rtnl.Link) error {
	indexes := slices.Sorted(maps.Keys(there))
	var dumped map[int]Flags
	if len(indexes) > watchMany {
		// One device that is away spoils a dump, and an old kernel has none.
		if all, err := w.c.allFlags(ctx); err == nil {
			dumped = make(map[int]Flags)
			for _, f := range all {
				dumped[f.link.Index] = f.flags
			}
		}
	}
	for _, index := range indexes {
		l := there[index]
		flags, ok := dumped[index]
		if dumped == nil || !ok && w.hasFlags(index) {
			var err error
			flags, _, err = w.c.readFlags(ctx, l)
			switch {
			case err == nil, errors.Is(err, ErrNoPrivateFlags):
			case errors.Is(err, ErrNoDevice):
				if err := w.remove(index); err != nil {
					return err
				}
				continue
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, ErrDeviceAway), errors.Is(err, ErrBusy), errors.Is(err, context.DeadlineExceeded):
				w.away[index] = true
				continue
			case w.all && isRefusal(err):
				// One driver that fails is no reason to be silent about the others.
				w.away[index] = true
				continue
			default:
				return err
			}
		}
		delete(w.away, index)
		if err := w.learn(linkOf(l), flags); err != nil {
			return err
		}
	}
	return nil
}

// isRefusal reports whether an error is the kernel's answer, and not about the Client.
func isRefusal(err error) bool {
	_, ok := errors.AsType[*KernelError](err)
	return ok
}

// hasFlags reports whether an interface is known to have flags.
func (w *flagWatcher) hasFlags(index int) bool {
	k := w.known[index]
	return k != nil && len(k.flags) > 0
}

// learn tells in what an interface is different from what was known.
func (w *flagWatcher) learn(link Link, flags Flags) error {
	k := w.known[link.Index]
	if k == nil {
		k = &watchedLink{}
		w.known[link.Index] = k
	}
	old := *k
	k.link, k.flags = link, flags
	if !old.told {
		if w.all && len(flags) == 0 {
			return nil
		}
		k.told = true
		return w.tell(FlagEvent{Kind: FlagsAdded, Link: link, Flags: watchFlags(flags)})
	}
	if old.link.Name != link.Name {
		if err := w.tell(FlagEvent{Kind: FlagsRenamed, Link: link, OldName: old.link.Name, Flags: watchFlags(flags)}); err != nil {
			return err
		}
	}
	if changes := flagChanges(old.flags, flags); len(changes) > 0 {
		return w.tell(FlagEvent{Kind: FlagsChanged, Link: link, Flags: watchFlags(flags), Changed: changes})
	}
	return nil
}

// watchFlags returns a copy for the receiver, which is not nil.
func watchFlags(flags Flags) Flags { return append(Flags{}, flags...) }
