// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// ErrPruningUnknown says that nothing is known about the interface by which its source pruning
// could be changed. Matches errors.ErrUnsupported.
var ErrPruningUnknown error = &meaning{"it is not known how to change its source pruning", errors.ErrUnsupported}

// Pruning is what is known about the source pruning of one interface: whether it drops the
// broadcasts it receives that have its own MAC address as source, and what changes
// that.
type Pruning struct {
	Link Link `json:"link"`
	// Driver is the name of the driver, and of a virtual interface the kind, such as
	// "macvlan".
	Driver string       `json:"driver"`
	State  PruningState `json:"state"`

	// Control is how it can be changed, zero where it cannot. Name is the private flag
	// or the feature, and OnMeansPrunes its polarity. Value is what the setting is
	// now: "on" or "off", or the word of a mode.
	Control       Control `json:"control"`
	Name          string  `json:"name,omitzero"`
	OnMeansPrunes bool    `json:"on_means_prunes,omitzero"`
	Value         string  `json:"value,omitzero"`

	// Below is the interface that decides, and whose setting it is, where that is not Link
	// itself but one underneath: the device of a VLAN, or that of a macvlan which drops
	// nothing itself.
	Below Link `json:"below,omitzero"`

	// HardWired says that the device prunes and nothing on this machine changes it.
	HardWired bool `json:"hard_wired,omitzero"`
	// Resets says that to change it resets the port: the carrier goes for seconds.
	Resets   bool     `json:"resets,omitzero"`
	Evidence Evidence `json:"evidence"`

	// Reason says in a sentence why State is what it is; Caution what a change does besides,
	// or what may undo it; and Source where that is known from (file and function of the
	// kernel or of the driver).
	Reason      string       `json:"reason"`
	Caution     string       `json:"caution,omitzero"`
	Source      string       `json:"source,omitzero"`
	Workarounds []Workaround `json:"workarounds,omitzero"`
}

// SourcePruning says whether an interface drops what it receives from its own MAC
// address, and how that can be changed. It sends nothing, changes nothing, and needs no
// privilege: it knows the drivers ([PruningTable]), and reads the settings that they have.
//
// A setting that is there decides over what the driver does without one. Where the driver
// should have one, and it is missing or cannot be read, the state is PruningUnknown, and
// Reason says why. What the hardware really does, only a probe on the wire can tell.
//
// For a VLAN, and for a macvlan that drops nothing itself, the device below
// decides; see Pruning.Below. A bond, a team or a bridge is PruningUnknown: ask about
// its slaves.
//
// The error matches ErrNoDevice where the interface is not there.
func (c *Client) SourcePruning(ctx context.Context, link Link) (Pruning, error) {
	v, err := c.pruning(ctx, link, maxPruningDepth)
	return v.Pruning, opError("read source pruning of", link, err)
}

const (
	// maxPruningDepth is how many devices may lie on one another.
	maxPruningDepth = 4
	arphrdEther     = 1
)

// pruningVerdict is a Pruning and what nobody else has to know about it.
type pruningVerdict struct {
	Pruning
	// skipsReset says that the driver may change the flag and not the device.
	skipsReset bool
	// asksBelow says that the device itself drops nothing.
	asksBelow bool
	// belowUnknown says that it delivers unless what is below drops.
	belowUnknown bool
}

func (c *Client) pruning(ctx context.Context, link Link, depth int) (pruningVerdict, error) {
	l, err := c.resolve(ctx, link)
	if err != nil {
		return pruningVerdict{}, err
	}
	in := pruningInput{driver: l.Kind, kernel: parseRelease(c.t.KernelRelease()), settings: map[settingKey]string{}}
	if l.MacvlanMode != 0 {
		in.settings[settingKey{ControlMacvlanMode, ""}] = macvlanModeText(l.MacvlanMode)
	}
	if l.Kind == "" {
		// By index alone, a rename meanwhile does no harm.
		if err := c.pruningFacts(ctx, Link{Index: l.Index}, &in); err != nil {
			return pruningVerdict{}, err
		}
	}
	v := in.verdict()
	v.Link = linkOf(&l)
	if l.Type != arphrdEther {
		v = pruningVerdict{Pruning: Pruning{Link: v.Link, Driver: v.Driver, Reason: "it is no Ethernet interface"}}
	}
	if v.asksBelow {
		return c.pruningBelow(ctx, &l, v, depth)
	}
	return v, nil
}

