// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Bondctl shows, changes and watches the bonds of a Linux machine.
//
// # Synopsis
//
//	bondctl show [BOND] [-json]
//	bondctl create NAME [WORD...]
//	bondctl set BOND|SLAVE WORD...
//	bondctl enslave BOND SLAVE... [WORD...]
//	bondctl release SLAVE...
//	bondctl active BOND SLAVE|none
//	bondctl delete BOND
//	bondctl watch [-json]
//	bondctl plan -f FILE
//	bondctl apply -f FILE [-allow WORD] [-allow-missing] [-dry-run] [-confirm DURATION]
//	bondctl options [OPTION] [-json]
//	bondctl proc [FILE|-|DIR]... [-json] [-print]
//
// # Description
//
// BOND, SLAVE and NAME are names of interfaces; #5 is the interface with the number 5. A
// WORD is an option of a bond or a slave with its value, such as mode=802.3ad,
// miimon=100, updelay=200ms or arp_ip_target=192.0.2.1,192.0.2.2. Names and
// values are the kernel's. Those of the files below /sys/class/net/BOND/bonding and of the
// ip command are understood too. Bondctl options lists them. An option without a value, as in
// primary=, is cleared.
//
// Bondctl checks a change before it asks the kernel, and reads it back
// afterwards. What the kernel would take though it is hardly meant (no
// link monitoring, an ARP monitor that believes anything) is a warning.
//
// Show prints, for each bond, a line with its state and why; what it is; and a
// table of its slaves. The states, from the best to the worst:
//
//	OK          all slaves do their part
//	DEGRADED    a slave is down, or, with LACP, outside the active aggregator or
//	            without an answer from the partner
//	NO MONITOR  miimon and arp_interval are 0, so that nothing notices a failure
//	DOWN        the bond is switched off, has no slave with a link, or no carrier
//
// MII is the verdict of the kernel's monitor, be it miimon or ARP. The speed is a
// dash where it is not known. QUEUE, PRIO, PORT PRIO and the priority, key and address
// of LACP (ad_actor_sys_prio, ad_user_port_key, ad_actor_system) are shown where they are
// not the default. The kernel shows the last three to CAP_NET_ADMIN only; without it they
// are said to be hidden. Show needs no privilege, changes nothing, and loads no driver; where
// the driver is not loaded it says so.
//
// Create makes a bond in one request to the kernel. Besides options it takes the
// words mac=ADDRESS, mtu=BYTES, tx_queues=N and up, and slaves=A,B, whose
// interfaces are switched off and made slaves of it; the primary and the active
// slave may be among them. If anything fails there, all of it is undone.
//
// Set changes the options of a bond in one request, or those of a slave (queue_id,
// prio, actor_port_prio). For a bond it takes mac=, mtu=, down and up, too. Down is done
// first and up last, so that bondctl set bond0 down lacp_rate=fast up changes
// an option that needs the bond down; after an error the bond is switched
// on again. That takes away the routes of the bond, and by default its IPv6
// addresses, so what can be seen to be refused is refused before anything is changed.
//
// Enslave switches interfaces off, makes them slaves, and sets their options. Enslave and
// release go on after an error with the next interface. Active makes a slave the active one
// at once; none leaves the choice to the kernel. Delete releases all slaves, which stay
// switched off.
//
// Watch prints the bonds that are there, and from then on one line for each change,
// and one when the state of a bond changes.
//
// Plan and apply compare a bond with a specification, a file of JSON such as
//
//	{
//	  "name": "bond0",
//	  "options": {"mode": "active-backup", "miimon": 100, "primary": "eth0"},
//	  "slaves": ["eth0", {"name": "eth1", "options": {"prio": 10}}],
//	  "up": true
//	}
//
// with the keys mac, mtu and tx_queues besides. What is not in it is left as it
// is; slaves are all the slaves the bond shall have. Plan prints what there is to do.
// Apply does it, unless it takes more than -allow says: down switches the bond off
// and on, release releases slaves for a time, recreate makes the bond anew, with
// all that is on top of it. Where a step fails, apply goes back to the state before.
//
// With -confirm 30s apply waits up to two seconds for the bond to be in order, shows how
// it is then, and asks whether that shall stay. Only the answer yes keeps the change. Apply
// goes back if there is no answer within 30 seconds of the change, perhaps because the
// change has cut the connection. It goes back at once on any other answer, at the end of
// the input, when the terminal is closed, in the background of a terminal, where nobody
// can answer, and on SIGINT, SIGQUIT, SIGTERM and SIGHUP. While apply works, control-Z
// does not stop it. What it cannot survive is kill -9, and it waits for as long as kill
// -STOP stops it: until then the change stays as it is at that moment.
//
// Proc shows what texts of /proc/net/bonding say, of this machine or another: those in
// files, on standard input (-), or in a directory. That is a proc directory (without
// operands /proc), its directory net or net/bonding, the root of a report with
// proc/net/bonding below it, or any other directory with the files themselves in it. A text may hold several bonds, as cat or head
// print them. Marks of a mail's quotation and other damage of that kind are taken off
// first. Lines that are not known are shown as they are; what is
// wrong with a text is said on standard error, one line for each problem, and the exit status is 1 then. Proc
// needs neither Linux nor the driver. In its table AGG is the LACP aggregator of a slave, and CHURN
// has the states and counts of the actor and of the partner.
//
// # Flags
//
// They may stand before and after the other words, up to a "--".
//
//	-json            print JSON (show, watch, options, proc)
//	-print           print the text again as the kernel prints it, byte for byte if a
//	                 kernel printed it (proc)
//	-f FILE          read the specification from FILE, - for standard input (plan, apply)
//	-allow WORD      how much apply may disrupt: none, down, release or recreate;
//	                 default none
//	-allow-missing   leave out slaves that do not exist (apply)
//	-dry-run         say what apply would do, and whether it would be refused, and
//	                 do nothing
//	-confirm D       go back unless yes is typed in that time (apply)
//	-netns PATH      work in that network namespace. A name without a slash is one
//	                 below /run/netns.
//	-no-color        no colours; so does the environment variable NO_COLOR
//	-h               show the usage, of one command after its name
//
// # JSON
//
// Nearly any byte may stand in the name of an interface, and JSON holds UTF-8: in
// names, here and in a specification, any other byte is \xNN, with two hexadecimal
// digits, and a backslash is two. (In JSON, every backslash is written twice again.)
//
// Show prints one array of bonds. A bond is an object with these keys:
//
//	name, index, mac, mtu, tx_queues, up, carrier, operstate
//	         as in "ip link"; tx_queues is absent where it is not known
//	options  every option of a bond that the kernel tells, by its name: words as
//	         strings, times in the kernel's unit, lists of addresses, interfaces
//	         by name. What the kernel does not tell is absent, and not zero.
//	ad_info  the active LACP aggregator: aggregator, num_ports, actor_key,
//	         partner_key and partner_mac; absent without one
//	unknown  attributes that bondctl does not know: type, data in hexadecimal;
//	         absent if there are none
//	state    ok, degraded, no-monitor or down
//	reason   why, for people; empty where there is nothing to say
//	slaves   an array of objects with the first line of keys, master (the index
//	         of the bond), options (queue_id, prio, actor_port_prio), what can only
//	         be read (state: active or backup; mii_status, link_failure_count,
//	         perm_hwaddr, and with LACP ad_aggregator_id, ad_actor_oper_port_state
//	         and so on), unknown, speed_mbps, and duplex (full or half), the
//	         last two null where not known
//
// Watch prints one object a line. Keys that do not apply are absent:
//
//	time                     when it was received, RFC 3339
//	event                    bond-added, bond-removed, bond-renamed, slave-added,
//	                         slave-removed, slave-renamed, options-changed,
//	                         active-changed, slave-changed, aggregator-changed,
//	                         carrier-changed, link-changed (MAC, MTU and the like of
//	                         a bond); synced after all that was there at the
//	                         beginning; resynced after a loss of messages, whose
//	                         consequences are the events before it
//	bond, bond_index         the bond it is about
//	slave, slave_index       the slave it is about
//	old_name                 the name before a rename
//	old, new                 the active slaves, empty for none
//	changed                  the options that have another value
//	state, reason            of the bond, as above, after synced only
//	bond_state, slave_state  the bond and the slave after the change, as above, without
//	                         state, slaves and speed
//
// Options prints an array of objects with the keys name, sysfs, iproute2 (empty where
// it has no name there), slave, read_only, kind (enum, bool, uint, int, duration,
// interface, ipv4-list, ipv6-list, mac, structure), values (the words of an enum), unit
// (ms or s, of a duration), min and max (of the number, or the most elements of a
// list), default (null for none), modes (that take it), acts (in which it
// does something), needs (what the bond must be or have), since (kernel), attribute
// (number in netlink) and order (in which the kernel applies it, 0 if read_only).
//
// Proc prints one object a line for each bond, that of MarshalJSON in package procfs: name, mode
// and the other options by the kernel's names, lacp, slaves (an array), and
// always problems (line, column, offset, section, field, key, text, error) and unknown, the lines
// that are not known. A word that bondctl does not know stands behind a question
// mark. A key is absent where the text does not say it.
//
// Keys may be added. Those that are there keep their names and meanings.
//
// # Exit status
//
//	0    done
//	1    it did not work, or was refused; one line for each error says why, and what helps
//	2    the command line or the specification has words, values or keys that do not exist
//	3    it cannot work here: no bonding driver, or not Linux
//	130  interrupted, by SIGINT, SIGQUIT, SIGTERM or SIGHUP; for watch that is the usual end, and 0
//
// # Environment
//
//	NO_COLOR   not empty: no colours
//	TERM       dumb: no colours
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func main() {
	ctx, stop := cli.SignalContext()
	status := run(ctx, os.Args[1:], &system{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		dial: bond.Dial, speeds: readSpeeds, now: time.Now, terminal: cli.IsTerminal, getenv: os.Getenv,
		noDriver: noDriver,
	})
	stop()
	os.Exit(status)
}

