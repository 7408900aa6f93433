// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// labTargets returns the addresses of targets.
func labTargets(names ...string) []netip.Addr {
	var list []netip.Addr
	for _, name := range names {
		list = append(list, new(lab.Lab).Addr(name))
	}
	return list
}

// The times of all fabricated passes: a bound of 375 ms, the fault at 1 s.
const (
	testBound = 375 * time.Millisecond
	testSlack = 50 * time.Millisecond
	faultAt   = int64(time.Second)
)

var testLimits = limits{bound: testBound, slack: testSlack}

// after returns a time after the fault.
func after(d time.Duration) int64 { return faultAt + int64(d) }

// tale is a fabricated pass.
type tale struct {
	record
	evidence
}

// newTale returns a pass in which all is well and that lasts long enough.
func newTale(sc *scenario) *tale {
	t := new(tale)
	t.names = make(map[netip.Addr]string)
	s := sample{Mono: faultAt / 2, Wall: time.Unix(1, 0), Group: arpmon.GroupOK}
	for _, name := range sc.targetNames() {
		a := labTargets(name)[0]
		t.names[a] = name
		s.Targets = append(s.Targets, arpmon.TargetStatus{Target: arpmon.IPv4(a)})
	}
	for i, name := range slaveNames {
		s.Slaves = append(s.Slaves, slaveSample{
			Name: name, ID: arpmon.SlaveID(i + 1), State: arpmon.SlaveUp, Reason: arpmon.ReasonReplies, Transitions: 1,
		})
	}
	t.healthy = s
	t.begun, t.fault = after(-10*time.Millisecond), faultAt
	t.last = s
	t.last.Slaves = slices.Clone(s.Slaves)
	t.last.Targets = slices.Clone(s.Targets)
	t.end = after(4 * testBound)
	t.last.Mono = t.end
	return t
}

// slave has a slave change its state.
func (t *tale) slave(i int, to arpmon.SlaveState, r arpmon.Reason, at int64) {
	s := &t.last.Slaves[i]
	t.events = append(t.events, arpmon.Event{
		At: at, Kind: arpmon.EventSlave, Slave: s.ID, From: uint8(s.State), To: uint8(to), Reason: r,
	})
	if s.State.Reachable() != to.Reachable() {
		s.Transitions++
	}
	s.State, s.Reason = to, r
}

// group has the group change its state.
func (t *tale) group(to arpmon.GroupState, at int64) {
	t.events = append(t.events, arpmon.Event{At: at, Kind: arpmon.EventGroup, From: uint8(t.last.Group), To: uint8(to)})
	t.last.Group = to
}

// stall has the Monitor come late.
func (t *tale) stall(at int64, late time.Duration) {
	t.events = append(t.events, arpmon.Event{At: at, Kind: arpmon.EventStall, Late: late})
	t.last.Stalls++
	t.last.Stalled += late
}

// target has a target go down or come back.
func (t *tale) target(i int, down bool, at int64) {
	kind := arpmon.EventTargetUp
	if down {
		kind = arpmon.EventTargetDown
	}
	t.events = append(t.events, arpmon.Event{At: at, Kind: kind, Target: t.last.Targets[i].Target})
	t.last.Targets[i].Down = down
}

