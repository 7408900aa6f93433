// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
)

// HoldSourcePruning is like [Client.SetSourcePruning] until [Hold.Release], which gives the setting
// its value back unless somebody else has changed it since. A nil cfg is the
// zero HoldConfig. Where the change is made and not verified, it is undone before
// HoldSourcePruning returns.
func (c *Client) HoldSourcePruning(ctx context.Context, link Link, prune bool, cfg *HoldConfig) (*Hold, error) {
	h, err := c.holdPruning(ctx, link, prune, cfg)
	return h, opError("hold source pruning "+onOff(prune), link, err)
}

func (c *Client) holdPruning(ctx context.Context, link Link, prune bool, cfg *HoldConfig) (*Hold, error) {
	v, err := c.pruning(ctx, link, maxPruningDepth)
	if err != nil {
		return nil, err
	}
	on, done, err := v.change(prune)
	if err != nil {
		return nil, err
	}
	if done {
		// What is so already is held too, so that Release knows that it was not ours.
		s := setting{control: v.Control, name: v.Name, value: v.Value}
		if v.Control == controlNone || v.Control == ControlHost || v.Value == "" {
			s = setting{}
		}
		return c.hold(ctx, Link{Index: on.Index}, s, cfg)
	}
	h, err := c.hold(ctx, Link{Index: on.Index}, setting{control: v.Control, name: v.Name, value: v.setting(prune)}, cfg)
	if err != nil {
		return h, err
	}
	if err := c.verifyPruning(ctx, v.Link, prune, h.Change()); err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), holdUndo)
		defer cancel()
		if _, uerr := h.Release(undo); uerr != nil {
			return nil, errors.Join(err, uerr)
		}
		return nil, err
	}
	return h, nil
}
