// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

// TestClientLifeOfABond goes through the methods with every way to name an
// interface.
func TestClientLifeOfABond(t *testing.T) {
	for _, tt := range []struct {
		name string
		link func(t *testing.T, c *bond.Client, name string) bond.Link
	}{
		{"by name", func(_ *testing.T, _ *bond.Client, name string) bond.Link { return clientName(name) }},
		{"by index", func(t *testing.T, c *bond.Client, name string) bond.Link {
			return clientIndex(clientGet[*bond.LinkInfo](t)(c.Link(t.Context(), clientName(name))).Index)
		}},
		{"by index, whatever the name", func(t *testing.T, c *bond.Client, name string) bond.Link {
			return bond.Link{Index: clientGet[*bond.LinkInfo](t)(c.Link(t.Context(), clientName(name))).Index, Name: "nosuch"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newClientNet(t)
			n.veth("e1", "e2")
			c := n.dial()
			clientLife(t, c, func(name string) bond.Link { return tt.link(t, c, name) })
		})
	}
}

func clientLife(t *testing.T, c *bond.Client, link func(name string) bond.Link) {
	ctx := t.Context()
	index := clientGet[int](t)(c.Create(ctx, "bond7", bond.Options{
		Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond), UpDelay: new(200 * time.Millisecond),
		Primary: new(link("e2")),
	}, &bond.CreateOptions{MTU: 1400, TxQueues: 4, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 7}, Up: true}))
	bond7 := link("bond7")

	b := clientGet[*bond.Bond](t)(c.Get(ctx, bond7))
	switch {
	case b.Index != index || b.Name != "bond7" || b.Kind != "bond" || b.MTU != 1400 || b.TxQueues != 4 || !b.Up():
		t.Errorf("the bond is %+v", b.LinkInfo)
	case b.MAC.String() != "02:00:00:00:00:07":
		t.Errorf("the address is %v", b.MAC)
	case b.Mode != bond.ModeActiveBackup || b.MIIMon != 100*time.Millisecond || b.UpDelay != 200*time.Millisecond:
		t.Errorf("mode %v, miimon %v, updelay %v", b.Mode, b.MIIMon, b.UpDelay)
	case b.Has(bond.OptionPrimary) || b.Has(bond.OptionActiveSlave):
		t.Error("an empty bond shows its primary or active slave")
	}

	for i, name := range []string{"e1", "e2"} {
		clientMust(t, c.Enslave(ctx, bond7, link(name), bond.SlaveOptions{QueueID: new(uint16(i + 1))}))
	}
	slaves := clientGet[[]bond.Slave](t)(c.Slaves(ctx, bond7))
	if len(slaves) != 2 || slaves[0].Name != "e1" || slaves[1].Name != "e2" {
		t.Fatalf("the slaves are %+v", slaves)
	}
	for i := range slaves {
		s := &slaves[i]
		if s.QueueID != uint16(i+1) || s.Master != index || s.MasterKind != "bond" || !s.Up() || s.MTU != 1400 || !slices.Equal(s.MAC, b.MAC) || slices.Equal(s.PermMAC, b.MAC) {
			t.Errorf("the slave is %+v", s)
		}
		if one := clientGet[*bond.Slave](t)(c.Slave(ctx, link(s.Name))); one.Index != s.Index || one.QueueID != s.QueueID {
			t.Errorf("Slave(%s) is %+v", s.Name, one)
		}
	}
	clientEventually(t, "the primary slave is active", func() bool {
		clientMust(t, c.GetInto(ctx, bond7, b))
		return b.Active.Name == "e2" && b.Primary.Name == "e2" && b.Active.Index == slaves[1].Index
	})

	clientMust(t, c.SetActive(ctx, bond7, link("e1")))
	if b = clientGet[*bond.Bond](t)(c.Get(ctx, bond7)); b.Active.Name != "e1" {
		t.Errorf("the active slave is %v, want e1", b.Active)
	}
	clientMust(t, c.ClearActive(ctx, bond7))
	s := clientGet[*bond.Slave](t)(c.SetSlave(ctx, link("e1"), bond.SlaveOptions{QueueID: new(uint16(3))}))
	if s.QueueID != 3 || s.Name != "e1" {
		t.Errorf("the slave is %+v, want queue_id 3", s)
	}
	b = clientGet[*bond.Bond](t)(c.Set(ctx, bond7, bond.Options{MIIMon: new(50 * time.Millisecond), UpDelay: new(170 * time.Millisecond), Primary: &bond.Link{}}))
	if b.MIIMon != 50*time.Millisecond || b.UpDelay != 150*time.Millisecond || b.Has(bond.OptionPrimary) {
		t.Errorf("miimon %v, updelay %v, primary %v", b.MIIMon, b.UpDelay, b.Primary)
	}

	clientMust(t, c.SetMTU(ctx, bond7, 1300))
	clientMust(t, c.SetMAC(ctx, bond7, net.HardwareAddr{2, 0, 0, 0, 0, 8}))
	if l := clientGet[*bond.LinkInfo](t)(c.Link(ctx, link("e2"))); l.MTU != 1300 || l.MAC.String() != "02:00:00:00:00:08" {
		t.Errorf("MTU %d and address %v have not reached the slave", l.MTU, l.MAC)
	}
	clientMust(t, c.SetDown(ctx, bond7))
	if l := clientGet[*bond.LinkInfo](t)(c.Link(ctx, bond7)); l.Up() {
		t.Error("the bond is up, want down")
	}
	clientMust(t, c.SetUp(ctx, bond7))
	if l := clientGet[*bond.LinkInfo](t)(c.Link(ctx, bond7)); !l.Up() {
		t.Error("the bond is down, want up")
	}

	clientMust(t, c.Release(ctx, link("e1")))
	if l := clientGet[*bond.LinkInfo](t)(c.Link(ctx, link("e1"))); l.Master != 0 || l.Up() || l.MTU != 1500 {
		t.Errorf("the released slave is %+v, want one that is free, down, and as before", l)
	}
	clientMust(t, c.Delete(ctx, bond7))
	if _, err := c.Get(ctx, clientName("bond7")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Delete: %v, want os.ErrNotExist", err)
	}
	if l := clientGet[*bond.LinkInfo](t)(c.Link(ctx, link("e2"))); l.Master != 0 || l.Up() {
		t.Errorf("after Delete the slave is %+v, want it free and down", l)
	}
}

