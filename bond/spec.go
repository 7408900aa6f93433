// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import "net"

// Spec says how a bond shall be. What is nil in it is left as it is. It can be
// written as JSON; see [Spec.UnmarshalJSON].
type Spec struct {
	// Name is the name of the bond, which is made where there is none.
	Name string
	// Options are the options it shall have. Active is set last: the kernel may choose another
	// slave at any time, so an active slave that differs is a difference only as long as
	// that slave could be active. A zero Active leaves the choice to the kernel.
	Options Options
	// Slaves are the slaves it shall have, and no others, in the order in which
	// they are enslaved. Nil leaves the slaves alone, and empty releases all of
	// them. The kernel leaves slaves down that it releases.
	Slaves []SlaveSpec
	// Up says whether it shall be switched on.
	Up *bool
	// MAC is its hardware address, nil to leave it alone.
	MAC net.HardwareAddr
	// MTU is its MTU, and that of its slaves.
	MTU *int
	// TxQueues is the number of its transmit queues. Changing it takes making
	// the bond anew.
	TxQueues *int
}

// SlaveSpec says how a slave shall be.
type SlaveSpec struct {
	// Name is the name of the interface, and not one of its alternative names.
	Name string
	// Options are the options it shall have.
	Options SlaveOptions
}

// State is what is known of a bond and of what a [Spec] for it names: what
// [Diff] compares with the Spec, and what Apply goes back to.
type State struct {
	// Bond is nil where there is no bond of that name.
	Bond *Bond
	// Slaves are its slaves, in the order of their index.
	Slaves []Slave
	// Links are the interfaces that the Spec names as slaves, primary or active slave and
	// that are not slaves of the bond, and one that has the bond's name and is none. What is not
	// here does not exist.
	Links []LinkInfo
}

// Disruption says what a change takes, from the least to the most.
type Disruption uint8

// The degrees of disruption.
const (
	// DisruptionNone: traffic goes on.
	DisruptionNone Disruption = iota
	// DisruptionDown: the bond is switched off and on again. Its routes, and by
	// default its IPv6 addresses, are lost.
	DisruptionDown
	// DisruptionRelease: the bond is switched off, and slaves are released and enslaved again; or all slaves that it
	// has are released, be it for others.
	DisruptionRelease
	// DisruptionRecreate: the bond is deleted and made anew, with everything on
	// top of it: addresses, VLANs, membership of a bridge.
	DisruptionRecreate
)

var disruptionWords = []string{"none", "down", "release", "recreate"}

// String returns none, down, release or recreate.
func (d Disruption) String() string { return enumString("disruption", disruptionWords, d) }

// ParseDisruption reads what String returns.
func ParseDisruption(s string) (Disruption, error) {
	return enumParse[Disruption]("disruption", disruptionWords, nil, s)
}

// MarshalText implements [encoding.TextMarshaler].
func (d Disruption) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Disruption) UnmarshalText(text []byte) error {
	return enumUnmarshal(d, text, ParseDisruption)
}

// StepKind says what a [Step] does.
type StepKind uint8

// The kinds of steps.
const (
	StepCreate   StepKind = iota + 1 // make the bond, with Options, MAC, MTU and TxQueues
	StepDelete                       // delete the bond
	StepDown                         // switch Link off
	StepUp                           // switch Link on
	StepSetMAC                       // give Link the hardware address MAC
	StepSetMTU                       // give Link the MTU
	StepRelease                      // release the slave Link
	StepSet                          // set Options on the bond, in one message
	StepEnslave                      // make Link a slave
	StepSetSlave                     // set SlaveOptions on the slave Link
)

var stepWords = []string{"step(0)", "create", "delete", "down", "up", "set mac", "set mtu", "release", "set", "enslave", "set slave"}

// String returns the kind in lower case, such as "set slave".
func (k StepKind) String() string { return enumString("step", stepWords, k) }

// Step is one request to the kernel.
type Step struct {
	Kind StepKind
	// Link is the name of the interface that is changed. For StepEnslave and StepRelease it is the slave, and
	// Bond the bond that takes or loses it.
	Link, Bond string
	// Options are for StepCreate and StepSet, SlaveOptions for StepSetSlave, and
	// MAC, MTU and TxQueues for the kinds that name them.
	Options      Options
	SlaveOptions SlaveOptions
	MAC          net.HardwareAddr
	MTU          int
	TxQueues     int
	// Why says what makes the step necessary, such as "mode can be changed only
	// without slaves".
	Why string
}

// Plan is how to get from a [State] to a [Spec]: what is to be done, in order.
type Plan struct {
	// Name is the name of the bond.
	Name string
	// Steps are empty where the State is as the Spec wants it.
	Steps []Step
	// Disruption is the most disruptive that the steps are.
	Disruption Disruption
	// Missing are the slaves of the Spec that do not exist.
	Missing []string
	// Issues are the errors and warnings of [Validate] about what the bond will
	// be.
	Issues Issues
}
