// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"errors"
	"slices"
	"strings"
)

// Severity says how bad an [Issue] is.
type Severity uint8

// The severities.
const (
	// SeverityWarning: the kernel takes it, and it is probably not what was
	// meant.
	SeverityWarning Severity = iota + 1
	// SeverityError: the kernel refuses it, or does something else than was asked.
	SeverityError
)

var severityWords = []string{"severity(0)", "warning", "error"}

// String returns "warning", "error" or severity(N).
func (s Severity) String() string { return enumString("severity", severityWords, s) }

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It reads what String returns, or the
// number; another error than nil matches [ErrBadValue].
func (s *Severity) UnmarshalText(text []byte) error {
	return enumUnmarshal(s, text, func(t string) (Severity, error) {
		return enumParse[Severity]("severity", severityWords, nil, t)
	})
}

// Issue is something that [Validate] found.
type Issue struct {
	Severity Severity
	// Option is what it is about, 0 for none or several.
	Option Option
	// Value is the value at fault in the kernel's words, where there is one.
	Value string
	// Message says what is wrong, and Hint what to do about it.
	Message, Hint string
	// Err is the error that the kernel's answer would be taken for, such as
	// ErrWrongMode; nil for a warning.
	Err error
}

// String returns "SEVERITY: OPTION VALUE: MESSAGE (HINT)" without the parts that
// are empty.
func (i Issue) String() string {
	var b strings.Builder
	b.WriteString(i.Severity.String() + ": ")
	if i.Option != 0 {
		b.WriteString(i.Option.String())
		if i.Value != "" {
			b.WriteString(" " + i.Value)
		}
		b.WriteString(": ")
	}
	b.WriteString(i.Message)
	if i.Hint != "" {
		b.WriteString(" (" + i.Hint + ")")
	}
	return b.String()
}

// Issues are all that [Validate] found, errors first.
type Issues []Issue

// Err returns nil if there are only warnings, the error as an *[Error] if there is
// one, and all of them joined if there are more. errors.Is and errors.As find each.
func (i Issues) Err() error {
	var errs []error
	for _, issue := range i {
		if issue.Severity != SeverityError {
			continue
		}
		e := &Error{Op: "validate", Option: issue.Option, Value: issue.Value, Message: issue.Message, Hint: issue.Hint, Err: issue.Err}
		if e.Err == nil {
			e.Err = ErrBadValue
		}
		if slices.Contains(valSelfExplaining, e.Err) {
			e.Message = ""
		}
		errs = append(errs, e)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// valSelfExplaining are the errors whose text says what the Message of an Issue says.
var valSelfExplaining = []error{ErrWrongMode, ErrBondUp, ErrHasSlaves, ErrNeedsMIIMon, ErrNotSlave}

// Warnings returns the warnings alone.
func (i Issues) Warnings() Issues {
	var w Issues
	for _, issue := range i {
		if issue.Severity == SeverityWarning {
			w = append(w, issue)
		}
	}
	return w
}

// Validate says what the kernel would refuse of o, and what it would take although it is
// probably not meant. It knows nothing but its arguments, and changes nothing.
//
// Now is the bond as it is, with its slaves and the interfaces that o names. A nil
// State, and one without a Bond, mean that the bond is about to be made with the
// options o, by a driver whose module has no parameters. For a bond that exists,
// links that are neither in Slaves nor in Links are taken not to exist.
//
// Errors are about what o sets, in the order in which the kernel would find them:
// it applies options one by one, in the order of [AllOptions], and stops at the
// first that it refuses, with those before it in effect. Each has the error that
// the kernel's answer would match in Err. The values of options do not matter for
// some of them: in the wrong mode the kernel refuses the default too, and what the
// bond has already. Warnings are about what the bond will be, as far as o has to do
// with it.
//
// The rules are those of Linux 7.2, but for use_carrier: that it cannot be off, since
// 6.18, is a warning. What older kernels refuse besides, and newer ones take
// besides, only they know.
func Validate(o Options, now *State) Issues {
	v := newValidator(&o, now)
	v.fit()
	for opt := range o.All() {
		if !v.unfit[opt] && v.check(opt) {
			v.after.apply(opt, &o)
		}
	}
	v.after.finish()
	v.warn()
	return append(v.errors, v.warnings...)
}

// validator looks for issues of o.
type validator struct {
	o        *Options
	now      *State
	creating bool
	// up and slaves are what the bond is before the message.
	up     bool
	slaves []Slave
	// before is the bond before, and after with the options applied that have been
	// found good.
	before *prediction
	after  *prediction
	// unfit are the options whose value cannot be sent.
	unfit            [slaveOption]bool
	errors, warnings Issues
}

func newValidator(o *Options, now *State) *validator {
	if now == nil {
		now = &State{}
	}
	v := &validator{
		o: o, now: now, creating: now.Bond == nil,
		before: newPrediction(now), after: newPrediction(now),
	}
	if !v.creating {
		v.up, v.slaves = now.Bond.Up(), now.Slaves
	}
	return v
}

// fail and warning add an issue. Fail returns false, for its callers to return.
func (v *validator) fail(opt Option, err error, message, hint string) bool {
	v.errors = append(v.errors, Issue{
		Severity: SeverityError, Option: opt, Value: v.o.Text(opt), Message: message, Hint: hint, Err: err,
	})
	return false
}

func (v *validator) warning(opt Option, value, message, hint string) {
	v.warnings = append(v.warnings, Issue{
		Severity: SeverityWarning, Option: opt, Value: value, Message: message, Hint: hint,
	})
}
