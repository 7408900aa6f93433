// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/bond"
	"github.com/bondkit/bondkit/bond/bondtest"
)

// TestConformanceKernel runs the table against the kernel it runs on, and against
// the made kernel of that release, and compares them line by line. It shows that
// the option table, Validate and bondtest are true.
func TestConformanceKernel(t *testing.T) {
	n := newClientNet(t)
	tr, err := bond.ClientTransport(&bond.Config{NetNS: n.fd()})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	// The addresses of IPv6 that an interface gets when it comes up cause packets that
	// monitors take for life.
	n.ip("link set lo up")

	version, release := confRelease(t)
	told := confTold(t, tr)
	knows := func(opt bond.Option) bool { return told[opt] || opt.Info().ReadOnly }
	for opt := range bond.AllOptions() {
		info := opt.Info()
		t.Run("option/"+info.Name, func(t *testing.T) {
			if info.ReadOnly {
				return
			}
			if !told[opt] && !confOlderThan(version, info.Since) {
				t.Errorf("kernel %s does not tell it, and is not older than %s", version, info.Since)
			}
			if got := release.Supports(opt); got != told[opt] {
				t.Errorf("bondtest.Release(%q).Supports is %v, and the kernel tells it: %v", release, got, told[opt])
			}
			if !told[opt] {
				t.Skipf("kernel %s older than %s", version, info.Since)
			}
		})
	}

	k := bondtest.NewKernel(&bondtest.Config{Release: release})
	k.AddLink("lo", &bondtest.LinkConfig{Index: 1, Type: 772, MTU: 65536, Up: true})
	var real, made map[string][]string
	t.Run("kernel", func(t *testing.T) { real = confRun(t, tr, release, knows, true) })
	t.Run("fake", func(t *testing.T) { made = confRun(t, k.Transport(), release, k.Supports, false) })
	for _, group := range slices.Sorted(maps.Keys(real)) {
		t.Run("agree/"+group, func(t *testing.T) {
			if len(real[group]) == 0 {
				t.Error("nothing was tried")
			}
			confCompare(t, real[group], made[group])
		})
	}
}

// confCompare reports the lines that differ, as far as one can read them.
func confCompare(t *testing.T, real, made []string) {
	t.Helper()
	wrong := 0
	for i := range max(len(real), len(made)) {
		var r, m string
		if i < len(real) {
			r = real[i]
		}
		if i < len(made) {
			m = made[i]
		}
		if r == m {
			continue
		}
		if wrong++; wrong <= 15 {
			t.Errorf("\nkernel:   %s\nbondtest: %s", r, m)
		}
	}
	if wrong > 15 {
		t.Errorf("and %d more lines", wrong-15)
	}
}

// confRelease returns the version of the running kernel, and the release to compare it with:
// the newest that is not newer.
func confRelease(t *testing.T) (version string, release bondtest.Release) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	fields := strings.FieldsFunc(unix.ByteSliceToString(u.Release[:]), func(r rune) bool { return r < '0' || r > '9' })
	if len(fields) < 2 {
		t.Fatalf("kernel version %q", u.Release)
	}
	version = fields[0] + "." + fields[1]
	for _, r := range bondtest.Releases() {
		if !confOlderThan(version, string(r)) {
			release = r
		}
	}
	if release == "" {
		t.Fatalf("kernel %s is older than all that are known", version)
	}
	return version, release
}

// confOlderThan compares versions such as 6.12.
func confOlderThan(version, than string) bool {
	number := func(v string) int {
		major, minor, _ := strings.Cut(v, ".")
		a, errA := strconv.Atoi(major)
		b, errB := strconv.Atoi(minor)
		if errA != nil || errB != nil {
			panic(fmt.Sprintf("version %q", v))
		}
		return a*1000 + b
	}
	return number(version) < number(than)
}

// confTold returns the options that the kernel tells of a bond that has everything, and of
// its slave: that is how one finds out which it has, because attributes that it
// does not know it ignores.
func confTold(t *testing.T, tr bond.Transport) map[bond.Option]bool {
	t.Helper()
	const slave, index = 90, 91
	w := &confWorld{t: t, tr: tr, knows: func(bond.Option) bool { return true }}
	defer func() {
		w.do(confDelLink, 0, confBody(index, 0, 0))
		w.do(confDelLink, 0, confBody(slave, 0, 0))
	}()
	w.must(confNewLink, confCreate|confExcl, confBody(slave, 0, 0, confAttr(confName, []byte("s0\x00")), confAttr(confInfo, confAttr(confKind, []byte("dummy")))))
	told := map[bond.Option]bool{}
	for _, mode := range []bond.Mode{bond.ModeActiveBackup, bond.Mode8023AD} {
		w.must(confNewLink, confCreate|confExcl, confBody(index, 0, 0, confAttr(confName, []byte("b0\x00")), confBondInfo(
			confMode(mode), confList(bond.OptionARPTargets, confIP("192.0.2.1")), confList(bond.OptionNSTargets, confIP("2001:db8::1")))))
		w.must(confNewLink, 0, confBody(slave, 0, 0, confAttr(confMaster, confU32(index))))
		if mode == bond.ModeActiveBackup {
			w.must(confNewLink, 0, confBody(index, 0, 0, confBondInfo(confOpt(bond.OptionPrimary, slave))))
		}
		for _, i := range []int{index, slave} {
			replies, err := tr.Do(t.Context(), bond.Message{Type: confGetLink, Data: confBody(i, 0, 0)})
			if err != nil || len(replies) != 1 {
				t.Fatal(err)
			}
			for typ := range confEach(confInside(replies[0].Data, confInfo, confData)) {
				told[bond.Option(typ)] = true
			}
			for typ := range confEach(confInside(replies[0].Data, confInfo, confSlaveData)) {
				told[bond.OptionSlaveState-1+bond.Option(typ)] = true
			}
		}
		w.must(confDelLink, 0, confBody(index, 0, 0))
	}
	return told
}
