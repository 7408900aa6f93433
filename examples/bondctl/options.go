// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func optionsCommand() command {
	return command{
		Name: "options", Operands: "[OPTION]", Summary: "Show the options: their values, defaults and modes, and when they can be set",
		Flags: []string{"json"}, Max: 1, Run: runOptions,
	}
}

// optionJSON is a row of the table in JSON.
type optionJSON struct {
	Name     string          `json:"name"`
	Sysfs    string          `json:"sysfs"`
	IPRoute2 string          `json:"iproute2"`
	Slave    bool            `json:"slave"`
	ReadOnly bool            `json:"read_only"`
	Kind     string          `json:"kind"`
	Values   []string        `json:"values"`
	Unit     string          `json:"unit"`
	Min      int64           `json:"min"`
	Max      int64           `json:"max"`
	Default  json.RawMessage `json:"default"`
	Modes    []bond.Mode     `json:"modes"`
	Acts     []bond.Mode     `json:"acts"`
	Needs    []string        `json:"needs"`
	Since    string          `json:"since"`
	Attr     uint16          `json:"attribute"`
	Order    int             `json:"order"`
}

func runOptions(_ context.Context, c *call) error {
	var infos []bond.OptionInfo
	for opt := range bond.AllOptions() {
		infos = append(infos, opt.Info())
	}
	if len(c.Args) > 0 {
		opt, err := bond.ParseOption(c.Args[0])
		if err != nil || opt.Info().Name == "" {
			var names []string
			for _, info := range infos {
				names = append(names, info.Name)
			}
			return cli.Usagef("no option %s%s", cli.Quote(c.Args[0]), cli.DidYouMean(c.Args[0], names))
		}
		infos = []bond.OptionInfo{opt.Info()}
	}
	if c.flags.json {
		rows := make([]optionJSON, len(infos))
		for i, info := range infos {
			rows[i] = newOptionJSON(info)
		}
		text, err := json.MarshalIndent(rows, "", "  ")
		if err != nil {
			return err
		}
		_, err = c.stdout.Write(append(text, '\n'))
		return err
	}
	text := optionsText(infos, c.paint(c.stdout))
	if len(c.Args) > 0 {
		text = optionText(infos[0])
	}
	_, err := io.WriteString(c.stdout, text)
	return err
}

func newOptionJSON(info bond.OptionInfo) optionJSON {
	row := optionJSON{
		Name: info.Name, Sysfs: info.Sysfs, IPRoute2: info.IPRoute2, Slave: info.Slave, ReadOnly: info.ReadOnly,
		Kind: kindWord(info.Kind), Values: []string{}, Min: info.Min, Max: info.Max, Default: json.RawMessage("null"),
		Modes: []bond.Mode{}, Acts: []bond.Mode{}, Needs: []string{}, Since: info.Since, Attr: info.Attr, Order: info.Order,
	}
	row.Values = append(row.Values, info.Words...)
	row.Modes = append(row.Modes, info.Modes.All()...)
	row.Acts = append(row.Acts, info.Acts.All()...)
	row.Needs = append(row.Needs, needs(info)...)
	if info.Kind == bond.KindDuration {
		row.Unit = unitWord(time.Duration(info.Unit))
	}
	if info.ReadOnly {
		return row
	}
	switch info.Kind {
	case bond.KindEnum:
		row.Default, _ = json.Marshal(info.Words[info.Default])
	case bond.KindBool:
		row.Default, _ = json.Marshal(info.Default != 0)
	case bond.KindUint, bond.KindInt, bond.KindDuration:
		row.Default, _ = json.Marshal(info.Default)
	case bond.KindIPv4List, bond.KindIPv6List:
		row.Default = json.RawMessage("[]")
	default: // null
	}
	return row
}

