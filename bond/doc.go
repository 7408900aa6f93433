// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package bond reads, creates, changes and watches the bonds of a Linux machine,
// over rtnetlink.
//
// It knows every option of the bonding driver, says what the kernel did not
// say, checks a request before the kernel is asked, and after it did what it was
// asked, and explains a refusal by the option at fault and what to do.
//
//	c, err := bond.Dial(nil)
//	...
//	defer c.Close()
//	b, err := c.Set(ctx, bond.Link{Name: "bond0"}, bond.Options{
//		MIIMon:  new(100 * time.Millisecond),
//		UpDelay: new(200 * time.Millisecond),
//	})
//
// # Reading and writing
//
// What is written has pointers: [Options] and [SlaveOptions], where nil leaves an
// option alone and the zero value changes nothing. What is read has values:
// [Bond] and [Slave], whose method Has tells what the kernel said from what it
// did not. That differs: kernels are of different ages, lists of targets are absent when empty,
// and some LACP options are shown to CAP_NET_ADMIN only.
//
// Values have the types of the standard library: [time.Duration] where the
// kernel counts milliseconds or seconds, [net/netip.Addr], bool. A value that does not
// fit, such as 1500 microseconds, is an error before anything is sent.
//
// # The options
//
// The table of options is data: [AllOptions] yields them, and [Option.Info] says of
// each its range and default, the modes that take it, whether the bond must be down or without slaves, the
// kernel that brought it, and its names. [Options.SetText] and [Options.Text]
// use the kernel's words, and so does JSON.
//
// # What the kernel does, and what this package does about it
//
// A change of several options is not a transaction: the kernel applies them in an order of
// its own, stops at the first that it does not like, and announces nothing. [Client.Set]
// sends one message, reads the bond again after an error, and tells in [Error.Applied]
// what took effect.
//
// A kernel ignores an attribute that it is too old for and reports success.
// Set compares what it wrote with what is there: the error matches [errors.ErrUnsupported] where the
// kernel does not know the option, and [ErrNotApplied] where the value is another.
// [Client.Supports] asks beforehand. Versions say nothing about it, because stable
// kernels take over options from newer ones.
//
// Options depend on each other. miimon and arp_interval exclude each other; the
// delays are kept as multiples of miimon, and change with it; choosing a mode
// resets arp_validate and, in some modes, sets miimon. [Validate] knows these
// rules, and warns besides of what the kernel takes without a word: no link
// monitoring at all, an ARP monitor that believes anything, or one without targets.
//
// Some options can be changed only while the bond is down, or has no slaves. A [Spec]
// says how the bond shall be, [Diff] makes a [Plan] of it, whose [Disruption] tells what it
// takes, and [Client.Apply] carries it out as far as that is allowed, checks the
// result, and goes back to the state before when something fails or the caller
// does not confirm.
//
// # Watching
//
// [Client.Watch] yields the present state, and then every change as an [Event]
// with a meaning, not as a message. Where the kernel drops messages it reads
// everything again and yields the differences; what the kernel does not announce (LACP) it
// polls.
//
// # Errors
//
// Every error is an [*Error]. errors.Is tells what is meant (ErrWrongMode, ErrBondUp,
// ErrHasSlaves, os.ErrNotExist, os.ErrPermission ...), also where the kernel's number
// is used for several things: EACCES from bonding is a wrong mode and no lack of
// permission. errors.AsType[syscall.Errno] finds the number.
//
// # Tests without a kernel
//
// Package bond/bondtest has a kernel made of memory that follows the rules of four
// real ones. A [Client] works with it on any system and without privilege:
// [Config.Transport].
//
// # Systems
//
// Only [Dial] without a Transport needs Linux; elsewhere its error matches
// [errors.ErrUnsupported]. Everything else builds and works everywhere. Kernels from
// 5.10 are tested; attributes of newer ones than are known here are kept in
// [Bond.Unknown].
package bond
