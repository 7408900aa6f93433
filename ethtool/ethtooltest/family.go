// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"fmt"
	"slices"
	"syscall"

	"github.com/bondkit/bondkit/ethtool"
)

// Numbers of <linux/ethtool_netlink.h>.
const (
	cmdStrsetGet    = 1
	cmdLinkInfoGet  = 2
	cmdLinkStateGet = 6
	cmdFeaturesGet  = 11
	cmdFeaturesSet  = 12
	cmdPrivFlagsGet = 13
	cmdPrivFlagsSet = 14

	cmdStrsetReply      = 1
	cmdLinkInfoReply    = 2
	cmdLinkStateReply   = 6
	cmdFeaturesReply    = 11
	cmdFeaturesSetReply = 12
	cmdFeaturesNtf      = 13
	cmdPrivFlagsReply   = 14
	cmdPrivFlagsNtf     = 15

	attrHeader = 1 // of every command

	headerIndex = 1
	headerName  = 2
	headerFlags = 3

	flagCompact   = 1
	flagOmitReply = 2
	flagStats     = 4

	linkInfoPort = 2

	linkStateLink      = 2
	linkStateSQI       = 3
	linkStateSQIMax    = 4
	linkStateExt       = 5
	linkStateSubstate  = 6
	linkStateDownCount = 7

	featuresHW       = 2
	featuresWanted   = 3
	featuresActive   = 4
	featuresNoChange = 5

	privFlagsFlags = 2

	strsetSets     = 2
	strsetCounts   = 3
	stringSetsSet  = 1
	stringSetID    = 1
	stringSetCount = 2
	stringSetTexts = 3
	stringsString  = 1
	stringIndex    = 1
	stringValue    = 2
)

// ethtoolCommand is one command of the family ethtool.
type ethtoolCommand struct {
	name  string
	since version
	write bool
}

var ethtoolCommands = map[uint8]ethtoolCommand{
	cmdStrsetGet:    {"ETHTOOL_MSG_STRSET_GET", versionEthtool, false},
	cmdLinkInfoGet:  {"ETHTOOL_MSG_LINKINFO_GET", versionEthtool, false},
	cmdLinkStateGet: {"ETHTOOL_MSG_LINKSTATE_GET", versionEthtool, false},
	cmdFeaturesGet:  {"ETHTOOL_MSG_FEATURES_GET", versionPrivFlags, false},
	cmdFeaturesSet:  {"ETHTOOL_MSG_FEATURES_SET", versionPrivFlags, true},
	cmdPrivFlagsGet: {"ETHTOOL_MSG_PRIVFLAGS_GET", versionPrivFlags, false},
	cmdPrivFlagsSet: {"ETHTOOL_MSG_PRIVFLAGS_SET", versionPrivFlags, true},
}

// genericCall describes a request of generic netlink.
func (k *Kernel) genericCall(req ethtool.Request) Call {
	c := Call{Name: fmt.Sprint(req.Family, " ", req.Command), Dump: req.Dump, Data: req.Attrs}
	switch req.Family {
	case ethtool.FamilyEthtool:
		if cmd, ok := ethtoolCommands[req.Command]; ok {
			c.Name, c.Write = cmd.name, cmd.write
		}
		h := collect(collect(req.Attrs)[attrHeader].data)
		c.Link = ethtool.Link{Index: int(int32(h[headerIndex].number())), Name: h[headerName].text()}
	case ethtool.FamilyDevlink:
		if name, ok := devlinkCommands[req.Command]; ok {
			c.Name = name
		}
	}
	return c
}

// linkHeader is what is in the header of a request about one interface.
func linkHeader(link ethtool.Link) []byte {
	var b []byte
	if link.Index != 0 {
		b = appendU32(b, headerIndex, uint32(link.Index))
	}
	if link.Name != "" {
		b = appendText(b, headerName, link.Name)
	}
	return b
}

// header is what the header of a request says.
type header struct {
	n     *nic // nil in a dump
	flags uint32
}

