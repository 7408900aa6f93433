// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
)

// IdentityPolicy says who the probes of a [Monitor] are from.
type IdentityPolicy uint8

const (
	// IdentityAuto gives each slave a MAC address that no interface of the
	// network namespace and no other probe has: a permanent address of the
	// slave where that is so, else a locally administered one computed from
	// the machine's identity and the slave's name, the same after a restart and
	// in any order of the slaves. It is the default, and safe on every slave.
	// An address that the slave itself has now is not taken, because it becomes
	// the bond's when the slave becomes active.
	IdentityAuto IdentityPolicy = iota
	// IdentityDevice probes with the slave's own MAC address. It is refused
	// where a slave that does not carry the traffic has the same address as
	// another interface whose frames leave elsewhere, such as its bond or another
	// slave: one frame would have the switches send the bond's traffic there.
	// Several slaves with one MAC address are refused also where all of them
	// carry traffic, as in the modes 802.3ad and balance-rr: only one of them can be
	// probed through then.
	// It suits the active slave alone, and bonds with fail_over_mac=active. The
	// Monitor learns of a failover a moment after the kernel made it, so
	// where both slaves share an address IdentityAuto is better.
	IdentityDevice
	// IdentityExplicit probes with the addresses of MonitorConfig.MACs. They
	// are refused where IdentityDevice would be, and where they belong to
	// somebody else in the network namespace.
	IdentityExplicit
)

var identityPolicies = []string{"auto", "device", "explicit"}

// String returns "auto", "device" or "explicit".
func (p IdentityPolicy) String() string { return word(identityPolicies, uint8(p), "identity") }

// MarshalText implements [encoding.TextMarshaler].
func (p IdentityPolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *IdentityPolicy) UnmarshalText(b []byte) error {
	return number(identityPolicies, b, (*uint8)(p), "identity")
}

// MonitorConfig says what a [Monitor] does. Slaves and Config.Targets must be
// set; every other zero value is a good default.
type MonitorConfig struct {
	// Config is the configuration of the engine. MaxSlaves is raised to the
	// number of Slaves, and a zero Seed is replaced by one that differs between
	// machines.
	Config

	// Slaves are the names of the interfaces to probe through. They must
	// exist when the Monitor starts, and may vanish and return later.
	Slaves []string
	// Active is the name of the slave that carries the traffic now, where the
	// slaves are not those of a kernel bond. The slaves of a kernel bond have
	// the bond's own active slave, and Active must be empty.
	Active string

	// Identity says who the probes are from.
	Identity IdentityPolicy
	// MACs are the probes' MAC addresses by the slave's name, for
	// IdentityExplicit only.
	MACs map[string]net.HardwareAddr
	// Sender is the sender protocol address of the probes. The zero Addr means
	// 0.0.0.0 (RFC 5227), which disturbs no neighbour cache. Another address
	// must be an IPv4 address that this host does not have, unless the probe's
	// MAC address is the one that the address is reached at. No other host on
	// the network may have it either, which the Monitor cannot see: the targets
	// would send that host's traffic to the slave. Probing stops as soon as the
	// address becomes one of this host's in an unsafe way.
	Sender netip.Addr
	// MachineID is what identifies the machine where MAC addresses are computed,
	// of which it is a key and not a part. Empty means the content of
	// /etc/machine-id, or without that file the host name. Machines that were
	// cloned with one machine-id and share a network need one each: they
	// would probe from the same addresses. So do containers and network
	// namespaces of one machine that share /etc/machine-id, or that have no
	// identity but a host name such as localhost, where their slaves have equal
	// names and are on one network.
	MachineID string

	// NetNS is a file descriptor of the network namespace of the slaves, and
	// NetNSPath its path. At most one may be set; neither means the namespace
	// of the calling thread. The descriptor stays the caller's, and is not
	// used after NewMonitor returned. To enter another namespace than the
	// thread's, NewMonitor needs CAP_SYS_ADMIN over both; Run does not.
	NetNS     int
	NetNSPath string

	// Logger gets what an operator should see: every event once, from
	// slog.LevelDebug for a pair to slog.LevelError for a group failure,
	// interfaces that go and come, and why a slave is not probed. Nil discards
	// it. A Logger that blocks holds up nothing but the return of Run.
	Logger *slog.Logger
}

