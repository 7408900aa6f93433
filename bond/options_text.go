// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// SetText sets an option to what the text means:
//
//   - for words (KindEnum) the kernel's word, its number, or what String of the type returns
//   - for a time a number in the kernel's unit ("100"), or with a unit of its own
//     ("100ms", "1s")
//   - for a bool on, off, true, false, 1 or 0
//   - for addresses any number of them with commas between; the empty text clears the list
//   - for a link its name, or "#" and its index; the empty text clears the
//     option
//   - for a hardware address its bytes in hexadecimal with colons
//
// What does not fit the option's type is an error, for which errors.Is finds
// ErrBadValue, and o stays as it was. The range of the kernel and its other rules
// are left to [Validate].
func (o *Options) SetText(opt Option, text string) error {
	row, err := textRow(opt, text, false)
	if err != nil {
		return err
	}
	switch row.Kind {
	case KindLink:
		l, err := textParseLink(text)
		if err != nil {
			return textError(opt, text, err.Error())
		}
		o.setLink(opt, l)
	case KindIPv4List, KindIPv6List:
		list, err := textParseAddrs(row.Kind, text)
		if err != nil {
			return textError(opt, text, err.Error())
		}
		o.setAddrs(opt, list)
	case KindMAC:
		mac, err := net.ParseMAC(text)
		if err != nil || len(mac) != 6 {
			return textError(opt, text, "a hardware address such as 02:00:00:00:00:01, or 00:00:00:00:00:00 for that of the bond")
		}
		o.ADActorSystem = new([6]byte(mac))
	default:
		v, err := textParseNumber(row, text)
		if err != nil {
			return err
		}
		o.setRaw(opt, v)
	}
	return nil
}

// Text returns the value of an option in the kernel's words, as SetText reads it, and
// the empty string for one that is not set or is cleared. A time that is not a
// whole number of the kernel's units, which Validate refuses, is returned with a unit.
func (o *Options) Text(opt Option) string {
	if !o.Has(opt) {
		return ""
	}
	switch opt {
	case OptionActiveSlave:
		return textLink(*o.Active)
	case OptionPrimary:
		return textLink(*o.Primary)
	case OptionARPTargets:
		return textAddrs(o.ARPTargets)
	case OptionNSTargets:
		return textAddrs(o.NSTargets)
	case OptionADActorSystem:
		return net.HardwareAddr(o.ADActorSystem[:]).String()
	}
	if d, ok := o.duration(opt); ok && d%time.Duration(opt.row().Unit) != 0 {
		return d.String()
	}
	v, _ := o.raw(opt)
	return textNumber(opt.row(), v)
}

// SetText sets an option to what the text means; see [Options.SetText].
func (o *SlaveOptions) SetText(opt Option, text string) error {
	row, err := textRow(opt, text, true)
	if err != nil {
		return err
	}
	v, err := textParseNumber(row, text)
	if err != nil {
		return err
	}
	o.setRaw(opt, v)
	return nil
}

// Text returns the value of an option, and the empty string for one that is not set.
func (o *SlaveOptions) Text(opt Option) string {
	v, ok := o.raw(opt)
	if !ok {
		return ""
	}
	return textNumber(opt.row(), v)
}

// Text returns the value of an option in the kernel's words, as [Options.Text]
// does, and the empty string for what the kernel did not say.
func (b *Bond) Text(opt Option) string {
	if !b.Has(opt) {
		return ""
	}
	switch opt {
	case OptionActiveSlave:
		return textLink(b.Active)
	case OptionPrimary:
		return textLink(b.Primary)
	case OptionARPTargets:
		return textAddrs(b.ARPTargets)
	case OptionNSTargets:
		return textAddrs(b.NSTargets)
	case OptionADActorSystem:
		return net.HardwareAddr(b.ADActorSystem[:]).String()
	case OptionADInfo:
		return fmt.Sprintf("aggregator %d ports %d actor_key %d partner_key %d partner_mac %s",
			b.AD.AggregatorID, b.AD.Ports, b.AD.ActorKey, b.AD.PartnerKey, net.HardwareAddr(b.AD.PartnerMAC[:]))
	}
	if row := opt.row(); row != nil {
		return textNumber(row, b.raw(opt))
	}
	return ""
}

