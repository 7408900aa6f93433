// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bondkit/bondkit/internal/vmtest/internal/testout"
)

// testRun is what the flags of a Go test binary mean for the runner.
type testRun struct {
	args    []string      // arguments for the guest
	scan    bool          // the output tells which tests were skipped
	mode    testout.Mode  // how to read the output, if scan
	timeout time.Duration // -test.timeout, or the time of fuzzing; 0 for none
	returns []filePair    // files and directories to bring back, guest to host
}

// isTest reports whether a command is a Go test binary.
func isTest(command []string) bool {
	if strings.HasSuffix(command[0], ".test") || strings.HasSuffix(command[0], ".test.exe") {
		return true
	}
	return slices.ContainsFunc(command[1:], func(a string) bool { return strings.HasPrefix(a, "-test.") })
}

// fileFlags are the flags that name a file the test binary writes. The value
// says whether -test.outputdir applies to a relative name.
var fileFlags = map[string]bool{
	"coverprofile": true, "cpuprofile": true, "memprofile": true, "blockprofile": true,
	"mutexprofile": true, "trace": true, "testlogfile": false, "gocoverdir": false,
}

// readTestFlags interprets the arguments args of a test binary whose working
// directory is dir. With scan, a binary that would not name the tests it skips
// is made to.
func readTestFlags(args []string, dir string, scan bool) testRun {
	flags, at := testFlags(args)
	r := testRun{args: args}
	on := func(name string) bool { return flags[name] != "" && flags[name] != "false" }
	fuzzing := on("fuzz") || on("fuzzworker")
	if d, err := time.ParseDuration(flags["timeout"]); err == nil && !fuzzing {
		r.timeout = d
	}
	if d, err := time.ParseDuration(flags["fuzztime"]); err == nil && on("fuzz") {
		r.timeout = d + defaultTimeout
	}
	outputDir := guestPath(dir, flags["outputdir"])
	for name, inOutputDir := range fileFlags {
		if value := flags[name]; value != "" {
			base := dir
			if inOutputDir {
				base = outputDir
			}
			r.returns = append(r.returns, same(guestPath(base, value)))
		}
	}
	if on("artifacts") {
		r.returns = append(r.returns, same(filepath.Join(outputDir, "_artifacts")))
	}
	if on("fuzz") {
		r.returns = append(r.returns, same(filepath.Join(dir, "testdata", "fuzz")))
	}
	slices.SortFunc(r.returns, func(a, b filePair) int { return strings.Compare(a.from, b.from) })
	switch v := flags["v"]; {
	case !scan || on("list") || fuzzing:
	case v == "test2json":
		r.scan, r.mode = true, testout.PassMarked
	case on("v"):
		r.scan, r.mode = true, testout.Pass
	case on("bench"):
		// The lines of benchmarks have another form when verbose.
	default:
		// Without -test.v a skipped test leaves no trace.
		r.scan, r.mode = true, testout.Quiet
		if i, ok := at["v"]; ok {
			r.args = slices.Delete(slices.Clone(args), i, i+1)
		}
		r.args = slices.Insert(slices.Clone(r.args), 0, "-test.v=test2json")
	}
	return r
}

func same(p string) filePair { return filePair{p, p} }

// testFlags returns the -test flags among args by name without the prefix, and
// their places.
func testFlags(args []string) (values map[string]string, at map[string]int) {
	values, at = make(map[string]string), make(map[string]int)
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" || !strings.HasPrefix(a, "-") {
			break
		}
		name, ok := strings.CutPrefix(strings.TrimPrefix(strings.TrimPrefix(a, "-"), "-"), "test.")
		if !ok {
			continue
		}
		name, value, ok := strings.Cut(name, "=")
		if _, isBool := boolFlags[name]; !ok && isBool {
			value = "true"
		} else if !ok && i+1 < len(args) {
			i++
			value = args[i]
		}
		values[name], at[name] = value, i
	}
	return values, at
}

// boolFlags are the -test flags that take no separate value.
var boolFlags = map[string]struct{}{
	"v": {}, "short": {}, "failfast": {}, "benchmem": {}, "fullpath": {}, "paniconexit0": {},
	"fuzzworker": {}, "artifacts": {},
}
