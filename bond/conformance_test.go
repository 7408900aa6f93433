// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// confException is where Validate and a kernel may differ.
type confException struct {
	option bond.Option
	// value is the name of the value, empty for all.
	value string
	// releases are the kernels it holds for.
	releases []bondtest.Release
	why      string
}

var confOlder = []bondtest.Release{bondtest.Release510, bondtest.Release61, bondtest.Release612}

var confExceptions = []confException{
	{bond.OptionPrimary, "no such index", bondtest.Releases(), "the kernel takes it and clears the option, which nobody who names an interface means"},
	{bond.OptionUseCarrier, "0", bondtest.Releases()[3:], "kernels since 6.18 refuse it, those before take it, and Validate warns"},
	{bond.OptionADSelect, "3", confOlder, "actor_port_prio came with 6.18"},
	{bond.OptionPeerNotifDelay, "300001", confOlder[:1], "the limit of 300 s came with 6.1 or before"},
	{bond.OptionXmitHashPolicy, "5", confOlder[:1], "vlan+srcmac came with 5.12"},
}

// confJudge holds Validate, and what the Client makes of the answer, to a kernel.
type confJudge struct {
	t       *testing.T
	w       *confWorld
	release bondtest.Release
	knows   func(bond.Option) bool
	// state is that of the bond whose message begins at of.
	state  *bond.State
	of     *byte
	judged int
	wrong  int
}

func (j *confJudge) judge(opt bond.Option, what string, body, payload []byte, before confState, ke *bond.KernelError) {
	j.t.Helper()
	if !j.knows(opt) || opt.Info().ReadOnly {
		if ke != nil && len(payload) >= 4 {
			j.fail("%s: %v, want an attribute that is unknown or cannot be set to be ignored", what, ke)
		}
		return
	}
	// Only what Options can say is for Validate.
	var o bond.Options
	attr := confAttr(int(opt.Info().Attr), payload)
	if unknown, err := o.DecodeAttrs(attr); err != nil || len(unknown) > 0 {
		return
	}
	again, err := o.AppendAttrs(nil)
	if err == nil && string(confPlain(again)) != string(confPlain(attr)) {
		return
	}
	for _, e := range confExceptions {
		value := strings.HasSuffix(what, fmt.Sprintf(": %v %s (%x)", opt, e.value, payload))
		if e.option == opt && slices.Contains(e.releases, j.release) && value {
			return
		}
	}
	if &before.body[0] != j.of {
		j.of, j.state = &before.body[0], j.w.state(before)
	}
	st := j.state
	j.judged++
	issues := bond.Validate(o, st)
	verdict := issues.Err()
	if (verdict != nil) != (ke != nil) {
		j.fail("%s:\n  kernel:   %s\n  Validate: %v", what, confAnswer(body, ke), verdict)
		return
	}
	if ke == nil {
		return
	}
	means := bond.ConformanceExplain(body, &o, st, ke)
	if cause := issues[0].Err; !errors.Is(means, cause) {
		j.fail("%s:\n  kernel %s is taken for: %v\n  Validate says: %v", what, confAnswer(body, ke), means, cause)
	}
}

func (j *confJudge) fail(format string, args ...any) {
	j.t.Helper()
	if j.wrong++; j.wrong <= 20 {
		j.t.Errorf(format, args...)
	}
}

// confPlain is without the flags of types, and without what pads them.
func confPlain(b []byte) []byte {
	var plain []byte
	for typ, data := range confEach(b) {
		plain = fmt.Appendf(plain, "%d:%x ", typ, data)
	}
	return plain
}

// confRun runs everything against one kernel and returns the log, by group. With
// judge it holds Validate to the kernel.
func confRun(t *testing.T, tr bond.Transport, release bondtest.Release, knows func(bond.Option) bool, judge bool) map[string][]string {
	w := newConfWorld(t, tr, knows)
	logs := map[string][]string{}
	j := &confJudge{t: t, w: w, release: release, knows: knows}
	tell := j.judge
	if !judge {
		tell = nil
	}
	for _, s := range confSituations() {
		for _, mode := range s.modes.All() {
			w.log = nil
			w.sweep(&s, mode, tell)
			logs[fmt.Sprintf("options/%v/%s", mode, s.name)] = w.log
		}
	}
	if judge && j.judged < 3000 {
		t.Errorf("Validate was asked about %d cases, want thousands", j.judged)
	}
	if j.wrong > 20 {
		t.Errorf("and %d more differences between Validate and the kernel", j.wrong-20)
	}
	for _, mode := range bond.AllModes.All() {
		w.log = nil
		w.sweepSlaves(mode)
		logs[fmt.Sprintf("slaves/%v", mode)] = w.log
	}
	for _, sc := range append(slices.Clone(confScenarios), confEvents) {
		w.log = nil
		w.t = t
		sc.run(w)
		w.clear()
		w.reset()
		logs["scenario/"+sc.name] = w.log
	}
	return logs
}

// reset has the dummies be as they were.
func (w *confWorld) reset() {
	w.t.Helper()
	for i := 1; i <= confDummies; i++ {
		w.must(confNewLink, 0, confBody(confDummy+i, 0, bond.FlagUp))
		w.must(confNewLink, 0, confBody(confDummy+i, 0, 0, confAttr(confMaster, confU32(0))))
		w.must(confNewLink, 0, confBody(confDummy+i, 0, 0, confAttr(confName, fmt.Appendf(nil, "d%d\x00", i)),
			confAttr(confAddress, confMAC(i)), confAttr(confMTU, confU32(1500)), confAttr(confCarrier, []byte{1})))
	}
}

// TestConformanceFake runs the table against the made kernel, which is
// held to the real ones by TestConformanceKernel.
func TestConformanceFake(t *testing.T) {
	releases := bondtest.Releases()
	if testing.Short() { // that of the kernel has its turn in TestConformanceKernel
		releases = releases[:1]
	}
	for _, release := range releases {
		t.Run(string(release), func(t *testing.T) {
			t.Parallel()
			k := bondtest.NewKernel(&bondtest.Config{Release: release})
			k.AddLink("lo", &bondtest.LinkConfig{Index: 1, Type: 772, MTU: 65536, Up: true})
			logs := confRun(t, k.Transport(), release, k.Supports, true)
			if len(logs) < 40 {
				t.Errorf("%d groups of cases, want more", len(logs))
			}
		})
	}
}
