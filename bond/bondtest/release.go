// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"math"
	"slices"

	"github.com/bondkit/bondkit/bond"
)

// Release is the kernel that a [Kernel] plays. The options it knows are those of the kernel that
// Debian ships, which has some of later ones.
type Release string

// The releases.
const (
	Release510 Release = "5.10"
	Release61  Release = "6.1"
	Release612 Release = "6.12"
	Release72  Release = "7.2"
)

// Releases returns all releases, the oldest first.
func Releases() []Release { return []Release{Release510, Release61, Release612, Release72} }

// missing are the options that a release does not know.
func (r Release) missing() []bond.Option {
	switch r {
	case Release510:
		return []bond.Option{
			bond.OptionLACPActive, bond.OptionMissedMax, bond.OptionNSTargets, bond.OptionCoupledControl,
			bond.OptionBroadcastNeighbor, bond.OptionLACPStrict, bond.OptionPrio, bond.OptionActorPortPrio,
			bond.OptionActorChurn, bond.OptionPartnerChurn,
		}
	case Release61, Release612:
		return []bond.Option{bond.OptionBroadcastNeighbor, bond.OptionLACPStrict}
	case Release72:
	}
	return nil
}

// Supports reports whether the kernel knows the option, and so tells and takes it. Unknown
// attributes are ignored.
func (r Release) Supports(opt bond.Option) bool {
	return opt.Info().Name != "" && !slices.Contains(r.missing(), opt)
}

// HasMessages reports whether the kernel explains in words why it refuses an option of a
// bond, and says which (extended acknowledgement).
func (r Release) HasMessages() bool { return r != Release510 }

// bounds returns the range of an option that is a number. The newest kernel has
// that of the table.
func (r Release) bounds(info *bond.OptionInfo) (lo, hi int64) {
	lo, hi = info.Min, info.Max
	switch {
	case info.Option == bond.OptionADSelect && r != Release72:
		hi = 2
	case info.Option == bond.OptionXmitHashPolicy && r == Release510:
		hi = 4
	case info.Option == bond.OptionPeerNotifDelay && r == Release510:
		hi = math.MaxInt32
	}
	return lo, hi
}

// older reports whether r is older than other.
func (r Release) older(other Release) bool {
	return slices.Index(Releases(), r) < slices.Index(Releases(), other)
}

// policyBoundsDelay reports whether the range of peer_notif_delay is checked with the
// sizes of the attributes.
func (r Release) policyBoundsDelay() bool { return r != Release510 }
