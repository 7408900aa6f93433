// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/lab"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

// realHost drives the compiled command in the namespace of a lab's host.
type realHost struct {
	t  *testing.T
	ns *lab.Namespace
	// as is a command that srcprune is started by, such as setpriv.
	as []string
}

// run runs a command line.
func (h *realHost) run(line string) (stdout, stderr string, status int) {
	h.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	args := append(append([]string{}, h.as...), exe)
	args = append(args, strings.Fields(line)...)
	cmd := exec.CommandContext(h.t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), commandEnv+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := h.ns.Do(cmd.Start); err != nil {
		h.t.Fatal(err)
	}
	err = cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case ok:
		status = exit.ExitCode()
	case err != nil:
		h.t.Fatal(err)
	}
	return out.String(), errs.String(), status
}

func (h *realHost) must(line string) string {
	h.t.Helper()
	stdout, stderr, status := h.run(line)
	if status != cli.ExitDone {
		h.t.Fatalf("srcprune %s: status %d, standard error %q", line, status, stderr)
	}
	return stdout
}

// TestRealKernel shows and heals a bond over slaves that prune.
func TestRealKernel(t *testing.T) {
	lab.Require(t, lab.NeedBonding)
	l := lab.Start(t, &lab.Config{Chatty: 1, Rig: lab.RigVEPA, Bond: []string{
		"mode", "active-backup", "arp_interval", "500", "arp_validate", "all", "arp_ip_target", "192.0.2.1",
	}})
	h := &realHost{t: t, ns: l.Host()}
	if got := h.must("show"); strings.Count(got, "macvlan  prunes") != 2 || !strings.Contains(got, "mode vepa") ||
		!strings.Contains(got, "With arp_validate=all a backup has to hear") {
		t.Errorf("at first:\n%s", got)
	}
	// Everybody may look, and nobody else may change.
	nobody := &realHost{t: t, ns: l.Host(), as: []string{"setpriv", "--bounding-set", "-all", "--inh-caps", "-all"}}
	if os.Getenv("BONDKIT_VM") == "" {
		nobody.as = nil // A user namespace keeps setpriv from it.
	}
	if _, stderr, status := h.run("set e9 off"); status != cli.ExitFailed || stderr != "srcprune: no interface e9; did you mean e1?\n" {
		t.Errorf("e9: %d, %q", status, stderr)
	}
	if nobody.as != nil {
		if got := nobody.must("show -json"); !strings.Contains(got, `"impact": "breaks"`) {
			t.Errorf("unprivileged:\n%s", got)
		}
		_, stderr, status := nobody.run("set e1 off")
		if status != cli.ExitFailed || !strings.Contains(stderr, "CAP_NET_ADMIN") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("unprivileged: %d, %q", status, stderr)
		}
	}

	// Before 6.0 the kernel's monitor is not to be waited for here.
	wait := ""
	if oldMonitor(t) {
		wait = " -wait 1s"
	}
	stdout, stderr, status := h.run("set bond0 off" + wait)
	if wait == "" && (status != cli.ExitDone || strings.Count(stdout, "mode is private, it was vepa\n") != 2) {
		t.Errorf("set: %d, %q, %q", status, stdout, stderr)
	}
	if wait != "" {
		for _, name := range l.Slaves() {
			h.run("set " + name + " off" + wait)
		}
	}
	var items []struct {
		State, Value, Impact string
		Bond                 struct {
			MIIStatus string `json:"mii_status"`
		}
	}
	// The kernel's monitor goes on judging, so each is asked until it is content.
	deadline := time.Now().Add(45 * time.Second)
	for wrong := "?"; wrong != ""; {
		wrong, items = "", nil
		if err := json.Unmarshal([]byte(h.must("show bond0 -json")), &items); err != nil || len(items) != 2 {
			t.Fatalf("%v, %+v", err, items)
		}
		for _, item := range items {
			if item.State != "delivers" || item.Value != "private" || item.Impact != "none" || wait == "" && item.Bond.MIIStatus != "up" {
				wrong += fmt.Sprintf("afterwards: %+v\n", item)
			}
		}
		if got := h.must("audit"); wait == "" && strings.Contains(got, "error") {
			wrong += "audit:\n" + got
		}
		if wrong != "" && time.Now().After(deadline) {
			t.Fatal(wrong)
		}
	}
}

// oldMonitor reports whether the kernel is older than 6.0.
func oldMonitor(t *testing.T) bool {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	return unix.ByteSliceToString(u.Release[:]) < "6"
}
