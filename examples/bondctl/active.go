// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import "context"

func activeCommand() command {
	return command{
		Name: "active", Operands: "BOND SLAVE|none", Summary: "Make a slave the active one, or let the kernel choose",
		Min: 2, Max: 2, Run: runActive,
	}
}

func runActive(ctx context.Context, c *call) error {
	links, err := parseLinks(c.Args)
	if err != nil {
		return err
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	if c.Args[1] == "none" {
		return client.ClearActive(ctx, links[0])
	}
	return client.SetActive(ctx, links[0], links[1])
}
