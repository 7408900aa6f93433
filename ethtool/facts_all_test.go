// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// factsBond adds a bond in which eth1 is a backup that is down.
func factsBond(k *ethtooltest.Kernel, eth0, eth1 *ethtooltest.NIC) {
	k.Add("bond0", ethtooltest.BondMaster(&ethtooltest.Bond{
		Mode: "active-backup", ARPValidate: "all", ARPInterval: time.Second, ActiveSlave: "eth0",
	}))
	for _, n := range []*ethtooltest.NIC{eth0, eth1} {
		n.Master = "bond0"
		n.Slave = &ethtooltest.Slave{}
	}
	eth1.Slave = &ethtooltest.Slave{Backup: true, MIIStatus: "down"}
	k.Add("eth0", eth0)
	k.Add("eth1", eth1)
}

func TestFacts(t *testing.T) {
	for _, release := range factsReleases {
		t.Run(release, func(t *testing.T) {
			k, c := factsKernel(t, release)
			n := ethtooltest.ICE("0000:3b:00.1")
			n.MAC, n.CarrierChanges = net.HardwareAddr{2, 0, 0, 0, 0, 1}, 6
			factsBond(k, ethtooltest.ICE("0000:3b:00.0"), n)
			link := k.Link("eth1")
			got, err := c.Facts(t.Context(), ethtool.Link{Name: "eth1"})
			if err != nil {
				t.Fatal(err)
			}
			driver, _ := c.Driver(t.Context(), link)
			firmware, _ := c.Firmware(t.Context(), link)
			health, _ := c.Health(t.Context(), link)
			info, _ := c.LinkInfo(t.Context(), link)
			state, _ := c.LinkState(t.Context(), link)
			pcie, _ := c.PCIe(t.Context(), link)
			flags, _ := c.Flags(t.Context(), link)
			pruning, _ := c.SourcePruning(t.Context(), link)
			want := ethtool.Facts{
				Link: link, Kernel: release, MAC: n.MAC, PermanentMAC: n.PermMAC, Up: true, Carrier: true, CarrierChanges: 6,
				Bond: &ethtool.BondFacts{
					Link: k.Link("bond0"), Mode: "active-backup", MIIStatus: "down", ARPInterval: time.Second,
					ARPValidate: "all", FailOverMAC: "none",
				},
				Driver: &driver, Firmware: &firmware, Health: health, LinkInfo: &info, LinkState: &state, PCIe: &pcie,
				Flags: flags, Pruning: &pruning,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if len(got.Flags) == 0 || got.Driver.Name != "ice" || got.PCIe.MaxWidth != 16 || got.Firmware.Serial == "" {
				t.Errorf("facts are %+v", got)
			}
			active, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"})
			if err != nil || !active.Bond.Active || active.Bond.MIIStatus != "up" {
				t.Errorf("active slave is %+v, %v", active.Bond, err)
			}
		})
	}
}

// What an interface does not have is neither there nor Unseen.
func TestFactsOfVirtualInterface(t *testing.T) {
	for _, release := range factsReleases {
		k, c := factsKernel(t, release)
		k.Add("lo", ethtooltest.Loopback())
		k.Add("veth0", ethtooltest.Veth())
		for _, name := range k.Names() {
			got, err := c.Facts(t.Context(), ethtool.Link{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			if got.Unseen != nil || got.Firmware != nil || got.Health != nil || got.PCIe != nil || got.Bond != nil ||
				got.Flags == nil || len(got.Flags) != 0 {
				t.Errorf("%s: facts of %s are %+v", release, name, got)
			}
		}
	}
}

// One piece after the other cannot be read: all others are still there.
func TestFactsUnseen(t *testing.T) {
	pieces := map[string]struct {
		call string
		gone func(*ethtool.Facts) bool
	}{
		"driver":     {"ETHTOOL_GDRVINFO", func(f *ethtool.Facts) bool { return f.Driver == nil }},
		"firmware":   {"DEVLINK_CMD_INFO_GET", func(f *ethtool.Facts) bool { return f.Firmware == nil }},
		"health":     {"DEVLINK_CMD_HEALTH_REPORTER_GET", func(f *ethtool.Facts) bool { return f.Health == nil }},
		"link_info":  {"ETHTOOL_MSG_LINKINFO_GET", func(f *ethtool.Facts) bool { return f.LinkInfo == nil }},
		"link_state": {"ETHTOOL_MSG_LINKSTATE_GET", func(f *ethtool.Facts) bool { return f.LinkState == nil }},
		"flags":      {"ETHTOOL_MSG_PRIVFLAGS_GET", func(f *ethtool.Facts) bool { return f.Flags == nil }},
	}
	for what, piece := range pieces {
		for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EIO, syscall.ENODEV} {
			if errno == syscall.ENODEV && (what == "firmware" || what == "health") {
				continue // says that there is no devlink
			}
			t.Run(what+" "+errno.Error(), func(t *testing.T) {
				k, c := factsKernel(t, ethtooltest.Release612)
				k.Add("eth0", ethtooltest.MLX5("0000:5e:00.0"))
				whole, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"})
				if err != nil || whole.Unseen != nil || piece.gone(&whole) {
					t.Fatalf("with everything: %+v, %v", whole, err)
				}
				k.Fail(func(call ethtooltest.Call) error {
					if call.Name == piece.call {
						return &ethtool.KernelError{Errno: errno}
					}
					return nil
				})
				got, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"})
				if err != nil {
					t.Fatal(err)
				}
				if !piece.gone(&got) || len(got.Unseen) != 1 || got.Unseen[0].What != what || !errors.Is(got.Unseen[0].Err, errno) {
					t.Errorf("unseen is %v", got.Unseen)
				}
				if e, ok := got.Unseen[0].Err.(*ethtool.Error); !ok || e.Link != "eth0" || !strings.HasPrefix(e.Op, "read ") { //nolint:errorlint // nothing may wrap it
					t.Errorf("the error %q does not say of what", got.Unseen[0].Err)
				}
				if errno == syscall.EPERM && !errors.Is(got.Unseen[0].Err, os.ErrPermission) {
					t.Errorf("no permission is %v", got.Unseen[0].Err)
				}
				ignore := cmpopts.IgnoreFields(ethtool.Facts{}, "Driver", "Firmware", "Health", "LinkInfo", "LinkState", "Flags", "Pruning", "Unseen")
				if diff := cmp.Diff(whole, got, ignore); diff != "" {
					t.Errorf("others (-whole +got):\n%s", diff)
				}
			})
		}
	}
}

// A file of sysfs that cannot be read, and a kernel that lacks something.
func TestFactsUnseenPCIe(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	n := ethtooltest.ICE("0000:3b:00.0")
	n.PCI = nil
	k.Add("eth0", n)
	got, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || len(got.Unseen) != 1 || got.Unseen[0].What != "pcie" || !errors.Is(got.Unseen[0].Err, os.ErrNotExist) {
		t.Errorf("unseen is %v, %v", got.Unseen, err)
	}
}

func TestFactsErrors(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	if _, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"}); !errors.Is(err, ethtool.ErrNoDevice) {
		t.Errorf("no interface: error is %v", err)
	}
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))

	// It goes while its facts are read.
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name == "DEVLINK_CMD_INFO_GET" {
			k.Remove("eth0")
		}
		return nil
	})
	got, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"})
	if !errors.Is(err, ethtool.ErrNoDevice) || got.Driver == nil {
		t.Errorf("interface that goes: error is %v, facts %+v", err, got)
	}

	k, c = factsKernel(t, ethtooltest.Release612)
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
	ctx, cancel := context.WithCancel(t.Context())
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name == "DEVLINK_CMD_INFO_GET" {
			cancel()
		}
		return nil
	})
	if _, err := c.Facts(ctx, ethtool.Link{Name: "eth0"}); !errors.Is(err, context.Canceled) {
		t.Errorf("context that ends: error is %v", err)
	}

	k, c = factsKernel(t, ethtooltest.Release612)
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name == "DEVLINK_CMD_INFO_GET" {
			return os.ErrClosed
		}
		return nil
	})
	if _, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("client that is closed: error is %v", err)
	}
}

