// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package ethtooltest is a kernel made of memory, to test programs that use package
// ethtool on any system, without privilege, and without the NICs in question.
//
// A [Kernel] answers what package ethtool asks as Linux does: the generic netlink
// families ethtool and devlink, interfaces over rtnetlink, SIOCETHTOOL, and files of PCI
// devices below /sys. It has the kernel's error numbers and texts, and sends the
// notifications that the kernel sends, those of its bugs included: reading
// private flags by ioctl announces a change, and changing them by ioctl does not. Which
// requests there are is that of one release ([Config.Release]).
//
//	k := ethtooltest.NewKernel(&ethtooltest.Config{Release: ethtooltest.Release612})
//	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
//	c, err := ethtool.Dial(&ethtool.Config{Transport: k.Transport()})
//
// [I40E] and others like it are NICs as they are in servers: flags, firmware, links. Each
// returns a [NIC] that can be changed before it is added.
//
// Tests can be what happens to a host, too: another program changes a flag
// ([Kernel.SetFlag], [Kernel.SetFlagByIoctl]), a device is reset ([Kernel.ResetDevice]) or is away for
// a while ([Kernel.SetAway]), vanishes ([Kernel.Remove]) or is renamed ([Kernel.Rename]), requests
// fail ([Kernel.Fail]), answers are lost ([Kernel.FailAfter]), never come
// ([Kernel.Hang]) or are garbage ([Kernel.Mangle]), and notifications are lost ([Kernel.Overrun]).
//
// There is no clock in it. Mistakes in building a host, such as two interfaces of one
// name, panic.
package ethtooltest
