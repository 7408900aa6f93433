// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func watchCommand() command {
	return command{
		Name: "watch", Summary: "Print what changes about bonds, until interrupted",
		Flags: []string{"json"}, Run: runWatch,
	}
}

func runWatch(ctx context.Context, c *call) error {
	client, err := c.dial()
	if err != nil {
		return err
	}
	w := newWatcher()
	for e, err := range client.Watch(ctx) {
		if ctx.Err() != nil {
			return nil // interrupted, which is how a watch ends
		}
		if err != nil {
			return err
		}
		now := c.now()
		w.note(&e)
		write := w.writeText
		if c.flags.json {
			write = w.writeJSON
		}
		if err := write(c.stdout, &e, now, c.paint(c.stdout)); err != nil {
			return err
		}
	}
	return nil
}

// watcher knows what the events have told so far.
type watcher struct {
	synced   bool
	bonds    map[int]*bond.Bond
	slaves   map[int]*bond.Slave
	verdicts map[int]verdict
	// before is the slave of the latest event as it was before, nil if it was not known.
	before *bond.Slave
}

func newWatcher() *watcher {
	return &watcher{bonds: map[int]*bond.Bond{}, slaves: map[int]*bond.Slave{}, verdicts: map[int]verdict{}}
}

// note takes over what an event tells.
func (w *watcher) note(e *bond.Event) {
	w.before = w.slaves[e.Slave.Index]
	switch e.Kind {
	case bond.EventBondRemoved:
		delete(w.bonds, e.Bond.Index)
		delete(w.verdicts, e.Bond.Index)
	case bond.EventSlaveRemoved:
		// It may be that of another bond by now.
		if s := w.slaves[e.Slave.Index]; s != nil && s.Master == e.Bond.Index {
			delete(w.slaves, e.Slave.Index)
		}
	case bond.EventSynced:
		w.synced = true
	default:
		if e.SlaveState != nil {
			w.slaves[e.Slave.Index] = e.SlaveState
		}
	}
	if e.BondState != nil && e.Kind != bond.EventBondRemoved {
		w.bonds[e.Bond.Index] = e.BondState
	}
}

// verdict judges a bond by what is known of it.
func (w *watcher) verdict(index int) (v verdict, known bool) {
	b := w.bonds[index]
	if b == nil || !w.synced {
		return verdict{}, false
	}
	var slaves []bond.Slave
	for _, i := range slices.Sorted(maps.Keys(w.slaves)) {
		if w.slaves[i].Master == index {
			slaves = append(slaves, *w.slaves[i])
		}
	}
	return judge(b, slaves), true
}

