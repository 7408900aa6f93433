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

// The backup of a bond with arp_validate=all is down for ever although nothing is wrong with it.
// It is an i40e, which by default drops what comes from its own address. This is how to find that
// out, and to stop it.
func ExampleClient_SetSourcePruning() {
	// In a program, nil: Dial(nil) asks the kernel it runs on.
	k := ethtooltest.NewKernel(nil)
	k.Add("eth1", ethtooltest.I40E("0000:3b:00.1"))
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx, backup := context.Background(), ethtool.Link{Name: "eth1"}
	p, err := c.SourcePruning(ctx, backup)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Driver, p.State, "because", p.Reason)
	fmt.Println("a change resets the port:", p.Resets)

	// One slave at a time, backups first.
	change, err := c.SetSourcePruning(ctx, backup, false)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(change.Name, change.Before, "->", change.After, "verified:", change.Verified)
	p, err = c.SourcePruning(ctx, backup)
	fmt.Println(p.State, err)
	// Output:
	// i40e prunes because disable-source-pruning is off
	// a change resets the port: true
	// disable-source-pruning off -> on verified: true
	// delivers <nil>
}

// The driver ice of the kernel cannot be told not to prune. The error says what helps instead.
func ExampleClient_SetSourcePruning_hardWired() {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth1", ethtooltest.ICE("0000:5e:00.0"))
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	_, err = c.SetSourcePruning(context.Background(), ethtool.Link{Name: "eth1"}, false)
	fmt.Println(errors.Is(err, ethtool.ErrHardWired))
	if e, ok := errors.AsType[*ethtool.Error](err); ok {
		for _, w := range e.Workarounds {
			fmt.Println(w)
		}
	}
	// Output:
	// true
	// fail_over_mac=active
	// arp_validate=active
	// miimon
	// out-of-tree-driver
}
