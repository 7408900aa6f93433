// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/internal/escape"
)

// The JSON of a Bond. A key is there if the text has the field. Names are the
// kernel's option names where there is one.
type (
	jsonBond struct {
		Name            string       `json:"name"`
		Driver          *string      `json:"driver,omitzero"`
		Mode            *string      `json:"mode,omitzero"`
		FailOverMAC     *string      `json:"fail_over_mac,omitzero"`
		XmitHashPolicy  *string      `json:"xmit_hash_policy,omitzero"`
		Primary         *string      `json:"primary,omitzero"`
		PrimaryReselect *string      `json:"primary_reselect,omitzero"`
		Active          *string      `json:"active_slave,omitzero"`
		MIIStatus       *string      `json:"mii_status,omitzero"`
		MIIMon          *int32       `json:"miimon,omitzero"`
		UpDelay         *int32       `json:"updelay,omitzero"`
		DownDelay       *int32       `json:"downdelay,omitzero"`
		PeerNotifDelay  *int32       `json:"peer_notif_delay,omitzero"`
		ARPInterval     *int32       `json:"arp_interval,omitzero"`
		MissedMax       *uint32      `json:"arp_missed_max,omitzero"`
		ARPTargets      []netip.Addr `json:"arp_ip_target,omitzero"`
		NSTargets       []netip.Addr `json:"ns_ip6_target,omitzero"`
		LACP            *jsonLACP    `json:"lacp,omitzero"`
		Slaves          []jsonSlave  `json:"slaves"`

		Torn         bool          `json:"torn,omitzero"`
		Problems     []jsonProblem `json:"problems"`
		MoreProblems int           `json:"more_problems,omitzero"`
		Unknown      []jsonLine    `json:"unknown"`
	}
	jsonLACP struct {
		Header         bool            `json:"info"`
		Active         *string         `json:"lacp_active,omitzero"`
		Rate           *string         `json:"lacp_rate,omitzero"`
		MinLinks       *int32          `json:"min_links,omitzero"`
		ADSelect       *string         `json:"ad_select,omitzero"`
		SystemPriority *int32          `json:"system_priority,omitzero"`
		SystemMAC      *jsonMAC        `json:"system_mac,omitzero"`
		NoAggregator   *string         `json:"no_active_aggregator,omitzero"`
		Aggregator     *jsonAggregator `json:"aggregator,omitzero"`
	}
	jsonAggregator struct {
		Header     bool     `json:"info"`
		ID         *int32   `json:"id,omitzero"`
		Ports      *int32   `json:"ports,omitzero"`
		ActorKey   *int32   `json:"actor_key,omitzero"`
		PartnerKey *int32   `json:"partner_key,omitzero"`
		PartnerMAC *jsonMAC `json:"partner_mac,omitzero"`
	}
	jsonSlave struct {
		Name           string    `json:"name"`
		MIIStatus      *string   `json:"mii_status,omitzero"`
		Speed          *int32    `json:"speed,omitzero"`
		Duplex         *string   `json:"duplex,omitzero"`
		LinkFailures   *uint32   `json:"link_failure_count,omitzero"`
		PermMAC        *jsonMAC  `json:"perm_hwaddr,omitzero"`
		QueueID        *int32    `json:"queue_id,omitzero"`
		QueueLast      bool      `json:"queue_id_last,omitzero"`
		AggregatorID   jsonID    `json:"aggregator_id,omitzero"`
		ActorChurn     *string   `json:"actor_churn,omitzero"`
		PartnerChurn   *string   `json:"partner_churn,omitzero"`
		ActorChurned   *int32    `json:"actor_churned,omitzero"`
		PartnerChurned *int32    `json:"partner_churned,omitzero"`
		Actor          *jsonPort `json:"actor,omitzero"`
		Partner        *jsonPort `json:"partner,omitzero"`
	}
	jsonPort struct {
		Header         bool            `json:"info"`
		SystemPriority *int32          `json:"system_priority,omitzero"`
		SystemMAC      *jsonMAC        `json:"system_mac,omitzero"`
		Key            *int32          `json:"key,omitzero"`
		PortPriority   *int32          `json:"port_priority,omitzero"`
		PortNumber     *int32          `json:"port_number,omitzero"`
		PortState      *bond.PortState `json:"port_state,omitzero"`
	}
	jsonLine struct {
		Section string `json:"section"`
		Slave   int    `json:"slave"`
		After   string `json:"after"`
		Line    int    `json:"line"`
		Blank   int    `json:"blank,omitzero"`
		Key     string `json:"key"`
		Value   string `json:"value"`
		Raw     string `json:"raw"`
	}
	jsonProblem struct {
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Offset  int    `json:"offset"`
		Section string `json:"section"`
		Field   string `json:"field"`
		Key     string `json:"key"`
		Text    string `json:"text"`
		Error   string `json:"error"`
	}

	jsonMAC []byte
	jsonID  struct{ text string }
)

