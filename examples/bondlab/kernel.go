// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bondkit/bondkit/internal/lab"
)

const (
	// kernelMissedMax is arp_missed_max as the kernel has it by default, and as
	// it was fixed before there was the option.
	kernelMissedMax = 2
	// kernelLeast is the shortest arp_interval that the kernel is asked with. It
	// calls a slave dead after two and a half of them, and has no way to tell
	// that it was the machine that came late.
	kernelLeast = 200 * time.Millisecond
	// flapping is how many link failures of one slave after one fault are called
	// flapping.
	flapping = 2
	// kernelTries is how often the kernel is asked at most: again if its monitor
	// was wrong before there was a fault, or if the machine came late by an
	// interval, which makes it see faults that are none.
	kernelTries = 3
)

// kernelPasses asks the kernel's own monitor, once for each value of arp_validate,
// in a network of its own without a Monitor: our probes would be taken for life.
func (r *runner) kernelPasses(ctx context.Context, sc *scenario, res *result) error {
	if !r.bonded {
		return nil
	}
	why := sc.kernelNone
	if why == "" {
		why = kernelTooOld()
	}
	if why != "" {
		res.Notes = append(res.Notes, "kernel: n/a: "+why)
		return nil
	}
	r.out.targets(nil)
	r.out.phase("asking the kernel's own monitor, arp_validate " + strings.Join(r.opts.validate, ", "))
	// The networks have nothing in common, and mostly wait.
	verdicts := make([]kernelVerdict, len(r.opts.validate))
	room := make(chan struct{}, max(runtime.NumCPU(), 1))
	var passes sync.WaitGroup
	for i, value := range r.opts.validate {
		room <- struct{}{}
		passes.Go(func() {
			defer func() { <-room }()
			verdicts[i] = r.kernelVerdict(ctx, sc, value)
		})
	}
	passes.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, value := range r.opts.validate {
		v := &verdicts[i]
		switch {
		case hopeless(v.err):
			return v.err
		case v.err != nil:
			res.Notes = append(res.Notes, "kernel: "+value+": n/a: "+v.err.Error())
			continue
		}
		for k, name := range slaveNames {
			res.Slaves[k].Kernel[value] = v.words[k]
			if v.flaps[k] >= flapping {
				res.Notes = append(res.Notes, fmt.Sprintf("kernel: %s: %s flaps, %d failures", value, name, v.flaps[k]))
			}
		}
		if v.late > r.kernelInterval() {
			res.Notes = append(res.Notes, fmt.Sprintf("kernel: %s: the machine came %v late, do not rely on it", value, ms(v.late)))
		}
	}
	return nil
}

// kernelInterval is the arp_interval of the kernel's monitor.
func (r *runner) kernelInterval() time.Duration {
	return max(r.opts.interval, kernelLeast).Round(time.Millisecond)
}

// kernelVerdict is what the kernel's monitor says of the slaves.
type kernelVerdict struct {
	words [2]string
	flaps [2]int        // how many times it called each of them failed
	late  time.Duration // by how much the machine came late at worst
	err   error
}

// kernelVerdict asks the kernel until it was well before the fault and the machine
// let it work.
func (r *runner) kernelVerdict(ctx context.Context, sc *scenario, value string) (v kernelVerdict) {
	for range kernelTries {
		v, v.err = r.kernelPass(ctx, sc, value)
		if v.err == nil && v.late <= r.kernelInterval() || v.err != nil && !errors.Is(v.err, errUnhealthy) {
			break
		}
	}
	return v
}

// lateness is by how much the machine wakes us late.
type lateness struct {
	last  time.Time
	worst time.Duration
}

// lateEvery is how often lateness wants to be woken.
const lateEvery = 20 * time.Millisecond

// wake takes the time of a wake-up.
func (l *lateness) wake(now time.Time) {
	if !l.last.IsZero() {
		l.worst = max(l.worst, now.Sub(l.last)-lateEvery)
	}
	l.last = now
}

