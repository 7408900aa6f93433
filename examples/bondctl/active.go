// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import "context"

func activeCommand() command {
	return command{
		name: "active", operands: "BOND SLAVE|none", summary: "Make a slave the active one, or let the kernel choose",
		min: 2, max: 2, run: runActive,
	}
}

func runActive(ctx context.Context, c *call) error {
	links, err := parseLinks(c.args)
	if err != nil {
		return err
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	if c.args[1] == "none" {
		return client.ClearActive(ctx, links[0])
	}
	return client.SetActive(ctx, links[0], links[1])
}
