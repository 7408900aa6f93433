// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"strings"

	"github.com/bondkit/bondkit/arpmon"
)

// Words of the truth and of verdicts. Up, down, ok and group-failure are also what
// [arpmon.SlaveState] and [arpmon.GroupState] print.
const (
	up           = "up"
	down         = "down"
	groupOK      = "ok"
	groupFailure = "group-failure"
)

// scenario is one row of the table: what is done to the network, and what is true
// then.
type scenario struct {
	name  string
	title string
	// truth is what is true of e1 and e2, group of both together.
	truth [2]string
	group string
	// targets are the names of the targets. Nil means A and B.
	targets []string
	// policies are the policies that the scenario is run with, each in a pass
	// of its own. Nil means any.
	policies []arpmon.Policy

	// noise and then faults are given to lab.Inject, one after the other. Noise
	// breaks nothing. Time counts from the last fault.
	noise, faults []string
	// before is done before the Monitor starts.
	before step
	// disturb is done before the faults, in kernel passes too.
	disturb step
	// during is done after the faults, while the Monitor runs.
	during step
	// after is done when the verdict was stable for long enough, before the
	// faults are repaired.
	after step
	// elsewhere runs the Monitor in a process of its own.
	elsewhere bool

	// kernelFault is done in a kernel pass after the faults.
	kernelFault step
	// kernelNone says why there is no kernel pass.
	kernelNone string

	// checks are what else must be so.
	checks []check
}

// step is something that a scenario does in one pass.
type step func(ctx context.Context, b *bench) error

// Disturbances that several scenarios share. The three kinds of ARP take turns on
// the three chatty hosts of a switch.
const (
	chatter1 = "chatter others,targets,probes 1"
	chatter2 = "chatter others,targets,probes 2"
	chatter  = "chatter others,targets,probes 1 2"
)

// scenarios returns the table.
func scenarios() []scenario {
	return []scenario{
		{
			name: "healthy", title: "nothing is wrong",
			truth: [2]string{up, up}, group: groupOK,
			checks: []check{noTransitions("e1", "e2")},
		},
		{
			name: "both-cut", title: "the uplinks of both switches are cut",
			truth: [2]string{down, down}, group: groupFailure,
			faults: []string{"cut-uplink 1", "cut-uplink 2"},
			checks: []check{noTargetDown},
		},
		{
			name: "active-cut-chatter", title: "e1's switch is cut off, three hosts on it keep talking ARP",
			truth: [2]string{down, up}, group: groupOK,
			noise: []string{chatter1}, faults: []string{"cut-uplink 1"},
			checks: []check{noTransitions("e2")},
		},
		{
			name: "active-cut-lldp", title: "e1's switch is cut off and keeps sending LLDP and spanning tree",
			truth: [2]string{down, up}, group: groupOK,
			noise: []string{"chatter lldp 1"}, faults: []string{"cut-uplink 1"},
		},
		{
			name: "backup-cut-chatter", title: "e2's switch is cut off, three hosts on it keep talking ARP",
			truth: [2]string{up, down}, group: groupOK,
			noise: []string{chatter2}, faults: []string{"cut-uplink 2"},
			checks: []check{noTransitions("e1")},
		},
		{
			name: "backup-cut-silent", title: "e2's switch is cut off and silent",
			truth: [2]string{up, down}, group: groupOK,
			faults: []string{"cut-uplink 2"},
		},
		{
			name: "backup-tx-dead", title: "e2 hears everything, and nothing it sends arrives",
			truth: [2]string{up, down}, group: groupOK,
			faults: []string{"drop-tx e2"},
		},
		{
			name: "active-tx-dead-target-asks", title: "nothing that e1 sends arrives, and A keeps asking for us",
			truth: [2]string{down, up}, group: groupOK,
			noise: []string{"target-asks A"}, faults: []string{"drop-tx e1"},
			checks: []check{requestsCounted},
		},
		{
			name: "active-tx-dead-silent", title: "nothing that e1 sends arrives, and nobody asks",
			truth: [2]string{down, up}, group: groupOK,
			faults: []string{"drop-tx e1"},
		},
		{
			name: "transmit-stuck", title: "e1's queue accepts nothing, its carrier stays up",
			truth: [2]string{down, up}, group: groupOK,
			faults: []string{"stuck-transmit e1"},
			checks: []check{reasonIs("e1", arpmon.ReasonNoTransmit)},
		},
		{
			name: "source-pruning", title: "e2 drops what comes back with the bond's own address",
			truth: [2]string{up, up}, group: groupOK,
			faults: []string{"prune e2"},
			during: hostAsks,
			checks: []check{faultCounted("prune e2")},
		},
		{
			name: "backup-deaf", title: "e2 hears everybody but the targets",
			truth: [2]string{up, down}, group: groupOK,
			faults: []string{"drop-towards e2 A B"},
		},
		{
			name: "target-dead-chatter", title: "A, the only target, is dead, and others keep asking for it",
			truth: [2]string{down, down}, group: groupFailure,
			targets: []string{"A"},
			noise:   []string{chatter}, faults: []string{"target-down A"},
			checks: []check{noTargetDown},
		},
		{
			name: "one-target-of-two-dead", title: "A is dead, others keep asking for it, B is well",
			truth: [2]string{up, up}, group: groupOK,
			policies: []arpmon.Policy{arpmon.PolicyAny, arpmon.PolicyAll},
			noise:    []string{chatter}, faults: []string{"target-down A"},
			checks: []check{targetDown("A"), noTransitions("e1", "e2")},
		},
		{
			name: "forged-replies", title: "e1's switch is cut off, and a host on it forges replies",
			truth: [2]string{down, up}, group: groupOK,
			faults:  []string{"cut-uplink 1"},
			disturb: forge,
			after:   countForged,
			checks:  []check{forgedCounted},
		},
		{
			name: "no-side-effects", title: "100 probes on the backup, a failover, 100 more, under traffic",
			truth: [2]string{up, up}, group: groupOK,
			before:      startTraffic,
			during:      probeAndFailOver,
			kernelFault: failOver,
			checks:      []check{tablesUnchanged, nothingLost},
		},
		{
			name: "monitor-stalled", title: "the process that runs the Monitor is stopped for 2 seconds",
			truth: [2]string{up, up}, group: groupOK,
			elsewhere:  true,
			during:     stopMonitor,
			kernelNone: "the kernel's monitor runs in no process that could be stopped",
			checks:     []check{noTransitions("e1", "e2"), stallsSeen},
		},
	}
}

// targetNames returns the names of the targets of a scenario.
func (sc *scenario) targetNames() []string {
	if sc.targets == nil {
		return []string{"A", "B"}
	}
	return sc.targets
}

// policyList returns the policies of a scenario.
func (sc *scenario) policyList() []arpmon.Policy {
	if sc.policies == nil {
		return []arpmon.Policy{arpmon.PolicyAny}
	}
	return sc.policies
}

// chatty returns how many chatty hosts a switch needs: three where they talk, and
// otherwise one, which builds faster.
func (sc *scenario) chatty() int {
	for _, text := range sc.noise {
		if strings.HasPrefix(text, "chatter ") {
			return 3
		}
	}
	return 1
}

// slaveNames are the slaves that the truth is about.
var slaveNames = [2]string{"e1", "e2"}
