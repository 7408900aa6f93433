// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/bond"
)

// optionFact is one line of bond_opts and bond_policy, written down by hand.
type optionFact struct {
	attr         uint16
	name         string
	size         int
	low, high    int64
	def          int64
	modes        string // numbers of modes, "" for all
	state        string // d: bond down, e: empty, m: needs miimon
	since        string
	iproute2     string // where it differs from the name
	sysfsMissing bool
}

const optionIntMax = math.MaxInt32

// The numbers are those of IFLA_BOND_ in <linux/if_link.h>. What the kernel ignores
// when it is sent has state "r".
var optionFacts = []optionFact{
	{attr: 1, name: "mode", size: 1, high: 6, state: "de", since: "3.13"},
	{attr: 2, name: "active_slave", size: 4, high: optionIntMax, modes: "156", since: "3.13"},
	{attr: 3, name: "miimon", size: 4, high: optionIntMax, since: "3.14"},
	{attr: 4, name: "updelay", size: 4, high: optionIntMax, state: "m", since: "3.14"},
	{attr: 5, name: "downdelay", size: 4, high: optionIntMax, state: "m", since: "3.14"},
	{attr: 6, name: "use_carrier", size: 1, high: 1, def: 1, since: "3.14"},
	{attr: 7, name: "arp_interval", size: 4, high: optionIntMax, modes: "0123", since: "3.14"},
	{attr: 8, name: "arp_ip_target", high: 16, since: "3.14"},
	{attr: 9, name: "arp_validate", size: 4, high: 6, modes: "0123", since: "3.14"},
	{attr: 10, name: "arp_all_targets", size: 4, high: 1, since: "3.14"},
	{attr: 11, name: "primary", size: 4, high: optionIntMax, modes: "156", since: "3.14"},
	{attr: 12, name: "primary_reselect", size: 1, high: 2, since: "3.14"},
	{attr: 13, name: "fail_over_mac", size: 1, high: 2, state: "e", since: "3.14"},
	{attr: 14, name: "xmit_hash_policy", size: 1, high: 5, since: "3.14"},
	{attr: 15, name: "resend_igmp", size: 4, high: 255, def: 1, since: "3.14"},
	{attr: 16, name: "num_grat_arp", size: 1, high: 255, def: 1, since: "3.14"},
	{attr: 17, name: "all_slaves_active", size: 1, high: 1, since: "3.14"},
	{attr: 18, name: "min_links", size: 4, high: optionIntMax, since: "3.14"},
	{attr: 19, name: "lp_interval", size: 4, low: 1, high: optionIntMax, def: 1, since: "3.14"},
	{attr: 20, name: "packets_per_slave", size: 4, high: 65535, def: 1, modes: "0", since: "3.14"},
	{attr: 21, name: "lacp_rate", size: 1, high: 1, modes: "4", state: "d", since: "3.14"},
	{attr: 22, name: "ad_select", size: 1, high: 3, state: "d", since: "3.14"},
	{attr: 23, name: "ad_info", state: "r", since: "3.14", sysfsMissing: true},
	{attr: 24, name: "ad_actor_sys_prio", size: 2, low: 1, high: 65535, def: 65535, modes: "4", since: "4.2"},
	{attr: 25, name: "ad_user_port_key", size: 2, high: 1023, modes: "4", state: "d", since: "4.2"},
	{attr: 26, name: "ad_actor_system", size: 6, modes: "4", since: "4.2"},
	{attr: 27, name: "tlb_dynamic_lb", size: 1, high: 1, def: 1, modes: "56", state: "d", since: "4.3"},
	{attr: 28, name: "peer_notif_delay", size: 4, high: 300000, state: "m", since: "5.3", iproute2: "peer_notify_delay"},
	{attr: 29, name: "lacp_active", size: 1, high: 1, def: 1, modes: "4", state: "d", since: "5.15"},
	{attr: 30, name: "arp_missed_max", size: 1, low: 1, high: 255, def: 2, modes: "0123", since: "5.17"},
	{attr: 31, name: "ns_ip6_target", high: 16, since: "5.18", sysfsMissing: true},
	{attr: 32, name: "coupled_control", size: 1, high: 1, def: 1, modes: "4", state: "d", since: "6.9", sysfsMissing: true},
	{attr: 33, name: "broadcast_neighbor", size: 1, high: 1, modes: "4", since: "6.17", sysfsMissing: true},
	{attr: 34, name: "lacp_strict", size: 1, high: 1, modes: "4", since: "7.2", iproute2: "-", sysfsMissing: true},
}

