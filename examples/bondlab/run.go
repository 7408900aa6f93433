// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/lab"
)

// patience is how long to wait for what should happen at once. It is generous,
// because a guest without hardware help is slow.
const patience = 20 * time.Second

// runner runs scenarios and reports them.
type runner struct {
	opts   *options
	bonded bool          // over a bond of the kernel
	slack  time.Duration // what the machine may add to every bound
	out    reporter
}

// hostSlack is what a machine may add to the bound: the time in which the first
// frames meet the fault, and the scheduling of an ordinary system.
const hostSlack = 50 * time.Millisecond

// all runs all scenarios. The error is that of the context or one that makes going
// on useless.
func (r *runner) all(ctx context.Context) ([]result, error) {
	var results []result
	for i := range r.opts.scenarios {
		sc := &r.opts.scenarios[i]
		r.out.begin(i+1, len(r.opts.scenarios), sc)
		res, err := r.scenario(ctx, sc)
		if err != nil {
			return results, err
		}
		results = append(results, *res)
		r.out.end(res)
	}
	return results, nil
}

// scenario runs one scenario: a pass with the Monitor for each policy, then one
// without it for each value of arp_validate.
func (r *runner) scenario(ctx context.Context, sc *scenario) (*result, error) {
	var first *passed
	for i, policy := range sc.policyList() {
		p, err := r.pass(ctx, sc, policy)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case hopeless(err):
			return nil, err
		case err != nil:
			p = &passed{slaves: [2]string{"error", "error"}, group: "error", problems: []string{err.Error()}}
		}
		if i == 0 {
			first = p
		} else {
			first.merge(p, "policy "+policy.String())
		}
	}
	res := newResult(sc, first)
	err := r.kernelPasses(ctx, sc, res)
	return res, err
}

// hopeless reports whether an error will come again with every scenario.
func hopeless(err error) bool {
	_, missing := errors.AsType[*lab.MissingError](err)
	return missing || errors.Is(err, os.ErrPermission)
}

// newBench builds a network.
func (r *runner) newBench(ctx context.Context, sc *scenario, bond []string) (*bench, error) {
	l, err := lab.New(ctx, &lab.Config{Bond: bond, Chatty: sc.chatty()})
	if err != nil {
		return nil, err
	}
	return &bench{lab: l, sc: sc, bonded: bond != nil, interval: r.opts.interval}, nil
}

