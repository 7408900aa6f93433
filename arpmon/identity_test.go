// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/arpmon"
	"github.com/bondkit/bondkit/internal/rtnl"
)

const (
	up        = rtnl.FlagUp | rtnl.FlagRunning | rtnl.FlagLowerUp
	noCarrier = rtnl.FlagUp
)

var (
	macBond = arpmon.MAC{0x02, 0xbd, 0, 0, 0, 1} // of the bond, from e1
	macE2   = arpmon.MAC{0x02, 0xbd, 0, 0, 0, 2}
	macE3   = arpmon.MAC{0x02, 0xbd, 0, 0, 0, 3}
)

// link returns a link that is up.
func link(index int, name string, mac arpmon.MAC) rtnl.Link {
	return rtnl.Link{Index: index, Name: name, Type: 1, Flags: up, MAC: net.HardwareAddr(mac[:])}
}

// slaveOf makes a link a slave of a bond with index 1.
func slaveOf(l rtnl.Link, perm arpmon.MAC, state uint8) rtnl.Link {
	l.Master, l.SlaveKind = 1, "bond"
	l.BondSlave = &rtnl.BondSlave{State: state, PermMAC: net.HardwareAddr(perm[:])}
	return l
}

// bonded returns bond0 over e1 and e2, as the kernel makes it: both slaves have
// the bond's address, which is e1's own.
func bonded(active int) []rtnl.Link {
	b := link(1, "bond0", macBond)
	b.Kind, b.Bond = "bond", &rtnl.Bond{Mode: 1, ActiveSlave: active}
	return []rtnl.Link{
		{Index: 9, Name: "lo", Type: 772, Flags: up, MAC: make(net.HardwareAddr, 6)},
		b,
		slaveOf(link(2, "e1", macBond), macBond, 0),
		slaveOf(link(3, "e2", macBond), macE2, 1),
	}
}

// separate returns the links of a bond with fail_over_mac=active.
func separate(active int) []rtnl.Link {
	links := bonded(active)
	links[3] = slaveOf(link(3, "e2", macE2), macE2, 1)
	links[1].Bond.FailOverMAC = 1
	links[1].MAC = net.HardwareAddr(macBond[:])
	if active == 3 {
		links[1].MAC = net.HardwareAddr(macE2[:])
	}
	return links
}

func planConfig(slaves ...string) arpmon.MonitorConfig {
	return arpmon.MonitorConfig{
		Config:    arpmon.Config{Targets: []arpmon.Target{arpmon.IPv4(netip.MustParseAddr("192.0.2.1"))}},
		Slaves:    slaves,
		MachineID: "0123456789abcdef",
	}
}

