// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package arpmon

import (
	"errors"
	"io/fs"
	"strconv"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// inNamespace calls f on a thread that is in a network namespace, given by file
// descriptor or path, or in that of the calling thread where both are zero.
// Sockets that f opens stay in the namespace.
func inNamespace(fd int, path string, f func() error) error {
	if fd == 0 && path == "" {
		return f()
	}
	wrong := Error{Op: "open", Field: "NetNS", Value: strconv.Itoa(fd)}
	if path != "" {
		wrong.Field, wrong.Value = "NetNSPath", path
	}
	ns, err := rtnl.OpenNetNS(fd, path)
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		wrong.Err = pe.Err
		return &wrong
	}
	if err == nil {
		defer ns.Close()
		err = ns.Do(f)
	}
	if ne, ok := errors.AsType[*rtnl.NetNSError](err); ok {
		wrong.Err, wrong.Hint = ne.Err, ne.Hint
		return &wrong
	}
	return err
}
