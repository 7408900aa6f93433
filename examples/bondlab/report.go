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

	"github.com/bondkit/bondkit/arpmon"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// reporter shows what happens. Samples come from another goroutine than the rest.
type reporter interface {
	// begin begins scenario number n of a total.
	begin(n, total int, sc *scenario)
	// targets names the targets of the samples that follow.
	targets(names map[netip.Addr]string)
	// phase says what happens now.
	phase(text string)
	// mark says that times count from an instant on the clock of the samples,
	// and what happened then.
	mark(what string, at int64)
	// sample shows what the Monitor knows, and what happened.
	sample(s *sample)
	// end shows what became of the scenario.
	end(r *result)
	// close ends everything that was begun.
	close()
}

// jsonReporter prints one JSON object a scenario and nothing else.
type jsonReporter struct{ w io.Writer }

func (jsonReporter) begin(int, int, *scenario)     {}
func (jsonReporter) targets(map[netip.Addr]string) {}
func (jsonReporter) phase(string)                  {}
func (jsonReporter) mark(string, int64)            {}
func (jsonReporter) sample(*sample)                {}
func (jsonReporter) close()                        {}
func (j jsonReporter) end(r *result)               { writeJSON(j.w, r) }

// lineReporter prints one line a transition and one a scenario. It suits logs.
type lineReporter struct {
	w     io.Writer
	paint cli.Paint

	mu sync.Mutex
	scene
}

// scene is what reporters know of the present scenario.
type scene struct {
	number, total int
	sc            *scenario
	names         map[netip.Addr]string
	marked        string // what times count from, "" before the fault
	markedAt      int64
}

func (l *lineReporter) begin(n, total int, sc *scenario) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scene = scene{number: n, total: total, sc: sc}
	fmt.Fprintf(l.w, "%s %s: %s\n", l.counter(), l.paint.In(cli.Bold, sc.name), sc.title)
}

func (l *lineReporter) targets(names map[netip.Addr]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names, l.marked = names, ""
}

func (l *lineReporter) phase(string) {}

func (l *lineReporter) mark(what string, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marked, l.markedAt = what, at
}

func (l *lineReporter) sample(s *sample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range s.Events {
		if text, color := l.eventLine(s, &s.Events[i]); text != "" {
			fmt.Fprintln(l.w, l.paint.In(color, text))
		}
	}
}

func (l *lineReporter) end(r *result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range resultLines(r, l.counter(), l.paint) {
		fmt.Fprintln(l.w, line)
	}
}

func (l *lineReporter) close() {}

// counter returns the number of the scenario as [ 3/17].
func (c *scene) counter() string {
	total := fmt.Sprint(c.total)
	return fmt.Sprintf("[%*d/%s]", len(total), c.number, total)
}

// eventLine describes an event that matters in one line, with its colour, or
// returns nothing.
func (c *scene) eventLine(s *sample, e *arpmon.Event) (text, color string) {
	when := "  start            "
	if c.marked != "" {
		when = fmt.Sprintf("  %-6s %+6d ms ", c.marked, time.Duration(e.At-c.markedAt).Milliseconds())
	}
	switch e.Kind {
	case arpmon.EventSlave:
		from, to := e.SlaveStates()
		if from == to || c.marked == "" && to != arpmon.SlaveUp {
			return "", ""
		}
		return fmt.Sprintf("%s %s %s -> %s (%s)", when, s.name(e.Slave), from, to, e.Reason), stateColor(to.String())
	case arpmon.EventGroup:
		from, to := e.GroupStates()
		return fmt.Sprintf("%s group %s -> %s", when, from, to), stateColor(to.String())
	case arpmon.EventTargetDown, arpmon.EventTargetUp:
		name, ok := c.names[e.Target.Addr]
		if !ok {
			name = e.Target.String()
		}
		return fmt.Sprintf("%s target %s: %s", when, name, e.Kind), cli.Yellow
	case arpmon.EventStall:
		return fmt.Sprintf("%s the monitor came %v late", when, ms(e.Late)), cli.Yellow
	case arpmon.EventConflict, arpmon.EventStopped, arpmon.EventResumed:
		return when + " " + e.String(), cli.Yellow
	default:
		return "", ""
	}
}

// stateColor returns the colour of the word of a state.
func stateColor(state string) string {
	switch state {
	case up, groupOK, arpmon.PairReachable.String():
		return cli.Green
	case down, groupFailure, arpmon.PairUnreachable.String():
		return cli.Red
	case arpmon.SlaveSuspect.String():
		return cli.Yellow
	}
	return cli.Faint
}

// resultLines returns the line of a scenario, and one more for each thing that was
// wrong.
func resultLines(r *result, counter string, p cli.Paint) []string {
	word := p.In(cli.Green, "right")
	if !r.Right {
		word = p.In(cli.Red, "WRONG")
	}
	var parts []string
	for _, s := range r.Slaves {
		text := s.Name + " " + s.Arpmon
		if s.DetectMS != nil {
			text += fmt.Sprintf(" in %.0f ms", *s.DetectMS)
		}
		parts = append(parts, text)
	}
	parts = append(parts, "group "+r.Group)
	lines := []string{fmt.Sprintf("%s %s: %s: %s", counter, r.Scenario, word, strings.Join(parts, ", "))}
	for _, note := range r.Notes {
		if strings.HasPrefix(note, "wrong: ") {
			lines = append(lines, "    "+p.In(cli.Red, note))
		}
	}
	return lines
}
