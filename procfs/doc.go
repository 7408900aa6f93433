// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package procfs reads the text of /proc/net/bonding, of every kernel since 2.6
// and from wherever it comes: a live host, a report, a ticket.
//
// Every line is kept. What the kernel prints has a field with a type, and Has says
// whether it is there, because kernels of different ages print different lines, and
// readers without CAP_NET_ADMIN see fewer. Lines that are not known here, and those that are damaged,
// are in [Bond.Lines] in their places, and what is wrong with the text in
// [Bond.Problems]. [Bond.AppendText] prints all of it again, byte for byte as the
// kernel did.
//
//	fs := procfs.NewDir("/proc")
//	for b, err := range fs.All() {
//		...
//	}
//
// The kernel's developers call the text deprecated in favour of rtnetlink (package bond),
// and have not changed its lines since 5.19. It has what rtnetlink has not: the counts of churn, and
// both ends' LACP priorities, keys and port numbers. It lacks what is in rtnetlink: the
// state of the slaves that are backups, and half of the options.
//
// # What the text cannot tell
//
// The name of the bond is not in it. A slave may be called None, which is also
// what is printed for no slave; see [Bond.Ambiguous]. Beyond 4 KiB the text is no
// snapshot: the kernel hands out a page at a time, and slaves that come and go meanwhile
// can be missing or twice. [FS] reads such a file until two reads agree, and sets [Bond.Torn] if they do not.
//
// # Source
//
// The grammar is that of bond_info_show_master and bond_info_show_slave in the
// kernel's drivers/net/bonding/bond_procfs.c, 2.6.33 to 7.3, and was compared with what nine
// kernels print.
package procfs