// pruningFacts reads of a NIC what the rules about its driver look at. What cannot
// be read is an error only where the interface is gone or ctx has ended.
func (c *Client) pruningFacts(ctx context.Context, link Link, in *pruningInput) error {
	driver, err := c.Driver(ctx, link)
	if err == nil {
		in.driver, in.outOfTree = driver.Name, driver.Origin == OriginOutOfTree
		err = c.pruningSettings(ctx, link, driver.Bus, in)
	}
	if err != nil && (errors.Is(err, ErrNoDevice) || errors.Is(err, os.ErrClosed) || ctx.Err() != nil) {
		return err
	}
	in.unread = err
	return nil
}

// pruningSettings reads the settings that the rules about the driver look at.
func (c *Client) pruningSettings(ctx context.Context, link Link, bus string, in *pruningInput) error {
	key, asks := in.asks()
	if !asks {
		return nil
	}
	if key.control == ControlPrivateFlag {
		flags, err := c.Flags(ctx, link)
		if errors.Is(err, ErrNoPrivateFlags) {
			in.noFlags = true
			return nil
		}
		for _, f := range flags {
			in.settings[settingKey{ControlPrivateFlag, f.Name}] = onOff(f.On)
		}
		return err
	}
	in.functions = c.pciFunctions(bus)
	value, err := c.readSetting(ctx, link, key.control, key.name)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil // Not to have the setting is an answer.
	}
	in.settings[key] = value
	return err
}

// pruningBelow adds to the verdict about a device that drops nothing itself what
// the device underneath does.
func (c *Client) pruningBelow(ctx context.Context, l *rtnl.Link, v pruningVerdict, depth int) (pruningVerdict, error) {
	unknown := func(reason string) (pruningVerdict, error) {
		v.State, v.Evidence, v.Reason = PruningUnknown, EvidenceNone, reason
		return v, nil
	}
	switch {
	case l.HasParentNetNS:
		return unknown("the device below is in another network namespace")
	case l.Parent == 0:
		return unknown("the kernel does not tell what is below")
	case depth == 0:
		return unknown("too many devices lie on one another")
	}
	below, err := c.pruning(ctx, Link{Index: l.Parent}, depth-1)
	switch {
	case errors.Is(err, ErrNoDevice):
		return unknown("the device below is gone")
	case err != nil:
		return pruningVerdict{}, err
	}
	name := printable(below.Link.Name)
	// What the device itself can do remains what can be changed, unless the one below undoes it.
	if v.Control != controlNone && below.State != Prunes {
		if below.State == Delivers {
			v.Reason += ", and neither does " + name + " below it"
			return v, nil
		}
		v.belowUnknown = true
		return unknown(v.Reason + ", and " + name + " below it may: " + below.Reason)
	}
	if below.Below == (Link{}) {
		below.Below = below.Link
	}
	below.Reason = name + " below it decides: " + below.Reason
	if below.Control != controlNone && below.Control != ControlHost {
		below.Caution = strings.TrimPrefix(below.Caution+"; it is a setting of "+printable(below.Below.Name)+
			", and of all that is on it", "; ")
	}
	below.Link, below.Driver = v.Link, v.Driver
	return below, nil
}

// pciFunctions says whether the device at a bus address shares its card with virtual
// functions, or is one itself.
func (c *Client) pciFunctions(bus string) pruningFunctions {
	dir := "bus/pci/devices/" + bus
	if bus == "" || strings.Contains(bus, "/") || !fs.ValidPath(dir) {
		return functionsUnknown
	}
	sys := c.t.Sysfs()
	read := func(name string) string {
		b, err := fs.ReadFile(sys, dir+"/"+name)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	switch read("device") {
	case "":
		return functionsUnknown
	case "0x1002", "0x1004": // virtual functions of ConnectX-2 and ConnectX-3
		return functionsMany
	}
	if _, err := fs.Stat(sys, dir+"/physfn"); err == nil {
		return functionsMany
	}
	if n := read("sriov_numvfs"); n != "" && n != "0" {
		return functionsMany
	}
	return functionsOne
}
