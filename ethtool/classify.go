// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Texts of the kernel's extended acknowledgements.
const (
	ackNoFlag  = "bit name not found" // net/ethtool/bitset.c
	ackNotHere = "device not present" // net/ethtool/netlink.c before Linux 5.15
)

const (
	hintPrivilege = "needs CAP_NET_ADMIN in the user namespace that owns the network namespace; a driver may refuse with the same number"
	hintKernelLog = "the driver gives its reason, if any, in the kernel log only"
	hintDown      = "some drivers want the interface down, others something else to end first; " + hintKernelLog
)

// meant gives an error of the kernel the meaning that it has for most requests. l is the
// interface, or nil, and unsupported what EOPNOTSUPP means. Errors that do not come from the
// kernel stay as they are.
func (c *Client) meant(ctx context.Context, l *rtnl.Link, err, unsupported error) error {
	ke, ok := errors.AsType[*KernelError](err)
	if !ok || ke.Meaning != nil {
		return err
	}
	e := &Error{Message: ke.Message}
	meaning := func(m error, hint string) error {
		e.Err = &KernelError{Errno: ke.Errno, Message: ke.Message, Meaning: m}
		e.Hint = hint
		return e
	}
	switch ke.Errno {
	case syscall.ENODEV:
		if l != nil && !c.isAway(ctx, l, ke) {
			return meaning(ErrNoDevice, "")
		}
		return meaning(ErrDeviceAway, "")
	case syscall.EOPNOTSUPP:
		return meaning(unsupported, "")
	case syscall.EPERM, syscall.EACCES:
		return meaning(os.ErrPermission, hintPrivilege)
	case syscall.EBUSY, syscall.EAGAIN:
		return meaning(ErrBusy, hintDown)
	default:
		return meaning(nil, "")
	}
}

// isAway tells the two meanings of ENODEV apart: there is an interface whose
// device is not there, or there is no interface.
func (c *Client) isAway(ctx context.Context, l *rtnl.Link, ke *KernelError) bool {
	if ke.Message != "" {
		return ke.Message == ackNotHere
	}
	// The ioctl says the same for both, and an interface may be about to go.
	link := Link{Index: l.Index}
	if l.Index == 0 {
		link.Name = l.Name
	}
	_, err := c.resolve(ctx, link)
	return !errors.Is(err, ErrNoDevice)
}

// didYouMean returns a hint about the flag that was probably meant, or "".
func didYouMean(name string, flags Flags) string {
	const pruning = "source-pruning"
	best, distance := "", max(1, len(name)/3)+1
	for _, f := range flags {
		// Flags about pruning have opposite meanings: a change of the wrong one is worse than
		// none.
		if strings.Contains(name, pruning) && strings.Contains(f.Name, pruning) {
			return "the driver has " + printable(f.Name) + ", which may mean the opposite; SetSourcePruning knows"
		}
		if d := editDistance(strings.ToLower(name), strings.ToLower(f.Name), distance); d < distance {
			best, distance = f.Name, d
		}
	}
	if best != "" {
		return "did you mean " + printable(best) + "?"
	}
	var known []string
	for _, f := range flags {
		known = append(known, printable(f.Name))
	}
	return "the driver has " + strings.Join(known, ", ")
}

// editDistance counts the bytes to change, to add, to leave out and to swap with their
// neighbour, up to limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}
