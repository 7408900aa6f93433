// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func runShow(ctx context.Context, c *call) error {
	groups, err := c.readGroups(ctx, c.Args)
	if err != nil {
		return err
	}
	if c.flags.json {
		return writeGroupsJSON(c.stdout, groups)
	}
	var b strings.Builder
	for i := range groups {
		if text := groups[i].text(c.paint(c.stdout)); text != "" {
			if b.Len() > 0 {
				b.WriteString("\n")
			}
			b.WriteString(text)
		}
	}
	if b.Len() == 0 {
		b.WriteString("no bonds, and no hardware interfaces\n")
	}
	_, err = io.WriteString(c.stdout, b.String())
	return err
}

// text returns what is shown of a group.
func (g *group) text(p cli.Paint) string {
	var b strings.Builder
	indent := ""
	if g.bond != nil {
		indent = "  "
		name := p.In(cli.Bold, cli.Quote(g.bond.Name)) + "  "
		if len(g.targets) == 0 {
			return name + bondText(g.bond) + "\n" + indent + "no slaves\n"
		}
		b.WriteString(name + g.verdict(p) + "  " + bondText(g.bond) + "\n")
	}
	if len(g.targets) == 0 {
		return ""
	}
	name := "INTERFACE"
	if g.bond != nil {
		name = "SLAVE"
	}
	rows := [][]cli.Cell{{{}, {Text: name}, {Text: "STATE"}, {Text: "MII"}, {Text: "DRIVER"}, {Text: "PRUNING"}, {Text: "SETTING"}}}
	for i := range g.targets {
		rows = append(rows, g.row(&g.targets[i]))
	}
	b.WriteString(cli.Table(rows, indent, p))
	for _, note := range g.notes() {
		b.WriteString(indent + note + "\n")
	}
	return b.String()
}

// verdict says in capitals what the slaves that are shown mean for their bond.
func (g *group) verdict(p cli.Paint) string {
	worst := impactNone
	for i := range g.targets {
		if hurts := impactOf(g.bond, &g.targets[i].pruning); hurts == impactBreaks || worst == impactNone {
			worst = hurts
		}
	}
	switch worst {
	case impactBreaks:
		return p.In(cli.Red, "BROKEN BY PRUNING")
	case impactMayBreak:
		return p.In(cli.Yellow, "PERHAPS BROKEN BY PRUNING")
	case impactNone, impactNoMeaning:
	}
	return p.In(cli.Green, "UNHARMED BY PRUNING")
}

func (g *group) row(t *target) []cli.Cell {
	mark := cli.Cell{}
	switch impactOf(g.bond, &t.pruning) {
	case impactBreaks:
		mark = cli.Cell{Text: "!", Color: cli.Red}
	case impactMayBreak:
		mark = cli.Cell{Text: "?", Color: cli.Yellow}
	case impactNone, impactNoMeaning:
	}
	state, mii := cli.Cell{}, cli.Cell{}
	if t.slave != nil {
		state.Text, mii.Text = t.slave.State.String(), t.slave.MIIStatus.String()
		if t.slave.MIIStatus != bond.MIIUp {
			mii.Color = cli.Red
		}
	}
	pruning := cli.Cell{Text: t.pruning.State.String(), Color: map[ethtool.PruningState]string{
		ethtool.Prunes: cli.Red, ethtool.Delivers: cli.Green, ethtool.PruningUnknown: cli.Yellow,
	}[t.pruning.State]}
	driver := t.pruning.Driver
	if driver == "" {
		driver = "-"
	}
	return []cli.Cell{mark, {Text: quoteLink(t.link())}, state, mii, {Text: cli.Quote(driver)}, pruning, {Text: settingText(&t.pruning)}}
}

// bondText says which options of a bond matter here.
func bondText(b *bond.Bond) string {
	text := b.Mode.String()
	if b.ARPInterval > 0 {
		text += fmt.Sprintf(", arp_interval %d, arp_validate %v", b.ARPInterval.Milliseconds(), b.ARPValidate)
	}
	if b.MIIMon > 0 {
		text += fmt.Sprintf(", miimon %d", b.MIIMon.Milliseconds())
	}
	if b.Mode == bond.ModeActiveBackup {
		text += fmt.Sprintf(", fail_over_mac %v", b.FailOverMAC)
	}
	return text
}

// settingText says what makes an interface prune or deliver.
func settingText(p *ethtool.Pruning) string {
	text := ""
	switch {
	case p.HardWired && p.Control == ethtool.ControlHost:
		return "the host decides"
	case p.HardWired:
		return "hard-wired"
	case p.Value == "":
		return "-"
	case p.Control == ethtool.ControlMacvlanMode:
		text = "mode " + p.Value
	case p.Control == ethtool.ControlBridgeMode:
		text = "bridge mode " + p.Value
	case p.Name != "":
		text = cli.Quote(p.Name) + " " + p.Value
	default:
		text = p.Value
	}
	if p.Below != (ethtool.Link{}) {
		text += " of " + quoteLink(p.Below)
	}
	return text
}

