// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/bond"
)

func TestValidateWarnings(t *testing.T) {
	const arp = "arp_interval=100 arp_ip_target=10.0.0.1,10.0.0.2 arp_validate=all "
	for _, c := range []struct {
		name string
		// before "new" is no bond.
		before, set string
		// want are a part of each warning, in order.
		want []string
	}{
		{"usual", "new", "mode=active-backup miimon=100 updelay=200", nil},
		{"usual ARP", "new", "mode=active-backup " + arp, nil},
		{"usual LACP", "new", "mode=802.3ad miimon=100 lacp_rate=fast xmit_hash_policy=layer3+4 min_links=1", nil},
		{"nothing of a new bond", "new", "", []string{"no link monitoring"}},
		{"no monitoring", "new", "mode=active-backup", []string{"no link monitoring"}},
		{"the mode brings its own", "new", "mode=802.3ad", nil},
		{"no monitoring in spite of the mode", "new", "mode=802.3ad miimon=0", []string{"no link monitoring"}},
		{"not asked about", "mode=active-backup", "resend_igmp=3", nil},
		{"monitoring is switched off", "mode=active-backup miimon=100", "miimon=0", []string{"no link monitoring"}},
		{"ARP monitoring is switched off", "mode=active-backup " + arp, "arp_interval=0", []string{"no link monitoring"}},

		{"no target", "new", "arp_interval=100 arp_validate=all", []string{"arp_interval 100: the ARP monitor has no target"}},
		{"the targets go", arp, "arp_ip_target=", []string{"arp_interval 100: the ARP monitor has no target"}},
		{"a single target", "new", "arp_interval=100 arp_validate=all arp_ip_target=10.0.0.1", []string{"arp_ip_target 10.0.0.1: with a single target"}},
		{"a single IPv6 target", "new", "arp_interval=100 arp_validate=all ns_ip6_target=fe80::1", []string{"ns_ip6_target fe80::1: with a single target"}},
		{"one of each", "new", "arp_interval=100 arp_validate=all arp_ip_target=10.0.0.1 ns_ip6_target=fe80::1", nil},
		{"a single target is not new", "arp_interval=100 arp_validate=all arp_ip_target=10.0.0.1", "resend_igmp=2", nil},
		{"targets that cannot answer", "new", arp + "arp_ip_target=0.1.2.3,127.0.0.1,224.0.0.1", []string{"0.1.2.3", "127.0.0.1", "224.0.0.1"}},
		{"an IPv6 target that cannot answer", "new", "arp_interval=100 arp_validate=all ns_ip6_target=fe80::1,::ffff:10.0.0.1", []string{"::ffff:10.0.0.1: an IPv4 address mapped"}},
		{"targets without ARP", "new", "miimon=100 arp_ip_target=10.0.0.1", []string{"arp_ip_target 10.0.0.1: has no effect while arp_interval is 0"}},
		{"any packet counts", "new", "arp_interval=100 arp_ip_target=10.0.0.1,10.0.0.2", []string{"arp_validate none: the ARP monitor takes any packet"}},
		{"any packet counts again", arp, "arp_validate=none", []string{"takes any packet"}},
		{"any packet counted before", "arp_interval=100 arp_ip_target=10.0.0.1,10.0.0.2", "resend_igmp=2", nil},

		{"arp_all_targets", "new", "mode=active-backup arp_all_targets=all " + arp, nil},
		{"arp_all_targets with none", "new", "mode=active-backup arp_all_targets=all " + arp + "arp_validate=none", []string{"takes any packet", "takes all slaves down"}},
		{"arp_all_targets with backup", "new", "mode=active-backup arp_all_targets=all " + arp + "arp_validate=backup", []string{"with arp_validate backup the kernel takes all slaves down"}},
		{"arp_all_targets with filter", "new", "mode=active-backup arp_all_targets=all " + arp + "arp_validate=filter", []string{"takes all slaves down"}},
		{"arp_all_targets with filter_backup", "new", "mode=active-backup arp_all_targets=all " + arp + "arp_validate=filter_backup", []string{"takes all slaves down"}},
		{"arp_all_targets with active", "new", "mode=active-backup arp_all_targets=all " + arp + "arp_validate=active", []string{"holds the backup slaves down"}},
		{"arp_all_targets with filter_active", "new", "mode=active-backup arp_all_targets=all " + arp + "arp_validate=filter_active", []string{"holds the backup slaves down"}},
		{"arp_all_targets with IPv6", "new", "mode=active-backup arp_all_targets=all " + arp + "ns_ip6_target=fe80::1,fe80::2", []string{"ns_ip6_target the kernel looks at the first only"}},
		{"arp_all_targets and then validate", "mode=active-backup arp_all_targets=all " + arp, "arp_validate=active", []string{"holds the backup slaves down"}},
		{"arp_all_targets and then IPv6", "mode=active-backup arp_all_targets=all " + arp, "ns_ip6_target=fe80::1", []string{"looks at the first only"}},
		{"arp_all_targets elsewhere", "new", "arp_all_targets=all " + arp + "arp_validate=active", []string{"arp_all_targets all: has no effect in mode balance-rr"}},

		{"delay is rounded", "new", "miimon=100 updelay=150 downdelay=200 peer_notif_delay=50", []string{"updelay 150: the kernel rounds it down to 100", "peer_notif_delay 50: the kernel rounds it down to 0"}},
		{"delay is rounded to what was", "miimon=70", "downdelay=100", []string{"downdelay 100: the kernel rounds it down to 70"}},
		{"delays follow miimon", "miimon=100 updelay=200 downdelay=300", "miimon=50", []string{"updelay 200: it becomes 100", "downdelay 300: it becomes 150"}},
		{"delays are told again", "miimon=100 updelay=200 downdelay=300", "miimon=50 updelay=200 downdelay=300", nil},
		{"delays vanish with the monitor", "miimon=100 updelay=200 " + "arp_ip_target=10.0.0.1,10.0.0.2 arp_validate=all", "miimon=0 arp_interval=100", nil},
		{"the same miimon", "miimon=100 updelay=200", "miimon=100", nil},
		{
			"a delay, and ARP takes its miimon", "miimon=100 arp_ip_target=10.0.0.1,10.0.0.2 arp_validate=all", "updelay=100 arp_interval=100",
			[]string{"switches MII monitoring off", "updelay 100: has no effect while miimon is 0"},
		},

		{"MII switches ARP off", arp, "miimon=100", []string{"miimon 100: switches the ARP monitor off"}},
		{"MII switches ARP off, as asked", arp, "miimon=100 arp_interval=0", nil},
		{"ARP switches MII off", "miimon=100 arp_ip_target=10.0.0.1,10.0.0.2 arp_validate=all", "arp_interval=100", []string{"arp_interval 100: switches MII monitoring off"}},
		{"ARP switches MII off, as asked", "miimon=100 arp_ip_target=10.0.0.1,10.0.0.2 arp_validate=all", "arp_interval=100 miimon=0", nil},

		{
			"no effect", "new", "mode=active-backup miimon=100 xmit_hash_policy=layer3+4 min_links=1 lp_interval=5 ad_select=count",
			[]string{"xmit_hash_policy layer3+4: has no effect in mode active-backup", "min_links 1: has no effect", "lp_interval 5: has no effect", "ad_select count: has no effect"},
		},
		{"defaults are silent", "new", "mode=active-backup miimon=100 xmit_hash_policy=layer2 min_links=0 lp_interval=1 ad_select=stable arp_ip_target= arp_all_targets=any", nil},
		{"fail_over_mac elsewhere", "new", "miimon=100 fail_over_mac=active primary_reselect=better", []string{"primary_reselect better", "fail_over_mac active"}},
		{"targets in 802.3ad", "new", "mode=802.3ad arp_ip_target=10.0.0.1", []string{"arp_ip_target 10.0.0.1: has no effect in mode 802.3ad"}},

		{"use_carrier", "new", "miimon=100 use_carrier=off", []string{"use_carrier off: kernels since 6.18 refuse it"}},
		{"use_carrier on", "new", "miimon=100 use_carrier=on", nil},

		{"the mode clears", arp, "mode=balance-rr", []string{"takes any packet", "arp_validate all: the kernel sets it back to none"}},
		{"the mode clears, with ARP", arp, "mode=802.3ad", []string{"arp_interval 100: the kernel sets it back to 0", "arp_validate all: the kernel sets it back to none"}},
		{"the mode clears, and it is told again", arp, "mode=active-backup arp_validate=all", nil},
		{"balance-alb clears", "mode=balance-tlb tlb_dynamic_lb=off", "mode=balance-alb", []string{"tlb_dynamic_lb off: the kernel sets it back to on"}},
		{"802.3ad clears", "mode=802.3ad broadcast_neighbor=on", "mode=802.3ad", []string{"broadcast_neighbor on: the kernel sets it back to off"}},

		{"where there is an error there is no warning about the same", "new", "mode=802.3ad arp_interval=100", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var now *bond.State
			if c.before != "new" {
				now = predictState(t, false, 0, c.before)
			}
			issues := bond.Validate(predictOptions(t, c.set), now)
			valErrors(t, issues)
			warnings := issues.Warnings()
			ok := len(warnings) == len(c.want)
			for i := range min(len(warnings), len(c.want)) {
				ok = ok && strings.Contains(warnings[i].String(), c.want[i])
			}
			if !ok {
				t.Errorf("warnings %q\nwant     %q", warnings, c.want)
			}
		})
	}
}

