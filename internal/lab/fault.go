// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is something that was broken in a lab, or somebody who disturbs it. Its
// methods may be called from several goroutines.
type Fault struct {
	lab  *Lab
	text string
	at   time.Time

	mu      sync.Mutex
	undone  bool
	last    uint64 // count at the time of Undo
	lastErr error  // why last is not known
	repair  func(context.Context) error
	count   func(context.Context) (uint64, error)
	abandon func() // ends what would outlive the lab
	sends   bool   // Packets counts frames that the fault sends
}

// String returns what the fault is, in the words that [Lab.Inject] takes.
func (f *Fault) String() string { return f.text }

// At returns the instant at which the fault was in place: the command that made
// it had returned, or the first frames had been sent.
func (f *Fault) At() time.Time { return f.at }

// Packets returns how many frames the fault has dropped so far, or has sent if it
// is one that sends. It is zero for faults that do neither, such as a port that is
// down. After Undo it is the number, or the error, of that time.
func (f *Fault) Packets(ctx context.Context) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.undone {
		return f.last, f.lastErr
	}
	return f.packets(ctx)
}

func (f *Fault) packets(ctx context.Context) (uint64, error) {
	if f.count == nil {
		return 0, nil
	}
	return f.count(ctx)
}

// Undo repairs what the fault broke. After the first success it does nothing; it
// also does nothing when the lab is closed.
func (f *Fault) Undo(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.undone {
		return nil
	}
	if !f.lab.holds(f) {
		f.undone = true
		return nil
	}
	// A rule is counted while it is there, a generator when it has stopped.
	if !f.sends {
		f.last, f.lastErr = f.packets(ctx)
	}
	if err := f.repair(ctx); err != nil {
		return err
	}
	if f.sends {
		f.last, f.lastErr = f.packets(ctx)
	}
	f.undone = true
	f.lab.forget(f)
	return nil
}

func (l *Lab) holds(f *Fault) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.faults[f]
	return ok
}

func (l *Lab) forget(f *Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.faults, f)
}

// add has the lab know a new fault. It undoes the fault when the lab has been
// closed meanwhile.
func (l *Lab) add(f *Fault) (*Fault, error) {
	f.lab, f.at = l, time.Now()
	if f.abandon == nil {
		f.abandon = func() {}
	}
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.faults[f] = struct{}{}
	}
	l.mu.Unlock()
	if closed {
		f.abandon()
		return nil, fmt.Errorf("lab: %s: %w", f.text, ErrClosed)
	}
	return f, nil
}

// next returns a number that no fault of this lab has had.
func (l *Lab) next() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sequence++
	return l.sequence
}

// counterText finds the packet counters in what nft prints.
var counterText = regexp.MustCompile(`counter packets (\d+)`)

// drop makes a fault of nftables rules in the fabric. Every fault has a table of
// its own, so that Undo cannot leave anything behind nor touch another fault.
// Frames that come in at a port are dropped before the switch learns from them;
// frames that go out are dropped port by port, also when they are flooded.
//
// Each rule is a match without its verdict; "in" and "out" say where it stands.
func (l *Lab) drop(ctx context.Context, text string, in, out []string) (*Fault, error) {
	table := "fault" + strconv.Itoa(l.next())
	var b strings.Builder
	fmt.Fprintf(&b, "table bridge %s {\n", table)
	chain := func(hook string, rules []string) {
		if len(rules) == 0 {
			return
		}
		fmt.Fprintf(&b, "\tchain %s {\n\t\ttype filter hook %s priority 0; policy accept;\n", hook, hook)
		for _, r := range rules {
			fmt.Fprintf(&b, "\t\t%s counter drop\n", r)
		}
		b.WriteString("\t}\n")
	}
	chain("prerouting", in)
	chain("forward", out)
	b.WriteString("}\n")
	if _, err := l.fabric.run(ctx, b.String(), nil, "nft", "-f", "-"); err != nil {
		return nil, err
	}
	return l.add(&Fault{
		text: text,
		repair: func(ctx context.Context) error {
			// Made first if it is gone, so that a second try succeeds when
			// only the end of the first went unnoticed.
			text := "table bridge " + table + "\ndelete table bridge " + table + "\n"
			_, err := l.fabric.run(ctx, text, nil, "nft", "-f", "-")
			return err
		},
		count: func(ctx context.Context) (uint64, error) {
			text, err := l.fabric.Run(ctx, "nft", "list", "table", "bridge", table)
			if err != nil {
				return 0, err
			}
			sum := uint64(0)
			for _, m := range counterText.FindAllSubmatch(text, -1) {
				n, err := strconv.ParseUint(string(m[1]), 10, 64)
				if err != nil {
					return 0, fmt.Errorf("lab: %s: %w", table, err)
				}
				sum += n
			}
			return sum, nil
		},
	})
}

