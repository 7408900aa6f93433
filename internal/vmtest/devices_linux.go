// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import "slices"

// nic is an emulated network device that a guest has if its kernel has the
// driver.
type nic struct {
	driver string   // of Linux, and the name of the device
	since  int      // the first major version of QEMU that has it
	args   []string // for QEMU
}

// nics returns the devices. All are plugged into one hub, so that they have carrier, and
// none has a boot ROM.
func nics() []nic {
	return []nic{
		{"e1000e", 3, []string{
			"-netdev", "hubport,id=vmtest-e1000e,hubid=0", "-device", "e1000e,netdev=vmtest-e1000e,romfile=",
		}},
		// The driver wants it behind a port of its own.
		{"igb", 8, []string{
			"-device", "pcie-root-port,id=vmtest-port,slot=1",
			"-netdev", "hubport,id=vmtest-igb,hubid=0", "-device", "igb,bus=vmtest-port,netdev=vmtest-igb,romfile=",
		}},
	}
}

// devices returns the arguments for the devices of a guest with these modules, and
// the names of those devices that the emulator does not have.
func (o *options) devices(v qemuVersion, modules []string) (args, missing []string) {
	for _, n := range nics() {
		switch {
		case o.machine != defaultMachine || v.major < n.since:
			missing = append(missing, n.driver)
		case slices.Contains(modules, n.driver):
			args = append(args, n.args...)
		}
	}
	return args, missing
}