// The same for IFLA_BOND_SLAVE_.
var optionSlaveFacts = []optionFact{
	{attr: 1, name: "state", size: 1, high: 1, state: "r", since: "3.14"},
	{attr: 2, name: "mii_status", size: 1, high: 3, state: "r", since: "3.14"},
	{attr: 3, name: "link_failure_count", size: 4, high: math.MaxUint32, state: "r", since: "3.14"},
	{attr: 4, name: "perm_hwaddr", state: "r", since: "3.14"},
	{attr: 5, name: "queue_id", size: 2, high: 65535, since: "3.14"},
	{attr: 6, name: "ad_aggregator_id", size: 2, high: 65535, state: "r", since: "3.14"},
	{attr: 7, name: "ad_actor_oper_port_state", size: 1, high: 255, state: "r", since: "4.2"},
	{attr: 8, name: "ad_partner_oper_port_state", size: 2, high: 65535, state: "r", since: "4.2"},
	{attr: 9, name: "prio", size: 4, low: math.MinInt32, high: optionIntMax, modes: "156", since: "6.0", sysfsMissing: true},
	{attr: 10, name: "actor_port_prio", size: 2, high: 65535, def: 255, modes: "4", since: "6.18", sysfsMissing: true},
	{attr: 11, name: "ad_churn_actor_state", size: 1, high: 2, state: "r", since: "7.1", sysfsMissing: true},
	{attr: 12, name: "ad_churn_partner_state", size: 1, high: 2, state: "r", since: "7.1", sysfsMissing: true},
}

// The order of bond_changelink and of bond_slave_changelink.
const optionKernelOrder = `mode active_slave miimon updelay downdelay peer_notif_delay use_carrier arp_interval arp_ip_target ns_ip6_target
	arp_validate arp_all_targets primary primary_reselect fail_over_mac xmit_hash_policy resend_igmp num_grat_arp all_slaves_active
	min_links lp_interval packets_per_slave lacp_active lacp_rate ad_select ad_actor_sys_prio ad_user_port_key ad_actor_system
	tlb_dynamic_lb arp_missed_max coupled_control broadcast_neighbor lacp_strict`

func TestOptionTableAgreesWithTheKernel(t *testing.T) {
	check := func(t *testing.T, opt bond.Option, f optionFact, slave bool) {
		t.Helper()
		i := opt.Info()
		modes := bond.AllModes
		if f.modes != "" {
			modes = 0
			for _, c := range f.modes {
				modes |= bond.Modes(bond.Mode(c - '0'))
			}
		}
		if i.ReadOnly {
			modes = i.Modes // means nothing
		}
		iproute2 := f.iproute2
		switch {
		case iproute2 == "-" || i.ReadOnly:
			iproute2 = ""
		case iproute2 == "":
			iproute2 = f.name
		}
		got := fmt.Sprint(i.Option, i.Attr, i.Name, i.Slave, i.Size, i.Min, i.Max, i.Default, i.Modes, i.NeedsDown, i.NeedsEmpty, i.NeedsMIIMon, i.ReadOnly, i.Since, i.IPRoute2, i.Sysfs == "")
		want := fmt.Sprint(opt, f.attr, f.name, slave, f.size, f.low, f.high, f.def, modes, strings.Contains(f.state, "d"), strings.Contains(f.state, "e"),
			strings.Contains(f.state, "m"), f.state == "r", f.since, iproute2, f.sysfsMissing)
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", f.name, got, want)
		}
	}
	for n, f := range optionFacts {
		if int(f.attr) != n+1 {
			t.Fatalf("fact %d is about %d", n+1, f.attr)
		}
		check(t, bond.Option(f.attr), f, false)
	}
	for n, f := range optionSlaveFacts {
		if int(f.attr) != n+1 {
			t.Fatalf("fact %d is about %d", n+1, f.attr)
		}
		check(t, bond.Option(64+f.attr), f, true)
	}
	n := 0
	for range bond.AllOptions() {
		n++
	}
	if want := len(optionFacts) + len(optionSlaveFacts); n != want {
		t.Errorf("%d options, want %d", n, want)
	}
}

