// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// pruneClient opens a client of a kernel made of memory.
func pruneClient(t *testing.T, tr ethtool.Transport) *ethtool.Client {
	t.Helper()
	c, err := ethtool.Dial(&ethtool.Config{Transport: tr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// pruneCase is an interface, what is to be said of it, and what becomes of it when that is
// changed.
type pruneCase struct {
	name    string
	release string
	nic     *ethtooltest.NIC
	lower   *ethtooltest.NIC
	state   ethtool.PruningState
	// setting is control, name and value, as in "private-flag disable-source-pruning off".
	setting string
	reason  string
	hard    bool
	resets  bool
	// noReset says that the fake driver makes none all the same, as that of some kernels.
	noReset bool
	// off and on are what SetSourcePruning says: "" for a change, "same" for none, or the
	// error that it matches.
	off, on any
}

func pruneI40E(on bool) *ethtooltest.NIC {
	return pruneWith(ethtooltest.I40E("0000:3b:00.0"), "disable-source-pruning", on)
}

// pruneWith sets a flag of a NIC to what it is at first.
func pruneWith(n *ethtooltest.NIC, name string, on bool) *ethtooltest.NIC {
	i := slices.IndexFunc(n.PrivateFlags, func(f ethtooltest.Flag) bool { return f.Name == name })
	n.PrivateFlags[i].On = on
	return n
}

// pruneWithout is an older driver.
func pruneWithout(n *ethtooltest.NIC, name string) *ethtooltest.NIC {
	n.PrivateFlags = slices.DeleteFunc(n.PrivateFlags, func(f ethtooltest.Flag) bool { return f.Name == name })
	return n
}

func pruneIXGBE(mode string) *ethtooltest.NIC {
	n := ethtooltest.IXGBE("0000:3b:00.0")
	n.BridgeMode = mode
	return n
}

func pruneCases() []pruneCase {
	const (
		i40eOff = "private-flag disable-source-pruning off"
		i40eOn  = "private-flag disable-source-pruning on"
	)
	hard, unknown := ethtool.ErrHardWired, ethtool.ErrPruningUnknown
	macvlan := func(mode string) *ethtooltest.NIC { return ethtooltest.Macvlan("lower", mode) }
	veth := ethtooltest.Veth()
	return []pruneCase{
		{name: "i40e", nic: pruneI40E(false), state: ethtool.Prunes, setting: i40eOff, resets: true, on: "same"},
		{name: "i40e off", nic: pruneI40E(true), state: ethtool.Delivers, setting: i40eOn, resets: true, off: "same"},
		{name: "i40e 5.10", release: ethtooltest.Release510, nic: pruneI40E(false), state: ethtool.Prunes, setting: i40eOff, resets: true, on: "same"},
		{name: "i40e by ioctl", release: "5.4.0", nic: pruneI40E(false), state: ethtool.Prunes, setting: i40eOff, resets: true, on: "same"},
		{
			name: "i40e without the flag", nic: pruneWithout(pruneI40E(false), "disable-source-pruning"), state: ethtool.Prunes,
			hard: true, reason: "4.14", off: hard, on: "same",
		},
		{name: "i40e in recovery", nic: ethtooltest.I40ERecovery("0000:3b:00.0"), reason: "recovery mode", off: unknown, on: unknown},
		{
			name: "i40e 6.8, flag on", release: "6.8.0-52-generic", noReset: true, nic: pruneI40E(true), setting: i40eOn, resets: true,
			reason: "without the reset", off: ethtool.ErrNotVerified,
		},
		{
			name: "i40e 6.8, flag off", release: "6.8.0-52-generic", noReset: true, nic: pruneI40E(false), state: ethtool.Prunes, setting: i40eOff, resets: true,
			off: ethtool.ErrNotVerified, on: "same",
		},
		{name: "i40e 6.6", release: "6.6.99", nic: pruneI40E(true), state: ethtool.Delivers, setting: i40eOn, resets: true, off: "same"},
		{name: "i40e 6.11.11", release: "6.11.11", noReset: true, nic: pruneI40E(true), state: ethtool.Delivers, setting: i40eOn, resets: true, off: "same"},
		{name: "i40e 6.12.1", release: "6.12.1", noReset: true, nic: pruneI40E(true), setting: i40eOn, resets: true, reason: "without the reset", off: ethtool.ErrNotVerified},
		{name: "i40e 6.12.2", release: "6.12.2", nic: pruneI40E(true), state: ethtool.Delivers, setting: i40eOn, resets: true, off: "same"},
		{name: "i40e out-of-tree", nic: ethtooltest.I40EOutOfTree("0000:3b:00.0"), state: ethtool.Prunes, setting: i40eOff, resets: true, on: "same"},
		{
			name: "i40e out-of-tree on 6.8", release: "6.8.0", nic: pruneWith(ethtooltest.I40EOutOfTree("0000:3b:00.0"), "disable-source-pruning", true),
			state: ethtool.Delivers, setting: i40eOn, resets: true, off: "same",
		},
		{
			name: "i40e out-of-tree, the other flag", nic: pruneWith(ethtooltest.I40EOutOfTree("0000:3b:00.0"), "mac-source-pruning", false),
			state: ethtool.Delivers, setting: "private-flag mac-source-pruning off", resets: true, off: "same",
		},
		{name: "ice", nic: ethtooltest.ICE("0000:5e:00.0"), state: ethtool.Prunes, hard: true, off: hard, on: "same"},
		{
			name: "ice out-of-tree", nic: ethtooltest.ICEOutOfTree("0000:5e:00.0"), state: ethtool.Prunes,
			setting: "private-flag mac-source-pruning on", on: "same",
		},
		{
			name: "ice out-of-tree off", nic: pruneWith(ethtooltest.ICEOutOfTree("0000:5e:00.0"), "mac-source-pruning", false), state: ethtool.Delivers,
			setting: "private-flag mac-source-pruning off", off: "same",
		},
		{
			name: "ice out-of-tree, old", nic: pruneWithout(ethtooltest.ICEOutOfTree("0000:5e:00.0"), "mac-source-pruning"), state: ethtool.Prunes,
			hard: true, off: hard, on: "same",
		},
		{name: "ice in safe mode", nic: ethtooltest.ICESafeMode("0000:5e:00.0"), reason: "safe mode", off: unknown, on: unknown},
		{name: "iavf", nic: ethtooltest.IAVF("0000:3b:02.0", "0000:3b:00.0"), state: ethtool.Prunes, setting: "host", hard: true, off: hard, on: "same"},
		{name: "ixgbevf", nic: ethtooltest.IXGBEVF("0000:3b:10.0", "0000:3b:00.0"), state: ethtool.Prunes, hard: true, off: hard, on: "same"},
		{name: "ixgbe", nic: pruneIXGBE(""), state: ethtool.Delivers, reason: "without SR-IOV", off: "same", on: hard},
		{name: "ixgbe veb", nic: pruneIXGBE("veb"), state: ethtool.Delivers, setting: "bridge-mode veb", off: "same"},
		{name: "ixgbe vepa", nic: pruneIXGBE("vepa"), state: ethtool.Prunes, setting: "bridge-mode vepa", on: "same"},
		{name: "mlx4", nic: ethtooltest.MLX4("0000:3b:00.0"), state: ethtool.Delivers, off: "same", on: hard},
		{name: "mlx4 with functions", nic: ethtooltest.MLX4MultiFunction("0000:3b:00.0"), state: ethtool.Prunes, setting: "feature loopback off", on: "same"},
		{
			name: "mlx4 on 5.4", release: "5.4.0", nic: ethtooltest.MLX4MultiFunction("0000:3b:00.0"), setting: "feature loopback", reason: "cannot be told",
			off: errors.ErrUnsupported, on: errors.ErrUnsupported,
		},
		{name: "mlx5", nic: ethtooltest.MLX5("0000:3b:00.0"), reason: "VF LAG", off: unknown, on: unknown},
		{name: "bnxt", nic: ethtooltest.BNXT("0000:3b:00.0"), reason: "not known", off: unknown, on: unknown},
		{name: "e1000e", nic: ethtooltest.E1000E("0000:3b:00.0"), state: ethtool.Delivers, off: "same", on: hard},
		{name: "igb", nic: ethtooltest.IGB("0000:3b:00.0"), state: ethtool.Delivers, off: "same", on: hard},
		{name: "other", nic: &ethtooltest.NIC{Driver: "acme x"}, reason: `nothing is known about the driver "acme x"`, off: unknown, on: unknown},
		{name: "no driver", nic: &ethtooltest.NIC{}, reason: "does not tell its driver", off: unknown, on: unknown},
		{name: "lo", nic: ethtooltest.Loopback(), reason: "no Ethernet", off: unknown, on: unknown},
		{name: "slcan", nic: ethtooltest.SLCAN(), reason: "no Ethernet", off: unknown, on: unknown},
		{name: "bond", nic: ethtooltest.BondMaster(nil), reason: "ask about these", off: unknown, on: unknown},
		{name: "veth", nic: veth, state: ethtool.Delivers, off: "same", on: hard},
		{name: "macvlan vepa", nic: macvlan("vepa"), lower: veth, state: ethtool.Prunes, setting: "macvlan-mode vepa", on: "same"},
		{
			name: "macvlan private", nic: macvlan("private"), lower: veth, state: ethtool.Delivers, setting: "macvlan-mode private",
			reason: "neither does lower", off: "same",
		},
		{
			name: "macvlan bridge 6.12", release: ethtooltest.Release612, nic: macvlan("bridge"), lower: veth, state: ethtool.Prunes,
			setting: "macvlan-mode bridge", on: "same",
		},
		{name: "macvlan bridge 6.19", release: "6.19.0", nic: macvlan("bridge"), lower: veth, setting: "macvlan-mode bridge", reason: "not known"},
		{name: "macvlan bridge 7.2", nic: macvlan("bridge"), lower: veth, state: ethtool.Delivers, setting: "macvlan-mode bridge", off: "same"},
		{name: "macvlan passthru", nic: macvlan("passthru"), lower: veth, state: ethtool.Delivers, off: "same", on: hard},
		{
			name: "macvlan private on i40e", nic: macvlan("private"), lower: pruneI40E(false), state: ethtool.Prunes, setting: i40eOff + " of lower",
			reason: "lower below it decides", resets: true, on: "same",
		},
		{
			name: "macvlan vepa on i40e", nic: macvlan("vepa"), lower: pruneI40E(false), state: ethtool.Prunes, setting: "macvlan-mode vepa",
			off: ethtool.ErrNotVerified, on: "same",
		},
		{
			name: "macvlan private on mlx5", nic: macvlan("private"), lower: ethtooltest.MLX5("0000:3b:00.0"), setting: "macvlan-mode private",
			reason: "lower below it may", off: "same",
		},
		{
			name: "VLAN on i40e", nic: &ethtooltest.NIC{Kind: "vlan", Lower: "lower"}, lower: pruneI40E(false), state: ethtool.Prunes,
			setting: i40eOff + " of lower", resets: true, on: "same",
		},
		{
			name: "VLAN on ice", nic: &ethtooltest.NIC{Kind: "vlan", Lower: "lower"}, lower: ethtooltest.ICE("0000:5e:00.0"), state: ethtool.Prunes,
			hard: true, off: hard, on: "same",
		},
		{
			name: "VLAN on bond", nic: &ethtooltest.NIC{Kind: "vlan", Lower: "lower"}, lower: ethtooltest.BondMaster(nil),
			reason: "ask about these", off: unknown, on: unknown,
		},
	}
}

// kernel returns a new kernel with the interface "nic" of a case.
func (pc *pruneCase) kernel() *ethtooltest.Kernel {
	k := ethtooltest.NewKernel(&ethtooltest.Config{Release: pc.release})
	if pc.lower != nil {
		k.Add("lower", pc.lower)
	}
	k.Add("nic", pc.nic)
	return k
}

// TestSourcePruning holds the verdicts to a table.
func TestSourcePruning(t *testing.T) {
	for _, tt := range pruneCases() {
		t.Run(tt.name, func(t *testing.T) {
			k := tt.kernel()
			c := pruneClient(t, k.Unprivileged())
			p, err := c.SourcePruning(t.Context(), ethtool.Link{Name: "nic"})
			if err != nil {
				t.Fatal(err)
			}
			setting := ""
			if p.Control != 0 {
				setting = strings.Join(strings.Fields(p.Control.String()+" "+p.Name+" "+p.Value), " ")
			}
			if p.Below != (ethtool.Link{}) && setting != "" {
				setting += " of " + p.Below.Name
			}
			if p.State != tt.state || setting != tt.setting || p.HardWired != tt.hard || p.Resets != tt.resets ||
				!strings.Contains(p.Reason, tt.reason) || p.Reason == "" || p.Link != k.Link("nic") {
				t.Errorf("got %q %+v", setting, p)
			}
			if len(k.Changes()) != 0 {
				t.Errorf("changes: %v", k.Changes())
			}
			if p.State == ethtool.Prunes && len(p.Workarounds) == 0 {
				t.Error("no workarounds")
			}
			checkPruneJSON(t, p)
		})
	}
}

func checkPruneJSON(t *testing.T, p ethtool.Pruning) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again ethtool.Pruning
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("%s (-before +after):\n%s", text, diff)
	}
}

// TestSetSourcePruning does what the table of verdicts promises, in both directions.
func TestSetSourcePruning(t *testing.T) {
	for _, tt := range pruneCases() {
		for _, prune := range []bool{false, true} {
			want, name := tt.off, tt.name+", off"
			if prune {
				want, name = tt.on, tt.name+", on"
			}
			t.Run(name, func(t *testing.T) {
				k := tt.kernel()
				c := pruneClient(t, k.Transport())
				change, err := c.SetSourcePruning(t.Context(), ethtool.Link{Name: "nic"}, prune)
				switch want {
				case nil:
					if err != nil || !change.Changed || !change.Verified || change.Before == change.After || len(k.Changes()) != 1 {
						t.Fatalf("%+v, %v, %v", change, err, k.Changes())
					}
					if (tt.resets && !tt.noReset) != (change.CarrierChanges > 0) {
						t.Errorf("%d carrier changes", change.CarrierChanges)
					}
				case "same":
					if err != nil || change.Changed || !change.Verified || len(k.Changes()) != 0 {
						t.Fatalf("%+v, %v, %v", change, err, k.Changes())
					}
				default:
					e, ok := errors.AsType[*ethtool.Error](err)
					if !ok || !errors.Is(err, want.(error)) || e.Link != "nic" {
						t.Fatalf("%+v, %v", change, err)
					}
					if errors.Is(err, ethtool.ErrHardWired) && !prune && len(e.Workarounds) == 0 {
						t.Errorf("no workarounds: %v", err)
					}
					return
				}
				p, err := c.SourcePruning(t.Context(), ethtool.Link{Name: "nic"})
				if wanted := map[bool]ethtool.PruningState{true: ethtool.Prunes, false: ethtool.Delivers}[prune]; err != nil ||
					p.State != wanted && !strings.Contains(p.Reason, "below it may") {
					t.Errorf("afterwards: %+v, %v", p, err)
				}
			})
		}
	}
}

// TestSourcePruningErrors lets every request fail in turn.
func TestSourcePruningErrors(t *testing.T) {
	for _, nic := range []*ethtooltest.NIC{
		pruneI40E(false), pruneIXGBE("vepa"), ethtooltest.MLX4MultiFunction("0000:3b:00.0"),
		{Kind: "vlan", Lower: "lower"},
	} {
		for n := range 6 {
			for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EIO, syscall.EOPNOTSUPP, syscall.ENOMEM} {
				k := ethtooltest.NewKernel(nil)
				k.Add("lower", pruneI40E(true))
				k.Add("nic", nic)
				c := pruneClient(t, k.Transport())
				count := 0
				k.Fail(func(ethtooltest.Call) error {
					if count++; count == n+1 {
						return &ethtool.KernelError{Errno: errno}
					}
					return nil
				})
				p, err := c.SourcePruning(t.Context(), ethtool.Link{Name: "nic"})
				if err == nil && p.Reason == "" || p.State == ethtool.Delivers && nic.Kind == "" && nic.BridgeMode == "" {
					t.Errorf("%s, request %d fails with %v: %+v, %v", nic.Driver, n, errno, p, err)
				}
			}
		}
	}
	k := ethtooltest.NewKernel(nil)
	c := pruneClient(t, k.Transport())
	if _, err := c.SourcePruning(t.Context(), ethtool.Link{Name: "nic"}); !errors.Is(err, ethtool.ErrNoDevice) {
		t.Errorf("no interface: %v", err)
	}
	if _, err := c.SetSourcePruning(t.Context(), ethtool.Link{}, true); !errors.Is(err, ethtool.ErrBadValue) {
		t.Errorf("the zero link: %v", err)
	}
}

