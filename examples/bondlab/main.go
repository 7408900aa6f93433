// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Bondlab shows an ARP monitor that tells the truth about the slaves of a bond.
//
// # Synopsis
//
//	bondlab [-list] [-scenario NAME[,NAME]] [-interval DURATION] [-json]
//	        [-no-color] [-kernel-bond auto|off|require] [-arp-validate VALUE[,VALUE]]
//
// # Description
//
// Bondlab builds a network inside network namespaces: a host with two slaves, e1
// (active) and e2 (backup), each on a switch of its own, a core switch, and two
// targets A and B on the core. It then runs a [arpmon.Monitor] over real sockets
// through one scenario after the other: cables are cut, transmitters die, hosts chatter,
// answers are forged. For each scenario it is known what is true of both slaves,
// and what the Monitor says is compared with it.
//
// Where the kernel has the bonding driver, the slaves are those of a bond with
// miimon=100, and the kernel's own ARP monitor is asked about the same fault too,
// once for each value of arp_validate. That happens in networks of their own in which no
// Monitor runs, because its probes would pass for life. The state of the bond is
// read (arp_missed_max + 3) x arp_interval + 1 s after the fault. Without bonding
// the host plays a bond: e1 has the address, and both slaves have its MAC address.
//
// A scenario is right if each slave and the group have the verdict that is true,
// nothing that the scenario also asks for is missing, the verdict came within the
// Monitor's bound and 50 ms (in a virtual machine one more interval) after the
// fault, nothing changed for two bounds after that, and all is well again after the
// repair. Time in which the system kept the Monitor from running is added to the
// bound, and noted.
//
// On a terminal a view shows, for each slave and target, the verdict, the round
// trip time, a short history, and the events that explain it. Elsewhere there is
// one line for each transition and each scenario. In the end there is a table.
//
// Bondlab needs Linux, the commands ip, bridge and tc of iproute2, and nft of nftables.
// Without privilege it starts itself anew in a user namespace of its own. Nothing
// of the machine's own network is touched, and nothing stays behind.
//
// # Flags
//
//	-list            list the scenarios and what is true in them
//	-scenario NAMES  run these scenarios only, with commas between them
//	-interval D      probe each target at least this often; default 100ms. The
//	                 budget of packets a second is raised as far as needed. The
//	                 kernel's arp_interval is the same, but at least 200 ms.
//	-json            print one JSON object a scenario, one a line, and nothing else
//	-no-color        no colours; so does the environment variable NO_COLOR
//	-kernel-bond W   auto: use the kernel's bonding where there is any; off: do not;
//	                 require: do not run without
//	-arp-validate L  values of arp_validate to ask the kernel with; default
//	                 none,active,backup,all
//	-h               show the usage
//
// # JSON
//
// An object has the keys scenario, title, slaves, group (what the Monitor says),
// right and notes (a list of sentences; those of a wrong verdict begin with
// "wrong: "). An element of slaves has name, truth, arpmon (the Monitor's word:
// up, down, suspect, unknown or no-link; error if the scenario could not be run), kernel and
// detect_ms. The object kernel has up or down for each value of arp_validate. A
// value that could not be asked is not in it, and a note says why; without a bond
// it is empty. detect_ms is null where the truth is up, and where a fault was
// not found.
//
// # Exit status
//
//	0  every verdict of the Monitor was right
//	1  a verdict was wrong, or a scenario could not be finished
//	2  the command line makes no sense
//	3  it cannot run here: one line for each thing that is missing
//
// What the kernel says never changes the status. After an interrupt it is 130.
//
// # Environment
//
//	NO_COLOR     not empty: no colours
//	BONDKIT_VM   not empty: this is an emulated machine, which is slower
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/internal/lab"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// Exit statuses.
const (
	exitRight     = 0
	exitWrong     = 1
	exitUsage     = 2
	exitCannotRun = 3
	exitInterrupt = 130
)

