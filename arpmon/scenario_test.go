// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/arpmon/arpmontest"
)

var updateScenarios = flag.Bool("update", false, "rewrite the events in testdata/*.txt")

// TestScenarios plays the stories in testdata. A story is a list of commands,
// one a line, and after a line "----" exactly the events that they cause, from
// the command log on if there is one. The network is an [arpmontest.Rig]: slaves
// e1 and e2 (more with "slaves N") on switches sw1 and sw2, these on core, and
// there the targets A and B.
//
//	config KEY=VALUE...        interval, timeout, down-after, up-after, policy, pps, targets (how many), canary=off
//	slaves N                   how many; must stand before everything but config
//	run D                      lets time go by
//	log                        events are listed, and transitions and probes counted, from here on
//	cut X, restore X           X-Y a cable, X>Y one direction of it
//	loss X P, duplicate X P, jitter X D, latency X D
//	carrier X-Y on|off         plugs or pulls a cable
//	admin S up|down            sets a slave up or down
//	wedge S, unwedge S         its queue accepts nothing
//	mute H, unmute H, delay H D, loud H, new-mac H
//	host H SWITCH [A]          one more host, with the address of A if that is given
//	say H WHAT [A] every D     ask, probe (for A, or the bond), announce, lldp
//	forge H S A KIND every D   wrong replies for slave S in the name of A
//	hush H                     ends what it says
//	bond, traffic H D          gives the host an address, and lets H send to it
//	prune SWITCH>NODE [H]      drops frames from the bond's MAC address there, or from H's
//	unprune                    ends that
//	active S                   moves the bond
//	targets H..., add S SWITCH, remove S, identity S, resume
//	stall D, late D            the Monitor stops, or wakes up late
//	expect ...                 see [script.expect]
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			story, want, found := strings.Cut(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n----\n")
			if !found && !*updateScenarios {
				t.Fatal("no line ----")
			}
			s := &script{t: t, file: file, slaves: 2, said: map[string][]*arpmontest.Ticker{}, from: map[*arpmontest.Slave]counts{}}
			for i, line := range strings.Split(story, "\n") {
				line, _, _ = strings.Cut(line, "#")
				if words := strings.Fields(line); len(words) > 0 {
					s.line = i + 1
					s.do(words)
				}
			}
			got := s.events()
			if *updateScenarios {
				if err := os.WriteFile(file, []byte(strings.TrimRight(story, "\n")+"\n----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if st := s.rig.Mon.Engine().Stats(); s.rig.Mon.Spins != 0 || st.Unreported != 0 || s.rig.Mon.LostEvents() != 0 {
				t.Errorf("%d spins, %d unreported, %d lost events", s.rig.Mon.Spins, st.Unreported, s.rig.Mon.LostEvents())
			}
		})
	}
}

// script plays one story.
type script struct {
	t      *testing.T
	file   string
	line   int
	cfg    arpmon.Config
	slaves int
	rig    *arpmontest.Rig
	said   map[string][]*arpmontest.Ticker
	since  int64
	first  int // event of the log
	from   map[*arpmontest.Slave]counts
	pruned *arpmontest.Rule
	sent   uint64 // frames to the bond, from the log on
	data   uint64 // what the bond had received then
}

type counts struct {
	transitions uint32
	sent        uint64
}

func (s *script) fatal(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s:%d: %s\n%s", s.file, s.line, fmt.Sprintf(format, args...), s.tail())
}

func (s *script) tail() string {
	if s.rig == nil {
		return ""
	}
	return simLog(s.rig, s.since)
}

// events returns the events of the log as text.
func (s *script) events() string {
	var b strings.Builder
	for _, ev := range s.rig.Mon.Events()[s.first:] {
		line := s.rig.Mon.Describe(ev)
		for _, h := range s.rig.Targets {
			line = strings.Replace(line, h.Addr.String()+" ", h.Name()+" ", 1)
			if strings.HasSuffix(line, " "+h.Addr.String()) {
				line = strings.TrimSuffix(line, h.Addr.String()) + h.Name()
			}
		}
		fmt.Fprintf(&b, "%9.3f %s\n", float64(ev.At)/1e6, line)
	}
	return b.String()
}

// setUp builds the network at the first command that needs it.
func (s *script) setUp() {
	if s.rig != nil {
		return
	}
	s.cfg.Seed, s.cfg.Events = 1, 1<<14
	r, err := arpmontest.NewRig(1, s.slaves, s.cfg)
	if err != nil {
		s.fatal("%v", err)
	}
	s.rig = r
}

