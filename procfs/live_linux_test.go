// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/internal/lab"
	"github.com/bondkit/bondkit/procfs"
)

func TestMain(m *testing.M) { lab.Main(m) }

// patience is how long a bond may take to settle, LACP and emulation included.
const patience = 60 * time.Second

// TestLive compares what the running kernel prints with what it says over
// rtnetlink, in every mode, and for a reader with and without CAP_NET_ADMIN.
func TestLive(t *testing.T) {
	lab.Require(t, lab.NeedBonding)
	ms := func(n int) *time.Duration { return new(time.Duration(n) * time.Millisecond) }
	targets := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")}
	// Some are those that kernels print in a way of their own.
	var ns []netip.Addr
	for _, s := range []string{
		"2001:db8::1", "2001:db8:0:1:0:0:1:0", "fe80::5efe:192.0.2.1", "fe80::200:5efe:0.0.0.1", "2001:db8:0:1:0:5efe:0:0",
		"::5efe:c000:201", "::ffff:192.0.2.1", "::192.0.2.1", "2001:0:0:1::", "64:ff9b::192.0.2.33",
	} {
		ns = append(ns, netip.MustParseAddr(s))
	}
	tests := []struct {
		name string
		o    bond.Options
	}{
		{"balance-rr", bond.Options{Mode: new(bond.ModeBalanceRR), MIIMon: ms(50), UpDelay: ms(100), DownDelay: ms(150)}},
		{"active-backup", bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: ms(50), Primary: &bond.Link{Name: "e2"}, PrimaryReselect: new(bond.PrimaryReselectBetter)}},
		{"fail-over-mac", bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: ms(50), FailOverMAC: new(bond.FailOverMACActive)}},
		{"arp", bond.Options{Mode: new(bond.ModeActiveBackup), ARPInterval: ms(5000), ARPTargets: targets}},
		{"ns", bond.Options{Mode: new(bond.ModeActiveBackup), ARPInterval: ms(5000), NSTargets: ns}},
		{"balance-xor", bond.Options{Mode: new(bond.ModeBalanceXOR), MIIMon: ms(50), XmitHashPolicy: new(bond.XmitHashEncap34)}},
		{"broadcast", bond.Options{Mode: new(bond.ModeBroadcast), MIIMon: ms(50)}},
		{"802.3ad", bond.Options{Mode: new(bond.Mode8023AD), MIIMon: ms(50), LACPRate: new(bond.LACPRateFast), MinLinks: new(uint32(1)), ADActorSysPrio: new(uint16(77)), ADSelect: new(bond.ADSelectCount)}},
		{"802.3ad with a system address", bond.Options{Mode: new(bond.Mode8023AD), MIIMon: ms(50), LACPRate: new(bond.LACPRateFast), ADActorSystem: &[6]byte{2, 0, 0, 0, 0, 9}}},
		{"balance-tlb", bond.Options{Mode: new(bond.ModeBalanceTLB), MIIMon: ms(50), TLBDynamicLB: new(false), XmitHashPolicy: new(bond.XmitHashLayer23)}},
		{"balance-alb", bond.Options{Mode: new(bond.ModeBalanceALB), MIIMon: ms(50)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in(t, func(ctx context.Context) error { return live(ctx, tt.o) })
		})
	}
}

// in runs f on a thread of its own in a new network namespace.
func in(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = f(ctx)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// live makes two bonds that face each other and compares until what they say has
// settled.
func live(ctx context.Context, o bond.Options) error {
	ip := exec.CommandContext(ctx, "ip", "-batch", "-")
	ip.Stdin = strings.NewReader("link add e1 type veth peer name p1\nlink add e2 type veth peer name p2\n")
	if out, err := ip.CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	c, err := bond.Dial(nil)
	if err != nil {
		return err
	}
	defer c.Close()
	features, err := c.ProbeFeatures(ctx)
	if err != nil {
		return err
	}
	if !features.Has(bond.OptionNSTargets) {
		o.NSTargets = nil
	}
	partner := o.Clone()
	partner.Primary, partner.ADActorSystem = nil, nil
	for name, o := range map[string]bond.Options{"bond0": o, "bond1": partner} {
		if _, err := c.Create(ctx, name, o, &bond.CreateOptions{Up: true}); err != nil {
			return err
		}
	}
	for slave, master := range map[string]string{"e1": "bond0", "e2": "bond0", "p1": "bond1", "p2": "bond1"} {
		if err := c.Enslave(ctx, bond.Link{Name: master}, bond.Link{Name: slave}, bond.SlaveOptions{}); err != nil {
			return err
		}
	}
	if _, err := c.SetSlave(ctx, bond.Link{Name: "e1"}, bond.SlaveOptions{QueueID: new(uint16(3))}); err != nil {
		return err
	}
	if err := settle(func() error { return compareLive(ctx, c) }); err != nil {
		return err
	}
	// The monitor may change a slave between two comparisons, and between the two
	// reads of one.
	return withoutNetAdmin(func() error {
		return settle(func() error { return compareUnprivileged(ctx, c) })
	})
}

// settle calls f until it has nothing to say or the patience is over.
func settle(f func() error) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		<-tick.C
	}
}

