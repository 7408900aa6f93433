// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest_test

import (
	"context"
	"fmt"
	"log"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// A program makes a bond, and a test pulls a cable: what becomes of it?
func Example() {
	k := bondtest.NewKernel(&bondtest.Config{Release: bondtest.Release612})
	k.AddLink("eth0", nil)
	k.AddLink("eth1", nil)

	// What follows is the program under test. It gets its Client from outside.
	ctx := context.Background()
	c, err := bond.Dial(&bond.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	bond0 := bond.Link{Name: "bond0"}
	_, err = c.Create(ctx, "bond0", bond.Options{
		Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond),
	}, &bond.CreateOptions{Up: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"eth0", "eth1"} {
		if err := c.Enslave(ctx, bond0, bond.Link{Name: name}, bond.SlaveOptions{}); err != nil {
			log.Fatal(err)
		}
	}

	k.SetCarrier("eth0", false)

	b, err := c.Get(ctx, bond0)
	if err != nil {
		log.Fatal(err)
	}
	slaves, err := c.Slaves(ctx, bond0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("active:", b.Active)
	for _, s := range slaves {
		fmt.Println(s.Name, s.State, s.MIIStatus, s.LinkFailures)
	}
	// Output:
	// active: eth1
	// eth0 backup down 1
	// eth1 active up 0
}

// The third change fails. What does a program leave behind?
func ExampleKernel_Fail() {
	k := bondtest.NewKernel(nil)
	k.AddLink("eth0", nil)
	c, err := bond.Dial(&bond.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	changes := 0
	k.Fail(func(req bond.Message) error {
		const rtmNewLink = 16
		if req.Type == rtmNewLink {
			if changes++; changes == 3 {
				return &bond.KernelError{Errno: syscall.EBUSY}
			}
		}
		return nil
	})
	up := true
	_, err = c.Apply(context.Background(), &bond.Spec{
		Name: "bond0", Up: &up, Slaves: []bond.SlaveSpec{{Name: "eth0"}},
		Options: bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)},
	}, nil)
	fmt.Println(err != nil, k.Names())
	// Output: true [eth0]
}
