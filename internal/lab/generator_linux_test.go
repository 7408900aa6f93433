// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/lab"
)

// probeMAC is the MAC address the forger of the tests answers.
var probeMAC = lab.MAC{0x06, 0xbd, 0xff, 0xff, 0xff, '1'}

// listen counts the frames of a generator that arrive at a slave, by what classify
// calls them, until everything wanted is there. It returns what it has seen.
func listen(t *testing.T, tap *lab.Tap, want []string, classify func(*lab.Frame) string) map[string]int {
	t.Helper()
	seen := make(map[string]int)
	deadline := time.Now().Add(patience)
	complete := func() bool {
		for _, w := range want {
			if seen[w] == 0 {
				return false
			}
		}
		return true
	}
	for !complete() {
		f, err := tap.Read(deadline)
		if err != nil {
			t.Fatalf("%v; seen %v, want %v", err, seen, want)
		}
		if what := classify(&f); what != "" && !f.Outgoing {
			seen[what]++
		}
	}
	return seen
}

// silent waits until a tap hears nothing more of a kind for a while.
func silent(t *testing.T, tap *lab.Tap, classify func(*lab.Frame) string) {
	t.Helper()
	eventually(t, "the generator is silent", func() bool {
		return len(collect(t, tap, 1, 300*time.Millisecond, func(f *lab.Frame) bool { return classify(f) != "" })) == 0
	})
}

func TestChatter(t *testing.T) {
	l := lab.Start(t, nil)
	// Everybody on sw1 says each thing; who says it is part of the name.
	classify := func(f *lab.Frame) string {
		src := lab.MAC(f.Data[6:12])
		who := ""
		for k := 1; k <= 3; k++ {
			if at(l, "c1"+string('0'+rune(k))).mac(t) == src {
				who = "c1" + string('0'+rune(k)) + " "
			}
		}
		if who == "" {
			return ""
		}
		switch binary.BigEndian.Uint16(f.Data[12:]) {
		case 0x88cc:
			return who + "lldp"
		case 38: // the length of a BPDU
			return who + "stp"
		}
		a, ok := f.ARP()
		isTarget := a.TPA == l.Addr("A") || a.TPA == l.Addr("B")
		switch {
		case !ok || a.SHA != src:
			return who + "nonsense"
		case a.Op == lab.OpReply || a.Dst != lab.Broadcast:
			return "" // what a real host says when it is asked
		case a.SPA == netip.IPv4Unspecified() && isTarget:
			return who + "probe " + a.TPA.String()
		case a.SPA.IsValid() && isTarget:
			return who + "asks " + a.TPA.String()
		case a.TPA != l.Addr(lab.HostName):
			return who + "others"
		}
		return who + "asks the host"
	}
	everybody := func(what ...string) []string {
		var want []string
		for _, who := range []string{"c11 ", "c12 ", "c13 "} {
			for _, w := range what {
				want = append(want, who+w)
			}
		}
		return want
	}
	asks := []string{"asks 192.0.2.1", "asks 192.0.2.2"}
	probes := []string{"probe 192.0.2.1", "probe 192.0.2.2"}
	tests := []struct {
		fault string
		want  []string
	}{
		{"chatter others 1", everybody("others")},
		{"chatter targets 1", everybody(asks...)},
		{"chatter probes 1", everybody(probes...)},
		{"chatter others,targets,probes 1", everybody(append(append([]string{"others"}, asks...), probes...)...)},
		{"chatter lldp 1", everybody("lldp", "stp")},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			tap := tap(t, l.Host(), "e1")
			before := time.Now()
			f := inject(t, l, tt.fault)
			seen := listen(t, tap, tt.want, classify)
			for _, w := range tt.want {
				delete(seen, w)
			}
			if len(seen) != 0 {
				t.Errorf("also heard %v", seen)
			}
			n := packets(t, f)
			age := time.Since(before)
			// 3 hosts at 20 a second each, and the first round.
			if limit := uint64(60*age.Seconds()) + 6; n > limit || n < 3 {
				t.Errorf("%d frames in %v", n, age)
			}
			undo(t, f)
			silent(t, tap, classify)
		})
	}
	t.Run("real hosts answer", func(t *testing.T) {
		tap := tap(t, l.Chatty(1, 1), lab.HostDevice)
		inject(t, l, "chatter targets,others 1")
		listen(t, tap, []string{"A", "B", "other"}, func(f *lab.Frame) string {
			a, ok := f.ARP()
			if !ok || a.Op != lab.OpReply || a.THA != at(l, "c11").mac(t) {
				return ""
			}
			for _, name := range l.Targets() {
				if a.SHA == at(l, name).mac(t) {
					return name
				}
			}
			return "other"
		})
	})
}

