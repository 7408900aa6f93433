// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func createCommand() command {
	return command{
		Name: "create", Operands: "NAME [WORD...]", Summary: "Make a bond",
		Min: 1, Max: -1, Run: runCreate,
	}
}

func runCreate(ctx context.Context, c *call) error {
	name := c.Args[0]
	if err := checkName(name); err != nil {
		return err
	}
	r, err := parseWords(c.Args[1:], bondWords|linkWords|createWords|upWord)
	if err != nil {
		return err
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	if len(r.slaves) > 0 {
		return c.createWithSlaves(ctx, client, name, r)
	}
	c.warn(bond.Validate(r.options, nil))
	index, err := client.Create(ctx, name, r.options, &bond.CreateOptions{MAC: r.mac, MTU: r.mtu, TxQueues: r.queues, Up: r.up})
	if err != nil || !slices.ContainsFunc(privilegedOptions, r.options.Has) {
		return err
	}
	made, err := client.Get(ctx, bond.Link{Index: index})
	if err == nil {
		c.warnUnseen(r.options, made)
	}
	return err
}

// createWithSlaves makes a bond and its slaves, or nothing: where something fails, it
// is all undone.
func (c *call) createWithSlaves(ctx context.Context, client *bond.Client, name string, r *request) error {
	_, err := client.Link(ctx, bond.Link{Name: name})
	switch {
	case err == nil:
		return &bond.Error{Op: "create", Link: name, Err: os.ErrExist, Hint: "choose another name, or change it with set or apply"}
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	spec := &bond.Spec{Name: name, Options: r.options, Slaves: []bond.SlaveSpec{}, Up: &r.up, MAC: r.mac}
	for _, s := range r.slaves {
		spec.Slaves = append(spec.Slaves, bond.SlaveSpec{Name: s})
	}
	if r.mtu != 0 {
		spec.MTU = &r.mtu
	}
	if r.queues != 0 {
		spec.TxQueues = &r.queues
	}
	result, err := client.Apply(ctx, spec, nil)
	if result != nil && result.Plan != nil {
		c.warn(result.Plan.Issues)
	}
	if e, ok := errors.AsType[*bond.Error](err); ok {
		made := *e
		made.Op = "create"
		return &made
	}
	if err == nil {
		c.warnUnverified(name, result.Unverified)
	}
	return err
}

// checkName checks a name for a new interface as dev_valid_name of the kernel does. The kernel
// takes a name with a percent sign for a pattern, and makes an interface of another name.
func checkName(name string) error {
	bad := func(r rune) bool { return r == '/' || r == ':' || r == '%' || unicode.IsSpace(r) }
	if name == "" || len(name) > 15 || name == "." || name == ".." || strings.ContainsFunc(name, bad) {
		return cli.Usagef("%s is no name for an interface: it has 1 to 15 bytes, and no slash, colon, percent sign or space", cli.Quote(name))
	}
	return nil
}
