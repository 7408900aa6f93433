// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
)

func releaseCommand() command {
	return command{
		name: "release", operands: "SLAVE...", summary: "Release slaves from their bonds",
		min: 1, max: -1, run: runRelease,
	}
}

func runRelease(ctx context.Context, c *call) error {
	slaves, err := parseLinks(c.args)
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
