// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"bytes"
	"cmp"
	"math"
	"net"
	"slices"
)

// watchModel is what is known of all bonds and slaves, by index. What the maps
// point to is never changed, so that equal pointers mean equal states.
type watchModel struct {
	bonds  map[int]*Bond
	slaves map[int]*Slave
}

func newWatchModel() *watchModel {
	return &watchModel{bonds: make(map[int]*Bond), slaves: make(map[int]*Slave)}
}

// slave returns a slave of a bond that is known. One of a bond that is not is kept in
// the model, and nothing is told about it.
func (m *watchModel) slave(index int) *Slave {
	s := m.slaves[index]
	if s == nil || m.bonds[s.Master] == nil {
		return nil
	}
	return s
}

// named returns the link with its name where it is a slave that is known.
func (m *watchModel) named(l Link) Link {
	if s := m.slaves[l.Index]; s != nil {
		l.Name = s.Name
	}
	return l
}

// state returns a copy of b with the names of the slaves it speaks of.
func (m *watchModel) state(b *Bond) *Bond {
	c := b.Clone()
	c.Active, c.Primary = m.named(c.Active), m.named(c.Primary)
	return c
}

// Parts of an interface that are no options, for watchChange.
const (
	watchPartCarrier = 1 << iota // Carrier, FlagUp
	watchPartLower               // OperState, FlagRunning, FlagLowerUp
	watchPartFlags               // other flags
	watchPartMAC
	watchPartMTU
	watchPartMaster
	watchPartType
	watchPartWhole // the kind of change has no parts
)

// watchRunFlags are the flags that follow the carrier.
const watchRunFlags = FlagRunning | FlagLowerUp

// watchChange is one difference between two states of one bond or slave.
type watchChange struct {
	kind    EventKind
	changed []Option
	parts   uint16
}

// watchLinkParts returns what differs between two states of an interface.
func watchLinkParts(old, now *LinkInfo) (parts uint16) {
	flags := old.Flags ^ now.Flags
	if old.Carrier != now.Carrier || flags&FlagUp != 0 {
		parts |= watchPartCarrier
	}
	if old.OperState != now.OperState || flags&watchRunFlags != 0 {
		parts |= watchPartLower
	}
	if flags&^(FlagUp|watchRunFlags) != 0 {
		parts |= watchPartFlags
	}
	if !bytes.Equal(old.MAC, now.MAC) {
		parts |= watchPartMAC
	}
	if old.MTU != now.MTU {
		parts |= watchPartMTU
	}
	if old.Master != now.Master || old.MasterKind != now.MasterKind {
		parts |= watchPartMaster
	}
	if old.Type != now.Type || old.Kind != now.Kind || old.TxQueues != now.TxQueues {
		parts |= watchPartType
	}
	return parts
}

// watchBondChanges returns what became of a bond; nil stands for no bond. Two
// bonds with nothing in between are equal in all respects.
func watchBondChanges(old, now *Bond) []watchChange {
	switch {
	case old == now:
		return nil
	case old == nil:
		return []watchChange{{kind: EventBondAdded, parts: watchPartWhole}}
	case now == nil:
		return []watchChange{{kind: EventBondRemoved, parts: watchPartWhole}}
	case !watchSame(old.Name, now.Name, old.MAC, now.MAC):
		return []watchChange{
			{kind: EventBondRemoved, parts: watchPartWhole},
			{kind: EventBondAdded, parts: watchPartWhole},
		}
	}
	var changes []watchChange
	if old.Name != now.Name {
		changes = append(changes, watchChange{kind: EventBondRenamed, parts: watchPartWhole})
	}
	if options := watchBondOptions(old, now); len(options) > 0 {
		changes = append(changes, watchChange{kind: EventOptionsChanged, changed: options})
	}
	if old.Active.Index != now.Active.Index || old.Has(OptionActiveSlave) != now.Has(OptionActiveSlave) {
		changes = append(changes, watchChange{kind: EventActiveChanged, parts: watchPartWhole})
	}
	if old.AD != now.AD || old.Has(OptionADInfo) != now.Has(OptionADInfo) {
		changes = append(changes, watchChange{kind: EventAggregatorChanged, parts: watchPartWhole})
	}
	parts := watchLinkParts(&old.LinkInfo, &now.LinkInfo)
	if parts&watchPartCarrier != 0 {
		changes = append(changes, watchChange{kind: EventCarrierChanged, parts: watchPartWhole})
		// The rest of the operational state goes with the carrier.
		parts &^= watchPartCarrier | watchPartLower
	}
	if parts != 0 {
		changes = append(changes, watchChange{kind: EventLinkChanged, parts: parts})
	}
	return changes
}

