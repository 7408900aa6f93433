// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// bond makes a bond that is up and has no slaves.
func (n *clientNet) bond(name, words string) {
	n.t.Helper()
	n.ip("link add "+name+" type bond "+words, "link set "+name+" up")
}

func TestClientEnslaveTakesDownWhatIsUp(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2")
	n.bond("bond0", "mode active-backup miimon 100")
	n.ip("link set e1 up", "link add link e1 name e1.5 type vlan id 5")
	c := n.dial()
	ctx := t.Context()
	for _, name := range []string{"e1", "e2"} {
		must := clientGet[*bond.Slave](t)
		clientMust(t, c.Enslave(ctx, clientName("bond0"), clientName(name), bond.SlaveOptions{}))
		if s := must(c.Slave(ctx, clientName(name))); !s.Up() || s.MasterKind != "bond" {
			t.Errorf("the slave is %+v, want it up", s.LinkInfo)
		}
	}
	clientEventually(t, "both slaves carry on", func() bool {
		slaves := clientGet[[]bond.Slave](t)(c.Slaves(ctx, clientName("bond0")))
		return len(slaves) == 2 && slaves[0].MIIStatus == bond.MIIUp && slaves[1].MIIStatus == bond.MIIUp
	})
}

func TestClientEnslaveAgain(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	n.bond("bond0", "mode active-backup miimon 100")
	c := n.dial()
	ctx := t.Context()
	clientMust(t, c.Enslave(ctx, clientName("bond0"), clientName("e1"), bond.SlaveOptions{}))
	before := clientGet[*bond.Slave](t)(c.Slave(ctx, clientName("e1")))
	clientMust(t, c.Enslave(ctx, clientName("bond0"), clientName("e1"), bond.SlaveOptions{}))
	clientMust(t, c.Enslave(ctx, clientName("bond0"), clientName("e1"), bond.SlaveOptions{QueueID: new(uint16(5))}))
	after := clientGet[*bond.Slave](t)(c.Slave(ctx, clientName("e1")))
	if after.QueueID != 5 || !after.Up() || after.LinkFailures != before.LinkFailures {
		t.Errorf("the slave is %+v, want queue_id 5 and nothing else changed", after)
	}
}

// TestClientEnslaveNeverSteals leaves alone what belongs to something else.
func TestClientEnslaveNeverSteals(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2", "e3")
	n.bond("bond0", "mode active-backup miimon 100")
	n.bond("bond1", "mode active-backup miimon 100")
	n.ip(
		"link set e1 master bond1",
		"link add br0 type bridge", "link set e2 master br0", "link set e2 up",
		"link add link e3 name mac0 type macvlan", "link set e3 up",
	)
	c := n.dial()
	ctx := t.Context()
	for name, master := range map[string]string{"e1": "bond1", "e2": "br0", "e3": ""} {
		err := c.Enslave(ctx, clientName("bond0"), clientName(name), bond.SlaveOptions{QueueID: new(uint16(1))})
		t.Logf("%v", err)
		clientWant(t, err, "enslave", bond.ErrSlaveBusy)
		if e, ok := errors.AsType[*bond.Error](err); ok && (e.Link != name || !strings.Contains(e.Hint, master) || e.Hint == "") {
			t.Errorf("the error is %+v, want one about %s that names %q", e, name, master)
		}
		l := clientGet[*bond.LinkInfo](t)(c.Link(ctx, clientName(name)))
		if master != "" && l.Master != clientGet[*bond.LinkInfo](t)(c.Link(ctx, clientName(master))).Index || !l.Up() {
			t.Errorf("%s is now %+v", name, l)
		}
	}
	if slaves := clientGet[[]bond.Slave](t)(c.Slaves(ctx, clientName("bond0"))); len(slaves) != 0 {
		t.Errorf("the slaves are %+v, want none", slaves)
	}
	clientMust(t, c.Release(ctx, clientName("e1")))
	clientMust(t, c.Enslave(ctx, clientName("bond0"), clientName("e1"), bond.SlaveOptions{}))
	_, err := c.SetSlave(ctx, clientName("e2"), bond.SlaveOptions{QueueID: new(uint16(1))})
	clientWant(t, err, "set slave", bond.ErrNotSlave)
	clientWant(t, c.Release(ctx, clientName("e2")), "release", bond.ErrNotSlave)
}