// told returns the pass that a scenario asks for, with all that it also asks for.
func told(sc *scenario) *tale {
	t := newTale(sc)
	for i, truth := range sc.truth {
		if truth == down {
			t.slave(i, arpmon.SlaveSuspect, arpmon.ReasonMissed, after(100*time.Millisecond))
			t.slave(i, arpmon.SlaveDown, arpmon.ReasonMissed, after(300*time.Millisecond))
		}
	}
	if sc.group != groupOK {
		t.group(arpmon.GroupFailure, after(300*time.Millisecond))
	}
	e1 := &t.last.Slaves[0]
	switch sc.name {
	case "active-tx-dead-target-asks":
		t.packets = map[string]uint64{"target-asks A": 20}
		e1.Frames[arpmon.RejectOpcode] = 19
		t.last.Slaves[1].Frames[arpmon.RejectOpcode] = 20
	case "transmit-stuck":
		e1.Reason = arpmon.ReasonNoTransmit
	case "source-pruning":
		t.packets = map[string]uint64{"prune e2": 3}
	case "one-target-of-two-dead":
		t.target(0, true, after(310*time.Millisecond))
	case "forged-replies":
		t.forged = addForged(nil, 30, 0)
		for v, n := range t.forged {
			e1.Frames[v] = n
		}
	case "no-side-effects":
		t.probes = [2]uint64{probesEach, probesEach}
		t.looks, t.sent = 50, 400
	case "monitor-stalled":
		t.stopped = stopTime
		t.last.Stalls = 1
		t.last.Stalled = stopTime
	}
	return t
}

func (t *tale) judge(sc *scenario) *passed { return judge(sc, &t.record, &t.evidence, testLimits) }

// named returns a scenario of the table.
func named(t *testing.T, name string) *scenario {
	t.Helper()
	all := scenarios()
	i := slices.IndexFunc(all, func(sc scenario) bool { return sc.name == name })
	if i < 0 {
		t.Fatalf("no scenario %q", name)
	}
	return &all[i]
}

// TestJudgeRight checks that a pass that is as the table wants it is right, and
// what the result says then.
func TestJudgeRight(t *testing.T) {
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			p := told(&sc).judge(&sc)
			if len(p.problems) > 0 {
				t.Errorf("wrong: %q", p.problems)
			}
			if p.slaves != sc.truth || p.group != sc.group {
				t.Errorf("verdicts %v and %v, want %v and %v", p.slaves, p.group, sc.truth, sc.group)
			}
			for i, truth := range sc.truth {
				switch d := p.detect[i]; {
				case truth == up && d != nil:
					t.Errorf("%s was found after %v, and is up", slaveNames[i], *d)
				case truth == down && d == nil:
					t.Errorf("%s is down without a time", slaveNames[i])
				case truth == down && *d != 300*time.Millisecond:
					t.Errorf("%s was found after %v, want 300ms", slaveNames[i], *d)
				}
			}
			if r := newResult(&sc, p); !r.Right || status([]result{*r}) != exitRight {
				t.Errorf("the result is not right: %+v", r)
			}
		})
	}
}

// TestJudgeBrokenTruth turns every column of every row around: none of them may
// pass unnoticed.
func TestJudgeBrokenTruth(t *testing.T) {
	other := map[string]string{up: down, down: up, groupOK: groupFailure, groupFailure: groupOK}
	for _, sc := range scenarios() {
		pass := told(&sc)
		for i, column := range []*string{&sc.truth[0], &sc.truth[1], &sc.group} {
			truth := *column
			*column = other[truth]
			r := newResult(&sc, pass.judge(&sc))
			if r.Right || status([]result{*r}) != exitWrong {
				t.Errorf("%s: column %d is %s instead of %s, and nobody noticed", sc.name, i, *column, truth)
			}
			if len(r.Notes) == 0 || !strings.HasPrefix(r.Notes[0], "wrong: ") {
				t.Errorf("%s: column %d: the notes do not say what is wrong: %q", sc.name, i, r.Notes)
			}
			*column = truth
		}
	}
}

