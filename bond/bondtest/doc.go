// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package bondtest is a kernel made of memory, to test programs that use
// package bond on any system and without privilege.
//
// A [Kernel] answers rtnetlink requests about bonds as Linux does: it has the
// rules of the option table (modes, what needs a bond that is down or empty, ranges), the
// order of application, side effects, error numbers and texts, and it sends the
// messages that a change causes. Which options it knows is that of one [Release].
// What it does is held to the real kernels by a table of cases that runs against both.
//
//	k := bondtest.NewKernel(&bondtest.Config{Release: bondtest.Release612})
//	k.AddLink("eth0", nil)
//	c, err := bond.Dial(&bond.Config{Transport: k.Transport()})
//
// Tests can also be what happens to a host: cables are pulled ([Kernel.SetCarrier]),
// devices vanish ([Kernel.Remove]), other programs change bonds ([Kernel.Set]), requests
// fail ([Kernel.Fail]), answers are lost ([Kernel.FailAfter]) or never come
// ([Kernel.Hang]), and messages are lost ([Kernel.Overrun]).
//
// There is no clock in it: monitors see a link at once, updelay and downdelay pass
// at once, and no LACPDU is sent, for which [Kernel.SetLACP] and [Kernel.SetADInfo]
// stand in. The same calls give the same answers. Mistakes in building a
// host, such as two interfaces of one name, panic.
package bondtest
