// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// clientScript is a Transport of one bond with slaves. It answers reads from
// the state, and every change with the refusal.
type clientScript struct {
	links   []clientLink
	refuse  *bond.KernelError
	fault   bond.Option // the option whose attribute the refusal points at
	changed func()      // the state changes with the request
	sent    []bond.Message
}

// clientLink is an interface of a clientScript.
type clientLink struct {
	index, master int
	name          string
	flags         uint32
	typ           uint16
	options       *bond.Options
	slave         *bond.SlaveOptions
	carrier       bool
	queues        int
}

func (s *clientScript) Close() error { return nil }

func (s *clientScript) Subscribe(context.Context) (bond.Subscription, error) {
	return nil, errors.ErrUnsupported
}

func (s *clientScript) Do(_ context.Context, m bond.Message) ([]bond.Message, error) {
	const getLink, dump = 18, 0x300
	if m.Type != getLink {
		s.sent = append(s.sent, bond.Message{Type: m.Type, Flags: m.Flags, Data: bytes.Clone(m.Data)})
		if s.changed != nil {
			s.changed()
		}
		ke := *s.refuse
		if s.fault != 0 {
			ke.Offset = clientOffset(m.Data, s.fault)
		}
		return nil, &ke
	}
	index := int(binary.NativeEndian.Uint32(m.Data[4:]))
	var msgs []bond.Message
	for _, l := range s.links {
		named := bytes.Contains(m.Data, append([]byte(l.name), 0))
		if m.Flags&dump != 0 || index != 0 && l.index == index || index == 0 && named {
			msgs = append(msgs, bond.Message{Type: clientNewLinkType, Data: l.encode()})
		}
	}
	if len(msgs) == 0 && m.Flags&dump == 0 {
		return nil, &bond.KernelError{Errno: syscall.ENODEV}
	}
	return msgs, nil
}

const clientNewLinkType = 16

func (l *clientLink) encode() []byte {
	b := make([]byte, 16)
	binary.NativeEndian.PutUint16(b[2:], l.typ)
	binary.NativeEndian.PutUint32(b[4:], uint32(l.index))
	binary.NativeEndian.PutUint32(b[8:], l.flags)
	carrier := byte(0)
	if l.carrier {
		carrier = 1
	}
	b = clientAttr(b, 3, append([]byte(l.name), 0))
	b = clientAttr(b, 33, []byte{carrier})
	b = clientAttr(b, 31, binary.NativeEndian.AppendUint32(nil, uint32(l.queues)))
	if l.master != 0 {
		b = clientAttr(b, 10, binary.NativeEndian.AppendUint32(nil, uint32(l.master)))
	}
	var info []byte
	if l.options != nil {
		data, err := l.options.AppendAttrs(nil)
		if err != nil {
			panic(err)
		}
		info = clientAttr(clientAttr(info, 1, []byte("bond\x00")), 2, data)
	}
	if l.slave != nil {
		data, err := l.slave.AppendAttrs(nil)
		if err != nil {
			panic(err)
		}
		data = clientAttr(data, 2, []byte{0}) // MII status: up
		info = clientAttr(clientAttr(info, 4, []byte("bond\x00")), 5, data)
	}
	if info != nil {
		b = clientAttr(b, 18, info)
	}
	return b
}

func clientAttr(b []byte, typ uint16, val []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(val)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, val...)
	return append(b, make([]byte, -len(val)&3)...)
}

// clientOffset finds the attribute of an option in a request, and counts as the
// kernel does.
func clientOffset(body []byte, opt bond.Option) int {
	const nlmsghdr, ifinfomsg = 16, 16
	info := opt.Info()
	nest := uint16(2)
	if info.Slave {
		nest = 5
	}
	at := ifinfomsg
	for _, typ := range []uint16{18, nest, info.Attr} {
		for binary.NativeEndian.Uint16(body[at+2:])&0x3fff != typ {
			at += (int(binary.NativeEndian.Uint16(body[at:])) + 3) &^ 3
		}
		if typ != info.Attr || typ == nest {
			at += 4
		}
	}
	if info.Attr == nest {
		at -= 4
	}
	return nlmsghdr + at
}