// run does everything and returns the exit status.
func run(ctx context.Context, args []string, sys *system) int {
	own := *sys
	sys = &own
	// The question of -confirm may be written while an error is.
	sys.stderr = &lockedWriter{w: sys.stderr}
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
	if _, ok := errors.AsType[*specError](err); ok {
		return cli.ExitUsage
	}
	if errors.Is(err, bond.ErrNoModule) {
		err = &cli.CannotRunError{Err: err}
	}
	return cli.ExitStatus(ctx, err)
}

// complain prints one line for each error.
func complain(w io.Writer, err error) {
	for _, err := range flatten(err) {
		text := plainText(err)
		if e, ok := errors.AsType[*bond.Error](err); ok && len(e.Applied) > 0 {
			names := make([]string, len(e.Applied))
			for i, opt := range e.Applied {
				names[i] = opt.String()
			}
			text += "; what took effect: " + strings.Join(names, ", ")
		}
		fmt.Fprintln(w, "bondctl: "+cli.OneLine(text))
	}
}

// plainText returns the text of an error without the name of the package in it, and without
// words that only programmers know.
func plainText(err error) string {
	text := err.Error()
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		if e, ok := inner.(*bond.Error); ok { //nolint:errorlint // each of the chain
			text = strings.Replace(text, e.Error(), strings.TrimPrefix(e.Error(), "bond: "), 1)
		}
	}
	text = strings.ReplaceAll(text, context.Canceled.Error(), "interrupted")
	return strings.TrimPrefix(text, "bond: ")
}

// flatten returns the errors that were joined, and those inside a [bond.Error] that
// say each on its own what is wrong.
func flatten(err error) []error {
	if e, ok := err.(*bond.Error); ok { //nolint:errorlint // what wraps one has more to say
		return flattenBond(e)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var errs []error
	for _, part := range joined.Unwrap() {
		errs = append(errs, flatten(part)...)
	}
	return errs
}

func flattenBond(e *bond.Error) []error {
	joined, ok := e.Err.(interface{ Unwrap() []error })
	if !ok {
		return []error{e}
	}
	var errs []error
	for _, part := range joined.Unwrap() {
		p, ok := part.(*bond.Error) //nolint:errorlint // as above
		if !ok {
			return []error{e} // a cause and what it is taken for
		}
		// What was tried, and what became of it, stands in the outer one.
		both := *p
		both.Op, both.Link, both.Applied = e.Op, e.Link, e.Applied
		if both.Hint != "" && e.Hint != "" {
			both.Hint += "; "
		}
		both.Hint += e.Hint
		errs = append(errs, flattenBond(&both)...)
	}
	return errs
}

// lockedWriter is a writer for several goroutines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
