// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"os/signal"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/arpmon"
)

// Watch the two slaves of a bond, and say which of them reach the routers.
func ExampleMonitor() {
	m, err := arpmon.NewMonitor(arpmon.MonitorConfig{
		Config: arpmon.Config{Targets: []arpmon.Target{
			arpmon.IPv4(netip.MustParseAddr("192.0.2.1")),
			arpmon.IPv4(netip.MustParseAddr("192.0.2.2")),
		}},
		Slaves: []string{"eth0", "eth1"},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer stop()
		if err := m.Run(ctx); err != nil {
			log.Print(err)
		}
	}()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-m.Changed():
			for _, slave := range []string{"eth0", "eth1"} {
				state, reason := m.State(slave)
				log.Printf("%s is %v: %v", slave, state, reason)
			}
		}
	}
}

// What cannot work is refused before anything is opened, with the way out.
func ExampleNewMonitor_refused() {
	_, err := arpmon.NewMonitor(arpmon.MonitorConfig{
		Config: arpmon.Config{
			Targets:  []arpmon.Target{arpmon.IPv4(netip.MustParseAddr("192.0.2.1"))},
			Interval: 100 * time.Millisecond,
		},
		Slaves: []string{"eth0", "eth1"},
	})
	fmt.Println(errors.Is(err, arpmon.ErrPacketBudget))
	fmt.Println(err)
	// Output:
	// true
	// arpmon: config: Interval 100ms: more probes a second than MaxPPS (the smallest that fits 1 targets is 115ms, or raise MaxPPS)
}
