// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func applyCommand() command {
	return command{
		Name: "apply", Summary: "Change a bond to what a specification says",
		Flags: []string{"f", "allow", "allow-missing", "dry-run", "confirm"}, Run: runApply,
	}
}

func runApply(ctx context.Context, c *call) error {
	if c.flags.confirm > 0 && c.flags.file == "-" {
		return cli.Usagef("-confirm reads the answer from standard input, so -f must name a file")
	}
	if c.flags.confirm > 0 && c.flags.dryRun {
		return cli.Usagef("-confirm and -dry-run exclude each other: with -dry-run there is nothing to confirm")
	}
	spec, err := c.readSpec()
	if err != nil {
		return err
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	plan, err := c.showPlan(ctx, client, spec)
	if err != nil {
		return err
	}
	// Apply makes a plan of its own and refuses the same; this says with which flag it
	// would not.
	if err := c.judgePlan(plan); err != nil || c.flags.dryRun {
		return err
	}
	options := &bond.ApplyOptions{Allow: c.flags.allow, AllowMissing: c.flags.allowMissing}
	if c.flags.confirm > 0 {
		options.Confirm = func(ctx context.Context, after *bond.State) error { return c.confirm(ctx, client, after) }
	}
	// A reader of our output that goes away must not end us between a change and
	// the way back, nor before the exit status.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ignoreStops()
	result, err := client.Apply(ctx, spec, options)
	if c.asked {
		// Not in confirm: a terminal at the end of a dead line would hold up the way back.
		fmt.Fprintln(c.stderr)
	}
	if err != nil {
		return err
	}
	c.warnUnverified(spec.Name, result.Unverified)
	if len(result.Done) > 0 {
		_, err = fmt.Fprintln(c.stdout, "done")
	}
	return err
}

// judgePlan returns the error with which apply would refuse a plan.
func (c *call) judgePlan(plan *bond.Plan) error {
	switch {
	case plan.Disruption > c.flags.allow:
		return &bond.Error{
			Op: "apply", Link: plan.Name, Err: bond.ErrDisruptive,
			Hint: fmt.Sprintf("it takes -allow %v", plan.Disruption),
		}
	case len(plan.Missing) > 0 && !c.flags.allowMissing:
		names := make([]string, len(plan.Missing))
		for i, name := range plan.Missing {
			names[i] = cli.Quote(name)
		}
		return &bond.Error{
			Op: "apply", Link: plan.Name, Value: "slave " + enumerate(names), Err: os.ErrNotExist,
			Hint: "-allow-missing goes on without",
		}
	}
	return nil
}

// settle waits until a bond is in order, but not for long, and returns how it is then. The
// monitor of the kernel needs a moment to find the links of new slaves.
func settle(ctx context.Context, client *bond.Client, after *bond.State, limit time.Duration) *bond.State {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(settlePeriod)
	defer tick.Stop()
	for after != nil && after.Bond != nil && judge(after.Bond, after.Slaves).state != healthOK {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return after
		}
		views, err := readViews(ctx, client, bond.Link{Index: after.Bond.Index})
		if err != nil {
			return after
		}
		after = &bond.State{Bond: views[0].bond, Slaves: views[0].slaves}
	}
	return after
}

const settlePeriod = 50 * time.Millisecond

// answerLimit is the most that is read of an answer, in bytes.
const answerLimit = 64

// confirm asks whether a change shall stay. It says no by itself when the time is over,
// which is what happens where the change cut the line to the one who is asked.
func (c *call) confirm(ctx context.Context, client *bond.Client, after *bond.State) error {
	ctx, cancel := context.WithTimeout(ctx, c.flags.confirm)
	defer cancel()
	after = settle(ctx, client, after, min(c.flags.confirm/4, 2*time.Second))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	question := fmt.Sprintf("Keep this change? Type yes within %v, or it is undone: ", c.flags.confirm)
	answer := make(chan string, 1)
	paint := c.paint(c.stderr)
	go func() {
		// A terminal at the end of a dead line may block this, or a driver, and that must
		// not stop the clock.
		if after != nil && after.Bond != nil {
			views := []view{{bond: after.Bond, slaves: after.Slaves}}
			c.addSpeeds(views)
			question = "\n" + views[0].text(paint) + "\n" + question
		}
		io.WriteString(c.stderr, question)
		line, _ := bufio.NewReader(io.LimitReader(c.stdin, answerLimit)).ReadString('\n')
		answer <- line
	}()
	c.asked = true
	select {
	case line := <-answer:
		// A terminal has gone to the next line by itself.
		in, ok := c.stdin.(io.Writer)
		c.asked = !ok || !c.terminal(in) || !strings.HasSuffix(line, "\n")
		switch word := strings.TrimSpace(line); {
		case strings.EqualFold(word, "yes"):
			return nil
		case line == "":
			return errors.New("no answer")
		default:
			return fmt.Errorf("the answer was %s", cli.Quote(word))
		}
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("no answer in %v", c.flags.confirm)
		}
		return ctx.Err()
	}
}
