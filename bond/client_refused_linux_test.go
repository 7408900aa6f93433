// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

const (
	clientNewLink = 16
	clientDelLink = 17
	clientSetLink = 19
)

// clientBetween is a Transport that does something before a request of one type is sent.
type clientBetween struct {
	bond.Transport
	before func(m bond.Message)
}

func (b clientBetween) Do(ctx context.Context, m bond.Message) ([]bond.Message, error) {
	b.before(m)
	return b.Transport.Do(ctx, m)
}

// clientBeforeChange returns a wrapper that runs f once, before the first change.
func clientBeforeChange(f func()) func(bond.Transport) bond.Transport {
	return func(tr bond.Transport) bond.Transport {
		return clientBetween{tr, func(m bond.Message) {
			if m.Type == clientNewLink && f != nil {
				g := f
				f = nil
				g()
			}
		}}
	}
}

func TestClientCreateIsExclusive(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	c := n.dial()
	ctx := t.Context()
	index := clientGet[int](t)(c.Create(ctx, "bond0", bond.Options{Mode: new(bond.Mode8023AD)}, nil))
	for _, name := range []string{"bond0", "e1", "lo"} {
		_, err := c.Create(ctx, name, bond.Options{Mode: new(bond.ModeActiveBackup)}, nil)
		clientWant(t, err, "create", os.ErrExist)
	}
	if b := clientGet[*bond.Bond](t)(c.Get(ctx, clientName("bond0"))); b.Index != index || b.Mode != bond.Mode8023AD {
		t.Errorf("the first bond is now %+v", b)
	}
}

// TestClientCreateLeavesNothing has the kernel refuse an option, or ignore it.
func TestClientCreateLeavesNothing(t *testing.T) {
	n := newClientNet(t)
	c := n.dial()
	ctx := t.Context()
	has := clientGet[bond.Features](t)(c.ProbeFeatures(ctx)).Has
	for _, tt := range []struct {
		option bond.Option
		o      bond.Options
	}{
		{bond.OptionLACPActive, bond.Options{Mode: new(bond.Mode8023AD), LACPActive: new(false)}},
		{bond.OptionMissedMax, bond.Options{Mode: new(bond.ModeActiveBackup), MissedMax: new(uint8(3))}},
		{bond.OptionNSTargets, bond.Options{Mode: new(bond.ModeActiveBackup), NSTargets: []netip.Addr{netip.MustParseAddr("2001:db8::1")}}},
		{bond.OptionCoupledControl, bond.Options{Mode: new(bond.Mode8023AD), CoupledControl: new(false)}},
		{bond.OptionBroadcastNeighbor, bond.Options{Mode: new(bond.Mode8023AD), BroadcastNeighbor: new(true)}},
		{bond.OptionLACPStrict, bond.Options{Mode: new(bond.Mode8023AD), LACPStrict: new(true)}},
	} {
		t.Run(tt.option.String(), func(t *testing.T) {
			_, err := c.Create(ctx, "bond0", tt.o, nil)
			if has(tt.option) {
				clientMust(t, err)
				clientMust(t, c.Delete(ctx, clientName("bond0")))
				return
			}
			clientWant(t, err, "create", errors.ErrUnsupported)
			if e, ok := errors.AsType[*bond.Error](err); !ok || e.Option != tt.option || e.Link != "bond0" {
				t.Errorf("the error is %+v, want one that names the option", e)
			}
			if _, err := c.Link(ctx, clientName("bond0")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the bond is still there: %v", err)
			}
		})
	}
	t.Run("ad_select that is too new", func(t *testing.T) {
		_, err := c.Create(ctx, "bond0", bond.Options{Mode: new(bond.Mode8023AD), ADSelect: new(bond.ADSelectActorPortPrio)}, nil)
		if err == nil {
			clientMust(t, c.Delete(ctx, clientName("bond0")))
			return
		}
		clientWant(t, err, "create", bond.ErrBadValue, syscall.EINVAL)
		if e, ok := errors.AsType[*bond.Error](err); !ok || e.Option != bond.OptionADSelect || e.Hint == "" {
			t.Errorf("the error is %+v, want one that names the option", e)
		}
		if _, err := c.Link(ctx, clientName("bond0")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the bond is still there: %v", err)
		}
	})
}