// plan returns a planner for slaves, and what it says of them.
func plan(t *testing.T, cfg arpmon.MonitorConfig, links []rtnl.Link) (*arpmon.Planner, []arpmon.PlannedSlave) {
	t.Helper()
	p, err := arpmon.NewPlanner(cfg, links, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Update()
	return p, p.Slaves()
}

func TestDerivedMAC(t *testing.T) {
	seen := map[arpmon.MAC]string{}
	for _, machine := range []string{"", "a", "b", "ab"} {
		for _, name := range []string{"", "e1", "e2", "b"} {
			for counter := range uint32(50) {
				m := arpmon.DerivedMAC(machine, name, counter)
				if m[0]&3 != 2 {
					t.Fatalf("%v is not locally administered, or not unicast", m)
				}
				if m != arpmon.DerivedMAC(machine, name, counter) {
					t.Fatalf("%v is not stable", m)
				}
				if was, ok := seen[m]; ok {
					t.Fatalf("%v for %q %q and %s", m, machine, name, was)
				}
				seen[m] = machine + " " + name
			}
		}
	}
	// Ports and tables know these addresses: they must not change with a new
	// version of this package.
	if got := arpmon.DerivedMAC("0123456789abcdef", "e1", 0).String(); got != "b6:df:01:79:eb:54" {
		t.Errorf("address of e1 is %s", got)
	}
}

func TestIdentityAuto(t *testing.T) {
	derived := func(slave string, counter uint32) arpmon.MAC {
		return arpmon.DerivedMAC("0123456789abcdef", slave, counter)
	}
	permanent := func(l rtnl.Link, perm arpmon.MAC) rtnl.Link {
		l.PermMAC = net.HardwareAddr(perm[:])
		return l
	}
	for _, tt := range []struct {
		name  string
		links []rtnl.Link
		want  map[string]arpmon.MAC
	}{
		{"the first slave gave the bond its address", bonded(2), map[string]arpmon.MAC{"e1": derived("e1", 0), "e2": macE2}},
		{"the same after a failover", bonded(3), map[string]arpmon.MAC{"e1": derived("e1", 0), "e2": macE2}},
		{"fail_over_mac=active: own addresses become the bond's", separate(2), map[string]arpmon.MAC{"e1": derived("e1", 0), "e2": derived("e2", 0)}},
		{"no bond", []rtnl.Link{link(2, "e1", macBond), link(3, "e2", macE2)}, map[string]arpmon.MAC{"e1": derived("e1", 0), "e2": derived("e2", 0)}},
		{
			"the permanent address of hardware, which has another now",
			[]rtnl.Link{permanent(link(2, "e1", macBond), macE3), link(3, "e2", macBond)},
			map[string]arpmon.MAC{"e1": macE3, "e2": derived("e2", 0)},
		},
		{
			"a VLAN above has the permanent address",
			append(bonded(2), link(7, "bond0.7", macE2)),
			map[string]arpmon.MAC{"e1": derived("e1", 0), "e2": derived("e2", 0)},
		},
		{
			"another link may go back to the permanent address",
			append(bonded(2), permanent(link(7, "x", macE3), macE2)),
			map[string]arpmon.MAC{"e1": derived("e1", 0), "e2": derived("e2", 0)},
		},
		{
			"the computed address is taken twice",
			append(bonded(2), link(7, "x", derived("e1", 0)), link(8, "y", derived("e1", 1))),
			map[string]arpmon.MAC{"e1": derived("e1", 2), "e2": macE2},
		},
		{
			"two slaves say they are the same",
			[]rtnl.Link{permanent(link(2, "e1", macBond), macE3), permanent(link(3, "e2", macBond), macE3)},
			map[string]arpmon.MAC{"e1": derived("e1", 0), "e2": derived("e2", 0)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, names := range [][]string{{"e1", "e2"}, {"e2", "e1"}} {
				_, slaves := plan(t, planConfig(names...), tt.links)
				got := map[string]arpmon.MAC{}
				for _, s := range slaves {
					got[s.Name] = s.MAC
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("order %v: %s", names, d)
				}
			}
		})
	}
}

// TestIdentityMoves follows an address that becomes taken while the Monitor runs,
// and makes sure that nothing changes without need.
func TestIdentityMoves(t *testing.T) {
	p, s := plan(t, planConfig("e1", "e2"), bonded(2))
	e1 := s[0].MAC
	if s[1].MAC != macE2 {
		t.Fatalf("e2 probes from %v", s[1].MAC)
	}

	p.Changed(link(7, "x", macE2))
	p.Update()
	s = p.Slaves()
	taken := s[1].MAC
	if taken == macE2 || taken[0]&3 != 2 || s[0].MAC != e1 {
		t.Errorf("after e2's address was taken: %v, %v", s[0].MAC, taken)
	}
	p.Deleted(7)
	p.Update()
	if s = p.Slaves(); s[1].MAC != macE2 && s[1].MAC != taken {
		t.Errorf("after it was free again: %v", s[1].MAC)
	}
	if s[1].MAC != taken {
		t.Error("the address changed back without need")
	}

	// Released from its bond, e2 has its own address again.
	p.Changed(link(3, "e2", macE2))
	p.Update()
	if s = p.Slaves(); s[1].MAC == macE2 || s[1].Device != macE2 {
		t.Errorf("probes from the interface's own address %v", s[1].MAC)
	}
}

func TestPlannerRefuses(t *testing.T) {
	other := arpmon.MAC{2, 9, 9, 9, 9, 9}
	explicit := func(macs map[string]arpmon.MAC) func(*arpmon.MonitorConfig) {
		return func(c *arpmon.MonitorConfig) {
			c.Identity = arpmon.IdentityExplicit
			c.MACs = map[string]net.HardwareAddr{}
			for name, m := range macs {
				c.MACs[name] = net.HardwareAddr(m[:])
			}
		}
	}
	device := func(c *arpmon.MonitorConfig) { c.Identity = arpmon.IdentityDevice }
	address := netip.MustParseAddr("192.0.2.10")
	for _, tt := range []struct {
		name   string
		slaves []string
		links  []rtnl.Link
		addrs  []rtnl.Addr
		set    func(*arpmon.MonitorConfig)
		want   error
		text   string
	}{
		{"device on a backup with the bond's address", []string{"e1", "e2"}, bonded(2), nil, device, arpmon.ErrUnsafeIdentity, "e2"},
		{"device on the active slave only", []string{"e1"}, bonded(2), nil, device, nil, ""},
		{"device on the backup only", []string{"e1"}, bonded(3), nil, device, arpmon.ErrUnsafeIdentity, "not the active slave"},
		{"device with no active slave", []string{"e1"}, bonded(0), nil, device, arpmon.ErrUnsafeIdentity, "bond0"},
		{"device with fail_over_mac=active", []string{"e1", "e2"}, separate(2), nil, device, nil, ""},
		{"device with fail_over_mac=active, e2 active", []string{"e1", "e2"}, separate(3), nil, device, nil, ""},
		{"device where two share an address", []string{"e1"}, []rtnl.Link{link(2, "e1", macBond), link(3, "e2", macBond)}, nil, device, arpmon.ErrUnsafeIdentity, "e2"},
		{"device alone", []string{"e1"}, []rtnl.Link{link(2, "e1", macBond), link(3, "e2", macE2)}, nil, device, nil, ""},
		{
			"device with a VLAN of its own",
			[]string{"e1"},
			[]rtnl.Link{link(2, "e1", macBond), {Index: 7, Name: "e1.7", Type: 1, Flags: up, MAC: net.HardwareAddr(macBond[:]), Parent: 2, Kind: "vlan"}},
			nil, device, nil, "",
		},
		{"explicit and free", []string{"e1", "e2"}, bonded(2), nil, explicit(map[string]arpmon.MAC{"e1": other, "e2": macE2}), nil, ""},
		{
			"explicit, the bond's on the backup",
			[]string{"e1", "e2"},
			bonded(2), nil,
			explicit(map[string]arpmon.MAC{"e1": other, "e2": macBond}), arpmon.ErrUnsafeIdentity, "e2",
		},
		{"explicit, the bond's on the active slave", []string{"e1", "e2"}, bonded(2), nil, explicit(map[string]arpmon.MAC{"e1": macBond, "e2": macE2}), nil, ""},
		{
			"explicit, permanent address of another",
			[]string{"e1", "e2"},
			bonded(2), nil,
			explicit(map[string]arpmon.MAC{"e1": macE2, "e2": other}), arpmon.ErrUnsafeIdentity, "permanent address of e2",
		},
		{
			"the bond's IP address from another MAC",
			[]string{"e1", "e2"},
			bonded(2),
			[]rtnl.Addr{{Link: 1, Addr: address}},
			func(c *arpmon.MonitorConfig) { c.Sender = address }, arpmon.ErrUnsafeIdentity, "bond0",
		},
		{
			"the bond's IP address from its own MAC",
			[]string{"e1"},
			bonded(2),
			[]rtnl.Addr{{Link: 1, Addr: address}},
			func(c *arpmon.MonitorConfig) { device(c); c.Sender = address }, nil, "",
		},
		{
			"the bond's IP address from a backup with its own MAC",
			[]string{"e2"},
			separate(2),
			[]rtnl.Addr{{Link: 1, Addr: address}},
			func(c *arpmon.MonitorConfig) { device(c); c.Sender = address }, arpmon.ErrUnsafeIdentity, "Sender",
		},
		{
			"an IP address that nobody has",
			[]string{"e1", "e2"},
			bonded(2),
			[]rtnl.Addr{{Link: 1, Addr: netip.MustParseAddr("192.0.2.11")}},
			func(c *arpmon.MonitorConfig) { c.Sender = address }, nil, "",
		},
		{"a slave that is not there", []string{"e1", "e9"}, bonded(2), nil, func(*arpmon.MonitorConfig) {}, os.ErrNotExist, "e9"},
		{"a slave that is not Ethernet", []string{"lo"}, bonded(2), nil, func(*arpmon.MonitorConfig) {}, errors.ErrUnsupported, "Ethernet"},
		{
			"active beside a bond that says so",
			[]string{"e1", "e2"},
			bonded(2), nil,
			func(c *arpmon.MonitorConfig) { c.Active = "e1" }, os.ErrInvalid, "bond0",
		},
		{
			"the last slave active beside a bond that says so",
			[]string{"e1", "e2"},
			bonded(2), nil,
			func(c *arpmon.MonitorConfig) { c.Active = "e2" }, os.ErrInvalid, "e2",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := planConfig(tt.slaves...)
			tt.set(&cfg)
			_, err := arpmon.NewPlanner(cfg, tt.links, tt.addrs)
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err == nil {
				return
			}
			e, ok := errors.AsType[*arpmon.Error](err)
			if !ok || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q does not say %q", err, tt.text)
			}
			if errors.Is(tt.want, arpmon.ErrUnsafeIdentity) && e.Hint == "" {
				t.Errorf("error %q has no hint", err)
			}
		})
	}
}

