// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
)

// factsOf makes the facts of a slave of bond0 that is well, and changes them.
func factsOf(name string, index int, change ...func(*ethtool.Facts)) ethtool.Facts {
	f := ethtool.Facts{
		Link: ethtool.Link{Index: index, Name: name}, Up: true, Carrier: true,
		PermanentMAC: net.HardwareAddr{2, 0, 0, 0, 0, byte(index)},
		Bond: &ethtool.BondFacts{
			Link: ethtool.Link{Index: 1, Name: "bond0"}, Mode: "active-backup", Active: index == 10, MIIStatus: "up",
			MIIMon: 100 * time.Millisecond, ARPValidate: "none", FailOverMAC: "none",
		},
		Driver: &ethtool.Driver{
			Name: "i40e", Version: "6.12.0", Origin: ethtool.OriginInTree, Bus: fmt.Sprintf("0000:%02x:00.0", index),
			Firmware: "8.30 0x8000a49d 1.2926.0", PrivateFlags: 2,
		},
		Firmware: &ethtool.Firmware{
			Handle: fmt.Sprintf("pci/0000:%02x:00.0", index), Serial: fmt.Sprintf("00-11-%02x", index),
			Fixed:   []ethtool.Version{{Name: "board.id", Value: "K15190-000"}},
			Running: []ethtool.Version{{Name: "fw.mgmt", Value: "8.13.63341"}, {Name: "fw.bundle_id", Value: "0x8000a49d"}},
		},
		Health:    []ethtool.Reporter{{Handle: fmt.Sprintf("pci/0000:%02x:00.0", index), Name: "fw", Healthy: true, Errors: 1, Recoveries: 1}},
		LinkState: &ethtool.LinkState{Detected: true, HasDetected: true},
		PCIe: &ethtool.PCIe{
			Address: fmt.Sprintf("0000:%02x:00.0", index), Vendor: 0x8086, Device: 0x158b, SubVendor: 0x8086, SubDevice: 2,
			Speed: 8000, Width: 8, MaxSpeed: 8000, MaxWidth: 8,
		},
		Flags:   ethtool.Flags{{Name: "disable-source-pruning"}, {Name: "link-down-on-close"}},
		Pruning: &ethtool.Pruning{State: ethtool.Prunes},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

type factsChange = func(*ethtool.Facts)

func TestCompare(t *testing.T) {
	running := func(name, value string) factsChange {
		return func(f *ethtool.Facts) {
			for i, v := range f.Firmware.Running {
				if v.Name == name {
					f.Firmware.Running[i].Value = value
					return
				}
			}
			f.Firmware.Running = append(f.Firmware.Running, ethtool.Version{Name: name, Value: value})
		}
	}
	stored := func(name, value string) factsChange {
		return func(f *ethtool.Facts) {
			f.Firmware.Stored = append(f.Firmware.Stored, ethtool.Version{Name: name, Value: value})
		}
	}
	text := func(s string) factsChange { return func(f *ethtool.Facts) { f.Driver.Firmware = s } }
	cut := func(f *ethtool.Facts) { f.Driver.FirmwareTruncated = true }
	board := func(s string) factsChange { return func(f *ethtool.Facts) { f.Firmware.Fixed[0].Value = s } }
	driver := func(s string) factsChange { return func(f *ethtool.Facts) { f.Driver.Name = s } }
	device := func(n uint16) factsChange { return func(f *ethtool.Facts) { f.PCIe.Device = n } }
	kind := func(s string) factsChange { return func(f *ethtool.Facts) { f.Kind = s } }
	noDevlink := func(f *ethtool.Facts) { f.Firmware, f.Health = nil, nil }
	noPCIe := func(f *ethtool.Facts) { f.PCIe = nil }
	noDriver := func(f *ethtool.Facts) { f.Driver = nil }
	otherBond := func(f *ethtool.Facts) { f.Bond.Link = ethtool.Link{Index: 2, Name: "bond1"} }
	noBond := func(f *ethtool.Facts) { f.Bond = nil }
	flag := func(i int, on bool) factsChange { return func(f *ethtool.Facts) { f.Flags[i].On = on } }
	noFlags := func(f *ethtool.Facts) { f.Flags = ethtool.Flags{} }
	unseenFlags := func(f *ethtool.Facts) { f.Flags = nil }
	mii := func(s string) factsChange { return func(f *ethtool.Facts) { f.Bond.MIIStatus = s } }
	arp := func(validate string) factsChange {
		return func(f *ethtool.Facts) {
			f.Bond.MIIMon, f.Bond.ARPInterval, f.Bond.ARPValidate = 0, time.Second, validate
		}
	}
	pruning := func(s ethtool.PruningState) factsChange {
		return func(f *ethtool.Facts) { f.Pruning = &ethtool.Pruning{State: s} }
	}
	noLink := func(f *ethtool.Facts) { f.LinkState.Detected = false }
	reporter := func(healthy bool, errs, recoveries uint64) factsChange {
		return func(f *ethtool.Facts) {
			f.Health[0].Healthy, f.Health[0].Errors, f.Health[0].Recoveries = healthy, errs, recoveries
		}
	}
	handle := func(s string) factsChange {
		return func(f *ethtool.Facts) { f.Firmware.Handle, f.Health[0].Handle = s, s }
	}
	address := func(s string) factsChange { return func(f *ethtool.Facts) { f.PCIe.Address, f.Driver.Bus = s, s } }
	serial := func(s string) factsChange { return func(f *ethtool.Facts) { f.Firmware.Serial = s } }
	speed := func(s uint32, w uint8) factsChange {
		return func(f *ethtool.Facts) { f.PCIe.Speed, f.PCIe.Width = s, w }
	}
	origin := func(o ethtool.Origin) factsChange { return func(f *ethtool.Facts) { f.Driver.Origin = o } }
	down := func(f *ethtool.Facts) { f.Up = false }
	change := func(c ...factsChange) []factsChange { return c }

	tests := []struct {
		name       string
		eth0, eth1 []factsChange
		want       []string // severity, code, and a part of the text and of the hint, of each
	}{
		{"two that are well", nil, nil, nil},

		{"1: other version by devlink", nil, change(running("fw.mgmt", "7.1")), []string{"warning firmware-mismatch: eth0 and eth1 are the same model (i40e 8086:158b) and run different firmware: fw.mgmt 8.13.63341 on eth0, 7.1 on eth1"}},
		{"1: two other versions", nil, change(running("fw.mgmt", "7.1"), running("fw.bundle_id", "0x1")), []string{"fw.mgmt 8.13.63341 on eth0, 7.1 on eth1; fw.bundle_id 0x8000a49d on eth0, 0x1 on eth1"}},
		{"1: a name that only one has", nil, change(running("fw.undi", "7.1")), nil},
		{"1: other text", change(noDevlink), change(noDevlink, text("7.10 0x80003a5b 1.2.3")), []string{`warning firmware-mismatch: eth0 and eth1 are the same model (i40e 8086:158b) and run different firmware: "8.30 0x8000a49d 1.2926.0" on eth0, "7.10 0x80003a5b 1.2.3" on eth1`}},
		{"1: other text, and devlink of one", nil, change(noDevlink, text("7.10")), []string{"warning firmware-mismatch"}},
		{"1: no text of one", nil, change(noDevlink, text("")), nil},
		{"1: other PCI device", nil, change(running("fw.mgmt", "7.1"), device(0x1572)), nil},
		{"1: other board", nil, change(running("fw.mgmt", "7.1"), board("K99999-001")), nil},
		{"1: board of one unseen", nil, change(noDevlink, text("7.10")), []string{"warning firmware-mismatch"}},
		{"1: other driver", nil, change(running("fw.mgmt", "7.1"), driver("i40e2")), nil},
		{"1: PCI device unseen", nil, change(running("fw.mgmt", "7.1"), noPCIe), nil},
		{"1: driver unseen", nil, change(running("fw.mgmt", "7.1"), noDriver), nil},
		{"1: other bond", nil, change(running("fw.mgmt", "7.1"), otherBond), []string{"info firmware-mismatch"}},
		{"1: one in no bond", nil, change(running("fw.mgmt", "7.1"), noBond), []string{"info firmware-mismatch"}},
		{"1: virtual interfaces", change(kind("macvlan"), text("1")), change(kind("macvlan"), text("2")), nil},
		{"1: bonds have no firmware", change(kind("bond"), driver("bonding"), text("2"), noBond), change(kind("bond"), driver("bonding"), text("3"), noBond), nil},
		{"1: board in the text of mlx5", change(driver("mlx5_core"), noDevlink, text("16.35.2000 (MT_1)")), change(driver("mlx5_core"), noDevlink, text("16.36.1000 (MT_2)")), nil},
		{"1: same board in the text of mlx5", change(driver("mlx5_core"), noDevlink, text("16.35.2000 (MT_1)")), change(driver("mlx5_core"), noDevlink, text("16.36.1000 (MT_1)")), []string{"warning firmware-mismatch"}},

		{"1: equal as far as it goes", change(noDevlink, cut), change(noDevlink, cut), []string{"info firmware-unclear: whether eth0 and eth1 run the same firmware cannot be seen"}},
		{"1: equal, and devlink tells all", change(cut), change(cut), nil},
		{"1: equal, and devlink of one", change(cut), change(cut, noDevlink), []string{"info firmware-unclear"}},
		{"1: cut off and different", change(noDevlink, cut), change(noDevlink, cut, text("9")), []string{"warning firmware-mismatch"}},
		{"1: cut off, of other bonds", change(noDevlink, cut), change(noDevlink, cut, otherBond), nil},

		{"2: written and not run", nil, change(stored("fw.mgmt", "9.1")), []string{"warning firmware-pending: eth1 does not run the firmware that was written into the device: fw.mgmt 9.1 is stored and 8.13.63341 runs"}},
		{"2: stored is what runs", nil, change(stored("fw.mgmt", "8.13.63341")), nil},
		{"2: stored what is not told to run", nil, change(stored("fw.undi", "9.1")), nil},
		{"2: two ports of one device", change(stored("fw.mgmt", "9.1"), handle("pci/x")), change(stored("fw.mgmt", "9.1"), handle("pci/x")), []string{"warning firmware-pending: eth0 and eth1 do not run"}},

		{"3: in error", nil, change(reporter(false, 3, 3)), []string{"error unhealthy: eth1: health reporter fw of pci/0000:0b:00.0 counts 3 errors and 3 recoveries, and is in state error"}},
		{"3: not all recovered", nil, change(reporter(true, 3, 2)), []string{"warning unhealthy: eth1: health reporter fw of pci/0000:0b:00.0 counts 3 errors and 2 recoveries"}},
		{"3: all recovered", nil, change(reporter(true, 3, 3)), nil},
		{"3: more than all recovered", nil, change(reporter(true, 3, 4)), nil},
		{"3: one reporter of two ports", change(reporter(false, 1, 0), handle("pci/x")), change(reporter(false, 1, 0), handle("pci/x")), []string{"error unhealthy: eth0 and eth1: "}},

		{"4: i40e without flags", nil, change(noFlags), []string{"error degraded: eth1 runs in recovery mode of i40e: it has no private flags"}},
		{"4: i40e whose flags are unseen", nil, change(unseenFlags), nil},
		{"4: ice without flags", change(driver("ice"), running("fw.app.name", "x")), change(driver("ice"), noFlags, running("fw.app.name", "x")), []string{"error degraded: eth1 runs in safe mode of ice: it has no private flags"}},
		{"4: ice without DDP package", change(driver("ice"), running("fw.app.name", "x")), change(driver("ice")), []string{"error degraded: eth1 runs in safe mode of ice: no DDP package (fw.app.name) is loaded"}},
		{"4: ice whose devlink is unseen", change(driver("ice"), running("fw.app.name", "x")), change(driver("ice"), noDevlink), nil},
		{"4: ice whose devlink tells no versions", change(driver("ice"), running("fw.app.name", "x")), change(driver("ice"), func(f *ethtool.Facts) { f.Firmware.Running = nil }), nil},
		{"4: representor of ice", change(driver("ice"), running("fw.app.name", "x")), change(driver("ice"), running("fw.app.name", "x"), noFlags, func(f *ethtool.Facts) { f.Driver.PrivateFlags, f.PermanentMAC = 0, nil }), nil},
		{"4: driver that has no flags", change(driver("bnxt_en"), noFlags), change(driver("bnxt_en"), noFlags), nil},

		{"5: pruning flag of one", nil, change(flag(0, true)), []string{"warning flag-skew: private flag disable-source-pruning of i40e differs in bond0: off on eth0, on on eth1 (with arp_validate=all"}},
		{"5: pruning flag of one of other models", nil, change(flag(0, true), device(0x1572)), []string{"warning flag-skew"}},
		{"5: other flag", nil, change(flag(1, true)), []string{"warning flag-skew: private flag link-down-on-close"}},
		{"5: other flag of other models", nil, change(flag(1, true), device(0x1572)), []string{"info flag-skew"}},
		{"5: flag of the hardware", change(func(f *ethtool.Facts) { f.Flags[1].Name = "MFP" }), change(func(f *ethtool.Facts) { f.Flags[1] = ethtool.Flag{Name: "MFP", On: true} }), []string{"info flag-skew"}},
		{"5: flag that one has", nil, change(func(f *ethtool.Facts) {
			f.Flags = append(f.Flags, ethtool.Flag{Name: "vf-true-promisc-support", On: true})
		}), nil},
		{"5: other driver", nil, change(flag(0, true), driver("x")), nil},
		{"5: other bond", nil, change(flag(0, true), otherBond), nil},
		{"5: flags of one unseen", nil, change(unseenFlags), nil},

		{"6: ARP, prunes", nil, change(mii("down"), arp("all")), []string{"error link-but-down: eth1 has a link, and bond0 takes it for down: arp_validate=all accepts of a backup only that it hears the bond's own broadcasts, and this NIC drops them (source pruning) (fail_over_mac=active"}},
		{"6: ARP, filter_backup, prunes", nil, change(mii("down"), arp("filter_backup")), []string{"and this NIC drops them"}},
		{"6: ARP, delivers", nil, change(mii("down"), arp("backup"), pruning(ethtool.Delivers)), []string{"and this NIC does not drop them, so they do not reach it (look for a wrong VLAN"}},
		{"6: ARP, pruning unknown", nil, change(mii("down"), arp("all"), pruning(ethtool.PruningUnknown)), []string{"is not known"}},
		{"6: ARP, pruning unseen", nil, change(mii("down"), arp("all"), func(f *ethtool.Facts) { f.Pruning = nil }), []string{"is not known"}},
		{"6: ARP, prunes, own addresses", nil, change(mii("down"), arp("all"), func(f *ethtool.Facts) { f.Bond.FailOverMAC = "active" }), []string{"and it does not (look for"}},
		{"6: ARP, backups not validated", nil, change(mii("down"), arp("active")), []string{"it hears nothing that arp_validate=active accepts of a backup"}},
		{"6: ARP, validation unseen", nil, change(mii("down"), arp("")), []string{"it hears nothing that the ARP monitor accepts of a backup"}},
		{"6: ARP, active slave", change(mii("down"), arp("all")), nil, []string{"error link-but-down: eth0 has a link, and bond0 takes it for down: nothing acceptable comes in on it from the ARP targets"}},
		{"6: ARP, other mode", nil, change(mii("down"), arp("all"), func(f *ethtool.Facts) { f.Bond.Mode = "balance-xor" }), []string{"nothing acceptable comes in"}},
		{"6: miimon", nil, change(mii("down")), []string{"the carrier is looked at every 100ms (miimon), so the link may have come only now"}},
		{"6: no monitor", nil, change(mii("down"), func(f *ethtool.Facts) { f.Bond.MIIMon = 0 }), []string{"it has no monitor"}},
		{"6: updelay", nil, change(mii("going back")), []string{"info link-but-down: eth1 has a link, and bond0 waits for updelay to end before it uses it"}},
		{"6: ARP, no slave works", change(mii("going back"), arp("all")), change(mii("down"), arp("all")), []string{"error link-but-down: eth0 has a link, and bond0 takes it for down: none of its slaves hears the ARP targets (arp_interval), so it tries them in turn (look for a target", "error link-but-down: eth1"}},
		{"6: downdelay", nil, change(mii("going down")), []string{"info link-but-down: eth1 has a link again, and bond0 had begun to wait for downdelay"}},
		{"6: no link", nil, change(mii("down"), noLink), nil},
		{"6: no link, and carrier says otherwise", nil, change(mii("down"), noLink, func(f *ethtool.Facts) { f.Carrier = true }), nil},
		{"6: link unseen, carrier", nil, change(mii("down"), func(f *ethtool.Facts) { f.LinkState = nil }), []string{"error link-but-down"}},
		{"6: link unseen, no carrier", nil, change(mii("down"), func(f *ethtool.Facts) { f.LinkState, f.Carrier = nil, false }), nil},
		{"6: driver cannot tell, carrier", nil, change(mii("down"), func(f *ethtool.Facts) { f.LinkState = &ethtool.LinkState{} }), []string{"error link-but-down"}},
		{"6: switched off", nil, change(mii("down"), down), nil},
		{"6: status unseen", nil, change(mii("")), nil},
		{"6: in no bond", nil, change(noBond), nil},
		{"6: and its firmware is another", nil, change(mii("down"), running("fw.mgmt", "7.1")), []string{"see firmware-mismatch about the same interface)", "warning firmware-mismatch"}},
		{"6: and the other is degraded", change(noFlags), change(mii("down")), []string{"error degraded: eth0", "use_carrier=0 has it ask the driver in another way)"}},

		{"7: functions of one device", change(address("0000:3b:00.0")), change(address("0000:3b:00.1")), []string{"info shared-card: eth0 and eth1 of bond0 are on one card (PCI device 0000:3b:00)"}},
		{"7: functions of one device by the driver", change(noPCIe, func(f *ethtool.Facts) { f.Driver.Bus = "0000:3b:00.0" }), change(noPCIe, func(f *ethtool.Facts) { f.Driver.Bus = "0000:3b:00.1" }), []string{"info shared-card"}},
		{"7: other device", change(address("0000:3b:00.0")), change(address("0000:3b:01.0")), nil},
		{"7: one serial number", change(serial("3c-fd-fe-ff-ff-00")), change(serial("3c-fd-fe-ff-ff-00")), []string{"info shared-card: eth0 and eth1 of bond0 are on one card (serial number 3c-fd-fe-ff-ff-00)"}},
		{"7: one device and one number", change(address("0000:3b:00.0"), serial("a1")), change(address("0000:3b:00.1"), serial("a1")), []string{"info shared-card"}},
		{"7: serial number of nothing", change(serial("00-00-00")), change(serial("00-00-00")), nil},
		{"7: no serial number", change(serial("")), change(serial("")), nil},
		{"7: other bond", change(address("0000:3b:00.0")), change(address("0000:3b:00.1"), otherBond), nil},
		{"7: virtio", change(driver("virtio_net"), address("0000:00:03.0")), change(driver("virtio_net"), address("0000:00:03.1")), nil},
		{"7: other buses", change(noPCIe, func(f *ethtool.Facts) { f.Driver.Bus = "usb-1" }), change(noPCIe, func(f *ethtool.Facts) { f.Driver.Bus = "usb-1" }), nil},

		{"PCIe: slower than its twin", nil, change(speed(2500, 8)), []string{"warning pcie-below-maximum: eth1 (0000:0b:00.0) is connected with 2.5 GT/s x8 of 8.0 GT/s x8, while eth0 in the same bond has 8.0 GT/s x8"}},
		{"PCIe: fewer lanes than its twin", nil, change(speed(8000, 1)), []string{"warning pcie-below-maximum"}},
		{"PCIe: both alike", change(speed(8000, 4)), change(speed(8000, 4)), []string{"info pcie-below-maximum: eth0", "info pcie-below-maximum: eth1"}},
		{"PCIe: slower than another model", nil, change(speed(8000, 4), device(0x1572)), []string{"info pcie-below-maximum: eth1"}},
		{"PCIe: not told", nil, change(speed(0, 0)), nil},
		{"PCIe: more than it says it can", nil, change(speed(16000, 8)), nil},

		{"drivers from different places", nil, change(origin(ethtool.OriginOutOfTree), driver("ice"), running("fw.app.name", "x")), []string{"info driver-mix: the drivers of the slaves of bond0 are from different places: in-tree on eth0, out-of-tree on eth1"}},
		{"driver from nobody knows where", nil, change(origin(ethtool.OriginUnknown), driver("tg3")), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts := []ethtool.Facts{factsOf("eth0", 10, tt.eth0...), factsOf("eth1", 11, tt.eth1...)}
			got := ethtool.Compare(facts)
			if got == nil {
				t.Fatal("no list of findings, not even an empty one")
			}
			if len(got) != len(tt.want) {
				t.Fatalf("findings are %v, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				if !strings.Contains(got[i].String(), want) {
					t.Errorf("finding %d is %v, want %q", i, got[i], want)
				}
			}
		})
	}
}

// One bad slave among several, in any order of the facts.
func TestCompareMany(t *testing.T) {
	facts := []ethtool.Facts{
		factsOf("eth0", 10), factsOf("eth1", 11), factsOf("eth2", 12), factsOf("eth3", 13),
		{Link: ethtool.Link{Index: 1, Name: "bond0"}, Kind: "bond", Driver: &ethtool.Driver{Name: "bonding", Firmware: "2"}, Up: true},
	}
	facts[1].Firmware.Running[0].Value = "7.1"
	facts[2].Flags[0].On = true
	facts[3].PCIe.Address, facts[2].PCIe.Address = "0000:3b:00.0", "0000:3b:00.3"
	facts[3].Firmware.Stored = []ethtool.Version{{Name: "fw.mgmt", Value: "9"}}
	facts[0].Bond.MIIStatus = "going back"
	want := ethtool.Compare(facts)
	var texts []string
	for _, f := range want {
		texts = append(texts, f.Severity.String()+" "+string(f.Code)+" "+fmt.Sprint(len(f.Links)))
	}
	wantTexts := []string{
		"warning firmware-mismatch 4", "warning firmware-pending 1", "warning flag-skew 4", "info link-but-down 1", "info shared-card 2",
	}
	if diff := cmp.Diff(wantTexts, texts); diff != "" {
		t.Fatalf("findings (-want +got):\n%s", diff)
	}
	if text := want[0].Text; !strings.Contains(text, "fw.mgmt 8.13.63341 on eth0, eth2 and eth3, 7.1 on eth1") {
		t.Errorf("text is %q", text)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		if diff := cmp.Diff(want, ethtool.Compare(append(facts, facts[0]))); diff != "" {
			t.Fatalf("in another order, one twice (-want +got):\n%s", diff)
		}
	}
}

func TestCompareOddNames(t *testing.T) {
	odd := factsOf("eth\xff\n1", 11)
	odd.Flags[0].On = true
	odd.Flags[0].Name, odd.Flags[1].Name = "a\x00b", "c"
	other := factsOf("eth0", 10)
	other.Flags[0].Name, other.Flags[1].Name = "a\x00b", "c"
	for _, f := range ethtool.Compare([]ethtool.Facts{odd, other}) {
		if strings.ContainsAny(f.Text, "\n\x00") || !utf8.ValidString(f.Text) {
			t.Errorf("text is %q", f.Text)
		}
	}
}

func TestCompareNothing(t *testing.T) {
	if got := ethtool.Compare(nil); got == nil || len(got) != 0 {
		t.Errorf("findings are %v", got)
	}
	if got := ethtool.Compare([]ethtool.Facts{{}, {}, {Bond: &ethtool.BondFacts{}}}); len(got) != 0 {
		t.Errorf("findings are %v", got)
	}
}

func TestSeverityText(t *testing.T) {
	for _, s := range []ethtool.Severity{0, ethtool.SeverityInfo, ethtool.SeverityWarning, ethtool.SeverityError, 200} {
		text, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back ethtool.Severity
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%v is %q and again %v, %v", s, text, back, err)
		}
	}
	var s ethtool.Severity
	if err := s.UnmarshalText([]byte("fatal")); !errors.Is(err, ethtool.ErrBadValue) {
		t.Errorf("error is %v", err)
	}
}
