// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/procfs"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// procText returns what people read about a bond: whose it is, what it is, its
// slaves, and the lines of its text that are not known.
func procText(b *procfs.Bond, p cli.Paint) string {
	var out strings.Builder
	line := func(color, text string) { out.WriteString(indent + p.In(color, text) + "\n") }
	name := "(no name)"
	if b.Name != "" {
		name = cli.Quote(b.Name)
	}
	out.WriteString(p.In(cli.Bold, name))
	if b.Has(procfs.FieldMIIStatus) {
		c := procMII(b.MIIStatus, b.Text(procfs.FieldMIIStatus))
		out.WriteString(indent + p.In(c.Color, strings.ToUpper(c.Text)))
	}
	if b.Driver != "" {
		out.WriteString(indent + p.In(cli.Faint, cli.OneLine(b.Driver)))
	}
	out.WriteString("\n")
	line("", strings.Join(procBondParts(b), ", "))
	if b.Has(procfs.FieldLACP) {
		line("", strings.Join(procLACPParts(b), ", "))
		// Where the text is cut off nobody knows.
		if privileged, ok := b.Privileged(); ok && !privileged && len(b.Problems) == 0 {
			line(cli.Faint, "hidden without CAP_NET_ADMIN in the initial user namespace: the aggregator, the partner, the ports' states")
		}
	}
	if len(b.Slaves) > 0 {
		out.WriteString(cli.Table(procRows(b), indent, p))
	}
	for i := range b.Lines {
		l := &b.Lines[i]
		first, _, _ := strings.Cut(l.Raw, "\n") // of all that follows another bond's banner
		line(cli.Yellow, fmt.Sprintf("line %d, kept as it is: %s", l.Number, cli.OneLine(first)))
	}
	return out.String()
}

// procBondParts says what a bond is, as far as the text does.
func procBondParts(b *procfs.Bond) []string {
	parts := []string{"unknown mode"}
	if b.Has(procfs.FieldMode) {
		parts[0] = procWord(b.Mode.String(), b.Text(procfs.FieldMode))
	}
	if b.Has(procfs.FieldXmitHashPolicy) {
		parts = append(parts, "hash "+procWord(b.XmitHashPolicy.String(), b.Text(procfs.FieldXmitHashPolicy)))
	}
	if b.Has(procfs.FieldFailOverMAC) {
		parts = append(parts, "fail_over_mac "+procWord(b.FailOverMAC.String(), b.Text(procfs.FieldFailOverMAC)))
	}
	if text := procMonitor(b); text != "" {
		parts = append(parts, text)
	}
	if b.Has(procfs.FieldActive) {
		parts = append(parts, "active "+procName(b.Active))
		if b.Ambiguous(procfs.FieldActive) {
			parts[len(parts)-1] += " (or none)"
		}
	}
	if b.Has(procfs.FieldPrimary) && b.Primary != "" {
		text := "primary " + cli.Quote(b.Primary)
		if b.Has(procfs.FieldPrimaryReselect) {
			text += " (" + procWord(b.PrimaryReselect.String(), b.Text(procfs.FieldPrimaryReselect)) + ")"
		}
		parts = append(parts, text)
	}
	return parts
}

// procMonitor says how the kernel monitors the slaves, and nothing if the text does
// not.
func procMonitor(b *procfs.Bond) string {
	switch {
	case b.Has(procfs.FieldARPInterval):
		n := len(b.ARPTargets) + len(b.NSTargets)
		text := fmt.Sprintf("arp %s (%d targets", millis(b.ARPInterval), n)
		if n == 1 {
			text = strings.TrimSuffix(text, "s")
		}
		if b.Has(procfs.FieldMissedMax) {
			text += fmt.Sprintf(", missed max %d", b.MissedMax)
		}
		return text + ")"
	case !b.Has(procfs.FieldMIIMon):
		return ""
	case b.MIIMon == 0:
		return "no link monitoring"
	}
	text := "miimon " + millis(b.MIIMon)
	var delays []string
	if b.UpDelay > 0 {
		delays = append(delays, "updelay "+millis(b.UpDelay))
	}
	if b.DownDelay > 0 {
		delays = append(delays, "downdelay "+millis(b.DownDelay))
	}
	if len(delays) > 0 {
		text += " (" + strings.Join(delays, ", ") + ")"
	}
	return text
}

// procLACPParts says what LACP says of a bond.
func procLACPParts(b *procfs.Bond) []string {
	parts := []string{"LACP"}
	if b.Has(procfs.FieldLACPRate) {
		parts[0] += " rate " + procWord(b.LACPRate.String(), b.Text(procfs.FieldLACPRate))
	}
	if b.Has(procfs.FieldLACPActive) && !b.LACPActive {
		parts[0] += " (passive)"
	}
	a := &b.Aggregator
	switch {
	case b.Has(procfs.FieldNoAggregator):
		parts = append(parts, "no active aggregator")
	case b.Has(procfs.FieldAggregatorID):
		slaves := "slaves"
		if a.Ports == 1 {
			slaves = "slave"
		}
		partner := "no partner"
		if a.PartnerMAC != [6]byte{} {
			partner = "partner " + net.HardwareAddr(a.PartnerMAC[:]).String()
		}
		parts = append(parts, fmt.Sprintf("aggregator %d with %d %s", a.ID, a.Ports, slaves), partner, fmt.Sprintf("keys %d/%d", a.ActorKey, a.PartnerKey))
	}
	if b.MinLinks != 0 {
		parts = append(parts, fmt.Sprintf("min_links %d", b.MinLinks))
	}
	if b.Has(procfs.FieldSystemPriority) {
		parts = append(parts, fmt.Sprintf("system %d %s", b.SystemPriority, net.HardwareAddr(b.SystemMAC[:])))
	}
	return parts
}

