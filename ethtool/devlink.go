// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Numbers of devlink, from <linux/devlink.h>.
const (
	devlinkCmdPortGet   = 5
	devlinkCmdInfoGet   = 51
	devlinkCmdHealthGet = 52

	devlinkBusName     = 1
	devlinkDevName     = 2
	devlinkPortIndex   = 3
	devlinkPortIfindex = 6
)

// devlinkHandle names a device for devlink.
type devlinkHandle struct{ bus, dev string }

func (h devlinkHandle) String() string { return h.bus + "/" + h.dev }

// attrs returns the handle as attributes.
func (h devlinkHandle) attrs() []byte {
	return appendText(appendText(nil, devlinkBusName, h.bus), devlinkDevName, h.dev)
}

// devlinkPort is one port of a device.
type devlinkPort struct {
	handle  devlinkHandle
	index   uint32
	ifindex int // 0 for none
}

// askDevlink calls ask with the device of an interface. Where that has no devlink, the
// error matches ErrNoDevlink.
//
// Of the ways to the device, the parent that rtnetlink tells (Linux 5.14) is the
// cheapest one, and enough for nearly all. The ports of devlink tell it with every kernel,
// for drivers that have ports. For what is left, drivers name their PCI device.
func (c *Client) askDevlink(ctx context.Context, link Link, ask func(*rtnl.Link, devlinkHandle) error) error {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return err
	}
	var tried []devlinkHandle
	try := func(h devlinkHandle) error {
		if h.bus == "" || h.dev == "" || slices.Contains(tried, h) {
			return ErrNoDevlink
		}
		tried = append(tried, h)
		return ask(&l, h)
	}
	if err := try(devlinkHandle{l.ParentBus, l.ParentDev}); !errors.Is(err, ErrNoDevlink) {
		return err
	}
	if l.Kind != "" && l.ParentDev == "" {
		return ErrNoDevlink // no bond, veth or macvlan has a device
	}
	ports, err := c.devlinkPorts(ctx)
	if err != nil {
		return err
	}
	for _, p := range ports {
		if p.ifindex == l.Index {
			if err := try(p.handle); !errors.Is(err, ErrNoDevlink) {
				return err
			}
		}
	}
	if l.ParentDev != "" {
		return ErrNoDevlink
	}
	d, err := c.driverOf(ctx, &l)
	switch {
	case errors.Is(err, errNotTold), err == nil && !isPCIAddress(d.Bus):
		return ErrNoDevlink
	case err != nil:
		return err
	}
	return try(devlinkHandle{busPCI, d.Bus})
}

// devlinkPorts reads all ports.
func (c *Client) devlinkPorts(ctx context.Context) ([]devlinkPort, error) {
	replies, err := c.generic(ctx, Request{Family: FamilyDevlink, Command: devlinkCmdPortGet, Dump: true})
	if err != nil {
		return nil, c.devlinkMeant(ctx, err)
	}
	ports := make([]devlinkPort, 0, len(replies))
	for _, m := range replies {
		p, err := decodeDevlinkPort(m.Attrs)
		if err != nil {
			return nil, err
		}
		ports = append(ports, p)
	}
	return ports, nil
}

// decodeDevlinkPort reads the attributes of a DEVLINK_CMD_PORT_NEW.
func decodeDevlinkPort(b []byte) (devlinkPort, error) {
	var p devlinkPort
	for a, err := range attrs(b) {
		if err != nil {
			return devlinkPort{}, err
		}
		switch a.typ {
		case devlinkPortIndex:
			p.index, err = attrUint[uint32](a)
		case devlinkPortIfindex:
			var v uint32
			v, err = attrUint[uint32](a)
			p.ifindex = int(int32(v))
		default:
			p.handle.read(a)
		}
		if err != nil {
			return devlinkPort{}, err
		}
	}
	return p, nil
}

// read takes from an attribute what belongs to the handle.
func (h *devlinkHandle) read(a attr) {
	switch a.typ {
	case devlinkBusName:
		h.bus = a.text()
	case devlinkDevName:
		h.dev = a.text()
	}
}

// devlinkMeant says what a refusal by devlink means. ENODEV is for a device without devlink
// here, and EOPNOTSUPP for a driver that does not tell this. A kernel without the
// family has no device with it.
func (c *Client) devlinkMeant(ctx context.Context, err error) error {
	if errors.Is(err, ErrKernelTooOld) {
		return fmt.Errorf("%w: %w", ErrNoDevlink, err)
	}
	if ke, ok := errors.AsType[*KernelError](err); ok && ke.Errno == syscall.ENODEV && ke.Meaning == nil {
		return &KernelError{Errno: ke.Errno, Message: ke.Message, Meaning: ErrNoDevlink}
	}
	return c.meant(ctx, nil, err, ErrNoDevlink)
}
