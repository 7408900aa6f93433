// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"encoding/json"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

func TestLinkState(t *testing.T) {
	noCable := ethtooltest.Link{HasState: true, State: 5, Substate: 1, HasDownCount: true, DownCount: 9}
	quality := ethtooltest.Link{HasSQI: true, SQI: 3, SQIMax: 7}
	tests := []struct {
		name    string
		release string
		nic     ethtooltest.NIC
		want    ethtool.LinkState
		text    string
	}{
		{"link", ethtooltest.Release612, ethtooltest.NIC{Driver: "x"}, ethtool.LinkState{Detected: true, HasDetected: true}, "link"},
		{"no link", ethtooltest.Release612, ethtooltest.NIC{Driver: "x", NoCarrier: true}, ethtool.LinkState{HasDetected: true}, "no link"},
		{"unknown", ethtooltest.Release612, ethtooltest.NIC{Driver: "x", Link: ethtooltest.Link{Unknown: true}}, ethtool.LinkState{}, "unknown"},
		{
			"why not, and how often",
			ethtooltest.Release612,
			ethtooltest.NIC{Driver: "x", NoCarrier: true, Link: noCable},
			ethtool.LinkState{
				HasDetected: true, State: ethtool.ExtStateCableIssue, Substate: 1, HasState: true, DownCount: 9, HasDownCount: true,
			},
			"no link: cable issue, unsupported cable",
		},
		{
			"quality",
			ethtooltest.Release612,
			ethtooltest.NIC{Driver: "x", Link: quality},
			ethtool.LinkState{Detected: true, HasDetected: true, SQI: 3, SQIMax: 7, HasSQI: true},
			"link, sqi 3 of 7",
		},
		{
			"a kernel that counts nothing refuses to be asked",
			ethtooltest.Release61,
			ethtooltest.NIC{Driver: "x", NoCarrier: true, Link: noCable},
			ethtool.LinkState{HasDetected: true, State: ethtool.ExtStateCableIssue, Substate: 1, HasState: true},
			"no link: cable issue, unsupported cable",
		},
		{
			"a kernel that refuses it in another way",
			ethtooltest.Release510,
			ethtooltest.NIC{Driver: "x"},
			ethtool.LinkState{Detected: true, HasDetected: true},
			"link",
		},
		{
			"a kernel without netlink for it",
			"5.4.0",
			ethtooltest.NIC{Driver: "x"},
			ethtool.LinkState{Detected: true, HasDetected: true},
			"link",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, c := factsKernel(t, tt.release)
			k.Add("eth0", &tt.nic)
			got, err := c.LinkState(t.Context(), ethtool.Link{Name: "eth0"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("link state (-want +got):\n%s", diff)
			}
			if got.String() != tt.text {
				t.Errorf("text is %q, want %q", got, tt.text)
			}
		})
	}
}

func TestLinkStateErrors(t *testing.T) {
	for _, release := range factsReleases {
		k, c := factsKernel(t, release)
		k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
		if _, err := c.LinkState(t.Context(), ethtool.Link{Name: "eth1"}); !errors.Is(err, ethtool.ErrNoDevice) {
			t.Errorf("%s: no interface: error is %v", release, err)
		}
		k.SetAway("eth0", true)
		if _, err := c.LinkState(t.Context(), ethtool.Link{Name: "eth0"}); !errors.Is(err, ethtool.ErrDeviceAway) {
			t.Errorf("%s: no device: error is %v", release, err)
		}
	}
}

