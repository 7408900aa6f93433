// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bondkit/bondkit/ethtool"
)

// TestContainPanic has the library that asks for link info panic, as it does on answers that it does
// not expect.
func TestContainPanic(t *testing.T) {
	var answers []string
	for want, f := range map[string]func(){
		"panicked: got 0 answers":             func() { panic("panicked: got 0 answers") },
		"index out of range [1]":              func() { _ = answers[len(answers)+1] },
		"a panic that is an error of ethtool": func() { panic(errors.New("a panic that is an error of ethtool")) },
	} {
		err := ethtool.ContainPanic(f)
		if !errors.Is(err, ethtool.ErrMalformed) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v", want, err)
		}
	}
	if err := ethtool.ContainPanic(func() {}); err != nil {
		t.Errorf("without a panic the error is %v", err)
	}
}
