// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"errors"
	"slices"
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
		e.Hint = "not everything is as it was: " + a.res.RollbackErr.Error()
	}
	return e
}

// rollback goes back to what was before. It goes on after an error, because each step
// that succeeds is one nearer, and looks again at what is left.
func (a *applier) rollback(ctx context.Context) error {
	if a.exists {
		return nil // the bond is somebody else's, and was to be made first
	}
	before := a.res.Before
	name := a.spec.Name
	var failed error
	for round := range applyRollbackRounds {
		now, err := a.c.applyState(ctx, before.restoreNames(name))
		if err != nil {
			failed = err
			continue
		}
		plan, lost := restorePlan(now, before, name)
		if plan.IsEmpty() || round > 0 && applySteady(plan) {
			a.res.After = now
			return errors.Join(lost...)
		}
		failed = nil
		for _, s := range plan.Steps {
			if _, err := a.c.applyStep(ctx, name, s); err != nil {
				failed = errors.Join(failed, err)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if failed == nil {
		failed = &Error{Op: "restore", Link: name, Err: ErrNotApplied}
	}
	return failed
}

// applySteady reports whether nothing is left to do but choosing an active slave,
// which the kernel may have chosen anew.
func applySteady(p *Plan) bool {
	return !slices.ContainsFunc(p.Steps, func(s Step) bool {
		return s.Kind != StepSet || s.Options.Active == nil
	})
}
