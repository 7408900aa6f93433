// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// When the kernel's own bond is used.
const (
	kernelAuto    = "auto"
	kernelOff     = "off"
	kernelRequire = "require"
)

// arpValidateValues are all values of the bond option arp_validate.
var arpValidateValues = []string{"none", "active", "backup", "all", "filter", "filter_active", "filter_backup"}

// options are the command line.
type options struct {
	list       bool
	scenarios  []scenario
	interval   time.Duration
	json       bool
	noColor    bool
	kernelBond string
	validate   []string
}

const usageHead = `usage: bondlab [flags]

Builds a network of two switches in network namespaces of its own, breaks it in
many ways, and shows what the ARP monitor says of the two slaves of a host,
beside the truth and, where the kernel has bonding, beside the kernel's monitor.

`

const usageTail = `
Exit status: 0 all verdicts right, 1 a wrong verdict, 2 usage, 3 cannot run here.
`

// parseOptions reads the command line. The usage is written to w if it was asked
// for, with flag.ErrHelp as the error.
func parseOptions(args []string, w io.Writer) (*options, error) {
	o := &options{validate: slices.Clone(arpValidateValues[:4]), kernelBond: kernelAuto, scenarios: scenarios()}
	fs := flag.NewFlagSet("bondlab", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&o.list, "list", false, "list the scenarios and what is true in them, and do nothing")
	fs.Func("scenario", "run the scenarios `NAME[,NAME]` only", func(s string) (err error) {
		o.scenarios, err = chooseScenarios(s)
		return err
	})
	fs.DurationVar(&o.interval, "interval", 100*time.Millisecond, "probe every target at least this often, 10ms to 1m")
	fs.BoolVar(&o.json, "json", false, "print one JSON object a scenario, one a line, and no view")
	fs.BoolVar(&o.noColor, "no-color", false, "no colours; so does the environment variable NO_COLOR")
	fs.Func("kernel-bond", "run over a bond of the kernel and ask its own monitor: `auto|off|require` (default auto)", func(s string) error {
		if !slices.Contains([]string{kernelAuto, kernelOff, kernelRequire}, s) {
			return errors.New("want auto, off or require")
		}
		o.kernelBond = s
		return nil
	})
	fs.Func("arp-validate", "ask the kernel's monitor with each of the `VALUES` of arp_validate (default none,active,backup,all)", func(s string) (err error) {
		o.validate, err = chooseWords(s, arpValidateValues, "value of arp_validate")
		return err
	})
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			io.WriteString(w, usageHead)
			fs.SetOutput(w)
			fs.PrintDefaults()
			io.WriteString(w, usageTail)
		}
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.interval < arpmon.MinInterval || o.interval > arpmon.MaxInterval {
		return nil, fmt.Errorf("-interval %v: out of range, want %v to %v", o.interval, arpmon.MinInterval, arpmon.MaxInterval)
	}
	return o, nil
}

// chooseScenarios returns the named scenarios in the order of the table.
func chooseScenarios(list string) ([]scenario, error) {
	all := scenarios()
	var names []string
	for _, sc := range all {
		names = append(names, sc.name)
	}
	chosen, err := chooseWords(list, names, "scenario")
	if err != nil {
		return nil, fmt.Errorf("%w (bondlab -list shows them)", err)
	}
	return slices.DeleteFunc(all, func(sc scenario) bool { return !slices.Contains(chosen, sc.name) }), nil
}

// chooseWords splits a list at its commas; every word must be known. A word that
// is there twice counts once.
func chooseWords(list string, known []string, what string) ([]string, error) {
	var words []string
	for w := range strings.SplitSeq(list, ",") {
		w = strings.TrimSpace(w)
		if !slices.Contains(known, w) {
			return nil, fmt.Errorf("no %s %q", what, w)
		}
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words, nil
}

// engineConfig returns the configuration of the engine for a number of targets,
// with MaxPPS raised as far as the interval needs.
func engineConfig(interval time.Duration, targets int, policy arpmon.Policy) arpmon.Config {
	// The mean gap between two probes of a pair is 0.875 intervals; one more a
	// second keeps rounding out of it.
	pps := float64(targets)/(0.875*interval.Seconds()) + 1
	return arpmon.Config{Policy: policy, Interval: interval, MaxPPS: max(pps, arpmon.DefaultMaxPPS), Events: 1024}
}
