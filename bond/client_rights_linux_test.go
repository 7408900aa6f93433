// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/bond"
)

// TestClientWithoutPrivilege reads everything and changes nothing.
func TestClientWithoutPrivilege(t *testing.T) {
	n := newClientNet(t)
	n.veth("e1", "e2")
	n.bond("bond0", "mode 802.3ad")
	n.ip("link set e1 master bond0", "link add bond1 type bond mode active-backup")
	clientMust(t, n.do(func() error {
		// Only this thread loses its capabilities, and ends with the goroutine.
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			return err
		}
		c, err := bond.Dial(nil)
		if err != nil {
			return err
		}
		defer c.Close()
		clientWithoutPrivilege(t, c)
		return nil
	}))
}

func clientWithoutPrivilege(t *testing.T, c *bond.Client) {
	// A context that cannot end keeps the requests on this thread.
	ctx := context.Background()
	if b, err := c.Get(ctx, clientName("bond0")); err != nil || b.Mode != bond.Mode8023AD || !b.Has(bond.OptionMIIMon) || b.Has(bond.OptionADActorSystem) {
		t.Errorf("the bond is %+v, %v", b, err)
	}
	if slaves, err := c.Slaves(ctx, clientName("bond0")); err != nil || len(slaves) != 1 {
		t.Errorf("the slaves are %+v, %v", slaves, err)
	}
	if f, err := c.Features(ctx); err != nil || !f.Has(bond.OptionADActorSystem) {
		t.Errorf("the features are %v, %v", f, err)
	}
	if _, err := c.Stats(ctx, clientName("bond0")); err != nil {
		t.Error(err)
	}

	bond0, e1, e2 := clientName("bond0"), clientName("e1"), clientName("e2")
	errs := make(map[string]error)
	_, errs["create"] = c.Create(ctx, "bond2", bond.Options{}, nil)
	_, errs["probe features"] = c.ProbeFeatures(ctx)
	_, errs["set"] = c.Set(ctx, bond0, bond.Options{MIIMon: new(200 * time.Millisecond), UpDelay: new(200 * time.Millisecond)})
	_, errs["set slave"] = c.SetSlave(ctx, e1, bond.SlaveOptions{QueueID: new(uint16(1))})
	errs["enslave"] = c.Enslave(ctx, bond0, e2, bond.SlaveOptions{})
	errs["release"] = c.Release(ctx, e1)
	errs["delete"] = c.Delete(ctx, bond0)
	errs["set up"] = c.SetUp(ctx, clientName("bond1"))
	errs["set down"] = c.SetDown(ctx, bond0)
	errs["set mac"] = c.SetMAC(ctx, bond0, net.HardwareAddr{2, 0, 0, 0, 0, 9})
	errs["set mtu"] = c.SetMTU(ctx, bond0, 1400)
	for op, err := range errs {
		clientWant(t, err, op, os.ErrPermission, syscall.EPERM)
		for _, not := range []error{bond.ErrNeedsMIIMon, bond.ErrSlaveUp, bond.ErrCannotEnslave} {
			if errors.Is(err, not) {
				t.Errorf("the error %q matches %q", err, not)
			}
		}
		if e, ok := errors.AsType[*bond.Error](err); ok && (e.Hint == "" || e.Option != 0) {
			t.Errorf("the error %+v names an option or has no hint", e)
		}
	}
	// The checks still come first, and there the number is the same.
	_, err := c.Set(ctx, clientName("bond1"), bond.Options{UpDelay: new(200 * time.Millisecond)})
	clientWant(t, err, "set", bond.ErrNeedsMIIMon)
}

// clientUserNS is set in the process that is root of a user namespace.
const clientUserNS = "BONDKIT_CLIENT_USERNS"

// TestClientInUserNamespace is root of a user namespace, as in a container: it may
// change everything, and the kernel hides three options from it.
func TestClientInUserNamespace(t *testing.T) {
	if os.Getenv(clientUserNS) != "" {
		clientInUserNS(t)
		return
	}
	newClientNet(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestClientInUserNamespace$", "-test.v")
	cmd.Env = append(os.Environ(), clientUserNS+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func clientInUserNS(t *testing.T) {
	ctx := t.Context()
	c, err := bond.Dial(nil)
	clientMust(t, err)
	defer c.Close()
	system := [6]byte{2, 0, 0, 0, 0, 1}
	clientGet[int](t)(c.Create(ctx, "bond0", bond.Options{
		Mode: new(bond.Mode8023AD), ADActorSysPrio: new(uint16(7)), ADUserPortKey: new(uint16(8)), ADActorSystem: &system,
	}, nil))
	b := clientGet[*bond.Bond](t)(c.Set(ctx, clientName("bond0"), bond.Options{ADActorSysPrio: new(uint16(9)), MinLinks: new(uint32(2))}))
	for _, opt := range []bond.Option{bond.OptionADActorSysPrio, bond.OptionADUserPortKey, bond.OptionADActorSystem} {
		if b.Has(opt) {
			t.Errorf("%v is visible", opt)
		}
	}
	if !b.Has(bond.OptionMinLinks) || b.MinLinks != 2 || b.ADActorSysPrio != 0 {
		t.Errorf("the bond is %+v", b)
	}
	// What is hidden is known to the kernel all the same.
	if f := clientGet[bond.Features](t)(c.Features(ctx)); !f.Has(bond.OptionADActorSysPrio) || !f.Has(bond.OptionADActorSystem) {
		t.Errorf("the features are %v", f)
	}
	clientMust(t, c.Delete(ctx, clientName("bond0")))
}
