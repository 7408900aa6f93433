// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// What ethtool --show-priv-flags prints. The kernel here is one made of memory; without
// Config.Transport, Dial finds the one of this machine.
func ExampleClient_Flags() {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	k.Add("veth0", ethtooltest.Veth())
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	for _, name := range []string{"eth0", "veth0"} {
		flags, err := c.Flags(context.Background(), ethtool.Link{Name: name})
		if errors.Is(err, ethtool.ErrNoPrivateFlags) {
			fmt.Println(name, "has none")
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		for _, f := range flags {
			fmt.Println(name, f.Name, f.On)
		}
	}
	// Output:
	// eth0 legacy-rx false
	// veth0 has none
}

// One flag is changed, and read back. A name that the driver does not have is an error that knows
// which ones there are.
func ExampleClient_SetFlag() {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.IGB("0000:3b:00.0"))
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx, eth0 := context.Background(), ethtool.Link{Name: "eth0"}
	_, err = c.SetFlag(ctx, eth0, "legacy-xr", true)
	fmt.Println(err)
	change, err := c.SetFlag(ctx, eth0, "legacy-rx", true)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s to %s, carrier changed %d times\n", change.Name, change.Before, change.After, change.CarrierChanges)
	// Output:
	// ethtool: set flag eth0 legacy-xr: no such private flag (did you mean legacy-rx?)
	// legacy-rx: off to on, carrier changed 2 times
}