// parseHeader is ethnl_parse_header_dev_get of the kernel's net/ethtool/netlink.c.
func (k *Kernel) parseHeader(req ethtool.Request) (header, error) {
	nest, ok := collect(req.Attrs)[attrHeader]
	if !ok {
		if req.Dump {
			return header{}, nil
		}
		return header{}, explain(syscall.EINVAL, "request header missing")
	}
	tb := collect(nest.data)
	h := header{flags: tb[headerFlags].number()}
	index, hasIndex := tb[headerIndex]
	name, hasName := tb[headerName]
	switch {
	case hasIndex:
		h.n = k.byIndex(int(int32(index.number())))
		if h.n == nil {
			return header{}, explain(syscall.ENODEV, "no device matches ifindex")
		}
		if hasName && name.text() != h.n.name {
			return header{}, explain(syscall.ENODEV, "ifindex and name do not match")
		}
	case hasName:
		if h.n = k.byName(name.text()); h.n == nil {
			return header{}, explain(syscall.ENODEV, "no device matches name")
		}
	case !req.Dump:
		return header{}, explain(syscall.EINVAL, "neither ifindex nor name specified")
	}
	if h.n != nil && h.n.Away && !k.version.has(versionAwaySilent) {
		return header{}, explain(syscall.ENODEV, "device not present")
	}
	return h, nil
}

// ethtoolFamily answers a request of the family ethtool.
func (k *Kernel) ethtoolFamily(admin bool, req ethtool.Request) ([]ethtool.Message, error) {
	cmd, ok := ethtoolCommands[req.Command]
	if !ok || !k.version.has(cmd.since) {
		return nil, fmt.Errorf("%w: the family ethtool has no command %d", ethtool.ErrKernelTooOld, req.Command)
	}
	if cmd.write && !admin {
		return nil, refuse(syscall.EPERM)
	}
	if cmd.write && req.Dump {
		return nil, refuse(syscall.EOPNOTSUPP)
	}
	h, err := k.parseHeader(req)
	if err != nil {
		return nil, err
	}
	switch req.Command {
	case cmdPrivFlagsSet:
		return nil, k.setPrivFlags(h.n, req)
	case cmdFeaturesSet:
		return k.setFeatures(h, req)
	}
	if req.Command == cmdStrsetGet && !req.Dump {
		return []ethtool.Message{{Command: cmdStrsetReply, Attrs: h.n.appendStrings(req)}}, nil
	}
	if !req.Dump {
		m, err := k.answer(h.n, h.flags, req.Command)
		if err != nil {
			return nil, err
		}
		return []ethtool.Message{m}, nil
	}
	if req.Command == cmdStrsetGet {
		return nil, refuse(syscall.EOPNOTSUPP)
	}
	var all []ethtool.Message
	for _, n := range k.nics {
		m, err := k.answer(n, h.flags, req.Command)
		switch {
		case err == nil:
			all = append(all, m)
		case err.Errno != syscall.EOPNOTSUPP:
			// One device that is away ends the dump for all (ethnl_default_dumpit).
			return nil, err
		}
	}
	return all, nil
}

// answer is the answer about one interface.
func (k *Kernel) answer(n *nic, flags uint32, command uint8) (ethtool.Message, *ethtool.KernelError) {
	compact := flags&flagCompact != 0
	b := appendNest(nil, attrHeader, linkHeader(ethtool.Link{Index: n.Index, Name: n.name}))
	m := ethtool.Message{}
	away := func() *ethtool.KernelError {
		if n.Away {
			return refuse(syscall.ENODEV)
		}
		return nil
	}
	switch command {
	case cmdPrivFlagsGet:
		if n.PrivateFlags == nil {
			return m, refuse(syscall.EOPNOTSUPP)
		}
		m = ethtool.Message{Command: cmdPrivFlagsReply, Attrs: n.appendFlags(nil, compact)}
	case cmdLinkInfoGet:
		if n.Port == nil {
			return m, refuse(syscall.EOPNOTSUPP)
		}
		m = ethtool.Message{Command: cmdLinkInfoReply, Attrs: appendU8(b, linkInfoPort, uint8(*n.Port))}
	case cmdLinkStateGet:
		m = ethtool.Message{Command: cmdLinkStateReply, Attrs: k.appendLinkState(b, n, flags)}
	case cmdFeaturesGet:
		m = ethtool.Message{Command: cmdFeaturesReply, Attrs: n.appendFeatures(b, compact)}
		return m, nil // It needs no device.
	}
	return m, away()
}

