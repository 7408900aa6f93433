// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// ApplyOptions say what [Client.Apply] may do. The zero value allows only what does
// not disrupt traffic, and asks nobody.
type ApplyOptions struct {
	// Allow is the most disruptive that the change may be.
	Allow Disruption
	// AllowMissing has slaves left out that do not exist, or that go away while
	// the change is made.
	AllowMissing bool
	// Confirm is called after the change, with what is there then. If it returns
	// an error or panics, everything is put back. It is not called where nothing was to be done.
	// Apply waits for it, and so it must return when ctx ends. It may use the Client, but not
	// for an Apply to the same bond, which would wait for this one.
	Confirm func(ctx context.Context, after *State) error
}

// Result is what [Client.Apply] did.
type Result struct {
	Plan *Plan
	// Before is what there was, and After what there is, nil where it was not
	// read.
	Before, After *State
	// Done are the steps that were carried out, and Skipped those that were not
	// needed or not possible any more: choosing an active slave that has no link or is
	// active already, and anything about a slave that went away.
	Done, Skipped []Step
	// RolledBack says that the change failed and has been undone. RollbackErr
	// says what of it was not possible.
	RolledBack  bool
	RollbackErr error
	// Unverified are the options that were set, and that the kernel does not
	// tell.
	Unverified []Option
}

// Times that an Apply may take besides those of the kernel.
const (
	// applyActiveWait bounds the wait for a slave to get a link before it is made
	// the active one.
	applyActiveWait = 5 * time.Second
	applyActivePoll = 50 * time.Millisecond
	// applyRollbackTime bounds a rollback.
	applyRollbackTime = 30 * time.Second
	// applyRollbackRounds is how often the difference is looked at.
	applyRollbackRounds = 4
)

// State reads what [Diff] compares with the Spec: the bond, its slaves, and the other interfaces
// that the Spec names. It is no error if any of them does not exist; where
// the name of the bond is that of another interface, that is in Links.
func (c *Client) State(ctx context.Context, spec *Spec) (*State, error) {
	spec = applySpec(spec)
	s, err := c.applyState(ctx, spec)
	return s, clientError("read state", spec.Name, err)
}

// applySpec returns the spec, an empty one for nil, which Diff refuses.
func applySpec(spec *Spec) *Spec {
	if spec == nil {
		return &Spec{}
	}
	return spec
}

func (c *Client) applyState(ctx context.Context, spec *Spec) (*State, error) {
	now := &State{}
	if !diffNameOK(spec.Name) {
		return now, nil // Diff says what is wrong
	}
	b, err := c.Get(ctx, Link{Name: spec.Name})
	switch {
	case err == nil && b.Name == spec.Name:
		now.Bond = b
		if now.Slaves, err = c.slaves(ctx, b.Index); err != nil {
			return nil, err
		}
	case errors.Is(err, ErrNotBond):
		link, err := c.info(ctx, Link{Name: spec.Name})
		if err != nil {
			return nil, err
		}
		now.Links = append(now.Links, *link)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	var links []Link
	for _, s := range spec.Slaves {
		links = append(links, Link{Name: s.Name})
	}
	for _, l := range []*Link{spec.Options.Primary, spec.Options.Active} {
		if l != nil && !l.IsZero() {
			links = append(links, *l)
		}
	}
	d := &differ{now: now}
	for _, l := range links {
		if _, known := d.find(l); known != nil {
			continue
		}
		link, err := c.info(ctx, l)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return nil, err
		default:
			now.Links = append(now.Links, *link)
		}
	}
	return now, nil
}

// Plan reads the state and returns what Apply would do. It changes nothing and needs no
// privilege. Its errors are those of State and of [Diff]; with the latter, the Plan is not nil.
func (c *Client) Plan(ctx context.Context, spec *Spec) (*Plan, error) {
	spec = applySpec(spec)
	now, err := c.State(ctx, spec)
	if err != nil {
		return nil, err
	}
	plan, err := Diff(now, spec)
	return plan, clientError("plan", spec.Name, err)
}

// Apply makes a bond as the Spec says, carrying out what [Diff] plans, and nothing where nothing
// differs. A nil ao is the zero ApplyOptions.
//
// Nothing is touched where the plan is more disruptive than allowed, which is an
// error matching ErrDisruptive; where a slave does not exist and AllowMissing is
// not set, matching os.ErrNotExist; and where the Spec is refused by Diff.
//
// Everything that is done is read back. What the kernel ignored is an error matching
// errors.ErrUnsupported, and what it made something else of, ErrNotApplied. Then
// Confirm is asked; its refusal matches ErrRejected and what it returned. After any of these, after
// the error of a step, and when ctx ends, everything is put back as it was: the bond is changed back,
// made again or deleted; its slaves are released or enslaved; and the interfaces that became slaves are as
// they were, with their MTU, and up if they were. This takes up to 30 seconds in which
// the context does not count. Where it did not succeed, Result.RollbackErr has the reason.
//
// The error is an *[Error] that names the step and tells whether the rollback held. The
// Result is not nil as soon as there is a Plan.
//
// A rollback cannot bring back what the kernel forgets: routes, and by default IPv6
// addresses, of what has been down; everything on top of a bond that was deleted; counters; a primary that
// was not a slave; delays while miimon was 0; and the values of Result.Unverified, which nobody could read before. While slaves
// are released there is no traffic. The program must live on until Apply returns: if it is
// killed, everything stays as it is at that moment.
//
// Two Applies of one Client to one bond wait for each other. Nothing keeps other programs from
// changing the bond in between: what they change may be reported as not applied, and
// be lost in a rollback. But a bond that they made under its name is left alone, and so is an
// interface that they took for something else.
func (c *Client) Apply(ctx context.Context, spec *Spec, ao *ApplyOptions) (*Result, error) {
	if ao == nil {
		ao = &ApplyOptions{}
	}
	spec = applySpec(spec)
	unlock, err := c.applying.lock(ctx, spec.Name)
	if err != nil {
		return nil, clientError("apply", spec.Name, err)
	}
	defer unlock()

	now, err := c.applyState(ctx, spec)
	if err != nil {
		return nil, clientError("apply", spec.Name, err)
	}
	a := &applier{c: c, spec: spec, ao: ao, res: &Result{Before: now}, touched: make(map[string]bool)}
	if now.Bond != nil {
		a.index = now.Bond.Index
	}
	a.res.Plan, err = Diff(now, spec)
	if err == nil {
		err = a.refuse()
	}
	if err != nil {
		return a.res, clientError("apply", spec.Name, err)
	}
	if a.res.Plan.IsEmpty() {
		a.res.After = now
		return a.res, nil
	}
	if err := a.run(ctx); err != nil {
		return a.res, a.undo(ctx, err)
	}
	return a.res, nil
}

// applier is an Apply under way.
type applier struct {
	c    *Client
	spec *Spec
	ao   *ApplyOptions
	res  *Result

	// index is that of the bond, 0 while there is none. Another bond of that name is somebody
	// else's, unless unsure says that it may have been made without an answer.
	index  int
	unsure bool
	// touched are the interfaces that steps were about, and gone slaves that went away.
	touched map[string]bool
	gone    []string
}

// refuse returns why the plan is not carried out.
func (a *applier) refuse() error {
	p := a.res.Plan
	if len(p.Missing) > 0 && !a.ao.AllowMissing {
		return &Error{
			Value: strings.Join(p.Missing, ", "), Err: os.ErrNotExist,
			Hint: "nothing has been changed; allow missing slaves to go on without",
		}
	}
	if p.Disruption > a.ao.Allow {
		return &Error{
			Value: p.Disruption.String(), Err: ErrDisruptive,
			Hint: "nothing has been changed; " + a.why(),
		}
	}
	return nil
}

// why returns the reason for the most disruptive step.
func (a *applier) why() string {
	why := ""
	for _, s := range a.res.Plan.Steps {
		switch s.Kind {
		case StepDelete, StepRelease:
			return s.Why
		case StepDown:
			if s.Link == a.spec.Name {
				why = s.Why
			}
		default:
		}
	}
	return why
}

// run carries out the plan and has it confirmed.
func (a *applier) run(ctx context.Context) error {
	steps := a.res.Plan.Steps
	for i, s := range steps {
		if slices.Contains(a.gone, s.Link) {
			a.res.Skipped = append(a.res.Skipped, s)
			continue
		}
		done, err := a.step(ctx, s)
		if err != nil {
			done, err = a.without(ctx, s, err)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			where := fmt.Sprintf("step %d of %d", i+1, len(steps))
			if _, ok := err.(*Error); !ok { //nolint:errorlint // which says itself what was done to what
				where += ", " + s.String()
			}
			return &Error{Value: where, Err: err}
		}
		if done {
			a.res.Done = append(a.res.Done, s)
		} else {
			a.res.Skipped = append(a.res.Skipped, s)
		}
	}
	if err := a.readBack(ctx); err != nil {
		return &Error{Value: "reading back", Err: err}
	}
	if a.ao.Confirm == nil {
		return nil
	}
	return a.confirm(ctx, a.res.After)
}

// readBack reads what there is now and verifies it. It takes several requests, so where slaves
// may go away it does so again before it says that something differs.
func (a *applier) readBack(ctx context.Context) error {
	for tries := 2; ; tries-- {
		after, err := a.c.applyState(ctx, a.spec)
		if err != nil {
			return err
		}
		a.res.After = after
		if err = a.verify(after); err == nil || tries == 1 || !a.ao.AllowMissing {
			return err
		}
	}
}

// confirm asks the caller.
func (a *applier) confirm(ctx context.Context, after *State) error {
	answered := false
	defer func() {
		if !answered { // it panicked, or ended the goroutine
			a.undo(ctx, ErrRejected)
		}
	}()
	err := a.ao.Confirm(ctx, after)
	answered = true
	if err != nil {
		return errors.Join(ErrRejected, err)
	}
	return ctx.Err()
}

// bond names the bond by its index, so that no other of that name is meant.
func (a *applier) bond() Link { return Link{Index: a.index, Name: a.spec.Name} }

// mine returns an error for an interface that has become a port of something else.
func (a *applier) mine(ctx context.Context, l Link) error {
	info, err := a.c.info(ctx, l)
	if err == nil && info.Master != 0 && info.Master != a.index && info.Index != a.index {
		err = a.c.busy(ctx, info)
	}
	return clientError("set down", l.String(), err)
}

// step carries out a step, and reports whether that was needed and possible.
func (a *applier) step(ctx context.Context, s Step) (done bool, err error) {
	a.touched[s.Link] = true
	c, link := a.c, Link{Name: s.Link}
	if s.Link == a.spec.Name {
		link = a.bond()
	}
	switch s.Kind {
	case StepCreate:
		a.index, err = c.Create(ctx, s.Link, s.Options, &CreateOptions{MAC: s.MAC, MTU: s.MTU, TxQueues: s.TxQueues})
		a.unsure = err != nil && !errors.Is(err, os.ErrExist)
	case StepDelete:
		err = c.Delete(ctx, link)
	case StepDown:
		if err = a.mine(ctx, link); err == nil {
			err = c.SetDown(ctx, link)
		}
	case StepUp:
		err = c.SetUp(ctx, link)
	case StepSetMAC:
		err = c.SetMAC(ctx, link, s.MAC)
	case StepSetMTU:
		err = c.SetMTU(ctx, link, s.MTU)
	case StepRelease:
		err = c.release(ctx, link, a.index)
	case StepEnslave:
		err = c.Enslave(ctx, a.bond(), link, SlaveOptions{})
	case StepSetSlave:
		_, err = c.setSlaveOf(ctx, link, s.SlaveOptions, a.index)
	case StepSet:
		if s.Options.Active != nil {
			return c.applyActive(ctx, link, s.Options)
		}
		_, err = c.Set(ctx, link, s.Options)
	}
	return err == nil, err
}

// applyActive makes a slave the active one, once it has a link. It gives
// up after a while, which is no error: the kernel would choose another at any time.
func (c *Client) applyActive(ctx context.Context, bond Link, o Options) (done bool, err error) {
	wait, cancel := context.WithTimeout(ctx, applyActiveWait)
	defer cancel()
	tick := time.NewTicker(applyActivePoll)
	defer tick.Stop()
	for {
		b, err := c.Get(ctx, bond)
		if err != nil || b.Active.Name == o.Active.Name {
			return false, err
		}
		s, err := c.Slave(ctx, *o.Active)
		switch {
		case errors.Is(err, os.ErrNotExist), errors.Is(err, ErrNotSlave):
			return false, nil // reading back will tell whether that matters
		case err != nil:
			return false, err
		case !s.Up(), !b.Up() && s.MIIStatus != MIIUp:
			return false, nil // no monitor runs while the bond is down
		case s.Carrier && s.MIIStatus == MIIUp:
			_, err = c.Set(ctx, bond, o)
			// It may have lost its link meanwhile.
			if err == nil || !errors.Is(err, ErrSlaveDown) && !errors.Is(err, ErrNotApplied) {
				return err == nil, err
			}
		}
		select {
		case <-tick.C:
		case <-wait.Done():
			return false, ctx.Err()
		}
	}
}

// verify compares what there is now with the Spec.
func (a *applier) verify(after *State) error {
	if b := after.Bond; b != nil && b.Index != a.index {
		return &Error{Link: b.Name, Err: errNoLink, Hint: "another program deleted it, and there is another of that name"}
	}
	spec := *a.spec
	spec.Options = a.spec.Options.Clone()
	// The kernel may have chosen another by now.
	spec.Options.Active = nil
	if b := after.Bond; b != nil && b.Mode == Mode8023AD {
		a.res.Unverified = applyUnseen(&a.spec.Options, b)
		for _, opt := range a.res.Unverified {
			spec.Options.Clear(opt)
		}
	}
	p, err := Diff(after, &spec)
	if err != nil {
		return err
	}
	for _, name := range p.Missing {
		if !a.ao.AllowMissing {
			return &Error{Link: name, Err: os.ErrNotExist, Hint: "it went away"}
		}
	}
	for _, s := range p.Steps {
		if s.Kind == StepCreate || s.Kind == StepDelete {
			break
		}
		if err := applyDiffers(after, s); err != nil {
			return err
		}
	}
	if len(p.Steps) > 0 {
		return &Error{Value: p.Steps[0].String(), Err: ErrNotApplied, Hint: "this is still to be done"}
	}
	return nil
}

// applyUnseen returns the options that the kernel takes and does not tell.
func applyUnseen(o *Options, b *Bond) []Option {
	var opts []Option
	for opt := range o.All() {
		if predictHidden(opt) && !b.Has(opt) {
			opts = append(opts, opt)
		}
	}
	return opts
}

// applyDiffers returns which option has another value than a step would give it, preferably
// one that the kernel does not tell at all.
func applyDiffers(after *State, s Step) error {
	var e *Error
	found := func(opt Option, value string, told bool) {
		switch {
		case e == nil && told:
			e = &Error{Link: s.Link, Option: opt, Value: value, Err: ErrNotApplied, Hint: "another program may have changed it"}
		case !told && (e == nil || errors.Is(e, ErrNotApplied)):
			e = &Error{
				Link: s.Link, Option: opt, Value: value, Err: errors.ErrUnsupported,
				Hint: "this kernel ignores it; kernels know it since " + opt.row().Since,
			}
		}
	}
	switch s.Kind {
	case StepSet:
		for opt := range s.Options.All() {
			// What is empty is not told.
			kind := opt.row().Kind
			empty := kind == KindLink || kind == KindIPv4List || kind == KindIPv6List
			found(opt, s.Options.Text(opt), empty || after.Bond == nil || after.Bond.Has(opt))
		}
	case StepSetSlave:
		slave, _ := (&differ{now: after}).find(Link{Name: s.Link})
		for _, opt := range slaveSettable {
			if s.SlaveOptions.Has(opt) {
				found(opt, s.SlaveOptions.Text(opt), slave == nil || slave.Has(opt))
			}
		}
	default:
	}
	if e == nil {
		return nil
	}
	return e
}
