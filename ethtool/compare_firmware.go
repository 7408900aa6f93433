// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// model is what two NICs have in common that can be compared: the firmware of
// others has nothing to do with each other.
type model struct {
	driver                               string
	vendor, device, subVendor, subDevice uint16
}

func (m model) String() string {
	return fmt.Sprintf("%s %04x:%04x", printable(m.driver), m.vendor, m.device)
}

// modelOf returns the model of a NIC, and ok false where that is not known.
func modelOf(f *Facts) (m model, ok bool) {
	if !isHardware(f) || f.PCIe == nil {
		return model{}, false
	}
	p := f.PCIe
	return model{f.Driver.Name, p.Vendor, p.Device, p.SubVendor, p.SubDevice}, true
}

// boardOf returns what the vendor calls the board, which PCI numbers alone may
// not tell, empty where that is not known.
func boardOf(f *Facts) string {
	if f.Firmware != nil {
		for _, name := range []string{"board.id", "fw.psid"} {
			if board, ok := versionOf(f.Firmware.Fixed, name); ok {
				return board
			}
		}
	}
	// 16.35.2000 (MT_0000000012): mlx5e_ethtool_get_drvinfo, mlx4_en_get_drvinfo.
	if name := f.Driver.Name; name == "mlx5_core" || name == "mlx4_en" {
		if _, board, ok := strings.Cut(f.Driver.Firmware, "("); ok {
			return strings.TrimSuffix(board, ")")
		}
	}
	return ""
}

// sameModels sorts NICs into sets of the same model. Where boards of different
// names are among those of one model, those that do not tell belong to no set.
func sameModels(facts []*Facts) [][]*Facts {
	type key struct {
		model
		board string
	}
	boards := make(map[model][]string)
	for _, f := range facts {
		if m, ok := modelOf(f); ok {
			if b := boardOf(f); b != "" && !slices.Contains(boards[m], b) {
				boards[m] = append(boards[m], b)
			}
		}
	}
	sets := make(map[key][]*Facts)
	var order []key
	for _, f := range facts {
		m, ok := modelOf(f)
		if !ok {
			continue
		}
		k := key{model: m}
		if len(boards[m]) > 1 {
			if k.board = boardOf(f); k.board == "" {
				continue
			}
		}
		if sets[k] == nil {
			order = append(order, k)
		}
		sets[k] = append(sets[k], f)
	}
	var same [][]*Facts
	for _, k := range order {
		if len(sets[k]) > 1 {
			same = append(same, sets[k])
		}
	}
	return same
}

// firmware compares the firmware of NICs of the same model in one bond.
func (h *host) firmware(g group) {
	for _, set := range sameModels(g.slaves) {
		h.firmwareOf(set, SeverityWarning)
	}
}

// firmwareAcross compares that of NICs that are not in the same bond.
func (h *host) firmwareAcross() {
	for _, set := range sameModels(h.facts) {
		if bondOf(set) == (Link{}) {
			h.firmwareOf(set, SeverityInfo)
		}
	}
}

func (h *host) firmwareOf(set []*Facts, severity Severity) {
	different, unclear := firmwareDifferences(set)
	m, _ := modelOf(set[0])
	f := Finding{Severity: severity, Bond: bondOf(set), Links: linksOf(set)}
	switch {
	case len(different) > 0:
		f.Code = CodeFirmwareMismatch
		f.Text = fmt.Sprintf("%s are the same model (%s) and run different firmware: %s",
			namesOf(f.Links), m, strings.Join(different, "; "))
		f.Hint = "bring them to one version"
	case len(unclear) > 0 && f.Bond != (Link{}):
		f.Code, f.Severity, f.Links = CodeFirmwareUnclear, SeverityInfo, unclear
		f.Text = fmt.Sprintf("whether %s run the same firmware cannot be seen: what their driver tells is cut off where it is still the same",
			namesOf(unclear))
		f.Hint = "the vendor's tool shows all of it"
	default:
		return
	}
	h.add(f)
}