func TestClientListsBondsAndSlaves(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2", "e3", "e4")
	n.ip("link add br0 type bridge", "link set pe1 master br0")
	c := n.dial()
	ctx := t.Context()
	if bonds := clientGet[[]bond.Bond](t)(c.List(ctx)); len(bonds) != 0 {
		t.Errorf("bonds without a bond: %+v", bonds)
	}
	for _, name := range []string{"bondB", "bondA"} {
		clientGet[int](t)(c.Create(ctx, name, bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)}, &bond.CreateOptions{Up: true}))
	}
	for _, pair := range [][2]string{{"bondA", "e4"}, {"bondB", "e3"}, {"bondA", "e2"}} {
		clientMust(t, c.Enslave(ctx, clientName(pair[0]), clientName(pair[1]), bond.SlaveOptions{}))
	}
	var bonds []bond.Bond
	clientEventually(t, "both bonds have an active slave", func() bool {
		bonds = clientGet[[]bond.Bond](t)(c.List(ctx))
		return len(bonds) == 2 && bonds[0].Active.Index != 0 && bonds[1].Active.Index != 0
	})
	if bonds[0].Name != "bondB" || bonds[1].Name != "bondA" || bonds[0].Active.Name != "e3" || bonds[1].Active.Name != "e4" {
		t.Errorf("bonds are %v (%v) and %v (%v), want bondB (e3) and bondA (e4)", bonds[0].Name, bonds[0].Active, bonds[1].Name, bonds[1].Active)
	}
	names := func(slaves []bond.Slave, err error) (names []string) {
		clientMust(t, err)
		for i := range slaves {
			names = append(names, slaves[i].Name)
		}
		return names
	}
	if diff := cmp.Diff([]string{"e2", "e4"}, names(c.Slaves(ctx, clientName("bondA")))); diff != "" {
		t.Errorf("slaves of bondA differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"e2", "e3", "e4"}, names(c.AllSlaves(ctx))); diff != "" {
		t.Errorf("slaves of all bonds differ (-want +got):\n%s", diff)
	}
}

