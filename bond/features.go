// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
)

// Features are the options that a kernel knows. The zero Features are none. Two can
// be compared.
type Features uint64

// featureSlave is what the number of a slave's option is raised by in a
// Features, after those of the bond.
const featureSlave = 40

func featureBit(opt Option) Features {
	switch n := opt &^ slaveOption; {
	case opt > 0 && opt < featureSlave:
		return 1 << opt
	case opt > slaveOption && featureSlave+n < 64:
		return 1 << (featureSlave + n)
	}
	return 0
}

// Has reports whether the kernel knows the option.
func (f Features) Has(opt Option) bool { return f&featureBit(opt) != 0 }

// String returns the names of the options with commas between them, in the order of
// the table.
func (f Features) String() string {
	var names []string
	for opt := range AllOptions() {
		if f.Has(opt) {
			names = append(names, opt.String())
		}
	}
	return strings.Join(names, ",")
}

// Features returns the options that the kernel shows of the bonds and slaves
// that there are, or of which it shows a younger one. It changes nothing. The
// error matches os.ErrNotExist where there is no bond; see
// [Client.ProbeFeatures].
//
// Some are shown only in certain cases: of slaves, actor_port_prio and most of
// what cannot be set only in 802.3ad, and ns_ip6_target only where it is set.
// Whether the kernel knows such an option may not be seen.
func (c *Client) Features(ctx context.Context) (Features, error) {
	const op = "read features"
	bonds, err := c.List(ctx)
	if err != nil {
		return 0, clientError(op, "", err)
	}
	if len(bonds) == 0 {
		return 0, &Error{Op: op, Err: errUnseen, Hint: "there is no bond to see it on; probe with one"}
	}
	slaves, err := c.AllSlaves(ctx)
	if err != nil {
		return 0, clientError(op, "", err)
	}
	return features(bonds, slaves), nil
}

// features collects what bonds and slaves show.
func features(bonds []Bond, slaves []Slave) Features {
	var f Features
	for opt := range AllOptions() {
		for i := range bonds {
			if bonds[i].Has(opt) {
				f |= featureBit(opt)
			}
		}
		for i := range slaves {
			if slaves[i].Has(opt) {
				f |= featureBit(opt)
			}
		}
	}
	// The kernel adds numbers at the end. What may be hidden, it knows if it knows one
	// of a higher number.
	for _, hidden := range [...]struct{ opt, younger Option }{
		{OptionActiveSlave, OptionMIIMon},
		{OptionARPTargets, OptionARPValidate},
		{OptionPrimary, OptionPrimaryReselect},
		{OptionADInfo, OptionTLBDynamicLB},
		{OptionADActorSysPrio, OptionTLBDynamicLB},
		{OptionADUserPortKey, OptionTLBDynamicLB},
		{OptionADActorSystem, OptionTLBDynamicLB},
		{OptionAggregatorID, OptionPrio},
		{OptionActorPortState, OptionPrio},
		{OptionPartnerPortState, OptionPrio},
	} {
		if f.Has(hidden.younger) {
			f |= featureBit(hidden.opt)
		}
	}
	return f
}

// ProbeFeatures returns the options of bonds that the kernel knows, and those
// of slaves as far as there are some to see them on. To find out it makes a
// bond of mode 802.3ad, down and with a random name, and deletes it again. That
// takes CAP_NET_ADMIN.
func (c *Client) ProbeFeatures(ctx context.Context) (Features, error) {
	const op = "probe features"
	slaves, err := c.AllSlaves(ctx)
	if err != nil {
		return 0, clientError(op, "", err)
	}
	var b Bond
	name := "probe" + randomHex()
	o := Options{
		Mode:      new(Mode8023AD),
		NSTargets: []netip.Addr{netip.MustParseAddr("2001:db8::1")},
	}
	body, _, err := c.link(ctx, rtmNewLink, nlmFlagCreate|nlmFlagExcl, &linkRequest{name: name, options: &o})
	if _, refused := errors.AsType[*KernelError](err); refused {
		return 0, clientError(op, name, (&clientChange{kind: StepCreate, body: body, options: &o}).explain(err))
	}
	if err == nil {
		err = c.get(ctx, op, Link{Name: name}, &b)
	}
	// Where there was no answer, it may have been made all the same.
	ctx, cancel := cleanup(ctx)
	defer cancel()
	_, _, undo := c.link(ctx, rtmDelLink, 0, &linkRequest{name: name})
	if err == nil && undo != nil {
		err = (&clientChange{kind: StepDelete}).explain(undo)
	}
	if err != nil {
		return 0, clientError(op, name, err)
	}
	return features([]Bond{b}, slaves), nil
}

// randomHex returns ten characters, with which a name has 15.
func randomHex() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// Supports reports whether the kernel knows an option, from what the bonds and
// slaves that there are show; see [Client.Features]. It changes nothing. The
// error matches os.ErrNotExist where that cannot tell, because there is no
// bond, or no slave, that would show the option if the kernel knew it.
func (c *Client) Supports(ctx context.Context, opt Option) (bool, error) {
	const op = "read features"
	unknown := func(hint string) error {
		return &Error{Op: op, Option: opt, Err: errUnseen, Hint: hint}
	}
	if opt.row() == nil {
		return false, &Error{Op: op, Option: opt, Err: ErrBadValue, Hint: "this package does not know it"}
	}
	bonds, err := c.List(ctx)
	if err != nil {
		return false, clientError(op, "", err)
	}
	slaves, err := c.AllSlaves(ctx)
	if err != nil {
		return false, clientError(op, "", err)
	}
	if features(bonds, slaves).Has(opt) {
		return true, nil
	}
	switch opt {
	case OptionNSTargets:
		return false, unknown("a bond shows it only while it has such a target")
	case OptionPrio:
		if len(slaves) == 0 {
			return false, unknown("there is no slave to see it on")
		}
	default:
		if opt > slaveOption {
			return false, unknown("only a slave of an 802.3ad bond that has an aggregator shows it")
		}
		if len(bonds) == 0 {
			return false, unknown("there is no bond to see it on; probe with one")
		}
	}
	return false, nil
}
