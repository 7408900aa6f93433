// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// A database server has two NICs of one model in an active-backup bond. The firmware of
// eth1 was forgotten in the last maintenance. It has a link and passes nothing, which nobody
// sees before the switch of eth0 is taken down.
func ExampleClient_Audit() {
	k := ethtooltest.NewKernel(nil)
	k.Add("bond0", ethtooltest.BondMaster(&ethtooltest.Bond{
		Mode: "active-backup", ARPInterval: time.Second, ActiveSlave: "eth0",
	}))
	for i, name := range []string{"eth0", "eth1"} {
		n := ethtooltest.I40E(fmt.Sprintf("0000:%d:00.0", 30+i))
		n.Master = "bond0"
		n.Slave = &ethtooltest.Slave{}
		if name == "eth1" {
			n.Firmware, n.Devlink.Running[0].Value = "6.80 0x8000a49d 1.2926.0", "6.2.59125"
			n.Slave = &ethtooltest.Slave{Backup: true, MIIStatus: "down"}
		}
		k.Add(name, n)
	}

	// On a real host without Transport.
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	report, err := c.Audit(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Findings {
		fmt.Printf("%v %s\n%s.\n", f.Severity, f.Code, f.Text)
	}
	// Output:
	// error link-but-down
	// eth1 has a link, and bond0 takes it for down: it hears nothing that arp_validate=none accepts of a backup.
	// warning firmware-mismatch
	// eth0 and eth1 are the same model (i40e 8086:158b) and run different firmware: fw.mgmt 8.13.63341 on eth0, 6.2.59125 on eth1.
}

// What is known about one NIC, and what cannot be seen.
func ExampleClient_Facts() {
	k := ethtooltest.NewKernel(nil)
	n := ethtooltest.ICE("0000:3b:00.0")
	n.PCI.Width = 8
	n.Devlink.Stored[0].Value = "1.3682.0"
	k.Add("eth0", n)

	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	f, err := c.Facts(context.Background(), ethtool.Link{Name: "eth0"})
	if err != nil {
		log.Fatal(err)
	}
	if f.Driver != nil {
		fmt.Printf("driver %s (%v), firmware %s\n", f.Driver.Name, f.Driver.Origin, f.Driver.Firmware)
	}
	if f.Firmware != nil {
		fmt.Println("waits for a reset:", f.Firmware.Pending())
	}
	if f.LinkState != nil {
		fmt.Println(f.LinkState)
	}
	if f.PCIe != nil {
		fmt.Println("PCI Express:", f.PCIe)
	}
	for _, u := range f.Unseen {
		fmt.Printf("%s could not be read: %v\n", u.What, u.Err)
	}
	// Output:
	// driver ice (in-tree), firmware 4.40 0x8001c7d4 1.3534.0
	// waits for a reset: [{fw.undi 1.3682.0}]
	// link
	// PCI Express: 16.0 GT/s x8 of 16.0 GT/s x16
}

// Facts that were collected from hosts as JSON are compared elsewhere.
func ExampleCompare() {
	nic := func(name, firmware string) ethtool.Facts {
		return ethtool.Facts{
			Link: ethtool.Link{Name: name}, Bond: &ethtool.BondFacts{Link: ethtool.Link{Name: "bond0"}},
			Driver: &ethtool.Driver{Name: "tg3", Firmware: firmware}, PCIe: &ethtool.PCIe{Vendor: 0x14e4, Device: 0x165f},
		}
	}
	for _, f := range ethtool.Compare([]ethtool.Facts{nic("eth0", "FFV21.60.2"), nic("eth1", "FFV20.6.2")}) {
		fmt.Println(f.Code, f.Links)
	}
	// Output:
	// firmware-mismatch [{0 eth0} {0 eth1}]
}
