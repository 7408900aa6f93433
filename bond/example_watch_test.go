// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// A program follows a bond until another slave has become the active one. On a real host Dial
// needs no Config.
func ExampleClient_Watch() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	kernel := bondtest.NewKernel(nil)
	kernel.AddLink("eth1", nil)
	kernel.AddLink("eth2", nil)
	client, err := bond.Dial(&bond.Config{Transport: kernel.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	bond0 := bond.Link{Name: "bond0"}
	options := bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)}
	if _, err := client.Create(ctx, bond0.Name, options, &bond.CreateOptions{Up: true}); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"eth1", "eth2"} {
		if err := client.Enslave(ctx, bond0, bond.Link{Name: name}, bond.SlaveOptions{}); err != nil {
			log.Fatal(err)
		}
	}

	for event, err := range client.Watch(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch event.Kind {
		case bond.EventSynced:
			fmt.Println("this was there; now the cable of eth1 is pulled out")
			kernel.SetCarrier("eth1", false)
		case bond.EventSlaveChanged:
			fmt.Printf("%v %v %v %v\n", event.Kind, event.Slave, event.SlaveState.MIIStatus, event.Changed)
		case bond.EventActiveChanged:
			fmt.Println(event.Kind, event.Bond, "from", event.Old, "to", event.New)
			return
		default:
			fmt.Println(event.Kind, event.Bond, event.Slave)
		}
	}
	// Output:
	// bond-added bond0 none
	// slave-added bond0 eth1
	// slave-added bond0 eth2
	// this was there; now the cable of eth1 is pulled out
	// slave-changed eth1 down [state mii_status link_failure_count]
	// slave-changed eth2 up [state]
	// active-changed bond0 from eth1 to eth2
}