// optionsText returns the options as tables: those of bonds, those of slaves, and what can
// only be read.
func optionsText(infos []bond.OptionInfo, p cli.Paint) string {
	head := []cli.Cell{{Text: "OPTION"}, {Text: "DEFAULT"}, {Text: "SINCE"}, {Text: "BOND MUST"}, {Text: "MODES"}, {Text: "VALUES"}}
	ofBond, ofSlave := [][]cli.Cell{head}, [][]cli.Cell{head}
	var readOnly []string
	for _, info := range infos {
		if info.ReadOnly {
			readOnly = append(readOnly, info.Name)
			continue
		}
		row := []cli.Cell{
			{Text: info.Name, Color: cli.Bold},
			{Text: defaultText(info)},
			{Text: info.Since},
			{Text: strings.Join(needs(info), ", ")},
			{Text: modesText(info)},
			{Text: valuesText(info)},
		}
		if info.Slave {
			ofSlave = append(ofSlave, row)
		} else {
			ofBond = append(ofBond, row)
		}
	}
	return p.In(cli.Bold, "Options of a bond, in the order in which the kernel applies them") + "\n" + cli.Table(ofBond, indent, p) +
		"\n" + p.In(cli.Bold, "Options of a slave") + "\n" + cli.Table(ofSlave, indent, p) +
		"\n" + p.In(cli.Bold, "Only to be read") + "\n" + indent + strings.Join(readOnly, ", ") + "\n" +
		"\n" + p.In(cli.Faint, "MODES are those that take the option; in parentheses those in which it does something. bondctl options OPTION says it in full.") + "\n"
}

// optionText returns everything about one option.
func optionText(info bond.OptionInfo) string {
	rows := [][2]string{{"option", info.Name + " of a bond"}}
	if info.Slave {
		rows[0][1] = info.Name + " of a slave"
	}
	add := func(name, text string) {
		if text != "" {
			rows = append(rows, [2]string{name, text})
		}
	}
	if info.ReadOnly {
		add("set", "never, it can only be read")
		if len(info.Words) > 0 {
			add("values", oneOf(info.Words))
		}
	} else {
		add("takes", takes(info))
		add("default", defaultText(info))
		add("modes", info.Modes.String())
		if n := needs(info); len(n) > 0 {
			add("bond must", strings.Join(n, " and "))
		}
	}
	if info.Acts != info.Modes {
		add("acts in", info.Acts.String())
	}
	if info.Cleared == bond.AllModes {
		add("reset by", "every choice of a mode")
	} else if info.Cleared != 0 {
		add("reset by", "choosing "+info.Cleared.String())
	}
	add("since", "Linux "+info.Since)
	add("sysfs", info.Sysfs)
	add("ip command", info.IPRoute2)
	kind := "IFLA_INFO_DATA"
	if info.Slave {
		kind = "IFLA_INFO_SLAVE_DATA"
	}
	add("netlink", fmt.Sprintf("attribute %d of %s", info.Attr, kind))
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%-10s  %s\n", row[0], row[1])
	}
	return b.String()
}

// needs returns what the bond must be or have for the option to be set.
func needs(info bond.OptionInfo) []string {
	var words []string
	if info.NeedsDown {
		words = append(words, "be down")
	}
	if info.NeedsEmpty {
		words = append(words, "have no slaves")
	}
	if info.NeedsMIIMon {
		words = append(words, "have miimon")
	}
	return words
}

// modesText returns the modes that take an option.
func modesText(info bond.OptionInfo) string {
	if info.Acts != info.Modes {
		return info.Modes.String() + " (" + info.Acts.String() + ")"
	}
	return info.Modes.String()
}

// defaultText returns the value of a new bond.
func defaultText(info bond.OptionInfo) string {
	switch info.Kind {
	case bond.KindEnum:
		return info.Words[info.Default]
	case bond.KindUint, bond.KindInt, bond.KindBool, bond.KindDuration:
		return strconv.FormatInt(info.Default, 10)
	default:
		return "none"
	}
}

// valuesText returns the values in short.
func valuesText(info bond.OptionInfo) string {
	switch info.Kind {
	case bond.KindEnum:
		return strings.Join(info.Words, " ")
	case bond.KindBool:
		return "0 1"
	case bond.KindUint, bond.KindInt:
		return rangeText(info)
	case bond.KindDuration:
		return rangeText(info) + " " + unitWord(time.Duration(info.Unit))
	case bond.KindIPv4List:
		return fmt.Sprintf("IPv4,... (up to %d)", info.Max)
	case bond.KindIPv6List:
		return fmt.Sprintf("IPv6,... (up to %d)", info.Max)
	default:
		return kindWord(info.Kind)
	}
}

// rangeText returns the range of a number.
func rangeText(info bond.OptionInfo) string {
	return strconv.FormatInt(info.Min, 10) + ".." + strconv.FormatInt(info.Max, 10)
}

var kindWords = []string{"", "enum", "bool", "uint", "int", "duration", "interface", "ipv4-list", "ipv6-list", "mac", "structure"}

func kindWord(k bond.Kind) string {
	if int(k) < len(kindWords) {
		return kindWords[k]
	}
	return ""
}
