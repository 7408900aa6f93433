// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"fmt"
	"strings"
)

// SetSourcePruning has an interface drop what it receives from its own MAC address, or no
// longer. Where it is so already, nothing is done, and Change.Changed is false. Otherwise the
// setting that [Client.SourcePruning] shows is changed and read back, and then the verdict is
// made anew.
//
// It may be the setting of another interface (Pruning.Below), which Change.Link names, and
// to change it may reset the port (Pruning.Resets), which
// Change.CarrierChanges shows. Of a bond only one slave should be
// without carrier at a time, backups first. Where two have a say, as with a macvlan of mode vepa on a
// NIC that prunes, it does one at a time: the error matches ErrNotVerified, and
// the next call does the other. What is set here is lost at the next start of
// the machine, or of the driver.
//
// The error matches ErrHardWired where nothing on this machine changes it, with Error.Workarounds;
// ErrPruningUnknown where nothing is known about the driver; and ErrNotVerified where
// the setting was accepted and still does not mean what was asked for. The Change is
// valid with that error too.
func (c *Client) SetSourcePruning(ctx context.Context, link Link, prune bool) (Change, error) {
	change, err := c.setPruning(ctx, link, prune)
	return change, opError(pruningOp(prune), link, err)
}

func pruningOp(prune bool) string { return "set source pruning " + onOff(prune) }

func (c *Client) setPruning(ctx context.Context, link Link, prune bool) (Change, error) {
	v, err := c.pruning(ctx, link, maxPruningDepth)
	if err != nil {
		return Change{}, err
	}
	on, done, err := v.change(prune)
	if err != nil {
		return Change{}, err
	}
	if done {
		return Change{Link: on, Control: v.Control, Name: v.Name, Before: v.Value, After: v.Value, Verified: true}, nil
	}
	change, err := c.writeSetting(ctx, Link{Index: on.Index}, v.Control, v.Name, v.setting(prune))
	if err != nil {
		return change, opError("", on, err)
	}
	return change, c.verifyPruning(ctx, v.Link, prune, change)
}

// verifyPruning reads whether a change has done what it was made for.
func (c *Client) verifyPruning(ctx context.Context, link Link, prune bool, change Change) error {
	v, err := c.pruning(ctx, Link{Index: link.Index}, maxPruningDepth)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotVerified, causeOf(err))
	}
	switch {
	case v.State == pruningWanted(prune):
		return nil
	case v.belowUnknown && !prune:
		return nil // The device itself drops nothing any more, and nothing else is known.
	case v.skipsReset && change.CarrierChanges > 0:
		return nil // The reset was seen.
	}
	return &Error{Err: ErrNotVerified, Flag: change.Name, Hint: v.Reason, Workarounds: v.Workarounds}
}

func pruningWanted(prune bool) PruningState {
	if prune {
		return Prunes
	}
	return Delivers
}

// change returns the interface whose setting is to be changed, or that nothing has to be
// done.
func (p *Pruning) change(prune bool) (on Link, done bool, err error) {
	on = p.Link
	if p.Below != (Link{}) {
		on = p.Below
	}
	switch {
	case p.State == pruningWanted(prune):
		return on, true, nil
	case p.Control != controlNone && p.Control != ControlHost:
		return on, false, nil
	case p.State == Prunes:
		return on, false, &Error{
			Err: fmt.Errorf("%w: %s", ErrHardWired, p.Reason), Hint: adviceText(p.Workarounds), Workarounds: p.Workarounds,
		}
	case p.State == Delivers:
		return on, false, &Error{Err: ErrHardWired, Hint: "it delivers, and cannot be told to prune"}
	}
	return on, false, &Error{
		Err: fmt.Errorf("%w: %s", ErrPruningUnknown, p.Reason), Hint: adviceText(p.Workarounds), Workarounds: p.Workarounds,
	}
}

// adviceText returns what helps as one sentence.
func adviceText(workarounds []Workaround) string {
	var advice []string
	for _, w := range workarounds {
		if s := w.Advice(); s != "" {
			advice = append(advice, s)
		}
	}
	return strings.Join(advice, "; or ")
}
