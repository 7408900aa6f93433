// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
)

// factsClient opens a Client of a namespace.
func factsClient(t testing.TB, n *coreNet) *ethtool.Client {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{NetNS: int(n.file.Fd())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// factsPeer is what ethtool(8) says.
type factsPeer func(args ...string) (string, error)

func (n *coreNet) factsEthtool(args ...string) (out string, err error) {
	err = n.do(func() error {
		b, err := exec.Command("ethtool", args...).CombinedOutput()
		out = string(b)
		return err
	})
	if errors.Is(err, exec.ErrNotFound) {
		coreSkip(n.t, err.Error())
	}
	return out, err
}

// factsLine returns the value of a line "key: value".
func factsLine(out, key string) string {
	for line := range strings.Lines(out) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// factsAgainst compares what a Client says of an interface with what ethtool(8) says.
func factsAgainst(t *testing.T, c *ethtool.Client, peer factsPeer, name string) {
	t.Helper()
	link := ethtool.Link{Name: name}
	f, err := c.Facts(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	if f.Unseen != nil {
		t.Errorf("%s: unseen is %v", name, f.Unseen)
	}

	out, err := peer("-i", name)
	switch {
	case err != nil && f.Driver != nil:
		t.Errorf("%s: driver is %+v, and ethtool says %q", name, f.Driver, out)
	case err == nil && f.Driver == nil:
		t.Errorf("%s: no driver, and ethtool says %q", name, out)
	case err == nil:
		got := []string{f.Driver.Name, f.Driver.Version, f.Driver.Firmware, f.Driver.ExpansionROM, f.Driver.Bus}
		want := []string{
			factsLine(out, "driver"), factsLine(out, "version"), factsLine(out, "firmware-version"),
			factsLine(out, "expansion-rom-version"), factsLine(out, "bus-info"),
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: driver (-ethtool +got):\n%s", name, diff)
		}
		if has := factsLine(out, "supports-priv-flags") == "yes"; has != (f.Driver.PrivateFlags > 0) || has != (len(f.Flags) > 0) {
			t.Errorf("%s: %d private flags, %v, and ethtool says %q", name, f.Driver.PrivateFlags, f.Flags, out)
		}
		// All drivers here are the kernel's own, whatever version they have.
		if f.Driver.Origin == ethtool.OriginOutOfTree {
			t.Errorf("%s: driver %+v is out of tree", name, f.Driver)
		}
	}

	out, err = peer(name)
	if err != nil && !strings.Contains(out, "Link detected") && !strings.Contains(out, "No data available") {
		t.Fatalf("ethtool %s: %v: %s", name, err, out)
	}
	detected := "unknown"
	if f.LinkState != nil && f.LinkState.HasDetected {
		detected = map[bool]string{false: "no", true: "yes"}[f.LinkState.Detected]
	}
	// It says why there is no link behind that.
	if want, _, _ := strings.Cut(cmp.Or(factsLine(out, "Link detected"), "unknown"), " "); detected != want {
		t.Errorf("%s: link detected is %s, and ethtool says %q", name, detected, want)
	}

	out, err = peer("-P", name)
	if err != nil {
		t.Fatalf("ethtool -P %s: %v: %s", name, err, out)
	}
	want := factsLine(out, "Permanent address")
	if want == "not set" || strings.Trim(want, "0:") == "" {
		want = ""
	}
	if got := f.PermanentMAC.String(); got != want {
		t.Errorf("%s: permanent address is %q, and ethtool says %q", name, got, want)
	}

	// It must survive the way to another machine.
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back ethtool.Facts
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(f, back, gocmp.Comparer(factsErrorText)); diff != "" {
		t.Errorf("%s: after JSON (-want +got):\n%s", name, diff)
	}
}

func TestFactsAgainstEthtool(t *testing.T) {
	n := newCoreNet(t)
	n.run("ip link add ve0 type veth peer name ve1")
	n.run("ip link add ve2 type veth peer name ve3")
	n.run("ip link set ve0 up")
	n.run("ip link set ve1 up")
	n.run("ip link set ve2 up")
	names := []string{"lo", "ve0", "ve1", "ve2", "ve3"}
	for _, kind := range []string{"dummy", "bridge"} {
		if n.try("ip link add " + kind + "0 type " + kind) {
			names = append(names, kind+"0")
		}
	}
	if n.try("ip link add link ve0 name mv0 type macvlan mode vepa") {
		names = append(names, "mv0")
	}
	c := factsClient(t, n)
	for _, name := range names {
		factsAgainst(t, c, n.factsEthtool, name)
		if _, err := c.Firmware(t.Context(), ethtool.Link{Name: name}); !errors.Is(err, ethtool.ErrNoDevlink) {
			t.Errorf("%s: firmware: error is %v", name, err)
		}
		if _, err := c.Health(t.Context(), ethtool.Link{Name: name}); !errors.Is(err, ethtool.ErrNoDevlink) {
			t.Errorf("%s: health: error is %v", name, err)
		}
		if _, err := c.PCIe(t.Context(), ethtool.Link{Name: name}); !errors.Is(err, ethtool.ErrNotPCI) {
			t.Errorf("%s: PCIe: error is %v", name, err)
		}
	}
}

// try runs a command that not every kernel can do.
func (n *coreNet) try(line string) bool {
	args := strings.Fields(line)
	return n.do(func() error { return exec.Command(args[0], args[1:]...).Run() }) == nil
}

// The interfaces of an emulated machine, as far as it has any: e1000e, igb, virtio-net.
func TestFactsOfEmulatedNICs(t *testing.T) {
	if os.Getenv("BONDKIT_VM") == "" {
		t.Skip("no virtual machine here, and this is not for the interfaces of a real one")
	}
	c, err := ethtool.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	peer := func(args ...string) (string, error) {
		out, err := exec.Command("ethtool", args...).CombinedOutput()
		return string(out), err
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		factsAgainst(t, c, peer, i.Name)
		f, err := c.Facts(t.Context(), ethtool.Link{Index: i.Index})
		if err != nil {
			t.Fatal(err)
		}
		device, err := filepath.EvalSymlinks("/sys/class/net/" + i.Name + "/device")
		if err != nil {
			continue
		}
		for filepath.Base(device) != "/" && !strings.Contains(filepath.Base(device), ":") {
			device = filepath.Dir(device) // above a virtio device is that of PCI
		}
		t.Logf("%s: %+v, %+v, %v", i.Name, f.Driver, f.PCIe, f.LinkState)
		if f.PCIe == nil || f.PCIe.Address != filepath.Base(device) || f.PCIe.Vendor == 0 || f.PCIe.Device == 0 {
			t.Fatalf("%s: PCI device is %+v, in sysfs it is %s", i.Name, f.PCIe, device)
		}
		speed, _ := os.ReadFile(device + "/current_link_speed")
		if has := strings.Contains(string(speed), "GT/s"); has != (f.PCIe.Speed != 0) || has && f.PCIe.Width == 0 {
			t.Errorf("%s: %v, sysfs says %q", i.Name, f.PCIe, speed)
		}
		if f.Driver.Origin != ethtool.OriginInTree {
			t.Errorf("%s: driver %+v", i.Name, f.Driver)
		}
	}
}

// factsBonded makes bond0 with the options and two veths as slaves.
func factsBonded(t *testing.T, options string) *coreNet {
	t.Helper()
	n := newCoreNet(t)
	if !n.try("ip link add bond0 type bond " + options) {
		coreSkip(t, "no bonding driver in this kernel")
	}
	for _, i := range []string{"0", "1"} {
		n.run("ip link add e" + i + " type veth peer name p" + i)
		n.run("ip link set e" + i + " master bond0")
		n.run("ip link set p" + i + " up")
	}
	n.run("ip link set bond0 up")
	return n
}

func TestFactsOfBondAgainstIP(t *testing.T) {
	for _, options := range []string{
		"mode active-backup miimon 100 fail_over_mac active", "mode active-backup arp_interval 500 arp_validate all arp_ip_target 192.0.2.1",
		"mode 802.3ad miimon 200", "mode balance-xor arp_interval 300 arp_ip_target 192.0.2.1",
	} {
		t.Run(options, func(t *testing.T) {
			n := factsBonded(t, options)
			c := factsClient(t, n)
			if !strings.Contains(options, "arp") { // else its carrier comes and goes between two readings
				factsSettled(t, func() (string, bool) {
					text := n.run("ip link show dev bond0")
					return text, strings.Contains(text, "LOWER_UP")
				})
				factsAgainst(t, c, n.factsEthtool, "bond0")
			}
			type ipLink struct {
				Index    int `json:"ifindex"`
				LinkInfo struct {
					Data struct {
						Mode        string `json:"mode"`
						MIIMon      int    `json:"miimon"`
						ARPInterval int    `json:"arp_interval"`
						// A number without a name is an empty text.
						ARPValidate any    `json:"arp_validate"`
						FailOverMAC string `json:"fail_over_mac"`
						Active      string `json:"active_slave"`
					} `json:"info_data"`
					Slave struct {
						MIIStatus string `json:"mii_status"`
					} `json:"info_slave_data"`
				} `json:"linkinfo"`
			}
			read := func(name string) (l ipLink) {
				var all []ipLink
				if err := json.Unmarshal([]byte(n.run("ip -j -d link show dev "+name)), &all); err != nil || len(all) != 1 {
					t.Fatalf("ip says of %s: %v, %v", name, all, err)
				}
				return all[0]
			}
			for _, name := range []string{"e0", "e1"} {
				factsSettled(t, func() (string, bool) {
					f, err := c.Facts(t.Context(), ethtool.Link{Name: name})
					if err != nil || f.Bond == nil {
						t.Fatalf("%s: %+v, %v", name, f, err)
					}
					bond, slave := read("bond0"), read(name)
					d := bond.LinkInfo.Data
					validate, _ := d.ARPValidate.(string)
					want := ethtool.BondFacts{
						Link: ethtool.Link{Index: bond.Index, Name: "bond0"}, Mode: d.Mode, Active: d.Active == name,
						MIIStatus:   map[string]string{"UP": "up", "GOING_DOWN": "going down", "DOWN": "down", "GOING_BACK": "going back"}[slave.LinkInfo.Slave.MIIStatus],
						MIIMon:      time.Duration(d.MIIMon) * time.Millisecond,
						ARPInterval: time.Duration(d.ARPInterval) * time.Millisecond, ARPValidate: cmp.Or(validate, "none"), FailOverMAC: d.FailOverMAC,
					}
					diff := gocmp.Diff(want, *f.Bond)
					return diff, diff == ""
				})
			}
		})
	}
}

// factsSettled calls f until it says that all is well, and prints what it said last if
// that takes too long: states change between two readings.
func factsSettled(t *testing.T, f func() (string, bool)) {
	t.Helper()
	deadline := time.After(corePatience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		text, ok := f()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(text)
		}
	}
}

// Nobody answers the kernel's ARP monitor: there is a link, and the slaves are down.
func TestAuditOfRealBond(t *testing.T) {
	release := coreRelease(t)
	if strings.HasPrefix(release, "5.") {
		t.Skipf("kernel %s older than 6.0: its ARP monitor takes veth for up and down in turn", release)
	}
	n := factsBonded(t, "mode active-backup arp_interval 100 arp_validate all arp_ip_target 192.0.2.1")
	n.run("ip address add 192.0.2.10/24 dev bond0")
	c := factsClient(t, n)
	factsSettled(t, func() (string, bool) {
		report, err := c.Audit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if names := factsNames(report); names != "bond0 e0 e1" {
			t.Fatalf("interfaces are %q", names)
		}
		codes := factsCodes(report.Findings)
		return strings.Join(codes, "; "), slices.Equal(codes, []string{"error link-but-down e0", "error link-but-down e1"})
	})
	n.run("ip link set p1 down")
	factsSettled(t, func() (string, bool) {
		report, err := c.Audit(t.Context(), ethtool.Link{Name: "bond0"})
		if err != nil {
			t.Fatal(err)
		}
		codes := factsCodes(report.Findings)
		return strings.Join(codes, "; "), slices.Equal(codes, []string{"error link-but-down e0"})
	})
}
