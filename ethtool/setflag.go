// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/internal/rtnl"
)

const (
	// readBackFor is how long a device may be away after a change that resets
	// it, and readBackEvery how often it is asked meanwhile.
	readBackFor   = 10 * time.Second
	readBackEvery = 100 * time.Millisecond
)

// SetFlag sets one private flag of an interface, and reads it back. It
// needs CAP_NET_ADMIN in the user namespace that owns the network namespace, unless
// the flag has the value already: then nothing is sent, no driver called and nobody
// notified.
//
// Drivers may reset the port to change a flag: its carrier goes, often for seconds. Never
// do it to the only slave of a bond that works. Change.CarrierChanges has what was seen
// of that until the flag was read back; a carrier that comes back later is not in it.
//
// It is one flag a call because drivers lose changes otherwise: i40e asked for two
// flags forgets the reset for one of them, and ice makes some before it refuses
// another. Other flags are left alone: the kernel reads, changes and writes
// them in one step. On a kernel older than 5.7 it is done by ioctl (Change.Via), where that
// takes two steps, and a change that another program makes to another flag between them is
// undone.
//
// The error matches ErrUnknownFlag, whose Error has the flags that there are and
// perhaps which one was meant; ErrNoPrivateFlags; ErrReadOnly or else ErrRefused where the driver
// refuses, which it cannot explain; ErrBusy, as of drivers that want the interface down;
// os.ErrPermission; ErrNoDevice or ErrDeviceAway; and ErrNotVerified where the flag is not
// what it was set to. With an error too the Change says what was found afterwards, as
// far as it could be read: After is Before where nothing is known to have changed.
func (c *Client) SetFlag(ctx context.Context, link Link, name string, on bool) (Change, error) {
	change, err := c.setFlag(ctx, link, name, on)
	if err = opError("set flag", link, err); err != nil {
		if e, ok := err.(*Error); ok && e.Flag == "" { //nolint:errorlint // opError returns nothing else
			e.Flag = name
		}
	}
	return change, err
}

func (c *Client) setFlag(ctx context.Context, link Link, name string, on bool) (Change, error) {
	change := Change{Link: link, Control: ControlPrivateFlag, Name: name}
	l, err := c.resolve(ctx, link)
	if err != nil {
		return change, err
	}
	change.Link = linkOf(&l)
	flags, via, err := c.readFlags(ctx, &l)
	if err != nil {
		return change, err
	}
	was, ok := flags.Get(name)
	if !ok {
		return change, unknownFlag(name, flags)
	}
	change.Before, change.After = onOff(was), onOff(was)
	if was == on {
		change.Verified = true
		return change, nil
	}

	change.Changed, change.Via = true, via
	began := time.Now()
	refused := c.writeFlag(ctx, &l, via, name, on)
	change.Took = time.Since(began)
	if refused != nil {
		refused = c.flagRefused(ctx, &l, name, flags, refused)
	}

	// Drivers may do a part of what they then refuse: see what is there now.
	now, err := c.readBack(ctx, &l, via)
	if after, lerr := c.resolve(ctx, Link{Index: l.Index}); lerr == nil {
		change.CarrierChanges = int(after.CarrierChanges - l.CarrierChanges)
	}
	is, ok := now.Get(name)
	if err == nil && ok {
		change.After, change.Verified = onOff(is), refused == nil && is == on
	}
	switch {
	case refused != nil:
		return change, refused
	case err != nil:
		return change, &Error{Err: fmt.Errorf("%w: it cannot be read back: %w", ErrNotVerified, causeOf(err))}
	case !ok:
		return change, &Error{Err: fmt.Errorf("%w: the flag is gone", ErrNotVerified)}
	case is != on:
		return change, &Error{Err: fmt.Errorf("%w: the flag is %s", ErrNotVerified, onOff(is)), Hint: hintKernelLog}
	}
	return change, nil
}

// onOff is the text of a flag in a Change.
func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// writeFlag asks the kernel for the change.
func (c *Client) writeFlag(ctx context.Context, l *rtnl.Link, via Via, name string, on bool) error {
	if via == ViaIoctl {
		return c.ioctlWriteFlag(ctx, l, name, on)
	}
	_, err := c.generic(ctx, Request{
		Family: FamilyEthtool, Command: msgPrivFlagsSet,
		Attrs: appendNested(ethtoolHeader(privFlagsHeader, linkOf(l)), privFlagsFlags, oneBit(name, on)),
	})
	return err
}

// oneBit is a bit set that sets one bit and leaves the others alone.
func oneBit(name string, on bool) []byte {
	b := appendText(nil, bitName, name)
	if on {
		b = appendAttr(b, bitValue, nil)
	}
	return appendNested(nil, bitsetBits, appendNested(nil, bitsetBitsBit, b))
}

