// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// meaning is an error of another package in words that fit interfaces.
type meaning struct {
	text string
	err  error
}

func (m *meaning) Error() string { return m.text }
func (m *meaning) Unwrap() error { return m.err }

var (
	errNoLink     error = &meaning{"no such interface", os.ErrNotExist}
	errLinkExists error = &meaning{"there is an interface of that name", os.ErrExist}
	errClosed     error = &meaning{"client is closed", os.ErrClosed}
	errUnseen     error = &meaning{"nothing shows it", os.ErrNotExist}
	errOldKernel  error = &meaning{"not supported by this kernel", errors.ErrUnsupported}
)

// clientChange is a request that went wrong, as far as it helps to say why.
type clientChange struct {
	kind         StepKind
	body         []byte
	options      *Options
	slaveOptions *SlaveOptions
	// slave is the interface to be enslaved or changed.
	slave Link
	// before and now are the bond before the request and after it, and link the
	// slave after it, nil where they are not known.
	before, now *State
	link        *LinkInfo
}

// explain makes an *Error of an error of the kernel, and returns any other
// error as it is.
func (ch *clientChange) explain(err error) error {
	ke, ok := errors.AsType[*KernelError](err)
	if !ok {
		return err
	}
	e := &Error{Message: ke.Message}
	switch ch.kind {
	case StepCreate:
		ch.explainCreate(e, ke)
	case StepSet:
		ch.explainSet(e, ke)
		if ch.before != nil && ch.now != nil {
			e.Applied = applied(ch.options, ch.before, ch.now)
		}
	case StepSetSlave:
		ch.explainSetSlave(e, ke)
		if ch.before != nil && ch.now != nil {
			e.Applied = appliedSlave(ch.slaveOptions, ch.before.slave(ch.slave), ch.now.slave(ch.slave))
		}
	case StepEnslave:
		ch.explainEnslave(e, ke)
	default:
		ch.explainOther(e, ke)
	}
	if e.Option != 0 && e.Value == "" {
		e.Value = ch.text(e.Option)
	}
	e.Err = clientMeans(ke, e.Err)
	return e
}

// text returns the value that the request has for an option.
func (ch *clientChange) text(opt Option) string {
	switch {
	case ch.options != nil && ch.options.Has(opt):
		return ch.options.Text(opt)
	case ch.slaveOptions != nil && ch.slaveOptions.Has(opt):
		return ch.slaveOptions.Text(opt)
	}
	return ""
}

// explainOther is about requests whose errors say it all.
func (ch *clientChange) explainOther(e *Error, ke *KernelError) {
	switch ke.Errno {
	case syscall.ENODEV, syscall.ENXIO:
		e.Err = errNoLink
	case syscall.EEXIST:
		e.Err = errLinkExists
	case syscall.EPERM:
		e.Err, e.Hint = os.ErrPermission, hintPermission
	case syscall.EOPNOTSUPP:
		e.Err = errOldKernel
	case syscall.EADDRNOTAVAIL, syscall.ERANGE:
		e.Err = ErrBadValue
	case syscall.EINVAL:
		if ch.kind == StepSetMTU || ch.kind == StepSetMAC {
			e.Err = ErrBadValue
		}
	case syscall.EBUSY:
		if ch.kind == StepSetMAC {
			e.Err, e.Hint = ErrSlaveBusy, "the driver takes no address while the interface is up, or a slave is"
		}
	default:
	}
}

const hintPermission = "CAP_NET_ADMIN is needed in the user namespace that owns the network namespace"

func (ch *clientChange) explainCreate(e *Error, ke *KernelError) {
	switch {
	case ke.Errno == syscall.EEXIST:
		e.Err, e.Hint = errLinkExists, "choose another name, or delete that one first"
	case ke.Errno == syscall.EOPNOTSUPP && ke.Offset == 0 && (ke.Message == "" || strings.Contains(ke.Message, "device type")):
		e.Err, e.Hint = ErrNoModule, "load the driver: modprobe bonding max_bonds=0"
	default:
		ch.explainSet(e, ke)
	}
}

// explainSet is about the options of a bond.
func (ch *clientChange) explainSet(e *Error, ke *KernelError) {
	if ch.options == nil {
		ch.explainOther(e, ke)
		return
	}
	e.Option = ch.culprit(ke)
	row := e.Option.row()
	mode := ch.mode()
	switch ke.Errno {
	case syscall.EACCES:
		e.Err = ErrWrongMode
		if row != nil {
			e.Hint = hintMode(e.Option, mode)
		}
	case syscall.ENOTEMPTY:
		e.Err, e.Hint = ErrHasSlaves, "release the slaves first"
	case syscall.EBUSY:
		e.Err, e.Hint = ErrBondUp, "bring the bond down first"
	case syscall.EPERM:
		if row == nil {
			e.Err, e.Hint = os.ErrPermission, hintPermission
			return
		}
		e.Err, e.Hint = ErrNeedsMIIMon, "set miimon before "+e.Option.String()+", or in the same change"
	case syscall.ENODEV:
		e.Err = errNoLink
		if row != nil && row.Kind == KindLink {
			e.Hint = "it went away"
		}
	case syscall.EINVAL, syscall.ERANGE:
		ch.explainValue(e, ke)
	case syscall.EOPNOTSUPP:
		e.Err = errOldKernel
		if e.Option == OptionXmitHashPolicy || e.Option == OptionMode {
			e.Hint = "an XDP program on the bond may forbid it"
		}
	default:
		e.Option = 0
		ch.explainOther(e, ke)
	}
}

