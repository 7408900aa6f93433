// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// macText is an address as it is in JSON. That of package net reads only some lengths.
type macText net.HardwareAddr

func (m macText) MarshalText() ([]byte, error) { return []byte(net.HardwareAddr(m).String()), nil }

func (m *macText) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ":")
	mac := make(macText, len(parts))
	for i, part := range parts {
		if len(part) != 2 {
			return errMAC(text)
		}
		if _, err := hex.Decode(mac[i:i+1], []byte(part)); err != nil {
			return errMAC(text)
		}
	}
	*m = mac
	return nil
}

func errMAC(text []byte) error {
	return &Error{Op: "parse address", Err: fmt.Errorf("%w: %s", ErrBadValue, strconv.Quote(string(text)))}
}

// plainFacts is Facts without methods.
type plainFacts Facts

// factsJSON is a Facts as it is in JSON.
type factsJSON struct {
	plainFacts
	MAC          macText `json:"mac,omitzero"`
	PermanentMAC macText `json:"permanent_mac,omitzero"`
}

func (j *factsJSON) texts() []*string { return []*string{&j.Kind, &j.Kernel} }

// MarshalJSON returns an object as the type describes it.
func (f Facts) MarshalJSON() ([]byte, error) {
	j := factsJSON{plainFacts: plainFacts(f)}
	if len(f.MAC) > 0 {
		j.MAC = macText(f.MAC)
	}
	if len(f.PermanentMAC) > 0 {
		j.PermanentMAC = macText(f.PermanentMAC)
	}
	escapeAll(j.texts()...)
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys. f is left alone in
// case of an error.
func (f *Facts) UnmarshalJSON(b []byte) error {
	var j factsJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	if err := unescapeAll(j.texts()...); err != nil {
		return err
	}
	*f = Facts(j.plainFacts)
	f.MAC, f.PermanentMAC = net.HardwareAddr(j.MAC), net.HardwareAddr(j.PermanentMAC)
	return nil
}

// unseenJSON is an Unseen as it is in JSON.
type unseenJSON struct {
	What  string `json:"what"`
	Error string `json:"error"`
}

// MarshalJSON returns an object with the keys what and error.
func (u Unseen) MarshalJSON() ([]byte, error) {
	j := unseenJSON{What: u.What}
	if u.Err != nil {
		j.Error = u.Err.Error()
	}
	escapeAll(&j.Error)
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON returns. Err is then an error with the same
// text, and matches nothing.
func (u *Unseen) UnmarshalJSON(b []byte) error {
	var j unseenJSON
	if err := unmarshalTexts(b, &j, func(p *unseenJSON) []*string { return []*string{&p.Error} }); err != nil {
		return err
	}
	*u = Unseen{What: j.What, Err: errors.New(j.Error)}
	return nil
}

// MarshalJSON returns an object with the keys kernel, facts and findings.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	escapeAll(&r.Kernel)
	return json.Marshal(plain(r))
}

// UnmarshalJSON reads what MarshalJSON returns, and ignores other keys.
func (r *Report) UnmarshalJSON(b []byte) error {
	type plain Report
	return unmarshalTexts(b, (*plain)(r), func(p *plain) []*string { return []*string{&p.Kernel} })
}
