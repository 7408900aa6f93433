// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// ConformanceExplain is what the Client makes of the kernel's answer to a change of
// options.
func ConformanceExplain(body []byte, o *Options, before *State, err error) error {
	ch := &clientChange{kind: StepSet, body: body, options: o, before: before, now: before}
	return ch.explain(err)
}
