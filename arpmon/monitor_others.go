// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package arpmon

import (
	"context"
	"fmt"
	"runtime"
)

var errUnimplemented error = &Error{
	Op:  "open",
	Err: unsupported(fmt.Sprintf("the monitor is not implemented on %s/%s", runtime.GOOS, runtime.GOARCH)),
}

type monitor struct{ changed chan struct{} }

func newMonitor(cfg MonitorConfig) (*monitor, error) {
	if _, err := cfg.check(); err != nil {
		return nil, err
	}
	return nil, errUnimplemented
}

func (*monitor) run(context.Context) error                              { return errUnimplemented }
func (*monitor) close() error                                           { return nil }
func (*monitor) config() Config                                         { return Config{} }
func (*monitor) reachable(string) bool                                  { return false }
func (*monitor) id(string) SlaveID                                      { return 0 }
func (*monitor) name(SlaveID) string                                    { return "" }
func (*monitor) state(string) (SlaveState, Reason)                      { return 0, 0 }
func (*monitor) slaveError(string) error                                { return errUnimplemented }
func (*monitor) group() GroupState                                      { return 0 }
func (*monitor) eventsSince(uint64, []Event) (n int, next, lost uint64) { return 0, 0, 0 }
func (*monitor) snapshot(*Snapshot)                                     {}
func (*monitor) now() int64                                             { return 0 }
func (*monitor) stats() MonitorStats                                    { return MonitorStats{} }
func (*monitor) setTargets([]Target) error                              { return errUnimplemented }
func (*monitor) setActive(string) error                                 { return errUnimplemented }
func (*monitor) resume() bool                                           { return false }
