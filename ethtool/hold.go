// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/bondkit/bondkit/internal/escape"
)

// ErrHeld says that the setting is held already, by a Hold of the same Client or one with the
// same journal. It matches os.ErrExist.
var ErrHeld error = &meaning{"the setting is held already", os.ErrExist}

// holdUndo bounds what is done to leave nothing behind when holding fails, which may be because the
// caller's context has ended. holdUndoEvery is how often it is tried meanwhile.
const (
	holdUndo      = 10 * time.Second
	holdUndoEvery = 100 * time.Millisecond
)

// HoldConfig says more about a Hold. The zero HoldConfig, and a nil one, keep no
// journal.
type HoldConfig struct {
	// Journal is the path of a file in which is kept what to restore, so that
	// [Client.Repair] can do it if this process does not live to call Release. It
	// is made with mode 0600 before the setting is changed, and is on the disk then, and
	// is removed with its last entry. While there are entries, a file with the suffix
	// ".lock" is beside it. Its directory must exist. Several Holds, and several processes, can
	// have one journal; those of different network namespaces cannot. Journals need Linux.
	//
	// A journal that is damaged, that is no file, that others may write to or that belongs to
	// another user is refused (ErrJournal).
	Journal string
}

// setting is one setting of an interface, and the value that it is to have.
type setting struct {
	control     Control
	name, value string
}

// Hold is a setting that has been changed, and what to put back. It is safe for concurrent use.
type Hold struct {
	c      *Client
	device holdDevice
	set    setting
	change Change
	path   string // of the journal, "" without one
	id     int64  // of the entry in it
	claim  io.Closer

	mu       sync.Mutex
	released bool
	restored Change
	err      error // of Release, where that is final
}

// Hold sets a private flag as [Client.SetFlag] does, until [Hold.Release] puts it
// back. A nil cfg is the zero HoldConfig.
//
//	h, err := c.Hold(ctx, ethtool.Link{Name: "eth0"}, "disable-source-pruning", true, nil)
//	if err != nil { ... }
//	defer h.Release(context.WithoutCancel(ctx))
//
// A flag that has the value already is not set, and not put back either. A setting
// can be held once: a second Hold of it fails with ErrHeld, whatever value it wants, as otherwise the
// first Release would take away what the second still needs. That is so among the Holds of one
// Client, and among those with one journal; an entry of a process that has died counts
// until [Client.Repair].
//
// If the flag was changed and that then turns out to be an error, the flag is put back
// as far as that can be done. The error is as that of SetFlag, or matches ErrHeld or ErrJournal.
func (c *Client) Hold(ctx context.Context, link Link, flag string, on bool, cfg *HoldConfig) (*Hold, error) {
	h, err := c.hold(ctx, link, setting{control: ControlPrivateFlag, name: flag, value: onOff(on)}, cfg)
	return h, opError("hold", link, err)
}

// hold is Hold for any setting. The zero setting holds nothing.
func (c *Client) hold(ctx context.Context, link Link, set setting, cfg *HoldConfig) (*Hold, error) {
	if set.control == 0 {
		return &Hold{change: Change{Link: link, Verified: true}, restored: Change{Link: link, Verified: true}, released: true}, nil
	}
	if cfg == nil {
		cfg = &HoldConfig{}
	}
	l, err := c.resolve(ctx, link)
	if err != nil {
		return nil, err
	}
	device, err := c.holdDevice(ctx, &l)
	if err != nil && (!isRefusal(err) || !device.known()) {
		return nil, err
	}
	h := &Hold{c: c, device: device, set: set, path: cfg.Journal}
	if !c.holds.add(h.key()) {
		return nil, ErrHeld
	}
	if err := h.begin(ctx); err != nil {
		c.holds.remove(h.key())
		return nil, err
	}
	return h, nil
}

func (h *Hold) key() holdKey { return holdKey{h.device.Link.Index, h.set.control, h.set.name} }

// link is the interface, whatever its name is by now.
func (h *Hold) link() Link { return Link{Index: h.device.Link.Index} }

// begin makes the change, after the entry in the journal for it.
func (h *Hold) begin(ctx context.Context) error {
	before, err := h.c.readSetting(ctx, h.link(), h.set.control, h.set.name)
	if err != nil {
		return err
	}
	h.change = Change{
		Link: h.device.Link, Control: h.set.control, Name: h.set.name, Before: before, After: before, Verified: true,
	}
	if err := h.enter(ctx, before); err != nil || before == h.set.value {
		return err
	}
	change, err := h.c.writeSetting(ctx, h.link(), h.set.control, h.set.name, h.set.value)
	if err != nil {
		return h.undone(err, h.undo(ctx, before))
	}
	h.change = change
	if !change.Changed {
		// Somebody else has made it so since it was read.
		return h.leave(ctx)
	}
	return nil
}

// undo leaves nothing behind of a change that went wrong.
func (h *Hold) undo(ctx context.Context, before string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), holdUndo)
	defer cancel()
	again := time.NewTicker(holdUndoEvery)
	defer again.Stop()
	h.change.Before, h.change.Changed = before, true
	_, err := h.restore(ctx)
	for ctx.Err() == nil && (errors.Is(err, ErrDeviceAway) || errors.Is(err, ErrBusy)) {
		select {
		case <-again.C:
			if _, now := h.restore(ctx); ctx.Err() == nil || now == nil {
				err = now
			}
		case <-ctx.Done():
		}
	}
	if err == nil || errors.Is(err, ErrNotOurs) || errors.Is(err, ErrNoDevice) {
		return h.leave(ctx)
	}
	h.close() // Repair may have it.
	return err
}