// TestSourcePruningAway is unknown about a device that is being reset.
func TestSourcePruningAway(t *testing.T) {
	k := ethtooltest.NewKernel(nil)
	k.Add("nic", pruneI40E(true))
	k.SetAway("nic", true)
	p, err := pruneClient(t, k.Transport()).SourcePruning(t.Context(), ethtool.Link{Name: "nic"})
	if err != nil || p.State != ethtool.PruningUnknown || !strings.Contains(p.Reason, "being reset") {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestPruningTable holds the table to rules of its own.
func TestPruningTable(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for r := range ethtool.PruningTable() {
		if r.Driver != last && seen[r.Driver] {
			t.Errorf("the rows about %s are not together", r.Driver)
		}
		seen[r.Driver], last = true, r.Driver
		if r.Source == "" || r.Reason == "" || r.HardWired && (r.State != ethtool.Prunes || r.Value != "") {
			t.Errorf("%+v", r)
		}
		if r.State == ethtool.Prunes && len(r.Workarounds) == 0 || r.State == ethtool.Delivers && len(r.Workarounds) > 0 {
			t.Errorf("workarounds of %+v", r)
		}
		for _, w := range r.Workarounds {
			if w.Advice() == "" || strings.HasSuffix(w.Advice(), ".") {
				t.Errorf("%v: advice %q", w, w.Advice())
			}
		}
	}
	for _, driver := range []string{"i40e", "ice", "iavf", "i40evf", "ixgbevf", "ixgbe", "mlx4_en", "mlx5_core", "macvlan", "macvtap", "veth"} {
		if !seen[driver] {
			t.Errorf("nothing about %s", driver)
		}
	}
	for range ethtool.PruningTable() {
		break // ends it
	}
}

// TestPruningWords reads and writes every word, and keeps numbers that have none.
func TestPruningWords(t *testing.T) {
	for n := range 256 {
		for _, v := range []interface {
			MarshalText() ([]byte, error)
			UnmarshalText([]byte) error
			String() string
		}{new(ethtool.PruningState(n)), new(ethtool.Evidence(n)), new(ethtool.Workaround(n))} {
			before := v.String()
			text, err := v.MarshalText()
			if err != nil || string(text) != before {
				t.Fatal(err)
			}
			if err := v.UnmarshalText([]byte("perhaps")); !errors.Is(err, ethtool.ErrBadValue) {
				t.Errorf("%T takes any word: %v", v, err)
			}
			if err := v.UnmarshalText(text); err != nil || v.String() != before {
				t.Errorf("%s became %v, %v", before, v, err)
			}
		}
	}
	if got := ethtool.Prunes.String() + ethtool.EvidenceSetting.String() + ethtool.FailOverMACActive.String() + ethtool.Workaround(99).Advice(); got != "prunessettingfail_over_mac=active" {
		t.Error(got)
	}
}

// TestParseRelease reads what uname prints on all kinds of machines.
func TestParseRelease(t *testing.T) {
	for text, want := range map[string][3]int{
		"6.12.95+deb13-amd64": {6, 12, 95}, "5.10.0-48-amd64": {5, 10, 0}, "7.2-rc1": {7, 2}, "7": {7}, "": {}, "x": {},
		"6..1": {6}, "99999999.1": {999999},
	} {
		if got := ethtool.ParseRelease(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
