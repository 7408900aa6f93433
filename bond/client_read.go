// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"syscall"
)

// Get reads a bond. Active and Primary have their names.
func (c *Client) Get(ctx context.Context, bond Link) (*Bond, error) {
	b := new(Bond)
	if err := c.get(ctx, "get", bond, b); err != nil {
		return nil, err
	}
	return b, nil
}

// GetInto reads a bond as Get does, into memory that is used again: b is
// replaced as [Bond.Decode] says. After an error b is zero.
func (c *Client) GetInto(ctx context.Context, bond Link, b *Bond) error {
	return c.get(ctx, "get", bond, b)
}

func (c *Client) get(ctx context.Context, op string, bond Link, b *Bond) error {
	body, err := c.lookup(ctx, bond)
	if err == nil {
		err = b.Decode(body)
	}
	if err == nil {
		err = c.fillNames(ctx, b)
	}
	if err != nil {
		*b = Bond{}
	}
	return clientError(op, bond.String(), err)
}

// List reads all bonds, in the order of their index.
func (c *Client) List(ctx context.Context) ([]Bond, error) {
	const op = "list bonds"
	msgs, err := c.dump(ctx, &linkRequest{dumpKind: true, extMask: true})
	if err != nil {
		return nil, clientError(op, "", err)
	}
	bonds := make([]Bond, 0, len(msgs))
	for i := range msgs {
		var b Bond
		switch err := b.Decode(msgs[i].Data); {
		case errors.Is(err, ErrNotBond): // from a kernel that does not filter
		case err != nil:
			return nil, clientError(op, "", err)
		default:
			bonds = append(bonds, b)
		}
	}
	slices.SortFunc(bonds, func(a, b Bond) int { return cmp.Compare(a.Index, b.Index) })
	all := make([]*Bond, len(bonds))
	for i := range bonds {
		all[i] = &bonds[i]
	}
	if err := c.fillNames(ctx, all...); err != nil {
		return nil, clientError(op, "", err)
	}
	return bonds, nil
}

// fillNamesOneByOne is how many names are looked up one at a time. A dump reads
// all interfaces, which on a host of containers are thousands.
const fillNamesOneByOne = 8

// fillNames sets the names of the active and primary slaves, as far as they are
// there still.
func (c *Client) fillNames(ctx context.Context, bonds ...*Bond) error {
	names := make(map[int]string)
	for _, b := range bonds {
		for _, l := range [...]Link{b.Active, b.Primary} {
			if l.Index != 0 {
				names[l.Index] = ""
			}
		}
	}
	var l LinkInfo
	if len(names) <= fillNamesOneByOne {
		for index := range names {
			body, err := c.lookup(ctx, Link{Index: index})
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err == nil {
				err = l.Decode(body)
			}
			if err != nil {
				return err
			}
			names[index] = l.Name
		}
	} else {
		msgs, err := c.dump(ctx, &linkRequest{extMask: true})
		if err != nil {
			return err
		}
		for i := range msgs {
			if err := l.Decode(msgs[i].Data); err != nil {
				return err
			}
			if _, ok := names[l.Index]; ok {
				names[l.Index] = l.Name
			}
		}
	}
	for _, b := range bonds {
		b.Active.Name, b.Primary.Name = names[b.Active.Index], names[b.Primary.Index]
	}
	return nil
}

// Slaves reads the slaves of a bond, in the order of their index.
func (c *Client) Slaves(ctx context.Context, bond Link) ([]Slave, error) {
	const op = "list slaves"
	b := new(Bond)
	body, err := c.lookup(ctx, bond)
	if err == nil {
		err = b.Decode(body)
	}
	if err != nil {
		return nil, clientError(op, bond.String(), err)
	}
	slaves, err := c.slaves(ctx, b.Index)
	return slaves, clientError(op, b.Name, err)
}

// AllSlaves reads the slaves of all bonds, in the order of their index.
func (c *Client) AllSlaves(ctx context.Context) ([]Slave, error) {
	slaves, err := c.slaves(ctx, 0)
	return slaves, clientError("list slaves", "", err)
}

// slaves reads the slaves of the bond with that index, or of all for 0.
func (c *Client) slaves(ctx context.Context, master int) ([]Slave, error) {
	msgs, err := c.dump(ctx, &linkRequest{dumpMaster: master, extMask: true})
	if err != nil {
		return nil, err
	}
	var slaves []Slave
	for i := range msgs {
		var s Slave
		switch err := s.Decode(msgs[i].Data); {
		case errors.Is(err, ErrNotSlave): // from a kernel that does not filter
		case err != nil:
			return nil, err
		case master == 0 || s.Master == master:
			slaves = append(slaves, s)
		}
	}
	slices.SortFunc(slaves, func(a, b Slave) int { return cmp.Compare(a.Index, b.Index) })
	return slaves, nil
}

// Slave reads a slave. The error matches ErrNotSlave where the interface is not
// a slave of a bond.
func (c *Client) Slave(ctx context.Context, slave Link) (*Slave, error) {
	s := new(Slave)
	body, err := c.lookup(ctx, slave)
	if err == nil {
		err = s.Decode(body)
	}
	if err != nil {
		return nil, clientError("get slave", slave.String(), err)
	}
	return s, nil
}

