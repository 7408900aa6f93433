// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"fmt"
	"time"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Reporter is one devlink health reporter (DEVLINK_CMD_HEALTH_REPORTER_GET, Linux 5.1): a part
// of a device, such as "fw" or "tx", whose driver notices when it fails.
type Reporter struct {
	// Handle is the device, such as "pci/0000:3b:00.0".
	Handle string `json:"handle"`
	// Port is the devlink port it belongs to, where HasPort says that it belongs to one.
	Port    uint32 `json:"port,omitzero"`
	HasPort bool   `json:"has_port,omitzero"`
	Name    string `json:"name"`
	// Healthy is the state that the driver reports now.
	Healthy bool `json:"healthy"`
	// Errors and Recoveries count since the driver was loaded.
	Errors     uint64 `json:"errors"`
	Recoveries uint64 `json:"recoveries"`
	// AutoRecover says that the driver recovers by itself. Where HasAutoRecover is false it cannot
	// recover at all.
	AutoRecover    bool `json:"auto_recover,omitzero"`
	HasAutoRecover bool `json:"has_auto_recover,omitzero"`
	// LastDump is when the driver last kept a dump of an error, in UTC, zero for never.
	LastDump time.Time `json:"last_dump,omitzero"`
}

// Health asks devlink for the health reporters of a device, and those of the port that the
// interface is, in the driver's order. Many drivers have none: then it
// returns nothing. The error is an *[Error]. It matches ErrNoDevice, and ErrNoDevlink as
// that of [Client.Firmware] does.
func (c *Client) Health(ctx context.Context, link Link) ([]Reporter, error) {
	r, err := c.health(ctx, link)
	return r, opError("read health of", link, err)
}

func (c *Client) health(ctx context.Context, link Link) ([]Reporter, error) {
	var mine []Reporter
	err := c.askDevlink(ctx, link, func(l *rtnl.Link, h devlinkHandle) error {
		// Kernels before 6.6 dump those of all devices, and of none where there is no such
		// device.
		replies, err := c.generic(ctx, Request{
			Family: FamilyDevlink, Command: devlinkCmdHealthGet, Dump: true, Attrs: h.attrs(),
		})
		if err != nil {
			return c.devlinkMeant(ctx, err)
		}
		var ports []devlinkPort
		for _, m := range replies {
			r, err := decodeReporter(m.Attrs)
			if err != nil {
				return err
			}
			if r.Handle != h.String() {
				continue
			}
			if r.HasPort {
				if ports == nil {
					if ports, err = c.devlinkPorts(ctx); err != nil {
						return err
					}
				}
				if !portIs(ports, h, r.Port, l.Index) {
					continue
				}
			}
			mine = append(mine, r)
		}
		if mine == nil {
			return c.hasDevlink(ctx, h)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return mine, nil
}

// hasDevlink returns nil if there is such a device.
func (c *Client) hasDevlink(ctx context.Context, h devlinkHandle) error {
	const get, reply = 1, 3 // DEVLINK_CMD_GET, DEVLINK_CMD_NEW
	replies, err := c.generic(ctx, Request{Family: FamilyDevlink, Command: get, Attrs: h.attrs()})
	if err != nil {
		return c.devlinkMeant(ctx, err)
	}
	for _, m := range replies {
		if m.Command == reply {
			return nil
		}
	}
	return fmt.Errorf("%w: no answer", ErrMalformed)
}

// portIs reports whether a port of a device is the interface of that index.
func portIs(ports []devlinkPort, h devlinkHandle, port uint32, ifindex int) bool {
	for _, p := range ports {
		if p.handle == h && p.index == port && p.ifindex == ifindex {
			return true
		}
	}
	return false
}

const (
	devlinkReporter     = 114
	reporterName        = 115
	reporterState       = 116
	reporterErrors      = 117
	reporterRecoveries  = 118
	reporterAutoRecover = 121
	reporterDumpTime    = 137 // nanoseconds since 1970; 119 counts from the boot
)

// decodeReporter reads the attributes of an answer to DEVLINK_CMD_HEALTH_REPORTER_GET.
func decodeReporter(b []byte) (Reporter, error) {
	var r Reporter
	var h devlinkHandle
	found := false
	for a, err := range attrs(b) {
		if err != nil {
			return Reporter{}, err
		}
		switch a.typ {
		case devlinkPortIndex:
			r.Port, err = attrUint[uint32](a)
			r.HasPort = true
		case devlinkReporter:
			found = true
			err = r.decode(a.data)
		default:
			h.read(a)
		}
		if err != nil {
			return Reporter{}, err
		}
	}
	if !found || h == (devlinkHandle{}) {
		return Reporter{}, fmt.Errorf("%w: health reporter of no device, or none", ErrMalformed)
	}
	r.Handle = h.String()
	return r, nil
}

func (r *Reporter) decode(b []byte) error {
	state := false
	for a, err := range attrs(b) {
		if err != nil {
			return err
		}
		switch a.typ {
		case reporterName:
			r.Name = a.text()
		case reporterState:
			var v uint8
			v, err = attrUint[uint8](a)
			r.Healthy, state = v == 0, true
		case reporterErrors:
			r.Errors, err = attrUint[uint64](a)
		case reporterRecoveries:
			r.Recoveries, err = attrUint[uint64](a)
		case reporterAutoRecover:
			var v uint8
			v, err = attrUint[uint8](a)
			r.AutoRecover, r.HasAutoRecover = v != 0, true
		case reporterDumpTime:
			var v uint64
			v, err = attrUint[uint64](a)
			r.LastDump = time.Unix(int64(v/1e9), int64(v%1e9)).UTC()
		}
		if err != nil {
			return err
		}
	}
	if !state || r.Name == "" {
		return fmt.Errorf("%w: health reporter without a name or a state", ErrMalformed)
	}
	return nil
}
