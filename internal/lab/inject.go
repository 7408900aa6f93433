// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// recipe makes a fault from the words that follow its name.
type recipe struct {
	name  string
	usage string // the words it takes
	least int    // number of words it needs
	most  int    // number of words it takes at most, -1 for any
	make  func(ctx context.Context, l *Lab, words []string) (*Fault, error)
}

// recipes returns all faults in the order in which they are shown.
func recipes() []recipe {
	return []recipe{
		{"cut-uplink", "SWITCH", 1, 1, byNumber((*Lab).CutUplink)},
		{"cut-port", "SLAVENUMBER", 1, 1, byNumber((*Lab).CutPort)},
		{"drop-tx", "SLAVE", 1, 1, byName((*Lab).DropTX)},
		{"drop-rx", "SLAVE", 1, 1, byName((*Lab).DropRX)},
		{"drop-towards", "SLAVE [TARGET...]", 1, -1, func(ctx context.Context, l *Lab, w []string) (*Fault, error) {
			return l.DropTowards(ctx, w[0], w[1:]...)
		}},
		{"loss", "SLAVE TENTHS [both|tx|rx]", 2, 3, makeLoss},
		{"prune", "SLAVE", 1, 1, byName((*Lab).Prune)},
		{"stuck-transmit", "SLAVE", 1, 1, byName((*Lab).StuckTransmit)},
		{"target-down", "TARGET", 1, 1, byName((*Lab).TargetDown)},
		{"chatter", "KIND[,KIND...] [SWITCH...]", 1, -1, makeChatter},
		{"target-asks", "TARGET", 1, 1, byName((*Lab).TargetAsks)},
		{"forge", "KIND[,KIND...]|all SWITCH TARGET MAC...", 4, -1, makeForge},
		{"second-owner", "TARGET SWITCH", 2, 2, func(ctx context.Context, l *Lab, w []string) (*Fault, error) {
			n, err := numbers(w[1:])
			if err != nil {
				return nil, err
			}
			return l.SecondOwner(ctx, w[0], n[0])
		}},
	}
}

// FaultNames returns the names of all faults [Lab.Inject] knows.
func FaultNames() []string {
	var names []string
	for _, r := range recipes() {
		names = append(names, r.name)
	}
	return names
}

// FaultUsage returns the words that follow the name of a fault in [Lab.Inject],
// for example "SLAVE TENTHS [both|tx|rx]", or the empty string for a name that
// does not exist.
func FaultUsage(name string) string {
	for _, r := range recipes() {
		if r.name == name {
			return r.usage
		}
	}
	return ""
}

// Inject makes a fault from its name and the words of [FaultUsage], for example
// "cut-uplink 1", "loss e1 3 rx" or "chatter others,probes 1 2". The String of a
// fault is such a text, except that of a forger, which does not hold the MAC
// addresses of the probes. A text that makes no sense gives ErrConfig.
func (l *Lab) Inject(ctx context.Context, text string) (*Fault, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, fmt.Errorf("lab: fault: %w: no name", ErrConfig)
	}
	for _, r := range recipes() {
		if r.name != words[0] {
			continue
		}
		args := words[1:]
		if len(args) < r.least || (r.most >= 0 && len(args) > r.most) {
			return nil, fmt.Errorf("lab: %s: %w: usage: %s %s", text, ErrConfig, r.name, r.usage)
		}
		return r.make(ctx, l, args)
	}
	return nil, fmt.Errorf("lab: %s: %w: no such fault, want one of %s", text, ErrConfig, strings.Join(FaultNames(), ", "))
}

func byName(f func(*Lab, context.Context, string) (*Fault, error)) func(context.Context, *Lab, []string) (*Fault, error) {
	return func(ctx context.Context, l *Lab, words []string) (*Fault, error) { return f(l, ctx, words[0]) }
}

func byNumber(f func(*Lab, context.Context, int) (*Fault, error)) func(context.Context, *Lab, []string) (*Fault, error) {
	return func(ctx context.Context, l *Lab, words []string) (*Fault, error) {
		n, err := numbers(words)
		if err != nil {
			return nil, err
		}
		return f(l, ctx, n[0])
	}
}

func numbers(words []string) ([]int, error) {
	var list []int
	for _, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("lab: fault: %w: %q is not a number", ErrConfig, w)
		}
		list = append(list, n)
	}
	return list, nil
}

func makeLoss(ctx context.Context, l *Lab, words []string) (*Fault, error) {
	n, err := numbers(words[1:2])
	if err != nil {
		return nil, err
	}
	d := Both
	if len(words) > 2 {
		all := []Direction{Both, TX, RX}
		i := slices.IndexFunc(all, func(d Direction) bool { return d.String() == words[2] })
		if i < 0 {
			return nil, fmt.Errorf("lab: fault: %w: %q is none of both, tx, rx", ErrConfig, words[2])
		}
		d = all[i]
	}
	return l.Loss(ctx, words[0], n[0], d)
}

func makeChatter(ctx context.Context, l *Lab, words []string) (*Fault, error) {
	set, err := parseNames(words[0], chatNames)
	if err != nil {
		return nil, fmt.Errorf("lab: fault: chatter: %w", err)
	}
	where, err := numbers(words[1:])
	if err != nil {
		return nil, err
	}
	return l.Chatter(ctx, Chat(set), where...)
}

func makeForge(ctx context.Context, l *Lab, words []string) (*Fault, error) {
	kinds, err := parseForgery(words[0])
	if err != nil {
		return nil, fmt.Errorf("lab: fault: forge: %w", err)
	}
	where, err := numbers(words[1:2])
	if err != nil {
		return nil, err
	}
	var probes []net.HardwareAddr
	for _, w := range words[3:] {
		mac, err := net.ParseMAC(w)
		if err != nil || len(mac) != 6 {
			return nil, fmt.Errorf("lab: fault: forge: %w: %q is not a MAC address", ErrConfig, w)
		}
		probes = append(probes, mac)
	}
	return l.Forge(ctx, &ForgeConfig{
		Kinds: kinds, Switch: where[0], Target: words[2],
		Probes: func() []net.HardwareAddr { return probes },
	})
}
