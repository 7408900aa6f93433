// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
)

// Link names an interface, by index or by name or both; the index is the better one, for it
// survives a rename. With both, they must belong to the same interface. The zero Link
// is none.
type Link struct {
	Index int    `json:"index,omitzero"`
	Name  string `json:"name,omitzero"`
}

// Port is the kind of connector (PORT_ in <linux/ethtool.h>).
type Port uint8

// The ports.
const (
	PortTP    Port = 0x00 // twisted pair
	PortAUI   Port = 0x01
	PortMII   Port = 0x02
	PortFibre Port = 0x03
	PortBNC   Port = 0x04
	PortDA    Port = 0x05 // direct attach copper
	PortNone  Port = 0xef
	PortOther Port = 0xff
)

var portWords = words[Port]{"port", map[Port]string{
	PortTP: "tp", PortAUI: "aui", PortMII: "mii", PortFibre: "fibre", PortBNC: "bnc", PortDA: "da", PortNone: "none", PortOther: "other",
}}

// String returns the kernel's word in lower case: "tp", "aui", "mii", "fibre", "bnc", "da",
// "none", "other", or port(6) for one that this package does not know.
func (p Port) String() string { return portWords.text(p) }

// MarshalText returns the String.
func (p Port) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText returns. The error matches ErrBadValue.
func (p *Port) UnmarshalText(text []byte) error { return portWords.read(p, text) }

// LinkInfo is what ETHTOOL_MSG_LINKINFO_GET (Linux 5.6) says of an interface.
type LinkInfo struct {
	Port Port `json:"port"`
}

// LinkInfo returns what the driver of an interface says of its connector. It needs no
// privilege.
//
// The error matches errors.ErrUnsupported where the driver does not say, or the kernel has no
// such command (ErrKernelTooOld); ErrNoDevice, ErrDeviceAway, or ErrBadValue for the zero
// Link.
func (c *Client) LinkInfo(ctx context.Context, link Link) (LinkInfo, error) {
	info, err := c.linkInfo(ctx, link)
	return info, opError("read link info of", link, err)
}

func (c *Client) linkInfo(ctx context.Context, link Link) (LinkInfo, error) {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return LinkInfo{}, err
	}
	bound, cancel := c.bound(ctx)
	defer cancel()
	info, err := c.t.LinkInfo(bound, Link{Index: l.Index})
	if err != nil {
		return LinkInfo{}, c.meant(ctx, &l, err, errNotTold)
	}
	return info, nil
}

var errNotTold error = &meaning{"the driver does not say", errors.ErrUnsupported}
