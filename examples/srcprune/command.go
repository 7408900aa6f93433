// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"errors"
	"flag"
	"io"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// command is one word that srcprune knows.
type command = cli.Command[*call]

// program returns the table of commands and flags.
func program() *cli.Program[*call] {
	return &cli.Program[*call]{
		Name:     "srcprune",
		Summary:  "Shows and changes the source pruning of network interfaces.",
		Statuses: "0 done, 1 it did not work, 2 usage, 3 not Linux.",
		Flags: []cli.Flag{
			{Name: "json", Text: "print JSON"},
			{Name: "yes", Text: "do not ask before a port is reset, or a bond is broken"},
			{Name: "force", Text: "reset even the only slave of a bond that works"},
			{Name: "wait", Operand: "DURATION", Text: "how long to wait for a port to come back; default 30s"},
		},
		Commands: []command{
			{
				Name: "show", Operands: "[IFACE|BOND]...", Summary: "Show which interfaces drop what comes from their own address, and why",
				Flags: []string{"json"}, Max: -1, Run: runShow,
			},
			{
				Name: "set", Operands: "IFACE|BOND... on|off", Summary: "Switch source pruning on or off",
				Flags: []string{"yes", "force", "wait"}, Min: 2, Max: -1, Run: runSet,
			},
			{
				Name: "audit", Operands: "[BOND]...", Summary: "Show what drivers and firmware tell about trouble in bonds",
				Flags: []string{"json"}, Max: -1, Run: runAudit,
			},
			{
				Name: "drivers", Operands: "[DRIVER]...", Summary: "Show what is known about drivers",
				Flags: []string{"json"}, Max: -1, Run: runDrivers,
			},
		},
	}
}

// system is what a command has around it, so that tests can put something else there.
type system struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	dial           func(*ethtool.Config) (*ethtool.Client, error)
	dialBond       func(*bond.Config) (*bond.Client, error)
	after          func(time.Duration) <-chan time.Time
	terminal       func(io.Writer) bool
	getenv         func(string) string
}

// flags are the values of the flags that only some commands take.
type flags struct {
	json  bool
	yes   bool
	force bool
	wait  time.Duration
}

// call is one run of a command.
type call struct {
	*system
	*cli.Line
	cmd   *command
	flags flags
	nics  *ethtool.Client
	bonds *bond.Client
}

// usage returns the usage of the command.
func (c *call) usage() string { return program().Usage(c.cmd) }

// define adds the flags of all commands to a set.
func (f *flags) define(fs *flag.FlagSet) {
	f.wait = 30 * time.Second
	fs.BoolVar(&f.json, "json", false, "")
	fs.BoolVar(&f.yes, "yes", false, "")
	fs.BoolVar(&f.force, "force", false, "")
	fs.Func("wait", "", func(s string) (err error) {
		if f.wait, err = time.ParseDuration(s); err != nil || f.wait <= 0 {
			return errors.New("want a duration, such as 30s")
		}
		return nil
	})
}

// dial opens the clients.
func (c *call) dial() error {
	nics, err := c.system.dial(&ethtool.Config{NetNSPath: c.NetNS})
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return &cli.CannotRunError{Err: err}
	case err != nil && c.NetNS != "":
		return cli.NetNSError(c.NetNS, err)
	case err != nil:
		return err
	}
	c.nics = nics
	c.bonds, err = c.dialBond(&bond.Config{NetNSPath: c.NetNS})
	return err
}

func (c *call) close() {
	if c.nics != nil {
		c.nics.Close()
	}
	if c.bonds != nil {
		c.bonds.Close()
	}
}

// paint says whether to use colours on a writer.
func (c *call) paint(w io.Writer) cli.Paint {
	return cli.NewPaint(!c.NoColor && c.terminal(w), c.getenv)
}

// parseLink reads the name of an interface, or its number after a "#".
func parseLink(word string) (ethtool.Link, error) {
	name, index, err := cli.ParseLink(word)
	return ethtool.Link{Name: name, Index: index}, err
}

// quoteLink is [cli.Quote] for the name of a link, or its number where it has no name.
func quoteLink(l ethtool.Link) string {
	return cli.Quote(bond.Link{Index: l.Index, Name: l.Name}.String())
}
