// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Driver is what the driver of an interface says of itself (ETHTOOL_GDRVINFO, which has
// no netlink form). Each text has room for 31 bytes.
type Driver struct {
	// Name is the driver's, such as "i40e". A bond says "bonding", and slcan "can".
	Name string `json:"name"`
	// Version is the kernel's release for most drivers of the kernel tree. The others
	// there, about eighty, and those from elsewhere have versions of their own.
	Version string `json:"version"`
	// Origin says whether the driver came with the kernel. It does not follow from Version.
	Origin Origin `json:"origin,omitzero"`
	// Bus is the address of the device on its bus, such as 0000:3b:00.0.
	Bus string `json:"bus,omitzero"`
	// Firmware is the driver's text about firmware versions. Where the driver has none the kernel
	// puts the running versions of devlink there, with spaces between. A bond says "2", the
	// version of its interface (BOND_ABI_VERSION).
	//
	// FirmwareTruncated says that it is so full that the end may be missing, so that
	// different versions may look the same: bnxt's package version is cut so. mlx5 leaves the
	// name of the board out where it does not fit.
	Firmware          string `json:"firmware,omitzero"`
	FirmwareTruncated bool   `json:"firmware_truncated,omitzero"`
	// ExpansionROM is the version of the boot ROM.
	ExpansionROM string `json:"expansion_rom,omitzero"`
	// PrivateFlags is how many private flags the driver says that it has. i40e and ice
	// say so in their degraded modes, too, in which none can be read.
	PrivateFlags int `json:"private_flags"`
}

// Driver asks the driver about itself. The kernel has that for names only
// (SIOCETHTOOL), so the name is looked up before, and again afterwards; if the
// interface was renamed meanwhile it is asked again. The error is an *[Error]. It
// matches ErrNoDevice, and errors.ErrUnsupported for an interface whose driver tells
// nothing, such as lo.
func (c *Client) Driver(ctx context.Context, link Link) (Driver, error) {
	d, err := c.driver(ctx, link)
	return d, opError("read driver of", link, err)
}

func (c *Client) driver(ctx context.Context, link Link) (Driver, error) {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return Driver{}, err
	}
	return c.driverOf(ctx, &l)
}

// driverOf asks the driver of an interface that is known.
func (c *Client) driverOf(ctx context.Context, l *rtnl.Link) (Driver, error) {
	buf := make([]byte, drvinfoLen)
	err := c.byName(ctx, l, func(name string) error {
		clear(buf)
		binary.NativeEndian.PutUint32(buf, ioctlGetDriver)
		return c.ioctl(ctx, name, buf)
	})
	if err != nil {
		return Driver{}, c.meant(ctx, l, err, errNotTold)
	}
	d, err := decodeDriver(buf)
	if err != nil {
		return Driver{}, err
	}
	d.Origin = c.origin(&d)
	return d, nil
}

const (
	drvinfoLen = 196 // sizeof(struct ethtool_drvinfo)
	drvinfoStr = 32  // of each of its texts
	// Behind five texts and twelve reserved bytes.
	drvinfoPrivFlags = 4 + 5*drvinfoStr + 12
)

// decodeDriver reads a struct ethtool_drvinfo.
func decodeDriver(b []byte) (Driver, error) {
	if len(b) != drvinfoLen {
		return Driver{}, fmt.Errorf("%w: %d bytes of driver information, want %d", ErrMalformed, len(b), drvinfoLen)
	}
	text := func(i int) string {
		s := b[4+i*drvinfoStr:][:drvinfoStr]
		if n := bytes.IndexByte(s, 0); n >= 0 {
			s = s[:n]
		}
		return string(s)
	}
	d := Driver{
		Name: text(0), Version: text(1), Firmware: text(2), Bus: text(3), ExpansionROM: text(4),
		PrivateFlags: int(int32(binary.NativeEndian.Uint32(b[drvinfoPrivFlags:]))),
	}
	d.FirmwareTruncated = len(d.Firmware) >= drvinfoStr-1
	// The kernel's own list of versions ends with a space.
	d.Firmware = strings.TrimRight(d.Firmware, " ")
	if d.PrivateFlags < 0 {
		return Driver{}, fmt.Errorf("%w: %d private flags", ErrMalformed, d.PrivateFlags)
	}
	return d, nil
}
