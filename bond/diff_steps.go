// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"slices"
	"strconv"
	"strings"
)

// steps puts what differs in an order that the kernel takes.
func (d *differ) steps() {
	wasUp := d.bond != nil && d.bond.Up()
	up := wasUp
	if d.spec.Up != nil {
		up = *d.spec.Up
	}
	isUp := wasUp

	switch {
	case d.fresh():
		d.stepCreate()
		isUp = false
	default:
		if wasUp && (d.down || !up) {
			d.step(Step{Kind: StepDown, Link: d.spec.Name, Why: d.whyDown(up)})
			isUp = false
		}
		d.stepChange()
	}
	d.stepSlaves()
	if up && !isUp {
		why := "it shall be up"
		if wasUp {
			why = "it was up"
		}
		d.step(Step{Kind: StepUp, Link: d.spec.Name, Why: why})
	}
	if d.late != nil {
		d.step(Step{Kind: StepSet, Link: d.spec.Name, Options: Options{Primary: d.late}, Why: "it had to be a slave first"})
	}
	if d.active == nil && d.mayReselect() {
		d.active, d.activity = new(Link{Name: d.bond.Active.Name}), "it shall stay the active slave"
	}
	if d.active != nil {
		d.step(Step{Kind: StepSet, Link: d.spec.Name, Options: Options{Active: d.active}, Why: d.activity})
	}
	d.plan.Disruption = d.disruption(wasUp && !isUp)
}

// mayReselect reports whether the active slave is as it shall be, and the steps may have the kernel
// choose another.
func (d *differ) mayReselect() bool {
	want := d.spec.Options.Active
	if want == nil || want.IsZero() || d.empties() || len(d.slaves) < 2 || !d.bond.Has(OptionActiveSlave) || !d.final(d.bond.Active.Name) {
		return false
	}
	slave, _ := d.find(*want)
	if slave == nil || slave.Name != d.bond.Active.Name {
		return false
	}
	if other, _ := d.yieldsTo(slave.Name); other != "" {
		return false
	}
	return slices.ContainsFunc(d.plan.Steps, func(s Step) bool {
		switch s.Kind {
		case StepSet:
			return s.Options.Primary != nil || s.Options.PrimaryReselect != nil
		case StepSetSlave:
			return s.SlaveOptions.Prio != nil
		default:
			return s.Kind != StepSetMTU && s.Kind != StepSetMAC
		}
	})
}

func (d *differ) step(s Step) { d.plan.Steps = append(d.plan.Steps, s) }

// disruption returns the worst of the steps.
func (d *differ) disruption(down bool) Disruption {
	stays := slices.ContainsFunc(d.slaves, func(s diffSlave) bool { return s.slave != nil })
	switch {
	case d.recreate:
		return DisruptionRecreate
	case d.bond == nil:
		return DisruptionNone
	case d.rebuild, len(d.now.Slaves) > 0 && !stays:
		return DisruptionRelease
	case down:
		return DisruptionDown
	}
	return DisruptionNone
}

// whyDown says why the bond is switched off.
func (d *differ) whyDown(up bool) string {
	var names []string
	for opt := range d.set.All() {
		if opt.row().NeedsDown {
			names = append(names, opt.String())
		}
	}
	switch {
	case !up:
		return "it shall be down"
	case len(names) > 0:
		return diffNames(names) + " can be changed only while it is down"
	}
	return "its slaves are released"
}

// whyEmpty says why the slaves are released.
func (d *differ) whyEmpty() string {
	var names []string
	for opt := range d.set.All() {
		if opt.row().NeedsEmpty {
			names = append(names, opt.String())
		}
	}
	if len(names) == 0 {
		return "fail_over_mac keeps the bond's address as long as it has slaves"
	}
	return diffNames(names) + " can be changed only without slaves"
}

