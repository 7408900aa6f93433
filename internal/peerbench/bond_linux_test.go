// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package peerbench_test

import (
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	jsimonetti "github.com/jsimonetti/rtnetlink/v2"
	"github.com/jsimonetti/rtnetlink/v2/driver"
	vishvananda "github.com/vishvananda/netlink"

	"github.com/bondkit/bondkit/bond"
)

// captured reads an RTM_NEWLINK message of a real kernel, without the netlink
// header, from the test data of package bond.
func captured(b *testing.B, name string) []byte {
	b.Helper()
	text, err := os.ReadFile("../../bond/testdata/codec/6.12.117/" + name + ".hex")
	if err != nil {
		b.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.TrimSpace(line))
	}
	body, err := hex.DecodeString(digits.String())
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// freshBond and freshSlave keep what is decoded on the heap, as the others' is.
var (
	freshBond  *bond.Bond
	freshSlave *bond.Slave
)

// BenchmarkDecodeLink decodes a message about a bond or a slave. bondkit decodes
// into a struct that is used again, what the others do not offer.
func BenchmarkDecodeLink(b *testing.B) {
	for _, name := range []string{"lacp-bond", "lacp-slave", "ab-bond", "ab-slave"} {
		body := captured(b, name)
		isBond := strings.HasSuffix(name, "bond")
		b.Run(name+"/bondkit", func(b *testing.B) {
			var bo bond.Bond
			var sl bond.Slave
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if isBond {
					err = bo.Decode(body)
				} else {
					err = sl.Decode(body)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/bondkit-fresh", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if isBond {
					freshBond = new(bond.Bond)
					err = freshBond.Decode(body)
				} else {
					freshSlave = new(bond.Slave)
					err = freshSlave.Decode(body)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/vishvananda", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l, err := vishvananda.LinkDeserialize(nil, body)
				if err != nil {
					b.Fatal(err)
				}
				if isBond != (l.Type() == "bond") || !isBond && l.Attrs().Slave == nil {
					b.Fatal(l.Type())
				}
			}
		})
		b.Run(name+"/jsimonetti", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var m jsimonetti.LinkMessage
				if err := m.UnmarshalBinary(body); err != nil {
					b.Fatal(err)
				}
				ok := false
				if isBond {
					_, ok = m.Attributes.Info.Data.(*driver.Bond)
				} else {
					_, ok = m.Attributes.Info.SlaveData.(*driver.BondSlave)
				}
				if !ok {
					b.Fatal("not decoded by the driver")
				}
			}
		})
	}
}

// BenchmarkEncodeLink encodes a change of eight options of a bond. The message
// around them is part of jsimonetti's figure only; bondkit's with it is
// BenchmarkAppendLinkRequest in package bond. vishvananda's encoder works only
// with a socket.
func BenchmarkEncodeLink(b *testing.B) {
	b.Run("bondkit", func(b *testing.B) {
		o := bond.Options{
			Mode:            new(bond.ModeActiveBackup),
			MIIMon:          new(time.Duration(0)),
			ARPInterval:     new(time.Second),
			ARPTargets:      []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")},
			ARPValidate:     new(bond.ARPValidateAll),
			PrimaryReselect: new(bond.PrimaryReselectFailure),
			FailOverMAC:     new(bond.FailOverMACActive),
			NumPeerNotif:    new(uint8(3)),
		}
		buf := make([]byte, 0, 1024)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := o.AppendAttrs(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("jsimonetti", func(b *testing.B) {
		m := jsimonetti.LinkMessage{Index: 7, Attributes: &jsimonetti.LinkAttributes{Info: &jsimonetti.LinkInfo{Kind: "bond", Data: &driver.Bond{
			Mode:            driver.BondModeActiveBackup,
			Miimon:          new(uint32(0)),
			ArpInterval:     new(uint32(1000)),
			ArpIpTargets:    []net.IP{net.IPv4(192, 0, 2, 1), net.IPv4(192, 0, 2, 2)},
			ArpValidate:     new(driver.BondArpValidateAll),
			PrimaryReselect: new(driver.BondPrimaryReselectFailure),
			FailOverMac:     new(driver.BondFailOverMac(1)),
			NumPeerNotif:    new(uint8(3)),
		}}}}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := m.MarshalBinary(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
