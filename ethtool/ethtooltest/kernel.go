// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/bondkit/bondkit/ethtool"
)

// Config says which kernel a [Kernel] plays. The zero Config, and a nil one, mean the
// newest release.
type Config struct {
	// Release is what uname -r prints, such as "6.1.0-40-amd64", empty for Release72. The
	// numbers decide what the kernel can do. From 5.6 on it has the family ethtool, from
	// 5.7 on private flags in it; before, they are there by ioctl only.
	Release string
	// NoDevlink says that the kernel was built without the family devlink.
	NoDevlink bool
	// Queue is how many notifications a Subscription holds, 0 for 512. When there are more, all
	// are thrown away, and Receive returns an error that matches ethtool.ErrOverrun.
	Queue int
}

// Kernel is the interfaces of one network namespace, and the devices of a machine. It is safe
// for concurrent use. Make one with [NewKernel].
type Kernel struct {
	release   string
	version   version
	noDevlink bool
	queue     int

	mu       sync.Mutex
	nics     []*nic // by index
	devlinks []*devlink
	next     int
	log      []Call
	subs     []*subscription
	holds    int
	before   func(Call) error
	after    func(Call) error
	hang     func(Call) bool
	mangle   func(Call, []byte) []byte
}

// nic is an interface that has been added.
type nic struct {
	NIC
	name string
	// effect is in what state the hardware is, flag by flag, and first what it
	// was at first.
	effect, first []bool
}

// devlink is a devlink instance.
type devlink struct {
	Devlink
	handle string
}

// NewKernel returns a kernel without interfaces. It panics on a Release that does not begin
// with two numbers.
func NewKernel(cfg *Config) *Kernel {
	if cfg == nil {
		cfg = &Config{}
	}
	k := &Kernel{release: cmp.Or(cfg.Release, Release72), noDevlink: cfg.NoDevlink, queue: cfg.Queue, next: 1}
	k.version = mustVersion(k.release)
	if k.queue <= 0 {
		k.queue = 512
	}
	return k
}

// Add makes an interface and returns its index. The NIC is copied; a nil one is the zero NIC. It
// panics where the name or the index is taken, or where NIC makes no sense.
func (k *Kernel) Add(name string, config *NIC) int {
	if config == nil {
		config = &NIC{}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	n := &nic{NIC: config.clone(), name: name}
	if k.byName(name) != nil || !validName(name) || n.Index < 0 || n.Index > 0 && k.byIndex(n.Index) != nil {
		panic(fmt.Sprintf("ethtooltest: cannot make interface %q with index %d", name, n.Index))
	}
	for n.Index == 0 {
		if k.byIndex(k.next) == nil {
			n.Index = k.next
		}
		k.next++
	}
	k.complete(n)
	for _, f := range n.PrivateFlags {
		n.first = append(n.first, f.On)
	}
	n.effect = slices.Clone(n.first)
	k.nics = append(k.nics, n)
	slices.SortFunc(k.nics, func(a, b *nic) int { return a.Index - b.Index })
	k.notifyLink(n, rtmNewLink)
	return n.Index
}

// complete checks what was given, and fills in what was not.
func (k *Kernel) complete(n *nic) {
	for _, name := range []string{n.Master, n.Lower} {
		if name != "" {
			k.mustFind(name)
		}
	}
	mustWord("macvlan mode", macvlanModes, n.MacvlanMode)
	mustWord("bridge mode", bridgeModes, n.BridgeMode)
	if n.Bond != nil {
		mustWord("bond mode", bondModes, n.Bond.Mode)
		mustWord("arp_validate", arpValidates, n.Bond.ARPValidate)
		mustWord("fail_over_mac", failOverMACs, n.Bond.FailOverMAC)
	}
	if n.Slave != nil {
		mustWord("MII status", miiStatuses, n.Slave.MIIStatus)
	}
	if n.Parent != "" && strings.Count(n.Parent, "/") != 1 {
		panic(fmt.Sprintf("ethtooltest: %s has the parent %q, which is no bus and address", n.name, n.Parent))
	}
	n.Type = cmp.Or(n.Type, typeEther)
	n.MTU = cmp.Or(n.MTU, 1500)
	if n.MAC == nil {
		n.MAC = slices.Clone(n.PermMAC)
	}
	if n.MAC == nil && n.Type == typeEther {
		n.MAC = net.HardwareAddr{0x02, 0, 0, 0, byte(n.Index >> 8), byte(n.Index)}
	}
	if len(n.PrivateFlags) > 0 {
		n.PrivateFlags = slices.DeleteFunc(n.PrivateFlags, func(f Flag) bool { return !k.version.within(f.Since, f.Until) })
		if len(n.PrivateFlags) == 0 {
			n.PrivateFlags = nil
		}
	}
	if d := n.Devlink; d != nil {
		if n.Parent == "" {
			panic(fmt.Sprintf("ethtooltest: %s has devlink, and no parent", n.name))
		}
		if k.findDevlink(n.Parent) == nil {
			k.addDevlink(n.Parent, d)
		}
	}
}

// AddDevlink makes a devlink instance that has no interface, such as that of a NIC whose firmware is in
// recovery mode. Handle is bus and address. It panics where there is one already.
func (k *Kernel) AddDevlink(handle string, d *Devlink) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if strings.Count(handle, "/") != 1 || k.findDevlink(handle) != nil {
		panic(fmt.Sprintf("ethtooltest: cannot make a devlink instance %q", handle))
	}
	k.addDevlink(handle, d)
}