// MarshalJSON writes an object. A key is there if the text has the field;
// slaves, problems and unknown (Lines) are always there. Enums are the words of package
// bond, such as "active-backup"; a word that it does not know is written as the
// text has it, after a question mark. Times are in milliseconds, Speed in Mbit/s
// and -1 for unknown, an aggregator_id of N/A is null. Bytes that are not UTF-8
// are written as \xNN, and a backslash as two.
func (b Bond) MarshalJSON() ([]byte, error) {
	j := jsonBond{
		Name: escape.Text(b.Name), Torn: b.Torn, MoreProblems: b.MoreProblems,
		Slaves: make([]jsonSlave, 0, len(b.Slaves)), Problems: make([]jsonProblem, 0, len(b.Problems)),
		Unknown: make([]jsonLine, 0, len(b.Lines)),
	}
	for f := FieldDriver; f < FieldSlave; f++ {
		if b.Has(f) {
			b.toJSON(&j, f)
		}
	}
	for i := range b.Slaves {
		s := &b.Slaves[i]
		js := jsonSlave{Name: escape.Text(s.Name), QueueLast: s.queueLast}
		for f := FieldSlave + 1; f < fieldEnd; f++ {
			if s.Has(f) {
				s.toJSON(&js, f)
			}
		}
		j.Slaves = append(j.Slaves, js)
	}
	for _, l := range b.Lines {
		j.Unknown = append(j.Unknown, jsonLine{
			Section: l.Section.String(), Slave: l.Slave, After: fieldName(l.After, l.Section), Line: l.Number, Blank: l.Blank,
			Key: escape.Text(l.Key), Value: escape.Text(l.Value), Raw: escape.Text(l.Raw),
		})
	}
	for _, e := range b.Problems {
		j.Problems = append(j.Problems, jsonProblem{
			Line: e.Line, Column: e.Column, Offset: e.Offset, Section: e.Section.String(), Field: fieldName(e.Field, e.Section),
			Key: escape.Text(e.Key), Text: escape.Text(e.Text), Error: e.Err.Error(),
		})
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(&j)
	return bytes.TrimSuffix(buf.Bytes(), []byte{'\n'}), err
}

// UnmarshalJSON reads what MarshalJSON writes. AppendText of b gives the same text then.
// On an error b is unchanged; it matches ErrValue where a value is not one that
// MarshalJSON writes. A null changes nothing, as in package json.
func (b *Bond) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var j jsonBond
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(&j)
	if err == nil && dec.More() {
		err = errors.New("more than one value")
	}
	if err != nil {
		return &Error{Op: "parse", Err: fmt.Errorf("%w: %w", ErrValue, err)}
	}
	var r fromJSON
	n := r.bond(&j)
	if r.failed {
		return &Error{Op: "parse", Bond: n.Name, Err: &SyntaxError{Line: 1, Column: 1, Text: r.bad, Err: ErrValue}}
	}
	*b = *n
	return nil
}

// MarshalText writes the address with colons.
func (m jsonMAC) MarshalText() ([]byte, error) { return appendMACText(nil, m), nil }

// UnmarshalText reads what MarshalText writes.
func (m *jsonMAC) UnmarshalText(text []byte) error {
	mac, ok := appendMAC(jsonMAC{}, text)
	if !ok {
		return ErrValue
	}
	*m = mac
	return nil
}

// MarshalJSON writes the number, or null for N/A.
func (id jsonID) MarshalJSON() ([]byte, error) {
	if _, ok := parseInt([]byte(id.text)); !ok {
		return []byte("null"), nil
	}
	return []byte(id.text), nil
}

// wordJSON returns the word of package bond, or the text after a question mark.
func wordJSON(word, text string) *string {
	if text != "" {
		return new("?" + escape.Text(text))
	}
	return &word
}

func millis(d time.Duration) *int32 { return new(int32(d / time.Millisecond)) }

func nonNil(addrs []netip.Addr) []netip.Addr {
	if addrs == nil {
		return []netip.Addr{}
	}
	return addrs
}

// fieldName is a name for JSON: the field's line, and the field's section before it if the line
// would be that of another field where it stands.
func fieldName(f Field, in Section) string {
	if f == 0 {
		return ""
	}
	name := strings.TrimSuffix(f.String(), ":")
	if fieldByName(name, in) != f {
		return f.section().String() + ": " + name
	}
	return name
}

