// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
)

// Rig says what the slaves of the host are made of.
type Rig int

const (
	// RigVeth makes the slaves veth devices. It is the zero value.
	RigVeth Rig = iota
	// RigVEPA makes the slaves macvlan devices of mode vepa over the veths. Such
	// a device drops the broadcasts it sent itself when a switch sends them
	// back, as a NIC with source pruning does. It never delivers a second
	// unicast MAC, so it serves for the verdict of the kernel only.
	RigVEPA
)

// String returns veth or vepa.
func (r Rig) String() string {
	switch r {
	case RigVeth:
		return "veth"
	case RigVEPA:
		return "vepa"
	}
	return "rig(" + strconv.Itoa(int(r)) + ")"
}

// Config says what network to build. Its zero value is valid, and so is a nil
// pointer in [New].
type Config struct {
	// Slaves is the number of slaves, 2 or 3. Zero means 2.
	Slaves int
	// Bond holds the words that follow "type bond" in the ip command, for
	// example {"mode", "active-backup", "miimon", "100"}. Nil builds no bond:
	// the lab then plays one. An empty slice that is not nil builds a bond with
	// the defaults of the kernel. New waits until its first slave is active, except
	// with arp_interval on a kernel before 6.0, whose monitor flaps over these devices.
	Bond []string
	// Rig says what the slaves are made of.
	Rig Rig
	// IPv6 leaves IPv6 on in every namespace and adds the addresses of
	// [Lab.Addr6]. By default IPv6 is off everywhere, because its router
	// solicitations and multicast reports look like life to a careless monitor.
	IPv6 bool
	// Chatty is the number of chatty hosts on each switch of a slave. Zero
	// means 3, which every fault can work with; the greatest value is 9.
	Chatty int
	// Trace receives every command that is run, with its input, one line each.
	// Nil discards. Writes do not overlap.
	Trace io.Writer
}

// Names of devices and namespaces that do not depend on the configuration.
const (
	HostName   = "host"   // namespace of the host
	FabricName = "fabric" // namespace of all switches
	BondName   = "bond0"  // the bond, where there is one
	HostDevice = "eth0"   // the device of every target and chatty host
)

// targetNames are the targets, all on the core.
var targetNames = []string{"A", "B"}

// Errors of New and of the methods of a Lab that a caller may test for.
var (
	// ErrClosed reports the use of a closed lab.
	ErrClosed = errors.New("lab is closed")
	// ErrConfig reports a configuration or argument that makes no sense.
	ErrConfig = errors.New("invalid argument")
)

// Lab is a running network. Its methods may be called from several goroutines.
type Lab struct {
	cfg     Config
	trace   *tracer
	fabric  *Namespace
	host    *Namespace
	targets map[string]*Namespace
	chatty  map[string]*Namespace // by name: c11, c12, ...

	mu       sync.Mutex
	closed   bool
	faults   map[*Fault]struct{}
	closers  map[io.Closer]struct{}
	sequence int
}

// New builds the network that cfg describes and returns when it is ready to
// carry traffic: all links have carrier, a bond has its first slave active, and
// the switches have learned the MAC of the host. Nil cfg means the zero Config.
//
// The caller needs the privilege to create network namespaces; see [Enter].
// Errors: ErrConfig; a [*MissingError] where a tool, a privilege or a kernel
// feature is missing (see [Check]); errors.ErrUnsupported on other systems than
// Linux; a [*CommandError] for a command that went wrong.
func New(ctx context.Context, cfg *Config) (*Lab, error) {
	var c Config
	if cfg != nil {
		c = *cfg
		c.Bond = slices.Clone(cfg.Bond)
	}
	if err := c.normalize(); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	l := &Lab{
		cfg:     c,
		trace:   &tracer{w: c.Trace},
		targets: make(map[string]*Namespace),
		chatty:  make(map[string]*Namespace),
		faults:  make(map[*Fault]struct{}),
		closers: make(map[io.Closer]struct{}),
	}
	if c.Bond != nil {
		if err := bondingLoaded(); err != nil {
			return nil, &MissingError{Missing: []error{err}}
		}
	}
	if err := l.build(ctx); err != nil {
		l.Close()
		// A command that failed for want of something is better explained by
		// what is missing than by its own words.
		if missing := Check(); missing != nil {
			err = missing
		}
		return nil, fmt.Errorf("lab: build: %w", err)
	}
	return l, nil
}