func (k *Kernel) addDevlink(handle string, d *Devlink) {
	if !k.version.within(d.Since, "") {
		return
	}
	dl := &devlink{Devlink: *d.clone(), handle: handle}
	dl.Reporters = slices.DeleteFunc(dl.Reporters, func(r Reporter) bool { return !k.version.within(r.Since, "") })
	k.devlinks = append(k.devlinks, dl)
}

// Index returns the index of an interface, 0 if there is none of that name.
func (k *Kernel) Index(name string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := k.byName(name); n != nil {
		return n.Index
	}
	return 0
}

// Link returns index and name of an interface. It panics if there is none.
func (k *Kernel) Link(name string) ethtool.Link {
	k.mu.Lock()
	defer k.mu.Unlock()
	return ethtool.Link{Index: k.mustFind(name).Index, Name: name}
}

// Names returns the names of all interfaces in the order of their index.
func (k *Kernel) Names() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var names []string
	for _, n := range k.nics {
		names = append(names, n.name)
	}
	return names
}

// NIC returns a copy of what an interface is now.
func (k *Kernel) NIC(name string) NIC {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	c := n.clone()
	if d := k.findDevlink(n.Parent); d != nil {
		c.Devlink = d.Devlink.clone()
	}
	return c
}

// Update has change called with an interface, to make of it what it likes, except that the
// private flags must remain as many. It sends no notification. Change may not call methods
// of the Kernel.
func (k *Kernel) Update(name string, change func(*NIC)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	c := n.clone()
	dl := k.findDevlink(n.Parent)
	if dl != nil {
		c.Devlink = dl.Devlink.clone()
	}
	index, flags := c.Index, len(c.PrivateFlags)
	change(&c)
	if c.Index != index || len(c.PrivateFlags) != flags {
		panic(fmt.Sprintf("ethtooltest: %s cannot change its index or the number of its private flags", name))
	}
	if dl != nil && c.Devlink != nil {
		dl.Devlink = *c.Devlink.clone()
	}
	n.NIC = c.clone()
	k.complete(n)
	for i, f := range n.PrivateFlags {
		n.effect[i] = f.On
	}
}

// Remove takes an interface away, as when its driver is unbound or it is moved to
// another namespace.
func (k *Kernel) Remove(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	k.nics = slices.DeleteFunc(k.nics, func(o *nic) bool { return o == n })
	for _, o := range k.nics {
		if o.Master == name {
			o.Master, o.Slave = "", nil
		}
	}
	k.notifyLink(n, rtmDelLink)
}

// Rename gives an interface another name.
func (k *Kernel) Rename(name, to string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	if k.byName(to) != nil || !validName(to) {
		panic(fmt.Sprintf("ethtooltest: cannot rename %s to %q", name, to))
	}
	n.name = to
	for _, o := range k.nics {
		for _, of := range []*string{&o.Master, &o.Lower} {
			if *of == name {
				*of = to
			}
		}
		if o.Bond != nil && o.Bond.ActiveSlave == name {
			o.Bond.ActiveSlave = to
		}
	}
	k.notifyLink(n, rtmNewLink)
}

