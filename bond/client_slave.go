// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// SetSlave changes options of a slave in one message, and returns the slave as it
// is afterwards. Zero SlaveOptions change nothing and send nothing. It checks,
// reads again after an error and after success, and fails as [Client.Set] does.
func (c *Client) SetSlave(ctx context.Context, slave Link, o SlaveOptions) (*Slave, error) {
	return c.setSlaveOf(ctx, slave, o, 0)
}

// setSlaveOf is SetSlave for a slave of the bond with that index, or of any for 0.
func (c *Client) setSlaveOf(ctx context.Context, slave Link, o SlaveOptions, master int) (*Slave, error) {
	const op = "set slave"
	s, err := c.Slave(ctx, slave)
	if err == nil && master != 0 && s.Master != master {
		err = &Error{Err: ErrNotSlave, Hint: "it is one of another bond by now"}
	}
	if err != nil {
		return nil, clientError(op, slave.String(), err)
	}
	if o.IsZero() {
		return s, nil
	}
	s, err = c.setSlave(ctx, s, &o)
	return s, clientError(op, slave.String(), err)
}

// setSlave changes options of a slave that has been read.
func (c *Client) setSlave(ctx context.Context, s *Slave, o *SlaveOptions) (*Slave, error) {
	before, err := c.state(ctx, Link{Index: s.Master}, nil)
	if err != nil {
		return s, err
	}
	if err := validateSlave(*o, s.Link, before).Err(); err != nil {
		return s, err
	}
	body, _, err := c.link(ctx, rtmNewLink, 0, &linkRequest{index: s.Index, slaveOptions: o})
	if err == nil {
		after := new(Slave)
		body, err := c.lookup(ctx, Link{Index: s.Index})
		if err == nil {
			err = after.Decode(body)
		}
		if err != nil {
			return nil, err
		}
		return after, verifySlave(o, after)
	}
	change := &clientChange{kind: StepSetSlave, body: body, slave: s.Link, slaveOptions: o}
	if _, ok := errors.AsType[*KernelError](err); !ok {
		return s, err
	}
	after, again := c.state(ctx, Link{Index: s.Master}, nil)
	if again != nil {
		return nil, change.explain(err)
	}
	change.before, change.now = before, after
	return after.slave(s.Link), change.explain(err)
}

// arphrdLoopback is the hardware type of loopback interfaces, from <linux/if_arp.h>.
const arphrdLoopback = 772

// Enslave makes an interface a slave of a bond, and sets its options. The
// kernel takes an interface only while it is down, and switches it on itself:
// one that is up is switched off first, which loses its routes and, by default,
// its IPv6 addresses. These are up to three messages, because the kernel gets
// them wrong together. Where one after the first fails, the interface is
// released again and switched on if it was.
//
// Of an interface that is a slave of the bond already, only the options are
// set. One that is a port of something else, be it another bond, is left alone,
// and the error matches ErrSlaveBusy; it matches ErrCannotEnslave where an
// interface of this type cannot be a slave.
func (c *Client) Enslave(ctx context.Context, bond, slave Link, o SlaveOptions) error {
	const op = "enslave"
	now, err := c.state(ctx, bond, nil)
	if err != nil {
		return clientError(op, bond.String(), err)
	}
	s, err := c.info(ctx, slave)
	if err != nil {
		return clientError(op, slave.String(), err)
	}
	err = clientError(op, s.Name, c.enslave(ctx, now, s, &o))
	if e, ok := errors.AsType[*Error](err); ok {
		e.Bond = now.Bond.Name
	}
	return err
}