// TestDeviceAfterFailover follows a bond whose probes are from the device: what is
// safe before a failover is refused after it, and safe again later.
func TestDeviceAfterFailover(t *testing.T) {
	cfg := planConfig("e1")
	cfg.Identity = arpmon.IdentityDevice
	p, s := plan(t, cfg, bonded(2))
	if s[0].Err != nil || s[0].MAC != macBond || !s[0].Active {
		t.Fatalf("before: %+v", s[0])
	}
	p.Changed(bonded(3)[1])
	p.Update()
	if s = p.Slaves(); !errors.Is(s[0].Err, arpmon.ErrUnsafeIdentity) || s[0].Active {
		t.Errorf("after the failover: %+v", s[0])
	}
	p.Changed(bonded(2)[1])
	p.Update()
	if s = p.Slaves(); s[0].Err != nil || !s[0].Active {
		t.Errorf("after the failback: %+v", s[0])
	}
}

// TestReasonChanges has one reason not to probe follow another at once.
func TestReasonChanges(t *testing.T) {
	cfg := planConfig("e1")
	cfg.Identity = arpmon.IdentityDevice
	p, _ := plan(t, cfg, []rtnl.Link{link(2, "e1", macBond)})
	p.Changed(link(7, "x", macBond))
	p.Update()
	if s := p.Slaves(); s[0].Err == nil || !strings.Contains(s[0].Err.Error(), "of x") {
		t.Fatalf("Err: %v", s[0].Err)
	}
	if p.Update() {
		t.Error("news where nothing changed")
	}
	p.Changed(link(8, "y", macBond))
	p.Deleted(7)
	p.Update()
	if s := p.Slaves(); s[0].Err == nil || !strings.Contains(s[0].Err.Error(), "of y") {
		t.Errorf("Err: %v", s[0].Err)
	}
}

