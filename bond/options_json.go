// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"
)

// MarshalJSON returns an object with the options that are set, in the order in
// which the kernel applies them. The keys are the kernel's names. The values are
//
//   - for KindEnum the kernel's word
//   - for a time the number of the kernel's units, or a string with a unit where it is not
//     a whole number of them, which the kernel does not take
//   - true and false for a bool, and a number for a number
//   - an array of strings for addresses, empty for a list that is to be cleared
//   - the name of a link as [EscapeName] returns it, with \x23 for a # at its beginning; "#" and
//     the index where it has no name; and "" for no interface
//   - the bytes of a hardware address in hexadecimal with colons
func (o Options) MarshalJSON() ([]byte, error) {
	w := newJSONWriter()
	for opt := range o.All() {
		w.option(&o, opt)
	}
	return w.end(), nil
}

// UnmarshalJSON replaces all options with those of an object as MarshalJSON returns
// it. An option that is not in it, or null, is one that is left alone. Read are
// also any name that [ParseOption] reads and any text that [Options.SetText] reads:
// numbers for words and bools, times with a unit.
//
// A key that is no option, or is there twice, is an error, as is a value that does
// not fit; it is an *[Error] that matches ErrBadValue, and o stays as it was.
func (o *Options) UnmarshalJSON(data []byte) error {
	var read Options
	ok, err := jsonObject("parse options", data, func(key string, raw json.RawMessage) error {
		opt, err := jsonOption(key, false)
		if err != nil || raw == nil {
			return err
		}
		if read.Has(opt) {
			return jsonTwice(opt)
		}
		if raw[0] == '[' {
			return read.jsonList(opt, raw)
		}
		text, err := jsonText(opt, raw)
		if err != nil {
			return err
		}
		if opt.row().Kind == KindLink {
			return read.jsonLink(opt, text)
		}
		return read.SetText(opt, text)
	})
	if err == nil && ok {
		*o = read
	}
	return err
}

// MarshalJSON returns an object with the options that are set; see [Options.MarshalJSON].
func (o SlaveOptions) MarshalJSON() ([]byte, error) {
	w := newJSONWriter()
	for i := range optionTable {
		row := &optionTable[i]
		if v, ok := o.raw(row.Option); ok {
			w.key(row.Name)
			w.number(v)
		}
	}
	return w.end(), nil
}

// UnmarshalJSON replaces all options; see [Options.UnmarshalJSON].
func (o *SlaveOptions) UnmarshalJSON(data []byte) error {
	var read SlaveOptions
	ok, err := jsonObject("parse options of a slave", data, func(key string, raw json.RawMessage) error {
		opt, err := jsonOption(key, true)
		if err != nil || raw == nil {
			return err
		}
		if read.Has(opt) {
			return jsonTwice(opt)
		}
		text, err := jsonText(opt, raw)
		if err != nil {
			return err
		}
		return read.SetText(opt, text)
	})
	if err == nil && ok {
		*o = read
	}
	return err
}

// jsonOption reads the name of an option.
func jsonOption(key string, slave bool) (Option, error) {
	opt, err := ParseOption(key)
	if err != nil {
		return 0, &Error{Op: "parse", Value: strconv.Quote(key), Err: ErrBadValue, Hint: "there is no such option"}
	}
	_, err = textRow(opt, key, slave)
	return opt, err
}

func jsonTwice(opt Option) error {
	return &Error{Op: "parse", Option: opt, Err: ErrBadValue, Hint: "it is there twice"}
}

// jsonText returns what SetText is to read.
func jsonText(opt Option, raw json.RawMessage) (string, error) {
	row := opt.row()
	switch c := raw[0]; {
	case c == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", textError(opt, string(raw), err.Error())
		}
		return s, nil
	case c == 't' || c == 'f':
		if row.Kind == KindBool {
			return string(raw), nil
		}
	case c == '-' || '0' <= c && c <= '9':
		switch row.Kind {
		case KindEnum, KindBool, KindUint, KindInt, KindDuration:
			return string(raw), nil
		}
	}
	return "", &Error{Op: "parse", Option: opt, Value: jsonShort(raw), Err: ErrBadValue, Hint: "wrong type"}
}

// jsonShort returns the beginning of a value, for an error.
func jsonShort(raw json.RawMessage) string {
	if len(raw) > 40 {
		return string(raw[:40]) + "..."
	}
	return string(raw)
}

