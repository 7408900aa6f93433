// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// Facts is everything that is known about one interface.
//
// What is nil or zero is so either because the interface does not have it, as a veth has
// no firmware, or because it could not be read: then it is in Unseen.
//
// The JSON of it has the keys in the types, which stay as they are, in the order of the types.
// What is nil, and most of what is zero, is left out. Words are the kernel's. Texts of the
// kernel may have bytes that are no UTF-8; they are escaped as by [Link.MarshalJSON]. What was read
// from JSON compares equal to what was written, but for the Err of Unseen, which is
// then an error with the same text.
type Facts struct {
	Link Link `json:"link"`
	// Kind is that of virtual interfaces, such as "bond" or "macvlan".
	Kind string `json:"kind,omitzero"`
	// Kernel is what uname -r prints.
	Kernel string `json:"kernel,omitzero"`

	// MAC is the present address and PermanentMAC that which the device was made with, nil where there is
	// none. In JSON their keys are mac and permanent_mac.
	MAC          net.HardwareAddr `json:"-"`
	PermanentMAC net.HardwareAddr `json:"-"`
	// Up says that it is switched on, and Carrier that it is and the driver reports
	// carrier.
	Up      bool `json:"up"`
	Carrier bool `json:"carrier"`
	// CarrierChanges counts since the interface was made.
	CarrierChanges uint32 `json:"carrier_changes"`

	// Bond is nil unless the interface is a slave of a bond.
	Bond *BondFacts `json:"bond,omitzero"`

	Driver    *Driver    `json:"driver,omitzero"`
	Firmware  *Firmware  `json:"firmware,omitzero"`
	Health    []Reporter `json:"health,omitzero"`
	LinkInfo  *LinkInfo  `json:"link_info,omitzero"`
	LinkState *LinkState `json:"link_state,omitzero"`
	PCIe      *PCIe      `json:"pcie,omitzero"`
	// Flags is nil where they could not be read, and empty where the driver has none.
	Flags   Flags    `json:"flags,omitzero"`
	Pruning *Pruning `json:"pruning,omitzero"`

	// Unseen is always in the same order, which is that of reading. All Err are of type *Error.
	Unseen []Unseen `json:"unseen,omitzero"`
}

// BondFacts is what matters here of the bond that an interface is a slave of, and of the
// bond's view of it. Empty texts are for what the kernel did not say.
type BondFacts struct {
	Link Link `json:"link"`
	// Mode is such as "active-backup".
	Mode string `json:"mode,omitzero"`
	// Active says that it is the bond's active slave, in the modes that have one.
	Active bool `json:"active"`
	// MIIStatus is what the bond takes the slave for: "up", "going down", "down",
	// "going back".
	MIIStatus   string        `json:"mii_status,omitzero"`
	MIIMon      time.Duration `json:"miimon_ns,omitzero"`
	ARPInterval time.Duration `json:"arp_interval_ns,omitzero"`
	// ARPValidate is such as "all", and FailOverMAC such as "active".
	ARPValidate string `json:"arp_validate,omitzero"`
	FailOverMAC string `json:"fail_over_mac,omitzero"`
}

// Unseen is one thing that could not be read.
type Unseen struct {
	// What is the key of it in the JSON of Facts, such as "firmware".
	What string
	// Err is why. In JSON it is a text, with the key error.
	Err error
}

// Facts reads everything about an interface. It needs no privilege. What cannot be read is in Unseen
// and does not make it fail: an error, which is an *[Error], means that there is no such
// interface or not any more (ErrNoDevice), that ctx ended or that the Client is closed.
// The Facts have then what was read until then.
func (c *Client) Facts(ctx context.Context, link Link) (Facts, error) {
	f, err := c.facts(ctx, link)
	return f, opError("read facts of", link, err)
}

