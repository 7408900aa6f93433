// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package peerbench_test

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/telegraf"
	telegrafbond "github.com/influxdata/telegraf/plugins/inputs/bond"

	"github.com/bondkit/bondkit/procfs"
)

// procTexts are what kernels printed.
var procTexts = []struct{ name, file string }{
	{"2-slaves", "112-vm-7.3-ab-primary-always"},
	{"LACP-2-slaves", "156-vm-7.3-8023ad-negotiated-2"},
	{"LACP-20-slaves", "159-vm-7.3-8023ad-20slaves"},
}

func procText(b *testing.B, file string) []byte {
	text, err := os.ReadFile(filepath.Join("../../procfs/testdata/captures", file+".txt"))
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// BenchmarkProcParse parses the text of /proc/net/bonding in memory. Bondkit reads every
// line of it. The other is a parser as many tools have their own: it splits the
// lines at their colons, and reads seven fields.
func BenchmarkProcParse(b *testing.B) {
	for _, c := range procTexts {
		text := procText(b, c.file)
		b.Run(c.name+"/bondkit-reused", func(b *testing.B) {
			b.ReportAllocs()
			var bond procfs.Bond
			for b.Loop() {
				if err := bond.UnmarshalText(text); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/bondkit-fresh", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := procfs.ParseBytes(text); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/split-by-line", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(splitByLine(text).slaves) == 0 {
					b.Fatal("no slaves")
				}
			}
		})
	}
}

// BenchmarkProcGather reads the file of one bond and parses it. Telegraf reports mode, active
// slave, status and counts of failures and churn to an accumulator, which
// throws them away here.
func BenchmarkProcGather(b *testing.B) {
	for _, c := range procTexts {
		proc := b.TempDir()
		dir := filepath.Join(proc, "net", "bonding")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "bond0"), procText(b, c.file), 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(c.name+"/bondkit", func(b *testing.B) {
			b.ReportAllocs()
			files := procfs.NewDir(proc)
			var bond procfs.Bond
			for b.Loop() {
				if err := files.Read("bond0", &bond); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/telegraf", func(b *testing.B) {
			b.ReportAllocs()
			plugin := telegrafbond.Bond{HostProc: proc, BondInterfaces: []string{"bond0"}}
			var acc discard
			for b.Loop() {
				if err := plugin.Gather(&acc); err != nil || acc.err != nil {
					b.Fatal(err, acc.err)
				}
			}
			if acc.points == 0 {
				b.Fatal("nothing was gathered")
			}
		})
	}
}

// discard is an accumulator that counts.
type discard struct {
	telegraf.Accumulator
	points int
	err    error
}

func (d *discard) AddFields(string, map[string]any, map[string]string, ...time.Time) { d.points++ }
func (d *discard) AddError(err error)                                                { d.err = err }

type splitBond struct {
	mode, status, active string
	slaves               []splitSlave
}

type splitSlave struct {
	name, status, mac string
	failures          int
}

func splitByLine(text []byte) *splitBond {
	var b splitBond
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		parts := strings.SplitN(s.Text(), ":", 2)
		if len(parts) != 2 {
			continue
		}
		value := strings.TrimSpace(parts[1])
		n := len(b.slaves) - 1
		switch strings.TrimSpace(parts[0]) {
		case "Bonding Mode":
			b.mode = value
		case "Currently Active Slave":
			b.active = value
		case "Slave Interface":
			b.slaves = append(b.slaves, splitSlave{name: value})
		case "MII Status":
			if n < 0 {
				b.status = value
			} else {
				b.slaves[n].status = value
			}
		case "Permanent HW addr":
			b.slaves[n].mac = value
		case "Link Failure Count":
			b.slaves[n].failures, _ = strconv.Atoi(value)
		}
	}
	return &b
}
