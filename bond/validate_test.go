// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// valErrors returns the errors as "option: sentinel", and checks what all issues have in common.
func valErrors(t *testing.T, issues bond.Issues) []string {
	t.Helper()
	var errs []string
	warned := false
	for _, i := range issues {
		if i.Message == "" || strings.ToLower(i.Message[:1]) != i.Message[:1] && !strings.HasPrefix(i.Message, "ARP") && !strings.HasPrefix(i.Message, "MII") {
			t.Errorf("message %q", i.Message)
		}
		switch i.Severity {
		case bond.SeverityWarning:
			warned = true
			if i.Err != nil {
				t.Errorf("a warning has the error %v", i.Err)
			}
		case bond.SeverityError:
			if warned {
				t.Errorf("an error stands behind a warning: %v", i)
			}
			if i.Err == nil {
				t.Errorf("an error without Err: %v", i)
			}
			errs = append(errs, i.Option.String()+": "+i.Err.Error())
		default:
			t.Errorf("severity %v", i.Severity)
		}
	}
	if (issues.Err() != nil) != (len(errs) > 0) || len(issues.Warnings())+len(errs) != len(issues) {
		t.Errorf("Err %v, %d warnings, %d errors, %d issues", issues.Err(), len(issues.Warnings()), len(errs), len(issues))
	}
	return errs
}

func TestValidateErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		// up, slaves and before are the bond; before "new" is none.
		up     bool
		slaves int
		before string
		set    string
		// want are the errors, in order: an option and the sentinel.
		want []any
		hint string
	}{
		{name: "nothing", before: "new"},
		{name: "LACP", before: "new", set: "mode=802.3ad miimon=100 lacp_rate=fast xmit_hash_policy=layer3+4 ad_select=bandwidth lacp_active=on updelay=200"},
		{name: "active-backup with ARP", before: "new", set: "mode=active-backup arp_interval=100 arp_ip_target=10.0.0.1,10.0.0.2 arp_validate=all primary=eth0"},

		{name: "802.3ad with arp_interval 0", before: "new", set: "mode=802.3ad arp_interval=0", want: []any{bond.OptionARPInterval, bond.ErrWrongMode}, hint: "802.3ad does not take arp_interval"},
		{name: "802.3ad with the default of arp_missed_max", before: "new", set: "mode=802.3ad arp_missed_max=2", want: []any{bond.OptionMissedMax, bond.ErrWrongMode}},
		{name: "mode of before counts", before: "mode=802.3ad", set: "arp_interval=100", want: []any{bond.OptionARPInterval, bond.ErrWrongMode}},
		{name: "mode of the message counts", before: "mode=802.3ad", set: "mode=active-backup arp_interval=100"},
		{name: "balance-rr with active_slave none", before: "new", set: "active_slave=", want: []any{bond.OptionActiveSlave, bond.ErrWrongMode}},
		{name: "balance-rr with primary", before: "new", set: "primary=eth0", want: []any{bond.OptionPrimary, bond.ErrWrongMode}},
		{name: "packets_per_slave elsewhere", before: "new", set: "mode=balance-xor packets_per_slave=1", want: []any{bond.OptionPacketsPerSlave, bond.ErrWrongMode}},
		{name: "tlb_dynamic_lb elsewhere", before: "new", set: "mode=active-backup tlb_dynamic_lb=1", want: []any{bond.OptionTLBDynamicLB, bond.ErrWrongMode}},
		{
			name: "LACP options elsewhere", before: "new", set: "mode=active-backup lacp_rate=slow lacp_active=on ad_actor_sys_prio=65535 ad_user_port_key=0 ad_actor_system=00:00:00:00:00:00 coupled_control=on broadcast_neighbor=off lacp_strict=off",
			want: []any{
				bond.OptionLACPActive, bond.ErrWrongMode, bond.OptionLACPRate, bond.ErrWrongMode, bond.OptionADActorSysPrio, bond.ErrWrongMode, bond.OptionADUserPortKey, bond.ErrWrongMode,
				bond.OptionADActorSystem, bond.ErrWrongMode, bond.OptionCoupledControl, bond.ErrWrongMode, bond.OptionBroadcastNeighbor, bond.ErrWrongMode, bond.OptionLACPStrict, bond.ErrWrongMode,
			},
		},
		{name: "a mode of a newer kernel takes what it takes", before: "mode=mode(9)", set: "arp_interval=100 lacp_strict=on"},

		{name: "mode on a bond that is up", up: true, before: "mode=802.3ad", set: "mode=802.3ad", want: []any{bond.OptionMode, bond.ErrBondUp}, hint: "bring the bond down first"},
		{name: "mode on a bond with slaves", slaves: 2, set: "mode=balance-rr", want: []any{bond.OptionMode, bond.ErrHasSlaves}, hint: "release the slaves first"},
		{name: "mode on a bond with slaves that is up", up: true, slaves: 2, set: "mode=802.3ad", want: []any{bond.OptionMode, bond.ErrHasSlaves}, hint: "bring the bond down and release the slaves first"},
		{name: "no such mode", before: "new", set: "mode=mode(7)", want: []any{bond.OptionMode, bond.ErrBadValue}, hint: "802.3ad"},
		{name: "no such mode on a bond that is up", up: true, set: "mode=mode(7)", want: []any{bond.OptionMode, bond.ErrBondUp}},
		{name: "fail_over_mac with slaves", slaves: 1, before: "mode=active-backup", set: "fail_over_mac=none", want: []any{bond.OptionFailOverMAC, bond.ErrHasSlaves}},
		{name: "fail_over_mac up", up: true, before: "mode=active-backup", set: "fail_over_mac=active"},
		{name: "ad_select up", up: true, before: "mode=active-backup", set: "ad_select=stable", want: []any{bond.OptionADSelect, bond.ErrBondUp}},
		{name: "lacp_rate up", up: true, slaves: 2, before: "mode=802.3ad", set: "lacp_rate=slow ad_actor_sys_prio=5 lacp_strict=on broadcast_neighbor=on", want: []any{bond.OptionLACPRate, bond.ErrBondUp}},
		{name: "lacp_rate down with slaves", slaves: 2, before: "mode=802.3ad", set: "lacp_rate=fast lacp_active=off ad_user_port_key=5 coupled_control=off"},
		{name: "the mode is first", up: true, before: "mode=active-backup", set: "lacp_rate=lacp_rate(9)", want: []any{bond.OptionLACPRate, bond.ErrWrongMode}},
		{name: "then the state", up: true, before: "mode=802.3ad", set: "ad_user_port_key=1024", want: []any{bond.OptionADUserPortKey, bond.ErrBondUp}},
		{name: "then the value", before: "mode=802.3ad", set: "ad_user_port_key=1024", want: []any{bond.OptionADUserPortKey, bond.ErrBadValue}, hint: "0 to 1023"},

		{name: "updelay without miimon", before: "new", set: "updelay=0", want: []any{bond.OptionUpDelay, bond.ErrNeedsMIIMon}, hint: "set miimon before updelay"},
		{
			name: "all delays without miimon", slaves: 2, set: "updelay=100 downdelay=100 peer_notif_delay=100",
			want: []any{bond.OptionUpDelay, bond.ErrNeedsMIIMon, bond.OptionDownDelay, bond.ErrNeedsMIIMon, bond.OptionPeerNotifDelay, bond.ErrNeedsMIIMon},
		},
		{name: "delays with miimon of the message", before: "new", set: "miimon=100 updelay=100 downdelay=0 peer_notif_delay=300"},
		{name: "delays with miimon of before", before: "miimon=100", set: "updelay=100"},
		{name: "delays with miimon forced by the mode", before: "new", set: "mode=802.3ad updelay=100"},
		{name: "delays while miimon goes", before: "miimon=100", set: "miimon=0 updelay=100", want: []any{bond.OptionUpDelay, bond.ErrNeedsMIIMon}},
		{name: "delays on the way to ARP", before: "miimon=100", set: "miimon=0 arp_interval=100 downdelay=100", want: []any{bond.OptionDownDelay, bond.ErrNeedsMIIMon}, hint: "the ARP monitor has no downdelay"},
		{name: "the range of a delay is first", before: "new", set: "updelay=2147483648", want: []any{bond.OptionUpDelay, bond.ErrBadValue}},
		{name: "peer_notif_delay out of range", before: "miimon=100", set: "peer_notif_delay=300001", want: []any{bond.OptionPeerNotifDelay, bond.ErrBadValue}, hint: "0 to 300000 milliseconds"},

		{name: "MII and ARP", before: "new", set: "miimon=100 arp_interval=100", want: []any{bond.OptionARPInterval, bond.ErrConflict}, hint: "either miimon or arp_interval"},
		{name: "MII and ARP, one of them off", before: "new", set: "miimon=0 arp_interval=100 arp_ip_target=10.0.0.1"},
		{name: "MII and ARP, the other off", before: "arp_interval=100", set: "miimon=100 arp_interval=0 arp_validate=none"},
		{name: "MII and arp_validate", before: "new", set: "miimon=100 arp_validate=all", want: []any{bond.OptionARPValidate, bond.ErrConflict}},
		{name: "MII and ARP in 802.3ad", before: "mode=802.3ad", set: "miimon=100 arp_interval=100 arp_validate=all", want: []any{bond.OptionARPInterval, bond.ErrConflict, bond.OptionARPValidate, bond.ErrConflict}},
		{name: "ARP over MII, one after the other", before: "miimon=100", set: "arp_interval=100"},
		{name: "arp_validate while MII runs", before: "miimon=100", set: "arp_validate=all"},

		{name: "miimon out of range", before: "new", set: "miimon=2147483648", want: []any{bond.OptionMIIMon, bond.ErrBadValue}},
		{name: "lp_interval 0", before: "new", set: "lp_interval=0", want: []any{bond.OptionLPInterval, bond.ErrBadValue}, hint: "1 to 2147483647 seconds"},
		{name: "resend_igmp 256", before: "new", set: "resend_igmp=256", want: []any{bond.OptionResendIGMP, bond.ErrBadValue}, hint: "0 to 255"},
		{name: "packets_per_slave 65536", before: "new", set: "packets_per_slave=65536", want: []any{bond.OptionPacketsPerSlave, bond.ErrBadValue}},
		{name: "arp_missed_max 0", before: "new", set: "arp_missed_max=0", want: []any{bond.OptionMissedMax, bond.ErrBadValue}},
		{name: "ad_actor_sys_prio 0", before: "mode=802.3ad", set: "ad_actor_sys_prio=0", want: []any{bond.OptionADActorSysPrio, bond.ErrBadValue}},
		{name: "min_links out of range", before: "new", set: "min_links=2147483648", want: []any{bond.OptionMinLinks, bond.ErrBadValue}},
		{
			name: "words that are none", before: "new", set: "arp_validate=arp_validate(7) arp_all_targets=arp_all_targets(2) primary_reselect=primary_reselect(3) fail_over_mac=fail_over_mac(3) xmit_hash_policy=xmit_hash_policy(6) ad_select=ad_select(4)",
			want: []any{
				bond.OptionARPValidate, bond.ErrBadValue, bond.OptionARPAllTargets, bond.ErrBadValue, bond.OptionPrimaryReselect, bond.ErrBadValue, bond.OptionFailOverMAC, bond.ErrBadValue,
				bond.OptionXmitHashPolicy, bond.ErrBadValue, bond.OptionADSelect, bond.ErrBadValue,
			},
		},
		{name: "ad_actor_system multicast", before: "mode=802.3ad", set: "ad_actor_system=01:00:00:00:00:01", want: []any{bond.OptionADActorSystem, bond.ErrBadValue}},
		{name: "ad_actor_system broadcast", before: "mode=802.3ad", set: "ad_actor_system=ff:ff:ff:ff:ff:ff", want: []any{bond.OptionADActorSystem, bond.ErrBadValue}},
		{name: "ad_actor_system zero", before: "mode=802.3ad", set: "ad_actor_system=00:00:00:00:00:00"},

		{name: "target 0.0.0.0", before: "new", set: "arp_ip_target=10.0.0.1,0.0.0.0", want: []any{bond.OptionARPTargets, bond.ErrBadValue}},
		{name: "target 255.255.255.255", before: "new", set: "arp_ip_target=255.255.255.255", want: []any{bond.OptionARPTargets, bond.ErrBadValue}},
		{name: "strange targets that the kernel takes", before: "new", set: "arp_ip_target=0.1.2.3,127.0.0.1,224.0.0.1,10.255.255.255"},
		{name: "a target twice", before: "new", set: "arp_ip_target=10.0.0.1,10.0.0.2,10.0.0.1", want: []any{bond.OptionARPTargets, bond.ErrBadValue}, hint: "duplicates"},
		{name: "16 targets", before: "new", set: "arp_ip_target=" + valTargets("10.0.0.", 16) + " ns_ip6_target=" + valTargets("2001:db8::", 16)},
		{
			name: "17 targets", before: "new", set: "arp_ip_target=" + valTargets("10.0.0.", 17) + " ns_ip6_target=" + valTargets("2001:db8::", 17),
			want: []any{bond.OptionARPTargets, bond.ErrBadValue, bond.OptionNSTargets, bond.ErrBadValue}, hint: "no more than 16",
		},
		{name: "NS target ::", before: "new", set: "ns_ip6_target=::", want: []any{bond.OptionNSTargets, bond.ErrBadValue}},
		{name: "NS target ::1", before: "new", set: "ns_ip6_target=::1", want: []any{bond.OptionNSTargets, bond.ErrBadValue}},
		{name: "NS target multicast", before: "new", set: "ns_ip6_target=fe80::1,ff02::1", want: []any{bond.OptionNSTargets, bond.ErrBadValue}},
		{name: "NS target twice", before: "new", set: "ns_ip6_target=fe80::1,fe80::1", want: []any{bond.OptionNSTargets, bond.ErrBadValue}},
		{name: "targets in 802.3ad", before: "mode=802.3ad", set: "arp_ip_target=10.0.0.1 ns_ip6_target="},

		{name: "active slave", up: true, slaves: 2, before: "mode=active-backup", set: "active_slave=eth1"},
		{name: "active slave by index", slaves: 2, before: "mode=balance-alb", set: "active_slave=#4"},
		{name: "active slave none", up: true, before: "mode=active-backup", set: "active_slave="},
		{name: "active slave of another", up: true, slaves: 2, before: "mode=active-backup", set: "active_slave=spare", want: []any{bond.OptionActiveSlave, bond.ErrNotSlave}, hint: "make it a slave first"},
		{name: "active slave is the bond", up: true, slaves: 2, before: "mode=active-backup", set: "active_slave=bond0", want: []any{bond.OptionActiveSlave, bond.ErrNotSlave}},
		{name: "active slave does not exist", up: true, slaves: 2, before: "mode=active-backup", set: "active_slave=eth7", want: []any{bond.OptionActiveSlave, os.ErrNotExist}},
		{name: "active slave does not exist, in any mode", up: true, slaves: 2, set: "active_slave=#99", want: []any{bond.OptionActiveSlave, os.ErrNotExist}},
		{name: "active slave of a new bond", before: "new", set: "mode=active-backup active_slave=eth0", want: []any{bond.OptionActiveSlave, bond.ErrNotSlave}},

		{name: "primary", up: true, slaves: 2, before: "mode=active-backup", set: "primary=eth1"},
		{name: "primary is pending", up: true, slaves: 2, before: "mode=active-backup", set: "primary=spare"},
		{name: "primary is cleared", up: true, slaves: 2, before: "mode=balance-tlb", set: "primary="},
		{name: "primary does not exist", up: true, slaves: 2, before: "mode=active-backup", set: "primary=#99", want: []any{bond.OptionPrimary, os.ErrNotExist}},
		{name: "use_carrier", before: "new", set: "use_carrier=off"},
		{
			name: "several, in the order of the kernel", up: true, slaves: 2, before: "mode=active-backup", set: "lacp_strict=on updelay=5 mode=802.3ad lp_interval=0",
			want: []any{bond.OptionMode, bond.ErrHasSlaves, bond.OptionUpDelay, bond.ErrNeedsMIIMon, bond.OptionLPInterval, bond.ErrBadValue, bond.OptionLACPStrict, bond.ErrWrongMode},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var now *bond.State
			if c.before != "new" {
				now = predictState(t, c.up, c.slaves, c.before)
			}
			o := predictOptions(t, c.set)
			asked := o.Clone()
			issues := bond.Validate(o, now)
			var want []string
			for i := 0; i < len(c.want); i += 2 {
				want = append(want, c.want[i].(bond.Option).String()+": "+c.want[i+1].(error).Error())
			}
			if got := valErrors(t, issues); !slices.Equal(got, want) {
				t.Errorf("errors %q\nwant   %q\n%v", got, want, issues)
			}
			err := issues.Err()
			for i := 1; i < len(c.want); i += 2 {
				if !errors.Is(err, c.want[i].(error)) {
					t.Errorf("%v does not match %v", err, c.want[i])
				}
			}
			if c.hint != "" && !strings.Contains(err.Error(), c.hint) {
				t.Errorf("%v does not say %q", err, c.hint)
			}
			if diff := cmp.Diff(asked, o, valuesCompare); diff != "" {
				t.Errorf("the options changed:\n%s", diff)
			}
		})
	}
}