// TestClientManySlaves has more bonds and slaves than fit into one datagram, and so many
// active slaves that their names are read at once.
func TestClientManySlaves(t *testing.T) {
	const pairs, bonds = 100, 10
	n := newClientNet(t)
	c := n.dial()
	ctx := t.Context()
	var lines []string
	for i := range pairs {
		lines = append(lines, fmt.Sprintf("link add a%d type veth peer name b%d", i, i))
	}
	n.ip(lines...)
	for i := range bonds {
		clientGet[int](t)(c.Create(ctx, fmt.Sprintf("bond%d", i), bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)}, &bond.CreateOptions{Up: true}))
	}
	for i := range pairs {
		for _, end := range []string{"a", "b"} {
			clientMust(t, c.Enslave(ctx, clientName("bond0"), clientName(fmt.Sprintf("%s%d", end, i)), bond.SlaveOptions{}))
		}
	}
	slaves := clientGet[[]bond.Slave](t)(c.Slaves(ctx, clientName("bond0")))
	if len(slaves) != 2*pairs {
		t.Fatalf("%d slaves, want %d", len(slaves), 2*pairs)
	}
	seen := make(map[string]bool)
	for i := range slaves {
		seen[slaves[i].Name] = true
		if i > 0 && slaves[i].Index <= slaves[i-1].Index {
			t.Errorf("slave %d has index %d after %d", i, slaves[i].Index, slaves[i-1].Index)
		}
	}
	if len(seen) != 2*pairs {
		t.Errorf("%d different names, want %d", len(seen), 2*pairs)
	}
	for i := 1; i < bonds; i++ {
		clientMust(t, c.Release(ctx, clientName(fmt.Sprintf("a%d", i))))
		clientMust(t, c.Enslave(ctx, clientName(fmt.Sprintf("bond%d", i)), clientName(fmt.Sprintf("a%d", i)), bond.SlaveOptions{}))
	}
	clientEventually(t, "all bonds have an active slave with a name", func() bool {
		list := clientGet[[]bond.Bond](t)(c.List(ctx))
		return len(list) == bonds && !slices.ContainsFunc(list, func(b bond.Bond) bool {
			return b.Active.Name == "" || b.Name != "bond0" && b.Active.Name != "a"+b.Name[len("bond"):]
		})
	})
	clientMust(t, c.Delete(ctx, clientName("bond0")))
}

// TestClientReusedBond has no value of the bond that was read into it before.
func TestClientReusedBond(t *testing.T) {
	n := newClientNet(t)
	c := n.dial()
	ctx := t.Context()
	targets := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}
	clientGet[int](t)(c.Create(ctx, "bond1", bond.Options{Mode: new(bond.ModeActiveBackup), ARPInterval: new(time.Second), ARPTargets: targets}, nil))
	clientGet[int](t)(c.Create(ctx, "bond2", bond.Options{}, nil))
	var b bond.Bond
	clientMust(t, c.GetInto(ctx, clientName("bond1"), &b))
	if diff := cmp.Diff(targets, b.ARPTargets, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("targets differ (-want +got):\n%s", diff)
	}
	clientMust(t, c.GetInto(ctx, clientName("bond2"), &b))
	if b.Name != "bond2" || b.Mode != bond.ModeBalanceRR || len(b.ARPTargets) != 0 || b.Has(bond.OptionARPTargets) || b.ARPInterval != 0 {
		t.Errorf("the second bond is %+v", b)
	}
	if err := c.GetInto(ctx, clientName("lo"), &b); !errors.Is(err, bond.ErrNotBond) || b.Name != "" || b.Has(bond.OptionMode) {
		t.Errorf("reading lo: %v, and the bond is %+v", err, b)
	}
	if err := c.GetInto(ctx, clientName("nosuch"), &b); !errors.Is(err, os.ErrNotExist) || b.Name != "" {
		t.Errorf("reading nosuch: %v, and the bond is %+v", err, b)
	}
}

