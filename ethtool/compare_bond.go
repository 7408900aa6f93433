// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"fmt"
	"slices"
	"strings"
)

// degraded tells of drivers that have given up most of what they do.
func (h *host) degraded() {
	for _, f := range h.facts {
		if !isHardware(f) {
			continue
		}
		var mode, why string
		// Representors of ice, too, have no flags; but those do not claim to have some, and
		// have no address of their own.
		noFlags := f.Flags != nil && len(f.Flags) == 0 && (f.Driver.PrivateFlags > 0 || len(f.PermanentMAC) > 0)
		switch {
		case f.Driver.Name == "i40e" && noFlags:
			// i40e_ethtool_recovery_mode_ops has next to nothing.
			mode, why = "recovery mode", "it has no private flags"
		case f.Driver.Name == "ice" && noFlags:
			// ice_ethtool_safe_mode_ops.
			mode, why = "safe mode", "it has no private flags"
		case f.Driver.Name == "ice" && f.Firmware != nil && len(f.Firmware.Running) > 0:
			if _, ok := versionOf(f.Firmware.Running, "fw.app.name"); ok {
				continue
			}
			mode, why = "safe mode", "no DDP package (fw.app.name) is loaded"
		default:
			continue
		}
		hint := "the kernel log says why (recovery mode detected, or a mismatch of firmware and driver); the firmware has to be written anew"
		if mode == "safe mode" {
			hint = "the kernel log says why (Safe Mode); mostly the file of the DDP package is missing, or does not fit the driver"
		}
		h.add(Finding{
			Code: CodeDegraded, Severity: SeverityError, Bond: bondOf([]*Facts{f}), Links: []Link{f.Link},
			Text: fmt.Sprintf("%s runs in %s of %s: %s", nameOf(f.Link), mode, f.Driver.Name, why),
			Hint: hint,
		})
	}
}

// Flags of which the driver says what the hardware or its settings are; they differ for
// good reason.
var hardwareFlags = []string{"MFP", "total-port-shutdown", "LinkPolling", "hw-atr-eviction"}

// flagSkew tells of private flags that differ between slaves of one bond.
func (h *host) flagSkew(g group) {
	byDriver := make(map[string][]*Facts)
	var drivers []string
	for _, f := range g.slaves {
		if f.Driver == nil {
			continue
		}
		if byDriver[f.Driver.Name] == nil {
			drivers = append(drivers, f.Driver.Name)
		}
		byDriver[f.Driver.Name] = append(byDriver[f.Driver.Name], f)
	}
	for _, driver := range drivers {
		var names []string
		flags := make(map[string]*choices)
		for _, f := range byDriver[driver] {
			for _, flag := range f.Flags {
				c := flags[flag.Name]
				if c == nil {
					c = &choices{}
					flags[flag.Name] = c
					names = append(names, flag.Name)
				}
				value := "off"
				if flag.On {
					value = "on"
				}
				c.add(value, f.Link)
			}
		}
		oneModel := len(sameModels(byDriver[driver])) == 1
		for _, name := range names {
			c := flags[name]
			if !c.differ() {
				continue
			}
			slices.SortFunc(c.all, compareLinks)
			f := Finding{
				Code: CodeFlagSkew, Severity: SeverityWarning, Bond: g.bond, Links: slices.Compact(c.all),
				Text: fmt.Sprintf("private flag %s of %s differs in %s: %s", printable(name), printable(driver), nameOf(g.bond), c),
				Hint: "set it alike on all, and find out why it was not: udev rules and scripts go by name or by port",
			}
			switch {
			case strings.HasSuffix(name, "source-pruning"):
				f.Hint = "with arp_validate=all the slave that prunes is down whenever it is the backup; " + f.Hint
			case slices.Contains(hardwareFlags, name) || !oneModel:
				f.Severity = SeverityInfo
			}
			h.add(f)
		}
	}
}

