// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"fmt"
	"net"
	"slices"
)

// Active returns the number of the slave that is active now, counted from one:
// the active slave of the bond, or the slave with the address of the host. It is
// zero when there is none.
func (l *Lab) Active(ctx context.Context) (int, error) {
	if l.cfg.Bond != nil {
		state, err := l.BondState(ctx)
		return slices.Index(l.Slaves(), state.Active) + 1, err
	}
	active := 0
	err := l.host.Do(func() error {
		for i, name := range l.Slaves() {
			d, err := net.InterfaceByName(name)
			if err != nil {
				return err
			}
			addrs, err := d.Addrs()
			if err != nil {
				return err
			}
			for _, a := range addrs {
				if p, ok := a.(*net.IPNet); ok && p.IP.Equal(l.Addr(HostName).AsSlice()) {
					active = i + 1
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("lab: active slave: %w", err)
	}
	return active, nil
}

// Failover makes slave number to the active one. With a bond it sets the active
// slave of the bond. Without one it does what a bond would do: it moves the
// address and ARP to the slave and sends one gratuitous ARP from it. A failover
// to the active slave changes nothing.
func (l *Lab) Failover(ctx context.Context, to int) error {
	if err := l.number(to); err != nil {
		return fmt.Errorf("lab: failover: %w", err)
	}
	if l.cfg.Bond != nil {
		return l.host.ip(ctx, "link set "+BondName+" type bond active_slave "+slaveName(to))
	}
	from, err := l.Active(ctx)
	if err != nil || from == to {
		return err
	}
	lines := []string{}
	if from != 0 {
		lines = append(lines, l.addressLines("del", HostName, slaveName(from))...)
		lines = append(lines, "link set "+slaveName(from)+" arp off")
	}
	lines = append(lines, "link set "+slaveName(to)+" arp on")
	lines = append(lines, l.addressLines("add", HostName, slaveName(to))...)
	if err := l.host.ip(ctx, lines...); err != nil {
		return err
	}
	return l.announce(slaveName(to))
}
