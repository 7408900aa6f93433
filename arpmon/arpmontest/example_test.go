// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmontest_test

import (
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

// A host with two slaves on two switches watches a gateway. The cable between
// the first switch and the core breaks where the host cannot see it.
func Example() {
	net := arpmontest.New(1)
	core := net.AddSwitch("core")
	gateway := net.AddHost("gateway", netip.MustParseAddr("192.0.2.1"))
	net.Connect(gateway, core)

	cfg := arpmon.Config{Targets: []arpmon.Target{arpmon.IPv4(gateway.Addr)}}
	mon, err := net.NewMonitor(cfg)
	if err != nil {
		log.Fatal(err)
	}
	uplinks := map[string]*arpmontest.Link{}
	for _, name := range []string{"e1", "e2"} {
		sw := net.AddSwitch("switch of " + name)
		uplinks[name] = net.Connect(sw, core)
		if _, err := mon.AddSlave(name, sw, arpmon.SlaveConfig{Active: name == "e1"}); err != nil {
			log.Fatal(err)
		}
	}

	net.Run(2 * time.Second)
	fmt.Println(mon.Slave("e1").State())
	uplinks["e1"].Cut(true)
	net.Run(cfg.Bound())
	fmt.Println(mon.Slave("e1").State())
	fmt.Println(mon.Slave("e2").State())
	// Output:
	// up replies
	// down missed
	// up replies
}