// watchSlaveChanges is watchBondChanges for slaves. A slave of another bond is another
// slave.
func watchSlaveChanges(old, now *Slave) []watchChange {
	switch {
	case old == now:
		return nil
	case old == nil:
		return []watchChange{{kind: EventSlaveAdded, parts: watchPartWhole}}
	case now == nil:
		return []watchChange{{kind: EventSlaveRemoved, parts: watchPartWhole}}
	case old.Master != now.Master || !watchSame(old.Name, now.Name, old.PermMAC, now.PermMAC):
		return []watchChange{
			{kind: EventSlaveRemoved, parts: watchPartWhole},
			{kind: EventSlaveAdded, parts: watchPartWhole},
		}
	}
	var changes []watchChange
	if old.Name != now.Name {
		changes = append(changes, watchChange{kind: EventSlaveRenamed, parts: watchPartWhole})
	}
	var options, slave, port []Option
	for _, opt := range watchSlaveOptions(old, now) {
		switch opt {
		case OptionSlaveState, OptionMIIStatus, OptionLinkFailures, OptionPermMAC:
			slave = append(slave, opt)
		case OptionAggregatorID, OptionActorPortState, OptionPartnerPortState, OptionActorChurn, OptionPartnerChurn:
			port = append(port, opt)
		default:
			options = append(options, opt)
		}
	}
	if len(options) > 0 {
		changes = append(changes, watchChange{kind: EventOptionsChanged, changed: options})
	}
	if parts := watchLinkParts(&old.LinkInfo, &now.LinkInfo); parts != 0 || len(slave) > 0 {
		changes = append(changes, watchChange{kind: EventSlaveChanged, changed: slave, parts: parts})
	}
	if len(port) > 0 {
		changes = append(changes, watchChange{kind: EventAggregatorChanged, changed: port})
	}
	return changes
}

// watchSame reports whether two states with the same index are of the same
// interface. A new name, or a new address, does not make another one, but both
// at once do: the kernel has given the index away again.
func watchSame(oldName, name string, oldMAC, mac net.HardwareAddr) bool {
	return oldName == name || bytes.Equal(oldMAC, mac)
}

// watchBondOptions returns the options that differ, but not the active slave and the
// aggregator.
func watchBondOptions(old, now *Bond) []Option {
	var changed []Option
	for i := range optionTable {
		row := &optionTable[i]
		opt := row.Option
		if row.Slave || opt == OptionActiveSlave || opt == OptionADInfo {
			continue
		}
		same := old.Has(opt) == now.Has(opt)
		switch opt {
		case OptionPrimary:
			same = same && old.Primary.Index == now.Primary.Index
		case OptionARPTargets:
			same = same && slices.Equal(old.ARPTargets, now.ARPTargets)
		case OptionNSTargets:
			same = same && slices.Equal(old.NSTargets, now.NSTargets)
		case OptionADActorSystem:
			same = same && old.ADActorSystem == now.ADActorSystem
		default:
			same = same && old.raw(opt) == now.raw(opt)
		}
		if !same {
			changed = append(changed, opt)
		}
	}
	return append(changed, watchUnknown(old.Unknown, now.Unknown, 0)...)
}

// watchSlaveOptions returns the options that differ, including those that cannot be
// set.
func watchSlaveOptions(old, now *Slave) []Option {
	var changed []Option
	for i := range optionTable {
		row := &optionTable[i]
		opt := row.Option
		if !row.Slave {
			continue
		}
		same := old.Has(opt) == now.Has(opt) && old.raw(opt) == now.raw(opt)
		if opt == OptionPermMAC {
			same = same && bytes.Equal(old.PermMAC, now.PermMAC)
		}
		if !same {
			changed = append(changed, opt)
		}
	}
	return append(changed, watchUnknown(old.Unknown, now.Unknown, slaveOption)...)
}

// watchUnknown returns the attributes that differ as options without a name.
func watchUnknown(old, now []Attr, base Option) []Option {
	same := func(a, b Attr) bool { return a.Type == b.Type && bytes.Equal(a.Data, b.Data) }
	if slices.EqualFunc(old, now, same) {
		return nil
	}
	var changed []Option
	add := func(attrs, others []Attr) {
		for _, a := range attrs {
			if !slices.ContainsFunc(others, func(b Attr) bool { return same(a, b) }) {
				changed = append(changed, watchUnknownOption(a, base))
			}
		}
	}
	add(old, now)
	add(now, old)
	if len(changed) == 0 { // Only their order or number differs.
		for _, a := range slices.Concat(old, now) {
			changed = append(changed, watchUnknownOption(a, base))
		}
	}
	slices.Sort(changed)
	return slices.Compact(changed)
}

// watchUnknownOption returns the option of an attribute, the highest number for one that
// no Option can name.
func watchUnknownOption(a Attr, base Option) Option {
	const typeMask = 1<<14 - 1 // NLA_TYPE_MASK
	return base + Option(min(a.Type&typeMask, uint16(slaveOption)-1))
}