// TestJudgeWrong spoils right passes one thing at a time.
func TestJudgeWrong(t *testing.T) {
	const (
		msec = time.Millisecond
		long = testBound + testSlack + msec
	)
	// downAt tells a pass in which e1 goes down at another time.
	downAt := func(d time.Duration) func(*tale) {
		return func(t *tale) {
			for i := range t.events {
				if _, to := t.events[i].SlaveStates(); to == arpmon.SlaveDown {
					t.events[i].At = after(d)
				}
			}
		}
	}
	tests := []struct {
		name     string
		scenario string
		spoil    func(*tale)
		want     string // in a problem
	}{
		{"too late", "backup-cut-silent", downAt(long), "e2 became down after 426 ms, want at most 425 ms"},
		{"in the nick of time", "backup-cut-silent", downAt(long - msec), ""},
		{"before the fault", "backup-cut-silent", downAt(-100 * msec), "before the fault"},
		{"while it is made", "backup-cut-silent", downAt(-5 * msec), ""},
		{"late, but the system was to blame", "backup-cut-silent", func(t *tale) {
			downAt(long)(t)
			t.stall(after(200*msec), 20*msec)
		}, ""},
		{"later than that explains", "backup-cut-silent", func(t *tale) {
			downAt(long + 30*msec)(t)
			t.stall(after(200*msec), 20*msec)
		}, "want at most 445 ms"},
		{"to blame at other times only", "backup-cut-silent", func(t *tale) {
			downAt(long)(t)
			t.stall(after(-msec), 20*msec)
			t.stall(after(long+msec), 20*msec)
		}, "want at most 425 ms"},
		{"not stable", "backup-cut-silent", func(t *tale) {
			t.slave(1, arpmon.SlaveUp, arpmon.ReasonReplies, after(600*msec))
		}, "e2 became up again"},
		{"not stable, and down in the end", "backup-cut-silent", func(t *tale) {
			t.slave(1, arpmon.SlaveUp, arpmon.ReasonReplies, after(600*msec))
			t.slave(1, arpmon.SlaveDown, arpmon.ReasonMissed, after(700*msec))
		}, "e2 became up again, 300 ms after"},
		{"not watched long enough when down", "backup-cut-silent", func(t *tale) { t.end = after(300*msec + 2*testBound - msec) }, "want 2 bounds"},
		{"not watched long enough when up", "source-pruning", func(t *tale) { t.end = after(3*testBound - msec) }, "want 3 bounds"},
		{"what comes after the end does not count", "backup-cut-silent", func(t *tale) {
			t.slave(0, arpmon.SlaveDown, arpmon.ReasonMissed, t.end+1)
			t.last.Slaves[0].State = arpmon.SlaveUp
		}, ""},
		{"up slave went down for a moment", "backup-cut-silent", func(t *tale) {
			t.slave(0, arpmon.SlaveDown, arpmon.ReasonMissed, after(400*msec))
			t.slave(0, arpmon.SlaveUp, arpmon.ReasonReplies, after(500*msec))
		}, "e1 became down (missed) 400 ms after the fault"},
		{"up slave without a verdict", "backup-cut-silent", func(t *tale) {
			t.slave(0, arpmon.SlaveUnknown, arpmon.ReasonStarting, after(400*msec))
		}, "e1 became unknown"},
		{"up slave lost its link", "backup-cut-silent", func(t *tale) {
			t.slave(0, arpmon.SlaveNoLink, arpmon.ReasonNoLink, after(400*msec))
		}, "e1 became no-link"},
		{"up slave under suspicion in the end", "healthy", func(t *tale) {
			t.slave(0, arpmon.SlaveSuspect, arpmon.ReasonMissed, t.end)
		}, "e1 is suspect (missed) in the end"},
		{"suspicion in between", "healthy", func(t *tale) {
			t.slave(0, arpmon.SlaveSuspect, arpmon.ReasonMissed, after(100*msec))
			t.slave(0, arpmon.SlaveUp, arpmon.ReasonReplies, after(200*msec))
		}, ""},
		{"no link is not down", "backup-cut-silent", func(t *tale) {
			for i := range t.events {
				if _, to := t.events[i].SlaveStates(); to == arpmon.SlaveDown {
					t.events[i].To = uint8(arpmon.SlaveNoLink)
				}
			}
		}, "e2 is no-link"},
		{"unknown on the way down", "backup-cut-silent", func(t *tale) {
			t.events[0].To = uint8(arpmon.SlaveUnknown)
		}, "e2 was unknown before it became down"},
		{"not healthy at first", "healthy", func(t *tale) { t.healthy.Slaves[1].State = arpmon.SlaveSuspect }, "e2 was suspect before the fault"},
		{"no group at first", "healthy", func(t *tale) { t.healthy.Group = arpmon.GroupUnknown }, "the group was unknown before the fault"},
		{"events lost", "healthy", func(t *tale) { t.eventsLost = 2 }, "2 events were lost"},
		{"kernel monitor", "healthy", func(t *tale) { t.last.KernelOn = true }, "kernel's own monitor"},
		{"group fails for a moment", "backup-cut-silent", func(t *tale) {
			t.group(arpmon.GroupFailure, after(400*msec))
			t.group(arpmon.GroupOK, after(410*msec))
		}, "the group became group-failure 400 ms after"},
		{"group fails too late", "both-cut", func(t *tale) { t.events[len(t.events)-1].At = after(long) }, "the group became group-failure after 426 ms"},
		{"group does not stay failed", "both-cut", func(t *tale) {
			t.group(arpmon.GroupOK, after(600*msec))
		}, "the group became ok again"},
		{"group unknown", "both-cut", func(t *tale) {
			t.events[len(t.events)-1].To = uint8(arpmon.GroupUnknown)
		}, "the group is unknown"},

		{"transitions that the events hide", "healthy", func(t *tale) { t.last.Slaves[1].Transitions++ }, "e2 had 1 transitions"},
		{"transition of the other slave", "active-cut-chatter", func(t *tale) { t.last.Slaves[1].Transitions += 2 }, "e2 had 2 transitions"},
		{"target blamed", "both-cut", func(t *tale) {
			t.target(1, true, after(200*msec))
			t.target(1, false, after(250*msec))
		}, "the target B was blamed 200 ms after"},
		{"target blamed without an event", "target-dead-chatter", func(t *tale) { t.last.Targets[0].Down = true }, "the target A is blamed in the end"},
		{"requests not counted", "active-tx-dead-target-asks", func(t *tale) { t.last.Slaves[0].Frames[arpmon.RejectOpcode] = 9 }, "e1 counted 9 requests of 20"},
		{"requests counted on one slave only", "active-tx-dead-target-asks", func(t *tale) { t.last.Slaves[1].Frames[arpmon.RejectOpcode] = 0 }, "e2 counted 0 requests"},
		{"requests counted before", "active-tx-dead-target-asks", func(t *tale) { t.healthy.Slaves[0].Frames[arpmon.RejectOpcode] = 15 }, "e1 counted 4 requests"},
		{"nobody asked", "active-tx-dead-target-asks", func(t *tale) { t.packets = nil }, "e1 counted 19 requests of 0"},
		{"other reason", "transmit-stuck", func(t *tale) { t.last.Slaves[0].Reason = arpmon.ReasonMissed }, "because of missed, want no-transmit"},
		{"nothing pruned", "source-pruning", func(t *tale) { t.packets["prune e2"] = 0 }, "dropped no frame"},
		{"target not blamed", "one-target-of-two-dead", func(t *tale) { t.events = nil }, "the target A was not blamed"},
		{"target blamed too late", "one-target-of-two-dead", func(t *tale) { t.events[0].At = after(long) }, "the target A was blamed after 426 ms"},
		{"target blamed too early", "one-target-of-two-dead", func(t *tale) { t.events[0].At = after(-time.Second) }, "blamed before the fault"},
		{"other target blamed too", "one-target-of-two-dead", func(t *tale) { t.target(1, true, after(320*msec)) }, "the target B was blamed"},
		{"target forgiven", "one-target-of-two-dead", func(t *tale) { t.target(0, false, after(500*msec)) }, "the target A came back"},
		{"slave fell with the target", "one-target-of-two-dead", func(t *tale) { t.last.Slaves[0].Transitions += 2 }, "e1 had 2 transitions"},
		{"forgery not counted", "forged-replies", func(t *tale) { t.last.Slaves[0].Frames[arpmon.RejectShort]-- }, "as short"},
		{"forgery counted twice", "forged-replies", func(t *tale) { t.last.Slaves[0].Frames[arpmon.RejectVLAN]++ }, "as wrong-vlan"},
		{"forgery dropped by the kernel", "forged-replies", func(t *tale) {
			t.last.Slaves[0].Frames[arpmon.RejectVLAN]--
			t.last.Drops = 1
		}, ""},
		{"kind never counted", "forged-replies", func(t *tale) {
			t.last.Slaves[0].Frames[arpmon.RejectVLAN] = 0
			t.last.Drops = 10
		}, "0 frames as wrong-vlan"},
		{"counted under a reason nobody forged", "forged-replies", func(t *tale) { t.last.Slaves[0].Frames[arpmon.RejectLate] = 1 }, "1 frames as late, and 0 were forged"},
		{"nothing forged", "forged-replies", func(t *tale) {
			t.forged = nil
			t.last.Slaves[0].Frames = [arpmon.Verdicts]uint64{}
		}, "nothing was forged"},
		{"tables moved", "no-side-effects", func(t *tale) { t.moved = []string{"sw1 had the host at p1 and then at u1"} }, "sw1 had the host"},
		{"nobody looked", "no-side-effects", func(t *tale) { t.looks = enoughLooks - 1 }, "looked at 1 times only"},
		{"too few probes before", "no-side-effects", func(t *tale) { t.probes[0]-- }, "only 99 probes left on the backup before"},
		{"too few probes after", "no-side-effects", func(t *tale) { t.probes[1] = 0 }, "only 0 probes left on the backup after"},
		{"packets lost", "no-side-effects", func(t *tale) { t.lost = 1 }, "1 of 400 packets"},
		{"no traffic", "no-side-effects", func(t *tale) { t.sent = 0 }, "no traffic"},
		{"stall not seen", "monitor-stalled", func(t *tale) { t.last.Stalls = 0 }, "did not notice"},
		{"not stopped", "monitor-stalled", func(t *tale) { t.stopped = stopTime - msec }, "was stopped for 1999 ms"},
		{"fell over the stall", "monitor-stalled", func(t *tale) { t.last.Slaves[0].Transitions += 2 }, "e1 had 2 transitions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sc := named(t, tt.scenario)
			pass := told(sc)
			tt.spoil(pass)
			problems := pass.judge(sc).problems
			switch all := strings.Join(problems, "\n"); {
			case tt.want == "" && len(problems) > 0:
				t.Errorf("problems:\n%s\nwant none", all)
			case tt.want != "" && !strings.Contains(all, tt.want):
				t.Errorf("problems:\n%s\nwant one with %q", all, tt.want)
			}
		})
	}
}

// TestMerge checks that a pass with another policy can make a scenario wrong.
func TestMerge(t *testing.T) {
	sc := named(t, "one-target-of-two-dead")
	good := told(sc).judge(sc)
	good.merge(told(sc).judge(sc), "policy all")
	if r := newResult(sc, good); !r.Right || r.Slaves[0].Arpmon != up {
		t.Errorf("two right passes make %+v", r)
	}
	bad := told(sc)
	bad.slave(0, arpmon.SlaveDown, arpmon.ReasonMissed, after(time.Second))
	good.merge(bad.judge(sc), "policy all")
	r := newResult(sc, good)
	if r.Right || r.Slaves[0].Arpmon != down || !strings.HasPrefix(r.Notes[0], "wrong: policy all: e1 became down") {
		t.Errorf("a wrong pass makes %+v", r)
	}
}
