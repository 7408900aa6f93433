// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"syscall"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// A program stops source pruning on a NIC. What does it do to the port?
func Example() {
	k := ethtooltest.NewKernel(&ethtooltest.Config{Release: ethtooltest.Release61})
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))

	// What follows is the program under test. It gets its Client from outside.
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.SetFlag(context.Background(), ethtool.Link{Name: "eth0"}, "disable-source-pruning", true); err != nil {
		log.Fatal(err)
	}

	fmt.Println("in effect:", k.InEffect("eth0", "disable-source-pruning"), "carrier changes:", k.NIC("eth0").CarrierChanges)
	for _, call := range k.Changes() {
		fmt.Println(call.Name)
	}
	// Output:
	// in effect: true carrier changes: 2
	// ETHTOOL_MSG_PRIVFLAGS_SET
}

// The driver refuses. Does the program say so?
func ExampleKernel_Fail() {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.ICE("0000:5e:00.0"))
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	k.Fail(func(call ethtooltest.Call) error {
		if call.Write {
			return &ethtool.KernelError{Errno: syscall.EBUSY}
		}
		return nil
	})
	_, err = c.SetFlag(context.Background(), ethtool.Link{Name: "eth0"}, "fw-lldp-agent", true)
	fmt.Println(errors.Is(err, ethtool.ErrBusy))
	// Output: true
}
