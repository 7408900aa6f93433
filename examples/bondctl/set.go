// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func setCommand() command {
	return command{
		Name: "set", Operands: "BOND|SLAVE WORD...", Summary: "Change options of a bond, or of a slave",
		Min: 2, Max: -1, Run: runSet,
	}
}

func runSet(ctx context.Context, c *call) error {
	link, err := parseLink(c.Args[0])
	if err != nil {
		return err
	}
	r, err := parseWords(c.Args[1:], bondWords|slaveWords|linkWords|upWord|downWord)
	if err != nil {
		return err
	}
	ofBond := !r.options.IsZero() || r.mac != nil || r.mtu != 0 || r.up || r.down
	if ofBond && !r.slave.IsZero() {
		return cli.Usagef("set changes a bond or a slave, and here are words for both")
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	if !ofBond {
		_, err = client.SetSlave(ctx, link, r.slave)
		return err
	}
	return c.setBond(ctx, client, link, r)
}

// setBond changes a bond: down comes first and up last, whatever the order of the
// words. If up was asked for, the bond is up afterwards, even if the rest failed.
func (c *call) setBond(ctx context.Context, client *bond.Client, link bond.Link, r *request) (err error) {
	b, err := client.Get(ctx, link)
	if err == nil {
		err = c.checkSet(ctx, client, b, r)
	}
	if err != nil {
		return err
	}
	if r.down {
		if err := client.SetDown(ctx, b.Link); err != nil {
			return err
		}
	}
	if r.up {
		defer func() {
			if err == nil || r.down {
				// An interrupt must not leave the bond down.
				err = errors.Join(err, client.SetUp(context.WithoutCancel(ctx), b.Link))
			}
		}()
	}
	if r.mac != nil {
		if err := client.SetMAC(ctx, b.Link, r.mac); err != nil {
			return err
		}
	}
	if r.mtu != 0 {
		if err := client.SetMTU(ctx, b.Link, r.mtu); err != nil {
			return err
		}
	}
	if r.options.IsZero() {
		return nil
	}
	after, err := client.Set(ctx, b.Link, r.options)
	if err == nil {
		c.warnUnseen(r.options, after)
	}
	return err
}

// checkSet warns of what is hardly meant, and returns why the options cannot be set. So no
// bond is switched off for nothing.
func (c *call) checkSet(ctx context.Context, client *bond.Client, b *bond.Bond, r *request) error {
	if r.options.IsZero() {
		return nil
	}
	state, err := client.State(ctx, &bond.Spec{Name: b.Name, Options: r.options})
	if err != nil || state.Bond == nil {
		return err
	}
	if r.down {
		state.Bond.Flags &^= bond.FlagUp
	}
	issues := bond.Validate(r.options, state)
	c.warn(issues)
	if err = issues.Err(); err == nil {
		return nil
	}
	refused := &bond.Error{Err: err}
	if e, ok := err.(*bond.Error); ok { //nolint:errorlint // several that are joined are its cause
		refused = e
	}
	refused.Op, refused.Link = "set", b.Name
	return refused
}
