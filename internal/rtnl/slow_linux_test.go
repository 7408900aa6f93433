// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// FuzzParseLinkAgainstSlow compares ParseLink with a decoder built from
// another library's parts and the kernel's constants as x/sys has them.
func FuzzParseLinkAgainstSlow(f *testing.F) {
	for _, b := range fuzzSeeds {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok, err := rtnl.ParseLink(b)
		want, wantOK, wantErr := slowParseLink(b)
		// The other library takes an attribute of length zero for an empty one.
		if err != nil && wantErr == nil && !hasZeroLength(b) {
			t.Fatalf("ParseLink: %v, want no error", err)
		}
		if err == nil && wantErr != nil {
			t.Fatalf("ParseLink: no error, want %v", wantErr)
		}
		if err != nil {
			return
		}
		if ok != wantOK {
			t.Fatalf("ParseLink: ok %v, want %v", ok, wantOK)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("link (-slow +got):\n%s", diff)
		}
	})
}

var errShort = errors.New("short")

func slowParseLink(b []byte) (l rtnl.Link, ok bool, err error) {
	if len(b) < unix.SizeofIfInfomsg {
		return l, false, errShort
	}
	family := b[0]
	l.Type = binary.NativeEndian.Uint16(b[2:4])
	l.Index = int(int32(binary.NativeEndian.Uint32(b[4:8])))
	l.Flags = binary.NativeEndian.Uint32(b[8:12])
	wireless := false

	ad, err := netlink.NewAttributeDecoder(b[unix.SizeofIfInfomsg:])
	if err != nil {
		return l, false, err
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.IFLA_ADDRESS:
			l.MAC = ad.Bytes()
		case unix.IFLA_PERM_ADDRESS:
			l.PermMAC = ad.Bytes()
		case unix.IFLA_IFNAME:
			l.Name = slowString(ad.Bytes())
		case unix.IFLA_MTU:
			l.MTU = ad.Uint32()
		case unix.IFLA_LINK:
			l.Parent = int(ad.Int32())
		case unix.IFLA_MASTER:
			l.Master = int(ad.Int32())
		case unix.IFLA_LINK_NETNSID:
			l.ParentNetNS, l.HasParentNetNS = int(ad.Int32()), true
		case unix.IFLA_OPERSTATE:
			l.OperState = rtnl.OperState(ad.Uint8())
		case unix.IFLA_CARRIER_CHANGES:
			l.CarrierChanges = ad.Uint32()
		case unix.IFLA_PARENT_DEV_NAME:
			l.ParentDev = slowString(ad.Bytes())
		case unix.IFLA_PARENT_DEV_BUS_NAME:
			l.ParentBus = slowString(ad.Bytes())
		case unix.IFLA_WIRELESS:
			wireless = true
		case unix.IFLA_LINKINFO:
			ad.Nested(func(nad *netlink.AttributeDecoder) error { return slowInfo(nad, &l) })
		}
	}
	if err := ad.Err(); err != nil {
		return l, false, err
	}
	if family != unix.AF_UNSPEC || wireless {
		return rtnl.Link{}, false, nil
	}
	return l, true, nil
}

func slowInfo(ad *netlink.AttributeDecoder, l *rtnl.Link) error {
	var data, slave []byte
	for ad.Next() {
		switch ad.Type() {
		case unix.IFLA_INFO_KIND:
			l.Kind = slowString(ad.Bytes())
		case unix.IFLA_INFO_SLAVE_KIND:
			l.SlaveKind = slowString(ad.Bytes())
		case unix.IFLA_INFO_DATA:
			data = ad.Bytes()
		case unix.IFLA_INFO_SLAVE_DATA:
			slave = ad.Bytes()
		}
	}
	if err := ad.Err(); err != nil {
		return err
	}
	if l.Kind == "bond" && data != nil {
		nad, err := netlink.NewAttributeDecoder(data)
		if err != nil {
			return err
		}
		d := &rtnl.Bond{}
		for nad.Next() {
			switch nad.Type() {
			case unix.IFLA_BOND_MODE:
				d.Mode = nad.Uint8()
			case unix.IFLA_BOND_ACTIVE_SLAVE:
				d.ActiveSlave = int(nad.Int32())
			case unix.IFLA_BOND_MIIMON:
				d.MIIMon = nad.Uint32()
			case unix.IFLA_BOND_ARP_INTERVAL:
				d.ARPInterval = nad.Uint32()
			case unix.IFLA_BOND_ARP_VALIDATE:
				d.ARPValidate = nad.Uint32()
			case unix.IFLA_BOND_FAIL_OVER_MAC:
				d.FailOverMAC = nad.Uint8()
			case unix.IFLA_BOND_ALL_SLAVES_ACTIVE:
				d.AllSlavesOn = nad.Uint8() != 0
			case unix.IFLA_BOND_MISSED_MAX:
				d.ARPMissedMax = nad.Uint8()
			}
		}
		if err := nad.Err(); err != nil {
			return err
		}
		l.Bond = d
	}
	if l.Kind == "macvlan" || l.Kind == "macvtap" {
		nad, err := netlink.NewAttributeDecoder(data)
		if err != nil {
			return err
		}
		for nad.Next() {
			if nad.Type() == unix.IFLA_MACVLAN_MODE {
				l.MacvlanMode = nad.Uint32()
			}
		}
		if err := nad.Err(); err != nil {
			return err
		}
	}
	if l.SlaveKind == "bond" && slave != nil {
		nad, err := netlink.NewAttributeDecoder(slave)
		if err != nil {
			return err
		}
		s := &rtnl.BondSlave{}
		for nad.Next() {
			switch nad.Type() {
			case unix.IFLA_BOND_SLAVE_STATE:
				s.State = nad.Uint8()
			case unix.IFLA_BOND_SLAVE_MII_STATUS:
				s.MIIStatus = nad.Uint8()
			case unix.IFLA_BOND_SLAVE_PERM_HWADDR:
				s.PermMAC = nad.Bytes()
			}
		}
		if err := nad.Err(); err != nil {
			return err
		}
		l.BondSlave = s
	}
	return nil
}

func slowString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// hasZeroLength reports whether b has a zero byte pair where some attribute,
// at any depth, could have its length.
func hasZeroLength(b []byte) bool {
	for i := unix.SizeofIfInfomsg; i+4 <= len(b); i += 4 {
		if b[i] == 0 && b[i+1] == 0 {
			return true
		}
	}
	return false
}