// read reads bond0 and checks that nothing in the text is new to the parser.
func read(b *procfs.Bond) error {
	f := procfs.NewDir("/proc/thread-self")
	names, err := f.List()
	if err != nil || len(names) != 2 {
		return fmt.Errorf("bonds %q: %w", names, err)
	}
	if err := f.Read("bond0", b); err != nil {
		return err
	}
	if b.Name != "bond0" || b.Torn || len(b.Problems)+len(b.Lines) != 0 {
		return fmt.Errorf("name %q, torn %t, problems %v, lines %v", b.Name, b.Torn, b.Problems, b.Lines)
	}
	text, err := os.ReadFile("/proc/thread-self/net/bonding/bond0")
	if err != nil {
		return err
	}
	if again, _ := b.AppendText(nil); !bytes.Equal(text, again) {
		return fmt.Errorf("printed %s\nand we %s", text, again)
	}
	return (&procfs.Parser{Strict: true}).Parse(text, new(procfs.Bond))
}

// differences collects what is not the same.
type differences []error

func (d *differences) same(what string, text, netlink any) {
	if text != netlink {
		*d = append(*d, fmt.Errorf("%s is %v in /proc and %v over rtnetlink", what, text, netlink))
	}
}

func compareLive(ctx context.Context, c *bond.Client) error {
	var p procfs.Bond
	if err := read(&p); err != nil {
		return err
	}
	b, err := c.Get(ctx, bond.Link{Name: "bond0"})
	if err != nil {
		return err
	}
	slaves, err := c.Slaves(ctx, b.Link)
	if err != nil {
		return err
	}
	var d differences
	compareBond(&d, &p, b)
	d.same("number of slaves", len(p.Slaves), len(slaves))
	for i := range slaves {
		s := p.Slave(slaves[i].Name)
		if s == nil {
			d = append(d, fmt.Errorf("%s is not in /proc", slaves[i].Name))
			continue
		}
		compareSlave(&d, s, &slaves[i])
		// What a bond shows only when it has settled.
		if b.Mode == bond.Mode8023AD && !s.Has(procfs.FieldPartner) {
			d = append(d, fmt.Errorf("%s has no partner", s.Name))
		}
	}
	if b.Mode == bond.Mode8023AD && (!p.Has(procfs.FieldAggregator) || !b.Has(bond.OptionADInfo) || b.AD.Ports != 2) {
		d = append(d, fmt.Errorf("LACP has not settled: %+v", b.AD))
	}
	isDown := func(s bond.Slave) bool { return s.MIIStatus != bond.MIIUp }
	if b.MIIMon != 0 && (!b.Carrier || slices.ContainsFunc(slaves, isDown)) {
		d = append(d, errors.New("the bond or a slave is not up yet"))
	}
	return errors.Join(d...)
}

func compareBond(d *differences, p *procfs.Bond, b *bond.Bond) {
	d.same("mode", p.Mode, b.Mode)
	d.same("carrier", p.MIIStatus == bond.MIIUp, b.Carrier)
	d.same("miimon", p.MIIMon, b.MIIMon)
	d.same("updelay", p.UpDelay, b.UpDelay)
	d.same("downdelay", p.DownDelay, b.DownDelay)
	if p.Has(procfs.FieldPeerNotifDelay) {
		d.same("peer_notif_delay", p.PeerNotifDelay, b.PeerNotifDelay)
	}
	d.same("has a hash policy", p.Has(procfs.FieldXmitHashPolicy),
		b.Mode == bond.ModeBalanceXOR || b.Mode == bond.Mode8023AD || b.Mode == bond.ModeBalanceTLB && !b.TLBDynamicLB)
	if p.Has(procfs.FieldXmitHashPolicy) {
		d.same("xmit_hash_policy", p.XmitHashPolicy, b.XmitHashPolicy)
	}
	if b.Mode.HasActive() {
		d.same("primary", p.Primary, b.Primary.Name)
		d.same("active_slave", p.Active, b.Active.Name)
	}
	if p.Has(procfs.FieldPrimaryReselect) {
		d.same("primary_reselect", p.PrimaryReselect, b.PrimaryReselect)
	}
	if b.Mode == bond.ModeActiveBackup {
		d.same("fail_over_mac", p.FailOverMAC, b.FailOverMAC)
	}
	d.same("arp_interval", p.ARPInterval, b.ARPInterval)
	if b.ARPInterval > 0 {
		d.same("arp_ip_target", fmt.Sprint(p.ARPTargets), fmt.Sprint(b.ARPTargets))
		d.same("ns_ip6_target", fmt.Sprint(p.NSTargets), fmt.Sprint(b.NSTargets))
		d.same("has arp_missed_max", p.Has(procfs.FieldMissedMax), b.Has(bond.OptionMissedMax))
		d.same("arp_missed_max", p.MissedMax, uint32(b.MissedMax))
	}
	if b.Mode != bond.Mode8023AD {
		d.same("has LACP", p.Has(procfs.FieldLACP), false)
		return
	}
	d.same("lacp_active", p.LACPActive || !p.Has(procfs.FieldLACPActive), b.LACPActive || !b.Has(bond.OptionLACPActive))
	d.same("lacp_rate", p.LACPRate, b.LACPRate)
	d.same("min_links", uint32(p.MinLinks), b.MinLinks)
	d.same("ad_select", p.ADSelect, b.ADSelect)
	d.same("ad_actor_sys_prio", p.SystemPriority, int32(b.ADActorSysPrio))
	if b.ADActorSystem != [6]byte{} {
		d.same("ad_actor_system", p.SystemMAC, b.ADActorSystem)
	}
	d.same("aggregator", p.Aggregator, procfs.Aggregator{
		ID: int32(b.AD.AggregatorID), Ports: int32(b.AD.Ports), ActorKey: int32(b.AD.ActorKey),
		PartnerKey: int32(b.AD.PartnerKey), PartnerMAC: b.AD.PartnerMAC,
	})
}

