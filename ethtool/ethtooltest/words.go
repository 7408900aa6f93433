// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"fmt"
	"slices"
)

// word is a value of the kernel and its name.
type word struct {
	name  string
	value uint32
}

// Values of <linux/if_link.h>, <linux/if_bonding.h> and <linux/if_bridge.h>. The first is
// that of the empty name.
var (
	macvlanModes = []word{{"vepa", 2}, {"private", 1}, {"bridge", 4}, {"passthru", 8}, {"source", 16}}
	bridgeModes  = []word{{"veb", 0}, {"vepa", 1}}
	bondModes    = []word{
		{"balance-rr", 0},
		{"active-backup", 1},
		{"balance-xor", 2},
		{"broadcast", 3},
		{"802.3ad", 4},
		{"balance-tlb", 5},
		{"balance-alb", 6},
	}
	arpValidates = []word{
		{"none", 0}, {"active", 1}, {"backup", 2}, {"all", 3}, {"filter", 4}, {"filter_active", 5}, {"filter_backup", 6},
	}
	failOverMACs = []word{{"none", 0}, {"active", 1}, {"follow", 2}}
	miiStatuses  = []word{{"up", 0}, {"going down", 1}, {"down", 2}, {"going back", 3}}
)

// mustWord returns the value of a name.
func mustWord(what string, words []word, name string) uint32 {
	if name == "" {
		return words[0].value
	}
	i := slices.IndexFunc(words, func(w word) bool { return w.name == name })
	if i < 0 {
		panic(fmt.Sprintf("ethtooltest: no %s is called %q", what, name))
	}
	return words[i].value
}

// wordOf returns the name of a value.
func wordOf(words []word, value uint32) (string, bool) {
	i := slices.IndexFunc(words, func(w word) bool { return w.value == value })
	if i < 0 {
		return "", false
	}
	return words[i].name, true
}
