// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// The tests here are named after what went wrong in other programs.

// TestPeerQueueIDSetByNoOp: RTM_SETLINK reports success for the options of a slave
// and sets none, so the queue_id never changed.
func TestPeerQueueIDSetByNoOp(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	n.bond("bond0", "mode active-backup miimon 100")
	n.ip("link set e1 master bond0")
	c := n.dialThrough(func(tr bond.Transport) bond.Transport {
		return clientBetween{tr, func(m bond.Message) {
			if m.Type == clientSetLink {
				t.Error("RTM_SETLINK was sent")
			}
		}}
	})
	clientGet[*bond.Slave](t)(c.SetSlave(t.Context(), clientName("e1"), bond.SlaveOptions{QueueID: new(uint16(4))}))
	clientGet[*bond.Bond](t)(c.Set(t.Context(), clientName("bond0"), bond.Options{ResendIGMP: new(uint32(4))}))
	s := clientGet[*bond.Slave](t)(n.dial().Slave(t.Context(), clientName("e1")))
	b := clientGet[*bond.Bond](t)(n.dial().Get(t.Context(), clientName("bond0")))
	if s.QueueID != 4 || b.ResendIGMP != 4 {
		t.Errorf("queue_id is %d and resend_igmp %d, want 4 and 4", s.QueueID, b.ResendIGMP)
	}
}

// TestPeerZeroBondRefused: a zero struct set active_slave 0 and arp_interval 0, which
// modes without them refuse as "permission denied".
func TestPeerZeroBondRefused(t *testing.T) {
	n := newClientNet(t)
	c := n.dial()
	ctx := t.Context()
	for mode := range bond.Mode(7) {
		clientGet[int](t)(c.Create(ctx, "bond0", bond.Options{Mode: &mode}, nil))
		b := clientGet[*bond.Bond](t)(c.Set(ctx, clientName("bond0"), bond.Options{}))
		if b.Mode != mode {
			t.Errorf("mode is %v, want %v", b.Mode, mode)
		}
		clientMust(t, c.Delete(ctx, clientName("bond0")))
	}
	clientGet[int](t)(c.Create(ctx, "bond0", bond.Options{}, nil))
}

// TestPeerModeAlwaysSent: the mode went along with every change, so that nothing could be
// changed on a bond that was in use.
func TestPeerModeAlwaysSent(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	n.bond("bond0", "mode active-backup miimon 100")
	n.ip("link set e1 master bond0")
	b := clientGet[*bond.Bond](t)(n.dial().Set(t.Context(), clientName("bond0"), bond.Options{MIIMon: new(50 * time.Millisecond)}))
	if b.Mode != bond.ModeActiveBackup || b.MIIMon != 50*time.Millisecond || !b.Up() {
		t.Errorf("the bond is %+v", b)
	}
}

// TestPeerSlaveOptionsInMessageOfMaster: the master and the options of the slave in
// one message cannot work, because the kernel reads the options first.
func TestPeerSlaveOptionsInMessageOfMaster(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	n.bond("bond0", "mode active-backup miimon 100")
	c := n.dial()
	clientMust(t, c.Enslave(t.Context(), clientName("bond0"), clientName("e1"), bond.SlaveOptions{QueueID: new(uint16(2))}))
	if s := clientGet[*bond.Slave](t)(c.Slave(t.Context(), clientName("e1"))); s.QueueID != 2 || !s.Up() {
		t.Errorf("the slave is %+v, want queue_id 2 and up", s)
	}
}

// TestPeerDownAndMasterTogether: down and master in one message left a dead slave on
// some kernels, and up and master one that was refused.
func TestPeerDownAndMasterTogether(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	n.bond("bond0", "mode active-backup miimon 100")
	n.ip("link set e1 up")
	c := n.dialThrough(func(tr bond.Transport) bond.Transport {
		return clientBetween{tr, func(m bond.Message) {
			const change, header = 12, 16 // the change mask, and the size of struct ifinfomsg
			if m.Type == clientNewLink && string(m.Data[change:header]) != "\x00\x00\x00\x00" && len(m.Data) > header {
				t.Errorf("flags were sent together with attributes: %x", m.Data)
			}
		}}
	})
	clientMust(t, c.Enslave(t.Context(), clientName("bond0"), clientName("e1"), bond.SlaveOptions{QueueID: new(uint16(2))}))
	if s := clientGet[*bond.Slave](t)(c.Slave(t.Context(), clientName("e1"))); !s.Up() {
		t.Error("the slave is down")
	}
}

// TestPeerDelayWithoutMIIMon: the delays of a bond with an ARP monitor went along, and
// the kernel answered "operation not permitted".
func TestPeerDelayWithoutMIIMon(t *testing.T) {
	n := newClientNet(t)
	c := n.dial()
	o := bond.Options{Mode: new(bond.ModeActiveBackup), ARPInterval: new(time.Second), UpDelay: new(time.Duration(0))}
	_, err := c.Create(t.Context(), "bond0", o, nil)
	clientWant(t, err, "create", bond.ErrNeedsMIIMon)
	if e, ok := errors.AsType[*bond.Error](err); !ok || e.Option != bond.OptionUpDelay || !strings.Contains(e.Hint, "miimon") {
		t.Errorf("the error is %+v", e)
	}
}

// TestPeerBareInvalidArgument: a mode that does not exist was "invalid argument" and no
// more.
func TestPeerBareInvalidArgument(t *testing.T) {
	n := newClientNet(t)
	_, err := n.dial().Create(t.Context(), "bond0", bond.Options{Mode: new(bond.Mode(9))}, nil)
	clientWant(t, err, "create", bond.ErrBadValue)
	if text := err.Error(); !strings.Contains(text, "bond0") || !strings.Contains(text, "mode") || !strings.Contains(text, "9") || !strings.Contains(text, "active-backup") {
		t.Errorf("the error %q does not say what is wrong, and what would be right", text)
	}
}