func (s *script) config(words []string) {
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		var err error
		switch k {
		case "interval":
			s.cfg.Interval, err = time.ParseDuration(v)
		case "timeout":
			s.cfg.Timeout, err = time.ParseDuration(v)
		case "down-after":
			s.cfg.DownAfter, err = strconv.Atoi(v)
		case "up-after":
			s.cfg.UpAfter, err = strconv.Atoi(v)
		case "policy":
			s.cfg.Policy, err = arpmon.ParsePolicy(v)
		case "pps":
			s.cfg.MaxPPS, err = strconv.ParseFloat(v, 64)
		case "targets":
			var n int
			n, err = strconv.Atoi(v)
			s.cfg.Targets = arpmontest.Addresses(n)
		case "canary":
			s.cfg.NoCanary = v == "off"
		default:
			err = fmt.Errorf("unknown key %q", k)
		}
		if err != nil {
			s.fatal("%v", err)
		}
	}
}

// do plays one command.
func (s *script) do(words []string) {
	verb, args := words[0], words[1:]
	switch verb {
	case "config":
		s.config(args)
		return
	case "slaves":
		s.slaves = int(s.number(s.arg(args, 0)))
		return
	}
	s.setUp()
	r := s.rig
	switch verb {
	case "run":
		r.Run(s.duration(s.arg(args, 0)))
	case "log":
		s.log()
	case "cut", "restore":
		s.wires(s.arg(args, 0), func(w *arpmontest.Wire) { w.Cut = verb == "cut" })
	case "loss":
		s.wires(s.arg(args, 0), func(w *arpmontest.Wire) { w.Loss = s.number(s.arg(args, 1)) })
	case "duplicate":
		s.wires(s.arg(args, 0), func(w *arpmontest.Wire) { w.Duplicate = s.number(s.arg(args, 1)) })
	case "jitter":
		s.wires(s.arg(args, 0), func(w *arpmontest.Wire) { w.Jitter = s.duration(s.arg(args, 1)) })
	case "latency":
		s.wires(s.arg(args, 0), func(w *arpmontest.Wire) { w.Latency = s.duration(s.arg(args, 1)) })
	case "carrier":
		a, b, _ := strings.Cut(s.arg(args, 0), "-")
		s.link(a, b).SetCarrier(s.arg(args, 1) == "on")
	case "admin":
		s.slave(s.arg(args, 0)).SetUp(s.arg(args, 1) == "up")
	case "wedge":
		s.slave(s.arg(args, 0)).TXError = errWedged
	case "unwedge":
		s.slave(s.arg(args, 0)).TXError = nil
	case "mute", "unmute":
		s.host(s.arg(args, 0)).Mute = verb == "mute"
	case "delay":
		s.host(s.arg(args, 0)).Delay = s.duration(s.arg(args, 1))
	case "loud":
		s.host(s.arg(args, 0)).BroadcastReplies = true
	case "new-mac":
		s.host(s.arg(args, 0)).MAC = r.MAC()
	case "host":
		h := r.AddHost(s.arg(args, 0), arpmontest.Addresses(100 + len(s.said))[99+len(s.said)].Addr)
		s.said[h.Name()] = nil
		if len(args) > 2 {
			h.Addr = s.host(args[2]).Addr
		}
		r.Connect(h, s.node(s.arg(args, 1)))
	case "say":
		s.say(args)
	case "forge":
		s.forge(args)
	case "hush":
		for _, t := range s.said[s.arg(args, 0)] {
			t.Stop()
		}
	case "bond":
		r.Mon.SetBond("bond", arpmontest.Addresses(200)[199].Addr)
	case "traffic":
		h := s.host(s.arg(args, 0))
		s.said[h.Name()] = append(s.said[h.Name()], r.Every(s.duration(s.arg(args, 1)), func() {
			if h.SendData(r.Mon.Bond.Addr) {
				s.sent++
			}
		}))
	case "prune":
		a, b, _ := strings.Cut(s.arg(args, 0), ">")
		sw, _ := s.node(a).(*arpmontest.Switch)
		h := r.Mon.Bond
		if len(args) > 1 {
			h = s.host(args[1])
		}
		s.pruned = sw.Drop(nil, s.link(a, b), func(f []byte) bool { return arpmon.MAC(f[6:12]) == h.MAC })
	case "unprune":
		s.pruned.Remove()
	case "active":
		r.Mon.SetActive(s.slave(s.arg(args, 0)))
	case "targets":
		s.targets(args)
	case "add":
		n, err := r.Mon.AddSlave(s.arg(args, 0), s.node(s.arg(args, 1)), arpmon.SlaveConfig{})
		if err != nil {
			s.fatal("%v", err)
		}
		r.Slaves = append(r.Slaves, n)
	case "remove":
		s.slave(s.arg(args, 0)).Remove()
	case "identity":
		if err := s.slave(s.arg(args, 0)).SetIdentity(arpmon.Identity{MAC: r.MAC()}, arpmon.MAC{}); err != nil {
			s.fatal("%v", err)
		}
	case "resume":
		r.Mon.Resume()
	case "stall":
		r.Mon.Stall(s.duration(s.arg(args, 0)))
	case "late":
		r.Mon.Jitter = s.duration(s.arg(args, 0))
	case "expect":
		if err := s.expect(args); err != "" {
			s.fatal("expect %s: %s", strings.Join(args, " "), err)
		}
	default:
		s.fatal("unknown command %q", verb)
	}
}