func main() {
	if os.Getenv(monitorEnv) != "" {
		os.Exit(monitorProcess(os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run does everything and returns the exit status.
func run(args []string, stdout, stderr *os.File) int {
	o, err := parseOptions(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitRight
	case err != nil:
		complain(stderr, fmt.Errorf("%w; bondlab -h shows the usage", err))
		return exitUsage
	case o.list:
		writeList(stdout, o.scenarios)
		return exitRight
	}
	bonded, missing := prepare(o)
	if len(missing) > 0 {
		complain(stderr, missing...)
		return exitCannotRun
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second signal ends the program at once.
	defer context.AfterFunc(ctx, stop)()

	r := &runner{opts: o, bonded: bonded, slack: hostSlack, out: newReporter(o, stdout)}
	if os.Getenv("BONDKIT_VM") != "" {
		r.slack += o.interval
	}
	results, err := r.all(ctx)
	r.out.close()
	switch {
	case ctx.Err() != nil:
		complain(stderr, errors.New("interrupted"))
		return exitInterrupt
	case err != nil:
		complain(stderr, missingList(err)...)
		return exitCannotRun
	}
	if !o.json {
		width, _, _ := terminalSize(stdout)
		fmt.Fprint(stdout, "\n"+table(results, o.validate, bonded, width, o.paint(stdout)))
		fmt.Fprintln(stdout, summary(results, o.validate))
	}
	return status(results)
}

// status returns the exit status for results.
func status(results []result) int {
	for _, r := range results {
		if !r.Right {
			return exitWrong
		}
	}
	return exitRight
}

// prepare gets the privilege to run and looks for everything that is needed. It
// reports whether there is a bond of the kernel to use, and what is missing.
func prepare(o *options) (bonded bool, missing []error) {
	if err := lab.Enter(); err != nil {
		// Without a namespace nothing but the commands can be looked for.
		tools := slices.DeleteFunc(missingList(lab.Check()), func(e error) bool { return !errors.Is(e, lab.ErrNoTool) })
		return false, append([]error{err}, tools...)
	}
	missing = missingList(lab.Check())
	if len(missing) > 0 || o.kernelBond == kernelOff {
		return false, missing
	}
	err := lab.HasBonding()
	if o.kernelBond == kernelRequire {
		missing = missingList(err)
	}
	return err == nil, missing
}

// missingList takes an error apart that lists what is missing. Nil gives nothing.
func missingList(err error) []error {
	if m, ok := errors.AsType[*lab.MissingError](err); ok {
		return m.Missing
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// complain prints one line for each error, with what to do about it where that is
// known.
func complain(w io.Writer, errs ...error) {
	for _, err := range errs {
		text := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", "; "), "lab: ")
		switch {
		case errors.Is(err, lab.ErrNoTool) && strings.HasPrefix(text, "nft:"):
			text += " (install nftables)"
		case errors.Is(err, lab.ErrNoTool):
			text += " (install iproute2)"
		case errors.Is(err, lab.ErrRefused):
			text += "; run it as root"
		}
		fmt.Fprintln(w, "bondlab: "+text)
	}
}

// newReporter chooses how to show what happens.
func newReporter(o *options, stdout *os.File) reporter {
	_, _, terminal := terminalSize(stdout)
	switch {
	case o.json:
		return jsonReporter{stdout}
	case !terminal || os.Getenv("TERM") == "dumb":
		return &lineReporter{w: stdout, paint: o.paint(stdout)}
	}
	return &view{
		w: stdout, paint: o.paint(stdout), now: time.Now,
		size: func() (int, int) {
			width, height, ok := terminalSize(stdout)
			if !ok {
				return 80, 24
			}
			return width, height
		},
	}
}

// paint says whether to use colours on a file.
func (o *options) paint(f *os.File) cli.Paint {
	_, _, terminal := terminalSize(f)
	return cli.NewPaint(terminal && !o.noColor, os.Getenv)
}

// writeList writes the table of scenarios.
func writeList(w io.Writer, list []scenario) {
	rows := [][]cli.Cell{{{Text: "scenario"}, {Text: "e1"}, {Text: "e2"}, {Text: "group"}, {Text: "what happens"}}}
	for _, sc := range list {
		rows = append(rows, []cli.Cell{{Text: sc.name}, {Text: sc.truth[0]}, {Text: sc.truth[1]}, {Text: sc.group}, {Text: sc.title}})
	}
	io.WriteString(w, cli.Table(rows, "", false))
}
