// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/internal/lab"
)

// rigDial opens a client in the namespace of a lab's host.
func rigDial(t *testing.T, l *lab.Lab) *ethtool.Client {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{NetNS: l.Host().FD()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// rigRelease returns the first two numbers of the running kernel's release.
func rigRelease(t *testing.T) (major, minor int) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(u.Release[:])
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		t.Fatalf("kernel %q: %v", release, err)
	}
	return major, minor
}

// rigUntil polls until is reports true.
func rigUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(45 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

// rigIP runs a batch of the ip command in the host's namespace. Where the kernel lacks a kind of
// interface the test is skipped, or fails where everything has to be there.
func rigIP(t *testing.T, l *lab.Lab, lines ...string) {
	t.Helper()
	for _, line := range lines {
		_, err := l.Host().Run(t.Context(), append([]string{"ip"}, strings.Fields(line)...)...)
		if err == nil {
			continue
		}
		if strings.Contains(err.Error(), "Unknown device type") && os.Getenv("BONDKIT_KERNEL") != "require" {
			t.Skipf("not in this kernel: %v", err)
		}
		t.Fatal(err)
	}
}

// probePort is the UDP port of the probe.
const probePort = 9999

// probeFrame returns a broadcast with one byte of UDP data.
func probeFrame(src net.HardwareAddr, vlan int, data byte) []byte {
	b := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, src...)
	if vlan != 0 {
		b = binary.BigEndian.AppendUint16(append(b, 0x81, 0), uint16(vlan))
	}
	b = append(b, 0x08, 0)
	ip := []byte{0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0, 198, 51, 100, 77, 255, 255, 255, 255}
	sum := uint32(0)
	for i := 0; i < len(ip); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum+sum>>16))
	b = append(b, ip...)
	b = binary.BigEndian.AppendUint16(b, probePort)
	b = binary.BigEndian.AppendUint16(b, probePort)
	b = append(b, 0, 9, 0, 0, data)
	return append(b, make([]byte, max(0, 60-len(b)))...)
}

// probe says whether an interface of the host delivers to a UDP socket what comes from its
// own MAC address. It is sent from the device at the other end of the cable, between
// frames from another address that show that the path works.
func probe(t *testing.T, l *lab.Lab, dev, peer string, vlan int) ethtool.PruningState {
	t.Helper()
	var conn net.PacketConn
	err := l.Host().Do(func() error {
		lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) error {
			var err error
			if e := rc.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), dev) }); e != nil {
				return e
			}
			return err
		}}
		var err error
		conn, err = lc.ListenPacket(context.Background(), "udp4", fmt.Sprint(":", probePort))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	own, err := l.HardwareAddr(l.Host(), dev)
	if err != nil {
		t.Fatal(err)
	}
	const foreignData, ownData, lastData = 'f', 'o', 'l'
	foreign := net.HardwareAddr{0x02, 0, 0x5e, 0, 0x53, 0x77}
	send := func(src net.HardwareAddr, data byte) {
		if err := l.Host().Send(peer, probeFrame(src, vlan, data)); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(wait time.Duration) byte {
		conn.SetReadDeadline(time.Now().Add(wait))
		buf := make([]byte, 16)
		n, _, err := conn.ReadFrom(buf)
		if err != nil || n != 1 {
			return 0
		}
		return buf[0]
	}
	rigUntil(t, "the path to "+dev+" works", func() bool {
		send(foreign, foreignData)
		return receive(200*time.Millisecond) == foreignData
	})
	for range 3 {
		send(own, ownData)
	}
	send(foreign, lastData)
	delivered := 0
	for {
		switch receive(20 * time.Second) {
		case ownData:
			delivered++
		case lastData:
			switch delivered {
			case 0:
				return ethtool.Prunes
			case 3:
				return ethtool.Delivers
			}
			t.Fatalf("%s delivered %d of 3", dev, delivered)
		case foreignData:
		default:
			t.Fatalf("%s stopped receiving", dev)
		}
	}
}

