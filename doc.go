// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package bondkit is the root of a module for people who run bonded servers on
// Linux and for those who write the software that manages them. It has no code
// of its own; the packages below it do.
//
//   - [github.com/bondkit/bondkit/arpmon] knows for every slave of a bond and every
//     target whether probes leave and answers come back. Its Engine is a state
//     machine without clock, socket or allocation; its Monitor runs the Engine
//     on real sockets.
//   - [github.com/bondkit/bondkit/arpmon/arpmontest] simulates switched
//     networks with faults, to drive an Engine without a kernel.
//   - [github.com/bondkit/bondkit/bond] reads, creates, changes and watches bonds
//     over rtnetlink. It knows every option of the driver, and the rules between
//     them.
//   - [github.com/bondkit/bondkit/bond/bondtest] is a kernel made of memory, to test
//     programs that use bond.
//   - [github.com/bondkit/bondkit/procfs] parses the text of /proc/net/bonding, of
//     every kernel since 2.6, and prints it again byte for byte.
//   - [github.com/bondkit/bondkit/ethtool] handles the private flags of NICs, knows
//     which of them drop frames from their own MAC address (source pruning), and
//     audits drivers, firmware and links.
//   - [github.com/bondkit/bondkit/ethtool/ethtooltest] has NICs made of memory, to
//     test programs that use ethtool.
//
// The kernel's own ARP monitor judges a slave by traffic it sees: chatter of
// other hosts keeps a dead path up, a target that asks for us hides that we
// cannot send, and a backup is judged by the echo of our own broadcast. The
// recommended set-up is therefore the kernel's miimon=100 for carrier, arpmon
// beside it for reachability, and the active slave moved over rtnetlink.
//
// The command examples/bondlab shows it: it builds a network of two switches in
// network namespaces, breaks it in seventeen ways, and prints who was right. The
// command examples/bondctl shows and changes the bonds of a host, and
// examples/srcprune the source pruning of its NICs.
package bondkit