func TestClientCannotEnslave(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	n.bond("bond0", "mode 802.3ad")
	n.ip("link add br0 type bridge", "link set br0 up")
	c := n.dial()
	ctx := t.Context()
	for _, name := range []string{"bond0", "lo"} {
		err := c.Enslave(ctx, clientName("bond0"), clientName(name), bond.SlaveOptions{})
		t.Logf("%v", err)
		clientWant(t, err, "enslave", bond.ErrCannotEnslave)
		if errors.Is(err, os.ErrPermission) {
			t.Error("the error matches os.ErrPermission")
		}
	}
}

// TestClientEnslaveUpAgainMeanwhile has somebody switch the interface on again.
func TestClientEnslaveUpAgainMeanwhile(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1")
	n.bond("bond0", "mode active-backup miimon 100")
	changes := 0
	c := n.dialThrough(func(tr bond.Transport) bond.Transport {
		return clientBetween{tr, func(m bond.Message) {
			if m.Type == clientNewLink {
				if changes++; changes == 1 {
					n.ip("link set e1 up")
				}
			}
		}}
	})
	err := c.Enslave(t.Context(), clientName("bond0"), clientName("e1"), bond.SlaveOptions{})
	t.Logf("%v", err)
	clientWant(t, err, "enslave", bond.ErrSlaveUp, syscall.EPERM)
	if errors.Is(err, os.ErrPermission) {
		t.Error("the error matches os.ErrPermission")
	}
}

// clientFailing is a Transport that answers the nth change itself.
type clientFailing struct {
	bond.Transport
	n     *int
	after bool // after it has been made
	err   error
}

func (f clientFailing) Do(ctx context.Context, m bond.Message) ([]bond.Message, error) {
	if m.Type == clientNewLink || m.Type == clientDelLink {
		if *f.n--; *f.n == 0 {
			if f.after {
				if _, err := f.Transport.Do(ctx, m); err != nil {
					return nil, err
				}
			}
			return nil, f.err
		}
	}
	return f.Transport.Do(ctx, m)
}

// TestClientEnslaveUndone fails each of the three messages, before and after it
// took effect.
func TestClientEnslaveUndone(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2")
	n.bond("bond0", "mode active-backup miimon 100")
	quiet := n.dial()
	ctx := t.Context()
	for _, name := range []string{"e1", "e2"} {
		for nth := 1; nth <= 3; nth++ {
			for _, after := range []bool{false, true} {
				wasUp := name == "e1"
				n.ip("link set e1 up", "link set e2 down")
				if !wasUp && nth == 3 {
					continue // there are only two messages
				}
				left := nth
				cause := error(&bond.KernelError{Errno: syscall.ENOMEM})
				if after {
					cause = context.DeadlineExceeded
				}
				c := n.dialThrough(func(tr bond.Transport) bond.Transport { return clientFailing{tr, &left, after, cause} })
				err := c.Enslave(ctx, clientName("bond0"), clientName(name), bond.SlaveOptions{QueueID: new(uint16(7))})
				if left > 0 {
					t.Fatalf("there was no message %d", nth)
				}
				if after {
					clientWant(t, err, "enslave", context.DeadlineExceeded)
				} else {
					clientWant(t, err, "enslave", syscall.ENOMEM)
				}
				l := clientGet[*bond.LinkInfo](t)(quiet.Link(ctx, clientName(name)))
				if l.Master != 0 || l.Up() != wasUp {
					t.Errorf("%s, message %d, after %v: master %d, up %v; want it free and as it was", name, nth, after, l.Master, l.Up())
				}
			}
		}
	}
}

// TestClientEnslaveOptionIgnored has the kernel take the slave and not its option.
func TestClientEnslaveOptionIgnored(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2")
	n.bond("bond0", "mode active-backup miimon 100")
	n.ip("link set e1 master bond0", "link set e2 up")
	c := n.dial()
	ctx := t.Context()
	has := clientGet[bool](t)(c.Supports(ctx, bond.OptionPrio))
	err := c.Enslave(ctx, clientName("bond0"), clientName("e2"), bond.SlaveOptions{Prio: new(int32(-7))})
	_, setErr := c.SetSlave(ctx, clientName("e1"), bond.SlaveOptions{Prio: new(int32(-8))})
	if has {
		clientMust(t, err)
		clientMust(t, setErr)
		if s := clientGet[*bond.Slave](t)(c.Slave(ctx, clientName("e2"))); s.Prio != -7 {
			t.Errorf("prio is %d, want -7", s.Prio)
		}
		return
	}
	clientWant(t, err, "enslave", errors.ErrUnsupported)
	clientWant(t, setErr, "set slave", errors.ErrUnsupported)
	if l := clientGet[*bond.LinkInfo](t)(c.Link(ctx, clientName("e2"))); l.Master != 0 || !l.Up() {
		t.Errorf("the interface is %+v, want it free and up", l)
	}
}