// TestPruningProbe compares what SourcePruning says about virtual interfaces with what the
// running kernel does.
func TestPruningProbe(t *testing.T) {
	lab.Require(t)
	tests := []struct {
		name  string
		dev   string
		vlan  int
		lines []string
		value string
	}{
		{"veth", "x0", 0, nil, ""},
		{"macvlan private", "m0", 0, []string{"link add m0 link x0 type macvlan mode private"}, "private"},
		{"macvlan vepa", "m0", 0, []string{"link add m0 link x0 type macvlan mode vepa"}, "vepa"},
		{"macvlan bridge", "m0", 0, []string{"link add m0 link x0 type macvlan mode bridge"}, "bridge"},
		{"macvlan passthru", "m0", 0, []string{"link add m0 link x0 type macvlan mode passthru"}, ""},
		{"macvlan source", "m0", 0, []string{
			"link add m0 link x0 type macvlan mode source", "link set m0 type macvlan macaddr add 02:00:5e:00:53:77",
		}, ""},
		{"VLAN on veth", "x0.5", 5, []string{"link add link x0 name x0.5 type vlan id 5"}, ""},
		{"VLAN on macvlan vepa", "m0.5", 5, []string{
			"link add m0 link x0 type macvlan mode vepa", "link set m0 up", "link add link m0 name m0.5 type vlan id 5",
		}, "vepa"},
		{"VLAN on macvlan private", "m0.5", 5, []string{
			"link add m0 link x0 type macvlan mode private", "link set m0 up", "link add link m0 name m0.5 type vlan id 5",
		}, "private"},
		{"macvlan private on VLAN", "m0", 5, []string{
			"link add link x0 name x0.5 type vlan id 5", "link set x0.5 up", "link add m0 link x0.5 type macvlan mode private",
		}, "private"},
	}
	l := lab.Start(t, nil)
	c := rigDial(t, l)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rigIP(t, l, "link add x0 type veth peer name x1", "link set x0 up", "link set x1 up")
			defer rigIP(t, l, "link del x1")
			rigIP(t, l, tt.lines...)
			rigIP(t, l, "link set "+tt.dev+" up", "addr add 198.51.100.1/24 dev "+tt.dev)
			got, err := c.SourcePruning(t.Context(), ethtool.Link{Name: tt.dev})
			if err != nil {
				t.Fatal(err)
			}
			want := probe(t, l, tt.dev, "x1", tt.vlan)
			if major, minor := rigRelease(t); tt.name == "macvlan bridge" && major == 6 && minor == 19 {
				want = ethtool.PruningUnknown // Not one of the kernels that are known.
			}
			if got.State != want || got.Value != tt.value || got.Link.Name != tt.dev {
				t.Errorf("%s: the kernel %v, SourcePruning says %+v", tt.dev, want, got)
			}
			t.Logf("%v: %s", got.State, got.Reason)
		})
	}
}

// TestPruningSetProbe switches a macvlan, and a VLAN on it, and sees what the kernel does
// with it.
func TestPruningSetProbe(t *testing.T) {
	lab.Require(t)
	l := lab.Start(t, nil)
	c := rigDial(t, l)
	rigIP(t, l, "link add x0 type veth peer name x1", "link set x0 up", "link set x1 up",
		"link add m0 link x0 type macvlan mode private", "link set m0 up",
		"link add link m0 name m0.5 type vlan id 5", "link set m0.5 up", "addr add 198.51.100.1/24 dev m0.5")
	for _, tt := range []struct {
		dev     string
		prune   bool
		mode    string
		changed bool
	}{
		{"m0", true, "vepa", true},
		{"m0", true, "vepa", false},
		{"m0.5", false, "private", true},
		{"m0.5", false, "private", false},
		{"m0.5", true, "vepa", true},
		{"m0", false, "private", true},
	} {
		change, err := c.SetSourcePruning(t.Context(), ethtool.Link{Name: tt.dev}, tt.prune)
		if err != nil {
			t.Fatal(err)
		}
		if change.Link.Name != "m0" || change.After != tt.mode || change.Changed != tt.changed || !change.Verified ||
			change.CarrierChanges != 0 || change.Control != ethtool.ControlMacvlanMode {
			t.Errorf("%s %v: %+v", tt.dev, tt.prune, change)
		}
		if got := probe(t, l, "m0.5", "x1", 5) == ethtool.Prunes; got != tt.prune {
			t.Errorf("after %+v the kernel prunes: %v", change, got)
		}
	}

	for _, mode := range []string{"passthru", "source"} {
		rigIP(t, l, "link del m0", "link add m0 link x0 type macvlan mode "+mode)
		change, err := c.SetSourcePruning(t.Context(), ethtool.Link{Name: "m0"}, true)
		if !errors.Is(err, ethtool.ErrHardWired) || change.Changed {
			t.Errorf("%s: %v, %+v", mode, err, change)
		}
	}
}
