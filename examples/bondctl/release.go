// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
)

func releaseCommand() command {
	return command{
		Name: "release", Operands: "SLAVE...", Summary: "Release slaves from their bonds",
		Min: 1, Max: -1, Run: runRelease,
	}
}

func runRelease(ctx context.Context, c *call) error {
	slaves, err := parseLinks(c.Args)
	if err != nil {
		return err
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range slaves {
		errs = append(errs, client.Release(ctx, s))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}
