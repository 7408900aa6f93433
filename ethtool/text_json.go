// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/bondkit/bondkit/internal/escape"
)

// unescapeText is the inverse of escape.Text. An error matches ErrBadValue.
func unescapeText(text string) (string, error) {
	s, ok := escape.Undo(text)
	if !ok {
		return "", &Error{
			Op: "parse", Err: fmt.Errorf("%w: %s", ErrBadValue, strconv.Quote(text)),
			Hint: `a backslash is written as \\, and a byte that is no UTF-8 as \xNN`,
		}
	}
	return s, nil
}

// escapeAll escapes texts in place.
func escapeAll(texts ...*string) {
	for _, s := range texts {
		*s = escape.Text(*s)
	}
}

// unescapeAll undoes escapeAll.
func unescapeAll(texts ...*string) error {
	for _, s := range texts {
		text, err := unescapeText(*s)
		if err != nil {
			return err
		}
		*s = text
	}
	return nil
}

// unmarshalTexts reads an object into to, and undoes escapeAll on the texts of it that texts
// names. to is left alone in case of an error.
func unmarshalTexts[T any](b []byte, to *T, texts func(*T) []*string) error {
	var read T
	if err := json.Unmarshal(b, &read); err != nil {
		return err
	}
	if err := unescapeAll(texts(&read)...); err != nil {
		return err
	}
	*to = read
	return nil
}

// MarshalJSON returns an object with the keys index and name, without what is zero.
// Bytes of the name that are no UTF-8 are written as \xNN, and a backslash as two.
func (l Link) MarshalJSON() ([]byte, error) {
	type plain Link
	escapeAll(&l.Name)
	return json.Marshal(plain(l))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (l *Link) UnmarshalJSON(b []byte) error {
	type plain Link
	return unmarshalTexts(b, (*plain)(l), func(p *plain) []*string { return []*string{&p.Name} })
}

// MarshalJSON returns an object with the keys name and on. Odd bytes are escaped as by
// [Link.MarshalJSON].
func (f Flag) MarshalJSON() ([]byte, error) {
	type plain Flag
	escapeAll(&f.Name)
	return json.Marshal(plain(f))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (f *Flag) UnmarshalJSON(b []byte) error {
	type plain Flag
	return unmarshalTexts(b, (*plain)(f), func(p *plain) []*string { return []*string{&p.Name} })
}

func (d *Driver) texts() []*string {
	return []*string{&d.Name, &d.Version, &d.Bus, &d.Firmware, &d.ExpansionROM}
}

// MarshalJSON returns an object with the keys that are in the type. Odd bytes are
// escaped as by [Link.MarshalJSON].
func (d Driver) MarshalJSON() ([]byte, error) {
	type plain Driver
	escapeAll(d.texts()...)
	return json.Marshal(plain(d))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (d *Driver) UnmarshalJSON(b []byte) error {
	type plain Driver
	return unmarshalTexts(b, (*plain)(d), func(p *plain) []*string { return (*Driver)(p).texts() })
}

// MarshalJSON returns an object with the keys name and value. Odd bytes are escaped as
// by [Link.MarshalJSON].
func (v Version) MarshalJSON() ([]byte, error) {
	type plain Version
	escapeAll(&v.Name, &v.Value)
	return json.Marshal(plain(v))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (v *Version) UnmarshalJSON(b []byte) error {
	type plain Version
	return unmarshalTexts(b, (*plain)(v), func(p *plain) []*string { return []*string{&p.Name, &p.Value} })
}

func (f *Firmware) texts() []*string {
	return []*string{&f.Handle, &f.Driver, &f.Serial, &f.BoardSerial}
}

// MarshalJSON returns an object with the keys that are in the type. Odd bytes are
// escaped as by [Link.MarshalJSON].
func (f Firmware) MarshalJSON() ([]byte, error) {
	type plain Firmware
	escapeAll(f.texts()...)
	return json.Marshal(plain(f))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (f *Firmware) UnmarshalJSON(b []byte) error {
	type plain Firmware
	return unmarshalTexts(b, (*plain)(f), func(p *plain) []*string { return (*Firmware)(p).texts() })
}

// MarshalJSON returns an object with the keys that are in the type. Odd bytes are
// escaped as by [Link.MarshalJSON].
func (r Reporter) MarshalJSON() ([]byte, error) {
	type plain Reporter
	escapeAll(&r.Handle, &r.Name)
	return json.Marshal(plain(r))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (r *Reporter) UnmarshalJSON(b []byte) error {
	type plain Reporter
	return unmarshalTexts(b, (*plain)(r), func(p *plain) []*string { return []*string{&p.Handle, &p.Name} })
}

func (p *Pruning) texts() []*string {
	return []*string{&p.Driver, &p.Name, &p.Value, &p.Reason, &p.Caution, &p.Source}
}

// MarshalJSON returns an object with the keys that are in the type. Odd bytes are
// escaped as by [Link.MarshalJSON].
func (p Pruning) MarshalJSON() ([]byte, error) {
	type plain Pruning
	escapeAll(p.texts()...)
	return json.Marshal(plain(p))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (p *Pruning) UnmarshalJSON(b []byte) error {
	type plain Pruning
	return unmarshalTexts(b, (*plain)(p), func(p *plain) []*string { return (*Pruning)(p).texts() })
}

// MarshalJSON returns an object with the keys that are in the type. Odd bytes are
// escaped as by [Link.MarshalJSON].
func (c Change) MarshalJSON() ([]byte, error) {
	type plain Change
	escapeAll(&c.Name, &c.Before, &c.After)
	return json.Marshal(plain(c))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (c *Change) UnmarshalJSON(b []byte) error {
	type plain Change
	return unmarshalTexts(b, (*plain)(c), func(p *plain) []*string { return []*string{&p.Name, &p.Before, &p.After} })
}

// MarshalJSON returns an object with the keys that are in the type. Odd bytes are
// escaped as by [Link.MarshalJSON].
func (e FlagEvent) MarshalJSON() ([]byte, error) {
	type plain FlagEvent
	escapeAll(&e.OldName)
	return json.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (e *FlagEvent) UnmarshalJSON(b []byte) error {
	type plain FlagEvent
	return unmarshalTexts(b, (*plain)(e), func(p *plain) []*string { return []*string{&p.OldName} })
}

// MarshalJSON returns an object with the keys that are in the type. Odd bytes are
// escaped as by [Link.MarshalJSON].
func (c FlagChange) MarshalJSON() ([]byte, error) {
	type plain FlagChange
	escapeAll(&c.Name)
	return json.Marshal(plain(c))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (c *FlagChange) UnmarshalJSON(b []byte) error {
	type plain FlagChange
	return unmarshalTexts(b, (*plain)(c), func(p *plain) []*string { return []*string{&p.Name} })
}
