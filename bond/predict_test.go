// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// predictState returns a bond with slaves eth0 (active), eth1 and so on, that are up, and an
// interface "spare" that is none. Options is what it is set to besides the defaults.
func predictState(t *testing.T, up bool, slaves int, options string) *bond.State {
	t.Helper()
	o := predictOptions(t, options)
	b := bond.ValuesPredict(nil, &o)
	b.Link, b.TxQueues = bond.Link{Index: 2, Name: "bond0"}, 16
	if up {
		b.Flags |= bond.FlagUp
	}
	s := &bond.State{Bond: &b, Links: []bond.LinkInfo{{Link: bond.Link{Index: 9, Name: "spare"}}}}
	for i := range slaves {
		var slave bond.Slave
		slave.Link = bond.Link{Index: 3 + i, Name: "eth" + strconv.Itoa(i)}
		slave.Flags, slave.Carrier = bond.FlagUp, true
		s.Slaves = append(s.Slaves, slave)
	}
	if slaves > 0 && b.Mode.HasActive() {
		b.Active = s.Slaves[0].Link
		bond.ValuesSetHas(&b, true, bond.OptionActiveSlave)
	}
	return s
}

// predictOptions reads "miimon=100 mode=802.3ad". Targets have commas between them.
func predictOptions(t *testing.T, text string) bond.Options {
	t.Helper()
	var o bond.Options
	for word := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(word, "=")
		opt, err := bond.ParseOption(name)
		if err == nil {
			err = o.SetText(opt, value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func TestPredict(t *testing.T) {
	for _, c := range []struct {
		name   string
		before string
		slaves int
		set    string
		// want has options and their values; a dash says that Has is false.
		want string
	}{
		{"nothing", "miimon=100 updelay=200", 2, "", "miimon=100 updelay=200 downdelay=0 mode=balance-rr"},
		{"delay is rounded down", "miimon=100", 0, "updelay=150", "updelay=100"},
		{"delay below miimon", "miimon=70", 0, "downdelay=69", "downdelay=0"},
		{"delays go with miimon", "miimon=100 updelay=200 downdelay=300", 2, "miimon=50", "miimon=50 updelay=100 downdelay=150"},
		{"delays vanish with miimon", "miimon=100 updelay=200", 2, "miimon=0", "miimon=0 updelay=0"},
		{"delays overflow", "miimon=100 updelay=200 downdelay=300", 2, "miimon=2147483647", "updelay=4294967294 downdelay=2147483645"},
		{"miimon and delays together", "miimon=100 updelay=200 downdelay=300", 2, "miimon=50 updelay=120", "updelay=100 downdelay=150"},
		{"hidden delays", "", 2, "miimon=100", "miimon=100 updelay=- downdelay=- peer_notif_delay=-"},
		{"hidden delays, one told", "", 2, "miimon=100 updelay=300", "updelay=300 downdelay=-"},
		{
			"MII switches ARP off", "arp_interval=100 arp_ip_target=10.0.0.1 arp_validate=all arp_missed_max=5", 2, "miimon=100",
			"miimon=100 arp_interval=0 arp_validate=none arp_ip_target=10.0.0.1 arp_missed_max=5",
		},
		{"miimon 0 leaves ARP alone", "arp_interval=100 arp_validate=all", 2, "miimon=0", "arp_interval=100 arp_validate=all"},
		{"ARP switches MII off", "miimon=100 updelay=200", 2, "arp_interval=100", "miimon=0 updelay=0 arp_interval=100"},
		{"ARP off leaves MII off", "arp_interval=100 arp_ip_target=10.0.0.1 arp_validate=all", 2, "arp_interval=0", "miimon=0 arp_interval=0 arp_validate=all arp_ip_target=10.0.0.1"},
		{"arp_validate without ARP survives miimon", "miimon=100 arp_validate=all", 2, "miimon=50", "miimon=50 arp_validate=all"},
		{"the mode brings hidden delays back", "", 0, "mode=802.3ad", "miimon=100 updelay=- downdelay=-"},
		{"arp_validate under MII survives", "miimon=100", 2, "arp_validate=all", "miimon=100 arp_validate=all"},
		{
			"to 802.3ad", "arp_interval=100 arp_ip_target=10.0.0.1 arp_validate=all", 0, "mode=802.3ad",
			"miimon=100 arp_interval=0 arp_validate=none arp_ip_target=10.0.0.1 ad_actor_sys_prio=-",
		},
		{"to 802.3ad with miimon", "miimon=50 updelay=150", 0, "mode=802.3ad", "miimon=50 updelay=150"},
		{"to balance-alb", "mode=balance-tlb tlb_dynamic_lb=off", 0, "mode=balance-alb", "tlb_dynamic_lb=on"},
		{"to balance-tlb", "mode=balance-tlb tlb_dynamic_lb=off", 0, "mode=balance-tlb", "tlb_dynamic_lb=off"},
		{"the same mode", "mode=802.3ad broadcast_neighbor=on lacp_strict=on lacp_rate=fast", 0, "mode=802.3ad", "broadcast_neighbor=off lacp_strict=on lacp_rate=fast"},
		{"mode and miimon 0", "", 0, "mode=802.3ad miimon=0", "mode=802.3ad miimon=0"},
		{
			"leaving 802.3ad", "mode=802.3ad ad_actor_sys_prio=1 ad_user_port_key=2 ad_actor_system=02:00:00:00:00:01", 0, "mode=active-backup",
			"ad_actor_sys_prio=- ad_user_port_key=- ad_actor_system=-",
		},
		{"targets are replaced", "arp_ip_target=10.0.0.1,10.0.0.2", 2, "arp_ip_target=10.0.0.3 ns_ip6_target=2001:db8::1", "arp_ip_target=10.0.0.3 ns_ip6_target=2001:db8::1"},
		{"targets are cleared", "arp_ip_target=10.0.0.1 ns_ip6_target=2001:db8::1", 2, "arp_ip_target= ns_ip6_target=", "arp_ip_target=- ns_ip6_target=-"},
		{"active slave by index", "mode=active-backup", 2, "active_slave=#4", "active_slave=eth1 primary=-"},
		{"active slave is left to the kernel", "mode=active-backup", 2, "active_slave=", "active_slave=-"},
		{"primary becomes active", "mode=active-backup", 2, "primary=eth1", "primary=eth1 active_slave=eth1"},
		{"primary is pending", "mode=active-backup", 2, "primary=spare", "primary=- active_slave=-"},
		{"primary is cleared", "mode=active-backup", 2, "primary=", "primary=- active_slave=-"},
		{"first the active slave, then the primary", "mode=active-backup", 2, "active_slave=eth0 primary=eth1", "primary=eth1 active_slave=eth1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := predictState(t, true, c.slaves, c.before)
			o := predictOptions(t, c.set)
			was := now.Bond.Clone()
			got := bond.ValuesPredict(now, &o)
			for word := range strings.FieldsSeq(c.want) {
				name, value, _ := strings.Cut(word, "=")
				opt, err := bond.ParseOption(name)
				if err != nil {
					t.Fatal(err)
				}
				if value == "-" {
					value = ""
				}
				if got.Text(opt) != value {
					t.Errorf("%v is %q, want %q", opt, got.Text(opt), value)
				}
			}
			for opt := range bond.AllOptions() {
				if now.Bond.Text(opt) != was.Text(opt) {
					t.Errorf("%v of the state became %q", opt, now.Bond.Text(opt))
				}
			}
		})
	}
}

// A new bond has the defaults of the table.
func TestPredictNewBond(t *testing.T) {
	for _, now := range []*bond.State{nil, {}} {
		b := bond.ValuesPredict(now, &bond.Options{})
		for opt := range bond.AllOptions() {
			i := opt.Info()
			switch i.Kind {
			case bond.KindLink, bond.KindIPv4List, bond.KindIPv6List, bond.KindMAC, bond.KindNested:
				if b.Has(opt) {
					t.Errorf("a new bond has %v", opt)
				}
				continue
			}
			hidden := opt == bond.OptionADActorSysPrio || opt == bond.OptionADUserPortKey
			if n := bond.ValuesBondRaw(&b, opt); !i.Slave && (n != i.Default || b.Has(opt) == hidden) {
				t.Errorf("%v is %d, %v, want %d", opt, n, b.Has(opt), i.Default)
			}
		}
		o := predictOptions(t, "mode=balance-alb miimon=30 updelay=100")
		if b := bond.ValuesPredict(now, &o); b.MIIMon != 30*time.Millisecond || b.UpDelay != 90*time.Millisecond || !b.Has(bond.OptionDownDelay) {
			t.Errorf("miimon %v, updelay %v", b.MIIMon, b.UpDelay)
		}
	}
}

// Its memory is neither that of the state nor that of the options.
func TestPredictMemory(t *testing.T) {
	now := predictState(t, true, 0, "arp_ip_target=10.0.0.1")
	o := predictOptions(t, "ns_ip6_target=2001:db8::1")
	b := bond.ValuesPredict(now, &o)
	b.ARPTargets[0], b.NSTargets[0] = netip.Addr{}, netip.Addr{}
	if slices.Contains(now.Bond.ARPTargets, netip.Addr{}) || slices.Contains(o.NSTargets, netip.Addr{}) {
		t.Error("memory is shared")
	}
}
