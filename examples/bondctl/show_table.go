// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// viewsText returns what people read about bonds.
func viewsText(views []view, p cli.Paint) string {
	var b strings.Builder
	lacp := false
	for i := range views {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(views[i].text(p))
		lacp = lacp || views[i].bond.Mode == bond.Mode8023AD && len(views[i].slaves) > 0
	}
	if lacp {
		b.WriteString(lacpLegend(p))
	}
	return b.String()
}

// lacpLegend explains the letters of portLetters.
func lacpLegend(p cli.Paint) string {
	return "\n" + p.In(cli.Faint, "LACP: A active, T short timeout, G aggregatable, S in sync, C collecting, D distributing, F defaulted, E expired") + "\n"
}

const indent = "  "

// text returns the lines about one bond: the state, what it is, and its slaves.
func (v *view) text(p cli.Paint) string {
	var b strings.Builder
	verdict := v.verdict()
	b.WriteString(p.In(cli.Bold, quoteLink(v.bond.Link)) + indent + p.In(verdict.state.color(), verdict.state.title()))
	if verdict.reason != "" {
		b.WriteString(indent + verdict.reason)
	}
	b.WriteString("\n" + indent + bondText(v.bond) + "\n")
	if v.bond.Mode == bond.Mode8023AD {
		text, hidden := lacpText(v.bond)
		b.WriteString(indent + text + "\n")
		if len(hidden) > 0 {
			b.WriteString(indent + p.In(cli.Faint, "hidden without CAP_NET_ADMIN in the initial user namespace: "+strings.Join(hidden, ", ")) + "\n")
		}
	}
	if len(v.slaves) > 0 {
		b.WriteString(cli.Table(v.slaveRows(), indent, p))
	}
	return b.String()
}

// bondText says what a bond is.
func bondText(b *bond.Bond) string {
	parts := []string{b.Mode.String()}
	if b.Has(bond.OptionXmitHashPolicy) && (b.Mode == bond.ModeBalanceXOR || b.Mode == bond.Mode8023AD) {
		parts = append(parts, "hash "+b.XmitHashPolicy.String())
	}
	parts = append(parts, monitorText(b))
	if b.Mode.HasActive() {
		active := "none"
		if b.Has(bond.OptionActiveSlave) {
			active = quoteLink(b.Active)
		}
		parts = append(parts, "active "+active)
		if b.Has(bond.OptionPrimary) {
			parts = append(parts, "primary "+quoteLink(b.Primary)+" ("+b.PrimaryReselect.String()+")")
		}
	}
	parts = append(parts, "MAC "+macText(b.MAC), "MTU "+strconv.Itoa(b.MTU))
	return strings.Join(parts, ", ")
}

// monitorText says how the kernel monitors the slaves.
func monitorText(b *bond.Bond) string {
	switch {
	case b.MIIMon > 0:
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
	case b.ARPInterval > 0:
		n := len(b.ARPTargets) + len(b.NSTargets)
		parts := []string{fmt.Sprintf("%d targets", n)}
		if n == 1 {
			parts[0] = "1 target"
		}
		if b.ARPAllTargets == bond.ARPAllTargetsAll && n > 1 {
			parts[0] = fmt.Sprintf("all of %d targets", n)
		}
		parts = append(parts, "validate "+b.ARPValidate.String())
		if b.Has(bond.OptionMissedMax) {
			parts = append(parts, fmt.Sprintf("missed max %d", b.MissedMax))
		}
		return "arp " + millis(b.ARPInterval) + " (" + strings.Join(parts, ", ") + ")"
	}
	return "no link monitoring"
}

// lacpText says what LACP says of a bond, and which options the kernel hides.
func lacpText(b *bond.Bond) (text string, hidden []string) {
	parts := []string{"LACP rate " + b.LACPRate.String()}
	if b.Has(bond.OptionLACPActive) && !b.LACPActive {
		parts[0] += " (passive)"
	}
	if hasAggregator(b) {
		slaves := "slaves"
		if b.AD.Ports == 1 {
			slaves = "slave"
		}
		parts = append(parts, fmt.Sprintf("aggregator %d with %d %s", b.AD.AggregatorID, b.AD.Ports, slaves))
		partner := "no partner"
		if b.AD.PartnerMAC != [6]byte{} {
			partner = "partner " + macText(b.AD.PartnerMAC[:])
		}
		parts = append(parts, partner, fmt.Sprintf("keys %d/%d", b.AD.ActorKey, b.AD.PartnerKey))
	} else {
		parts = append(parts, "no active aggregator")
	}
	if b.MinLinks > 0 {
		parts = append(parts, fmt.Sprintf("min_links %d", b.MinLinks))
	}
	for _, opt := range privilegedOptions {
		switch {
		case !b.Has(opt):
			hidden = append(hidden, opt.String())
		case !isDefault(b, opt):
			parts = append(parts, opt.String()+" "+cli.OneLine(b.Text(opt)))
		}
	}
	return strings.Join(parts, ", "), hidden
}

