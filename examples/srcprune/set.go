// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"
)

// pollEvery is how often the state of a slave is read while it is waited for.
const pollEvery = 200 * time.Millisecond

func runSet(ctx context.Context, c *call) error {
	operands, word := c.args[:len(c.args)-1], c.args[len(c.args)-1]
	if word != "on" && word != "off" {
		return usagef("want on or off as the last word, and not %s; usage: %s", quote(word), c.cmd.usage())
	}
	prune := word == "on"
	groups, err := c.readGroups(ctx, operands)
	if err != nil {
		return err
	}
	var errs []error
	var todo []step
	for i := range groups {
		steps, err := groups[i].plan(c.stdout, prune)
		if err != nil {
			errs = append(errs, err)
		}
		todo = append(todo, steps...)
	}
	if err := c.confirm(ctx, todo); err != nil {
		return errors.Join(append(errs, err)...)
	}
	for i := range todo {
		if err := c.do(ctx, &todo[i], prune); err != nil {
			if rest := len(todo) - i - 1; rest > 0 {
				err = fmt.Errorf("%w; %s not changed", err, plural(rest, "other interface")+map[bool]string{true: " is", false: " are"}[rest == 1])
			}
			errs = append(errs, err)
			break
		}
	}
	return errors.Join(errs...)
}

// step is one interface to be changed.
type step struct {
	target
	bond *bond.Bond // nil for what is no slave
}

// plan returns what is to be changed, backups first. It prints what is so already, and
// its error has a line for each interface that cannot be changed.
func (g *group) plan(w io.Writer, prune bool) ([]step, error) {
	want := ethtool.Delivers
	if prune {
		want = ethtool.Prunes
	}
	var steps []step
	var errs []error
	for _, t := range g.targets {
		p := &t.pruning
		name := quoteLink(p.Link)
		switch {
		case p.State == want:
			fmt.Fprintf(w, "%s %v already\n", name, p.State)
		case p.HardWired:
			errs = append(errs, fmt.Errorf("%s cannot be changed: %s; instead: %s", name, p.Reason, remedy(p)))
		case p.Control == 0 && p.State == ethtool.Delivers:
			errs = append(errs, fmt.Errorf("%s cannot be told to prune: %s", name, p.Reason))
		case p.Control == 0:
			errs = append(errs, fmt.Errorf("%s cannot be changed: %s", name, strings.TrimSuffix(p.Reason+"; instead: "+remedy(p), "; instead: ")))
		default:
			steps = append(steps, step{target: t, bond: g.bond})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.rank() - b.rank() })
	return steps, errors.Join(errs...)
}

// rank is 0 for backups, and 1 for what carries traffic.
func (s *step) rank() int {
	if s.slave != nil && s.slave.State == bond.SlaveBackup {
		return 0
	}
	return 1
}

// resets reports whether the port goes away for a time.
func (s *step) resets() bool { return s.pruning.Resets }

// confirm says what else the changes do, and asks where a port is reset.
func (c *call) confirm(ctx context.Context, todo []step) error {
	ask := false
	var order []string
	names := map[string][]string{}
	for i := range todo {
		ask = ask || todo[i].resets()
		if text := todo[i].pruning.Caution; text != "" {
			if names[text] == nil {
				order = append(order, text)
			}
			names[text] = append(names[text], quoteLink(todo[i].link()))
		}
	}
	for _, text := range order {
		fmt.Fprintf(c.stderr, "%s: %s\n", strings.Join(names[text], ", "), oneLine(text))
	}
	if !ask || c.flags.yes {
		return nil
	}
	fmt.Fprint(c.stderr, "Go on? Type yes: ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(c.stdin).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		if line == "yes" {
			return nil
		}
		if line == "" {
			fmt.Fprintln(c.stderr)
		}
		return errors.New("nothing changed, for the answer was not yes; -yes does it without a question")
	case <-ctx.Done():
		fmt.Fprintln(c.stderr)
		return context.Cause(ctx)
	}
}

// do changes one interface, and waits for it to come back.
func (c *call) do(ctx context.Context, s *step, prune bool) error {
	name := quoteLink(s.link())
	if err := c.mayReset(ctx, s); err != nil {
		return err
	}
	before, err := c.readSlave(ctx, s)
	if err != nil {
		return err
	}
	change, err := c.nics.SetSourcePruning(ctx, s.link(), prune)
	if err != nil {
		return err
	}
	setting := change.Name
	if setting == "" {
		setting = "mode"
	}
	of := ""
	if s.pruning.Below != (ethtool.Link{}) {
		of = " of " + quoteLink(change.Link)
	}
	fmt.Fprintf(c.stdout, "%s: %s%s is %s, it was %s\n", name, quote(setting), of, change.After, change.Before)
	if s.slave == nil {
		return nil
	}
	return c.await(ctx, s, before, prune)
}

// mayReset refuses to reset the only slave of a bond that works.
func (c *call) mayReset(ctx context.Context, s *step) error {
	if s.bond == nil || !s.resets() || c.flags.force {
		return nil
	}
	slaves, err := c.bonds.Slaves(ctx, bond.Link{Index: s.bond.Index})
	if err != nil {
		return err
	}
	mine := false
	for i := range slaves {
		switch {
		case slaves[i].Index == s.link().Index:
			mine = works(&slaves[i])
		case works(&slaves[i]):
			return nil
		}
	}
	if !mine {
		return nil // Nothing works, so nothing is lost.
	}
	return fmt.Errorf("%s is the only slave of %s that works, and it would be reset; -force does it all the same", quoteLink(s.link()), quote(s.bond.Name))
}

// works reports whether a slave carries traffic, or would.
func works(s *bond.Slave) bool { return s.Up() && s.Carrier && s.MIIStatus == bond.MIIUp }

// readSlave reads what the bond thinks of the slave now, nil where it is none.
func (c *call) readSlave(ctx context.Context, s *step) (*bond.Slave, error) {
	if s.slave == nil {
		return nil, nil
	}
	slaves, err := c.bonds.AllSlaves(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(slaves, func(o bond.Slave) bool { return o.Index == s.link().Index })
	if i < 0 {
		return nil, fmt.Errorf("%s is no slave of %s any more", quoteLink(s.link()), quote(s.bond.Name))
	}
	return &slaves[i], nil
}

// await waits until a slave is as it was before the change, and where it no longer prunes, until
// the bond takes it for up.
func (c *call) await(ctx context.Context, s *step, before *bond.Slave, prune bool) error {
	wantCarrier := before.Carrier
	wantUp := works(before) || before.Carrier && !prune
	if prune && needsOwnBroadcasts(s.bond) {
		wantUp = false // It is not believed in from now on.
	}
	deadline := c.after(c.flags.wait)
	for {
		now, err := c.readSlave(ctx, s)
		if err != nil {
			return err
		}
		lacks := ""
		switch {
		case wantCarrier && !now.Carrier:
			lacks = "has no carrier"
		case wantUp && now.MIIStatus != bond.MIIUp:
			lacks = "is " + now.MIIStatus.String() + " for " + quote(s.bond.Name)
		default:
			return nil
		}
		select {
		case <-c.after(pollEvery):
		case <-deadline:
			return fmt.Errorf("%s is changed, and still %s after %v", quoteLink(s.link()), lacks, c.flags.wait)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
