// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"slices"
	"testing"
)

func TestDevices(t *testing.T) {
	for _, tt := range []struct {
		name    string
		machine string
		major   int
		modules []string
		args    []string // some of them
		missing []string
	}{
		{"cloud kernel", defaultMachine, 10, []string{"bonding"}, nil, nil},
		{"generic kernel", defaultMachine, 10, []string{"e1000e", "igb"}, []string{"e1000e,netdev=vmtest-e1000e,romfile=", "igb,bus=vmtest-port,netdev=vmtest-igb,romfile="}, nil},
		{"old emulator", defaultMachine, 7, []string{"e1000e", "igb"}, []string{"e1000e,netdev=vmtest-e1000e,romfile="}, []string{"igb"}},
		{"another machine", "pc", 10, []string{"e1000e", "igb"}, nil, []string{"e1000e", "igb"}},
	} {
		args, missing := (&options{machine: tt.machine}).devices(qemuVersion{major: tt.major}, tt.modules)
		var devices []string
		for i, a := range args {
			if i > 0 && args[i-1] == "-device" && a != "pcie-root-port,id=vmtest-port,slot=1" {
				devices = append(devices, a)
			}
		}
		if !slices.Equal(devices, tt.args) || !slices.Equal(missing, tt.missing) {
			t.Errorf("%s: devices %q, missing %q", tt.name, devices, missing)
		}
	}
}
