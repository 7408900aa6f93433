// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/bondkit/bondkit/ethtool"
)

// Names of interfaces and flags can have any bytes, and two of them must not become one in JSON.
func TestOddTexts(t *testing.T) {
	odd := "e\xff\\x41\"<\u00e9>\x01"
	link := ethtool.Link{Index: 3, Name: odd}
	factsRoundTrip(t, ethtool.Change{Link: link, Control: ethtool.ControlPrivateFlag, Name: odd, Before: odd, After: "on", Changed: true, Took: 5})
	factsRoundTrip(t, ethtool.Pruning{Link: link, Driver: odd, Below: link, Name: odd, Value: odd, Reason: odd, Caution: odd, Source: odd})
	factsRoundTrip(t, ethtool.FlagEvent{
		Kind: ethtool.FlagsChanged, Link: link, OldName: odd, Flags: ethtool.Flags{{Name: odd}},
		Changed: []ethtool.FlagChange{{Name: odd, New: true, Appeared: true}},
	})
	factsRoundTrip(t, ethtool.Interface{Link: link})
	factsRoundTrip(t, ethtool.Finding{Code: "x", Severity: ethtool.SeverityInfo, Bond: link, Links: []ethtool.Link{link}})
	for _, v := range []any{&ethtool.Change{}, &ethtool.Pruning{}, &ethtool.FlagChange{}} {
		if err := json.Unmarshal([]byte(`{"name":"a\\z"}`), v); !errors.Is(err, ethtool.ErrBadValue) {
			t.Errorf("%T takes a bad escape: %v", v, err)
		}
	}
}
