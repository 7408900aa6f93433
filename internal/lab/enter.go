// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// enteredEnv marks a process that [Enter] has started.
const enteredEnv = "BONDKIT_LAB_ENTERED"

// ErrRefused says that the system does not let this process make a user
// namespace, or gives it no power in it. [EnterError] says why.
var ErrRefused = errors.New("user namespaces are refused")

// EnterError reports that [Enter] could not get the privilege for a lab. With
// errors.Is it matches ErrRefused.
type EnterError struct {
	// Setting is what the administrator would have to change, with the value it
	// has now, for example "kernel.unprivileged_userns_clone = 0". It is empty
	// when no setting explains the refusal.
	Setting string
	// Err is what the system said.
	Err error
}

// Error returns the refusal with the setting at fault.
func (e *EnterError) Error() string {
	s := "lab: " + ErrRefused.Error() + ": " + e.Err.Error()
	if e.Setting != "" {
		s += " (" + e.Setting + ")"
	}
	return s
}

// Unwrap returns ErrRefused and Err.
func (e *EnterError) Unwrap() []error { return []error{ErrRefused, e.Err} }

// Enter gives the process the privilege to build labs. It belongs at the very
// beginning of a program, before anything is done that must not be done twice.
//
// Where the process has the privilege (root, or a user namespace of its own),
// Enter returns nil at once. Otherwise it starts the program anew, with the same
// arguments, in new user, network and mount namespaces in which it is root;
// forwards signals to it, and ends with its status (128 + n after signal n). So
// Enter returns either nil or an error, an [*EnterError] where the system refuses.
// The new process dies with the old one.
//
// In a terminal the signals of the keyboard reach both processes and are not
// forwarded.
func Enter() error {
	entered := os.Getenv(enteredEnv) != ""
	os.Unsetenv(enteredEnv)
	f, err := newNetNS(func() error { return nil })
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, os.ErrPermission) {
		return explain(err)
	}
	if entered {
		return explain(fmt.Errorf("no privilege inside a new user namespace: %w", err))
	}
	status, err := reexec()
	if err != nil {
		return explain(err)
	}
	os.Exit(status)
	return nil
}

// Main is for TestMain: it calls [Enter], runs the tests and exits with their
// status. When the system refuses, the tests run all the same, without privilege,
// and [Require] skips or fails them with the reason.
//
//	func TestMain(m *testing.M) { lab.Main(m) }
func Main(m interface{ Run() int }) {
	if err := Enter(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(m.Run())
}

// explain makes an EnterError and looks for the setting at fault.
func explain(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	e := &EnterError{Err: err}
	for _, s := range []struct {
		name string
		bad  string
	}{
		{"kernel.unprivileged_userns_clone", "0"},
		{"user.max_user_namespaces", "0"},
		{"user.max_net_namespaces", "0"},
		{"user.max_mnt_namespaces", "0"},
		{"kernel.apparmor_restrict_unprivileged_userns", "1"},
	} {
		value, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(s.name, ".", "/"))
		if err == nil && strings.TrimSpace(string(value)) == s.bad {
			e.Setting = s.name + " = " + s.bad
			break
		}
	}
	return e
}
