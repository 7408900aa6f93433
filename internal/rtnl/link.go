// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl

import (
	"encoding/binary"
	"fmt"
	"net"
)

// Flags of a link, from <linux/if.h>. They have the same value on every
// architecture, and are repeated here so that decoding builds on every OS.
const (
	FlagUp       = 1 << 0  // IFF_UP: the administrator has switched it on
	FlagLoopback = 1 << 3  // IFF_LOOPBACK
	FlagRunning  = 1 << 6  // IFF_RUNNING: RFC 2863 operational state up or unknown
	FlagNoARP    = 1 << 7  // IFF_NOARP
	FlagPromisc  = 1 << 8  // IFF_PROMISC
	FlagMaster   = 1 << 10 // IFF_MASTER: a bond
	FlagSlave    = 1 << 11 // IFF_SLAVE: a slave of a bond
	FlagLowerUp  = 1 << 16 // IFF_LOWER_UP: running, and the driver reports carrier
	FlagDormant  = 1 << 17 // IFF_DORMANT: waits for something outside, such as 802.1X
)

// OperState is the RFC 2863 operational state of a link.
type OperState uint8

// The operational states of <linux/if.h>.
const (
	OperUnknown        OperState = 0
	OperNotPresent     OperState = 1
	OperDown           OperState = 2
	OperLowerLayerDown OperState = 3
	OperTesting        OperState = 4
	OperDormant        OperState = 5
	OperUp             OperState = 6
)

// Link is what one RTM_NEWLINK or RTM_DELLINK message says about a link. A
// field whose attribute the kernel did not send has its zero value. It owns
// its memory.
type Link struct {
	// Index is the interface index, unique in its namespace while the link
	// lives there. A link keeps it across a rename.
	Index int

	// Name is the interface name, without alternative names.
	Name string

	// Type is the hardware type, ARPHRD_ETHER (1) for Ethernet.
	Type uint16

	// Flags are the IFF_ bits; see the Flag constants.
	Flags uint32

	// MTU is in bytes.
	MTU uint32

	// MAC is the link's present hardware address, of any length.
	MAC net.HardwareAddr

	// PermMAC is the address the device was made with, nil where its driver
	// has none, as on veth, or where the kernel is older than 5.6.
	PermMAC net.HardwareAddr

	// Master is the index of the bond, bridge or team that the link is a slave
	// or port of, 0 without one.
	Master int

	// Parent is the index of the link below (a VLAN's device) or the peer of
	// a veth, 0 without one. It belongs to another namespace if HasParentNetNS.
	Parent int

	// ParentNetNS is the id, as this namespace numbers others, of the
	// namespace of Parent. It is valid only if HasParentNetNS.
	ParentNetNS    int
	HasParentNetNS bool

	// OperState is the RFC 2863 state. Prefer [Link.Carrier].
	OperState OperState

	// CarrierChanges is how often the carrier has come or gone since the link was
	// made, 0 where the kernel is older than 3.15.
	CarrierChanges uint32

	// ParentDev and ParentBus are the device below and its bus, such as
	// "0000:3b:00.0" and "pci", empty without one or where the kernel is older than
	// 5.14.
	ParentDev string
	ParentBus string

	// Kind is the driver's name in rtnetlink ("bond", "veth", "vlan"), empty
	// for hardware. SlaveKind is that of the master ("bond", "bridge").
	Kind      string
	SlaveKind string

	// MacvlanMode is the mode of a link of kind "macvlan" or "macvtap"
	// (MACVLAN_MODE_ in <linux/if_link.h>), 0 for others.
	MacvlanMode uint32

	// Bond is set where Kind is "bond" and its options were sent.
	Bond *Bond

	// BondSlave is set where SlaveKind is "bond" and the slave's state was sent.
	BondSlave *BondSlave
}

// Bond holds the few options of a bond that others need to know, as numbers.
type Bond struct {
	Mode         uint8  // 1 is active-backup
	ActiveSlave  int    // index, 0 for none
	MIIMon       uint32 // milliseconds, 0 for off
	ARPInterval  uint32 // milliseconds, 0 for off
	ARPValidate  uint32 // 0 is none
	FailOverMAC  uint8  // 0 none, 1 active, 2 follow
	AllSlavesOn  bool   // all_slaves_active: backups deliver what they receive
	ARPMissedMax uint8  // 0 where the kernel is older than 5.17
}

// BondSlave holds what a bond says about one slave.
type BondSlave struct {
	State     uint8            // 0 active, 1 backup
	MIIStatus uint8            // 0 up, 1 going down, 2 down, 3 going back
	PermMAC   net.HardwareAddr // the MAC the slave had when it was enslaved
}

// Up reports whether the link is switched on by the administrator (IFF_UP).
func (l *Link) Up() bool { return l.Flags&FlagUp != 0 }

// Carrier reports whether frames can pass as far as this host can tell: the
// link is switched on and its driver reports carrier (IFF_LOWER_UP).
//
// The other signals are worse. IFLA_CARRIER is the driver's bit alone, and
// stays set on a NIC that was switched off if the driver leaves it. The
// operational state (and with it IFF_RUNNING) is computed later, by the link
// watch work queue, is "unknown" for ever on drivers that do not report
// carrier, and says dormant where the port waits for 802.1X: frames leave then,
// so that is for a probe to find out. IFF_LOWER_UP is read from the device when
// the message is made.
func (l *Link) Carrier() bool { return l.Flags&FlagLowerUp != 0 }

