// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// dial returns a Client of a kernel made of memory with interfaces eth0 to eth2. On a
// real host it is bond.Dial(nil).
func dial() (*bond.Client, *bondtest.Kernel) {
	kernel := bondtest.NewKernel(&bondtest.Config{Release: bondtest.Release612})
	for _, name := range []string{"eth0", "eth1", "eth2"} {
		kernel.AddLink(name, &bondtest.LinkConfig{Up: true})
	}
	client, err := bond.Dial(&bond.Config{Transport: kernel.Transport()})
	if err != nil {
		log.Fatal(err)
	}
	return client, kernel
}

// Create a bond with two slaves.
func Example_create() {
	ctx := context.Background()
	c, _ := dial()
	defer c.Close()

	_, err := c.Create(ctx, "bond0", bond.Options{
		Mode:     new(bond.ModeActiveBackup),
		MIIMon:   new(100 * time.Millisecond),
		UpDelay:  new(200 * time.Millisecond),
		Primary:  &bond.Link{Name: "eth1"}, // may be named before it is a slave
		MinLinks: nil,                      // left to the kernel, as everything that is not set
	}, &bond.CreateOptions{Up: true})
	if err != nil {
		log.Fatal(err)
	}
	bond0 := bond.Link{Name: "bond0"}
	for _, name := range []string{"eth0", "eth1"} {
		// Enslave switches the interface off first: the kernel takes it only so.
		if err := c.Enslave(ctx, bond0, bond.Link{Name: name}, bond.SlaveOptions{}); err != nil {
			log.Fatal(err)
		}
	}
	b, err := c.Get(ctx, bond0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.Mode, b.MIIMon, "active", b.Active, "primary", b.Primary)
	// Output: active-backup 100ms active eth1 primary eth1
}

