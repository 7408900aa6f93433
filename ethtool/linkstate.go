// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// LinkState is what ETHTOOL_MSG_LINKSTATE_GET (Linux 5.6) says. In JSON, what is not
// known is left out, and the Has fields are not there.
type LinkState struct {
	// Detected is "Link detected" of ethtool(8). HasDetected is false where the driver
	// cannot tell, as i40e in its recovery mode.
	Detected    bool
	HasDetected bool
	// State says why there is no link (Linux 5.9, few drivers), and Substate more of
	// it. Drivers tell it only while the interface is up. [LinkState.SubstateText] has words
	// for Substate, 0 is none.
	State    ExtState
	Substate uint8
	HasState bool
	// SQI is the signal quality index, from 0 to SQIMax. HasSQI says that the PHY has one.
	SQI    uint32
	SQIMax uint32
	HasSQI bool
	// DownCount is how often the PHY has seen the link go down (Linux 6.3, few drivers).
	DownCount    uint32
	HasDownCount bool
}

// LinkState asks whether the interface has a link and, where the driver knows, why not.
// With kernels before 5.6 it says Detected only. The error is an *[Error]. It matches
// ErrNoDevice or ErrDeviceAway.
func (c *Client) LinkState(ctx context.Context, link Link) (LinkState, error) {
	s, err := c.linkState(ctx, link)
	return s, opError("read link state of", link, err)
}

const (
	msgLinkStateGet = 6

	headerFlags = 3
	headerStats = 1 << 2 // ETHTOOL_FLAG_STATS

	ioctlGetLink     = 0x0a // ETHTOOL_GLINK
	ioctlGetPermAddr = 0x20 // ETHTOOL_GPERMADDR

	linkStateHeader   = 1
	linkStateLink     = 2
	linkStateSQI      = 3
	linkStateSQIMax   = 4
	linkStateExt      = 5
	linkStateSubstate = 6
	linkStateDownCnt  = 7
)

func (c *Client) linkState(ctx context.Context, link Link) (LinkState, error) {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return LinkState{}, err
	}
	header := appendUint32(nil, headerDevIndex, uint32(l.Index))
	ask := func(header []byte) ([]Message, error) {
		return c.generic(ctx, Request{
			Family: FamilyEthtool, Command: msgLinkStateGet,
			Attrs: appendNested(nil, linkStateHeader, header),
		})
	}
	replies, err := ask(appendUint32(slices.Clip(header), headerFlags, headerStats))
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EOPNOTSUPP) {
		// Kernels before 6.3 count nothing here, and do not know the flag that asks for it.
		replies, err = ask(header)
	}
	if errors.Is(err, ErrKernelTooOld) {
		return c.linkStateIoctl(ctx, &l)
	}
	if err != nil {
		return LinkState{}, c.meant(ctx, &l, err, errNotTold)
	}
	for _, m := range replies {
		if m.Command == msgLinkStateGet {
			return decodeLinkState(m.Attrs)
		}
	}
	return LinkState{}, fmt.Errorf("%w: no answer", ErrMalformed)
}

// decodeLinkState reads the attributes of an ETHTOOL_MSG_LINKSTATE_GET_REPLY.
func decodeLinkState(b []byte) (LinkState, error) {
	var s LinkState
	var max bool
	for a, err := range attrs(b) {
		if err != nil {
			return LinkState{}, err
		}
		switch a.typ {
		case linkStateLink:
			var v uint8
			v, err = attrUint[uint8](a)
			s.Detected, s.HasDetected = v != 0, true
		case linkStateSQI:
			s.SQI, err = attrUint[uint32](a)
			s.HasSQI = true
		case linkStateSQIMax:
			s.SQIMax, err = attrUint[uint32](a)
			max = true
		case linkStateExt:
			var v uint8
			v, err = attrUint[uint8](a)
			s.State, s.HasState = ExtState(v), true
		case linkStateSubstate:
			s.Substate, err = attrUint[uint8](a)
		case linkStateDownCnt:
			s.DownCount, err = attrUint[uint32](a)
			s.HasDownCount = true
		}
		if err != nil {
			return LinkState{}, err
		}
	}
	if s.HasSQI != max {
		// Kernels before 6.9 may send one of the two.
		s.SQI, s.SQIMax, s.HasSQI = 0, 0, false
	}
	if !s.HasState {
		s.Substate = 0
	}
	return s, nil
}

// attrUint returns an unsigned number of exactly the size of T.
func attrUint[T uint8 | uint16 | uint32 | uint64](a attr) (T, error) {
	if size := binary.Size(T(0)); len(a.data) != size {
		return 0, fmt.Errorf("%w: attribute %d has %d bytes, want %d", ErrMalformed, a.typ, len(a.data), size)
	}
	v, err := a.uint()
	return T(v), err
}

