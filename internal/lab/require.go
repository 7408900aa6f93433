// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"errors"
	"os"
	"time"
)

// Need names something a test needs beside what every lab needs.
type Need int

const (
	// NeedBonding is the bonding driver.
	NeedBonding Need = iota + 1
)

// kernelEnv is the variable that turns skips into failures when it is "require",
// as it is where the machine is known to have everything.
const kernelEnv = "BONDKIT_KERNEL"

// TB is the part of testing.TB that [Require] and [Start] use.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Require skips the test, with the reason, where a lab cannot be built or where
// one of the needs is not met. When the environment variable BONDKIT_KERNEL is
// "require" it fails the test instead.
//
// It tries everything every time. A test that builds a lab saves that with
// [Start].
func Require(t TB, needs ...Need) {
	t.Helper()
	err := Check()
	for _, need := range needs {
		if err == nil && need == NeedBonding {
			err = HasBonding()
		}
	}
	if err != nil {
		giveUp(t, err)
	}
}

// Start builds a lab that is closed at the end of the test. Where that cannot be
// done because the machine is missing something, it skips or fails the test like
// [Require]; every other error fails it.
func Start(t TB, cfg *Config) *Lab {
	t.Helper()
	start := time.Now()
	l, err := New(t.Context(), cfg)
	if err != nil {
		if _, ok := errors.AsType[*MissingError](err); ok || errors.Is(err, errors.ErrUnsupported) {
			giveUp(t, err)
		} else {
			t.Fatalf("%v", err)
		}
		return nil // Not reached with a real test.
	}
	t.Cleanup(func() { l.Close() })
	t.Logf("lab built in %v", time.Since(start).Round(time.Millisecond))
	return l
}

// giveUp ends a test for want of something.
func giveUp(t TB, err error) {
	t.Helper()
	if os.Getenv(kernelEnv) == "require" {
		t.Fatalf("%v", err)
		return
	}
	t.Skipf("%v", err)
}
