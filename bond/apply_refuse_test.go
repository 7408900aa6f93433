// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// TestApplyRefuses checks that nothing is sent that changes anything.
func TestApplyRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(s *bond.Spec)
		ao     *bond.ApplyOptions
		want   error
		text   string
	}{
		{"down", func(s *bond.Spec) { s.Options.ADSelect = new(bond.ADSelectCount) }, nil, bond.ErrDisruptive, "ad_select can be changed only while it is down"},
		{"switching off", func(s *bond.Spec) { s.Up = new(false) }, nil, bond.ErrDisruptive, "it shall be down"},
		{
			"release", func(s *bond.Spec) { s.Options.FailOverMAC = new(bond.FailOverMACActive) },
			&bond.ApplyOptions{Allow: bond.DisruptionDown}, bond.ErrDisruptive, "fail_over_mac can be changed only without slaves",
		},
		{"all slaves", func(s *bond.Spec) { s.Slaves = []bond.SlaveSpec{{Name: "eth2"}} }, nil, bond.ErrDisruptive, "release"},
		{
			"recreate", func(s *bond.Spec) { s.TxQueues = new(3) },
			&bond.ApplyOptions{Allow: bond.DisruptionRelease}, bond.ErrDisruptive, "recreate",
		},
		{"missing", func(s *bond.Spec) { s.Slaves = []bond.SlaveSpec{{Name: "eth0"}, {Name: "eth9"}} }, planAll, os.ErrNotExist, "eth9"},
		{"bridge port", func(s *bond.Spec) { s.Slaves = append(s.Slaves, bond.SlaveSpec{Name: "port"}) }, planAll, bond.ErrSlaveBusy, "bridge"},
		{"loopback", func(s *bond.Spec) { s.Slaves = append(s.Slaves, bond.SlaveSpec{Name: "lo"}) }, planAll, bond.ErrCannotEnslave, "lo"},
		{"slave of another bond", func(s *bond.Spec) { s.Slaves = append(s.Slaves, bond.SlaveSpec{Name: "eth3"}) }, planAll, bond.ErrSlaveBusy, "bond"},
		{"no bond", func(s *bond.Spec) { s.Name = "eth2" }, planAll, bond.ErrNotBond, "no bond"},
		{"wrong mode", func(s *bond.Spec) { s.Options.LACPRate = new(bond.LACPRateSlow) }, planAll, bond.ErrWrongMode, "lacp_rate"},
		{"wrong mode for a primary", func(s *bond.Spec) {
			s.Options.Mode, s.Options.Primary = new(bond.ModeBroadcast), &bond.Link{Name: "eth0"}
		}, planAll, bond.ErrWrongMode, "primary eth0"},
		{"queues", func(s *bond.Spec) { s.TxQueues = new(0) }, planAll, bond.ErrBadValue, "tx_queues 0"},
		{"slave's name", func(s *bond.Spec) { s.Slaves = []bond.SlaveSpec{{Name: "eth 0"}} }, planAll, bond.ErrBadValue, "eth 0"},
		{"active that does not exist", func(s *bond.Spec) { s.Options.Active = &bond.Link{Name: "eth9"} }, planAll, bond.ErrNotSlave, "active_slave eth9"},
		{"same queue", func(s *bond.Spec) {
			s.Slaves = []bond.SlaveSpec{{Name: "eth0", Options: bond.SlaveOptions{QueueID: new(uint16(1))}}, {Name: "eth1", Options: bond.SlaveOptions{QueueID: new(uint16(1))}}}
		}, planAll, bond.ErrConflict, "queue_id 1 of eth1"},
		{"name", func(s *bond.Spec) { s.Name = "a/b" }, planAll, bond.ErrBadValue, "a/b"},
		{"pattern", func(s *bond.Spec) { s.Name = "bond%d" }, planAll, bond.ErrBadValue, "bond%d"},
		{"itself", func(s *bond.Spec) { s.Slaves = []bond.SlaveSpec{{Name: "bond0"}} }, planAll, bond.ErrCannotEnslave, "bond0"},
		{"twice", func(s *bond.Spec) { s.Slaves = []bond.SlaveSpec{{Name: "eth0"}, {Name: "eth0"}} }, planAll, bond.ErrBadValue, "twice"},
		{"group address", func(s *bond.Spec) { s.MAC = net.HardwareAddr{1, 2, 3, 4, 5, 6} }, planAll, bond.ErrBadValue, "01:02:03:04:05:06"},
		{"mtu", func(s *bond.Spec) { s.MTU = new(12) }, planAll, bond.ErrBadValue, "mtu 12"},
		{"primary's name", func(s *bond.Spec) { s.Options.Primary = &bond.Link{Name: "eth 0"} }, planAll, bond.ErrBadValue, "primary eth 0"},
		{"active's index", func(s *bond.Spec) { s.Options.Active = &bond.Link{Index: -1} }, planAll, bond.ErrBadValue, "active_slave #-1"},
		{"delay without miimon", func(s *bond.Spec) {
			s.Options.MIIMon, s.Options.UpDelay = new(time.Duration(0)), new(time.Microsecond)
		}, planAll, bond.ErrBadValue, "updelay 1µs"},
		{"active", func(s *bond.Spec) { s.Options.Active = &bond.Link{Name: "eth2"} }, planAll, bond.ErrNotSlave, "active_slave eth2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, c := planKernel(t, nil)
			k.AddLink("br0", &bondtest.LinkConfig{Kind: "bridge"})
			k.AddLink("port", &bondtest.LinkConfig{Bridge: "br0"})
			k.AddLink("lo", &bondtest.LinkConfig{Type: 772, Up: true})
			planApply(t, c, planPair())
			planApply(t, c, &bond.Spec{Name: "bond1", Slaves: []bond.SlaveSpec{{Name: "eth3"}}})
			before := planView(planState(t, c))
			spec := planPair()
			tt.change(spec)
			k.ResetRequests()
			res, err := c.Apply(t.Context(), spec, tt.ao)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error is %v", err)
			}
			if res == nil || res.Plan == nil || len(res.Done) > 0 || res.RolledBack {
				t.Errorf("result is %+v", res)
			}
			if n := len(k.Changes()); n > 0 {
				t.Errorf("%d changes were sent", n)
			}
			if diff := cmp.Diff(before, planView(planState(t, c))); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("nil spec", func(t *testing.T) {
		_, c := planKernel(t, nil)
		if _, err := c.Apply(t.Context(), nil, nil); !errors.Is(err, bond.ErrBadValue) {
			t.Error(err)
		}
		if p, err := bond.Diff(nil, nil); !errors.Is(err, bond.ErrBadValue) || p == nil {
			t.Error(p, err)
		}
	})
}