// mode returns the mode that the options were judged by.
func (ch *clientChange) mode() Mode {
	switch {
	case ch.options != nil && ch.options.Mode != nil:
		return *ch.options.Mode
	case ch.now != nil:
		return ch.now.Bond.Mode
	case ch.before != nil:
		return ch.before.Bond.Mode
	}
	return ModeBalanceRR
}

// explainValue is about values that the kernel calls invalid.
func (ch *clientChange) explainValue(e *Error, ke *KernelError) {
	o := ch.options
	e.Err = ErrBadValue
	switch {
	case strings.Contains(ke.Message, "cannot be used with MII monitoring"),
		ke.Message == "" && o.MIIMon != nil && *o.MIIMon != 0 &&
			(e.Option == OptionARPInterval && *o.ARPInterval != 0 || e.Option == OptionARPValidate && *o.ARPValidate != 0):
		e.Err, e.Hint = ErrConflict, "use miimon or arp_interval, and not both"
		return
	case e.Option == OptionActiveSlave && ch.now != nil:
		e.Err, e.Hint = ErrSlaveDown, "the slave must be up and have a link"
		if ch.now.slave(*o.Active) == nil {
			e.Err, e.Hint = ErrNotSlave, "enslave it first"
		}
		return
	case e.Option == OptionUseCarrier && !*o.UseCarrier:
		e.Err, e.Hint = errOldKernel, "since Linux 6.18 use_carrier cannot be switched off"
		return
	}
	if is, ok := ch.issue(e.Option, ErrBadValue); ok {
		e.Hint = is.Hint
	} else if since := ch.newerValue(e.Option); since != "" {
		e.Hint = "the value came with Linux " + since
	} else if row := e.Option.row(); row != nil && (row.Kind == KindIPv4List || row.Kind == KindIPv6List) {
		e.Hint = fmt.Sprintf("at most %d different unicast addresses", row.Max)
	} else if row != nil {
		e.Hint = textRange(row)
	}
}

// issue returns what Validate says about an option of the request.
func (ch *clientChange) issue(opt Option, target error) (Issue, bool) {
	for _, is := range Validate(*ch.options, ch.now) {
		if is.Severity == SeverityError && is.Option == opt && errors.Is(is.Err, target) {
			return is, true
		}
	}
	return Issue{}, false
}

// culprit returns the option at fault, 0 where that is not known. Kernels before
// 6.0 or so do not say; there it is the first that can have this error.
func (ch *clientChange) culprit(ke *KernelError) Option {
	if ke.Offset != 0 {
		if opt, ok := optionAtOffset(ch.body, ke.Offset); ok {
			return opt
		}
	}
	switch {
	case strings.HasPrefix(ke.Message, "ARP validating"):
		return OptionARPValidate
	case strings.HasPrefix(ke.Message, "ARP monitoring"):
		return OptionARPInterval
	}
	mode, miimon := ch.mode(), ch.miimon()
	only, n := Option(0), 0
	for opt := range ch.options.All() {
		row := opt.row()
		found := false
		switch ke.Errno {
		case syscall.EACCES:
			found = !row.Modes.Has(mode)
		case syscall.ENOTEMPTY:
			found = row.NeedsEmpty
		case syscall.EBUSY:
			found = row.NeedsDown
		case syscall.EPERM:
			found = row.NeedsMIIMon && miimon == 0
		case syscall.ENODEV:
			found = opt == OptionActiveSlave
		case syscall.EOPNOTSUPP:
			found = opt == OptionXmitHashPolicy || opt == OptionMode
		case syscall.EINVAL, syscall.ERANGE:
			found = ch.invalid(opt)
		default:
		}
		if found {
			return opt
		}
		only, n = opt, n+1
	}
	if ke.Errno == syscall.EINVAL {
		for opt := range ch.options.All() {
			if ch.newerValue(opt) != "" {
				return opt
			}
		}
	}
	// One option alone is at fault, unless the number has other causes.
	if n == 1 && ke.Errno != syscall.EPERM && ke.Errno != syscall.ENODEV && ke.Errno != syscall.EOPNOTSUPP {
		return only
	}
	return 0
}

// miimon returns the miimon that the delays of the request were judged by, in
// milliseconds.
func (ch *clientChange) miimon() int64 {
	if v, ok := ch.options.raw(OptionMIIMon); ok {
		return v
	}
	if ch.now != nil && ch.now.Bond.MIIMon != 0 {
		return ch.now.Bond.raw(OptionMIIMon)
	}
	if m := ch.options.Mode; m != nil && lbModes.Has(*m) {
		return lbMIIMon
	}
	return 0
}