// notes returns what has to be said about the interfaces, those with the same note
// together.
func (g *group) notes() []string {
	var texts []string
	names := map[string][]string{}
	for i := range g.targets {
		t := &g.targets[i]
		for _, text := range g.notesOf(t) {
			if names[text] == nil {
				texts = append(texts, text)
			}
			names[text] = append(names[text], quoteLink(t.link()))
		}
	}
	notes := make([]string, len(texts))
	for i, text := range texts {
		notes[i] = cli.Enumerate(names[text]) + ": " + cli.OneLine(text)
	}
	return append(notes, g.bondNotes()...)
}

// notesOf returns what has to be said about an interface by itself.
func (g *group) notesOf(t *target) []string {
	p := &t.pruning
	var parts []string
	plain := p.Value != "" && p.State != ethtool.PruningUnknown && p.Below == (ethtool.Link{})
	if !plain && (p.State != ethtool.Delivers || g.bond != nil) {
		parts = append(parts, p.Reason)
	}
	if hurts := impactOf(g.bond, p); hurts == impactBreaks || hurts == impactMayBreak {
		parts = append(parts, remedies(p, false)...)
	}
	// The reset is said before it is made; this one happens by itself.
	if p.State == ethtool.Delivers && p.Caution != "" && p.Control == ethtool.ControlPrivateFlag && !p.Resets {
		parts = append(parts, p.Caution)
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{strings.Join(parts, "; ")}
}

// bondNotes says what the pruning of slaves means for their bond.
func (g *group) bondNotes() []string {
	var breaks, mayBreak, harmless, ways []string
	for i := range g.targets {
		p := &g.targets[i].pruning
		hurts := impactOf(g.bond, p)
		switch name := quoteLink(p.Link); {
		case hurts == impactBreaks:
			breaks = append(breaks, name)
		case hurts == impactMayBreak:
			mayBreak = append(mayBreak, name)
		case hurts == impactNone && p.State == ethtool.Prunes:
			harmless = append(harmless, name)
		}
		if hurts == impactBreaks || hurts == impactMayBreak {
			for _, way := range remedies(p, true) {
				if !slices.Contains(ways, way) {
					ways = append(ways, way)
				}
			}
		}
	}
	var notes []string
	if len(breaks)+len(mayBreak) > 0 {
		who := doNot(breaks, "does not", "do not")
		if may := doNot(mayBreak, "may not", "may not"); who == "" {
			who = may
		} else if may != "" {
			who += ", " + may
		}
		notes = append(notes, fmt.Sprintf("With arp_validate=%v a backup has to hear what the active slave broadcasts from the address of both: %s.",
			g.bond.ARPValidate, who))
	}
	if len(ways) > 0 {
		notes = append(notes, "What helps on the bond, one of these:")
		for _, way := range ways {
			notes = append(notes, "  "+way)
		}
	}
	if len(harmless) > 0 {
		notes = append(notes, cli.Enumerate(harmless)+": harmless as the bond is set, but not with arp_validate=all and fail_over_mac=none")
	}
	return notes
}

func doNot(names []string, one, many string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0] + " " + one
	}
	return cli.Enumerate(names) + " " + many
}

// remedy says what to do about an interface that prunes.
func remedy(p *ethtool.Pruning) string {
	return strings.Join(slices.Concat(remedies(p, false), remedies(p, true)), "; or ")
}

// remedies returns what to do about an interface that prunes, on the side of its bond, or of the
// device.
func remedies(p *ethtool.Pruning, onBond bool) []string {
	var ways []string
	settable := p.State == ethtool.Prunes && p.Control != 0 && !p.HardWired
	if settable && !onBond {
		way := "srcprune set " + quoteLink(p.Link) + " off"
		if p.Resets {
			way += " (resets the port)"
		}
		ways = append(ways, way)
	}
	for _, w := range p.Workarounds {
		bondSide := w == ethtool.FailOverMACActive || w == ethtool.ARPValidateActive || w == ethtool.MIIMonitor
		if bondSide == onBond && (w != ethtool.MacvlanPrivate || !settable) {
			ways = append(ways, w.Advice())
		}
	}
	return ways
}

// bondJSON is what is said of the bond of an interface.
type bondJSON struct {
	Link        ethtool.Link `json:"link"`
	Mode        string       `json:"mode"`
	ARPValidate string       `json:"arp_validate"`
	FailOverMAC string       `json:"fail_over_mac"`
	State       string       `json:"state"`
	MIIStatus   string       `json:"mii_status"`
}

func writeGroupsJSON(w io.Writer, groups []group) error {
	items := []json.RawMessage{}
	for _, g := range groups {
		for _, t := range g.targets {
			var more []cli.Field
			if g.bond != nil && t.slave != nil {
				more = []cli.Field{{Name: "bond", Value: &bondJSON{
					Link: ethtool.Link{Index: g.bond.Index, Name: g.bond.Name}, Mode: g.bond.Mode.String(),
					ARPValidate: g.bond.ARPValidate.String(), FailOverMAC: g.bond.FailOverMAC.String(),
					State: t.slave.State.String(), MIIStatus: t.slave.MIIStatus.String(),
				}}, {Name: "impact", Value: impactOf(g.bond, &t.pruning)}}
			}
			item, err := cli.ExtendJSON(t.pruning, more...)
			if err != nil {
				return err
			}
			items = append(items, item)
		}
	}
	return cli.WriteJSON(w, items)
}
