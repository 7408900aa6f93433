// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// The tests below are named after the troubles that others had with bonds.

// planOptions returns what the steps of a plan set on the bond, one after the other.
func planOptions(p *bond.Plan) []bond.Option {
	var opts []bond.Option
	for _, s := range p.Steps {
		opts = slices.AppendSeq(opts, s.Options.All())
	}
	return opts
}

func planKinds(p *bond.Plan) []bond.StepKind {
	var kinds []bond.StepKind
	for _, s := range p.Steps {
		kinds = append(kinds, s.Kind)
	}
	return kinds
}

func planMust(t *testing.T, c *bond.Client, spec *bond.Spec) *bond.Plan {
	t.Helper()
	p, err := c.Plan(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDiffTalosMissedMax: the kernel tells arp_missed_max in modes in which it cannot be
// set (talos 82027eb9b), and packets_per_slave outside balance-rr (systemd#143).
func TestDiffTalosMissedMax(t *testing.T) {
	_, c := planKernel(t, nil)
	spec := &bond.Spec{Name: "bond0", Options: bond.Options{MissedMax: new(uint8(9)), PacketsPerSlave: new(uint32(5))}}
	planApply(t, c, spec)
	planApply(t, c, &bond.Spec{Name: "bond0", Options: bond.Options{Mode: new(bond.Mode8023AD)}, Up: new(true)})
	now := planState(t, c)
	if now.Bond.MissedMax != 9 || now.Bond.PacketsPerSlave != 5 {
		t.Errorf("the kernel tells %d and %d", now.Bond.MissedMax, now.Bond.PacketsPerSlave)
	}
	own := now.Spec()
	if own.Options.MissedMax != nil || own.Options.PacketsPerSlave != nil {
		t.Error("the spec of the state has what the mode does not take")
	}
	if p, err := bond.Diff(now, own); err != nil || !p.IsEmpty() {
		t.Errorf("%v\n%v", err, p)
	}
	// Asked for, it is refused, whatever the value.
	spec.Options.PacketsPerSlave = nil
	p, err := bond.Diff(now, spec)
	e, ok := errors.AsType[*bond.Error](err)
	if !errors.Is(err, bond.ErrWrongMode) || !ok || e.Option != bond.OptionMissedMax || len(p.Steps) != 0 {
		t.Errorf("%v\n%v", err, p)
	}
}

// TestDiffTalosPrimary: a primary that is no slave yet, or whose name is known and not its
// index, must not be set over and over (talos f0f420725, #13969; systemd#27432, #5579; wicked#676).
func TestDiffTalosPrimary(t *testing.T) {
	k, c := planKernel(t, nil)
	spec := &bond.Spec{
		Name: "bond0", Slaves: []bond.SlaveSpec{{Name: "eth0"}, {Name: "eth1"}},
		Options: bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(time.Second), Primary: &bond.Link{Name: "eth3"}},
	}
	planApply(t, c, spec) // and again, which plans nothing
	if p := planMust(t, c, spec); len(p.Issues.Warnings()) == 0 {
		t.Error("no warning that the primary is no slave")
	}
	// It has been told nevertheless.
	if err := c.Enslave(t.Context(), bond.Link{Name: "bond0"}, bond.Link{Name: "eth3"}, bond.SlaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if b := planState(t, c).Bond; b.Primary.Name != "eth3" {
		t.Errorf("primary is %v", b.Primary)
	}
	// By name, by index, with both, and of a slave that is added.
	for _, l := range []bond.Link{{Name: "eth2"}, {Index: k.Index("eth1")}, {Name: "eth3", Index: k.Index("eth3")}} {
		spec.Options.Primary = &l
		spec.Slaves = []bond.SlaveSpec{{Name: "eth1"}, {Name: "eth2"}, {Name: "eth3"}}
		planApply(t, c, spec)
		b := planState(t, c).Bond
		if b.Primary.Name != l.Name && b.Primary.Index != l.Index {
			t.Errorf("primary is %v and not %v", b.Primary, l)
		}
	}
	spec.Options.Primary = &bond.Link{}
	planApply(t, c, spec)
	if b := planState(t, c).Bond; b.Has(bond.OptionPrimary) {
		t.Errorf("primary is %v", b.Primary)
	}
	// One that does not exist clears what there is, and is not asked for again.
	spec.Options.Primary = &bond.Link{Name: "eth1"}
	planApply(t, c, spec)
	spec.Options.Primary = &bond.Link{Name: "eth9"}
	planApply(t, c, spec)
	if b := planState(t, c).Bond; b.Has(bond.OptionPrimary) {
		t.Errorf("primary is %v", b.Primary)
	}
}

// TestDiffTalosCreate: a bond that is made and then configured has wrong delays and a wrong MTU for a while
// (talos c793bcbf5). Here everything is in the message that makes it.
func TestDiffTalosCreate(t *testing.T) {
	_, c := planKernel(t, nil)
	spec := planPair()
	spec.Options.UpDelay, spec.MTU, spec.MAC = new(200*time.Millisecond), new(9000), net.HardwareAddr{2, 0, 0, 0, 9, 9}
	p := planMust(t, c, spec)
	s := p.Steps[0]
	if s.Kind != bond.StepCreate || s.MTU != 9000 || !slices.Equal(s.MAC, spec.MAC) || !s.Options.Has(bond.OptionUpDelay) {
		t.Errorf("the first step is %v", s)
	}
	for _, s := range p.Steps[1:] {
		if s.Kind != bond.StepDown && s.Kind != bond.StepEnslave && s.Kind != bond.StepUp {
			t.Errorf("there is another step that configures: %v", s)
		}
	}
	planApply(t, c, spec)
	if b := planState(t, c).Bond; b.UpDelay != 200*time.Millisecond || b.MTU != 9000 || !slices.Equal(b.MAC, spec.MAC) {
		t.Errorf("the bond is %+v", b)
	}
}

// TestDiffTalosStaleTargets: targets that the kernel does not tell are none, and not those of before
// (talos 0a47f40b3). Their order is the kernel's.
func TestDiffTalosStaleTargets(t *testing.T) {
	_, c := planKernel(t, nil)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for _, list := range [][]netip.Addr{{a, b}, {b, a}, {b}, {}, {a}} {
		planApply(t, c, &bond.Spec{Name: "bond0", Options: bond.Options{ARPTargets: list}})
		if got := planState(t, c).Bond.ARPTargets; !slices.Equal(got, list) {
			t.Errorf("targets are %v and not %v", got, list)
		}
	}
	p := planMust(t, c, &bond.Spec{Name: "bond0", Options: bond.Options{ARPTargets: []netip.Addr{}}})
	if p.Disruption != bond.DisruptionNone || !slices.Equal(planOptions(p), []bond.Option{bond.OptionARPTargets}) {
		t.Error(p)
	}
	if p := planMust(t, c, &bond.Spec{Name: "bond0"}); !p.IsEmpty() {
		t.Error(p)
	}
}

// TestDiffTalosDelays: the kernel refuses delays while miimon is 0, also delays of 0
// (talos 78583ba98), and keeps them as multiples of it.
func TestDiffTalosDelays(t *testing.T) {
	ms := func(n int) *time.Duration { return new(time.Duration(n) * time.Millisecond) }
	_, c := planKernel(t, nil)
	step := func(o bond.Options, want ...bond.Option) {
		t.Helper()
		spec := &bond.Spec{Name: "bond0", Options: o}
		if p := planMust(t, c, spec); len(want) > 0 && !slices.Equal(planOptions(p), want) {
			t.Errorf("want %v: %v", want, p)
		}
		planApply(t, c, spec)
	}
	delays := []bond.Option{bond.OptionUpDelay, bond.OptionDownDelay, bond.OptionPeerNotifDelay}
	step(bond.Options{UpDelay: ms(0), DownDelay: ms(0)})
	// The kernel has the delays of before miimon was 0 up its sleeve.
	step(bond.Options{MIIMon: ms(100)}, append([]bond.Option{bond.OptionMIIMon}, delays...)...)
	step(bond.Options{UpDelay: ms(250), DownDelay: ms(300)}, delays[:2]...)
	step(bond.Options{MIIMon: ms(50)}, bond.OptionMIIMon, bond.OptionUpDelay, bond.OptionDownDelay)
	if b := planState(t, c).Bond; b.UpDelay != 200*time.Millisecond || b.DownDelay != 300*time.Millisecond {
		t.Errorf("delays are %v and %v", b.UpDelay, b.DownDelay)
	}
	step(bond.Options{MIIMon: ms(0), UpDelay: ms(0)}, bond.OptionMIIMon)
	step(bond.Options{MIIMon: ms(100), UpDelay: ms(0)})
	if b := planState(t, c).Bond; b.UpDelay != 0 || b.DownDelay != 0 {
		t.Errorf("delays are %v and %v", b.UpDelay, b.DownDelay)
	}
	step(bond.Options{ARPInterval: ms(500), DownDelay: ms(0)}, bond.OptionARPInterval)
	_, err := c.Plan(t.Context(), &bond.Spec{Name: "bond0", Options: bond.Options{UpDelay: ms(100)}})
	if !errors.Is(err, bond.ErrNeedsMIIMon) {
		t.Error(err)
	}
}

// TestDiffSystemdLinkDown: an interface must be down to be enslaved, and only then (systemd#5853, #5838, #8771).
func TestDiffSystemdLinkDown(t *testing.T) {
	_, c := planKernel(t, nil)
	spec := &bond.Spec{Name: "bond0", Slaves: []bond.SlaveSpec{{Name: "eth0"}, {Name: "eth1"}}}
	p := planMust(t, c, spec)
	want := []bond.StepKind{bond.StepCreate, bond.StepEnslave, bond.StepDown, bond.StepEnslave}
	if diff := cmp.Diff(want, planKinds(p)); diff != "" {
		t.Error(diff)
	}
	planApply(t, c, spec)
}

// TestDiffSystemdExistingBond: every option of a bond that exists can be changed (systemd#36406,
// #20278, #9627), with no more disruption than the kernel makes necessary.
func TestDiffSystemdExistingBond(t *testing.T) {
	none, down, release := bond.DisruptionNone, bond.DisruptionDown, bond.DisruptionRelease
	for opt := range bond.AllOptions() {
		info := opt.Info()
		if info.Slave || info.ReadOnly || info.Kind == bond.KindLink {
			continue
		}
		want := none
		switch {
		case info.NeedsEmpty:
			want = release
		case info.NeedsDown:
			want = down
		}
		t.Run(info.Name, func(t *testing.T) {
			_, c := planKernel(t, nil)
			// Mode itself is changed to the last, which has the most to say.
			spec := planPair()
			spec.Options = bond.Options{Mode: new(info.Modes.All()[0]), MIIMon: new(100 * time.Millisecond)}
			planApply(t, c, spec)
			text := map[bond.Kind]string{
				bond.KindIPv4List: "192.0.2.1", bond.KindIPv6List: "2001:db8::1", bond.KindMAC: "02:00:00:00:00:77",
				bond.KindBool: "1", bond.KindEnum: "1", bond.KindUint: "7", bond.KindDuration: "200",
			}[info.Kind]
			if info.Kind == bond.KindBool && info.Default == 1 {
				text = "0"
			}
			if opt == bond.OptionUseCarrier {
				return // it cannot be off
			}
			change := &bond.Spec{Name: "bond0"}
			if err := change.Options.SetText(opt, text); err != nil {
				t.Fatal(err)
			}
			if p := planMust(t, c, change); p.Disruption != want {
				t.Errorf("disruption is not %v: %v", want, p)
			}
			planApply(t, c, change)
			now := planState(t, c)
			if !now.Bond.Up() || len(now.Slaves) != 2 {
				t.Errorf("up: %v, slaves: %v", now.Bond.Up(), now.Slaves)
			}
			if got := now.Bond.Text(opt); got != change.Options.Text(opt) {
				t.Errorf("it is %s", got)
			}
		})
	}
}

// TestDiffSystemdRestart: applying again what there is already must not disturb LACP (systemd#10118).
func TestDiffSystemdRestart(t *testing.T) {
	k, c := planKernel(t, nil)
	_, spec := planModeChange()
	planApply(t, c, spec)
	k.ResetRequests()
	for range 3 {
		res, err := c.Apply(t.Context(), spec, nil)
		if err != nil || !res.Plan.IsEmpty() || len(res.Done) != 0 {
			t.Errorf("%v\n%v", err, planOf(res))
		}
	}
	if n := len(k.Changes()); n != 0 {
		t.Errorf("%d changes", n)
	}
	// And what can be changed live is.
	p := planMust(t, c, &bond.Spec{Name: "bond0", Options: bond.Options{MinLinks: new(uint32(1)), ADActorSysPrio: new(uint16(9))}})
	if p.Disruption != bond.DisruptionNone || len(p.Steps) != 1 {
		t.Error(p)
	}
}

// TestDiffNmstateNewKernel: a kernel that tells more than we know is no reason to fail (nmstate#2464).
func TestDiffNmstateNewKernel(t *testing.T) {
	k, c := planKernel(t, nil)
	spec := planPair()
	planApply(t, c, spec)
	k.SetUnknown("bond0", []bond.Attr{{Type: 200, Data: []byte{1, 2, 3, 4}}})
	k.SetUnknown("eth0", []bond.Attr{{Type: 99, Data: []byte{1}}})
	if p := planMust(t, c, spec); !p.IsEmpty() {
		t.Error(p)
	}
	spec.Options.MinLinks = new(uint32(1))
	spec.Options.FailOverMAC = new(bond.FailOverMACActive)
	planApply(t, c, spec)
}

// TestDiffNmstateModeChange: options of the old mode are not sent to the new one (nmstate#1010, #999), and
// what has been wrong is no obstacle to what shall be (nmstate#1616).
func TestDiffNmstateModeChange(t *testing.T) {
	_, c := planKernel(t, nil)
	ab, lacp := planModeChange()
	for range 2 {
		planApply(t, c, ab)
		p := planMust(t, c, lacp)
		for _, opt := range planOptions(p) {
			if !opt.Info().Modes.Has(bond.Mode8023AD) {
				t.Errorf("%v is set: %v", opt, p)
			}
		}
		planApply(t, c, lacp)
		now := planState(t, c)
		if now.Bond.Has(bond.OptionPrimary) || now.Bond.ARPInterval != 0 || now.Bond.NumPeerNotif != 3 {
			t.Errorf("the bond is %+v", now.Bond)
		}
	}
	// Every mode to every other, with the MAC address, the MTU and the slaves' queues kept.
	spec := planPair()
	spec.MAC, spec.MTU = net.HardwareAddr{2, 7, 7, 7, 7, 7}, new(1450)
	spec.Slaves[0].Options.QueueID = new(uint16(3))
	planApply(t, c, spec)
	for from := range bond.Mode(7) {
		for to := range bond.Mode(7) {
			planApply(t, c, &bond.Spec{Name: "bond0", Options: bond.Options{Mode: &from}})
			planApply(t, c, &bond.Spec{Name: "bond0", Options: bond.Options{Mode: &to}})
			now := planState(t, c)
			if b := now.Bond; b.Mode != to || !b.Up() || b.MTU != 1450 || !slices.Equal(b.MAC, spec.MAC) {
				t.Errorf("%v to %v: %+v", from, to, b)
			}
			if now.Slaves[0].QueueID != 3 || len(now.Slaves) != 2 || !now.Slaves[1].Up() {
				t.Errorf("%v to %v: %+v", from, to, now.Slaves)
			}
		}
	}
}

// TestDiffNmstateTargets: switching the ARP monitor off leaves the targets, which the kernel takes, unless
// they are declared empty (nmstate#2931). Both are one message.
func TestDiffNmstateTargets(t *testing.T) {
	for _, targets := range [][]netip.Addr{nil, {}} {
		_, c := planKernel(t, nil)
		ab, _ := planModeChange()
		planApply(t, c, ab)
		spec := &bond.Spec{Name: "bond0", Options: bond.Options{ARPInterval: new(time.Duration(0)), ARPTargets: targets}}
		if p := planMust(t, c, spec); len(p.Steps) != 1 {
			t.Error(p)
		}
		planApply(t, c, spec)
		if n := len(planState(t, c).Bond.ARPTargets); (n == 0) != (targets != nil) {
			t.Errorf("%d targets are left", n)
		}
	}
}

// TestDiffIfupdown2Missing: one slave that is missing must not stop the others (ifupdown2#338).
func TestDiffIfupdown2Missing(t *testing.T) {
	k, c := planKernel(t, nil)
	spec := planPair()
	spec.Slaves = []bond.SlaveSpec{{Name: "eth9"}, {Name: "eth0"}, {Name: "eth8"}, {Name: "eth1"}}
	if _, err := c.Apply(t.Context(), spec, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
	if len(k.Changes()) != 0 {
		t.Error("something was changed")
	}
	for range 2 {
		res, err := c.Apply(t.Context(), spec, &bond.ApplyOptions{AllowMissing: true})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"eth9", "eth8"}, res.Plan.Missing); diff != "" {
			t.Error(diff)
		}
	}
	k.AddLink("eth8", nil)
	p := planMust(t, c, spec)
	if diff := cmp.Diff([]bond.StepKind{bond.StepEnslave}, planKinds(p)); diff != "" {
		t.Error(diff)
	}
}

// TestDiffMonitors goes from each monitor to the other in one message.
func TestDiffMonitors(t *testing.T) {
	_, c := planKernel(t, nil)
	spec := planPair()
	planApply(t, c, spec)
	for _, o := range []bond.Options{
		{ARPInterval: new(time.Second), ARPValidate: new(bond.ARPValidateAll)},
		{MIIMon: new(100 * time.Millisecond), UpDelay: new(300 * time.Millisecond)},
		{MIIMon: new(time.Duration(0)), ARPInterval: new(time.Second)},
		{MIIMon: new(50 * time.Millisecond), ARPInterval: new(time.Duration(0)), ARPValidate: new(bond.ARPValidateNone)},
	} {
		change := &bond.Spec{Name: "bond0", Options: o}
		if p := planMust(t, c, change); len(p.Steps) != 1 || p.Disruption != bond.DisruptionNone {
			t.Error(p)
		}
		planApply(t, c, change)
	}
	_, err := c.Plan(t.Context(), &bond.Spec{Name: "bond0", Options: bond.Options{MIIMon: new(time.Second), ARPInterval: new(time.Second)}})
	if !errors.Is(err, bond.ErrConflict) {
		t.Errorf("error is %v", err)
	}
}

// TestDiffChangesNothing checks that Diff leaves its arguments alone, and that a Plan shares no
// memory with them.
func TestDiffChangesNothing(t *testing.T) {
	_, c := planKernel(t, nil)
	ab, lacp := planModeChange()
	planApply(t, c, ab)
	now := planState(t, c)
	before := planView(now)
	text := planJSON(lacp)
	p, err := bond.Diff(now, lacp)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		clear(s.MAC)
		clear(s.Options.ARPTargets)
		if s.Options.MIIMon != nil {
			*s.Options.MIIMon = time.Hour
		}
		if s.SlaveOptions.QueueID != nil {
			*s.SlaveOptions.QueueID = 999
		}
	}
	if diff := cmp.Diff(before, planView(now)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(text, planJSON(lacp)); diff != "" {
		t.Error(diff)
	}
	if again, err := bond.Diff(now, lacp); err != nil || again.IsEmpty() {
		t.Error(err)
	}
}

// TestDiffModuleParameters: a bond of a module with parameters of its own does not
// have the defaults that others have (bonding_defaults in the kernel).
func TestDiffModuleParameters(t *testing.T) {
	_, c := planKernel(t, &bondtest.Config{Defaults: bond.Options{
		Mode: new(bond.Mode8023AD), MIIMon: new(100 * time.Millisecond), XmitHashPolicy: new(bond.XmitHashLayer34),
	}})
	planApply(t, c, &bond.Spec{Name: "bond0"})
	planApply(t, c, &bond.Spec{Name: "bond0", Options: bond.Options{Mode: new(bond.ModeBalanceXOR), XmitHashPolicy: new(bond.XmitHashLayer2)}})
	if b := planState(t, c).Bond; b.XmitHashPolicy != bond.XmitHashLayer2 || b.MIIMon != 100*time.Millisecond {
		t.Errorf("the bond is %+v", b)
	}
}

// TestDiffManySlaves plans a bond of 200 slaves.
func TestDiffManySlaves(t *testing.T) {
	k, c := planKernel(t, nil)
	spec := &bond.Spec{Name: "bond0", Up: new(true), Options: bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(time.Second)}}
	for i := range 200 {
		name := "s" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		k.AddLink(name, nil)
		spec.Slaves = append(spec.Slaves, bond.SlaveSpec{Name: name})
	}
	p := planMust(t, c, spec)
	if n := len(p.Steps); n != 202 {
		t.Errorf("%d steps", n)
	}
	planApply(t, c, spec)
	slices.Reverse(spec.Slaves)
	if p := planMust(t, c, spec); !p.IsEmpty() {
		t.Error(p)
	}
}