// TestClientSetRefused changes the bond behind the client's back, after it has been
// checked, so that the kernel refuses what looked right.
func TestClientSetRefused(t *testing.T) {
	ms := time.Millisecond
	for _, tt := range []struct {
		name    string
		bond    string // words after "type bond"
		up      bool
		set     bond.Options
		meddle  []string
		want    []error
		not     []error
		option  bond.Option
		applied []bond.Option
	}{
		{
			name: "other mode", bond: "mode 802.3ad",
			set:    bond.Options{MIIMon: new(77 * ms), LACPRate: new(bond.LACPRateFast)},
			meddle: []string{"link set bond0 type bond mode active-backup"},
			want:   []error{bond.ErrWrongMode, syscall.EACCES}, not: []error{os.ErrPermission},
			option: bond.OptionLACPRate, applied: []bond.Option{bond.OptionMIIMon},
		},
		{
			name: "up", bond: "mode 802.3ad",
			set:    bond.Options{MinLinks: new(uint32(2)), LACPRate: new(bond.LACPRateFast)},
			meddle: []string{"link set bond0 up"},
			want:   []error{bond.ErrBondUp, syscall.EBUSY}, not: []error{bond.ErrSlaveBusy},
			option: bond.OptionLACPRate, applied: []bond.Option{bond.OptionMinLinks},
		},
		{
			name: "has slaves", bond: "mode active-backup miimon 100",
			set:    bond.Options{PrimaryReselect: new(bond.PrimaryReselectFailure), FailOverMAC: new(bond.FailOverMACActive)},
			meddle: []string{"link set e1 master bond0"},
			want:   []error{bond.ErrHasSlaves, syscall.ENOTEMPTY},
			option: bond.OptionFailOverMAC, applied: []bond.Option{bond.OptionPrimaryReselect},
		},
		{
			name: "mode with slaves", bond: "mode active-backup miimon 100",
			set:    bond.Options{Mode: new(bond.ModeBalanceXOR)},
			meddle: []string{"link set e1 master bond0"},
			want:   []error{bond.ErrHasSlaves}, option: bond.OptionMode,
		},
		{
			name: "no miimon", bond: "mode active-backup miimon 100", up: true,
			set:    bond.Options{UpDelay: new(200 * ms)},
			meddle: []string{"link set bond0 type bond miimon 0"},
			want:   []error{bond.ErrNeedsMIIMon, syscall.EPERM}, not: []error{os.ErrPermission},
			option: bond.OptionUpDelay,
		},
		{
			name: "active slave released", bond: "mode active-backup miimon 100", up: true,
			set:    bond.Options{Active: &bond.Link{Name: "e3"}},
			meddle: []string{"link set e3 nomaster"},
			want:   []error{bond.ErrNotSlave, syscall.EINVAL}, option: bond.OptionActiveSlave,
		},
		{
			name: "active slave down", bond: "mode active-backup miimon 100", up: true,
			set:    bond.Options{Active: &bond.Link{Name: "e3"}},
			meddle: []string{"link set e3 down"},
			want:   []error{bond.ErrSlaveDown, syscall.EINVAL}, option: bond.OptionActiveSlave,
		},
		{
			name: "active slave gone", bond: "mode active-backup miimon 100", up: true,
			set:    bond.Options{Active: &bond.Link{Name: "e3"}},
			meddle: []string{"link del e3"},
			want:   []error{os.ErrNotExist, syscall.ENODEV}, option: bond.OptionActiveSlave,
		},
		{
			name: "bond gone", bond: "mode active-backup miimon 100", up: true,
			set:    bond.Options{MIIMon: new(200 * ms)},
			meddle: []string{"link del bond0"},
			want:   []error{os.ErrNotExist},
		},
		{
			name: "active slave in a mode without one", bond: "mode active-backup miimon 100",
			set:    bond.Options{MinLinks: new(uint32(1)), Active: &bond.Link{}},
			meddle: []string{"link set e3 nomaster", "link set e2 nomaster", "link set bond0 type bond mode balance-xor"},
			want:   []error{bond.ErrWrongMode}, option: bond.OptionActiveSlave,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newClientNet(t)
			n.veth("e1", "e2", "e3")
			n.ip("link add bond0 type bond " + tt.bond)
			if !strings.Contains(tt.bond, "802.3ad") && tt.name != "has slaves" && tt.name != "mode with slaves" {
				n.ip("link set e2 master bond0", "link set e3 master bond0")
			}
			if tt.up {
				n.ip("link set bond0 up")
			}
			quiet := n.dial()
			if tt.set.Active != nil && tt.up {
				clientEventually(t, "the slave has a link", func() bool {
					s := clientGet[*bond.Slave](t)(quiet.Slave(t.Context(), clientName("e3")))
					b := clientGet[*bond.Bond](t)(quiet.Get(t.Context(), clientName("bond0")))
					return s.MIIStatus == bond.MIIUp && s.Carrier && b.Active.Name == "e2"
				})
			}
			c := n.dialThrough(clientBeforeChange(func() { n.ip(tt.meddle...) }))
			b, err := c.Set(t.Context(), clientName("bond0"), tt.set)
			t.Logf("%v", err)
			clientWant(t, err, "set", tt.want...)
			for _, not := range append(tt.not, bond.ErrNotApplied, errors.ErrUnsupported) {
				if errors.Is(err, not) {
					t.Errorf("the error %q matches %q", err, not)
				}
			}
			e, ok := errors.AsType[*bond.Error](err)
			if !ok {
				t.Fatal("no *Error")
			}
			if e.Option != tt.option || e.Link != "bond0" || e.Option != 0 && e.Hint == "" {
				t.Errorf("the error is %+v, want option %v and a hint", e, tt.option)
			}
			if diff := cmp.Diff(tt.applied, e.Applied); diff != "" {
				t.Errorf("applied differs (-want +got):\n%s", diff)
			}
			if _, err := quiet.Get(t.Context(), clientName("bond0")); (err == nil) != (b != nil) {
				t.Errorf("the bond is there: %v; and was returned: %v", err == nil, b != nil)
			}
			for _, opt := range tt.applied {
				if b == nil || !b.Has(opt) || b.Text(opt) != tt.set.Text(opt) {
					t.Errorf("%v is not in the bond that was returned", opt)
				}
			}
		})
	}
}

