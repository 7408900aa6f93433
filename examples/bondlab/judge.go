// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// evidence is what a scenario found out beside what the Monitor said.
type evidence struct {
	// packets is what the faults have dropped or sent, by their text.
	packets map[string]uint64
	// forged is how many frames were forged, by the reason they must be
	// counted under.
	forged map[arpmon.Verdict]uint64
	// moved describes every change of a switch's or target's table that only
	// the probes can have caused.
	moved []string
	// looks is how often the tables were looked at.
	looks int
	// probes is how many probes left on the backup before and after the
	// failover.
	probes [2]uint64
	// sent and lost are packets of the traffic; lost leaves out the second of
	// the failover.
	sent, lost int
	// stopped is for how long the Monitor's process was stopped.
	stopped time.Duration
}

// limits are the times that the judge goes by.
type limits struct {
	bound time.Duration // of the Monitor's configuration
	slack time.Duration // what the machine may add to it
}

// passed is the verdict of one pass, and what the judge says of it.
type passed struct {
	slaves   [2]string // state of the Monitor in the end
	group    string
	detect   [2]*time.Duration // from the fault to Down, where the truth is down
	problems []string          // why it is wrong; empty means right
	notes    []string
}

// judging is all that a check may look at.
type judging struct {
	sc  *scenario
	rec *record
	ev  *evidence
	lim limits
	res *passed
}

// check looks at one thing that must be so beside the verdicts.
type check func(j *judging)

func (j *judging) wrong(format string, args ...any) {
	j.res.problems = append(j.res.problems, fmt.Sprintf(format, args...))
}

func (j *judging) note(format string, args ...any) {
	j.res.notes = append(j.res.notes, fmt.Sprintf(format, args...))
}

// judge compares one pass with the truth.
func judge(sc *scenario, rec *record, ev *evidence, lim limits) *passed {
	j := &judging{sc: sc, rec: rec, ev: ev, lim: lim, res: new(passed)}
	if stalled := rec.last.Stalled - rec.healthy.Stalled; stalled > 0 {
		j.note("the monitor came %v late", ms(stalled))
	}
	if rec.eventsLost > 0 {
		j.wrong("%d events were lost", rec.eventsLost)
	}
	if rec.last.KernelOn {
		j.wrong("the kernel's own monitor was on")
	}
	for i := range slaveNames {
		j.slave(i)
	}
	j.groupVerdict()
	for _, c := range sc.checks {
		c(j)
	}
	return j.res
}

// change is one value of a state that changes, from the time at on.
type change struct {
	at     int64
	state  string
	reason arpmon.Reason
	good   bool // counts as the truth "up" or "ok"
}

// slaveChanges returns the states of a slave, the healthy one first.
func (r *record) slaveChanges(name string) []change {
	v := r.healthy.slave(name)
	all := []change{{r.healthy.Mono, v.State.String(), v.Reason, v.State.Reachable()}}
	for _, e := range r.events {
		if e.Kind == arpmon.EventSlave && e.Slave == v.ID && e.At <= r.end {
			_, to := e.SlaveStates()
			all = append(all, change{e.At, to.String(), e.Reason, to.Reachable()})
		}
	}
	return all
}

// groupChanges returns the states of the group, the healthy one first.
func (r *record) groupChanges() []change {
	all := []change{{r.healthy.Mono, r.healthy.Group.String(), 0, r.healthy.Group == arpmon.GroupOK}}
	for _, e := range r.events {
		if e.Kind == arpmon.EventGroup && e.At <= r.end {
			_, to := e.GroupStates()
			all = append(all, change{e.At, to.String(), 0, to == arpmon.GroupOK})
		}
	}
	return all
}

// since says when something was, from the fault on.
func (j *judging) since(at int64) time.Duration { return time.Duration(at - j.rec.fault) }

// limit returns the longest time from the fault to what was found at a time: the
// bound, and the time before in which the machine did not let the Monitor run.
func (j *judging) limit(at int64) time.Duration {
	limit := j.lim.bound + j.lim.slack
	for _, e := range j.rec.events {
		if e.Kind == arpmon.EventStall && e.At > j.rec.fault && e.At <= at {
			limit += e.Late
		}
	}
	return limit
}

