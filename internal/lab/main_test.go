// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/bondkit/bondkit/internal/lab"
)

// roleEnv makes the test binary play a part in a test instead of running tests.
const roleEnv = "BONDKIT_LAB_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		if err := play(role); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(99)
		}
		os.Exit(0)
	}
	lab.Main(m)
}
