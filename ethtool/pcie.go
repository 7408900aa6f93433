// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// ErrNotPCI says that the device is not one of PCI. It matches errors.ErrUnsupported.
var ErrNotPCI error = &meaning{"not a PCI device", errors.ErrUnsupported}

// PCIe is a PCI device and how it is connected. Speeds are in megatransfers a second and a lane:
// 8000 is PCIe 3.0.
type PCIe struct {
	// Address is such as "0000:3b:00.0".
	Address string `json:"address"`
	// The numbers of the device are texts in JSON, as in sysfs: "0x8086".
	Vendor    uint16 `json:"-"`
	Device    uint16 `json:"-"`
	SubVendor uint16 `json:"-"`
	SubDevice uint16 `json:"-"`
	// Speed and Width are those of now, MaxSpeed and MaxWidth what the device could. 0 is where the
	// kernel does not say: for virtual functions, and for conventional PCI.
	Speed    uint32 `json:"speed_mt"`
	Width    uint8  `json:"width"`
	MaxSpeed uint32 `json:"max_speed_mt"`
	MaxWidth uint8  `json:"max_width"`
}

// PCIe reads what /sys/bus/pci says of the device of an interface. The error is an
// *[Error]. It matches ErrNoDevice, and ErrNotPCI for virtual interfaces and those on other
// buses.
func (c *Client) PCIe(ctx context.Context, link Link) (PCIe, error) {
	p, err := c.pcie(ctx, link)
	return p, opError("read PCI device of", link, err)
}

func (c *Client) pcie(ctx context.Context, link Link) (PCIe, error) {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return PCIe{}, err
	}
	address, err := c.pciAddress(ctx, &l)
	if err != nil {
		return PCIe{}, err
	}
	return readPCIe(c.t.Sysfs(), address)
}

// pciAddress returns the address of the device of an interface.
func (c *Client) pciAddress(ctx context.Context, l *rtnl.Link) (string, error) {
	if l.ParentBus == busPCI && isPCIAddress(l.ParentDev) {
		return l.ParentDev, nil
	}
	// Kernels before 5.14 do not tell the parent, and between a virtio interface
	// and its PCI device is another one.
	d, err := c.driverOf(ctx, l)
	switch {
	case err != nil && !errors.Is(err, errNotTold):
		return "", err
	case err != nil || !isPCIAddress(d.Bus):
		return "", ErrNotPCI
	}
	return d.Bus, nil
}

const busPCI = "pci"

// pciDir is the directory of a PCI device below /sys.
func pciDir(address string) string { return "bus/pci/devices/" + address }

// isPCIAddress reports whether s is domain, bus, slot and function in the kernel's spelling,
// 0000:3b:00.0. The domain may be longer (Hyper-V, VMD).
func isPCIAddress(s string) bool {
	domain, rest, _ := strings.Cut(s, ":")
	if len(domain) < 4 || len(domain) > 8 || len(rest) != len("3b:00.0") || rest[2] != ':' || rest[5] != '.' {
		return false
	}
	for _, part := range []string{domain, rest[:2], rest[3:5], rest[6:]} {
		for _, r := range part {
			if !strings.ContainsRune("0123456789abcdef", r) {
				return false
			}
		}
	}
	return true
}

// readPCIe reads the files of a PCI device.
func readPCIe(sys fs.FS, address string) (PCIe, error) {
	p := PCIe{Address: address}
	for _, id := range []struct {
		file string
		to   *uint16
	}{
		{"vendor", &p.Vendor},
		{"device", &p.Device},
		{"subsystem_vendor", &p.SubVendor},
		{"subsystem_device", &p.SubDevice},
	} {
		text, err := fs.ReadFile(sys, pciDir(address)+"/"+id.file)
		if err != nil {
			return PCIe{}, err
		}
		if *id.to, err = parsePCIID(string(text)); err != nil {
			return PCIe{}, err
		}
	}
	// There are none of these for conventional PCI, and to read them can fail where the device
	// cannot be reached (EINVAL).
	read := func(file string) string {
		text, err := fs.ReadFile(sys, pciDir(address)+"/"+file)
		if err != nil {
			return ""
		}
		return string(text)
	}
	p.Speed, p.MaxSpeed = parsePCISpeed(read("current_link_speed")), parsePCISpeed(read("max_link_speed"))
	p.Width, p.MaxWidth = parsePCIWidth(read("current_link_width")), parsePCIWidth(read("max_link_width"))
	return p, nil
}

