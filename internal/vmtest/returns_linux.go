// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bondkit/bondkit/internal/vmtest/internal/wire"
)

// returned is a file on its way from the guest. It is written under another
// name and renamed when it is whole.
type returned struct {
	f    *os.File
	name string
	perm fs.FileMode
	left int64
}

var errFrame = errors.New("the guest sent a frame that makes no sense")

// hostName returns where a returned file belongs. What the guest says is not
// trusted: it can only name what was asked for and files below that.
func (r *runner) hostName(f wire.File) (string, error) {
	if f.Index < 0 || f.Index >= len(r.payload.returns) || f.Size < 0 {
		return "", errFrame
	}
	name := r.payload.returns[f.Index].to
	if f.Rel == "" {
		return name, nil
	}
	if rel := filepath.FromSlash(f.Rel); filepath.IsLocal(rel) {
		return filepath.Join(name, rel), nil
	}
	return "", errFrame
}

func (r *runner) beginFile(p []byte) error {
	var head wire.File
	if err := json.Unmarshal(p, &head); err != nil {
		return err
	}
	name, err := r.hostName(head)
	if err != nil || r.file != nil {
		return errors.Join(errFrame, err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	// A device such as /dev/null is written to, not replaced.
	if fi, err := os.Stat(name); err == nil && !fi.Mode().IsRegular() {
		if fi.IsDir() {
			name = filepath.Join(name, filepath.Base(r.payload.returns[head.Index].from))
		} else {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			r.file = &returned{f: f, left: head.Size}
			return r.fileData(nil)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".vmtest")
	if err != nil {
		return err
	}
	r.file = &returned{f: f, name: name, perm: fs.FileMode(head.Mode) & fs.ModePerm, left: head.Size}
	return r.fileData(nil)
}

func (r *runner) fileData(p []byte) error {
	f := r.file
	if f == nil || int64(len(p)) > f.left {
		return errFrame
	}
	if _, err := f.f.Write(p); err != nil {
		return err
	}
	if f.left -= int64(len(p)); f.left > 0 {
		return nil
	}
	r.file = nil
	if f.name == "" {
		return f.f.Close()
	}
	err := errors.Join(f.f.Chmod(f.perm), f.f.Close())
	if err == nil {
		err = os.Rename(f.f.Name(), f.name)
	}
	if err != nil {
		os.Remove(f.f.Name())
		return fmt.Errorf("file from the guest: %w", err)
	}
	return nil
}

// dropFile removes a file that did not come in whole.
func (r *runner) dropFile() {
	if r.file == nil {
		return
	}
	r.file.f.Close()
	if r.file.name != "" {
		os.Remove(r.file.f.Name())
	}
	r.file = nil
}
