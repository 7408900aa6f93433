// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Chat is a set of things that chatty hosts say. The values can be combined.
type Chat uint

const (
	// ChatOthers is ARP requests for addresses that are neither the host nor a
	// target; half of them belong to another chatty host, which answers.
	ChatOthers Chat = 1 << iota
	// ChatTargets is ARP requests for the targets.
	ChatTargets
	// ChatProbes is ARP probes for the targets as RFC 5227 has them: requests
	// with 0.0.0.0 as the sender address.
	ChatProbes
	// ChatLLDP is frames that are no ARP: LLDP and spanning tree.
	ChatLLDP

	// ChatARP is everything a chatty host says in ARP.
	ChatARP = ChatOthers | ChatTargets | ChatProbes
)

var chatNames = []string{"others", "targets", "probes", "lldp"}

// String returns the names of the set with commas: others, targets, probes, lldp.
func (c Chat) String() string { return joinNames(uint(c), chatNames) }

// rates of the generators, frames a second. Three chatty hosts make 60 frames a
// second, which is life enough for a monitor with an interval of 50 ms; a target
// that asks makes a frame in every interval of 100 ms.
const (
	chatterRate = 20
	askRate     = 20
	forgeRate   = 200
)

// Chatter has every chatty host of the switches named by number send what, in
// turn, 20 frames a second each. Without a number all switches chatter.
func (l *Lab) Chatter(ctx context.Context, what Chat, switches ...int) (*Fault, error) {
	words := []string{"chatter", what.String()}
	for _, i := range switches {
		words = append(words, strconv.Itoa(i))
	}
	text := strings.Join(words, " ")
	if what == 0 || what&^(ChatARP|ChatLLDP) != 0 {
		return nil, fmt.Errorf("lab: %s: %w", text, ErrConfig)
	}
	if len(switches) == 0 {
		for i := range l.cfg.Slaves {
			switches = append(switches, i+1)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("lab: %s: %w", text, err)
	}
	var sources []source
	for _, i := range switches {
		if err := l.number(i); err != nil {
			closeSources(sources)
			return nil, fmt.Errorf("lab: %s: %w", text, err)
		}
		for k := range l.cfg.Chatty {
			name := chattyName(i, k+1)
			s, err := l.chatty[name].sender(HostDevice)
			if err != nil {
				closeSources(sources)
				return nil, err
			}
			sources = append(sources, source{s, l.chat(name, s.mac, what, k)})
		}
	}
	return l.generate(text, sources, chatterRate)
}

// chat returns the function that builds the frames of one chatty host. Host
// number k begins with another thing of the set than its neighbours do.
func (l *Lab) chat(name string, mac MAC, what Chat, k int) func([]byte, int) []byte {
	var says []func(b []byte, i int) []byte
	request := func(tpa func(i int) netip.Addr, probe bool) func([]byte, int) []byte {
		return func(b []byte, i int) []byte {
			a := l.arpFrom(name, mac, OpRequest, Broadcast, tpa(i))
			if probe {
				a.SPA = netip.Addr{}
			}
			return a.AppendFrame(b)
		}
	}
	others := []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 250})}
	for _, n := range l.Namespaces() {
		if l.chatty[n.name] != nil && n.name != name {
			others = append(others, netip.AddrFrom4([4]byte{192, 0, 2, 250}), l.Addr(n.name))
		}
	}
	other := func(i int) netip.Addr { return others[i%len(others)] }
	target := func(i int) netip.Addr { return l.Addr(targetNames[i%len(targetNames)]) }
	if what&ChatOthers != 0 {
		says = append(says, request(other, false))
	}
	if what&ChatTargets != 0 {
		says = append(says, request(target, false))
	}
	if what&ChatProbes != 0 {
		says = append(says, request(target, true))
	}
	if what&ChatLLDP != 0 {
		lldp, bpdu := lldpFrame(mac), bpduFrame(mac)
		says = append(says, func(b []byte, i int) []byte {
			if i%2 == 0 {
				return append(b, lldp...)
			}
			return append(b, bpdu...)
		})
	}
	return func(b []byte, i int) []byte {
		// Divided, so that the things of the set do not fall into step with
		// the addresses they go through.
		return says[(i+k)%len(says)](b, (i+k)/len(says))
	}
}

// TargetAsks has a target broadcast ARP requests for the address of the host, 20
// a second, as a host does that has traffic for us and gets no answer.
func (l *Lab) TargetAsks(ctx context.Context, target string) (*Fault, error) {
	t, err := l.target(target)
	if err != nil {
		return nil, fmt.Errorf("lab: target asks: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("lab: target asks: %w", err)
	}
	s, err := t.sender(HostDevice)
	if err != nil {
		return nil, err
	}
	return l.generate("target-asks "+target, []source{{s, func(b []byte, _ int) []byte {
		a := l.arpFrom(target, s.mac, OpRequest, Broadcast, l.Addr(HostName))
		return a.AppendFrame(b)
	}}}, askRate)
}

// generate makes a fault of a generator.
func (l *Lab) generate(text string, sources []source, perSecond int) (*Fault, error) {
	g := startGenerator(sources, perSecond)
	return l.add(&Fault{
		text:    text,
		repair:  func(context.Context) error { return g.Close() },
		count:   func(context.Context) (uint64, error) { return g.sent.Load(), nil },
		abandon: func() { g.Close() },
		sends:   true,
	})
}

// joinNames returns the names of the bits of a set.
func joinNames(set uint, names []string) string {
	var words []string
	for i, name := range names {
		if set&(1<<i) != 0 {
			words = append(words, name)
			set &^= 1 << i
		}
	}
	if set != 0 || len(words) == 0 {
		words = append(words, fmt.Sprintf("%#x", set))
	}
	return strings.Join(words, ",")
}

// parseNames reads what joinNames returns.
func parseNames(text string, names []string) (uint, error) {
	var set uint
	for word := range strings.SplitSeq(text, ",") {
		found := false
		for i, name := range names {
			if word == name {
				set |= 1 << i
				found = true
			}
		}
		if !found {
			return 0, fmt.Errorf("%w: %q is none of %s", ErrConfig, word, strings.Join(names, ", "))
		}
	}
	return set, nil
}
