// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"fmt"
	"strconv"
	"strings"
)

// PairState is what is known of one target through one slave.
type PairState uint8

// The states of a pair. The zero value is PairUnknown.
const (
	// PairUnknown: no answer yet, and no reason to expect one.
	PairUnknown PairState = iota
	// PairReachable: the target answers.
	PairReachable
	// PairSuspect: it answered before, and now at least one probe was missed;
	// or enough were missed and it is not yet known whether the slave or the
	// target is to blame.
	PairSuspect
	// PairUnreachable: DownAfter probes in a row were missed.
	PairUnreachable
)

// SlaveState is the verdict on a slave.
type SlaveState uint8

// The states of a slave. The zero value is SlaveUnknown.
const (
	// SlaveUnknown: not enough answers and not enough misses to tell.
	SlaveUnknown SlaveState = iota
	// SlaveUp: as many targets as the policy asks for are Reachable.
	SlaveUp
	// SlaveSuspect: it would be up if the Suspect pairs were Reachable. It is
	// still to be used.
	SlaveSuspect
	// SlaveDown: too few targets can be reached, see the reason.
	SlaveDown
	// SlaveNoLink: no carrier, not administratively up, or not there.
	SlaveNoLink
)

// Reachable reports whether the slave is to be used: Up or Suspect.
func (s SlaveState) Reachable() bool { return s == SlaveUp || s == SlaveSuspect }

// GroupState is the verdict on all slaves together.
type GroupState uint8

// The states of the group. The zero value is GroupUnknown.
const (
	// GroupUnknown: no slave is up, and none is down either.
	GroupUnknown GroupState = iota
	// GroupOK: some slave is up or suspect.
	GroupOK
	// GroupFailure: no slave is up and at least one is down. The fault is not
	// one that choosing another slave can help; do not fail over.
	GroupFailure
)

// Reason says why a pair, a slave or the group is in its state.
type Reason uint8

// The reasons. The zero value is ReasonNone.
const (
	// ReasonNone: nothing to explain.
	ReasonNone Reason = iota
	// ReasonReplies: valid answers came.
	ReasonReplies
	// ReasonMissed: answers came before, and now probes are missed.
	ReasonMissed
	// ReasonNeverAnswered: probes leave and no answer ever came. Where no
	// other slave reached the target either, the state stays unknown: the
	// address may be wrong, the target may not answer probes with sender
	// 0.0.0.0, or something drops a second source address (SR-IOV without
	// trust, virtual switches, macvlan, port security).
	ReasonNeverAnswered
	// ReasonNoTransmit: there is carrier, and for a whole bound nothing could
	// be sent.
	ReasonNoTransmit
	// ReasonStarting: probing has begun, it is too early to tell.
	ReasonStarting
	// ReasonWaiting: the slave's turn has not come, because the first probes
	// leave on another slave.
	ReasonWaiting
	// ReasonNoTargets: there is nothing to probe.
	ReasonNoTargets
	// ReasonNoLink: the slave has no carrier or is not up.
	ReasonNoLink
	// ReasonProbeSuspectedOfPortLoss: a slave lost carrier shortly after its
	// first probe, and all probing stopped because a probe may have shut the
	// port. See Config.NoCanary and Engine.Resume.
	ReasonProbeSuspectedOfPortLoss
	// ReasonCommonLoss: enough probes were missed, and the same target is in
	// doubt on another slave too; it is not yet known which is to blame.
	ReasonCommonLoss
	// ReasonTargetDown: the target is unreachable on every slave, while other
	// targets are reachable; the slaves are not to blame.
	ReasonTargetDown
)

// Policy says how many of its targets a slave must reach to be up. The zero
// value is PolicyAny. Other values come from [PolicyAtLeast].
type Policy int16

const (
	// PolicyAny asks for one target.
	PolicyAny Policy = 0
	// PolicyAll asks for every target, except those that are down on every
	// slave.
	PolicyAll Policy = 1<<15 - 1
)