func TestClientOddNames(t *testing.T) {
	n := newClientNet(t)
	c := n.dial()
	ctx := t.Context()
	for i, name := range []string{"b", "bönd", "日本語", "\x01\x02\x7f", "\xff\xfe", "a\"b'c", "#5", "-x", "none", "a\\n", "fifteen-bytes-x", "<b>&;$(x)"} {
		index, err := c.Create(ctx, name, bond.Options{}, nil)
		if err != nil {
			t.Errorf("Create(%q): %v", name, err)
			continue
		}
		b := clientGet[*bond.Bond](t)(c.Get(ctx, clientName(name)))
		if b.Name != name || b.Index != index {
			t.Errorf("Get(%q) is %q, %d; want index %d", name, b.Name, b.Index, index)
		}
		if list := clientGet[[]bond.Bond](t)(c.List(ctx)); len(list) != i+1 || list[i].Name != name {
			t.Errorf("the list has %d bonds, want %q as number %d", len(list), name, i+1)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "a b", "a\tb", "a\nb", "a:b", "a\x00b", "\xa0", "bond%d", "%", "sixteen-bytes-xy", "é日本語日本"} {
		_, err := c.Create(ctx, name, bond.Options{}, nil)
		clientWant(t, err, "create", bond.ErrBadValue)
		if _, err := c.Get(ctx, clientName(name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Get(%q): %v, want os.ErrNotExist", name, err)
		}
	}
}

func TestClientAlternativeNames(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	c := n.dial()
	ctx := t.Context()
	clientGet[int](t)(c.Create(ctx, "bond0", bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)}, nil))
	n.ip("link property add dev bond0 altname storage", "link property add dev e1 altname the-first-port-of-the-card")
	alt := clientName("the-first-port-of-the-card")
	clientGet[*bond.Bond](t)(c.Set(ctx, clientName("storage"), bond.Options{Primary: &alt}))
	clientMust(t, c.Enslave(ctx, clientName("storage"), alt, bond.SlaveOptions{}))
	if b := clientGet[*bond.Bond](t)(c.Get(ctx, clientName("storage"))); b.Name != "bond0" || b.Primary.Name != "e1" {
		t.Errorf("the bond is %q with primary %v", b.Name, b.Primary)
	}
	clientMust(t, c.Release(ctx, alt))
	clientMust(t, c.Delete(ctx, clientName("storage")))
}

func TestClientMissingInterface(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	c := n.dial()
	clientGet[int](t)(c.Create(t.Context(), "bond0", bond.Options{Mode: new(bond.ModeActiveBackup)}, nil))
	for _, l := range []bond.Link{{}, clientName("nosuch"), clientName("a-name-that-is-too-long-to-be-one"), clientIndex(4711), clientIndex(-1), clientIndex(math.MaxInt), clientName("a\x00b")} {
		for op, err := range clientCalls(t, c, l, clientName("e1")) {
			if op != "enslave" { // names the slave
				clientWant(t, err, op, os.ErrNotExist)
			}
		}
		for _, o := range []bond.Options{{Primary: &l}, {Active: &l}} {
			if l.IsZero() {
				continue
			}
			_, err := c.Set(t.Context(), clientName("bond0"), o)
			clientWant(t, err, "set", os.ErrNotExist)
			if e, ok := errors.AsType[*bond.Error](err); !ok || e.Option != bond.OptionPrimary && e.Option != bond.OptionActiveSlave || e.Value == "" {
				t.Errorf("the error %v does not name the option and value", err)
			}
		}
	}
}

// clientCalls calls everything that takes a bond or slave and is no bond, and returns the
// errors by operation.
func clientCalls(t *testing.T, c *bond.Client, l, free bond.Link) map[string]error {
	ctx := t.Context()
	errs := make(map[string]error)
	_, errs["get"] = c.Get(ctx, l)
	_, errs["list slaves"] = c.Slaves(ctx, l)
	_, errs["get slave"] = c.Slave(ctx, l)
	_, errs["get link"] = c.Link(ctx, l)
	_, errs["set"] = c.Set(ctx, l, bond.Options{MIIMon: new(100 * time.Millisecond)})
	_, errs["set slave"] = c.SetSlave(ctx, l, bond.SlaveOptions{QueueID: new(uint16(1))})
	errs["enslave"] = c.Enslave(ctx, l, free, bond.SlaveOptions{})
	errs["release"] = c.Release(ctx, l)
	errs["set active slave"] = c.SetActive(ctx, l, free)
	errs["clear active slave"] = c.ClearActive(ctx, l)
	errs["delete"] = c.Delete(ctx, l)
	errs["set up"] = c.SetUp(ctx, l)
	errs["set down"] = c.SetDown(ctx, l)
	errs["set mac"] = c.SetMAC(ctx, l, net.HardwareAddr{2, 0, 0, 0, 0, 9})
	errs["set mtu"] = c.SetMTU(ctx, l, 1400)
	_, errs["read counters"] = c.Stats(ctx, l)
	return errs
}

