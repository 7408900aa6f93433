// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
	"github.com/bondkit/bondkit/internal/lab"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

var update = flag.Bool("update", false, "write the golden files")

// commandEnv makes the test binary the command.
const commandEnv = "BONDCTL_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(commandEnv) != "" {
		main()
	}
	lab.Main(m)
}

// bench is a command line in front of a kernel made of memory.
type bench struct {
	t      *testing.T
	kernel *bondtest.Kernel
	// transport is that of root, unless a test wants another.
	transport func() bond.Transport
	speeds    map[int]speed
	stdin     io.Reader
	terminal  bool
	noDriver  bool
	env       map[string]string
	now       func() time.Time
}

func newBench(t *testing.T, cfg *bondtest.Config) *bench {
	k := bondtest.NewKernel(cfg)
	return &bench{t: t, kernel: k, transport: k.Transport, stdin: strings.NewReader("")}
}

func (b *bench) system(stdout, stderr io.Writer) *system {
	now := b.now
	if now == nil {
		now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	}
	return &system{
		stdin: b.stdin, stdout: stdout, stderr: stderr, now: now,
		dial: func(*bond.Config) (*bond.Client, error) {
			return bond.Dial(&bond.Config{Transport: b.transport()})
		},
		speeds:   func(string, []int) map[int]speed { return b.speeds },
		terminal: func(io.Writer) bool { return b.terminal },
		noDriver: func() bool { return b.noDriver },
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
		b.t.Fatalf("bondctl %s: status %d, standard error %q", line, status, stderr)
	}
	return stdout
}

