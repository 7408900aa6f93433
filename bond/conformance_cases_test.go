// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/bondkit/bondkit/bond"
)

// confValue is a value of an option as it is on the wire, and what it is.
type confValue struct {
	name string
	data []byte
}

// confNumber is a number in the width of an option, with the payload made shorter or longer by some bytes.
func confNumber(opt bond.Option, name string, v int64) confValue {
	return confValue{name, confOpt(opt, v)[4 : 4+opt.Info().Size]}
}

// confValues are the values that an option is tried with, made from its row of
// the table: the default, the ends of the range, others in it, those next to it, and wrong
// widths.
func confValues(opt bond.Option) []confValue {
	info := opt.Info()
	switch info.Kind {
	case bond.KindLink:
		return []confValue{
			{"none", confU32(0)},
			{"d1", confU32(confDummy + 1)},
			{"d2", confU32(confDummy + 2)},
			{"d3 that is no slave", confU32(confDummy + 3)},
			{"no such index", confU32(confMissing)},
			{"short", []byte{1, 0, 0}},
		}
	case bond.KindIPv4List:
		return confLists(opt, "192.0.2.%d", "10.0.0.1", "0.0.0.0", "255.255.255.255", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.254")
	case bond.KindIPv6List:
		return confLists(opt, "2001:db8::%d", "fe80::1", "::", "::1", "ff02::1", "::ffff:0:1", "::ffff:0:0", "::ffff:127.0.0.1", "::ffff:224.0.0.1", "fc00::1")
	case bond.KindMAC:
		return []confValue{
			{"zero", make([]byte, 6)},
			{"unicast", []byte{2, 3, 4, 5, 6, 7}},
			{"multicast", []byte{1, 0, 0x5e, 0, 0, 1}},
			{"broadcast", []byte{255, 255, 255, 255, 255, 255}},
			{"short", make([]byte, 5)},
			{"long", make([]byte, 8)},
			{"empty", nil},
		}
	case bond.KindNested:
		return []confValue{{"empty", nil}, {"one", confAttr(1, []byte{1, 0})}, {"short", []byte{1}}}
	}
	return confNumbers(&info)
}

func confNumbers(info *bond.OptionInfo) []confValue {
	opt := info.Option
	numbers := []int64{info.Default, info.Min, info.Max, info.Min - 1, info.Max + 1}
	if info.Kind == bond.KindEnum || info.Kind == bond.KindBool {
		for v := info.Min; v <= info.Max; v++ {
			numbers = append(numbers, v)
		}
	} else {
		// Times that no monitor reaches while a case is tried, one that is a
		// multiple of another, and one that is not.
		numbers = append(numbers, info.Min+1, 60000, 120000, 90001, 1<<(8*info.Size)-1)
	}
	slices.Sort(numbers)
	var values []confValue
	for _, v := range slices.Compact(numbers) {
		fits := v >= 0 && v < 1<<(8*info.Size)
		if info.Kind == bond.KindInt {
			fits = v >= -1<<(8*info.Size-1) && v < 1<<(8*info.Size-1)
		}
		// A monitor that is so fast floods the kernel's log, or finds that
		// nobody answers.
		fast := (opt == bond.OptionMIIMon || opt == bond.OptionARPInterval) && v > 0 && v < 50
		if fits && !fast {
			values = append(values, confNumber(opt, fmt.Sprint(v), v))
		}
	}
	last := values[len(values)-1].data
	return append(values,
		confValue{"short", last[:info.Size-1]},
		confValue{"long", append(confNumber(opt, "", info.Default).data, 0, 0)})
}

// confLists are lists of addresses. Format makes addresses that are taken.
func confLists(opt bond.Option, format string, others ...string) []confValue {
	many := func(n int) []byte {
		var addrs [][]byte
		for i := range n {
			addrs = append(addrs, confIP(fmt.Sprintf(format, i+1)))
		}
		return confList(opt, addrs...)[4:]
	}
	one, two := confIP(fmt.Sprintf(format, 1)), confIP(fmt.Sprintf(format, 2))
	values := []confValue{
		{"empty", nil},
		{"one", many(1)},
		{"three", many(3)},
		{"16", many(16)},
		{"17", many(17)},
		{"twice the same", confList(opt, one, two, one)[4:]},
		{"short element", confList(opt, one, two[:3])[4:]},
		{"long element", confList(opt, append(slices.Clone(one), 1, 2, 3, 4))[4:]},
		{"no nest", []byte{1, 2, 3}},
	}
	for _, s := range others {
		values = append(values, confValue{s, confList(opt, one, confIP(s))[4:]})
	}
	return values
}

// confSituation is a bond to try values on.
type confSituation struct {
	name    string
	modes   bond.ModeSet
	options [][]byte
	slaves  int
	up      bool
	// later are options for when there are slaves.
	later [][]byte
}

// confSituations are what every value is tried in, in every mode.
func confSituations() []confSituation {
	arp := [][]byte{
		confOpt(bond.OptionARPInterval, 60000), confList(bond.OptionARPTargets, confIP("192.0.2.77")),
		confOpt(bond.OptionARPValidate, 3),
	}
	mii := [][]byte{confOpt(bond.OptionMIIMon, 100)}
	delays := [][]byte{
		confOpt(bond.OptionUpDelay, 200), confOpt(bond.OptionDownDelay, 300), confOpt(bond.OptionPeerNotifDelay, 100),
	}
	return []confSituation{
		{name: "down", modes: bond.AllModes},
		{name: "up", modes: bond.AllModes, up: true},
		{name: "down with slaves", modes: bond.AllModes, slaves: 2},
		{name: "up with slaves", modes: bond.AllModes, slaves: 2, up: true},
		{name: "down with miimon and delays", modes: bond.Modes(bond.ModeBalanceRR, bond.ModeBalanceALB), options: mii, later: delays},
		{name: "up with slaves, miimon and delays", modes: bond.Modes(bond.ModeActiveBackup, bond.Mode8023AD), options: mii, slaves: 2, up: true, later: delays},
		{name: "down with arp_interval", modes: bond.Modes(bond.ModeBalanceXOR), options: arp},
		{name: "up with slaves and arp_interval", modes: bond.Modes(bond.ModeActiveBackup), options: arp, slaves: 2, up: true},
	}
}

// prepare makes the bond of a situation.
func (w *confWorld) prepare(s *confSituation, mode bond.Mode) {
	w.t.Helper()
	w.clear()
	w.next++
	w.bond = w.next
	options := append([][]byte{confOpt(bond.OptionMode, int64(mode))}, s.options...)
	w.must(confNewLink, confCreate|confExcl, confBody(w.bond, 0, 0,
		confAttr(confName, fmt.Appendf(nil, "t%d\x00", w.bond)), confAttr(confAddress, []byte{2, 1, 0, 0, 0, 1}), confBondInfo(options...)))
	for i := 1; i <= s.slaves; i++ {
		w.must(confNewLink, 0, confBody(confDummy+i, 0, 0, confAttr(confMaster, confU32(w.bond))))
	}
	if s.up {
		w.must(confNewLink, 0, confBody(w.bond, bond.FlagUp, bond.FlagUp))
	}
	if len(s.later) > 0 {
		w.must(confNewLink, 0, confBody(w.bond, 0, 0, confBondInfo(s.later...)))
	}
}

// sweep tries every value of every option of a bond in a situation, and writes
// what the kernel makes of it to the log. Tell gets each case before and after, with
// what the bond was, to judge it by other means.
func (w *confWorld) sweep(s *confSituation, mode bond.Mode, tell func(opt bond.Option, name string, body, payload []byte, before confState, ke *bond.KernelError)) {
	w.t.Helper()
	w.prepare(s, mode)
	start := w.read()
	w.alone = s.slaves == 0
	defer func() { w.alone = false }()
	w.log = append(w.log, fmt.Sprintf("%v %s: %s", mode, s.name, start))
	for opt := range bond.AllOptions() {
		if opt.Info().Slave {
			continue
		}
		for _, v := range confValues(opt) {
			body := confBody(w.bond, 0, 0, confBondInfo(confAttr(int(opt.Info().Attr), v.data)))
			ke := w.do(confNewLink, 0, body)
			after := w.read()
			what := fmt.Sprintf("%v %s: %v %s (%s)", mode, s.name, opt, v.name, hex.EncodeToString(v.data))
			if len(v.data) > 40 {
				what = fmt.Sprintf("%v %s: %v %s", mode, s.name, opt, v.name)
			}
			w.log = append(w.log, what+": "+confAnswer(body, ke)+start.diff(after))
			if tell != nil {
				tell(opt, what, body, v.data, start, ke)
			}
			// What hides while it does not count, such as the name of a primary that is no
			// slave, is set back by a new bond too.
			hides := ke == nil && opt == bond.OptionPrimary
			if diff := start.diff(after); diff != "" && !w.restore(start, after) || hides {
				w.prepare(s, mode)
				if diff := start.diff(w.read()); diff != "" {
					w.t.Fatalf("%s: the next bond of the situation differs:%s", what, diff)
				}
			}
		}
	}
	w.clear()
}

// restore tries to set the options back in one message, which is faster than
// another bond.
func (w *confWorld) restore(want, have confState) bool {
	w.t.Helper()
	var options [][]byte
	for opt := range bond.AllOptions() {
		typ := int(opt.Info().Attr)
		if opt.Info().Slave || want.bond[typ] == have.bond[typ] {
			continue
		}
		data, err := hex.DecodeString(want.bond[typ])
		list := opt == bond.OptionARPTargets || opt == bond.OptionNSTargets
		if err != nil || len(data) == 0 && !list {
			if typ >= 24 && typ <= 26 {
				continue // not told in this mode
			}
			return false
		}
		options = append(options, confAttr(typ, data))
	}
	w.do(confNewLink, 0, confBody(w.bond, 0, 0, confBondInfo(options...)))
	return want.diff(w.read()) == ""
}

// sweepSlaves tries every value of every option of a slave.
func (w *confWorld) sweepSlaves(mode bond.Mode) {
	w.t.Helper()
	w.prepare(&confSituation{slaves: 2, up: true}, mode)
	for opt := range bond.AllOptions() {
		if !opt.Info().Slave {
			continue
		}
		values := confValues(opt)
		if opt == bond.OptionPermMAC {
			values = []confValue{{"some", confMAC(9)}}
		}
		if opt == bond.OptionQueueID {
			values = append(values, confNumber(opt, "2", 2), confNumber(opt, "16", 16), confNumber(opt, "17", 17), confNumber(opt, "0", 0))
		}
		for _, v := range values {
			for i := 1; i <= 3; i++ { // the third is no slave
				body := confBody(confDummy+i, 0, 0, confAttr(confInfo, confAttr(confSlaveData, confAttr(int(opt.Info().Attr), v.data))))
				w.change(fmt.Sprintf("%v slave %d: %v %s (%s)", mode, i, opt, v.name, hex.EncodeToString(v.data)), confNewLink, 0, body)
			}
		}
	}
	w.clear()
}
