// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"iter"
	"slices"
	"strings"
)

// PruningRule is one row of what is known about the source pruning of drivers. Of the rows
// about a driver, the first that fits decides.
type PruningRule struct {
	// Driver is the name of a driver as ethtool -i shows it, or the kind of a virtual
	// interface.
	Driver string `json:"driver"`
	// When is what must be so besides, in words, empty for always.
	When string `json:"when,omitzero"`

	// Control and Name are the setting that changes it, and Value is the value it must have for this
	// row, empty for any or none. Fixed says that it cannot be changed.
	Control       Control `json:"control"`
	Name          string  `json:"name,omitzero"`
	OnMeansPrunes bool    `json:"on_means_prunes,omitzero"`
	Value         string  `json:"value,omitzero"`
	Fixed         bool    `json:"fixed,omitzero"`

	// The rest is as in [Pruning].
	State       PruningState `json:"state"`
	HardWired   bool         `json:"hard_wired,omitzero"`
	Resets      bool         `json:"resets,omitzero"`
	Reason      string       `json:"reason"`
	Caution     string       `json:"caution,omitzero"`
	Source      string       `json:"source"`
	Workarounds []Workaround `json:"workarounds,omitzero"`

	when       pruningCase
	from, to   release // of the kernel, without to; zero for no limit
	skipsReset bool
	asksBelow  bool
}

// PruningTable ranges over all that this package knows about the source pruning of drivers, driver by
// driver. The rows are the caller's.
func PruningTable() iter.Seq[PruningRule] {
	return func(yield func(PruningRule) bool) {
		for _, r := range pruningRules() {
			if !yield(r) {
				return
			}
		}
	}
}

// controlNone is the zero Control: there is nothing to set.
const controlNone Control = 0

// pruningCase is what a rule asks for besides a value.
type pruningCase uint8

const (
	caseAlways        pruningCase = iota
	caseUnread                    // a setting could not be read
	caseNoFlags                   // the driver has no private flags at all
	caseInTree                    // the driver is not one from outside the kernel
	caseOneFunction               // the device has no virtual functions, and is none
	caseManyFunctions             // it has, or is one
)

// pruningFunctions says whether a device shares its card with virtual functions.
type pruningFunctions uint8

const (
	functionsUnknown pruningFunctions = iota
	functionsOne
	functionsMany
)

// pruningInput is what the rules look at.
type pruningInput struct {
	driver    string
	outOfTree bool
	kernel    release
	settings  map[settingKey]string
	noFlags   bool
	functions pruningFunctions
	unread    error
}

// settingKey names a setting of an interface.
type settingKey struct {
	control Control
	name    string
}

// asks returns the first setting that the rules about the driver look at.
func (in *pruningInput) asks() (settingKey, bool) {
	for _, r := range pruningRules() {
		if r.Driver == in.driver && r.Control != controlNone && r.Control != ControlHost {
			return settingKey{r.Control, r.Name}, true
		}
	}
	return settingKey{}, false
}

// fits reports whether a rule is about what is there.
func (in *pruningInput) fits(r *PruningRule) bool {
	if r.Driver != in.driver || in.kernel.before(r.from) || r.to != (release{}) && !in.kernel.before(r.to) {
		return false
	}
	if r.Value != "" && in.settings[settingKey{r.Control, r.Name}] != r.Value {
		return false
	}
	switch r.when {
	case caseUnread:
		return in.unread != nil
	case caseNoFlags:
		return in.noFlags
	case caseInTree:
		return !in.outOfTree
	case caseOneFunction:
		return in.functions == functionsOne
	case caseManyFunctions:
		return in.functions == functionsMany
	default:
		return true
	}
}

// verdict returns what the first rule that fits says, without the Link.
func (in *pruningInput) verdict() pruningVerdict {
	v := pruningVerdict{Pruning: Pruning{Driver: in.driver}}
	rules := pruningRules()
	i := slices.IndexFunc(rules, func(r PruningRule) bool { return in.fits(&r) })
	if i < 0 {
		v.Reason = "nothing is known about the driver " + printable(in.driver)
		if in.driver == "" {
			v.Reason = "it does not tell its driver"
		}
		if in.unread != nil {
			v.Reason += ": " + unreadText(in.unread)
		}
		return v
	}
	r := &rules[i]
	v.State, v.Control, v.Name, v.OnMeansPrunes = r.State, r.Control, r.Name, r.OnMeansPrunes
	v.HardWired, v.Resets = r.HardWired, r.Resets
	v.Reason, v.Caution, v.Source, v.Workarounds = r.Reason, r.Caution, r.Source, r.Workarounds
	v.Value = in.settings[settingKey{r.Control, r.Name}]
	v.skipsReset, v.asksBelow = r.skipsReset, r.asksBelow
	switch {
	case r.State == PruningUnknown:
	case v.Value != "":
		v.Evidence = EvidenceSetting
	default:
		v.Evidence = EvidenceDriver
	}
	if r.Fixed {
		v.Control, v.Name = controlNone, ""
	}
	if r.when == caseUnread {
		v.Reason += ": " + unreadText(in.unread)
	}
	return v
}

// unreadText says in a reason why something could not be read.
func unreadText(err error) string { return strings.TrimPrefix(err.Error(), "ethtool: ") }

// setting returns the value with which the device prunes or delivers.
func (p *Pruning) setting(prune bool) string {
	switch p.Control {
	case ControlPrivateFlag, ControlFeature:
		return onOff(prune == p.OnMeansPrunes)
	case ControlBridgeMode:
		if prune {
			return bridgeVEPA
		}
		return bridgeVEB
	case ControlMacvlanMode:
		if prune {
			return macvlanVEPA
		}
		return macvlanPrivate
	case ControlHost, controlNone:
	}
	return ""
}

// release is the beginning of what uname -r prints.
type release [3]int

// parseRelease reads as many numbers as there are, such as 6.12.0 of "6.12-rc1".
func parseRelease(s string) release {
	var r release
	for i := range r {
		n := 0
		for n < len(s) && '0' <= s[n] && s[n] <= '9' && n < 6 {
			r[i] = r[i]*10 + int(s[n]-'0')
			n++
		}
		if n == 0 || n == len(s) || s[n] != '.' {
			break
		}
		s = s[n+1:]
	}
	return r
}

func (r release) before(other release) bool { return slices.Compare(r[:], other[:]) < 0 }