// parsePCIID reads a number such as 0x8086.
func parsePCIID(text string) (uint16, error) {
	digits, ok := strings.CutPrefix(strings.TrimSpace(text), "0x")
	if !ok {
		return 0, fmt.Errorf("%w: %q is not a number of a PCI device", ErrMalformed, text)
	}
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is not a number of a PCI device", ErrMalformed, text)
	}
	return uint16(n), nil
}

// parsePCISpeed reads "8.0 GT/s PCIe", and "8 GT/s" as kernels before 5.7 write it, in
// megatransfers a second. It returns 0 for "Unknown", for speeds of conventional PCI, and for
// anything else.
func parsePCISpeed(text string) uint32 {
	number, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	if unit != "GT/s" && unit != "GT/s PCIe" {
		return 0
	}
	whole, tenths, _ := strings.Cut(number, ".")
	g, err := strconv.ParseUint(whole, 10, 16)
	if err != nil {
		return 0
	}
	var t uint64
	if tenths != "" {
		if t, err = strconv.ParseUint(tenths, 10, 8); err != nil || len(tenths) != 1 {
			return 0
		}
	}
	return uint32(g*1000 + t*100)
}

// parsePCIWidth reads a number of lanes. It returns 0 for what is none, 255 (unknown) among
// them.
func parsePCIWidth(text string) uint8 {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 8)
	if err != nil || n == 0xff {
		return 0
	}
	return uint8(n)
}

// String says how the device is connected, such as "8.0 GT/s x8 of 8.0 GT/s x8".
func (p PCIe) String() string {
	return pcieText(p.Speed, p.Width) + " of " + pcieText(p.MaxSpeed, p.MaxWidth)
}

func pcieText(speed uint32, width uint8) string {
	s, w := "unknown speed", "x?"
	if speed != 0 {
		s = fmt.Sprintf("%d.%d GT/s", speed/1000, speed%1000/100)
	}
	if width != 0 {
		w = fmt.Sprintf("x%d", width)
	}
	return s + " " + w
}

// pciID is a number of a PCI device as it is in JSON.
type pciID uint16

func (id pciID) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "0x%04x", uint16(id)), nil }

func (id *pciID) UnmarshalText(text []byte) error {
	n, err := parsePCIID(string(text))
	if err != nil {
		return &Error{Op: "parse PCI device", Err: fmt.Errorf("%w: %q", ErrBadValue, text)}
	}
	*id = pciID(n)
	return nil
}

// plainPCIe is PCIe without methods.
type plainPCIe PCIe

// pcieJSON is a PCIe as it is in JSON.
type pcieJSON struct {
	Vendor    pciID `json:"vendor"`
	Device    pciID `json:"device"`
	SubVendor pciID `json:"subsystem_vendor"`
	SubDevice pciID `json:"subsystem_device"`
	plainPCIe
}

// MarshalJSON returns an object with the keys that are in the type, and vendor, device,
// subsystem_vendor and subsystem_device.
func (p PCIe) MarshalJSON() ([]byte, error) {
	escapeAll(&p.Address)
	return json.Marshal(pcieJSON{
		Vendor: pciID(p.Vendor), Device: pciID(p.Device), SubVendor: pciID(p.SubVendor), SubDevice: pciID(p.SubDevice),
		plainPCIe: plainPCIe(p),
	})
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (p *PCIe) UnmarshalJSON(b []byte) error {
	var j pcieJSON
	if err := unmarshalTexts(b, &j, func(j *pcieJSON) []*string { return []*string{&j.Address} }); err != nil {
		return err
	}
	*p = PCIe(j.plainPCIe)
	p.Vendor, p.Device, p.SubVendor, p.SubDevice = uint16(j.Vendor), uint16(j.Device), uint16(j.SubVendor), uint16(j.SubDevice)
	return nil
}