// TestClientKernelCallsValueInvalid has values changed on their way, which is how
// to get past the checks.
func TestClientKernelCallsValueInvalid(t *testing.T) {
	n := newClientNet(t)
	n.ip("link add bond0 type bond mode active-backup miimon 100")
	native := func(v uint32) string { return string(binary.NativeEndian.AppendUint32(nil, v)) }
	for _, tt := range []struct {
		option   bond.Option
		set      bond.Options
		from, to string
	}{
		{bond.OptionLPInterval, bond.Options{MIIMon: new(77 * time.Millisecond), LPInterval: new(0x123456 * time.Second)}, native(0x123456), native(0)},
		{bond.OptionResendIGMP, bond.Options{MIIMon: new(78 * time.Millisecond), ResendIGMP: new(uint32(0xd7))}, native(0xd7), native(0x1d7)},
		{bond.OptionARPTargets, bond.Options{MIIMon: new(79 * time.Millisecond), ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}, "\xc0\x00\x02\x01", "\xff\xff\xff\xff"},
	} {
		c := n.dialThrough(func(tr bond.Transport) bond.Transport {
			return clientBetween{tr, func(m bond.Message) {
				if i := strings.Index(string(m.Data), tt.from); m.Type == clientNewLink && i > 0 {
					copy(m.Data[i:], tt.to)
				}
			}}
		})
		b, err := c.Set(t.Context(), clientName("bond0"), tt.set)
		t.Logf("%v", err)
		clientWant(t, err, "set", bond.ErrBadValue, syscall.EINVAL)
		e, ok := errors.AsType[*bond.Error](err)
		if !ok || e.Option != tt.option && e.Message != "" {
			t.Errorf("the error is %+v, want option %v", e, tt.option)
		}
		if ok && !slices.Equal(e.Applied, []bond.Option{bond.OptionMIIMon}) || b == nil || b.MIIMon != *tt.set.MIIMon {
			t.Errorf("applied is %v, want miimon; the bond is %+v", e.Applied, b)
		}
	}
}

