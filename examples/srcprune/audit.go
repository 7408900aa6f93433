// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/bondkit/bondkit/ethtool"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func runAudit(ctx context.Context, c *call) error {
	h, err := c.readHost(ctx)
	if err != nil {
		return err
	}
	var links []ethtool.Link
	for _, word := range c.Args {
		link, err := parseLink(word)
		if err != nil {
			return err
		}
		index, err := h.find(link)
		if err != nil {
			return err
		}
		if h.bond(index) == nil {
			return fmt.Errorf("%s is no bond", quoteLink(link))
		}
		if len(h.slavesOf(index)) == 0 {
			return fmt.Errorf("the bond %s has no slaves", quoteLink(link))
		}
		links = append(links, ethtool.Link{Index: index})
	}
	report, err := c.nics.Audit(ctx, links...)
	if err != nil {
		return err
	}
	if c.flags.json {
		return cli.WriteJSON(c.stdout, report)
	}
	_, err = io.WriteString(c.stdout, reportText(&report, c.paint(c.stdout)))
	return err
}

// reportText returns a line for each finding and for what was not seen.
func reportText(r *ethtool.Report, p cli.Paint) string {
	if len(r.Facts) == 0 {
		return "no bonds\n"
	}
	var b strings.Builder
	slaves := 0
	for i := range r.Facts {
		if r.Facts[i].Bond != nil {
			slaves++
		}
	}
	if len(r.Findings) == 0 {
		fmt.Fprintf(&b, "nothing found about %s\n", cli.Plural(slaves, "slave"))
	}
	for _, f := range r.Findings {
		color := map[ethtool.Severity]string{ethtool.SeverityError: cli.Red, ethtool.SeverityWarning: cli.Yellow}[f.Severity]
		where := ""
		if f.Bond != (ethtool.Link{}) {
			where = quoteLink(f.Bond) + ": "
		}
		fmt.Fprintf(&b, "%s %s%s\n", p.In(color, f.Severity.String()), where, cli.OneLine(f.Text))
		if f.Hint != "" {
			b.WriteString("  " + cli.OneLine(f.Hint) + "\n")
		}
	}
	for _, line := range unseenLines(r.Facts) {
		b.WriteString(p.In(cli.Faint, line) + "\n")
	}
	return b.String()
}

// unseenLines says what could not be read, the same of several interfaces together. That a
// virtual interface has no firmware is not worth a word.
func unseenLines(facts []ethtool.Facts) []string {
	type what struct{ what, why string }
	var order []what
	names := map[what][]string{}
	for i := range facts {
		for _, u := range facts[i].Unseen {
			if u.Err == nil || errors.Is(u.Err, errors.ErrUnsupported) && !errors.Is(u.Err, os.ErrPermission) {
				continue
			}
			err := u.Err
			if e, ok := errors.AsType[*ethtool.Error](err); ok {
				err = e.Err
			}
			key := what{u.What, err.Error()}
			if names[key] == nil {
				order = append(order, key)
			}
			names[key] = append(names[key], quoteLink(facts[i].Link))
		}
	}
	var lines []string
	for _, key := range order {
		lines = append(lines, cli.OneLine(fmt.Sprintf("not seen: %s of %s: %s", key.what, strings.Join(names[key], ", "), key.why)))
	}
	return lines
}

func runDrivers(_ context.Context, c *call) error {
	var rules []ethtool.PruningRule
	known := map[string]bool{}
	var names []string
	for r := range ethtool.PruningTable() {
		if !known[r.Driver] {
			known[r.Driver] = true
			names = append(names, r.Driver)
		}
		if len(c.Args) == 0 || slices.Contains(c.Args, r.Driver) {
			rules = append(rules, r)
		}
	}
	for _, word := range c.Args {
		if !known[word] {
			return fmt.Errorf("nothing is known about the driver %s%s", cli.Quote(word), cli.DidYouMean(word, names))
		}
	}
	if c.flags.json {
		return cli.WriteJSON(c.stdout, rules)
	}
	rows := [][]cli.Cell{{{Text: "DRIVER"}, {Text: "WHEN"}, {Text: "PRUNING"}, {Text: "SETTING"}, {Text: "RESETS"}, {Text: "SOURCE"}}}
	for _, r := range rules {
		p := ethtool.Pruning{Control: r.Control, Name: r.Name, Value: r.Value, HardWired: r.HardWired}
		setting, resets := settingText(&p), ""
		if r.Value == "" && r.Name != "" && !r.HardWired {
			setting = r.Name
		}
		if r.Resets {
			resets = "the port"
		}
		rows = append(rows, []cli.Cell{{Text: r.Driver}, {Text: r.When}, {Text: r.State.String()}, {Text: setting}, {Text: resets}, {Text: r.Source}})
	}
	_, err := io.WriteString(c.stdout, cli.Table(rows, "", c.paint(c.stdout)))
	return err
}