// valTargets returns n addresses with commas between them.
func valTargets(prefix string, n int) string {
	var list []string
	for i := range n {
		list = append(list, prefix+string("123456789abcdefgh"[i%9])+string("123456789"[i/9]))
	}
	return strings.Join(list, ",")
}

// What no text can say.
func TestValidateErrorsBeyondText(t *testing.T) {
	v4, v6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")
	for _, c := range []struct {
		name string
		o    bond.Options
		opt  bond.Option
		says string
	}{
		{"a fraction of a millisecond", bond.Options{MIIMon: new(1500 * time.Microsecond)}, bond.OptionMIIMon, "units of 1ms"},
		{"a fraction of a second", bond.Options{LPInterval: new(1500 * time.Millisecond)}, bond.OptionLPInterval, "units of 1s"},
		{"less than nothing", bond.Options{ARPInterval: new(-time.Second)}, bond.OptionARPInterval, "0 to 2147483647 milliseconds"},
		{"too long for 32 bits", bond.Options{MIIMon: new(1 << 32 * time.Millisecond)}, bond.OptionMIIMon, "0 to 2147483647 milliseconds"},
		{"IPv6 in the IPv4 list", bond.Options{ARPTargets: []netip.Addr{v4, v6}}, bond.OptionARPTargets, "ns_ip6_target"},
		{"IPv4 in the IPv6 list", bond.Options{NSTargets: []netip.Addr{v4}}, bond.OptionNSTargets, "arp_ip_target"},
		{"IPv4 mapped to IPv6", bond.Options{ARPTargets: []netip.Addr{netip.MustParseAddr("::ffff:10.0.0.1")}}, bond.OptionARPTargets, "ns_ip6_target"},
		{"a zone", bond.Options{NSTargets: []netip.Addr{netip.MustParseAddr("fe80::1%eth0")}}, bond.OptionNSTargets, "zone"},
		{"no address", bond.Options{ARPTargets: []netip.Addr{{}}}, bond.OptionARPTargets, "not an address"},
	} {
		for _, now := range []*bond.State{nil, predictState(t, true, 2, "")} {
			issues := bond.Validate(c.o, now)
			err := issues.Err()
			e, ok := errors.AsType[*bond.Error](err)
			if !ok || !errors.Is(err, bond.ErrBadValue) || e.Option != c.opt || e.Op != "validate" || !strings.Contains(err.Error(), c.says) || len(valErrors(t, issues)) != 1 {
				t.Errorf("%s: %v, want it to say %q", c.name, err, c.says)
			}
		}
	}
	// A message that is refused before anything is applied has that error first.
	issues := bond.Validate(bond.Options{Mode: new(bond.Mode(9)), LPInterval: new(time.Millisecond)}, nil)
	if got := valErrors(t, issues); !slices.Equal(got, []string{"lp_interval: value not allowed", "mode: value not allowed"}) {
		t.Errorf("%q", got)
	}
}