// SetUp switches an interface on or off.
func (k *Kernel) SetUp(name string, up bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	k.changeLink(n, func() { n.Down = !up })
}

// SetCarrier plugs the cable of an interface in, or pulls it.
func (k *Kernel) SetCarrier(name string, carrier bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	k.changeLink(n, func() { n.NoCarrier = !carrier })
}

// SetAway makes a device one that is suspended or is being reset, and back. Requests for it fail
// with ENODEV meanwhile, from Linux 5.15 on without a text.
func (k *Kernel) SetAway(name string, away bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mustFind(name).Away = away
}

// ResetDevice is a reset of the whole device, for whatever reason: carrier goes and comes, and flags
// that are Forgotten are not in effect any more, though they read as before.
func (k *Kernel) ResetDevice(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	for i, f := range n.PrivateFlags {
		if f.Forgotten {
			n.effect[i] = n.first[i]
		}
	}
	k.flap(n)
}

// InEffect reports the state in which the hardware is, which no request tells. It
// panics if the interface has no such flag.
func (k *Kernel) InEffect(name, flag string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	return n.effect[n.mustFlag(flag)]
}

// Flag reports what a private flag reads. It panics if the interface has no such flag.
func (k *Kernel) Flag(name, flag string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	return n.PrivateFlags[n.mustFlag(flag)].On
}

// SetFlag is another program that changes a private flag over netlink, which the kernel
// announces. It returns what the driver says.
func (k *Kernel) SetFlag(name, flag string, on bool) error { return k.setFlag(name, flag, on, true) }

// SetFlagByIoctl is another program that changes a private flag by ioctl, which the
// kernel does not announce. It returns what the driver says.
func (k *Kernel) SetFlagByIoctl(name, flag string, on bool) error {
	return k.setFlag(name, flag, on, false)
}

func (k *Kernel) setFlag(name, flag string, on, netlink bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.mustFind(name)
	want := n.flagBits()
	i := n.mustFlag(flag)
	want[i] = on
	if netlink && slices.Equal(want, n.flagBits()) {
		return nil
	}
	if err := k.driverSetFlags(n, want); err != nil {
		return err
	}
	if netlink {
		k.notifyFlags(n)
	}
	return nil
}

func (n *nic) mustFlag(name string) int {
	i := slices.IndexFunc(n.PrivateFlags, func(f Flag) bool { return f.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("ethtooltest: %s has no private flag %q", n.name, name))
	}
	return i
}

func (k *Kernel) byIndex(index int) *nic {
	i := slices.IndexFunc(k.nics, func(n *nic) bool { return n.Index == index })
	if i < 0 {
		return nil
	}
	return k.nics[i]
}

func (k *Kernel) byName(name string) *nic {
	i := slices.IndexFunc(k.nics, func(n *nic) bool { return n.name == name })
	if i < 0 {
		return nil
	}
	return k.nics[i]
}

// mustFind is byName for the methods of users, who make a mistake if there is none.
func (k *Kernel) mustFind(name string) *nic {
	n := k.byName(name)
	if n == nil {
		panic(fmt.Sprintf("ethtooltest: no interface %q", name))
	}
	return n
}

// indexOf returns the index of an interface that may be missing.
func (k *Kernel) indexOf(name string) int {
	if n := k.byName(name); n != nil {
		return n.Index
	}
	return 0
}

// running reports whether the interface is up and has carrier.
func (n *nic) running() bool { return !n.Down && !n.NoCarrier }

// changeLink makes a change that may change carrier, and announces it.
func (k *Kernel) changeLink(n *nic, change func()) {
	before := n.running()
	change()
	if n.running() != before {
		n.CarrierChanges++
	}
	k.notifyLink(n, rtmNewLink)
}

// flap is what a reset of the port does to carrier.
func (k *Kernel) flap(n *nic) {
	if n.running() {
		n.CarrierChanges += 2
	}
	k.notifyLink(n, rtmNewLink)
}

// validName is dev_valid_name of the kernel's net/core/dev.c.
func validName(name string) bool {
	return name != "" && len(name) <= nameMax && name != "." && name != ".." && !strings.ContainsAny(name, "/: \t\n\v\f\r") && strings.IndexByte(name, 0xa0) < 0
}
