// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/vmtest/internal/testout"
)

func TestReadTestFlags(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("guest paths are those of Unix hosts")
	}
	list := func(s string) []filePair {
		var out []filePair
		for p := range strings.FieldsSeq(s) {
			out = append(out, filePair{p, p})
		}
		return out
	}
	const v = "-test.v=test2json "
	for _, tt := range []struct {
		name, args string
		want       testRun
		wantArgs   string
	}{
		{"bare", "", testRun{scan: true, mode: testout.Quiet}, v},
		{
			"go test", "-test.paniconexit0 -test.timeout=10m0s",
			testRun{scan: true, mode: testout.Quiet, timeout: 10 * time.Minute},
			v + "-test.paniconexit0 -test.timeout=10m0s",
		},
		{"-v", "-test.v=true", testRun{scan: true, mode: testout.Pass}, ""},
		{"-v alone", "-test.v -test.run X", testRun{scan: true, mode: testout.Pass}, ""},
		{"-json", "-test.v=test2json", testRun{scan: true, mode: testout.PassMarked}, ""},
		{"-v=false", "-test.run=X -test.v=false -test.short", testRun{scan: true, mode: testout.Quiet}, v + "-test.run=X -test.short"},
		{"two dashes", "--test.v --test.timeout 5s", testRun{scan: true, mode: testout.Pass, timeout: 5 * time.Second}, ""},
		{"list", "-test.list=.", testRun{}, ""},
		{"benchmark", "-test.bench=.", testRun{}, ""},
		{"verbose benchmark", "-test.bench=. -test.v", testRun{scan: true, mode: testout.Pass}, ""},
		{
			"cover", "-test.gocoverdir=/tmp/b/gocoverdir -test.coverprofile=/tmp/b/_cover_.out -test.outputdir=/w/pkg",
			testRun{scan: true, mode: testout.Quiet, returns: list("/tmp/b/_cover_.out /tmp/b/gocoverdir")},
			v + "-test.gocoverdir=/tmp/b/gocoverdir -test.coverprofile=/tmp/b/_cover_.out -test.outputdir=/w/pkg",
		},
		{
			"relative profiles", "-test.v -test.cpuprofile cpu.out -test.outputdir out -test.testlogfile log",
			testRun{scan: true, mode: testout.Pass, returns: list("/d/log /d/out/cpu.out")},
			"",
		},
		{"artifacts", "-test.v -test.artifacts -test.outputdir=/o", testRun{scan: true, mode: testout.Pass, returns: list("/o/_artifacts")}, ""},
		{
			"fuzz", "-test.fuzz=X -test.fuzztime=30s -test.timeout=10m",
			testRun{timeout: 30*time.Second + defaultTimeout, returns: list("/d/testdata/fuzz")},
			"",
		},
		{"behind the flags", "-test.v -- -test.list=x", testRun{scan: true, mode: testout.Pass}, ""},
		{"flags of the test itself", "-seed=3 -test.v", testRun{scan: true, mode: testout.Pass}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readTestFlags(strings.Fields(tt.args), "/d", true)
			want := tt.want
			if tt.wantArgs == "" {
				tt.wantArgs = tt.args
			}
			want.args = strings.Fields(tt.wantArgs)
			if d := cmp.Diff(want, got, cmp.AllowUnexported(testRun{}, filePair{})); d != "" {
				t.Errorf("readTestFlags(%s) (-want +got):\n%s", tt.args, d)
			}
		})
	}
	if got := readTestFlags([]string{"-test.run=X"}, "/d", false); got.scan || len(got.args) != 1 {
		t.Errorf("with -allow-skip: %+v", got)
	}
}

func TestIsTest(t *testing.T) {
	for command, want := range map[string]bool{
		"/tmp/go-build1/b001/arpmon.test": true, "./x -test.v": true, "sh -c x": false, "latest": false,
	} {
		if got := isTest(strings.Fields(command)); got != want {
			t.Errorf("%q: %t", command, got)
		}
	}
}