// driverMix tells of bonds with drivers from different places.
func (h *host) driverMix(g group) {
	var c choices
	for _, f := range g.slaves {
		if isHardware(f) && f.Driver.Origin != OriginUnknown {
			c.add(f.Driver.Origin.String(), f.Link)
		}
	}
	if !c.differ() {
		return
	}
	slices.SortFunc(c.all, compareLinks)
	h.add(Finding{
		Code: CodeDriverMix, Severity: SeverityInfo, Bond: g.bond, Links: c.all,
		Text: fmt.Sprintf("the drivers of the slaves of %s are from different places: %s", nameOf(g.bond), &c),
		Hint: "an update of the kernel changes one and not the other",
	})
}

// cardsOf returns what tells that a NIC is on a card: the PCI device without its
// function, and serial numbers.
func cardsOf(f *Facts) []string {
	if !isHardware(f) || f.Driver.Name == "virtio_net" { // a hypervisor puts them anywhere
		return nil
	}
	var cards []string
	address := f.Driver.Bus
	if f.PCIe != nil {
		address = f.PCIe.Address
	}
	if isPCIAddress(address) {
		slot, _, _ := strings.Cut(address, ".")
		cards = append(cards, "PCI device "+slot)
	}
	if f.Firmware != nil {
		for _, serial := range []string{f.Firmware.Serial, f.Firmware.BoardSerial} {
			if strings.Trim(serial, "0-:. fFxX") != "" {
				cards = append(cards, "serial number "+valueOf(serial))
			}
		}
	}
	return cards
}

// sharedCard tells of slaves of one bond that are on the same card.
func (h *host) sharedCard(g group) {
	var c choices
	for _, f := range g.slaves {
		for _, card := range cardsOf(f) {
			c.add(card, f.Link)
		}
	}
	var told [][]Link
	for _, card := range c.values {
		links := c.links[card]
		links = slices.Compact(links)
		// The serial number says mostly the same again.
		if len(links) < 2 || slices.ContainsFunc(told, func(t []Link) bool { return slices.Equal(t, links) }) {
			continue
		}
		told = append(told, links)
		h.add(Finding{
			Code: CodeSharedCard, Severity: SeverityInfo, Bond: g.bond, Links: links,
			Text: fmt.Sprintf("%s of %s are on one card (%s), and fail together with it", namesOf(links), nameOf(g.bond), card),
			Hint: "slaves on different cards survive the failure of one",
		})
	}
}

// pcie tells of devices that are connected with less than they could.
func (h *host) pcie() {
	for _, f := range h.facts {
		p := f.PCIe
		if !isHardware(f) || p == nil || p.Speed == 0 || p.Width == 0 || p.MaxSpeed == 0 || p.MaxWidth == 0 {
			continue
		}
		if p.Speed >= p.MaxSpeed && p.Width >= p.MaxWidth {
			continue
		}
		finding := Finding{
			Code: CodePCIeBelow, Severity: SeverityInfo, Bond: bondOf([]*Facts{f}), Links: []Link{f.Link},
			Text: fmt.Sprintf("%s (%s) is connected with %s", nameOf(f.Link), p.Address, p),
			Hint: "the slot may not have more; else the card sits badly, or a lane is broken",
		}
		if other := h.fasterTwin(f); other != nil {
			finding.Severity = SeverityWarning
			finding.Text += fmt.Sprintf(", while %s in the same bond has %s", nameOf(other.Link), pcieText(other.PCIe.Speed, other.PCIe.Width))
		}
		h.add(finding)
	}
}

// fasterTwin returns a NIC of the same model in the same bond that is connected better, or nil.
func (h *host) fasterTwin(f *Facts) *Facts {
	bandwidth := func(p *PCIe) uint64 { return uint64(p.Speed) * uint64(p.Width) }
	m, _ := modelOf(f)
	for _, other := range h.facts {
		if om, ok := modelOf(other); ok && om == m && bondOf([]*Facts{f, other}) != (Link{}) && bandwidth(other.PCIe) > bandwidth(f.PCIe) {
			return other
		}
	}
	return nil
}
