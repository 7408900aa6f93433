// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"
)

// command is one word that srcprune knows.
type command struct {
	name     string
	operands string // as the usage shows them
	summary  string
	flags    []string // names of the flags it takes, besides those that all take
	min      int      // number of operands
	run      func(ctx context.Context, c *call) error
}

// commands returns the table of commands.
func commands() []command {
	return []command{
		{
			name: "show", operands: "[IFACE|BOND]...", summary: "Show which interfaces drop what comes from their own address, and why",
			flags: []string{"json"}, run: runShow,
		},
		{
			name: "set", operands: "IFACE|BOND... on|off", summary: "Switch source pruning on or off",
			flags: []string{"yes", "force", "wait"}, min: 2, run: runSet,
		},
		{
			name: "audit", operands: "[BOND]...", summary: "Show what drivers and firmware tell about trouble in bonds",
			flags: []string{"json"}, run: runAudit,
		},
		{
			name: "drivers", operands: "[DRIVER]...", summary: "Show what is known about drivers",
			flags: []string{"json"}, run: runDrivers,
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

// flags are the values of all flags.
type flags struct {
	netns   string
	noColor bool
	json    bool
	yes     bool
	force   bool
	wait    time.Duration
	help    bool
}

// flagUsage says what each flag is for, in the order of the usage.
var flagUsage = []struct{ name, operand, text string }{
	{"json", "", "print JSON"},
	{"yes", "", "do not ask before a port is reset"},
	{"force", "", "reset even the only slave of a bond that works"},
	{"wait", "DURATION", "how long to wait for a port to come back; default 30s"},
	{"netns", "PATH", "work in the network namespace PATH, or that of the name in /run/netns"},
	{"no-color", "", "no colours"},
	{"h", "", "show the usage"},
}

// commonFlags are those that every command takes.
var commonFlags = []string{"netns", "no-color", "h", "help"}

// call is one run of a command.
type call struct {
	*system
	cmd   command
	flags flags
	args  []string
	nics  *ethtool.Client
	bonds *bond.Client
}

// usageError says that the command line makes no sense.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// cannotRunError says that nothing can work here.
type cannotRunError struct{ err error }

func (e *cannotRunError) Error() string { return e.err.Error() }
func (e *cannotRunError) Unwrap() error { return e.err }

// errHelp is no error: the usage was asked for.
var errHelp = errors.New("help")

// parse reads the command line. Flags may stand anywhere before a "--".
func parse(args []string, sys *system) (*call, error) {
	c := &call{system: sys, flags: flags{wait: 30 * time.Second}}
	fs := c.flagSet()
	words, err := parseFlags(fs, args)
	all := commands()
	if err == nil && len(words) > 0 && words[0] == "help" {
		c.flags.help, words = true, words[1:]
	}
	if len(words) > 0 {
		names := make([]string, len(all))
		for i := range all {
			names[i] = all[i].name
		}
		i := slices.Index(names, words[0])
		if i < 0 {
			return nil, usagef("no command %s%s; the commands are %s", quote(words[0]), didYouMean(words[0], names), strings.Join(names, ", "))
		}
		c.cmd, c.args = all[i], words[1:]
	}
	switch {
	case err != nil:
		return nil, err
	case c.flags.help:
		return c, errHelp
	case len(words) == 0:
		return nil, usagef("no command; srcprune -h shows them")
	}
	fs.Visit(func(f *flag.Flag) {
		if err == nil && !slices.Contains(commonFlags, f.Name) && !slices.Contains(c.cmd.flags, f.Name) {
			err = usagef("%s takes no flag -%s; usage: %s", c.cmd.name, f.Name, c.cmd.usage())
		}
	})
	if err != nil {
		return nil, err
	}
	if len(c.args) < c.cmd.min {
		return nil, usagef("too few words; usage: %s", c.cmd.usage())
	}
	return c, nil
}

// usage returns the command with its operands and flags.
func (cmd *command) usage() string {
	words := []string{"srcprune", cmd.name, cmd.operands}
	for _, u := range flagUsage {
		if slices.Contains(cmd.flags, u.name) {
			words = append(words, "["+strings.TrimSpace("-"+u.name+" "+u.operand)+"]")
		}
	}
	return strings.Join(words, " ")
}

// flagSet returns the flags of all commands. A flag that the command does not take is
// refused later, because the command may stand behind it.
func (c *call) flagSet() *flag.FlagSet {
	fs := flag.NewFlagSet("srcprune", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.BoolVar(&c.flags.help, "h", false, "")
	fs.BoolVar(&c.flags.help, "help", false, "")
	fs.BoolVar(&c.flags.json, "json", false, "")
	fs.BoolVar(&c.flags.yes, "yes", false, "")
	fs.BoolVar(&c.flags.force, "force", false, "")
	fs.BoolVar(&c.flags.noColor, "no-color", false, "")
	fs.Func("wait", "", func(s string) (err error) {
		if c.flags.wait, err = time.ParseDuration(s); err != nil || c.flags.wait <= 0 {
			return errors.New("want a duration, such as 30s")
		}
		return nil
	})
	fs.Func("netns", "", func(s string) error {
		if s == "" {
			return errors.New("want a path or a name")
		}
		c.flags.netns = s
		if !strings.Contains(s, "/") {
			c.flags.netns = "/run/netns/" + s
		}
		return nil
	})
	return fs
}

// parseFlags parses flags among words, and returns the words.
func parseFlags(fs *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for {
		if err := fs.Parse(args); err != nil {
			text := err.Error()
			if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
				var names []string
				for _, u := range flagUsage {
					names = append(names, u.name)
				}
				text = "no flag -" + oneLine(name)
				if w := nearest(name, names); w != "" {
					text += "; did you mean -" + w + "?"
				} else {
					text += "; srcprune -h shows the flags"
				}
			}
			return words, usagef("%s", text)
		}
		rest := fs.Args()
		// Parse stops before a word, and behind a "--".
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			return append(words, rest...), nil
		}
		if len(rest) == 0 {
			return words, nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

// dial opens the clients.
func (c *call) dial() error {
	nics, err := c.system.dial(&ethtool.Config{NetNSPath: c.flags.netns})
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return &cannotRunError{err}
	case err != nil && c.flags.netns != "":
		if e, ok := errors.AsType[*ethtool.Error](err); ok {
			err = e.Err
		}
		return fmt.Errorf("network namespace %s: %w", quote(c.flags.netns), err)
	case err != nil:
		return err
	}
	c.nics = nics
	c.bonds, err = c.dialBond(&bond.Config{NetNSPath: c.flags.netns})
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
func (c *call) paint(w io.Writer) paint {
	return paint(!c.flags.noColor && c.getenv("NO_COLOR") == "" && c.getenv("TERM") != "dumb" && c.terminal(w))
}

// parseLink reads the name of an interface, or its number after a "#".
func parseLink(word string) (ethtool.Link, error) {
	digits, numbered := strings.CutPrefix(word, "#")
	if !numbered {
		if word == "" {
			return ethtool.Link{}, usagef("the name of an interface is empty")
		}
		return ethtool.Link{Name: word}, nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return ethtool.Link{}, usagef("%s is no number of an interface", quote(word))
	}
	return ethtool.Link{Index: n}, nil
}

// writeHelp writes the usage of a command, or of all.
func writeHelp(w io.Writer, cmd *command) {
	if cmd.name != "" {
		fmt.Fprintf(w, "usage: %s\n\n%s.\n\n", cmd.usage(), cmd.summary)
		writeFlags(w, slices.Concat(cmd.flags, commonFlags))
		return
	}
	fmt.Fprint(w, "usage: srcprune COMMAND [operands] [flags]\n\nShows and changes the source pruning of network interfaces.\n\n")
	var rows [][2]string
	for _, cmd := range commands() {
		rows = append(rows, [2]string{strings.TrimSpace(cmd.name + " " + cmd.operands), cmd.summary})
	}
	writeColumns(w, rows)
	fmt.Fprintln(w)
	writeFlags(w, nil)
	fmt.Fprint(w, "\nExit status: 0 done, 1 it did not work, 2 usage, 3 not Linux.\n")
}

// writeFlags writes what the named flags are for, all for a nil list.
func writeFlags(w io.Writer, names []string) {
	var rows [][2]string
	for _, u := range flagUsage {
		if names == nil || slices.Contains(names, u.name) {
			rows = append(rows, [2]string{strings.TrimSpace("-" + u.name + " " + u.operand), u.text})
		}
	}
	writeColumns(w, rows)
}

func writeColumns(w io.Writer, rows [][2]string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	for _, row := range rows {
		fmt.Fprintf(w, "  %-*s  %s\n", width, row[0], row[1])
	}
}
