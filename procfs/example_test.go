// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"fmt"
	"log"
	"os"

	"github.com/bondkit/bondkit/procfs"
)

// Who is the LACP partner of a bond, and what does it say?
func Example_lacpPartner() {
	text, err := os.ReadFile("testdata/captures/156-vm-7.3-8023ad-negotiated-2.txt")
	if err != nil {
		log.Fatal(err)
	}
	b, err := procfs.ParseBytes(text)
	if err != nil {
		log.Fatal(err)
	}
	if privileged, ok := b.Privileged(); ok && !privileged {
		log.Fatal("the text was read without CAP_NET_ADMIN")
	}
	for _, s := range b.Slaves {
		fmt.Printf("%s: partner %x, port %d: %v\n", s.Name, s.Partner.SystemMAC, s.Partner.PortNumber, s.Partner.PortState)
	}
	// Output:
	// a0: partner 5ec6e32f7585, port 1: activity,timeout,aggregation,sync,collecting,distributing
	// a1: partner 5ec6e32f7585, port 2: activity,timeout,aggregation,sync,collecting,distributing
}

// Which slaves carry no traffic, because they are not in the active aggregator?
func ExampleBond_InActiveAggregator() {
	text, err := os.ReadFile("testdata/captures/211-vm-6.1-8023ad-two-aggregators.txt")
	if err != nil {
		log.Fatal(err)
	}
	b, err := procfs.ParseBytes(text)
	if err != nil {
		log.Fatal(err)
	}
	for i := range b.Slaves {
		s := &b.Slaves[i]
		if in, ok := b.InActiveAggregator(s); ok && !in {
			fmt.Printf("%s is in aggregator %s, the active one is %d\n", s.Name, s.Text(procfs.FieldSlaveAggregatorID), b.Aggregator.ID)
		}
	}
	// Output:
	// t2 is in aggregator 2, the active one is 1
	// t3 is in aggregator 2, the active one is 1
}

// A report has the files of the host below its own root.
func ExampleNewFS() {
	for b, err := range procfs.NewFS(os.DirFS("testdata/sosreport/proc")).All() {
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Println(b.Name, b.Mode, b.MIIStatus)
		for _, s := range b.Slaves {
			fmt.Println(" ", s.Name, s.MIIStatus, "failures", s.LinkFailures)
		}
		for _, p := range b.Problems {
			fmt.Println("  problem:", p)
		}
	}
	// Output:
	// bond0 active-backup up
	//   always0 down failures 1
	//   always1 up failures 0
	// bond1 802.3ad up
	//   a0 up failures 0
	//   problem: line 36, column 12: line is missing: "Partner Churned Count:"
	//   problem: line 36, column 12: text is cut off: "Partner Chu"
}
