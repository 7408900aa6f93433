// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"net"

	"github.com/bondkit/bondkit/ethtool"
)

// Veth is one end of a veth pair.
func Veth() *NIC {
	return &NIC{Kind: "veth", Driver: "veth", Version: "1.0", Port: new(ethtool.PortTP)}
}

// Dummy is a dummy interface.
func Dummy() *NIC { return &NIC{Kind: "dummy", Driver: "dummy"} }

// Loopback is lo, whose driver tells nothing except that there is a link.
func Loopback() *NIC {
	return &NIC{Type: typeLoopback, MAC: make(net.HardwareAddr, 6), MTU: 65536}
}

// SLCAN is a CAN interface on a serial line, which is down. It is the only software that has a private
// flag, from Linux 6.0 on, and refuses to change it while it is up.
func SLCAN() *NIC {
	return &NIC{
		Kind: "can", Type: typeCAN, MTU: 16, Down: true, Driver: "can",
		PrivateFlags: []Flag{{Name: "err-rst-on-open", BusyUp: true, Since: "6.0"}},
	}
}

// BondMaster is a bond with options. Its slaves name it in NIC.Master, and have a NIC.Slave. Its
// driver claims that it has firmware.
func BondMaster(o *Bond) *NIC {
	if o == nil {
		o = &Bond{}
	}
	return &NIC{Kind: "bond", Driver: "bonding", Firmware: "2", Port: new(ethtool.PortOther), Bond: o}
}

// Macvlan is a macvlan interface on top of lower. Of mode vepa, it drops broadcasts from its own
// address.
func Macvlan(lower, mode string) *NIC {
	return &NIC{Kind: "macvlan", Driver: "macvlan", Version: "0.1", Lower: lower, MacvlanMode: mode}
}