func TestClientNotABond(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2")
	c := n.dial()
	errs := clientCalls(t, c, clientName("e1"), clientName("e2"))
	for _, op := range []string{"get", "list slaves", "set", "enslave", "set active slave", "clear active slave", "delete", "read counters"} {
		clientWant(t, errs[op], op, bond.ErrNotBond)
	}
	for _, op := range []string{"get slave", "set slave", "release"} {
		clientWant(t, errs[op], op, bond.ErrNotSlave)
	}
	_, err := c.SlaveStats(t.Context(), clientName("e1"))
	clientWant(t, err, "read counters", bond.ErrNotSlave)
	for _, op := range []string{"get link", "set up", "set down", "set mac", "set mtu"} {
		if errs[op] != nil {
			t.Errorf("%s on a veth: %v", op, errs[op])
		}
	}
}

func TestClientStats(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2")
	c := n.dial()
	ctx := t.Context()
	clientGet[int](t)(c.Create(ctx, "bond0", bond.Options{Mode: new(bond.Mode8023AD), LACPRate: new(bond.LACPRateFast)}, &bond.CreateOptions{Up: true}))
	clientGet[int](t)(c.Create(ctx, "bond1", bond.Options{Mode: new(bond.ModeActiveBackup)}, nil))
	clientMust(t, c.Enslave(ctx, clientName("bond0"), clientName("e1"), bond.SlaveOptions{}))
	clientMust(t, c.Enslave(ctx, clientName("bond1"), clientName("e2"), bond.SlaveOptions{}))
	var s bond.Stats
	clientEventually(t, "an LACPDU is sent", func() bool {
		s = clientGet[bond.Stats](t)(c.SlaveStats(ctx, clientName("e1")))
		return s.LACPDUTx > 0
	})
	if all := clientGet[bond.Stats](t)(c.Stats(ctx, clientName("bond0"))); all.LACPDUTx < s.LACPDUTx {
		t.Errorf("the bond has sent %d LACPDUs, and its slave %d before", all.LACPDUTx, s.LACPDUTx)
	}
	_, err := c.Stats(ctx, clientName("bond1"))
	clientWant(t, err, "read counters", bond.ErrWrongMode)
	_, err = c.SlaveStats(ctx, clientName("e2"))
	clientWant(t, err, "read counters", bond.ErrWrongMode)
}

func TestClientFeatures(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	c := n.dial()
	ctx := t.Context()
	_, err := c.Features(ctx)
	clientWant(t, err, "read features", os.ErrNotExist)
	_, err = c.Supports(ctx, bond.OptionMissedMax)
	clientWant(t, err, "read features", os.ErrNotExist)

	probed := clientGet[bond.Features](t)(c.ProbeFeatures(ctx))
	if bonds := clientGet[[]bond.Bond](t)(c.List(ctx)); len(bonds) != 0 {
		t.Errorf("the probe left %+v", bonds)
	}
	t.Logf("this kernel has %v", probed)

	clientGet[int](t)(c.Create(ctx, "bond0", bond.Options{Mode: new(bond.Mode8023AD)}, &bond.CreateOptions{Up: true}))
	clientMust(t, c.Enslave(ctx, clientName("bond0"), clientName("e1"), bond.SlaveOptions{}))
	clientEventually(t, "the slave shows all it knows", func() bool {
		return clientGet[*bond.Slave](t)(c.Slave(ctx, clientName("e1"))).Has(bond.OptionPartnerPortState)
	})
	probed = clientGet[bond.Features](t)(c.ProbeFeatures(ctx))
	read := clientGet[bond.Features](t)(c.Features(ctx))
	for opt := range bond.AllOptions() {
		has, err := c.Supports(ctx, opt)
		switch {
		case err != nil && (read.Has(opt) || !errors.Is(err, os.ErrNotExist)):
			t.Errorf("Supports(%v): %v", opt, err)
		case err == nil && has != probed.Has(opt):
			t.Errorf("Supports(%v) is %v, and the probe says %v", opt, has, probed.Has(opt))
		case read.Has(opt) && !probed.Has(opt):
			t.Errorf("the probe did not find %v", opt)
		}
		if opt.Info().Since < "5" && !opt.Info().Slave && !probed.Has(opt) { // all matrix kernels are younger
			t.Errorf("the probe did not find %v, which came with %s", opt, opt.Info().Since)
		}
	}
	_, err = c.Supports(ctx, bond.Option(60))
	clientWant(t, err, "read features", bond.ErrBadValue)
}
