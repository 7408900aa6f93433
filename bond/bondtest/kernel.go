// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/bondkit/bondkit/bond"
)

// Config says which kernel a [Kernel] plays. The zero Config, and a nil one, mean the
// newest release with its defaults.
type Config struct {
	// Release is the kernel, empty for Release72.
	Release Release
	// Ignore are options that this kernel does not know, besides those that the release does
	// not.
	Ignore []bond.Option
	// Queue is how many messages a Subscription holds, 0 for 512. When there are
	// more, all are thrown away, and Receive returns an error that matches bond.ErrOverrun.
	Queue int
	// Seed is that of the random hardware addresses.
	Seed uint64
	// NoBonding says that there is no bonding driver.
	NoBonding bool
	// Defaults are what a new bond has instead of the defaults of the table, as parameters of
	// the module say. Lists and links are not looked at.
	Defaults bond.Options
}

// Kernel is the interfaces of one network namespace, and the rules by which
// they change. It is safe for concurrent use. Make one with [NewKernel].
type Kernel struct {
	release  Release
	ignore   []bond.Option
	queue    int
	noModule bool
	defaults [64]int64
	rand     *rand.Rand // guarded by mu

	mu     sync.Mutex
	links  []*link // by index
	next   int
	unsaid []*link // bonds whose carrier changed
	as     actor   // who causes what is happening
	log    []bond.Message
	subs   []*subscription
	holds  int // how often Hold was called and not released
	before func(bond.Message) error
	after  func(bond.Message) error
	hang   func(bond.Message) bool
}

// actor is who does something.
type actor struct {
	admin  bool // CAP_NET_ADMIN over the network namespace
	initNS bool // and in the initial user namespace
}

var root = actor{admin: true, initNS: true}

// NewKernel returns a kernel without interfaces. It panics on a Release, or on Defaults, that
// cannot be.
func NewKernel(cfg *Config) *Kernel {
	if cfg == nil {
		cfg = &Config{}
	}
	k := &Kernel{
		release: cfg.Release, ignore: slices.Clone(cfg.Ignore), queue: cfg.Queue, noModule: cfg.NoBonding,
		rand: rand.New(rand.NewPCG(cfg.Seed, 0)), next: 1, as: root,
	}
	if k.release == "" {
		k.release = Release72
	}
	if !slices.Contains(Releases(), k.release) {
		panic(fmt.Sprintf("bondtest: no release %q", k.release))
	}
	if k.queue <= 0 {
		k.queue = 512
	}
	for opt := range bond.AllOptions() {
		if info := opt.Info(); !info.Slave {
			k.defaults[opt] = info.Default
		}
	}
	data, err := cfg.Defaults.AppendAttrs(nil)
	if err != nil {
		panic(fmt.Sprintf("bondtest: defaults: %v", err))
	}
	for a := range attrs(data, 0) {
		if info := bond.Option(a.typ).Info(); info.Size > 0 && info.Kind != bond.KindLink && info.Kind != bond.KindMAC {
			k.defaults[a.typ] = number(&info, a.data)
		}
	}
	return k
}

// Supports reports whether the kernel knows the option.
func (k *Kernel) Supports(opt bond.Option) bool {
	return k.release.Supports(opt) && !slices.Contains(k.ignore, opt)
}

// link is an interface.
type link struct {
	index   int
	name    string
	kind    string
	typ     uint16
	up      bool
	carrier bool // of the cable; a bond's own
	flags   uint32
	mac     net.HardwareAddr
	// random says that nobody chose the address.
	random   bool
	mtu      int
	txQueues int
	noSetMAC bool
	busy     bool
	speed    int
	master   *link
	bond     *bondState  // of a bond
	slave    *slaveState // of a slave of a bond
	unknown  []bond.Attr
}

// bondState is what a bond has besides.
type bondState struct {
	// num has the options that are numbers. Those that are rounded to miimon are
	// multiples of it, as in the kernel, and so hide while it is 0.
	num      [64]int64
	targets  []netip.Addr
	targets6 []netip.Addr
	system   [6]byte
	// primaryName is what was asked for, and primary the slave of that name.
	primaryName  string
	primary      *link
	forcePrimary bool
	active       *link
	slaves       []*link
	ad           *bond.ADInfo
	lacpPlayed   bool
	// gone are the counters of slaves that were released.
	gone bond.Stats
}

func (b *bondState) mode() bond.Mode { return bond.Mode(b.num[bond.OptionMode]) }

func (b *bondState) monitored() bool {
	return b.num[bond.OptionMIIMon] != 0 || b.num[bond.OptionARPInterval] != 0
}

// slaveState is what a slave has besides.
type slaveState struct {
	backup   bool
	mii      bond.MIIStatus
	failures uint32
	perm     net.HardwareAddr
	mtu      int
	queueID  uint16
	prio     int32
	portPrio uint16
	lacp     LACP
	stats    bond.Stats
}

// running reports whether the interface is up and has a carrier.
func (l *link) running() bool { return l.up && l.carrier }

