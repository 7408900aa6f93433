// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// TestEnslave checks what drivers and other programs make difficult. The rest
// is in the table of package bond that runs against real kernels.
func TestEnslave(t *testing.T) {
	tests := []struct {
		name string
		link bondtest.LinkConfig
		mode bond.Mode
		want error // nil for success
		fom  bond.FailOverMAC
	}{
		{name: "plain", mode: bond.ModeActiveBackup},
		{name: "up", link: bondtest.LinkConfig{Up: true}, want: syscall.EPERM},
		{name: "busy", link: bondtest.LinkConfig{Busy: true}, want: syscall.EBUSY},
		{name: "busy and up", link: bondtest.LinkConfig{Busy: true, Up: true}, want: syscall.EBUSY},
		{name: "port of a bridge is moved", link: bondtest.LinkConfig{Bridge: "br0"}},
		{name: "driver without set MAC", link: bondtest.LinkConfig{NoSetMAC: true}, mode: bond.ModeActiveBackup, fom: bond.FailOverMACActive},
		{name: "InfiniBand", link: bondtest.LinkConfig{Type: 32}, mode: bond.ModeActiveBackup, fom: bond.FailOverMACActive},
		{name: "InfiniBand in balance-rr", link: bondtest.LinkConfig{Type: 32}, want: syscall.EOPNOTSUPP},
		{name: "InfiniBand in 802.3ad", link: bondtest.LinkConfig{Type: 32}, mode: bond.Mode8023AD, want: syscall.EINVAL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, nil)
			h.AddLink("br0", &bondtest.LinkConfig{Kind: "bridge"})
			h.AddLink("new0", &tt.link)
			h.bond0(bond.Options{Mode: &tt.mode})
			err := h.Kernel.Enslave("bond0", "new0")
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if b := h.get(); b.FailOverMAC != tt.fom {
				t.Errorf("fail_over_mac is %v, want %v", b.FailOverMAC, tt.fom)
			}
			slaves, err := h.Slaves(t.Context(), named("bond0"))
			if err != nil || len(slaves) == 1 != (tt.want == nil) {
				t.Errorf("%d slaves, %v", len(slaves), err)
			}
		})
	}
}

func TestSecondSlaveOfAnotherType(t *testing.T) {
	h := newHost(t, nil)
	h.AddLink("ib0", &bondtest.LinkConfig{Type: 32})
	h.AddLink("fixed0", &bondtest.LinkConfig{NoSetMAC: true})
	h.bond0(activeBackup(), "eth0")
	if err := h.Kernel.Enslave("bond0", "ib0"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("InfiniBand beside Ethernet: got %v, want EINVAL", err)
	}
	if err := h.Kernel.Enslave("bond0", "fixed0"); !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Errorf("no set MAC: got %v, want EOPNOTSUPP", err)
	}
	if err := h.Kernel.Enslave("eth1", "eth2"); !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Errorf("a master that is none: got %v, want EOPNOTSUPP", err)
	}
}

func TestCarrier(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(activeBackup(), "eth0", "eth1")
	if b := h.get(); b.Active.Name != "eth0" || !b.Carrier {
		t.Fatalf("active %v, carrier %v", b.Active, b.Carrier)
	}
	h.SetCarrier("eth0", false)
	if b, s := h.get(), h.slave("eth0"); b.Active.Name != "eth1" || s.MIIStatus != bond.MIIDown || s.LinkFailures != 1 {
		t.Errorf("active %v, eth0 %v, %d failures", b.Active, s.MIIStatus, s.LinkFailures)
	}
	h.Kernel.SetUp("eth1", false)
	if b := h.get(); !b.Active.IsZero() || b.Has(bond.OptionActiveSlave) || b.Carrier {
		t.Errorf("active %v, carrier %v", b.Active, b.Carrier)
	}
	h.SetCarrier("eth0", true)
	if b := h.get(); b.Active.Name != "eth0" || !b.Carrier {
		t.Errorf("active %v, carrier %v", b.Active, b.Carrier)
	}

	// Nobody looks while there is no monitor.
	h.set(bond.Options{MIIMon: new(time.Duration(0))})
	h.SetCarrier("eth0", false)
	if s := h.slave("eth0"); s.MIIStatus != bond.MIIUp || s.Carrier {
		t.Errorf("mii_status %v, carrier %v", s.MIIStatus, s.Carrier)
	}
}

func TestSpeedDecides(t *testing.T) {
	h := newHost(t, nil)
	h.AddLink("slow", &bondtest.LinkConfig{Speed: 1000})
	h.AddLink("fast", &bondtest.LinkConfig{Speed: 25000})
	o := activeBackup()
	o.PrimaryReselect = new(bond.PrimaryReselectBetter)
	h.bond0(o, "eth0", "slow", "fast")
	for _, tt := range []struct{ primary, active string }{{"slow", "eth0"}, {"fast", "fast"}} {
		// A new primary becomes active whatever its speed.
		h.set(bond.Options{Primary: &bond.Link{Name: tt.primary}})
		if b := h.get(); b.Active.Name != tt.primary {
			t.Errorf("new primary %s: active %v", tt.primary, b.Active)
		}
		h.set(bond.Options{Active: &bond.Link{Name: "eth0"}})
		h.set(bond.Options{PrimaryReselect: new(bond.PrimaryReselectBetter)})
		if b := h.get(); b.Active.Name != tt.active {
			t.Errorf("primary %s: active %v, want %s", tt.primary, b.Active, tt.active)
		}
	}
}