// jsonList sets a list of addresses.
func (o *Options) jsonList(opt Option, raw json.RawMessage) error {
	row := opt.row()
	if row.Kind != KindIPv4List && row.Kind != KindIPv6List {
		return &Error{Op: "parse", Option: opt, Value: jsonShort(raw), Err: ErrBadValue, Hint: "wrong type"}
	}
	var words []*string
	if err := json.Unmarshal(raw, &words); err != nil {
		return &Error{Op: "parse", Option: opt, Value: jsonShort(raw), Err: ErrBadValue, Hint: "an array of addresses"}
	}
	list := make([]netip.Addr, 0, len(words))
	for _, w := range words {
		if w == nil {
			return &Error{Op: "parse", Option: opt, Value: "null", Err: ErrBadValue, Hint: "an array of addresses"}
		}
		a, err := textParseAddr(row.Kind, *w)
		if err != nil {
			return textError(opt, *w, err.Error())
		}
		list = append(list, a)
	}
	o.setAddrs(opt, list)
	return nil
}

// jsonNotUTF8 is a hint.
const jsonNotUTF8 = `JSON is UTF-8; any other byte in the name of an interface is written as \\xNN`

// jsonObject calls field for each key of an object, with nil for null. It reports
// false for null in place of the object. The error of field ends it.
func jsonObject(op string, data []byte, field func(key string, raw json.RawMessage) error) (bool, error) {
	malformed := func(err error) error {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return &Error{Op: op, Err: fmt.Errorf("%w: %w", ErrBadValue, err)}
	}
	if !utf8.Valid(data) {
		// The decoder would put U+FFFD into names.
		return false, &Error{Op: op, Err: ErrBadValue, Hint: jsonNotUTF8}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	t, err := d.Token()
	switch {
	case err != nil:
		return false, malformed(err)
	case t == nil:
		return false, jsonEnd(d, malformed)
	case t != json.Delim('{'):
		return false, &Error{Op: op, Value: jsonShort(bytes.TrimSpace(data)), Err: ErrBadValue, Hint: "not an object"}
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return false, malformed(err)
		}
		key, _ := t.(string)
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return false, malformed(err)
		}
		if seen[key] {
			return false, &Error{Op: op, Value: strconv.Quote(key), Err: ErrBadValue, Hint: "it is there twice"}
		}
		seen[key] = true
		if string(raw) == "null" {
			raw = nil
		}
		if err := field(key, raw); err != nil {
			return false, err
		}
	}
	if _, err := d.Token(); err != nil {
		return false, malformed(err)
	}
	return true, jsonEnd(d, malformed)
}

// jsonEnd reports what follows the value.
func jsonEnd(d *json.Decoder, malformed func(error) error) error {
	switch _, err := d.Token(); {
	case err == nil:
		return malformed(errors.New("more than one value"))
	case !errors.Is(err, io.EOF):
		return malformed(err)
	}
	return nil
}

// jsonWriter appends an object key by key.
type jsonWriter struct{ b []byte }

func newJSONWriter() *jsonWriter { return &jsonWriter{b: []byte{'{'}} }

func (w *jsonWriter) end() []byte { return append(w.b, '}') }

// key appends a key, which must need no escapes.
func (w *jsonWriter) key(key string) {
	if len(w.b) > 1 {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, key...)
	w.b = append(w.b, '"', ':')
}

// text appends a string of UTF-8.
func (w *jsonWriter) text(s string) {
	// A string can always be marshalled.
	b, _ := json.Marshal(s)
	w.b = append(w.b, b...)
}

// number and boolean append what they say.
func (w *jsonWriter) number(n int64) { w.b = strconv.AppendInt(w.b, n, 10) }

func (w *jsonWriter) boolean(v bool) { w.b = strconv.AppendBool(w.b, v) }

// option appends one option that is set.
func (w *jsonWriter) option(o *Options, opt Option) {
	row := opt.row()
	w.key(row.Name)
	switch row.Kind {
	case KindLink:
		l := o.Primary
		if opt == OptionActiveSlave {
			l = o.Active
		}
		w.linkText(*l)
		return
	case KindIPv4List:
		w.addrs(o.ARPTargets)
		return
	case KindIPv6List:
		w.addrs(o.NSTargets)
		return
	case KindDuration:
		if d, _ := o.duration(opt); d%time.Duration(row.Unit) != 0 {
			break
		}
		fallthrough
	case KindUint, KindInt:
		n, _ := o.raw(opt)
		w.number(n)
		return
	case KindBool:
		n, _ := o.raw(opt)
		w.boolean(n != 0)
		return
	}
	w.text(o.Text(opt))
}

// addrs appends an array of addresses.
func (w *jsonWriter) addrs(list []netip.Addr) {
	w.b = append(w.b, '[')
	for i, a := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.text(a.String())
	}
	w.b = append(w.b, ']')
}
