// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"fmt"
	"slices"
	"strings"
)

// linkButDown tells of slaves with a link that their bond takes for down, and which of the
// bond's monitors it is that does so.
func (h *host) linkButDown() {
	for _, f := range h.facts {
		if f.Bond == nil || !f.Up || !hasLink(f) {
			continue
		}
		finding := Finding{
			Code: CodeLinkButDown, Severity: SeverityInfo, Bond: f.Bond.Link, Links: []Link{f.Link},
		}
		slave, bond := nameOf(f.Link), nameOf(f.Bond.Link)
		status := f.Bond.MIIStatus
		if status == "going back" && f.Bond.ARPInterval > 0 {
			// Where no slave works the ARP monitor tries them in turn, and leaves those it
			// has tried so (bond_ab_arp_probe in drivers/net/bonding/bond_main.c).
			status = "down"
		}
		switch status {
		case "going back":
			finding.Text = fmt.Sprintf("%s has a link, and %s waits for updelay to end before it uses it", slave, bond)
		case "going down":
			finding.Text = fmt.Sprintf("%s has a link again, and %s had begun to wait for downdelay to end", slave, bond)
		case "down":
			finding.Severity = SeverityError
			why, hint := whyDown(f)
			finding.Text = fmt.Sprintf("%s has a link, and %s takes it for down: %s", slave, bond, why)
			finding.Hint = hint
			if codes := h.codesOf(f.Link); len(codes) > 0 {
				finding.Hint += "; see " + strings.Join(codes, ", ") + " about the same interface"
			}
		default:
			continue
		}
		h.add(finding)
	}
}

// hasLink is "Link detected", and carrier where the driver does not tell.
func hasLink(f *Facts) bool {
	if f.LinkState != nil && f.LinkState.HasDetected {
		return f.LinkState.Detected
	}
	return f.Carrier
}

// codesOf returns what else was found about an interface that can explain that nothing passes.
func (h *host) codesOf(l Link) []string {
	causes := []Code{CodeDegraded, CodeUnhealthy, CodeFirmwareMismatch, CodeFirmwarePending, CodeFlagSkew}
	var codes []string
	for _, f := range h.findings {
		if slices.Contains(causes, f.Code) && slices.Contains(f.Links, l) && !slices.Contains(codes, string(f.Code)) {
			codes = append(codes, string(f.Code))
		}
	}
	slices.Sort(codes)
	return codes
}

const (
	hintPath = "look for a wrong VLAN, a switch port that isolates, a missing link between the switches, " +
		"or a NIC that passes nothing in spite of its link"
	hintOffload = "bonding offload of the NIC (mlx5 VF LAG, ice SR-IOV LAG), which silences the backup"
	hintPrunes  = "fail_over_mac=active or arp_validate=active on the bond helps, or to switch source pruning off where the NIC can"
)

// whyDown says what keeps a slave with a link down, and what to do.
func whyDown(f *Facts) (why, hint string) {
	b := f.Bond
	switch {
	case b.ARPInterval > 0:
		return whyARPDown(f)
	case b.MIIMon > 0:
		return fmt.Sprintf("the carrier is looked at every %v (miimon), so the link may have come only now", b.MIIMon),
			"if it stays so, the bond is down, or, before Linux 6.18, use_carrier=0 has it ask the driver in another way"
	}
	return "it has no monitor (miimon and arp_interval are 0), so nothing makes it look again", "set miimon=100"
}

func whyARPDown(f *Facts) (why, hint string) {
	b := f.Bond
	if b.MIIStatus == "going back" {
		return "none of its slaves hears the ARP targets (arp_interval), so it tries them in turn",
			"look for a target that does not answer any more; else " + hintPath
	}
	if b.Mode != "active-backup" || b.Active {
		return "nothing acceptable comes in on it from the ARP targets (arp_interval)", hintPath
	}
	switch b.ARPValidate {
	case "backup", "all", "filter_backup":
	case "none", "filter", "active", "filter_active":
		return fmt.Sprintf("it hears nothing that arp_validate=%s accepts of a backup", b.ARPValidate), hintPath + ", or for " + hintOffload
	default:
		return "it hears nothing that the ARP monitor accepts of a backup", hintPath
	}
	why = fmt.Sprintf("arp_validate=%s accepts of a backup only that it hears the bond's own broadcasts", b.ARPValidate)
	switch {
	case b.FailOverMAC != "none" && b.FailOverMAC != "":
		// The slaves have different addresses: nothing is pruned.
		return why + ", and it does not", hintPath + ", or for " + hintOffload
	case f.Pruning == nil || f.Pruning.State == PruningUnknown:
		return why + ", and whether this NIC drops them (source pruning) is not known", hintPrunes + "; else " + hintPath
	case f.Pruning.State == Prunes:
		return why + ", and this NIC drops them (source pruning)", hintPrunes
	}
	return why + ", and this NIC does not drop them, so they do not reach it", hintPath + ", or for " + hintOffload
}