// appendLinkState appends what is in a LINKSTATE_GET_REPLY besides the header
// (linkstate_fill_reply).
func (k *Kernel) appendLinkState(b []byte, n *nic, flags uint32) []byte {
	l := n.Link
	if !l.Unknown {
		b = appendU8(b, linkStateLink, bit(n.running()))
	}
	if l.HasSQI && n.running() && l.SQI <= l.SQIMax {
		b = appendU32(appendU32(b, linkStateSQI, l.SQI), linkStateSQIMax, l.SQIMax)
	}
	if l.HasState && !n.Down && k.version.has(versionExtState) {
		b = appendU8(b, linkStateExt, l.State)
		if l.Substate != 0 {
			b = appendU8(b, linkStateSubstate, l.Substate)
		}
	}
	if l.HasDownCount && flags&flagStats != 0 && k.version.has(versionDownCount) {
		b = appendU32(b, linkStateDownCount, l.DownCount)
	}
	return b
}

func (n *nic) flagNames() []string {
	names := make([]string, len(n.PrivateFlags))
	for i, f := range n.PrivateFlags {
		names[i] = f.Name
	}
	return names
}

func (n *nic) flagBits() []bool {
	bits := make([]bool, len(n.PrivateFlags))
	for i, f := range n.PrivateFlags {
		bits[i] = f.On
	}
	return bits
}

// appendFlags appends a PRIVFLAGS_GET_REPLY. With more than 32 flags, the kernel
// tells the first 32.
func (n *nic) appendFlags(b []byte, compact bool) []byte {
	b = appendNest(b, attrHeader, linkHeader(ethtool.Link{Index: n.Index, Name: n.name}))
	names, bits := n.flagNames(), n.flagBits()
	count := min(len(bits), 32)
	mask := slices.Repeat([]bool{true}, count)
	return appendBitset(b, privFlagsFlags, bitset{names: names[:count], value: bits[:count], mask: mask}, compact)
}

// appendStrings appends a STRSET_GET_REPLY, in which the only set of strings are the private
// flags.
func (n *nic) appendStrings(req ethtool.Request) []byte {
	b := appendNest(nil, attrHeader, linkHeader(ethtool.Link{Index: n.Index, Name: n.name}))
	tb := collect(req.Attrs)
	_, countsOnly := tb[strsetCounts]
	var sets []byte
	for a := range attrs(tb[strsetSets].data) {
		if a.typ != stringSetsSet || collect(a.data)[stringSetID].number() != setPrivFlags || n.PrivateFlags == nil {
			continue
		}
		set := appendU32(nil, stringSetID, setPrivFlags)
		set = appendU32(set, stringSetCount, uint32(len(n.PrivateFlags)))
		if !countsOnly {
			var texts []byte
			for i, f := range n.PrivateFlags {
				texts = appendNest(texts, stringsString, appendText(appendU32(nil, stringIndex, uint32(i)), stringValue, f.Name))
			}
			set = appendNest(set, stringSetTexts, texts)
		}
		sets = appendNest(sets, stringSetsSet, set)
	}
	return appendNest(b, strsetSets, sets)
}

// setPrivFlags is ethnl_set_privflags of the kernel's net/ethtool/privflags.c.
func (k *Kernel) setPrivFlags(n *nic, req ethtool.Request) error {
	nest, ok := collect(req.Attrs)[privFlagsFlags]
	if !ok {
		return refuse(syscall.EINVAL)
	}
	if n.PrivateFlags == nil {
		return refuse(syscall.EOPNOTSUPP)
	}
	if n.Away {
		return refuse(syscall.ENODEV)
	}
	want := n.flagBits()
	changed, err := updateBitset(want, n.flagNames(), nest)
	if err != nil {
		return err
	}
	if !changed {
		return nil
	}
	if err := k.driverSetFlags(n, want); err != nil {
		return err
	}
	k.notifyFlags(n)
	return nil
}