// watchLate measures until the returned function is called, which returns the worst.
func watchLate() func() time.Duration {
	stop, worst := make(chan struct{}), make(chan time.Duration)
	go func() {
		tick := time.NewTicker(lateEvery)
		defer tick.Stop()
		var l lateness
		for {
			select {
			case <-stop:
				worst <- l.worst
				return
			case <-tick.C:
				l.wake(time.Now())
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-worst
	}
}

// errUnhealthy says that the kernel's monitor was wrong before there was a fault.
var errUnhealthy = errors.New("not healthy before the fault")

// kernelPass breaks a network in which only the kernel's monitor runs, and reads
// what the bond says of its slaves.
func (r *runner) kernelPass(ctx context.Context, sc *scenario, value string) (v kernelVerdict, err error) {
	interval := r.kernelInterval()
	b, err := r.newBench(ctx, sc, bondOptions(interval, sc.targetNames(), value))
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if sc.before != nil {
		if err := sc.before(ctx, b); err != nil {
			return v, err
		}
	}
	late := watchLate()
	defer func() { v.late = late() }()
	if err := wait(ctx, 3*interval); err != nil {
		return v, err
	}
	healthy, err := b.lab.BondState(ctx)
	if err != nil {
		return v, err
	}
	if err := unhealthy(&healthy); err != nil {
		return v, err
	}
	b.probes, b.sender = b.lab.BondMAC(), b.lab.Addr(lab.HostName)
	when, err := b.breakIt(ctx)
	if err != nil {
		return v, err
	}
	if sc.kernelFault != nil {
		if err := sc.kernelFault(ctx, b); err != nil {
			return v, err
		}
		when.done = time.Now()
	}
	if err := wait(ctx, time.Until(when.done.Add((kernelMissedMax+3)*interval+time.Second))); err != nil {
		return v, err
	}
	state, err := b.lab.BondState(ctx)
	if err != nil {
		return v, err
	}
	for i, name := range slaveNames {
		v.words[i], v.flaps[i] = kernelWord(healthy.Slave(name), state.Slave(name))
	}
	return v, nil
}

// unhealthy says what is wrong with a bond before a fault, or nil.
func unhealthy(b *lab.BondState) error {
	if b.Active != slaveNames[0] {
		return fmt.Errorf("%w: the active slave is %q, want %s", errUnhealthy, b.Active, slaveNames[0])
	}
	for _, name := range slaveNames {
		if s := b.Slave(name); s.MIIStatus != kernelUp {
			return fmt.Errorf("%w: %s is %q, want %s", errUnhealthy, name, s.MIIStatus, kernelUp)
		}
	}
	return nil
}

// kernelUp is the kernel's word for a slave that its monitor believes in. All others
// mean that it does not, or does not yet.
const kernelUp = "UP"

// kernelWord returns what the kernel says of a slave, and how many times it has
// failed.
func kernelWord(before, after lab.BondSlave) (word string, flaps int) {
	word = down
	if after.MIIStatus == kernelUp {
		word = up
	}
	return word, after.LinkFailures - before.LinkFailures
}

// bondOptions returns the options of a bond that the kernel monitors.
func bondOptions(interval time.Duration, targets []string, validate string) []string {
	var addrs []string
	for _, name := range targets {
		// The addresses of the targets are the same in every lab.
		addrs = append(addrs, new(lab.Lab).Addr(name).String())
	}
	return []string{
		"mode", "active-backup", "arp_interval", strconv.FormatInt(interval.Milliseconds(), 10),
		"arp_ip_target", strings.Join(addrs, ","), "arp_validate", validate,
	}
}

// kernelTooOld says why the verdicts of this kernel's monitor mean nothing here, or
// nothing.
func kernelTooOld() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err.Error()
	}
	return tooOld(strings.TrimSpace(string(text)))
}

// tooOld is kernelTooOld for a release such as 5.10.0-32-cloud-amd64.
func tooOld(release string) string {
	major, _, _ := strings.Cut(release, ".")
	n, err := strconv.Atoi(major)
	if err == nil && n < 6 {
		return "before Linux 6.0 (this is " + release + ") the monitor flaps on virtual devices"
	}
	return ""
}
