// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"maps"
	"net"
	"slices"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/ethtool"
)

// NIC is what an interface is like: what rtnetlink tells of it, and what its driver does. The
// zero NIC is an Ethernet interface that is up, has carrier, and whose driver tells
// nothing. [Kernel.Add] copies it.
type NIC struct {
	// Index is the interface index, 0 for the next.
	Index int
	// Kind is the kind of virtual interface, such as "veth", empty for hardware.
	Kind string
	// Type is the hardware type (ARPHRD_), 0 for Ethernet (1).
	Type uint16
	// MAC is the present hardware address, nil for PermMAC, or one made of the index. PermMAC is
	// the one the device was made with, nil for none, as on veth.
	MAC, PermMAC net.HardwareAddr
	// MTU is 0 for 1500.
	MTU int
	// Down says that it is switched off, and NoCarrier that nothing is at the other end.
	Down, NoCarrier bool
	// CarrierChanges is how often carrier came or went.
	CarrierChanges uint32
	// Master is the bond or bridge that it belongs to, and Lower the interface below
	// it, by name. They must be there.
	Master, Lower string
	// MacvlanMode is the mode of a macvlan: private, vepa, bridge, passthru or source.
	MacvlanMode string
	// BridgeMode is the mode of the bridge in the NIC, "veb" or "vepa", and empty where
	// the driver has none.
	BridgeMode string
	// Bond are the options of a bond, and Slave what a bond tells of its slave.
	Bond  *Bond
	Slave *Slave
	// Parent is bus and address of the device, such as "pci/0000:3b:00.0", and empty
	// for virtual interfaces. It is the handle of Devlink too.
	Parent string

	// Driver, Version, Bus, Firmware and ExpansionROM are what ETHTOOL_GDRVINFO tells.
	// Without a Driver it tells nothing (EOPNOTSUPP). An empty Version is the
	// kernel's release. The kernel cuts each to 31 bytes. In place of an empty Firmware, it takes
	// the running versions of Devlink.
	Driver, Version, Bus, Firmware, ExpansionROM string
	// DriverInfoFlags is how many private flags ETHTOOL_GDRVINFO tells of, 0 for as many as
	// there are. Drivers in a degraded mode tell of those that they do not have now.
	DriverInfoFlags int
	// OutOfTree says that the driver does not come with the kernel, which is in
	// /sys/module.
	OutOfTree bool
	// PrivateFlags are the private flags in the driver's order, and nil where the driver
	// has no such operation (EOPNOTSUPP).
	PrivateFlags []Flag
	// Features are what ETHTOOL_MSG_FEATURES_GET tells.
	Features []Feature
	// Away says that the device is suspended or is being reset. See [Kernel.SetAway].
	Away bool
	// Port is what ETHTOOL_MSG_LINKINFO_GET tells, nil where it does not (EOPNOTSUPP).
	Port *ethtool.Port
	// Link is what ETHTOOL_MSG_LINKSTATE_GET tells besides whether a link was detected.
	Link Link
	// PCI is what is in /sys/bus/pci/devices, nil for nothing.
	PCI *PCI
	// Devlink is the devlink instance of Parent, nil where there is none. Of several
	// NICs with one Parent, the first that has one counts.
	Devlink *Devlink
	// DevlinkPort is the index of the port in it that the interface is, and HasDevlinkPort that it
	// is one.
	DevlinkPort    uint32
	HasDevlinkPort bool
}

// Flag is a private flag, and what the driver does when it shall change.
type Flag struct {
	Name string
	On   bool
	// Since and Until are the first release of the kernel that has it and the first that
	// has not any more, such as "6.1"; empty for all. A driver of which the kernel has none
	// has no such operation.
	Since, Until string
	// Errno is with what a change is refused, 0 for not at all. With OnlyOn, it may be
	// switched off.
	Errno  syscall.Errno
	OnlyOn bool
	// BusyUp refuses a change with EBUSY while the interface is up.
	BusyUp bool
	// Resets says that a change resets the port: carrier goes and comes.
	Resets bool
	// InertSince and InertUntil are the releases from which on and before which a change does
	// nothing to the hardware, though it reads as made; empty for none.
	InertSince, InertUntil string
	// Lies says that a change is accepted, and does not happen.
	Lies bool
	// Forgotten says that after a reset of the device ([Kernel.ResetDevice]) the hardware
	// is in the state the flag had at first, and the flag still reads as it was set.
	Forgotten bool
}

