// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"unicode/utf8"
)

// MarshalJSON returns an object with the keys "name", "options", "slaves", "up",
// "mac", "mtu" and "tx_queues", in this order, without those that say nothing.
// "options" is as [Options.MarshalJSON], "slaves" an array of what
// [SlaveSpec.MarshalJSON] returns. It is left out where Slaves is nil, and empty
// where all slaves are to be released. Names are as [EscapeName] returns them.
func (s Spec) MarshalJSON() ([]byte, error) {
	w := newJSONWriter()
	w.key("name")
	w.name(s.Name)
	if !s.Options.IsZero() {
		w.key("options")
		b, err := s.Options.MarshalJSON()
		if err != nil {
			return nil, err
		}
		w.b = append(w.b, b...)
	}
	if s.Slaves != nil {
		w.key("slaves")
		w.b = append(w.b, '[')
		for i, slave := range s.Slaves {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			b, err := slave.MarshalJSON()
			if err != nil {
				return nil, err
			}
			w.b = append(w.b, b...)
		}
		w.b = append(w.b, ']')
	}
	if s.Up != nil {
		w.key("up")
		w.boolean(*s.Up)
	}
	if len(s.MAC) > 0 {
		w.key("mac")
		w.text(s.MAC.String())
	}
	if s.MTU != nil {
		w.key("mtu")
		w.number(int64(*s.MTU))
	}
	if s.TxQueues != nil {
		w.key("tx_queues")
		w.number(int64(*s.TxQueues))
	}
	return w.end(), nil
}

// UnmarshalJSON replaces everything with what an object says that is as MarshalJSON
// returns it. What is not in it, or null, is left alone when the Spec is applied.
// "slaves" may have names in place of objects. A key that is not known, or is there
// twice, is an error; errors are an *[Error] that matches ErrBadValue, and s stays
// as it was.
func (s *Spec) UnmarshalJSON(data []byte) error {
	const op = "parse spec"
	var read Spec
	ok, err := jsonObject(op, data, func(key string, raw json.RawMessage) error {
		switch key {
		case "name":
			return jsonName(op, key, raw, &read.Name)
		case "options":
			return jsonField(op, key, raw, &read.Options)
		case "slaves":
			return jsonField(op, key, raw, &read.Slaves)
		case "up":
			return jsonField(op, key, raw, &read.Up)
		case "mac":
			var text *string
			if err := jsonField(op, key, raw, &text); err != nil || text == nil {
				return err
			}
			mac, err := net.ParseMAC(*text)
			if err != nil {
				return &Error{Op: op, Value: key + " " + strconv.Quote(*text), Err: ErrBadValue, Hint: "a hardware address such as 02:00:00:00:00:01"}
			}
			read.MAC = mac
			return nil
		case "mtu":
			return jsonField(op, key, raw, &read.MTU)
		case "tx_queues":
			return jsonField(op, key, raw, &read.TxQueues)
		}
		return &Error{Op: op, Value: strconv.Quote(key), Err: ErrBadValue, Hint: "one of name, options, slaves, up, mac, mtu, tx_queues"}
	})
	if err == nil && ok {
		*s = read
	}
	return err
}

// MarshalJSON returns an object with the keys "name" and, where something is set,
// "options", which is as [SlaveOptions.MarshalJSON].
func (s SlaveSpec) MarshalJSON() ([]byte, error) {
	w := newJSONWriter()
	w.key("name")
	w.name(s.Name)
	if !s.Options.IsZero() {
		w.key("options")
		b, err := s.Options.MarshalJSON()
		if err != nil {
			return nil, err
		}
		w.b = append(w.b, b...)
	}
	return w.end(), nil
}

// UnmarshalJSON replaces everything with what an object says that is as MarshalJSON
// returns it, or a string that is the name; see [Spec.UnmarshalJSON].
func (s *SlaveSpec) UnmarshalJSON(data []byte) error {
	const op = "parse slave"
	var name string
	if len(data) > 0 && data[0] == '"' {
		if !utf8.Valid(data) {
			return &Error{Op: op, Err: ErrBadValue, Hint: jsonNotUTF8}
		}
		if err := jsonName(op, "name", data, &name); err != nil {
			return err
		}
		*s = SlaveSpec{Name: name}
		return nil
	}
	var read SlaveSpec
	ok, err := jsonObject(op, data, func(key string, raw json.RawMessage) error {
		switch key {
		case "name":
			return jsonName(op, key, raw, &read.Name)
		case "options":
			return jsonField(op, key, raw, &read.Options)
		}
		return &Error{Op: op, Value: strconv.Quote(key), Err: ErrBadValue, Hint: "one of name, options"}
	})
	switch {
	case err != nil:
		return err
	case !ok || read.Name == "":
		return &Error{Op: op, Value: jsonShort(data), Err: ErrBadValue, Hint: "a slave needs a name"}
	}
	*s = read
	return nil
}

// jsonField reads one value, and nothing where it is null. Errors of this package
// are returned as they are.
func jsonField(op, key string, raw json.RawMessage, v any) error {
	if raw == nil {
		return nil
	}
	err := json.Unmarshal(raw, v)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Op: op, Value: key + " " + jsonShort(raw), Err: ErrBadValue, Hint: "wrong type"}
}
