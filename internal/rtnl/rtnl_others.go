// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package rtnl

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

func errUnsupported(op string) error {
	return &Error{Op: op, Err: fmt.Errorf("%w on %s", errors.ErrUnsupported, runtime.GOOS)}
}

type conn struct{}

func dial(*Config) (*conn, error)             { return nil, errUnsupported("dial") }
func (*conn) close() error                    { return errUnsupported("close") }
func (*conn) links() ([]Link, error)          { return nil, errUnsupported("list links") }
func (*conn) linkByIndex(int) (Link, error)   { return Link{}, errUnsupported("read link") }
func (*conn) linkByName(string) (Link, error) { return Link{}, errUnsupported("read link") }
func (*conn) ipv4Addrs() ([]Addr, error)      { return nil, errUnsupported("list addresses") }

type watcher struct{}

func watch(*Config) (*watcher, error)        { return nil, errUnsupported("watch") }
func (*watcher) receive() ([]Event, error)   { return nil, errUnsupported("watch") }
func (*watcher) pending() ([]Event, error)   { return nil, errUnsupported("watch") }
func (*watcher) setDeadline(time.Time) error { return errUnsupported("watch") }
func (*watcher) close() error                { return errUnsupported("watch") }
