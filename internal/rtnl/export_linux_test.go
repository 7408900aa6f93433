// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl

// Ends reads every control message of a datagram as the end of a request.
func Ends(b []byte) (ends []error, err error) {
	for len(b) > 0 {
		_, m, rest, err := cutMessage(b)
		if err != nil {
			return nil, err
		}
		if m.Type <= nlmsgMinType {
			ends = append(ends, m.refusal())
		}
		b = rest
	}
	return ends, nil
}
