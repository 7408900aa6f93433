// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// command is one word that bondctl knows.
type command = cli.Command[*call]

// program returns the table of commands and flags.
func program() *cli.Program[*call] {
	return &cli.Program[*call]{
		Name:     "bondctl",
		Summary:  "Shows, changes and watches the bonds of this machine.",
		Statuses: "0 done, 1 it did not work, 2 usage, 3 no bonding here.",
		Flags: []cli.Flag{
			{Name: "json", Text: "print JSON"},
			{Name: "print", Text: "print the text as the kernel does"},
			{Name: "f", Operand: "FILE", Text: "read the specification from FILE, - for standard input", Needed: true},
			{Name: "allow", Operand: "WORD", Text: "how much apply may disrupt: none, down, release or recreate; default none"},
			{Name: "allow-missing", Text: "leave out slaves that do not exist"},
			{Name: "dry-run", Text: "say what would be done, and do nothing"},
			{Name: "confirm", Operand: "DURATION", Text: "go back to the state before unless yes is typed in that time"},
		},
		Commands: []command{
			showCommand(),
			createCommand(),
			setCommand(),
			enslaveCommand(),
			releaseCommand(),
			activeCommand(),
			deleteCommand(),
			watchCommand(),
			planCommand(),
			applyCommand(),
			optionsCommand(),
			procCommand(),
		},
	}
}

// system is what a command has around it, so that tests can put something else there.
type system struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	dial           func(*bond.Config) (*bond.Client, error)
	// speeds returns the speeds of interfaces by index; see readSpeeds.
	speeds   func(netns string, indexes []int) map[int]speed
	now      func() time.Time
	terminal func(io.Writer) bool
	getenv   func(string) string
	// noDriver reports whether the bonding driver is not loaded; false where nobody knows.
	noDriver func() bool
}

// flags are the values of the flags that only some commands take.
type flags struct {
	json         bool
	print        bool
	file         string
	allow        bond.Disruption
	allowMissing bool
	dryRun       bool
	confirm      time.Duration
}

// call is one run of a command.
type call struct {
	*system
	*cli.Line
	cmd    *command
	flags  flags
	client *bond.Client
	// asked says that the question of -confirm stands in an unfinished line.
	asked bool
}

// usage returns the usage of the command.
func (c *call) usage() string { return program().Usage(c.cmd) }

// define adds the flags of all commands to a set.
func (f *flags) define(fs *flag.FlagSet) {
	fs.BoolVar(&f.json, "json", false, "")
	fs.BoolVar(&f.print, "print", false, "")
	fs.BoolVar(&f.dryRun, "dry-run", false, "")
	fs.BoolVar(&f.allowMissing, "allow-missing", false, "")
	fs.Func("f", "", func(s string) error {
		if s == "" {
			return errors.New("want the name of a file, or - for standard input")
		}
		f.file = s
		return nil
	})
	fs.Func("allow", "", func(s string) (err error) {
		if f.allow, err = bond.ParseDisruption(s); err != nil {
			return errors.New("want none, down, release or recreate")
		}
		return nil
	})
	fs.Func("confirm", "", func(s string) (err error) {
		if f.confirm, err = time.ParseDuration(s); err != nil || f.confirm < time.Second {
			return errors.New("want a duration of a second or more, such as 30s")
		}
		return nil
	})
}

// dial returns the client, which is made at the first call.
func (c *call) dial() (*bond.Client, error) {
	if c.client != nil {
		return c.client, nil
	}
	client, err := c.system.dial(&bond.Config{NetNSPath: c.NetNS})
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, &cli.CannotRunError{Err: err}
	case err != nil && c.NetNS != "":
		if e, ok := errors.AsType[*bond.Error](err); ok {
			err = e.Err
		}
		return nil, cli.NetNSError(c.NetNS, err)
	case err != nil:
		return nil, err
	}
	c.client = client
	return client, nil
}

func (c *call) close() {
	if c.client != nil {
		c.client.Close()
	}
}

// paint says whether to use colours on a writer.
func (c *call) paint(w io.Writer) cli.Paint {
	if l, ok := w.(*lockedWriter); ok {
		w = l.w
	}
	return cli.NewPaint(!c.NoColor && c.terminal(w), c.getenv)
}

// warn prints the warnings among issues.
func (c *call) warn(issues bond.Issues) {
	for _, issue := range issues.Warnings() {
		fmt.Fprintln(c.stderr, cli.OneLine(issue.String()))
	}
}

// warnUnseen warns of options that were set on a bond and that the kernel does not tell.
func (c *call) warnUnseen(o bond.Options, b *bond.Bond) {
	var unseen []bond.Option
	for _, opt := range privilegedOptions {
		if b.Mode == bond.Mode8023AD && o.Has(opt) && !b.Has(opt) {
			unseen = append(unseen, opt)
		}
	}
	c.warnUnverified(b.Name, unseen)
}

// warnUnverified warns of options of which nobody can read whether they took effect.
func (c *call) warnUnverified(name string, opts []bond.Option) {
	if len(opts) == 0 {
		return
	}
	names := make([]string, len(opts))
	for i, opt := range opts {
		names[i] = opt.String()
	}
	fmt.Fprintf(c.stderr, "warning: %s: the kernel does not show %s, so nobody knows whether that took effect\n", cli.Quote(name), enumerate(names))
}

// parseLink reads the name of an interface, or its number after a "#".
func parseLink(word string) (bond.Link, error) {
	name, index, err := cli.ParseLink(word)
	return bond.Link{Name: name, Index: index}, err
}

// quoteLink is [cli.Quote] for the name of a link, or its number where it has no name.
func quoteLink(l bond.Link) string { return cli.Quote(l.String()) }

// parseLinks is parseLink for several words.
func parseLinks(words []string) ([]bond.Link, error) {
	links := make([]bond.Link, len(words))
	for i, word := range words {
		var err error
		if links[i], err = parseLink(word); err != nil {
			return nil, err
		}
	}
	return links, nil
}
