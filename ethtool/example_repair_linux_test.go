// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// A daemon begins with what an earlier run of it, which crashed, has left.
func ExampleClient_Repair() {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	journal := filepath.Join(dir, "holds") // of a real daemon, below /run

	ctx := context.Background()
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	changes, err := c.Repair(ctx, journal)
	if err != nil {
		log.Fatal(err)
	}
	for _, ch := range changes {
		fmt.Println("repaired:", ch.Link.Name, ch.Name, ch.Changed)
	}
	h, err := c.Hold(ctx, ethtool.Link{Name: "eth0"}, "disable-source-pruning", true, &ethtool.HoldConfig{Journal: journal})
	if err != nil {
		log.Fatal(err)
	}
	_, err = os.Stat(journal)
	fmt.Println("journal while held:", err == nil)
	if _, err := h.Release(ctx); err != nil {
		log.Fatal(err)
	}
	_, err = os.Stat(journal)
	fmt.Println("journal afterwards:", err == nil)
	// Output:
	// journal while held: true
	// journal afterwards: false
}
