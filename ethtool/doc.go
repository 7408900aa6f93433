// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package ethtool handles the private flags of NICs, above all those that stop
// source pruning, and the facts about drivers, firmware, health and links that
// tell why a slave of a bond does not work.
//
//	c, err := ethtool.Dial(nil)
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	p, err := c.SourcePruning(ctx, ethtool.Link{Name: "eth1"})
//	if err == nil && p.State == ethtool.Prunes {
//		_, err = c.SetSourcePruning(ctx, p.Link, false) // may reset the port: backups first
//	}
//
// # Source pruning
//
// Some NICs and drivers drop every frame they receive whose source is their own
// MAC address. All slaves of a bond have one MAC address by default, so the backup
// never hears what the active slave broadcasts; and that broadcast is all that the
// kernel's ARP monitor accepts as proof that a backup works (arp_validate
// backup or all). The backup is then down for ever although nothing is wrong with it.
// [Client.SourcePruning] says whether an interface does that, how it can be
// changed, and what else helps; [Client.SetSourcePruning] changes it.
//
// # Private flags
//
// A private flag is a switch that a driver invents: a name, and on or off. What
// its name means depends on the driver, and on its version: with
// disable-source-pruning on, and with mac-source-pruning off, a NIC delivers.
// [Client.SetFlag] changes one flag, and reads it back. Drivers may reset
// the port to do it, and can lose one change when asked for two at once.
//
// # Facts
//
// [Client.Driver], [Client.Firmware], [Client.Health], [Client.LinkState] and others read one thing
// each; [Client.Facts] collects them, and says what it was not allowed to see.
// [Compare] looks for what is wrong in the facts of one host, such as two NICs of one model with
// different firmware in one bond, and needs no kernel.
//
// # Errors
//
// All errors of a Client are of type [*Error], and say with errors.Is what is wrong: [ErrNoDevice] and
// the others. What the kernel answered is in them as a [*KernelError].
//
// # Privilege
//
// Reading needs none. To change a flag needs CAP_NET_ADMIN in the user
// namespace that owns the network namespace.
package ethtool
