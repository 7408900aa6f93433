// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Report is what Audit found on a host. It has no time in it and its order depends on nothing
// but the host, so that the JSON of two hosts, or of two days, can be compared as text; what
// differs by nature are indices and counters. The keys stay as they are.
type Report struct {
	// Kernel is what uname -r prints.
	Kernel string `json:"kernel"`
	// Facts are sorted by the names of the bonds, then of the interfaces. Each bond comes
	// before its slaves.
	Facts []Facts `json:"facts"`
	// Findings are those of [Compare].
	Findings []Finding `json:"findings"`
}

// Audit reads the facts of interfaces and compares them. A bond stands for itself and its
// slaves; without links it is all bonds of the network namespace. A host without bonds
// gives a Report without facts.
//
// The error is an *[Error]. It matches ErrNoDevice where one of links does not exist. Slaves that vanish
// meanwhile are left out. What else cannot be read is in the Facts as Unseen, and
// leads to no Finding.
func (c *Client) Audit(ctx context.Context, links ...Link) (Report, error) {
	const op = "audit"
	report := Report{Kernel: c.t.KernelRelease(), Facts: []Facts{}, Findings: []Finding{}}
	all, err := c.links(ctx)
	if err != nil {
		return report, opError(op, Link{}, err)
	}
	chosen := make(map[int]bool) // by index; true for those that a caller named
	if len(links) == 0 {
		for _, l := range all {
			if l.Kind == kindBond {
				chosen[l.Index] = false
			}
		}
	}
	for _, link := range links {
		l, err := c.resolve(ctx, link)
		if err != nil {
			return report, opError(op, link, err)
		}
		chosen[l.Index] = true
	}
	for _, l := range all {
		if _, ok := chosen[l.Master]; ok && l.SlaveKind == kindBond && !chosen[l.Index] {
			chosen[l.Index] = false
		}
	}
	for _, l := range all {
		named, ok := chosen[l.Index]
		if !ok {
			continue
		}
		delete(chosen, l.Index)
		if err := c.auditOne(ctx, &report, l, named); err != nil {
			return report, opError(op, linkOf(&l), err)
		}
	}
	// What came up after the list was read.
	for index := range chosen {
		if err := c.auditOne(ctx, &report, rtnl.Link{Index: index}, true); err != nil {
			return report, opError(op, Link{Index: index}, err)
		}
	}
	slices.SortFunc(report.Facts, compareFacts)
	report.Findings = Compare(report.Facts)
	return report, nil
}

func (c *Client) auditOne(ctx context.Context, report *Report, l rtnl.Link, named bool) error {
	f, err := c.facts(ctx, Link{Index: l.Index})
	if errors.Is(err, ErrNoDevice) && !named {
		return nil
	}
	if err != nil {
		return err
	}
	report.Facts = append(report.Facts, f)
	return nil
}

// compareFacts puts each bond before its slaves, and what belongs to no bond where its name
// belongs.
func compareFacts(a, b Facts) int {
	return cmp.Or(
		cmp.Compare(groupName(&a), groupName(&b)),
		cmp.Compare(groupRank(&a), groupRank(&b)),
		cmp.Compare(a.Link.Name, b.Link.Name),
		cmp.Compare(a.Link.Index, b.Link.Index),
	)
}

func groupName(f *Facts) string {
	if f.Bond != nil {
		return f.Bond.Link.Name
	}
	return f.Link.Name
}

func groupRank(f *Facts) int {
	if f.Bond != nil {
		return 1
	}
	return 0
}