// pass runs a scenario once with the Monitor, and judges it.
func (r *runner) pass(ctx context.Context, sc *scenario, policy arpmon.Policy) (p *passed, err error) {
	r.out.phase("building the network")
	var bond []string
	if r.bonded {
		bond = []string{"mode", "active-backup", "miimon", "100"}
	}
	b, err := r.newBench(ctx, sc, bond)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if sc.before != nil {
		if err := sc.before(ctx, b); err != nil {
			return nil, err
		}
	}
	s := &setup{Slaves: b.lab.Slaves(), Policy: policy, Interval: r.opts.interval}
	if !r.bonded {
		s.Active = b.lab.Device()
	}
	rec := &record{names: make(map[netip.Addr]string)}
	for _, name := range sc.targetNames() {
		s.Targets = append(s.Targets, b.lab.Addr(name))
		rec.names[b.lab.Addr(name)] = name
	}
	r.out.targets(rec.names)

	cfg, err := s.resolved()
	if err != nil {
		return nil, err
	}
	end, err := r.start(ctx, b, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	lim := limits{bound: cfg.Bound(), slack: r.slack}
	if err := r.perform(ctx, b, rec, lim); err != nil {
		return nil, err
	}
	p = judge(sc, rec, &b.ev, lim)

	if err := b.undo(ctx); err != nil {
		return nil, err
	}
	r.out.mark("repair", rec.last.at(time.Now()))
	_, _, err = b.await(ctx, cfg.Recovery()+patience, "both slaves to be up after the repair", (*sample).healthy)
	if err != nil && ctx.Err() == nil {
		p.problems = append(p.problems, err.Error())
		err = nil
	}
	return p, err
}

// resolved returns the configuration of the engine with all defaults.
func (s *setup) resolved() (arpmon.Config, error) { return s.config(0).Config.Resolved() }

// start starts the Monitor. The returned function ends it.
func (r *runner) start(ctx context.Context, b *bench, s *setup) (end func() error, err error) {
	b.rec = newRecorder()
	each := func(v sample) {
		b.rec.add(v)
		r.out.sample(&v)
	}
	ctx, cancel := context.WithCancel(ctx)
	var run func() error
	started := make(chan *os.Process, 1)
	if b.sc.elsewhere {
		run = func() error {
			return watchElsewhere(ctx, s, b.lab.Host().File(), func(p *os.Process) { started <- p }, each)
		}
	} else {
		m, err := arpmon.NewMonitor(s.config(b.lab.Host().FD()))
		if err != nil {
			cancel()
			return nil, err
		}
		b.setActive = m.SetActive
		run = func() error { return watch(ctx, m, s.Slaves, each) }
	}
	var running sync.WaitGroup
	var failed error
	running.Go(func() {
		failed = run()
		if failed != nil {
			b.rec.fail(failed)
		}
		close(started)
	})
	if b.sc.elsewhere {
		b.process = <-started
	}
	return func() error {
		cancel()
		running.Wait()
		return failed
	}, nil
}

// perform does what the scenario says and records it.
func (r *runner) perform(ctx context.Context, b *bench, rec *record, lim limits) error {
	sc := b.sc
	r.out.phase("waiting until both slaves are up")
	s, _, err := b.await(ctx, lim.bound+patience, "both slaves to be up", (*sample).healthy)
	if err != nil {
		return err
	}
	mac := s.slave("e1").MAC
	b.probes, b.sender = mac[:], netip.IPv4Unspecified()
	r.out.phase("all is well")
	if err := wait(ctx, lim.bound); err != nil {
		return err
	}
	// What comes after this sample counts.
	s, n, err := b.await(ctx, lim.bound+patience, "both slaves to stay up", (*sample).healthy)
	if err != nil {
		return err
	}
	rec.healthy = s

	fault, err := b.breakIt(ctx)
	if err != nil {
		return err
	}
	rec.begun, rec.fault = s.at(fault.begun), s.at(fault.done)
	r.out.mark("fault", rec.fault)
	if sc.during != nil {
		if err := sc.during(ctx, b); err != nil {
			return err
		}
	}
	if err := b.settle(ctx, lim); err != nil {
		return err
	}
	if sc.after != nil {
		if err := sc.after(ctx, b); err != nil {
			return err
		}
	}
	if err := b.packets(ctx); err != nil {
		return err
	}
	// One more sample, taken after everything above.
	now := time.Now()
	rec.last, _, err = b.await(ctx, patience, "a sample", func(s *sample) bool { return s.Wall.After(now) })
	if err != nil {
		return err
	}
	rec.end = rec.last.Mono
	_, _, rec.eventsLost, err = b.rec.state()
	rec.events = b.rec.since(n)
	return err
}

// settle waits until the verdicts that the truth asks for are there and were
// stable for two bounds, or until it is too late for them.
func (b *bench) settle(ctx context.Context, lim limits) error {
	// For truths that are up: one bound in which a wrong verdict could come,
	// and two more. A little is added so that the last sample is after it.
	until := time.Now().Add(3*lim.bound + sampleEvery)
	if b.sc.truth != [2]string{up, up} {
		// Longer than the bound, because the bound grows where the machine keeps
		// the Monitor from running.
		_, _, err := b.await(ctx, 2*lim.bound+2*time.Second, "the verdict", func(s *sample) bool {
			for i, name := range slaveNames {
				if b.sc.truth[i] == down && s.slave(name).State != arpmon.SlaveDown {
					return false
				}
			}
			return s.Group.String() == b.sc.group
		})
		if err != nil && (ctx.Err() != nil || b.rec.failed() != nil) {
			return err
		}
		if stable := time.Now().Add(2*lim.bound + sampleEvery); stable.After(until) {
			until = stable
		}
	}
	if err := wait(ctx, time.Until(until)); err != nil {
		return err
	}
	// A lost frame at the very end makes a slave that is up Suspect for a
	// moment; that is not a verdict yet.
	_, _, err := b.await(ctx, lim.bound, "suspicions to end", func(s *sample) bool {
		for _, v := range s.Slaves {
			if v.State == arpmon.SlaveSuspect {
				return false
			}
		}
		return true
	})
	if ctx.Err() != nil || b.rec.failed() != nil {
		return err
	}
	return nil
}