// procRows returns the table of the slaves.
func procRows(b *procfs.Bond) [][]cli.Cell {
	rows := [][]cli.Cell{{
		{Text: "SLAVE"},
		{Text: "MII"},
		{Text: "FAILURES"},
		{Text: "SPEED"},
		{Text: "PERMANENT MAC"},
		{Text: "QUEUE"},
		{Text: "AGG"},
		{Text: "CHURN"},
		{Text: "ACTOR"},
		{Text: "PARTNER"},
		{Text: "PARTNER MAC"},
	}}
	for i := range b.Slaves {
		s := &b.Slaves[i]
		row := make([]cli.Cell, len(rows[0]))
		row[0] = cli.Cell{Text: "?"}
		if s.Has(procfs.FieldSlave) {
			row[0].Text = cli.Quote(s.Name)
			if b.Active == s.Name {
				row[0].Color = cli.Bold
			}
		}
		row[1] = cli.Cell{Text: "-"}
		if s.Has(procfs.FieldSlaveMIIStatus) {
			row[1] = procMII(s.MIIStatus, s.Text(procfs.FieldSlaveMIIStatus))
		}
		row[2].Text = procNumber(s.Has(procfs.FieldLinkFailures), int64(s.LinkFailures))
		row[3].Text = procSpeed(s)
		row[4].Text = "-"
		if s.Has(procfs.FieldPermMAC) {
			row[4].Text = macText(s.PermMAC)
		}
		if s.QueueID != 0 {
			row[5].Text = strconv.Itoa(int(s.QueueID))
		}
		if b.Has(procfs.FieldLACP) {
			procPort(row[6:], b, s)
		}
		rows = append(rows, row)
	}
	return rows
}

// procPort fills the cells of LACP.
func procPort(row []cli.Cell, b *procfs.Bond, s *procfs.Slave) {
	row[0] = cli.Cell{Text: "-", Color: cli.Faint}
	if s.Has(procfs.FieldSlaveAggregatorID) {
		row[0] = cli.Cell{Text: s.Text(procfs.FieldSlaveAggregatorID)}
	}
	if in, ok := b.InActiveAggregator(s); ok && !in {
		row[0].Color = cli.Yellow
	}
	if s.Has(procfs.FieldActorChurn) && s.Has(procfs.FieldPartnerChurn) {
		actor := procWord(s.ActorChurn.String(), s.Text(procfs.FieldActorChurn))
		partner := procWord(s.PartnerChurn.String(), s.Text(procfs.FieldPartnerChurn))
		row[1] = cli.Cell{Text: fmt.Sprintf("%s/%s %d/%d", actor, partner, s.ActorChurned, s.PartnerChurned)}
		if s.ActorChurn == bond.ChurnChurned || s.PartnerChurn == bond.ChurnChurned {
			row[1].Color = cli.Yellow
		}
	}
	if s.Has(procfs.FieldActor) {
		row[2].Text = portLetters(s.Actor.PortState, s.Has(procfs.FieldActorPortState))
	}
	if s.Has(procfs.FieldPartner) {
		row[3].Text = portLetters(s.Partner.PortState, s.Has(procfs.FieldPartnerPortState))
	}
	if s.Has(procfs.FieldPartnerSystemMAC) {
		row[4].Text = net.HardwareAddr(s.Partner.SystemMAC[:]).String()
	}
}

// procMII returns the state of a link, or what the text has for one that is not known.
func procMII(m bond.MIIStatus, text string) cli.Cell {
	c := cli.Cell{Text: procWord(m.String(), text), Color: cli.Yellow}
	switch m {
	case bond.MIIUp:
		c.Color = cli.Green
	case bond.MIIDown:
		c.Color = cli.Red
	default: // on its way, or unknown
	}
	return c
}

// procWord returns the word of package bond, or that of the text if it has none
// there.
func procWord(word, text string) string {
	if strings.Contains(word, "(") {
		return cli.OneLine(text)
	}
	return word
}

func procName(name string) string {
	if name == "" {
		return "none"
	}
	return cli.Quote(name)
}

func procNumber(has bool, n int64) string {
	if !has {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func procSpeed(s *procfs.Slave) string {
	switch {
	case !s.Has(procfs.FieldSpeed), s.Speed < 0:
		return "-"
	case s.Has(procfs.FieldDuplex):
		return speed{mbps: uint32(s.Speed), duplex: duplexWord(s.Duplex)}.String()
	}
	return speed{mbps: uint32(s.Speed)}.String()
}

func duplexWord(d procfs.Duplex) string {
	if d == procfs.DuplexUnknown {
		return ""
	}
	return d.String()
}
