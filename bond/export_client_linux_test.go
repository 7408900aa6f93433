// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// ClientReadDatagram reads a datagram as a Subscription does, and every message
// in it as the end of a request.
func ClientReadDatagram(b []byte) (msgs []Message, ends []error, err error) {
	if msgs, err = rtMessages(b); err != nil {
		return nil, nil, err
	}
	for len(b) > 0 {
		h, body, rest, err := rtMessage(b)
		if err != nil {
			return nil, nil, err
		}
		if h.typ <= netlinkMinType {
			ends = append(ends, rtKernelError(h, body))
		}
		b = rest
	}
	return msgs, ends, nil
}