// get returns a bond as the kernel has it.
func (b *bench) get(name string) *bond.Bond {
	b.t.Helper()
	c, err := bond.Dial(&bond.Config{Transport: b.kernel.Transport()})
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	got, err := c.Get(b.t.Context(), bond.Link{Name: name})
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

// slaves returns the names of the slaves of a bond.
func (b *bench) slaves(name string) []string {
	b.t.Helper()
	c, err := bond.Dial(&bond.Config{Transport: b.kernel.Transport()})
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	all, err := c.Slaves(b.t.Context(), bond.Link{Name: name})
	if err != nil {
		b.t.Fatal(err)
	}
	names := []string{}
	for i := range all {
		names = append(names, all[i].Name)
	}
	return names
}

// exists reports whether there is an interface.
func (b *bench) exists(name string) bool { return b.kernel.Index(name) != 0 }

// file writes a file and returns its name.
func (b *bench) file(text string) string {
	b.t.Helper()
	name := filepath.Join(b.t.TempDir(), "spec.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return name
}

// mac is a hardware address for documentation.
func mac(n byte) []byte { return []byte{0x02, 0, 0x5e, 0, 0x53, n} }

// twoSlaves adds the interfaces eth0 and eth1.
func (b *bench) twoSlaves() {
	b.kernel.AddLink("eth0", &bondtest.LinkConfig{Index: 2, MAC: mac(1)})
	b.kernel.AddLink("eth1", &bondtest.LinkConfig{Index: 3, MAC: mac(2)})
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

// TestUsage gives the command line every kind of mistake. Each costs one line, and no
// request to the kernel.
func TestUsage(t *testing.T) {
	b := newBench(t, nil)
	b.twoSlaves()
	spec := b.file(`{"name": "bond0"}`)
	b.kernel.ResetRequests()
	tests := []struct {
		line string
		want string // in the only line of standard error
	}{
		{"", "no command; bondctl -h shows them"},
		{"shwo", "no command shwo; did you mean show?\n"},
		{"frobnicate", "no command frobnicate; the commands are show, create, set,"},
		{"show -alow down", "no flag -alow; did you mean -allow?"},
		{"show -frobnicate", "no flag -frobnicate; bondctl -h shows the flags"},
		{"show bond0 bond1", "unexpected bond1; usage: bondctl show [BOND] [-json]"},
		{"show -allow down", "show takes no flag -allow; usage: bondctl show"},
		{"show #0", "#0 is no number of an interface"},
		{"show #eth0", `is no number of an interface`},
		{"show -netns", "needs an argument"},
		{"show -netns=", "want a path or a name"},
		{"create", "too few words; usage: bondctl create NAME"},
		{"create bond0 mod=802.3ad", "no option mod; did you mean mode?"},
		{"create bond0 miimn=100", "no option miimn; did you mean miimon?"},
		{"create bond0 frobnicate=1", "no option frobnicate; bondctl options shows them"},
		{"create bond0 mode=actve-backup", "mode: actve-backup is not a value of it; it takes balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb or balance-alb; did you mean active-backup?"},
		{"create bond0 mode=9", "it takes balance-rr,"},
		{"create bond0 mode", "mode has no value: want mode=VALUE"},
		{"create bond0 miimon=fast", "it takes a time in ms from 0 to 2147483647, or with a unit such as 100ms"},
		{"create bond0 miimon=100us", "miimon"},
		{"create bond0 miimon=-1", "miimon"},
		{"create bond0 peer_notif_delay=300001", "it takes a time in ms from 0 to 300000"},
		{"create bond0 lp_interval=0", "it takes a time in s from 1 to"},
		{"create bond0 resend_igmp=256", "it takes a number from 0 to 255"},
		{"create bond0 num_grat_arp=256", "it takes a number from 0 to 255"},
		{"create bond0 all_slaves_active=maybe", "it takes 0 or 1, off or on"},
		{"create bond0 arp_ip_target=192.0.2.300", "it takes up to 16 IPv4 addresses"},
		{"create bond0 arp_ip_target=2001:db8::1", "it takes up to 16 IPv4 addresses"},
		{"create bond0 ns_ip6_target=192.0.2.1", "it takes up to 16 IPv6 addresses"},
		{"create bond0 mode=802.3ad ad_actor_system=02:00", "it takes a hardware address"},
		{"create bond0 miimon=100 miimon=200", "miimon is there twice"},
		{"create bond0 num_grat_arp=1 num_unsol_na=2", "num_grat_arp is there twice"},
		{"create bond0 queue_id=1", "queue_id is an option of a slave: bondctl set SLAVE queue_id=VALUE"},
		{"create bond0 ad_info=1", "ad_info cannot be set"},
		{"create bond0 upp", "no word upp; did you mean up?"},
		{"create bond0 up=1", "up takes no value"},
		{"create bond0 down", "no word down"},
		{"create bond0 mtu=1", "mtu: 1 is not a value of it; it takes a number from 68 to 65535"},
		{"create bond0 mac=1", "it takes a hardware address"},
		{"create bond0 tx_queues=0", "it takes a number from 1 to 4096"},
		{"create bond0 slaves=eth0,,eth1", "it takes the names of interfaces with commas between them"},
		{"create bond0 slaves=eth0,eth0", "slaves: eth0 is there twice"},
		{"create a/b", "a/b is no name for an interface"},
		{"create abcdefghijklmnop", "1 to 15 bytes"},
		{"create bond%d", "bond%d is no name for an interface"},
		{"set bond0", "too few words; usage: bondctl set BOND|SLAVE WORD..."},
		{"set bond0 miimon=100 prio=1", "words for both"},
		{"set bond0 slaves=eth0", "no option slaves"},
		{"enslave bond0", "too few words; usage: bondctl enslave BOND SLAVE..."},
		{"enslave bond0 prio=1", "too few interfaces"},
		{"enslave bond0 eth0 miimon=100", "miimon is an option of a bond: bondctl set BOND miimon=VALUE"},
		{"enslave bond0 eth0 eth1 queue_id=3", "no two slaves may have the same queue_id"},
		{"enslave bond0 eth0 queue_id=65536", "it takes a number from 0 to 65535"},
		{"enslave bond0 eth0 prio=high", "it takes a number from -2147483648 to 2147483647"},
		{"release", "too few words; usage: bondctl release SLAVE..."},
		{"active bond0", "too few words; usage: bondctl active BOND SLAVE|none"},
		{"delete bond0 bond1", "unexpected bond1; usage: bondctl delete BOND"},
		{"watch bond0", "unexpected bond0; usage: bondctl watch [-json]"},
		{"plan", "plan needs -f FILE; usage: bondctl plan -f FILE"},
		{"plan -f=", "want the name of a file"},
		{"plan -f " + spec + " -allow down", "plan takes no flag -allow"},
		{"apply -f " + spec + " -allow everything", "want none, down, release or recreate"},
		{"apply -f " + spec + " -confirm 30", "want a duration of a second or more, such as 30s"},
		{"apply -f " + spec + " -confirm 10ms", "want a duration of a second or more"},
		{"apply -f - -confirm 30s", "-f must name a file"},
		{"apply -f " + spec + " -confirm 30s -dry-run", "exclude each other"},
		{"plan -f " + b.file(`{"name": "bond0", "optoins": {}}`), "optoins"},
		{"plan -f " + b.file(`{"options": {}}`), "no name of a bond"},
		{"plan -f " + b.file("{\n  \"name\": \"bond0\",,\n}"), `spec.json:2:19: invalid character ','`},
		{"plan -f " + b.file(`{"name": "bond0", "options": {"mode": "fast"}}`), "fast"},
		{"plan -f " + b.file(`{"name": "bond0"} {}`), "spec.json:1:19: "},
		{"options mod", "no option mod; did you mean mode?"},
		{"options mode miimon", "unexpected miimon"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			b.t = t
			stdout, stderr, status := b.run(tt.line)
			if status != cli.ExitUsage || stdout != "" {
				t.Errorf("status %d, standard output %q, want %d and nothing", status, stdout, cli.ExitUsage)
			}
			if !strings.HasPrefix(stderr, "bondctl: ") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.want) {
				t.Errorf("standard error %q, want one line with %q", stderr, tt.want)
			}
		})
	}
	if n := len(b.kernel.Requests()); n > 0 {
		t.Errorf("%d requests to the kernel", n)
	}
}

func TestHelp(t *testing.T) {
	b := newBench(t, nil)
	for _, line := range []string{"-h", "help", "-help"} {
		golden(t, "help.txt", b.must(line))
	}
	for _, line := range []string{"apply -h", "-h apply", "help apply", "apply -f x -help"} {
		golden(t, "help-apply.txt", b.must(line))
	}
}

// TestFlagPlaces puts flags before, between and behind the words.
func TestFlagPlaces(t *testing.T) {
	b := newBench(t, nil)
	b.must("create bond0 miimon=100")
	want := b.must("show bond0 -json")
	for _, line := range []string{"-json show bond0", "show -json bond0", "show --json -- bond0", "show -json -no-color bond0"} {
		if diff := cmp.Diff(want, b.must(line)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	// What begins with a dash is a name behind a "--".
	if _, stderr, status := b.run("show -- -json"); status != cli.ExitFailed || !strings.Contains(stderr, "-json") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// TestNetNS hands the path on.
func TestNetNS(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"show", ""},
		{"show -netns /proc/1/ns/net", "/proc/1/ns/net"},
		{"-netns blue show", "/run/netns/blue"},
		{"delete bond0 -netns ./x", "./x"},
	} {
		b := newBench(t, nil)
		sys := b.system(io.Discard, io.Discard)
		var got, gotSpeeds string
		dial := sys.dial
		sys.dial = func(cfg *bond.Config) (*bond.Client, error) {
			got = cfg.NetNSPath
			return dial(&bond.Config{})
		}
		sys.speeds = func(path string, _ []int) map[int]speed {
			gotSpeeds = path
			return nil
		}
		run(t.Context(), strings.Fields(tt.line), sys)
		if got != tt.want || strings.Contains(tt.line, "show") && gotSpeeds != tt.want {
			t.Errorf("%s: namespace %q, of speeds %q, want %q", tt.line, got, gotSpeeds, tt.want)
		}
	}
}

// TestCannotRun has no bonding, or no Linux.
func TestCannotRun(t *testing.T) {
	b := newBench(t, &bondtest.Config{NoBonding: true})
	_, stderr, status := b.run("create bond0 miimon=100")
	if status != cli.ExitCannotRun || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "no bonding driver") {
		t.Errorf("without bonding: status %d, standard error %q", status, stderr)
	}
	sys := b.system(io.Discard, &bytes.Buffer{})
	sys.dial = func(*bond.Config) (*bond.Client, error) {
		return nil, &bond.Error{Op: "dial", Err: errors.ErrUnsupported}
	}
	if status := run(t.Context(), []string{"show"}, sys); status != cli.ExitCannotRun {
		t.Errorf("on another system: status %d", status)
	}
	// What is not a namespace is said in one piece.
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&os.PathError{Op: "open", Path: "/run/netns/blue", Err: syscall.ENOENT}, "no such file or directory"},
		{syscall.EINVAL, "it is none"},
	} {
		sys.dial = func(*bond.Config) (*bond.Client, error) { return nil, &bond.Error{Op: "dial", Err: tt.err} }
		var errs bytes.Buffer
		sys.stderr = &errs
		status := run(t.Context(), []string{"show", "-netns", "blue"}, sys)
		if want := "bondctl: network namespace /run/netns/blue: " + tt.want + "\n"; status != cli.ExitFailed || errs.String() != want {
			t.Errorf("status %d, standard error %q, want %q", status, errs.String(), want)
		}
	}
	// Options need no kernel.
	if status := run(t.Context(), []string{"options"}, sys); status != cli.ExitDone {
		t.Errorf("options on another system: status %d", status)
	}
}