// A slow device must not keep what others know.
func TestFactsTimeout(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
	k.Hang(func(call ethtooltest.Call) bool { return call.Name == "DEVLINK_CMD_INFO_GET" })
	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport(), Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || len(got.Unseen) != 1 || got.Unseen[0].What != "firmware" || !errors.Is(got.Unseen[0].Err, context.DeadlineExceeded) {
		t.Errorf("unseen is %v, %v", got.Unseen, err)
	}
}

// A rename in the middle changes nothing, for it is the index that counts.
func TestFactsFollowRename(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	k.Add("eth0", ethtooltest.ICE("0000:3b:00.0"))
	n := 0
	k.Fail(func(ethtooltest.Call) error {
		if n++; n == 3 {
			k.Rename("eth0", "eth7")
		}
		return nil
	})
	got, err := c.Facts(t.Context(), ethtool.Link{Name: "eth0"})
	if err != nil || got.Unseen != nil || got.Driver == nil || got.Driver.Name != "ice" {
		t.Errorf("facts are %+v, %v", got, err)
	}
}

func factsErrorText(a, b error) bool {
	if a == nil || b == nil {
		return (a == nil) == (b == nil)
	}
	return a.Error() == b.Error()
}

func TestFactsJSON(t *testing.T) {
	odd := "e\xff\\x41\"<é>\x01"
	full := ethtool.Facts{
		Link: ethtool.Link{Index: 3, Name: odd}, Kind: odd, Kernel: odd,
		MAC: net.HardwareAddr{0, 1, 2, 3, 4, 0xff}, PermanentMAC: make(net.HardwareAddr, 20), Up: true, Carrier: true, CarrierChanges: 4,
		Bond: &ethtool.BondFacts{
			Link: ethtool.Link{Index: 2, Name: odd}, Mode: "active-backup", Active: true, MIIStatus: "up", MIIMon: time.Second,
			ARPInterval: time.Minute, ARPValidate: "all", FailOverMAC: "none",
		},
		Driver: &ethtool.Driver{
			Name: odd, Version: odd, Origin: ethtool.OriginOutOfTree, Bus: odd, Firmware: odd, FirmwareTruncated: true, ExpansionROM: odd, PrivateFlags: 2,
		},
		Firmware: &ethtool.Firmware{
			Handle: odd, Driver: odd, Serial: odd, BoardSerial: odd, Fixed: []ethtool.Version{{Name: odd, Value: odd}},
			Running: []ethtool.Version{{Name: "a", Value: "b"}, {}}, Stored: []ethtool.Version{{Value: odd}},
		},
		Health: []ethtool.Reporter{{
			Handle: odd, Port: 3, HasPort: true, Name: odd, Errors: 1 << 63, Recoveries: 2, AutoRecover: true, HasAutoRecover: true,
			LastDump: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		}},
		LinkInfo:  &ethtool.LinkInfo{Port: 6},
		LinkState: &ethtool.LinkState{HasDetected: true, HasState: true, State: 99, Substate: 99},
		PCIe:      &ethtool.PCIe{Address: odd, Vendor: 1, Device: 0xffff, SubVendor: 3, SubDevice: 4, Speed: 5, Width: 6, MaxSpeed: 7, MaxWidth: 8},
		Flags:     ethtool.Flags{{Name: odd, On: true}, {Name: "b"}},
		Pruning:   &ethtool.Pruning{Driver: odd, Name: odd, Reason: odd, Value: odd, Link: ethtool.Link{Name: odd}},
		Unseen:    []ethtool.Unseen{{What: "bond", Err: errors.New(odd)}},
	}
	for name, want := range map[string]ethtool.Facts{"nothing": {}, "everything": full, "no flags": {Flags: ethtool.Flags{}}} {
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got ethtool.Facts
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(factsErrorText)); diff != "" {
			t.Errorf("%s, after %s (-want +got):\n%s", name, b, diff)
		}
		again, err := json.Marshal(got)
		if err != nil || string(again) != string(b) {
			t.Errorf("%s: written again it is %s, %v", name, again, err)
		}
	}
	before := full.Pruning.Driver
	if _, err := json.Marshal(full); err != nil || full.Pruning.Driver != before || full.Link.Name != odd {
		t.Error("writing changed what was written")
	}
}

