// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bondtest_test

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

const (
	newLink = 16
	delLink = 17
	getLink = 18
)

// host is a kernel with interfaces eth0, eth1 and eth2, and a Client.
type host struct {
	*bondtest.Kernel
	*bond.Client
	t *testing.T
}

func newHost(t *testing.T, cfg *bondtest.Config) *host {
	t.Helper()
	k := bondtest.NewKernel(cfg)
	for i, name := range []string{"eth0", "eth1", "eth2"} {
		k.AddLink(name, &bondtest.LinkConfig{MAC: net.HardwareAddr{2, 0, 0, 0, 0, byte(i)}})
	}
	return &host{Kernel: k, Client: dial(t, k.Transport()), t: t}
}

func dial(t *testing.T, tr bond.Transport) *bond.Client {
	t.Helper()
	c, err := bond.Dial(&bond.Config{Transport: tr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func named(name string) bond.Link { return bond.Link{Name: name} }

// bond0 makes a bond with slaves that is up.
func (h *host) bond0(o bond.Options, slaves ...string) {
	h.t.Helper()
	if _, err := h.Create(h.t.Context(), "bond0", o, &bond.CreateOptions{Up: true}); err != nil {
		h.t.Fatal(err)
	}
	for _, s := range slaves {
		if err := h.Client.Enslave(h.t.Context(), named("bond0"), named(s), bond.SlaveOptions{}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *host) get() *bond.Bond {
	h.t.Helper()
	b, err := h.Get(h.t.Context(), named("bond0"))
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

func (h *host) slave(name string) *bond.Slave {
	h.t.Helper()
	s, err := h.Client.Slave(h.t.Context(), named(name))
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func activeBackup() bond.Options {
	return bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)}
}

func TestNewKernelPanics(t *testing.T) {
	k := bondtest.NewKernel(nil)
	k.AddLink("eth0", nil)
	for name, mistake := range map[string]func(){
		"release":         func() { bondtest.NewKernel(&bondtest.Config{Release: "4.19"}) },
		"name taken":      func() { k.AddLink("eth0", nil) },
		"no name":         func() { k.AddLink("", nil) },
		"index taken":     func() { k.AddLink("eth1", &bondtest.LinkConfig{Index: k.Index("eth0")}) },
		"bond":            func() { k.AddLink("eth1", &bondtest.LinkConfig{Kind: "bond"}) },
		"no bridge":       func() { k.AddLink("eth1", &bondtest.LinkConfig{Bridge: "eth0"}) },
		"no interface":    func() { k.SetCarrier("eth9", true) },
		"no bond":         func() { k.SetADInfo("eth0", nil) },
		"no slave":        func() { k.SetLACP("eth0", bondtest.LACP{}) },
		"impossible name": func() { k.Rename("eth0", "a/b") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			mistake()
		})
	}
}

// TestReleases checks what the releases have.
func TestReleases(t *testing.T) {
	for _, r := range bondtest.Releases() {
		h := newHost(t, &bondtest.Config{Release: r})
		h.bond0(bond.Options{Mode: new(bond.Mode8023AD), ARPTargets: nil}, "eth0")
		b, s := h.get(), h.slave("eth0")
		for opt := range bond.AllOptions() {
			info := opt.Info()
			if info.Kind != bond.KindEnum && info.Kind != bond.KindUint && info.Kind != bond.KindBool {
				continue
			}
			has := b.Has(opt)
			if info.Slave {
				has = s.Has(opt)
			}
			if want := r.Supports(opt); has != want {
				t.Errorf("%s: %v is told: %v, and Supports is %v", r, opt, has, want)
			}
		}
	}
	if bondtest.Release510.HasMessages() || !bondtest.Release61.HasMessages() {
		t.Error("messages came with 6.0")
	}
	if bondtest.Release510.Supports(bond.OptionPrio) || !bondtest.Release72.Supports(bond.OptionLACPStrict) || bondtest.Release72.Supports(99) {
		t.Error("wrong options")
	}
}

func TestFail(t *testing.T) {
	h := newHost(t, nil)
	want := &bond.KernelError{Errno: syscall.EBUSY}
	h.Fail(func(req bond.Message) error {
		if req.Type == newLink {
			h.Kernel.Names() // may call back
			return want
		}
		return nil
	})
	tr := h.Transport()
	req := createRequest("bond0")
	if _, err := tr.Do(t.Context(), req); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("got %v, want EBUSY", err)
	}
	if h.Index("bond0") != 0 {
		t.Error("the bond was made all the same")
	}
	h.Fail(nil)
	if _, err := tr.Do(t.Context(), req); err != nil {
		t.Error(err)
	}
}

func TestFailAfter(t *testing.T) {
	h := newHost(t, nil)
	h.FailAfter(func(bond.Message) error { return os.ErrDeadlineExceeded })
	if _, err := h.Transport().Do(t.Context(), createRequest("bond0")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the error of the function", err)
	}
	if h.Index("bond0") == 0 {
		t.Error("the bond was not made")
	}
}

func TestRequests(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(activeBackup())
	h.get()
	all, changes := h.Requests(), h.Changes()
	if len(changes) == 0 || len(all) <= len(changes) {
		t.Fatalf("%d requests, %d of them changes", len(all), len(changes))
	}
	for _, m := range changes {
		if m.Type != newLink {
			t.Errorf("a change of type %d", m.Type)
		}
	}
	clear(all[0].Data)
	if again := h.Requests(); !slices.ContainsFunc(again[0].Data, func(b byte) bool { return b != 0 }) {
		t.Error("the log is the caller's memory")
	}
	h.ResetRequests()
	if n := len(h.Requests()); n != 0 {
		t.Errorf("%d requests after a reset", n)
	}
}

func TestClose(t *testing.T) {
	k := bondtest.NewKernel(nil)
	tr, other := k.Transport(), k.Transport()
	sub, err := tr.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Do(t.Context(), createRequest("bond0")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Do: got %v, want os.ErrClosed", err)
	}
	if _, err := tr.Subscribe(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Subscribe: got %v, want os.ErrClosed", err)
	}
	if err := tr.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Close again: got %v, want os.ErrClosed", err)
	}
	// The others live on.
	if _, err := other.Do(t.Context(), createRequest("bond0")); err != nil {
		t.Error(err)
	}
	if ms, err := sub.Receive(t.Context()); err != nil || len(ms) == 0 {
		t.Errorf("Receive: %d messages, %v", len(ms), err)
	}
}

func TestUnprivileged(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(bond.Options{Mode: new(bond.Mode8023AD), ADActorSysPrio: new(uint16(7))}, "eth0")
	if b := h.get(); b.ADActorSysPrio != 7 {
		t.Errorf("root sees %d, want 7", b.ADActorSysPrio)
	}
	hidden := []bond.Option{bond.OptionADActorSysPrio, bond.OptionADUserPortKey, bond.OptionADActorSystem}
	for name, tr := range map[string]bond.Transport{"unprivileged": h.Unprivileged(), "user namespace": h.UserNamespace()} {
		c := dial(t, tr)
		b, err := c.Get(t.Context(), named("bond0"))
		if err != nil {
			t.Fatal(err)
		}
		for _, opt := range hidden {
			if b.Has(opt) {
				t.Errorf("%s: %v is told", name, opt)
			}
		}
		if !b.Has(bond.OptionADInfo) || !b.Has(bond.OptionLACPRate) {
			t.Errorf("%s: too much is hidden", name)
		}
		_, err = tr.Do(t.Context(), createRequest("bond9"))
		if name == "unprivileged" != errors.Is(err, syscall.EPERM) {
			t.Errorf("%s: creating a bond: %v", name, err)
		}
	}
}

func TestIgnore(t *testing.T) {
	h := newHost(t, &bondtest.Config{Ignore: []bond.Option{bond.OptionMinLinks}})
	h.bond0(bond.Options{Mode: new(bond.Mode8023AD)})
	o := bond.Options{MinLinks: new(uint32(3))}
	if err := h.Kernel.Set("bond0", o); err != nil {
		t.Errorf("an unknown option is an error: %v", err)
	}
	if h.get().Has(bond.OptionMinLinks) || h.Kernel.Supports(bond.OptionMinLinks) {
		t.Error("the option is told")
	}
}

func TestNoBonding(t *testing.T) {
	h := newHost(t, &bondtest.Config{NoBonding: true})
	_, err := h.Transport().Do(t.Context(), createRequest("bond0"))
	ke, ok := errors.AsType[*bond.KernelError](err)
	if !ok || ke.Errno != syscall.EOPNOTSUPP || ke.Message != "Unknown device type" {
		t.Errorf("got %v", err)
	}
	if _, err := h.Create(t.Context(), "bond0", bond.Options{}, nil); !errors.Is(err, bond.ErrNoModule) {
		t.Errorf("Create: got %v, want ErrNoModule", err)
	}
}

func TestDefaults(t *testing.T) {
	h := newHost(t, &bondtest.Config{Defaults: bond.Options{Mode: new(bond.Mode8023AD), LACPRate: new(bond.LACPRateFast)}})
	h.bond0(bond.Options{})
	if b := h.get(); b.Mode != bond.Mode8023AD || b.LACPRate != bond.LACPRateFast || b.MIIMon != 100*time.Millisecond {
		t.Errorf("mode %v, lacp_rate %v, miimon %v", b.Mode, b.LACPRate, b.MIIMon)
	}
}

// TestGarbage sends requests that make no sense, and expects no more than errors.
func TestGarbage(t *testing.T) {
	h := newHost(t, nil)
	h.bond0(activeBackup(), "eth0")
	var good []bond.Message
	good = append(good, h.Requests()...)
	tr := h.Transport()
	for _, req := range good {
		for cut := range len(req.Data) {
			for _, typ := range []uint16{newLink, delLink, getLink, 19, 94, 4711} {
				short := bond.Message{Type: typ, Flags: req.Flags, Data: req.Data[:cut]}
				if _, err := tr.Do(t.Context(), short); err != nil {
					if _, ok := errors.AsType[*bond.KernelError](err); !ok {
						t.Fatalf("%v: %v", short, err)
					}
				}
			}
		}
	}
}

// createRequest asks for a bond without options.
func createRequest(name string) bond.Message {
	attr := func(typ uint16, data []byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
		b = append(binary.NativeEndian.AppendUint16(b, typ), data...)
		return append(b, make([]byte, (4-len(b)%4)%4)...)
	}
	data := make([]byte, 16)
	data = append(data, attr(3, append([]byte(name), 0))...)
	data = append(data, attr(18, attr(1, []byte("bond")))...)
	return bond.Message{Type: newLink, Flags: 1<<9 | 1<<10, Data: data}
}
