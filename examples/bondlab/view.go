// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// Sizes of the view.
const (
	historyLen  = 28 // characters of history
	eventLines  = 4
	redrawEvery = 80 * time.Millisecond
)

// view redraws one block of a terminal in place. Finished scenarios scroll away
// above it. It neither hides the cursor nor switches the screen, so that there is
// nothing to restore, whatever ends the program.
type view struct {
	w     io.Writer
	paint cli.Paint
	size  func() (width, height int)
	now   func() time.Time

	mu sync.Mutex
	scene
	text    string // the phase
	latest  sample
	events  []event // the last ones that matter
	history map[string]*history
	drawn   int // lines of the block on the screen
	last    time.Time
}

// event is a line of the view.
type event struct{ text, color string }

// history is what the view remembers of a slave or of a pair.
type history struct {
	marks           []rune
	replied, missed uint64
	at              int64
}

func (h *history) add(r rune) {
	h.marks = append(h.marks, r)
	if len(h.marks) > historyLen {
		h.marks = h.marks[len(h.marks)-historyLen:]
	}
}

func (v *view) begin(n, total int, sc *scenario) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.scene = scene{number: n, total: total, sc: sc}
	v.reset()
	v.draw(true)
}

// reset forgets the Monitor of the pass before.
func (v *view) reset() {
	v.latest, v.events, v.history, v.marked = sample{}, nil, make(map[string]*history), ""
}

func (v *view) targets(names map[netip.Addr]string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reset()
	v.names = names
}

func (v *view) phase(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.text, v.marked = text, ""
	v.draw(true)
}

func (v *view) mark(what string, at int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.marked, v.markedAt, v.text = what, at, ""
	v.draw(true)
}

func (v *view) sample(s *sample) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range s.Events {
		if text, color := v.eventLine(s, &s.Events[i]); text != "" {
			v.events = append(v.events, event{text, color})
		}
	}
	if n := len(v.events); n > eventLines {
		v.events = v.events[n-eventLines:]
	}
	for i := range s.Slaves {
		v.remember(s, &s.Slaves[i])
	}
	v.latest = *s
	v.draw(len(s.Events) > 0)
}

// verdictMarks are the characters of the states of a slave.
const verdictMarks = "?USDn"

// remember adds to the histories of a slave: its verdict, ten times a second, and
// every probe that was answered or missed.
func (v *view) remember(s *sample, slave *slaveSample) {
	h := v.of(slave.Name)
	if s.Mono-h.at >= int64(100*time.Millisecond) {
		h.at = s.Mono
		mark := '?'
		if int(slave.State) < len(verdictMarks) {
			mark = rune(verdictMarks[slave.State])
		}
		h.add(mark)
	}
	for i := range slave.Pairs {
		p := &slave.Pairs[i]
		h := v.of(slave.Name + " " + p.Target.String())
		for ; h.replied < p.Replied; h.replied++ {
			h.add('.')
		}
		for ; h.missed < p.Missed; h.missed++ {
			h.add('x')
		}
	}
}

func (v *view) of(key string) *history {
	h := v.history[key]
	if h == nil {
		h = new(history)
		v.history[key] = h
	}
	return h
}

func (v *view) end(r *result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	for _, line := range resultLines(r, v.counter(), v.paint) {
		io.WriteString(v.w, line+"\n")
	}
}

func (v *view) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
}

// erase takes the block off the screen.
func (v *view) erase() {
	if v.drawn > 0 {
		fmt.Fprintf(v.w, "\x1b[%dA\r\x1b[J", v.drawn)
		v.drawn = 0
	}
}

// draw draws the block over the one before, in one write so that it does not
// flicker. Unless something changed that must be seen, it does so only now and then.
func (v *view) draw(must bool) {
	now := v.now()
	if v.sc == nil || !must && now.Sub(v.last) < redrawEvery {
		return
	}
	v.last = now
	width, height := v.size()
	lines := v.block(width)
	// A block that does not fit would leave its upper lines behind.
	if most := max(height-1, 1); len(lines) > most {
		lines = lines[:most]
	}
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.drawn)
	}
	for _, line := range lines {
		b.WriteString("\r\x1b[K" + line + "\n")
	}
	b.WriteString("\x1b[J")
	v.drawn = len(lines)
	io.WriteString(v.w, b.String())
}