func (c *Config) normalize() error {
	if c.Slaves == 0 {
		c.Slaves = 2
	}
	if c.Chatty == 0 {
		c.Chatty = 3
	}
	switch {
	case c.Slaves < 2 || c.Slaves > 3:
		return fmt.Errorf("%w: %d slaves, want 2 or 3", ErrConfig, c.Slaves)
	case c.Chatty < 1 || c.Chatty > 9:
		return fmt.Errorf("%w: %d chatty hosts on each switch, want 1 to 9", ErrConfig, c.Chatty)
	case c.Rig != RigVeth && c.Rig != RigVEPA:
		return fmt.Errorf("%w: rig %v", ErrConfig, c.Rig)
	}
	return nil
}

// Close stops all generators and lets go of the namespaces, which ends them.
// It is safe to call it more than once.
func (l *Lab) Close() error {
	l.mu.Lock()
	l.closed = true
	faults := make([]*Fault, 0, len(l.faults))
	for f := range l.faults {
		faults = append(faults, f)
	}
	clear(l.faults)
	closers := make([]io.Closer, 0, len(l.closers))
	for c := range l.closers {
		closers = append(closers, c)
	}
	clear(l.closers)
	l.mu.Unlock()

	for _, f := range faults {
		f.abandon()
	}
	for _, c := range closers {
		c.Close()
	}
	var errs []error
	for _, n := range l.Namespaces() {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}

// track has Close close c too. It fails when the lab is closed already.
func (l *Lab) track(c io.Closer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.closers[c] = struct{}{}
	return nil
}

func (l *Lab) untrack(c io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.closers, c)
}

// Namespaces returns all namespaces of the lab, the fabric and the host first.
func (l *Lab) Namespaces() []*Namespace {
	var all []*Namespace
	if l.fabric != nil {
		all = append(all, l.fabric)
	}
	if l.host != nil {
		all = append(all, l.host)
	}
	for _, m := range []map[string]*Namespace{l.targets, l.chatty} {
		names := make([]string, 0, len(m))
		for name := range m {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			all = append(all, m[name])
		}
	}
	return all
}

// Host returns the namespace of the host, the one with the slaves.
func (l *Lab) Host() *Namespace { return l.host }

// Fabric returns the namespace of all switches.
func (l *Lab) Fabric() *Namespace { return l.fabric }

// Target returns the namespace of a target, "A" or "B", or nil.
func (l *Lab) Target(name string) *Namespace { return l.targets[name] }

// Chatty returns the namespace of chatty host k of switch i, both counted from
// one, or nil.
func (l *Lab) Chatty(i, k int) *Namespace { return l.chatty[chattyName(i, k)] }

// Targets returns the names of the targets.
func (l *Lab) Targets() []string { return slices.Clone(targetNames) }

// Slaves returns the names of the slaves, e1 first.
func (l *Lab) Slaves() []string {
	names := make([]string, 0, l.cfg.Slaves)
	for i := range l.cfg.Slaves {
		names = append(names, slaveName(i+1))
	}
	return names
}

// Device returns the device that has the address of the host: the bond, or the
// slave that was active at first.
func (l *Lab) Device() string {
	if l.cfg.Bond != nil {
		return BondName
	}
	return slaveName(1)
}

// Switch returns the name of the bridge in the fabric that slave i hangs on.
func (l *Lab) Switch(i int) string { return "sw" + strconv.Itoa(i) }

// Core returns the name of the bridge in the fabric that joins the switches.
func (l *Lab) Core() string { return "core" }

