// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Values of settings.
const (
	settingOn  = "on"
	settingOff = "off"

	bridgeVEB  = "veb"
	bridgeVEPA = "vepa"

	macvlanPrivate  = "private"
	macvlanVEPA     = "vepa"
	macvlanBridge   = "bridge"
	macvlanPassthru = "passthru"
	macvlanSource   = "source"
)

// errNoSetting: the interface has no setting of that kind.
var errNoSetting error = &meaning{"the interface has no such setting", errors.ErrUnsupported}

// parseOnOff reads a value of a flag or a feature.
func parseOnOff(value string) (bool, error) {
	if value != settingOn && value != settingOff {
		return false, &Error{Err: ErrBadValue, Hint: "want on or off"}
	}
	return value == settingOn, nil
}

// readSetting returns the value of a setting: "on" or "off" of a private flag or a
// feature, the word of a mode. name is that of the flag or the feature, and
// empty for a mode. The error matches errors.ErrUnsupported where there is no
// such setting.
func (c *Client) readSetting(ctx context.Context, link Link, control Control, name string) (string, error) {
	value, err := c.settingValue(ctx, link, control, name)
	return value, c.settingError(ctx, "read setting", link, name, err)
}

func (c *Client) settingValue(ctx context.Context, link Link, control Control, name string) (string, error) {
	if control == ControlPrivateFlag {
		return c.flagSetting(ctx, link, name)
	}
	l, err := c.resolve(ctx, link)
	if err != nil {
		return "", err
	}
	switch control {
	case ControlMacvlanMode:
		if l.MacvlanMode == 0 {
			return "", errNoSetting
		}
		return macvlanModeText(l.MacvlanMode), nil
	case ControlBridgeMode:
		return c.readBridgeMode(ctx, l.Index)
	case ControlFeature:
		return c.readFeature(ctx, linkOf(&l), name)
	case ControlPrivateFlag, ControlHost, controlNone:
	}
	return "", errNoSetting
}

func (c *Client) flagSetting(ctx context.Context, link Link, name string) (string, error) {
	flags, err := c.Flags(ctx, link)
	if err != nil {
		return "", err
	}
	on, ok := flags.Get(name)
	if !ok {
		return "", unknownFlag(name, flags)
	}
	return onOff(on), nil
}

// writeSetting gives a setting a value, unless it has it, and reads it back. The
// Change is valid with an error that matches ErrNotVerified too.
func (c *Client) writeSetting(ctx context.Context, link Link, control Control, name, value string) (Change, error) {
	const op = "set"
	if control == ControlPrivateFlag {
		on, err := parseOnOff(value)
		if err != nil {
			return Change{}, c.settingError(ctx, op, link, name, err)
		}
		return c.SetFlag(ctx, link, name, on)
	}
	change, err := c.changeSetting(ctx, link, control, name, value)
	return change, c.settingError(ctx, op, link, name, err)
}

func (c *Client) changeSetting(ctx context.Context, link Link, control Control, name, value string) (Change, error) {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return Change{}, err
	}
	change := Change{Link: linkOf(&l), Control: control, Name: name}
	link = Link{Index: l.Index} // a rename meanwhile does no harm
	write, err := c.settingWriter(link, l.Kind, control, name, value)
	if err != nil {
		return change, err
	}
	before, err := c.settingValue(ctx, link, control, name)
	if err != nil {
		return change, err
	}
	change.Before, change.After = before, before
	if before == value {
		change.Verified = true
		return change, nil
	}
	start := time.Now()
	err = write(ctx)
	change.Took = time.Since(start)
	// An answer that was lost may hide a change that was made.
	after, readErr := c.settingValue(ctx, link, control, name)
	if readErr == nil {
		change.After = after
		change.Changed = err == nil || after != before
	}
	if now, err := c.resolve(ctx, link); err == nil {
		change.CarrierChanges = int(now.CarrierChanges - l.CarrierChanges)
	}
	switch {
	case err != nil:
		return change, err
	case readErr != nil:
		change.Changed, change.Via = true, ViaNetlink
		return change, fmt.Errorf("%w: it cannot be read back: %w", ErrNotVerified, causeOf(c.settingError(ctx, "", link, name, readErr)))
	}
	change.Via = ViaNetlink
	if after != value {
		return change, fmt.Errorf("%w: it is %s and not %s", ErrNotVerified, printable(after), value)
	}
	change.Verified = true
	return change, nil
}

// settingWriter returns what asks the kernel to change a setting.
func (c *Client) settingWriter(link Link, kind string, control Control, name, value string) (func(context.Context) error, error) {
	index := int32(link.Index)
	switch control {
	case ControlMacvlanMode:
		mode, ok := parseMacvlanMode(value)
		if !ok {
			return nil, badSetting("mode", value, macvlanPrivate, macvlanVEPA, macvlanBridge, macvlanPassthru, macvlanSource)
		}
		return func(ctx context.Context) error { return c.sendMacvlanMode(ctx, index, kind, mode) }, nil
	case ControlBridgeMode:
		mode := slices.Index([]string{bridgeVEB, bridgeVEPA}, value)
		if mode < 0 {
			return nil, badSetting("bridge mode", value, bridgeVEB, bridgeVEPA)
		}
		return func(ctx context.Context) error { return c.sendBridgeMode(ctx, index, uint16(mode)) }, nil
	case ControlFeature:
		on, err := parseOnOff(value)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return c.sendFeature(ctx, link, name, on) }, nil
	case ControlPrivateFlag, ControlHost, controlNone:
	}
	return nil, errNoSetting
}