// command makes a fault of two commands, one that breaks and one that repairs.
func (l *Lab) command(ctx context.Context, text string, n *Namespace, set, unset []string) (*Fault, error) {
	if _, err := n.Run(ctx, set...); err != nil {
		return nil, err
	}
	return l.add(&Fault{
		text: text,
		repair: func(ctx context.Context) error {
			_, err := n.Run(ctx, unset...)
			return err
		},
	})
}

// CutUplink cuts the cable between switch i and the core: every frame is dropped,
// both ways, while both ends keep their carrier and remember what they learned.
func (l *Lab) CutUplink(ctx context.Context, i int) (*Fault, error) {
	if err := l.number(i); err != nil {
		return nil, fmt.Errorf("lab: cut uplink: %w", err)
	}
	return l.drop(ctx, fmt.Sprintf("cut-uplink %d", i), []string{
		fmt.Sprintf("iifname %q", uplinkName(i)),
		fmt.Sprintf("iifname %q", downlinkName(i)),
	}, nil)
}

// CutPort takes down the switch port of slave i, which loses its carrier.
func (l *Lab) CutPort(ctx context.Context, i int) (*Fault, error) {
	if err := l.number(i); err != nil {
		return nil, fmt.Errorf("lab: cut port: %w", err)
	}
	return l.portDown(ctx, fmt.Sprintf("cut-port %d", i), portName(i))
}

// TargetDown takes down the port of a target on the core.
func (l *Lab) TargetDown(ctx context.Context, target string) (*Fault, error) {
	if _, err := l.target(target); err != nil {
		return nil, fmt.Errorf("lab: target down: %w", err)
	}
	return l.portDown(ctx, "target-down "+target, targetPort(target))
}

func (l *Lab) portDown(ctx context.Context, text, port string) (*Fault, error) {
	return l.command(ctx, text, l.fabric,
		[]string{"ip", "link", "set", port, "down"},
		[]string{"ip", "link", "set", port, "up"})
}

// Direction says which frames of a slave a fault concerns.
type Direction int

// The directions, seen from the host.
const (
	Both Direction = iota
	TX             // frames the slave sends
	RX             // frames sent to the slave
)

// String returns both, tx or rx.
func (d Direction) String() string {
	switch d {
	case Both:
		return "both"
	case TX:
		return "tx"
	case RX:
		return "rx"
	}
	return "direction(" + strconv.Itoa(int(d)) + ")"
}

// DropTX drops every frame that a slave sends, at its switch port. The switch
// does not learn from them.
func (l *Lab) DropTX(ctx context.Context, slave string) (*Fault, error) {
	return l.dropAtPort(ctx, "drop-tx "+slave, slave, TX, "")
}

// DropRX drops every frame on its way out of the switch port to a slave.
func (l *Lab) DropRX(ctx context.Context, slave string) (*Fault, error) {
	return l.dropAtPort(ctx, "drop-rx "+slave, slave, RX, "")
}

