// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// clientOf opens a Client of a kernel made of memory.
func clientOf(t *testing.T, tr bond.Transport) *bond.Client {
	t.Helper()
	c, err := bond.Dial(&bond.Config{Transport: tr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// clientCheck checks what an error matches, and that it is an *Error with these fields.
func clientCheck(t *testing.T, err error, op, link string, opt bond.Option, targets ...error) {
	t.Helper()
	e, ok := errors.AsType[*bond.Error](err)
	if !ok {
		t.Errorf("error is %T %v, want an *Error", err, err)
		return
	}
	if e.Op != op || e.Link != link || e.Option != opt {
		t.Errorf("error is %+v, want op %q, link %q, option %v", e, op, link, opt)
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("error %q does not match %q", err, target)
		}
	}
}

// clientValue returns options with another value than the default, in a
// mode that takes it.
func clientValue(opt bond.Option) bond.Options {
	o := bond.Options{Mode: new(opt.Info().Modes.All()[0])}
	if opt.Info().NeedsMIIMon {
		o.MIIMon = new(100 * time.Millisecond)
	}
	text := map[bond.Option]string{
		bond.OptionMode: "active-backup", bond.OptionMIIMon: "50", bond.OptionUpDelay: "100", bond.OptionDownDelay: "100", bond.OptionPeerNotifDelay: "100",
		bond.OptionARPInterval: "100", bond.OptionARPTargets: "192.0.2.1", bond.OptionNSTargets: "2001:db8::1", bond.OptionUseCarrier: "1",
		bond.OptionADActorSystem: "02:00:00:00:00:01", bond.OptionPrimary: "e1", bond.OptionActiveSlave: "e1",
	}[opt]
	switch info := opt.Info(); {
	case text != "":
	case info.Kind == bond.KindBool && info.Default == 1:
		text = "0"
	case info.Kind == bond.KindBool || info.Kind == bond.KindEnum:
		text = "1"
	default:
		text = "3"
	}
	if err := o.SetText(opt, text); err != nil {
		panic(err)
	}
	return o
}

// TestSetIgnoredByKernel has kernels that report success and do nothing, which is
// what they do with options that they do not know.
func TestSetIgnoredByKernel(t *testing.T) {
	for opt := range bond.AllOptions() {
		info := opt.Info()
		if info.ReadOnly || info.Slave || opt == bond.OptionMode || opt == bond.OptionActiveSlave || opt == bond.OptionPrimary {
			continue
		}
		t.Run(opt.String(), func(t *testing.T) {
			k := bondtest.NewKernel(&bondtest.Config{Ignore: []bond.Option{opt}})
			c := clientOf(t, k.Transport())
			o := clientValue(opt)
			want := errors.ErrUnsupported
			switch opt {
			case bond.OptionADActorSysPrio, bond.OptionADUserPortKey, bond.OptionADActorSystem:
				want = nil // cannot be told from hidden
			case bond.OptionARPTargets:
				want = bond.ErrNotApplied // every kernel knows it, and none shows an empty list
			case bond.OptionNSTargets:
				want = bond.ErrNotApplied // this one shows younger options
			default:
			}
			_, err := c.Create(t.Context(), "bond0", o, nil)
			_, gone := c.Get(t.Context(), bond.Link{Name: "bond0"})
			if want == nil {
				if err != nil || gone != nil {
					t.Errorf("Create: %v; Get: %v", err, gone)
				}
				return
			}
			clientCheck(t, err, "create", "bond0", opt, want)
			if !errors.Is(gone, os.ErrNotExist) || len(k.Names()) > 1 {
				t.Errorf("Create left %v, %v", k.Names(), gone)
			}

			first := o.Clone()
			first.Clear(opt)
			if _, err := c.Create(t.Context(), "bond0", first, nil); err != nil {
				t.Fatal(err)
			}
			o.Mode = nil
			b, err := c.Set(t.Context(), bond.Link{Name: "bond0"}, o)
			clientCheck(t, err, "set", "bond0", opt, want)
			if b == nil || b.Name != "bond0" {
				t.Error("Set did not return the bond")
			}
		})
	}
}

// TestPeerPortSettingsNotApplied: the options of slaves were reported as set,
// and were not.
func TestPeerPortSettingsNotApplied(t *testing.T) {
	for opt, o := range map[bond.Option]bond.SlaveOptions{
		bond.OptionQueueID:       {QueueID: new(uint16(3))},
		bond.OptionPrio:          {Prio: new(int32(3))},
		bond.OptionActorPortPrio: {ActorPortPrio: new(uint16(3))},
	} {
		t.Run(opt.String(), func(t *testing.T) {
			k := bondtest.NewKernel(&bondtest.Config{Ignore: []bond.Option{opt}})
			k.AddLink("e1", nil)
			k.AddLink("e2", &bondtest.LinkConfig{Up: true})
			c := clientOf(t, k.Transport())
			if _, err := c.Create(t.Context(), "bond0", bond.Options{Mode: new(opt.Info().Modes.All()[0])}, nil); err != nil {
				t.Fatal(err)
			}
			bond0 := bond.Link{Name: "bond0"}
			if err := c.Enslave(t.Context(), bond0, bond.Link{Name: "e1"}, bond.SlaveOptions{}); err != nil {
				t.Fatal(err)
			}
			s, err := c.SetSlave(t.Context(), bond.Link{Name: "e1"}, o)
			clientCheck(t, err, "set slave", "e1", opt, errors.ErrUnsupported)
			if s == nil {
				t.Error("no slave returned")
			}
			err = c.Enslave(t.Context(), bond0, bond.Link{Name: "e2"}, o)
			clientCheck(t, err, "enslave", "e2", opt, errors.ErrUnsupported)
			l, err := c.Link(t.Context(), bond.Link{Name: "e2"})
			if err != nil || l.Master != 0 || !l.Up() {
				t.Errorf("the interface is %+v, %v; want it free and up", l, err)
			}
		})
	}
}

func TestClientNoDriver(t *testing.T) {
	c := clientOf(t, bondtest.NewKernel(&bondtest.Config{NoBonding: true}).Transport())
	_, err := c.Create(t.Context(), "bond0", bond.Options{Mode: new(bond.ModeActiveBackup)}, nil)
	clientCheck(t, err, "create", "bond0", 0, bond.ErrNoModule)
	if !strings.Contains(err.Error(), "modprobe bonding max_bonds=0") {
		t.Errorf("the error %q does not say what to do", err)
	}
	_, err = c.ProbeFeatures(t.Context())
	if !errors.Is(err, bond.ErrNoModule) {
		t.Errorf("probing: %v", err)
	}
	if bonds, err := c.List(t.Context()); err != nil || len(bonds) != 0 {
		t.Errorf("bonds %v, %v", bonds, err)
	}
}

func TestClientFeaturesOfReleases(t *testing.T) {
	for _, r := range bondtest.Releases() {
		c := clientOf(t, bondtest.NewKernel(&bondtest.Config{Release: r}).Transport())
		f, err := c.ProbeFeatures(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for opt := range bond.AllOptions() {
			if !opt.Info().Slave && f.Has(opt) != r.Supports(opt) {
				t.Errorf("%s: %v is %v, want %v", r, opt, f.Has(opt), r.Supports(opt))
			}
		}
	}
}

func TestFeatures(t *testing.T) {
	var none bond.Features
	if none.Has(bond.OptionMode) || none.Has(0) || none.Has(255) || none.String() != "" {
		t.Errorf("the zero Features are %v", none)
	}
	all := ^none
	names := strings.Split(all.String(), ",")
	if n := len(slices.Collect(bond.AllOptions())); len(names) != n {
		t.Errorf("%d names, want %d", len(names), n)
	}
	for opt := range bond.AllOptions() {
		if !all.Has(opt) {
			t.Errorf("no %v among all", opt)
		}
	}
	for _, opt := range []bond.Option{0, 64, 200, 255} {
		if all.Has(opt) {
			t.Errorf("%v is among all", opt)
		}
	}
}

// TestClientHangingKernel has the deadline end what the kernel does not.
func TestClientHangingKernel(t *testing.T) {
	k := bondtest.NewKernel(nil)
	c := clientOf(t, k.Transport())
	if _, err := c.Create(t.Context(), "bond0", bond.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	k.Hang(func(m bond.Message) bool { return m.Type == 16 })
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := c.Set(ctx, bond.Link{Name: "bond0"}, bond.Options{MIIMon: new(time.Second)})
	clientCheck(t, err, "set", "bond0", 0, context.DeadlineExceeded)
	k.Hang(nil)
	if _, err := c.Set(t.Context(), bond.Link{Name: "bond0"}, bond.Options{MIIMon: new(time.Second)}); err != nil {
		t.Error(err)
	}
}

// TestClientInterruptedDump has changes disturb every dump.
func TestClientInterruptedDump(t *testing.T) {
	k := bondtest.NewKernel(nil)
	c := clientOf(t, k.Transport())
	k.Fail(func(m bond.Message) error {
		if m.Flags&0x300 == 0x300 {
			return bond.ErrInterrupted
		}
		return nil
	})
	_, err := c.List(t.Context())
	clientCheck(t, err, "list bonds", "", 0, bond.ErrInterrupted)
}

// TestClientGarbage has a transport that answers with nonsense.
func TestClientGarbage(t *testing.T) {
	ctx := t.Context()
	for name, msgs := range map[string][]bond.Message{
		"nothing":        nil,
		"empty":          {{Type: 16}},
		"short":          {{Type: 16, Data: make([]byte, 7)}},
		"no attributes":  {{Type: 16, Data: make([]byte, 16)}},
		"other type":     {{Type: 99, Data: make([]byte, 100)}},
		"bridge":         {{Type: 16, Data: append([]byte{7}, make([]byte, 99)...)}},
		"long attribute": {{Type: 16, Data: append(make([]byte, 16), 0xff, 0xff, 3, 0)}},
	} {
		c := clientOf(t, clientConstant(msgs))
		l := bond.Link{Index: 5}
		errs := []error{
			c.GetInto(ctx, l, new(bond.Bond)), c.Enslave(ctx, l, l, bond.SlaveOptions{}), c.Release(ctx, l), c.Delete(ctx, l), c.SetActive(ctx, l, l),
		}
		_, err := c.Slave(ctx, l)
		errs = append(errs, err)
		_, err = c.Set(ctx, l, bond.Options{MIIMon: new(time.Second)})
		errs = append(errs, err)
		_, err = c.SetSlave(ctx, l, bond.SlaveOptions{QueueID: new(uint16(1))})
		errs = append(errs, err)
		_, err = c.Create(ctx, "bond0", bond.Options{}, nil)
		errs = append(errs, err)
		_, err = c.Stats(ctx, l)
		errs = append(errs, err)
		for i, err := range errs {
			if _, ok := errors.AsType[*bond.Error](err); !ok {
				t.Errorf("%s, call %d: %v (%T), want an *Error", name, i, err, err)
			}
		}
		_, _ = c.List(ctx)
		_, _ = c.AllSlaves(ctx)
		_, _ = c.Features(ctx)
	}
}

// clientConstant is a Transport that answers everything with the same messages.
type clientConstant []bond.Message

func (c clientConstant) Do(context.Context, bond.Message) ([]bond.Message, error) {
	return slices.Clone(c), nil
}

func (clientConstant) Subscribe(context.Context) (bond.Subscription, error) {
	return nil, errors.ErrUnsupported
}
func (clientConstant) Close() error { return nil }

// TestPeerPrimaryByName: the primary could be given by index only, and an index that
// does not exist cleared it.
func TestPeerPrimaryByName(t *testing.T) {
	k := bondtest.NewKernel(nil)
	e1 := k.AddLink("e1", nil)
	c := clientOf(t, k.Transport())
	bond0 := bond.Link{Name: "bond0"}
	if _, err := c.Create(t.Context(), "bond0", bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(time.Second), Primary: &bond.Link{Name: "e1"}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Enslave(t.Context(), bond0, bond.Link{Name: "e1"}, bond.SlaveOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, l := range []bond.Link{{Name: "nosuch"}, {Index: 4711}} {
		b, err := c.Set(t.Context(), bond0, bond.Options{Primary: &l})
		clientCheck(t, err, "set", "bond0", bond.OptionPrimary, os.ErrNotExist)
		if b == nil || b.Primary.Index != e1 || b.Primary.Name != "e1" {
			t.Errorf("the bond is %+v, want primary e1", b)
		}
	}
}

// TestSetMessages counts what is sent: one message, of the right type, that neither makes
// a bond nor has more in it than was asked for.
func TestSetMessages(t *testing.T) {
	k := bondtest.NewKernel(nil)
	k.AddLink("e1", nil)
	c := clientOf(t, k.Transport())
	bond0 := bond.Link{Name: "bond0"}
	if _, err := c.Create(t.Context(), "bond0", bond.Options{Mode: new(bond.ModeActiveBackup)}, &bond.CreateOptions{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Up: true}); err != nil {
		t.Fatal(err)
	}
	if n := len(k.Changes()); n != 1 {
		t.Errorf("Create sent %d changes, want 1", n)
	}
	k.ResetRequests()
	o := bond.Options{MIIMon: new(time.Second), UpDelay: new(2 * time.Second), ARPTargets: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	if _, err := c.Set(t.Context(), bond0, o); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Set(t.Context(), bond0, bond.Options{}); err != nil {
		t.Fatal(err)
	}
	changes := k.Changes()
	const create = 0x400
	if len(changes) != 1 || changes[0].Type != 16 || changes[0].Flags&create != 0 {
		t.Fatalf("Set sent %+v, want one RTM_NEWLINK without NLM_F_CREATE", changes)
	}
	k.ResetRequests()
	for _, step := range []struct {
		name string
		call func() error
		want int
	}{
		{"Enslave", func() error {
			return c.Enslave(t.Context(), bond0, bond.Link{Name: "e1"}, bond.SlaveOptions{QueueID: new(uint16(1))})
		}, 2},
		{"Enslave again", func() error { return c.Enslave(t.Context(), bond0, bond.Link{Name: "e1"}, bond.SlaveOptions{}) }, 0},
		{"Release", func() error { return c.Release(t.Context(), bond.Link{Name: "e1"}) }, 1},
		{"Delete", func() error { return c.Delete(t.Context(), bond0) }, 1},
	} {
		if err := step.call(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if n := len(k.Changes()); n != step.want {
			t.Errorf("%s sent %d changes, want %d", step.name, n, step.want)
		}
		k.ResetRequests()
	}
}
