// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// holdDevice is by what an interface is known again: the index alone is given to
// other interfaces after a boot, and in other namespaces.
type holdDevice struct {
	Link Link `json:"link"`
	// Kind is that of virtual interfaces, and Below the index of the one below it.
	Kind  string `json:"kind,omitzero"`
	Below int    `json:"below,omitzero"`
	// MAC is the permanent address and Addr the present one, Parent the bus and address of
	// the device as rtnetlink tells them, and Driver and Bus what the driver tells. Empty is
	// what the kernel did not tell.
	MAC    string `json:"permanent_mac,omitzero"`
	Addr   string `json:"mac,omitzero"`
	Parent string `json:"parent,omitzero"`
	Driver string `json:"driver,omitzero"`
	Bus    string `json:"bus,omitzero"`
}

// holdDevice describes an interface. With an error, which does not say that the driver tells nothing,
// Driver and Bus are missing.
func (c *Client) holdDevice(ctx context.Context, l *rtnl.Link) (holdDevice, error) {
	d := holdDevice{Link: linkOf(l), Kind: l.Kind, MAC: l.PermMAC.String(), Addr: l.MAC.String()}
	if l.Kind != "" {
		d.Below = l.Parent
	}
	if l.ParentDev != "" {
		d.Parent = l.ParentBus + "/" + l.ParentDev
	}
	driver, err := c.driverOf(ctx, l)
	switch {
	case err == nil:
		d.Driver, d.Bus = driver.Name, driver.Bus
	case errors.Is(err, errNotTold):
		err = nil
	}
	return d, err
}

// sameDevice returns the interface if it is the one that it was.
func (c *Client) sameDevice(ctx context.Context, device *holdDevice) (rtnl.Link, error) {
	l, err := c.resolve(ctx, Link{Index: device.Link.Index})
	if err != nil {
		return rtnl.Link{}, err
	}
	now, err := c.holdDevice(ctx, &l)
	if err != nil && (!isRefusal(err) || device.Driver != "" && !now.known()) {
		return rtnl.Link{}, err
	}
	if !now.same(device) {
		return rtnl.Link{}, fmt.Errorf("%w: index %d belongs to another by now", ErrNoDevice, device.Link.Index)
	}
	return l, nil
}

// known reports whether rtnetlink alone tells the device apart from others.
func (d *holdDevice) known() bool { return d.MAC != "" || d.Parent != "" }

// same reports whether d is certainly the interface that it was when it was old.
func (d *holdDevice) same(old *holdDevice) bool {
	switch {
	case d.Link.Index != old.Link.Index || d.Kind != old.Kind || d.Below != old.Below || d.MAC != old.MAC || d.Parent != old.Parent:
		return false
	case (d.Driver == "") != (old.Driver == ""):
		// A device that is away does not tell. What does not change must do.
		return d.known()
	case d.Driver != old.Driver || d.Bus != old.Bus:
		return false
	}
	// What nothing else tells apart must have its name or its address still: there are
	// renames, and a bond gives its slaves another address.
	return d.known() || d.Bus != "" || d.Link.Name == old.Link.Name || d.Addr != "" && d.Addr == old.Addr
}