func (s *script) log() {
	s.since = s.rig.Now()
	s.first = len(s.rig.Mon.Events())
	var snap arpmon.Snapshot
	s.rig.Mon.Engine().Snapshot(&snap)
	for _, sl := range s.rig.Mon.Slaves() {
		st := snap.Slave(sl.ID())
		s.from[sl] = counts{st.Transitions, st.Sent}
	}
	s.sent = 0
	if s.rig.Mon.Bond != nil {
		s.data = s.rig.Mon.Bond.Data
	}
}

// say makes a host say something again and again.
func (s *script) say(args []string) {
	h := s.host(s.arg(args, 0))
	every := slices.Index(args, "every")
	if every < 0 {
		s.fatal("no every")
	}
	addr := h.Addr
	if every > 2 {
		addr = s.host(args[2]).Addr
	}
	var say func()
	switch what := s.arg(args, 1); what {
	case "ask":
		say = func() { h.Ask(addr) }
	case "announce":
		say = h.Announce
	case "probe":
		say = func() {
			h.Send(arpmontest.ARP{Dst: arpmontest.Broadcast, Src: h.MAC, Op: arpmontest.Request, SHA: h.MAC, TPA: addr}.Frame())
		}
	case "lldp":
		say = func() {
			h.Send(arpmontest.Frame(arpmon.MAC{0x01, 0x80, 0xc2, 0, 0, 0x0e}, h.MAC, 0x88cc, []byte{2, 7, 4}))
		}
	default:
		s.fatal("cannot say %q", what)
	}
	s.said[h.Name()] = append(s.said[h.Name()], s.rig.Every(s.duration(s.arg(args, every+1)), say))
}

// forge makes a host send replies with one field wrong.
func (s *script) forge(args []string) {
	h, sl, target := s.host(s.arg(args, 0)), s.slave(s.arg(args, 1)), s.host(s.arg(args, 2))
	a := arpmontest.ARP{
		Dst: sl.Identity().MAC, Src: h.MAC, Op: arpmontest.Reply,
		SHA: h.MAC, SPA: target.Addr, THA: sl.Identity().MAC, TPA: sl.Identity().Addr,
	}
	switch kind := s.arg(args, 3); kind {
	case "opcode":
		a.Op = arpmontest.Request
	case "sender":
		a.SPA = h.Addr
	case "vlan":
		a.VLAN.ID = 100
	case "target-mac":
		a.THA = h.MAC
	case "target-address":
		a.TPA = h.Addr
	case "sender-mac":
		a.SHA = arpmontest.Broadcast
	case "destination":
		a.Dst, a.THA = arpmontest.Broadcast, h.MAC
	case "gratuitous":
		a.Dst, a.THA, a.TPA = arpmontest.Broadcast, arpmontest.Broadcast, target.Addr
	default:
		s.fatal("cannot forge %q", kind)
	}
	s.said[h.Name()] = append(s.said[h.Name()], s.rig.Every(s.duration(s.arg(args, 5)), func() { h.Send(a.Frame()) }))
}

func (s *script) targets(names []string) {
	var ts []arpmon.Target
	for _, name := range names {
		for len(name) == 1 && s.rig.Node(name) == nil {
			s.rig.AddTarget(arpmontest.Addresses(len(s.rig.Targets) + 1)[len(s.rig.Targets)])
		}
		ts = append(ts, arpmon.IPv4(s.host(name).Addr))
	}
	if err := s.rig.Mon.SetTargets(ts...); err != nil {
		s.fatal("%v", err)
	}
}
