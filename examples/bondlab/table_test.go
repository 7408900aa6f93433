// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// sampleResults are one right scenario, one that the kernel is wrong about, and one
// that we are wrong about.
func sampleResults() []result {
	kernel := func(words ...string) map[string]string {
		m := make(map[string]string)
		for i, w := range words {
			m[arpValidateValues[i]] = w
		}
		return m
	}
	return []result{
		{
			Scenario: "healthy", Title: "nothing is wrong", Group: "ok", Right: true, group: "ok",
			Notes: []string{},
			Slaves: []slaveResult{
				{Name: "e1", Truth: "up", Arpmon: "up", Kernel: kernel("up", "up", "up", "up")},
				{Name: "e2", Truth: "up", Arpmon: "up", Kernel: kernel("up", "up", "up", "up")},
			},
		},
		{
			Scenario: "active-tx-dead-target-asks", Title: "e1 is mute & A asks", Group: "ok", Right: true, group: "ok",
			Notes: []string{"e1 down after 313 ms (missed)", "kernel: all: n/a: no reason"},
			Slaves: []slaveResult{
				{Name: "e1", Truth: "down", Arpmon: "down", Kernel: kernel("up", "up", "up"), DetectMS: new(312.6)},
				{Name: "e2", Truth: "up", Arpmon: "up", Kernel: kernel("up", "up", "down")},
			},
		},
		{
			Scenario: "both-cut", Title: "both are cut", Group: "ok", group: "group-failure",
			Notes: []string{"wrong: e2 is suspect 900 ms after the fault, and down in truth", "a note"},
			Slaves: []slaveResult{
				{Name: "e1", Truth: "down", Arpmon: "down", Kernel: kernel("down", "down", "down", "down"), DetectMS: new(0.0)},
				{Name: "e2", Truth: "down", Arpmon: "suspect", Kernel: kernel("down", "down", "down", "down")},
			},
		},
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	for _, r := range sampleResults() {
		if err := writeJSON(&b, &r); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`{"scenario":"healthy","title":"nothing is wrong","slaves":[` +
			`{"name":"e1","truth":"up","arpmon":"up","kernel":{"active":"up","all":"up","backup":"up","none":"up"},"detect_ms":null},` +
			`{"name":"e2","truth":"up","arpmon":"up","kernel":{"active":"up","all":"up","backup":"up","none":"up"},"detect_ms":null}],` +
			`"group":"ok","right":true,"notes":[]}`,
		`{"scenario":"active-tx-dead-target-asks","title":"e1 is mute & A asks","slaves":[` +
			`{"name":"e1","truth":"down","arpmon":"down","kernel":{"active":"up","backup":"up","none":"up"},"detect_ms":312.6},` +
			`{"name":"e2","truth":"up","arpmon":"up","kernel":{"active":"up","backup":"down","none":"up"},"detect_ms":null}],` +
			`"group":"ok","right":true,"notes":["e1 down after 313 ms (missed)","kernel: all: n/a: no reason"]}`,
		`{"scenario":"both-cut","title":"both are cut","slaves":[` +
			`{"name":"e1","truth":"down","arpmon":"down","kernel":{"active":"down","all":"down","backup":"down","none":"down"},"detect_ms":0},` +
			`{"name":"e2","truth":"down","arpmon":"suspect","kernel":{"active":"down","all":"down","backup":"down","none":"down"},"detect_ms":null}],` +
			`"group":"ok","right":false,"notes":["wrong: e2 is suspect 900 ms after the fault, and down in truth","a note"]}`,
		"",
	}
	if diff := cmp.Diff(want, strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// TestJSONWithoutBond checks that nothing is null that a reader would walk through.
func TestJSONWithoutBond(t *testing.T) {
	sc := scenarios()[1]
	p := &passed{slaves: [2]string{down, up}, group: groupOK, problems: []string{"e2 is up"}, notes: []string{"a note"}}
	p.detect[0] = new(312649 * time.Microsecond)
	var b bytes.Buffer
	if err := writeJSON(&b, newResult(&sc, p)); err != nil {
		t.Fatal(err)
	}
	want := `{"scenario":"both-cut","title":"the uplinks of both switches are cut","slaves":[` +
		`{"name":"e1","truth":"down","arpmon":"down","kernel":{},"detect_ms":312.6},` +
		`{"name":"e2","truth":"down","arpmon":"up","kernel":{},"detect_ms":null}],` +
		`"group":"ok","right":false,"notes":["wrong: e2 is up","a note"]}` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	b.Reset()
	p.problems, p.notes = nil, nil
	if err := writeJSON(&b, newResult(&sc, p)); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), `"right":true,"notes":[]}`+"\n") {
		t.Errorf("without a note: %s", b.String())
	}
}

func TestTable(t *testing.T) {
	four := arpValidateValues[:4]
	tests := []struct {
		name     string
		validate []string
		bonded   bool
		width    int
		paint    cli.Paint
		want     string
	}{
		{"no bond", four, false, 80, false, `
scenario                    truth      arpmon         kernel  time
healthy                     up/up      up/up          n/a     -
active-tx-dead-target-asks  down/up    down/up        n/a     313 ms
both-cut                    down/down  down/suspect!  n/a     0 ms
verdicts are e1/e2
kernel: active-tx-dead-target-asks: all: n/a: no reason
wrong: both-cut: e2 is suspect 900 ms after the fault, and down in truth
`},
		{"wide", four, true, 0, false, `
scenario                    truth      arpmon         none       active     backup     all        time
healthy                     up/up      up/up          up/up      up/up      up/up      up/up      -
active-tx-dead-target-asks  down/up    down/up        up!/up     up!/up     up!/down!  n/a        313 ms
both-cut                    down/down  down/suspect!  down/down  down/down  down/down  down/down  0 ms
verdicts are e1/e2; the kernel's by arp_validate, ! marks a wrong one
kernel: active-tx-dead-target-asks: all: n/a: no reason
wrong: both-cut: e2 is suspect 900 ms after the fault, and down in truth
`},
		{"narrow", four, true, 80, false, `
scenario                    truth  arpmon  none  active  backup  all  time
healthy                     U/U    U/U     U/U   U/U     U/U     U/U  -
active-tx-dead-target-asks  D/U    D/U     U!/U  U!/U    U!/D!   n/a  313 ms
both-cut                    D/D    D/S!    D/D   D/D     D/D     D/D  0 ms
verdicts are e1/e2, U up, D down; the kernel's by arp_validate, ! marks a wrong one
kernel: active-tx-dead-target-asks: all: n/a: no reason
wrong: both-cut: e2 is suspect 900 ms after the fault, and down in truth
`},
		{"colours", four[:1], true, 0, true, "\n" +
			"\x1b[1mscenario\x1b[0m                    \x1b[1mtruth\x1b[0m      \x1b[1marpmon\x1b[0m         \x1b[1mnone\x1b[0m       \x1b[1mtime\x1b[0m\n" +
			"healthy                     up/up      \x1b[32mup/up\x1b[0m          up/up      \x1b[2m-\x1b[0m\n" +
			"active-tx-dead-target-asks  down/up    \x1b[32mdown/up\x1b[0m        \x1b[31mup!/up\x1b[0m     313 ms\n" +
			"both-cut                    down/down  \x1b[31mdown/suspect!\x1b[0m  down/down  0 ms\n" +
			"\x1b[2mverdicts are e1/e2; the kernel's by arp_validate, ! marks a wrong one\x1b[0m\n" +
			"\x1b[2mkernel: active-tx-dead-target-asks: all: n/a: no reason\x1b[0m\n" +
			"\x1b[31mwrong\x1b[0m: both-cut: e2 is suspect 900 ms after the fault, and down in truth\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "\n" + table(sampleResults(), tt.validate, tt.bonded, tt.width, tt.paint)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	results := sampleResults()
	want := "arpmon: 2 of 3 right; kernel none: 2 of 3; kernel all: 2 of 2"
	if got := summary(results, []string{"none", "all", "filter"}); got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if got := status(results); got != exitWrong {
		t.Errorf("status %d for a wrong verdict, want %d", got, exitWrong)
	}
	// Where the kernel is wrong does not matter.
	if got := status(results[:2]); got != exitRight {
		t.Errorf("status %d, want %d", got, exitRight)
	}
}
