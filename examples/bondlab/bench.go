// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// bench is a network in which one pass of a scenario happens.
type bench struct {
	lab      *lab.Lab
	sc       *scenario
	bonded   bool // the slaves are those of a bond of the kernel
	interval time.Duration

	// probes is the MAC address that e1 probes with, sender the address that
	// its probes have as sender.
	probes net.HardwareAddr
	sender netip.Addr

	// rec is the recorder of the Monitor, setActive tells it the active
	// slave, and process is where it runs; all nil in a kernel pass.
	rec       *recorder
	setActive func(string) error
	process   *os.Process

	ev     evidence
	faults []*lab.Fault
	forger []*lab.Fault
	quiet  atomic.Bool // has the forgers send nothing
	ends   []func()

	traffic []*lab.Traffic
	before  tables // with the first slave active
}

// inject makes one fault and remembers it.
func (b *bench) inject(ctx context.Context, text string) (*lab.Fault, error) {
	f, err := b.lab.Inject(ctx, text)
	if err == nil {
		b.faults = append(b.faults, f)
	}
	return f, err
}

// breakage is when something was broken: when the first command for it was started,
// and when the last one had returned.
type breakage struct{ begun, done time.Time }

// breakIt disturbs and breaks the network as the scenario says.
func (b *bench) breakIt(ctx context.Context) (breakage, error) {
	for _, text := range b.sc.noise {
		if _, err := b.inject(ctx, text); err != nil {
			return breakage{}, err
		}
	}
	if b.sc.disturb != nil {
		if err := b.sc.disturb(ctx, b); err != nil {
			return breakage{}, err
		}
	}
	now := time.Now()
	when := breakage{now, now}
	for _, text := range b.sc.faults {
		f, err := b.inject(ctx, text)
		if err != nil {
			return breakage{}, err
		}
		when.done = f.At()
	}
	return when, nil
}

// packets writes down what the faults have dropped or sent.
func (b *bench) packets(ctx context.Context) error {
	b.ev.packets = make(map[string]uint64)
	for _, f := range b.faults {
		n, err := f.Packets(ctx)
		if err != nil {
			return err
		}
		b.ev.packets[f.String()] += n
	}
	return nil
}

