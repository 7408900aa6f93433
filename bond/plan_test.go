// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
)

var planUpdate = flag.Bool("update-plans", false, "write testdata/plan anew")

// TestPlanGolden compares plans with those in testdata/plan. Each file has the spec
// that the bond was made with, where there is a bond, the spec that it shall be
// changed to, and the plan for that; and it is checked that carrying it out leads there.
func TestPlanGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/plan/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no plans", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := planParts(string(text))
			_, c := planKernel(t, nil)
			if parts["now"] != "" {
				planApply(t, c, planSpec(t, parts["now"]))
			}
			spec := planSpec(t, parts["spec"])
			plan, err := c.Plan(t.Context(), spec)
			got := plan.String()
			if err != nil {
				got += fmt.Sprintln(err)
			}
			if *planUpdate {
				head, _, _ := strings.Cut(string(text), "-- plan --\n")
				if err := os.WriteFile(file, []byte(head+"-- plan --\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(parts["plan"], got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			if err == nil && len(plan.Missing) == 0 {
				planApply(t, c, spec)
			}
		})
	}
}

// planParts returns what stands below each line "-- NAME --".
func planParts(text string) map[string]string {
	parts := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if inner, ok := strings.CutPrefix(line, "-- "); ok {
			name = strings.TrimSuffix(inner, " --\n")
			continue
		}
		parts[name] += line
	}
	return parts
}

func planSpec(t *testing.T, text string) *bond.Spec {
	t.Helper()
	spec := new(bond.Spec)
	if err := json.Unmarshal([]byte(text), spec); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return spec
}
