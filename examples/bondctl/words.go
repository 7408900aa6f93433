// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// request is what the words behind a command ask for.
type request struct {
	options bond.Options
	slave   bond.SlaveOptions
	mac     net.HardwareAddr
	mtu     int
	queues  int
	slaves  []string
	up      bool
	down    bool
}

// wordSet says what words a command takes.
type wordSet uint8

const (
	bondWords   wordSet = 1 << iota // options of a bond
	slaveWords                      // options of a slave
	linkWords                       // mac= and mtu=
	createWords                     // tx_queues= and slaves=
	upWord
	downWord
)

// names returns all words that may stand before a "=", or alone.
func (set wordSet) names() []string {
	var names []string
	for opt := range bond.AllOptions() {
		if set.takes(opt) {
			names = append(names, opt.String())
		}
	}
	for _, w := range []struct {
		set  wordSet
		name string
	}{{linkWords, "mac"}, {linkWords, "mtu"}, {createWords, "tx_queues"}, {createWords, "slaves"}, {upWord, "up"}, {downWord, "down"}} {
		if set&w.set != 0 {
			names = append(names, w.name)
		}
	}
	return names
}

// takes reports whether an option of the table may be set.
func (set wordSet) takes(opt bond.Option) bool {
	info := opt.Info()
	return !info.ReadOnly && (info.Slave && set&slaveWords != 0 || !info.Slave && set&bondWords != 0)
}

// parseWords reads words such as "mode=802.3ad" or "up". Every error is one of usage.
func parseWords(words []string, set wordSet) (*request, error) {
	var r request
	seen := map[string]bool{}
	for _, word := range words {
		name, value, assigned := strings.Cut(word, "=")
		if opt, err := bond.ParseOption(name); err == nil {
			name = opt.String()
		}
		if seen[name] {
			return nil, cli.Usagef("%s is there twice", name)
		}
		seen[name] = true
		if err := r.word(name, value, assigned, set); err != nil {
			return nil, err
		}
	}
	// The ranges are those of the table, which Validate knows.
	for _, issue := range bond.Validate(r.options, nil) {
		if issue.Severity == bond.SeverityError && issue.Option != 0 && errors.Is(issue.Err, bond.ErrBadValue) {
			return nil, cli.Usagef("%s %s: %s; it takes %s", issue.Option, cli.Quote(issue.Value), cli.OneLine(issue.Message), takes(issue.Option.Info()))
		}
	}
	return &r, nil
}

// word reads one word, whose name is the kernel's.
func (r *request) word(name, value string, assigned bool, set wordSet) error {
	switch {
	case name == "up" && set&upWord != 0 && !assigned:
		r.up = true
		return nil
	case name == "down" && set&downWord != 0 && !assigned:
		r.down = true
		return nil
	case !slices.Contains(set.names(), name):
		return unknownWord(name, assigned, set)
	case !assigned:
		return cli.Usagef("%s has no value: want %s=VALUE", name, name)
	}
	switch name {
	case "up", "down":
		return cli.Usagef("%s takes no value", name)
	case "mac":
		mac, err := net.ParseMAC(value)
		if err != nil {
			return badWord(name, value, "a hardware address such as 02:00:5e:00:53:01")
		}
		r.mac = mac
	case "mtu":
		return number(&r.mtu, name, value, 68, 65535)
	case "tx_queues":
		return number(&r.queues, name, value, 1, 4096)
	case "slaves":
		for s := range strings.SplitSeq(value, ",") {
			switch {
			case s == "":
				return badWord(name, value, "the names of interfaces with commas between them")
			case slices.Contains(r.slaves, s):
				return cli.Usagef("slaves: %s is there twice", cli.Quote(s))
			}
			r.slaves = append(r.slaves, s)
		}
	default:
		return r.option(name, value)
	}
	return nil
}

// option reads the value of an option of the table.
func (r *request) option(name, value string) error {
	opt, err := bond.ParseOption(name)
	if err != nil {
		return err
	}
	info := opt.Info()
	if info.Slave {
		err = r.slave.SetText(opt, value)
	} else {
		err = r.options.SetText(opt, value)
	}
	if err == nil {
		return nil
	}
	return badWord(name, value, takes(info)+cli.DidYouMean(value, info.Words))
}

// badWord says what an option takes instead of a value.
func badWord(name, value, takes string) error {
	return cli.Usagef("%s: %s is not a value of it; it takes %s", name, cli.Quote(value), takes)
}

// number reads a number in a range.
func number(n *int, name, value string, low, high int) error {
	v, err := strconv.Atoi(value)
	if err != nil || v < low || v > high {
		return badWord(name, value, fmt.Sprintf("a number from %d to %d", low, high))
	}
	*n = v
	return nil
}

// unknownWord explains a word that is not taken.
func unknownWord(name string, assigned bool, set wordSet) error {
	if opt, err := bond.ParseOption(name); err == nil && opt.Info().Name != "" {
		switch info := opt.Info(); {
		case info.ReadOnly:
			return cli.Usagef("%s cannot be set", name)
		case info.Slave:
			return cli.Usagef("%s is an option of a slave: bondctl set SLAVE %s=VALUE", name, name)
		default:
			return cli.Usagef("%s is an option of a bond: bondctl set BOND %s=VALUE", name, name)
		}
	}
	names := set.names()
	kind := "option"
	if !assigned {
		kind = "word"
	}
	if w := cli.Nearest(name, names); w != "" {
		return cli.Usagef("no %s %s; did you mean %s?", kind, cli.Quote(name), w)
	}
	return cli.Usagef("no %s %s; bondctl options shows them", kind, cli.Quote(name))
}

// takes says what values an option takes.
func takes(info bond.OptionInfo) string {
	switch info.Kind {
	case bond.KindEnum:
		return oneOf(info.Words)
	case bond.KindBool:
		return "0 or 1, off or on"
	case bond.KindDuration:
		unit := time.Duration(info.Unit)
		return fmt.Sprintf("a time in %s from %d to %d, or with a unit such as %v", unitWord(unit), info.Min, info.Max, 100*unit)
	case bond.KindUint, bond.KindInt:
		return fmt.Sprintf("a number from %d to %d", info.Min, info.Max)
	case bond.KindIPv4List:
		return fmt.Sprintf("up to %d IPv4 addresses with commas between them, or nothing", info.Max)
	case bond.KindIPv6List:
		return fmt.Sprintf("up to %d IPv6 addresses with commas between them, or nothing", info.Max)
	case bond.KindLink:
		return "the name of an interface, or nothing"
	case bond.KindMAC:
		return "a hardware address such as 02:00:5e:00:53:01"
	default:
		return "nothing"
	}
}

// unitWord returns ms or s.
func unitWord(unit time.Duration) string {
	if unit == time.Second {
		return "s"
	}
	return "ms"
}

// oneOf returns "a, b or c".
func oneOf(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}