// DropTowards drops the frames of some targets, of all when none is named, on
// their way out of the switch port to a slave: the slave hears everybody else.
func (l *Lab) DropTowards(ctx context.Context, slave string, from ...string) (*Fault, error) {
	text := strings.Join(append([]string{"drop-towards", slave}, from...), " ")
	if len(from) == 0 {
		from = targetNames
	}
	var macs []string
	for _, name := range from {
		t, err := l.target(name)
		if err != nil {
			return nil, fmt.Errorf("lab: %s: %w", text, err)
		}
		macs = append(macs, t.mac.String())
	}
	return l.dropAtPort(ctx, text, slave, RX, "ether saddr { "+strings.Join(macs, ", ")+" }")
}

// Prune drops the frames with the MAC address of the host on their way out of the
// switch port to a slave, as a NIC with source pruning does with the host's own
// broadcasts.
func (l *Lab) Prune(ctx context.Context, slave string) (*Fault, error) {
	return l.dropAtPort(ctx, "prune "+slave, slave, RX, "ether saddr "+l.BondMAC().String())
}

// Loss drops frames of a slave at random, so many out of ten (1 to 9).
func (l *Lab) Loss(ctx context.Context, slave string, tenths int, d Direction) (*Fault, error) {
	text := fmt.Sprintf("loss %s %d %v", slave, tenths, d)
	if tenths < 1 || tenths > 9 || !slices.Contains([]Direction{Both, TX, RX}, d) {
		return nil, fmt.Errorf("lab: %s: %w", text, ErrConfig)
	}
	return l.dropAtPort(ctx, text, slave, d, "numgen random mod 10 < "+strconv.Itoa(tenths))
}

func (l *Lab) dropAtPort(ctx context.Context, text, slave string, d Direction, match string) (*Fault, error) {
	i, err := l.slave(slave)
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", text, err)
	}
	var in, out []string
	if d != RX {
		in = []string{fmt.Sprintf("iifname %q %s", portName(i), match)}
	}
	if d != TX {
		out = []string{fmt.Sprintf("oifname %q %s", portName(i), match)}
	}
	return l.drop(ctx, text, in, out)
}

// StuckTransmit makes the queue of a slave accept nothing: sending fails with
// ENOBUFS while carrier stays. A socket that bypasses the queue is not affected.
func (l *Lab) StuckTransmit(ctx context.Context, slave string) (*Fault, error) {
	if _, err := l.slave(slave); err != nil {
		return nil, fmt.Errorf("lab: stuck transmit: %w", err)
	}
	return l.command(ctx, "stuck-transmit "+slave, l.host,
		[]string{"tc", "qdisc", "replace", "dev", slave, "root", "pfifo", "limit", "0"},
		[]string{"tc", "qdisc", "del", "dev", slave, "root"})
}

// SecondOwner gives the address of a target to the last chatty host of switch i
// as well. It answers ARP for the address with its own MAC.
func (l *Lab) SecondOwner(ctx context.Context, target string, i int) (*Fault, error) {
	if _, err := l.target(target); err != nil {
		return nil, fmt.Errorf("lab: second owner: %w", err)
	}
	if err := l.number(i); err != nil {
		return nil, fmt.Errorf("lab: second owner: %w", err)
	}
	args := func(verb string) []string {
		return []string{"ip", "addr", verb, l.Addr(target).String() + "/32", "dev", HostDevice}
	}
	return l.command(ctx, fmt.Sprintf("second-owner %s %d", target, i), l.rogue(i), args("add"), args("del"))
}

// rogue returns the host of switch i that takes part in attacks.
func (l *Lab) rogue(i int) *Namespace { return l.Chatty(i, l.cfg.Chatty) }

// RogueMAC returns the MAC address of the host of switch i that [Lab.SecondOwner]
// and [Lab.Forge] use, the last chatty host.
func (l *Lab) RogueMAC(i int) net.HardwareAddr { return chattyMAC(i, l.cfg.Chatty) }