// LinkConfig says what an interface is like. The zero LinkConfig, and a nil one, mean
// an Ethernet interface that is down and has a cable.
type LinkConfig struct {
	// Kind is what kind of virtual interface it is, such as "veth", empty for
	// none. Bonds are made by requests. A "bridge" can have ports.
	Kind string
	// Type is the hardware type, 0 for Ethernet (1). InfiniBand (32) has addresses of
	// 20 bytes.
	Type uint16
	// Index is its index, 0 for the next.
	Index int
	// MAC is its hardware address, nil for a random one.
	MAC net.HardwareAddr
	// MTU is its MTU, 0 for 1500.
	MTU int
	// Up says that it is switched on, and NoCarrier that nothing is at the other
	// end.
	Up, NoCarrier bool
	// NoSetMAC says that the driver cannot change the address.
	NoSetMAC bool
	// Busy says that something holds it that is no bond and no bridge, such as a macvlan.
	Busy bool
	// Bridge is the name of the bridge that it is a port of, if any.
	Bridge string
	// Speed is in Mbit/s, 0 for 10000.
	Speed int
	// TxQueues is the number of transmit queues, 0 for 1.
	TxQueues int
}

// AddLink makes an interface and returns its index. It panics where the name or
// the index is taken, or the name is none.
func (k *Kernel) AddLink(name string, lc *LinkConfig) int {
	if lc == nil {
		lc = &LinkConfig{}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byName(name) != nil || !validName(name) || lc.Kind == "bond" || lc.Index < 0 || k.byIndex(lc.Index) != nil {
		panic(fmt.Sprintf("bondtest: cannot make interface %q of kind %q with index %d", name, lc.Kind, lc.Index))
	}
	l := &link{
		index: lc.Index, name: name, kind: lc.Kind, typ: lc.Type, up: lc.Up, carrier: !lc.NoCarrier,
		flags: iffBroadcast | iffMulticast, mac: slices.Clone(lc.MAC), mtu: lc.MTU, txQueues: max(lc.TxQueues, 1),
		noSetMAC: lc.NoSetMAC, busy: lc.Busy, speed: lc.Speed,
	}
	if l.typ == 0 {
		l.typ = arphrdEther
	}
	if l.kind == "dummy" {
		l.flags = iffBroadcast | iffNoARP
	}
	if l.mtu == 0 {
		l.mtu = 1500
	}
	if l.speed == 0 {
		l.speed = 10000
	}
	if l.mac == nil {
		l.mac = k.randomMAC()
		if l.typ == arphrdInfiniband {
			l.mac = append(make(net.HardwareAddr, 14, 20), l.mac...)
		}
	}
	if lc.Bridge != "" {
		l.master = k.mustFind(lc.Bridge)
		if l.master.kind != "bridge" {
			panic(fmt.Sprintf("bondtest: %q is no bridge", lc.Bridge))
		}
	}
	k.insert(l)
	k.notify(l, eventNone)
	return l.index
}

// insert gives l an index, unless it has one, and a place.
func (k *Kernel) insert(l *link) {
	for l.index == 0 {
		if k.byIndex(k.next) == nil {
			l.index = k.next
		}
		k.next++
	}
	k.links = append(k.links, l)
	slices.SortFunc(k.links, func(a, b *link) int { return a.index - b.index })
}

// Index returns the index of an interface, 0 if there is none of that name.
func (k *Kernel) Index(name string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l := k.byName(name); l != nil {
		return l.index
	}
	return 0
}

// Names returns the names of all interfaces in the order of their index.
func (k *Kernel) Names() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var names []string
	for _, l := range k.links {
		names = append(names, l.name)
	}
	return names
}

func (k *Kernel) byIndex(index int) *link {
	i := slices.IndexFunc(k.links, func(l *link) bool { return l.index == index })
	if i < 0 {
		return nil
	}
	return k.links[i]
}

func (k *Kernel) byName(name string) *link {
	i := slices.IndexFunc(k.links, func(l *link) bool { return l.name == name })
	if i < 0 {
		return nil
	}
	return k.links[i]
}

// mustFind is byName for the methods of users, who make a mistake if there is
// none.
func (k *Kernel) mustFind(name string) *link {
	l := k.byName(name)
	if l == nil {
		panic(fmt.Sprintf("bondtest: no interface %q", name))
	}
	return l
}

func (k *Kernel) mustFindBond(name string) *link {
	l := k.mustFind(name)
	if l.bond == nil {
		panic(fmt.Sprintf("bondtest: %q is no bond", name))
	}
	return l
}

func (k *Kernel) mustFindSlave(name string) *link {
	l := k.mustFind(name)
	if l.slave == nil {
		panic(fmt.Sprintf("bondtest: %q is no slave of a bond", name))
	}
	return l
}

// randomMAC returns a locally administered unicast address.
func (k *Kernel) randomMAC() net.HardwareAddr {
	v := k.rand.Uint64()
	return net.HardwareAddr{byte(v)&^1 | 2, byte(v >> 8), byte(v >> 16), byte(v >> 24), byte(v >> 32), byte(v >> 40)}
}

// validName is dev_valid_name of the kernel's net/core/dev.c.
func validName(name string) bool {
	if name == "" || len(name) >= 16 || name == "." || name == ".." {
		return false
	}
	for _, c := range []byte(name) {
		if c == '/' || c == ':' || c == ' ' || c >= '\t' && c <= '\r' || c == 0xa0 {
			return false
		}
	}
	return true
}