func TestTargetAsks(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	tap1, tapA := tap(t, l.Host(), "e1"), tap(t, l.Target("A"), lab.HostDevice)
	classify := func(f *lab.Frame) string {
		a, ok := f.ARP()
		switch {
		case ok && a.Op == lab.OpRequest && a.SHA == at(l, "A").mac(t) && a.SPA == l.Addr("A") && a.TPA == l.Addr(lab.HostName) && a.Dst == lab.Broadcast:
			return "request"
		case ok && a.Op == lab.OpReply && a.SHA == lab.MAC(l.BondMAC()) && a.SPA == l.Addr(lab.HostName):
			return "reply"
		}
		return ""
	}
	f := inject(t, l, "target-asks A")
	listen(t, tap1, []string{"request"}, classify)
	listen(t, tapA, []string{"reply"}, classify)
	undo(t, f)
	silent(t, tap1, classify)
}

func TestSecondOwner(t *testing.T) {
	l := lab.Start(t, nil)
	owner, rogue := at(l, "A").mac(t), lab.MAC(l.RogueMAC(1))
	check := func(when string, want map[lab.MAC]int) {
		t.Helper()
		n := 0
		for _, v := range want {
			n += v
		}
		if diff := cmp.Diff(want, answers(t, l, n)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("before", map[lab.MAC]int{owner: 2})
	f := inject(t, l, "second-owner A 1")
	check("during", map[lab.MAC]int{owner: 2, rogue: 2})
	undo(t, f)
	check("after", map[lab.MAC]int{owner: 2})
}

// answers sends two probes for A from e1 and returns who answered how often. It
// waits for n answers, and a little for more.
func answers(t *testing.T, l *lab.Lab, n int) map[lab.MAC]int {
	t.Helper()
	tap := tap(t, l.Host(), "e1")
	a := lab.NewARP(lab.OpRequest, lab.Broadcast, probeMAC)
	a.TPA = l.Addr("A")
	if err := l.Host().Send("e1", a.AppendFrame(nil), a.AppendFrame(nil)); err != nil {
		t.Fatal(err)
	}
	isAnswer := func(f *lab.Frame) bool {
		a, ok := f.ARP()
		return ok && a.Op == lab.OpReply && a.THA == probeMAC
	}
	frames := collect(t, tap, n, patience, isAnswer)
	frames = append(frames, collect(t, tap, 1, 200*time.Millisecond, isAnswer)...)
	got := make(map[lab.MAC]int)
	for _, f := range frames {
		a, _ := f.ARP()
		got[a.SHA]++
	}
	return got
}

// wrong names every field of a reply of target A to probeMAC that is not right.
// It knows nothing of how the lab builds its frames.
func wrong(l *lab.Lab, owner lab.MAC, f *lab.Frame) []string {
	var fields []string
	bad := func(name string, is bool) {
		if is {
			fields = append(fields, name)
		}
	}
	b := f.Data
	bad("vlan", f.VLAN != 0)
	if len(b) < 42 {
		return append(fields, "short")
	}
	dst, sha, tha := lab.MAC(b[0:6]), lab.MAC(b[22:28]), lab.MAC(b[32:38])
	spa, tpa := netip.AddrFrom4([4]byte(b[28:32])), netip.AddrFrom4([4]byte(b[38:42]))
	bad("dst", dst != probeMAC && dst != lab.Broadcast)
	bad("ethertype", b[12] != 8 || b[13] != 6)
	bad("hardware-type", b[14] != 0 || b[15] != 1)
	bad("protocol", b[16] != 8 || b[17] != 0)
	bad("sizes", b[18] != 6 || b[19] != 4)
	bad("opcode", b[20] != 0 || b[21] != 2)
	bad("sha-zero", sha == lab.MAC{})
	bad("sha-multicast", sha[0]&1 == 1)
	bad("sha-own", sha == probeMAC)
	bad("sha", sha != owner && sha != lab.MAC{} && sha[0]&1 == 0 && sha != probeMAC)
	bad("spa", spa != l.Addr("A"))
	bad("tha", tha != probeMAC)
	bad("gratuitous", tpa == spa)
	bad("tpa", tpa != spa && tpa != netip.IPv4Unspecified())
	return fields
}

func TestForge(t *testing.T) {
	l := lab.Start(t, &lab.Config{Chatty: 1})
	owner, rogue := at(l, "A").mac(t), lab.MAC(l.RogueMAC(1))
	for _, dst := range []string{"unicast", "broadcast"} {
		t.Run(dst, func(t *testing.T) {
			tap := tap(t, l.Host(), "e1")
			classify := func(f *lab.Frame) string {
				if lab.MAC(f.Data[6:12]) != rogue {
					return ""
				}
				fields := wrong(l, owner, f)
				if len(fields) != 1 {
					t.Errorf("%x has %v wrong, want one thing", f.Data, fields)
					return ""
				}
				if got := lab.MAC(f.Data[:6]); (got == lab.Broadcast) != (dst == "broadcast") && fields[0] != "dst" {
					t.Errorf("%s: sent to %v", fields[0], got)
				}
				return fields[0]
			}
			f, err := l.Forge(t.Context(), &lab.ForgeConfig{
				Probes:    func() []net.HardwareAddr { return []net.HardwareAddr{probeMAC[:]} },
				Broadcast: dst == "broadcast",
			})
			if err != nil {
				t.Fatal(err)
			}
			listen(t, tap, []string{
				"opcode", "spa", "vlan", "tha", "gratuitous", "tpa", "hardware-type", "protocol", "sizes",
				"short", "sha-zero", "sha-multicast", "sha-own", "dst",
			}, classify)
			undo(t, f)
			silent(t, tap, classify)
		})
	}
	t.Run("kinds and probes", func(t *testing.T) {
		tap := tap(t, l.Host(), "e1")
		second := lab.MAC{0x06, 0xbd, 0xff, 0xff, 0xff, '2'}
		f := inject(t, l, "forge opcode,tha 1 B "+probeMAC.String()+" "+second.String())
		seen := listen(t, tap, []string{"opcode 1", "opcode 2", "tha 1", "tha 2"}, func(f *lab.Frame) string {
			a, ok := f.ARP()
			which := map[lab.MAC]string{probeMAC: "1", second: "2"}[a.Dst]
			switch {
			case !ok || a.Src != rogue:
				return ""
			case a.SHA != at(l, "B").mac(t) || which == "":
				return "nonsense"
			case a.Op != lab.OpReply:
				return "opcode " + which
			}
			return "tha " + which
		})
		if seen["nonsense"] != 0 {
			t.Error(seen)
		}
		undo(t, f)
	})
	t.Run("without a probe", func(t *testing.T) {
		f, err := l.Forge(t.Context(), &lab.ForgeConfig{Probes: func() []net.HardwareAddr { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		defer undo(t, f)
		if n := packets(t, f); n != 0 {
			t.Errorf("%d frames", n)
		}
	})
}
