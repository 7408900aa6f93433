// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/arpmon"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// screen is as much of a terminal as the view uses.
type screen struct {
	t     *testing.T
	width int
	lines []string
	x, y  int
	wraps int
}

var control = regexp.MustCompile(`^\x1b\[(\d*)([A-Za-z])`)

func (s *screen) Write(b []byte) (int, error) {
	text := string(b)
	for len(text) > 0 {
		if m := control.FindStringSubmatch(text); m != nil {
			text = text[len(m[0]):]
			s.control(m[1], m[2])
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		switch r {
		case '\r':
			s.x = 0
		case '\n':
			s.y, s.x = s.y+1, 0
		case '\x1b':
			s.t.Errorf("unknown control sequence before %q", text)
		default:
			s.put(r)
		}
	}
	return len(b), nil
}

func (s *screen) line() *string {
	for len(s.lines) <= s.y {
		s.lines = append(s.lines, "")
	}
	return &s.lines[s.y]
}

func (s *screen) put(r rune) {
	if s.x >= s.width {
		s.x, s.y = 0, s.y+1
		s.wraps++
	}
	l := []rune(*s.line())
	for len(l) <= s.x {
		l = append(l, ' ')
	}
	l[s.x] = r
	*s.line() = string(l)
	s.x++
}

func (s *screen) control(number, letter string) {
	n, _ := strconv.Atoi(number)
	l := []rune(*s.line())
	switch letter {
	case "A":
		if s.y -= n; s.y < 0 {
			s.t.Errorf("the cursor went %d lines above the screen", -s.y)
			s.y = 0
		}
	case "K":
		*s.line() = string(l[:min(s.x, len(l))])
	case "J":
		*s.line() = string(l[:min(s.x, len(l))])
		s.lines = s.lines[:s.y+1]
	case "m":
	default:
		s.t.Errorf("unknown control sequence %s%s", number, letter)
	}
}

// text returns what is on the screen, without spaces at the ends of lines.
func (s *screen) text() string {
	var b strings.Builder
	for _, l := range s.lines {
		b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// viewTest is a view on a screen, with a clock that goes on by a second with each
// look.
func viewTest(t *testing.T, width, height int, p cli.Paint) (*view, *screen) {
	s := &screen{t: t, width: width}
	clock := time.Unix(0, 0)
	return &view{
		w: s, paint: p, size: func() (int, int) { return width, height },
		now: func() time.Time { clock = clock.Add(time.Second); return clock },
	}, s
}

// play shows a pass in which e1 goes down: 20 samples, the fault after the tenth.
func play(out reporter, sc *scenario) {
	out.begin(3, 17, sc)
	out.phase("building the network")
	names := make(map[netip.Addr]string)
	s := newTale(sc).healthy
	for i := range s.Slaves {
		s.Slaves[i].Active = i == 0
		for k, t := range s.Targets {
			names[t.Target.Addr] = string(rune('A' + k))
			s.Slaves[i].Pairs = append(s.Slaves[i].Pairs, arpmon.PairStatus{
				Target: t.Target, State: arpmon.PairReachable, RTT: arpmon.RTT{Last: time.Duration(60+10*k) * time.Microsecond},
			})
		}
	}
	out.targets(names)
	out.phase("waiting until both slaves are up")
	e1 := &s.Slaves[0]
	change := func(at int64, to arpmon.SlaveState, r arpmon.Reason) arpmon.Event {
		e := arpmon.Event{At: at, Kind: arpmon.EventSlave, Slave: e1.ID, From: uint8(e1.State), To: uint8(to), Reason: r}
		e1.State, e1.Reason = to, r
		return e
	}
	for i := range 20 {
		s.Mono = int64(i+1) * int64(100*time.Millisecond)
		s.Events = nil
		for k := range e1.Pairs {
			p := &e1.Pairs[k]
			if i < 10 {
				p.Replied++
			} else {
				p.Missed++
				p.State = arpmon.PairSuspect
			}
			s.Slaves[1].Pairs[k].Replied++
		}
		switch i {
		case 0:
			s.Events = append(s.Events, arpmon.Event{At: s.Mono, Kind: arpmon.EventGroup, To: uint8(arpmon.GroupOK)})
		case 9:
			out.mark("fault", s.Mono)
		case 11:
			s.Events = append(s.Events,
				arpmon.Event{At: s.Mono, Kind: arpmon.EventPair, Slave: e1.ID, Target: s.Targets[0].Target},
				change(s.Mono, arpmon.SlaveSuspect, arpmon.ReasonMissed))
		case 12:
			s.Events = append(s.Events, change(s.Mono, arpmon.SlaveSuspect, arpmon.ReasonCommonLoss))
		case 13:
			s.Events = append(s.Events, change(s.Mono, arpmon.SlaveDown, arpmon.ReasonMissed))
		case 15:
			s.Events = append(s.Events,
				arpmon.Event{At: s.Mono, Kind: arpmon.EventStall, Late: 61 * time.Millisecond},
				arpmon.Event{At: s.Mono, Kind: arpmon.EventTargetDown, Target: s.Targets[1].Target})
		}
		out.sample(&s)
	}
}

// finish ends the scenario that play has shown.
func finish(out reporter, sc *scenario) {
	p := &passed{slaves: [2]string{down, up}, group: groupOK, problems: []string{"e1 became up again"}}
	p.detect[0] = new(401 * time.Millisecond)
	out.end(newResult(sc, p))
	out.close()
}

const wantView = `[ 3/17] active-cut-chatter: 1.0 s after the fault
        e1's switch is cut off, three hosts on it keep talking ARP
        truth: e1 down, e2 up, group ok

  slave, target   verdict      reason, RTT         history
  e1 active       down         missed              UUUUUUUUUUUSSDDDDDDD
    A 192.0.2.1   suspect      0.06 ms             ..........xxxxxxxxxx
    B 192.0.2.2   suspect      0.07 ms             ..........xxxxxxxxxx
  e2              up           replies             UUUUUUUUUUUUUUUUUUUU
    A 192.0.2.1   reachable    0.06 ms             ....................
    B 192.0.2.2   reachable    0.07 ms             ....................
  group           ok

  fault    +200 ms  e1 up -> suspect (missed)
  fault    +400 ms  e1 suspect -> down (missed)
  fault    +600 ms  the monitor came 61 ms late
  fault    +600 ms  target B: target-down
  . answered  x missed   U up  S suspect  D down  n no link  ? unknown
`

func TestView(t *testing.T) {
	sc := named(t, "active-cut-chatter")
	for _, p := range []cli.Paint{false, true} {
		t.Run(fmt.Sprintf("colour=%v", p), func(t *testing.T) {
			v, s := viewTest(t, 80, 24, p)
			play(v, sc)
			if diff := cmp.Diff(wantView, s.text()); diff != "" {
				t.Errorf("screen (-want +got):\n%s", diff)
			}
			if s.wraps > 0 {
				t.Errorf("%d lines were too long", s.wraps)
			}
			finish(v, sc)
			want := `[ 3/17] active-cut-chatter: WRONG: e1 down in 401 ms, e2 up, group ok
    wrong: e1 became up again
`
			if diff := cmp.Diff(want, s.text()); diff != "" {
				t.Errorf("screen in the end (-want +got):\n%s", diff)
			}
		})
	}
}

// TestViewSmall checks that a small terminal is not written over its edges, which
// would leave parts of old blocks behind.
func TestViewSmall(t *testing.T) {
	sc := named(t, "active-tx-dead-target-asks")
	for _, size := range [][2]int{{80, 24}, {40, 24}, {80, 8}, {20, 3}, {1, 1}} {
		v, s := viewTest(t, size[0], size[1], true)
		play(v, sc)
		if s.wraps > 0 {
			t.Errorf("%d x %d: %d lines were too long", size[0], size[1], s.wraps)
		}
		if n := strings.Count(s.text(), "\n"); n > size[1] {
			t.Errorf("%d x %d: the block has %d lines", size[0], size[1], n)
		}
		v.close()
		if s.text() != "\n" {
			t.Errorf("%d x %d: left behind:\n%s", size[0], size[1], s.text())
		}
	}
}

// TestViewColours checks that the colours of the verdicts are what one expects, and
// that there are none without paint.
func TestViewColours(t *testing.T) {
	sc := named(t, "active-cut-chatter")
	for _, p := range []cli.Paint{false, true} {
		var b bytes.Buffer
		v, _ := viewTest(t, 80, 24, p)
		v.w = &b
		play(v, sc)
		for text, code := range map[string]string{"down  ": cli.Red, "suspect  ": cli.Yellow, "reachable": cli.Green, "  group  ": cli.Bold} {
			if got := strings.Contains(b.String(), "\x1b["+code+"m"+text); got != bool(p) {
				t.Errorf("paint %v: %q has colour %s: %v", p, text, code, got)
			}
		}
		if got := strings.Contains(b.String(), "\x1b[0m"); got != bool(p) {
			t.Errorf("paint %v: colours end: %v", p, got)
		}
	}
}

// TestHistory checks that histories keep the newest marks.
func TestHistory(t *testing.T) {
	var h history
	for range historyLen {
		h.add('.')
	}
	h.add('x')
	if got, want := string(h.marks), strings.Repeat(".", historyLen-1)+"x"; got != want {
		t.Errorf("history %q, want %q", got, want)
	}
	if len(verdictMarks) != int(arpmon.SlaveNoLink)+1 {
		t.Errorf("%d marks for %d states", len(verdictMarks), arpmon.SlaveNoLink+1)
	}
}

func TestLines(t *testing.T) {
	sc := named(t, "active-cut-chatter")
	var b bytes.Buffer
	l := &lineReporter{w: &b}
	play(l, sc)
	finish(l, sc)
	want := `[ 3/17] active-cut-chatter: e1's switch is cut off, three hosts on it keep talking ARP
  start             group unknown -> ok
  fault    +200 ms  e1 up -> suspect (missed)
  fault    +400 ms  e1 suspect -> down (missed)
  fault    +600 ms  the monitor came 61 ms late
  fault    +600 ms  target B: target-down
[ 3/17] active-cut-chatter: WRONG: e1 down in 401 ms, e2 up, group ok
    wrong: e1 became up again
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestJSONReporterIsQuiet(t *testing.T) {
	sc := named(t, "active-cut-chatter")
	var b bytes.Buffer
	j := jsonReporter{&b}
	play(j, sc)
	if b.Len() > 0 {
		t.Errorf("printed %q before the end", b.String())
	}
	finish(j, sc)
	if !strings.HasPrefix(b.String(), `{"scenario":"active-cut-chatter",`) || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("printed %q in the end", b.String())
	}
}
