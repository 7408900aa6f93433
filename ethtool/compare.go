// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"cmp"
	"slices"
	"strings"
)

// Compare looks for what is wrong in the facts of one host. The order of the facts does not
// matter, and of two about one interface the first counts. The findings are sorted: the worst
// first, then by code, bond and interface.
//
// Nothing is concluded from what is nil or Unseen. Bonds themselves are not
// compared, nor other virtual interfaces, except by [CodeLinkButDown]: their drivers' texts are
// no firmware.
func Compare(facts []Facts) []Finding {
	h := newHost(facts)
	h.degraded()
	h.unhealthy()
	h.firmwarePending()
	for _, g := range h.groups {
		h.firmware(g)
		h.flagSkew(g)
		h.driverMix(g)
		h.sharedCard(g)
	}
	h.firmwareAcross()
	h.pcie()
	// Last, for it points to what was found about the same interface.
	h.linkButDown()
	slices.SortStableFunc(h.findings, func(a, b Finding) int {
		return cmp.Or(
			-cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Code, b.Code),
			compareLinks(a.Bond, b.Bond),
			slices.CompareFunc(a.Links, b.Links, compareLinks),
			cmp.Compare(a.Text, b.Text),
		)
	})
	return h.findings
}

// host is what Compare works on.
type host struct {
	facts    []*Facts // each interface once, sorted
	groups   []group  // by bond
	findings []Finding
}

// group are the slaves of one bond.
type group struct {
	bond   Link
	slaves []*Facts
}

func newHost(facts []Facts) *host {
	h := &host{findings: []Finding{}}
	seen := make(map[Link]bool)
	for i := range facts {
		if f := &facts[i]; !seen[f.Link] {
			seen[f.Link] = true
			h.facts = append(h.facts, f)
		}
	}
	slices.SortStableFunc(h.facts, func(a, b *Facts) int { return compareLinks(a.Link, b.Link) })
	for _, f := range h.facts {
		if f.Bond == nil {
			continue
		}
		i := slices.IndexFunc(h.groups, func(g group) bool { return g.bond == f.Bond.Link })
		if i < 0 {
			i = len(h.groups)
			h.groups = append(h.groups, group{bond: f.Bond.Link})
		}
		h.groups[i].slaves = append(h.groups[i].slaves, f)
	}
	return h
}

func (h *host) add(f Finding) { h.findings = append(h.findings, f) }

func compareLinks(a, b Link) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Index, b.Index))
}

// linksOf returns the interfaces of facts, which are sorted.
func linksOf(facts []*Facts) []Link {
	links := make([]Link, len(facts))
	for i, f := range facts {
		links[i] = f.Link
	}
	return links
}

// bondOf returns the bond that all of facts belong to, or the zero Link.
func bondOf(facts []*Facts) Link {
	var bond Link
	for i, f := range facts {
		if f.Bond == nil || i > 0 && f.Bond.Link != bond {
			return Link{}
		}
		bond = f.Bond.Link
	}
	return bond
}

// isHardware reports whether the interface is a NIC, whose driver is known.
func isHardware(f *Facts) bool { return f.Kind == "" && f.Driver != nil && f.Driver.Name != "" }

// nameOf is an interface in a text.
func nameOf(l Link) string {
	if l.Name == "" {
		return linkText(l)
	}
	return printable(l.Name)
}

// namesOf lists interfaces in a text: "eth0, eth1 and eth2".
func namesOf(links []Link) string {
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = nameOf(l)
	}
	return listOf(names)
}

func listOf(words []string) string {
	if n := len(words) - 1; n > 0 {
		return strings.Join(words[:n], ", ") + " and " + words[n]
	}
	return strings.Join(words, "")
}

// valueOf is a text of a driver in a text.
func valueOf(s string) string {
	if s == "" {
		return `""`
	}
	return printable(s)
}

// choices are the values that something has on several interfaces.
type choices struct {
	values []string
	links  map[string][]Link
	all    []Link
}

func (c *choices) add(value string, l Link) {
	if c.links == nil {
		c.links = make(map[string][]Link)
	}
	if _, ok := c.links[value]; !ok {
		c.values = append(c.values, value)
	}
	c.links[value] = append(c.links[value], l)
	c.all = append(c.all, l)
}

// differ reports whether there is more than one value.
func (c *choices) differ() bool { return len(c.values) > 1 }

// String returns "8.30 on eth0 and eth2, 9.20 on eth1".
func (c *choices) String() string {
	var parts []string
	for _, v := range c.values {
		parts = append(parts, valueOf(v)+" on "+namesOf(c.links[v]))
	}
	return strings.Join(parts, ", ")
}