func TestClientValidatesFirst(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2")
	sent := 0
	c := n.dialThrough(func(tr bond.Transport) bond.Transport {
		return clientBetween{tr, func(m bond.Message) {
			if m.Type == clientNewLink || m.Type == clientDelLink || m.Type == clientSetLink {
				sent++
			}
		}}
	})
	n.ip("link add bond0 type bond mode active-backup miimon 100", "link set bond0 up", "link set e1 master bond0")
	ctx := t.Context()
	ms := time.Millisecond
	for name, tt := range map[string]struct {
		o    bond.Options
		want error
	}{
		"mode with slaves":     {bond.Options{Mode: new(bond.ModeBalanceXOR)}, bond.ErrHasSlaves},
		"wrong mode":           {bond.Options{LACPRate: new(bond.LACPRateFast)}, bond.ErrWrongMode},
		"range":                {bond.Options{LPInterval: new(time.Duration(0))}, bond.ErrBadValue},
		"part of a ms":         {bond.Options{MIIMon: new(ms / 2)}, bond.ErrBadValue},
		"both monitors":        {bond.Options{MIIMon: new(100 * ms), ARPInterval: new(100 * ms)}, bond.ErrConflict},
		"delay without miimon": {bond.Options{MIIMon: new(time.Duration(0)), UpDelay: new(100 * ms)}, bond.ErrNeedsMIIMon},
		"no slave":             {bond.Options{Active: &bond.Link{Name: "e2"}}, bond.ErrNotSlave},
		"down":                 {bond.Options{ADSelect: new(bond.ADSelectCount)}, bond.ErrBondUp},
		"wrong family":         {bond.Options{ARPTargets: []netip.Addr{netip.MustParseAddr("2001:db8::1")}}, bond.ErrBadValue},
	} {
		_, err := c.Set(ctx, clientName("bond0"), tt.o)
		t.Logf("%s: %v", name, err)
		clientWant(t, err, "set", tt.want)
		if e, ok := errors.AsType[*bond.Error](err); ok && (e.Link != "bond0" || e.Hint == "" && e.Message == "") {
			t.Errorf("%s: the error %+v says too little", name, e)
		}
	}
	_, err := c.SetSlave(ctx, clientName("e1"), bond.SlaveOptions{ActorPortPrio: new(uint16(1))})
	clientWant(t, err, "set slave", bond.ErrWrongMode)
	_, err = c.SetSlave(ctx, clientName("e1"), bond.SlaveOptions{QueueID: new(uint16(17))})
	clientWant(t, err, "set slave", bond.ErrBadValue)
	err = c.Enslave(ctx, clientName("bond0"), clientName("e2"), bond.SlaveOptions{QueueID: new(uint16(17))})
	clientWant(t, err, "enslave", bond.ErrBadValue)
	clientWant(t, c.SetMTU(ctx, clientName("bond0"), 0), "set mtu", bond.ErrBadValue)
	for _, mac := range []net.HardwareAddr{nil, {1, 2, 3}, {1, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}, make(net.HardwareAddr, 20)} {
		clientWant(t, c.SetMAC(ctx, clientName("bond0"), mac), "set mac", bond.ErrBadValue)
	}
	clientWant(t, c.SetActive(ctx, clientName("bond0"), bond.Link{}), "set active slave", bond.ErrBadValue)
	if _, err := c.Set(ctx, clientName("bond0"), bond.Options{}); err != nil {
		t.Errorf("zero Options: %v", err)
	}
	if _, err := c.SetSlave(ctx, clientName("e1"), bond.SlaveOptions{}); err != nil {
		t.Errorf("zero SlaveOptions: %v", err)
	}
	if sent != 0 {
		t.Errorf("%d requests were sent, want none", sent)
	}
}

// TestClientSetMACIgnored has a bond that reports success and does nothing.
func TestClientSetMACIgnored(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	n.ip("link add bond0 type bond mode active-backup miimon 100 fail_over_mac active", "link set e1 master bond0", "link set bond0 up")
	err := n.dial().SetMAC(t.Context(), clientName("bond0"), net.HardwareAddr{2, 0, 0, 0, 0, 9})
	clientWant(t, err, "set mac", bond.ErrNotApplied)
}

// TestClientQueueIDTaken is refused by the kernel with the number for missing
// privilege, and no text.
func TestClientQueueIDTaken(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2")
	n.ip("link add bond0 type bond mode active-backup miimon 100", "link set e1 master bond0", "link set e2 master bond0")
	quiet := n.dial()
	for _, tt := range []struct {
		id     uint16
		meddle func()
		want   error
	}{
		{2, func() {
			clientGet[*bond.Slave](t)(quiet.SetSlave(t.Context(), clientName("e2"), bond.SlaveOptions{QueueID: new(uint16(2))}))
		}, bond.ErrBadValue},
		{2, nil, bond.ErrBadValue}, // seen before it is sent
	} {
		c := n.dialThrough(clientBeforeChange(tt.meddle))
		s, err := c.SetSlave(t.Context(), clientName("e1"), bond.SlaveOptions{QueueID: &tt.id})
		clientWant(t, err, "set slave", tt.want)
		if e, ok := errors.AsType[*bond.Error](err); !ok || e.Option != bond.OptionQueueID || e.Hint == "" || e.Link != "e1" || errors.Is(err, os.ErrPermission) {
			t.Errorf("the error is %+v", e)
		}
		if s == nil || s.QueueID != 0 {
			t.Errorf("the slave is %+v", s)
		}
	}
}