// driverSetFlags is the driver's set_priv_flags, with k.mu held. One flag of which a change is
// refused keeps all from changing.
func (k *Kernel) driverSetFlags(n *nic, want []bool) error {
	resets := false
	for i, f := range n.PrivateFlags {
		if want[i] == f.On {
			continue
		}
		switch {
		case f.Errno != 0 && (want[i] || !f.OnlyOn):
			return refuse(f.Errno)
		case f.BusyUp && !n.Down:
			return refuse(syscall.EBUSY)
		}
		resets = resets || f.Resets && !k.inert(f)
	}
	for i := range n.PrivateFlags {
		f := &n.PrivateFlags[i]
		if want[i] == f.On || f.Lies {
			continue
		}
		if f.On = want[i]; !k.inert(*f) {
			n.effect[i] = f.On
		}
	}
	if resets {
		k.flap(n)
	}
	return nil
}

// inert reports whether this kernel forgets to tell the hardware of a flag.
func (k *Kernel) inert(f Flag) bool {
	return (f.InertSince != "" || f.InertUntil != "") && k.version.within(f.InertSince, f.InertUntil)
}

func (n *nic) featureSets() (names []string, hw, active []bool) {
	for _, f := range n.Features {
		names = append(names, f.Name)
		hw = append(hw, !f.Fixed)
		active = append(active, f.On)
	}
	return names, hw, active
}

// appendFeatures appends what is in a FEATURES_GET_REPLY besides the header.
func (n *nic) appendFeatures(b []byte, compact bool) []byte {
	names, hw, active := n.featureSets()
	wanted := slices.Clone(active)
	for i := range wanted {
		wanted[i] = wanted[i] && hw[i]
	}
	b = appendBitset(b, featuresHW, bitset{names: names, value: hw}, compact)
	b = appendBitset(b, featuresWanted, bitset{names: names, value: wanted}, compact)
	b = appendBitset(b, featuresActive, bitset{names: names, value: active}, compact)
	return appendBitset(b, featuresNoChange, bitset{names: names, value: make([]bool, len(names))}, compact)
}

// setFeatures is ethnl_set_features of the kernel's net/ethtool/features.c. The reply has what
// was asked for and not done, and what was done.
func (k *Kernel) setFeatures(h header, req ethtool.Request) ([]ethtool.Message, error) {
	nest, ok := collect(req.Attrs)[featuresWanted]
	if !ok {
		return nil, refuse(syscall.EINVAL)
	}
	n := h.n
	names, hw, before := n.featureSets()
	want := slices.Clone(before)
	if _, err := updateBitset(want, names, nest); err != nil {
		return nil, err
	}
	after := slices.Clone(before)
	undone, done := make([]bool, len(want)), make([]bool, len(want))
	for i := range want {
		if want[i] != before[i] && hw[i] {
			after[i], done[i] = want[i], true
		}
		undone[i] = want[i] != after[i]
		n.Features[i].On = after[i]
	}
	header := appendNest(nil, attrHeader, linkHeader(ethtool.Link{Index: n.Index, Name: n.name}))
	if !slices.Equal(before, after) {
		k.send(ethtool.FamilyEthtool, ethtool.Message{Command: cmdFeaturesNtf, Attrs: n.appendFeatures(slices.Clone(header), true)})
	}
	if h.flags&flagOmitReply != 0 {
		return nil, nil
	}
	compact := h.flags&flagCompact != 0
	b := appendBitset(header, featuresWanted, bitset{names: names, value: want, mask: undone}, compact)
	b = appendBitset(b, featuresActive, bitset{names: names, value: after, mask: done}, compact)
	return []ethtool.Message{{Command: cmdFeaturesSetReply, Attrs: b}}, nil
}
