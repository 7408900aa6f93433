// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"cmp"
	"context"
	"slices"
)

// Interface is one interface of the network namespace, in short.
type Interface struct {
	Link Link `json:"link"`
	// Kind is that of a virtual interface, such as "bond", and empty for hardware.
	Kind string `json:"kind,omitzero"`
	// Ethernet says that it has Ethernet addresses, which the loopback interface has not.
	Ethernet bool `json:"ethernet"`
	// Master is the index of the bond, bridge or team that it belongs to, 0 for none.
	Master int `json:"master,omitzero"`
	// Up says that it is switched on, and Carrier that it is and has a link.
	Up      bool `json:"up"`
	Carrier bool `json:"carrier"`
}

// Hardware reports whether it is a NIC, or what looks like one to a virtual machine.
func (i *Interface) Hardware() bool { return i.Kind == "" && i.Ethernet }

// Interfaces reads all interfaces of the network namespace, in the order of their index. It needs no
// privilege.
func (c *Client) Interfaces(ctx context.Context) ([]Interface, error) {
	links, err := c.links(ctx)
	if err != nil {
		return nil, opError("list interfaces", Link{}, err)
	}
	all := make([]Interface, len(links))
	for i := range links {
		l := &links[i]
		all[i] = Interface{
			Link: linkOf(l), Kind: l.Kind, Ethernet: l.Type == arphrdEther, Master: l.Master, Up: l.Up(), Carrier: l.Carrier(),
		}
	}
	slices.SortFunc(all, func(a, b Interface) int { return cmp.Compare(a.Link.Index, b.Link.Index) })
	return all, nil
}
