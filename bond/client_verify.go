// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"errors"
	"net/netip"
	"slices"
)

// verify compares what was asked for with what a bond says afterwards. The
// kernel reports success for options that it does not know. Before is the state
// before the change, nil for a new bond.
func verify(o *Options, after *Bond, before *State) error {
	var errs []error
	for opt := range o.All() {
		switch optionResult(o, opt, after, before) {
		case resultAbsent:
			errs = append(errs, &Error{
				Option: opt, Value: o.Text(opt), Err: errOldKernel,
				Hint: "the kernel ignored it; it came with Linux " + opt.row().Since,
			})
		case resultUnknown, resultAsAsked:
		case resultOther:
			errs = append(errs, &Error{
				Option: opt, Value: o.Text(opt), Err: ErrNotApplied,
				Hint: "it is " + orNone(after.Text(opt)),
			})
		}
	}
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return errors.Join(errs...)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// optionState is what a bond says about an option that was asked for.
type optionState uint8

const (
	resultUnknown optionState = iota // it is not shown
	resultAsAsked
	resultAbsent // it would be shown, if the kernel knew it
	resultOther
)

// optionResult compares one option of a request with a bond.
func optionResult(o *Options, opt Option, after *Bond, before *State) optionState {
	equal := false
	switch opt {
	case OptionActiveSlave:
		// Without one the kernel chooses, and may choose the one before.
		equal = o.Active.Index == 0 || after.Active.Index == o.Active.Index
	case OptionPrimary:
		if o.Primary.Index != 0 && !after.Has(opt) && (before == nil || before.slave(*o.Primary) == nil) {
			return resultUnknown // it waits for the slave
		}
		equal = after.Primary.Index == o.Primary.Index
	case OptionARPTargets:
		equal = sameAddrs(o.ARPTargets, after.ARPTargets)
	case OptionNSTargets:
		equal = sameAddrs(o.NSTargets, after.NSTargets)
		if !equal && !after.Has(opt) && !after.Has(OptionCoupledControl) {
			// An empty list is not shown. Kernels that show a younger option know it.
			return resultAbsent
		}
	case OptionADActorSysPrio, OptionADUserPortKey, OptionADActorSystem:
		switch {
		case !after.Has(opt):
			return resultUnknown
		case opt == OptionADActorSystem:
			equal = after.ADActorSystem == *o.ADActorSystem
		default:
			want, _ := o.raw(opt)
			equal = after.raw(opt) == want
		}
	default:
		if !after.Has(opt) {
			return resultAbsent
		}
		want, _ := o.raw(opt)
		if opt.row().NeedsMIIMon {
			m := after.MIIMon.Milliseconds()
			if m == 0 {
				return resultUnknown // the kernel shows 0, and keeps the delay
			}
			want -= want % m // it keeps how many times miimon a delay is
		}
		equal = after.raw(opt) == want
	}
	if equal {
		return resultAsAsked
	}
	return resultOther
}

// sameAddrs reports whether lists have the same addresses. The kernel keeps the
// order, but it means nothing.
func sameAddrs(a, b []netip.Addr) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	for _, list := range [][]netip.Addr{a, b} {
		for i := range list {
			list[i] = list[i].Unmap().WithZone("")
		}
		slices.SortFunc(list, netip.Addr.Compare)
	}
	return slices.Equal(a, b)
}

// applied returns the options of a request that have the value that was asked for,
// and had another before.
func applied(o *Options, before, after *State) []Option {
	var opts []Option
	for opt := range o.All() {
		if optionResult(o, opt, after.Bond, before) == resultAsAsked && optionResult(o, opt, before.Bond, before) != resultAsAsked {
			opts = append(opts, opt)
		}
	}
	return opts
}

// appliedSlave is as applied, for a slave. It may be gone.
func appliedSlave(o *SlaveOptions, before, after *Slave) []Option {
	if before == nil || after == nil {
		return nil
	}
	var opts []Option
	for _, opt := range slaveSettable {
		want, ok := o.raw(opt)
		if ok && after.Has(opt) && after.raw(opt) == want && before.raw(opt) != want {
			opts = append(opts, opt)
		}
	}
	return opts
}

// verifySlave is as verify, for a slave.
func verifySlave(o *SlaveOptions, after *Slave) error {
	for _, opt := range slaveSettable {
		want, ok := o.raw(opt)
		switch {
		case !ok || after.Has(opt) && after.raw(opt) == want:
		case !after.Has(opt):
			return &Error{
				Option: opt, Value: o.Text(opt), Err: errOldKernel,
				Hint: "the kernel ignored it; it came with Linux " + opt.row().Since,
			}
		default:
			return &Error{Option: opt, Value: o.Text(opt), Err: ErrNotApplied, Hint: "it is " + after.Text(opt)}
		}
	}
	return nil
}