// linkStateIoctl asks the way of kernels before 5.6.
func (c *Client) linkStateIoctl(ctx context.Context, l *rtnl.Link) (LinkState, error) {
	value := make([]byte, 8) // struct ethtool_value
	err := c.byName(ctx, l, func(name string) error {
		binary.NativeEndian.PutUint32(value, ioctlGetLink)
		binary.NativeEndian.PutUint32(value[4:], 0)
		return c.ioctl(ctx, name, value)
	})
	switch {
	case errors.Is(err, syscall.EOPNOTSUPP):
		return LinkState{}, nil
	case err != nil:
		return LinkState{}, c.meant(ctx, l, err, errNotTold)
	}
	return LinkState{Detected: binary.NativeEndian.Uint32(value[4:]) != 0, HasDetected: true}, nil
}

// PermanentMAC returns the address that the device was made with, and nil where it has none, as
// veth. The error is an *[Error]. It matches ErrNoDevice.
func (c *Client) PermanentMAC(ctx context.Context, link Link) (net.HardwareAddr, error) {
	mac, err := c.permanentMAC(ctx, link)
	return mac, opError("read permanent address of", link, err)
}

// permanentLen is MAX_ADDR_LEN of <linux/netdevice.h>.
const permanentLen = 32

func (c *Client) permanentMAC(ctx context.Context, link Link) (net.HardwareAddr, error) {
	l, err := c.resolve(ctx, link)
	if err != nil || len(l.PermMAC) > 0 {
		return l.PermMAC, err
	}
	// The kernel leaves it out where there is none, and before 5.6 always.
	buf := make([]byte, 8+permanentLen) // struct ethtool_perm_addr
	err = c.byName(ctx, &l, func(name string) error {
		clear(buf)
		binary.NativeEndian.PutUint32(buf, ioctlGetPermAddr)
		binary.NativeEndian.PutUint32(buf[4:], permanentLen)
		return c.ioctl(ctx, name, buf)
	})
	switch {
	case errors.Is(err, syscall.EOPNOTSUPP):
		return nil, nil
	case err != nil:
		return nil, c.meant(ctx, &l, err, errNotTold)
	}
	return decodePermanentMAC(buf)
}

// decodePermanentMAC reads a struct ethtool_perm_addr.
func decodePermanentMAC(b []byte) (net.HardwareAddr, error) {
	if len(b) < 8 {
		return nil, fmt.Errorf("%w: %d bytes of a permanent address", ErrMalformed, len(b))
	}
	n, mac := binary.NativeEndian.Uint32(b[4:]), b[8:]
	if int64(n) > int64(len(mac)) {
		return nil, fmt.Errorf("%w: permanent address of %d bytes", ErrMalformed, n)
	}
	if mac = mac[:n]; len(bytes.Trim(mac, "\x00")) == 0 {
		return nil, nil
	}
	return bytes.Clone(mac), nil
}

// linkStateJSON is a LinkState as it is in JSON.
type linkStateJSON struct {
	Detected  *bool     `json:"detected,omitzero"`
	State     *ExtState `json:"state,omitzero"`
	Substate  string    `json:"substate,omitzero"`
	SQI       *uint32   `json:"sqi,omitzero"`
	SQIMax    *uint32   `json:"sqi_max,omitzero"`
	DownCount *uint32   `json:"down_count,omitzero"`
}

// MarshalJSON returns an object with the keys detected, state, substate, sqi, sqi_max and
// down_count, without those that are not known.
func (s LinkState) MarshalJSON() ([]byte, error) {
	var j linkStateJSON
	if s.HasDetected {
		j.Detected = &s.Detected
	}
	if s.HasState {
		j.State, j.Substate = &s.State, s.SubstateText()
	}
	if s.HasSQI {
		j.SQI, j.SQIMax = &s.SQI, &s.SQIMax
	}
	if s.HasDownCount {
		j.DownCount = &s.DownCount
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (s *LinkState) UnmarshalJSON(b []byte) error {
	var j linkStateJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	var read LinkState
	if j.Detected != nil {
		read.Detected, read.HasDetected = *j.Detected, true
	}
	if j.State != nil {
		read.State, read.HasState = *j.State, true
		var err error
		if read.Substate, err = parseSubstate(read.State, j.Substate); err != nil {
			return err
		}
	}
	if j.SQI != nil && j.SQIMax != nil {
		read.SQI, read.SQIMax, read.HasSQI = *j.SQI, *j.SQIMax, true
	}
	if j.DownCount != nil {
		read.DownCount, read.HasDownCount = *j.DownCount, true
	}
	*s = read
	return nil
}