// line is one line of the block, made of cells.
type line []cli.Cell

// render returns the line, cut to a width.
func (l line) render(width int, p cli.Paint) string {
	var b strings.Builder
	for _, c := range l {
		if n := utf8.RuneCountInString(c.Text); n > width {
			c.Text = string([]rune(c.Text)[:width])
		}
		width -= utf8.RuneCountInString(c.Text)
		b.WriteString(p.In(c.Color, c.Text))
		if width <= 0 {
			break
		}
	}
	return b.String()
}

// column returns a text cut or filled to a width.
func column(text string, width int) string {
	r := []rune(text)
	if len(r) > width {
		r = r[:width]
	}
	return string(r) + strings.Repeat(" ", width-len(r))
}

// Widths of the columns: all together fit 80.
const (
	nameWidth   = 16
	stateWidth  = 13
	reasonWidth = 20
)

// block returns the lines of the view.
func (v *view) block(width int) []string {
	var lines []line
	add := func(l ...cli.Cell) { lines = append(lines, l) }
	state := v.text
	if v.marked != "" && v.latest.Mono >= v.markedAt {
		state = fmt.Sprintf("%.1f s after the %s", time.Duration(v.latest.Mono-v.markedAt).Seconds(), v.marked)
	}
	add(cli.Cell{Text: v.counter() + " ", Color: cli.Faint}, cli.Cell{Text: v.sc.name, Color: cli.Bold}, cli.Cell{Text: ": " + state})
	add(cli.Cell{Text: "        " + v.sc.title})
	add(cli.Cell{Text: fmt.Sprintf("        truth: e1 %s, e2 %s, group %s", v.sc.truth[0], v.sc.truth[1], v.sc.group), Color: cli.Faint})
	add()
	add(cli.Cell{Text: "  " + column("slave, target", nameWidth) + column("verdict", stateWidth) + column("reason, RTT", reasonWidth) + "history", Color: cli.Faint})
	for i := range v.latest.Slaves {
		s := &v.latest.Slaves[i]
		name := s.Name
		if s.Active {
			name += " active"
		}
		add(cli.Cell{Text: "  " + column(name, nameWidth), Color: cli.Bold},
			cli.Cell{Text: column(s.State.String(), stateWidth), Color: stateColor(s.State.String())},
			cli.Cell{Text: column(s.Reason.String(), reasonWidth)},
			cli.Cell{Text: string(v.of(s.Name).marks)})
		for k := range s.Pairs {
			p := &s.Pairs[k]
			target := p.Target.Addr.String()
			if name, ok := v.names[p.Target.Addr]; ok {
				target = name + " " + target
			}
			rtt := "-"
			if p.RTT.Last > 0 {
				rtt = fmt.Sprintf("%.2f ms", float64(p.RTT.Last.Microseconds())/1000)
			}
			add(cli.Cell{Text: "  " + column("  "+target, nameWidth)},
				cli.Cell{Text: column(p.State.String(), stateWidth), Color: stateColor(p.State.String())},
				cli.Cell{Text: column(rtt, reasonWidth)},
				cli.Cell{Text: string(v.of(s.Name + " " + p.Target.String()).marks)})
		}
	}
	if len(v.latest.Slaves) > 0 {
		add(cli.Cell{Text: "  " + column("group", nameWidth), Color: cli.Bold}, cli.Cell{Text: v.latest.Group.String(), Color: stateColor(v.latest.Group.String())})
	}
	add()
	for i := range eventLines {
		if i < len(v.events) {
			add(cli.Cell{Text: v.events[i].text, Color: v.events[i].color})
			continue
		}
		add()
	}
	add(cli.Cell{Text: "  . answered  x missed   U up  S suspect  D down  n no link  ? unknown", Color: cli.Faint})
	var out []string
	for _, l := range lines {
		out = append(out, l.render(width, v.paint))
	}
	return out
}