// TestLostCarrierKept takes the link down after its carrier was lost, before
// anybody has read of that: in one batch of events and in two.
func TestLostCarrierKept(t *testing.T) {
	e2 := slaveOf(link(3, "e2", macBond), macE2, 1)
	lost, down := e2, e2
	lost.Flags, down.Flags = noCarrier, 0
	for _, batches := range []int{1, 2} {
		p, _ := plan(t, planConfig("e1", "e2"), bonded(2))
		p.Changed(lost)
		p.Changed(e2)
		if batches == 2 {
			p.Update()
		}
		p.Changed(down)
		p.Changed(e2)
		p.Update()
		if s := p.Slaves(); !s[1].Dipped || s[1].Dip != arpmon.LinkNoCarrier || s[1].Link != arpmon.LinkUp {
			t.Errorf("%d batches: %+v", batches, s[1])
		}
		p.Changed(down)
		p.Changed(e2)
		p.Update()
		if s := p.Slaves(); !s[1].Dipped || s[1].Dip != arpmon.LinkDown {
			t.Errorf("%d batches, later: %+v", batches, s[1])
		}
	}
}

// TestSetActiveRefused makes sure that the last state is kept where a new one
// would be unsafe.
func TestSetActiveRefused(t *testing.T) {
	cfg := planConfig("e1")
	cfg.Identity = arpmon.IdentityDevice
	cfg.Active = "e1"
	p, s := plan(t, cfg, []rtnl.Link{link(2, "e1", macBond), link(3, "e2", macBond)})
	if s[0].Err != nil {
		t.Fatal(s[0].Err)
	}
	if err := p.SetActive(-1); !errors.Is(err, arpmon.ErrUnsafeIdentity) {
		t.Errorf("error %v", err)
	}
	p.Update()
	if s = p.Slaves(); s[0].Err != nil || !s[0].Active {
		t.Errorf("after the refusal: %+v", s[0])
	}

	p, _ = plan(t, planConfig("e1", "e2"), bonded(2))
	if err := p.SetActive(1); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("slaves of a bond: error %v", err)
	}
}