// The keys are a promise.
func TestFactsJSONKeys(t *testing.T) {
	f := ethtool.Facts{
		Link: ethtool.Link{Index: 3, Name: "eth0"}, Kernel: "6.12.0", MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, PermanentMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2},
		Up: true, CarrierChanges: 1,
		Bond:      &ethtool.BondFacts{Link: ethtool.Link{Index: 2, Name: "bond0"}, Mode: "active-backup", MIIStatus: "down", ARPInterval: time.Second, ARPValidate: "all", FailOverMAC: "none"},
		Driver:    &ethtool.Driver{Name: "ice", Version: "2.4.5", Origin: ethtool.OriginOutOfTree, Bus: "0000:3b:00.0", Firmware: "4.40", PrivateFlags: 1},
		Firmware:  &ethtool.Firmware{Handle: "pci/0000:3b:00.0", Driver: "ice", Serial: "1-2", Running: []ethtool.Version{{Name: "fw", Value: "1"}}},
		Health:    []ethtool.Reporter{{Handle: "pci/0000:3b:00.0", Name: "fw", Healthy: true}},
		LinkInfo:  &ethtool.LinkInfo{Port: ethtool.PortFibre},
		LinkState: &ethtool.LinkState{HasDetected: true, HasState: true, State: ethtool.ExtStateNoCable},
		PCIe:      &ethtool.PCIe{Address: "0000:3b:00.0", Vendor: 0x8086, Device: 0x1593, SubVendor: 0x8086, SubDevice: 2, Speed: 8000, Width: 8, MaxSpeed: 16000, MaxWidth: 16},
		Flags:     ethtool.Flags{{Name: "fw-lldp-agent", On: true}},
		Unseen:    []ethtool.Unseen{{What: "pruning", Err: errors.New("no")}},
	}
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(`
{
 "link": {
  "index": 3,
  "name": "eth0"
 },
 "kernel": "6.12.0",
 "up": true,
 "carrier": false,
 "carrier_changes": 1,
 "bond": {
  "link": {
   "index": 2,
   "name": "bond0"
  },
  "mode": "active-backup",
  "active": false,
  "mii_status": "down",
  "arp_interval_ns": 1000000000,
  "arp_validate": "all",
  "fail_over_mac": "none"
 },
 "driver": {
  "name": "ice",
  "version": "2.4.5",
  "origin": "out-of-tree",
  "bus": "0000:3b:00.0",
  "firmware": "4.40",
  "private_flags": 1
 },
 "firmware": {
  "handle": "pci/0000:3b:00.0",
  "driver": "ice",
  "serial": "1-2",
  "running": [
   {
    "name": "fw",
    "value": "1"
   }
  ]
 },
 "health": [
  {
   "handle": "pci/0000:3b:00.0",
   "name": "fw",
   "healthy": true,
   "errors": 0,
   "recoveries": 0
  }
 ],
 "link_info": {
  "port": "fibre"
 },
 "link_state": {
  "detected": false,
  "state": "no cable"
 },
 "pcie": {
  "vendor": "0x8086",
  "device": "0x1593",
  "subsystem_vendor": "0x8086",
  "subsystem_device": "0x0002",
  "address": "0000:3b:00.0",
  "speed_mt": 8000,
  "width": 8,
  "max_speed_mt": 16000,
  "max_width": 16
 },
 "flags": [
  {
   "name": "fw-lldp-agent",
   "on": true
  }
 ],
 "unseen": [
  {
   "what": "pruning",
   "error": "no"
  }
 ],
 "mac": "02:00:00:00:00:01",
 "permanent_mac": "02:00:00:00:00:02"
}`)
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestFactsJSONErrors(t *testing.T) {
	for _, text := range []string{
		`{"mac":"0"}`, `{"mac":"00:"}`, `{"mac":"00:0g"}`, `{"mac":"0001"}`, `{"mac":""}`, `{"link":{"name":"\\q"}}`, `{"kind":"\\x0"}`,
		`{"driver":{"name":"\\"}}`, `{"driver":{"origin":"moon"}}`, `{"flags":[{"name":"\\xzz"}]}`, `{"unseen":[{"error":"\\"}]}`, `{"up":1}`, `[]`,
		`{"pcie":{"vendor":"8086"}}`, `{"firmware":{"running":[{"value":"\\"}]}}`, `{"health":[{"name":"\\"}]}`,
	} {
		got := ethtool.Facts{Kernel: "kept"}
		if err := json.Unmarshal([]byte(text), &got); err == nil || got.Kernel != "kept" {
			t.Errorf("%s gives %+v, %v", text, got, err)
		}
	}
	var f ethtool.Facts
	if err := json.Unmarshal([]byte(`{"link":{"name":"a","later":1},"later":{"x":[]}}`), &f); err != nil || f.Link.Name != "a" {
		t.Errorf("keys of a later version give %+v, %v", f, err)
	}
}

func TestEscapeText(t *testing.T) {
	for text, want := range map[string]string{
		"eth0": "eth0", "": "", "é": "é", "\xff": `\xff`, `a\b`: `a\\b`, "\xe9t\xe9": `\xe9t\xe9`, "\x01": "\x01",
		`\x41`: `\\x41`, "a\xc3": `a\xc3`, "\ufffd": "\ufffd",
	} {
		got := ethtool.EscapeText(text)
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
		if back, err := ethtool.UnescapeText(got); err != nil || back != text {
			t.Errorf("%q comes back as %q, %v", text, back, err)
		}
	}
	for _, bad := range []string{`\`, `\x`, `\x4`, `\xzz`, `\n`, `a\\\`} {
		if got, err := ethtool.UnescapeText(bad); !errors.Is(err, ethtool.ErrBadValue) {
			t.Errorf("%q is %q, %v", bad, got, err)
		}
	}
}
