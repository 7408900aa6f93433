// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// toy is a program whose commands do nothing.
func toy() *cli.Program[int] {
	return &cli.Program[int]{
		Name: "toy", Summary: "Plays.", Statuses: "0 done.",
		Flags: []cli.Flag{
			{Name: "json", Text: "print JSON"},
			{Name: "f", Operand: "FILE", Text: "read FILE", Needed: true},
		},
		Commands: []cli.Command[int]{
			{Name: "show", Operands: "[NAME]", Summary: "Show", Flags: []string{"json"}, Max: 1},
			{Name: "apply", Summary: "Apply", Flags: []string{"f"}},
			{Name: "many", Operands: "NAME...", Summary: "Take many", Min: 2, Max: -1},
		},
	}
}

// TestParse puts flags everywhere, and makes every mistake.
func TestParse(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"show", "show [] json=false f= netns= color=true"},
		{"-json show x", "show [x] json=true f= netns= color=true"},
		{"show -netns blue x --json -no-color", "show [x] json=true f= netns=/run/netns/blue color=false"},
		{"show -netns ./blue -- -json", "show [-json] json=false f= netns=./blue color=true"},
		{"apply -f=x", "apply [] json=false f=x netns= color=true"},
		{"many a -netns /x b -- c -d", "many [a b c -d] json=false f= netns=/x color=true"},

		{"", "usage: no command; toy -h shows them"},
		{"-json", "usage: no command; toy -h shows them"},
		{"shwo", "usage: no command shwo; did you mean show?"},
		{"\x1b[2J", `usage: no command "\x1b[2J"; the commands are show, apply, many`},
		{"show -jsn", "usage: no flag -jsn; did you mean -json?"},
		{"show -frobnicate\x1b", `usage: no flag -frobnicate\x1b; toy -h shows the flags`},
		{"show -netns", "usage: flag needs an argument: -netns"},
		{"show -netns=", "usage: invalid value \"\" for flag -netns: want a path or a name"},
		{"-json apply -f x", "usage: apply takes no flag -json; usage: toy apply -f FILE"},
		{"show a b", "usage: unexpected b; usage: toy show [NAME] [-json]"},
		{"many a", "usage: too few words; usage: toy many NAME..."},

		{"-h", "help"},
		{"help", "help"},
		{"many -h", "help many"},
		{"-help many", "help many"},
		{"help many a", "help many"},
		{"help frobnicate", "usage: no command frobnicate; the commands are show, apply, many"},
	} {
		var json bool
		var file string
		cmd, line, err := toy().Parse(strings.Fields(tt.line), func(fs *flag.FlagSet) {
			fs.BoolVar(&json, "json", false, "")
			fs.StringVar(&file, "f", "", "")
		})
		got := ""
		usage, ok := errors.AsType[*cli.UsageError](err)
		switch {
		case ok:
			got = "usage: " + usage.Error()
		case errors.Is(err, cli.ErrHelp):
			got = "help"
			if cmd != nil {
				got += " " + cmd.Name
			}
		case err != nil:
			t.Errorf("%s: %v", tt.line, err)
		default:
			got = fmt.Sprintf("%s %v json=%v f=%s netns=%s color=%v", cmd.Name, line.Args, json, file, line.NetNS, !line.NoColor)
		}
		if got != tt.want {
			t.Errorf("%q:\ngot  %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

// TestWriteHelp shows the usage of all commands and of one.
func TestWriteHelp(t *testing.T) {
	p := toy()
	const common = `  -netns PATH  work in the network namespace PATH, or that of the name in /run/netns
  -no-color    no colours
  -h           show the usage
`
	for _, tt := range []struct {
		cmd  *cli.Command[int]
		want string
	}{
		{nil, `usage: toy COMMAND [operands] [flags]

Plays.

  show [NAME]    Show
  apply -f FILE  Apply
  many NAME...   Take many

  -json        print JSON
  -f FILE      read FILE
` + common + `
Exit status: 0 done.
`},
		{&p.Commands[1], "usage: toy apply -f FILE\n\nApply.\n\n  -f FILE      read FILE\n" + common},
		{&p.Commands[2], "usage: toy many NAME...\n\nTake many.\n\n" + common},
	} {
		var b bytes.Buffer
		p.WriteHelp(&b, tt.cmd)
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestExitStatus tells usage from interrupts from failures, also inside other errors.
func TestExitStatus(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	cannot := &cli.CannotRunError{Err: errors.ErrUnsupported}
	for _, tt := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{t.Context(), nil, cli.ExitDone},
		{ended, nil, cli.ExitDone},
		{t.Context(), errors.New("no"), cli.ExitFailed},
		{ended, errors.New("no"), cli.ExitInterrupt},
		{ended, fmt.Errorf("so: %w", cli.Usagef("%d", 1)), cli.ExitUsage},
		{t.Context(), errors.Join(errors.New("no"), cannot), cli.ExitCannotRun},
		{ended, cannot, cli.ExitInterrupt},
	} {
		if got := cli.ExitStatus(tt.ctx, tt.err); got != tt.want {
			t.Errorf("%v, ended %v: %d, want %d", tt.err, tt.ctx.Err() != nil, got, tt.want)
		}
	}
	if !errors.Is(cannot, errors.ErrUnsupported) || cannot.Error() != errors.ErrUnsupported.Error() {
		t.Errorf("%v", cannot)
	}
}

// TestParseLink reads names and numbers.
func TestParseLink(t *testing.T) {
	for _, tt := range []struct {
		word, name string
		index      int
		want       string // in the error
	}{
		{"eth0", "eth0", 0, ""},
		{"5", "5", 0, ""},
		{"#5", "", 5, ""},
		{"#2147483647", "", 1<<31 - 1, ""},
		{"#2147483648", "", 0, "#2147483648 is no number of an interface"},
		{"#0", "", 0, "#0 is no number"},
		{"#-1", "", 0, "is no number"},
		{"#\x1b", "", 0, `"#\x1b" is no number`},
		{"", "", 0, "is empty"},
	} {
		name, index, err := cli.ParseLink(tt.word)
		if name != tt.name || index != tt.index || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %q, %d, %v", tt.word, name, index, err)
		}
	}
}

// TestNetNSError says the path once, whoever said it before.
func TestNetNSError(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&os.PathError{Op: "open", Path: "/run/netns/x", Err: syscall.ENOENT}, "network namespace /run/netns/x: no such file or directory"},
		{fmt.Errorf("dial: %w", &os.PathError{Op: "open", Path: "/run/netns/x", Err: syscall.EACCES}), "network namespace /run/netns/x: permission denied"},
		{fmt.Errorf("network namespace /run/netns/x: %w", syscall.EINVAL), "network namespace /run/netns/x: it is none"},
		{errors.New("no"), "network namespace /run/netns/x: no"},
	} {
		if got := cli.NetNSError("/run/netns/x", tt.err).Error(); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}
