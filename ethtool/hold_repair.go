// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Repair puts back what Holds with this journal have changed whose process died without
// Release, and returns a Change for each of them. It does so for the settings that are as such a
// Hold left them, on the interface that it was then. Others have been changed by somebody else
// since, with the interface gone or the machine booted: they are left alone, and their Change
// says that nothing was changed. Entries of Holds that live are left as they are, so Repair
// can be called any time; the best time is before the first Hold of a program.
//
// What could not be put back, for example without privilege, stays in the journal, and the error says
// why; the others are done all the same. A journal that does not exist has nothing to repair. One
// that cannot be used (ErrJournal) changes nothing. If there is no use for it any more, remove it.
func (c *Client) Repair(ctx context.Context, journal string) ([]Change, error) {
	changes, err := c.repair(ctx, journal)
	return changes, opError("repair", Link{}, err)
}

func (c *Client) repair(ctx context.Context, path string) ([]Change, error) {
	if path == "" {
		return nil, fmt.Errorf("%w: no journal is named", ErrBadValue)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	j, err := openJournal(ctx, path)
	if err != nil {
		return nil, err
	}
	defer j.unlock()
	entries, err := j.read()
	if err != nil {
		return nil, err
	}
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	var changes []Change
	var errs []error
	kept := entries[:0:0]
	for _, e := range entries {
		alive, err := j.alive(e.ID)
		if alive || err != nil {
			kept, errs = append(kept, e), append(errs, err)
			continue
		}
		change, err := c.repairEntry(ctx, boot, &e)
		changes = append(changes, change)
		if err != nil {
			kept, errs = append(kept, e), append(errs, opError("repair", e.Device.Link, err))
		}
	}
	if len(kept) < len(entries) || len(entries) == 0 {
		errs = append(errs, j.write(kept))
	}
	return changes, errors.Join(errs...)
}

// repairEntry puts back what one entry says. An error says that it is to be tried again.
func (c *Client) repairEntry(ctx context.Context, boot string, e *journalEntry) (Change, error) {
	set, err := e.setting()
	if err != nil {
		return Change{}, err
	}
	if e.Boot != boot {
		// Drivers begin with their own values after a boot, and an index is another's.
		return Change{Link: e.Device.Link, Control: set.control, Name: set.name}, nil
	}
	change, err := c.restore(ctx, &e.Device, set, e.Before)
	switch {
	case errors.Is(err, ErrNotOurs), errors.Is(err, ErrNoDevice):
	case errors.Is(err, ErrNoPrivateFlags), errors.Is(err, ErrUnknownFlag):
		// The driver is not the one that it was.
	default:
		return change, err
	}
	return change, nil
}