// privilegedOptions are those of 802.3ad that not everybody is shown.
var privilegedOptions = []bond.Option{bond.OptionADActorSysPrio, bond.OptionADUserPortKey, bond.OptionADActorSystem}

// isDefault reports whether one of the privilegedOptions is as in a new bond.
func isDefault(b *bond.Bond, opt bond.Option) bool {
	switch opt {
	case bond.OptionADActorSysPrio:
		return int64(b.ADActorSysPrio) == opt.Info().Default
	case bond.OptionADUserPortKey:
		return int64(b.ADUserPortKey) == opt.Info().Default
	default: // that of the bond is used
		return b.ADActorSystem == [6]byte{}
	}
}

// slaveRows returns the table of the slaves. Columns without anything in them are left
// out when it is printed.
func (v *view) slaveRows() [][]cli.Cell {
	lacp := v.bond.Mode == bond.Mode8023AD
	rows := [][]cli.Cell{{
		{Text: "SLAVE"},
		{Text: "STATE"},
		{Text: "MII"},
		{Text: "FAILURES"},
		{Text: "SPEED"},
		{Text: "QUEUE"},
		{Text: "PRIO"},
		{Text: "AGG"},
		{Text: "ACTOR"},
		{Text: "PARTNER"},
		{Text: "PORT PRIO"},
	}}
	queues, prios := false, false
	for i := range v.slaves {
		queues = queues || v.slaves[i].QueueID != 0
		prios = prios || v.slaves[i].Prio != 0
	}
	for i := range v.slaves {
		s := &v.slaves[i]
		row := make([]cli.Cell, len(rows[0]))
		row[0] = cli.Cell{Text: quoteLink(s.Link)}
		row[1] = cli.Cell{Text: s.State.String()}
		if s.State == bond.SlaveBackup {
			row[1].Color = cli.Faint
		}
		row[2] = miiCell(s)
		row[3] = cli.Cell{Text: strconv.FormatUint(uint64(s.LinkFailures), 10)}
		row[4] = cli.Cell{Text: v.speeds[s.Index].String()}
		if queues {
			row[5].Text = strconv.Itoa(int(s.QueueID))
		}
		if prios && s.Has(bond.OptionPrio) {
			row[6].Text = strconv.Itoa(int(s.Prio))
		}
		if lacp {
			row[7] = aggregatorCell(v.bond, s)
			row[8].Text = portLetters(s.ActorPortState, s.Has(bond.OptionActorPortState))
			row[9].Text = portLetters(s.PartnerPortState, s.Has(bond.OptionPartnerPortState))
			if s.Has(bond.OptionActorPortPrio) && int64(s.ActorPortPrio) != bond.OptionActorPortPrio.Info().Default {
				row[10].Text = strconv.Itoa(int(s.ActorPortPrio))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// miiCell says what is known of the link of a slave.
func miiCell(s *bond.Slave) cli.Cell {
	c := cli.Cell{Text: s.MIIStatus.String(), Color: cli.Yellow}
	switch s.MIIStatus {
	case bond.MIIUp:
		c.Color = cli.Green
	case bond.MIIDown:
		c.Color = cli.Red
	default: // on its way
	}
	switch {
	case !s.Up():
		c = cli.Cell{Text: c.Text + ", off", Color: cli.Red}
	case !s.Carrier && s.MIIStatus != bond.MIIDown:
		c = cli.Cell{Text: c.Text + ", no carrier", Color: cli.Red}
	}
	return c
}

func aggregatorCell(b *bond.Bond, s *bond.Slave) cli.Cell {
	if !s.Has(bond.OptionAggregatorID) {
		return cli.Cell{Text: "-", Color: cli.Faint}
	}
	c := cli.Cell{Text: strconv.Itoa(int(s.AggregatorID))}
	if hasAggregator(b) && b.AD.AggregatorID != s.AggregatorID {
		c.Color = cli.Yellow
	}
	return c
}

// portLetters returns an LACP port state as letters, those of the bits that are set.
func portLetters(s bond.PortState, known bool) string {
	if !known {
		return "-"
	}
	const letters = "ATGSCDFE"
	var b []byte
	for i := range len(letters) {
		if s&(1<<i) != 0 {
			b = append(b, letters[i])
		}
	}
	if len(b) == 0 {
		return "none"
	}
	return string(b)
}

// millis returns a time in the unit that the kernel's options have.
func millis(d time.Duration) string {
	return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
}

// macText returns a hardware address, or "none".
func macText(mac net.HardwareAddr) string {
	if len(mac) == 0 {
		return "none"
	}
	return mac.String()
}
