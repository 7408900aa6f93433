// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

// expect returns what is not as it should be. It knows
//
//	S STATE [REASON]           a slave
//	S/A STATE [REASON]         a pair
//	group STATE
//	target A up|down
//	S transitions N            since the log, as all numbers below
//	S frames VERDICT N         in all
//	S sent N                   probes
//	S last-error
//	pair S/A COUNTER N         sent, replied, missed, late, duplicate, conflict
//	stalls N
//	pruned N                   frames that the rule of prune dropped
//	delivered                  every frame to the bond, but one under way
//	SWITCH bond at NODE        where the switch believes the bond's MAC address to be
//	H bond                     the host's neighbour entry is right
//
// where N may be "some".
func (s *script) expect(args []string) string {
	r := s.rig
	var snap arpmon.Snapshot
	r.Mon.Engine().Snapshot(&snap)
	what, rest := args[0], args[1:]
	switch what {
	case "group":
		return s.same(snap.Group.String(), s.arg(rest, 0))
	case "target":
		addr := s.host(s.arg(rest, 0)).Addr
		for _, t := range snap.Targets {
			if t.Target.Addr == addr {
				return s.same(map[bool]string{true: "down", false: "up"}[t.Down], s.arg(rest, 1))
			}
		}
		return "no such target"
	case "stalls":
		return s.count(snap.Stats.Stalls, s.arg(rest, 0))
	case "pruned":
		return s.count(s.pruned.Count, s.arg(rest, 0))
	case "delivered":
		if got := r.Mon.Bond.Data - s.data; got+1 < s.sent || s.sent == 0 {
			return fmt.Sprintf("%d of %d frames arrived", got, s.sent)
		}
		return ""
	case "pair":
		p := s.pair(&snap, s.arg(rest, 0))
		n, ok := map[string]uint64{
			"sent": p.Sent, "replied": p.Replied, "missed": p.Missed,
			"late": uint64(p.Late), "duplicate": uint64(p.Duplicate), "conflict": uint64(p.Conflict),
		}[s.arg(rest, 1)]
		if !ok {
			return "no such counter"
		}
		return s.count(n, s.arg(rest, 2))
	}
	if strings.Contains(what, "/") {
		p := s.pair(&snap, what)
		return s.state(p.State.String(), p.Reason, rest)
	}
	switch n := s.node(what).(type) {
	case *arpmontest.Slave:
		return s.expectSlave(n, snap.Slave(n.ID()), rest)
	case *arpmontest.Switch:
		at := n.Lookup(r.Mon.Bond.MAC, 0)
		if want := s.link(what, s.arg(rest, 2)); at != want {
			return fmt.Sprintf("it is at %v", at)
		}
		return ""
	case *arpmontest.Host:
		if got := n.Neighbour(r.Mon.Bond.Addr); got != r.Mon.Bond.MAC {
			return fmt.Sprintf("it is %v", got)
		}
		return ""
	}
	return "cannot expect that"
}

func (s *script) expectSlave(n *arpmontest.Slave, st *arpmon.SlaveStatus, rest []string) string {
	from := s.from[n]
	switch s.arg(rest, 0) {
	case "transitions":
		return s.count(uint64(st.Transitions-from.transitions), s.arg(rest, 1))
	case "sent":
		return s.count(st.Sent-from.sent, s.arg(rest, 1))
	case "last-error":
		if st.LastErr == nil || st.NotSent == 0 {
			return "there is none"
		}
		return ""
	case "frames":
		var v arpmon.Verdict
		if err := v.UnmarshalText([]byte(s.arg(rest, 1))); err != nil {
			return err.Error()
		}
		return s.count(st.Frames[v], s.arg(rest, 2))
	}
	return s.state(st.State.String(), st.Reason, rest)
}

func (s *script) state(state string, reason arpmon.Reason, rest []string) string {
	have, want := state, s.arg(rest, 0)
	if len(rest) > 1 {
		have, want = have+" "+reason.String(), want+" "+rest[1]
	}
	return s.same(have, want)
}

func (s *script) same(have, want string) string {
	if have != want {
		return "it is " + have
	}
	return ""
}

func (s *script) count(have uint64, want string) string {
	if want == "some" && have > 0 || want == strconv.FormatUint(have, 10) {
		return ""
	}
	return fmt.Sprintf("it is %d", have)
}

// pair returns the pair of "e1/A".
func (s *script) pair(snap *arpmon.Snapshot, name string) *arpmon.PairStatus {
	slave, target, _ := strings.Cut(name, "/")
	p := snap.Slave(s.slave(slave).ID()).Pair(arpmon.IPv4(s.host(target).Addr))
	if p == nil {
		s.fatal("no pair %q", name)
	}
	return p
}

func (s *script) arg(args []string, i int) string {
	if i >= len(args) {
		s.fatal("a word is missing")
	}
	return args[i]
}

func (s *script) duration(word string) time.Duration {
	d, err := time.ParseDuration(word)
	if err != nil {
		s.fatal("%v", err)
	}
	return d
}

func (s *script) number(word string) float64 {
	n, err := strconv.ParseFloat(word, 64)
	if err != nil {
		s.fatal("%v", err)
	}
	return n
}

func (s *script) node(name string) arpmontest.Node {
	n := s.rig.Node(name)
	if n == nil {
		s.fatal("no node %q", name)
	}
	return n
}

func (s *script) slave(name string) *arpmontest.Slave {
	n, ok := s.node(name).(*arpmontest.Slave)
	if !ok {
		s.fatal("%q is no slave", name)
	}
	return n
}

func (s *script) host(name string) *arpmontest.Host {
	n, ok := s.node(name).(*arpmontest.Host)
	if !ok {
		s.fatal("%q is no host", name)
	}
	return n
}

// link returns the cable between two nodes.
func (s *script) link(a, b string) *arpmontest.Link {
	l := s.rig.Between(s.node(a), s.node(b))
	if l == nil {
		s.fatal("no cable from %s to %s", a, b)
	}
	return l
}

// wires calls fn with both directions of "e1-sw1", or one of "e1>sw1".
func (s *script) wires(name string, fn func(w *arpmontest.Wire)) {
	if a, b, ok := strings.Cut(name, ">"); ok {
		fn(s.link(a, b).From(s.node(a)))
		return
	}
	a, b, _ := strings.Cut(name, "-")
	s.link(a, b).Each(fn)
}
