// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import "time"

// The functions below are the only ones that know which field an option is. What
// they take and return is the number on the wire. They do not know the options
// that are no number: those of KindLink, KindIPv4List, KindIPv6List, KindMAC and
// KindNested.

// rawBool is the number of a bool.
func rawBool(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// raw returns the number of an option, and whether it is set and a number. The
// remainder of a time that is no multiple of its unit is lost; see Validate.
func (o *Options) raw(opt Option) (int64, bool) {
	if !o.Has(opt) {
		return 0, false
	}
	switch opt {
	case OptionMode:
		return int64(*o.Mode), true
	case OptionMIIMon:
		return int64(*o.MIIMon / time.Millisecond), true
	case OptionUpDelay:
		return int64(*o.UpDelay / time.Millisecond), true
	case OptionDownDelay:
		return int64(*o.DownDelay / time.Millisecond), true
	case OptionPeerNotifDelay:
		return int64(*o.PeerNotifDelay / time.Millisecond), true
	case OptionUseCarrier:
		return rawBool(*o.UseCarrier), true
	case OptionARPInterval:
		return int64(*o.ARPInterval / time.Millisecond), true
	case OptionARPValidate:
		return int64(*o.ARPValidate), true
	case OptionARPAllTargets:
		return int64(*o.ARPAllTargets), true
	case OptionPrimaryReselect:
		return int64(*o.PrimaryReselect), true
	case OptionFailOverMAC:
		return int64(*o.FailOverMAC), true
	case OptionXmitHashPolicy:
		return int64(*o.XmitHashPolicy), true
	case OptionResendIGMP:
		return int64(*o.ResendIGMP), true
	case OptionNumPeerNotif:
		return int64(*o.NumPeerNotif), true
	case OptionAllSlavesActive:
		return rawBool(*o.AllSlavesActive), true
	case OptionMinLinks:
		return int64(*o.MinLinks), true
	case OptionLPInterval:
		return int64(*o.LPInterval / time.Second), true
	case OptionPacketsPerSlave:
		return int64(*o.PacketsPerSlave), true
	case OptionLACPActive:
		return rawBool(*o.LACPActive), true
	case OptionLACPRate:
		return int64(*o.LACPRate), true
	case OptionADSelect:
		return int64(*o.ADSelect), true
	case OptionADActorSysPrio:
		return int64(*o.ADActorSysPrio), true
	case OptionADUserPortKey:
		return int64(*o.ADUserPortKey), true
	case OptionTLBDynamicLB:
		return rawBool(*o.TLBDynamicLB), true
	case OptionMissedMax:
		return int64(*o.MissedMax), true
	case OptionCoupledControl:
		return rawBool(*o.CoupledControl), true
	case OptionBroadcastNeighbor:
		return rawBool(*o.BroadcastNeighbor), true
	case OptionLACPStrict:
		return rawBool(*o.LACPStrict), true
	}
	return 0, false
}

// setRaw sets an option to a number, cut to the width of its type.
func (o *Options) setRaw(opt Option, v int64) {
	switch opt {
	case OptionMode:
		o.Mode = new(Mode(v))
	case OptionMIIMon:
		o.MIIMon = new(time.Duration(v) * time.Millisecond)
	case OptionUpDelay:
		o.UpDelay = new(time.Duration(v) * time.Millisecond)
	case OptionDownDelay:
		o.DownDelay = new(time.Duration(v) * time.Millisecond)
	case OptionPeerNotifDelay:
		o.PeerNotifDelay = new(time.Duration(v) * time.Millisecond)
	case OptionUseCarrier:
		o.UseCarrier = new(v != 0)
	case OptionARPInterval:
		o.ARPInterval = new(time.Duration(v) * time.Millisecond)
	case OptionARPValidate:
		o.ARPValidate = new(ARPValidate(v))
	case OptionARPAllTargets:
		o.ARPAllTargets = new(ARPAllTargets(v))
	case OptionPrimaryReselect:
		o.PrimaryReselect = new(PrimaryReselect(v))
	case OptionFailOverMAC:
		o.FailOverMAC = new(FailOverMAC(v))
	case OptionXmitHashPolicy:
		o.XmitHashPolicy = new(XmitHashPolicy(v))
	case OptionResendIGMP:
		o.ResendIGMP = new(uint32(v))
	case OptionNumPeerNotif:
		o.NumPeerNotif = new(uint8(v))
	case OptionAllSlavesActive:
		o.AllSlavesActive = new(v != 0)
	case OptionMinLinks:
		o.MinLinks = new(uint32(v))
	case OptionLPInterval:
		o.LPInterval = new(time.Duration(v) * time.Second)
	case OptionPacketsPerSlave:
		o.PacketsPerSlave = new(uint32(v))
	case OptionLACPActive:
		o.LACPActive = new(v != 0)
	case OptionLACPRate:
		o.LACPRate = new(LACPRate(v))
	case OptionADSelect:
		o.ADSelect = new(ADSelect(v))
	case OptionADActorSysPrio:
		o.ADActorSysPrio = new(uint16(v))
	case OptionADUserPortKey:
		o.ADUserPortKey = new(uint16(v))
	case OptionTLBDynamicLB:
		o.TLBDynamicLB = new(v != 0)
	case OptionMissedMax:
		o.MissedMax = new(uint8(v))
	case OptionCoupledControl:
		o.CoupledControl = new(v != 0)
	case OptionBroadcastNeighbor:
		o.BroadcastNeighbor = new(v != 0)
	case OptionLACPStrict:
		o.LACPStrict = new(v != 0)
	}
}

// raw returns the number of an option, 0 for an option that is no number.
func (b *Bond) raw(opt Option) int64 {
	switch opt {
	case OptionMode:
		return int64(b.Mode)
	case OptionMIIMon:
		return int64(b.MIIMon / time.Millisecond)
	case OptionUpDelay:
		return int64(b.UpDelay / time.Millisecond)
	case OptionDownDelay:
		return int64(b.DownDelay / time.Millisecond)
	case OptionPeerNotifDelay:
		return int64(b.PeerNotifDelay / time.Millisecond)
	case OptionUseCarrier:
		return rawBool(b.UseCarrier)
	case OptionARPInterval:
		return int64(b.ARPInterval / time.Millisecond)
	case OptionARPValidate:
		return int64(b.ARPValidate)
	case OptionARPAllTargets:
		return int64(b.ARPAllTargets)
	case OptionPrimaryReselect:
		return int64(b.PrimaryReselect)
	case OptionFailOverMAC:
		return int64(b.FailOverMAC)
	case OptionXmitHashPolicy:
		return int64(b.XmitHashPolicy)
	case OptionResendIGMP:
		return int64(b.ResendIGMP)
	case OptionNumPeerNotif:
		return int64(b.NumPeerNotif)
	case OptionAllSlavesActive:
		return rawBool(b.AllSlavesActive)
	case OptionMinLinks:
		return int64(b.MinLinks)
	case OptionLPInterval:
		return int64(b.LPInterval / time.Second)
	case OptionPacketsPerSlave:
		return int64(b.PacketsPerSlave)
	case OptionLACPActive:
		return rawBool(b.LACPActive)
	case OptionLACPRate:
		return int64(b.LACPRate)
	case OptionADSelect:
		return int64(b.ADSelect)
	case OptionADActorSysPrio:
		return int64(b.ADActorSysPrio)
	case OptionADUserPortKey:
		return int64(b.ADUserPortKey)
	case OptionTLBDynamicLB:
		return rawBool(b.TLBDynamicLB)
	case OptionMissedMax:
		return int64(b.MissedMax)
	case OptionCoupledControl:
		return rawBool(b.CoupledControl)
	case OptionBroadcastNeighbor:
		return rawBool(b.BroadcastNeighbor)
	case OptionLACPStrict:
		return rawBool(b.LACPStrict)
	}
	return 0
}

// setRaw sets an option to a number, and does nothing for one that is no
// number.
func (b *Bond) setRaw(opt Option, v int64) {
	switch opt {
	case OptionMode:
		b.Mode = Mode(v)
	case OptionMIIMon:
		b.MIIMon = time.Duration(v) * time.Millisecond
	case OptionUpDelay:
		b.UpDelay = time.Duration(v) * time.Millisecond
	case OptionDownDelay:
		b.DownDelay = time.Duration(v) * time.Millisecond
	case OptionPeerNotifDelay:
		b.PeerNotifDelay = time.Duration(v) * time.Millisecond
	case OptionUseCarrier:
		b.UseCarrier = v != 0
	case OptionARPInterval:
		b.ARPInterval = time.Duration(v) * time.Millisecond
	case OptionARPValidate:
		b.ARPValidate = ARPValidate(v)
	case OptionARPAllTargets:
		b.ARPAllTargets = ARPAllTargets(v)
	case OptionPrimaryReselect:
		b.PrimaryReselect = PrimaryReselect(v)
	case OptionFailOverMAC:
		b.FailOverMAC = FailOverMAC(v)
	case OptionXmitHashPolicy:
		b.XmitHashPolicy = XmitHashPolicy(v)
	case OptionResendIGMP:
		b.ResendIGMP = uint32(v)
	case OptionNumPeerNotif:
		b.NumPeerNotif = uint8(v)
	case OptionAllSlavesActive:
		b.AllSlavesActive = v != 0
	case OptionMinLinks:
		b.MinLinks = uint32(v)
	case OptionLPInterval:
		b.LPInterval = time.Duration(v) * time.Second
	case OptionPacketsPerSlave:
		b.PacketsPerSlave = uint32(v)
	case OptionLACPActive:
		b.LACPActive = v != 0
	case OptionLACPRate:
		b.LACPRate = LACPRate(v)
	case OptionADSelect:
		b.ADSelect = ADSelect(v)
	case OptionADActorSysPrio:
		b.ADActorSysPrio = uint16(v)
	case OptionADUserPortKey:
		b.ADUserPortKey = uint16(v)
	case OptionTLBDynamicLB:
		b.TLBDynamicLB = v != 0
	case OptionMissedMax:
		b.MissedMax = uint8(v)
	case OptionCoupledControl:
		b.CoupledControl = v != 0
	case OptionBroadcastNeighbor:
		b.BroadcastNeighbor = v != 0
	case OptionLACPStrict:
		b.LACPStrict = v != 0
	}
}

// raw returns the number of an option, 0 for an option that is no number.
func (s *Slave) raw(opt Option) int64 {
	switch opt {
	case OptionSlaveState:
		return int64(s.State)
	case OptionMIIStatus:
		return int64(s.MIIStatus)
	case OptionLinkFailures:
		return int64(s.LinkFailures)
	case OptionQueueID:
		return int64(s.QueueID)
	case OptionAggregatorID:
		return int64(s.AggregatorID)
	case OptionActorPortState:
		return int64(s.ActorPortState)
	case OptionPartnerPortState:
		return int64(s.PartnerPortState)
	case OptionPrio:
		return int64(s.Prio)
	case OptionActorPortPrio:
		return int64(s.ActorPortPrio)
	case OptionActorChurn:
		return int64(s.ActorChurn)
	case OptionPartnerChurn:
		return int64(s.PartnerChurn)
	}
	return 0
}

// setRaw sets an option to a number, and does nothing for one that is no
// number.
func (s *Slave) setRaw(opt Option, v int64) {
	switch opt {
	case OptionSlaveState:
		s.State = SlaveState(v)
	case OptionMIIStatus:
		s.MIIStatus = MIIStatus(v)
	case OptionLinkFailures:
		s.LinkFailures = uint32(v)
	case OptionQueueID:
		s.QueueID = uint16(v)
	case OptionAggregatorID:
		s.AggregatorID = uint16(v)
	case OptionActorPortState:
		s.ActorPortState = PortState(v)
	case OptionPartnerPortState:
		s.PartnerPortState = PortState(v)
	case OptionPrio:
		s.Prio = int32(v)
	case OptionActorPortPrio:
		s.ActorPortPrio = uint16(v)
	case OptionActorChurn:
		s.ActorChurn = ChurnState(v)
	case OptionPartnerChurn:
		s.PartnerChurn = ChurnState(v)
	}
}

// raw returns the number of an option, and whether it is set.
func (o *SlaveOptions) raw(opt Option) (int64, bool) {
	switch {
	case opt == OptionQueueID && o.QueueID != nil:
		return int64(*o.QueueID), true
	case opt == OptionPrio && o.Prio != nil:
		return int64(*o.Prio), true
	case opt == OptionActorPortPrio && o.ActorPortPrio != nil:
		return int64(*o.ActorPortPrio), true
	}
	return 0, false
}

// setRaw sets an option to a number, cut to the width of its type.
func (o *SlaveOptions) setRaw(opt Option, v int64) {
	switch opt {
	case OptionQueueID:
		o.QueueID = new(uint16(v))
	case OptionPrio:
		o.Prio = new(int32(v))
	case OptionActorPortPrio:
		o.ActorPortPrio = new(uint16(v))
	}
}
