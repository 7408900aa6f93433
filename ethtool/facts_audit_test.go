// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

// factsNames returns the names of the interfaces in a report.
func factsNames(r ethtool.Report) string {
	var names []string
	for _, f := range r.Facts {
		names = append(names, f.Link.Name)
	}
	return strings.Join(names, " ")
}

func factsCodes(findings []ethtool.Finding) []string {
	var codes []string
	for _, f := range findings {
		var names []string
		for _, l := range f.Links {
			names = append(names, l.Name)
		}
		codes = append(codes, fmt.Sprint(f.Severity, " ", f.Code, " ", strings.Join(names, ",")))
	}
	return codes
}

func TestAuditWhich(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	k.Add("lo", ethtooltest.Loopback())
	factsBond(k, ethtooltest.I40E("0000:3b:00.0"), ethtooltest.I40E("0000:5e:00.0"))
	k.Add("abond", ethtooltest.BondMaster(&ethtooltest.Bond{Mode: "802.3ad"}))
	other := ethtooltest.MLX5("0000:86:00.0")
	other.Master, other.Slave = "abond", &ethtooltest.Slave{}
	k.Add("zeth", other)
	k.Add("eth9", ethtooltest.I40E("0000:af:00.0"))
	tests := []struct {
		name  string
		links []ethtool.Link
		want  string
	}{
		{"all bonds", nil, "abond zeth bond0 eth0 eth1"},
		{"one bond", []ethtool.Link{{Name: "bond0"}}, "bond0 eth0 eth1"},
		{"one slave", []ethtool.Link{{Name: "eth1"}}, "eth1"},
		{"a bond and its slave", []ethtool.Link{{Name: "eth1"}, {Name: "bond0"}}, "bond0 eth0 eth1"},
		{"one twice", []ethtool.Link{{Name: "eth9"}, k.Link("eth9"), {Index: k.Index("eth9")}}, "eth9"},
		{"in no bond", []ethtool.Link{{Name: "lo"}, {Name: "eth9"}}, "eth9 lo"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Audit(t.Context(), tt.links...)
			if err != nil {
				t.Fatal(err)
			}
			if names := factsNames(got); names != tt.want {
				t.Errorf("interfaces are %q, want %q", names, tt.want)
			}
			if got.Kernel != ethtooltest.Release612 {
				t.Errorf("kernel is %q", got.Kernel)
			}
		})
	}
}

func TestAuditNothing(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	k.Add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	k.Add("bond0", ethtooltest.BondMaster(nil))
	got, err := c.Audit(t.Context(), ethtool.Link{Name: "bond0"})
	if err != nil || factsNames(got) != "bond0" || len(got.Findings) != 0 {
		t.Errorf("bond without slaves: %+v, %v", got, err)
	}
	k.Remove("bond0")
	if got, err = c.Audit(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(got)
	want := fmt.Sprintf(`{"kernel":%q,"facts":[],"findings":[]}`, ethtooltest.Release612)
	if err != nil || string(b) != want {
		t.Errorf("JSON of a host without bonds is %s, %v", b, err)
	}
}

func TestAuditErrors(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release612)
	factsBond(k, ethtooltest.I40E("0000:3b:00.0"), ethtooltest.I40E("0000:5e:00.0"))
	if _, err := c.Audit(t.Context(), ethtool.Link{Name: "bond0"}, ethtool.Link{Name: "eth7"}); !errors.Is(err, ethtool.ErrNoDevice) {
		t.Errorf("no such interface: error is %v", err)
	} else if e, ok := errors.AsType[*ethtool.Error](err); !ok || e.Link != "eth7" {
		t.Errorf("error is %#v", err)
	}

	// A slave goes while the others are read; and one that was asked for by name.
	gone := func(k *ethtooltest.Kernel) {
		k.Fail(func(call ethtooltest.Call) error {
			if call.Name == "ETHTOOL_MSG_LINKSTATE_GET" && k.Index("eth1") != 0 {
				k.Remove("eth1")
			}
			return nil
		})
	}
	gone(k)
	got, err := c.Audit(t.Context())
	if err != nil || factsNames(got) != "bond0 eth0" {
		t.Errorf("slave that goes: %s, %v", factsNames(got), err)
	}
	k, c = factsKernel(t, ethtooltest.Release612)
	factsBond(k, ethtooltest.I40E("0000:3b:00.0"), ethtooltest.I40E("0000:5e:00.0"))
	gone(k)
	if _, err := c.Audit(t.Context(), ethtool.Link{Name: "bond0"}, ethtool.Link{Name: "eth1"}); !errors.Is(err, ethtool.ErrNoDevice) {
		t.Errorf("slave that was asked for and goes: error is %v", err)
	}
	k.Fail(func(call ethtooltest.Call) error {
		if call.Dump {
			return &ethtool.KernelError{Errno: syscall.EPERM}
		}
		return nil
	})
	if _, err := c.Audit(t.Context()); err == nil {
		t.Error("no error, though the interfaces cannot be listed")
	}
}

