// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func showCommand() command {
	return command{
		Name: "show", Operands: "[BOND]", Summary: "Show the state of one bond, or of all",
		Flags: []string{"json"}, Max: 1, Run: runShow,
	}
}

// view is everything that is shown of a bond.
type view struct {
	bond   *bond.Bond
	slaves []bond.Slave
	speeds map[int]speed // by index of the slave
}

func (v *view) verdict() verdict { return judge(v.bond, v.slaves) }

func runShow(ctx context.Context, c *call) error {
	var link bond.Link
	if len(c.Args) > 0 {
		var err error
		if link, err = parseLink(c.Args[0]); err != nil {
			return err
		}
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	views, err := readViews(ctx, client, link)
	if err != nil {
		return c.whyNoBond(ctx, client, link, err)
	}
	c.addSpeeds(views)
	if c.flags.json {
		return writeViewsJSON(c.stdout, views)
	}
	if len(views) == 0 {
		text := "no bonds\n"
		if c.noDriver() {
			text = "no bonds; the bonding driver is not loaded\n"
		}
		_, err = io.WriteString(c.stdout, text)
		return err
	}
	_, err = io.WriteString(c.stdout, viewsText(views, c.paint(c.stdout)))
	return err
}

// noDriver reports whether the kernel has no bonding driver, or has not loaded it. It is false
// where that cannot be told.
func noDriver() bool {
	if _, err := os.Stat("/sys/module"); err != nil {
		return false
	}
	_, err := os.Stat("/sys/module/bonding")
	return errors.Is(err, os.ErrNotExist)
}

// whyNoBond adds to the error of an interface that is no bond what helps.
func (c *call) whyNoBond(ctx context.Context, client *bond.Client, link bond.Link, err error) error {
	e, ok := errors.AsType[*bond.Error](err)
	if !ok || e.Hint != "" {
		return err
	}
	told := *e
	switch {
	case errors.Is(err, bond.ErrNotBond):
		s, err := client.Slave(ctx, link)
		if err != nil {
			break
		}
		if master, err := client.Link(ctx, bond.Link{Index: s.Master}); err == nil {
			told.Hint = "it is a slave of " + quoteLink(master.Link)
		}
	case errors.Is(err, os.ErrNotExist) && c.noDriver():
		told.Hint = "the bonding driver is not loaded"
	}
	return &told
}

// readViews reads one bond and its slaves, or all where the link is zero.
func readViews(ctx context.Context, client *bond.Client, link bond.Link) ([]view, error) {
	if !link.IsZero() {
		b, err := client.Get(ctx, link)
		if err != nil {
			return nil, err
		}
		slaves, err := client.Slaves(ctx, b.Link)
		if err != nil {
			return nil, err
		}
		return []view{{bond: b, slaves: slaves}}, nil
	}
	bonds, err := client.List(ctx)
	if err != nil {
		return nil, err
	}
	var views []view
	for i := range bonds {
		slaves, err := client.Slaves(ctx, bond.Link{Index: bonds[i].Index})
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue // deleted in between
		case err != nil:
			return nil, err
		}
		views = append(views, view{bond: &bonds[i], slaves: slaves})
	}
	return views, nil
}

// addSpeeds asks for the speeds of all slaves with a carrier. Without one some drivers tell a
// speed all the same, of a link that is not there.
func (c *call) addSpeeds(views []view) {
	var indexes []int
	for _, v := range views {
		for i := range v.slaves {
			if v.slaves[i].Carrier {
				indexes = append(indexes, v.slaves[i].Index)
			}
		}
	}
	speeds := c.speeds(c.NetNS, indexes)
	for i := range views {
		views[i].speeds = speeds
	}
}

// writeViewsJSON writes the bonds as one document.
func writeViewsJSON(w io.Writer, views []view) error {
	docs := make([]json.RawMessage, len(views))
	for i := range views {
		doc, err := views[i].marshal()
		if err != nil {
			return err
		}
		docs[i] = doc
	}
	return cli.WriteJSON(w, docs)
}

// marshal returns the JSON of a bond with its state and slaves.
func (v *view) marshal() (json.RawMessage, error) {
	slaves := make([]json.RawMessage, len(v.slaves))
	for i := range v.slaves {
		s := &v.slaves[i]
		var mbps *uint32
		var duplex *string
		if sp := v.speeds[s.Index]; sp.mbps != 0 {
			mbps = &sp.mbps
			if sp.duplex != "" {
				duplex = &sp.duplex
			}
		}
		doc, err := cli.ExtendJSON(s, cli.Field{Name: "speed_mbps", Value: mbps}, cli.Field{Name: "duplex", Value: duplex})
		if err != nil {
			return nil, err
		}
		slaves[i] = doc
	}
	verdict := v.verdict()
	return cli.ExtendJSON(v.bond,
		cli.Field{Name: "state", Value: verdict.state.String()}, cli.Field{Name: "reason", Value: verdict.reason}, cli.Field{Name: "slaves", Value: slaves})
}