func TestOptionOrder(t *testing.T) {
	var names []string
	last := map[bool]int{}
	readOnly := map[bool]bool{}
	for opt := range bond.AllOptions() {
		i := opt.Info()
		if i.ReadOnly {
			readOnly[i.Slave] = true
			if i.Order != 0 {
				t.Errorf("%v cannot be set and has order %d", opt, i.Order)
			}
			continue
		}
		if readOnly[i.Slave] {
			t.Errorf("%v stands behind what cannot be set", opt)
		}
		if i.Order <= last[i.Slave] {
			t.Errorf("%v has order %d after %d", opt, i.Order, last[i.Slave])
		}
		last[i.Slave] = i.Order
		if !i.Slave {
			names = append(names, i.Name)
		}
	}
	if want := strings.Fields(optionKernelOrder); !slices.Equal(names, want) {
		t.Errorf("order %v\nwant %v", names, want)
	}
	for range bond.AllOptions() {
		break
	}
}

// optionSysfs are the files in /sys/class/net/BOND/bonding that are options, read on
// 6.1, 6.12 and 7.2, without num_unsol_na, which is num_grat_arp.
const optionSysfs = `active_slave ad_actor_sys_prio ad_actor_system ad_select ad_user_port_key all_slaves_active arp_all_targets
	arp_interval arp_ip_target arp_missed_max arp_validate downdelay fail_over_mac lacp_active lacp_rate lp_interval miimon min_links mode
	num_grat_arp packets_per_slave peer_notif_delay primary primary_reselect resend_igmp tlb_dynamic_lb updelay use_carrier xmit_hash_policy`

// optionSlaveSysfs is the same for bonding_slave, and the queue_id that is written
// to the bond.
const optionSlaveSysfs = `ad_actor_oper_port_state ad_aggregator_id ad_partner_oper_port_state link_failure_count mii_status perm_hwaddr queue_id state`

func TestOptionSysfs(t *testing.T) {
	files := map[bool][]string{}
	for opt := range bond.AllOptions() {
		if i := opt.Info(); i.Sysfs != "" {
			files[i.Slave] = append(files[i.Slave], i.Sysfs)
		}
	}
	for slave, want := range map[bool]string{false: optionSysfs, true: optionSlaveSysfs} {
		slices.Sort(files[slave])
		if !slices.Equal(files[slave], strings.Fields(want)) {
			t.Errorf("files %v\nwant  %v", files[slave], strings.Fields(want))
		}
	}
}