// A Monitor probes through the slaves of one bond on Linux and knows which of
// them reach the targets. It needs CAP_NET_RAW, in the user namespace that owns
// the slaves' network namespace, when it is made, and no privilege later.
//
// It follows a slave by its interface index, through renames. An interface that
// is deleted or moved to another namespace has no link; one that appears later
// under its last name takes its place. The MAC address of a slave's probes stays
// as long as nobody else in the namespace has it. The interface is asked to
// receive frames to that address, for which drivers that cannot filter by several
// addresses become promiscuous.
//
// Each slave has two packet sockets. One takes only what can be an answer to a
// probe; a flood of anything else cannot fill it. The other takes ARP
// frames that are evidence: of a target, or to the probe's address, and wrong in
// some way. Of those it looks at 64 at most whenever it wakes up to probe, so
// their counters lag behind; what is too much is dropped and counted.
//
// Time is CLOCK_MONOTONIC, which stands still while the machine is suspended.
// When the process did not run for a while, all answers that came meanwhile are
// taken before anything is judged, and the schedule goes on from there.
//
// All methods may be called from any goroutine.
type Monitor struct{ m *monitor }

// NewMonitor checks the configuration and opens the sockets. Nothing is sent
// before [Monitor.Run].
//
// The error is an [*Error]. Before any socket is opened it matches ErrNoTargets,
// ErrNoSlave (none was named, or Active or MACs name another one), ErrTooMany,
// ErrDuplicate, ErrBadTarget, ErrUnsupportedTarget, ErrInterval, ErrPacketBudget,
// ErrPolicy, ErrUnsafeIdentity or os.ErrInvalid. Then it matches what the system
// said about NetNS or NetNSPath, os.ErrNotExist for an interface that is not
// there, ErrDuplicate for one that is named twice, by its alternative name,
// errors.ErrUnsupported for one that is not Ethernet, os.ErrInvalid for Active
// beside the slave of a kernel bond, ErrUnsafeIdentity, os.ErrPermission without
// CAP_NET_RAW, and errors.ErrUnsupported on other systems than Linux.
func NewMonitor(cfg MonitorConfig) (*Monitor, error) {
	m, err := newMonitor(cfg)
	if err != nil {
		return nil, err
	}
	return &Monitor{m}, nil
}

// Run probes until ctx is done and then returns nil, or until the kernel no longer
// tells of links, which is an error. Before the first probe it takes notice of
// all that changed since NewMonitor. What happens to an interface or a socket of
// one never ends it. It may be called once: later calls return an error that
// matches os.ErrClosed, or os.ErrInvalid while it runs. When it returns, all
// sockets are closed and its goroutines have ended; the last state stays
// readable.
func (m *Monitor) Run(ctx context.Context) error { return m.m.run(ctx) }

// Close frees the sockets of a Monitor that has not been running. After Run it does
// nothing, and while Run runs it returns an error that matches os.ErrInvalid.
func (m *Monitor) Close() error { return m.m.close() }

// Config returns the engine's configuration with all defaults filled in. Its
// Bound is the longest time from a fault to the verdict.
func (m *Monitor) Config() Config { return m.m.config() }

// Changed returns a channel that gets a value when something may have changed
// since it was last read. It holds one value: a slow reader sees that something
// changed, not how often. Several readers need several looks: one of them gets
// the value.
func (m *Monitor) Changed() <-chan struct{} { return m.m.changed }