// firmwareDifferences says in what the firmware of NICs of one model differs, or else between which
// it may differ.
func firmwareDifferences(set []*Facts) (different []string, unclear []Link) {
	var names []string
	values := make(map[string]*choices)
	for _, f := range set {
		if f.Firmware == nil {
			continue
		}
		for _, v := range f.Firmware.Running {
			if values[v.Name] == nil {
				values[v.Name] = &choices{}
				names = append(names, v.Name)
			}
			values[v.Name].add(v.Value, f.Link)
		}
	}
	shared := make(map[Link]bool) // those with a name that another one has too
	for _, name := range names {
		c := values[name]
		if c.differ() {
			different = append(different, printable(name)+" "+c.String())
		}
		if len(c.all) > 1 {
			for _, l := range c.all {
				shared[l] = true
			}
		}
	}
	if len(different) > 0 {
		return different, nil
	}
	var text choices
	for _, f := range set {
		if f.Driver.Firmware != "" {
			text.add(f.Driver.Firmware, f.Link)
		}
	}
	if text.differ() {
		return []string{text.String()}, nil
	}
	for _, f := range set {
		if f.Driver.FirmwareTruncated && !shared[f.Link] {
			unclear = append(unclear, f.Link)
		}
	}
	if len(unclear) < 2 {
		return nil, nil
	}
	return nil, unclear
}

// firmwarePending tells of firmware that waits for a reset.
func (h *host) firmwarePending() {
	byHandle := make(map[string][]*Facts)
	var handles []string
	for _, f := range h.facts {
		if f.Firmware == nil || len(f.Firmware.Pending()) == 0 {
			continue
		}
		handle := f.Firmware.Handle
		if byHandle[handle] == nil {
			handles = append(handles, handle)
		}
		byHandle[handle] = append(byHandle[handle], f)
	}
	for _, handle := range handles {
		facts := byHandle[handle]
		fw := facts[0].Firmware
		var parts []string
		for _, v := range fw.Pending() {
			running, _ := versionOf(fw.Running, v.Name)
			parts = append(parts, fmt.Sprintf("%s %s is stored and %s runs", printable(v.Name), valueOf(v.Value), valueOf(running)))
		}
		verb := " does not run"
		if len(facts) > 1 {
			verb = " do not run"
		}
		f := Finding{
			Code: CodeFirmwarePending, Severity: SeverityWarning, Bond: bondOf(facts), Links: linksOf(facts),
			Text: namesOf(linksOf(facts)) + verb + " the firmware that was written into the device: " + strings.Join(parts, "; "),
			Hint: "it takes effect with the next reset of the device: devlink dev reload " + printable(handle) +
				" action fw_activate, where the driver can, or a reboot",
		}
		h.add(f)
	}
}

// unhealthy tells of health reporters with errors.
func (h *host) unhealthy() {
	type key struct {
		handle, name string
		port         uint32
		hasPort      bool
	}
	links := make(map[key][]*Facts)
	var order []key
	reporters := make(map[key]Reporter)
	for _, f := range h.facts {
		for _, r := range f.Health {
			if r.Healthy && r.Errors <= r.Recoveries {
				continue
			}
			k := key{r.Handle, r.Name, r.Port, r.HasPort}
			if links[k] == nil {
				order = append(order, k)
				reporters[k] = r
			}
			if !slices.Contains(links[k], f) {
				links[k] = append(links[k], f)
			}
		}
	}
	slices.SortFunc(order, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.handle, b.handle), cmp.Compare(a.name, b.name), cmp.Compare(a.port, b.port))
	})
	for _, k := range order {
		r := reporters[k]
		f := Finding{
			Code: CodeUnhealthy, Severity: SeverityWarning, Bond: bondOf(links[k]), Links: linksOf(links[k]),
			Text: fmt.Sprintf("%s: health reporter %s of %s counts %d errors and %d recoveries",
				namesOf(linksOf(links[k])), printable(r.Name), printable(r.Handle), r.Errors, r.Recoveries),
			Hint: "devlink health show and devlink health diagnose tell more",
		}
		if !r.Healthy {
			f.Severity = SeverityError
			f.Text += ", and is in state error"
		}
		h.add(f)
	}
}