// Text returns the value of an option in the kernel's words, the LACP port states as
// [PortState.String], and the empty string for what the kernel did not say.
func (s *Slave) Text(opt Option) string {
	if !s.Has(opt) {
		return ""
	}
	switch opt {
	case OptionPermMAC:
		return s.PermMAC.String()
	case OptionActorPortState:
		return s.ActorPortState.String()
	case OptionPartnerPortState:
		return s.PartnerPortState.String()
	}
	if row := opt.row(); row != nil {
		return textNumber(row, s.raw(opt))
	}
	return ""
}

// textRow returns the row of an option that can be set on a bond or on a slave.
func textRow(opt Option, text string, slave bool) (*OptionInfo, error) {
	row := opt.row()
	switch {
	case row == nil:
		return nil, textError(opt, text, "not an option of a bond or of a slave")
	case row.ReadOnly:
		return nil, textError(opt, text, "it cannot be set")
	case row.Slave && !slave:
		return nil, textError(opt, text, "it is an option of a slave")
	case !row.Slave && slave:
		return nil, textError(opt, text, "it is an option of a bond")
	}
	return row, nil
}

func textError(opt Option, text, hint string) error {
	return &Error{Op: "parse", Option: opt, Value: strconv.Quote(text), Err: ErrBadValue, Hint: hint}
}

// setLink and setAddrs are to the options that are no number what setRaw is to
// the others.
func (o *Options) setLink(opt Option, l Link) {
	switch opt {
	case OptionActiveSlave:
		o.Active = new(l)
	case OptionPrimary:
		o.Primary = new(l)
	}
}

func (o *Options) setAddrs(opt Option, list []netip.Addr) {
	switch opt {
	case OptionARPTargets:
		o.ARPTargets = list
	case OptionNSTargets:
		o.NSTargets = list
	}
}

// duration returns the time that an option is set to.
func (o *Options) duration(opt Option) (time.Duration, bool) {
	var d *time.Duration
	switch opt {
	case OptionMIIMon:
		d = o.MIIMon
	case OptionUpDelay:
		d = o.UpDelay
	case OptionDownDelay:
		d = o.DownDelay
	case OptionPeerNotifDelay:
		d = o.PeerNotifDelay
	case OptionARPInterval:
		d = o.ARPInterval
	case OptionLPInterval:
		d = o.LPInterval
	}
	if d == nil {
		return 0, false
	}
	return *d, true
}

// textNumber returns the text of a number on the wire.
func textNumber(row *OptionInfo, v int64) string {
	switch row.Kind {
	case KindEnum:
		switch row.Option {
		case OptionActorChurn, OptionPartnerChurn:
			return ChurnState(v).String()
		}
		return enumString(row.Name, row.Words, uint32(v))
	case KindBool:
		if v != 0 {
			return "on"
		}
		return "off"
	}
	return strconv.FormatInt(v, 10)
}

// textParseNumber reads the number on the wire of an option that has one.
func textParseNumber(row *OptionInfo, text string) (int64, error) {
	switch row.Kind {
	case KindEnum:
		v, err := textParseEnum(row.Option, text)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				err = textError(row.Option, text, e.Hint)
			}
			return 0, err
		}
		return v, nil
	case KindBool:
		switch text {
		case "on", "true", "1":
			return 1, nil
		case "off", "false", "0":
			return 0, nil
		}
		return 0, textError(row.Option, text, "on or off")
	}
	low, high := int64(0), int64(math.MaxUint32)
	switch {
	case row.Kind == KindInt:
		low, high = math.MinInt32, math.MaxInt32
	case row.Size < 4:
		high = 1<<(8*row.Size) - 1
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil && row.Kind == KindDuration {
		var d time.Duration
		if d, err = time.ParseDuration(text); err == nil {
			if d%time.Duration(row.Unit) != 0 {
				return 0, textError(row.Option, text, "the kernel counts it in units of "+time.Duration(row.Unit).String())
			}
			v = int64(d) / row.Unit
		}
	}
	if err != nil || v < low || v > high {
		return 0, textError(row.Option, text, textRange(row))
	}
	return v, nil
}

