// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"errors"
	"math"
	"os"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Numbers of <linux/ethtool_netlink.h>.
const (
	ethtoolVersion          = 1
	ethtoolLinkModesGet     = 4
	ethtoolLinkModesHeader  = 1
	ethtoolLinkModesSpeed   = 5
	ethtoolLinkModesDuplex  = 6
	ethtoolHeaderIndex      = 1
	ethtoolDuplexHalf       = 0
	ethtoolDuplexFull       = 1
	genericHeaderLen        = 4
	genericControlGetFamily = 3
)

var errNoFamily = errors.New("no such family")

// readSpeeds asks for the speeds of interfaces, by index, in a network namespace, or in that
// of the caller if the path is empty. What cannot be known is not in the map.
//
// The answer is that of ethtool over netlink (Linux 5.6), which belongs to the
// namespace of the socket. The files below /sys/class/net belong to the namespace that
// /sys was mounted in, and so may be about other interfaces of the same names.
func readSpeeds(netns string, indexes []int) map[int]speed {
	if len(indexes) == 0 {
		return nil
	}
	var cfg netlink.Config
	if netns != "" {
		f, err := os.Open(netns)
		if err != nil {
			return nil
		}
		defer f.Close()
		cfg.NetNS = int(f.Fd())
	}
	conn, err := netlink.Dial(unix.NETLINK_GENERIC, &cfg)
	if err != nil {
		return nil
	}
	defer conn.Close()
	family, err := ethtoolFamily(conn)
	if err != nil {
		return nil
	}
	speeds := make(map[int]speed, len(indexes))
	for _, index := range indexes {
		if s, err := readSpeed(conn, family, index); err == nil && s.mbps != 0 {
			speeds[index] = s
		}
	}
	return speeds
}

// ethtoolFamily returns the number that the kernel gave to ethtool.
func ethtoolFamily(conn *netlink.Conn) (netlink.HeaderType, error) {
	enc := netlink.NewAttributeEncoder()
	enc.String(unix.CTRL_ATTR_FAMILY_NAME, "ethtool")
	replies, err := genericRequest(conn, unix.GENL_ID_CTRL, genericControlGetFamily, 1, enc)
	if err != nil {
		return 0, err
	}
	for _, dec := range replies {
		for dec.Next() {
			if dec.Type() == unix.CTRL_ATTR_FAMILY_ID {
				return netlink.HeaderType(dec.Uint16()), dec.Err()
			}
		}
	}
	return 0, errNoFamily
}

// readSpeed asks for the speed of one interface.
func readSpeed(conn *netlink.Conn, family netlink.HeaderType, index int) (speed, error) {
	enc := netlink.NewAttributeEncoder()
	enc.Nested(ethtoolLinkModesHeader, func(enc *netlink.AttributeEncoder) error {
		enc.Uint32(ethtoolHeaderIndex, uint32(index))
		return nil
	})
	replies, err := genericRequest(conn, family, ethtoolLinkModesGet, ethtoolVersion, enc)
	if err != nil {
		return speed{}, err
	}
	var s speed
	for _, dec := range replies {
		for dec.Next() {
			switch dec.Type() {
			case ethtoolLinkModesSpeed:
				// SPEED_UNKNOWN is -1. Some drivers say 65535, the -1 of older days.
				if v := dec.Uint32(); v != math.MaxUint32 && v != math.MaxUint16 {
					s.mbps = v
				}
			case ethtoolLinkModesDuplex:
				switch dec.Uint8() {
				case ethtoolDuplexHalf:
					s.duplex = "half"
				case ethtoolDuplexFull:
					s.duplex = "full"
				}
			}
		}
		if err := dec.Err(); err != nil {
			return speed{}, err
		}
	}
	return s, nil
}

// genericRequest sends a request of generic netlink and returns the attributes of
// the replies.
func genericRequest(conn *netlink.Conn, family netlink.HeaderType, command, version byte, enc *netlink.AttributeEncoder) ([]*netlink.AttributeDecoder, error) {
	attrs, err := enc.Encode()
	if err != nil {
		return nil, err
	}
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: family, Flags: netlink.Request},
		Data:   append([]byte{command, version, 0, 0}, attrs...),
	})
	if err != nil {
		return nil, err
	}
	var decs []*netlink.AttributeDecoder
	for _, m := range messages {
		if len(m.Data) < genericHeaderLen {
			continue
		}
		dec, err := netlink.NewAttributeDecoder(m.Data[genericHeaderLen:])
		if err != nil {
			return nil, err
		}
		decs = append(decs, dec)
	}
	return decs, nil
}
