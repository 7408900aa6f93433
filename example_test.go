// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondkit_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"
	"os/signal"

	"github.com/bondkit/bondkit/arpmon"
)

// Monitor the two slaves of a bond, and say what changes until interrupted.
// It needs Linux and CAP_NET_RAW.
func Example() {
	slaves := []string{"eth0", "eth1"}
	monitor, err := arpmon.NewMonitor(arpmon.MonitorConfig{
		Config: arpmon.Config{Targets: []arpmon.Target{{Addr: netip.MustParseAddr("192.0.2.1")}}},
		Slaves: slaves,
	})
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for range monitor.Changed() {
			for _, name := range slaves {
				state, reason := monitor.State(name)
				fmt.Println(name, state, reason)
			}
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := monitor.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
