// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bondkit/bondkit/procfs"

	"github.com/bondkit/bondkit/examples/internal/cli"
)

func procCommand() command {
	return command{
		Name: "proc", Operands: "[FILE|-|DIR]...", Summary: "Show what texts of /proc/net/bonding say",
		Flags: []string{"json", "print"}, Max: -1, Run: runProc,
	}
}

// procLimit is the most that is read of a file.
const procLimit = 64 << 20

// runProc prints what every operand says, and then what is wrong with it.
func runProc(_ context.Context, c *call) error {
	switch {
	case c.flags.json && c.flags.print:
		return cli.Usagef("-json and -print exclude each other; usage: %s", c.usage())
	case c.NetNS != "":
		return cli.Usagef("proc takes no flag -netns; give it the directory /proc/PID of a process there")
	}
	args := c.Args
	if len(args) == 0 {
		args = []string{"/proc"}
	}
	w := procWriter{c: c, paint: c.paint(c.stdout)}
	for _, arg := range args {
		if err := w.operand(arg); err != nil {
			return err // nobody reads on
		}
	}
	end := ""
	switch {
	case c.flags.json, c.flags.print:
	case w.letters:
		end = lacpLegend(w.paint)
	case w.bonds == 0 && len(w.problems) == 0:
		end = "no bonds\n"
	}
	if _, err := io.WriteString(c.stdout, end); err != nil {
		return err
	}
	return errors.Join(w.problems...)
}

// procWriter prints bonds, and collects what is wrong with their texts.
type procWriter struct {
	c        *call
	paint    cli.Paint
	bonds    int  // that were printed
	letters  bool // there are letters of LACP among it
	problems []error
}

// operand prints the bonds of standard input, a directory or a file. The error is that
// of printing.
func (w *procWriter) operand(arg string) error {
	if arg == "-" {
		return w.read("standard input", "", w.c.stdin)
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		w.failed(cli.Quote(arg), err)
		return nil
	case info.IsDir():
		return w.dir(arg)
	}
	if proc, ok := liveProc(arg); ok {
		return w.live(arg, procfs.NewDir(proc), filepath.Base(arg))
	}
	return w.file(arg)
}

// liveProc returns the proc directory of a file of this system's, which is better
// not read like any other.
func liveProc(path string) (string, bool) {
	abs, err := filepath.Abs(path)
	if err != nil || !strings.HasPrefix(abs, "/proc/") {
		return "", false
	}
	return strings.CutSuffix(filepath.Dir(abs), "/net/bonding")
}

func (w *procWriter) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		w.failed(cli.Quote(path), err)
		return nil
	}
	defer f.Close()
	return w.read(cli.Quote(path), strings.TrimSuffix(filepath.Base(path), ".txt"), f)
}

func (w *procWriter) read(where, name string, r io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(r, procLimit+1))
	if err == nil && len(text) > procLimit {
		err = procfs.ErrTooLarge
	}
	if err != nil {
		w.failed(where, err)
		return nil
	}
	return w.text(where, name, text)
}

// procDirs returns what may be the proc directory that a directory stands for.
func procDirs(dir string) []string {
	dirs := []string{dir, filepath.Join(dir, "proc")}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dirs
	}
	if filepath.Base(abs) == "net" {
		dirs = append(dirs, filepath.Dir(abs))
	}
	if proc, ok := liveProc(filepath.Join(abs, "bond")); ok {
		dirs = append(dirs, proc)
	}
	return dirs
}

// dir prints the bonds of a proc directory, of the root of a report, or of a directory
// that has the files.
func (w *procWriter) dir(dir string) error {
	for _, proc := range procDirs(dir) {
		f := procfs.NewDir(proc)
		names, err := f.List()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			w.failed(cli.Quote(proc), err)
			return nil
		}
		for _, name := range names {
			if err := w.live(filepath.Join(proc, "net", "bonding", name), f, name); err != nil {
				return err
			}
		}
		return nil
	}
	for _, proc := range procDirs(dir) {
		if info, err := os.Stat(filepath.Join(proc, "net")); err == nil && info.IsDir() {
			w.problems = append(w.problems, &cli.CannotRunError{Err: fmt.Errorf("%s: no net/bonding, so the bonding module was not loaded", cli.Quote(dir))})
			return nil
		}
	}
	return w.files(dir)
}