// slave judges slave number i.
func (j *judging) slave(i int) {
	name, truth := slaveNames[i], j.sc.truth[i]
	all := j.rec.slaveChanges(name)
	last := all[len(all)-1]
	j.res.slaves[i] = last.state
	if all[0].state != up {
		j.wrong("%s was %s before the fault", name, all[0].state)
		return
	}
	if truth == up {
		for _, c := range all {
			if !c.good {
				j.wrong("%s became %s (%s) %v after the fault, and is up in truth", name, c.state, c.reason, ms(j.since(c.at)))
				return
			}
		}
		if last.state != up {
			j.wrong("%s is %s (%s) in the end, and up in truth", name, last.state, last.reason)
		}
		if watched := j.since(j.rec.end); watched < 3*j.lim.bound {
			j.wrong("%s was watched for %v only, want 3 bounds", name, ms(watched))
		}
		return
	}
	at, ok := j.became(name, all, down)
	if ok {
		j.res.detect[i] = new(at)
		j.note("%s down after %v (%s)", name, ms(at), last.reason)
	}
}

// became finds when a state became bad for good, and complains if that was too
// early, too late, not for good, or never. The word is the bad state.
func (j *judging) became(name string, all []change, bad string) (time.Duration, bool) {
	i := slices.IndexFunc(all, func(c change) bool { return c.state == bad })
	if i < 0 {
		c := all[len(all)-1]
		j.wrong("%s is %s %v after the fault, and %s in truth", name, c.state, ms(j.since(j.rec.end)), bad)
		return 0, false
	}
	at := max(j.since(all[i].at), 0)
	switch limit := j.limit(all[i].at); {
	case all[i].at < j.rec.begun:
		j.wrong("%s became %s %v before the fault", name, bad, ms(time.Duration(j.rec.begun-all[i].at)))
	case at > limit:
		j.wrong("%s became %s after %v, want at most %v", name, bad, ms(at), ms(limit))
	}
	for _, c := range all[:i] {
		if !c.good {
			j.wrong("%s was %s before it became %s", name, c.state, bad)
		}
	}
	for _, c := range all[i:] {
		if c.state != bad {
			j.wrong("%s became %s again, %v after it became %s", name, c.state, ms(time.Duration(c.at-all[i].at)), bad)
			break
		}
	}
	if watched := time.Duration(j.rec.end - all[i].at); watched < 2*j.lim.bound {
		j.wrong("%s was watched for %v only after it became %s, want 2 bounds", name, ms(watched), bad)
	}
	return at, true
}

// groupVerdict judges the group.
func (j *judging) groupVerdict() {
	all := j.rec.groupChanges()
	j.res.group = all[len(all)-1].state
	if all[0].state != groupOK {
		j.wrong("the group was %s before the fault", all[0].state)
		return
	}
	if j.sc.group != groupOK {
		j.became("the group", all, j.sc.group)
		return
	}
	for _, c := range all {
		if !c.good {
			j.wrong("the group became %s %v after the fault, and is ok in truth", c.state, ms(j.since(c.at)))
			return
		}
	}
}

// merge makes one result of the passes of a scenario. What is wrong in any pass
// is wrong in all.
func (p *passed) merge(o *passed, label string) {
	for _, s := range o.problems {
		p.problems = append(p.problems, label+": "+s)
	}
	for _, s := range o.notes {
		p.notes = append(p.notes, label+": "+s)
	}
	if len(o.problems) == 0 {
		return
	}
	p.slaves, p.group, p.detect = o.slaves, o.group, o.detect
}

// ms prints a time as whole milliseconds.
func ms(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}

// listVerdicts prints counters with the names of what they count.
func listVerdicts(n map[arpmon.Verdict]uint64) string {
	var parts []string
	for v := range arpmon.Verdict(arpmon.Verdicts) {
		if n[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %v", n[v], v))
		}
	}
	return strings.Join(parts, ", ")
}
