// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import "context"

// ParseBridgeMode, ParseFeature and ParseRelease are the decoders.
var (
	ParseBridgeMode = parseBridgeMode
	ParseFeature    = parseFeature
)

// ParseRelease returns the numbers of a release.
func ParseRelease(s string) [3]int { return parseRelease(s) }

// ReadSetting is readSetting.
func (c *Client) ReadSetting(ctx context.Context, link Link, control Control, name string) (string, error) {
	return c.readSetting(ctx, link, control, name)
}

// WriteSetting is writeSetting.
func (c *Client) WriteSetting(ctx context.Context, link Link, control Control, name, value string) (Change, error) {
	return c.writeSetting(ctx, link, control, name, value)
}
