// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// command is one word that bondctl knows.
type command struct {
	name     string
	operands string // as the usage shows them
	summary  string
	flags    []string // names of the flags it takes, besides those that all take
	min, max int      // number of operands; a negative max is no limit
	run      func(ctx context.Context, c *call) error
}

// commands returns the table of commands.
func commands() []command {
	return []command{
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

// flags are the values of all flags.
type flags struct {
	netns        string
	noColor      bool
	json         bool
	print        bool
	file         string
	allow        bond.Disruption
	allowMissing bool
	dryRun       bool
	confirm      time.Duration
	help         bool
}

// flagUsage says what each flag is for, in the order of the usage.
var flagUsage = []struct{ name, operand, text string }{
	{"json", "", "print JSON"},
	{"print", "", "print the text as the kernel does"},
	{"f", "FILE", "read the specification from FILE, - for standard input"},
	{"allow", "WORD", "how much apply may disrupt: none, down, release or recreate; default none"},
	{"allow-missing", "", "leave out slaves that do not exist"},
	{"dry-run", "", "say what would be done, and do nothing"},
	{"confirm", "DURATION", "go back to the state before unless yes is typed in that time"},
	{"netns", "PATH", "work in the network namespace PATH, or that of the name in /run/netns"},
	{"no-color", "", "no colours"},
	{"h", "", "show the usage"},
}

// commonFlags are those that every command takes.
var commonFlags = []string{"netns", "no-color", "h", "help"}

// call is one run of a command.
type call struct {
	*system
	cmd    command
	flags  flags
	args   []string
	client *bond.Client
	// asked says that the question of -confirm stands in an unfinished line.
	asked bool
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
	c := &call{system: sys}
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
			text := cmp.Or(didYouMean(words[0], names), "; the commands are "+strings.Join(names, ", "))
			return nil, usagef("no command %s%s", quote(words[0]), text)
		}
		c.cmd, c.args = all[i], words[1:]
	}
	switch {
	case err != nil:
		return nil, err
	case c.flags.help:
		return c, errHelp
	case len(words) == 0:
		return nil, usagef("no command; bondctl -h shows them")
	}
	fs.Visit(func(f *flag.Flag) {
		if err == nil && !slices.Contains(commonFlags, f.Name) && !slices.Contains(c.cmd.flags, f.Name) {
			err = usagef("%s takes no flag -%s; usage: %s", c.cmd.name, f.Name, c.cmd.usage())
		}
	})
	if err != nil {
		return nil, err
	}
	switch n := len(c.args); {
	case n < c.cmd.min:
		return nil, usagef("too few words; usage: %s", c.cmd.usage())
	case c.cmd.max >= 0 && n > c.cmd.max:
		return nil, usagef("unexpected %s; usage: %s", quote(c.args[c.cmd.max]), c.cmd.usage())
	}
	return c, nil
}

// usage returns the command with its operands and flags.
func (cmd *command) usage() string {
	words := []string{"bondctl", cmd.name}
	if cmd.operands != "" {
		words = append(words, cmd.operands)
	}
	for _, u := range flagUsage {
		if slices.Contains(cmd.flags, u.name) {
			word := strings.TrimSpace("-" + u.name + " " + u.operand)
			if u.name != "f" {
				word = "[" + word + "]"
			}
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// flagSet returns the flags of all commands. A flag that the command does not take is
// refused later, because the command may stand behind it.
func (c *call) flagSet() *flag.FlagSet {
	fs := flag.NewFlagSet("bondctl", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.BoolVar(&c.flags.help, "h", false, "")
	fs.BoolVar(&c.flags.help, "help", false, "")
	fs.BoolVar(&c.flags.json, "json", false, "")
	fs.BoolVar(&c.flags.print, "print", false, "")
	fs.BoolVar(&c.flags.noColor, "no-color", false, "")
	fs.BoolVar(&c.flags.dryRun, "dry-run", false, "")
	fs.BoolVar(&c.flags.allowMissing, "allow-missing", false, "")
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
	fs.Func("f", "", func(s string) error {
		if s == "" {
			return errors.New("want the name of a file, or - for standard input")
		}
		c.flags.file = s
		return nil
	})
	fs.Func("allow", "", func(s string) (err error) {
		if c.flags.allow, err = bond.ParseDisruption(s); err != nil {
			return errors.New("want none, down, release or recreate")
		}
		return nil
	})
	fs.Func("confirm", "", func(s string) (err error) {
		if c.flags.confirm, err = time.ParseDuration(s); err != nil || c.flags.confirm < time.Second {
			return errors.New("want a duration of a second or more, such as 30s")
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
					text += "; bondctl -h shows the flags"
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

// dial returns the client, which is made at the first call.
func (c *call) dial() (*bond.Client, error) {
	if c.client != nil {
		return c.client, nil
	}
	client, err := c.system.dial(&bond.Config{NetNSPath: c.flags.netns})
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, &cannotRunError{err}
	case err != nil && c.flags.netns != "":
		if e, ok := errors.AsType[*bond.Error](err); ok {
			err = e.Err
		}
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err // it says the path again
		}
		if errors.Is(err, syscall.EINVAL) {
			err = errors.New("it is none")
		}
		return nil, fmt.Errorf("network namespace %s: %w", quote(c.flags.netns), err)
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
func (c *call) paint(w io.Writer) paint {
	if l, ok := w.(*lockedWriter); ok {
		w = l.w
	}
	return paint(!c.flags.noColor && c.getenv("NO_COLOR") == "" && c.getenv("TERM") != "dumb" && c.terminal(w))
}

// warn prints the warnings among issues.
func (c *call) warn(issues bond.Issues) {
	for _, issue := range issues.Warnings() {
		fmt.Fprintln(c.stderr, oneLine(issue.String()))
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
	fmt.Fprintf(c.stderr, "warning: %s: the kernel does not show %s, so nobody knows whether that took effect\n", quote(name), enumerate(names))
}

// parseLink reads the name of an interface, or its number after a "#".
func parseLink(word string) (bond.Link, error) {
	if digits, ok := strings.CutPrefix(word, "#"); ok {
		n, err := parseIndex(digits)
		return bond.Link{Index: n}, err
	}
	if word == "" {
		return bond.Link{}, usagef("the name of an interface is empty")
	}
	return bond.Link{Name: word}, nil
}

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

// writeHelp writes the usage of a command, or of all.
func writeHelp(w io.Writer, cmd *command) {
	if cmd.name != "" {
		fmt.Fprintf(w, "usage: %s\n\n%s.\n\n", cmd.usage(), cmd.summary)
		writeFlags(w, slices.Concat(cmd.flags, commonFlags))
		return
	}
	fmt.Fprint(w, "usage: bondctl COMMAND [operands] [flags]\n\nShows, changes and watches the bonds of this machine.\n\n")
	var rows [][2]string
	for _, cmd := range commands() {
		operands := cmd.operands
		if slices.Contains(cmd.flags, "f") {
			operands = "-f FILE"
		}
		rows = append(rows, [2]string{strings.TrimSpace(cmd.name + " " + operands), cmd.summary})
	}
	writeColumns(w, rows)
	fmt.Fprintln(w)
	writeFlags(w, nil)
	fmt.Fprint(w, "\nExit status: 0 done, 1 it did not work, 2 usage, 3 no bonding here.\n")
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
