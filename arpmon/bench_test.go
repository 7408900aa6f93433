// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/alloctest"
)

// crowd is an engine with many slaves whose probes are answered at once.
type crowd struct {
	e      *arpmon.Engine
	ids    []arpmon.SlaveID
	out    []arpmon.Probe
	now    int64
	reply  [60]byte
	events []arpmon.Event
	seq    uint64
	probes int
	// dead says whose answers are lost.
	dead func(slave, target int) bool
}

func crowdConfig(slaves, targets int) arpmon.Config {
	return arpmon.Config{
		Targets: manyTargets(targets), MaxSlaves: slaves, MaxTargets: targets, MaxPPS: 1000,
		Interval: 500 * time.Millisecond, NoCanary: true,
	}
}

func newCrowd(tb testing.TB, slaves, targets int) *crowd {
	tb.Helper()
	e, err := arpmon.New(crowdConfig(slaves, targets))
	if err != nil {
		tb.Fatal(err)
	}
	c := &crowd{
		e: e, out: make([]arpmon.Probe, 256), events: make([]arpmon.Event, 256),
		dead: func(int, int) bool { return false },
	}
	for i := range slaves {
		id, err := e.AddSlave(arpmon.SlaveConfig{
			Identity: arpmon.Identity{MAC: arpmon.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)}}, Link: arpmon.LinkUp,
		}, 0)
		if err != nil {
			tb.Fatal(err)
		}
		c.ids = append(c.ids, id)
	}
	return c
}

// answer hands in the reply to a probe.
func (c *crowd) answer(p *arpmon.Probe) arpmon.Verdict {
	f := p.Frame()
	copy(c.reply[0:6], f[22:28])
	copy(c.reply[12:20], f[12:20])
	binary.BigEndian.PutUint16(c.reply[20:], 2)
	copy(c.reply[22:28], macA[:])
	copy(c.reply[6:12], macA[:])
	copy(c.reply[28:32], f[38:42])
	copy(c.reply[32:38], f[22:28])
	copy(c.reply[38:42], f[28:32])
	return c.e.Handle(p.Slave, c.reply[:], arpmon.Meta{}, c.now)
}

// run drives the engine and reads its events until the time is over.
func (c *crowd) run(d time.Duration) {
	for end := c.now + int64(d); c.now < end; {
		n, next := c.e.Poll(c.now, c.out)
		for i := range c.out[:n] {
			p := &c.out[i]
			c.e.Sent(p, c.now)
			c.probes++
			if f := p.Frame(); !c.dead(int(f[10])<<8|int(f[11]), int(f[41])-1) {
				c.answer(p)
			}
		}
		for {
			k, seq, _ := c.e.EventsSince(c.seq, c.events)
			if c.seq = seq; k < len(c.events) {
				break
			}
		}
		c.now = min(max(next, c.now), end)
	}
}

// A whole life with failures allocates nothing after New.
func TestNoAllocationsScenario(t *testing.T) {
	for _, size := range []struct{ slaves, targets int }{{2, 2}, {64, 4}, {1024, 4}} {
		t.Run(fmt.Sprintf("%dx%d", size.slaves, size.targets), func(t *testing.T) {
			c := newCrowd(t, size.slaves, size.targets)
			var snap arpmon.Snapshot
			all, fewer := manyTargets(size.targets), manyTargets(size.targets-1)
			alloctest.Zero(t, 1, func() {
				c.run(3 * time.Second)
				c.dead = func(slave, _ int) bool { return slave%2 == 0 }
				c.run(4 * time.Second)
				c.dead = func(_, target int) bool { return target == 0 }
				c.run(6 * time.Second)
				c.dead = func(int, int) bool { return true }
				c.run(4 * time.Second)
				c.dead = func(int, int) bool { return false }
				c.now += int64(2 * time.Second) // a stall
				c.run(4 * time.Second)
				c.e.SetLink(c.ids[0], arpmon.LinkDown, c.now)
				c.run(time.Second)
				c.e.SetLink(c.ids[0], arpmon.LinkUp, c.now)
				must(c.e.SetIdentity(c.ids[0], arpmon.Identity{MAC: arpmon.MAC{2, 2, 2, 2, 2, 2}}, macB, c.now))
				must(c.e.SetTargets(fewer, c.now))
				c.run(time.Second)
				must(c.e.SetTargets(all, c.now))
				must(c.e.SetIdentity(c.ids[0], arpmon.Identity{MAC: arpmon.MAC{2, 1}}, arpmon.MAC{}, c.now))
				c.e.RemoveSlave(c.ids[1], c.now)
				c.run(time.Second)
				id, err := c.e.AddSlave(arpmon.SlaveConfig{Identity: arpmon.Identity{MAC: arpmon.MAC{2, 1, 0, 0, 0, 1}}, Link: arpmon.LinkUp}, c.now)
				must(err)
				c.ids[1] = id
				c.run(4 * time.Second)
				c.e.Snapshot(&snap)
			})
			if snap.Group != arpmon.GroupOK || c.probes < 100*size.slaves {
				t.Errorf("group %v after %d probes: the scenario did not run", snap.Group, c.probes)
			}
			for i := range snap.Slaves {
				if snap.Slaves[i].State != arpmon.SlaveUp {
					t.Fatalf("slave %d ends %v (%v)", i, snap.Slaves[i].State, snap.Slaves[i].Reason)
				}
			}
		})
	}
}