// TestLACP plays a partner.
func TestLACP(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(bond.Options{Mode: new(bond.Mode8023AD), MinLinks: new(uint32(2))}, "eth0", "eth1")
	b := h.get()
	if b.AD.AggregatorID != 1 || b.AD.Ports != 1 || b.AD.PartnerMAC != [6]byte{} || b.Carrier {
		t.Errorf("without a partner: %+v, carrier %v, want one port that is not enough", b.AD, b.Carrier)
	}
	const all = bond.PortActivity | bond.PortAggregation | bond.PortSync | bond.PortCollecting | bond.PortDistributing
	for _, name := range []string{"eth0", "eth1"} {
		h.SetLACP(name, bondtest.LACP{AggregatorID: 1, Actor: all, Partner: all})
	}
	ad := bond.ADInfo{AggregatorID: 1, Ports: 2, ActorKey: 15, PartnerKey: 7, PartnerMAC: [6]byte{2, 9}}
	h.SetADInfo("bond0", &ad)
	if b := h.get(); b.AD != ad || !b.Carrier {
		t.Errorf("got %+v, carrier %v, want %+v", b.AD, b.Carrier, ad)
	}
	if s := h.slave("eth1"); s.ActorPortState != all || s.AggregatorID != 1 || s.State != bond.SlaveActive {
		t.Errorf("eth1: %v, aggregator %d, %v", s.ActorPortState, s.AggregatorID, s.State)
	}

	// With lacp_strict, who does not collect does not count.
	h.SetLACP("eth1", bondtest.LACP{AggregatorID: 1, Actor: bond.PortActivity | bond.PortExpired, Partner: all})
	if !h.get().Carrier {
		t.Error("no carrier, although the aggregator has two ports")
	}
	h.set(bond.Options{LACPStrict: new(true)})
	if h.get().Carrier {
		t.Error("carrier with one port that collects, and min_links 2")
	}

	h.SetADInfo("bond0", nil)
	if h.get().Has(bond.OptionADInfo) {
		t.Error("ad_info without an active aggregator")
	}
}

func TestStats(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(bond.Options{Mode: new(bond.Mode8023AD)}, "eth0", "eth1")
	h.SetStats("eth0", bond.Stats{LACPDURx: 1, MarkerUnknownRx: 9})
	h.SetStats("eth1", bond.Stats{LACPDURx: 2, LACPDUTx: 3})
	got, err := h.Stats(t.Context(), named("bond0"))
	if want := (bond.Stats{LACPDURx: 3, LACPDUTx: 3, MarkerUnknownRx: 9}); err != nil || got != want {
		t.Errorf("bond: %+v, %v, want %+v", got, err, want)
	}
	got, err = h.SlaveStats(t.Context(), named("eth1"))
	if want := (bond.Stats{LACPDURx: 2, LACPDUTx: 3}); err != nil || got != want {
		t.Errorf("slave: %+v, %v, want %+v", got, err, want)
	}
}

func TestUnknown(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(activeBackup(), "eth0")
	attrs := []bond.Attr{{Type: 77, Data: []byte{1, 2, 3}}}
	h.SetUnknown("bond0", attrs)
	h.SetUnknown("eth0", attrs)
	if diff := cmp.Diff(attrs, h.get().Unknown); diff != "" {
		t.Errorf("bond (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(attrs, h.slave("eth0").Unknown); diff != "" {
		t.Errorf("slave (-want +got):\n%s", diff)
	}
}

// TestOtherPrograms changes a bond behind the back of the Client.
func TestOtherPrograms(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(activeBackup(), "eth0", "eth1")
	if err := h.Kernel.Set("bond0", bond.Options{Active: &bond.Link{Name: "eth1"}, LPInterval: new(5 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	if b := h.get(); b.Active.Name != "eth1" || b.LPInterval != 5*time.Second {
		t.Errorf("active %v, lp_interval %v", b.Active, b.LPInterval)
	}
	// A primary that does not exist yet can be written to its file.
	if err := h.Kernel.Set("bond0", bond.Options{Primary: &bond.Link{Name: "late0"}}); err != nil {
		t.Fatal(err)
	}
	h.AddLink("late0", nil)
	if err := h.Kernel.Enslave("bond0", "late0"); err != nil {
		t.Fatal(err)
	}
	if b := h.get(); b.Primary.Name != "late0" || b.Active.Name != "late0" {
		t.Errorf("primary %v, active %v", b.Primary, b.Active)
	}
	if err := h.Kernel.SetSlave("eth0", bond.SlaveOptions{QueueID: new(uint16(3))}); err != nil {
		t.Fatal(err)
	}
	if s := h.slave("eth0"); s.QueueID != 3 {
		t.Errorf("queue_id %d, want 3", s.QueueID)
	}
	if err := h.Kernel.SetSlave("eth1", bond.SlaveOptions{QueueID: new(uint16(3))}); !errors.Is(err, syscall.EPERM) {
		t.Errorf("queue taken: got %v, want EPERM", err)
	}
	h.Rename("late0", "other0")
	if b := h.get(); b.Has(bond.OptionPrimary) {
		t.Errorf("primary %v after it was renamed", b.Primary)
	}
	h.Rename("other0", "late0")
	if b := h.get(); b.Primary.Name != "late0" {
		t.Errorf("primary %v after its name came back", b.Primary)
	}
	h.Remove("late0")
	if b := h.get(); b.Has(bond.OptionPrimary) || b.Active.Name == "late0" {
		t.Errorf("primary %v, active %v after it was removed", b.Primary, b.Active)
	}
	h.Remove("bond0")
	if s, err := h.Link(t.Context(), named("eth0")); err != nil || s.Up() || s.Master != 0 || s.MAC.String() != (net.HardwareAddr{2, 0, 0, 0, 0, 0}).String() {
		t.Errorf("eth0 after its bond: %+v, %v", s, err)
	}
}
