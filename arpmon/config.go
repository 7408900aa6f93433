// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"strconv"
	"time"
)

// Limits and constants of the engine.
const (
	// DefaultInterval is the Interval where none is set and the targets fit
	// into it. Two probes a second find a dead path in under two seconds and
	// stay below every rate at which switches act.
	DefaultInterval = 500 * time.Millisecond
	// MinInterval is the smallest Interval. Below it, the scheduling noise of
	// an ordinary kernel is as large as the waiting times.
	MinInterval = 10 * time.Millisecond
	// MaxInterval is the largest Interval. A path asked less than once a
	// minute is not monitored, and switches forget the probe's address.
	MaxInterval = time.Minute
	// DefaultDownAfter is the DownAfter where none is set: one lost frame is
	// ordinary, two in a row happen, three in a row mean something.
	DefaultDownAfter = 3
	// DefaultUpAfter is the UpAfter where none is set. It is larger than
	// DownAfter, so that a path that comes and goes stays down.
	DefaultUpAfter = 5
	// DefaultMaxPPS is the MaxPPS where none is set. Switches with dynamic ARP
	// inspection shut an untrusted port at 15 ARP packets a second by default.
	DefaultMaxPPS = 10
	// DefaultMaxSlaves is the MaxSlaves where none is set.
	DefaultMaxSlaves = 8
	// DefaultMaxTargets is the MaxTargets where none is set and fewer targets
	// are given. The kernel's own monitor takes 16.
	DefaultMaxTargets = 16
	// DefaultEvents is the number of events kept where Events is not set.
	DefaultEvents = 256
	// BroadcastEvery is the longest time for which probes of a pair go to the
	// learned address only. A broadcast now and then finds a second owner of
	// the target's address, and teaches switches where the prober is.
	BroadcastEvery = time.Minute
	// PortLossWindow is the time after a slave's first probe in which a loss of
	// carrier is blamed on the probe. Port security and 802.1X act within
	// a second or two; ten leaves room for slow control planes.
	PortLossWindow = 10 * time.Second

	limitSlaves  = 1 << 15
	limitTargets = 256
)

// Config says what an [Engine] does and how much memory it may use. The zero
// value is valid: an engine with all defaults and no target yet.
type Config struct {
	// Targets are the addresses every slave asks for. More can be given later
	// with [Engine.SetTargets].
	Targets []Target
	// Policy says how many of its targets a slave must reach. The zero value
	// is [PolicyAny].
	Policy Policy

	// Interval is the longest time between two probes of one pair of slave and
	// target. The gaps are uniform in 0.75 to 1.0 Intervals, so that hosts do
	// not fall into step. Zero picks the smallest value that fits MaxPPS, and
	// at least DefaultInterval. An Interval that does not fit is an error that
	// names the smallest that does; the engine never stretches it.
	Interval time.Duration
	// Timeout is how long an answer is waited for, at most 0.75 Intervals so
	// that at most one probe of a pair is outstanding. Zero means that most.
	Timeout time.Duration
	// DownAfter is how many probes in a row must be missed before a pair is
	// Unreachable. Zero means DefaultDownAfter. With 1, every lost frame takes a
	// path down, and a target's failure cannot always be told from a slave's
	// within the bound.
	DownAfter int
	// UpAfter is how many in a row must be answered before an Unreachable pair
	// is Reachable. Zero means DefaultUpAfter.
	UpAfter int
	// MaxPPS is how many probes a second may leave one slave, on average. Zero
	// means DefaultMaxPPS. In no second more than 1.1 MaxPPS + 3 leave, also
	// when a late caller catches up.
	MaxPPS float64

	// MaxSlaves is how many slaves there may be at a time. Zero means
	// DefaultMaxSlaves.
	MaxSlaves int
	// MaxTargets is how many targets there may be at a time. Zero means
	// DefaultMaxTargets, or the number of Targets if that is more. Memory is
	// taken for the next power of two.
	MaxTargets int
	// Events is how many events are kept for readers, rounded up to a power of
	// two. Zero means DefaultEvents.
	Events int

	// NoCanary starts all slaves at once. By default the first probes leave on
	// one backup slave, and the others follow at its first answer or after one
	// bound; and a slave that loses carrier within PortLossWindow of its first
	// probe stops all probing until [Engine.Resume], because switches with port
	// security shut a port that shows a second address. Set NoCanary where the
	// switches are known to accept one.
	NoCanary bool
	// Seed varies the gaps between probes. Hosts should have different ones;
	// the same seed and calls give the same probes.
	Seed uint64
}

// Bound returns the longest time from a fault to the verdict Down, for a caller
// that is never late: DownAfter x Interval + Timeout, 1875 ms by default. Where
// two faults overlap it counts from the later one. It is zero for a Config
// that [Config.Validate] refuses.
func (c Config) Bound() time.Duration {
	if c.resolve() != nil {
		return 0
	}
	return time.Duration(c.DownAfter)*c.Interval + c.Timeout
}

// Recovery returns the longest time from the end of a fault to the verdict Up:
// UpAfter x Interval + Timeout. It is zero for a Config that
// [Config.Validate] refuses.
func (c Config) Recovery() time.Duration {
	if c.resolve() != nil {
		return 0
	}
	return time.Duration(c.UpAfter)*c.Interval + c.Timeout
}