// TestUnsupportedOption meets a kernel that ignores an option. That is an error like
// others.
func TestUnsupportedOption(t *testing.T) {
	b := newBench(t, &bondtest.Config{Release: bondtest.Release510})
	b.must("create bond0 mode=active-backup miimon=100")
	_, stderr, status := b.run("set bond0 arp_missed_max=3")
	if status != cli.ExitFailed || strings.Count(stderr, "bondctl: ") != 1 || !strings.Contains(stderr, "arp_missed_max") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// TestInterrupted ends with the status of an interrupt.
func TestInterrupted(t *testing.T) {
	b := newBench(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	status := run(ctx, []string{"show"}, b.system(&out, &errs))
	if status != cli.ExitInterrupt || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("status %d, standard error %q", status, errs.String())
	}
}

func TestSpeed(t *testing.T) {
	for _, tt := range []struct {
		speed speed
		want  string
	}{
		{speed{}, "-"},
		{speed{mbps: 10000, duplex: "full"}, "10 Gbit/s full"},
		{speed{mbps: 2500}, "2.5 Gbit/s"},
		{speed{mbps: 100, duplex: "half"}, "100 Mbit/s half"},
		{speed{duplex: "full"}, "-"},
	} {
		if got := tt.speed.String(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.speed, got, tt.want)
		}
	}
}