// Change a bond that carries traffic. What the kernel would refuse is not sent,
// and the error says what to do.
func ExampleClient_Set() {
	ctx := context.Background()
	c, _ := dial()
	defer c.Close()
	bond0 := bond.Link{Name: "bond0"}
	options := bond.Options{Mode: new(bond.Mode8023AD), MIIMon: new(100 * time.Millisecond)}
	if _, err := c.Create(ctx, "bond0", options, &bond.CreateOptions{Up: true}); err != nil {
		log.Fatal(err)
	}

	// Only what is set is sent: the mode, which cannot change now, is not.
	b, err := c.Set(ctx, bond0, bond.Options{
		XmitHashPolicy: new(bond.XmitHashLayer34),
		MIIMon:         new(50 * time.Millisecond),
		DownDelay:      new(120 * time.Millisecond),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.XmitHashPolicy, b.MIIMon, b.DownDelay) // a delay is a multiple of miimon

	_, err = c.Set(ctx, bond0, bond.Options{LACPRate: new(bond.LACPRateFast)})
	fmt.Println(errors.Is(err, bond.ErrBondUp), err)
	_, err = c.Set(ctx, bond0, bond.Options{ARPInterval: new(time.Second)})
	fmt.Println(errors.Is(err, bond.ErrWrongMode), errors.Is(err, os.ErrPermission))
	// Output:
	// layer3+4 50ms 100ms
	// true bond: set bond0: lacp_rate fast: bond is up (bring the bond down first)
	// true false
}

// Is LACP really negotiated? The state of every slave, with what the partner says.
func Example_lacp() {
	ctx := context.Background()
	c, kernel := dial()
	defer c.Close()
	bond0 := bond.Link{Name: "bond0"}
	options := bond.Options{Mode: new(bond.Mode8023AD), LACPRate: new(bond.LACPRateFast), MinLinks: new(uint32(1))}
	if _, err := c.Create(ctx, "bond0", options, &bond.CreateOptions{Up: true}); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"eth0", "eth1"} {
		if err := c.Enslave(ctx, bond0, bond.Link{Name: name}, bond.SlaveOptions{}); err != nil {
			log.Fatal(err)
		}
	}
	const working = bond.PortActivity | bond.PortAggregation | bond.PortSync | bond.PortCollecting | bond.PortDistributing
	kernel.SetLACP("eth0", bondtest.LACP{AggregatorID: 1, Actor: working, Partner: working})
	kernel.SetLACP("eth1", bondtest.LACP{AggregatorID: 2, Actor: bond.PortActivity | bond.PortDefaulted})
	kernel.SetADInfo("bond0", &bond.ADInfo{AggregatorID: 1, Ports: 1, ActorKey: 15, PartnerKey: 42, PartnerMAC: [6]byte{2, 0, 0, 0, 0, 7}})

	b, err := c.Get(ctx, bond0)
	if err != nil {
		log.Fatal(err)
	}
	slaves, err := c.Slaves(ctx, bond0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("aggregator %d, %d port, partner %x\n", b.AD.AggregatorID, b.AD.Ports, b.AD.PartnerMAC)
	for i := range slaves {
		s := &slaves[i]
		// Absent is not zero: without an aggregator there is no state.
		if !s.Has(bond.OptionAggregatorID) || s.AggregatorID != b.AD.AggregatorID {
			fmt.Printf("%s carries nothing: aggregator %d, %v\n", s.Name, s.AggregatorID, s.ActorPortState)
			continue
		}
		fmt.Printf("%s works: partner %v\n", s.Name, s.PartnerPortState)
	}
	// Output:
	// aggregator 1, 1 port, partner 020000000007
	// eth0 works: partner activity,aggregation,sync,collecting,distributing
	// eth1 carries nothing: aggregator 2, activity,defaulted
}

// Say how a bond shall be, see what that takes, and keep the change only if the
// host can still be reached.
func ExampleClient_Apply() {
	ctx := context.Background()
	c, _ := dial()
	defer c.Close()
	if _, err := c.Create(ctx, "bond0", bond.Options{}, &bond.CreateOptions{Up: true}); err != nil {
		log.Fatal(err)
	}

	var spec bond.Spec
	err := json.Unmarshal([]byte(`{
		"name": "bond0",
		"options": {"mode": "active-backup", "arp_interval": 500, "arp_ip_target": ["192.0.2.1", "192.0.2.2"], "arp_validate": "all"},
		"slaves": ["eth0", "eth1"],
		"up": true
	}`), &spec)
	if err != nil {
		log.Fatal(err)
	}

	plan, err := c.Plan(ctx, &spec)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("takes:", plan.Disruption)

	// Nothing more disruptive than allowed is done, and by default nothing is allowed.
	_, err = c.Apply(ctx, &spec, nil)
	fmt.Println("refused:", errors.Is(err, bond.ErrDisruptive))

	result, err := c.Apply(ctx, &spec, &bond.ApplyOptions{
		Allow: bond.DisruptionDown,
		Confirm: func(context.Context, *bond.State) error {
			return errors.New("the gateway does not answer")
		},
	})
	fmt.Println("not confirmed:", errors.Is(err, bond.ErrRejected), "rolled back:", result.RolledBack)
	b, err := c.Get(ctx, bond.Link{Name: "bond0"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("it is as before:", b.Mode)

	if _, err = c.Apply(ctx, &spec, &bond.ApplyOptions{Allow: bond.DisruptionDown}); err != nil {
		log.Fatal(err)
	}
	plan, err = c.Plan(ctx, &spec)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("nothing left to do:", plan.IsEmpty())
	// Output:
	// takes: down
	// refused: true
	// not confirmed: true rolled back: true
	// it is as before: balance-rr
	// nothing left to do: true
}

// The rules without a kernel: what is wrong with a configuration, and what is
// probably not meant.
func ExampleValidate() {
	issues := bond.Validate(bond.Options{
		Mode:        new(bond.ModeActiveBackup),
		ARPInterval: new(500 * time.Millisecond),
		ARPTargets:  []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.1")},
		LACPRate:    new(bond.LACPRateFast),
	}, nil)
	for _, i := range issues {
		if i.Severity == bond.SeverityError {
			fmt.Println(i.Option, i.Err)
		}
	}
	// Output:
	// arp_ip_target value not allowed
	// lacp_rate option not supported in this mode
}

// The table of options is data.
func ExampleAllOptions() {
	for o := range bond.AllOptions() {
		if info := o.Info(); info.NeedsEmpty {
			fmt.Println(info.Name, info.Words)
		}
	}
	// Output:
	// mode [balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb]
	// fail_over_mac [none active follow]
}