func TestValidateActiveSlaveState(t *testing.T) {
	now := predictState(t, true, 2, "mode=active-backup miimon=100")
	set := predictOptions(t, "active_slave=eth1")
	slave := &now.Slaves[1]
	for name, spoil := range map[string]func(){
		"monitor says down":       func() { slave.MIIStatus = bond.MIIDown },
		"monitor says going back": func() { slave.MIIStatus = bond.MIIGoingBack },
		"no carrier":              func() { slave.Carrier = false },
		"switched off":            func() { slave.Flags = 0 },
	} {
		was := *slave
		spoil()
		if err := bond.Validate(set, now).Err(); !errors.Is(err, bond.ErrSlaveDown) {
			t.Errorf("%s: %v, want ErrSlaveDown", name, err)
		}
		// It may stay what it is.
		now.Bond.Active = slave.Link
		if err := bond.Validate(set, now).Err(); err != nil {
			t.Errorf("%s, and active: %v", name, err)
		}
		now.Bond.Active = now.Slaves[0].Link
		*slave = was
	}
	if err := bond.Validate(set, now).Err(); err != nil {
		t.Error(err)
	}
}

func TestValidateNewBondWithLinks(t *testing.T) {
	now := &bond.State{Links: []bond.LinkInfo{{Link: bond.Link{Index: 9, Name: "spare"}}}}
	if err := bond.Validate(predictOptions(t, "mode=active-backup miimon=100 primary=spare"), now).Err(); err != nil {
		t.Error(err)
	}
	if err := bond.Validate(predictOptions(t, "mode=active-backup miimon=100 primary=other"), now).Err(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want os.ErrNotExist", err)
	}
}