// Attributes of RTM_NEWLINK and of what is nested in it, from <linux/if_link.h>.
const (
	iflaAddress     = 1
	iflaIfname      = 3
	iflaMTU         = 4
	iflaLink        = 5
	iflaMaster      = 10
	iflaWireless    = 11
	iflaOperstate   = 16
	iflaLinkinfo    = 18
	iflaExtMask     = 29
	iflaCarrierChg  = 35
	iflaLinkNetnsid = 37
	iflaAltIfname   = 53
	iflaPermAddress = 54
	iflaParentDev   = 56
	iflaParentBus   = 57

	iflaInfoKind      = 1
	iflaInfoData      = 2
	iflaInfoSlaveKind = 4
	iflaInfoSlaveData = 5

	iflaMacvlanMode = 1

	iflaBondMode         = 1
	iflaBondActiveSlave  = 2
	iflaBondMIIMon       = 3
	iflaBondARPInterval  = 7
	iflaBondARPValidate  = 9
	iflaBondFailOverMAC  = 13
	iflaBondAllSlaves    = 17
	iflaBondMissedMax    = 30
	iflaBondSlaveState   = 1
	iflaBondSlaveMII     = 2
	iflaBondSlavePermMAC = 4

	linkHeaderLen = 16
	familyUnspec  = 0
	kindBond      = "bond"
	kindMacvlan   = "macvlan"
	kindMacvtap   = "macvtap"
)

// ParseLink decodes the body (what follows the netlink header) of an
// RTM_NEWLINK or RTM_DELLINK message. Unknown attributes are skipped.
//
// It returns ok false and no error for a message that tells of something else
// than the link itself and must not replace what is known of it: those of another
// address family, which a bridge sends about its ports, and wireless events.
// An error matches [ErrMalformed].
func ParseLink(body []byte) (l Link, ok bool, err error) {
	if len(body) < linkHeaderLen {
		return Link{}, false, fmt.Errorf("%w: %d bytes, want at least %d", ErrMalformed, len(body), linkHeaderLen)
	}
	family := body[0]
	l.Type = binary.NativeEndian.Uint16(body[2:])
	l.Index = int(int32(binary.NativeEndian.Uint32(body[4:])))
	l.Flags = binary.NativeEndian.Uint32(body[8:])
	wireless := false

	err = eachAttribute(body[linkHeaderLen:], func(a attribute) error {
		switch a.typ {
		case iflaAddress:
			l.MAC = a.hardwareAddr()
		case iflaIfname:
			l.Name = a.string()
		case iflaMTU:
			return a.uint32(&l.MTU)
		case iflaLink:
			return a.int32(&l.Parent)
		case iflaMaster:
			return a.int32(&l.Master)
		case iflaWireless:
			wireless = true
		case iflaOperstate:
			return a.uint8((*uint8)(&l.OperState))
		case iflaLinkinfo:
			return l.parseInfo(a.data)
		case iflaCarrierChg:
			return a.uint32(&l.CarrierChanges)
		case iflaParentDev:
			l.ParentDev = a.string()
		case iflaParentBus:
			l.ParentBus = a.string()
		case iflaLinkNetnsid:
			l.HasParentNetNS = true
			return a.int32(&l.ParentNetNS)
		case iflaPermAddress:
			l.PermMAC = a.hardwareAddr()
		}
		return nil
	})
	if err != nil {
		return Link{}, false, err
	}
	if family != familyUnspec || wireless {
		return Link{}, false, nil
	}
	return l, true, nil
}

// parseInfo decodes IFLA_LINKINFO. The data can be read only when the kind is
// known, in whatever order they come.
func (l *Link) parseInfo(b []byte) error {
	var data, slaveData []byte
	err := eachAttribute(b, func(a attribute) error {
		switch a.typ {
		case iflaInfoKind:
			l.Kind = a.string()
		case iflaInfoSlaveKind:
			l.SlaveKind = a.string()
		case iflaInfoData:
			data = a.data
		case iflaInfoSlaveData:
			slaveData = a.data
		}
		return nil
	})
	if err != nil {
		return err
	}
	if l.Kind == kindBond && data != nil {
		l.Bond = &Bond{}
		if err := l.Bond.parse(data); err != nil {
			return err
		}
	}
	if l.Kind == kindMacvlan || l.Kind == kindMacvtap {
		if err := eachAttribute(data, func(a attribute) error {
			if a.typ != iflaMacvlanMode {
				return nil
			}
			return a.uint32(&l.MacvlanMode)
		}); err != nil {
			return err
		}
	}
	if l.SlaveKind == kindBond && slaveData != nil {
		l.BondSlave = &BondSlave{}
		return l.BondSlave.parse(slaveData)
	}
	return nil
}

func (d *Bond) parse(b []byte) error {
	return eachAttribute(b, func(a attribute) error {
		switch a.typ {
		case iflaBondMode:
			return a.uint8(&d.Mode)
		case iflaBondActiveSlave:
			return a.int32(&d.ActiveSlave)
		case iflaBondMIIMon:
			return a.uint32(&d.MIIMon)
		case iflaBondARPInterval:
			return a.uint32(&d.ARPInterval)
		case iflaBondARPValidate:
			return a.uint32(&d.ARPValidate)
		case iflaBondFailOverMAC:
			return a.uint8(&d.FailOverMAC)
		case iflaBondAllSlaves:
			var on uint8
			err := a.uint8(&on)
			d.AllSlavesOn = on != 0
			return err
		case iflaBondMissedMax:
			return a.uint8(&d.ARPMissedMax)
		}
		return nil
	})
}

func (s *BondSlave) parse(b []byte) error {
	return eachAttribute(b, func(a attribute) error {
		switch a.typ {
		case iflaBondSlaveState:
			return a.uint8(&s.State)
		case iflaBondSlaveMII:
			return a.uint8(&s.MIIStatus)
		case iflaBondSlavePermMAC:
			s.PermMAC = a.hardwareAddr()
		}
		return nil
	})
}