func TestValidateWarnsOfPrio(t *testing.T) {
	now := predictState(t, true, 2, "mode=active-backup miimon=100")
	set := predictOptions(t, "primary=eth0")
	if issues := bond.Validate(set, now); len(issues) > 0 {
		t.Errorf("%v", issues)
	}
	now.Slaves[1].Prio = 7
	issues := bond.Validate(set, now)
	if len(issues) != 1 || !strings.Contains(issues[0].String(), "7 of eth1") || issues.Err() != nil {
		t.Errorf("%v", issues)
	}
	issues = bond.Validate(predictOptions(t, "primary=bond0"), now)
	if len(issues) != 1 || !strings.Contains(issues[0].String(), "its own slave") || issues.Err() != nil {
		t.Errorf("%v", issues)
	}
	if issues := bond.Validate(predictOptions(t, "primary="), now); len(issues) > 0 {
		t.Errorf("%v", issues)
	}
}

// Whatever is asked of whatever bond, Validate answers, and tells the same twice.
func FuzzValidate(f *testing.F) {
	f.Add([]byte(fullOptionsJSON), []byte(`{"mode":"active-backup","miimon":100}`), uint8(3))
	f.Add([]byte(`{"mode":"mode(9)","miimon":"1h","arp_ip_target":[]}`), []byte(`{"mode":"mode(200)","updelay":5}`), uint8(0))
	f.Fuzz(func(t *testing.T, set, before []byte, shape uint8) {
		var o, was bond.Options
		if o.UnmarshalJSON(set) != nil || was.UnmarshalJSON(before) != nil {
			return
		}
		now := &bond.State{Bond: valuesBond(was)}
		if shape&1 != 0 {
			now.Bond.Flags |= bond.FlagUp
		}
		for i := range shape >> 1 & 3 {
			var s bond.Slave
			s.Link = bond.Link{Index: 3 + int(i), Name: "eth" + string('0'+rune(i))}
			s.Flags, s.Carrier = bond.FlagUp, true
			now.Slaves = append(now.Slaves, s)
		}
		first, second := bond.Validate(o, now), bond.Validate(o, now)
		if !slices.Equal(first, second) {
			t.Errorf("%v\nand then %v", first, second)
		}
		// What is valid can be sent, but for links that have no index yet.
		if first.Err() == nil {
			o.Clear(bond.OptionActiveSlave)
			o.Clear(bond.OptionPrimary)
			if _, err := o.AppendAttrs(nil); err != nil {
				t.Errorf("no error found, and %v", err)
			}
		}
		bond.ValuesPredict(now, &o)
	})
}
