// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"fmt"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Version is one version of what is in a device, such as fw.mgmt 8.30.
type Version struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Firmware is what devlink tells about a device (DEVLINK_CMD_INFO_GET, Linux 5.1). The
// names of versions that drivers have in common are in
// Documentation/networking/devlink/devlink-info.rst.
type Firmware struct {
	// Handle is the device for devlink: bus and address, such as "pci/0000:3b:00.0".
	Handle string `json:"handle"`
	Driver string `json:"driver,omitzero"`
	// Serial is the number of the device, and BoardSerial that of the board it is on.
	// Drivers should not, and some do, have another one for each port.
	Serial      string `json:"serial,omitzero"`
	BoardSerial string `json:"board_serial,omitzero"`
	// Fixed are versions of what cannot be changed, such as board.id; Running what the
	// device runs, and Stored what is in its memory, and runs after the next reset. The order
	// is the driver's.
	Fixed   []Version `json:"fixed,omitzero"`
	Running []Version `json:"running,omitzero"`
	Stored  []Version `json:"stored,omitzero"`
}

// Pending returns the stored versions that differ from the running ones: what
// was written into the device and waits for its next reset. A name that is in one of the two
// only says nothing, for many drivers tell some only as running.
func (f Firmware) Pending() []Version {
	var pending []Version
	for _, stored := range f.Stored {
		if running, ok := versionOf(f.Running, stored.Name); ok && running != stored.Value {
			pending = append(pending, stored)
		}
	}
	return pending
}

// versionOf returns the version of that name.
func versionOf(versions []Version, name string) (value string, ok bool) {
	for _, v := range versions {
		if v.Name == name {
			return v.Value, true
		}
	}
	return "", false
}

// Firmware asks devlink for the versions of the firmware of a device. Drivers may take
// long: ice waits up to ten seconds for a reset to end.
//
// The error is an *[Error]. It matches ErrNoDevice, and ErrNoDevlink where the device has no
// devlink instance in this network namespace: if a NIC was moved into a
// namespace, its instance stays where it was. [Driver.Firmware] is what there is then.
func (c *Client) Firmware(ctx context.Context, link Link) (Firmware, error) {
	f, err := c.firmware(ctx, link)
	return f, opError("read firmware of", link, err)
}

func (c *Client) firmware(ctx context.Context, link Link) (Firmware, error) {
	var f Firmware
	err := c.askDevlink(ctx, link, func(_ *rtnl.Link, h devlinkHandle) error {
		replies, err := c.generic(ctx, Request{Family: FamilyDevlink, Command: devlinkCmdInfoGet, Attrs: h.attrs()})
		if err != nil {
			return c.devlinkMeant(ctx, err)
		}
		for _, m := range replies {
			if m.Command == devlinkCmdInfoGet {
				f, err = decodeFirmware(m.Attrs)
				return err
			}
		}
		return fmt.Errorf("%w: no answer", ErrMalformed)
	})
	return f, err
}

const (
	devlinkInfoDriver  = 98
	devlinkInfoSerial  = 99
	devlinkInfoFixed   = 100
	devlinkInfoRunning = 101
	devlinkInfoStored  = 102
	devlinkInfoName    = 103
	devlinkInfoValue   = 104
	devlinkInfoBoard   = 146
)

// decodeFirmware reads the attributes of an answer to DEVLINK_CMD_INFO_GET.
func decodeFirmware(b []byte) (Firmware, error) {
	var f Firmware
	var h devlinkHandle
	for a, err := range attrs(b) {
		if err != nil {
			return Firmware{}, err
		}
		switch a.typ {
		case devlinkInfoDriver:
			f.Driver = a.text()
		case devlinkInfoSerial:
			f.Serial = a.text()
		case devlinkInfoBoard:
			f.BoardSerial = a.text()
		case devlinkInfoFixed:
			f.Fixed, err = appendVersion(f.Fixed, a.data)
		case devlinkInfoRunning:
			f.Running, err = appendVersion(f.Running, a.data)
		case devlinkInfoStored:
			f.Stored, err = appendVersion(f.Stored, a.data)
		default:
			h.read(a)
		}
		if err != nil {
			return Firmware{}, err
		}
	}
	if h == (devlinkHandle{}) {
		return Firmware{}, fmt.Errorf("%w: firmware of no device", ErrMalformed)
	}
	f.Handle = h.String()
	return f, nil
}

// appendVersion reads one version.
func appendVersion(versions []Version, b []byte) ([]Version, error) {
	var v Version
	for a, err := range attrs(b) {
		if err != nil {
			return nil, err
		}
		switch a.typ {
		case devlinkInfoName:
			v.Name = a.text()
		case devlinkInfoValue:
			v.Value = a.text()
		}
	}
	return append(versions, v), nil
}
