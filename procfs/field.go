// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import "strconv"

// Field names one fact of the text: mostly one line, for a few a part of one.
// The zero Field is none.
type Field uint8

// The fields of a bond, in the order in which the kernel prints them.
const (
	FieldDriver Field = iota + 1
	FieldMode
	FieldFailOverMAC // a part of the line of FieldMode
	FieldXmitHashPolicy
	FieldPrimary
	FieldPrimaryReselect // a part of the line of FieldPrimary
	FieldActive
	FieldMIIStatus
	FieldMIIMon
	FieldUpDelay
	FieldDownDelay
	FieldPeerNotifDelay
	FieldARPInterval
	FieldMissedMax
	FieldARPTargets
	FieldNSTargets
	FieldLACP // the line "802.3ad info"
	FieldLACPActive
	FieldLACPRate
	FieldMinLinks
	FieldADSelect
	FieldSystemPriority
	FieldSystemMAC
	FieldNoAggregator // the line "bond NAME has no active aggregator"
	FieldAggregator   // the line "Active Aggregator Info:"
	FieldAggregatorID
	FieldPorts
	FieldActorKey
	FieldPartnerKey
	FieldPartnerMAC

	// The fields of a slave, in the order in which kernels since 4.1 print
	// them.
	FieldSlave
	FieldSlaveMIIStatus
	FieldSpeed
	FieldDuplex
	FieldLinkFailures
	FieldPermMAC
	FieldQueueID
	FieldSlaveAggregatorID
	FieldActorChurn
	FieldPartnerChurn
	FieldActorChurned
	FieldPartnerChurned
	FieldActor // the line "details actor lacp pdu:"
	FieldActorSystemPriority
	FieldActorSystemMAC
	FieldActorPortKey
	FieldActorPortPriority
	FieldActorPortNumber
	FieldActorPortState
	FieldPartner // the line "details partner lacp pdu:"
	FieldPartnerSystemPriority
	FieldPartnerSystemMAC
	FieldPartnerOperKey
	FieldPartnerPortPriority
	FieldPartnerPortNumber
	FieldPartnerPortState

	fieldEnd
)

// fieldSet is a set of fields.
type fieldSet uint64

func (s fieldSet) has(f Field) bool { return s&(1<<f) != 0 }

// keys are the beginnings of the lines, as the kernel prints them, without
// what indents them. Fields that share a line have that of the line, and the name of
// JSON is another matter; see fieldNames.
var keys = [fieldEnd]string{
	FieldDriver:         "Ethernet Channel Bonding Driver:",
	FieldMode:           "Bonding Mode:",
	FieldXmitHashPolicy: "Transmit Hash Policy:",
	FieldPrimary:        "Primary Slave:",
	FieldActive:         "Currently Active Slave:",
	FieldMIIStatus:      "MII Status:",
	FieldMIIMon:         "MII Polling Interval (ms):",
	FieldUpDelay:        "Up Delay (ms):",
	FieldDownDelay:      "Down Delay (ms):",
	FieldPeerNotifDelay: "Peer Notification Delay (ms):",
	FieldARPInterval:    "ARP Polling Interval (ms):",
	FieldMissedMax:      "ARP Missed Max:",
	FieldARPTargets:     "ARP IP target/s (n.n.n.n form):",
	FieldNSTargets:      "NS IPv6 target/s (xx::xx form):",
	FieldLACP:           "802.3ad info",
	FieldLACPActive:     "LACP active:",
	FieldLACPRate:       "LACP rate:",
	FieldMinLinks:       "Min links:",
	FieldADSelect:       "Aggregator selection policy (ad_select):",
	FieldSystemPriority: "System priority:",
	FieldSystemMAC:      "System MAC address:",
	FieldNoAggregator:   "bond ",
	FieldAggregator:     "Active Aggregator Info:",
	FieldAggregatorID:   "Aggregator ID:",
	FieldPorts:          "Number of ports:",
	FieldActorKey:       "Actor Key:",
	FieldPartnerKey:     "Partner Key:",
	FieldPartnerMAC:     "Partner Mac Address:",

	FieldSlave:                 "Slave Interface:",
	FieldSlaveMIIStatus:        "MII Status:",
	FieldSpeed:                 "Speed:",
	FieldDuplex:                "Duplex:",
	FieldLinkFailures:          "Link Failure Count:",
	FieldPermMAC:               "Permanent HW addr:",
	FieldQueueID:               "Slave queue ID:",
	FieldSlaveAggregatorID:     "Aggregator ID:",
	FieldActorChurn:            "Actor Churn State:",
	FieldPartnerChurn:          "Partner Churn State:",
	FieldActorChurned:          "Actor Churned Count:",
	FieldPartnerChurned:        "Partner Churned Count:",
	FieldActor:                 "details actor lacp pdu:",
	FieldActorSystemPriority:   "system priority:",
	FieldActorSystemMAC:        "system mac address:",
	FieldActorPortKey:          "port key:",
	FieldActorPortPriority:     "port priority:",
	FieldActorPortNumber:       "port number:",
	FieldActorPortState:        "port state:",
	FieldPartner:               "details partner lacp pdu:",
	FieldPartnerSystemPriority: "system priority:",
	FieldPartnerSystemMAC:      "system mac address:",
	FieldPartnerOperKey:        "oper key:",
	FieldPartnerPortPriority:   "port priority:",
	FieldPartnerPortNumber:     "port number:",
	FieldPartnerPortState:      "port state:",
}

// indent returns what the kernel prints before the key of the field.
func (f Field) indent() string {
	switch {
	case f >= FieldAggregatorID && f <= FieldPartnerMAC:
		return "\t"
	case f > FieldActor && f < FieldPartner, f > FieldPartner && f < fieldEnd:
		return "    "
	}
	return ""
}

// String returns the beginning of the field's line, such as "MII Status:", and
// field(N) for one that there is not.
func (f Field) String() string {
	switch f {
	case FieldFailOverMAC:
		return "fail_over_mac"
	case FieldPrimaryReselect:
		return "primary_reselect"
	case FieldNoAggregator:
		return "has no active aggregator"
	}
	if f > 0 && f < fieldEnd {
		return keys[f]
	}
	return "field(" + strconv.Itoa(int(f)) + ")"
}

// Section says in which part of the text a line stands.
type Section uint8

// The sections, in the order of the text.
const (
	SectionBond       Section = iota // from the banner to the first blank line that begins another
	SectionLACP                      // after "802.3ad info"
	SectionAggregator                // after "Active Aggregator Info:"
	SectionSlave                     // after "Slave Interface:"
	SectionActor                     // after "details actor lacp pdu:"
	SectionPartner                   // after "details partner lacp pdu:"
)

var sectionNames = []string{"bond", "lacp", "aggregator", "slave", "actor", "partner"}

// String returns the name in lower case: bond, lacp, aggregator, slave, actor or
// partner.
func (s Section) String() string {
	if int(s) < len(sectionNames) {
		return sectionNames[s]
	}
	return "section(" + strconv.Itoa(int(s)) + ")"
}
