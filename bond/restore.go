// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"os"
	"slices"
)

// Spec returns the Spec that the bond fulfils: Diff of s and it is empty. It declares
// everything that the kernel tells and takes back in the bond's mode, the slaves, the MTU and the number of
// queues; and the MAC address, except where it is the active slave's or cannot be set. It is nil where
// there is no bond.
func (s *State) Spec() *Spec {
	if s == nil || s.Bond == nil {
		return nil
	}
	b := s.Bond
	spec := &Spec{
		Name: b.Name, Options: b.restoreOptions(), Slaves: []SlaveSpec{},
		Up: new(b.Up()), MTU: new(b.MTU),
	}
	if b.TxQueues > 0 {
		spec.TxQueues = new(b.TxQueues)
	}
	if (b.Mode != ModeActiveBackup || b.FailOverMAC != FailOverMACActive || len(s.Slaves) == 0) && len(b.MAC) == 6 {
		spec.MAC = slices.Clone(b.MAC)
	}
	for i := range s.Slaves {
		slave := &s.Slaves[i]
		o := slave.Options()
		for _, opt := range slaveSettable {
			if !opt.row().Modes.Has(b.Mode) {
				o.clear(opt)
			}
		}
		spec.Slaves = append(spec.Slaves, SlaveSpec{Name: slave.Name, Options: o})
	}
	return spec
}

// clear makes the option one that is left alone.
func (o *SlaveOptions) clear(opt Option) {
	switch opt {
	case OptionQueueID:
		o.QueueID = nil
	case OptionPrio:
		o.Prio = nil
	case OptionActorPortPrio:
		o.ActorPortPrio = nil
	default:
	}
}

// restoreOptions returns what can be said to the kernel of what it told.
func (b *Bond) restoreOptions() Options {
	o := diffNow(b)
	if b.Mode.HasActive() {
		o.Primary = new(Link{Name: b.Primary.Name})
		if b.Has(OptionActiveSlave) {
			o.Active = new(Link{Name: b.Active.Name})
		}
	}
	for opt := range o.All() {
		if !opt.row().Modes.Has(b.Mode) {
			o.Clear(opt)
		}
	}
	if b.MIIMon == 0 {
		for _, opt := range delayOptions {
			o.Clear(opt)
		}
	} else {
		// It is not in use, and the kernel takes no message with both.
		o.ARPValidate = nil
	}
	return o
}

// restoreNames returns a Spec that names everything that was there, for
// [Client.State].
func (s *State) restoreNames(name string) *Spec {
	spec := &Spec{Name: name, Slaves: []SlaveSpec{}}
	for i := range s.Slaves {
		spec.Slaves = append(spec.Slaves, SlaveSpec{Name: s.Slaves[i].Name})
	}
	for i := range s.Links {
		spec.Slaves = append(spec.Slaves, SlaveSpec{Name: s.Links[i].Name})
	}
	return spec
}

// restorePlan returns what is to be done to get back to what was before, as far as
// that is possible, and what is not.
func restorePlan(now, before *State, name string, touched map[string]bool) (plan *Plan, lost []error) {
	plan = &Plan{Name: name}
	switch {
	case before.Bond != nil:
		plan, lost = restoreBond(now, before)
	case now.Bond != nil:
		plan.Steps = append(plan.Steps, Step{Kind: StepDelete, Link: name, Why: "there was none"})
		plan.Disruption = DisruptionRecreate
	}
	restoreLinks(plan, now, before, touched)
	return plan, lost
}