func (c *Client) enslave(ctx context.Context, now *State, s *LinkInfo, o *SlaveOptions) error {
	switch s.Master {
	case 0:
	case now.Bond.Index:
		if o.IsZero() {
			return nil
		}
		_, err := c.setSlave(ctx, &Slave{LinkInfo: *s}, o)
		return err
	default:
		return c.busy(ctx, s)
	}
	if s.Index == now.Bond.Index {
		return &Error{Err: ErrCannotEnslave, Hint: "a bond cannot be its own slave"}
	}
	if s.Type == arphrdLoopback {
		// Some kernels take it, and make a loopback interface of the bond.
		return &Error{Err: ErrCannotEnslave, Hint: "it is a loopback interface"}
	}
	if err := validateSlave(*o, s.Link, now).Err(); err != nil {
		return err
	}
	if s.Up() {
		if _, _, err := c.link(ctx, rtmNewLink, 0, &linkRequest{index: s.Index, change: FlagUp}); err != nil {
			if _, refused := errors.AsType[*KernelError](err); refused {
				return (&clientChange{kind: StepDown}).explain(err)
			}
			// Where there was no answer, the kernel may have done it.
			return c.undoEnslave(ctx, s, 0, err)
		}
	}
	_, _, err := c.link(ctx, rtmNewLink, 0, &linkRequest{index: s.Index, master: &now.Bond.Index})
	if err != nil {
		change := &clientChange{kind: StepEnslave, slave: s.Link, before: now}
		if _, ok := errors.AsType[*KernelError](err); ok {
			if after, again := c.state(ctx, now.Bond.Link, nil); again == nil {
				change.now = after
			}
			change.link, _ = c.info(ctx, Link{Index: s.Index})
		}
		master := now.Bond.Index
		if _, refused := errors.AsType[*KernelError](err); refused {
			master = 0
		}
		return c.undoEnslave(ctx, s, master, change.explain(err))
	}
	slave, err := c.info(ctx, Link{Index: s.Index})
	switch {
	case err != nil:
	case slave.Master == 0:
		err = &Error{Err: ErrNotApplied, Hint: "somebody else released the slave"}
	case slave.Master != now.Bond.Index:
		err = c.busy(ctx, slave)
	case !o.IsZero():
		_, err = c.setSlave(ctx, &Slave{LinkInfo: *slave}, o)
	}
	if err != nil {
		return c.undoEnslave(ctx, s, now.Bond.Index, err)
	}
	return nil
}

// busy returns the error for an interface that has a master.
func (c *Client) busy(ctx context.Context, s *LinkInfo) error {
	name := "interface " + strconv.Itoa(s.Master)
	if m, err := c.info(ctx, Link{Index: s.Master}); err == nil {
		name = m.Name
	}
	return &Error{Err: ErrSlaveBusy, Hint: fmt.Sprintf("it is a port of %s; release it from there first", name)}
}

// undoEnslave puts an interface back to what it was, also when the
// context has ended, and returns err. Master is the bond that it may have become a slave of,
// 0 for none. One that something else has taken meanwhile is left alone.
func (c *Client) undoEnslave(ctx context.Context, s *LinkInfo, master int, err error) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	now, failed := c.info(ctx, Link{Index: s.Index})
	switch {
	case failed != nil:
	case now.Master == 0:
	case now.Master != master:
		return err
	default:
		_, _, failed = c.link(ctx, rtmNewLink, 0, &linkRequest{index: s.Index, master: new(0)})
	}
	if s.Up() && failed == nil {
		_, _, failed = c.link(ctx, rtmNewLink, 0, &linkRequest{index: s.Index, flags: FlagUp, change: FlagUp})
	}
	failed = (&clientChange{kind: StepRelease}).explain(failed)
	if failed == nil || errors.Is(failed, os.ErrNotExist) {
		return err
	}
	return clientJoin(err, clientError("undo enslave", s.Name, failed))
}

// clientJoin adds an error to one that keeps its option and hint.
func clientJoin(err, other error) error {
	e := &Error{Err: err}
	if inner, ok := errors.AsType[*Error](err); ok {
		*e = *inner
	}
	e.Err = errors.Join(e.Err, other)
	return e
}

// Release makes a slave an interface of its own again. The kernel gives it its
// own MAC address and MTU back and leaves it down. The last slave that leaves a
// bond leaves it with a random MAC address, unless that was set. The error
// matches ErrNotSlave where the interface is no slave of a bond; it is left
// alone then.
func (c *Client) Release(ctx context.Context, slave Link) error {
	return c.release(ctx, slave, 0)
}

// release is Release for a slave of the bond with that index, or of any for 0.
func (c *Client) release(ctx context.Context, slave Link, master int) error {
	const op = "release"
	var s Slave
	body, err := c.lookup(ctx, slave)
	if err == nil {
		err = s.Decode(body)
	}
	if err == nil && master != 0 && s.Master != master {
		err = &Error{Err: ErrNotSlave, Hint: "it is one of another bond by now"}
	}
	if err != nil {
		return clientError(op, slave.String(), err)
	}
	_, _, err = c.link(ctx, rtmNewLink, 0, &linkRequest{index: s.Index, master: new(0)})
	if err != nil {
		err = (&clientChange{kind: StepRelease}).explain(err)
	}
	return clientError(op, s.Name, err)
}
