// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package arpmon tells the truth about the slaves of a Linux bond: for each
// slave, whether packets leave through it, reach the targets, and come back.
//
// The kernel's own ARP monitor cannot. With arp_validate=none it believes any
// chatter; with active it never proves the backup; with all it accepts on the
// backup only the looped broadcast of its own host, which NICs with source
// pruning drop; and no setting checks the opcode, the VLAN or the target
// hardware address of what it takes for an answer (drivers/net/bonding,
// bond_arp_rcv and bond_rcv_validate). Nor can it run beside miimon. Use the
// kernel's miimon for carrier, and this package beside it for reachability.
//
// # The two layers
//
// [Engine] is the state machine: no goroutine, no clock, no socket, and after
// [New] no allocation. Frames, link states and the time go in; probes, verdicts
// and events come out. It builds on every system and can be driven by a
// simulated network, see package arpmontest.
//
// [Monitor] runs an Engine over packet sockets on Linux.
//
// # Verdicts
//
// A pair of slave and target is [PairUnknown] until its first answer,
// [PairReachable], [PairSuspect] from the first missed probe and
// [PairUnreachable] from the DownAfter-th in a row; from there UpAfter answers
// in a row make it Reachable again.
//
// A slave is [SlaveUp] when as many targets are Reachable as its [Policy] asks
// for, [SlaveSuspect] when it would be if the Suspect ones were, else
// [SlaveDown]; without a link [SlaveNoLink]; and [SlaveUnknown] while there is
// too little to go by. Every state has a [Reason].
//
// A target that is unreachable on every linked slave, two or more, while one of
// them reaches another target, is down itself, and leaves the verdicts. While a
// target is in doubt on two slaves at once, neither is blamed: the verdict waits
// for the other's, within the same bound, which then counts from the later of
// the two losses.
//
// The group is [GroupOK] if some slave is up, and [GroupFailure] if none is and
// one is down: another slave will not help then.
//
// # Timing
//
// The gaps between the probes of a pair are uniform in 0.75 to 1.0 Intervals.
// From a fault to Down it takes at most DownAfter x Interval + Timeout
// ([Config.Bound], 1875 ms by default), from its end to Up at most UpAfter x
// Interval + Timeout ([Config.Recovery]). Both assume a caller that is never
// late, and grow by the stalls that [Stats] reports.
//
// # Running an Engine
//
// The loop of a program that brings its own input and output:
//
//	probes := make([]arpmon.Probe, 64)
//	next := now()
//	for {
//		wait(until(next), sockets, links) // for a frame, a link event, or the time
//		for frame := range received() {   // drain everything first
//			engine.Handle(frame.slave, frame.bytes, frame.meta, now())
//		}
//		for { // then judge, and send
//			n, at := engine.Poll(now(), probes)
//			for i := range probes[:n] {
//				if err := send(probes[i].Slave, probes[i].Frame()); err != nil {
//					engine.NotSent(&probes[i], now(), err)
//				} else {
//					engine.Sent(&probes[i], now())
//				}
//			}
//			if next = at; n < len(probes) {
//				break
//			}
//		}
//	}
//
// The order matters: a reply that was received before Poll judges its probe
// counts, however late the loop is.
package arpmon