func TestPlannerFollowsLinks(t *testing.T) {
	p, s := plan(t, planConfig("e1", "e2"), bonded(2))
	want := func(what string, i int, w arpmon.PlannedSlave) {
		t.Helper()
		p.Update()
		s = p.Slaves()
		got := s[i]
		got.MAC, got.Device, got.Sync = arpmon.MAC{}, arpmon.MAC{}, 0
		if d := cmp.Diff(w, got); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	e1 := slaveOf(link(2, "e1", macBond), macBond, 0)
	want("at first", 0, arpmon.PlannedSlave{Name: "e1", Index: 2, Link: arpmon.LinkUp, Active: true, Gen: 1})
	if p.Update() {
		t.Error("news where nothing changed")
	}

	down := e1
	down.Flags = noCarrier
	p.Changed(down)
	want("no carrier", 0, arpmon.PlannedSlave{Name: "e1", Index: 2, Link: arpmon.LinkNoCarrier, Dipped: true, Dip: arpmon.LinkNoCarrier, Active: true, Gen: 1})
	p.Changed(e1)
	want("carrier", 0, arpmon.PlannedSlave{Name: "e1", Index: 2, Link: arpmon.LinkUp, Active: true, Gen: 1})
	p.Changed(down)
	p.Changed(e1)
	want("a short loss", 0, arpmon.PlannedSlave{Name: "e1", Index: 2, Link: arpmon.LinkUp, Dipped: true, Dip: arpmon.LinkNoCarrier, Active: true, Gen: 1})

	renamed := e1
	renamed.Name = "port7"
	p.Changed(renamed)
	want("renamed", 0, arpmon.PlannedSlave{Name: "port7", Index: 2, Link: arpmon.LinkUp, Active: true, Gen: 1})
	p.Changed(link(20, "e1", macE3))
	want("another e1", 0, arpmon.PlannedSlave{Name: "port7", Index: 2, Link: arpmon.LinkUp, Active: true, Gen: 1})

	p.Deleted(2)
	want("gone", 0, arpmon.PlannedSlave{Name: "port7", Dipped: true, Dip: arpmon.LinkDown, Gen: 2})
	p.Changed(link(21, "port8", macE3))
	want("another name", 0, arpmon.PlannedSlave{Name: "port7", Gen: 2})
	tunnel := link(22, "port7", macE3)
	tunnel.Type = 65534
	p.Changed(tunnel)
	want("not Ethernet", 0, arpmon.PlannedSlave{Name: "port7", Gen: 2})
	p.Deleted(22)
	p.Changed(link(23, "port7", macE3))
	want("back", 0, arpmon.PlannedSlave{Name: "port7", Index: 23, Link: arpmon.LinkUp, Gen: 3})

	p.Deleted(23)
	p.Changed(link(23, "port7", macE3))
	want("gone and back at once", 0, arpmon.PlannedSlave{Name: "port7", Index: 23, Link: arpmon.LinkUp, Dipped: true, Dip: arpmon.LinkDown, Gen: 5})
	want("the other slave", 1, arpmon.PlannedSlave{Name: "e2", Index: 3, Link: arpmon.LinkUp, Gen: 1})
}

// TestPlannerResync replaces all links: one slave is gone, one is as before.
func TestPlannerResync(t *testing.T) {
	p, before := plan(t, planConfig("e1", "e2"), bonded(2))
	p.Resync(slices.Delete(bonded(3), 2, 3))
	p.Update()
	s := p.Slaves()
	if s[0].Index != 0 || s[0].Link != arpmon.LinkDown || !s[0].Dipped {
		t.Errorf("e1: %+v", s[0])
	}
	if !s[1].Active || s[1].Sync == before[1].Sync || s[1].Gen != before[1].Gen || s[1].MAC != before[1].MAC {
		t.Errorf("e2: %+v, before %+v", s[1], before[1])
	}
	p.Resync(bonded(2))
	p.Update()
	if s = p.Slaves(); s[0].Index != 2 || s[0].Link != arpmon.LinkUp || s[0].MAC != before[0].MAC {
		t.Errorf("e1: %+v, before %+v", s[0], before[0])
	}
}

// TestPlannerUnreadDip makes sure that a loss of the link that was not read
// before the next news came is not forgotten.
func TestPlannerUnreadDip(t *testing.T) {
	p, _ := plan(t, planConfig("e1"), []rtnl.Link{link(2, "e1", macBond)})
	down := link(2, "e1", macBond)
	down.Flags = 0
	p.Changed(down)
	p.Update()
	p.Changed(link(2, "e1", macBond))
	p.Update()
	s := p.Slaves()
	if s[0].Link != arpmon.LinkUp || !s[0].Dipped || s[0].Dip != arpmon.LinkDown {
		t.Errorf("%+v", s[0])
	}
	if s = p.Slaves(); s[0].Dipped {
		t.Error("read twice")
	}
}

func TestPlannerKernelMonitor(t *testing.T) {
	links := bonded(2)
	p, _ := plan(t, planConfig("e1", "e2"), links)
	if p.KernelMonitor() {
		t.Error("without arp_interval")
	}
	b := links[1]
	b.Bond = &rtnl.Bond{Mode: 1, ActiveSlave: 2, ARPInterval: 100}
	p.Changed(b)
	p.Update()
	if !p.KernelMonitor() {
		t.Error("with arp_interval")
	}
	// A message that leaves out the options says nothing about them.
	b.Bond = nil
	p.Changed(b)
	p.Update()
	if !p.KernelMonitor() || !p.Slaves()[0].Active {
		t.Error("forgotten")
	}
}

// TestSenderTaken adds the sender address to the host while the Monitor runs.
func TestSenderTaken(t *testing.T) {
	cfg := planConfig("e1")
	cfg.Sender = netip.MustParseAddr("192.0.2.10")
	p, s := plan(t, cfg, bonded(2))
	if s[0].Err != nil {
		t.Fatal(s[0].Err)
	}
	p.SetAddrs([]rtnl.Addr{{Link: 1, Addr: cfg.Sender}})
	p.Update()
	if s = p.Slaves(); !errors.Is(s[0].Err, arpmon.ErrUnsafeIdentity) {
		t.Errorf("error %v", s[0].Err)
	}
}

// TestPlannerActive asks who carries the traffic, in modes where the bond names
// one slave and in modes where it uses all that it calls active.
func TestPlannerActive(t *testing.T) {
	for _, tt := range []struct {
		mode   uint8
		active int
		want   []bool
	}{
		{1, 2, []bool{true, false}},
		{1, 3, []bool{false, true}},
		{1, 0, []bool{false, false}},
		{5, 3, []bool{false, true}},
		{6, 3, []bool{false, true}},
		{0, 0, []bool{true, false}},
		{4, 0, []bool{true, false}},
	} {
		links := bonded(tt.active)
		links[1].Bond.Mode = tt.mode
		_, s := plan(t, planConfig("e1", "e2"), links)
		if got := []bool{s[0].Active, s[1].Active}; !slices.Equal(got, tt.want) {
			t.Errorf("mode %d, active slave %d: %v, want %v", tt.mode, tt.active, got, tt.want)
		}
	}
	// A bond whose options are not known yet says nothing.
	links := bonded(2)
	links[1].Bond = nil
	if _, s := plan(t, planConfig("e1", "e2"), links); s[0].Active {
		t.Error("e1 is active")
	}
}