// restoreLinks adds what is to be done to the interfaces themselves. Those that were no slaves are as they
// were unless they were touched.
func restoreLinks(plan *Plan, now, before *State, touched map[string]bool) {
	name := plan.Name
	step := func(kind StepKind, was *LinkInfo) {
		plan.Steps = append(plan.Steps, Step{Kind: kind, Link: was.Name, MTU: was.MTU, MAC: slices.Clone(was.MAC), Why: "it was so"})
	}
	d := &differ{now: now}
	for i := range before.Slaves {
		was := &before.Slaves[i].LinkInfo
		slave, _ := d.find(Link{Name: was.Name})
		switch {
		case slave == nil: // it has been dealt with above
		case slave.Up() != was.Up():
			step(restoreUp(was), was)
		case slave.MTU != was.MTU && was.MTU > 0:
			step(StepSetMTU, was)
		}
	}
	for i := range before.Links {
		was := &before.Links[i]
		slave, link := d.find(Link{Name: was.Name})
		switch {
		case was.Name == name || link == nil || was.Master != 0 || !touched[was.Name]:
		case slave != nil:
			// The kernel leaves it down when it releases it.
			if was.Up() {
				step(StepUp, was)
			}
		case link.Master != 0: // somebody else has taken it
		default:
			if link.MTU != was.MTU && was.MTU > 0 {
				step(StepSetMTU, was)
			}
			if !slices.Equal(link.MAC, was.MAC) && len(was.MAC) > 0 {
				step(StepSetMAC, was)
			}
			if link.Up() != was.Up() {
				step(restoreUp(was), was)
			}
		}
	}
}

func restoreUp(was *LinkInfo) StepKind {
	if was.Up() {
		return StepUp
	}
	return StepDown
}

// restoreBond plans what has to be done to the bond and its slaves.
func restoreBond(now, before *State) (*Plan, []error) {
	var lost []error
	spec := before.Spec()
	if spec.MAC = nil; len(before.Bond.MAC) == 6 {
		spec.MAC = slices.Clone(before.Bond.MAC)
	}
	d := &differ{now: now}
	spec.Slaves = slices.DeleteFunc(spec.Slaves, func(s SlaveSpec) bool {
		slave, link := d.find(Link{Name: s.Name})
		switch {
		case link == nil:
			lost = append(lost, &Error{Op: "restore", Link: s.Name, Err: os.ErrNotExist})
		case slave == nil && link.Master != 0:
			lost = append(lost, &Error{Op: "restore", Link: s.Name, Err: ErrSlaveBusy})
		default:
			return false
		}
		return true
	})
	// What the Spec says has been in the kernel. If it refuses it now, the step
	// will tell.
	d, _ = diffStart(now, spec, before.Bond)
	d.steps()
	return d.plan, lost
}

// detourModes are modes that together take every option.
var detourModes = [...]Mode{Mode8023AD, ModeBalanceRR, ModeBalanceTLB, ModeActiveBackup}

// detour finds what has to be set while the bond has another mode, because that
// which it will have does not take it. The kernel keeps it all the same, tells it, and uses it when
// the mode is changed again. Was is what the bond is to be like.
func (d *differ) detour(was *Bond) {
	want, now := diffNow(was), d.options.now
	var rest Options
	for opt := range want.All() {
		row := opt.row()
		if row.Modes.Has(d.mode) || row.Cleared.Has(d.mode) {
			continue
		}
		v, known := now.raw(opt)
		if d.fresh() {
			v, known = row.Default, true
		}
		if w, ok := want.raw(opt); ok && known && v != w {
			rest.setRaw(opt, w)
		}
	}
	through := func(mode Mode) {
		var o Options
		for opt := range rest.All() {
			if opt.row().Modes.Has(mode) {
				diffCopy(&o, &rest, opt)
				rest.Clear(opt)
			}
		}
		if o.IsZero() {
			return
		}
		if d.fresh() || diffMode(&now) != mode {
			o.Mode = new(mode)
		}
		d.detours = append(d.detours, o)
		now = diffAfter(&now, &o)
	}
	if !d.fresh() {
		through(diffMode(&now))
	}
	for _, mode := range detourModes {
		through(mode)
	}
	if !d.fresh() {
		d.options.now = now
	}
}
