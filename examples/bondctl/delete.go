// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import "context"

func deleteCommand() command {
	return command{
		Name: "delete", Operands: "BOND", Summary: "Delete a bond, which releases its slaves",
		Min: 1, Max: 1, Run: runDelete,
	}
}

func runDelete(ctx context.Context, c *call) error {
	link, err := parseLink(c.Args[0])
	if err != nil {
		return err
	}
	client, err := c.dial()
	if err != nil {
		return err
	}
	return client.Delete(ctx, link)
}
