// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"encoding/binary"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// The way by ioctl, for kernels whose netlink has no private flags.
const (
	ioctlGetStrings   = 0x1b // ETHTOOL_GSTRINGS
	ioctlGetPrivFlags = 0x27 // ETHTOOL_GPFLAGS
	ioctlSetPrivFlags = 0x28 // ETHTOOL_SPFLAGS
	ioctlGetSetInfo   = 0x37 // ETHTOOL_GSSET_INFO
	ioctlGetDriver    = 0x03 // ETHTOOL_GDRVINFO

	ioctlStringLen = 32 // ETH_GSTRING_LEN

	// ioctlRenames is how often an interface may be renamed while it is asked.
	ioctlRenames = 5
)

var errRenamed error = &meaning{"it is renamed again and again", ErrBusy}

// ioctlFlagSet is what the ioctl knows of flags: their names and one number with all values.
type ioctlFlagSet struct {
	list  Flags
	value uint32
}

// byName calls f with the name of an interface, which is all that ioctl
// knows it by, and again where it was given another name meanwhile: then f may have
// read another interface.
func (c *Client) byName(ctx context.Context, l *rtnl.Link, f func(name string) error) error {
	name := l.Name
	for range ioctlRenames {
		err := f(name)
		now, again := c.resolve(ctx, Link{Index: l.Index})
		switch {
		case again != nil:
			return again
		case now.Name == name:
			return err
		}
		name = now.Name
	}
	return errRenamed
}

// ioctlFlags reads the flags of an interface.
func (c *Client) ioctlFlags(ctx context.Context, l *rtnl.Link) (ioctlFlagSet, error) {
	var s ioctlFlagSet
	err := c.byName(ctx, l, func(name string) (err error) {
		s, err = c.ioctlFlagsOf(ctx, name)
		return err
	})
	if err != nil {
		return ioctlFlagSet{}, c.meant(ctx, l, err, ErrNoPrivateFlags)
	}
	return s, nil
}

func (c *Client) ioctlFlagsOf(ctx context.Context, name string) (ioctlFlagSet, error) {
	// struct ethtool_sset_info: which sets there are, and how many strings each has.
	info := make([]byte, 20)
	binary.NativeEndian.PutUint32(info, ioctlGetSetInfo)
	binary.NativeEndian.PutUint64(info[8:], 1<<stringSetPrivFlags)
	if err := c.ioctl(ctx, name, info); err != nil {
		return ioctlFlagSet{}, err
	}
	n := int(min(binary.NativeEndian.Uint32(info[16:]), maxFlags))
	if binary.NativeEndian.Uint64(info[8:]) == 0 || n == 0 {
		return ioctlFlagSet{}, ErrNoPrivateFlags
	}
	// struct ethtool_gstrings. The kernel writes as many strings as there are now.
	strings := make([]byte, 12+maxFlags*ioctlStringLen)
	binary.NativeEndian.PutUint32(strings, ioctlGetStrings)
	binary.NativeEndian.PutUint32(strings[4:], stringSetPrivFlags)
	binary.NativeEndian.PutUint32(strings[8:], uint32(n))
	if err := c.ioctl(ctx, name, strings); err != nil {
		return ioctlFlagSet{}, err
	}
	n = int(min(binary.NativeEndian.Uint32(strings[8:]), maxFlags))
	// struct ethtool_value.
	value := make([]byte, 8)
	binary.NativeEndian.PutUint32(value, ioctlGetPrivFlags)
	if err := c.ioctl(ctx, name, value); err != nil {
		return ioctlFlagSet{}, err
	}
	s := ioctlFlagSet{value: binary.NativeEndian.Uint32(value[4:])}
	for i := range n {
		a := attr{data: strings[12+i*ioctlStringLen:][:ioctlStringLen]}
		s.list = append(s.list, Flag{Name: a.text(), On: s.value>>i&1 != 0})
	}
	if n == 0 {
		return ioctlFlagSet{}, ErrNoPrivateFlags
	}
	return s, nil
}
