// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// AppendAttrs appends what goes inside IFLA_INFO_DATA to change the options that
// are set, in the order in which the kernel applies them. It appends nothing for the
// zero Options, and does not allocate where dst has room.
//
// Links must have an index, or be zero. A value that does not fit is an *[Error] with
// the option that matches [ErrBadValue], and dst is returned as it was: a
// number out of range, a time that is not a whole number of units, a target of the
// other family (in ARPTargets an IPv4 address mapped to IPv6 too) or with a zone, one that is
// there twice, or more targets than the kernel takes. What the kernel refuses for other reasons is up to
// [Validate].
func (o *Options) AppendAttrs(dst []byte) ([]byte, error) {
	if err := o.encCheck(); err != nil {
		return dst, err
	}
	return o.encAppend(dst), nil
}

// encAppend appends what encCheck has found to be right.
func (o *Options) encAppend(dst []byte) []byte {
	for i := range optionTable {
		row := &optionTable[i]
		if row.ReadOnly {
			break
		}
		if !o.Has(row.Option) {
			continue
		}
		switch row.Option {
		case OptionActiveSlave:
			dst = attrAppendNumber(dst, row.Attr, row.Size, int64(o.Active.Index))
		case OptionPrimary:
			dst = attrAppendNumber(dst, row.Attr, row.Size, int64(o.Primary.Index))
		case OptionARPTargets:
			dst = encTargets(dst, row.Attr, o.ARPTargets)
		case OptionNSTargets:
			dst = encTargets(dst, row.Attr, o.NSTargets)
		case OptionADActorSystem:
			dst = attrAppend(dst, row.Attr, o.ADActorSystem[:])
		default:
			v, _ := o.raw(row.Option)
			dst = attrAppendNumber(dst, row.Attr, row.Size, v)
		}
	}
	return dst
}

// AppendAttrs appends what goes inside IFLA_INFO_SLAVE_DATA; see
// [Options.AppendAttrs]. Every value fits, so the error is nil.
func (o *SlaveOptions) AppendAttrs(dst []byte) ([]byte, error) {
	return o.encAppend(dst), nil
}

func (o *SlaveOptions) encAppend(dst []byte) []byte {
	for _, opt := range slaveSettable {
		if v, ok := o.raw(opt); ok {
			row := opt.row()
			dst = attrAppendNumber(dst, row.Attr, row.Size, v)
		}
	}
	return dst
}

// DecodeAttrs reads what is inside IFLA_INFO_DATA of a request; it is the inverse
// of AppendAttrs. It replaces everything in o. Attributes that are no option that can be set,
// which the kernel ignores, are returned with memory of their own. Targets are in
// the order of the message, and a list without any is empty and not nil.
//
// An error matches [ErrMalformed], or [ErrBadValue] for a bool that is neither 0 nor
// 1, and leaves o zero. Other numbers are not checked.
func (o *Options) DecodeAttrs(data []byte) (unknown []Attr, err error) {
	*o = Options{}
	if unknown, err = o.decodeAttrs(data); err != nil {
		*o = Options{}
		return nil, err
	}
	return unknown, nil
}

func (o *Options) decodeAttrs(data []byte) (unknown []Attr, err error) {
	for rest := data; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			return nil, decMalformed(0)
		}
		t := typ & attrTypeMask
		var row *OptionInfo
		if t < uint16(slaveOption) {
			row = optionRow[t]
		}
		if row == nil || row.ReadOnly {
			unknown, _ = decUnknown(unknown, nil, typ, val)
			continue
		}
		if len(val) < row.Size {
			return nil, decMalformed(row.Option)
		}
		switch row.Option {
		case OptionActiveSlave:
			o.Active = &Link{Index: attrIndex(val)}
		case OptionPrimary:
			o.Primary = &Link{Index: attrIndex(val)}
		case OptionARPTargets:
			o.ARPTargets, ok = decTargets([]netip.Addr{}, val, 4, false)
		case OptionNSTargets:
			o.NSTargets, ok = decTargets([]netip.Addr{}, val, 16, false)
		case OptionADActorSystem:
			o.ADActorSystem = new([6]byte(val))
		default:
			v := attrNumber(row, val)
			if row.Kind == KindBool && v > 1 {
				return nil, &Error{Op: "decode", Option: row.Option, Value: strconv.FormatInt(v, 10), Err: ErrBadValue}
			}
			o.setRaw(row.Option, v)
		}
		if !ok {
			return nil, decMalformed(row.Option)
		}
	}
	return unknown, nil
}

