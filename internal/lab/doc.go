// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package lab builds small two-switch networks inside network namespaces and
// breaks them on request, so that a monitor can be watched on real sockets
// and real kernels.
//
// # The network
//
//	           host                      192.0.2.10 on e1, e2 without ARP
//	          /    \                     (or on bond0 over e1 and e2)
//	        e1      e2
//	        |        |
//	        p1       p2                  switch ports of the slaves
//	c11..  sw1      sw2  c21..           chatty hosts on ports q11.., q21..
//	        u1       u2                  uplinks
//	         \      /
//	          d1  d2
//	           core
//	          tA    tB                   switch ports of the targets
//	          A      B                   192.0.2.1 and 192.0.2.2
//
// A third slave e3 hangs on a third switch sw3. The switches are Linux bridges
// (no spanning tree, no VLAN filtering, default ageing) that share one
// namespace called fabric. The host, the targets and the chatty hosts are real
// Linux hosts, each in a namespace of its own; the device of targets and
// chatty hosts is eth0. With everything idle no frame is on any wire.
//
// Without a kernel bond the lab plays one: the slaves share one MAC address
// ([Lab.BondMAC]), the address is on the active slave and the others have ARP
// switched off. Reverse path filtering makes the host drop what arrives on a
// slave that is not active, as bonding does.
//
// # What it leaves behind
//
// Nothing. The namespaces have no name and no mount: they are file descriptors
// of this process, so closing the lab, leaving the program and kill -9 all end
// them, and everything in them, in the same way. The commands ip, bridge, tc
// and nft run inside the namespaces and nowhere else.
package lab
