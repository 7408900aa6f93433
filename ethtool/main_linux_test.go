// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"testing"

	"github.com/bondkit/bondkit/internal/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }
