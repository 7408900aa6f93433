// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"time"
)

// Create makes a bond with the options and returns its index. It is one message,
// and exclusive: where an interface has the name, the error matches os.ErrExist
// and nothing is changed. A nil co is the zero CreateOptions. What [Validate]
// refuses is not sent. Where the kernel ignores an option, the bond is deleted
// again, and the error matches errors.ErrUnsupported. So there is no bond after an
// error, unless the context ended before the kernel answered.
//
// What is not among the options has the default of the kernel's module, which its
// parameters may have changed.
func (c *Client) Create(ctx context.Context, name string, o Options, co *CreateOptions) (int, error) {
	const op = "create"
	index, err := c.create(ctx, name, &o, co)
	return index, clientError(op, name, err)
}

func (c *Client) create(ctx context.Context, name string, o *Options, co *CreateOptions) (int, error) {
	if err := checkNewName(name); err != nil {
		return 0, err
	}
	if co == nil {
		co = &CreateOptions{}
	}
	if co.MTU < 0 || co.TxQueues < 0 {
		return 0, &Error{Err: ErrBadValue, Hint: "MTU and TxQueues cannot be negative"}
	}
	if err := checkMAC(co.MAC, 6); co.MAC != nil && err != nil {
		return 0, err
	}
	o, _, err := c.resolve(ctx, o)
	if err != nil {
		return 0, err
	}
	if err := Validate(*o, nil).Err(); err != nil {
		return 0, err
	}
	r := linkRequest{name: name, mac: co.MAC, mtu: co.MTU, txQueues: co.TxQueues, kind: true}
	if !o.IsZero() {
		r.options = o
	}
	if co.Up {
		r.flags, r.change = FlagUp, FlagUp
	}
	body, msgs, err := c.link(ctx, rtmNewLink, nlmFlagCreate|nlmFlagExcl|nlmFlagEcho, &r)
	if err != nil {
		return 0, (&clientChange{kind: StepCreate, body: body, options: o}).explain(err)
	}
	// Kernels since 6.2 echo the new bond, which is its index without a race.
	b := new(Bond)
	for i := range msgs {
		if msgs[i].Type == rtmNewLink && b.Decode(msgs[i].Data) == nil && b.Name == name {
			break
		}
		*b = Bond{}
	}
	made := Link{Index: b.Index, Name: name}
	if err = c.get(ctx, "create", made, b); err == nil {
		made.Index = b.Index
		err = verify(o, b, nil)
	}
	if err == nil {
		return b.Index, nil
	}
	return 0, c.undoCreate(ctx, made, err)
}

// undoCreate deletes a bond that was made, also when the context has ended, and
// returns err. Older kernels do not tell its index. There, what has its name by
// now may be another interface, which is left alone.
func (c *Client) undoCreate(ctx context.Context, made Link, err error) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	failed := c.Delete(ctx, made)
	if failed == nil || errors.Is(failed, os.ErrNotExist) || errors.Is(failed, ErrNotBond) {
		return err
	}
	if e, ok := failed.(*Error); ok { //nolint:errorlint // Delete returns no other
		e.Op = "undo create"
	}
	return clientJoin(err, failed)
}

// cleanupTime is how long putting something back may take after the context of
// a change has ended.
const cleanupTime = 5 * time.Second

// cleanup returns a context for putting something back, which goes on where ctx has
// ended.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
}

// checkMAC reports whether an interface can have the address. Size is the length
// of its address.
func checkMAC(mac net.HardwareAddr, size int) error {
	bad := func(hint string) error {
		return &Error{Value: mac.String(), Err: ErrBadValue, Hint: hint}
	}
	switch {
	case len(mac) != size:
		return bad("the address has another length")
	case size == 6 && mac[0]&1 != 0:
		return bad("it is the address of a group")
	case size == 6 && !slices.ContainsFunc(mac, func(b byte) bool { return b != 0 }):
		return bad("the address is zero")
	}
	return nil
}

// resolve returns a copy of o in which links have an index and a name, and these
// links. The kernel takes an index that does not exist as none.
func (c *Client) resolve(ctx context.Context, o *Options) (*Options, []LinkInfo, error) {
	res := o.Clone()
	var links []LinkInfo
	for opt, l := range map[Option]*Link{OptionActiveSlave: res.Active, OptionPrimary: res.Primary} {
		if l == nil || l.IsZero() {
			continue
		}
		info, err := c.info(ctx, *l)
		if err != nil {
			e := &Error{Option: opt, Value: l.String(), Err: err}
			if inner, ok := errors.AsType[*Error](err); ok {
				e.Err, e.Message, e.Hint = inner.Err, inner.Message, inner.Hint
			}
			return nil, nil, e
		}
		*l = info.Link
		links = append(links, *info)
	}
	return &res, links, nil
}

// state reads a bond with its slaves. Of links, those are in it that are no slaves.
func (c *Client) state(ctx context.Context, bond Link, links []LinkInfo) (*State, error) {
	now := &State{Bond: new(Bond)}
	body, err := c.lookup(ctx, bond)
	if err == nil {
		err = now.Bond.Decode(body)
	}
	if err == nil {
		now.Slaves, err = c.slaves(ctx, now.Bond.Index)
	}
	if err == nil {
		err = c.fillNames(ctx, now.Bond)
	}
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if now.slave(l.Link) == nil {
			now.Links = append(now.Links, l)
		}
	}
	return now, nil
}

// slave returns one of the slaves, nil if there is none.
func (s *State) slave(l Link) *Slave {
	if i := s.slaveIndex(l); i >= 0 {
		return &s.Slaves[i]
	}
	return nil
}

// Set changes options of a bond in one message, and returns the bond as it is
// afterwards. Zero Options change nothing and send nothing.
//
// What [Validate] refuses is not sent. An option that has the value already is
// sent all the same, and the kernel treats it as any other: it announces it,
// and refuses it where a change would be refused.
//
// The kernel applies one option after the other, and stops at the first that it
// refuses without taking back the others. So after an error the bond is read
// again, and returned where that succeeds; [Error.Applied] has the options that
// did take effect. After success it is read again too: the error matches
// errors.ErrUnsupported for an option that the kernel does not know, which it
// ignores, and ErrNotApplied for one that has another value than was asked for.
// Of a delay the kernel keeps the multiple of miimon below it, and a primary
// that is not a slave yet cannot be read; neither is an error.
func (c *Client) Set(ctx context.Context, bond Link, o Options) (*Bond, error) {
	return c.set(ctx, "set", bond, &o)
}

func (c *Client) set(ctx context.Context, op string, bond Link, o *Options) (*Bond, error) {
	if o.IsZero() {
		b := new(Bond)
		if err := c.get(ctx, op, bond, b); err != nil {
			return nil, err
		}
		return b, nil
	}
	before, err := c.state(ctx, bond, nil)
	if err != nil {
		return nil, clientError(op, bond.String(), err)
	}
	name := before.Bond.Name
	o, links, err := c.resolve(ctx, o)
	if err != nil {
		return before.Bond, clientError(op, name, err)
	}
	for _, l := range links {
		if before.slave(l.Link) == nil {
			before.Links = append(before.Links, l)
		}
	}
	if err := Validate(*o, before).Err(); err != nil {
		return before.Bond, clientError(op, name, err)
	}
	body, _, err := c.link(ctx, rtmNewLink, 0, &linkRequest{index: before.Bond.Index, options: o})
	if err == nil {
		after := new(Bond)
		if err := c.get(ctx, op, before.Bond.Link, after); err != nil {
			return nil, err
		}
		return after, clientError(op, name, verify(o, after, before))
	}
	change := &clientChange{kind: StepSet, body: body, options: o}
	if _, ok := errors.AsType[*KernelError](err); !ok {
		return before.Bond, clientError(op, name, err)
	}
	if after, again := c.state(ctx, Link{Index: before.Bond.Index}, links); again == nil {
		change.before, change.now = before, after
	}
	err = clientError(op, name, change.explain(err))
	if change.now == nil {
		return nil, err
	}
	return change.now.Bond, err
}

