// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// health is the state word of a bond. The greater is the worse.
type health uint8

const (
	healthOK health = iota
	healthDegraded
	healthNoMonitor
	healthDown
)

var healthWords = []string{"ok", "degraded", "no-monitor", "down"}

// String returns the word of the JSON output.
func (h health) String() string { return healthWords[h] }

// title returns the word of the table.
func (h health) title() string {
	return strings.ToUpper(strings.ReplaceAll(h.String(), "-", " "))
}

func (h health) color() string {
	switch h {
	case healthOK:
		return cli.Green
	case healthDown:
		return cli.Red
	default:
		return cli.Yellow
	}
}

// verdict is what is said of a bond: a state and why.
type verdict struct {
	state  health
	reason string
}

// text returns the verdict in one piece, such as "DEGRADED: eth1 down".
func (v verdict) text() string {
	if v.reason == "" {
		return v.state.title()
	}
	return v.state.title() + ": " + v.reason
}

// judge says how a bond is. The slaves are all of its slaves.
//
// A bond is down if it carries nothing; it has no monitor if nothing would notice
// the failure of a slave; it is degraded if a slave does not do its part.
func judge(b *bond.Bond, slaves []bond.Slave) verdict {
	if !b.Up() {
		return verdict{healthDown, "switched off"}
	}
	if len(slaves) == 0 {
		return verdict{healthDown, "no slaves"}
	}
	var v verdict
	var reasons []string
	add := func(h health, reason string) {
		if reason != "" {
			v.state = max(v.state, h)
			reasons = append(reasons, reason)
		}
	}
	linked := 0
	for i := range slaves {
		if hasLink(&slaves[i]) {
			linked++
		}
	}
	add(healthDown, whyDown(b, linked))
	if b.Has(bond.OptionMIIMon) && b.Has(bond.OptionARPInterval) && b.MIIMon == 0 && b.ARPInterval == 0 {
		add(healthNoMonitor, "miimon and arp_interval are 0")
	}
	if b.ARPInterval > 0 && len(b.ARPTargets)+len(b.NSTargets) == 0 {
		add(healthDegraded, "the ARP monitor has no targets")
	}
	if hasAggregator(b) && b.AD.PartnerMAC == [6]byte{} {
		add(healthDegraded, "no LACP partner")
	}
	// That of no slave having a link says all of it.
	if linked > 0 {
		for _, reason := range slaveFaults(b, slaves) {
			add(healthDegraded, reason)
		}
	}
	if len(slaves) == 1 && v.state == healthOK {
		reasons = append(reasons, "only one slave")
	}
	v.reason = strings.Join(reasons, "; ")
	return v
}

// hasLink reports whether a slave has a link, be it in use or not.
func hasLink(s *bond.Slave) bool {
	return s.Up() && s.Carrier && s.MIIStatus != bond.MIIDown
}

// hasAggregator reports whether the kernel told of an active aggregator.
func hasAggregator(b *bond.Bond) bool {
	return b.Mode == bond.Mode8023AD && b.Has(bond.OptionADInfo)
}

// whyDown says why a bond carries nothing, or nothing if it does. linked is the
// number of slaves that have a link.
func whyDown(b *bond.Bond, linked int) string {
	switch {
	case linked == 0:
		return "no slave has a link"
	case b.Mode.HasActive() && !b.Has(bond.OptionActiveSlave):
		return "no active slave"
	case b.Carrier:
		return ""
	case b.Mode == bond.Mode8023AD && !b.Has(bond.OptionADInfo):
		return "no active aggregator"
	case hasAggregator(b) && uint32(b.AD.Ports) < b.MinLinks:
		return fmt.Sprintf("%d of the %d slaves that min_links wants", b.AD.Ports, b.MinLinks)
	case b.LACPStrict && b.Mode == bond.Mode8023AD:
		return "no carrier, because too few slaves collect and distribute (lacp_strict)"
	}
	return "no carrier"
}

// slaveFaults returns what is wrong with the slaves, those with the same fault
// together.
func slaveFaults(b *bond.Bond, slaves []bond.Slave) []string {
	var faults []string
	names := map[string][]string{}
	for i := range slaves {
		f := slaveFault(b, &slaves[i])
		if f == "" {
			continue
		}
		if names[f] == nil {
			faults = append(faults, f)
		}
		names[f] = append(names[f], quoteLink(slaves[i].Link))
	}
	for i, f := range faults {
		faults[i] = enumerate(names[f]) + " " + f
	}
	return faults
}

// slaveFault says why a slave does not do its part, or nothing if it does.
func slaveFault(b *bond.Bond, s *bond.Slave) string {
	switch {
	case !s.Up():
		return "switched off"
	case s.MIIStatus == bond.MIIDown:
		return "down"
	case s.MIIStatus == bond.MIIGoingDown:
		return "going down"
	case !s.Carrier:
		return "without carrier"
	case s.MIIStatus == bond.MIIGoingBack:
		return "coming back"
	}
	// Without a partner the kernel uses one slave, and no port is in order.
	if !hasAggregator(b) || b.AD.PartnerMAC == [6]byte{} {
		return ""
	}
	const passes = bond.PortCollecting | bond.PortDistributing
	switch {
	case s.Has(bond.OptionAggregatorID) && s.AggregatorID != b.AD.AggregatorID:
		return "outside the active aggregator"
	case s.Has(bond.OptionActorPortState) && s.ActorPortState&(bond.PortExpired|bond.PortDefaulted) != 0:
		return "without LACPDUs from the partner"
	case s.Has(bond.OptionActorPortState) && s.ActorPortState&passes != passes:
		return "not collecting and distributing"
	case s.Has(bond.OptionActorChurn) && s.ActorChurn == bond.ChurnChurned,
		s.Has(bond.OptionPartnerChurn) && s.PartnerChurn == bond.ChurnChurned:
		return "churned"
	}
	return ""
}

// enumerate returns the words as in a sentence, and only the first of many.
func enumerate(words []string) string {
	const most = 4
	if n := len(words); n > most {
		words = append(slices.Clone(words[:most-1]), strconv.Itoa(n-most+1)+" more")
	}
	return cli.Enumerate(words)
}
