// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

// field returns what a line with the key is in this section, 0 if it is
// nothing.
func (p *parser) field(key []byte) Field {
	inSlave := p.slave >= 0
	switch string(key) {
	case "MII Status":
		return choose(inSlave, FieldSlaveMIIStatus, FieldMIIStatus)
	case "Aggregator ID":
		return choose(inSlave, FieldSlaveAggregatorID, FieldAggregatorID)
	case "Slave Interface":
		return FieldSlave
	case "Speed":
		return choose(inSlave, FieldSpeed, 0)
	case "Duplex":
		return choose(inSlave, FieldDuplex, 0)
	case "Link Failure Count":
		return choose(inSlave, FieldLinkFailures, 0)
	case "Permanent HW addr":
		return choose(inSlave, FieldPermMAC, 0)
	case "Slave queue ID":
		return choose(inSlave, FieldQueueID, 0)
	case "Actor Churn State":
		return choose(inSlave, FieldActorChurn, 0)
	case "Partner Churn State":
		return choose(inSlave, FieldPartnerChurn, 0)
	case "Actor Churned Count":
		return choose(inSlave, FieldActorChurned, 0)
	case "Partner Churned Count":
		return choose(inSlave, FieldPartnerChurned, 0)
	case "details actor lacp pdu":
		return choose(inSlave, FieldActor, 0)
	case "details partner lacp pdu":
		return choose(inSlave, FieldPartner, 0)
	case "system priority":
		return p.port(FieldActorSystemPriority, FieldPartnerSystemPriority)
	case "system mac address":
		return p.port(FieldActorSystemMAC, FieldPartnerSystemMAC)
	case "port key":
		return p.port(FieldActorPortKey, 0)
	case "oper key":
		return p.port(0, FieldPartnerOperKey)
	case "port priority":
		return p.port(FieldActorPortPriority, FieldPartnerPortPriority)
	case "port number":
		return p.port(FieldActorPortNumber, FieldPartnerPortNumber)
	case "port state":
		return p.port(FieldActorPortState, FieldPartnerPortState)
	case "Ethernet Channel Bonding Driver":
		return FieldDriver
	case "Bonding Mode":
		return FieldMode
	case "Transmit Hash Policy":
		return FieldXmitHashPolicy
	case "Primary Slave":
		return FieldPrimary
	case "Currently Active Slave":
		return FieldActive
	case "MII Polling Interval (ms)":
		return FieldMIIMon
	case "Up Delay (ms)":
		return FieldUpDelay
	case "Down Delay (ms)":
		return FieldDownDelay
	case "Peer Notification Delay (ms)":
		return FieldPeerNotifDelay
	case "ARP Polling Interval (ms)":
		return FieldARPInterval
	case "ARP Missed Max":
		return FieldMissedMax
	case "ARP IP target/s (n.n.n.n form)":
		return FieldARPTargets
	case "NS IPv6 target/s (xx::xx form)":
		return FieldNSTargets
	case "LACP active":
		return FieldLACPActive
	case "LACP rate":
		return FieldLACPRate
	case "Min links":
		return FieldMinLinks
	case "Aggregator selection policy (ad_select)":
		return FieldADSelect
	case "System priority":
		return FieldSystemPriority
	case "System MAC address":
		return FieldSystemMAC
	case "Active Aggregator Info":
		return FieldAggregator
	case "Number of ports":
		return FieldPorts
	case "Actor Key":
		return FieldActorKey
	case "Partner Key":
		return FieldPartnerKey
	case "Partner Mac Address":
		return FieldPartnerMAC
	}
	return 0
}

func choose(first bool, a, b Field) Field {
	if first {
		return a
	}
	return b
}

// port returns the field of the LACP port in whose section we are.
func (p *parser) port(actor, partner Field) Field {
	switch p.section {
	case SectionActor:
		return actor
	case SectionPartner:
		return partner
	default:
		return 0
	}
}