// Reachable reports whether a slave is Up or Suspect. It costs one look-up in a
// map that never changes and one atomic load. It is false for a name that is
// not one of MonitorConfig.Slaves.
func (m *Monitor) Reachable(slave string) bool { return m.m.reachable(slave) }

// ID returns the engine's name for a slave, under which events and the snapshot
// speak of it, or 0 for a name that is not one of MonitorConfig.Slaves. It does
// not change while the Monitor lives, also when the interface vanishes and
// returns.
func (m *Monitor) ID(slave string) SlaveID { return m.m.id(slave) }

// Name returns the interface's present name for a slave: the kernel's new name
// after it was renamed, the last one while it is gone.
func (m *Monitor) Name(id SlaveID) string { return m.m.name(id) }

// State returns the verdict on a slave, or SlaveUnknown.
func (m *Monitor) State(slave string) (SlaveState, Reason) { return m.m.state(slave) }

// Err says why no probe leaves on a slave although its interface is there: an
// [*Error] that matches ErrUnsafeIdentity where that would misdirect
// traffic now, or what the system said when a socket was bound. The slave has no
// link then, as far as verdicts go. Err returns nil where probes may
// leave, and also while the interface is gone or has no link, or probing was
// stopped (see [EventStopped]). For a name that is not one of MonitorConfig.Slaves
// the error matches ErrNoSlave.
func (m *Monitor) Err(slave string) error { return m.m.slaveError(slave) }

// Group returns the verdict on all slaves together.
func (m *Monitor) Group() GroupState { return m.m.group() }

// EventsSince is [Engine.EventsSince].
func (m *Monitor) EventsSince(seq uint64, dst []Event) (n int, next, lost uint64) {
	return m.m.eventsSince(seq, dst)
}

// Snapshot is [Engine.Snapshot]. Times are those of CLOCK_MONOTONIC; see
// [Monitor.Now].
func (m *Monitor) Snapshot(dst *Snapshot) { m.m.snapshot(dst) }

// Now returns the present time on the clock of events and snapshots.
func (m *Monitor) Now() int64 { return m.m.now() }

// MonitorStats counts what concerns the Monitor itself.
type MonitorStats struct {
	// Engine are the counters of the engine, stalls among them.
	Engine Stats `json:"engine"`
	// VerdictDrops and EvidenceDrops count frames that the kernel dropped
	// because a socket was full.
	VerdictDrops  uint64 `json:"verdict_drops"`
	EvidenceDrops uint64 `json:"evidence_drops"`
	// Reopened counts the sockets that were opened again after their
	// interface had vanished.
	Reopened uint64 `json:"reopened"`
	// Resyncs counts how often link events were lost and all links read anew.
	Resyncs uint64 `json:"resyncs"`
	// KernelMonitor says that the slaves' bond has arp_interval set now, so
	// that the kernel monitor counts our probes as its traffic.
	KernelMonitor bool `json:"kernel_monitor"`
}

// Stats returns the counters.
func (m *Monitor) Stats() MonitorStats { return m.m.stats() }

// SetTargets is [Engine.SetTargets]. It also fails, with ErrUnsafeIdentity, where
// MonitorConfig.Sender is one of the targets, and with what the system said where
// a socket does not take the new filter. The targets are as before then, but
// those that were to go are judged anew.
func (m *Monitor) SetTargets(targets []Target) error { return m.m.setTargets(targets) }

// SetActive names the slave that carries the traffic, or none with "", where
// the slaves are not those of a kernel bond. It fails with ErrNoSlave for a name
// that is not one of MonitorConfig.Slaves, with os.ErrInvalid where a bond says
// itself who is active, and with ErrUnsafeIdentity where a slave's probes would
// become unsafe; nothing has changed then.
func (m *Monitor) SetActive(slave string) error { return m.m.setActive(slave) }

// Resume is [Engine.Resume].
func (m *Monitor) Resume() bool { return m.m.resume() }
