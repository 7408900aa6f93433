// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Package testout reads the output of a Go test binary while it passes by. It
// finds the tests that were skipped and why, and it can turn verbose output
// into what the binary would have printed without -test.v.
package testout

import (
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Skip is one skipped test, subtest, example or benchmark.
type Skip struct {
	Test    string
	Reasons []string // the messages the test logged before it ended, oldest first
}

// Mode says what a [Scanner] does with the bytes it is given.
type Mode int

// The modes.
const (
	// Pass hands every byte on unchanged. The output is that of -test.v.
	Pass Mode = iota
	// PassMarked hands every byte on unchanged. The output is that of
	// -test.v=test2json, where each line about a test begins with ^V.
	PassMarked
	// Quiet takes the output of -test.v=test2json and hands on what the
	// binary would have printed without -test.v: what tests print
	// themselves, at once, and the log of failed tests.
	Quiet
)

const (
	marker   = 0x16 // ^V before a line about a test
	errBegin = 0x0f // ^O and ^N surround an error message in newer releases
	errEnd   = 0x0e
	escape   = 0x1b // ^[ before one of these four printed by a test

	// maxLine bounds the memory of a line without end.
	maxLine = 1 << 20
	// maxSkips bounds the memory of the result.
	maxSkips = 10000
	// maxReasons bounds the messages kept of one test for the skip rule.
	maxReasons = 100
)

// Scanner is an io.Writer for the standard output of a test binary. Calls must
// not overlap.
type Scanner struct {
	w       io.Writer
	mode    Mode
	line    []byte
	escaped bool // the last byte of line is an escape that is not escaped itself
	current string
	reasons map[string][]string
	held    map[string][]string // Quiet: lines of tests that have not ended
	order   []string            // Quiet: keys of held in order of appearance
	skips   []Skip
	err     error
}

// NewScanner returns a Scanner that hands the output on to w.
func NewScanner(w io.Writer, mode Mode) *Scanner {
	return &Scanner{w: w, mode: mode, reasons: make(map[string][]string), held: make(map[string][]string)}
}

// Write takes the next bytes of the output. The error is that of the writer
// behind; scanning goes on after it.
func (s *Scanner) Write(p []byte) (int, error) {
	if s.mode != Quiet {
		s.emit(p)
	}
	for _, c := range p {
		// A marked line may begin behind output without a newline.
		if s.mode != Pass && c == marker && !s.escaped && len(s.line) > 0 {
			s.endLine()
		}
		s.escaped = c == escape && !s.escaped
		s.line = append(s.line, c)
		if c == '\n' || len(s.line) >= maxLine {
			s.endLine()
		}
	}
	return len(p), s.err
}

func (s *Scanner) endLine() {
	s.handle(s.line)
	s.line, s.escaped = s.line[:0], false
}

// Close ends the output: a last line without newline is handled, and in mode
// Quiet the log of tests that never ended is handed on.
func (s *Scanner) Close() error {
	if len(s.line) > 0 {
		s.endLine()
	}
	for _, test := range s.order {
		for _, l := range s.held[test] {
			s.emit([]byte(l))
		}
	}
	s.held, s.order = nil, nil
	return s.err
}

// Skips returns the skipped tests in the order in which they ended.
func (s *Scanner) Skips() []Skip { return s.skips }

func (s *Scanner) emit(b []byte) {
	if len(b) == 0 {
		return
	}
	if _, err := s.w.Write(b); err != nil && s.err == nil {
		s.err = err
	}
}

// handle takes one line, with its newline if it has one.
func (s *Scanner) handle(raw []byte) {
	line := string(raw)
	marked := line != "" && line[0] == marker
	if s.mode != Pass {
		line = unescape(line)
	}
	if s.mode == Pass || marked {
		if s.frame(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
	if m := logLine.FindStringSubmatch(line); m != nil && len(s.reasons[s.current]) < maxReasons {
		s.reasons[s.current] = append(s.reasons[s.current], strings.TrimRight(m[1], "\r\n"))
	}
	if s.mode != Quiet {
		return
	}
	if s.current != "" && strings.HasPrefix(line, indent) {
		s.hold(s.current, line)
		return
	}
	s.emit([]byte(line))
}

const indent = "    "

// logLine is a message of T.Log, T.Skip and the like: the file and line of
// the caller, then the text.
var logLine = regexp.MustCompile(`^\s+\S+\.go:\d+: (.*)`)

// report is the line that ends a test.
var report = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP|BENCH): (.*?)(?: \(\d[\d.]*s\))?$`)

// frame handles a line about a test and reports whether it was one.
func (s *Scanner) frame(line string) bool {
	if rest, ok := strings.CutPrefix(line, "=== "); ok {
		word, name, _ := strings.Cut(rest, " ")
		name = strings.TrimLeft(name, " ")
		switch word {
		case "RUN", "CONT", "NAME":
			s.current = name
		case "PAUSE":
			s.current = ""
		case "ATTR", "ARTIFACTS":
			s.current, _, _ = strings.Cut(name, " ")
		default:
			return false
		}
		return true
	}
	m := report.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	result, test := m[1], m[2]
	switch result {
	case "SKIP":
		if len(s.skips) < maxSkips {
			s.skips = append(s.skips, Skip{Test: test, Reasons: s.reasons[test]})
		}
	case "FAIL":
		if s.mode == Quiet {
			s.fail(test, strings.TrimLeft(line, " ")+"\n")
		}
	}
	delete(s.reasons, test)
	s.drop(test)
	if s.mode == Quiet {
		s.current = parent(test)
	}
	return true
}

func parent(test string) string {
	if i := strings.LastIndexByte(test, '/'); i >= 0 {
		return test[:i]
	}
	return ""
}

func (s *Scanner) hold(test, line string) {
	if _, ok := s.held[test]; !ok {
		s.order = append(s.order, test)
	}
	s.held[test] = append(s.held[test], line)
}

func (s *Scanner) drop(test string) {
	delete(s.held, test)
	for i, t := range s.order {
		if t == test {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}

// fail hands on the report of a failed test: to its parent, indented, when it
// is a subtest, because only then is the order that of the quiet output.
func (s *Scanner) fail(test, line string) {
	lines := append([]string{line}, s.held[test]...)
	up := parent(test)
	for _, l := range lines {
		if up != "" {
			s.hold(up, indent+l)
		} else {
			s.emit([]byte(l))
		}
	}
}

// unescape removes what test2json mode adds to a line.
func unescape(s string) string {
	if !strings.ContainsAny(s, "\x16\x0f\x0e") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == escape && i+1 < len(s) && special(s[i+1]):
			i++
			b = append(b, s[i])
		case c == marker && i == 0, c == errBegin, c == errEnd:
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func special(c byte) bool { return c == marker || c == errBegin || c == errEnd || c == escape }

// kernelReason is the fixed form of a skip for an old kernel.
var kernelReason = regexp.MustCompile(`^kernel (\d+)\.(\d+)\S* older than (\d+)\.(\d+)(?:\D|$)`)

// moduleReason and deviceReason are the fixed forms of skips for what a guest lacks.
var (
	moduleReason = regexp.MustCompile(`^kernel \S+ has no module (\w+)(?:\W|$)`)
	deviceReason = regexp.MustCompile(`^emulator has no device (\w+)(?:\W|$)`)
)

// Lacks is what a guest does not have: modules of the kernel, and devices of the emulator.
type Lacks struct{ Modules, Devices []string }

// releaseForm finds the version in the release of a kernel (uname -r).
var releaseForm = regexp.MustCompile(`^(\d+)\.(\d+)`)

// Accepted reports whether a test may skip for one of these reasons on a
// kernel of the given release. It is so for a reason of the form
//
//	kernel X.Y older than Z.W
//
// where X.Y is the version of the running kernel and really older than Z.W, for
//
//	kernel X.Y has no module NAME
//	emulator has no device NAME
//
// where the guest really lacks it, and for one that begins with "race: " and goes on. Text
// after any is free.
func (s Skip) Accepted(release string, lacks Lacks) bool {
	for _, r := range s.Reasons {
		if m := moduleReason.FindStringSubmatch(r); m != nil && slices.Contains(lacks.Modules, m[1]) {
			return true
		}
		if m := deviceReason.FindStringSubmatch(r); m != nil && slices.Contains(lacks.Devices, m[1]) {
			return true
		}
		if rest, ok := strings.CutPrefix(r, "race: "); ok && rest != "" {
			return true
		}
		m := kernelReason.FindStringSubmatch(r)
		have := releaseForm.FindStringSubmatch(release)
		if m == nil || have == nil {
			continue
		}
		if number(m[1], m[2]) == number(have[1], have[2]) && number(m[1], m[2]) < number(m[3], m[4]) {
			return true
		}
	}
	return false
}

func number(major, minor string) int {
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	if err1 != nil || err2 != nil {
		return -1
	}
	return a*100000 + b
}