// Link reads any interface.
func (c *Client) Link(ctx context.Context, l Link) (*LinkInfo, error) {
	info, err := c.info(ctx, l)
	if err != nil {
		return nil, clientError("get link", l.String(), err)
	}
	return info, nil
}

func (c *Client) info(ctx context.Context, l Link) (*LinkInfo, error) {
	info := new(LinkInfo)
	body, err := c.lookup(ctx, l)
	if err == nil {
		err = info.Decode(body)
	}
	if err != nil {
		return nil, err
	}
	return info, nil
}

// lookup reads the message about an interface. Alternative names are names.
func (c *Client) lookup(ctx context.Context, l Link) ([]byte, error) {
	missing := func(hint string) error {
		return &Error{Link: l.String(), Err: errNoLink, Hint: hint}
	}
	r := linkRequest{extMask: true}
	switch {
	case l.IsZero():
		return nil, missing("an index or a name is needed")
	case l.Index < 0 || l.Index > math.MaxInt32:
		return nil, missing("an index is 1 to 2147483647")
	case l.Index != 0:
		r.index = l.Index
	case len(l.Name) > altNameMax || strings.Contains(l.Name, "\x00"):
		return nil, missing("no interface can have this name")
	case len(l.Name) > ifNameMax:
		r.altName = l.Name
	default:
		r.name = l.Name
	}
	_, msgs, err := c.link(ctx, rtmGetLink, 0, &r)
	if ke, ok := errors.AsType[*KernelError](err); ok {
		// Kernels before 5.5 know no alternative names, and call such a request
		// invalid.
		if ke.Errno == syscall.ENODEV || r.altName != "" && ke.Errno == syscall.EINVAL {
			return nil, clientMeans(ke, errNoLink)
		}
	}
	if err != nil {
		return nil, err
	}
	for i := range msgs {
		if msgs[i].Type == rtmNewLink && linkFamily(msgs[i].Data) == 0 {
			return msgs[i].Data, nil
		}
	}
	return nil, ErrMalformed
}

// dump reads the messages about all interfaces that the filters let through. Old
// kernels know no filters.
func (c *Client) dump(ctx context.Context, r *linkRequest) ([]Message, error) {
	_, msgs, err := c.link(ctx, rtmGetLink, nlmFlagDump, r)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(msgs, func(m Message) bool {
		return m.Type != rtmNewLink || linkFamily(m.Data) != 0
	}), nil
}

// linkFamily returns the family of a message about a link: AF_UNSPEC (0) for
// links, AF_BRIDGE for ports of bridges.
func linkFamily(body []byte) byte {
	if len(body) == 0 {
		return 0
	}
	return body[0]
}

// clientMeans returns a copy of the kernel's error with what it is taken for.
func clientMeans(ke *KernelError, meaning error) *KernelError {
	m := *ke
	m.Meaning = meaning
	return &m
}

// Stats reads the LACP counters of an 802.3ad bond, the sums of its slaves'. The
// error matches ErrWrongMode for a bond of another mode, and errors.ErrUnsupported
// for a kernel before 5.1.
func (c *Client) Stats(ctx context.Context, bond Link) (Stats, error) {
	const op = "read counters"
	var b Bond
	body, err := c.lookup(ctx, bond)
	if err == nil {
		err = b.Decode(body)
	}
	if err != nil {
		return Stats{}, clientError(op, bond.String(), err)
	}
	s, err := c.stats(ctx, b.Index, iflaStatsLinkXStats, b.Mode)
	return s, clientError(op, b.Name, err)
}

// SlaveStats reads the LACP counters of a slave of an 802.3ad bond. The error is
// as that of Stats, or matches ErrNotSlave.
func (c *Client) SlaveStats(ctx context.Context, slave Link) (Stats, error) {
	const op = "read counters"
	var s Slave
	var b Bond
	body, err := c.lookup(ctx, slave)
	if err == nil {
		err = s.Decode(body)
	}
	if err == nil {
		body, err = c.lookup(ctx, Link{Index: s.Master})
	}
	if err == nil {
		err = b.Decode(body)
	}
	if err != nil {
		return Stats{}, clientError(op, slave.String(), err)
	}
	stats, err := c.stats(ctx, s.Index, iflaStatsLinkXStatsSlave, b.Mode)
	return stats, clientError(op, s.Name, err)
}

// stats asks for one kind of counters of one interface.
func (c *Client) stats(ctx context.Context, index int, attr uint32, mode Mode) (Stats, error) {
	var s Stats
	if mode != Mode8023AD {
		return s, &Error{Err: ErrWrongMode, Hint: "only 802.3ad counts LACPDUs, and this is " + mode.String()}
	}
	req := make([]byte, ifStatsLen)
	binary.NativeEndian.PutUint32(req[4:], uint32(index))
	binary.NativeEndian.PutUint32(req[8:], 1<<(attr-1))
	msgs, err := c.t.Do(ctx, Message{Type: rtmGetStats, Data: req})
	if err != nil {
		return s, (&clientChange{}).explain(err)
	}
	for i := range msgs {
		if msgs[i].Type != rtmNewStats {
			continue
		}
		if ok, err := s.Decode(msgs[i].Data); ok || err != nil {
			return s, err
		}
	}
	return Stats{}, &Error{Err: errOldKernel, Hint: "kernels before 5.1 do not tell LACP counters"}
}
