// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/bondkit/bondkit/bond"
)

// confListener writes to the log which messages a change causes.
type confListener struct {
	w      *confWorld
	sub    bond.Subscription
	marker int
	known  map[int]string
	// every message counts, and not only those that say something new.
	every bool
}

func (w *confWorld) listen() *confListener {
	w.t.Helper()
	sub, err := w.tr.Subscribe(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return &confListener{w: w, sub: sub, marker: 2000, known: map[int]string{}}
}

// heard writes the messages since the last call to the log. Nothing is waited for but the
// message of a change of d4, which comes after all that were sent before.
func (l *confListener) heard(what string) {
	l.w.t.Helper()
	l.marker++
	l.w.must(confNewLink, 0, confBody(confDummy+4, 0, 0, confAttr(confMTU, confU32(l.marker))))
	ctx, cancel := context.WithTimeout(l.w.t.Context(), 20*time.Second)
	defer cancel()
	var lines []string
	for {
		messages, err := l.sub.Receive(ctx)
		if err != nil {
			l.w.t.Fatalf("%s: %v", what, err)
		}
		done := false
		for _, m := range messages {
			index := int(binary.NativeEndian.Uint32(m.Data[4:]))
			if index == confDummy+4 {
				mtu := confFind(m.Data, confMTU)
				done = done || mtu != nil && binary.NativeEndian.Uint32(mtu) == uint32(l.marker)
				continue
			}
			line := confMessage(m)
			if l.every || line != l.known[index] {
				lines = append(lines, line)
			}
			l.known[index] = line
		}
		if done {
			break
		}
	}
	if len(lines) == 0 {
		lines = []string{"nothing"}
	}
	l.w.log = append(l.w.log, what+"\n    "+strings.Join(lines, "\n    "))
}

// confMessage is what is told of a message.
func confMessage(m bond.Message) string {
	event := ""
	if e := confFind(m.Data, 44); e != nil {
		event = fmt.Sprintf(" event %d", binary.NativeEndian.Uint32(e))
	}
	master := ""
	if i := confFind(m.Data, confMaster); i != nil {
		master = " slave"
	}
	data := confMap(confInside(m.Data, confInfo, confData), confVolatile)
	slave := confMap(confInside(m.Data, confInfo, confSlaveData), confSlaveVolatile)
	return fmt.Sprintf("type %d index %d family %d%s%s up=%v mtu=%d miimon=%s active=%s state=%s", m.Type,
		binary.NativeEndian.Uint32(m.Data[4:]), m.Data[0], event, master, binary.NativeEndian.Uint32(m.Data[8:])&bond.FlagUp != 0,
		binary.NativeEndian.Uint32(confFind(m.Data, confMTU)), data[3], data[2], slave[1])
}

// settled waits until the bond has its operational state, which the kernel changes
// and tells in its own time.
func (w *confWorld) settled(state bond.OperState) {
	w.t.Helper()
	w.eventually("settled", func(s confState) bool {
		op := confFind(s.body, 16)
		return len(op) == 1 && bond.OperState(op[0]) == state
	})
}

var confEvents = confScenario{"messages", func(w *confWorld) {
	w.create1(0, false, confMode(1), confOpt(bond.OptionResendIGMP, 0), confOpt(bond.OptionNumPeerNotif, 0))
	l := w.listen()
	defer l.sub.Close()
	l.every = true
	w.set("miimon while down", confMIIMon(100))
	l.heard("a bond that is down says nothing")
	w.up("up", w.bond, true)
	w.settled(bond.OperDown)
	l.every = false
	l.heard("up")
	l.every = true
	w.set("miimon", confMIIMon(110))
	l.heard("one message")
	w.set("the same", confMIIMon(110))
	l.heard("one message for what is the same")
	w.set("several", confMIIMon(100), confOpt(bond.OptionMinLinks, 1), confOpt(bond.OptionLPInterval, 2))
	l.heard("one message for several")
	w.set("one is refused", confMIIMon(120), confOpt(bond.OptionLPInterval, 0))
	l.heard("none for a change that failed in part")
	w.set("nothing")
	l.heard("none for nothing")

	l.every = false
	for i := 1; i <= 2; i++ {
		w.master("enslave", i, w.bond)
	}
	w.settled(bond.OperUp)
	l.heard("two slaves")
	l.every = true
	w.setSlave("queue_id", 2, confOpt(bond.OptionQueueID, 2))
	l.heard("one message of the slave")
	l.every = false
	w.set("active", confLink(bond.OptionActiveSlave, 2))
	l.heard("the slaves, and then the bond")
	w.setSlave("prio", 1, confOpt(bond.OptionPrio, 5))
	l.heard("prio")
	w.set("primary", confLink(bond.OptionPrimary, 2))
	l.heard("primary")
	w.change("mtu", confNewLink, 0, confBody(w.bond, 0, 0, confAttr(confMTU, confU32(1400))))
	l.heard("mtu")
	w.master("release", 2, 0)
	l.heard("release")
	index := w.bond
	w.clear()
	w.bond = index
	l.heard("delete")
	w.bond = 0
}}