// Names of the devices of slave, switch and port number i.
func slaveName(i int) string     { return "e" + strconv.Itoa(i) }
func portName(i int) string      { return "p" + strconv.Itoa(i) }
func uplinkName(i int) string    { return "u" + strconv.Itoa(i) }
func downlinkName(i int) string  { return "d" + strconv.Itoa(i) }
func chattyName(i, k int) string { return fmt.Sprintf("c%d%d", i, k) }
func chattyPort(i, k int) string { return fmt.Sprintf("q%d%d", i, k) }
func targetPort(t string) string { return "t" + t }

// slave returns the number of a slave by its name.
func (l *Lab) slave(name string) (int, error) {
	i := slices.Index(l.Slaves(), name) + 1
	if i == 0 {
		return 0, fmt.Errorf("%w: no slave %q", ErrConfig, name)
	}
	return i, nil
}

// number checks the number of a slave or switch.
func (l *Lab) number(i int) error {
	if i < 1 || i > l.cfg.Slaves {
		return fmt.Errorf("%w: no slave or switch number %d", ErrConfig, i)
	}
	return nil
}

// target checks the name of a target.
func (l *Lab) target(name string) (*Namespace, error) {
	n := l.targets[name]
	if n == nil {
		return nil, fmt.Errorf("%w: no target %q", ErrConfig, name)
	}
	return n, nil
}

// BondMAC returns the MAC address of the host: of the bond, or of every slave
// where the lab plays the bond.
func (l *Lab) BondMAC() net.HardwareAddr { return slaveMAC(1) }

// Addr returns the IPv4 address of a namespace by its name ("host", "A", "B",
// "c11" and so on), or the zero Addr. All are in 192.0.2.0/24.
func (l *Lab) Addr(name string) netip.Addr {
	last := l.hostNumber(name)
	if last == 0 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{192, 0, 2, last})
}

// Addr6 returns the IPv6 address of a namespace by its name, or the zero Addr
// when the lab was built without IPv6. All are in 2001:db8::/64.
func (l *Lab) Addr6(name string) netip.Addr {
	last := l.hostNumber(name)
	if last == 0 || !l.cfg.IPv6 {
		return netip.Addr{}
	}
	return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: last})
}

// hostNumber returns the last byte of the address of a host: 10 for the host, 1
// and 2 for the targets, 100 + 10 i + k for chatty host k of switch i.
func (l *Lab) hostNumber(name string) byte {
	if name == HostName {
		return 10
	}
	if i := slices.Index(targetNames, name); i >= 0 {
		return byte(1 + i)
	}
	for i := range l.cfg.Slaves {
		for k := range l.cfg.Chatty {
			if name == chattyName(i+1, k+1) {
				return byte(100 + 10*(i+1) + k + 1)
			}
		}
	}
	return 0
}

// All MAC addresses of the lab are fixed and locally administered:
//
//	02:bd:00:00:00:0i  slave i (without a bond all slaves have that of slave 1)
//	02:bd:00:00:0a:0n  target n
//	02:bd:00:00:0c:ik  chatty host k of switch i
//	02:bd:00:00:b0:0i  macvlan lower device vi
//	02:bd:00:00:f0:xx  switches and their ports
func slaveMAC(i int) net.HardwareAddr     { return labMAC(0x00, byte(i)) }
func targetMAC(n int) net.HardwareAddr    { return labMAC(0x0a, byte(n)) }
func chattyMAC(i, k int) net.HardwareAddr { return labMAC(0x0c, byte(i<<4|k)) }
func lowerMAC(i int) net.HardwareAddr     { return labMAC(0xb0, byte(i)) }
func fabricMAC(n int) net.HardwareAddr    { return labMAC(0xf0, byte(n)) }

func labMAC(group, n byte) net.HardwareAddr {
	return net.HardwareAddr{0x02, 0xbd, 0x00, 0x00, group, n}
}
