// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"slices"
)

// Numbers of the family ethtool about features.
const (
	msgFeaturesGet = 11
	msgFeaturesSet = 12

	featuresHeader = 1
	featuresWanted = 3
	featuresActive = 4
)

// readFeature returns whether a feature is on.
func (c *Client) readFeature(ctx context.Context, link Link, name string) (string, error) {
	replies, err := c.generic(ctx, Request{Family: FamilyEthtool, Command: msgFeaturesGet, Attrs: ethtoolHeader(featuresHeader, link)})
	if err != nil {
		return "", err
	}
	for _, m := range replies {
		on, ok, err := parseFeature(m.Attrs, name)
		switch {
		case err != nil:
			return "", err
		case ok:
			return onOff(on), nil
		}
	}
	return "", errNoSetting
}

// sendFeature asks for a feature to be on or off.
func (c *Client) sendFeature(ctx context.Context, link Link, name string, on bool) error {
	_, err := c.generic(ctx, Request{
		Family: FamilyEthtool, Command: msgFeaturesSet,
		Attrs: appendNested(ethtoolHeader(featuresHeader, link), featuresWanted, oneBit(name, on)),
	})
	return err
}

// parseFeature says whether a feature is among the active ones of a reply to
// ETHTOOL_MSG_FEATURES_GET. ok is false where the reply has no active ones.
func parseFeature(b []byte, name string) (on, ok bool, err error) {
	for a, err := range attrs(b) {
		if err != nil {
			return false, false, err
		}
		if a.typ != featuresActive {
			continue
		}
		active, err := parseBitset(a.data)
		if err != nil {
			return false, false, err
		}
		ok = true
		on = on || slices.ContainsFunc(active.bits, func(b bit) bool { return b.on && b.name == name })
	}
	return on, ok, nil
}