// What does not follow from the kernel's tables is at least consistent.
func TestOptionTableConsistency(t *testing.T) {
	for opt := range bond.AllOptions() {
		i := opt.Info()
		if i.Acts&^i.Modes != 0 && !i.ReadOnly {
			t.Errorf("%v acts in %v, and can be set in %v", opt, i.Acts, i.Modes)
		}
		if i.Acts == 0 && !i.ReadOnly {
			t.Errorf("%v acts nowhere", opt)
		}
		if i.Default < i.Min || i.Default > i.Max {
			t.Errorf("%v: default %d is not in %d..%d", opt, i.Default, i.Min, i.Max)
		}
		if (i.Kind == bond.KindEnum) != (i.Words != nil) || i.Words != nil && int64(len(i.Words)-1) != i.Max {
			t.Errorf("%v: words %q for %d..%d", opt, i.Words, i.Min, i.Max)
		}
		if (i.Kind == bond.KindDuration) != (i.Unit != 0) {
			t.Errorf("%v: unit %d", opt, i.Unit)
		}
		if i.Kind == bond.KindLink && i.Size != 4 || i.Kind == bond.KindBool && (i.Size != 1 || i.Max != 1) {
			t.Errorf("%v: size %d, max %d", opt, i.Size, i.Max)
		}
		if i.Size > 0 && i.Size < 8 && i.Kind != bond.KindMAC && uint64(i.Max) > 1<<(8*i.Size)-1 {
			t.Errorf("%v: %d does not fit in %d bytes", opt, i.Max, i.Size)
		}
	}
	for opt, want := range map[bond.Option]bond.ModeSet{
		bond.OptionARPInterval:       bond.Modes(bond.Mode8023AD, bond.ModeBalanceTLB, bond.ModeBalanceALB),
		bond.OptionARPValidate:       bond.AllModes,
		bond.OptionTLBDynamicLB:      bond.Modes(bond.ModeBalanceALB),
		bond.OptionBroadcastNeighbor: bond.AllModes,
		bond.OptionMIIMon:            0,
	} {
		if got := opt.Info().Cleared; got != want {
			t.Errorf("%v is cleared by %v, want %v", opt, got, want)
		}
	}
}

func TestParseOption(t *testing.T) {
	for opt := range bond.AllOptions() {
		i := opt.Info()
		for _, name := range []string{i.Name, i.Sysfs, i.IPRoute2, opt.String(), fmt.Sprintf("option(%d)", opt)} {
			if name == "" {
				continue
			}
			if got, err := bond.ParseOption(name); err != nil || got != opt {
				t.Errorf("%q is %v, %v, want %v", name, got, err, opt)
			}
			var back bond.Option
			if err := back.UnmarshalText([]byte(name)); err != nil || back != opt {
				t.Errorf("%q is %v, %v, want %v", name, back, err, opt)
			}
		}
		text, err := opt.MarshalText()
		if err != nil || string(text) != i.Name {
			t.Errorf("%v is %q, %v", opt, text, err)
		}
	}
	for name, want := range map[string]bond.Option{
		"num_unsol_na": bond.OptionNumPeerNotif, "num_peer_notif": bond.OptionNumPeerNotif, "missed_max": bond.OptionMissedMax,
		"broadcast_neigh": bond.OptionBroadcastNeighbor, "peer_notify_delay": bond.OptionPeerNotifDelay,
	} {
		if got, err := bond.ParseOption(name); err != nil || got != want {
			t.Errorf("%q is %v, %v, want %v", name, got, err, want)
		}
	}
	for _, name := range []string{"", "-", "Mode", "miimon ", "1", "option(256)", "option()", "option(-1)", "arp_targets"} {
		if got, err := bond.ParseOption(name); !errors.Is(err, bond.ErrBadValue) || got != 0 {
			t.Errorf("%q is %v, %v, want ErrBadValue", name, got, err)
		}
	}
	// A number of a newer kernel survives.
	unknown := bond.Option(35)
	if i := unknown.Info(); unknown.String() != "option(35)" || i.Name != "" || i.Attr != 35 || i.Slave {
		t.Errorf("%v %+v", unknown, i)
	}
	if i := bond.Option(64 + 13).Info(); i.Attr != 13 || !i.Slave || i.Name != "" {
		t.Errorf("%+v", i)
	}
	if got, err := bond.ParseOption("option(35)"); err != nil || got != unknown {
		t.Errorf("%v, %v", got, err)
	}
	v := bond.OptionMode
	if err := v.UnmarshalText([]byte("nonsense")); err == nil || v != bond.OptionMode {
		t.Errorf("nonsense made it %v, %v", v, err)
	}
}