func compareSlave(d *differences, p *procfs.Slave, s *bond.Slave) {
	same := func(what string, text, netlink any) { d.same(s.Name+": "+what, text, netlink) }
	same("mii_status", p.MIIStatus, s.MIIStatus)
	same("link_failure_count", p.LinkFailures, s.LinkFailures)
	same("perm_hwaddr", p.PermMAC.String(), s.PermMAC.String())
	same("queue_id", p.QueueID, int32(s.QueueID))
	if !s.Has(bond.OptionAggregatorID) {
		return
	}
	same("aggregator", p.AggregatorID, int32(s.AggregatorID))
	if s.Has(bond.OptionActorChurn) {
		same("actor churn", p.ActorChurn, s.ActorChurn)
		same("partner churn", p.PartnerChurn, s.PartnerChurn)
	}
	if !p.Has(procfs.FieldActor) {
		return // without privilege
	}
	same("actor port state", p.Actor.PortState, s.ActorPortState)
	same("partner port state", p.Partner.PortState, s.PartnerPortState)
	if s.Has(bond.OptionActorPortPrio) {
		same("actor port priority", p.Actor.PortPriority, int32(s.ActorPortPrio))
	}
}

// compareUnprivileged checks that the text and rtnetlink hide what they hide, and
// that what is left is the same.
func compareUnprivileged(ctx context.Context, c *bond.Client) error {
	var p procfs.Bond
	if err := read(&p); err != nil {
		return err
	}
	b, err := c.Get(ctx, bond.Link{Name: "bond0"})
	if err != nil {
		return err
	}
	var d differences
	if privileged, ok := p.Privileged(); privileged || ok != (b.Mode == bond.Mode8023AD) {
		d = append(d, fmt.Errorf("Privileged is %t, %t", privileged, ok))
	}
	d.same("has ad_actor_sys_prio", p.Has(procfs.FieldSystemPriority), false)
	slaves, err := c.Slaves(ctx, b.Link)
	if err != nil {
		return err
	}
	d.same("number of slaves", len(p.Slaves), len(slaves))
	for i := range slaves {
		s := p.Slave(slaves[i].Name)
		if s == nil {
			return fmt.Errorf("%s is not in /proc", slaves[i].Name)
		}
		compareSlave(&d, s, &slaves[i])
		d.same(s.Name+" has a partner", s.Has(procfs.FieldPartner), false)
		d.same(s.Name+" has churn", s.Has(procfs.FieldActorChurn), b.Mode == bond.Mode8023AD)
	}
	p.SystemPriority, p.SystemMAC = int32(b.ADActorSysPrio), b.ADActorSystem
	p.Aggregator = procfs.Aggregator{
		ID: int32(b.AD.AggregatorID), Ports: int32(b.AD.Ports), ActorKey: int32(b.AD.ActorKey),
		PartnerKey: int32(b.AD.PartnerKey), PartnerMAC: b.AD.PartnerMAC,
	}
	compareBond(&d, &p, b)
	return errors.Join(d...)
}

// withoutNetAdmin runs f on this thread without CAP_NET_ADMIN, and for good.
func withoutNetAdmin(f func() error) error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return err
	}
	for _, set := range []*uint32{&data[0].Effective, &data[0].Permitted, &data[0].Inheritable} {
		*set &^= 1 << unix.CAP_NET_ADMIN
	}
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		return err
	}
	return f()
}