func TestIssues(t *testing.T) {
	issues := bond.Validate(predictOptions(t, "mode=802.3ad arp_interval=100 updelay=150 lp_interval=0"), nil)
	var text []string
	for _, i := range issues {
		text = append(text, i.String())
	}
	want := []string{
		"error: arp_interval 100: not supported in mode 802.3ad (802.3ad does not take arp_interval, leave it out; it is for balance-rr, active-backup, balance-xor, broadcast)",
		"error: lp_interval 0: out of range (1 to 2147483647 seconds)",
		"warning: updelay 150: the kernel rounds it down to 100, a multiple of miimon 100 (set it to 100, or miimon to a divisor of it)",
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	err := issues.Err()
	if !errors.Is(err, bond.ErrWrongMode) || !errors.Is(err, bond.ErrBadValue) || errors.Is(err, bond.ErrBondUp) {
		t.Errorf("%v", err)
	}
	one := bond.Validate(predictOptions(t, "arp_interval=100 mode=802.3ad"), nil).Err()
	if e, ok := errors.AsType[*bond.Error](one); !ok || e.Option != bond.OptionARPInterval || e.Value != "100" {
		t.Errorf("%#v", one)
	}
	const says = "bond: validate: arp_interval 100: option not supported in this mode (802.3ad does not take arp_interval, leave it out; it is for balance-rr, active-backup, balance-xor, broadcast)"
	if one.Error() != says {
		t.Errorf("got  %s\nwant %s", one, says)
	}
	if err := (bond.Issues{{Severity: bond.SeverityError, Message: "x"}}).Err(); !errors.Is(err, bond.ErrBadValue) {
		t.Errorf("an error without Err is %v", err)
	}
	if err := issues.Warnings().Err(); err != nil {
		t.Errorf("warnings are the error %v", err)
	}
	if err := bond.Issues(nil).Err(); err != nil || bond.Issues(nil).Warnings() != nil {
		t.Errorf("no issues are %v", err)
	}
	for s, want := range map[bond.Severity]string{bond.SeverityWarning: "warning", bond.SeverityError: "error", 0: "severity(0)", 9: "severity(9)"} {
		if text, err := s.MarshalText(); err != nil || string(text) != want || s.String() != want {
			t.Errorf("%q, %v, want %q", text, err, want)
		}
	}
}

func TestValidateSlave(t *testing.T) {
	now := func(mode string) *bond.State {
		s := predictState(t, true, 2, "mode="+mode)
		s.Slaves[0].QueueID = 3
		return s
	}
	for _, c := range []struct {
		name   string
		now    *bond.State
		o      bond.SlaveOptions
		opt    bond.Option
		err    error
		warned bool
	}{
		{"nothing", now("balance-rr"), bond.SlaveOptions{}, 0, nil, false},
		{"queue", now("balance-rr"), bond.SlaveOptions{QueueID: new(uint16(2))}, 0, nil, false},
		{"the last queue", now("802.3ad"), bond.SlaveOptions{QueueID: new(uint16(16))}, 0, nil, false},
		{"one queue more", now("802.3ad"), bond.SlaveOptions{QueueID: new(uint16(17))}, bond.OptionQueueID, bond.ErrBadValue, false},
		{"queue of another slave", now("balance-rr"), bond.SlaveOptions{QueueID: new(uint16(3))}, bond.OptionQueueID, bond.ErrBadValue, false},
		{"no queue", now("balance-rr"), bond.SlaveOptions{QueueID: new(uint16(0))}, 0, nil, false},
		{"queue of a bond that is not known", nil, bond.SlaveOptions{QueueID: new(uint16(60000))}, 0, nil, false},
		{"prio", now("active-backup"), bond.SlaveOptions{Prio: new(int32(-5))}, 0, nil, false},
		{"prio in balance-rr", now("balance-rr"), bond.SlaveOptions{Prio: new(int32(0))}, bond.OptionPrio, bond.ErrWrongMode, false},
		{"actor_port_prio", now("802.3ad"), bond.SlaveOptions{ActorPortPrio: new(uint16(0))}, 0, nil, false},
		{"actor_port_prio in active-backup", now("active-backup"), bond.SlaveOptions{ActorPortPrio: new(uint16(255))}, bond.OptionActorPortPrio, bond.ErrWrongMode, false},
		{"prio with a primary", func() *bond.State {
			s := now("balance-tlb")
			s.Bond.Primary = s.Slaves[0].Link
			bond.ValuesSetHas(s.Bond, true, bond.OptionPrimary)
			return s
		}(), bond.SlaveOptions{Prio: new(int32(5))}, 0, nil, true},
	} {
		issues := bond.ValuesValidateSlave(c.o, bond.Link{Index: 4, Name: "eth1"}, c.now)
		valErrors(t, issues)
		err := issues.Err()
		e, _ := errors.AsType[*bond.Error](err)
		if !errors.Is(err, c.err) || e != nil && e.Option != c.opt || (len(issues.Warnings()) > 0) != c.warned {
			t.Errorf("%s: %v", c.name, issues)
		}
	}
	// Its own queue is not that of another one.
	own := bond.ValuesValidateSlave(bond.SlaveOptions{QueueID: new(uint16(3))}, bond.Link{Index: 3}, now("balance-rr"))
	if len(own) > 0 {
		t.Errorf("%v", own)
	}
}