// Slaves and targets that come and go without a Poll take no memory.
func TestNoAllocationsChurn(t *testing.T) {
	e, err := arpmon.New(arpmon.Config{NoCanary: true, MaxSlaves: 1})
	must(err)
	one, other := targets(addrA), targets(addrB)
	alloctest.Zero(t, 1000, func() {
		id, err := e.AddSlave(arpmon.SlaveConfig{Identity: arpmon.Identity{MAC: mac1}, Link: arpmon.LinkUp}, 0)
		must(err)
		must(e.SetTargets(one, 0))
		must(e.SetTargets(other, 0))
		e.RemoveSlave(id, 0)
	})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// The memory of an engine is what the design allows: 256 bytes a pair, the
// slaves' counters included.
func TestMemoryOfPairs(t *testing.T) {
	const slaves, targets = 4096, 4
	cfg := crowdConfig(slaves, targets)
	var before, after runtime.MemStats
	least := uint64(math.MaxUint64)
	for range 3 {
		runtime.GC()
		runtime.ReadMemStats(&before)
		e, err := arpmon.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
		runtime.KeepAlive(e)
	}
	if per := float64(least) / (slaves * targets); per > 256 {
		t.Errorf("%.0f bytes a pair, want at most 256", per)
	} else {
		t.Logf("%.0f bytes a pair", per)
	}
}

func BenchmarkHandle(b *testing.B) {
	c := newCrowd(b, 2, 2)
	c.run(3 * time.Second)
	// Two Polls after the timeout, so that one probe is outstanding.
	n := 0
	for n == 0 {
		c.now += ms
		n, _ = c.e.Poll(c.now, c.out)
	}
	p := c.out[0]
	c.e.Sent(&p, c.now)
	good := replyTo(p.Frame(), macA)
	if v := c.answer(&p); v != arpmon.Accepted {
		b.Fatal(v)
	}
	for name, edit := range map[string]func(f []byte){
		"duplicate":        func([]byte) {},
		"wrong-opcode":     func(f []byte) { f[21] = 1 },
		"wrong-target-mac": func(f []byte) { f[37]++ },
		"wrong-ethertype":  func(f []byte) { f[13] = 0 },
	} {
		f := append([]byte(nil), good...)
		edit(f)
		b.Run("reject/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.e.Handle(p.Slave, f, arpmon.Meta{}, c.now)
			}
		})
	}
	// Accepting needs an outstanding probe each time: Sent makes one of the
	// probe that Poll gave out, so the pair is measured together with it and
	// again alone.
	b.Run("accept+sent", func(b *testing.B) {
		e, id, probe, frame := outstanding(b)
		b.ReportAllocs()
		for b.Loop() {
			e.Reissue(&probe)
			e.Sent(&probe, 1)
			e.Handle(id, frame, arpmon.Meta{}, 1)
		}
	})
	b.Run("sent", func(b *testing.B) {
		e, _, probe, _ := outstanding(b)
		b.ReportAllocs()
		for b.Loop() {
			e.Reissue(&probe)
			e.Sent(&probe, 1)
		}
	})
}

// outstanding returns an engine, one of its probes, and the answer to it.
func outstanding(b *testing.B) (*arpmon.EngineForTest, arpmon.SlaveID, arpmon.Probe, []byte) {
	c := newCrowd(b, 2, 2)
	c.run(3 * time.Second)
	n := 0
	for n == 0 {
		c.now += ms
		n, _ = c.e.Poll(c.now, c.out)
	}
	p := c.out[0]
	return &arpmon.EngineForTest{Engine: c.e}, p.Slave, p, replyTo(p.Frame(), macA)
}

// BenchmarkPoll measures Poll alone: the caller comes every 0.45 intervals, so
// that one call gives out many probes; sending and answering them is not timed.
// Small engines are many, so that the clock is read once for many of them.
func BenchmarkPoll(b *testing.B) {
	for _, size := range []struct{ engines, slaves, targets int }{{256, 2, 2}, {1, 4096, 4}} {
		b.Run(fmt.Sprintf("%dx%d", size.slaves, size.targets), func(b *testing.B) {
			crowds := make([]*crowd, size.engines)
			for i := range crowds {
				crowds[i] = newCrowd(b, size.slaves, size.targets)
				crowds[i].out = make([]arpmon.Probe, size.slaves*size.targets)
				crowds[i].run(5 * time.Second)
			}
			got := make([]int, len(crowds))
			now, probes := crowds[0].now, 0
			var spent time.Duration
			b.ReportAllocs()
			for b.Loop() {
				now += 225 * ms
				start := time.Now()
				for i, c := range crowds {
					got[i], _ = c.e.Poll(now, c.out)
				}
				spent += time.Since(start)
				for i, c := range crowds {
					c.now = now
					probes += got[i]
					for j := range c.out[:got[i]] {
						c.e.Sent(&c.out[j], now)
						if v := c.answer(&c.out[j]); v != arpmon.Accepted {
							b.Fatal(v)
						}
					}
				}
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(probes), "poll-ns/probe")
		})
	}
}

func BenchmarkCycle(b *testing.B) {
	for _, size := range []struct{ slaves, targets int }{{2, 2}, {4096, 4}} {
		b.Run(fmt.Sprintf("%dx%d", size.slaves, size.targets), func(b *testing.B) {
			c := newCrowd(b, size.slaves, size.targets)
			c.run(5 * time.Second)
			c.probes = 0
			b.ReportAllocs()
			for b.Loop() {
				c.run(100 * time.Millisecond)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c.probes), "ns/probe")
		})
	}
}
