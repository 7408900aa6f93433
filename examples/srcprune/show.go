// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/ethtool"
)

func runShow(ctx context.Context, c *call) error {
	groups, err := c.readGroups(ctx, c.args)
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
func (g *group) text(p paint) string {
	var b strings.Builder
	indent := ""
	if g.bond != nil {
		indent = "  "
		b.WriteString(p.in(bold, quote(g.bond.Name)) + "  " + bondText(g.bond) + "\n")
		if len(g.targets) == 0 {
			return b.String() + indent + "no slaves\n"
		}
	}
	if len(g.targets) == 0 {
		return ""
	}
	name := "INTERFACE"
	if g.bond != nil {
		name = "SLAVE"
	}
	rows := [][]cell{{{text: ""}, {text: name}, {text: "STATE"}, {text: "MII"}, {text: "DRIVER"}, {text: "PRUNING"}, {text: "SETTING"}}}
	for i := range g.targets {
		rows = append(rows, g.row(&g.targets[i]))
	}
	b.WriteString(renderTable(rows, indent, p))
	for _, note := range g.notes() {
		b.WriteString(indent + note + "\n")
	}
	return b.String()
}

func (g *group) row(t *target) []cell {
	mark := cell{}
	switch impactOf(g.bond, &t.pruning) {
	case impactBreaks:
		mark = cell{"!", red}
	case impactMayBreak:
		mark = cell{"?", yellow}
	case impactNone, impactNoMeaning:
	}
	state, mii := cell{}, cell{}
	if t.slave != nil {
		state.text, mii.text = t.slave.State.String(), t.slave.MIIStatus.String()
		if t.slave.MIIStatus != bond.MIIUp {
			mii.color = red
		}
	}
	pruning := cell{t.pruning.State.String(), map[ethtool.PruningState]string{
		ethtool.Prunes: red, ethtool.Delivers: green, ethtool.PruningUnknown: yellow,
	}[t.pruning.State]}
	driver := t.pruning.Driver
	if driver == "" {
		driver = "-"
	}
	return []cell{mark, {text: quoteLink(t.link())}, state, mii, {text: quote(driver)}, pruning, {text: settingText(&t.pruning)}}
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
		text = quote(p.Name) + " " + p.Value
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
		notes[i] = enumerate(names[text]) + ": " + oneLine(text)
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
		notes = append(notes, "What helps on the bond: "+strings.Join(ways, "; or ")+".")
	}
	if len(harmless) > 0 {
		notes = append(notes, enumerate(harmless)+": harmless as the bond is set, but not with arp_validate=all and fail_over_mac=none")
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
	return enumerate(names) + " " + many
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
	type item struct {
		ethtool.Pruning
		Bond   *bondJSON `json:"bond,omitzero"`
		Impact impact    `json:"impact,omitzero"`
	}
	items := []item{}
	for _, g := range groups {
		for _, t := range g.targets {
			it := item{Pruning: t.pruning, Impact: impactOf(g.bond, &t.pruning)}
			if g.bond != nil && t.slave != nil {
				it.Bond = &bondJSON{
					Link: ethtool.Link{Index: g.bond.Index, Name: g.bond.Name}, Mode: g.bond.Mode.String(),
					ARPValidate: g.bond.ARPValidate.String(), FailOverMAC: g.bond.FailOverMAC.String(),
					State: t.slave.State.String(), MIIStatus: t.slave.MIIStatus.String(),
				}
			}
			items = append(items, it)
		}
	}
	return writeJSON(w, items)
}

// writeJSON writes a document that a terminal may show.
func writeJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(plainJSON(text), '\n'))
	return err
}

// plainJSON escapes what a terminal might take for a command. Encoding/json leaves DEL
// and the control characters beyond ASCII as they are. They can stand in strings only.
func plainJSON(text []byte) []byte {
	odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) && r != utf8.RuneError }
	if !bytes.ContainsFunc(text, odd) {
		return text
	}
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case !odd(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String())
}
