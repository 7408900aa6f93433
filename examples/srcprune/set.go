// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

const (
	// pollEvery is how often the state of a slave is read while it is waited for.
	pollEvery = 200 * time.Millisecond
	// settlePolls is how often at least, where a driver resets the port and the kernel has not yet
	// seen the carrier go: then it may go later.
	settlePolls = 10
)

func runSet(ctx context.Context, c *call) error {
	operands, word := c.Args[:len(c.Args)-1], c.Args[len(c.Args)-1]
	if word != "on" && word != "off" {
		return cli.Usagef("want on or off as the last word, and not %s; usage: %s", cli.Quote(word), c.usage())
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
	// What will be refused need not be asked about, and may be the only one.
	if len(todo) == 1 {
		if err := c.mayReset(ctx, &todo[0]); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	if err := c.confirm(ctx, todo, prune); err != nil {
		return errors.Join(append(errs, err)...)
	}
	for i := range todo {
		begun, err := c.do(ctx, &todo[i], prune)
		if err == nil {
			continue
		}
		rest := todo[i+1:]
		if !begun && ctx.Err() != nil {
			err, rest = errors.New("interrupted"), todo[i:]
		}
		var names []string
		for k := range rest {
			names = append(names, quoteLink(rest[k].link()))
		}
		if len(names) > 0 {
			err = fmt.Errorf("%w; not begun: %s", err, cli.Enumerate(names))
		}
		errs = append(errs, err)
		break
	}
	return errors.Join(errs...)
}

// step is one interface to be changed.
type step struct{ target }

// plan returns what is to be changed, backups first. It prints what is so already, and
// its error has a line for each interface that cannot be changed.
func (g *group) plan(w io.Writer, prune bool) ([]step, error) {
	want := wanted(prune)
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
			steps = append(steps, step{t})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.rank() - b.rank() })
	return steps, errors.Join(errs...)
}

// rank is 0 for backups, and 1 for what carries traffic.
func (s *step) rank() int {
	if s.port != nil && s.port.State == bond.SlaveBackup {
		return 0
	}
	return 1
}

// resets reports whether the port goes away for a time.
func (s *step) resets() bool { return s.pruning.Resets }

// confirm says what else the changes do, and asks where a port is reset, or where the monitor of
// a bond would be broken.
func (c *call) confirm(ctx context.Context, todo []step, prune bool) error {
	ask := false
	var order []string
	names := map[string][]string{}
	say := func(s *step, text string) {
		if names[text] == nil {
			order = append(order, text)
		}
		names[text] = append(names[text], quoteLink(s.link()))
	}
	for i := range todo {
		s := &todo[i]
		ask = ask || s.resets()
		if s.pruning.Caution != "" {
			say(s, s.pruning.Caution)
		}
		if b := s.portBond; prune && b != nil && needsOwnBroadcasts(b) {
			ask = true
			say(s, fmt.Sprintf("%s takes a backup that prunes for down, for arp_validate is %v", cli.Quote(b.Name), b.ARPValidate))
		}
	}
	for _, text := range order {
		fmt.Fprintf(c.stderr, "%s: %s\n", strings.Join(names[text], ", "), cli.OneLine(text))
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
		return errors.New("interrupted; nothing is changed")
	}
}

// do changes one interface, and waits for it to come back. Begun says that the kernel may have
// been asked to change it.
func (c *call) do(ctx context.Context, s *step, prune bool) (begun bool, err error) {
	name := quoteLink(s.link())
	if err := c.mayReset(ctx, s); err != nil {
		return false, err
	}
	before, err := c.readPort(ctx, s)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return false, err
	}
	// Whoever interrupts it wants to know what is so, not that nobody knows. The client bounds it.
	change, err := c.nics.SetSourcePruning(context.WithoutCancel(ctx), s.link(), prune)
	if change.Changed && change.After != change.Before {
		setting := change.Name
		if setting == "" {
			setting = "mode"
		}
		of := ""
		if s.pruning.Below != (ethtool.Link{}) {
			of = " of " + quoteLink(change.Link)
		}
		fmt.Fprintf(c.stdout, "%s: %s%s is %s, it was %s\n", name, cli.Quote(setting), of, change.After, change.Before)
	}
	switch {
	case err != nil:
		return true, c.explain(ctx, s, change, prune, err)
	case !change.Changed:
		// Another one of the same call has changed it, or somebody else.
		fmt.Fprintf(c.stdout, "%s %v already\n", name, wanted(prune))
		return true, nil
	case s.port == nil:
		return true, nil
	}
	return true, c.await(ctx, s, before, prune, s.resets() && change.CarrierChanges == 0)
}