func TestDecodeLinkState(t *testing.T) {
	link := factsAttr(2, 1)
	tests := []struct {
		name string
		data []byte
		want ethtool.LinkState
		bad  bool
	}{
		{"nothing", nil, ethtool.LinkState{}, false},
		{"index of quality without its maximum", factsJoin(link, factsAttr(3, 1, 0, 0, 0)), ethtool.LinkState{Detected: true, HasDetected: true}, false},
		{"maximum alone", factsJoin(link, factsAttr(4, 1, 0, 0, 0)), ethtool.LinkState{Detected: true, HasDetected: true}, false},
		{"substate without a state", factsJoin(link, factsAttr(6, 1)), ethtool.LinkState{Detected: true, HasDetected: true}, false},
		{"what a later kernel may send", factsJoin(link, factsAttr(99, 1)), ethtool.LinkState{Detected: true, HasDetected: true}, false},
		{"state that is not known yet", factsJoin(link, factsAttr(5, 200)), ethtool.LinkState{Detected: true, HasDetected: true, HasState: true, State: 200}, false},
		{"link of four bytes", factsAttr(2, 1, 0, 0, 0), ethtool.LinkState{}, true},
		{"quality of one byte", factsAttr(3, 1), ethtool.LinkState{}, true},
		{"cut off", link[:4], ethtool.LinkState{}, true},
		{"half a header", link[:3], ethtool.LinkState{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ethtool.DecodeLinkState(tt.data)
			if tt.bad != errors.Is(err, ethtool.ErrMalformed) || !tt.bad && err != nil {
				t.Fatalf("error is %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("link state (-want +got):\n%s", diff)
			}
		})
	}
}

// All states, and substates known and not, keep themselves in JSON.
func TestLinkStateJSON(t *testing.T) {
	texts := map[string]bool{}
	for state := range 256 {
		for _, sub := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 99, 255} {
			want := ethtool.LinkState{HasDetected: true, HasState: true, State: ethtool.ExtState(state), Substate: uint8(sub)}
			b, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			if texts[string(b)] {
				t.Fatalf("%s stands for two states", b)
			}
			texts[string(b)] = true
			var got ethtool.LinkState
			if err := json.Unmarshal(b, &got); err != nil || got != want {
				t.Fatalf("%s gives %+v, %v", b, got, err)
			}
		}
	}
	b, err := json.Marshal(ethtool.LinkState{
		HasDetected: true, HasState: true, State: ethtool.ExtStateAutoneg, Substate: 1, HasSQI: true, SQIMax: 7, HasDownCount: true,
	})
	const want = `{"detected":false,"state":"autoneg","substate":"no partner detected","sqi":0,"sqi_max":7,"down_count":0}`
	if err != nil || string(b) != want {
		t.Errorf("JSON is %s, %v", b, err)
	}
	if b, err := json.Marshal(ethtool.LinkState{}); err != nil || string(b) != "{}" {
		t.Errorf("JSON of nothing is %s, %v", b, err)
	}
	for _, bad := range []string{`{"state":"nonsense"}`, `{"state":"autoneg","substate":"nonsense"}`, `{"detected":1}`} {
		got := ethtool.LinkState{SQI: 5}
		if err := json.Unmarshal([]byte(bad), &got); err == nil || got != (ethtool.LinkState{SQI: 5}) {
			t.Errorf("%s gives %+v, %v", bad, got, err)
		}
	}
}

func TestPermanentMAC(t *testing.T) {
	mac := net.HardwareAddr{0x3c, 0xfd, 0xfe, 1, 2, 3}
	tests := []struct {
		name string
		nic  ethtooltest.NIC
		want net.HardwareAddr
	}{
		{"of a NIC", ethtooltest.NIC{Driver: "x", PermMAC: mac, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}}, mac},
		{"of InfiniBand", ethtooltest.NIC{Driver: "x", Type: 32, PermMAC: append(make(net.HardwareAddr, 14), mac...)}, append(make(net.HardwareAddr, 14), mac...)},
		{"none", ethtooltest.NIC{Driver: "x"}, nil},
	}
	for _, release := range append([]string{"5.4.0"}, factsReleases...) {
		for _, tt := range tests {
			t.Run(release+" "+tt.name, func(t *testing.T) {
				k, c := factsKernel(t, release)
				k.Add("eth0", &tt.nic)
				got, err := c.PermanentMAC(t.Context(), ethtool.Link{Name: "eth0"})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("address (-want +got):\n%s", diff)
				}
			})
		}
	}
	k, c := factsKernel(t, "5.4.0")
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	k.Fail(func(call ethtooltest.Call) error {
		if call.Name == "ETHTOOL_GPERMADDR" {
			return &ethtool.KernelError{Errno: syscall.ENOMEM}
		}
		return nil
	})
	if _, err := c.PermanentMAC(t.Context(), ethtool.Link{Name: "eth0"}); !errors.Is(err, syscall.ENOMEM) {
		t.Errorf("error is %v", err)
	}
	for _, b := range [][]byte{nil, make([]byte, 7), {0x20, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3, 4}, {0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}} {
		if _, err := ethtool.DecodePermanentMAC(b); !errors.Is(err, ethtool.ErrMalformed) {
			t.Errorf("%v: error is %v", b, err)
		}
	}
}

