// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	bootIDPath = "/proc/sys/kernel/random/boot_id"
	// journalRetry is how often a lock is tried that another process has. The kernel has no
	// wait for it that a context could end.
	journalRetry = 20 * time.Millisecond
)

// journal is an open journal: nobody else reads or writes it until unlock.
//
// Locks are on bytes of a file beside it (open file description locks, which end when the
// process does, however it ends). Byte 0 is for whoever reads and writes the journal, and byte N
// is held by the Hold of entry N as long as that lives.
type journal struct {
	path string
	lock *os.File
}

// openJournal locks the journal at path, and makes what is needed for that.
func openJournal(ctx context.Context, path string) (*journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, journalError(err)
	}
	ticker := time.NewTicker(journalRetry)
	defer ticker.Stop()
	for {
		f, err := openPrivate(path+".lock", os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, journalError(err)
		}
		locked, err := lockByte(f, 0)
		if err == nil && locked && samePlace(f) {
			return &journal{path: path, lock: f}, nil
		}
		_ = f.Close() // Nothing was written to it.
		if err != nil {
			return nil, journalError(err)
		}
		if locked {
			continue // It was removed before it was locked.
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// openPrivate opens a file that nobody else may write to.
func openPrivate(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	err = func() error {
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			return err
		}
		switch {
		case st.Mode&unix.S_IFMT != unix.S_IFREG:
			return fmt.Errorf("%w: %s is no file", ErrJournal, printable(path))
		case st.Mode&0o022 != 0:
			return fmt.Errorf("%w: others may write to %s", ErrJournal, printable(path))
		case st.Uid != 0 && int(st.Uid) != os.Geteuid():
			return fmt.Errorf("%w: %s belongs to user %d", ErrJournal, printable(path), st.Uid)
		}
		return nil
	}()
	if err != nil {
		_ = f.Close() // Nothing was written to it.
		return nil, err
	}
	return f, nil
}

// lockByte locks one byte, and reports false where somebody else has it.
func lockByte(f *os.File, at int64) (bool, error) {
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: at, Len: 1})
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return false, nil
	case err != nil:
		return false, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	return true, nil
}

// samePlace reports whether a file is the one that has its name.
func samePlace(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(opened, named)
}

// unlock lets others at the journal.
func (j *journal) unlock() { _ = j.lock.Close() } // Nothing was written to it.

// alive reports whether the Hold of an entry lives, in whatever process.
func (j *journal) alive(id int64) (bool, error) {
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: id, Len: 1}
	if err := unix.FcntlFlock(j.lock.Fd(), unix.F_OFD_GETLK, &l); err != nil {
		return false, journalError(&os.PathError{Op: "lock", Path: j.lock.Name(), Err: err})
	}
	return l.Type != unix.F_UNLCK, nil
}

// claim says that the Hold of an entry lives, until what it returns is closed.
func (j *journal) claim(id int64) (io.Closer, error) {
	f, err := openPrivate(j.lock.Name(), os.O_RDWR)
	if err != nil {
		return nil, journalError(err)
	}
	locked, err := lockByte(f, id)
	if err == nil && !locked {
		err = fmt.Errorf("entry %d is held", id)
	}
	if err != nil {
		_ = f.Close() // Nothing was written to it.
		return nil, journalError(err)
	}
	return f, nil
}

// read returns what is in the journal. One that does not exist has nothing in it.
func (j *journal) read() ([]journalEntry, error) {
	f, err := openPrivate(j.path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, journalError(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, journalMax+1))
	if err != nil {
		return nil, journalError(err)
	}
	return parseJournal(b)
}

// write makes entries what is in the journal, so that after a crash either they or those of
// before are. Without entries it removes the journal, and the file beside it: nobody has a lock in
// that then except who is here.
func (j *journal) write(entries []journalEntry) error {
	return journalError(j.replace(entries))
}

func (j *journal) replace(entries []journalEntry) error {
	if len(entries) == 0 {
		for _, path := range []string{j.path, j.lock.Name()} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return j.syncDir()
	}
	b, err := formatJournal(entries)
	if err != nil {
		return err
	}
	temp := j.path + ".tmp"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := openPrivate(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, j.path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return j.syncDir()
}

// syncDir makes the names of files last.
func (j *journal) syncDir() error {
	d, err := os.Open(filepath.Dir(j.path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// bootID returns what is another number after every boot.
func bootID() (string, error) {
	b, err := os.ReadFile(bootIDPath)
	id := strings.TrimSpace(string(b))
	if err == nil && id == "" {
		err = errors.New("the kernel has no boot id")
	}
	return id, journalError(err)
}

// journalError gives an error of a file of a journal its meaning.
func journalError(err error) error {
	if err == nil || errors.Is(err, ErrJournal) {
		return err
	}
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		err = fmt.Errorf("%s %s: %w", pe.Op, printable(pe.Path), pe.Err)
	}
	return fmt.Errorf("%w: %w", ErrJournal, err)
}
