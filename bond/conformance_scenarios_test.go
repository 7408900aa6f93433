// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"slices"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// confScenario is one thing that takes several requests. What both kernels must
// do is in it; whatever else they do must be the same.
type confScenario struct {
	name string
	run  func(w *confWorld)
}

// expect checks the number of an answer, "" for none.
func (w *confWorld) expect(ke *bond.KernelError, want string) {
	w.t.Helper()
	got := ""
	if ke != nil {
		got = confErrno(ke.Errno)
	}
	if got != want {
		w.t.Errorf("%s\n  got %q, want %q", w.log[len(w.log)-1], got, want)
	}
}

// has checks an option of the bond under test, nil for absent.
func (w *confWorld) has(opt bond.Option, want []byte) {
	w.t.Helper()
	if !w.knows(opt) {
		return
	}
	got, ok := w.read().bond[int(opt.Info().Attr)]
	if ok != (want != nil) || got != confHex(want) {
		w.t.Errorf("%s\n  %v is %q, want %q", w.log[len(w.log)-1], opt, got, confHex(want))
	}
}

// eventually waits until the bond is as it should be, for what the kernel does in its own
// time.
func (w *confWorld) eventually(what string, ok func(confState) bool) {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(20 * time.Second)
	for {
		s := w.read()
		if ok(s) {
			w.log = append(w.log, what+"\n    "+s.String())
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			w.t.Errorf("%s: not after 20 s: %v", what, s)
			w.log = append(w.log, what+": never")
			return
		}
	}
}

func confMode(m bond.Mode) []byte { return confOpt(bond.OptionMode, int64(m)) }
func confMIIMon(ms int64) []byte  { return confOpt(bond.OptionMIIMon, ms) }
func confLink(o bond.Option, i int) []byte {
	if i > 0 && i <= confDummies {
		i += confDummy
	}
	return confOpt(o, int64(i))
}

// create1 makes a bond with an address of its own, so that it does not take that of its
// first slave.
func (w *confWorld) create1(slaves int, up bool, options ...[]byte) {
	w.t.Helper()
	w.clear()
	w.create("create", options...)
	for i := 1; i <= slaves; i++ {
		w.master("enslave", i, w.bond)
	}
	if up {
		w.up("up", w.bond, true)
	}
}

