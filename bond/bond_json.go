// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"encoding/hex"
	"net"
)

// MarshalJSON returns an object with what the kernel said about the bond, always with the
// keys in this order:
//
//	"name", "index"           the interface
//	"mac", "mtu"              its hardware address and its MTU
//	"tx_queues"               the number of its transmit queues, where that is known
//	"up", "carrier"           whether it is switched on, and has a link
//	"operstate"               a word such as "up" or "lower-layer-down"
//	"options"                 what it is set to, as [Options.MarshalJSON]
//	"ad_info"                 "aggregator", "num_ports", "actor_key", "partner_key", "partner_mac"
//	"unknown"                 attributes that this package does not know: "type", "data" in hexadecimal
//
// What the kernel did not say is not in "options". "ad_info" and "unknown" are left
// out where there is nothing to say. Names are as [EscapeName] returns them.
func (b Bond) MarshalJSON() ([]byte, error) {
	w := newJSONWriter()
	w.link(&b.LinkInfo, false)
	w.key("options")
	opts, err := b.Options().MarshalJSON()
	if err != nil {
		return nil, err
	}
	w.b = append(w.b, opts...)
	if b.Has(OptionADInfo) {
		w.key("ad_info")
		ad := newJSONWriter()
		ad.key("aggregator")
		ad.number(int64(b.AD.AggregatorID))
		ad.key("num_ports")
		ad.number(int64(b.AD.Ports))
		ad.key("actor_key")
		ad.number(int64(b.AD.ActorKey))
		ad.key("partner_key")
		ad.number(int64(b.AD.PartnerKey))
		ad.key("partner_mac")
		ad.text(net.HardwareAddr(b.AD.PartnerMAC[:]).String())
		w.b = append(w.b, ad.end()...)
	}
	w.unknown(b.Unknown)
	return w.end(), nil
}

// MarshalJSON returns an object with what the kernel said about the slave, always
// with the keys in this order: "name", "index", "mac", "mtu", "tx_queues", "master"
// (the index of its bond), "up", "carrier" and "operstate" as for a [Bond];
// "options" with what can be set on it, as [SlaveOptions.MarshalJSON]; "state",
// "mii_status", "link_failure_count", "perm_hwaddr", "ad_aggregator_id",
// "ad_actor_oper_port_state", "ad_partner_oper_port_state", "ad_churn_actor_state"
// and "ad_churn_partner_state" as far as the kernel said them, in the words of
// [Slave.Text]; and "unknown" as for a Bond.
func (s Slave) MarshalJSON() ([]byte, error) {
	w := newJSONWriter()
	w.link(&s.LinkInfo, true)
	w.key("options")
	opts, err := s.Options().MarshalJSON()
	if err != nil {
		return nil, err
	}
	w.b = append(w.b, opts...)
	for i := range optionTable {
		row := &optionTable[i]
		if !row.Slave || !row.ReadOnly || !s.Has(row.Option) {
			continue
		}
		w.key(row.Name)
		switch row.Option {
		case OptionLinkFailures, OptionAggregatorID:
			w.number(s.raw(row.Option))
		default:
			w.text(s.Text(row.Option))
		}
	}
	w.unknown(s.Unknown)
	return w.end(), nil
}

// link appends what bonds and slaves have in common.
func (w *jsonWriter) link(l *LinkInfo, master bool) {
	w.key("name")
	w.name(l.Name)
	w.key("index")
	w.number(int64(l.Index))
	w.key("mac")
	w.text(l.MAC.String())
	w.key("mtu")
	w.number(int64(l.MTU))
	if l.TxQueues != 0 {
		w.key("tx_queues")
		w.number(int64(l.TxQueues))
	}
	if master {
		w.key("master")
		w.number(int64(l.Master))
	}
	w.key("up")
	w.boolean(l.Up())
	w.key("carrier")
	w.boolean(l.Carrier)
	w.key("operstate")
	w.text(l.OperState.String())
}

// unknown appends attributes, if there are any.
func (w *jsonWriter) unknown(attrs []Attr) {
	if len(attrs) == 0 {
		return
	}
	w.key("unknown")
	w.b = append(w.b, '[')
	for i, a := range attrs {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		one := newJSONWriter()
		one.key("type")
		one.number(int64(a.Type))
		one.key("data")
		one.text(hex.EncodeToString(a.Data))
		w.b = append(w.b, one.end()...)
	}
	w.b = append(w.b, ']')
}
