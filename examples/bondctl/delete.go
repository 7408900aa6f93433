// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import "context"

func deleteCommand() command {
	return command{
		name: "delete", operands: "BOND", summary: "Delete a bond, which releases its slaves",
		min: 1, max: 1, run: runDelete,
	}
}

func runDelete(ctx context.Context, c *call) error {
	link, err := parseLink(c.args[0])
	if err != nil {
		return err
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	return client.Delete(ctx, link)
}