// The degraded modes and the states that rules go by, as the drivers show them.
func TestAuditFindings(t *testing.T) {
	down := func(n *ethtooltest.NIC) *ethtooltest.NIC { n.NoCarrier = true; return n }
	tests := []struct {
		name       string
		eth0, eth1 *ethtooltest.NIC
		want       []string
	}{
		{"two cards that are well, and prune", ethtooltest.I40E("0000:3b:00.0"), ethtooltest.I40E("0000:5e:00.0"), []string{"error link-but-down eth1"}},
		{"no link", ethtooltest.MLX5("0000:3b:00.0"), down(ethtooltest.MLX5("0000:5e:00.0")), nil},
		{"one card", ethtooltest.MLX5("0000:3b:00.0"), down(ethtooltest.MLX5("0000:3b:00.1")), []string{"info shared-card eth0,eth1"}},
		{"one card by its number", ethtooltest.BNXT("0000:3b:00.0"), down(ethtooltest.BNXT("0000:3b:00.1")), []string{"info shared-card eth0,eth1"}},
		{"recovery mode of i40e", ethtooltest.I40E("0000:3b:00.0"), ethtooltest.I40ERecovery("0000:5e:00.0"), []string{"error degraded eth1"}},
		{"safe mode of ice", ethtooltest.ICE("0000:3b:00.0"), down(ethtooltest.ICESafeMode("0000:5e:00.0")), []string{"error degraded eth1"}},
		{"driver of the vendor", ethtooltest.IXGBE("0000:3b:00.0"), down(ethtooltest.ICEOutOfTree("0000:5e:00.0")), []string{"info driver-mix eth0,eth1"}},
		{"VLAN of nothing", ethtooltest.Veth(), down(ethtooltest.Dummy()), nil},
	}
	for _, release := range factsReleases {
		for _, tt := range tests {
			t.Run(release+" "+tt.name, func(t *testing.T) {
				k, c := factsKernel(t, release)
				factsBond(k, tt.eth0, tt.eth1)
				got, err := c.Audit(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, factsCodes(got.Findings)); diff != "" {
					t.Errorf("findings (-want +got):\n%s\n%v", diff, got.Findings)
				}
				for _, f := range got.Facts {
					if f.Unseen != nil {
						t.Errorf("of %s unseen is %v", f.Link.Name, f.Unseen)
					}
				}
			})
		}
	}
}

func TestReportJSON(t *testing.T) {
	k, c := factsKernel(t, ethtooltest.Release72)
	bad := ethtooltest.ICESafeMode("0000:3b:00.1")
	bad.Devlink.Reporters = []ethtooltest.Reporter{{Name: "fw", Failed: true, Errors: 2, LastDump: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}}
	factsBond(k, ethtooltest.ICEOutOfTree("0000:3b:00.0"), bad)
	k.Rename("eth0", "eé\\")
	want, err := c.Audit(t.Context())
	if err != nil || len(want.Findings) < 3 {
		t.Fatalf("findings are %v, %v", want.Findings, err)
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got ethtool.Report
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(factsErrorText)); diff != "" {
		t.Errorf("after JSON (-want +got):\n%s", diff)
	}
	// What was read offline leads to the same findings.
	if diff := cmp.Diff(want.Findings, ethtool.Compare(got.Facts)); diff != "" {
		t.Errorf("compared again (-want +got):\n%s", diff)
	}
	// Two audits of one host are the same text.
	again, err := c.Audit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(again); err != nil || string(text) != string(b) {
		t.Errorf("the second audit is %s, the first %s, %v", text, b, err)
	}
}
