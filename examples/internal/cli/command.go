// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Exit statuses of the commands.
const (
	ExitDone      = 0
	ExitFailed    = 1
	ExitUsage     = 2
	ExitCannotRun = 3
	ExitInterrupt = 130
)

// UsageError says that the command line makes no sense.
type UsageError struct{ text string }

// Error returns the text.
func (e *UsageError) Error() string { return e.text }

// Usagef returns a [UsageError].
func Usagef(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// CannotRunError says that nothing can work here.
type CannotRunError struct{ Err error }

// Error returns the text of the error inside.
func (e *CannotRunError) Error() string { return e.Err.Error() }

// Unwrap returns the error inside.
func (e *CannotRunError) Unwrap() error { return e.Err }

// ErrHelp is no failure: the usage was asked for.
var ErrHelp = errors.New("help")

// ExitStatus returns the exit status for an error, which may be nil. An error after the
// context has ended is an interrupt.
func ExitStatus(ctx context.Context, err error) int {
	_, usage := errors.AsType[*UsageError](err)
	_, cannot := errors.AsType[*CannotRunError](err)
	switch {
	case err == nil:
		return ExitDone
	case usage:
		return ExitUsage
	case ctx.Err() != nil:
		return ExitInterrupt
	case cannot:
		return ExitCannotRun
	}
	return ExitFailed
}

// Program is a command with commands in it. C is what they are run with.
type Program[C any] struct {
	Name     string
	Summary  string // a sentence
	Statuses string // what the exit statuses mean, a sentence
	Flags    []Flag // besides -netns, -no-color and -h, which every command takes
	Commands []Command[C]
}

// Flag says what a flag is for.
type Flag struct {
	Name, Operand, Text string
	// Needed says that the commands that take it cannot do without.
	Needed bool
}

// Command is one word that a [Program] knows.
type Command[C any] struct {
	Name     string
	Operands string // as the usage shows them
	Summary  string
	Flags    []string // names of the flags of the program that it takes
	Min, Max int      // number of operands; a negative Max is no limit
	Run      func(ctx context.Context, c C) error
}

// Line is what all command lines have.
type Line struct {
	Args    []string // the operands
	NetNS   string   // the path of a network namespace, empty for the own one
	NoColor bool
}

// Parse reads a command line. Flags may stand anywhere before a "--"; define adds those of
// the program to the set. Its error is a [UsageError], or [ErrHelp]: then the command is nil if
// the usage of all was asked for.
func (p *Program[C]) Parse(args []string, define func(*flag.FlagSet)) (*Command[C], *Line, error) {
	var line Line
	var help bool
	fs := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.BoolVar(&help, "h", false, "")
	fs.BoolVar(&help, "help", false, "")
	fs.BoolVar(&line.NoColor, "no-color", false, "")
	fs.Func("netns", "", func(s string) error {
		if s == "" {
			return errors.New("want a path or a name")
		}
		line.NetNS = s
		if !strings.Contains(s, "/") {
			line.NetNS = "/run/netns/" + s
		}
		return nil
	})
	define(fs)
	words, err := p.parseFlags(fs, args)
	if err == nil && len(words) > 0 && words[0] == "help" {
		help, words = true, words[1:]
	}
	var cmd *Command[C]
	if len(words) > 0 {
		names := make([]string, len(p.Commands))
		for i := range p.Commands {
			names[i] = p.Commands[i].Name
		}
		i := slices.Index(names, words[0])
		if i < 0 {
			text := cmp.Or(DidYouMean(words[0], names), "; the commands are "+strings.Join(names, ", "))
			return nil, nil, Usagef("no command %s%s", Quote(words[0]), text)
		}
		cmd, line.Args = &p.Commands[i], words[1:]
	}
	switch {
	case err != nil:
		return nil, nil, err
	case help:
		return cmd, &line, ErrHelp
	case cmd == nil:
		return nil, nil, Usagef("no command; %s -h shows them", p.Name)
	}
	// A flag may stand before the command that does not take it.
	fs.Visit(func(f *flag.Flag) {
		own := slices.ContainsFunc(p.Flags, func(o Flag) bool { return o.Name == f.Name })
		if err == nil && own && !slices.Contains(cmd.Flags, f.Name) {
			err = Usagef("%s takes no flag -%s; usage: %s", cmd.Name, f.Name, p.Usage(cmd))
		}
	})
	switch n := len(line.Args); {
	case err != nil:
		return nil, nil, err
	case n < cmd.Min:
		return nil, nil, Usagef("too few words; usage: %s", p.Usage(cmd))
	case cmd.Max >= 0 && n > cmd.Max:
		return nil, nil, Usagef("unexpected %s; usage: %s", Quote(line.Args[cmd.Max]), p.Usage(cmd))
	}
	return cmd, &line, nil
}

// parseFlags parses flags among words, and returns the words.
func (p *Program[C]) parseFlags(fs *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for {
		if err := fs.Parse(args); err != nil {
			text := err.Error()
			if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
				var names []string
				for _, f := range p.allFlags() {
					names = append(names, f.Name)
				}
				text = "no flag -" + OneLine(name)
				if w := Nearest(name, names); w != "" {
					text += "; did you mean -" + w + "?"
				} else {
					text += "; " + p.Name + " -h shows the flags"
				}
			}
			return words, Usagef("%s", text)
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

// allFlags returns the flags of the program, and those of every command.
func (p *Program[C]) allFlags() []Flag {
	return slices.Concat(p.Flags, []Flag{
		{Name: "netns", Operand: "PATH", Text: "work in the network namespace PATH, or that of the name in /run/netns"},
		{Name: "no-color", Text: "no colours"},
		{Name: "h", Text: "show the usage"},
	})
}

// Usage returns a command with its operands and flags.
func (p *Program[C]) Usage(cmd *Command[C]) string {
	words := []string{p.Name, cmd.Name}
	if cmd.Operands != "" {
		words = append(words, cmd.Operands)
	}
	for _, f := range p.Flags {
		switch {
		case !slices.Contains(cmd.Flags, f.Name):
		case f.Needed:
			words = append(words, f.word())
		default:
			words = append(words, "["+f.word()+"]")
		}
	}
	return strings.Join(words, " ")
}

// word returns a flag with its operand.
func (f *Flag) word() string { return strings.TrimSpace("-" + f.Name + " " + f.Operand) }

// WriteHelp writes the usage of a command, or of all where it is nil.
func (p *Program[C]) WriteHelp(w io.Writer, cmd *Command[C]) {
	var commands, flags [][2]string
	for _, f := range p.allFlags() {
		own := slices.ContainsFunc(p.Flags, func(o Flag) bool { return o.Name == f.Name })
		if cmd == nil || !own || slices.Contains(cmd.Flags, f.Name) {
			flags = append(flags, [2]string{f.word(), f.Text})
		}
	}
	if cmd != nil {
		fmt.Fprintf(w, "usage: %s\n\n%s.\n\n", p.Usage(cmd), cmd.Summary)
		writeColumns(w, flags)
		return
	}
	for i := range p.Commands {
		cmd := &p.Commands[i]
		words := []string{cmd.Name}
		for _, f := range p.Flags {
			if f.Needed && slices.Contains(cmd.Flags, f.Name) {
				words = append(words, f.word())
			}
		}
		text := strings.TrimSpace(strings.Join(words, " ") + " " + cmd.Operands)
		commands = append(commands, [2]string{text, cmd.Summary})
	}
	fmt.Fprintf(w, "usage: %s COMMAND [operands] [flags]\n\n%s\n\n", p.Name, p.Summary)
	writeColumns(w, commands)
	fmt.Fprintln(w)
	writeColumns(w, flags)
	fmt.Fprintf(w, "\nExit status: %s\n", p.Statuses)
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

// ParseLink reads the name of an interface, or its number after a "#"; the other of
// the two is zero. Its error is a [UsageError].
func ParseLink(word string) (name string, index int, err error) {
	digits, numbered := strings.CutPrefix(word, "#")
	if !numbered {
		if word == "" {
			return "", 0, Usagef("the name of an interface is empty")
		}
		return word, 0, nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return "", 0, Usagef("%s is no number of an interface", Quote(word))
	}
	return "", n, nil
}

// NetNSError says in one piece that a path is no network namespace that can be entered.
func NetNSError(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // It says the path again.
	}
	if errors.Is(err, syscall.EINVAL) {
		err = errors.New("it is none")
	}
	return fmt.Errorf("network namespace %s: %w", Quote(path), err)
}

// SignalContext returns a context that ends at the first signal that asks the program to end. Under
// nohup a hangup does not.
func SignalContext() (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signal.NotifyContext(context.Background(), signals...)
}
