// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Things that a machine may be missing, as errors that [MissingError] matches
// with errors.Is.
var (
	// ErrNoTool says that ip, bridge, tc or nft is not installed.
	ErrNoTool = errors.New("command not found")
	// ErrNoPrivilege says that this process may not make network namespaces;
	// [Enter] may help.
	ErrNoPrivilege = errors.New("no privilege to create network namespaces (CAP_SYS_ADMIN and CAP_NET_ADMIN)")
	// ErrNoKernel says that the kernel lacks veth, bridge or nftables for
	// bridges.
	ErrNoKernel = errors.New("not in this kernel")
	// ErrNoBonding says that the kernel has no bonding driver, or that it is
	// not loaded and this process does not load it.
	ErrNoBonding = errors.New("no bonding driver in this kernel")
)

// MissingError lists everything that keeps a lab from being built here. With
// errors.Is it matches ErrNoTool, ErrNoPrivilege, ErrNoKernel and ErrNoBonding as
// they apply.
type MissingError struct {
	// Missing has one error for each thing.
	Missing []error
}

// Error returns the list on one line.
func (e *MissingError) Error() string {
	var parts []string
	for _, err := range e.Missing {
		parts = append(parts, err.Error())
	}
	return "lab: cannot run here: " + strings.Join(parts, "; ")
}

// Unwrap returns Missing.
func (e *MissingError) Unwrap() []error { return e.Missing }

// Tools are the commands a lab uses: package iproute2 has all but nft, which is in
// package nftables.
var toolNames = []string{"ip", "bridge", "tc", "nft"}

// checkTimeout bounds the commands that [Check] tries.
const checkTimeout = time.Minute

// Check finds out whether labs can be built: it looks for the commands, makes a
// network namespace and tries a veth, a bridge and an nftables rule in it. It
// returns nil or a [*MissingError]. The kernel may load modules for it, as New
// would have it do.
func Check() error {
	var missing []error
	have := make(map[string]bool)
	for _, name := range toolNames {
		if _, err := findTool(name); err != nil {
			missing = append(missing, fmt.Errorf("%s: %w", name, ErrNoTool))
			continue
		}
		have[name] = true
	}
	n, err := scratch()
	if err != nil {
		missing = append(missing, err)
	} else {
		defer n.close()
		missing = append(missing, n.tryKernel(have)...)
	}
	if len(missing) == 0 {
		return nil
	}
	return &MissingError{Missing: missing}
}

// HasBonding reports whether the kernel can make a bond: nil, or an error that
// matches ErrNoBonding, or ErrNoPrivilege or ErrNoTool when that cannot be tried.
//
// Loading the driver can make a bond0 in the machine's own network, so neither
// HasBonding nor [New] has it loaded: without the module the answer is
// ErrNoBonding, with the command that loads it safely.
func HasBonding() error {
	if err := bondingLoaded(); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	if _, err := findTool("ip"); err != nil {
		return fmt.Errorf("lab: ip: %w", ErrNoTool)
	}
	n, err := scratch()
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	defer n.close()
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	if err := n.ip(ctx, "link add name try0 type bond"); err != nil {
		return fmt.Errorf("lab: %w: %w", ErrNoBonding, err)
	}
	return nil
}

// bondingLoaded reports whether the bonding driver is there without loading it.
func bondingLoaded() error {
	if _, err := os.Stat("/sys/module/bonding"); err != nil {
		return fmt.Errorf("%w, or not loaded (modprobe bonding max_bonds=0)", ErrNoBonding)
	}
	return nil
}

// scratch makes a namespace to try things in.
func scratch() (*Namespace, error) {
	f, err := newNetNS(func() error { return nil })
	switch {
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%w: %w", ErrNoPrivilege, err)
	case err != nil:
		return nil, err
	}
	return &Namespace{lab: &Lab{trace: new(tracer)}, name: "scratch", file: f}, nil
}

// tryKernel tries what the kernel must have, as far as the commands are there.
func (n *Namespace) tryKernel(have map[string]bool) []error {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	var missing []error
	try := func(what, input string, args ...string) {
		_, err := n.run(ctx, input, nil, args...)
		if err == nil {
			return
		}
		detail := err.Error()
		if c, ok := errors.AsType[*CommandError](err); ok && c.Stderr != "" {
			detail, _, _ = strings.Cut(c.Stderr, "\n")
		}
		missing = append(missing, fmt.Errorf("%s: %w (%s)", what, ErrNoKernel, detail))
	}
	links := []struct{ what, line string }{
		{"veth", "link add name try1 type veth peer name try2\n"},
		{"bridge", "link add name try3 type bridge mcast_snooping 0\n"},
	}
	// One command for the usual case; one for each where it goes wrong.
	if have["ip"] && n.ip(ctx, links[0].line+links[1].line) != nil {
		for _, link := range links {
			try(link.what, strings.ReplaceAll(link.line, "try", "again"), "ip", "-batch", "-")
		}
	}
	if have["nft"] {
		try("nftables for bridges", "table bridge try {\nchain c {\ntype filter hook forward priority 0;\n"+
			"numgen random mod 10 < 1 counter drop\n}\n}\n", "nft", "-f", "-")
	}
	return missing
}
