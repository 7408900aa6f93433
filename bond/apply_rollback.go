// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// undo puts everything back after an error, and returns the error with
// what became of that.
func (a *applier) undo(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyRollbackTime)
	defer cancel()
	a.res.RollbackErr = a.rollback(ctx)
	a.res.RolledBack = a.res.RollbackErr == nil
	if b := a.res.Before.Bond; b != nil && b.Mode == Mode8023AD {
		a.res.Unverified = applyUnseen(&a.spec.Options, b)
	}

	e, ok := cause.(*Error) //nolint:errorlint // only one of our own
	if !ok {
		e = &Error{Err: cause}
	}
	e.Op, e.Link = "apply", a.spec.Name
	e.Hint = "everything is as it was"
	if a.res.RollbackErr != nil {
		e.Hint = "not everything is as it was: " + strings.TrimPrefix(a.res.RollbackErr.Error(), "bond: ")
	}
	return e
}

// rollback goes back to what was before. It goes on after an error, because each step
// that succeeds is one nearer, and looks again at what is left.
func (a *applier) rollback(ctx context.Context) error {
	names := a.res.Before.restoreNames(a.spec.Name)
	var failed []error
	for round := 0; ; round++ {
		now, err := a.c.applyState(ctx, names)
		a.res.After = now
		var plan *Plan
		var lost []error
		if err == nil {
			plan, lost = a.restore(ctx, now)
			if plan.IsEmpty() || round > 0 && applySteady(plan) {
				return errors.Join(lost...)
			}
		}
		if round == applyRollbackRounds || ctx.Err() != nil {
			if err == nil && len(failed) == 0 {
				err = &Error{Op: "restore", Link: a.spec.Name, Err: ErrNotApplied}
			}
			return errors.Join(slices.Concat(failed, []error{err}, lost)...)
		}
		if plan == nil {
			continue
		}
		failed = nil
		for _, s := range plan.Steps {
			if _, err := a.step(ctx, s); err != nil {
				failed = append(failed, err)
			}
		}
	}
}

// restore returns what is to be done to get back to what was before, and what is not
// possible. A bond that is somebody else's is left alone.
func (a *applier) restore(ctx context.Context, now *State) (*Plan, []error) {
	name := a.spec.Name
	if a.unsure && now.Bond != nil {
		a.index, a.unsure = now.Bond.Index, false
	}
	var other *Error
	switch {
	case now.Bond != nil && now.Bond.Index != a.index:
		other = &Error{Op: "restore", Link: name, Err: errLinkExists, Hint: "another program made it, and it is left alone"}
	case now.Bond == nil && a.index != 0:
		if l, err := a.c.info(ctx, Link{Index: a.index}); err == nil && l.Kind == kindBond {
			other = &Error{Op: "restore", Link: name, Err: errNoLink, Hint: "another program named it " + l.Name + ", and it is left alone"}
		}
	}
	if other == nil {
		return restorePlan(now, a.res.Before, name, a.touched)
	}
	seen := &State{Links: slices.Clone(now.Links)}
	for i := range now.Slaves {
		seen.Links = append(seen.Links, now.Slaves[i].LinkInfo)
	}
	plan := &Plan{Name: name}
	restoreLinks(plan, seen, a.res.Before, a.touched)
	if a.res.Before.Bond == nil && now.Bond != nil {
		return plan, nil // nothing is left of what was made
	}
	return plan, []error{other}
}

// applySteady reports whether nothing is left to do but choosing an active slave,
// which the kernel may have chosen anew.
func applySteady(p *Plan) bool {
	return !slices.ContainsFunc(p.Steps, func(s Step) bool {
		return s.Kind != StepSet || s.Options.Active == nil
	})
}
