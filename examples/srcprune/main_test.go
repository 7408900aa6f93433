// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
	"github.com/bondkit/bondkit/internal/lab"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

var update = flag.Bool("update", false, "write the golden files")

// commandEnv makes the test binary the command.
const commandEnv = "SRCPRUNE_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(commandEnv) != "" {
		main()
	}
	lab.Main(m)
}

// bench is a command line in front of two kernels made of memory that have the same
// interfaces: one knows their drivers, the other their bonds.
type bench struct {
	t     *testing.T
	nics  *ethtooltest.Kernel
	bonds *bondtest.Kernel
	// transport is that of root, unless a test wants another.
	transport func() ethtool.Transport
	stdin     io.Reader
	terminal  bool
	env       map[string]string
	// tick is called where the command waits.
	tick func(time.Duration)
}

func newBench(t *testing.T, cfg *bondtest.Config) *bench {
	b := &bench{t: t, nics: ethtooltest.NewKernel(nil), bonds: bondtest.NewKernel(cfg), stdin: strings.NewReader("")}
	b.transport = b.nics.Transport
	return b
}

// add makes an interface in both kernels.
func (b *bench) add(name string, nic *ethtooltest.NIC) {
	b.t.Helper()
	index := b.nics.Add(name, nic)
	b.bonds.AddLink(name, &bondtest.LinkConfig{Index: index, Kind: nic.Kind, NoCarrier: nic.NoCarrier})
}

// bond makes a bond in both kernels.
func (b *bench) bond(name string, o bond.Options, slaves ...string) {
	b.t.Helper()
	c, err := bond.Dial(&bond.Config{Transport: b.bonds.Transport()})
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	index, err := c.Create(b.t.Context(), name, o, &bond.CreateOptions{Up: true})
	if err != nil {
		b.t.Fatal(err)
	}
	master := ethtooltest.BondMaster(nil)
	master.Index = index
	b.nics.Add(name, master)
	for _, s := range slaves {
		if err := c.Enslave(b.t.Context(), bond.Link{Name: name}, bond.Link{Name: s}, bond.SlaveOptions{}); err != nil {
			b.t.Fatal(err)
		}
		b.nics.Update(s, func(n *ethtooltest.NIC) { n.Master, n.Slave = name, &ethtooltest.Slave{} })
	}
}

func (b *bench) system(stdout, stderr io.Writer) *system {
	return &system{
		stdin: b.stdin, stdout: stdout, stderr: stderr,
		dial: func(*ethtool.Config) (*ethtool.Client, error) {
			return ethtool.Dial(&ethtool.Config{Transport: b.transport()})
		},
		dialBond: func(*bond.Config) (*bond.Client, error) {
			return bond.Dial(&bond.Config{Transport: b.bonds.Transport()})
		},
		after: func(d time.Duration) <-chan time.Time {
			c := make(chan time.Time, 1)
			if d == pollEvery {
				if b.tick != nil {
					b.tick(d)
				}
				c <- time.Time{}
			}
			return c
		},
		terminal: func(io.Writer) bool { return b.terminal },
		getenv:   func(name string) string { return b.env[name] },
	}
}

// run runs one command line, split at its blanks.
func (b *bench) run(line string) (stdout, stderr string, status int) {
	b.t.Helper()
	var out, errs bytes.Buffer
	status = run(b.t.Context(), strings.Fields(line), b.system(&out, &errs))
	return out.String(), errs.String(), status
}

// must runs a command line that has to work in silence, and returns what it prints.
func (b *bench) must(line string) string {
	b.t.Helper()
	stdout, stderr, status := b.run(line)
	if status != cli.ExitDone || stderr != "" {
		b.t.Fatalf("srcprune %s: status %d, standard error %q", line, status, stderr)
	}
	return stdout
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// arpAll are the options with which a backup that prunes is down for ever.
func arpAll() bond.Options {
	return bond.Options{
		Mode: new(bond.ModeActiveBackup), ARPInterval: new(time.Second), ARPValidate: new(bond.ARPValidateAll),
		ARPTargets: targets(),
	}
}

// mii are the options of a bond that watches carrier only.
func mii() bond.Options {
	return bond.Options{Mode: new(bond.ModeActiveBackup), MIIMon: new(100 * time.Millisecond)}
}

// zoo is a host with many kinds of interfaces.
func zoo(t *testing.T) *bench {
	b := newBench(t, nil)
	b.nics.Add("lo", ethtooltest.Loopback())
	b.bonds.AddLink("lo", &bondtest.LinkConfig{Index: b.nics.Index("lo"), Type: 772})
	b.add("eth0", ethtooltest.I40E("0000:3b:00.0"))
	b.add("eth1", ethtooltest.I40E("0000:3b:00.1"))
	b.add("ice0", ethtooltest.ICE("0000:5e:00.0"))
	b.add("ice1", ethtooltest.ICEOutOfTree("0000:5e:00.1"))
	b.add("ice2", ethtooltest.ICESafeMode("0000:5f:00.0"))
	b.add("vf0", ethtooltest.IAVF("0000:3b:02.0", "0000:3b:00.0"))
	b.add("mlx0", ethtooltest.MLX5("0000:af:00.0"))
	b.add("odd\x1b[31m", &ethtooltest.NIC{Driver: "acme"})
	b.add("mv0", ethtooltest.Macvlan("mlx0", "vepa"))
	return b
}

// TestShow shows bonds with all kinds of slaves.
func TestShow(t *testing.T) {
	b := zoo(t)
	if err := b.nics.SetFlag("eth0", "disable-source-pruning", true); err != nil {
		t.Fatal(err)
	}
	golden(t, "hardware.txt", b.must("show"))
	b.bond("bond0", arpAll(), "eth0", "eth1", "mlx0")
	b.bond("bond1", arpAll(), "ice0", "vf0", "mv0", "ice2")
	b.bond("bond2", mii(), "ice1")
	b.bond("bond3", mii())
	golden(t, "show.txt", b.must("show"))
	golden(t, "show.json", b.must("show -json bond0 mv0"))
	golden(t, "one.txt", b.must("show odd\x1b[31m eth1"))
	b.terminal = true
	golden(t, "color.txt", b.must("show bond0"))
	if got := b.must("show bond0 -no-color"); strings.Contains(got, "\x1b") {
		t.Errorf("colours: %q", got)
	}
}