func TestPCIe(t *testing.T) {
	slow := ethtooltest.ICE("0000:3b:00.0")
	slow.PCI.Speed, slow.PCI.Width = "8.0 GT/s PCIe", 8
	virtio := &ethtooltest.NIC{
		Driver: "virtio_net", Parent: "virtio/virtio0", Bus: "0000:00:03.0",
		PCI: &ethtooltest.PCI{Address: "0000:00:03.0", Vendor: 0x1af4, Device: 0x1000, SubVendor: 0x1af4, SubDevice: 1},
	}
	tests := []struct {
		name string
		nic  *ethtooltest.NIC
		want ethtool.PCIe
		text string
	}{
		{
			"slower than it could", slow,
			ethtool.PCIe{
				Address: "0000:3b:00.0", Vendor: 0x8086, Device: 0x1593, SubVendor: 0x8086, SubDevice: 2,
				Speed: 8000, Width: 8, MaxSpeed: 16000, MaxWidth: 16,
			},
			"8.0 GT/s x8 of 16.0 GT/s x16",
		},
		{
			"virtual function", ethtooltest.IXGBEVF("0000:3b:10.0", ""),
			ethtool.PCIe{Address: "0000:3b:10.0", Vendor: 0x8086, Device: 0x10ed, SubVendor: 0x8086},
			"unknown speed x? of unknown speed x?",
		},
		{
			"behind virtio", virtio,
			ethtool.PCIe{Address: "0000:00:03.0", Vendor: 0x1af4, Device: 0x1000, SubVendor: 0x1af4, SubDevice: 1},
			"unknown speed x? of unknown speed x?",
		},
	}
	for _, release := range factsReleases {
		for _, tt := range tests {
			t.Run(release+" "+tt.name, func(t *testing.T) {
				k, c := factsKernel(t, release)
				k.Add("eth0", tt.nic)
				got, err := c.PCIe(t.Context(), ethtool.Link{Name: "eth0"})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("PCIe (-want +got):\n%s", diff)
				}
				if got.String() != tt.text {
					t.Errorf("text is %q, want %q", got, tt.text)
				}
			})
		}
	}
	for _, nic := range []*ethtooltest.NIC{
		ethtooltest.Veth(), ethtooltest.Loopback(), {Driver: "r8152", Parent: "usb/2-1:1.0", Bus: "usb-0000:00:14.0-1"},
	} {
		k, c := factsKernel(t, ethtooltest.Release612)
		k.Add("eth0", nic)
		_, err := c.PCIe(t.Context(), ethtool.Link{Name: "eth0"})
		if !errors.Is(err, ethtool.ErrNotPCI) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("driver %q: error is %v", nic.Driver, err)
		}
	}
}

func TestReadPCIeErrors(t *testing.T) {
	files := func(vendor string) fstest.MapFS {
		fs := fstest.MapFS{}
		for _, name := range []string{"device", "subsystem_vendor", "subsystem_device"} {
			fs["bus/pci/devices/0000:3b:00.0/"+name] = &fstest.MapFile{Data: []byte("0x0001\n")}
		}
		fs["bus/pci/devices/0000:3b:00.0/vendor"] = &fstest.MapFile{Data: []byte(vendor)}
		return fs
	}
	got, err := ethtool.ReadPCIe(files("0x8086\n"), "0000:3b:00.0")
	want := ethtool.PCIe{Address: "0000:3b:00.0", Vendor: 0x8086, Device: 1, SubVendor: 1, SubDevice: 1}
	if err != nil || got != want {
		t.Errorf("without the files of PCI Express: %+v, %v", got, err)
	}
	for _, vendor := range []string{"", "8086", "0x", "0x18086", "0xffgg", "0x-1"} {
		if got, err := ethtool.ReadPCIe(files(vendor), "0000:3b:00.0"); !errors.Is(err, ethtool.ErrMalformed) || got != (ethtool.PCIe{}) {
			t.Errorf("vendor %q: %+v, %v", vendor, got, err)
		}
	}
	if _, err := ethtool.ReadPCIe(fstest.MapFS{}, "0000:3b:00.0"); err == nil {
		t.Error("no error for a device that is not there")
	}
}

func TestParsePCI(t *testing.T) {
	for text, want := range map[string]uint32{
		"2.5 GT/s PCIe\n": 2500, "5.0 GT/s PCIe": 5000, "8.0 GT/s PCIe\n": 8000, "16.0 GT/s PCIe": 16000, "32.0 GT/s PCIe": 32000,
		"64.0 GT/s PCIe": 64000, "8 GT/s\n": 8000, "5 GT/s": 5000, "2.5 GT/s": 2500,
		"Unknown\n": 0, "Unknown speed": 0, "33 MHz PCI\n": 0, "133 MHz PCI-X 266": 0, "": 0, "(null)": 0, "GT/s": 0, " GT/s PCIe": 0,
		"-8.0 GT/s PCIe": 0, "8.00 GT/s": 0, "99999 GT/s PCIe": 0, "8.x GT/s PCIe": 0,
	} {
		if got := ethtool.ParsePCISpeed(text); got != want {
			t.Errorf("speed %q is %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]uint8{"16\n": 16, "1": 1, "0\n": 0, "255\n": 0, "256": 0, "-1": 0, "": 0, "x8": 0} {
		if got := ethtool.ParsePCIWidth(text); got != want {
			t.Errorf("width %q is %d, want %d", text, got, want)
		}
	}
	for address, want := range map[string]bool{
		"0000:3b:00.0": true, "ffff:ff:1f.7": true, "10000:e1:00.0": true, "0000:3B:00.0": false, "3b:00.0": false, "": false,
		"0000:3b:00.10": false, "0000:3b:00": false, "usb-0000:00:14.0-1": false, "0000:3b/00.0": false, "../../3b:00.0": false,
		"virtio0": false, "000000000:3b:00.0": false, "0000:3b:00,0": false,
	} {
		if got := ethtool.IsPCIAddress(address); got != want {
			t.Errorf("%q is an address: %v, want %v", address, got, want)
		}
	}
}
