// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// planLinks are the interfaces of the kernels of these tests.
var planLinks = []string{"eth0", "eth1", "eth2", "eth3"}

// planKernel returns a kernel with planLinks, of which eth1 is up, and a client for it.
func planKernel(t testing.TB, cfg *bondtest.Config) (*bondtest.Kernel, *bond.Client) {
	t.Helper()
	k := bondtest.NewKernel(cfg)
	for i, name := range planLinks {
		k.AddLink(name, &bondtest.LinkConfig{MAC: net.HardwareAddr{2, 0, 0, 0, 0, byte(i)}, Up: i == 1})
	}
	return k, planDial(t, k.Transport())
}

func planDial(t testing.TB, transport bond.Transport) *bond.Client {
	t.Helper()
	c, err := bond.Dial(&bond.Config{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// planAll allows everything.
var planAll = &bond.ApplyOptions{Allow: bond.DisruptionRecreate}

// planApply applies a spec that must be possible, and checks that nothing is left to do.
func planApply(t testing.TB, c *bond.Client, spec *bond.Spec) *bond.Result {
	t.Helper()
	res, err := c.Apply(t.Context(), spec, planAll)
	if err != nil {
		t.Fatalf("%v\n%v", err, planOf(res))
	}
	again, err := c.Plan(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if !again.IsEmpty() {
		t.Fatalf("applied\n%vand there is still to do\n%v", res.Plan, again)
	}
	return res
}

func planOf(res *bond.Result) string {
	if res == nil || res.Plan == nil {
		return "no plan\n"
	}
	return res.Plan.String()
}

// planState reads everything that there is.
func planState(t testing.TB, c *bond.Client) *bond.State {
	t.Helper()
	s := &bond.Spec{Name: "bond0"}
	for _, name := range planLinks {
		s.Slaves = append(s.Slaves, bond.SlaveSpec{Name: name})
	}
	now, err := c.State(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// planView returns what a rollback has to bring back, by name.
func planView(s *bond.State) map[string]string {
	view := map[string]string{}
	link := func(l *bond.LinkInfo, key string) {
		view[key+" up"] = strconv.FormatBool(l.Up())
		view[key+" mtu"] = strconv.Itoa(l.MTU)
		view[key+" mac"] = l.MAC.String()
	}
	if b := s.Bond; b != nil {
		link(&b.LinkInfo, "bond")
		// It is that of the active slave, whichever that is.
		if b.Mode == bond.ModeActiveBackup && b.FailOverMAC == bond.FailOverMACActive && len(s.Slaves) > 0 {
			delete(view, "bond mac")
		}
		view["bond tx queues"] = strconv.Itoa(b.TxQueues)
		for opt := range bond.AllOptions() {
			// A primary takes over when the kernel's monitor says that it is up, and no monitor
			// runs while the bond is down.
			if opt == bond.OptionActiveSlave && (b.Has(bond.OptionPrimary) || b.ARPInterval != 0 || !b.Up()) {
				continue
			}
			if b.Has(opt) && opt != bond.OptionADInfo {
				view["bond "+opt.String()] = b.Text(opt)
			}
		}
	}
	for i := range s.Slaves {
		slave := &s.Slaves[i]
		key := "slave " + slave.Name
		link(&slave.LinkInfo, key)
		view[key+" perm mac"] = slave.PermMAC.String()
		// In these modes the kernel moves addresses between slaves as it likes.
		if b := s.Bond; b.Mode == bond.ModeBalanceTLB || b.Mode == bond.ModeBalanceALB || b.FailOverMAC != bond.FailOverMACNone {
			delete(view, key+" mac")
		}
		for _, opt := range []bond.Option{bond.OptionQueueID, bond.OptionPrio, bond.OptionActorPortPrio} {
			if slave.Has(opt) {
				view[key+" "+opt.String()] = slave.Text(opt)
			}
		}
	}
	for i := range s.Links {
		link(&s.Links[i], "link "+s.Links[i].Name)
	}
	return view
}

// planPatience is how long the kernel may take to choose an active slave again: delays and
// monitors take their time.
const planPatience = 20 * time.Second

// planDiffers returns in what the state differs from what it was, once it stays so.
func planDiffers(t testing.TB, c *bond.Client, before *bond.State) string {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(planPatience); ; <-tick.C {
		was, is := planView(before), planView(planState(t, c))
		// A kernel that had none may have been about to choose one.
		const active = "bond active_slave"
		if was[active] == "" {
			delete(is, active)
		}
		diff := cmp.Diff(was, is)
		if diff == "" || time.Now().After(end) {
			return diff
		}
	}
}

// planRandom makes specs that a kernel takes.
type planRandom struct {
	*rand.Rand
	can func(bond.Option) bool
}

func (r *planRandom) chance(percent int) bool { return r.IntN(100) < percent }

// spec returns a spec for what there is now.
func (r *planRandom) spec(now *bond.State) *bond.Spec {
	s := &bond.Spec{Name: "bond0"}
	mode, queues := bond.ModeBalanceRR, 16
	if now.Bond != nil {
		mode, queues = now.Bond.Mode, now.Bond.TxQueues
	}
	if r.chance(60) {
		mode = bond.Mode(r.IntN(7))
		s.Options.Mode = &mode
	}
	keep := r.chance(20)
	if !keep && r.chance(10) {
		queues = []int{4, 8, 16}[r.IntN(3)]
		s.TxQueues = &queues
	}
	if r.chance(70) {
		s.Up = new(r.chance(70))
	}
	if r.chance(25) {
		s.MAC = net.HardwareAddr{2, 0xbd, 0, 0, 0, byte(r.IntN(4))}
	}
	if r.chance(25) {
		s.MTU = new(1400 + r.IntN(3)*50)
	}
	r.monitor(&s.Options, now, mode)
	r.options(&s.Options, now, mode)
	if !keep {
		r.slaves(s, mode, queues)
	}
	if len(s.Slaves) > 0 && mode.HasActive() {
		if r.chance(40) {
			s.Options.Primary = &bond.Link{Name: s.Slaves[r.IntN(len(s.Slaves))].Name}
		}
		// The ARP monitor, which nobody answers, has one slave after the other tried.
		if r.chance(40) && s.Options.ARPInterval == nil && (now.Bond == nil || now.Bond.ARPInterval == 0) {
			s.Options.Active = &bond.Link{Name: s.Slaves[r.IntN(len(s.Slaves))].Name}
		}
	}
	return s
}

// monitor chooses a monitor and what belongs to it.
func (r *planRandom) monitor(o *bond.Options, now *bond.State, mode bond.Mode) {
	miimon := time.Duration(0)
	if now.Bond != nil {
		miimon = now.Bond.MIIMon
	}
	arps := bond.OptionARPInterval.Info().Modes.Has(mode)
	switch pick := r.IntN(3); {
	case pick == 0 && arps:
		miimon = 0
		if r.chance(50) {
			o.MIIMon = &miimon
		}
		o.ARPInterval = new(time.Duration(1+r.IntN(3)) * 500 * time.Millisecond)
		if r.chance(60) {
			o.ARPValidate = new(bond.ARPValidate(r.IntN(7)))
		}
	case pick == 1:
		miimon = time.Duration(1+r.IntN(3)) * 50 * time.Millisecond
		o.MIIMon = &miimon
		if arps && r.chance(30) {
			o.ARPInterval = new(time.Duration(0))
		}
	case !arps && miimon == 0:
		miimon = 100 * time.Millisecond
	}
	if miimon != 0 {
		delay := func() *time.Duration {
			if r.chance(60) {
				return nil
			}
			return new(time.Duration(r.IntN(500)) * time.Millisecond)
		}
		o.UpDelay, o.DownDelay = delay(), delay()
		if r.can(bond.OptionPeerNotifDelay) {
			o.PeerNotifDelay = delay()
		}
	}
	if r.chance(30) {
		o.ARPTargets = []netip.Addr{}
		for i := range r.IntN(4) {
			o.ARPTargets = append(o.ARPTargets, netip.AddrFrom4([4]byte{192, 0, 2, byte(10*i + 1 + r.IntN(9))}))
		}
		r.Shuffle(len(o.ARPTargets), func(i, j int) {
			o.ARPTargets[i], o.ARPTargets[j] = o.ARPTargets[j], o.ARPTargets[i]
		})
	}
	if r.can(bond.OptionNSTargets) && r.chance(20) {
		o.NSTargets = []netip.Addr{}
		for i := range r.IntN(3) {
			o.NSTargets = append(o.NSTargets, netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", 10*i+1+r.IntN(9))))
		}
	}
}

// options chooses what has no rules but the mode.
func (r *planRandom) options(o *bond.Options, now *bond.State, mode bond.Mode) {
	for opt := range bond.AllOptions() {
		info := opt.Info()
		if info.Slave || info.ReadOnly || !info.Modes.Has(mode) || !r.can(opt) || r.chance(75) {
			continue
		}
		value := info.Min + r.Int64N(min(info.Max-info.Min, 4)+1)
		switch opt {
		case bond.OptionMode, bond.OptionMIIMon, bond.OptionARPInterval, bond.OptionARPValidate,
			bond.OptionUpDelay, bond.OptionDownDelay, bond.OptionPeerNotifDelay, bond.OptionUseCarrier:
			continue
		case bond.OptionADSelect:
			value = r.Int64N(3)
		case bond.OptionADActorSystem:
			o.ADActorSystem = &[6]byte{2, 0xad, 0, 0, 0, byte(r.IntN(3))}
			continue
		default:
		}
		switch info.Kind {
		case bond.KindLink, bond.KindIPv4List, bond.KindIPv6List:
			continue
		default:
		}
		if err := o.SetText(opt, strconv.FormatInt(value, 10)); err != nil {
			panic(err)
		}
	}
}

// slaves chooses slaves and their options.
func (r *planRandom) slaves(s *bond.Spec, mode bond.Mode, queues int) {
	s.Slaves = []bond.SlaveSpec{}
	ids := r.Perm(queues)
	for i, n := range r.Perm(len(planLinks))[:r.IntN(len(planLinks)+1)] {
		slave := bond.SlaveSpec{Name: planLinks[n], Options: bond.SlaveOptions{QueueID: new(uint16(0))}}
		if r.chance(40) {
			slave.Options.QueueID = new(uint16(ids[i]))
		}
		if mode.HasActive() && r.can(bond.OptionPrio) && r.chance(40) {
			slave.Options.Prio = new(int32(r.IntN(20) - 10))
		}
		if mode == bond.Mode8023AD && r.can(bond.OptionActorPortPrio) && r.chance(40) {
			slave.Options.ActorPortPrio = new(uint16(r.IntN(1000)))
		}
		s.Slaves = append(s.Slaves, slave)
	}
}
