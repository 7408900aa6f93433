// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"errors"
	"os"
)

// without carries out what is left of a step that failed because a slave went away that may
// be missing. It returns the cause where that was another.
func (a *applier) without(ctx context.Context, s Step, cause error) (done bool, err error) {
	gone := func(l Link) bool {
		_, err := a.c.info(ctx, l)
		return errors.Is(err, os.ErrNotExist)
	}
	switch {
	case !a.ao.AllowMissing, !errors.Is(cause, os.ErrNotExist) && !errors.Is(cause, ErrNotApplied), s.Kind != StepCreate && gone(a.bond()):
		return false, cause
	case s.Link != a.spec.Name:
		if !gone(Link{Name: s.Link}) {
			return false, cause
		}
		a.gone = append(a.gone, s.Link)
		return false, nil
	}
	o := s.Options.Clone()
	if l := o.Primary; l != nil && !l.IsZero() && gone(*l) {
		o.Primary = nil
	}
	if l := o.Active; l != nil && !l.IsZero() && gone(*l) {
		o.Active = nil
	}
	switch {
	case o.Primary == nil == (s.Options.Primary == nil) && o.Active == nil == (s.Options.Active == nil):
		return false, cause
	case o.IsZero() && s.Kind == StepSet:
		return false, nil
	}
	s.Options = o
	return a.step(ctx, s)
}