// writeText writes one line for an event, and one for the state of a bond that it changed.
func (w *watcher) writeText(out io.Writer, e *bond.Event, now time.Time, p cli.Paint) error {
	stamp := p.In(cli.Faint, now.Format("2006-01-02 15:04:05.000")) + " "
	var text strings.Builder
	text.WriteString(stamp + w.eventText(e) + "\n")
	var changed []int
	switch e.Kind {
	case bond.EventSynced:
		changed = slices.Sorted(maps.Keys(w.bonds))
	case bond.EventResynced:
	default:
		changed = []int{e.Bond.Index}
	}
	for _, index := range changed {
		v, known := w.verdict(index)
		if old, had := w.verdicts[index]; !known || had && old == v {
			continue
		}
		w.verdicts[index] = v
		rest := ""
		if v.reason != "" {
			rest = ": " + v.reason
		}
		fmt.Fprintf(&text, "%s%s is %s%s\n", stamp, p.In(cli.Bold, quoteLink(w.bonds[index].Link)), p.In(v.state.color(), v.state.title()), rest)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// eventText says what happened.
func (w *watcher) eventText(e *bond.Event) string {
	name, slave := quoteLink(e.Bond), quoteLink(e.Slave)
	switch e.Kind {
	case bond.EventBondAdded:
		if !w.synced {
			return name + " is there: " + bondText(e.BondState)
		}
		return name + " added: " + bondText(e.BondState)
	case bond.EventBondRemoved:
		return name + " removed"
	case bond.EventBondRenamed:
		return name + " is the new name of " + cli.Quote(e.OldName)
	case bond.EventSlaveAdded:
		if !w.synced {
			return name + " has slave " + slave + ": " + slaveText(e.SlaveState)
		}
		return name + " got slave " + slave + ": " + slaveText(e.SlaveState)
	case bond.EventSlaveRemoved:
		return name + " lost slave " + slave
	case bond.EventSlaveRenamed:
		return name + " slave " + slave + " is the new name of " + cli.Quote(e.OldName)
	case bond.EventOptionsChanged:
		return subject(e) + " options: " + changesText(e)
	case bond.EventActiveChanged:
		return name + " active slave: " + quoteLink(e.Old) + " -> " + quoteLink(e.New)
	case bond.EventSlaveChanged:
		return name + " slave " + slave + ": " + slaveText(e.SlaveState) + w.linkChanges(e.SlaveState)
	case bond.EventAggregatorChanged:
		if e.SlaveState != nil {
			s := e.SlaveState
			return fmt.Sprintf("%s slave %s: LACP aggregator %s, actor %s, partner %s", name, slave, aggregatorCell(e.BondState, s).Text,
				portLetters(s.ActorPortState, s.Has(bond.OptionActorPortState)), portLetters(s.PartnerPortState, s.Has(bond.OptionPartnerPortState)))
		}
		text, _ := lacpText(e.BondState)
		return name + ": " + text
	case bond.EventCarrierChanged:
		return name + ": " + carrierText(&e.BondState.LinkInfo)
	case bond.EventSynced:
		n := len(w.bonds)
		if n == 1 {
			return "watching 1 bond"
		}
		return "watching " + strconv.Itoa(n) + " bonds"
	case bond.EventResynced:
		return "messages of the kernel were lost; everything was read again"
	case bond.EventLinkChanged:
		return linkText(e)
	}
	return strings.TrimSpace(subject(e) + " " + e.Kind.String())
}

// subject names what an event is about.
func subject(e *bond.Event) string {
	if e.Slave.IsZero() {
		return quoteLink(e.Bond)
	}
	return quoteLink(e.Bond) + " slave " + quoteLink(e.Slave)
}

// linkText says what the interface of a bond is, as far as it is not about bonding.
func linkText(e *bond.Event) string {
	l := &e.BondState.LinkInfo
	if e.SlaveState != nil {
		l = &e.SlaveState.LinkInfo
	}
	return fmt.Sprintf("%s interface: MAC %s, MTU %d, operstate %v", subject(e), macText(l.MAC), l.MTU, l.OperState)
}

// linkChanges says what slaveText leaves out and has changed.
func (w *watcher) linkChanges(s *bond.Slave) string {
	var text string
	if w.before == nil {
		return text
	}
	if !slices.Equal(w.before.MAC, s.MAC) {
		text += ", MAC " + macText(s.MAC)
	}
	if w.before.MTU != s.MTU {
		text += ", MTU " + strconv.Itoa(s.MTU)
	}
	if w.before.OperState != s.OperState && slaveText(w.before) == slaveText(s) {
		text += ", operstate " + s.OperState.String()
	}
	return text
}

// slaveText says how a slave is.
func slaveText(s *bond.Slave) string {
	parts := []string{s.State.String(), "MII " + s.MIIStatus.String()}
	if text := carrierText(&s.LinkInfo); text != "carrier" {
		parts = append(parts, text)
	}
	if s.LinkFailures > 0 {
		parts = append(parts, cli.Plural(int(s.LinkFailures), "failure"))
	}
	return strings.Join(parts, ", ")
}

// carrierText says whether an interface is on and has a carrier.
func carrierText(l *bond.LinkInfo) string {
	switch {
	case !l.Up():
		return "switched off"
	case !l.Carrier:
		return "no carrier"
	}
	return "carrier"
}

// changesText returns the options that changed, with their values.
func changesText(e *bond.Event) string {
	var parts []string
	for _, opt := range e.Changed {
		text := ""
		switch {
		case opt.Info().Slave && e.SlaveState != nil:
			text = e.SlaveState.Text(opt)
		case e.BondState != nil:
			text = e.BondState.Text(opt)
		}
		parts = append(parts, opt.String()+" "+cli.Quote(cmp.Or(text, "none")))
	}
	return strings.Join(parts, ", ")
}

// eventJSON is an event in JSON. What does not apply is left out.
type eventJSON struct {
	Time       time.Time       `json:"time"`
	Event      bond.EventKind  `json:"event"`
	Bond       string          `json:"bond,omitzero"`
	BondIndex  int             `json:"bond_index,omitzero"`
	Slave      string          `json:"slave,omitzero"`
	SlaveIndex int             `json:"slave_index,omitzero"`
	OldName    string          `json:"old_name,omitzero"`
	Old        *string         `json:"old,omitzero"`
	New        *string         `json:"new,omitzero"`
	Changed    []bond.Option   `json:"changed,omitzero"`
	State      string          `json:"state,omitzero"`
	Reason     *string         `json:"reason,omitzero"`
	BondState  json.RawMessage `json:"bond_state,omitzero"`
	SlaveState json.RawMessage `json:"slave_state,omitzero"`
}

// writeJSON writes an event as one line.
func (w *watcher) writeJSON(out io.Writer, e *bond.Event, now time.Time, _ cli.Paint) error {
	doc := eventJSON{
		Time: now, Event: e.Kind, Bond: bond.EscapeName(e.Bond.Name), BondIndex: e.Bond.Index,
		Slave: bond.EscapeName(e.Slave.Name), SlaveIndex: e.Slave.Index, OldName: bond.EscapeName(e.OldName), Changed: e.Changed,
	}
	if e.Kind == bond.EventActiveChanged {
		doc.Old, doc.New = new(bond.EscapeName(e.Old.Name)), new(bond.EscapeName(e.New.Name))
	}
	if v, known := w.verdict(e.Bond.Index); known {
		doc.State, doc.Reason = v.state.String(), &v.reason
	}
	var err error
	if e.BondState != nil {
		if doc.BondState, err = json.Marshal(e.BondState); err != nil {
			return err
		}
	}
	if e.SlaveState != nil {
		if doc.SlaveState, err = json.Marshal(e.SlaveState); err != nil {
			return err
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	_, err = out.Write(append(cli.PlainJSON(text), '\n'))
	return err
}
