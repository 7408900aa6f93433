// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"github.com/bondkit/bondkit/arpmon"
)

// enoughLooks is how often the tables must have been looked at, for a scenario
// that says they did not change: after the probes before the failover, and after
// those after it.
const enoughLooks = 2

// noTransitions wants slaves to have been reachable all the time, by the Monitor's
// own count.
func noTransitions(names ...string) check {
	return func(j *judging) {
		for _, name := range names {
			n := j.rec.last.slave(name).Transitions - j.rec.healthy.slave(name).Transitions
			if n != 0 {
				j.wrong("%s had %d transitions, want 0", name, n)
				continue
			}
			j.note("%s: 0 transitions", name)
		}
	}
}

// noTargetDown wants no target to have been blamed.
func noTargetDown(j *judging) {
	for _, e := range j.rec.events {
		if e.Kind == arpmon.EventTargetDown && e.At <= j.rec.end {
			j.wrong("the target %s was blamed %v after the fault", j.rec.target(e.Target), ms(j.since(e.At)))
			return
		}
	}
	for _, t := range j.rec.last.Targets {
		if t.Down {
			j.wrong("the target %s is blamed in the end", j.rec.target(t.Target))
			return
		}
	}
	j.note("no target is blamed")
}

// targetDown wants one target to be blamed, within the bound and for good, and no
// other.
func targetDown(name string) check {
	return func(j *judging) {
		found := false
		for _, e := range j.rec.events {
			if e.At > j.rec.end || e.Kind != arpmon.EventTargetDown && e.Kind != arpmon.EventTargetUp {
				continue
			}
			at := max(j.since(e.At), 0)
			limit := j.limit(e.At)
			switch who := j.rec.target(e.Target); {
			case e.Kind == arpmon.EventTargetUp:
				j.wrong("the target %s came back %v after the fault", who, ms(at))
			case who != name:
				j.wrong("the target %s was blamed %v after the fault", who, ms(at))
			case e.At < j.rec.begun:
				j.wrong("the target %s was blamed before the fault", who)
			case at > limit:
				j.wrong("the target %s was blamed after %v, want at most %v", who, ms(at), ms(limit))
				found = true
			default:
				j.note("target %s down after %v", who, ms(at))
				found = true
			}
		}
		for _, t := range j.rec.last.Targets {
			if is := j.rec.target(t.Target) == name; t.Down != is {
				j.wrong("the target %s counts as down: %v in the end, want %v", j.rec.target(t.Target), t.Down, is)
			}
		}
		if !found {
			j.wrong("the target %s was not blamed", name)
		}
	}
}

// reasonIs wants a slave to be in its state for a reason.
func reasonIs(name string, want arpmon.Reason) check {
	return func(j *judging) {
		if v := j.rec.last.slave(name); v.Reason != want {
			j.wrong("%s is %s because of %s, want %s", name, v.State, v.Reason, want)
		}
	}
}

// counted returns how many frames of a slave were counted under a reason since the
// pass began.
func (j *judging) counted(name string, v arpmon.Verdict) uint64 {
	return j.rec.last.slave(name).Frames[v] - j.rec.healthy.slave(name).Frames[v]
}

// requestsCounted wants the requests of the target to be counted as what they are,
// on both slaves.
func requestsCounted(j *judging) {
	asked := j.ev.packets["target-asks A"]
	for _, name := range slaveNames {
		// Those that the generator sent around the two moments of counting
		// may be missing.
		n := j.counted(name, arpmon.RejectOpcode)
		if asked == 0 || n < asked/2 {
			j.wrong("%s counted %d requests of %d as %v", name, n, asked, arpmon.RejectOpcode)
			continue
		}
		j.note("%s: %d requests counted as %v", name, n, arpmon.RejectOpcode)
	}
}

// faultCounted wants a fault to have met frames.
func faultCounted(text string) check {
	return func(j *judging) {
		n := j.ev.packets[text]
		if n == 0 {
			j.wrong("%q dropped no frame, so nothing was shown", text)
			return
		}
		j.note("%q dropped %d frames", text, n)
	}
}

// forgedCounted wants every forged frame to be counted once, under its own reason,
// and nothing else to be counted.
func forgedCounted(j *judging) {
	var sum uint64
	dropped := j.rec.last.Drops - j.rec.healthy.Drops
	for v := arpmon.RejectNoLink; v < arpmon.Verdicts; v++ {
		want, got := j.ev.forged[v], j.counted("e1", v)
		sum += got
		if got > want || got+dropped < want || want > 0 && got == 0 {
			j.wrong("e1 counted %d frames as %v, and %d were forged", got, v, want)
		}
	}
	if len(j.ev.forged) == 0 {
		j.wrong("nothing was forged")
		return
	}
	j.note("%d forged frames counted: %s", sum, listVerdicts(j.ev.forged))
}

// tablesUnchanged wants enough probes on the backup, and no table to have changed
// by them.
func tablesUnchanged(j *judging) {
	for i, when := range []string{"before", "after"} {
		if j.ev.probes[i] < probesEach {
			j.wrong("only %d probes left on the backup %s the failover, want %d", j.ev.probes[i], when, probesEach)
		}
	}
	if j.ev.looks < enoughLooks {
		j.wrong("the tables were looked at %d times only, want at least %d", j.ev.looks, enoughLooks)
	}
	for _, s := range j.ev.moved {
		j.wrong("%s", s)
	}
	if len(j.ev.moved) == 0 {
		j.note("%d and %d probes on the backup, tables unchanged in %d looks", j.ev.probes[0], j.ev.probes[1], j.ev.looks)
	}
}

// nothingLost wants the traffic to have arrived.
func nothingLost(j *judging) {
	switch {
	case j.ev.sent == 0:
		j.wrong("there was no traffic")
	case j.ev.lost > 0:
		j.wrong("%d of %d packets of the traffic were lost", j.ev.lost, j.ev.sent)
	default:
		j.note("%d packets of traffic, none lost", j.ev.sent)
	}
}

// stallsSeen wants the Monitor to have been stopped, and to have noticed.
func stallsSeen(j *judging) {
	n := j.rec.last.Stalls - j.rec.healthy.Stalls
	switch {
	case j.ev.stopped < stopTime:
		j.wrong("the monitor was stopped for %v, want %v", ms(j.ev.stopped), stopTime)
	case n == 0:
		j.wrong("the monitor did not notice that it was stopped for %v", ms(j.ev.stopped))
	default:
		j.note("stopped for %v, %d stalls seen", ms(j.ev.stopped), n)
	}
}
