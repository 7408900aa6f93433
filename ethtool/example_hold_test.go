// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"fmt"
	"log"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// A program needs a NIC not to prune for as long as it runs. The kernel here is one made
// of memory; without Config.Transport, Dial finds the one of this machine.
func ExampleClient_Hold() {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	ctx := context.Background()
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	h, err := c.Hold(ctx, ethtool.Link{Name: "eth0"}, "disable-source-pruning", true, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("held:", h.Change().Before, "to", h.Change().After, "carrier changes:", h.Change().CarrierChanges)

	// At the end, also when ctx has ended:
	back, err := h.Release(context.WithoutCancel(ctx))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("released:", back.Before, "to", back.After)
	// Output:
	// held: off to on carrier changes: 2
	// released: on to off
}

// Who changes private flags, and when? Other programs do, here while the watch runs.
func ExampleClient_Watch() {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	k.Add("eth1", ethtooltest.ICE("0000:5e:00.0"))
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	for e, err := range c.Watch(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.Kind, e.Link.Name, e.Changed)
		if e.Kind == ethtool.FlagsChanged {
			return // releases everything
		}
		if e.Kind == ethtool.FlagsSynced {
			if err := k.SetFlag("eth0", "disable-source-pruning", true); err != nil {
				log.Fatal(err)
			}
		}
	}
	// Output:
	// added eth0 []
	// added eth1 []
	// synced  []
	// changed eth0 [{disable-source-pruning false true false false}]
}
