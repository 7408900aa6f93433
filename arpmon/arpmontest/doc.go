// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package arpmontest is a simulated layer 2 network that drives an
// [arpmon.Engine] without a kernel, to see what a configuration makes of a
// fault before the fault is there.
//
// A [Network] has learning switches, hosts that answer ARP as Linux does, cables
// whose directions can lose, delay, duplicate and reorder frames, and hosts
// under test: a [Monitor] calls its engine as [arpmon.Monitor] does on Linux, may
// be stopped or late, and its slaves may refuse to send. Time is virtual: an
// hour takes as long as its frames take to be computed, and the same seed gives
// the same events. [NewRig] builds the usual network of two switches.
//
// Nothing in here is for concurrent use. Mistakes in building a network, such as
// two nodes with one name, panic.
package arpmontest