// textRange says which values an option takes, for hints.
func textRange(row *OptionInfo) string {
	switch row.Kind {
	case KindEnum:
		return "one of " + strings.Join(row.Words, ", ")
	case KindBool:
		return "on or off"
	case KindDuration:
		return fmt.Sprintf("%d to %d %s", row.Min, row.Max, textUnit(row))
	}
	return fmt.Sprintf("%d to %d", row.Min, row.Max)
}

// textUnit returns the unit of a time in words.
func textUnit(row *OptionInfo) string {
	if row.Unit == secUnit {
		return "seconds"
	}
	return "milliseconds"
}

// textParseEnum reads the word of an option, or its number.
func textParseEnum(opt Option, text string) (int64, error) {
	switch opt {
	case OptionMode:
		return textEnum(ParseMode(text))
	case OptionARPValidate:
		return textEnum(ParseARPValidate(text))
	case OptionARPAllTargets:
		return textEnum(ParseARPAllTargets(text))
	case OptionPrimaryReselect:
		return textEnum(ParsePrimaryReselect(text))
	case OptionFailOverMAC:
		return textEnum(ParseFailOverMAC(text))
	case OptionXmitHashPolicy:
		return textEnum(ParseXmitHashPolicy(text))
	case OptionLACPRate:
		return textEnum(ParseLACPRate(text))
	case OptionADSelect:
		return textEnum(ParseADSelect(text))
	}
	return 0, textError(opt, text, "it has no words")
}

func textEnum[T enum](v T, err error) (int64, error) { return int64(v), err }

// textLink returns the name of a link, or "#" and the index.
func textLink(l Link) string {
	if l.IsZero() {
		return ""
	}
	return l.String()
}

// textParseLink reads a link. A name that looks like "#5" is taken for an index.
func textParseLink(text string) (Link, error) {
	if text == "" {
		return Link{}, nil
	}
	if digits, ok := strings.CutPrefix(text, "#"); ok {
		if n, err := strconv.ParseUint(digits, 10, 31); err == nil && n > 0 {
			return Link{Index: int(n)}, nil
		}
	}
	if !textIsName(text) {
		return Link{}, errors.New("not the name of an interface")
	}
	return Link{Name: text}, nil
}

// textIsName reports whether an interface may have the name, or the alternative
// name (dev_valid_name in the kernel's net/core/dev.c, and ALTIFNAMSIZ).
func textIsName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) < 128 &&
		!strings.ContainsAny(name, "/:\x00 \t\n\v\f\r")
}

// textAddrs returns addresses with commas between them.
func textAddrs(list []netip.Addr) string {
	var b []byte
	for i, a := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.AppendTo(b)
	}
	return string(b)
}

// textParseAddrs reads addresses of one family. The list is never nil.
func textParseAddrs(kind Kind, text string) ([]netip.Addr, error) {
	list := []netip.Addr{}
	if strings.TrimSpace(text) == "" {
		return list, nil
	}
	for s := range strings.SplitSeq(text, ",") {
		a, err := textParseAddr(kind, strings.TrimSpace(s))
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// textParseAddr reads one address.
func textParseAddr(kind Kind, s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		return a, fmt.Errorf("%q is not an IP address", s)
	case kind == KindIPv4List && !a.Is4():
		return a, fmt.Errorf("%s is not an IPv4 address; IPv6 targets go into %s", a, OptionNSTargets)
	case kind == KindIPv6List && !a.Is6():
		return a, fmt.Errorf("%s is not an IPv6 address; IPv4 targets go into %s", a, OptionARPTargets)
	case a.Zone() != "":
		return a, fmt.Errorf("%s has a zone, which the kernel does not take", a)
	}
	return a, nil
}
