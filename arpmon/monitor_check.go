// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// altNameSize is the size of the longest name of an interface, an alternative one,
// with its final zero byte: ALTIFNAMSIZ of <linux/if.h>.
const altNameSize = 128

// check says whether the configuration can be used, as far as that can be told
// without the system, and returns it with the defaults of the engine filled in.
func (c MonitorConfig) check() (MonitorConfig, error) {
	bad := func(field, value string, err error, hint string) error {
		return &Error{Op: "config", Field: field, Value: value, Err: err, Hint: hint}
	}
	if len(c.Slaves) == 0 {
		return c, bad("Slaves", "", ErrNoSlave, "name at least one interface")
	}
	c.Slaves = slices.Clone(c.Slaves)
	for i, name := range c.Slaves {
		switch {
		case name == "", len(name) >= altNameSize, name == ".", name == "..", strings.ContainsAny(name, "/: \t\n\x00"):
			return c, bad("Slaves", strconv.Quote(name), os.ErrInvalid, "not the name of an interface")
		case slices.Contains(c.Slaves[:i], name):
			return c, bad("Slaves", name, ErrDuplicate, "")
		}
	}
	if len(c.Targets) == 0 {
		return c, bad("Targets", "", ErrNoTargets, "name at least one address")
	}
	c.MaxSlaves = max(c.MaxSlaves, len(c.Slaves))
	c.Targets = slices.Clone(c.Targets)
	resolved, err := c.Config.Resolved()
	if err != nil {
		return c, err
	}
	c.Config = resolved
	if c.Active != "" && !slices.Contains(c.Slaves, c.Active) {
		return c, bad("Active", c.Active, ErrNoSlave, "not one of Slaves")
	}
	if c.NetNS < 0 {
		return c, bad("NetNS", strconv.Itoa(c.NetNS), os.ErrInvalid, "not a file descriptor")
	}
	if c.NetNS != 0 && c.NetNSPath != "" {
		return c, bad("NetNSPath", c.NetNSPath, os.ErrInvalid, "NetNS is set too")
	}
	if err := c.checkIdentities(); err != nil {
		return c, err
	}
	return c, c.checkSender(c.Targets)
}

// checkIdentities checks Identity and MACs.
func (c *MonitorConfig) checkIdentities() error {
	bad := func(field, value string, err error, hint string) error {
		return &Error{Op: "config", Field: field, Value: value, Err: err, Hint: hint}
	}
	if c.Identity > IdentityExplicit {
		return bad("Identity", c.Identity.String(), os.ErrInvalid, "auto, device or explicit")
	}
	if c.Identity != IdentityExplicit {
		if len(c.MACs) != 0 {
			return bad("MACs", "", os.ErrInvalid, "only for the identity explicit")
		}
		return nil
	}
	given := make(map[MAC]string, len(c.Slaves))
	for _, name := range c.Slaves {
		a, ok := c.MACs[name]
		m := toMAC(a)
		switch {
		case !ok:
			return bad("MACs", name, os.ErrInvalid, "the identity explicit needs an address for every slave")
		case !m.unicast():
			return bad("MACs", a.String(), ErrUnsafeIdentity, "not a unicast address")
		case given[m] != "":
			return bad("MACs", a.String(), ErrDuplicate, "for "+given[m]+" and "+name)
		}
		given[m] = name
	}
	for name := range c.MACs {
		if !slices.Contains(c.Slaves, name) {
			return bad("MACs", name, ErrNoSlave, "not one of Slaves")
		}
	}
	return nil
}

// checkSender checks Sender as far as that can be told without the system.
func (c *MonitorConfig) checkSender(targets []Target) error {
	bad := func(err error, hint string) error {
		return &Error{Op: "config", Field: "Sender", Value: c.Sender.String(), Err: err, Hint: hint}
	}
	a := c.Sender.Unmap()
	switch {
	case !a.IsValid(), a.Is4() && a.IsUnspecified():
		return nil
	case !a.Is4(), a.IsLoopback(), a.IsMulticast(), a.As4() == [4]byte{255, 255, 255, 255}:
		return bad(os.ErrInvalid, "not an IPv4 address of a host")
	}
	for _, t := range targets {
		if t.Addr.Unmap() == a {
			return bad(ErrUnsafeIdentity, "it is a target's address")
		}
	}
	return nil
}
