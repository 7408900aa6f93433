// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func planCommand() command {
	return command{
		Name: "plan", Summary: "Say what apply would do, and how much it would disrupt",
		Flags: []string{"f"}, Run: runPlan,
	}
}

func runPlan(ctx context.Context, c *call) error {
	spec, err := c.readSpec()
	if err != nil {
		return err
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	_, err = c.showPlan(ctx, client, spec)
	return err
}

// specError says that a specification has values that do not exist.
type specError struct{ err error }

func (e *specError) Error() string   { return e.err.Error() }
func (e *specError) Unwrap() []error { return []error{e.err} }

// showPlan makes a plan and prints it with its warnings.
func (c *call) showPlan(ctx context.Context, client *bond.Client, spec *bond.Spec) (*bond.Plan, error) {
	plan, err := client.Plan(ctx, spec)
	switch {
	case errors.Is(err, bond.ErrBadValue):
		return nil, &specError{err}
	case err != nil:
		return nil, err
	}
	c.warn(plan.Issues)
	shown := *plan
	shown.Issues = nil
	var b strings.Builder
	for line := range strings.Lines(shown.String()) {
		line = strings.TrimRight(line, "\n")
		// The lines of the steps are indented.
		text := strings.TrimLeft(line, " ")
		b.WriteString(line[:len(line)-len(text)] + cli.OneLine(text) + "\n")
	}
	_, err = io.WriteString(c.stdout, b.String())
	return plan, err
}

// readSpec reads the file of -f. A file that makes no sense is an error of usage.
func (c *call) readSpec() (*bond.Spec, error) {
	var text []byte
	var err error
	name := c.flags.file
	switch name {
	case "":
		return nil, cli.Usagef("%s needs -f FILE; usage: %s", c.cmd.Name, c.usage())
	case "-":
		name = "standard input"
		text, err = io.ReadAll(c.stdin)
	default:
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, err
	}
	var spec bond.Spec
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, cli.Usagef("%s: %s", placeOf(name, text, err), strings.TrimPrefix(cli.OneLine(err.Error()), "bond: "))
	}
	if spec.Name == "" {
		return nil, cli.Usagef("%s: no name of a bond: want {\"name\": \"bond0\", ...}", cli.OneLine(name))
	}
	return &spec, nil
}

// placeOf returns the file with the line and column of a syntax error.
func placeOf(name string, text []byte, err error) string {
	name = cli.OneLine(name)
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok || syntax.Offset < 1 || syntax.Offset > int64(len(text)) {
		return name
	}
	before := text[:syntax.Offset-1]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("%s:%d:%d", name, line, column)
}
