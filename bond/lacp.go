// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"fmt"
	"strconv"
	"strings"
)

// LACPRate is how often the partner is asked to send LACPDUs, the option
// "lacp_rate". The zero value is the kernel's default.
type LACPRate uint8

// The rates, numbered as AD_LACP_ in <net/bonding.h>.
const (
	// LACPRateSlow: every 30 seconds.
	LACPRateSlow LACPRate = iota
	// LACPRateFast: every second.
	LACPRateFast
)

var lacpRateWords = []string{"slow", "fast"}

// String returns the kernel's word, such as "fast", or lacp_rate(N).
func (r LACPRate) String() string { return enumString("lacp_rate", lacpRateWords, r) }

// ParseLACPRate reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseLACPRate(s string) (LACPRate, error) {
	return enumParse[LACPRate]("lacp_rate", lacpRateWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (r LACPRate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseLACPRate].
func (r *LACPRate) UnmarshalText(text []byte) error { return enumUnmarshal(r, text, ParseLACPRate) }

// ADSelect says which aggregator of an 802.3ad bond is used, the option
// "ad_select". The zero value is the kernel's default.
type ADSelect uint8

// The policies, numbered as BOND_AD_ in <net/bond_3ad.h>.
const (
	// ADSelectStable: the one in use, as long as it has a working slave.
	ADSelectStable ADSelect = iota
	// ADSelectBandwidth: the one with the most bandwidth.
	ADSelectBandwidth
	// ADSelectCount: the one with the most slaves.
	ADSelectCount
	// ADSelectActorPortPrio: the one with the highest actor_port_prio (since 6.18).
	ADSelectActorPortPrio
)

var adSelectWords = []string{"stable", "bandwidth", "count", "actor_port_prio"}

// String returns the kernel's word, such as "bandwidth", or ad_select(N).
func (a ADSelect) String() string { return enumString("ad_select", adSelectWords, a) }

// ParseADSelect reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseADSelect(s string) (ADSelect, error) {
	return enumParse[ADSelect]("ad_select", adSelectWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (a ADSelect) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseADSelect].
func (a *ADSelect) UnmarshalText(text []byte) error { return enumUnmarshal(a, text, ParseADSelect) }

// ChurnState is the state of an 802.3ad churn machine, as the kernel counts and
// IEEE 802.1AX-2008, 5.4.17, describes it. The zero value is the first state.
type ChurnState uint8

// The states, numbered as the kernel's churn_state_t.
const (
	// ChurnMonitor: the port is being watched, and not yet in sync.
	ChurnMonitor ChurnState = iota
	// ChurnChurned: it did not get in sync in time.
	ChurnChurned
	// ChurnNone: it is in sync.
	ChurnNone
)

var churnStateWords = []string{"monitoring", "churned", "none"}

// String returns the kernel's word, such as "churned", or churn(N).
func (c ChurnState) String() string { return enumString("churn", churnStateWords, c) }

// ParseChurnState reads the kernel's word, its number, or what String returns. The
// error matches [ErrBadValue].
func ParseChurnState(s string) (ChurnState, error) {
	return enumParse[ChurnState]("churn", churnStateWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (c ChurnState) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseChurnState].
func (c *ChurnState) UnmarshalText(text []byte) error { return enumUnmarshal(c, text, ParseChurnState) }

// PortState has the bits of an LACP port state, IEEE 802.1AX-2008, 5.4.2.2. The
// kernel tells that of the partner in 16 bits, of which it uses 8.
type PortState uint16

// The bits of a PortState.
const (
	PortActivity     PortState = 1 << iota // sends LACPDUs by itself (lacp_active)
	PortShortTimeout                       // wants LACPDUs every second (lacp_rate fast)
	PortAggregation                        // may be aggregated
	PortSync                               // is in the right aggregator
	PortCollecting                         // accepts frames
	PortDistributing                       // sends frames
	PortDefaulted                          // has no partner's LACPDU, and uses defaults
	PortExpired                            // has had no LACPDU for too long
)

var portStateWords = []string{
	"activity", "timeout", "aggregation", "sync", "collecting", "distributing", "defaulted", "expired",
}

// String returns the names of the bits with commas between them, such as
// "activity,aggregation,sync,collecting,distributing", a number for bits without
// a name, and "none" for no bit.
func (s PortState) String() string {
	if s == 0 {
		return "none"
	}
	var words []string
	for i, w := range portStateWords {
		if s&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	if rest := s >> len(portStateWords) << len(portStateWords); rest != 0 {
		words = append(words, fmt.Sprintf("%#x", uint16(rest)))
	}
	return strings.Join(words, ",")
}

// MarshalText implements [encoding.TextMarshaler].
func (s PortState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It reads what String
// returns, or a number.
func (s *PortState) UnmarshalText(text []byte) error {
	var v PortState
words:
	for word := range strings.SplitSeq(string(text), ",") {
		for i, w := range portStateWords {
			if word == w {
				v |= 1 << i
				continue words
			}
		}
		if string(text) == "none" {
			break
		}
		n, err := strconv.ParseUint(word, 0, 16)
		if err != nil {
			return &Error{
				Op: "parse port state", Value: string(text), Err: ErrBadValue,
				Hint: "some of " + strings.Join(portStateWords, ",") + ", or a number",
			}
		}
		v |= PortState(n)
	}
	*s = v
	return nil
}
