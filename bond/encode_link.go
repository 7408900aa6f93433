// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"encoding/binary"
	"net"
	"strconv"
	"strings"
)

// linkRequest is the body of an RTM_NEWLINK, RTM_GETLINK or RTM_DELLINK
// request. What is zero is left out.
type linkRequest struct {
	// index says which interface it is about, and has the kernel give a new one
	// that index. Where it is 0, name or altName say which, and name is what a
	// new one is called. With an index they are left out, because there a name
	// would mean to rename.
	index         int
	name, altName string

	flags, change uint32
	mac           net.HardwareAddr
	mtu, txQueues int
	// master is the new master, 0 to leave the present one.
	master *int

	// kind says that it is a bond. In a dump, dumpKind asks for bonds only, and
	// dumpMaster for the slaves of that bond.
	kind, dumpKind bool
	dumpMaster     int
	// extMask asks for an answer without counters.
	extMask bool

	// options imply kind.
	options      *Options
	slaveOptions *SlaveOptions
}

// appendLinkRequest appends struct ifinfomsg and the attributes of r. It does not
// allocate where dst has room. On an error, which matches ErrBadValue, dst is
// returned as it was.
func appendLinkRequest(dst []byte, r *linkRequest) ([]byte, error) {
	if err := r.check(); err != nil {
		return dst, err
	}
	dst = append(dst, 0, 0, 0, 0) // AF_UNSPEC, and no type
	dst = binary.NativeEndian.AppendUint32(dst, uint32(r.index))
	dst = binary.NativeEndian.AppendUint32(dst, r.flags)
	dst = binary.NativeEndian.AppendUint32(dst, r.change)

	switch {
	case r.index != 0:
	case r.name != "":
		dst = attrAppendString(dst, iflaIfName, r.name)
	case r.altName != "":
		dst = attrAppendString(dst, iflaAltIfName, r.altName)
	}
	if len(r.mac) > 0 {
		dst = attrAppend(dst, iflaAddress, r.mac)
	}
	if r.mtu != 0 {
		dst = attrAppendNumber(dst, iflaMTU, 4, int64(r.mtu))
	}
	if r.txQueues != 0 {
		dst = attrAppendNumber(dst, iflaNumTxQueues, 4, int64(r.txQueues))
	}
	switch {
	case r.master != nil:
		dst = attrAppendNumber(dst, iflaMaster, 4, int64(*r.master))
	case r.dumpMaster != 0:
		dst = attrAppendNumber(dst, iflaMaster, 4, int64(r.dumpMaster))
	}
	if r.extMask {
		dst = attrAppendNumber(dst, iflaExtMask, 4, rtextFilterSkipStats)
	}
	return r.appendInfo(dst), nil
}

// appendInfo appends IFLA_LINKINFO where there is anything to put into it. The nests
// have no NLA_F_NESTED, as those of the ip command, which every kernel takes. For
// slaves the kernel needs no kind.
func (r *linkRequest) appendInfo(dst []byte) []byte {
	kind := r.kind || r.dumpKind || r.options != nil
	if !kind && r.slaveOptions == nil {
		return dst
	}
	info := len(dst)
	dst = attrHeader(dst, iflaLinkInfo, 0)
	if kind {
		dst = attrAppend(dst, iflaInfoKind, kindBond)
	}
	if r.options != nil {
		data := len(dst)
		dst = r.options.encAppend(attrHeader(dst, iflaInfoData, 0))
		attrNestEnd(dst, data)
	}
	if r.slaveOptions != nil {
		data := len(dst)
		dst = r.slaveOptions.encAppend(attrHeader(dst, iflaInfoSlaveData, 0))
		attrNestEnd(dst, data)
	}
	attrNestEnd(dst, info)
	return dst
}

// check reports the first thing that does not fit.
func (r *linkRequest) check() error {
	bad := func(value, hint string) error {
		return &Error{Op: "encode", Value: value, Hint: hint, Err: ErrBadValue}
	}
	if len(r.name) > ifNameMax || strings.IndexByte(r.name, 0) >= 0 {
		return bad(strconv.Quote(r.name), "the name of an interface has at most 15 bytes and no NUL")
	}
	if len(r.altName) > altNameMax || strings.IndexByte(r.altName, 0) >= 0 {
		return bad(strconv.Quote(r.altName), "the alternative name of an interface has at most 127 bytes and no NUL")
	}
	if len(r.mac) > hwAddrMax {
		return bad(r.mac.String(), "a hardware address has at most 32 bytes")
	}
	master := r.dumpMaster
	if r.master != nil {
		master = *r.master
	}
	for _, n := range [...]int{r.index, master, r.mtu, r.txQueues} {
		if n < 0 || int64(n) > maxInt {
			return bad(strconv.Itoa(n), "an index, MTU or number of queues is 0 to 2147483647")
		}
	}
	if r.options != nil {
		return r.options.encCheck()
	}
	return nil
}

// optionAtOffset returns the option in whose attribute, or inside it, a request
// has the offset, which counts from the netlink header as in the kernel's
// extended acknowledgements. Body is the request without that header.
func optionAtOffset(body []byte, offset int) (Option, bool) {
	offset -= nlmHeaderLen + ifInfoLen
	if len(body) < ifInfoLen {
		return 0, false
	}
	typ, val, offset := encAttrAt(body[ifInfoLen:], offset)
	if typ != iflaLinkInfo {
		return 0, false
	}
	typ, val, offset = encAttrAt(val, offset)
	if typ != iflaInfoData && typ != iflaInfoSlaveData {
		return 0, false
	}
	t, _, _ := encAttrAt(val, offset)
	opt := Option(min(t, uint16(slaveOption)))
	if typ == iflaInfoSlaveData {
		opt += slaveOption
	}
	return opt, t < uint16(slaveOption) && opt.row() != nil
}

// encAttrAt returns the attribute that has the offset, and the offset in its
// value, less than 0 in its header. The type is 0 where there is none.
func encAttrAt(data []byte, offset int) (typ uint16, val []byte, inside int) {
	for rest := data; len(rest) >= attrHeaderLen && offset >= 0; {
		before := len(rest)
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			break
		}
		if offset < before-len(rest) {
			return typ & attrTypeMask, val, offset - attrHeaderLen
		}
		offset -= before - len(rest)
	}
	return 0, nil, -1
}
