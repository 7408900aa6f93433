// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/lab"
)

// waitReport waits until the report of some traffic is as wanted.
func waitReport(t *testing.T, tr *lab.Traffic, what string, f func(lab.TrafficReport) bool) {
	t.Helper()
	eventually(t, what, func() bool { return f(tr.Report()) })
}

// startTraffic starts 50 packets a second from A.
func startTraffic(t *testing.T, l *lab.Lab) *lab.Traffic {
	t.Helper()
	tr, err := l.StartTraffic(t.Context(), "A", 50)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func TestTraffic(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	tr := startTraffic(t, l)
	other, err := l.StartTraffic(t.Context(), "B", 50)
	if err != nil {
		t.Fatal("two streams at once:", err)
	}
	waitReport(t, tr, "10 packets", func(r lab.TrafficReport) bool { return r.Sent >= 10 })
	// A later report leaves out what was answered late.
	waitReport(t, tr, "nothing lost in a healthy network", func(r lab.TrafficReport) bool { return len(r.Lost) == 0 })
	broken := time.Now()
	f := inject(t, l, "drop-rx e1")
	waitReport(t, tr, "5 lost packets", func(r lab.TrafficReport) bool { return len(r.Lost) >= 5 })
	undo(t, f)
	repaired := time.Now()
	waitReport(t, tr, "packets after the repair", func(r lab.TrafficReport) bool { return time.Since(repaired) > 1300*time.Millisecond })
	r := tr.Stop()
	// What was under way at either end may be lost or not.
	const slack = 50 * time.Millisecond
	if n := r.Except(broken.Add(-slack), repaired.Add(slack)); n != 0 || len(r.Lost) < 5 {
		t.Errorf("%d of %d lost, %d of them out of time", len(r.Lost), r.Sent, n)
	}
	if r.Sent < len(r.Lost)+10 {
		t.Errorf("%d sent, %d lost", r.Sent, len(r.Lost))
	}
	if r := other.Stop(); len(r.Lost) == 0 || r.Except(broken.Add(-slack), repaired.Add(slack)) != 0 {
		t.Errorf("the other stream lost %d", len(r.Lost))
	}
	for _, args := range []struct {
		from string
		pps  int
	}{{"C", 20}, {"A", 0}, {"A", 1 << 20}} {
		if _, err := l.StartTraffic(t.Context(), args.from, args.pps); !errors.Is(err, lab.ErrConfig) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// ports returns where the switches have learned the MAC address of the host.
func ports(t *testing.T, l *lab.Lab) map[string]string {
	t.Helper()
	at := make(map[string]string)
	for _, sw := range []string{l.Switch(1), l.Switch(2), l.Core()} {
		fdb, err := l.FDB(t.Context(), sw)
		if err != nil {
			t.Fatal(err)
		}
		at[sw] = fdb[lab.MAC(l.BondMAC())]
	}
	return at
}

// testFailover moves the active slave there and back under traffic, and checks
// that nothing is lost but around the move, and what the switches and the target
// make of it.
func testFailover(t *testing.T, l *lab.Lab) {
	onE1 := map[string]string{"sw1": "p1", "sw2": "u2", "core": "d1"}
	onE2 := map[string]string{"sw1": "u1", "sw2": "p2", "core": "d2"}
	settled := func(want map[string]string) {
		t.Helper()
		eventually(t, "the switches have learned", func() bool { return cmp.Equal(want, ports(t, l)) })
	}
	active := func(want int) {
		t.Helper()
		if got, err := l.Active(t.Context()); got != want || err != nil {
			t.Errorf("active slave %d, %v; want %d", got, err, want)
		}
	}
	active(1)
	settled(onE1)
	tr := startTraffic(t, l)
	neighbour := func() {
		t.Helper()
		table, err := l.Neighbours(t.Context(), "A")
		if n := table[l.Addr(lab.HostName)]; err != nil || n.MAC != lab.MAC(l.BondMAC()) || n.State == "" {
			t.Errorf("neighbours of A: %v, %v", table, err)
		}
	}
	neighbour()
	// The failover may cost what is sent while it goes on, and in the second
	// after it.
	var start, end time.Time
	lossless := func(when string) {
		t.Helper()
		waitReport(t, tr, when+": nothing lost away from the failover", func(r lab.TrafficReport) bool {
			return r.Except(start, end.Add(time.Second)) == 0
		})
	}
	start = time.Now()
	if err := l.Failover(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	end = time.Now()
	active(2)
	settled(onE2)
	// A packet is reported a second after it was sent.
	waitReport(t, tr, "traffic after the failover", func(lab.TrafficReport) bool { return time.Since(end) > 2500*time.Millisecond })
	lossless("after a failover")
	neighbour()
	if err := l.Failover(t.Context(), 2); err != nil {
		t.Error("failover to the active slave:", err)
	}
	active(2)
	// Only the active slave hears and answers for the host.
	f := inject(t, l, "drop-rx e1")
	sent := tr.Report().Sent
	waitReport(t, tr, "packets with the backup deaf", func(r lab.TrafficReport) bool { return r.Sent > sent+60 })
	lossless("with the backup deaf")
	undo(t, f)
	tr.Stop()
	if err := l.Failover(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	active(1)
	settled(onE1)
	tr = startTraffic(t, l)
	if r := tr.Stop(); len(r.Lost) != 0 {
		t.Errorf("lost after the way back: %v", r.Lost)
	}
	for _, to := range []int{0, 3} {
		if err := l.Failover(t.Context(), to); !errors.Is(err, lab.ErrConfig) {
			t.Errorf("failover to slave %d: %v", to, err)
		}
	}
}

func TestFailover(t *testing.T) {
	testFailover(t, lab.Start(t, &lab.Config{Chatty: 1}))
}

// TestBackupIsQuiet shows that the played bond behaves like one: the backup slave
// neither answers ARP for the host nor lets its packets in.
func TestBackupIsQuiet(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	inject(t, l, "cut-uplink 1") // now A reaches only e2
	a := lab.NewARP(lab.OpRequest, lab.Broadcast, at(l, "A").mac(t))
	a.SPA, a.TPA = l.Addr("A"), l.Addr(lab.HostName)
	heard, asked := tap(t, l.Target("A"), lab.HostDevice), tap(t, l.Host(), "e2")
	if err := l.Target("A").Send(lab.HostDevice, a.AppendFrame(nil)); err != nil {
		t.Fatal(err)
	}
	isARP := func(f *lab.Frame) bool { _, ok := f.ARP(); return ok }
	if len(collect(t, asked, 1, patience, isARP)) != 1 {
		t.Error("the request did not reach e2")
	}
	if got := collect(t, heard, 1, 300*time.Millisecond, isARP); len(got) != 0 {
		t.Errorf("the backup answered: %x", got[0].Data)
	}
	if _, err := l.BondState(t.Context()); !errors.Is(err, lab.ErrConfig) {
		t.Errorf("bond state without a bond: %v", err)
	}
}

func TestBond(t *testing.T) {
	lab.Require(t, lab.NeedBonding)
	l := lab.Start(t, &lab.Config{Chatty: 1, Bond: []string{"mode", "active-backup", "miimon", "50"}})
	state := func() lab.BondState {
		t.Helper()
		s, err := l.BondState(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := lab.BondState{Active: "e1", Slaves: []lab.BondSlave{
		{Name: "e1", State: "ACTIVE", MIIStatus: "UP", Carrier: true},
		{Name: "e2", State: "BACKUP", MIIStatus: "UP", Carrier: true},
	}}
	if diff := cmp.Diff(want, state()); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
	for _, dev := range []string{"bond0", "e1", "e2"} {
		if mac, err := l.HardwareAddr(l.Host(), dev); err != nil || lab.MAC(mac) != lab.MAC(l.BondMAC()) {
			t.Errorf("MAC of %s: %v, %v", dev, mac, err)
		}
	}
	t.Run("failover", func(t *testing.T) { testFailover(t, l) })
	f := inject(t, l, "cut-port 1")
	eventually(t, "e1 is down", func() bool {
		s := state()
		e1 := s.Slave("e1")
		return s.Active == "e2" && e1.MIIStatus == "DOWN" && !e1.Carrier && e1.LinkFailures == 1 && e1.State == "BACKUP"
	})
	undo(t, f)
	eventually(t, "e1 is back", func() bool { return state().Slave("e1").MIIStatus == "UP" })
	if got := state().Slave("e9"); got != (lab.BondSlave{}) {
		t.Errorf("a slave that is not there: %+v", got)
	}
}

// TestVEPAPrunes shows the one property that rig exists for: the host does not hear
// its own broadcasts come back, while others hear them.
func TestVEPAPrunes(t *testing.T) {
	bond := []string{"mode", "active-backup", "miimon", "50"}
	for rig, want := range map[lab.Rig]int{lab.RigVeth: 3, lab.RigVEPA: 0} {
		t.Run(rig.String(), func(t *testing.T) {
			l := lab.Start(t, &lab.Config{Chatty: 1, Rig: rig, Bond: bond})
			tapA, tap2 := tap(t, l.Target("A"), lab.HostDevice), tap(t, l.Host(), "e2")
			mark := new(serial).next()
			if err := l.Host().Send("e1", marked(t, l, at(l, "e1"), "HOST", mark, 3)...); err != nil {
				t.Fatal(err)
			}
			isMark := func(f *lab.Frame) bool { a, ok := f.ARP(); return ok && a.SHA == mark }
			if got := len(collect(t, tapA, 3, patience, isMark)); got != 3 {
				t.Errorf("A heard %d of 3", got)
			}
			wait := patience
			if want == 0 {
				wait = 300 * time.Millisecond
			}
			if got := len(collect(t, tap2, 3, wait, isMark)); got != want {
				t.Errorf("e2 heard %d, want %d", got, want)
			}
		})
	}
}

// TestBondARPMonitor shows the verdict of the kernel's own ARP monitor where it is
// right, and where source pruning fools it.
func TestBondARPMonitor(t *testing.T) {
	// Before, the monitor goes by the device's last transmission, which these devices
	// do not note: the bond may never get ready.
	needKernel(t, 6, 0)
	tests := []struct {
		name   string
		rig    lab.Rig
		fault  string
		e1, e2 string
	}{
		{"uplink cut", lab.RigVeth, "cut-uplink 1", "DOWN", "UP"},
		{"healthy", lab.RigVeth, "", "UP", "UP"},
		{"source pruning", lab.RigVEPA, "", "UP", "DOWN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lab.Start(t, &lab.Config{Chatty: 1, Rig: tt.rig, Bond: []string{
				"mode", "active-backup", "arp_interval", "200", "arp_validate", "all", "arp_ip_target", "192.0.2.1",
			}})
			if tt.fault != "" {
				inject(t, l, tt.fault)
			}
			eventually(t, "the kernel agrees", func() bool {
				s, err := l.BondState(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return s.Slave("e1").MIIStatus == tt.e1 && s.Slave("e2").MIIStatus == tt.e2
			})
		})
	}
}

// needKernel skips the test on a kernel that is older than a version.
func needKernel(t *testing.T, major, minor int) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(u.Release[:])
	var have [2]int
	if _, err := fmt.Sscanf(release, "%d.%d", &have[0], &have[1]); err != nil {
		t.Fatalf("kernel %q: %v", release, err)
	}
	if have[0] < major || have[0] == major && have[1] < minor {
		t.Skipf("kernel %d.%d older than %d.%d", have[0], have[1], major, minor)
	}
}