func (b *Bond) toJSON(j *jsonBond, f Field) {
	if f >= FieldLACP && j.LACP == nil {
		j.LACP = new(jsonLACP)
	}
	if f >= FieldAggregator && j.LACP.Aggregator == nil {
		j.LACP.Aggregator = new(jsonAggregator)
	}
	text := findWord(b.words, f)
	switch f {
	case FieldDriver:
		j.Driver = new(escape.Text(b.Driver))
	case FieldMode:
		j.Mode = wordJSON(b.Mode.String(), text)
	case FieldFailOverMAC:
		j.FailOverMAC = wordJSON(b.FailOverMAC.String(), text)
	case FieldXmitHashPolicy:
		j.XmitHashPolicy = wordJSON(b.XmitHashPolicy.String(), text)
	case FieldPrimary:
		j.Primary = new(escape.Text(b.Primary))
	case FieldPrimaryReselect:
		j.PrimaryReselect = wordJSON(b.PrimaryReselect.String(), text)
	case FieldActive:
		j.Active = new(escape.Text(b.Active))
	case FieldMIIStatus:
		j.MIIStatus = wordJSON(b.MIIStatus.String(), text)
	case FieldMIIMon:
		j.MIIMon = millis(b.MIIMon)
	case FieldUpDelay:
		j.UpDelay = millis(b.UpDelay)
	case FieldDownDelay:
		j.DownDelay = millis(b.DownDelay)
	case FieldPeerNotifDelay:
		j.PeerNotifDelay = millis(b.PeerNotifDelay)
	case FieldARPInterval:
		j.ARPInterval = millis(b.ARPInterval)
	case FieldMissedMax:
		j.MissedMax = &b.MissedMax
	case FieldARPTargets:
		j.ARPTargets = nonNil(b.ARPTargets)
	case FieldNSTargets:
		j.NSTargets = nonNil(b.NSTargets)
	case FieldLACP:
		j.LACP.Header = true
	case FieldLACPActive:
		j.LACP.Active = wordJSON(activeWords[btoi(b.LACPActive)], text)
	case FieldLACPRate:
		j.LACP.Rate = wordJSON(b.LACPRate.String(), text)
	case FieldMinLinks:
		j.LACP.MinLinks = &b.MinLinks
	case FieldADSelect:
		j.LACP.ADSelect = wordJSON(b.ADSelect.String(), text)
	case FieldSystemPriority:
		j.LACP.SystemPriority = &b.SystemPriority
	case FieldSystemMAC:
		j.LACP.SystemMAC = new(jsonMAC(b.SystemMAC[:]))
	case FieldNoAggregator:
		j.LACP.NoAggregator = new(escape.Text(b.noAggr))
	case FieldAggregator:
		j.LACP.Aggregator.Header = true
	case FieldAggregatorID:
		j.LACP.Aggregator.ID = &b.Aggregator.ID
	case FieldPorts:
		j.LACP.Aggregator.Ports = &b.Aggregator.Ports
	case FieldActorKey:
		j.LACP.Aggregator.ActorKey = &b.Aggregator.ActorKey
	case FieldPartnerKey:
		j.LACP.Aggregator.PartnerKey = &b.Aggregator.PartnerKey
	case FieldPartnerMAC:
		j.LACP.Aggregator.PartnerMAC = new(jsonMAC(b.Aggregator.PartnerMAC[:]))
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *Slave) toJSON(j *jsonSlave, f Field) {
	text := s.word(f)
	switch f {
	case FieldSlaveMIIStatus:
		j.MIIStatus = wordJSON(s.MIIStatus.String(), text)
	case FieldSpeed:
		j.Speed = &s.Speed
	case FieldDuplex:
		j.Duplex = new(s.Duplex.String())
	case FieldLinkFailures:
		j.LinkFailures = &s.LinkFailures
	case FieldPermMAC:
		j.PermMAC = new(jsonMAC(s.PermMAC))
	case FieldQueueID:
		j.QueueID = &s.QueueID
	case FieldSlaveAggregatorID:
		j.AggregatorID = jsonID{s.Text(f)}
	case FieldActorChurn:
		j.ActorChurn = wordJSON(s.ActorChurn.String(), text)
	case FieldPartnerChurn:
		j.PartnerChurn = wordJSON(s.PartnerChurn.String(), text)
	case FieldActorChurned:
		j.ActorChurned = &s.ActorChurned
	case FieldPartnerChurned:
		j.PartnerChurned = &s.PartnerChurned
	default:
		if f < FieldPartner {
			s.Actor.toJSON(&j.Actor, f)
		} else {
			s.Partner.toJSON(&j.Partner, f-FieldPartner+FieldActor)
		}
	}
}

// toJSON writes a field, named as that of the actor.
func (l *LACPPort) toJSON(port **jsonPort, f Field) {
	if *port == nil {
		*port = new(jsonPort)
	}
	j := *port
	switch f {
	case FieldActor:
		j.Header = true
	case FieldActorSystemPriority:
		j.SystemPriority = &l.SystemPriority
	case FieldActorSystemMAC:
		j.SystemMAC = new(jsonMAC(l.SystemMAC[:]))
	case FieldActorPortKey:
		j.Key = &l.Key
	case FieldActorPortPriority:
		j.PortPriority = &l.PortPriority
	case FieldActorPortNumber:
		j.PortNumber = &l.PortNumber
	case FieldActorPortState:
		j.PortState = &l.PortState
	}
}