// clientHost is a bond 5 with the slaves e1 (6) and e2 (7), and a free e3 (8).
func clientHost(o bond.Options) *clientScript {
	return &clientScript{links: []clientLink{
		{index: 5, name: "bond0", options: &o, flags: bond.FlagUp, carrier: true, queues: 16, typ: 1},
		{index: 6, name: "e1", master: 5, slave: &bond.SlaveOptions{QueueID: new(uint16(0))}, flags: bond.FlagUp, carrier: true, typ: 1},
		{index: 7, name: "e2", master: 5, slave: &bond.SlaveOptions{QueueID: new(uint16(0))}, flags: bond.FlagUp, carrier: true, typ: 1},
		{index: 8, name: "e3", typ: 1},
	}}
}

// TestKernelErrors has every answer of the kernel to every change, with and
// without its explanation. What looked right when it was checked, the kernel
// refuses because somebody else changed the bond meanwhile.
func TestKernelErrors(t *testing.T) {
	ms := time.Millisecond
	ab := bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * ms)}
	ad := bond.Options{Mode: new(bond.Mode8023AD), MIIMon: new(100 * ms)}
	becomes := func(o bond.Options) func(*clientScript) {
		return func(s *clientScript) { s.links[0].options = &o }
	}
	set := func(o bond.Options) func(context.Context, *bond.Client) error {
		return func(ctx context.Context, c *bond.Client) error {
			_, err := c.Set(ctx, clientLinkOf("bond0"), o)
			return err
		}
	}
	create := func(o bond.Options) func(context.Context, *bond.Client) error {
		return func(ctx context.Context, c *bond.Client) error {
			_, err := c.Create(ctx, "bond9", o, nil)
			return err
		}
	}
	setSlave := func(o bond.SlaveOptions) func(context.Context, *bond.Client) error {
		return func(ctx context.Context, c *bond.Client) error {
			_, err := c.SetSlave(ctx, clientLinkOf("e1"), o)
			return err
		}
	}
	enslave := func(ctx context.Context, c *bond.Client) error {
		return c.Enslave(ctx, clientLinkOf("bond0"), clientLinkOf("e3"), bond.SlaveOptions{})
	}
	on := func(f func(c *bond.Client, ctx context.Context, l bond.Link) error, name string) func(context.Context, *bond.Client) error {
		return func(ctx context.Context, c *bond.Client) error { return f(c, ctx, clientLinkOf(name)) }
	}
	down := func(s *clientScript) { s.links[0].flags = 0 }
	empty := func(s *clientScript) {
		s.links[1].master, s.links[1].slave, s.links[2].master, s.links[2].slave = 0, nil, 0, nil
	}
	targets := []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	const (
		mode      = "option not supported in mode"
		hasSlaves = "unable to set option because the bond device has slaves"
		isUp      = "unable to set option because the bond is up"
		invalid   = "invalid option value"
	)
	for _, tt := range []struct {
		name    string
		host    bond.Options
		prepare func(*clientScript)
		changes func(*clientScript)
		call    func(context.Context, *bond.Client) error
		errno   syscall.Errno
		message string
		option  bond.Option // at fault
		points  bool        // the kernel says so
		want    error
	}{
		{name: "mode", host: ad, prepare: down, changes: becomes(ab), call: set(bond.Options{MinLinks: new(uint32(1)), LACPRate: new(bond.LACPRateFast)}), errno: syscall.EACCES, message: mode, option: bond.OptionLACPRate, points: true, want: bond.ErrWrongMode},
		{name: "mode of a new bond", call: create(bond.Options{Mode: new(bond.Mode8023AD), ADSelect: new(bond.ADSelectCount)}), errno: syscall.EACCES, message: mode, option: bond.OptionADSelect, points: true, want: bond.ErrWrongMode},
		{name: "slaves", host: ab, prepare: empty, changes: func(s *clientScript) { s.links[1].master = 5 }, call: set(bond.Options{MinLinks: new(uint32(1)), FailOverMAC: new(bond.FailOverMACActive)}), errno: syscall.ENOTEMPTY, message: hasSlaves, option: bond.OptionFailOverMAC, points: true, want: bond.ErrHasSlaves},
		{name: "up", host: ad, prepare: down, call: set(bond.Options{MinLinks: new(uint32(1)), LACPRate: new(bond.LACPRateFast)}), errno: syscall.EBUSY, message: isUp, option: bond.OptionLACPRate, points: true, want: bond.ErrBondUp},
		{name: "target", host: ab, call: set(bond.Options{ARPTargets: targets}), errno: syscall.EINVAL, message: invalid, option: bond.OptionARPTargets, points: true, want: bond.ErrBadValue},
		{name: "value among others", host: ab, call: set(bond.Options{MinLinks: new(uint32(1)), ResendIGMP: new(uint32(7)), LPInterval: new(time.Second)}), errno: syscall.EINVAL, message: invalid, option: bond.OptionResendIGMP, points: true, want: bond.ErrBadValue},
		{name: "monitors", host: ab, call: set(bond.Options{MIIMon: new(time.Duration(0)), ARPInterval: new(100 * ms)}), errno: syscall.EINVAL, message: "ARP monitoring cannot be used with MII monitoring", option: bond.OptionARPInterval, points: true, want: bond.ErrConflict},
		{name: "validating", host: ab, call: set(bond.Options{MIIMon: new(time.Duration(0)), ARPValidate: new(bond.ARPValidateAll)}), errno: syscall.EINVAL, message: "ARP validating cannot be used with MII monitoring", option: bond.OptionARPValidate, want: bond.ErrConflict},
		{name: "policy", host: ab, call: set(bond.Options{MinLinks: new(uint32(1)), PeerNotifDelay: new(100 * ms)}), errno: syscall.ERANGE, message: "integer out of range", option: bond.OptionPeerNotifDelay, points: true, want: bond.ErrBadValue},
		{name: "delay", host: ab, changes: becomes(bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(time.Duration(0))}), call: set(bond.Options{MinLinks: new(uint32(1)), DownDelay: new(100 * ms)}), errno: syscall.EPERM, option: bond.OptionDownDelay, want: bond.ErrNeedsMIIMon},
		{name: "privilege", host: ab, call: set(bond.Options{MinLinks: new(uint32(1)), DownDelay: new(100 * ms)}), errno: syscall.EPERM, want: os.ErrPermission},
		{name: "privilege for a new bond", call: create(bond.Options{MIIMon: new(100 * ms), DownDelay: new(100 * ms)}), errno: syscall.EPERM, want: os.ErrPermission},
		{name: "active slave gone", host: ab, changes: func(s *clientScript) { s.links = slices.Delete(s.links, 2, 3) }, call: set(bond.Options{MIIMon: new(200 * ms), Active: new(clientLinkOf("e2"))}), errno: syscall.ENODEV, option: bond.OptionActiveSlave, want: os.ErrNotExist},
		{name: "active slave released", host: ab, changes: func(s *clientScript) { s.links[2].master, s.links[2].slave = 0, nil }, call: set(bond.Options{MIIMon: new(200 * ms), Active: new(clientLinkOf("e2"))}), errno: syscall.EINVAL, message: invalid, option: bond.OptionActiveSlave, points: true, want: bond.ErrNotSlave},
		{name: "active slave down", host: ab, changes: func(s *clientScript) { s.links[2].carrier = false }, call: set(bond.Options{MIIMon: new(200 * ms), Active: new(clientLinkOf("e2"))}), errno: syscall.EINVAL, message: invalid, option: bond.OptionActiveSlave, points: true, want: bond.ErrSlaveDown},
		{name: "XDP", host: ab, call: set(bond.Options{MinLinks: new(uint32(1)), XmitHashPolicy: new(bond.XmitHashVLANSrcMAC)}), errno: syscall.EOPNOTSUPP, option: bond.OptionXmitHashPolicy, points: true, want: errors.ErrUnsupported},
		{name: "no driver", call: create(bond.Options{Mode: new(bond.Mode8023AD)}), errno: syscall.EOPNOTSUPP, message: "Unknown device type", want: bond.ErrNoModule},
		{name: "no driver without options", call: create(bond.Options{}), errno: syscall.EOPNOTSUPP, message: "Unknown device type", want: bond.ErrNoModule},
		{name: "name taken", call: create(bond.Options{}), errno: syscall.EEXIST, want: os.ErrExist},
		{name: "memory", call: create(bond.Options{Mode: new(bond.Mode8023AD)}), errno: syscall.ENOMEM, want: syscall.ENOMEM},
		{name: "bond gone", host: ab, changes: func(s *clientScript) { s.links = s.links[1:] }, call: set(bond.Options{MIIMon: new(200 * ms)}), errno: syscall.ENODEV, want: os.ErrNotExist},

		{name: "queue taken", host: ab, changes: func(s *clientScript) { s.links[2].slave.QueueID = new(uint16(3)) }, call: setSlave(bond.SlaveOptions{QueueID: new(uint16(3))}), errno: syscall.EPERM, option: bond.OptionQueueID, want: bond.ErrBadValue},
		{name: "too few queues", host: ab, changes: func(s *clientScript) { s.links[0].queues = 2 }, call: setSlave(bond.SlaveOptions{QueueID: new(uint16(3))}), errno: syscall.EPERM, option: bond.OptionQueueID, want: bond.ErrBadValue},
		{name: "privilege for a slave", host: ab, call: setSlave(bond.SlaveOptions{QueueID: new(uint16(3))}), errno: syscall.EPERM, want: os.ErrPermission},
		{name: "mode of a slave's option", host: ab, changes: becomes(ad), call: setSlave(bond.SlaveOptions{QueueID: new(uint16(3)), Prio: new(int32(3))}), errno: syscall.EACCES, message: mode, option: bond.OptionPrio, points: true, want: bond.ErrWrongMode},
		{name: "no slave any more", host: ab, changes: func(s *clientScript) { s.links[1].master, s.links[1].slave = 0, nil }, call: setSlave(bond.SlaveOptions{QueueID: new(uint16(3))}), errno: syscall.EOPNOTSUPP, want: bond.ErrNotSlave},

		{name: "enslave what is up", host: ab, call: enslave, errno: syscall.EPERM, message: "Device can not be enslaved while up", want: bond.ErrSlaveUp},
		{name: "enslave what came up, no text", host: ab, changes: func(s *clientScript) { s.links[3].flags = bond.FlagUp }, call: enslave, errno: syscall.EPERM, want: bond.ErrSlaveUp},
		{name: "enslave the bond", host: ab, call: enslave, errno: syscall.EPERM, message: "Cannot enslave bond to itself.", want: bond.ErrCannotEnslave},
		{name: "enslave CAN", host: ab, call: enslave, errno: syscall.EPERM, message: "CAN devices cannot be enslaved", want: bond.ErrCannotEnslave},
		{name: "enslave CAN, no text", host: ab, prepare: func(s *clientScript) { s.links[3].typ = 280 }, call: enslave, errno: syscall.EPERM, want: bond.ErrCannotEnslave},
		{name: "enslave a master", host: ab, call: enslave, errno: syscall.EPERM, message: "Device type (master device) cannot be enslaved", want: bond.ErrCannotEnslave},
		{name: "enslave without privilege", host: ab, call: enslave, errno: syscall.EPERM, want: os.ErrPermission},
		{name: "enslave what is in use", host: ab, call: enslave, errno: syscall.EBUSY, message: "Device is in use and cannot be enslaved", want: bond.ErrSlaveBusy},
		{name: "enslave another type", host: ab, call: enslave, errno: syscall.EINVAL, message: "Device type is different from other slaves", want: bond.ErrCannotEnslave},
		{name: "enslave another type in 802.3ad", host: ad, call: enslave, errno: syscall.EINVAL, message: "8023AD mode requires Ethernet devices", want: bond.ErrCannotEnslave},
		{name: "enslave what has a fixed address", host: ab, call: enslave, errno: syscall.EOPNOTSUPP, message: "Slave device does not support setting the MAC address, but fail_over_mac is not set to active", want: bond.ErrCannotEnslave},
		{name: "enslave over a dead link", host: ab, call: enslave, errno: syscall.ENETDOWN, want: bond.ErrCannotEnslave},
		{name: "enslave to a bond that went away", host: ab, changes: func(s *clientScript) { s.links = s.links[3:] }, call: enslave, errno: syscall.EINVAL, want: os.ErrNotExist},
		{name: "enslave what went away", host: ab, changes: func(s *clientScript) { s.links = s.links[:3] }, call: enslave, errno: syscall.ENODEV, want: os.ErrNotExist},

		{name: "release without privilege", host: ab, call: on((*bond.Client).Release, "e1"), errno: syscall.EPERM, want: os.ErrPermission},
		{name: "delete without privilege", host: ab, call: on((*bond.Client).Delete, "bond0"), errno: syscall.EPERM, want: os.ErrPermission},
		{name: "up without privilege", host: ab, call: on((*bond.Client).SetUp, "bond0"), errno: syscall.EPERM, want: os.ErrPermission},
		{name: "down of what went away", host: ab, call: on((*bond.Client).SetDown, "bond0"), errno: syscall.ENODEV, want: os.ErrNotExist},
		{name: "MTU", host: ab, call: func(ctx context.Context, c *bond.Client) error { return c.SetMTU(ctx, clientLinkOf("bond0"), 70000) }, errno: syscall.EINVAL, message: "mtu greater than device maximum", want: bond.ErrBadValue},
	} {
		// A kernel without explanations has neither text nor offset. What only they tell
		// apart is left out there.
		for _, explains := range []bool{true, false} {
			name := tt.name
			if !explains {
				if tt.message == "" && !tt.points || strings.HasPrefix(tt.name, "enslave") || strings.HasPrefix(tt.name, "no driver") {
					continue
				}
				name += ", no explanation"
			}
			t.Run(name, func(t *testing.T) {
				s := clientHost(tt.host)
				s.refuse = &bond.KernelError{Errno: tt.errno}
				if explains {
					s.refuse.Message = tt.message
					if tt.points {
						s.fault = tt.option
					}
				}
				if tt.prepare != nil {
					tt.prepare(s)
				}
				if tt.changes != nil {
					s.changed = func() { tt.changes(s); s.changed = nil }
				}
				c, err := bond.Dial(&bond.Config{Transport: s})
				if err != nil {
					t.Fatal(err)
				}
				err = tt.call(t.Context(), c)
				t.Logf("%v", err)
				if len(s.sent) == 0 {
					t.Fatal("nothing was sent")
				}
				clientCheckKernelError(t, err, s, tt.want, tt.option, explains || tt.option == 0)
			})
		}
	}
}