func (c *Client) facts(ctx context.Context, link Link) (Facts, error) {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{
		Link: linkOf(&l), Kind: l.Kind, Kernel: c.t.KernelRelease(), MAC: l.MAC,
		Up: l.Up(), Carrier: l.Carrier(), CarrierChanges: l.CarrierChanges,
	}
	// By index alone, a rename meanwhile does no harm.
	link = Link{Index: l.Index}
	for _, piece := range []struct {
		what string
		read func() error
	}{
		{"permanent_mac", func() (err error) { f.PermanentMAC, err = c.permanentMAC(ctx, link); return err }},
		{"bond", func() (err error) { f.Bond, err = c.bondFacts(ctx, &l); return err }},
		// Next to what the bond says, with which it will be compared.
		{"link_state", func() error { return readInto(ctx, link, &f.LinkState, c.linkState) }},
		{"driver", func() error { return readInto(ctx, link, &f.Driver, c.driver) }},
		{"firmware", func() error { return readInto(ctx, link, &f.Firmware, c.firmware) }},
		{"health", func() (err error) { f.Health, err = c.health(ctx, link); return err }},
		{"link_info", func() error { return readInto(ctx, link, &f.LinkInfo, c.LinkInfo) }},
		{"pcie", func() error { return readInto(ctx, link, &f.PCIe, c.pcie) }},
		{"flags", func() (err error) { f.Flags, err = c.factsFlags(ctx, link); return err }},
		{"pruning", func() error { return readInto(ctx, link, &f.Pruning, c.SourcePruning) }},
	} {
		err := piece.read()
		switch {
		case err == nil, factsAbsent(err):
		case ctx.Err() != nil:
			return f, ctx.Err()
		case errors.Is(err, ErrNoDevice), errors.Is(err, os.ErrClosed):
			return f, err
		default:
			op := "read " + strings.ReplaceAll(piece.what, "_", " ") + " of"
			f.Unseen = append(f.Unseen, Unseen{piece.what, opError(op, f.Link, err)})
		}
	}
	return f, nil
}

// factsAbsent reports whether an error says that the interface does not have what was
// asked for. That the kernel cannot tell is another matter.
func factsAbsent(err error) bool {
	return errors.Is(err, ErrNoDevlink) || errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, ErrKernelTooOld)
}

// readInto stores what read returns.
func readInto[T any](ctx context.Context, link Link, to **T, read func(context.Context, Link) (T, error)) error {
	v, err := read(ctx, link)
	if err == nil {
		*to = &v
	}
	return err
}

// factsFlags returns the private flags, empty where the driver has none.
func (c *Client) factsFlags(ctx context.Context, link Link) (Flags, error) {
	flags, err := c.Flags(ctx, link)
	if errors.Is(err, ErrNoPrivateFlags) || err == nil && flags == nil {
		return Flags{}, nil
	}
	return flags, err
}

const kindBond = "bond"

// bondFacts reads what the bond of a slave says, nil for an interface that is none.
func (c *Client) bondFacts(ctx context.Context, l *rtnl.Link) (*BondFacts, error) {
	if l.Master == 0 || l.SlaveKind != kindBond {
		return nil, nil
	}
	master, err := c.resolve(ctx, Link{Index: l.Master})
	if errors.Is(err, ErrNoDevice) {
		// It went while this was on its way, or is in no place where it can be seen.
		return nil, fmt.Errorf("%w: the bond of index %d", ErrDeviceAway, l.Master)
	}
	if err != nil {
		return nil, err
	}
	b := &BondFacts{Link: linkOf(&master)}
	if l.BondSlave != nil {
		b.MIIStatus = bondWord("mii status", l.BondSlave.MIIStatus, miiWords[:])
	}
	if m := master.Bond; m != nil {
		b.Mode = bondWord("mode", m.Mode, modeWords[:])
		b.Active = m.ActiveSlave == l.Index
		b.MIIMon = time.Duration(m.MIIMon) * time.Millisecond
		b.ARPInterval = time.Duration(m.ARPInterval) * time.Millisecond
		b.ARPValidate = bondWord("arp_validate", m.ARPValidate, arpValidateWords[:])
		b.FailOverMAC = bondWord("fail_over_mac", m.FailOverMAC, failOverWords[:])
	}
	return b, nil
}

// The kernel's words for numbers of bonds (drivers/net/bonding/bond_options.c and
// bond_procfs.c).
var (
	modeWords = [...]string{
		"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb",
	}
	miiWords         = [...]string{"up", "going down", "down", "going back"}
	arpValidateWords = [...]string{"none", "active", "backup", "all", "filter", "filter_active", "filter_backup"}
	failOverWords    = [...]string{"none", "active", "follow"}
)

// bondWord returns the word for a number, and "what(9)" where there is none.
func bondWord[T uint8 | uint32](what string, v T, words []string) string {
	if uint64(v) < uint64(len(words)) {
		return words[v]
	}
	return fmt.Sprintf("%s(%d)", what, v)
}
