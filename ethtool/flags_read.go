// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Numbers of the family ethtool, from <linux/ethtool_netlink.h>.
const (
	msgStrsetGet    = 1
	msgPrivFlagsGet = 13
	msgPrivFlagsSet = 14

	headerDevIndex = 1
	headerDevName  = 2

	privFlagsHeader = 1
	privFlagsFlags  = 2

	strsetHeader = 1
)

// ethtoolHeader is the attribute by which a request of the family ethtool names an
// interface: by index where that is known.
func ethtoolHeader(typ uint16, link Link) []byte {
	if link.Index != 0 {
		return appendNested(nil, typ, appendUint32(nil, headerDevIndex, uint32(link.Index)))
	}
	return appendNested(nil, typ, appendText(nil, headerDevName, link.Name))
}

// parseEthtoolHeader reads the interface that a message is about.
func parseEthtoolHeader(b []byte) (Link, error) {
	var l Link
	for a, err := range attrs(b) {
		if err != nil {
			return Link{}, err
		}
		switch a.typ {
		case headerDevIndex:
			v, err := a.uint32()
			if err != nil {
				return Link{}, err
			}
			l.Index = int(int32(v))
		case headerDevName:
			l.Name = a.text()
		}
	}
	return l, nil
}

// Flags returns the private flags of an interface, at least one, in the driver's order. It
// needs no privilege.
//
// The error matches ErrNoPrivateFlags where the driver has none, ErrNoDevice,
// ErrDeviceAway, or ErrBadValue for the zero Link.
//
// A kernel older than 5.7 is asked by ioctl. There a driver whose flags change
// their number meanwhile may give some a wrong name, and the reading itself
// notifies whoever watches for changes (net/ethtool/ioctl.c).
func (c *Client) Flags(ctx context.Context, link Link) (Flags, error) {
	flags, err := c.flags(ctx, link)
	return flags, opError("read flags of", link, err)
}

func (c *Client) flags(ctx context.Context, link Link) (Flags, error) {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return nil, err
	}
	flags, _, err := c.readFlags(ctx, &l)
	return flags, err
}

// readFlags reads the flags of an interface that is known.
func (c *Client) readFlags(ctx context.Context, l *rtnl.Link) (Flags, Via, error) {
	msgs, err := c.generic(ctx, Request{
		Family: FamilyEthtool, Command: msgPrivFlagsGet, Attrs: ethtoolHeader(privFlagsHeader, linkOf(l)),
	})
	if errors.Is(err, ErrKernelTooOld) {
		flags, err := c.ioctlFlags(ctx, l)
		return flags.list, ViaIoctl, err
	}
	if err != nil {
		return nil, ViaNetlink, c.meant(ctx, l, err, ErrNoPrivateFlags)
	}
	if len(msgs) != 1 {
		return nil, ViaNetlink, fmt.Errorf("%w: %d answers", ErrMalformed, len(msgs))
	}
	_, set, err := parsePrivFlags(msgs[0].Attrs)
	if err != nil {
		return nil, ViaNetlink, err
	}
	flags, err := c.named(ctx, l, set)
	if err == nil && len(flags) == 0 {
		err = ErrNoPrivateFlags
	}
	return flags, ViaNetlink, err
}

// parsePrivFlags reads an answer to ETHTOOL_MSG_PRIVFLAGS_GET, or a notification.
func parsePrivFlags(b []byte) (Link, *bitset, error) {
	var l Link
	set := &bitset{}
	for a, err := range attrs(b) {
		if err != nil {
			return Link{}, nil, err
		}
		switch a.typ {
		case privFlagsHeader:
			l, err = parseEthtoolHeader(a.data)
		case privFlagsFlags:
			set, err = parseBitset(a.data)
		}
		if err != nil {
			return Link{}, nil, err
		}
	}
	return l, set, nil
}

// named makes Flags of a bit set. Where bits are missing, because the kernel listed
// only those that are on, or have no names, it asks for all names.
func (c *Client) named(ctx context.Context, l *rtnl.Link, set *bitset) (Flags, error) {
	flags := make(Flags, 0, len(set.bits))
	unnamed := set.noMask
	for _, b := range set.bits {
		flags = append(flags, Flag{Name: b.name, On: b.on})
		unnamed = unnamed || b.name == ""
	}
	if !unnamed {
		return flags, nil
	}
	names, err := c.privFlagNames(ctx, l)
	if err != nil {
		return nil, err
	}
	return set.withNames(names), nil
}

// withNames makes Flags of a bit set and all names, by index.
func (s *bitset) withNames(names map[int]string) Flags {
	bits := s.bits
	if s.noMask {
		on := make(map[int]bool)
		for _, b := range bits {
			on[b.index] = true
		}
		bits = nil
		for i := range min(s.size, maxFlags) {
			if _, ok := names[i]; ok || on[i] {
				bits = append(bits, bit{index: i, on: on[i]})
			}
		}
	}
	flags := make(Flags, 0, len(bits))
	for _, b := range bits {
		name := b.name
		if name == "" {
			name = names[b.index]
		}
		flags = append(flags, Flag{Name: name, On: b.on})
	}
	return flags
}

// maxFlags is how many private flags the kernel's interface to drivers has room for.
const maxFlags = 32

// privFlagNames returns the names of the private flags, by index.
func (c *Client) privFlagNames(ctx context.Context, l *rtnl.Link) (map[int]string, error) {
	set := appendNested(nil, stringSetsStringSet, appendUint32(nil, stringSetID, stringSetPrivFlags))
	msgs, err := c.generic(ctx, Request{
		Family: FamilyEthtool, Command: msgStrsetGet,
		Attrs: appendNested(ethtoolHeader(strsetHeader, linkOf(l)), strsetStringSets, set),
	})
	if err != nil {
		return nil, c.meant(ctx, l, err, ErrNoPrivateFlags)
	}
	if len(msgs) != 1 {
		return nil, fmt.Errorf("%w: %d answers", ErrMalformed, len(msgs))
	}
	return parseStrings(msgs[0].Attrs, stringSetPrivFlags)
}

// linkFlags are the flags of one interface.
type linkFlags struct {
	link  Link
	flags Flags
}

// allFlags reads the flags of all interfaces whose driver has some. After an error they are to
// be asked one by one: where only ioctl is left (ErrKernelTooOld), where one device is away
// (ErrDeviceAway), which ends the list, and on old kernels (5.10) where the last interface has
// none (ErrNoPrivateFlags).
func (c *Client) allFlags(ctx context.Context) ([]linkFlags, error) {
	msgs, err := c.generic(ctx, Request{
		Family: FamilyEthtool, Command: msgPrivFlagsGet, Dump: true, Attrs: appendNested(nil, privFlagsHeader, nil),
	})
	if err != nil {
		return nil, c.meant(ctx, nil, err, ErrNoPrivateFlags)
	}
	var all []linkFlags
	for _, m := range msgs {
		link, set, err := parsePrivFlags(m.Attrs)
		if err != nil {
			return nil, err
		}
		flags, err := c.named(ctx, &rtnl.Link{Index: link.Index, Name: link.Name}, set)
		switch {
		case errors.Is(err, ErrNoDevice), errors.Is(err, ErrDeviceAway): // since the dump
		case err != nil:
			return nil, err
		case len(flags) > 0:
			all = append(all, linkFlags{link, flags})
		}
	}
	return all, nil
}
