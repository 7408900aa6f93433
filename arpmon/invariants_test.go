// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

var (
	simSeed = flag.Uint64("arpmon.seed", 0, "first `seed` of the random runs")
	simRuns = flag.Int("arpmon.runs", 400, "`number` of random runs, each with a seed of its own")
)

// TestRandom lets everything happen in any order and checks in every turn of the
// Monitor what must always be true.
func TestRandom(t *testing.T) {
	for i := range simCount(*simRuns) {
		seed := *simSeed + uint64(i)
		run := newChaos(t, seed)
		run.play(40)
		if t.Failed() {
			t.Fatalf("again with -run TestRandom -arpmon.seed=%d -arpmon.runs=1; last events:\n%s", seed, run.tail(60))
		}
	}
}

// TestRandomIsDeterministic plays the same seed twice.
func TestRandomIsDeterministic(t *testing.T) {
	for i := range simCount(10) {
		seed := *simSeed + uint64(i)
		a, b := newChaos(t, seed), newChaos(t, seed)
		a.play(20)
		b.play(20)
		if diff := cmp.Diff(a.rig.Mon.Events(), b.rig.Mon.Events(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatalf("seed %d gave different events:\n%s", seed, diff)
		}
		if a.rig.Frames() != b.rig.Frames() || a.rig.Now() != b.rig.Now() {
			t.Fatalf("seed %d carried %d and %d frames", seed, a.rig.Frames(), b.rig.Frames())
		}
	}
}

// chaos is one random run.
type chaos struct {
	t    *testing.T
	seed uint64
	rng  *rand.Rand
	rig  *arpmontest.Rig
	cfg  arpmon.Config
	pool []arpmon.Target // what targets there may be; each has a host
	now  []arpmon.Target // the present ones
	made int             // slaves made so far
	// freed are probes' addresses of the past.
	freed []arpmon.MAC
	does  string // the last action, for messages
	*checker
}

func newChaos(t *testing.T, seed uint64) *chaos {
	rng := rand.New(rand.NewPCG(seed, 1))
	pool := arpmontest.Addresses(1 + rng.IntN(6))
	cfg := arpmon.Config{
		Targets:    pool[:1+rng.IntN(len(pool))],
		Policy:     []arpmon.Policy{arpmon.PolicyAny, arpmon.PolicyAny, arpmon.PolicyAll, arpmon.PolicyAtLeast(2)}[rng.IntN(4)],
		DownAfter:  1 + rng.IntN(5),
		UpAfter:    1 + rng.IntN(6),
		MaxSlaves:  6,
		MaxTargets: len(pool),
		Events:     1 << 12,
		NoCanary:   rng.IntN(2) == 0,
		Seed:       seed,
		MaxPPS:     1e6,
	}
	if cfg.Policy == arpmon.PolicyAtLeast(2) && len(cfg.Targets) < 2 {
		cfg.Policy = arpmon.PolicyAny
	}
	switch rng.IntN(3) {
	case 0: // the default
		cfg.MaxPPS = 0
	case 1:
		cfg.Interval = time.Duration(10+rng.IntN(190)) * time.Millisecond
	default:
		cfg.Interval = time.Duration(20+rng.IntN(400)) * time.Millisecond
		cfg.Timeout = time.Millisecond + time.Duration(rng.Int64N(int64(cfg.Interval/2)))
	}
	c := &chaos{t: t, seed: seed, rng: rng, pool: pool, now: cfg.Targets}
	r, err := arpmontest.NewRig(seed, 1+rng.IntN(4), cfg)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, target := range pool[len(cfg.Targets):] {
		r.AddTarget(target)
	}
	r.Mon.Batch = 1 + rng.IntN(8)
	c.rig, c.made = r, len(r.Slaves)
	c.cfg = r.Mon.Engine().Config()
	c.checker = newChecker(r, c.cfg, func(format string, args ...any) {
		if !t.Failed() {
			t.Errorf("seed %d at %v after %s: %s", seed, r.Elapsed(), c.does, fmt.Sprintf(format, args...))
		}
	})
	return c
}

// tail returns the last events.
func (c *chaos) tail(n int) string {
	evs := c.rig.Mon.Events()
	from := int64(0)
	if len(evs) > n {
		from = evs[len(evs)-n].At
	}
	return simLog(c.rig, from)
}

// play does n random things, and every now and then repairs everything.
func (c *chaos) play(n int) {
	for i := range n {
		if c.t.Failed() {
			return
		}
		c.act()
		c.acted()
		c.check()
		c.rig.Run(time.Duration(c.rng.Int64N(int64(3 * c.cfg.Interval))))
		if i%10 == 9 {
			c.repair()
		}
	}
}

// act does one random thing.
func (c *chaos) act() {
	r, rng := c.rig, c.rng
	slave := func() *arpmontest.Slave {
		if s := r.Mon.Slaves(); len(s) > 0 {
			return s[rng.IntN(len(s))]
		}
		return nil
	}
	uplink := r.Uplinks[rng.IntN(len(r.Uplinks))]
	host := rng.IntN(len(r.Targets))
	on := rng.IntN(2) == 0
	s := slave()
	if s == nil {
		c.addSlave()
		return
	}
	switch k := rng.IntN(26); k {
	case 0, 1, 2:
		c.does = fmt.Sprintf("uplink cut %v", on)
		uplink.Cut(on)
	case 3:
		c.does = "one way"
		uplink.Each(func(w *arpmontest.Wire) { w.Cut = rng.IntN(2) == 0 })
	case 4, 5:
		c.does = fmt.Sprintf("cut of %s %v", s.Name(), on)
		s.Link().Cut(on)
		c.cut(s, on)
	case 6:
		c.does, c.noisy = "noise", true
		uplink.Each(func(w *arpmontest.Wire) {
			w.Loss, w.Duplicate = rng.Float64()*0.5, rng.Float64()*0.5
			w.Jitter, w.Reorder = time.Duration(rng.Int64N(int64(c.cfg.Interval))), on
		})
	case 7, 8:
		c.does = fmt.Sprintf("target %s cut %v", r.Targets[host].Name(), on)
		r.TargetLinks[host].Cut(on)
	case 9:
		c.does, c.noisy = "slow or loud target", true
		r.Targets[host].DelayJitter = time.Duration(rng.Int64N(int64(c.cfg.Interval)))
		r.Targets[host].BroadcastReplies = on
	case 10:
		c.does = "target's new MAC"
		r.Targets[host].MAC = r.MAC()
		if n := len(c.freed); on && n > 0 {
			// An address that was one of ours is nobody's now.
			r.Targets[host].MAC = c.freed[n-1]
			c.freed = c.freed[:n-1]
		}
	case 11:
		c.does = "second owner"
		for i, h := range r.Targets {
			h.Proxy = nil
			if on && i == host {
				h.Proxy = func(arpmontest.ARP) bool { return true }
			}
		}
	case 12:
		c.does = fmt.Sprintf("carrier of %s %v", s.Name(), on)
		s.Link().SetCarrier(on)
	case 13:
		c.does = fmt.Sprintf("%s set up %v", s.Name(), on)
		s.SetUp(on)
	case 14, 15:
		c.does = fmt.Sprintf("%s cannot send %v", s.Name(), on)
		s.TXError = nil
		if on {
			s.TXError = errWedged
		}
		c.later(s)
	case 16:
		d := time.Duration(rng.Int64N(int64(8 * c.cfg.Interval)))
		c.does = fmt.Sprintf("stall of %v", d)
		c.late(min(d, c.cfg.Interval/2)) // which is no stall yet
		r.Mon.Stall(d)
	case 17:
		c.does = "late wake-ups"
		c.setJitter(time.Duration(rng.Int64N(int64(c.cfg.Interval)/2)) * time.Duration(rng.IntN(2)))
	case 18, 19:
		c.setTargets()
	case 20:
		c.addSlave()
	case 21:
		c.does = "remove " + s.Name()
		c.forget(s)
		c.freed = append(c.freed, s.Identity().MAC)
		s.Remove()
	case 22:
		c.does = "new identity of " + s.Name()
		c.disturb(s)
		c.freed = append(c.freed, s.Identity().MAC)
		i := arpmon.Identity{MAC: r.MAC()}
		if on {
			i.Addr = netip.AddrFrom4([4]byte{198, 51, 100, byte(rng.IntN(256))})
		}
		if err := s.SetIdentity(i, r.MAC()); err != nil {
			c.fail("SetIdentity: %v", err)
		}
	case 23:
		c.does = "other active slave"
		r.Mon.SetActive(s)
	case 24:
		c.does = "Resume"
		c.resume()
	case 25:
		c.does = "bad frames"
		for range 6 {
			c.badFrame(s)
		}
	}
}

func (c *chaos) resume() {
	stopped := c.stopped
	if ok := c.rig.Mon.Resume(); ok != stopped {
		c.fail("Resume said %v, stopped was %v", ok, stopped)
	}
}

func (c *chaos) addSlave() {
	c.does = "add slave"
	c.made++
	sw := c.rig.Switches[c.rng.IntN(len(c.rig.Switches))]
	cfg := arpmon.SlaveConfig{}
	if c.rng.IntN(2) == 0 {
		cfg.Device = c.rig.MAC()
	}
	_, err := c.rig.Mon.AddSlave(fmt.Sprint("e", c.made), sw, cfg)
	if full := len(c.rig.Mon.Slaves()) == c.cfg.MaxSlaves; err != nil && !full {
		c.fail("AddSlave: %v", err)
	}
}

func (c *chaos) setTargets() {
	ts := slices.Clone(c.pool)
	c.rng.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
	ts = ts[:c.rng.IntN(len(ts)+1)]
	c.does = fmt.Sprintf("SetTargets %v", ts)
	undo := c.retarget(ts)
	if err := c.rig.Mon.SetTargets(ts...); err == nil {
		c.now = ts
	} else if c.cfg.Policy == arpmon.PolicyAny && c.cfg.MaxPPS > 1e3 {
		c.fail("SetTargets: %v", err)
	} else {
		undo()
	}
}

// repair ends all faults, and checks that all is well when time enough has gone
// by.
func (c *chaos) repair() {
	r := c.rig
	for _, l := range append(slices.Clone(r.Uplinks), r.TargetLinks...) {
		l.Each(func(w *arpmontest.Wire) { w.Cut, w.Loss, w.Duplicate, w.Jitter, w.Reorder = false, 0, 0, 0, false })
	}
	for _, h := range r.Targets {
		h.DelayJitter, h.BroadcastReplies, h.Proxy = 0, false, nil
	}
	c.setJitter(0)
	c.noisy = false
	for _, s := range r.Mon.Slaves() {
		s.Link().Cut(false)
		c.cut(s, false)
		s.Link().SetCarrier(true)
		s.SetUp(true)
		s.TXError = nil
	}
	// A stall under way ends here at the latest.
	r.Run(8 * c.cfg.Interval)
	c.does = "repair"
	c.resume()
	// What is under way may count as missed once more, and a careful start
	// may wait for one bound.
	r.Run(c.cfg.Interval + c.cfg.Bound() + c.cfg.Interval + c.cfg.Recovery())
	c.check()
	if len(c.now) == 0 || len(c.snap.Slaves) == 0 {
		return
	}
	for _, s := range c.snap.Slaves {
		if s.State != arpmon.SlaveUp {
			c.fail("%s is %v (%v) long after everything was repaired", r.Mon.SlaveName(s.ID), s.State, s.Reason)
		}
		for _, p := range s.Pairs {
			if p.State != arpmon.PairReachable {
				c.fail("%s %v is %v (%v) long after everything was repaired", r.Mon.SlaveName(s.ID), p.Target, p.State, p.Reason)
			}
		}
	}
	for _, t := range c.snap.Targets {
		if t.Down {
			c.fail("%v is down long after everything was repaired", t.Target)
		}
	}
}

// badFrame gives the engine a frame that is wrong in a random way, and looks at
// what that changed.
func (c *chaos) badFrame(s *arpmontest.Slave) {
	e, rng := c.rig.Mon.Engine(), c.rng
	target := c.pool[rng.IntN(len(c.pool))].Addr
	a := arpmontest.ARP{
		Dst: s.Identity().MAC, Src: c.rig.Targets[0].MAC, Op: arpmontest.Reply,
		SHA: c.rig.Targets[0].MAC, SPA: target, THA: s.Identity().MAC, TPA: s.Identity().Addr,
	}
	var m arpmon.Meta
	id := s.ID()
	mangle := func(f []byte) []byte { return f }
	observe := rng.IntN(2) == 0
	switch rng.IntN(13) {
	case 0:
		a.Op = uint16(rng.IntN(1<<16)) &^ 2
	case 1:
		a.Dst = c.rig.Targets[0].MAC
	case 2:
		a.SPA = netip.AddrFrom4([4]byte{203, 0, 113, byte(rng.IntN(256))})
	case 3:
		a.THA[5] ^= 0x80
	case 4:
		a.TPA = netip.AddrFrom4([4]byte{203, 0, 113, byte(rng.IntN(256))})
	case 5:
		a.SHA = []arpmon.MAC{{}, {1, 2, 3, 4, 5, 6}, arpmontest.Broadcast, s.Identity().MAC}[rng.IntN(4)]
	case 6:
		m.VLAN.ID = 1 + uint16(rng.IntN(4094))
	case 7:
		m.Outgoing = true
	case 8:
		mangle = func(f []byte) []byte { return f[:rng.IntN(42)] }
	case 9:
		mangle = func(f []byte) []byte {
			binary.BigEndian.PutUint64(f[12:], binary.BigEndian.Uint64(f[12:])^1<<rng.IntN(64))
			return f
		}
	case 10:
		id += arpmon.SlaveID(1 + rng.Uint32N(1<<31))
	case 11:
		a.VLAN.ID = 7
	case 12:
		observe = true // nothing is wrong with it but where it came from
	}
	var before, after arpmon.Snapshot
	e.Snapshot(&before)
	frame := mangle(a.Frame())
	given := slices.Clone(frame)
	var v arpmon.Verdict
	if observe {
		v = e.Observe(id, frame, m)
	} else {
		v = e.Handle(id, frame, m, c.rig.Now())
	}
	e.Snapshot(&after)
	if !slices.Equal(frame, given) {
		c.fail("the frame was changed")
	}
	if v == arpmon.Accepted {
		c.fail("accepted: % x %+v", frame, m)
		return
	}
	if v == arpmon.RejectNoSlave {
		before.Stats.NoSlave++
	} else {
		before.Slave(id).Frames[v]++
	}
	if !reflect.DeepEqual(before, after) { //nolint:govet // LastErr must be the same value, and cmp takes fifty times as long
		c.fail("a frame that is %v changed more than its counter:\n%s", v, cmp.Diff(before, after,
			cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreUnexported(arpmon.Snapshot{}), cmpopts.EquateErrors()))
	}
}