func badSetting(what, value string, takes ...string) error {
	return &Error{Err: fmt.Errorf("%w: %s is no %s", ErrBadValue, printable(value), what), Hint: fmt.Sprintf("it takes %q", takes)}
}

// settingError makes an *Error of what went wrong, with the meaning of the kernel's answer.
func (c *Client) settingError(ctx context.Context, op string, link Link, name string, err error) error {
	if err == nil {
		return nil
	}
	// What wraps the kernel's answer has a meaning already.
	if ke, ok := err.(*KernelError); ok { //nolint:errorlint // see above
		if ke.Meaning == nil && ke.Errno == syscall.EINVAL {
			ke = &KernelError{Errno: ke.Errno, Message: ke.Message, Meaning: ErrRefused}
		}
		err = c.meant(ctx, &rtnl.Link{Index: link.Index, Name: link.Name}, ke, errNoSetting)
	}
	err = opError(op, link, err)
	if e, ok := errors.AsType[*Error](err); ok && e.Flag == "" {
		e.Flag = name
	}
	return err
}

// Numbers of rtnetlink about modes.
const (
	rtmFamilyBridge = 7 // AF_BRIDGE

	iflaLinkInfo = 18
	iflaAFSpec   = 26

	iflaInfoKind    = 1
	iflaInfoData    = 2
	iflaMacvlanMode = 1

	iflaBridgeFlags = 0
	iflaBridgeMode  = 1
	bridgeFlagSelf  = 2
)

// macvlanModes are the modes in the order of their bits (MACVLAN_MODE_ in <linux/if_link.h>).
func macvlanModes() []string {
	return []string{macvlanPrivate, macvlanVEPA, macvlanBridge, macvlanPassthru, macvlanSource}
}

// macvlanModeText returns the kernel's word for a mode, or its number.
func macvlanModeText(mode uint32) string {
	for i, word := range macvlanModes() {
		if mode == 1<<i {
			return word
		}
	}
	return fmt.Sprintf("mode(%d)", mode)
}

func parseMacvlanMode(word string) (uint32, bool) {
	i := slices.Index(macvlanModes(), word)
	if i < 0 {
		return 0, false
	}
	return 1 << i, true
}

// linkBody returns struct ifinfomsg.
func linkBody(family byte, index int32) []byte {
	body := make([]byte, ifInfoLen)
	body[0] = family
	binary.NativeEndian.PutUint32(body[4:], uint32(index))
	return body
}

// sendMacvlanMode changes what ip link set dev NAME type macvlan mode does.
func (c *Client) sendMacvlanMode(ctx context.Context, index int32, kind string, mode uint32) error {
	info := appendText(nil, iflaInfoKind, kind)
	info = appendNested(info, iflaInfoData, appendUint32(nil, iflaMacvlanMode, mode))
	_, err := c.route(ctx, RouteRequest{Type: rtmNewLink, Data: appendNested(linkBody(0, index), iflaLinkInfo, info)})
	return err
}

// sendBridgeMode changes what bridge link set dev NAME hwmode does.
func (c *Client) sendBridgeMode(ctx context.Context, index int32, mode uint16) error {
	spec := appendAttr(nil, iflaBridgeFlags, binary.NativeEndian.AppendUint16(nil, bridgeFlagSelf))
	spec = appendAttr(spec, iflaBridgeMode, binary.NativeEndian.AppendUint16(nil, mode))
	_, err := c.route(ctx, RouteRequest{Type: rtmSetLink, Data: appendNested(linkBody(rtmFamilyBridge, index), iflaAFSpec, spec)})
	return err
}

// readBridgeMode returns the mode of the bridge in a NIC. The kernel tells it in a dump
// only.
func (c *Client) readBridgeMode(ctx context.Context, index int) (string, error) {
	replies, err := c.route(ctx, RouteRequest{Type: rtmGetLink, Flags: nlmDump, Data: linkBody(rtmFamilyBridge, 0)})
	if err != nil {
		return "", err
	}
	for _, b := range replies {
		if len(b) < ifInfoLen || int(int32(binary.NativeEndian.Uint32(b[4:]))) != index {
			continue
		}
		mode, ok, err := parseBridgeMode(b[ifInfoLen:])
		if err != nil || ok {
			return mode, err
		}
	}
	return "", errNoSetting
}

// parseBridgeMode finds IFLA_BRIDGE_MODE in the attributes of a message.
func parseBridgeMode(b []byte) (mode string, ok bool, err error) {
	for a, err := range attrs(b) {
		if err != nil {
			return "", false, err
		}
		if a.typ != iflaAFSpec {
			continue
		}
		for inner, err := range attrs(a.data) {
			if err != nil {
				return "", false, err
			}
			if inner.typ != iflaBridgeMode {
				continue
			}
			n, err := inner.uint()
			if err != nil {
				return "", false, err
			}
			if n < 2 {
				return []string{bridgeVEB, bridgeVEPA}[n], true, nil
			}
			return fmt.Sprintf("mode(%d)", n), true, nil
		}
	}
	return "", false, nil
}