// Validate says whether the configuration can be used. The error is an
// [*Error] and matches the cause: ErrInterval, ErrPacketBudget, ErrTooMany,
// ErrBadTarget, ErrUnsupportedTarget, ErrDuplicate or ErrPolicy.
func (c Config) Validate() error { return c.resolve() }

// Resolved returns the configuration with every default filled in, as an engine
// uses it, or the error of [Config.Validate].
func (c Config) Resolved() (Config, error) {
	err := c.resolve()
	return c, err
}

// resolve fills in the defaults and checks everything.
func (c *Config) resolve() error {
	if err := checkTargets(c.Targets); err != nil {
		return err
	}
	def(&c.MaxSlaves, DefaultMaxSlaves)
	def(&c.MaxTargets, max(DefaultMaxTargets, len(c.Targets)))
	def(&c.Events, DefaultEvents)
	def(&c.DownAfter, DefaultDownAfter)
	def(&c.UpAfter, DefaultUpAfter)
	if c.MaxPPS == 0 {
		c.MaxPPS = DefaultMaxPPS
	}
	for _, f := range []struct {
		name   string
		v, max int
	}{
		{"MaxSlaves", c.MaxSlaves, limitSlaves},
		{"MaxTargets", c.MaxTargets, limitTargets},
		{"Events", c.Events, 1 << 20},
		{"DownAfter", c.DownAfter, 1000},
		{"UpAfter", c.UpAfter, 1000},
	} {
		if f.v < 1 || f.v > f.max {
			return &Error{Op: "config", Field: f.name, Value: strconv.Itoa(f.v), Err: ErrInterval, Hint: "1 to " + strconv.Itoa(f.max)}
		}
	}
	if !(c.MaxPPS >= 0.01 && c.MaxPPS <= 1e6) {
		return &Error{Op: "config", Field: "MaxPPS", Value: strconv.FormatFloat(c.MaxPPS, 'g', -1, 64), Err: ErrInterval, Hint: "0.01 to 1e6"}
	}
	if len(c.Targets) > c.MaxTargets {
		return &Error{Op: "config", Field: "Targets", Value: strconv.Itoa(len(c.Targets)), Err: ErrTooMany, Hint: "raise MaxTargets"}
	}
	if err := c.checkBudget("config", len(c.Targets)); err != nil {
		return err
	}
	switch most := c.Interval / 4 * 3; {
	case c.Timeout == 0:
		c.Timeout = most
	case c.Timeout < time.Millisecond, c.Timeout > most:
		return &Error{Op: "config", Field: "Timeout", Value: c.Timeout.String(), Err: ErrInterval, Hint: "1ms to 0.75 x Interval = " + most.String()}
	}
	return c.checkPolicy("config", len(c.Targets))
}

// checkBudget picks the interval or checks the given one against MaxPPS.
func (c *Config) checkBudget(op string, targets int) error {
	least := leastInterval(targets, c.MaxPPS)
	switch {
	case c.Interval == 0:
		c.Interval = max(DefaultInterval, least)
		if c.Interval > MaxInterval {
			return &Error{Op: op, Field: "MaxPPS", Value: strconv.FormatFloat(c.MaxPPS, 'g', -1, 64), Err: ErrPacketBudget, Hint: "too low for the number of targets"}
		}
	case c.Interval < MinInterval || c.Interval > MaxInterval:
		return &Error{Op: op, Field: "Interval", Value: c.Interval.String(), Err: ErrInterval, Hint: MinInterval.String() + " to " + MaxInterval.String()}
	case c.Interval < least:
		return &Error{
			Op: op, Field: "Interval", Value: c.Interval.String(), Err: ErrPacketBudget,
			Hint: "the smallest that fits " + strconv.Itoa(targets) + " targets is " + least.String() + ", or raise MaxPPS",
		}
	}
	return nil
}

func (c *Config) checkPolicy(op string, targets int) error {
	n := int(c.Policy)
	switch {
	case c.Policy == PolicyAll:
		return nil
	case n < 0:
		return &Error{Op: op, Field: "Policy", Value: c.Policy.String(), Err: ErrPolicy}
	case n > 1 && targets > 0 && n > targets:
		return &Error{Op: op, Field: "Policy", Value: c.Policy.String(), Err: ErrPolicy, Hint: "there are " + strconv.Itoa(targets) + " targets"}
	}
	return nil
}

// leastInterval returns the smallest interval, in whole milliseconds, at which
// the targets fit: the mean gap is 0.875 intervals.
func leastInterval(targets int, pps float64) time.Duration {
	ms := float64(targets) / (0.875 * pps) * 1000
	d := time.Duration(ms) * time.Millisecond
	if float64(d.Milliseconds()) < ms {
		d += time.Millisecond
	}
	return d
}

func checkTargets(targets []Target) error {
	for i, t := range targets {
		err := t.check()
		if err == nil {
			t.Addr = t.Addr.Unmap()
			for _, u := range targets[:i] {
				if u.Addr.Unmap() == t.Addr && u.VLANs == t.VLANs {
					err = ErrDuplicate
				}
			}
		}
		if err != nil {
			return &Error{Op: "config", Field: "target", Value: t.String(), Err: err}
		}
	}
	return nil
}

// def sets a zero *v to d.
func def(v *int, d int) {
	if *v == 0 {
		*v = d
	}
}