// invalid reports whether the kernel calls the value of an option invalid.
func (ch *clientChange) invalid(opt Option) bool {
	o := ch.options
	switch opt {
	case OptionActiveSlave:
		if o.Active.Index == 0 || ch.now == nil {
			return o.Active.Index != 0
		}
		s := ch.now.slave(*o.Active)
		return s == nil || !s.usable()
	case OptionARPInterval, OptionARPValidate:
		v, _ := o.raw(opt)
		if mii, ok := o.raw(OptionMIIMon); ok && mii != 0 && v != 0 {
			return true
		}
	default:
	}
	if row := opt.row(); row.Kind != KindLink && row.Kind < KindIPv4List {
		if v, _ := o.raw(opt); v < row.Min || v > row.Max {
			return true
		}
	}
	_, ok := ch.issue(opt, ErrBadValue)
	return ok
}

// newerValue returns the version of the kernel that brought the value of an
// option, where the option is older than that.
func (ch *clientChange) newerValue(opt Option) string {
	switch v, _ := ch.options.raw(opt); {
	case opt == OptionADSelect && ADSelect(v) == ADSelectActorPortPrio:
		return "6.18"
	case opt == OptionXmitHashPolicy && XmitHashPolicy(v) == XmitHashVLANSrcMAC:
		return "5.12"
	}
	return ""
}

func (ch *clientChange) explainSetSlave(e *Error, ke *KernelError) {
	o := ch.slaveOptions
	if opt, ok := optionAtOffset(ch.body, ke.Offset); ok && ke.Offset != 0 {
		e.Option = opt
	}
	switch ke.Errno {
	case syscall.EACCES:
		e.Err = ErrWrongMode
		for _, opt := range slaveSettable {
			if e.Option == 0 && o.Has(opt) && !opt.row().Modes.Has(ch.mode()) {
				e.Option = opt
			}
		}
		if e.Option != 0 {
			e.Hint = hintMode(e.Option, ch.mode())
		}
	case syscall.EPERM:
		// A queue_id that is taken or too large, or no privilege: the kernel says the same.
		if o.QueueID != nil && ch.now != nil {
			for _, is := range validateSlave(SlaveOptions{QueueID: o.QueueID}, ch.slave, ch.now) {
				if is.Severity == SeverityError {
					e.Option, e.Err, e.Hint = is.Option, is.Err, is.Message+"; "+is.Hint
					return
				}
			}
		}
		e.Err, e.Hint = os.ErrPermission, hintPermission
	case syscall.EOPNOTSUPP:
		e.Err, e.Hint = ErrNotSlave, "it is a slave of a bond no longer"
	case syscall.EINVAL, syscall.ERANGE:
		e.Err = ErrBadValue
	default:
		e.Option = 0
		ch.explainOther(e, ke)
	}
}

func (ch *clientChange) explainEnslave(e *Error, ke *KernelError) {
	says := func(text string) bool { return strings.Contains(strings.ToLower(ke.Message), text) }
	up := ch.link != nil && ch.link.Up()
	switch ke.Errno {
	case syscall.EPERM:
		switch {
		case says("while up"), ke.Message == "" && up:
			e.Err, e.Hint = ErrSlaveUp, "somebody switched it on again; bring it down first"
		case ke.Message != "", ch.link != nil && ch.link.Type != 1 && ch.link.Type != 32:
			e.Err = ErrCannotEnslave
		default:
			e.Err, e.Hint = os.ErrPermission, hintPermission
		}
	case syscall.EBUSY:
		e.Err, e.Hint = ErrSlaveBusy, "another interface uses it, such as a bridge or a macvlan; release it there first"
	case syscall.EINVAL:
		e.Err = ErrCannotEnslave
		if ke.Message == "" {
			switch {
			case ch.now == nil:
				e.Err, e.Hint = errNoLink, "the bond went away"
			case len(ch.now.Slaves) > 0 && ch.link != nil && ch.now.Slaves[0].Type != ch.link.Type:
				e.Hint = "its type is not that of the other slaves"
			case ch.now.Bond.Mode == Mode8023AD && ch.link != nil && ch.link.Type != 1:
				e.Hint = "802.3ad takes only Ethernet"
			}
		}
	case syscall.EOPNOTSUPP:
		e.Err = ErrCannotEnslave
		if says("mac address") || ke.Message == "" {
			e.Hint = "its MAC address cannot be set; fail_over_mac active or follow may help, set before the first slave"
		}
	case syscall.ENETDOWN:
		e.Err, e.Hint = ErrCannotEnslave, "the interface that it is on top of is down"
	case syscall.EADDRNOTAVAIL:
		e.Err, e.Hint = ErrCannotEnslave, "it cannot have the address of the bond"
	default:
		ch.explainOther(e, ke)
	}
}

// hintMode says which modes take an option.
func hintMode(opt Option, mode Mode) string {
	if opt.row().Modes.Has(mode) {
		return "this kernel does not take it in " + mode.String()
	}
	return fmt.Sprintf("%s does not take %s, leave it out; it is for %s", mode, opt, opt.row().Modes)
}