// SetActive makes a slave the active one. The error matches ErrWrongMode where
// the mode has none, ErrNotSlave where it is no slave of the bond, and ErrSlaveDown
// where it has no link.
func (c *Client) SetActive(ctx context.Context, bond, slave Link) error {
	const op = "set active slave"
	if slave.IsZero() {
		return &Error{Op: op, Link: bond.String(), Option: OptionActiveSlave, Err: ErrBadValue, Hint: "a slave is needed; to have the kernel choose use ClearActive"}
	}
	_, err := c.set(ctx, op, bond, &Options{Active: &slave})
	return err
}

// ClearActive has the kernel choose the active slave anew.
func (c *Client) ClearActive(ctx context.Context, bond Link) error {
	_, err := c.set(ctx, "clear active slave", bond, &Options{Active: new(Link{})})
	return err
}

// Delete deletes a bond. The kernel releases its slaves and leaves them down. The error
// matches ErrNotBond where the interface is something else, which is left
// alone.
func (c *Client) Delete(ctx context.Context, bond Link) error {
	const op = "delete"
	var b Bond
	body, err := c.lookup(ctx, bond)
	if err == nil {
		err = b.Decode(body)
	}
	if err != nil {
		return clientError(op, bond.String(), err)
	}
	if _, _, err = c.link(ctx, rtmDelLink, 0, &linkRequest{index: b.Index}); err != nil {
		err = (&clientChange{kind: StepDelete}).explain(err)
	}
	return clientError(op, b.Name, err)
}

// SetUp switches an interface on, a bond or another one. A bond switches its
// slaves on as it takes them.
func (c *Client) SetUp(ctx context.Context, l Link) error {
	return c.setLink(ctx, "set up", l, StepUp, linkRequest{flags: FlagUp, change: FlagUp})
}

// SetDown switches an interface off. Its routes are lost, and by default its
// IPv6 addresses.
func (c *Client) SetDown(ctx context.Context, l Link) error {
	return c.setLink(ctx, "set down", l, StepDown, linkRequest{change: FlagUp})
}

// SetMAC sets the hardware address of an interface. The error matches
// ErrBadValue where the address cannot be one of this interface, and
// ErrNotApplied where the kernel keeps the old one without saying so, as an
// active-backup bond whose fail_over_mac is not none.
func (c *Client) SetMAC(ctx context.Context, l Link, mac net.HardwareAddr) error {
	return c.setLink(ctx, "set mac", l, StepSetMAC, linkRequest{mac: mac})
}

// SetMTU sets the MTU of an interface, and with that of a bond those of its slaves.
func (c *Client) SetMTU(ctx context.Context, l Link, mtu int) error {
	if mtu <= 0 {
		return &Error{Op: "set mtu", Link: l.String(), Err: ErrBadValue, Hint: "the MTU is more than 0"}
	}
	return c.setLink(ctx, "set mtu", l, StepSetMTU, linkRequest{mtu: mtu})
}

// setLink changes something that every interface has.
func (c *Client) setLink(ctx context.Context, op string, l Link, kind StepKind, r linkRequest) error {
	info, err := c.info(ctx, l)
	if err != nil {
		return clientError(op, l.String(), err)
	}
	if kind == StepSetMAC {
		if err := checkMAC(r.mac, len(info.MAC)); err != nil {
			return clientError(op, info.Name, err)
		}
	}
	r.index = info.Index
	body, _, err := c.link(ctx, rtmNewLink, 0, &r)
	if err != nil {
		return clientError(op, info.Name, (&clientChange{kind: kind, body: body}).explain(err))
	}
	if kind != StepSetMAC && kind != StepSetMTU {
		return nil
	}
	after, err := c.info(ctx, Link{Index: info.Index})
	switch {
	case err != nil:
	case kind == StepSetMAC && !slices.Equal(after.MAC, r.mac):
		hint := ""
		if info.Kind == kindBond {
			hint = "an active-backup bond takes no address while fail_over_mac is not none"
		}
		err = &Error{Value: r.mac.String(), Err: ErrNotApplied, Hint: hint}
	case kind == StepSetMTU && after.MTU != r.mtu:
		err = &Error{Err: ErrNotApplied}
	}
	if errors.Is(err, os.ErrNotExist) {
		err = &Error{Err: errNoLink, Hint: "it went away after the change"}
	}
	return clientError(op, info.Name, err)
}
