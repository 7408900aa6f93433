// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Srcprune shows and changes the source pruning of network interfaces: whether they drop
// what they receive from their own MAC address, and with it the proof that the backup of
// a bond works.
//
// # Synopsis
//
//	srcprune show [IFACE|BOND]... [-json]
//	srcprune set IFACE|BOND... on|off [-yes] [-force] [-wait DURATION]
//	srcprune audit [BOND]... [-json]
//	srcprune drivers [DRIVER]... [-json]
//
// # Description
//
// All slaves of a bond have one MAC address, unless fail_over_mac is set. With arp_validate=all (or
// backup, filter_backup, and so on) the kernel believes in a backup only if that hears the broadcasts of the active
// slave, and these come from the address that the backup has too. A device that prunes
// drops them, and its slave is down for ever although nothing is wrong with it.
//
// IFACE and BOND are names of interfaces; #5 is the interface with the number 5. A bond
// stands for its slaves.
//
// Show prints, for each bond, a line with what pruning does to it and the options that matter, and a
// table of its slaves; without operands it does so for all bonds, and where no bond has a slave, for all
// hardware interfaces. A bond is UNHARMED, BROKEN, or PERHAPS BROKEN BY PRUNING, the last where it is not
// known what the hardware does. PRUNING is
// prunes, delivers or unknown, and SETTING is what makes it so: a private flag, or the mode of
// a macvlan. Below stand the reasons where they are not plain to see, and what helps. A slave whose
// pruning breaks the monitoring of its bond is marked with a "!", and with a "?" where that is not
// known. What show says comes
// from the driver's source and its settings; it sends nothing, changes nothing, and needs no privilege.
//
// Set switches source pruning on or off, by the setting that show shows, and reads it back. Some
// drivers reset the port for that, whose carrier then goes for seconds: set says so first, and asks. It
// asks, too, before pruning is switched on where that breaks a bond. It
// does one interface after the other, backups before active slaves, and waits until the
// carrier of each has come back, and the bond takes the slave for up, before it goes on. At the first that
// does not come back, or fails, it stops, and says which it has not begun; so it does when interrupted, but
// a change that has begun it completes. It refuses to
// reset the only slave of a bond that works, unless -force is given. Where an interface
// prunes and cannot be told not to, set says what else helps. A setting is lost at the next
// boot: udev rules or units have to set it again.
//
// Audit prints what is wrong with the slaves of bonds, as far as drivers and firmware tell: different
// firmware in cards of one model, firmware that waits for a reset, drivers in a mode of
// emergency, flags that differ, links that the bond does not believe in. It reads only. What it
// could not see, it says.
//
// Drivers prints what is known about drivers, with the places in their source.
//
// # Flags
//
// They may stand before and after the other words, up to a "--".
//
//	-json       print JSON (show, audit, drivers)
//	-yes        do not ask before a port is reset, or a bond is broken (set)
//	-force      reset even the only slave of a bond that works (set)
//	-wait D     how long to wait for a port to come back; default 30s (set)
//	-netns PATH work in that network namespace. A name without a slash is one below
//	            /run/netns.
//	-no-color   no colours; so does the environment variable NO_COLOR
//	-h          show the usage, of one command after its name
//
// # JSON
//
// Show prints one array of interfaces. Each is an object with the keys of ethtool.Pruning:
//
//	link             index and name
//	driver           the driver, or the kind of a virtual interface
//	state            prunes, delivers or unknown
//	control          how it is changed: none, private-flag, bridge-mode, feature,
//	                 macvlan-mode or host
//	name, value      the flag or feature, and what the setting is now
//	on_means_prunes  the polarity of it
//	below            the interface whose setting it is, if another
//	hard_wired       it prunes, and nothing on this machine changes it
//	resets           a change resets the port
//	evidence         none, driver or setting
//	reason, caution, source
//	workarounds      what else helps, an array of words
//
// and, of a slave, bond (an object with link, mode, arp_validate, fail_over_mac; state: active or backup;
// mii_status) and impact: breaks, may-break or none, what pruning means for the bond as
// it is set now. Keys that do not apply are absent.
//
// Audit prints one object:
//
//	kernel    what uname -r prints
//	facts     an array of objects, one for each interface, with the keys of ethtool.Facts
//	findings  an array of objects with the keys code and severity (words), bond and links (objects with
//	          index and name), text and hint; empty if nothing was found
//
// Drivers prints an array of objects with the keys of ethtool.PruningRule: those of show, when (what
// must be so besides), and fixed (the setting cannot be changed).
//
// Nearly any byte may stand in the name of an interface, and JSON holds UTF-8: any other byte is \xNN,
// with two hexadecimal digits, and a backslash is two. (In JSON, every backslash is written
// twice again.) Keys may be added. Those that are there keep their names and meanings.
//
// # Exit status
//
//	0    done
//	1    it did not work, or only in part; one line for each error says why, and what
//	     helps
//	2    the command line makes no sense
//	3    it cannot work here: not Linux
//	130  interrupted, by SIGINT, SIGQUIT, SIGTERM or SIGHUP
//
// # Environment
//
//	NO_COLOR   not empty: no colours
//	TERM       dumb: no colours
//
// # Examples
//
//	srcprune show
//	srcprune set eth1 off        on a card that needs a reset for it, with a question
//	srcprune set bond0 off -yes  backups first
//	srcprune audit -json >facts.json
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func main() {
	ctx, stop := cli.SignalContext()
	status := run(ctx, os.Args[1:], &system{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		dial: ethtool.Dial, dialBond: bond.Dial, after: time.After, terminal: cli.IsTerminal, getenv: os.Getenv,
	})
	stop()
	os.Exit(status)
}

// run does everything and returns the exit status.
func run(ctx context.Context, args []string, sys *system) int {
	c := &call{system: sys}
	defer c.close()
	var err error
	if c.cmd, c.Line, err = program().Parse(args, c.flags.define); err == nil {
		err = c.cmd.Run(ctx, c)
	}
	if errors.Is(err, cli.ErrHelp) {
		program().WriteHelp(sys.stdout, c.cmd)
		return cli.ExitDone
	}
	if err != nil {
		complain(sys.stderr, err)
	}
	return cli.ExitStatus(ctx, err)
}

// complain prints one line for each error.
func complain(w io.Writer, err error) {
	for _, err := range flatten(err) {
		text := strings.NewReplacer("ethtool: ", "", "bond: ", "", context.Canceled.Error(), "interrupted").Replace(err.Error())
		fmt.Fprintln(w, "srcprune: "+cli.OneLine(text))
	}
}

// flatten returns the errors that were joined by errors.Join.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	var errs []error
	for _, part := range joined.Unwrap() {
		errs = append(errs, flatten(part)...)
	}
	return errs
}