// clientLinkOf is a Link by name.
func clientLinkOf(name string) bond.Link { return bond.Link{Name: name} }

// clientCheckKernelError checks an error, and that it matches nothing else than
// what it is. Which option is at fault may not be known without the kernel's
// explanation, but must not be wrong.
func clientCheckKernelError(t *testing.T, err error, s *clientScript, want error, opt bond.Option, explained bool) {
	t.Helper()
	e, ok := errors.AsType[*bond.Error](err)
	ke, ok2 := errors.AsType[*bond.KernelError](err)
	if !ok || !ok2 {
		t.Fatalf("error is %T %v, want an *Error with a *KernelError", err, err)
	}
	if !errors.Is(err, s.refuse.Errno) || ke.Errno != s.refuse.Errno || e.Message != s.refuse.Message {
		t.Errorf("number %v and message %q, want %v and %q", ke.Errno, e.Message, s.refuse.Errno, s.refuse.Message)
	}
	bare := s.refuse.Message == "" && s.fault == 0
	if e.Option != opt && (explained || e.Option != 0 || !bare) {
		t.Errorf("option %v, want %v", e.Option, opt)
	}
	if e.Option != 0 && e.Hint == "" {
		t.Error("no hint")
	}
	if bare && !explained && errors.Is(want, bond.ErrConflict) {
		want = bond.ErrBadValue // both are "invalid argument"
		if errors.Is(err, bond.ErrConflict) {
			want = bond.ErrConflict
		}
	}
	for _, target := range []error{
		bond.ErrBadValue, bond.ErrWrongMode, bond.ErrBondUp, bond.ErrHasSlaves, bond.ErrNeedsMIIMon, bond.ErrConflict, bond.ErrNotBond, bond.ErrNotSlave,
		bond.ErrSlaveUp, bond.ErrSlaveDown, bond.ErrSlaveBusy, bond.ErrCannotEnslave, bond.ErrNoModule, bond.ErrNotApplied,
		os.ErrPermission, os.ErrExist, os.ErrNotExist, errors.ErrUnsupported,
	} {
		if errors.Is(err, target) != errors.Is(want, target) {
			t.Errorf("matches %q: %v, want %q", target, errors.Is(err, target), want)
		}
	}
	if !errors.Is(err, want) {
		t.Errorf("does not match %v", want)
	}
}
