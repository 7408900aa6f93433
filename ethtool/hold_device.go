// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"encoding/binary"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// holdDevice is by what an interface is known again: the index alone is given to
// other interfaces after a boot, and in other namespaces.
type holdDevice struct {
	Link Link `json:"link"`
	// Kind is that of virtual interfaces, and Below the index of the one below it.
	Kind  string `json:"kind,omitzero"`
	Below int    `json:"below,omitzero"`
	// MAC is the permanent address, Parent the bus and address of the device as
	// rtnetlink tells them, and Driver and Bus what the driver tells. Empty is what
	// the kernel did not tell.
	MAC    string `json:"permanent_mac,omitzero"`
	Parent string `json:"parent,omitzero"`
	Driver string `json:"driver,omitzero"`
	Bus    string `json:"bus,omitzero"`
}

// holdDevice describes an interface.
func (c *Client) holdDevice(ctx context.Context, l *rtnl.Link) holdDevice {
	d := holdDevice{Link: linkOf(l), Kind: l.Kind, MAC: l.PermMAC.String()}
	if l.Kind != "" {
		d.Below = l.Parent
	}
	if l.ParentDev != "" {
		d.Parent = l.ParentBus + "/" + l.ParentDev
	}
	info := make([]byte, 196) // struct ethtool_drvinfo
	binary.NativeEndian.PutUint32(info, ioctlGetDriver)
	if err := c.byName(ctx, l, func(name string) error { return c.ioctl(ctx, name, info) }); err == nil {
		d.Driver, d.Bus = attr{data: info[4:36]}.text(), attr{data: info[100:132]}.text()
	}
	return d
}

// same reports whether d is certainly the interface that it was when it was old.
func (d *holdDevice) same(old *holdDevice) bool {
	switch {
	case d.Link.Index != old.Link.Index || d.Kind != old.Kind || d.Below != old.Below || d.MAC != old.MAC || d.Parent != old.Parent:
		return false
	case d.Driver == "" && old.Driver != "":
		// A device that is away does not tell. What does not change must do.
		return d.MAC != "" || d.Parent != ""
	case d.Driver != old.Driver || d.Bus != old.Bus:
		return false
	}
	// What nothing but the name tells apart must have it still.
	return d.MAC != "" || d.Parent != "" || d.Bus != "" || d.Link.Name == old.Link.Name
}