func diffNames(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// stepCreate makes the bond, after deleting that which is there.
func (d *differ) stepCreate() {
	s := Step{Kind: StepCreate, Link: d.spec.Name, Options: d.set, MAC: d.mac(), Why: "there is none"}
	if d.spec.MTU != nil {
		s.MTU = *d.spec.MTU
	}
	s.TxQueues = d.txQueues()
	if d.recreate {
		d.step(Step{
			Kind: StepDelete, Link: d.spec.Name,
			Why: "it has " + strconv.Itoa(d.bond.TxQueues) + " transmit queues, which are fixed when it is made",
		})
		s.Why = "it is made anew"
		if d.spec.MTU == nil {
			s.MTU = d.bond.MTU
		}
		// Its first slaves or its active one gave it the address that it had.
		if d.spec.MAC == nil && (len(d.slaves) == 0 || d.mode == ModeActiveBackup && d.failOverMAC() == FailOverMACActive) {
			s.MAC = nil
		}
	}
	if len(d.detours) == 0 {
		d.step(s)
		return
	}
	s.Options = d.detours[0]
	d.step(s)
	for _, o := range d.detours[1:] {
		d.stepDetour(o)
	}
	d.step(Step{Kind: StepSet, Link: d.spec.Name, Options: d.set, Why: "this is how it shall be"})
}

// stepDetour sets what the mode does not take that the bond will have.
func (d *differ) stepDetour(o Options) {
	d.step(Step{
		Kind: StepSet, Link: d.spec.Name, Options: o,
		Why: "mode " + d.mode.String() + " keeps it, and does not take it",
	})
}

// stepChange changes the bond itself.
func (d *differ) stepChange() {
	name := d.spec.Name
	released := d.rebuild
	if d.rebuild {
		for i := range d.now.Slaves {
			why := d.whyEmpty()
			if slices.Contains(d.extra, &d.now.Slaves[i]) {
				why = "it shall not be a slave"
			}
			d.step(Step{Kind: StepRelease, Link: d.now.Slaves[i].Name, Bond: name, Why: why})
		}
	}
	for _, o := range d.detours {
		d.stepDetour(o)
	}

	// The kernel ignores an address as long as the bond is active-backup with fail_over_mac.
	setsMAC := d.setsMAC && (released || len(d.now.Slaves) == 0 || len(d.slaves) > 0)
	fixedBefore := diffFixedMAC(d.bond.Mode, d.bond.FailOverMAC)
	fixedAfter := diffFixedMAC(d.mode, d.failOverMAC())
	mac := Step{Kind: StepSetMAC, Link: name, MAC: d.mac(), Why: d.whyMAC()}
	switch {
	case !setsMAC:
	case !fixedBefore:
		d.step(mac)
	case fixedAfter:
		d.step(Step{
			Kind: StepSet, Link: name, Options: Options{FailOverMAC: new(FailOverMACNone)},
			Why: "with fail_over_mac the bond keeps its address",
		})
		d.step(mac)
		d.set.FailOverMAC = new(d.failOverMAC())
	}
	if !d.set.IsZero() {
		d.step(Step{Kind: StepSet, Link: name, Options: d.set, Why: d.whySet()})
	}
	if setsMAC && fixedBefore && !fixedAfter {
		d.step(mac)
	}
	if d.spec.MTU != nil && *d.spec.MTU != d.bond.MTU {
		d.step(Step{Kind: StepSetMTU, Link: name, MTU: *d.spec.MTU, Why: "it is " + strconv.Itoa(d.bond.MTU)})
	}
}

func (d *differ) whyMAC() string {
	switch {
	case d.spec.MAC != nil && !slices.Equal(d.spec.MAC, d.bond.MAC):
		return "it is " + d.bond.MAC.String()
	case len(d.now.Slaves) > 0:
		return "releasing the last slave changes it"
	}
	return "the first slave would change it"
}

// whySet tells the values before.
func (d *differ) whySet() string {
	var was []string
	for opt := range d.set.All() {
		switch {
		case opt == OptionPrimary:
			was = append(was, opt.String()+" "+d.bond.Primary.String())
		case opt == OptionARPTargets || opt == OptionNSTargets || d.bond.Has(opt):
			text := d.options.now.Text(opt)
			if text == "" {
				text = "none"
			}
			was = append(was, opt.String()+" "+text)
		default:
			was = append(was, opt.String()+" unknown")
		}
	}
	return "was " + strings.Join(was, ", ")
}

// stepSlaves enslaves, releases and sets the options of slaves.
func (d *differ) stepSlaves() {
	for i := range d.slaves {
		s := &d.slaves[i]
		switch {
		case s.slave == nil:
			if s.link.Up() {
				d.step(Step{Kind: StepDown, Link: s.name, Why: "it must be down to become a slave"})
			}
			d.step(Step{Kind: StepEnslave, Link: s.name, Bond: d.spec.Name, Why: "it shall be a slave"})
		case d.empties():
			d.step(Step{Kind: StepEnslave, Link: s.name, Bond: d.spec.Name, Why: "it was a slave"})
		}
	}
	if !d.empties() {
		for _, s := range d.extra {
			d.step(Step{Kind: StepRelease, Link: s.Name, Bond: d.spec.Name, Why: "it shall not be a slave"})
		}
		if d.setsMAC && len(d.extra) > 0 && len(d.slaves) == 0 {
			d.step(Step{Kind: StepSetMAC, Link: d.spec.Name, MAC: d.mac(), Why: "releasing the last slave changed it"})
		}
	}
	d.stepSlaveOptions()
}

// stepSlaveOptions sets the options of slaves that differ.
func (d *differ) stepSlaveOptions() {
	sets := make([]Step, len(d.slaves))
	held := map[uint16]int{}
	for i := range d.slaves {
		s := &d.slaves[i]
		sets[i] = d.slaveStep(s)
		if s.slave != nil && !d.empties() && s.slave.QueueID != 0 {
			held[s.slave.QueueID] = i
		}
	}
	// No two slaves may have the same queue, not even for a moment.
	for i := range sets {
		id := sets[i].SlaveOptions.QueueID
		if id == nil || *id == 0 {
			continue
		}
		if other, ok := held[*id]; ok && other > i {
			d.step(Step{
				Kind: StepSetSlave, Link: d.slaves[other].name, SlaveOptions: SlaveOptions{QueueID: new(uint16(0))},
				Why: "queue_id " + strconv.Itoa(int(*id)) + " is for " + d.slaves[i].name,
			})
			if q := sets[other].SlaveOptions.QueueID; q != nil && *q == 0 {
				sets[other].SlaveOptions.QueueID = nil
			}
		}
	}
	for _, s := range sets {
		if !s.SlaveOptions.IsZero() {
			d.step(s)
		}
	}
}

// slaveStep returns the step that sets what differs on a slave, without options
// where nothing does.
func (d *differ) slaveStep(s *diffSlave) Step {
	step := Step{Kind: StepSetSlave, Link: s.name, Why: "it is new"}
	if s.slave != nil && d.empties() {
		step.Why = "a slave begins with the defaults"
	}
	var was []string
	for _, opt := range slaveSettable {
		v, ok := s.wanted(opt, d.mode)
		if !ok {
			continue
		}
		switch has := s.slave != nil && s.slave.Has(opt); {
		case s.slave == nil:
		case !has:
			was = append(was, opt.String()+" unknown")
		case d.empties():
			if v == opt.row().Default {
				continue
			}
		case s.slave.raw(opt) == v:
			continue
		default:
			was = append(was, opt.String()+" "+strconv.FormatInt(s.slave.raw(opt), 10))
		}
		step.SlaveOptions.setRaw(opt, v)
	}
	if len(was) > 0 && !d.empties() {
		step.Why = "was " + strings.Join(was, ", ")
	}
	return step
}