var confScenarios = []confScenario{
	{"options before the bad one stay", func(w *confWorld) {
		w.create1(0, false)
		w.expect(w.set("77 and bad lp_interval", confMIIMon(77), confOpt(bond.OptionLPInterval, 0)), "EINVAL")
		w.has(bond.OptionMIIMon, confU32(77))
		w.expect(w.set("bad lp_interval first in the message", confOpt(bond.OptionLPInterval, 0), confMIIMon(78)), "EINVAL")
		w.has(bond.OptionMIIMon, confU32(78))
		w.expect(w.set("bad mode, good miimon", confMode(9), confMIIMon(79)), "EINVAL")
		w.has(bond.OptionMIIMon, confU32(78))
		w.expect(w.set("wrong width, good miimon", confAttr(int(bond.OptionLPInterval), []byte{1}), confMIIMon(80)), "ERANGE")
		w.has(bond.OptionMIIMon, confU32(78))
		w.expect(w.set("twice in one message", confMIIMon(81), confMIIMon(82)), "")
		w.has(bond.OptionMIIMon, confU32(82))
	}},
	{"failed create leaves nothing", func(w *confWorld) {
		w.expect(w.create("bad lp_interval", confMIIMon(77), confOpt(bond.OptionLPInterval, 0)), "EINVAL")
		if w.read().body != nil {
			w.t.Error("the bond is there")
		}
		w.expect(w.create("active_slave in balance-rr", confLink(bond.OptionActiveSlave, 0)), "EACCES")
		w.expect(w.create("arp_interval in 802.3ad", confMode(4), confOpt(bond.OptionARPInterval, 0)), "EACCES")
		w.expect(w.create("missed_max in 802.3ad", confMode(4), confOpt(bond.OptionLACPRate, 0)), "")
	}},
	{"order in the message does not matter", func(w *confWorld) {
		options := [][]byte{
			confMode(4), confMIIMon(100), confOpt(bond.OptionUpDelay, 200), confOpt(bond.OptionLACPRate, 1),
			confOpt(bond.OptionADSelect, 1), confOpt(bond.OptionADActorSysPrio, 7), confOpt(bond.OptionMinLinks, 2),
		}
		w.expect(w.create("forwards", options...), "")
		forwards := w.read().String()
		w.clear()
		slices.Reverse(options)
		w.expect(w.create("backwards", options...), "")
		if backwards := w.read().String(); backwards != forwards {
			w.t.Errorf("forwards:  %s\nbackwards: %s", forwards, backwards)
		}
	}},
	{"MII and ARP monitoring", func(w *confWorld) {
		arp, validate := confOpt(bond.OptionARPInterval, 60000), confOpt(bond.OptionARPValidate, 3)
		w.create1(0, false, confMode(1))
		w.expect(w.set("both", confMIIMon(100), arp), "EINVAL")
		w.expect(w.set("MII and validate", confMIIMon(100), validate), "EINVAL")
		w.expect(w.set("MII and validate and arp_interval 0", confMIIMon(100), validate, confOpt(bond.OptionARPInterval, 0)), "EINVAL")
		w.expect(w.set("no MII, but ARP", confMIIMon(0), arp, validate), "")
		w.expect(w.set("MII", confMIIMon(100)), "")
		w.has(bond.OptionARPInterval, confU32(0))
		w.has(bond.OptionARPValidate, confU32(0))
		w.expect(w.set("validate while MII runs", validate), "")
		w.expect(w.set("MII again", confMIIMon(100)), "")
		w.expect(w.set("ARP", arp), "")
		w.has(bond.OptionMIIMon, confU32(0))
		w.expect(w.set("ARP off", confOpt(bond.OptionARPInterval, 0)), "")
		w.expect(w.set("validate alone", validate), "")
	}},
	{"delays are multiples of miimon", func(w *confWorld) {
		up, down, peer := bond.OptionUpDelay, bond.OptionDownDelay, bond.OptionPeerNotifDelay
		w.create1(0, false, confMode(1))
		w.expect(w.set("without miimon", confOpt(up, 0)), "EPERM")
		w.expect(w.set("without miimon", confOpt(down, 100)), "EPERM")
		w.expect(w.set("without miimon", confOpt(peer, 100)), "EPERM")
		w.expect(w.set("with miimon in the message", confOpt(up, 150), confOpt(down, 300), confOpt(peer, 250), confMIIMon(100)), "")
		w.has(up, confU32(100))
		w.expect(w.set("miimon 50", confMIIMon(50)), "")
		w.has(up, confU32(50))
		w.expect(w.set("no miimon", confMIIMon(0)), "")
		w.has(down, confU32(0))
		w.expect(w.set("miimon 100", confMIIMon(100)), "")
		w.has(down, confU32(300))
		w.expect(w.set("arp_interval", confOpt(bond.OptionARPInterval, 60000)), "")
		w.expect(w.set("delay with arp_interval", confOpt(up, 0)), "EPERM")
		w.expect(w.set("miimon 100", confMIIMon(100)), "")
		w.has(up, confU32(100))
		w.expect(w.set("to 802.3ad and back", confMode(4)), "")
		w.expect(w.set("to 802.3ad and back", confMode(1), confMIIMon(0)), "")
		w.expect(w.set("to 802.3ad", confMode(4)), "")
		w.has(bond.OptionMIIMon, confU32(100))
	}},
	{"what a choice of mode changes", func(w *confWorld) {
		w.create1(0, false, confMode(1), confOpt(bond.OptionARPInterval, 60000), confOpt(bond.OptionARPValidate, 6),
			confList(bond.OptionARPTargets, confIP("192.0.2.1")), confOpt(bond.OptionFailOverMAC, 2))
		w.expect(w.set("the same", confMode(1)), "")
		w.has(bond.OptionARPValidate, confU32(0))
		w.expect(w.set("802.3ad", confMode(4), confOpt(bond.OptionLACPRate, 1), confOpt(bond.OptionBroadcastNeighbor, 1)), "")
		w.has(bond.OptionMIIMon, confU32(100))
		w.has(bond.OptionARPInterval, confU32(0))
		w.expect(w.set("balance-tlb", confMode(5), confOpt(bond.OptionTLBDynamicLB, 0)), "")
		w.has(bond.OptionTLBDynamicLB, []byte{0})
		w.expect(w.set("balance-alb", confMode(6)), "")
		w.has(bond.OptionTLBDynamicLB, []byte{1})
		w.expect(w.set("balance-rr", confMode(0), confOpt(bond.OptionPacketsPerSlave, 9)), "")
		w.has(bond.OptionMIIMon, confU32(100))
		w.expect(w.set("802.3ad", confMode(4)), "")
		w.has(bond.OptionLACPRate, []byte{1})
		w.expect(w.set("balance-xor and arp_interval at once", confMode(2), confMIIMon(0), confOpt(bond.OptionARPInterval, 60000)), "")
	}},
	{"lists of targets", func(w *confWorld) {
		v4, v6 := bond.OptionARPTargets, bond.OptionNSTargets
		a, b, c := confIP("192.0.2.1"), confIP("192.0.2.2"), confIP("192.0.2.3")
		w.create1(0, false, confMode(1))
		w.expect(w.set("two", confList(v4, a, b)), "")
		w.expect(w.set("replaced", confList(v4, c, a)), "")
		w.expect(w.set("twice the same", confList(v4, b, c, b, a)), "EINVAL")
		w.expect(w.set("zero", confList(v4, b, confIP("0.0.0.0"), a)), "EINVAL")
		w.expect(w.set("emptied", confList(v4)), "")
		w.has(v4, nil)
		d, e := confIP("2001:db8::1"), confIP("2001:db8::2")
		w.set("two of IPv6", confList(v6, d, e))
		w.set("IPv6 twice the same", confList(v6, e, d, e))
		w.set("IPv6 that is IPv4", confList(v6, d, a))
		w.set("both lists, the second bad", confList(v4, a), confList(v6, confIP("ff02::1")))
		w.set("both lists, the first bad", confList(v4, confIP("0.0.0.0")), confList(v6, d))
		w.set("802.3ad keeps them", confMode(4))
	}},
	{"primary", func(w *confWorld) {
		primary := bond.OptionPrimary
		w.create1(2, true, confMode(1))
		w.has(bond.OptionActiveSlave, confU32(confDummy+1))
		w.expect(w.set("d2", confLink(primary, 2)), "")
		w.has(bond.OptionActiveSlave, confU32(confDummy+2))
		w.expect(w.set("none of that index", confLink(primary, confMissing)), "")
		w.has(primary, nil)
		w.expect(w.set("d3 that is no slave", confLink(primary, 3)), "")
		w.has(primary, nil)
		w.expect(w.master("d3 enslaved", 3, w.bond), "")
		w.has(primary, confU32(confDummy+3))
		w.has(bond.OptionActiveSlave, confU32(confDummy+3))
		w.expect(w.master("d3 released", 3, 0), "")
		w.has(primary, nil)
		w.expect(w.master("d3 enslaved again", 3, w.bond), "")
		w.expect(w.master("d3 released again", 3, 0), "")
		w.expect(w.set("d2 again", confLink(primary, 2)), "")
		w.expect(w.set("active d1", confLink(bond.OptionActiveSlave, 1)), "")
		w.expect(w.set("reselect", confOpt(bond.OptionPrimaryReselect, 0)), "")
		w.expect(w.set("reselect failure", confOpt(bond.OptionPrimaryReselect, 2)), "")
		w.expect(w.set("active d1", confLink(bond.OptionActiveSlave, 1)), "")
		w.expect(w.set("reselect better", confOpt(bond.OptionPrimaryReselect, 1)), "")
		w.expect(w.set("none", confLink(primary, 0)), "")
	}},
	{"primary of another name", func(w *confWorld) {
		w.create1(0, false, confMode(1), confLink(bond.OptionPrimary, 2))
		w.has(bond.OptionPrimary, nil)
		w.master("d1 enslaved", 1, w.bond)
		w.master("d2 enslaved", 2, w.bond)
		w.has(bond.OptionPrimary, confU32(confDummy+2))
		// A name can be changed only while the interface is down, before 6.12.
		w.up("d2 down", confDummy+2, false)
		w.change("d2 is x2", confNewLink, 0, confBody(confDummy+2, 0, 0, confAttr(confName, []byte("x2\x00"))))
		w.has(bond.OptionPrimary, nil)
		w.change("x2 is d2", confNewLink, 0, confBody(confDummy+2, 0, 0, confAttr(confName, []byte("d2\x00"))))
		w.up("d2 up", confDummy+2, true)
		w.change("d2 that is up is x2", confNewLink, 0, confBody(confDummy+2, 0, 0, confAttr(confName, []byte("x2\x00"))))
		w.change("a name that is taken", confNewLink, 0, confBody(confDummy+4, 0, 0, confAttr(confName, []byte("d1\x00"))))
	}},
	{"active slave", func(w *confWorld) {
		active := bond.OptionActiveSlave
		w.create1(0, true, confMode(1))
		w.expect(w.set("none without slaves", confLink(active, 0)), "")
		w.expect(w.set("no such index", confLink(active, confMissing)), "ENODEV")
		w.expect(w.set("d1 that is no slave", confLink(active, 1)), "EINVAL")
		for i := 1; i <= 3; i++ {
			w.expect(w.master("enslave", i, w.bond), "")
		}
		w.expect(w.set("the same", confLink(active, 1)), "")
		w.expect(w.set("d3", confLink(active, 3)), "")
		w.has(active, confU32(confDummy+3))
		w.expect(w.set("none", confLink(active, 0)), "")
		w.expect(w.set("d2", confLink(active, 2)), "")
		w.expect(w.set("a choice of primary_reselect chooses anew", confOpt(bond.OptionPrimaryReselect, 0)), "")
		w.expect(w.set("d2", confLink(active, 2)), "")
		w.expect(w.up("the bond is down", w.bond, false), "")
		w.expect(w.set("d3 while down", confLink(active, 3)), "")
		w.expect(w.up("d1 down", confDummy+1, false), "")
		w.expect(w.set("d1 that is down", confLink(active, 1)), "EINVAL")
		w.expect(w.set("the bond itself", confOpt(active, int64(w.bond))), "EINVAL")
	}},
	{"choice by prio", func(w *confWorld) {
		w.create1(3, true, confMode(1))
		w.setSlave("d2 10", 2, confOpt(bond.OptionPrio, 10))
		w.setSlave("d3 5", 3, confOpt(bond.OptionPrio, 5))
		w.setSlave("d2 -1", 2, confOpt(bond.OptionPrio, -1))
		w.set("d1 by hand", confLink(bond.OptionActiveSlave, 1))
		w.setSlave("d1 5 as d3", 1, confOpt(bond.OptionPrio, 5))
		w.set("d2 primary", confLink(bond.OptionPrimary, 2))
		w.setSlave("d3 99", 3, confOpt(bond.OptionPrio, 99))
		w.set("no primary", confLink(bond.OptionPrimary, 0))
		w.set("reselect failure", confOpt(bond.OptionPrimaryReselect, 2))
		w.setSlave("d1 100", 1, confOpt(bond.OptionPrio, 100))
		w.setSlave("queue and prio", 1, confOpt(bond.OptionQueueID, 3), confOpt(bond.OptionPrio, 7))
		w.expect(w.setSlave("good prio, bad queue", 1, confOpt(bond.OptionPrio, 8), confOpt(bond.OptionQueueID, 17)), "EPERM")
		w.expect(w.setSlave("queue taken", 2, confOpt(bond.OptionQueueID, 3)), "EPERM")
	}},
	{"carrier", func(w *confWorld) {
		cable := func(i int, on byte) {
			if ke := w.do(confNewLink, 0, confBody(confDummy+i, 0, 0, confAttr(confCarrier, []byte{on}))); ke != nil {
				w.t.Error(ke)
			}
		}
		active := func(i int) func(confState) bool {
			want := ""
			if i > 0 {
				want = confHex(confU32(confDummy + i))
			}
			return func(s confState) bool { return s.bond[int(bond.OptionActiveSlave)] == want }
		}
		w.create1(2, true, confMode(1))
		w.expect(w.change("d1 loses its cable, and nobody looks", confNewLink, 0, confBody(confDummy+1, 0, 0, confAttr(confCarrier, []byte{0}))), "")
		w.has(bond.OptionActiveSlave, confU32(confDummy+1))
		w.do(confNewLink, 0, confBody(w.bond, 0, 0, confBondInfo(confMIIMon(50))))
		w.eventually("miimon looks", active(2))
		w.expect(w.set("d1 without cable", confLink(bond.OptionActiveSlave, 1)), "EINVAL")
		cable(2, 0)
		w.eventually("no cable at all", active(0))
		cable(2, 1)
		w.eventually("d2 is back", active(2))
		w.do(confNewLink, 0, confBody(w.bond, 0, 0, confBondInfo(confLink(bond.OptionPrimary, 1))))
		cable(1, 1)
		w.eventually("the primary is back", active(1))
		w.do(confNewLink, 0, confBody(confDummy+1, 0, bond.FlagUp))
		w.eventually("the primary is switched off", active(2))
	}},
	{"enslave", func(w *confWorld) {
		w.create1(0, false, confMode(1))
		w.expect(w.up("d1 up", confDummy+1, true), "")
		w.expect(w.master("d1 that is up", 1, w.bond), "EPERM")
		w.expect(w.change("down and enslaved at once", confNewLink, 0, confBody(confDummy+1, 0, bond.FlagUp, confAttr(confMaster, confU32(w.bond)))), "")
		w.expect(w.change("up and enslaved at once", confNewLink, 0, confBody(confDummy+2, bond.FlagUp, bond.FlagUp, confAttr(confMaster, confU32(w.bond)))), "EPERM")
		w.expect(w.up("d2 down", confDummy+2, false), "")
		w.expect(w.change("with options at once", confNewLink, 0, confBody(confDummy+2, 0, 0, confAttr(confMaster, confU32(w.bond)),
			confAttr(confInfo, confAttr(confSlaveData, confOpt(bond.OptionQueueID, 2))))), "EOPNOTSUPP")
		w.expect(w.master("d2", 2, w.bond), "")
		w.expect(w.master("d2 again", 2, w.bond), "")
		w.expect(w.master("no such master", 3, confMissing), "EINVAL")
		w.expect(w.master("no such master for a slave", 2, confMissing), "EINVAL")
		w.expect(w.master("d4 as master", 3, confDummy+4), "EOPNOTSUPP")
		w.expect(w.change("itself", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confMaster, confU32(w.bond)))), "EPERM")
		w.expect(w.change("lo", confNewLink, 0, confBody(1, 0, 0, confAttr(confMaster, confU32(w.bond)))), "EPERM")
		w.do(confNewLink, 0, confBody(1, 0, bond.FlagUp))
		w.expect(w.change("lo that is down", confNewLink, 0, confBody(1, 0, 0, confAttr(confMaster, confU32(w.bond)))), "EINVAL")
		w.do(confNewLink, 0, confBody(1, bond.FlagUp, bond.FlagUp))
		first := w.bond
		w.expect(w.create("another bond"), "")
		w.expect(w.master("d1 is moved", 1, w.bond), "")
		w.expect(w.change("a bond is a slave", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confMaster, confU32(first)))), "")
		second := w.bond
		w.bond = first
		w.set("after all that")
		w.expect(w.change("the outer one goes", confDelLink, 0, confBody(first, 0, 0)), "")
		w.bond = second
		w.set("the inner one stays")
	}},
	{"release", func(w *confWorld) {
		w.create1(2, true, confMode(1))
		w.expect(w.change("mtu", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confMTU, confU32(9000)))), "")
		w.expect(w.change("mtu too small", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confMTU, confU32(60)))), "EINVAL")
		w.expect(w.change("address", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confAddress, []byte{2, 1, 0, 0, 0, 7}))), "")
		w.expect(w.change("no unicast address", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confAddress, []byte{1, 0, 0x5e, 0, 0, 1}))), "EADDRNOTAVAIL")
		w.expect(w.change("zero address", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confAddress, make([]byte, 6)), confBondInfo())), "EADDRNOTAVAIL")
		w.expect(w.change("short address", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confAddress, make([]byte, 5)))), "EINVAL")
		w.dummy("as a slave", 1)
		w.expect(w.master("d1", 1, 0), "")
		w.dummy("released", 1)
		w.expect(w.master("d1 once more", 1, 0), "")
		w.expect(w.master("the last", 2, 0), "")
		w.dummy("released", 2)
		w.expect(w.master("d1 enslaved", 1, w.bond), "")
		w.expect(w.change("delete", confDelLink, 0, confBody(w.bond, 0, 0)), "")
		w.dummy("the bond is gone", 1)
	}},
	{"fail_over_mac", func(w *confWorld) {
		for fom := range int64(3) {
			w.create1(0, false, confMode(1), confOpt(bond.OptionFailOverMAC, fom))
			w.master("d1", 1, w.bond)
			w.expect(w.set("with slaves", confOpt(bond.OptionFailOverMAC, fom)), "ENOTEMPTY")
			w.up("up", w.bond, true)
			w.master("d2", 2, w.bond)
			w.expect(w.set("active d2", confLink(bond.OptionActiveSlave, 2)), "")
			w.expect(w.change("address", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confAddress, []byte{2, 1, 0, 0, 0, 8}))), "")
			w.expect(w.set("active d1", confLink(bond.OptionActiveSlave, 1)), "")
			w.master("d1 released", 1, 0)
			w.master("d2 released", 2, 0)
			w.dummy("after", 1)
			w.dummy("after", 2)
			w.clear()
			w.reset()
		}
	}},
	{"requests to create and change", func(w *confWorld) {
		w.create1(0, false)
		name := confAttr(confName, []byte("other\x00"))
		mii := confBondInfo(confMIIMon(300))
		w.expect(w.change("exclusive", confNewLink, confCreate|confExcl, confBody(w.bond, 0, 0, mii)), "EEXIST")
		w.expect(w.change("create what is there", confNewLink, confCreate, confBody(w.bond, 0, 0, mii)), "")
		w.has(bond.OptionMIIMon, confU32(300))
		w.expect(w.change("replace", confNewLink, confCreate|confReplace, confBody(w.bond, 0, 0, mii)), "EOPNOTSUPP")
		w.expect(w.change("change what is not there", confNewLink, 0, confBody(confMissing, 0, 0, mii)), "ENODEV")
		w.expect(w.change("change a name that is not there", confNewLink, 0, confBody(0, 0, 0, name, mii)), "ENODEV")
		w.expect(w.change("nothing named", confNewLink, 0, confBody(0, 0, 0, mii)), "ENODEV")
		w.expect(w.change("unknown kind", confNewLink, confCreate|confExcl, confBody(0, 0, 0, name, confAttr(confInfo, confAttr(confKind, []byte("nonsense"))))), "EOPNOTSUPP")
		w.expect(w.change("data without a kind", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confInfo, confAttr(confData, confMIIMon(400))))), "EOPNOTSUPP")
		w.expect(w.change("data of another kind", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confInfo, confAttr(confKind, []byte("dummy")), confAttr(confData, confMIIMon(400))))), "EOPNOTSUPP")
		w.expect(w.change("data for what is no bond", confNewLink, 0, confBody(confDummy+1, 0, 0, confBondInfo(confMIIMon(400)))), "EOPNOTSUPP")
		w.expect(w.change("slave data for what is no slave", confNewLink, 0, confBody(confDummy+1, 0, 0, confAttr(confInfo, confAttr(confSlaveData, confOpt(bond.OptionQueueID, 0))))), "EOPNOTSUPP")
		w.expect(w.change("RTM_SETLINK", confSetLink, 0, confBody(w.bond, 0, 0, confBondInfo(confMIIMon(500)))), "")
		w.has(bond.OptionMIIMon, confU32(300))
		w.expect(w.set("unknown attributes", confAttr(35, []byte{1}), confAttr(200, []byte{1, 2, 3}), confMIIMon(600)), "")
		w.has(bond.OptionMIIMon, confU32(600))
		w.expect(w.set("number 0", confAttr(0, []byte{1})), "")
		w.expect(w.change("delete what is not there", confDelLink, 0, confBody(confMissing, 0, 0)), "ENODEV")
		w.expect(w.change("delete a name that is not there", confDelLink, 0, confBody(0, 0, 0, name)), "ENODEV")
		w.expect(w.change("delete nothing", confDelLink, 0, confBody(0, 0, 0)), "EINVAL")
		w.clear()
		w.bond = 1
		w.change("lo cannot be deleted", confDelLink, 0, confBody(1, 0, 0))
		w.bond = 0
	}},
	{"create with everything", func(w *confWorld) {
		w.next++
		w.bond = w.next
		create := func(what string, flags uint32, attrs ...[]byte) *bond.KernelError {
			return w.change(what, confNewLink, confCreate|confExcl, confBody(w.bond, flags, flags, attrs...))
		}
		w.expect(create("no queues", 0, confAttr(confName, []byte("tx\x00")), confAttr(confQueues, confU32(0)), confBondInfo()), "EINVAL")
		w.expect(create("name too long", 0, confAttr(confName, []byte("abcdefghijklmnop\x00")), confBondInfo()), "ERANGE")
		w.expect(create("impossible name", 0, confAttr(confName, []byte("a/b\x00")), confBondInfo()), "EINVAL")
		w.expect(create("name taken", 0, confAttr(confName, []byte("d1\x00")), confBondInfo()), "EEXIST")
		w.expect(create("bad mtu", 0, confAttr(confName, []byte("tx\x00")), confAttr(confMTU, confU32(7)), confBondInfo()), "EINVAL")
		w.expect(create("bad address", 0, confAttr(confName, []byte("tx\x00")), confAttr(confAddress, make([]byte, 6)), confBondInfo()), "EADDRNOTAVAIL")
		w.expect(create("up in 802.3ad with lacp_rate", bond.FlagUp, confAttr(confName, []byte("tx\x00")), confAttr(confMTU, confU32(1400)),
			confAttr(confQueues, confU32(4)), confAttr(confAddress, []byte{2, 1, 0, 0, 0, 9}), confBondInfo(confMode(4), confOpt(bond.OptionLACPRate, 1))), "")
		w.expect(w.change("down and lacp_rate at once", confNewLink, 0, confBody(w.bond, 0, bond.FlagUp, confBondInfo(confOpt(bond.OptionLACPRate, 0)))), "EBUSY")
		w.expect(w.up("down", w.bond, false), "")
		w.expect(w.change("up and lacp_rate at once", confNewLink, 0, confBody(w.bond, bond.FlagUp, bond.FlagUp, confBondInfo(confOpt(bond.OptionLACPRate, 0)))), "")
		w.expect(w.master("d1 gets the address and mtu", 1, w.bond), "")
		w.expect(w.setSlave("queue 4", 1, confOpt(bond.OptionQueueID, 4)), "")
		w.expect(w.setSlave("queue 5 of 4", 1, confOpt(bond.OptionQueueID, 5)), "EPERM")
		w.expect(w.set("mode while up with slaves", confMode(1)), "ENOTEMPTY")
		w.expect(w.change("d1 vanishes", confDelLink, 0, confBody(confDummy+1, 0, 0)), "")
		w.expect(w.set("mode while up", confMode(1)), "EBUSY")
		w.must(confNewLink, confCreate|confExcl, confBody(confDummy+1, 0, 0, confAttr(confName, []byte("d1\x00")),
			confAttr(confAddress, confMAC(1)), confAttr(confInfo, confAttr(confKind, []byte("dummy")))))
	}},
}

// dummy writes to the log what an interface that may be a slave is like.
func (w *confWorld) dummy(what string, i int) {
	w.t.Helper()
	replies, err := w.tr.Do(w.t.Context(), bond.Message{Type: confGetLink, Data: confBody(confDummy+i, 0, 0)})
	if err != nil || len(replies) != 1 {
		w.t.Fatalf("reading d%d: %v", i, err)
	}
	w.log = append(w.log, what+": "+confLinkString(replies[0].Data))
}
