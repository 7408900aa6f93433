// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"strings"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func enslaveCommand() command {
	return command{
		Name: "enslave", Operands: "BOND SLAVE... [WORD...]", Summary: "Make interfaces slaves of a bond",
		Min: 2, Max: -1, Run: runEnslave,
	}
}

func runEnslave(ctx context.Context, c *call) error {
	var links, words []string
	for _, arg := range c.Args {
		if strings.Contains(arg, "=") {
			words = append(words, arg)
		} else {
			links = append(links, arg)
		}
	}
	if len(links) < 2 {
		return cli.Usagef("too few interfaces; usage: %s", c.usage())
	}
	all, err := parseLinks(links)
	if err != nil {
		return err
	}
	r, err := parseWords(words, slaveWords)
	if err != nil {
		return err
	}
	master, slaves := all[0], all[1:]
	if id := r.slave.QueueID; id != nil && *id != 0 && len(slaves) > 1 {
		return cli.Usagef("no two slaves may have the same queue_id: enslave them one by one")
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	// One missing slave need not stop the others.
	var errs []error
	for _, s := range slaves {
		errs = append(errs, client.Enslave(ctx, master, s, r.slave))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}