// TestClientVanishing removes a slave or the bond before each request in turn.
func TestClientVanishing(t *testing.T) {
	ms := time.Millisecond
	calls := map[string]func(ctx context.Context, c *bond.Client) error{
		"get":  func(ctx context.Context, c *bond.Client) error { _, err := c.Get(ctx, clientName("bond0")); return err },
		"list": func(ctx context.Context, c *bond.Client) error { _, err := c.List(ctx); return err },
		"slaves": func(ctx context.Context, c *bond.Client) error {
			_, err := c.Slaves(ctx, clientName("bond0"))
			return err
		},
		"set": func(ctx context.Context, c *bond.Client) error {
			_, err := c.Set(ctx, clientName("bond0"), bond.Options{MIIMon: new(50 * ms), Primary: new(clientName("e1"))})
			return err
		},
		"set slave": func(ctx context.Context, c *bond.Client) error {
			_, err := c.SetSlave(ctx, clientName("e1"), bond.SlaveOptions{QueueID: new(uint16(1))})
			return err
		},
		"set active": func(ctx context.Context, c *bond.Client) error {
			return c.SetActive(ctx, clientName("bond0"), clientName("e1"))
		},
		"enslave": func(ctx context.Context, c *bond.Client) error {
			return c.Enslave(ctx, clientName("bond0"), clientName("e3"), bond.SlaveOptions{QueueID: new(uint16(2))})
		},
		"release": func(ctx context.Context, c *bond.Client) error { return c.Release(ctx, clientName("e1")) },
		"delete":  func(ctx context.Context, c *bond.Client) error { return c.Delete(ctx, clientName("bond0")) },
		"create": func(ctx context.Context, c *bond.Client) error {
			_, err := c.Create(ctx, "bond1", bond.Options{Mode: new(bond.ModeActiveBackup), Primary: new(clientName("e1"))}, nil)
			return err
		},
		"mtu": func(ctx context.Context, c *bond.Client) error { return c.SetMTU(ctx, clientName("e1"), 1300) },
	}
	ctx := t.Context()
	for name, call := range calls {
		victims := []string{"e1"}
		switch name {
		case "slaves", "delete":
			victims = []string{"bond0"}
		case "set":
			victims = []string{"bond0", "e1"}
		case "enslave":
			victims = []string{"bond0", "e3"}
		}
		for _, victim := range victims {
			for nth := 1; clientVanish(ctx, t, name, victim, nth, call); nth++ {
			}
		}
	}
}

// clientVanish calls something and removes the victim before the nth request. It
// reports whether there were so many.
func clientVanish(ctx context.Context, t *testing.T, name, victim string, nth int, call func(context.Context, *bond.Client) error) bool {
	n := newClientNet(t)
	n.ip(
		"link add e1 type veth peer name pe1", "link add e3 type veth peer name pe3", "link set e3 up",
		"link add bond0 type bond mode active-backup miimon 100", "link set bond0 up", "link set e1 master bond0",
	)
	left := nth
	c := n.dialThrough(func(tr bond.Transport) bond.Transport {
		return clientBetween{tr, func(bond.Message) {
			if left--; left == 0 {
				n.ip("link del " + victim)
			}
		}}
	})
	err := call(ctx, c)
	switch {
	case err == nil || left > 0:
	case !errors.Is(err, os.ErrNotExist) && !errors.Is(err, bond.ErrNotSlave) && !errors.Is(err, bond.ErrNotApplied) && !errors.Is(err, bond.ErrSlaveDown):
		t.Errorf("%s, %s gone before request %d: %v", name, victim, nth, err)
	case name == "enslave" && victim == "bond0":
		if l := clientGet[*bond.LinkInfo](t)(n.dial().Link(ctx, clientName("e3"))); l.Master != 0 || !l.Up() {
			t.Errorf("bond gone before request %d: the interface is %+v, want it free and up", nth, l)
		}
	}
	clientMust(t, c.Close())
	clientMust(t, n.file.Close())
	return left <= 0
}