// PolicyAtLeast asks for n targets, or all that are left where targets that are
// down on every slave leave fewer. PolicyAtLeast(1) equals PolicyAny.
func PolicyAtLeast(n int) Policy {
	if n == 1 {
		return PolicyAny
	}
	if n < 1 || n >= int(PolicyAll) {
		return -1
	}
	return Policy(n)
}

// need returns how many of n targets must be reachable.
func (p Policy) need(n int) int { return min(max(int(p), 1), n) }

// String returns "any", "all" or "at-least-N".
func (p Policy) String() string {
	switch {
	case p == PolicyAny:
		return "any"
	case p == PolicyAll:
		return "all"
	case p < 0:
		return "policy(" + strconv.Itoa(int(p)) + ")"
	}
	return "at-least-" + strconv.Itoa(int(p))
}

// ParsePolicy is the reverse of [Policy.String].
func ParsePolicy(s string) (Policy, error) {
	switch s {
	case "any":
		return PolicyAny, nil
	case "all":
		return PolicyAll, nil
	}
	if d, ok := strings.CutPrefix(s, "at-least-"); ok {
		if n, err := strconv.Atoi(d); err == nil && PolicyAtLeast(n) >= 0 {
			return PolicyAtLeast(n), nil
		}
	}
	return 0, &Error{Op: "parse", Field: "policy", Value: strconv.Quote(s), Err: ErrPolicy, Hint: "any, all or at-least-N"}
}

// MarshalText implements [encoding.TextMarshaler].
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *Policy) UnmarshalText(b []byte) (err error) {
	v, err := ParsePolicy(string(b))
	if err == nil {
		*p = v
	}
	return err
}

var (
	pairStates  = []string{"unknown", "reachable", "suspect", "unreachable"}
	slaveStates = []string{"unknown", "up", "suspect", "down", "no-link"}
	groupStates = []string{"unknown", "ok", "group-failure"}
	reasons     = []string{
		"none", "replies", "missed", "never-answered", "no-transmit", "starting", "waiting", "no-targets",
		"no-link", "probe-suspected-of-port-loss", "common-loss", "target-down",
	}
)

// String returns "unknown", "reachable", "suspect" or "unreachable".
func (s PairState) String() string { return word(pairStates, uint8(s), "pair") }

// MarshalText implements [encoding.TextMarshaler].
func (s PairState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *PairState) UnmarshalText(b []byte) error { return number(pairStates, b, (*uint8)(s), "pair") }

// String returns "unknown", "up", "suspect", "down" or "no-link".
func (s SlaveState) String() string { return word(slaveStates, uint8(s), "slave") }

// MarshalText implements [encoding.TextMarshaler].
func (s SlaveState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *SlaveState) UnmarshalText(b []byte) error {
	return number(slaveStates, b, (*uint8)(s), "slave")
}

// String returns "unknown", "ok" or "group-failure".
func (s GroupState) String() string { return word(groupStates, uint8(s), "group") }

// MarshalText implements [encoding.TextMarshaler].
func (s GroupState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *GroupState) UnmarshalText(b []byte) error {
	return number(groupStates, b, (*uint8)(s), "group")
}

// String returns the reason in lower case with dashes, such as
// "never-answered".
func (r Reason) String() string { return word(reasons, uint8(r), "reason") }

// MarshalText implements [encoding.TextMarshaler].
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Reason) UnmarshalText(b []byte) error { return number(reasons, b, (*uint8)(r), "reason") }

// word returns the name of v, or kind(v) where it has none.
func word(names []string, v uint8, kind string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return kind + "(" + strconv.Itoa(int(v)) + ")"
}

// number is the reverse of word, numbers without a name included.
func number(names []string, b []byte, v *uint8, kind string) error {
	s := string(b)
	for i, n := range names {
		if n == s {
			*v = uint8(i)
			return nil
		}
	}
	if d, ok := strings.CutPrefix(s, kind+"("); ok {
		if d, ok = strings.CutSuffix(d, ")"); ok {
			if n, err := strconv.ParseUint(d, 10, 8); err == nil {
				*v = uint8(n)
				return nil
			}
		}
	}
	return fmt.Errorf("arpmon: parse %s: unknown word %q", kind, s)
}
