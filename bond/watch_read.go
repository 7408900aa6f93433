// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"slices"
	"time"
)

// message applies one message. It says of what it cannot believe that it is to be
// read.
func (w *watcher) message(m Message) error {
	if m.Type != rtmNewLink && m.Type != rtmDelLink {
		return nil
	}
	if len(m.Data) < ifInfoLen {
		w.lost = true // Nobody knows what it was about.
		return nil
	}
	if m.Data[0] != 0 {
		return nil // AF_BRIDGE: about a port of a bridge, not about the link.
	}
	index := int(int32(binary.NativeEndian.Uint32(m.Data[4:])))
	oldBond, oldSlave := w.now.bonds[index], w.now.slaves[index]

	var b *Bond
	var s *Slave
	if m.Type == rtmNewLink {
		var err error
		if b, s, err = watchDecode(m.Data, &w.info); err != nil {
			w.dirty[index] = true
			return nil
		}
	}
	if b == nil && s == nil && oldBond == nil && oldSlave == nil {
		return nil
	}
	// The kernel does not announce all that a change in a slave means for its bond.
	if oldSlave != nil {
		w.dirty[oldSlave.Master] = true
	}
	if s != nil {
		w.dirty[s.Master] = true
	}
	if w.fresh[index] {
		// A link that was deleted and made again looks the same here, but has
		// been read as what it is.
		if len(watchBondChanges(oldBond, b)) > 0 || len(watchSlaveChanges(oldSlave, s)) > 0 {
			w.dirty[index] = true
		}
		return nil
	}
	if b != nil {
		if watchMend(oldBond, b) {
			w.dirty[index] = true
		}
		if oldBond != nil && oldBond.Active.Index != b.Active.Index {
			w.dirtySlave(oldBond.Active.Index)
			w.dirtySlave(b.Active.Index)
		}
	}
	return w.apply(index, b, s)
}

// dirtySlave has a slave read.
func (w *watcher) dirtySlave(index int) {
	if w.now.slaves[index] != nil {
		w.dirty[index] = true
	}
}

// watchMend makes b, from a message, what a request would have read, and reports whether it
// should be read. In a message the kernel shows ad_actor_sys_prio, ad_user_port_key and
// ad_actor_system by the privilege of whoever made the change (bond_fill_info in
// bond_netlink.c asks for the capability of the current task), in an answer by ours.
func watchMend(old, b *Bond) (read bool) {
	if b.Mode != Mode8023AD {
		return false
	}
	for _, opt := range [...]Option{OptionADActorSysPrio, OptionADUserPortKey, OptionADActorSystem} {
		known := old != nil && old.Mode == Mode8023AD
		switch {
		case known && old.Has(opt) && b.Has(opt):
			continue
		case known && old.Has(opt):
			b.has |= 1 << opt
			watchCopyADActor(b, old, opt)
			read = true
		default:
			b.has &^= 1 << opt
			watchCopyADActor(b, &Bond{}, opt)
			read = read || !known
		}
	}
	return read
}

// watchCopyADActor copies the value of one of the options of [watchMend].
func watchCopyADActor(to, from *Bond, opt Option) {
	switch opt {
	case OptionADActorSysPrio:
		to.ADActorSysPrio = from.ADActorSysPrio
	case OptionADUserPortKey:
		to.ADUserPortKey = from.ADUserPortKey
	case OptionADActorSystem:
		to.ADActorSystem = from.ADActorSystem
	default: // There are no others.
	}
}

// watchDecode reads a link as a bond, as a slave, as both or, with nil, as neither. It
// uses info.
func watchDecode(body []byte, info *LinkInfo) (b *Bond, s *Slave, err error) {
	if err := info.Decode(body); err != nil {
		return nil, nil, err
	}
	if info.Kind == kindBond {
		b = new(Bond)
		if err := b.Decode(body); err != nil {
			return nil, nil, err
		}
	}
	if info.MasterKind == kindBond && info.Master != 0 {
		s = new(Slave)
		switch err := s.Decode(body); {
		case errors.Is(err, ErrNotSlave):
			s = nil
		case err != nil:
			return nil, nil, err
		}
	}
	return b, s, nil
}

// readDirty reads the dirty links, and the bonds of the slaves that turn up.
func (w *watcher) readDirty(ctx context.Context) error {
	for len(w.dirty) > 0 {
		if len(w.dirty) > watchMany {
			return w.readAll(ctx)
		}
		indexes := slices.Sorted(maps.Keys(w.dirty))
		clear(w.dirty)
		for _, index := range indexes {
			b, s, err := w.readLink(ctx, index)
			if err != nil {
				return err
			}
			if err := w.applyRead(index, b, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// applyRead applies what a request has read. Where that is nothing new, messages that
// wait are the way to it and can be believed.
func (w *watcher) applyRead(index int, b *Bond, s *Slave) error {
	if len(watchBondChanges(w.now.bonds[index], b)) > 0 || len(watchSlaveChanges(w.now.slaves[index], s)) > 0 {
		w.fresh[index] = true
	}
	if s != nil && w.now.bonds[s.Master] == nil && !w.fresh[s.Master] {
		w.dirty[s.Master] = true
	}
	return w.apply(index, b, s)
}

// readLink reads one link. It is neither bond nor slave where there is none of that
// index.
func (w *watcher) readLink(ctx context.Context, index int) (*Bond, *Slave, error) {
	body, err := w.c.lookup(ctx, Link{Index: index})
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	}
	return watchDecode(body, &w.info)
}

// readAll reads all bonds and slaves, in one dump of all links: the kernel can filter
// bonds, but not the slaves of all of them.
func (w *watcher) readAll(ctx context.Context) error {
	messages, err := watchRetry(ctx, func(ctx context.Context) ([]Message, error) {
		return w.c.dump(ctx, &linkRequest{extMask: true})
	})
	if err != nil {
		return err
	}
	clear(w.dirty)
	gone := make(map[int]bool)
	for index := range w.now.bonds {
		gone[index] = true
	}
	for index := range w.now.slaves {
		gone[index] = true
	}
	for _, m := range messages {
		b, s, err := watchDecode(m.Data, &w.info)
		if err != nil {
			return err
		}
		delete(gone, w.info.Index)
		if err := w.applyRead(w.info.Index, b, s); err != nil {
			return err
		}
	}
	for index := range gone {
		if err := w.applyRead(index, nil, nil); err != nil {
			return err
		}
	}
	clear(w.dirty) // Slaves that came before their bond.
	return nil
}

// watchRetry calls a dump again and again that is disturbed by changes. A host that is busy
// changing links is one that is worth watching.
func watchRetry[T any](ctx context.Context, dump func(context.Context) (T, error)) (T, error) {
	for try := 1; ; try++ {
		v, err := dump(ctx)
		if !errors.Is(err, ErrInterrupted) || try == watchTries {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(watchPause):
		}
	}
}

// pollAll has every bond and slave read. The kernel announces no change of LACP state
// for a bond; netdev_state_change of net/core/dev.c announces the options only of what is up;
// and do_setlink of net/core/rtnetlink.c announces nothing of a request that failed half
// way.
func (w *watcher) pollAll() {
	for index := range w.now.bonds {
		w.dirty[index] = true
	}
	for index := range w.now.slaves {
		w.dirty[index] = true
	}
}