// undone is the error of a change that went wrong, and of what was done to undo it.
func (h *Hold) undone(err, undo error) error {
	if undo == nil {
		return err
	}
	e, ok := err.(*Error) //nolint:errorlint // what wraps one must not be lost
	if !ok {
		e = &Error{Err: err}
	}
	c := *e
	c.Err = fmt.Errorf("%w; and it could not be put back: %w", e.Err, causeOf(undo))
	if h.path != "" {
		c.Hint = "the journal has it; Repair puts it back"
	}
	return &c
}

// enter makes the entry in the journal, if there is one and there will be something to restore.
// Otherwise it only sees whether there is an entry for the setting.
func (h *Hold) enter(ctx context.Context, before string) error {
	if h.path == "" {
		return nil
	}
	j, err := openJournal(ctx, h.path)
	if err != nil {
		return err
	}
	defer j.unlock()
	entries, err := j.read()
	if err != nil {
		return err
	}
	boot, err := bootID()
	if err != nil {
		return err
	}
	name := escape.Text(h.set.name)
	for _, e := range entries {
		if e.Boot != boot || e.Device.Link.Index != h.device.Link.Index || e.Control != h.set.control || e.Name != name {
			continue
		}
		alive, err := j.alive(e.ID)
		switch {
		case err != nil:
			return err
		case alive:
			return &Error{Err: ErrHeld, Hint: "by a Hold with the same journal"}
		}
		return &Error{Err: ErrHeld, Hint: "its process has died; Repair puts back what it left"}
	}
	if before == h.set.value {
		if len(entries) == 0 {
			return j.write(nil)
		}
		return nil
	}
	e := journalEntry{
		ID: freeJournalID(entries), Boot: boot, Device: h.device,
		Control: h.set.control, Name: name, Before: before, Value: h.set.value,
	}
	if err := e.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	claim, err := j.claim(e.ID)
	if err != nil {
		return err
	}
	if err := j.write(append(entries, e)); err != nil {
		return errors.Join(err, claim.Close())
	}
	h.id, h.claim = e.ID, claim
	return nil
}

// leave removes the entry from the journal.
func (h *Hold) leave(ctx context.Context) error {
	if h.claim == nil {
		return nil
	}
	j, err := openJournal(ctx, h.path)
	if err != nil {
		return err
	}
	defer j.unlock()
	entries, err := j.read()
	if err != nil {
		return err
	}
	kept := entries[:0:0]
	for _, e := range entries {
		if e.ID != h.id {
			kept = append(kept, e)
		}
	}
	if err := j.write(kept); err != nil {
		return err
	}
	h.close()
	return nil
}

// close gives up the lock of the entry.
func (h *Hold) close() {
	if h.claim != nil {
		_ = h.claim.Close() // Nothing was written to it.
		h.claim = nil
	}
}

// Change returns what Hold did. Where it has not Changed, Release will do
// nothing.
func (h *Hold) Change() Change { return h.change }

// Release puts back what [Client.Hold] changed, and returns what it did. If the setting is not what
// Hold made it, somebody else has changed it since, and it is left alone: the error matches
// ErrNotOurs then, unless it is what it was before Hold. It matches ErrNoDevice if the interface is gone,
// or its index belongs to another by now. Then, and after success, the Hold is over, and Release
// returns the same again; after another error it can be called again.
//
// Between looking and putting back, somebody else could still change it: the kernel
// cannot do both at once.
func (h *Hold) Release(ctx context.Context) (Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released {
		return h.restored, h.err
	}
	change, err := h.restore(ctx)
	if err != nil && !errors.Is(err, ErrNotOurs) && !errors.Is(err, ErrNoDevice) {
		return change, opError("release", h.device.Link, err)
	}
	if lerr := h.leave(ctx); lerr != nil {
		return change, opError("release", h.device.Link, errors.Join(err, lerr))
	}
	h.c.holds.remove(h.key())
	h.released, h.restored, h.err = true, change, opError("release", h.device.Link, err)
	return change, h.err
}

// restore puts the setting back, if it is still ours.
func (h *Hold) restore(ctx context.Context) (Change, error) {
	if !h.change.Changed {
		return h.change, nil
	}
	return h.c.restore(ctx, &h.device, h.set, h.change.Before)
}

// restore makes a setting what it was before, if it is what set says.
func (c *Client) restore(ctx context.Context, device *holdDevice, set setting, before string) (Change, error) {
	link := Link{Index: device.Link.Index}
	change := Change{Link: device.Link, Control: set.control, Name: set.name}
	l, err := c.sameDevice(ctx, device)
	if err != nil {
		return change, err
	}
	change.Link = linkOf(&l)
	now, err := c.readSetting(ctx, link, set.control, set.name)
	if err != nil {
		return change, err
	}
	change.Before, change.After = now, now
	switch now {
	case before:
		change.Verified = true
		return change, nil
	case set.value:
		return c.writeSetting(ctx, link, set.control, set.name, before)
	}
	return change, fmt.Errorf("%w: it is %s", ErrNotOurs, printable(now))
}