// undo repairs everything, the last fault first.
func (b *bench) undo(ctx context.Context) error {
	for _, f := range slices.Backward(b.faults) {
		if err := f.Undo(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close ends everything.
func (b *bench) close() error {
	for _, end := range slices.Backward(b.ends) {
		end()
	}
	b.ends = nil
	return b.lab.Close()
}

// hostAsks has the host ask for addresses that nobody has, so that broadcasts with
// the address of the bond are on the wire.
func hostAsks(ctx context.Context, b *bench) error {
	ctx, cancel := context.WithCancel(ctx)
	conns := make([]net.Conn, 0, 16)
	err := b.lab.Host().Do(func() error {
		for i := range cap(conns) {
			a := netip.AddrFrom4([4]byte{192, 0, 2, byte(200 + i)})
			c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
			if err != nil {
				return err
			}
			conns = append(conns, c)
		}
		return nil
	})
	var asking sync.WaitGroup
	if err == nil {
		asking.Go(func() {
			// One in a while to each: the kernel asks at once for an address
			// that it has given up or not yet tried.
			for i := 0; wait(ctx, 50*time.Millisecond) == nil; i++ {
				conns[i%len(conns)].Write([]byte{0})
			}
		})
	}
	b.ends = append(b.ends, func() {
		cancel()
		asking.Wait()
		for _, c := range conns {
			c.Close()
		}
	})
	return err
}

// forgeRate is the number of forged frames a second, of each kind of sending.
const forgeRate = 100

// forge has a host on e1's switch forge replies, sent to the prober alone and to
// everybody.
func forge(ctx context.Context, b *bench) error {
	for _, everybody := range []bool{false, true} {
		f, err := b.lab.Forge(ctx, &lab.ForgeConfig{
			Switch: 1, Target: "A", Sender: b.sender, Broadcast: everybody, Rate: forgeRate,
			Probes: func() []net.HardwareAddr {
				if b.quiet.Load() {
					return nil
				}
				return []net.HardwareAddr{b.probes}
			},
		})
		if err != nil {
			return err
		}
		b.forger = append(b.forger, f)
		b.faults = append(b.faults, f)
	}
	return nil
}

// forgedAs says under which reason each kind must be counted, in the order in
// which the forger sends them: sent to the prober, and sent to everybody.
var forgedAs = [][2]arpmon.Verdict{
	{arpmon.RejectOpcode, arpmon.RejectOpcode},
	{arpmon.RejectSender, arpmon.RejectSender},
	{arpmon.RejectVLAN, arpmon.RejectVLAN},
	// A broadcast with a stranger's address in it is not for us at all.
	{arpmon.RejectTargetMAC, arpmon.RejectDestination},
	{arpmon.RejectTargetAddr, arpmon.RejectTargetAddr}, // gratuitous
	{arpmon.RejectTargetAddr, arpmon.RejectTargetAddr},
	{arpmon.RejectHardwareType, arpmon.RejectHardwareType},
	{arpmon.RejectProtocolType, arpmon.RejectProtocolType},
	{arpmon.RejectLengths, arpmon.RejectLengths},
	{arpmon.RejectShort, arpmon.RejectShort},
	{arpmon.RejectSenderMAC, arpmon.RejectSenderMAC}, // zero
	{arpmon.RejectSenderMAC, arpmon.RejectSenderMAC}, // a group
	{arpmon.RejectSenderMAC, arpmon.RejectSenderMAC}, // our own
	{arpmon.RejectDestination, arpmon.RejectDestination},
}

// countForged silences the forgers, waits until what they sent was received, and
// works out what must have been counted.
func countForged(ctx context.Context, b *bench) error {
	b.quiet.Store(true)
	// The Monitor reads frames that prove nothing when it has a probe to send.
	if err := wait(ctx, 2*b.interval+2*sampleEvery); err != nil {
		return err
	}
	for i, f := range b.forger {
		n, err := f.Packets(ctx)
		if err != nil {
			return err
		}
		b.ev.forged = addForged(b.ev.forged, n, i)
	}
	return nil
}

// addForged returns counters with n frames of a forger added, which sends the
// kinds in turn: to the prober (0) or to everybody (1).
func addForged(counts map[arpmon.Verdict]uint64, n uint64, everybody int) map[arpmon.Verdict]uint64 {
	sum := make(map[arpmon.Verdict]uint64)
	maps.Copy(sum, counts)
	kinds := uint64(len(forgedAs))
	for k := range kinds {
		sum[forgedAs[k][everybody]] += (n + kinds - 1 - k) / kinds
	}
	return sum
}

// stopTime is for how long the Monitor is stopped.
const stopTime = 2 * time.Second

// stopMonitor stops the process of the Monitor for a while.
func stopMonitor(ctx context.Context, b *bench) (err error) {
	b.ev.stopped, err = stopFor(ctx, b.process, stopTime)
	return err
}

// wait waits for a time, or for the end of ctx.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// await waits until the Monitor's sample satisfies a condition. The error after the
// limit says what was waited for.
func (b *bench) await(ctx context.Context, limit time.Duration, what string, cond func(*sample) bool) (sample, int, error) {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		more := b.rec.changed()
		s, events, _, err := b.rec.state()
		switch {
		case err != nil:
			return s, events, err
		case cond(&s):
			return s, events, nil
		}
		select {
		case <-ctx.Done():
			return s, events, ctx.Err()
		case <-timeout.C:
			return s, events, fmt.Errorf("waited %v for %s: %s", limit, what, s.describe())
		case <-more:
		}
	}
}
