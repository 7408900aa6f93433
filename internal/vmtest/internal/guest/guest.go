// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package guest is the part of the runner that is PID 1 of the virtual
// machine: it makes the machine usable, runs one command and sends everything
// it says back to the host.
package guest

// ConfigPath is where the host puts the JSON of a [Config] in the initial
// file system. A process that is PID 1, has the program name [Init] and finds
// this file is in the guest.
const ConfigPath = "/.vmtest/run.json"

// Init is the path of the runner in the guest.
const Init = "/init"

// Port is the device of the serial line to the host.
const Port = "/dev/ttyS1"

// Config says what PID 1 has to do.
type Config struct {
	Path    string   `json:"path"` // program to run
	Argv    []string `json:"argv"` // its arguments, the name first
	Dir     string   `json:"dir"`  // its working directory
	Env     []string `json:"env"`
	Merge   bool     `json:"merge"` // standard output and error are one pipe
	Verbose bool     `json:"verbose"`
	Modules []Module `json:"modules"`
	Mkdir   []string `json:"mkdir"` // directories to make
	Returns []Return `json:"returns"`
}

// Module is one kernel module, in loading order.
type Module struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	Params string `json:"params,omitempty"`
}

// Return names a file, or a directory with all regular files below it, that
// goes back to the host when the command has ended. What is not there, and
// what is still as it was packed, is left out.
type Return struct {
	Path string `json:"path"`
}