// files prints the bonds of the files in a directory. One line is enough if all of them
// are something else.
func (w *procWriter) files(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.failed(cli.Quote(dir), err)
		return nil
	}
	bonds, known := w.bonds, len(w.problems)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err == nil && !info.Mode().IsRegular() || e.Name() == "bonding_masters" {
			continue
		}
		if err := w.file(path); err != nil {
			return err
		}
	}
	other := func(err error) bool { return !errors.Is(err, procfs.ErrNotBonding) }
	abs, _ := filepath.Abs(dir)
	if w.bonds > bonds || slices.ContainsFunc(w.problems[known:], other) || len(entries) == 0 && strings.HasSuffix(filepath.ToSlash(abs), "/net/bonding") {
		return nil
	}
	w.problems = w.problems[:known]
	w.failed(cli.Quote(dir), errNoTexts)
	return nil
}

var errNoTexts = errors.New("no file in it is a text of /proc/net/bonding")

// live prints a bond of a proc directory, unless it is deleted meanwhile.
func (w *procWriter) live(path string, f *procfs.FS, name string) error {
	var b procfs.Bond
	switch err := f.Read(name, &b); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		w.failed(cli.Quote(path), err)
		return nil
	}
	return w.bond(cli.Quote(path), &b)
}

// text prints the bonds of one text. One bond alone has the name of the file, if it has
// no other.
func (w *procWriter) text(where, name string, text []byte) error {
	bonds, errs := parseTexts(text)
	// What was not damaged on its way is not touched.
	if len(errs) > 0 {
		bonds, errs = parseTexts(procfs.Sanitize(text))
	}
	if len(bonds) == 0 {
		w.failed(where, procfs.ErrNotBonding)
		return nil
	}
	for i, b := range bonds {
		place := where
		switch {
		case len(bonds) > 1 && b.Name != "":
			place += ": " + cli.Quote(b.Name)
		case len(bonds) > 1:
			place += fmt.Sprintf(": bond %d", i+1)
		case b.Name == "":
			b.Name = name
		}
		if err := errs[b]; errors.Is(err, procfs.ErrNotBonding) {
			w.failed(place, err)
		} else if err := w.bond(place, b); err != nil {
			return err
		}
	}
	return nil
}

// parseTexts parses the texts of several bonds in one, and returns the errors of
// those that have problems.
func parseTexts(text []byte) ([]*procfs.Bond, map[*procfs.Bond]error) {
	var bonds []*procfs.Bond
	errs := map[*procfs.Bond]error{}
	for name, part := range procfs.Split(text) {
		b := &procfs.Bond{Name: name}
		err := b.UnmarshalText(part)
		if err == nil && len(b.Problems) > 0 {
			err = b.Problems[0]
		}
		if err != nil {
			errs[b] = err
		}
		bonds = append(bonds, b)
	}
	return bonds, errs
}

// bond prints a bond, and notes what is wrong with its text.
func (w *procWriter) bond(where string, b *procfs.Bond) error {
	for _, p := range b.Problems {
		w.failed(where, p)
	}
	if b.MoreProblems > 0 {
		w.failed(where, fmt.Errorf("%d more problems", b.MoreProblems))
	}
	if b.Torn {
		w.failed(where, errors.New("the bond changed while it was read; slaves may be missing or twice"))
	}
	var out []byte
	var err error
	switch {
	case w.c.flags.print:
		out, err = b.AppendText(nil)
	case w.c.flags.json:
		out, err = b.MarshalJSON()
		out = append(cli.PlainJSON(out), '\n')
	default:
		if w.bonds > 0 {
			out = append(out, '\n')
		}
		out = append(out, procText(b, w.paint)...)
		w.letters = w.letters || slices.ContainsFunc(b.Slaves, func(s procfs.Slave) bool { return s.Has(procfs.FieldActor) })
	}
	w.bonds++
	if err == nil {
		_, err = w.c.stdout.Write(out)
	}
	return err
}

// failed notes what is wrong with a text or a file, and where that is.
func (w *procWriter) failed(where string, err error) {
	if e, ok := errors.AsType[*procfs.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // it says the path again
	}
	w.problems = append(w.problems, fmt.Errorf("%s: %w", where, err))
}