// DecodeAttrs reads what is inside IFLA_INFO_SLAVE_DATA of a request; see
// [Options.DecodeAttrs].
func (o *SlaveOptions) DecodeAttrs(data []byte) (unknown []Attr, err error) {
	*o = SlaveOptions{}
	for rest := data; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			*o = SlaveOptions{}
			return nil, decMalformed(0)
		}
		t := typ & attrTypeMask
		var row *OptionInfo
		if t < uint16(slaveOption) {
			row = optionRow[uint16(slaveOption)+t]
		}
		if row == nil || row.ReadOnly {
			unknown, _ = decUnknown(unknown, nil, typ, val)
			continue
		}
		if len(val) < row.Size {
			*o = SlaveOptions{}
			return nil, decMalformed(row.Option)
		}
		o.setRaw(row.Option, attrNumber(row, val))
	}
	return unknown, nil
}

// encTargets appends a list of targets. The type of an entry is its place.
func encTargets(dst []byte, typ uint16, targets []netip.Addr) []byte {
	start := len(dst)
	dst = attrHeader(dst, typ, 0)
	for i, a := range targets {
		if a.Is4() {
			b := a.As4()
			dst = attrAppend(dst, uint16(i), b[:])
		} else {
			b := a.As16()
			dst = attrAppend(dst, uint16(i), b[:])
		}
	}
	attrNestEnd(dst, start)
	return dst
}

// encCheck reports the first value that does not fit.
func (o *Options) encCheck() error {
	for i := range optionTable {
		row := &optionTable[i]
		if row.ReadOnly {
			break
		}
		if !o.Has(row.Option) {
			continue
		}
		var err error
		switch row.Kind {
		case KindLink:
			if row.Option == OptionActiveSlave {
				err = encCheckLink(row, *o.Active)
			} else {
				err = encCheckLink(row, *o.Primary)
			}
		case KindIPv4List:
			err = encCheckTargets(row, o.ARPTargets)
		case KindIPv6List:
			err = encCheckTargets(row, o.NSTargets)
		case KindMAC:
		case KindDuration:
			if d, _ := o.duration(row.Option); d%time.Duration(row.Unit) != 0 {
				err = encBad(row, d.String(), "a whole number of "+textUnit(row))
			} else if n := int64(d) / row.Unit; n < row.Min || n > row.Max {
				err = encBad(row, d.String(), textRange(row))
			}
		default:
			if v, _ := o.raw(row.Option); v < row.Min || v > row.Max {
				err = encBad(row, strconv.FormatInt(v, 10), textRange(row))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func encCheckLink(row *OptionInfo, l Link) error {
	switch {
	case l.Index == 0 && l.Name != "":
		return encBad(row, l.Name, "the index of the interface must be found first")
	case int64(l.Index) < 0 || int64(l.Index) > row.Max:
		return encBad(row, l.String(), "not the index of an interface")
	}
	return nil
}

func encCheckTargets(row *OptionInfo, targets []netip.Addr) error {
	if len(targets) > int(row.Max) {
		return encBad(row, strconv.Itoa(len(targets))+" targets", "at most "+strconv.FormatInt(row.Max, 10))
	}
	for i, a := range targets {
		switch {
		case row.Kind == KindIPv4List && !a.Is4():
			return encBad(row, a.String(), "not an IPv4 address")
		case row.Kind == KindIPv6List && !a.Is6():
			return encBad(row, a.String(), "not an IPv6 address")
		case a.Zone() != "":
			return encBad(row, a.String(), "the kernel takes no zone")
		}
		if slices.Contains(targets[:i], a) {
			return encBad(row, a.String(), "twice in the list")
		}
	}
	return nil
}

// encBad returns the error of a value that does not fit.
func encBad(row *OptionInfo, value, hint string) error {
	return &Error{Op: "encode", Option: row.Option, Value: value, Hint: hint, Err: ErrBadValue}
}
