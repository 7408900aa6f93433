// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"fmt"
	"strings"
)

// IsEmpty reports whether there is nothing to be done.
func (p *Plan) IsEmpty() bool { return len(p.Steps) == 0 }

// String returns the plan for people to read: a headline, a numbered line a
// step with the reason for it, and a line each for the slaves that are missing and for
// what [Validate] found. It ends with a line feed.
func (p *Plan) String() string {
	var b strings.Builder
	switch n := len(p.Steps); {
	case p.Issues.Err() != nil:
		fmt.Fprintf(&b, "%s: not possible\n", p.Name)
	case n == 0:
		fmt.Fprintf(&b, "%s: nothing to do\n", p.Name)
	case n == 1:
		fmt.Fprintf(&b, "%s: 1 step, disruption %v\n", p.Name, p.Disruption)
	default:
		fmt.Fprintf(&b, "%s: %d steps, disruption %v\n", p.Name, n, p.Disruption)
	}
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "%3d. %s", i+1, s)
		if s.Why != "" {
			fmt.Fprintf(&b, " (%s)", s.Why)
		}
		b.WriteByte('\n')
	}
	for _, name := range p.Missing {
		fmt.Fprintf(&b, "missing: %s does not exist\n", name)
	}
	for _, issue := range p.Issues {
		fmt.Fprintf(&b, "%v\n", issue)
	}
	return b.String()
}

// String returns the step in the words of the kernel, without the reason, such
// as "set bond0 miimon=100 updelay=200".
func (s Step) String() string {
	words := []string{s.Kind.String(), s.Link}
	switch s.Kind {
	case StepSetMAC:
		words = append(words, s.MAC.String())
	case StepSetMTU:
		words = append(words, fmt.Sprint(s.MTU))
	case StepEnslave:
		words = append(words, "to", s.Bond)
	case StepRelease:
		words = append(words, "from", s.Bond)
	default:
		for opt := range s.Options.All() {
			words = append(words, opt.String()+"="+planText(&s.Options, opt))
		}
		for _, opt := range slaveSettable {
			if s.SlaveOptions.Has(opt) {
				words = append(words, opt.String()+"="+diffSlaveText(&s.SlaveOptions, opt))
			}
		}
	}
	if s.Kind == StepCreate {
		if s.MAC != nil {
			words = append(words, "mac="+s.MAC.String())
		}
		if s.MTU != 0 {
			words = append(words, fmt.Sprint("mtu=", s.MTU))
		}
		if s.TxQueues != 0 {
			words = append(words, fmt.Sprint("tx_queues=", s.TxQueues))
		}
	}
	return strings.Join(words, " ")
}

// planText returns a value, and none for a link or list that is cleared.
func planText(o *Options, opt Option) string {
	if text := o.Text(opt); text != "" {
		return text
	}
	return "none"
}

// planError are several errors of one plan.
type planError []error

// Error returns them one after the other.
func (e planError) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = strings.TrimPrefix(err.Error(), "bond: validate: ")
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns them for errors.Is and errors.As.
func (e planError) Unwrap() []error { return e }

// err returns the errors among the issues as one, or nil.
func (p *Plan) err() error {
	err := p.Issues.Err()
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		err = planError(many.Unwrap())
	}
	return clientError("plan", p.Name, err)
}