// ioctlWriteFlag reads all flags and writes them with one changed. The name is
// looked up again, because a driver may have other flags now.
func (c *Client) ioctlWriteFlag(ctx context.Context, l *rtnl.Link, name string, on bool) error {
	s, err := c.ioctlFlags(ctx, l)
	if err != nil {
		return err
	}
	value := make([]byte, 8)
	binary.NativeEndian.PutUint32(value, ioctlSetPrivFlags)
	for i, f := range s.list {
		if f.Name != name {
			continue
		}
		bits := s.value &^ (1 << i)
		if on {
			bits |= 1 << i
		}
		binary.NativeEndian.PutUint32(value[4:], bits)
		return c.ioctlWrite(ctx, l, value)
	}
	return unknownFlag(name, s.list)
}

// ioctlWrite is byName for what is not to be written twice: it asks again only where no interface
// had the name any more. A name that has gone to another interface since it was read is what
// is left of the race.
func (c *Client) ioctlWrite(ctx context.Context, l *rtnl.Link, value []byte) error {
	now, err := c.resolve(ctx, Link{Index: l.Index})
	for range ioctlRenames {
		if err != nil {
			return err
		}
		name := now.Name
		refused := c.ioctl(ctx, name, value)
		if !errors.Is(refused, syscall.ENODEV) {
			return refused
		}
		if now, err = c.resolve(ctx, Link{Index: l.Index}); err == nil && now.Name == name {
			return refused
		}
	}
	return errRenamed
}

// readBack reads the flags, and waits for a device that resets itself meanwhile.
func (c *Client) readBack(ctx context.Context, l *rtnl.Link, via Via) (Flags, error) {
	deadline := time.NewTimer(readBackFor)
	defer deadline.Stop()
	again := time.NewTicker(readBackEvery)
	defer again.Stop()
	for {
		flags, _, err := c.readFlags(ctx, l)
		if !errors.Is(err, ErrDeviceAway) && !errors.Is(err, ErrBusy) {
			return flags, err
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return nil, err
		case <-ctx.Done():
			return nil, err
		}
	}
}

// unknownFlag is the error for a flag that the driver does not have.
func unknownFlag(name string, flags Flags) error {
	e := &Error{Flag: name, Err: ErrUnknownFlag, Hint: didYouMean(name, flags)}
	for _, f := range flags {
		e.Known = append(e.Known, f.Name)
	}
	return e
}

// flagRefused says what it means that the kernel did not set a flag which the driver
// has.
func (c *Client) flagRefused(ctx context.Context, l *rtnl.Link, name string, flags Flags, err error) error {
	ke, ok := errors.AsType[*KernelError](err)
	if !ok || ke.Meaning != nil {
		return err
	}
	switch {
	case ke.Message == ackNoFlag: // the driver's flags have changed meanwhile
		e := unknownFlag(name, flags).(*Error) //nolint:errorlint // it returns nothing else
		e.Err = &KernelError{Errno: ke.Errno, Message: ke.Message, Meaning: ErrUnknownFlag}
		e.Message = ke.Message
		return e
	case ke.Errno == syscall.EOPNOTSUPP, ke.Errno == syscall.EINVAL && ke.Message == "":
		e := &Error{Message: ke.Message, Hint: hintKernelLog}
		meaning := ErrRefused
		if why := readOnlyFlag(c.driverName(ctx, l), name, flags); why != "" {
			meaning, e.Hint = ErrReadOnly, why
		}
		e.Err = &KernelError{Errno: ke.Errno, Message: ke.Message, Meaning: meaning}
		return e
	}
	return c.meant(ctx, l, err, ErrRefused)
}

// readOnlyFlag says why a driver only shows a flag, or "".
func readOnlyFlag(driver, name string, flags Flags) string {
	// i40e_gstrings_priv_flags and i40e_set_priv_flags in i40e_ethtool.c.
	if driver != "i40e" {
		return ""
	}
	switch name {
	case "MFP":
		return "it shows how the firmware divides the port; change that in the BIOS or with the vendor's tool"
	case "total-port-shutdown":
		return "it shows a setting of the BIOS"
	case "link-down-on-close":
		if on, _ := flags.Get("total-port-shutdown"); on {
			return "the BIOS setting total-port-shutdown forces it on"
		}
	}
	return ""
}

// driverName returns the name of the driver of an interface, or "" where it cannot be read.
func (c *Client) driverName(ctx context.Context, l *rtnl.Link) string {
	info := make([]byte, 196) // struct ethtool_drvinfo
	binary.NativeEndian.PutUint32(info, ioctlGetDriver)
	if err := c.byName(ctx, l, func(name string) error { return c.ioctl(ctx, name, info) }); err != nil {
		return ""
	}
	return strings.Clone(attr{data: info[4:36]}.text())
}
