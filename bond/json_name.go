// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"strconv"
	"strings"

	"github.com/bondkit/bondkit/internal/escape"
)

// EscapeName returns the name of an interface as it stands in the JSON of this
// package, which holds no other bytes than UTF-8, while a name may: a byte that is no
// UTF-8 becomes \xNN, with two hexadecimal digits, and a backslash becomes two. Other
// names, which is nearly all, are returned as they are.
func EscapeName(name string) string { return escape.Text(name) }

// UnescapeName is the inverse of [EscapeName]. Any byte may be written as \xNN. A
// backslash that begins neither that nor two of them is an *[Error] that matches
// [ErrBadValue].
func UnescapeName(text string) (string, error) {
	name, ok := escape.Undo(text)
	if !ok {
		return "", &Error{
			Op: "parse", Value: strconv.Quote(text), Err: ErrBadValue,
			Hint: `in the name of an interface a backslash is written as \\, and a byte that is no UTF-8 as \xNN`,
		}
	}
	return name, nil
}

// jsonName reads the name of an interface, and leaves it as it is for null.
func jsonName(op, key string, raw []byte, name *string) error {
	if raw == nil {
		return nil
	}
	text := *name
	if err := jsonField(op, key, raw, &text); err != nil {
		return err
	}
	read, err := UnescapeName(text)
	if err != nil {
		return err
	}
	*name = read
	return nil
}

// name appends the name of an interface.
func (w *jsonWriter) name(name string) { w.text(EscapeName(name)) }

// linkText appends a link as jsonLink reads it.
func (w *jsonWriter) linkText(l Link) {
	if l.Name == "" {
		w.text(textLink(l))
		return
	}
	text := EscapeName(l.Name)
	if digits, ok := strings.CutPrefix(text, "#"); ok {
		text = `\x23` + digits // "#5" would be an index
	}
	w.text(text)
}

// jsonLink sets an option that names a link: "#" and an index, or a name.
func (o *Options) jsonLink(opt Option, text string) error {
	name, err := UnescapeName(text)
	if err != nil {
		e := *err.(*Error) //nolint:errorlint // it is one
		e.Option = opt
		return &e
	}
	if strings.HasPrefix(text, "#") || !strings.HasPrefix(name, "#") {
		return o.SetText(opt, name)
	}
	if !textIsName(name) {
		return textError(opt, text, "not the name of an interface")
	}
	o.setLink(opt, Link{Name: name})
	return nil
}