// watchConflict reports whether the second changes undo or overwrite some of the first, so
// that both together would tell less than each.
func watchConflict(first, second []watchChange) bool {
	for _, a := range first {
		for _, b := range second {
			switch {
			case a.kind == b.kind:
				if a.parts&b.parts != 0 || slices.ContainsFunc(a.changed, func(o Option) bool { return slices.Contains(b.changed, o) }) {
					return true
				}
			case a.kind == EventBondAdded && b.kind == EventBondRemoved, a.kind == EventBondRemoved && b.kind == EventBondAdded,
				a.kind == EventSlaveAdded && b.kind == EventSlaveRemoved, a.kind == EventSlaveRemoved && b.kind == EventSlaveAdded:
				return true
			}
		}
	}
	return false
}

// watchDiff returns the events that lead from one model to another: what is
// removed, what is added, what has another name, and what else has changed. Within
// each it goes by the index of the bond. Removals and changes of its slaves come
// before those of the bond, additions and names after.
func watchDiff(old, now *watchModel) []Event {
	d := watchDiffer{old: old, now: now}
	anew := make(map[int]bool) // bonds that have the index of another one
	for index, b := range old.bonds {
		changes := watchBondChanges(b, now.bonds[index])
		if len(changes) > 1 && changes[0].kind == EventBondRemoved {
			anew[index] = true
		}
		d.bond(b, now.bonds[index], changes)
	}
	for index, b := range now.bonds {
		if old.bonds[index] == nil {
			d.bond(nil, b, watchBondChanges(nil, b))
		}
	}
	for index := range old.slaves {
		before, after := old.slave(index), now.slave(index)
		if before != nil && after != nil && before.Master == after.Master && anew[after.Master] {
			d.slave(before, nil, watchSlaveChanges(before, nil))
			before = nil
		}
		d.slave(before, after, watchSlaveChanges(before, after))
	}
	for index := range now.slaves {
		if after := now.slave(index); old.slaves[index] == nil && after != nil {
			d.slave(nil, after, watchSlaveChanges(nil, after))
		}
	}
	slices.SortStableFunc(d.events, watchOrder)
	return d.events
}

// watchOrder compares two events by the order of [watchDiff].
func watchOrder(a, b Event) int {
	slave := func(e *Event, phase int) int {
		if e.Slave.Index == 0 && (phase == 0 || phase == 3) {
			return math.MaxInt // the bond itself comes last
		}
		return e.Slave.Index
	}
	pa, pb := watchPhase(a.Kind), watchPhase(b.Kind)
	return cmp.Or(cmp.Compare(pa, pb), cmp.Compare(a.Bond.Index, b.Bond.Index), cmp.Compare(slave(&a, pa), slave(&b, pb)))
}

func watchPhase(k EventKind) int {
	switch k {
	case EventBondRemoved, EventSlaveRemoved:
		return 0
	case EventBondAdded, EventSlaveAdded:
		return 1
	case EventBondRenamed, EventSlaveRenamed:
		return 2
	default:
		return 3
	}
}

// watchDiffer makes events of changes.
type watchDiffer struct {
	old, now *watchModel
	events   []Event
}

// bond adds the events of one bond.
func (d *watchDiffer) bond(old, now *Bond, changes []watchChange) {
	for _, change := range changes {
		model, b := d.now, now
		if change.kind == EventBondRemoved {
			model, b = d.old, old
		}
		e := Event{
			Kind: change.kind, Bond: b.Link, Changed: slices.Clone(change.changed),
			BondState: model.state(b),
		}
		switch change.kind {
		case EventBondRenamed:
			e.OldName = old.Name
		case EventActiveChanged:
			// A slave that is gone has only its old name, and one that is still
			// there its present one.
			e.Old = d.now.named(d.old.named(old.Active))
			e.New = d.now.named(d.old.named(now.Active))
		default: // All is said.
		}
		d.events = append(d.events, e)
	}
}

// slave adds the events of one slave.
func (d *watchDiffer) slave(old, now *Slave, changes []watchChange) {
	for _, change := range changes {
		model, s := d.now, now
		if change.kind == EventSlaveRemoved {
			model, s = d.old, old
		}
		b := model.bonds[s.Master]
		if after := d.now.bonds[s.Master]; after != nil && watchSame(b.Name, after.Name, b.MAC, after.MAC) {
			model, b = d.now, after
		}
		e := Event{
			Kind: change.kind, Bond: b.Link, Slave: s.Link, Changed: slices.Clone(change.changed),
			BondState: model.state(b), SlaveState: s.Clone(),
		}
		if change.kind == EventSlaveRenamed {
			e.OldName = old.Name
		}
		d.events = append(d.events, e)
	}
}
