// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/bondkit/bondkit/arpmon"
)

// monitorEnv marks a process that runs a Monitor for another one, so that it can
// be stopped without stopping the network around it, the view, or the job of
// somebody's shell.
const monitorEnv = "BONDLAB_MONITOR"

// monitorFD is the file descriptor at which such a process finds the network
// namespace of the slaves: the first after standard input, output and error.
const monitorFD = 3

// monitorProcess is such a process. It reads a setup from r, writes samples to w,
// and ends when r does. It returns the exit status.
func monitorProcess(r io.Reader, w, stderr io.Writer) int {
	err := func() error {
		var s setup
		if err := gob.NewDecoder(r).Decode(&s); err != nil {
			return err
		}
		m, err := arpmon.NewMonitor(s.config(monitorFD))
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			io.Copy(io.Discard, r)
			cancel()
		}()
		enc := gob.NewEncoder(w)
		return watch(ctx, m, s.Slaves, func(s sample) {
			if enc.Encode(s) != nil {
				cancel()
			}
		})
	}()
	if err != nil {
		fmt.Fprintf(stderr, "bondlab: monitor process: %v\n", err)
		return exitWrong
	}
	return exitRight
}

// watchElsewhere is watch in a process of its own. started gets the process. The
// process ends when ctx does, and with this one.
func watchElsewhere(ctx context.Context, s *setup, netns *os.File, started func(*os.Process), each func(sample)) error {
	cmd, wait := monitorCommand(ctx)
	cmd.Env = append(os.Environ(), monitorEnv+"=1")
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{netns}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	return wait(func() error {
		started(cmd.Process)
		if err := gob.NewEncoder(stdin).Encode(s); err != nil {
			return err
		}
		dec := gob.NewDecoder(stdout)
		for {
			var v sample
			err := dec.Decode(&v)
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.Is(err, io.EOF):
				return errors.New("the monitor process ended by itself")
			case err != nil:
				return fmt.Errorf("monitor process: %w", err)
			}
			each(v)
		}
	})
}