// explain adds to an error what is left to do, where two settings have a say and one is changed.
func (c *call) explain(ctx context.Context, s *step, change ethtool.Change, prune bool, err error) error {
	if !change.Changed || !errors.Is(err, ethtool.ErrNotVerified) {
		return err
	}
	p, readErr := c.nics.SourcePruning(ctx, s.link())
	if readErr != nil || p.State == wanted(prune) || p.Control == 0 || p.HardWired {
		return err
	}
	return fmt.Errorf("%w; the same command again changes %s", err, settingText(&p))
}

// wanted returns the state that is asked for.
func wanted(prune bool) ethtool.PruningState {
	if prune {
		return ethtool.Prunes
	}
	return ethtool.Delivers
}

// mayReset refuses to reset the only slave of a bond that works.
func (c *call) mayReset(ctx context.Context, s *step) error {
	if s.port == nil || !s.resets() || c.flags.force {
		return nil
	}
	slaves, err := c.bonds.Slaves(ctx, bond.Link{Index: s.portBond.Index})
	if err != nil {
		return err
	}
	mine := false
	for i := range slaves {
		switch {
		case slaves[i].Index == s.port.Index:
			mine = works(&slaves[i])
		case works(&slaves[i]):
			return nil
		}
	}
	if !mine {
		return nil // Nothing works, so nothing is lost.
	}
	return fmt.Errorf("%s is the only slave of %s that works, and it would be reset; -force does it all the same", cli.Quote(s.port.Name), cli.Quote(s.portBond.Name))
}

// works reports whether a slave carries traffic, or would.
func works(s *bond.Slave) bool { return s.Up() && s.Carrier && s.MIIStatus == bond.MIIUp }

// readPort reads what the bond thinks of the slave now, nil where it is none.
func (c *call) readPort(ctx context.Context, s *step) (*bond.Slave, error) {
	if s.port == nil {
		return nil, nil
	}
	slaves, err := c.bonds.AllSlaves(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(slaves, func(o bond.Slave) bool { return o.Index == s.port.Index && o.Master == s.portBond.Index })
	if i < 0 {
		return nil, fmt.Errorf("%s is no slave of %s any more", cli.Quote(s.port.Name), cli.Quote(s.portBond.Name))
	}
	return &slaves[i], nil
}

// await waits until a slave is as it was before the change, and where it no longer prunes, until
// the bond takes it for up. With late the carrier may still be about to go.
func (c *call) await(ctx context.Context, s *step, before *bond.Slave, prune, late bool) error {
	name := cli.Quote(s.port.Name)
	wantCarrier := before.Carrier
	wantUp := works(before) || before.Carrier && !prune
	if prune && needsOwnBroadcasts(s.portBond) {
		wantUp = false // It is not believed in from now on.
	}
	deadline := c.after(c.flags.wait)
	told := false
	lacks := ""
	for polls := 0; ; polls++ {
		now, err := c.readPort(ctx, s)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s is changed; %w", name, err)
		}
		switch {
		case err != nil: // interrupted
		case wantCarrier && !now.Carrier:
			lacks, late = "has no carrier", false
		case wantUp && now.MIIStatus != bond.MIIUp:
			lacks = "is " + now.MIIStatus.String() + " for " + cli.Quote(s.portBond.Name)
		case wantCarrier && late && polls < settlePolls:
			lacks = "may be about to lose its carrier"
		default:
			return nil
		}
		// Nobody need wonder why nothing happens.
		if polls > 0 && !told && !late && err == nil {
			told = true
			fmt.Fprintf(c.stderr, "%s %s; waiting %v at most\n", name, lacks, c.flags.wait)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("interrupted while %s was waited for: it is changed, and %s", name, cmp.Or(lacks, "was not looked at since"))
		case <-deadline:
			return fmt.Errorf("%s is changed, and still %s after %v", name, lacks, c.flags.wait)
		case <-c.after(pollEvery):
		}
	}
}