// Feature is a feature of an interface (ethtool -k).
type Feature struct {
	Name string
	On   bool
	// Fixed says that it cannot be changed.
	Fixed bool
}

// Link is what a driver tells of its link. Other than the zero Link it needs a
// kernel that has it.
type Link struct {
	// Unknown says that the driver cannot tell whether there is a link.
	Unknown bool
	// State and Substate say why there is none. Drivers tell it only while the
	// interface is up.
	HasState        bool
	State, Substate uint8
	// SQI is the signal quality index of a PHY.
	HasSQI      bool
	SQI, SQIMax uint32
	// DownCount is how often the PHY saw the link go down.
	HasDownCount bool
	DownCount    uint32
}

// PCI is a PCI device.
type PCI struct {
	// Address is such as "0000:3b:00.0".
	Address              string
	Vendor, Device       uint16
	SubVendor, SubDevice uint16
	// Speed and MaxSpeed are as in sysfs, such as "8.0 GT/s PCIe".
	Speed, MaxSpeed string
	Width, MaxWidth int
	// PhysFn is the address of the physical function of a virtual one.
	PhysFn string
	// Files are more files of the device, or other contents, by name.
	Files map[string]string
}

// Devlink is what devlink tells of a device.
type Devlink struct {
	Driver, Serial, BoardSerial string
	// Since is the first release of the kernel in which the driver has an instance.
	Since string
	// Fixed, Running and Stored are the versions in the driver's order.
	Fixed, Running, Stored []ethtool.Version
	// Errno is with what the driver refuses to tell them. EOPNOTSUPP says that it has no such
	// operation.
	Errno syscall.Errno
	// Reporters are its health reporters.
	Reporters []Reporter
}

// Reporter is one health reporter.
type Reporter struct {
	Name string
	// Port is the port that it belongs to, where OnPort says that it belongs to one.
	Port   uint32
	OnPort bool
	// Since is the first release of the kernel that has it.
	Since string
	// Failed is the state "error" rather than "healthy".
	Failed             bool
	Errors, Recoveries uint64
	// AutoRecover is whether the driver recovers by itself.
	AutoRecover bool
	// LastDump is when it kept a dump, zero for never.
	LastDump time.Time
}

// Bond are options of a bond.
type Bond struct {
	// Mode is such as "active-backup", ARPValidate as "all", and FailOverMAC as "active";
	// empty for what the kernel begins with.
	Mode, ARPValidate, FailOverMAC string
	MIIMon, ARPInterval            time.Duration
	AllSlavesActive                bool
	MissedMax                      uint8
	// ActiveSlave is its name. It may be added later.
	ActiveSlave string
}

// Slave is what a bond tells of one slave.
type Slave struct {
	// Backup is whether it is a backup, and not active.
	Backup bool
	// MIIStatus is "up", "going down", "down" or "going back", empty for "up".
	MIIStatus string
	Failures  uint32
}

// clone copies what other NICs must not share.
func (n *NIC) clone() NIC {
	c := *n
	c.MAC, c.PermMAC = slices.Clone(n.MAC), slices.Clone(n.PermMAC)
	c.PrivateFlags, c.Features = slices.Clone(n.PrivateFlags), slices.Clone(n.Features)
	c.Bond, c.Slave, c.Port = copied(n.Bond), copied(n.Slave), copied(n.Port)
	c.Devlink = n.Devlink.clone()
	if c.PCI = copied(n.PCI); c.PCI != nil {
		c.PCI.Files = maps.Clone(c.PCI.Files)
	}
	return c
}

func (d *Devlink) clone() *Devlink {
	c := copied(d)
	if c != nil {
		c.Fixed, c.Running, c.Stored = slices.Clone(d.Fixed), slices.Clone(d.Running), slices.Clone(d.Stored)
		c.Reporters = slices.Clone(d.Reporters)
	}
	return c
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}
